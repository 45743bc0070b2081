//! How good a mapping is, under the field's published names (Mt-KaHyPar for the partition metrics, AxonFlow and Jin et al. ASPLOS 2023 for
//! placement), with one spike a neuron and step (r_u = 1). Units that come from outside count as axons of the cores that they reach and nowhere else.

use super::core::PlannedCore;
use super::mesh::Placement;
use super::{Limits, homes};
use crate::map::bench::machine::JIN;
use crate::map::fabric::{Fabric, Ways};
use crate::map::flow::FlowList;
use crate::map::net::{Lists, Net, OUTSIDE};
use crate::map::score::both;
use crate::map::score::partition::{Usage, cut, flows};
use crate::map::score::tree::loads;
use crate::map::score::unicast::{Costs, Places};
use crate::map::score::ways;
use crate::passes::ChipNetwork;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use synfire_ir::mapping::UnitRef;
use synfire_targets::Target;

/// The graph of units in cores, and the core of each: a node for each unit in each core that holds a copy of it, since copies listen too; a unit's own
/// node is that of its first copy.
fn graph(net: &ChipNetwork, cores: &[PlannedCore]) -> (Net, Vec<u32>) {
    let first = homes(cores);
    let mut nodes: Vec<(u32, u32)> = vec![];
    for (c, core) in cores.iter().enumerate() {
        let from = nodes.len();
        nodes.extend(core.slots.iter().map(|s| (c as u32, s.unit)));
        nodes[from..].sort_unstable();
        nodes.dedup();
    }
    let own = nodes
        .iter()
        .zip(0u32..)
        .filter(|((c, u), _)| first.get(u) == Some(c))
        .map(|(&(_, u), i)| (net.units[u as usize].unit, i));
    let mut names: BTreeMap<UnitRef, u32> = BTreeMap::new();
    let mut home = vec![];
    for (unit, node) in own {
        names.insert(unit, home.len() as u32);
        home.push(node);
    }
    let mut into = Lists {
        start: vec![0],
        to: vec![],
    };
    for &(_, u) in &nodes {
        let mut list: Vec<u32> = net
            .onto(u)
            .iter()
            .map(|s| {
                *names.entry(s.source).or_insert_with(|| {
                    home.push(OUTSIDE);
                    home.len() as u32 - 1
                })
            })
            .collect();
        list.sort_unstable();
        list.dedup();
        into.to.extend(list);
        into.start.push(into.to.len() as u64);
    }
    let graph = Net {
        out: into.turned(home.len()),
        into,
        home,
        ..Net::default()
    };
    (graph, nodes.into_iter().map(|n| n.0).collect())
}

/// Packets between cores.
pub fn traffic(net: &ChipNetwork, cores: &[PlannedCore]) -> FlowList {
    let (graph, part) = graph(net, cores);
    flows(&graph, &part, cores.len() as u32)
}

/// A target's costs of a hop; those of Jin et al. where it states none.
pub fn costs(target: &Target) -> Costs {
    let c = &target.chip.spec.costs;
    let of = |v: &Option<synfire_targets::schema::Sourced<f64>>| v.as_ref().map(|v| v.value);
    match (
        of(&c.router_pj),
        of(&c.link_pj),
        of(&c.router_ns),
        of(&c.link_ns),
    ) {
        (Some(energy_router), Some(energy_link), Some(latency_router), Some(latency_link)) => {
            Costs {
                energy_router,
                energy_link,
                latency_router,
                latency_link,
            }
        }
        _ => JIN,
    }
}

