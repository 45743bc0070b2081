//! Inputs and Outputs that a graph lacks.
//!
//! In: a flat graph. Out: the same with an Input before each node without predecessor and an Output behind each node
//! without successor, named `input_<node>` and `output_<node>` as the reference reader names them, each told as a
//! warning. A graph in which nothing can be an Input is refused.

use super::flatten::FlatGraph;
use super::geometry::declared;
use super::graph::{NirKind, NirNode};
use super::report::{Report, code};
use super::shapes::Shaped;
use std::collections::HashSet;
use synfire_ir::Diagnostic;

/// `side_name`, with a number behind it if that is taken.
fn fresh_name(side: &str, name: &str, taken: &mut HashSet<String>) -> String {
    let wanted = format!("{side}_{name}");
    let mut fresh = wanted.clone();
    let mut count = 0;
    while !taken.insert(fresh.clone()) {
        fresh = format!("{wanted}_{count}");
        count += 1;
    }
    fresh
}

fn names(graph: &FlatGraph) -> HashSet<String> {
    graph.nodes.iter().map(|n| n.name.clone()).collect()
}

/// Does a new node have to stand at that one? Ends stand for themselves.
fn is_end(graph: &FlatGraph, index: usize) -> bool {
    let kind = graph.nodes.get(index).map(|n| &n.kind);
    matches!(kind, Some(NirKind::Input { .. } | NirKind::Output { .. }))
}

fn without(graph: &FlatGraph, end: impl Fn(&(usize, usize)) -> usize) -> Vec<usize> {
    let mut touched = vec![false; graph.nodes.len()];
    for edge in &graph.edges {
        if let Some(slot) = touched.get_mut(end(edge)) {
            *slot = true;
        }
    }
    (0..touched.len())
        .filter(|&n| touched.get(n) == Some(&false))
        .collect()
}

/// Adds an Input before each node that nothing leads to; complains when there is none at all.
pub fn add_inputs(graph: &mut FlatGraph, report: &mut Report) {
    let roots = without(graph, |e| e.1);
    // Most graphs lack nothing: the names of a million nodes are gathered only when needed.
    let lacking = roots.iter().any(|&n| !is_end(graph, n));
    let mut taken = if lacking {
        names(graph)
    } else {
        HashSet::new()
    };
    for index in roots {
        let Some(node) = graph.nodes.get(index) else {
            continue;
        };
        let path = node.path.clone();
        match node.kind {
            NirKind::Input { .. } => continue,
            NirKind::Output { .. } => {
                let text = format!("no edge leads to Output `{}`; it stays 0", node.name);
                report.push(
                    &path,
                    Diagnostic::warning(code::ENDS, text).hint("add an edge to it"),
                );
                continue;
            }
            _ => {}
        }
        let Some(shape) = root_shape(&node.kind) else {
            let text = format!(
                "no edge leads to {} `{}`, and its input shape is unknown",
                node.kind.type_name(),
                node.name
            );
            report.push(
                &path,
                Diagnostic::error(code::INFER, text).hint("add an Input node before it"),
            );
            continue;
        };
        let name = fresh_name("input", &node.name, &mut taken);
        let text = format!(
            "no edge leads to `{}`; Input `{name}` is added before it",
            node.name
        );
        report.push(
            &path,
            Diagnostic::warning(code::ENDS, text).hint("add an Input node to the graph"),
        );
        let kind = NirKind::Input { shape };
        graph.nodes.push(NirNode {
            path,
            name,
            kind,
            metadata: Default::default(),
        });
        graph.edges.push((graph.nodes.len() - 1, index));
    }
    if !report.failed()
        && !graph
            .nodes
            .iter()
            .any(|n| matches!(n.kind, NirKind::Input { .. }))
    {
        let text = if graph.nodes.is_empty() {
            "the graph has no nodes"
        } else {
            "the graph has no Input, and every node has a predecessor"
        };
        report.push(
            "/node",
            Diagnostic::error(code::ENDS, text).hint("add an Input node where data enters"),
        );
    }
}

fn root_shape(kind: &NirKind) -> Option<Vec<usize>> {
    let list = kind.elementwise();
    match list
        .iter()
        .find(|(_, a)| a.data.len() != 1)
        .or(list.first())
    {
        Some((_, array)) if array.shape.is_empty() => Some(vec![1]),
        Some((_, array)) => Some(array.shape.clone()),
        None => declared(kind).ok()?.input,
    }
}

/// Adds an Output behind each node that leads nowhere; `shaped` and `order` grow with it.
pub fn add_outputs(
    graph: &mut FlatGraph,
    shaped: &mut Vec<Shaped>,
    order: &mut Vec<usize>,
    report: &mut Report,
) {
    let leaves = without(graph, |e| e.0);
    let lacking = leaves.iter().any(|&n| !is_end(graph, n));
    let mut taken = if lacking {
        names(graph)
    } else {
        HashSet::new()
    };
    for index in leaves {
        let (Some(node), Some(shapes)) = (graph.nodes.get(index), shaped.get(index)) else {
            continue;
        };
        let path = node.path.clone();
        match node.kind {
            NirKind::Output { .. } => continue,
            NirKind::Input { .. } => {
                let text = format!("Input `{}` leads nowhere", node.name);
                report.push(
                    &path,
                    Diagnostic::warning(code::ENDS, text).hint("add an edge from it, or remove it"),
                );
                continue;
            }
            _ => {}
        }
        let name = fresh_name("output", &node.name, &mut taken);
        let text = format!(
            "`{}` leads nowhere; Output `{name}` is added behind it",
            node.name
        );
        report.push(
            &path,
            Diagnostic::warning(code::ENDS, text).hint("add an Output node to the graph"),
        );
        let shape = shapes.output.clone();
        shaped.push(Shaped {
            input: shape.clone(),
            output: shape.clone(),
        });
        graph.nodes.push(NirNode {
            path,
            name,
            kind: NirKind::Output { shape },
            metadata: Default::default(),
        });
        order.push(graph.nodes.len() - 1);
        graph.edges.push((index, graph.nodes.len() - 1));
    }
    if !graph
        .nodes
        .iter()
        .any(|n| matches!(n.kind, NirKind::Output { .. }))
    {
        report.repair(
            "/node",
            code::ENDS,
            "the graph has no Output, and every node has a successor".into(),
            "it runs without one; record its populations by name",
            "add an Output node behind the nodes whose values are wanted",
        );
    }
}
