//! Blocks of a model: from the tree to typed statements.
//!
//! Comes in: a block and the names around it. Goes out: [`Step`]s in order of the text, every expression a node of the graph, every
//! target a state or a variable of the block. Reads of a state or variable mean its value at that place: the nodes do not say which.

use super::declare::Symbol;
use super::elaborate::{Bound, Elaborator, Typed};
use super::graph::{Id, Node};
use super::report;
use super::types::{self, Declared, Type};
use crate::syntax::tree::{self, Assign, AssignOp, Stmt};
use synfire_ir::diag::Span;
use synfire_ir::model::{Ty, UnOp, Width};

/// Most repetitions of a `repeat`.
const MAX_REPEAT: f64 = 1024.0;

/// What can be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// A state.
    State(u16),
    /// A variable of a block.
    Local(u32),
}

/// A typed statement.
#[derive(Clone, Debug)]
pub enum Step {
    /// `slot = value`; a block's `let` is one too.
    Set {
        /// What is assigned.
        slot: Slot,
        /// Its new value.
        value: Id,
    },
    /// The first arm whose condition holds, else `otherwise`.
    If {
        /// Conditions and what to do.
        arms: Vec<(Id, Vec<Step>)>,
        /// When none holds.
        otherwise: Vec<Step>,
    },
    /// So many times.
    Repeat(u32, Vec<Step>),
    /// Adds to the payload (I32).
    Emit(Id),
}

/// Does a list of statements emit anywhere?
pub fn emits(steps: &[Step]) -> bool {
    steps.iter().any(|s| match s {
        Step::Emit(_) => true,
        Step::Set { .. } => false,
        Step::Repeat(_, inner) => emits(inner),
        Step::If { arms, otherwise } => emits(otherwise) || arms.iter().any(|a| emits(&a.1)),
    })
}

/// The states that a list of statements assigns, a bit each.
pub fn assigned(steps: &[Step]) -> u64 {
    let of = |s: &Step| match s {
        Step::Set {
            slot: Slot::State(i),
            ..
        } => 1 << i,
        Step::Set { .. } | Step::Emit(_) => 0,
        Step::Repeat(_, inner) => assigned(inner),
        Step::If { arms, otherwise } => arms
            .iter()
            .fold(assigned(otherwise), |m, a| m | assigned(&a.1)),
    };
    steps.iter().fold(0, |m, s| m | of(s))
}

impl Elaborator<'_, '_> {
    /// A block; what it declares is forgotten at its end.
    pub fn block(&mut self, b: &tree::Block) -> Vec<Step> {
        let outer = self.scope.len();
        let steps = b.stmts.iter().filter_map(|s| self.statement(s)).collect();
        self.scope.truncate(outer);
        steps
    }

    fn statement(&mut self, s: &Stmt) -> Option<Step> {
        match s {
            Stmt::Let(l) => self.block_let(l),
            Stmt::Assign(a) => self.assign(a),
            Stmt::Emit(e) => self.emit(&e.value),
            Stmt::If(i) => {
                let mut arms = vec![];
                for arm in &i.arms {
                    let c = self.expr(&arm.condition);
                    let condition = self.wants_truth(c);
                    let steps = self.block(&arm.block);
                    arms.push((condition.unwrap_or(0), steps));
                }
                let otherwise = i.otherwise.as_ref().map_or(vec![], |b| self.block(b));
                Some(Step::If { arms, otherwise })
            }
            Stmt::Repeat(r) => {
                let count = self.expr(&r.count);
                let steps = self.block(&r.block);
                let n = self.count(count)?;
                Some(Step::Repeat(n, steps))
            }
        }
    }

    fn count(&mut self, t: Typed) -> Option<u32> {
        let value = match self.graph.node(t.id) {
            Node::Real(bits) => Some(f64::from_bits(bits)),
            Node::Word(w) => Some(w as i32 as f64),
            _ => None,
        };
        let plain = matches!(t.ty, Type::I32 | Type::U32) || t.ty == Type::PLAIN;
        match value {
            _ if t.ty == Type::Unknown => None,
            Some(n) if plain && n.fract() == 0.0 && (0.0..=MAX_REPEAT).contains(&n) => {
                Some(n as u32)
            }
            _ => {
                let range = "a whole number from 0 to 1024";
                self.diags
                    .push(report::constant(t.span, "the count of `repeat`", range));
                None
            }
        }
    }

    fn block_let(&mut self, l: &tree::Let) -> Option<Step> {
        let mut t = self.expr(&l.value);
        if let Some(ty) = &l.ty {
            t = self.annotated(t, ty, l.name.as_str());
        }
        if let Type::Choice(_) = t.ty {
            self.diags.push(report::wrong_kind(
                t.span,
                "a number or a truth value",
                t.ty,
            ));
            t = self.unknown(t.span);
        }
        let local = self.locals;
        self.locals += 1;
        let read = self.graph.push(Node::Local(local), t.ty.ty());
        self.scope.push(Bound {
            name: l.name.text.to_string(),
            id: read,
            local: Some(local),
            ty: t.ty,
            span: l.name.span,
        });
        Some(Step::Set {
            slot: Slot::Local(local),
            value: t.id,
        })
    }

