//! Synapses that stay a rule until an engine asks for a slice of targets.
//!
//! A [`Generated`] layout is the rule of one projection with all that its draws are keyed by; so a network of 300 million
//! synapses is a few kilobytes of program. In: a range of targets. Out: their [`Slice`], rows of all sources, the same whatever
//! the other slices are; together they hold the synapses that `Network::expand` gives. Any thread may ask for any slice.
//! Only rules that draw the sources of each target or the targets of each source, or connect all pairs by one weight, are kept
//! so ([`Network::generated`]), with weights and delays that are constant or drawn, and of bounded delays. Where a row follows
//! from its source alone ([`RowRule`]), an engine may draw it again at each event and store nothing. Deliberately absent: the merging of synapses between the same two units.

mod row;
mod slice;

pub use row::RowRule;
pub use slice::{Slice, SliceWeights};

use super::{Layout, MAX_DELAY, Program, Projection, Rows, Run, Weights};
use crate::network::{Connector, Distribution, Drawn, Ends, Init, Network, ProjId, Sent};
use crate::rng::{self, Draws};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How drawn weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// Single precision.
    F32,
    /// 16 bits for a float port: a weight is `round(w / scale) * scale`, where 32767 scales are the largest magnitude that
    /// the distribution reaches (for unbounded ones: 8 standard deviations from the mean).
    Scaled,
    /// Integers: a word is `round(w * 2^fraction)`, in the narrowest form that holds the distribution.
    Integer {
        /// Bits after the point.
        fraction: i32,
    },
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Generated {
    /// The rule: fixed probability, fixed in-degree, fixed total, fixed out-degree or all to all.
    pub connector: Connector,
    /// Weights: constant or drawn.
    pub weight: Init,
    /// Delays in steps: constant, or drawn and rounded to whole steps, at least 1.
    pub delay: Init,
    /// How weights are stored.
    pub store: Store,
    /// Seed of all draws.
    pub seed: u64,
    /// Key of the projection's name.
    pub key: u64,
    /// Number of sources.
    pub sources: u32,
    /// Number of targets.
    pub targets: u32,
    /// Source `t + own` is the same unit as target `t`, when both ends are one group.
    pub own: Option<i64>,
    /// Are rows drawn again at each event of their source, in place of being stored? Only where [`Generated::stored_why`] gives
    /// no reason against it.
    pub procedural: bool,
}

/// Rows of `n` targets each, see [`Generated::plain_row`]. Target `i` of source `s` follows from word `i mod 4` of the Philox block
/// with `counter`, of which word 0 is `i / 4` and word 1 is `s`: the high word of its product with the number of targets, where the
/// source's own target `s - own` is left out (there is one fewer, and those from it on count one higher).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainRow {
    /// Bits of the port's type.
    pub weight: u32,
    /// Steps.
    pub delay: u16,
    /// Synapses of a row, or none where a source has no other target than its own.
    pub n: u32,
    /// Number of targets.
    pub targets: u32,
    /// Set where a unit is not connected to itself.
    pub own: Option<i64>,
    /// Key of Philox.
    pub key: [u32; 2],
    /// Counter of source 0.
    pub counter: [u32; 4],
}

/// Longest drawn delay of a generated layout, in steps.
pub const LONGEST_DRAWN: f64 = 4096.0;

impl Network {
    /// A projection as a rule, where it can be one: a single rule that draws the sources of each target or the targets of each
    /// source, or connects all by one weight; weights and delays that are constant or drawn, no weight of exactly 0, drawn delays
    /// of at most [`LONGEST_DRAWN`] steps.
    pub fn generated(&self, id: ProjId, seed: u64, store: Store) -> Option<Generated> {
        let (pr, (a, b)) = (self.graph.edge_weight(id)?, self.graph.edge_endpoints(id)?);
        let [stage] = &pr.stages[..] else { return None };
        let ends = pr.ends(a == b, seed);
        let made = Generated {
            connector: stage.connector.clone(),
            weight: stage.weight.clone(),
            delay: pr.delay.clone(),
            store,
            seed,
            key: ends.key,
            sources: ends.sources,
            targets: ends.targets,
            own: ends.own,
            procedural: false,
        };
        made.fault().is_none().then_some(made)
    }
}

