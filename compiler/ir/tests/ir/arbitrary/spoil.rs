//! Small damages to a program, most of which `program::check` must find.

use super::Tape;
use super::code::{BINARY, TYPES, UNARY, WIDTHS};
use super::program::weights;
use super::synapse;
use synfire_ir::model::*;
use synfire_ir::program::*;

/// Changes one thing.
pub fn spoil(t: &mut Tape, p: &mut Program) {
    match t.below(8) {
        6 => {
            let k = t.below(p.synapse_models.len() as u32) as usize;
            if let Some(m) = p.synapse_models.get_mut(k) {
                synapse::spoil_model(t, m);
            }
        }
        7 => {
            let k = t.below(p.plastic.len() as u32) as usize;
            if let Some(x) = p.plastic.get_mut(k) {
                synapse::spoil_plastic(t, x);
            }
        }
        0 => whole(t, p),
        1 => {
            let k = t.below(p.models.len() as u32) as usize;
            if let Some(m) = p.models.get_mut(k) {
                model(t, m);
            }
        }
        2 => {
            let k = t.below(p.groups.len() as u32) as usize;
            if let Some(g) = p.groups.get_mut(k) {
                group(t, g);
            }
        }
        3 => {
            let k = t.below(p.projections.len() as u32) as usize;
            if let Some(x) = p.projections.get_mut(k) {
                projection(t, x);
            }
        }
        4 => {
            if let Discipline::Serial(s) = &mut p.discipline {
                serial(t, s);
            }
        }
        _ => {
            let k = t.below(p.probes.len() as u32) as usize;
            if let Some(x) = p.probes.get_mut(k) {
                probe(t, x);
            }
        }
    }
}

fn whole(t: &mut Tape, p: &mut Program) {
    match t.below(8) {
        6 => p.plastic.extend(p.plastic.first().cloned()),
        7 => p.synapse_models.extend(p.synapse_models.first().cloned()),
        0 => p.name = t.name(),
        1 => p.dt = Some(t.pick(&[f64::NAN, f64::NEG_INFINITY, -0.0, f64::from_bits(!0)])),
        2 => {
            p.models.pop();
        }
        3 => {
            p.groups.pop();
        }
        4 => p.projections.extend(p.projections.first().cloned()),
        _ => p.probes.extend(p.probes.first().cloned()),
    }
}

fn model(t: &mut Tape, m: &mut Model) {
    match t.below(10) {
        0 => m.name = t.name(),
        1 => m.params.iter_mut().for_each(|x| x.ty = t.pick(&TYPES)),
        2 => m.states.iter_mut().for_each(|x| x.width = t.pick(&WIDTHS)),
        3 => m.ports.iter_mut().for_each(|x| {
            let rules = [Combine::Sum, Combine::Or, Combine::Max, Combine::SatSum(7)];
            (x.ty, x.combine) = (t.pick(&TYPES), t.pick(&rules));
        }),
        4 => m.outputs.push(Output {
            name: t.name(),
            state: t.index() as u16,
        }),
        5 => m.handlers.extend(m.handlers.first().cloned()),
        6 => m
            .handlers
            .iter_mut()
            .for_each(|h| h.port = t.index() as u16),
        7 => m.states.iter_mut().for_each(|x| x.name = t.name()),
        8 => {
            let k = t.below(m.handlers.len() as u32) as usize;
            if let Some(h) = m.handlers.get_mut(k) {
                block(t, &mut h.block);
            }
        }
        _ => block(t, &mut m.step),
    }
}

pub fn block(t: &mut Tape, b: &mut Block) {
    let n = b.insts.len() as u32;
    let k = t.below(n) as usize;
    match t.below(7) {
        0 => b.stores.push((t.index() as u16, t.index())),
        1 => b.stores.extend(b.stores.first().copied()),
        2 => b.emit = Some(t.index()),
        3 if n > 0 => b.insts[k].ty = t.pick(&TYPES),
        4 if n > 0 => {
            let v = t.below(n + 1);
            b.insts[k].op = b.insts[k].op.map(|_| v);
        }
        _ if n > 0 => b.insts[k].op = op(t, n),
        _ => {}
    }
}

fn op(t: &mut Tape, n: u32) -> Op {
    let (a, b) = (t.below(n), t.below(n));
    match t.below(12) {
        0 => Op::Const(t.word()),
        1 => Op::Param(t.index() as u16),
        2 => Op::State(t.index() as u16),
        3 => Op::Port(t.index() as u16),
        4 => Op::Arg,
        5 => Op::Un(t.pick(&UNARY), a),
        6 => Op::Bin(t.pick(&BINARY), a, b),
        7 => Op::Select(t.below(n), a, b),
        8 => Op::MulShift {
            a,
            b,
            shift: t.word() as u8,
            round: Round::Zero,
        },
        9 => Op::Sat {
            a,
            bits: t.word() as u8,
        },
        10 => Op::Wrap {
            a,
            bits: t.word() as u8,
            signed: t.flip(),
        },
        _ => Op::Rand {
            site: t.word() as u16,
        },
    }
}

