//! Axon classes of a whole core at once, where a neuron has one weight for each class.
//!
//! Two wires that meet in a neuron with different weights need different classes, whatever the neuron: a colouring of wires with as many colours as there are
//! classes. A wire that finds no colour takes several axons, each for the neurons whose tables have room for its class. Colours are found greedily, most
//! constrained wire first (Brélaz, Commun. ACM 22 (1979) 251), and repaired by tabu search (Hertz and de Werra, Computing 39 (1987) 345).
//!
//! Comes in: the units of a core. Goes out: a class for every synapse, such that a unit's synapses of one class have one weight.

use super::core::Wires;
use crate::map::rng::Rng;

/// Classes of a core's synapses.
#[derive(Clone, Debug, PartialEq)]
pub struct Classes {
    /// Class of each synapse of each unit, in the order of [`Wires::of`].
    pub of: Vec<Vec<u8>>,
    /// Weight of each class, by unit.
    pub tables: Vec<Vec<Option<i32>>>,
    /// (wire, class) of every axon, ascending.
    pub axons: Vec<(u32, u8)>,
}

/// No class.
const NONE: u8 = u8::MAX;
/// Steps of the tabu search for each wire, and at most.
const STEPS: usize = 40;
const MOST: usize = 20_000;
/// Most wires of a core: the table of conflicts has a place for each pair.
const WIRES: usize = 1024;

/// Classes for the synapses of `units` among `classes`; `None`: more wires than `axons` or than 1024, or no way was found.
pub fn classes(wires: &Wires, units: &[u32], classes: usize, axons: usize) -> Option<Classes> {
    let mut names: Vec<u32> = units
        .iter()
        .flat_map(|&u| wires.of(u).iter().map(|s| s.0))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > axons.min(WIRES) || classes == 0 || classes >= NONE as usize {
        return None;
    }
    let lists: Vec<Vec<(u32, i32)>> = units
        .iter()
        .map(|&u| local(&names, wires.of(u)))
        .collect::<Option<_>>()?;
    let near = conflicts(&lists, names.len());
    let mut colour = greedy(&near, classes);
    repair(&near, classes, &mut colour);
    assigned(&lists, &names, classes, &colour)
}

/// Synapses with wires by their place in `names`; `None` when a wire stands twice.
fn local(names: &[u32], list: &[(u32, i32)]) -> Option<Vec<(u32, i32)>> {
    let out: Vec<(u32, i32)> = list
        .iter()
        .map(|&(w, weight)| (names.partition_point(|&n| n < w) as u32, weight))
        .collect();
    let mut wires: Vec<u32> = out.iter().map(|s| s.0).collect();
    wires.sort_unstable();
    wires.dedup();
    (wires.len() == out.len()).then_some(out)
}

/// Wires that need a class different from each wire's.
fn conflicts(lists: &[Vec<(u32, i32)>], n: usize) -> Vec<Vec<u32>> {
    let mut pairs = vec![false; n * n];
    for list in lists {
        for (i, &(a, x)) in list.iter().enumerate() {
            for &(b, y) in &list[..i] {
                if x != y {
                    pairs[a as usize * n + b as usize] = true;
                    pairs[b as usize * n + a as usize] = true;
                }
            }
        }
    }
    (0..n)
        .map(|a| {
            (0..n as u32)
                .filter(|&b| pairs[a * n + b as usize])
                .collect()
        })
        .collect()
}

/// A colour for as many wires as find one free.
fn greedy(near: &[Vec<u32>], classes: usize) -> Vec<u8> {
    let n = near.len();
    let mut colour = vec![NONE; n];
    let mut met = vec![vec![0u32; classes]; n];
    let mut open: Vec<u32> = (0..n as u32).collect();
    let taken = |m: &[u32]| m.iter().filter(|c| **c > 0).count();
    while let Some(k) = (0..open.len()).max_by_key(|&k| {
        let v = open[k] as usize;
        (taken(&met[v]), near[v].len(), std::cmp::Reverse(v))
    }) {
        let v = open.swap_remove(k) as usize;
        if let Some(c) = (0..classes).find(|&c| met[v][c] == 0) {
            colour[v] = c as u8;
            near[v].iter().for_each(|&u| met[u as usize][c] += 1);
        }
    }
    colour
}

