//! Event synapses as rows by source and delay, in shards of one binding each.
//!
//! A run is the synapses of one source, one delay and one projection; its record says where its targets and weights lie. The
//! records of a source are sorted by delay, so that a kernel finds those of an event's delay by bisection. Targets are stored
//! in 16 bits where their range allows, or not at all where they are contiguous; weights as narrow as they come.

use super::drawn;
use super::layout::{Places, Route, route};
use super::limits::{MAX_WORDS, fits, too_long};
use super::loops::SEARCH;
use super::pack::{push_u16, push_weights, weight_kind, weight_words};
use crate::wgsl::shape::*;
use synfire_ir::Diagnostic;
use synfire_ir::model::{Combine, Ty};
use synfire_ir::program::{Layout, Program, Projection, Weights};

/// Rows and synapses of a part of the network.
#[derive(Clone, Debug, Default)]
pub struct Shard {
    /// Row pointers and run records (`ROW_*`, `X_*`).
    pub rows: Vec<u32>,
    /// Targets and weights.
    pub synapses: Vec<u32>,
    /// Phases (plus one) whose emissions have rows of delay 0 here; 0 stands for what arrives at the beginning of a step.
    pub stages: Vec<u16>,
}

/// A run before it has a row.
struct Record {
    source: u32,
    words: [u32; X_SIZE as usize],
}

impl Record {
    fn delay(&self) -> u32 {
        self.words[X_KIND as usize] & 0xffff
    }
}

#[derive(Default)]
pub(super) struct Open {
    records: Vec<Record>,
    pub(super) synapses: Vec<u32>,
    stages: std::collections::BTreeSet<u16>,
}

impl Open {
    /// Adds a run of one weight: its source and delay, kind and number of targets, and accumulator, targets and weight.
    pub(super) fn add(
        &mut self,
        form: &Form,
        (source, delay): (u32, u16),
        (targets, len): (u32, u32),
        places: [u32; 3],
    ) {
        let kinds = targets | WEIGHT_ONE << 4;
        self.stages.insert(form.stage(delay));
        self.records
            .push(form.record(source, delay, kinds, len, places));
    }
}

/// What is the same for all runs of a projection.
pub(super) struct Form<'a> {
    pub(super) p: &'a Program,
    pub(super) pr: &'a Projection,
    rule: u32,
    pub(super) acc: u32,
    scale: u32,
    wide: bool,
}

/// The rule by which a port combines events that come from the projection's source.
pub fn rule(p: &Program, pr: &Projection) -> u32 {
    let Some(port) = p.model_of(pr.target).map(|m| &m.ports[pr.port as usize]) else {
        return RULE_ADD;
    };
    let graded = p.groups[pr.source as usize].graded;
    match (port.ty, port.combine == Combine::Max) {
        (Ty::F32, max) => {
            (if max { RULE_MAX_F } else { RULE_ADD_F }) + if graded { RULE_GRADED } else { 0 }
        }
        (_, true) => RULE_MAX,
        (_, false) => RULE_ADD,
    }
}

/// All event synapses of order-free ports, but for those that learn. `scale_at` gives, for a group and port, where its scale lies in `tables`. `limit` is
/// the largest number of words of a shard's buffers (less than a binding only in tests).
///
/// Errors: `SYN0817` when the synapses of one source exceed a binding.
pub fn shards(
    p: &Program,
    places: &Places,
    scale_at: impl Fn(u32, u16) -> u32,
    limit: u64,
) -> Result<Vec<Shard>, Diagnostic> {
    let mut done = vec![];
    let mut open = Open::default();
    for (k, pr) in (0..).zip(&p.projections) {
        if route(p, pr) != Route::Scatter || p.plastic_of(k).is_some() {
            continue;
        }
        let port = places.groups[pr.target as usize].ports[pr.port as usize];
        let form = Form {
            p,
            pr,
            rule: rule(p, pr),
            acc: port.events + pr.target_range.start,
            scale: scale_at(pr.target, pr.port),
            wide: pr.target_range.len > 65_536,
        };
        match &pr.layout {
            Layout::Rows(_) => sparse(&form, &mut open, &mut done, limit),
            Layout::Dense { .. } | Layout::OneToOne { .. } => {
                regular(&form, &mut open, &mut done, limit)
            }
            _ => drawn::push(&form, &mut open, &mut done, limit),
        }
    }
    close(&mut open, &mut done);
    for s in &done {
        fits("the synapses of one source", s.synapses.len() as u64)?;
        fits("the runs of one source", s.rows.len() as u64)?;
    }
    Ok(done)
}

/// Largest shard that WebGPU's limits allow.
pub const SHARD_WORDS: u64 = MAX_WORDS;

