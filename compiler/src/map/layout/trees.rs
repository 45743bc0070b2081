//! Refinement of a placement for multicast: exchanges of the contents of two cells, judged by the links of the X-then-Y trees themselves.
//!
//! A trial recounts the trees of the two parts' flows, O(destinations of those flows); annealing over a shrinking window, then downhill. The
//! temperature begins where a third of the trials that lose would be accepted.

use super::Grid;
use super::anneal::{BLOCKED, EMPTY};
use super::curve::Cell;
use crate::map::fabric::{Grower, Ways};
use crate::map::flow::{FlowList, Flows};
use crate::map::net::Lists;
use crate::map::rng::Rng;
use crate::map::score::unicast::Places;
use crate::map::search::Search;

struct Forest<'a> {
    flows: &'a FlowList,
    /// Flows that start or end in each part.
    of: Lists,
    x: u32,
    y: u32,
    at: Vec<Cell>,
    cell: Vec<u32>,
    /// On what is no plain mesh: its ways.
    ways: Option<(Ways, Grower)>,
    /// Links of each flow's tree, by cost.
    links: Vec<f32>,
    low: Vec<u32>,
    high: Vec<u32>,
    column: Vec<u64>,
    flow: Vec<u64>,
    now: u64,
    /// Flows of the trial under way, and their links in it.
    open: Vec<(u32, f32)>,
}

