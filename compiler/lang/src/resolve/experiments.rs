//! The file's only experiment, and what networks feed to themselves.
//!
//! Comes in: the experiment of the chosen network, if there is one and no second, and the `spike_list` sources. Goes out:
//! the length of a run and the feeds (with [`super::schedule`]), and what is expected of it ([`super::expect`]).

use super::data::Numbers;
use super::expect::{Measuring, Results};
use super::quantity::show;
use super::scope::ScopeId;
use super::value::{Node, Value, count};
use super::{Resolver, near};
use crate::syntax::tree::{Exp, Experiment, Feed as FeedStmt, Field, Item, Setting, Source};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Array, Feed, Probe};
use synfire_ir::units::Dimension;

/// Most spikes that a `spike_list` may unfold to.
const MAX_SPIKES: u64 = 10_000_000;

/// Step, unit, value.
type Event = (u32, u32, f32);

impl<'a> Resolver<'a> {
    /// The experiment that a plain run follows: the only one of the network.
    pub(super) fn only_experiment(&self, network: &str) -> Option<&'a Experiment> {
        let files = self.files;
        let mut of = files.units[0].tree.items.iter().filter_map(|i| match i {
            Item::Experiment(e) if e.network.as_str() == network => Some(e),
            _ => None,
        });
        match (of.next(), of.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// Checks that every experiment runs a network of this file.
    pub(super) fn experiments_name_networks(&mut self) {
        let files = self.files;
        for item in &files.units[0].tree.items {
            let Item::Experiment(e) = item else { continue };
            let known = files.units[0]
                .names
                .get(&e.network.text)
                .and_then(|n| files.item(n.0));
            if matches!(known, Some(Item::Network(_))) || !files.whole {
                continue;
            }
            let networks = files.own_names(0).filter(|n| {
                files
                    .own(0, n)
                    .and_then(|id| files.item(id))
                    .is_some_and(|i| matches!(i, Item::Network(_)))
            });
            let d = Diagnostic::error(
                "SYN0101",
                format!("there is no network `{}`", e.network.text),
            )
            .label(e.network.span, "unknown");
            let d = match near(e.network.as_str(), networks) {
                Some(n) => d.hint(format!("did you mean `{n}`?")),
                None => d.hint("an experiment runs a network of its own file"),
            };
            self.report(d);
        }
    }

    /// Length of the run in steps and the feeds of the experiment; its expectations are kept, and what they need is recorded
    /// if the experiment was `asked` for.
    pub(super) fn follow_experiment(
        &mut self,
        e: &'a Experiment,
        scope: ScopeId,
        (results, asked): (Option<Results>, bool),
        feeds: &mut BTreeMap<usize, Vec<Event>>,
        probes: &mut Vec<Probe>,
    ) -> Option<u32> {
        let mut run: Option<(u32, Span)> = None;
        for stmt in &e.body {
            match stmt {
                Exp::Run(s) => {
                    if let Some((_, first)) = run {
                        self.report(super::files::duplicate("run", s.span, first));
                    }
                    run = run.or(self.run_length(s, scope).map(|n| (n, s.span)));
                }
                Exp::Feed(f) => self.feed(f, scope, feeds),
                Exp::At(_) | Exp::Expect(_) => {}
            }
        }
        let steps = run.map(|r| r.0);
        let at = e.body.iter().filter_map(|s| match s {
            Exp::At(a) => Some(a),
            _ => None,
        });
        self.assignments(&at.collect::<Vec<_>>(), scope, steps, feeds);
        self.measuring = Some(Measuring::new(results, probes.clone(), steps.unwrap_or(1)));
        for s in &e.body {
            if let Exp::Expect(x) = s {
                let read = self.expectation(x, scope);
                self.expectations.extend(read);
            }
        }
        if let Some(m) = self.measuring.take().filter(|_| asked) {
            *probes = m.probes;
        }
        steps
    }

    fn run_length(&mut self, s: &'a Setting, scope: ScopeId) -> Option<u32> {
        let Some(dt) = self.dt else {
            return self.whole(&s.value, scope, "`run` in a network without `step`", 0);
        };
        let x = self.quantity(&s.value, scope, Dimension::TIME, "`run`")?;
        let steps = (x / dt).round_ties_even();
        if !(0.0..=u32::MAX as f64).contains(&steps) {
            self.report(
                Diagnostic::error(
                    "SYN0204",
                    format!(
                        "a run of {} in steps of {}",
                        show(x, Dimension::TIME),
                        show(dt, Dimension::TIME)
                    ),
                )
                .label(s.value.span, "beyond 32 bits of steps")
                .hint("runs are 0 to 4,294,967,295 steps long"),
            );
            return None;
        }
        if (x / dt - steps).abs() > 1e-6 * steps.max(1.0) {
            self.warn(
                Diagnostic::warning(
                    "SYN0203",
                    format!(
                        "`run` {} is taken as {steps} steps",
                        show(x, Dimension::TIME)
                    ),
                )
                .label(s.value.span, "not a whole number of steps")
                .hint("choose a multiple of `step`"),
            );
        }
        Some(steps as u32)
    }

    /// `feed x from load("spikes.csv")`.
    fn feed(&mut self, f: &'a FeedStmt, scope: ScopeId, feeds: &mut BTreeMap<usize, Vec<Event>>) {
        let (target, from) = (
            self.resolve_ref(&f.target, scope),
            self.eval(&f.from, scope),
        );
        let (Some(target), Some(from)) = (target, from) else {
            return;
        };
        let pop = match &target.value {
            Value::Node(Node::Pop(i, None))
                if self.driven_pops.get(*i).copied().unwrap_or(false) =>
            {
                *i
            }
            other => {
                let what = other.describe();
                return self.report(
                    Diagnostic::error(
                        "SYN0103",
                        format!("only a source that is driven from outside can be fed, not {what}"),
                    )
                    .label(target.span, "fed here")
                    .hint("feed a whole source of kind `events` or `signal`"),
                );
            }
        };
        if let Some(events) = self.events_of(&from, pop, f.from.span) {
            feeds.entry(pop).or_default().extend(events);
        }
    }

    /// The events in a file, checked against the size of the population.
    fn events_of(&mut self, from: &Value, pop: usize, at: Span) -> Option<Vec<Event>> {
        let (path, unit) = match from {
            Value::Data(d) if d.key.is_none() => (d.path.clone(), d.unit),
            Value::Text(t) => (t.text.clone(), t.unit),
            other => {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        format!("spikes come from a file, not from {}", other.describe()),
                    )
                    .label(at, other.describe())
                    .hint("write `load(\"spikes.csv\")`"),
                );
                return None;
            }
        };
        let name = self.files.units.get(unit).map_or("", |u| u.name.as_str());
        let events = match self.loader.events(&path, name) {
            Ok(e) => e,
            Err(why) => {
                self.report(
                    Diagnostic::error("SYN0313", format!("`{path}` cannot be read: {why}"))
                        .label(at, "loaded here")
                        .hint("a spike file has the columns step, population, neuron"),
                );
                return None;
            }
        };
        let size = count(&self.pop_shape(pop)?);
        match events.iter().find(|e| e.1 as u64 >= size) {
            Some(e) => {
                self.report(
                    Diagnostic::error(
                        "SYN0312",
                        format!(
                            "`{path}` has a spike of unit {} at step {}, but `{}` has {size} units",
                            e.1, e.0, self.pops[pop].name
                        ),
                    )
                    .label(at, "loaded here")
                    .label(
                        self.pops[pop].span,
                        format!("units 0 to {}", size.saturating_sub(1)),
                    )
                    .hint("make the source as large as the data, or mend the data"),
                );
                None
            }
            None => Some(events),
        }
    }

    /// The spikes of all `spike_list` sources.
    pub(super) fn spike_lists(&mut self, feeds: &mut BTreeMap<usize, Vec<Event>>) {
        for (pop, s, scope) in std::mem::take(&mut self.spike_lists) {
            if let Some(events) = self.spike_list(pop, s, scope) {
                feeds.entry(pop).or_default().extend(events);
            }
        }
    }

    fn spike_list(&mut self, pop: usize, s: &'a Source, scope: ScopeId) -> Option<Vec<Event>> {
        let entries = s.fields.as_ref().map_or(&[][..], |f| &f.entries);
        let field = |n: &str| entries.iter().find(|f| f.name.as_str() == n);
        let mut ok = true;
        for f in entries
            .iter()
            .filter(|f| !["times", "units", "file"].contains(&f.name.as_str()))
        {
            self.report(
                Diagnostic::error(
                    "SYN0110",
                    format!("`spike_list` has no field `{}`", f.name.text),
                )
                .label(f.name.span, "unknown field")
                .hint("it has: times, units, file"),
            );
            ok = false;
        }
        if let Some(f) = field("file") {
            let from = self.eval(&f.value, scope)?;
            return self.events_of(&from, pop, f.value.span).filter(|_| ok);
        }
        let Some(times) = field("times") else {
            self.report(
                Diagnostic::error("SYN0105", "`spike_list` needs `times` or `file`")
                    .label(s.span, "without spikes")
                    .hint("write `{ times = [1 ms, 3 ms], units = [0, 1] }`"),
            );
            return None;
        };
        let steps = self.times(times, scope);
        let size = count(&self.pop_shape(pop)?) as u32;
        let units = match field("units") {
            Some(f) => Some(self.whole_list(f, scope, size)?),
            None => None,
        };
        self.unfold(steps?, units, size, s.span).filter(|_| ok)
    }

    /// A spike of each unit at its time, or of all units at every time.
    fn unfold(
        &mut self,
        steps: Vec<u32>,
        units: Option<Vec<u32>>,
        size: u32,
        at: Span,
    ) -> Option<Vec<Event>> {
        let events = match units {
            None => {
                let total = steps.len() as u64 * size as u64;
                if total > MAX_SPIKES {
                    self.report(
                        Diagnostic::error(
                            "SYN0113",
                            format!("{total} built-in spikes; at most {MAX_SPIKES} can be"),
                        )
                        .label(at, "all units at every time")
                        .hint("name `units`, or keep the spikes in a file")
                        .field("limit", MAX_SPIKES),
                    );
                    return None;
                }
                steps
                    .iter()
                    .flat_map(|&t| (0..size).map(move |u| (t, u, 1.0)))
                    .collect()
            }
            Some(units) if units.len() == steps.len() => steps
                .into_iter()
                .zip(units)
                .map(|(t, u)| (t, u, 1.0))
                .collect(),
            Some(units) => {
                self.report(
                    Diagnostic::error("SYN0312", format!("`spike_list` has {} times but {} units", steps.len(), units.len()))
                        .label(at, "one unit for each time")
                        .hint("give both lists the same length, or leave out `units` to let all units fire"),
                );
                return None;
            }
        };
        Some(events)
    }

    /// Times to the steps that cover them.
    fn times(&mut self, f: &'a Field, scope: ScopeId) -> Option<Vec<u32>> {
        let (dimension, dt) = self
            .dt
            .map_or((Dimension::NONE, 1.0), |dt| (Dimension::TIME, dt));
        let v = self.eval(&f.value, scope)?;
        let n: Numbers = self.numbers(&v, f.value.span, dimension, "`times`", "times")?;
        let array = Array {
            name: String::new(),
            shape: vec![],
            data: n.data,
        };
        let mut out = Vec::with_capacity(array.count());
        for i in 0..array.count() {
            let step = (array.get(i) / dt + 1e-9).floor();
            if !(0.0..=u32::MAX as f64).contains(&step) {
                self.report(
                    Diagnostic::error(
                        "SYN0204",
                        format!(
                            "spike {i} lies at {}, outside the run",
                            show(array.get(i), dimension)
                        ),
                    )
                    .label(f.value.span, "this list")
                    .hint("times are not negative, and less than 4,294,967,295 steps"),
                );
                return None;
            }
            out.push(step as u32);
        }
        Some(out)
    }

    fn whole_list(&mut self, f: &'a Field, scope: ScopeId, size: u32) -> Option<Vec<u32>> {
        let v = self.eval(&f.value, scope)?;
        let n = self.numbers(&v, f.value.span, Dimension::NONE, "`units`", "units")?;
        let array = Array {
            name: String::new(),
            shape: vec![],
            data: n.data,
        };
        let mut out = Vec::with_capacity(array.count());
        for i in 0..array.count() {
            let x = array.get(i);
            if x.fract() != 0.0 || x < 0.0 || x >= size as f64 {
                self.report(
                    Diagnostic::error(
                        "SYN0312",
                        format!(
                            "unit {i} of the list is {x}; units are 0 to {}",
                            size.saturating_sub(1)
                        ),
                    )
                    .label(f.value.span, "this list")
                    .hint("units count from 0"),
                );
                return None;
            }
            out.push(x as u32);
        }
        Some(out)
    }

    /// Feeds of the network, sorted, with payloads as the sources carry them.
    pub(super) fn feeds(&mut self, collected: BTreeMap<usize, Vec<Event>>) -> Vec<Feed> {
        let mut out = vec![];
        for (i, mut events) in collected {
            let Some(pop) = self.pop_ids.get(i).copied().flatten() else {
                continue;
            };
            let graded = self.graded_pops.get(i).copied().unwrap_or(false);
            events.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
            let odd = events
                .iter()
                .find(|e| !graded && (e.2.fract() != 0.0 || e.2.abs() > 1e9));
            if let Some(e) = odd {
                self.report(
                    Diagnostic::error(
                        "SYN0312",
                        format!(
                            "an event of value {} at step {}: `{}` carries whole numbers",
                            e.2, e.0, self.pops[i].name
                        ),
                    )
                    .label(self.pops[i].span, "declared here")
                    .hint("declare it as `signal` to carry reals"),
                );
                continue;
            }
            let bits = |v: f32| if graded { v.to_bits() } else { v as i32 as u32 };
            out.push(Feed {
                pop,
                events: events
                    .into_iter()
                    .map(|(t, u, v)| (t, u, bits(v)))
                    .collect(),
            });
        }
        out.sort_by_key(|f| f.pop);
        out
    }
}
