//! Connectors: who connects to whom, answered one target at a time, so that any slice stands on its own.

use super::window::{Conv2d, Pool2d};
use super::{Array, ArrayId};
use crate::rng::{self, Draws};
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

/// What a connector needs to know of its projection to answer for one target.
pub(super) struct Context<'a> {
    pub arrays: &'a [Array],
    pub seed: u64,
    pub key: u64,
    pub sources: u32,
    pub targets: u32,
    /// Is source unit `s` the same unit as target `t`?
    pub same: &'a dyn Fn(u32, u32) -> bool,
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

    /// Synapses of target `t` in ascending order of source: `f(source, index of the weight)`. The index counts in the
    /// weight array's row-major order where there is one, else along the target's own synapses.
    pub(super) fn of_target(&self, cx: &Context, t: u32, f: &mut dyn FnMut(u32, usize)) {
        let wiring = || Draws::new(cx.seed, rng::WIRING, cx.key, t);
        let row = t as usize * cx.sources as usize;
        match self {
            Connector::AllToAll { self_connections } => {
                for s in 0..cx.sources {
                    if *self_connections || !(cx.same)(s, t) {
                        f(s, row + s as usize);
                    }
                }
            }
            Connector::Dense => (0..cx.sources).for_each(|s| f(s, row + s as usize)),
            Connector::OneToOne | Connector::Scale => {
                if t < cx.sources {
                    f(t, t as usize)
                }
            }
            Connector::FixedProbability {
                p,
                self_connections,
            } => {
                bernoulli(*p, cx.sources, &mut wiring(), |s| {
                    if *self_connections || !(cx.same)(s, t) {
                        f(s, row + s as usize)
                    }
                });
            }
            Connector::FixedIndegree {
                n,
                self_connections,
                multapses,
            } => {
                let drop = |s: u32| !*self_connections && (cx.same)(s, t);
                let chosen = choose(*n, cx.sources, *multapses, drop, &mut wiring());
                chosen.into_iter().enumerate().for_each(|(k, s)| f(s, k));
            }
            Connector::FixedOutdegree {
                n,
                self_connections,
                multapses,
            } => {
                let mut k = 0;
                for s in 0..cx.sources {
                    let drop = |x: u32| !*self_connections && (cx.same)(s, x);
                    let mut draws = Draws::new(cx.seed, rng::WIRING, cx.key, s);
                    for _ in choose(*n, cx.targets, *multapses, drop, &mut draws)
                        .iter()
                        .filter(|&&x| x == t)
                    {
                        f(s, k);
                        k += 1;
                    }
                }
            }
            Connector::FixedTotal {
                n,
                self_connections,
            } => {
                let mut mine: Vec<u32> = total(cx, *n, *self_connections)
                    .filter(|p| p.1 == t)
                    .map(|p| p.0)
                    .collect();
                mine.sort_unstable();
                mine.into_iter().enumerate().for_each(|(k, s)| f(s, k));
            }
            Connector::List { pre, post } => {
                let (Some(a), Some(b)) =
                    (cx.arrays.get(*pre as usize), cx.arrays.get(*post as usize))
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

/// All pairs (source, target) of a fixed total, in order of drawing.
pub(super) fn total<'a>(
    cx: &'a Context,
    n: u32,
    own: bool,
) -> impl Iterator<Item = (u32, u32)> + 'a {
    // Without a source or a target there is no pair to draw.
    let n = if cx.sources == 0 || cx.targets == 0 {
        0
    } else {
        n
    };
    (0..n).filter_map(move |k| {
        let mut d = Draws::new(cx.seed, rng::WIRING, cx.key, k);
        (0..1000)
            .map(|_| (d.below(cx.sources), d.below(cx.targets)))
            .find(|&(s, t)| own || !(cx.same)(s, t))
    })
}

/// Each of `0..n` with probability `p`, by geometric gaps.
pub(super) fn bernoulli(p: f64, n: u32, d: &mut Draws, mut f: impl FnMut(u32)) {
    if p.is_nan() || p <= 0.0 {
        return;
    }
    if p >= 1.0 {
        return (0..n).for_each(f);
    }
    let scale = 1.0 / (-p).ln_1p();
    let mut at = -1.0f64;
    loop {
        at += 1.0 + ((1.0 - d.unit()).ln() * scale).floor();
        if at >= n as f64 {
            return;
        }
        f(at as u32);
    }
}

/// `n` draws from `0..of`, ascending; without multapses at most all of them.
pub(super) fn choose(
    n: u32,
    of: u32,
    multapses: bool,
    drop: impl Fn(u32) -> bool,
    d: &mut Draws,
) -> Vec<u32> {
    if of == 0 {
        return vec![];
    }
    if multapses {
        let mut v: Vec<u32> = (0..n)
            .filter_map(|_| (0..1000).map(|_| d.below(of)).find(|&s| !drop(s)))
            .collect();
        v.sort_unstable();
        return v;
    }
    // Floyd's sampling without replacement over the candidates that may be used.
    let candidates: Option<Vec<u32>> = (0..of)
        .any(&drop)
        .then(|| (0..of).filter(|&s| !drop(s)).collect());
    let m = candidates.as_ref().map_or(of, |c| c.len() as u32);
    let mut set = std::collections::BTreeSet::new();
    for j in m.saturating_sub(n)..m {
        let r = d.below(j + 1);
        if !set.insert(r) {
            set.insert(j);
        }
    }
    set.into_iter()
        .map(|i| candidates.as_ref().map_or(i, |c| c[i as usize]))
        .collect()
}
