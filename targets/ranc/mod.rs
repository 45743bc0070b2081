//! RANC: a grid of binary-crossbar cores in the manner of TrueNorth, as its simulator and as its Verilog.
//!
//! A typed [`Config`] holds every register and memory by its own name. [`encode`] turns it into the files that the simulator (`config.json`,
//! `input.json`) or the Verilog (`csram_NNN.mem`, `tc_NNN.mem`, `ranc_parameters.vh`) takes, [`decode`] reads them back and refuses everything
//! else. Input packets travel apart, as [`Packet`]s. `decode(encode(c))` is `c` for every legal configuration.
//! [`lower()`] makes of a configuration the program that engines run, [`from_mapping`] makes one of the compiler's mapping, and [`BACKEND`] offers all
//! this in the terms that every chip shares.
//! Deliberately absent: choosing a placement (the compiler's) and running (the engines').

mod backend;
mod benchmark;
mod bits;
mod config;
mod decode;
mod dynamics;
mod encode;
mod layout;
mod lower;
mod mapping;
mod packet;
mod validate;
mod warnings;

pub mod golden;

pub use backend::BACKEND;
pub use bits::BitMatrix;
pub use config::{
    Config, Core, DROPPED_TICK, Dialect, Grid, MAX_OUTPUTS, MAX_SIDE, MAX_SIZE, NUM_TICKS,
    NUM_WEIGHTS, Neuron, OutputBus, ResetMode, ResetType, Widths,
};
pub use decode::{decode, decode_packets, decode_parts};
pub use encode::{Sections, encode, encode_packets, parameters};
pub use lower::{AXONS, NEURONS, OUTPUTS, PACKETS, POTENTIAL, lower, packet_unit, probe_neurons};
pub use mapping::from_mapping;
pub use packet::Packet;
pub use validate::{validate, validate_packets};
pub use warnings::merge_warnings;
