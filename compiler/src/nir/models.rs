//! The models of NIR's stateful nodes, from the text of the standard library (`std.nir`), which says their step rule.
//!
//! In: a kind of node and the time step. Out: its [`NeuronModel`]. Fields have NIR's names; `reset` and `order` are choices
//! that a NIR file does not make. Deliberately absent: any step rule of its own, so that what runs is what
//! `synfire help std.nir.Lif` prints.

use std::collections::BTreeMap;
use synfire_ir::network::NeuronModel;
use synfire_ir::{Diagnostic, Diagnostics};
use synfire_lang::library;
use synfire_lang::model::{ModelContext, lower_neuron};
use synfire_lang::syntax::{self, tree};

/// The models that NIR needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Integrate and fire.
    If,
    /// Leaky integrate and fire.
    Lif,
    /// Leaky integrate and fire with a current.
    CubaLif,
    /// Integrator.
    I,
    /// Leaky integrator.
    Li,
    /// Leaky integrator with a current.
    CubaLi,
    /// An event where a value exceeds the threshold.
    Threshold,
    /// Passes a sum on.
    Relay,
}

/// All kinds.
pub const KINDS: [Kind; 8] = [
    Kind::If,
    Kind::Lif,
    Kind::CubaLif,
    Kind::I,
    Kind::Li,
    Kind::CubaLi,
    Kind::Threshold,
    Kind::Relay,
];

impl Kind {
    /// Full name in the standard library.
    pub fn path(self) -> &'static str {
        match self {
            Kind::If => "std.nir.If",
            Kind::Lif => "std.nir.Lif",
            Kind::CubaLif => "std.nir.CubaLif",
            Kind::I => "std.nir.I",
            Kind::Li => "std.nir.Li",
            Kind::CubaLi => "std.nir.CubaLi",
            Kind::Threshold => "std.nir.Threshold",
            Kind::Relay => "std.nir.Relay",
        }
    }

    /// Does it emit events? The others give an analog output, number 0.
    pub fn spikes(self) -> bool {
        matches!(self, Kind::If | Kind::Lif | Kind::CubaLif | Kind::Threshold)
    }
}

/// The model of that kind for a step of `dt` seconds.
///
/// # Errors
/// Only if the library's own text has an error, or `dt` makes one of its expressions impossible.
pub fn model(kind: Kind, dt: f64) -> Result<NeuronModel, Diagnostics> {
    let lost = || {
        let text = format!("the standard library has no `{}`", kind.path());
        Diagnostics::from(Diagnostic::error("SYN0503", text).hint("please report this defect"))
    };
    let (module, name) = library::lookup(kind.path()).ok_or_else(lost)?;
    let (file, mut found) = syntax::parse(0, module.text);
    let neuron = file.items.iter().find_map(|item| match item {
        tree::Item::Neuron(neuron) if &*neuron.name.text == name => Some(neuron),
        _ => None,
    });
    let lets = BTreeMap::new();
    let context = ModelContext {
        name: kind.path(),
        dt: Some(dt),
        lets: &lets,
    };
    match lower_neuron(neuron.ok_or_else(lost)?, &context, &mut found) {
        Some(model) => Ok(model),
        None => Err(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_has_every_model_with_the_fields_of_nir() {
        let fields = |kind| -> Vec<String> {
            model(kind, 1e-3)
                .unwrap()
                .fields
                .iter()
                .map(|f| f.name.clone())
                .collect()
        };
        for kind in KINDS {
            let m = model(kind, 1e-3).unwrap_or_else(|e| panic!("{}: {e}", kind.path()));
            assert_eq!(m.spikes, kind.spikes(), "{}", kind.path());
            assert_eq!(m.model.outputs.is_empty(), kind.spikes(), "{}", kind.path());
            assert_eq!(m.model.ports.len(), 1, "{}", kind.path());
        }
        let lif = fields(Kind::CubaLif);
        for name in [
            "tau_syn",
            "tau_mem",
            "r",
            "v_leak",
            "v_threshold",
            "v_reset",
            "w_in",
            "reset",
            "order",
        ] {
            assert!(lif.iter().any(|f| f == name), "{name}");
        }
    }

    #[test]
    fn choices_stand_in_the_order_that_the_lowering_counts_on() {
        let m = model(Kind::CubaLif, 1e-3).unwrap();
        let choices = |name: &str| {
            m.fields
                .iter()
                .find(|f| f.name == name)
                .unwrap()
                .choices
                .clone()
        };
        assert_eq!(choices("reset"), ["zero", "subtract"]);
        assert_eq!(choices("order"), ["new_current", "old_current"]);
    }
}
