//! `verify`: the only door from a `Network` to what runs or maps it.

mod projection;
mod synapses;

use super::{Feed, Init, Network, PopId, PopKind, Population, Probe, Projection, Quantity};
use crate::diag::{Diagnostic, Diagnostics};
use crate::program::Range;
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use projection::least_delay;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// A network that passed [`verify`].
#[derive(Clone, Debug)]
pub struct Verified<T> {
    inner: T,
    levels: Vec<(PopId, u16)>,
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl Verified<Network> {
    /// The phase of each population: the longest chain of delay-0 projections that ends in it. Populations driven from
    /// outside do not count as a link.
    pub fn levels(&self) -> &[(PopId, u16)] {
        &self.levels
    }

    /// The phase of one population (see [`Self::levels`]).
    pub fn level(&self, pop: PopId) -> u16 {
        let at = self.levels.binary_search_by_key(&pop, |l| l.0);
        at.map_or(0, |k| self.levels[k].1)
    }

    /// The network, to be changed and verified again.
    pub fn into_inner(self) -> Network {
        self.inner
    }
}

/// A network whose units nobody numbers: all that [`verify`] asks holds, but it may have any number of units.
#[derive(Clone, Debug)]
pub struct Symbolic(Network);

impl Deref for Symbolic {
    type Target = Network;
    fn deref(&self) -> &Network {
        &self.0
    }
}

/// Checks what every later stage takes for granted, and reports all that is wrong.
pub fn verify(net: Network) -> Result<Verified<Network>, Diagnostics> {
    let (mut out, levels) = checked(&net);
    let units = net
        .populations()
        .fold(0u64, |n, p| n.saturating_add(p.1.size()));
    if units > MAX_UNITS {
        out.push(
            Diagnostic::error(
                "SYN0403",
                format!("the network has {units} units; at most {MAX_UNITS} can be numbered"),
            )
            .hint("split it into several networks"),
        );
    }
    out.result(Verified { inner: net, levels })
}

/// As [`verify`], for those who keep populations and projections as rules.
pub fn verify_symbolic(net: Network) -> Result<Verified<Symbolic>, Diagnostics> {
    let (out, levels) = checked(&net);
    let inner = Symbolic(net);
    out.result(Verified { inner, levels })
}

fn checked(net: &Network) -> (Diagnostics, Vec<(PopId, u16)>) {
    let mut out = Diagnostics::new();
    arrays(net, &mut out);
    populations(net, &mut out);
    let mut names = BTreeSet::new();
    for (_, a, b, pr) in net.projections() {
        if !names.insert(&pr.name) {
            let what = format!("two projections are called `{}`", pr.name);
            out.push(
                about_projection(net, (a, b), pr, "SYN0418", what)
                    .note("the name of a projection keys its random draws")
                    .hint("rename one of them"),
            );
        }
        projection::projection(net, a, b, pr, &mut out);
        if let Some(x) = &pr.plasticity {
            synapses::plasticity(net, (a, b), pr, x, &mut out);
        }
    }
    net.probes.iter().for_each(|pb| probe(net, pb, &mut out));
    net.feeds.iter().for_each(|f| feed(net, f, &mut out));
    let levels = levels(net, &mut out);
    (out, levels)
}

fn arrays(net: &Network, out: &mut Diagnostics) {
    for a in &net.arrays {
        let want = a
            .shape
            .iter()
            .map(|&d| d as u64)
            .fold(1, u64::saturating_mul);
        if a.count() as u64 != want {
            let what = format!("`{}` has {} values for {:?}", a.name, a.count(), a.shape);
            out.push(
                Diagnostic::error("SYN0305", what)
                    .at(a.name.clone())
                    .hint("give as many values as the product of the shape"),
            );
        }
    }
}

fn populations(net: &Network, out: &mut Diagnostics) {
    let mut names = BTreeMap::new();
    for (id, p) in net.populations() {
        if p.size() == 0 {
            let what = format!("population `{}` has no units", p.name);
            out.push(about(p, "SYN0401", what).hint("give every axis of its shape at least 1"));
        }
        if let Some(first) = names.insert(p.name.clone(), id) {
            let what = format!("two populations are called `{}`", p.name);
            let mut d = about(p, "SYN0402", what).hint("rename one of them");
            if let Some(s) = net.graph[first].span {
                d = d.label(s, "first declared here");
            }
            out.push(d);
        }
        population(net, p, out);
    }
}

fn nowhere(what: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0417",
        format!("{what} names a population that is not there"),
    )
    .hint("please report this defect")
}

