//! Configuration to [`Program`]: what the emulator runs in place of the chip.
//!
//! The program of [`crate::aer_crossbar`] with MAX_NEUR + 1 units. The unit's handler is a synaptic
//! event, its step block a time reference; both end in the same test, as in `model.syn`.

use super::Config;
use super::config::SIZE;
use crate::aer_crossbar::{Loop, program};
pub use crate::aer_crossbar::{NEURONS, ROWS, SYN};
use synfire_ir::program::{Column, GroupKind, Program, Weights};
use synfire_ir::{Diagnostic, Diagnostics};

/// State of a neuron: its potential.
pub const POTENTIAL: u16 = 0;
/// Places in the queue; the event being processed holds one.
const CAPACITY: u32 = 128;

/// The program of a configuration; it has no probes, for what leaves the chip is the serial output.
///
/// Errors: those of [`Config::validate`].
pub fn lower(config: &Config) -> Result<Program, Diagnostics> {
    config.validate().result(())?;
    let Some(last) = config.max_neur() else {
        return Err(Diagnostic::error("SYN0614", "no number of neurons")
            .hint("configure between 1 and 256 neurons")
            .into());
    };
    let model = crate::model::neuron(include_str!("model.syn"), "TinyOdin", &[])?;
    let neurons = ("neurons", usize::from(last) + 1, units(config));
    let spikes = Loop {
        capacity: CAPACITY,
        closed: !config.open_loop,
        popped: config.aer_src_ctrl,
    };
    Ok(program("tinyodin", spikes, model, neurons, matrix(config)))
}

fn units(config: &Config) -> GroupKind {
    let column = |f: &dyn Fn(&super::Neuron) -> i32| {
        Column::from_words(config.neurons.iter().map(|n| f(n) as u32).collect())
    };
    GroupKind::Units {
        model: 0,
        params: vec![
            column(&|n| n.thr.into()),
            column(&|n| n.leak.into()),
            column(&|n| n.disabled.into()),
        ],
        init: vec![column(&|n| n.core.into())],
    }
}

/// 256 rows of a weight a neuron; zeros where nothing is written.
fn matrix(config: &Config) -> Weights {
    let mut all = Vec::with_capacity(SIZE * config.neurons.len());
    for r in 0..=u8::MAX {
        match config.rows.get(&r) {
            Some(row) => all.extend_from_slice(row),
            None => all.resize(all.len() + config.neurons.len(), 0),
        }
    }
    Weights::I8(all.into())
}
