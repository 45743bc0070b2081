//! What a mapping onto one crossbar needs whatever its registers: the only core, its fields, native events, and that no unit spikes twice.
//!
//! The loop stays open: recurrence and delays go through the host, which sends a spike back as its row when it is due.

use super::SIZE;
use crate::backend::NativeBindings;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{Core, Mapping, Synapse, UnitRef};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// The only core of a mapping.
///
/// Errors: `SYN0614` for another number of cores, or more neurons than there are.
pub fn only_core(mapping: &Mapping) -> Result<&Core, Diagnostics> {
    let [core] = mapping.cores.as_slice() else {
        return Err(too_many("cores", mapping.cores.len(), 1).into());
    };
    match core.neurons.len() {
        n if n > SIZE => Err(too_many("neurons_per_core", n, SIZE).into()),
        _ => Ok(core),
    }
}

/// More of something than the chip has.
pub fn too_many(limit: &str, needed: usize, available: usize) -> Diagnostic {
    let text = format!("the mapping has {needed} for the limit `{limit}` of {available}");
    Diagnostic::error("SYN0614", text)
        .class(Class::Fit)
        .note(format!(
            "the chip is one crossbar of {SIZE} rows and at most {SIZE} neurons"
        ))
        .hint("use fewer neurons, inputs and different delays, or choose a larger target")
        .field("limit", limit)
        .field("needed", needed)
        .field("available", available)
}

/// A mapping that contradicts itself.
pub fn defect(message: String) -> Diagnostic {
    Diagnostic::error("SYN0611", message)
        .class(Class::Fit)
        .note("rows, neurons and host events of a mapping name what is mapped")
        .hint("this is a defect of the mapping: please report it")
}

/// A value beyond the bits of a register.
pub fn register(place: String, name: &str, value: i64, low: i64, high: i64) -> Diagnostic {
    let text = format!("{place}: {name} is {value}, it holds {low}..={high}");
    Diagnostic::error("SYN0610", text)
        .class(Class::Fit)
        .note("the chip stores no more bits")
        .hint("scale weights, thresholds and leaks together until they fit")
        .field("limit", name)
        .field("needed", value)
        .field("available", format!("{low}..={high}"))
}

/// The fields `names` of every neuron, each within its range (what is beyond is reported).
pub fn fields<const N: usize>(
    mapping: &Mapping,
    core: &Core,
    names: [&str; N],
    ranges: [(i64, i64); N],
    report: &mut Report,
) -> Vec<[i64; N]> {
    let at = names.map(|name| mapping.field(name));
    for (name, _) in names.iter().zip(at).filter(|x| x.1.is_none()) {
        report.add("fields", || {
            defect(format!("the register `{name}` is missing"))
        });
    }
    let mut all = vec![];
    for (i, n) in core.neurons.iter().enumerate() {
        let mut values = [0; N];
        for (k, (low, high)) in ranges.into_iter().enumerate() {
            let given = at[k].and_then(|f| n.fields.get(f)).copied().unwrap_or(0);
            if !(low..=high).contains(&given) {
                report.add("registers", || {
                    register(format!("neuron {i}"), names[k], given, low, high)
                });
            }
            values[k] = given.clamp(low, high);
        }
        all.push(values);
    }
    all
}

/// What counts in one step of a unit.
pub struct Unit {
    /// Threshold.
    pub thr: i64,
    /// What a time reference takes.
    pub leak: i64,
    /// It sends nothing.
    pub disabled: bool,
}

/// A unit that is sent back must not spike twice in a step: a second spike would come back as a second row, where the network sends one event.
///
/// A unit starts a step below its threshold. After a first spike, at the earliest by its smallest weight, all others must stay below the threshold; a unit whose leak
/// (`max_leak`) clears it in every step needs the whole threshold for the first spike already. `weight`: the least and the greatest that a synapse may have.
pub fn spikes_once(
    mapping: &Mapping,
    core: &Core,
    units: &[Unit],
    max_leak: i64,
    weight: impl Fn(&Synapse) -> (i64, i64),
    report: &mut Report,
) {
    let back: BTreeSet<u32> = mapping.loopbacks.iter().map(|l| l.neuron).collect();
    let mut arrivals = vec![(0i64, i64::MAX); units.len()];
    for s in &core.synapses {
        let (low, high) = weight(s);
        if let Some((sum, least)) = arrivals.get_mut(s.neuron as usize).filter(|_| high > 0) {
            *sum += high;
            *least = low.min(*least);
        }
    }
    for (i, (u, (sum, least))) in units.iter().zip(arrivals).enumerate() {
        let cleared = u.leak == max_leak && u.thr <= max_leak + 1;
        let first = if cleared { u.thr } else { least };
        if sum == 0 || u.disabled || sum - first < u.thr || !back.contains(&(i as u32)) {
            continue;
        }
        let unit = core.neurons.get(i).map(|n| n.unit);
        let name = unit.and_then(|u| Some(&mapping.populations.get(u.pop as usize)?.name));
        let name = name.map_or("", |n| n.as_str());
        report.add("spikes twice", || {
            Diagnostic::error("SYN0614", format!("`{name}` drives other units, and arrivals of up to {sum} in one step could make it spike twice"))
                .class(Class::Fit)
                .at(name)
                .note("the chip compares after every event, and a second spike would be sent back as a second row")
                .hint("raise its threshold or lower its weights, or spread its inputs over several steps with different delays")
                .field("limit", "spikes_per_step")
                .field("needed", sum)
                .field("available", u.thr + first - 1)
                .field("population", name)
        });
    }
}

/// Native events of inputs, outputs and loopbacks; `row` gives the event of an axon, if it is mapped.
pub fn bindings(
    mapping: &Mapping,
    core: &Core,
    row: impl Fn(u32) -> Option<u64>,
    report: &mut Report,
) -> NativeBindings {
    let row = |c: u32, axon: u32| row(axon).filter(|_| c == 0);
    let mut slots: BTreeMap<UnitRef, u64> = BTreeMap::new();
    for (slot, n) in (0u64..).zip(&core.neurons) {
        slots.entry(n.unit).or_insert(slot);
    }
    let mut native = NativeBindings::default();
    let mut missing = |what: &str| {
        report.add("bindings", || {
            defect(format!("{what} of the mapping names what is not mapped"))
        });
        0
    };
    for i in &mapping.inputs {
        let word = row(i.core, i.axon).unwrap_or_else(|| missing("an input"));
        native.inputs.push(word);
    }
    for u in &mapping.outputs {
        let word = slots.get(u).copied();
        native
            .outputs
            .push(word.unwrap_or_else(|| missing("an output")));
    }
    for l in &mapping.loopbacks {
        let known = l.core == 0 && (l.neuron as usize) < core.neurons.len();
        let to = row(l.to_core, l.axon).filter(|_| known);
        let word = to.unwrap_or_else(|| missing("a loopback"));
        native.loopbacks.push((l.neuron.into(), word));
    }
    if mapping.closed_loop {
        report.add("loop", || {
            defect("the mapping wants spikes to apply their own rows".into())
        });
    }
    if mapping.loopbacks.iter().any(|l| l.delay == 0) {
        report.add("delays", || {
            Diagnostic::error("SYN0612", "a spike comes back after 0 steps")
                .class(Class::Fit)
                .note("the host sends a spike back in the next step at the earliest")
                .hint("give the connection a delay of at least 1 step")
        });
    }
    native
}
