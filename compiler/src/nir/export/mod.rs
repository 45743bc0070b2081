//! A network as a NIR graph.
//!
//! In: a verified network. Out: a [`NirGraph`] that reads back as the same populations, projections and delays, with notes on what
//! NIR cannot say. Driven populations become Input nodes, populations of library models their nodes, projections chains of linear
//! nodes ([`chain`]); what is recorded, else what leads nowhere, gets an Output. Parameters are written in the node's full shape.
//! Invariant: the graph was read back and compared before it is given out. Deliberately absent: models that NIR does not have
//! (their populations are refused by name), random seeds (draws are written as drawn), and nested graphs.

mod chain;
mod nodes;

use super::NirOptions;
use super::graph::{NirGraph, NirKind, NirNode};
use super::lower::lower;
use super::models::Kind;
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::network::{
    Connector, Init, Network, PopId, PopKind, ProjId, Projection, Quantity, Verified,
};
use synfire_ir::{Diagnostic, Diagnostics};

/// The graph, and what it cannot say.
///
/// Errors: `SYN0526` for a population that NIR has no node for, `SYN0527` for a projection that its linear nodes cannot say,
/// `SYN0528` for delays that would read back differently.
pub fn export(net: &Verified<Network>) -> Result<(NirGraph, Diagnostics), Diagnostics> {
    let mut e = Export {
        net,
        seed: net.seed_or_default(),
        graph: NirGraph::default(),
        used: BTreeSet::new(),
        pops: BTreeMap::new(),
        found: Diagnostics::new(),
        errors: Diagnostics::new(),
    };
    e.populations();
    if e.errors.is_empty() {
        let all: Vec<ProjId> = net.projections().map(|p| p.0).collect();
        let cyclic = cyclic(net);
        for id in all {
            e.projection(id, &cyclic);
        }
    }
    if e.errors.is_empty() {
        e.outputs();
        e.compare();
    }
    if e.errors.is_empty() {
        Ok((e.graph, e.found))
    } else {
        Err(e.errors)
    }
}

/// What a population became.
struct Exported {
    name: String,
    shape: Vec<usize>,
}

struct Export<'a> {
    net: &'a Network,
    seed: u64,
    graph: NirGraph,
    used: BTreeSet<String>,
    pops: BTreeMap<PopId, Exported>,
    found: Diagnostics,
    errors: Diagnostics,
}

