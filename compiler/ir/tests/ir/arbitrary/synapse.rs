//! Random synapse models and plastic projections that pass `program::check`, and damages to them.

use super::Tape;
use super::code::{TYPES, WIDTHS};
use super::spoil;
use synfire_ir::model::*;
use synfire_ir::program::*;
use synfire_ir::synapse::*;

/// Makes a projection plastic now and then.
pub fn learn(t: &mut Tape, p: &mut Program, floats: bool) {
    let mut base = 0;
    for k in 0..p.projections.len() {
        let pr = &p.projections[k];
        if pr.carry != Carry::Events || t.flip() {
            continue;
        }
        let target = p.model_of(pr.target).expect("a group of units");
        let name = format!("syn{}", p.synapse_models.len());
        let m = model(t, name, target, pr.port, floats);
        let x = plastic(t, p, k, &m, base);
        base += p.projections[k].synapses() as u32;
        p.synapse_models.push(m);
        p.plastic.push(x);
    }
}

fn state(t: &mut Tape, name: &str, width: Width, place: Place) -> Cell {
    let falls = matches!(width.ty(), Ty::F32 | Ty::I32) && t.flip();
    Cell {
        name: name.into(),
        width,
        place,
        decay: falls.then(|| Decay {
            factor: t.long(),
            rest: t.word(),
        }),
    }
}

/// A synapse model for a port of a unit model.
pub fn model(t: &mut Tape, name: String, target: &Model, port: u16, floats: bool) -> Synapse {
    let port = target.ports[port as usize].ty;
    let weight = match port {
        Ty::F32 => Width::F32,
        _ => t.pick(&[Width::I16, Width::I32, Width::U8]),
    };
    let number = |floats: bool| if floats { Ty::F32 } else { Ty::I32 };
    let mut m = Synapse {
        name,
        params: t.list(2, |_| Param {
            name: "p".into(),
            ty: number(floats),
        }),
        states: vec![state(t, "w", weight, Place::Synapse)],
        modulators: t.list(2, |t| Modulator {
            name: "m".into(),
            ty: number(floats && t.flip()),
            action: Action::default(),
        }),
        ..Synapse::default()
    };
    for k in 0..t.below(4) {
        let width = WIDTHS[t.below(if floats { 9 } else { 8 }) as usize];
        let place = t.pick(&[Place::Source, Place::Target, Place::Synapse]);
        m.states.push(state(t, &format!("s{k}"), width, place));
    }
    if t.flip() {
        let k = t.below(target.states.len() as u32) as u16;
        m.views.push(View {
            name: "seen".into(),
            ty: target.states[k as usize].width.ty(),
            seen: Seen::Target(k),
        });
    }
    let mut b = BlockBuilder::new();
    let w = b.push(Op::State(0), port);
    b.emit(w);
    m.deliver = b.finish();
    m.pre.synapse = block(t, &m, Place::Synapse, None);
    m.pre.source = block(t, &m, Place::Source, None);
    m.post.synapse = block(t, &m, Place::Synapse, None);
    m.post.target = block(t, &m, Place::Target, None);
    for k in 0..m.modulators.len() {
        let arg = Some(m.modulators[k].ty);
        m.modulators[k].action.synapse = block(t, &m, Place::Synapse, arg);
        m.modulators[k].action.target = block(t, &m, Place::Target, arg);
    }
    m.every = t.list(2, |t| Every {
        period: 1 + t.below(4),
        action: Action {
            synapse: block(t, &m, Place::Synapse, None),
            source: block(t, &m, Place::Source, None),
            target: block(t, &m, Place::Target, None),
        },
    });
    m
}

/// Stores sums and choices of what the place sees.
fn block(t: &mut Tape, m: &Synapse, place: Place, arg: Option<Ty>) -> Block {
    let sees = |p: Place| place == Place::Synapse || place == p;
    let mut leaves: Vec<(Op, Ty)> = vec![(Op::Step, Ty::I32)];
    leaves.extend((0..).zip(&m.params).map(|(i, p)| (Op::Param(i), p.ty)));
    let states = (0..).zip(&m.states).filter(|(_, s)| sees(s.place));
    leaves.extend(states.map(|(i, s)| (Op::State(i), s.width.ty())));
    if sees(Place::Target) {
        let views = (m.states.len() as u16..).zip(&m.views);
        leaves.extend(views.map(|(i, v)| (Op::State(i), v.ty)));
        leaves.extend((0..).zip(&m.modulators).map(|(i, x)| (Op::Port(i), x.ty)));
        leaves.extend(arg.map(|ty| (Op::Arg, ty)));
    }
    if place == Place::Synapse {
        leaves.push((Op::Index, Ty::I32));
        leaves.push((Op::Rand { site: 0 }, Ty::U32));
    }
    let mut b = BlockBuilder::new();
    for (k, s) in (0..).zip(&m.states) {
        let ty = s.width.ty();
        let of: Vec<_> = leaves.iter().filter(|l| l.1 == ty).collect();
        if s.place != place || of.is_empty() || t.once_in(3) {
            continue;
        }
        let (x, y) = (t.pick(&of), t.pick(&of));
        let (x, y) = (b.push(x.0, ty), b.push(y.0, ty));
        let op = if ty == Ty::Bool {
            BinOp::Xor
        } else {
            BinOp::Add
        };
        let v = b.bin(op, x, y);
        b.store(k, v);
    }
    b.finish()
}

