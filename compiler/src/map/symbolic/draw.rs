//! Projections whose pairs are drawn: how probable it is that a source has a target in a set of neurons. The rules treat all sources alike and all targets alike, so
//! this depends on the size of the set only, and every expected count follows from it without drawing a synapse.
//!
//! Absent on purpose: variances of sums over parts, whose members share draws.

/// How pairs of a projection are drawn. All pairs of sources and targets can occur, but those of neurons with themselves where they are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// Each pair with this probability.
    Probability(f64),
    /// Each target takes so many sources; `true`: with repetition.
    Indegree(u32, bool),
    /// Each source takes so many targets; `true`: with repetition.
    Outdegree(u32, bool),
    /// So many pairs of all, with repetition.
    Total(u64),
}

/// A law between so many neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Draw {
    /// The law.
    pub law: Law,
    /// Sources.
    pub sources: u64,
    /// Targets.
    pub targets: u64,
    /// Are sources and targets the same neurons, and pairs of a neuron with itself left out?
    pub apart: bool,
}

impl Draw {
    /// Sources that a target can have.
    fn candidates(&self) -> f64 {
        (self.sources - self.apart as u64).max(1) as f64
    }

    /// Logarithm of the probability that a source has no target among `n` given neurons, itself not counted.
    fn miss(&self, n: u64) -> f64 {
        let (m, others) = (n as f64, self.targets.saturating_sub(self.apart as u64));
        match self.law {
            Law::Probability(p) => m * (-p).ln_1p(),
            // Targets draw on their own, each with the same chance for every source.
            Law::Indegree(k, true) => m * k as f64 * (-1.0 / self.candidates()).ln_1p(),
            Law::Indegree(k, false) => m * (-(k as f64 / self.candidates()).min(1.0)).ln_1p(),
            Law::Outdegree(0, _) => 0.0,
            Law::Outdegree(k, true) => k as f64 * (-(m / others.max(1) as f64).min(1.0)).ln_1p(),
            Law::Outdegree(k, false) => {
                if n + k as u64 > others {
                    return f64::NEG_INFINITY;
                }
                falling(others - n, k as u64) - falling(others, k as u64)
            }
            Law::Total(k) => {
                let pairs = self.sources as f64 * self.targets as f64
                    - if self.apart { self.sources as f64 } else { 0.0 };
                k as f64 * (-(m / pairs.max(1.0)).min(1.0)).ln_1p()
            }
        }
    }

    /// Probability that a source has no target among `n` given neurons, itself not counted.
    pub fn missing(&self, n: u64) -> f64 {
        if n == 0 { 1.0 } else { self.miss(n).exp() }
    }

    /// Probability that a source has a target among them.
    pub fn reaching(&self, n: u64) -> f64 {
        if n == 0 { 0.0 } else { -self.miss(n).exp_m1() }
    }

    /// Expected synapses between `sources` and `targets` of its neurons, repetitions counted; `own`: neurons that are among both.
    pub fn synapses(&self, sources: u64, targets: u64, own: u64) -> f64 {
        let pairs = sources as f64 * targets as f64 - if self.apart { own as f64 } else { 0.0 };
        pairs * self.each(true)
    }

    /// The same, every pair counted once.
    pub fn pairs(&self, sources: u64, targets: u64, own: u64) -> f64 {
        let pairs = sources as f64 * targets as f64 - if self.apart { own as f64 } else { 0.0 };
        pairs * self.each(false)
    }

    /// Expected synapses of a pair that can occur, or the probability that it does.
    fn each(&self, repeated: bool) -> f64 {
        let others = self.targets.saturating_sub(self.apart as u64).max(1) as f64;
        let mean = match self.law {
            Law::Probability(p) => p,
            Law::Indegree(k, _) => k as f64 / self.candidates(),
            Law::Outdegree(k, _) => k as f64 / others,
            Law::Total(k) => k as f64 / (self.candidates() * self.targets.max(1) as f64),
        };
        if repeated { mean } else { self.reaching(1) }
    }
}

/// Expected synapses of a part of `n` targets, and distinct sources of these. `own`: the part's neurons are sources of the projection, too.
pub fn load(d: &Draw, n: u64, own: bool) -> (f64, f64) {
    let mine = if own { n } else { 0 };
    let within = d.reaching(n - (d.apart && own && n > 0) as u64);
    let axons = (d.sources - mine) as f64 * d.reaching(n) + mine as f64 * within;
    (d.synapses(d.sources, n, mine), axons)
}

/// Standard deviations that limits leave room for.
const SLACK: f64 = 5.0;

/// The same with room for what a draw may add. Sources are hit independently, or each less likely beside the others, so that the variances of single ones sum to a bound.
pub fn most(d: &Draw, n: u64, own: bool) -> (f64, f64) {
    let (synapses, axons) = load(d, n, own);
    let spread = match d.law {
        Law::Indegree(..) => 0.0,
        _ => synapses.sqrt(),
    };
    let miss = 1.0 - axons / (d.sources.max(1) as f64);
    let axon_spread = (axons * miss.max(0.0)).sqrt();
    let axons = (axons + SLACK * axon_spread).min(d.sources as f64);
    (synapses + SLACK * spread, axons)
}

/// ln of `n (n - 1) .. (n - k + 1)`.
fn falling(n: u64, k: u64) -> f64 {
    if k <= 64 {
        return (0..k).map(|i| ((n - i) as f64).ln()).sum();
    }
    factorial(n) - factorial(n - k)
}

/// ln n!; from 32 on by Stirling's series, whose next term is below 1e-12 there.
fn factorial(n: u64) -> f64 {
    if n < 32 {
        return (2..=n).map(|i| (i as f64).ln()).sum();
    }
    let x = n as f64;
    let series = 1.0 / (12.0 * x) - 1.0 / (360.0 * x.powi(3)) + 1.0 / (1260.0 * x.powi(5));
    x * x.ln() - x + 0.5 * (std::f64::consts::TAU * x).ln() + series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stirling_meets_the_sum() {
        let sum = |n: u64| (2..=n).map(|i| (i as f64).ln()).sum::<f64>();
        for n in [31, 32, 40, 100, 1000] {
            assert!((factorial(n) / sum(n) - 1.0).abs() < 1e-13, "{n}");
        }
    }

    /// Two sources and three targets: all draws by hand.
    #[test]
    fn small_draws_by_hand() {
        let draw = |law| Draw {
            law,
            sources: 2,
            targets: 3,
            apart: false,
        };
        for (law, one, two, synapses) in [
            (Law::Probability(0.25), 0.25, 1.0 - 0.75 * 0.75, 1.5),
            (Law::Indegree(1, false), 0.5, 0.75, 3.0),
            (Law::Indegree(2, true), 0.75, 1.0 - 1.0 / 16.0, 6.0),
            (Law::Outdegree(1, true), 1.0 / 3.0, 2.0 / 3.0, 2.0),
            (Law::Outdegree(2, false), 2.0 / 3.0, 1.0, 4.0),
            (Law::Total(2), 11.0 / 36.0, 5.0 / 9.0, 2.0),
        ] {
            let d = draw(law);
            assert!((d.reaching(1) - one).abs() < 1e-12, "{law:?} one");
            assert!((d.reaching(2) - two).abs() < 1e-12, "{law:?} two");
            assert!((d.missing(2) - 1.0 + two).abs() < 1e-12, "{law:?} none");
            let s = d.synapses(2, 3, 0);
            assert!((s - synapses).abs() < 1e-12, "{law:?} {s}");
            assert!((d.pairs(2, 3, 0) - 6.0 * one).abs() < 1e-12, "{law:?}");
        }
    }
}
