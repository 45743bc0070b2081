//! Are models well typed, and does every block name only what its model has?

use super::bad;
use crate::diag::Diagnostics;
use crate::model::{BinOp, Block, Combine, Model, Op, Ty, UnOp};

pub(super) fn model(m: &Model, serial: bool, at: &str, out: &mut Diagnostics) {
    for p in &m.ports {
        if !matches!(p.ty, Ty::I32 | Ty::F32) || (p.combine == Combine::Or && p.ty != Ty::I32) {
            bad(
                out,
                at,
                format!("port `{}` has a type that cannot accumulate", p.name),
            );
        }
    }
    for o in &m.outputs {
        if o.state as usize >= m.states.len() {
            bad(out, at, format!("output `{}` names no state", o.name));
        }
    }
    block(m, &m.step, None, at, out);
    for (k, h) in m.handlers.iter().enumerate() {
        if m.handlers[..k].iter().any(|first| first.port == h.port) {
            bad(out, at, format!("two handlers of port {}", h.port));
        }
        let Some(port) = m.ports.get(h.port as usize) else {
            bad(
                out,
                at,
                format!("handler of port {} that is not there", h.port),
            );
            continue;
        };
        block(m, &h.block, Some(port.ty), at, out);
        if h.block.emit.is_some() && !serial {
            bad(
                out,
                at,
                format!(
                    "the handler of `{}` emits, which only serial programs may",
                    port.name
                ),
            );
        }
    }
}

/// What the blocks of something may read and store.
pub(super) trait Names {
    /// Type of a leaf operation's value; `None` if it may not stand here.
    fn leaf(&self, op: &Op) -> Option<Ty>;
    /// Type of a state that may be stored.
    fn stored(&self, state: u16) -> Option<Ty>;
}

struct Unit<'a> {
    m: &'a Model,
    arg: Option<Ty>,
}

impl Names for Unit<'_> {
    fn leaf(&self, op: &Op) -> Option<Ty> {
        let m = self.m;
        match *op {
            Op::Param(k) => m.params.get(k as usize).map(|p| p.ty),
            Op::State(k) => m.states.get(k as usize).map(|s| s.width.ty()),
            Op::Port(k) => {
                let open = m.ports.get(k as usize).filter(|_| m.handler(k).is_none());
                open.map(|p| match p.combine {
                    Combine::Or => Ty::Bool,
                    _ => p.ty,
                })
            }
            Op::Arg => self.arg,
            Op::Step | Op::Index => Some(Ty::I32),
            Op::Rand { .. } => Some(Ty::U32),
            _ => None,
        }
    }
    fn stored(&self, state: u16) -> Option<Ty> {
        self.m.states.get(state as usize).map(|s| s.width.ty())
    }
}

fn block(m: &Model, b: &Block, arg: Option<Ty>, at: &str, out: &mut Diagnostics) {
    if !well_typed(&Unit { m, arg }, b, at, out) {
        return;
    }
    if b.emit
        .is_some_and(|v| b.insts.get(v as usize).map(|i| i.ty) != Some(Ty::I32))
    {
        bad(out, at, "the emitted payload is not an I32".into());
    }
}

/// Checks instructions and stores; false when values do not come in order.
pub(super) fn well_typed(names: &impl Names, b: &Block, at: &str, out: &mut Diagnostics) -> bool {
    for (i, inst) in b.insts.iter().enumerate() {
        if inst.op.operands().any(|v| v as usize >= i) {
            bad(
                out,
                at,
                format!("instruction {i} reads a value that comes later"),
            );
            return false;
        }
        let t = |v: u32| b.insts[v as usize].ty;
        let want = match inst.op {
            Op::Const(c) => (inst.ty != Ty::Bool || c < 2).then_some(inst.ty),
            Op::Un(o, a) => unary_ty(o, t(a)),
            Op::Bin(o, a, c) => binary_ty(o, t(a), t(c)),
            Op::Select(c, a, e) => (t(c) == Ty::Bool && t(a) == t(e)).then(|| t(a)),
            Op::MulShift { a, b: c, shift, .. } => match (t(a), t(c)) {
                _ if shift > 63 => None,
                (Ty::U32, Ty::U32) => Some(Ty::U32),
                (Ty::I32 | Ty::U32, Ty::I32 | Ty::U32) => Some(Ty::I32),
                _ => None,
            },
            Op::Sat { a, bits } => (t(a) == Ty::I32 && (1..=32).contains(&bits)).then_some(Ty::I32),
            Op::Wrap { a, bits, .. } => {
                (matches!(t(a), Ty::I32 | Ty::U32) && (1..=32).contains(&bits)).then_some(inst.ty)
            }
            leaf => names.leaf(&leaf),
        };
        if want != Some(inst.ty) {
            bad(
                out,
                at,
                format!("instruction {i} ({:?}) cannot give {:?}", inst.op, inst.ty),
            );
        }
    }
    let mut stored = std::collections::BTreeSet::new();
    for &(s, v) in &b.stores {
        if !stored.insert(s) {
            bad(out, at, format!("a block stores state {s} twice"));
        }
        let value = b.insts.get(v as usize).map(|i| i.ty);
        if value.is_none() || names.stored(s) != value {
            bad(out, at, format!("the store to state {s} does not fit it"));
        }
    }
    true
}

fn unary_ty(o: UnOp, a: Ty) -> Option<Ty> {
    Some(match o {
        UnOp::Floor | UnOp::Sqrt | UnOp::Exp | UnOp::Log | UnOp::Sin | UnOp::Cos | UnOp::Tanh
            if a == Ty::F32 =>
        {
            a
        }
        UnOp::Neg | UnOp::Abs | UnOp::Sign if a != Ty::Bool => a,
        UnOp::Not if a != Ty::F32 => a,
        UnOp::ToF32 => Ty::F32,
        UnOp::ToI32 => Ty::I32,
        UnOp::ToU32 => Ty::U32,
        UnOp::ToBool => Ty::Bool,
        UnOp::Unit if a == Ty::U32 => Ty::F32,
        _ => return None,
    })
}

fn binary_ty(o: BinOp, a: Ty, b: Ty) -> Option<Ty> {
    if matches!(o, BinOp::Shl | BinOp::Shr) {
        return (b == Ty::I32 && matches!(a, Ty::I32 | Ty::U32)).then_some(a);
    }
    if a != b {
        return None;
    }
    match o {
        BinOp::Eq | BinOp::Ne => Some(Ty::Bool),
        BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge if a != Ty::Bool => Some(Ty::Bool),
        BinOp::And | BinOp::Or | BinOp::Xor if a != Ty::F32 => Some(a),
        BinOp::Pow => (a == Ty::F32).then_some(a),
        BinOp::Add
        | BinOp::Sub
        | BinOp::Mul
        | BinOp::Div
        | BinOp::Rem
        | BinOp::Min
        | BinOp::Max
            if a != Ty::Bool =>
        {
            Some(a)
        }
        _ => None,
    }
}
