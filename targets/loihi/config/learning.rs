//! Learning rules as registers.
//!
//! The vendor's microcode of a rule is not public; a rule is held by what its fields mean: traces, epochs and products.

use serde::{Deserialize, Serialize};

/// `stdpProfileCfg` with the trace profiles and microcode that belong to it: one learning rule, named by the formats of its synapses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StdpProfile {
    /// Prescribed error sensitivity, as nengo-loihi has it.
    Pes(Pes),
    /// Sums of products of traces, weights and tags.
    SumOfProducts(SumOfProducts),
}

/// An error drives the weights of sources that were active: dw = -error * trace * lrInt * 2^lrExp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pes {
    /// Time constant of the trace, in steps.
    pub tau: u16,
    /// What a spike adds to the trace: whole part.
    pub spike_level_int: u8,
    /// The same: 128ths.
    pub spike_level_frac: u8,
    /// Steps between updates of the trace.
    pub train_epoch: u8,
    /// Steps between updates of the weights.
    pub learn_epoch: u8,
    /// Mantissa of the learning rate.
    pub lr_int: i8,
    /// Exponent of the learning rate.
    pub lr_exp: i8,
}

/// A rule dz = sum of products for each of the weight, the tag and the delay, evaluated at the end of every epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SumOfProducts {
    /// Steps of an epoch.
    pub t_epoch: u8,
    /// Products of gate u count in every 2^decimate-th epoch.
    pub decimate: u8,
    /// Traces x1 and x2 of the sources.
    pub x: [Trace; 2],
    /// Traces y1, y2 and y3 of the targets.
    pub y: [Trace; 3],
    /// All products.
    pub products: Vec<Product>,
}

/// A trace: 7 bits that spikes raise and time lowers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Trace {
    /// Time constant in steps; 0: nothing is left after a step.
    pub tau: u16,
    /// What a spike adds: whole part.
    pub impulse_int: u8,
    /// The same: 256ths, up to 256.
    pub impulse_frac: u16,
}

/// What a product changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The weight.
    W,
    /// The delay (tag 2 of lava).
    D,
    /// The tag (tag 1 of lava).
    T,
}

/// When a product counts, and at which moment its traces are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// The source spiked in this epoch; at its last spike.
    X0,
    /// The target spiked; at its last spike.
    Y0,
    /// By `decimate`; at the end of the epoch.
    U,
}

/// What a factor reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Variable {
    X0,
    Y0,
    X1,
    X2,
    Y1,
    Y2,
    Y3,
    W,
    D,
    T,
    /// The constant alone.
    C,
}

impl Variable {
    /// Bits that a factor keeps beside its sign.
    pub fn width(self) -> u32 {
        match self {
            Variable::X0 | Variable::Y0 => 1,
            Variable::X1 | Variable::X2 | Variable::Y1 | Variable::Y2 | Variable::Y3 => 7,
            Variable::W | Variable::D | Variable::T => 9,
            Variable::C => 8,
        }
    }
}

/// One factor: a variable and a constant, or the sign of their sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Factor {
    /// What it reads.
    pub var: Variable,
    /// What is added.
    pub add: i16,
    /// The sign only (weights, delays and tags).
    pub sgn: bool,
}

/// `gate * mant * 2^(exp7 - 7) * factors`, added to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Product {
    /// What it changes.
    pub target: Target,
    /// When it counts.
    pub gate: Gate,
    /// Mantissa, -8 to 7.
    pub mant: i8,
    /// Exponent, 0 to 15.
    pub exp7: u8,
    /// Factors.
    pub factors: Vec<Factor>,
}

impl Product {
    /// Bits of the product before it is shifted: those of its factors, and 4 of the mantissa.
    pub fn width(&self) -> u32 {
        let of = |sum: u32, f: &Factor| sum.saturating_add(f.var.width());
        self.factors.iter().fold(4, of)
    }
}
