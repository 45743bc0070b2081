//! A verified network in its ideal form: `Network` to `Program`, float or fixed, without any chip.
//!
//! Populations become groups of the same names in the same order; phases are the network's levels. Fields are evaluated on
//! the host in f64, projections are expanded, and each is given the layout that suits it (see [`Form`]).

mod code;
mod columns;
mod layout;

pub(crate) use columns::{Values, bits, evaluate_fields};

use crate::fixed::{self, FixedReport};
use crate::plastic::Learning;
use code::{add_bias, gather_emissions};
use columns::{column, draw};
pub use layout::rows_bytes;
use layout::{Wanted, whole};
use serde::Serialize;
use std::collections::BTreeMap;
use synfire_ir::model::{Combine, Model, Ty};
use synfire_ir::network::{
    Init, Network, NeuronModel, PopId, PopKind, ProjId, Projection as Wires, Quantity, Verified,
};
use synfire_ir::program::{
    Arithmetic, Column, Discipline, Group, GroupKind, Layout, Observable, Probe, Program,
    Projection, Range, Scales, Weights,
};
use synfire_ir::{Diagnostic, Diagnostics};

/// How to lower.
#[derive(Clone, Debug)]
pub struct IdealOptions {
    /// Overrides the network's own seed.
    pub seed: Option<u64>,
    /// `F32` or `Fixed`; a network of integer models is `Integer` whatever is asked.
    pub arithmetic: Arithmetic,
    /// In float arithmetic: may drawn weights be stored in 16 bits, with one scale a projection?
    pub narrow: bool,
    /// Bytes that rows may take while they are made; without it 64 GiB.
    pub memory: Option<u64>,
    /// Why rows that follow from their sources are drawn at each event; without it they are stored.
    pub procedural: Option<&'static str>,
}

impl Default for IdealOptions {
    fn default() -> Self {
        IdealOptions {
            seed: None,
            arithmetic: Arithmetic::F32,
            narrow: false,
            memory: None,
            procedural: None,
        }
    }
}

/// The form in which a projection is kept, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Name of the projection.
    pub projection: String,
    /// `one to one`, `dense`, `complete`, `procedural`, `rule` or `rows`.
    pub form: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// A network ready to run.
#[derive(Clone, Debug)]
pub struct Ideal {
    /// What engines run. Probes of spikes are called `POP.spikes`, those of states `POP.STATE`.
    pub program: Program,
    /// The network's own stimuli: (step, group, unit, payload), sorted.
    pub feeds: Vec<(u32, u32, u32, u32)>,
    /// What words are worth (fixed arithmetic).
    pub scales: Scales,
    /// What the choice of integer scales cost, under fixed arithmetic.
    pub fixed: Option<FixedReport>,
    /// The form of each projection.
    pub forms: Vec<Form>,
    /// Worth knowing.
    pub notes: Diagnostics,
}

/// Lowers a network.
///
/// Errors: weights that an integer model cannot take, values that are not finite, and under `Fixed` dynamics that have no
/// integer form.
pub fn lower(net: &Verified<Network>, options: &IdealOptions) -> Result<Ideal, Diagnostics> {
    let seed = options.seed.unwrap_or(net.seed_or_default());
    if let Some(d) = layout::beyond(net, options.memory) {
        return Err(d.into());
    }
    let mut cx = Lowering {
        net,
        seed,
        options,
        out: Diagnostics::new(),
        models: vec![],
        made: BTreeMap::new(),
        forms: vec![],
    };
    let number: BTreeMap<PopId, u32> = net
        .populations()
        .enumerate()
        .map(|(i, (id, _))| (id, i as u32))
        .collect();
    let mut groups = vec![];
    let mut base = 0u32;
    for (id, pop) in net.populations() {
        let size = pop.size() as u32;
        let phase = net.levels().iter().find(|l| l.0 == id).map_or(0, |l| l.1);
        let (kind, graded) = match &pop.kind {
            PopKind::Events { graded } => (GroupKind::External, *graded),
            PopKind::Neurons { model, values } => (cx.units(id, *model, values, size), false),
        };
        groups.push(Group {
            name: pop.name.clone(),
            size,
            phase,
            base,
            graded,
            kind,
        });
        base = base.saturating_add(size);
    }
    let mut projections: Vec<Projection> = vec![];
    let mut learning = Learning::default();
    for (id, a, b, wires) in net.projections() {
        let Some(mut p) = cx.projection(id, number[&a], number[&b], b, wires, &groups) else {
            continue;
        };
        if let Some(x) = &wires.plasticity {
            let place = (projections.len() as u32, p.synapses());
            let what = (place.0, &mut p.layout, place.1);
            learning.add(net, wires, x, what, &number, &mut cx.out);
        }
        projections.push(p);
    }
    let integer = net.models.iter().all(|m| m.integer) && !net.models.is_empty();
    let probes = probes(net, &number, &projections, &learning);
    let mut program = Program {
        name: net.name.clone(),
        arithmetic: if integer {
            Arithmetic::Integer
        } else {
            Arithmetic::F32
        },
        dt: net.dt,
        seed,
        discipline: Discipline::Stepped,
        models: cx.models,
        groups,
        projections,
        synapse_models: learning.models,
        plastic: learning.plastic,
        probes,
    };
    let mut feeds: Vec<_> = net
        .feeds
        .iter()
        .flat_map(|f| f.events.iter().map(|e| (e.0, number[&f.pop], e.1, e.2)))
        .collect();
    feeds.sort_unstable();
    let forms = cx.forms;
    let mut out = cx.out;
    out.result(())?;
    out.extend(synfire_ir::program::check(&program));
    out.result(())?;
    let mut scales = Scales::default();
    let mut report = None;
    if options.arithmetic == Arithmetic::Fixed && !integer {
        let converted = fixed::convert(&program)?;
        scales = converted.report.scales();
        program = converted.program;
        report = Some(converted.report);
    }
    Ok(Ideal {
        program,
        feeds,
        scales,
        fixed: report,
        forms,
        notes: out,
    })
}