impl Generated {
    /// Why this cannot be expanded; `None` if it can.
    pub fn fault(&self) -> Option<&'static str> {
        let constant = |v: &Init| matches!(v, Init::Const(_));
        match Sent::of(&self.connector) {
            None if Drawn::of(&self.connector).is_none() => {
                return Some("its rule draws neither sources nor targets");
            }
            Some(Sent::All { .. }) if !(constant(&self.weight) && constant(&self.delay)) => {
                return Some("its weights or delays are drawn for every pair");
            }
            _ => {}
        }
        if self.procedural && self.stored_why().is_some() {
            return Some("its rows do not follow from their sources");
        }
        let reach = self.weight_bounds();
        match &self.weight {
            Init::Const(w) if !w.is_finite() || *w == 0.0 => {
                return Some("its weight is 0 or not finite");
            }
            Init::Array(_) => return Some("its weights are an array"),
            Init::Draw(d) if d.atoms() => return Some("its weights may be exactly 0"),
            Init::Draw(_) if self.store != Store::F32 && reach.is_none() => {
                return Some("nothing bounds its weights");
            }
            _ => {}
        }
        if reach.is_some_and(|(a, b)| !(a.is_finite() && b.is_finite())) {
            return Some("its weights are not finite");
        }
        match &self.delay {
            Init::Const(d) if (0.0..=MAX_DELAY as f64).contains(d) => None,
            Init::Const(_) => Some("its delay is out of range"),
            Init::Array(_) => Some("its delays are an array"),
            Init::Draw(d) => match d.bounds() {
                Some((_, most)) if most <= LONGEST_DRAWN => None,
                _ => Some("nothing bounds its delays"),
            },
        }
    }

    /// Why rows have to be stored; `None` if each follows from its source.
    pub fn stored_why(&self) -> Option<&'static str> {
        match self.connector {
            Connector::FixedIndegree { .. } => Some("a fixed in-degree is drawn for each target"),
            Connector::FixedProbability { .. } => Some("a probability is drawn for each target"),
            Connector::FixedTotal { .. } => Some("a total is shared among the targets"),
            _ if Sent::of(&self.connector).is_none() => Some("no rule gives a source its targets"),
            _ => None,
        }
    }

    /// The one weight and the one delay of all pairs of sources and targets, if that is what this is, as the bits of the port's type
    /// and in steps; and whether a unit is connected to itself.
    pub fn complete(&self) -> Option<(u32, u16, bool)> {
        let Sent::All { own } = Sent::of(&self.connector)? else {
            return None;
        };
        Some((self.uniform()?, self.delays().0, own || self.own.is_none()))
    }

    /// Where every source draws so many targets with repetition and all synapses have one weight and one delay: how each target
    /// follows from a word of its source's sequence.
    pub fn plain_row(&self) -> Option<PlainRow> {
        let Connector::FixedOutdegree {
            n,
            self_connections,
            multapses: true,
        } = self.connector
        else {
            return None;
        };
        let Init::Const(_) = self.delay else {
            return None;
        };
        let (key, counter) = Draws::origin(self.seed, rng::WIRING, self.key, 0);
        Some(PlainRow {
            weight: self.uniform()?,
            delay: self.delays().0,
            n,
            targets: self.targets,
            own: self.own.filter(|_| !self_connections),
            key,
            counter,
        })
    }

    fn ends(&self) -> Ends {
        Ends {
            seed: self.seed,
            key: self.key,
            sources: self.sources,
            targets: self.targets,
            own: self.own,
        }
    }

    /// Number of synapses: exact for a total and an in-degree, else expected.
    pub fn synapses(&self) -> u64 {
        let n = (self.connector).count(self.sources as u64, self.targets as u64, &[]);
        n.round() as u64
    }

    /// Bounds of the delays in steps, without drawing them: no delay lies outside.
    pub fn delays(&self) -> (u16, u16) {
        let whole = |d: f64, least: f64| d.round_ties_even().clamp(least, MAX_DELAY as f64) as u16;
        match &self.delay {
            Init::Const(d) => (whole(*d, 0.0), whole(*d, 0.0)),
            Init::Array(_) => (0, MAX_DELAY),
            Init::Draw(d) => d
                .bounds()
                .map_or((1, MAX_DELAY), |(a, b)| (whole(a, 1.0), whole(b, 1.0))),
        }
    }

    /// Smallest and largest weight; `None` if nothing bounds them.
    pub fn weight_bounds(&self) -> Option<(f64, f64)> {
        match &self.weight {
            Init::Const(w) => Some((*w, *w)),
            Init::Array(_) => None,
            Init::Draw(d) => d.bounds(),
        }
    }

    /// What one unit of a stored weight is worth under [`Store::Scaled`].
    pub fn scale(&self) -> f32 {
        let (a, b) = self.weight_bounds().unwrap_or((0.0, 0.0));
        (a.abs().max(b.abs()) / i16::MAX as f64) as f32
    }

    /// Most synapses that a target can have, or so many that no more are ever met: a total is shared by chance, and a
    /// probability may connect all.
    pub fn most_at_a_target(&self) -> f64 {
        match self.connector {
            Connector::FixedIndegree { n, .. } => n as f64,
            Connector::FixedTotal { n, .. } => {
                let mean = n as f64 / self.targets.max(1) as f64;
                (mean + 12.0 * mean.sqrt() + 12.0).min(n as f64).ceil()
            }
            Connector::FixedOutdegree { n, multapses, .. } => {
                let all = n as f64 * self.sources as f64;
                let mean = all / self.targets.max(1) as f64;
                let most = if multapses { all } else { self.sources as f64 };
                (mean + 12.0 * mean.sqrt() + 12.0).min(most).ceil()
            }
            Connector::FixedProbability { p, .. } => {
                let mean = p * self.sources as f64;
                (mean + 12.0 * mean.sqrt() + 12.0)
                    .min(self.sources as f64)
                    .ceil()
            }
            _ => self.sources as f64,
        }
    }

    /// The probability of each delay, from a sample of draws; for predictions.
    pub fn delay_shares(&self) -> BTreeMap<u16, f64> {
        const SAMPLE: u32 = 4096;
        let mut out = BTreeMap::new();
        let (mut words, draw) = slice::delays_of(self, 0);
        for _ in 0..SAMPLE {
            *out.entry(draw.steps(&mut words)).or_insert(0.0) += 1.0 / SAMPLE as f64;
        }
        out
    }

    /// Bytes of a stored weight; 0 when one serves all.
    pub fn weight_bytes(&self) -> u32 {
        match (&self.weight, self.store) {
            (Init::Const(_), _) => 0,
            (_, Store::F32) => 4,
            (_, Store::Scaled) => 2,
            (_, Store::Integer { fraction }) => match slice::integer_reach(self, fraction) {
                0..=0x7f => 1,
                0x80..=0x7fff => 2,
                _ => 4,
            },
        }
    }

    /// The whole projection as rows, for those who take nothing else.
    pub fn rows(&self) -> Rows {
        let mut slices: Vec<(u32, Slice)> = (0..self.targets)
            .step_by(Slice::MOST_TARGETS as usize)
            .map(|start| {
                let len = (self.targets - start).min(Slice::MOST_TARGETS);
                (start, self.slice(super::Range { start, len }))
            })
            .collect();
        let (mut row, mut runs) = (vec![0u32], Vec::<Run>::new());
        // Written where they stay: synapses are many, and a second copy of them would be the most memory of a build.
        let n = slices.iter().map(|s| s.1.targets.len()).sum::<usize>();
        let mut targets: Arc<[u32]> = std::iter::repeat_n(0, n).collect();
        let to = Arc::get_mut(&mut targets).expect("nobody shares it yet");
        let mut at = 0;
        // Where each weight is; one for all has no order, and a single slice has that of the rows.
        let one = |s: &(u32, Slice)| matches!(s.1.weights, SliceWeights::Uniform(_));
        let mixed = slices.len() > 1 && !slices.iter().all(one);
        let mut order = vec![];
        for s in 0..self.sources as usize {
            // Runs of all slices by delay; those of one delay become one run.
            let mut parts: Vec<(u16, usize, usize)> = vec![];
            for (k, (_, slice)) in slices.iter().enumerate() {
                let of_source = slice.row[s] as usize..slice.row[s + 1] as usize;
                parts.extend(of_source.map(|r| (slice.delay[r], k, r)));
            }
            parts.sort_by_key(|p| p.0);
            for (delay, k, r) in parts {
                let (first, slice) = &slices[k];
                let range = slice.start[r] as usize..slice.start[r + 1] as usize;
                let (start, len) = (at as u32, range.len() as u32);
                let places = &mut to[at..at + range.len()];
                let from = slice.targets[range.clone()].iter();
                (places.iter_mut().zip(from)).for_each(|(to, t)| *to = first + *t as u32);
                at += range.len();
                if mixed {
                    order.extend(range.map(|i| (k as u32, i as u32)));
                }
                let before = row.last().map_or(0, |r| *r as usize);
                match runs[before..].last_mut() {
                    Some(Run {
                        delay: d, len: n, ..
                    }) if *d == delay => *n += len,
                    _ => runs.push(Run { delay, start, len }),
                }
            }
            row.push(runs.len() as u32);
        }
        let weights = match slices.len() {
            1 => slices.remove(0).1.weights.into(),
            _ => joined(&slices, &order),
        };
        Rows {
            row: row.into(),
            runs: runs.into(),
            targets,
            weights,
        }
    }
}

