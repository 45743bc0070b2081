//! Settings of the quantiser by trial: what makes a chip's spikes most like the network's on given inputs.
//!
//! In: a network, a target, and a judge that runs what was compiled (the caller's, as the compiler has no engine) and says how like the network it is, 0 to 1. Out: [`Tuning`]s by population and a report. One setting is changed at a time, population after
//! population in the network's order, and kept where it is better. One in three inputs is held out of that: they choose among what the search came by, and plain rounding stays unless the gain over it is
//! beyond its standard error on them; so what is found is no accident of the inputs. The result depends on nothing but the network, the target and the judge. Deliberately absent: gradients and anything random.

use crate::compile::{CompileOptions, Compiled, compile};
use crate::passes::quantise::Tuning;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use synfire_ir::network::{Network, Verified};
use synfire_ir::{Class, Diagnostic, Diagnostics, Progress, Quiet};
use synfire_targets::Target;

/// Passes over all populations; a pass that finds nothing better is the last.
const ROUNDS: usize = 3;
/// Powers of two that the factor is multiplied by.
const FACTORS: std::ops::RangeInclusive<i32> = -1..=6;
/// Shares of the largest weight beyond which weights are clipped.
const CLIPS: [f64; 6] = [1.0, 0.7, 0.5, 0.35, 0.25, 0.15];
/// Parts of the threshold that are tried first, then steps around the best.
const THRESHOLDS: [f64; 12] = [0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2.0];
/// Halvings of what a membrane loses.
const LEAKS: [i32; 3] = [-1, 0, 1];
/// Factors around the best.
const NEAR: [f64; 4] = [0.84, 0.92, 1.09, 1.19];
/// One in so many inputs is held out, where there are at least [`FEWEST`].
const HELD: usize = 3;
/// Fewest inputs of which some are held out.
const FEWEST: usize = 6;

/// How like the network a chip is on the inputs of a calibration.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// 0 to 1; the greater the better.
    pub score: f64,
    /// What it is made of.
    pub facts: Value,
    /// The same of each input.
    pub samples: Vec<f64>,
}

impl Judged {
    fn holds_out(&self) -> bool {
        self.samples.len() >= FEWEST
    }

    /// The likeness that the search goes by.
    fn searched(&self) -> f64 {
        if !self.holds_out() {
            return self.score;
        }
        let known = self.samples.iter().zip(0usize..);
        let known: Vec<f64> = known
            .filter(|x| x.1 % HELD != HELD - 1)
            .map(|x| *x.0)
            .collect();
        known.iter().sum::<f64>() / known.len() as f64
    }

    /// By how much the inputs that were held out gain on `plain`, and the standard error of that; none without any.
    fn gain(&self, plain: &Judged) -> Option<Gain> {
        let pairs = self.samples.iter().zip(&plain.samples);
        let held = pairs.skip(HELD - 1).step_by(HELD);
        let all: Vec<f64> = held.map(|(a, b)| a - b).collect();
        let n = all.len() as f64;
        let mean = all.iter().sum::<f64>() / n;
        let squares: f64 = all.iter().map(|x| (x - mean) * (x - mean)).sum();
        self.holds_out().then(|| Gain {
            inputs: all.len(),
            mean,
            error: (squares / (n - 1.0) / n).sqrt(),
        })
    }
}

/// What inputs gained that the search did not know.
#[derive(Clone, Copy, Debug)]
struct Gain {
    inputs: usize,
    mean: f64,
    error: f64,
}

/// Runs what was compiled and compares it with the network.
pub type Judge<'a> = dyn FnMut(&Compiled) -> Result<Judged, Diagnostics> + 'a;

/// What a calibration found.
#[derive(Clone, Debug, Default)]
pub struct Calibrated {
    /// Settings, for [`CompileOptions::tuning`]; populations that stay as they were are left out.
    pub tuning: BTreeMap<String, Tuning>,
    /// Trials, likeness before and after, settings by population.
    pub report: Value,
}

struct Search<'a, 'b> {
    net: &'a Verified<Network>,
    target: Target<'a>,
    options: CompileOptions,
    judge: &'a mut Judge<'b>,
    progress: &'a dyn Progress,
    /// Hashes of the native images that were judged: settings often come to the same bytes.
    known: BTreeSet<u64>,
    tuning: BTreeMap<String, Tuning>,
    best: Judged,
    /// Where the search stood after each population that it changed.
    path: Vec<Stop>,
    trials: u64,
    most: u64,
}

