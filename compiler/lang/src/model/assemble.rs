//! The result of lowering: the stages of a step written in order, and everything put together.
//!
//! Comes in: the parts of a model as nodes and statements. Goes out: a [`NeuronModel`]. The refractory counter and the states that hold computed
//! outputs are added here.

use super::code::{Shared, Writer};
use super::declare::{Declarations, FieldDecl, PortDecl};
use super::elaborate::Elaborator;
use super::graph::{Id, Node};
use super::host::{self, Refusal};
use super::ode::{self, Hold};
use super::report;
use super::stages::{Parts, Spike};
use super::statements::{Slot, Step, emits};
use super::types::{self, Declared, TRUTH};
use crate::syntax::tree;
use synfire_ir::diag::Span;
use synfire_ir::model::{
    BinOp, Block, Handler, Model, Output, Param, Port, State, Ty, UnOp, Width,
};
use synfire_ir::network::{Field, HostExpr, NeuronModel};
use synfire_ir::units::Dimension;

/// Writes the code and puts the model together.
pub fn build(neuron: &tree::Model, e: &mut Elaborator, parts: Parts) -> Option<NeuronModel> {
    let decls = e.decls;
    let mut states = declared_states(decls);
    let counter = parts.spike.as_ref().and_then(|s| s.refractory).map(|_| {
        states.push((free_name(decls), Width::I32, Dimension::NONE));
        states.len() as u16 - 1
    });
    let outputs = output_steps(e, &parts, &mut states);
    let hold = hold(e, counter, parts.spike.as_ref());
    let updates = match ode::integrate(&mut e.graph, &parts.equations, parts.method, hold) {
        Ok(solution) => {
            stand_in(e, solution.stand_in);
            let states = parts.equations.iter().map(|q| q.state);
            states.zip(solution.updates).collect::<Vec<_>>()
        }
        Err(refusal) => {
            refused_method(e, refusal);
            return None;
        }
    };
    let spike = spike_steps(e, counter, parts.spike.as_ref());
    let mut shared = shared(decls, &states);
    let mut handlers = vec![];
    for (port, steps) in &parts.handlers {
        let mut w = Writer::new(&mut e.graph, &mut shared);
        w.hold(hold);
        w.run(steps);
        let block = w.finish();
        handlers.push(Handler { port: *port, block });
    }
    let mut w = Writer::new(&mut e.graph, &mut shared);
    w.hold(hold);
    w.run(&parts.on_input);
    w.update(&updates);
    w.run(&parts.on_step);
    w.hold(None);
    w.run(&spike);
    w.run(&outputs);
    let step = w.finish();
    assemble(
        neuron,
        e,
        &parts,
        Written {
            states,
            shared,
            handlers,
            step,
        },
    )
}

/// A state for each computed output, and the statements that set them.
fn output_steps(
    e: &mut Elaborator,
    parts: &Parts,
    states: &mut Vec<(String, Width, Dimension)>,
) -> Vec<Step> {
    let decls = e.decls;
    let computed = decls.outputs.iter().filter(|o| o.value.is_some());
    let mut steps = vec![];
    for (o, t) in computed.zip(&parts.outputs) {
        let declared = types::declared(o.ty.name.as_str());
        let width = declared.map_or(Width::F32, |d| d.width(decls.fixed));
        let value = match width.ty() {
            Ty::I32 => e.graph.un(UnOp::ToI32, t.id),
            Ty::U32 => e.graph.un(UnOp::ToU32, t.id),
            _ => t.id,
        };
        let slot = Slot::State(states.len() as u16);
        steps.push(Step::Set { slot, value });
        states.push((o.name.text.to_string(), width, t.ty.dimension()));
    }
    steps
}

struct Written {
    states: Vec<(String, Width, Dimension)>,
    shared: Shared,
    handlers: Vec<Handler>,
    step: Block,
}

pub(super) fn declared_states(decls: &Declarations) -> Vec<(String, Width, Dimension)> {
    (0u16..)
        .zip(&decls.states)
        .map(|(i, s)| {
            let name = s.tree.name.text.to_string();
            (name, decls.state_width(i), decls.state_type(i).dimension())
        })
        .collect()
}

fn free_name(decls: &Declarations) -> String {
    let mut name = String::from("_refractory");
    while decls.names.contains_key(name.as_str()) {
        name.insert(0, '_');
    }
    name
}

