//! `schedule`: how many chip steps late each population runs.
//!
//! Chips deliver a spike at least `min` steps after it was emitted, the network may deliver it in the same step. A chain
//! without recurrence is skewed: population p runs `shift(p)` steps late, so that every projection has
//! `delay + shift(target) - shift(source) >= min`. The least such shifts are found (Bellman-Ford); a cycle that would need its own
//! delays to be longer is refused. Inputs come from the host, which may send a spike in the step in which it is due.

use std::collections::BTreeMap;
use synfire_ir::network::{Init, Network, PopId, PopKind, Projection, Verified};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Shift of each population, in the network's order.
pub fn schedule(
    net: &Verified<Network>,
    min: u32,
    target: &str,
) -> Result<Vec<(PopId, u32)>, Diagnostics> {
    let mut shift: BTreeMap<PopId, i64> = net.populations().map(|(id, _)| (id, 0)).collect();
    let edges: Vec<(PopId, PopId, i64, &Projection)> = net
        .projections()
        .filter(|(_, a, _, _)| !matches!(net.graph[*a].kind, PopKind::Events { .. }))
        .map(|(_, a, b, p)| (a, b, min as i64 - least(net, p), p))
        .collect();
    for round in 0..=shift.len() {
        let mut changed = None;
        for (a, b, need, p) in &edges {
            let at = shift[a] + need;
            if at > shift[b] {
                shift.insert(*b, at);
                changed = Some(*p);
            }
        }
        let Some(p) = changed else { break };
        if round == shift.len() {
            return Err(too_tight(p, min, target));
        }
    }
    Ok(net
        .populations()
        .map(|(id, _)| (id, shift[&id].max(0) as u32))
        .collect())
}

fn too_tight(p: &Projection, min: u32, target: &str) -> Diagnostics {
    let d = Diagnostic::error("SYN0620", format!("a cycle through `{}` is faster than {target} can be: its delays sum to fewer than {min} step(s) a projection", p.name))
        .class(Class::Fit)
        .note(format!("{target} delivers a spike {min} step(s) after it was emitted at the earliest, and only populations outside cycles can be run late"))
        .hint(format!("give every projection of the cycle a delay of at least {min} step(s)"))
        .field("limit", "delays.min")
        .field("available", min)
        .field("projection", &p.name);
    match p.span {
        Some(s) => d.label(s, "in the cycle"),
        None => d.at(p.name.clone()),
    }
    .into()
}

fn least(net: &Network, p: &Projection) -> i64 {
    match &p.delay {
        Init::Const(d) => d.round_ties_even() as i64,
        Init::Array(a) => {
            let a = &net.arrays[*a as usize];
            (0..a.count())
                .map(|i| a.get(i).round_ties_even() as i64)
                .min()
                .unwrap_or(0)
        }
        Init::Draw(_) => 1,
    }
}
