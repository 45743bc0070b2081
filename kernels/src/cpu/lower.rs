//! From a block of the step IR to a [`Kernel`]: constants of the group are folded in, values equal in all lanes are set
//! apart, and the rest get lane registers.
//!
//! In: a checked block of a model and the words of parameters and states that one group holds constant. Out: a kernel.
//! Invariants: an instruction never writes a register that it reads; stored and emitted values are registers or scalars,
//! never leaves, so that stores cannot disturb one another.

use super::fuse::fuse;
use super::kernel::{Emit, Instr, Kernel, LaneOp, Leaf, Src};
use super::ops::{self, Product};
use synfire_ir::eval::{Reads, run_block};
use synfire_ir::model::{BinOp, Block, BlockBuilder, Combine, Inst, Model, Op, Ty, UnOp, Value};

/// What is the same for all units of the group, and never changes.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// For each parameter of the model, its word if all units share it.
    pub params: Vec<Option<u32>>,
    /// For each state, its word if all units share it and no block stores it.
    pub states: Vec<Option<u32>>,
}

impl Fixed {
    /// From the columns of a group; `None` marks a column with a word for each unit.
    pub fn new(m: &Model, params: Vec<Option<u32>>, init: Vec<Option<u32>>) -> Self {
        let blocks = || std::iter::once(&m.step).chain(m.handlers.iter().map(|h| &h.block));
        let stored = |s: usize| blocks().any(|b| b.stores.iter().any(|st| st.0 as usize == s));
        let states = (init.into_iter().enumerate())
            .map(|(s, w)| w.filter(|_| !stored(s)))
            .collect();
        Fixed { params, states }
    }
}

/// Most comparisons that one count takes together.
const MOST_COUNTED: usize = 64;

/// Compiles a block of `m` for lanes.
pub fn lower(m: &Model, block: &Block, fixed: &Fixed) -> Kernel {
    let block = specialise(block, fixed);
    let mut l = Lowering {
        m,
        block: &block,
        at: vec![],
        kernel: Kernel::default(),
        code: vec![],
    };
    l.values();
    l.effects();
    let Lowering {
        mut kernel,
        mut code,
        ..
    } = l;
    let Kernel {
        uniform,
        stores,
        emit,
        ..
    } = &mut kernel;
    let stored = stores.iter_mut().map(|s| &mut s.1);
    let mut kept: Vec<&mut Src> = stored.chain(emit.as_mut().map(|e| &mut e.src)).collect();
    fuse(&mut code, uniform, &mut kept);
    allocate(&mut kernel, code);
    kernel
}

/// The block with the group's constants in place, folded.
fn specialise(block: &Block, fixed: &Fixed) -> Block {
    let mut b = BlockBuilder::new();
    let mut to: Vec<Value> = Vec::with_capacity(block.insts.len());
    let word = |list: &[Option<u32>], i: u16| list.get(i as usize).copied().flatten();
    for inst in &block.insts {
        let op = match inst.op {
            Op::Param(i) => word(&fixed.params, i).map_or(inst.op, Op::Const),
            Op::State(i) => word(&fixed.states, i).map_or(inst.op, Op::Const),
            other => other.map(|v| to[v as usize]),
        };
        let v = shorter(&mut b, op, inst.ty);
        to.push(v);
    }
    for &(s, v) in &block.stores {
        b.store(s, to[v as usize]);
    }
    if let Some(v) = block.emit {
        b.emit(to[v as usize]);
    }
    b.finish()
}

