//! Multilevel k-way partition: coarsen, grow parts on the coarsest level, anneal on the way back, balance and exchange at the end.

use super::anneal::State;
use super::coarsen::cluster;
use super::grow::grow;
use super::hyper::Hyper;
use crate::map::rng::Rng;
use crate::map::search::Budget;

/// How long to search, and how hot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Nodes of the coarsest level for each part.
    pub coarse: usize,
    /// Trials a node on the coarsest level, on those between, on the finest, and of exchanges.
    pub trials: [f64; 4],
    /// Trials a node of a partition in order whose nets reach most parts.
    pub even: f64,
    /// Heat at the beginning and at the end of a level, in square roots of a node's mean net weight.
    pub heat: (f64, f64),
}

impl Effort {
    /// By `--opt`.
    pub fn of(opt: usize) -> Effort {
        let trials = [
            [100.0, 10.0, 4.0, 8.0],
            [500.0, 60.0, 40.0, 40.0],
            [2000.0, 100.0, 100.0, 60.0],
            [5000.0, 400.0, 500.0, 300.0],
        ][opt.min(3)];
        Effort {
            coarse: 10,
            trials,
            even: [20.0, 400.0, 600.0, 1500.0][opt.min(3)],
            heat: (0.3, 0.05),
        }
    }
}

/// The penalty of [`State::anneal`].
const STIFF: f64 = 1.0;
/// Share of a level's trials that go to exchanges.
const EXCHANGES: f64 = 0.5;
/// How often a level that got worse is tried again, cooler by this factor.
const RETRIES: u32 = 2;
const COOLER: f64 = 0.2;

/// A hypergraph and, but for the coarsest, the node of the next one that each of its nodes becomes.
struct Levels {
    fine: Vec<(Hyper, Vec<u32>)>,
    coarsest: Hyper,
}

fn coarsened(
    first: Hyper,
    merged: Option<(Vec<u32>, usize)>,
    enough: usize,
    most: u32,
    rng: &mut Rng,
) -> Levels {
    let mut fine = vec![];
    let mut h = first;
    let mut next = merged;
    loop {
        let (c, n) = match next.take() {
            Some(m) => m,
            None if h.nodes() > enough => cluster(&h, most, rng),
            None => break,
        };
        if n as f64 > h.nodes() as f64 * 0.95 {
            break;
        }
        let up = h.merged(&c, n);
        fine.push((h, c));
        h = up;
    }
    Levels { fine, coarsest: h }
}

/// `k` parts of at most `cap`; `merged`: nodes that are one from the start. `false`: some part stayed above.
pub fn multilevel(
    first: Hyper,
    merged: Option<(Vec<u32>, usize)>,
    k: usize,
    cap: i64,
    effort: &Effort,
    rng: &mut Rng,
    budget: &Budget,
) -> (Vec<u32>, bool) {
    let most = (cap / 3).max(1) as u32;
    let Levels {
        mut fine,
        coarsest: mut h,
    } = coarsened(first, merged, effort.coarse * k, most, rng);
    let mut part = grow(&h, k, rng);
    let mut hot = 4.0 * effort.heat.0;
    let mut trials = effort.trials[0];
    loop {
        if fine.is_empty() {
            trials = trials.min(effort.trials[2]);
        }
        let n = h.nodes() as f64;
        let mean: f64 = h
            .nets
            .to
            .iter()
            .map(|&e| h.weight[e as usize] as f64)
            .sum::<f64>()
            / n;
        let scale = mean.sqrt().max(1e-9);
        let cold = effort.heat.1 * scale;
        let mut s = refined(
            &h,
            part,
            k,
            cap,
            ((trials * n) as u64, (hot * scale, cold)),
            rng,
            budget,
        );
        let Some((next, c)) = fine.pop() else {
            let fits = s.balance(cap);
            s.exchange(
                (effort.trials[3] * n) as u64,
                (cold, 0.3 * cold),
                cap,
                rng,
                budget,
            );
            s.exchange(
                (effort.trials[3] * n * 0.3) as u64,
                (0.0, 0.0),
                cap,
                rng,
                budget,
            );
            return (s.part, fits);
        };
        let coarse = s.part;
        part = c.iter().map(|&x| coarse[x as usize]).collect();
        h = next;
        hot = effort.heat.0;
        trials = effort.trials[1];
    }
}

/// One level: annealed, then exchanged; what got worse is tried again cooler.
pub(super) fn refined<'a>(
    h: &'a Hyper,
    part: Vec<u32>,
    k: usize,
    cap: i64,
    (moves, mut heat): (u64, (f64, f64)),
    rng: &mut Rng,
    budget: &Budget,
) -> State<'a> {
    let mut s = State::new(h, k, part);
    let (before, start, over) = (s.cost(), s.part.clone(), s.excess(cap));
    for _ in 0..=RETRIES {
        s.anneal(moves, heat, cap, STIFF, rng, budget);
        s.exchange((moves as f64 * EXCHANGES) as u64, heat, cap, rng, budget);
        if s.cost() <= before || s.excess(cap) < over / 2 {
            break;
        }
        s = State::new(h, k, start.clone());
        heat = (heat.0 * COOLER, heat.1 * COOLER);
    }
    s
}
