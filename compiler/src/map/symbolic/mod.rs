//! Networks that stay rules: populations of a shape, projections that are products of relations along axes ([`axis`]). Nothing here has memory per
//! neuron or synapse, except [`Network::expand`].
//!
//! Every population is cut into boxes of neurons ([`tiles`] searches the extents); a part is one box. A [`plan`] numbers them and streams the traffic between them
//! to the searches and scores that take [`Flows`](crate::map::flow::Flows); [`score`] counts what a partition costs. All counts are exact: they equal those of the expanded network under
//! the same partition. Where pairs are drawn ([`draw`]), counts are expectations over the draws, and [`expect`] takes those of a placement.

pub mod axis;
pub mod build;
pub mod draw;
pub mod expect;
pub mod plan;
pub mod score;
pub mod source;
pub mod tiles;

use super::net::{Lists, Net};
use axis::Axis;
use draw::Draw;

/// Extents of a population: channels, rows, columns. A population without such a shape is a row of channels.
pub type Shape = [u32; 3];

/// Neurons of a shape.
pub fn volume(s: Shape) -> u64 {
    s.iter().map(|&x| x as u64).product()
}

/// A box of neurons.
pub type Box3 = [std::ops::Range<u32>; 3];

/// Neurons of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Name, for messages.
    pub name: String,
    /// Channels, rows, columns.
    pub shape: Shape,
    /// Spikes of each neuron a step.
    pub rate: f64,
}

/// A rule between two populations.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// Index of the sources' population.
    pub pre: u32,
    /// Index of the targets' population.
    pub post: u32,
    /// A pair is connected where it is along each axis.
    pub rule: [Axis; 3],
    /// Where pairs are drawn: how. The rule then meets all.
    pub drawn: Option<Draw>,
}

impl Projection {
    /// Synapses between two boxes; their expectation, to the nearest whole number, where they are drawn.
    pub fn synapses(&self, from: &Box3, to: &Box3) -> u64 {
        if let Some(d) = &self.drawn {
            let both: Box3 = std::array::from_fn(|a| {
                let start = from[a].start.max(to[a].start);
                start..from[a].end.min(to[a].end).max(start)
            });
            let [n, m, own] = [from, to, &both].map(extent);
            return d.synapses(n, m, own).round() as u64;
        }
        (0..3)
            .map(|a| self.rule[a].synapses(&from[a], &to[a]))
            .product()
    }

    /// Does every source meet every target?
    pub fn dense(&self) -> bool {
        let all = |a: &Axis| matches!(a, Axis::All { .. }) || (a.from() == 1 && a.to() == 1);
        self.drawn.is_none() && self.rule.iter().all(all)
    }
}

/// Neurons of a box.
pub fn extent(b: &Box3) -> u64 {
    b.iter().map(|r| r.len() as u64).product()
}

/// See the module. Between two populations there is at most one projection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Network {
    /// Populations; ids of neurons follow this order, and within a population channel, row, column.
    pub populations: Vec<Population>,
    /// Projections.
    pub projections: Vec<Projection>,
}

/// All of a population.
pub fn whole(s: Shape) -> Box3 {
    s.map(|n| 0..n)
}

impl Network {
    /// Neurons.
    pub fn neurons(&self) -> u64 {
        self.populations.iter().map(|p| volume(p.shape)).sum()
    }

    /// Synapses.
    pub fn synapses(&self) -> u64 {
        let of = |p: &Projection| {
            let shape = |i: u32| whole(self.populations[i as usize].shape);
            p.synapses(&shape(p.pre), &shape(p.post))
        };
        self.projections.iter().map(of).fold(0, u64::saturating_add)
    }

    /// Id of the first neuron of each population, and the number of neurons.
    pub fn bases(&self) -> Vec<u64> {
        let mut sum = 0;
        let mut out = vec![0];
        for p in &self.populations {
            sum += volume(p.shape);
            out.push(sum);
        }
        out
    }

    /// Are pairs of some projection drawn?
    pub fn drawn(&self) -> bool {
        self.projections.iter().any(|p| p.drawn.is_some())
    }

    /// The network, neuron by neuron. Memory: 8 bytes a synapse. `None`: more neurons than ids, or pairs that are drawn.
    pub fn expand(&self) -> Option<Net> {
        if self.neurons() >= u32::MAX as u64 || self.drawn() {
            return None;
        }
        let base = self.bases();
        let mut into = Lists {
            start: Vec::with_capacity(self.neurons() as usize + 1),
            to: Vec::with_capacity(self.synapses() as usize),
        };
        into.start.push(0);
        for (i, p) in self.populations.iter().enumerate() {
            let mut inbound: Vec<&Projection> = self
                .projections
                .iter()
                .filter(|j| j.post as usize == i)
                .collect();
            inbound.sort_by_key(|j| j.pre);
            for c in 0..p.shape[0] {
                for y in 0..p.shape[1] {
                    for x in 0..p.shape[2] {
                        for j in &inbound {
                            let s = self.populations[j.pre as usize].shape;
                            let first = base[j.pre as usize] as u32;
                            let columns = j.rule[2].sources(x);
                            for k in j.rule[0].sources(c) {
                                for row in j.rule[1].sources(y) {
                                    let at = first + (k * s[1] + row) * s[2];
                                    into.to.extend(at + columns.start..at + columns.end);
                                }
                            }
                        }
                        into.start.push(into.to.len() as u64);
                    }
                }
            }
        }
        let uniform = self.populations.iter().all(|p| p.rate == 1.0);
        let rate = if uniform {
            vec![]
        } else {
            let of = |p: &Population| std::iter::repeat_n(p.rate, volume(p.shape) as usize);
            self.populations.iter().flat_map(of).collect()
        };
        Some(Net {
            out: into.turned(into.len()),
            into,
            rate,
            ..Net::default()
        })
    }
}
