//! Stretches of links that are alive: what tells in O(1) whether a way meets a dead link, and about what a way costs then.

use super::{Cell, DIRECTIONS, STEPS, Ways};

impl Ways {
    /// How many links in a row are alive from each node in each direction, at most `u16::MAX`, which also stands for a ring without end.
    pub(super) fn stretches(&self) -> Vec<u16> {
        let mut open = vec![u16::MAX; self.nodes() * DIRECTIONS];
        for n in 0..self.nodes() as u32 {
            for d in 0..DIRECTIONS {
                let on = self.next(n, d);
                if on.is_some_and(|to| self.alive(self.link(n, d, to))) {
                    continue;
                }
                // The end of a stretch: back along it.
                let (mut at, mut count) = (n, 0u16);
                loop {
                    open[at as usize * DIRECTIONS + d] = count;
                    count = count.saturating_add(1);
                    match self.next(at, d ^ 1) {
                        Some(b) if b != n && self.alive(self.link(b, d, at)) => at = b,
                        _ => break,
                    }
                }
            }
        }
        open
    }

    /// Is every link of the way alive?
    pub(super) fn clear(&self, from: u32, steps: &[i64; 3]) -> bool {
        if self.dead.is_empty() {
            return true;
        }
        let mut at = (from / self.size.1, from % self.size.1);
        let turned = |c: u32, by: i64, n: u32| (c as i64 + by).rem_euclid(n as i64) as u32;
        for (axis, &count) in steps.iter().enumerate() {
            let d = 2 * axis + (count < 0) as usize;
            let node = at.0 * self.size.1 + at.1;
            if (self.open[node as usize * DIRECTIONS + d] as u64) < count.unsigned_abs() {
                return false;
            }
            let step = STEPS[2 * axis];
            at.0 = turned(at.0, step.0 * count, self.size.0);
            at.1 = turned(at.1, step.1 * count, self.size.1);
        }
        true
    }

    /// About what the way between two cores costs, in O(1): a way that a dead link cuts is taken to go around it by two links more if it has no corner, and else to have
    /// another of the same length.
    #[inline]
    pub fn estimate(&self, a: Cell, b: Cell) -> f64 {
        let (a, b) = (self.router(a), self.router(b));
        if a == b {
            return 0.0;
        }
        let (steps, cost) = self.steps(a, b);
        let bent = steps.iter().filter(|s| **s != 0).count() > 1;
        if bent || self.clear(a, &steps) {
            return cost;
        }
        cost + 2.0 * self.cheapest()
    }
}