impl Export<'_> {
    /// A free name near the given one: "/" would be a path in the file.
    fn name(&mut self, wanted: &str) -> String {
        let base = wanted.replace('/', ".");
        let base = if base.is_empty() { "node".into() } else { base };
        let mut name = base.clone();
        let mut k = 1;
        while !self.used.insert(name.clone()) {
            k += 1;
            name = format!("{base}.{k}");
        }
        name
    }

    fn push(&mut self, name: String, kind: NirKind) {
        self.graph.nodes.push(NirNode {
            path: format!("/node/nodes/{name}"),
            name,
            kind,
            metadata: Default::default(),
        });
    }

    fn populations(&mut self) {
        let net = self.net;
        for (id, pop) in net.populations() {
            let shape = self.shape(id);
            let kind = match &pop.kind {
                PopKind::Events { .. } => Ok(NirKind::Input {
                    shape: shape.clone(),
                }),
                PopKind::Neurons { model, values } => self.node(id, *model, values, &shape),
            };
            match kind {
                Ok(kind) => {
                    let name = self.name(&pop.name);
                    self.push(name.clone(), kind);
                    self.pops.insert(id, Exported { name, shape });
                }
                Err(d) => self.errors.push(d),
            }
        }
        if !net.feeds.is_empty() {
            let text = "what the network itself feeds into its sources is left out";
            self.found.push(
                Diagnostic::warning("SYN0529", text)
                    .note("a NIR graph has inputs, but no stimuli")
                    .hint("keep the spikes in a file and give it by `--input`"),
            );
        }
    }

    /// A population keeps its axes where a window slides over them, and is flat elsewhere: NIR's matrices give flat results.
    fn shape(&self, id: PopId) -> Vec<usize> {
        let pop = &self.net.graph[id];
        let windowed = |p: &Projection, last: bool| {
            let stage = if last {
                p.stages.last()
            } else {
                p.stages.first()
            };
            stage.is_some_and(|s| match &s.connector {
                Connector::Conv2d(c) => !c.is_matrix(),
                Connector::Pool2d(_) => true,
                _ => false,
            })
        };
        let keeps = self
            .net
            .projections()
            .any(|(_, a, b, p)| (a == id && windowed(p, false)) || (b == id && windowed(p, true)));
        if keeps {
            pop.shape.iter().map(|&d| d as usize).collect()
        } else {
            vec![pop.size() as usize]
        }
    }

    /// Adds an Output for everything that is recorded, or else for everything that leads nowhere.
    fn outputs(&mut self) {
        let asked: BTreeSet<PopId> = self
            .net
            .probes
            .iter()
            .filter(|p| matches!(p.what, Quantity::Spikes) || !self.spikes(p.pop))
            .map(|p| p.pop)
            .collect();
        let ends = |id: &PopId| {
            let leads = self
                .net
                .projections()
                .any(|(_, a, b, _)| a == *id && b != *id);
            !leads && matches!(self.net.graph[*id].kind, PopKind::Neurons { .. })
        };
        let mut list: Vec<PopId> = if asked.is_empty() {
            self.pops.keys().copied().filter(ends).collect()
        } else {
            asked.into_iter().collect()
        };
        list.retain(|id| matches!(self.net.graph[*id].kind, PopKind::Neurons { .. }));
        if list.is_empty() {
            list = self.pops.keys().copied().collect();
        }
        let alone = list.len() == 1;
        for id in list {
            let Some(Exported { name, shape }) = self.pops.get(&id) else {
                continue;
            };
            let (from, shape) = (name.clone(), shape.clone());
            let name = self.name(&if alone {
                "output".into()
            } else {
                format!("{from}.output")
            });
            self.push(name.clone(), NirKind::Output { shape });
            self.graph.edges.push((from, name));
        }
    }

    fn spikes(&self, id: PopId) -> bool {
        self.net.model_of(id).is_some_and(|m| m.spikes)
    }

    /// Reads the graph back: every pair of populations must have the delays that it had.
    fn compare(&mut self) {
        let options = NirOptions {
            dt: self.net.dt,
            ..NirOptions::default()
        };
        let again = super::elaborate(&self.net.name, self.graph.clone(), &options)
            .and_then(|(model, _)| lower(&model));
        let again = match again {
            Ok(net) => net,
            Err(e) => return self.errors.extend(e),
        };
        let before = delays(self.net, &|id| {
            self.pops.get(&id).map_or(String::new(), |p| p.name.clone())
        });
        let after = delays(&again, &|id| again.graph[id].name.clone());
        for ((from, to), steps) in &before {
            if after.get(&(from.clone(), to.clone())) == Some(steps) {
                continue;
            }
            self.errors.push(
                Diagnostic::error(
                    "SYN0528",
                    format!("the delays from `{from}` to `{to}` would read back differently"),
                )
                .at(from.clone())
                .note(format!("here they are {steps:?} steps; NIR has a delay of one step where a loop closes, and Delay nodes elsewhere"))
                .hint("give the connections of the loop a delay of 1 step, and those outside of it one value"),
            );
        }
    }
}

/// Most ways through relays that are compared.
const MOST_WAYS: usize = 10_000;

/// The constant delays between two populations, sorted; a relay lengthens the ways through it.
fn delays(net: &Network, name: &dyn Fn(PopId) -> String) -> BTreeMap<(String, String), Vec<u64>> {
    let mut ways: Vec<(PopId, PopId, u64)> = net
        .projections()
        .map(|(_, a, b, p)| match p.delay {
            Init::Const(d) => (a, b, d as u64),
            _ => (a, b, u64::MAX),
        })
        .collect();
    let relay = |id: PopId| {
        net.model_of(id)
            .is_some_and(|m| m.model.name == Kind::Relay.path())
    };
    for r in net.graph.node_indices().filter(|&id| relay(id)) {
        let (into, rest): (Vec<_>, Vec<_>) = ways.into_iter().partition(|w| w.1 == r);
        let (out, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|w| w.0 == r);
        ways = rest;
        for i in &into {
            let through = out.iter().map(|o| (i.0, o.1, i.2.saturating_add(o.2)));
            ways.extend(through.take(MOST_WAYS.saturating_sub(ways.len())));
        }
    }
    let mut all: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    for (a, b, steps) in ways {
        all.entry((name(a), name(b))).or_default().push(steps);
    }
    all.values_mut().for_each(|v| v.sort_unstable());
    all
}

/// The part of the graph that each population is in: two that share one reach each other.
fn cyclic(net: &Network) -> BTreeMap<PopId, usize> {
    let parts = petgraph::algo::kosaraju_scc(&net.graph);
    parts
        .iter()
        .enumerate()
        .flat_map(|(k, part)| part.iter().map(move |&id| (id, k)))
        .collect()
}
