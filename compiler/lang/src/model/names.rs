//! What names stand for in the expressions of a model.

use super::declare::Symbol;
use super::elaborate::{Elaborator, Progress, Typed};
use super::graph::{Id, Node};
use super::report;
use super::types::{self, Type};
use crate::syntax::tree::{self, Name};
use synfire_ir::diag::Span;
use synfire_ir::model::{Combine, Ty, UnOp, Width};
use synfire_ir::units::Dimension;

impl Elaborator<'_, '_> {
    /// A name, as seen from here.
    pub fn name(&mut self, name: &Name) -> Typed {
        let (text, span) = (name.as_str(), name.span);
        if let Some(b) = self.scope.iter().rev().find(|b| b.name == text) {
            return Typed {
                id: b.id,
                ty: b.ty,
                span,
            };
        }
        if let Some(&(symbol, _)) = self.decls.names.get(text) {
            return self.symbol(symbol, name);
        }
        if let Some(q) = self.cx.lets.get(text) {
            if !self.decls.fixed {
                return self.quantity(q.value, q.dimension, span);
            }
            if q.dimension.is_none() && q.value.fract() == 0.0 {
                return self.integer(q.value, span);
            }
            let d = report::other_arithmetic(
                span,
                &format!("`{text}`, which is no whole number,"),
                true,
                "use a `let` that is a whole plain number",
            );
            return self.fail(span, d);
        }
        match text {
            "dt" if !self.decls.fixed => {
                let id = self.graph.dt();
                let ty = Type::Real(Dimension::TIME);
                Typed { id, ty, span }
            }
            "dt" => {
                let d = report::other_arithmetic(
                    span,
                    "`dt`",
                    true,
                    "count steps instead: `on step` runs once in each",
                );
                self.fail(span, d)
            }
            "true" | "false" => self.truth(text == "true", span),
            _ => self.unknown_name(name),
        }
    }

    fn unknown_name(&mut self, name: &Name) -> Typed {
        let known: Vec<&str> = (self.scope.iter().map(|b| b.name.as_str()))
            .chain(self.decls.names.keys().copied())
            .chain(self.cx.lets.keys().map(String::as_str))
            .chain(["dt", "true", "false"])
            .collect();
        let d = report::unknown_name(name.span, name.as_str(), &known);
        self.fail(name.span, d)
    }

    fn symbol(&mut self, symbol: Symbol, name: &Name) -> Typed {
        let span = name.span;
        match symbol {
            Symbol::Field(i) => {
                if i >= self.visible_fields {
                    let d = report::not_here(
                        span,
                        format!("the default of a parameter cannot read `{}`", name.text),
                        "a default reads parameters that stand before its own",
                    );
                    return self.fail(span, d);
                }
                let Some(declared) = self.decls.fields[i as usize].declared else {
                    return self.unknown(span);
                };
                let ty = declared.read(self.decls.fixed);
                let id = self.graph.push(Node::Field(i), ty.ty());
                Typed { id, ty, span }
            }
            Symbol::State(i) => {
                let ty = self.decls.state_type(i);
                let id = self.graph.push(Node::State(i), ty.ty());
                Typed { id, ty, span }
            }
            Symbol::Port(i) => self.port(i, name),
            Symbol::Let(i) => self.model_let(i, span),
            Symbol::Output(i) => self.output(i, span),
        }
    }

    fn port(&mut self, i: u16, name: &Name) -> Typed {
        let p = &self.decls.ports[i as usize];
        if let Some(on) = p.handler.filter(|_| self.decls.weight.is_none()) {
            let d = report::port_of_events(name.span, name.as_str(), on.event.span);
            return self.fail(name.span, d);
        }
        let (ty, narrow) = match p.combine {
            Combine::Or => (Ty::Bool, false),
            Combine::SatSum(_) => (self.decls.port_ty(i), false),
            _ => (self.decls.port_ty(i), true),
        };
        let id = self.graph.push(Node::Port(i), ty);
        self.arrived(i, id, narrow, name.span)
    }

    /// What an input's word is when read: wrapped to the declared width if it can exceed it.
    pub fn arrived(&mut self, port: u16, word: Id, narrow: bool, span: Span) -> Typed {
        let Some(declared) = self.decls.ports[port as usize].declared else {
            return self.unknown(span);
        };
        let ty = declared.read(self.decls.fixed);
        let id = match self.decls.port_width(port) {
            Width::F32 | Width::I32 => word,
            Width::U32 => self.graph.un(UnOp::ToU32, word),
            Width::Bool if self.graph.ty(word) == Ty::Bool => word,
            Width::Bool => self.graph.un(UnOp::ToBool, word),
            w if narrow => {
                let (bits, signed) = types::bits(w);
                self.graph.push(Node::Wrap(word, bits, signed), Ty::I32)
            }
            _ => word,
        };
        Typed { id, ty, span }
    }

    /// A `let` of the model, evaluated where it is read; one that draws is drawn anew at each reading.
    fn model_let(&mut self, i: usize, span: Span) -> Typed {
        let l = self.decls.lets[i];
        match self.lets[i] {
            Progress::Done(t) if !self.graph.info(t.id).draws => return Typed { span, ..t },
            Progress::Busy => {
                let d = report::circular(l.span, l.name.as_str());
                return self.fail(l.name.span, d);
            }
            _ => {}
        }
        self.lets[i] = Progress::Busy;
        let scope = std::mem::take(&mut self.scope);
        let mut t = self.expr(&l.value);
        if let Some(ty) = &l.ty {
            t = self.annotated(t, ty, l.name.as_str());
        }
        self.scope = scope;
        self.lets[i] = Progress::Done(t);
        Typed { span, ..t }
    }

    /// Checks a `let`'s stated type.
    pub fn annotated(&mut self, t: Typed, ty: &tree::Type, name: &str) -> Typed {
        let Some(declared) = self.decls.declared(ty.name.as_str()) else {
            let known: Vec<&str> = types::names().collect();
            let d = report::unknown_type(ty.span, ty.name.as_str(), &known);
            return self.fail(t.span, d);
        };
        let wanted = declared.read(self.decls.fixed);
        let integers = |t: Type| matches!(t, Type::I32 | Type::U32);
        if t.ty == wanted || t.ty == Type::Unknown || (integers(t.ty) && integers(wanted)) {
            return t;
        }
        let d = report::assigned((t.span, t.ty), (ty.span, wanted), name);
        self.fail(t.span, d)
    }

    /// A computed output, as its expression.
    pub fn output(&mut self, i: usize, span: Span) -> Typed {
        let o = self.decls.outputs[i];
        let Some(value) = &o.value else {
            return self.unknown(span);
        };
        match self.outputs[i] {
            Progress::Done(t) if !self.graph.info(t.id).draws => return Typed { span, ..t },
            Progress::Busy => {
                let d = report::circular(o.span, o.name.as_str());
                return self.fail(o.name.span, d);
            }
            _ => {}
        }
        self.outputs[i] = Progress::Busy;
        let scope = std::mem::take(&mut self.scope);
        let t = self.expr(value);
        let t = self.annotated(t, &o.ty, o.name.as_str());
        self.scope = scope;
        self.outputs[i] = Progress::Done(t);
        Typed { span, ..t }
    }

    /// Checks every `let`, also those that nothing reads.
    pub fn check_lets(&mut self) {
        for i in 0..self.decls.lets.len() {
            if matches!(self.lets[i], Progress::Open) {
                let span = self.decls.lets[i].span;
                self.model_let(i, span);
            }
        }
    }
}
