//! Finding a chain of layers in traffic whose parts are numbered in any order.

use super::chain::Shape;
use crate::map::flow::{FlowList, Flows};

/// Largest number of (source, destination) pairs that detection holds in memory.
const PAIRS: u64 = 40_000_000;

/// The shape, and the flows with parts renamed so that layers stand one after another in order; `name[new] = old`.
pub struct Found {
    /// Layers.
    pub shape: Shape,
    /// Renamed flows, sources ascending.
    pub flows: FlowList,
    /// Old number of each part.
    pub name: Vec<u32>,
}

/// Looks for a chain: every packet goes from a layer to the next, no cycle.
pub fn detect(flows: &impl Flows) -> Option<Found> {
    let n = flows.parts() as usize;
    let mut out = Links::new(n);
    flows.each(&mut |s, to, _| out.count(s, to.len()));
    if out.total() > PAIRS || out.total() == 0 {
        return None;
    }
    out.ready();
    flows.each(&mut |s, to, _| to.iter().for_each(|&t| out.put(s, t)));
    out.done();
    let into = out.turned();
    let layer = levels(&out, &into)?;
    let depth = layer.iter().filter(|l| **l != u32::MAX).max()? + 1;
    let mut layers: Vec<Vec<u32>> = vec![vec![]; depth as usize];
    for (p, &l) in layer.iter().enumerate().filter(|x| *x.1 != u32::MAX) {
        layers[l as usize].push(p as u32);
    }
    let full: u64 = layers
        .windows(2)
        .map(|w| w[0].len() as u64 * w[1].len() as u64)
        .sum();
    let dense = out.total() * 2 >= full;
    if !dense {
        order(&mut layers, &out, &into);
    }
    let mut name: Vec<u32> = layers.iter().flatten().copied().collect();
    name.extend((0..n as u32).filter(|&p| layer[p as usize] == u32::MAX));
    Some(Found {
        shape: Shape {
            sizes: layers.iter().map(|l| l.len() as u32).collect(),
            dense,
        },
        flows: renamed(flows, &name),
        name,
    })
}

/// Flows under new numbers, sources ascending.
fn renamed(flows: &impl Flows, name: &[u32]) -> FlowList {
    let mut rank = vec![0u32; name.len()];
    name.iter()
        .enumerate()
        .for_each(|(i, &p)| rank[p as usize] = i as u32);
    let mut list = FlowList::new(name.len() as u32);
    let mut to_new = vec![];
    flows.each(&mut |s, to, w| {
        to_new.clear();
        to_new.extend(to.iter().map(|&t| rank[t as usize]));
        list.push(rank[s as usize], &to_new, w);
    });
    let mut by: Vec<u32> = (0..list.source.len() as u32).collect();
    by.sort_by_key(|&i| list.source[i as usize]);
    let mut sorted = FlowList::new(list.parts);
    for i in by {
        sorted.push(
            list.source[i as usize],
            list.destinations(i as usize),
            list.weight[i as usize],
        );
    }
    sorted
}

/// Adjacency in one direction.
struct Links {
    start: Vec<u32>,
    to: Vec<u32>,
}

impl Links {
    fn new(n: usize) -> Links {
        Links {
            start: vec![0; n + 2],
            to: vec![],
        }
    }

    fn count(&mut self, s: u32, n: usize) {
        self.start[s as usize + 2] = self.start[s as usize + 2].saturating_add(n as u32);
    }

    fn total(&self) -> u64 {
        if self.to.is_empty() {
            self.start.iter().map(|&n| n as u64).sum()
        } else {
            self.to.len() as u64
        }
    }

    fn ready(&mut self) {
        let total = self.total();
        for i in 2..self.start.len() {
            self.start[i] += self.start[i - 1];
        }
        self.to = vec![0; total as usize];
    }

    fn put(&mut self, s: u32, t: u32) {
        let k = &mut self.start[s as usize + 1];
        self.to[*k as usize] = t;
        *k += 1;
    }

    fn done(&mut self) {
        self.start.pop();
    }

    fn of(&self, p: u32) -> &[u32] {
        &self.to[self.start[p as usize] as usize..self.start[p as usize + 1] as usize]
    }

    fn turned(&self) -> Links {
        let n = self.start.len() - 1;
        let mut t = Links::new(n);
        self.to.iter().for_each(|&p| t.count(p, 1));
        t.ready();
        (0..n as u32).for_each(|p| self.of(p).iter().for_each(|&q| t.put(q, p)));
        t.done();
        t
    }
}

