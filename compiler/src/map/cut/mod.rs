//! Partition: neurons into parts under hard limits, for the least `remote` (spikes times other parts reached).
//!
//! A portfolio: filling in order ([`fill`](mod@fill), the baseline that no result is worse than), growth by overlap ([`overlap`]) and multilevel annealing
//! ([`multilevel`]), each refined under all limits at once ([`trim`]) where there are several. What still breaks a limit is filled anew in the
//! order of its parts, which keeps every limit. Searches run side by side on as many threads as there are; each has random numbers
//! of its own and the best is chosen in a fixed order, so threads change nothing.

pub mod anneal;
pub mod coarsen;
pub mod fill;
pub mod grow;
pub mod hyper;
pub mod keep;
pub mod multilevel;
pub mod overlap;
pub mod start;
pub mod trim;
pub mod twins;

use crate::map::net::{Net, OUTSIDE};
use crate::map::rng::Rng;
use crate::map::score::partition::{Caps, broken, cut};
use crate::map::search::Search;
use fill::{TooWide, fill};
use hyper::Hyper;
use std::sync::Mutex;
use trim::Trim;

/// A partition and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Cutting {
    /// Part of each neuron.
    pub part: Vec<u32>,
    /// Number of parts.
    pub parts: u32,
    /// In words.
    pub method: &'static str,
    /// Cost over the refinement, where it was followed.
    pub trace: Vec<f32>,
}

/// Largest table of pins by (net, part): 2 GiB.
const TABLE: usize = 1 << 30;
/// Pins of a net, and neurons of a part, that a table's entries can count.
const COUNT: usize = u16::MAX as usize;
/// Loads are counted in this share of a part.
const FULL: u64 = 1 << 16;
/// Method of partitions that keep an earlier one.
pub const KEPT: &str = "kept";

/// The best partition found.
///
/// Errors: a neuron that fits no part, or too few parts.
pub fn partition(net: &Net, caps: &Caps, search: &Search) -> Result<Cutting, TooWide> {
    partition_from(net, caps, search, None)
}

