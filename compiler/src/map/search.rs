//! How to search for a good mapping, and how long: until the user stops it or a time is over. Searches look at the budget between steps of some milliseconds and keep
//! what they have; without a time limit nothing here depends on the clock.

use std::time::{Duration, Instant};
use synfire_ir::{Progress, Quiet};

/// How long a search may go on.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    end: Option<Instant>,
    progress: &'a dyn Progress,
}

impl<'a> Budget<'a> {
    /// So long from now; `None`: as long as it takes.
    pub fn new(limit: Option<Duration>, progress: &'a dyn Progress) -> Budget<'a> {
        Budget {
            end: limit.and_then(|d| Instant::now().checked_add(d)),
            progress,
        }
    }

    /// Is it over?
    pub fn over(&self) -> bool {
        self.end.is_some_and(|e| Instant::now() >= e) || self.progress.cancelled()
    }

    /// Tells how far a stage is.
    pub fn tell(&self, what: &str, done: u64, total: u64) {
        self.progress.report(what, done, total);
    }
}

/// How to search.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Effort, 0 (in order) to 3.
    pub opt: usize,
    /// Seed of every random choice.
    pub seed: u64,
    /// Searches at a time; the result does not depend on it.
    pub threads: usize,
    /// When to stop.
    pub budget: Budget<'a>,
}

impl Search<'static> {
    /// One thread, no time limit.
    pub fn new(opt: usize, seed: u64) -> Search<'static> {
        Search {
            opt,
            seed,
            threads: 1,
            budget: Budget::new(None, &Quiet),
        }
    }
}
