//! ODIN's configuration by its own names.
//!
//! A value can hold what the chip cannot; [`Config::validate`] finds it. A neuron is its word of 128 bits, whose parts [`super::word`] names. Deliberately absent: the SPI words (`spi`).

use super::word::Word;
pub use crate::aer_crossbar::SIZE;
use crate::report::Report;
use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics};

/// Everything that a configuration stream writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Register 1, SPI_OPEN_LOOP: local spikes do not enter the queue.
    pub open_loop: bool,
    /// Registers 2 to 17, SPI_SYN_SIGN: bit i % 16 of entry i / 16 is 1 when row i inhibits.
    pub syn_sign: [u16; 16],
    /// Register 19, SPI_AER_SRC_CTRL_nNEUR: the output carries the row of every popped spike event instead of the neurons that fire.
    pub aer_src_ctrl: bool,
    /// Register 20, SPI_OUT_AER_MONITOR_EN; the emulator refuses 1.
    pub monitor_en: bool,
    /// Register 21.
    pub monitor_neur_addr: u8,
    /// Register 22.
    pub monitor_syn_addr: u8,
    /// Register 23, SPI_UPDATE_UNMAPPED_SYN: synapses that are not mapped learn too.
    pub update_unmapped: bool,
    /// Register 24, SPI_PROPAGATE_UNMAPPED_SYN: synapses that are not mapped carry their weight too.
    pub propagate_unmapped: bool,
    /// Register 25, SPI_SDSP_ON_SYN_STIM: single-synapse events let their synapse learn.
    pub sdsp_on_syn_stim: bool,
    /// Neurons that are written; all others are disabled.
    pub neurons: BTreeMap<u8, Word>,
    /// Rows that are written, by number: a nibble for each column, from column 0 to the last written neuron, and one more if that is even. A row that is not written
    /// counts as zeros.
    pub rows: BTreeMap<u8, Vec<u8>>,
}

impl Config {
    /// Columns that a row of the stream has; 0 without neurons.
    pub fn columns(&self) -> usize {
        let last = self.neurons.keys().next_back();
        last.map_or(0, |&n| usize::from(n | 1) + 1)
    }

    /// Does row `i` inhibit?
    pub fn inhibits(&self, i: u8) -> bool {
        self.syn_sign[usize::from(i >> 4)] >> (i & 15) & 1 == 1
    }

    /// Sets the sign of row `i`.
    pub fn set_sign(&mut self, i: u8, inhibits: bool) {
        let bit = 1 << (i & 15);
        let word = &mut self.syn_sign[usize::from(i >> 4)];
        *word = if inhibits { *word | bit } else { *word & !bit };
    }

    /// Nibble of row `row` at column `column`.
    pub fn nibble(&self, row: u8, column: u8) -> u8 {
        let list = self.rows.get(&row);
        let nibble = list.and_then(|r| r.get(usize::from(column)));
        nibble.copied().unwrap_or(0) & 15
    }

    /// Every value that the chip cannot hold.
    ///
    /// Errors: `SYN0610` for a nibble beyond its bits, `SYN0614` without any neuron, `SYN0616` for a row of another length.
    pub fn validate(&self) -> Diagnostics {
        let mut report = Report::new();
        if self.neurons.is_empty() {
            report.add("neurons", || {
                Diagnostic::error("SYN0614", "no neuron is configured")
                    .note("the stream's rows end at the last configured neuron")
                    .hint("configure at least one neuron")
                    .field("limit", "neurons_per_core")
                    .field("needed", 0)
                    .field("available", SIZE)
            });
        }
        for (r, row) in &self.rows {
            if row.len() != self.columns() {
                let (found, wanted) = (row.len(), self.columns());
                report.add("row length", || {
                    Diagnostic::error("SYN0616", format!("row {r} has {found} nibbles for {wanted} columns"))
                        .note("a row that is written has a nibble for each column up to the last configured neuron, in pairs")
                        .hint("fill it up with zeros")
                });
            }
            if let Some(c) = row.iter().position(|&n| n > 15) {
                report.add("nibble", || {
                    Diagnostic::error(
                        "SYN0610",
                        format!("row {r}, column {c}: a synapse holds 4 bits"),
                    )
                    .hint("bit 3 maps the synapse, bits 2 to 0 are its magnitude")
                });
            }
        }
        report.finish()
    }
}
