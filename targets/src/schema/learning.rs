//! What a chip's synapses can learn by themselves.
//!
//! A `[[learning]]` table names one form of rule that the chip computes, with the ranges of its registers. The compiler brings a `synapse` of the language into that form, or says what stands
//! in its way; it knows the forms, not the chips.

use super::Sourced;
use serde::{Deserialize, Serialize};

/// A rule that the chip has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// Name in the chip's documents.
    pub name: String,
    /// Only these dialects have it; empty: all.
    #[serde(default)]
    pub dialects: Vec<String>,
    /// In what the chip's rule differs from the form although it has it, in sentences.
    #[serde(default)]
    pub differs: Vec<String>,
    /// The form.
    pub form: LearningForm,
}

/// A form of rules, with the chip's ranges; both ends of a range belong to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LearningForm {
    /// At each arrival the weight goes one up, one down, or stays, by two flags of the target: its membrane at or above a threshold (or below it) and its count of recent spikes within a window. All synapses onto a neuron share one rule.
    GatedStep {
        /// Weights.
        weight: Sourced<[i64; 2]>,
        /// State of the chip's own neuron that is the membrane.
        state: String,
        /// The membrane, and its threshold.
        membrane: Sourced<[i64; 2]>,
        /// The count of spikes, and the ends of its windows.
        count: Sourced<[i64; 2]>,
        /// Steps after which the count falls by one.
        interval: Sourced<[u32; 2]>,
        /// The least weight that an event of the host moves one up, towards the end of the range; smaller ones it moves one down. Chips without such an event have none.
        #[serde(default)]
        bistable: Option<Sourced<i64>>,
    },
    /// The weight changes by a sum of products of traces, weights and constants, each product added at arrivals, at spikes of the target, or at intervals.
    Products {
        /// Traces of a source.
        source_traces: Sourced<usize>,
        /// Traces of a target.
        target_traces: Sourced<usize>,
        /// Largest value of a trace.
        trace: Sourced<u32>,
        /// Bits of a trace, and of a weight, as factors.
        bits: Sourced<[u32; 2]>,
        /// Bits of a product, mantissa included; what is beyond is dropped from below.
        product: Sourced<u32>,
        /// Mantissa of a product.
        mantissa: Sourced<[i32; 2]>,
        /// Exponent of a product, in powers of two of the weight's unit.
        exponent: Sourced<[i32; 2]>,
        /// Largest power of two of an interval in steps.
        decimate: Sourced<u32>,
        /// Largest magnitude of a weight.
        weight: Sourced<i64>,
        /// Exponents of weights that learn.
        scale: Sourced<[u32; 2]>,
        /// The range of the number that a synapse keeps beside its weight and that changes by sums of its own; chips without such a number have none.
        #[serde(default)]
        tag: Option<Sourced<[i64; 2]>>,
    },
    /// At intervals the weight changes by a rate times a trace of the source times an error of the target, which the host sends.
    Errors {
        /// Steps from one change of the weights to the next.
        period: Sourced<u32>,
        /// Steps from one change of the traces to the next; spikes between them count as one.
        trace_period: Sourced<u32>,
        /// Largest value of a trace.
        trace: Sourced<u32>,
        /// Parts of what a spike adds to a trace.
        part: Sourced<u32>,
        /// Largest magnitude of an error.
        error: Sourced<i32>,
        /// The error's integers for 1 of a real error that the rule does not cut to a range.
        error_scale: Sourced<f64>,
        /// Mantissa of the rate.
        mantissa: Sourced<[i32; 2]>,
        /// Exponent of the rate.
        exponent: Sourced<[i32; 2]>,
        /// The product of rate, trace and error counts 2^-shift of the weight's unit.
        shift: Sourced<u32>,
        /// Largest magnitude of a weight.
        weight: Sourced<i64>,
        /// Exponents of weights that learn.
        scale: Sourced<[u32; 2]>,
    },
}

impl LearningForm {
    /// The form and its ranges, in sentences.
    pub fn lines(&self) -> Vec<String> {
        match self {
            LearningForm::GatedStep {
                weight: Sourced { value: [w0, w1], .. },
                state,
                membrane: Sourced { value: [v0, v1], .. },
                count: Sourced { value: [c0, c1], .. },
                interval: Sourced { value: [i0, i1], .. },
                bistable,
            } => {
                let mut all = vec![
                    format!("at each arrival a weight of {w0} to {w1} goes one up, one down, or stays, by the membrane `{state}` ({v0} to {v1}) and a count of the target's spikes ({c0} to {c1})"),
                    format!("the count falls by one in every {i0} to {i1} steps, or never"),
                ];
                if let Some(b) = bistable {
                    all.push(format!("at intervals of the host's, all weights from {} on go one up, the others one down", b.value));
                }
                all
            }
            LearningForm::Products {
                source_traces,
                target_traces,
                trace,
                mantissa: Sourced { value: [m0, m1], .. },
                exponent: Sourced { value: [e0, e1], .. },
                decimate,
                weight,
                ..
            } => vec![
                "weights change by sums of products of traces, weights and constants, at arrivals, at spikes of the target and at intervals".into(),
                format!("{} traces of a source and {} of a target, up to {}; weights up to {}", source_traces.value, target_traces.value, trace.value, weight.value),
                format!("factors of {m0} to {m1} times 2^{e0} to 2^{e1}; intervals of 2^0 to 2^{} steps", decimate.value),
            ],
            LearningForm::Errors {
                period,
                trace_period,
                trace,
                error,
                error_scale,
                mantissa: Sourced { value: [m0, m1], .. },
                exponent: Sourced { value: [e0, e1], .. },
                weight,
                ..
            } => vec![
                format!("in every {} steps weights change by a rate times a trace of the source times an error of the target, which the host sends", period.value),
                format!("a trace of the source, up to {}, that changes in every {} steps; weights of -{w} to {w}", trace.value, trace_period.value, w = weight.value),
                format!("rates of {m0} to {m1} times 2^{e0} to 2^{e1}; errors of -{e} to {e}, {} for 1 of a real error without a range", error_scale.value, e = error.value),
            ],
        }
    }
}
