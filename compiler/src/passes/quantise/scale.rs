//! The factor from a population's units to the chip's integers.
//!
//! Without exponents: 1 or a small power of two if that makes every value whole, else the largest factor that keeps weights and thresholds in range. With exponents, weights
//! `m 2^e` with a mantissa m that is full, and the largest e for which every threshold stays within half of its register's range and no sum of arrivals leaves the chip's: the state then has the
//! finest grid that the weights allow. All populations take one e, because weights onto several of them may share one register; but a population that the chip computes exactly and whose values a
//! power of two makes whole takes that. Where weights learn, the largest that their rule lets them reach becomes a full mantissa, so that the chip's end is the rule's.

use super::units::unscaled;
use super::{Prepared, Quantiser};
use crate::dynamics::Dynamics;
use synfire_ir::Diagnostic;
use synfire_ir::network::Population;

impl Quantiser<'_> {
    /// One factor for each population.
    pub(super) fn factors(&self, all: &[&Prepared]) -> Vec<f64> {
        let Some(range) = &self.target.weights().exponent else {
            return all.iter().map(|p| self.whole(p)).collect();
        };
        let steps = range.value[0].max(0)..=range.value[1].clamp(0, 30);
        let bounded =
            |p: &Prepared| self.register("thr") / 2.0 / threshold(p).max(f64::MIN_POSITIVE);
        let summed = |p: &Prepared| self.sums() / arrivals(p).max(f64::MIN_POSITIVE);
        let top = self.mantissa() * f64::from(1 << steps.end());
        // Where weights learn, the end of their range is that of a mantissa.
        let full = |p: &Prepared, e: i32| {
            let factor = self.learnt(p);
            factor.unwrap_or(self.mantissa() / heaviest(p)) * f64::from(1 << e)
        };
        let fits = |e: &i32| {
            all.iter().all(|p| {
                let (most, s) = (heaviest(p), full(p, *e));
                most == 0.0 || s <= bounded(p).min(summed(p)) && most * s <= top
            })
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
            if let Some(s) = self.exact(p) {
                return s;
            }
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

    /// The power of two that keeps a population exact which the chip computes without a difference, with some bits to spare below its values where there is room; `None` if there is none.
    pub(super) fn exact(&self, p: &Prepared) -> Option<f64> {
        let [_, top] = self.target.weights().exponent.as_ref()?.value;
        let same = |d: &Dynamics| {
            let unit = unscaled(d);
            let dialect = &self.target.dialect.name;
            self.backend.differences(dialect, &unit).is_empty()
                && self.backend.gain(dialect, &unit) == 1.0
        };
        if self.learnt(p).is_some() || !p.dynamics.iter().all(same) {
            return None;
        }
        let weight = |w: f64| {
            let w = tidy(w.abs());
            // A mantissa that fits, times a power of two that the exponent reaches.
            let m = (0..=top.clamp(0, 30)).map(|e| w / f64::from(1 << e));
            w.fract() == 0.0
                && m.into_iter()
                    .any(|m| m.fract() == 0.0 && m <= self.mantissa())
        };
        let holds = |s: f64| {
            let biases = p
                .biases
                .iter()
                .all(|b| b.abs() * s <= self.register("bias"));
            biases
                && threshold(p) * s <= self.register("thr")
                && arrivals(p) * s <= self.sums()
                && values(p).all(|x| tidy(x * s).fract() == 0.0)
                && p.inputs
                    .iter()
                    .all(|i| weight(i.weight * s) && weight(i.most * s))
        };
        let powers = (0..=10).map(|k| f64::from(1 << k));
        let first = powers.into_iter().find(|s| holds(*s))?;
        let spare = [16.0, 8.0, 4.0, 2.0].into_iter().map(|k| first * k);
        Some(spare.into_iter().find(|s| holds(*s)).unwrap_or(first))
    }

    /// Largest sum of weights that one step may bring, where the chip's description gives a format for it.
    fn sums(&self) -> f64 {
        let dialect = &self.target.dialect.name;
        let all = self.target.chip.spec.formats.iter();
        let of = all.filter(|f| {
            f.name == "arrivals" && (f.dialects.is_empty() || f.dialects.contains(dialect))
        });
        of.map(|f| 2f64.powi(f.bits as i32 - i32::from(f.signed)) - 1.0)
            .fold(f64::INFINITY, f64::min)
    }

    /// Warns of sums of arrivals that the chip could not hold if all came at once.
    pub(super) fn sums_fit(&mut self, p: &Population, ready: &Prepared, scale: f64) {
        let (most, held) = (arrivals(ready) * scale, self.sums());
        if most <= held {
            return;
        }
        let name = self.target.name();
        let text = format!(
            "arrivals onto `{}` can add up to {most:.0} in one step; {name} holds {held:.0}",
            p.name
        );
        self.out.push(
            Diagnostic::warning("SYN0646", text)
                .at(p.name.clone())
                .note("a greater sum wraps around and acts with the other sign; it takes all sources of one sign in one step")
                .hint("lower the fan-in or the largest weights if so many sources spike together; `synfire compare` shows what it does to the spikes"),
        );
    }

    /// Largest magnitude that a weight has on both sides of 0.
    fn mantissa(&self) -> f64 {
        let w = self.target.weights();
        (w.max.value as f64)
            .min(-(w.min.value as f64))
            .clamp(1.0, 1e6)
    }

    /// The largest factor with which every weight that learns stays within its chip's integers at the least exponent, where a rule says how far it may reach.
    fn learnt(&self, p: &Prepared) -> Option<f64> {
        let learners = p.inputs.iter().filter_map(|s| {
            let wanted = self.learning.get(usize::from(s.learns?))?;
            (s.most > 0.0).then(|| wanted.full() / s.most)
        });
        learners.reduce(f64::min)
    }

    /// Smallest upper end of the registers with this word in their name.
    pub(super) fn register(&self, word: &str) -> f64 {
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
        let heaviest = heaviest(p);
        for power in 0..=10 {
            let s = (1u64 << power) as f64;
            let fits = heaviest * s <= w.max.value as f64 || heaviest * s <= -(w.min.value as f64);
            if fits && values(p).all(|x| tidy(x * s).fract() == 0.0) {
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

/// Every value that a factor scales.
fn values(p: &Prepared) -> impl Iterator<Item = f64> {
    let d = p.dynamics.iter();
    let d = d.flat_map(|d| [d.threshold, d.reset.unwrap_or(0.0), d.initial]);
    let weights = p.inputs.iter().map(|s| s.weight);
    weights.chain(d).chain(p.biases.iter().copied())
}

/// Largest sum of weights of one sign onto a unit; inputs are sorted by their target.
fn arrivals(p: &Prepared) -> f64 {
    let mut most = 0f64;
    for unit in p.inputs.chunk_by(|a, b| a.target == b.target) {
        let of = |sign: f64| {
            let all = unit.iter().filter(|s| s.weight * sign >= 0.0);
            all.map(|s| s.most).sum::<f64>()
        };
        most = most.max(of(1.0)).max(of(-1.0));
    }
    most
}

fn heaviest(p: &Prepared) -> f64 {
    p.inputs.iter().map(|s| s.most).fold(0.0, f64::max)
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
