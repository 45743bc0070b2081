//! Lines with indentation.

use std::fmt::{Display, Write as _};

/// Values of an array on one line.
const PER_LINE: usize = 16;

/// Collects lines.
#[derive(Default)]
pub(crate) struct Printer {
    out: String,
    depth: usize,
}

impl Printer {
    /// A line.
    pub fn line(&mut self, text: impl Display) {
        self.indent();
        let _ = writeln!(self.out, "{text}");
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    /// An empty line and then each value, if there are any.
    pub fn section<T>(&mut self, values: &[T], f: impl Fn(&mut Self, &T)) {
        if !values.is_empty() {
            self.blank();
        }
        values.iter().for_each(|v| f(self, v));
    }

    /// A line that ends in an open brace.
    pub fn open(&mut self, text: impl Display) {
        self.indent();
        let _ = writeln!(self.out, "{text} {{");
        self.depth += 1;
    }

    /// The brace that closes it.
    pub fn close(&mut self) {
        self.close_with("");
    }

    /// As [`Self::close`], with something after the brace.
    pub fn close_with(&mut self, text: impl Display) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        let _ = writeln!(self.out, "}}{text}");
    }

    /// `head [a, b, ...]`, on several lines when there are many.
    pub fn array<T: Display>(&mut self, head: impl Display, values: impl Iterator<Item = T>) {
        self.array_by(head, PER_LINE, values);
    }

    /// As [`Self::array`], with so many values a line.
    pub fn array_by<T: Display>(
        &mut self,
        head: impl Display,
        width: usize,
        values: impl Iterator<Item = T>,
    ) {
        self.indent();
        let _ = write!(self.out, "{head} [");
        let mut values = values.enumerate().peekable();
        let mut broken = false;
        let mut row = String::new();
        while let Some((k, v)) = values.next() {
            let _ = write!(row, "{v}");
            let more = values.peek().is_some();
            if more {
                row.push_str(", ");
            }
            if more && (k + 1).is_multiple_of(width.max(1)) {
                broken = true;
                self.row(&row);
                row.clear();
            }
        }
        if broken {
            self.row(&row);
            self.out.push('\n');
            self.indent();
        } else {
            self.out.push_str(&row);
        }
        self.out.push_str("]\n");
    }

    fn row(&mut self, row: &str) {
        self.out.push('\n');
        self.depth += 1;
        self.indent();
        self.depth -= 1;
        self.out.push_str(row.trim_end());
    }

    fn indent(&mut self) {
        (0..self.depth).for_each(|_| self.out.push_str("  "));
    }

    /// The text so far.
    pub fn finish(self) -> String {
        self.out
    }
}
