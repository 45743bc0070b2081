//! From rules to synapses: any slice of targets on its own, and whole projections as rows by source and delay.

use super::wiring::{Chosen, Drawn, Ends, Sent};
use super::{Array, Connector, Init, Network, ProjId, Projection, Stage};
use crate::program::{Range, Rows, Run, Weights};
use crate::rng::{self, Draws, name_key};
use std::collections::BTreeMap;

/// One synapse; indices count from the starts of the projection's ranges.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Synapse {
    /// Source.
    pub source: u32,
    /// Target.
    pub target: u32,
    /// SI, in the dimension of the port.
    pub weight: f64,
    /// Steps.
    pub delay: u16,
}

impl Network {
    /// The synapses of a projection onto `targets` (relative to its target range), ascending in target, then source.
    /// A pure function of (seed, name of the projection, targets): slices agree with the whole.
    pub fn expand(&self, id: ProjId, seed: u64, targets: Range) -> Vec<Synapse> {
        let mut out = vec![];
        self.visit(id, seed, targets, |s| out.push(s));
        out
    }

    /// As [`Self::expand`], without storing.
    pub fn visit(&self, id: ProjId, seed: u64, targets: Range, mut f: impl FnMut(Synapse)) {
        let (Some(pr), Some((a, b))) = (self.graph.edge_weight(id), self.graph.edge_endpoints(id))
        else {
            return;
        };
        let mut ends = pr.ends(a == b, seed);
        let end = targets.end_within(pr.target_range.len);
        let mut made: Vec<Synapse> = vec![];
        let learns = pr.plasticity.is_some();
        let whole = match &pr.stages[..] {
            [stage] => match self.sent(pr, stage, &ends, (targets.start, end)) {
                Some(sent) => Source::Sent(sent),
                None => Source::of(&stage.connector, &self.arrays, &ends, (targets.start, end)),
            },
            _ => Source::Rule,
        };
        let mut chosen = Chosen::default();
        for t in targets.start..end {
            let mut weights = Draws::new(seed, rng::WEIGHTS, ends.key, t);
            let mut delays = Draws::new(seed, rng::WEIGHTS, ends.key ^ DELAYS, t);
            made.clear();
            let mut give = |source: u32, weight: f64, k: usize| {
                if weight != 0.0 || learns {
                    made.push(Synapse {
                        source,
                        target: t,
                        weight,
                        delay: self.delay(&pr.delay, k, &mut delays),
                    })
                }
            };
            if let [stage] = &pr.stages[..] {
                let factor = factor(stage);
                let mut one = |s: u32, k: usize| {
                    give(s, factor * self.element(&stage.weight, k, &mut weights), k)
                };
                match &whole {
                    Source::Sent(map) => {
                        let mine = map.get(&t).map_or(&[][..], |v| v);
                        made.extend(mine.iter().filter(|s| s.weight != 0.0 || learns));
                    }
                    Source::Scattered(map) => {
                        let mine = map.get(&t).map_or(&[][..], |v| v);
                        mine.iter().for_each(|&(s, k)| one(s, k));
                    }
                    Source::Drawn(drawn, degrees) => {
                        let degree = degrees.get((t - targets.start) as usize);
                        let mut k = 0;
                        drawn.sources(&ends, t, degree.copied().unwrap_or(0), &mut chosen, |s| {
                            one(s, k);
                            k += 1;
                        });
                    }
                    Source::Rule => stage.connector.of_target(&self.arrays, &ends, t, &mut one),
                }
            } else {
                for (k, (s, w)) in self
                    .chain(pr, &mut ends, t, &mut weights)
                    .into_iter()
                    .enumerate()
                {
                    give(s, w, k);
                }
            }
            made.sort_by_key(|s| s.source);
            made.iter().for_each(|s| f(*s));
        }
    }

    /// The synapses onto the targets of a range, where a rule draws the targets of each source: its weights and delays then come
    /// from the source's sequences, in the order of its targets. `None` for other rules, and where an array has the values.
    fn sent(
        &self,
        pr: &Projection,
        stage: &Stage,
        ends: &Ends,
        (from, to): (u32, u32),
    ) -> Option<BTreeMap<u32, Vec<Synapse>>> {
        let sent = match stage.connector {
            Connector::FixedOutdegree { .. } => Sent::of(&stage.connector)?,
            _ => return None,
        };
        let listed = |v: &Init| matches!(v, Init::Array(_));
        if listed(&stage.weight) || listed(&pr.delay) {
            return None;
        }
        let (mut map, mut chosen) = (BTreeMap::<u32, Vec<Synapse>>::new(), Chosen::default());
        for source in 0..ends.sources {
            let mut weights = Draws::new(ends.seed, rng::WEIGHTS, ends.key, source);
            let mut delays = Draws::new(ends.seed, rng::WEIGHTS, ends.key ^ DELAYS, source);
            sent.targets(ends, source, &mut chosen, |target| {
                let synapse = Synapse {
                    source,
                    target,
                    weight: self.element(&stage.weight, 0, &mut weights),
                    delay: self.delay(&pr.delay, 0, &mut delays),
                };
                if (from..to).contains(&target) {
                    map.entry(target).or_default().push(synapse);
                }
            });
        }
        Some(map)
    }

