//! Configuration to [`Program`]: what the emulator runs, in the arithmetic `speck-ref-1`.
//!
//! One event after another: an event visits the neurons of its destinations, core by core, features, then rows, then columns ascending; a neuron at its threshold sends an event, which waits behind all that were
//! sent before. So events pass the layers breadth first, and none is lost or made. One group holds the neurons of all used cores, one row a neuron and one an input pixel of the dense matrix; a weight of 0 is no tap.

use super::config::{Config, Core};
use crate::model::{group, neuron};
use synfire_ir::program::{
    Arithmetic, Carry, Discipline, GroupKind, Groups, Layout, Program, Projection, Range, Serial,
    SerialEvent, Weights,
};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Group of rows.
const ROWS: u32 = 0;
/// Group of neurons.
pub const NEURONS: u32 = 1;
/// Work after which an engine ends a run whose event does not come to rest, in unit updates.
const REST: u64 = 1 << 30;
/// Unit updates that an engine counts for an event itself.
const EVENT: u64 = 64;
/// Most entries of the matrix.
const MOST: u64 = 1 << 30;

/// First neuron of every layer, and the number of all.
pub fn bases(config: &Config) -> Vec<u32> {
    let mut base = vec![0u32];
    for l in &config.cnn_layers {
        let size: u32 = l.shape().output().iter().product();
        base.push(base.last().copied().unwrap_or(0) + size);
    }
    base
}

/// The program of a configuration.
///
/// Errors: those of [`Config::validate`]; `SYN0672` for one whose matrix is too large for the emulator.
pub fn lower(config: &Config) -> Result<Program, Diagnostics> {
    config.validate().result(())?;
    let base = bases(config);
    let neurons = base.last().copied().unwrap_or(0);
    let first = config
        .cnn_layers
        .iter()
        .position(|l| l.core == config.input);
    let Some(input) = first.and_then(|i| config.cnn_layers.get(i)) else {
        return Err(Diagnostics::new());
    };
    let pixels: u32 = input.input_shape.iter().product();
    let rows = neurons + pixels;
    if u64::from(rows) * u64::from(neurons) > MOST {
        return Err(too_large(rows, neurons));
    }
    let mut matrix = vec![0i8; rows as usize * neurons as usize];
    let at = |core: usize| config.cnn_layers.iter().position(|l| l.core == core);
    for (l, from) in config.cnn_layers.iter().zip(&base) {
        let out = l.shape().output();
        for d in &l.destinations {
            let Some(to) = at(d.layer) else { continue };
            for unit in 0..out.iter().product() {
                let [o, y, x] = place(out, unit);
                let pixel = [o + d.feature_shift, y / d.pooling, x / d.pooling];
                let row = (from + unit) as usize * neurons as usize;
                taps(
                    &config.cnn_layers[to],
                    base[to],
                    pixel,
                    &mut matrix[row..][..neurons as usize],
                );
            }
        }
    }
    let [channels, x, y] = input.input_shape;
    for pixel in 0..pixels {
        let row = (neurons + pixel) as usize * neurons as usize;
        let base = base[first.unwrap_or(0)];
        taps(
            input,
            base,
            place([channels, y, x], pixel),
            &mut matrix[row..][..neurons as usize],
        );
    }
    assemble(config, &base, rows, matrix)
}

/// Channel, row and column of element `i`.
fn place([_, rows, columns]: [u32; 3], i: u32) -> [u32; 3] {
    [i / (rows * columns), i / columns % rows, i % columns]
}

/// Adds the taps of an event at `[channel, row, column]` of a core's input map to a row of the matrix.
fn taps(core: &Core, base: u32, [c, y, x]: [u32; 3], row: &mut [i8]) {
    let shape = core.shape();
    let [features, rows, columns] = shape.output();
    // oy * stride - padding + ky = y.
    let hits = |axis: usize, at: u32, size: u32| -> Vec<(u32, u32)> {
        (0..size)
            .filter_map(|o| {
                let k = (at + shape.padding[axis]).checked_sub(o * shape.stride[axis])?;
                (k < shape.kernel[axis]).then_some((o, k))
            })
            .collect()
    };
    let (ys, xs) = (hits(0, y, rows), hits(1, x, columns));
    for o in 0..features {
        for &(oy, ky) in &ys {
            for &(ox, kx) in &xs {
                let unit = base + (o * rows + oy) * columns + ox;
                row[unit as usize] = core.weight(o as usize, c as usize, ky as usize, kx as usize);
            }
        }
    }
}

