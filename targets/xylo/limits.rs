//! How large a chip of the family is, and what of a configuration goes beyond it.
//!
//! The figures come from the chip's `chip.toml` through its folder; every violation says the limit, the amount and the remedy. Deliberately absent: what no core could mean
//! ([`Config::validate`]).

use super::{Config, Synapse};
use crate::backend::Resource;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Largest weight shift that the vendor's hardware test draws; the registers hold 15.
pub const MAX_WEIGHT_SHIFT: u8 = 7;

/// How large a chip is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Input channels.
    pub inputs: usize,
    /// Hidden neurons.
    pub hidden: usize,
    /// Output neurons.
    pub outputs: usize,
    /// Hidden neurons that inputs can reach: the first ones.
    pub input_expansion: usize,
    /// Hidden neurons that can reach outputs: the last ones in use.
    pub output_expansion: usize,
    /// Recurrent fan-out entries of all neurons.
    pub entries: usize,
    /// Recurrent fan-out entries of one neuron.
    pub fan_out: usize,
}

/// Whose channels and neurons they are: the target, and the name of the population of each channel, hidden neuron and output.
#[derive(Clone, Debug, Default)]
pub struct Names<'a> {
    /// The target.
    pub target: &'a str,
    /// By channel.
    pub inputs: Vec<&'a str>,
    /// By hidden neuron.
    pub hidden: Vec<&'a str>,
    /// By output neuron.
    pub outputs: Vec<&'a str>,
}

/// The name that a list holds most often, the first of them in order of name.
fn largest<'a>(names: impl Iterator<Item = &'a str>) -> &'a str {
    let mut n: BTreeMap<&str, usize> = BTreeMap::new();
    names.for_each(|name| *n.entry(name).or_default() += 1);
    let most = n.iter().max_by_key(|x| (*x.1, std::cmp::Reverse(*x.0)));
    most.map_or("", |x| x.0)
}

/// A count against its limit.
struct Count<'a> {
    limit: &'static str,
    what: &'static str,
    needed: usize,
    available: usize,
    population: &'a str,
    hint: &'static str,
}

/// Every limit that a configuration exceeds.
///
/// Errors: of class fit, `SYN0614` for a number, `SYN0610` for a value.
pub fn check(config: &Config, size: &Size, names: &Names) -> Diagnostics {
    let mut report = Report::new();
    let counts = sizes(config, size, names).into_iter();
    for c in counts.chain(connections(config, size, names)) {
        if c.needed > c.available {
            report.add(c.limit, || too_many(&c, names.target));
        }
    }
    positions(config, size, names.target, &mut report);
    values(config, names, &mut report);
    report.finish()
}

/// What a configuration takes of every limit that is a number.
pub fn used(config: &Config, size: &Size) -> Vec<Resource> {
    let nobody = Names {
        inputs: vec![""; config.n_in],
        hidden: vec![""; config.n_hidden],
        outputs: vec![""; config.n_out],
        ..Names::default()
    };
    let counts = sizes(config, size, &nobody).into_iter();
    let all = counts.chain(connections(config, size, &nobody));
    let resource = |c: Count| Resource {
        name: c.limit,
        used: c.needed as u64,
        available: c.available as u64,
    };
    all.map(resource).collect()
}

fn too_many(c: &Count, target: &str) -> Diagnostic {
    let (what, needed, available, pop) = (c.what, c.needed, c.available, c.population);
    let text = format!("{what}: {needed}; {target} has {available} (most of them `{pop}`)");
    Diagnostic::error("SYN0614", text)
        .class(Class::Fit)
        .at(pop)
        .hint(c.hint)
        .field("limit", c.limit)
        .field("needed", needed)
        .field("available", available)
        .field("population", pop)
}

fn sizes<'a>(config: &Config, size: &Size, names: &Names<'a>) -> [Count<'a>; 3] {
    [
        Count {
            limit: "inputs",
            what: "input channels (a channel is one input at one delay)",
            needed: config.n_in,
            available: size.inputs,
            population: largest(names.inputs.iter().copied()),
            hint: "use fewer inputs, or give their connections equal delays",
        },
        Count {
            limit: "neurons_per_core",
            what: "hidden neurons",
            needed: config.n_hidden,
            available: size.hidden,
            population: largest(names.hidden.iter().copied()),
            hint: "make the populations smaller",
        },
        Count {
            limit: "outputs",
            what: "output neurons",
            needed: config.n_out,
            available: size.outputs,
            population: largest(names.outputs.iter().copied()),
            hint: "record fewer neurons, e.g. `record out.spikes`; what is recorded lies on output neurons",
        },
    ]
}

