//! States of one side of a plastic projection, rows or targets: words as last stored, with the step of that.
//!
//! In: blocks on single rows or targets. Out: words as they stand in a step. All traces of a side may be brought to the
//! present at once, which pays when many synapses read them in one step.

use super::{Context, Now};
use synfire_ir::eval::{Reads, kept, run_block};
use synfire_ir::model::{Block, Width};
use synfire_ir::synapse::{Place, Seen, Synapse};
use synfire_kernels::cpu::Isa;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces {
    /// By state of the model; empty where it lives elsewhere.
    pub words: Vec<Vec<u32>>,
    /// Step of the last store to a decaying state.
    pub stamp: Vec<u32>,
    /// Decaying `words` in the step `fresh`.
    now: Vec<Vec<u32>>,
    fresh: Option<u32>,
}

/// Has a word of that width 32 bits?
pub(super) fn whole(width: Width) -> bool {
    matches!(width, Width::F32 | Width::I32 | Width::U32 | Width::Bool)
}

impl Traces {
    pub fn new(m: &Synapse, place: Place, n: usize, word: impl Fn(usize, usize) -> u32) -> Self {
        let column = |k: usize| match m.states[k].place == place {
            true => (0..n).map(|i| word(k, i)).collect(),
            false => vec![],
        };
        Traces {
            words: (0..m.states.len()).map(column).collect(),
            stamp: vec![0; n],
            now: vec![vec![]; m.states.len()],
            fresh: None,
        }
    }

    pub fn read(&self, now: Now<'_>, k: usize, i: usize) -> u32 {
        self.read_in(now, k, i, now.step)
    }

    /// State `k` of an element in a step since the last store.
    pub fn read_in(&self, now: Now<'_>, k: usize, i: usize, step: u32) -> u32 {
        let word = self.words[k][i];
        match &now.lesson.falls[k] {
            Some(fall) => {
                let steps = step.wrapping_sub(self.stamp[i]);
                kept(fall.one(word, steps), now.m.states[k].width)
            }
            None => word,
        }
    }

    /// State `k` of an element in each of the steps from `first` on.
    pub fn along(
        &self,
        isa: Isa,
        now: Now<'_>,
        (k, i): (usize, usize),
        first: u32,
        out: &mut [u32],
    ) {
        let (word, width) = (self.words[k][i], now.m.states[k].width);
        match &now.lesson.falls[k] {
            Some(fall) => fall.along(isa, word, first.wrapping_sub(self.stamp[i]), out),
            None => out.fill(word),
        }
        if !whole(width) {
            out.iter_mut().for_each(|w| *w = kept(*w, width));
        }
    }

    /// Brings the states `which` of all elements to the present.
    pub fn bring(&mut self, isa: Isa, now: Now<'_>, which: impl Iterator<Item = usize>) {
        if self.fresh == Some(now.step) {
            return;
        }
        self.fresh = Some(now.step);
        self.now.iter_mut().for_each(Vec::clear);
        for k in which {
            let Some(fall) = &now.lesson.falls[k] else {
                continue;
            };
            let width = now.m.states[k].width;
            let (words, to) = (&self.words[k], &mut self.now[k]);
            to.resize(words.len(), 0);
            fall.each(isa, words, &self.stamp, now.step, to);
            if !whole(width) {
                to.iter_mut().for_each(|w| *w = kept(*w, width));
            }
        }
    }

    /// All words of a state as they stand in the step, if they are at hand.
    pub fn present(&self, now: Now<'_>, k: usize) -> Option<&[u32]> {
        match (&now.lesson.falls[k], self.fresh == Some(now.step)) {
            (None, _) => Some(&self.words[k]),
            (Some(_), true) => Some(&self.now[k]).filter(|v| !v.is_empty()).map(|v| &**v),
            _ => None,
        }
    }

    /// Runs a block on one element.
    pub fn act(
        &mut self,
        now: Now<'_>,
        block: &Block,
        (i, source): (usize, Option<u32>),
        context: Context<'_>,
        values: &mut Vec<u32>,
    ) {
        if block.stores.is_empty() {
            return;
        }
        let of = Element {
            now,
            of: self,
            i,
            source,
            context,
        };
        run_block(block, &of, values);
        let decays = |k: usize| now.m.states[k].decay.is_some();
        if block.stores.iter().any(|s| decays(s.0 as usize)) {
            for k in (0..self.words.len()).filter(|&k| decays(k)) {
                if !self.words[k].is_empty() {
                    self.words[k][i] = self.read(now, k, i);
                }
            }
            self.stamp[i] = now.step;
        }
        for &(k, v) in &block.stores {
            let word = kept(values[v as usize], now.m.states[k as usize].width);
            self.words[k as usize][i] = word;
        }
        if self.fresh == Some(now.step) {
            for k in 0..self.words.len() {
                if !self.now[k].is_empty() {
                    self.now[k][i] = self.read(now, k, i);
                }
            }
        }
    }
}

/// A row or a target alone; `i` counts targets from the tile's first unit.
struct Element<'a> {
    now: Now<'a>,
    of: &'a Traces,
    i: usize,
    /// The unit of a row.
    source: Option<u32>,
    context: Context<'a>,
}

impl Reads for Element<'_> {
    fn param(&self, i: u16) -> u32 {
        self.now.x.params[i as usize]
    }
    fn state(&self, k: u16) -> u32 {
        let c = &self.context;
        match self.now.m.view(k).map(|v| v.seen) {
            None => match self.of.words.get(k as usize) {
                Some(w) if !w.is_empty() => self.of.read(self.now, k as usize, self.i),
                _ => 0,
            },
            Some(Seen::Source(s)) => {
                let group = self.now.pr.source;
                (self.source).map_or(0, |unit| c.neurons.word(group, s, unit))
            }
            Some(Seen::Target(s)) => c.neurons.column(self.now.lesson.tile, s)[self.i],
            Some(Seen::Total(_)) => {
                let v = k as usize - self.now.m.states.len();
                c.totals.get(v).map_or(0, |t| t[self.i])
            }
        }
    }
    fn port(&self, k: u16) -> u32 {
        (self.context.inputs.get(k as usize)).map_or(0, |x| x.value[self.i])
    }
    fn arg(&self) -> u32 {
        self.context.arg
    }
    fn step(&self) -> u32 {
        self.now.step
    }
    fn index(&self) -> u32 {
        0
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}
