//! Text of synapse models: `synapse NAME { param ... state ... view ... modulator ... deliver { ... } pre { synapse { ... } } ... }`.

use super::block::{Scope, parse_block, print_block, ty_name, ty_of};
use super::model::{WIDTHS, width_name};
use super::number::Word;
use super::print::Printer;
use super::scan::Scanner;
use super::{Name, Names, ORDER};
use crate::diag::Diagnostics;
use crate::model::{Block, Param};
use crate::synapse::{Action, Cell, Decay, Every, Modulator, Place, Seen, Synapse, View};

pub(crate) fn place_name(p: Place) -> &'static str {
    match p {
        Place::Source => "source",
        Place::Target => "target",
        Place::Synapse => "synapse",
    }
}

fn place_of(name: &str) -> Option<Place> {
    [Place::Source, Place::Target, Place::Synapse]
        .into_iter()
        .find(|p| place_name(*p) == name)
}

/// Names of states come first, then those of views.
fn scope(m: &Synapse) -> Scope {
    let states = m.states.iter().map(|x| x.name.as_str());
    let views = m.views.iter().map(|x| x.name.as_str());
    Scope {
        params: Names::of("parameter", m.params.iter().map(|x| x.name.as_str())),
        states: Names::of("state", states.chain(views)),
        ports: Names::of("modulator", m.modulators.iter().map(|x| x.name.as_str())),
    }
}

/// Appends a synapse model.
pub(crate) fn print_synapse(p: &mut Printer, m: &Synapse) {
    let scope = scope(m);
    p.open(format_args!("synapse {}", Name(&m.name)));
    for x in &m.params {
        p.line(format_args!("param {}: {}", Name(&x.name), ty_name(x.ty)));
    }
    m.states.iter().for_each(|x| print_state(p, x));
    for x in &m.views {
        let (name, ty) = (Name(&x.name), ty_name(x.ty));
        let (what, k) = match x.seen {
            Seen::Source(k) => ("source", k),
            Seen::Target(k) => ("target", k),
            Seen::Total(k) => ("total", k),
        };
        p.line(format_args!("view {name}: {ty} {what} {k}"));
    }
    for x in &m.modulators {
        let (name, ty) = (Name(&x.name), ty_name(x.ty));
        p.line(format_args!("modulator {name}: {ty}"));
    }
    p.open("deliver");
    print_block(p, &m.deliver, &scope);
    p.close();
    print_action(p, "pre", &m.pre, &scope);
    print_action(p, "post", &m.post, &scope);
    for (k, x) in (0u16..).zip(&m.modulators) {
        let head = format!("on {}", scope.ports.show(k));
        print_action(p, &head, &x.action, &scope);
    }
    for e in &m.every {
        print_action(p, &format!("every {}", e.period), &e.action, &scope);
    }
    p.close();
}

fn print_state(p: &mut Printer, x: &Cell) {
    let (name, width, place) = (Name(&x.name), width_name(x.width), place_name(x.place));
    match x.decay {
        None => p.line(format_args!("state {name}: {width} {place}")),
        Some(d) => {
            let rest = Word(d.rest, Some(x.width.ty()));
            let factor = d.factor;
            p.line(format_args!(
                "state {name}: {width} {place} decay {factor} rest {rest}"
            ))
        }
    }
}

fn print_action(p: &mut Printer, head: &str, a: &Action, scope: &Scope) {
    p.open(head);
    let blocks = [
        ("synapse", &a.synapse),
        ("source", &a.source),
        ("target", &a.target),
    ];
    for (name, block) in blocks {
        if *block != Block::default() {
            p.open(name);
            print_block(p, block, scope);
            p.close();
        }
    }
    p.close();
}

