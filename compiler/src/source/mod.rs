//! A network as text in our language, its numbers beside it.
//!
//! In: a verified network of library models and the name of the archive that will hold its arrays. Out: canonical `.syn` text that resolves to
//! the same populations, projections and records, and the archive's bytes (`.npz`). Names that the language could not read are changed, and the
//! change is told. Invariant: text and archive depend on the network alone. Deliberately absent: comments, modules and rules of a text
//! that the network may have come from; models that are not in the library.

mod projection;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use synfire_ir::network::{
    ArrayId, Distribution, Init, Network, PopId, PopKind, Population, Quantity, Verified,
};
use synfire_ir::program::Range;
use synfire_ir::units::Dimension;
use synfire_ir::{Diagnostic, Diagnostics};
use synfire_lang::{library, npy, syntax};

/// A text and its arrays.
pub struct Source {
    /// The text.
    pub text: String,
    /// The archive that the text loads from; `None` when it needs none.
    pub arrays: Option<Vec<u8>>,
    /// Names that were changed.
    pub notes: Diagnostics,
}

/// See the module; `archive` is the name by which the text finds the arrays.
///
/// Errors: `SYN0141` for a population whose model the library does not have, `SYN0142` for what has no form in the text.
pub fn to_source(net: &Verified<Network>, archive: &str) -> Result<Source, Diagnostics> {
    let mut w = Writer {
        net,
        names: BTreeMap::new(),
        keys: BTreeMap::new(),
        used: BTreeSet::new(),
        errors: Diagnostics::new(),
        notes: Diagnostics::new(),
    };
    let text = w.file(archive);
    if !w.errors.is_empty() {
        return Err(w.errors);
    }
    let members: Vec<_> = w
        .keys
        .iter()
        .filter_map(|(id, key)| Some((key.as_str(), net.arrays.get(*id as usize)?)))
        .collect();
    let arrays = if members.is_empty() {
        None
    } else {
        let defect = |e: String| Diagnostic::error("SYN0142", e).hint("please report this defect");
        Some(npy::write_npz(&members).map_err(defect)?)
    };
    Ok(Source {
        text: syntax::format(&text)?,
        arrays,
        notes: w.notes,
    })
}

struct Writer<'a> {
    net: &'a Network,
    names: BTreeMap<PopId, String>,
    keys: BTreeMap<ArrayId, String>,
    used: BTreeSet<String>,
    errors: Diagnostics,
    notes: Diagnostics,
}

