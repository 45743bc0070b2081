//! The engine's state taken out between two steps, and put back, whatever the cut.
//!
//! In: histories, logs and calendars of the workers. Out: a [`Snapshot`], and the same again in an engine of another number
//! of workers. A calendar holds runs of one cut, so that it is not saved: the emissions behind it are logged, and are
//! entered again.

use super::deliver;
use super::plan::Plan;
use super::serial::Queue;
use super::spikes::{Calendar, List};
use super::worker::Worker;
use super::{Sample, open};
use crate::engine::snapshot::{Emission, Learnt, SampleState, Shown};
use std::collections::{BTreeMap, VecDeque};
use synfire_ir::program::{GroupKind, Plastic, Program};
use synfire_ir::synapse::Place;
use synfire_kernels::cpu::Aligned;

/// Emissions of the tiles whose lists are not kept as long as their delays last; oldest first.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: VecDeque<(u32, usize, List)>,
    spare: Vec<List>,
}

impl Log {
    /// Forgets what left before step `from`.
    pub fn forget(&mut self, from: u32) {
        while let Some(front) = self.entries.front()
            && front.0 < from
        {
            if let Some((_, _, mut list)) = self.entries.pop_front() {
                list.clear();
                self.spare.push(list);
            }
        }
    }

    /// Keeps a copy of what a tile emitted.
    pub fn keep(&mut self, step: u32, tile: usize, list: &List) {
        if list.units.is_empty() {
            return;
        }
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.units.extend_from_slice(&list.units);
        copy.payloads.extend_from_slice(&list.payloads);
        self.entries.push_back((step, tile, copy));
    }
}

/// Does the code of a group emit nothing but ones, so that its lists hold no payloads?
fn plain(plan: &Plan, group: usize) -> bool {
    let code = plan.code[group].as_ref();
    code.is_some_and(|c| c.step.emit().is_none_or(|e| e.spikes))
}

/// A sample of a stepped program before step `now`.
pub(super) fn save(plan: &Plan, sample: &Sample, now: u32) -> SampleState {
    let p = &plan.program;
    let mut out = SampleState {
        states: blank(p),
        learnt: p.plastic.iter().map(|x| unlearned(p, x)).collect(),
        ..Default::default()
    };
    let mut columns: BTreeMap<(u32, u32, u16), Vec<u32>> = BTreeMap::new();
    for worker in &sample.workers {
        let mut worker = open(worker);
        worker.learnt(plan, now.saturating_sub(1), |learner, at| {
            let all = &mut out.learnt[at.lesson.plastic];
            learner.exchange(at, all, |own, all| *all = *own);
        });
        let worker = &*worker;
        for units in &worker.units {
            let tile = &plan.tiles[units.tile];
            for (to, from) in out.states[tile.group].iter_mut().zip(&units.state) {
                let first = tile.start as usize;
                to[first..first + from.len()].copy_from_slice(from);
            }
        }
        for (k, tile) in plan.tiles.iter().enumerate() {
            if worker.reports(plan, k) {
                emissions(plan, worker, k, now, &mut out.events);
            }
            if tile.owner != worker.me || tile.phase.is_none() {
                continue;
            }
            for (column, &(state, _)) in tile.analog.iter().enumerate() {
                let group = tile.group as u32;
                let longest = plan.reach.analog.get(&(group, state)).copied().unwrap_or(0);
                for step in now.saturating_sub(longest.into())..now {
                    let words = columns.entry((step, group, state)).or_default();
                    words.resize(p.groups[tile.group].size as usize, 0);
                    let values = worker.history[k].analog(column, step);
                    let first = tile.start as usize;
                    words[first..first + values.len()].copy_from_slice(values);
                }
            }
        }
    }
    // The events of one unit and step come from one list, whose order they keep.
    out.events.sort_by_key(|e| (e.step, e.group, e.unit));
    let shown = columns.into_iter().filter(|c| !c.1.is_empty());
    out.analog = shown
        .map(|((step, group, state), values)| Shown {
            step,
            group,
            state,
            values,
        })
        .collect();
    out
}

fn emissions(plan: &Plan, worker: &Worker, tile: usize, now: u32, out: &mut Vec<Emission>) {
    let t = &plan.tiles[tile];
    let group = t.group as u32;
    let mut add = |step: u32, list: &List| {
        let each = list.iter().map(|(unit, payload)| Emission {
            step,
            group,
            unit: t.start + unit,
            payload,
        });
        out.extend(each);
    };
    if plan.logged[t.group] {
        for (step, k, list) in &worker.log.entries {
            if *k == tile && plan.reach.keeps(group, *step, now) {
                add(*step, list);
            }
        }
        return;
    }
    let longest = plan.reach.events[t.group];
    for step in now.saturating_sub(longest.into())..now {
        add(step, worker.history[tile].list(step));
    }
}

