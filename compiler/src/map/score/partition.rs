//! Metrics of a partition (Mt-KaHyPar's names for the cut, AxonFlow's for reuse), and the flows between its parts.

use crate::map::flow::FlowList;
use crate::map::net::{Net, OUTSIDE};

/// Hard limits of a part; absent: none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Caps {
    /// Neurons.
    pub npc: Option<u64>,
    /// Distinct sources of the part's synapses.
    pub apc: Option<u64>,
    /// Synapses.
    pub spc: Option<u64>,
    /// Outbound (neuron, other part) pairs.
    pub opc: Option<u64>,
    /// Parts.
    pub cores: Option<u64>,
    /// Does a neuron take a slot for each part that each of its nets reaches, beyond its own size?
    pub copies: bool,
}

/// What a part takes up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Neurons.
    pub neurons: u64,
    /// Inbound axons.
    pub axons: u64,
    /// Synapses.
    pub synapses: u64,
    /// Outbound pairs.
    pub outbound: u64,
    /// Parts that each net of the part reaches, summed.
    pub copies: u64,
}

/// How much of a limit the parts in use take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// The part that takes most.
    pub most: u64,
    /// Sum over parts.
    pub sum: u64,
    /// Parts.
    pub parts: u64,
}

impl Share {
    /// One more part.
    pub fn add(&mut self, used: u64) {
        self.most = self.most.max(used);
        self.sum += used;
        self.parts += 1;
    }

    /// (largest, mean) over the limit.
    pub fn of(&self, cap: u64) -> (f64, f64) {
        let cap = cap.max(1) as f64;
        (
            self.most as f64 / cap,
            self.sum as f64 / cap / self.parts.max(1) as f64,
        )
    }
}

/// See the module; `*_1` with one spike a neuron.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cut {
    pub remote: f64,
    pub remote_1: u64,
    pub cutnet: f64,
    pub soed: f64,
    pub cut_synapses: f64,
    pub cores_used: u64,
    pub axon_entries: u64,
    pub reuse_mean: f64,
    pub reuse_geo: f64,
}

/// Metrics and usage; `part[u]` below `parts`. Nets from outside count as axons of the parts that they reach, and nowhere else. O(synapses).
pub fn cut(net: &Net, part: &[u32], parts: u32) -> (Cut, Vec<Usage>) {
    let mut c = Cut::default();
    let mut usage = vec![Usage::default(); parts as usize];
    let mut stamp = vec![u32::MAX; parts as usize];
    for v in 0..net.neurons() as u32 {
        let k = &mut usage[part[v as usize] as usize];
        k.neurons += net.base(v) as u64;
        k.synapses += net.into.of(v).len() as u64;
    }
    for u in 0..net.nets() as u32 {
        let home = net.home(u);
        let own = part.get(home as usize).copied().unwrap_or(OUTSIDE);
        let r = net.rate(u);
        let (mut reached, mut far, mut cut) = (0u64, 0u64, 0u64);
        for &v in net.out.of(u) {
            let p = part[v as usize];
            cut += (p != own) as u64;
            if stamp[p as usize] != u {
                stamp[p as usize] = u;
                reached += 1;
                far += (p != own) as u64;
                usage[p as usize].axons += 1;
            }
        }
        if home == OUTSIDE {
            continue;
        }
        c.axon_entries += reached;
        c.remote_1 += far;
        c.remote += r * far as f64;
        c.cut_synapses += r * cut as f64;
        if far > 0 {
            c.cutnet += r;
            c.soed += r * (far + 1) as f64;
        }
        usage[own as usize].outbound += far;
        usage[own as usize].copies += reached;
    }
    let used: Vec<&Usage> = usage.iter().filter(|u| u.neurons > 0).collect();
    c.cores_used = used.len() as u64;
    let reuse: Vec<f64> = used
        .iter()
        .filter(|u| u.axons > 0)
        .map(|u| u.synapses as f64 / u.axons as f64)
        .collect();
    if !reuse.is_empty() {
        c.reuse_mean = reuse.iter().sum::<f64>() / reuse.len() as f64;
        c.reuse_geo = (reuse.iter().map(|r| r.ln()).sum::<f64>() / reuse.len() as f64).exp();
    }
    (c, usage)
}

/// `None`, or the first part and limit that is broken.
pub fn broken(usage: &[Usage], caps: &Caps) -> Option<(usize, &'static str)> {
    usage.iter().enumerate().find_map(|(i, u)| {
        let over = |have: u64, limit: Option<u64>| limit.is_some_and(|l| have > l);
        [
            (
                "npc",
                over(u.neurons + if caps.copies { u.copies } else { 0 }, caps.npc),
            ),
            ("apc", over(u.axons, caps.apc)),
            ("spc", over(u.synapses, caps.spc)),
            ("opc", over(u.outbound, caps.opc)),
        ]
        .into_iter()
        .find(|x| x.1)
        .map(|x| (i, x.0))
    })
}

/// Traffic between parts: neurons of a part that reach the same other parts are one flow.
pub fn flows(net: &Net, part: &[u32], parts: u32) -> FlowList {
    let mut by: Vec<Vec<u32>> = vec![vec![]; parts as usize];
    for u in 0..net.nets() as u32 {
        if let Some(&p) = part.get(net.home(u) as usize) {
            by[p as usize].push(u);
        }
    }
    let mut list = FlowList::new(parts);
    let mut stamp = vec![u32::MAX; parts as usize];
    for (p, members) in by.iter().enumerate() {
        let mut sets: Vec<(Vec<u32>, f64)> = vec![];
        for &u in members {
            let mut to = vec![];
            for &v in net.out.of(u) {
                let q = part[v as usize];
                if q as usize != p && stamp[q as usize] != u {
                    stamp[q as usize] = u;
                    to.push(q);
                }
            }
            if !to.is_empty() {
                to.sort_unstable();
                sets.push((to, net.rate(u)));
            }
        }
        sets.sort_by(|a, b| a.0.cmp(&b.0));
        let mut i = 0;
        while i < sets.len() {
            let mut w = sets[i].1;
            let mut j = i + 1;
            while j < sets.len() && sets[j].0 == sets[i].0 {
                w += sets[j].1;
                j += 1;
            }
            list.push(p as u32, &sets[i].0, w);
            i = j;
        }
    }
    list
}
