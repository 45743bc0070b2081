//! What an experiment expects of its run: `expect mean_rate(exc) in 20 Hz .. 60 Hz`.
//!
//! Comes in: an expectation, whose functions name what is to be measured. Goes out: first what must be measured, with a probe
//! for what the network does not record; after the run, when the caller reads the text again with the measured numbers, whether
//! it held. What is measured stands in the expression as a number with its dimension, so that everything else (operators,
//! functions, constants of the network, units) is as everywhere; before the run a number stands for it, and
//! what cannot be computed with that number is no error.

use super::quantity::show;
use super::scope::ScopeId;
use super::value::{Node, Value};
use super::{Resolver, listed};
use crate::syntax::tree::{Call, Expect, ExprKind};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Probe, Quantity};
use synfire_ir::units::Dimension;

/// What is computed of spikes or values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statistic {
    /// Spikes a unit and second.
    MeanRate,
    /// Coefficient of variation of the intervals between spikes, mean over units with at least three.
    CvIsi,
    /// Number of spikes.
    Spikes,
    /// Of values: mean, standard deviation, smallest, largest, sum, number of the largest and of the smallest.
    Mean,
    Std,
    Min,
    Max,
    Sum,
    Argmax,
    Argmin,
}

/// Of what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measured {
    /// Spikes of units of a population.
    Spikes {
        /// The population's full name.
        population: String,
        /// First unit.
        first: u32,
        /// Units.
        count: u32,
    },
    /// The last recorded values of signals, one after another: name, first element, elements.
    Values(Vec<(String, u32, u32)>),
}

/// A number that a run gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Measurement {
    /// What is computed.
    pub statistic: Statistic,
    /// Of what.
    pub of: Measured,
}

/// An expectation, before or after the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// As it is written, from `expect` on.
    pub text: String,
    /// Where.
    pub span: Span,
    /// What must be measured.
    pub needs: Vec<Measurement>,
    /// Whether it held; `None` before the run.
    pub held: Option<bool>,
    /// What was measured, as `mean_rate(exc) = 12.5 Hz`.
    pub found: Vec<String>,
}

/// Numbers that a run gave; `None` where it gave none, such as the irregularity of a silent population.
pub type Results = BTreeMap<Measurement, Option<f64>>;

/// What is known while expectations are read.
#[derive(Default)]
pub(super) struct Measuring {
    /// After the run.
    results: Option<Results>,
    /// The network's probes, and those that expectations add.
    pub probes: Vec<Probe>,
    /// Steps of the run.
    steps: u32,
    needs: Vec<Measurement>,
    found: Vec<String>,
    /// Did the run give no number for something?
    missing: bool,
}

impl Measuring {
    /// What is known before the first expectation.
    pub fn new(results: Option<Results>, probes: Vec<Probe>, steps: u32) -> Self {
        Measuring {
            results,
            probes,
            steps,
            ..Measuring::default()
        }
    }
}

/// Stands for what is not measured yet: no round number, so that little happens to be 0.
const BEFORE: f64 = 0.731_058_578_630_004_9;

/// Codes of what cannot be computed, as with [`BEFORE`].
const NUMERIC: &str = "SYN0114";

impl Statistic {
    /// The function of a name with so many arguments.
    pub(super) fn named(name: &str, arguments: usize) -> Option<Statistic> {
        let found = match name {
            "mean_rate" => Statistic::MeanRate,
            "cv_isi" => Statistic::CvIsi,
            "spikes" => Statistic::Spikes,
            "mean" => Statistic::Mean,
            "std" => Statistic::Std,
            "min" => Statistic::Min,
            "max" => Statistic::Max,
            "sum" => Statistic::Sum,
            "argmax" => Statistic::Argmax,
            "argmin" => Statistic::Argmin,
            _ => return None,
        };
        (arguments == 1).then_some(found)
    }

    fn of_spikes(self) -> bool {
        matches!(
            self,
            Statistic::MeanRate | Statistic::CvIsi | Statistic::Spikes
        )
    }
}

