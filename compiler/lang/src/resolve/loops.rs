//! Loops: `for` over lists and ranges.
//!
//! Comes in: a `for` with the scope around it. Goes out: one body a round, each with a scope in which the running name has
//! its value. Rounds are numbered by their integer, or by their place in the list.

use super::declare::{Body, Order};
use super::scope::{Bound, ScopeId};
use super::value::Value;
use super::{MAX_ROUNDS, Resolver};
use crate::syntax::tree;
use std::collections::VecDeque;
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Span};

/// A loop to be unrolled.
pub(super) struct Loop<'a> {
    pub stmt: &'a tree::For,
    pub scope: ScopeId,
    pub order: Order,
}

impl<'a> Resolver<'a> {
    /// The rounds of a loop; `None` when a limit was reached.
    pub(super) fn unroll(&mut self, l: Loop<'a>, bodies: &mut VecDeque<Body<'a>>) -> Option<()> {
        let Some(rounds) = self.rounds(&l) else {
            return Some(());
        };
        let f = l.stmt;
        for (k, (number, value)) in rounds.into_iter().enumerate() {
            self.rounds += 1;
            if self.rounds > MAX_ROUNDS {
                self.report(too_many_rounds(f.span));
                return None;
            }
            let outer = &self.scopes[l.scope];
            let (unit, prefix, depth) = (outer.unit, outer.prefix.clone(), outer.depth);
            let suffix: Arc<str> = format!("{}.{number}", outer.suffix).into();
            let scope = self.new_scope(Some(l.scope), unit, prefix, suffix, depth);
            self.scopes[scope].round = Some((l.scope, number));
            self.declare(scope, &f.var, Bound::Value(Arc::new(value)));
            let order = [&l.order[..], &[k as u32]].concat();
            bodies.push_back(Body {
                stmts: &f.body,
                scope,
                order,
                top: false,
            });
        }
        Some(())
    }

    /// Number and value of each round.
    fn rounds(&mut self, l: &Loop<'a>) -> Option<Vec<(i64, Value)>> {
        match &l.stmt.range {
            tree::Range::List(e) => match self.eval(e, l.scope)? {
                Value::List(l) if l.items.len() <= MAX_ROUNDS => Some(
                    l.items
                        .iter()
                        .enumerate()
                        .map(|(i, v)| (i as i64, v.clone()))
                        .collect(),
                ),
                Value::List(_) => {
                    self.report(too_many_rounds(e.span));
                    None
                }
                v => {
                    self.report(
                        Diagnostic::error(
                            "SYN0104",
                            format!(
                                "`for` runs over a list or a range, not over {}",
                                v.describe()
                            ),
                        )
                        .label(e.span, v.describe())
                        .hint("write `for p in [a, b]` or `for i in 0 .. 9`"),
                    );
                    None
                }
            },
            tree::Range::Integers(a, b) => {
                let (from, to) = (
                    self.bound_of_range(a, l.scope),
                    self.bound_of_range(b, l.scope),
                );
                let (from, to) = (from?, to?);
                if to.saturating_sub(from) > MAX_ROUNDS as i64 {
                    self.report(too_many_rounds(l.stmt.span));
                    return None;
                }
                Some((from..to).map(|i| (i, Value::Int(i as i128))).collect())
            }
        }
    }

    fn bound_of_range(&mut self, e: &'a tree::Expr, scope: ScopeId) -> Option<i64> {
        let v = self.eval(e, scope)?;
        let whole = v.whole().and_then(|n| i64::try_from(n).ok());
        if whole.is_none() {
            self.report(
                Diagnostic::error(
                    "SYN0104",
                    format!(
                        "the bounds of a range are whole numbers, not {}",
                        v.describe()
                    ),
                )
                .label(e.span, v.describe())
                .hint("write `for i in 0 .. 9`; the end is left out"),
            );
        }
        whole
    }
}

fn too_many_rounds(at: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0113",
        format!("loops run more than {MAX_ROUNDS} rounds in all"),
    )
    .label(at, "this loop")
    .hint("give a population more units instead of looping over single ones")
    .field("limit", MAX_ROUNDS)
}
