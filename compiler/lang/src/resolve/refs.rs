//! References: `exc[0 .. 10].v`, `actor.choice.i`, `layer.(i + 1)`.
//!
//! Comes in: a reference and its scope. Goes out: the value or node it leads to, the slice of it, and the member (`spikes`,
//! a port, a state) named last. Ports of parts that stand for something inside are followed to it.

use super::scope::{Bound, ScopeId};
use super::value::{Node, Value, View, count};
use super::{MAX_DEPTH, Resolver, listed, near};
use crate::syntax::tree::{Item, Name, Ref, Segment};
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::program::Range;

/// Where a reference leads.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// A constant, or a node with the slice of it.
    pub value: Value,
    /// The last name, when it names something of a population or projection.
    pub member: Option<Name>,
    /// The port that was followed first to get here.
    pub via: Option<usize>,
    /// The whole reference.
    pub span: Span,
}

impl<'a> Resolver<'a> {
    /// Follows a reference; `None` when it leads nowhere, which is reported.
    pub(super) fn resolve_ref(&mut self, r: &'a Ref, scope: ScopeId) -> Option<Target> {
        let (bound, skip) = self.head(r, scope)?;
        let value = self.bound_value(&bound, r.head.span)?;
        let mut at = Target {
            value,
            member: None,
            via: None,
            span: r.span,
        };
        self.follow_port(&mut at)?;
        for seg in r.tail.get(skip..).unwrap_or(&[]) {
            self.step(&mut at, seg, scope, r)?;
            self.follow_port(&mut at)?;
        }
        Some(at)
    }

    /// What the first name stands for, and how many further segments went into finding it.
    fn head(&mut self, r: &'a Ref, scope: ScopeId) -> Option<(Bound, usize)> {
        let name = r.head.as_str();
        let numbered = matches!(
            r.tail.first(),
            Some(Segment::Number(..) | Segment::Computed(..))
        );
        if numbered && let Some(f) = self.lookup_family(name, scope) {
            return Some((Bound::Node(Node::Family(f)), 0));
        }
        if let Some((bound, _)) = self.lookup(name, scope) {
            return Some((bound, 0));
        }
        let unit = self.scopes.get(scope)?.unit;
        let files = self.files;
        if let Some(&(space, _)) = files.units[unit].spaces.get(name)
            && let Some(Segment::Name(n)) = r.tail.first()
        {
            return match files.own(space, n.as_str()).and_then(|id| files.item(id)) {
                Some(Item::Let(_)) => self.lookup(n.as_str(), space).map(|b| (b.0, 1)),
                _ => {
                    let names = files.own_names(space);
                    let d = Diagnostic::error(
                        "SYN0101",
                        format!("`{name}` has no constant `{}`", n.text),
                    )
                    .label(n.span, "unknown");
                    let d = match near(n.as_str(), names) {
                        Some(near) => d.hint(format!("did you mean `{near}`?")),
                        None => d.hint("constants of a file are its `let`s"),
                    };
                    self.report(d);
                    None
                }
            };
        }
        self.unknown_name(name, r.head.span, scope);
        None
    }

    /// One segment further.
    fn step(&mut self, at: &mut Target, seg: &'a Segment, scope: ScopeId, r: &Ref) -> Option<()> {
        if let Value::List(l) = &at.value {
            let list = l.clone();
            at.value = self.index_list(&list, seg, scope)?;
            return Some(());
        }
        let Value::Node(node) = at.value.clone() else {
            self.report(
                Diagnostic::error("SYN0103", format!("{} has no members", at.value.describe()))
                    .label(seg.span(), "of a constant")
                    .label(r.head.span, at.value.describe())
                    .hint("only populations, parts and lists are followed by `.` or `[`"),
            );
            return None;
        };
        match (node, seg) {
            (node @ (Node::Pop(..) | Node::Port(..)), Segment::Index(..) | Segment::Slice(..)) => {
                let view = self.view_of(&node)?;
                let view = Box::new(self.narrow(&node, view, seg, scope)?);
                at.value = Value::Node(match node {
                    Node::Pop(i, _) => Node::Pop(i, Some(view)),
                    Node::Port(i, _) => Node::Port(i, Some(view)),
                    other => other,
                });
                Some(())
            }
            (Node::Pop(..) | Node::Projection(_), Segment::Name(n)) if at.member.is_none() => {
                at.member = Some(n.clone());
                Some(())
            }
            (Node::Part(p), Segment::Name(n)) => {
                at.value = self.inside_part(p, n)?;
                Some(())
            }
            (Node::Family(f), seg @ (Segment::Number(..) | Segment::Computed(..))) => {
                at.value = self.member_of(f, seg, scope)?;
                Some(())
            }
            (node, seg) => {
                self.report(no_step(&node, at.member.as_ref(), seg));
                None
            }
        }
    }

