//! Refinement of a k-way partition at a falling temperature: moves, with parts held to their size by a penalty, then exchanges that keep every
//! limit.
//!
//! The objective is weighted connectivity less one. A table of pins by (net, part) makes the gain of a move O(nets of the node). Trials draw the
//! new part from a random pin of a random net of the node, so only parts that it meets are tried.

use super::hyper::Hyper;
use crate::map::rng::Rng;
use crate::map::search::Budget;

/// A partition under change.
pub struct State<'a> {
    h: &'a Hyper,
    k: usize,
    /// Part of each node.
    pub part: Vec<u32>,
    /// Size of each part.
    pub load: Vec<i64>,
    count: Vec<u16>,
}

/// A temperature that falls geometrically; thresholds by a table of logarithms.
pub(super) struct Cooling {
    hot: f64,
    cold: f64,
    table: Vec<f32>,
}

impl Cooling {
    pub(super) fn new(hot: f64, cold: f64) -> Cooling {
        let table = (0..4096)
            .map(|i| -((i as f32 + 0.5) / 4096.0).ln())
            .collect();
        Cooling { hot, cold, table }
    }

    pub(super) fn at(&self, f: f64) -> f32 {
        if self.hot > 0.0 {
            (self.hot * (self.cold / self.hot).powf(f)) as f32
        } else {
            0.0
        }
    }

    #[inline]
    pub(super) fn threshold(&self, t: f32, rng: &mut Rng) -> f32 {
        t * self.table[(rng.bits() >> 52) as usize]
    }
}

/// Members of each part, with each node's index in its list.
pub(super) struct Members {
    pub(super) list: Vec<Vec<u32>>,
    slot: Vec<u32>,
}

impl Members {
    pub(super) fn new(part: &[u32], k: usize) -> Members {
        let mut m = Members {
            list: vec![vec![]; k],
            slot: vec![0; part.len()],
        };
        for (v, &p) in part.iter().enumerate() {
            m.slot[v] = m.list[p as usize].len() as u32;
            m.list[p as usize].push(v as u32);
        }
        m
    }

    /// Node `v` goes from list `a` to list `b`.
    pub(super) fn relocate(&mut self, v: u32, a: u32, b: u32) {
        let k = self.slot[v as usize] as usize;
        let from = &mut self.list[a as usize];
        from.swap_remove(k);
        if let Some(&moved) = from.get(k) {
            self.slot[moved as usize] = k as u32;
        }
        self.slot[v as usize] = self.list[b as usize].len() as u32;
        self.list[b as usize].push(v);
    }
}

impl<'a> State<'a> {
    /// Entries of the table for `nets` nets and `k` parts.
    pub fn table(nets: usize, k: usize) -> usize {
        nets.saturating_mul(k)
    }

