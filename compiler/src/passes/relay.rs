//! `relay`: output neurons behind populations that a chip's own outputs cannot be.
//!
//! On chips whose outputs are neurons that drive nothing and hear no input channel, a recorded population that is driven by inputs, or drives others, gets a relay: one output neuron a unit, which
//! forgets its membrane in every step and spikes when its unit has. In: a quantised network. Out: the same with relays, which [`bind`] later takes out of the names again, so that the population carries its own name
//! and only its latency tells. Where the chip's neuron has a current, a unit that spikes in many steps in a row, or several times in one, is read once more; the warning says of how many.
//! Populations of a chip's own model are left alone: their author chose what they are.

use super::ChipNetwork;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::artifact::Bindings;
use synfire_ir::mapping::{MappedPopulation, UnitRef};
use synfire_ir::network::{Network, PopKind};
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;
use synfire_targets::backend::{Backend, Reset, UnitDynamics};

/// Relays of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relays {
    /// (number of the relay population, number of the population that it stands for).
    pub of: Vec<(u32, u32)>,
    /// Weight onto each relay.
    pub weight: i64,
}

/// Adds relays where the chip's outputs need them; `told` gets a warning that says so.
///
/// Errors: `SYN0624` where the chip cannot compute a relay.
pub fn insert(
    net: &Network,
    chip: &mut ChipNetwork,
    target: &Target,
    backend: &dyn Backend,
    told: &mut Diagnostics,
) -> Result<Relays, Diagnostics> {
    let wanted = wanted(net, chip, target);
    if !backend.outputs_end() || wanted.is_empty() {
        return Ok(Relays::default());
    }
    let mut relays = Relays {
        of: vec![],
        weight: weight(chip, target, backend),
    };
    let unit = UnitDynamics::Integrate {
        decay: 0.0,
        bias: 0,
        threshold: relays.weight / 2,
        reset: Reset::Subtract,
        initial: 0,
        refractory: 0,
    };
    for of in wanted {
        let number = chip.populations.len() as u32;
        relay(chip, (number, of), &unit, relays.weight, target, backend)?;
        relays.of.push((number, of));
    }
    told.push(warning(chip, &relays, &unit, target, backend));
    Ok(relays)
}

/// One neuron a unit of population `of`.
fn relay(
    chip: &mut ChipNetwork,
    (number, of): (u32, u32),
    unit: &UnitDynamics,
    weight: i64,
    target: &Target,
    backend: &dyn Backend,
) -> Result<(), Diagnostics> {
    let delay = target.delays().min.value;
    let p = &mut chip.populations[of as usize];
    p.recorded = false;
    let relay = MappedPopulation {
        name: format!("{}.relay", p.name),
        shift: p.shift + delay,
        recorded: true,
        ..p.clone()
    };
    let registers = backend
        .neuron(&target.dialect.name, unit, (0, weight), relay.shift)
        .map_err(|r| refused(target, &relay.name, &r.needed, &r.hint))?;
    for k in 0..relay.size {
        chip.synapses.push(super::ChipSynapse {
            target: chip.units.len() as u32,
            source: UnitRef { pop: of, unit: k },
            delay,
            port: 0,
            weight: weight as i32,
            learns: false,
        });
        chip.units.push(super::ChipUnit {
            unit: UnitRef {
                pop: number,
                unit: k,
            },
            registers: registers.clone(),
        });
    }
    chip.populations.push(relay);
    Ok(())
}

/// Recorded populations that are no outputs of such a chip.
fn wanted(net: &Network, chip: &ChipNetwork, target: &Target) -> Vec<u32> {
    let pop = |target: u32| chip.units.get(target as usize).map(|u| u.unit.pop);
    let mut inner = BTreeSet::new();
    for s in &chip.synapses {
        let input = chip.populations[s.source.pop as usize].input;
        inner.extend(if input {
            pop(s.target)
        } else {
            Some(s.source.pop)
        });
    }
    let own: Vec<bool> = net
        .populations()
        .map(|(_, p)| match &p.kind {
            PopKind::Neurons { model, .. } => {
                let m = net.models.get(*model as usize);
                m.is_some_and(|m| target.chip.spec.is_own(&m.model.name))
            }
            _ => false,
        })
        .collect();
    let recorded = |p: &u32| {
        let own = own.get(*p as usize).copied().unwrap_or(false);
        let p = &chip.populations[*p as usize];
        p.recorded && !p.input && !own
    };
    inner.into_iter().filter(recorded).collect()
}

