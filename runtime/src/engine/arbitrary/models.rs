//! Random unit models: straight-line blocks over all operations, written with the block builder.
//!
//! In: the tape, and what the block may read. Out: a [`Model`] whose blocks are well typed. A model that must come to rest
//! (`bounded`) has a last state that counts its emissions and stops them at a limit.

use super::Tape;
use synfire_ir::model::{
    BinOp, Block, BlockBuilder, Combine, Handler, Model, Op, Output, Param, Port, Round, State, Ty,
    UnOp, Value, Width,
};

/// What kinds of model to make.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub floats: bool,
    pub serial: bool,
    /// Emissions of a unit are limited to this number.
    pub bounded: Option<i32>,
}

pub(super) const INT_WIDTHS: [Width; 8] = [
    Width::I32,
    Width::I16,
    Width::U8,
    Width::I24,
    Width::I8,
    Width::U16,
    Width::U32,
    Width::Bool,
];

pub(super) fn model(tape: &mut Tape, name: &str, shape: Shape) -> Model {
    let mut m = Model {
        name: name.into(),
        ..Model::default()
    };
    for i in 0..tape.below(4) {
        let ty = ty(tape, shape);
        m.params.push(Param {
            name: format!("p{i}"),
            ty,
        });
    }
    for i in 0..1 + tape.below(4) {
        let width = match shape.floats && tape.below(2) == 1 {
            true => Width::F32,
            false => tape.pick(&INT_WIDTHS),
        };
        m.states.push(State {
            name: format!("s{i}"),
            width,
        });
    }
    if shape.bounded.is_some() {
        m.states.push(State {
            name: "fired".into(),
            width: Width::I32,
        });
    }
    for i in 0..1 + tape.below(3) {
        m.ports.push(port(tape, i, shape));
    }
    if !shape.serial {
        outputs(tape, &mut m);
    }
    for k in 0..m.ports.len() as u16 {
        if shape.serial || tape.once_in(4) {
            m.handlers.push(Handler {
                port: k,
                block: Block::default(),
            });
        }
    }
    for k in 0..m.handlers.len() {
        let arg = m.ports[m.handlers[k].port as usize].ty;
        m.handlers[k].block = block(tape, &m, Some(arg), shape);
    }
    m.step = block(tape, &m, None, shape);
    m
}

fn ty(tape: &mut Tape, shape: Shape) -> Ty {
    if shape.floats && tape.below(2) == 1 {
        return Ty::F32;
    }
    tape.pick(&[Ty::I32, Ty::I32, Ty::U32, Ty::Bool])
}

fn port(tape: &mut Tape, i: u32, shape: Shape) -> Port {
    let ty = match shape.floats && tape.below(2) == 1 {
        true => Ty::F32,
        false => Ty::I32,
    };
    let combine = match tape.below(6) {
        3 if ty == Ty::I32 => Combine::Or,
        4 => Combine::Max,
        5 if ty == Ty::I32 => Combine::SatSum(tape.pick(&[1, 3, 100, 65535])),
        _ => Combine::Sum,
    };
    Port {
        name: format!("in{i}"),
        ty,
        combine,
    }
}

fn outputs(tape: &mut Tape, m: &mut Model) {
    for (i, s) in m.states.iter().enumerate() {
        if matches!(s.width.ty(), Ty::I32 | Ty::F32) && tape.once_in(4) {
            m.outputs.push(Output {
                name: format!("o{i}"),
                state: i as u16,
            });
        }
    }
}

/// A block under construction with the values of each type that it has so far.
pub(super) struct Writer<'t> {
    pub b: BlockBuilder,
    pub tape: &'t mut Tape,
    values: Vec<Value>,
}

impl<'t> Writer<'t> {
    pub fn new(tape: &'t mut Tape) -> Self {
        Writer {
            b: BlockBuilder::new(),
            tape,
            values: vec![],
        }
    }

    /// Something that the block may read.
    pub fn leaf(&mut self, op: Op, ty: Ty) {
        let v = self.b.push(op, ty);
        self.values.push(v);
    }