impl Form<'_> {
    fn record(&self, source: u32, delay: u16, kinds: u32, len: u32, rest: [u32; 3]) -> Record {
        let base = self.p.groups[self.pr.source as usize].base + self.pr.source_range.start;
        let [acc, targets, weights] = rest;
        Record {
            source: base + source,
            words: [
                u32::from(delay) | (kinds | self.rule << 8) << 16,
                len,
                acc,
                targets,
                weights,
                self.scale,
            ],
        }
    }

    /// The stage in which a run of that delay is delivered.
    fn stage(&self, delay: u16) -> u16 {
        let g = &self.p.groups[self.pr.source as usize];
        let external = matches!(g.kind, synfire_ir::program::GroupKind::External);
        if delay > 0 || external {
            0
        } else {
            g.phase + 1
        }
    }
}

/// How many of the coming pieces, each of so many (records, synapse words), fit into the open shard: at least one if it is empty.
pub(super) fn room(
    open: &Open,
    limit: u64,
    sources: u64,
    pieces: impl Iterator<Item = (u64, u64)>,
) -> usize {
    let mut records = open.records.len() as u64;
    let mut words = open.synapses.len() as u64 + 2;
    let mut n = 0;
    for (r, w) in pieces {
        records += r;
        words += w;
        let full = words > limit || records * X_SIZE as u64 + sources + ROW_PTR as u64 + 1 > limit;
        if full && (n > 0 || !open.records.is_empty()) {
            break;
        }
        n += 1;
    }
    n
}

/// Do targets and weights share words? A delivery then reads one word a synapse.
fn pairs(w: &Weights) -> bool {
    matches!(w, Weights::I8(_) | Weights::I16(_))
}

/// Words that the targets and weights of `n` synapses of a run take.
fn words_of(w: &Weights, wide: bool, n: u64) -> u64 {
    match wide {
        _ if !wide && pairs(w) => n,
        true => n + weight_words(w, n),
        false => n.div_ceil(2) + weight_words(w, n),
    }
}

/// Words that all static event synapses of a program take at least, before any of them is laid out.
pub fn words(p: &Program) -> u64 {
    let of = |(k, pr): (u32, &Projection)| match &pr.layout {
        _ if route(p, pr) != Route::Scatter || p.plastic_of(k).is_some() => 0,
        Layout::Rows(r) => {
            let wide = pr.target_range.len > 65_536;
            words_of(&r.weights, wide, pr.synapses()) + r.runs.len() as u64 * u64::from(X_SIZE)
        }
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => {
            weight_words(weights, pr.synapses())
        }
        _ => drawn::words(p, pr),
    };
    (0..).zip(&p.projections).map(of).sum()
}

pub(super) fn all_sources(p: &Program) -> u64 {
    p.groups.iter().map(|g| g.size as u64).sum()
}

fn sparse(form: &Form, open: &mut Open, done: &mut Vec<Shard>, limit: u64) {
    let Layout::Rows(rows) = &form.pr.layout else {
        return;
    };
    let sources = all_sources(form.p);
    let n = form.pr.source_range.len as usize;
    let runs_of = |i: usize| &rows.runs[rows.row[i] as usize..rows.row[i + 1] as usize];
    let paired = !form.wide && pairs(&rows.weights);
    let (kind, _) = weight_kind(&rows.weights);
    let targets = match (form.wide, paired) {
        (true, _) => TARGETS_U32,
        (false, true) => TARGETS_PAIRED,
        (false, false) => TARGETS_U16,
    };
    let mut next = 0;
    while next < n {
        let sizes = (next..n).map(|i| {
            let synapses: u64 = runs_of(i).iter().map(|r| r.len as u64).sum();
            (
                runs_of(i).len() as u64,
                words_of(&rows.weights, form.wide, synapses),
            )
        });
        let take = room(open, limit, sources, sizes);
        if take == 0 {
            close(open, done);
            continue;
        }
        let (first, end) = (rows.row[next] as usize, rows.row[next + take] as usize);
        let runs = &rows.runs[first..end];
        let from = runs.first().map_or(0, |r| r.start as usize);
        let to = runs.last().map_or(from, |r| (r.start + r.len) as usize);
        let t_at = if paired {
            let at = open.synapses.len() as u32;
            let pair = |k: usize| rows.targets[k] | rows.weights.bits(k) << 16;
            open.synapses.extend((from..to).map(pair));
            at
        } else if form.wide {
            let at = open.synapses.len() as u32;
            open.synapses.extend(&rows.targets[from..to]);
            at
        } else {
            push_u16(&mut open.synapses, &rows.targets[from..to])
        };
        let w_at = match paired {
            true => 0,
            false => push_weights(&mut open.synapses, &rows.weights, from, to),
        };
        for i in next..next + take {
            for r in runs_of(i).iter().filter(|r| r.len > 0) {
                let off = r.start - from as u32;
                let w = if kind == WEIGHT_ONE { w_at } else { w_at + off };
                open.stages.insert(form.stage(r.delay));
                open.records.push(form.record(
                    i as u32,
                    r.delay,
                    targets | kind << 4,
                    r.len,
                    [form.acc, t_at + off, w],
                ));
            }
        }
        next += take;
    }
}