impl<'a> Resolver<'a> {
    /// Reads an expectation; `None` when it is wrong, which is reported.
    pub(super) fn expectation(&mut self, e: &'a Expect, scope: ScopeId) -> Option<Expectation> {
        let before = self.diagnostics.0.len();
        let held = self.holds(e, scope);
        let m = self.measuring.as_mut()?;
        let (needs, found) = (std::mem::take(&mut m.needs), std::mem::take(&mut m.found));
        let (run, missing) = (m.results.is_some(), std::mem::take(&mut m.missing));
        if !run {
            let later: Vec<_> = self.diagnostics.0.drain(before..).collect();
            let real = later.into_iter().filter(|d| d.code != NUMERIC);
            self.diagnostics.0.extend(real);
            if self.diagnostics.0.len() > before {
                return None;
            }
        }
        let text = self.files.sources.get(e.span.file).map_or("", |s| &s.text);
        let text = text.get(e.span.start as usize..e.span.end as usize);
        Some(Expectation {
            text: text
                .unwrap_or("")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            span: e.span,
            needs,
            held: run.then_some(held == Some(true) && !missing),
            found,
        })
    }

    fn holds(&mut self, e: &'a Expect, scope: ScopeId) -> Option<bool> {
        let Some((low, high)) = &e.bounds else {
            return self.truth(&e.value, scope, "what is expected");
        };
        let value = self.eval(&e.value, scope);
        let (low, high) = (self.eval(low, scope), self.eval(high, scope));
        let value = value?;
        let Some((x, d)) = value.number() else {
            let what = format!(
                "what lies between bounds must be a number, not {}",
                value.describe()
            );
            self.report(
                Diagnostic::error("SYN0104", what)
                    .label(e.value.span, value.describe())
                    .hint("write `expect mean_rate(exc) in 20 Hz .. 60 Hz`"),
            );
            return None;
        };
        let (a, b) = e.bounds.as_ref()?;
        let low = self.quantity_of(&low?, a.span, d, "the lower bound");
        let high = self.quantity_of(&high?, b.span, d, "the upper bound");
        Some((low?..=high?).contains(&x))
    }

    /// The value of a function of what was measured.
    pub(super) fn measure(
        &mut self,
        c: &'a Call,
        statistic: Statistic,
        scope: ScopeId,
    ) -> Option<Value> {
        let argument = c.args.first()?;
        let ExprKind::Ref(r) = &argument.value.kind else {
            let name = c.path.dotted();
            self.report(
                Diagnostic::error("SYN0104", format!("`{name}` measures what a network names"))
                    .label(argument.value.span, "no population, state or projection")
                    .hint("write `mean_rate(exc)`, `argmax(out.v)` or `mean(plastic.w)`"),
            );
            return None;
        };
        let target = self.resolve_ref(r, scope)?;
        let spikes = target
            .member
            .as_ref()
            .is_none_or(|m| m.as_str() == "spikes");
        let projection = matches!(target.value, Value::Node(Node::Projection(_)));
        if statistic.of_spikes() != (spikes && !projection) {
            let (what, hint) = match statistic.of_spikes() {
                true => ("spikes", "name a population: `mean_rate(exc)`"),
                false => ("values", "name a state: `argmax(out.v)`, `mean(plastic.w)`"),
            };
            let name = c.path.dotted();
            self.report(
                Diagnostic::error("SYN0104", format!("`{name}` is a function of {what}"))
                    .label(target.span, "not here")
                    .hint(hint),
            );
            return None;
        }
        let probes = self.probe(&target);
        let (first, of) = (probes.first()?, self.measured(&probes)?);
        let dimension = match statistic {
            Statistic::MeanRate if self.dt.is_none() => Dimension::NONE,
            Statistic::MeanRate => Dimension::RATE,
            Statistic::CvIsi | Statistic::Spikes | Statistic::Argmax | Statistic::Argmin => {
                Dimension::NONE
            }
            _ => self.dimension_of(first),
        };
        let needs = Measurement { statistic, of };
        Some(self.number(c, needs, dimension))
    }

