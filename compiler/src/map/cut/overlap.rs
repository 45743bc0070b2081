//! Parts grown by overlap: always the neuron with most of its sources already in the part, every limit kept exactly.
//!
//! A source's targets gain a point when the source first enters the part; targets wait in buckets by points, stale entries are dropped when met. The
//! work is the sum over parts of the targets of the sources that enter them.

use super::fill::TooWide;
use crate::map::net::Net;
use crate::map::score::partition::Caps;

/// Sources with more targets say nothing about which neurons belong together.
const LARGE: usize = 1 << 13;
/// Neurons that do not fit before a part is closed.
const PATIENCE: usize = 64;

struct Growth<'a> {
    net: &'a Net,
    caps: [u64; 3],
    part: Vec<u32>,
    entered: Vec<u32>,
    points: Vec<u32>,
    met: Vec<u32>,
    buckets: Vec<Vec<u32>>,
    used: [u64; 3],
    now: u32,
}

/// Parts, and their number.
///
/// Errors: a neuron that fits no part.
pub fn overlap(net: &Net, caps: &Caps) -> Result<(Vec<u32>, u32), TooWide> {
    let n = net.neurons();
    let of = |c: Option<u64>| c.unwrap_or(u64::MAX);
    let mut g = Growth {
        net,
        caps: [of(caps.npc), of(caps.apc), of(caps.spc)],
        part: vec![u32::MAX; n],
        entered: vec![u32::MAX; net.nets()],
        points: vec![0; n],
        met: vec![],
        buckets: vec![],
        used: [0; 3],
        now: 0,
    };
    let mut lowest = 0usize;
    let mut seed = None;
    loop {
        while lowest < n && g.part[lowest] != u32::MAX {
            lowest += 1;
        }
        if lowest == n {
            let parts = if n == 0 {
                0
            } else {
                g.now + (g.used[0] > 0) as u32
            };
            return Ok((g.part, parts));
        }
        let v = seed.take().unwrap_or(lowest as u32);
        if g.fits(v) {
            g.take(v);
        } else if g.used[0] == 0 {
            return Err(g.too_wide(v));
        } else {
            g.close();
            seed = Some(v);
            continue;
        }
        let (next, left) = g.best();
        match (next, left) {
            (Some(v), _) => seed = Some(v),
            (None, Some(v)) => {
                g.close();
                seed = Some(v);
            }
            (None, None) => {}
        }
    }
}

impl Growth<'_> {
    fn needs(&self, v: u32) -> [u64; 3] {
        let list = self.net.into.of(v);
        let new = list
            .iter()
            .filter(|&&u| self.entered[u as usize] != self.now)
            .count();
        [self.net.size(v) as u64, new as u64, list.len() as u64]
    }

    fn fits(&self, v: u32) -> bool {
        let need = self.needs(v);
        (0..3).all(|i| self.used[i] + need[i] <= self.caps[i])
    }

    fn too_wide(&self, v: u32) -> TooWide {
        let need = self.needs(v);
        let i = (0..3).find(|&i| need[i] > self.caps[i]).unwrap_or(0);
        TooWide {
            neuron: v,
            limit: ["npc", "apc", "spc"][i],
            needed: need[i],
            available: self.caps[i],
        }
    }

    fn take(&mut self, v: u32) {
        let need = self.needs(v);
        (0..3).for_each(|i| self.used[i] += need[i]);
        self.part[v as usize] = self.now;
        let net = self.net;
        for &u in net.into.of(v) {
            if std::mem::replace(&mut self.entered[u as usize], self.now) == self.now
                || net.out.of(u).len() > LARGE
            {
                continue;
            }
            for &t in net.out.of(u) {
                if self.part[t as usize] != u32::MAX {
                    continue;
                }
                let p = &mut self.points[t as usize];
                if *p == 0 {
                    self.met.push(t);
                }
                *p += 1;
                if self.buckets.len() <= *p as usize {
                    self.buckets.resize(*p as usize + 1, vec![]);
                }
                self.buckets[*p as usize].push(t);
            }
        }
    }

    /// The neuron with most points that fits, and the one with most points of all.
    fn best(&mut self) -> (Option<u32>, Option<u32>) {
        let mut any = None;
        let mut tried = 0;
        for b in (1..self.buckets.len()).rev() {
            while let Some(t) = self.buckets[b].pop() {
                if self.part[t as usize] != u32::MAX || self.points[t as usize] as usize != b {
                    continue;
                }
                any = any.or(Some(t));
                if self.fits(t) {
                    return (Some(t), any);
                }
                tried += 1;
                if tried == PATIENCE {
                    return (None, any);
                }
            }
        }
        (None, any)
    }

    fn close(&mut self) {
        self.now += 1;
        self.used = [0; 3];
        self.met.drain(..).for_each(|t| self.points[t as usize] = 0);
        self.buckets.iter_mut().for_each(Vec::clear);
    }
}