/// Appends an operation, or returns the operand that it leaves as it is.
fn shorter(b: &mut BlockBuilder, op: Op, ty: Ty) -> Value {
    let is = |b: &BlockBuilder, v, word| b.constant(v) == Some(word);
    match op {
        Op::Select(c, a, e) => b.select(c, a, e),
        Op::Sat { a, bits: 32 } => a,
        Op::Wrap { a, bits: 32, .. } if b.ty(a) == ty => a,
        Op::Bin(BinOp::And, a, c) if ty == Ty::Bool && is(b, a, 1) => c,
        Op::Bin(BinOp::And, a, c) if ty == Ty::Bool && is(b, c, 1) => a,
        Op::Bin(BinOp::Or, a, c) if ty == Ty::Bool && is(b, a, 0) => c,
        Op::Bin(BinOp::Or, a, c) if ty == Ty::Bool && is(b, c, 0) => a,
        Op::Bin(BinOp::And, a, c) if ty == Ty::Bool && (is(b, a, 0) || is(b, c, 0)) => {
            b.bool(false)
        }
        Op::Bin(BinOp::Add, a, c) if ty == Ty::I32 && is(b, a, 0) => c,
        Op::Bin(BinOp::Add | BinOp::Sub, a, c) if ty == Ty::I32 && is(b, c, 0) => a,
        _ => b.push(op, ty),
    }
}

/// A lane instruction whose result is not yet in a register: `Src::Reg(i)` means the result of instruction `i`.
struct Lowering<'a> {
    m: &'a Model,
    block: &'a Block,
    at: Vec<Src>,
    kernel: Kernel,
    code: Vec<LaneOp>,
}

struct AtStep(u32);

impl Reads for AtStep {
    fn param(&self, _: u16) -> u32 {
        0
    }
    fn state(&self, _: u16) -> u32 {
        0
    }
    fn port(&self, _: u16) -> u32 {
        0
    }
    fn arg(&self) -> u32 {
        0
    }
    fn step(&self) -> u32 {
        self.0
    }
    fn index(&self) -> u32 {
        0
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}

/// Evaluates the scalars of a kernel for a step.
pub(crate) fn scalars(block: &Block, step: u32, out: &mut Vec<u32>) {
    run_block(block, &AtStep(step), out);
}

impl Lowering<'_> {
    fn values(&mut self) {
        for inst in &self.block.insts {
            let src = match inst.op {
                Op::Const(_) | Op::Step => self.scalar(*inst),
                Op::Param(i) => self.leaf(Leaf::Param(i)),
                Op::State(i) => self.leaf(Leaf::State(i)),
                Op::Arg => self.leaf(Leaf::Arg),
                Op::Port(i) => self.port(i),
                Op::Index => self.emit(LaneOp::Index),
                Op::Rand { site } => self.emit(LaneOp::Rand(site)),
                op if op.operands().all(|v| self.is_scalar(v)) => self.scalar(*inst),
                // Words of integers and truth values are the same in each of these types.
                Op::Un(UnOp::ToI32 | UnOp::ToU32, a) if self.ty(a) != Ty::F32 => {
                    self.at[a as usize]
                }
                Op::Un(UnOp::ToBool, a) if self.ty(a) == Ty::Bool => self.at[a as usize],
                op => {
                    let lane = self.count(op).unwrap_or_else(|| self.lane_op(op));
                    self.emit(lane)
                }
            };
            self.at.push(src);
        }
    }

    fn ty(&self, v: Value) -> Ty {
        self.block.insts[v as usize].ty
    }

    /// A sum of truth values that compare one operand with scalars, as a single operation.
    fn count(&mut self, op: Op) -> Option<LaneOp> {
        let Op::Bin(BinOp::Add, a, b) = op else {
            return None;
        };
        let (a, b) = (self.compared(a)?, self.compared(b)?);
        let list = [a.1, b.1].concat();
        if a.0 != b.0 || list.len() > MOST_COUNTED {
            return None;
        }
        self.kernel.tables.push(list);
        let (o, ty, src) = a.0;
        Some(LaneOp::Count(
            o,
            ty,
            src,
            self.kernel.tables.len() as u32 - 1,
        ))
    }

    /// The comparison and the scalars, if the value is a comparison with a scalar or a count of such.
    fn compared(&self, v: Value) -> Option<((BinOp, Ty, Src), Vec<u32>)> {
        let Src::Reg(i) = self.at[v as usize] else {
            return None;
        };
        match self.code[i as usize] {
            LaneOp::Bin(o, ty, a, Src::Scalar(t)) if ops::is_order(o) => {
                Some(((o, ty, a), vec![t]))
            }
            LaneOp::Count(o, ty, a, k) => {
                Some(((o, ty, a), self.kernel.tables[k as usize].clone()))
            }
            _ => None,
        }
    }

