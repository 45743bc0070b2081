//! Text of step code: `%2 = add.f32 %0, %1`, one instruction a line; what follows the last dot is the type of the result.

use super::number::Word;
use super::print::Printer;
use super::scan::{Scanner, Token};
use super::{Names, ORDER, RANGE};
use crate::diag::Diagnostics;
use crate::model::{BinOp, Block, Inst, Op, Round, Ty, UnOp, Value};
use std::fmt;

/// What a block may name.
pub(super) struct Scope {
    pub params: Names,
    pub states: Names,
    pub ports: Names,
}

const TYPES: [Ty; 4] = [Ty::F32, Ty::I32, Ty::U32, Ty::Bool];
const UNARY: [UnOp; 16] = [
    UnOp::Neg,
    UnOp::Not,
    UnOp::Abs,
    UnOp::Sign,
    UnOp::Floor,
    UnOp::Sqrt,
    UnOp::Exp,
    UnOp::Log,
    UnOp::Sin,
    UnOp::Cos,
    UnOp::Tanh,
    UnOp::ToF32,
    UnOp::ToI32,
    UnOp::ToU32,
    UnOp::ToBool,
    UnOp::Unit,
];
const BINARY: [BinOp; 19] = [
    BinOp::Add,
    BinOp::Sub,
    BinOp::Mul,
    BinOp::Div,
    BinOp::Rem,
    BinOp::Min,
    BinOp::Max,
    BinOp::Pow,
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
];

pub(super) fn ty_name(ty: Ty) -> &'static str {
    match ty {
        Ty::F32 => "f32",
        Ty::I32 => "i32",
        Ty::U32 => "u32",
        Ty::Bool => "bool",
    }
}

pub(super) fn ty_of(name: &str) -> Option<Ty> {
    TYPES.into_iter().find(|t| ty_name(*t) == name)
}

fn unary_name(op: UnOp) -> &'static str {
    match op {
        UnOp::Neg => "neg",
        UnOp::Not => "not",
        UnOp::Abs => "abs",
        UnOp::Sign => "sign",
        UnOp::Floor => "floor",
        UnOp::Sqrt => "sqrt",
        UnOp::Exp => "exp",
        UnOp::Log => "log",
        UnOp::Sin => "sin",
        UnOp::Cos => "cos",
        UnOp::Tanh => "tanh",
        UnOp::ToF32 => "to_f32",
        UnOp::ToI32 => "to_i32",
        UnOp::ToU32 => "to_u32",
        UnOp::ToBool => "to_bool",
        UnOp::Unit => "unit",
    }
}

fn binary_name(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "add",
        BinOp::Sub => "sub",
        BinOp::Mul => "mul",
        BinOp::Div => "div",
        BinOp::Rem => "rem",
        BinOp::Min => "min",
        BinOp::Max => "max",
        BinOp::Pow => "pow",
        BinOp::And => "and",
        BinOp::Or => "or",
        BinOp::Xor => "xor",
        BinOp::Shl => "shl",
        BinOp::Shr => "shr",
        BinOp::Eq => "eq",
        BinOp::Ne => "ne",
        BinOp::Lt => "lt",
        BinOp::Le => "le",
        BinOp::Gt => "gt",
        BinOp::Ge => "ge",
    }
}

fn round_name(r: Round) -> &'static str {
    match r {
        Round::Floor => "floor",
        Round::Zero => "zero",
    }
}

struct Code<'a>(&'a Inst, &'a Scope);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Inst { op, ty }, scope) = (*self.0, self.1);
        let t = ty_name(ty);
        match op {
            Op::Const(c) => write!(f, "const.{t} {}", Word(c, Some(ty))),
            Op::Param(i) => write!(f, "param.{t} {}", scope.params.show(i)),
            Op::State(i) => write!(f, "state.{t} {}", scope.states.show(i)),
            Op::Port(i) => write!(f, "port.{t} {}", scope.ports.show(i)),
            Op::Arg => write!(f, "arg.{t}"),
            Op::Step => write!(f, "step.{t}"),
            Op::Index => write!(f, "index.{t}"),
            Op::Un(o, a) => write!(f, "{}.{t} %{a}", unary_name(o)),
            Op::Bin(o, a, b) => write!(f, "{}.{t} %{a}, %{b}", binary_name(o)),
            Op::Select(c, a, b) => write!(f, "select.{t} %{c}, %{a}, %{b}"),
            Op::MulShift { a, b, shift, round } => {
                write!(
                    f,
                    "mul_shift.{t} %{a}, %{b}, {shift}, {}",
                    round_name(round)
                )
            }
            Op::Sat { a, bits } => write!(f, "sat.{t} %{a}, {bits}"),
            Op::Wrap { a, bits, signed } => {
                let kind = if signed { "signed" } else { "unsigned" };
                write!(f, "wrap.{t} %{a}, {bits}, {kind}")
            }
            Op::Rand { site } => write!(f, "rand.{t} {site}"),
        }
    }
}

