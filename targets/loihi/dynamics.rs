//! What a unit does, as registers of a compartment.
//!
//! A [`UnitDynamics`] in units of the chip's weights (64 of u and v) goes in, register values in the order of [`FIELDS`] come out, or the reason why there are none. Decays have 12 bits, where u
//! always loses one more; a spike resets v to 0. What of this differs from the unit is said by [`differences`].

use super::validate::{BIASES, MAX_BIAS_EXP, MAX_DECAY, MAX_REFRACT, MAX_VTH};
use crate::backend::{Refusal, Reset, UnitDynamics};

/// Registers of a compartment that a mapping carries, in order; `thr` is the mantissa, `bias` the value, `vmin` and `vmax` are exponents.
pub const FIELDS: [&str; 7] = ["du", "dv", "thr", "bias", "refract", "vmin", "vmax"];

/// Exponents of the widest ends of v, +-(2^23 - 1).
const WIDEST: (i64, i64) = (23, 7);
/// One of the chip's weights, in units of u and v.
const UNIT: i64 = 64;
/// Parts of a decay.
const PARTS: f64 = 4096.0;

const SCALE: &str = "scale weights, threshold and bias together until it fits";

/// Register values of a unit. `shift`: steps that it must stay unchanged without input; a bias acts in them all the same, which an exact unit may not have.
pub(super) fn registers(lava: bool, unit: &UnitDynamics, shift: u32) -> Result<[i64; 7], Refusal> {
    let (values, exact) = match unit {
        UnitDynamics::Own {
            model,
            fields,
            states,
        } => (own(lava, model, fields, states)?, true),
        UnitDynamics::Current { keep, then } => (membrane(then, decay_u(*keep))?, false),
        UnitDynamics::Integrate { .. } => (
            membrane(unit, MAX_DECAY.into())?,
            differences(unit).is_empty(),
        ),
    };
    if lava && values[4] != 1 {
        let hint = "take a neuron without refractory time, or the default dialect";
        return Err(Refusal::new(
            "refract",
            format!("{} steps", values[4] - 1),
            "none (lava)",
            hint,
        ));
    }
    if shift > 0 && values[3] != 0 && (exact || early(&values, shift).1 > values[2] << 6) {
        return Err(Refusal::new(
            "bias",
            format!(
                "a bias of {} in a unit that runs {shift} steps late",
                values[3]
            ),
            "the same bias from the first step of the chip on",
            "leave the bias out, or balance the paths of the network so that this unit runs no steps late",
        ));
    }
    Ok(values)
}

/// v after `shift` steps in which the bias acts alone, and the highest on the way.
fn early(registers: &[i64; 7], shift: u32) -> (i64, i64) {
    let (dv, bias) = (registers[1], registers[3]);
    let (mut v, mut highest) = (0i64, 0i64);
    for _ in 0..shift {
        let left = v * (4096 - dv) / 4096;
        let next = (left + bias).clamp(-8_388_607, 8_388_607);
        if next == v {
            break;
        }
        v = next;
        highest = highest.max(v);
    }
    (v, highest)
}

/// Where the bias has moved the membrane of a unit that runs `shift` steps late when its first step comes, as a share of its threshold.
pub(super) fn head_start(lava: bool, unit: &UnitDynamics, shift: u32) -> f64 {
    let share = |r: [i64; 7]| early(&r, shift).0 as f64 / (r[2] << 6) as f64;
    registers(lava, unit, shift).map_or(0.0, share)
}

/// u keeps `4095 - du` parts.
fn decay_u(keep: f64) -> i64 {
    ((PARTS - 1.0 - keep * PARTS).round_ties_even() as i64).clamp(0, MAX_DECAY.into())
}

/// v keeps `4096 - dv` parts.
fn decay_v(keep: f64) -> i64 {
    ((PARTS - keep * PARTS).round_ties_even() as i64).clamp(0, MAX_DECAY.into())
}

/// In what the chip's compartment differs from the unit.
pub(super) fn differences(unit: &UnitDynamics) -> Vec<String> {
    let mut out = vec![];
    let mut decay = |what: &str, wanted: f64, parts: i64| {
        let kept = parts as f64 / PARTS;
        if (kept - wanted).abs() > 1e-9 {
            out.push(format!("{what} keeps {kept:.6} of itself in a step where the network's keeps {wanted:.6}: decays have 12 bits"));
        } else if parts != 4096 && parts != 0 {
            out.push(format!("what {what} keeps in a step is cut towards 0"));
        }
    };
    let membrane = match unit {
        UnitDynamics::Own { .. } => return vec![],
        UnitDynamics::Current { keep, then } => {
            decay("the synaptic current", *keep, 4095 - decay_u(*keep));
            then
        }
        other => other,
    };
    if let UnitDynamics::Integrate {
        decay: keep, reset, ..
    } = membrane
    {
        // A membrane that forgets all keeps one part in 4096, which is less than what tells two sums of weights apart.
        if *keep != 0.0 {
            decay("the membrane", *keep, 4096 - decay_v(*keep));
        }
        if *reset == Reset::Subtract {
            out.push(
                "a spike resets the membrane to 0 where the network subtracts the threshold".into(),
            );
        }
    }
    out
}

