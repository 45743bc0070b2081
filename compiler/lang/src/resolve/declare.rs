//! Declarations: from the body of a network to the list of its populations, parts, ports and connects.
//!
//! Comes in: the body of the network. Goes out: flat lists with full names (`actor.choice`, `layer.0`), each entry with the
//! scope it stands in and its place in the order of the text. Bodies are entered before loops, so that a loop may run over
//! what any part declares. Nothing is evaluated here but the ranges of loops; the number of statements, rounds and parts is
//! limited, so that no text makes this hang.

use super::loops::Loop;
use super::scope::{Bound, LetSlot, LetState, ScopeId};
use super::value::Node;
use super::{MAX_ITEMS, MAX_PARTS_DEEP, MAX_STATEMENTS, Resolver};
use crate::syntax::tree::{self, Item, Name, Net};
use std::collections::VecDeque;
use synfire_ir::diag::{Diagnostic, Span};

/// Place in the order of the text: statement, round, statement, ...
pub(super) type Order = Vec<u32>;

/// What a population is declared by.
#[derive(Clone, Copy)]
pub(super) enum Declared<'a> {
    Pop(&'a tree::Pop),
    Source(&'a tree::Source),
}

/// A population or source.
pub(super) struct PopItem<'a> {
    /// Full name.
    pub name: String,
    pub span: Span,
    pub scope: ScopeId,
    pub order: Order,
    pub declared: Declared<'a>,
    pub shape: Shape,
}

/// A shape, evaluated when first asked for.
#[derive(Clone)]
pub(super) enum Shape {
    New,
    Busy,
    Done(Option<Vec<u32>>),
}

/// An instance of a module.
pub(super) struct PartItem {
    pub name: String,
    pub span: Span,
    /// Scope of its body; `None` when its module is not known.
    pub scope: Option<ScopeId>,
}

/// A port of a part.
pub(super) struct PortItem<'a> {
    pub name: String,
    pub span: Span,
    pub scope: ScopeId,
    pub ty: &'a tree::Type,
    /// What it stands for inside.
    pub value: Option<&'a tree::Ref>,
    pub direction: tree::Direction,
    /// Is its value being followed?
    pub busy: bool,
    pub shape: Shape,
}

/// A statement that is handled when everything is declared.
pub(super) struct Later<'a, T> {
    pub stmt: &'a T,
    pub scope: ScopeId,
    pub order: Order,
    /// Full name, for a named `connect`.
    pub name: Option<String>,
}

/// A body to be entered.
pub(super) struct Body<'a> {
    pub stmts: &'a [Net],
    pub scope: ScopeId,
    pub order: Order,
    /// Is it the network's own body?
    pub top: bool,
}

impl<'a> Resolver<'a> {
    /// Declares everything in the body of the network.
    pub(super) fn declare_all(&mut self, top: Body<'a>) {
        let mut bodies = VecDeque::from([top]);
        let mut loops = VecDeque::new();
        loop {
            while let Some(body) = bodies.pop_front() {
                if self.enter(body, &mut bodies, &mut loops).is_none() {
                    return;
                }
            }
            let Some(next) = loops.pop_front() else {
                return;
            };
            if self.unroll(next, &mut bodies).is_none() {
                return;
            }
        }
    }

    /// Binds the names of one body; `None` when a limit was reached.
    fn enter(
        &mut self,
        body: Body<'a>,
        bodies: &mut VecDeque<Body<'a>>,
        loops: &mut VecDeque<Loop<'a>>,
    ) -> Option<()> {
        let Body {
            stmts,
            scope,
            order,
            top,
        } = body;
        for (i, stmt) in stmts.iter().enumerate() {
            self.count_statement(stmt.span())?;
            let order = || [&order[..], &[i as u32]].concat();
            match stmt {
                Net::Let(l) => {
                    let id = self.new_let(l, scope);
                    self.declare(scope, &l.name, Bound::Let(id));
                }
                Net::Step(s) => self.setting(true, s, scope, top),
                Net::Seed(s) => self.setting(false, s, scope, top),
                Net::Port(p) => self.declare_port(p, scope, top),
                Net::Pop(p) => self.declare_pop(&p.name, Declared::Pop(p), scope, order())?,
                Net::Source(s) => self.declare_pop(&s.name, Declared::Source(s), scope, order())?,
                Net::Part(p) => bodies.extend(self.declare_part(p, scope, order())),
                Net::Connect(c) => self.declare_connect(c, scope, order())?,
                Net::For(f) => loops.push_back(Loop {
                    stmt: f,
                    scope,
                    order: order(),
                }),
                Net::Modulate(m) => self.modulates.push(Later {
                    stmt: m,
                    scope,
                    order: order(),
                    name: None,
                }),
                Net::Record(r) => self.records.push(Later {
                    stmt: r,
                    scope,
                    order: order(),
                    name: None,
                }),
                Net::Hint(h) => self.hints.push(Later {
                    stmt: h,
                    scope,
                    order: order(),
                    name: None,
                }),
            }
        }
        Some(())
    }