/// Columns and widths, before any block is written.
pub(super) fn shared(decls: &Declarations, states: &[(String, Width, Dimension)]) -> Shared {
    let field = |f: &FieldDecl| f.declared.unwrap_or(Declared::Int);
    let mut s = Shared::default();
    s.widths = states.iter().map(|s| s.1).collect();
    s.field_widths = decls
        .fields
        .iter()
        .map(|f| field(f).width(decls.fixed))
        .collect();
    s.field_names = decls
        .fields
        .iter()
        .map(|f| f.tree.name.text.to_string())
        .collect();
    s.fixed = decls.fixed;
    if decls.fixed {
        for (i, f) in (0u16..).zip(&decls.fields) {
            s.params.push(Param {
                name: f.tree.name.text.to_string(),
                ty: field(f).read(true).ty(),
            });
            s.columns.push(HostExpr::Field(i));
        }
    }
    s
}

/// While the counter is above 0 the unit is refractory.
fn hold(e: &mut Elaborator, counter: Option<u16>, spike: Option<&Spike>) -> Option<Hold> {
    let counter = e.graph.push(Node::State(counter?), Ty::I32);
    let zero = e.graph.word(0, Ty::I32);
    let states = spike?.held;
    let condition = e.graph.bin(BinOp::Gt, counter, zero);
    Some(Hold { condition, states })
}

fn spike_steps(e: &mut Elaborator, counter: Option<u16>, spike: Option<&Spike>) -> Vec<Step> {
    let Some(spike) = spike else {
        return vec![];
    };
    let one = e.graph.word(1, Ty::I32);
    let mut block = spike.block.clone();
    if !emits(&block) {
        block.push(Step::Emit(one));
    }
    let (Some(counter), Some(steps)) = (counter, spike.refractory) else {
        return vec![Step::If {
            arms: vec![(spike.condition, block)],
            otherwise: vec![],
        }];
    };
    let g = &mut e.graph;
    let (left, zero) = (g.push(Node::State(counter), Ty::I32), g.word(0, Ty::I32));
    let refractory = g.bin(BinOp::Gt, left, zero);
    let free = g.un(UnOp::Not, refractory);
    let fires = g.bin(BinOp::And, free, spike.condition);
    let local = e.locals;
    let fired = g.push(Node::Local(local), Ty::Bool);
    let less = g.bin(BinOp::Sub, left, one);
    let start = g.select(fired, steps, zero);
    let next = g.select(refractory, less, start);
    vec![
        Step::Set {
            slot: Slot::Local(local),
            value: fires,
        },
        Step::Set {
            slot: Slot::State(counter),
            value: next,
        },
        Step::If {
            arms: vec![(fired, block)],
            otherwise: vec![],
        },
    ]
}

fn stand_in(e: &mut Elaborator, refusal: Option<ode::Refusal>) {
    if let Some(r) = refusal
        && let Some(ode) = e.decls.odes.get(r.equation)
    {
        e.diags
            .push(report::not_exact(ode.span, ode.name.as_str(), r.why));
    }
}

fn refused_method(e: &mut Elaborator, refusal: ode::Refusal) {
    let (Some(solve), Some(ode)) = (e.decls.solve, e.decls.odes.get(refusal.equation)) else {
        return;
    };
    let message = format!(
        "`{}` cannot integrate {}'",
        solve.method.text, ode.name.text
    );
    e.diags
        .push(report::method(solve.span, ode.span, message, refusal.why));
}

/// Checks the limits, then makes the model's fields, values and tables.
fn assemble(
    neuron: &tree::Model,
    e: &mut Elaborator,
    parts: &Parts,
    w: Written,
) -> Option<NeuronModel> {
    let decls = e.decls;
    if w.shared.too_large || e.graph.full() {
        let most = super::code::MAX_INSTRUCTIONS;
        let what = format!(
            "the model's code is longer than {most} instructions, or takes too long to unroll"
        );
        e.diags.push(report::too_large(neuron.span, what));
        return None;
    }
    let fields = fields(e, &parts.defaults)?;
    let init = starts(e, &parts.starts, w.states.len())?;
    if let Some(why) = w.shared.refused {
        report_host(e, why, neuron.span);
        return None;
    }
    let mut values = (w.shared.columns.iter())
        .chain(&init)
        .chain(fields.iter().filter_map(|f| f.default.as_ref()));
    if e.cx.dt.is_none() && values.any(reads_dt) {
        let d = report::no_step(neuron.name.span, e.cx.name);
        e.diags.push(d);
        return None;
    }
    let emitting = w.step.emit.is_some() || w.handlers.iter().any(|h| h.block.emit.is_some());
    let arriving = decls.ports.iter().map(|p| dimension(decls, p.declared));
    Some(NeuronModel {
        fields,
        columns: w.shared.columns,
        init,
        state_dimensions: w.states.iter().map(|s| s.2).collect(),
        port_dimensions: arriving.collect(),
        integer: decls.fixed,
        spikes: emitting || decls.spike.is_some(),
        doc: (neuron.doc.as_ref()).map_or(String::new(), |d| d.text.clone()),
        model: Model {
            name: e.cx.name.to_string(),
            params: w.shared.params,
            outputs: outputs(decls, &w.states),
            states: (w.states.into_iter())
                .map(|(name, width, _)| State { name, width })
                .collect(),
            ports: ports(decls),
            handlers: w.handlers,
            step: w.step,
        },
    })
}

