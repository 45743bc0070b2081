//! Configuration to [`Program`]: what the emulator runs in place of the chip.
//!
//! The program of [`crate::aer_crossbar`] with 256 units. In a program *with learning* the unit is `Odin` of
//! `model.syn`: its state holds the synapses onto it, the matrix only says which row came and with which sign. *Without learning* it is `OdinLif`, and the matrix holds effective weights; that is
//! the same as long as every configured neuron is a leaky integrate-and-fire neuron without calcium and no bistability event comes. Neurons that are not configured
//! are disabled; nothing of them can be seen.

use super::Config;
use super::aer::{NOTHING, row_value};
use super::config::SIZE;
use super::word::Word;
use crate::aer_crossbar::{Loop, program};
pub use crate::aer_crossbar::{NEURONS, SYN};
use crate::backend::{WeightCell, Words};
use crate::model::{group, neuron};
use synfire_ir::eval::{Reads, run_block};
use synfire_ir::model::Model;
use synfire_ir::program::{Column, GroupKind, Layout, Program, Weights};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Port of bistability events, in programs with learning.
pub const BIST: u16 = 1;
/// Places in the queue; the event being processed holds one.
const CAPACITY: u32 = 32;
/// Name of the group of neurons in a program with learning.
const LEARNING: &str = "learning neurons";

const TEXT: &str = include_str!("model.syn");

/// Does the configuration need a program with learning whatever events come?
pub fn must_learn(config: &Config) -> bool {
    let plain = |w: &Word| w.get("lif") == 1 && w.get("ca_en") == 0;
    !config.neurons.values().all(plain)
}

/// Does a program learn?
pub fn learns(program: &Program) -> bool {
    program
        .groups
        .get(NEURONS as usize)
        .is_some_and(|g| g.name == LEARNING)
}

/// What the matrix of a program holds at (row, neuron).
pub fn at(program: &Program, row: u8, neuron: u8) -> i32 {
    let i = usize::from(row) * SIZE + usize::from(neuron);
    match program.projections.first().map(|p| &p.layout) {
        Some(Layout::Dense { weights, .. }) if weights.count().is_none_or(|n| i < n) => {
            weights.bits(i) as i32
        }
        _ => 0,
    }
}

/// Where the magnitudes of synapses stand, by place: row in bits 15..8, neuron in bits 7..0. None in a program without learning.
pub fn weights(program: &Program) -> Vec<(u64, WeightCell)> {
    let Some(model) = program.model_of(NEURONS) else {
        return vec![];
    };
    let memories: Vec<Option<u16>> = (0..SIZE / 8)
        .map(|k| model.state(&format!("m{k}")))
        .collect();
    let cell = |place: u16| {
        let [row, neuron] = place.to_be_bytes();
        let cell = WeightCell {
            words: Words::Units {
                group: NEURONS,
                state: memories[usize::from(row >> 3)]?,
            },
            index: neuron.into(),
            shift: 4 * (row & 7),
            bits: 3,
            exponent: 0,
        };
        Some((place.into(), cell))
    };
    (0..=u16::MAX).filter_map(cell).collect()
}

/// The program of a configuration; it has no probes, for what leaves the chip is the serial output.
///
/// Errors: those of [`Config::validate`], and `SYN0617` for the monitoring mode, which is not emulated.
pub fn lower(config: &Config, learning: bool) -> Result<Program, Diagnostics> {
    config.validate().result(())?;
    if config.monitor_en {
        return Err(Diagnostic::error("SYN0617", "the configuration turns the monitoring mode on")
            .class(Class::Fit)
            .note("its output depends on the timing of the receiver and was never compared with the RTL")
            .hint("set SPI_OUT_AER_MONITOR_EN to 0")
            .into());
    }
    let (model, kind, weights) = if learning {
        plastic(config)?
    } else {
        fixed(config)?
    };
    let name = if learning { LEARNING } else { "neurons" };
    let spikes = Loop {
        capacity: CAPACITY,
        closed: !config.open_loop,
        popped: config.aer_src_ctrl,
    };
    let neurons = (name, SIZE, kind);
    Ok(program("odin", spikes, model, neurons, weights))
}

