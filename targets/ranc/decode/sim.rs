//! `config.json` and `input.json` back into a configuration.
//!
//! The simulator ignores keys that it does not know, and so does this reader. Numbers are read as 32-bit integers, connections straight into packed words,
//! so that what is kept is smaller than the text it came from.

use super::super::{
    BitMatrix, Config, Core, Dialect, Grid, MAX_SIZE, NUM_TICKS, NUM_WEIGHTS, Neuron, OutputBus,
    Packet, ResetMode, ResetType, Widths,
};
use super::{Named, contradiction, unreadable};
use crate::report::Report;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use std::fmt;
use synfire_ir::Diagnostics;

/// The configuration in both files.
pub(super) fn config(sections: &Named) -> Result<Config, Diagnostics> {
    let p: Parameters = read("config.json", sections.require("config.json")?)?;
    let input: Input = read("input.json", sections.require("input.json")?)?;
    let mut report = Report::new();
    let mut config = sizes(&p, &input.output_bus, &mut report);
    if report.has_errors() {
        return Err(report.finish());
    }
    for core in input.cores {
        if let Some(core) = convert(core, &config, &mut report) {
            config.cores.push(core);
        }
    }
    // The simulator takes cores in any order.
    config.cores.sort_by_key(|c| config.grid.index(c.x, c.y));
    report.finish().result(config)
}

/// The packets of `input.json`, if there is one.
pub(super) fn packets(sections: &Named) -> Result<Vec<Vec<Packet>>, Diagnostics> {
    let Some(bytes) = sections.get("input.json") else {
        return Ok(vec![]);
    };
    let file: PacketsIn = read("input.json", bytes)?;
    let mut report = Report::new();
    let mut lists = vec![];
    for (k, list) in file.packets.into_iter().enumerate() {
        let mut out = Vec::with_capacity(list.len());
        for p in list {
            let [x, y] = p.destination_core;
            match (x.try_into(), y.try_into(), p.destination_axon.try_into(), p.destination_tick.try_into()) {
                (Ok(x), Ok(y), Ok(axon), Ok(tick)) => out.push(Packet { x, y, axon, tick }),
                _ => report.add("packet", || {
                    let text = format!("packet to core ({x},{y}), axon {}, tick {}: a value is negative or too large", p.destination_axon, p.destination_tick);
                    unreadable(format!("input.json: list {k}"), text)
                }),
            }
        }
        lists.push(out);
    }
    report.finish().result(lists)
}

fn read<'a, T: Deserialize<'a>>(name: &str, bytes: &'a [u8]) -> Result<T, Diagnostics> {
    serde_json::from_slice(bytes).map_err(|e| {
        let d = unreadable(format!("{name}:{}:{}", e.line(), e.column()), format!("the file cannot be read: {e}"));
        let d = if e.to_string().contains("destination_core_offset") {
            d.hint("older tools write `destination_core` into neurons; the simulator reads `destination_core_offset`")
        } else {
            d
        };
        d.into()
    })
}

/// `config.json`.
#[derive(Deserialize)]
struct Parameters {
    num_neurons: i32,
    num_axons: i32,
    num_cores_x: i32,
    num_cores_y: i32,
    num_weights: i32,
    max_tick_offset: i32,
    neuron_reset_type: i32,
}

#[derive(Deserialize)]
struct Input {
    output_bus: Bus,
    cores: Vec<CoreIn>,
}

#[derive(Deserialize)]
struct PacketsIn {
    packets: Vec<Vec<PacketIn>>,
}

#[derive(Deserialize)]
struct PacketIn {
    destination_core: [i32; 2],
    destination_axon: i32,
    destination_tick: i32,
}

#[derive(Deserialize)]
struct Bus {
    coordinates: [i32; 2],
    num_outputs: i32,
}

#[derive(Deserialize)]
struct CoreIn {
    axons: Vec<u8>,
    neurons: Vec<NeuronIn>,
    connections: Vec<Row>,
    coordinates: [i32; 2],
}

#[derive(Deserialize)]
struct NeuronIn {
    reset_potential: i32,
    weights: WeightsIn,
    leak: i32,
    positive_threshold: i32,
    negative_threshold: i32,
    destination_core_offset: [i32; 2],
    destination_axon: i32,
    destination_tick: i32,
    current_potential: i32,
    reset_mode: i32,
}

/// Up to four weights; those left out are 0, as in the simulator.
struct WeightsIn([i32; NUM_WEIGHTS]);

impl<'de> Deserialize<'de> for WeightsIn {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Of4;
        impl<'de> Visitor<'de> for Of4 {
            type Value = WeightsIn;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of at most 4 weights")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<WeightsIn, A::Error> {
                let mut out = [0; NUM_WEIGHTS];
                let mut n = 0;
                while let Some(w) = seq.next_element::<i32>()? {
                    *out.get_mut(n)
                        .ok_or_else(|| A::Error::invalid_length(n + 1, &self))? = w;
                    n += 1;
                }
                Ok(WeightsIn(out))
            }
        }
        d.deserialize_seq(Of4)
    }
}

/// A row of connections, packed as it is read.
struct Row {
    words: Vec<u64>,
    len: usize,
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Bits;
        impl<'de> Visitor<'de> for Bits {
            type Value = Row;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list of 0 and 1")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Row, A::Error> {
                let mut row = Row {
                    words: vec![],
                    len: 0,
                };
                while let Some(bit) = seq.next_element::<u8>()? {
                    if bit > 1 {
                        return Err(A::Error::custom(format!(
                            "a connection is {bit}, it must be 0 or 1"
                        )));
                    }
                    if row.len.is_multiple_of(64) {
                        row.words.push(0);
                    }
                    if let Some(word) = row.words.last_mut() {
                        *word |= u64::from(bit) << (row.len % 64);
                    }
                    row.len += 1;
                }
                Ok(row)
            }
        }
        d.deserialize_seq(Bits)
    }
}

