//! A program laid out for this engine: groups cut into tiles, blocks lowered to kernels, projections cut to pieces, tiles
//! given to workers.
//!
//! In: a checked program and the number of workers. Out: a [`Plan`], shared by all samples and threads and never changed.
//! Invariant: what a run computes does not depend on the cut: lanes are independent, and each target meets its events in
//! one order (projection, source, older first).

use super::pieces::{Form, Link, Piece, Span, Timing, fold};
use crate::engine::snapshot::Reach;
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::program::{Carry, Column, GroupKind, Layout, Program, Projection};
use synfire_kernels::cpu::deliver::Fold;
use synfire_kernels::cpu::{Fixed, Isa, Kernel, lower};

/// Bounds of the cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// Most units of a tile: an accumulator of 8192 words lies within a first-level cache.
    pub tile: u32,
    /// Lanes of a register.
    pub lanes: usize,
    /// Threads that work on one sample.
    pub workers: usize,
    /// Longest delay in steps that rings hold; longer ones go through a sparse calendar.
    pub ring: u16,
}

/// Units of a group that are updated together.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    pub group: usize,
    /// First unit of the group.
    pub start: u32,
    pub len: u32,
    /// `None` for an external group, which is one tile.
    pub phase: Option<u16>,
    /// The worker that updates it; external tiles are filled by every worker.
    pub owner: usize,
    /// What arrives here, by projection, then source.
    pub pieces: Vec<Piece>,
    /// For each port without handler how arrivals combine; `None` for ports with one.
    pub folds: Vec<Option<Fold>>,
    /// Lists of emissions to keep.
    pub depth: usize,
    /// Analog columns that projections read: (state, depth).
    pub analog: Vec<(u16, usize)>,
}

/// The code of a group.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub params: Vec<Column>,
    pub step: Kernel,
    /// Handlers by port.
    pub handlers: Vec<(u16, Kernel)>,
}

/// A program laid out.
#[derive(Debug)]
pub(super) struct Plan {
    pub program: Arc<Program>,
    pub isa: Isa,
    pub cut: Cut,
    /// By group, then first unit.
    pub tiles: Vec<Tile>,
    /// Tiles of each group.
    pub of_group: Vec<std::ops::Range<usize>>,
    /// One for each group; `None` for external ones.
    pub code: Vec<Option<Code>>,
    pub phases: u16,
    /// Smallest delay between tiles of different workers; `None` if they never meet.
    pub apart: Option<u16>,
    /// For each tile the (target tile, piece) whose calendars it enters its emissions in.
    pub subscribers: Vec<Vec<(usize, usize)>>,
    /// Which tiles send to other workers' tiles.
    pub exported: Vec<bool>,
    /// How long what groups send is under way.
    pub reach: Reach,
    /// Groups with tiles whose emissions stand in calendars: they are logged, so that they can be saved.
    pub logged: Vec<bool>,
    /// The longest reach of their events, in steps.
    pub longest: u32,
}

impl Plan {
    pub fn new(program: Arc<Program>, cut: Cut) -> Self {
        let p = &*program;
        let code = (0..p.groups.len()).map(|g| code(p, g)).collect();
        let (mut tiles, of_group) = tiles(p, cut);
        analog(p, &mut tiles, &of_group);
        pieces(p, &mut tiles, &of_group, cut.ring);
        assign(&mut tiles, &of_group, cut.workers);
        let reach = Reach::of(p);
        let subscribers = subscribers(&tiles);
        let mut logged = vec![false; p.groups.len()];
        for (t, to) in tiles.iter().zip(&subscribers) {
            logged[t.group] |= !to.is_empty();
        }
        depths(&mut tiles, &reach, &logged);
        let apart = foreign(&tiles).map(|p| p.least).min();
        let mut exported = vec![false; tiles.len()];
        foreign(&tiles).for_each(|p| exported[p.source] = true);
        Plan {
            isa: Isa::detect(),
            cut,
            subscribers,
            tiles,
            of_group,
            code,
            phases: p.phases(),
            apart,
            exported,
            longest: reach.events.iter().max().copied().unwrap_or(0).into(),
            reach,
            logged,
            program,
        }
    }

