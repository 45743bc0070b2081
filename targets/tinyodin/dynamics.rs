//! What a unit does, as registers of a neuron.
//!
//! A [`UnitDynamics`] in the chip's integers goes in, register values in the order of [`FIELDS`] come out, or the reason why a neuron of tinyODIN cannot do it. Besides
//! the chip's own model two kinds of neurons fit, both with a reset to 0: those that keep their potential (`decay` 1, leak 0) and those that forget it each
//! step (`decay` 0: leak 127, and a time reference ends each step).
//!
//! The chip looks at the threshold after every single event. The mapper sends inhibition first, so that a sum below the threshold never crosses it
//! on the way. A unit that keeps its potential is refused when its arrivals could make it spike twice in a step. One that forgets spikes at least once exactly when
//! its sum reaches the threshold: the host takes further events of that step for the same spike. It is refused when more could be left of it than
//! one time reference takes away, and by the mapping when such a further event would be sent back to the chip.

use super::config::{MAX_LEAK, MAX_THRESHOLD, POTENTIALS};
use crate::backend::{Refusal, Reset, UnitDynamics};

/// Registers of a neuron that a mapping carries, in order.
pub const FIELDS: [&str; 4] = ["thr", "leak", "disabled", "v"];

/// Largest threshold that a potential reaches.
const REACHED: i64 = *POTENTIALS.end() as i64;

/// Register values of a unit, or the reason why there are none. `arrivals`: least and greatest sum of weights within a step; `shift`: steps that it must
/// stay unchanged without input.
pub(super) fn registers(
    unit: &UnitDynamics,
    arrivals: (i64, i64),
    shift: u32,
) -> Result<Vec<i64>, Refusal> {
    let values = match unit {
        UnitDynamics::Own { fields, states, .. } => own(fields, states)?,
        UnitDynamics::Current { .. } => return Err(Refusal::no_current()),
        UnitDynamics::Integrate {
            decay,
            bias,
            threshold,
            reset,
            initial,
            refractory,
        } => {
            plain(*bias, *refractory)?;
            if *decay == 1.0 {
                keeping(*threshold, *reset, *initial, arrivals)?
            } else if *decay == 0.0 {
                forgetting(*threshold, arrivals)?
            } else {
                return Err(Refusal::new(
                    "leak",
                    format!("a membrane that keeps {decay} of itself each step"),
                    "one that keeps all of itself or nothing; its leak takes a constant",
                    "take a neuron without decay (integrate and fire), or the chip's own model with its linear leak, or a chip with exponential decay",
                ));
            }
        }
    };
    let [thr, leak, _, v] = values;
    if shift > 0 && v != 0 && leak != 0 {
        return Err(Refusal::new(
            "v",
            format!("a potential of {v} kept over {shift} steps before the unit's first one"),
            &format!("a leak of {leak} that every time reference applies"),
            "start it at 0, or balance the paths of the network so that this unit runs no steps late",
        ));
    }
    if v >= thr {
        return Err(Refusal::new(
            "v",
            format!("an initial potential of {v} at or above the threshold of {thr}"),
            "spikes at the next event, whatever that is",
            "start it below its threshold, which must be at least 1",
        ));
    }
    Ok(values.to_vec())
}

/// Neither bias nor refractory time.
fn plain(bias: i64, refractory: u32) -> Result<(), Refusal> {
    if bias != 0 {
        return Err(Refusal::new(
            "bias",
            format!("{bias} added in every step"),
            "no constant input",
            "drive it from an input row that spikes in every step, with the bias as its weight",
        ));
    }
    if refractory > 0 {
        return Err(Refusal::new(
            "refractory",
            format!("{refractory} steps"),
            "no refractory time",
            "leave it out, or add an inhibitory connection from each neuron to itself",
        ));
    }
    Ok(())
}

