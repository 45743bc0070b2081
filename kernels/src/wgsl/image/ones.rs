//! One-to-one projections whose targets look at what their own source emitted, in their update.
//!
//! In: the projections of [`Route::Ones`]. Out: for each port their `ONE_*` records in `tables`, with the weights. No event of theirs is
//! listed or delivered, which for a dense drive (a Poisson source a unit) saves most of both.

use super::layout::{Places, Route, route};
use super::rows::rule;
use super::tables::Tables;
use crate::wgsl::shape::*;
use std::collections::BTreeMap;
use synfire_ir::program::{Layout, Program, Projection, Weights};

/// For each (group, port) where its records lie, and how many.
pub type Ones = BTreeMap<(u32, u16), (u32, u32)>;

/// Does a program have such projections?
pub fn any(p: &Program) -> bool {
    p.projections.iter().any(|pr| route(p, pr) == Route::Ones)
}

/// Words of `tables` that their weights take.
pub fn words(p: &Program) -> u64 {
    let each = p
        .projections
        .iter()
        .filter(|pr| route(p, pr) == Route::Ones);
    each.map(|pr| match &pr.layout {
        Layout::OneToOne { weights, .. } => weights.count().map_or(1, |n| n as u64),
        _ => 0,
    })
    .sum()
}

/// Writes the records.
pub fn build(p: &Program, places: &Places, tables: &mut Tables) -> Ones {
    let mut records: BTreeMap<(u32, u16), Vec<u32>> = BTreeMap::new();
    for pr in p
        .projections
        .iter()
        .filter(|pr| route(p, pr) == Route::Ones)
    {
        let Layout::OneToOne { delay, weights } = &pr.layout else {
            continue;
        };
        let words = record(p, places, pr, (*delay, weights), tables);
        records
            .entry((pr.target, pr.port))
            .or_default()
            .extend(words);
    }
    let place = |(port, words): ((u32, u16), Vec<u32>)| {
        let n = words.len() as u32 / ONE_WORDS;
        (port, (tables.push(&words), n))
    };
    records.into_iter().map(place).collect()
}

fn record(
    p: &Program,
    places: &Places,
    pr: &Projection,
    (delay, weights): (u16, &Weights),
    tables: &mut Tables,
) -> [u32; ONE_WORDS as usize] {
    let place = &places.groups[pr.source as usize];
    let (at, stride) = match weights.count() {
        None => (tables.push(&[weights.bits(0)]), 0),
        Some(n) => {
            let all: Vec<u32> = (0..n).map(|k| weights.bits(k)).collect();
            (tables.push(&all), 1)
        }
    };
    [
        place.aux + pr.source_range.start,
        p.groups[pr.source as usize].size,
        place.bits.slots,
        delay.into(),
        pr.target_range.start,
        pr.target_range.len,
        rule(p, pr),
        at,
        stride,
    ]
}
