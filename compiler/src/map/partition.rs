//! `partition`: units and their copies filled into cores, in order.
//!
//! A core holds so many neurons and so many axons. An axon carries one source at one delay; on chips whose synapses share weights by
//! axon class it also has a class, and a neuron has one weight for each class, so that a source with several distinct weights into a core takes several
//! axons. Where a neuron has one destination, a unit is computed in as many copies as it has destinations: copies see
//! the same axons, so a copy costs a neuron and no axon, and adds no delay. The number of copies depends on the partition and the other
//! way round; the loop ends because copies only grow. Where an axon has one sign, a source that excites and inhibits takes two.
//!
//! Chips that process one event after another get the axons of inhibition first, so that a unit that adds up its arrivals sees
//! them in the one order in which no early spike can come from a sum that is not complete; ordered networks keep the order of
//! their sources.

use crate::passes::{ChipNetwork, ChipSynapse};
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::UnitRef;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// What the generic partitioner knows of a chip.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The target's name, for messages.
    pub target: String,
    /// Neurons of a core.
    pub neurons: usize,
    /// Axons of a core.
    pub axons: usize,
    /// Cores.
    pub cores: usize,
    /// Weights of a neuron when shared by axon class.
    pub classes: Option<usize>,
    /// Has a neuron one destination only?
    pub one_destination: bool,
    /// One event after another?
    pub serial: bool,
    /// Does an axon have one sign for all its synapses?
    pub by_sign: bool,
}

/// An axon's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AxonKey {
    /// Position in the chip's order of arrivals: class first where inhibition goes first, else 0.
    pub rank: u8,
    /// Whose spikes.
    pub source: UnitRef,
    /// Chip steps, older first (stored as `u32::MAX - delay`).
    pub age: u32,
    /// Axon class; where the chip has none, its sign (1 inhibits) if it has one, else the port that its synapses lead to.
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

/// All cores, and what was left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partition {
    /// In the order in which they were filled.
    pub cores: Vec<PlannedCore>,
    /// Units that reach nothing that is recorded.
    pub unused: u64,
}

/// Fills cores.
///
/// Errors: the limit that binds, by how much, for which unit, and what would make it fit.
pub fn partition(net: &ChipNetwork, limits: &Limits) -> Result<Partition, Diagnostics> {
    let live = live(net);
    let unused = live.iter().filter(|l| !**l).count() as u64;
    let mut copies: Vec<u32> = live.iter().map(|&l| l as u32).collect();
    loop {
        let cores = fill(net, limits, &copies)?;
        if !limits.one_destination {
            return Ok(Partition { cores, unused });
        }
        let wanted = destinations(net, &cores);
        let mut grown = false;
        for (have, want) in copies.iter_mut().zip(wanted) {
            if *have > 0 && want > *have {
                *have = want;
                grown = true;
            }
        }
        if !grown {
            return Ok(Partition { cores, unused });
        }
    }
}

/// Units from which something recorded can be reached.
fn live(net: &ChipNetwork) -> Vec<bool> {
    let mut live: Vec<bool> = net
        .units
        .iter()
        .map(|u| net.populations[u.unit.pop as usize].recorded)
        .collect();
    let mut queue: Vec<u32> = (0..live.len() as u32)
        .filter(|&u| live[u as usize])
        .collect();
    while let Some(u) = queue.pop() {
        for s in net.onto(u) {
            if let Some(k) = net.unit_index(s.source)
                && !live[k as usize]
            {
                live[k as usize] = true;
                queue.push(k);
            }
        }
    }
    live
}

/// Destinations of each unit: axons that carry it, and the output when it is recorded.
fn destinations(net: &ChipNetwork, cores: &[PlannedCore]) -> Vec<u32> {
    let mut n: Vec<u32> = net
        .units
        .iter()
        .map(|u| net.populations[u.unit.pop as usize].recorded as u32)
        .collect();
    for a in cores.iter().flat_map(|c| &c.axons) {
        if let Some(u) = net.unit_index(a.source) {
            n[u as usize] += 1;
        }
    }
    n
}

