//! What a unit does, as registers of a neuron.
//!
//! A [`UnitDynamics`] in the chip's integers goes in, register values in the order of [`FIELDS`] come out, or the reason why a neuron of RANC cannot do it. Two kinds of
//! neurons fit: those that keep their potential (`decay` 1: the leak register is the bias) and those that forget it each tick (`decay` 0: with the negative threshold at
//! the positive one and a reset potential of 0 every tick without a spike ends at 0). Weights are left at 0 for the mapper.
//!
//! In the Verilog nothing may wrap: an excitation of one step that nine bits cannot hold is refused. Inhibition has no worst case, as it may go on for ever; there the
//! negative threshold lies just above where one step more could wrap, and a neuron that deeply inhibited starts again, which is better than a spike by wrapping.

use super::Dialect;
use super::layout::signed_range;
use crate::backend::{Refusal, Reset, UnitDynamics};

/// Registers of a neuron that a mapping carries, in order.
pub const FIELDS: [&str; 10] = [
    "potential",
    "reset_potential",
    "weight0",
    "weight1",
    "weight2",
    "weight3",
    "leak",
    "positive_threshold",
    "negative_threshold",
    "reset_mode",
];

/// Registers before they are checked, in wide numbers.
#[derive(Clone, Copy, Debug)]
struct Registers {
    potential: i128,
    reset_potential: i128,
    leak: i128,
    positive_threshold: i128,
    negative_threshold: i128,
    linear: bool,
}

/// Register values of a unit that runs `shift` ticks late, or the reason why there are none.
///
/// The potential starts so that the leak alone brings it to its initial value when the unit's first step comes; a spike or a negative reset on the way is refused.
pub(super) fn registers(
    dialect: Dialect,
    unit: &UnitDynamics,
    arrivals: (i64, i64),
    shift: u32,
) -> Result<Vec<i64>, Refusal> {
    let mut r = match unit {
        UnitDynamics::Own { fields, states, .. } => own(dialect, fields, states)?,
        UnitDynamics::Current { .. } => return Err(Refusal::no_current()),
        UnitDynamics::Integrate {
            decay,
            bias,
            threshold,
            reset,
            initial,
            refractory,
        } => {
            if *refractory > 0 {
                return Err(refusal(
                    "refractory",
                    format!("{refractory} steps"),
                    "no refractory time",
                    "leave it out, or add an inhibitory connection from each neuron to itself",
                ));
            }
            integrate(
                dialect,
                (*decay, *bias, *threshold),
                *reset,
                *initial,
                arrivals,
            )?
        }
    };
    late_start(&mut r, shift)?;
    let (low, high) = range(dialect);
    let values = [
        ("potential", r.potential),
        ("reset_potential", r.reset_potential),
        ("leak", r.leak),
        ("positive_threshold", r.positive_threshold),
        ("negative_threshold", r.negative_threshold),
    ];
    for (name, value) in values {
        if !(low..=high).contains(&value) {
            let hint = "scale weights, bias and threshold together until they fit, or take the dialect sim";
            return Err(refusal(
                name,
                value.to_string(),
                &format!("{low}..={high}"),
                hint,
            ));
        }
    }
    let [potential, reset, leak, thr, nthr] = values.map(|(_, v)| v as i64);
    Ok(vec![
        potential,
        reset,
        0,
        0,
        0,
        0,
        leak,
        thr,
        nthr,
        r.linear.into(),
    ])
}

fn refusal(limit: &str, needed: String, available: &str, hint: &str) -> Refusal {
    Refusal {
        limit: limit.into(),
        needed,
        available: available.into(),
        hint: hint.into(),
    }
}

/// Values that every register of a dialect holds.
fn range(dialect: Dialect) -> (i128, i128) {
    let (low, high) = signed_range(if dialect == Dialect::Sim { 32 } else { 9 });
    (low.into(), high.into())
}