/// Settings, and how they were judged.
type Stop = (BTreeMap<String, Tuning>, Judged);

/// Searches settings with which the chip is most like the network. `options` are those of the compilation to come; the mapper works in order during the search, as it does not change what the chip computes.
///
/// Errors: those of compiling with plain rounding and of the judge, and `SYN0657` when nothing of the network can be set.
pub fn calibrate(
    net: &Verified<Network>,
    target: Target<'_>,
    options: &CompileOptions,
    judge: &mut Judge<'_>,
    progress: &dyn Progress,
) -> Result<Calibrated, Diagnostics> {
    let options = CompileOptions {
        opt: 0,
        dumps: vec![],
        tuning: BTreeMap::new(),
        ..options.clone()
    };
    let plain = compile(net, target, &options, &Quiet)?;
    let names = tunable(&plain.report);
    if names.is_empty() {
        return Err(nothing(&target));
    }
    let before = judge(&plain)?;
    let each = CLIPS.len() * FACTORS.count() + LEAKS.len() * THRESHOLDS.len() + NEAR.len() + 4;
    let mut search = Search {
        net,
        target,
        options,
        judge,
        progress,
        known: BTreeSet::from([hash(&plain)]),
        tuning: names
            .iter()
            .map(|n| (n.clone(), Tuning::default()))
            .collect(),
        best: before.clone(),
        path: vec![],
        trials: 0,
        most: (ROUNDS * names.len() * each) as u64,
    };
    for _ in 0..ROUNDS {
        let was = search.best.searched();
        for name in &names {
            let was = search.best.searched();
            search.population(name)?;
            if search.best.searched() > was {
                let stop = (search.tuning.clone(), search.best.clone());
                search.path.push(stop);
            }
        }
        if search.best.searched() <= was || progress.cancelled() {
            break;
        }
    }
    progress.report("calibrate", search.most, search.most);
    let trials = search.trials;
    let (found, gain) = chosen(&before, search.path);
    let (mut tuning, best) = found.unwrap_or((BTreeMap::new(), before.clone()));
    tuning.retain(|_, t| *t != Tuning::default());
    let settings: Vec<Value> = tuning
        .iter()
        .map(|(name, t)| json!({"population": name, "factor": t.factor, "clip": t.clip, "threshold": t.threshold, "leak": t.leak}))
        .collect();
    let report = json!({
        "trials": trials,
        "plain": {"score": before.score, "likeness": before.facts},
        "found": {"score": best.score, "likeness": best.facts},
        "held_out": gain.map(|g| json!({"inputs": g.inputs, "gain": g.mean, "error": g.error})),
        "settings": settings,
    });
    Ok(Calibrated { tuning, report })
}

/// The stop that is best on the inputs that were held out, none where plain rounding is as good within the error; and what the best one gained there. Without such inputs: the last.
fn chosen(plain: &Judged, mut path: Vec<Stop>) -> (Option<Stop>, Option<Gain>) {
    let gains: Vec<Gain> = path.iter().filter_map(|s| s.1.gain(plain)).collect();
    let best = (0..gains.len()).max_by(|&a, &b| gains[a].mean.total_cmp(&gains[b].mean));
    match best {
        None => (path.pop(), None),
        Some(k) => {
            let better = gains[k].mean > gains[k].error;
            (better.then(|| path.swap_remove(k)), Some(gains[k]))
        }
    }
}

/// Populations whose values do not come out whole.
fn tunable(report: &Value) -> Vec<String> {
    let layers = report["quantisation"]["layers"].as_array();
    let layers = layers.into_iter().flatten();
    layers
        .filter(|l| l["exact"] == false)
        .filter_map(|l| l["population"].as_str())
        .map(str::to_string)
        .collect()
}

fn nothing(target: &Target) -> Diagnostics {
    let text = format!(
        "nothing of this network can be calibrated for {}",
        target.name()
    );
    Diagnostic::error("SYN0657", text)
        .class(Class::Usage)
        .note("every population is computed exactly, is of the chip's own model, or has scales that leave no choice")
        .hint("leave --calibrate away")
        .into()
}

