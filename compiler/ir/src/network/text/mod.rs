//! Text of a [`Network`]: [`print`] and [`parse`], each the other's inverse.
//!
//! ```text
//! network toy dt 0.001 seed 7 run 100
//!
//! array w f64 shape [2, 2] [0.5, 0.0, 1.0, 0.25]
//!
//! neuron { model Lif { ... } field tau: time = 0.02 column decay = exp(neg(div(dt, tau))) ... }
//!
//! source in[2]: events
//! population exc[2]: neurons Lif {
//!   tau = normal(0.02, 0.001)
//! }
//!
//! projection p: in[0..2] -> exc[0..2].i events {
//!   rule dense weight array w
//!   delay 1.0
//! }
//!
//! record exc[0..2] state v every 1
//! feed in [(0, 1, 1), (5, 0, 1)]
//! hint exc partition together
//! ```
//!
//! Rules stay rules; arrays are printed in full. Numbers of populations and projections begin again at 0, so that holes left
//! by removed ones close. A parsed network is not yet a sound one: callers pass it through [`super::verify`].

mod connector;
mod host;
mod init;
mod model;
mod neuron;
mod projection;
mod synapse;

use super::{Connector, Feed, Init, Network, PopId, PopKind, Population, Probe, Quantity};
use crate::diag::{Diagnostics, Span};
use crate::model::Ty;
use crate::text::{F64, Name, Names, Printer, Scanner, Token, Word, items, range};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const ITEMS: [&str; 9] = [
    "array",
    "neuron",
    "plastic",
    "population",
    "source",
    "projection",
    "record",
    "feed",
    "hint",
];

/// Names of the items so far.
pub(super) struct Scope {
    arrays: Names,
    models: Names,
    synapses: Names,
    populations: Names,
}

impl Scope {
    fn empty() -> Self {
        let none = |what| Names::of(what, std::iter::empty());
        Scope {
            arrays: none("array"),
            models: none("model"),
            synapses: none("synapse model"),
            populations: none("population"),
        }
    }
}

/// The text of a rule with its weight and delay, none of which is an array.
pub(crate) fn print_rule(c: &Connector, weight: &Init, delay: &Init) -> String {
    let scope = &Scope::empty();
    let rule = connector::Shown(c, scope);
    let (weight, delay) = (init::Shown(weight, scope), init::Shown(delay, scope));
    format!("rule {rule} weight {weight} delay {delay}")
}

/// Reads what [`print_rule`] prints.
pub(crate) fn parse_rule(s: &mut Scanner) -> Result<(Connector, Init, Init), Diagnostics> {
    let scope = &Scope::empty();
    s.keyword("rule")?;
    let rule = connector::parse(s, scope)?;
    s.keyword("weight")?;
    let weight = init::parse(s, scope)?;
    s.keyword("delay")?;
    Ok((rule, weight, init::parse(s, scope)?))
}

/// The text of a network.
pub fn print(net: &Network) -> String {
    let scope = Scope {
        arrays: Names::of("array", net.arrays.iter().map(|a| a.name.as_str())),
        models: Names::of("model", net.models.iter().map(|m| m.model.name.as_str())),
        synapses: Names::of(
            "synapse model",
            net.synapses.iter().map(|m| m.synapse.name.as_str()),
        ),
        populations: Names::of("population", net.populations().map(|p| p.1.name.as_str())),
    };
    let numbers: BTreeMap<PopId, u32> = net.populations().map(|p| p.0).zip(0..).collect();
    let show = |id: PopId| match numbers.get(&id) {
        Some(k) => scope.populations.show(*k).to_string(),
        None => format!("#{NOWHERE}"),
    };
    let mut p = Printer::default();
    p.line(header(net));
    p.section(&net.arrays, init::print_array);
    for m in &net.models {
        p.blank();
        neuron::print(&mut p, m);
    }
    for m in &net.synapses {
        p.blank();
        synapse::print(&mut p, m);
    }
    let populations: Vec<&Population> = net.populations().map(|x| x.1).collect();
    p.section(&populations, |p, x| population(p, x, &scope));
    for (_, a, b, x) in net.projections() {
        p.blank();
        projection::print(&mut p, x, (a, b), net, &scope, &show);
    }
    p.section(&net.probes, |p, x| probe(p, x, &show(x.pop)));
    p.section(&net.feeds, |p, x| feed(p, x, &show(x.pop), net));
    p.section(&net.hints, |p, (pop, key, value)| {
        p.line(format_args!(
            "hint {} {} {}",
            Name(pop),
            Name(key),
            Name(value)
        ))
    });
    p.finish()
}

