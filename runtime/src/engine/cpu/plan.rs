//! A program laid out for this engine: groups cut into tiles that workers own, blocks lowered to kernels, projections laid
//! out as bundles and pieces.
//!
//! In: a checked program and the number of workers. Out: a [`Plan`], shared by all samples and threads and never changed.
//! Invariant: what a run computes does not depend on the cut: lanes are independent, and each target meets its events in
//! one order (projection, source, older first).

use super::bundle::Bundle;
use super::pieces::{Form, Piece, Timing};
use super::sequence::{Item, Sequence, bundled_ports, sequence};
use super::tiles::{Slot, arenas, tiles};
use super::window;
use crate::engine::snapshot::Reach;
use std::sync::Arc;
use synfire_ir::program::{Column, GroupKind, Observable, Program};
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
    /// Most words of an arena, at most 65,536.
    pub arena: u32,
    /// Mean synapses of a source and delay from which rows of several delays are bundled.
    pub fill: u64,
    /// Mean synapses of a row from which rows of several delays are a stream.
    pub long: u64,
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
    /// Does nothing arrive here, so that its update need not wait for anybody? Never where synapses learn: rules read units.
    pub free: bool,
    /// The worker that updates it; external tiles are filled by every worker.
    pub owner: usize,
    /// Accumulators of the ports; `None` for ports with handlers.
    pub slots: Vec<Option<Slot>>,
    /// What arrives here outside bundles, by projection, then source.
    pub pieces: Vec<Piece>,
    /// Those of them that arrive in the phase at ports without handler.
    pub late: Vec<usize>,
    /// Lists of emissions to keep.
    pub depth: usize,
    /// Analog columns that projections read: (state, depth).
    pub analog: Vec<(u16, usize)>,
    /// Are emissions kept as lists, and as a word for each unit?
    pub listed: bool,
    pub dense: bool,
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
    /// Words of each worker's arenas.
    pub arenas: Vec<Vec<u32>>,
    /// By worker: its bundles, and all that it delivers at the beginning of a step.
    pub sequence: Sequence,
    /// By worker: the groups whose recent emissions it keeps.
    pub windows: Vec<Vec<window::Span>>,
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
        let code: Vec<Option<Code>> = (0..p.groups.len()).map(|g| code(p, g)).collect();
        let (mut tiles, of_group) = tiles(p, cut);
        let arenas = arenas(p, &mut tiles, &bundled_ports(p, cut), cut);
        let sequence = sequence(p, &mut tiles, &of_group, cut);
        let windows: Vec<_> = sequence.bundles.iter().map(|b| windows(b)).collect();
        let reach = Reach::of(p);
        let subscribers = subscribers(&tiles);
        let mut logged = vec![false; p.groups.len()];
        for (t, to) in tiles.iter().zip(&subscribers) {
            logged[t.group] |= !to.is_empty();
        }
        depths(p, &mut tiles, &of_group, &sequence, (&reach, &logged));
        emissions(p, &mut tiles, &of_group, &code, (&sequence, &logged));
        let apart = foreign(p, &tiles, &of_group, &sequence)
            .map(|(_, d)| d)
            .min();
        let mut exported = vec![false; tiles.len()];
        foreign(p, &tiles, &of_group, &sequence).for_each(|(t, _)| exported[t] = true);
        Plan {
            isa: Isa::detect(),
            cut,
            subscribers,
            tiles,
            of_group,
            code,
            arenas,
            sequence,
            windows,
            phases: p.phases(),
            apart,
            exported,
            longest: reach.events.iter().max().copied().unwrap_or(0).into(),
            reach,
            logged,
            program,
        }
    }

    /// Steps after which workers tell one another what they emitted, and after how many such turns it is needed at the
    /// latest: a third of the smallest delay between them, so that they need not keep the same pace.
    pub fn turns(&self) -> (u32, usize) {
        let apart = self.apart.unwrap_or(1).clamp(1, 64);
        let block = (apart / 3).max(1);
        (block.into(), (apart / block).into())
    }
}

