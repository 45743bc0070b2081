//! A `synapse` block: from its text to a [`SynapseModel`].
//!
//! Comes in: the tree, and what the synapse stands between: the models of both ends and the port that it feeds. Goes out: blocks for
//! arrivals, spikes of the target, modulators and intervals, split by where the states live that they store. Equations must be
//! exponential decays, since a synapse is touched at events only.

use super::declare::{Declarations, MAX_STATES, declare_synapse};
use super::elaborate::{Bound, Elaborator, Typed};
use super::graph::{Id, Node};
use super::join::assemble;
use super::linear::linear_in;
use super::report;
use super::statements::Step;
use super::types::Type;
use super::{ModelContext, Quantity};
use crate::syntax::tree::{self, Segment};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostics, Severity, Span};
use synfire_ir::model::{Ty, Width};
use synfire_ir::network::{NeuronModel, SynapseModel};
use synfire_ir::synapse::{Seen, View};
use synfire_ir::units::Dimension;

/// What a synapse needs to know of its surroundings.
#[derive(Clone, Debug)]
pub struct SynapseContext<'a> {
    /// Full name, e.g. `std.synapses.Stdp`.
    pub name: &'a str,
    /// Seconds a step.
    pub dt: Option<f64>,
    /// Values of the file's own `let`s, by name.
    pub lets: &'a BTreeMap<String, Quantity>,
    /// Model of the source; `None` for one that is driven from outside.
    pub pre: Option<&'a NeuronModel>,
    /// Model of the target.
    pub post: &'a NeuronModel,
    /// Port of the target that the synapse feeds.
    pub port: u16,
}

/// What a synapse stands between.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    pre: Option<&'a NeuronModel>,
    post: &'a NeuronModel,
    /// Type of what `emit` takes.
    pub delivers: Type,
}

/// Lowers a `synapse` block. Pushes everything that is wrong; `None` when it pushed an error.
///
/// Errors: SYN0120 to SYN0139 (names, types, form) and SYN0220 to SYN0225 (units).
pub fn lower_synapse(
    synapse: &tree::Model,
    cx: &SynapseContext,
    diags: &mut Diagnostics,
) -> Option<SynapseModel> {
    let mut own = Diagnostics::new();
    let model = lower(synapse, cx, &mut own);
    let failed = own.0.iter().any(|d| d.severity == Severity::Error);
    diags.extend(own);
    model.filter(|_| !failed)
}

fn lower(
    synapse: &tree::Model,
    cx: &SynapseContext,
    diags: &mut Diagnostics,
) -> Option<SynapseModel> {
    let port = cx.post.model.ports.get(cx.port as usize)?;
    let arriving = cx.post.port_dimensions.get(cx.port as usize);
    let arriving = arriving.copied().unwrap_or(Dimension::NONE);
    let decls = declare_synapse(synapse, arriving, diags);
    if decls.states.len() > MAX_STATES {
        return None;
    }
    the_weight(synapse, &decls, diags);
    let unit = ModelContext {
        name: cx.name,
        dt: cx.dt,
        lets: cx.lets,
    };
    let mut e = Elaborator::new(&decls, &unit, diags);
    e.ends = Some(Ends {
        pre: cx.pre,
        post: cx.post,
        delivers: match port.ty {
            Ty::F32 => Type::Real(arriving),
            _ => Type::I32,
        },
    });
    let parts = e.synapse_parts();
    if e.graph.full() || decls.states.len() + e.views.len() > MAX_STATES {
        let what = "the synapse has too many states, or too many or too deeply nested expressions";
        e.diags.push(report::too_large(synapse.span, what.into()));
    }
    if e.diags.has_errors() {
        return None;
    }
    assemble(synapse, &mut e, parts, port.ty)
}

/// A synapse has a state `w`.
fn the_weight(synapse: &tree::Model, decls: &Declarations, diags: &mut Diagnostics) {
    let found = decls.states.first().map(|s| s.tree.name.as_str());
    if found != Some("w") {
        let what = format!(
            "synapse `{}` has no state `w`, its weight",
            synapse.name.text
        );
        let hint = "declare `state w: weight` (what the port takes) or `state w: real`";
        diags.push(report::not_here(synapse.name.span, what, hint));
    }
}

/// A synapse as nodes and statements.
pub(super) struct Parts {
    pub defaults: Vec<Option<Id>>,
    pub starts: Vec<Id>,
    /// (state, logarithm of what is left after a step, rest).
    pub decays: Vec<(u16, Id, Id, Span)>,
    pub pre: Vec<Step>,
    pub post: Vec<Step>,
    /// One for each modulator.
    pub modulators: Vec<Vec<Step>>,
    /// Period in steps, and what to do.
    pub every: Vec<(Id, Vec<Step>, Span)>,
}

