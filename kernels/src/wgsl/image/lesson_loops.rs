//! How many invocations share the synapses of a row or a target, and how often the kernels of a plastic projection loop.

use super::lesson::Maker;
use super::limits::too_long;
use super::loops::{DRAW, SEARCH};
use crate::wgsl::models::sites;
use crate::wgsl::shape::{MAX_ITERATIONS, TILE};
use synfire_ir::Diagnostic;
use synfire_ir::model::Block;
use synfire_ir::program::{GroupKind, Modulation};
use synfire_ir::synapse::{Seen, Synapse};

/// For each kernel its loops and their iterations. What one synapse delivers is counted with the synapses of `deliver_learned`.
pub(super) type KernelLoops = Vec<(&'static str, Vec<(&'static str, u64)>)>;

/// Iterations of the random numbers that rules draw for one synapse.
pub(super) struct Costs {
    pub deliver: u64,
    rows: u64,
    targets: u64,
    most: u64,
}

impl Costs {
    pub fn new(m: &Synapse) -> Costs {
        let draw = |b: &Block| DRAW * sites(std::iter::once(b)).len() as u64;
        let every = m.every.iter().map(|e| draw(&e.action.synapse));
        let rows = every.chain([draw(&m.pre.synapse)]).max().unwrap_or(0);
        let mods = m.modulators.iter().map(|x| draw(&x.action.synapse));
        let targets = mods.chain([draw(&m.post.synapse)]).max().unwrap_or(0);
        let deliver = draw(&m.deliver);
        Costs {
            deliver,
            rows,
            targets,
            most: deliver.max(rows).max(targets),
        }
    }
}

impl Maker<'_> {
    /// How many invocations share a row or a target.
    pub(super) fn lanes(
        &self,
        (row, column): (u32, u32),
        costs: &Costs,
        share: u32,
    ) -> Result<(u32, u32), Diagnostic> {
        let most = TILE.trailing_zeros();
        // Besides the synapses: bisections, repeated events, and sums.
        let limit = MAX_ITERATIONS - 256;
        let of = |n: u32| {
            let wanted = (n >> share).max(1).ilog2().min(most);
            let own = |l: u32| (u64::from(n >> l) + 1) * (1 + costs.most);
            (wanted..=most).find(|&l| own(l) <= limit)
        };
        let summed = self
            .m
            .views
            .iter()
            .filter(|v| matches!(v.seen, Seen::Total(_)));
        let sums = u64::from(column) * summed.count() as u64;
        let (Some(r), Some(c), true) = (of(row), of(column), sums <= limit / 2) else {
            let what = format!("the synapses of one unit of `{}`", self.pr.name);
            let most = u64::from(row.max(column)).max(sums);
            return Err(too_long(what, most * (1 + costs.most), limit));
        };
        Ok((r, c))
    }

    /// The loops of the kernels, and how many external events the modulators can take.
    pub(super) fn loops(
        &self,
        (row, column): (u32, u32),
        (row_lanes, column_lanes): (u32, u32),
        costs: &Costs,
    ) -> (KernelLoops, u64) {
        let along = u64::from(row >> row_lanes) + 1;
        let back = u64::from(column >> column_lanes) + 1;
        let views = self.m.views.len() as u64;
        let records = 2 * self.x.modulators.len() as u64;
        let steps = (self.x.modulators.iter()).map(|y| if y.each { 1 } else { y.range.len.into() });
        let steps: u64 = steps.sum();
        let external =
            |y: &Modulation| self.p.groups[y.source as usize].kind == GroupKind::External;
        let outside = self.x.modulators.iter().any(external);
        let rest = records * (1 + 2 * SEARCH) + steps;
        let n = self.x.modulators.len() as u64;
        let (most_events, sent) = match outside {
            true => {
                let room = MAX_ITERATIONS.saturating_sub(rest) / n.max(1);
                (room, steps + room * n)
            }
            false => (u64::MAX, steps),
        };
        let list = vec![
            (
                "offer",
                vec![("SYNAPSES", along), ("NOISE", along * costs.deliver)],
            ),
            (
                "modulate",
                vec![
                    ("RECORDS", records),
                    ("EVENT_SEARCH", records * 2 * SEARCH),
                    ("SENT", sent),
                ],
            ),
            (
                "learn_pre",
                vec![
                    ("FEED_SEARCH", SEARCH),
                    ("RUN_SEARCH", SEARCH),
                    ("REPEATS", 65),
                    ("SYNAPSES", along),
                    ("NOISE", along * costs.rows),
                ],
            ),
            (
                "learn_targets",
                vec![("SYNAPSES", back), ("NOISE", back * costs.targets)],
            ),
            (
                "learn_every",
                vec![
                    ("SYNAPSES", along),
                    ("NOISE", along * costs.rows),
                    ("TOTALS", u64::from(column) * views),
                ],
            ),
            ("learn_probe", vec![("NOISE", 0)]),
        ];
        (list, most_events)
    }
}
