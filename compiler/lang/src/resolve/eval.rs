//! Expressions to values.
//!
//! Comes in: an expression and the scope it stands in. Goes out: a [`Value`], or `None` when something was wrong, which has
//! then been reported. Names are looked up lazily, so declarations may stand in any order; a definition that needs itself
//! is an error. Depth and total work are limited, so that no text makes it overflow or hang.

use super::ops::{self, article};
use super::scope::{Bound, LetState, ScopeId};
use super::value::{List, MAX_LISTS_DEEP, Node, Text, Value};
use super::{MAX_DEPTH, Resolver, near};
use crate::model::quantity::literal;
use crate::syntax::tree::{Expr, ExprKind, Ref, Segment, Type};
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::units::Dimension;

impl<'a> Resolver<'a> {
    /// The value of an expression.
    pub(super) fn eval(&mut self, e: &'a Expr, scope: ScopeId) -> Option<Value> {
        if !self.burn(e.span) {
            return None;
        }
        if self.depth >= MAX_DEPTH {
            self.too_deep(e.span);
            return None;
        }
        self.depth += 1;
        let value = self.eval_kind(e, scope);
        self.depth -= 1;
        value
    }

    /// Reports a definition behind too many others.
    pub(super) fn too_deep(&mut self, at: Span) {
        self.report(
            Diagnostic::error(
                "SYN0113",
                format!("definitions nest more than {MAX_DEPTH} levels deep"),
            )
            .label(at, "one level too many")
            .hint("shorten the chain of definitions that this one depends on")
            .field("limit", MAX_DEPTH),
        );
    }

    fn eval_kind(&mut self, e: &'a Expr, scope: ScopeId) -> Option<Value> {
        match &e.kind {
            ExprKind::Error => None,
            ExprKind::Number(n) => match (n.integer, &n.unit) {
                (Some(i), None) => Some(Value::Int(i as i128)),
                _ => match literal(n) {
                    Some(q) => Some(Value::Real(q.value, q.dimension)),
                    None => {
                        self.report(
                            Diagnostic::error(
                                "SYN0114",
                                "the number with its unit is beyond what can be computed",
                            )
                            .label(e.span, "this number")
                            .hint("use a nearer unit prefix"),
                        );
                        None
                    }
                },
            },
            ExprKind::Text(t) => Some(Value::Text(Text {
                text: t.clone(),
                unit: self.unit_of(e.span),
            })),
            ExprKind::List(items) => {
                // All elements are looked at, so that one run reports every error in them.
                let values: Vec<Option<Value>> =
                    items.iter().map(|i| self.eval(i, scope)).collect();
                let values = values.into_iter().collect::<Option<Vec<_>>>()?;
                self.list(values, e.span)
            }
            ExprKind::Ref(r) => self.eval_ref(r, scope),
            ExprKind::Call(c) => self.call(c, scope),
            ExprKind::Unary(op, _, a) => {
                let v = self.eval(a, scope)?;
                let result = ops::unary(*op, (&v, a.span));
                self.keep(result)
            }
            ExprKind::Binary(op, at, a, b) => {
                let (x, y) = (self.eval(a, scope), self.eval(b, scope));
                let (x, y) = (x?, y?);
                let result = ops::binary(*op, *at, (&x, a.span), (&y, b.span));
                self.keep(result)
            }
        }
    }

    /// A list of values.
    pub(super) fn list(&mut self, values: Vec<Value>, at: Span) -> Option<Value> {
        let list = List::new(values).map(Value::List);
        if list.is_none() {
            self.report(
                Diagnostic::error(
                    "SYN0113",
                    format!("lists nest more than {MAX_LISTS_DEEP} deep"),
                )
                .label(at, "one level too many")
                .hint("use fewer axes")
                .field("limit", MAX_LISTS_DEEP),
            );
        }
        list
    }

    /// The value, or its diagnostic reported.
    pub(super) fn keep<T>(&mut self, result: Result<T, impl Into<Diagnostic>>) -> Option<T> {
        match result {
            Ok(v) => Some(v),
            Err(d) => {
                self.report(d.into());
                None
            }
        }
    }

    fn eval_ref(&mut self, r: &'a Ref, scope: ScopeId) -> Option<Value> {
        if let Some(name) = r.as_name() {
            match name.as_str() {
                "true" => return Some(Value::Bool(true)),
                "false" => return Some(Value::Bool(false)),
                _ => {}
            }
        }
        let target = self.resolve_ref(r, scope)?;
        match target.member {
            Some(m) => {
                self.report(
                    Diagnostic::error(
                        "SYN0103",
                        format!(
                            "`{}` of a population has no value before the network runs",
                            m.text
                        ),
                    )
                    .label(r.span, "used as a value here")
                    .hint("record it, or compute with the values that the population was given"),
                );
                None
            }
            None => Some(target.value),
        }
    }