/// The best partition found. `start`: the part of each neuron in a partition that the network's structure suggests, and how many these are; it is
/// searched from, too.
///
/// Errors: a neuron that fits no part, or too few parts.
pub fn partition_from(
    net: &Net,
    caps: &Caps,
    search: &Search,
    start: Option<(Vec<u32>, u32)>,
) -> Result<Cutting, TooWide> {
    let n = net.neurons() as u32;
    let open = Caps {
        cores: None,
        ..*caps
    };
    let (part, parts) = fill(net, 0..n, &open)?;
    let first = Cutting {
        part,
        parts,
        method: "in order",
        trace: vec![],
    };
    let mut best = (rated(net, &first, caps), first);
    if search.opt > 0 && n > 1 {
        let structured = start
            .map(|(part, parts)| {
                let plain = Cutting {
                    part,
                    parts,
                    method: "boxes",
                    trace: vec![],
                };
                start::from(net, caps, plain, search)
            })
            .unwrap_or_default();
        for c in searches(net, caps, search).into_iter().chain(structured) {
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

/// Partitions worth filling into cores, for a caller that knows limits which [`Caps`] does not. `known`: parts of an earlier mapping (`u32::MAX`: a new
/// neuron), which is kept as far as limits allow.
pub fn proposals(
    net: &mut Net,
    caps: &Caps,
    search: &Search,
    known: Option<Vec<u32>>,
) -> Vec<Cutting> {
    if let Some(known) = known {
        return keep::keep(net, caps, known, search).into_iter().collect();
    }
    if caps.copies {
        for _ in 0..2 {
            estimate(net, caps);
        }
    }
    searches(net, caps, search)
}

/// Sets each neuron's size to what it takes in a partition by overlap.
fn estimate(net: &mut Net, caps: &Caps) {
    let n = net.neurons();
    if net.size.is_empty() {
        net.size = (0..n as u32).map(|v| net.base(v).max(1)).collect();
    }
    let Ok((part, parts)) = overlap::overlap(net, caps) else {
        return;
    };
    let mut size = net.base.clone();
    let mut stamp = vec![OUTSIDE; parts as usize];
    for e in 0..net.nets() as u32 {
        if let Some(s) = size.get_mut(net.home(e) as usize) {
            for &v in net.out.of(e) {
                let p = part[v as usize] as usize;
                *s += (std::mem::replace(&mut stamp[p], e) != e) as u32;
            }
        }
    }
    // A neuron that takes more than a core is spread over several.
    let most = caps.npc.unwrap_or(u64::MAX).min(u32::MAX as u64) as u32;
    net.size = size.into_iter().map(|s| s.clamp(1, most)).collect();
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
    share(net.slots(), caps.npc)
        .max(share(net.synapses(), caps.spc))
        .max(1)
}

/// Twins are merged first where that takes off so many neurons.
const TWINS: f64 = 0.9;
/// Trials a neuron of [`Trim`] by effort, and parts that it tries to empty.
const TRIMS: [f64; 4] = [0.0, 20.0, 100.0, 500.0];
const EMPTIED: usize = 64;

/// How often a partition that breaks limits gets more parts.
const ROOMIER: usize = 4;

/// All searches at every effort up to the one asked for, so that more effort never gives less, and a time limit finds a result.
fn searches(net: &Net, caps: &Caps, search: &Search) -> Vec<Cutting> {
    let mut found = vec![];
    for opt in 1..=search.opt.min(3) {
        if search.budget.over() {
            break;
        }
        found.extend(searched(net, caps, &Search { opt, ..*search }));
    }
    found
}

fn searched(net: &Net, caps: &Caps, search: &Search) -> Vec<Cutting> {
    let several = caps.apc.is_some() || caps.spc.is_some() || caps.opc.is_some() || caps.copies;
    let grown = (several || search.opt > 1)
        .then(|| overlap::overlap(net, caps).ok())
        .flatten();
    let mut k = fewest(net, caps) as usize;
    if let Some((_, parts)) = &grown
        && several
    {
        k = k.max(*parts as usize);
    }
    let widest = (0..net.nets() as u32)
        .map(|e| net.out.of(e).len() + 1)
        .max();
    let tables = k >= 2
        && net.nets().saturating_mul(k) <= TABLE
        && (widest.unwrap_or(0) <= COUNT || caps.npc.is_some_and(|c| c as usize <= COUNT / 2));
    let mut jobs: Vec<Box<dyn FnOnce() -> Option<Cutting> + Send + '_>> = vec![];
    if tables {
        jobs.push(Box::new(|| {
            let mut rng = Rng::new(search.seed);
            let part = layered(net, caps, k, search, &mut rng)?;
            finished(net, caps, part, k, several, "multilevel", search, &mut rng)
        }));
    }
    if tables && !several {
        jobs.push(Box::new(|| start::ordered(net, caps, k, search)));
    }
    if let Some((part, parts)) = grown {
        jobs.push(Box::new(move || {
            let mut rng = Rng::new(search.seed ^ 1);
            if several && tables && net.nets().saturating_mul(parts as usize) <= TABLE {
                let k = parts as usize;
                finished(net, caps, part, k, true, "overlap", search, &mut rng)
            } else {
                Some(Cutting {
                    part,
                    parts,
                    method: "overlap",
                    trace: vec![],
                })
            }
        }));
    }
    in_parallel(search.threads, jobs)
        .into_iter()
        .flatten()
        .collect()
}

/// The multilevel partition into `k` parts.
fn layered(net: &Net, caps: &Caps, k: usize, search: &Search, rng: &mut Rng) -> Option<Vec<u32>> {
    let mut h = Hyper::new(net);
    // With one limit a neuron's load is exact, so that parts can be filled to the brim; with several it is the largest share.
    let cap = match (caps.npc, caps.spc) {
        (Some(c), None) => c,
        _ => {
            for (v, s) in h.size.iter_mut().enumerate() {
                let of = |x: u64, c: Option<u64>| c.map_or(0, |c| x * FULL / c.max(1));
                *s = of(*s as u64, caps.npc)
                    .max(of(net.into.of(v as u32).len() as u64, caps.spc))
                    .max(1) as u32;
            }
            FULL
        }
    };
    let mean =
        (h.size.iter().map(|&s| s as u64).sum::<u64>() / (net.neurons() as u64).max(1)).max(1);
    let merged = twins::twins(net, (cap / 3 / mean).max(1) as u32);
    let merged = (merged.1 as f64 <= TWINS * net.neurons() as f64).then_some(merged);
    let mut effort = multilevel::Effort::of(search.opt);
    // Under several limits the partition is refined once more, so a rougher one will do.
    if search.opt == 1 && (caps.apc.is_some() || caps.opc.is_some() || caps.copies) {
        effort.trials[1..].iter_mut().for_each(|t| *t *= 0.5);
    }
    Some(multilevel::multilevel(h, merged, k, cap as i64, &effort, rng, &search.budget).0)
}

/// A partition made legal, and refined where there are `several` limits.
#[allow(clippy::too_many_arguments)]
fn finished(
    net: &Net,
    caps: &Caps,
    part: Vec<u32>,
    k: usize,
    several: bool,
    method: &'static str,
    search: &Search,
    rng: &mut Rng,
) -> Option<Cutting> {
    let (part, parts, trace) = if several {
        let mut t = Trim::new(net, caps, k, part);
        let trials = (TRIMS[search.opt] * net.neurons() as f64) as u64;
        t.anneal(trials / 4, (0.0, 0.0), rng, &search.budget);
        for _ in 0..ROOMIER {
            if t.over() == 0 || search.budget.over() {
                break;
            }
            let k = t.parts() + t.parts() / 4 + 3;
            if net.nets().saturating_mul(k) > TABLE {
                break;
            }
            t = t.roomier(caps, k);
            t.misfits().into_iter().for_each(|v| t.settle(v, OUTSIDE));
            t.anneal(trials / 4, (0.0, 0.0), rng, &search.budget);
        }
        t.dissolve(EMPTIED, &search.budget);
        t.anneal(trials, (0.5, 0.1), rng, &search.budget);
        t.anneal(trials / 4, (0.0, 0.0), rng, &search.budget);
        t.dissolve(EMPTIED, &search.budget);
        let trace = std::mem::take(&mut t.trace);
        let (part, parts) = t.finish();
        (part, parts, trace)
    } else {
        (part, k as u32, vec![])
    };
    let found = |part, parts| Cutting {
        part,
        parts,
        method,
        trace,
    };
    let (_, usage) = cut(net, &part, parts);
    if broken(&usage, caps).is_none() || caps.copies {
        return Some(found(part, parts));
    }
    let mut order: Vec<u32> = (0..net.neurons() as u32).collect();
    order.sort_by_key(|&v| (part[v as usize], v));
    let open = Caps {
        cores: None,
        ..*caps
    };
    let (part, parts) = fill(net, order.into_iter(), &open).ok()?;
    Some(found(part, parts))
}

/// Results of the jobs in their order, however many threads there are.
fn in_parallel<'a, T: Send>(
    threads: usize,
    jobs: Vec<Box<dyn FnOnce() -> T + Send + 'a>>,
) -> Vec<T> {
    if threads < 2 || jobs.len() < 2 {
        return jobs.into_iter().map(|j| j()).collect();
    }
    let n = jobs.len();
    let open = Mutex::new(jobs.into_iter().enumerate());
    let done = Mutex::new((0..n).map(|_| None).collect::<Vec<Option<T>>>());
    let next = || open.lock().ok().and_then(|mut o| o.next());
    std::thread::scope(|s| {
        for _ in 0..threads.min(n) {
            s.spawn(|| {
                while let Some((i, job)) = next() {
                    let out = job();
                    if let Ok(mut d) = done.lock() {
                        d[i] = Some(out);
                    }
                }
            });
        }
    });
    done.into_inner()
        .map(|d| d.into_iter().flatten().collect())
        .unwrap_or_default()
}
