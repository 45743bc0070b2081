//! Rows: a part that sends to every part of a set, to each with a weight of its own. Destinations are taken column by column in runs of neighbouring rows, so that what
//! a packet adds to the difference arrays of link loads becomes a few sums over contiguous memory; the numbers are those of [`super::boxes`] and
//! [`super::tree`] up to rounding.

use super::boxes::LinkLoad;
use super::tree::Lanes;
use super::unicast::Places;
use crate::map::flow::Row;
use crate::map::layout::curve::Cell;
use std::ops::Range;

/// Destinations in one column and in successive rows.
struct Run {
    column: u32,
    row: u32,
    /// In the order of `Rows::order`.
    at: Range<usize>,
}

/// Sums over rows. See the module.
pub struct Rows {
    /// Destinations that the fields below are about.
    to: Range<u32>,
    /// Destinations by column and row, counted from the first.
    order: Vec<u32>,
    in_order: bool,
    /// Rows from the first destination's to the last one's.
    rows: Range<usize>,
    runs: Vec<Run>,
    weight: Vec<f64>,
    share: Vec<f64>,
    far: Vec<f64>,
    /// What falls on the source's own column: of links across, of links along before it and behind it.
    own: [Vec<f64>; 3],
    middle: usize,
}

/// What a row comes to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Packets.
    pub packets: f64,
    /// Packets times links.
    pub hops: f64,
    /// Links, with one packet a destination.
    pub plain: u64,
    /// Longest way.
    pub longest: u32,
}

impl Rows {
    /// For a mesh of `x` columns and `y` rows.
    pub fn new(x: u32, y: u32) -> Rows {
        let n = x.max(y) as usize + 1;
        let d = |k: usize| k.abs_diff(n) as f64;
        let own = vec![0.0; y as usize + 1];
        Rows {
            to: 0..0,
            order: vec![],
            in_order: true,
            rows: 0..0,
            runs: vec![],
            weight: vec![],
            share: (0..2 * n + 1).map(|k| 1.0 / (d(k) + 1.0)).collect(),
            far: (0..2 * n + 1).map(d).collect(),
            own: [own.clone(), own.clone(), own],
            middle: n,
        }
    }

    /// Turns to other destinations.
    fn turn(&mut self, to: &Range<u32>, p: &Places) {
        self.to = to.clone();
        let at = |i: &u32| p.at[(to.start + i) as usize];
        self.order = (0..to.len() as u32).collect();
        self.in_order = self.order.is_sorted_by_key(at);
        self.order.sort_by_key(at);
        let rows = || to.clone().map(|i| p.at[i as usize].1 as usize);
        self.rows = rows().min().unwrap_or(0)..rows().max().unwrap_or(0) + 1;
        self.runs.clear();
        for (k, i) in self.order.iter().enumerate() {
            let (column, row) = at(i);
            match self.runs.last_mut() {
                Some(r) if r.column == column && r.row + r.at.len() as u32 == row => {
                    r.at.end = k + 1;
                }
                _ => self.runs.push(Run {
                    column,
                    row,
                    at: k..k + 1,
                }),
            }
        }
    }

    /// Adds a row to the loads of links under unicast and under trees.
    pub fn add(&mut self, row: &Row, p: &Places, load: &mut LinkLoad, lanes: &mut Lanes) -> Sums {
        if self.to != row.to {
            self.turn(&row.to, p);
        }
        let at = p.at[row.from as usize];
        let mut weight = std::mem::take(&mut self.weight);
        let w: &[f64] = if self.in_order {
            row.weight
        } else {
            weight.clear();
            weight.extend(self.order.iter().map(|&i| row.weight[i as usize]));
            &weight
        };
        let mut sums = Sums::default();
        for k in 0..self.runs.len() {
            let run = self.runs[k].at.clone();
            self.run(k, &w[run], at, load, lanes, &mut sums);
        }
        self.weight = weight;
        // Rows up to one beyond the last are written to.
        let (x, y, stride) = (at.0 as usize, at.1 as usize, load.stride());
        let rows = self.rows.start.min(y)..self.rows.end.max(y + 1) + 1;
        let [mine, before, behind] = &mut self.own;
        let along = &mut load.along[x * stride..];
        settle(
            &mut mine[rows.clone()],
            &mut load.across[x * stride..][rows.clone()],
        );
        settle(&mut before[rows.clone()], &mut along[rows.clone()]);
        settle(&mut behind[rows.clone()], &mut along[stride..][rows]);
        sums
    }