    fn count_statement(&mut self, at: Span) -> Option<()> {
        self.statements += 1;
        if self.statements <= MAX_STATEMENTS {
            return Some(());
        }
        if self.statements > MAX_STATEMENTS + 1 {
            return None;
        }
        self.report(
            Diagnostic::error(
                "SYN0113",
                format!("the network unfolds to more than {MAX_STATEMENTS} statements"),
            )
            .label(at, "reached here")
            .hint("use larger populations instead of more loops and parts")
            .field("limit", MAX_STATEMENTS),
        );
        None
    }

    /// `step` and `seed`: once, in the network itself.
    fn setting(&mut self, step: bool, s: &'a tree::Setting, scope: ScopeId, top: bool) {
        let word = if step { "step" } else { "seed" };
        if !top {
            return self.report(
                Diagnostic::error(
                    "SYN0109",
                    format!("`{word}` stands only in a network itself"),
                )
                .label(s.span, "in a module or loop")
                .hint("move it to the top of the network; all parts share it"),
            );
        }
        let slot = if step { &mut self.step } else { &mut self.seed };
        match slot {
            None => *slot = Some((s, scope)),
            Some((first, _)) => {
                let first = first.span;
                self.report(
                    Diagnostic::error("SYN0102", format!("`{word}` is given twice"))
                        .label(s.span, "given again")
                        .label(first, "given first here")
                        .hint("remove one of the two"),
                );
            }
        }
    }

    /// A declared name in full: `actor.` + `layer` + `.0`.
    fn full(&self, scope: ScopeId, name: &Name) -> String {
        let s = &self.scopes[scope];
        format!("{}{}{}", s.prefix, name.text, s.suffix)
    }

    fn declare_pop(
        &mut self,
        name: &'a Name,
        declared: Declared<'a>,
        scope: ScopeId,
        order: Order,
    ) -> Option<()> {
        self.room(self.pops.len(), "populations", name.span)?;
        let full = self.full(scope, name);
        self.pops.push(PopItem {
            name: full,
            span: name.span,
            scope,
            order,
            declared,
            shape: Shape::New,
        });
        self.declare_node(scope, name, Node::Pop(self.pops.len() - 1, None));
        Some(())
    }

    fn declare_connect(
        &mut self,
        c: &'a tree::Connect,
        scope: ScopeId,
        order: Order,
    ) -> Option<()> {
        self.room(self.connects.len(), "projections", c.span)?;
        let name = c.name.as_ref().map(|n| self.full(scope, n));
        self.connects.push(Later {
            stmt: c,
            scope,
            order,
            name,
        });
        if let Some(n) = &c.name {
            self.declare_node(scope, n, Node::Projection(self.connects.len() - 1));
        }
        Some(())
    }

    /// Is there room for one more?
    pub(super) fn room(&mut self, have: usize, what: &str, at: Span) -> Option<()> {
        if have < MAX_ITEMS {
            return Some(());
        }
        self.report(
            Diagnostic::error(
                "SYN0113",
                format!("the network has more than {MAX_ITEMS} {what}"),
            )
            .label(at, "one too many")
            .hint("give a population more units instead of declaring more of them")
            .field("limit", MAX_ITEMS),
        );
        None
    }

