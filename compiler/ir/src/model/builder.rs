//! Blocks written instruction by instruction, and parts of blocks.
//!
//! In: operations on earlier values. Out: a [`Block`] in which equal pure instructions are one, constants are folded and nothing is
//! left that nobody uses.

use super::{BinOp, Block, Inst, Op, Ty, UnOp, Value};

/// Writes a block instruction by instruction; equal pure instructions are shared and constants are folded by
/// [`crate::eval`], so lowering code may be naive.
#[derive(Debug, Default)]
pub struct BlockBuilder {
    block: Block,
    seen: std::collections::HashMap<Op, Value>,
}

impl BlockBuilder {
    /// An empty block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Type of a value made before.
    pub fn ty(&self, v: Value) -> Ty {
        self.block.insts[v as usize].ty
    }

    /// The bits of a value that is a constant.
    pub fn constant(&self, v: Value) -> Option<u32> {
        match self.block.insts[v as usize].op {
            Op::Const(c) => Some(c),
            _ => None,
        }
    }

    /// Appends an operation with a stated result type.
    pub fn push(&mut self, op: Op, ty: Ty) -> Value {
        if let Op::Bin(BinOp::Shl | BinOp::Shr, a, by) = op
            && self.constant(by) == Some(0)
            && matches!(ty, Ty::I32 | Ty::U32)
        {
            return a;
        }
        let foldable =
            op.operands().next().is_some() && op.operands().all(|v| self.constant(v).is_some());
        let op = if foldable {
            Op::Const(crate::eval::fold(&op, ty, &self.block.insts))
        } else {
            op
        };
        if let Some(&v) = self.seen.get(&op)
            && self.ty(v) == ty
        {
            return v;
        }
        let v = self.block.insts.len() as Value;
        self.block.insts.push(Inst { op, ty });
        self.seen.insert(op, v);
        v
    }

    /// An I32 constant.
    pub fn i32(&mut self, c: i32) -> Value {
        self.push(Op::Const(c as u32), Ty::I32)
    }
    /// A U32 constant.
    pub fn u32(&mut self, c: u32) -> Value {
        self.push(Op::Const(c), Ty::U32)
    }
    /// An F32 constant.
    pub fn f32(&mut self, c: f32) -> Value {
        self.push(Op::Const(c.to_bits()), Ty::F32)
    }
    /// A Bool constant.
    pub fn bool(&mut self, c: bool) -> Value {
        self.push(Op::Const(c as u32), Ty::Bool)
    }
    /// One-operand operation; the result type follows from the operation.
    pub fn un(&mut self, op: UnOp, a: Value) -> Value {
        let ty = match op {
            UnOp::ToF32 | UnOp::Unit => Ty::F32,
            UnOp::ToI32 => Ty::I32,
            UnOp::ToU32 => Ty::U32,
            UnOp::ToBool => Ty::Bool,
            _ => self.ty(a),
        };
        self.push(Op::Un(op, a), ty)
    }
    /// Two-operand operation; comparisons give Bool, the rest the first operand's type.
    pub fn bin(&mut self, op: BinOp, a: Value, b: Value) -> Value {
        let ty = match op {
            BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => Ty::Bool,
            _ => self.ty(a),
        };
        self.push(Op::Bin(op, a, b), ty)
    }
    /// `if c { a } else { b }`.
    pub fn select(&mut self, c: Value, a: Value, b: Value) -> Value {
        if a == b {
            return a;
        }
        match self.constant(c) {
            Some(0) => b,
            Some(_) => a,
            None => {
                let ty = self.ty(a);
                self.push(Op::Select(c, a, b), ty)
            }
        }
    }
    /// Sets the new value of a state (the last call for a state counts).
    pub fn store(&mut self, state: u16, v: Value) {
        match self.block.stores.iter_mut().find(|(s, _)| *s == state) {
            Some(slot) => slot.1 = v,
            None => self.block.stores.push((state, v)),
        }
    }
    /// Sets the payload that the block emits (I32; 0 is none).
    pub fn emit(&mut self, v: Value) {
        self.block.emit = Some(v);
    }
    /// The finished block, without instructions that nothing uses.
    pub fn finish(self) -> Block {
        self.block.part(|_| true, true)
    }
}

impl Block {
    /// The block that only stores the states that `keep` names, and emits only if asked to: what nothing uses is left out.
    pub fn part(&self, keep: impl Fn(u16) -> bool, emits: bool) -> Block {
        let insts = &self.insts;
        let stores: Vec<(u16, Value)> = (self.stores.iter().copied())
            .filter(|s| keep(s.0))
            .collect();
        let emit = self.emit.filter(|_| emits);
        let mut used = vec![false; insts.len()];
        for v in stores.iter().map(|s| s.1).chain(emit) {
            used[v as usize] = true;
        }
        for i in (0..insts.len()).rev() {
            if used[i] {
                insts[i].op.operands().for_each(|o| used[o as usize] = true);
            }
        }
        let mut to = vec![0 as Value; insts.len()];
        let mut out = Block::default();
        for (i, inst) in insts.iter().enumerate().filter(|(i, _)| used[*i]) {
            to[i] = out.insts.len() as Value;
            out.insts.push(Inst {
                op: inst.op.map(|v| to[v as usize]),
                ty: inst.ty,
            });
        }
        out.stores = stores.iter().map(|&(s, v)| (s, to[v as usize])).collect();
        out.stores.sort_unstable();
        out.emit = emit.map(|v| to[v as usize]);
        out
    }
}