impl<'a> Forest<'a> {
    fn new(flows: &'a FlowList, grid: &Grid, at: Vec<Cell>) -> Forest<'a> {
        let mut ends = Lists {
            start: vec![0],
            to: vec![],
        };
        for (i, &s) in flows.source.iter().enumerate() {
            ends.to.push(s);
            ends.to.extend(flows.destinations(i));
            ends.start.push(ends.to.len() as u64);
        }
        let mut cell = vec![EMPTY; grid.x as usize * grid.y as usize];
        for (p, a) in at.iter().enumerate() {
            cell[(a.0 * grid.y + a.1) as usize] = p as u32;
        }
        for b in &grid.blocked {
            cell[(b.0 * grid.y + b.1) as usize] = BLOCKED;
        }
        let mut f = Forest {
            of: ends.turned(at.len()),
            x: grid.x,
            y: grid.y,
            cell,
            ways: (!grid.fabric.plain()).then(|| {
                let ways = Ways::new(grid.x, grid.y, &grid.fabric);
                let grower = Grower::new(&ways);
                (ways, grower)
            }),
            links: vec![0.0; flows.source.len()],
            low: vec![0; grid.x as usize],
            high: vec![0; grid.x as usize],
            column: vec![0; grid.x as usize],
            flow: vec![0; flows.source.len()],
            now: 0,
            open: vec![],
            at,
            flows,
        };
        for i in 0..f.links.len() {
            f.links[i] = f.tree(i);
        }
        f
    }

    /// Links of the tree of flow `i` as things stand.
    fn tree(&mut self, i: usize) -> f32 {
        if let Some((ways, grower)) = &mut self.ways {
            let at = &self.at;
            let to = self.flows.destinations(i).iter().map(|&t| at[t as usize]);
            let from = at[self.flows.source[i] as usize];
            let mut cost = 0.0;
            grower.tree(ways, from, to, &mut |link| cost += ways.hop(link));
            return cost as f32;
        }
        self.now += 1;
        let a = self.at[self.flows.source[i] as usize];
        let (mut x0, mut x1, mut upright) = (a.0, a.0, 0u32);
        for &t in self.flows.destinations(i) {
            let b = self.at[t as usize];
            let k = b.0 as usize;
            if self.column[k] != self.now {
                self.column[k] = self.now;
                (self.low[k], self.high[k]) = (a.1, a.1);
            }
            if b.1 < self.low[k] {
                upright += self.low[k] - b.1;
                self.low[k] = b.1;
            } else if b.1 > self.high[k] {
                upright += b.1 - self.high[k];
                self.high[k] = b.1;
            }
            x0 = x0.min(b.0);
            x1 = x1.max(b.0);
        }
        (x1 - x0 + upright) as f32
    }

    fn exchange(&mut self, a: usize, b: usize) {
        self.cell.swap(a, b);
        for c in [a, b] {
            if let Some(p) = self.at.get_mut(self.cell[c] as usize) {
                *p = (c as u32 / self.y, c as u32 % self.y);
            }
        }
    }

    /// Exchanges the contents of two cells if that costs less than `limit`; the cost, or 0 where it was not done.
    fn attempt(&mut self, a: usize, b: usize, limit: f64) -> f64 {
        let (p, q) = (self.cell[a], self.cell[b]);
        if p == BLOCKED || q == BLOCKED || p == q {
            return 0.0;
        }
        self.exchange(a, b);
        self.now += 1;
        let mark = self.now;
        let mut open = std::mem::take(&mut self.open);
        open.clear();
        for part in [p, q] {
            if part == EMPTY {
                continue;
            }
            for k in self.of.start[part as usize]..self.of.start[part as usize + 1] {
                let i = self.of.to[k as usize];
                if self.flow[i as usize] != mark {
                    self.flow[i as usize] = mark;
                    open.push((i, 0.0));
                }
            }
        }
        let mut cost = 0.0;
        for (i, links) in &mut open {
            *links = self.tree(*i as usize);
            let old = self.links[*i as usize];
            cost += self.flows.weight[*i as usize] * (*links - old) as f64;
        }
        let taken = cost < limit;
        if taken {
            open.iter()
                .for_each(|&(i, links)| self.links[i as usize] = links);
        } else {
            self.exchange(a, b);
        }
        self.open = open;
        if taken { cost } else { 0.0 }
    }

    /// Two cells at most `r` apart in each direction, not both empty.
    fn pair(&self, r: u64, rng: &mut Rng) -> Option<(usize, usize)> {
        let p = rng.below(self.at.len() as u64) as usize;
        let (x, y) = self.at[p];
        let mut step = |c: u32, n: u32| {
            let d = c as i64 + rng.below(2 * r + 1) as i64 - r as i64;
            (d >= 0 && d < n as i64).then_some(d as u32)
        };
        let (u, v) = (step(x, self.x)?, step(y, self.y)?);
        let (a, b) = ((x * self.y + y) as usize, (u * self.y + v) as usize);
        (a != b).then_some((a, b))
    }
}

/// Destinations that may be looked at by effort, and trials a part.
const WORK: [f64; 4] = [0.0, 1e9, 6e9, 3e10];
const TRIALS: [f64; 4] = [0.0, 4000.0, 16_000.0, 60_000.0];
const STEPS: u64 = 100;

/// A placement with fewer links in its trees; never more than that of `places`.
pub fn grow(flows: &impl Flows, grid: &Grid, places: &Places, search: &Search) -> Vec<Cell> {
    let mut list = FlowList::new(flows.parts());
    flows.each(&mut |s, to, w| list.push(s, to, w));
    let n = places.at.len();
    let mut f = Forest::new(&list, grid, places.at.clone());
    let opt = search.opt.min(3);
    let sum = |f: &Forest| -> f64 {
        f.links
            .iter()
            .zip(&f.flows.weight)
            .map(|(&l, w)| l as f64 * w)
            .sum()
    };
    let before = sum(&f);
    if n < 2 || before <= 0.0 || opt == 0 {
        return f.at;
    }
    // Destinations of the flows of a mean trial.
    let each: f64 = (0..n)
        .map(|p| {
            let of = f.of.of(p as u32).iter();
            of.map(|&i| list.destinations(i as usize).len() as f64)
                .sum::<f64>()
        })
        .sum::<f64>()
        / n as f64;
    let trials = (TRIALS[opt] * n as f64).min(WORK[opt] / (2.0 * each).max(1.0)) as u64;
    let mut rng = Rng::new(search.seed ^ 0x6d63);
    let side = grid.x.max(grid.y) as f64;
    let mut heat = 0.0;
    for _ in 0..64 {
        if let Some((a, b)) = f.pair(side as u64, &mut rng) {
            let d = f.attempt(a, b, f64::INFINITY);
            f.attempt(a, b, f64::INFINITY);
            heat += d.abs() / 64.0;
        }
    }
    for s in 0..STEPS {
        if search.budget.over() {
            break;
        }
        search.budget.tell("place", s, STEPS);
        let done = s as f64 / STEPS as f64;
        let t = if s * 10 < STEPS * 9 {
            heat * 0.003f64.powf(done)
        } else {
            0.0
        };
        let r = (side * (1.5 / side.max(1.5)).powf(done)).max(1.0) as u64;
        for _ in 0..trials.div_ceil(STEPS) {
            if let Some((a, b)) = f.pair(r, &mut rng) {
                let limit = if t > 0.0 {
                    -t * (1.0 - rng.unit()).ln()
                } else {
                    0.0
                };
                f.attempt(a, b, limit);
            }
        }
    }
    if sum(&f) <= before {
        f.at
    } else {
        places.at.clone()
    }
}
