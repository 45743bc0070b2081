//! `at 10 s : reward.value = 1 for 50 ms`: what an experiment sends at given times.
//!
//! Comes in: the statements of an experiment. Goes out: events of sources that are driven from outside, one a step while a value
//! holds. A value holds for its duration, else to the end of the run; a later assignment to the same units ends it.

use super::Resolver;
use super::quantity::show;
use super::scope::ScopeId;
use super::value::{Node, Value};
use crate::syntax::tree::{At, Expr};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::program::Range;
use synfire_ir::units::Dimension;

/// Most events that values may unfold to.
const MOST: u64 = 10_000_000;

/// An assignment in steps.
struct Held {
    pop: usize,
    units: Range,
    value: f32,
    start: u32,
    end: u32,
    span: Span,
}

impl<'a> Resolver<'a> {
    /// Adds the events of all assignments; `run` is the length of the run, where it is given.
    pub(super) fn assignments(
        &mut self,
        all: &[&'a At],
        scope: ScopeId,
        run: Option<u32>,
        feeds: &mut BTreeMap<usize, Vec<(u32, u32, f32)>>,
    ) {
        let held = all.iter().filter_map(|a| self.assignment(a, scope, run));
        let mut held: Vec<Held> = held.collect();
        held.sort_by_key(|h| h.start);
        let mut total = 0u64;
        for (k, h) in held.iter().enumerate() {
            let meets = |o: &&Held| {
                let apart = o.units.start + o.units.len <= h.units.start
                    || h.units.start + h.units.len <= o.units.start;
                o.pop == h.pop && !apart
            };
            let later: Vec<&Held> = held[k + 1..].iter().filter(meets).collect();
            let steps = h.end.saturating_sub(h.start) as u64;
            total = total.saturating_add(steps.max(later.len() as u64) * h.units.len as u64);
            if total > MOST {
                let what = format!(
                    "values of an experiment last for {total} steps and units; at most {MOST} can be"
                );
                return self.report(
                    Diagnostic::error("SYN0113", what)
                        .label(h.span, "one too many")
                        .hint("hold values for a shorter time, or for fewer units")
                        .field("limit", MOST),
                );
            }
            // Nothing arrives where the value is 0.
            if h.value == 0.0 {
                continue;
            }
            let events = feeds.entry(h.pop).or_default();
            for u in h.units.start..h.units.start + h.units.len {
                let own = |o: &&&Held| (o.units.start..o.units.start + o.units.len).contains(&u);
                let end = later.iter().find(own).map_or(h.end, |o| o.start.min(h.end));
                events.extend((h.start..end).map(|t| (t, u, h.value)));
            }
        }
    }

    fn assignment(&mut self, a: &'a At, scope: ScopeId, run: Option<u32>) -> Option<Held> {
        let target = self.resolve_ref(&a.target, scope);
        let start = self.moment(&a.time, scope, "the time of `at`");
        let value = self.quantity(&a.value, scope, Dimension::NONE, "a source's value");
        let lasting = match &a.duration {
            Some(d) => Some(self.moment(d, scope, "the duration")?.max(1)),
            None => None,
        };
        let target = target?;
        let driven = |i: &usize| self.driven_pops.get(*i).copied().unwrap_or(false);
        let named = target
            .member
            .as_ref()
            .is_some_and(|m| m.as_str() == "value");
        let (pop, units) = match &target.value {
            Value::Node(node @ Node::Pop(i, _)) if driven(i) && named => {
                (*i, self.view_of(node)?.range)
            }
            other => {
                let what = other.describe();
                self.report(
                    Diagnostic::error(
                        "SYN0103",
                        format!("`at` sets the value of a source that is driven from outside, not {what}"),
                    )
                    .label(target.span, "assigned here")
                    .hint("write `at 10 s : reward.value = 1 for 50 ms`, with a source of kind `events` or `signal`")
                    .hint("parameters of a running network are set through the library: `Session::set_parameter`"),
                );
                return None;
            }
        };
        let start = start?;
        let Some(end) = lasting.map(|n| start.saturating_add(n)).or(run) else {
            self.report(
                Diagnostic::error("SYN0105", "how long does the value hold?")
                    .label(a.span, "to the end of a run of unknown length")
                    .hint("add `for 50 ms` here, or `run 1 s` to the experiment"),
            );
            return None;
        };
        Some(Held {
            pop,
            units,
            value: value? as f32,
            start,
            end: run.map_or(end, |run| end.min(run)),
            span: a.span,
        })
    }

    /// A time in steps.
    fn moment(&mut self, e: &'a Expr, scope: ScopeId, what: &str) -> Option<u32> {
        let Some(dt) = self.dt else {
            return self.whole(e, scope, &format!("{what} in a network without `step`"), 0);
        };
        let x = self.quantity(e, scope, Dimension::TIME, what)?;
        let steps = (x / dt).round_ties_even();
        if (0.0..=u32::MAX as f64).contains(&steps) {
            return Some(steps as u32);
        }
        self.report(
            Diagnostic::error("SYN0204", format!("{what} is {}", show(x, Dimension::TIME)))
                .label(e.span, "outside any run")
                .hint("runs are 0 to 4,294,967,295 steps long"),
        );
        None
    }
}