/// One that keeps its potential, or forgets it. `arrivals`: least and greatest sum of weights within a step.
fn integrate(
    dialect: Dialect,
    (decay, bias, threshold): (f64, i64, i64),
    reset: Reset,
    initial: i64,
    arrivals: (i64, i64),
) -> Result<Registers, Refusal> {
    let (leak, positive_threshold, initial) =
        (i128::from(bias), i128::from(threshold), i128::from(initial));
    let (least, most) = (leak + i128::from(arrivals.0), leak + i128::from(arrivals.1));
    let (low, high) = range(dialect);
    if decay == 1.0 {
        let (reset_potential, linear) = match reset {
            Reset::To(value) => (value.into(), false),
            Reset::Subtract => (0, true),
        };
        if linear && most > positive_threshold {
            let needed = format!(
                "up to {most} in one step, more than the threshold of {threshold} that a spike subtracts"
            );
            within(dialect, needed, i128::MAX)?;
        }
        let stored = initial.max(positive_threshold - 1).max(reset_potential);
        within(dialect, format!("up to {}", stored + most), stored + most)?;
        // Below this potential the arrivals of one step could wrap: the negative reset comes first. Where nothing can, it is the smallest number.
        let negative_threshold = if dialect == Dialect::Sim {
            low
        } else {
            (low - least.min(0)).min(high)
        };
        return Ok(Registers {
            potential: initial,
            reset_potential,
            leak,
            positive_threshold,
            negative_threshold,
            linear,
        });
    }
    if decay == 0.0 {
        within(dialect, format!("up to {most}"), most)?;
        within(dialect, format!("down to {least}"), least)?;
        let negative_threshold = positive_threshold;
        return Ok(Registers {
            potential: 0,
            reset_potential: 0,
            leak,
            positive_threshold,
            negative_threshold,
            linear: false,
        });
    }
    Err(refusal(
        "leak",
        format!("a membrane that keeps {decay} of itself each step"),
        "one that keeps all of itself (and may add a constant each step) or none",
        "take a neuron without decay (integrate and fire), approximate the decay by a constant negative leak, or a chip with exponential decay",
    ))
}

/// Can the Verilog's potential take this value without wrapping? The simulator's has room for any sum of a core.
fn within(dialect: Dialect, needed: String, value: i128) -> Result<(), Refusal> {
    let (low, high) = range(dialect);
    if dialect == Dialect::Sim || (low..=high).contains(&value) {
        return Ok(());
    }
    let hint = "scale weights, bias and threshold together until the sum of a step fits, spread the inputs over relay neurons, or take the dialect sim";
    Err(refusal(
        "potential",
        needed,
        &format!("{low}..={high}, beyond which it wraps"),
        hint,
    ))
}

/// The chip's own model: names of `model.syn`.
fn own(
    dialect: Dialect,
    fields: &[(String, f64)],
    states: &[(String, i64)],
) -> Result<Registers, Refusal> {
    let default = |name: &str| if name == "thr" { 1.0 } else { 0.0 };
    let field = |name: &str| {
        let value = fields
            .iter()
            .find(|f| f.0 == name)
            .map_or(default(name), |f| f.1);
        let whole = value.fract() == 0.0 && value.abs() <= f64::from(u32::MAX);
        if whole {
            Ok(value as i128)
        } else {
            Err(refusal(
                name,
                value.to_string(),
                "whole numbers",
                "round it",
            ))
        }
    };
    let width = if dialect == Dialect::Sim { 32 } else { 9 };
    if let Some(other) = fields
        .iter()
        .find(|f| f.0 == "width" && f.1 != f64::from(width))
    {
        let needed = format!("{} bits", other.1);
        return Err(refusal(
            "potential",
            needed,
            &format!("{width} bits"),
            "set `width` to that, or take the other dialect",
        ));
    }
    let linear = field("linear")? != 0;
    let mut negative_threshold = field("nthr")?;
    if field("sym")? != 0 {
        if linear {
            let hint = "set `sym` to false, or `linear` to false";
            return Err(refusal(
                "neuron_reset_type",
                "a symmetric linear reset".into(),
                "asymmetric resets for single neurons",
                hint,
            ));
        }
        // At or below a whole number is below the next one.
        negative_threshold += 1;
    }
    Ok(Registers {
        potential: states.iter().find(|s| s.0 == "v").map_or(0, |s| s.1.into()),
        reset_potential: field("reset")?,
        leak: field("leak")?,
        positive_threshold: field("thr")?,
        negative_threshold,
        linear,
    })
}