/// Number of a population that is not there.
const NOWHERE: u32 = u32::MAX;

fn header(net: &Network) -> String {
    let mut t = format!("network {}", Name(&net.name));
    let _ = net.dt.map(|x| write!(t, " dt {}", F64(x)));
    let _ = net.seed.map(|x| write!(t, " seed {x}"));
    let _ = net.run.map(|x| write!(t, " run {x}"));
    t
}

/// ` @file:start..end`, or nothing.
fn place(span: Option<Span>) -> String {
    span.map_or(String::new(), |s| {
        format!(" @{}:{}..{}", s.file, s.start, s.end)
    })
}

fn population(p: &mut Printer, x: &Population, scope: &Scope) {
    let what = if x.is_source { "source" } else { "population" };
    let shape: Vec<String> = x.shape.iter().map(u32::to_string).collect();
    let head = format!("{what} {}[{}]:", Name(&x.name), shape.join(", "));
    match &x.kind {
        PopKind::Events { graded } => {
            let graded = if *graded { " graded" } else { "" };
            p.line(format_args!("{head} events{graded}{}", place(x.span)));
        }
        PopKind::Neurons { model, values } => {
            p.open(format_args!("{head} neurons {}", scope.models.show(*model)));
            for (name, v) in values {
                p.line(format_args!("{} = {}", Name(name), init::Shown(v, scope)));
            }
            p.close_with(place(x.span));
        }
    }
}

fn probe(p: &mut Printer, x: &Probe, pop: &str) {
    let what = match &x.what {
        Quantity::Spikes => "spikes".to_string(),
        Quantity::State(s) => format!("state {}", Name(s)),
        Quantity::Synapse(projection, s) => {
            format!("synapse {} state {}", Name(projection), Name(s))
        }
    };
    let units = range::Shown(x.range);
    p.line(format_args!(
        "record {pop}[{units}] {what} every {}",
        x.every
    ));
}

/// Type of the payloads of a population's events.
fn payload_type(net: &Network, pop: PopId) -> Ty {
    match net.graph.node_weight(pop).map(|p| &p.kind) {
        Some(PopKind::Events { graded: true }) => Ty::F32,
        _ => Ty::I32,
    }
}

fn feed(p: &mut Printer, x: &Feed, pop: &str, net: &Network) {
    let ty = payload_type(net, x.pop);
    let events = x.events.iter();
    p.array(
        format_args!("feed {pop}"),
        events.map(|(step, unit, w)| format!("({step}, {unit}, {})", Word(*w, Some(ty)))),
    );
}

/// Reads the text of a network; errors call it `name` and give line and column.
///
/// Errors: SYN0710 to SYN0716, several in one run.
pub fn parse(name: &str, text: &str) -> Result<Network, Diagnostics> {
    let s = &mut Scanner::new(name, text);
    s.keyword("network")?;
    let mut net = Network {
        name: s.name("the name of a network")?,
        ..Network::default()
    };
    if s.eat_word("dt") {
        net.dt = Some(s.f64("the seconds of a step")?);
    }
    if s.eat_word("seed") {
        net.seed = Some(s.int("a seed")?);
    }
    if s.eat_word("run") {
        net.run = Some(s.int("a number of steps")?);
    }
    let mut scope = Scope {
        arrays: Names::new("array"),
        models: Names::new("model"),
        synapses: Names::new("synapse model"),
        populations: Names::new("population"),
    };
    items(s, &ITEMS, |s| item(s, &mut net, &mut scope))?;
    Ok(net)
}

