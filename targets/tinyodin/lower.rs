//! Configuration to [`Program`]: what the emulator runs in place of the chip.
//!
//! One group of MAX_NEUR + 1 units under [`Discipline::Serial`], driven by an external group of 256 row addresses over a dense matrix. The unit's handler is a synaptic
//! event, its step block a time reference; both end in the same test, as in `model.syn`. Events come as the host sends them (`sorted` false, no
//! loopbacks, no tail): what a host adds belongs to the bindings.

use super::Config;
use super::config::SIZE;
use synfire_ir::model::{
    BinOp, Block, BlockBuilder, Combine, Handler, Model, Op, Param, Port, State, Ty, Value, Width,
};
use synfire_ir::program::{
    Arithmetic, Carry, Column, Discipline, Group, GroupKind, Layout, Program, Projection, Range,
    Serial, Weights,
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
/// Parameters of a unit, in order.
const PARAMS: [(&str, Ty); 3] = [("thr", Ty::I32), ("leak", Ty::I32), ("disabled", Ty::Bool)];

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
        models: vec![neuron_model()],
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
    let group = |name: &str, size, base, kind| Group {
        name: name.into(),
        size,
        phase: 0,
        base,
        graded: false,
        kind,
    };
    vec![
        group("rows", SIZE as u32, 0, GroupKind::External),
        group("neurons", neurons, SIZE as u32, units),
    ]
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

/// The neuron of `model.syn`.
pub fn neuron_model() -> Model {
    Model {
        name: "TinyOdin".into(),
        params: PARAMS
            .iter()
            .map(|&(name, ty)| Param {
                name: name.into(),
                ty,
            })
            .collect(),
        states: vec![State {
            name: "v".into(),
            width: Width::I16,
        }],
        ports: vec![Port {
            name: "syn".into(),
            ty: Ty::I32,
            combine: Combine::Sum,
        }],
        handlers: vec![Handler {
            port: SYN,
            block: synaptic_event(),
        }],
        step: time_reference(),
        ..Model::default()
    }
}

fn synaptic_event() -> Block {
    let mut b = BlockBuilder::new();
    let v = b.push(Op::State(POTENTIAL), Ty::I32);
    let w = b.push(Op::Arg, Ty::I32);
    let sum = b.bin(BinOp::Add, v, w);
    let v = b.push(Op::Sat { a: sum, bits: 12 }, Ty::I32);
    test(b, v)
}

fn time_reference() -> Block {
    let mut b = BlockBuilder::new();
    let v = b.push(Op::State(POTENTIAL), Ty::I32);
    let leak = b.push(Op::Param(1), Ty::I32);
    let zero = b.i32(0);
    let less = b.bin(BinOp::Sub, v, leak);
    let down = b.bin(BinOp::Max, zero, less);
    let more = b.bin(BinOp::Add, v, leak);
    let up = b.bin(BinOp::Min, zero, more);
    let positive = b.bin(BinOp::Ge, v, zero);
    let v = b.select(positive, down, up);
    test(b, v)
}

/// The end of every update: at or above the threshold the potential is reset and, unless disabled, the neuron spikes.
fn test(mut b: BlockBuilder, v: Value) -> Block {
    let zero = b.i32(0);
    let one = b.i32(1);
    let thr = b.push(Op::Param(0), Ty::I32);
    let disabled = b.push(Op::Param(2), Ty::Bool);
    let positive = b.bin(BinOp::Ge, v, zero);
    let above = b.bin(BinOp::Ge, v, thr);
    let fires = b.bin(BinOp::And, positive, above);
    let next = b.select(fires, zero, v);
    let payload = b.select(disabled, zero, one);
    let payload = b.select(fires, payload, zero);
    b.store(POTENTIAL, next);
    b.emit(payload);
    b.finish()
}
