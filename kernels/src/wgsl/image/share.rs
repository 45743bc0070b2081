//! How much one invocation takes of an update and of a delivery, within the iterations that it may make.
//!
//! In: what units look through in a step, and the longest rows. Out: samples of an update, events of a sample, and the loops of both.

use super::limits::too_long;
use super::loops::{Loops, SEARCH};
use super::ones::Ones;
use super::rows::Shares;
use crate::wgsl::models::step_iterations;
use crate::wgsl::shape::MAX_ITERATIONS;
use crate::wgsl::updates_alone;
use synfire_ir::Diagnostic;
use synfire_ir::program::Program;

/// Samples that one invocation of an update takes at most; as many as it keeps payloads (`payloads` in `update_alone.wgsl`).
const MOST_SHARE: u64 = 8;

/// Notes the loops of the update; gives the samples that an invocation may take.
pub fn update(
    p: &Program,
    (walks, ones): (&[(u64, u64)], &Ones),
    probes: &[(usize, u32)],
    loops: &mut Loops,
    parallel: bool,
) -> Result<u32, Diagnostic> {
    let mut each = vec![];
    for (g, &(walked, handled)) in walks.iter().enumerate() {
        let Some(m) = p.model_of(g as u32) else {
            continue;
        };
        let of_group = |k: &&(usize, u32)| p.probes[k.0].group as usize == g;
        let probed = probes.iter().filter(of_group).count() as u64;
        let of_group = ones.range((g as u32, 0)..=(g as u32, u16::MAX));
        let ones: u32 = of_group.map(|(_, at)| at.1).sum();
        let list = [
            ("NOISE", step_iterations(m)),
            ("PROBES", probed),
            ("ONES", ones.into()),
            ("WALKED", walked),
            ("HANDLED", handled),
        ];
        let once: u64 = list.iter().map(|l| l.1).sum();
        if once + 64 > MAX_ITERATIONS {
            let what = format!("a step of a unit of `{}`", p.groups[g].name);
            return Err(too_long(what, once, MAX_ITERATIONS - 64));
        }
        each.push((once, list));
    }
    let most = each.iter().map(|l| l.0).max().unwrap_or(0);
    let share = match updates_alone(p, parallel) {
        true => ((MAX_ITERATIONS - 64) / (most + 1)).clamp(1, MOST_SHARE),
        false => 1,
    };
    let none = ["NOISE", "PROBES", "ONES", "WALKED", "HANDLED"].map(|name| (name, 0));
    for list in each.iter().map(|l| l.1).chain([none]) {
        let mut all = vec![("HEAD_WORDS", 3), ("SHARE", share), ("EMITTED", share)];
        all.extend(list.map(|(name, n)| (name, n * share)));
        loops.note("update", &all);
    }
    Ok(share as u32)
}

/// Notes the loops of a delivery with one invocation a sample; gives the events that it may take.
pub fn delivery(shares: &Shares, feeds: u64, loops: &mut Loops) -> u32 {
    // An event is counted, its row searched, and `alone` are its runs and synapses.
    let each = 1 + SEARCH + shares.runs + shares.alone;
    let events = MAX_ITERATIONS.saturating_sub(feeds) / each;
    let all = [
        ("FEEDS", feeds),
        ("EVENTS", events),
        ("FEED_SEARCH", 0),
        ("RUN_SEARCH", events * SEARCH),
        ("RUNS", events * shares.runs),
        ("SYNAPSES", events * shares.alone),
    ];
    loops.note("deliver_alone", &all);
    events as u32
}
