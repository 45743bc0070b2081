//! Refinement by exchanging neighbouring cells, fast enough for a million parts in a second.
//!
//! Every part keeps what one step to each of the four sides would cost (unicast packets times links). An exchange of neighbours then costs
//! O(1) to judge and O(degree) to make. Sweeps run over the mesh in memory order at a falling temperature (threshold by a table of
//! logarithms), the last ones downhill only. Weights are 8-bit fractions of the largest (a placement of a million parts fits 100 MB, and the loss is below a thousandth), all else integers: the same on every machine.

use super::curve::Cell;
use crate::map::flow::Flows;
use crate::map::rng::Rng;

const EMPTY: u32 = u32::MAX;

/// A mesh whose contents are exchanged.
pub struct Ripple {
    x: usize,
    y: usize,
    /// Part (numbered by first cell) in each cell, `x * rows + y`.
    cell: Vec<u32>,
    at: Vec<(i16, i16)>,
    /// Cost of a step right, left, up, down.
    pull: Vec<[i32; 4]>,
    start: Vec<u32>,
    to: Vec<u32>,
    weight: Vec<u8>,
    /// Part of the network for each part here.
    name: Vec<u32>,
    mean: f64,
}

/// Largest mesh side and number of edge ends that the compact numbers hold.
const SIDE: u32 = i16::MAX as u32;

impl Ripple {
    /// From a placement, which is given back where the numbers are too large.
    pub fn new(flows: &impl Flows, x: u32, y: u32, at: Vec<Cell>) -> Result<Ripple, Vec<Cell>> {
        if x > SIDE || y > SIDE {
            return Err(at);
        }
        let (cols, rows) = (x as usize, y as usize);
        let mut cell = vec![EMPTY; cols * rows];
        for (i, c) in at.iter().enumerate() {
            cell[c.0 as usize * rows + c.1 as usize] = i as u32;
        }
        let mut rank = vec![0u32; at.len()];
        let mut name = Vec::with_capacity(at.len());
        for c in cell.iter_mut().filter(|c| **c != EMPTY) {
            rank[*c as usize] = name.len() as u32;
            name.push(*c);
            *c = name.len() as u32 - 1;
        }
        let mut start = vec![0u32; at.len() + 2];
        let (mut ends, mut most, mut sum) = (0u64, 0.0f64, 0.0f64);
        flows.each(&mut |s, to, w| {
            ends += 2 * to.len() as u64;
            most = most.max(w);
            sum += w * to.len() as f64;
            if ends < u32::MAX as u64 {
                for &t in to {
                    start[rank[s as usize] as usize + 2] += 1;
                    start[rank[t as usize] as usize + 2] += 1;
                }
            }
        });
        if ends >= u32::MAX as u64 {
            return Err(at);
        }
        for i in 2..start.len() {
            start[i] += start[i - 1];
        }
        let scale = if most > 0.0 { 255.0 / most } else { 0.0 };
        let (mut to, mut weight) = (vec![0u32; ends as usize], vec![0u8; ends as usize]);
        flows.each(&mut |s, list, w| {
            let w = (w * scale).round() as u8;
            for &t in list {
                for (a, b) in [
                    (rank[s as usize], rank[t as usize]),
                    (rank[t as usize], rank[s as usize]),
                ] {
                    let k = &mut start[a as usize + 1];
                    to[*k as usize] = b;
                    weight[*k as usize] = w;
                    *k += 1;
                }
            }
        });
        start.pop();
        drop(rank);
        let small: Vec<(i16, i16)> = name
            .iter()
            .map(|&n| (at[n as usize].0 as i16, at[n as usize].1 as i16))
            .collect();
        drop(at);
        let mean = sum * scale / (ends as f64 / 2.0).max(1.0);
        let mut r = Ripple {
            x: cols,
            y: rows,
            cell,
            at: small,
            pull: vec![],
            start,
            to,
            weight,
            name,
            mean,
        };
        r.pull = (0..r.name.len()).map(|i| r.pulls(i)).collect();
        Ok(r)
    }

    fn pulls(&self, i: usize) -> [i32; 4] {
        let a = self.at[i];
        let mut p = [0i32; 4];
        for k in self.start[i] as usize..self.start[i + 1] as usize {
            let (b, w) = (self.at[self.to[k] as usize], self.weight[k] as i32);
            p[0] += if a.0 >= b.0 { w } else { -w };
            p[1] += if a.0 <= b.0 { w } else { -w };
            p[2] += if a.1 >= b.1 { w } else { -w };
            p[3] += if a.1 <= b.1 { w } else { -w };
        }
        p
    }

