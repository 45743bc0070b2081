//! How good a mapping is, under the field's published names (Mt-KaHyPar for the partition metrics, AxonFlow and Jin et al. ASPLOS 2023 for
//! placement), with one spike a neuron and step (r_u = 1). Units that come from outside are left out.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::mapping::{Mapping, UnitRef};

/// See the module. Hops are links between neighbouring cores; `mc_` is the union of X-then-Y paths from the source's core.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Sum over units of the other cores that they reach (connectivity, lambda - 1).
    pub remote: u64,
    /// Units that reach another core.
    pub cutnet: u64,
    /// Sum over those of the cores they touch, their own included.
    pub soed: u64,
    /// Synapses between cores.
    pub cut_synapses: u64,
    /// Cores with at least one neuron.
    pub cores_used: u64,
    /// Sum over units of the cores that they reach, their own included.
    pub axon_entries: u64,
    /// Synapses of a core for each of its axons: mean over cores.
    pub reuse_mean: f64,
    /// The same, geometric mean.
    pub reuse_geo: f64,
    /// Sum of distances of all (unit, other core) pairs.
    pub hops: u64,
    /// Mean distance.
    pub hops_avg: f64,
    /// Largest distance.
    pub hops_max: u64,
    /// Links of the multicast trees.
    pub mc_hops: u64,
    /// Most multicast trees over one directed link.
    pub mc_link_max: u64,
    /// Mean over the mesh's directed links.
    pub mc_link_avg: f64,
}

/// Measures a mapping.
pub fn measure(m: &Mapping) -> Metrics {
    let mut home: BTreeMap<UnitRef, usize> = BTreeMap::new();
    for (c, core) in m.cores.iter().enumerate() {
        for n in &core.neurons {
            home.entry(n.unit).or_insert(c);
        }
    }
    let mut reach: BTreeMap<UnitRef, BTreeSet<usize>> = BTreeMap::new();
    let mut x = Metrics {
        cores_used: m.cores.iter().filter(|c| !c.neurons.is_empty()).count() as u64,
        ..Metrics::default()
    };
    let mut reuse = vec![];
    for (c, core) in m.cores.iter().enumerate() {
        for a in &core.axons {
            if home.contains_key(&a.source) {
                reach.entry(a.source).or_default().insert(c);
            }
        }
        let cut = |s: &&synfire_ir::mapping::Synapse| {
            home.get(&core.axons[s.axon as usize].source)
                .is_some_and(|h| *h != c)
        };
        x.cut_synapses += core.synapses.iter().filter(cut).count() as u64;
        if !core.axons.is_empty() {
            reuse.push(core.synapses.len() as f64 / core.axons.len() as f64);
        }
    }
    if !reuse.is_empty() {
        let n = reuse.len() as f64;
        x.reuse_mean = reuse.iter().sum::<f64>() / n;
        x.reuse_geo = (reuse
            .iter()
            .map(|r| r.max(f64::MIN_POSITIVE).ln())
            .sum::<f64>()
            / n)
            .exp();
    }
    let mut links: BTreeMap<Link, u64> = BTreeMap::new();
    for (u, cores) in &reach {
        x.axon_entries += cores.len() as u64;
        let at = &m.cores[home[u]];
        let far: Vec<usize> = cores.iter().copied().filter(|c| *c != home[u]).collect();
        if far.is_empty() {
            continue;
        }
        x.remote += far.len() as u64;
        x.cutnet += 1;
        x.soed += far.len() as u64 + 1;
        let mut tree = BTreeSet::new();
        for c in far {
            let to = &m.cores[c];
            let d = (at.x.abs_diff(to.x) + at.y.abs_diff(to.y)) as u64;
            x.hops += d;
            x.hops_max = x.hops_max.max(d);
            tree.extend(path((at.x, at.y), (to.x, to.y)));
        }
        x.mc_hops += tree.len() as u64;
        tree.into_iter()
            .for_each(|l| *links.entry(l).or_default() += 1);
    }
    x.hops_avg = if x.remote > 0 {
        x.hops as f64 / x.remote as f64
    } else {
        0.0
    };
    x.mc_link_max = links.values().copied().max().unwrap_or(0);
    let (w, h) = (m.mesh[0] as f64, m.mesh[1] as f64);
    let directed = 2.0 * (w * (h - 1.0) + h * (w - 1.0));
    x.mc_link_avg = if directed > 0.0 {
        x.mc_hops as f64 / directed
    } else {
        0.0
    };
    x
}

type Link = ((u32, u32), (u32, u32));

/// Directed links from `a` to `b`, X first.
fn path(a: (u32, u32), b: (u32, u32)) -> Vec<Link> {
    let mut out = vec![];
    let mut at = a;
    while at != b {
        let next = if at.0 != b.0 {
            (if b.0 > at.0 { at.0 + 1 } else { at.0 - 1 }, at.1)
        } else {
            (at.0, if b.1 > at.1 { at.1 + 1 } else { at.1 - 1 })
        };
        out.push((at, next));
        at = next;
    }
    out
}
