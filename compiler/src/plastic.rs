//! Projections that learn: from a network's synapse models and their fields to the synapse models and plastic projections of a program.
//!
//! Comes in: a projection with its layout. Goes out: the model with its decays and periods filled in (one for all projections that share
//! them), and the projection's parameters, initial states and sources of modulators.

use crate::ideal::bits;
use std::collections::BTreeMap;
use synfire_ir::model::Ty;
use synfire_ir::network::{Network, Plasticity, PopId, Projection as Wires, SynapseModel};
use synfire_ir::program::{Column, Layout, Modulation, Plastic, Weights};
use synfire_ir::synapse::{Decay, Synapse};
use synfire_ir::{Diagnostic, Diagnostics};

/// Synapse models and plastic projections so far.
#[derive(Default)]
pub(crate) struct Learning {
    pub models: Vec<Synapse>,
    pub plastic: Vec<Plastic>,
    base: u32,
}

impl Learning {
    /// Makes program projection `index` plastic. Its layout takes the weights that the model starts from, if the network gives none.
    pub fn add(
        &mut self,
        net: &Network,
        wires: &Wires,
        x: &Plasticity,
        (index, layout, synapses): (u32, &mut Layout, u64),
        number: &BTreeMap<PopId, u32>,
        out: &mut Diagnostics,
    ) {
        let Some(Settled {
            model,
            params,
            init,
        }) = settle(net, wires, x, out)
        else {
            return;
        };
        let weight = init.first().copied().unwrap_or(0);
        let init: Vec<Column> = init.into_iter().skip(1).map(Column::Uniform).collect();
        if !x.weights {
            match layout {
                Layout::Rows(r) => r.weights = Weights::Uniform(weight),
                Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => {
                    *weights = Weights::Uniform(weight);
                }
                _ => {}
            }
        }
        let known = self.models.iter().position(|k| *k == model);
        let synapse = known.unwrap_or_else(|| {
            self.models.push(model.clone());
            self.models.len() - 1
        });
        self.plastic.push(Plastic {
            projection: index,
            synapse: synapse as u32,
            base: self.base,
            // The synapse works `dendritic` steps before what it delivers arrives, and hears its target as much later; a program
            // has everything at the arrival.
            post_delay: 2 * x.dendritic,
            params,
            init,
            modulators: modulators(x, &model, number),
        });
        self.base = self.base.saturating_add(synapses as u32);
    }
}

/// A synapse model with the values of its parameters in place.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    /// With decays and periods filled in.
    pub model: Synapse,
    /// Words of its parameters.
    pub params: Vec<u32>,
    /// Word of each state at the start; the first is the weight where the network gives none.
    pub init: Vec<u32>,
}

impl Settled {
    /// A state at the start, as a whole number.
    pub fn word(&self, state: u16) -> i64 {
        let word = self.init.get(usize::from(state)).copied();
        i64::from(word.unwrap_or(0) as i32)
    }
}

/// The model of a projection with its values; `None` when something was wrong, which `out` holds then.
pub(crate) fn settle(
    net: &Network,
    wires: &Wires,
    x: &Plasticity,
    out: &mut Diagnostics,
) -> Option<Settled> {
    let before = out.0.len();
    let m = &net.synapses[x.model as usize];
    let dt = net.dt.unwrap_or(1.0);
    let fields = fields(m, x, dt);
    let eval = |e: &synfire_ir::network::HostExpr| e.eval(&|k| fields[k as usize], dt);
    let mut model = m.synapse.clone();
    let decaying = model.states.iter_mut().filter(|s| s.decay.is_some());
    for (s, (left, rest)) in decaying.zip(&m.decays) {
        let factor = eval(left).exp();
        if !(0.0..1.0).contains(&factor) {
            let what = format!(
                "`{}` of the synapses of `{}` does not fall: {factor} of it is left after a step",
                s.name, wires.name
            );
            out.push(about(wires, "SYN0429", what).hint("time constants are positive times"));
        }
        s.decay = Some(Decay {
            factor: (factor * 18_446_744_073_709_551_616.0) as u64,
            rest: finite(wires, &s.name, s.width.ty(), eval(rest), out),
        });
    }
    for (e, period) in model.every.iter_mut().zip(&m.periods) {
        let steps = eval(period);
        if !(1.0..=u32::MAX as f64).contains(&steps) {
            let what = format!(
                "the synapses of `{}` do something every {steps} steps",
                wires.name
            );
            out.push(about(wires, "SYN0429", what).hint("an interval is at least one step"));
        }
        e.period = steps as u32;
    }
    let params = model.params.iter().zip(&m.columns);
    let params = params
        .map(|(p, e)| finite(wires, &p.name, p.ty, eval(e), out))
        .collect();
    let mut init = vec![];
    for (s, e) in model.states.iter().zip(&m.init) {
        let word = finite(wires, &s.name, s.width.ty(), eval(e), out);
        init.push(word);
    }
    (out.0.len() == before).then_some(Settled {
        model,
        params,
        init,
    })
}

fn modulators(x: &Plasticity, m: &Synapse, number: &BTreeMap<PopId, u32>) -> Vec<Modulation> {
    let of = |y: &synfire_ir::network::Modulation| Modulation {
        port: y.port,
        source: number[&y.pop],
        range: y.range,
        carry: y.carry,
        each: y.each,
        delay: x.dendritic,
        weight: bits(m.modulators[y.port as usize].ty, 1.0),
    };
    x.modulators.iter().map(of).collect()
}

/// Values of all fields: the given ones, and defaults.
fn fields(m: &SynapseModel, x: &Plasticity, dt: f64) -> Vec<f64> {
    let mut done: Vec<f64> = vec![];
    for f in &m.fields {
        let given = x.values.iter().find(|v| v.0 == f.name).map(|v| v.1);
        let next = match (given, &f.default) {
            (Some(v), _) => v,
            (None, Some(e)) => e.eval(&|k| done[k as usize], dt),
            (None, None) => 0.0,
        };
        done.push(next);
    }
    done
}

fn finite(wires: &Wires, name: &str, ty: Ty, x: f64, out: &mut Diagnostics) -> u32 {
    if x.is_nan() {
        let what = format!(
            "`{name}` of the synapses of `{}` is not a number",
            wires.name
        );
        out.push(
            about(wires, "SYN0425", what)
                .hint("look for a division by zero or the logarithm of a negative value in the arguments of its synapse"),
        );
    }
    bits(ty, x)
}

pub(crate) fn about(wires: &Wires, code: &str, message: String) -> Diagnostic {
    let d = Diagnostic::error(code, message).field("projection", &wires.name);
    match wires.span {
        Some(s) => d.label(s, "of this connect"),
        None => d.at(wires.name.clone()),
    }
}
