//! One slice of targets: sources are drawn and counted, then weights and delays are drawn into rows by source, then each row
//! is sorted by delay.
//!
//! While it is made a slice takes 14 bytes a synapse (4 with one delay and one weight) beside what it is.

use super::{Generated, RowRule, Store};
use crate::network::{Chosen, DELAYS, Distribution, Drawn, Init};
use crate::program::{MAX_DELAY, Range};
use crate::rng::{self, Draws};

/// Rows of all sources of a projection onto a slice of its targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slice {
    /// Runs of source `i` are `row[i]..row[i + 1]`, ascending in delay; length = number of sources + 1.
    pub row: Vec<u32>,
    /// Delay of each run, in steps.
    pub delay: Vec<u16>,
    /// Synapses of run `r` are `start[r]..start[r + 1]`; length = number of runs + 1.
    pub start: Vec<u32>,
    /// Targets, counted from the slice's first; within a run ascending, equal ones following one another.
    pub targets: Vec<u16>,
    /// Weights in the order of `targets`.
    pub weights: SliceWeights,
}

/// Weights of a slice.
#[derive(Clone, Debug, PartialEq)]
pub enum SliceWeights {
    /// One for all, as the bits of the port's type.
    Uniform(u32),
    /// Integers of 8 bits.
    I8(Vec<i8>),
    /// Integers of 16 bits.
    I16(Vec<i16>),
    /// Integers of 32 bits.
    I32(Vec<i32>),
    /// Single precision.
    F32(Vec<f32>),
    /// A weight is `value * scale` in single precision.
    Scaled {
        /// 16 bits each.
        values: Vec<i16>,
        /// What 1 is worth.
        scale: f32,
    },
}

impl Default for SliceWeights {
    fn default() -> Self {
        SliceWeights::Uniform(0)
    }
}

impl SliceWeights {
    /// Bits (of the port's type) of weight `i`.
    pub fn bits(&self, i: usize) -> u32 {
        match self {
            SliceWeights::Uniform(w) => *w,
            SliceWeights::I8(v) => v[i] as i32 as u32,
            SliceWeights::I16(v) => v[i] as i32 as u32,
            SliceWeights::I32(v) => v[i] as u32,
            SliceWeights::F32(v) => v[i].to_bits(),
            SliceWeights::Scaled { values, scale } => (values[i] as f32 * scale).to_bits(),
        }
    }
}

impl Slice {
    /// Most targets of a slice: they are numbered in 16 bits.
    pub const MOST_TARGETS: u32 = 1 << 16;
}

/// 1.5 * 2^52: adding and subtracting it rounds a smaller double to a whole number, ties to even.
const WHOLE: f64 = 6_755_399_441_055_744.0;

#[inline]
fn rounded(x: f64) -> f64 {
    (x + WHOLE) - WHOLE
}

/// How delays are drawn.
#[derive(Debug)]
pub(super) struct Steps {
    draw: Init,
    least: f64,
    most: f64,
}

impl Steps {
    #[inline]
    pub(super) fn steps(&self, words: &mut Draws) -> u16 {
        let d = match &self.draw {
            Init::Draw(d) => d.draw(words),
            Init::Const(d) => *d,
            Init::Array(_) => 0.0,
        };
        rounded(d.max(self.least).min(self.most)) as u16
    }
}

/// The sequence of delay draws of target `t`, and how they are drawn.
pub(super) fn delays_of(g: &Generated, t: u32) -> (Draws, Steps) {
    let (least, most) = g.delays();
    let steps = Steps {
        draw: g.delay.clone(),
        least: least as f64,
        most: most as f64,
    };
    (Draws::new(g.seed, rng::WEIGHTS, g.key ^ DELAYS, t), steps)
}

/// Largest magnitude of an integer word.
pub(super) fn integer_reach(g: &Generated, fraction: i32) -> i64 {
    let (a, b) = g
        .weight_bounds()
        .unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    word(a, fraction)
        .unsigned_abs()
        .max(word(b, fraction).unsigned_abs()) as i64
}

fn word(w: f64, fraction: i32) -> i32 {
    (w * 2f64.powi(fraction)).round_ties_even() as i32
}