/// Reads a synapse model, `synapse` included.
pub(crate) fn parse_synapse(s: &mut Scanner) -> Result<Synapse, Diagnostics> {
    s.keyword("synapse")?;
    let mut m = Synapse {
        name: s.name("the name of a synapse model")?,
        ..Synapse::default()
    };
    s.mark("{")?;
    while !s.word_is("deliver") {
        declaration(s, &mut m)?;
    }
    let scope = scope(&m);
    s.keyword("deliver")?;
    m.deliver = parse_block(s, &scope)?;
    s.keyword("pre")?;
    m.pre = parse_action(s, &scope)?;
    s.keyword("post")?;
    m.post = parse_action(s, &scope)?;
    for (k, x) in m.modulators.iter_mut().enumerate() {
        s.keyword("on")?;
        scope.ports.read_next(s, k)?;
        x.action = parse_action(s, &scope)?;
    }
    while s.eat_word("every") {
        let period = s.int("an interval in steps")?;
        let action = parse_action(s, &scope)?;
        m.every.push(Every { period, action });
    }
    s.mark("}")?;
    Ok(m)
}

fn declaration(s: &mut Scanner, m: &mut Synapse) -> Result<(), Diagnostics> {
    let kinds = ["param", "state", "view", "modulator"];
    let Some(kind) = kinds.into_iter().find(|k| s.eat_word(k)) else {
        return Err(s.expected("`param`, `state`, `view`, `modulator` or `deliver`"));
    };
    let name = s.name("a name")?;
    s.mark(":")?;
    let ty = |s: &mut Scanner| s.choice("`f32`, `i32`, `u32` or `bool`", ty_of);
    match kind {
        "param" => {
            let ty = ty(s)?;
            m.params.push(Param { name, ty });
        }
        "state" => m.states.push(state(s, name)?),
        "view" => {
            let ty = ty(s)?;
            let seen = s.choice("`source`, `target` or `total`", |w| match w {
                "source" => Some(Seen::Source as fn(u16) -> Seen),
                "target" => Some(Seen::Target),
                "total" => Some(Seen::Total),
                _ => None,
            })?;
            let seen = seen(s.int("the number of a state")?);
            m.views.push(View { name, ty, seen });
        }
        _ => {
            let (ty, action) = (ty(s)?, Action::default());
            m.modulators.push(Modulator { name, ty, action });
        }
    }
    Ok(())
}

fn state(s: &mut Scanner, name: String) -> Result<Cell, Diagnostics> {
    let find = |w: &str| WIDTHS.into_iter().find(|x| width_name(*x) == w);
    let width = s.choice("a width such as `f32` or `i16`", find)?;
    let place = s.choice("`source`, `target` or `synapse`", place_of)?;
    let decay = match s.eat_word("decay") {
        false => None,
        true => {
            let factor = s.int("a factor in units of 2^-64")?;
            s.keyword("rest")?;
            let rest = s.word_of(Some(width.ty()), "a value")?;
            Some(Decay { factor, rest })
        }
    };
    Ok(Cell {
        name,
        width,
        place,
        decay,
    })
}

fn parse_action(s: &mut Scanner, scope: &Scope) -> Result<Action, Diagnostics> {
    let mut a = Action::default();
    s.braces(|s| {
        let place = s.choice("`synapse`, `source`, `target` or `}`", place_of)?;
        let block = parse_block(s, scope)?;
        let slot = match place {
            Place::Synapse => &mut a.synapse,
            Place::Source => &mut a.source,
            Place::Target => &mut a.target,
        };
        if *slot != Block::default() {
            return Err(s
                .fault(ORDER, "an action has one block for each place")
                .hint("join the two")
                .into());
        }
        *slot = block;
        Ok(())
    })?;
    Ok(a)
}

impl Scanner<'_> {
    /// Does a modulation go from each unit to the synapses of one target (true), or from all units to all?
    pub(crate) fn each_or_all(&mut self) -> Result<bool, Diagnostics> {
        self.choice("`each` or `all`", |w| match w {
            "each" => Some(true),
            "all" => Some(false),
            _ => None,
        })
    }
}
