//! A network cut into boxes, as the placement searches and scores see it: parts numbered population by population, and within one by piece of channels, rows,
//! columns; traffic streamed from the rules, class by class.
//!
//! Sources of a part fall into classes that reach the same parts. Since rules are products, so are classes: along each axis, runs of positions that touch the same pieces
//! of every projection's targets. Memory is that of one population's classes along its axes.

use super::axis::Axis;
use super::draw::Draw;
use super::tiles::{Pieces, count, holder, piece};
use super::{Box3, Network, Projection, volume};
use crate::map::flow::{Block, Flows};
use crate::map::layout::chain::Shape;
use std::ops::Range;

/// A network and how it is cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The network.
    pub net: Network,
    /// Pieces of each population.
    pub pieces: Vec<Pieces>,
    /// First part of each population, and the number of parts.
    pub first: Vec<u32>,
}

/// Along an axis, runs of positions of one piece that touch the same pieces of all targets.
#[derive(Clone, Debug, Default, PartialEq)]
struct Runs {
    /// First run of each piece, and the number of runs.
    start: Vec<usize>,
    length: Vec<u32>,
    /// For each run, for each projection of the population in order.
    touched: Vec<Range<u32>>,
}

/// Sources of one part that reach the same parts.
pub struct Class<'a> {
    /// The part.
    pub part: u32,
    /// Number of sources.
    pub sources: u64,
    /// For each projection of the population: its index, and the pieces reached along each axis (none where one is empty).
    pub reached: &'a [(u32, Box3)],
}

impl Plan {
    /// Numbers the parts. `None`: more than there are numbers.
    pub fn new(net: Network, pieces: Vec<Pieces>) -> Option<Plan> {
        let mut first = vec![0u32];
        let mut sum = 0u64;
        for &p in &pieces {
            sum += count(p);
            first.push(u32::try_from(sum).ok().filter(|&n| n < u32::MAX)?);
        }
        Some(Plan { net, pieces, first })
    }

    /// Number of parts.
    pub fn parts(&self) -> u32 {
        self.first.last().copied().unwrap_or(0)
    }

    /// The box of the part at `at` pieces of population `p`.
    pub fn slice(&self, p: u32, at: [u32; 3]) -> Box3 {
        let (shape, n) = (
            self.net.populations[p as usize].shape,
            self.pieces[p as usize],
        );
        std::array::from_fn(|a| piece(shape[a], n[a], at[a]))
    }

    /// Number of the part at `at` pieces of population `p`.
    #[inline]
    pub fn part(&self, p: u32, at: [u32; 3]) -> u32 {
        let n = self.pieces[p as usize];
        self.first[p as usize] + (at[0] * n[1] + at[1]) * n[2] + at[2]
    }

    /// Pieces' indices of a part of population `p`.
    pub fn place(&self, p: u32, part: u32) -> [u32; 3] {
        let n = self.pieces[p as usize];
        let i = part - self.first[p as usize];
        [i / (n[1] * n[2]), i / n[2] % n[1], i % n[2]]
    }

    /// Calls `f(part, pieces' indices)` for the parts of a population in order.
    pub fn each_part(&self, p: u32, f: &mut impl FnMut(u32, [u32; 3])) {
        let n = self.pieces[p as usize];
        for a in 0..n[0] {
            for b in 0..n[1] {
                for c in 0..n[2] {
                    f(self.part(p, [a, b, c]), [a, b, c]);
                }
            }
        }
    }

    /// Part of neuron `unit` of population `p`.
    pub fn part_of(&self, p: u32, unit: u32) -> u32 {
        let (s, n) = (
            self.net.populations[p as usize].shape,
            self.pieces[p as usize],
        );
        let at = [unit / (s[1] * s[2]), unit / s[2] % s[1], unit % s[2]];
        self.part(p, std::array::from_fn(|a| holder(s[a], n[a], at[a])))
    }

    /// Part of each neuron. Memory: 4 bytes a neuron. `None`: more neurons than ids.
    pub fn parts_of_neurons(&self) -> Option<Vec<u32>> {
        let n = self.net.neurons();
        if n >= u32::MAX as u64 {
            return None;
        }
        let mut out = Vec::with_capacity(n as usize);
        for (p, pop) in self.net.populations.iter().enumerate() {
            let n = self.pieces[p];
            for c in 0..pop.shape[0] {
                let a = holder(pop.shape[0], n[0], c);
                for y in 0..pop.shape[1] {
                    let b = holder(pop.shape[1], n[1], y);
                    for x in 0..pop.shape[2] {
                        out.push(self.part(p as u32, [a, b, holder(pop.shape[2], n[2], x)]));
                    }
                }
            }
        }
        Some(out)
    }

