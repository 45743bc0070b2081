//! `record` and `hint`.
//!
//! Comes in: the statements, with nodes and edges made. Goes out: probes and hints of the network.

use super::declare::Later;
use super::quantity::show;
use super::refs::Target;
use super::scope::ScopeId;
use super::value::{Node, Value};
use super::{Resolver, listed, near};
use crate::syntax::tree::{Expr, ExprKind, Field, Hint, Record};
use std::collections::BTreeSet;
use synfire_ir::diag::Diagnostic;
use synfire_ir::network::{Probe, Quantity};
use synfire_ir::units::Dimension;

impl<'a> Resolver<'a> {
    /// All probes, in the order of the text.
    pub(super) fn probes(&mut self) -> Vec<Probe> {
        let mut stmts: Vec<Later<'a, Record>> = std::mem::take(&mut self.records);
        stmts.sort_by(|a, b| a.order.cmp(&b.order));
        let mut out: Vec<Probe> = vec![];
        let mut seen = BTreeSet::new();
        for s in &stmts {
            let every = match &s.stmt.every {
                Some(e) => self.every(e, s.scope),
                None => Some(1),
            };
            let Some(targets) = self.expand_refs(&s.stmt.what, s.scope) else {
                continue;
            };
            for t in &targets {
                let Some(every) = every else { continue };
                for probe in self.probe(t) {
                    let probe = Probe { every, ..probe };
                    let what = match &probe.what {
                        Quantity::Spikes => None,
                        Quantity::State(s) => Some((String::new(), s.clone())),
                        Quantity::Synapse(p, s) => Some((p.clone(), s.clone())),
                    };
                    let range = (probe.range.start, probe.range.len);
                    if seen.insert((probe.pop, range, what, every)) {
                        out.push(probe);
                    }
                }
                if self.room(out.len(), "records", s.stmt.span).is_none() {
                    return out;
                }
            }
        }
        out
    }

    /// `every 1 ms` in steps.
    fn every(&mut self, e: &'a Expr, scope: ScopeId) -> Option<u32> {
        let Some(dt) = self.dt else {
            return self.whole(e, scope, "`every` in a network without `step`", 1);
        };
        let x = self.quantity(e, scope, Dimension::TIME, "`every`")?;
        let steps = (x / dt).round_ties_even();
        if !(1.0..=u32::MAX as f64).contains(&steps) {
            self.report(
                Diagnostic::error(
                    "SYN0204",
                    format!(
                        "every {} with steps of {}",
                        show(x, Dimension::TIME),
                        show(dt, Dimension::TIME)
                    ),
                )
                .label(e.span, "not at least one step")
                .hint("record at most once a step"),
            );
            return None;
        }
        if (x / dt - steps).abs() > 1e-6 * steps {
            self.warn(
                Diagnostic::warning(
                    "SYN0203",
                    format!(
                        "every {} is taken as {steps} steps, {}",
                        show(x, Dimension::TIME),
                        show(steps * dt, Dimension::TIME)
                    ),
                )
                .label(e.span, "not a whole number of steps")
                .hint("choose a multiple of `step`"),
            );
        }
        Some(steps as u32)
    }

    /// What records what a reference names.
    pub(super) fn probe(&mut self, t: &Target) -> Vec<Probe> {
        match &t.value {
            Value::Node(Node::Projection(k)) => self.learned(*k, t.member.as_ref(), t.span),
            _ => self.unit_probe(t).into_iter().collect(),
        }
    }

    fn unit_probe(&mut self, t: &Target) -> Option<Probe> {
        let i = match &t.value {
            Value::Node(Node::Pop(i, _)) => *i,
            other => {
                self.report(
                    Diagnostic::error(
                        "SYN0103",
                        format!("{} cannot be recorded", other.describe()),
                    )
                    .label(t.span, other.describe())
                    .hint("record spikes or states of a population: `record exc.spikes`"),
                );
                return None;
            }
        };
        let Value::Node(node) = &t.value else {
            return None;
        };
        let view = self.view_of(node)?;
        let what = match &t.member {
            None => Quantity::Spikes,
            Some(m) if m.as_str() == "spikes" => Quantity::Spikes,
            Some(m) => self.state_of(i, m)?,
        };
        let pop = self.pop_ids.get(i).copied().flatten()?;
        Some(Probe {
            pop,
            range: view.range,
            what,
            every: 1,
        })
    }

