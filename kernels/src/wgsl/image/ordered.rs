//! Synapses of ordered ports: for each target group its segments, in canonical order.
//!
//! A segment is either a dense or one-to-one projection, whose active sources a kernel finds in a bitmap, or the columns of
//! all projections of one source group, where they could interleave.

use super::columns;
use super::layout::{Places, Route, route};
use super::limits::{fits, too_long};
use super::pack::{push_weights, weight_kind, weight_words};
use super::tables::Tables;
use crate::wgsl::models::step_iterations;
use crate::wgsl::shape::*;
use std::collections::BTreeSet;
use synfire_ir::Diagnostic;
use synfire_ir::program::{GroupKind, Layout, Plastic, Program, Projection};

/// Where the segments of each group lie in `tables`, how many, and the rest.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// For each group: first segment, number of segments.
    pub segments: Vec<(u32, u32)>,
    /// Weights and columns.
    pub words: Vec<u32>,
    /// For each group the most iterations of a unit's search for events, and of its handlers.
    pub loops: Vec<(u64, u64)>,
    /// Most external events of one sample in one step, so that no invocation walks too many.
    pub most_events: u64,
}

/// Ports that a column entry can name.
const MAX_PORTS: usize = 0x3fff;

/// Where the synapses of a projection that learns offer what they deliver, in `state`.
fn offered(p: &Program, places: &Places, pr: &Projection) -> Option<u32> {
    let of = |x: &Plastic| std::ptr::eq(&p.projections[x.projection as usize], pr);
    Some(places.offers[p.plastic.iter().position(of)?])
}

/// Words that ordered synapses need at most.
pub fn words(p: &Program) -> u64 {
    let each = p
        .projections
        .iter()
        .filter(|pr| route(p, pr) == Route::Ordered);
    each.map(|pr| match &pr.layout {
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => {
            weight_words(weights, pr.synapses()).max(1)
        }
        _ => 3 * (pr.synapses() + 2) + p.groups[pr.target as usize].size as u64,
    })
    .sum()
}

/// Describes what reaches ordered ports.
///
/// Errors: `SYN0817` when the synapses exceed a binding, `SYN0818` when a unit could meet more events in a step than one
/// invocation may walk.
pub fn build(p: &Program, places: &Places, tables: &mut Tables) -> Result<Ordered, Diagnostic> {
    fits("the synapses of ordered ports", words(p))?;
    let mut out = Ordered {
        segments: vec![(0, 0); p.groups.len()],
        words: vec![],
        loops: vec![(0, 0); p.groups.len()],
        most_events: u64::MAX,
    };
    let mut by_target: Vec<Vec<&Projection>> = vec![vec![]; p.groups.len()];
    for pr in p
        .projections
        .iter()
        .filter(|pr| route(p, pr) == Route::Ordered)
    {
        by_target[pr.target as usize].push(pr);
    }
    for (g, group) in p.groups.iter().enumerate() {
        let Some(m) = p.model_of(g as u32) else {
            continue;
        };
        let list = std::mem::take(&mut by_target[g]);
        if list.is_empty() {
            continue;
        }
        if m.ports.len() > MAX_PORTS {
            let what = format!("ports of `{}`", m.name);
            return Err(too_long(what, m.ports.len() as u64, MAX_PORTS as u64));
        }
        let mut s = Segments {
            p,
            places,
            size: group.size,
            words: &mut out.words,
            records: vec![],
            searched: 1,
            events: 1,
            repeats: 0,
        };
        let sources: BTreeSet<u32> = list.iter().map(|pr| pr.source).collect();
        for source in sources {
            let of: Vec<&Projection> = list
                .iter()
                .copied()
                .filter(|pr| pr.source == source)
                .collect();
            s.source(&of);
        }
        fits("the synapses of ordered ports", s.words.len() as u64)?;
        // Besides: random numbers, probes, and one-to-one projections.
        let probes = p.probes.iter().filter(|pb| pb.group as usize == g).count() as u64;
        let ones = |pr: &&Projection| pr.target as usize == g && route(p, pr) == Route::Ones;
        let ones = p.projections.iter().filter(ones).count() as u64;
        let room = MAX_ITERATIONS.saturating_sub(step_iterations(m) + probes + ones + 64);
        let once = s.searched + s.events;
        if once > room {
            let what = format!("what a unit of `{}` may receive in a step", group.name);
            return Err(too_long(what, once, room));
        }
        // Every further event of an external unit is found once more and handled once more.
        let mut more = 0;
        if let Some(n) = (room - once).checked_div(2 * s.repeats) {
            out.most_events = out.most_events.min(n);
            more = n * s.repeats;
        }
        out.loops[g] = (s.searched + more, s.events + more);
        let n = s.records.len() as u32 / W_WORDS;
        let records = std::mem::take(&mut s.records);
        out.segments[g] = (tables.push(&records), n);
    }
    Ok(out)
}

