//! What a core of a chip holds, exactly: neuron slots, axons, axon classes and synapses.
//!
//! An axon carries one source at one delay; on chips whose synapses share weights by axon class it also has a class, and a neuron has one weight for
//! each class, so that a source with several distinct weights into a core takes several axons. Where an axon has one sign, a source that
//! excites and inhibits takes two. What an axon is but for its class is a wire; wires are numbered once, so that filling a core
//! costs O(synapses).
//!
//! Chips that process one event after another get the axons of inhibition first, so that a unit that adds up its arrivals sees
//! them in the one order in which no early spike can come from a sum that is not complete; ordered networks keep the order of
//! their sources.

use super::Limits;
use super::classes::Classes;
use crate::passes::{ChipNetwork, ChipSynapse};
use std::collections::BTreeMap;
use synfire_ir::mapping::UnitRef;

/// Bit of [`AxonKey::class`] of axons whose synapses learn, where neither weights nor signs make classes: an axon's synapses learn all or none.
pub const LEARNS: u8 = 1 << 7;

/// An axon's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AxonKey {
    /// Position in the chip's order of arrivals: class first where inhibition goes first, else 0.
    pub rank: u8,
    /// Whose spikes.
    pub source: UnitRef,
    /// Chip steps, older first (stored as `u32::MAX - delay`).
    pub age: u32,
    /// Axon class; where the chip has none, its sign (1 inhibits) if it has one, else the port that its synapses lead to, and [`LEARNS`].
    pub class: u8,
}

impl AxonKey {
    /// Chip steps from the source's spike.
    pub fn delay(&self) -> u32 {
        u32::MAX - self.age
    }
}

/// A neuron slot.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// Index into the units.
    pub unit: u32,
    /// Number of the copy.
    pub copy: u32,
    /// Weight of each class in use, where classes are shared.
    pub weights: Vec<Option<i32>>,
}

/// A filled core.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlannedCore {
    /// Slots in order.
    pub slots: Vec<Slot>,
    /// Axons in order of their addresses.
    pub axons: Vec<AxonKey>,
    /// (axon, slot, weight), sorted.
    pub synapses: Vec<(u32, u32, i32)>,
}

impl PlannedCore {
    /// A core with classes chosen for all of it; `slots`: (place of the unit in `units`, copy).
    pub fn whole(
        wires: &Wires,
        units: &[u32],
        classes: &Classes,
        slots: &[(usize, u32)],
    ) -> PlannedCore {
        let mut used: Vec<(u32, u8)> = vec![];
        let mut last = None;
        for &(u, _) in slots {
            if last.replace(u) != Some(u) {
                let list = wires.of(units[u]).iter().zip(&classes.of[u]);
                used.extend(list.map(|(s, &c)| (s.0, c)));
            }
        }
        used.sort_unstable();
        used.dedup();
        let mut synapses = vec![];
        for (k, &(u, _)) in slots.iter().enumerate() {
            for (&(w, weight), &c) in wires.of(units[u]).iter().zip(&classes.of[u]) {
                let at = used.partition_point(|a| *a < (w, c));
                synapses.push((at as u32, k as u32, weight));
            }
        }
        synapses.sort_unstable();
        PlannedCore {
            slots: slots
                .iter()
                .map(|&(u, copy)| Slot {
                    unit: units[u],
                    copy,
                    weights: classes.tables[u].clone(),
                })
                .collect(),
            // Wires are numbered in the order of their axons.
            axons: used
                .iter()
                .map(|&(w, class)| AxonKey {
                    class,
                    ..wires.keys[w as usize]
                })
                .collect(),
            synapses,
        }
    }
}

/// A network's wires: what its axons are but for their classes.
#[derive(Clone, Debug)]
pub struct Wires {
    /// Each wire, ascending; class 0 where the chip has axon classes.
    pub keys: Vec<AxonKey>,
    /// Ranges into `onto`, one more than units.
    pub start: Vec<u32>,
    /// (wire, weight) of each synapse, in the order of the network.
    pub onto: Vec<(u32, i32)>,
}

impl Wires {
    /// Numbers the wires of a network.
    pub fn new(net: &ChipNetwork, limits: &Limits) -> Wires {
        let all: Vec<AxonKey> = net
            .synapses
            .iter()
            .map(|s| key(s, limits, net.ordered))
            .collect();
        let mut keys = all.clone();
        keys.sort_unstable();
        keys.dedup();
        let mut start = vec![0u32; net.units.len() + 1];
        net.synapses
            .iter()
            .for_each(|s| start[s.target as usize + 1] += 1);
        for i in 1..start.len() {
            start[i] += start[i - 1];
        }
        let onto = all
            .iter()
            .zip(&net.synapses)
            .map(|(k, s)| (keys.partition_point(|x| x < k) as u32, s.weight))
            .collect();
        Wires { keys, start, onto }
    }

    /// (wire, weight) of each synapse onto a unit.
    pub fn of(&self, unit: u32) -> &[(u32, i32)] {
        &self.onto[self.start[unit as usize] as usize..self.start[unit as usize + 1] as usize]
    }
}

fn key(s: &ChipSynapse, limits: &Limits, ordered: bool) -> AxonKey {
    AxonKey {
        rank: (limits.serial && !ordered && s.weight > 0) as u8,
        source: s.source,
        age: u32::MAX - s.delay,
        class: match limits.classes {
            Some(_) => 0,
            None if limits.by_sign => (s.weight < 0) as u8,
            None => s.port.min(LEARNS - 1) | if s.learns { LEARNS } else { 0 },
        },
    }
}

