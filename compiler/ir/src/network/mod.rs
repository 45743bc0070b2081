//! `Network`: what the user wrote, checked and symbolic.
//!
//! A [`petgraph`] graph whose nodes are populations (sources among them) and whose edges are projections. Connectors,
//! weights and delays stay rules until [`Network::expand`] is asked for a slice of targets: a billion synapses cost bytes.
//! Values are SI; delays are whole steps. Chips and engines do not appear here; `hint`s are carried as text.
//!
//! [`verify`] is the only maker of [`Verified`], and everything downstream takes nothing else.

mod connector;
mod expand;
mod text;
mod value;
mod verify;
mod window;
mod wiring;

pub use connector::Connector;
pub(crate) use expand::DELAYS;
pub use expand::{Synapse, materialise};
pub use text::{parse, print};
pub(crate) use text::{parse_rule, print_rule};
pub use value::{
    Array, ArrayData, ArrayId, Distribution, HostExpr, HostFn1, HostFn2, Init, MAX_COUNT,
};
pub use verify::{Symbolic, Verified, verify, verify_symbolic};
pub use window::{Conv2d, Pool2d};
pub use wiring::Chosen;
pub(crate) use wiring::{Drawn, Ends, Sent};

use crate::diag::Span;
use crate::model::Model;
use crate::program::{Carry, Range};
use crate::units::Dimension;
use petgraph::stable_graph::{EdgeIndex, NodeIndex, StableDiGraph};
use serde::{Deserialize, Serialize};

/// Handle of a population.
pub type PopId = NodeIndex<u32>;
/// Handle of a projection.
pub type ProjId = EdgeIndex<u32>;

/// A field of a neuron model that the user may set: a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Dimension of its value.
    pub dimension: Dimension,
    /// Must the value be whole?
    pub whole: bool,
    /// Default over earlier fields; `None` when it must be given.
    pub default: Option<HostExpr>,
    /// Names of the choices when it is a choice (`reset = subtract`); the value is the index.
    pub choices: Vec<String>,
}

/// A neuron model: step code, and how its parameter columns and initial states follow from the user's fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NeuronModel {
    /// The step code; time steps and decays are already columns.
    pub model: Model,
    /// Fields in order of declaration.
    pub fields: Vec<Field>,
    /// One for each parameter of `model`: its value from the fields and dt.
    pub columns: Vec<HostExpr>,
    /// One for each state of `model`: its initial value from the fields and dt.
    pub init: Vec<HostExpr>,
    /// Dimension of each state.
    pub state_dimensions: Vec<Dimension>,
    /// Dimension of what arrives at each port.
    pub port_dimensions: Vec<Dimension>,
    /// Is the code all integers (a chip's own model)?
    pub integer: bool,
    /// Does a unit emit events?
    pub spikes: bool,
    /// Its documentation.
    pub doc: String,
}

/// A synapse model: code, and how its words follow from the user's fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SynapseModel {
    /// The code. Factors of decays and periods are still empty: they follow from `decays` and `periods`.
    pub synapse: crate::synapse::Synapse,
    /// Fields in order of declaration.
    pub fields: Vec<Field>,
    /// One for each parameter of `synapse`.
    pub columns: Vec<HostExpr>,
    /// One for each state of `synapse`: its value at the start. That of the weight stands when a projection gives none.
    pub init: Vec<HostExpr>,
    /// One for each state that decays, in order: the logarithm of what is left after one step, and the rest.
    pub decays: Vec<(HostExpr, HostExpr)>,
    /// One for each `every`, in order: its period in steps.
    pub periods: Vec<HostExpr>,
    /// Dimension of each state.
    pub state_dimensions: Vec<Dimension>,
    /// Dimension of each modulator.
    pub modulator_dimensions: Vec<Dimension>,
    /// Is the code all integers?
    pub integer: bool,
    /// Its documentation.
    pub doc: String,
}

/// Where values of a modulator come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Modulation {
    /// Modulator of the synapse model.
    pub port: u16,
    /// Population that sends.
    pub pop: PopId,
    /// Its units.
    pub range: Range,
    /// Events or an analog output.
    pub carry: Carry,
    /// Each unit for the synapses of one target, or all for all.
    pub each: bool,
}

/// How a projection learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plasticity {
    /// Index into [`Network::synapses`].
    pub model: u32,
    /// Values of fields by name, sorted by name.
    pub values: Vec<(String, f64)>,
    /// Does the projection state its weights? Else they start as the model says.
    pub weights: bool,
    /// Steps of the delay that lie after the synapse (at most the shortest delay); the others lie before it.
    pub dendritic: u16,
    /// Sources of modulators.
    pub modulators: Vec<Modulation>,
}

