//! Which layout a projection gets: the form that an engine walks fastest in the least memory.

use std::sync::Arc;
use synfire_ir::Diagnostic;
use synfire_ir::network::{Connector, Init, Network, ProjId, Projection as Wires, materialise};
use synfire_ir::program::{Arithmetic, Carry, Generated, Layout, Range, Store, Weights};
use synfire_ir::rng::{self, Draws, name_key};

pub(super) fn whole(net: &Network, id: ProjId, seed: u64, wires: &Wires) -> bool {
    if let [stage] = &wires.stages[..] {
        match &stage.weight {
            Init::Const(c) => return c.fract() == 0.0,
            Init::Array(a) => {
                return (0..net.arrays[*a as usize].count())
                    .all(|i| net.arrays[*a as usize].get(i).fract() == 0.0);
            }
            Init::Draw(_) => {}
        }
    }
    let mut all = true;
    net.visit(
        id,
        seed,
        Range {
            start: 0,
            len: wires.target_range.len,
        },
        |s| all &= s.weight.fract() == 0.0,
    );
    all
}

/// Most weights of a dense layout; above it, rows are streamed.
const MOST_DENSE: u64 = 1 << 28;

/// What is to be laid out, and for whom.
pub(super) struct Wanted<'a> {
    pub net: &'a Network,
    pub id: ProjId,
    pub seed: u64,
    pub wires: &'a Wires,
    /// Does the port take integers?
    pub integer: bool,
    /// Must every synapse stay as it is? For handlers, which see each event, and for synapses that learn.
    pub distinct: bool,
    pub arithmetic: Arithmetic,
    /// May drawn weights be stored in 16 bits?
    pub narrow: bool,
    /// Why rows that follow from their sources are drawn at each event, if they are.
    pub procedural: Option<&'static str>,
}

/// Fewest synapses of a projection that stays a rule: smaller ones are told synapse by synapse in a program's text.
const RULE: f64 = 65_536.0;

/// A form and why it was chosen.
pub(super) type Chosen = (Layout, &'static str, &'static str);

/// The layout that suits a projection: one to one where it is that; dense where every pair is connected with one delay
/// (and nothing sees the zeros); the rule itself where sources are drawn for each target or targets for each source, or all pairs
/// have one weight; else rows by source and delay.
pub(super) fn layout(w: &Wanted<'_>) -> Chosen {
    if let Some(plain) = regular(w) {
        return plain;
    }
    if let Some(rule) = rule(w) {
        return rule;
    }
    let rows = match learnt(w) {
        Some(rule) => rule.rows(),
        None => materialise(w.net, w.id, w.seed, w.integer, !w.distinct, |w| w),
    };
    let reason = match w.wires.stages.len() {
        1 if w.net.synapses_of(w.id) < RULE => "its synapses are few",
        1 => "its synapses are listed, or have values of their own",
        _ => "rules follow one another",
    };
    (Layout::Rows(rows), "rows", reason)
}

/// The rule of synapses that learn. They need rows, and rows of a rule are made slice by slice: a list of all synapses would take
/// several times as much memory as all else.
fn learnt(w: &Wanted<'_>) -> Option<Generated> {
    let learns = w.wires.plasticity.is_some();
    let large = w.net.synapses_of(w.id) >= RULE;
    let rule = || w.net.generated(w.id, w.seed, Store::F32);
    (learns && large && w.distinct && !w.integer).then(rule)?
}

/// The projection as a rule.
fn rule(w: &Wanted<'_>) -> Option<Chosen> {
    let learns = w.wires.plasticity.is_some();
    if w.integer || learns || w.wires.carry != Carry::Events || w.net.synapses_of(w.id) < RULE {
        return None;
    }
    let of = |store| w.net.generated(w.id, w.seed, store);
    let narrow = w.narrow.then(|| of(Store::Scaled)).flatten();
    let mut made = narrow.or_else(|| of(Store::F32))?;
    let bounded = made.weight_bounds().is_some();
    let fits = w.arithmetic != Arithmetic::Fixed || bounded;
    let complete = made.complete().is_some();
    if !fits || complete && w.distinct {
        return None;
    }
    let (form, reason) = match (w.procedural, made.stored_why()) {
        _ if complete => ("complete", "one weight serves all pairs"),
        (None, None) => ("rule", "targets are drawn for each source"),
        (None, Some(_)) => ("rule", "sources are drawn for each target"),
        (Some(_), Some(why)) => ("rule", why),
        (Some(_), None) if w.distinct => ("rule", "its events are taken one by one"),
        (Some(_), None) if made.delays().0 == 0 => ("rule", "its events come without a delay"),
        (Some(why), None) => {
            made.procedural = true;
            ("procedural", why)
        }
    };
    Some((Layout::Generated(Arc::new(made)), form, reason))
}

