//! The parts of one model, checked.
//!
//! The order of a step: handlers run once an event as it arrives; then, in the step block, `on` blocks with the combined value, equations
//! (or `on step`), the spike condition with its block, and computed outputs last.

use super::assemble::build;
use super::declare::{Symbol, declare, mentions};
use super::elaborate::{Bound, Elaborator, Typed};
use super::graph::{Id, Node};
use super::ode::{Equation, METHODS, Method};
use super::statements::{Step, assigned, emits};
use super::types::{self, Declared, Type};
use super::{ModelContext, report};
use crate::syntax::tree;
use synfire_ir::diag::Diagnostics;
use synfire_ir::model::Ty;
use synfire_ir::network::NeuronModel;
use synfire_ir::units::Dimension;

/// Everything of a model as nodes and statements.
pub struct Parts {
    pub defaults: Vec<Option<Id>>,
    pub starts: Vec<Id>,
    pub equations: Vec<Equation>,
    pub method: Option<Method>,
    /// (port, statements) of blocks that run once an event.
    pub handlers: Vec<(u16, Vec<Step>)>,
    pub on_input: Vec<Step>,
    pub on_step: Vec<Step>,
    pub spike: Option<Spike>,
    pub outputs: Vec<Typed>,
}

pub struct Spike {
    pub condition: Id,
    pub refractory: Option<Id>,
    pub held: u64,
    pub block: Vec<Step>,
}

/// See [`super::lower_neuron`].
pub fn lower(
    neuron: &tree::Model,
    cx: &ModelContext,
    diags: &mut Diagnostics,
) -> Option<NeuronModel> {
    let decls = declare(neuron, diags);
    if diags.has_errors() {
        // Expressions are checked all the same, so that one run reports them too; the states are few enough for it.
        if decls.states.len() > super::declare::MAX_STATES {
            return None;
        }
    }
    let mut e = Elaborator::new(&decls, cx, diags);
    let parts = e.parts();
    if e.graph.full() {
        e.diags.push(report::too_large(
            neuron.span,
            "the model has too many or too deeply nested expressions".into(),
        ));
    }
    if e.diags.has_errors() {
        return None;
    }
    build(neuron, &mut e, parts?)
}

impl Elaborator<'_, '_> {
    fn parts(&mut self) -> Option<Parts> {
        let decls = self.decls;
        let defaults = (0..decls.fields.len()).map(|i| self.default(i)).collect();
        self.visible_fields = u16::MAX;
        self.check_lets();
        let starts = (0..decls.states.len())
            .map(|i| self.start(decls.states[i].tree, i as u16))
            .collect();
        let method = self.method();
        let equations = self.equations();
        let mut handlers = vec![];
        for (i, p) in decls.ports.iter().enumerate() {
            if let Some(on) = p.handler {
                handlers.push((i as u16, self.handler(i as u16, on)));
            }
        }
        let on_input = decls
            .on_input
            .iter()
            .flat_map(|o| self.block(&o.block))
            .collect();
        let on_step = decls
            .on_step
            .iter()
            .flat_map(|o| self.block(&o.block))
            .collect();
        if let (Some(o), Some(on)) = (decls.odes.first(), decls.on_step.first()) {
            self.diags.push(report::contradiction(
                "`on step` stands in place of equations".into(),
                on.span,
                o.span,
                "write the whole step in `on step`, or use equations and `on INPUT` blocks",
            ));
        }
        let spike = decls.spike.and_then(|s| self.spike(s));
        self.state_outputs();
        let outputs = (0..decls.outputs.len())
            .filter(|&i| decls.outputs[i].value.is_some())
            .map(|i| self.checked_output(i))
            .collect();
        Some(Parts {
            defaults,
            starts,
            equations,
            method,
            handlers,
            on_input,
            on_step,
            spike,
            outputs,
        })
    }

    pub(super) fn default(&mut self, i: usize) -> Option<Id> {
        self.visible_fields = i as u16;
        let f = &self.decls.fields[i];
        let (value, declared) = (f.tree.default.as_ref()?, f.declared?);
        if let Declared::Choice(c) = declared {
            let index = self.choice_word(value, c)?;
            return Some(self.graph.word(index, Ty::I32));
        }
        let t = self.expr(value);
        let wanted = declared.read(self.decls.fixed);
        let integers = |t: Type| matches!(t, Type::I32 | Type::U32);
        if t.ty == Type::Unknown {
            return None;
        }
        if t.ty != wanted && !(integers(t.ty) && integers(wanted)) {
            let name = f.tree.name.as_str();
            self.diags.push(report::assigned(
                (t.span, t.ty),
                (f.tree.ty.span, wanted),
                name,
            ));
            return None;
        }
        self.holds(t, declared, "the default of a parameter");
        Some(self.known(t.id, t.span, "the default of a parameter"))
    }

    fn method(&mut self) -> Option<Method> {
        let s = self.decls.solve?;
        let word = s.method.as_str();
        let found = METHODS.iter().find(|m| m.0 == word).map(|m| m.1);
        if found.is_none() {
            let known: Vec<&str> = METHODS.iter().map(|m| m.0).collect();
            self.diags
                .push(report::unknown_word(s.method.span, "method", word, &known));
        }
        found
    }

