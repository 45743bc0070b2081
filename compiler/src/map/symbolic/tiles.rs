//! Cutting populations into boxes: for each population the numbers of pieces along its three axes, searched exhaustively for the least inbound axons from
//! other parts under the limits of a core; ties go to fewer cores, then to fewer pairs of parts that exchange packets.
//!
//! Since rules are products, the axons of all boxes of a population are the product of three sums, one an axis; so a candidate costs O(projections) to judge. Where all cores
//! do not suffice, cores are priced: each population takes the cheapest of its candidates that are best for some number of cores, at the least price that fits.
//! Drawn pairs cost what is expected of them, and limits keep room for what a draw may add.

use super::axis::Axis;
use super::draw::{Draw, load, most};
use super::{Network, Projection, Shape, volume};
use crate::map::score::partition::Caps;
use std::ops::Range;

/// Numbers of pieces along the axes. Piece `i` of `n` of an extent `d` is `i * d / n .. (i + 1) * d / n`.
pub type Pieces = [u32; 3];

/// Piece `i` of `n`.
pub fn piece(extent: u32, n: u32, i: u32) -> Range<u32> {
    let at = |i: u32| (i as u64 * extent as u64 / n as u64) as u32;
    at(i)..at(i + 1)
}

/// The piece that holds `position`.
pub fn holder(extent: u32, n: u32, position: u32) -> u32 {
    (((position as u64 + 1) * n as u64 - 1) / extent as u64) as u32
}

/// A population whose neurons fit no core, or more parts than cores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// Index of the population, where it is one's.
    pub population: Option<u32>,
    /// `npc`, `apc`, `spc` or `cores`.
    pub limit: &'static str,
    /// Needed.
    pub needed: u64,
    /// The limit.
    pub available: u64,
}

/// Populations that are looked back at for one with the same choices.
const RECENT: u32 = 4;
/// Numbers of pieces that are tried along an axis at most.
const CANDIDATES: usize = 160;

/// Numbers of pieces that give different largest extents, each the least for its extent; thinned where there are many.
fn candidates(extent: u32, caps: &Caps) -> Vec<u32> {
    let mut out = vec![];
    let mut size = extent;
    while size > 0 {
        let n = extent.div_ceil(size);
        out.push(n);
        // The largest extent below that of `n` pieces.
        size = extent.div_ceil(n) - 1;
        if out.len() > CANDIDATES * CANDIDATES {
            break;
        }
    }
    if out.len() > CANDIDATES {
        let full = caps.npc.map_or(1, |c| (extent as u64).div_ceil(c.max(1))) as u32;
        let last = out[out.len() - 1] as f64;
        let thin =
            (0..CANDIDATES).map(|i| last.powf(i as f64 / (CANDIDATES - 1) as f64).round() as u32);
        out = thin.chain([full, extent]).collect();
        out.sort_unstable();
        out.dedup();
    }
    out
}

/// What one projection costs along one axis when the targets' axis is cut into `n`.
#[derive(Clone, Copy)]
struct Along {
    /// Sources reaching a piece, summed over pieces.
    axons: f64,
    /// Of these the ones inside the piece's own range (recurrent projections).
    own: f64,
    most_axons: u64,
    most_synapses: u64,
}

fn along(j: &Projection, axis: usize, n: u32) -> Along {
    let rule = &j.rule[axis];
    let all = 0..rule.from();
    if let Axis::All { from, to } = *rule {
        // Every piece meets all sources.
        let own = if j.pre == j.post { to } else { 0 };
        return Along {
            axons: from as f64 * n as f64,
            own: own as f64,
            most_axons: from as u64,
            most_synapses: from as u64 * to.div_ceil(n) as u64,
        };
    }
    let mut out = Along {
        axons: 0.0,
        own: 0.0,
        most_axons: 0,
        most_synapses: 0,
    };
    for i in 0..n {
        let to = piece(rule.to(), n, i);
        let axons = rule.reaching(&all, &to) as u64;
        out.axons += axons as f64;
        out.most_axons = out.most_axons.max(axons);
        out.most_synapses = out.most_synapses.max(rule.synapses(&all, &to));
        if j.pre == j.post {
            out.own += rule.reaching(&to, &to) as f64;
        }
    }
    out
}

/// A way to cut a population.
#[derive(Clone, Copy, Debug)]
struct Choice {
    pieces: Pieces,
    parts: u64,
    remote: f64,
    /// Pairs of parts with the populations after it.
    pairs: f64,
}

