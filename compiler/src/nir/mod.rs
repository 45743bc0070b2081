//! Reading NIR: the Neuromorphic Intermediate Representation, a graph in an HDF5 file.
//!
//! In: a file's name (for messages) and bytes, and what the file does not say ([`NirOptions`]). Out: a [`NirModel`]: one
//! flat graph with checked shapes, an evaluation order, the edges that carry the step before, and a time step; or all
//! that is wrong. The stages are one file each: [`hdf5`], [`parse`](mod@parse) (typed [`graph`]), [`flatten`](mod@flatten),
//! [`order`](mod@order), [`shapes`], [`time`]; [`lower`](mod@lower) makes a network of the model, [`load`] does both.
//! Invariants: no panic, no recursion over the graph, memory in proportion to the file; same bytes, same result; every
//! repair is told. Deliberately absent: running the model.

mod borders;
pub mod ends;
mod export;
mod fields;
pub mod flatten;
pub mod geometry;
pub mod graph;
pub mod hdf5;
mod junctions;
mod kinds;
pub mod linear;
pub mod lower;
pub mod models;
mod names;
pub mod order;
pub mod parse;
pub mod report;
mod roles;
pub mod shapes;
pub mod time;
mod wires;
mod write;

pub use export::export;
pub use flatten::FlatGraph;
pub use graph::{Array, Metadata, NirGraph, NirKind, NirNode};
pub use lower::lower;
pub use time::{delay_steps, recover_dt};
pub use write::write;

use report::{Report, code};
use serde::{Deserialize, Serialize};
use synfire_ir::network::Network;
use synfire_ir::{Diagnostic, Diagnostics};

/// What happens to the membrane at a spike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reset {
    /// It becomes `v_reset`.
    #[default]
    Zero,
    /// The threshold is subtracted.
    Subtract,
}

/// Which current a CubaLIF or CubaLI membrane integrates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CubaOrder {
    /// That of this step.
    #[default]
    NewCurrent,
    /// That of the step before.
    OldCurrent,
}

/// Unit of time constants and delays in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TauUnit {
    /// Seconds.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Time steps.
    Steps,
}

/// What a NIR file does not say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NirOptions {
    /// Time step in seconds; recovered from the file when absent (see [`recover_dt`]).
    pub dt: Option<f64>,
    /// Reset of spiking neurons.
    pub reset: Reset,
    /// Order of current and membrane.
    pub cuba_order: CubaOrder,
    /// Unit of times in the file.
    pub tau_unit: TauUnit,
    /// Refuse what would otherwise be repaired with a warning.
    pub strict: bool,
}

/// A node of the flat graph with its shapes.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapedNode {
    /// Name, path, type and parameters; times in seconds. Parameters of one element hold for all.
    pub node: NirNode,
    /// Shape of what arrives, no batch axis.
    pub input: Vec<usize>,
    /// Shape of what it gives, no batch axis.
    pub output: Vec<usize>,
}

/// An edge of the flat graph. Values of several edges into one node are summed, also of several between the same two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NirEdge {
    /// Index of the source in [`NirModel::nodes`].
    pub from: usize,
    /// Index of the destination.
    pub to: usize,
    /// Does it carry the source's values of the step before (zeros at step 0)?
    pub delayed: bool,
}

/// A NIR graph that is ready to be lowered.
#[derive(Clone, Debug, PartialEq)]
pub struct NirModel {
    /// Name of the file, for messages.
    pub file: String,
    /// Version of the package that wrote it, if known.
    pub version: Option<String>,
    /// The root graph's metadata.
    pub metadata: Metadata,
    /// Nodes in byte order of their names, added Outputs last; no subgraphs.
    pub nodes: Vec<ShapedNode>,
    /// Edges, sorted by source and destination.
    pub edges: Vec<NirEdge>,
    /// Indices of all nodes in an order in which every edge goes forward, but for the delayed ones and those into a
    /// Delay that closes a loop.
    pub order: Vec<usize>,
    /// Time step in seconds.
    pub dt: f64,
    /// The options it was read with; `dt` in them is what the user gave.
    pub options: NirOptions,
}

impl NirModel {
    /// The node of that name in the flat graph.
    pub fn node(&self, name: &str) -> Option<&ShapedNode> {
        self.nodes.iter().find(|n| n.node.name == name)
    }

    /// Names of the two ends of every delayed edge, in order.
    pub fn delayed_edges(&self) -> Vec<(&str, &str)> {
        let name = |i: usize| self.nodes.get(i).map_or("", |n| n.node.name.as_str());
        self.edges
            .iter()
            .filter(|e| e.delayed)
            .map(|e| (name(e.from), name(e.to)))
            .collect()
    }
}