fn probe(net: &Network, pb: &Probe, out: &mut Diagnostics) {
    let Some(p) = net.graph.node_weight(pb.pop) else {
        return out.push(nowhere("a record"));
    };
    if let Quantity::Synapse(projection, state) = &pb.what {
        return synapses::probe(net, pb, projection, state, out);
    }
    let bad_state = match &pb.what {
        Quantity::Spikes | Quantity::Synapse(..) => None,
        Quantity::State(s) => net
            .model_of(pb.pop)
            .is_none_or(|m| m.model.state(s).is_none())
            .then_some(s),
    };
    if let Some(s) = bad_state {
        let what = format!("`{}` has no state `{s}` to record", p.name);
        out.push(about(p, "SYN0404", what).hint("record one of its states, or `spikes`"));
    }
    if !inside(pb.range, p) || pb.every == 0 {
        let what = format!(
            "a record of `{}` leaves its units or has no interval",
            p.name
        );
        out.push(about(p, "SYN0405", what).hint("stay below the population's size"));
    }
}

fn feed(net: &Network, f: &Feed, out: &mut Diagnostics) {
    let Some(p) = net.graph.node_weight(f.pop) else {
        return out.push(nowhere("a stimulus"));
    };
    if !matches!(p.kind, PopKind::Events { .. }) {
        let what = format!("`{}` is not driven from outside", p.name);
        out.push(about(p, "SYN0419", what).hint("feed a source of events"));
    }
    if let Some(e) = f.events.iter().find(|e| e.1 as u64 >= p.size()) {
        let what = format!(
            "a stimulus of `{}` drives unit {} of {}",
            p.name,
            e.1,
            p.size()
        );
        out.push(about(p, "SYN0419", what).hint("stay below the population's size"));
    }
}

/// Units of one network: indices and events are 32 bits wide, with room for the batch.
pub const MAX_UNITS: u64 = 1 << 31;

fn about(p: &Population, code: &str, message: String) -> Diagnostic {
    let d = Diagnostic::error(code, message).field("population", &p.name);
    match p.span {
        Some(s) => d.label(s, "declared here"),
        None => d.at(p.name.clone()),
    }
}

fn about_projection(
    net: &Network,
    (a, b): (PopId, PopId),
    pr: &Projection,
    code: &str,
    what: String,
) -> Diagnostic {
    let d = Diagnostic::error(code, what).field("projection", &pr.name);
    match pr.span {
        Some(s) => {
            let (src, dst) = (&net.graph[a].name, &net.graph[b].name);
            d.label(s, format!("from `{src}` to `{dst}`"))
        }
        None => d.at(pr.name.clone()),
    }
}

fn inside(r: Range, p: &Population) -> bool {
    r.start as u64 + r.len as u64 <= p.size()
}

