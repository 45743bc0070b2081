//! A network as text in our language, its numbers beside it.
//!
//! In: a verified network of library models and the name of the archive that will hold its arrays. Out: canonical `.syn` text that resolves to
//! the same populations, projections and records, and the archive's bytes (`.npz`). Names that the language could not read are changed, and the
//! change is told. Invariant: text and archive depend on the network alone. Deliberately absent: comments, modules and rules of a text
//! that the network may have come from; models that are not in the library.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use synfire_ir::network::{
    ArrayId, Connector, Conv2d, Distribution, Init, Network, PopId, PopKind, Population,
    Projection, Quantity, Stage, Verified,
};
use synfire_ir::program::{Carry, Range};
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

    fn projection(&mut self, a: PopId, b: PopId, p: &Projection) -> String {
        let net = self.net;
        if p.plasticity.is_some() {
            self.errors.push(
                Diagnostic::error("SYN0142", format!("`{}` learns", p.name))
                    .at(p.name.clone())
                    .note("only networks with stored weights are written as text")
                    .hint("keep the text that the network came from"),
            );
        }
        let name = self.name(&p.name, "wires");
        let end = |w: &Self, id: PopId, r: &Range| {
            let pop = w.names.get(&id).map_or("", String::as_str);
            if r.start == 0 && u64::from(r.len) == net.graph[id].size() {
                pop.to_string()
            } else {
                format!(
                    "{pop}[{} .. {}]",
                    r.start,
                    u64::from(r.start) + u64::from(r.len)
                )
            }
        };
        let mut from = end(self, a, &p.source_range);
        if let (Carry::Output(k), Some(m)) = (p.carry, net.model_of(a))
            && let Some(output) = m.model.outputs.get(k as usize)
        {
            from = format!("{from}.{}", output.name);
        }
        let model = net.model_of(b);
        let port = model.and_then(|m| m.model.ports.get(p.port as usize));
        let dimension = model.and_then(|m| m.port_dimensions.get(p.port as usize));
        let dimension = dimension.copied().unwrap_or(Dimension::NONE);
        let to = format!(
            "{}.{}",
            end(self, b, &p.target_range),
            port.map_or("", |q| &q.name)
        );
        let last = p.stages.len().saturating_sub(1);
        let rules: Vec<String> = p
            .stages
            .iter()
            .enumerate()
            .map(|(k, s)| {
                let dimension = if k == last {
                    dimension
                } else {
                    Dimension::NONE
                };
                self.rule(s, k < last, dimension, p)
            })
            .collect();
        let mut fields = vec![];
        if let [stage] = p.stages.as_slice()
            && !matches!(stage.connector, Connector::Conv2d(_) | Connector::Pool2d(_))
        {
            let (sign, text) = self.value(&stage.weight, dimension, &p.name);
            fields.push(format!("weight {sign} {text}"));
        }
        if p.delay != Init::Const(0.0) {
            fields.push(self.delay(p));
        }
        if let Some(bias) = &p.bias {
            let (sign, text) = self.value(bias, dimension, &p.name);
            fields.push(format!("bias {sign} {text}"));
        }
        let fields = braced(&fields);
        format!(
            "connect {name}: {from} -> {to} : {}{fields}",
            rules.join(" | ")
        )
    }

    fn delay(&mut self, p: &Projection) -> String {
        let dt = self.net.dt.unwrap_or(1.0);
        match &p.delay {
            Init::Const(d) => format!("delay = {} s", d * dt),
            Init::Array(a) => format!("delay = load(data, {:?}) * {dt} s", self.key(*a)),
            Init::Draw(_) => {
                self.errors.push(
                    Diagnostic::error("SYN0142", format!("`{}` draws its delays in steps", p.name))
                        .at(p.name.clone())
                        .hint("keep the text that the network came from"),
                );
                String::new()
            }
        }
    }

    /// One rule. In a chain a rule carries its own weight.
    fn rule(&mut self, s: &Stage, inner: bool, unit: Dimension, p: &Projection) -> String {
        let chained = p.stages.len() > 1;
        let mut args = vec![];
        let name = match &s.connector {
            Connector::AllToAll { self_connections } => {
                args.extend((!self_connections).then(|| "self = false".to_string()));
                "all_to_all"
            }
            Connector::OneToOne => "one_to_one",
            Connector::Dense => "dense",
            Connector::Scale => "scale",
            // A matrix behind another rule.
            Connector::Conv2d(c) if chained && c.is_matrix() => "dense",
            Connector::Conv2d(c) => {
                args = window(c.kernel, c.stride, c.padding);
                if c.dilation != [1, 1] {
                    args.push(format!("dilation = [{}]", list(&c.dilation)));
                }
                if c.groups != 1 {
                    args.push(format!("groups = {}", c.groups));
                }
                args.push(format!("channels = {}", c.channels));
                self.fits(c, p);
                "conv2d"
            }
            Connector::Pool2d(c) => {
                args = window(c.kernel, c.stride, c.padding);
                if c.average {
                    "avg_pool2d"
                } else {
                    "sum_pool2d"
                }
            }
            Connector::List { pre, post } => {
                args.push(format!("load(data, {:?})", self.key(*pre)));
                args.push(format!("load(data, {:?})", self.key(*post)));
                "list"
            }
            _ => {
                self.errors.push(
                    Diagnostic::error("SYN0142", format!("`{}` draws its synapses", p.name))
                        .at(p.name.clone())
                        .note("only networks with stored weights are written as text")
                        .hint("keep the text that the network came from"),
                );
                ""
            }
        };
        let own = chained || matches!(s.connector, Connector::Conv2d(_));
        let plain = matches!(s.connector, Connector::Pool2d(_)) && s.weight == Init::Const(1.0);
        if own && !plain {
            let unit = if inner { Dimension::NONE } else { unit };
            let (_, text) = self.value(&s.weight, unit, &p.name);
            args.push(format!("weight = {text}"));
        }
        if args.is_empty() {
            name.into()
        } else {
            format!("{name}({})", args.join(", "))
        }
    }

    /// A window slides over an image: its source must have that shape in the text.
    fn fits(&mut self, c: &Conv2d, p: &Projection) {
        let first = p.stages.first().map(|s| &s.connector);
        let is_first = matches!(first, Some(Connector::Conv2d(f)) if f == c);
        let source = self.net.projections().find(|q| std::ptr::eq(q.3, p));
        let shape = source
            .and_then(|q| self.net.graph.node_weight(q.1))
            .map(|n| &n.shape);
        if is_first && shape.is_some_and(|s| s.as_slice() != c.input) {
            self.errors.push(
                Diagnostic::error(
                    "SYN0142",
                    format!(
                        "`{}` slides a window over {:?}, its source has {shape:?}",
                        p.name, c.input
                    ),
                )
                .at(p.name.clone())
                .hint("keep the file that the network came from"),
            );
        }
    }

    fn records(&self, body: &mut String) {
        let dt = self.net.dt.unwrap_or(1.0);
        for p in &self.net.probes {
            let Some(name) = self.names.get(&p.pop) else {
                continue;
            };
            let whole =
                p.range.start == 0 && u64::from(p.range.len) == self.net.graph[p.pop].size();
            let range = if whole {
                String::new()
            } else {
                format!(
                    "[{} .. {}]",
                    p.range.start,
                    u64::from(p.range.start) + u64::from(p.range.len)
                )
            };
            match &p.what {
                Quantity::Spikes => line(body, format_args!("record {name}{range}.spikes")),
                // Its projection was refused.
                Quantity::Synapse(..) => {}
                Quantity::State(v) if p.every == 1 => {
                    line(body, format_args!("record {name}{range}.{v}"))
                }
                Quantity::State(v) => {
                    let every = f64::from(p.every) * dt;
                    line(
                        body,
                        format_args!("record {name}{range}.{v} every {every} s"),
                    )
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

fn window(kernel: [u32; 2], stride: [u32; 2], padding: [u32; 2]) -> Vec<String> {
    let mut args = vec![
        format!("kernel = [{}]", list(&kernel)),
        format!("stride = [{}]", list(&stride)),
    ];
    if padding != [0, 0] {
        args.push(format!("padding = [{}]", list(&padding)));
    }
    args
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
