//! Sparse rows of a piece, and the same as windows of a dense row where they are dense enough.
//!
//! In: the rows of a projection and the window of sources and targets that a pair of tiles sees. Out: [`Sparse`] or
//! [`Windows`]. Invariant: runs are numbered by source ascending, then delay descending.

use super::bundle::WeightKind;
use super::pieces::{Timing, single};
use std::ops::Range;
use synfire_ir::program::{Rows, Weights};
use synfire_kernels::cpu::deliver::Row;

/// Which runs a source has, and their delays.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// Runs of source `i` are `row[i]..row[i + 1]`; empty if every source has exactly one run.
    pub row: Vec<u32>,
    /// Delay of each run; empty if all are equal.
    pub delay: Vec<u16>,
}

impl Runs {
    /// The runs of a source.
    pub fn of(&self, source: u32) -> Range<usize> {
        let s = source as usize;
        match self.row.is_empty() {
            true => s..s + 1,
            false => self.row[s] as usize..self.row[s + 1] as usize,
        }
    }
}

/// Sparse rows of a piece. Run `r` holds the synapses `start[r]..start[r + 1]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse {
    pub runs: Runs,
    pub start: Vec<u32>,
    /// Units of the target tile.
    pub targets: Vec<u16>,
    pub weights: Narrow,
}

/// Weights of a piece.
#[derive(Clone, Debug)]
pub(super) enum Narrow {
    Uniform(u32),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    /// 16 bits and what 1 is worth.
    Scaled(Vec<i16>, f32),
}

impl Default for Narrow {
    fn default() -> Self {
        Narrow::Uniform(0)
    }
}

impl Narrow {
    pub fn all(&self) -> Row<'_> {
        match self {
            Narrow::Uniform(w) => Row::Uniform(*w),
            Narrow::I8(v) => Row::I8(v),
            Narrow::I16(v) => Row::I16(v),
            Narrow::I32(v) => Row::I32(v),
            Narrow::F32(v) => Row::F32(v),
            Narrow::Scaled(v, scale) => Row::Scaled(v, *scale),
        }
    }

    /// Room for `n` weights of a kind.
    pub fn zeros(kind: WeightKind, n: usize) -> Self {
        match kind {
            WeightKind::Uniform(w) => Narrow::Uniform(w),
            WeightKind::I8 => Narrow::I8(vec![0; n]),
            WeightKind::I16 => Narrow::I16(vec![0; n]),
            WeightKind::I32 => Narrow::I32(vec![0; n]),
            WeightKind::F32 => Narrow::F32(vec![0.0; n]),
            WeightKind::Scaled(w) => Narrow::Scaled(vec![0; n], f32::from_bits(w)),
        }
    }

    /// Copies the weights `range` of `from`, which has the same kind, to the places from `at` on.
    pub fn copy(&mut self, at: usize, from: &Weights, range: Range<usize>) {
        let to = at..at + range.len();
        match (self, from) {
            (Narrow::I8(v), Weights::I8(w)) => v[to].copy_from_slice(&w[range]),
            (Narrow::I16(v), Weights::I16(w)) => v[to].copy_from_slice(&w[range]),
            (Narrow::I32(v), Weights::I32(w)) => v[to].copy_from_slice(&w[range]),
            (Narrow::F32(v), Weights::F32(w)) => v[to].copy_from_slice(&w[range]),
            _ => {}
        }
    }

    fn like(w: &Weights) -> Self {
        match w {
            Weights::Uniform(w) => Narrow::Uniform(*w),
            Weights::I8(_) => Narrow::I8(vec![]),
            Weights::I16(_) => Narrow::I16(vec![]),
            Weights::I32(_) => Narrow::I32(vec![]),
            Weights::F32(_) => Narrow::F32(vec![]),
        }
    }

    /// Appends weight `i` of `from`, which has the same kind.
    fn push(&mut self, from: &Weights, i: usize) {
        match (self, from) {
            (Narrow::I8(v), Weights::I8(w)) => v.push(w[i]),
            (Narrow::I16(v), Weights::I16(w)) => v.push(w[i]),
            (Narrow::I32(v), Weights::I32(w)) => v.push(w[i]),
            (Narrow::F32(v), Weights::F32(w)) => v.push(w[i]),
            _ => {}
        }
    }

    /// The weight that all synapses of a range share; 0 if there are none.
    fn one(&self, range: Range<usize>) -> Option<u32> {
        fn same<T: PartialEq + Copy>(v: &[T], bits: impl Fn(T) -> u32) -> Option<u32> {
            match v.first() {
                None => Some(0),
                Some(&w) => v.iter().all(|x| *x == w).then(|| bits(w)),
            }
        }
        match self {
            Narrow::Uniform(w) => Some(*w),
            Narrow::I8(v) => same(&v[range], |w| w as i32 as u32),
            Narrow::I16(v) => same(&v[range], |w| w as i32 as u32),
            Narrow::I32(v) => same(&v[range], |w| w as u32),
            Narrow::F32(v) => same(&v[range], f32::to_bits),
            Narrow::Scaled(v, scale) => same(&v[range], |w| (w as f32 * scale).to_bits()),
        }
    }

    fn shrink(&mut self) {
        match self {
            Narrow::Uniform(_) => {}
            Narrow::I8(v) => v.shrink_to_fit(),
            Narrow::I16(v) => v.shrink_to_fit(),
            Narrow::I32(v) => v.shrink_to_fit(),
            Narrow::F32(v) => v.shrink_to_fit(),
            Narrow::Scaled(v, _) => v.shrink_to_fit(),
        }
    }
}

