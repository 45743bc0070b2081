//! Progress bars on standard error, where that is a terminal; elsewhere a line of the log (`-v`) every ten seconds.

use crate::console::Console;
use crate::interrupt;
use crate::units::{large, percent, seconds};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use synfire_ir::Progress;

/// Time before a bar appears, so that short work does not flicker.
const MOMENT: Duration = Duration::from_millis(300);
/// Time between two lines of the log.
const LINE: Duration = Duration::from_secs(10);

/// A bar that names the stage under way, with the rate of a run and the time left. It passes Ctrl-C on.
pub struct Bar {
    bar: Option<ProgressBar>,
    stage: Arc<Mutex<Stage>>,
}

/// The stage under way.
struct Stage {
    name: String,
    begin: Instant,
    /// Where it began: a resumed run does not begin at 0.
    first: u64,
    told: Instant,
}

impl Bar {
    /// A bar for that console.
    pub fn new(console: &Console) -> Bar {
        let now = Instant::now();
        let stage = Arc::new(Mutex::new(Stage {
            name: String::new(),
            begin: now,
            first: 0,
            told: now,
        }));
        let bar = console.shows_progress().then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template(
                "{msg:>12.bold} {bar:32} {percent:>3} %  {rate}{eta} left",
            );
            if let Ok(style) = style {
                let of = stage.clone();
                let rate = move |s: &ProgressState, out: &mut dyn std::fmt::Write| {
                    // Stages other than a run count what is of no interest.
                    let run = of.try_lock().is_ok_and(|s| s.name == "run");
                    if run && s.per_sec() >= 1.0 {
                        let _ = write!(out, "{} steps/s  ", large(s.per_sec() as u64));
                    }
                };
                bar.set_style(style.with_key("rate", rate).progress_chars("━╸─"));
            }
            bar
        });
        Bar { bar, stage }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn log(stage: &mut Stage, done: u64, total: u64) {
        stage.told = Instant::now();
        let rate = (done - stage.first.min(done)) as f64 / stage.begin.elapsed().as_secs_f64();
        let left = (total - done.min(total)) as f64 / rate.max(1e-9);
        tracing::info!(
            "{}: {} of {} ({}), {} a second, {} left",
            stage.name,
            large(done),
            large(total),
            percent(done as f64 / total.max(1) as f64),
            large(rate as u64),
            seconds(left)
        );
    }
}

impl Progress for Bar {
    fn report(&self, what: &str, done: u64, total: u64) {
        let Ok(mut stage) = self.stage.try_lock() else {
            return;
        };
        let new = stage.name != what;
        if new {
            let now = Instant::now();
            *stage = Stage {
                name: what.to_string(),
                begin: now,
                first: done,
                told: now,
            };
        } else if stage.told.elapsed() >= LINE {
            Bar::log(&mut stage, done, total);
        }
        drop(stage);
        let Some(bar) = &self.bar else { return };
        if bar.elapsed() < MOMENT {
            return;
        }
        if new || bar.message() != what {
            bar.reset_eta();
            bar.set_message(what.to_string());
        }
        bar.set_length(total);
        bar.set_position(done);
    }

    fn cancelled(&self) -> bool {
        interrupt::heard()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.finish();
    }
}