impl Writer<'_> {
    fn file(&mut self, archive: &str) -> String {
        let net = self.net;
        let name = self.name(&net.name, "Network");
        let mut body = String::new();
        if let Some(dt) = net.dt {
            line(&mut body, format_args!("step {dt} s"));
        }
        if let Some(seed) = net.seed {
            line(&mut body, format_args!("seed {seed}"));
        }
        let mut models = BTreeSet::new();
        for (id, pop) in net.populations() {
            let declared = self.population(id, pop, &mut models);
            line(&mut body, format_args!("{declared}"));
        }
        for (_, a, b, p) in net.projections() {
            let text = self.projection(a, b, p);
            line(&mut body, format_args!("{text}"));
        }
        self.records(&mut body);
        let mut text = String::new();
        for (module, names) in grouped(&models) {
            line(&mut text, format_args!("use {module}.{{{names}}}"));
        }
        let data = if self.keys.is_empty() {
            String::new()
        } else {
            format!("(data: path = {archive:?})")
        };
        line(
            &mut text,
            format_args!("\nnetwork {name}{data} {{\n{body}}}"),
        );
        text
    }

    /// A name that the language reads, near the given one and free.
    fn name(&mut self, given: &str, otherwise: &str) -> String {
        let mut base: String = given
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        if base.trim_matches('_').is_empty() {
            base = otherwise.into();
        }
        if base.starts_with(|c: char| c.is_ascii_digit()) {
            base.insert(0, 'n');
        }
        if syntax::is_keyword(&base) || base == "data" {
            base.push('_');
        }
        let mut name = base.clone();
        let mut k = 1;
        while !self.used.insert(name.clone()) {
            k += 1;
            name = format!("{base}_{k}");
        }
        if name != given {
            let text = format!("`{given}` is called `{name}` in the text");
            self.notes.push(Diagnostic::note_of("SYN0143", text).note(
                "names of the language begin with a letter and hold letters, digits and `_`",
            ));
        }
        name
    }

    fn population(&mut self, id: PopId, pop: &Population, models: &mut BTreeSet<String>) -> String {
        let name = self.name(&pop.name, "layer");
        self.names.insert(id, name.clone());
        let shape = list(&pop.shape);
        let (model, values) = match &pop.kind {
            PopKind::Events { graded } => {
                let kind = if *graded { "signal" } else { "events" };
                return format!("source {name}: {kind}[{shape}]");
            }
            PopKind::Neurons { model, values } => (*model as usize, values),
        };
        let Some(model) = self.net.models.get(model) else {
            return String::new();
        };
        let path = &model.model.name;
        let Some((_, short)) = library::lookup(path) else {
            self.errors.push(
                Diagnostic::error(
                    "SYN0141",
                    format!("`{}` is a `{path}`, which is not in the library", pop.name),
                )
                .at(pop.name.clone())
                .note("a text that was made from a network names its models, it does not hold them")
                .hint("keep the file in which the model is written"),
            );
            return String::new();
        };
        models.insert(path.clone());
        let mut fields = vec![];
        for (field, value) in values {
            let known = model.fields.iter().find(|f| f.name == *field);
            let chosen = known.and_then(|f| match value {
                Init::Const(c) => f.choices.get(*c as usize),
                _ => None,
            });
            let state = || {
                let at = model.model.state(field)?;
                model.state_dimensions.get(at as usize).copied()
            };
            let dimension = known.map(|f| f.dimension).or_else(state);
            fields.push(match chosen {
                Some(choice) => format!("{field} = {choice}"),
                None => {
                    let (sign, text) =
                        self.value(value, dimension.unwrap_or(Dimension::NONE), &pop.name);
                    format!("{field} {sign} {text}")
                }
            });
        }
        let kind = if pop.is_source { "source" } else { "pop" };
        let fields = braced(&fields);
        format!("{kind} {name}: {short}[{shape}]{fields}")
    }

    /// How a value is given (`=` or `~`), and its text.
    fn value(&mut self, v: &Init, dimension: Dimension, of: &str) -> (char, String) {
        let unit = self.unit(dimension, of);
        match v {
            Init::Const(c) if unit.is_empty() => ('=', format!("{c}")),
            Init::Const(c) => ('=', format!("{c} {unit}")),
            Init::Array(a) => {
                let key = self.key(*a);
                let load = format!("load(data, {key:?})");
                (
                    '=',
                    if unit.is_empty() {
                        load
                    } else {
                        format!("{load} * 1 {unit}")
                    },
                )
            }
            Init::Draw(d) => ('~', drawn(d, unit)),
        }
    }

    fn unit(&mut self, dimension: Dimension, of: &str) -> &'static str {
        const UNITS: [(Dimension, &str); 7] = [
            (Dimension::NONE, ""),
            (Dimension::TIME, "s"),
            (Dimension::VOLTAGE, "V"),
            (Dimension::CURRENT, "A"),
            (Dimension::CONDUCTANCE, "S"),
            (Dimension::CAPACITANCE, "F"),
            (Dimension::RATE, "Hz"),
        ];
        match UNITS.iter().find(|u| u.0 == dimension) {
            Some(u) => u.1,
            None => {
                self.errors.push(
                    Diagnostic::error(
                        "SYN0142",
                        format!("a value of `{of}` has a unit without a name"),
                    )
                    .at(of.to_string())
                    .hint("keep the text that the network came from"),
                );
                ""
            }
        }
    }

    /// Name of an array in the archive.
    fn key(&mut self, id: ArrayId) -> String {
        if let Some(key) = self.keys.get(&id) {
            return key.clone();
        }
        let given = self.net.arrays.get(id as usize).map_or("", |a| &a.name);
        // The file that it came from is of no use in another one.
        let own = given.rsplit_once(':').map_or(given, |(_, own)| own);
        let base: String = own
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let taken = |k: &str| self.keys.values().any(|v| v == k);
        let mut key = base.clone();
        let mut n = 1;
        while taken(&key) || key.is_empty() {
            n += 1;
            key = format!("{base}_{n}");
        }
        self.keys.insert(id, key.clone());
        key
    }

    /// A population of the text, or the part of it that a range takes.
    fn part(&self, id: PopId, r: &Range) -> String {
        let name = self.names.get(&id).map_or("", String::as_str);
        let end = u64::from(r.start) + u64::from(r.len);
        if r.start == 0 && end == self.net.graph[id].size() {
            name.to_string()
        } else {
            format!("{name}[{} .. {end}]", r.start)
        }
    }

    fn records(&self, body: &mut String) {
        let dt = self.net.dt.unwrap_or(1.0);
        for p in &self.net.probes {
            if !self.names.contains_key(&p.pop) {
                continue;
            }
            let part = self.part(p.pop, &p.range);
            match &p.what {
                Quantity::Spikes => line(body, format_args!("record {part}.spikes")),
                // Its projection was refused.
                Quantity::Synapse(..) => {}
                Quantity::State(v) if p.every == 1 => line(body, format_args!("record {part}.{v}")),
                Quantity::State(v) => {
                    let every = f64::from(p.every) * dt;
                    line(body, format_args!("record {part}.{v} every {every} s"))
                }
            }
        }
    }
}