/// Longest path from a source to each part (`u32::MAX`: exchanges nothing); `None` unless every link spans one level.
fn levels(out: &Links, into: &Links) -> Option<Vec<u32>> {
    let n = out.start.len() - 1;
    let mut level = vec![u32::MAX; n];
    let mut open: Vec<u32> = (0..n as u32).map(|p| into.of(p).len() as u32).collect();
    let mut queue: Vec<u32> = (0..n as u32)
        .filter(|&p| open[p as usize] == 0 && !out.of(p).is_empty())
        .collect();
    queue.iter().for_each(|&p| level[p as usize] = 0);
    let mut head = 0;
    while head < queue.len() {
        let p = queue[head];
        head += 1;
        for &q in out.of(p) {
            let next = level[p as usize] + 1;
            if level[q as usize] != u32::MAX && level[q as usize] != next {
                return None;
            }
            level[q as usize] = next;
            open[q as usize] -= 1;
            if open[q as usize] == 0 {
                queue.push(q);
            }
        }
    }
    open.iter().all(|&o| o == 0).then_some(level)
}

/// Puts parts of each layer in the order of their neighbours' positions: first layers 0 and 1 by distance from an end, then outward by mean
/// position of predecessors, a few times up and down.
fn order(layers: &mut [Vec<u32>], out: &Links, into: &Links) {
    let n = out.start.len() - 1;
    let mut pos = vec![0.0f64; n];
    if layers.len() < 2 {
        return;
    }
    ends_first(layers, out, into, &mut pos);
    for _ in 0..60 {
        // Smoothing between the first two layers settles ties that distances leave.
        settle(&mut layers[1], into, &mut pos);
        settle(&mut layers[0], out, &mut pos);
    }
    for _ in 0..3 {
        for layer in layers.iter_mut().skip(1) {
            settle(layer, into, &mut pos);
        }
        for layer in layers.iter_mut().rev().skip(1) {
            settle(layer, out, &mut pos);
        }
    }
}

/// Sorts a layer by mean position of its neighbours in `links`, and numbers it evenly over [0, 1].
fn settle(layer: &mut [u32], links: &Links, pos: &mut [f64]) {
    let mut key: Vec<(f64, f64, u32)> = layer
        .iter()
        .map(|&p| {
            let l = links.of(p);
            let mean = if l.is_empty() {
                pos[p as usize]
            } else {
                l.iter().map(|&q| pos[q as usize]).sum::<f64>() / l.len() as f64
            };
            (mean, pos[p as usize], p)
        })
        .collect();
    key.sort_by(|a, b| {
        a.0.total_cmp(&b.0)
            .then(a.1.total_cmp(&b.1))
            .then(a.2.cmp(&b.2))
    });
    let last = (layer.len() as f64 - 1.0).max(1.0);
    for (i, (k, slot)) in key.into_iter().zip(layer.iter_mut()).enumerate() {
        *slot = k.2;
        pos[k.2 as usize] = i as f64 / last;
    }
}

/// Distance between parts of the first two layers from a part at an end (two breadth-first searches), as first positions.
fn ends_first(layers: &mut [Vec<u32>], out: &Links, into: &Links, pos: &mut [f64]) {
    let in_first: std::collections::BTreeSet<u32> = layers[0].iter().copied().collect();
    let mut far = layers[0][0];
    for _ in 0..3 {
        let mut dist = std::collections::BTreeMap::from([(far, 0u32)]);
        let mut queue = std::collections::VecDeque::from([far]);
        let mut last = far;
        while let Some(p) = queue.pop_front() {
            let d = dist[&p];
            if in_first.contains(&p) {
                last = p;
            }
            let near = if in_first.contains(&p) {
                out.of(p)
            } else {
                into.of(p)
            };
            for &q in near {
                dist.entry(q).or_insert_with(|| {
                    queue.push_back(q);
                    d + 1
                });
            }
        }
        dist.iter().for_each(|(&p, &d)| pos[p as usize] = d as f64);
        far = last;
    }
    for l in &mut layers[..2] {
        l.sort_by(|&a, &b| pos[a as usize].total_cmp(&pos[b as usize]).then(a.cmp(&b)));
        let last = (l.len() as f64 - 1.0).max(1.0);
        l.iter()
            .enumerate()
            .for_each(|(i, &p)| pos[p as usize] = i as f64 / last);
    }
}
