//! Which projections are bundled, and which have procedural rows; what is left is in pieces.
//!
//! In: a checked program and the bounds of the cut. Invariant: what is predicted of a program's memory and what is laid out follow
//! the same answers.

use super::bundle::WeightKind;
use super::member::Given;
use super::pieces::fold;
use super::plan::Cut;
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::program::{Carry, Generated, Layout, Program, Projection};
use synfire_kernels::cpu::deliver::Fold;

/// Which projections are bundled.
#[derive(Debug)]
pub(super) struct Bundling {
    cut: Cut,
    /// For each group and kind of weights, what leaves the group over several delays.
    several: BTreeMap<(u32, WeightKind), Several>,
}

#[derive(Clone, Copy, Debug)]
struct Several {
    synapses: u64,
    least: u16,
    most: u16,
}

impl Bundling {
    pub fn new(p: &Program, cut: Cut) -> Self {
        let mut several: BTreeMap<_, Several> = BTreeMap::new();
        for x in p.projections.iter().enumerate() {
            let Some((given, (least, most))) = candidate(p, x).filter(|c| c.1.0 < c.1.1) else {
                continue;
            };
            let synapses = x.1.synapses();
            let all = several
                .entry((x.1.source, given.weights()))
                .or_insert(Several {
                    synapses: 0,
                    least,
                    most,
                });
            all.synapses += synapses;
            (all.least, all.most) = (all.least.min(least), all.most.max(most));
        }
        Bundling { cut, several }
    }

    /// Synapses of a projection that is bundled, with their smallest and largest delay.
    pub fn of<'p>(
        &self,
        p: &Program,
        x: (usize, &'p Projection),
    ) -> Option<(Given<'p>, (u16, u16))> {
        let (given, (least, most)) = candidate(p, x)?;
        let near = match least == most {
            true => most <= self.cut.ring,
            false => most <= self.cut.ring.saturating_mul(4) && self.filled(p, x.1, given),
        };
        near.then_some((given, (least, most)))
    }

    /// Rows of a source's projections lie side by side in a bundle, so that what counts is how long they are together.
    fn filled(&self, p: &Program, pr: &Projection, given: Given<'_>) -> bool {
        let all = self.several.get(&(pr.source, given.weights()));
        all.is_some_and(|all| {
            let rows =
                p.groups[pr.source as usize].size as u64 * (u64::from(all.most - all.least) + 1);
            all.synapses >= self.cut.fill * rows
        })
    }
}

/// Synapses that a bundle can hold, with their smallest and largest delay: sparse ones that carry events with a delay to a
/// port that sums.
fn candidate<'p>(p: &Program, (k, pr): (usize, &'p Projection)) -> Option<(Given<'p>, (u16, u16))> {
    if p.plastic_of(k as u32).is_some() {
        return None;
    }
    let given = Given::of(pr).filter(|_| pr.carry == Carry::Events)?;
    if matches!(given, Given::Rule(g) if g.complete().is_some()) || procedural(p, pr).is_some() {
        return None;
    }
    sums(p, pr)
        .then(|| pr.delays())
        .flatten()
        .filter(|d| d.0 >= 1)
        .map(|d| (given, d))
}

/// Does it bring events to a port that sums them and has no handler?
fn sums(p: &Program, pr: &Projection) -> bool {
    let Some(m) = p.model_of(pr.target) else {
        return false;
    };
    let fold = fold(&m.ports[pr.port as usize]);
    let sums = matches!(fold, Fold::AddI32 | Fold::AddF32);
    sums && m.handler(pr.port).is_none() && pr.carry == Carry::Events
}

/// The rule of a projection whose rows are drawn at each event: one that asks for it and comes with a delay to a port that sums.
pub(super) fn procedural<'p>(p: &Program, pr: &'p Projection) -> Option<&'p Arc<Generated>> {
    let Layout::Generated(rule) = &pr.layout else {
        return None;
    };
    let late = pr.delays().is_none_or(|d| d.0 == 0);
    (rule.procedural && rule.complete().is_none() && sums(p, pr) && !late).then_some(rule)
}
