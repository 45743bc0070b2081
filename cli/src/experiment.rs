//! What an experiment expects, held against its run.
//!
//! In: the expectations of a network's experiment and a finished run. Out: the same expectations with what was measured.
//! Measured numbers go back into the text (`LoadOptions::results`), which knows what they mean.

use crate::args::NetworkArgs;
use crate::console::Console;
use crate::execute::Ran;
use crate::failure::Failure;
use crate::network;
use crate::stats;
use serde::Serialize;
use std::path::Path;
use synfire_ir::{Diagnostic, Diagnostics, SourceMap};
use synfire_lang::resolve::{Expectation, Measured, Measurement, Results, Statistic};
use synfire_runtime::spikes::NamedSpike;

/// An expectation as programs take it.
#[derive(Serialize)]
pub struct Verdict {
    /// As it is written.
    pub expect: String,
    pub held: bool,
    /// What was measured.
    pub measured: Vec<String>,
}

/// Reads a network's text again with what its run gave.
pub fn judge(
    path: &Path,
    bytes: Vec<u8>,
    args: &NetworkArgs,
    wanted: &[Expectation],
    ran: &Ran,
    console: &Console,
) -> Result<(Vec<Expectation>, SourceMap), Failure> {
    let mut results = Results::new();
    for m in wanted.iter().flat_map(|e| &e.needs) {
        results.insert(m.clone(), measure(m, ran));
    }
    let again = NetworkArgs {
        results: Some(results),
        ..args.clone()
    };
    let loaded = network::load(path, bytes, &again, console)?;
    Ok((loaded.expectations, loaded.sources))
}

/// The verdicts for programs.
pub fn verdicts(all: &[Expectation]) -> Vec<Verdict> {
    let one = |e: &Expectation| Verdict {
        expect: e.text.clone(),
        held: e.held == Some(true),
        measured: e.found.clone(),
    };
    all.iter().map(one).collect()
}

/// An error for each expectation that did not hold.
pub fn broken(experiment: &str, all: &[Expectation]) -> Diagnostics {
    let mut out = Diagnostics::new();
    for e in all.iter().filter(|e| e.held != Some(true)) {
        let what = format!("`{experiment}`: `{}` does not hold", e.text);
        let mut d = Diagnostic::error("SYN0119", what).label(e.span, "expected here");
        for found in &e.found {
            d = d.note(format!("measured: {found}"));
        }
        out.push(d.hint("mend the network, or what is expected of it"));
    }
    out
}

/// A number of a run; `None` where it gives none.
fn measure(m: &Measurement, ran: &Ran) -> Option<f64> {
    match &m.of {
        Measured::Spikes {
            population,
            first,
            count,
        } => of_spikes(m.statistic, ran, population, (*first, *count)),
        Measured::Values(signals) => {
            let mut values = vec![];
            for (name, first, count) in signals {
                let all = &ran.recording.data.signals;
                let of = |s: &&synfire_runtime::spikes::Signal| {
                    s.name == *name && (s.first, s.elements) == (*first, *count)
                };
                let signal = all.iter().find(of)?;
                for sample in &signal.values {
                    let last = sample.len().checked_sub(*count as usize)?;
                    values.extend(sample[last..].iter().map(|x| f64::from(*x)));
                }
            }
            of_values(m.statistic, &values)
        }
    }
}

fn of_spikes(
    statistic: Statistic,
    ran: &Ran,
    population: &str,
    (first, count): (u32, u32),
) -> Option<f64> {
    let k = ran.populations.iter().position(|p| p.name == population)?;
    let inside = |s: &&NamedSpike| {
        s.population as usize == k && (first..first.saturating_add(count)).contains(&s.neuron)
    };
    let spikes = ran.recording.data.spikes.iter().filter(inside);
    match statistic {
        Statistic::CvIsi => {
            let spikes: Vec<NamedSpike> = spikes.cloned().collect();
            stats::cv_isi(&spikes, &ran.populations, k as u32)
        }
        _ => {
            let n = spikes.count() as f64;
            if statistic == Statistic::Spikes {
                return Some(n);
            }
            let samples = f64::from(ran.recording.data.batch.unwrap_or(1));
            let steps = f64::from(ran.recording.steps) * ran.dt.unwrap_or(1.0);
            let all = steps * samples * f64::from(count);
            (all > 0.0).then(|| n / all)
        }
    }
}

fn of_values(statistic: Statistic, v: &[f64]) -> Option<f64> {
    let n = v.len() as f64;
    let sum: f64 = v.iter().sum();
    let first = |better: fn(f64, f64) -> bool| {
        let mut best = (0, *v.first()?);
        for (i, &x) in v.iter().enumerate() {
            if better(x, best.1) {
                best = (i, x);
            }
        }
        Some(best)
    };
    let (low, high) = (first(|x, y| x < y)?, first(|x, y| x > y)?);
    Some(match statistic {
        Statistic::Mean => sum / n,
        Statistic::Std => {
            let mean = sum / n;
            (v.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt()
        }
        Statistic::Sum => sum,
        Statistic::Min => low.1,
        Statistic::Max => high.1,
        Statistic::Argmin => low.0 as f64,
        Statistic::Argmax => high.0 as f64,
        // These are of spikes.
        Statistic::MeanRate | Statistic::CvIsi | Statistic::Spikes => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_values() {
        let v = [2.0, -1.0, 4.0, 4.0, 1.0];
        let of = |s| of_values(s, &v);
        assert_eq!(of(Statistic::Mean), Some(2.0));
        assert_eq!(of(Statistic::Sum), Some(10.0));
        assert_eq!(
            (of(Statistic::Min), of(Statistic::Max)),
            (Some(-1.0), Some(4.0))
        );
        assert_eq!(
            (of(Statistic::Argmin), of(Statistic::Argmax)),
            (Some(1.0), Some(2.0))
        );
        let std = of(Statistic::Std).expect("values");
        assert!((std - 3.6f64.sqrt()).abs() < 1e-12, "{std}");
        assert_eq!(of_values(Statistic::Mean, &[]), None);
    }
}
