//! The hypergraph under a partition: nets {u} + D_u (without u where it comes from outside) over (clusters of) neurons, with weights.

use crate::map::net::{Lists, Net, OUTSIDE};

/// Nets and nodes.
#[derive(Clone, Debug, Default)]
pub struct Hyper {
    /// Pins of each net, distinct, ascending.
    pub pins: Lists,
    /// Nets of each node.
    pub nets: Lists,
    /// Weight of each net.
    pub weight: Vec<f32>,
    /// Neurons of each node.
    pub size: Vec<u32>,
}

impl Hyper {
    /// The network's own: nets of one pin are left out.
    pub fn new(net: &Net) -> Hyper {
        let n = net.neurons();
        let mut pins = Lists {
            start: vec![0],
            to: Vec::with_capacity(net.out.to.len() + n),
        };
        let mut weight = vec![];
        for e in 0..net.nets() as u32 {
            let from = pins.to.len();
            let (list, u) = (net.out.of(e), net.home(e));
            let at = list.partition_point(|&v| v < u);
            pins.to.extend_from_slice(&list[..at]);
            if u != OUTSIDE {
                pins.to.push(u);
            }
            pins.to.extend(list[at..].iter().filter(|&&v| v != u));
            if pins.to.len() - from < 2 {
                pins.to.truncate(from);
            } else {
                pins.start.push(pins.to.len() as u64);
                weight.push(net.rate(e) as f32);
            }
        }
        let mut h = Hyper {
            pins,
            nets: Lists::default(),
            weight,
            size: (0..n as u32).map(|v| net.size(v)).collect(),
        };
        h.nets = h.pins.turned(n);
        h
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.size.len()
    }

    /// Nodes merged: `cluster[i]` below `n`. Nets of one pin vanish, equal nets become one.
    pub fn merged(&self, cluster: &[u32], n: usize) -> Hyper {
        let mut size = vec![0u32; n];
        cluster
            .iter()
            .zip(&self.size)
            .for_each(|(&c, &s)| size[c as usize] += s);
        let mut pins = Lists {
            start: vec![0],
            to: vec![],
        };
        let mut weight: Vec<f32> = vec![];
        let mut stamp = vec![u32::MAX; n];
        let mut seen: std::collections::HashMap<u64, Vec<u32>> = std::collections::HashMap::new();
        let mut list = vec![];
        for e in 0..self.pins.len() as u32 {
            list.clear();
            for &v in self.pins.of(e) {
                let c = cluster[v as usize];
                if stamp[c as usize] != e {
                    stamp[c as usize] = e;
                    list.push(c);
                }
            }
            if list.len() < 2 {
                continue;
            }
            list.sort_unstable();
            let key = list.iter().fold(list.len() as u64, |h, &c| {
                (h ^ c as u64)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(23)
            });
            let same = seen.entry(key).or_default();
            if let Some(&f) = same.iter().find(|&&f| pins.of(f) == list) {
                weight[f as usize] += self.weight[e as usize];
            } else {
                same.push(weight.len() as u32);
                weight.push(self.weight[e as usize]);
                pins.to.extend_from_slice(&list);
                pins.start.push(pins.to.len() as u64);
            }
        }
        Hyper {
            nets: pins.turned(n),
            pins,
            weight,
            size,
        }
    }
}
