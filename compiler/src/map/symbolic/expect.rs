//! Metrics of a placement where pairs are drawn, in expectation over the draws: no synapse is drawn, and nothing has memory a neuron.
//!
//! A drawn pair of (source, part) is a packet with the probability that the source has a target there, so that packets, hops, energies and the load of links under unicast are sums over
//! blocks of parts of equal size. A link of an X-then-Y tree is used if the source has a target in the cells behind it: all cells beyond a column, or those of
//! a column beyond a row. That probability depends on the source's population and on the link only, but not on where in its row or column the source is; so the
//! expected trees of all sources take O(populations x cells). `hops_max` and latencies count every pair of parts that can meet. `mc_link_max` and `cong_link_max` are largest expected loads, not
//! expectations of the largest. Pairs that are not drawn count as they do elsewhere; where a population has both, the links of its certain trees are certain.
//!
//! For plain meshes.

use super::draw::Draw;
use super::plan::{Class, Plan};
use super::score::chance;
use super::tiles::count;
use crate::map::flow::Flows;
use crate::map::score::block::Cells;
use crate::map::score::tree::{Lanes, Multicast};
use crate::map::score::unicast::{Costs, Packets, Places, Unicast};
use std::collections::BTreeMap;

/// Traffic between pairs of parts in expectation, for the searches: each pair a flow of its own.
pub struct Pairs<'a>(pub &'a Plan);

impl Flows for Pairs<'_> {
    fn parts(&self) -> u32 {
        self.0.parts()
    }

    fn each(&self, f: &mut impl FnMut(u32, &[u32], f64)) {
        let plan = self.0;
        Flows::each(plan, f);
        for p in 0..plan.net.populations.len() as u32 {
            let rate = plan.net.populations[p as usize].rate;
            for (j, d) in plan.draws(p) {
                let to = by_size(plan, j.post);
                for (n, from) in by_size(plan, p) {
                    for &s in &from {
                        for (m, to) in &to {
                            let w = rate * n as f64 * d.reaching(*m);
                            let far = to.iter().filter(|&&t| t != s);
                            far.for_each(|&t| f(s, &[t], w));
                        }
                    }
                }
            }
        }
    }
}

/// Parts of a population by their number of neurons.
fn by_size(plan: &Plan, p: u32) -> BTreeMap<u64, Vec<u32>> {
    let mut out: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    plan.each_part(p, &mut |part, at| {
        out.entry(plan.neurons(p, at)).or_default().push(part)
    });
    out
}

/// Metrics under unicast and under multicast.
pub fn both(plan: &Plan, p: &Places, c: &Costs) -> (Unicast, Multicast) {
    let mut packets = Packets::new(p, plan.parts(), false);
    let mut lanes = Lanes::new(p);
    Flows::blocks(plan, &mut |b| {
        let cells = Cells::of(b, p);
        packets.block(&cells);
        lanes.block(&cells);
    });
    Flows::rest(plan, &mut |s, to, w| {
        packets.flow(s, to, w);
        lanes.flow(s, to, w);
    });
    for pop in 0..plan.net.populations.len() as u32 {
        if plan.draws(pop).next().is_some() {
            unicast(plan, pop, p, &mut packets);
            Trees::new(plan, pop, p).add(plan, pop, p, &mut lanes);
        }
    }
    let unicast = packets.finish(c);
    let trees = lanes.finish(c, unicast.packets);
    (unicast, trees)
}

/// Packets of a population's drawn pairs.
fn unicast(plan: &Plan, pop: u32, p: &Places, packets: &mut Packets) {
    let rate = plan.net.populations[pop as usize].rate;
    let at = |i: &u32| p.at[*i as usize];
    for (j, d) in plan.draws(pop) {
        let to = by_size(plan, j.post);
        for (n, from) in by_size(plan, pop) {
            for (&m, to) in &to {
                let w = rate * n as f64 * d.reaching(m);
                let cells = Cells {
                    from: from.iter().map(at).map(|(x, y)| (x, y, w)).collect(),
                    to: to.iter().map(at).collect(),
                };
                packets.block(&cells);
                if j.pre == j.post && n == m {
                    packets.own(from.len() as u64, w);
                }
            }
        }
    }
}

/// Targets of a population's draws in each cell, and from these the probability that a link of its trees is used.
struct Trees {
    x: usize,
    y: usize,
    /// By column: a target in a column beyond it, or in one before it.
    east: Vec<f64>,
    west: Vec<f64>,
    /// By column and row: a target in the column beyond the row, or before it.
    north: Vec<f64>,
    south: Vec<f64>,
}