struct Segments<'a> {
    p: &'a Program,
    places: &'a Places,
    size: u32,
    words: &'a mut Vec<u32>,
    records: Vec<u32>,
    /// Most iterations of one unit's search, if external units have one event each.
    searched: u64,
    /// Most events that it finds, and one pass more a segment.
    events: u64,
    /// Most synapses that one external event meets at one unit.
    repeats: u64,
}

impl Segments<'_> {
    /// The projections from one group.
    fn source(&mut self, list: &[&Projection]) {
        let mut sorted = list.to_vec();
        sorted.sort_by_key(|pr| pr.source_range.start);
        let regular = list.iter().all(|pr| !matches!(pr.layout, Layout::Rows(_)));
        let apart = sorted
            .windows(2)
            .all(|w| w[0].source_range.start + w[0].source_range.len <= w[1].source_range.start);
        if regular && apart {
            sorted.iter().for_each(|pr| self.regular(pr));
        } else {
            self.columns(list);
        }
    }

    /// What all segments of a source group begin with.
    fn head(&self, kind: u32, port: u16, source: u32) -> [u32; 9] {
        let group = &self.p.groups[source as usize];
        let place = &self.places.groups[source as usize];
        [
            kind,
            u32::from(port),
            u32::from(group.graded),
            place.bits.at,
            group.size,
            place.aux,
            place.bits.slots,
            u32::from(matches!(group.kind, GroupKind::External)),
            group.base,
        ]
    }

    fn external(&self, source: u32) -> bool {
        matches!(self.p.groups[source as usize].kind, GroupKind::External)
    }

    fn regular(&mut self, pr: &Projection) {
        let (kind, delay, weights, reach) = match &pr.layout {
            Layout::Dense { delay, weights } => (KIND_DENSE, *delay, weights, pr.source_range.len),
            Layout::OneToOne { delay, weights } => (KIND_ONE, *delay, weights, 1),
            _ => return,
        };
        let (form, at) = match offered(self.p, self.places, pr) {
            Some(at) => (WEIGHT_LEARNED, at),
            None => (
                weight_kind(weights).0,
                push_weights(self.words, weights, 0, pr.synapses() as usize),
            ),
        };
        self.records.extend(self.head(kind, pr.port, pr.source));
        self.records.extend([
            pr.source_range.start,
            pr.source_range.len,
            u32::from(delay),
            pr.target_range.start,
            pr.target_range.len,
            form,
            at,
        ]);
        self.searched += 2 + u64::from(reach.div_ceil(32) + 1) + u64::from(reach);
        self.events += 1 + u64::from(reach);
        self.repeats += u64::from(self.external(pr.source));
    }

    fn columns(&mut self, list: &[&Projection]) {
        let entries = columns::entries(list);
        let same = |a: &columns::Entry, b: &columns::Entry| {
            (a.target, a.source, a.youth, a.projection)
                == (b.target, b.source, b.youth, b.projection)
        };
        let learned: Vec<Option<u32>> = (list.iter())
            .map(|pr| offered(self.p, self.places, pr))
            .collect();
        let at = columns::push(self.words, &entries, 0, self.size, |k, e| {
            let more = entries.get(k + 1).is_some_and(|next| same(e, next));
            let port = u32::from(list[e.projection as usize].port);
            let kinds = u32::from(e.delay()) | port << 16 | u32::from(more) << 31;
            match learned[e.projection as usize] {
                Some(at) => [e.source, kinds | 1 << 30, at + e.synapse],
                None => [e.source, kinds, columns::weight(list, e)],
            }
        });
        let source = list[0].source;
        self.records.extend(self.head(KIND_COLUMNS, 0, source));
        self.records.extend([0, 0, 0, 0, self.size, WEIGHT_32, at]);
        let most = |parts: &mut dyn Iterator<Item = usize>| parts.max().unwrap_or(0) as u64;
        let longest = most(
            &mut entries
                .chunk_by(|a, b| a.target == b.target)
                .map(<[_]>::len),
        );
        self.searched += 2 + longest;
        self.events += 1 + longest;
        if self.external(source) {
            let met = |a: &columns::Entry, b: &columns::Entry| {
                (a.target, a.source) == (b.target, b.source)
            };
            self.repeats += most(&mut entries.chunk_by(met).map(<[_]>::len));
        }
    }
}
