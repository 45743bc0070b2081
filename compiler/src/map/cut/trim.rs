//! Refinement of a partition under every limit at once, counted exactly: moves and exchanges at a falling temperature, none of which lets the
//! excess over the limits grow. A partition that breaks limits is repaired on the way; parts that can be emptied are.
//!
//! The cost is `remote` (for nets from outside: parts reached less one). Where a neuron needs a copy of itself for each part that each of its nets reaches,
//! the copies are counted as the partition changes.

use super::anneal::{Cooling, Members};
use crate::map::net::{Net, OUTSIDE};
use crate::map::rng::Rng;
use crate::map::score::partition::Caps;
use crate::map::search::Budget;

const NPC: usize = 0;
const APC: usize = 1;
const SPC: usize = 2;
const OPC: usize = 3;

/// A partition under change.
pub struct Trim<'a> {
    net: &'a Net,
    k: usize,
    caps: [i64; 4],
    copies: bool,
    /// Part of each neuron.
    pub part: Vec<u32>,
    /// Targets of a net in a part, at `net * k + part`.
    count: Vec<u16>,
    /// Parts in which each net has targets.
    reach: Vec<u32>,
    used: Vec<[i64; 4]>,
    /// Sum over parts and limits of what is above, in shares of the limit times 2^16.
    over: i64,
    cost: f64,
    /// Cost after each step of the annealing so far.
    pub trace: Vec<f32>,
    /// Nets of each neuron, where these are not the neuron's own numbers.
    owned: Option<(Vec<u32>, Vec<u32>)>,
}

