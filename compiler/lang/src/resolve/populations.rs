//! Populations and sources: from declarations to nodes of the graph.
//!
//! Comes in: the declared items. Goes out: nodes with shapes, models and values of fields, in the order of the text; and
//! the feeds of `spike_list` sources.

use super::data::Want;
use super::declare::Declared;
use super::scope::ScopeId;
use super::value::count;
use super::{Resolver, listed, near};
use crate::syntax::tree::{self, ExprKind, Field, Fields};
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::model::Width;
use synfire_ir::network::{Field as ModelField, Init, PopId, PopKind, Population};
use synfire_ir::units::Dimension;

/// Kinds of source that are driven from outside.
pub(super) const DRIVEN: [&str; 3] = ["events", "signal", "spike_list"];

impl<'a> Resolver<'a> {
    /// Makes a node of every population, in the order of the text.
    pub(super) fn populations(&mut self) {
        let mut order: Vec<usize> = (0..self.pops.len()).collect();
        order.sort_by(|&a, &b| self.pops[a].order.cmp(&self.pops[b].order));
        self.pop_ids = vec![None; self.pops.len()];
        for i in order {
            let id = self.population(i);
            self.pop_ids[i] = id;
        }
    }

    fn population(&mut self, i: usize) -> Option<PopId> {
        let shape = self.pop_shape(i);
        let item = &self.pops[i];
        let (name, span, scope, declared) =
            (item.name.clone(), item.span, item.scope, item.declared);
        let (kind, is_source) = match declared {
            Declared::Pop(p) => {
                if let Some(at) = &p.at {
                    self.warn(
                        Diagnostic::warning(
                            "SYN0112",
                            format!("the places of `{name}` are not used yet"),
                        )
                        .label(at.span, "no rule of connection looks at places")
                        .hint("leave out `at`"),
                    );
                }
                (self.neurons(i, p.fields.as_ref(), &shape, scope), false)
            }
            Declared::Source(s) => (self.source(i, s, &shape, scope), true),
        };
        let node = Population {
            name,
            shape: shape?,
            kind: kind?,
            is_source,
            span: Some(span),
        };
        Some(self.graph.add_node(node))
    }

    fn source(
        &mut self,
        i: usize,
        s: &'a tree::Source,
        shape: &Option<Vec<u32>>,
        scope: ScopeId,
    ) -> Option<PopKind> {
        match driven_kind(s) {
            None => self.neurons(i, s.fields.as_ref(), shape, scope),
            Some("spike_list") => {
                self.spike_lists.push((i, s, scope));
                Some(PopKind::Events { graded: false })
            }
            Some(kind) => {
                for f in s.fields.iter().flat_map(|f| &f.entries) {
                    self.report(
                        Diagnostic::error(
                            "SYN0110",
                            format!("`{kind}` has no field `{}`", f.name.text),
                        )
                        .label(f.name.span, "unknown field")
                        .hint("it is driven from outside, by `--input` or `feed`"),
                    );
                }
                Some(PopKind::Events {
                    graded: kind == "signal",
                })
            }
        }
    }

    /// Units of a model, with the values of their fields.
    fn neurons(
        &mut self,
        i: usize,
        fields: Option<&'a Fields>,
        shape: &Option<Vec<u32>>,
        scope: ScopeId,
    ) -> Option<PopKind> {
        let model = self.pop_models.get(i).copied().flatten()?;
        let mut values: Vec<(String, Init)> = vec![];
        let mut seen: Vec<&'a Field> = vec![];
        for f in fields.iter().flat_map(|f| &f.entries) {
            if let Some(first) = seen.iter().find(|g| g.name.text == f.name.text) {
                let first = first.name.span;
                self.report(super::files::duplicate(f.name.as_str(), f.name.span, first));
                continue;
            }
            seen.push(f);
            if let Some(v) = self.field(i, model, f, shape, scope) {
                values.push((f.name.text.to_string(), v));
            }
        }
        values.sort_by(|a, b| a.0.cmp(&b.0));
        Some(PopKind::Neurons { model, values })
    }