/// Sources and targets of a projection's ranges (first, how many), and where the first target is in its tile.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub sources: (u32, u32),
    pub targets: (u32, u32),
    pub at: u32,
    pub ring: u16,
}

/// The rows inside a window, their smallest delay and their timing. With `split`, runs that meet a target again are cut so
/// that no run holds a target twice.
pub(super) fn sparse(
    rows: &Rows,
    w: Window,
    split: bool,
    analog: bool,
) -> Option<(Sparse, u16, Timing)> {
    let mut out = Sparse {
        runs: Runs {
            row: vec![0],
            delay: vec![],
        },
        start: vec![0],
        weights: Narrow::like(&rows.weights),
        ..Sparse::default()
    };
    let end = w.targets.0 + w.targets.1;
    for s in w.sources.0..w.sources.0 + w.sources.1 {
        let (a, b) = (
            rows.row[s as usize] as usize,
            rows.row[s as usize + 1] as usize,
        );
        for run in rows.runs[a..b].iter().rev() {
            let first = run.start as usize;
            let t = &rows.targets[first..first + run.len as usize];
            let lo = t.partition_point(|&t| t < w.targets.0);
            let hi = lo + t[lo..].partition_point(|&t| t < end);
            if lo < hi {
                let put = |t: u32| (t - w.targets.0 + w.at) as u16;
                out.push_run(rows, (first + lo, first + hi), put, split, run.delay);
            }
        }
        out.runs.row.push(out.runs.delay.len() as u32);
    }
    if out.targets.is_empty() {
        return None;
    }
    out.targets.shrink_to_fit();
    out.weights.shrink();
    let (least, most) = bounds(&out.runs.delay)?;
    let one_each = out.runs.row.windows(2).all(|r| r[1] - r[0] <= 1);
    let timing = match least == most && one_each && !analog {
        true => single(least, w.ring),
        false => Timing::Calendar(most),
    };
    if matches!(timing, Timing::After(_)) {
        out.one_run_each();
    }
    Some((out, least, timing))
}

fn bounds(delays: &[u16]) -> Option<(u16, u16)> {
    Some((*delays.iter().min()?, *delays.iter().max()?))
}

impl Sparse {
    /// Appends synapses `from..to` as one run, or as several of distinct targets each.
    fn push_run(
        &mut self,
        rows: &Rows,
        (from, to): (usize, usize),
        put: impl Fn(u32) -> u16,
        split: bool,
        delay: u16,
    ) {
        let t = &rows.targets[from..to];
        let mut left: Vec<usize> = vec![];
        for (k, &target) in t.iter().enumerate() {
            if split && k > 0 && t[k - 1] == target {
                left.push(k);
            } else {
                self.targets.push(put(target));
                self.weights.push(&rows.weights, from + k);
            }
        }
        self.close(delay);
        while !left.is_empty() {
            let mut later = vec![];
            let mut before = None;
            for k in left {
                if before == Some(t[k]) {
                    later.push(k);
                } else {
                    self.targets.push(put(t[k]));
                    self.weights.push(&rows.weights, from + k);
                    before = Some(t[k]);
                }
            }
            self.close(delay);
            left = later;
        }
    }

    fn close(&mut self, delay: u16) {
        self.runs.delay.push(delay);
        self.start.push(self.targets.len() as u32);
    }

    /// Renumbers so that run `i` is the row of source `i`.
    fn one_run_each(&mut self) {
        let start = &self.start;
        let row = self.runs.row.iter();
        self.start = row.map(|&r| start[r as usize]).collect();
        self.runs = Runs::default();
    }

