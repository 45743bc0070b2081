//! Does a run fit this machine? Asked before anything is allocated, since sizes come from outside.

use super::plan::Cut;
use super::sequence::Bundling;
use super::tiles::tile_count;
use crate::engine::beyond_limit;
use std::collections::BTreeMap;
use synfire_ir::diag::{Class, Diagnostic, Diagnostics};
use synfire_ir::program::{Carry, Layout, Plastic, Program, Weights};
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
    let need = state(p, cut) * samples as u128 + synapses(p, cut);
    if let Some(limit) = limit.filter(|l| need > u128::from(*l)) {
        return Err(beyond_limit(&p.name, samples, need, limit).into());
    }
    let have = free();
    if need <= have as u128 {
        return Ok(());
    }
    let mib = |b: u128| b >> 20;
    Err(Diagnostic::error(
        "SYN0802",
        format!(
            "{samples} samples of `{}` need {} MiB, this machine has {} MiB free",
            p.name,
            mib(need),
            mib(have as u128)
        ),
    )
    .class(Class::Device)
    .note("an engine keeps synapses, and the states, ports and delayed outputs of all samples, in memory")
    .hint("run fewer samples at once, or a smaller network")
    .field("needed", need)
    .field("available", have)
    .into())
}

/// What a tile, or a piece between two, takes beside its contents.
const FRAME: u128 = 512;

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

/// Bytes of the synapses that all samples share, roughly, and of what stands beside them while they are laid out.
fn synapses(p: &Program, cut: Cut) -> u128 {
    let mut making: BTreeMap<u32, u128> = BTreeMap::new();
    let mut largest = 0;
    let bundling = Bundling::new(p, cut);
    let each = p.projections.iter().enumerate().map(|(k, pr)| {
        let (from, to) = (tiles(p, pr.source, cut), tiles(p, pr.target, cut));
        let frames = from * to * FRAME;
        let (n, sources) = (pr.synapses() as u128, pr.source_range.len as u128);
        if p.plastic_of(k as u32).is_some() {
            let rows = pr.elements(Place::Source) as u128;
            return n * 2 + rows * to * 10 + to * (FRAME + sources * 4);
        }
        let weight = match &pr.layout {
            Layout::Rows(r) => weight_bytes(&r.weights),
            Layout::Generated(g) => g.weight_bytes() as u128,
            Layout::Dense { .. } => return frames,
            _ => return (from + to) * FRAME,
        };
        let Some((_, (least, most))) = bundling.of(p, (k, pr)) else {
            let rows = sources * to * 4;
            // A rule is expanded as a whole where it is not bundled.
            let whole = matches!(pr.layout, Layout::Generated(_)) as u128 * n * 12;
            return n * (2 + weight + 6) + rows + frames + whole;
        };
        if let Layout::Generated(_) = &pr.layout {
            *making.entry(pr.source).or_default() += n * (2 + weight);
            largest = largest.max(n * 12 / to.max(1));
        }
        // The table of a group's rows is shared by all bundles of an arena.
        let table = sources * ((most - least) as u128 + 1) * 4 * cut.workers as u128;
        n * (2 + weight) + table / targets_of(p, pr.source)
    });
    let laid_out: u128 = each.sum();
    let beside = making.into_values().max().unwrap_or(0) / cut.workers.max(1) as u128;
    laid_out + (beside + largest) * cut.workers as u128
}

/// Projections that leave a group.
fn targets_of(p: &Program, group: u32) -> u128 {
    let all = p.projections.iter().filter(|pr| pr.source == group);
    all.count().max(1) as u128
}

fn weight_bytes(w: &Weights) -> u128 {
    match w {
        Weights::Uniform(_) => 0,
        Weights::I8(_) => 1,
        Weights::I16(_) => 2,
        Weights::I32(_) | Weights::F32(_) => 4,
    }
}

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
    let all = own.sum::<u128>() + state(p, cut) * samples.max(1) as u128 + synapses(p, cut);
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
