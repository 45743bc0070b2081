//! The compiler's mapping into tinyODIN's configuration.
//!
//! The one core's slots become neurons and its axons rows, as they are. The loop stays open: recurrence and delays go through the host, which sends a
//! spike back as its row when it is due. A time reference ends each step when a neuron leaks. Whatever does not fit is
//! reported; nothing is clipped. Spike destinations of single neurons (`Route::Axon`) do not exist here.

use super::config::{MAX_LEAK, MAX_THRESHOLD, POTENTIALS, SIZE, WEIGHTS};
use super::dynamics::FIELDS;
use super::{Config, Neuron, TIME_REFERENCE};
use crate::backend::NativeBindings;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{Core, Mapping, Route, UnitRef};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// The configuration and native events of a mapping.
///
/// Errors: `SYN0610` for a register or weight beyond its bits, `SYN0611` for what names something that is not there, `SYN0612` for a delay of 0, `SYN0614` for a number of
/// cores, neurons or rows that the chip does not have.
pub fn from_mapping(mapping: &Mapping) -> Result<(Config, NativeBindings), Diagnostics> {
    let mut report = Report::new();
    let core = match mapping.cores.as_slice() {
        [core] => core,
        cores => {
            let d = too_many("cores", cores.len(), 1);
            return Err(d
                .hint("map at least one neuron; what one core cannot hold needs a larger chip")
                .into());
        }
    };
    let neurons = core.neurons.len();
    if neurons == 0 || neurons > SIZE {
        let d = too_many("neurons_per_core", neurons, SIZE);
        report.add("neurons", || {
            d.hint("make the network smaller, or choose a larger target")
        });
        return Err(report.finish());
    }
    if mapping.closed_loop {
        report.add("loop", || {
            defect("the mapping wants spikes to apply their own rows".into())
        });
    }
    let mut config = Config {
        open_loop: true,
        ..Config::default()
    };
    set_neurons(mapping, core, &mut config, &mut report);
    let addresses = set_rows(core, &mut config, &mut report);
    set_weights(core, &addresses, &mut config, &mut report);
    spikes_once(mapping, core, &config, &mut report);
    let bindings = bindings(mapping, core, &addresses, &config, &mut report);
    report.finish().result((config, bindings))
}

/// What a unit that is sent back to the chip may bring in one step, against what one spike takes. A second spike would come
/// back as a second row, where the network sends one event.
///
/// A unit starts a step below its threshold. After a first spike, at the earliest by its smallest weight, all others must stay
/// below the threshold; a unit whose leak clears it in every step needs the whole threshold for the first spike already.
fn spikes_once(mapping: &Mapping, core: &Core, config: &Config, report: &mut Report) {
    let back: BTreeSet<u32> = mapping.loopbacks.iter().map(|l| l.neuron).collect();
    let mut arrivals = vec![(0i64, i64::MAX); core.neurons.len()];
    for s in core.synapses.iter().filter(|s| s.weight > 0) {
        if let Some((sum, least)) = arrivals.get_mut(s.neuron as usize) {
            *sum += i64::from(s.weight);
            *least = i64::from(s.weight).min(*least);
        }
    }
    for (i, (n, (sum, least))) in config.neurons.iter().zip(arrivals).enumerate() {
        let thr = i64::from(n.thr);
        let cleared = n.leak == MAX_LEAK && thr <= i64::from(MAX_LEAK) + 1;
        let first = if cleared { thr } else { least };
        if sum == 0 || n.disabled || sum - first < thr || !back.contains(&(i as u32)) {
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
                .field("available", thr + first - 1)
                .field("population", name)
        });
    }
}

fn too_many(limit: &str, needed: usize, available: usize) -> Diagnostic {
    let text = format!("the mapping has {needed} for the limit `{limit}` of {available}");
    Diagnostic::error("SYN0614", text)
        .class(Class::Fit)
        .note("the chip is one crossbar of 256 rows and 1 to 256 neurons")
        .field("limit", limit)
        .field("needed", needed)
        .field("available", available)
}

fn defect(message: String) -> Diagnostic {
    Diagnostic::error("SYN0611", message)
        .class(Class::Fit)
        .note("rows, neurons and host events of a mapping name what is mapped")
        .hint("this is a defect of the mapping: please report it")
}

fn register(place: String, name: &str, value: i64, low: i64, high: i64) -> Diagnostic {
    let text = format!("{place}: {name} is {value}, it holds {low}..={high}");
    Diagnostic::error("SYN0610", text)
        .class(Class::Fit)
        .note("the chip stores no more bits")
        .hint("scale weights, thresholds and leaks together until they fit")
        .field("limit", name)
        .field("needed", value)
        .field("available", format!("{low}..={high}"))
}