/// A core being filled, again and again: what is set down for one core is forgotten when the next one begins.
pub struct Filling<'a> {
    wires: &'a Wires,
    limits: &'a Limits,
    /// Core in which each (wire, class) was last seen.
    seen: Vec<u32>,
    now: u32,
    slots: Vec<Slot>,
    axons: usize,
    synapses: usize,
    /// How often a weight took a class.
    habit: BTreeMap<(i32, u8), u32>,
}

impl<'a> Filling<'a> {
    /// An empty core.
    pub fn new(wires: &'a Wires, limits: &'a Limits) -> Filling<'a> {
        Filling {
            wires,
            limits,
            seen: vec![u32::MAX; wires.keys.len() * limits.classes.unwrap_or(1)],
            now: 0,
            slots: vec![],
            axons: 0,
            synapses: 0,
            habit: BTreeMap::new(),
        }
    }

    /// No slot taken yet?
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    fn entry(&self, wire: u32, class: u8) -> usize {
        wire as usize * self.limits.classes.unwrap_or(1) + class as usize
    }

    /// Adds a slot if the core has room for it.
    pub fn takes(&mut self, unit: u32, copy: u32) -> bool {
        let list = self.wires.of(unit);
        if self.slots.len() >= self.limits.neurons
            || self.synapses + list.len() > self.limits.synapses
        {
            return false;
        }
        if let Some(last) = self.slots.last().filter(|s| s.unit == unit) {
            let weights = last.weights.clone();
            return self.put(unit, copy, weights);
        }
        let Some(weights) = self.classes(list) else {
            return false;
        };
        let mut new = vec![];
        for &(w, weight) in list {
            let k = self.entry(w, class_of(&weights, weight));
            if self.seen[k] != self.now {
                self.seen[k] = self.now;
                new.push(k);
            }
        }
        if self.axons + new.len() > self.limits.axons {
            new.into_iter().for_each(|k| self.seen[k] = u32::MAX);
            return false;
        }
        self.axons += new.len();
        self.put(unit, copy, weights)
    }

    fn put(&mut self, unit: u32, copy: u32, weights: Vec<Option<i32>>) -> bool {
        let list = self.wires.of(unit);
        self.synapses += list.len();
        if self.limits.classes.is_some() {
            for &(_, w) in list {
                *self.habit.entry((w, class_of(&weights, w))).or_default() += 1;
            }
        }
        self.slots.push(Slot {
            unit,
            copy,
            weights,
        });
        true
    }

    /// A class for each distinct weight, chosen so that axons which are there already serve again; `None` when there are
    /// more weights than classes.
    fn classes(&self, list: &[(u32, i32)]) -> Option<Vec<Option<i32>>> {
        let Some(n) = self.limits.classes else {
            return Some(vec![]);
        };
        let mut by_weight: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        list.iter()
            .for_each(|&(w, weight)| by_weight.entry(weight).or_default().push(w));
        if by_weight.len() > n {
            return None;
        }
        let mut order: Vec<(i32, Vec<u32>)> = by_weight.into_iter().collect();
        order.sort_by_key(|(w, s)| (std::cmp::Reverse(s.len()), *w));
        let mut table: Vec<Option<i32>> = vec![None; n];
        for (w, wires) in order {
            let free = (0..n).filter(|&c| table[c].is_none());
            let best = free.max_by_key(|&c| {
                let there = wires
                    .iter()
                    .filter(|&&x| self.seen[self.entry(x, c as u8)] == self.now)
                    .count();
                let others: u32 = self
                    .habit
                    .iter()
                    .filter(|(k, _)| k.1 == c as u8 && k.0 != w)
                    .map(|(_, n)| *n)
                    .sum();
                let habit = self.habit.get(&(w, c as u8)).copied().unwrap_or(0);
                (
                    there,
                    habit,
                    std::cmp::Reverse(others),
                    std::cmp::Reverse(c),
                )
            });
            table[best?] = Some(w);
        }
        Some(table)
    }

    /// Forgets the core as it stands; the next one begins empty.
    pub fn finish_unseen(&mut self) {
        self.slots.clear();
        self.now += 1;
        (self.axons, self.synapses) = (0, 0);
        self.habit.clear();
    }

    /// The core as it stands; the next one begins empty.
    pub fn finish(&mut self) -> PlannedCore {
        let slots = std::mem::take(&mut self.slots);
        let mut axons: Vec<AxonKey> = Vec::with_capacity(self.axons);
        let axon = |w: u32, class: u8| AxonKey {
            class: if self.limits.classes.is_some() {
                class
            } else {
                self.wires.keys[w as usize].class
            },
            ..self.wires.keys[w as usize]
        };
        for slot in &slots {
            let list = self.wires.of(slot.unit).iter();
            axons.extend(list.map(|&(w, weight)| axon(w, class_of(&slot.weights, weight))));
            if axons.len() > 4 * self.axons + 1024 {
                axons.sort_unstable();
                axons.dedup();
            }
        }
        axons.sort_unstable();
        axons.dedup();
        let mut synapses = vec![];
        for (k, slot) in slots.iter().enumerate() {
            for &(w, weight) in self.wires.of(slot.unit) {
                let at = axons.partition_point(|a| *a < axon(w, class_of(&slot.weights, weight)));
                synapses.push((at as u32, k as u32, weight));
            }
        }
        synapses.sort_unstable();
        self.finish_unseen();
        PlannedCore {
            slots,
            axons,
            synapses,
        }
    }
}

/// Class of a weight; 0 where classes are not shared.
fn class_of(weights: &[Option<i32>], weight: i32) -> u8 {
    weights.iter().position(|x| *x == Some(weight)).unwrap_or(0) as u8
}
