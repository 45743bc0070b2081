//! A synapse put together: its blocks written, then split by where the states live that they store.
//!
//! Comes in: the parts of a synapse as nodes and statements. Goes out: a [`SynapseModel`]. What `emit` sends becomes a block of its own,
//! which may know nothing of what a step does after its deliveries.

use super::assemble::{
    declared_states, dimension, fields, on_host, reads_dt, report_host, shared, starts,
};
use super::code::{Shared, Writer};
use super::elaborate::{Elaborator, Typed};
use super::graph::Node;
use super::places::{Cause, places};
use super::report;
use super::statements::Step;
use super::synapse::Parts;
use super::types::Type;
use crate::syntax::tree;
use synfire_ir::diag::Span;
use synfire_ir::model::{Block, Op, Ty, Width};
use synfire_ir::network::{HostExpr, SynapseModel};
use synfire_ir::synapse::{Action, Cell, Decay, Every, Modulator, Place, Seen, Synapse};
use synfire_ir::units::Dimension;

/// Blocks as they were written, before they are split.
struct Blocks {
    pre: Block,
    post: Block,
    modulators: Vec<Block>,
    every: Vec<Block>,
}

/// Writes the code and puts the model together; `port` is the type of what the target takes.
pub(super) fn assemble(
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
