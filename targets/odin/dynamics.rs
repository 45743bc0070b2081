//! What a unit does, as registers of a leaky integrate-and-fire neuron.
//!
//! A [`UnitDynamics`] in the chip's integers goes in, register values in the order of [`FIELDS`] come out, or the reason why there are none. Besides the chip's own `OdinLif` two kinds of
//! units fit, both with a reset to 0 and without inhibition (the membrane never goes below 0, where a sum would): those that keep their potential, and those that forget it each
//! step (a time reference ends each step). The other kind of neuron is emulated, not mapped.

use crate::backend::{Refusal, Reset, UnitDynamics};

/// Registers of a neuron that a mapping carries, in order.
pub const FIELDS: [&str; 4] = ["thr", "leak", "disabled", "v"];
/// Largest leak: 7 bits.
pub const MAX_LEAK: i64 = 127;
/// Largest threshold and potential: 8 bits.
pub const MAX: i64 = 255;

const SCALE: &str = "scale weights and threshold together until it fits";

/// Register values of a unit. `arrivals`: least and greatest sum of weights within a step; `shift`: steps that it must stay unchanged without input.
pub(super) fn registers(
    unit: &UnitDynamics,
    arrivals: (i64, i64),
    shift: u32,
) -> Result<Vec<i64>, Refusal> {
    let values = match unit {
        UnitDynamics::Own {
            model,
            fields,
            states,
        } => own(model, fields, states)?,
        UnitDynamics::Current { .. } => return Err(Refusal::no_current()),
        UnitDynamics::Integrate { .. } => integrate(unit, arrivals)?,
    };
    if shift > 0 && values[3] != 0 && values[1] != 0 {
        let hint = "start it at 0, or balance the paths of the network so that this unit runs no steps late";
        return Err(Refusal::new(
            "v",
            format!("a potential of {} kept over {shift} steps", values[3]),
            "a leak that every time reference applies",
            hint,
        ));
    }
    Ok(values.to_vec())
}

/// One that adds up its arrivals.
fn integrate(unit: &UnitDynamics, arrivals: (i64, i64)) -> Result<[i64; 4], Refusal> {
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

    if *bias != 0 || *refractory != 0 {
        let hint =
            "drive it from an input row that spikes in every step, with the bias as its weight";
        return Err(Refusal::new(
            "bias",
            format!("a bias of {bias} and {refractory} refractory steps"),
            "neither",
            hint,
        ));
    }
    if *reset != Reset::To(0) {
        let hint = "shift membrane, threshold and reset so that the reset is 0";
        return Err(Refusal::new(
            "reset",
            format!("{reset:?}"),
            "a reset to 0",
            hint,
        ));
    }
    if arrivals.0 < 0 {
        let hint = "use the chip's own `targets.odin.OdinLif`, whose membrane has the same floor, or a chip with signed membranes";
        return Err(Refusal::new(
            "potential",
            format!(
                "a sum that inhibition of up to {} makes smaller, below 0 too",
                arrivals.0
            ),
            "a membrane that stops at 0",
            hint,
        ));
    }
    match *decay {
        1.0 => keeping(*threshold, *initial, arrivals.1),
        0.0 => forgetting(*threshold, arrivals.1),
        _ => {
            let hint = "take a neuron without decay (integrate and fire), or the chip's own model with its linear leak, or a chip with exponential decay";
            Err(Refusal::new(
                "leak",
                format!("a membrane that keeps {decay} of itself each step"),
                "one that keeps all of itself or nothing; its leak takes a constant",
                hint,
            ))
        }
    }
}

fn within(name: &str, value: i64, low: i64, high: i64) -> Result<i64, Refusal> {
    Refusal::within(name, value, (low, high), SCALE)
}

/// Keeps its potential.
fn keeping(threshold: i64, initial: i64, most: i64) -> Result<[i64; 4], Refusal> {
    let thr = within("thr", threshold, 1, MAX)?;
    let v = within("v", initial, 0, MAX)?;
    if thr - 1 + most >= 2 * thr {
        let hint = "raise the threshold or lower the weights, or spread the arrivals over several steps with different delays";
        return Err(Refusal::new(
            "spikes_per_step",
            format!("arrivals of up to {most} in one step at a threshold of {thr}"),
            "at most one spike a step: arrivals of no more than the threshold",
            hint,
        ));
    }
    Ok([thr, 0, 0, v])
}

/// Forgets its potential: a time reference takes what is left.
fn forgetting(threshold: i64, most: i64) -> Result<[i64; 4], Refusal> {
    let thr = within("thr", threshold, 1, MAX_LEAK + 1)?;
    if most - thr > MAX_LEAK {
        return Err(Refusal::new(
            "leak",
            format!("excitation of up to {most} in one step"),
            &format!(
                "{}, of which one time reference clears what a spike leaves",
                MAX_LEAK + thr
            ),
            SCALE,
        ));
    }
    Ok([thr, MAX_LEAK, 0, 0])
}

/// The chip's own model: names of `model.syn`.
fn own(
    model: &str,
    fields: &[(String, f64)],
    states: &[(String, i64)],
) -> Result<[i64; 4], Refusal> {
    if model != "OdinLif" {
        let hint = "take `OdinLif`; the other kind of neuron and learning are emulated, not mapped";
        return Err(Refusal::new(
            "model",
            format!("a population of `{model}`"),
            "populations of `OdinLif`",
            hint,
        ));
    }
    let field = |name: &str, low, high| Refusal::field(fields, name, low, (low, high));
    // With a threshold of 0 every row would make the neuron spike, connected to it or not.
    let thr = field("thr", 1, MAX)?;
    let (leak, disabled) = (field("leak", 0, MAX_LEAK)?, field("disabled", 0, 1)?);
    let v = states.iter().find(|s| s.0 == "v").map_or(0, |s| s.1);
    // At or above the threshold it would fire at the first row, connected to it or not.
    Ok([thr, leak, disabled, within("v", v, 0, thr - 1)?])
}
