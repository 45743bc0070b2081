//! `module` and `network`: their statements.

use super::{Arg, Call, Doc, Expr, Let, Name, Param, Path, Ref, Type};
use synfire_ir::diag::Span;

/// A `module` or a `network`.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// Comment lines directly above.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Name,
    /// Parameters in order; empty without parentheses.
    pub params: Vec<Param>,
    /// Statements in order.
    pub body: Vec<Net>,
    /// From the keyword to the closing brace.
    pub span: Span,
}

/// A statement of a `module` or `network`.
#[derive(Clone, Debug, PartialEq)]
pub enum Net {
    /// `let name = expr`.
    Let(Let),
    /// `step expr`.
    Step(Setting),
    /// `seed expr`.
    Seed(Setting),
    /// `port in|out name: type [= ref]`.
    Port(Port),
    /// `pop name: model[shape] [at call] [fields]`.
    Pop(Pop),
    /// `source name: kind[shape] [fields]`.
    Source(Source),
    /// `part name: module[(args)]`.
    Part(Part),
    /// `connect [name:] refs -> refs : rule [fields]`.
    Connect(Connect),
    /// `modulate ref -> ref`.
    Modulate(Modulate),
    /// `record refs [every expr]`.
    Record(Record),
    /// `hint [ref] fields`.
    Hint(Hint),
    /// `for name in expr [.. expr] { ... }`.
    For(For),
}

impl Net {
    /// The whole statement.
    pub fn span(&self) -> Span {
        match self {
            Net::Let(s) => s.span,
            Net::Step(s) | Net::Seed(s) => s.span,
            Net::Port(s) => s.span,
            Net::Pop(s) => s.span,
            Net::Source(s) => s.span,
            Net::Part(s) => s.span,
            Net::Connect(s) => s.span,
            Net::Modulate(s) => s.span,
            Net::Record(s) => s.span,
            Net::Hint(s) => s.span,
            Net::For(s) => s.span,
        }
    }
}

/// `step expr` or `seed expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The value.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// Which way a port leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `in`
    In,
    /// `out`
    Out,
}

/// `port in|out name: type [= ref]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Into the module or out of it.
    pub direction: Direction,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// What it stands for inside.
    pub value: Option<Ref>,
    /// The whole statement.
    pub span: Span,
}

/// `pop name: model[shape] [at call] [fields]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pop {
    /// Name of the population.
    pub name: Name,
    /// The neuron model.
    pub model: Path,
    /// Extents of the axes; never empty unless a syntax error was reported.
    pub shape: Vec<Expr>,
    /// The shape with its brackets.
    pub shape_span: Span,
    /// Where its neurons lie in space.
    pub at: Option<Call>,
    /// Parameters and start values.
    pub fields: Option<Fields>,
    /// The whole statement.
    pub span: Span,
}

/// `source name: kind[shape] [fields]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Name of the source.
    pub name: Name,
    /// `events`, `signal`, `poisson`, ...
    pub kind: Path,
    /// Extents of the axes; never empty unless a syntax error was reported.
    pub shape: Vec<Expr>,
    /// The shape with its brackets.
    pub shape_span: Span,
    /// Parameters.
    pub fields: Option<Fields>,
    /// The whole statement.
    pub span: Span,
}

/// `part name: module[(args)]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Name of the part.
    pub name: Name,
    /// The module.
    pub module: Path,
    /// Arguments; empty without parentheses.
    pub args: Vec<Arg>,
    /// The whole statement.
    pub span: Span,
}

/// `connect [name:] refs -> refs : rule [fields]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    /// Name of the projection, when given.
    pub name: Option<Name>,
    /// Where spikes come from; never empty.
    pub sources: Vec<Ref>,
    /// Ports they go to; never empty.
    pub targets: Vec<Ref>,
    /// Rules chained by `|`; never empty.
    pub rule: Vec<Call>,
    /// Weight, delay, synapse, ...
    pub fields: Option<Fields>,
    /// The whole statement.
    pub span: Span,
}

/// `modulate ref -> ref`.
#[derive(Clone, Debug, PartialEq)]
pub struct Modulate {
    /// The signal.
    pub source: Ref,
    /// The synapses' input.
    pub target: Ref,
    /// The whole statement.
    pub span: Span,
}

/// `record refs [every expr]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// What; never empty.
    pub what: Vec<Ref>,
    /// Sampling period.
    pub every: Option<Expr>,
    /// The whole statement.
    pub span: Span,
}

/// `hint [ref] fields`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// About what; the whole network without it.
    pub about: Option<Ref>,
    /// The wishes.
    pub fields: Fields,
    /// The whole statement.
    pub span: Span,
}

/// `for name in range { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    /// The running name.
    pub var: Name,
    /// What it runs over.
    pub range: Range,
    /// Statements in order.
    pub body: Vec<Net>,
    /// The whole statement.
    pub span: Span,
}

/// What a `for` runs over.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    /// The elements of a list.
    List(Expr),
    /// Integers from the first, the last left out.
    Integers(Expr, Expr),
}

/// `{ name = expr, name ~ expr }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fields {
    /// In order; names may repeat (unchecked).
    pub entries: Vec<Field>,
    /// With the braces.
    pub span: Span,
}

/// One entry of [`Fields`].
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Written with `~`: each element draws from the distribution `value`.
    pub draw: bool,
    /// The value.
    pub value: Expr,
    /// The whole entry.
    pub span: Span,
}