impl<'a> Trim<'a> {
    /// From a partition into `k` parts.
    pub fn new(net: &'a Net, caps: &Caps, k: usize, part: Vec<u32>) -> Trim<'a> {
        let of = |c: Option<u64>| c.map_or(i64::MAX, |c| c.min(1 << 40) as i64);
        let owned = (!net.home.is_empty()).then(|| owned(net));
        let mut t = Trim {
            net,
            k,
            caps: [of(caps.npc), of(caps.apc), of(caps.spc), of(caps.opc)],
            copies: caps.copies,
            count: vec![0; net.nets() * k],
            reach: vec![0; net.nets()],
            used: vec![[0; 4]; k],
            over: 0,
            cost: 0.0,
            part,
            trace: vec![],
            owned,
        };
        for v in 0..net.neurons() as u32 {
            let p = t.part[v as usize] as usize;
            t.used[p][NPC] += net.base(v) as i64;
            t.used[p][SPC] += net.into.of(v).len() as i64;
            for &e in net.into.of(v) {
                let c = &mut t.count[e as usize * k + p];
                if *c == 0 {
                    t.reach[e as usize] += 1;
                    t.used[p][APC] += 1;
                }
                *c += 1;
            }
        }
        for e in 0..net.nets() as u32 {
            t.cost += net.rate(e) * t.far(e) as f64;
            if let Some(p) = t.home(e) {
                t.used[p][NPC] += t.copied(e);
                t.used[p][OPC] += t.far(e);
            }
        }
        t.over = (0..k)
            .map(|p| (0..4).map(|i| t.excess(i, t.used[p][i])).sum::<i64>())
            .sum();
        t
    }

    /// Excess over all limits; 0: none is broken.
    pub fn over(&self) -> i64 {
        self.over
    }

    /// `remote`, and parts beyond the first of nets from outside.
    pub fn cost(&self) -> f64 {
        self.cost
    }

    fn excess(&self, limit: usize, used: i64) -> i64 {
        let cap = self.caps[limit];
        if used > cap {
            (((used - cap) << 16) / cap.max(1)).max(1)
        } else {
            0
        }
    }

    #[inline]
    fn add(&mut self, p: usize, limit: usize, by: i64) {
        if by == 0 {
            return;
        }
        let old = self.used[p][limit];
        self.used[p][limit] = old + by;
        if self.caps[limit] != i64::MAX {
            self.over += self.excess(limit, old + by) - self.excess(limit, old);
        }
    }

    #[inline]
    fn home(&self, e: u32) -> Option<usize> {
        let h = self.net.home(e);
        (h != OUTSIDE).then(|| self.part[h as usize] as usize)
    }

    /// Parts that a net reaches beyond its own (beyond one, for nets from outside).
    #[inline]
    fn far(&self, e: u32) -> i64 {
        let r = self.reach[e as usize] as i64;
        match self.home(e) {
            Some(p) => r - (self.count[e as usize * self.k + p] > 0) as i64,
            None => (r - 1).max(0),
        }
    }

    #[inline]
    fn copied(&self, e: u32) -> i64 {
        if self.copies {
            self.reach[e as usize] as i64
        } else {
            0
        }
    }

    #[inline]
    fn owned(&self, v: u32, f: &mut impl FnMut(u32)) {
        match &self.owned {
            None => f(v),
            Some((start, list)) => list[start[v as usize] as usize..start[v as usize + 1] as usize]
                .iter()
                .for_each(|&e| f(e)),
        }
    }

    /// Change of cost when neuron `v` goes to part `b`.
    pub fn moved(&self, v: u32, b: u32) -> f32 {
        let (a, b) = (self.part[v as usize] as usize, b as usize);
        let mut d = 0.0f32;
        for &e in self.net.into.of(v) {
            if self.net.home(e) == v {
                continue;
            }
            let row = e as usize * self.k;
            let home = self.home(e);
            let leaves = self.count[row + a] == 1 && home != Some(a);
            let enters = self.count[row + b] == 0 && home != Some(b);
            if leaves != enters {
                // A net from outside that leaves its last part enters another one.
                d += self.net.rate(e) as f32 * (enters as i32 - leaves as i32) as f32;
            }
        }
        self.owned(v, &mut |e| {
            let row = e as usize * self.k;
            let own = self.net.out.of(e).binary_search(&v).is_ok() as u16;
            let stays = self.count[row + a] > own;
            let enters = self.count[row + b] == 0;
            d += self.net.rate(e) as f32 * (stays as i32 - 1 + enters as i32) as f32;
        });
        d
    }

    /// Moves neuron `v` to part `b`.
    pub fn apply(&mut self, v: u32, b: u32) {
        let (a, b) = (self.part[v as usize] as usize, b as usize);
        if a == b {
            return;
        }
        let net = self.net;
        for &e in net.into.of(v) {
            let row = e as usize * self.k;
            let (far, copied) = (self.far(e), self.copied(e));
            self.count[row + a] -= 1;
            if self.count[row + a] == 0 {
                self.reach[e as usize] -= 1;
                self.add(a, APC, -1);
            }
            if self.count[row + b] == 0 {
                self.reach[e as usize] += 1;
                self.add(b, APC, 1);
            }
            self.count[row + b] += 1;
            let now = self.far(e);
            self.cost += net.rate(e) * (now - far) as f64;
            if let Some(p) = self.home(e) {
                self.add(p, OPC, now - far);
                self.add(p, NPC, self.copied(e) - copied);
            }
        }
        let (size, synapses) = (net.base(v) as i64, net.into.of(v).len() as i64);
        self.add(a, NPC, -size);
        self.add(b, NPC, size);
        self.add(a, SPC, -synapses);
        self.add(b, SPC, synapses);
        let mut list = std::mem::take(&mut self.owned);
        let each = |t: &mut Trim, e: u32| {
            let (far, copied) = (t.far(e), t.copied(e));
            t.part[v as usize] = b as u32;
            let now = t.far(e);
            t.part[v as usize] = a as u32;
            t.cost += net.rate(e) * (now - far) as f64;
            t.add(a, OPC, -far);
            t.add(b, OPC, now);
            t.add(a, NPC, -copied);
            t.add(b, NPC, copied);
        };
        match &mut list {
            None => each(self, v),
            Some((start, list)) => list[start[v as usize] as usize..start[v as usize + 1] as usize]
                .iter()
                .for_each(|&e| each(self, e)),
        }
        self.owned = list;
        self.part[v as usize] = b as u32;
    }

    /// A part that a random net of `v` meets.
    fn near(&self, v: u32, rng: &mut Rng) -> u32 {
        let nets = self.net.into.of(v);
        let own = (self.owned.is_none() || nets.is_empty()) && rng.below(4) == 0;
        let mut e = match nets.len() {
            n if n > 0 && !own => Some(nets[rng.below(n as u64) as usize]),
            _ => None,
        };
        if e.is_none() {
            self.owned(v, &mut |o| e = Some(o));
        }
        let Some(e) = e else {
            return self.part[v as usize];
        };
        let targets = self.net.out.of(e);
        let pins = targets.len() as u64 + (self.net.home(e) != OUTSIDE) as u64;
        if pins == 0 {
            return self.part[v as usize];
        }
        let u = match targets.get(rng.below(pins) as usize) {
            Some(&u) => u,
            None => self.net.home(e),
        };
        self.part[u as usize]
    }

    /// `moves` trials, heat from `heat.0` to `heat.1` (in cost).
    pub fn anneal(&mut self, moves: u64, heat: (f64, f64), rng: &mut Rng, budget: &Budget) {
        const STEPS: u64 = 100;
        let n = self.net.neurons() as u64;
        if self.k < 2 || n == 0 {
            return;
        }
        let cooling = Cooling::new(heat.0, heat.1);
        let mut members = Members::new(&self.part, self.k);
        for s in 0..STEPS {
            if budget.over() {
                return;
            }
            budget.tell("partition", s, STEPS);
            self.trace.push(self.cost as f32);
            let t = cooling.at(s as f64 / STEPS as f64);
            for _ in 0..moves.div_ceil(STEPS) {
                let v = rng.below(n) as u32;
                let b = self.near(v, rng);
                if b != self.part[v as usize] {
                    let limit = if t > 0.0 {
                        cooling.threshold(t, rng)
                    } else {
                        1e-6
                    };
                    self.attempt(v, b, limit, &mut members, rng);
                }
            }
        }
    }

    /// Neuron `v` to part `b`, alone where limits allow it, else against one of a few of that part.
    fn attempt(&mut self, v: u32, b: u32, limit: f32, members: &mut Members, rng: &mut Rng) {
        let out = self.moved(v, b);
        // What loses much is not worth a partner.
        if out > limit + 4.0 {
            return;
        }
        let (a, over) = (self.part[v as usize], self.over);
        self.apply(v, b);
        if self.over < over || (self.over == over && out < limit) {
            members.relocate(v, a, b);
            return;
        }
        for _ in 0..PARTNERS {
            let list = &members.list[b as usize];
            if list.is_empty() {
                break;
            }
            let u = list[rng.below(list.len() as u64) as usize];
            let back = self.moved(u, a);
            if out + back >= limit {
                continue;
            }
            self.apply(u, a);
            if self.over <= over {
                members.relocate(v, a, b);
                members.relocate(u, b, a);
                return;
            }
            self.apply(u, b);
        }
        self.apply(v, a);
    }

    /// Empties parts, smallest first, as long as their neurons find room elsewhere without breaking a limit; `tries` parts at most.
    pub fn dissolve(&mut self, tries: usize, budget: &Budget) {
        let mut order: Vec<usize> = (0..self.k).collect();
        order.sort_by_key(|&p| (self.fullness(p), p));
        for &p in order.iter().take(tries) {
            if budget.over() {
                return;
            }
            self.empty(p);
        }
    }

    /// Share of the limit of which a part uses most.
    fn fullness(&self, p: usize) -> i64 {
        (0..4)
            .map(|i| (self.used[p][i] << 16) / self.caps[i].max(1))
            .max()
            .unwrap_or(0)
    }

    fn empty(&mut self, p: usize) {
        let mine: Vec<u32> = (0..self.part.len() as u32)
            .filter(|&v| self.part[v as usize] as usize == p)
            .collect();
        let before = self.over;
        for (i, &v) in mine.iter().enumerate() {
            let mut open: Vec<(f32, u32)> = (0..self.k as u32)
                .filter(|&b| {
                    b as usize != p
                        && self.used[b as usize][NPC] > 0
                        && self.used[b as usize][NPC] + self.net.base(v) as i64 <= self.caps[NPC]
                })
                .map(|b| (self.moved(v, b), b))
                .collect();
            open.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
            let fits = open.iter().take(ROOMS).any(|&(_, b)| {
                self.apply(v, b);
                if self.over > before {
                    self.apply(v, p as u32);
                    return false;
                }
                true
            });
            if !fits {
                mine[..i].iter().for_each(|&u| self.apply(u, p as u32));
                return;
            }
        }
    }

    /// Number of parts, empty ones included.
    pub fn parts(&self) -> usize {
        self.k
    }

    /// The same with `k` parts, the new ones empty; the trace goes on.
    pub fn roomier(self, caps: &Caps, k: usize) -> Trim<'a> {
        Trim {
            trace: self.trace,
            ..Trim::new(self.net, caps, k, self.part)
        }
    }