fn word(config: &Config, n: usize) -> Word {
    let n = u8::try_from(n).ok();
    let found = n.and_then(|n| config.neurons.get(&n));
    found.copied().unwrap_or(Word::UNUSED)
}

/// The weight that a synapse carries, with the sign of its row.
pub fn effective(config: &Config, row: u8, column: u8) -> i32 {
    let nibble = config.nibble(row, column);
    let size = if nibble >= 8 || config.propagate_unmapped {
        i32::from(nibble & 7)
    } else {
        0
    };
    if config.inhibits(row) { -size } else { size }
}

fn fixed(config: &Config) -> Result<(Model, GroupKind, Weights), Diagnostics> {
    let model = neuron(TEXT, "OdinLif", &[])?;
    let value = |name: &str, n: usize| {
        let w = word(config, n);
        Some(match name {
            "leak" if w.get("leak_en") == 0 => 0,
            "leak" => w.get("leak_str"),
            "v" => w.get("core"),
            other => w.get(other),
        })
    };
    let kind = group(&model, 0, SIZE, &value);
    let rows = (0..=u8::MAX).flat_map(|r| (0..=u8::MAX).map(move |c| effective(config, r, c)));
    Ok((model, kind, Weights::from_i32(rows.collect())))
}

fn plastic(config: &Config) -> Result<(Model, GroupKind, Weights), Diagnostics> {
    let fixed = [
        ("update_unmapped", config.update_unmapped.into()),
        ("propagate_unmapped", config.propagate_unmapped.into()),
        ("sdsp_on_syn_stim", config.sdsp_on_syn_stim.into()),
    ];
    let model = neuron(TEXT, "Odin", &fixed)?;
    let columns: Vec<[u32; 32]> = (0..=u8::MAX).map(|n| column(config, n)).collect();
    let value = |name: &str, n: usize| {
        let memory = name.strip_prefix('m').and_then(|k| k.parse::<usize>().ok());
        match memory {
            Some(k) => columns.get(n)?.get(k).map(|&w| i64::from(w)),
            None => Some(word(config, n).get(name)),
        }
    };
    let mut kind = group(&model, 0, SIZE, &value);
    flags(&model, &mut kind);
    let rows = (0..=u8::MAX).flat_map(|r| std::iter::repeat_n(row_value(config, r), SIZE));
    Ok((model, kind, Weights::from_i32(rows.collect())))
}

/// The nibbles of all rows onto a neuron, eight a word.
fn column(config: &Config, n: u8) -> [u32; 32] {
    let mut words = [0; 32];
    for &r in config.rows.keys() {
        words[usize::from(r >> 3)] |= u32::from(config.nibble(r, n)) << (4 * (r & 7));
    }
    words
}

/// The learning flags that the chip stores when a neuron is written: those of an update in which nothing happens.
fn flags(model: &Model, kind: &mut GroupKind) {
    let GroupKind::Units { params, init, .. } = kind else {
        return;
    };
    let Some(handler) = model.handler(SYN) else {
        return;
    };
    let mut values = vec![];
    for name in ["up", "down"] {
        let Some(state) = model.state(name) else {
            continue;
        };
        let store = handler.block.stores.iter().find(|s| s.0 == state);
        let words = (0..SIZE).map(|n| {
            run_block(&handler.block, &Programmed { params, init, n }, &mut values);
            store
                .and_then(|s| values.get(s.1 as usize))
                .copied()
                .unwrap_or(0)
        });
        let column = Column::from_words(words.collect());
        init[usize::from(state)] = column;
    }
}

/// A neuron as it was programmed, to which nothing happens.
struct Programmed<'a> {
    params: &'a [Column],
    init: &'a [Column],
    n: usize,
}

impl Reads for Programmed<'_> {
    fn param(&self, i: u16) -> u32 {
        self.params[usize::from(i)].get(self.n)
    }
    fn state(&self, i: u16) -> u32 {
        self.init[usize::from(i)].get(self.n)
    }
    fn port(&self, _: u16) -> u32 {
        0
    }
    fn arg(&self) -> u32 {
        NOTHING as u32
    }
    fn step(&self) -> u32 {
        0
    }
    fn index(&self) -> u32 {
        self.n as u32
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}
