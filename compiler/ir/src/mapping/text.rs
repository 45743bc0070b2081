//! Text of a [`Mapping`]: [`print`] and [`parse`], each the other's inverse.
//!
//! ```text
//! mapping toy onto chip dialect std mesh 2 1
//! setting leak = 3
//! fields [threshold, reset]
//!
//! population in: 1 shift 0 driven
//! population exc: 2 shift 1 recorded
//!
//! core 0: chip 0 at 1, 0 {
//!   axon 0: address 4 class 1 in[0] delay 1
//!   neuron 0: exc[0] copy 0 fields [10, 0] -> output 0
//!   synapses of 0 [0: -5, 1: 7]
//! }
//!
//! input in[0] -> core 0 axon 0 after 1
//! output 0: exc[0]
//! loopback core 0 neuron 0 d1 -> core 0 axon 0
//! ```
//!
//! What learns follows, as [`learning`] has it.
//!
//! A parsed mapping is not yet a sound one: the target's checks say so.

mod learning;

use super::{
    Axon, Core, Input, Loopback, MappedPopulation, Mapping, Neuron, Route, Synapse, UnitRef,
};
use crate::diag::Diagnostics;
use crate::text::{Name, Names, ORDER, Printer, Scanner, items};

const ITEMS: [&str; 8] = [
    "setting",
    "fields",
    "population",
    "core",
    "input",
    "output",
    "loopback",
    "learning",
];

/// The text of a mapping.
pub fn print(m: &Mapping) -> String {
    let names = Names::of("population", m.populations.iter().map(|x| x.name.as_str()));
    let unit = |u: UnitRef| format!("{}[{}]", names.show(u.pop), u.unit);
    let mut p = Printer::default();
    p.line(format_args!(
        "mapping {} onto {} dialect {} mesh {} {}{}",
        Name(&m.name),
        Name(&m.target),
        Name(&m.dialect),
        m.mesh[0],
        m.mesh[1],
        if m.closed_loop { " closed_loop" } else { "" }
    ));
    for (name, value) in &m.settings {
        p.line(format_args!("setting {} = {value}", Name(name)));
    }
    p.array("fields", m.fields.iter().map(|f| Name(f)));
    p.section(&m.populations, population);
    for (k, c) in m.cores.iter().enumerate() {
        p.blank();
        core(&mut p, k, c, &unit);
    }
    p.section(&m.inputs, |p, i| {
        p.line(format_args!(
            "input {} -> core {} axon {} after {}",
            unit(i.unit),
            i.core,
            i.axon,
            i.offset
        ))
    });
    let outputs: Vec<(usize, UnitRef)> = m.outputs.iter().copied().enumerate().collect();
    p.section(&outputs, |p, (k, u)| {
        p.line(format_args!("output {k}: {}", unit(*u)))
    });
    p.section(&m.loopbacks, |p, l| {
        p.line(format_args!(
            "loopback core {} neuron {} d{} -> core {} axon {}",
            l.core, l.neuron, l.delay, l.to_core, l.axon
        ))
    });
    p.section(&m.learning, |p, l| learning::print(p, l, &unit));
    p.finish()
}

fn population(p: &mut Printer, x: &MappedPopulation) {
    p.line(format_args!(
        "population {}: {} shift {}{}{}",
        Name(&x.name),
        x.size,
        x.shift,
        if x.input { " driven" } else { "" },
        if x.recorded { " recorded" } else { "" }
    ));
}