    /// Neurons that must leave parts above a limit, taken from the end of each such part.
    pub fn misfits(&mut self) -> Vec<u32> {
        let mut out = vec![];
        for p in 0..self.k {
            let above = |t: &Trim| (0..4).any(|i| t.excess(i, t.used[p][i]) > 0);
            if !above(self) {
                continue;
            }
            let mine: Vec<u32> = (0..self.part.len() as u32)
                .filter(|&v| self.part[v as usize] as usize == p)
                .collect();
            // The last part stands empty until neurons wait in it.
            let wait = self.k as u32 - 1;
            for &v in mine.iter().rev() {
                if !above(self) || p as u32 == wait {
                    break;
                }
                self.apply(v, wait);
                out.push(v);
            }
        }
        out
    }

    /// Puts neuron `v` into the part where it costs least of those that keep their limits, except `wait` and the last; an empty one if need be.
    pub fn settle(&mut self, v: u32, wait: u32) {
        let from = self.part[v as usize];
        let mut open: Vec<(bool, f32, u32)> = (0..self.k as u32 - 1)
            .filter(|&b| b != wait)
            .map(|b| {
                (
                    self.used[b as usize][SPC] == 0 && self.used[b as usize][NPC] == 0,
                    b,
                )
            })
            .map(|(empty, b)| (empty, self.moved(v, b), b))
            .collect();
        open.sort_by(|x, y| x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)).then(x.2.cmp(&y.2)));
        for (_, _, b) in open {
            let sum = |t: &Trim| {
                (0..4)
                    .map(|i| t.excess(i, t.used[b as usize][i]))
                    .sum::<i64>()
            };
            let before = sum(self);
            self.apply(v, b);
            if sum(self) <= before {
                return;
            }
            self.apply(v, from);
        }
    }

    /// Parts without neurons dropped, the others numbered in order: (part of each neuron, parts).
    pub fn finish(self) -> (Vec<u32>, u32) {
        packed(self.part, self.k)
    }
}

