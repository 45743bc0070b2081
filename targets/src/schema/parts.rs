//! The tables inside a `chip.toml`.
//!
//! Plain data with a word of documentation for each key. An absent figure means "no such limit" or "not published", never zero.

use super::Sourced;
use serde::{Deserialize, Serialize};

/// How cores lie and what connects them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Topology {
    /// One core, or one whose parts the mapper does not see.
    Single,
    /// Cores that any other reaches at the same cost.
    Bus {
        /// Cores on a chip.
        cores: Sourced<u32>,
    },
    /// A rectangle of cores with links to the four neighbours. Several chips whose meshes go on into one another are one mesh with [`Level`]s.
    Mesh {
        /// Default width in cores.
        x: Sourced<u32>,
        /// Default height in cores.
        y: Sourced<u32>,
        /// Do the edges wrap around?
        #[serde(default)]
        torus: bool,
        /// Are there links to (+1, +1) and (-1, -1), too?
        #[serde(default)]
        hexagonal: bool,
        /// Blocks of cores, from inside out.
        #[serde(default)]
        levels: Vec<Level>,
        /// Columns and rows of cores that hold nothing; their routers still pass packets.
        #[serde(default)]
        dead_cores: Vec<[u32; 2]>,
        /// Links that pass nothing in either direction: columns and rows of the two cores.
        #[serde(default)]
        dead_links: Vec<[u32; 4]>,
        /// May a network take a grid of another size (the chip is a generator, not one piece of silicon)?
        #[serde(default)]
        resizable: bool,
        /// How a packet travels, e.g. "x first, then y".
        routing: Sourced<String>,
    },
}

/// A block of cores, such as a chip or a board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// What a block is called.
    pub name: String,
    /// Columns of cores in a block.
    pub x: u32,
    /// Rows of cores in a block.
    pub y: u32,
    /// What a link across the border of a block costs, in links inside the innermost; 1 where absent.
    pub hop: Option<Sourced<f64>>,
    /// Do the cores of a block share one router? Links then lead from block to block. The innermost level alone can be so.
    #[serde(default)]
    pub shared: bool,
}

/// What is finite. Everything is optional; an absent limit does not exist or is not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Chips that one artefact may span.
    pub chips: Option<Sourced<u64>>,
    /// Cores of a chip that can hold neurons.
    pub cores: Option<Sourced<u64>>,
    /// Neurons a core (`npc`).
    pub neurons_per_core: Option<Sourced<u64>>,
    /// Distinct sources that reach a core: axons, rows or keys (`apc`).
    pub axons_per_core: Option<Sourced<u64>>,
    /// Synapses stored in a core (`spc`).
    pub synapses_per_core: Option<Sourced<u64>>,
    /// Bits of a core's synapse memory, where entries differ in size.
    pub synapse_bits_per_core: Option<Sourced<u64>>,
    /// Outbound (source, destination core) pairs of a core (`opc`).
    pub routes_per_core: Option<Sourced<u64>>,
    /// Synapses onto one neuron.
    pub fan_in: Option<Sourced<u64>>,
    /// Synapses from one neuron inside the core it projects to.
    pub fan_out: Option<Sourced<u64>>,
    /// Destinations (core and axon) that one neuron's spike reaches; 1 where more needs copies of the neuron.
    pub destinations_per_neuron: Option<Sourced<u64>>,
    /// Distinct parameter sets (profiles) a core.
    pub profiles_per_core: Option<Sourced<u64>>,
    /// External input channels of the chip.
    pub inputs: Option<Sourced<u64>>,
    /// Output channels of the chip.
    pub outputs: Option<Sourced<u64>>,
    /// Neurons that outputs can be taken from.
    pub output_neurons: Option<Sourced<u64>>,
    /// Entries of the event queue, where a full one loses events.
    pub queue: Option<Sourced<u64>>,
    /// Events of one input channel in one step.
    pub events_per_input_step: Option<Sourced<u64>>,
    /// Input events of the whole chip in one step.
    pub input_events_per_step: Option<Sourced<u64>>,
    /// Spikes that one neuron may emit in one step.
    pub spikes_per_step: Option<Sourced<u64>>,
    /// Bytes of external memory for synapses.
    pub external_memory_bytes: Option<Sourced<u64>>,
}

