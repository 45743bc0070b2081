//! What visits more than one row: modulators, intervals, the end of what waits, and states taken out and put back.

use super::lanes::{Places, Site};
use super::rule::Rule;
use super::{Context, Learner, Lent, Now, inputs::Input, pieces};
use crate::engine::snapshot::Learnt;
use synfire_ir::model::{Block, Ty};
use synfire_ir::synapse::{Place, Seen};

impl Learner {
    /// Lets all rows hear of all spikes of their targets.
    pub fn settle(&mut self, now: Now<'_>, lent: &mut Lent<'_>) {
        if self.posts.len() == 0 {
            return;
        }
        for run in 0..now.lesson.runs() {
            self.catch_up(now, lent, run);
        }
        self.posts.clear();
    }

    /// The rules of modulators that something reached.
    pub(super) fn modulate(&mut self, now: Now<'_>, lent: &mut Lent<'_>) {
        for (k, rule) in now.lesson.modulators.iter().enumerate() {
            if !self.inputs[k].any {
                continue;
            }
            if !rule.is_idle() {
                self.settle(now, lent);
                self.sweep(now, lent, rule, Some(k));
            }
            let block = &now.m.modulators[k].action.target;
            if !block.stores.is_empty() {
                let (first, n, _) = now.lesson.part;
                for t in first as usize..(first + n) as usize {
                    if self.inputs[k].reached[t] {
                        let arg = self.inputs[k].value[t];
                        self.on_target(now, lent, t, block, arg);
                    }
                }
            }
        }
    }

    /// The rules of intervals that end with this step.
    pub(super) fn every(&mut self, now: Now<'_>, lent: &mut Lent<'_>) {
        for (e, rule) in now.m.every.iter().zip(&now.lesson.every) {
            if !(now.step as u64 + 1).is_multiple_of(e.period as u64) {
                continue;
            }
            self.settle(now, lent);
            self.sum(now);
            if !rule.is_idle() {
                self.sweep(now, lent, rule, None);
            }
            if !e.action.source.stores.is_empty() {
                for run in 0..now.lesson.runs() {
                    self.on_row(now, lent, run, &e.action.source);
                }
            }
            if !e.action.target.stores.is_empty() {
                let (first, n, _) = now.lesson.part;
                for t in first as usize..(first + n) as usize {
                    self.on_target(now, lent, t, &e.action.target, 0);
                }
            }
        }
    }

    /// Sums states of synapses for the views that show them, in the order of the layout.
    fn sum(&mut self, now: Now<'_>) {
        for (v, view) in now.m.views.iter().enumerate() {
            let Seen::Total(k) = view.seen else { continue };
            let mut sums = std::mem::take(&mut self.totals[v]);
            sums.clear();
            sums.resize(self.targets.stamp.len(), 0);
            for (place, &t) in now.lesson.targets.iter().enumerate() {
                let word = self.cell(now, k as usize, place, now.step);
                let sum = &mut sums[t as usize];
                *sum = match view.ty {
                    Ty::F32 => (f32::from_bits(*sum) + f32::from_bits(word)).to_bits(),
                    _ => sum.wrapping_add(word),
                };
            }
            self.totals[v] = sums;
        }
    }

    /// Runs a rule on all synapses, or on those whose targets a modulator reached.
    fn sweep(&mut self, now: Now<'_>, lent: &mut Lent<'_>, rule: &Rule, modulator: Option<usize>) {
        let lesson = now.lesson;
        let lanes = lent.regs.lanes();
        let k = modulator.unwrap_or(0);
        let part = lesson.part.0 as usize..(lesson.part.0 + lesson.part.1) as usize;
        let all = |x: &Input| x.reached[part].iter().all(|r| *r);
        let whole = modulator.is_none_or(|k| all(&self.inputs[k]));
        let mut reached = vec![];
        for run in 0..lesson.runs() {
            let places = lesson.places(run);
            if whole {
                for places in pieces(places, lanes) {
                    let site = Site {
                        modulator: k,
                        ..Site::row(run, places)
                    };
                    self.run(now, lent, rule, &site);
                }
                continue;
            }
            let input = &self.inputs[k];
            let hit = |p: &usize| input.reached[lesson.targets[*p] as usize];
            reached.clear();
            reached.extend(places.filter(hit).map(|p| p as u32));
            for places in reached.chunks(lanes) {
                let site = Site {
                    run,
                    places: Places::These(places),
                    entries: None,
                    modulator: k,
                };
                self.run(now, lent, rule, &site);
            }
        }
    }

