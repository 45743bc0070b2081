//! From a NIR model to a `Network`.
//!
//! In: a checked [`NirModel`]. Out: a [`Network`] with the step rule `euler-v1`: Inputs become event sources, stateful
//! nodes populations of `std.nir` models under their own names, and the linear nodes on each way from one of them to the
//! next one projection whose rules stand in a chain. Edges of the step before get a delay of one step, uniform Delays
//! the delay that they say. Where no projection can say it (many ways that multiply, a Delay with its own time for each
//! element, an Output behind linear nodes) a `Relay` population holds the sum. Invariant: a bias arrives in every step
//! from step 0 on, also where the way to it is delayed.

use super::graph::{Array, Dtype, NirKind};
use super::models::{Kind, model};
use super::report::{Report, code};
use super::roles::{Role, Roles};
use super::{CubaOrder, NirModel, Reset, ShapedNode};
use std::collections::{BTreeMap, HashSet};
use synfire_ir::network::{
    self, ArrayData, ArrayId, Init, Network, NeuronModel, PopId, PopKind, Population, Probe,
    Quantity,
};
use synfire_ir::program::Range;
use synfire_ir::{Diagnostic, Diagnostics};

/// Most populations: phases are numbered with 16 bits.
const MAX_POPULATIONS: usize = 10_000;

/// Lowers a model.
///
/// # Errors
/// `SYN0503` for what exceeds the limits of a network, `SYN0521` for delays that no projection can have.
pub fn lower(nir: &NirModel) -> Result<Network, Diagnostics> {
    let mut report = Report::new(&nir.file, nir.options.strict);
    let roles = Roles::assign(nir);
    let mut lowering = Lowering {
        nir,
        roles,
        report: &mut report,
        net: Network {
            name: stem(&nir.file),
            dt: Some(nir.dt),
            ..Network::default()
        },
        models: BTreeMap::new(),
        arrays: BTreeMap::new(),
        pops: vec![None; nir.nodes.len()],
        names: nir.nodes.iter().map(|n| n.node.name.clone()).collect(),
        projections: HashSet::new(),
    };
    lowering.populations();
    if !lowering.report.failed() {
        for &node in &nir.order {
            lowering.arrivals(node);
        }
        lowering.probes();
    }
    let net = lowering.net;
    if report.failed() {
        Err(report.finish())
    } else {
        Ok(net)
    }
}

/// The file's name without folders and ending.
fn stem(file: &str) -> String {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}

pub(super) struct Lowering<'a, 'r> {
    pub(super) nir: &'a NirModel,
    pub(super) roles: Roles,
    pub(super) report: &'r mut Report,
    pub(super) net: Network,
    pub(super) models: BTreeMap<Kind, u32>,
    pub(super) arrays: BTreeMap<(usize, &'static str), ArrayId>,
    pub(super) pops: Vec<Option<PopId>>,
    pub(super) names: HashSet<String>,
    pub(super) projections: HashSet<String>,
}

impl Lowering<'_, '_> {
    pub(super) fn node(&self, index: usize) -> Option<&ShapedNode> {
        self.nir.nodes.get(index)
    }

    fn populations(&mut self) {
        let count = self
            .nir
            .nodes
            .iter()
            .enumerate()
            .filter(|(i, _)| self.roles.of(*i).holds())
            .count();
        if count > MAX_POPULATIONS {
            let text = format!(
                "the graph needs {count} populations; at most {MAX_POPULATIONS} are possible"
            );
            let finding = Diagnostic::error(code::LIMIT, text);
            self.report.push(
                "/node",
                finding.hint("join layers, or split the graph into several files"),
            );
            return;
        }
        for &index in &self.nir.order {
            let Some(shaped) = self.nir.nodes.get(index) else {
                continue;
            };
            let made = match self.roles.of(index) {
                Role::Source => Some(self.add(
                    &shaped.node.name,
                    &shaped.output,
                    PopKind::Events { graded: false },
                )),
                Role::Neuron => self.neuron(index, shaped),
                Role::Held => Some(self.relay(&shaped.node.name, &shaped.output)),
                Role::Linear | Role::Folded(_) | Role::Watched(_) | Role::Idle => None,
            };
            if let Some(slot) = self.pops.get_mut(index) {
                *slot = made;
            }
        }
    }

    fn add(&mut self, name: &str, shape: &[usize], kind: PopKind) -> PopId {
        let axes = if shape.is_empty() { &[1][..] } else { shape };
        let shape = axes
            .iter()
            .map(|&d| u32::try_from(d).unwrap_or(u32::MAX))
            .collect();
        let is_source = matches!(kind, PopKind::Events { .. });
        self.net.graph.add_node(Population {
            name: name.to_owned(),
            shape,
            kind,
            is_source,
            span: None,
        })
    }

    fn model(&mut self, kind: Kind) -> u32 {
        if let Some(&index) = self.models.get(&kind) {
            return index;
        }
        match model(kind, self.nir.dt) {
            Ok(model) => self.net.models.push(model),
            Err(found) => {
                found.0.into_iter().for_each(|d| self.report.push("", d));
                return u32::MAX;
            }
        }
        let index = (self.net.models.len() - 1) as u32;
        self.models.insert(kind, index);
        index
    }

