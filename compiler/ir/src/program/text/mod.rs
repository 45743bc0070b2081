//! Text of a [`Program`]: [`print`] and [`parse`], each the other's inverse.
//!
//! ```text
//! program toy: f32 seed 1 dt 0.001
//!
//! model Lif { ... }
//!
//! group in: external[2] phase 0 base 0
//! group exc: units Lif[2] phase 0 base 2 {
//!   param decay = 0.9
//!   init v = [0.0, 0.5]
//! }
//!
//! projection p: in[0..2] -> exc[0..2].i events rows uniform 0.5 {
//!   0: d1 [0, 1]
//!   1:
//! }
//!
//! probe exc.v: exc[0..2] state v every 1
//! ```
//!
//! A parsed program is not yet a sound one: callers pass it through [`super::check`].

mod group;
mod layout;
mod plastic;
mod scope;
mod serial;

use super::{Arithmetic, Carry, Discipline, Observable, Probe, Program, Projection};
use crate::diag::Diagnostics;
use crate::text::{
    F64, Name, ORDER, Printer, Scanner, items, parse_model, parse_synapse, print_model,
    print_synapse, range,
};
use scope::Scope;

const ITEMS: [&str; 7] = [
    "model",
    "synapse",
    "group",
    "projection",
    "plastic",
    "serial",
    "probe",
];

/// The text of a program.
pub fn print(program: &Program) -> String {
    let scope = Scope::of(program);
    let mut p = Printer::default();
    header(&mut p, program);
    for m in &program.models {
        p.blank();
        print_model(&mut p, m);
    }
    for m in &program.synapse_models {
        p.blank();
        print_synapse(&mut p, m);
    }
    p.section(&program.groups, |p, g| group::print(p, g, &scope));
    p.section(&program.projections, |p, x| projection(p, x, &scope));
    p.section(&program.plastic, |p, x| plastic::print(p, x, &scope));
    if let Discipline::Serial(s) = &program.discipline {
        p.blank();
        serial::print(&mut p, s, &scope);
    }
    p.section(&program.probes, |p, x| probe(p, x, &scope));
    p.finish()
}

fn header(p: &mut Printer, program: &Program) {
    let arithmetic = match program.arithmetic {
        Arithmetic::F32 => "f32",
        Arithmetic::Fixed => "fixed",
        Arithmetic::Integer => "integer",
    };
    let (name, seed) = (Name(&program.name), program.seed);
    match program.dt {
        Some(dt) => p.line(format_args!(
            "program {name}: {arithmetic} seed {seed} dt {}",
            F64(dt)
        )),
        None => p.line(format_args!("program {name}: {arithmetic} seed {seed}")),
    }
}

fn projection(p: &mut Printer, x: &Projection, scope: &Scope) {
    let (source, target) = (scope.group(x.source), scope.group(x.target));
    let carry = match x.carry {
        Carry::Events => "events".to_string(),
        Carry::Output(o) => format!("output {}", source.outputs.show(o)),
    };
    let head = format!(
        "projection {}: {}[{}] -> {}[{}].{} {carry}",
        Name(&x.name),
        scope.groups.show(x.source),
        range::Shown(x.source_range),
        scope.groups.show(x.target),
        range::Shown(x.target_range),
        target.ports.show(x.port),
    );
    layout::print(p, &head, x, target.port_type(x.port));
}

fn probe(p: &mut Printer, x: &Probe, scope: &Scope) {
    let what = match x.what {
        Observable::Events => "events".to_string(),
        Observable::State(s) => format!("state {}", scope.group(x.group).states.show(s)),
        Observable::Synapse { projection, state } => format!(
            "synapse of {} . {}",
            scope.projections.show(projection),
            scope.plastic(projection).states.show(state)
        ),
    };
    p.line(format_args!(
        "probe {}: {}[{}] {what} every {}",
        Name(&x.name),
        scope.groups.show(x.group),
        range::Shown(x.range),
        x.every
    ));
}

/// Reads the text of a program; errors call it `name` and give line and column.
///
/// Errors: SYN0710 to SYN0716, several in one run.
pub fn parse(name: &str, text: &str) -> Result<Program, Diagnostics> {
    let s = &mut Scanner::new(name, text);
    let mut program = parse_header(s)?;
    let mut scope = Scope::new();
    items(s, &ITEMS, |s| item(s, &mut program, &mut scope))?;
    Ok(program)
}

