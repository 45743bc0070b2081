//! What spikes say about a population: counts, rates, irregularity.

use synfire_runtime::session::Recording;
use synfire_runtime::spikes::{NamedSpike, Population};

/// Statistics of one population over all samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Activity {
    /// Spikes; `None` when nothing counted them.
    pub spikes: Option<u64>,
    /// Spikes a neuron and second; `None` without a time unit.
    pub rate_hz: Option<f64>,
    /// Share of neurons that spiked at least once in some sample; `None` when not recorded.
    pub active: Option<f64>,
    /// Coefficient of variation of the intervals between spikes, mean over neurons with at least three spikes.
    pub cv_isi: Option<f64>,
}

/// Statistics of every population of a recording.
pub fn activity(
    recording: &Recording,
    populations: &[Population],
    dt: Option<f64>,
) -> Vec<Activity> {
    let samples = f64::from(recording.data.batch.unwrap_or(1));
    let time = dt.map(|dt| dt * f64::from(recording.steps) * samples);
    let trains = Trains::new(&recording.data.spikes, populations);
    let of = |(i, p): (usize, &Population)| {
        let spikes = recording.counts.get(i).copied().flatten();
        let rate_hz = spikes
            .zip(time)
            .filter(|(_, t)| *t > 0.0 && p.size > 0)
            .map(|(n, t)| n as f64 / t / f64::from(p.size));
        let (active, cv_isi) = if p.recorded {
            trains.of(i as u32, p.size)
        } else {
            (None, None)
        };
        Activity {
            spikes,
            rate_hz,
            active,
            cv_isi,
        }
    };
    populations.iter().enumerate().map(of).collect()
}

/// Coefficient of variation of the intervals between the spikes of a population, mean over neurons with at least three.
pub fn cv_isi(spikes: &[NamedSpike], populations: &[Population], k: u32) -> Option<f64> {
    let size = populations.get(k as usize)?.size;
    Trains::new(spikes, populations).of(k, size).1
}

/// Spikes grouped by population, neuron and sample.
struct Trains {
    /// (population, neuron, sample, step), sorted.
    spikes: Vec<(u32, u32, u32, u32)>,
}

/// Most spikes whose intervals are looked at.
const LOOKED_AT: usize = 50_000_000;

impl Trains {
    fn new(spikes: &[NamedSpike], populations: &[Population]) -> Trains {
        let mut list: Vec<_> = if spikes.len() <= LOOKED_AT {
            spikes
                .iter()
                .filter(|s| (s.population as usize) < populations.len())
                .map(|s| (s.population, s.neuron, s.sample, s.step))
                .collect()
        } else {
            vec![]
        };
        list.sort_unstable();
        Trains { spikes: list }
    }

    fn of(&self, population: u32, size: u32) -> (Option<f64>, Option<f64>) {
        let from = self.spikes.partition_point(|s| s.0 < population);
        let to = self.spikes.partition_point(|s| s.0 <= population);
        let all = &self.spikes[from..to];
        let active = all.chunk_by(|a, b| a.1 == b.1).count();
        let cvs: Vec<f64> = all
            .chunk_by(|a, b| (a.1, a.2) == (b.1, b.2))
            .filter_map(cv)
            .collect();
        let mean = (!cvs.is_empty()).then(|| cvs.iter().sum::<f64>() / cvs.len() as f64);
        ((size > 0).then(|| active as f64 / f64::from(size)), mean)
    }
}

/// Coefficient of variation of the intervals of one spike train.
fn cv(train: &[(u32, u32, u32, u32)]) -> Option<f64> {
    let intervals: Vec<f64> = train
        .windows(2)
        .map(|w| f64::from(w[1].3 - w[0].3))
        .collect();
    if intervals.len() < 2 {
        return None;
    }
    let n = intervals.len() as f64;
    let mean = intervals.iter().sum::<f64>() / n;
    let variance = intervals
        .iter()
        .map(|x| (x - mean) * (x - mean))
        .sum::<f64>()
        / n;
    (mean > 0.0).then(|| variance.sqrt() / mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synfire_runtime::spikes::SpikeData;

    #[test]
    fn a_regular_and_an_irregular_neuron() {
        let at = |neuron, step| NamedSpike {
            sample: 0,
            step,
            population: 0,
            neuron,
            value: 1.0,
        };
        let spikes: Vec<_> = [0, 10, 20, 30]
            .map(|s| at(0, s))
            .into_iter()
            .chain([0, 1, 30].map(|s| at(1, s)))
            .collect();
        let populations = [Population {
            name: "a".into(),
            size: 4,
            recorded: true,
            ..Population::default()
        }];
        let recording = Recording {
            steps: 1000,
            counts: vec![Some(7)],
            data: SpikeData {
                spikes,
                ..SpikeData::default()
            },
            ..Recording::default()
        };
        let a = &activity(&recording, &populations, Some(1e-3))[0];
        assert_eq!(
            (a.spikes, a.rate_hz, a.active),
            (Some(7), Some(1.75), Some(0.5))
        );
        let cv = a.cv_isi.expect("two trains");
        assert!((cv - 14.0 / 15.0 / 2.0).abs() < 1e-12, "{cv}");
    }
}