    /// Steps that workers may run before they exchange emissions.
    pub fn window(&self) -> u32 {
        (self.apart.unwrap_or(1).max(1) as u32).min(64)
    }
}

/// Is a step too short to be worth an exchange between threads?
pub(super) fn small(p: &Program) -> bool {
    let units: u64 = p.groups.iter().map(|g| g.size as u64).sum();
    units * 20 + p.synapses() / 10 < SMALL
}

/// Estimated lane operations of a step below which one thread is as fast as several.
const SMALL: u64 = 200_000;

pub(super) fn code(p: &Program, g: usize) -> Option<Code> {
    let GroupKind::Units {
        model,
        params,
        init,
    } = &p.groups[g].kind
    else {
        return None;
    };
    let m = &p.models[*model as usize];
    let words = |columns: &[Column]| {
        let word = |c: &Column| match c {
            Column::Uniform(w) => Some(*w),
            Column::PerUnit(_) => None,
        };
        columns.iter().map(word).collect()
    };
    let fixed = Fixed::new(m, words(params), words(init));
    Some(Code {
        params: params.clone(),
        step: lower(m, &m.step, &fixed),
        handlers: (m.handlers.iter())
            .map(|h| (h.port, lower(m, &h.block, &fixed)))
            .collect(),
    })
}

fn tiles(p: &Program, cut: Cut) -> (Vec<Tile>, Vec<std::ops::Range<usize>>) {
    let (mut tiles, mut of_group) = (vec![], vec![]);
    for (group, g) in p.groups.iter().enumerate() {
        let first = tiles.len();
        let model = p.model_of(group as u32);
        let folds: Vec<Option<Fold>> = model.map_or(vec![], |m| {
            (0..)
                .zip(&m.ports)
                .map(|(k, port)| m.handler(k).is_none().then(|| fold(port)))
                .collect()
        });
        let count = match model {
            Some(_) => tile_count(g.size, cut),
            None => 1,
        };
        for k in 0..count {
            let at = |k: u64| (g.size as u64 * k / count) as u32;
            let (start, end) = (at(k), at(k + 1));
            tiles.push(Tile {
                group,
                start,
                len: end - start,
                phase: model.map(|_| g.phase),
                owner: 0,
                pieces: vec![],
                folds: folds.clone(),
                depth: 1,
                analog: vec![],
            });
        }
        of_group.push(first..tiles.len());
    }
    (tiles, of_group)
}

/// Enough tiles for the bound, and a multiple of the workers if there are enough units to share.
pub(super) fn tile_count(size: u32, cut: Cut) -> u64 {
    let least = (size as u64).div_ceil(cut.tile as u64).max(1);
    let workers = cut.workers as u64;
    match size as u64 >= 64 * workers {
        true => least.next_multiple_of(workers),
        false => least,
    }
}

/// Finds the analog columns that projections read, and how far back.
fn analog(p: &Program, tiles: &mut [Tile], of_group: &[std::ops::Range<usize>]) {
    let mut columns: BTreeMap<(u32, u16), usize> = BTreeMap::new();
    for pr in &p.projections {
        if let (Some(state), Some((_, most))) = (output(p, pr.source, pr.carry), pr.delays()) {
            let depth = columns.entry((pr.source, state)).or_default();
            *depth = (*depth).max(most as usize + 1);
        }
    }
    for ((group, state), depth) in columns {
        for t in &mut tiles[of_group[group as usize].clone()] {
            t.analog.push((state, depth));
        }
    }
}

/// The state behind an analog output.
fn output(p: &Program, source: u32, carry: Carry) -> Option<u16> {
    match carry {
        Carry::Output(o) => Some(p.model_of(source)?.outputs.get(o as usize)?.state),
        Carry::Events => None,
    }
}