fn set_neurons(mapping: &Mapping, core: &Core, config: &mut Config, report: &mut Report) {
    let at = FIELDS.map(|name| mapping.field(name));
    for (name, _) in FIELDS.iter().zip(at).filter(|x| x.1.is_none()) {
        report.add("fields", || {
            defect(format!("the register `{name}` is missing"))
        });
    }
    let ranges = [
        (0, i64::from(MAX_THRESHOLD)),
        (0, i64::from(MAX_LEAK)),
        (0, 1),
        (i64::from(*POTENTIALS.start()), i64::from(*POTENTIALS.end())),
    ];
    for (i, n) in core.neurons.iter().enumerate() {
        let mut values = [0; 4];
        for (k, (low, high)) in ranges.into_iter().enumerate() {
            let given = at[k].and_then(|f| n.fields.get(f)).copied().unwrap_or(0);
            if !(low..=high).contains(&given) {
                report.add("registers", || {
                    register(format!("neuron {i}"), FIELDS[k], given, low, high)
                });
            }
            values[k] = given.clamp(low, high);
        }
        if let Route::Axon { .. } = n.route {
            report.add("routes", || {
                defect(format!("neuron {i} has a destination of its own"))
            });
        }
        let [thr, leak, disabled, v] = values;
        // The clamp above keeps every value within its type.
        config.neurons.push(Neuron {
            core: v as i16,
            thr: thr as u16,
            leak: leak as u8,
            disabled: disabled == 1,
        });
    }
}

/// Rows of zeros; gives the address of each axon, `None` where it has none.
fn set_rows(core: &Core, config: &mut Config, report: &mut Report) -> Vec<Option<u8>> {
    let zeros = vec![0; core.neurons.len()];
    let mut row = |a: &synfire_ir::mapping::Axon| {
        let Ok(address) = u8::try_from(a.address) else {
            report.add("rows", || {
                too_many("axons_per_core", a.address as usize + 1, SIZE)
                    .hint("use fewer inputs and fewer different delays, or choose a larger target")
            });
            return None;
        };
        if config.rows.insert(address, zeros.clone()).is_some() {
            report.add("row twice", || {
                defect(format!("two axons have the address {address}"))
            });
        }
        Some(address)
    };
    core.axons.iter().map(&mut row).collect()
}

fn set_weights(core: &Core, addresses: &[Option<u8>], config: &mut Config, report: &mut Report) {
    let mut seen = BTreeSet::new();
    for s in &core.synapses {
        let address = addresses.get(s.axon as usize).copied();
        let row = address.flatten().and_then(|a| config.rows.get_mut(&a));
        let Some(slot) = row.and_then(|r| r.get_mut(s.neuron as usize)) else {
            // An axon beyond the last row is reported already.
            if address != Some(None) {
                report.add("synapses", || {
                    defect(format!(
                        "a synapse from axon {} to neuron {}, which are not mapped",
                        s.axon, s.neuron
                    ))
                });
            }
            continue;
        };
        let (low, high) = (i64::from(*WEIGHTS.start()), i64::from(*WEIGHTS.end()));
        let given = i64::from(s.weight);
        let place = || format!("axon {}, neuron {}", s.axon, s.neuron);
        if !(low..=high).contains(&given) {
            report.add("weights", || register(place(), "weight", given, low, high));
        }
        if !seen.insert((s.axon, s.neuron)) {
            report.add("synapse twice", || {
                defect(format!("{}: two synapses for one weight", place()))
            });
        }
        *slot = given.clamp(low, high) as i8;
    }
}

/// Native events of inputs, outputs, loopbacks and the end of a step.
fn bindings(
    mapping: &Mapping,
    core: &Core,
    addresses: &[Option<u8>],
    config: &Config,
    report: &mut Report,
) -> NativeBindings {
    let row = |core: u32, axon: u32| {
        let address = addresses.get(axon as usize).copied().flatten();
        address.filter(|_| core == 0).map(u64::from)
    };
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
        let word = slots
            .get(u)
            .copied()
            .unwrap_or_else(|| missing("an output"));
        native.outputs.push(word);
    }
    for l in &mapping.loopbacks {
        let known = l.core == 0 && (l.neuron as usize) < core.neurons.len();
        let to = row(l.to_core, l.axon).filter(|_| known);
        let word = to.unwrap_or_else(|| missing("a loopback"));
        native.loopbacks.push((l.neuron.into(), word));
    }
    if mapping.loopbacks.iter().any(|l| l.delay == 0) {
        report.add("delays", || {
            Diagnostic::error("SYN0612", "a spike comes back after 0 steps")
                .class(Class::Fit)
                .note("the host sends a spike back in the next step at the earliest")
                .hint("give the connection a delay of at least 1 step")
        });
    }
    if config.neurons.iter().any(|n| n.leak != 0) {
        native.tail.push(TIME_REFERENCE);
    }
    native
}
