//! What a unit does, as registers of a neuron.
//!
//! A [`UnitDynamics`] in the chip's integers goes in, register values in the order of [`FIELDS`] come out, or the reason why there are none. A neuron of the family has decay shifts in place of
//! time constants, always a synaptic current, subtracts its threshold at a spike and may spike several times in a step; what of this differs from the unit is said by [`differences`].

use super::config::MAX_SHIFT;
use crate::backend::{Refusal, Reset, UnitDynamics};

/// Registers of a neuron that a mapping carries, in order. `limit`: 31 for a hidden neuron, 1 for an output neuron, 0 where the mapping decides.
pub const FIELDS: [&str; 6] = ["thr", "dm", "d1", "d2", "bias", "limit"];

/// Largest threshold.
const MAX_THRESHOLD: i64 = i16::MAX as i64;
/// Biases of the chip: 8 bits.
const BIASES: (i64, i64) = (i8::MIN as i64, i8::MAX as i64);
/// Decay shift of the current of a unit without one: the smallest that lets anything through, half of it in each step.
const SHORTEST: i64 = 1;

/// Register values of a unit, or the reason why there are none. `shift`: steps that it must stay unchanged without input. A bias acts in them all the same: what only
/// comes near the network may start with that on its membrane ([`head_start`] says how much) as long as it does not spike, an exact unit may not.
pub(super) fn registers(core1: bool, unit: &UnitDynamics, shift: u32) -> Result<[i64; 6], Refusal> {
    let values = match unit {
        UnitDynamics::Own {
            model,
            fields,
            states,
        } => own(core1, model, fields, states)?,
        UnitDynamics::Current { keep, then } => membrane(then, current(*keep))?,
        UnitDynamics::Integrate { .. } => membrane(unit, SHORTEST)?,
    };
    if core1 && values[4] != 0 {
        let hint = "leave the bias out, or take the newer core";
        return Err(Refusal::new(
            "bias",
            values[4].to_string(),
            "no biases (older core)",
            hint,
        ));
    }
    let exact = matches!(unit, UnitDynamics::Own { .. });
    if shift > 0 && values[4] != 0 && (exact || early(&values, shift).1 >= values[0]) {
        return Err(Refusal::new(
            "bias",
            format!(
                "a bias of {} in a unit that runs {shift} steps late",
                values[4]
            ),
            "the same bias from the first step of the chip on",
            "leave the bias out, or balance the paths of the network so that this unit runs no steps late",
        ));
    }
    Ok(values)
}

/// The membrane after `shift` steps in which the bias acts alone, and the highest on the way, by the update of the chip: what decays is `v >> dm`, or 1 towards 0 where
/// that is 0.
fn early(registers: &[i64; 6], shift: u32) -> (i64, i64) {
    let [_, dm, _, _, bias, _] = *registers;
    let (mut v, mut highest) = (0i64, 0);
    for _ in 0..shift {
        let lost = match v >> dm {
            0 => v.signum(),
            q => q,
        };
        let next = (v - lost + bias).clamp(i16::MIN.into(), i16::MAX.into());
        if next == v {
            break;
        }
        v = next;
        highest = highest.max(v);
    }
    (v, highest)
}

/// Where the bias has moved the membrane of a unit that runs `shift` steps late when its first step comes, as a share of its threshold.
pub(super) fn head_start(core1: bool, unit: &UnitDynamics, shift: u32) -> f64 {
    registers(core1, unit, shift).map_or(0.0, |r| early(&r, shift).0 as f64 / r[0] as f64)
}

/// The decay shift nearest to what is left after a step: a shift d leaves `1 - 2^-d`.
fn dash(keep: f64) -> i64 {
    let lost = 1.0 - keep;
    if lost <= 0.0 {
        return MAX_SHIFT.into();
    }
    ((1.0 / lost).log2().round_ties_even() as i64).clamp(0, MAX_SHIFT.into())
}

fn current(keep: f64) -> i64 {
    dash(keep).max(SHORTEST)
}

fn left(dash: i64) -> f64 {
    1.0 - 0.5f64.powi(dash as i32)
}

/// The chip adds arrivals before the current decays and loses part of them, over time `k / (1 - k)` of a weight reaches the membrane where `k` is what is left of the current
/// after a step; the unit's current passes on `1 / (1 - keep)`, or 1 when it has none.
pub(super) fn gain(unit: &UnitDynamics) -> f64 {
    match unit {
        UnitDynamics::Current { keep, .. } if *keep < 1.0 => {
            let k = left(current(*keep));
            (1.0 - k) / (k * (1.0 - keep))
        }
        UnitDynamics::Current { .. } | UnitDynamics::Integrate { .. } => {
            let k = left(SHORTEST);
            (1.0 - k) / k
        }
        UnitDynamics::Own { .. } => 1.0,
    }
}

