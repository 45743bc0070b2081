//! The terminal: where results, messages and progress go, how wide it is, and whether it has colours.
//!
//! Results go to standard output, everything else to standard error. A reader that goes away ends the command quietly.

use crate::args::{Color, Common, Format};
use crate::diagnostics;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use synfire_ir::{Diagnostics, Severity, SourceMap};
use terminal_size::{Height, Width, terminal_size_of};

/// Columns where there is no terminal.
const WIDTH: usize = 80;

/// See the module.
#[derive(Clone, Debug)]
pub struct Console {
    /// Form of results.
    pub format: Format,
    /// Results and errors only?
    pub quiet: bool,
    /// Number of `-v`.
    pub verbose: u8,
    /// Columns of standard output.
    pub width: usize,
    /// Colours on standard output?
    pub color: bool,
    error_width: usize,
    error_color: bool,
    error_terminal: bool,
}

impl Console {
    /// As the options and the environment say.
    pub fn new(common: &Common) -> Console {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|t| t == "dumb");
        let colored = |terminal: bool| match common.color {
            Color::Auto => terminal && !plain,
            Color::Always => true,
            Color::Never => false,
        };
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let columns = |size: Option<(Width, Height)>| {
            size.map_or(WIDTH, |(Width(w), _)| usize::from(w).clamp(40, 200))
        };
        Console {
            format: common.format,
            quiet: common.quiet,
            verbose: common.verbose,
            width: columns(terminal_size_of(io::stdout()).filter(|_| out)),
            color: colored(out),
            error_width: columns(terminal_size_of(io::stderr()).filter(|_| err)),
            error_color: colored(err),
            error_terminal: err,
        }
    }

    /// One that shows errors only and draws nothing.
    pub fn silent() -> Console {
        let common = Common {
            format: Format::Text,
            verbose: 0,
            quiet: true,
            color: Color::Never,
        };
        Console::new(&common)
    }

    /// The same without colours.
    pub fn plain(&self) -> Console {
        Console {
            color: false,
            ..self.clone()
        }
    }

    /// Are results JSON?
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// May a progress bar be drawn?
    pub fn shows_progress(&self) -> bool {
        self.error_terminal && !self.quiet
    }

    /// Prints a result.
    pub fn print(&self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Writes bytes to standard output.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
            // The reader has gone: there is no one to tell.
            std::process::exit(0);
        }
    }

    /// Prints a result as JSON.
    pub fn json(&self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.print(&(text + "\n")),
            Err(e) => self.say(&format!("the result cannot be written as JSON: {e}")),
        }
    }

    /// Says something on standard error.
    pub fn say(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says something for people who watch; silent with `-q`.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Shows diagnostics; with `-q` errors only.
    pub fn show(&self, list: &Diagnostics, sources: &SourceMap) {
        let shown = list.0.iter().filter(|d| match d.severity {
            Severity::Error => true,
            Severity::Warning => !self.quiet,
            Severity::Note => !self.quiet && (self.verbose > 0 || list.has_errors()),
        });
        let text = diagnostics::render(
            shown,
            sources,
            self.error_width,
            self.error_color,
            self.verbose > 0,
        );
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// `text` in a colour (the numbers of the terminal's palette) on standard output.
    pub fn paint(&self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.into()
        }
    }

    /// A heading.
    pub fn bold(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Of less weight.
    pub fn dim(&self, text: &str) -> String {
        self.paint("2", text)
    }
}
