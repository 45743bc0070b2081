//! Pairs that are drawn: who is connected under the rules of chance.
//!
//! In: a rule and its projection's ends. Out: the sources of one target, in the order of drawing, from the target's own
//! sequence of words; so any slice of targets stands on its own. A total over all pairs is first shared among the targets by
//! halving, each half taking a binomial share: the counts are multinomial, as of pairs drawn one by one. Out-degrees are drawn
//! from the sequence of the source.

use super::Connector;
use crate::rng::{self, Draws};

/// What a rule needs to know of its projection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    pub seed: u64,
    /// Key of the projection's name.
    pub key: u64,
    pub sources: u32,
    pub targets: u32,
    /// Source `t + own` is the same unit as target `t`, when both ends are one population.
    pub own: Option<i64>,
}

/// Marks the sequences that share a total among targets.
const SHARES: u64 = 0x7368_6172_6573;

impl Ends {
    /// The source that is the same unit as target `t`.
    pub fn itself(&self, t: u32) -> Option<u32> {
        let s = u32::try_from(t as i64 + self.own?).ok()?;
        (s < self.sources).then_some(s)
    }

    /// The target that is the same unit as source `s`.
    fn myself(&self, s: u32) -> Option<u32> {
        let t = u32::try_from(s as i64 - self.own?).ok()?;
        (t < self.targets).then_some(t)
    }

    /// The sequence of words that wires `item`.
    fn words(&self, item: u32) -> Draws {
        Draws::new(self.seed, rng::WIRING, self.key, item)
    }

    /// Pairs of a source and one of the targets `from..to` that may be connected.
    fn pairs(&self, from: u32, to: u32, self_connections: bool) -> u64 {
        let all = (to - from) as u64 * self.sources as u64;
        let Some(own) = self.own.filter(|_| !self_connections) else {
            return all;
        };
        let low = (from as i64).max(-own);
        let high = (to as i64).min(self.sources as i64 - own);
        all - (high - low).max(0) as u64
    }

    /// Shares `n` pairs among the targets of the range `(from, to)`.
    pub fn share(&self, n: u32, self_connections: bool, (from, to): (u32, u32)) -> Vec<u32> {
        let mut out = vec![0; to.saturating_sub(from) as usize];
        // Parts of the targets that meet the range, with their numbers of pairs.
        let mut parts = vec![(0, self.targets, n)];
        while let Some((a, b, n)) = parts.pop() {
            if n == 0 || a >= to || b <= from || self.pairs(a, b, self_connections) == 0 {
                continue;
            }
            if b - a == 1 {
                out[(a - from) as usize] = n;
                continue;
            }
            // Every part has a middle of its own.
            let middle = a + (b - a) / 2;
            let mut words = Draws::new(self.seed, rng::WIRING, self.key ^ SHARES, middle);
            let left = self.pairs(a, middle, self_connections) as f64;
            let all = self.pairs(a, b, self_connections) as f64;
            let k = words.binomial(n, left / all);
            parts.push((a, middle, k));
            parts.push((middle, b, n - k));
        }
        out
    }
}

/// Which units a draw without repetition has taken; empty between draws.
#[derive(Clone, Debug, Default)]
pub struct Chosen(Vec<u64>);

impl Chosen {
    /// Takes a unit; false if it was taken.
    fn take(&mut self, unit: u32) -> bool {
        let (word, bit) = (unit as usize / 64, 1 << (unit % 64));
        let fresh = self.0[word] & bit == 0;
        self.0[word] |= bit;
        fresh
    }
}

/// A rule that draws the sources of each target.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Drawn {
    /// Each source with a probability.
    Probability { p: f64, own: bool },
    /// So many sources.
    Indegree { n: u32, own: bool, multapses: bool },
    /// So many pairs in all.
    Total { n: u32, own: bool },
}

impl Drawn {
    /// The rule, if it is one of these.
    pub fn of(c: &Connector) -> Option<Drawn> {
        Some(match *c {
            Connector::FixedProbability {
                p,
                self_connections: own,
            } => Drawn::Probability { p, own },
            Connector::FixedIndegree {
                n,
                self_connections: own,
                multapses,
            } => Drawn::Indegree { n, own, multapses },
            Connector::FixedTotal {
                n,
                self_connections: own,
            } => Drawn::Total { n, own },
            _ => return None,
        })
    }