impl Plan {
    /// What a worker delivers at the beginning of a step.
    pub fn early(&self, worker: usize) -> &[Item] {
        &self.sequence.early[worker]
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

/// The groups whose bundles have rows of several delays, and from which to which delay.
fn windows(bundles: &[Bundle]) -> Vec<window::Span> {
    let mut out: Vec<window::Span> = vec![];
    for b in bundles.iter().filter(|b| !b.is_stream()) {
        let Timing::Calendar(most) = b.timing() else {
            continue;
        };
        match out.iter_mut().find(|w| w.group == b.kind.source) {
            Some(w) => w.delays = (w.delays.0.min(b.least), w.delays.1.max(most)),
            None => out.push(window::Span {
                group: b.kind.source,
                from: b.from.clone(),
                delays: (b.least, most),
            }),
        }
    }
    out
}

/// How many lists each tile must keep for those that read its history, and for snapshots.
fn depths(
    p: &Program,
    tiles: &mut [Tile],
    of_group: &[std::ops::Range<usize>],
    sequence: &Sequence,
    (reach, logged): (&Reach, &[bool]),
) {
    let mut deep = vec![1usize; tiles.len()];
    let mut need = |tile: usize, delay: u16| deep[tile] = deep[tile].max(delay as usize + 1);
    for piece in tiles.iter().flat_map(|t| &t.pieces) {
        if let Timing::After(d) = piece.timing {
            need(piece.source, d);
        }
    }
    for b in sequence.bundles.iter().flatten() {
        let (Timing::After(longest) | Timing::Calendar(longest)) = b.timing() else {
            continue;
        };
        b.from.iter().for_each(|f| need(f.tile, longest));
    }
    for r in sequence.procedural.iter().flatten() {
        r.from.iter().for_each(|f| need(f.tile, r.delays.1));
    }
    for l in sequence.lessons.iter().flatten() {
        let longest = l.delays.first().copied().unwrap_or(1);
        l.from.iter().for_each(|f| need(f.0, longest));
        need(l.tile, p.plastic[l.plastic].post_delay);
    }
    for x in p.plastic.iter().flat_map(|x| &x.modulators) {
        of_group[x.source as usize]
            .clone()
            .for_each(|t| need(t, x.delay));
    }
    for (t, d) in tiles.iter_mut().zip(deep) {
        let kept = match logged[t.group] {
            true => 1,
            false => reach.events[t.group] as usize + 1,
        };
        t.depth = d.max(kept);
    }
}

/// Chooses how tiles keep their emissions: as a word for each unit where they emit payloads that go to one unit each, and
/// as lists for everyone else who reads them.
fn emissions(
    p: &Program,
    tiles: &mut [Tile],
    of_group: &[std::ops::Range<usize>],
    code: &[Option<Code>],
    (sequence, logged): (&Sequence, &[bool]),
) {
    let mut paired = vec![false; tiles.len()];
    let mut listed = vec![false; tiles.len()];
    for piece in tiles.iter().flat_map(|t| &t.pieces) {
        match (&piece.form, piece.timing) {
            (Form::Pairs { .. }, Timing::After(_)) if !piece.handled => paired[piece.source] = true,
            (_, Timing::Analog(_)) => {}
            _ => listed[piece.source] = true,
        }
    }
    let from = sequence.bundles.iter().flatten().flat_map(|b| &b.from);
    let drawn = sequence.procedural.iter().flatten().flat_map(|r| &r.from);
    from.chain(drawn).for_each(|f| listed[f.tile] = true);
    for l in sequence.lessons.iter().flatten() {
        l.from.iter().for_each(|f| listed[f.0] = true);
        listed[l.tile] = true;
    }
    for x in p.plastic.iter().flat_map(|x| &x.modulators) {
        of_group[x.source as usize]
            .clone()
            .for_each(|t| listed[t] = true);
    }
    for probe in p.probes.iter().filter(|p| p.what == Observable::Events) {
        of_group[probe.group as usize]
            .clone()
            .for_each(|t| listed[t] = true);
    }
    for (k, t) in tiles.iter_mut().enumerate() {
        let emit = code[t.group].as_ref().and_then(|c| c.step.emit());
        t.dense = paired[k] && emit.is_some_and(|e| !e.spikes);
        t.listed = listed[k] || !t.dense || logged[t.group];
    }
}

/// Tiles of other workers that a worker's tiles hear of, and after how many steps.
fn foreign(
    p: &Program,
    tiles: &[Tile],
    of_group: &[std::ops::Range<usize>],
    sequence: &Sequence,
) -> impl Iterator<Item = (usize, u16)> {
    let apart =
        |owner: usize, from: usize| tiles[from].phase.is_some() && tiles[from].owner != owner;
    let pieces = (tiles.iter()).flat_map(move |t| {
        let pieces = t.pieces.iter().filter(move |p| apart(t.owner, p.source));
        pieces.map(|p| (p.source, p.least))
    });
    let bundles = sequence
        .bundles
        .iter()
        .enumerate()
        .flat_map(move |(w, bundles)| {
            bundles.iter().flat_map(move |b| {
                let from = b.from.iter().filter(move |f| apart(w, f.tile));
                from.map(|f| (f.tile, b.least))
            })
        });
    let procedural = sequence.procedural.iter().enumerate();
    let procedural = procedural.flat_map(move |(w, rows)| {
        rows.iter().flat_map(move |r| {
            let from = r.from.iter().filter(move |f| apart(w, f.tile));
            from.map(|f| (f.tile, r.delays.0))
        })
    });
    let lessons = sequence.lessons.iter().flatten().flat_map(move |l| {
        let from = l
            .from
            .iter()
            .filter(move |f| apart(tiles[l.tile].owner, f.0));
        from.map(|f| (f.0, l.least()))
    });
    // Whoever learns reads all units that its modulators come from.
    let modulators = sequence
        .lessons
        .iter()
        .enumerate()
        .flat_map(move |(w, lessons)| {
            lessons.iter().flat_map(move |l| {
                let all = p.plastic[l.plastic].modulators.iter();
                all.flat_map(move |x| {
                    let from = of_group[x.source as usize].clone();
                    from.filter(move |&t| apart(w, t)).map(|t| (t, x.delay))
                })
            })
        });
    let stored = pieces.chain(bundles);
    stored.chain(procedural).chain(lessons).chain(modulators)
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