    fn field(
        &mut self,
        pop: usize,
        model: u32,
        f: &'a Field,
        shape: &Option<Vec<u32>>,
        scope: ScopeId,
    ) -> Option<Init> {
        let m = self.models.get(model as usize)?;
        let name = f.name.as_str();
        let parameter = m.fields.iter().find(|x| x.name == name).cloned();
        let (dimension, whole, range) = match &parameter {
            Some(p) => (p.dimension, p.whole, self.parameter_range(model, name)),
            None => match m.model.states.iter().position(|s| s.name == name) {
                Some(k) => {
                    let width = m.model.states[k].width;
                    let dimension = m.state_dimensions.get(k).copied();
                    let dimension = dimension.unwrap_or(Dimension::NONE);
                    (dimension, width != Width::F32, width_range(width))
                }
                None => {
                    let names: Vec<String> = self.field_names(model);
                    let d =
                        unknown_field(&m_name(&self.models, model), f, &names, self.pops[pop].span);
                    self.report(d);
                    return None;
                }
            },
        };
        if let Some(p) = parameter.filter(|p| !p.choices.is_empty()) {
            return match p.choices == crate::model::TRUTH {
                true => self
                    .truth(&f.value, scope, &format!("`{name}`"))
                    .map(|t| Init::Const(t as u8 as f64)),
                false => self.choice(&p, f),
            };
        }
        let shape = shape.clone()?;
        let want = Want {
            what: format!("`{name}` of `{}`", self.pops[pop].name),
            dimension,
            whole,
            range,
            shapes: vec![shape.clone(), vec![count(&shape) as u32]],
            axes: "",
            no_array: "",
            name: format!("{}.{name}", self.pops[pop].name),
        };
        self.init(f, scope, &want)
    }

    fn field_names(&self, model: u32) -> Vec<String> {
        let Some(m) = self.models.get(model as usize) else {
            return vec![];
        };
        let states = m
            .model
            .states
            .iter()
            .map(|s| s.name.clone())
            .filter(|s| !s.starts_with('_'));
        m.fields
            .iter()
            .map(|f| f.name.clone())
            .chain(states)
            .collect()
    }

    /// A bare word among the choices of a field.
    fn choice(&mut self, p: &ModelField, f: &Field) -> Option<Init> {
        let word = match &f.value.kind {
            ExprKind::Ref(r) => r.as_name().map(|n| n.as_str()),
            _ => None,
        };
        if let Some(i) = word.and_then(|w| p.choices.iter().position(|c| c == w)) {
            return Some(Init::Const(i as f64));
        }
        let d = Diagnostic::error(
            "SYN0104",
            format!("`{}` is one of: {}", p.name, p.choices.join(", ")),
        )
        .label(f.value.span, "none of these words");
        let near = word.and_then(|w| near(w, p.choices.iter().map(String::as_str)));
        self.report(match near {
            Some(n) => d.hint(format!("did you mean `{n}`?")),
            None => d.hint(format!(
                "write `{} = {}`",
                p.name,
                p.choices.first().map_or("", |c| c)
            )),
        });
        None
    }
}

/// The word, when a source is driven from outside.
pub(super) fn driven_kind(s: &tree::Source) -> Option<&'static str> {
    match &s.kind.names[..] {
        [one] => DRIVEN.into_iter().find(|d| *d == one.as_str()),
        _ => None,
    }
}

/// Least and greatest value of a state.
fn width_range(width: Width) -> Option<(f64, f64)> {
    let signed = |bits: i32| Some((-(2f64.powi(bits - 1)), 2f64.powi(bits - 1) - 1.0));
    let unsigned = |bits: i32| Some((0.0, 2f64.powi(bits) - 1.0));
    match width {
        Width::F32 => None,
        Width::I8 => signed(8),
        Width::I16 => signed(16),
        Width::I24 => signed(24),
        Width::I32 => signed(32),
        Width::U8 => unsigned(8),
        Width::U16 => unsigned(16),
        Width::U32 => unsigned(32),
        Width::Bool => unsigned(1),
    }
}

fn m_name(models: &[synfire_ir::network::NeuronModel], model: u32) -> String {
    models
        .get(model as usize)
        .map_or(String::new(), |m| m.model.name.clone())
}

fn unknown_field(model: &str, f: &Field, names: &[String], pop: Span) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0110",
        format!("`{model}` has no field `{}`", f.name.text),
    )
    .label(f.name.span, "unknown field")
    .label(pop, format!("a population of `{model}`"));
    match near(f.name.as_str(), names.iter().map(String::as_str)) {
        Some(n) => d.hint(format!("did you mean `{n}`?")),
        None => d.hint(format!("it has: {}", listed(names))),
    }
}