fn connections<'a>(config: &Config, size: &Size, names: &Names<'a>) -> [Count<'a>; 4] {
    let name = |h: usize| names.hidden.get(h).copied().unwrap_or("");
    let targets = |l: &Vec<Synapse>| l.iter().map(|s| s.0).collect::<BTreeSet<_>>().len();
    let entries: Vec<usize> = config.synapses_rec.iter().map(targets).collect();
    let (widest, fan_out) = entries
        .iter()
        .enumerate()
        .max_by_key(|e| e.1)
        .unwrap_or((0, &0));
    let reached: BTreeSet<u16> = config.synapses_in.iter().flatten().map(|s| s.0).collect();
    let all = config.synapses_out.iter().enumerate();
    let reaching: Vec<usize> = all.filter(|l| !l.1.is_empty()).map(|l| l.0).collect();
    [
        Count {
            limit: "synapses_per_core",
            what: "recurrent fan-out entries (pairs of hidden neurons that are connected)",
            needed: entries.iter().sum(),
            available: size.entries,
            population: name(widest),
            hint: "make the connections between hidden populations sparser",
        },
        Count {
            limit: "fan_out",
            what: "recurrent fan-out entries of one hidden neuron",
            needed: *fan_out,
            available: size.fan_out,
            population: name(widest),
            hint: "connect each neuron to fewer hidden neurons, or split it into several with the same inputs",
        },
        Count {
            limit: "input_expansion",
            what: "hidden neurons that inputs reach",
            needed: reached.len(),
            available: size.input_expansion,
            population: largest(reached.iter().map(|&h| name(h.into()))),
            hint: "let inputs reach fewer neurons, and those the others",
        },
        Count {
            limit: "output_expansion",
            what: "hidden neurons that reach outputs",
            needed: reaching.len(),
            available: size.output_expansion,
            population: largest(reaching.iter().map(|&h| name(h))),
            hint: "let fewer neurons reach the outputs",
        },
    ]
}

fn values(config: &Config, names: &Names, report: &mut Report) {
    let target = names.target;
    for (n, names) in [
        (&config.hidden, &names.hidden),
        (&config.readout, &names.outputs),
    ] {
        for (&b, name) in n
            .bias
            .iter()
            .zip(names)
            .filter(|b| i8::try_from(*b.0).is_err())
        {
            report.add("bias", || {
                value(target, name, "a bias", b.into(), "-128..=127")
            });
        }
        for (&t, name) in n.threshold.iter().zip(names).filter(|t| *t.0 < 1) {
            report.add("threshold", || {
                value(target, name, "a threshold", t.into(), "1..=32767")
            });
        }
    }
    for shift in [
        config.weight_shift_in,
        config.weight_shift_rec,
        config.weight_shift_out,
    ] {
        if shift > MAX_WEIGHT_SHIFT {
            report.add("shift", || {
                value(target, target, "a weight shift", shift.into(), "0..=7")
            });
        }
    }
}

/// Are the neurons that inputs reach among the first, and those that reach outputs among the last?
fn positions(config: &Config, size: &Size, name: &str, report: &mut Report) {
    let last = config
        .synapses_in
        .iter()
        .flatten()
        .map(|s| usize::from(s.0))
        .max();
    let first = config.synapses_out.iter().position(|l| !l.is_empty());
    let from = config.n_hidden.saturating_sub(size.output_expansion);
    if last.is_some_and(|l| l >= size.input_expansion) || first.is_some_and(|f| f < from) {
        report.add("positions", || {
            Diagnostic::error("SYN0614", format!("{name} cannot place these hidden neurons: inputs reach only the first {}, and only the last {} reach outputs", size.input_expansion, size.output_expansion))
                .class(Class::Fit)
                .at(name)
                .note("a neuron that does both must lie in both ranges, which overlap only in small networks")
                .hint("let no population both take inputs and drive outputs, or use fewer hidden neurons")
                .field("limit", "input_expansion")
        });
    }
}

fn value(target: &str, place: &str, what: &str, found: i64, range: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0610",
        format!("{what} of {found}; {target} holds {range}"),
    )
    .class(Class::Fit)
    .at(place)
    .hint("scale weights, thresholds and biases together until they fit")
    .field("needed", found)
    .field("available", range)
}
