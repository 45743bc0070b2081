//! Synapses that learn: the `synapse` of a connect, `modulate`, and states of synapses to record.
//!
//! Comes in: the statements, with populations and links made. Goes out: synapse models, one for each rule and kind of ends, and what each
//! plastic projection holds. Values of modulators may come through ports of parts, which are followed to the populations.

use super::Resolver;
use super::connect::{End, Side};
use super::declare::Later;
use super::files::ItemId;
use super::scope::ScopeId;
use super::value::{Node, Value};
use crate::model::{self, SynapseContext};
use crate::syntax::tree::{Arg, Direction, Dyn, ExprKind, Field, Item, Modulate, Name};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostic, Diagnostics, Span};
use synfire_ir::network::{Modulation, Plasticity, PopId, Probe, ProjId, Quantity};
use synfire_ir::program::{Carry, Range};
use synfire_ir::units::Dimension;

/// Most ports that values of a modulator lead through.
const MAX_PORTS_DEEP: usize = 256;

/// The `synapse` of a connect: the model, and values of its parameters.
#[derive(Clone)]
pub(super) struct Learning {
    pub item: ItemId,
    values: Vec<(String, f64, Dimension, Span)>,
    /// Does the connect give weights?
    pub weights: bool,
    /// Steps of the delay that lie after the synapse.
    pub dendritic: u16,
    span: Span,
}

/// A projection that learns.
#[derive(Clone, Copy)]
pub(super) struct Learner {
    pub edge: ProjId,
    pub target: PopId,
}

/// Models made so far: of (item, source's model, target's model, port).
pub(super) type Made = BTreeMap<(ItemId, Option<u32>, u32, u16), Option<u32>>;

/// A `modulate`, understood on both sides.
struct Route {
    source: End,
    range: Range,
    carry: Carry,
    dimension: Dimension,
    name: String,
    span: Span,
}

impl<'a> Resolver<'a> {
    /// Understands `synapse = Rule(...)`; `weight` is the field that gives the weights.
    pub(super) fn learning_rule(
        &mut self,
        f: &'a Field,
        weight: Option<&Field>,
        scope: ScopeId,
        connect: Span,
    ) -> Option<Learning> {
        let (path, args): (_, &'a [Arg]) = match &f.value.kind {
            ExprKind::Call(c) => (c.path.clone(), &c.args),
            ExprKind::Ref(r) if r.as_path().is_some() => (r.as_path()?, &[]),
            _ => {
                self.report(
                    Diagnostic::error("SYN0104", "a synapse model is wanted here")
                        .label(f.value.span, "not the name of a `synapse`")
                        .hint("write `synapse = Rule`, or `synapse = Rule(parameter = value)`"),
                );
                return None;
            }
        };
        let item = self.find_item(&path, scope, "synapse")?;
        let files = self.files;
        let Some(Item::Synapse(tree)) = files.item(item) else {
            return None;
        };
        let formals: Vec<&str> = tree.params.iter().map(|p| p.name.as_str()).collect();
        let what = format!("`{}`", path.dotted());
        let bound = self.bind(&what, args, &formals, 0, f.value.span)?;
        let mut values = vec![];
        let mut ok = true;
        for (p, e) in tree.params.iter().zip(bound) {
            let Some(e) = e else { continue };
            let value = match self.eval(e, scope) {
                Some(Value::Bool(b)) => Some((f64::from(u8::from(b)), Dimension::NONE)),
                Some(v) => v.number().or_else(|| {
                    self.report(
                        Diagnostic::error(
                            "SYN0104",
                            format!("`{}` is one number for all synapses, not {}", p.name.text, v.describe()),
                        )
                        .label(e.span, v.describe())
                        .hint("a value that differs from synapse to synapse is a state of the synapse"),
                    );
                    None
                }),
                None => None,
            };
            match value {
                Some((x, d)) => values.push((p.name.text.to_string(), x, d, e.span)),
                None => ok = false,
            }
        }
        let starts = tree
            .body
            .iter()
            .any(|s| matches!(s, Dyn::State(v) if v.name.as_str() == "w" && v.value.is_some()));
        if weight.is_none() && !starts {
            self.report(
                Diagnostic::error("SYN0204", "synapses that learn need weights to start from")
                    .label(connect, "without `w`")
                    .hint("give `w = 0.5`, or a distribution: `w ~ uniform(0, 1)`"),
            );
            ok = false;
        }
        ok.then_some(Learning {
            item,
            values,
            weights: weight.is_some(),
            dendritic: 0,
            span: f.value.span,
        })
    }

