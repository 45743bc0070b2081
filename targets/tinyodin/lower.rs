//! Configuration to [`Program`]: what the emulator runs in place of the chip.
//!
//! One group of MAX_NEUR + 1 units under [`Discipline::Serial`], driven by an external group of 256 row addresses over a dense matrix. The unit's handler is a synaptic
//! event, its step block a time reference; both end in the same test, as in `model.syn`. Events come as the host sends them (`sorted` false, no
//! loopbacks, no tail): what a host adds belongs to the bindings.

use super::Config;
use super::config::SIZE;
use synfire_ir::program::{
    Arithmetic, Carry, Column, Discipline, Group, GroupKind, Groups, Layout, Program, Projection,
    Range, Serial, Weights,
};
use synfire_ir::{Diagnostic, Diagnostics};

/// Group of row addresses (external).
pub const ROWS: u32 = 0;
/// Group of neurons.
pub const NEURONS: u32 = 1;
/// State of a neuron: its potential.
pub const POTENTIAL: u16 = 0;
/// Port of a neuron: synaptic events.
pub const SYN: u16 = 0;

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
    let neurons = u32::from(last) + 1;
    let whole = |len| Range { start: 0, len };
    Ok(Program {
        name: "tinyodin".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 0,
        discipline: Discipline::Serial(Serial {
            group: NEURONS,
            matrix: 0,
            capacity: CAPACITY,
            closed_loop: !config.open_loop,
            popped: config.aer_src_ctrl,
            sorted: false,
            loopback: vec![],
            tail: vec![],
        }),
        models: vec![crate::model::neuron(
            include_str!("model.syn"),
            "TinyOdin",
            &[],
        )?],
        groups: groups(config, neurons),
        projections: vec![Projection {
            name: "crossbar".into(),
            source: ROWS,
            source_range: whole(SIZE as u32),
            target: NEURONS,
            target_range: whole(neurons),
            port: SYN,
            carry: Carry::Events,
            layout: Layout::Dense {
                delay: 0,
                weights: matrix(config),
            },
        }],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    })
}

fn groups(config: &Config, neurons: u32) -> Vec<Group> {
    let column = |f: &dyn Fn(&super::Neuron) -> i32| {
        Column::from_words(config.neurons.iter().map(|n| f(n) as u32).collect())
    };
    let units = GroupKind::Units {
        model: 0,
        params: vec![
            column(&|n| n.thr.into()),
            column(&|n| n.leak.into()),
            column(&|n| n.disabled.into()),
        ],
        init: vec![column(&|n| n.core.into())],
    };
    (Groups::default())
        .and("rows", SIZE, 0, GroupKind::External)
        .and("neurons", neurons as usize, 0, units)
        .list()
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