/// Cost of one candidate; which limit it breaks, by need, otherwise.
fn judged(
    net: &Network,
    inbound: &[(&Projection, [Vec<Along>; 3])],
    at: [usize; 3],
    (shape, pieces, caps): (Shape, Pieces, &Caps),
) -> Result<f64, (&'static str, u64, u64)> {
    let (mut remote, mut axons, mut synapses) = (0.0, 0u64, 0u64);
    let neurons = largest(shape, pieces);
    for (j, t) in inbound {
        if let Some(d) = &j.drawn {
            let own = j.pre == j.post;
            let rate = net.populations[j.pre as usize].rate;
            remote += rate * far(d, own, shape, pieces);
            let (s, a) = most(d, neurons, own);
            axons = axons.saturating_add(a.ceil() as u64);
            synapses = synapses.saturating_add(s.ceil() as u64);
            continue;
        }
        let of = |f: fn(&Along) -> f64| (0..3).map(|a| f(&t[a][at[a]])).product::<f64>();
        let most = |f: fn(&Along) -> u64| {
            (0..3)
                .map(|a| f(&t[a][at[a]]))
                .fold(1u64, u64::saturating_mul)
        };
        remote += net.populations[j.pre as usize].rate * (of(|x| x.axons) - of(|x| x.own));
        axons = axons.saturating_add(most(|x| x.most_axons));
        synapses = synapses.saturating_add(most(|x| x.most_synapses));
    }
    for (limit, needed, cap) in [
        ("npc", neurons, caps.npc),
        ("apc", axons, caps.apc),
        ("spc", synapses, caps.spc),
    ] {
        if let Some(c) = cap.filter(|&c| needed > c) {
            return Err((limit, needed, c));
        }
    }
    Ok(remote)
}

/// Expected pairs of a source and another part that it reaches.
fn far(d: &Draw, own: bool, shape: Shape, pieces: Pieces) -> f64 {
    let of = |(n, count): (u64, u64)| {
        let inside = if own {
            n as f64 * d.reaching(n - d.apart as u64)
        } else {
            0.0
        };
        count as f64 * (load(d, n, own).1 - inside)
    };
    sizes(shape, pieces).into_iter().map(of).sum()
}

/// Sizes of the pieces' boxes, and how many have each.
pub fn sizes(shape: Shape, pieces: Pieces) -> Vec<(u64, u64)> {
    let mut out = std::collections::BTreeMap::from([(1u64, 1u64)]);
    for a in 0..3 {
        let (d, n) = (shape[a] as u64, pieces[a] as u64);
        let mut next = std::collections::BTreeMap::new();
        for (size, count) in [(d / n, n - d % n), (d / n + 1, d % n)] {
            for (volume, boxes) in out.iter().filter(|_| count > 0) {
                *next.entry(volume * size).or_insert(0) += boxes * count;
            }
        }
        out = next;
    }
    out.into_iter().collect()
}

/// Pairs of parts between a population cut into `pieces` and the populations after it.
fn pairs(net: &Network, p: u32, pieces: Pieces, chosen: &[Option<Pieces>]) -> f64 {
    let mut sum = 0.0;
    for j in net.projections.iter().filter(|j| j.pre == p && j.post != p) {
        let Some(post) = chosen[j.post as usize] else {
            continue;
        };
        sum += (0..3)
            .map(|a| {
                let rule = &j.rule[a];
                if matches!(rule, Axis::All { .. }) {
                    return pieces[a] as f64 * post[a] as f64;
                }
                (0..pieces[a])
                    .map(|i| {
                        let t = rule.touched(piece(rule.from(), pieces[a], i));
                        if t.is_empty() {
                            return 0.0;
                        }
                        let of = |q| holder(rule.to(), post[a], q);
                        (of(t.end - 1) - of(t.start) + 1) as f64
                    })
                    .sum::<f64>()
            })
            .product::<f64>();
    }
    sum
}

/// The choices of one population of which none has both fewer parts and less `remote` than another.
fn front(
    net: &Network,
    p: u32,
    caps: &Caps,
    chosen: &[Option<Pieces>],
) -> Result<Vec<Choice>, TooLarge> {
    let shape = net.populations[p as usize].shape;
    let lists: [Vec<u32>; 3] = shape.map(|d| candidates(d, caps));
    let inbound: Vec<(&Projection, [Vec<Along>; 3])> = net
        .projections
        .iter()
        .filter(|j| j.post == p)
        .map(|j| {
            let table = |a: usize| lists[a].iter().map(|&n| along(j, a, n)).collect();
            (j, [table(0), table(1), table(2)])
        })
        .collect();
    let mut all: Vec<Choice> = vec![];
    let mut broken = None;
    for (i, &a) in lists[0].iter().enumerate() {
        for (k, &b) in lists[1].iter().enumerate() {
            for (l, &c) in lists[2].iter().enumerate() {
                let pieces = [a, b, c];
                match judged(net, &inbound, [i, k, l], (shape, pieces, caps)) {
                    Ok(remote) => all.push(Choice {
                        pieces,
                        parts: pieces.iter().map(|&n| n as u64).product(),
                        remote,
                        pairs: 0.0,
                    }),
                    Err(e) => broken = Some(e),
                }
            }
        }
    }
    if all.is_empty() {
        let (limit, needed, available) = broken.unwrap_or(("npc", 1, 0));
        return Err(TooLarge {
            population: Some(p),
            limit,
            needed,
            available,
        });
    }
    Ok(undominated(net, p, all, chosen))
}