    fn is_scalar(&self, v: Value) -> bool {
        matches!(self.at[v as usize], Src::Scalar(_))
    }

    fn emit(&mut self, op: LaneOp) -> Src {
        self.code.push(op);
        Src::Reg(self.code.len() as u32 - 1)
    }

    fn leaf(&mut self, leaf: Leaf) -> Src {
        let known = self.kernel.leaves.iter().position(|l| *l == leaf);
        let i = known.unwrap_or_else(|| {
            self.kernel.leaves.push(leaf);
            self.kernel.leaves.len() - 1
        });
        Src::Leaf(i as u32)
    }

    /// The combined arrivals, from the raw accumulator.
    fn port(&mut self, i: u16) -> Src {
        let raw = self.leaf(Leaf::Port(i));
        match self.m.ports[i as usize].combine {
            Combine::Or => self.emit(LaneOp::Un(UnOp::ToBool, Ty::U32, raw)),
            Combine::SatSum(top) => {
                let top = self.scalar(Inst {
                    op: Op::Const(top),
                    ty: Ty::U32,
                });
                self.emit(LaneOp::Bin(BinOp::Min, Ty::U32, raw, top))
            }
            _ => raw,
        }
    }

    /// Appends to the instructions that are evaluated once for all lanes.
    fn scalar(&mut self, inst: Inst) -> Src {
        let to = |v: Value| match self.at[v as usize] {
            Src::Scalar(i) => i,
            _ => 0,
        };
        let op = inst.op.map(to);
        let list = &mut self.kernel.uniform.insts;
        list.push(Inst { op, ty: inst.ty });
        Src::Scalar(list.len() as u32 - 1)
    }

    fn lane_op(&self, op: Op) -> LaneOp {
        let at = |v: Value| self.at[v as usize];
        let ty = |v: Value| self.block.insts[v as usize].ty;
        match op {
            Op::Un(o, a) => LaneOp::Un(o, ty(a), at(a)),
            Op::Bin(o, a, b) => LaneOp::Bin(o, ty(a), at(a), at(b)),
            Op::Select(c, a, b) => LaneOp::Select(at(c), at(a), at(b)),
            Op::MulShift { a, b, shift, round } => {
                let signed = (ty(a) == Ty::I32, ty(b) == Ty::I32);
                let product = Product {
                    signed,
                    shift,
                    round,
                };
                LaneOp::MulShift(product, at(a), at(b))
            }
            Op::Sat { a, bits } => LaneOp::Sat(bits, at(a)),
            Op::Wrap { a, bits, signed } => LaneOp::Wrap(bits, signed, at(a)),
            // The leaves have been told apart before.
            _ => LaneOp::Index,
        }
    }

    fn effects(&mut self) {
        for &(s, v) in &self.block.stores {
            if matches!(self.block.insts[v as usize].op, Op::State(same) if same == s) {
                continue;
            }
            let src = self.settled(v);
            self.kernel.stores.push((s, src));
        }
        let Some(v) = self.block.emit else { return };
        let word = |v: Value| match self.block.insts[v as usize].op {
            Op::Const(c) => Some(c),
            _ => None,
        };
        self.kernel.emit = match self.block.insts[v as usize].op {
            Op::Const(0) => None,
            Op::Select(c, a, b) if word(a) == Some(1) && word(b) == Some(0) => Some(Emit {
                src: self.settled(c),
                spikes: true,
            }),
            _ => Some(Emit {
                src: self.settled(v),
                spikes: false,
            }),
        };
    }

    /// The value in a register or scalar.
    fn settled(&mut self, v: Value) -> Src {
        match self.at[v as usize] {
            leaf @ Src::Leaf(_) => self.emit(LaneOp::Move(leaf)),
            other => other,
        }
    }
}

