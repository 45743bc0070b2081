//! Why a network does not fit a chip: the limit that binds, by how much, for which unit, and what would make it fit.

use super::Limits;
use crate::passes::{ChipNetwork, ChipSynapse};
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::UnitRef;
use synfire_ir::numerals::count;
use synfire_ir::{Class, Diagnostic};

/// More cores than the chip has.
pub fn too_many(net: &ChipNetwork, limits: &Limits, cores: usize, copies: &[u32]) -> Diagnostic {
    let neurons: u32 = copies.iter().sum();
    Diagnostic::error("SYN0632", format!("the network needs {} cores; {} has {}", count(cores as u64), limits.target, count(limits.cores as u64)))
        .class(Class::Fit)
        .at(largest(net, copies))
        .note(format!("{} neurons (copies for fan-out included) at {} neurons and {} axons a core", count(neurons.into()), count(limits.neurons as u64), count(limits.axons as u64)))
        .note(format!("largest population: `{}`", largest(net, copies)))
        .hint("make the largest populations smaller, record fewer of them (a recorded neuron needs a copy), or lower the fan-out")
        .field("limit", "cores")
        .field("needed", cores)
        .field("available", limits.cores)
        .field("population", largest(net, copies))
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
pub fn too_wide(net: &ChipNetwork, unit: u32, list: &[ChipSynapse], limits: &Limits) -> Diagnostic {
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
    let axons = list
        .iter()
        .map(|s| (s.source, s.delay))
        .collect::<BTreeSet<(UnitRef, u32)>>()
        .len();
    let (code, what, needed, available, why, hint) =
        if axons <= limits.axons && list.len() > limits.fan_in.min(limits.synapses) {
            let most = limits.fan_in.min(limits.synapses);
            let limit = if limits.fan_in <= limits.synapses {
                "fan_in"
            } else {
                "synapses"
            };
            (
                "SYN0630",
                limit,
                list.len(),
                most,
                "each of its synapses takes a place of its own",
                "inputs",
            )
        } else {
            (
                "SYN0630",
                "axons",
                axons,
                limits.axons,
                "an axon carries one source at one delay",
                "sources",
            )
        };
    let noun = if what == "fan_in" {
        "synapses onto it"
    } else {
        what
    };
    let whose = if what == "fan_in" {
        "a neuron"
    } else {
        "a core"
    };
    Diagnostic::error(
        code,
        format!(
            "`{name}` needs {} {noun}; {whose} of {} has {}",
            count(needed as u64),
            limits.target,
            count(available as u64)
        ),
    )
    .class(Class::Fit)
    .at(population.clone())
    .note(format!("{why}; inputs: {}", top.join(", ")))
    .hint(format!(
        "reduce its fan-in to {} {hint}, or sum part of them in units in between",
        count(available as u64)
    ))
    .field("limit", what)
    .field("needed", needed)
    .field("available", available)
    .field("population", population)
}

/// A core whose neurons reach more cores than its routing table has entries.
pub fn too_many_routes(
    limits: &Limits,
    core: usize,
    routes: usize,
    population: &str,
) -> Diagnostic {
    Diagnostic::error(
        "SYN0632",
        format!(
            "core {core} needs {} outbound routes; a core of {} has {}",
            count(routes as u64), limits.target, count(limits.routes as u64)
        ),
    )
    .class(Class::Fit)
    .at(population.to_string())
    .note("a route leads from one neuron to one other core")
    .hint("lower the fan-out of its populations, or compile with a higher --opt, which looks for partitions with fewer routes")
    .field("limit", "routes")
    .field("needed", routes)
    .field("available", limits.routes)
    .field("population", population)
}