impl From<SliceWeights> for Weights {
    fn from(w: SliceWeights) -> Weights {
        match w {
            SliceWeights::Uniform(w) => Weights::Uniform(w),
            SliceWeights::F32(v) => Weights::F32(v.into()),
            SliceWeights::Scaled { values, scale } => {
                Weights::F32(values.iter().map(|&v| v as f32 * scale).collect())
            }
            SliceWeights::I8(v) => Weights::from_i32(v.into_iter().map(i32::from).collect()),
            SliceWeights::I16(v) => Weights::from_i32(v.into_iter().map(i32::from).collect()),
            SliceWeights::I32(v) => Weights::from_i32(v),
        }
    }
}

/// Weights of slices in the order of (slice, synapse).
fn joined(slices: &[(u32, Slice)], order: &[(u32, u32)]) -> Weights {
    let bits = |&(k, i): &(u32, u32)| slices[k as usize].1.weights.bits(i as usize);
    match slices.first().map(|s| &s.1.weights) {
        None => Weights::Uniform(0),
        Some(SliceWeights::Uniform(w)) => Weights::Uniform(*w),
        Some(SliceWeights::F32(_) | SliceWeights::Scaled { .. }) => {
            Weights::F32(order.iter().map(|o| f32::from_bits(bits(o))).collect())
        }
        Some(_) => Weights::from_i32(order.iter().map(|o| bits(o) as i32).collect()),
    }
}