/// Looks for colours without a conflict for all wires; those that are left in one at the end have none.
fn repair(near: &[Vec<u32>], classes: usize, colour: &mut [u8]) {
    let n = near.len();
    if classes < 2 || colour.iter().all(|c| *c != NONE) {
        return;
    }
    let mut rng = Rng::new(n as u64);
    let mut met = vec![0u32; n * classes];
    for v in 0..n {
        if colour[v] == NONE {
            colour[v] = rng.below(classes as u64) as u8;
        }
        let c = colour[v] as usize;
        near[v]
            .iter()
            .for_each(|&u| met[u as usize * classes + c] += 1);
    }
    let mut until = vec![0usize; n * classes];
    for step in 1..=(STEPS * n).min(MOST) {
        let mut best: Vec<(usize, usize)> = vec![];
        let (mut least, mut wrong) = (i64::MAX, 0usize);
        for v in 0..n {
            let now = met[v * classes + colour[v] as usize] as i64;
            if now == 0 {
                continue;
            }
            wrong += 1;
            for c in (0..classes).filter(|&c| c != colour[v] as usize) {
                let d = met[v * classes + c] as i64 - now;
                if until[v * classes + c] > step || d > least {
                    continue;
                }
                if d < least {
                    best.clear();
                    least = d;
                }
                best.push((v, c));
            }
        }
        if wrong == 0 {
            return;
        }
        if best.is_empty() {
            continue;
        }
        let (v, c) = best[rng.below(best.len() as u64) as usize];
        let old = colour[v] as usize;
        until[v * classes + old] = step + 1 + wrong / 2 + rng.below(10) as usize;
        for &u in &near[v] {
            met[u as usize * classes + old] -= 1;
            met[u as usize * classes + c] += 1;
        }
        colour[v] = c as u8;
    }
    // Of two wires in conflict the one in more of them goes without.
    while let Some(v) = (0..n)
        .filter(|&v| colour[v] != NONE && met[v * classes + colour[v] as usize] > 0)
        .max_by_key(|&v| (met[v * classes + colour[v] as usize], std::cmp::Reverse(v)))
    {
        let c = colour[v] as usize;
        near[v]
            .iter()
            .for_each(|&u| met[u as usize * classes + c] -= 1);
        colour[v] = NONE;
    }
}

/// Classes by colour; wires without one take the class that serves most of their neurons, again and again.
fn assigned(
    lists: &[Vec<(u32, i32)>],
    names: &[u32],
    classes: usize,
    colour: &[u8],
) -> Option<Classes> {
    let mut out = Classes {
        of: vec![],
        tables: vec![],
        axons: vec![],
    };
    let mut open: Vec<Vec<(usize, usize)>> = vec![vec![]; names.len()];
    for (u, list) in lists.iter().enumerate() {
        let mut table = vec![None; classes];
        let mut of = vec![NONE; list.len()];
        for (k, &(w, weight)) in list.iter().enumerate() {
            let c = colour[w as usize];
            if c == NONE {
                open[w as usize].push((u, k));
            } else {
                of[k] = c;
                table[c as usize] = Some(weight);
                out.axons.push((names[w as usize], c));
            }
        }
        out.of.push(of);
        out.tables.push(table);
    }
    for (w, mut left) in open.into_iter().enumerate() {
        while !left.is_empty() {
            let weight = |&(u, k): &(usize, usize)| lists[u][k].1;
            let serves = |s: &(usize, usize), c: usize, out: &Classes| {
                out.tables[s.0][c].is_none_or(|x| x == weight(s))
            };
            let count = |c: usize| left.iter().filter(|s| serves(s, c, &out)).count();
            let c = (0..classes).max_by_key(|&c| (count(c), std::cmp::Reverse(c)))?;
            let (here, rest): (Vec<_>, Vec<_>) = left.iter().partition(|s| serves(s, c, &out));
            if here.is_empty() {
                return None;
            }
            for (u, k) in here {
                out.tables[u][c] = Some(lists[u][k].1);
                out.of[u][k] = c as u8;
            }
            out.axons.push((names[w], c as u8));
            left = rest;
        }
    }
    out.axons.sort_unstable();
    out.axons.dedup();
    Some(out)
}
