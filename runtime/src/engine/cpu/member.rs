//! What a bundle is made of: rows of a projection onto one tile, from the program's rows or from a rule.
//!
//! In: a projection and the targets that lie in a tile. Out: its runs, targets and weights, one run after another. A rule is
//! expanded here, for the tile alone, so that no synapse of a large network stands in memory twice for long.

use super::bundle::WeightKind;
use super::rows::Narrow;
use std::ops::Range;
use synfire_ir::program::{
    self, Generated, Layout, Projection, Rows, Slice, SliceWeights, Store, Weights,
};

/// Where synapses come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Given<'a> {
    Rows(&'a Rows),
    Rule(&'a Generated),
}

impl<'a> Given<'a> {
    /// The sparse synapses of a projection.
    pub fn of(pr: &'a Projection) -> Option<Self> {
        match &pr.layout {
            Layout::Rows(r) => Some(Given::Rows(r)),
            Layout::Generated(g) => Some(Given::Rule(g)),
            _ => None,
        }
    }

    pub fn weights(&self) -> WeightKind {
        match self {
            Given::Rows(r) => match &r.weights {
                Weights::Uniform(w) => WeightKind::Uniform(*w),
                Weights::I8(_) => WeightKind::I8,
                Weights::I16(_) => WeightKind::I16,
                Weights::I32(_) => WeightKind::I32,
                Weights::F32(_) => WeightKind::F32,
            },
            Given::Rule(g) => match (g.weight_bytes(), g.store) {
                (0, _) => WeightKind::Uniform(g.uniform().unwrap_or(0)),
                (1, _) => WeightKind::I8,
                (2, Store::Scaled) => WeightKind::Scaled(g.scale().to_bits()),
                (2, _) => WeightKind::I16,
                (_, Store::F32) => WeightKind::F32,
                _ => WeightKind::I32,
            },
        }
    }
}

/// Rows of one projection into one tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member<'a> {
    pub given: Given<'a>,
    /// First source, as a unit of the group, and how many.
    pub first: u32,
    pub count: u32,
    /// Targets that lie in the tile, counted as in the projection's range.
    pub targets: (u32, u32),
    /// Place in the arena of the first of them.
    pub at: u32,
}

impl Member<'_> {
    pub fn len(&self) -> u32 {
        self.targets.1 - self.targets.0
    }
}

/// A member whose synapses are there.
pub(super) enum Part<'a> {
    Rows(Member<'a>, &'a Rows),
    Slice(Member<'a>, Slice),
}

impl<'a> Part<'a> {
    pub fn new(m: &Member<'a>) -> Self {
        match m.given {
            Given::Rows(r) => Part::Rows(*m, r),
            Given::Rule(g) => {
                let range = program::Range {
                    start: m.targets.0,
                    len: m.len(),
                };
                Part::Slice(*m, g.slice(range))
            }
        }
    }

    /// Place in the arena of the tile's first target.
    pub fn at(&self) -> u32 {
        match self {
            Part::Rows(m, _) | Part::Slice(m, _) => m.at,
        }
    }

    /// Calls `f(source of the group, delay, synapses)` for each run.
    pub fn each(&self, mut f: impl FnMut(u32, u16, Range<usize>)) {
        match self {
            Part::Rows(m, rows) => {
                let (low, end) = m.targets;
                for (source, w) in (m.first..).zip(rows.row.windows(2)) {
                    for run in &rows.runs[w[0] as usize..w[1] as usize] {
                        let first = run.start as usize;
                        let t = &rows.targets[first..first + run.len as usize];
                        let from = t.partition_point(|&t| t < low);
                        let to = from + t[from..].partition_point(|&t| t < end);
                        if from < to {
                            f(source, run.delay, first + from..first + to);
                        }
                    }
                }
            }
            Part::Slice(m, slice) => {
                for (source, w) in (m.first..).zip(slice.row.windows(2)) {
                    for r in w[0] as usize..w[1] as usize {
                        let run = slice.start[r] as usize..slice.start[r + 1] as usize;
                        f(source, slice.delay[r], run);
                    }
                }
            }
        }
    }

    /// Calls `f` with the targets of a run, counted from the tile's first.
    pub fn targets(&self, run: Range<usize>, mut f: impl FnMut(u32)) {
        match self {
            Part::Rows(m, r) => r.targets[run].iter().for_each(|t| f(t - m.targets.0)),
            Part::Slice(_, s) => s.targets[run].iter().for_each(|&t| f(t as u32)),
        }
    }

    /// Calls `f` with target (counted from the tile's first) and weight of each synapse of a run, for weights of 16 bits.
    pub fn short(&self, run: Range<usize>, mut f: impl FnMut(u32, i16)) {
        match self {
            Part::Rows(m, r) => {
                if let Weights::I16(w) = &r.weights {
                    let each = r.targets[run.clone()].iter().zip(&w[run]);
                    each.for_each(|(t, &w)| f(t - m.targets.0, w));
                }
            }
            Part::Slice(_, s) => {
                if let SliceWeights::I16(w) | SliceWeights::Scaled { values: w, .. } = &s.weights {
                    let each = s.targets[run.clone()].iter().zip(&w[run]);
                    each.for_each(|(&t, &w)| f(t as u32, w));
                }
            }
        }
    }

    /// Copies the weights of a run to the places from `at` on.
    pub fn weights(&self, to: &mut Narrow, at: usize, run: Range<usize>) {
        match self {
            Part::Rows(_, r) => to.copy(at, &r.weights, run),
            Part::Slice(_, s) => {
                let places = at..at + run.len();
                match (to, &s.weights) {
                    (Narrow::I8(v), SliceWeights::I8(w)) => v[places].copy_from_slice(&w[run]),
                    (Narrow::I16(v), SliceWeights::I16(w)) => v[places].copy_from_slice(&w[run]),
                    (Narrow::I32(v), SliceWeights::I32(w)) => v[places].copy_from_slice(&w[run]),
                    (Narrow::F32(v), SliceWeights::F32(w)) => v[places].copy_from_slice(&w[run]),
                    (Narrow::Scaled(v, _), SliceWeights::Scaled { values, .. }) => {
                        v[places].copy_from_slice(&values[run]);
                    }
                    _ => {}
                }
            }
        }
    }
}
