//! Projections cut to tiles: what one tile of sources sends to one tile of targets, stored for delivery.
//!
//! In: a projection and the tiles of its two groups. Out: a [`Piece`] for each pair that has synapses, with u16 targets
//! within the tile and the weights as narrow as they came. Invariant: runs are numbered by source ascending, then delay
//! descending, so that ascending runs are in the canonical order of float sums and of handlers.

use synfire_ir::model::{Combine, Port, Ty};
use synfire_ir::program::{Carry, Layout, Projection, Rows, Weights};
use synfire_kernels::cpu::deliver::{Fold, Row};

/// A tile as the re-tiling sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Index of the tile.
    pub tile: usize,
    /// First unit of the group.
    pub start: u32,
    /// Units.
    pub len: u32,
}

/// When events that a source sends are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timing {
    /// After this many steps, every one: read from the source's history.
    After(u16),
    /// After the delay of each run, at most this: entered in a calendar.
    Calendar(u16),
    /// The value of this analog column of the source, in every step.
    Analog(usize),
}

/// How a payload becomes a factor of the weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload {
    /// As it is: integers at an integer port, float bits at a float port.
    AsIs,
    /// An integer at a float port.
    ToFloat,
}

impl Payload {
    pub fn factor(self, x: u32) -> u32 {
        match self {
            Payload::AsIs => x,
            Payload::ToFloat => (x as i32 as f32).to_bits(),
        }
    }
}

/// Sparse rows of a piece. Run `r` holds the synapses `start[r]..start[r + 1]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse {
    /// Runs of source `i` are `row[i]..row[i + 1]`; empty if every source has exactly one run.
    pub row: Vec<u32>,
    /// Delay of each run; empty if all are equal.
    pub delay: Vec<u16>,
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

    fn shrink(&mut self) {
        match self {
            Narrow::Uniform(_) => {}
            Narrow::I8(v) => v.shrink_to_fit(),
            Narrow::I16(v) => v.shrink_to_fit(),
            Narrow::I32(v) => v.shrink_to_fit(),
            Narrow::F32(v) => v.shrink_to_fit(),
        }
    }
}

/// Part of an array of weights.
pub(super) fn slice(w: &Weights, range: std::ops::Range<usize>) -> Row<'_> {
    match w {
        Weights::Uniform(w) => Row::Uniform(*w),
        Weights::I8(v) => Row::I8(&v[range]),
        Weights::I16(v) => Row::I16(&v[range]),
        Weights::I32(v) => Row::I32(&v[range]),
        Weights::F32(v) => Row::F32(&v[range]),
    }
}

/// Part of a row.
pub(super) fn part<'a>(row: Row<'a>, range: std::ops::Range<usize>) -> Row<'a> {
    match row {
        Row::Uniform(w) => Row::Uniform(w),
        Row::I8(v) => Row::I8(&v[range]),
        Row::I16(v) => Row::I16(&v[range]),
        Row::I32(v) => Row::I32(&v[range]),
        Row::F32(v) => Row::F32(&v[range]),
    }
}

/// The synapses of a piece.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Rows(Sparse),
    /// Source `i` has the weights `origin + i * columns ..` for the targets `at..at + len` of the tile.
    Dense {
        weights: Weights,
        origin: usize,
        columns: usize,
        at: usize,
        len: usize,
    },
    /// Source `i` has the weight `origin + i` for the target `at + i` of the tile.
    Pairs {
        weights: Weights,
        origin: usize,
        at: usize,
    },
}

/// What one tile of sources sends to one tile of targets through one projection.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// Port of the target's model.
    pub port: u16,
    /// Does the port have a handler?
    pub handled: bool,
    /// Tile of the sources.
    pub source: usize,
    /// First source, as a unit of its tile, and how many; sources count from here.
    pub first: u32,
    pub count: u32,
    pub payload: Payload,
    pub fold: Fold,
    pub timing: Timing,
    pub form: Form,
    /// Smallest delay of a synapse, in steps.
    pub least: u16,
}

/// What an event at a port does to its accumulator.
pub(super) fn fold(port: &Port) -> Fold {
    match (port.combine, port.ty) {
        (Combine::Max, Ty::F32) => Fold::MaxF32,
        (Combine::Max, _) => Fold::MaxI32,
        (_, Ty::F32) => Fold::AddF32,
        _ => Fold::AddI32,
    }
}

/// What the pieces of a projection have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub projection: &'a Projection,
    pub port: &'a Port,
    pub handled: bool,
    /// Do payloads hold float bits?
    pub graded: bool,
    /// Analog column of the source's tiles, if it carries an output.
    pub column: Option<usize>,
    /// Longest delay in steps that sources keep their lists for.
    pub ring: u16,
}