    /// A value of a type.
    pub fn any(&mut self, ty: Ty) -> Value {
        let of: Vec<Value> = (self.values.iter().copied())
            .filter(|&v| self.b.ty(v) == ty)
            .collect();
        if of.is_empty() || self.tape.once_in(6) {
            let bits = match ty {
                Ty::F32 => self.tape.real(),
                Ty::Bool => self.tape.below(2),
                _ => self.tape.number() as u32,
            };
            return self.b.push(Op::Const(bits), ty);
        }
        self.tape.pick(&of)
    }

    fn leaves(&mut self, m: &Model, arg: Option<Ty>, serial: bool) {
        let mut leaves: Vec<(Op, Ty)> = vec![(Op::Step, Ty::I32), (Op::Index, Ty::I32)];
        leaves.extend((0..).zip(&m.params).map(|(i, p)| (Op::Param(i), p.ty)));
        leaves.extend(
            (0..)
                .zip(&m.states)
                .map(|(i, s)| (Op::State(i), s.width.ty())),
        );
        for (i, p) in (0..).zip(&m.ports) {
            if m.handler(i).is_none() && !serial {
                let or = p.combine == Combine::Or;
                leaves.push((Op::Port(i), if or { Ty::Bool } else { p.ty }));
            }
        }
        leaves.extend(arg.map(|ty| (Op::Arg, ty)));
        if self.tape.once_in(3) {
            let site = self.tape.below(3) as u16;
            leaves.push((Op::Rand { site }, Ty::U32));
        }
        leaves.into_iter().for_each(|(op, ty)| self.leaf(op, ty));
    }

    /// One more operation.
    pub fn op(&mut self, floats: bool) {
        let kinds = if floats { 10 } else { 8 };
        let v = match self.tape.below(kinds) {
            0 | 1 => self.binary(Ty::I32),
            2 => self.binary(Ty::U32),
            3 => self.unary(),
            4 => {
                let ty = self
                    .tape
                    .pick(&[Ty::I32, Ty::I32, Ty::U32, Ty::Bool, Ty::F32]);
                let ty = if floats || ty != Ty::F32 { ty } else { Ty::I32 };
                let (c, a, e) = (self.any(Ty::Bool), self.any(ty), self.any(ty));
                self.b.select(c, a, e)
            }
            5 => self.mul_shift(),
            6 => self.narrow(),
            7 => {
                let op = self
                    .tape
                    .pick(&[BinOp::And, BinOp::Or, BinOp::Xor, BinOp::Eq, BinOp::Ne]);
                let (a, b) = (self.any(Ty::Bool), self.any(Ty::Bool));
                self.b.bin(op, a, b)
            }
            8 => self.float_unary(),
            _ => self.float_binary(),
        };
        self.values.push(v);
    }

    fn binary(&mut self, ty: Ty) -> Value {
        use BinOp::*;
        let op = self.tape.pick(&[
            Add, Sub, Lt, Ge, Mul, Div, Rem, Min, Max, And, Or, Xor, Shl, Shr, Eq, Ne, Le, Gt,
        ]);
        let a = self.any(ty);
        let b = self.any(if matches!(op, Shl | Shr) { Ty::I32 } else { ty });
        self.b.bin(op, a, b)
    }

    fn unary(&mut self) -> Value {
        use UnOp::*;
        let ty = self.tape.pick(&[Ty::I32, Ty::U32]);
        let op = self.tape.pick(&[Neg, Not, Abs, Sign, ToBool, ToI32, ToU32]);
        let a = match op {
            Not | ToI32 | ToU32 if self.tape.below(3) == 2 => self.any(Ty::Bool),
            _ => self.any(ty),
        };
        self.b.un(op, a)
    }

