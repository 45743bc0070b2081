//! Time: the step that a NIR file does not say, and times in units of it.
//!
//! In: a flat graph and the options. Out: `dt` in seconds with where it comes from, all time constants and delays in
//! seconds, delays in steps. The rules are `nir.md` section 6. Deliberately absent: the integration rule itself.

use super::flatten::FlatGraph;
use super::graph::{Array, NirKind, NirNode};
use super::report::{Report, code};
use super::{NirOptions, TauUnit};
use synfire_ir::{Class, Diagnostic};

/// The step that is assumed when nothing says one, in seconds.
pub const DEFAULT_DT: f64 = 1e-3;
/// How far the steps that different nodes imply may lie apart, relative.
const AGREEMENT: f64 = 1e-4;
/// How far a delay may lie from a whole number of steps.
const WHOLE_STEPS: f64 = 1e-6;
/// Longest delay in steps.
const MAX_DELAY: f64 = 1e9;

/// The time step in seconds, with what to tell about where it comes from.
///
/// Given by the user; else `tau / r` (LIF) and `tau_mem / r`, `tau_syn / w_in` (CubaLIF) when all of them agree to 1e-4
/// and `r` is not 1 throughout, which is how snnTorch and others hide it; else 1e-3 s with a warning. Time constants
/// that are given in steps carry no step, so nothing is recovered from them.
pub fn recover_dt(graph: &FlatGraph, options: &NirOptions) -> (f64, Option<Diagnostic>) {
    if let Some(dt) = options.dt {
        if dt.is_finite() && dt > 0.0 {
            return (dt, None);
        }
        let finding = Diagnostic::error(code::DT, format!("the time step is {dt} s"))
            .class(Class::Usage)
            .hint("give a positive number of seconds, e.g. --dt 1e-4");
        return (DEFAULT_DT, Some(finding));
    }
    if options.tau_unit == TauUnit::Steps {
        let text = format!(
            "time constants are in steps and no step is given; {DEFAULT_DT} s is assumed for times"
        );
        return (
            DEFAULT_DT,
            Some(Diagnostic::note_of(code::DT, text).hint("give --dt if times matter")),
        );
    }
    let mut implied = Implied::default();
    for node in &graph.nodes {
        implied.look(&node.kind);
    }
    match implied.step() {
        Some(dt) => {
            let text = format!(
                "time step {dt} s, recovered from tau / r of {} neurons",
                implied.neurons
            );
            (
                dt,
                Some(Diagnostic::note_of(code::DT, text).hint("give --dt for another one")),
            )
        }
        None if !implied.timed => (DEFAULT_DT, None),
        None => {
            let text = format!("the file does not say the time step; {DEFAULT_DT} s is assumed");
            let finding = Diagnostic::warning(code::DT, text)
                .note("NIR holds continuous parameters; tau / r of its neurons do not agree on one step")
                .hint("give the step that the network was trained with, e.g. --dt 1e-4");
            (DEFAULT_DT, Some(finding))
        }
    }
}

/// What the neurons imply about the step: the range of `tau / r`, whether all are positive numbers, whether any `r`
/// differs from 1, whether anything depends on the step at all.
struct Implied {
    least: f64,
    most: f64,
    sound: bool,
    scaled: bool,
    timed: bool,
    neurons: usize,
}

impl Default for Implied {
    fn default() -> Self {
        Implied {
            least: f64::INFINITY,
            most: 0.0,
            sound: true,
            scaled: false,
            timed: false,
            neurons: 0,
        }
    }
}

impl Implied {
    fn look(&mut self, kind: &NirKind) {
        let one = Array::scalar(1.0);
        match kind {
            NirKind::LIF { tau, r, .. } => {
                self.timed = true;
                self.neurons += tau.data.len().max(r.data.len());
                self.ratios(tau, r);
                self.scaled |= r.data.iter().any(|&r| r != 1.0);
            }
            NirKind::CubaLIF {
                tau_mem,
                tau_syn,
                r,
                w_in,
                ..
            } => {
                self.timed = true;
                self.neurons += tau_mem.data.len().max(r.data.len());
                self.ratios(tau_mem, r);
                self.ratios(tau_syn, w_in.as_ref().unwrap_or(&one));
                self.scaled |= r.data.iter().any(|&r| r != 1.0);
            }
            NirKind::LI { .. } | NirKind::CubaLI { .. } | NirKind::Delay { .. } => {
                self.timed = true
            }
            _ => {}
        }
    }

    fn ratios(&mut self, tau: &Array, gain: &Array) {
        for i in 0..tau.data.len().max(gain.data.len()) {
            let dt = match (tau.at(i), gain.at(i)) {
                (Some(tau), Some(gain)) => tau / gain,
                _ => f64::NAN,
            };
            self.sound &= dt.is_finite() && dt > 0.0;
            self.least = self.least.min(dt);
            self.most = self.most.max(dt);
        }
    }

