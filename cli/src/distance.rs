//! How far two recordings of one network are apart.
//!
//! Spikes are matched neuron by neuron, in order of time, each at most once and at most a tolerance apart: of two sorted
//! trains the earliest possible partner is taken, which gives the largest number of matches.

use crate::execute::Ran;
use std::collections::BTreeMap;
use synfire_runtime::spikes::NamedSpike;

/// One population in two runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Distance {
    /// Population.
    pub name: String,
    /// Neurons.
    pub size: u32,
    /// Spikes of the first run.
    pub ideal: u64,
    /// Spikes of the second.
    pub chip: u64,
    /// Matched in the same step.
    pub exact: u64,
    /// Matched within the tolerance.
    pub near: u64,
    /// Sum of (second - first) over matched spikes, in steps.
    shift: i64,
    /// Step of the first spike that the other run does not have in that step.
    pub first: Option<u32>,
}

impl Distance {
    /// Matched spikes over all, 2 m / (a + b); 1 when both are silent.
    pub fn agreement(&self) -> f64 {
        match self.ideal + self.chip {
            0 => 1.0,
            n => 2.0 * self.near as f64 / n as f64,
        }
    }

    /// Mean steps by which matched spikes come later in the second run.
    pub fn mean_shift(&self) -> Option<f64> {
        (self.near > 0).then(|| self.shift as f64 / self.near as f64)
    }

    /// Relative difference of the numbers of spikes.
    pub fn rate_error(&self) -> Option<f64> {
        (self.ideal > 0).then(|| (self.chip as f64 - self.ideal as f64) / self.ideal as f64)
    }

    /// All populations together.
    pub fn total(rows: &[Distance]) -> Distance {
        let mut all = Distance {
            name: "all".into(),
            ..Distance::default()
        };
        for d in rows {
            all.size += d.size;
            all.ideal += d.ideal;
            all.chip += d.chip;
            all.exact += d.exact;
            all.near += d.near;
            all.shift += d.shift;
            all.first = [all.first, d.first].into_iter().flatten().min();
        }
        all
    }

    /// Adds the trains of one neuron in one sample, both ascending.
    fn add(&mut self, a: &[u32], b: &[u32], tolerance: u32) {
        self.ideal += a.len() as u64;
        self.chip += b.len() as u64;
        let differs = a
            .iter()
            .zip(b)
            .find(|(x, y)| x != y)
            .map(|(x, y)| *x.min(y));
        let more = a.get(b.len()).or(b.get(a.len())).copied();
        self.first = [self.first, differs.or(more)].into_iter().flatten().min();
        let (mut i, mut j) = (0, 0);
        while i < a.len() && j < b.len() {
            if a[i].abs_diff(b[j]) <= tolerance {
                self.near += 1;
                self.exact += u64::from(a[i] == b[j]);
                self.shift += i64::from(b[j]) - i64::from(a[i]);
                i += 1;
                j += 1;
            } else if a[i] < b[j] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }
}

type Trains = BTreeMap<(u32, u32, u32), Vec<u32>>;

/// Steps by (population, sample, neuron).
fn trains(spikes: &[NamedSpike]) -> Trains {
    let mut out = Trains::new();
    for s in spikes {
        out.entry((s.population, s.sample, s.neuron))
            .or_default()
            .push(s.step);
    }
    out
}

/// Distances of the populations that both runs recorded.
pub fn distances(ideal: &Ran, chip: &Ran, tolerance: u32) -> Vec<Distance> {
    let (a, b) = (
        trains(&ideal.recording.data.spikes),
        trains(&chip.recording.data.spikes),
    );
    let mut rows = vec![];
    for ((p, q), k) in ideal.populations.iter().zip(&chip.populations).zip(0u32..) {
        if !p.recorded || !q.recorded {
            continue;
        }
        let mut d = Distance {
            name: p.name.clone(),
            size: p.size,
            ..Distance::default()
        };
        let range = (k, 0, 0)..(k + 1, 0, 0);
        let none = vec![];
        for (key, train) in a.range(range.clone()) {
            d.add(train, b.get(key).unwrap_or(&none), tolerance);
        }
        for (_, train) in b.range(range).filter(|(key, _)| !a.contains_key(key)) {
            d.add(&none, train, tolerance);
        }
        rows.push(d);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trains_are_matched_once() {
        let mut d = Distance::default();
        d.add(&[1, 5, 9], &[1, 6, 7, 20], 2);
        assert_eq!(
            (d.ideal, d.chip, d.exact, d.near, d.first),
            (3, 4, 1, 3, Some(5))
        );
        assert_eq!(d.mean_shift(), Some(-1.0 / 3.0));
        assert_eq!(d.agreement(), 6.0 / 7.0);
        let mut same = Distance::default();
        same.add(&[3, 4], &[3, 4], 0);
        assert_eq!((same.first, same.agreement()), (None, 1.0));
        let mut longer = Distance::default();
        longer.add(&[3], &[3, 8], 0);
        assert_eq!(longer.first, Some(8));
        assert_eq!(Distance::default().agreement(), 1.0);
    }
}