fn fill(
    net: &ChipNetwork,
    limits: &Limits,
    copies: &[u32],
) -> Result<Vec<PlannedCore>, Diagnostics> {
    let mut cores = vec![];
    let mut core = Filling::default();
    let mut out = Diagnostics::new();
    for (u, &n) in copies.iter().enumerate() {
        for copy in 0..n {
            let list = net.onto(u as u32);
            if core.slots.len() == limits.neurons
                || !core.takes(list, limits, net.ordered, u as u32, copy)
            {
                cores.push(std::mem::take(&mut core).finish(net, limits));
                if !core.takes(list, limits, net.ordered, u as u32, copy) {
                    out.push(too_wide(net, u as u32, list, limits));
                    core = Filling::default();
                    break;
                }
            }
        }
        if out.0.len() >= 8 {
            break;
        }
    }
    if !core.slots.is_empty() {
        cores.push(core.finish(net, limits));
    }
    cores.retain(|c| !c.slots.is_empty());
    out.result(())?;
    if cores.len() > limits.cores {
        let neurons: u32 = copies.iter().sum();
        return Err(Diagnostic::error("SYN0632", format!("the network needs {} cores; {} has {}", cores.len(), limits.target, limits.cores))
            .class(Class::Fit)
            .at(largest(net, copies))
            .note(format!("{neurons} neurons (copies for fan-out included) at {} neurons and {} axons a core", limits.neurons, limits.axons))
            .note(format!("largest population: `{}`", largest(net, copies)))
            .hint("make the largest populations smaller, record fewer of them (a recorded neuron needs a copy), or lower the fan-out")
            .field("limit", "cores")
            .field("needed", cores.len())
            .field("available", limits.cores)
            .field("population", largest(net, copies))
            .into());
    }
    Ok(cores)
}

fn largest(net: &ChipNetwork, copies: &[u32]) -> String {
    let mut sum: BTreeMap<u32, u64> = BTreeMap::new();
    for (u, c) in net.units.iter().zip(copies) {
        *sum.entry(u.unit.pop).or_default() += *c as u64;
    }
    let top = sum
        .iter()
        .max_by_key(|(p, n)| (**n, std::cmp::Reverse(**p)))
        .map(|(p, _)| *p);
    top.map_or(String::new(), |p| net.populations[p as usize].name.clone())
}

/// Why a unit fits no core, not even an empty one.
fn too_wide(net: &ChipNetwork, unit: u32, list: &[ChipSynapse], limits: &Limits) -> Diagnostic {
    let name = net.name(net.units[unit as usize].unit);
    let population = net.populations[net.units[unit as usize].unit.pop as usize]
        .name
        .clone();
    let mut by_source: BTreeMap<&str, usize> = BTreeMap::new();
    for s in list {
        *by_source
            .entry(&net.populations[s.source.pop as usize].name)
            .or_default() += 1;
    }
    let mut top: Vec<(&str, usize)> = by_source.into_iter().collect();
    top.sort_by_key(|t| (std::cmp::Reverse(t.1), t.0));
    let top: Vec<String> = top
        .iter()
        .take(3)
        .map(|(n, k)| format!("{k} from `{n}`"))
        .collect();
    let distinct: BTreeSet<i32> = list.iter().map(|s| s.weight).collect();
    if let Some(classes) = limits.classes.filter(|&c| distinct.len() > c) {
        let shown: Vec<String> = distinct.iter().take(8).map(|w| w.to_string()).collect();
        return Diagnostic::error("SYN0631", format!("`{name}` has {} distinct weights; a neuron of {} has {classes}, one for each axon type", distinct.len(), limits.target))
            .class(Class::Fit)
            .at(population.clone())
            .note(format!("its weights are {}{}; inputs: {}", shown.join(", "), if distinct.len() > 8 { ", ..." } else { "" }, top.join(", ")))
            .hint(format!("give its inputs at most {classes} distinct weights"))
            .field("limit", "weight classes")
            .field("needed", distinct.len())
            .field("available", classes)
            .field("population", population);
    }
    let axons: BTreeSet<(UnitRef, u32)> = list.iter().map(|s| (s.source, s.delay)).collect();
    Diagnostic::error(
        "SYN0630",
        format!(
            "`{name}` needs {} axons; a core of {} has {}",
            axons.len(),
            limits.target,
            limits.axons
        ),
    )
    .class(Class::Fit)
    .at(population.clone())
    .note(format!(
        "an axon carries one source at one delay; inputs: {}",
        top.join(", ")
    ))
    .hint(format!(
        "reduce its fan-in to {} sources, or sum part of them in units in between",
        limits.axons
    ))
    .field("limit", "axons")
    .field("needed", axons.len())
    .field("available", limits.axons)
    .field("population", population)
}

