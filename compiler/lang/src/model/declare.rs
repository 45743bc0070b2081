//! What a model declares: parameters, states, inputs, outputs, `let`s, equations and blocks, by name.
//!
//! Comes in: the tree of a `neuron`. Goes out: [`Declarations`], in order of the text, with every name in one table. Names and types are
//! checked here; expressions are not looked at.

use super::report;
use super::types::{self, Declared, Type};
use crate::syntax::tree::{self, Dyn, Expr, Name};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostics, Span};
use synfire_ir::model::{Combine, Ty, Width};
use synfire_ir::units::Dimension;

/// Most states that a model may declare: reads of states are kept as bits of a word.
pub const MAX_STATES: usize = 60;
/// Most parameters or inputs.
pub const MAX_FIELDS: usize = 1000;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// Parameter.
    Field(u16),
    /// State.
    State(u16),
    /// Input.
    Port(u16),
    /// `let` of the model.
    Let(usize),
    /// Computed output.
    Output(usize),
}

/// A parameter.
#[derive(Debug)]
pub struct FieldDecl<'a> {
    /// In the tree.
    pub tree: &'a tree::Param,
    /// Its type; `None` when that is unknown (reported).
    pub declared: Option<Declared>,
}

/// A state.
#[derive(Debug)]
pub struct StateDecl<'a> {
    /// In the tree.
    pub tree: &'a tree::Variable,
    /// Its type; `None` when that is unknown (reported).
    pub declared: Option<Declared>,
}

/// An input.
#[derive(Debug)]
pub struct PortDecl<'a> {
    /// In the tree.
    pub tree: &'a tree::Input,
    /// Its type; `None` when that is unknown (reported).
    pub declared: Option<Declared>,
    /// How arrivals combine.
    pub combine: Combine,
    /// The block that runs once an event.
    pub handler: Option<&'a tree::On>,
}

/// Everything that a model declares.
#[derive(Debug, Default)]
pub struct Declarations<'a> {
    /// Names and where they were declared.
    pub names: BTreeMap<&'a str, (Symbol, Span)>,
    /// Parameters.
    pub fields: Vec<FieldDecl<'a>>,
    /// States.
    pub states: Vec<StateDecl<'a>>,
    /// Inputs.
    pub ports: Vec<PortDecl<'a>>,
    /// `let`s.
    pub lets: Vec<&'a tree::Let>,
    /// Outputs: with a value, or naming a state.
    pub outputs: Vec<&'a tree::Variable>,
    /// Equations.
    pub odes: Vec<&'a tree::Ode>,
    /// The method.
    pub solve: Option<&'a tree::Solve>,
    /// The spike condition.
    pub spike: Option<&'a tree::SpikeWhen>,
    /// Blocks that run once a step at an input.
    pub on_input: Vec<&'a tree::On>,
    /// `on step` blocks.
    pub on_step: Vec<&'a tree::On>,
    /// `on pre` blocks of a synapse.
    pub on_pre: Vec<&'a tree::On>,
    /// `on post` blocks of a synapse.
    pub on_post: Vec<&'a tree::On>,
    /// `on every(n)` blocks of a synapse; `on step` is one of each step.
    pub on_every: Vec<&'a tree::On>,
    /// In a synapse: the dimension that the type `weight` stands for.
    pub weight: Option<Dimension>,
    /// Does the model compute in fixed widths?
    pub fixed: bool,
}

impl Declarations<'_> {
    /// The meaning of a type name; `weight` stands for what a synapse delivers.
    pub fn declared(&self, name: &str) -> Option<Declared> {
        match (name, self.weight) {
            ("weight", Some(d)) => Some(Declared::Real(d)),
            _ => types::declared(name),
        }
    }

    /// Type of a state when read.
    pub fn state_type(&self, i: u16) -> Type {
        let d = self.states[i as usize].declared;
        d.map_or(Type::Unknown, |d| d.read(self.fixed))
    }

    /// Width of a state.
    pub fn state_width(&self, i: u16) -> Width {
        let d = self.states[i as usize].declared;
        d.map_or(Width::F32, |d| d.width(self.fixed))
    }

    /// Width of an input's values.
    pub fn port_width(&self, i: u16) -> Width {
        let d = self.ports[i as usize].declared;
        d.map_or(Width::F32, |d| d.width(self.fixed))
    }

    /// Type in which an input's arrivals accumulate.
    pub fn port_ty(&self, i: u16) -> Ty {
        match self.port_width(i) {
            Width::F32 => Ty::F32,
            _ => Ty::I32,
        }
    }
}