    fn inside_part(&mut self, part: usize, n: &Name) -> Option<Value> {
        let scope = self.parts.get(part)?.scope?;
        if let Some((bound, _)) = self.scopes[scope].names.get(&n.text).cloned() {
            return self.bound_value(&bound, n.span);
        }
        if !self.files.whole {
            return None;
        }
        let mut names: Vec<&str> = self.scopes[scope].names.keys().collect();
        names.sort_unstable();
        let d = Diagnostic::error(
            "SYN0101",
            format!("part `{}` has no `{}`", self.parts[part].name, n.text),
        )
        .label(n.span, "unknown")
        .label(self.parts[part].span, "the part");
        let d = match near(n.as_str(), names.iter().copied()) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint(format!("it has: {}", listed(&names))),
        };
        self.report(d);
        None
    }

    fn member_of(&mut self, family: usize, seg: &'a Segment, scope: ScopeId) -> Option<Value> {
        let number = match seg {
            Segment::Number(n, _) => *n as i64,
            Segment::Computed(e, at) => {
                let v = self.eval(e, scope)?;
                match v.whole().and_then(|n| i64::try_from(n).ok()) {
                    Some(n) => n,
                    None => {
                        self.report(
                            Diagnostic::error(
                                "SYN0104",
                                format!("a number in a name must be whole, not {}", v.describe()),
                            )
                            .label(*at, v.describe())
                            .hint("compute a whole number, e.g. `layer.(i + 1)`"),
                        );
                        return None;
                    }
                }
            }
            _ => return None,
        };
        let f = self.families.get(family)?;
        if let Some(node) = f.members.get(&number) {
            return Some(Value::Node(node.clone()));
        }
        let known = match (f.members.first_key_value(), f.members.last_key_value()) {
            (Some((a, _)), Some((b, _))) => format!("numbers go from {a} to {b}"),
            _ => "its loop has no rounds".to_string(),
        };
        let d = Diagnostic::error("SYN0101", format!("there is no `{}.{number}`", f.name))
            .label(seg.span(), "no such number")
            .hint(known);
        self.report(d);
        None
    }

    /// Replaces a port that stands for something inside its part by that.
    fn follow_port(&mut self, at: &mut Target) -> Option<()> {
        while let Value::Node(Node::Port(i, view)) = &at.value {
            let (i, view) = (*i, view.clone());
            let port = self.ports.get(i)?;
            let (Some(inner), scope, span) = (port.value, port.scope, port.span) else {
                return Some(());
            };
            if port.busy {
                self.report(
                    Diagnostic::error("SYN0106", format!("port `{}` stands for itself", port.name))
                        .label(span, "declared here")
                        .hint("let it stand for a population or a port of an inner part"),
                );
                return None;
            }
            if self.depth >= MAX_DEPTH {
                self.too_deep(span);
                return None;
            }
            self.depth += 1;
            self.ports[i].busy = true;
            let target = self.resolve_ref(inner, scope);
            self.ports[i].busy = false;
            self.depth -= 1;
            let target = target?;
            if view.is_some() {
                // A slice was taken of the port before it was followed; ports are followed first, so there is none.
                return None;
            }
            self.port_fits(i, &target.value)?;
            at.value = target.value;
            at.member = target.member;
            at.via = at.via.or(Some(i));
        }
        Some(())
    }

    /// Has what a port stands for as many elements as its type says?
    fn port_fits(&mut self, port: usize, value: &Value) -> Option<()> {
        let Value::Node(node @ (Node::Pop(..) | Node::Port(..))) = value else {
            return Some(());
        };
        let (name, ty) = (self.ports[port].name.clone(), self.ports[port].ty);
        let (has, says) = (self.view_of(node)?.shape, self.port_shape(port)?);
        if count(&has) == count(&says) {
            return Some(());
        }
        let inner = self.full_name(node);
        self.report(
            Diagnostic::error(
                "SYN0311",
                format!("port `{name}` has {says:?} elements, but `{inner}` behind it has {has:?}"),
            )
            .label(ty.span, format!("says {says:?}"))
            .label(self.ports[port].span, format!("stands for `{inner}`"))
            .hint("give the port the shape of what it stands for"),
        );
        None
    }

    /// The elements of a population or port that a node stands for.
    pub(super) fn view_of(&mut self, node: &Node) -> Option<View> {
        match node {
            Node::Pop(_, Some(v)) | Node::Port(_, Some(v)) => Some((**v).clone()),
            Node::Pop(i, None) => Some(View::whole(&self.pop_shape(*i)?)),
            Node::Port(i, None) => Some(View::whole(&self.port_shape(*i)?)),
            _ => None,
        }
    }

    /// A slice or element along the first axis.
    fn narrow(
        &mut self,
        node: &Node,
        view: View,
        seg: &'a Segment,
        scope: ScopeId,
    ) -> Option<View> {
        let axis = view.shape.first().copied().unwrap_or(1);
        let rest = view.shape.get(1..).unwrap_or(&[]);
        let stride = count(rest) as u32;
        let (from, to, index) = match seg {
            Segment::Index(e, _) => {
                let i = self.whole(e, scope, "an index", 0)?;
                (i, i.checked_add(1)?, true)
            }
            Segment::Slice(a, b, _) => {
                let (a, b) = (
                    self.whole(a, scope, "the start of a slice", 0),
                    self.whole(b, scope, "the end of a slice", 0),
                );
                (a?, b?, false)
            }
            _ => return None,
        };
        if from >= to || to > axis {
            let name = self.full_name(node);
            let what = if index {
                format!("element {from}")
            } else {
                format!("slice {from} .. {to}")
            };
            let why = if to > axis {
                "reaches beyond"
            } else {
                "is empty in"
            };
            self.report(
                Diagnostic::error(
                    "SYN0310",
                    format!("{what} {why} `{name}`, whose first axis has {axis}"),
                )
                .label(seg.span(), format!("the axis has {axis}"))
                .hint(if index {
                    format!("elements are numbered 0 to {}", axis.saturating_sub(1))
                } else {
                    format!("write `[a .. b]` with a < b <= {axis}; the end is left out")
                })
                .field("axis", axis),
            );
            return None;
        }
        let mut shape = rest.to_vec();
        if !index {
            shape.insert(0, to - from);
        } else if shape.is_empty() {
            shape.push(1);
        }
        let range = Range {
            start: view.range.start + from * stride,
            len: (to - from) * stride,
        };
        Some(View { range, shape })
    }

    /// The full name of a population or port.
    pub(super) fn full_name(&self, node: &Node) -> String {
        match node {
            Node::Pop(i, _) => self.pops.get(*i).map_or(String::new(), |p| p.name.clone()),
            Node::Port(i, _) => self.ports.get(*i).map_or(String::new(), |p| p.name.clone()),
            Node::Part(i) => self.parts.get(*i).map_or(String::new(), |p| p.name.clone()),
            Node::Family(i) => self
                .families
                .get(*i)
                .map_or(String::new(), |f| f.name.to_string()),
            Node::Projection(i) => self.connect_names.get(*i).cloned().unwrap_or_default(),
        }
    }
}

fn no_step(node: &Node, member: Option<&Name>, seg: &Segment) -> Diagnostic {
    let d = match member {
        Some(m) => Diagnostic::error(
            "SYN0103",
            format!("`{}` of a population has no members", m.text),
        ),
        None => Diagnostic::error(
            "SYN0103",
            format!("{} cannot be followed by this", node.kind()),
        ),
    };
    let d = d.label(seg.span(), "leads nowhere");
    match (node, member) {
        (_, Some(_)) => d.hint("a reference ends with a port, an output, a state or `spikes`"),
        (Node::Family(_), _) => d.hint("give a number first: `layer.0`, or `layer.(i + 1)`"),
        (Node::Part(_), _) => d.hint("name something inside the part, e.g. `actor.choice`"),
        (Node::Port(..), _) => d.hint("a port is connected as a whole or by slices"),
        _ => d.hint("after a population come slices and one name: `exc[0 .. 10].v`"),
    }
}
