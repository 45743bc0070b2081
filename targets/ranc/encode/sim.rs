//! `config.json` and `input.json` of the C++ simulator.
//!
//! Field names and shapes are those of simulator/src/decode.hpp; all numbers are integers. Nothing that the simulator does not read is written.

use super::super::{BitMatrix, Config, Core, NUM_TICKS, NUM_WEIGHTS, Neuron, Packet};
use super::Sections;
use serde::ser::{Serialize, SerializeSeq, Serializer};

/// Both files, with one empty list of packets.
pub(super) fn image(config: &Config) -> Sections {
    vec![
        ("config.json".into(), config_json(config)),
        input(config, &[]),
    ]
}

/// `input.json` with these packets; the simulator needs at least one list, which may be empty.
pub(super) fn input(config: &Config, packets: &[Vec<Packet>]) -> (String, Vec<u8>) {
    let lists = if packets.is_empty() {
        &[vec![]]
    } else {
        packets
    };
    let file = Input {
        packets: lists
            .iter()
            .map(|l| l.iter().map(PacketOut::from).collect())
            .collect(),
        output_bus: Bus {
            coordinates: [config.output_bus.x, config.output_bus.y],
            num_outputs: config.output_bus.num_outputs,
        },
        cores: Cores(&config.cores),
    };
    ("input.json".into(), to_bytes(&file))
}

fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("integers and fixed keys always serialise")
}

/// Keys in the order of the simulator's README.
#[derive(serde::Serialize)]
struct Parameters {
    num_neurons: u16,
    num_axons: u16,
    num_cores_x: u16,
    num_cores_y: u16,
    num_weights: usize,
    max_tick_offset: u8,
    neuron_block_trace_verbosity: u8,
    core_controller_trace_verbosity: u8,
    scheduler_trace_verbosity: u8,
    neuron_reset_type: u8,
}

fn config_json(config: &Config) -> Vec<u8> {
    let mut bytes = to_bytes(&Parameters {
        num_neurons: config.num_neurons,
        num_axons: config.num_axons,
        num_cores_x: config.grid.x,
        num_cores_y: config.grid.y,
        num_weights: NUM_WEIGHTS,
        max_tick_offset: NUM_TICKS,
        neuron_block_trace_verbosity: 0,
        core_controller_trace_verbosity: 0,
        scheduler_trace_verbosity: 0,
        neuron_reset_type: config.neuron_reset_type as u8,
    });
    bytes.push(b'\n');
    bytes
}

#[derive(serde::Serialize)]
struct Input<'a> {
    packets: Vec<Vec<PacketOut>>,
    output_bus: Bus,
    cores: Cores<'a>,
}

#[derive(serde::Serialize)]
struct PacketOut {
    destination_core: [u16; 2],
    destination_axon: u16,
    destination_tick: u8,
}

impl From<&Packet> for PacketOut {
    fn from(p: &Packet) -> Self {
        PacketOut {
            destination_core: [p.x, p.y],
            destination_axon: p.axon,
            destination_tick: p.tick,
        }
    }
}

#[derive(serde::Serialize)]
struct Bus {
    coordinates: [u16; 2],
    num_outputs: u32,
}

/// Cores one after another, so that no second copy of a large grid is made.
struct Cores<'a>(&'a [Core]);

impl Serialize for Cores<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.0.iter().map(|c| CoreOut {
            axons: &c.axons,
            neurons: Neurons(&c.neurons),
            connections: Rows(&c.connections),
            coordinates: [c.x, c.y],
        }))
    }
}

#[derive(serde::Serialize)]
struct CoreOut<'a> {
    axons: &'a [u8],
    neurons: Neurons<'a>,
    connections: Rows<'a>,
    coordinates: [u16; 2],
}

struct Neurons<'a>(&'a [Neuron]);

impl Serialize for Neurons<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.0.iter().map(|n| NeuronOut {
            reset_potential: n.reset_potential,
            weights: n.weights,
            leak: n.leak,
            positive_threshold: n.positive_threshold,
            negative_threshold: n.negative_threshold,
            destination_core_offset: [n.dx, n.dy],
            destination_axon: n.axon,
            destination_tick: n.tick,
            current_potential: n.potential,
            reset_mode: n.reset_mode as u8,
        }))
    }
}

#[derive(serde::Serialize)]
struct NeuronOut {
    reset_potential: i32,
    weights: [i32; NUM_WEIGHTS],
    leak: i32,
    positive_threshold: i32,
    negative_threshold: i32,
    destination_core_offset: [i16; 2],
    destination_axon: u32,
    destination_tick: u8,
    current_potential: i32,
    reset_mode: u8,
}

/// The crossbar, one list of 0 and 1 a neuron.
struct Rows<'a>(&'a BitMatrix);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq((0..self.0.rows()).map(|row| Row(self.0, row)))
    }
}

struct Row<'a>(&'a BitMatrix, usize);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut seq = s.serialize_seq(Some(self.0.columns()))?;
        for axon in 0..self.0.columns() {
            seq.serialize_element(&u8::from(self.0.get(self.1, axon)))?;
        }
        seq.end()
    }
}
