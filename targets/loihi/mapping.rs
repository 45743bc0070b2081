//! The compiler's mapping into a configuration.
//!
//! A core of the mapping is a core of the chip, a slot a compartment, an axon an entry of the synapse map whose row holds its synapses, those of one format together. A unit's spikes go to every core
//! that has an axon of it. Weights come as they act, `m * 2^e`: formats are the fewest exponents and signs that hold all of a core's weights exactly. Delays beyond one step are the synapses'
//! own; those of inputs are the host's. Whatever does not fit is reported; nothing is clipped.

use super::config::*;
use super::dynamics::{FIELDS, bias_parts};
use super::learning;
use super::limits;
use super::mapped::{Learning, places, values};
use super::validate::MAX_DLY;
use crate::backend::NativeBindings;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{Axon, Core as Mapped, Mapping, UnitRef};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Largest weight exponent.
const MAX_EXP: u32 = 7;
/// Largest magnitude of a mantissa in a format of one sign.
const MAX_MANTISSA: u32 = 255;

/// The configuration and native events of a mapping.
///
/// Errors: of class fit: `SYN0610` for weights that no exponent makes 8 bits wide, `SYN0611` for a defect of the mapping, `SYN0614` for a limit.
pub fn from_mapping(mapping: &Mapping) -> Result<(Config, NativeBindings), Diagnostics> {
    let mut report = Report::new();
    for name in FIELDS.iter().filter(|f| mapping.field(f).is_none()) {
        report.add("fields", || {
            defect(format!("the register `{name}` is missing"))
        });
    }
    let mut config = Config::default();
    for (k, core) in mapping.cores.iter().enumerate() {
        config.cores.push(one(mapping, k, core, &mut report));
    }
    wires(mapping, &mut config, &mut report);
    let bindings = bindings(mapping, &mut config, &mut report);
    if !report.has_errors() {
        report.extend(limits::check(&config));
    }
    report.finish().result((config, bindings))
}

/// Registers and synapses of a core.
fn one(mapping: &Mapping, k: usize, core: &Mapped, report: &mut Report) -> Core {
    let mut c = Core {
        core: k.min(255) as u8,
        synapse_fmt: vec![SynapseFmt::default()],
        ..Core::default()
    };
    let mut ends: Option<(i64, i64)> = None;
    for n in &core.neurons {
        let value = |name: &str| {
            let at = mapping.field(name);
            at.and_then(|i| n.fields.get(i)).copied().unwrap_or(0)
        };
        let cx = CxProfile {
            decay_u: value("du").clamp(0, 4095) as u16,
            decay_v: value("dv").clamp(0, 4095) as u16,
            refract_delay: value("refract").clamp(1, 64) as u8,
            enable_noise: false,
        };
        let vth = VthProfile {
            vth: value("thr").clamp(1, 131_071) as u32,
        };
        let (bias, bias_exp) = bias_parts(value("bias")).unwrap_or_else(|| {
            report.add("bias", || {
                defect(format!("the bias {} takes more bits", value("bias")))
            });
            (0, 0)
        });
        c.cx_cfg.push(Cx {
            bias,
            bias_exp,
            vth_profile: profile(&mut c.vth_profile_cfg, vth),
            cx_profile: profile(&mut c.cx_profile_cfg, cx),
        });
        let mine = (value("vmin"), value("vmax"));
        if *ends.get_or_insert(mine) != mine {
            let name = mapping
                .populations
                .get(n.unit.pop as usize)
                .map_or("", |p| &p.name);
            report.add("ends", || {
                Diagnostic::error(
                    "SYN0614",
                    format!("`{name}` has other membrane ends than its neighbours on core {k}"),
                )
                .class(Class::Fit)
                .at(name)
                .note("a core has one lower and one upper end of the membrane")
                .hint("give all populations the same vmin and vmax")
                .field("limit", "vmin, vmax")
                .field("needed", 2)
                .field("available", 1)
            });
        }
    }
    let (low, high) = ends.unwrap_or((23, 7));
    c.dendrite_shared_cfg.neg_vm_limit = low.clamp(0, 31) as u8;
    c.dendrite_shared_cfg.pos_vm_limit = high.clamp(0, 7) as u8;
    synapses(mapping, k, core, &mut c, report);
    c
}