impl Limits {
    /// These limits, with those of `base` wherever these say nothing.
    pub fn over(&self, base: &Limits) -> Limits {
        let pick = |mine: &Option<Sourced<u64>>, other: &Option<Sourced<u64>>| {
            mine.clone().or_else(|| other.clone())
        };
        Limits {
            chips: pick(&self.chips, &base.chips),
            cores: pick(&self.cores, &base.cores),
            neurons_per_core: pick(&self.neurons_per_core, &base.neurons_per_core),
            axons_per_core: pick(&self.axons_per_core, &base.axons_per_core),
            synapses_per_core: pick(&self.synapses_per_core, &base.synapses_per_core),
            synapse_bits_per_core: pick(&self.synapse_bits_per_core, &base.synapse_bits_per_core),
            routes_per_core: pick(&self.routes_per_core, &base.routes_per_core),
            fan_in: pick(&self.fan_in, &base.fan_in),
            fan_out: pick(&self.fan_out, &base.fan_out),
            destinations_per_neuron: pick(
                &self.destinations_per_neuron,
                &base.destinations_per_neuron,
            ),
            profiles_per_core: pick(&self.profiles_per_core, &base.profiles_per_core),
            inputs: pick(&self.inputs, &base.inputs),
            outputs: pick(&self.outputs, &base.outputs),
            output_neurons: pick(&self.output_neurons, &base.output_neurons),
            queue: pick(&self.queue, &base.queue),
            events_per_input_step: pick(&self.events_per_input_step, &base.events_per_input_step),
            input_events_per_step: pick(&self.input_events_per_step, &base.input_events_per_step),
            spikes_per_step: pick(&self.spikes_per_step, &base.spikes_per_step),
            external_memory_bytes: pick(&self.external_memory_bytes, &base.external_memory_bytes),
        }
    }

    /// Every limit that is set, with its key, in the order of the schema.
    pub fn entries(&self) -> Vec<(&'static str, &Sourced<u64>)> {
        [
            ("chips", &self.chips),
            ("cores", &self.cores),
            ("neurons_per_core", &self.neurons_per_core),
            ("axons_per_core", &self.axons_per_core),
            ("synapses_per_core", &self.synapses_per_core),
            ("synapse_bits_per_core", &self.synapse_bits_per_core),
            ("routes_per_core", &self.routes_per_core),
            ("fan_in", &self.fan_in),
            ("fan_out", &self.fan_out),
            ("destinations_per_neuron", &self.destinations_per_neuron),
            ("profiles_per_core", &self.profiles_per_core),
            ("inputs", &self.inputs),
            ("outputs", &self.outputs),
            ("output_neurons", &self.output_neurons),
            ("queue", &self.queue),
            ("events_per_input_step", &self.events_per_input_step),
            ("input_events_per_step", &self.input_events_per_step),
            ("spikes_per_step", &self.spikes_per_step),
            ("external_memory_bytes", &self.external_memory_bytes),
        ]
        .into_iter()
        .filter_map(|(key, limit)| limit.as_ref().map(|l| (key, l)))
        .collect()
    }
}

/// How the synapses of a core are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Connectivity {
    /// One bit for each (axon, neuron); the value comes from elsewhere.
    BinaryCrossbar,
    /// A weight for each (axon, neuron), used or not.
    Crossbar,
    /// Only the synapses that exist, as rows or lists.
    List,
    /// Kernels that many synapses share (convolution).
    Kernel,
}