/// How weights become words.
#[derive(Debug)]
pub(super) enum Coding {
    F32,
    /// Times a factor, rounded, at most so far from 0.
    Whole {
        factor: f64,
        most: f64,
    },
}

impl Coding {
    pub(super) fn of(g: &Generated) -> Self {
        match g.store {
            Store::F32 => Coding::F32,
            Store::Scaled => Coding::Whole {
                factor: 1.0 / g.scale() as f64,
                most: i16::MAX as f64,
            },
            Store::Integer { fraction } => Coding::Whole {
                factor: 2f64.powi(fraction),
                most: integer_reach(g, fraction) as f64,
            },
        }
    }

    #[inline]
    pub(super) fn bits(&self, w: f64) -> u32 {
        match self {
            Coding::F32 => (w as f32).to_bits(),
            Coding::Whole { factor, most } => {
                rounded((w * factor).max(-most).min(*most)) as i32 as u32
            }
        }
    }
}

/// Sources of the slice's synapses in the order of drawing.
struct Wired {
    sources: Vec<u32>,
    /// Synapses of the targets before and of each target.
    until: Vec<usize>,
    /// First synapse of each source in rows, and the end.
    first: Vec<u32>,
}

impl Generated {
    /// The rows of all sources onto `targets`, which are at most [`Slice::MOST_TARGETS`] (further ones are left out). Callers
    /// see that fewer than 2^32 synapses are asked for.
    pub fn slice(&self, targets: Range) -> Slice {
        let end = targets.start.saturating_add(targets.len).min(self.targets);
        let most = targets.start.saturating_add(Slice::MOST_TARGETS);
        let range = (targets.start, end.min(most).max(targets.start));
        if let Some(rows) = RowRule::new(self) {
            return rows.slice(range);
        }
        let Some(wired) = self.wire(range) else {
            return Slice {
                row: vec![0; self.sources as usize + 1],
                start: vec![0],
                ..Slice::default()
            };
        };
        match (&self.weight, &self.delay) {
            (Init::Const(_), Init::Const(_)) => self.plain(&wired),
            _ => self.sorted(&wired, range.0),
        }
    }

    fn wire(&self, range: (u32, u32)) -> Option<Wired> {
        let (ends, drawn) = (self.ends(), Drawn::of(&self.connector)?);
        let degrees = drawn.degrees(&ends, range);
        let share = (range.1 - range.0) as f64 / self.targets.max(1) as f64;
        let expected = (self.synapses() as f64 * share * 1.02) as usize + 64;
        let mut wired = Wired {
            sources: Vec::with_capacity(expected),
            until: Vec::with_capacity((range.1 - range.0) as usize),
            first: vec![0; self.sources as usize + 1],
        };
        let mut chosen = Chosen::default();
        let Wired {
            sources,
            until,
            first,
        } = &mut wired;
        for t in range.0..range.1 {
            let degree = degrees.as_ref().map_or(0, |d| d[(t - range.0) as usize]);
            drawn.sources(&ends, t, degree, &mut chosen, |s| {
                sources.push(s);
                first[s as usize + 1] += 1;
            });
            until.push(sources.len());
        }
        let mut sum = 0;
        for n in first {
            sum += *n;
            *n = sum;
        }
        Some(wired)
    }

    /// The sources of target `k` of the slice.
    fn of_target(wired: &Wired, k: usize) -> &[u32] {
        let from = k.checked_sub(1).map_or(0, |k| wired.until[k]);
        &wired.sources[from..wired.until[k]]
    }

    /// The bits of the weight that all synapses share, if they do.
    pub fn uniform(&self) -> Option<u32> {
        match (&self.weight, self.store) {
            (Init::Const(w), Store::Integer { fraction }) => Some(word(*w, fraction) as u32),
            (Init::Const(w), _) => Some((*w as f32).to_bits()),
            _ => None,
        }
    }