    /// How many sources each target of `(from, to)` draws, where the rule shares a total.
    pub fn degrees(&self, ends: &Ends, range: (u32, u32)) -> Option<Vec<u32>> {
        match *self {
            Drawn::Total { n, own } => Some(ends.share(n, own, range)),
            _ => None,
        }
    }

    /// The sources of target `t` in the order of drawing; `degree` is its share of a total.
    pub fn sources(
        &self,
        ends: &Ends,
        t: u32,
        degree: u32,
        chosen: &mut Chosen,
        mut f: impl FnMut(u32),
    ) {
        let mut words = ends.words(t);
        let left_out = |own: bool| ends.itself(t).filter(|_| !own);
        match *self {
            Drawn::Probability { p, own } => {
                let left_out = left_out(own);
                bernoulli(p, ends.sources, &mut words, |s| {
                    if left_out != Some(s) {
                        f(s)
                    }
                });
            }
            Drawn::Indegree { n, own, multapses } => {
                choose(
                    n,
                    ends.sources,
                    multapses,
                    left_out(own),
                    &mut words,
                    chosen,
                    f,
                );
            }
            Drawn::Total { own, .. } => {
                choose(
                    degree,
                    ends.sources,
                    true,
                    left_out(own),
                    &mut words,
                    chosen,
                    f,
                );
            }
        }
    }
}

/// A rule that gives each source its targets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sent {
    /// So many, drawn.
    Outdegree { n: u32, own: bool, multapses: bool },
    /// All.
    All { own: bool },
}

impl Sent {
    /// The rule, if it is one of these.
    pub fn of(c: &Connector) -> Option<Sent> {
        Some(match *c {
            Connector::FixedOutdegree {
                n,
                self_connections: own,
                multapses,
            } => Sent::Outdegree { n, own, multapses },
            Connector::AllToAll {
                self_connections: own,
            } => Sent::All { own },
            _ => return None,
        })
    }

    /// The targets of source `s`, in the order of drawing.
    pub fn targets(&self, ends: &Ends, s: u32, chosen: &mut Chosen, mut f: impl FnMut(u32)) {
        let left_out = |own: bool| ends.myself(s).filter(|_| !own);
        match *self {
            Sent::Outdegree { n, own, multapses } => {
                let mut words = ends.words(s);
                let of = ends.targets;
                choose(n, of, multapses, left_out(own), &mut words, chosen, f);
            }
            Sent::All { own } => {
                let own = left_out(own).unwrap_or(ends.targets);
                (0..own).for_each(&mut f);
                (own.saturating_add(1)..ends.targets).for_each(f);
            }
        }
    }
}

/// Each of `0..n` with probability `p`, by geometric gaps.
fn bernoulli(p: f64, n: u32, d: &mut Draws, mut f: impl FnMut(u32)) {
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

/// `n` draws from `0..of` without `left_out`; without multapses at most all of them.
fn choose(
    n: u32,
    of: u32,
    multapses: bool,
    left_out: Option<u32>,
    d: &mut Draws,
    chosen: &mut Chosen,
    mut f: impl FnMut(u32),
) {
    let rest = of - left_out.is_some() as u32;
    if rest == 0 {
        return;
    }
    // Units from the one that is left out on count one higher.
    let skip = left_out.unwrap_or(u32::MAX);
    let unit = |i: u32| i + (i >= skip) as u32;
    if multapses {
        return (0..n).for_each(|_| f(unit(d.below(rest))));
    }
    // Floyd's sampling without replacement (Bentley & Floyd, Commun. ACM 30 (1987) 754).
    let words = rest.div_ceil(64) as usize;
    if chosen.0.len() < words {
        chosen.0.resize(words, 0);
    }
    for last in rest.saturating_sub(n)..rest {
        let i = d.below(last + 1);
        let i = if chosen.take(i) {
            i
        } else {
            chosen.take(last);
            last
        };
        f(unit(i));
    }
    chosen.0[..words].fill(0);
}
