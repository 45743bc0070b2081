//! Multicast trees on a fabric: a destination is joined to the tree where the end of its way leaves it, so that every node is entered once. Where links are alive and
//! ways leave a row once, the tree is the union of the ways.

use super::{Link, Ways};
use crate::map::layout::curve::Cell;

/// Grows trees one after another. See the module.
pub struct Grower {
    /// Tree in which each node was last seen.
    seen: Vec<u64>,
    now: u64,
    way: Vec<(Link, u32)>,
}

impl Grower {
    /// No tree yet.
    pub fn new(ways: &Ways) -> Grower {
        Grower {
            seen: vec![0; ways.nodes()],
            now: 0,
            way: vec![],
        }
    }

    /// Calls `f` for every link of the tree from `source` to all of `to`. Every node is entered by one link at most.
    pub fn tree(
        &mut self,
        ways: &Ways,
        source: Cell,
        to: impl Iterator<Item = Cell>,
        f: &mut impl FnMut(Link),
    ) {
        self.now += 1;
        self.seen[ways.router(source) as usize] = self.now;
        for b in to {
            if self.seen[ways.router(b) as usize] == self.now {
                continue;
            }
            self.way.clear();
            let way = &mut self.way;
            ways.way(source, b, &mut |link, n| way.push((link, n)));
            for &(link, n) in self.way.iter().rev() {
                if self.seen[n as usize] == self.now {
                    break;
                }
                self.seen[n as usize] = self.now;
                f(link);
            }
        }
    }
}
