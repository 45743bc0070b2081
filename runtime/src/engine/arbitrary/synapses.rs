//! Random synapse models, and projections of a program that learn by them.
//!
//! In: a program whose projections are there. Out: some of its projections made plastic, and probes of their states. Every kind of
//! state, view, block and modulator occurs.

use super::models::{INT_WIDTHS, Writer};
use super::programs::{column, range};
use super::{Part, Tape};
use synfire_ir::model::{Block, Model, Op, Param, Ty, Width};
use synfire_ir::program::{
    Carry, Layout, Modulation, Observable, Plastic, Probe, Program, Projection, Range, Run, Weights,
};
use synfire_ir::synapse::{Action, Cell, Decay, Every, Modulator, Place, Seen, Synapse, View};

const PLACES: [Place; 3] = [Place::Synapse, Place::Source, Place::Target];

/// Makes some projections learn.
pub(super) fn learn(tape: &mut Tape, p: &mut Program, floats: bool) {
    let mut base = 0;
    for k in 0..p.projections.len() {
        let pr = &p.projections[k];
        if pr.carry != Carry::Events || tape.once_in(4) {
            continue;
        }
        let fitting = (0..p.synapse_models.len()).find(|&m| fits(p, pr, &p.synapse_models[m]));
        let known = fitting.filter(|_| tape.once_in(3));
        let model = known.unwrap_or(p.synapse_models.len());
        if known.is_none() {
            let made = tape.within(Part::Code, |t| synapse(t, p, pr, model, floats));
            p.synapse_models.push(made);
        }
        if tape.once_in(3) {
            twice(&mut p.projections[k].layout);
        }
        let x = plastic(tape, p, k, model, base);
        p.plastic.push(x);
        base += p.projections[k].synapses() as u32;
    }
    for k in 0..tape.below(4) {
        probe(tape, p, k);
    }
}

/// Gives every synapse of sparse rows a second one beside it.
fn twice(layout: &mut Layout) {
    let Layout::Rows(r) = layout else { return };
    let run = |x: &Run| Run {
        start: 2 * x.start,
        len: 2 * x.len,
        ..*x
    };
    r.runs = r.runs.iter().map(run).collect();
    r.targets = r.targets.iter().flat_map(|&t| [t, t]).collect();
    r.weights = match &r.weights {
        Weights::Uniform(w) => Weights::Uniform(*w),
        Weights::I8(v) => Weights::I8(v.iter().flat_map(|&w| [w, w]).collect()),
        Weights::I16(v) => Weights::I16(v.iter().flat_map(|&w| [w, w]).collect()),
        Weights::I32(v) => Weights::I32(v.iter().flat_map(|&w| [w, w / 2]).collect()),
        Weights::F32(v) => Weights::F32(v.iter().flat_map(|&w| [w, -w]).collect()),
    };
}

/// Could the projection follow a model made for another? Only if it sees no units, whose models may differ.
fn fits(p: &Program, pr: &Projection, m: &Synapse) -> bool {
    let blind = m.views.iter().all(|v| matches!(v.seen, Seen::Total(_)));
    blind && m.read_ty(0) == Some(port_ty(p, pr)) && emitted(m) == Some(port_ty(p, pr))
}

fn emitted(m: &Synapse) -> Option<Ty> {
    let v = m.deliver.emit?;
    m.deliver.insts.get(v as usize).map(|i| i.ty)
}

fn port_ty(p: &Program, pr: &Projection) -> Ty {
    let port = p
        .model_of(pr.target)
        .and_then(|m| m.ports.get(pr.port as usize));
    port.map_or(Ty::I32, |x| x.ty)
}

fn width(tape: &mut Tape, floats: bool) -> Width {
    match floats && tape.below(2) == 1 {
        true => Width::F32,
        false => tape.pick(&INT_WIDTHS),
    }
}

fn state(tape: &mut Tape, i: u32, width: Width, place: Place) -> Cell {
    let falls = matches!(width.ty(), Ty::F32 | Ty::I32) && tape.below(2) == 1;
    let factor = match tape.below(4) {
        0 => 1 << 63,
        1 => tape.pick(&[0, u64::MAX, 1, 0xff00_0000_0000_0000]),
        _ => !((tape.word() as u64) << 24),
    };
    let rest = match width.ty() {
        _ if tape.below(2) == 0 => 0,
        Ty::F32 => tape.real(),
        _ => tape.number() as u32,
    };
    Cell {
        name: format!("s{i}"),
        width,
        place,
        decay: falls.then_some(Decay { factor, rest }),
    }
}