    /// Composed weights of a chain of linear rules onto target `t`, walked from the last rule back to the first.
    fn chain(
        &self,
        pr: &Projection,
        ends: &mut Ends,
        t: u32,
        weights: &mut Draws,
    ) -> BTreeMap<u32, f64> {
        let mut now = BTreeMap::from([(t, 1.0)]);
        let widths = widths(pr);
        for (i, stage) in pr.stages.iter().enumerate().rev() {
            (ends.sources, ends.targets) = (widths[i], widths[i + 1]);
            let factor = factor(stage);
            let mut before = BTreeMap::new();
            for (m, w) in now {
                (stage.connector).of_target(&self.arrays, ends, m, &mut |s, k| {
                    *before.entry(s).or_insert(0.0) +=
                        w * factor * self.element(&stage.weight, k, weights);
                });
            }
            now = before;
        }
        (ends.sources, ends.targets) = (pr.source_range.len, pr.target_range.len);
        now
    }

    /// Element `k` of a value.
    pub fn element(&self, v: &Init, k: usize, draws: &mut Draws) -> f64 {
        match v {
            Init::Const(c) => *c,
            Init::Array(a) => {
                let a = &self.arrays[*a as usize];
                if a.count() == 1 { a.get(0) } else { a.get(k) }
            }
            Init::Draw(d) => d.draw(draws),
        }
    }

    /// A value for each of `n` units; draws are keyed by (seed, `key`, unit).
    pub fn elements(&self, v: &Init, n: u32, seed: u64, key: &str) -> Vec<f64> {
        let key = name_key(key);
        (0..n)
            .map(|i| self.element(v, i as usize, &mut Draws::new(seed, rng::INITIAL, key, i)))
            .collect()
    }

    fn delay(&self, v: &Init, k: usize, draws: &mut Draws) -> u16 {
        let steps = self.element(v, k, draws).round_ties_even();
        let least = if matches!(v, Init::Draw(_)) { 1.0 } else { 0.0 };
        steps.max(least).min(crate::program::MAX_DELAY as f64) as u16
    }

    /// Expected number of synapses of a projection.
    pub fn synapses_of(&self, id: ProjId) -> f64 {
        let Some(pr) = self.graph.edge_weight(id) else {
            return 0.0;
        };
        let w = widths(pr);
        let counts = pr.stages.iter().enumerate().map(|(i, s)| {
            s.connector
                .count(w[i] as u64, w[i + 1] as u64, &self.arrays)
        });
        let all = pr.source_range.len as f64 * pr.target_range.len as f64;
        if pr.stages.len() == 1 {
            counts.sum()
        } else {
            // Fan-in multiplies along a chain and ends at all-to-all.
            counts
                .enumerate()
                .map(|(i, c)| c / (w[i + 1] as f64).max(1.0))
                .product::<f64>()
                .min(all / pr.target_range.len.max(1) as f64)
                * pr.target_range.len as f64
        }
    }
}

impl Projection {
    /// Its ends, for rules; `own` if they are one population.
    pub(crate) fn ends(&self, own: bool, seed: u64) -> Ends {
        let (from, to) = (self.source_range, self.target_range);
        Ends {
            seed,
            key: name_key(&self.name),
            sources: from.len,
            targets: to.len,
            own: own.then(|| to.start as i64 - from.start as i64),
        }
    }
}

impl Range {
    /// The end of this range, at most `len`.
    fn end_within(self, len: u32) -> u32 {
        self.start.saturating_add(self.len).min(len)
    }
}

/// Marks the sequence of delay draws of a projection.
pub(crate) const DELAYS: u64 = 0x6465_6c61_7973;

fn factor(stage: &Stage) -> f64 {
    match &stage.connector {
        Connector::Pool2d(p) => p.tap(),
        _ => 1.0,
    }
}

