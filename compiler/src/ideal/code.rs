//! What the ideal form adds to a model's code: emissions of handlers, and constant input.

use synfire_ir::model::{BinOp, Block, Inst, Model, Op, Param, State, Ty, Width};

/// Lets handlers emit in a stepped program: what they emit in a step adds up in a state of its own, and the step block emits it.
pub(super) fn gather_emissions(m: &mut Model) {
    if m.handlers.iter().all(|h| h.block.emit.is_none()) {
        return;
    }
    let k = m.states.len() as u16;
    m.states.push(State {
        name: "emitted".into(),
        width: Width::I32,
    });
    let add = |b: &mut Block| {
        let held = b.insts.len() as u32;
        b.insts.push(Inst {
            op: Op::State(k),
            ty: Ty::I32,
        });
        let Some(emit) = b.emit else { return held };
        b.insts.push(Inst {
            op: Op::Bin(BinOp::Add, held, emit),
            ty: Ty::I32,
        });
        held + 1
    };
    for h in m.handlers.iter_mut().filter(|h| h.block.emit.is_some()) {
        let sum = add(&mut h.block);
        h.block.stores.push((k, sum));
        h.block.emit = None;
    }
    m.step.emit = Some(add(&mut m.step));
    m.step.insts.push(Inst {
        op: Op::Const(0),
        ty: Ty::I32,
    });
    m.step.stores.push((k, m.step.insts.len() as u32 - 1));
}

/// Makes every read of a port add a new parameter column.
pub(super) fn add_bias(m: &mut Model, port: u16) {
    let ty = m.ports[port as usize].ty;
    let k = m.params.len() as u16;
    m.params.push(Param {
        name: format!("bias_{}", m.ports[port as usize].name),
        ty,
    });
    let mut insts: Vec<Inst> = vec![];
    let mut to: Vec<u32> = vec![];
    for inst in &m.step.insts {
        let op = inst.op.map(|v| to[v as usize]);
        insts.push(Inst { op, ty: inst.ty });
        if op == Op::Port(port) {
            let read = insts.len() as u32 - 1;
            insts.push(Inst {
                op: Op::Param(k),
                ty,
            });
            insts.push(Inst {
                op: Op::Bin(BinOp::Add, read, read + 1),
                ty,
            });
        }
        to.push(insts.len() as u32 - 1);
    }
    m.step.insts = insts;
    m.step
        .stores
        .iter_mut()
        .for_each(|s| s.1 = to[s.1 as usize]);
    m.step.emit = m.step.emit.map(|v| to[v as usize]);
}