/// Gathers what a neuron declares.
pub fn declare<'a>(neuron: &'a tree::Model, diags: &mut Diagnostics) -> Declarations<'a> {
    gather(neuron, None, diags)
}

/// Gathers what a synapse declares, for a port that takes values of dimension `weight`. The state `w` comes first.
pub fn declare_synapse<'a>(
    synapse: &'a tree::Model,
    weight: Dimension,
    diags: &mut Diagnostics,
) -> Declarations<'a> {
    gather(synapse, Some(weight), diags)
}

fn gather<'a>(
    neuron: &'a tree::Model,
    weight: Option<Dimension>,
    diags: &mut Diagnostics,
) -> Declarations<'a> {
    let mut g = Gather {
        d: Declarations {
            weight,
            ..Declarations::default()
        },
        diags,
    };
    for p in &neuron.params {
        let declared = g.ty(&p.ty);
        let at = g.d.fields.len() as u16;
        g.name(&p.name, Symbol::Field(at));
        g.d.fields.push(FieldDecl { tree: p, declared });
    }
    let first = |s: &&Dyn| matches!(s, Dyn::State(v) if v.name.as_str() == "w");
    let synapse = weight.is_some();
    let weights = neuron.body.iter().filter(|s| synapse && first(s));
    for s in weights.chain(neuron.body.iter().filter(|s| !synapse || !first(s))) {
        g.variable(s);
    }
    for s in &neuron.body {
        g.dynamics(s);
    }
    g.arithmetic();
    g.combines();
    g.limits(neuron.span);
    g.d
}

struct Gather<'a, 'd> {
    d: Declarations<'a>,
    diags: &'d mut Diagnostics,
}