/// Moves the potential back by what the leak does in `shift` ticks without input.
fn late_start(r: &mut Registers, shift: u32) -> Result<(), Refusal> {
    if shift == 0 {
        return Ok(());
    }
    // A unit that forgets ends each tick at 0, whatever it started from.
    let forgets = r.negative_threshold == r.positive_threshold
        && r.reset_potential == 0
        && r.potential == 0
        && !r.linear;
    let last = if forgets { r.leak } else { r.potential };
    let start = if forgets {
        0
    } else {
        r.potential - r.leak * i128::from(shift)
    };
    // The values tested on the way run evenly from the first to the last.
    let first = if forgets { r.leak } else { start + r.leak };
    let (low, high) = (first.min(last), first.max(last));
    if high >= r.positive_threshold || (!forgets && low < r.negative_threshold) {
        return Err(refusal(
            "potential",
            format!(
                "{shift} silent ticks before its first step, with potentials from {low} to {high}"
            ),
            &format!(
                "silence from {} up to below {}",
                r.negative_threshold, r.positive_threshold
            ),
            "lower the initial potential or the bias, or balance the paths of the network so that this unit runs less late",
        ));
    }
    r.potential = start;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: (i64, i64) = (0, 0);

    fn unit(decay: f64, bias: i64, threshold: i64, initial: i64) -> UnitDynamics {
        UnitDynamics::Integrate {
            decay,
            bias,
            threshold,
            reset: Reset::Subtract,
            initial,
            refractory: 0,
        }
    }

    #[test]
    fn keeping_and_forgetting_units() {
        let keep = registers(Dialect::Rtl, &unit(1.0, 2, 40, 3), NONE, 0).expect("fits");
        assert_eq!(keep, [3, 0, 0, 0, 0, 0, 2, 40, -256, 1]);
        let forget = registers(Dialect::Sim, &unit(0.0, 2, 40, 3), NONE, 4).expect("fits");
        assert_eq!(forget, [0, 0, 0, 0, 0, 0, 2, 40, 40, 0]);
    }

    #[test]
    fn a_late_unit_starts_ahead_of_its_leak() {
        assert_eq!(
            registers(Dialect::Sim, &unit(1.0, 2, 40, 3), NONE, 5).expect("fits")[0],
            -7
        );
        assert_eq!(
            registers(Dialect::Sim, &unit(1.0, -8, 40, 3), NONE, 5).expect("fits")[0],
            43
        );
        let e =
            registers(Dialect::Sim, &unit(1.0, -9, 38, 3), NONE, 5).expect_err("spikes on the way");
        assert_eq!(e.limit, "potential");
        assert!(
            registers(Dialect::Sim, &unit(0.0, 40, 40, 0), NONE, 1).is_err(),
            "the bias alone makes it spike"
        );
        assert!(
            registers(Dialect::Rtl, &unit(1.0, 100, 120, 100), NONE, 4).is_err(),
            "below the register"
        );
    }

    #[test]
    fn what_does_not_fit_says_why() {
        assert_eq!(
            registers(Dialect::Sim, &unit(0.9, 0, 1, 0), NONE, 0)
                .expect_err("decay")
                .limit,
            "leak"
        );
        let e = registers(Dialect::Rtl, &unit(1.0, 0, 256, 0), NONE, 0).expect_err("nine bits");
        assert_eq!(
            (e.limit.as_str(), e.needed.as_str(), e.available.as_str()),
            ("positive_threshold", "256", "-256..=255")
        );
        let tired = UnitDynamics::Integrate {
            decay: 1.0,
            bias: 0,
            threshold: 1,
            reset: Reset::To(0),
            initial: 0,
            refractory: 2,
        };
        assert_eq!(
            registers(Dialect::Sim, &tired, NONE, 0)
                .expect_err("refractory")
                .limit,
            "refractory"
        );
    }

    #[test]
    fn nothing_wraps_in_the_verilog() {
        let most = |a, b| registers(Dialect::Rtl, &unit(1.0, 1, 100, 0), (a, b), 0);
        assert_eq!(most(-30, 99).expect("99 + 100 fits")[8], -256 + 29);
        assert_eq!(
            most(0, 100)
                .expect_err("subtracting leaves more and more")
                .limit,
            "potential"
        );
        let to = UnitDynamics::Integrate {
            decay: 1.0,
            bias: 0,
            threshold: 100,
            reset: Reset::To(-5),
            initial: 0,
            refractory: 0,
        };
        assert!(registers(Dialect::Rtl, &to, (0, 156), 0).is_ok());
        assert_eq!(
            registers(Dialect::Rtl, &to, (0, 157), 0)
                .expect_err("99 + 157")
                .needed,
            "up to 256"
        );
        assert!(registers(Dialect::Sim, &to, (-100_000, 100_000), 0).is_ok());
        assert!(registers(Dialect::Rtl, &unit(0.0, 0, 9, 0), (-257, 0), 0).is_err());
    }

    #[test]
    fn own_models_by_their_names() {
        let fields = |list: &[(&str, f64)]| {
            list.iter()
                .map(|&(n, v)| (n.to_string(), v))
                .collect::<Vec<_>>()
        };
        let own = |list: &[(&str, f64)]| UnitDynamics::Own {
            model: String::new(),
            fields: fields(list),
            states: vec![("v".into(), 7)],
        };
        let got = registers(
            Dialect::Sim,
            &own(&[
                ("thr", 20.0),
                ("nthr", -5.0),
                ("reset", 2.0),
                ("leak", -1.0),
                ("sym", 1.0),
                ("width", 32.0),
            ]),
            NONE,
            0,
        );
        assert_eq!(got.expect("fits"), [7, 2, 0, 0, 0, 0, -1, 20, -4, 0]);
        assert!(
            registers(
                Dialect::Sim,
                &own(&[("sym", 1.0), ("linear", 1.0)]),
                NONE,
                0
            )
            .is_err()
        );
        assert!(registers(Dialect::Rtl, &own(&[("width", 32.0)]), NONE, 0).is_err());
        assert!(registers(Dialect::Sim, &own(&[("thr", 0.5)]), NONE, 0).is_err());
    }
}
