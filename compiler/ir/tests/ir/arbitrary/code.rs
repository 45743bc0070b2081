//! Random unit models whose blocks are well typed.

use super::Tape;
use synfire_ir::model::*;

#[derive(Clone, Copy)]
pub struct Shape {
    pub floats: bool,
    /// All ports have handlers, and units fire at most twice.
    pub serial: bool,
}

pub const TYPES: [Ty; 4] = [Ty::I32, Ty::U32, Ty::Bool, Ty::F32];
pub const WIDTHS: [Width; 9] = [
    Width::I32,
    Width::I16,
    Width::U8,
    Width::I24,
    Width::I8,
    Width::U16,
    Width::U32,
    Width::Bool,
    Width::F32,
];
pub const UNARY: [UnOp; 16] = [
    UnOp::Neg,
    UnOp::Not,
    UnOp::Abs,
    UnOp::Sign,
    UnOp::ToI32,
    UnOp::ToU32,
    UnOp::ToBool,
    UnOp::ToF32,
    UnOp::Unit,
    UnOp::Floor,
    UnOp::Sqrt,
    UnOp::Exp,
    UnOp::Log,
    UnOp::Sin,
    UnOp::Cos,
    UnOp::Tanh,
];
pub const BINARY: [BinOp; 19] = [
    BinOp::Add,
    BinOp::Sub,
    BinOp::Mul,
    BinOp::Div,
    BinOp::Rem,
    BinOp::Min,
    BinOp::Max,
    BinOp::And,
    BinOp::Or,
    BinOp::Xor,
    BinOp::Shl,
    BinOp::Shr,
    BinOp::Eq,
    BinOp::Ne,
    BinOp::Lt,
    BinOp::Le,
    BinOp::Gt,
    BinOp::Ge,
    BinOp::Pow,
];

pub fn model(t: &mut Tape, name: &str, shape: Shape) -> Model {
    let kinds = if shape.floats { 4 } else { 3 };
    let mut m = Model {
        name: name.into(),
        ..Model::default()
    };
    for i in 0..t.below(4) {
        let ty = TYPES[t.below(kinds) as usize];
        m.params.push(Param {
            name: format!("p{i}"),
            ty,
        });
    }
    for i in 0..1 + t.below(3) {
        let width = WIDTHS[t.below(if shape.floats { 9 } else { 8 }) as usize];
        m.states.push(State {
            name: format!("s{i}"),
            width,
        });
    }
    m.states.push(State {
        name: "fired".into(),
        width: Width::I32,
    });
    for i in 0..1 + t.below(3) {
        m.ports.push(port(t, i, shape));
    }
    for (i, s) in (0u16..).zip(&m.states) {
        if matches!(s.width.ty(), Ty::I32 | Ty::F32) && t.flip() {
            m.outputs.push(Output {
                name: format!("o{i}"),
                state: i,
            });
        }
    }
    let handled: Vec<u16> = (0..m.ports.len() as u16)
        .filter(|_| shape.serial || t.once_in(3))
        .collect();
    m.handlers = handled
        .iter()
        .map(|&port| Handler {
            port,
            block: Block::default(),
        })
        .collect();
    for k in 0..m.handlers.len() {
        let ty = m.ports[m.handlers[k].port as usize].ty;
        m.handlers[k].block = block(t, &m, Some(ty), shape);
    }
    m.step = block(t, &m, None, shape);
    m
}

fn port(t: &mut Tape, i: u32, shape: Shape) -> Port {
    let ty = if shape.floats && t.flip() {
        Ty::F32
    } else {
        Ty::I32
    };
    let combine = match t.below(5) {
        2 if ty == Ty::I32 => Combine::Or,
        3 => Combine::Max,
        4 if ty == Ty::I32 => Combine::SatSum(t.pick(&[1, 100, 65_535])),
        _ => Combine::Sum,
    };
    Port {
        name: format!("in{i}"),
        ty,
        combine,
    }
}

struct Writer<'t> {
    b: BlockBuilder,
    t: &'t mut Tape,
    values: Vec<Value>,
}

