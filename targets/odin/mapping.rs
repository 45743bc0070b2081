//! The compiler's mapping into ODIN's configuration.
//!
//! The one core's slots become neurons and its axons rows, as they are; a row has one sign, so a source that excites and inhibits has an axon for each. The loop stays open: recurrence and delays go
//! through the host, which sends a spike back as its row when it is due. A time reference ends each step when a neuron or its calcium leaks. Synapses are mapped ones; where some learn, these
//! alone are mapped and the others propagate unmapped. Whatever does not fit is reported, nothing is clipped.

use super::aer::{SPIKE, TIME_REFERENCE};
use super::config::{Config, SIZE};
use super::dynamics::{FIELDS, MAX, MAX_LEAK};
use super::word::Word;
use crate::backend::NativeBindings;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{Core, Learner, Mapping, Rule, Synapse, UnitRef};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Largest magnitude of a weight.
const MAX_WEIGHT: i32 = 7;
/// Largest calcium, 3 bits.
const MAX_COUNT: i64 = 7;
/// Most time references after which the calcium falls, 5 bits.
const MAX_INTERVAL: i64 = 31;

/// The configuration and native events of a mapping.
///
/// Errors: of class fit: `SYN0610` for a register or weight beyond its bits, `SYN0611` for a defect of the mapping, `SYN0612` for a delay of 0, `SYN0614` for a number of cores, neurons or rows that
/// the chip does not have, or units that could spike twice in a step and are sent back.
pub fn from_mapping(mapping: &Mapping) -> Result<(Config, NativeBindings), Diagnostics> {
    let [core] = mapping.cores.as_slice() else {
        return Err(too_many("cores", mapping.cores.len(), 1).into());
    };
    let mut report = Report::new();
    for (limit, n) in [
        ("neurons_per_core", core.neurons.len()),
        ("axons_per_core", core.axons.len()),
    ] {
        if n > SIZE {
            report.add(limit, || too_many(limit, n, SIZE));
        }
    }
    if report.has_errors() {
        return Err(report.finish());
    }
    let mut config = Config {
        open_loop: true,
        ..Config::default()
    };
    let units = neurons(mapping, core, &mut config, &mut report);
    let learning = Learns::of(mapping);
    rows(core, &learning, &mut config, &mut report);
    let counts = learns(mapping, &mut config, &mut report);
    spikes_once(mapping, core, &units, &learning, &mut report);
    let leaks = counts || units.iter().any(|u| u.leak != 0);
    let bindings = bindings(mapping, core, leaks, &mut report);
    report.finish().result((config, bindings))
}

