//! Plastic projections as this engine learns them: the rows of a projection onto one tile, and its rules.
//!
//! In: a plastic projection and a tile of its targets. Out: a [`Lesson`], shared by all samples: rows by (source, delay) with u16
//! targets, and the rules as kernels. With one state of a synapse, its weight, a synapse takes 6 bytes.
//!
//! There is no way back from targets to synapses: what a spike of a target does to its synapses is done when something next
//! looks at the row (see [`super::posts`]).

use super::rule::{Read, Rule};
use crate::engine::cpu::pieces::Payload;
use std::ops::Range;
use synfire_ir::model::Block;
use synfire_ir::program::{Layout, Plastic, Program, Projection};
use synfire_ir::synapse::{Seen, Synapse};
use synfire_kernels::cpu::Fall;
use synfire_kernels::cpu::deliver::Fold;

/// A tile of sources: (tile, number of its first unit in the source group).
pub(in super::super) type FromTile = (usize, u32);

/// See the module.
#[derive(Clone, Debug)]
pub(in super::super) struct Lesson {
    /// Index into the program's plastic projections.
    pub plastic: usize,
    pub tile: usize,
    pub port: u16,
    pub fold: Fold,
    pub(super) payload: Payload,
    pub from: Vec<FromTile>,
    /// First source, as a unit of the group.
    pub(super) first: u32,
    /// Different delays, the longest first.
    pub delays: Vec<u16>,
    /// Runs of source `i` are `row[i]..row[i + 1]`, with these delays.
    pub(super) row: Vec<u32>,
    delay: Vec<u16>,
    /// Synapses of a run in this tile, and the number of the first of them in the projection.
    pub(super) start: Vec<u32>,
    pub(super) number: Vec<u32>,
    /// Targets within the tile.
    pub(super) targets: Vec<u16>,
    /// The tile's part of the target range: first unit of the tile, how many, and number of the first in the range.
    pub(super) part: (u32, u32, u32),
    /// `None` where the weight is delivered as it is.
    pub(super) deliver: Option<Rule>,
    pub(super) pre: Rule,
    pub(super) post: Rule,
    /// One for each modulator, and one for each interval.
    pub(super) modulators: Vec<Rule>,
    pub(super) every: Vec<Rule>,
    /// May the rule of an arrival run with the delivery? Then it sees nothing that the step still changes.
    pub(super) fused: bool,
    /// Does the rule of a target's event see source units, so that it cannot wait?
    pub(super) prompt: bool,
    /// For each state of the model, if it decays.
    pub(super) falls: Vec<Option<Fall>>,
}

/// The rows of a projection, whatever its layout.
struct Rowed<'p> {
    layout: &'p Layout,
    targets: u32,
}

impl Rowed<'_> {
    fn sources(&self, pr: &Projection) -> Vec<u32> {
        match self.layout {
            Layout::Rows(r) => r.row.to_vec(),
            _ => (0..=pr.source_range.len).collect(),
        }
    }

    fn delays(&self, pr: &Projection) -> Vec<u16> {
        match self.layout {
            Layout::Rows(r) => r.runs.iter().map(|r| r.delay).collect(),
            Layout::Dense { delay, .. } | Layout::OneToOne { delay, .. } => {
                vec![*delay; pr.source_range.len as usize]
            }
            // Plastic projections never stay rules.
            _ => vec![],
        }
    }

    /// Numbers of the synapses of a run.
    fn numbers(&self, run: usize) -> Range<u32> {
        let (k, n) = (run as u32, self.targets);
        match self.layout {
            Layout::Rows(r) => r.runs[run].start..r.runs[run].start + r.runs[run].len,
            Layout::Dense { .. } => k * n..(k + 1) * n,
            _ => k..k + 1,
        }
    }

    fn target(&self, run: usize, number: u32) -> u32 {
        match self.layout {
            Layout::Rows(r) => r.targets[number as usize],
            Layout::Dense { .. } => number - run as u32 * self.targets,
            _ => number,
        }
    }

    /// Synapses of a run whose targets, which ascend, lie in `low..end` of the target range.
    fn within(&self, run: usize, (low, end): (u32, u32)) -> Range<u32> {
        let all = self.numbers(run);
        let before = |limit: u32| {
            let (mut a, mut b) = (all.start, all.end);
            while a < b {
                let middle = a + (b - a) / 2;
                match self.target(run, middle) < limit {
                    true => a = middle + 1,
                    false => b = middle,
                }
            }
            a
        };
        before(low)..before(end)
    }
}

