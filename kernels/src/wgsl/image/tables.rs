//! The `tables` buffer while it is written.

use crate::wgsl::shape::T_SIZE;

/// Words, with the header first.
#[derive(Clone, Debug)]
pub struct Tables {
    /// The words.
    pub words: Vec<u32>,
}

impl Tables {
    /// The header alone.
    pub fn new() -> Self {
        Tables {
            words: vec![0; T_SIZE as usize],
        }
    }

    /// Appends words and gives the offset of the first.
    pub fn push(&mut self, words: &[u32]) -> u32 {
        let at = self.words.len() as u32;
        self.words.extend(words);
        at
    }

    /// Sets a word.
    pub fn set(&mut self, at: u32, word: u32) {
        self.words[at as usize] = word;
    }
}
