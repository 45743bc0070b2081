//! Random values of the three levels, drawn from tapes so that shrinking a tape shrinks the value.

pub mod code;
pub mod mapping;
pub mod network;
pub mod program;
pub mod spoil;
pub mod synapse;

use proptest::prelude::*;

/// A source of choices; reads 0 when it has run out.
pub struct Tape {
    words: Vec<u32>,
    at: usize,
}

/// Tapes of at most so many words.
pub fn tape(most: usize) -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 0..most)
}

const NAMES: [&str; 12] = [
    "a",
    "b.c",
    "",
    "two words",
    "1x",
    "dt",
    "inf",
    "line\nand \"quote\" \\",
    "é\u{1}",
    "#3",
    "step",
    "exp",
];

impl Tape {
    pub fn new(words: Vec<u32>) -> Self {
        Tape { words, at: 0 }
    }
    pub fn word(&mut self) -> u32 {
        self.at += 1;
        self.words.get(self.at - 1).copied().unwrap_or(0)
    }
    pub fn long(&mut self) -> u64 {
        (self.word() as u64) << 32 | self.word() as u64
    }
    /// In `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u32) -> u32 {
        self.word() % n.max(1)
    }
    pub fn flip(&mut self) -> bool {
        self.below(2) == 1
    }
    /// Never when the tape has run out.
    pub fn once_in(&mut self, n: u32) -> bool {
        self.below(n) == n - 1
    }
    pub fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len() as u32) as usize]
    }
    /// Mostly small, now and then at the edge of its range.
    pub fn number(&mut self) -> i32 {
        match self.below(6) {
            0..=2 => self.below(40) as i32 - 8,
            3 => self.pick(&[0, 1, -1, i32::MIN, i32::MAX, 31, 32, 255, -32768, 65535]),
            4 => self.below(7000) as i32 - 3000,
            _ => self.word() as i32,
        }
    }
    /// An index that is mostly out of place.
    pub fn index(&mut self) -> u32 {
        match self.below(4) {
            0..=2 => self.below(6),
            _ => self.pick(&[u32::MAX, 65_535, 65_536, 1000]),
        }
    }
    /// Bits of a single; anything.
    pub fn single(&mut self) -> u32 {
        match self.below(5) {
            0 => self.pick(&[0.0f32, 1.0, -1.0, 0.5, -0.0, 1e-3]).to_bits(),
            1 | 2 => ((self.below(2000) as f32 - 999.0) / 256.0).to_bits(),
            3 => self
                .pick(&[f32::NAN, f32::INFINITY, f32::MIN_POSITIVE, 1e30])
                .to_bits(),
            _ => self.word(),
        }
    }
    /// A double that is a number.
    pub fn real(&mut self) -> f64 {
        match self.below(5) {
            0 => self.pick(&[0.0, 1.0, -1.0, 0.5, -0.0, 1e-300, f64::INFINITY]),
            1 | 2 => (self.below(2000) as f64 - 999.0) / 256.0,
            3 => self.word() as f64 * 1e-7,
            _ => Some(f64::from_bits(self.long()))
                .filter(|x| !x.is_nan())
                .unwrap_or(0.1),
        }
    }
    /// A name that may need quotes.
    pub fn name(&mut self) -> String {
        self.pick(&NAMES).to_string()
    }
    pub fn list<T>(&mut self, most: u32, mut f: impl FnMut(&mut Tape) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| f(self)).collect()
    }
}