/// A constant arrival of 1 in every step comes to `1 / (1 - keep)` in the unit's current, or 1 where it has none, and a bias acts on the membrane with just that: [`gain`] without the part
/// that makes up for what the chip's current loses.
pub(super) fn constant_gain(unit: &UnitDynamics) -> f64 {
    let dash = match unit {
        UnitDynamics::Current { keep, .. } => current(*keep),
        UnitDynamics::Integrate { .. } => SHORTEST,
        UnitDynamics::Own { .. } => return 1.0,
    };
    left(dash) / (1.0 - left(dash))
}

/// In what the chip's neuron differs from the unit.
pub(super) fn differences(unit: &UnitDynamics) -> Vec<String> {
    let mut out = vec![];
    let mut decay = |what: &str, wanted: f64, dash: i64| {
        if (left(dash) - wanted).abs() > 1e-9 {
            out.push(format!("{what} keeps {:.6} of itself in a step where the network's keeps {wanted:.6}: decays are shifts, here by {dash}", left(dash)));
        }
    };
    let membrane = match unit {
        UnitDynamics::Own { .. } => return vec![],
        UnitDynamics::Current { keep, then } => {
            decay("the synaptic current", *keep, current(*keep));
            then
        }
        other => other,
    };
    if let UnitDynamics::Integrate {
        decay: keep, reset, ..
    } = membrane
    {
        decay("the membrane", *keep, dash(*keep));
        if matches!(reset, Reset::To(_)) {
            out.push(
                "a spike subtracts the threshold where the network resets the membrane".into(),
            );
        }
    }
    if let UnitDynamics::Integrate { .. } = unit {
        out.push("arrivals pass through a current that halves in every step, where the network's reach the membrane at once".into());
    }
    out.push("hidden neurons spike several times in a step when the membrane is at several times the threshold".into());
    out
}

fn membrane(unit: &UnitDynamics, d1: i64) -> Result<[i64; 6], Refusal> {
    let UnitDynamics::Integrate {
        decay,
        bias,
        threshold,
        reset,
        initial,
        refractory,
    } = unit
    else {
        return Err(Refusal::no_current());
    };
    if *refractory > 0 {
        return Err(Refusal::new(
            "refractory",
            format!("{refractory} steps"),
            "none",
            "take a neuron without refractory time",
        ));
    }
    if *initial != 0 {
        return Err(Refusal::new(
            "v",
            format!("a membrane that starts at {initial}"),
            "membranes that start at 0",
            "start it at 0",
        ));
    }
    if let Reset::To(v) = reset
        && *v != 0
    {
        return Err(Refusal::new(
            "reset",
            format!("to {v}"),
            "the threshold's subtraction",
            "take `reset = subtract`",
        ));
    }
    if !(0.0..=1.0).contains(decay) {
        return Err(Refusal::new(
            "dm",
            format!("a membrane that keeps {decay} of itself in a step"),
            "between 0 and 1",
            "take a time constant longer than a step",
        ));
    }
    let thr = within("thr", *threshold, (1, MAX_THRESHOLD))?;
    let bias = within("bias", *bias, BIASES)?;
    Ok([thr, dash(*decay), d1, d1, bias, 0])
}

fn within(name: &str, value: i64, range: (i64, i64)) -> Result<i64, Refusal> {
    let hint = "scale weights, threshold and bias together until it fits";
    Refusal::within(name, value, range, hint)
}

/// The chip's own models: names of `model.syn`.
fn own(
    core1: bool,
    model: &str,
    fields: &[(String, f64)],
    states: &[(String, i64)],
) -> Result<[i64; 6], Refusal> {
    let field = |name: &str, range: (i64, i64)| Refusal::field(fields, name, range.0, range);
    let dash = (0, i64::from(MAX_SHIFT));
    Refusal::start(states)?;
    let limit = match model {
        "Xylo" => 31,
        "XyloOut" => 1,
        other => {
            return Err(Refusal::new(
                "model",
                format!("a population of `{other}`"),
                "hidden neurons `Xylo` and outputs `XyloOut`",
                "take one of these",
            ));
        }
    };
    if field("core1", (0, 1))? != i64::from(core1) {
        let (here, hint) = if core1 {
            (
                "the older core",
                "set `core1 = true`, or take the default dialect",
            )
        } else {
            (
                "the newer core",
                "leave `core1` out, or take the dialect of the older core",
            )
        };
        return Err(Refusal::new(
            "core1",
            "the other core's membrane",
            here,
            hint,
        ));
    }
    Ok([
        field("thr", (1, MAX_THRESHOLD))?,
        field("dm", dash)?,
        field("d1", dash)?,
        if limit == 1 { 0 } else { field("d2", dash)? },
        field("bias", BIASES)?,
        limit,
    ])
}