    /// What a target names: the slot, how to read it, and where it was declared.
    fn target(&mut self, r: &tree::Ref) -> Option<(Slot, Typed)> {
        let Some(name) = r.as_name() else {
            let what = "not a variable of this model";
            self.diags
                .push(report::cannot_assign(r.span, r.head.as_str(), what, None));
            return None;
        };
        let text = name.as_str();
        if let Some(b) = self.scope.iter().rev().find(|b| b.name == text) {
            let (id, ty, span) = (b.id, b.ty, b.span);
            let Some(local) = b.local else {
                let d = report::cannot_assign(r.span, text, "the value of the event", Some(span));
                self.diags.push(d);
                return None;
            };
            return Some((Slot::Local(local), Typed { id, ty, span }));
        }
        let what = match self.decls.names.get(text) {
            Some(&(Symbol::State(i), span)) => {
                let ty = self.decls.state_type(i);
                let id = self.graph.push(Node::State(i), ty.ty());
                return Some((Slot::State(i), Typed { id, ty, span }));
            }
            Some((Symbol::Field(_), _)) => "a parameter",
            Some((Symbol::Port(_), _)) => "an input",
            Some((Symbol::Let(_), _)) => "a `let` of the model",
            Some((Symbol::Output(_), _)) => "a computed output",
            None => {
                let known: Vec<&str> = (self.scope.iter().map(|b| b.name.as_str()))
                    .chain(self.decls.names.keys().copied())
                    .collect();
                let d = report::unknown_name(name.span, text, &known);
                self.diags.push(d);
                return None;
            }
        };
        let declared = self.decls.names.get(text).map(|n| n.1);
        self.diags
            .push(report::cannot_assign(r.span, text, what, declared));
        None
    }

    fn assign(&mut self, a: &Assign) -> Option<Step> {
        let target = self.target(&a.target);
        let value = self.expr(&a.value);
        let (slot, place) = target?;
        if value.ty == Type::Unknown || place.ty == Type::Unknown {
            return None;
        }
        let value = self.combined(a, place, value)?;
        let value = self.fits(place, value, a.target.head.as_str())?;
        Some(Step::Set { slot, value })
    }

    /// The value that `=`, `+=`, `-=` or `*=` assigns.
    fn combined(&mut self, a: &Assign, place: Typed, value: Typed) -> Option<Typed> {
        let op = match a.op {
            AssignOp::Set => return Some(value),
            AssignOp::Add => tree::BinaryOp::Add,
            AssignOp::Sub => tree::BinaryOp::Sub,
            AssignOp::Mul => tree::BinaryOp::Mul,
        };
        for t in [place, value] {
            if !matches!(t.ty, Type::Real(_) | Type::I32 | Type::U32) {
                self.diags
                    .push(report::wrong_kind(value.span, "a number", t.ty));
                return None;
            }
        }
        let result = if self.decls.fixed {
            self.fixed_binary(op, a.op_span, place, value, value.span)
        } else {
            self.real_binary(op, a.op_span, place, value, value.span)
        };
        (result.ty != Type::Unknown).then_some(result)
    }

    /// The value as its place holds it: integers keep their bits.
    pub fn fits(&mut self, place: Typed, value: Typed, name: &str) -> Option<Id> {
        match (place.ty, value.ty) {
            (p, v) if p == v => Some(value.id),
            (Type::I32, Type::U32) => Some(self.graph.un(UnOp::ToI32, value.id)),
            (Type::U32, Type::I32) => Some(self.graph.un(UnOp::ToU32, value.id)),
            _ => {
                let d = report::assigned((value.span, value.ty), (place.span, place.ty), name);
                self.diags.push(d);
                None
            }
        }
    }

    fn emit(&mut self, e: &tree::Expr) -> Option<Step> {
        let t = self.expr(e);
        if let Some(ends) = self.ends {
            return self.delivered(t, ends.delivers);
        }
        let id = match t.ty {
            Type::Unknown => return None,
            Type::Real(d) if d.is_none() => self.graph.un(UnOp::ToI32, t.id),
            Type::I32 => t.id,
            Type::U32 => self.graph.un(UnOp::ToI32, t.id),
            ty => {
                self.diags
                    .push(report::wrong_kind(t.span, "a plain number", ty));
                return None;
            }
        };
        Some(Step::Emit(id))
    }

    /// The starting value of a state as a node, checked against its type.
    pub fn start(&mut self, v: &tree::Variable, state: u16) -> Id {
        let ty = self.decls.state_type(state);
        let zero = if ty.ty() == Ty::F32 {
            self.graph.real(0.0)
        } else {
            self.graph.word(0, ty.ty())
        };
        let Some(e) = &v.value else { return zero };
        let t = self.expr(e);
        if t.ty == Type::Unknown || ty == Type::Unknown {
            return zero;
        }
        let place = Typed {
            id: 0,
            ty,
            span: v.ty.span,
        };
        let value = self.fits(place, t, v.name.as_str());
        if let Some(declared) = self.decls.states[state as usize].declared {
            self.holds(t, declared, "a starting value");
        }
        self.known(value.unwrap_or(zero), t.span, "a starting value")
    }

    /// Reports a constant that its declared type cannot hold.
    pub fn holds(&mut self, t: Typed, declared: Declared, what: &str) {
        let value = match (self.graph.node(t.id), t.ty) {
            (Node::Real(bits), _) => f64::from_bits(bits),
            (Node::Word(w), Type::I32) => w as i32 as f64,
            (Node::Word(w), Type::U32) => w as f64,
            _ => return,
        };
        let (low, high) = match declared {
            Declared::Real(_) | Declared::Bool | Declared::Choice(_) => return,
            Declared::Int => types::limits(Width::I32),
            Declared::Fixed(w) => types::limits(w),
        };
        if value.fract() != 0.0 || value < low as f64 || value > high as f64 {
            let range = format!("a whole number from {low} to {high}");
            self.diags.push(report::constant(t.span, what, &range));
        }
    }

    /// Reports a node that is not known before the run.
    pub fn known(&mut self, id: Id, span: Span, what: &str) -> Id {
        if !self.graph.uniform(id) {
            self.diags.push(report::not_uniform(span, what));
        }
        id
    }
}
