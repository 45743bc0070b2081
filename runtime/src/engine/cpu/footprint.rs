//! Bytes of synapses while they are laid out and afterwards, told from a program before anything is allocated.
//!
//! In: a program and the cut. Out: the most that stands in memory at one time. Bundles are laid out one after another, and
//! each is made from slices that stand in memory together (see `program::Slice`), so that the peak is that of the largest
//! bundle on top of what is there before it. Counts of drawn synapses are expected values. Invariant: nothing is drawn but
//! a sample of delays, so that the cost does not follow the number of synapses.

use super::bundle::{MOST_BITS, WeightKind};
use super::bundling::{Bundling, procedural};
use super::member::Given;
use super::plan::Cut;

use super::tiles::tile_count;
use std::collections::BTreeMap;
use synfire_ir::program::{Generated, Layout, Program, Projection, Weights};
use synfire_ir::synapse::Place;
use synfire_kernels::cpu::counted::Bitmap;

/// What a tile, or a piece between two, takes beside its contents.
pub(super) const FRAME: u128 = 512;

/// Bytes that a slice takes for each synapse while it is made, with and without weights and delays of its own.
const MAKING: (f64, f64) = (14.0, 4.0);

/// What the allocator holds back for rows whose sizes differ, as a factor: measured on the microcircuit at several sizes.
const SLACK: f64 = 1.05;

/// The same for streams.
const STREAM_SLACK: f64 = 1.1;

/// Words that fill up the last block of a row of a stream, on average.
const FILLING: f64 = 3.5;

/// What goes into one bundle.
#[derive(Default)]
struct Draft {
    parts: Vec<Part>,
    sources: f64,
    /// Units that the targets of the parts have together.
    targets: f64,
    delays: (u16, u16),
}

/// A projection of a bundle.
struct Part {
    synapses: f64,
    /// Those that another one of the same source and target precedes.
    again: f64,
    /// Of the slice while it is there, and of what it takes to make it.
    slice: f64,
    making: f64,
    weight: f64,
    /// Rows of one delay that hold any.
    runs: f64,
}

/// Bytes of all synapses: the most at one time while they are laid out, and those that stay. What a sample learns is not
/// among them.
pub(super) struct Synapses {
    pub most: u128,
    pub after: u128,
}

/// See [`Synapses`].
pub(super) fn synapses(p: &Program, cut: Cut) -> Synapses {
    let bundling = Bundling::new(p, cut);
    let mut drafts: BTreeMap<_, Draft> = BTreeMap::new();
    let (mut there, mut most) = (0f64, 0f64);
    for (k, pr) in p.projections.iter().enumerate() {
        if p.plastic_of(k as u32).is_some() {
            // Its rows stand in the program already.
            let to = tiles(p, pr.target, cut);
            let rows = pr.elements(Place::Source) as f64;
            let frames = to * (FRAME as f64 + pr.source_range.len as f64 * 4.0);
            there += pr.synapses() as f64 * 2.0 + rows * to * 10.0 + frames;
            continue;
        }
        if procedural(p, pr).is_some() {
            there += tiles(p, pr.target, cut) * FRAME as f64;
            continue;
        }
        match bundling.of(p, (k, pr)) {
            Some((given, delays)) => {
                let one = (delays.0 == delays.1).then_some(delays.0);
                let draft = drafts.entry((pr.source, given.weights(), one)).or_default();
                draft.add(pr, given, delays);
            }
            None => {
                let (after, making) = pieces(p, pr, cut);
                most = most.max(there + after + making);
                there += after;
            }
        }
    }
    // Targets beyond what an arena holds have bundles of their own, and so have those of other workers.
    let units: u64 = (p.groups.iter().filter(|g| g.size > 0))
        .map(|g| g.size as u64)
        .sum();
    let arenas = (units as f64 / cut.arena as f64)
        .ceil()
        .max(cut.workers as f64);
    for ((_, weights, _), draft) in &drafts {
        let (after, making) = draft.bytes(*weights, arenas, cut.long as f64);
        // Every worker makes one at a time.
        let at_once = making * cut.workers as f64 / arenas;
        most = most.max(there + after / arenas + at_once);
        there += after;
    }
    let whole = |bytes: f64| bytes.min(u64::MAX as f64) as u128;
    Synapses {
        most: whole(most.max(there)),
        after: whole(there),
    }
}

impl Draft {
    fn add(&mut self, pr: &Projection, given: Given<'_>, (least, most): (u16, u16)) {
        if self.parts.is_empty() {
            self.delays = (least, most);
        }
        self.delays = (self.delays.0.min(least), self.delays.1.max(most));
        self.sources = self.sources.max(pr.source_range.len as f64);
        self.targets += pr.target_range.len as f64;
        self.parts.push(match given {
            Given::Rule(g) => Part::drawn(pr, g),
            Given::Rows(r) => Part {
                synapses: pr.synapses() as f64,
                again: 0.0,
                slice: 0.0,
                making: 0.0,
                weight: weight_bytes(&r.weights) as f64,
                runs: r.runs.len() as f64,
            },
        });
    }