    /// The shape for placement where populations are layers of a chain that meet all-to-all, or by windows along one axis; populations behind it exchange
    /// nothing.
    pub fn chain(&self) -> Option<Shape> {
        let last = self.net.projections.len();
        let straight = |(i, j): (usize, &Projection)| {
            let linear = j.rule.iter().filter(|a| a.to() > 1 || a.from() > 1);
            let windows = linear.filter(|a| !matches!(a, Axis::All { .. })).count();
            let row = self.pieces[i].iter().filter(|&&n| n > 1).count() <= 1;
            (j.pre as usize, j.post as usize) == (i, i + 1) && (j.dense() || (windows == 1 && row))
        };
        let projections = &self.net.projections;
        if last == 0 || !projections.iter().enumerate().all(straight) {
            return None;
        }
        let dense = projections.iter().all(Projection::dense);
        if !dense && projections.iter().any(Projection::dense) {
            return None;
        }
        let sizes = self.pieces[..=last].iter().map(|&p| count(p) as u32);
        Some(Shape {
            sizes: sizes.collect(),
            dense,
        })
    }

    /// Projections of a population that are no draws.
    fn outbound(&self, p: u32) -> Vec<u32> {
        let all = self.net.projections.iter().enumerate();
        all.filter(|j| j.1.pre == p && j.1.drawn.is_none())
            .map(|j| j.0 as u32)
            .collect()
    }

    /// Projections of a population whose pairs are drawn.
    pub fn draws(&self, p: u32) -> impl Iterator<Item = (&Projection, &Draw)> {
        let all = self.net.projections.iter().filter(move |j| j.pre == p);
        all.filter_map(|j| Some((j, j.drawn.as_ref()?)))
    }

    /// Runs of every piece along one axis.
    fn runs(&self, p: u32, out: &[u32], axis: usize) -> Runs {
        let extent = self.net.populations[p as usize].shape[axis];
        let n = self.pieces[p as usize][axis];
        let rule = |j: u32| &self.net.projections[j as usize].rule[axis];
        let touched = |s: u32| {
            out.iter().map(move |&j| {
                let t = rule(j).targets(s);
                if t.is_empty() {
                    return 0..0;
                }
                let post = self.net.projections[j as usize].post;
                let of = |q| holder(rule(j).to(), self.pieces[post as usize][axis], q);
                of(t.start)..of(t.end - 1) + 1
            })
        };
        // One run a piece where all meets all.
        let even = out.iter().all(|&j| matches!(rule(j), Axis::All { .. }));
        let all: Vec<Range<u32>> = touched(0).collect();
        let mut runs = Runs {
            start: vec![0],
            ..Runs::default()
        };
        let mut here: Vec<Range<u32>> = vec![];
        for i in 0..n {
            let range = piece(extent, n, i);
            if even {
                runs.length.push(range.len() as u32);
                runs.touched.extend_from_slice(&all);
            } else {
                let first = runs.length.len();
                for s in range {
                    here.clear();
                    here.extend(touched(s));
                    let last = runs.touched.len().saturating_sub(out.len());
                    if runs.length.len() > first && runs.touched[last..] == here {
                        runs.length.last_mut().into_iter().for_each(|l| *l += 1);
                    } else {
                        runs.length.push(1);
                        runs.touched.append(&mut here);
                    }
                }
            }
            runs.start.push(runs.length.len());
        }
        runs
    }

    /// Calls `f` for every class of the sources of population `p`, parts ascending, as far as its pairs are not drawn.
    pub fn each_class(&self, p: u32, f: &mut impl FnMut(&Class)) {
        let out = self.outbound(p);
        if out.is_empty() {
            return;
        }
        let runs: [Runs; 3] = std::array::from_fn(|a| self.runs(p, &out, a));
        let of = |a: usize, i: u32| runs[a].start[i as usize]..runs[a].start[i as usize + 1];
        let mut reached: Vec<(u32, Box3)> = vec![];
        self.each_part(p, &mut |part, at| {
            for a in of(0, at[0]) {
                for b in of(1, at[1]) {
                    for c in of(2, at[2]) {
                        reached.clear();
                        for (k, &j) in out.iter().enumerate() {
                            let run = [a, b, c];
                            let to: Box3 = std::array::from_fn(|x| {
                                runs[x].touched[run[x] * out.len() + k].clone()
                            });
                            if to.iter().all(|r| !r.is_empty()) {
                                reached.push((j, to));
                            }
                        }
                        let length =
                            [(0, a), (1, b), (2, c)].map(|(x, r)| runs[x].length[r] as u64);
                        f(&Class {
                            part,
                            sources: length.iter().product(),
                            reached: &reached,
                        });
                    }
                }
            }
        });
    }