impl Program {
    /// The same program with rows in place of rules, for engines that take no rules.
    pub fn expanded(&self) -> Program {
        self.expanded_but(|_| false)
    }

    /// The same program with rows in place of rules, but for those projections that stay as they are.
    pub fn expanded_but(&self, stays: impl Fn(&Projection) -> bool) -> Program {
        let mut out = self.clone();
        for pr in &mut out.projections {
            if stays(pr) {
                continue;
            }
            if let Layout::Generated(g) = &pr.layout {
                pr.layout = Layout::Rows(g.rows());
            }
        }
        out
    }

    /// Could rows that are stored be drawn at each event of their sources?
    pub fn may_be_procedural(&self) -> bool {
        self.projections.iter().any(|p| match &p.layout {
            Layout::Generated(g) => {
                !g.procedural && g.stored_why().is_none() && g.complete().is_none()
            }
            _ => false,
        })
    }

    /// Does any projection stay a rule?
    pub fn is_generated(&self) -> bool {
        let rule = |l: &Layout| matches!(l, Layout::Generated(_));
        self.projections.iter().any(|p| rule(&p.layout))
    }
}

impl Distribution {
    /// Smallest and largest value; for normal ones 8 standard deviations from the mean, beyond which one draw in 10^15 lies.
    /// `None` where no such bound holds.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        let normal = |m: f64, s: f64| (m - 8.0 * s, m + 8.0 * s);
        let within = |(a, b): (f64, f64), lo: f64, hi: f64| (a.clamp(lo, hi), b.clamp(lo, hi));
        match *self {
            Distribution::Uniform(a, b) => Some((a, b)),
            Distribution::UniformInt(a, b) => Some((a as f64, b as f64)),
            Distribution::Normal(m, s) => Some(normal(m, s)),
            Distribution::NormalClipped(m, s, lo, hi)
            | Distribution::NormalClippedToBoundary(m, s, lo, hi)
                if lo <= hi =>
            {
                Some(within(normal(m, s), lo, hi))
            }
            Distribution::Binomial(n, _) => Some((0.0, n as f64)),
            Distribution::Vonmises(..) => Some((-std::f64::consts::TAU, std::f64::consts::TAU)),
            _ => None,
        }
    }

    /// May it give exactly 0 other than once in 2^50 draws?
    fn atoms(&self) -> bool {
        match *self {
            Distribution::UniformInt(..)
            | Distribution::Binomial(..)
            | Distribution::Poisson(_) => true,
            Distribution::NormalClippedToBoundary(_, _, lo, hi) => lo == 0.0 || hi == 0.0,
            Distribution::Normal(_, s) => s == 0.0,
            Distribution::NormalClipped(_, s, ..) => s == 0.0,
            Distribution::Uniform(a, b) => a == b,
            _ => false,
        }
    }
}