    /// Part `i` takes one step to side `d`.
    #[inline]
    fn step(&mut self, i: u32, d: usize) {
        let i = i as usize;
        let upright = d >= 2;
        let (plus, minus) = if upright { (2, 3) } else { (0, 1) };
        let sign: i16 = if d.is_multiple_of(2) { 1 } else { -1 };
        let from = if upright { self.at[i].1 } else { self.at[i].0 };
        let here = from + sign;
        let (mut own_plus, mut own_minus) = (0i32, 0i32);
        // A step changes the pulls of neighbours level with the old or the new place, and the part's own for the same ones.
        let (same, past) = if sign > 0 {
            (minus, plus)
        } else {
            (plus, minus)
        };
        for k in self.start[i] as usize..self.start[i + 1] as usize {
            let n = self.to[k] as usize;
            let b = if upright { self.at[n].1 } else { self.at[n].0 };
            if b != from && b != here {
                continue;
            }
            let w = 2 * self.weight[k] as i32;
            if b == from {
                self.pull[n][past] -= w;
                own_minus -= w;
            } else {
                self.pull[n][same] += w;
                own_plus += w;
            }
        }
        self.pull[i][past] += own_plus;
        self.pull[i][same] += own_minus;
        if upright {
            self.at[i].1 = here;
        } else {
            self.at[i].0 = here;
        }
    }

    fn between(&self, p: u32, q: u32) -> i32 {
        let r = self.start[p as usize] as usize..self.start[p as usize + 1] as usize;
        r.filter(|&k| self.to[k] == q)
            .map(|k| self.weight[k] as i32)
            .sum()
    }

    #[inline]
    fn attempt(&mut self, a: usize, b: usize, d: usize, limit: i32) -> bool {
        let (p, q) = (self.cell[a], self.cell[b]);
        let mut cost = 0i32;
        if p != EMPTY {
            cost += self.pull[p as usize][d];
        }
        if q != EMPTY {
            cost += self.pull[q as usize][d ^ 1];
        }
        if cost >= limit || (p == EMPTY && q == EMPTY) {
            return false;
        }
        if p != EMPTY && q != EMPTY {
            cost += 2 * self.between(p, q);
            if cost >= limit {
                return false;
            }
        }
        if p != EMPTY {
            self.step(p, d);
        }
        if q != EMPTY {
            self.step(q, d ^ 1);
        }
        self.cell.swap(a, b);
        true
    }

    /// One pass over all pairs of neighbours; exchanges made. `heat` in mean packets.
    pub fn sweep(&mut self, heat: f64, rng: &mut Rng) -> u64 {
        let mut table = [0i32; 1024];
        for (i, t) in table.iter_mut().enumerate() {
            *t = (-heat * self.mean * ((i as f64 + 0.5) / 1024.0).ln()).min(1e9) as i32;
        }
        let mut state = rng.bits();
        let mut made = 0;
        for i in 0..self.x {
            for j in 0..self.y {
                let a = i * self.y + j;
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                if j + 1 < self.y {
                    made += self.attempt(a, a + 1, 2, table[(state >> 54) as usize]) as u64;
                }
                if i + 1 < self.x {
                    made +=
                        self.attempt(a, a + self.y, 0, table[(state >> 44) as usize & 1023]) as u64;
                }
            }
        }
        made
    }

    /// `sweeps` passes with heat falling from `hot` to `cold` mean packets, then downhill until nothing changes (at most 20).
    pub fn run(&mut self, sweeps: u32, hot: f64, cold: f64, rng: &mut Rng) {
        for s in 0..sweeps {
            let f = s as f64 / sweeps.max(1) as f64;
            self.sweep(hot + (cold - hot) * f, rng);
        }
        for _ in 0..20 {
            if self.sweep(0.0, rng) == 0 {
                break;
            }
        }
    }

    /// Position of each part of the network.
    pub fn places(mut self) -> Vec<Cell> {
        // The edges are most of the memory, and not needed any more.
        (self.to, self.weight, self.pull) = (vec![], vec![], vec![]);
        let mut out = vec![(0, 0); self.name.len()];
        for (i, &n) in self.name.iter().enumerate() {
            out[n as usize] = (self.at[i].0 as u32, self.at[i].1 as u32);
        }
        out
    }
}
