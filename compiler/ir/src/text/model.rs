//! Text of unit models: `model NAME { param ... state ... port ... output ... on PORT { ... } step { ... } }`.

use super::block::{Scope, parse_block, print_block, ty_name, ty_of};
use super::print::Printer;
use super::scan::{Scanner, Token};
use super::{Name, Names, ORDER};
use crate::diag::Diagnostics;
use crate::model::{Combine, Handler, Model, Output, Param, Port, State, Width};
use std::fmt;

pub(super) const WIDTHS: [Width; 9] = [
    Width::F32,
    Width::I8,
    Width::I16,
    Width::I24,
    Width::I32,
    Width::U8,
    Width::U16,
    Width::U32,
    Width::Bool,
];

pub(super) fn width_name(w: Width) -> &'static str {
    match w {
        Width::F32 => "f32",
        Width::I8 => "i8",
        Width::I16 => "i16",
        Width::I24 => "i24",
        Width::I32 => "i32",
        Width::U8 => "u8",
        Width::U16 => "u16",
        Width::U32 => "u32",
        Width::Bool => "bool",
    }
}

struct Rule(Combine);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Combine::Sum => f.write_str("sum"),
            Combine::Or => f.write_str("or"),
            Combine::Max => f.write_str("max"),
            Combine::SatSum(top) => write!(f, "sat_sum({top})"),
        }
    }
}

/// Appends a model.
pub(crate) fn print_model(p: &mut Printer, m: &Model) {
    let scope = Scope {
        params: Names::of("parameter", m.params.iter().map(|x| x.name.as_str())),
        states: Names::of("state", m.states.iter().map(|x| x.name.as_str())),
        ports: Names::of("port", m.ports.iter().map(|x| x.name.as_str())),
    };
    p.open(format_args!("model {}", Name(&m.name)));
    for x in &m.params {
        p.line(format_args!("param {}: {}", Name(&x.name), ty_name(x.ty)));
    }
    for x in &m.states {
        p.line(format_args!(
            "state {}: {}",
            Name(&x.name),
            width_name(x.width)
        ));
    }
    for x in &m.ports {
        let (name, ty) = (Name(&x.name), ty_name(x.ty));
        p.line(format_args!("port {name}: {ty} {}", Rule(x.combine)));
    }
    for x in &m.outputs {
        let state = scope.states.show(x.state);
        p.line(format_args!("output {} = {state}", Name(&x.name)));
    }
    for h in &m.handlers {
        p.open(format_args!("on {}", scope.ports.show(h.port)));
        print_block(p, &h.block, &scope);
        p.close();
    }
    p.open("step");
    print_block(p, &m.step, &scope);
    p.close();
    p.close();
}

/// Reads a model, `model` included.
pub(crate) fn parse_model(s: &mut Scanner) -> Result<Model, Diagnostics> {
    s.keyword("model")?;
    let mut m = Model {
        name: s.name("the name of a model")?,
        ..Model::default()
    };
    let mut scope = Scope {
        params: Names::new("parameter"),
        states: Names::new("state"),
        ports: Names::new("port"),
    };
    let mut stepped = false;
    s.braces(|s| {
        if s.peek() == Token::Word("step") {
            if stepped {
                return Err(s
                    .fault(ORDER, "a model has one step block")
                    .hint("join the two")
                    .into());
            }
            s.bump();
            stepped = true;
            m.step = parse_block(s, &scope)?;
            Ok(())
        } else {
            part(s, &mut m, &mut scope)
        }
    })?;
    Ok(m)
}

fn part(s: &mut Scanner, m: &mut Model, scope: &mut Scope) -> Result<(), Diagnostics> {
    if s.eat_word("param") {
        let name = s.name("the name of a parameter")?;
        s.mark(":")?;
        let ty = s.choice("`f32`, `i32`, `u32` or `bool`", ty_of)?;
        scope.params.push(&name);
        m.params.push(Param { name, ty });
    } else if s.eat_word("state") {
        let name = s.name("the name of a state")?;
        s.mark(":")?;
        let find = |w: &str| WIDTHS.into_iter().find(|x| width_name(*x) == w);
        let width = s.choice("a width such as `f32` or `i16`", find)?;
        scope.states.push(&name);
        m.states.push(State { name, width });
    } else if s.eat_word("port") {
        let name = s.name("the name of a port")?;
        s.mark(":")?;
        let ty = s.choice("`f32`, `i32`, `u32` or `bool`", ty_of)?;
        let combine = rule(s)?;
        scope.ports.push(&name);
        m.ports.push(Port { name, ty, combine });
    } else if s.eat_word("output") {
        let name = s.name("the name of an output")?;
        s.mark("=")?;
        let state = scope.states.read(s)?;
        m.outputs.push(Output { name, state });
    } else if s.eat_word("on") {
        let port = scope.ports.read(s)?;
        let block = parse_block(s, scope)?;
        m.handlers.push(Handler { port, block });
    } else {
        return Err(s.expected("`param`, `state`, `port`, `output`, `on`, `step` or `}`"));
    }
    Ok(())
}

fn rule(s: &mut Scanner) -> Result<Combine, Diagnostics> {
    let rule = s.choice("`sum`, `or`, `max` or `sat_sum(...)`", |w| match w {
        "sum" => Some(Combine::Sum),
        "or" => Some(Combine::Or),
        "max" => Some(Combine::Max),
        "sat_sum" => Some(Combine::SatSum(0)),
        _ => None,
    })?;
    if !matches!(rule, Combine::SatSum(_)) {
        return Ok(rule);
    }
    s.mark("(")?;
    let top = s.int("the largest sum")?;
    s.mark(")")?;
    Ok(Combine::SatSum(top))
}
