//! Neuron models: from a `neuron` block to step code.
//!
//! Comes in: the tree of one `neuron` and what is known around it ([`ModelContext`]). Goes out: a
//! [`NeuronModel`] whose step block reads only states, ports and parameter columns.

pub mod quantity;

pub use quantity::Quantity;

use crate::syntax::tree;
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostic, Diagnostics};
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

/// Lowers a `neuron` block. Pushes everything that is wrong; `None` exactly when it pushed an error.
pub fn lower_neuron(
    neuron: &tree::Model,
    cx: &ModelContext,
    diags: &mut Diagnostics,
) -> Option<NeuronModel> {
    diags.push(
        Diagnostic::error("SYN0199", format!("`{}` cannot be lowered yet", cx.name))
            .label(neuron.span, "this model")
            .hint("this build of the compiler lacks the lowering of models"),
    );
    None
}
