//! Synapses that learn on a chip: which rule they follow, in the chip's integers, and where each of them stands.
//!
//! A rule is one of the forms that chips compute by themselves; its numbers are what the chip's registers hold. Invariant: a chip's description names the
//! form, the numbers lie in its ranges. Deliberately absent: register names, and rules that no chip has.

use super::UnitRef;
use serde::{Deserialize, Serialize};

/// A projection whose synapses learn on the chip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learning {
    /// The network's name for it.
    pub projection: String,
    /// Chip integers for 1 of the network's units of weight.
    pub scale: f64,
    /// Its weights are multiples of 2 to this.
    pub exponent: u32,
    /// What changes them.
    pub rule: Rule,
    /// Its synapses, ascending in (source, delay, target).
    pub synapses: Vec<Learner>,
    /// Values from outside that its rule takes; empty for rules that take none.
    pub values: Vec<Given>,
}

/// A unit outside the chip whose values are the error of a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Given {
    /// The unit of a driven population.
    pub source: UnitRef,
    /// Core.
    pub core: u32,
    /// Index into the core's neurons.
    pub neuron: u32,
    /// Chip steps after the value's step at which the neuron's synapses must have it.
    pub offset: u32,
}

/// A synapse that learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Learner {
    /// Neuron of the projection's source population.
    pub source: u32,
    /// Steps in the network.
    pub delay: u32,
    /// Neuron of the target population.
    pub target: u32,
    /// Core.
    pub core: u32,
    /// Index into the core's axons.
    pub axon: u32,
    /// Index into the core's neurons.
    pub neuron: u32,
}

/// What changes a weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Rule {
    /// Steps of one at each arrival.
    Gated(Gated),
    /// Sums of products of traces and weights.
    Products(Products),
    /// An error from outside times a trace.
    Errors(Errors),
}

/// A rule that adds `mantissa * 2^exponent * error * trace` to each weight at intervals, in parts of the weight's unit that the chip fixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// The weights change in every so many steps.
    pub period: u32,
    /// The trace does.
    pub trace_period: u32,
    /// Trace of the source; `part` counts 128ths.
    pub trace: Trace,
    /// Mantissa of the rate.
    pub mantissa: i32,
    /// Exponent of the rate.
    pub exponent: i32,
    /// The error's integers for 1 of the network's units.
    pub scale: f64,
    /// Largest magnitude of the error's integers; what is beyond is cut.
    pub most: i32,
    /// Does a value hold until the next one comes?
    pub held: bool,
}

/// At an arrival a weight goes one up when the membrane is at or above a threshold and the count of recent spikes of the target lies in one window, and one down when the membrane is below it
/// and the count lies in another. Both are looked at before the arrival acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gated {
    /// Threshold of the membrane.
    pub membrane: i64,
    /// Least count of both windows.
    pub from: i64,
    /// First count beyond the window for going down.
    pub down: i64,
    /// First count beyond the window for going up.
    pub up: i64,
    /// The count falls by one in every so many steps; 0: never.
    pub interval: u32,
    /// Count at the start.
    pub count: i64,
    /// In every so many steps a weight moves by one towards the nearer end of its range; 0: never.
    pub drift: u32,
}

/// A rule that sums products at the ends of epochs of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Products {
    /// [`Gate::Interval`] opens in every 2^`decimate`-th step.
    pub decimate: u32,
    /// Traces of the sources.
    pub source: Vec<Trace>,
    /// Traces of the targets.
    pub target: Vec<Trace>,
    /// What is added to the weight and to the tag.
    pub terms: Vec<Term>,
}

/// A trace that a spike raises and that decays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Time constant in steps; 0: nothing is left after a step.
    pub tau: u32,
    /// What a spike adds: whole part.
    pub impulse: u32,
    /// The same: 256ths, unless the rule says otherwise.
    pub part: u32,
}

/// When a product is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gate {
    /// At an arrival.
    Source,
    /// At a spike of the target.
    Target,
    /// At intervals.
    Interval,
}

/// What a product multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Factor {
    /// A trace of the source.
    Source(u16),
    /// A trace of the target.
    Target(u16),
    /// The weight.
    Weight,
    /// The tag, a number beside the weight.
    Tag,
}

/// `mantissa * 2^exponent * factors`, in units of the weight's mantissa.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// Is it added to the tag, and not to the weight?
    pub tag: bool,
    /// When.
    pub gate: Gate,
    /// Mantissa.
    pub mantissa: i32,
    /// Exponent, before what the chip's product unit drops.
    pub exponent: i32,
    /// Factors.
    pub factors: Vec<Factor>,
}
