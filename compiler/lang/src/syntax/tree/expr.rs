//! Expressions, references and calls of the syntax tree.

use super::{Name, Path};
use std::sync::Arc;
use synfire_ir::diag::Span;

/// A path with arguments: a connector, a distribution, a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called.
    pub path: Path,
    /// Arguments in order; empty without parentheses.
    pub args: Vec<Arg>,
    /// The whole call.
    pub span: Span,
}

/// `expr` or `name = expr` in an argument list.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The parameter's name, when given.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
    /// The whole argument.
    pub span: Span,
}

/// A name followed by points and brackets.
#[derive(Clone, Debug, PartialEq)]
pub struct Ref {
    /// The first name.
    pub head: Name,
    /// What follows it.
    pub tail: Vec<Segment>,
    /// The whole reference.
    pub span: Span,
}

impl Ref {
    /// The name, when the reference is nothing else.
    pub fn as_name(&self) -> Option<&Name> {
        self.tail.is_empty().then_some(&self.head)
    }

    /// The names joined by points, when the reference has no number, computed part, index or slice.
    pub fn as_path(&self) -> Option<Path> {
        let mut names = vec![self.head.clone()];
        for segment in &self.tail {
            match segment {
                Segment::Name(n) => names.push(n.clone()),
                _ => return None,
            }
        }
        Some(Path {
            names,
            span: self.span,
        })
    }
}

/// One step of a [`Ref`].
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// `.name`
    Name(Name),
    /// `.3`
    Number(u32, Span),
    /// `.(expr)`
    Computed(Expr, Span),
    /// `[expr]`
    Index(Expr, Span),
    /// `[from .. to]`
    Slice(Expr, Expr, Span),
}

impl Segment {
    /// The segment with its brackets (and without its point).
    pub fn span(&self) -> Span {
        match self {
            Segment::Name(n) => n.span,
            Segment::Number(_, s)
            | Segment::Computed(_, s)
            | Segment::Index(_, s)
            | Segment::Slice(_, _, s) => *s,
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its place, with parentheses around it.
    pub span: Span,
}

/// The kinds of expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `20 mV`, `0x1F`, `3`.
    Number(Number),
    /// `"text"`.
    Text(Arc<str>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `exc.v`, `layer.(i + 1)`, `true`.
    Ref(Ref),
    /// `uniform(0, 1)`.
    Call(Call),
    /// `-x`, `not x`.
    Unary(UnaryOp, Span, Box<Expr>),
    /// `a + b`; the span is the operator's.
    Binary(BinaryOp, Span, Box<Expr>, Box<Expr>),
    /// Something that could not be read; reported already.
    Error,
}

/// A number with its unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// The number before the unit; finite.
    pub value: f64,
    /// The exact value of a literal without point and exponent (decimal or hexadecimal).
    pub integer: Option<u64>,
    /// The digits as written, without the unit.
    pub text: Arc<str>,
    /// The unit, when there is one.
    pub unit: Option<Unit>,
}

/// A unit as written: `mV`, `uF/cm^2`, `%`; its form is checked, its meaning is not looked up here.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// The text, without blanks.
    pub text: Arc<str>,
    /// Its place.
    pub span: Span,
}

/// Prefix operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `+x`
    Plus,
    /// `-x`
    Minus,
    /// `not x`
    Not,
}

/// Operators between two operands, from the loosest level to the tightest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<=`
    Le,
    /// `>=`
    Ge,
    /// `<`
    Lt,
    /// `>`
    Gt,
    /// `&`
    BitAnd,
    /// `xor`
    Xor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `^`
    Pow,
}

impl BinaryOp {
    /// As written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Or => "or",
            BinaryOp::And => "and",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Le => "<=",
            BinaryOp::Ge => ">=",
            BinaryOp::Lt => "<",
            BinaryOp::Gt => ">",
            BinaryOp::BitAnd => "&",
            BinaryOp::Xor => "xor",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Pow => "^",
        }
    }
}
