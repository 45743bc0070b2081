//! Connectors: who connects to whom, answered one target at a time, so that any slice stands on its own.

use super::window::{Conv2d, Pool2d};
use super::wiring::{Chosen, Drawn, Ends, Sent};
use super::{Array, ArrayId};
use serde::{Deserialize, Serialize};

/// A rule of connection. `same` below means: leave out the pair of a unit with itself when source and target are one
/// population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connector {
    /// Every source to every target.
    AllToAll {
        /// Connect a unit to itself?
        self_connections: bool,
    },
    /// Source i to target i.
    OneToOne,
    /// Each pair with probability `p`.
    FixedProbability {
        /// Probability.
        p: f64,
        /// Connect a unit to itself?
        self_connections: bool,
    },
    /// Each target draws `n` sources uniformly.
    FixedIndegree {
        /// Sources of each target.
        n: u32,
        /// Connect a unit to itself?
        self_connections: bool,
        /// May one pair be connected several times?
        multapses: bool,
    },
    /// Each source draws `n` targets uniformly.
    FixedOutdegree {
        /// Targets of each source.
        n: u32,
        /// Connect a unit to itself?
        self_connections: bool,
        /// May one pair be connected several times?
        multapses: bool,
    },
    /// `n` pairs drawn uniformly, with repetition.
    FixedTotal {
        /// Synapses.
        n: u32,
        /// Connect a unit to itself?
        self_connections: bool,
    },
    /// Every source to every target, with a weight array `[targets, sources]`. Zeros are no synapses.
    Dense,
    /// Pairs from two arrays of indices; weights and delays, when arrays, are one value a pair.
    List {
        /// Source indices.
        pre: ArrayId,
        /// Target indices.
        post: ArrayId,
    },
    /// Convolution.
    Conv2d(Conv2d),
    /// Pooling; has no weights of its own (its stage's weight is a constant factor).
    Pool2d(Pool2d),
    /// Source i to target i with weight `[i]`: a factor for each element.
    Scale,
}

impl Connector {
    /// May its synapses differ between seeds?
    pub fn random(&self) -> bool {
        matches!(
            self,
            Connector::FixedProbability { .. }
                | Connector::FixedIndegree { .. }
                | Connector::FixedOutdegree { .. }
                | Connector::FixedTotal { .. }
        )
    }

    /// Expected number of synapses between so many sources and targets (exact for rules without chance).
    pub fn count(&self, sources: u64, targets: u64, arrays: &[Array]) -> f64 {
        match self {
            Connector::AllToAll { .. } | Connector::Dense => sources as f64 * targets as f64,
            Connector::OneToOne | Connector::Scale => targets as f64,
            Connector::FixedProbability { p, .. } => p * sources as f64 * targets as f64,
            Connector::FixedIndegree { n, .. } => *n as f64 * targets as f64,
            Connector::FixedOutdegree { n, .. } => *n as f64 * sources as f64,
            Connector::FixedTotal { n, .. } => *n as f64,
            Connector::List { pre, .. } => {
                arrays.get(*pre as usize).map_or(0.0, |a| a.count() as f64)
            }
            Connector::Conv2d(c) => c.synapses(),
            Connector::Pool2d(c) => c.synapses(),
        }
    }

    /// Synapses of target `t`: `f(source, index of the weight)`, in the order of drawing where pairs are drawn, else in
    /// ascending order of source. The index counts in the weight array's row-major order where there is one, else along the
    /// target's own synapses.
    pub(super) fn of_target(
        &self,
        arrays: &[Array],
        ends: &Ends,
        t: u32,
        f: &mut dyn FnMut(u32, usize),
    ) {
        let row = t as usize * ends.sources as usize;
        match self {
            Connector::AllToAll { self_connections } => {
                let left_out = ends.itself(t).filter(|_| !self_connections);
                (0..ends.sources)
                    .filter(|s| left_out != Some(*s))
                    .for_each(|s| f(s, row + s as usize));
            }
            Connector::Dense => (0..ends.sources).for_each(|s| f(s, row + s as usize)),
            Connector::OneToOne | Connector::Scale => {
                if t < ends.sources {
                    f(t, t as usize)
                }
            }
            Connector::FixedProbability { .. }
            | Connector::FixedIndegree { .. }
            | Connector::FixedTotal { .. } => {
                let Some(drawn) = Drawn::of(self) else { return };
                let degree = drawn.degrees(ends, (t, t + 1)).map_or(0, |d| d[0]);
                let mut k = 0;
                drawn.sources(ends, t, degree, &mut Chosen::default(), |s| {
                    f(s, k);
                    k += 1;
                });
            }
            Connector::FixedOutdegree { .. } => {
                let Some(sent) = Sent::of(self) else { return };
                let (mut chosen, mut k) = (Chosen::default(), 0);
                for s in 0..ends.sources {
                    sent.targets(ends, s, &mut chosen, |x| {
                        if x == t {
                            f(s, k);
                            k += 1;
                        }
                    });
                }
            }
            Connector::List { pre, post } => {
                let (Some(a), Some(b)) = (arrays.get(*pre as usize), arrays.get(*post as usize))
                else {
                    return;
                };
                let mut mine: Vec<(u32, usize)> = (0..a.count())
                    .filter(|&k| b.get(k) == t as f64)
                    .map(|k| (a.get(k) as u32, k))
                    .collect();
                mine.sort_unstable();
                mine.into_iter().for_each(|(s, k)| f(s, k));
            }
            Connector::Conv2d(c) => c.of_target(t, f),
            Connector::Pool2d(c) => c.of_target(t, f),
        }
    }
}