    /// One weight and one delay: a row is its targets.
    fn plain(&self, wired: &Wired) -> Slice {
        let mut next = wired.first.clone();
        let mut targets = vec![0u16; wired.sources.len()];
        for k in 0..wired.until.len() {
            for s in Self::of_target(wired, k) {
                let at = &mut next[*s as usize];
                targets[*at as usize] = k as u16;
                *at += 1;
            }
        }
        let (delay, _) = self.delays();
        let mut out = Slice {
            row: Vec::with_capacity(wired.first.len()),
            targets,
            weights: SliceWeights::Uniform(self.uniform().unwrap_or(0)),
            ..Slice::default()
        };
        out.row.push(0);
        for bounds in wired.first.windows(2) {
            if bounds[0] < bounds[1] {
                out.delay.push(delay);
                out.start.push(bounds[0]);
            }
            out.row.push(out.delay.len() as u32);
        }
        out.start.push(wired.sources.len() as u32);
        out
    }

    /// Rows by source, each sorted by delay.
    fn sorted(&self, wired: &Wired, start: u32) -> Slice {
        let n = wired.sources.len();
        let mut out = Slice {
            row: Vec::with_capacity(wired.first.len()),
            targets: vec![0; n],
            ..Slice::default()
        };
        let mut weights = Kept::of(self, n);
        let (least, most) = self.delays();
        let mut by = ByDelay::new(least, most);
        let blocks = self.blocks(wired, start);
        let mut rows = vec![];
        out.row.push(0);
        let sources = wired.first.len() - 1;
        for begin in (0..sources).step_by(1 << blocks.shift) {
            // Where the rows of the block's sources begin, and where the last ends.
            let bounds = &wired.first[begin..=(begin + (1 << blocks.shift)).min(sources)];
            blocks.rows(bounds, &mut rows);
            let from = bounds[0];
            for row in bounds.windows(2) {
                let (a, b) = (row[0], row[1]);
                let row = &rows[(a - from) as usize..(b - from) as usize];
                by.sort(row, |place, e| {
                    out.targets[a as usize + place] = e.target();
                    weights.put(a as usize + place, e.weight());
                });
                for (delay, at) in by.runs() {
                    out.delay.push(delay);
                    out.start.push(a + at as u32);
                }
                out.row.push(out.delay.len() as u32);
            }
        }
        out.start.push(n as u32);
        out.weights = weights.done(self);
        out
    }

    /// Draws weights and delays, and sorts the synapses into blocks of sources.
    fn blocks(&self, wired: &Wired, start: u32) -> Blocks {
        let mut blocks = Blocks::new(wired);
        let mut next: Vec<u32> = (wired.first[..wired.first.len() - 1].iter())
            .step_by(1 << blocks.shift)
            .copied()
            .collect();
        let coding = Coding::of(self);
        let draw: Option<Distribution> = match &self.weight {
            Init::Draw(d) => Some(*d),
            _ => None,
        };
        let (_, steps) = delays_of(self, 0);
        let mask = (1 << blocks.shift) - 1;
        for k in 0..wired.until.len() {
            let t = start + k as u32;
            let mut weights = Draws::new(self.seed, rng::WEIGHTS, self.key, t);
            let mut delays = Draws::new(self.seed, rng::WEIGHTS, self.key ^ DELAYS, t);
            for s in Self::of_target(wired, k) {
                let w = draw
                    .as_ref()
                    .map_or(0, |d| coding.bits(d.draw(&mut weights)));
                let at = &mut next[(s >> blocks.shift) as usize];
                blocks.entries[*at as usize] = Entry::new(steps.steps(&mut delays), k as u16, w);
                blocks.sources[*at as usize] = (s & mask) as u16;
                *at += 1;
            }
        }
        blocks
    }
}

/// Synapses by block of sources, then target. To bring all synapses to their rows at once would touch a page of memory for
/// each: a block's rows lie within a cache.
struct Blocks {
    /// A block has `1 << shift` sources.
    shift: u32,
    entries: Vec<Entry>,
    /// The source of each entry, counted from the first of its block.
    sources: Vec<u16>,
}

/// Synapses of a block: a megabyte of entries.
const BLOCK: u32 = 1 << 17;

impl Blocks {
    fn new(wired: &Wired) -> Self {
        let n = wired.sources.len();
        let count = (n as u32).div_ceil(BLOCK).clamp(1, 512);
        let sources = wired.first.len() as u32 - 1;
        let shift = sources.div_ceil(count).next_power_of_two().trailing_zeros();
        Blocks {
            shift: shift.min(u16::BITS),
            entries: vec![Entry(0); n],
            sources: vec![0; n],
        }
    }