impl<'a> Gather<'a, '_> {
    fn name(&mut self, name: &'a Name, symbol: Symbol) {
        let text = name.as_str();
        if text == "dt" || types::TRUTH.contains(&text) {
            self.diags
                .push(report::declared_twice(text, name.span, None));
            return;
        }
        match self.d.names.get(text) {
            Some(&(_, first)) => {
                let d = report::declared_twice(text, name.span, Some(first));
                self.diags.push(d);
            }
            None => {
                self.d.names.insert(text, (symbol, name.span));
            }
        }
    }

    fn ty(&mut self, ty: &tree::Type) -> Option<Declared> {
        if let Some(first) = ty.dims.first() {
            let d = report::not_here(
                first.span,
                format!("`{}` in a model has no size", ty.name.text),
                "a model describes one unit; sizes belong to populations",
            );
            self.diags.push(d);
        }
        let found = self.d.declared(ty.name.as_str());
        if found.is_none() {
            let choices = types::CHOICES.iter().map(|c| c.name);
            let mut known: Vec<&str> = types::names().chain(choices).collect();
            known.extend(self.d.weight.map(|_| "weight"));
            let d = report::unknown_type(ty.span, ty.name.as_str(), &known);
            self.diags.push(d);
        }
        found
    }

    /// A type that a variable may have: all but choices.
    fn variable_ty(&mut self, ty: &tree::Type) -> Option<Declared> {
        match self.ty(ty) {
            Some(Declared::Choice(c)) => {
                let d = report::not_here(
                    ty.span,
                    format!("`{}` is a choice, which only a parameter can be", c.name),
                    "choices are fixed before the run; use `bool` for something that changes",
                );
                self.diags.push(d);
                None
            }
            found => found,
        }
    }

    fn variable(&mut self, s: &'a Dyn) {
        match s {
            Dyn::State(v) => {
                let declared = self.variable_ty(&v.ty);
                self.name(&v.name, Symbol::State(self.d.states.len() as u16));
                self.d.states.push(StateDecl { tree: v, declared });
            }
            Dyn::Input(v) => {
                let declared = self.variable_ty(&v.ty);
                self.name(&v.name, Symbol::Port(self.d.ports.len() as u16));
                self.d.ports.push(PortDecl {
                    tree: v,
                    declared,
                    combine: Combine::Sum,
                    handler: None,
                });
            }
            Dyn::Let(v) => {
                self.name(&v.name, Symbol::Let(self.d.lets.len()));
                self.d.lets.push(v);
            }
            _ => {}
        }
    }

    /// Statements that speak of variables, so that the order of the text does not matter.
    fn dynamics(&mut self, s: &'a Dyn) {
        match s {
            Dyn::Output(_) | Dyn::SpikeWhen(_) | Dyn::Solve(_) if self.d.weight.is_some() => {
                let d = report::not_here(
                    s.span(),
                    "this has no place in a synapse".into(),
                    "a synapse has `state`, `input`, `let`, equations of exponential decay, `on pre`, `on post`, `on INPUT(x)` and `on every(n)`",
                );
                self.diags.push(d);
            }
            Dyn::Output(v) => self.output(v),
            Dyn::Ode(o) => self.ode(o),
            Dyn::Solve(s) => match self.d.solve {
                None => self.d.solve = Some(s),
                Some(first) => self.twice("two methods", s.span, first.span),
            },
            Dyn::SpikeWhen(s) => match self.d.spike {
                None => self.d.spike = Some(s),
                Some(first) => self.twice("two spike conditions", s.span, first.span),
            },
            Dyn::On(o) => self.on(o),
            Dyn::State(_) | Dyn::Input(_) | Dyn::Let(_) => {}
        }
    }

    fn twice(&mut self, what: &str, second: Span, first: Span) {
        let d = report::contradiction(
            format!("the model has {what}"),
            second,
            first,
            "keep one of them; conditions are joined with `or`",
        );
        self.diags.push(d);
    }

    fn output(&mut self, v: &'a tree::Variable) {
        self.variable_ty(&v.ty);
        let named = self.d.names.get(v.name.as_str()).map(|n| n.0);
        match (&v.value, named) {
            (None, Some(Symbol::State(_))) => {}
            (None, _) => {
                let states: Vec<&str> = (self.d.states.iter())
                    .map(|s| s.tree.name.as_str())
                    .collect();
                let d = report::empty_output(v.span, v.name.as_str(), &states);
                self.diags.push(d);
                return;
            }
            (Some(_), _) => self.name(&v.name, Symbol::Output(self.d.outputs.len())),
        }
        self.d.outputs.push(v);
    }

    fn ode(&mut self, o: &'a tree::Ode) {
        if let Some(first) = self.d.odes.iter().find(|p| p.name.text == o.name.text) {
            let d = report::contradiction(
                format!("`{}` has two equations", o.name.text),
                o.span,
                first.span,
                "add their right sides up in one equation",
            );
            self.diags.push(d);
            return;
        }
        match self.d.names.get(o.name.as_str()) {
            Some((Symbol::State(_), _)) => self.d.odes.push(o),
            Some(&(_, declared)) => {
                let what = "not a state, so it has no derivative";
                let d = report::cannot_assign(o.name.span, o.name.as_str(), what, Some(declared));
                self.diags.push(d);
            }
            None => {
                let states: Vec<&str> = (self.d.states.iter())
                    .map(|s| s.tree.name.as_str())
                    .collect();
                let d = report::unknown_name(o.name.span, o.name.as_str(), &states);
                self.diags.push(d);
            }
        }
    }

    fn on(&mut self, o: &'a tree::On) {
        let event = o.event.as_str();
        if let Some(&(Symbol::Port(p), _)) = self.d.names.get(event) {
            match (&o.arg, self.d.ports[p as usize].handler) {
                (None, _) => self.d.on_input.push(o),
                (Some(_), None) => self.d.ports[p as usize].handler = Some(o),
                (Some(_), Some(first)) => {
                    self.twice("two blocks for each event of one input", o.span, first.span)
                }
            }
            return;
        }
        let synapse = self.d.weight.is_some();
        match event {
            "pre" if synapse && o.arg.is_none() => self.d.on_pre.push(o),
            "post" if synapse && o.arg.is_none() => self.d.on_post.push(o),
            "every" if synapse && o.arg.is_some() => self.d.on_every.push(o),
            "step" if synapse && o.arg.is_none() => self.d.on_every.push(o),
            "pre" | "post" | "every" | "step" if synapse => {
                let d = report::not_here(
                    o.event.span,
                    format!("`on {event}` does not have this form"),
                    "write `on pre { ... }`, `on post { ... }`, `on step { ... }`, `on every(10) { ... }` or `on every(100 ms) { ... }`",
                );
                self.diags.push(d);
            }
            "step" if o.arg.is_none() => self.d.on_step.push(o),
            "pre" | "post" | "every" | "step" => {
                let d = report::not_here(
                    o.event.span,
                    format!("`on {event}` with this form has no place in a neuron"),
                    "a neuron has `on step { ... }`, `on INPUT { ... }` and `on INPUT(x) { ... }`; `pre`, `post` and `every` belong to a `synapse`",
                );
                self.diags.push(d);
            }
            _ => {
                let inputs = self.d.ports.iter().map(|p| p.tree.name.as_str());
                let mut known: Vec<&str> = inputs.chain(["step"]).collect();
                if synapse {
                    known.extend(["pre", "post", "every"]);
                }
                let d = report::unknown_word(o.event.span, "input of this model", event, &known);
                self.diags.push(d);
            }
        }
    }

    /// Reals or fixed widths? Never both.
    fn arithmetic(&mut self) {
        let fields = self
            .d
            .fields
            .iter()
            .map(|f| (f.declared, f.tree.ty.span, false));
        let states = self
            .d
            .states
            .iter()
            .map(|s| (s.declared, s.tree.ty.span, true));
        let ports = self
            .d
            .ports
            .iter()
            .map(|p| (p.declared, p.tree.ty.span, true));
        let outputs =
            (self.d.outputs.iter()).map(|o| (types::declared(o.ty.name.as_str()), o.ty.span, true));
        let all: Vec<(Option<Declared>, Span, bool)> =
            fields.chain(states).chain(ports).chain(outputs).collect();
        let real = all.iter().find(|x| matches!(x.0, Some(Declared::Real(_))));
        let fixed = all.iter().find(|x| matches!(x.0, Some(Declared::Fixed(_))));
        if let (Some(r), Some(f)) = (real, fixed) {
            self.diags.push(report::mixed(r.1, f.1));
        }
        self.d.fixed = fixed.is_some() || (real.is_none() && all.iter().any(|x| x.2));
    }

    fn combines(&mut self) {
        let fixed = self.d.fixed;
        for p in &mut self.d.ports {
            let Some(declared) = p.declared else { continue };
            let (word, at) = match &p.tree.by {
                Some(by) => (by.as_str(), by.span),
                None => ("sum", p.tree.span),
            };
            let known = ["sum", "or", "max", "sat_sum"];
            let truth = declared == Declared::Bool;
            let integer = declared.width(fixed) != Width::F32 && !truth;
            let problem = match word {
                "sum" if truth && p.handler.is_none() => {
                    "a truth value is no sum of its arrivals; write `by or`"
                }
                "or" if !truth => "`by or` gives a truth value; declare the input as `bool`",
                "max" | "sat_sum" if truth => "a truth value combines `by or`",
                "sat_sum" if !integer => {
                    "`by sat_sum` saturates at the largest value of a fixed width; declare one, such as `u16`"
                }
                _ if known.contains(&word) => "",
                _ => {
                    let d = report::unknown_word(at, "way to combine arrivals", word, &known);
                    self.diags.push(d);
                    continue;
                }
            };
            if !problem.is_empty() {
                let message = format!(
                    "`{}` cannot combine its arrivals that way",
                    p.tree.name.text
                );
                self.diags.push(report::not_here(at, message, problem));
            }
            p.combine = match word {
                "or" => Combine::Or,
                "max" => Combine::Max,
                "sat_sum" => Combine::SatSum(types::limits(declared.width(fixed)).1 as u32),
                _ => Combine::Sum,
            };
        }
    }

    fn limits(&mut self, span: Span) {
        let n = self.d.states.len() + self.d.outputs.len();
        let wide = self.d.fields.len().max(self.d.ports.len());
        if n > MAX_STATES || wide > MAX_FIELDS {
            self.diags.push(report::too_large(
                span,
                format!(
                    "the model has {n} states and outputs (at most {MAX_STATES}) and {wide} parameters or inputs (at most {MAX_FIELDS})"
                ),
            ));
        }
    }
}

/// The names that an expression mentions itself, without looking into `let`s.
pub fn mentions(e: &Expr, found: &mut dyn FnMut(&str)) {
    use tree::ExprKind;
    match &e.kind {
        ExprKind::Ref(r) => found(r.head.as_str()),
        ExprKind::List(items) => items.iter().for_each(|i| mentions(i, found)),
        ExprKind::Call(c) => c.args.iter().for_each(|a| mentions(&a.value, found)),
        ExprKind::Unary(_, _, a) => mentions(a, found),
        ExprKind::Binary(_, _, a, b) => {
            mentions(a, found);
            mentions(b, found);
        }
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Error => {}
    }
}