/// For each instruction the last one that reads its result: `usize::MAX` if the result is kept, 0 if nothing needs it.
fn last_reads(kernel: &Kernel, code: &[LaneOp]) -> Vec<usize> {
    let mut last = vec![0usize; code.len()];
    let kept = kernel.stores.iter().map(|s| s.1);
    for src in kept.chain(kernel.emit.map(|e| e.src)) {
        if let Src::Reg(r) = src {
            last[r as usize] = usize::MAX;
        }
    }
    for (i, op) in code.iter().enumerate().rev() {
        // Results that come together are needed together.
        if let LaneOp::Threshold(_, 2) = op {
            let three = &mut last[i - 2..=i];
            if three.iter().any(|&l| l > 0) {
                three.iter_mut().for_each(|l| *l = (*l).max(i));
            }
        }
        if last[i] > 0 {
            op.sources(|s| {
                if let Src::Reg(r) = s {
                    last[r as usize] = last[r as usize].max(i);
                }
            });
        }
    }
    last
}

/// The instruction that may write its result straight into state `s`, which takes the result `src`: nothing else reads the
/// result, and nothing reads the old state from there on, but a threshold that changes it.
fn in_place(
    kernel: &Kernel,
    (code, last): (&[LaneOp], &[usize]),
    (s, src): (u16, Src),
) -> Option<usize> {
    let Src::Reg(r) = src else { return None };
    let stores = kernel.stores.iter().filter(|x| x.1 == src).count();
    let emitted = kernel.emit.is_some_and(|e| e.src == src);
    let (mut result, mut old) = (false, None);
    for (i, op) in code.iter().enumerate().filter(|(i, _)| last[*i] > 0) {
        op.sources(|x| {
            result |= x == src;
            if let Src::Leaf(l) = x
                && kernel.leaves[l as usize] == Leaf::State(s)
            {
                old = Some(i);
            }
        });
    }
    let r = r as usize;
    // All three instructions of a threshold read its operands; they run as one.
    let (end, own) = match &code[r] {
        LaneOp::Threshold(t, part) => {
            let leaf =
                |x: Src| matches!(x, Src::Leaf(l) if kernel.leaves[l as usize] == Leaf::State(s));
            let others = match part {
                1 => leaf(t.count) || leaf(t.new),
                2 => leaf(t.old) || leaf(t.new),
                _ => true,
            };
            (r - *part as usize + 2, !others)
        }
        _ => (r, false),
    };
    let free = old.is_none_or(|i| i < r.min(end) || own && i <= end);
    (stores == 1 && !emitted && !result && free).then_some(r)
}

/// Puts the results of `code` that are needed into as few registers as a linear scan finds.
fn allocate(kernel: &mut Kernel, code: Vec<LaneOp>) {
    let last = last_reads(kernel, &code);
    let mut place: Vec<Option<u16>> = vec![None; code.len()];
    for &store in &kernel.stores {
        match in_place(kernel, (&code, &last), store) {
            Some(i) => place[i] = Some(store.0),
            None => kernel.copied.push(store),
        }
    }
    let mut home = vec![0u32; code.len()];
    let mut free: Vec<u32> = vec![];
    for (i, op) in code.into_iter().enumerate().filter(|(i, _)| last[*i] > 0) {
        let dst = free.pop().unwrap_or_else(|| {
            kernel.registers += 1;
            kernel.registers as u32 - 1
        });
        home[i] = dst;
        op.sources(|s| match s {
            Src::Reg(r) if last[r as usize] == i && !free.contains(&home[r as usize]) => {
                free.push(home[r as usize]);
            }
            _ => {}
        });
        let op = op.map(|s| match s {
            Src::Reg(r) => Src::Reg(home[r as usize]),
            other => other,
        });
        let home = place[i];
        kernel.code.push(Instr { dst, op, home });
    }
    let settle = |s: &mut Src| {
        if let Src::Reg(r) = s {
            *r = home[*r as usize];
        }
    };
    kernel.stores.iter_mut().for_each(|s| settle(&mut s.1));
    kernel.copied.iter_mut().for_each(|s| settle(&mut s.1));
    if let Some(e) = &mut kernel.emit {
        settle(&mut e.src);
    }
}