    /// From a partition into `k` parts.
    pub fn new(h: &'a Hyper, k: usize, part: Vec<u32>) -> State<'a> {
        let mut count = vec![0u16; h.pins.len() * k];
        for e in 0..h.pins.len() {
            for &v in h.pins.of(e as u32) {
                count[e * k + part[v as usize] as usize] += 1;
            }
        }
        let mut load = vec![0i64; k];
        part.iter()
            .zip(&h.size)
            .for_each(|(&p, &s)| load[p as usize] += s as i64);
        State {
            h,
            k,
            part,
            load,
            count,
        }
    }

    /// Weighted connectivity less one.
    pub fn cost(&self) -> f64 {
        let of = |e: usize| {
            self.count[e * self.k..(e + 1) * self.k]
                .iter()
                .filter(|c| **c > 0)
                .count()
        };
        (0..self.h.pins.len())
            .map(|e| self.h.weight[e] as f64 * (of(e) as f64 - 1.0))
            .sum()
    }

    /// Size above `cap`, over all parts.
    pub fn excess(&self, cap: i64) -> i64 {
        self.load.iter().map(|&l| (l - cap).max(0)).sum()
    }

    /// Change of cost when node `v` goes to part `b`.
    #[inline]
    pub fn moved(&self, v: u32, b: u32) -> f32 {
        let a = self.part[v as usize] as usize;
        let mut d = 0.0f32;
        for &e in self.h.nets.of(v) {
            let row = e as usize * self.k;
            let leaves = self.count[row + a] == 1;
            let enters = self.count[row + b as usize] == 0;
            d += self.h.weight[e as usize] * (enters as i32 - leaves as i32) as f32;
        }
        d
    }

    /// Moves node `v` to part `b`.
    #[inline]
    pub fn apply(&mut self, v: u32, b: u32) {
        let a = self.part[v as usize] as usize;
        for &e in self.h.nets.of(v) {
            let row = e as usize * self.k;
            self.count[row + a] -= 1;
            self.count[row + b as usize] += 1;
        }
        let s = self.h.size[v as usize] as i64;
        self.load[a] -= s;
        self.load[b as usize] += s;
        self.part[v as usize] = b;
    }

    /// A random pin of a random net of `v` (`v` itself without nets).
    #[inline]
    fn near(&self, v: u32, rng: &mut Rng) -> u32 {
        let nets = self.h.nets.of(v);
        if nets.is_empty() {
            return v;
        }
        let bits = rng.bits();
        let e = nets[(((bits & 0xffff_ffff) * nets.len() as u64) >> 32) as usize];
        let pins = self.h.pins.of(e);
        pins[(((bits >> 32) * pins.len() as u64) >> 32) as usize]
    }

    /// `moves` trials at `heat` (first, last; in cost). A part above `cap` pays half the square of its excess in 256ths of the cap, times the heat,
    /// times `stiff`, of which a tenth counts in the beginning.
    pub fn anneal(
        &mut self,
        moves: u64,
        heat: (f64, f64),
        cap: i64,
        stiff: f64,
        rng: &mut Rng,
        budget: &Budget,
    ) {
        const STEPS: u64 = 100;
        let n = self.h.nodes() as u64;
        let cooling = Cooling::new(heat.0, heat.1);
        let unit = (cap as f32 / 256.0).max(1.0);
        for s in 0..STEPS {
            if budget.over() {
                return;
            }
            let f = s as f64 / STEPS as f64;
            let t = cooling.at(f);
            let g = (stiff * (0.1 + 0.9 * f)) as f32 * t * 0.5 / (unit * unit);
            let over = |x: i64| {
                if x > cap {
                    g * ((x - cap) as f32).powi(2)
                } else {
                    0.0
                }
            };
            for _ in 0..moves.div_ceil(STEPS) {
                let v = rng.below(n) as u32;
                let b = self.part[self.near(v, rng) as usize];
                let a = self.part[v as usize];
                if a == b {
                    continue;
                }
                let size = self.h.size[v as usize] as i64;
                let (la, lb) = (self.load[a as usize], self.load[b as usize]);
                let penalty = over(lb + size) - over(lb) + over(la - size) - over(la);
                if self.moved(v, b) + penalty < cooling.threshold(t, rng) {
                    self.apply(v, b);
                }
            }
        }
    }

    /// Moves nodes out of parts above `cap`, cheapest first, into parts with room; false when a part stays above.
    pub fn balance(&mut self, cap: i64) -> bool {
        let mut members = Members::new(&self.part, self.k);
        for a in 0..self.k as u32 {
            while self.load[a as usize] > cap {
                let room: Vec<u32> = (0..self.k as u32)
                    .filter(|&b| b != a && self.load[b as usize] < cap)
                    .collect();
                let mut best = (f32::INFINITY, u32::MAX, 0u32);
                for &v in &members.list[a as usize] {
                    let s = self.h.size[v as usize] as i64;
                    for &b in room.iter().filter(|&&b| self.load[b as usize] + s <= cap) {
                        let d = self.moved(v, b) / s as f32;
                        if d < best.0 || (d == best.0 && v < best.1) {
                            best = (d, v, b);
                        }
                    }
                }
                if best.1 == u32::MAX {
                    return false;
                }
                self.relocate(best.1, best.2, &mut members);
            }
        }
        true
    }

    /// Exchanges between full parts and moves into room, heat from `hot` to `cold`, no part above `cap` afterwards that was not before.
    pub fn exchange(
        &mut self,
        moves: u64,
        heat: (f64, f64),
        cap: i64,
        rng: &mut Rng,
        budget: &Budget,
    ) {
        let cooling = Cooling::new(heat.0, heat.1);
        let mut members = Members::new(&self.part, self.k);
        cooled((50, moves), &cooling, budget, |t| {
            let v = rng.below(self.h.nodes() as u64) as u32;
            let near = self.near(v, rng);
            if self.part[near as usize] != self.part[v as usize] {
                let limit = if t > 0.0 {
                    cooling.threshold(t, rng)
                } else {
                    1e-6
                };
                self.trade(v, near, limit, cap, &mut members, rng);
            }
        });
    }

    /// Node `v` to the part of `near`, alone where there is room, else against the best of a few of that part.
    fn trade(
        &mut self,
        v: u32,
        near: u32,
        limit: f32,
        cap: i64,
        members: &mut Members,
        rng: &mut Rng,
    ) {
        let (a, b) = (self.part[v as usize], self.part[near as usize]);
        let out = self.moved(v, b);
        let size = self.h.size[v as usize] as i64;
        if self.load[b as usize] + size <= cap {
            if out < limit {
                self.relocate(v, b, members);
            }
            return;
        }
        // A partner rarely gains more than a small multiple of the heat; what loses more is not worth looking for one.
        if out > limit + 4.0 * (self.h.nets.of(v).len() as f32) {
            return;
        }
        self.apply(v, b);
        let mut best = (f32::INFINITY, u32::MAX);
        for k in 0..TRIES {
            let list = &members.list[b as usize];
            let u = if k == 0 {
                near
            } else {
                list[rng.below(list.len() as u64) as usize]
            };
            let s = self.h.size[u as usize] as i64;
            if self.load[a as usize] + s <= cap && self.load[b as usize] - s <= cap {
                let d = self.moved(u, a);
                if d < best.0 {
                    best = (d, u);
                }
            }
        }
        self.apply(v, a);
        if best.1 != u32::MAX && out + best.0 < limit {
            self.relocate(v, b, members);
            self.relocate(best.1, a, members);
        }
    }

    /// Exchanges with one node of a part drawn evenly, heat from `hot` to `cold`: for nets that reach most parts anyway, where no part is nearer than another and slow
    /// cooling at little heat counts. No part is above `cap` afterwards that was not before.
    pub fn temper(
        &mut self,
        moves: u64,
        heat: (f64, f64),
        cap: i64,
        rng: &mut Rng,
        budget: &Budget,
    ) {
        let n = self.h.nodes() as u64;
        if self.k < 2 || n == 0 {
            return;
        }
        let cooling = Cooling::new(heat.0, heat.1);
        let hopeless = (HOPELESS * heat.0) as f32;
        let mut members = Members::new(&self.part, self.k);
        cooled((100, moves), &cooling, budget, |t| {
            let v = rng.below(n) as u32;
            let b = rng.below(self.k as u64) as u32;
            if self.part[v as usize] != b {
                let limit = cooling.threshold(t, rng);
                self.barter(v, b, limit, (cap, hopeless), &mut members, rng);
            }
        });
    }

    /// Node `v` to part `b`, alone where there is room, else against any one node of it.
    fn barter(
        &mut self,
        v: u32,
        b: u32,
        limit: f32,
        (cap, hopeless): (i64, f32),
        members: &mut Members,
        rng: &mut Rng,
    ) {
        let (a, size) = (self.part[v as usize], self.h.size[v as usize] as i64);
        let out = self.moved(v, b);
        if out > limit + hopeless {
            return;
        }
        if self.load[b as usize] + size <= cap {
            if out < limit {
                self.relocate(v, b, members);
            }
            return;
        }
        let list = &members.list[b as usize];
        if list.is_empty() {
            return;
        }
        let u = list[rng.below(list.len() as u64) as usize];
        let more = size - self.h.size[u as usize] as i64;
        if self.load[b as usize] + more > cap || self.load[a as usize] - more > cap {
            return;
        }
        self.apply(v, b);
        let back = self.moved(u, a);
        self.apply(v, a);
        if out + back < limit {
            self.relocate(v, b, members);
            self.relocate(u, a, members);
        }
    }

    fn relocate(&mut self, v: u32, b: u32, m: &mut Members) {
        m.relocate(v, self.part[v as usize], b);
        self.apply(v, b);
    }
}

/// Makes `plan.1` moves in `plan.0` steps, each at its heat, until the time is over.
fn cooled(plan: (u64, u64), cooling: &Cooling, budget: &Budget, mut step: impl FnMut(f32)) {
    let (steps, moves) = plan;
    for s in 0..steps {
        if budget.over() {
            return;
        }
        let t = cooling.at(s as f64 / steps as f64);
        (0..moves.div_ceil(steps)).for_each(|_| step(t));
    }
}

/// What a node may lose on its way to a full part, in parts of the first heat: a partner hardly ever gains more.
const HOPELESS: f64 = 60.0;
/// Partners looked at for an exchange.
const TRIES: u64 = 6;