/// Best for its number of parts, and better than all with fewer.
fn undominated(
    net: &Network,
    p: u32,
    mut all: Vec<Choice>,
    chosen: &[Option<Pieces>],
) -> Vec<Choice> {
    all.sort_by(|a, b| a.parts.cmp(&b.parts).then(a.remote.total_cmp(&b.remote)));
    let mut out: Vec<Choice> = vec![];
    for mut c in all {
        match out.last() {
            Some(l) if l.remote < c.remote || (l.remote == c.remote && l.parts < c.parts) => {
                continue;
            }
            _ => (),
        }
        c.pairs = pairs(net, p, c.pieces, chosen);
        match out.last_mut() {
            Some(l) if l.remote == c.remote => {
                if c.pairs < l.pairs {
                    *l = c;
                }
            }
            _ => out.push(c),
        }
    }
    out
}

/// Pieces of every population. Errors: a neuron that fits no core, or too few cores.
pub fn tiles(net: &Network, caps: &Caps) -> Result<Vec<Pieces>, TooLarge> {
    let n = net.populations.len();
    let mut chosen: Vec<Option<Pieces>> = vec![None; n];
    let mut fronts: Vec<Vec<Choice>> = vec![vec![]; n];
    // Later populations first, so that earlier ones can be matched with them.
    let mut known: Vec<(u32, Vec<Choice>)> = vec![];
    for p in (0..n as u32).rev() {
        let f = match known.iter().find(|k| alike(net, k.0, p)) {
            Some(k) => k.1.clone(),
            None => front(net, p, caps, &chosen)?,
        };
        chosen[p as usize] = f.last().map(|c| c.pieces);
        known.retain(|k| k.0 <= p + RECENT);
        known.push((p, f.clone()));
        fronts[p as usize] = f;
    }
    let take = |price: f64| -> Vec<&Choice> {
        fronts
            .iter()
            .filter_map(|f| {
                f.iter().min_by(|a, b| {
                    let cost = |c: &Choice| c.remote + price * c.parts as f64;
                    cost(a).total_cmp(&cost(b)).then(a.parts.cmp(&b.parts))
                })
            })
            .collect()
    };
    let parts = |c: &[&Choice]| c.iter().map(|c| c.parts).sum::<u64>();
    let cap = caps.cores.unwrap_or(u64::MAX);
    let mut best = take(0.0);
    if parts(&best) > cap {
        let (mut low, mut high) = (0.0, f64::MAX.sqrt());
        best = take(high);
        if parts(&best) > cap {
            return Err(TooLarge {
                population: None,
                limit: "cores",
                needed: parts(&best),
                available: cap,
            });
        }
        // Down by powers until too many cores are taken, then between the last two.
        for _ in 0..400 {
            let mid = if high > 1e-6 && low == 0.0 {
                high / 8.0
            } else {
                (low + high) / 2.0
            };
            let c = take(mid);
            if parts(&c) > cap {
                low = mid;
            } else {
                high = mid;
                best = c;
            }
        }
    }
    Ok(best.iter().map(|c| c.pieces).collect())
}

/// Do two populations have the same choices: equal shapes, equal inbound rules and rates, and successors alike?
fn alike(net: &Network, a: u32, b: u32) -> bool {
    let of = |p: u32| {
        let inbound = net.projections.iter().filter(move |j| j.post == p);
        let outbound = net.projections.iter().filter(move |j| j.pre == p);
        let rate = |i: u32| net.populations[i as usize].rate;
        let own = |j: &Projection| (j.pre == j.post, j.rule, j.drawn);
        (
            net.populations[p as usize].shape,
            inbound
                .map(|j| (own(j), rate(j.pre).to_bits()))
                .collect::<Vec<_>>(),
            outbound.map(own).collect::<Vec<_>>(),
        )
    };
    of(a) == of(b)
}

/// Parts of one population.
pub fn count(p: Pieces) -> u64 {
    p.iter().map(|&n| n as u64).product()
}

/// Neurons of the largest part.
pub fn largest(s: Shape, p: Pieces) -> u64 {
    let size: Shape = std::array::from_fn(|a| s[a].div_ceil(p[a]));
    volume(size)
}
