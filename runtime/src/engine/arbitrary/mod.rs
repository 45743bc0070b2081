//! Random programs for tests of engines, and what [`Reference`](synfire_ir::program::Reference) says of them.
//!
//! In: tapes of random words from proptest. Out: a [`Case`] that passes `program::check`, and through [`expected`] all that
//! an engine must report for it. Invariants: every choice reads a tape, and a tape that has run out reads 0, so that
//! shrinking a tape shrinks the program; serial programs always come to rest, since a unit fires a bounded number of times.
//! Deliberately absent: large programs (the reference visits everything unit by unit) and F32 in [`Flavour::Integer`].

mod models;
mod oracle;
mod programs;
mod serial;
mod synapses;

pub use oracle::{Expected, compare, expected, resume};

use super::Stimulus;
use proptest::prelude::*;
use std::sync::Arc;
use synfire_ir::program::Program;

/// Which programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Stepped, integers only: equal bits on every engine.
    Integer,
    /// Stepped, with F32 states, ports, parameters, graded input and analog outputs among the integer ones.
    Float,
    /// As `Integer`, with plastic projections.
    Learning,
    /// As `Float`, with plastic projections.
    LearningFloat,
    /// One event after another, integers only.
    Serial,
}

/// A program and what to run it with.
#[derive(Clone, Debug)]
pub struct Case {
    /// Passes `program::check`.
    pub program: Arc<Program>,
    /// Size of the batch.
    pub samples: u32,
    /// Steps to run.
    pub steps: u32,
    /// Input in the order that engines demand.
    pub input: Stimulus,
}

/// Random cases of a flavour.
pub fn case(flavour: Flavour) -> impl Strategy<Value = Case> {
    let words = |n| prop::collection::vec(any::<u32>(), n);
    (words(60..300), words(100..900), words(100..4000))
        .prop_map(move |(plan, code, data)| from_tapes([plan, code, data], flavour))
}

/// The case that the tapes for the plan of a program, for its code and for its numbers describe.
pub fn from_tapes(words: [Vec<u32>; 3], flavour: Flavour) -> Case {
    let mut tape = Tape {
        words,
        at: [0; 3],
        part: Part::Plan,
    };
    match flavour {
        Flavour::Serial => serial::build(&mut tape),
        Flavour::Integer => programs::build(&mut tape, false, false),
        Flavour::Float => programs::build(&mut tape, true, false),
        Flavour::Learning => programs::build(&mut tape, false, true),
        Flavour::LearningFloat => programs::build(&mut tape, true, true),
    }
}

/// What a choice is about: each has a tape of its own, so that long tables do not starve the plan.
#[derive(Clone, Copy)]
enum Part {
    Plan,
    Code,
    Data,
}

/// A source of choices; reads 0 when the tape of the part in question has run out.
struct Tape {
    words: [Vec<u32>; 3],
    at: [usize; 3],
    part: Part,
}

impl Tape {
    /// Makes choices from the tape of `part` within `f`.
    fn within<T>(&mut self, part: Part, f: impl FnOnce(&mut Tape) -> T) -> T {
        let before = std::mem::replace(&mut self.part, part);
        let made = f(self);
        self.part = before;
        made
    }
    fn word(&mut self) -> u32 {
        let k = self.part as usize;
        self.at[k] += 1;
        self.words[k].get(self.at[k] - 1).copied().unwrap_or(0)
    }
    /// In `0..n`; 0 when `n` is 0.
    fn below(&mut self, n: u32) -> u32 {
        self.word() % n.max(1)
    }
    /// In `lo..=hi`.
    fn between(&mut self, lo: i32, hi: i32) -> i32 {
        lo + self.below((hi - lo + 1) as u32) as i32
    }
    /// True once in `n` times, and never when the tape has run out.
    fn once_in(&mut self, n: u32) -> bool {
        self.below(n) == n - 1
    }
    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }
    /// Mostly small numbers, now and then one at the edge of its range.
    fn number(&mut self) -> i32 {
        match self.below(8) {
            0..=4 => self.between(-8, 40),
            5 => self.between(-3000, 3000),
            6 => self.pick(&[0, 1, -1, i32::MIN, i32::MAX, 31, 32, 255, -32768, 65535]),
            _ => self.word() as i32,
        }
    }
    /// Bits of a tame float.
    fn real(&mut self) -> u32 {
        match self.below(6) {
            0 => self.pick(&[0.0f32, 1.0, -1.0, 0.5, -0.0, 1e-3]).to_bits(),
            1 => (self.between(-2000, 2000) as f32 * 1.7).to_bits(),
            _ => (self.between(-999, 999) as f32 / 300.0).to_bits(),
        }
    }
}