/// One to one, or dense.
fn regular(w: &Wanted<'_>) -> Option<Chosen> {
    let Init::Const(delay) = &w.wires.delay else {
        return None;
    };
    let [stage] = &w.wires.stages[..] else {
        return None;
    };
    if matches!(stage.weight, Init::Draw(_)) || w.distinct {
        return None;
    }
    let delay = delay.round_ties_even() as u16;
    let (n, m) = (w.wires.source_range.len, w.wires.target_range.len);
    let mut none = Draws::new(0, rng::WEIGHTS, name_key(""), 0);
    let mut at = |i: usize| w.net.element(&stage.weight, i, &mut none);
    match &stage.connector {
        Connector::OneToOne | Connector::Scale => {
            let values: Vec<f64> = match stage.weight {
                Init::Const(c) => vec![c],
                _ => (0..n as usize).map(&mut at).collect(),
            };
            let weights = stored(w.integer, values);
            let form = Layout::OneToOne { delay, weights };
            Some((form, "one to one", "a source has one target"))
        }
        Connector::AllToAll { .. } | Connector::Dense if full(w, n as u64 * m as u64) => {
            let values: Vec<f64> = match stage.weight {
                Init::Const(c) => vec![c],
                _ => (0..n as usize)
                    .flat_map(|s| (0..m as usize).map(move |t| t * n as usize + s))
                    .map(at)
                    .collect(),
            };
            let full = values.iter().filter(|w| **w != 0.0).count() * 4 >= values.len();
            let weights = full.then(|| stored(w.integer, values))?;
            let form = Layout::Dense { delay, weights };
            Some((form, "dense", "a quarter of all pairs or more"))
        }
        _ => None,
    }
}

/// Are all pairs of units connected, few enough of them or by one weight?
fn full(w: &Wanted<'_>, pairs: u64) -> bool {
    let [stage] = &w.wires.stages[..] else {
        return false;
    };
    let ends = w.net.graph.edge_endpoints(w.id);
    let all = match stage.connector {
        Connector::AllToAll { self_connections } => {
            self_connections || ends.is_some_and(|(a, b)| a != b)
        }
        _ => true,
    };
    all && (pairs <= MOST_DENSE || matches!(stage.weight, Init::Const(_)))
}

fn stored(integer: bool, values: Vec<f64>) -> Weights {
    match integer {
        true => Weights::from_i32(values.into_iter().map(|w| w as i32).collect()),
        false => Weights::from_f32(values.into_iter().map(|w| w as f32).collect()),
    }
}

/// What the rows of one network may take when the caller states no limit.
const MEMORY: f64 = (64u64 << 30) as f64;

/// Bytes of a synapse while rows are made of it: as it is expanded, and as it is stored.
const EXPANDED: f64 = 24.0;
const STORED: f64 = 12.0;

/// What the rows of lists and expanded rules take while they are made.
struct Need<'a> {
    bytes: f64,
    synapses: f64,
    /// The largest projection among them.
    largest: &'a str,
}

/// Bytes that the rows of lists and of expanded rules take while they are made. Projections that stay rules take none; the
/// engine asks for theirs.
pub fn rows_bytes(net: &Network) -> u64 {
    need(net).bytes as u64
}

fn need(net: &Network) -> Need<'_> {
    let (mut all, mut largest) = (0.0, (0.0, ""));
    for (id, .., pr) in net.projections() {
        if pr.plasticity.is_none() && net.generated(id, 0, Store::F32).is_some() {
            continue;
        }
        let n = net.synapses_of(id);
        all += n;
        if !matches!(&pr.stages[..], [s] if s.connector == Connector::Dense) && n > largest.0 {
            largest = (n, &pr.name);
        }
    }
    Need {
        bytes: all * STORED + largest.0 * EXPANDED,
        synapses: all,
        largest: largest.1,
    }
}

/// An error if the rows of a network would take more memory than there is.
pub(super) fn beyond(net: &Network, memory: Option<u64>) -> Option<Diagnostic> {
    let limit = memory.map_or(MEMORY, |m| m as f64);
    let need = need(net);
    if need.bytes <= limit {
        return None;
    }
    let shown = |b: f64| synfire_ir::numerals::bytes(b as u64);
    let (all, largest, need) = (need.synapses, need.largest, need.bytes);
    Some(
        Diagnostic::error(
            "SYN0426",
            format!(
                "the synapses of `{}` take about {} to lay out; {} are allowed",
                net.name,
                shown(need),
                shown(limit)
            ),
        )
        .at(net.name.clone())
        .note(format!("about {all:.3e} synapses of lists and rules that are expanded; most of them in `{largest}`"))
        .hint("scale the network down, or use a rule that draws sources or targets (fixed_indegree, fixed_outdegree, fixed_probability, fixed_total) or one weight for all pairs")
        .field("needed", format!("{need:.0}"))
        .field("available", format!("{limit:.0}")),
    )
}