/// Everything but the cores; what does not fit the types of [`Config`] is reported.
fn sizes(p: &Parameters, bus: &Bus, report: &mut Report) -> Config {
    for (what, value, wanted) in [
        ("num_weights", p.num_weights, NUM_WEIGHTS as i32),
        ("max_tick_offset", p.max_tick_offset, NUM_TICKS.into()),
    ] {
        if value != wanted {
            report.add("fixed sizes", || {
                unreadable(
                    "config.json",
                    format!("{what} is {value}, this chip has {wanted}"),
                )
                .hint(format!("set {what} to {wanted}"))
            });
        }
    }
    let mut small = |place: &str, what: &str, value: i32, most: u16| match u16::try_from(value) {
        Ok(v) if v <= most => v,
        _ => {
            report.add("sizes", || {
                unreadable(place, format!("{what} is {value}, it must be 0..={most}"))
            });
            0
        }
    };
    let side = super::super::MAX_SIDE;
    let mut config = Config {
        dialect: Dialect::Sim,
        grid: Grid {
            x: small("config.json", "num_cores_x", p.num_cores_x, side),
            y: small("config.json", "num_cores_y", p.num_cores_y, side),
        },
        num_neurons: small("config.json", "num_neurons", p.num_neurons, MAX_SIZE),
        num_axons: small("config.json", "num_axons", p.num_axons, MAX_SIZE),
        neuron_reset_type: ResetType::Asymmetric,
        output_bus: OutputBus {
            x: small(
                "input.json: output_bus",
                "coordinates[0]",
                bus.coordinates[0],
                side,
            ),
            y: small(
                "input.json: output_bus",
                "coordinates[1]",
                bus.coordinates[1],
                side,
            ),
            num_outputs: bus.num_outputs.max(0) as u32,
        },
        widths: Widths::SIM,
        cores: vec![],
    };
    match p.neuron_reset_type {
        0 => {}
        1 => config.neuron_reset_type = ResetType::Symmetric,
        other => report.add("reset type", || {
            unreadable(
                "config.json",
                format!("neuron_reset_type is {other}, it must be 0 or 1"),
            )
        }),
    }
    config
}

/// One core; `None`, with a report, when it does not fit the configured sizes.
fn convert(core: CoreIn, config: &Config, report: &mut Report) -> Option<Core> {
    let [x, y] = core.coordinates;
    let place = format!("input.json: core ({x},{y})");
    let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else {
        report.add("coordinates", || {
            unreadable(&place, "the coordinates are negative or too large")
        });
        return None;
    };
    let (axons, neurons) = (
        usize::from(config.num_axons),
        usize::from(config.num_neurons),
    );
    if core.axons.len() > axons
        || core.neurons.len() > neurons
        || core.connections.len() != core.neurons.len()
    {
        report.add("core sizes", || {
            let found = format!("{} axons, {} neurons and {} rows of connections", core.axons.len(), core.neurons.len(), core.connections.len());
            contradiction(&place, format!("the core lists {found}; config.json allows {axons} axons and {neurons} neurons, with a row for each neuron listed"))
        });
        return None;
    }
    let mut connections = BitMatrix::new(core.neurons.len(), axons);
    for (i, row) in core.connections.iter().enumerate() {
        if row.len > axons {
            report.add("connection rows", || {
                contradiction(
                    &place,
                    format!(
                        "the connections of neuron {i} have {} entries for {axons} axons",
                        row.len
                    ),
                )
            });
        }
        connections.set_row(i, &row.words);
    }
    let mut list = Vec::with_capacity(core.neurons.len());
    for (i, n) in core.neurons.iter().enumerate() {
        match neuron(n) {
            Ok(n) => list.push(n),
            Err(what) => report.add("neuron values", || {
                unreadable(format!("{place}, neuron {i}"), what)
            }),
        }
    }
    (list.len() == core.neurons.len()).then_some(Core {
        x,
        y,
        axons: core.axons,
        neurons: list,
        connections,
    })
}

/// The registers of a neuron, or what they cannot hold.
fn neuron(n: &NeuronIn) -> Result<Neuron, String> {
    let offset = |axis: usize| {
        let value = n.destination_core_offset[axis];
        i16::try_from(value).map_err(|_| {
            format!("destination_core_offset[{axis}] is {value}, more than a grid can span")
        })
    };
    Ok(Neuron {
        potential: n.current_potential,
        reset_potential: n.reset_potential,
        weights: n.weights.0,
        leak: n.leak,
        positive_threshold: n.positive_threshold,
        negative_threshold: n.negative_threshold,
        reset_mode: match n.reset_mode {
            0 => ResetMode::Absolute,
            1 => ResetMode::Linear,
            other => return Err(format!("reset_mode is {other}, it must be 0 or 1")),
        },
        dx: offset(0)?,
        dy: offset(1)?,
        axon: n
            .destination_axon
            .try_into()
            .map_err(|_| format!("destination_axon is {}", n.destination_axon))?,
        tick: n
            .destination_tick
            .try_into()
            .map_err(|_| format!("destination_tick is {}", n.destination_tick))?,
    })
}
