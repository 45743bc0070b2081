//! Settings of a population that plain rounding leaves as they are.
//!
//! [`Tuning::default`] is plain rounding. `calibrate` searches others; `quantise` takes them by the population's name. A population that the chip computes exactly with plain rounding, and one of the chip's own model, is
//! better left alone: the report's layers say which these are.

use super::{Prepared, Quantiser};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is changed of a population on its way into the chip's integers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tuning {
    /// The population's factor, in parts of the plain one; weights and biases that it brings out of range are set to the range's end.
    pub factor: f64,
    /// Weights beyond this share of the largest from the same source are set to it.
    pub clip: f64,
    /// The threshold, in parts of the network's.
    pub threshold: f64,
    /// What the membrane loses in a step is halved so often (doubled, where negative).
    pub leak: i32,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning {
            factor: 1.0,
            clip: 1.0,
            threshold: 1.0,
            leak: 0,
        }
    }
}

impl Tuning {
    /// What is left of a membrane after a step, from what the network leaves.
    pub(super) fn decay(&self, decay: f64) -> f64 {
        match decay > 0.0 && decay < 1.0 && self.leak != 0 {
            true => (1.0 - (1.0 - decay) * 0.5f64.powi(self.leak)).clamp(0.0, 1.0),
            false => decay,
        }
    }
}

impl Quantiser<'_> {
    /// Settings of a population.
    pub(super) fn tuned(&self, population: &str) -> Tuning {
        self.tuning.get(population).copied().unwrap_or_default()
    }

    /// A bias in the chip's integers; one that a tuned factor brings out of range is set to its end.
    pub(super) fn bias(&self, tuning: Tuning, real: f64) -> (i64, bool) {
        let whole = real.round_ties_even();
        let most = self.register("bias");
        match tuning.factor > 1.0 && whole.abs() > most {
            true => (most.copysign(whole) as i64, true),
            false => (whole as i64, false),
        }
    }
}

/// Largest weight that is not clipped, by source population, in the chip's integers; empty when nothing is clipped.
pub(super) fn tops(ready: &Prepared, tuning: Tuning, scale: f64) -> BTreeMap<u32, f64> {
    let mut tops = BTreeMap::new();
    if tuning.clip < 1.0 {
        for s in &ready.inputs {
            let top = tops.entry(s.source.pop).or_insert(0f64);
            *top = top.max(s.weight.abs() * scale * tuning.clip);
        }
    }
    tops
}