fn membrane(unit: &UnitDynamics, du: i64) -> Result<[i64; 7], Refusal> {
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
    if *initial != 0 {
        let has = "membranes that start at 0";
        return Err(Refusal::new(
            "v",
            format!("a membrane that starts at {initial}"),
            has,
            "start it at 0",
        ));
    }
    if let Reset::To(v) = reset
        && *v != 0
    {
        return Err(Refusal::new(
            "reset",
            format!("to {v}"),
            "0",
            "reset to 0: shift the threshold and the bias by the reset",
        ));
    }
    if !(0.0..=1.0).contains(decay) {
        return Err(Refusal::new(
            "dv",
            format!("a membrane that keeps {decay} of itself in a step"),
            "between 0 and 1",
            "take a time constant longer than a step",
        ));
    }
    // v is a whole number of units where it decays not at all or entirely: at or above the threshold is above the one below.
    let thr = within("thr", threshold.saturating_sub(1), (1, MAX_VTH.into()))?;
    let refract = within(
        "refract",
        i64::from(*refractory) + 1,
        (1, MAX_REFRACT.into()),
    )?;
    let bias = within("bias", *bias, BIASES)? * UNIT;
    Ok([du, decay_v(*decay), thr, bias, refract, WIDEST.0, WIDEST.1])
}

fn within(name: &str, value: i64, range: (i64, i64)) -> Result<i64, Refusal> {
    Refusal::within(name, value, range, SCALE)
}

/// Mantissa and exponent of a bias, the smallest exponent first; `None` if it takes more bits.
pub(super) fn bias_parts(bias: i64) -> Option<(i16, u8)> {
    (0..=MAX_BIAS_EXP).find_map(|e| {
        let m = bias >> e;
        let fits = m << e == bias && (BIASES.0..=BIASES.1).contains(&m);
        fits.then_some((m as i16, e))
    })
}

/// The chip's own models: names of `model.syn`.
fn own(
    lava: bool,
    model: &str,
    fields: &[(String, f64)],
    states: &[(String, i64)],
) -> Result<[i64; 7], Refusal> {
    let (here, hint) = if lava {
        (
            "LavaLif",
            "take `targets.loihi.LavaLif`, or the default dialect",
        )
    } else {
        ("Loihi", "take `targets.loihi.Loihi`, or the dialect `lava`")
    };
    if model != here {
        return Err(Refusal::new(
            "model",
            format!("a population of `{model}`"),
            here,
            hint,
        ));
    }
    Refusal::start(states)?;
    let field = |name: &str, default, range| Refusal::field(fields, name, default, range);
    let decay = (0, i64::from(MAX_DECAY));
    let bias = field(
        "bias",
        0,
        (BIASES.0 << MAX_BIAS_EXP, BIASES.1 << MAX_BIAS_EXP),
    )?;
    if bias_parts(bias).is_none() {
        let has = "a mantissa of 13 bits times 2^0 to 2^7";
        return Err(Refusal::new(
            "bias",
            bias.to_string(),
            has,
            "take a multiple of a larger power of two",
        ));
    }
    let end = |name: &str, ends: &[i64], widest: i64| {
        let value = field(name, widest, (-i64::from(i32::MAX), i32::MAX.into()))?;
        let at = ends.iter().position(|e| *e == value);
        let has = "an end of the chip: -(2^e) + 1 below, 2^(9 + 2e) - 1 above";
        at.map(|e| e as i64)
            .ok_or_else(|| Refusal::new(name, value.to_string(), has, "take one of these"))
    };
    let lows: Vec<i64> = (0..=31).map(|e| -(1i64 << e) + 1).collect();
    let highs: Vec<i64> = (0..=7).map(|e| (1i64 << (9 + 2 * e)) - 1).collect();
    let mut values = [
        field("du", 4095, decay)?,
        field("dv", 0, decay)?,
        field("vth", 1, (1, MAX_VTH.into()))?,
        bias,
        1,
        WIDEST.0,
        WIDEST.1,
    ];
    if !lava {
        values[4] = field("refract", 1, (1, MAX_REFRACT.into()))?;
        values[5] = end("vmin", &lows, -8_388_607)?;
        values[6] = end("vmax", &highs, 8_388_607)?;
    }
    Ok(values)
}
