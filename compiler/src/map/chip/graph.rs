//! The graph of wires that the search works on: a net for each wire, from its unit (or from outside) to the units that it reaches.

use super::Limits;
use super::core::Wires;
use crate::map::net::{Lists, Net, OUTSIDE};
use crate::map::score::partition::Caps;
use crate::passes::ChipNetwork;
use std::collections::BTreeMap;
use synfire_ir::mapping::UnitRef;

/// A graph over the live units, in their order.
pub struct Graph<'a> {
    /// Nets are wires.
    pub net: Net,
    chip: &'a ChipNetwork,
}

/// Wires between the units `all` (ascending).
pub fn graph<'a>(chip: &'a ChipNetwork, limits: &Limits, wires: &Wires, all: &[u32]) -> Graph<'a> {
    let mut rank = vec![OUTSIDE; chip.units.len()];
    all.iter()
        .enumerate()
        .for_each(|(i, &u)| rank[u as usize] = i as u32);
    let mut into = Lists {
        start: vec![0],
        to: vec![],
    };
    for &u in all {
        let mut list: Vec<u32> = wires.of(u).iter().map(|w| w.0).collect();
        list.sort_unstable();
        list.dedup();
        into.to.extend(list);
        into.start.push(into.to.len() as u64);
    }
    let home = wires
        .keys
        .iter()
        .map(|k| {
            chip.unit_index(k.source)
                .map_or(OUTSIDE, |u| rank[u as usize])
        })
        .collect();
    let base = if limits.one_destination {
        let of = |&u: &u32| chip.populations[chip.units[u as usize].unit.pop as usize].recorded;
        all.iter().map(|u| of(u) as u32).collect()
    } else {
        vec![]
    };
    let net = Net {
        out: into.turned(wires.keys.len()),
        into,
        home,
        base,
        ..Net::default()
    };
    Graph { net, chip }
}

impl Graph<'_> {
    /// The limits that the graph knows.
    pub fn caps(&self, limits: &Limits) -> Caps {
        let of = |n: usize| (n != usize::MAX).then_some(n as u64);
        Caps {
            npc: of(limits.neurons),
            apc: of(limits.axons),
            spc: of(limits.synapses),
            opc: of(limits.routes),
            cores: None,
            copies: limits.one_destination,
        }
    }

    /// Part of each unit in an earlier mapping; `u32::MAX` for those that are new.
    pub fn known(&self, old: Option<&BTreeMap<UnitRef, u32>>, all: &[u32]) -> Option<Vec<u32>> {
        let old = old?;
        let part = |&u: &u32| old.get(&self.chip.units[u as usize].unit);
        Some(
            all.iter()
                .map(|u| part(u).copied().unwrap_or(u32::MAX))
                .collect(),
        )
    }
}
