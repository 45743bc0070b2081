//! Projections cut to tiles: what one tile of sources sends to one tile of targets, stored for delivery.
//!
//! In: a projection and the tiles of its two groups. Out: a [`Piece`] for each pair that has synapses, with u16 targets
//! within the tile and the weights as narrow as they came. Invariant: runs are numbered by source ascending, then delay
//! descending, so that ascending runs are in the canonical order of float sums and of handlers.

use super::rows::{Sparse, Window, Windows, sparse};
use synfire_ir::model::{Combine, Port, Ty};
use synfire_ir::program::{Layout, Projection, Weights};
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
        Row::Scaled(v, scale) => Row::Scaled(&v[range], scale),
    }
}

/// The synapses of a piece.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Rows(Sparse),
    Windows(Windows),
    /// Source `i` has the weights `origin + i * columns ..` for the targets `at..at + len` of the tile.
    Dense {
        weights: Weights,
        origin: usize,
        columns: usize,
        at: usize,
        len: usize,
    },
    /// Every source has one weight for the targets `at..at + len` of the tile, but for the target `source + own`, if that is one of
    /// them.
    Complete {
        weight: u32,
        own: Option<i64>,
        at: usize,
        len: usize,
    },
    /// Source `i` has the weight `origin + i` for the target `at + i` of the tile.
    Pairs {
        weights: Weights,
        origin: usize,
        at: usize,
    },
    /// Procedural rows of the worker, for this tile alone.
    Drawn(usize),
    /// Synapses that learn: a lesson of the worker, which delivers them all, whatever tile they come from.
    Learnt(usize),
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

impl Piece {
    /// Does each source reach one target?
    pub fn pairs(&self) -> bool {
        matches!(self.form, Form::Pairs { .. })
    }

    /// The place of a lesson, or of procedural rows, among pieces.
    pub fn stand_in(
        pr: &Projection,
        (form, least): (Form, u16),
        (fold, handled): (Fold, bool),
        from: Option<usize>,
    ) -> Self {
        Piece {
            port: pr.port,
            handled,
            source: from.unwrap_or(0),
            first: 0,
            count: 0,
            payload: Payload::AsIs,
            fold,
            timing: Timing::After(least),
            form,
            least,
        }
    }
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
                (self.form(sparse), timing, least)
            }
            Layout::Dense {
                delay,
                weights: Weights::Uniform(weight),
            } if !self.handled && self.column.is_none() => {
                let form = Form::Complete {
                    weight: *weight,
                    own: None,
                    at,
                    len: (d - c) as usize,
                };
                (form, single(*delay, self.ring), *delay)
            }
            Layout::Generated(rule) => {
                let (weight, delay, with_itself) = rule.complete()?;
                // Source `t + own` of the ranges is target `t`.
                let apart = rule.own.filter(|_| !with_itself);
                let form = Form::Complete {
                    weight,
                    own: apart.map(|o| s0 as i64 - o - t0 as i64 + at as i64),
                    at,
                    len: (d - c) as usize,
                };
                (form, single(delay, self.ring), delay)
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
        Some(Piece {
            port: pr.port,
            handled: self.handled,
            source: from.tile,
            first: first - from.start,
            count,
            payload: self.payload(),
            fold: fold(self.port),
            timing,
            form,
            least,
        })
    }
}

impl Link<'_> {
    /// Rows in the form that is walked fastest.
    fn form(&self, sparse: Sparse) -> Form {
        let fold = fold(self.port);
        let sums = matches!(fold, Fold::AddI32 | Fold::AddF32);
        let eligible = sums && !self.handled && self.column.is_none();
        let windows = eligible.then(|| Windows::new(&sparse, fold == Fold::AddI32));
        match windows.flatten() {
            Some(windows) => Form::Windows(windows),
            None => Form::Rows(sparse),
        }
    }
}

/// First and last + 1 unit of the group that lie in both the range and the tile.
fn overlap(start: u32, len: u32, tile: Span) -> Option<(u32, u32)> {
    let a = start.max(tile.start);
    let b = (start + len).min(tile.start + tile.len);
    (a < b).then_some((a, b))
}

pub(super) fn single(delay: u16, ring: u16) -> Timing {
    match delay <= ring {
        true => Timing::After(delay),
        false => Timing::Calendar(delay),
    }
}