fn threshold_within(threshold: i64, most: i64, why: &str) -> Result<(), Refusal> {
    if (1..=most).contains(&threshold) {
        return Ok(());
    }
    Err(Refusal::new(
        "thr",
        threshold.to_string(),
        &format!("1..={most}{why}"),
        "scale weights and threshold together until it fits",
    ))
}

/// Once a step at most: what comes after a spike must not reach the threshold again. `left` is the most that a step starts with.
fn one_spike(threshold: i64, left: i64, most: i64) -> Result<(), Refusal> {
    let (sum, room) = (
        i128::from(left) + i128::from(most),
        2 * i128::from(threshold),
    );
    if sum < room {
        return Ok(());
    }
    Err(Refusal::new(
        "spikes_per_step",
        format!(
            "a potential of up to {left} and arrivals of up to {most} in one step, together {sum}"
        ),
        &format!(
            "less than {room}, twice the threshold; from there on a neuron can spike twice in a step"
        ),
        "raise the threshold or lower the weights, or spread the arrivals over several steps with different delays",
    ))
}

/// Keeps its potential.
fn keeping(
    threshold: i64,
    reset: Reset,
    initial: i64,
    arrivals: (i64, i64),
) -> Result<[i64; 4], Refusal> {
    match reset {
        Reset::To(0) => {}
        Reset::To(value) => {
            return Err(Refusal::new(
                "reset",
                format!("to {value}"),
                "a reset to 0",
                "shift membrane, threshold and reset so that the reset is 0",
            ));
        }
        Reset::Subtract => {
            return Err(Refusal::new(
                "reset",
                "a threshold that is subtracted",
                "a reset to 0",
                "take a neuron with a reset to 0, or a chip with linear reset",
            ));
        }
    }
    threshold_within(threshold, REACHED, ", what a potential can reach")?;
    potential(initial)?;
    one_spike(threshold, threshold - 1, arrivals.1)?;
    Ok([threshold, 0, 0, initial])
}

/// Forgets its potential: a time reference takes what is left. So neither its initial value nor its reset can be seen.
fn forgetting(threshold: i64, arrivals: (i64, i64)) -> Result<[i64; 4], Refusal> {
    let most = i64::from(MAX_LEAK);
    let why = format!(", as at most {most} can be left below it for a time reference to clear");
    threshold_within(threshold, most + 1, &why)?;
    if arrivals.0 < -most {
        return Err(Refusal::new(
            "leak",
            format!("inhibition of up to {} in one step", arrivals.0),
            &format!("-{most}, which one time reference clears"),
            "scale weights and threshold down together, or use fewer inhibitory connections",
        ));
    }
    if arrivals.1 - threshold > most {
        return Err(Refusal::new(
            "leak",
            format!("excitation of up to {} in one step", arrivals.1),
            &format!(
                "{}, of which one time reference clears what a spike leaves",
                most + threshold
            ),
            "scale weights and threshold down together, or use fewer connections",
        ));
    }
    Ok([threshold, most, 0, 0])
}

fn potential(v: i64) -> Result<i64, Refusal> {
    let range = (i64::from(*POTENTIALS.start()), i64::from(*POTENTIALS.end()));
    let hint = "scale weights, threshold and potential together until it fits";
    Refusal::within("v", v, range, hint)
}

/// The chip's own model: names of `model.syn`.
fn own(fields: &[(String, f64)], states: &[(String, i64)]) -> Result<[i64; 4], Refusal> {
    let field = |name: &str, low, high| Refusal::field(fields, name, low, (low, high));
    // With a threshold of 0 every row would make the neuron spike, connected to it or not.
    let thr = field("thr", 1, MAX_THRESHOLD.into())?;
    let leak = field("leak", 0, MAX_LEAK.into())?;
    let disabled = field("disabled", 0, 1)?;
    let v = states.iter().find(|s| s.0 == "v").map_or(0, |s| s.1);
    Ok([thr, leak, disabled, potential(v)?])
}
