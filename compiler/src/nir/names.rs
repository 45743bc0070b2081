//! Order and uniqueness of names in a flat graph.
//!
//! In: a flat graph in any order. Out: the same with nodes in byte order of their names (then paths) and no name twice.

use super::flatten::FlatGraph;
use super::graph::NirNode;
use super::report::{Report, code};
use std::collections::HashSet;

/// Sorts nodes by name and makes names unique.
pub fn sort_by_name(graph: &mut FlatGraph, report: &mut Report) {
    // Nodes are large: indices are sorted in their place.
    let mut nodes: Vec<Option<NirNode>> = std::mem::take(&mut graph.nodes)
        .into_iter()
        .map(Some)
        .collect();
    let key = |n: &Option<NirNode>| n.as_ref().map(|n| (n.name.clone(), n.path.clone()));
    let mut order: Vec<(Option<(String, String)>, usize)> =
        nodes.iter().map(key).zip(0..).collect();
    order.sort_unstable();
    let mut rank = vec![0; nodes.len()];
    for (new, (_, old)) in order.iter().enumerate() {
        if let Some(slot) = rank.get_mut(*old) {
            *slot = new;
        }
    }
    graph.nodes = order
        .iter()
        .filter_map(|(_, old)| nodes.get_mut(*old)?.take())
        .collect();
    let at = |index: usize| rank.get(index).copied().unwrap_or(index);
    for (a, b) in &mut graph.edges {
        (*a, *b) = (at(*a), at(*b));
    }
    graph.edges.sort_unstable();
    for meeting in &mut graph.meetings {
        meeting.node = at(meeting.node);
    }
    let doubled = graph
        .nodes
        .windows(2)
        .any(|w| matches!(w, [a, b] if a.name == b.name));
    if doubled {
        make_names_differ(&mut graph.nodes, report);
    }
}

/// Numbers the second and further nodes of one name; takes nodes in order of their names.
fn make_names_differ(nodes: &mut [NirNode], report: &mut Report) {
    let mut names: HashSet<String> = nodes.iter().map(|n| n.name.clone()).collect();
    let mut last: Option<String> = None;
    let mut count = 2;
    for node in nodes {
        if last.as_deref() != Some(node.name.as_str()) {
            last = Some(node.name.clone());
            count = 2;
            continue;
        }
        while !names.insert(format!("{}_{count}", node.name)) {
            count += 1;
        }
        let fresh = format!("{}_{count}", node.name);
        report.repair(
            &node.path,
            code::NAME,
            format!(
                "two nodes are called `{}` once subgraphs are flattened",
                node.name
            ),
            &format!("the second is called `{fresh}`"),
            "rename one of them",
        );
        node.name = fresh;
    }
}
