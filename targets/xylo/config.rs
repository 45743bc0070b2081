//! The configuration of a Xylo core by its own names.
//!
//! A [`Config`] is the neutral specification of a network on the chip: sizes, shifts, synapse lists in delivery order, aliases and the parameters of every neuron. It can hold
//! more than a chip has (the limits are [`super::limits`]' matter) but nothing that a core cannot mean: [`Config::validate`] finds that. Deliberately absent: bits and bytes.

use crate::report::Report;
use serde::{Deserialize, Serialize};
use synfire_ir::{Diagnostic, Diagnostics};

/// Largest decay shift, and largest weight shift that a register of 4 bits holds.
pub const MAX_SHIFT: u8 = 15;
/// Hidden neurons that a target id of 12 bits can name; the last id means "none".
pub const MAX_HIDDEN: usize = 4095;
/// Most input channels and output neurons of a configuration.
pub const MAX_ENDS: usize = 4096;
/// Spikes of a hidden neuron in one step.
pub const MAX_COUNT: u32 = 31;
/// Spikes of an input channel in one step.
pub const MAX_INPUT: u32 = 15;

/// A synapse: target id, synaptic state (0 or 1), weight.
pub type Synapse = (u16, u8, i8);

/// Parameters of a list of neurons, each in order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neurons {
    /// Threshold.
    pub threshold: Vec<i16>,
    /// Decay shift of the membrane, 0 to 15.
    pub dash_mem: Vec<u8>,
    /// Decay shift of each synaptic state, 0 to 15.
    pub dash_syn: Vec<Vec<u8>>,
    /// Bias; counts only with [`Config::has_bias`].
    pub bias: Vec<i16>,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Semantics: 2 (XyloAudio 2 and 3) or 1 (the older core).
    pub core: u8,
    /// Input channels.
    pub n_in: usize,
    /// Hidden neurons.
    pub n_hidden: usize,
    /// Output neurons.
    pub n_out: usize,
    /// Synaptic states of a hidden neuron, 1 or 2.
    pub n_syn: u8,
    /// Global enable of biases.
    pub has_bias: bool,
    /// Left shift of all input weights.
    pub weight_shift_in: u8,
    /// Left shift of all recurrent weights.
    pub weight_shift_rec: u8,
    /// Left shift of all output weights.
    pub weight_shift_out: u8,
    /// For each input channel its synapses onto hidden neurons, in delivery order.
    pub synapses_in: Vec<Vec<Synapse>>,
    /// For each hidden neuron its synapses onto hidden neurons.
    pub synapses_rec: Vec<Vec<Synapse>>,
    /// For each hidden neuron its synapses onto output neurons.
    pub synapses_out: Vec<Vec<Synapse>>,
    /// For each hidden neuron the hidden neuron that it is an alias source of, if any.
    pub aliases: Vec<Vec<u16>>,
    /// Hidden neurons.
    pub hidden: Neurons,
    /// Output neurons.
    pub readout: Neurons,
}

impl Config {
    /// Everything that no core can mean.
    ///
    /// Errors: `SYN0610` for a value beyond its bits, `SYN0611` for what names something that is not there, `SYN0614` for sizes that are 0 or beyond what an id can
    /// name, `SYN0616` for lists of the wrong length.
    pub fn validate(&self) -> Diagnostics {
        let mut report = Report::new();
        if !(1..=2).contains(&self.core) || !(1..=2).contains(&self.n_syn) {
            report.add("core", || value("core or n_syn", 0, "1 or 2".into()));
        }
        for (what, n, most) in [
            ("input channels", self.n_in, MAX_ENDS),
            ("hidden neurons", self.n_hidden, MAX_HIDDEN),
            ("output neurons", self.n_out, MAX_ENDS),
        ] {
            if n == 0 || n > most {
                report.add("sizes", || size(what, n, most));
            }
        }
        for (what, shift) in [
            ("weight_shift_in", self.weight_shift_in),
            ("weight_shift_rec", self.weight_shift_rec),
            ("weight_shift_out", self.weight_shift_out),
        ] {
            if shift > MAX_SHIFT {
                report.add("shift", || value(what, shift.into(), "0..=15".into()));
            }
        }
        self.lists(&mut report);
        neurons(
            "hidden",
            &self.hidden,
            self.n_hidden,
            self.n_syn,
            &mut report,
        );
        neurons("readout", &self.readout, self.n_out, 1, &mut report);
        report.finish()
    }

    fn lists(&self, report: &mut Report) {
        let lists = [
            (
                "synapses_in",
                &self.synapses_in,
                self.n_in,
                self.n_hidden,
                self.n_syn,
            ),
            (
                "synapses_rec",
                &self.synapses_rec,
                self.n_hidden,
                self.n_hidden,
                self.n_syn,
            ),
            (
                "synapses_out",
                &self.synapses_out,
                self.n_hidden,
                self.n_out,
                1,
            ),
        ];
        for (what, list, sources, targets, states) in lists {
            if list.len() != sources {
                report.add("lists", || length(what, list.len(), sources));
            }
            for &(t, s, _) in list.iter().flatten() {
                if usize::from(t) >= targets || s >= states {
                    report.add("synapses", || {
                        names(format!("{what}: a synapse onto state {s} of neuron {t}"))
                    });
                }
            }
        }
        if self.aliases.len() != self.n_hidden {
            report.add("lists", || {
                length("aliases", self.aliases.len(), self.n_hidden)
            });
        }
        for (j, a) in self.aliases.iter().enumerate() {
            if a.len() > 1 || a.iter().any(|&t| usize::from(t) >= self.n_hidden) {
                report.add("aliases", || {
                    names(format!("the aliases {a:?} of neuron {j}"))
                });
            }
        }
    }
}

fn neurons(what: &'static str, n: &Neurons, size: usize, states: u8, report: &mut Report) {
    let lengths = [
        n.threshold.len(),
        n.dash_mem.len(),
        n.dash_syn.len(),
        n.bias.len(),
    ];
    for found in lengths.into_iter().filter(|&l| l != size) {
        report.add("lists", || length(what, found, size));
    }
    for d in n.dash_syn.iter().filter(|d| d.len() != usize::from(states)) {
        report.add("dash_syn", || length("dash_syn", d.len(), states.into()));
    }
    for &d in n.dash_mem.iter().chain(n.dash_syn.iter().flatten()) {
        if d > MAX_SHIFT {
            report.add("dash", || value("a decay shift", d.into(), "0..=15".into()));
        }
    }
}

fn value(what: &str, found: i64, range: String) -> Diagnostic {
    Diagnostic::error("SYN0610", format!("{what} is {found}, it holds {range}"))
        .note("the chip stores no more bits")
        .hint("compile the network again; a file that was changed by hand must keep the chip's ranges")
        .field("register", what)
}

fn size(what: &str, found: usize, most: usize) -> Diagnostic {
    Diagnostic::error("SYN0614", format!("{found} {what}, a core has 1 to {most}"))
        .note("ids have 12 bits")
        .hint("give at least one of them, and no more than that")
        .field("needed", found)
        .field("available", most)
}

fn length(what: &str, found: usize, wanted: usize) -> Diagnostic {
    Diagnostic::error(
        "SYN0616",
        format!("{what} has {found} entries for {wanted}"),
    )
    .note("every list has one entry for each neuron, channel or synaptic state")
    .hint("compile the network again")
}

fn names(what: String) -> Diagnostic {
    Diagnostic::error("SYN0611", format!("{what} names what is not there"))
        .note("targets are hidden or output neurons of the same configuration; a neuron has at most one alias")
        .hint("compile the network again")
}