/// The probe of a state of a plastic projection, over all elements of the state's place.
fn learned(
    (p, projection, state): (&synfire_ir::network::Probe, &str, &str),
    projections: &[Projection],
    learning: &Learning,
) -> Option<Probe> {
    let index = projections.iter().position(|x| x.name == projection)?;
    let x = (learning.plastic.iter()).find(|x| x.projection as usize == index)?;
    let m = &learning.models[x.synapse as usize];
    let k = m.state(state)?;
    let elements = projections[index].elements(m.states[k as usize].place);
    Some(Probe {
        name: format!("{projection}.{state}"),
        group: projections[index].target,
        range: Range {
            start: 0,
            len: u32::try_from(elements).ok()?,
        },
        what: Observable::Synapse {
            projection: index as u32,
            state: k,
        },
        every: p.every,
    })
}

fn probes(
    net: &Verified<Network>,
    number: &BTreeMap<PopId, u32>,
    projections: &[Projection],
    learning: &Learning,
) -> Vec<Probe> {
    let mut out: Vec<Probe> = vec![];
    if net.probes.is_empty() {
        for (id, p) in net.populations() {
            if !p.is_source && net.model_of(id).is_some_and(|m| m.spikes) {
                let range = Range {
                    start: 0,
                    len: p.size() as u32,
                };
                out.push(Probe {
                    name: format!("{}.spikes", p.name),
                    group: number[&id],
                    range,
                    what: Observable::Events,
                    every: 1,
                });
            }
        }
    }
    for p in &net.probes {
        let (what, name) = match &p.what {
            Quantity::Spikes => (Observable::Events, "spikes"),
            Quantity::State(s) => {
                let Some(k) = net.model_of(p.pop).and_then(|m| m.model.state(s)) else {
                    continue;
                };
                (Observable::State(k), s.as_str())
            }
            Quantity::Synapse(projection, s) => {
                out.extend(learned((p, projection, s), projections, learning));
                continue;
            }
        };
        let name = format!("{}.{name}", net.graph[p.pop].name);
        out.push(Probe {
            name,
            group: number[&p.pop],
            range: p.range,
            what,
            every: p.every,
        });
    }
    out
}

struct Lowering<'a> {
    net: &'a Verified<Network>,
    seed: u64,
    out: Diagnostics,
    models: Vec<Model>,
    /// Program model of (network model, ports with a bias).
    made: BTreeMap<(u32, Vec<u16>), u32>,
    forms: Vec<Form>,
    options: &'a IdealOptions,
}

