//! Partition: neurons into parts under hard limits, for the least `remote` (spikes times other parts reached).
//!
//! A portfolio: filling in order ([`fill`](mod@fill), the baseline that no result is worse than), growth by overlap ([`overlap`]) and multilevel annealing
//! ([`multilevel`]). What breaks a limit that the search does not know is filled anew in the order of its parts, which keeps every limit.

pub mod anneal;
pub mod coarsen;
pub mod fill;
pub mod grow;
pub mod hyper;
pub mod multilevel;
pub mod overlap;
pub mod twins;

use crate::map::net::Net;
use crate::map::rng::Rng;
use crate::map::score::partition::{Caps, Usage, broken, cut};
use fill::{TooWide, fill};
use hyper::Hyper;

/// A partition and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Cutting {
    /// Part of each neuron.
    pub part: Vec<u32>,
    /// Number of parts.
    pub parts: u32,
    /// In words.
    pub method: &'static str,
}

/// Largest table of pins by (net, part): 2 GiB.
const TABLE: usize = 1 << 30;
/// Loads are counted in this share of a part.
const FULL: u64 = 1 << 16;

/// The best partition found at effort `opt` (0 to 3).
///
/// Errors: a neuron that fits no part, or too few parts.
pub fn partition(net: &Net, caps: &Caps, opt: usize, seed: u64) -> Result<Cutting, TooWide> {
    let n = net.neurons() as u32;
    let (part, parts) = fill(
        net,
        0..n,
        &Caps {
            cores: None,
            ..*caps
        },
    )?;
    let first = Cutting {
        part,
        parts,
        method: "in order",
    };
    let mut best = (rated(net, &first, caps), first);
    if opt > 0 && n > 1 {
        let mut rng = Rng::new(seed);
        for c in searched(net, caps, opt, &mut rng)? {
            let rate = rated(net, &c, caps);
            if rate < best.0 {
                best = (rate, c);
            }
        }
    }
    match caps.cores {
        Some(cores) if best.1.parts as u64 > cores => Err(TooWide {
            neuron: n.saturating_sub(1),
            limit: "cores",
            needed: best.1.parts as u64,
            available: cores,
        }),
        _ => Ok(best.1),
    }
}

/// Order of merit: no limit broken, no more parts than there are, least `remote`.
fn rated(net: &Net, c: &Cutting, caps: &Caps) -> (bool, bool, f64) {
    let (m, usage) = cut(net, &c.part, c.parts);
    (
        broken(&usage, caps).is_some(),
        caps.cores.is_some_and(|k| c.parts as u64 > k),
        m.remote,
    )
}

/// Parts that neurons and synapses need at least.
pub fn fewest(net: &Net, caps: &Caps) -> u64 {
    let share = |n: u64, cap: Option<u64>| cap.map_or(1, |c| n.div_ceil(c.max(1)));
    share(net.neurons() as u64, caps.npc)
        .max(share(net.synapses(), caps.spc))
        .max(1)
}

/// Twins are merged first where that takes off so many neurons.
const TWINS: f64 = 0.9;

fn searched(net: &Net, caps: &Caps, opt: usize, rng: &mut Rng) -> Result<Vec<Cutting>, TooWide> {
    let mut found = vec![];
    if caps.apc.is_some() || opt > 1 {
        let (part, parts) = overlap::overlap(net, caps)?;
        found.push(Cutting {
            part,
            parts,
            method: "overlap",
        });
    }
    let k = fewest(net, caps) as usize;
    let mut h = Hyper::new(net);
    if k < 2 || h.pins.len().saturating_mul(k) > TABLE {
        return Ok(found);
    }
    // With one limit a neuron's load is exact, so that parts can be filled to the brim; with several it is the largest share.
    let cap = match (caps.npc, caps.spc) {
        (Some(c), None) => c,
        _ => {
            for (v, s) in h.size.iter_mut().enumerate() {
                let of = |x: u64, c: Option<u64>| c.map_or(0, |c| x * FULL / c.max(1));
                *s = of(1, caps.npc)
                    .max(of(net.into.of(v as u32).len() as u64, caps.spc))
                    .max(1) as u32;
            }
            FULL
        }
    };
    let mean = (h.size.iter().map(|&s| s as u64).sum::<u64>() / net.neurons() as u64).max(1);
    let merged = twins::twins(net, (cap / 3 / mean).max(1) as u32);
    let merged = (merged.1 as f64 <= TWINS * net.neurons() as f64).then_some(merged);
    let (part, _) =
        multilevel::multilevel(h, merged, k, cap as i64, &multilevel::Effort::of(opt), rng);
    let (_, usage): (_, Vec<Usage>) = cut(net, &part, k as u32);
    if broken(&usage, caps).is_none() {
        found.push(Cutting {
            part,
            parts: k as u32,
            method: "multilevel",
        });
        return Ok(found);
    }
    let mut order: Vec<u32> = (0..net.neurons() as u32).collect();
    order.sort_by_key(|&v| (part[v as usize], v));
    let (part, parts) = fill(
        net,
        order.into_iter(),
        &Caps {
            cores: None,
            ..*caps
        },
    )?;
    found.push(Cutting {
        part,
        parts,
        method: "multilevel, refilled",
    });
    Ok(found)
}
