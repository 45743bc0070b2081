//! Text of neuron models: the step code beside the parts that all models have.

use super::model::{Lists, Parts, parse_dimension, print_dimensions};
use crate::diag::Diagnostics;
use crate::network::NeuronModel;
use crate::text::{Names, Printer, Quoted, Scanner, parse_model, print_model};

fn parts(m: &NeuronModel) -> Parts {
    let x = &m.model;
    Parts::new(
        x.params.iter().map(|x| x.name.as_str()),
        x.states.iter().map(|x| x.name.as_str()),
        ("port", x.ports.iter().map(|x| x.name.as_str())),
    )
}

pub(super) fn print(p: &mut Printer, m: &NeuronModel) {
    let mut parts = parts(m);
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
    parts.print_fields(p, &m.fields);
    parts.print_columns(p, &m.columns, &m.init);
    print_dimensions(p, "state_dimension", &parts.states, &m.state_dimensions);
    print_dimensions(p, "port_dimension", &parts.ports, &m.port_dimensions);
    p.close();
}

/// Reads a neuron model; `neuron` has been read.
pub(super) fn parse(s: &mut Scanner) -> Result<NeuronModel, Diagnostics> {
    let mut m = NeuronModel::default();
    let mut names = parts(&m);
    s.braces(|s| {
        if s.eat_word("doc") {
            m.doc = s.name("a text in quotes")?;
        } else if s.eat_word("integer") {
            m.integer = true;
        } else if s.eat_word("spikes") {
            m.spikes = true;
        } else if s.word_is("model") {
            m.model = parse_model(s)?;
            let fields = std::mem::replace(&mut names.fields, Names::new("field"));
            names = Parts {
                fields,
                ..parts(&m)
            };
        } else {
            part(s, &mut m, &mut names)?;
        }
        Ok(())
    })?;
    Ok(m)
}

fn part(s: &mut Scanner, m: &mut NeuronModel, parts: &mut Parts) -> Result<(), Diagnostics> {
    let mut lists = Lists {
        fields: &mut m.fields,
        columns: &mut m.columns,
        init: &mut m.init,
        state_dimensions: &mut m.state_dimensions,
    };
    if lists.parse(s, parts)? {
        Ok(())
    } else if s.eat_word("port_dimension") {
        parse_dimension(s, &parts.ports, &mut m.port_dimensions)
    } else {
        Err(s.expected(
            "`doc`, `integer`, `spikes`, `model`, `field`, `column`, `init`, `state_dimension`, `port_dimension` or `}`",
        ))
    }
}