/// What weights with the same value share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// Every synapse has its own.
    Synapse,
    /// Every target neuron has one for each class of axons, and an axon has one class for all targets of its core.
    AxonClass,
    /// One for each position of a kernel.
    Kernel,
}

/// Who decides whether a weight excites or inhibits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignMode {
    /// The weight itself.
    Synapse,
    /// The source: all its synapses have one sign.
    Source,
    /// The port (receptor) that it arrives at.
    Port,
}

/// Synaptic weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// Width, the sign included.
    pub bits: Sourced<u32>,
    /// Smallest value.
    pub min: Sourced<i64>,
    /// Largest value.
    pub max: Sourced<i64>,
    /// What shares a value.
    pub sharing: Sharing,
    /// Who has the sign.
    pub sign: SignMode,
    /// Classes of axons (axon types), where weights are shared by class.
    pub classes: Option<Sourced<u32>>,
    /// Values are `mantissa * 2^e` with one `e` in this range for a group of synapses (left shifts, weight exponents).
    pub exponent: Option<Sourced<[i32; 2]>>,
}

/// Synaptic delays, in steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delays {
    /// Smallest.
    pub min: Sourced<u32>,
    /// Largest.
    pub max: Sourced<u32>,
    /// What has its own delay.
    pub scope: Scope,
}

/// What owns a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The whole chip.
    Chip,
    /// A core.
    Core,
    /// An axon (row, key) of a core.
    Axon,
    /// A neuron.
    Neuron,
    /// A synapse.
    Synapse,
    /// The host, which sends a spike back to the chip when it is due.
    Host,
    /// A step of a run.
    Step,
}

/// What drives the chip's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeUnit {
    /// A global step (tick); everything inside one is simultaneous.
    Step,
    /// No step: the order of events is the time, and the host may send time references.
    Event,
}

/// What one step is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// Steps or events.
    pub unit: TimeUnit,
    /// Seconds that a step usually stands for; absent where the chip gives none.
    pub seconds: Option<Sourced<f64>>,
    /// Steps between a spike and its appearance at the output, for a spike of an output neuron.
    #[serde(default)]
    pub output_latency: u32,
}

/// In which order the arrivals of a step act on a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// Order-free sums.
    Accumulate,
    /// In a stated order of sources, with saturation after each.
    Ordered,
    /// One event after another through a queue.
    Serial,
}

/// Names of the blocks in `model.syn`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelNames {
    /// The neuron.
    pub neuron: String,
    /// The unit that receives a core's spikes before its crossbar, where the chip has one.
    pub axon: Option<String>,
    /// The unit that collects output spikes, where the chip has one.
    pub output: Option<String>,
    /// The plastic synapse, where the chip has one.
    pub synapse: Option<String>,
    /// Further neurons that a network may use as the chip's own, beside `neuron`.
    #[serde(default)]
    pub others: Vec<String>,
}

/// How a neuron resets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ResetRole {
    /// `"zero"`.
    Zero,
    /// `"subtract"`: the threshold is taken away.
    Subtract,
    /// To the value of this register.
    Register(String),
}

impl From<String> for ResetRole {
    fn from(text: String) -> Self {
        match text.as_str() {
            "zero" => ResetRole::Zero,
            "subtract" => ResetRole::Subtract,
            _ => ResetRole::Register(text),
        }
    }
}

impl From<ResetRole> for String {
    fn from(role: ResetRole) -> Self {
        match role {
            ResetRole::Zero => "zero".into(),
            ResetRole::Subtract => "subtract".into(),
            ResetRole::Register(name) => name,
        }
    }
}

/// What the registers of a described neuron are to an integrate-and-fire unit: once a step `v := keep * v + arrivals + bias`, then a spike when `v >= threshold`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// Register of the threshold.
    pub threshold: String,
    /// `"zero"`, `"subtract"`, or the register to whose value a spike resets.
    pub reset: ResetRole,
    /// Register of what is added in every step, where there is one.
    pub bias: Option<String>,
    /// Register of the first membrane, where there is one.
    pub initial: Option<String>,
    /// What is left of the membrane after a step: 1 keeps all, 0 forgets all.
    #[serde(default = "all")]
    pub keep: f64,
}

