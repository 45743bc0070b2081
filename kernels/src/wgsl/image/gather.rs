//! Analog projections, by target: a record for each projection that reaches a port.

use super::columns;
use super::layout::{Places, Route, route};
use super::limits::fits;
use super::pack::{push_weights, weight_kind, weight_words};
use super::rows::rule;
use super::tables::Tables;
use crate::wgsl::shape::*;
use std::collections::BTreeMap;
use synfire_ir::Diagnostic;
use synfire_ir::model::Ty;
use synfire_ir::program::{Carry, Layout, Program, Projection};

/// The ports of one phase that analog outputs reach.
#[derive(Clone, Debug, Default)]
pub struct Gather {
    /// First tile in the table of gather tiles.
    pub first: u32,
    /// Tiles.
    pub tiles: u32,
    /// Ranges of positions, one for each dispatch.
    pub ranges: Vec<(u32, u32)>,
}

/// Positions that one invocation takes in a dispatch; the rest of [`MAX_ITERATIONS`] is for its walk over records.
const STRETCH: u64 = 16_384;

/// Words of weights that all analog projections need.
pub fn words(p: &Program) -> u64 {
    let each = p
        .projections
        .iter()
        .filter(|pr| route(p, pr) == Route::Gather);
    each.map(|pr| match &pr.layout {
        Layout::Rows(r) => 3 * (r.targets.len() as u64 + 2) + pr.target_range.len as u64,
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => {
            weight_words(weights, pr.synapses())
        }
        _ => 0,
    })
    .sum()
}

/// Describes the analog arrivals of every port; gives one [`Gather`] a phase, and the weights.
///
/// Errors: `SYN0817` when the weights exceed a binding, `SYN0818` when a port has too many projections.
pub fn build(
    p: &Program,
    places: &Places,
    tables: &mut Tables,
) -> Result<(Vec<Gather>, Vec<u32>), Diagnostic> {
    fits("the weights of analog projections", words(p))?;
    let mut weights = vec![];
    let mut tiles: Vec<u32> = vec![];
    let mut out = vec![Gather::default(); p.phases() as usize];
    let mut by_port: BTreeMap<(u32, u16), Vec<&Projection>> = BTreeMap::new();
    for pr in p
        .projections
        .iter()
        .filter(|pr| route(p, pr) == Route::Gather)
    {
        by_port.entry((pr.target, pr.port)).or_default().push(pr);
    }
    for (phase, gather) in out.iter_mut().enumerate() {
        gather.first = tiles.len() as u32 / 2;
        let mut longest = 0;
        for (&(g, _), list) in &by_port {
            let group = &p.groups[g as usize];
            if group.phase as usize != phase {
                continue;
            }
            let (q, length) = target(p, places, list, tables, &mut weights)?;
            longest = longest.max(length);
            for first in (0..group.size).step_by(TILE as usize) {
                tiles.extend([q, first]);
            }
        }
        gather.tiles = tiles.len() as u32 / 2 - gather.first;
        if gather.tiles > 0 {
            let n = longest.div_ceil(STRETCH).max(1);
            gather.ranges = (0..n)
                .map(|k| ((k * STRETCH) as u32, ((k + 1) * STRETCH) as u32))
                .collect();
        }
    }
    let at = tables.push(&tiles);
    tables.set(T_GATHER_TILES, at);
    Ok((out, weights))
}

/// Notes the loops of the gather.
pub fn note(p: &Program, loops: &mut super::loops::Loops) {
    let mut ports: BTreeMap<(u32, u16), u64> = BTreeMap::new();
    for pr in p
        .projections
        .iter()
        .filter(|pr| route(p, pr) == Route::Gather)
    {
        *ports.entry((pr.target, pr.port)).or_default() += 1;
    }
    let records = ports.into_values().max().unwrap_or(0);
    loops.note("gather", &[("RECORDS", records), ("POSITIONS", STRETCH)]);
}

/// Describes one port: its descriptor, and the most positions of a unit.
fn target(
    p: &Program,
    places: &Places,
    list: &[&Projection],
    tables: &mut Tables,
    weights: &mut Vec<u32>,
) -> Result<(u32, u64), Diagnostic> {
    let first = list[0];
    if list.len() as u64 > MAX_ITERATIONS / 4 {
        let what = format!(
            "analog projections to one port of `{}`",
            p.groups[first.target as usize].name
        );
        return Err(super::limits::too_long(
            what,
            list.len() as u64,
            MAX_ITERATIONS / 4,
        ));
    }
    let port = places.groups[first.target as usize].ports[first.port as usize];
    let float = p
        .model_of(first.target)
        .is_some_and(|m| m.ports[first.port as usize].ty == Ty::F32);
    let mut length = 0;
    let mut records = vec![];
    for pr in list {
        length += record(p, places, pr, &mut records, weights);
    }
    let recs = tables.push(&records);
    let acc = if float { port.analog } else { port.events };
    let size = p.groups[first.target as usize].size;
    let rule = rule(p, first) & 3;
    let q = tables.push(&[size, acc, rule, recs, list.len() as u32]);
    Ok((q, length))
}

fn record(
    p: &Program,
    places: &Places,
    pr: &Projection,
    records: &mut Vec<u32>,
    out: &mut Vec<u32>,
) -> u64 {
    let Carry::Output(o) = pr.carry else {
        return 0;
    };
    let ring = places.groups[pr.source as usize].outputs[o as usize];
    let (kind, delay, wkind, at, length) = match &pr.layout {
        Layout::Dense { delay, weights } => {
            let at = push_weights(out, weights, 0, pr.synapses() as usize);
            let n = pr.source_range.len as u64;
            (KIND_DENSE, *delay, weight_kind(weights).0, at, n)
        }
        Layout::OneToOne { delay, weights } => {
            let at = push_weights(out, weights, 0, pr.synapses() as usize);
            (KIND_ONE, *delay, weight_kind(weights).0, at, 1)
        }
        _ => {
            let list = [pr];
            let entries = columns::entries(&list);
            let range = pr.target_range;
            let at = columns::push(out, &entries, range.start, range.len, |_, e| {
                [e.source, u32::from(e.delay()), columns::weight(&list, e)]
            });
            let longest = entries
                .chunk_by(|a, b| a.target == b.target)
                .map(<[_]>::len);
            (
                KIND_COLUMNS,
                0,
                WEIGHT_32,
                at,
                longest.max().unwrap_or(0) as u64,
            )
        }
    };
    records.extend([
        ring.at,
        ring.slots,
        p.groups[pr.source as usize].size,
        u32::from(delay),
        pr.source_range.start,
        pr.source_range.len,
        pr.target_range.start,
        pr.target_range.len,
        kind,
        wkind,
        at,
    ]);
    length
}
