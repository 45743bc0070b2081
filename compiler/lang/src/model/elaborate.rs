//! Expressions of a model: from the tree to typed nodes of the graph.
//!
//! Comes in: expressions, with the names that are in scope. Goes out: [`Typed`] nodes, units and types checked, names resolved, `let`s of
//! the model put in where they are read. After an error the result has [`Type::Unknown`], which goes with everything, so that one mistake
//! is reported once. Operators and functions are in `real` and `fixed`, one file for each kind of arithmetic.

use super::declare::{Declarations, Symbol};
use super::graph::{Graph, Id, Node};
use super::types::{self, Choice, Type};
use super::{ModelContext, quantity, report};
use crate::syntax::tree::{self, BinaryOp, Expr, ExprKind, Name, Number, UnaryOp};
use synfire_ir::diag::{Diagnostic, Diagnostics, Span};
use synfire_ir::model::{BinOp, Ty, UnOp};
use synfire_ir::synapse::View;
use synfire_ir::units::Dimension;

/// Deepest nesting of expressions and of `let`s that read one another.
const MAX_NESTING: u32 = 600;
/// Most expressions looked at, counting each reading of a `let` that draws.
const MAX_WORK: u32 = 1_000_000;

/// A node with its type and where it was written.
#[derive(Clone, Copy, Debug)]
pub struct Typed {
    /// The node.
    pub id: Id,
    /// Its type.
    pub ty: Type,
    /// Where it was written.
    pub span: Span,
}

/// A name of a block.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub id: Id,
    /// Number of the variable if it can be assigned; a handler's argument cannot.
    pub local: Option<u32>,
    /// Its type.
    pub ty: Type,
    /// Where it was declared.
    pub span: Span,
}

/// How far a definition has come.
#[derive(Clone, Copy)]
pub enum Progress {
    /// Not looked at.
    Open,
    /// Being read: meeting it again is a circle.
    Busy,
    /// Its value.
    Done(Typed),
}

/// Turns expressions into nodes.
pub struct Elaborator<'a, 'd> {
    /// What the model declares.
    pub decls: &'a Declarations<'a>,
    /// What is known around it.
    pub cx: &'a ModelContext<'a>,
    /// What was found wrong.
    pub diags: &'d mut Diagnostics,
    /// All nodes.
    pub graph: Graph,
    /// Names of the block at hand, innermost last.
    pub scope: Vec<Bound>,
    /// Number of block variables so far.
    pub locals: u32,
    /// The block runs once an event: no draws.
    pub per_event: bool,
    /// Parameters from this one on are not known yet (defaults read earlier ones only).
    pub visible_fields: u16,
    /// `let`s of the model.
    pub lets: Vec<Progress>,
    /// Computed outputs.
    pub outputs: Vec<Progress>,
    /// What a synapse stands between.
    pub ends: Option<super::synapse::Ends<'a>>,
    /// What a synapse reads of its ends, in order; their nodes are states after the declared ones.
    pub views: Vec<View>,
    depth: u32,
    work: u32,
    gave_up: bool,
    draws: u32,
}

impl<'a, 'd> Elaborator<'a, 'd> {
    /// For one model.
    pub fn new(
        decls: &'a Declarations<'a>,
        cx: &'a ModelContext<'a>,
        diags: &'d mut Diagnostics,
    ) -> Self {
        let mut graph = Graph::default();
        graph.real(0.0);
        Elaborator {
            decls,
            cx,
            diags,
            graph,
            scope: vec![],
            locals: 0,
            per_event: false,
            visible_fields: u16::MAX,
            lets: vec![Progress::Open; decls.lets.len()],
            outputs: vec![Progress::Open; decls.outputs.len()],
            ends: None,
            views: vec![],
            depth: 0,
            work: 0,
            gave_up: false,
            draws: 0,
        }
    }

    /// Reports and gives the value that goes with everything.
    pub fn fail(&mut self, span: Span, d: Diagnostic) -> Typed {
        self.diags.push(d);
        self.unknown(span)
    }

    /// The value that goes with everything.
    pub fn unknown(&mut self, span: Span) -> Typed {
        Typed {
            id: 0,
            ty: Type::Unknown,
            span,
        }
    }

    /// A number for the next random draw.
    pub fn next_draw(&mut self, span: Span) -> u32 {
        if self.per_event {
            self.diags.push(report::draw_per_event(span));
        }
        self.draws += 1;
        self.draws
    }

    /// Any expression.
    pub fn expr(&mut self, e: &Expr) -> Typed {
        self.work += 1;
        if self.depth >= MAX_NESTING || self.work >= MAX_WORK {
            if !std::mem::replace(&mut self.gave_up, true) {
                let what = "definitions are nested too deeply or read too often";
                self.diags.push(report::too_large(e.span, what.into()));
            }
            return self.unknown(e.span);
        }
        self.depth += 1;
        let t = self.kind(e);
        self.depth -= 1;
        t
    }