    /// The synapses of every run.
    fn all_runs(&self) -> impl Iterator<Item = Range<usize>> {
        self.start.windows(2).map(|w| w[0] as usize..w[1] as usize)
    }

    /// The synapses of a run.
    #[inline]
    pub fn synapses(&self, run: usize) -> Range<usize> {
        self.start[run] as usize..self.start[run + 1] as usize
    }
}

/// Rows whose targets lie close together, each as a stretch of a dense row: a stretch is added by vector operations, a
/// synapse of a sparse row by itself. Stretches begin at multiples of [`STRETCH`] places.
#[derive(Clone, Debug)]
pub(super) struct Windows {
    pub runs: Runs,
    /// Run `r` has the places `start[r]..start[r + 1]`, counted over all runs.
    start: Vec<u32>,
    /// Its first target.
    first: Vec<u16>,
    /// Its synapses.
    count: Vec<u16>,
    pub places: Places,
}

/// What is at the places of stretches.
#[derive(Clone, Debug)]
pub(super) enum Places {
    /// A bit for each, 32 in a word, and the weight of each run.
    Bits { words: Vec<u32>, weight: Vec<u32> },
    /// A weight for each, 0 where there is no synapse. Only for wrapping sums, where adding 0 changes nothing.
    Bytes(Vec<i8>),
}

/// Places of a word of bits.
const STRETCH: usize = 32;

/// Most places for a synapse: measured, a bit costs about a twentieth of a synapse of a sparse row, a byte a fifteenth,
/// and the end of each sparse row costs as much as ten synapses.
const MOST_BITS: usize = 16;
const MOST_BYTES: usize = 10;

impl Windows {
    /// The same rows, if their weights allow it and the stretches are not too empty. `wraps`: are arrivals wrapping sums?
    pub fn new(s: &Sparse, wraps: bool) -> Option<Windows> {
        let mut out = Windows {
            runs: s.runs.clone(),
            start: vec![0],
            first: vec![],
            count: vec![],
            places: Places::Bytes(vec![]),
        };
        let mut at = 0;
        for run in s.all_runs() {
            let t = &s.targets[run];
            if let (Some(&a), Some(&b)) = (t.first(), t.last()) {
                let a = a as usize / STRETCH;
                at += (b as usize / STRETCH + 1 - a) * STRETCH;
                out.first.push((a * STRETCH) as u16);
            } else {
                out.first.push(0);
            }
            out.start.push(u32::try_from(at).ok()?);
            out.count.push(t.len() as u16);
        }
        let per_synapse = at.div_ceil(s.targets.len().max(1));
        out.places = match () {
            _ if per_synapse > MOST_BITS => return None,
            _ if s.all_runs().all(|r| s.weights.one(r).is_some()) => out.bits(s)?,
            _ if wraps && per_synapse <= MOST_BYTES => out.bytes(s)?,
            _ => return None,
        };
        Some(out)
    }

    /// The place of each synapse of each run: `f(run, place, synapse)`.
    fn each(&self, s: &Sparse, mut f: impl FnMut(usize, usize, usize) -> Option<()>) -> Option<()> {
        for (r, run) in s.all_runs().enumerate() {
            for k in run {
                let place = self.start[r] as usize + (s.targets[k] - self.first[r]) as usize;
                f(r, place, k)?;
            }
        }
        Some(())
    }

    fn bits(&self, s: &Sparse) -> Option<Places> {
        let mut words = vec![0u32; *self.start.last()? as usize / STRETCH];
        self.each(s, |_, place, _| {
            let (word, bit) = (&mut words[place / STRETCH], 1 << (place % STRETCH));
            // A target that a run meets twice needs two synapses.
            let fresh = *word & bit == 0;
            *word |= bit;
            fresh.then_some(())
        })?;
        let weight = s
            .all_runs()
            .map(|r| s.weights.one(r).unwrap_or(0))
            .collect();
        Some(Places::Bits { words, weight })
    }

    fn bytes(&self, s: &Sparse) -> Option<Places> {
        let Narrow::I8(weights) = &s.weights else {
            return None;
        };
        let mut all = vec![0i8; *self.start.last()? as usize];
        self.each(s, |_, place, k| {
            all[place] = all[place].checked_add(weights[k])?;
            Some(())
        })?;
        Some(Places::Bytes(all))
    }

    /// The stretch of a run: places, first target, synapses.
    #[inline]
    pub fn stretch(&self, run: usize) -> (Range<usize>, usize, u64) {
        let range = self.start[run] as usize..self.start[run + 1] as usize;
        (range, self.first[run] as usize, self.count[run] as u64)
    }
}
