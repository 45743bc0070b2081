//! Text of ranges of units, `first..end`; and of delays, `d` and a number of steps.

use super::RANGE;
use super::scan::Scanner;
use crate::diag::Diagnostics;
use crate::program::Range;
use std::fmt;

/// Prints a range.
pub(crate) struct Shown(pub Range);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.start as u64 + self.0.len as u64;
        write!(f, "{}..{end}", self.0.start)
    }
}

/// `[first..end]`.
pub(crate) fn read(s: &mut Scanner) -> Result<Range, Diagnostics> {
    s.mark("[")?;
    let start: u32 = s.int("the first unit")?;
    s.mark("..")?;
    let at = s.mark_here();
    let end: u64 = s.int("the end of the units")?;
    let len = end.checked_sub(start as u64);
    let Some(len) = len.and_then(|n| u32::try_from(n).ok()) else {
        return Err(s
            .fault_at(at, RANGE, format!("{start}..{end} is not a range of units"))
            .hint("the end is not below the start, and at most 2^32 - 1 above it")
            .into());
    };
    s.mark("]")?;
    Ok(Range { start, len })
}

impl Scanner<'_> {
    /// A delay.
    pub fn delay(&mut self) -> Result<u16, Diagnostics> {
        self.choice("a delay such as `d1` (at most `d65535`)", |w| {
            w.strip_prefix('d')?.parse().ok()
        })
    }

    /// Is the word next?
    pub fn word_is(&self, word: &str) -> bool {
        self.peek() == super::Token::Word(word)
    }

    /// Is the mark next?
    pub fn at(&self, mark: &'static str) -> bool {
        self.peek() == super::Token::Mark(mark)
    }
}