impl Elaborator<'_, '_> {
    fn synapse_parts(&mut self) -> Parts {
        let decls = self.decls;
        let defaults = (0..decls.fields.len()).map(|i| self.default(i)).collect();
        self.visible_fields = u16::MAX;
        self.check_lets();
        let starts = (0..decls.states.len())
            .map(|i| self.start(decls.states[i].tree, i as u16))
            .collect();
        let decays = self.decays();
        let mut blocks = |list: &[&tree::On]| -> Vec<Step> {
            list.iter().flat_map(|o| self.block(&o.block)).collect()
        };
        let pre = blocks(&decls.on_pre);
        let post = blocks(&decls.on_post);
        let modulators = (0..decls.ports.len())
            .map(|k| self.modulator(k as u16))
            .collect();
        let every = (decls.on_every.iter())
            .filter_map(|o| {
                let steps = self.block(&o.block);
                Some((self.period(o)?, steps, o.span))
            })
            .collect();
        Parts {
            defaults,
            starts,
            decays,
            pre,
            post,
            modulators,
            every,
        }
    }

    /// Equations as decays: `x' = a * x + b` with `a` and `b` known before the run.
    fn decays(&mut self) -> Vec<(u16, Id, Id, Span)> {
        let equations = self.equations();
        let mut out = vec![];
        for e in equations {
            let ode = self.decls.odes.iter().find(|o| {
                let state = &self.decls.states[e.state as usize];
                state.tree.name.text == o.name.text
            });
            let span = ode.map_or(Span::default(), |o| o.span);
            let split = linear_in(&mut self.graph, e.rate, e.state);
            let g = &mut self.graph;
            let known = split.filter(|(a, b)| {
                let decays = g.real_const(*a).is_none_or(|a| a < 0.0);
                g.uniform(*a) && g.uniform(*b) && decays
            });
            let Some((a, b)) = known else {
                let what = "between events a state of a synapse can only fall exponentially towards a rest".to_string();
                let hint = "write `x' = -x / tau` or `x' = (rest - x) / tau` with parameters, and everything else in `on pre`, `on post` or `on every(n)`";
                self.diags.push(report::not_here(span, what, hint));
                continue;
            };
            let dt = g.dt();
            let left = g.mul(a, dt);
            let rest = match g.real_const(b) {
                Some(0.0) => b,
                _ => {
                    let ratio = g.div(b, a);
                    g.neg(ratio)
                }
            };
            out.push((e.state, left, rest, span));
        }
        out
    }

    fn modulator(&mut self, k: u16) -> Vec<Step> {
        let decls = self.decls;
        let port = &decls.ports[k as usize];
        let name = port.tree.name.as_str();
        let mut steps = vec![];
        if let Some(on) = port.handler {
            let arg = on.arg.as_ref().and_then(|a| match &a.kind {
                tree::ExprKind::Ref(r) => r.as_name(),
                _ => None,
            });
            let Some(arg) = arg else {
                let hint = "name the value: `on reward(r) { ... }`";
                let d = report::not_here(on.event.span, "a name is wanted here".into(), hint);
                self.diags.push(d);
                return steps;
            };
            let word = self.graph.push(Node::Arg(k), decls.port_ty(k));
            let value = self.arrived(k, word, true, arg.span);
            self.scope.push(Bound {
                name: arg.text.to_string(),
                id: value.id,
                local: None,
                ty: value.ty,
                span: arg.span,
            });
            steps.extend(self.block(&on.block));
            self.scope.pop();
        }
        for on in decls.on_input.iter().filter(|o| o.event.as_str() == name) {
            steps.extend(self.block(&on.block));
        }
        steps
    }

    /// Steps between two runs of `on every`.
    fn period(&mut self, on: &tree::On) -> Option<Id> {
        let Some(arg) = &on.arg else {
            return Some(self.graph.word(1, Ty::I32));
        };
        let t = self.expr(arg);
        let steps = match t.ty {
            Type::Unknown => return None,
            Type::Real(Dimension::TIME) => {
                let dt = self.graph.dt();
                let ratio = self.graph.div(t.id, dt);
                self.graph.round(ratio)
            }
            Type::Real(d) if d.is_none() => self.graph.round(t.id),
            Type::I32 => t.id,
            ty => {
                let d = report::wrong_kind(t.span, "a time or a number of steps", ty);
                self.diags.push(d);
                return None;
            }
        };
        Some(self.known(steps, t.span, "the interval of `on every`"))
    }

