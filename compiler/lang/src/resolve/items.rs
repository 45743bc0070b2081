//! Models and modules by path, and shapes of populations and ports.
//!
//! Comes in: a path such as `LifDelta`, `cells.Lif` or `std.neurons.Lif`. Goes out: the item it names; for a `neuron`, its
//! lowered model, made once however many populations use it.

use super::declare::{Declared, Shape};
use super::files::ItemId;
use super::populations::DRIVEN;
use super::scope::{Bound, ScopeId};
use super::value::{Value, count};
use super::{Resolver, near};
use crate::model::{self, ModelContext, Quantity};
use crate::syntax::tree::{self, Item, Path};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostic, Diagnostics, Severity};

/// Words that name a source without `use`, and the model they stand for.
pub(super) const BUILT_IN: [(&str, &str); 3] = [
    ("poisson", "Poisson"),
    ("regular", "Regular"),
    ("noise", "Noise"),
];

impl<'a> Resolver<'a> {
    /// The item of kind `kind` (`neuron`, `module`) that a path names; reports what is wrong with it.
    pub(super) fn find_item(&mut self, path: &Path, scope: ScopeId, kind: &str) -> Option<ItemId> {
        let files = self.files;
        let unit = self.scopes.get(scope)?.unit;
        let here = &files.units[unit];
        let found = match &path.names[..] {
            [one] => here.names.get(&one.text).map(|n| n.0),
            [head @ .., last] => {
                let whole = head
                    .iter()
                    .map(|n| n.as_str())
                    .collect::<Vec<_>>()
                    .join(".");
                let space = match head {
                    [one] => here.spaces.get(&one.text).map(|s| s.0),
                    _ => None,
                };
                space
                    .or_else(|| files.space(&whole))
                    .and_then(|s| files.own(s, last.as_str()))
            }
            [] => None,
        };
        let dotted = path.dotted();
        let Some(id) = found else {
            if files.whole {
                let d = self.no_item(&dotted, path, unit, kind);
                self.report(d);
            }
            return None;
        };
        let is = files.item(id).map(kind_of)?;
        if is != kind {
            let declared = files
                .item(id)
                .and_then(super::files::item_name)
                .map_or(path.span, |n| n.span);
            self.report(
                Diagnostic::error("SYN0103", format!("`{dotted}` is a {is}, not a {kind}"))
                    .label(path.span, format!("a {kind} is needed here"))
                    .label(declared, format!("declared as a {is} here"))
                    .hint(match kind {
                        "synapse" => "the `synapse` of a connect is declared by `synapse Name(...) { ... }`",
                        "module" => "populations are declared by `pop`, instances of modules by `part`",
                        _ => "instances of modules are declared by `part`, populations of neurons by `pop`",
                    }),
            );
            return None;
        }
        Some(id)
    }

    fn no_item(&self, dotted: &str, path: &Path, unit: usize, kind: &str) -> Diagnostic {
        let files = self.files;
        let d = Diagnostic::error("SYN0101", format!("there is no {kind} `{dotted}`"))
            .label(path.span, "unknown");
        let of_kind = |id: &ItemId| files.item(*id).is_some_and(|i| kind_of(i) == kind);
        let known = files.units[unit]
            .names
            .iter()
            .filter(|n| of_kind(&n.1.0))
            .map(|n| &**n.0);
        if let Some(n) = near(dotted, known) {
            return d.hint(format!("did you mean `{n}`?"));
        }
        let last = path.names.last().map_or("", |n| n.as_str());
        let library: Vec<String> = crate::library::paths().collect();
        let in_library = library.iter().find(|p| p.rsplit('.').next() == Some(last));
        match (in_library, near(dotted, library.iter().map(String::as_str))) {
            (Some(p), _) => d.hint(format!("write `use {p}` at the top of the file")),
            (None, Some(p)) => d.hint(format!("did you mean `{p}`?")),
            _ => d.hint(format!(
                "declare it (`{kind} {last} ...`), or `use` it from the library"
            )),
        }
    }