impl Writer<'_> {
    fn any(&mut self, ty: Ty) -> Value {
        let of = |w: &Self, v: &Value| w.b.ty(*v) == ty;
        let known: Vec<Value> = (self.values.iter().copied())
            .filter(|v| of(self, v))
            .collect();
        if !known.is_empty() && !self.t.once_in(5) {
            return self.t.pick(&known);
        }
        let bits = match ty {
            Ty::F32 => self.t.single(),
            Ty::Bool => self.t.below(2),
            _ => self.t.number() as u32,
        };
        self.b.push(Op::Const(bits), ty)
    }

    fn push(&mut self, op: Op, ty: Ty) -> Value {
        let v = self.b.push(op, ty);
        self.values.push(v);
        v
    }

    fn step(&mut self, floats: bool) {
        let tys = if floats { 4 } else { 3 };
        let ty = TYPES[self.t.below(tys) as usize];
        match self.t.below(6) {
            0 | 1 => self.binary(ty),
            2 => self.unary(ty, floats),
            3 => {
                let (c, a, b) = (self.any(Ty::Bool), self.any(ty), self.any(ty));
                let v = self.b.select(c, a, b);
                self.values.push(v);
            }
            4 => {
                let of = |i: bool| if i { Ty::I32 } else { Ty::U32 };
                let (i, j) = (self.t.flip(), self.t.flip());
                let (a, b) = (self.any(of(i)), self.any(of(j)));
                let shift = self.t.below(64) as u8;
                let round = self.t.pick(&[Round::Floor, Round::Zero]);
                self.push(Op::MulShift { a, b, shift, round }, of(i || j));
            }
            _ => {
                let bits = 1 + self.t.below(32) as u8;
                let a = self.any(Ty::I32);
                match self.t.flip() {
                    true => self.push(Op::Sat { a, bits }, Ty::I32),
                    false => {
                        let signed = self.t.flip();
                        self.push(Op::Wrap { a, bits, signed }, Ty::I32)
                    }
                };
            }
        }
    }

    fn binary(&mut self, ty: Ty) {
        use BinOp::*;
        let op = match ty {
            Ty::Bool => self.t.pick(&[And, Or, Xor, Eq, Ne]),
            Ty::F32 => self.t.pick(&[
                Add, Sub, Mul, Div, Rem, Min, Max, Pow, Eq, Ne, Lt, Le, Gt, Ge,
            ]),
            _ => BINARY[self.t.below(18) as usize],
        };
        let second = if matches!(op, Shl | Shr) { Ty::I32 } else { ty };
        let (a, b) = (self.any(ty), self.any(second));
        let v = self.b.bin(op, a, b);
        self.values.push(v);
    }

    fn unary(&mut self, ty: Ty, floats: bool) {
        use UnOp::*;
        let op = match ty {
            Ty::F32 => self
                .t
                .pick(&[Neg, Abs, Sign, Floor, Sqrt, Exp, Log, Sin, Cos, Tanh, ToI32]),
            Ty::Bool => self.t.pick(&[Not, ToI32, ToU32, ToBool]),
            _ if floats && self.t.once_in(3) => self.t.pick(&[ToF32, ToF32]),
            Ty::U32 if floats && self.t.once_in(3) => Unit,
            _ => self.t.pick(&[Neg, Not, Abs, Sign, ToI32, ToU32, ToBool]),
        };
        let a = self.any(ty);
        let v = self.b.un(op, a);
        self.values.push(v);
    }
}

fn block(t: &mut Tape, m: &Model, arg: Option<Ty>, shape: Shape) -> Block {
    let mut w = Writer {
        b: BlockBuilder::new(),
        t,
        values: vec![],
    };
    w.push(Op::Step, Ty::I32);
    w.push(Op::Index, Ty::I32);
    for (i, p) in (0u16..).zip(&m.params) {
        w.push(Op::Param(i), p.ty);
    }
    for (i, s) in (0u16..).zip(&m.states) {
        w.push(Op::State(i), s.width.ty());
    }
    for (i, p) in (0u16..).zip(&m.ports) {
        if m.handler(i).is_none() && !shape.serial {
            let ty = if p.combine == Combine::Or {
                Ty::Bool
            } else {
                p.ty
            };
            w.push(Op::Port(i), ty);
        }
    }
    if let Some(ty) = arg {
        w.push(Op::Arg, ty);
    }
    if w.t.flip() {
        let site = w.t.below(3) as u16;
        w.push(Op::Rand { site }, Ty::U32);
    }
    for _ in 0..w.t.below(12) {
        w.step(shape.floats);
    }
    let last = m.states.len() as u16 - 1;
    for (i, s) in (0..last).zip(&m.states) {
        if w.t.flip() {
            let v = w.any(s.width.ty());
            w.b.store(i, v);
        }
    }
    if shape.serial || arg.is_none() {
        emit(&mut w, last);
    }
    w.b.finish()
}

/// Emits under a condition, twice at most.
fn emit(w: &mut Writer, counter: u16) {
    let cond = w.any(Ty::Bool);
    let fired = w.b.push(Op::State(counter), Ty::I32);
    let limit = w.b.i32(2);
    let may = w.b.bin(BinOp::Lt, fired, limit);
    let fire = w.b.bin(BinOp::And, cond, may);
    let one = w.b.un(UnOp::ToI32, fire);
    let next = w.b.bin(BinOp::Add, fired, one);
    w.b.store(counter, next);
    w.b.emit(one);
}
