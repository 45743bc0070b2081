//! The serial program around a chip's neurons and weights.

use super::SIZE;
use synfire_ir::model::Model;
use synfire_ir::program::{
    Arithmetic, Carry, Discipline, GroupKind, Groups, Layout, Program, Projection, Range, Serial,
    Weights,
};

/// Group of row addresses (external).
pub const ROWS: u32 = 0;
/// Group of neurons.
pub const NEURONS: u32 = 1;
/// Port of a neuron: synaptic events.
pub const SYN: u16 = 0;

/// What happens to spikes.
#[derive(Clone, Copy, Debug)]
pub struct Loop {
    /// Places in the queue; the event being processed holds one.
    pub capacity: u32,
    /// Spikes enter the queue as events of their own rows.
    pub closed: bool,
    /// The output carries the row of every popped spike event instead of the neurons that fire.
    pub popped: bool,
}

/// The program `name` of the neurons `kind` (`neurons.1` of them in a group called `neurons.0`), driven by 256 rows over `weights`, row-major `[row][neuron]`. It has no probes, for what leaves the chip is
/// the serial output. Events come as the host sends them: what a host adds belongs to the bindings.
pub fn program(
    name: &str,
    spikes: Loop,
    model: Model,
    neurons: (&str, usize, GroupKind),
    weights: Weights,
) -> Program {
    let (group, size, kind) = neurons;
    let whole = |len: usize| Range {
        start: 0,
        len: len as u32,
    };
    let groups = Groups::default()
        .and("rows", SIZE, 0, GroupKind::External)
        .and(group, size, 0, kind);
    Program {
        name: name.into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 0,
        discipline: Discipline::Serial(Serial {
            group: NEURONS,
            matrix: 0,
            capacity: spikes.capacity,
            closed_loop: spikes.closed,
            popped: spikes.popped,
            sorted: false,
            loopback: vec![],
            tail: vec![],
        }),
        models: vec![model],
        groups: groups.list(),
        projections: vec![Projection {
            name: "crossbar".into(),
            source: ROWS,
            source_range: whole(SIZE),
            target: NEURONS,
            target_range: whole(size),
            port: SYN,
            carry: Carry::Events,
            layout: Layout::Dense { delay: 0, weights },
        }],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    }
}
