//! The syntax tree of one file.
//!
//! What [`super::parse`] returns: the text's structure with a [`Span`] on everything a diagnostic can point to, nothing resolved, no unit or
//! type checked. Invariants: spans are byte ranges of the parsed file; an [`Expr`] is at most [`MAX_HEIGHT`] nodes high and blocks nest at
//! most [`MAX_NESTING`] deep, so plain recursion over the tree is safe. After a syntax error the tree holds what could be understood, with
//! [`ExprKind::Error`] where an expression is missing (already reported: later stages stay silent about it).
//! Absent on purpose: parentheses and the layout of the text; the formatter works on the tokens.

mod expr;
mod model;
mod net;

pub use expr::*;
pub use model::*;
pub use net::*;

use std::sync::Arc;
use synfire_ir::diag::Span;

/// Most blocks, parentheses, brackets and prefix operators that may stand inside one another.
pub const MAX_NESTING: u32 = 64;
/// Most nodes on a path from the root of an expression to a leaf.
pub const MAX_HEIGHT: u32 = 256;

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// Index of the file in the source map.
    pub id: u32,
    /// Everything at the top level, in the order of the text.
    pub items: Vec<Item>,
    /// Every comment of the file, in the order of the text.
    pub comments: Vec<Comment>,
    /// The whole text.
    pub span: Span,
}

/// A `#` comment.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// With its `#`, without blanks at the end.
    pub text: Arc<str>,
    /// Its place.
    pub span: Span,
    /// Nothing but blanks stands before it on its line.
    pub own_line: bool,
}

/// The comment lines directly above an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Doc {
    /// The text without `#` and one blank after it; lines joined by `\n`.
    pub text: String,
    /// From the first comment to the last.
    pub span: Span,
}

/// A word that names something. Empty where a name is missing (reported already).
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The word.
    pub text: Arc<str>,
    /// Its place.
    pub span: Span,
}

impl Name {
    /// The word as a string slice.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A string literal.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// What stands between the quotes (there are no escapes).
    pub value: Arc<str>,
    /// With the quotes.
    pub span: Span,
}

/// Names joined by points: `std.neurons.Lif`. Never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The names in order.
    pub names: Vec<Name>,
    /// From the first name to the last.
    pub span: Span,
}

impl Path {
    /// As written, without blanks.
    pub fn dotted(&self) -> String {
        self.names
            .iter()
            .map(Name::as_str)
            .collect::<Vec<_>>()
            .join(".")
    }
}

/// A statement at the top level.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `import "file" as name`.
    Import(Import),
    /// `use path.{names}`.
    Use(Use),
    /// `let name = expr`.
    Let(Let),
    /// `neuron Name(...) { ... }`.
    Neuron(Model),
    /// `synapse Name(...) { ... }`.
    Synapse(Model),
    /// `module Name(...) { ... }`.
    Module(Structure),
    /// `network Name(...) { ... }`.
    Network(Structure),
    /// `experiment name of Network(...) { ... }`.
    Experiment(Experiment),
}

/// `import "file" [as name]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    /// The file, relative to the importing one.
    pub file: Text,
    /// Name under which its items are reached.
    pub alias: Option<Name>,
    /// The whole statement.
    pub span: Span,
}

/// `use path` or `use path.{a, b}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The path before the braces, or the whole path.
    pub path: Path,
    /// The names in braces, if there are braces.
    pub group: Option<Vec<Name>>,
    /// The whole statement.
    pub span: Span,
}

/// `let name [: type] = expr`, at any level.
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    /// The new name.
    pub name: Name,
    /// Its type, when stated.
    pub ty: Option<Type>,
    /// What it stands for.
    pub value: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `name` or `name[expr, ...]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// `time`, `real`, `spikes`, `i16`, ...
    pub name: Name,
    /// What stands in brackets; empty without brackets.
    pub dims: Vec<Expr>,
    /// The whole type.
    pub span: Span,
}

/// `name: type [= expr]` in a parameter list.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The parameter's name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Value when the caller gives none.
    pub default: Option<Expr>,
    /// The whole parameter.
    pub span: Span,
}

/// `experiment name of Network[(args)] { ... }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// Comment lines directly above.
    pub doc: Option<Doc>,
    /// Its name.
    pub name: Name,
    /// The network it runs.
    pub network: Name,
    /// Arguments of the network; empty without parentheses.
    pub args: Vec<Arg>,
    /// Statements in order.
    pub body: Vec<Exp>,
    /// From the keyword to the closing brace.
    pub span: Span,
}

/// A statement of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub enum Exp {
    /// `run expr`.
    Run(Setting),
    /// `at expr : target = expr [for expr]`.
    At(At),
    /// `feed ref from expr`.
    Feed(Feed),
    /// `expect expr [in expr .. expr]`.
    Expect(Expect),
}

impl Exp {
    /// The whole statement.
    pub fn span(&self) -> Span {
        match self {
            Exp::Run(s) => s.span,
            Exp::At(s) => s.span,
            Exp::Feed(s) => s.span,
            Exp::Expect(s) => s.span,
        }
    }
}

/// `at expr : target = expr [for expr]`.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    /// The time.
    pub time: Expr,
    /// A name followed by names and indices only.
    pub target: Ref,
    /// The new value.
    pub value: Expr,
    /// How long; for ever without it.
    pub duration: Option<Expr>,
    /// The whole statement.
    pub span: Span,
}

/// `feed ref from expr`.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    /// The source that is driven.
    pub target: Ref,
    /// Where the data come from.
    pub from: Expr,
    /// The whole statement.
    pub span: Span,
}

/// `expect expr [in low .. high]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// A condition, or the value that must lie between.
    pub value: Expr,
    /// The bounds, both allowed.
    pub bounds: Option<(Expr, Expr)>,
    /// The whole statement.
    pub span: Span,
}