    fn step(&self) -> Option<f64> {
        let agree = self.most - self.least <= AGREEMENT * self.most;
        (self.sound && self.scaled && agree && self.neurons > 0)
            .then(|| shortest(0.5 * (self.least + self.most)))
    }
}

/// The shortest decimal within 1e-6 of `x`: parameters stored as f32 imply 9.9999997e-5 where 1e-4 was meant.
fn shortest(x: f64) -> f64 {
    (0..7)
        .filter_map(|digits| format!("{x:.digits$e}").parse::<f64>().ok())
        .find(|short| (short - x).abs() <= 1e-6 * x)
        .unwrap_or(x)
}

/// Turns times given in steps into seconds.
pub fn to_seconds(graph: &mut FlatGraph, dt: f64) {
    for node in &mut graph.nodes {
        for array in node.kind.times_mut() {
            for time in &mut array.data {
                *time *= dt;
            }
        }
    }
}

/// Whole steps of a delay of `seconds`, ties to even; `None` beyond what a delay may be.
pub fn delay_steps(seconds: f64, dt: f64) -> Option<u32> {
    let steps = (seconds / dt).round_ties_even();
    (0.0..=MAX_DELAY).contains(&steps).then_some(steps as u32)
}

/// Checks time constants and delays against the step.
pub fn check_times(nodes: &[NirNode], dt: f64, report: &mut Report) {
    for node in nodes {
        for (field, tau) in node.kind.time_constants() {
            check_tau(node, field, tau, dt, report);
        }
        if let NirKind::Delay { delay } = &node.kind {
            check_delay(node, delay, dt, report);
        }
    }
}

fn check_tau(node: &NirNode, field: &str, tau: &Array, dt: f64, report: &mut Report) {
    if let Some(bad) = tau.data.iter().find(|&&t| t <= 0.0) {
        let text = format!("`{field}` of node `{}` is {bad} s", node.name);
        report.push(
            &node.path,
            Diagnostic::error(code::FIELD, text).hint("a time constant must be positive"),
        );
        return;
    }
    let out: Vec<f64> = tau
        .data
        .iter()
        .copied()
        .filter(|t| !(0.5..=1e6).contains(&(t / dt)) && t.is_finite())
        .collect();
    let Some(first) = out.first() else { return };
    let text = format!(
        "`{field}` of node `{}` is {first} s, {:.3} times the time step of {dt} s ({} of {} values)",
        node.name,
        first / dt,
        out.len(),
        tau.data.len()
    );
    let finding = Diagnostic::warning(code::TAU, text)
        .note("below half a step the Euler rule overshoots; beyond 1e6 steps nothing leaks")
        .hint("NIR means seconds: give --tau-unit steps if the file counts steps, or another --dt");
    report.push(&node.path, finding);
}

fn check_delay(node: &NirNode, delay: &Array, dt: f64, report: &mut Report) {
    if let Some(bad) = delay.data.iter().find(|&&d| delay_steps(d, dt).is_none()) {
        let text = format!(
            "`delay` of node `{}` is {bad} s, {} steps",
            node.name,
            bad / dt
        );
        let finding = Diagnostic::error(code::FIELD, text);
        report.push(
            &node.path,
            finding.hint("a delay lies between 0 and 1e9 steps"),
        );
        return;
    }
    let off = |d: &f64| {
        let steps = d / dt;
        (steps - steps.round_ties_even()).abs() > WHOLE_STEPS
    };
    let Some(first) = delay.data.iter().find(|d| off(d)) else {
        return;
    };
    let steps = first / dt;
    report.repair(
        &node.path,
        code::DELAY,
        format!(
            "`delay` of node `{}` is {first} s, {steps} steps of {dt} s",
            node.name
        ),
        &format!("rounded to whole steps, here {}", steps.round_ties_even()),
        "choose a step that divides the delays",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_decimals_are_found_again() {
        assert_eq!(shortest(9.999_999_747e-5), 1e-4);
        assert_eq!(shortest(f64::from(1e-4f32)), 1e-4);
        assert_eq!(shortest(1.0408e-4), 1.0408e-4);
        let third = 1.0 / 3.0;
        assert!((shortest(third) - third).abs() <= 1e-6 * third);
    }

    #[test]
    fn delays_round_to_even() {
        assert_eq!(delay_steps(0.0025, 1e-3), Some(2));
        assert_eq!(delay_steps(0.0035, 1e-3), Some(4));
        assert_eq!(delay_steps(-1e-3, 1e-3), None);
        assert_eq!(delay_steps(f64::INFINITY, 1e-3), None);
        assert_eq!(delay_steps(1e7, 1e-3), None);
    }
}
