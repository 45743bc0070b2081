//! `neuron` and `synapse`: their statements and the statements of their blocks.

use super::{Doc, Expr, Let, Name, Param, Ref, Type};
use synfire_ir::diag::Span;

/// A `neuron` or a `synapse`.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Comment lines directly above.
    pub doc: Option<Doc>,
    /// Name of the model.
    pub name: Name,
    /// Parameters in order; empty without parentheses.
    pub params: Vec<Param>,
    /// Statements in order.
    pub body: Vec<Dyn>,
    /// From the keyword to the closing brace.
    pub span: Span,
}

/// A statement of a `neuron` or `synapse`.
#[derive(Clone, Debug, PartialEq)]
pub enum Dyn {
    /// `state name: type [= expr]`.
    State(Variable),
    /// `input name: type [by combine]`.
    Input(Input),
    /// `output name: type [= expr]`.
    Output(Variable),
    /// `let name = expr`.
    Let(Let),
    /// `name' = expr`.
    Ode(Ode),
    /// `solve method`.
    Solve(Solve),
    /// `spike when cond [refractory T [hold (names)]] { ... }`.
    SpikeWhen(SpikeWhen),
    /// `on event[(expr)] { ... }`.
    On(On),
}

impl Dyn {
    /// The whole statement.
    pub fn span(&self) -> Span {
        match self {
            Dyn::State(s) | Dyn::Output(s) => s.span,
            Dyn::Input(s) => s.span,
            Dyn::Let(s) => s.span,
            Dyn::Ode(s) => s.span,
            Dyn::Solve(s) => s.span,
            Dyn::SpikeWhen(s) => s.span,
            Dyn::On(s) => s.span,
        }
    }
}

/// A `state` or `output` variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Start value (state) or defining expression (output).
    pub value: Option<Expr>,
    /// The whole statement.
    pub span: Span,
}

/// `input name: type [by combine]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Name of the port.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// How arrivals of one step combine: `sum`, `or`, `max`, `sat_sum`; unchecked.
    pub by: Option<Name>,
    /// The whole statement.
    pub span: Span,
}

/// `name' = expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ode {
    /// The state variable.
    pub name: Name,
    /// Its derivative by time.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `solve method`.
#[derive(Clone, Debug, PartialEq)]
pub struct Solve {
    /// `exact`, `euler`, ...; unchecked.
    pub method: Name,
    /// The whole statement.
    pub span: Span,
}

/// `spike when cond [refractory T [hold (names)]] { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeWhen {
    /// The condition.
    pub condition: Expr,
    /// Refractory time.
    pub refractory: Option<Expr>,
    /// Held states; `None` means the default, an empty list means none.
    pub hold: Option<Vec<Name>>,
    /// What a spike does.
    pub block: Block,
    /// The whole statement.
    pub span: Span,
}

/// `on event { ... }` or `on event(x) { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct On {
    /// `step`, `pre`, `post`, `every` or the name of an input.
    pub event: Name,
    /// What stands in parentheses: the name bound to the arriving value, or the period of `every`.
    pub arg: Option<Expr>,
    /// What to do.
    pub block: Block,
    /// The whole statement.
    pub span: Span,
}

/// Statements in braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// With the braces.
    pub span: Span,
}

/// A statement of a block.
#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    /// `let name = expr`: a value, kept for the rest of the block.
    Let(Let),
    /// `target op expr`.
    Assign(Assign),
    /// `if ... else if ... else ...`.
    If(If),
    /// `repeat N { ... }`.
    Repeat(Repeat),
    /// `emit expr`.
    Emit(Emit),
}

impl Stmt {
    /// The whole statement.
    pub fn span(&self) -> Span {
        match self {
            Stmt::Let(s) => s.span,
            Stmt::Assign(s) => s.span,
            Stmt::If(s) => s.span,
            Stmt::Repeat(s) => s.span,
            Stmt::Emit(s) => s.span,
        }
    }
}

/// `target = expr`, `target += expr`, ...
#[derive(Clone, Debug, PartialEq)]
pub struct Assign {
    /// A name followed by names and indices only.
    pub target: Ref,
    /// Which assignment.
    pub op: AssignOp,
    /// Place of the operator.
    pub op_span: Span,
    /// The right side.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `=`, `+=`, `-=`, `*=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignOp {
    /// `=`
    Set,
    /// `+=`
    Add,
    /// `-=`
    Sub,
    /// `*=`
    Mul,
}

/// A chain of conditions; flat, so that a long chain is not a deep tree.
#[derive(Clone, Debug, PartialEq)]
pub struct If {
    /// The `if` and each `else if`, in order; never empty.
    pub arms: Vec<Arm>,
    /// The final `else`.
    pub otherwise: Option<Block>,
    /// The whole statement.
    pub span: Span,
}

/// One condition with its block.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// When.
    pub condition: Expr,
    /// What.
    pub block: Block,
}

/// `repeat N { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// How often; must turn out constant.
    pub count: Expr,
    /// What.
    pub block: Block,
    /// The whole statement.
    pub span: Span,
}

/// `emit expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct Emit {
    /// The payload.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}
