//! Running a rule over synapses of one row.
//!
//! In: a rule, and which synapses: a stretch of the row in this step, or single ones with an entry of [`super::posts`] each,
//! in the step of that entry. Out: their new states. Invariant: everything is read before anything is stored.

use super::rule::{Read, Rule};
use super::traces::whole;
use super::{Learner, Lent, Now};
use std::ops::Range;
use synfire_ir::eval::kept;
use synfire_ir::rng;
use synfire_ir::synapse::Place;
use synfire_kernels::cpu::{Noise, Src, Units, Words};

/// Synapses by their places in the lesson.
#[derive(Clone, Debug)]
pub(super) enum Places<'s> {
    Row(Range<usize>),
    These(&'s [u32]),
}

/// Where a rule runs.
#[derive(Clone, Debug)]
pub(super) struct Site<'s> {
    pub run: usize,
    pub places: Places<'s>,
    /// For each synapse the spike of its target that it hears of.
    pub entries: Option<&'s [u32]>,
    /// The modulator whose rule it is.
    pub modulator: usize,
}

impl<'s> Site<'s> {
    pub fn row(run: usize, places: Range<usize>) -> Self {
        Site {
            run,
            places: Places::Row(places),
            entries: None,
            modulator: 0,
        }
    }

    pub fn len(&self) -> usize {
        match &self.places {
            Places::Row(r) => r.len(),
            Places::These(v) => v.len(),
        }
    }

    fn place(&self, i: usize) -> usize {
        match &self.places {
            Places::Row(r) => r.start + i,
            Places::These(v) => v[i] as usize,
        }
    }

    /// Collects a word of each synapse, by its place.
    fn each(&self, out: &mut Vec<u32>, word: impl Fn(usize) -> u32) {
        out.clear();
        match &self.places {
            Places::Row(r) => out.extend(r.clone().map(word)),
            Places::These(v) => out.extend(v.iter().map(|&p| word(p as usize))),
        }
    }

    /// Collects a word of each synapse's target.
    fn targets(&self, out: &mut Vec<u32>, targets: &[u16], word: impl Fn(usize) -> u32) {
        out.clear();
        match &self.places {
            Places::Row(r) => out.extend(targets[r.clone()].iter().map(|&t| word(t as usize))),
            Places::These(v) => out.extend(v.iter().map(|&p| word(targets[p as usize] as usize))),
        }
    }
}

/// What a leaf was filled with.
#[derive(Clone, Copy, Debug)]
enum Filled {
    One(u32),
    /// The buffer of the leaf.
    Buffer,
    /// The state itself.
    State(usize),
}

/// States of single synapses.
#[derive(Clone, Debug, Default)]
pub(super) struct Cells {
    /// By state of the model; empty where it lives elsewhere.
    pub words: Vec<Vec<u32>>,
    /// Step of the last store to a decaying state; empty if none decays.
    pub stamp: Vec<u32>,
}

/// Room for leaves.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    leaves: Vec<Vec<u32>>,
    filled: Vec<Filled>,
    steps: Vec<u32>,
    stored: Vec<u32>,
}

impl Learner {
    /// Runs a rule; what it emits is left in the registers.
    pub(super) fn run(&mut self, now: Now<'_>, lent: &mut Lent<'_>, rule: &Rule, site: &Site<'_>) {
        let mut room = std::mem::take(&mut self.room);
        room.filled.clear();
        while room.leaves.len() < rule.reads.len() {
            room.leaves.push(vec![]);
        }
        for (i, (read, to)) in rule.reads.iter().zip(&mut room.leaves).enumerate() {
            room.filled.push(self.fill(now, lent, (i, *read), site, to));
        }
        let n = site.len();
        {
            let leaves: Vec<Words<'_>> = room
                .filled
                .iter()
                .zip(&room.leaves)
                .map(|(f, buffer)| match (f, &site.places) {
                    (Filled::One(w), _) => Words::One(*w),
                    (Filled::State(k), Places::Row(r)) => {
                        Words::Many(&self.cells.words[*k][r.clone()])
                    }
                    _ => Words::Many(buffer),
                })
                .collect();
            let at = (Units::From(0), &Noise::default());
            rule.kernel
                .run(lent.isa, lent.regs, (&leaves, &rule.scalars), at, n);
        }
        if !rule.is_idle() {
            self.store(now, lent, rule, site, &mut room);
        }
        self.room = room;
    }

    /// Fills a leaf.
    fn fill(
        &self,
        now: Now<'_>,
        lent: &Lent<'_>,
        (leaf, read): (usize, Read),
        site: &Site<'_>,
        to: &mut Vec<u32>,
    ) -> Filled {
        let lesson = now.lesson;
        let of_target = matches!(read, Read::Cell(k) if now.m.states[k].place == Place::Target)
            || matches!(read, Read::Target(_) | Read::Input(_));
        if let Some(entries) = site.entries.filter(|_| of_target) {
            let words = &self.posts.words[leaf];
            to.clear();
            to.extend(entries.iter().map(|&e| words[e as usize]));
            return Filled::Buffer;
        }
        let by_target = |to: &mut Vec<u32>, words: &[u32]| {
            site.targets(to, &lesson.targets, |t| words[t]);
        };
        match read {
            Read::Cell(k) => return self.fill_state(now, k, site, to),
            Read::Source(s) => {
                let unit = lesson.source(site.run);
                return Filled::One(lent.neurons.word(now.pr.source, s, unit));
            }
            Read::Target(s) => by_target(to, lent.neurons.column(lesson.tile, s)),
            Read::Total(v) => by_target(to, &self.totals[v]),
            Read::Input(k) => by_target(to, &self.inputs[k].value),
            Read::Arg => by_target(to, &self.inputs[site.modulator].value),
            Read::Step => match site.entries {
                None => return Filled::One(now.step),
                Some(entries) => {
                    to.clear();
                    to.extend(entries.iter().map(|&e| self.posts.step[e as usize]));
                }
            },
            Read::Index => {
                let (first, start) = (lesson.number[site.run], lesson.start[site.run]);
                site.each(to, |p| first + (p as u32 - start));
            }
            Read::Rand(k) => {
                let (first, start) = (lesson.number[site.run], lesson.start[site.run]);
                let word = |i: usize| {
                    let step = self.step_at(now, site, i);
                    let number = first + (site.place(i) as u32 - start);
                    let element = now.x.base.wrapping_add(number);
                    rng::word(
                        now.seed,
                        rng::PLASTICITY,
                        k as u32,
                        now.sample,
                        step,
                        element,
                    )
                };
                to.clear();
                to.extend((0..site.len()).map(word));
            }
        }
        Filled::Buffer
    }