    fn kind(&mut self, e: &Expr) -> Typed {
        let wrong = |what: &str| {
            report::not_here(
                e.span,
                format!("{what} has no place in a model"),
                "models compute with numbers and truth values",
            )
        };
        match &e.kind {
            ExprKind::Number(n) => self.number(n, e.span),
            ExprKind::Ref(r) => match r.as_name() {
                Some(name) => self.name(name),
                None => self.member(r),
            },
            ExprKind::Call(c) => self.call(c),
            ExprKind::Unary(op, _, a) => self.unary(*op, a, e.span),
            ExprKind::Binary(op, at, a, b) => self.binary(*op, *at, a, b, e.span),
            ExprKind::Text(_) => self.fail(e.span, wrong("a text")),
            ExprKind::List(_) => self.fail(e.span, wrong("a list")),
            ExprKind::Error => self.unknown(e.span),
        }
    }

    fn member(&mut self, r: &tree::Ref) -> Typed {
        if self.ends.is_some() {
            return self.end_member(r);
        }
        let head = r.head.as_str();
        let d = report::not_here(
            r.span,
            format!("a neuron sees only its own variables, not parts of `{head}`"),
            "`pre.NAME` and `post.NAME` belong to a `synapse`; what other units send arrives at an `input`",
        );
        self.fail(r.span, d)
    }

    fn number(&mut self, n: &Number, span: Span) -> Typed {
        if !self.decls.fixed {
            return match quantity::literal(n) {
                Some(q) => self.quantity(q.value, q.dimension, span),
                None => {
                    let d = report::strange_dimension(
                        span,
                        "this number or its unit is out of range".into(),
                    );
                    self.fail(span, d)
                }
            };
        }
        match (n.integer, &n.unit) {
            (Some(v), None) => self.integer(v as f64, span),
            _ => {
                let d = report::other_arithmetic(
                    span,
                    "a number with a point or a unit",
                    true,
                    "write a whole number",
                );
                self.fail(span, d)
            }
        }
    }

    /// A real constant.
    pub fn quantity(&mut self, value: f64, dimension: Dimension, span: Span) -> Typed {
        Typed {
            id: self.graph.real(value),
            ty: Type::Real(dimension),
            span,
        }
    }

    /// An integer constant: signed if it fits, else unsigned.
    pub fn integer(&mut self, value: f64, span: Span) -> Typed {
        let (word, ty) = if (i32::MIN as f64..=i32::MAX as f64).contains(&value) {
            (value as i32 as u32, Type::I32)
        } else if (0.0..=u32::MAX as f64).contains(&value) {
            (value as u32, Type::U32)
        } else {
            let d = report::constant(span, "an integer", "a whole number from -2^31 to 2^32 - 1");
            return self.fail(span, d);
        };
        Typed {
            id: self.graph.word(word, ty.ty()),
            ty,
            span,
        }
    }

    /// A truth value.
    pub fn truth(&mut self, value: bool, span: Span) -> Typed {
        Typed {
            id: self.graph.word(value as u32, Ty::Bool),
            ty: Type::Bool,
            span,
        }
    }

    fn unary(&mut self, op: UnaryOp, a: &Expr, span: Span) -> Typed {
        let t = self.expr(a);
        if t.ty == Type::Unknown {
            return Typed { span, ..t };
        }
        match op {
            UnaryOp::Not => match self.wants_truth(t) {
                Some(id) => Typed {
                    id: self.graph.un(UnOp::Not, id),
                    ty: Type::Bool,
                    span,
                },
                None => self.unknown(span),
            },
            UnaryOp::Plus | UnaryOp::Minus => match t.ty {
                Type::Bool | Type::Choice(_) => {
                    let d = report::wrong_kind(t.span, "a number", t.ty);
                    self.fail(span, d)
                }
                _ if op == UnaryOp::Plus => Typed { span, ..t },
                Type::U32 => {
                    let signed = self.graph.un(UnOp::ToI32, t.id);
                    let id = self.graph.un(UnOp::Neg, signed);
                    Typed {
                        id,
                        ty: Type::I32,
                        span,
                    }
                }
                ty => Typed {
                    id: self.graph.un(UnOp::Neg, t.id),
                    ty,
                    span,
                },
            },
        }
    }

