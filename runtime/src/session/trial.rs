//! How like its network a chip spikes on given inputs.
//!
//! In: a network's program and inputs, once; then artefacts of it. Out: for each artefact the share of equal spikes (same neuron, same step; twice the matched over all), where the network ends and inside of it, of equal activity (spikes of a neuron whatever their steps) where it ends, and with a batch the share of equal decisions (the most active
//! neuron of a population that drives nothing, the lowest among equals). A neuron that spikes several times in a step counts as often. Deliberately absent: any search.

use super::{Choice, Plan};
use crate::spikes::{NamedSpike, SpikeData};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::artifact::Artifact;
use synfire_ir::{Diagnostics, Progress};
use synfire_targets::backend::Backend;

/// Inputs, and what the network answers.
#[derive(Debug)]
pub struct Trial {
    input: SpikeData,
    steps: u32,
    ideal: Counts,
    /// Populations that drive nothing.
    ends: BTreeSet<u32>,
    threads: usize,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Likeness {
    /// Share of equal decisions; none without a batch.
    pub decisions: Option<f64>,
    /// Share of equal spikes where the network ends.
    pub ends: f64,
    /// Share of equal numbers of spikes where the network ends, neuron by neuron.
    pub activity: f64,
    /// Share of equal spikes elsewhere; none where nothing of it is seen.
    pub inside: Option<f64>,
    /// Spikes of the network and of the chip where the network ends.
    pub spikes_ends: (u64, u64),
    /// The same elsewhere.
    pub spikes_inside: (u64, u64),
    /// Score of each input.
    #[serde(skip)]
    pub samples: Vec<f64>,
}

impl Likeness {
    /// The mean of what there is, 0 to 1.
    pub fn score(&self) -> f64 {
        let all = [
            self.decisions,
            Some(self.activity),
            Some(self.ends),
            self.inside,
        ];
        let there: Vec<f64> = all.into_iter().flatten().collect();
        there.iter().sum::<f64>() / there.len() as f64
    }
}

/// Spikes by (population, sample, neuron, step).
type Counts = BTreeMap<(u32, u32, u32, u32), u64>;

fn counts(spikes: &[NamedSpike]) -> Counts {
    let mut out = Counts::new();
    for s in spikes {
        let times = s.value.round().max(1.0) as u64;
        *out.entry((s.population, s.sample, s.neuron, s.step))
            .or_default() += times;
    }
    out
}

/// Counts of each sample.
fn split(all: &Counts, samples: u32) -> Vec<Counts> {
    let mut out = vec![Counts::new(); samples as usize];
    for (key, n) in all {
        if let Some(one) = out.get_mut(key.1 as usize) {
            one.insert(*key, *n);
        }
    }
    out
}

/// Spikes of each neuron, in whatever step.
fn activity(all: &Counts) -> Counts {
    let mut out = Counts::new();
    for (&(population, sample, neuron, _), n) in all {
        *out.entry((population, sample, neuron, 0)).or_default() += n;
    }
    out
}

/// The most active neuron by (population, sample).
fn decisions(all: &Counts) -> BTreeMap<(u32, u32), u32> {
    let mut active: BTreeMap<(u32, u32, u32), u64> = BTreeMap::new();
    for (&(population, sample, neuron, _), n) in all {
        *active.entry((population, sample, neuron)).or_default() += n;
    }
    let mut best: BTreeMap<(u32, u32), (u64, u32)> = BTreeMap::new();
    for ((population, sample, neuron), n) in active {
        let first = best.entry((population, sample)).or_insert((n, neuron));
        if n > first.0 {
            *first = (n, neuron);
        }
    }
    best.into_iter()
        .map(|(k, (_, neuron))| (k, neuron))
        .collect()
}

/// Share of equal spikes and spikes of both, in these populations.
fn equal(a: &Counts, b: &Counts, of: &dyn Fn(u32) -> bool) -> (f64, (u64, u64)) {
    let sum = |all: &Counts| all.iter().filter(|x| of(x.0.0)).map(|x| x.1).sum::<u64>();
    let both = |(key, n): (&(u32, u32, u32, u32), &u64)| b.get(key).map_or(0, |m| *n.min(m));
    let matched: u64 = a.iter().filter(|x| of(x.0.0)).map(both).sum();
    let (x, y) = (sum(a), sum(b));
    let share = match x + y {
        0 => 1.0,
        all => 2.0 * matched as f64 / all as f64,
    };
    (share, (x, y))
}

impl Trial {
    /// Runs the network, whose `plan` should record all of its populations, on the CPU engine; `ends` are the numbers of the populations that drive nothing.
    ///
    /// Errors: those of the run.
    pub fn new(
        plan: Plan,
        ends: impl IntoIterator<Item = u32>,
        input: SpikeData,
        steps: u32,
        threads: usize,
        progress: &dyn Progress,
    ) -> Result<Trial, Diagnostics> {
        let samples = input.batch.unwrap_or(1);
        let mut session = plan.open(Choice::Cpu, threads, samples)?;
        let ran = session.run(steps, &input, 0, progress)?;
        Ok(Trial {
            ideal: counts(&ran.data.spikes),
            input,
            steps,
            ends: ends.into_iter().collect(),
            threads,
        })
    }

