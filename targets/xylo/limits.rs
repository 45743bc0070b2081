//! How large a chip of the family is, and what of a configuration goes beyond it.
//!
//! The figures come from the chip's `chip.toml` through its folder; every violation says the limit, the amount and the remedy. Deliberately absent: what no core could mean
//! ([`Config::validate`]).

use super::Config;
use crate::report::Report;
use std::collections::BTreeSet;
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

/// Every limit that a configuration exceeds; `name` names the target.
///
/// Errors: of class fit, `SYN0614` for a number, `SYN0610` for a value.
pub fn check(config: &Config, size: &Size, name: &str) -> Diagnostics {
    let mut report = Report::new();
    let mut most = |limit: &'static str, what: String, needed: usize, available: usize, hint: &str| {
        if needed > available {
            report.add(limit, || {
                Diagnostic::error("SYN0614", format!("{what}: {needed}; {name} has {available}"))
                    .class(Class::Fit)
                    .at(name)
                    .hint(hint)
                    .field("limit", limit)
                    .field("needed", needed)
                    .field("available", available)
            });
        }
    };
    most(
        "inputs",
        "input channels (a channel is one input at one delay)".into(),
        config.n_in,
        size.inputs,
        "use fewer inputs, or give their connections equal delays",
    );
    most(
        "neurons_per_core",
        "hidden neurons".into(),
        config.n_hidden,
        size.hidden,
        "make the populations smaller",
    );
    most(
        "outputs",
        "output neurons".into(),
        config.n_out,
        size.outputs,
        "record fewer neurons, e.g. `record out.spikes`; what is recorded lies on output neurons",
    );
    let entries: Vec<usize> = config
        .synapses_rec
        .iter()
        .map(|l| l.iter().map(|s| s.0).collect::<BTreeSet<_>>().len())
        .collect();
    most(
        "synapses_per_core",
        "recurrent fan-out entries (pairs of hidden neurons that are connected)".into(),
        entries.iter().sum(),
        size.entries,
        "make the connections between hidden populations sparser",
    );
    let (widest, fan_out) = entries.iter().enumerate().max_by_key(|e| e.1).unwrap_or((0, &0));
    most(
        "fan_out",
        format!("fan-out entries of hidden neuron {widest}"),
        *fan_out,
        size.fan_out,
        "connect the neuron to fewer hidden neurons, or split it into several with the same inputs",
    );
    let reached: BTreeSet<u16> = config.synapses_in.iter().flatten().map(|s| s.0).collect();
    most(
        "input_expansion",
        "hidden neurons that inputs reach".into(),
        reached.len(),
        size.input_expansion,
        "let inputs reach fewer neurons, and those the others",
    );
    let reaching = config.synapses_out.iter().filter(|l| !l.is_empty()).count();
    most(
        "output_expansion",
        "hidden neurons that reach outputs".into(),
        reaching,
        size.output_expansion,
        "let fewer neurons reach the outputs",
    );
    positions(config, size, name, &mut report);
    for n in [&config.hidden, &config.readout] {
        for &b in n.bias.iter().filter(|b| i8::try_from(**b).is_err()) {
            report.add("bias", || value(name, "a bias", b.into(), "-128..=127"));
        }
        for &t in n.threshold.iter().filter(|t| **t < 1) {
            report.add("threshold", || value(name, "a threshold", t.into(), "1..=32767"));
        }
    }
    for shift in [config.weight_shift_in, config.weight_shift_rec, config.weight_shift_out] {
        if shift > MAX_WEIGHT_SHIFT {
            report.add("shift", || value(name, "a weight shift", shift.into(), "0..=7"));
        }
    }
    report.finish()
}

/// Are the neurons that inputs reach among the first, and those that reach outputs among the last?
fn positions(config: &Config, size: &Size, name: &str, report: &mut Report) {
    let last = config.synapses_in.iter().flatten().map(|s| usize::from(s.0)).max();
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

fn value(name: &str, what: &str, found: i64, range: &str) -> Diagnostic {
    Diagnostic::error("SYN0610", format!("{what} of {found}; {name} holds {range}"))
        .class(Class::Fit)
        .at(name)
        .hint("scale weights, thresholds and biases together until they fit")
        .field("needed", found)
        .field("available", range)
}