fn plastic(t: &mut Tape, p: &Program, k: usize, m: &Synapse, base: u32) -> Plastic {
    let pr = &p.projections[k];
    let column = |t: &mut Tape, s: &Cell| match (t.flip(), s.width.ty()) {
        (_, Ty::Bool) => Column::Uniform(t.below(2)),
        (true, _) => Column::Uniform(t.single()),
        (false, _) => Column::PerUnit((0..pr.elements(s.place)).map(|_| t.word()).collect()),
    };
    let modulators = (0u16..).zip(&m.modulators).filter_map(|(port, x)| {
        let source = t.below(p.groups.len() as u32);
        let g = &p.groups[source as usize];
        let range = Range {
            start: 0,
            len: g.size,
        };
        (!g.graded || x.ty == Ty::F32).then(|| Modulation {
            port,
            source,
            range,
            carry: Carry::Events,
            each: range.len == pr.target_range.len,
            delay: t.below(3) as u16,
            weight: t.single(),
        })
    });
    let modulators = modulators.collect();
    Plastic {
        projection: k as u32,
        synapse: p.synapse_models.len() as u32,
        base,
        post_delay: t.below(3) as u16,
        params: m.params.iter().map(|_| t.single()).collect(),
        init: m.states.iter().skip(1).map(|s| column(t, s)).collect(),
        modulators,
    }
}

/// Changes one thing of a synapse model.
pub fn spoil_model(t: &mut Tape, m: &mut Synapse) {
    let k = t.below(m.states.len() as u32) as usize;
    match t.below(10) {
        0 => m.name = t.name(),
        1 => m.params.iter_mut().for_each(|x| x.ty = t.pick(&TYPES)),
        2 if !m.states.is_empty() => m.states[k].width = t.pick(&WIDTHS),
        3 if !m.states.is_empty() => {
            m.states[k].place = t.pick(&[Place::Source, Place::Target, Place::Synapse]);
        }
        4 => {
            m.states.pop();
        }
        5 => m.views.push(View {
            name: t.name(),
            ty: t.pick(&TYPES),
            seen: t.pick(&[
                Seen::Source(0),
                Seen::Target(9),
                Seen::Total(0),
                Seen::Total(9),
            ]),
        }),
        6 => m.modulators.iter_mut().for_each(|x| x.ty = t.pick(&TYPES)),
        7 => m.every.iter_mut().for_each(|e| e.period = t.below(2)),
        8 => std::mem::swap(&mut m.pre, &mut m.post),
        _ => {
            let a = [&mut m.pre, &mut m.post].into_iter();
            let a = a.chain(m.modulators.iter_mut().map(|x| &mut x.action));
            let a = a.chain(m.every.iter_mut().map(|e| &mut e.action));
            let blocks = a.flat_map(|a| [&mut a.synapse, &mut a.source, &mut a.target]);
            let mut blocks: Vec<_> = blocks.chain([&mut m.deliver]).collect();
            let k = t.below(blocks.len() as u32) as usize;
            spoil::block(t, blocks[k]);
        }
    }
}

/// Changes one thing of a plastic projection.
pub fn spoil_plastic(t: &mut Tape, x: &mut Plastic) {
    match t.below(8) {
        0 => x.projection = t.index(),
        1 => x.synapse = t.index(),
        2 => x.base = t.index(),
        3 => x.params.push(t.word()),
        4 => x.init.push(Column::Uniform(t.word())),
        5 => (x.init.iter_mut()).for_each(|c| *c = Column::PerUnit(t.list(5, Tape::word).into())),
        6 => x.modulators.push(Modulation {
            port: t.index() as u16,
            source: t.index(),
            range: spoil::range(t),
            carry: Carry::Output(t.index() as u16),
            each: t.flip(),
            delay: t.index() as u16,
            weight: t.single(),
        }),
        _ => x.modulators.iter_mut().for_each(|y| y.each = !y.each),
    }
}
