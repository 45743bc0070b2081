//! Scales of the fixed-point sums at float ports.
//!
//! WGSL has no atomic float addition, so events add up as integers: each contribution times 2^k, rounded. Per port, k is
//! the largest for which the sum of everything that can arrive in one step, every source emitting its largest payload over
//! every synapse, stays below 2^31. Sums are therefore exact to half a unit of 2^-k for each synapse walked, do not depend on the
//! order of events, and do not overflow. Payloads of units are bounded by [`super::payload`]; those of external groups by what
//! is given to the run, so the scales may change between runs of steps (when all sums are zero).

use super::layout::{Route, route};
use super::payload;
use std::collections::BTreeMap;
use synfire_ir::model::Ty;
use synfire_ir::network::Chosen;
use synfire_ir::program::{GroupKind, Layout, Plastic, Program, Projection, RowRule, Weights};
use synfire_ir::synapse::Synapse;

/// A port's scale: where it lies in `tables`, and the worst sum at one unit.
#[derive(Clone, Debug, Default)]
pub struct Scale {
    /// Offset of the scale and its inverse.
    pub at: u32,
    /// Worst sum of what units send.
    pub units: f64,
    /// Worst sum of what each external group sends, if each of its units sends 1.
    pub external: BTreeMap<u32, f64>,
}

impl Scale {
    /// The scale and its inverse as F32 bits, when units of external group `g` send at most `bound(g)` in a step.
    pub fn words(&self, bound: impl Fn(u32) -> f64) -> [u32; 2] {
        let external: f64 = self.external.iter().map(|(&g, w)| w * bound(g)).sum();
        let worst =
            (self.units + external).clamp(f64::from(f32::MIN_POSITIVE), f64::from(f32::MAX));
        // One bit is kept for the rounding of each contribution.
        let k = (30.0 - worst.log2().ceil()).clamp(-90.0, 90.0) as i32;
        [(k as f32).exp2().to_bits(), (-k as f32).exp2().to_bits()]
    }
}

/// The scales of all float ports that events reach, by (group, port); their places are given by the caller.
pub fn scales(p: &Program) -> BTreeMap<(u32, u16), Scale> {
    let mut sums: BTreeMap<(u32, u16), Worst> = BTreeMap::new();
    for (k, pr) in (0..).zip(&p.projections) {
        let float = p
            .model_of(pr.target)
            .is_some_and(|m| m.ports[pr.port as usize].ty == Ty::F32);
        if !float || !matches!(route(p, pr), Route::Scatter | Route::Ones) {
            continue;
        }
        let worst = sums.entry((pr.target, pr.port)).or_default();
        let (sum, payload) = match p.groups[pr.source as usize].kind {
            GroupKind::External => (worst.external.entry(pr.source).or_default(), 1.0),
            GroupKind::Units { .. } => {
                let m = p.model_of(pr.source);
                let bound = m.map_or(0, |m| payload::bound(&m.step));
                (&mut worst.units, f64::from(bound))
            }
        };
        sum.resize(p.groups[pr.target as usize].size as usize, 0.0);
        let learned = p.plastic_of(k).map(|(x, m)| bound(pr, x, m));
        if let Layout::Generated(g) = &pr.layout
            && let Some((w, ..)) = g.complete()
        {
            // From one source more than where a target leaves itself out.
            let most = f64::from(f32::from_bits(w).abs()) * payload * f64::from(g.sources);
            let of = pr.target_range.start as usize..;
            sum[of]
                .iter_mut()
                .take(g.targets as usize)
                .for_each(|s| *s += most);
            continue;
        }
        each(pr, |t, w| {
            let most = learned.unwrap_or(f64::from(w.abs()));
            sum[t as usize] += most * payload;
        });
    }
    let largest = |v: &Vec<f64>| v.iter().copied().fold(0.0, f64::max);
    sums.into_iter()
        .map(|(port, w)| {
            let external = w.external.iter().map(|(&g, v)| (g, largest(v))).collect();
            let scale = Scale {
                at: 0,
                units: largest(&w.units),
                external,
            };
            (port, scale)
        })
        .collect()
}

/// How much more than at the start synapses without a clip may deliver.
const ROOM: f64 = 64.0;

/// The most that a synapse that learns may deliver to a float port: what its rules' clips allow, or without them so many times the
/// largest weight at the start. A run in which more is delivered ends with an error.
pub fn bound(pr: &Projection, x: &Plastic, m: &Synapse) -> f64 {
    let weights = match &pr.layout {
        Layout::Rows(r) => &r.weights,
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
        _ => &Weights::Uniform(0),
    };
    super::range::delivered(m, x, weights).unwrap_or_else(|| {
        let mut most = 0f64;
        each(pr, |_, w| most = most.max(f64::from(w.abs())));
        ROOM * if most > 0.0 { most } else { 1.0 }
    })
}

#[derive(Default)]
struct Worst {
    units: Vec<f64>,
    external: BTreeMap<u32, Vec<f64>>,
}

/// Visits target unit and weight of every synapse.
fn each(pr: &Projection, mut f: impl FnMut(u32, f32)) {
    let first = pr.target_range.start;
    let n = pr.target_range.len as usize;
    match &pr.layout {
        Layout::Rows(r) => {
            for (k, &t) in r.targets.iter().enumerate() {
                f(first + t, f32::from_bits(r.weights.bits(k)));
            }
        }
        Layout::Dense { weights, .. } => {
            (0..pr.synapses() as usize).for_each(|k| {
                f(
                    first + (k % n.max(1)) as u32,
                    f32::from_bits(weights.bits(k)),
                )
            });
        }
        Layout::OneToOne { weights, .. } => {
            (0..n).for_each(|k| f(first + k as u32, f32::from_bits(weights.bits(k))));
        }
        Layout::Generated(g) => {
            let (rows, mut chosen) = (RowRule::new(g), Chosen::default());
            for s in 0..g.sources {
                let Some(rows) = &rows else { break };
                rows.each(s, &mut chosen, |t, w, _| f(first + t, f32::from_bits(w)));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_sum_stays_below_two_to_the_31() {
        for worst in [0.0, 1e-30, 0.1, 1.0, 3.0, 1e9, 1e30] {
            let s = Scale {
                units: worst / 2.0,
                external: [(0, worst / 8.0)].into(),
                ..Default::default()
            };
            let [scale, inverse] = s.words(|_| 4.0).map(f32::from_bits);
            assert!(worst * f64::from(scale) <= 2f64.powi(30), "{worst}");
            assert_eq!(scale * inverse, 1.0);
        }
    }
}
