//! Text of plastic projections: `plastic PROJECTION: SYNAPSE base B [post dD] { param ... init ... modulate ... }`.

use super::scope::Scope;
use crate::diag::Diagnostics;
use crate::model::Ty;
use crate::program::{Carry, Column, Modulation, Plastic};
use crate::text::{Printer, Scanner, Word, range};

pub(super) fn print(p: &mut Printer, x: &Plastic, scope: &Scope) {
    let m = scope.synapse(x.synapse);
    let post = match x.post_delay {
        0 => String::new(),
        d => format!(" post d{d}"),
    };
    p.open(format_args!(
        "plastic {}: {} base {}{post}",
        scope.projections.show(x.projection),
        scope.synapses.show(x.synapse),
        x.base
    ));
    for (k, w) in (0u32..).zip(&x.params) {
        let word = Word(*w, m.param_types.get(k as usize).copied());
        p.line(format_args!("param {} = {word}", m.params.show(k)));
    }
    for (k, c) in (1u32..).zip(&x.init) {
        let ty = m.state_types.get(k as usize).copied();
        let head = format!("init {} =", m.states.show(k));
        match c {
            Column::Uniform(w) => p.line(format_args!("{head} {}", Word(*w, ty))),
            Column::PerUnit(v) => p.array(head, v.iter().map(|w| Word(*w, ty))),
        }
    }
    for y in &x.modulators {
        p.line(modulation(y, scope, x.synapse));
    }
    p.close();
}

fn modulation(y: &Modulation, scope: &Scope, synapse: u32) -> String {
    let m = scope.synapse(synapse);
    let carry = match y.carry {
        Carry::Events => "events".to_string(),
        Carry::Output(o) => format!("output {}", scope.group(y.source).outputs.show(o)),
    };
    format!(
        "modulate {}: {}[{}] {carry} {} d{} weight {}",
        m.ports.show(y.port),
        scope.groups.show(y.source),
        range::Shown(y.range),
        if y.each { "each" } else { "all" },
        y.delay,
        Word(y.weight, m.port_type(y.port)),
    )
}

/// Reads a plastic projection; `plastic` has been read.
pub(super) fn parse(s: &mut Scanner, scope: &Scope) -> Result<Plastic, Diagnostics> {
    let projection = scope.projections.read(s)?;
    s.mark(":")?;
    let synapse = scope.synapses.read(s)?;
    s.keyword("base")?;
    let base = s.int("a base")?;
    let post_delay = match s.eat_word("post") {
        true => s.delay()?,
        false => 0,
    };
    let m = scope.synapse(synapse);
    let (mut params, mut init, mut modulators) = (vec![], vec![], vec![]);
    s.braces(|s| {
        if s.eat_word("param") {
            m.params.read_next(s, params.len())?;
            s.mark("=")?;
            params.push(s.word_of(m.param_types.get(params.len()).copied(), "a value")?);
        } else if s.eat_word("init") {
            let k = init.len() + 1;
            m.states.read_next(s, k)?;
            s.mark("=")?;
            init.push(super::group::column(s, m.state_types.get(k).copied())?);
        } else if s.eat_word("modulate") {
            let port = m.ports.read(s)?;
            modulators.push(parse_modulation(s, scope, port, m.port_type(port))?);
        } else {
            return Err(s.expected("`param`, `init`, `modulate` or `}`"));
        }
        Ok(())
    })?;
    Ok(Plastic {
        projection,
        synapse,
        base,
        post_delay,
        params,
        init,
        modulators,
    })
}

fn parse_modulation(
    s: &mut Scanner,
    scope: &Scope,
    port: u16,
    ty: Option<Ty>,
) -> Result<Modulation, Diagnostics> {
    s.mark(":")?;
    let source = scope.groups.read(s)?;
    let range = range::read(s)?;
    let carry = match s.eat_word("events") {
        true => Carry::Events,
        false if s.eat_word("output") => Carry::Output(scope.group(source).outputs.read(s)?),
        false => return Err(s.expected("`events` or `output`")),
    };
    let each = s.each_or_all()?;
    let delay = s.delay()?;
    s.keyword("weight")?;
    let weight = s.word_of(ty, "a weight")?;
    Ok(Modulation {
        port,
        source,
        range,
        carry,
        each,
        delay,
        weight,
    })
}