fn group(t: &mut Tape, g: &mut Group) {
    match t.below(8) {
        0 => g.name = t.name(),
        1 => g.size = t.below(20),
        2 => g.phase = t.index() as u16,
        3 => g.base = t.index(),
        4 => g.graded = !g.graded,
        5 => g.kind = GroupKind::External,
        _ => {
            if let GroupKind::Units {
                model,
                params,
                init,
            } = &mut g.kind
            {
                match t.below(4) {
                    0 => *model = t.index(),
                    1 => params.push(Column::Uniform(t.word())),
                    2 => init
                        .iter_mut()
                        .for_each(|c| *c = Column::Uniform(t.single())),
                    _ => params
                        .iter_mut()
                        .for_each(|c| *c = Column::PerUnit(t.list(6, Tape::word).into())),
                }
            }
        }
    }
}

pub fn range(t: &mut Tape) -> Range {
    let (start, len) = (t.index(), t.index());
    Range { start, len }
}

fn projection(t: &mut Tape, x: &mut Projection) {
    match t.below(9) {
        0 => x.name = t.name(),
        1 => x.source = t.index(),
        2 => x.target = t.index(),
        3 => x.source_range = range(t),
        4 => x.target_range = range(t),
        5 => x.port = t.index() as u16,
        6 => x.carry = Carry::Output(t.index() as u16),
        _ => layout(t, &mut x.layout),
    }
}

fn layout(t: &mut Tape, l: &mut Layout) {
    match l {
        Layout::Rows(r) => rows(t, r),
        Layout::Dense {
            delay,
            weights: values,
        }
        | Layout::OneToOne {
            delay,
            weights: values,
        } => match t.flip() {
            true => *delay = t.index() as u16,
            false => {
                let (ty, n) = (t.pick(&[Ty::I32, Ty::F32]), t.below(20));
                *values = weights(t, ty, n as usize);
            }
        },
        _ => {}
    }
}

fn rows(t: &mut Tape, r: &mut Rows) {
    let at = |t: &mut Tape, n: usize| t.below(n as u32) as usize;
    match t.below(5) {
        0 => {
            let mut v = r.row.to_vec();
            let k = at(t, v.len());
            v[k] = t.index();
            r.row = v.into();
        }
        1 if !r.runs.is_empty() => {
            let mut v = r.runs.to_vec();
            let k = at(t, v.len());
            match t.below(3) {
                0 => v[k].delay = t.index() as u16,
                1 => v[k].start = t.index(),
                _ => v[k].len = t.index(),
            }
            r.runs = v.into();
        }
        2 if !r.targets.is_empty() => {
            let mut v = r.targets.to_vec();
            let k = at(t, v.len());
            v[k] = t.index();
            r.targets = v.into();
        }
        3 => r.row = r.row.iter().skip(1).copied().collect(),
        _ => {
            let (ty, n) = (t.pick(&[Ty::I32, Ty::F32]), t.below(20));
            r.weights = weights(t, ty, n as usize);
        }
    }
}

fn serial(t: &mut Tape, s: &mut Serial) {
    match t.below(8) {
        0 => s.group = t.index(),
        1 => s.matrix = t.index(),
        2 => s.capacity = t.below(3),
        3 => s.popped = !s.popped,
        4 => s.sorted = !s.sorted,
        5 => s.loopback.push(Loopback {
            unit: t.index(),
            delay: t.index() as u16,
            pre: t.index(),
        }),
        6 => s.tail.push(SerialEvent::Step {
            first: t.index(),
            last: t.index(),
        }),
        _ => s.tail.push(SerialEvent::Direct {
            port: t.index() as u16,
            value: t.number(),
            first: t.index(),
            last: t.index(),
            queued: t.flip(),
        }),
    }
}

fn probe(t: &mut Tape, x: &mut Probe) {
    match t.below(5) {
        0 => x.name = t.name(),
        1 => x.group = t.index(),
        2 => x.range = range(t),
        3 => {
            let (projection, state) = (t.index(), t.index() as u16);
            x.what = t.pick(&[
                Observable::State(state),
                Observable::Synapse { projection, state },
            ]);
        }
        _ => x.every = t.below(2),
    }
}