    fn mul_shift(&mut self) -> Value {
        let (ta, tb) = (self.tape.below(2), self.tape.below(2));
        let of = |t: u32| if t == 0 { Ty::I32 } else { Ty::U32 };
        let (a, b) = (self.any(of(ta)), self.any(of(tb)));
        let ty = of(ta & tb);
        let shift = self.tape.below(64) as u8;
        let round = self.tape.pick(&[Round::Floor, Round::Zero]);
        self.b.push(Op::MulShift { a, b, shift, round }, ty)
    }

    fn narrow(&mut self) -> Value {
        let bits = 1 + self.tape.below(32) as u8;
        match self.tape.below(3) {
            0 => {
                let a = self.any(Ty::I32);
                self.b.push(Op::Sat { a, bits }, Ty::I32)
            }
            k => {
                let ty = if k == 1 { Ty::I32 } else { Ty::U32 };
                let a = self.any(ty);
                let signed = self.tape.below(2) == 0;
                self.b.push(Op::Wrap { a, bits, signed }, ty)
            }
        }
    }

    fn float_unary(&mut self) -> Value {
        use UnOp::*;
        let op = self.tape.pick(&[
            Neg, Abs, Sign, Floor, Sqrt, Exp, Log, Sin, Cos, Tanh, ToI32, ToU32, ToBool, ToF32,
            Unit,
        ]);
        let a = match op {
            Unit => self.any(Ty::U32),
            ToF32 => {
                let ty = self.tape.pick(&[Ty::I32, Ty::U32, Ty::Bool]);
                self.any(ty)
            }
            _ => self.any(Ty::F32),
        };
        self.b.un(op, a)
    }

    fn float_binary(&mut self) -> Value {
        use BinOp::*;
        let op = self.tape.pick(&[
            Add, Sub, Mul, Div, Rem, Min, Max, Pow, Eq, Ne, Lt, Le, Gt, Ge, Add, Mul,
        ]);
        let (a, b) = (self.any(Ty::F32), self.any(Ty::F32));
        self.b.bin(op, a, b)
    }

    /// A value that fits a width.
    fn fitting(&mut self, width: Width) -> Value {
        let a = self.any(width.ty());
        let (bits, signed) = match width {
            Width::I8 => (8, true),
            Width::I16 => (16, true),
            Width::I24 => (24, true),
            Width::U8 => (8, false),
            Width::U16 => (16, false),
            _ => return a,
        };
        self.b.push(Op::Wrap { a, bits, signed }, Ty::I32)
    }

    /// Emits a small payload when some condition holds and the limit allows it.
    fn emit(&mut self, m: &Model, bounded: Option<i32>) {
        let mut cond = self.any(Ty::Bool);
        if let Some(limit) = bounded {
            let slot = (m.states.len() - 1) as u16;
            let fired = self.b.push(Op::State(slot), Ty::I32);
            let limit = self.b.i32(limit);
            let may = self.b.bin(BinOp::Lt, fired, limit);
            cond = self.b.bin(BinOp::And, cond, may);
            let one = self.b.un(UnOp::ToI32, cond);
            let next = self.b.bin(BinOp::Add, fired, one);
            self.b.store(slot, next);
        }
        let payload = match self.tape.below(3) {
            0 => self.b.i32(1),
            1 => {
                let n = self.tape.number();
                self.b.i32(n)
            }
            _ => self.any(Ty::I32),
        };
        let none = self.b.i32(0);
        let v = self.b.select(cond, payload, none);
        self.b.emit(v);
    }
}

fn block(tape: &mut Tape, m: &Model, arg: Option<Ty>, shape: Shape) -> Block {
    let mut w = Writer::new(tape);
    w.leaves(m, arg, shape.serial);
    for _ in 0..w.tape.below(16) {
        w.op(shape.floats);
    }
    for (s, state) in (0..).zip(&m.states) {
        let counter = shape.bounded.is_some() && s as usize == m.states.len() - 1;
        if !counter && w.tape.below(3) != 2 {
            let v = w.fitting(state.width);
            w.b.store(s, v);
        }
    }
    if (shape.serial || arg.is_none()) && w.tape.below(5) != 4 {
        w.emit(m, shape.bounded);
    }
    w.b.finish()
}
