//! Placement metrics under unicast: every (flow, destination) pair is a packet of its own. Formulas: AxonFlow model.py (`energy_paper`,
//! `lat_avg_w`, `lat_max`, core load) and Jinouwen/mapping_cpp utils/evaluator.cpp (`energy_jincode`, `lat_*_jin`, link load).

use super::block::Cells;
use super::boxes::{CoreLoad, LinkLoad};
use super::rows::Sums;
use crate::map::flow::{Flows, Row};

/// What a hop through a router and over a link costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Energy of a router.
    pub energy_router: f64,
    /// Energy of a link.
    pub energy_link: f64,
    /// Latency of a router.
    pub latency_router: f64,
    /// Latency of a link.
    pub latency_link: f64,
}

/// Mesh and positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Columns.
    pub x: u32,
    /// Rows.
    pub y: u32,
    /// Position of each part.
    pub at: Vec<(u32, u32)>,
}

/// See the module; keys as in the JSON of `bench mapping`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unicast {
    pub packets: f64,
    pub energy_paper: f64,
    pub energy_jincode: f64,
    pub lat_avg_w: f64,
    pub lat_avg_jin: f64,
    pub lat_max_jin: f64,
    pub lat_max: f64,
    pub hops: f64,
    pub hops_avg: f64,
    pub hops_max: u32,
    pub cong_link_avg: f64,
    pub cong_link_max: f64,
    pub cong_core: Option<(f64, f64)>,
}

/// Distance in links.
#[inline]
pub fn distance(a: (u32, u32), b: (u32, u32)) -> u32 {
    a.0.abs_diff(b.0) + a.1.abs_diff(b.1)
}

/// Sum of weight times distance.
pub fn hops(flows: &impl Flows, p: &Places) -> f64 {
    let mut sum = 0.0;
    flows.blocks(&mut |b| sum += Cells::of(b, p).hops().0);
    flows.rest(&mut |s, to, w| {
        let a = p.at[s as usize];
        let d: u64 = to
            .iter()
            .map(|&t| distance(a, p.at[t as usize]) as u64)
            .sum();
        sum += w * d as f64;
    });
    sum
}

/// All metrics in one pass.
pub fn unicast(flows: &impl Flows, p: &Places, c: &Costs, cores: bool) -> Unicast {
    super::both(flows, p, c, cores).0
}

/// Sums over packets, from which the metrics follow.
pub(in crate::map) struct Packets<'a> {
    p: &'a Places,
    m: Unicast,
    /// Load of links.
    pub(super) links: LinkLoad,
    core: Option<CoreLoad>,
    /// Last source of each destination: flows of a source stand together, so that this finds distinct pairs.
    seen: Vec<u32>,
    pairs: u64,
    pair_hops: u64,
}

impl<'a> Packets<'a> {
    pub(in crate::map) fn new(p: &'a Places, parts: u32, cores: bool) -> Packets<'a> {
        Packets {
            p,
            m: Unicast::default(),
            links: LinkLoad::new(p.x, p.y),
            core: cores.then(|| CoreLoad::new(p.x, p.y)),
            seen: vec![u32::MAX; parts as usize],
            pairs: 0,
            pair_hops: 0,
        }
    }

    pub(in crate::map) fn block(&mut self, cells: &Cells) {
        let (hops, plain) = cells.hops();
        self.m.packets += cells.packets();
        self.m.hops += hops;
        self.m.hops_max = self.m.hops_max.max(cells.longest());
        self.pairs += cells.pairs();
        self.pair_hops += plain;
        self.links.add_block(cells);
        if let Some(core) = &mut self.core {
            for &(x, y, w) in &cells.from {
                cells.to.iter().for_each(|&to| core.add((x, y), to, w));
            }
        }
    }

    /// Takes pairs of parts with themselves out of what a block counted, each of `w` packets.
    pub(in crate::map) fn own(&mut self, pairs: u64, w: f64) {
        self.m.packets -= pairs as f64 * w;
        self.pairs -= pairs;
    }

    /// A row whose links are counted already.
    pub(super) fn row(&mut self, row: &Row, sums: &Sums) {
        self.m.packets += sums.packets;
        self.m.hops += sums.hops;
        self.m.hops_max = self.m.hops_max.max(sums.longest);
        self.pairs += row.weight.len() as u64;
        self.pair_hops += sums.plain;
        if let Some(core) = &mut self.core {
            let at = |i: u32| self.p.at[i as usize];
            for (t, &w) in row.to.clone().zip(row.weight) {
                core.add(at(row.from), at(t), w);
            }
        }
    }

    pub(in crate::map) fn flow(&mut self, s: u32, to: &[u32], w: f64) {
        let a = self.p.at[s as usize];
        for &t in to {
            let b = self.p.at[t as usize];
            let d = distance(a, b);
            self.m.packets += w;
            self.m.hops += w * d as f64;
            self.m.hops_max = self.m.hops_max.max(d);
            if self.seen[t as usize] != s {
                self.seen[t as usize] = s;
                self.pairs += 1;
                self.pair_hops += d as u64;
            }
            self.links.add(a, b, w);
            if let Some(core) = &mut self.core {
                core.add(a, b, w);
            }
        }
    }

    pub(in crate::map) fn finish(self, c: &Costs) -> Unicast {
        let mut m = self.m;
        let (w, h) = (m.packets, m.hops);
        m.energy_paper = (h + w) * c.energy_router + h * c.energy_link;
        m.energy_jincode = h * (c.energy_router + c.energy_link) + w * c.energy_link;
        if w > 0.0 {
            m.lat_avg_w = ((h + w) * c.latency_router + h * c.latency_link) / w;
            m.hops_avg = h / w;
        }
        if self.pairs > 0 {
            let mean = self.pair_hops as f64 / self.pairs as f64;
            let longest = m.hops_max as f64;
            m.lat_avg_jin = mean * (c.latency_router + c.latency_link) + c.latency_link;
            m.lat_max_jin = longest * (c.latency_router + c.latency_link) + c.latency_link;
            m.lat_max = (longest + 1.0) * c.latency_router + longest * c.latency_link;
        }
        (m.cong_link_avg, m.cong_link_max) = self.links.finish();
        m.cong_core = self.core.and_then(CoreLoad::finish);
        m
    }
}
