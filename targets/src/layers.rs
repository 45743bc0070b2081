//! Networks of layers with kernels, for chips whose cores hold a whole layer each.
//!
//! [`Layers`] is such a network in real numbers, as the compiler's `layers` pass finds it: a tree of layers, each a convolution (a dense layer is one whose kernel covers the map) with integrate-and-fire neurons behind it. A chip turns it
//! into native images, [`Laid`]. Deliberately absent: other dynamics, delays and loops, which such chips do not have.

use synfire_ir::artifact::Section;

/// A layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name of its population.
    pub name: String,
    /// The layer that drives it; none: the input.
    pub source: Option<usize>,
    /// Sum pooling on the way here: windows of so many by so many elements.
    pub pooling: u32,
    /// Channels, rows, columns that come in, after pooling.
    pub input: [u32; 3],
    /// Output features.
    pub features: u32,
    /// Rows, columns.
    pub kernel: [u32; 2],
    /// Rows, columns.
    pub stride: [u32; 2],
    /// Rows, columns, on each side.
    pub padding: [u32; 2],
    /// `[feature][channel][row][column]`.
    pub weights: Vec<f64>,
    /// One a feature, added in every step; empty for none.
    pub biases: Vec<f64>,
    /// A neuron fires at it, or above it where `strict`.
    pub threshold: f64,
    /// Only above it?
    pub strict: bool,
    /// A spike takes the threshold away; else the state becomes 0.
    pub subtract: bool,
    /// Are its spikes wanted?
    pub recorded: bool,
}

/// A network of layers, each behind the one that drives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layers {
    /// Channels, rows, columns of the input.
    pub input: [u32; 3],
    /// Layers.
    pub layers: Vec<Layer>,
}

/// A core and what a layer takes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Number of the core.
    pub core: usize,
    /// (resource, used, available).
    pub used: Vec<(&'static str, u64, u64)>,
}

/// Layers in a chip's own bytes.
#[derive(Clone, Debug, Default)]
pub struct Laid {
    /// Native images.
    pub sections: Vec<Section>,
    /// Native event of every element of the input.
    pub inputs: Vec<u64>,
    /// Native event of every neuron of every layer.
    pub outputs: Vec<Vec<u64>>,
    /// Where each layer sits.
    pub seats: Vec<Seat>,
    /// Weights that are no longer what they were, weights that became 0, and the largest error in the network's units.
    pub rounded: (u64, u64, f64),
    /// Scale of each layer.
    pub scales: Vec<f64>,
}
