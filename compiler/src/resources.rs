//! What a mapping takes of everything that the chip has, resource by resource.
//!
//! Generic resources come from the limits of `chip.toml` and the mapping: cores, what the fullest core holds, channels and outputs. What only a chip's own code can count (fan-out entries, reach of
//! inputs) the backend adds. The share of the fullest says which limit binds first.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{Core, Mapping};
use synfire_targets::Target;
use synfire_targets::backend::Backend;
use synfire_targets::schema::Sourced;

/// Use of one resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Resource {
    /// Its name; that of a limit in `chip.toml` where it is one.
    pub resource: String,
    /// How much is taken; of a resource of cores, in the core that takes most.
    pub used: u64,
    /// How much there is.
    pub available: u64,
    /// `used / available`.
    pub share: f64,
}

/// Every resource with a limit, that with the largest share first.
pub fn resources(
    target: &Target,
    backend: &dyn Backend,
    cores: usize,
    m: &Mapping,
) -> Vec<Resource> {
    let l = target.limits();
    let mut found: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut add = |name: &str, used: usize, limit: &Option<Sourced<u64>>| {
        if let Some(limit) = limit {
            found.insert(name.into(), (used as u64, limit.value));
        }
    };
    let most = |f: &dyn Fn(&Core) -> usize| m.cores.iter().map(f).max().unwrap_or(0);
    let slots = most(&|c| c.neurons.len());
    add("neurons_per_core", slots, &l.neurons_per_core);
    add(
        "axons_per_core",
        most(&|c| c.axons.len()),
        &l.axons_per_core,
    );
    let synapses = most(&|c| c.synapses.len());
    add("synapses_per_core", synapses, &l.synapses_per_core);
    add("fan_in", most(&|c| widest(c, |s| s.neuron)), &l.fan_in);
    add("fan_out", most(&|c| widest(c, |s| s.axon)), &l.fan_out);
    let driven: BTreeSet<_> = m.inputs.iter().map(|i| i.unit).collect();
    add("inputs", driven.len(), &l.inputs);
    add("outputs", m.outputs.len(), &l.outputs);
    // The only core of a chip is always taken whole, which binds nothing.
    if cores > 1 {
        found.insert("cores".into(), (m.cores.len() as u64, cores as u64));
    }
    for r in backend.resources(m) {
        found.insert(r.name.into(), (r.used, r.available));
    }
    let mut out: Vec<Resource> = (found.into_iter())
        .filter(|(_, (_, available))| *available > 0)
        .map(|(resource, (used, available))| Resource {
            resource,
            used,
            available,
            share: used as f64 / available as f64,
        })
        .collect();
    out.sort_by(|a, b| b.share.total_cmp(&a.share));
    out
}

/// Most synapses of a core that share a key.
fn widest(core: &Core, key: impl Fn(&synfire_ir::mapping::Synapse) -> u32) -> usize {
    let mut n: BTreeMap<u32, usize> = BTreeMap::new();
    core.synapses
        .iter()
        .for_each(|s| *n.entry(key(s)).or_default() += 1);
    n.values().copied().max().unwrap_or(0)
}