    pub(super) fn equations(&mut self) -> Vec<Equation> {
        let mut out = vec![];
        for o in &self.decls.odes {
            let Some(&(Symbol::State(state), declared)) = self.decls.names.get(o.name.as_str())
            else {
                continue;
            };
            let t = self.expr(&o.value);
            let ty = self.decls.state_type(state);
            if self.decls.fixed {
                let hint = "write the step in `on step`; equations need `real` states";
                self.diags
                    .push(report::other_arithmetic(o.span, "an equation", true, hint));
                continue;
            }
            let wanted = match ty {
                Type::Real(d) => d.times(Dimension::RATE),
                _ => None,
            };
            match (t.ty, wanted) {
                (Type::Unknown, _) => {}
                (Type::Real(d), Some(w)) if d == w => out.push(Equation { state, rate: t.id }),
                _ if ty == Type::Unknown => {}
                _ => {
                    let place = (declared, ty);
                    self.diags
                        .push(report::derivative((t.span, t.ty), place, o.name.as_str()));
                }
            }
        }
        out
    }

    fn handler(&mut self, port: u16, on: &tree::On) -> Vec<Step> {
        let Some(name) = on.arg.as_ref().and_then(|a| match &a.kind {
            tree::ExprKind::Ref(r) => r.as_name(),
            _ => None,
        }) else {
            let hint = "name the value: `on syn(x) { ... }`";
            let span = on.arg.as_ref().map_or(on.span, |a| a.span);
            self.diags
                .push(report::not_here(span, "a name is wanted here".into(), hint));
            return vec![];
        };
        let word = self.graph.push(Node::Arg(port), self.decls.port_ty(port));
        let value = self.arrived(port, word, true, name.span);
        self.scope.push(Bound {
            name: name.text.to_string(),
            id: value.id,
            local: None,
            ty: value.ty,
            span: name.span,
        });
        self.per_event = true;
        let steps = self.block(&on.block);
        self.per_event = false;
        self.scope.pop();
        if !self.decls.fixed && emits(&steps) {
            let message = "a block that runs once an event cannot emit".into();
            let hint = "change a state here and write `spike when ... { ... }`, which looks at it once a step";
            self.diags.push(report::not_here(on.span, message, hint));
        }
        steps
    }

    fn spike(&mut self, s: &tree::SpikeWhen) -> Option<Spike> {
        let condition = self.expr(&s.condition);
        let condition = self.wants_truth(condition);
        let refractory = s.refractory.as_ref().map(|r| self.refractory(r));
        let block = self.block(&s.block);
        let held = match &s.hold {
            Some(names) => self.held(names),
            None => {
                let mut named = 0;
                mentions(&s.condition, &mut |n| {
                    if let Some((Symbol::State(i), _)) = self.decls.names.get(n) {
                        named |= 1u64 << i;
                    }
                });
                named & assigned(&block)
            }
        };
        Some(Spike {
            condition: condition?,
            refractory: match refractory {
                Some(r) => Some(r?),
                None => None,
            },
            held,
            block,
        })
    }

    /// Steps that the unit stays silent: round(T / dt), or the integer itself in a fixed-width model.
    fn refractory(&mut self, e: &tree::Expr) -> Option<Id> {
        let t = self.expr(e);
        let steps = match t.ty {
            Type::Unknown => return None,
            Type::Real(Dimension::TIME) => {
                let dt = self.graph.dt();
                let ratio = self.graph.div(t.id, dt);
                if self.graph.uniform(ratio) {
                    self.graph.round(ratio)
                } else {
                    ratio
                }
            }
            Type::I32 if self.decls.fixed => t.id,
            ty => {
                let wanted = if self.decls.fixed {
                    "a number of steps"
                } else {
                    "a time"
                };
                self.diags.push(report::wrong_kind(t.span, wanted, ty));
                return None;
            }
        };
        Some(self.known(steps, t.span, "the refractory time"))
    }

    fn held(&mut self, names: &[tree::Name]) -> u64 {
        let mut held = 0;
        for n in names {
            match self.decls.names.get(n.as_str()) {
                Some((Symbol::State(i), _)) => held |= 1 << i,
                Some(&(_, declared)) => {
                    let d = report::not_here(
                        n.span,
                        format!("`{}` is not a state, so it cannot be held", n.text),
                        "name states of this model",
                    );
                    self.diags.push(d.label(declared, "declared here"));
                }
                None => {
                    let states: Vec<&str> = self
                        .decls
                        .states
                        .iter()
                        .map(|s| s.tree.name.as_str())
                        .collect();
                    self.diags
                        .push(report::unknown_name(n.span, n.as_str(), &states));
                }
            }
        }
        held
    }

    /// An output that names a state has the state's type.
    fn state_outputs(&mut self) {
        for o in &self.decls.outputs {
            let Some(&(Symbol::State(i), at)) = self.decls.names.get(o.name.as_str()) else {
                continue;
            };
            let (has, says) = (
                self.decls.states[i as usize].declared,
                types::declared(o.ty.name.as_str()),
            );
            if let (None, Some(has), Some(says)) = (&o.value, has, says)
                && has != says
            {
                let (has, says) = (has.read(self.decls.fixed), says.read(self.decls.fixed));
                let d = report::assigned((at, has), (o.ty.span, says), o.name.as_str());
                self.diags.push(d);
            }
        }
    }

    fn checked_output(&mut self, i: usize) -> Typed {
        let t = self.output(i, self.decls.outputs[i].span);
        match t.ty {
            Type::Bool | Type::Choice(_) => {
                let d = report::wrong_kind(t.span, "a number", t.ty);
                self.fail(t.span, d)
            }
            _ => t,
        }
    }
}