/// Index of a value in a list of profiles, which gets it if it is new; what is beyond an index' bits breaks the limit on profiles too.
fn profile<T: PartialEq>(list: &mut Vec<T>, value: T) -> u8 {
    let at = list.iter().position(|p| *p == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    });
    at.min(255) as u8
}

/// Exponents with which `weight` is a whole mantissa of 8 bits: from the first to the last.
fn exponents(weight: u32) -> Option<(u32, u32)> {
    let last = weight.trailing_zeros().min(MAX_EXP);
    let first = (0..=last).find(|e| weight >> e <= MAX_MANTISSA)?;
    Some((first, last))
}

/// The fewest exponents of which each range contains one.
fn cover(mut ranges: Vec<(u32, u32)>) -> Vec<u32> {
    ranges.sort_unstable_by_key(|r| r.1);
    let mut chosen: Vec<u32> = vec![];
    for (first, last) in ranges {
        if !chosen.iter().any(|e| (first..=last).contains(e)) {
            chosen.push(last);
        }
    }
    chosen
}

/// Steps that the synapses of an axon add to the one that every spike takes.
pub(super) fn extra(mapping: &Mapping, axon: &Axon) -> u16 {
    let input = mapping
        .populations
        .get(axon.source.pop as usize)
        .is_some_and(|p| p.input);
    if input {
        0
    } else {
        axon.delay.saturating_sub(1)
    }
}

fn synapses(mapping: &Mapping, k: usize, core: &Mapped, c: &mut Core, report: &mut Report) {
    let learning = Learning::of(mapping, k as u32);
    let mut ranges: BTreeMap<bool, BTreeSet<(u32, u32)>> = BTreeMap::new();
    for s in core.synapses.iter().filter(|s| learning.rule(s).is_none()) {
        match exponents(s.weight.unsigned_abs()) {
            Some(r) => drop(ranges.entry(s.weight < 0).or_default().insert(r)),
            None => report.add("weights", || too_fine(mapping, core, s)),
        }
    }
    let mut formats: Vec<(bool, u32)> = vec![];
    for (&negative, r) in &ranges {
        let list = cover(r.iter().copied().collect());
        formats.extend(list.into_iter().map(|e| (negative, e)));
    }
    let slowest = core
        .axons
        .iter()
        .map(|a| extra(mapping, a))
        .max()
        .unwrap_or(0);
    if slowest > MAX_DLY.into() {
        report.add("delays", || {
            defect(format!("a delay of {} steps", slowest + 1))
        });
    }
    let index = c.cx_cfg.len().max(2).next_power_of_two().trailing_zeros();
    for &(negative, e) in &formats {
        c.synapse_fmt.push(SynapseFmt {
            wgt_exp: e as i8,
            wgt_bits: 7,
            dly_bits: (16 - slowest.leading_zeros()).min(7) as u8,
            idx_bits: index.saturating_sub(5).clamp(1, 7) as u8,
            fanout_type: if negative { INHIBITORY } else { EXCITATORY },
            num_synapses: 63,
            ..SynapseFmt::default()
        });
    }
    let mut rows: Vec<Vec<Synapse>> = vec![vec![]; core.axons.len()];
    learning.rows(mapping, core, c, &mut rows, report);
    for s in core.synapses.iter().filter(|s| learning.rule(s).is_none()) {
        let negative = s.weight < 0;
        let Some(range) = exponents(s.weight.unsigned_abs()) else {
            continue;
        };
        let fits = |f: &(bool, u32)| f.0 == negative && (range.0..=range.1).contains(&f.1);
        let (Some(axon), Some(row), Some(f)) = (
            core.axons.get(s.axon as usize),
            rows.get_mut(s.axon as usize),
            formats.iter().position(fits),
        ) else {
            report.add("synapses", || {
                defect(format!(
                    "core {k}: a synapse from axon {} to neuron {}",
                    s.axon, s.neuron
                ))
            });
            continue;
        };
        row.push(Synapse {
            c_idx: s.neuron.min(u16::MAX.into()) as u16,
            wgt: (s.weight >> formats[f].1) as i16,
            syn_fmt_id: (f + 1).min(255) as u8,
            dly: extra(mapping, axon).min(MAX_DLY.into()) as u8,
            tag: 0,
            lrn_en: 0,
        });
    }
    for mut row in rows {
        row.sort_unstable_by_key(|s| (s.syn_fmt_id, s.c_idx));
        c.synapse_map.push(MapEntry {
            synapse_ptr: c.synapses.len() as u32,
            synapse_len: row.len() as u32,
            pop_size: 1,
            ..MapEntry::default()
        });
        c.synapses.extend(row);
    }
}

