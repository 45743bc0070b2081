//! Does a run fit this machine? Asked before anything is allocated, since sizes come from outside.

use super::footprint::{FRAME, synapses, weight_bytes};
use super::plan::Cut;
use super::tiles::tile_count;
use crate::engine::beyond_limit;
use synfire_ir::diag::{Class, Diagnostic, Diagnostics};
use synfire_ir::numerals::bytes;
use synfire_ir::program::{Carry, Column, GroupKind, Layout, Plastic, Program};
use synfire_ir::synapse::Place;

/// What a run may take when the machine does not say what it has: 64 GiB.
const UNKNOWN: u64 = 64 << 30;

/// An error if the state of `samples` copies of the program needs more than the machine has free.
/// A limit of the user's own is an error of another kind.
pub(super) fn check(
    p: &Program,
    samples: u32,
    cut: Cut,
    limit: Option<u64>,
) -> Result<(), Diagnostics> {
    let need = needed(p, samples, cut);
    if let Some(limit) = limit.filter(|l| need > u128::from(*l)) {
        return Err(beyond_limit(&p.name, samples, need, limit).into());
    }
    let have = free();
    if need <= have as u128 {
        return Ok(());
    }
    Err(Diagnostic::error(
        "SYN0802",
        format!(
            "{samples} samples of `{}` need {}, this machine has {} free",
            p.name,
            bytes(need.try_into().unwrap_or(u64::MAX)),
            bytes(have)
        ),
    )
    .class(Class::Device)
    .note("an engine keeps synapses, and the states, ports and delayed outputs of all samples, in memory")
    .hint("run fewer samples at once, or a smaller network")
    .field("needed", need)
    .field("available", have)
    .into())
}

/// Bytes that an engine allocates: synapses are laid out before there are states.
fn needed(p: &Program, samples: u32, cut: Cut) -> u128 {
    let synapses = synapses(p, cut);
    let running = synapses.after + state(p, cut) * samples.max(1) as u128;
    running.max(synapses.most)
}

/// Bytes of one sample, roughly.
fn state(p: &Program, cut: Cut) -> u128 {
    let groups = (0..p.groups.len() as u32).map(|g| {
        let size = p.groups[g as usize].size;
        let words = p
            .model_of(g)
            .map_or(0, |m| m.states.len() + m.ports.len() + 2);
        words as u128 * size as u128 * 4 + tiles(p, g, cut) * FRAME
    });
    let kept = p.projections.iter().filter_map(|pr| match pr.carry {
        Carry::Output(_) => {
            let deep = pr.delays()?.1 as u128 + 1;
            Some(deep * p.groups[pr.source as usize].size as u128 * 4)
        }
        Carry::Events => None,
    });
    groups.sum::<u128>()
        + kept.sum::<u128>()
        + p.plastic.iter().map(|x| learned(p, x, cut)).sum::<u128>()
}

/// Bytes of what one sample of a plastic projection learns.
fn learned(p: &Program, x: &Plastic, cut: Cut) -> u128 {
    let pr = &p.projections[x.projection as usize];
    let m = &p.synapse_models[x.synapse as usize];
    let each = |place, copies: u128| {
        let own = m.states.iter().filter(|c| c.place == place);
        let stamp = own.clone().any(|c| c.decay.is_some());
        (own.count() as u128 + stamp as u128) * 4 * copies * pr.elements(place) as u128
    };
    let tiles = tiles(p, pr.target, cut);
    // Rows are kept by every tile, with what they have heard; spikes of targets wait in lists.
    let waiting =
        (tiles * pr.elements(Place::Source) as u128 + 32 * pr.target_range.len as u128) * 8;
    each(Place::Synapse, 1) + each(Place::Source, tiles) + each(Place::Target, 1) + waiting
}

/// What an engine takes beside states and synapses: its code, its threads and lists of emissions. Measured on networks of a few
/// hundred neurons.
const BESIDE: u128 = 4 << 20;

/// Bytes that a run of a checked program takes, its own and the engine's, at the most.
pub(super) fn predicted(p: &Program, samples: u32, cut: Cut) -> u64 {
    let own = p.projections.iter().map(|pr| match &pr.layout {
        Layout::Rows(r) => {
            r.targets.len() as u128 * (4 + weight_bytes(&r.weights)) + r.runs.len() as u128 * 12
        }
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => {
            weights.count().unwrap_or(0) as u128 * weight_bytes(weights)
        }
        _ => 0,
    });
    let columns = p.groups.iter().map(|g| match &g.kind {
        GroupKind::Units { params, init, .. } => (params.iter().chain(init))
            .map(|c| match c {
                Column::Uniform(_) => 4,
                Column::PerUnit(v) => v.len() as u128 * 4,
            })
            .sum(),
        GroupKind::External => 0u128,
    });
    let own = own.sum::<u128>() + columns.sum::<u128>();
    let all = BESIDE + own + needed(p, samples, cut);
    all.min(u64::MAX as u128) as u64
}

fn tiles(p: &Program, group: u32, cut: Cut) -> u128 {
    match p.model_of(group) {
        Some(_) => tile_count(p.groups[group as usize].size, cut) as u128,
        None => 1,
    }
}

/// Bytes that the system says are available.
fn free() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|l| l.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map_or(UNKNOWN, |k| k << 10)
}