    fn step_at(&self, now: Now<'_>, site: &Site<'_>, i: usize) -> u32 {
        site.entries
            .map_or(now.step, |e| self.posts.step[e[i] as usize])
    }

    fn fill_state(&self, now: Now<'_>, k: usize, site: &Site<'_>, to: &mut Vec<u32>) -> Filled {
        let lesson = now.lesson;
        let row = site.run;
        match now.m.states[k].place {
            Place::Synapse => match (&lesson.falls[k], &site.places) {
                (None, Places::Row(_)) => return Filled::State(k),
                (None, _) => site.each(to, |p| self.cells.words[k][p]),
                (Some(_), _) => {
                    let word = |i| self.cell(now, k, site.place(i), self.step_at(now, site, i));
                    to.clear();
                    to.extend((0..site.len()).map(word));
                }
            },
            Place::Source => match site.entries {
                None => return Filled::One(self.rows.read(now, k, row)),
                Some(entries) => {
                    let (first, words) = (self.span.0, &self.span.1[k]);
                    let steps = entries.iter().map(|&e| self.posts.step[e as usize]);
                    to.clear();
                    match words.is_empty() {
                        false => to.extend(steps.map(|s| words[s.wrapping_sub(first) as usize])),
                        true => to.extend(steps.map(|s| self.rows.read_in(now, k, row, s))),
                    }
                }
            },
            Place::Target => match self.targets.present(now, k) {
                Some(words) => site.targets(to, &lesson.targets, |t| words[t]),
                None => site.targets(to, &lesson.targets, |t| self.targets.read(now, k, t)),
            },
        }
        Filled::Buffer
    }

    /// A state of a synapse as it stands in a step.
    pub(super) fn cell(&self, now: Now<'_>, k: usize, place: usize, step: u32) -> u32 {
        let word = self.cells.words[k][place];
        match &now.lesson.falls[k] {
            Some(fall) => {
                let steps = step.wrapping_sub(self.cells.stamp[place]);
                kept(fall.one(word, steps), now.m.states[k].width)
            }
            None => word,
        }
    }

    fn store(
        &mut self,
        now: Now<'_>,
        lent: &Lent<'_>,
        rule: &Rule,
        site: &Site<'_>,
        room: &mut Buffers,
    ) {
        let n = site.len();
        if rule.restarts {
            room.steps.clear();
            room.steps
                .extend((0..n).map(|i| self.step_at(now, site, i)));
            for k in 0..now.m.states.len() {
                if self.cells.words[k].is_empty() || now.lesson.falls[k].is_none() {
                    continue;
                }
                for (i, &step) in room.steps.iter().enumerate() {
                    let place = site.place(i);
                    self.cells.words[k][place] = self.cell(now, k, place, step);
                }
            }
            for (i, &step) in room.steps.iter().enumerate() {
                self.cells.stamp[site.place(i)] = step;
            }
        }
        for &(k, src) in &rule.stores {
            let new = rule.kernel.value(lent.regs, &rule.scalars, src, n);
            let width = now.m.states[k].width;
            let new = match (new, whole(width)) {
                (new, true) => new,
                (Words::One(w), _) => Words::One(kept(w, width)),
                (Words::Many(v), _) => {
                    room.stored.clear();
                    room.stored.extend(v.iter().map(|&w| kept(w, width)));
                    Words::Many(&room.stored)
                }
            };
            let words = &mut self.cells.words[k];
            match (&site.places, new) {
                (Places::Row(r), Words::Many(v)) => words[r.clone()].copy_from_slice(v),
                (Places::Row(r), Words::One(w)) => words[r.clone()].fill(w),
                (Places::These(places), new) => match new {
                    Words::Many(v) => {
                        (places.iter().zip(v)).for_each(|(&p, &w)| words[p as usize] = w)
                    }
                    Words::One(w) => places.iter().for_each(|&p| words[p as usize] = w),
                },
            }
        }
    }
}

/// What the last run of a rule emitted, over `n` synapses.
pub(super) fn emitted<'r>(
    rule: &Rule,
    lent: &'r Lent<'_>,
    n: usize,
    to: &'r mut Vec<u32>,
) -> Words<'r> {
    let Some(emit) = rule.kernel.emit() else {
        return Words::One(0);
    };
    let words = value(rule, lent, emit.src, n);
    if !emit.spikes {
        return words;
    }
    // The register holds a condition.
    to.clear();
    to.extend((0..n).map(|i| (words.get(i) != 0) as u32));
    Words::Many(to)
}

fn value<'r>(rule: &Rule, lent: &'r Lent<'_>, src: Src, n: usize) -> Words<'r> {
    rule.kernel.value(lent.regs, &rule.scalars, src, n)
}