/// An even weight as large as its exponent allows, which is one that the other synapses of its group can share.
fn weight(chip: &ChipNetwork, target: &Target, backend: &dyn Backend) -> i64 {
    let w = target.weights();
    let mantissa = (w.max.value - w.max.value % 2).max(2);
    let top = w.exponent.as_ref().map_or(0, |e| e.value[1].clamp(0, 20)) as u32;
    let drives: BTreeSet<u32> = chip.synapses.iter().map(|s| s.source.pop).collect();
    let group = |s: &super::ChipSynapse| {
        let unit = chip.units.get(s.target as usize);
        let drives = unit.is_some_and(|u| drives.contains(&u.unit.pop));
        let input = chip.populations[s.source.pop as usize].input;
        backend.weight_group(input, drives, f64::from(s.weight))
    };
    let own = backend.weight_group(false, false, mantissa as f64);
    let shared = chip.synapses.iter().filter(|s| group(s) == own);
    let e = shared
        .map(|s| s.weight.trailing_zeros())
        .fold(top, u32::min);
    mantissa << e
}

/// Says what is read, and how well.
fn warning(
    chip: &ChipNetwork,
    relays: &Relays,
    unit: &UnitDynamics,
    target: &Target,
    backend: &dyn Backend,
) -> Diagnostic {
    let name = |&(_, of): &(u32, u32)| format!("`{}`", chip.populations[of as usize].name);
    let names: Vec<String> = relays.of.iter().map(name).collect();
    let text = format!(
        "{} reads {} through output neurons of their own",
        target.name(),
        names.join(", ")
    );
    let delay = target.delays().min.value;
    let d = Diagnostic::warning("SYN0649", text)
        .at(names.first().map_or("", |n| n.trim_matches('`')).to_string())
        .note("outputs of the chip drive nothing and hear no input: a neuron that does has one output neuron behind it, which spikes when it has")
        .note(format!("a spike leaves the chip {delay} steps later for it; runs and boards take that off again"));
    if backend.differences(&target.dialect.name, unit).is_empty() {
        return d.hint("record only populations that drive nothing to save the neurons");
    }
    d.note(format!(
        "a unit that spikes in more than {} steps in a row, or several times in one step, is read with a spike more behind its last one",
        relays.weight.max(1).ilog2()
    ))
    .hint("record only populations that drive nothing, if these will do: they are read as they are")
}

fn refused(target: &Target, name: &str, needed: &str, hint: &str) -> Diagnostics {
    let text = format!(
        "{} cannot compute the output neurons `{name}`: {needed}",
        target.name()
    );
    Diagnostic::error("SYN0624", text)
        .class(Class::Fit)
        .at(name)
        .hint(hint.to_string())
        .field("limit", "outputs")
        .into()
}

/// Gives what relays send the names of the populations that they stand for; `populations` is the number of the network's own.
pub fn bind(b: &mut Bindings, relays: &Relays, populations: usize) {
    let of: BTreeMap<u32, u32> = relays.of.iter().copied().collect();
    for (&relay, &of) in &of {
        let shift = b.populations.get(relay as usize).map_or(0, |p| p.shift);
        if let Some(p) = b.populations.get_mut(of as usize) {
            (p.recorded, p.shift) = (true, shift);
        }
    }
    for o in &mut b.outputs {
        o.pop = of.get(&o.pop).copied().unwrap_or(o.pop);
    }
    b.populations.truncate(populations);
    b.symbols.retain(|s| (s.pop as usize) < populations);
    b.outputs.sort_unstable();
}