impl Link<'_> {
    /// The piece between two tiles; `None` if they share no synapse.
    pub fn piece(&self, from: Span, to: Span) -> Option<Piece> {
        let pr = self.projection;
        let (a, b) = overlap(pr.source_range.start, pr.source_range.len, from)?;
        let (c, d) = overlap(pr.target_range.start, pr.target_range.len, to)?;
        // Indices within the projection's ranges, and within the target tile.
        let (s0, t0) = (a - pr.source_range.start, c - pr.target_range.start);
        let at = (c - to.start) as usize;
        let (first, mut count) = (a, b - a);
        let mut first = first;
        let (form, mut timing, least) = match &pr.layout {
            Layout::Rows(rows) => {
                let window = Window {
                    sources: (s0, count),
                    targets: (t0, d - c),
                    at: at as u32,
                    ring: self.ring,
                };
                let split = self.handled;
                let (sparse, least, timing) = sparse(rows, window, split, self.column.is_some())?;
                (Form::Rows(sparse), timing, least)
            }
            Layout::Dense { delay, weights } => {
                let columns = pr.target_range.len as usize;
                let form = Form::Dense {
                    weights: weights.clone(),
                    origin: s0 as usize * columns + t0 as usize,
                    columns,
                    at,
                    len: (d - c) as usize,
                };
                (form, single(*delay, self.ring), *delay)
            }
            Layout::OneToOne { delay, weights } => {
                let (lo, hi) = (s0.max(t0), (s0 + count).min(t0 + (d - c)));
                if lo >= hi {
                    return None;
                }
                first += lo - s0;
                count = hi - lo;
                let form = Form::Pairs {
                    weights: weights.clone(),
                    origin: lo as usize,
                    at: at + (lo - t0) as usize,
                };
                (form, single(*delay, self.ring), *delay)
            }
            _ => return None,
        };
        if let Some(column) = self.column {
            timing = Timing::Analog(column);
        }
        let as_is = self.port.ty != Ty::F32 || self.graded || pr.carry != Carry::Events;
        Some(Piece {
            port: pr.port,
            handled: self.handled,
            source: from.tile,
            first: first - from.start,
            count,
            payload: if as_is {
                Payload::AsIs
            } else {
                Payload::ToFloat
            },
            fold: fold(self.port),
            timing,
            form,
            least,
        })
    }
}

/// First and last + 1 unit of the group that lie in both the range and the tile.
fn overlap(start: u32, len: u32, tile: Span) -> Option<(u32, u32)> {
    let a = start.max(tile.start);
    let b = (start + len).min(tile.start + tile.len);
    (a < b).then_some((a, b))
}

fn single(delay: u16, ring: u16) -> Timing {
    match delay <= ring {
        true => Timing::After(delay),
        false => Timing::Calendar(delay),
    }
}

/// Sources and targets of a projection's ranges (first, how many), and where the first target is in its tile.
#[derive(Clone, Copy)]
struct Window {
    sources: (u32, u32),
    targets: (u32, u32),
    at: u32,
    ring: u16,
}

/// The rows inside a window, their smallest delay and their timing. With `split`, runs that meet a target again are cut so
/// that no run holds a target twice.
fn sparse(rows: &Rows, w: Window, split: bool, analog: bool) -> Option<(Sparse, u16, Timing)> {
    let mut out = Sparse {
        row: vec![0],
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
        out.row.push(out.delay.len() as u32);
    }
    if out.targets.is_empty() {
        return None;
    }
    out.targets.shrink_to_fit();
    out.weights.shrink();
    let (least, most) = bounds(&out.delay)?;
    let one_each = out.row.windows(2).all(|r| r[1] - r[0] <= 1);
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
        let again = |k: usize| split && k > 0 && t[k] == t[k - 1];
        let mut left: Vec<usize> = vec![];
        for k in 0..t.len() {
            if again(k) {
                left.push(k);
            } else {
                self.targets.push(put(t[k]));
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
        self.delay.push(delay);
        self.start.push(self.targets.len() as u32);
    }

    /// Renumbers so that run `i` is the row of source `i`.
    fn one_run_each(&mut self) {
        let start = &self.start;
        let mut by_source: Vec<u32> = self.row.iter().map(|&r| start[r as usize]).collect();
        std::mem::swap(&mut self.start, &mut by_source);
        self.row = vec![];
        self.delay = vec![];
    }

    /// The runs of a source.
    pub fn runs(&self, source: u32) -> std::ops::Range<usize> {
        let s = source as usize;
        match self.row.is_empty() {
            true => s..s + 1,
            false => self.row[s] as usize..self.row[s + 1] as usize,
        }
    }

    /// The synapses of a run.
    #[inline]
    pub fn synapses(&self, run: usize) -> std::ops::Range<usize> {
        self.start[run] as usize..self.start[run + 1] as usize
    }
}