fn too_many(limit: &str, needed: usize, available: usize) -> Diagnostic {
    let text = format!("the mapping has {needed} for the limit `{limit}` of {available}");
    Diagnostic::error("SYN0614", text)
        .class(Class::Fit)
        .note("the chip is one crossbar of 256 rows and 256 neurons; a source that excites and inhibits takes two rows")
        .hint("use fewer neurons, inputs and different delays, or choose a larger target")
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

/// What counts in one step of a unit.
struct Unit {
    thr: i64,
    leak: i64,
    disabled: bool,
}

fn neurons(mapping: &Mapping, core: &Core, config: &mut Config, report: &mut Report) -> Vec<Unit> {
    let at = FIELDS.map(|name| mapping.field(name));
    for (name, _) in FIELDS.iter().zip(at).filter(|x| x.1.is_none()) {
        report.add("fields", || {
            defect(format!("the register `{name}` is missing"))
        });
    }
    let ranges = [(0, MAX), (0, MAX_LEAK), (0, 1), (0, MAX)];
    let mut units = vec![];
    for (i, n) in (0..=u8::MAX).zip(&core.neurons) {
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
        let [thr, leak, disabled, v] = values;
        let word = Word(1)
            .with("leak_str", leak)
            .with("leak_en", (leak != 0).into())
            .with("thr", thr)
            .with("core", v)
            .with("disabled", disabled);
        config.neurons.insert(i, word);
        units.push(Unit {
            thr,
            leak,
            disabled: disabled == 1,
        });
    }
    units
}

/// Synapses that learn: (axon, neuron).
struct Learns(BTreeSet<(u32, u32)>);

impl Learns {
    fn of(mapping: &Mapping) -> Learns {
        let all = mapping.learning.iter().flat_map(|l| &l.synapses);
        Learns(all.map(|s| (s.axon, s.neuron)).collect())
    }

    /// The nibble of a synapse. Where nothing learns, all that carry a weight are mapped; else only those that learn, and the others carry theirs unmapped.
    fn nibble(&self, s: &Synapse) -> u8 {
        let size = s.weight.abs().min(MAX_WEIGHT) as u8;
        match self.0.is_empty() || self.0.contains(&(s.axon, s.neuron)) {
            true => 8 | size,
            false => size,
        }
    }
}

/// Turns learning on for the neurons that synapses learn onto. Does any count of spikes fall with time references?
fn learns(mapping: &Mapping, config: &mut Config, report: &mut Report) -> bool {
    let mut counts = false;
    config.propagate_unmapped = mapping.learning.iter().any(|l| !l.synapses.is_empty());
    for l in &mapping.learning {
        let Rule::Gated(g) = &l.rule else {
            report.add("learning", || {
                defect(format!(
                    "`{}` learns by a rule that is not SDSP",
                    l.projection
                ))
            });
            continue;
        };
        counts |= g.interval != 0;
        let registers = [
            ("thetamem", g.membrane, MAX),
            ("theta1", g.from, MAX_COUNT),
            ("theta2", g.down, MAX_COUNT),
            ("theta3", g.up, MAX_COUNT),
            ("ca_leak", g.interval.into(), MAX_INTERVAL),
            ("ca", g.count, MAX_COUNT),
        ];
        for (name, value, high) in registers {
            if !(0..=high).contains(&value) {
                report.add("learning registers", || {
                    register(l.projection.clone(), name, value, 0, high)
                });
            }
        }
        for s in &l.synapses {
            let late = shift(mapping, s);
            if late > 0 && g.count > 0 {
                report.add("counts", || early(&l.projection, late));
            }
            // Time references are sent in the steps before the neuron's first one too.
            let phase =
                (i64::from(g.interval) - i64::from(late)).rem_euclid(i64::from(g.interval.max(1)));
            let neuron = u8::try_from(s.neuron).ok();
            let Some(word) = neuron.and_then(|n| config.neurons.get_mut(&n)) else {
                report.add("synapses", || {
                    defect(format!(
                        "`{}` learns onto neuron {}",
                        l.projection, s.neuron
                    ))
                });
                continue;
            };
            *word = registers
                .iter()
                .fold(word.with("ca_en", 1), |w, (name, value, _)| {
                    w.with(name, *value)
                })
                .with("ca_cnt", phase);
        }
    }
    counts
}

/// Steps by which the neuron of a synapse runs late.
fn shift(mapping: &Mapping, s: &Learner) -> u32 {
    let core = mapping.cores.get(s.core as usize);
    let unit = core.and_then(|c| c.neurons.get(s.neuron as usize));
    let pop = unit.and_then(|n| mapping.populations.get(n.unit.pop as usize));
    pop.map_or(0, |p| p.shift)
}

fn early(projection: &str, late: u32) -> Diagnostic {
    let text = format!(
        "the calcium of the neurons that `{projection}` leads to is not 0 at the start, and they run {late} steps late"
    );
    Diagnostic::error("SYN0644", text)
        .class(Class::Fit)
        .at(projection)
        .note("time references are sent in the steps before as well, and calcium falls with them")
        .hint("start at 0, or balance the paths of the network so that these neurons run no steps late")
        .field("limit", "learning")
}

fn rows(core: &Core, learning: &Learns, config: &mut Config, report: &mut Report) {
    let blank = vec![0; config.columns()];
    for a in &core.axons {
        let fresh =
            u8::try_from(a.address).is_ok_and(|r| config.rows.insert(r, blank.clone()).is_none());
        if !fresh {
            report.add("rows", || {
                defect(format!(
                    "the row {} is there twice, or not on the chip",
                    a.address
                ))
            });
        }
    }
    let mut signs: BTreeMap<u8, bool> = BTreeMap::new();
    for s in &core.synapses {
        let axon = core.axons.get(s.axon as usize);
        let row = axon.and_then(|a| u8::try_from(a.address).ok());
        let Some(row) = row.filter(|_| (s.neuron as usize) < core.neurons.len()) else {
            report.add("synapses", || {
                defect(format!(
                    "a synapse from axon {} to neuron {}",
                    s.axon, s.neuron
                ))
            });
            continue;
        };
        if s.weight.abs() > MAX_WEIGHT {
            let low = -i64::from(MAX_WEIGHT);
            report.add("weights", || {
                register(
                    format!("row {row}, neuron {}", s.neuron),
                    "weight",
                    s.weight.into(),
                    low,
                    -low,
                )
            });
        }
        if *signs.entry(row).or_insert(s.weight < 0) != (s.weight < 0) {
            report.add("signs", || {
                defect(format!("row {row} has weights of both signs"))
            });
        }
        if let Some(slot) = config
            .rows
            .get_mut(&row)
            .and_then(|r| r.get_mut(s.neuron as usize))
        {
            *slot = learning.nibble(s);
        }
    }
    for (row, inhibits) in signs {
        config.set_sign(row, inhibits);
    }
}

/// A unit that is sent back must not spike twice in a step: a second spike would come back as a second row, where the network sends one event.
///
/// A unit starts a step below its threshold. After a first spike, at the earliest by its smallest weight, all others must stay below the threshold; a unit whose leak
/// clears it in every step needs the whole threshold for the first spike already.
fn spikes_once(
    mapping: &Mapping,
    core: &Core,
    units: &[Unit],
    learning: &Learns,
    report: &mut Report,
) {
    let back: BTreeSet<u32> = mapping.loopbacks.iter().map(|l| l.neuron).collect();
    let mut arrivals = vec![(0i64, i64::MAX); units.len()];
    for s in &core.synapses {
        // A weight that learns may come to be any.
        let (low, high) = match learning.0.contains(&(s.axon, s.neuron)) {
            true => (1, MAX_WEIGHT),
            false => (s.weight, s.weight),
        };
        if let Some((sum, least)) = arrivals.get_mut(s.neuron as usize).filter(|_| high > 0) {
            *sum += i64::from(high);
            *least = i64::from(low).min(*least);
        }
    }
    for (i, (u, (sum, least))) in units.iter().zip(arrivals).enumerate() {
        let cleared = u.leak == MAX_LEAK && u.thr <= MAX_LEAK + 1;
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

/// Native events of inputs, outputs, loopbacks and the end of a step.
fn bindings(mapping: &Mapping, core: &Core, leaks: bool, report: &mut Report) -> NativeBindings {
    let row = |c: u32, axon: u32| {
        let address = core.axons.get(axon as usize).filter(|_| c == 0)?.address;
        Some(u64::from(address) << 8 | SPIKE)
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
        native
            .inputs
            .push(row(i.core, i.axon).unwrap_or_else(|| missing("an input")));
    }
    for u in &mapping.outputs {
        native.outputs.push(
            slots
                .get(u)
                .copied()
                .unwrap_or_else(|| missing("an output")),
        );
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
    for l in &mapping.learning {
        let place = |s: &Learner| {
            let row = core.axons.get(s.axon as usize).map_or(0, |a| a.address);
            u64::from(row) << 8 | u64::from(s.neuron)
        };
        native.learning.push(l.synapses.iter().map(place).collect());
    }
    if leaks {
        native.tail.push(TIME_REFERENCE);
    }
    native
}
