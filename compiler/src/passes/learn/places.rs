//! Where the synapses that learn stand in a mapping.
//!
//! In: what learns, and the mapping that the router made. Out: an entry of [`Mapping::learning`] for each projection, with core, axon and neuron of every synapse.

use super::{Set, Wanted, shift};
use crate::map::chip::Limits;
use crate::map::chip::core::LEARNS;
use crate::passes::ChipNetwork;
use std::collections::BTreeMap;
use synfire_ir::mapping::{Given, Learner, Learning, Mapping, Rule, UnitRef};
use synfire_ir::network::{Network, PopId, Projection};
use synfire_ir::program::Range;

/// Where the synapses that learn stand in a mapping; those onto neurons that are not needed have no place.
pub fn finish(
    net: &Network,
    wanted: &[Wanted],
    sets: &[Set],
    chip: &ChipNetwork,
    limits: &Limits,
    seed: u64,
    mapping: &mut Mapping,
) {
    let seats = Seats::of(mapping, limits);
    let number: BTreeMap<PopId, u32> = (net.populations().zip(0..))
        .map(|((id, _), k)| (id, k))
        .collect();
    for ((w, set), scaled) in wanted.iter().zip(sets).zip(&chip.learning) {
        let Some((a, b)) = net.graph.edge_endpoints(w.edge) else {
            continue;
        };
        let wires = &net.graph[w.edge];
        let driven = chip.populations[number[&a] as usize].input;
        let before = if driven { 0 } else { shift(net, chip, a) };
        let late = i64::from(shift(net, chip, b)) - i64::from(before);
        let whole = Range {
            start: 0,
            len: wires.target_range.len,
        };
        let mut synapses = vec![];
        net.visit(w.edge, seed, whole, |s| {
            let source = wires.source_range.start + s.source;
            let target = wires.target_range.start + s.target;
            let unit = |id: PopId, unit: u32| UnitRef {
                pop: number[&id],
                unit,
            };
            let delay = (i64::from(s.delay) + late).max(0) as u32;
            if let Some((core, axon, neuron)) = seats.at(unit(a, source), delay, unit(b, target)) {
                synapses.push(Learner {
                    source,
                    delay: u32::from(s.delay),
                    target,
                    core,
                    axon,
                    neuron,
                });
            }
        });
        synapses.sort_unstable();
        mapping.learning.push(Learning {
            projection: w.name.clone(),
            scale: scaled.scale,
            exponent: scaled.exponent,
            rule: set.rule.clone(),
            synapses,
            values: match &set.rule {
                Rule::Errors(_) => {
                    values(wires, &seats, (number[&b], shift(net, chip, b)), &number)
                }
                _ => vec![],
            },
        });
    }
}

/// Where each unit's value of what is led to a projection goes, `late` steps after its step.
fn values(
    wires: &Projection,
    seats: &Seats,
    (pop, late): (u32, u32),
    number: &BTreeMap<PopId, u32>,
) -> Vec<Given> {
    let mut out = vec![];
    let given = wires.plasticity.iter().flat_map(|x| &x.modulators);
    for m in given {
        for k in 0..wires.target_range.len {
            let to = UnitRef {
                pop,
                unit: wires.target_range.start + k,
            };
            let unit = m.range.start + if m.each { k } else { 0 };
            let source = UnitRef {
                pop: number[&m.pop],
                unit,
            };
            if let Some(&(core, neuron)) = seats.neurons.get(&to) {
                out.push(Given {
                    source,
                    core,
                    neuron,
                    offset: late,
                });
            }
        }
    }
    out.sort_unstable();
    out
}

/// Where units and axons of a mapping are.
struct Seats {
    neurons: BTreeMap<UnitRef, (u32, u32)>,
    /// Axons whose synapses may learn.
    axons: BTreeMap<(u32, UnitRef, u32), u32>,
}

impl Seats {
    fn of(m: &Mapping, limits: &Limits) -> Seats {
        let (mut neurons, mut axons) = (BTreeMap::new(), BTreeMap::new());
        for (c, core) in (0..).zip(&m.cores) {
            for (k, n) in (0..).zip(&core.neurons).filter(|x| x.1.copy == 0) {
                neurons.insert(n.unit, (c, k));
            }
            for (k, a) in (0..).zip(&core.axons) {
                let learns = match limits.by_sign {
                    true => a.class == 0,
                    false => a.class & LEARNS != 0,
                };
                if learns {
                    axons.entry((c, a.source, u32::from(a.delay))).or_insert(k);
                }
            }
        }
        Seats { neurons, axons }
    }

    /// Core, axon and neuron of a synapse.
    fn at(&self, from: UnitRef, delay: u32, to: UnitRef) -> Option<(u32, u32, u32)> {
        let &(core, neuron) = self.neurons.get(&to)?;
        let &axon = self.axons.get(&(core, from, delay))?;
        Some((core, axon, neuron))
    }
}