fn hash(made: &Compiled) -> u64 {
    let mut h = DefaultHasher::new();
    made.artifact
        .native()
        .for_each(|s| (&s.name, &s.bytes).hash(&mut h));
    h.finish()
}

impl Search<'_, '_> {
    /// All changes of one population.
    fn population(&mut self, name: &str) -> Result<(), Diagnostics> {
        for power in FACTORS {
            for clip in CLIPS {
                let factor = 2f64.powi(power);
                self.attempt(name, &|t| (t.factor, t.clip) = (factor, clip))?;
            }
        }
        for leak in LEAKS {
            for threshold in THRESHOLDS {
                self.attempt(name, &|t| (t.leak, t.threshold) = (leak, threshold))?;
            }
        }
        let at = self.tuning.get(name).map_or(1.0, |t| t.factor);
        for near in NEAR {
            self.attempt(name, &|t| t.factor = at * near)?;
        }
        let at = self.tuning.get(name).map_or(1.0, |t| t.threshold);
        for near in [-0.05, 0.05, -0.02, 0.02] {
            // Two decimals, so that a report reads well.
            let threshold = ((at + near) * 100.0).round() / 100.0;
            self.attempt(name, &|t| t.threshold = threshold)?;
        }
        Ok(())
    }

    /// Keeps a change where it is better.
    fn attempt(&mut self, name: &str, change: &dyn Fn(&mut Tuning)) -> Result<(), Diagnostics> {
        self.trials += 1;
        self.progress.report("calibrate", self.trials, self.most);
        let Some(now) = self.tuning.get(name).copied() else {
            return Ok(());
        };
        let mut changed = now;
        change(&mut changed);
        if changed == now || self.progress.cancelled() {
            return Ok(());
        }
        self.tuning.insert(name.to_string(), changed);
        let found = self.score()?;
        match found.filter(|f| f.searched() > self.best.searched() + 1e-12) {
            Some(better) => self.best = better,
            None => {
                self.tuning.insert(name.to_string(), now);
            }
        }
        Ok(())
    }

    /// Judged with the settings as they stand; `None` where the chip refuses them, or where the same images were seen before.
    fn score(&mut self) -> Result<Option<Judged>, Diagnostics> {
        self.options.tuning.clone_from(&self.tuning);
        let Ok(made) = compile(self.net, self.target, &self.options, &Quiet) else {
            return Ok(None);
        };
        match self.known.insert(hash(&made)) {
            true => (self.judge)(&made).map(Some),
            false => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(samples: &[f64]) -> Judged {
        Judged {
            score: samples.iter().sum::<f64>() / samples.len() as f64,
            facts: Value::Null,
            samples: samples.to_vec(),
        }
    }

    /// Inputs 2, 5, 8 and so on are held out.
    #[test]
    fn what_gains_by_accident_is_not_taken() {
        let plain = judged(&[0.5; 12]);
        let stop = |held: [f64; 4]| {
            let mut all = vec![0.9; 12];
            (0..4).for_each(|k| all[3 * k + 2] = held[k]);
            (BTreeMap::new(), judged(&all))
        };
        assert!((stop([0.1; 4]).1.searched() - 0.9).abs() < 1e-12);
        let taken = |path: Vec<Stop>| chosen(&plain, path).0.map(|s| s.1.samples[2]);
        assert_eq!(taken(vec![]), None);
        assert_eq!(taken(vec![stop([0.5, 0.5, 0.5, 0.5])]), None);
        assert_eq!(taken(vec![stop([0.9, 0.1, 0.9, 0.2])]), None, "noise");
        assert_eq!(taken(vec![stop([0.6, 0.7, 0.6, 0.7])]), Some(0.6));
        // A later stop that only fits the inputs of the search better is left for an earlier one.
        let path = vec![stop([0.7, 0.6, 0.7, 0.7]), stop([0.6, 0.5, 0.6, 0.6])];
        assert_eq!(taken(path), Some(0.7));
        // With few inputs none is held out, and the last stop counts.
        let few = (BTreeMap::new(), judged(&[0.6; 3]));
        let (found, gain) = chosen(&judged(&[0.5; 3]), vec![few]);
        assert!(found.is_some() && gain.is_none());
    }
}