/// Number of elements before each stage and after the last.
pub(super) fn widths(pr: &Projection) -> Vec<u32> {
    let mut w = vec![pr.source_range.len];
    for (i, s) in pr.stages.iter().enumerate() {
        let last = i + 1 == pr.stages.len();
        w.push(match &s.connector {
            _ if last => pr.target_range.len,
            Connector::Conv2d(c) => size(c.output()),
            Connector::Pool2d(c) => size(c.output()),
            // A dense rule inside a chain is as wide as what follows it expects.
            Connector::Dense | Connector::AllToAll { .. } => pr.stages[i + 1..]
                .iter()
                .find_map(|n| match &n.connector {
                    Connector::Conv2d(c) => Some(size(c.input)),
                    Connector::Pool2d(c) => Some(size(c.input)),
                    _ => None,
                })
                .unwrap_or(pr.target_range.len),
            _ => w[i],
        });
    }
    w
}

fn size(shape: [u32; 3]) -> u32 {
    let all = shape.iter().map(|&d| d as u64).fold(1, u64::saturating_mul);
    all.min(u32::MAX as u64) as u32
}

/// Sources of a target with the index of the weight.
type ByTarget = BTreeMap<u32, Vec<(u32, usize)>>;

/// Where the synapses of the targets of a range come from.
enum Source {
    /// Drawn for each source.
    Sent(BTreeMap<u32, Vec<Synapse>>),
    /// The rule answers for each target.
    Rule,
    /// Drawn, with the targets' shares of a total.
    Drawn(Drawn, Vec<u32>),
    /// Found once for all targets: rules that are drawn by source, and lists.
    Scattered(ByTarget),
}

impl Source {
    fn of(c: &Connector, arrays: &[Array], ends: &Ends, range: (u32, u32)) -> Self {
        let mut map = ByTarget::new();
        match c {
            Connector::FixedOutdegree { .. } => {
                let (sent, mut chosen) = (Sent::of(c), Chosen::default());
                for s in 0..ends.sources {
                    let Some(sent) = &sent else { break };
                    sent.targets(ends, s, &mut chosen, |t| {
                        let list = map.entry(t).or_default();
                        list.push((s, list.len()));
                    });
                }
            }
            Connector::List { pre, post } => {
                if let (Some(a), Some(b)) = (arrays.get(*pre as usize), arrays.get(*post as usize))
                {
                    (0..a.count()).for_each(|k| {
                        map.entry(b.get(k) as u32)
                            .or_default()
                            .push((a.get(k) as u32, k))
                    });
                }
                map.values_mut().for_each(|list| list.sort_unstable());
            }
            _ => {
                let drawn = Drawn::of(c).filter(|_| range.0 < range.1);
                return drawn.map_or(Source::Rule, |d| {
                    Source::Drawn(d, d.degrees(ends, range).unwrap_or_default())
                });
            }
        }
        Source::Scattered(map)
    }
}

/// A whole projection as rows. `convert` turns an SI weight into the bits-carrying form of the port (an `f32` or an integer, as
/// f64); `merge` adds up synapses with equal source, target and delay (which a port with a handler forbids), unless all weights
/// are equal, which one weight then holds.
pub fn materialise(
    net: &Network,
    id: ProjId,
    seed: u64,
    integer: bool,
    merge: bool,
    convert: impl Fn(f64) -> f64,
) -> Rows {
    let Some(pr) = net.graph.edge_weight(id) else {
        return Rows {
            row: vec![0].into(),
            runs: [].into(),
            targets: [].into(),
            weights: Weights::Uniform(0),
        };
    };
    let mut all = net.expand(
        id,
        seed,
        Range {
            start: 0,
            len: pr.target_range.len,
        },
    );
    all.sort_by_key(|s| (s.source, s.delay, s.target));
    // Equal weights take no memory each, merged ones would.
    let uniform = all.windows(2).all(|s| s[0].weight == s[1].weight);
    if merge && !uniform {
        all.dedup_by(|later, first| {
            let equal = (later.source, later.delay, later.target)
                == (first.source, first.delay, first.target);
            if equal {
                first.weight += later.weight;
            }
            equal
        });
    }
    let mut row = Vec::with_capacity(pr.source_range.len as usize + 1);
    let mut runs: Vec<Run> = vec![];
    let mut at = 0;
    for s in 0..pr.source_range.len {
        row.push(runs.len() as u32);
        while at < all.len() && all[at].source == s {
            let delay = all[at].delay;
            let len = all[at..]
                .iter()
                .take_while(|x| (x.source, x.delay) == (s, delay))
                .count();
            runs.push(Run {
                delay,
                start: at as u32,
                len: len as u32,
            });
            at += len;
        }
    }
    row.push(runs.len() as u32);
    let weights = if integer {
        Weights::from_i32(all.iter().map(|s| convert(s.weight) as i32).collect())
    } else {
        Weights::from_f32(all.iter().map(|s| convert(s.weight) as f32).collect())
    };
    Rows {
        row: row.into(),
        runs: runs.into(),
        targets: all.iter().map(|s| s.target).collect(),
        weights,
    }
}
