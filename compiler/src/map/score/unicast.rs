//! Placement metrics under unicast: every (flow, destination) pair is a packet of its own. Formulas: AxonFlow model.py (`energy_paper`,
//! `lat_avg_w`, `lat_max`, core load) and Jinouwen/mapping_cpp utils/evaluator.cpp (`energy_jincode`, `lat_*_jin`, link load).

use super::boxes::{CoreLoad, LinkLoad};
use crate::map::flow::Flows;

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
    flows.each(&mut |s, to, w| {
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
    let mut m = Unicast::default();
    let mut links = LinkLoad::new(p.x, p.y);
    let mut core = cores.then(|| CoreLoad::new(p.x, p.y));
    // Distinct (source, destination) pairs: flows of a source stand together, so a stamp by destination suffices.
    let mut seen = vec![u32::MAX; flows.parts() as usize];
    let (mut pairs, mut pair_hops) = (0u64, 0u64);
    flows.each(&mut |s, to, w| {
        let a = p.at[s as usize];
        for &t in to {
            let b = p.at[t as usize];
            let d = distance(a, b);
            m.packets += w;
            m.hops += w * d as f64;
            m.hops_max = m.hops_max.max(d);
            if seen[t as usize] != s {
                seen[t as usize] = s;
                pairs += 1;
                pair_hops += d as u64;
            }
            links.add(a, b, w);
            if let Some(core) = &mut core {
                core.add(a, b, w);
            }
        }
    });
    let (w, h) = (m.packets, m.hops);
    m.energy_paper = (h + w) * c.energy_router + h * c.energy_link;
    m.energy_jincode = h * (c.energy_router + c.energy_link) + w * c.energy_link;
    if w > 0.0 {
        m.lat_avg_w = ((h + w) * c.latency_router + h * c.latency_link) / w;
        m.hops_avg = h / w;
    }
    if pairs > 0 {
        let mean = pair_hops as f64 / pairs as f64;
        m.lat_avg_jin = mean * (c.latency_router + c.latency_link) + c.latency_link;
        m.lat_max_jin = m.hops_max as f64 * (c.latency_router + c.latency_link) + c.latency_link;
        m.lat_max = (m.hops_max + 1) as f64 * c.latency_router + m.hops_max as f64 * c.latency_link;
    }
    (m.cong_link_avg, m.cong_link_max) = links.finish();
    m.cong_core = core.and_then(CoreLoad::finish);
    m
}