fn too_fine(mapping: &Mapping, core: &Mapped, s: &synfire_ir::mapping::Synapse) -> Diagnostic {
    let target = core.neurons.get(s.neuron as usize).map(|n| n.unit);
    let name = target
        .and_then(|u| mapping.populations.get(u.pop as usize))
        .map_or("", |p| &p.name);
    let text = format!(
        "the weight {} onto `{name}` is no mantissa of 8 bits times 2^0 to 2^{MAX_EXP}",
        s.weight
    );
    Diagnostic::error("SYN0610", text)
        .class(Class::Fit)
        .at(name)
        .note("a synapse stores 8 bits and a sign; its format has the exponent")
        .hint("make the weight a multiple of a larger power of two, or scale weights and thresholds down")
        .field("limit", "weights")
        .field("needed", s.weight)
        .field("available", MAX_MANTISSA << MAX_EXP)
        .field("population", name)
}

/// Output axons: every axon of the mapping that carries a unit of the chip.
fn wires(mapping: &Mapping, config: &mut Config, report: &mut Report) {
    let mut seats: BTreeMap<UnitRef, (usize, u16)> = BTreeMap::new();
    for (k, core) in mapping.cores.iter().enumerate() {
        for (i, n) in core.neurons.iter().enumerate() {
            seats
                .entry(n.unit)
                .or_insert((k, i.min(u16::MAX.into()) as u16));
        }
    }
    for (k, core) in mapping.cores.iter().enumerate() {
        for (a, axon) in core.axons.iter().enumerate() {
            let input = mapping
                .populations
                .get(axon.source.pop as usize)
                .is_some_and(|p| p.input);
            match seats.get(&axon.source) {
                Some(&(from, cx)) if !input => {
                    config.cores[from].axons.push((cx, destination(k, a)))
                }
                None if !input => report.add("sources", || {
                    defect(format!(
                        "axon {a} of core {k} carries a unit that is not mapped"
                    ))
                }),
                _ => {}
            }
        }
    }
    for core in &mut config.cores {
        core.axons.sort_unstable();
    }
}

fn destination(core: usize, axon: usize) -> Destination {
    Destination {
        dst_chip_id: 0,
        dst_core_id: core.min(255) as u8,
        dst_syn_map_id: axon.min(u16::MAX.into()) as u16,
        atom: 0,
    }
}

/// Channels of the spike generator, one for each axon that carries an input, and compartments that are read back.
fn bindings(mapping: &Mapping, config: &mut Config, report: &mut Report) -> NativeBindings {
    let mut native = NativeBindings::default();
    for i in &mapping.inputs {
        native.inputs.push(config.channels.len() as u64);
        let to = destination(i.core as usize, i.axon as usize);
        config.channels.push(vec![to]);
    }
    let mut seats: BTreeMap<UnitRef, (u32, u16)> = BTreeMap::new();
    for (k, core) in (0u32..).zip(&mapping.cores) {
        for (i, n) in core.neurons.iter().enumerate() {
            seats
                .entry(n.unit)
                .or_insert((k, i.min(u16::MAX.into()) as u16));
        }
    }
    for u in &mapping.outputs {
        let Some(&seat) = seats.get(u) else {
            report.add("outputs", || defect("a recorded unit is not mapped".into()));
            continue;
        };
        native.outputs.push(config.outputs.len() as u64);
        config.outputs.push(seat);
    }
    native.learning = places(mapping);
    match learning::sets(config) {
        Ok(sets) => native.values = values(mapping, config, &sets),
        Err(why) => report.extend(why),
    }
    if !mapping.loopbacks.is_empty() || mapping.closed_loop {
        report.add("loop", || {
            defect("the mapping sends spikes back through the host".into())
        });
    }
    native
}

pub(super) fn defect(message: String) -> Diagnostic {
    Diagnostic::error("SYN0611", message)
        .class(Class::Fit)
        .note("axons, neurons and host events of a mapping name what is mapped")
        .hint("this is a defect of the mapping: please report it")
}