fn synapse(tape: &mut Tape, p: &Program, pr: &Projection, k: usize, floats: bool) -> Synapse {
    let port = port_ty(p, pr);
    let weight = match port {
        Ty::F32 => Width::F32,
        _ => tape.pick(&[Width::I16, Width::I32, Width::I8, Width::I24]),
    };
    let mut m = Synapse {
        name: format!("syn{k}"),
        ..Synapse::default()
    };
    for i in 0..tape.below(3) {
        let ty = if floats { Ty::F32 } else { Ty::I32 };
        let name = format!("p{i}");
        m.params.push(Param { name, ty });
    }
    m.states.push(state(tape, 0, weight, Place::Synapse));
    if tape.below(3) != 2 {
        m.states[0].decay = None;
    }
    for i in 1..1 + tape.below(5) {
        let (width, place) = (width(tape, floats), tape.pick(&PLACES));
        m.states.push(state(tape, i, width, place));
    }
    views(tape, &mut m, p.model_of(pr.source), p.model_of(pr.target));
    for i in 0..tape.below(3) {
        m.modulators.push(Modulator {
            name: format!("m{i}"),
            ty: match floats && tape.below(2) == 1 {
                true => Ty::F32,
                false => Ty::I32,
            },
            action: Action::default(),
        });
    }
    blocks(tape, &mut m, port, floats);
    m
}

fn views(tape: &mut Tape, m: &mut Synapse, source: Option<&Model>, target: Option<&Model>) {
    for (i, unit) in [source, target].into_iter().enumerate() {
        let Some(unit) = unit.filter(|_| tape.once_in(3)) else {
            continue;
        };
        let k = tape.below(unit.states.len() as u32) as u16;
        m.views.push(View {
            name: format!("v{i}"),
            ty: unit.states[k as usize].width.ty(),
            seen: if i == 0 {
                Seen::Source(k)
            } else {
                Seen::Target(k)
            },
        });
    }
    let summed: Vec<u16> = (0..)
        .zip(&m.states)
        .filter(|(_, s)| s.place == Place::Synapse && s.width.ty() != Ty::Bool)
        .map(|(k, _)| k)
        .collect();
    if tape.once_in(3) {
        let k = tape.pick(&summed);
        m.views.push(View {
            name: "sum".into(),
            ty: m.states[k as usize].width.ty(),
            seen: Seen::Total(k),
        });
    }
}

/// What a block may do: for whose states, with which argument, after the phases, in an `every`.
#[derive(Clone, Copy)]
struct Scope {
    place: Place,
    arg: Option<Ty>,
    late: bool,
    totals: bool,
}

fn blocks(tape: &mut Tape, m: &mut Synapse, port: Ty, floats: bool) {
    let early = Scope {
        place: Place::Synapse,
        arg: None,
        late: false,
        totals: false,
    };
    m.deliver = deliver(tape, m, early, port, floats);
    let late = Scope {
        late: true,
        ..early
    };
    m.pre = action(tape, m, late, [true, true, false], floats);
    m.post = action(tape, m, late, [true, false, true], floats);
    for k in 0..m.modulators.len() {
        let arg = Some(m.modulators[k].ty);
        let scope = Scope { arg, ..late };
        m.modulators[k].action = action(tape, m, scope, [true, false, true], floats);
    }
    let scope = Scope {
        totals: true,
        ..late
    };
    for _ in 0..tape.below(3) {
        let period = 1 + tape.below(4);
        let action = action(tape, m, scope, [true; 3], floats);
        m.every.push(Every { period, action });
    }
}

fn action(tape: &mut Tape, m: &Synapse, scope: Scope, on: [bool; 3], floats: bool) -> Action {
    let mut one = |place: Place, there: bool| match there && !tape.once_in(4) {
        true => stores(tape, m, Scope { place, ..scope }, floats),
        false => Block::default(),
    };
    Action {
        synapse: one(Place::Synapse, on[0]),
        source: one(Place::Source, on[1]),
        target: one(Place::Target, on[2]),
    }
}

fn leaves(tape: &mut Tape, m: &Synapse, scope: Scope) -> Vec<(Op, Ty)> {
    let all = scope.place == Place::Synapse;
    let sees = |place| all || scope.place == place;
    let mut out: Vec<(Op, Ty)> = vec![(Op::Step, Ty::I32)];
    out.extend((0..).zip(&m.params).map(|(i, p)| (Op::Param(i), p.ty)));
    let states = (0..).zip(&m.states).filter(|(_, s)| sees(s.place));
    out.extend(states.map(|(i, s)| (Op::State(i), s.width.ty())));
    for (i, v) in (m.states.len() as u16..).zip(&m.views) {
        let seen = match v.seen {
            Seen::Source(_) => sees(Place::Source),
            Seen::Target(_) => sees(Place::Target),
            Seen::Total(_) => scope.totals && sees(Place::Target),
        };
        if scope.late && seen {
            out.push((Op::State(i), v.ty));
        }
    }
    if scope.place != Place::Source {
        if scope.late {
            let ports = (0..).zip(&m.modulators);
            out.extend(ports.map(|(i, x)| (Op::Port(i), x.ty)));
        }
        out.extend(scope.arg.map(|ty| (Op::Arg, ty)));
    }
    if all {
        out.push((Op::Index, Ty::I32));
        if tape.once_in(3) {
            let site = tape.below(3) as u16;
            out.push((Op::Rand { site }, Ty::U32));
        }
    }
    out
}