    fn declare_port(&mut self, p: &'a tree::Port, scope: ScopeId, top: bool) {
        if top {
            return self.report(
                Diagnostic::error("SYN0109", "a network has no ports")
                    .label(p.span, "in a network")
                    .hint("drive a network by a `source`, and read it by `record`; ports belong to modules"),
            );
        }
        let name = self.full(scope, &p.name);
        self.ports.push(PortItem {
            name,
            span: p.name.span,
            scope,
            ty: &p.ty,
            value: p.value.as_ref(),
            direction: p.direction,
            busy: false,
            shape: Shape::New,
        });
        self.declare_node(scope, &p.name, Node::Port(self.ports.len() - 1, None));
    }

    /// An instance of a module: its scope, with the parameters bound. Returns its body.
    fn declare_part(
        &mut self,
        p: &'a tree::Part,
        scope: ScopeId,
        order: Order,
    ) -> Option<Body<'a>> {
        let name = self.full(scope, &p.name);
        let module = self.find_item(&p.module, scope, "module");
        let depth = self.scopes[scope].depth + 1;
        self.parts.push(PartItem {
            name: name.clone(),
            span: p.name.span,
            scope: None,
        });
        let part = self.parts.len() - 1;
        self.declare_node(scope, &p.name, Node::Part(part));
        let id = module?;
        let files = self.files;
        let Some(Item::Module(m)) = files.item(id) else {
            return None;
        };
        if depth > MAX_PARTS_DEEP {
            self.report(
                Diagnostic::error("SYN0113", format!("parts nest more than {MAX_PARTS_DEEP} levels deep"))
                    .label(p.span, "one level too many")
                    .label(m.name.span, "of this module")
                    .hint("a module that contains itself must end: let a `for` over its parameter run zero times")
                    .field("limit", MAX_PARTS_DEEP),
            );
            return None;
        }
        let inner = self.new_scope(
            Some(id.unit),
            id.unit,
            format!("{name}.").into(),
            "".into(),
            depth,
        );
        self.parts[part].scope = Some(inner);
        self.bind_arguments(
            &format!("module `{}`", m.name.text),
            m,
            &p.args,
            scope,
            inner,
            p.span,
        );
        Some(Body {
            stmts: &m.body,
            scope: inner,
            order,
            top: false,
        })
    }

    /// Binds the parameters of a network or module to arguments of scope `outer`, or to their defaults.
    pub(super) fn bind_arguments(
        &mut self,
        what: &str,
        m: &'a tree::Structure,
        args: &'a [tree::Arg],
        outer: ScopeId,
        inner: ScopeId,
        at: Span,
    ) {
        let formals: Vec<&str> = m.params.iter().map(|p| p.name.as_str()).collect();
        let bound = self.bind(what, args, &formals, 0, at);
        for (i, p) in m.params.iter().enumerate() {
            if self.count_statement(p.span).is_none() {
                return;
            }
            let given = bound.as_ref().and_then(|b| b.get(i).copied().flatten());
            let source = given
                .map(|e| (e, outer))
                .or(p.default.as_ref().map(|e| (e, inner)));
            let bound = match source {
                Some((expr, scope)) => self.parameter(p, expr, scope, inner),
                None => {
                    if bound.is_some() {
                        self.report(missing(what, p, at));
                    }
                    Bound::Failed
                }
            };
            self.declare(inner, &p.name, bound);
        }
    }

    /// A parameter whose value is `expr` in `scope`.
    pub(super) fn parameter(
        &mut self,
        p: &'a tree::Param,
        expr: &'a tree::Expr,
        scope: ScopeId,
        inner: ScopeId,
    ) -> Bound {
        self.lets.push(LetSlot {
            name: p.name.text.clone(),
            span: p.name.span,
            expr,
            scope,
            ty: Some(&p.ty),
            ty_scope: inner,
            state: LetState::New,
        });
        Bound::Let(self.lets.len() - 1)
    }
}

/// A parameter without default that got no argument.
pub(super) fn missing(what: &str, p: &tree::Param, at: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0105",
        format!("{what} needs a value for `{}`", p.name.text),
    )
    .label(at, format!("without `{}`", p.name.text))
    .label(p.span, "declared here without default")
    .hint(format!("give `{} = ...`", p.name.text))
}
