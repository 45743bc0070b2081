//! Emissions kept for delivery: a list for each of the last steps, or a calendar of what falls due.
//!
//! In: what a tile emitted in a step. Out: the same when its delay has passed. A projection with one short delay reads the
//! ring of lists; one whose rows have several delays, or long ones, enters each run of a spiking source in a
//! [`Calendar`] once, so that the cost is that of the runs that exist.

use std::collections::BTreeMap;

/// Events: units (or runs of a piece) and their payloads.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    /// Indices.
    pub units: Vec<u32>,
    /// One each, or none at all when every payload is 1.
    pub payloads: Vec<u32>,
    /// For tiles that keep them so: a word for each unit, 0 where it emits nothing.
    pub dense: Vec<u32>,
    /// Events of `dense`.
    pub count: u64,
}

impl List {
    pub fn clear(&mut self) {
        self.units.clear();
        self.payloads.clear();
        self.dense.clear();
        self.count = 0;
    }

    /// Number of events.
    pub fn events(&self) -> u64 {
        match self.dense.is_empty() {
            true => self.units.len() as u64,
            false => self.count,
        }
    }

    pub fn payload(&self, i: usize) -> u32 {
        self.payloads.get(i).copied().unwrap_or(1)
    }

    /// Units and payloads, however they are kept.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        let listed = (self.units.iter().enumerate()).map(|(i, &u)| (u, self.payload(i)));
        let dense = (0..).zip(self.dense.iter().copied()).filter(|e| e.1 != 0);
        listed.chain(dense.take(if self.units.is_empty() { usize::MAX } else { 0 }))
    }

    /// Positions of the units in `first..first + count`; units ascend.
    pub fn within(&self, first: u32, count: u32) -> std::ops::Range<usize> {
        let start = self.units.partition_point(|&u| u < first);
        let end = match first.checked_add(count) {
            Some(end) => self.units.partition_point(|&u| u < end),
            None => self.units.len(),
        };
        start..end
    }

    /// Sorts by unit; events of one unit keep their order.
    pub fn sort(&mut self) {
        if self.units.is_sorted() {
            return;
        }
        if self.payloads.is_empty() {
            self.units.sort_unstable();
            return;
        }
        let mut both: Vec<(u32, u32)> = self.iter().collect();
        both.sort_by_key(|e| e.0);
        for (i, (u, x)) in both.into_iter().enumerate() {
            (self.units[i], self.payloads[i]) = (u, x);
        }
    }
}

/// What a tile emitted in the last steps, and the values of its analog outputs.
#[derive(Clone, Debug)]
pub(super) struct History {
    /// A power of two of them.
    lists: Vec<List>,
    /// `[output column][step modulo its depth]`.
    analog: Vec<Vec<Vec<u32>>>,
}

impl History {
    /// `depth` lists, and for each analog column its depth; at least.
    pub fn new(depth: usize, analog: &[usize]) -> Self {
        let ring = |d: usize| d.max(1).next_power_of_two();
        History {
            lists: vec![List::default(); ring(depth)],
            analog: analog.iter().map(|&d| vec![vec![]; d.max(1)]).collect(),
        }
    }

    pub fn list(&self, step: u32) -> &List {
        &self.lists[step as usize & (self.lists.len() - 1)]
    }

    pub fn list_mut(&mut self, step: u32) -> &mut List {
        let n = self.lists.len();
        &mut self.lists[step as usize & (n - 1)]
    }

    pub fn analog(&self, column: usize, step: u32) -> &[u32] {
        let ring = &self.analog[column];
        &ring[step as usize % ring.len()]
    }

    pub fn analog_mut(&mut self, column: usize, step: u32) -> &mut Vec<u32> {
        let ring = &mut self.analog[column];
        let n = ring.len();
        &mut ring[step as usize % n]
    }

    /// Steps for which there are lists.
    pub fn depth(&self) -> u32 {
        self.lists.len() as u32
    }

    /// Number of analog columns.
    pub fn columns(&self) -> usize {
        self.analog.len()
    }
}

/// Runs of a piece by the step in which they fall due.
#[derive(Clone, Debug)]
pub(super) enum Calendar {
    /// Short delays; a power of two of lists.
    Near(Vec<List>),
    /// Any delays.
    Far(BTreeMap<u32, List>),
}

impl Calendar {
    /// For delays up to `longest`, of which those up to `ring` are kept in a ring.
    pub fn new(longest: u16, ring: u16) -> Self {
        match longest <= ring {
            true => {
                let n = (longest as usize + 1).next_power_of_two();
                Calendar::Near(vec![List::default(); n])
            }
            false => Calendar::far(),
        }
    }

    /// For any delays, and empty.
    pub fn far() -> Self {
        Calendar::Far(BTreeMap::new())
    }

    /// What a calendar without a ring holds for `step` and later.
    pub fn into_rest(self, step: u32) -> BTreeMap<u32, List> {
        match self {
            Calendar::Near(_) => BTreeMap::new(),
            Calendar::Far(mut map) => map.split_off(&step),
        }
    }

    /// The list that falls due in `step`, to be added to.
    pub fn due(&mut self, step: u32) -> &mut List {
        match self {
            Calendar::Near(slots) => {
                let n = slots.len();
                &mut slots[step as usize & (n - 1)]
            }
            Calendar::Far(map) => map.entry(step).or_default(),
        }
    }

    /// Moves the list that falls due in `step` into `into`, which must be empty; its storage is kept for later steps.
    pub fn take(&mut self, step: u32, into: &mut List) {
        match self {
            Calendar::Near(_) => std::mem::swap(self.due(step), into),
            Calendar::Far(map) => *into = map.remove(&step).unwrap_or_default(),
        }
    }
}
