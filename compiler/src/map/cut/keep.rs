//! A partition made from an earlier one: neurons stay in the parts that they had, new ones go where they share most, and only what no longer fits
//! moves.

use super::trim::Trim;
use super::{Cutting, KEPT, TABLE};
use crate::map::net::Net;
use crate::map::score::partition::Caps;
use crate::map::search::Search;

/// From the part of each neuron (`u32::MAX`: new). Parts keep their numbers, new ones come after them. `None`: the tables would be too large.
pub fn keep(net: &Net, caps: &Caps, mut known: Vec<u32>, search: &Search) -> Option<Cutting> {
    let fresh: Vec<u32> = (0..known.len() as u32)
        .filter(|&v| known[v as usize] == u32::MAX)
        .collect();
    let old = known
        .iter()
        .filter(|p| **p != u32::MAX)
        .max()
        .map_or(0, |p| p + 1);
    // Neurons without a part wait in one of their own, which is emptied last; as many parts as they could need stand behind it.
    let room = caps
        .npc
        .map_or(1, |c| (known.len() as u64).div_ceil(c.max(1)) + 8) as usize;
    let wait = old;
    let k = old as usize + 1 + room;
    if net.nets().saturating_mul(k) > TABLE {
        return None;
    }
    fresh.iter().for_each(|&v| known[v as usize] = wait);
    let mut t = Trim::new(net, caps, k, known);
    let moved = t.misfits();
    for v in moved.into_iter().chain(fresh) {
        if search.budget.over() {
            break;
        }
        t.settle(v, wait);
    }
    Some(Cutting {
        part: t.part,
        parts: k as u32,
        method: KEPT,
        trace: vec![],
    })
}