    /// The number in place of a measurement.
    fn number(&mut self, c: &Call, needs: Measurement, dimension: Dimension) -> Value {
        let text = self.files.sources.get(c.span.file).map_or("", |s| &s.text);
        let text = text.get(c.span.start as usize..c.span.end as usize);
        let Some(m) = &mut self.measuring else {
            return Value::Real(BEFORE, dimension);
        };
        let value = match &m.results {
            None => BEFORE,
            Some(results) => {
                let value = results.get(&needs).copied().flatten();
                let shown = value.map_or("nothing to measure".into(), |x| show(x, dimension));
                m.found.push(format!("{} = {shown}", text.unwrap_or("")));
                m.missing |= value.is_none();
                value.unwrap_or(BEFORE)
            }
        };
        m.needs.push(needs);
        Value::Real(value, dimension)
    }

    /// What the probes show, which are added to those of the network where it has no such.
    fn measured(&mut self, probes: &[Probe]) -> Option<Measured> {
        let mut values = vec![];
        for p in probes {
            let name = &self.graph.node_weight(p.pop)?.name;
            let (first, count) = (p.range.start, p.range.len);
            let name = match &p.what {
                Quantity::Spikes => name.clone(),
                Quantity::State(s) => format!("{name}.{s}"),
                Quantity::Synapse(projection, s) => format!("{projection}.{s}"),
            };
            let m = self.measuring.as_mut()?;
            let same = |q: &Probe| (q.pop, q.range, &q.what) == (p.pop, p.range, &p.what);
            let whole = |q: &Probe| {
                let covers = q.range.start <= first && first + count <= q.range.start + q.range.len;
                p.what == Quantity::Spikes && q.pop == p.pop && q.what == p.what && covers
            };
            if !m.probes.iter().any(|q| same(q) || whole(q)) {
                let every = match p.what {
                    Quantity::Spikes => 1,
                    _ => m.steps.max(1),
                };
                m.probes.push(Probe { every, ..p.clone() });
            }
            if p.what == Quantity::Spikes {
                return Some(Measured::Spikes {
                    population: name,
                    first,
                    count,
                });
            }
            values.push((name, first, count));
        }
        (!values.is_empty()).then_some(Measured::Values(values))
    }

    /// Dimension of a recorded state.
    fn dimension_of(&self, p: &Probe) -> Dimension {
        let of = |states: Option<usize>, all: &[Dimension]| {
            states
                .and_then(|k| all.get(k).copied())
                .unwrap_or(Dimension::NONE)
        };
        match &p.what {
            Quantity::Spikes => Dimension::NONE,
            Quantity::State(s) => {
                let i = self.pop_ids.iter().position(|id| *id == Some(p.pop));
                let model = i.and_then(|i| self.pop_models.get(i).copied().flatten());
                let Some(m) = model.and_then(|m| self.models.get(m as usize)) else {
                    return Dimension::NONE;
                };
                of(m.model.state(s).map(usize::from), &m.state_dimensions)
            }
            Quantity::Synapse(projection, s) => {
                let mut edges = self.graph.edge_weights();
                let x = edges.find(|pr| pr.name == *projection);
                let x = x.and_then(|pr| pr.plasticity.as_ref());
                let Some(m) = x.and_then(|x| self.synapses.get(x.model as usize)) else {
                    return Dimension::NONE;
                };
                of(m.synapse.state(s).map(usize::from), &m.state_dimensions)
            }
        }
    }

    /// The experiment of a name, or why there is none.
    pub(super) fn named_experiment(
        &mut self,
        name: &str,
    ) -> Option<&'a crate::syntax::tree::Experiment> {
        let files = self.files;
        let all = files.units[0].tree.items.iter().filter_map(|i| match i {
            crate::syntax::tree::Item::Experiment(e) => Some(e),
            _ => None,
        });
        let all: Vec<_> = all.collect();
        let found = all.iter().find(|e| e.name.as_str() == name);
        if let Some(e) = found {
            return Some(e);
        }
        let names: Vec<&str> = all.iter().map(|e| e.name.as_str()).collect();
        let file = files.units[0].name.clone();
        let d =
            Diagnostic::error("SYN0108", format!("`{file}` has no experiment `{name}`")).at(file);
        let d = match super::near(name, names.iter().copied()) {
            Some(n) => d.hint(format!("did you mean `{n}`?")),
            None if names.is_empty() => d.hint("it declares none"),
            None => d.hint(format!("its experiments are: {}", listed(&names))),
        };
        self.report(d);
        None
    }
}