    /// Bytes when it is there, all its arenas together, and what is beside it while it is made.
    fn bytes(&self, weights: WeightKind, arenas: f64, long: f64) -> (f64, f64) {
        let n: f64 = self.parts.iter().map(|p| p.synapses).sum();
        let delays = (self.delays.1 - self.delays.0) as f64 + 1.0;
        let table = 4.0 * self.sources * delays * arenas;
        let map = Bitmap::bytes(self.sources as usize, (self.targets / arenas) as usize) as f64;
        let map = map * arenas;
        let bits = matches!(weights, WeightKind::Uniform(_)) && delays == 1.0;
        let weight = self.parts.iter().map(|p| p.weight).fold(0.0, f64::max);
        let again: f64 = self.parts.iter().map(|p| p.again).sum();
        let rows = self.sources * delays * arenas;
        let stream = matches!(weights, WeightKind::I16 | WeightKind::Scaled(_))
            && delays > 1.0
            && n >= long * rows;
        let (table, after, beside) = if bits && map * 8.0 <= MOST_BITS as f64 * n {
            // Places that a bit cannot hold are collected with their row before they are sorted.
            let more = 4.0 * self.sources * arenas + 2.0 * again;
            (table, map + more, 8.0 * again)
        } else if stream {
            let runs = self.parts.iter().map(|p| p.runs).fold(0.0, f64::max) * arenas;
            let filled = n + rows + FILLING * runs.min(rows);
            (
                4.0 * self.sources * arenas,
                4.0 * filled * STREAM_SLACK,
                3.0 * table,
            )
        } else {
            (table, n * (2.0 + weight) * SLACK, table)
        };
        let (mut slices, mut most) = (0f64, 0f64);
        for p in &self.parts {
            most = most.max(slices + p.making);
            slices += p.slice;
        }
        let after = table + after;
        // What is made of the slices comes after the last of them.
        (after, (most - after).max(slices + beside).max(0.0))
    }
}

impl Part {
    fn drawn(pr: &Projection, g: &Generated) -> Part {
        let n = pr.synapses() as f64;
        let (sources, targets) = (pr.source_range.len as f64, pr.target_range.len as f64);
        let mean = n / sources.max(1.0);
        let one = g.delays().0 == g.delays().1;
        let runs: f64 = match one {
            true => sources,
            false => (g.delay_shares().values())
                .map(|share| sources * -(-mean * share).exp_m1())
                .sum(),
        };
        let weight = g.weight_bytes() as f64;
        let slice = 4.0 * sources + 6.0 * runs + n * (2.0 + weight);
        let each = if one && weight == 0.0 {
            MAKING.1
        } else {
            MAKING.0
        };
        let pairs = sources * targets;
        Part {
            synapses: n,
            again: (n + pairs * (-n / pairs.max(1.0)).exp_m1()).max(0.0),
            slice,
            making: slice + n * each,
            weight,
            runs,
        }
    }
}

/// Bytes of a projection in pieces, and what is beside it while it is laid out.
fn pieces(p: &Program, pr: &Projection, cut: Cut) -> (f64, f64) {
    let (from, to) = (tiles(p, pr.source, cut), tiles(p, pr.target, cut));
    let (n, sources) = (pr.synapses() as f64, pr.source_range.len as f64);
    let frame = FRAME as f64;
    let (weight, whole) = match &pr.layout {
        Layout::Rows(r) => (weight_bytes(&r.weights) as f64, 0.0),
        Layout::Generated(g) if g.complete().is_some() && !handled(p, pr) => {
            return (from * to * frame, 0.0);
        }
        // A rule is expanded as a whole where it is not bundled.
        Layout::Generated(g) => (g.weight_bytes() as f64, n * 12.0),
        Layout::Dense { .. } => return (from * to * frame, 0.0),
        _ => return ((from + to) * frame, 0.0),
    };
    let after = n * (2.0 + weight + 6.0) + sources * to * 4.0 + from * to * frame;
    (after, whole)
}

fn handled(p: &Program, pr: &Projection) -> bool {
    let m = p.model_of(pr.target);
    m.is_some_and(|m| m.handler(pr.port).is_some())
}

fn tiles(p: &Program, group: u32, cut: Cut) -> f64 {
    match p.model_of(group) {
        Some(_) => tile_count(p.groups[group as usize].size, cut) as f64,
        None => 1.0,
    }
}

pub(super) fn weight_bytes(w: &Weights) -> u128 {
    match w {
        Weights::Uniform(_) => 0,
        Weights::I8(_) => 1,
        Weights::I16(_) => 2,
        Weights::I32(_) | Weights::F32(_) => 4,
    }
}