/// Partners looked at for an exchange.
const PARTNERS: usize = 3;
/// Parts that a neuron is tried in when its own is emptied.
const ROOMS: usize = 8;

/// Parts without neurons dropped, the others numbered in order.
pub fn packed(mut part: Vec<u32>, k: usize) -> (Vec<u32>, u32) {
    let mut name = vec![u32::MAX; k];
    part.iter().for_each(|&p| name[p as usize] = 0);
    let mut n = 0;
    for x in name.iter_mut().filter(|x| **x == 0) {
        *x = n;
        n += 1;
    }
    part.iter_mut().for_each(|p| *p = name[*p as usize]);
    (part, n)
}

/// Nets by neuron: ranges, and the nets.
fn owned(net: &Net) -> (Vec<u32>, Vec<u32>) {
    let mut start = vec![0u32; net.neurons() + 1];
    let homes = || {
        (0..net.nets() as u32)
            .map(|e| (e, net.home(e)))
            .filter(|x| x.1 != OUTSIDE)
    };
    homes().for_each(|(_, v)| start[v as usize + 1] += 1);
    for i in 1..start.len() {
        start[i] += start[i - 1];
    }
    let mut next = start.clone();
    let mut list = vec![0u32; *start.last().unwrap_or(&0) as usize];
    for (e, v) in homes() {
        list[next[v as usize] as usize] = e;
        next[v as usize] += 1;
    }
    (start, list)
}
