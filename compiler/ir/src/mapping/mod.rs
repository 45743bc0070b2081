//! `Mapping`: a network on a chip, in the chip's integers: which unit sits in which slot of which core, which axon carries
//! whose spikes, which synapses cross, where each neuron's spikes go, and what the host must do.
//!
//! Made by the mapper's passes, checked and turned into native images by the target. Units carry the network's names;
//! nothing here is specific to one chip: register names are text.

mod learning;
mod text;

pub use learning::*;
pub use text::{parse, print};

use serde::{Deserialize, Serialize};

/// A unit of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitRef {
    /// Index into [`Mapping::populations`].
    pub pop: u32,
    /// Unit.
    pub unit: u32,
}

/// A population of the network as the mapping sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedPopulation {
    /// The network's name.
    pub name: String,
    /// Units.
    pub size: u32,
    /// Steps by which this population runs late on the chip: chip step - shift = network step.
    pub shift: u32,
    /// Driven from outside?
    pub input: bool,
    /// Are its spikes brought back?
    pub recorded: bool,
}

/// Where a neuron's spikes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Route {
    /// Nowhere (on event-driven chips: its own row only).
    None,
    /// An axon.
    Axon {
        /// Core.
        core: u32,
        /// Index into the core's axons.
        axon: u32,
        /// Steps.
        delay: u16,
    },
    /// Off the chip.
    Output {
        /// Index into [`Mapping::outputs`].
        index: u32,
    },
}

/// A used neuron slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Neuron {
    /// The unit that it computes. Several slots may compute one unit: copies, which all behave alike.
    pub unit: UnitRef,
    /// Number of the copy.
    pub copy: u32,
    /// Register values in the order of [`Mapping::fields`].
    pub fields: Vec<i64>,
    /// Destination.
    pub route: Route,
}

/// A used axon (or row).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axon {
    /// Its address on the core.
    pub address: u32,
    /// Axon type, where the chip has such classes.
    pub class: u8,
    /// Whose spikes it carries.
    pub source: UnitRef,
    /// Delay in steps from the source's spike (network steps); several axons of one source may differ in it.
    pub delay: u16,
}

/// A crossing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Synapse {
    /// Index into the core's axons.
    pub axon: u32,
    /// Index into the core's neurons.
    pub neuron: u32,
    /// Weight in the chip's integers.
    pub weight: i32,
}

/// A used core.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// Chip of the system.
    pub chip: u32,
    /// Column of the mesh.
    pub x: u32,
    /// Row of the mesh.
    pub y: u32,
    /// Neurons in order of their slots.
    pub neurons: Vec<Neuron>,
    /// Axons in order of their addresses.
    pub axons: Vec<Axon>,
    /// Synapses, sorted.
    pub synapses: Vec<Synapse>,
}

/// What one input spike becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    /// The unit of the driven population.
    pub unit: UnitRef,
    /// Core.
    pub core: u32,
    /// Index into the core's axons.
    pub axon: u32,
    /// Chip steps after the spike's step at which the axon must fire.
    pub offset: u32,
}

/// A spike that the host sends back to the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Loopback {
    /// Core of the neuron.
    pub core: u32,
    /// Index into the core's neurons.
    pub neuron: u32,
    /// Chip steps, at least 1.
    pub delay: u16,
    /// Core of the axon.
    pub to_core: u32,
    /// Index into that core's axons.
    pub axon: u32,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mapping {
    /// Name of the network.
    pub name: String,
    /// Chip.
    pub target: String,
    /// Dialect.
    pub dialect: String,
    /// Columns and rows of the mesh in use.
    pub mesh: [u32; 2],
    /// Chip-wide registers.
    pub settings: Vec<(String, i64)>,
    /// Names of the registers of a neuron.
    pub fields: Vec<String>,
    /// Populations in the network's order.
    pub populations: Vec<MappedPopulation>,
    /// Used cores.
    pub cores: Vec<Core>,
    /// What drives it, sorted.
    pub inputs: Vec<Input>,
    /// Units brought back: entry k is what output k means.
    pub outputs: Vec<UnitRef>,
    /// Spikes that the host sends back, sorted.
    pub loopbacks: Vec<Loopback>,
    /// Does the chip send spikes back to itself (event-driven chips)?
    pub closed_loop: bool,
    /// What learns, a projection each.
    pub learning: Vec<Learning>,
}

impl Mapping {
    /// Value of a chip-wide register.
    pub fn setting(&self, name: &str) -> Option<i64> {
        self.settings.iter().find(|s| s.0 == name).map(|s| s.1)
    }

    /// Index of a neuron register.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f == name)
    }
}