impl Lesson {
    /// What a tile's units learn of a plastic projection; `None` if its targets lie elsewhere.
    pub fn new(
        p: &Program,
        plastic: usize,
        (tile, start, len): (usize, u32, u32),
        (fold, payload): (Fold, Payload),
        from: Vec<FromTile>,
    ) -> Option<Lesson> {
        let x = &p.plastic[plastic];
        let pr = p.projections.get(x.projection as usize)?;
        let m = p.synapse_models.get(x.synapse as usize)?;
        let low = start.max(pr.target_range.start);
        let end = (start + len).min(pr.target_range.start + pr.target_range.len);
        if low >= end {
            return None;
        }
        let of = |unit: u32| unit - pr.target_range.start;
        let rowed = Rowed {
            layout: &pr.layout,
            targets: pr.target_range.len,
        };
        let delay = rowed.delays(pr);
        let part = (of(low), of(end));
        let inside: Vec<_> = (0..delay.len()).map(|r| rowed.within(r, part)).collect();
        let n = inside.iter().map(|r| r.len()).sum();
        let (mut places, mut targets) = (vec![0], Vec::with_capacity(n));
        let number = inside.iter().map(|r| r.start).collect();
        let shift = low - start;
        for (run, inside) in inside.into_iter().enumerate() {
            targets.extend(inside.map(|k| (rowed.target(run, k) - of(low) + shift) as u16));
            places.push(targets.len() as u32);
        }
        // Runs without synapses beyond the delays of the others hear nothing.
        let (least, most) = pr.delays().unwrap_or((1, 0));
        let heard = |d: &&u16| (least..=most).contains(*d);
        let mut delays: Vec<u16> = delay.iter().filter(heard).copied().collect();
        delays.sort_unstable_by(|a, b| b.cmp(a));
        delays.dedup();
        let rule = |block: &Block| Rule::new(m, x, block);
        let (pre, post) = (rule(&m.pre.synapse), rule(&m.post.synapse));
        Some(Lesson {
            plastic,
            tile,
            port: pr.port,
            fold,
            payload,
            from,
            first: pr.source_range.start,
            delays,
            row: rowed.sources(pr),
            delay,
            start: places,
            number,
            targets,
            part: (low - start, end - low, of(low)),
            deliver: (!m.delivers_weight()).then(|| rule(&m.deliver)),
            fused: fused(m, &pre),
            prompt: post.sees(|r| matches!(r, Read::Source(_))),
            pre,
            post,
            modulators: m
                .modulators
                .iter()
                .map(|x| rule(&x.action.synapse))
                .collect(),
            every: m.every.iter().map(|e| rule(&e.action.synapse)).collect(),
            falls: (m.states.iter())
                .map(|c| Some(Fall::new(c.decay?, c.width.ty())))
                .collect(),
        })
    }

    /// The run of a source (counted from the range's start) with a delay.
    pub(super) fn run(&self, source: u32, delay: u16) -> Option<u32> {
        let first = *self.row.get(source as usize)?;
        let end = *self.row.get(source as usize + 1)?;
        let runs = &self.delay[first as usize..end as usize];
        let k = runs.binary_search(&delay).ok()?;
        Some(first + k as u32)
    }

    pub(super) fn runs(&self) -> usize {
        self.delay.len()
    }

    /// Places of the synapses of a run.
    pub(super) fn places(&self, run: usize) -> Range<usize> {
        self.start[run] as usize..self.start[run + 1] as usize
    }

    /// The source of a run, as a unit of its group.
    pub(super) fn source(&self, run: usize) -> u32 {
        let after = self.row.partition_point(|&first| first as usize <= run);
        self.first + after.saturating_sub(1) as u32
    }

    /// The smallest delay.
    pub fn least(&self) -> u16 {
        self.delays.last().copied().unwrap_or(1)
    }
}

fn fused(m: &Synapse, pre: &Rule) -> bool {
    let step_changes = |r: &Read| matches!(r, Read::Source(_) | Read::Target(_) | Read::Input(_));
    let shows_source = |k: u16| matches!(m.view(k).map(|v| v.seen), Some(Seen::Source(_)));
    let insts = m.pre.source.insts.iter();
    let mut states = insts.filter_map(|i| match i.op {
        synfire_ir::model::Op::State(k) => Some(k),
        _ => None,
    });
    !pre.sees(step_changes) && !states.any(shows_source)
}

/// Must all of a sample run on one worker? So if a rule reads units that belong to anyone in the step in which it runs.
pub(in super::super) fn together(p: &Program) -> bool {
    let sees_source = |m: &Synapse| m.views.iter().any(|v| matches!(v.seen, Seen::Source(_)));
    let units = |group: u32| p.model_of(group).is_some();
    let at_once = |x: &Plastic| (x.modulators.iter()).any(|y| y.delay == 0 && units(y.source));
    p.synapse_models.iter().any(sees_source) || p.plastic.iter().any(at_once)
}