fn population(net: &Network, p: &Population, out: &mut Diagnostics) {
    let PopKind::Neurons { model, values } = &p.kind else {
        return;
    };
    let Some(m) = net.models.get(*model as usize) else {
        return out.push(
            about(
                p,
                "SYN0406",
                format!("`{}` names a model that is not there", p.name),
            )
            .hint("please report this defect"),
        );
    };
    if m.columns.len() != m.model.params.len() || m.init.len() != m.model.states.len() {
        out.push(
            about(
                p,
                "SYN0406",
                format!("the model of `{}` is incomplete", p.name),
            )
            .hint("please report this defect"),
        );
    }
    for (name, v) in values {
        if m.fields.iter().all(|f| &f.name != name) && m.model.state(name).is_none() {
            let known = m
                .fields
                .iter()
                .map(|f| f.name.as_str())
                .chain(m.model.states.iter().map(|s| s.name.as_str()));
            let mut d = about(
                p,
                "SYN0407",
                format!("`{}` has no field `{name}`", m.model.name),
            );
            d = match crate::diag::nearest(name, known.clone()) {
                Some(n) => d.hint(format!("did you mean `{n}`?")),
                None => d.hint(format!("it has: {}", known.collect::<Vec<_>>().join(", "))),
            };
            out.push(d);
        }
        if let Some(n) = array_len(net, v)
            && n != 1
            && n as u64 != p.size()
        {
            out.push(
                about(
                    p,
                    "SYN0301",
                    format!(
                        "field `{name}` of `{}` has {n} values for {} units",
                        p.name,
                        p.size()
                    ),
                )
                .hint("give one value, or one for each unit"),
            );
        }
    }
    for f in m.fields.iter().filter(|f| f.default.is_none()) {
        if values.iter().all(|(n, _)| n != &f.name) {
            out.push(
                about(
                    p,
                    "SYN0408",
                    format!("`{}` needs a value for `{}`", p.name, f.name),
                )
                .hint(format!("write `{{ {} = ... }}`", f.name)),
            );
        }
    }
}

fn array_len(net: &Network, v: &Init) -> Option<usize> {
    match v {
        Init::Array(a) => Some(net.arrays.get(*a as usize).map_or(0, |a| a.count())),
        _ => None,
    }
}

/// Last phase of a step.
const MAX_LEVEL: u16 = u16::MAX - 1;
/// Most populations of a cycle that a message names.
const SHOWN: usize = 8;

fn cyclic(net: &Network, cycle: &[PopId]) -> Diagnostic {
    let shown = &cycle[..cycle.len().min(SHOWN)];
    let mut names: Vec<String> = shown
        .iter()
        .map(|&n| format!("`{}`", net.graph[n].name))
        .collect();
    names.sort_unstable();
    let mut what = format!("a cycle without delay through {}", names.join(", "));
    if cycle.len() > SHOWN {
        what.push_str(&format!(" and {} more", cycle.len() - SHOWN));
    }
    let d = Diagnostic::error("SYN0416", what)
        .note("a projection without `delay` is read in the same step, which a cycle cannot be")
        .hint("give one of its projections a `delay` of at least one step");
    let spans = shown.iter().filter_map(|&n| net.graph[n].span);
    spans.fold(d, |d, s| d.label(s, "in the cycle"))
}

fn levels(net: &Network, out: &mut Diagnostics) -> Vec<(PopId, u16)> {
    let mut g: DiGraph<PopId, ()> = DiGraph::new();
    let mut at = BTreeMap::new();
    for (id, _) in net.populations() {
        at.insert(id, g.add_node(id));
    }
    for (_, a, b, pr) in net.projections() {
        let driven = matches!(net.graph[a].kind, PopKind::Events { .. });
        if least_delay(net, pr) == 0.0 && !driven {
            g.add_edge(at[&a], at[&b], ());
        }
    }
    let mut level = BTreeMap::new();
    // Kosaraju's components come in reverse topological order, and without recursion.
    for mut component in kosaraju_scc(&g).into_iter().rev() {
        component.sort_unstable();
        let looped = component.len() > 1 || g.find_edge(component[0], component[0]).is_some();
        if looped {
            let cycle: Vec<PopId> = component.iter().map(|&n| g[n]).collect();
            out.push(cyclic(net, &cycle));
            continue;
        }
        let n = component[0];
        let from = g
            .neighbors_directed(n, petgraph::Incoming)
            .filter_map(|m| level.get(&m))
            .max();
        let l: u16 = from.map_or(0, |l: &u16| l.saturating_add(1));
        level.insert(n, l);
    }
    if level.values().any(|l| *l > MAX_LEVEL) {
        let what = format!("a chain of more than {MAX_LEVEL} projections without delay");
        out.push(
            Diagnostic::error("SYN0420", what)
                .at(net.name.clone())
                .note("each is a phase of its own in every step")
                .hint("give some of its projections a `delay`"),
        );
    }
    net.populations()
        .map(|(id, _)| (id, level.get(&at[&id]).copied().unwrap_or(0)))
        .collect()
}
