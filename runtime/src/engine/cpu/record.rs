//! What probes see: gathered by each worker as it runs, put together when an `advance` ends.
//!
//! In: emissions and states of single tiles. Out: a [`Record`] in its canonical order. Invariant: the order does not depend
//! on which worker saw what.

use super::plan::Plan;
use super::spikes::List;
use crate::engine::{Record, Spike, Trace};
use synfire_ir::program::{Observable, Probe, Program, Range};
use synfire_kernels::cpu::Aligned;

/// What one worker saw since it was last emptied.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub spikes: Vec<Spike>,
    /// For each probe its words, step by step; within a step by tile.
    words: Vec<Vec<u32>>,
}

impl Seen {
    pub fn new(p: &Program) -> Self {
        Seen {
            spikes: vec![],
            words: vec![vec![]; p.probes.len()],
        }
    }

    /// Emissions of a tile that begins at unit `start` of the group.
    pub fn events(
        &mut self,
        k: u32,
        probe: &Probe,
        sample: u32,
        step: u32,
        start: u32,
        list: &List,
    ) {
        if probe.what != Observable::Events {
            return;
        }
        let Range { start: first, len } = probe.range;
        let skip = first.saturating_sub(start);
        let end = (first as u64 + len as u64).saturating_sub(start as u64) as u32;
        for i in list.within(skip, end.saturating_sub(skip)) {
            self.spikes.push(Spike {
                sample,
                step,
                probe: k,
                unit: start + list.units[i],
                payload: list.payload(i),
            });
        }
    }

    /// States of a tile, if the probe reads them after this step.
    pub fn states(&mut self, k: u32, probe: &Probe, step: u32, start: u32, state: &[Aligned]) {
        if let Observable::State(s) = probe.what
            && due(probe, step)
        {
            let column = &state[s as usize];
            let (a, b) = inside(probe.range, start, column.len() as u32);
            self.words[k as usize].extend_from_slice(&column[a..b]);
        }
    }
}

/// Is a state probe read after this step?
fn due(probe: &Probe, step: u32) -> bool {
    (step as u64 + 1).is_multiple_of(probe.every as u64)
}

/// The units of a tile that lie in the range.
fn inside(range: Range, start: u32, len: u32) -> (usize, usize) {
    let end = (range.start as u64 + range.len as u64).min(start as u64 + len as u64);
    let a = range.start.max(start).min(start + len);
    let b = (end as u32).max(a);
    ((a - start) as usize, (b - start) as usize)
}

/// Tiles as (owner, first unit, units), in order of units: how the words of a probe lie in what the workers saw.
fn parts(plan: &Plan, group: u32) -> Vec<(usize, u32, u32)> {
    let tiles = &plan.tiles[plan.of_group[group as usize].clone()];
    tiles.iter().map(|t| (t.owner, t.start, t.len)).collect()
}

/// Moves what was seen in the steps `from..to` to the record; `seen[sample][worker]`.
pub(super) fn put(
    plan: &Plan,
    (from, to): (u32, u32),
    mut seen: Vec<Vec<Seen>>,
    record: &mut Record,
) {
    let probes = &plan.program.probes;
    if record.traces.len() < probes.len() {
        record.traces.resize(probes.len(), Trace::default());
    }
    let first = record.spikes.len();
    for s in seen.iter_mut().flatten() {
        record.spikes.append(&mut s.spikes);
    }
    let key = |s: &Spike| (s.step, s.sample, s.probe, s.unit);
    let new = &mut record.spikes[first..];
    if !new.is_sorted_by_key(key) {
        new.sort_by_key(key);
    }
    for (k, probe) in probes.iter().enumerate() {
        let Observable::State(_) = probe.what else {
            continue;
        };
        let steps: Vec<u32> = (from..to).filter(|&t| due(probe, t)).collect();
        let trace = &mut record.traces[k];
        let parts = parts(plan, probe.group);
        let mut cursor: Vec<Vec<usize>> = seen.iter().map(|w| vec![0; w.len()]).collect();
        for _ in &steps {
            for (workers, cursor) in seen.iter().zip(&mut cursor) {
                for &(owner, start, len) in &parts {
                    let (a, b) = inside(probe.range, start, len);
                    let words = &workers[owner].words[k];
                    let at = &mut cursor[owner];
                    trace.values.extend_from_slice(&words[*at..*at + b - a]);
                    *at += b - a;
                }
            }
        }
        trace.steps.extend(steps);
    }
}
