//! A `synapse` block: from its text to a [`SynapseModel`].
//!
//! Comes in: the tree, and what the synapse stands between: the models of both ends and the port that it feeds. Goes out: blocks for
//! arrivals, spikes of the target, modulators and intervals, split by where the states live that they store. Equations must be
//! exponential decays, since a synapse is touched at events only.

use super::assemble::{
    declared_states, dimension, fields, on_host, reads_dt, report_host, shared, starts,
};
use super::code::{Shared, Writer};
use super::declare::{Declarations, MAX_STATES, declare_synapse};
use super::elaborate::{Bound, Elaborator, Typed};
use super::graph::{Id, Node};
use super::linear::linear_in;
use super::places::{Cause, places};
use super::report;
use super::statements::Step;
use super::types::Type;
use super::{ModelContext, Quantity};
use crate::syntax::tree::{self, Segment};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostics, Severity, Span};
use synfire_ir::model::{Block, Op, Ty, Width};
use synfire_ir::network::{HostExpr, NeuronModel, SynapseModel};
use synfire_ir::synapse::{Action, Cell, Decay, Every, Modulator, Place, Seen, Synapse, View};
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
struct Parts {
    defaults: Vec<Option<Id>>,
    starts: Vec<Id>,
    /// (state, logarithm of what is left after a step, rest).
    decays: Vec<(u16, Id, Id, Span)>,
    pre: Vec<Step>,
    post: Vec<Step>,
    /// One for each modulator.
    modulators: Vec<Vec<Step>>,
    /// Period in steps, and what to do.
    every: Vec<(Id, Vec<Step>, Span)>,
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

/// Blocks as they were written, before they are split.
struct Blocks {
    pre: Block,
    post: Block,
    modulators: Vec<Block>,
    every: Vec<Block>,
}

fn assemble(
    synapse: &tree::Model,
    e: &mut Elaborator,
    parts: Parts,
    port: Ty,
) -> Option<SynapseModel> {
    let decls = e.decls;
    let mut states = declared_states(decls);
    let declared = states.len();
    states.extend(e.views.iter().map(|v| {
        let width = match v.ty {
            Ty::F32 => Width::F32,
            Ty::I32 => Width::I32,
            Ty::U32 => Width::U32,
            Ty::Bool => Width::Bool,
        };
        (v.name.clone(), width, Dimension::NONE)
    }));
    let mut shared = shared(decls, &states);
    shared.float_payload = port == Ty::F32;
    let mut write = |steps: &[Step]| {
        let mut w = Writer::new(&mut e.graph, &mut shared);
        w.run(steps);
        w.finish()
    };
    let mut blocks = Blocks {
        pre: write(&parts.pre),
        post: write(&parts.post),
        modulators: parts.modulators.iter().map(|s| write(s)).collect(),
        every: parts.every.iter().map(|x| write(&x.1)).collect(),
    };
    if blocks.pre.emit.is_none() {
        let weight = e.graph.push(Node::State(0), states[0].1.ty());
        let mut steps = parts.pre.clone();
        let plain = Typed {
            id: weight,
            ty: decls.state_type(0),
            span: synapse.name.span,
        };
        let wanted = e.ends.map_or(Type::PLAIN, |x| x.delivers);
        steps.extend(e.delivered(plain, wanted));
        let mut w = Writer::new(&mut e.graph, &mut shared);
        w.run(&steps);
        blocks.pre = w.finish();
    }
    if shared.too_large || e.graph.full() {
        let what = "the synapse's code is too long, or takes too long to unroll";
        e.diags.push(report::too_large(synapse.span, what.into()));
        return None;
    }
    early(e, &blocks, declared);
    let fields = fields(e, &parts.defaults)?;
    let init = starts(e, &parts.starts, declared)?;
    let mut decays = vec![];
    for (state, left, rest, span) in &parts.decays {
        decays.push((*state, on_host(e, *left, *span)?, on_host(e, *rest, *span)?));
    }
    decays.sort_by_key(|d| d.0);
    let mut periods = vec![];
    for (period, _, span) in &parts.every {
        periods.push(on_host(e, *period, *span)?);
    }
    if let Some(why) = shared.refused {
        report_host(e, why, synapse.span);
        return None;
    }
    let timed = {
        let host = (shared.columns.iter()).chain(&init).chain(&periods);
        let mut host = host.chain(decays.iter().flat_map(|d| [&d.1, &d.2]));
        host.any(reads_dt)
    };
    if e.cx.dt.is_none() && timed {
        let d = report::no_step(synapse.name.span, e.cx.name);
        e.diags.push(d);
        return None;
    }
    let model = together(e, &blocks, &states[..declared], &decays, &mut shared);
    let arriving = decls.ports.iter().map(|p| dimension(decls, p.declared));
    Some(SynapseModel {
        synapse: model,
        fields,
        columns: shared.columns,
        init,
        decays: decays.into_iter().map(|d| (d.1, d.2)).collect(),
        periods,
        state_dimensions: states[..declared].iter().map(|s| s.2).collect(),
        modulator_dimensions: arriving.collect(),
        integer: decls.fixed,
        doc: (synapse.doc.as_ref()).map_or(String::new(), |d| d.text.clone()),
    })
}

/// What is delivered in stage 1 of a step knows nothing of what units and modulators do in that step; sums are formed at
/// intervals only; `emit` belongs to `on pre`.
fn early(e: &mut Elaborator, blocks: &Blocks, states: usize) {
    let decls = e.decls;
    let pre = decls.on_pre.first().map_or(Span::default(), |o| o.span);
    let sent = blocks.pre.part(|_| false, true);
    let later = |i: &synfire_ir::model::Inst| match i.op {
        Op::Port(_) | Op::Arg => true,
        Op::State(k) => k as usize >= states,
        _ => false,
    };
    if sent.insts.iter().any(later) {
        let what = "what `emit` sends cannot depend on `pre`, `post` or an input".to_string();
        let hint = "it is delivered before the units of the step run; keep what it needs in a state, which `on post`, `on INPUT(x)` or `on every(n)` sets";
        e.diags.push(report::not_here(pre, what, hint));
    }
    let sum = |b: &Block| {
        b.insts.iter().any(|i| match i.op {
            Op::State(k) => (k as usize)
                .checked_sub(states)
                .is_some_and(|v| matches!(e.views[v].seen, Seen::Total(_))),
            _ => false,
        })
    };
    let at_events = [&blocks.pre, &blocks.post].into_iter();
    if at_events.chain(&blocks.modulators).any(sum) {
        let what = "`total` is known in `on every(n)` only".to_string();
        let hint = "sums over all synapses of a neuron are formed at intervals: `on every(100 ms) { ... }`";
        let at = decls.on_post.first().map_or(pre, |o| o.span);
        e.diags.push(report::not_here(at, what, hint));
    }
    let others = [&blocks.post].into_iter().chain(&blocks.modulators);
    if others.chain(&blocks.every).any(|b| b.emit.is_some()) {
        let what =
            "`emit` belongs to `on pre`: a synapse delivers when something arrives".to_string();
        let hint = "change a state here, which `on pre { emit ... }` reads";
        let at = decls.on_post.first().map_or(pre, |o| o.span);
        e.diags.push(report::not_here(at, what, hint));
    }
}

/// Splits the blocks by the places of the states.
fn together(
    e: &Elaborator,
    blocks: &Blocks,
    states: &[(String, Width, Dimension)],
    decays: &[(u16, HostExpr, HostExpr)],
    shared: &mut Shared,
) -> Synapse {
    let caused = [(Cause::Pre, &blocks.pre), (Cause::Target, &blocks.post)];
    let modulated = blocks.modulators.iter().map(|b| (Cause::Target, b));
    let timed = blocks.every.iter().map(|b| (Cause::Every, b));
    let all: Vec<(Cause, &Block)> = caused.into_iter().chain(modulated).chain(timed).collect();
    let places = places(states.len(), &e.views, &all);
    let action = |b: &Block| {
        let of = |place: Place| b.part(|s| places[s as usize] == place, false);
        Action {
            synapse: of(Place::Synapse),
            source: of(Place::Source),
            target: of(Place::Target),
        }
    };
    let cell = |(k, s): (usize, &(String, Width, Dimension))| Cell {
        name: s.0.clone(),
        width: s.1,
        place: places[k],
        decay: decays
            .iter()
            .any(|d| d.0 as usize == k)
            .then_some(Decay { factor: 0, rest: 0 }),
    };
    let modulators = e.decls.ports.iter().zip(&blocks.modulators).zip(0u16..);
    Synapse {
        name: e.cx.name.to_string(),
        params: std::mem::take(&mut shared.params),
        states: states.iter().enumerate().map(cell).collect(),
        views: e.views.clone(),
        modulators: modulators
            .map(|((p, b), k)| Modulator {
                name: p.tree.name.text.to_string(),
                ty: e.decls.port_ty(k),
                action: action(b),
            })
            .collect(),
        deliver: blocks.pre.part(|_| false, true),
        pre: action(&blocks.pre),
        post: action(&blocks.post),
        every: (blocks.every.iter())
            .map(|b| Every {
                period: 1,
                action: action(b),
            })
            .collect(),
    }
}
