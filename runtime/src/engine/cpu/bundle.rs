//! Bundles: the synapses of one source group into an arena, which holds the accumulators of many ports of one worker.
//!
//! In: sparse rows of projections that share their source group, delays and kind of weights. Out: a [`Bundle`], rows by
//! (source, delay) with u16 places of the arena, and the delivery of what falls due. A row serves all target groups of a
//! worker at once, so that it is long where rows of single projections would be short. Rows with one weight and one delay
//! that are dense enough are bits instead, and long rows of several delays with weights of 16 bits are a stream.
//!
//! Invariant: rows are walked by source ascending, then older first. A bundle holds at most one projection of each port
//! whose arrivals are float sums; where the order within it is not kept (bits), all addends are equal.

use super::member::{Member, Part};
use super::pieces::{Payload, Timing};
use super::rows::Narrow;
use super::spikes::History;
use super::window::Window;
use std::ops::Range;
use synfire_kernels::cpu::Isa;
use synfire_kernels::cpu::counted::{Bitmap, Tally};
use synfire_kernels::cpu::deliver::{Fold, Row, scatter, touch};
use synfire_kernels::cpu::stream::{At, LONGEST, REACH, Rider, Stream, ride_floats, ride_integers};

/// Bits for one synapse at most: as many as a target takes.
pub(super) const MOST_BITS: usize = 16;

/// A tile of sources and the number of its first unit in the source group.
#[derive(Clone, Copy, Debug)]
pub(super) struct From {
    pub tile: usize,
    pub start: u32,
}

/// What all members of a bundle have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub source: u32,
    pub arena: usize,
    pub fold: Fold,
    pub payload: Payload,
    pub weights: WeightKind,
    /// The delay, if all synapses have the same.
    pub delay: Option<u16>,
}

/// Kinds of weights that one bundle can hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum WeightKind {
    Uniform(u32),
    I8,
    I16,
    I32,
    F32,
    /// 16 bits and the bits of what 1 is worth.
    Scaled(u32),
}

/// The synapses of a bundle.
#[derive(Clone, Debug)]
enum Synapses {
    Rows {
        targets: Vec<u16>,
        weights: Narrow,
    },
    /// One bit a target, and what a row holds more than once as rows of their own (`start`, `targets`).
    Bits {
        map: Bitmap,
        weight: u32,
        more: (Vec<u32>, Vec<u16>),
    },
    /// Rows one after another, and where those of each source begin; their places count from the beginning of the arena.
    Stream {
        rows: Stream,
        first: Vec<u32>,
    },
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub kind: Kind,
    /// All tiles of the source group, ascending.
    pub from: Vec<From>,
    /// Part of the arena that it writes.
    pub range: Range<usize>,
    /// Sources that have rows, as units of the group.
    sources: Range<u32>,
    /// Delays: this and so many more.
    pub least: u16,
    delays: usize,
    /// Row of source `s` and delay `least + d`: synapses `start[s * delays + d]..` to the next. Empty for streams.
    start: Vec<u32>,
    synapses: Synapses,
}

/// A row that falls due and the factor of its weights.
pub(super) type Due = (u32, u32);

/// Buffers of delivery.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    due: Vec<Due>,
    rows: Vec<u32>,
    tally: Tally,
}

