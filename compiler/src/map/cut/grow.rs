//! A first partition: parts grown one after another, always by the node that shares most with the part, small nets counting more.

use super::hyper::Hyper;
use crate::map::rng::Rng;

/// Nets with more pins do not attract.
const LARGE: usize = 4096;

struct Growth<'a> {
    h: &'a Hyper,
    part: Vec<u32>,
    score: Vec<f32>,
    /// Nodes outside with a score.
    met: Vec<u32>,
    /// Last part that each net entered.
    entered: Vec<u32>,
}

/// `k` parts of about equal size.
pub fn grow(h: &Hyper, k: usize, rng: &mut Rng) -> Vec<u32> {
    let n = h.nodes();
    let mut g = Growth {
        h,
        part: vec![u32::MAX; n],
        score: vec![0.0; n],
        met: vec![],
        entered: vec![u32::MAX; h.pins.len()],
    };
    let mut left: i64 = h.size.iter().map(|&s| s as i64).sum();
    let mut seed = rng.below(n as u64) as u32;
    let mut first_free = 0usize;
    for p in 0..k as u32 {
        let goal = (left as f64 / (k as f64 - p as f64)).ceil() as i64;
        let mut load = 0i64;
        while load < goal {
            if g.part[seed as usize] != u32::MAX {
                while first_free < n && g.part[first_free] != u32::MAX {
                    first_free += 1;
                }
                if first_free == n {
                    break;
                }
                seed = first_free as u32;
            }
            g.take(seed, p);
            load += h.size[seed as usize] as i64;
            let (inside, outside) = g.best(goal - load);
            match (inside, outside) {
                (Some(v), _) => seed = v,
                (None, Some(v)) if load * 2 > goal => {
                    seed = v;
                    break;
                }
                (None, Some(v)) => seed = v,
                (None, None) => {}
            }
        }
        left -= load;
        g.forget();
    }
    for (i, q) in g.part.iter_mut().filter(|q| **q == u32::MAX).enumerate() {
        *q = (i % k) as u32;
    }
    g.part
}

impl Growth<'_> {
    fn take(&mut self, v: u32, p: u32) {
        self.part[v as usize] = p;
        for &e in self.h.nets.of(v) {
            if std::mem::replace(&mut self.entered[e as usize], p) == p {
                continue;
            }
            let pins = self.h.pins.of(e);
            if pins.len() > LARGE {
                continue;
            }
            let r = self.h.weight[e as usize] / (pins.len() - 1) as f32;
            for &u in pins {
                if self.part[u as usize] == u32::MAX {
                    if self.score[u as usize] == 0.0 {
                        self.met.push(u);
                    }
                    self.score[u as usize] += r;
                }
            }
        }
    }

    /// The best node of which at least half fits into `room`, and the best of all.
    fn best(&mut self, room: i64) -> (Option<u32>, Option<u32>) {
        let part = &self.part;
        self.met.retain(|&u| part[u as usize] == u32::MAX);
        let (mut fits, mut any) = ((0.0f32, None), (0.0f32, None));
        for &u in &self.met {
            let size = self.h.size[u as usize];
            let s = self.score[u as usize] / size.max(1) as f32;
            if s > any.0 {
                any = (s, Some(u));
            }
            if s > fits.0 && size as i64 <= 2 * room {
                fits = (s, Some(u));
            }
        }
        (fits.1, any.1)
    }

    fn forget(&mut self) {
        for u in self.met.drain(..) {
            self.score[u as usize] = 0.0;
        }
    }
}
