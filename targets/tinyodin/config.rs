//! tinyODIN's configuration by its own names.
//!
//! A value can hold what the chip cannot; [`Config::validate`] finds it. MAX_NEUR is no field of its own: it is the number of the last neuron.
//! Deliberately absent: bits and bytes (`spi`).

pub use crate::aer_crossbar::SIZE;
use crate::report::Report;
use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics};

/// Membrane potentials: 12 bits, two's complement.
pub const POTENTIALS: std::ops::RangeInclusive<i16> = -2048..=2047;
/// Largest threshold register: 12 bits, unsigned.
pub const MAX_THRESHOLD: u16 = 4095;
/// Largest leak: 7 bits.
pub const MAX_LEAK: u8 = 127;
/// Weights: 4 bits, two's complement.
pub const WEIGHTS: std::ops::RangeInclusive<i8> = -8..=7;

/// The word of one neuron.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neuron {
    /// Membrane potential, -2048 to 2047.
    pub core: i16,
    /// Threshold, 0 to 4095; from 2048 on no potential reaches it.
    pub thr: u16,
    /// What a time reference takes from the potential's magnitude, 0 to 127.
    pub leak: u8,
    /// Neither sends nor queues its spikes (its potential is reset all the same).
    pub disabled: bool,
}

/// Everything that a configuration stream writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Register 1, SPI_OPEN_LOOP: local spikes do not enter the queue.
    pub open_loop: bool,
    /// Register 2, SPI_AER_SRC_CTRL_nNEUR: the output carries the source of every popped spike event instead of the neurons that fire.
    pub aer_src_ctrl: bool,
    /// Neurons 0 to MAX_NEUR, 1 to 256 of them.
    pub neurons: Vec<Neuron>,
    /// Rows that are written, by address: one weight of -8 to 7 for each neuron. A row that is not written counts as zeros.
    pub rows: BTreeMap<u8, Vec<i8>>,
}

impl Config {
    /// Register 3, SPI_MAX_NEUR; `None` for a number of neurons that it cannot hold.
    pub fn max_neur(&self) -> Option<u8> {
        u8::try_from(self.neurons.len().checked_sub(1)?).ok()
    }

    /// Every value that the chip cannot hold.
    ///
    /// Errors: `SYN0610` for a register or weight beyond its bits, `SYN0614` for the number of neurons, `SYN0616` for a row whose length is not
    /// that number.
    pub fn validate(&self) -> Diagnostics {
        let mut report = Report::new();
        if self.max_neur().is_none() {
            let n = self.neurons.len();
            report.add("neurons", || {
                Diagnostic::error("SYN0614", format!("{n} neurons, the chip has 1 to {SIZE}"))
                    .note("MAX_NEUR has eight bits, and neuron 0 is always visited")
                    .hint(format!("configure between 1 and {SIZE} neurons"))
                    .field("limit", "neurons_per_core")
                    .field("needed", n)
                    .field("available", SIZE)
            });
        }
        for (i, n) in self.neurons.iter().enumerate() {
            let place = || format!("neuron {i}");
            let core = (*POTENTIALS.start(), *POTENTIALS.end());
            within(&mut report, place, "core", n.core, core);
            within(&mut report, place, "thr", n.thr, (0, MAX_THRESHOLD));
            within(&mut report, place, "leak", n.leak, (0, MAX_LEAK));
        }
        for (r, row) in &self.rows {
            if row.len() != self.neurons.len() {
                let (found, wanted) = (row.len(), self.neurons.len());
                report.add("row length", || {
                    let text = format!("row {r} has {found} weights for {wanted} neurons");
                    Diagnostic::error("SYN0616", text)
                        .note("a row that is written has one weight for each neuron")
                        .hint("fill it up with zeros")
                });
            }
            for (i, &w) in row.iter().enumerate() {
                let place = || format!("row {r}, neuron {i}");
                let range = (*WEIGHTS.start(), *WEIGHTS.end());
                within(&mut report, place, "weight", w, range);
            }
        }
        report.finish()
    }
}

fn within<T: PartialOrd + std::fmt::Display + Copy>(
    report: &mut Report,
    place: impl Fn() -> String,
    what: &'static str,
    value: T,
    (low, high): (T, T),
) {
    if value < low || value > high {
        report.add(what, || {
            let text = format!("{}: {what} is {value}, it holds {low}..={high}", place());
            Diagnostic::error("SYN0610", text)
                .note("the chip stores no more bits")
                .hint("scale weights, thresholds and leaks together until they fit")
                .field("register", what)
        });
    }
}