fn assemble(
    config: &Config,
    base: &[u32],
    rows: u32,
    matrix: Vec<i8>,
) -> Result<Program, Diagnostics> {
    let neurons = base.last().copied().unwrap_or(0);
    let model = neuron(include_str!("model.syn"), "Speck", &[])?;
    let layer = |unit: usize| {
        let i = base
            .partition_point(|b| *b as usize <= unit)
            .saturating_sub(1);
        config
            .cnn_layers
            .get(i)
            .map(|l| (l, unit - base[i] as usize))
    };
    let value = |name: &str, unit: usize| {
        let (l, at) = layer(unit)?;
        let [_, y, x] = l.shape().output();
        Some(match name {
            "high" => l.threshold_high.into(),
            "low" => l.threshold_low.into(),
            "zero" => l.return_to_zero.into(),
            "bias" => l
                .biases
                .get(at / (y * x) as usize)
                .copied()
                .unwrap_or(0)
                .into(),
            _ => 0,
        })
    };
    let units = group(&model, 0, neurons as usize, &value);
    let whole = |len| Range { start: 0, len };
    let groups = (Groups::default())
        .and("rows", rows as usize, 0, GroupKind::External)
        .and("neurons", neurons as usize, 0, units);
    Ok(Program {
        name: "speck2f".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 0,
        discipline: Discipline::Serial(Serial {
            group: NEURONS,
            matrix: 0,
            capacity: capacity(config, neurons),
            closed_loop: true,
            popped: false,
            sorted: false,
            loopback: vec![],
            tail: match leaks(config) {
                true => vec![SerialEvent::Step {
                    first: 0,
                    last: neurons.saturating_sub(1),
                }],
                false => vec![],
            },
        }),
        models: vec![model],
        groups: groups.list(),
        projections: vec![Projection {
            name: "kernels".into(),
            source: ROWS,
            source_range: whole(rows),
            target: NEURONS,
            target_range: whole(neurons),
            port: 0,
            carry: Carry::Events,
            layout: Layout::Dense {
                delay: 0,
                weights: Weights::I8(matrix.into()),
            },
        }],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    })
}

/// Does a tick of the slow clock do anything?
fn leaks(config: &Config) -> bool {
    let biased = |l: &Core| l.biases.iter().any(|b| *b != 0);
    config.cnn_layers.iter().any(biased)
}

/// Places in the queue, so many that none is ever wanting: at least the events that one input event or tick can set off, or so many that an engine gives up (with an error) before all of them are processed.
fn capacity(config: &Config, neurons: u32) -> u32 {
    let mut waiting = std::collections::BTreeMap::from([(config.input, 1u64)]);
    let mut all = 1u64;
    for l in &config.cnn_layers {
        let s = l.shape();
        let taps = |axis: usize| {
            let reach = s.kernel[axis].div_ceil(s.stride[axis].max(1));
            u64::from(reach.min(s.output()[axis + 1]))
        };
        let each = u64::from(s.features) * taps(0) * taps(1);
        let ticked = match leaks(config) {
            true => l.shape().output().iter().map(|n| u64::from(*n)).product(),
            false => 0,
        };
        let given = waiting.get(&l.core).copied().unwrap_or(0);
        let sent = given.saturating_mul(each).saturating_add(ticked);
        for d in &l.destinations {
            let n = waiting.entry(d.layer).or_default();
            *n = n.saturating_add(sent);
        }
        all = all.saturating_add(sent);
    }
    let given_up = REST / (EVENT + u64::from(neurons)) + 1;
    u32::try_from(all.min(given_up)).unwrap_or(u32::MAX)
}

fn too_large(rows: u32, neurons: u32) -> Diagnostics {
    Diagnostic::error(
        "SYN0672",
        format!("the emulator would need a matrix of {rows} rows by {neurons} neurons"),
    )
    .class(Class::Fit)
    .note(format!(
        "it holds at most {MOST} entries; the chip itself has no such limit"
    ))
    .hint("emulate a network with smaller maps")
    .field("limit", "emulator")
    .field("needed", u64::from(rows) * u64::from(neurons))
    .field("available", MOST)
    .into()
}