    /// What a bound name is worth.
    pub(super) fn bound_value(&mut self, bound: &Bound, span: Span) -> Option<Value> {
        match bound {
            Bound::Value(v) => Some((**v).clone()),
            Bound::Node(n) => Some(Value::Node(n.clone())),
            Bound::Failed => None,
            Bound::Let(id) => self.let_value(*id, span),
        }
    }

    fn let_value(&mut self, id: usize, used: Span) -> Option<Value> {
        let slot = self.lets.get_mut(id)?;
        let (name, expr, ty, ty_scope, scope) = (
            slot.name.clone(),
            slot.expr,
            slot.ty,
            slot.ty_scope,
            slot.scope,
        );
        match &slot.state {
            LetState::Done(v) => return v.clone(),
            LetState::Busy => {
                let declared = slot.span;
                slot.state = LetState::Done(None);
                self.report(
                    Diagnostic::error("SYN0106", format!("`{name}` is defined by itself"))
                        .label(used, "needed here for its own definition")
                        .label(declared, "declared here")
                        .hint("break the circle: one of the definitions must not use the others"),
                );
                return None;
            }
            LetState::New => slot.state = LetState::Busy,
        }
        let mut value = self.eval(expr, scope);
        if let (Some(v), Some(ty)) = (value.clone(), ty) {
            value = self.typed(v, ty, ty_scope, expr.span, &name);
        }
        if let Some(slot) = self.lets.get_mut(id) {
            if matches!(slot.state, LetState::Done(_)) {
                return None;
            }
            slot.state = LetState::Done(value.clone());
        }
        value
    }

    /// Checks a value against a declared type; whole reals become integers where `int` is wanted.
    pub(super) fn typed(
        &mut self,
        v: Value,
        ty: &'a Type,
        _scope: ScopeId,
        at: Span,
        name: &str,
    ) -> Option<Value> {
        let wrong = |v: &Value, wanted: &str| {
            Diagnostic::error(
                "SYN0104",
                format!("`{name}` is {wanted}, not {}", v.describe()),
            )
            .label(at, v.describe())
            .label(ty.span, format!("declared as `{}` here", ty.name.text))
            .hint(format!("give {wanted}"))
        };
        let list = !ty.dims.is_empty();
        let result = match (ty.name.as_str(), &v) {
            (_, Value::List(_) | Value::Data(_)) if list => Ok(v),
            ("int", _) => v
                .whole()
                .map(Value::Int)
                .ok_or_else(|| wrong(&v, "a whole number")),
            ("bool", Value::Bool(_)) | ("path", Value::Text(_)) => Ok(v),
            ("bool", _) => Err(wrong(&v, "`true` or `false`")),
            ("path", _) => Err(wrong(&v, "a text in quotes")),
            (other, _) => match (Dimension::of_type(other), v.number()) {
                (Some(want), Some((_, d))) if d == want => Ok(v),
                (Some(want), Some((_, d))) => {
                    let d = Diagnostic::error(
                        "SYN0202",
                        format!("`{name}` is {}, not {}", article(want), article(d)),
                    )
                    .label(at, article(d))
                    .label(ty.span, format!("declared as `{other}` here"));
                    Err(d.hint(if want.is_none() {
                        "divide by a unit, or declare another type".to_string()
                    } else {
                        format!("write a unit of {want} after the number")
                    }))
                }
                (Some(want), None) => Err(wrong(&v, &article(want))),
                (None, _) => return self.unknown_type(ty).then_some(v),
            },
        };
        self.keep(result)
    }

    /// Reports a type that is none; always false.
    fn unknown_type(&mut self, ty: &Type) -> bool {
        let dimensions = Dimension::NAMED.iter().map(|n| n.0);
        let types: Vec<&str> = ["int", "real", "bool"]
            .into_iter()
            .chain(dimensions)
            .chain(["path"])
            .collect();
        let name = ty.name.as_str();
        let d = Diagnostic::error("SYN0104", format!("`{name}` is no type of a constant"))
            .label(ty.span, "unknown type");
        let near = near(name, types.iter().copied());
        let d = near.map_or(d.clone(), |n| d.hint(format!("did you mean `{n}`?")));
        self.report(d.hint(format!("the types are: {}", types.join(", "))));
        false
    }

