//! The passes from a verified network to an artefact: one file each, registered here once with name, summary and what they leave.
//!
//! `learn` finds the chip's rule for what learns, `schedule` decides how late each population runs on the chip, `quantise` puts units and weights into the chip's integers, `relay` puts output neurons where the chip's outputs can be nothing else,
//! `partition` fills cores, `place` puts cores on the mesh, `route` makes the `Mapping`, `emit` its bytes. None knows a chip: they work from
//! `chip.toml` and the hooks of [`synfire_targets::backend::Backend`].

pub mod emit;
pub mod learn;
pub mod quantise;
pub mod relay;
pub mod schedule;

use serde::Serialize;
use synfire_ir::mapping::{MappedPopulation, UnitRef};

/// A pass as `--dump` and the documentation know it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Pass {
    /// Name.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Other names under which `--dump` finds it.
    pub aliases: &'static [&'static str],
}

/// All passes in order.
pub const PASSES: &[Pass] = &[
    Pass {
        name: "verify",
        summary: "the network as read, checked",
        aliases: &["network"],
    },
    Pass {
        name: "learn",
        summary: "the chip's own rules that synapses follow",
        aliases: &["rules"],
    },
    Pass {
        name: "schedule",
        summary: "chip steps by which each population runs late",
        aliases: &["shift"],
    },
    Pass {
        name: "quantise",
        summary: "units, registers and weights in the chip's integers",
        aliases: &["quantize", "legalise"],
    },
    Pass {
        name: "relay",
        summary: "output neurons behind populations that the chip cannot show",
        aliases: &["outputs"],
    },
    Pass {
        name: "partition",
        summary: "units and their copies filled into cores",
        aliases: &[],
    },
    Pass {
        name: "place",
        summary: "cores on the mesh",
        aliases: &[],
    },
    Pass {
        name: "route",
        summary: "axons, synapses, routes and bindings: the mapping",
        aliases: &["mapping"],
    },
    Pass {
        name: "emit",
        summary: "the chip's native images",
        aliases: &["encode"],
    },
];

/// The pass of that name or alias.
pub fn find(name: &str) -> Option<&'static Pass> {
    PASSES
        .iter()
        .find(|p| p.name == name || p.aliases.contains(&name))
}

/// A unit in the chip's integers.
#[derive(Clone, Debug, PartialEq)]
pub struct ChipUnit {
    /// Which one.
    pub unit: UnitRef,
    /// Its registers, in the order of the backend's fields.
    pub registers: Vec<i64>,
}

/// A synapse in the chip's integers and steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChipSynapse {
    /// Index into [`ChipNetwork::units`].
    pub target: u32,
    /// Where it comes from: a unit of the chip or an input.
    pub source: UnitRef,
    /// Chip steps from the source's spike on the chip (or from the input's step) to its arrival.
    pub delay: u32,
    /// Port of the chip's own model that it arrives at, in the order of `model.syn`.
    pub port: u8,
    /// Weight.
    pub weight: i32,
    /// Does it learn?
    pub learns: bool,
}

/// A network in one chip's integers: what the mapper maps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChipNetwork {
    /// Populations in the network's order.
    pub populations: Vec<MappedPopulation>,
    /// Names of the registers.
    pub fields: Vec<String>,
    /// Units in the network's order, inputs left out.
    pub units: Vec<ChipUnit>,
    /// Sorted by target, source, delay, port; at most one for each of these.
    pub synapses: Vec<ChipSynapse>,
    /// What learns, in the order in which [`learn::wanted`] found it.
    pub learning: Vec<learn::Scaled>,
    /// Must arrivals keep the order of their sources? Else they add up, and inhibition is sent first to chips that
    /// process one event after another.
    pub ordered: bool,
}

impl ChipNetwork {
    /// Index of the first unit of each population that has units on the chip.
    pub fn unit_index(&self, u: UnitRef) -> Option<u32> {
        self.units
            .binary_search_by_key(&u, |c| c.unit)
            .ok()
            .map(|i| i as u32)
    }

    /// Synapses onto unit `target`.
    pub fn onto(&self, target: u32) -> &[ChipSynapse] {
        let from = self.synapses.partition_point(|s| s.target < target);
        let to = self.synapses.partition_point(|s| s.target <= target);
        &self.synapses[from..to]
    }

    /// `name[unit]`.
    pub fn name(&self, u: UnitRef) -> String {
        format!("{}[{}]", self.populations[u.pop as usize].name, u.unit)
    }
}

/// What rounding did to the weights onto one population, in the network's units.
#[derive(Clone, Debug, Default, Serialize)]
pub struct LayerError {
    /// The population.
    pub population: String,
    /// Chip integers for 1 of the network's units.
    pub scale: f64,
    /// Synapses.
    pub weights: u64,
    /// Synapses whose weight did not come out whole.
    pub rounded: u64,
    /// Weights beyond the chip's range, set to its end.
    pub clipped: u64,
    /// Weights that became 0.
    pub lost: u64,
    /// Biases beyond the chip's range, set to its end.
    pub biases_clipped: u64,
    /// Do all values come out whole, or are they the chip's own?
    pub exact: bool,
    /// Largest error of a weight.
    pub max_error: f64,
    /// Root mean square of the errors over that of the weights.
    pub relative_rms: f64,
    #[serde(skip)]
    pub(crate) squares: f64,
    #[serde(skip)]
    pub(crate) weight_squares: f64,
}

/// What quantisation did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct QuantisationReport {
    /// Weights that did not come out whole.
    pub weights_rounded: u64,
    /// Weights beyond the chip's range, set to its end.
    pub weights_clipped: u64,
    /// Weights that became 0.
    pub weights_lost: u64,
    /// Largest error of a weight, in the network's units.
    pub max_weight_error: f64,
    /// Scale of each population: chip integers for 1 of the network's units.
    pub scales: Vec<(String, f64)>,
    /// One entry for each population that weights lead to.
    pub layers: Vec<LayerError>,
    /// Exponent of each group of weights, where weights have one.
    pub exponents: Vec<i32>,
}
