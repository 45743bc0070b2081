//! Progress bars on standard error, where that is a terminal.

use crate::console::Console;
use crate::interrupt;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::time::Duration;
use synfire_ir::Progress;

/// A bar that names the stage under way; without a terminal it draws nothing. Either way it passes Ctrl-C on.
pub struct Bar {
    bar: Option<ProgressBar>,
    stage: Mutex<String>,
}

impl Bar {
    /// A bar for that console; it appears after a moment, so that short work does not flicker.
    pub fn new(console: &Console) -> Bar {
        let bar = console.shows_progress().then(|| {
            let bar = ProgressBar::new(0);
            let style =
                ProgressStyle::with_template("{msg:>12.bold} {bar:32} {percent:>3} %  {eta} left");
            if let Ok(style) = style {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        Bar {
            bar,
            stage: Mutex::new(String::new()),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn report(&self, what: &str, done: u64, total: u64) {
        let Some(bar) = &self.bar else { return };
        if bar.elapsed() < Duration::from_millis(300) {
            return;
        }
        if let Ok(mut stage) = self.stage.try_lock() {
            if *stage != what {
                *stage = what.to_string();
                bar.reset_eta();
                bar.set_message(what.to_string());
            }
            bar.set_length(total);
            bar.set_position(done);
        }
    }

    fn cancelled(&self) -> bool {
        interrupt::asked()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}