impl Trees {
    fn new(plan: &Plan, pop: u32, p: &Places) -> Trees {
        let (x, y) = (p.x as usize, p.y as usize);
        let draws: Vec<(u32, &Draw)> = plan.draws(pop).map(|(j, d)| (j.post, d)).collect();
        // Neurons of each target population, by cell.
        let mut held = vec![0u64; draws.len() * x * y];
        for (k, (post, _)) in draws.iter().enumerate() {
            plan.each_part(*post, &mut |part, at| {
                let c = p.at[part as usize];
                let cell = c.0 as usize * y + c.1 as usize;
                held[k * x * y + cell] += plan.neurons(*post, at);
            });
        }
        let used = |sums: &[u64]| {
            let miss = |(k, n): (usize, &u64)| draws[k].1.missing(*n);
            1.0 - sums.iter().enumerate().map(miss).product::<f64>()
        };
        let mut sums = vec![0u64; draws.len()];
        let mut beyond = |cells: &mut dyn Iterator<Item = std::ops::Range<usize>>| -> Vec<f64> {
            sums.fill(0);
            cells
                .map(|range| {
                    let u = used(&sums);
                    for (k, s) in sums.iter_mut().enumerate() {
                        *s += held[k * x * y..][range.clone()].iter().sum::<u64>();
                    }
                    u
                })
                .collect()
        };
        let column = |c: usize| c * y..(c + 1) * y;
        let mut east = beyond(&mut (0..x).rev().map(column));
        east.reverse();
        let west = beyond(&mut (0..x).map(column));
        let (mut north, mut south) = (vec![], vec![]);
        for c in 0..x {
            let cell = |r: usize| c * y + r..c * y + r + 1;
            let mut up = beyond(&mut (0..y).rev().map(cell));
            up.reverse();
            north.append(&mut up);
            south.append(&mut beyond(&mut (0..y).map(cell)));
        }
        Trees {
            x,
            y,
            east,
            west,
            north,
            south,
        }
    }

    /// Adds the population's expected trees to the loads of links.
    fn add(&self, plan: &Plan, pop: u32, p: &Places, lanes: &mut Lanes) {
        let rate = plan.net.populations[pop as usize].rate;
        let (x, y) = (self.x, self.y);
        // Packets of sources by cell; those that are sent.
        let mut from = vec![0.0; x * y];
        let mut sent = 0.0;
        let mut busy = vec![0u64; count(plan.pieces[pop as usize]) as usize];
        let first = plan.first[pop as usize];
        let mut to = vec![];
        plan.each_class(pop, &mut |class| {
            plan.destinations(class, &mut to);
            if !to.is_empty() {
                busy[(class.part - first) as usize] += class.sources;
                self.certain(class, &to, p, rate, lanes);
            }
        });
        plan.each_part(pop, &mut |part, at| {
            let c = p.at[part as usize];
            let n = plan.neurons(pop, at);
            from[c.0 as usize * y + c.1 as usize] += rate * n as f64;
            let quiet = chance(plan, pop, n).map_or(1.0, |c| c.quiet);
            let idle = n - busy[(part - first) as usize];
            sent += rate * idle as f64 * (1.0 - quiet);
        });
        lanes.sent(sent);
        let mut rows = vec![0.0; y];
        for r in 0..y {
            let mut before = 0.0;
            for c in 0..x {
                before += from[c * y + r];
                lanes.link(0, (c, r), before * self.east[c]);
            }
            rows[r] = before;
            let mut behind = 0.0;
            for c in (1..x).rev() {
                behind += from[c * y + r];
                lanes.link(1, (c - 1, r), behind * self.west[c]);
            }
        }
        for c in 0..x {
            let mut before = 0.0;
            for (r, row) in rows.iter().enumerate() {
                before += row;
                lanes.link(2, (c, r), before * self.north[c * y + r]);
            }
            let mut behind = 0.0;
            for r in (1..y).rev() {
                behind += rows[r];
                lanes.link(3, (c, r - 1), behind * self.south[c * y + r]);
            }
        }
    }

    /// Takes what draws add to links off those that a class uses anyway.
    fn certain(&self, class: &Class, to: &[u32], p: &Places, rate: f64, lanes: &mut Lanes) {
        let w = -rate * class.sources as f64;
        let y = self.y;
        lanes.each_link(p.at[class.part as usize], to, |direction, (c, r)| {
            let used = match direction {
                0 => self.east[c],
                1 => self.west[c + 1],
                2 => self.north[c * y + r],
                _ => self.south[c * y + r + 1],
            };
            w * used
        });
    }
}
