//! Refinement of a placement by exchanging the contents of two cells (either may be empty): greedy sweeps over neighbouring cells, and
//! simulated annealing over a shrinking window. A [`Metric`] says how far cells are apart.

use super::graph::Graph;
use crate::map::rng::Rng;
use crate::map::score::unicast::Places;
use crate::map::search::Budget;

/// No part.
pub const EMPTY: u32 = u32::MAX;
/// A cell that holds no part and never will.
pub const BLOCKED: u32 = u32::MAX - 1;

/// How far apart cells are, for a search.
pub trait Metric {
    /// Distance from `p` to `to`, less that to `from`.
    fn change(&self, p: (i32, i32), from: (i32, i32), to: (i32, i32)) -> f32;
    /// The cell at these numbers, counted around the edges where these wrap; `None` outside.
    fn inside(&self, x: i64, y: i64) -> Option<(i32, i32)>;
}

/// A mesh of so many columns and rows.
#[derive(Clone, Copy, Debug)]
pub struct Mesh(pub u32, pub u32);

impl Metric for Mesh {
    #[inline]
    fn change(&self, p: (i32, i32), from: (i32, i32), to: (i32, i32)) -> f32 {
        let d =
            (p.0 - to.0).abs() + (p.1 - to.1).abs() - (p.0 - from.0).abs() - (p.1 - from.1).abs();
        d as f32
    }

    #[inline]
    fn inside(&self, x: i64, y: i64) -> Option<(i32, i32)> {
        let fits = x >= 0 && y >= 0 && x < self.0 as i64 && y < self.1 as i64;
        fits.then_some((x as i32, y as i32))
    }
}

/// A placement under change.
pub struct Board<'a, M> {
    graph: &'a Graph,
    metric: M,
    x: u32,
    y: u32,
    at: Vec<(i32, i32)>,
    cell: Vec<u32>,
}

impl<'a, M: Metric> Board<'a, M> {
    /// From positions, and cells that stay as they are.
    pub fn new(graph: &'a Graph, metric: M, p: &Places, blocked: &[(u32, u32)]) -> Board<'a, M> {
        let mut cell = vec![EMPTY; p.x as usize * p.y as usize];
        for (i, a) in p.at.iter().enumerate() {
            cell[a.0 as usize * p.y as usize + a.1 as usize] = i as u32;
        }
        for b in blocked {
            cell[b.0 as usize * p.y as usize + b.1 as usize] = BLOCKED;
        }
        Board {
            graph,
            metric,
            x: p.x,
            y: p.y,
            at: p.at.iter().map(|a| (a.0 as i32, a.1 as i32)).collect(),
            cell,
        }
    }

    /// Positions.
    pub fn places(&self) -> Places {
        Places {
            x: self.x,
            y: self.y,
            at: self.at.iter().map(|a| (a.0 as u32, a.1 as u32)).collect(),
        }
    }

    /// Change of weighted distance when part `i` goes to `to`; `other` is held at its own place.
    #[inline]
    fn moved(&self, i: u32, to: (i32, i32), other: u32) -> f32 {
        let from = self.at[i as usize];
        let mut sum = 0.0;
        for (n, w) in self.graph.around(i) {
            if n != other {
                sum += w * self.metric.change(self.at[n as usize], from, to);
            }
        }
        sum
    }

    /// Change of weighted distance when the contents of two cells are exchanged.
    #[inline]
    pub fn gain(&self, a: usize, b: usize) -> f32 {
        let (p, q) = (self.cell[a], self.cell[b]);
        if p == BLOCKED || q == BLOCKED {
            return f32::INFINITY;
        }
        let (pa, pb) = (self.place(a), self.place(b));
        let mut d = 0.0;
        if p != EMPTY {
            d += self.moved(p, pb, q);
        }
        if q != EMPTY {
            d += self.moved(q, pa, p);
        }
        d
    }

    #[inline]
    fn place(&self, cell: usize) -> (i32, i32) {
        (
            (cell / self.y as usize) as i32,
            (cell % self.y as usize) as i32,
        )
    }

    /// The part in a cell, or [`EMPTY`] or [`BLOCKED`].
    pub fn part(&self, cell: usize) -> u32 {
        self.cell[cell]
    }

    /// The cell of a part.
    pub fn cell_of(&self, part: u32) -> usize {
        let (x, y) = self.at[part as usize];
        x as usize * self.y as usize + y as usize
    }

    /// Exchanges the contents of two cells.
    #[inline]
    pub fn swap(&mut self, a: usize, b: usize) {
        let (p, q) = (self.cell[a], self.cell[b]);
        self.cell.swap(a, b);
        if p != EMPTY {
            self.at[p as usize] = self.place(b);
        }
        if q != EMPTY {
            self.at[q as usize] = self.place(a);
        }
    }

    /// One sweep of greedy exchanges at offset (`dx`, `dy`); the gain.
    pub fn sweep(&mut self, dx: u32, dy: u32) -> f64 {
        let mut sum = 0.0;
        let y = self.y as usize;
        for i in 0..self.x.saturating_sub(dx) as usize {
            for j in 0..self.y.saturating_sub(dy) as usize {
                let (a, b) = (i * y + j, (i + dx as usize) * y + j + dy as usize);
                let d = self.gain(a, b);
                if d < -1e-4 {
                    self.swap(a, b);
                    sum -= d as f64;
                }
            }
        }
        sum
    }

    /// Annealing: `moves` exchanges within `window` cells, temperature from `hot` to `cold` geometrically.
    pub fn anneal(
        &mut self,
        moves: u64,
        (hot, cold): (f64, f64),
        window: (f64, f64),
        rng: &mut Rng,
        budget: &Budget,
    ) {
        let steps = 200u64;
        let each = moves.div_ceil(steps);
        for s in 0..steps {
            if budget.over() {
                return;
            }
            budget.tell("place", s, steps);
            let f = s as f64 / steps as f64;
            let t = (hot * (cold / hot).powf(f)) as f32;
            let r = (window.0 * (window.1 / window.0).powf(f)).max(1.0) as u64;
            for _ in 0..each {
                let a = rng.below(self.cell.len() as u64) as usize;
                let (x, y) = self.place(a);
                let (u, v) = (
                    rng.below(2 * r + 1) as i64 - r as i64,
                    rng.below(2 * r + 1) as i64 - r as i64,
                );
                if u == 0 && v == 0 {
                    continue;
                }
                let Some(to) = self.metric.inside(x as i64 + u, y as i64 + v) else {
                    continue;
                };
                let b = to.0 as usize * self.y as usize + to.1 as usize;
                if a == b {
                    continue;
                }
                let d = self.gain(a, b);
                if d <= 0.0 || (d < 12.0 * t && (rng.unit() as f32) < (-d / t).exp()) {
                    self.swap(a, b);
                }
            }
        }
    }
}

/// Greedy sweeps until `rounds` are done or the gain dries up.
pub fn descend<M: Metric>(b: &mut Board<M>, rounds: u32, offsets: &[(u32, u32)]) {
    for _ in 0..rounds {
        let g: f64 = offsets.iter().map(|&(x, y)| b.sweep(x, y)).sum();
        if g < 1e-9 {
            break;
        }
    }
}
