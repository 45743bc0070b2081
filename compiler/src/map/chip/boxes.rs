//! Boxes of neurons as parts: where a network's projections are rules, its populations cut into channels, rows and columns that share axons. The search fills them into
//! cores exactly, and goes on from the best of them.

use super::{Limits, Task, grouped};
use crate::map::cut::{Cutting, start};
use crate::map::net::Net;
use crate::map::score::partition::Caps;
use crate::map::search::Search;
use crate::map::symbolic::plan::Plan;
use crate::map::symbolic::tiles::tiles;
use crate::map::symbolic::{Network, Population, volume};
use crate::passes::ChipNetwork;
use synfire_ir::mapping::MappedPopulation;

/// Method of what comes from here.
pub const BOXES: &str = "boxes";
/// Shares of a core's neurons that boxes may take: copies of neurons with several destinations need the rest.
const SHARES: [f64; 6] = [1.0, 0.75, 0.5, 0.33, 0.2, 0.1];

/// Part of each of the units `all`, and how many parts there are, for boxes of different sizes.
pub fn boxes(
    rules: &Network,
    chip: &ChipNetwork,
    all: &[u32],
    caps: &Caps,
    limits: &Limits,
) -> Vec<(Vec<u32>, u32)> {
    // Boxes share axons where rules are local: of drawn pairs any cut shares alike.
    let mut rules = rules.clone();
    rules.projections.retain(|j| j.drawn.is_none());
    let rules = &rules;
    let sizes = |(p, q): (&Population, &MappedPopulation)| volume(p.shape) == q.size as u64;
    let known = rules.populations.len() == chip.populations.len()
        && rules.populations.iter().zip(&chip.populations).all(sizes);
    if !known || rules.projections.is_empty() {
        return vec![];
    }
    let shares: &[f64] = if limits.one_destination {
        &SHARES
    } else {
        &SHARES[..1]
    };
    let mut found: Vec<Plan> = vec![];
    for share in shares {
        let some = |c: Option<u64>| c.map(|c| ((c as f64 * share) as u64).max(1));
        let caps = Caps {
            npc: some(caps.npc),
            opc: None,
            ..*caps
        };
        let plan = tiles(rules, &caps)
            .ok()
            .and_then(|p| Plan::new(rules.clone(), p));
        found.extend(plan.filter(|p| found.iter().all(|f| f.pieces != p.pieces)));
    }
    let part = |plan: &Plan| -> Vec<u32> {
        let of = |&u: &u32| {
            let unit = chip.units[u as usize].unit;
            plan.part_of(unit.pop, unit.unit)
        };
        all.iter().map(of).collect()
    };
    found.iter().map(|p| (part(p), p.parts())).collect()
}

impl Task<'_> {
    /// The boxes that fill into cores best, and what the search makes of them.
    pub(super) fn boxes(
        &self,
        rules: &Network,
        all: &[u32],
        caps: &Caps,
        net: &Net,
        search: &Search,
    ) -> Vec<Cutting> {
        let sizes = boxes(rules, self.net, all, caps, self.limits).into_iter();
        let rated = sizes.map(|(part, parts)| {
            let c = Cutting {
                part,
                parts,
                method: BOXES,
                trace: vec![],
            };
            let filled = self.rated(self.legal(&grouped(&c, all), true), c.method);
            (filled.merit(self.limits), c)
        });
        match rated.min_by_key(|r| r.0) {
            Some((_, c)) => start::from(net, caps, c, search),
            None => vec![],
        }
    }
}
