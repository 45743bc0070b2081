//! The undirected traffic between parts: what unicast distance depends on. Parallel and opposite edges are merged.

use crate::map::flow::Flows;

/// Neighbours of every part, ascending, and the packets exchanged with each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Ranges into the other two.
    pub start: Vec<u32>,
    /// Neighbours.
    pub to: Vec<u32>,
    /// Packets.
    pub weight: Vec<f32>,
}

impl Graph {
    /// Two passes over the flows.
    pub fn new(flows: &impl Flows) -> Graph {
        let n = flows.parts() as usize;
        let mut start = vec![0u32; n + 2];
        flows.each(&mut |s, to, _| {
            for &t in to {
                start[s as usize + 2] += 1;
                start[t as usize + 2] += 1;
            }
        });
        for i in 2..n + 2 {
            start[i] += start[i - 1];
        }
        let m = start[n + 1] as usize;
        let mut g = Graph {
            start: vec![],
            to: vec![0; m],
            weight: vec![0.0; m],
        };
        flows.each(&mut |s, to, w| {
            for &t in to {
                for (a, b) in [(s, t), (t, s)] {
                    let at = &mut start[a as usize + 1];
                    g.to[*at as usize] = b;
                    g.weight[*at as usize] = w as f32;
                    *at += 1;
                }
            }
        });
        start.pop();
        g.start = start;
        g.merge();
        g
    }

    fn merge(&mut self) {
        let n = self.start.len() - 1;
        let mut list: Vec<(u32, f32)> = vec![];
        let mut end = 0usize;
        let mut from = 0usize;
        for i in 0..n {
            let to = self.start[i + 1] as usize;
            list.clear();
            list.extend((from..to).map(|k| (self.to[k], self.weight[k])));
            list.sort_by_key(|e| e.0);
            let first = end;
            for &(t, w) in &list {
                if end > first && self.to[end - 1] == t {
                    self.weight[end - 1] += w;
                } else {
                    self.to[end] = t;
                    self.weight[end] = w;
                    end += 1;
                }
            }
            from = to;
            self.start[i + 1] = end as u32;
        }
        self.to.truncate(end);
        self.weight.truncate(end);
    }

    /// Number of parts.
    pub fn parts(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    /// (neighbour, packets) of part `i`.
    #[inline]
    pub fn around(&self, i: u32) -> impl Iterator<Item = (u32, f32)> + '_ {
        let r = self.start[i as usize] as usize..self.start[i as usize + 1] as usize;
        self.to[r.clone()]
            .iter()
            .copied()
            .zip(self.weight[r].iter().copied())
    }
}
