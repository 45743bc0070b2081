//! The whole way from the files to a network.

use super::connect::Link;
use super::declare::{Body, Declared, missing};
use super::files::Override;
use super::quantity::show;
use super::scope::{Bound, LetState, ScopeId};
use super::synapses::Learner;
use super::value::{Text, Value};
use super::{End, LoadOptions, Resolver, Unique, listed, near};
use crate::syntax::tree::{Experiment, Item, Structure};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use synfire_ir::diag::Diagnostic;
use synfire_ir::network::{Network, Projection};
use synfire_ir::units::Dimension;

impl<'a> Resolver<'a> {
    /// The chosen network; `None` when it could not be made. Errors are among the diagnostics.
    pub(super) fn network(&mut self, options: &LoadOptions) -> Option<Network> {
        self.experiments_name_networks();
        let named = match &options.experiment {
            Some(name) => Some(self.named_experiment(name)?),
            None => None,
        };
        let network = named.map_or(options.network.as_deref(), |e| Some(e.network.as_str()));
        let net = self.choose(network)?;
        let scope = self.new_scope(Some(0), 0, "".into(), "".into(), 0);
        let experiment = named.or_else(|| self.only_experiment(net.name.as_str()));
        self.network_parameters(net, experiment, scope);
        self.declare_all(Body {
            stmts: &net.body,
            scope,
            order: vec![],
            top: true,
        });
        let step = self.step_length();
        let seed = self.seed_value();
        self.models_of_populations();
        self.populations();
        self.step_needed(net, step);
        let mut feeds = BTreeMap::new();
        self.spike_lists(&mut feeds);
        let links = self.links();
        let links = self.without_ports(links);
        self.edges(links);
        self.modulations();
        let mut probes = self.probes();
        let hints = self.all_hints();
        let how = (options.results.clone(), named.is_some());
        let run =
            experiment.and_then(|e| self.follow_experiment(e, scope, how, &mut feeds, &mut probes));
        let feeds = self.feeds(feeds);
        self.evaluate_the_rest();
        Some(Network {
            name: net.name.text.to_string(),
            dt: self.dt,
            seed,
            run,
            models: std::mem::take(&mut self.models),
            synapses: std::mem::take(&mut self.synapses),
            arrays: std::mem::take(&mut self.arrays),
            graph: std::mem::take(&mut self.graph),
            probes,
            feeds,
            hints,
        })
    }