    /// The synapse model between two populations, and the values of its parameters, checked.
    pub(super) fn plasticity(
        &mut self,
        rule: &Learning,
        (source, target): (usize, usize),
        port: u16,
    ) -> Option<Plasticity> {
        let pre = self.pop_models.get(source).copied().flatten();
        let post = self.pop_models.get(target).copied().flatten()?;
        let model = self.synapse_model(rule.item, pre, post, port)?;
        let mut values = vec![];
        let mut ok = true;
        for (name, x, d, span) in &rule.values {
            let fields = &self.synapses[model as usize].fields;
            let Some(f) = fields.iter().find(|f| &f.name == name) else {
                continue;
            };
            let (wanted, whole) = (f.dimension, f.whole);
            if *d != wanted {
                let what = format!("`{name}` of the synapse");
                self.report(super::eval::wrong_dimension(&what, wanted, *d, *span));
                ok = false;
            } else if whole && x.fract() != 0.0 {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        format!("`{name}` must be a whole number, not {x}"),
                    )
                    .label(*span, "not whole")
                    .hint("write a whole number"),
                );
                ok = false;
            }
            values.push((name.clone(), *x));
        }
        values.sort_by(|a, b| a.0.cmp(&b.0));
        ok.then_some(Plasticity {
            model,
            values,
            weights: rule.weights,
            dendritic: rule.dendritic,
            modulators: vec![],
        })
    }

    fn synapse_model(&mut self, id: ItemId, pre: Option<u32>, post: u32, port: u16) -> Option<u32> {
        let key = (id, pre, post, port);
        if let Some(known) = self.synapses_made.get(&key) {
            return *known;
        }
        let files = self.files;
        let Some(Item::Synapse(tree)) = files.item(id) else {
            return None;
        };
        let name = format!("{}{}", files.units[id.unit].path, tree.name.text);
        let lets = self.numbers_of(id.unit);
        let mut diags = Diagnostics::new();
        let cx = SynapseContext {
            name: &name,
            dt: self.dt,
            lets: &lets,
            pre: pre.and_then(|m| self.models.get(m as usize)),
            post: self.models.get(post as usize)?,
            port,
        };
        let lowered = model::lower_synapse(tree, &cx, &mut diags);
        self.lowering_told(diags, lowered.is_some());
        let index = lowered.map(|m| {
            let same = self.synapses.iter().position(|k| *k == m);
            same.unwrap_or_else(|| {
                self.synapses.push(m);
                self.synapses.len() - 1
            }) as u32
        });
        self.synapses_made.insert(key, index);
        index
    }

    /// Follows every `modulate` from the populations that send to the projections that learn.
    pub(super) fn modulations(&mut self) {
        let mut stmts: Vec<Later<'a, Modulate>> = std::mem::take(&mut self.modulates);
        stmts.sort_by(|a, b| a.order.cmp(&b.order));
        let mut into: BTreeMap<usize, Vec<Route>> = BTreeMap::new();
        let mut ends: Vec<(Route, usize, Option<Name>)> = vec![];
        for s in &stmts {
            let Some(source) = self.resolve_ref(&s.stmt.source, s.scope) else {
                continue;
            };
            let Some(side) = self.source_side(&source, s.scope) else {
                continue;
            };
            let Some(target) = self.resolve_ref(&s.stmt.target, s.scope) else {
                continue;
            };
            let route = route(side, s.stmt.span);
            match &target.value {
                Value::Node(Node::Projection(k)) => ends.push((route, *k, target.member.clone())),
                Value::Node(Node::Port(p, None)) => {
                    if self
                        .port_side(*p, Direction::Out, target.span, s.scope)
                        .is_some()
                    {
                        into.entry(*p).or_default().push(route);
                    }
                }
                other => {
                    let what = format!("{} cannot be modulated", other.describe());
                    self.report(
                        Diagnostic::error("SYN0103", what)
                            .label(target.span, other.describe())
                            .hint("name an input of synapses: `modulate reward -> plastic.reward`, where `connect plastic: ...` has a `synapse`"),
                    );
                }
            }
        }
        for (route, connect, member) in ends {
            let mut sources = vec![];
            if self.sources_of(&route, &into, 0, &mut sources).is_some() {
                self.modulate(&route, connect, member.as_ref(), &sources);
            }
        }
    }

    /// The populations that stand behind a route.
    fn sources_of<'r>(
        &mut self,
        route: &'r Route,
        into: &'r BTreeMap<usize, Vec<Route>>,
        depth: usize,
        out: &mut Vec<&'r Route>,
    ) -> Option<()> {
        let End::Port(p) = route.source else {
            out.push(route);
            return Some(());
        };
        let name = self.ports.get(p).map_or(String::new(), |p| p.name.clone());
        let inner = into.get(&p).map_or(&[][..], |v| v);
        let problem = if inner.is_empty() {
            Some((
                "nothing modulates",
                "write `modulate SOURCE -> PART.PORT` outside the part",
            ))
        } else if depth >= MAX_PORTS_DEEP || out.len() > super::MAX_ITEMS {
            Some((
                "too many ports lead to",
                "put fewer parts within parts, and none in a circle",
            ))
        } else {
            None
        };
        if let Some((what, hint)) = problem {
            self.report(
                Diagnostic::error("SYN0118", format!("{what} port `{name}`"))
                    .label(route.span, "taken from here")
                    .hint(hint),
            );
            return None;
        }
        let whole = |r: Range| r.start == 0 && inner.iter().all(|i| i.range.len == r.len);
        if !whole(route.range) {
            self.report(
                Diagnostic::error(
                    "SYN0311",
                    format!("what modulates port `{name}` has another size than the port"),
                )
                .label(
                    route.span,
                    format!("{} values are taken from here", route.range.len),
                )
                .label(
                    inner[0].span,
                    format!("{} values arrive here", inner[0].range.len),
                )
                .hint("give the port the size of what modulates it"),
            );
            return None;
        }
        for i in inner {
            self.sources_of(i, into, depth + 1, out)?;
        }
        Some(())
    }

    /// Adds the sources to an input of the synapses of a connect.
    fn modulate(&mut self, at: &Route, connect: usize, member: Option<&Name>, from: &[&Route]) {
        let learners = self.learners_of(connect, at.span);
        for l in learners {
            let Some(pr) = self.graph.edge_weight(l.edge) else {
                continue;
            };
            let (targets, name) = (pr.target_range.len, pr.name.clone());
            let Some(x) = &pr.plasticity else { continue };
            let m = &self.synapses[x.model as usize];
            let inputs: Vec<String> = m
                .synapse
                .modulators
                .iter()
                .map(|x| x.name.clone())
                .collect();
            let found = match member {
                Some(n) => inputs.iter().position(|i| i == n.as_str()),
                None if inputs.len() == 1 => Some(0),
                None => None,
            };
            let Some(port) = found else {
                let what = match member {
                    Some(n) => format!("the synapses of `{name}` have no input `{}`", n.text),
                    None => format!(
                        "which input of the synapses of `{name}`? They have {}",
                        inputs.len()
                    ),
                };
                let d = Diagnostic::error("SYN0116", what).label(at.span, "modulated here");
                self.report(match inputs.is_empty() {
                    true => d.hint("declare an `input` in the synapse, and `on NAME(x) { ... }`"),
                    false => d.hint(format!("their inputs are: {}", super::listed(&inputs))),
                });
                return;
            };
            let wanted = m.modulator_dimensions.get(port).copied();
            let wanted = wanted.unwrap_or(Dimension::NONE);
            for r in from {
                if r.dimension != wanted {
                    let what = format!("the input `{}` of `{name}`", inputs[port]);
                    self.report(super::eval::wrong_dimension(
                        &what,
                        wanted,
                        r.dimension,
                        r.span,
                    ));
                    return;
                }
                let each = r.range.len == targets && targets > 1;
                if r.range.len != 1 && !each {
                    let n = r.range.len;
                    self.report(
                        Diagnostic::error("SYN0311", format!("`{}` has {n} values for the {targets} target neurons of `{name}`", r.name))
                            .label(r.span, "modulates from here")
                            .hint("a modulator is one value for all synapses, or one for each target neuron"),
                    );
                    return;
                }
                let End::Pop(pop) = r.source else { continue };
                let Some(pop) = self.pop_ids.get(pop).copied().flatten() else {
                    continue;
                };
                let modulation = Modulation {
                    port: port as u16,
                    pop,
                    range: r.range,
                    carry: r.carry,
                    each,
                };
                if let Some(x) = self.graph.edge_weight_mut(l.edge) {
                    x.plasticity
                        .iter_mut()
                        .for_each(|x| x.modulators.push(modulation.clone()));
                }
            }
        }
    }

    /// The plastic projections of a connect; reports when it has none.
    fn learners_of(&mut self, connect: usize, at: Span) -> Vec<Learner> {
        let found = self.learners.get(&connect).cloned().unwrap_or_default();
        if found.is_empty() && !self.diagnostics.has_errors() {
            let name = self.connect_names.get(connect).cloned().unwrap_or_default();
            self.report(
                Diagnostic::error("SYN0116", format!("the synapses of `{name}` do not learn"))
                    .label(at, "taken as plastic here")
                    .hint("give it a `synapse`: `{ synapse = Rule(...), w = ... }`"),
            );
        }
        found
    }

    /// Probes of a state of the synapses of a connect.
    pub(super) fn learned(
        &mut self,
        connect: usize,
        member: Option<&Name>,
        at: Span,
    ) -> Vec<Probe> {
        let mut out = vec![];
        for l in self.learners_of(connect, at) {
            let Some(pr) = self.graph.edge_weight(l.edge) else {
                continue;
            };
            let Some(x) = &pr.plasticity else { continue };
            let states = &self.synapses[x.model as usize].synapse.states;
            let wanted = member.map_or("w", |m| m.as_str());
            if !states.iter().any(|s| s.name == wanted) {
                let known: Vec<String> = states.iter().map(|s| s.name.clone()).collect();
                let what = format!("the synapses of `{}` have no state `{wanted}`", pr.name);
                self.report(
                    Diagnostic::error("SYN0116", what)
                        .label(at, "no such state")
                        .hint(format!("they have: {}", super::listed(&known))),
                );
                return out;
            }
            out.push(Probe {
                pop: l.target,
                range: pr.target_range,
                what: Quantity::Synapse(pr.name.clone(), wanted.into()),
                every: 1,
            });
        }
        out
    }
}

fn route(side: Side, span: Span) -> Route {
    Route {
        source: side.end,
        range: side.view.range,
        carry: side.carry,
        dimension: side.dimension,
        name: side.name,
        span,
    }
}

/// A factor at a port would scale the weights that a rule bounds.
pub(super) fn scaled_rule(rule: &Learning, outer: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0311",
        "a projection that learns cannot be scaled or chained at a port of a part",
    )
    .label(rule.span, "learns by this")
    .label(outer, "and has weights or another rule here")
    .hint("connect one side by `one_to_one` without weight")
}