    /// The node of a truth value; reports anything else.
    pub fn wants_truth(&mut self, t: Typed) -> Option<Id> {
        match t.ty {
            Type::Bool => Some(t.id),
            Type::Unknown => None,
            ty => {
                let d = report::wrong_kind(t.span, "a truth value", ty);
                self.diags.push(d);
                None
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, at: Span, a: &Expr, b: &Expr, span: Span) -> Typed {
        if let BinaryOp::Eq | BinaryOp::Ne = op {
            if let Some((choice, field)) = self.choice_field(a) {
                return self.compare_choice(op, choice, field, b, span);
            }
            if let Some((choice, field)) = self.choice_field(b) {
                return self.compare_choice(op, choice, field, a, span);
            }
        }
        let (x, y) = (self.expr(a), self.expr(b));
        if x.ty == Type::Unknown || y.ty == Type::Unknown {
            return self.unknown(span);
        }
        let truth = x.ty == Type::Bool && y.ty == Type::Bool;
        let logic = match op {
            BinaryOp::And => Some(BinOp::And),
            BinaryOp::Or => Some(BinOp::Or),
            BinaryOp::Xor if truth => Some(BinOp::Xor),
            BinaryOp::BitAnd if truth => Some(BinOp::And),
            BinaryOp::Eq if truth => Some(BinOp::Eq),
            BinaryOp::Ne if truth => Some(BinOp::Ne),
            _ => None,
        };
        if let Some(op) = logic {
            let (Some(p), Some(q)) = (self.wants_truth(x), self.wants_truth(y)) else {
                return self.unknown(span);
            };
            return Typed {
                id: self.graph.bin(op, p, q),
                ty: Type::Bool,
                span,
            };
        }
        for t in [x, y] {
            if matches!(t.ty, Type::Bool | Type::Choice(_)) {
                let d = report::wrong_kind(t.span, "a number", t.ty);
                return self.fail(span, d);
            }
        }
        if self.decls.fixed {
            self.fixed_binary(op, at, x, y, span)
        } else {
            self.real_binary(op, at, x, y, span)
        }
    }

    /// The choice parameter that an expression names.
    fn choice_field(&self, e: &Expr) -> Option<(&'static Choice, u16)> {
        let ExprKind::Ref(r) = &e.kind else {
            return None;
        };
        let name = r.as_name()?.as_str();
        if self.scope.iter().any(|b| b.name == name) {
            return None;
        }
        match self.decls.names.get(name)?.0 {
            Symbol::Field(i) => match self.decls.fields[i as usize].declared? {
                types::Declared::Choice(c) => Some((c, i)),
                _ => None,
            },
            _ => None,
        }
    }

    fn compare_choice(
        &mut self,
        op: BinaryOp,
        choice: &'static Choice,
        field: u16,
        word: &Expr,
        span: Span,
    ) -> Typed {
        let Some(index) = self.choice_word(word, choice) else {
            return self.unknown(span);
        };
        let read = self.graph.push(Node::Field(field), Ty::I32);
        let wanted = self.graph.word(index, Ty::I32);
        let op = if op == BinaryOp::Eq {
            BinOp::Eq
        } else {
            BinOp::Ne
        };
        Typed {
            id: self.graph.bin(op, read, wanted),
            ty: Type::Bool,
            span,
        }
    }

    /// The index of a choice's word; reports anything else.
    pub fn choice_word(&mut self, e: &Expr, choice: &Choice) -> Option<u32> {
        let word = match &e.kind {
            ExprKind::Ref(r) => r.as_name().map(Name::as_str).unwrap_or(""),
            ExprKind::Error => return None,
            _ => "",
        };
        if let Some(i) = choice.words.iter().position(|w| *w == word) {
            return Some(i as u32);
        }
        let what = format!("choice of `{}`", choice.name);
        let shown = if word.is_empty() { "this" } else { word };
        let d = report::unknown_word(e.span, &what, shown, choice.words);
        self.diags.push(d);
        None
    }

    fn call(&mut self, c: &tree::Call) -> Typed {
        let [name] = c.path.names.as_slice() else {
            let message = format!("`{}` is no function of models", c.path.dotted());
            let d = report::function(
                c.span,
                message,
                "functions of models have one plain name".into(),
            );
            return self.fail(c.span, d);
        };
        if let Some(named) = c.args.iter().find_map(|a| a.name.as_ref()) {
            let message = format!("`{}` takes its arguments by position", name.text);
            let d = report::function(named.span, message, "leave the name and the `=` out".into());
            return self.fail(c.span, d);
        }
        if self.ends.is_some() && name.as_str() == "total" {
            return self.total(c);
        }
        let args: Vec<Typed> = c.args.iter().map(|a| self.expr(&a.value)).collect();
        if self.decls.fixed {
            self.fixed_call(name, &args, c.span)
        } else {
            self.real_call(name, &args, c.span)
        }
    }
}
