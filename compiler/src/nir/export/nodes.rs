//! Populations of library models as NIR nodes.
//!
//! In: a population and its fields. Out: the node with every parameter in its full shape, or the reason why NIR has none. The models of
//! `std.nir` are its nodes; those of `std.neurons` that have the same equation are taken too, with a note where the rule of the step
//! differs, which a file does not hold.

use super::super::graph::{Array, NirKind};
use super::Export;
use crate::ideal::{Values, evaluate_fields};
use synfire_ir::Diagnostic;
use synfire_ir::network::{Init, NeuronModel, PopId};

/// Models of `std.neurons` with the equation of a node.
const KIN: [(&str, &str); 6] = [
    ("std.neurons.If", "std.nir.If"),
    ("std.neurons.Lif", "std.nir.Lif"),
    ("std.neurons.CubaLif", "std.nir.CubaLif"),
    ("std.neurons.Li", "std.nir.Li"),
    ("std.neurons.CubaLi", "std.nir.CubaLi"),
    ("std.neurons.I", "std.nir.I"),
];

/// Values of the fields of a population, as arrays of its shape.
struct Fields<'a> {
    model: &'a NeuronModel,
    values: Vec<Values>,
    shape: &'a [usize],
}

impl Fields<'_> {
    fn values(&self, name: &str) -> Option<&Values> {
        let at = self.model.fields.iter().position(|f| f.name == name)?;
        self.values.get(at)
    }

    /// The field of that name (NIR's, or ours when the library calls it otherwise), else `otherwise` everywhere.
    fn array(&self, names: &[&str], otherwise: f64) -> Array {
        let size = self.shape.iter().product();
        let found = names.iter().find_map(|n| self.values(n));
        Array {
            shape: self.shape.to_vec(),
            data: (0..size)
                .map(|u| found.map_or(otherwise, |v| v.at(u)))
                .collect(),
            dtype: super::super::graph::Dtype::F64,
        }
    }

    fn is_nonzero(&self, name: &str) -> bool {
        self.values(name)
            .is_some_and(|v| v.0.iter().any(|&x| x != 0.0))
    }
}

impl Export<'_> {
    /// The node of a population of neurons.
    pub(super) fn node(
        &mut self,
        id: PopId,
        model: u32,
        values: &[(String, Init)],
        shape: &[usize],
    ) -> Result<NirKind, Diagnostic> {
        let net = self.net;
        let pop = &net.graph[id];
        let lost = || Diagnostic::error("SYN0526", format!("`{}` has no model", pop.name));
        let model = net.models.get(model as usize).ok_or_else(lost)?;
        let own = model.model.name.as_str();
        let path = KIN.iter().find(|k| k.0 == own).map_or(own, |k| k.1);
        let size = u32::try_from(pop.size()).unwrap_or(u32::MAX);
        let fields = Fields {
            model,
            values: evaluate_fields(net, id, model, values, size, self.seed),
            shape,
        };
        let kind = kind(path, &fields).ok_or_else(|| unknown(&pop.name, own))?;
        self.told(&pop.name, own, path, &fields)?;
        let starts = values
            .iter()
            .filter(|v| !model.fields.iter().any(|f| f.name == v.0))
            .map(|v| v.0.as_str());
        for state in starts {
            self.found.push(
                Diagnostic::warning(
                    "SYN0529",
                    format!("the initial `{state}` of `{}` is left out", pop.name),
                )
                .at(pop.name.clone())
                .note("every state of a NIR graph starts at 0")
                .hint("nothing is lost where the network forgets its start within the run"),
            );
        }
        Ok(kind)
    }

    /// What the node cannot say.
    fn told(
        &mut self,
        name: &str,
        own: &str,
        path: &str,
        fields: &Fields,
    ) -> Result<(), Diagnostic> {
        if fields.is_nonzero("t_ref") {
            return Err(
                Diagnostic::error("SYN0526", format!("`{name}` has a refractory time"))
                    .at(name)
                    .note("no node of NIR has one")
                    .hint("set `t_ref = 0 ms`, or keep the network in our language"),
            );
        }
        if fields.is_nonzero("bias") {
            return Err(
                Diagnostic::error("SYN0526", format!("`{name}` has a bias of its own"))
                    .at(name)
                    .note("a NIR node gets a bias from the linear node before it")
                    .hint("move the bias to a connection: `connect ... { bias = ... }`"),
            );
        }
        if fields.is_nonzero("reset") {
            self.found.push(
                Diagnostic::warning(
                    "SYN0529",
                    format!("`{name}` resets by subtraction, which the file does not say"),
                )
                .at(name)
                .hint("read it again with `--reset subtract`"),
            );
        }
        if own != path {
            self.found.push(
                Diagnostic::warning("SYN0529", format!("`{name}` is a `{own}`; the file holds its equation, not its rule of the step"))
                    .at(name)
                    .note(format!("read again it is a `{path}`, whose spikes may differ in the step"))
                    .hint(format!("use `{path}` in the network to see what readers of the file will see")),
            );
        }
        Ok(())
    }
}

fn unknown(name: &str, own: &str) -> Diagnostic {
    Diagnostic::error("SYN0526", format!("NIR has no node for `{name}`, a `{own}`"))
        .at(name)
        .note("NIR has If, Lif, CubaLif, Li, CubaLi, I and Threshold; sources are inputs driven from outside")
        .hint("use the models of `std.nir`, and `events` sources in place of generators")
}

/// The node of a model of `std.nir`.
fn kind(path: &str, f: &Fields) -> Option<NirKind> {
    let threshold = || f.array(&["v_threshold", "v_th"], 1.0);
    let reset = || Some(f.array(&["v_reset"], 0.0));
    let (r, leak) = (|| f.array(&["r"], 1.0), || f.array(&["v_leak"], 0.0));
    let w_in = || Some(f.array(&["w_in"], 1.0));
    let time = |name| f.array(&[name], 0.0);
    Some(match path {
        "std.nir.If" => NirKind::IF {
            r: r(),
            v_threshold: threshold(),
            v_reset: reset(),
        },
        "std.nir.Lif" => NirKind::LIF {
            tau: time("tau"),
            r: r(),
            v_leak: leak(),
            v_threshold: threshold(),
            v_reset: reset(),
        },
        "std.nir.CubaLif" => NirKind::CubaLIF {
            tau_syn: time("tau_syn"),
            tau_mem: time("tau_mem"),
            r: r(),
            v_leak: leak(),
            v_threshold: threshold(),
            v_reset: reset(),
            w_in: w_in(),
        },
        "std.nir.Li" => NirKind::LI {
            tau: time("tau"),
            r: r(),
            v_leak: leak(),
        },
        "std.nir.CubaLi" => NirKind::CubaLI {
            tau_syn: time("tau_syn"),
            tau_mem: time("tau_mem"),
            r: r(),
            v_leak: leak(),
            w_in: w_in(),
        },
        "std.nir.I" => NirKind::I { r: r() },
        "std.nir.Threshold" => NirKind::Threshold {
            threshold: f.array(&["threshold"], 1.0),
        },
        // A sum that passes unchanged is a factor of 1.
        "std.nir.Relay" => NirKind::Scale {
            scale: f.array(&[], 1.0),
        },
        _ => return None,
    })
}