    /// The lowered model of a `neuron`: index into the network's models.
    pub(super) fn model(&mut self, id: ItemId) -> Option<u32> {
        if let Some(known) = self.model_of_item.get(&id) {
            return *known;
        }
        let files = self.files;
        let Some(Item::Neuron(neuron)) = files.item(id) else {
            return None;
        };
        let name = format!("{}{}", files.units[id.unit].path, neuron.name.text);
        let lets = self.numbers_of(id.unit);
        let mut diags = Diagnostics::new();
        let cx = ModelContext {
            name: &name,
            dt: self.dt,
            lets: &lets,
        };
        let lowered = model::lower_neuron(neuron, &cx, &mut diags);
        self.lowering_told(diags, lowered.is_some());
        let index = lowered.map(|m| {
            self.models.push(m);
            self.model_items.push(id);
            (self.models.len() - 1) as u32
        });
        self.model_of_item.insert(id, index);
        index
    }

    /// Passes on what the lowering of a model said. Without a step equations fail for that reason alone, which is reported once.
    pub(super) fn lowering_told(&mut self, diags: Diagnostics, made: bool) {
        self.model_failed |= !made;
        let silent = self.dt.is_none() && !made;
        for d in diags.0 {
            if !(silent && d.severity == Severity::Error) {
                self.report(d);
            }
        }
    }

    /// Least and greatest value of a parameter with a fixed width (`u8`, `i16`, ...).
    pub(super) fn parameter_range(&self, model: u32, name: &str) -> Option<(f64, f64)> {
        let Some(Item::Neuron(m)) = self.files.item(*self.model_items.get(model as usize)?) else {
            return None;
        };
        let ty = &m.params.iter().find(|p| p.name.as_str() == name)?.ty;
        let bits: u32 = ty
            .name
            .as_str()
            .get(1..)?
            .parse()
            .ok()
            .filter(|b| [8, 16, 24, 32].contains(b))?;
        match ty.name.as_str().get(..1)? {
            "u" => Some((0.0, 2f64.powi(bits as i32) - 1.0)),
            "i" => Some((
                -(2f64.powi(bits as i32 - 1)),
                2f64.powi(bits as i32 - 1) - 1.0,
            )),
            _ => None,
        }
    }

    /// The numeric constants that can be named in a file.
    pub(super) fn numbers_of(&mut self, unit: usize) -> BTreeMap<String, Quantity> {
        let names: Vec<(String, usize, synfire_ir::Span)> = self.scopes[unit]
            .names
            .iter()
            .filter_map(|(n, (b, span))| match b {
                Bound::Let(id) => Some((n.to_string(), *id, *span)),
                _ => None,
            })
            .collect();
        names
            .into_iter()
            .filter_map(|(name, id, span)| {
                let (value, dimension) = match self.bound_value(&Bound::Let(id), span)? {
                    Value::Bool(b) => (b as u8 as f64, synfire_ir::units::Dimension::NONE),
                    v => v.number()?,
                };
                Some((name, Quantity { value, dimension }))
            })
            .collect()
    }

    /// The model of a population; `None` for what is driven from outside or could not be found.
    pub(super) fn pop_model(&mut self, pop: usize) -> Option<u32> {
        let item = self.pops.get(pop)?;
        let (declared, scope) = (item.declared, item.scope);
        match declared {
            Declared::Pop(p) => {
                let id = self.find_item(&p.model, scope, "neuron")?;
                self.model(id)
            }
            Declared::Source(s) => {
                let id = self.source_model(s, scope)?;
                self.model(id)
            }
        }
    }

