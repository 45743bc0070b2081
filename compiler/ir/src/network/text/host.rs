//! Text of host expressions: calls, `dt`, fields by name, and numbers.

use crate::diag::Diagnostics;
use crate::network::{HostExpr, HostFn1, HostFn2};
use crate::text::{DEPTH, F64, Names, Quoted, Scanner, Token};
use std::fmt;

/// Deepest nesting that is read.
const MAX_DEPTH: u32 = 1000;

const ONE: [HostFn1; 13] = [
    HostFn1::Neg,
    HostFn1::Not,
    HostFn1::Exp,
    HostFn1::Expm1,
    HostFn1::Log,
    HostFn1::Sqrt,
    HostFn1::Sin,
    HostFn1::Cos,
    HostFn1::Tanh,
    HostFn1::Abs,
    HostFn1::Sign,
    HostFn1::Floor,
    HostFn1::Round,
];
const TWO: [HostFn2; 15] = [
    HostFn2::Add,
    HostFn2::Sub,
    HostFn2::Mul,
    HostFn2::Div,
    HostFn2::Pow,
    HostFn2::Min,
    HostFn2::Max,
    HostFn2::Lt,
    HostFn2::Le,
    HostFn2::Gt,
    HostFn2::Ge,
    HostFn2::Eq,
    HostFn2::Ne,
    HostFn2::And,
    HostFn2::Or,
];

fn one_name(f: HostFn1) -> &'static str {
    match f {
        HostFn1::Neg => "neg",
        HostFn1::Not => "not",
        HostFn1::Exp => "exp",
        HostFn1::Expm1 => "expm1",
        HostFn1::Log => "log",
        HostFn1::Sqrt => "sqrt",
        HostFn1::Sin => "sin",
        HostFn1::Cos => "cos",
        HostFn1::Tanh => "tanh",
        HostFn1::Abs => "abs",
        HostFn1::Sign => "sign",
        HostFn1::Floor => "floor",
        HostFn1::Round => "round",
    }
}

fn two_name(f: HostFn2) -> &'static str {
    match f {
        HostFn2::Add => "add",
        HostFn2::Sub => "sub",
        HostFn2::Mul => "mul",
        HostFn2::Div => "div",
        HostFn2::Pow => "pow",
        HostFn2::Min => "min",
        HostFn2::Max => "max",
        HostFn2::Lt => "lt",
        HostFn2::Le => "le",
        HostFn2::Gt => "gt",
        HostFn2::Ge => "ge",
        HostFn2::Eq => "eq",
        HostFn2::Ne => "ne",
        HostFn2::And => "and",
        HostFn2::Or => "or",
    }
}

/// Prints an expression over fields of those names.
pub(super) struct Shown<'a>(pub &'a HostExpr, pub &'a Names);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sub = |e| Shown(e, self.1);
        match self.0 {
            HostExpr::Const(c) => F64(*c).fmt(f),
            HostExpr::Dt => f.write_str("dt"),
            HostExpr::Field(i) => {
                let field = self.1.show(*i);
                match field.name() {
                    // These words mean something else here.
                    Some(n @ ("dt" | "inf")) => Quoted(n).fmt(f),
                    _ => field.fmt(f),
                }
            }
            HostExpr::Call1(g, a) => write!(f, "{}({})", one_name(*g), sub(a)),
            HostExpr::Call2(g, a, b) => write!(f, "{}({}, {})", two_name(*g), sub(a), sub(b)),
            HostExpr::If(c, a, b) => write!(f, "if({}, {}, {})", sub(c), sub(a), sub(b)),
            HostExpr::PoissonCdf(k, a) => write!(f, "poisson_cdf({k}, {})", sub(a)),
        }
    }
}

/// Reads an expression over fields of those names.
pub(super) fn parse(s: &mut Scanner, fields: &Names) -> Result<HostExpr, Diagnostics> {
    expr(s, fields, 0)
}

fn expr(s: &mut Scanner, fields: &Names, depth: u32) -> Result<HostExpr, Diagnostics> {
    if depth >= MAX_DEPTH {
        return Err(s
            .fault(DEPTH, format!("an expression is nested {MAX_DEPTH} deep"))
            .hint("name a part of it as a field of its own")
            .into());
    }
    match s.peek() {
        Token::Number(_) | Token::Word("inf") => Ok(HostExpr::Const(s.f64("a number")?)),
        Token::Word("dt") => {
            s.bump();
            Ok(HostExpr::Dt)
        }
        Token::Word(word) => call(s, word, fields, depth + 1),
        _ => Ok(HostExpr::Field(fields.read(s)?)),
    }
}

/// A call, or a field when no bracket follows.
fn call(s: &mut Scanner, word: &str, fields: &Names, depth: u32) -> Result<HostExpr, Diagnostics> {
    let one = ONE.into_iter().find(|f| one_name(*f) == word);
    let two = TWO.into_iter().find(|f| two_name(*f) == word);
    let special = matches!(word, "if" | "poisson_cdf");
    if !s.followed_by("(") || (one.is_none() && two.is_none() && !special) {
        return Ok(HostExpr::Field(fields.read(s)?));
    }
    s.bump();
    s.mark("(")?;
    let sub = |s: &mut Scanner| expr(s, fields, depth).map(Box::new);
    let e = match (one, two) {
        (Some(f), _) => HostExpr::Call1(f, sub(s)?),
        (_, Some(f)) => {
            let a = sub(s)?;
            s.mark(",")?;
            HostExpr::Call2(f, a, sub(s)?)
        }
        _ if word == "if" => {
            let c = sub(s)?;
            s.mark(",")?;
            let a = sub(s)?;
            s.mark(",")?;
            HostExpr::If(c, a, sub(s)?)
        }
        _ => {
            let k = s.int("a count")?;
            s.mark(",")?;
            HostExpr::PoissonCdf(k, sub(s)?)
        }
    };
    s.mark(")")?;
    Ok(e)
}