    /// One run's share of a row.
    fn run(
        &mut self,
        k: usize,
        w: &[f64],
        (x, y): Cell,
        load: &mut LinkLoad,
        lanes: &mut Lanes,
        sums: &mut Sums,
    ) {
        let Run { column: c, row, .. } = self.runs[k];
        let (stride, across, n) = (load.stride(), c.abs_diff(x), w.len());
        let (y, row, line) = (y as usize, row as usize, c as usize);
        let low = y.saturating_sub(row).min(n);
        let side = (c > x) as i32 as f64 - (c < x) as i32 as f64;
        // An upright box ends before the source's column or behind it, and at the destination's on the other side.
        let [mine, before, behind] = &mut self.own;
        let (own, other, sign) = if c < x {
            (behind, line, 1.0)
        } else {
            (before, line + 1, -1.0)
        };
        let upright = sign * self.share[self.middle + across as usize];
        let table = self.middle + row - y;
        let there = &mut load.across[line * stride..(line + 1) * stride];
        let other = &mut load.along[other * stride..(other + 1) * stride];
        let upward = line * lanes.y..(line + 1) * lanes.y;
        for (range, sign) in [(0..low, 1.0), (low..n, -1.0)] {
            if range.is_empty() {
                continue;
            }
            let first = row + range.start;
            let (share, far) = (&self.share[table..], &self.far[table..]);
            let part = &w[range.clone()];
            let (share, far) = (&share[range.clone()], &far[range.clone()]);
            let [packets, shared, upright_hops] = sum(part, share, far);
            let end = first + (sign < 0.0) as usize;
            let (a, b) = (sign * side, sign * upright);
            if side != 0.0 {
                spread(part, share, a, &mut there[end..], &mut mine[end..]);
                let at = y + (sign > 0.0) as usize;
                there[at] += a * shared;
                mine[at] -= a * shared;
            }
            let lane = if sign > 0.0 {
                &mut lanes.south
            } else {
                &mut lanes.north
            };
            let lane = &mut lane.0[upward.clone()];
            let rest = (&mut other[first..], &mut own[first..]);
            climb(part, b, sign, rest.0, rest.1, &mut lane[first..]);
            other[y] -= b * packets;
            own[y] += b * packets;
            lane[y] -= sign * packets;
            lanes.level((x, y as u32), c, packets);
            sums.packets += packets;
            sums.hops += upright_hops + packets * across as f64;
        }
        let apart = |r: usize| r.abs_diff(y) as u64;
        sums.longest = sums
            .longest
            .max(across + apart(row).max(apart(row + n - 1)) as u32);
        sums.plain += across as u64 * n as u64;
        let upto = |k: usize| (k * (k + 1) / 2) as u64;
        if low > 0 {
            sums.plain += upto(y - row) - upto(y - row - low);
        }
        if low < n {
            let near = row + low - y;
            sums.plain += upto(near + n - low - 1) - upto(near.saturating_sub(1));
        }
    }
}

/// Adds to a column what was collected for it, and clears it.
fn settle(own: &mut [f64], column: &mut [f64]) {
    for (v, c) in own.iter_mut().zip(column) {
        *c += std::mem::take(v);
    }
}

/// Weights, weights times share, weights times distance. Four partial sums each.
fn sum(w: &[f64], share: &[f64], far: &[f64]) -> [f64; 3] {
    let mut sums = [[0.0; 4]; 3];
    let lists = (
        w.chunks_exact(4),
        share.chunks_exact(4),
        far.chunks_exact(4),
    );
    let rest = (
        lists.0.remainder(),
        lists.1.remainder(),
        lists.2.remainder(),
    );
    for ((w, s), f) in lists.0.zip(lists.1).zip(lists.2) {
        for i in 0..4 {
            sums[0][i] += w[i];
            sums[1][i] += w[i] * s[i];
            sums[2][i] += w[i] * f[i];
        }
    }
    for (i, w) in rest.0.iter().enumerate() {
        sums[0][i] += w;
        sums[1][i] += w * rest.1[i];
        sums[2][i] += w * rest.2[i];
    }
    sums.map(|s| (s[0] + s[1]) + (s[2] + s[3]))
}

/// Shares of weights go off the destination's column and onto the source's.
fn spread(w: &[f64], share: &[f64], sign: f64, there: &mut [f64], mine: &mut [f64]) {
    for (((w, s), t), m) in w.iter().zip(share).zip(there).zip(mine) {
        let v = sign * w * s;
        *t -= v;
        *m += v;
    }
}

/// Upright boxes, and the upright stretches of trees.
fn climb(w: &[f64], upright: f64, sign: f64, other: &mut [f64], own: &mut [f64], lane: &mut [f64]) {
    for (((w, o), m), l) in w.iter().zip(other).zip(own).zip(lane) {
        let v = upright * w;
        *o += v;
        *m -= v;
        *l += sign * w;
    }
}
