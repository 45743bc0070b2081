//! The compiler's mapping into tinyODIN's configuration.
//!
//! The one core's slots become neurons and its axons rows, as they are. The loop stays open: recurrence and delays go through the host, which sends a
//! spike back as its row when it is due. A time reference ends each step when a neuron leaks. Whatever does not fit is
//! reported; nothing is clipped. Spike destinations of single neurons (`Route::Axon`) do not exist here.

use super::config::{MAX_LEAK, MAX_THRESHOLD, POTENTIALS, SIZE, WEIGHTS};
use super::dynamics::FIELDS;
use super::{Config, Neuron, TIME_REFERENCE};
use crate::aer_crossbar::mapping::{self as crossbar, Unit, defect, register, too_many};
use crate::backend::NativeBindings;
use crate::report::Report;
use std::collections::BTreeSet;
use synfire_ir::Diagnostics;
use synfire_ir::mapping::{Core, Mapping, Route, Synapse};

/// The configuration and native events of a mapping.
///
/// Errors: `SYN0610` for a register or weight beyond its bits, `SYN0611` for what names something that is not there, `SYN0612` for a delay of 0, `SYN0614` for a number of
/// cores, neurons or rows that the chip does not have.
pub fn from_mapping(mapping: &Mapping) -> Result<(Config, NativeBindings), Diagnostics> {
    let core = crossbar::only_core(mapping)?;
    if core.neurons.is_empty() {
        let d = too_many("neurons_per_core", 0, SIZE);
        return Err(d.hint("map at least one neuron").into());
    }
    let mut report = Report::new();
    let mut config = Config {
        open_loop: true,
        ..Config::default()
    };
    set_neurons(mapping, core, &mut config, &mut report);
    let addresses = set_rows(core, &mut config, &mut report);
    set_weights(core, &addresses, &mut config, &mut report);
    let units = |n: &Neuron| Unit {
        thr: n.thr.into(),
        leak: n.leak.into(),
        disabled: n.disabled,
    };
    let units: Vec<Unit> = config.neurons.iter().map(units).collect();
    let weight = |s: &Synapse| (s.weight.into(), s.weight.into());
    crossbar::spikes_once(mapping, core, &units, MAX_LEAK.into(), weight, &mut report);
    let row = |axon: u32| addresses.get(axon as usize).copied()?.map(u64::from);
    let mut bindings = crossbar::bindings(mapping, core, row, &mut report);
    if units.iter().any(|u| u.leak != 0) {
        bindings.tail.push(TIME_REFERENCE);
    }
    report.finish().result((config, bindings))
}

fn set_neurons(mapping: &Mapping, core: &Core, config: &mut Config, report: &mut Report) {
    let ranges = [
        (0, i64::from(MAX_THRESHOLD)),
        (0, i64::from(MAX_LEAK)),
        (0, 1),
        (i64::from(*POTENTIALS.start()), i64::from(*POTENTIALS.end())),
    ];
    for (i, n) in core.neurons.iter().enumerate() {
        if let Route::Axon { .. } = n.route {
            report.add("routes", || {
                defect(format!("neuron {i} has a destination of its own"))
            });
        }
    }
    let all = crossbar::fields(mapping, core, FIELDS, ranges, report);
    // Every value is within its range, and so within its type.
    let neuron = |[thr, leak, disabled, v]: [i64; 4]| Neuron {
        core: v as i16,
        thr: thr as u16,
        leak: leak as u8,
        disabled: disabled == 1,
    };
    config.neurons = all.into_iter().map(neuron).collect();
}

/// Rows of zeros; gives the address of each axon, `None` where it has none.
fn set_rows(core: &Core, config: &mut Config, report: &mut Report) -> Vec<Option<u8>> {
    let zeros = vec![0; core.neurons.len()];
    let mut row = |a: &synfire_ir::mapping::Axon| {
        let Ok(address) = u8::try_from(a.address) else {
            report.add("rows", || {
                too_many("axons_per_core", a.address as usize + 1, SIZE)
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
