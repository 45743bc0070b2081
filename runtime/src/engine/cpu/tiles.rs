//! Groups cut into tiles, tiles given to workers, and where the accumulators of their ports lie.
//!
//! In: a checked program and the bounds of the cut. Out: tiles without arrivals yet. Invariant: nothing that a run computes
//! depends on the cut.

use super::pieces::fold;
use super::plan::{Cut, Tile};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use synfire_ir::program::{Carry, Program};
use synfire_kernels::cpu::stream::VOID;

/// Where the accumulator of a port of a tile lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Arena of the worker.
    pub arena: usize,
    pub at: u32,
}

/// The tiles of all groups, and those of each group.
pub(super) fn tiles(p: &Program, cut: Cut) -> (Vec<Tile>, Vec<Range<usize>>) {
    let (mut tiles, mut of_group) = (vec![], vec![]);
    for (group, g) in p.groups.iter().enumerate() {
        let first = tiles.len();
        let model = p.model_of(group as u32);
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
                free: p.plastic.is_empty()
                    && g.phase == 0
                    && model.is_some_and(|m| m.ports.is_empty()),
                owner: 0,
                slots: vec![None; model.map_or(0, |m| m.ports.len())],
                pieces: vec![],
                late: vec![],
                depth: 1,
                analog: vec![],
                listed: true,
                dense: false,
            });
        }
        of_group.push(first..tiles.len());
    }
    assign(p, &mut tiles, &of_group, cut.workers);
    analog(p, &mut tiles, &of_group);
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

/// Gives each worker a run of neighbouring tiles of every large group; small groups go to the least loaded worker.
fn assign(p: &Program, tiles: &mut [Tile], of_group: &[Range<usize>], workers: usize) {
    let mut arriving = vec![0u64; p.groups.len()];
    for pr in &p.projections {
        arriving[pr.target as usize] += pr.synapses();
    }
    let mut load = vec![0u64; workers];
    for (range, arriving) in of_group.iter().zip(arriving) {
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
            // Lane operations of a step: one in a hundred sources fires, and an event costs about ten.
            load[t.owner] += t.len as u64 * 20 + arriving / n as u64 / 10;
        }
    }
}

/// Finds the analog columns that projections and modulators read, and how far back.
fn analog(p: &Program, tiles: &mut [Tile], of_group: &[Range<usize>]) {
    let mut columns: BTreeMap<(u32, u16), usize> = BTreeMap::new();
    for pr in &p.projections {
        if let (Some(state), Some((_, most))) = (output(p, pr.source, pr.carry), pr.delays()) {
            let depth = columns.entry((pr.source, state)).or_default();
            *depth = (*depth).max(most as usize + 1);
        }
    }
    for x in p.plastic.iter().flat_map(|x| &x.modulators) {
        if let Some(state) = output(p, x.source, x.carry) {
            let depth = columns.entry((x.source, state)).or_default();
            *depth = (*depth).max(x.delay as usize + 1);
        }
    }
    for ((group, state), depth) in columns {
        for t in &mut tiles[of_group[group as usize].clone()] {
            t.analog.push((state, depth));
        }
    }
}

/// The state behind an analog output.
pub(super) fn output(p: &Program, source: u32, carry: Carry) -> Option<u16> {
    match carry {
        Carry::Output(o) => Some(p.model_of(source)?.outputs.get(o as usize)?.state),
        Carry::Events => None,
    }
}

/// Gives each port without handler a place in an arena of its tile's worker, those of `first` (group, port) before the
/// others; returns the sizes of each worker's arenas, of which none exceeds `cut.arena` or holds the place [`VOID`].
pub(super) fn arenas(
    p: &Program,
    tiles: &mut [Tile],
    first: &BTreeSet<(u32, u16)>,
    cut: Cut,
) -> Vec<Vec<u32>> {
    let mut sizes: Vec<Vec<u32>> = vec![vec![]; cut.workers];
    for now in [true, false] {
        for t in tiles.iter_mut() {
            let Some(m) = p.model_of(t.group as u32) else {
                continue;
            };
            for port in 0..m.ports.len() as u16 {
                if m.handler(port).is_some() || first.contains(&(t.group as u32, port)) != now {
                    continue;
                }
                let own = &mut sizes[t.owner];
                match own.last() {
                    Some(n) if n + t.len <= cut.arena.min(VOID as u32) => {}
                    _ => own.push(0),
                }
                let arena = own.len() - 1;
                t.slots[port as usize] = Some(Slot {
                    arena,
                    at: own[arena],
                });
                // Each begins at a cache line.
                own[arena] += t.len.next_multiple_of(16);
            }
        }
    }
    sizes
}

/// The part of an arena that holds a slot of `len` units.
impl Slot {
    pub fn range(&self, len: usize) -> Range<usize> {
        self.at as usize..self.at as usize + len
    }
}

/// Is the port's accumulator a float sum or largest float, whose order matters?
pub(super) fn ordered(p: &Program, group: u32, port: u16) -> bool {
    let port = p.model_of(group).and_then(|m| m.ports.get(port as usize));
    port.is_some_and(|port| fold(port).is_float())
}
