//! How long a run is.

use synfire_ir::{Class, Diagnostic, Diagnostics};

/// What the user asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wanted {
    /// So many steps.
    Steps(u32),
    /// So many seconds.
    Seconds(f64),
}

/// Where a length comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthReason {
    /// `--steps` or `--time`.
    Asked,
    /// The file's only experiment.
    Experiment,
    /// The last input.
    LastInput,
    /// Nothing says: a second, or 1,000 steps.
    Default,
}

/// A length and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Steps, at least 1.
    pub steps: u32,
    /// Why so many.
    pub reason: LengthReason,
}

/// Steps of a run: as asked, else those of the experiment, else up to the last input, else 1 s (1,000 steps without a time unit).
/// `dt` in seconds.
///
/// Errors: `SYN0910` for a time in a network without a time unit, or a length of no step or more than 2^32 - 2.
pub fn length(
    wanted: Option<Wanted>,
    dt: Option<f64>,
    experiment: Option<u32>,
    last_input: Option<u32>,
) -> Result<Length, Diagnostics> {
    let (steps, reason) = match (wanted, experiment, last_input) {
        (Some(Wanted::Steps(n)), ..) => (f64::from(n), LengthReason::Asked),
        (Some(Wanted::Seconds(t)), ..) => {
            let dt = dt.ok_or_else(no_time)?;
            ((t / dt).round(), LengthReason::Asked)
        }
        (None, Some(n), _) => (f64::from(n), LengthReason::Experiment),
        (None, None, Some(n)) => (f64::from(n) + 1.0, LengthReason::LastInput),
        (None, None, None) => (
            dt.map_or(1000.0, |dt| (1.0 / dt).round().max(1.0)),
            LengthReason::Default,
        ),
    };
    if (1.0..f64::from(u32::MAX)).contains(&steps) {
        return Ok(Length {
            steps: steps as u32,
            reason,
        });
    }
    let what = if steps < 1.0 {
        "less than one step".to_string()
    } else {
        format!("{steps:e} steps")
    };
    let dt = dt.map_or("steps have no duration".to_string(), |dt| {
        format!("a step is {} ms", dt * 1e3)
    });
    Err(
        Diagnostic::error("SYN0910", format!("the run would have {what}"))
            .class(Class::Usage)
            .note(dt)
            .hint("give --steps N with N from 1 to 4294967294")
            .into(),
    )
}

fn no_time() -> Diagnostics {
    Diagnostic::error(
        "SYN0910",
        "this network's steps have no duration, so a time means nothing",
    )
    .class(Class::Usage)
    .hint("give the length as --steps N")
    .hint("or state the step in the network: `step 1 ms`")
    .into()
}
