//! `verify`: the only door from a `Network` to what runs or maps it.

use super::connector::Connector;
use super::expand::widths;
use super::{Init, Network, PopId, PopKind, Population, Projection, Quantity};
use crate::diag::{Diagnostic, Diagnostics};
use crate::program::{Carry, MAX_DELAY, Range};
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
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

    /// The network, to be changed and verified again.
    pub fn into_inner(self) -> Network {
        self.inner
    }
}

/// Checks what every later stage takes for granted, and reports all that is wrong.
pub fn verify(net: Network) -> Result<Verified<Network>, Diagnostics> {
    let mut out = Diagnostics::new();
    let mut units = 0u64;
    let mut names = std::collections::BTreeMap::new();
    for (id, p) in net.populations() {
        units = units.saturating_add(p.size());
        if p.size() == 0 {
            out.push(
                about(
                    p,
                    "SYN0401",
                    format!("population `{}` has no units", p.name),
                )
                .hint("give every axis of its shape at least 1"),
            );
        }
        if let Some(first) = names.insert(p.name.clone(), id) {
            let mut d = about(
                p,
                "SYN0402",
                format!("two populations are called `{}`", p.name),
            )
            .hint("rename one of them");
            if let Some(s) = net.graph[first].span {
                d = d.label(s, "first declared here");
            }
            out.push(d);
        }
        population(&net, p, &mut out);
    }
    if units > MAX_UNITS {
        out.push(
            Diagnostic::error(
                "SYN0403",
                format!("the network has {units} units; at most {MAX_UNITS} can be numbered"),
            )
            .hint("split it into several networks"),
        );
    }
    for (_, a, b, pr) in net.projections() {
        projection(&net, a, b, pr, &mut out);
    }
    for pb in &net.probes {
        let Some(p) = net.graph.node_weight(pb.pop) else {
            continue;
        };
        let bad_state = match &pb.what {
            Quantity::Spikes => None,
            Quantity::State(s) => net
                .model_of(pb.pop)
                .is_none_or(|m| m.model.state(s).is_none())
                .then_some(s),
        };
        if let Some(s) = bad_state {
            out.push(
                about(
                    p,
                    "SYN0404",
                    format!("`{}` has no state `{s}` to record", p.name),
                )
                .hint("record one of its states, or `spikes`"),
            );
        }
        if !inside(pb.range, p) || pb.every == 0 {
            out.push(
                about(
                    p,
                    "SYN0405",
                    format!(
                        "a record of `{}` leaves its units or has no interval",
                        p.name
                    ),
                )
                .hint("stay below the population's size"),
            );
        }
    }
    let levels = levels(&net, &mut out);
    out.result(Verified { inner: net, levels })
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

fn projection(net: &Network, a: PopId, b: PopId, pr: &Projection, out: &mut Diagnostics) {
    let (src, dst) = (&net.graph[a], &net.graph[b]);
    let mut bad = |code: &str, what: String, hint: &str| {
        let d = Diagnostic::error(code, what)
            .field("projection", &pr.name)
            .hint(hint);
        out.push(match pr.span {
            Some(s) => d.label(s, format!("from `{}` to `{}`", src.name, dst.name)),
            None => d.at(pr.name.clone()),
        });
    };
    if !inside(pr.source_range, src) || !inside(pr.target_range, dst) {
        return bad(
            "SYN0302",
            format!("`{}` reaches beyond its populations", pr.name),
            "slices end at the population's size",
        );
    }
    let Some(m) = net.model_of(b) else {
        return bad(
            "SYN0409",
            format!(
                "`{}` is driven from outside and cannot be a target",
                dst.name
            ),
            "connect to a population of neurons",
        );
    };
    if pr.port as usize >= m.model.ports.len() {
        return bad(
            "SYN0410",
            format!("`{}` has no such input", dst.name),
            "name one of its inputs, e.g. `exc.i`",
        );
    }
    match (pr.carry, net.model_of(a)) {
        (Carry::Events, Some(sm)) if !sm.spikes => {
            return bad(
                "SYN0411",
                format!("`{}` emits no spikes", src.name),
                "connect one of its outputs, e.g. `a.r -> b.i`",
            );
        }
        (Carry::Output(o), sm) if sm.is_none_or(|sm| o as usize >= sm.model.outputs.len()) => {
            return bad(
                "SYN0412",
                format!("`{}` has no such output", src.name),
                "declare it with `output`",
            );
        }
        _ => {}
    }
    if pr.stages.is_empty() {
        return bad(
            "SYN0413",
            format!("`{}` has no rule", pr.name),
            "write `: all_to_all`, `: dense`, ...",
        );
    }
    let w = widths(pr);
    let targets = pr.target_range.len;
    for (i, s) in pr.stages.iter().enumerate() {
        let chained = pr.stages.len() > 1;
        if chained
            && (s.connector.random()
                || matches!(s.weight, Init::Draw(_))
                || matches!(s.connector, Connector::List { .. }))
        {
            return bad(
                "SYN0414",
                format!("rule {} of `{}` cannot stand in a chain", i + 1, pr.name),
                "only conv, pool, flatten, scale, dense, one_to_one and all_to_all with given weights chain",
            );
        }
        if let Err(what) = stage(net, s, w[i], w[i + 1]) {
            return bad(
                "SYN0303",
                format!("rule {} of `{}`: {what}", i + 1, pr.name),
                "make the shapes of source, weights and target agree",
            );
        }
    }
    if let Some(n) = pr.bias.as_ref().and_then(|b| array_len(net, b))
        && n != 1
        && n as u32 != targets
    {
        bad(
            "SYN0304",
            format!("`{}` has {n} biases for {targets} targets", pr.name),
            "give one bias, or one for each target",
        );
    }
    let most = match &pr.delay {
        Init::Const(c) => *c,
        Init::Array(k) => net.arrays.get(*k as usize).map_or(0.0, |a| {
            (0..a.count()).map(|i| a.get(i)).fold(0.0, f64::max)
        }),
        Init::Draw(d) => d.mean(),
    };
    if !(0.0..=MAX_DELAY as f64).contains(&most)
        || least_delay(net, pr).is_nan()
        || least_delay(net, pr) < 0.0
    {
        bad(
            "SYN0415",
            format!("`{}` has a delay outside 0 to {MAX_DELAY} steps", pr.name),
            "delays are times of at least 0; a longer step makes them fewer steps",
        );
    }
}

fn stage(net: &Network, s: &super::Stage, sources: u32, targets: u32) -> Result<(), String> {
    let size = |d: [u32; 3]| d.iter().map(|&x| x as u64).product::<u64>();
    let weights = array_len(net, &s.weight)
        .filter(|&n| n != 1)
        .map(|n| n as u64);
    let want = match &s.connector {
        Connector::AllToAll { .. } | Connector::Dense | Connector::FixedProbability { .. } => {
            Some(sources as u64 * targets as u64)
        }
        Connector::OneToOne | Connector::Scale => {
            if sources != targets {
                return Err(format!("one to one between {sources} and {targets} units"));
            }
            Some(targets as u64)
        }
        Connector::List { pre, post } => {
            let (Some(a), Some(b)) = (
                net.arrays.get(*pre as usize),
                net.arrays.get(*post as usize),
            ) else {
                return Err("its lists of indices are not there".into());
            };
            if a.count() != b.count() {
                return Err(format!(
                    "{} sources listed against {} targets",
                    a.count(),
                    b.count()
                ));
            }
            let outside = |a: &super::Array, n: u32| {
                (0..a.count()).any(|i| !(a.get(i) >= 0.0 && a.get(i) < n as f64))
            };
            if outside(a, sources) || outside(b, targets) {
                return Err(format!(
                    "an index leaves its {sources} sources or {targets} targets"
                ));
            }
            Some(a.count() as u64)
        }
        Connector::Conv2d(c) => {
            if c.groups == 0
                || c.input[0] % c.groups != 0
                || c.channels % c.groups != 0
                || c.kernel.contains(&0)
                || c.stride.contains(&0)
                || c.dilation.contains(&0)
            {
                return Err("groups, kernel, stride and dilation must be positive, and groups divide the channels".into());
            }
            if size(c.input) != sources as u64 || size(c.output()) != targets as u64 {
                return Err(format!(
                    "a convolution from {:?} to {:?} between {sources} and {targets} units",
                    c.input,
                    c.output()
                ));
            }
            Some(c.weight_shape().iter().map(|&x| x as u64).product())
        }
        Connector::Pool2d(c) => {
            if c.kernel.contains(&0) || c.stride.contains(&0) {
                return Err("kernel and stride must be positive".into());
            }
            if size(c.input) != sources as u64 || size(c.output()) != targets as u64 {
                return Err(format!(
                    "pooling from {:?} to {:?} between {sources} and {targets} units",
                    c.input,
                    c.output()
                ));
            }
            Some(1)
        }
        Connector::FixedIndegree { .. }
        | Connector::FixedOutdegree { .. }
        | Connector::FixedTotal { .. } => None,
    };
    if let Connector::FixedProbability { p, .. } = &s.connector
        && !(0.0..=1.0).contains(p)
    {
        return Err(format!("a probability of {p}"));
    }
    match (weights, want) {
        (Some(n), Some(w)) if n != w => Err(format!(
            "{n} weights where {w} are needed ({sources} sources, {targets} targets)"
        )),
        (Some(n), None) => Err(format!(
            "an array of {n} weights for connections that are drawn"
        )),
        _ => Ok(()),
    }
}

/// Smallest delay in steps that a projection can have.
fn least_delay(net: &Network, pr: &Projection) -> f64 {
    match &pr.delay {
        Init::Const(c) => c.round_ties_even(),
        Init::Array(k) => net.arrays.get(*k as usize).map_or(0.0, |a| {
            (0..a.count())
                .map(|i| a.get(i))
                .fold(f64::INFINITY, f64::min)
                .round_ties_even()
        }),
        Init::Draw(_) => 1.0,
    }
}

fn levels(net: &Network, out: &mut Diagnostics) -> Vec<(PopId, u16)> {
    let mut g: DiGraph<PopId, ()> = DiGraph::new();
    let mut at = std::collections::BTreeMap::new();
    for (id, _) in net.populations() {
        at.insert(id, g.add_node(id));
    }
    for (_, a, b, pr) in net.projections() {
        let driven = matches!(net.graph[a].kind, PopKind::Events { .. });
        if least_delay(net, pr) == 0.0 && !driven {
            g.add_edge(at[&a], at[&b], ());
        }
    }
    let mut level = std::collections::BTreeMap::new();
    // Tarjan gives components in reverse topological order.
    for component in tarjan_scc(&g).into_iter().rev() {
        let looped = component.len() > 1 || g.find_edge(component[0], component[0]).is_some();
        if looped {
            let mut names: Vec<&str> = component
                .iter()
                .map(|&n| net.graph[g[n]].name.as_str())
                .collect();
            names.sort_unstable();
            let mut d = Diagnostic::error(
                "SYN0416",
                format!(
                    "a cycle without delay through {}",
                    names
                        .iter()
                        .map(|n| format!("`{n}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )
            .note("a projection without `delay` is read in the same step, which a cycle cannot be")
            .hint("give one of its projections a `delay` of at least one step");
            for &n in &component {
                if let Some(s) = net.graph[g[n]].span {
                    d = d.label(s, "in the cycle");
                }
            }
            out.push(d);
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
    net.populations()
        .map(|(id, _)| (id, level.get(&at[&id]).copied().unwrap_or(0)))
        .collect()
}