    /// The `neuron` that a source is made of, if it is made of one.
    fn source_model(&mut self, s: &'a tree::Source, scope: ScopeId) -> Option<ItemId> {
        let files = self.files;
        if let [one] = &s.kind.names[..] {
            let unit = self.scopes.get(scope)?.unit;
            if let Some((_, model)) = BUILT_IN.iter().find(|b| b.0 == one.as_str())
                && !files.units[unit].names.contains_key(&one.text)
            {
                return files.own(files.space("std.sources")?, model);
            }
        }
        let [one] = &s.kind.names[..] else {
            return self.find_item(&s.kind, scope, "neuron");
        };
        let words = BUILT_IN.iter().map(|b| b.0).chain(DRIVEN);
        let unit = self.scopes.get(scope)?.unit;
        match near(one.as_str(), words) {
            Some(near) if files.whole && !files.units[unit].names.contains_key(&one.text) => {
                let d = Diagnostic::error(
                    "SYN0101",
                    format!("there is no kind of source `{}`", one.text),
                );
                self.report(
                    d.label(one.span, "unknown")
                        .hint(format!("did you mean `{near}`?")),
                );
                None
            }
            _ => self.find_item(&s.kind, scope, "neuron"),
        }
    }

    /// Extents of a population.
    pub(super) fn pop_shape(&mut self, pop: usize) -> Option<Vec<u32>> {
        let item = self.pops.get_mut(pop)?;
        let (scope, span) = (item.scope, item.span);
        let dims = match item.declared {
            Declared::Pop(p) => &p.shape,
            Declared::Source(s) => &s.shape,
        };
        match std::mem::replace(&mut item.shape, Shape::Busy) {
            Shape::Done(s) => {
                item.shape = Shape::Done(s.clone());
                return s;
            }
            Shape::Busy => {
                self.report(
                    Diagnostic::error("SYN0106", "the shape of this population depends on itself")
                        .label(span, "declared here")
                        .hint("compute the shape from parameters, not from sizes of populations"),
                );
                return None;
            }
            Shape::New => {}
        }
        let shape = self.extents(dims, scope, span);
        self.pops[pop].shape = Shape::Done(shape.clone());
        shape
    }

    /// Extents of a port; a port of one value has one.
    pub(super) fn port_shape(&mut self, port: usize) -> Option<Vec<u32>> {
        let item = self.ports.get_mut(port)?;
        let (ty, scope, span) = (item.ty, item.scope, item.span);
        match std::mem::replace(&mut item.shape, Shape::Busy) {
            Shape::Done(s) => {
                item.shape = Shape::Done(s.clone());
                return s;
            }
            Shape::Busy => return None,
            Shape::New => {}
        }
        let shape = if ty.dims.is_empty() {
            Some(vec![1])
        } else {
            self.extents(&ty.dims, scope, span)
        };
        self.ports[port].shape = Shape::Done(shape.clone());
        shape
    }

    fn extents(
        &mut self,
        dims: &'a [tree::Expr],
        scope: ScopeId,
        at: synfire_ir::Span,
    ) -> Option<Vec<u32>> {
        let shape: Vec<Option<u32>> = dims
            .iter()
            .map(|e| self.whole(e, scope, "an extent", 1))
            .collect();
        let shape: Vec<u32> = shape.into_iter().collect::<Option<_>>()?;
        if shape.is_empty() {
            return None;
        }
        if count(&shape) > super::MAX_UNITS {
            let limit = super::MAX_UNITS;
            self.report(
                Diagnostic::error(
                    "SYN0315",
                    format!("a shape of {} units; at most {limit} can be", count(&shape)),
                )
                .label(at, "declared here")
                .hint("split it into several populations")
                .field("limit", limit),
            );
            return None;
        }
        Some(shape)
    }
}

fn kind_of(item: &Item) -> &'static str {
    match item {
        Item::Neuron(_) => "neuron",
        Item::Synapse(_) => "synapse",
        Item::Module(_) => "module",
        Item::Network(_) => "network",
        Item::Let(_) => "constant",
        Item::Experiment(_) => "experiment",
        Item::Import(_) | Item::Use(_) => "import",
    }
}