    /// A state, or the state behind an output.
    fn state_of(&mut self, pop: usize, member: &crate::syntax::tree::Name) -> Option<Quantity> {
        let name = member.as_str();
        let m = self
            .pop_models
            .get(pop)
            .copied()
            .flatten()
            .and_then(|m| self.models.get(m as usize));
        let Some(m) = m else {
            if self.driven_pops.get(pop).copied().unwrap_or(false) {
                self.report(
                    Diagnostic::error(
                        "SYN0116",
                        format!(
                            "`{}` is driven from outside and has no state `{name}`",
                            self.pops[pop].name
                        ),
                    )
                    .label(member.span, "no such state")
                    .hint("record its `spikes`"),
                );
            }
            return None;
        };
        if m.model.state(name).is_some() {
            return Some(Quantity::State(name.into()));
        }
        if let Some(o) = m.model.outputs.iter().find(|o| o.name == name) {
            return m
                .model
                .states
                .get(o.state as usize)
                .map(|s| Quantity::State(s.name.clone()));
        }
        let mut known: Vec<String> = m
            .model
            .states
            .iter()
            .map(|s| s.name.clone())
            .filter(|n| !n.starts_with('_'))
            .collect();
        known.push("spikes".into());
        let d = Diagnostic::error(
            "SYN0116",
            format!("`{}` has no state `{name}` to record", self.pops[pop].name),
        )
        .label(member.span, "no such state")
        .label(self.pops[pop].span, "declared here");
        self.report(match near(name, known.iter().map(String::as_str)) {
            Some(n) => d.hint(format!("did you mean `{n}`?")),
            None => d.hint(format!("it has: {}", listed(&known))),
        });
        None
    }

    /// All hints: (population or empty, key, value).
    pub(super) fn all_hints(&mut self) -> Vec<(String, String, String)> {
        let mut stmts: Vec<Later<'a, Hint>> = std::mem::take(&mut self.hints);
        stmts.sort_by(|a, b| a.order.cmp(&b.order));
        let mut out = vec![];
        for s in &stmts {
            let about = match &s.stmt.about {
                None => vec![String::new()],
                Some(r) => match self.resolve_ref(r, s.scope) {
                    Some(t) => self.hinted(&t),
                    None => continue,
                },
            };
            for f in &s.stmt.fields.entries {
                if self.room(out.len(), "hints", f.span).is_none() {
                    return out;
                }
                if let Some(text) = self.hint_text(f, s.scope) {
                    out.extend(
                        about
                            .iter()
                            .map(|a| (a.clone(), f.name.text.to_string(), text.clone())),
                    );
                }
            }
        }
        out
    }

    /// Full names of what a hint is about: a population, or all populations of a part.
    fn hinted(&mut self, t: &Target) -> Vec<String> {
        match &t.value {
            Value::Node(Node::Part(p)) => {
                self.fuel = self.fuel.saturating_sub(self.pops.len() as u64);
                let inside = format!("{}.", self.parts[*p].name);
                self.pops
                    .iter()
                    .map(|p| p.name.clone())
                    .filter(|n| n.starts_with(&inside))
                    .collect()
            }
            Value::Node(n @ (Node::Pop(..) | Node::Projection(_))) => vec![self.full_name(n)],
            other => {
                self.report(
                    Diagnostic::error(
                        "SYN0103",
                        format!("a hint cannot be about {}", other.describe()),
                    )
                    .label(t.span, other.describe())
                    .hint("name a population, a projection or a part"),
                );
                vec![]
            }
        }
    }

    /// A bare word that names nothing is itself; anything else is evaluated.
    fn hint_text(&mut self, f: &'a Field, scope: ScopeId) -> Option<String> {
        if let ExprKind::Ref(r) = &f.value.kind
            && let Some(n) = r.as_name()
            && self.lookup(n.as_str(), scope).is_none()
        {
            return Some(n.text.to_string());
        }
        Some(match self.eval(&f.value, scope)? {
            Value::Int(i) => i.to_string(),
            Value::Bool(b) => b.to_string(),
            Value::Text(t) => t.text.to_string(),
            Value::Real(v, d) => show(v, d),
            other => {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        format!(
                            "a hint is a number, a word or a text, not {}",
                            other.describe()
                        ),
                    )
                    .label(f.value.span, other.describe())
                    .hint("write `hint exc { cores = 2 }`"),
                );
                return None;
            }
        })
    }
}
