//! Placement: parts on the mesh.
//!
//! A portfolio: chains of layers ([`chain`], found by [`detect`] when the network does not say), curves in order of parts, annealing
//! ([`anneal`]). The best by the objective is kept, and none is worse than parts in order along Hilbert's curve.

pub mod anneal;
pub mod assign;
pub mod blocks;
pub mod chain;
pub mod curve;
pub mod detect;
pub mod general;
pub mod graph;
pub mod ripple;
pub mod swirl;

use crate::map::flow::Flows;
use crate::map::rng::Rng;
use crate::map::score::unicast::{Places, hops};
use chain::{Shape, place_chain};

/// A placement and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Positions.
    pub places: Places,
    /// In words.
    pub method: String,
}

/// Places parts on an `x` x `y` mesh for the least packets times links. `shape`: the network is known to be a chain in this order.
/// `None`: more parts than cells.
pub fn place(
    flows: &impl Flows,
    shape: Option<&Shape>,
    x: u32,
    y: u32,
    effort: usize,
    seed: u64,
) -> Option<Placed> {
    let n = flows.parts() as u64;
    if n > x as u64 * y as u64 {
        return None;
    }
    let effort = effort.min(3);
    let mut rng = Rng::new(seed);
    if let Some(s) = shape
        && let Some((at, method)) = place_chain(flows, s, x, y, effort, &mut rng)
    {
        return Some(Placed {
            places: Places { x, y, at },
            method,
        });
    }
    let plain = Places {
        x,
        y,
        at: curve::gilbert(x, y).into_iter().take(n as usize).collect(),
    };
    if effort == 0 {
        return Some(Placed {
            places: plain,
            method: "Hilbert".into(),
        });
    }
    let mut best = (
        hops(flows, &plain),
        Placed {
            places: plain,
            method: "Hilbert".into(),
        },
    );
    let mut consider = |at: Vec<curve::Cell>, method: String| {
        let places = Places { x, y, at };
        let h = hops(flows, &places);
        if h < best.0 {
            best = (h, Placed { places, method });
        }
    };
    let mut found = false;
    if let Some(f) = detect::detect(flows)
        && let Some((at, method)) = place_chain(&f.flows, &f.shape, x, y, effort, &mut rng)
    {
        let mut old = vec![(0, 0); at.len()];
        f.name
            .iter()
            .zip(at)
            .for_each(|(&p, c)| old[p as usize] = c);
        consider(old, method);
        found = true;
    }
    if !found {
        let (at, method) = general::anneal(flows, x, y, effort, &mut rng);
        consider(at, method);
    }
    Some(best.1)
}