/// What a population is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PopKind {
    /// Driven from outside by events; `graded` if they carry values.
    Events {
        /// Do events carry a float value (`signal` sources give one in every step)?
        graded: bool,
    },
    /// Units of a model (neurons, and sources that are models, such as Poisson).
    Neurons {
        /// Index into [`Network::models`].
        model: u32,
        /// Values of fields and initial states by name, sorted by name.
        values: Vec<(String, Init)>,
    },
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Full name, e.g. `actor.choice`; unique.
    pub name: String,
    /// Extent of each axis; the product is the size.
    pub shape: Vec<u32>,
    /// Driven or modelled.
    pub kind: PopKind,
    /// Was it declared as a `source`?
    pub is_source: bool,
    /// Where it was declared.
    pub span: Option<Span>,
}

impl Population {
    /// Number of units (at most `u32::MAX`, as `verify` checks).
    pub fn size(&self) -> u64 {
        self.shape
            .iter()
            .map(|&d| d as u64)
            .fold(1, u64::saturating_mul)
    }
}

/// One linear rule of a projection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Who connects to whom.
    pub connector: Connector,
    /// Weights in the connector's own order.
    pub weight: Init,
}

/// An edge of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// Full name; unique. It keys the projection's draws.
    pub name: String,
    /// Units of the source population.
    pub source_range: Range,
    /// Units of the target population.
    pub target_range: Range,
    /// Port of the target's model.
    pub port: u16,
    /// Events or an analog output.
    pub carry: Carry,
    /// Linear rules, applied in order; all but the first work on the shape that the one before gives.
    pub stages: Vec<Stage>,
    /// Delay in steps, whole after rounding; 0 is the same step.
    pub delay: Init,
    /// Constant added at the port in every step, one value a target.
    pub bias: Option<Init>,
    /// Marked by the user; nothing in the compiler depends on it.
    pub trainable: bool,
    /// How it learns, if it does.
    pub plasticity: Option<Plasticity>,
    /// Where it was declared.
    pub span: Option<Span>,
}

/// What to record of a population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Quantity {
    /// Its spikes.
    Spikes,
    /// A state by name.
    State(String),
    /// A state of the synapses of a projection, by the names of both; the probe's population is the projection's target, and its
    /// range is that of the projection.
    Synapse(String, String),
}

/// A request to record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// The population.
    pub pop: PopId,
    /// Its units.
    pub range: Range,
    /// What.
    pub what: Quantity,
    /// Every so many steps.
    pub every: u32,
}

/// Events that the network itself feeds into one of its sources (`spike_list`, `feed`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// The source.
    pub pop: PopId,
    /// (step, unit, payload bits), sorted.
    pub events: Vec<(u32, u32, u32)>,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Name.
    pub name: String,
    /// Seconds a step; `None` when steps have no duration (a network of a chip's own integer model).
    pub dt: Option<f64>,
    /// The network's own seed.
    pub seed: Option<u64>,
    /// Steps of the file's only experiment.
    pub run: Option<u32>,
    /// Models.
    pub models: Vec<NeuronModel>,
    /// Models of synapses that learn.
    pub synapses: Vec<SynapseModel>,
    /// Arrays.
    pub arrays: Vec<Array>,
    /// Populations and projections.
    pub graph: StableDiGraph<Population, Projection>,
    /// What to record; when empty, all spikes.
    pub probes: Vec<Probe>,
    /// Built-in stimuli.
    pub feeds: Vec<Feed>,
    /// `hint`s: (population or empty, key, value), as text.
    pub hints: Vec<(String, String, String)>,
}

impl Network {
    /// Populations in order of declaration.
    pub fn populations(&self) -> impl Iterator<Item = (PopId, &Population)> {
        self.graph.node_indices().map(|i| (i, &self.graph[i]))
    }

    /// Projections in order of declaration: (id, source, target, projection).
    pub fn projections(&self) -> impl Iterator<Item = (ProjId, PopId, PopId, &Projection)> {
        self.graph.edge_indices().filter_map(|e| {
            let (a, b) = self.graph.edge_endpoints(e)?;
            Some((e, a, b, &self.graph[e]))
        })
    }

    /// The population of that name.
    pub fn find(&self, name: &str) -> Option<PopId> {
        self.populations()
            .find(|(_, p)| p.name == name)
            .map(|(i, _)| i)
    }

    /// The model of a population of neurons.
    pub fn model_of(&self, pop: PopId) -> Option<&NeuronModel> {
        match &self.graph.node_weight(pop)?.kind {
            PopKind::Neurons { model, .. } => self.models.get(*model as usize),
            PopKind::Events { .. } => None,
        }
    }

    /// Number of neurons (sources left out).
    pub fn neurons(&self) -> u64 {
        self.populations()
            .filter(|(_, p)| !p.is_source)
            .map(|(_, p)| p.size())
            .sum()
    }

    /// The seed that runs and draws use when the caller gives none.
    pub fn seed_or_default(&self) -> u64 {
        self.seed.unwrap_or(DEFAULT_SEED)
    }
}

/// Seed of networks that state none.
pub const DEFAULT_SEED: u64 = 1;
