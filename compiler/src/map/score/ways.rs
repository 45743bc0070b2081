//! Placement metrics on what is no plain mesh: packets and trees are followed link by link along the fabric's own ways, O(links on the way).
//!
//! Names and formulas are those of [`super::unicast`] and [`super::tree`], with the cost of a link in place of 1 wherever energy or latency of links is counted, and routers passed in
//! place of cores. `hops` and `mc_hops` are packets times links, whatever these cost. The load of links under unicast is that of the ways themselves (the law of the box is one for
//! meshes); the load of cores is not given.

use super::tree::Multicast;
use super::unicast::{Costs, Places, Unicast};
use crate::map::fabric::{Grower, Link, Ways};
use crate::map::flow::Flows;
use crate::map::layout::curve::Cell;

/// Sums over packets and trees.
struct Sums {
    unicast: Unicast,
    /// Packets times costs of links; of trees.
    cost: f64,
    tree_cost: f64,
    /// Packets sent, counted once a flow.
    sent: f64,
    /// Pairs of parts, their links and the costs of these.
    pairs: u64,
    pair_links: u64,
    pair_cost: f64,
    /// Latency of the slowest packet, without and with Jin's last link.
    slowest: f64,
    slowest_jin: f64,
    load: Vec<f64>,
    tree_load: Vec<f64>,
    hops: f64,
}

fn followed(flows: &impl Flows, p: &Places, ways: &Ways, c: &Costs) -> Sums {
    let links = ways.nodes() * crate::map::fabric::DIRECTIONS;
    let mut s = Sums {
        unicast: Unicast::default(),
        cost: 0.0,
        tree_cost: 0.0,
        sent: 0.0,
        pairs: 0,
        pair_links: 0,
        pair_cost: 0.0,
        slowest: 0.0,
        slowest_jin: 0.0,
        load: vec![0.0; links],
        tree_load: vec![0.0; links],
        hops: 0.0,
    };
    let mut grower = Grower::new(ways);
    let mut seen = vec![u32::MAX; flows.parts() as usize];
    flows.each(&mut |from, to, w| {
        let a = p.at[from as usize];
        for &t in to {
            let (mut links, mut cost) = (0u32, 0.0);
            ways.way(a, p.at[t as usize], &mut |link, _| {
                links += 1;
                cost += ways.hop(link);
                s.load[link as usize] += w;
            });
            let u = &mut s.unicast;
            u.packets += w;
            u.hops += w * links as f64;
            u.hops_max = u.hops_max.max(links);
            s.cost += w * cost;
            let routers = links as f64 * c.latency_router;
            s.slowest = s
                .slowest
                .max(routers + c.latency_router + cost * c.latency_link);
            s.slowest_jin = s.slowest_jin.max(routers + (cost + 1.0) * c.latency_link);
            if seen[t as usize] != from {
                seen[t as usize] = from;
                s.pairs += 1;
                s.pair_links += links as u64;
                s.pair_cost += cost;
            }
        }
        if !to.is_empty() {
            s.sent += w;
            let cells = to.iter().map(|&t| p.at[t as usize]);
            grower.tree(ways, a, cells, &mut |link| {
                s.hops += w;
                s.tree_cost += w * ways.hop(link);
                s.tree_load[link as usize] += w;
            });
        }
    });
    s
}

/// Metrics under unicast and under multicast.
pub fn both(flows: &impl Flows, p: &Places, ways: &Ways, c: &Costs) -> (Unicast, Multicast) {
    let s = followed(flows, p, ways, c);
    let links = (ways.links() as f64).max(1.0);
    let most = |load: &[f64]| load.iter().copied().fold(0.0, f64::max);
    let mut u = s.unicast;
    let (w, h) = (u.packets, u.hops);
    u.energy_paper = (h + w) * c.energy_router + s.cost * c.energy_link;
    u.energy_jincode = h * c.energy_router + (s.cost + w) * c.energy_link;
    if w > 0.0 {
        u.lat_avg_w = ((h + w) * c.latency_router + s.cost * c.latency_link) / w;
        u.hops_avg = h / w;
    }
    if s.pairs > 0 {
        let n = s.pairs as f64;
        u.lat_avg_jin =
            s.pair_links as f64 / n * c.latency_router + (s.pair_cost / n + 1.0) * c.latency_link;
        u.lat_max_jin = s.slowest_jin;
        u.lat_max = s.slowest;
    }
    u.cong_link_avg = h / links;
    u.cong_link_max = most(&s.load);
    let t = Multicast {
        mc_hops: s.hops,
        mc_energy: s.tree_cost * c.energy_link + (s.hops + s.sent) * c.energy_router,
        mc_energy_least: w * ways.least() * (c.energy_link * ways.cheapest() + c.energy_router)
            + s.sent * c.energy_router,
        mc_link_max: most(&s.tree_load),
        mc_link_avg: s.hops / links,
    };
    (u, t)
}

/// Links that multicast trees use: (first core of the node at the lower or left end, direction, packets).
pub fn loads(flows: &impl Flows, p: &Places, ways: &Ways) -> Vec<(Cell, u8, f64)> {
    let mut load = vec![0.0; ways.nodes() * crate::map::fabric::DIRECTIONS];
    let mut grower = Grower::new(ways);
    flows.each(&mut |from, to, w| {
        let cells = to.iter().map(|&t| p.at[t as usize]);
        grower.tree(ways, p.at[from as usize], cells, &mut |link| {
            load[link as usize] += w
        });
    });
    let used = load.into_iter().enumerate().filter(|l| l.1 > 1e-9);
    used.map(|(k, w)| {
        let (at, d) = ways.end(k as Link);
        (at, d, w)
    })
    .collect()
}
