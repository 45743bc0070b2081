//! Watching the neurons that a chip itself does not show.
//!
//! In: an artefact's program and bindings. Out: probes on the program, and which named units each of them stands for. Where a neuron's spikes are is the chip's own knowledge
//! ([`Backend::inside`]). Deliberately absent: what is done with the spikes.

use super::chip::Units;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::artifact::Bindings;
use synfire_ir::program::{Observable, Probe, Program, Range};
use synfire_targets::backend::Backend;

/// A probe of neurons that no output shows.
pub(super) struct Watched {
    pub probe: usize,
    /// Named units of each unit of the group.
    pub units: Vec<Units>,
    pub populations: BTreeSet<u32>,
}

/// Adds probes for the neurons of populations that are not recorded.
pub(super) fn inside(
    program: &mut Program,
    bindings: &Bindings,
    backend: &dyn Backend,
) -> Vec<Watched> {
    let hidden = |pop: u32| {
        let p = bindings.populations.get(pop as usize);
        p.is_some_and(|p| !p.recorded && !p.input)
    };
    let mut symbols: Vec<_> = (bindings.symbols.iter())
        .filter(|s| hidden(s.pop))
        .map(|s| ((s.core, s.slot), (s.pop, s.unit)))
        .collect();
    symbols.sort_unstable();
    let slots: Vec<(u32, u32)> = symbols.iter().map(|s| s.0).collect();
    let mut by_group: BTreeMap<u32, Watched> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for ((_, unit), (group, at)) in symbols.iter().zip(backend.inside(program, &slots)) {
        let size = program.groups.get(group as usize).map_or(0, |g| g.size);
        // Copies of a unit spike alike: one of them is watched.
        if at >= size || !taken.insert(*unit) {
            continue;
        }
        let watched = by_group.entry(group).or_insert_with(|| Watched {
            probe: 0,
            units: vec![vec![]; size as usize],
            populations: BTreeSet::new(),
        });
        watched.units[at as usize].push(*unit);
        watched.populations.insert(unit.0);
    }
    for (group, watched) in &mut by_group {
        watched.probe = program.probes.len();
        program.probes.push(Probe {
            name: format!("inside {group}"),
            group: *group,
            range: Range {
                start: 0,
                len: watched.units.len() as u32,
            },
            what: Observable::Events,
            every: 1,
        });
    }
    by_group.into_values().collect()
}