fn core(p: &mut Printer, number: usize, c: &Core, unit: &dyn Fn(UnitRef) -> String) {
    p.open(format_args!(
        "core {number}: chip {} at {}, {}",
        c.chip, c.x, c.y
    ));
    for (k, a) in c.axons.iter().enumerate() {
        p.line(format_args!(
            "axon {k}: address {} class {} {} d{}",
            a.address,
            a.class,
            unit(a.source),
            a.delay
        ));
    }
    for (k, n) in c.neurons.iter().enumerate() {
        let route = match n.route {
            Route::None => "nowhere".to_string(),
            Route::Axon { core, axon, delay } => format!("core {core} axon {axon} d{delay}"),
            Route::Output { index } => format!("output {index}"),
        };
        let fields: Vec<String> = n.fields.iter().map(i64::to_string).collect();
        p.line(format_args!(
            "neuron {k}: {} copy {} fields [{}] -> {route}",
            unit(n.unit),
            n.copy,
            fields.join(", ")
        ));
    }
    for of_axon in c.synapses.chunk_by(|a, b| a.axon == b.axon) {
        let list = of_axon.iter();
        p.array(
            format_args!("synapses of {}", of_axon[0].axon),
            list.map(|s| format!("{}: {}", s.neuron, s.weight)),
        );
    }
    p.close();
}

/// Reads the text of a mapping; errors call it `name` and give line and column.
///
/// Errors: SYN0710 to SYN0715, several in one run.
pub fn parse(name: &str, text: &str) -> Result<Mapping, Diagnostics> {
    let s = &mut Scanner::new(name, text);
    s.keyword("mapping")?;
    let mut m = Mapping {
        name: s.name("the name of a network")?,
        ..Mapping::default()
    };
    s.keyword("onto")?;
    m.target = s.name("the name of a chip")?;
    s.keyword("dialect")?;
    m.dialect = s.name("the name of a dialect")?;
    s.keyword("mesh")?;
    m.mesh = [s.int("a number of columns")?, s.int("a number of rows")?];
    m.closed_loop = s.eat_word("closed_loop");
    let mut names = Names::new("population");
    items(s, &ITEMS, |s| item(s, &mut m, &mut names))?;
    Ok(m)
}

fn item(s: &mut Scanner, m: &mut Mapping, names: &mut Names) -> Result<(), Diagnostics> {
    if s.eat_word("setting") {
        let name = s.name("the name of a register")?;
        s.mark("=")?;
        m.settings.push((name, s.int("a value")?));
    } else if s.eat_word("fields") {
        s.list(|s| {
            m.fields.push(s.name("the name of a register")?);
            Ok(())
        })?;
    } else if s.eat_word("population") {
        let p = parse_population(s)?;
        names.push(&p.name);
        m.populations.push(p);
    } else if s.eat_word("core") {
        number(s, "core", m.cores.len())?;
        m.cores.push(parse_core(s, names)?);
    } else if s.eat_word("input") {
        let unit = parse_unit(s, names)?;
        s.mark("->")?;
        let (core, axon) = axon_of_core(s)?;
        s.keyword("after")?;
        let offset = s.int("a number of steps")?;
        m.inputs.push(Input {
            unit,
            core,
            axon,
            offset,
        });
    } else if s.eat_word("output") {
        number(s, "output", m.outputs.len())?;
        m.outputs.push(parse_unit(s, names)?);
    } else if s.eat_word("loopback") {
        m.loopbacks.push(parse_loopback(s)?);
    } else if s.eat_word("learning") {
        learning::parse(s, m, names)?;
    } else {
        return Err(s.expected(
            "`setting`, `fields`, `population`, `core`, `input`, `output`, `loopback` or `learning`",
        ));
    }
    Ok(())
}

/// The number `next` and a colon.
fn number(s: &mut Scanner, what: &str, next: usize) -> Result<(), Diagnostics> {
    let at = s.mark_here();
    let found: u64 = s.int(&format!("the number of the {what}"))?;
    if found != next as u64 && !s.damaged {
        return Err(s
            .fault_at(at, ORDER, format!("{what} {found} where {next} is next"))
            .hint("number them in order, from 0")
            .into());
    }
    s.mark(":")
}

