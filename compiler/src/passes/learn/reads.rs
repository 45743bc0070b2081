//! Blocks of a synapse model run with stated values.

use crate::plastic::Settled;
use synfire_ir::eval::{Reads, kept, run_block};
use synfire_ir::model::{Block, Op};

/// States and views that a block reads, ascending.
pub(super) fn reads(block: &Block) -> Vec<u16> {
    let states = block.insts.iter().filter_map(|i| match i.op {
        Op::State(k) => Some(k),
        _ => None,
    });
    let mut all: Vec<u16> = states.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A synapse as it stands, with its ends.
pub(super) struct Reader<'a> {
    s: &'a Settled,
    /// States, then views.
    words: Vec<u32>,
    values: Vec<u32>,
}

impl<'a> Reader<'a> {
    /// All states as at the start, all views 0.
    pub fn new(s: &'a Settled) -> Reader<'a> {
        let mut words = s.init.clone();
        words.resize(s.model.states.len() + s.model.views.len(), 0);
        Reader {
            s,
            words,
            values: vec![],
        }
    }

    /// Sets a state or view to a whole number.
    pub fn set(&mut self, state: u16, value: i64) {
        if let Some(w) = self.words.get_mut(usize::from(state)) {
            *w = value as u32;
        }
    }

    /// Runs a block; what it stores stands afterwards.
    pub fn run(&mut self, block: &Block) {
        let mut values = std::mem::take(&mut self.values);
        run_block(block, self, &mut values);
        for &(state, v) in &block.stores {
            let k = usize::from(state);
            if let (Some(slot), Some(cell)) = (self.words.get_mut(k), self.s.model.states.get(k)) {
                *slot = kept(values.get(v as usize).copied().unwrap_or(0), cell.width);
            }
        }
        self.values = values;
    }

    /// A state as a whole number.
    pub fn now(&self, state: u16) -> i64 {
        let word = self.words.get(usize::from(state)).copied();
        i64::from(word.unwrap_or(0) as i32)
    }

    /// What the block that ran last emitted, as a whole number.
    pub fn emitted(&self, block: &Block) -> Option<i64> {
        let word = self.values.get(block.emit? as usize)?;
        Some(i64::from(*word as i32))
    }
}

impl Reads for Reader<'_> {
    fn param(&self, i: u16) -> u32 {
        self.s.params.get(usize::from(i)).copied().unwrap_or(0)
    }
    fn state(&self, i: u16) -> u32 {
        self.words.get(usize::from(i)).copied().unwrap_or(0)
    }
    fn port(&self, _: u16) -> u32 {
        0
    }
    fn arg(&self) -> u32 {
        0
    }
    fn step(&self) -> u32 {
        0
    }
    fn index(&self) -> u32 {
        0
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}
