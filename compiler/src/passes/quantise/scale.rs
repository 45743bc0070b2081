//! The factor from a population's units to the chip's integers.
//!
//! Without exponents: 1 or a small power of two if that makes every value whole, else the largest factor that keeps weights and thresholds in range. With exponents, weights
//! `m 2^e` with a mantissa m that is full, and the largest e for which every threshold stays within half of its register's range: the state then has the
//! finest grid that the weights allow. All populations take one e, because weights onto several of them may share one register.

use super::{Prepared, Quantiser};

impl Quantiser<'_> {
    /// One factor for each population.
    pub(super) fn factors(&self, all: &[&Prepared]) -> Vec<f64> {
        let Some(range) = &self.target.weights().exponent else {
            return all.iter().map(|p| self.whole(p)).collect();
        };
        let steps = range.value[0].max(0)..=range.value[1].clamp(0, 30);
        let bounded =
            |p: &Prepared| self.register("thr") / 2.0 / threshold(p).max(f64::MIN_POSITIVE);
        let full = |p: &Prepared, e: i32| self.mantissa() * f64::from(1 << e) / heaviest(p);
        let fits = |e: &i32| {
            all.iter()
                .all(|p| heaviest(p) == 0.0 || full(p, *e) <= bounded(p))
        };
        let e = steps.clone().filter(fits).max().unwrap_or(*steps.start());
        let bias = |p: &Prepared| {
            let most = p.biases.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
            if most > 0.0 {
                self.register("bias") / most
            } else {
                f64::INFINITY
            }
        };
        let factor = |p: &&Prepared| {
            let by_weight = if heaviest(p) > 0.0 {
                full(p, e)
            } else {
                f64::INFINITY
            };
            let s = by_weight.min(bounded(p)).min(bias(p));
            if s.is_finite() {
                s.max(f64::MIN_POSITIVE)
            } else {
                1.0
            }
        };
        all.iter().map(factor).collect()
    }

    /// Largest magnitude that a weight has on both sides of 0.
    fn mantissa(&self) -> f64 {
        let w = self.target.weights();
        (w.max.value as f64)
            .min(-(w.min.value as f64))
            .clamp(1.0, 1e6)
    }

    /// Smallest upper end of the registers with this word in their name.
    fn register(&self, word: &str) -> f64 {
        let dialect = &self.target.dialect.name;
        let all = self.target.chip.spec.parameters.iter();
        all.filter(|q| {
            q.name.contains(word)
                && q.max > 0
                && (q.dialects.is_empty() || q.dialects.contains(dialect))
        })
        .map(|q| q.max as f64)
        .fold(f64::INFINITY, f64::min)
        .min(1e6)
    }

    fn whole(&self, p: &Prepared) -> f64 {
        let w = self.target.weights();
        let values = || {
            let d = p
                .dynamics
                .iter()
                .flat_map(|d| [d.threshold, d.reset.unwrap_or(0.0), d.initial]);
            p.inputs
                .iter()
                .map(|s| s.weight)
                .chain(d)
                .chain(p.biases.iter().copied())
        };
        let heaviest = heaviest(p);
        for power in 0..=10 {
            let s = (1u64 << power) as f64;
            let fits = heaviest * s <= w.max.value as f64 || heaviest * s <= -(w.min.value as f64);
            if fits && values().all(|x| tidy(x * s).fract() == 0.0) {
                return s;
            }
        }
        let by_weight = if heaviest > 0.0 {
            self.mantissa() / heaviest
        } else {
            1.0
        };
        let by_threshold = if threshold(p) > 0.0 {
            (self.register("thr") - 1.0) / threshold(p)
        } else {
            f64::INFINITY
        };
        by_weight.min(by_threshold).max(f64::MIN_POSITIVE)
    }
}

fn heaviest(p: &Prepared) -> f64 {
    p.inputs.iter().map(|s| s.weight.abs()).fold(0.0, f64::max)
}

fn threshold(p: &Prepared) -> f64 {
    p.dynamics
        .iter()
        .map(|d| d.threshold.abs())
        .fold(0.0, f64::max)
}

/// Takes away what is left of decimal fractions in binary.
pub(super) fn tidy(x: f64) -> f64 {
    let near = x.round_ties_even();
    if (x - near).abs() <= 1e-9 * x.abs().max(1.0) {
        near
    } else {
        x
    }
}