impl Lowering<'_> {
    fn units(&mut self, id: PopId, model: u32, values: &[(String, Init)], size: u32) -> GroupKind {
        let m = &self.net.models[model as usize];
        let evaluated = evaluate_fields(self.net, id, m, values, size, self.seed);
        let dt = self.net.dt.unwrap_or(1.0);
        let name = &self.net.graph[id].name;
        let mut params = vec![];
        for (p, expr) in m.model.params.iter().zip(&m.columns) {
            let of = |u: usize| expr.eval(&|f| evaluated[f as usize].at(u), dt);
            let uniform = !expr.reads_field() || evaluated.iter().all(|v| v.0.len() == 1);
            params.push(column(
                &mut self.out,
                name,
                &p.name,
                p.ty,
                size,
                uniform,
                of,
            ));
        }
        let mut init = vec![];
        for ((s, expr), k) in m.model.states.iter().zip(&m.init).zip(0..) {
            let given = values.iter().find(|v| v.0 == s.name).map(|v| &v.1);
            let key = format!("{name}.{}", s.name);
            let col = match given {
                Some(v) => {
                    let drawn = draw(self.net, v, size, self.seed, &key);
                    column(
                        &mut self.out,
                        name,
                        &s.name,
                        s.width.ty(),
                        size,
                        drawn.0.len() == 1,
                        |u| drawn.at(u),
                    )
                }
                None => {
                    let of = |u: usize| expr.eval(&|f| evaluated[f as usize].at(u), dt);
                    let uniform = !expr.reads_field() || evaluated.iter().all(|v| v.0.len() == 1);
                    column(
                        &mut self.out,
                        name,
                        &m.model.states[k].name,
                        s.width.ty(),
                        size,
                        uniform,
                        of,
                    )
                }
            };
            init.push(col);
        }
        let biased = self.biases(id, m, size, &mut params);
        let model = self.variant(model, biased);
        if self.models[model as usize].states.len() > init.len() {
            init.push(Column::Uniform(0));
        }
        GroupKind::Units {
            model,
            params,
            init,
        }
    }

    /// Adds one parameter column for each port that has a constant input, and returns those ports.
    fn biases(
        &mut self,
        id: PopId,
        m: &NeuronModel,
        size: u32,
        params: &mut Vec<Column>,
    ) -> Vec<u16> {
        let mut sums: BTreeMap<u16, Vec<f64>> = BTreeMap::new();
        for (_, _, target, wires) in self.net.projections() {
            let Some(bias) = wires.bias.as_ref().filter(|_| target == id) else {
                continue;
            };
            let key = format!("{}.bias", wires.name);
            let values = draw(self.net, bias, wires.target_range.len, self.seed, &key);
            let sum = sums
                .entry(wires.port)
                .or_insert_with(|| vec![0.0; size as usize]);
            (0..wires.target_range.len as usize)
                .for_each(|i| sum[wires.target_range.start as usize + i] += values.at(i));
        }
        for (port, sum) in &sums {
            let p = &m.model.ports[*port as usize];
            if m.model.handler(*port).is_some() || p.combine != Combine::Sum {
                self.out.push(
                    Diagnostic::error(
                        "SYN0421",
                        format!(
                            "input `{}` of `{}` cannot have a constant bias",
                            p.name, self.net.graph[id].name
                        ),
                    )
                    .note("its arrivals are handled one by one, or do not add up")
                    .hint("give the neuron a parameter for its constant input instead"),
                );
            }
            let name = self.net.graph[id].name.clone();
            params.push(column(
                &mut self.out,
                &name,
                "bias",
                p.ty,
                size,
                false,
                |u| sum[u],
            ));
        }
        sums.into_keys().collect()
    }

    fn variant(&mut self, model: u32, biased: Vec<u16>) -> u32 {
        if let Some(&k) = self.made.get(&(model, biased.clone())) {
            return k;
        }
        let mut m = self.net.models[model as usize].model.clone();
        gather_emissions(&mut m);
        for &port in &biased {
            add_bias(&mut m, port);
        }
        self.models.push(m);
        self.made
            .insert((model, biased), self.models.len() as u32 - 1);
        self.models.len() as u32 - 1
    }

    fn projection(
        &mut self,
        id: ProjId,
        source: u32,
        target: u32,
        to: PopId,
        wires: &Wires,
        groups: &[Group],
    ) -> Option<Projection> {
        let m = &self.net.model_of(to)?.model;
        let port = &m.ports[wires.port as usize];
        let integer = port.ty == Ty::I32;
        if integer && groups[source as usize].graded {
            self.out.push(
                self.about(
                    wires,
                    "SYN0422",
                    format!(
                        "`{}` brings fractional values to an integer input",
                        wires.name
                    ),
                )
                .hint("use an `events` source"),
            );
            return None;
        }
        let (layout, form, reason) = layout::layout(&Wanted {
            net: self.net,
            id,
            seed: self.seed,
            wires,
            integer,
            distinct: m.handler(wires.port).is_some() || wires.plasticity.is_some(),
            arithmetic: self.options.arithmetic,
            narrow: self.options.narrow && self.options.arithmetic == Arithmetic::F32,
            procedural: self.options.procedural,
        });
        self.forms.push(Form {
            projection: wires.name.clone(),
            form,
            reason,
        });
        let no_weights = Weights::Uniform(0);
        let stored = match &layout {
            Layout::Generated(_) => &no_weights,
            Layout::Rows(r) => &r.weights,
            Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
            _ => return None,
        };
        if let Weights::F32(w) = stored
            && w.iter().any(|x| !x.is_finite())
        {
            self.out.push(
                self.about(
                    wires,
                    "SYN0423",
                    format!("a weight of `{}` is not a finite number", wires.name),
                )
                .hint("look for overflow or NaN where the weights were made"),
            );
        }
        if integer && !whole(self.net, id, self.seed, wires) {
            self.out.push(
                self.about(wires, "SYN0424", format!("`{}` has weights that are not whole numbers, and its target computes in integers", wires.name))
                    .hint("scale the weights to integers, or use a float neuron model and let `compile` quantise it"),
            );
        }
        Some(Projection {
            name: wires.name.clone(),
            source,
            source_range: wires.source_range,
            target,
            target_range: wires.target_range,
            port: wires.port,
            carry: wires.carry,
            layout,
        })
    }

    fn about(&self, wires: &Wires, code: &str, message: String) -> Diagnostic {
        let d = Diagnostic::error(code, message).field("projection", &wires.name);
        match wires.span {
            Some(s) => d.label(s, ""),
            None => d.at(wires.name.clone()),
        }
    }
}