fn all() -> f64 {
    1.0
}

/// What happens to a value that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// Modulo two to the width.
    Wrap,
    /// To the nearest end.
    Saturate,
}

/// A number format of the arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// What has it (a state, an accumulator).
    pub name: String,
    /// Width, the sign included.
    pub bits: u32,
    /// Two's complement?
    pub signed: bool,
    /// Bits behind the binary point.
    #[serde(default)]
    pub fraction: u32,
    /// What happens at the ends.
    pub overflow: Overflow,
    /// Dialects in which it holds; empty: all.
    #[serde(default)]
    pub dialects: Vec<String>,
    /// Where it is documented.
    pub source: String,
}

/// A register that a mapper sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name in the chip's configuration.
    pub name: String,
    /// What has its own value.
    pub scope: Scope,
    /// Width, the sign included.
    pub bits: u32,
    /// Smallest value.
    pub min: i64,
    /// Largest value.
    pub max: i64,
    /// Value of a register that nothing sets.
    #[serde(default)]
    pub default: i64,
    /// Dialects in which it looks like this; empty: all.
    #[serde(default)]
    pub dialects: Vec<String>,
    /// What it does.
    pub doc: String,
    /// Where it is documented.
    pub source: String,
}

/// Energy and latency. Units stand in the keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Energy of a router for one packet, pJ (`E_r`).
    pub router_pj: Option<Sourced<f64>>,
    /// Energy of a link for one packet, pJ (`E_w`).
    pub link_pj: Option<Sourced<f64>>,
    /// Latency of a router, ns (`L_r`).
    pub router_ns: Option<Sourced<f64>>,
    /// Latency of a link, ns (`L_w`).
    pub link_ns: Option<Sourced<f64>>,
    /// Energy of one synaptic event, pJ.
    pub synapse_pj: Option<Sourced<f64>>,
    /// Energy of one neuron update, pJ.
    pub update_pj: Option<Sourced<f64>>,
    /// Energy of one spike, pJ.
    pub spike_pj: Option<Sourced<f64>>,
    /// Static power of the chip, mW.
    pub static_mw: Option<Sourced<f64>>,
    /// Power that the chip draws beyond that while a network runs, mW, where nothing finer is published.
    pub active_mw: Option<Sourced<f64>>,
    /// Clock cycles for one event (an input, or a spike that comes back), on chips without steps.
    pub cycles_per_event: Option<Sourced<u64>>,
    /// Clock cycles of a core for one step.
    pub cycles_per_step: Option<Sourced<u64>>,
    /// Clock of the chip, Hz.
    pub clock_hz: Option<Sourced<f64>>,
}

/// One of the files or streams that a board takes or gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NativeForm {
    /// Name of the section or file; `NNN` stands for a number.
    pub name: String,
    /// Of what there is one.
    pub scope: Scope,
    /// What it holds and how it is written.
    pub form: String,
    /// Dialects that have it; empty: all.
    #[serde(default)]
    pub dialects: Vec<String>,
    /// Where it is documented.
    pub source: String,
}

/// An option of the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionSpec {
    /// The word before `=`.
    pub key: String,
    /// What the word after it stands for, e.g. `DIR`.
    pub value: String,
    /// Taken when the option is not given.
    pub default: Option<String>,
    /// What it does.
    pub doc: String,
}

/// How an artefact comes onto a board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deploy {
    /// Forms of `--board` that this chip takes, e.g. `file:///DIR`.
    pub urls: Vec<String>,
    /// What happens and what the owner of a board does with it.
    pub text: String,
    /// What of this was verified against which reference.
    pub evidence: String,
}
