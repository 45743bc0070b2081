//! Collecting violations without drowning in them.
//!
//! A configuration of a million neurons can break one rule a million times. [`Report`] keeps the first few diagnostics of each rule in full and says
//! at the end how many more there were; memory stays small whatever the input.

use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics};

/// Diagnostics of one rule that are kept in full.
const KEPT: u64 = 8;

/// Violations under way.
#[derive(Debug, Default)]
pub struct Report {
    list: Diagnostics,
    counts: BTreeMap<&'static str, (u64, String)>,
}

impl Report {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a violation of `rule` (a word that stays the same for all its violations); `make` is called only for the first few.
    pub fn add(&mut self, rule: &'static str, make: impl FnOnce() -> Diagnostic) {
        match self.counts.get_mut(rule) {
            Some((n, _)) if *n >= KEPT => *n += 1,
            Some((n, _)) => {
                *n += 1;
                self.list.push(make());
            }
            None => {
                let d = make();
                self.counts.insert(rule, (1, d.code.clone()));
                self.list.push(d);
            }
        }
    }

    /// Adds what another check found, in full.
    pub fn extend(&mut self, other: Diagnostics) {
        self.list.extend(other);
    }

    /// Is there an error so far?
    pub fn has_errors(&self) -> bool {
        self.list.has_errors()
    }

    /// Everything found, with a note for each rule that was broken more often than is listed.
    pub fn finish(mut self) -> Diagnostics {
        for (rule, (n, code)) in &self.counts {
            if *n > KEPT {
                let more = n - KEPT;
                let text = format!("{more} more of the same kind ({rule}) are not listed");
                self.list.push(
                    Diagnostic::note_of(code, text)
                        .field("rule", rule)
                        .field("count", n),
                );
            }
        }
        self.list
    }
}