    /// A whole number, at least `least` and within 32 bits.
    pub(super) fn whole(
        &mut self,
        e: &'a Expr,
        scope: ScopeId,
        what: &str,
        least: i128,
    ) -> Option<u32> {
        let v = self.eval(e, scope)?;
        let wrong = |d: String| {
            Diagnostic::error("SYN0104", format!("{what} must be a whole number, not {d}"))
                .label(e.span, d)
                .hint("give a whole number without unit")
        };
        let Some(n) = v.whole() else {
            self.report(wrong(v.describe()));
            return None;
        };
        match u32::try_from(n) {
            Ok(x) if n >= least => Some(x),
            _ => {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        format!("{what} is {n}; it must be {least} to {}", u32::MAX),
                    )
                    .label(e.span, "out of range")
                    .hint(format!("give a whole number of at least {least}")),
                );
                None
            }
        }
    }

    /// A number of the wanted dimension.
    pub(super) fn quantity(
        &mut self,
        e: &'a Expr,
        scope: ScopeId,
        want: Dimension,
        what: &str,
    ) -> Option<f64> {
        let v = self.eval(e, scope)?;
        self.quantity_of(&v, e.span, want, what)
    }

    /// The number in a value, if it has the wanted dimension.
    pub(super) fn quantity_of(
        &mut self,
        v: &Value,
        at: Span,
        want: Dimension,
        what: &str,
    ) -> Option<f64> {
        match v.number() {
            Some((x, d)) if d == want => Some(x),
            Some((_, d)) => {
                self.report(wrong_dimension(what, want, d, at));
                None
            }
            None => {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        format!("{what} must be {}, not {}", article(want), v.describe()),
                    )
                    .label(at, v.describe())
                    .hint(format!("give {}", article(want))),
                );
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn truth(&mut self, e: &'a Expr, scope: ScopeId, what: &str) -> Option<bool> {
        match self.eval(e, scope)? {
            Value::Bool(b) => Some(b),
            v => {
                self.report(
                    Diagnostic::error(
                        "SYN0104",
                        format!("{what} must be `true` or `false`, not {}", v.describe()),
                    )
                    .label(e.span, v.describe())
                    .hint("write `true` or `false`"),
                );
                None
            }
        }
    }

    /// Follows the brackets after a list.
    pub(super) fn index_list(
        &mut self,
        list: &List,
        seg: &'a Segment,
        scope: ScopeId,
    ) -> Option<Value> {
        let list = &list.items;
        let outside = |at: Span, i: u32, n: usize| {
            Diagnostic::error("SYN0310", format!("element {i} of a list of {n}"))
                .label(at, "out of range")
                .hint(format!(
                    "elements are numbered 0 to {}",
                    n.saturating_sub(1)
                ))
        };
        match seg {
            Segment::Index(e, at) => {
                let i = self.whole(e, scope, "an index", 0)?;
                let found = list.get(i as usize).cloned();
                self.keep(found.ok_or_else(|| outside(*at, i, list.len())))
            }
            Segment::Slice(from, to, at) => {
                let (a, b) = (
                    self.whole(from, scope, "the start of a slice", 0),
                    self.whole(to, scope, "the end of a slice", 0),
                );
                let (a, b) = (a?, b?);
                let found = list.get(a as usize..b as usize);
                let found = self.keep(found.ok_or_else(|| outside(*at, b, list.len())))?;
                self.fuel = self.fuel.saturating_sub(found.len() as u64);
                self.list(found.to_vec(), *at)
            }
            other => {
                self.report(
                    Diagnostic::error("SYN0103", "a list has no members")
                        .label(other.span(), "of a list")
                        .hint("write `list[0]` for an element"),
                );
                None
            }
        }
    }

    /// Which file a span lies in.
    pub(super) fn unit_of(&self, span: Span) -> usize {
        self.files.unit_of(span.file)
    }

    /// A node's full name as one word, for `name`: `actor.choice` is `actor_choice`.
    pub(super) fn node_name(&self, n: &Node) -> Option<String> {
        let name = self.full_name(n);
        (!matches!(n, Node::Family(_)) && !name.is_empty()).then(|| name.replace('.', "_"))
    }
}

/// A quantity of one dimension stands where another belongs.
pub(super) fn wrong_dimension(what: &str, want: Dimension, got: Dimension, at: Span) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0202",
        format!("{what} must be {}, not {}", article(want), article(got)),
    )
    .label(at, article(got));
    if got.is_none() {
        d.hint(format!("write a unit of {want} after the number"))
    } else if want.is_none() {
        d.hint("leave out the unit, or divide by one, e.g. `x / 1 mV`")
    } else {
        d.hint(format!("give {}", article(want)))
    }
}