fn item(s: &mut Scanner, net: &mut Network, scope: &mut Scope) -> Result<(), Diagnostics> {
    if s.eat_word("array") {
        let a = init::parse_array(s)?;
        scope.arrays.push(&a.name);
        net.arrays.push(a);
    } else if s.eat_word("neuron") {
        let m = neuron::parse(s)?;
        scope.models.push(&m.model.name);
        net.models.push(m);
    } else if s.eat_word("plastic") {
        let m = synapse::parse(s)?;
        scope.synapses.push(&m.synapse.name);
        net.synapses.push(m);
    } else if s.word_is("population") || s.word_is("source") {
        let p = parse_population(s, scope)?;
        scope.populations.push(&p.name);
        net.graph.add_node(p);
    } else if s.eat_word("projection") {
        projection::parse(s, net, scope)?;
    } else if s.eat_word("record") {
        net.probes.push(parse_probe(s, scope)?);
    } else if s.eat_word("feed") {
        let f = parse_feed(s, net, scope)?;
        net.feeds.push(f);
    } else if s.eat_word("hint") {
        let pop = s.name("the name of a population, or `\"\"`,")?;
        let key = s.name("a key")?;
        net.hints.push((pop, key, s.name("a value")?));
    } else {
        return Err(s.expected(
            "`array`, `neuron`, `plastic`, `population`, `source`, `projection`, `record`, `feed` or `hint`",
        ));
    }
    Ok(())
}

fn parse_place(s: &mut Scanner) -> Result<Option<Span>, Diagnostics> {
    if !s.eat("@") {
        return Ok(None);
    }
    let file = s.int("the number of a file")?;
    s.mark(":")?;
    let start = s.int("the first byte")?;
    s.mark("..")?;
    let end = s.int("the end of the bytes")?;
    Ok(Some(Span { file, start, end }))
}

fn parse_population(s: &mut Scanner, scope: &Scope) -> Result<Population, Diagnostics> {
    let is_source = s.bump() == Token::Word("source");
    let name = s.name("the name of a population")?;
    let mut shape = vec![];
    s.list(|s| {
        shape.push(s.int("an extent")?);
        Ok(())
    })?;
    s.mark(":")?;
    let kind = if s.eat_word("events") {
        let graded = s.eat_word("graded");
        PopKind::Events { graded }
    } else if s.eat_word("neurons") {
        let model = scope.models.read(s)?;
        let mut values = vec![];
        s.braces(|s| {
            let name = s.name("the name of a field, or `}`,")?;
            s.mark("=")?;
            values.push((name, init::parse(s, scope)?));
            Ok(())
        })?;
        PopKind::Neurons { model, values }
    } else {
        return Err(s.expected("`events` or `neurons`"));
    };
    let span = parse_place(s)?;
    Ok(Population {
        name,
        shape,
        kind,
        is_source,
        span,
    })
}

fn parse_probe(s: &mut Scanner, scope: &Scope) -> Result<Probe, Diagnostics> {
    let pop: u32 = scope.populations.read(s)?;
    let range = range::read(s)?;
    let what = match s.eat_word("spikes") {
        true => Quantity::Spikes,
        false if s.eat_word("state") => Quantity::State(s.name("the name of a state")?),
        false if s.eat_word("synapse") => {
            let projection = s.name("the name of a projection")?;
            s.keyword("state")?;
            Quantity::Synapse(projection, s.name("the name of a state")?)
        }
        false => return Err(s.expected("`spikes`, `state` or `synapse`")),
    };
    s.keyword("every")?;
    let every = s.int("an interval in steps")?;
    Ok(Probe {
        pop: PopId::new(pop as usize),
        range,
        what,
        every,
    })
}

fn parse_feed(s: &mut Scanner, net: &Network, scope: &Scope) -> Result<Feed, Diagnostics> {
    let pop: u32 = scope.populations.read(s)?;
    let pop = PopId::new(pop as usize);
    let ty = payload_type(net, pop);
    let mut events = vec![];
    s.list(|s| {
        s.mark("(")?;
        let step = s.int("a step")?;
        s.mark(",")?;
        let unit = s.int("a unit")?;
        s.mark(",")?;
        let payload = s.word_of(Some(ty), "a payload")?;
        events.push((step, unit, payload));
        s.mark(")")
    })?;
    Ok(Feed { pop, events })
}