fn line(text: &mut String, what: std::fmt::Arguments) {
    writeln!(text, "{what}").expect("writing to a String");
}

fn list(numbers: &[u32]) -> String {
    let all: Vec<String> = numbers.iter().map(u32::to_string).collect();
    all.join(", ")
}

fn braced(fields: &[String]) -> String {
    if fields.is_empty() {
        String::new()
    } else {
        format!(" {{ {} }}", fields.join(", "))
    }
}

/// Short names by module, both sorted.
fn grouped(models: &BTreeSet<String>) -> BTreeMap<&str, String> {
    let mut by: BTreeMap<&str, String> = BTreeMap::new();
    for path in models {
        let Some((module, name)) = path.rsplit_once('.') else {
            continue;
        };
        let names = by.entry(module).or_default();
        if !names.is_empty() {
            names.push_str(", ");
        }
        names.push_str(name);
    }
    by
}

/// A distribution with its arguments in a unit.
fn drawn(d: &Distribution, unit: &str) -> String {
    let q = |x: f64| {
        if unit.is_empty() {
            format!("{x}")
        } else {
            format!("{x} {unit}")
        }
    };
    match *d {
        Distribution::Uniform(a, b) => format!("uniform({}, {})", q(a), q(b)),
        Distribution::UniformInt(a, b) => format!("uniform_int({a}, {b})"),
        Distribution::Normal(m, s) => format!("normal({}, {})", q(m), q(s)),
        Distribution::NormalClipped(m, s, a, b) => {
            format!("normal_clipped({}, {}, {}, {})", q(m), q(s), q(a), q(b))
        }
        Distribution::NormalClippedToBoundary(m, s, a, b) => format!(
            "normal_clipped_to_boundary({}, {}, {}, {})",
            q(m),
            q(s),
            q(a),
            q(b)
        ),
        Distribution::Lognormal(m, s) => format!("lognormal({m}, {s})"),
        Distribution::Exponential(m) => format!("exponential({})", q(m)),
        Distribution::Gamma(k, t) => format!("gamma({k}, {})", q(t)),
        Distribution::Binomial(n, p) => format!("binomial({n}, {p})"),
        Distribution::Poisson(m) => format!("poisson({m})"),
        Distribution::Vonmises(m, k) => format!("vonmises({m}, {k})"),
    }
}
