//! Scopes: what names stand for, from the innermost block outwards to the file.
//!
//! A scope belongs to a file, to an instance of a network or module, or to one round of a `for`. Names that a round declares
//! also enter the scope around the loop as a family: `layer.0`, `layer.1`, ...

use super::files::{ItemId, duplicate};
use super::value::{Node, Value};
use super::{MAX_REPORTS, Resolver, near};
use crate::syntax::tree::{Expr, Item, Let, Name, Type};
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Span};

pub(super) type ScopeId = usize;

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Bound {
    /// A `let` or parameter, by number.
    Let(usize),
    Value(Arc<Value>),
    Node(Node),
    /// Reported already.
    Failed,
}

/// A `let`, parameter or argument, evaluated when first used.
pub(super) struct LetSlot<'a> {
    pub name: Arc<str>,
    pub span: Span,
    pub expr: &'a Expr,
    /// Where `expr` is evaluated.
    pub scope: ScopeId,
    pub ty: Option<&'a Type>,
    /// Where the type is.
    pub ty_scope: ScopeId,
    pub state: LetState,
}

pub(super) enum LetState {
    New,
    Busy,
    Done(Option<Value>),
}

/// Names of one scope. Most scopes are rounds of loops with a name or two, for which a tree would take ten times the memory.
#[derive(Default)]
pub(super) struct Names {
    few: Vec<(Arc<str>, (Bound, Span))>,
    many: BTreeMap<Arc<str>, (Bound, Span)>,
}

/// Names that are searched one by one.
const FEW: usize = 6;

impl Names {
    pub fn get(&self, name: &str) -> Option<&(Bound, Span)> {
        let few = self.few.iter().find(|n| &*n.0 == name).map(|n| &n.1);
        few.or_else(|| self.many.get(name))
    }

    /// Enters a name that is not there.
    pub fn insert(&mut self, name: Arc<str>, what: (Bound, Span)) {
        if self.few.len() < FEW {
            self.few.push((name, what));
        } else {
            self.many.insert(name, what);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &(Bound, Span))> {
        self.few.iter().map(|n| (&n.0, &n.1)).chain(&self.many)
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|n| &**n.0)
    }
}

/// See the module.
pub(super) struct Scope {
    pub parent: Option<ScopeId>,
    /// File whose names are looked up last.
    pub unit: usize,
    pub names: Names,
    /// Before a declared name: `actor.`
    pub prefix: Arc<str>,
    /// After it: `.0`
    pub suffix: Arc<str>,
    /// For a round of a loop: the scope around the loop, and the number of the round.
    pub round: Option<(ScopeId, i64)>,
    /// Depth of parts within parts.
    pub depth: u32,
}

/// What a `for` declared under one name.
pub(super) struct Family {
    pub name: Arc<str>,
    pub members: BTreeMap<i64, Node>,
}

impl<'a> Resolver<'a> {
    /// Makes the scope of every file: scope `i` holds the names of file `i`.
    pub(super) fn file_scopes(&mut self) {
        let files = self.files;
        let mut lets = BTreeMap::new();
        for (unit, file) in files.units.iter().enumerate() {
            let scope = self.new_scope(None, unit, "".into(), "".into(), 0);
            for (item, i) in file.tree.items.iter().enumerate() {
                if let Item::Let(l) = i
                    && !files.is_override(unit)
                {
                    lets.insert(ItemId { unit, item }, self.new_let(l, scope));
                }
            }
        }
        for (unit, file) in files.units.iter().enumerate() {
            for (name, &(id, span)) in &file.names {
                if let Some(&l) = lets.get(&id) {
                    self.scopes[unit]
                        .names
                        .insert(name.clone(), (Bound::Let(l), span));
                }
            }
        }
    }

    pub(super) fn new_scope(
        &mut self,
        parent: Option<ScopeId>,
        unit: usize,
        prefix: Arc<str>,
        suffix: Arc<str>,
        depth: u32,
    ) -> ScopeId {
        self.scopes.push(Scope {
            parent,
            unit,
            names: Names::default(),
            prefix,
            suffix,
            round: None,
            depth,
        });
        self.scopes.len() - 1
    }