fn parse_unit(s: &mut Scanner, names: &Names) -> Result<UnitRef, Diagnostics> {
    let pop = names.read(s)?;
    s.mark("[")?;
    let unit = s.int("a unit")?;
    s.mark("]")?;
    Ok(UnitRef { pop, unit })
}

fn axon_of_core(s: &mut Scanner) -> Result<(u32, u32), Diagnostics> {
    s.keyword("core")?;
    let core = s.int("the number of a core")?;
    s.keyword("axon")?;
    Ok((core, s.int("the number of an axon")?))
}

fn parse_population(s: &mut Scanner) -> Result<MappedPopulation, Diagnostics> {
    let name = s.name("the name of a population")?;
    s.mark(":")?;
    let size = s.int("a number of units")?;
    s.keyword("shift")?;
    Ok(MappedPopulation {
        name,
        size,
        shift: s.int("a number of steps")?,
        input: s.eat_word("driven"),
        recorded: s.eat_word("recorded"),
    })
}

fn parse_core(s: &mut Scanner, names: &Names) -> Result<Core, Diagnostics> {
    s.keyword("chip")?;
    let chip = s.int("the number of a chip")?;
    s.keyword("at")?;
    let x = s.int("a column")?;
    s.mark(",")?;
    let mut c = Core {
        chip,
        x,
        y: s.int("a row")?,
        ..Core::default()
    };
    s.braces(|s| {
        if s.eat_word("axon") {
            number(s, "axon", c.axons.len())?;
            c.axons.push(parse_axon(s, names)?);
        } else if s.eat_word("neuron") {
            number(s, "neuron", c.neurons.len())?;
            c.neurons.push(parse_neuron(s, names)?);
        } else if s.eat_word("synapses") {
            s.keyword("of")?;
            let axon = s.int("the number of an axon")?;
            s.list(|s| {
                let neuron = s.int("the number of a neuron")?;
                s.mark(":")?;
                let weight = s.int("a weight")?;
                c.synapses.push(Synapse {
                    axon,
                    neuron,
                    weight,
                });
                Ok(())
            })?;
        } else {
            return Err(s.expected("`axon`, `neuron`, `synapses` or `}`"));
        }
        Ok(())
    })?;
    Ok(c)
}

fn parse_axon(s: &mut Scanner, names: &Names) -> Result<Axon, Diagnostics> {
    s.keyword("address")?;
    let address = s.int("an address")?;
    s.keyword("class")?;
    Ok(Axon {
        address,
        class: s.int("a class")?,
        source: parse_unit(s, names)?,
        delay: s.delay()?,
    })
}

fn parse_neuron(s: &mut Scanner, names: &Names) -> Result<Neuron, Diagnostics> {
    let unit = parse_unit(s, names)?;
    s.keyword("copy")?;
    let copy = s.int("the number of a copy")?;
    s.keyword("fields")?;
    let mut fields = vec![];
    s.list(|s| {
        fields.push(s.int("a value")?);
        Ok(())
    })?;
    s.mark("->")?;
    let route = if s.eat_word("nowhere") {
        Route::None
    } else if s.eat_word("output") {
        let index = s.int("the number of an output")?;
        Route::Output { index }
    } else if s.word_is("core") {
        let (core, axon) = axon_of_core(s)?;
        let delay = s.delay()?;
        Route::Axon { core, axon, delay }
    } else {
        return Err(s.expected("`nowhere`, `core` or `output`"));
    };
    Ok(Neuron {
        unit,
        copy,
        fields,
        route,
    })
}

fn parse_loopback(s: &mut Scanner) -> Result<Loopback, Diagnostics> {
    s.keyword("core")?;
    let core = s.int("the number of a core")?;
    s.keyword("neuron")?;
    let neuron = s.int("the number of a neuron")?;
    let delay = s.delay()?;
    s.mark("->")?;
    let (to_core, axon) = axon_of_core(s)?;
    Ok(Loopback {
        core,
        neuron,
        delay,
        to_core,
        axon,
    })
}
