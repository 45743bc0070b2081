//! `bench mapping` of networks whose pairs are drawn, kept as rules: placed and scored by what is expected of the draws.

use super::mapping::{Clock, laid, mesh, no_room, told};
use crate::args::{BenchMappingArgs, GoalArg, LayoutArg};
use crate::failure::Outcome;
use serde_json::{Map, Value};
use synfire_compiler::map::bench::machine::Machine;
use synfire_compiler::map::symbolic::expect::{self, Pairs};
use synfire_compiler::map::symbolic::plan::Plan;
use synfire_ir::{Class, Diagnostic};

/// Parts up to which expected traffic between all pairs of them is searched; beyond, they follow Hilbert's curve.
const PAIRED: u32 = 2048;

/// Places parts whose pairs are drawn, by the packets that are expected; expected metrics go to `out`.
pub(super) fn expected(
    plan: &Plan,
    m: &Machine,
    args: &BenchMappingArgs,
    clock: &mut Clock,
    out: &mut Map<String, Value>,
) -> Outcome {
    let parts = plan.parts();
    if !m.fabric.plain() {
        let what = format!("{} is no plain mesh", m.name);
        return Err(Diagnostic::error("SYN0651", what)
            .class(Class::Usage)
            .note("expected trees of drawn pairs are counted on plain meshes")
            .hint("take another machine, or --form neurons")
            .into());
    }
    let grid = mesh(m, parts);
    let layout = match args.layout {
        LayoutArg::Search if parts > PAIRED => LayoutArg::Hilbert,
        l => l,
    };
    let pairs = Pairs(plan);
    let args = BenchMappingArgs {
        layout,
        goal: GoalArg::Unicast,
        ..args.clone()
    };
    let found = clock.time("place", || laid(&pairs, None, &grid, &args));
    let found = found.ok_or_else(|| no_room(parts, &grid, m))?;
    let scores = clock.time("score", || expect::both(plan, &found.places, &m.costs));
    told(parts, &found, scores, out);
    Ok(())
}
