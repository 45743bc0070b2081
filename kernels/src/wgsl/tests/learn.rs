//! Texts of synapse models: valid, and what they were.

use super::{body, program, valid, zoo};
use crate::wgsl::learn::learning;
use synfire_ir::model::*;
use synfire_ir::synapse::{Action, Cell, Decay, Every, Modulator, Place, Seen, Synapse, View};

/// A block that adds up everything that it may read, and stores it in the states of its place.
fn sum(m: &Synapse, place: Place, arg: bool, totals: bool) -> Block {
    let mut b = BlockBuilder::new();
    let mut x = b.push(Op::Step, Ty::I32);
    let mut add = |b: &mut BlockBuilder, op: Op, ty: Ty| {
        let v = b.push(op, ty);
        let v = b.un(UnOp::ToI32, v);
        x = b.bin(BinOp::Add, x, v);
        x
    };
    let sees = |p: Place| place == Place::Synapse || place == p;
    for (k, cell) in (0..).zip(&m.states) {
        if sees(cell.place) {
            add(&mut b, Op::State(k), cell.width.ty());
        }
    }
    for (k, v) in (m.states.len() as u16..).zip(&m.views) {
        let open = match v.seen {
            Seen::Source(_) => sees(Place::Source),
            Seen::Target(_) => sees(Place::Target),
            Seen::Total(_) => totals && sees(Place::Target),
        };
        if open {
            add(&mut b, Op::State(k), v.ty);
        }
    }
    if place != Place::Source {
        for (k, y) in (0..).zip(&m.modulators) {
            add(&mut b, Op::Port(k), y.ty);
        }
        if arg {
            add(&mut b, Op::Arg, Ty::F32);
        }
    }
    if place == Place::Synapse {
        add(&mut b, Op::Index, Ty::I32);
        add(&mut b, Op::Rand { site: 2 }, Ty::U32);
    }
    let total = add(&mut b, Op::Param(0), Ty::F32);
    let float = b.un(UnOp::ToF32, total);
    for (k, cell) in (0..).zip(&m.states) {
        if cell.place == place {
            b.store(
                k,
                if cell.width == Width::F32 {
                    float
                } else {
                    total
                },
            );
        }
    }
    b.finish()
}

/// A model with states of every place and width, decaying and not, every kind of view, and rules of every kind.
fn everything(floats: bool) -> Synapse {
    let cell = |name: &str, width, place, falls: bool| Cell {
        name: name.into(),
        width,
        place,
        decay: falls.then_some(Decay {
            factor: u64::MAX / 2,
            rest: 3,
        }),
    };
    let weight = if floats { Width::F32 } else { Width::I16 };
    let view = |seen, ty| View {
        name: "seen".into(),
        ty,
        seen,
    };
    let mut m = Synapse {
        name: "*/ all".into(),
        params: vec![Param {
            name: "p".into(),
            ty: Ty::F32,
        }],
        states: vec![
            cell("w", weight, Place::Synapse, true),
            cell("n", Width::U8, Place::Synapse, false),
            cell("x", Width::F32, Place::Source, true),
            cell("i", Width::I24, Place::Source, true),
            cell("y", Width::I32, Place::Target, true),
            cell("z", Width::I8, Place::Target, false),
        ],
        views: vec![
            view(Seen::Source(0), Ty::I32),
            view(Seen::Target(1), Ty::F32),
            view(Seen::Total(0), weight.ty()),
        ],
        ..Synapse::default()
    };
    for ty in [Ty::F32, Ty::I32] {
        m.modulators.push(Modulator {
            name: "m".into(),
            ty,
            action: Action::default(),
        });
    }
    let act = |m: &Synapse, source: bool, target: bool, arg: bool, totals: bool| Action {
        synapse: sum(m, Place::Synapse, arg, totals),
        source: match source {
            true => sum(m, Place::Source, false, totals),
            false => Block::default(),
        },
        target: match target {
            true => sum(m, Place::Target, arg, totals),
            false => Block::default(),
        },
    };
    let (pre, post) = (
        act(&m, true, false, false, false),
        act(&m, false, true, false, false),
    );
    let modulated = act(&m, false, true, true, false);
    let action = act(&m, true, true, false, true);
    (m.pre, m.post) = (pre, post);
    m.modulators[0].action = modulated;
    m.every.push(Every { period: 3, action });
    let mut b = BlockBuilder::new();
    let w = b.push(Op::State(0), weight.ty());
    b.emit(w);
    m.deliver = b.finish();
    m
}

fn all(m: &Synapse) -> [super::Kernel; 7] {
    let p = program(vec![zoo("one", true, true)]);
    let k = learning(&p, m);
    [
        k.deliver, k.offer, k.modulate, k.pre, k.targets, k.every, k.probe,
    ]
}

#[test]
fn texts_that_learn_are_valid() {
    for floats in [false, true] {
        all(&everything(floats)).iter().for_each(valid);
    }
    let mut empty = everything(false);
    (empty.pre, empty.post) = Default::default();
    empty.modulators.clear();
    empty.views.clear();
    empty.every.clear();
    all(&empty).iter().for_each(valid);
}

#[test]
fn texts_that_learn_are_what_they_were() {
    let [deliver, _, modulate, pre, targets, every, _] = all(&everything(true));
    insta::assert_snapshot!("deliver_learned", body(&deliver));
    insta::assert_snapshot!("modulate", body(&modulate));
    insta::assert_snapshot!("learn_pre", body(&pre));
    insta::assert_snapshot!("learn_targets", body(&targets));
    insta::assert_snapshot!("learn_every", body(&every));
}
