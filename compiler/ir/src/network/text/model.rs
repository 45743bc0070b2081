//! Text of what neuron and synapse models have in common: the user's fields, how columns and initial states follow from them, dimensions.

use super::host;
use crate::diag::Diagnostics;
use crate::network::{Field, HostExpr};
use crate::text::{Name, Names, Printer, Scanner};
use crate::units::Dimension;
use std::fmt;

/// The name of a dimension, or its exponents of metre, kilogram, second and ampere.
pub(super) struct Dim(pub Dimension);

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            _ if self.0.is_none() => f.write_str("real"),
            Some(n) => f.write_str(n),
            None => write!(f, "{:?}", self.0.0),
        }
    }
}

/// Reads one.
fn dimension(s: &mut Scanner) -> Result<Dimension, Diagnostics> {
    if !s.at("[") {
        return s.choice("a dimension such as `time`, or four exponents,", |w| {
            (!["int", "bool"].contains(&w))
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

/// Names that the parts of a model may use; `ports` are a neuron's ports or a synapse's modulators.
pub(super) struct Parts {
    pub fields: Names,
    pub params: Names,
    pub states: Names,
    pub ports: Names,
}

impl Parts {
    /// The names of the code; fields are added as they are met.
    pub fn new<'a>(
        params: impl Iterator<Item = &'a str>,
        states: impl Iterator<Item = &'a str>,
        (kind, ports): (&'static str, impl Iterator<Item = &'a str>),
    ) -> Self {
        Parts {
            fields: Names::new("field"),
            params: Names::of("parameter", params),
            states: Names::of("state", states),
            ports: Names::of(kind, ports),
        }
    }

    pub fn print_fields(&mut self, p: &mut Printer, fields: &[Field]) {
        for f in fields {
            p.line(field(f, &self.fields));
            self.fields.push(&f.name);
        }
    }

    pub fn print_columns(&self, p: &mut Printer, columns: &[HostExpr], init: &[HostExpr]) {
        let shown = |e| host::Shown(e, &self.fields);
        for (k, e) in (0u32..).zip(columns) {
            let e = shown(e);
            p.line(format_args!("column {} = {e}", self.params.show(k)));
        }
        for (k, e) in (0u32..).zip(init) {
            p.line(format_args!("init {} = {}", self.states.show(k), shown(e)));
        }
    }
}

/// Lines such as `state_dimension v: voltage`.
pub(super) fn print_dimensions(p: &mut Printer, word: &str, of: &Names, list: &[Dimension]) {
    for (k, d) in (0u32..).zip(list) {
        p.line(format_args!("{word} {}: {}", of.show(k), Dim(*d)));
    }
}

/// Reads the rest of such a line.
pub(super) fn parse_dimension(
    s: &mut Scanner,
    of: &Names,
    list: &mut Vec<Dimension>,
) -> Result<(), Diagnostics> {
    of.read_next(s, list.len())?;
    s.mark(":")?;
    list.push(dimension(s)?);
    Ok(())
}

/// The lists that both kinds of models have.
pub(super) struct Lists<'a> {
    pub fields: &'a mut Vec<Field>,
    pub columns: &'a mut Vec<HostExpr>,
    pub init: &'a mut Vec<HostExpr>,
    pub state_dimensions: &'a mut Vec<Dimension>,
}

impl Lists<'_> {
    /// Reads a line of one of the lists; false when another line stands here.
    pub fn parse(&mut self, s: &mut Scanner, parts: &mut Parts) -> Result<bool, Diagnostics> {
        if s.eat_word("field") {
            let f = parse_field(s, &parts.fields)?;
            parts.fields.push(&f.name);
            self.fields.push(f);
        } else if s.eat_word("column") {
            parts.params.read_next(s, self.columns.len())?;
            s.mark("=")?;
            self.columns.push(host::parse(s, &parts.fields)?);
        } else if s.eat_word("init") {
            parts.states.read_next(s, self.init.len())?;
            s.mark("=")?;
            self.init.push(host::parse(s, &parts.fields)?);
        } else if s.eat_word("state_dimension") {
            parse_dimension(s, &parts.states, self.state_dimensions)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

/// A field; its default may name the fields before it.
fn field(f: &Field, before: &Names) -> String {
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

/// Reads a field; `field` has been read.
fn parse_field(s: &mut Scanner, before: &Names) -> Result<Field, Diagnostics> {
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
