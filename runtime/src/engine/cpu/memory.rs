//! Does a run fit this machine? Asked before anything is allocated, since sizes come from outside.

use super::plan::Cut;
use super::tiles::tile_count;
use crate::engine::beyond_limit;
use synfire_ir::diag::{Class, Diagnostic, Diagnostics};
use synfire_ir::program::{Carry, Layout, Program};

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
    groups.sum::<u128>() + kept.sum::<u128>()
}

/// Bytes of the pieces that all samples share, roughly.
fn synapses(p: &Program, cut: Cut) -> u128 {
    let each = p.projections.iter().map(|pr| {
        let (from, to) = (tiles(p, pr.source, cut), tiles(p, pr.target, cut));
        match &pr.layout {
            Layout::Rows(r) => {
                let rows = pr.source_range.len as u128 * to * 4;
                r.targets.len() as u128 * 10 + rows + from * to * FRAME
            }
            Layout::Dense { .. } => from * to * FRAME,
            _ => (from + to) * FRAME,
        }
    });
    each.sum()
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