    /// How like the network this artefact is.
    ///
    /// Errors: those of decoding and of the run.
    pub fn of(
        &self,
        artifact: &Artifact,
        backend: &dyn Backend,
        progress: &dyn Progress,
    ) -> Result<Likeness, Diagnostics> {
        let plan = Plan::artifact_inside(artifact, backend)?;
        let known = plan.populations().iter().zip(0u32..);
        let seen: BTreeSet<u32> = known.filter(|p| p.0.recorded).map(|p| p.1).collect();
        let samples = self.input.batch.unwrap_or(1);
        let mut session = plan.open(Choice::Cpu, self.threads, samples)?;
        let chip = session.run(self.steps, &self.input, 0, progress)?;
        let chip = counts(&chip.data.spikes);
        let all: Vec<u32> = (0..samples).collect();
        let (ideal, found) = (split(&self.ideal, samples), split(&chip, samples));
        let each = all.iter().map(|&s| {
            let (a, b) = (&ideal[s as usize], &found[s as usize]);
            self.likeness(a, b, &seen, &[s]).score()
        });
        let each = each.collect();
        Ok(Likeness {
            samples: each,
            ..self.likeness(&self.ideal, &chip, &seen, &all)
        })
    }

    /// Of these samples, which are all that the counts hold.
    fn likeness(
        &self,
        ideal: &Counts,
        chip: &Counts,
        seen: &BTreeSet<u32>,
        samples: &[u32],
    ) -> Likeness {
        let end = |p: u32| seen.contains(&p) && self.ends.contains(&p);
        let middle = |p: u32| seen.contains(&p) && !self.ends.contains(&p);
        let (ends, spikes_ends) = equal(ideal, chip, &end);
        let (inside, spikes_inside) = equal(ideal, chip, &middle);
        let (activity, _) = equal(&activity(ideal), &activity(chip), &end);
        let decided = |all: &Counts| {
            let mut d = decisions(all);
            d.retain(|k, _| end(k.0));
            d
        };
        let (a, b) = (decided(ideal), decided(chip));
        let shown = seen.iter().filter(|p| end(**p));
        let questions: Vec<(u32, u32)> = shown
            .flat_map(|p| samples.iter().map(|s| (*p, *s)))
            .collect();
        let same = questions.iter().filter(|k| a.get(k) == b.get(k)).count();
        let batch = self.input.batch.is_some() && !questions.is_empty();
        Likeness {
            decisions: batch.then(|| same as f64 / questions.len() as f64),
            ends,
            activity,
            inside: seen.iter().any(|p| middle(*p)).then_some(inside),
            spikes_ends,
            spikes_inside,
            samples: vec![],
        }
    }
}
