//! Neuron and synapse models: from a `neuron` or `synapse` block to step code.
//!
//! Comes in: the tree of one `neuron` and what is known around it ([`ModelContext`]). Goes out: a [`NeuronModel`] whose step block reads only
//! states, ports and parameter columns; every factor that is known before the run is one column, computed on the host in f64.
//!
//! The way of a model: `declare` gathers its names; `elaborate` (with `names`, `real` and `fixed`) turns expressions into typed nodes of a `graph`, checking
//! units; `statements` does so with blocks; `ode` integrates equations (`linear`, `exact`, `differences`, `pair`); `stages` checks all of it, `code` writes blocks
//! of the step IR, and `assemble` puts the stages of a step in order and the result together. In a model of reals an `int` is a real that is whole
//! at the start. `synapse` and `join` do all this for a `synapse`, and `places` says where its states live. Absent on purpose: any view of the network.

mod assemble;
mod code;
mod declare;
mod differences;
mod elaborate;
mod exact;
mod fixed;
mod graph;
mod host;
mod join;
mod linear;
mod names;
mod ode;
mod pair;
mod places;
mod poisson;
pub mod quantity;
mod range;
mod real;
mod report;
mod stages;
mod statements;
mod sums;
mod synapse;
mod types;

pub use quantity::Quantity;
pub use synapse::{SynapseContext, lower_synapse};
pub use types::{CHOICES, Choice, TRUTH};

use crate::syntax::tree;
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostics, Severity};
use synfire_ir::network::NeuronModel;

/// What a model needs to know of its surroundings.
#[derive(Clone, Debug)]
pub struct ModelContext<'a> {
    /// Full name, e.g. `std.neurons.Lif`.
    pub name: &'a str,
    /// Seconds a step; `None` when steps have no duration.
    pub dt: Option<f64>,
    /// Values of the file's own `let`s, by name.
    pub lets: &'a BTreeMap<String, Quantity>,
}

/// Lowers a `neuron` block. Pushes everything that is wrong; `None` when it pushed an error, or when the tree has holes that
/// the parser reported.
///
/// Errors: SYN0120 to SYN0139 (names, types, form) and SYN0220 to SYN0225 (units). A parameter of type `bool` has the choices `false` and
/// `true`.
pub fn lower_neuron(
    neuron: &tree::Model,
    cx: &ModelContext,
    diags: &mut Diagnostics,
) -> Option<NeuronModel> {
    let mut own = Diagnostics::new();
    let model = stages::lower(neuron, cx, &mut own);
    let failed = own.0.iter().any(|d| d.severity == Severity::Error);
    diags.extend(own);
    model.filter(|_| !failed)
}

#[cfg(test)]
mod tests;