fn parse_header(s: &mut Scanner) -> Result<Program, Diagnostics> {
    s.keyword("program")?;
    let name = s.name("the name of a program")?;
    s.mark(":")?;
    let arithmetic = s.choice("`f32`, `fixed` or `integer`", |w| match w {
        "f32" => Some(Arithmetic::F32),
        "fixed" => Some(Arithmetic::Fixed),
        "integer" => Some(Arithmetic::Integer),
        _ => None,
    })?;
    s.keyword("seed")?;
    let seed = s.int("a seed")?;
    let dt = match s.eat_word("dt") {
        true => Some(s.f64("the seconds of a step")?),
        false => None,
    };
    Ok(Program {
        name,
        arithmetic,
        dt,
        seed,
        discipline: Discipline::Stepped,
        models: vec![],
        groups: vec![],
        projections: vec![],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    })
}

fn item(s: &mut Scanner, program: &mut Program, scope: &mut Scope) -> Result<(), Diagnostics> {
    if s.word_is("model") {
        let m = parse_model(s)?;
        scope.add_model(&m);
        program.models.push(m);
    } else if s.eat_word("group") {
        let g = group::parse(s, scope)?;
        scope.add_group(&g);
        program.groups.push(g);
    } else if s.eat_word("projection") {
        let x = parse_projection(s, scope)?;
        scope.add_projection(&x);
        program.projections.push(x);
    } else if s.word_is("synapse") {
        let m = parse_synapse(s)?;
        scope.add_synapse(&m);
        program.synapse_models.push(m);
    } else if s.eat_word("plastic") {
        let x = plastic::parse(s, scope)?;
        scope.add_plastic(&x);
        program.plastic.push(x);
    } else if s.word_is("serial") {
        if program.discipline != Discipline::Stepped {
            return Err(s
                .fault(ORDER, "a program is serial once")
                .hint("leave one of the two out")
                .into());
        }
        program.discipline = Discipline::Serial(serial::parse(s, scope)?);
    } else if s.eat_word("probe") {
        let x = parse_probe(s, scope)?;
        program.probes.push(x);
    } else {
        return Err(s.expected(
            "`model`, `synapse`, `group`, `projection`, `plastic`, `serial` or `probe`",
        ));
    }
    Ok(())
}

fn parse_projection(s: &mut Scanner, scope: &Scope) -> Result<Projection, Diagnostics> {
    let name = s.name("the name of a projection")?;
    s.mark(":")?;
    let source = scope.groups.read(s)?;
    let source_range = range::read(s)?;
    s.mark("->")?;
    let target = scope.groups.read(s)?;
    let target_range = range::read(s)?;
    s.mark(".")?;
    let port = scope.group(target).ports.read(s)?;
    let carry = match s.eat_word("events") {
        true => Carry::Events,
        false if s.eat_word("output") => Carry::Output(scope.group(source).outputs.read(s)?),
        false => return Err(s.expected("`events` or `output`")),
    };
    let layout = layout::parse(s, scope.group(target).port_type(port))?;
    Ok(Projection {
        name,
        source,
        source_range,
        target,
        target_range,
        port,
        carry,
        layout,
    })
}

fn parse_probe(s: &mut Scanner, scope: &Scope) -> Result<Probe, Diagnostics> {
    let name = s.name("the name of a probe")?;
    s.mark(":")?;
    let group = scope.groups.read(s)?;
    let range = range::read(s)?;
    let what = match s.eat_word("events") {
        true => Observable::Events,
        false if s.eat_word("state") => Observable::State(scope.group(group).states.read(s)?),
        false if s.eat_word("synapse") => observed(s, scope)?,
        false => return Err(s.expected("`events`, `state` or `synapse`")),
    };
    s.keyword("every")?;
    let every = s.int("an interval in steps")?;
    Ok(Probe {
        name,
        group,
        range,
        what,
        every,
    })
}

/// `STATE of PROJECTION`: the names of states are known when the projection has been read.
fn observed(s: &mut Scanner, scope: &Scope) -> Result<Observable, Diagnostics> {
    s.keyword("of")?;
    let projection = scope.projections.read(s)?;
    s.mark(".")?;
    let state = scope.plastic(projection).states.read(s)?;
    Ok(Observable::Synapse { projection, state })
}