/// Dense and one-to-one projections: targets need no list.
fn regular(form: &Form, open: &mut Open, done: &mut Vec<Shard>, limit: u64) {
    let (delay, weights, dense) = match &form.pr.layout {
        Layout::Dense { delay, weights } => (*delay, weights, true),
        Layout::OneToOne { delay, weights } => (*delay, weights, false),
        _ => return,
    };
    let sources = all_sources(form.p);
    let n = form.pr.source_range.len as usize;
    let per = if dense {
        form.pr.target_range.len as usize
    } else {
        1
    };
    let (kind, _) = weight_kind(weights);
    let mut next = 0;
    while next < n {
        let sizes = (next..n).map(|_| (1, weight_words(weights, per as u64)));
        let take = room(open, limit, sources, sizes);
        if take == 0 {
            close(open, done);
            continue;
        }
        let w_at = push_weights(&mut open.synapses, weights, next * per, (next + take) * per);
        for i in next..next + take {
            let w = match kind {
                WEIGHT_ONE => w_at,
                _ => w_at + ((i - next) * per) as u32,
            };
            let acc = if dense { form.acc } else { form.acc + i as u32 };
            let kinds = TARGETS_ALL | kind << 4;
            open.records
                .push(form.record(i as u32, delay, kinds, per as u32, [acc, 0, w]));
        }
        open.stages.insert(form.stage(delay));
        next += take;
    }
}

/// Gives the open shard's records their rows.
pub(super) fn close(open: &mut Open, done: &mut Vec<Shard>) {
    let Open {
        mut records,
        synapses,
        stages,
    } = std::mem::take(open);
    let Some(first) = records.iter().map(|r| r.source).min() else {
        return;
    };
    let last = records.iter().map(|r| r.source).max().unwrap_or(first);
    records.sort_by_key(|r| (r.source, r.delay()));
    let n = last - first + 1;
    let mut rows = vec![first, n, ROW_PTR + n + 1];
    let mut at = 0;
    for source in first..=last {
        rows.push(at as u32);
        while at < records.len() && records[at].source == source {
            at += 1;
        }
    }
    rows.push(at as u32);
    records.iter().for_each(|r| rows.extend(r.words));
    done.push(Shard {
        rows,
        synapses,
        stages: stages.into_iter().collect(),
    });
}

/// How the invocations of a delivery share events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Base-2 logarithm of the invocations that share one.
    pub lanes: u32,
    /// Most runs that an event passes.
    pub runs: u64,
    /// Most iterations that an invocation then makes over their synapses.
    pub synapses: u64,
    /// Most iterations of one that shares an event with nobody.
    pub alone: u64,
}

/// How many invocations should share an event of shards with such rows, and what one synapse costs: so many that each walks about 2^`share` synapses of a run
/// of mean length, and as many as the longest row needs.
///
/// Errors: `SYN0818` when even a whole workgroup cannot walk the longest row.
pub fn lanes<'a>(
    shards: impl Iterator<Item = (&'a [u32], u64)>,
    share: u32,
) -> Result<Shares, Diagnostic> {
    let most = TILE.trailing_zeros();
    let (mut runs, mut synapses) = (0u64, 0u64);
    // For each number of lanes the most runs of an event, and the most that an invocation does on their synapses.
    let mut needed = vec![(0u64, 0u64); most as usize + 1];
    let mut note = |row: (u64, u64), cost: u64| {
        for (lanes, n) in needed.iter_mut().enumerate() {
            let own = row.0 + (row.1 >> lanes);
            *n = (n.0.max(row.0), n.1.max(own * cost));
        }
    };
    for (rows, cost) in shards {
        let records = &rows[rows[ROW_RECS as usize] as usize..];
        for pair in rows[ROW_PTR as usize..rows[ROW_RECS as usize] as usize].windows(2) {
            let mut before = u32::MAX;
            let mut row = (0, 0);
            for r in pair[0]..pair[1] {
                let r = &records[(r * X_SIZE) as usize..];
                let (delay, len) = (r[X_KIND as usize] & 0xffff, r[X_LEN as usize] as u64);
                if delay != before {
                    note(row, cost);
                    row = (0, 0);
                    before = delay;
                }
                row = (row.0 + 1, row.1 + len);
                runs += 1;
                synapses += len;
            }
            note(row, cost);
        }
    }
    let mean = synapses.checked_div(runs).unwrap_or(1).max(1);
    let wanted = (mean >> share).next_power_of_two().trailing_zeros();
    (wanted.min(most)..=most)
        .map(|lanes| {
            let (runs, synapses) = needed[lanes as usize];
            Shares {
                lanes,
                runs,
                synapses,
                alone: needed[0].1,
            }
        })
        .find(|s| s.runs + s.synapses + 2 * SEARCH <= MAX_ITERATIONS)
        .ok_or_else(|| {
            too_long(
                "the row of one source and delay".into(),
                needed[most as usize].1,
                MAX_ITERATIONS - 2 * SEARCH,
            )
        })
}
