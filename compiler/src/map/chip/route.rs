//! `route`: from a placed partition to the `Mapping`: a destination for every copy, an output for every recorded unit, bindings for
//! every input.

use super::core::LEARNS;
use super::mesh::{Placement, chip_of};
use super::{Limits, Partition};
use crate::passes::ChipNetwork;
use std::collections::BTreeMap;
use synfire_ir::mapping::{Axon, Core, Input, Loopback, Mapping, Neuron, Route, Synapse, UnitRef};
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;
use synfire_targets::schema::Scope;

/// Makes the mapping.
///
/// Errors: delays beyond the chip's and more recorded units than it has outputs.
pub fn route(
    net: &ChipNetwork,
    name: &str,
    target: &Target,
    limits: &Limits,
    parts: &Partition,
    placed: &Placement,
) -> Result<Mapping, Diagnostics> {
    let mut m = Mapping {
        name: name.into(),
        target: target.chip.spec.name.clone(),
        dialect: target.dialect.name.clone(),
        mesh: placed.mesh,
        fields: net.fields.clone(),
        populations: net.populations.clone(),
        ..Mapping::default()
    };
    let mut out = Diagnostics::new();
    let host = target.delays().scope == Scope::Host;
    let reach = reach(net, target, host, parts, &mut out);
    outputs(net, target, parts, &mut m, &mut out);
    out.result(())?;
    let output: BTreeMap<UnitRef, u32> = m
        .outputs
        .iter()
        .enumerate()
        .map(|(i, u)| (*u, i as u32))
        .collect();
    for (c, (plan, at)) in parts.cores.iter().zip(&placed.positions).enumerate() {
        let mut core = Core {
            chip: chip_of(target, placed.mesh, *at),
            x: at.0,
            y: at.1,
            ..Core::default()
        };
        for slot in &plan.slots {
            let unit = net.units[slot.unit as usize].unit;
            let mut fields = net.units[slot.unit as usize].registers.clone();
            for (class, w) in slot.weights.iter().enumerate() {
                if let (Some(w), Some(k)) = (
                    w,
                    net.fields
                        .iter()
                        .position(|f| *f == format!("weight{class}")),
                ) {
                    fields[k] = *w as i64;
                }
            }
            let to = reach.get(&unit).map_or(&[][..], |v| v);
            // The copy after those with a destination has the output; one more than are needed goes nowhere.
            let output = output
                .get(&unit)
                .map_or(Route::None, |&index| Route::Output { index });
            let route = match (limits.one_destination, to.get(slot.copy as usize)) {
                (true, Some(&(core, axon, delay))) => Route::Axon { core, axon, delay },
                (true, None) if slot.copy as usize > to.len() => Route::None,
                _ => output,
            };
            core.neurons.push(Neuron {
                unit,
                copy: slot.copy,
                fields,
                route,
            });
        }
        for (k, a) in plan.axons.iter().enumerate() {
            core.axons.push(Axon {
                address: k as u32,
                class: a.class,
                source: a.source,
                delay: a.delay().min(u16::MAX as u32) as u16,
            });
            // Axons that differ in their port alone are one address, and one event reaches both.
            let again = limits.classes.is_none()
                && !limits.by_sign
                && k > 0
                && (plan.axons[k - 1].source, plan.axons[k - 1].age) == (a.source, a.age)
                && (plan.axons[k - 1].class ^ a.class) & LEARNS == 0;
            if net.populations[a.source.pop as usize].input && !again {
                m.inputs.push(Input {
                    unit: a.source,
                    core: c as u32,
                    axon: k as u32,
                    offset: a.delay(),
                });
            }
        }
        core.synapses = plan
            .synapses
            .iter()
            .map(|&(axon, neuron, weight)| Synapse {
                axon,
                neuron,
                weight,
            })
            .collect();
        m.cores.push(core);
    }
    if host {
        for (c, core) in m.cores.iter().enumerate() {
            for (k, n) in core.neurons.iter().enumerate().filter(|(_, n)| n.copy == 0) {
                for &(to_core, axon, delay) in reach.get(&n.unit).map_or(&[][..], |v| v) {
                    m.loopbacks.push(Loopback {
                        core: c as u32,
                        neuron: k as u32,
                        delay,
                        to_core,
                        axon,
                    });
                }
            }
        }
        m.loopbacks.sort_unstable();
    }
    m.inputs.sort_unstable();
    Ok(m)
}