/// All metrics, and the traffic itself for pictures: `{"metrics": .., "traffic": ..}`.
pub fn measure(
    net: &ChipNetwork,
    cores: &[PlannedCore],
    placed: &Placement,
    limits: &Limits,
    costs: &Costs,
) -> (Value, Value) {
    let (graph, part) = graph(net, cores);
    let (c, _) = cut(&graph, &part, cores.len() as u32);
    let list = flows(&graph, &part, cores.len() as u32);
    let places = Places {
        x: placed.mesh[0],
        y: placed.mesh[1],
        at: placed.positions.clone(),
    };
    let ways = (!placed.fabric.plain()).then(|| Ways::new(places.x, places.y, &placed.fabric));
    let (u, t) = match &ways {
        Some(w) => ways::both(&list, &places, w, costs),
        None => both(&list, &places, costs, true),
    };
    let usage: Vec<Usage> = cores
        .iter()
        .map(|c| Usage {
            neurons: c.slots.len() as u64,
            axons: c.axons.len() as u64,
            synapses: c.synapses.len() as u64,
            ..Usage::default()
        })
        .collect();
    let share = |of: fn(&Usage) -> u64, most: usize| {
        let all: Vec<f64> = usage.iter().map(|u| of(u) as f64 / most as f64).collect();
        let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
        (most != usize::MAX && most > 0)
            .then(|| json!({"max": all.iter().fold(0.0f64, |a, b| a.max(*b)), "mean": mean}))
    };
    let metrics = json!({
        "remote": c.remote as u64, "remote_1": c.remote_1, "cutnet": c.cutnet as u64, "soed": c.soed as u64, "cut_synapses": c.cut_synapses as u64,
        "cores_used": c.cores_used, "util_n": share(|u| u.neurons, limits.neurons), "util_a": share(|u| u.axons, limits.axons),
        "util_s": share(|u| u.synapses, limits.synapses), "reuse_mean": c.reuse_mean, "reuse_geo": c.reuse_geo, "axon_entries": c.axon_entries,
        "energy_paper": u.energy_paper, "energy_jincode": u.energy_jincode,
        "lat_avg_w": u.lat_avg_w, "lat_avg_jin": u.lat_avg_jin, "lat_max_jin": u.lat_max_jin, "lat_max": u.lat_max,
        "hops": u.hops as u64, "hops_avg": u.hops_avg, "hops_max": u.hops_max,
        "cong_link_avg": u.cong_link_avg, "cong_link_max": u.cong_link_max,
        "cong_core_avg": u.cong_core.map(|c| c.0), "cong_core_max": u.cong_core.map(|c| c.1),
        "mc_hops": t.mc_hops as u64, "mc_energy": t.mc_energy, "mc_link_max": t.mc_link_max as u64, "mc_link_avg": t.mc_link_avg,
        "mc_lat_avg": u.lat_avg_w, "mc_lat_max": u.lat_max,
    });
    (
        metrics,
        pictured(&list, &places, &placed.fabric, ways.as_ref()),
    )
}

/// Flows and links that pictures show at most.
const HEAVIEST: usize = 48;
const LINKS: usize = 16_384;

/// The heaviest flows between cores, `[from, to, packets]`, and the load of every directed link, `[x, y, direction, packets]` with directions 0 east,
/// 1 west, 2 north, 3 south, 4 north-east, 5 south-west, from the core at the lower or left end; and on what is no plain mesh the columns and rows of a node and of
/// the blocks whose borders cost.
fn pictured(list: &FlowList, places: &Places, fabric: &Fabric, ways: Option<&Ways>) -> Value {
    let mut pairs: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for (i, &s) in list.source.iter().enumerate() {
        for &t in list.destinations(i) {
            *pairs.entry((s, t)).or_default() += list.weight[i];
        }
    }
    let mut heavy: Vec<((u32, u32), f64)> = pairs.into_iter().collect();
    heavy.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let heavy: Vec<Value> = heavy
        .iter()
        .take(HEAVIEST)
        .map(|((s, t), w)| json!([s, t, w]))
        .collect();
    let loads = match ways {
        Some(w) => ways::loads(list, places, w),
        None => loads(list, places),
    };
    let links: Vec<Value> = loads
        .into_iter()
        .take(LINKS)
        .map(|(at, d, w)| json!([at.0, at.1, d, w]))
        .collect();
    let mut out = json!({"flows": heavy, "links": links});
    if ways.is_some() {
        let blocks = fabric.borders.iter().map(|b| [b.x, b.y]);
        out["fabric"] = json!({"torus": fabric.torus, "hexagonal": fabric.hexagonal, "node": fabric.node, "blocks": blocks.collect::<Vec<_>>()});
    }
    out
}