    /// Brings the entries of a block to its rows, whose bounds among all entries are given.
    fn rows(&self, bounds: &[u32], rows: &mut Vec<Entry>) {
        let (from, end) = (bounds[0] as usize, bounds[bounds.len() - 1] as usize);
        let mut next: Vec<u32> = bounds.iter().map(|f| f - bounds[0]).collect();
        rows.clear();
        rows.resize(end - from, Entry(0));
        for (e, s) in self.entries[from..end].iter().zip(&self.sources[from..end]) {
            let at = &mut next[*s as usize];
            rows[*at as usize] = *e;
            *at += 1;
        }
    }
}

/// A synapse of a row: delay, target, weight.
#[derive(Clone, Copy)]
pub(super) struct Entry(pub(super) u64);

impl Entry {
    #[inline]
    pub(super) fn new(delay: u16, target: u16, weight: u32) -> Self {
        Entry((delay as u64) << 48 | (target as u64) << 32 | weight as u64)
    }

    #[inline]
    pub(super) fn delay(self) -> u16 {
        (self.0 >> 48) as u16
    }

    #[inline]
    pub(super) fn target(self) -> u16 {
        (self.0 >> 32) as u16
    }

    #[inline]
    pub(super) fn weight(self) -> u32 {
        self.0 as u32
    }
}

/// Sorts rows by delay, stable, by counting.
struct ByDelay {
    least: u16,
    /// First place of each delay, moved on as places fill.
    next: Vec<u32>,
    runs: Vec<(u16, usize)>,
}

impl ByDelay {
    fn new(least: u16, most: u16) -> Self {
        ByDelay {
            least,
            next: vec![0; (most.min(MAX_DELAY) - least) as usize + 1],
            runs: vec![],
        }
    }

    fn sort(&mut self, row: &[Entry], mut put: impl FnMut(usize, Entry)) {
        self.next.fill(0);
        self.runs.clear();
        for e in row {
            self.next[(e.delay() - self.least) as usize] += 1;
        }
        let mut sum = 0;
        for (d, n) in self.next.iter_mut().enumerate() {
            if *n > 0 {
                self.runs.push((self.least + d as u16, sum as usize));
            }
            sum += std::mem::replace(n, sum);
        }
        for e in row {
            let at = &mut self.next[(e.delay() - self.least) as usize];
            put(*at as usize, *e);
            *at += 1;
        }
    }

    /// Delay and first place of each run of the last row.
    fn runs(&self) -> impl Iterator<Item = (u16, usize)> + '_ {
        self.runs.iter().copied()
    }
}

/// Weights as they are filled in.
pub(super) enum Kept {
    One,
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    F32(Vec<f32>),
}

impl Kept {
    pub(super) fn of(g: &Generated, n: usize) -> Self {
        match (g.store, g.weight_bytes()) {
            (_, 0) => Kept::One,
            (Store::F32, _) => Kept::F32(vec![0.0; n]),
            (_, 1) => Kept::I8(vec![0; n]),
            (_, 2) => Kept::I16(vec![0; n]),
            _ => Kept::I32(vec![0; n]),
        }
    }

    #[inline]
    fn put(&mut self, at: usize, bits: u32) {
        match self {
            Kept::One => {}
            Kept::I8(v) => v[at] = bits as i8,
            Kept::I16(v) => v[at] = bits as i16,
            Kept::I32(v) => v[at] = bits as i32,
            Kept::F32(v) => v[at] = f32::from_bits(bits),
        }
    }

    pub(super) fn done(self, g: &Generated) -> SliceWeights {
        match (self, g.store) {
            (Kept::One, _) => SliceWeights::Uniform(g.uniform().unwrap_or(0)),
            (Kept::I16(values), Store::Scaled) => SliceWeights::Scaled {
                values,
                scale: g.scale(),
            },
            (Kept::I8(v), _) => SliceWeights::I8(v),
            (Kept::I16(v), _) => SliceWeights::I16(v),
            (Kept::I32(v), _) => SliceWeights::I32(v),
            (Kept::F32(v), _) => SliceWeights::F32(v),
        }
    }
}
