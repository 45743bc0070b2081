//! What a run, or a mapping, would take on the chip: the chip's published constants times what was counted. Named an estimate wherever it is shown.

use crate::execute::Ran;
use crate::report;
use crate::units::short;
use serde_json::Value;
use synfire_ir::artifact::Artifact;
use synfire_targets::estimate::{Activity, Estimate, estimate};

/// Of a run of an artefact; distances between cores are the mapping's mean.
pub fn of_run(ran: &Ran, artefact: &Artifact) -> Option<Estimate> {
    let target = synfire_targets::find(ran.target.as_deref()?).ok()?;
    let report = report::stored(artefact);
    let number = |v: &Value| v.as_f64().unwrap_or(0.0);
    let neurons = number(&report["slots_used"]);
    let r = &ran.recording;
    let samples = f64::from(r.data.batch.unwrap_or(1));
    let steps = f64::from(r.steps) * samples;
    let spikes = (ran.neurons.iter())
        .filter_map(|&g| r.counters.spikes.get(g as usize))
        .sum::<u64>() as f64;
    let driven = ran
        .populations
        .iter()
        .zip(&r.counts)
        .filter(|(p, _)| p.input);
    let inputs = driven.filter_map(|(_, n)| *n).sum::<u64>() as f64;
    let each = number(&report["metrics"]["hops"]) / neurons.max(1.0);
    let activity = Activity {
        steps,
        seconds: ran.dt.map(|dt| dt * steps),
        neurons,
        spikes,
        inputs,
        synaptic_events: r.counters.synaptic_events as f64,
        hops: each * spikes,
    };
    Some(estimate(&target.chip.spec.costs, &activity))
}

/// Of one step in which every neuron of a mapping spikes once, from a compilation's report.
pub fn of_mapping(report: &Value, dt: Option<f64>) -> Option<Estimate> {
    let target = synfire_targets::find(report["target"].as_str()?).ok()?;
    let number = |v: &Value| v.as_f64().unwrap_or(0.0);
    let neurons = number(&report["slots_used"]);
    let activity = Activity {
        steps: 1.0,
        seconds: dt,
        neurons,
        spikes: neurons,
        inputs: 0.0,
        synaptic_events: number(&report["synapses"]),
        hops: number(&report["metrics"]["hops"]),
    };
    Some(estimate(&target.chip.spec.costs, &activity))
}

/// In a line; empty where nothing can be said.
pub fn line(e: &Estimate) -> String {
    let mut parts = vec![];
    if let Some(joule) = e.energy_j {
        let mut terms: Vec<&str> = vec![];
        for t in &e.terms {
            if !terms.contains(&t.what.as_str()) {
                terms.push(&t.what);
            }
        }
        parts.push(format!(
            "{} of energy ({})",
            metric(joule, "J"),
            terms.join(", ")
        ));
    }
    if let Some(s) = e.busy_s {
        parts.push(format!("{} of computing", metric(s, "s")));
    }
    if let Some(s) = e.transport_s {
        parts.push(format!("{} for a spike from core to core", metric(s, "s")));
    }
    parts.join(" · ")
}

/// A value with the prefix that leaves one to three digits before the point.
fn metric(x: f64, unit: &str) -> String {
    let prefixes = [
        (1.0, ""),
        (1e-3, "m"),
        (1e-6, "µ"),
        (1e-9, "n"),
        (1e-12, "p"),
    ];
    let (scale, prefix) = (prefixes.into_iter())
        .find(|p| x.abs() >= p.0)
        .unwrap_or((1e-12, "p"));
    format!("{} {prefix}{unit}", short(x / scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        assert_eq!(metric(1.5e-6, "J"), "1.5 µJ");
        assert_eq!(metric(2.0, "s"), "2 s");
        assert_eq!(metric(0.0, "J"), "0 pJ");
    }
}