fn pieces(p: &Program, tiles: &mut [Tile], of_group: &[std::ops::Range<usize>], ring: u16) {
    let span = |tiles: &[Tile], tile: usize| Span {
        tile,
        start: tiles[tile].start,
        len: tiles[tile].len,
    };
    for pr in &p.projections {
        let Some(m) = p.model_of(pr.target) else {
            continue;
        };
        let sources = of_group[pr.source as usize].clone();
        let column = output(p, pr.source, pr.carry).and_then(|s| {
            let known = &tiles[sources.start].analog;
            known.iter().position(|c| c.0 == s)
        });
        let link = Link {
            projection: pr,
            port: &m.ports[pr.port as usize],
            handled: m.handler(pr.port).is_some(),
            graded: p.groups[pr.source as usize].graded,
            column,
            ring,
        };
        for to in of_group[pr.target as usize].clone() {
            for from in senders(pr, tiles, sources.clone(), to) {
                let piece = link.piece(span(tiles, from), span(tiles, to));
                tiles[to].pieces.extend(piece);
            }
        }
    }
}

/// The source tiles that may send to a target tile.
fn senders(
    pr: &Projection,
    tiles: &[Tile],
    sources: std::ops::Range<usize>,
    to: usize,
) -> std::ops::Range<usize> {
    if !matches!(pr.layout, Layout::OneToOne { .. }) {
        return sources;
    }
    // Source `i` of the range sends to target `i`.
    let (t, first) = (&tiles[to], pr.target_range.start);
    let low = t.start.saturating_sub(first) as u64 + pr.source_range.start as u64;
    let end = (t.start as u64 + t.len as u64).saturating_sub(first as u64);
    let high = end + pr.source_range.start as u64;
    let all = &tiles[sources.clone()];
    let a = all.partition_point(|s| s.start as u64 + s.len as u64 <= low);
    let b = all.partition_point(|s| (s.start as u64) < high);
    sources.start + a..sources.start + b.max(a)
}

/// Estimated work of a tile in a step, in lane operations.
fn work(t: &Tile) -> u64 {
    let synapses = |piece: &Piece| match &piece.form {
        Form::Rows(s) => s.targets.len() as u64,
        Form::Windows(w) => w.synapses(),
        Form::Dense { len, .. } => *len as u64 * piece.count as u64,
        Form::Pairs { .. } => piece.count as u64,
    };
    // One in a hundred sources fires in a typical step, and an event costs about ten lane operations.
    t.len as u64 * 20 + t.pieces.iter().map(synapses).sum::<u64>() / 10
}

/// Gives each worker a run of neighbouring tiles of every large group; small groups go to the least loaded worker.
fn assign(tiles: &mut [Tile], of_group: &[std::ops::Range<usize>], workers: usize) {
    let mut load = vec![0u64; workers];
    for range in of_group {
        let n = range.len();
        let group = &mut tiles[range.clone()];
        if n == 1 {
            let least = (0..workers).min_by_key(|&w| load[w]).unwrap_or(0);
            group[0].owner = least;
        } else {
            for (k, t) in group.iter_mut().enumerate() {
                t.owner = k * workers / n;
            }
        }
        for t in group.iter().filter(|t| t.phase.is_some()) {
            load[t.owner] += work(t);
        }
    }
}

/// How many lists each tile must keep for those that read its history, and for snapshots.
fn depths(tiles: &mut [Tile], reach: &Reach, logged: &[bool]) {
    let mut deep = vec![1usize; tiles.len()];
    for piece in tiles.iter().flat_map(|t| &t.pieces) {
        if let Timing::After(d) = piece.timing {
            deep[piece.source] = deep[piece.source].max(d as usize + 1);
        }
    }
    for (t, d) in tiles.iter_mut().zip(deep) {
        let kept = match logged[t.group] {
            true => 1,
            false => reach.events[t.group] as usize + 1,
        };
        t.depth = d.max(kept);
    }
}

/// Pieces whose sources are updated by another worker than their targets.
fn foreign(tiles: &[Tile]) -> impl Iterator<Item = &Piece> {
    let apart = |t: &Tile, from: &Tile| from.phase.is_some() && from.owner != t.owner;
    (tiles.iter()).flat_map(move |t| {
        let pieces = t.pieces.iter();
        pieces.filter(move |p| apart(t, &tiles[p.source]))
    })
}

fn subscribers(tiles: &[Tile]) -> Vec<Vec<(usize, usize)>> {
    let mut out = vec![vec![]; tiles.len()];
    for (target, t) in tiles.iter().enumerate() {
        for (k, piece) in t.pieces.iter().enumerate() {
            if matches!(piece.timing, Timing::Calendar(_)) {
                out[piece.source].push((target, k));
            }
        }
    }
    out
}