/// Room for what a plastic projection has learned.
fn unlearned(p: &Program, x: &Plastic) -> Learnt {
    let pr = &p.projections[x.projection as usize];
    let m = &p.synapse_models[x.synapse as usize];
    let words = |place| vec![0; pr.elements(place) as usize];
    Learnt {
        states: m.states.iter().map(|c| words(c.place)).collect(),
        stamps: [Place::Source, Place::Target, Place::Synapse].map(words),
    }
}

fn blank(p: &Program) -> Vec<Vec<Vec<u32>>> {
    let group = |g: u32| {
        let states = p.model_of(g).map_or(0, |m| m.states.len());
        vec![vec![0; p.groups[g as usize].size as usize]; states]
    };
    (0..p.groups.len() as u32).map(group).collect()
}

/// Puts a sample back, which is still in its initial state.
pub(super) fn restore(plan: &Plan, sample: &Sample, from: &SampleState, now: u32) {
    let lists = lists(plan, from);
    let mut learnt = from.learnt.clone();
    for worker in &sample.workers {
        let worker = &mut *open(worker);
        worker.learnt(plan, now.saturating_sub(1), |learner, at| {
            let all = &mut learnt[at.lesson.plastic];
            learner.exchange(at, all, |own, all| *own = *all);
        });
        for units in &mut worker.units {
            let tile = &plan.tiles[units.tile];
            for (to, from) in units.state.iter_mut().zip(&from.states[tile.group]) {
                let first = tile.start as usize;
                let n = to.len();
                to.copy_from_slice(&from[first..first + n]);
            }
        }
        for (&(step, tile), list) in &lists {
            let t = &plan.tiles[tile];
            if plan.logged[t.group] {
                enter(plan, worker, tile, (step, now), list);
                if worker.reports(plan, tile) {
                    worker.log.keep(step, tile, list);
                }
            }
            // Older lists than it has room for are read by nobody.
            if now - step <= worker.history[tile].depth() {
                *worker.history[tile].list_mut(step) = list.clone();
            }
        }
        worker.look_back(plan, now);
        for shown in &from.analog {
            let tiles = plan.of_group[shown.group as usize].clone();
            for k in tiles {
                let t = &plan.tiles[k];
                let Some(column) = t.analog.iter().position(|a| a.0 == shown.state) else {
                    continue;
                };
                let first = t.start as usize;
                let values = worker.history[k].analog_mut(column, shown.step);
                values.clear();
                values.extend_from_slice(&shown.values[first..first + t.len as usize]);
            }
        }
    }
}

/// What each tile emitted in each step.
fn lists(plan: &Plan, from: &SampleState) -> BTreeMap<(u32, usize), List> {
    let mut out: BTreeMap<(u32, usize), List> = BTreeMap::new();
    for e in &from.events {
        let tiles = plan.of_group[e.group as usize].clone();
        let all = &plan.tiles[tiles.clone()];
        let after = all.partition_point(|t| t.start <= e.unit);
        let tile = tiles.start + after.saturating_sub(1);
        let list = out.entry((e.step, tile)).or_default();
        list.units.push(e.unit - plan.tiles[tile].start);
        let external = matches!(
            plan.program.groups[e.group as usize].kind,
            GroupKind::External
        );
        if external || !plain(plan, e.group as usize) {
            list.payloads.push(e.payload);
        }
    }
    out
}

/// Enters an old list into the calendars of the worker's own tiles: what falls due before `now` has been delivered.
fn enter(plan: &Plan, worker: &mut Worker, tile: usize, (step, now): (u32, u32), list: &List) {
    for &(target, piece) in &plan.subscribers[tile] {
        let Some(calendar) = worker.calendar(target, piece) else {
            continue;
        };
        let mut all = Calendar::far();
        deliver::enter(&plan.tiles[target].pieces[piece], list, step, &mut all);
        for (due, list) in all.into_rest(now) {
            let slot = calendar.due(due);
            slot.units.extend(list.units);
            slot.payloads.extend(list.payloads);
        }
    }
}

/// A sample of a serial program.
pub(super) fn save_queue(queue: &Queue) -> SampleState {
    let rows = |(&step, rows): (&u32, &Vec<u32>)| -> Vec<(u32, u32)> {
        rows.iter().map(|&row| (step, row)).collect()
    };
    let mut due: Vec<(u32, u32)> = queue.due.iter().flat_map(rows).collect();
    due.sort_unstable();
    SampleState {
        states: (queue.state.iter())
            .map(|group| group.iter().map(|state| state.to_vec()).collect())
            .collect(),
        due,
        ..Default::default()
    }
}

/// Puts a sample of a serial program back.
pub(super) fn restore_queue(queue: &mut Queue, from: &SampleState) {
    queue.state = (from.states.iter())
        .map(|group| {
            group
                .iter()
                .map(|state| Aligned::from(&state[..]))
                .collect()
        })
        .collect();
    queue.due.clear();
    for &(step, row) in &from.due {
        queue.due.entry(step).or_default().push(row);
    }
}