/// A core being filled.
#[derive(Default)]
struct Filling {
    slots: Vec<Slot>,
    axons: BTreeSet<AxonKey>,
    /// How often a weight took a class.
    habit: BTreeMap<(i32, u8), u32>,
}

fn key(s: &ChipSynapse, class: u8, limits: &Limits, ordered: bool) -> AxonKey {
    let rank = (limits.serial && !ordered && s.weight > 0) as u8;
    AxonKey {
        rank,
        source: s.source,
        age: u32::MAX - s.delay,
        class: match limits.classes {
            Some(_) => class,
            None if limits.by_sign => (s.weight < 0) as u8,
            None => s.port,
        },
    }
}

impl Filling {
    /// Adds a slot if the core's axons suffice.
    fn takes(
        &mut self,
        list: &[ChipSynapse],
        limits: &Limits,
        ordered: bool,
        unit: u32,
        copy: u32,
    ) -> bool {
        let Some(weights) = self.classes(list, limits, ordered) else {
            return false;
        };
        let class = |w: i32| weights.iter().position(|x| *x == Some(w)).unwrap_or(0) as u8;
        let wanted: BTreeSet<AxonKey> = list
            .iter()
            .map(|s| key(s, class(s.weight), limits, ordered))
            .collect();
        let new = wanted.iter().filter(|k| !self.axons.contains(k)).count();
        if self.axons.len() + new > limits.axons {
            return false;
        }
        for s in list.iter().filter(|_| limits.classes.is_some()) {
            *self.habit.entry((s.weight, class(s.weight))).or_default() += 1;
        }
        self.axons.extend(wanted);
        self.slots.push(Slot {
            unit,
            copy,
            weights,
        });
        true
    }

    /// A class for each distinct weight, chosen so that axons which are there already serve again; `None` when there are
    /// more weights than classes.
    fn classes(
        &self,
        list: &[ChipSynapse],
        limits: &Limits,
        ordered: bool,
    ) -> Option<Vec<Option<i32>>> {
        let Some(n) = limits.classes else {
            return Some(vec![]);
        };
        let mut by_weight: BTreeMap<i32, Vec<&ChipSynapse>> = BTreeMap::new();
        list.iter()
            .for_each(|s| by_weight.entry(s.weight).or_default().push(s));
        if by_weight.len() > n {
            return None;
        }
        let mut order: Vec<(i32, Vec<&ChipSynapse>)> = by_weight.into_iter().collect();
        order.sort_by_key(|(w, s)| (std::cmp::Reverse(s.len()), *w));
        let mut table: Vec<Option<i32>> = vec![None; n];
        for (w, synapses) in order {
            let free = (0..n).filter(|&c| table[c].is_none());
            let best = free.max_by_key(|&c| {
                let there = synapses
                    .iter()
                    .filter(|s| self.axons.contains(&key(s, c as u8, limits, ordered)))
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

    fn finish(self, net: &ChipNetwork, limits: &Limits) -> PlannedCore {
        let axons: Vec<AxonKey> = self.axons.into_iter().collect();
        let mut synapses = vec![];
        for (k, slot) in self.slots.iter().enumerate() {
            for s in net.onto(slot.unit) {
                let class = slot
                    .weights
                    .iter()
                    .position(|x| *x == Some(s.weight))
                    .unwrap_or(0) as u8;
                let at = axons
                    .binary_search(&key(s, class, limits, net.ordered))
                    .expect("every synapse's axon was added with its slot");
                synapses.push((at as u32, k as u32, s.weight));
            }
        }
        synapses.sort_unstable();
        PlannedCore {
            slots: self.slots,
            axons,
            synapses,
        }
    }
}
