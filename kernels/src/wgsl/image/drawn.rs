//! Rules that a device holds as rules: one weight for all pairs, and rows whose targets are drawn at each event.
//!
//! In: a generated projection. Out: run records. Of one weight for all pairs a source has one run, or two around its own target; a
//! row that is drawn is one run, whose record leads to the rule, the source and the target that is left out. Invariant: the
//! synapses are those of the same projection laid out as rows.

use super::layout::{Route, route};
use super::rows::{Form, Open, all_sources, close, room};
use crate::wgsl::shape::*;
use synfire_ir::program::{Generated, Layout, PlainRow, Program, Projection};

/// The rule of a projection that needs no rows on a device.
fn rule<'p>(p: &Program, pr: &'p Projection) -> Option<&'p Generated> {
    let Layout::Generated(g) = &pr.layout else {
        return None;
    };
    let drawn = g.procedural && g.plain_row().is_some();
    let stays = route(p, pr) == Route::Scatter && (drawn || g.complete().is_some());
    stays.then_some(g)
}

/// May a projection stay a rule? All others have to be rows before a program is laid out.
pub fn stays(p: &Program, pr: &Projection) -> bool {
    rule(p, pr).is_some()
}

/// Does any row have its targets drawn at each event?
pub fn any(p: &Program) -> bool {
    let of = |pr: &Projection| rule(p, pr).is_some_and(|g| g.complete().is_none());
    p.projections.iter().any(of)
}

/// Words of a rule, and of what leads a source to it.
const RULE_WORDS: usize = 5;
const SOURCE_WORDS: u64 = 3;

/// The runs of a projection that stays a rule.
pub(super) fn push(form: &Form, open: &mut Open, done: &mut Vec<super::rows::Shard>, limit: u64) {
    let Some(g) = rule(form.p, form.pr) else {
        return;
    };
    let (n, sources) = (form.pr.source_range.len, all_sources(form.p));
    let own = |s: u32, apart: Option<i64>| {
        let t = u32::try_from(i64::from(s) - apart?).ok()?;
        (t < g.targets).then_some(t)
    };
    let (mut next, plain) = (0, g.plain_row());
    while next < n {
        let take = room(
            open,
            limit,
            sources,
            (next..n).map(|_| (2, SOURCE_WORDS + 2)),
        );
        if take == 0 {
            close(open, done);
            continue;
        }
        let end = next + take as u32;
        if let Some((weight, delay, with_itself)) = g.complete() {
            let apart = g.own.filter(|_| !with_itself);
            for s in next..end {
                let own = own(s, apart).unwrap_or(g.targets);
                for (first, len) in [(0, own), (own + 1, g.targets.saturating_sub(own + 1))] {
                    if len > 0 {
                        let places = [form.acc + first, 0, weight];
                        open.add(form, (s, delay), (TARGETS_ALL, len), places);
                    }
                }
            }
        } else if let Some(row) = &plain {
            let at = push_rule(row, &mut open.synapses);
            for s in next..end {
                let own = own(s, row.own);
                if row.targets > u32::from(own.is_some()) && row.n > 0 {
                    let of = open.synapses.len() as u32;
                    open.synapses.extend([at, s, own.unwrap_or(NONE)]);
                    let places = [form.acc, of, row.weight];
                    open.add(form, (s, row.delay), (TARGETS_DRAWN, row.n), places);
                }
            }
        }
        next = end;
    }
}

/// Key and counter of Philox, and the number of targets; returns where they are.
fn push_rule(row: &PlainRow, out: &mut Vec<u32>) -> u32 {
    let at = out.len() as u32;
    let words: [u32; RULE_WORDS] = [
        row.key[0],
        row.key[1],
        row.counter[2],
        row.counter[3],
        row.targets,
    ];
    out.extend(words);
    at
}

/// Words that the records of a projection that stays a rule take.
pub(super) fn words(p: &Program, pr: &Projection) -> u64 {
    match rule(p, pr) {
        Some(_) => u64::from(pr.source_range.len) * (2 * u64::from(X_SIZE) + SOURCE_WORDS),
        None => 0,
    }
}
