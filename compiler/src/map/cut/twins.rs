//! Twins: neurons with the same sources. Together in a part they share every axon, so they are merged before anything else; in convolutional
//! networks they are the channels of a position.

use crate::map::net::Net;
use std::collections::HashMap;

/// Groups of at most `most` twins: `(group of each neuron, groups)`. Neurons without sources are grouped by equal targets.
pub fn twins(net: &Net, most: u32) -> (Vec<u32>, usize) {
    let n = net.neurons();
    // Leaders of the open groups of each hash, with their sizes; lists are compared in full.
    let mut open: HashMap<u64, Vec<(u32, u32, u32)>> = HashMap::new();
    let mut group = vec![0u32; n];
    let mut count = 0u32;
    for v in 0..n as u32 {
        let (list, other) = lists(net, v);
        let key = list.iter().fold(list.len() as u64 ^ other as u64, |h, &u| {
            (h ^ u as u64)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(23)
        });
        let same = open.entry(key).or_default();
        let found = same.iter_mut().find(|(leader, size, _)| {
            *size < most && !list.is_empty() && lists(net, *leader) == (list, other)
        });
        match found {
            Some((_, size, g)) => {
                *size += 1;
                group[v as usize] = *g;
            }
            None => {
                same.push((v, 1, count));
                group[v as usize] = count;
                count += 1;
            }
        }
    }
    (group, count as usize)
}

fn lists(net: &Net, v: u32) -> (&[u32], bool) {
    let into = net.into.of(v);
    if into.is_empty() && net.home.is_empty() {
        (net.out.of(v), true)
    } else {
        (into, false)
    }
}