impl Bundle {
    /// Lays out the rows of the members, whose delays lie in `delays`; `None` if they have no synapses. Rows of `long` synapses
    /// on average may be a stream.
    pub fn new(
        kind: Kind,
        from: Vec<From>,
        (least, most): (u16, u16),
        members: &[Member<'_>],
        long: u64,
    ) -> Option<Bundle> {
        let end = |m: &Member| m.at + m.len();
        let range = members.iter().map(|m| m.at).min()?..members.iter().map(end).max()?;
        let last = |m: &Member| m.first + m.count;
        let sources = members.iter().map(|m| m.first).min()?..members.iter().map(last).max()?;
        let parts: Vec<Part> = members.iter().map(Part::new).collect();
        let members = &parts[..];
        let mut out = Bundle {
            kind,
            from,
            range: range.start as usize..range.end as usize,
            sources,
            least,
            delays: (most - least) as usize + 1,
            start: vec![],
            synapses: Synapses::Rows {
                targets: vec![],
                weights: Narrow::default(),
            },
        };
        out.count(members);
        if out.synapses() == 0 {
            return None;
        }
        out.synapses = match kind.weights {
            WeightKind::Uniform(w) if out.dense() => out.bits(members, w),
            WeightKind::I16 | WeightKind::Scaled(_) if out.long(long) => out.stream(members),
            _ => out.rows(members),
        };
        Some(out)
    }

    fn index(&self, source: u32, delay: u16) -> usize {
        (source - self.sources.start) as usize * self.delays + (delay - self.least) as usize
    }

    /// Sets `start` to where each row begins.
    fn count(&mut self, members: &[Part<'_>]) {
        let rows = self.sources.len() * self.delays;
        let mut start = vec![0u32; rows + 1];
        for m in members {
            m.each(|s, d, run| start[self.index(s, d) + 1] += run.len() as u32);
        }
        let mut at = 0;
        for n in &mut start {
            at += *n;
            *n = at;
        }
        self.start = start;
    }

    /// Synapses of all rows.
    pub fn synapses(&self) -> u64 {
        self.start.last().map_or(0, |&n| n as u64)
    }

    fn dense(&self) -> bool {
        self.delays == 1
            && Bitmap::bytes(self.sources.len(), self.range.len()) * 8
                <= MOST_BITS * self.synapses() as usize
    }

    /// Words of a stream of its rows.
    fn stream_length(&self) -> usize {
        let rows = self.start.windows(2);
        rows.map(|r| Stream::length((r[1] - r[0]) as usize)).sum()
    }

    /// Can its rows be a stream, of `least` synapses on average?
    fn long(&self, least: u64) -> bool {
        let rows = (self.sources.len() * self.delays) as u64;
        let most = self.start.windows(2).map(|r| r[1] - r[0]).max();
        self.delays > 1
            && self.synapses() >= least * rows
            && most.is_some_and(|n| n as usize <= LONGEST)
            && u32::try_from(self.stream_length()).is_ok()
    }

    /// The rows as a stream; `start` is not needed any more.
    fn stream(&mut self, members: &[Part<'_>]) -> Synapses {
        let start = std::mem::take(&mut self.start);
        let lengths = start.windows(2).map(|r| (r[1] - r[0]) as usize);
        let mut rows = Stream::new(lengths.clone());
        // Where each row begins, and how much of it is there.
        let mut begin = Vec::with_capacity(start.len());
        let mut at = 0;
        begin.extend(lengths.map(|n| {
            let begins = at as u32;
            at += Stream::length(n);
            begins
        }));
        let first = begin.iter().step_by(self.delays).copied().collect();
        let mut there = vec![0u32; begin.len()];
        for m in members {
            let shift = m.at();
            m.each(|s, d, run| {
                let row = self.index(s, d);
                let (at, mut i) = (begin[row] as usize, there[row] as usize);
                m.short(run, |t, w| {
                    rows.put(at, i, (t + shift) as u16, w);
                    i += 1;
                });
                there[row] = i as u32;
            });
        }
        Synapses::Stream { rows, first }
    }

    /// The row of a source that is due `late` steps after the first, if its rows are a stream.
    pub fn row_of(&self, source: u32, late: u32) -> Option<At> {
        let Synapses::Stream { rows, first } = &self.synapses else {
            return None;
        };
        let inside = self.sources.contains(&source);
        let i = inside.then(|| source - self.sources.start)?;
        let row = rows.row(first[i as usize]);
        Some((0..late).fold(row, |row, _| rows.after(row)))
    }

    /// Do spikes ride on its rows?
    pub fn is_stream(&self) -> bool {
        matches!(self.synapses, Synapses::Stream { .. })
    }

    /// Delivers the rows that riders have come to, as [`Bundle::deliver`] does for others.
    pub fn ride(&self, isa: Isa, arena: &mut [u32], riders: &mut [Rider]) -> u64 {
        let mut walked = 0;
        // The worker gives such an arena to every stream.
        let acc = arena.first_chunk_mut::<REACH>();
        if let (Synapses::Stream { rows, .. }, Some(acc)) = (&self.synapses, acc) {
            match self.kind.weights {
                WeightKind::Scaled(scale) => {
                    ride_floats(isa, rows, f32::from_bits(scale), acc, riders, &mut walked)
                }
                _ => ride_integers(isa, rows, acc, riders, &mut walked),
            }
        }
        walked
    }

    fn rows(&self, members: &[Part<'_>]) -> Synapses {
        let n = self.synapses() as usize;
        let mut targets = vec![0u16; n];
        let mut weights = Narrow::zeros(self.kind.weights, n);
        let mut next = self.start.clone();
        for m in members {
            let shift = m.at() - self.range.start as u32;
            m.each(|s, d, run| {
                let at = &mut next[self.index(s, d)];
                let to = *at as usize..*at as usize + run.len();
                *at = to.end as u32;
                m.weights(&mut weights, to.start, run.clone());
                let mut places = targets[to].iter_mut();
                m.targets(run, |t| {
                    if let Some(place) = places.next() {
                        *place = (t + shift) as u16;
                    }
                });
            });
        }
        Synapses::Rows { targets, weights }
    }

    fn bits(&self, members: &[Part<'_>], weight: u32) -> Synapses {
        let mut map = Bitmap::new(self.sources.len(), self.range.len());
        let mut again: Vec<(u32, u16)> = vec![];
        for m in members {
            let shift = m.at() - self.range.start as u32;
            m.each(|s, d, run| {
                let row = self.index(s, d);
                m.targets(run, |t| {
                    let place = t + shift;
                    if !map.set(row, place as usize) {
                        again.push((row as u32, place as u16));
                    }
                });
            });
        }
        again.sort_unstable();
        let first = |row: usize| again.partition_point(|e| (e.0 as usize) < row) as u32;
        let start = (0..=self.sources.len()).map(first).collect();
        let targets = again.iter().map(|e| e.1).collect();
        let more = (start, targets);
        Synapses::Bits { map, weight, more }
    }

    /// Delivers what falls due in `step` into the arena; returns how many synapses it walked.
    pub fn deliver(
        &self,
        isa: Isa,
        arena: &mut [u32],
        (history, window): (&[History], Option<&Window>),
        step: u32,
        scratch: &mut Scratch,
    ) -> u64 {
        let Scratch { due, rows, tally } = scratch;
        due.clear();
        match window {
            Some(w) => self.recent(w, step, due),
            None => self.emitted(history, step, due),
        }
        let acc = &mut arena[self.range.clone()];
        let synapses = |row: u32| {
            let r = row as usize;
            self.start[r] as usize..self.start[r + 1] as usize
        };
        let fold = self.kind.fold;
        match &self.synapses {
            Synapses::Rows { targets, weights } => {
                if due.len() > 1 {
                    touch(due.iter().map(|e| &targets[synapses(e.0)]));
                    (weights.all()).touch(due.iter().map(|e| synapses(e.0)));
                }
                let events = due.iter().map(|&(row, x)| (synapses(row), x));
                scatter(fold, acc, targets, weights.all(), events)
            }
            Synapses::Bits { map, weight, more } => {
                let one = match fold.is_float() {
                    true => 1f32.to_bits(),
                    false => 1,
                };
                let float = fold.is_float();
                // Equal addends commute; others come one after another.
                let together = match due.iter().all(|e| e.1 == one) {
                    true => due.len().max(1),
                    false => 1,
                };
                for due in due.chunks(together) {
                    rows.clear();
                    rows.extend(due.iter().map(|e| e.0));
                    let value = fold.product(due[0].1, *weight);
                    map.add(isa, float, acc, rows, value, tally);
                    let again = |r: u32| {
                        let r = r as usize;
                        more.0[r] as usize..more.0[r + 1] as usize
                    };
                    touch(due.iter().map(|e| &more.1[again(e.0)]));
                    let again = due.iter().map(|&(r, x)| (again(r), x));
                    scatter(fold, acc, &more.1, Row::Uniform(*weight), again);
                }
                due.iter().map(|e| synapses(e.0).len() as u64).sum()
            }
            // These have riders.
            Synapses::Stream { .. } => 0,
        }
    }

    /// Rows of one delay, from the lists of that step.
    fn emitted(&self, history: &[History], step: u32, due: &mut Vec<Due>) {
        let Some(then) = step.checked_sub(self.least as u32) else {
            return;
        };
        let Range { start, end } = self.sources;
        for f in &self.from {
            let list = history[f.tile].list(then);
            let first = start.saturating_sub(f.start);
            let count = end.saturating_sub(f.start).saturating_sub(first);
            for i in list.within(first, count) {
                let row = list.units[i] + f.start - start;
                due.push((row, self.kind.payload.factor(list.payload(i))));
            }
        }
    }

    /// Rows of several delays, from the emissions of the last steps.
    fn recent(&self, window: &Window, step: u32, due: &mut Vec<Due>) {
        let n = self.delays as u32;
        for e in window.entries() {
            let late = step.wrapping_sub(e.born.wrapping_add(self.least as u32));
            if late < n && self.sources.contains(&e.source) {
                let row = (e.source - self.sources.start) * n + late;
                due.push((row, self.kind.payload.factor(e.payload)));
            }
        }
    }

    /// Smallest and largest delay.
    pub fn delays(&self) -> (u16, u16) {
        (self.least, self.least + (self.delays - 1) as u16)
    }

    /// How its sources' events reach it.
    pub fn timing(&self) -> Timing {
        match self.delays {
            1 => Timing::After(self.least),
            n => Timing::Calendar(self.least + (n - 1) as u16),
        }
    }
}