/// Reads a NIR file from its bytes.
///
/// `name` appears in messages only. Returns the model with warnings and notes, or everything that was found when there
/// is an error among it.
///
/// # Errors
/// Codes `SYN0501` to `SYN0522`, each with the file, the path of the node and a remedy.
pub fn read(
    name: &str,
    bytes: &[u8],
    options: &NirOptions,
) -> Result<(NirModel, Diagnostics), Diagnostics> {
    let mut report = Report::new(name, options.strict);
    let Some(parsed) = parse::parse(bytes, &mut report) else {
        return Err(report.finish());
    };
    if report.failed() {
        return Err(report.finish());
    }
    let model = complete(name, parsed.graph, options, &mut report);
    match model {
        Some(model) if !report.failed() => Ok((
            NirModel {
                version: parsed.version,
                metadata: parsed.metadata,
                ..model
            },
            report.finish(),
        )),
        _ => Err(report.finish()),
    }
}

/// Reads a NIR file into a network (see [`read`] and [`lower`](mod@lower)); the second value holds warnings and notes.
///
/// # Errors
/// As [`read`] and [`lower()`].
pub fn load(
    name: &str,
    bytes: &[u8],
    options: &NirOptions,
) -> Result<(Network, Diagnostics), Diagnostics> {
    let (model, found) = read(name, bytes, options)?;
    Ok((lower(&model)?, found))
}

/// Does the same for a graph that did not come from a file.
///
/// # Errors
/// As [`read`], but for those of the file format.
pub fn elaborate(
    name: &str,
    graph: NirGraph,
    options: &NirOptions,
) -> Result<(NirModel, Diagnostics), Diagnostics> {
    let mut report = Report::new(name, options.strict);
    match complete(name, graph, options, &mut report) {
        Some(model) if !report.failed() => Ok((model, report.finish())),
        _ => Err(report.finish()),
    }
}

fn complete(
    name: &str,
    graph: NirGraph,
    options: &NirOptions,
    report: &mut Report,
) -> Option<NirModel> {
    let mut flat = flatten::flatten(graph, report);
    if report.failed() {
        return None;
    }
    let dt = settle_time(&mut flat, options, report);
    let holds = |n: usize| match flat.nodes.get(n).map(|n| &n.kind) {
        Some(NirKind::Delay { delay }) => delay
            .data
            .iter()
            .all(|&d| delay_steps(d, dt).is_some_and(|steps| steps >= 1)),
        _ => false,
    };
    let order::Order {
        nodes: mut order,
        delayed,
    } = order::order(&flat, holds, report)?;
    let mut shaped = shapes::infer(&mut flat, &order, report);
    ends::add_outputs(&mut flat, &mut shaped, &mut order, report);
    let nodes = flat
        .nodes
        .into_iter()
        .zip(shaped)
        .map(|(node, shapes)| ShapedNode {
            node,
            input: shapes.input,
            output: shapes.output,
        })
        .collect();
    let delayed = delayed.into_iter().chain(std::iter::repeat(false));
    let mut edges: Vec<NirEdge> = flat
        .edges
        .iter()
        .zip(delayed)
        .map(|(&(from, to), delayed)| NirEdge { from, to, delayed })
        .collect();
    edges.sort_unstable();
    Some(NirModel {
        file: name.to_owned(),
        version: None,
        metadata: Metadata::new(),
        nodes,
        edges,
        order,
        dt,
        options: options.clone(),
    })
}

/// Fixes the step, turns all times into seconds, checks them.
fn settle_time(flat: &mut FlatGraph, options: &NirOptions, report: &mut Report) -> f64 {
    let (dt, finding) = recover_dt(flat, options);
    if let Some(finding) = finding {
        report.push("", finding);
    }
    if options.tau_unit == TauUnit::Steps {
        time::to_seconds(flat, dt);
    }
    time::check_times(&flat.nodes, dt, report);
    let impulses = flat
        .nodes
        .iter()
        .filter(|n| matches!(n.kind, NirKind::IF { .. } | NirKind::I { .. }))
        .count();
    if impulses > 0 {
        let text = format!("{impulses} IF or I nodes add r x once per step, whatever the step is");
        let finding = Diagnostic::note_of(code::DT, text)
            .note("NIR says dv/dt = r x, but every importer takes what arrives as impulses");
        report.push("", finding);
    }
    dt
}
