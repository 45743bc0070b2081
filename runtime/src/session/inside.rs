//! Watching the neurons that a chip itself does not show.
//!
//! In: an artefact's program and bindings. Out: probes on the program, and which named units each of them stands for. Where a neuron's spikes are is the chip's own knowledge
//! ([`Backend::inside`]). Deliberately absent: what is done with the spikes.

use super::chip::Units;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::artifact::Bindings;
use synfire_ir::program::{Discipline, Observable, Probe, Program, Range};
use synfire_targets::backend::Backend;

/// A probe of neurons that no output shows.
pub(super) struct Watched {
    /// Its number; none on a chip whose spikes are recorded by their addresses.
    pub probe: Option<usize>,
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
    let mut all: Vec<(u32, u32)> = bindings.symbols.iter().map(|s| (s.core, s.slot)).collect();
    all.sort_unstable();
    let mut by_group: BTreeMap<u32, Watched> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for ((_, unit), (group, at)) in symbols.iter().zip(backend.inside(program, &all, &slots)) {
        let size = program.groups.get(group as usize).map_or(0, |g| g.size);
        // Copies of a unit spike alike: one of them is watched.
        if at >= size || !taken.insert(*unit) {
            continue;
        }
        let watched = by_group.entry(group).or_insert_with(|| Watched {
            probe: None,
            units: vec![vec![]; size as usize],
            populations: BTreeSet::new(),
        });
        watched.units[at as usize].push(*unit);
        watched.populations.insert(unit.0);
    }
    // What fires on a chip of one event after another is recorded by its address.
    let serial = matches!(program.discipline, Discipline::Serial(_));
    for (group, watched) in by_group.iter_mut().filter(|_| !serial) {
        watched.probe = Some(program.probes.len());
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
