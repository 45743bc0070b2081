//! Text of neuron models: the step code, the user's fields, and how columns and initial states follow from them.

use super::host;
use crate::diag::Diagnostics;
use crate::network::{Field, NeuronModel};
use crate::text::{Name, Names, Printer, Quoted, Scanner, parse_model, print_model};
use crate::units::Dimension;
use std::fmt;

const DIMENSIONS: [&str; 9] = [
    "real",
    "time",
    "voltage",
    "current",
    "conductance",
    "capacitance",
    "resistance",
    "rate",
    "length",
];

/// The name of a dimension, or its exponents of metre, kilogram, second and ampere.
pub(super) struct Dim(pub Dimension);

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = DIMENSIONS
            .iter()
            .find(|n| Dimension::of_type(n) == Some(self.0));
        match named {
            Some(n) => f.write_str(n),
            None => write!(f, "{:?}", self.0.0),
        }
    }
}

/// Reads one.
pub(super) fn dimension(s: &mut Scanner) -> Result<Dimension, Diagnostics> {
    if !s.at("[") {
        return s.choice("a dimension such as `time`, or four exponents,", |w| {
            DIMENSIONS
                .contains(&w)
                .then(|| Dimension::of_type(w))
                .flatten()
        });
    }
    let mut d = [0; 4];
    s.mark("[")?;
    for (k, x) in d.iter_mut().enumerate() {
        if k > 0 {
            s.mark(",")?;
        }
        *x = s.int("an exponent")?;
    }
    s.mark("]")?;
    Ok(Dimension(d))
}

/// Names that the parts of a neuron model may use.
struct Parts {
    fields: Names,
    params: Names,
    states: Names,
    ports: Names,
}

impl Parts {
    fn of(m: &NeuronModel) -> Self {
        let x = &m.model;
        Parts {
            fields: Names::new("field"),
            params: Names::of("parameter", x.params.iter().map(|x| x.name.as_str())),
            states: Names::of("state", x.states.iter().map(|x| x.name.as_str())),
            ports: Names::of("port", x.ports.iter().map(|x| x.name.as_str())),
        }
    }
}

pub(super) fn print(p: &mut Printer, m: &NeuronModel) {
    let mut parts = Parts::of(m);
    p.open("neuron");
    if !m.doc.is_empty() {
        p.line(format_args!("doc {}", Quoted(&m.doc)));
    }
    if m.integer {
        p.line("integer");
    }
    if m.spikes {
        p.line("spikes");
    }
    print_model(p, &m.model);
    for f in &m.fields {
        p.line(field(f, &parts.fields));
        parts.fields.push(&f.name);
    }
    for (k, e) in (0u32..).zip(&m.columns) {
        let e = host::Shown(e, &parts.fields);
        p.line(format_args!("column {} = {e}", parts.params.show(k)));
    }
    for (k, e) in (0u32..).zip(&m.init) {
        let e = host::Shown(e, &parts.fields);
        p.line(format_args!("init {} = {e}", parts.states.show(k)));
    }
    for (k, d) in (0u32..).zip(&m.state_dimensions) {
        let state = parts.states.show(k);
        p.line(format_args!("state_dimension {state}: {}", Dim(*d)));
    }
    for (k, d) in (0u32..).zip(&m.port_dimensions) {
        let port = parts.ports.show(k);
        p.line(format_args!("port_dimension {port}: {}", Dim(*d)));
    }
    p.close();
}

/// A field; its default may name the fields before it.
pub(super) fn field(f: &Field, before: &Names) -> String {
    let mut t = format!("field {}: {}", Name(&f.name), Dim(f.dimension));
    if f.whole {
        t.push_str(" whole");
    }
    if !f.choices.is_empty() {
        let names: Vec<String> = f.choices.iter().map(|c| Name(c).to_string()).collect();
        t.push_str(&format!(" choices [{}]", names.join(", ")));
    }
    if let Some(e) = &f.default {
        t.push_str(&format!(" = {}", host::Shown(e, before)));
    }
    t
}

/// Reads a neuron model; `neuron` has been read.
pub(super) fn parse(s: &mut Scanner) -> Result<NeuronModel, Diagnostics> {
    let mut m = NeuronModel::default();
    let mut parts = Parts::of(&m);
    s.braces(|s| {
        if s.eat_word("doc") {
            m.doc = s.name("a text in quotes")?;
        } else if s.eat_word("integer") {
            m.integer = true;
        } else if s.eat_word("spikes") {
            m.spikes = true;
        } else if s.word_is("model") {
            m.model = parse_model(s)?;
            let fields = std::mem::replace(&mut parts.fields, Names::new("field"));
            parts = Parts::of(&m);
            parts.fields = fields;
        } else {
            part(s, &mut m, &mut parts)?;
        }
        Ok(())
    })?;
    Ok(m)
}

fn part(s: &mut Scanner, m: &mut NeuronModel, parts: &mut Parts) -> Result<(), Diagnostics> {
    if s.eat_word("field") {
        let f = parse_field(s, &parts.fields)?;
        parts.fields.push(&f.name);
        m.fields.push(f);
    } else if s.eat_word("column") {
        parts.params.read_next(s, m.columns.len())?;
        s.mark("=")?;
        m.columns.push(host::parse(s, &parts.fields)?);
    } else if s.eat_word("init") {
        parts.states.read_next(s, m.init.len())?;
        s.mark("=")?;
        m.init.push(host::parse(s, &parts.fields)?);
    } else if s.eat_word("state_dimension") {
        parts.states.read_next(s, m.state_dimensions.len())?;
        s.mark(":")?;
        m.state_dimensions.push(dimension(s)?);
    } else if s.eat_word("port_dimension") {
        parts.ports.read_next(s, m.port_dimensions.len())?;
        s.mark(":")?;
        m.port_dimensions.push(dimension(s)?);
    } else {
        return Err(s.expected(
            "`doc`, `integer`, `spikes`, `model`, `field`, `column`, `init`, `state_dimension`, `port_dimension` or `}`",
        ));
    }
    Ok(())
}

/// Reads a field; `field` has been read.
pub(super) fn parse_field(s: &mut Scanner, before: &Names) -> Result<Field, Diagnostics> {
    let name = s.name("the name of a field")?;
    s.mark(":")?;
    let dimension = dimension(s)?;
    let whole = s.eat_word("whole");
    let mut choices = vec![];
    if s.eat_word("choices") {
        s.list(|s| {
            choices.push(s.name("a choice")?);
            Ok(())
        })?;
    }
    let default = match s.eat("=") {
        true => Some(host::parse(s, before)?),
        false => None,
    };
    Ok(Field {
        name,
        dimension,
        whole,
        default,
        choices,
    })
}