/// Destinations of every unit: (core, axon, delay), sorted.
fn reach(
    net: &ChipNetwork,
    target: &Target,
    host: bool,
    parts: &Partition,
    out: &mut Diagnostics,
) -> BTreeMap<UnitRef, Vec<(u32, u32, u16)>> {
    let delays = target.delays();
    let mut reach: BTreeMap<UnitRef, Vec<(u32, u32, u16)>> = BTreeMap::new();
    let mut told: Vec<u32> = vec![];
    for (c, core) in parts.cores.iter().enumerate() {
        for (k, a) in core
            .axons
            .iter()
            .enumerate()
            .filter(|(_, a)| !net.populations[a.source.pop as usize].input)
        {
            let most = if host {
                u16::MAX as u32
            } else {
                delays.max.value
            };
            if a.delay() > most && !told.contains(&a.source.pop) {
                told.push(a.source.pop);
                let pop = &net.populations[a.source.pop as usize];
                let onto = core
                    .synapses
                    .iter()
                    .find(|s| s.0 == k as u32)
                    .map(|s| net.units[core.slots[s.1 as usize].unit as usize].unit);
                let to = onto.map_or(String::new(), |u| {
                    format!(" to `{}`", net.populations[u.pop as usize].name)
                });
                out.push(
                    Diagnostic::error("SYN0633", format!("the delay of {} steps from `{}`{to} is beyond the {most} steps of {}", a.delay(), pop.name, target.name()))
                        .class(Class::Fit)
                        .at(pop.name.clone())
                        .note("levels of a chain that run late on the chip add to the delays across them")
                        .hint(format!("shorten the delay to {most} steps, or pass it through relay populations that share it"))
                        .field("limit", "delay")
                        .field("needed", a.delay())
                        .field("available", most)
                        .field("population", &pop.name),
                );
            }
            reach.entry(a.source).or_default().push((
                c as u32,
                k as u32,
                a.delay().min(u16::MAX as u32) as u16,
            ));
        }
    }
    reach
}

fn outputs(
    net: &ChipNetwork,
    target: &Target,
    parts: &Partition,
    m: &mut Mapping,
    out: &mut Diagnostics,
) {
    let slots = parts
        .cores
        .iter()
        .flat_map(|c| &c.slots)
        .filter(|s| s.copy == 0);
    let mut units: Vec<UnitRef> = slots
        .map(|s| net.units[s.unit as usize].unit)
        .filter(|u| net.populations[u.pop as usize].recorded)
        .collect();
    units.sort_unstable();
    m.outputs = units;
    let Some(most) = target.limits().outputs.as_ref().map(|o| o.value) else {
        return;
    };
    if m.outputs.len() as u64 > most {
        let mut each: BTreeMap<u32, u64> = BTreeMap::new();
        m.outputs
            .iter()
            .for_each(|u| *each.entry(u.pop).or_default() += 1);
        let mut list: Vec<(u64, &str)> = each
            .iter()
            .map(|(p, n)| (*n, net.populations[*p as usize].name.as_str()))
            .collect();
        list.sort_by_key(|x| (std::cmp::Reverse(x.0), x.1));
        let shown: Vec<String> = list
            .iter()
            .take(4)
            .map(|(n, p)| format!("{n} of `{p}`"))
            .collect();
        let top = list.first().map_or("", |x| x.1);
        out.push(
            Diagnostic::error("SYN0634", format!("{} neurons are recorded; {} has {most} outputs", m.outputs.len(), target.name()))
                .class(Class::Fit)
                .at(top)
                .note(format!("recorded: {}", shown.join(", ")))
                .hint("name what to record, e.g. `record out.spikes`; without any `record`, every population is")
                .field("limit", "outputs")
                .field("needed", m.outputs.len())
                .field("available", most)
                .field("population", top),
        );
    }
}