    /// The network named, or the file's only one.
    fn choose(&mut self, wanted: Option<&str>) -> Option<&'a Structure> {
        let files = self.files;
        let all: Vec<&'a Structure> = files.units[0]
            .tree
            .items
            .iter()
            .filter_map(|i| {
                if let Item::Network(n) = i {
                    Some(n)
                } else {
                    None
                }
            })
            .collect();
        let names: Vec<&str> = all.iter().map(|n| n.name.as_str()).collect();
        let found = match wanted {
            Some(w) => all.iter().find(|n| n.name.as_str() == w).copied(),
            None if all.len() == 1 => all.first().copied(),
            None => None,
        };
        if found.is_some() {
            return found;
        }
        let name = &files.units[0].name;
        let d = match (wanted, names.is_empty()) {
            (_, true) if !files.whole => return None,
            (_, true) => Diagnostic::error("SYN0108", format!("`{name}` declares no network"))
                .hint("write `network Name { ... }`"),
            (Some(w), _) => {
                let d = Diagnostic::error("SYN0108", format!("`{name}` has no network `{w}`"));
                match near(w, names.iter().copied()) {
                    Some(n) => d.hint(format!("did you mean `{n}`?")),
                    None => d.hint(format!("its networks are: {}", listed(&names))),
                }
            }
            (None, _) => Diagnostic::error(
                "SYN0108",
                format!("`{name}` has {} networks; which one?", names.len()),
            )
            .hint(format!("name one of: {}", listed(&names))),
        };
        let d = match all.first() {
            Some(n) => d.label(n.name.span, "the first network"),
            None => d.at(name.clone()),
        };
        self.report(d);
        None
    }

    /// Binds the network's parameters: the caller's values first, then the experiment's, then the defaults.
    fn network_parameters(
        &mut self,
        net: &'a Structure,
        experiment: Option<&'a Experiment>,
        scope: ScopeId,
    ) {
        let files = self.files;
        let what = format!("network `{}`", net.name.text);
        let formals: Vec<&str> = net.params.iter().map(|p| p.name.as_str()).collect();
        let mut seen = BTreeSet::new();
        for o in &files.overrides {
            if !seen.insert(o.name.clone()) {
                self.report(
                    Diagnostic::error("SYN0108", format!("`{}` is set twice", o.name))
                        .at("--set")
                        .hint("set each parameter once"),
                );
            }
            if !formals.contains(&o.name.as_str()) {
                let d =
                    Diagnostic::error("SYN0108", format!("{what} has no parameter `{}`", o.name))
                        .at("--set");
                let d = match near(&o.name, formals.iter().copied()) {
                    Some(n) => d.hint(format!("did you mean `{n}`?")),
                    None if formals.is_empty() => d.hint("it has no parameters"),
                    None => d.hint(format!("its parameters are: {}", listed(&formals))),
                };
                self.report(d);
            }
        }
        let args = experiment.map_or(&[][..], |e| &e.args);
        let at = experiment.map_or(net.name.span, |e| e.span);
        let given = self.bind(&what, args, &formals, 0, at);
        for (i, p) in net.params.iter().enumerate() {
            let set = files.overrides.iter().find(|o| o.name == p.name.as_str());
            let argument = given.as_ref().and_then(|g| g.get(i).copied().flatten());
            let bound = match (set, argument.or(p.default.as_ref())) {
                (Some(o), _) => self.overridden(o, p, scope),
                (None, Some(e)) => {
                    let from = if argument.is_some() { 0 } else { scope };
                    self.parameter(p, e, from, scope)
                }
                (None, None) => {
                    let d = missing(&what, p, net.name.span)
                        .hint(format!("or `--set {}=...`", p.name.text));
                    self.report(d);
                    Bound::Failed
                }
            };
            self.declare(scope, &p.name, bound);
        }
    }

    /// A parameter set by the caller. A path needs no quotes.
    fn overridden(
        &mut self,
        o: &'a Override,
        p: &'a crate::syntax::tree::Param,
        scope: ScopeId,
    ) -> Bound {
        let raw = o.raw.trim();
        if p.ty.name.as_str() == "path" && !raw.starts_with('"') {
            return Bound::Value(Arc::new(Value::Text(Text {
                text: raw.into(),
                unit: 0,
            })));
        }
        let files = self.files;
        for d in &o.errors.0 {
            self.report(d.clone());
        }
        match (&files.units[o.unit].tree.items[..], o.errors.has_errors()) {
            ([Item::Let(l)], false) => self.parameter(p, &l.value, 0, scope),
            _ => Bound::Failed,
        }
    }

    /// The step; `Err` when one was given and is wrong.
    fn step_length(&mut self) -> Result<(), ()> {
        let Some((s, scope)) = self.step else {
            return Ok(());
        };
        let dt = self
            .quantity(&s.value, scope, Dimension::TIME, "`step`")
            .ok_or(())?;
        if dt > 0.0 {
            self.dt = Some(dt);
            return Ok(());
        }
        self.report(
            Diagnostic::error(
                "SYN0109",
                format!("a step of {}", show(dt, Dimension::TIME)),
            )
            .label(s.value.span, "not positive")
            .hint("write `step 1 ms`"),
        );
        Err(())
    }

    fn seed_value(&mut self) -> Option<u64> {
        let (s, scope) = self.seed?;
        let v = self.eval(&s.value, scope)?;
        let seed = v.whole().and_then(|n| u64::try_from(n).ok());
        if seed.is_none() {
            self.report(
                Diagnostic::error(
                    "SYN0104",
                    format!(
                        "a seed is a whole number from 0 to {}, not {}",
                        u64::MAX,
                        v.describe()
                    ),
                )
                .label(s.value.span, v.describe())
                .hint("write `seed 42`"),
            );
        }
        seed
    }

    /// Finds and lowers the model of every population.
    fn models_of_populations(&mut self) {
        for i in 0..self.pops.len() {
            let driven = match self.pops[i].declared {
                Declared::Source(s) => super::populations::driven_kind(s),
                Declared::Pop(_) => None,
            };
            self.driven_pops.push(driven.is_some());
            self.graded_pops.push(driven == Some("signal"));
            let model = if driven.is_some() {
                None
            } else {
                self.pop_model(i)
            };
            self.pop_models.push(model);
        }
    }

    /// Without a step, all models must be integer: then a step has no duration.
    fn step_needed(&mut self, net: &'a Structure, step: Result<(), ()>) {
        let needs = self.model_failed || self.models.iter().any(|m| !m.integer);
        if self.step.is_some() || step.is_err() || !needs || !self.files.whole {
            return;
        }
        let first = self
            .pops
            .iter()
            .find(|p| matches!(p.declared, Declared::Pop(_)))
            .map(|p| p.span);
        let d = Diagnostic::error(
            "SYN0109",
            format!(
                "network `{}` does not say how long a step is",
                net.name.text
            ),
        )
        .label(net.name.span, "without `step`");
        let d = match first {
            Some(at) => d.label(at, "its model works in time"),
            None => d,
        };
        self.report(d.hint("write `step 1 ms` (or `0.1 ms`) in the network; only a chip's own integer models do without"));
    }

    fn edges(&mut self, links: Vec<Link>) {
        let mut names = Unique::default();
        for l in links {
            let (End::Pop(a), End::Pop(b)) = (l.source, l.target) else {
                continue;
            };
            let ends = (a, b);
            let ids = (
                self.pop_ids.get(a).copied().flatten(),
                self.pop_ids.get(b).copied().flatten(),
            );
            let (Some(a), Some(b)) = ids else { continue };
            let name = names.unique(&l.name);
            let plasticity = match &l.rule {
                None => None,
                Some(r) => match self.plasticity(r, ends, l.port) {
                    Some(p) => Some(p),
                    None => continue,
                },
            };
            let learns = plasticity.is_some();
            let edge = self.graph.add_edge(
                a,
                b,
                Projection {
                    name,
                    source_range: l.source_range,
                    target_range: l.target_range,
                    port: l.port,
                    carry: l.carry,
                    stages: l.stages,
                    delay: l.delay,
                    bias: l.bias,
                    trainable: l.trainable,
                    plasticity,
                    span: Some(l.span),
                },
            );
            if learns {
                let learners = self.learners.entry(l.connect).or_default();
                learners.push(Learner { edge, target: b });
            }
        }
    }

    /// Looks at constants that nothing used, so that their errors show too; those inside loops are too many.
    fn evaluate_the_rest(&mut self) {
        for i in 0..self.lets.len() {
            let in_loop = self.scopes[self.lets[i].scope].round.is_some();
            if matches!(self.lets[i].state, LetState::New) && !in_loop {
                let at = self.lets[i].span;
                self.bound_value(&Bound::Let(i), at);
            }
            if self.fuel == 0 {
                return;
            }
        }
    }
}