    /// Enters a `let` of the tree.
    pub(super) fn new_let(&mut self, l: &'a Let, scope: ScopeId) -> usize {
        self.lets.push(LetSlot {
            name: l.name.text.clone(),
            span: l.name.span,
            expr: &l.value,
            scope,
            ty: l.ty.as_ref(),
            ty_scope: scope,
            state: LetState::New,
        });
        self.lets.len() - 1
    }

    /// Binds a name in a scope; reports a second declaration.
    pub(super) fn declare(&mut self, scope: ScopeId, name: &Name, bound: Bound) {
        match self.scopes[scope].names.get(&name.text) {
            Some((_, first)) => {
                let first = *first;
                self.report(duplicate(name.as_str(), name.span, first));
            }
            None => {
                self.scopes[scope]
                    .names
                    .insert(name.text.clone(), (bound, name.span));
            }
        }
    }

    /// Binds a population, part, port or projection, and makes it a member of its loop's families.
    pub(super) fn declare_node(&mut self, scope: ScopeId, name: &Name, node: Node) {
        self.declare(scope, name, Bound::Node(node.clone()));
        let (mut scope, mut node) = (scope, node);
        while let Some((outer, number)) = self.scopes[scope].round {
            let known = self.scopes[outer].names.get(&name.text).cloned();
            let family = match known {
                Some((Bound::Node(Node::Family(f)), first)) => {
                    if self.families[f].members.insert(number, node).is_some() {
                        self.report(duplicate(name.as_str(), name.span, first));
                    }
                    return;
                }
                Some((_, first)) => return self.report(duplicate(name.as_str(), name.span, first)),
                None => {
                    self.families.push(Family {
                        name: name.text.clone(),
                        members: BTreeMap::from([(number, node)]),
                    });
                    self.families.len() - 1
                }
            };
            node = Node::Family(family);
            self.scopes[outer]
                .names
                .insert(name.text.clone(), (Bound::Node(node.clone()), name.span));
            scope = outer;
        }
    }

    /// Looks a name up from `scope` outwards.
    pub(super) fn lookup(&mut self, name: &str, scope: ScopeId) -> Option<(Bound, Span)> {
        let mut at = Some(scope);
        while let Some(s) = at {
            let s = self.scopes.get(s)?;
            if let Some(found) = s.names.get(name) {
                return Some(found.clone());
            }
            at = s.parent;
        }
        None
    }

    /// Looks up what loops declared under a name, passing by a round's own declaration.
    pub(super) fn lookup_family(&self, name: &str, scope: ScopeId) -> Option<usize> {
        let mut at = Some(scope);
        while let Some(s) = at {
            let s = self.scopes.get(s)?;
            if let Some((Bound::Node(Node::Family(f)), _)) = s.names.get(name) {
                return Some(*f);
            }
            at = s.parent;
        }
        None
    }

    /// All names visible from a scope, for suggestions.
    pub(super) fn visible(&self, scope: ScopeId) -> Vec<&str> {
        let mut names = vec![];
        let mut at = self.scopes.get(scope);
        while let Some(s) = at {
            names.extend(s.names.keys());
            at = s.parent.and_then(|p| self.scopes.get(p));
        }
        names
    }

    /// Reports a name that stands for nothing.
    pub(super) fn unknown_name(&mut self, name: &str, span: Span, scope: ScopeId) {
        if !self.files.whole || self.diagnostics.0.len() >= MAX_REPORTS {
            // The declaration may stand in a statement that could not be read.
            return;
        }
        let d = Diagnostic::error("SYN0101", format!("there is no `{name}` here"))
            .label(span, "unknown");
        // One letter is near to every other.
        let near = near(name, self.visible(scope))
            .filter(|_| name.len() > 1)
            .map(String::from);
        let unit = self.scopes.get(scope).map_or(0, |s| s.unit);
        let item = self.files.units[unit]
            .names
            .get(name)
            .and_then(|n| self.files.item(n.0));
        let d = match (near, item) {
            (_, Some(Item::Neuron(_) | Item::Synapse(_))) => {
                d.hint("it is a model; declare units of it with `pop`")
            }
            (_, Some(Item::Module(_))) => d.hint("it is a module; declare an instance with `part`"),
            (Some(n), _) => d.hint(format!("did you mean `{n}`?")),
            _ => d.hint("declare it with `let`, `pop`, `source` or `part`"),
        };
        self.report(d);
    }
}
