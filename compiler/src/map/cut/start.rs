//! Searching from a partition that is known to be good, such as tiles of a network's pictures: annealed cool, so that its structure stays.

use super::anneal::State;
use super::fill::fill;
use super::hyper::Hyper;
use super::multilevel::{Effort, refined};
use super::{COUNT, Cutting, TABLE, finished};
use crate::map::net::Net;
use crate::map::rng::Rng;
use crate::map::score::partition::Caps;
use crate::map::search::Search;

/// First and last heat, in square roots of a neuron's mean net weight.
const HEAT: (f64, f64) = (0.15, 0.02);

/// The partition itself, and refined where its tables fit memory.
pub fn from(net: &Net, caps: &Caps, plain: Cutting, search: &Search) -> Vec<Cutting> {
    let (k, method) = (plain.parts as usize, plain.method);
    let wide = caps.npc.is_some_and(|c| c as usize <= COUNT / 2);
    if k < 2 || !wide || net.nets().saturating_mul(k) > TABLE {
        return vec![plain];
    }
    let search = &Search {
        opt: search.opt.clamp(1, 3),
        ..*search
    };
    let mut rng = Rng::new(search.seed ^ 2);
    let several = caps.apc.is_some() || caps.spc.is_some() || caps.opc.is_some() || caps.copies;
    let part = if several {
        plain.part.clone()
    } else {
        annealed(net, caps, &plain, search, &mut rng)
    };
    let refined = finished(net, caps, part, k, several, method, search, &mut rng);
    [Some(plain), refined].into_iter().flatten().collect()
}

/// Share of the parts that a mean net reaches from which on no part is nearer than another.
const MOST: f64 = 0.5;
/// Share of the cost of neurons in any order from which on their order says nothing.
const ORDERED: f64 = 0.97;

/// The partition in order, annealed cool and slowly, where nets reach most parts and the order tells of populations: then which populations share a part is settled, and
/// which of their neurons do is left to find. `None` elsewhere.
pub fn ordered(net: &Net, caps: &Caps, k: usize, search: &Search) -> Option<Cutting> {
    let cap = caps.npc?.min(i64::MAX as u64) as i64;
    let open = Caps {
        cores: None,
        ..*caps
    };
    let (part, parts) = fill(net, 0..net.neurons() as u32, &open).ok()?;
    if parts as usize != k {
        return None;
    }
    let h = Hyper::new(net);
    let mut rng = Rng::new(search.seed ^ 3);
    let mut any = part.clone();
    rng.shuffle(&mut any);
    let any = State::new(&h, k, any).cost();
    let mut s = State::new(&h, k, part);
    let all: f64 = h.weight.iter().map(|&w| w as f64).sum();
    if s.cost() < MOST * k as f64 * all || s.cost() > ORDERED * any {
        return None;
    }
    let n = net.neurons() as f64;
    let weight = |e: &u32| h.weight[*e as usize] as f64;
    let effort = Effort::of(search.opt);
    let cold = effort.heat.1 * (h.nets.to.iter().map(weight).sum::<f64>() / n).sqrt();
    let moves = (effort.even * n) as u64;
    s.temper(moves, (cold, 0.1 * cold), cap, &mut rng, &search.budget);
    s.exchange(moves / 20, (0.0, 0.0), cap, &mut rng, &search.budget);
    Some(Cutting {
        part: s.part,
        parts,
        method: "in order, tempered",
        trace: vec![],
    })
}

fn annealed(net: &Net, caps: &Caps, c: &Cutting, search: &Search, rng: &mut Rng) -> Vec<u32> {
    let h = Hyper::new(net);
    let n = net.neurons() as f64;
    let weight = |e: &u32| h.weight[*e as usize] as f64;
    let scale = (h.nets.to.iter().map(weight).sum::<f64>() / n).sqrt();
    let effort = Effort::of(search.opt);
    let cap = caps.npc.unwrap_or(u64::MAX).min(i64::MAX as u64) as i64;
    let heat = (HEAT.0 * scale, HEAT.1 * scale);
    let moves = (effort.trials[1] * n) as u64;
    let mut s: State = refined(
        &h,
        c.part.clone(),
        c.parts as usize,
        cap,
        (moves, heat),
        rng,
        &search.budget,
    );
    s.balance(cap);
    s.exchange(moves / 2, (0.0, 0.0), cap, rng, &search.budget);
    s.part
}
