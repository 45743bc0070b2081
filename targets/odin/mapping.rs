//! The compiler's mapping into ODIN's configuration.
//!
//! The one core's slots become neurons and its axons rows, as they are; a row has one sign, so a source that excites and inhibits has an axon for each. The loop stays open: recurrence and delays go
//! through the host, which sends a spike back as its row when it is due. A time reference ends each step when a neuron or its calcium leaks. Synapses are mapped ones; where some learn, these
//! alone are mapped and the others propagate unmapped. Whatever does not fit is reported, nothing is clipped.

use super::aer::{BISTABILITY, SPIKE, TIME_REFERENCE};
use super::config::{Config, SIZE};
use super::dynamics::{FIELDS, MAX, MAX_LEAK};
use super::word::Word;
use crate::aer_crossbar::mapping::{self as crossbar, Unit, defect, register, too_many};
use crate::backend::NativeBindings;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::artifact::BoundEvery;
use synfire_ir::mapping::{Core, Learner, Learning, Mapping, Rule, Synapse};
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
    let core = crossbar::only_core(mapping)?;
    if core.axons.len() > SIZE {
        let d = too_many("axons_per_core", core.axons.len(), SIZE);
        return Err(d
            .note("a source that excites and inhibits takes two rows")
            .into());
    }
    let mut report = Report::new();
    let mut config = Config {
        open_loop: true,
        ..Config::default()
    };
    let units = neurons(mapping, core, &mut config, &mut report);
    let learning = Learns::of(mapping);
    rows(core, &learning, &mut config, &mut report);
    let counts = learns(mapping, &mut config, &mut report);
    let weight = |s: &Synapse| learning.reach(s);
    crossbar::spikes_once(mapping, core, &units, MAX_LEAK, weight, &mut report);
    let mut bindings = bindings(mapping, core, &mut report);
    if counts || units.iter().any(|u| u.leak != 0) {
        bindings.tail.push(TIME_REFERENCE);
    }
    bindings.every = drifts(mapping, &mut report);
    report.finish().result((config, bindings))
}

/// The bistability events of each projection that learns. One event moves all synapses that learn, so all take the same.
fn drifts(mapping: &Mapping, report: &mut Report) -> Vec<Vec<BoundEvery>> {
    let of = |l: &Learning| {
        let (Rule::Gated(g), Some(s)) = (&l.rule, l.synapses.first()) else {
            return None;
        };
        // An event comes at the end of a step of the network, which the neurons take so many steps later.
        let first = shift(mapping, s).saturating_add(g.drift.saturating_sub(1));
        Some((g.drift, first))
    };
    let all: Vec<Option<(u32, u32)>> = mapping.learning.iter().map(of).collect();
    let mut known = mapping.learning.iter().zip(&all).filter(|x| x.1.is_some());
    if let Some((a, one)) = known.next()
        && let Some((b, _)) = known.find(|x| x.1 != one)
    {
        report.add("bistability", || apart(&a.projection, &b.projection));
    }
    let event = |x: &Option<(u32, u32)>| {
        let (steps, first) = x.filter(|x| x.0 > 0)?;
        let word = BISTABILITY;
        Some(vec![BoundEvery { steps, first, word }])
    };
    all.iter().map(|x| event(x).unwrap_or_default()).collect()
}

fn apart(a: &str, b: &str) -> Diagnostic {
    let text = format!("the weights of `{a}` and `{b}` do not drift in the same steps");
    Diagnostic::error("SYN0644", text)
        .class(Class::Fit)
        .at(b)
        .note("a bistability event moves every synapse of the chip that learns")
        .hint("give both rules the same interval, and balance the paths of the network")
        .field("limit", "learning")
}

fn neurons(mapping: &Mapping, core: &Core, config: &mut Config, report: &mut Report) -> Vec<Unit> {
    let ranges = [(0, MAX), (0, MAX_LEAK), (0, 1), (0, MAX)];
    let all = crossbar::fields(mapping, core, FIELDS, ranges, report);
    let unit = |(i, [thr, leak, disabled, v]): (u8, [i64; 4])| {
        let word = Word(1)
            .with("leak_str", leak)
            .with("leak_en", (leak != 0).into())
            .with("thr", thr)
            .with("core", v)
            .with("disabled", disabled);
        config.neurons.insert(i, word);
        Unit {
            thr,
            leak,
            disabled: disabled == 1,
        }
    };
    (0..=u8::MAX).zip(all).map(unit).collect()
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

    /// The least and the greatest weight that a synapse may have; one that learns may come to have any.
    fn reach(&self, s: &Synapse) -> (i64, i64) {
        match self.0.contains(&(s.axon, s.neuron)) {
            true => (1, MAX_WEIGHT.into()),
            false => (s.weight.into(), s.weight.into()),
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

/// Native events, and the places of synapses that learn.
fn bindings(mapping: &Mapping, core: &Core, report: &mut Report) -> NativeBindings {
    let row = |axon: u32| {
        let address = core.axons.get(axon as usize)?.address;
        Some(u64::from(address) << 8 | SPIKE)
    };
    let mut native = crossbar::bindings(mapping, core, row, report);
    for l in &mapping.learning {
        let place = |s: &Learner| {
            let row = core.axons.get(s.axon as usize).map_or(0, |a| a.address);
            u64::from(row) << 8 | u64::from(s.neuron)
        };
        native.learning.push(l.synapses.iter().map(place).collect());
    }
    native
}