    /// Parts that a class reaches, its own left out.
    pub fn destinations(&self, class: &Class, to: &mut Vec<u32>) {
        to.clear();
        for (j, r) in class.reached {
            let post = self.net.projections[*j as usize].post;
            for a in r[0].clone() {
                for b in r[1].clone() {
                    for c in r[2].clone() {
                        let q = self.part(post, [a, b, c]);
                        if q != class.part {
                            to.push(q);
                        }
                    }
                }
            }
        }
    }

    /// What the parts of a population take up: `f(neurons, synapses, inbound axons)` for each, in order (expected numbers where pairs are drawn).
    pub fn each_load(&self, p: u32, f: &mut impl FnMut(u64, u64, u64)) {
        let (shape, n) = (
            self.net.populations[p as usize].shape,
            self.pieces[p as usize],
        );
        let all = self.net.projections.iter().filter(|j| j.post == p);
        let (drawn, inbound): (Vec<&Projection>, Vec<&Projection>) =
            all.partition(|j| j.drawn.is_some());
        // Of every piece along an axis: extent, and then synapses and axons for each projection.
        let line = 1 + 2 * inbound.len();
        let mut axes: [Vec<u64>; 3] = Default::default();
        for (a, numbers) in axes.iter_mut().enumerate() {
            for i in 0..n[a] {
                let to = piece(shape[a], n[a], i);
                numbers.push(to.len() as u64);
                for j in &inbound {
                    let from = 0..j.rule[a].from();
                    numbers.push(j.rule[a].synapses(&from, &to));
                    numbers.push(j.rule[a].reaching(&from, &to) as u64);
                }
            }
        }
        for a in axes[0].chunks_exact(line) {
            for b in axes[1].chunks_exact(line) {
                for c in axes[2].chunks_exact(line) {
                    let of = |i: usize| a[i] * b[i] * c[i];
                    let sum = |first: usize| (first..line).step_by(2).map(of).sum();
                    let (neurons, mut synapses, mut axons) = (of(0), sum(1), sum(2));
                    for d in drawn
                        .iter()
                        .filter_map(|j| j.drawn.as_ref().map(|d| (j, d)))
                    {
                        let (s, a) = super::draw::load(d.1, neurons, d.0.pre == d.0.post);
                        synapses += s.round() as u64;
                        axons += a.round() as u64;
                    }
                    f(neurons, synapses, axons);
                }
            }
        }
    }

    /// Neurons of the part at `at`.
    pub fn neurons(&self, p: u32, at: [u32; 3]) -> u64 {
        volume(self.slice(p, at).map(|r| r.len() as u32))
    }
}

impl Flows for Plan {
    fn parts(&self) -> u32 {
        Plan::parts(self)
    }

    fn each(&self, f: &mut impl FnMut(u32, &[u32], f64)) {
        for p in 0..self.net.populations.len() as u32 {
            self.flows_of(p, f);
        }
    }

    fn blocks(&self, f: &mut impl FnMut(&Block)) {
        for p in 0..self.net.populations.len() as u32 {
            let Some(to) = self.block(p) else { continue };
            let mut weight = vec![];
            let rate = self.net.populations[p as usize].rate;
            self.each_part(p, &mut |_, at| {
                weight.push(self.neurons(p, at) as f64 * rate)
            });
            f(&Block {
                from: self.first[p as usize]..self.first[p as usize + 1],
                weight: &weight,
                to,
            });
        }
    }

    fn rest(&self, f: &mut impl FnMut(u32, &[u32], f64)) {
        for p in 0..self.net.populations.len() as u32 {
            if self.block(p).is_none() {
                self.flows_of(p, f);
            }
        }
    }
}

/// Fewest destinations for which a block pays.
const BLOCK: usize = 4;

impl Plan {
    fn flows_of(&self, p: u32, f: &mut impl FnMut(u32, &[u32], f64)) {
        let mut to = vec![];
        let rate = self.net.populations[p as usize].rate;
        self.each_class(p, &mut |class| {
            self.destinations(class, &mut to);
            if !to.is_empty() {
                f(class.part, &to, class.sources as f64 * rate);
            }
        });
    }

    /// Parts that all parts of a population send all they send to.
    fn block(&self, p: u32) -> Option<Range<u32>> {
        let mut out = self.net.projections.iter().filter(|j| j.pre == p);
        let (j, more) = (out.next()?, out.next());
        let to = self.first[j.post as usize]..self.first[j.post as usize + 1];
        let whole = more.is_none() && j.dense() && j.post != p && to.len() >= BLOCK;
        whole.then_some(to)
    }
}