    pub(super) fn relay(&mut self, name: &str, shape: &[usize]) -> PopId {
        let model = self.model(Kind::Relay);
        self.add(
            name,
            shape,
            PopKind::Neurons {
                model,
                values: vec![],
            },
        )
    }

    fn neuron(&mut self, index: usize, shaped: &ShapedNode) -> Option<PopId> {
        let kind = neuron_kind(&shaped.node.kind)?;
        let mut values: Vec<(String, Init)> = Vec::new();
        for (field, array) in shaped.node.kind.elementwise() {
            let value = self.value(index, field, array);
            values.push((field.to_owned(), value));
        }
        if self.nir.options.reset == Reset::Subtract && shaped.node.kind.spikes() {
            values.push(("reset".into(), Init::Const(1.0)));
        }
        let has_current = matches!(kind, Kind::CubaLif | Kind::CubaLi);
        if self.nir.options.cuba_order == CubaOrder::OldCurrent && has_current {
            values.push(("order".into(), Init::Const(1.0)));
        }
        values.sort_by(|a, b| a.0.cmp(&b.0));
        let model = self.model(kind);
        Some(self.add(
            &shaped.node.name,
            &shaped.output,
            PopKind::Neurons { model, values },
        ))
    }

    /// A constant where all elements are equal, else the array itself, once.
    pub(super) fn value(&mut self, node: usize, field: &'static str, array: &Array) -> Init {
        match array.data.first() {
            Some(first) if array.data.iter().all(|x| x == first) => Init::Const(*first),
            _ => Init::Array(self.array(node, field, array)),
        }
    }

    pub(super) fn array(&mut self, node: usize, field: &'static str, array: &Array) -> ArrayId {
        if let Some(&id) = self.arrays.get(&(node, field)) {
            return id;
        }
        let data = match array.dtype {
            Dtype::F16 | Dtype::F32 => {
                ArrayData::F32(array.data.iter().map(|&x| x as f32).collect())
            }
            _ => ArrayData::F64(array.data.iter().copied().collect()),
        };
        let owner = self.node(node).map_or("", |n| n.node.name.as_str());
        let name = format!("{}:{owner}.{field}", self.nir.file);
        let shape = array
            .shape
            .iter()
            .map(|&d| u32::try_from(d).unwrap_or(u32::MAX))
            .collect();
        self.net.arrays.push(network::Array { name, shape, data });
        let id = (self.net.arrays.len() - 1) as ArrayId;
        self.arrays.insert((node, field), id);
        id
    }

    /// All spikes, and the analog output of what gives no spikes but is an output of the graph. Spikes alone need no request.
    fn probes(&mut self) {
        let mut analog = Vec::new();
        for (index, _) in self.nir.nodes.iter().enumerate() {
            let seen = match self.roles.of(index) {
                Role::Watched(node) => node,
                Role::Held if self.is_output(index) => index,
                _ => continue,
            };
            let pop = self.pops.get(seen).copied().flatten();
            let spikes = pop
                .and_then(|p| self.net.model_of(p))
                .is_none_or(|m| m.spikes);
            analog.extend(pop.filter(|_| !spikes));
        }
        analog.sort_unstable();
        analog.dedup();
        if analog.is_empty() {
            return;
        }
        let all: Vec<PopId> = self.net.graph.node_indices().collect();
        for pop in all {
            let Some(population) = self.net.graph.node_weight(pop) else {
                continue;
            };
            let range = Range {
                start: 0,
                len: u32::try_from(population.size()).unwrap_or(u32::MAX),
            };
            let what = match self.net.model_of(pop) {
                Some(m) if m.spikes => Quantity::Spikes,
                Some(m) if analog.binary_search(&pop).is_ok() => match given(m) {
                    Some(state) => Quantity::State(state),
                    None => continue,
                },
                _ => continue,
            };
            self.net.probes.push(Probe {
                pop,
                range,
                what,
                every: 1,
            });
        }
    }

    fn is_output(&self, index: usize) -> bool {
        self.node(index)
            .is_some_and(|n| matches!(n.node.kind, NirKind::Output { .. }))
    }
}

/// Name of the state that a model gives as its analog output.
fn given(model: &NeuronModel) -> Option<String> {
    let output = model.model.outputs.first()?;
    model
        .model
        .states
        .get(usize::from(output.state))
        .map(|s| s.name.clone())
}

/// The model of a stateful node.
pub(super) fn neuron_kind(kind: &NirKind) -> Option<Kind> {
    match kind {
        NirKind::IF { .. } => Some(Kind::If),
        NirKind::LIF { .. } => Some(Kind::Lif),
        NirKind::CubaLIF { .. } => Some(Kind::CubaLif),
        NirKind::I { .. } => Some(Kind::I),
        NirKind::LI { .. } => Some(Kind::Li),
        NirKind::CubaLI { .. } => Some(Kind::CubaLi),
        NirKind::Threshold { .. } => Some(Kind::Threshold),
        _ => None,
    }
}