    /// Runs a block on a row.
    pub(super) fn on_row(&mut self, now: Now<'_>, lent: &Lent<'_>, run: usize, block: &Block) {
        let context = Context {
            neurons: lent.neurons,
            inputs: &self.inputs,
            totals: &self.totals,
            arg: 0,
        };
        let source = now.lesson.source(run);
        self.rows
            .act(now, block, (run, Some(source)), context, &mut self.values);
    }

    /// Runs a block on a target.
    pub(super) fn on_target(
        &mut self,
        now: Now<'_>,
        lent: &Lent<'_>,
        t: usize,
        block: &Block,
        arg: u32,
    ) {
        let context = Context {
            neurons: lent.neurons,
            inputs: &self.inputs,
            totals: &self.totals,
            arg,
        };
        self.targets
            .act(now, block, (t, None), context, &mut self.values);
    }

    /// Puts the words of a state as they stand in the step among those of the whole projection, of which `words` are those
    /// from element `from` on. Nothing may wait.
    pub fn put(&self, now: Now<'_>, k: usize, from: usize, words: &mut [u32]) {
        let lesson = now.lesson;
        let end = from + words.len();
        match now.m.states[k].place {
            Place::Synapse => {
                let before = lesson.number.partition_point(|&n| (n as usize) < from);
                for run in before.saturating_sub(1)..lesson.runs() {
                    let (first, places) = (lesson.number[run] as usize, lesson.places(run));
                    if first >= end {
                        break;
                    }
                    let skip = from.saturating_sub(first).min(places.len());
                    for (i, place) in (first + skip..end).zip(places.skip(skip)) {
                        words[i - from] = self.cell(now, k, place, now.step);
                    }
                }
            }
            Place::Source => {
                let each = (from..).zip(words);
                each.for_each(|(i, w)| *w = self.rows.read(now, k, i));
            }
            Place::Target => {
                let (at, n, low) = lesson.part;
                for i in from.max(low as usize)..end.min((low + n) as usize) {
                    words[i - from] = self.targets.read(now, k, at as usize + i - low as usize);
                }
            }
        }
    }

    /// Copies what was learned, as it was stored, between this tile and the whole projection. Nothing may wait.
    pub fn exchange(&mut self, now: Now<'_>, with: &mut Learnt, copy: impl Fn(&mut u32, &mut u32)) {
        let lesson = now.lesson;
        let (at, n, low) = lesson.part;
        let [of_rows, of_targets, of_cells] = &mut with.stamps;
        let synapses = |own: &mut Vec<u32>, all: &mut [u32]| {
            if own.is_empty() {
                return;
            }
            for run in 0..lesson.runs() {
                for (i, place) in (lesson.number[run] as usize..).zip(lesson.places(run)) {
                    copy(&mut own[place], &mut all[i]);
                }
            }
        };
        let rows = |own: &mut [u32], all: &mut [u32]| {
            (own.iter_mut().zip(all)).for_each(|(a, b)| copy(a, b));
        };
        let targets = |own: &mut Vec<u32>, all: &mut [u32]| {
            let own = &mut own[at as usize..(at + n) as usize];
            let all = &mut all[low as usize..(low + n) as usize];
            (own.iter_mut().zip(all)).for_each(|(a, b)| copy(a, b));
        };
        for (k, (cell, all)) in now.m.states.iter().zip(&mut with.states).enumerate() {
            match cell.place {
                Place::Synapse => synapses(&mut self.cells.words[k], all),
                Place::Source => rows(&mut self.rows.words[k], all),
                Place::Target => targets(&mut self.targets.words[k], all),
            }
        }
        rows(&mut self.rows.stamp, of_rows);
        targets(&mut self.targets.stamp, of_targets);
        synapses(&mut self.cells.stamp, of_cells);
    }
}