fn writer<'t>(tape: &'t mut Tape, m: &Synapse, scope: Scope, floats: bool) -> Writer<'t> {
    let leaves = leaves(tape, m, scope);
    let mut w = Writer::new(tape);
    leaves.into_iter().for_each(|(op, ty)| w.leaf(op, ty));
    for _ in 0..w.tape.below(8) {
        w.op(floats);
    }
    w
}

fn deliver(tape: &mut Tape, m: &Synapse, scope: Scope, port: Ty, floats: bool) -> Block {
    let plain = tape.below(2) == 0;
    let mut w = writer(tape, m, scope, floats);
    let v = match plain {
        true => w.b.push(Op::State(0), port),
        false => w.any(port),
    };
    w.b.emit(v);
    w.b.finish()
}

fn stores(tape: &mut Tape, m: &Synapse, scope: Scope, floats: bool) -> Block {
    let mut w = writer(tape, m, scope, floats);
    for (k, s) in (0..).zip(&m.states) {
        if s.place == scope.place && w.tape.below(3) != 2 {
            let v = w.any(s.width.ty());
            w.b.store(k, v);
        }
    }
    w.b.finish()
}

fn plastic(tape: &mut Tape, p: &Program, k: usize, model: usize, base: u32) -> Plastic {
    let (pr, m) = (&p.projections[k], &p.synapse_models[model]);
    let params = (m.params.iter())
        .map(|x| match x.ty {
            Ty::F32 => tape.real(),
            _ => tape.number() as u32,
        })
        .collect();
    let column = |s: &Cell| {
        let n = pr.elements(s.place) as u32;
        column(tape, s.width.ty(), n)
    };
    let init = m.states.iter().skip(1).map(column).collect();
    let mut modulators = vec![];
    for _ in 0..tape.below(2 * m.modulators.len() as u32 + 1) {
        let port = tape.below(m.modulators.len() as u32) as u16;
        modulators.extend(modulation(
            tape,
            p,
            pr,
            port,
            m.modulators[port as usize].ty,
        ));
    }
    Plastic {
        projection: k as u32,
        synapse: model as u32,
        base,
        post_delay: tape.below(4).saturating_sub(1) as u16,
        params,
        init,
        modulators,
    }
}

fn modulation(
    tape: &mut Tape,
    p: &Program,
    pr: &Projection,
    port: u16,
    ty: Ty,
) -> Option<Modulation> {
    let source = tape.below(p.groups.len() as u32);
    let g = &p.groups[source as usize];
    let outputs: Vec<u16> = match p.model_of(source) {
        Some(m) => (0..)
            .zip(&m.outputs)
            .filter(|(_, o)| m.states[o.state as usize].width.ty() == ty)
            .map(|(i, _)| i)
            .collect(),
        None => vec![],
    };
    let carry = match outputs.is_empty() || tape.below(2) == 0 {
        true => Carry::Events,
        false => Carry::Output(tape.pick(&outputs)),
    };
    if g.graded && carry == Carry::Events && ty != Ty::F32 {
        return None;
    }
    let targets = pr.target_range.len;
    let each = targets <= g.size && tape.below(2) == 1;
    let range = match each {
        true => Range {
            start: tape.below(g.size - targets + 1),
            len: targets,
        },
        false => range(tape, g.size),
    };
    Some(Modulation {
        port,
        source,
        range,
        carry,
        each,
        delay: tape.below(3) as u16,
        weight: match ty {
            Ty::F32 => tape.real(),
            _ => tape.number() as u32,
        },
    })
}

fn probe(tape: &mut Tape, p: &mut Program, k: u32) {
    if p.plastic.is_empty() {
        return;
    }
    let x = &p.plastic[tape.below(p.plastic.len() as u32) as usize];
    let (m, pr) = (
        &p.synapse_models[x.synapse as usize],
        &p.projections[x.projection as usize],
    );
    let state = tape.below(m.states.len() as u32);
    let n = pr.elements(m.states[state as usize].place) as u32;
    let range = match n {
        0 => Range { start: 0, len: 0 },
        n => range(tape, n),
    };
    let probe = Probe {
        name: format!("learned{k}"),
        group: pr.target,
        range,
        what: Observable::Synapse {
            projection: x.projection,
            state: state as u16,
        },
        every: 1 + tape.below(3),
    };
    p.probes.push(probe);
}