pub(super) fn dimension(decls: &Declarations, declared: Option<Declared>) -> Dimension {
    declared.map_or(Dimension::NONE, |d| d.read(decls.fixed).dimension())
}

pub(super) fn fields(e: &mut Elaborator, defaults: &[Option<Id>]) -> Option<Vec<Field>> {
    let decls = e.decls;
    let mut all = vec![];
    for (f, default) in decls.fields.iter().zip(defaults) {
        let declared = f.declared?;
        let default = match default {
            Some(id) => Some(on_host(e, *id, f.tree.span)?),
            None => None,
        };
        all.push(Field {
            name: f.tree.name.text.to_string(),
            dimension: dimension(decls, f.declared),
            whole: !matches!(declared, Declared::Real(_)),
            default,
            choices: words(declared),
        });
    }
    Some(all)
}

/// Starting values of the declared states; the others start at 0.
pub(super) fn starts(e: &mut Elaborator, starts: &[Id], states: usize) -> Option<Vec<HostExpr>> {
    let mut init = vec![];
    for (id, s) in starts.iter().zip(&e.decls.states) {
        init.push(on_host(e, *id, s.tree.span)?);
    }
    init.resize(states, HostExpr::Const(0.0));
    Some(init)
}

fn ports(decls: &Declarations) -> Vec<Port> {
    let of = |(i, p): (u16, &PortDecl)| Port {
        name: p.tree.name.text.to_string(),
        ty: decls.port_ty(i),
        combine: p.combine,
    };
    (0u16..).zip(&decls.ports).map(of).collect()
}

fn words(declared: Declared) -> Vec<String> {
    let list = match declared {
        Declared::Choice(c) => c.words,
        Declared::Bool => TRUTH,
        _ => return vec![],
    };
    list.iter().map(|w| w.to_string()).collect()
}

fn outputs(decls: &Declarations, states: &[(String, Width, Dimension)]) -> Vec<Output> {
    let of = |o: &&tree::Variable| {
        let name = o.name.text.to_string();
        let state = states.iter().position(|s| s.0 == name)? as u16;
        Some(Output { name, state })
    };
    decls.outputs.iter().filter_map(of).collect()
}

pub(super) fn on_host(e: &mut Elaborator, id: Id, span: Span) -> Option<HostExpr> {
    match host::to_host(&e.graph, id) {
        Ok(h) => Some(h),
        Err(why) => {
            report_host(e, why, span);
            None
        }
    }
}

pub(super) fn report_host(e: &mut Elaborator, why: Refusal, span: Span) {
    e.diags.push(match why {
        Refusal::NotUniform => report::not_uniform(span, "a value of this model"),
        Refusal::TooLarge => report::too_large(span, "an expression of parameters is too large".into()),
        Refusal::Operation => report::not_here(
            span,
            "an operation here cannot be computed before the run".into(),
            "defaults and starting values use sums, products, shifts, comparisons and the usual functions",
        ),
    });
}

pub(super) fn reads_dt(e: &HostExpr) -> bool {
    match e {
        HostExpr::Dt => true,
        HostExpr::Const(_) | HostExpr::Field(_) => false,
        HostExpr::Call1(_, a) | HostExpr::PoissonCdf(_, a) => reads_dt(a),
        HostExpr::Call2(_, a, b) => reads_dt(a) || reads_dt(b),
        HostExpr::If(a, b, c) => reads_dt(a) || reads_dt(b) || reads_dt(c),
    }
}