    /// What `emit` sends, checked against the port that the synapse feeds.
    pub fn delivered(&mut self, t: Typed, wanted: Type) -> Option<Step> {
        if t.ty == Type::Unknown {
            return None;
        }
        let place = Typed {
            id: 0,
            ty: wanted,
            span: t.span,
        };
        let same = t.ty == wanted || matches!((t.ty, wanted), (Type::U32, Type::I32));
        if !same {
            let hint = match (t.ty, wanted) {
                (Type::Real(_), Type::Real(_)) => {
                    "declare the weight as `state w: weight`: it then has the dimension of the port, whatever it is"
                }
                (_, Type::Real(_)) => {
                    "a synapse that feeds real numbers declares its weight as `state w: weight`"
                }
                _ => {
                    "the port takes whole numbers: declare a state of a fixed width, such as `state w: i16`"
                }
            };
            let what = format!(
                "the synapse delivers {}, its port takes {}",
                report::kind(t.ty),
                report::kind(wanted)
            );
            self.diags.push(report::not_here(t.span, what, hint));
            return None;
        }
        self.fits(place, t, "emit").map(Step::Emit)
    }

    /// `pre.NAME` and `post.NAME`.
    pub fn end_member(&mut self, r: &tree::Ref) -> Typed {
        let Some(ends) = self.ends else {
            return self.unknown(r.span);
        };
        let (side, name) = match (r.head.as_str(), &r.tail[..]) {
            (side @ ("pre" | "post"), [Segment::Name(n)]) => (side, n),
            _ => {
                let what = format!("`{}` is no variable of a synapse", r.head.text);
                let hint = "a synapse reads its own variables, `pre.NAME` and `post.NAME`";
                let d = report::not_here(r.span, what, hint);
                return self.fail(r.span, d);
            }
        };
        let model = if side == "pre" {
            ends.pre
        } else {
            Some(ends.post)
        };
        let Some(model) = model else {
            let what = "the source is driven from outside and has no variables".to_string();
            let hint = "keep a trace in the synapse: `state x: real = 0`, `on pre { x += 1 }`";
            let d = report::not_here(r.span, what, hint);
            return self.fail(r.span, d);
        };
        let outputs = model.model.outputs.iter();
        let output = outputs.clone().find(|o| o.name == name.as_str());
        let state = model.model.state(name.as_str());
        let Some(k) = state.or(output.map(|o| o.state)) else {
            let states = model.model.states.iter().map(|s| s.name.as_str());
            let known: Vec<&str> = states
                .filter(|n| !n.starts_with('_'))
                .chain(outputs.map(|o| o.name.as_str()))
                .collect();
            let d = report::unknown_name(name.span, name.as_str(), &known);
            return self.fail(r.span, d);
        };
        let dimension = model.state_dimensions.get(k as usize).copied();
        let ty = match model.model.states[k as usize].width {
            Width::F32 if !self.decls.fixed => Type::Real(dimension.unwrap_or(Dimension::NONE)),
            Width::Bool => Type::Bool,
            Width::F32 => {
                let d = report::other_arithmetic(
                    r.span,
                    "a real variable of a neuron",
                    true,
                    "let the neuron keep what the synapse reads as `bool` or a fixed width",
                );
                return self.fail(r.span, d);
            }
            w if self.decls.fixed && w == Width::U32 => Type::U32,
            _ if self.decls.fixed => Type::I32,
            _ => {
                let d = report::other_arithmetic(
                    r.span,
                    "an integer variable of a neuron",
                    false,
                    "let the neuron keep what the synapse reads as `real` or `bool`",
                );
                return self.fail(r.span, d);
            }
        };
        let seen = if side == "pre" {
            Seen::Source(k)
        } else {
            Seen::Target(k)
        };
        self.view(format!("{side}.{}", name.text), ty, seen, r.span)
    }

    /// `total(w)`: the sum over the synapses of the target.
    pub fn total(&mut self, c: &tree::Call) -> Typed {
        let state = match &c.args[..] {
            [one] => match &one.value.kind {
                tree::ExprKind::Ref(r) => r.as_name(),
                _ => None,
            },
            _ => None,
        };
        let names = self.decls.states.iter().map(|s| s.tree.name.as_str());
        let found = state.and_then(|n| names.clone().position(|s| s == n.as_str()));
        let ty = found.map(|k| self.decls.state_type(k as u16));
        match (found, ty) {
            (Some(k), Some(ty @ (Type::Real(_) | Type::I32 | Type::U32))) => {
                let name = format!("total({})", self.decls.states[k].tree.name.text);
                self.view(name, ty, Seen::Total(k as u16), c.span)
            }
            _ => {
                let what = "`total` takes a state of the synapse that is a number".to_string();
                let hint = "as in `w *= target / total(w)`: the sum over all synapses of the target neuron";
                let d = report::function(c.span, what, hint.into());
                self.fail(c.span, d)
            }
        }
    }

    fn view(&mut self, name: String, ty: Type, seen: Seen, span: Span) -> Typed {
        let known = self.views.iter().position(|v| v.seen == seen);
        let k = known.unwrap_or_else(|| {
            let ty = ty.ty();
            self.views.push(View { name, ty, seen });
            self.views.len() - 1
        });
        // Past the limit of states the model is refused.
        let index = (self.decls.states.len() + k).min(63) as u16;
        let id = self.graph.push(Node::State(index), ty.ty());
        Typed { id, ty, span }
    }
}