/// The lines of a block, without its braces.
pub(super) fn print_block(p: &mut Printer, b: &Block, scope: &Scope) {
    for (i, inst) in b.insts.iter().enumerate() {
        p.line(format_args!("%{i} = {}", Code(inst, scope)));
    }
    for &(s, v) in &b.stores {
        p.line(format_args!("store {}, %{v}", scope.states.show(s)));
    }
    if let Some(v) = b.emit {
        p.line(format_args!("emit %{v}"));
    }
}

/// A block with its braces.
pub(super) fn parse_block(s: &mut Scanner, scope: &Scope) -> Result<Block, Diagnostics> {
    let mut b = Block::default();
    s.braces(|s| {
        if s.eat_word("store") {
            let state = scope.states.read(s)?;
            s.mark(",")?;
            b.stores.push((state, value(s)?));
        } else if s.peek() == Token::Word("emit") {
            if b.emit.is_some() {
                return Err(s
                    .fault(ORDER, "a block emits once")
                    .hint("select between the payloads")
                    .into());
            }
            s.bump();
            b.emit = Some(value(s)?);
        } else {
            let at = s.mark_here();
            let Token::Value(_) = s.peek() else {
                return Err(s.expected("`%`, `store`, `emit` or `}`"));
            };
            let number = value(s)?;
            if number as usize != b.insts.len() {
                let wanted = b.insts.len();
                return Err(s
                    .fault_at(
                        at,
                        ORDER,
                        format!("value %{number} where %{wanted} is next"),
                    )
                    .hint("number the instructions of a block from %0 on")
                    .into());
            }
            s.mark("=")?;
            b.insts.push(inst(s, scope)?);
        }
        Ok(())
    })?;
    Ok(b)
}

fn value(s: &mut Scanner) -> Result<Value, Diagnostics> {
    let Token::Value(digits) = s.peek() else {
        return Err(s.expected("a value such as `%0`"));
    };
    let v = digits.parse().map_err(|_| {
        s.fault(RANGE, format!("`%{digits}` is not a value"))
            .hint(format!("values are `%0` to `%{}`", Value::MAX))
    })?;
    s.bump();
    Ok(v)
}

fn next_value(s: &mut Scanner) -> Result<Value, Diagnostics> {
    s.mark(",")?;
    value(s)
}

fn inst(s: &mut Scanner, scope: &Scope) -> Result<Inst, Diagnostics> {
    let what = "an operation and its type, such as `add.f32`,";
    let Token::Word(word) = s.peek() else {
        return Err(s.expected(what));
    };
    let Some((name, ty)) = word
        .rsplit_once('.')
        .and_then(|(name, ty)| Some((name, ty_of(ty)?)))
    else {
        return Err(s.expected(what));
    };
    let unary = UNARY.into_iter().find(|o| unary_name(*o) == name);
    let binary = BINARY.into_iter().find(|o| binary_name(*o) == name);
    let leaf = [
        "const",
        "param",
        "state",
        "port",
        "arg",
        "step",
        "index",
        "rand",
        "select",
        "mul_shift",
        "sat",
        "wrap",
    ];
    if unary.is_none() && binary.is_none() && !leaf.contains(&name) {
        return Err(s.expected(what));
    }
    s.bump();
    let op = match (unary, binary) {
        (Some(o), _) => Op::Un(o, value(s)?),
        (_, Some(o)) => Op::Bin(o, value(s)?, next_value(s)?),
        _ => other(s, name, ty, scope)?,
    };
    Ok(Inst { op, ty })
}

fn other(s: &mut Scanner, name: &str, ty: Ty, scope: &Scope) -> Result<Op, Diagnostics> {
    Ok(match name {
        "const" => Op::Const(s.word_of(Some(ty), "a constant")?),
        "param" => Op::Param(scope.params.read(s)?),
        "state" => Op::State(scope.states.read(s)?),
        "port" => Op::Port(scope.ports.read(s)?),
        "arg" => Op::Arg,
        "step" => Op::Step,
        "index" => Op::Index,
        "rand" => Op::Rand {
            site: s.int("the number of a draw")?,
        },
        "select" => Op::Select(value(s)?, next_value(s)?, next_value(s)?),
        "mul_shift" => {
            let (a, b) = (value(s)?, next_value(s)?);
            s.mark(",")?;
            let shift = s.int("a shift")?;
            s.mark(",")?;
            let round = s.choice("`floor` or `zero`", |w| match w {
                "floor" => Some(Round::Floor),
                "zero" => Some(Round::Zero),
                _ => None,
            })?;
            Op::MulShift { a, b, shift, round }
        }
        "sat" => {
            let a = value(s)?;
            s.mark(",")?;
            let bits = s.int("a width in bits")?;
            Op::Sat { a, bits }
        }
        _ => {
            let a = value(s)?;
            s.mark(",")?;
            let bits = s.int("a width in bits")?;
            s.mark(",")?;
            let signed = s.choice("`signed` or `unsigned`", |w| match w {
                "signed" => Some(true),
                "unsigned" => Some(false),
                _ => None,
            })?;
            Op::Wrap { a, bits, signed }
        }
    })
}
