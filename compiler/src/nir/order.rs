//! In which order nodes are evaluated within a step, and which edges carry the step before.
//!
//! In: a flat graph and which of its Delay nodes hold a value for at least one step. Out: [`Order`]. A loop is broken
//! where state carries over to the next step: before a Delay of at least one step, else at every edge that leaves a
//! spiking neuron and stays in the loop (`nir.md` section 5: such an edge carries the spikes of the previous step).
//! Loops without either are algebraic and refused. Invariants: iterative; the result depends on the graph alone; of
//! several nodes that are ready the one of lowest index comes first.

use super::flatten::FlatGraph;
use super::report::{Report, code};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::DiGraph;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use synfire_ir::Diagnostic;

/// How many names of a loop a message shows.
const SHOWN: usize = 8;

/// Evaluation order of a flat graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Indices of nodes; every edge that is neither delayed nor into a Delay that closes a loop goes forward in it.
    pub nodes: Vec<usize>,
    /// For each edge of the graph: does it carry the values of the step before?
    pub delayed: Vec<bool>,
}

/// Finds the order. `holds(n)`: node `n` is a Delay of at least one step for all its elements.
pub fn order(
    graph: &FlatGraph,
    holds: impl Fn(usize) -> bool,
    report: &mut Report,
) -> Option<Order> {
    let count = graph.nodes.len();
    let whole = components(count, graph.edges.iter().copied());
    let same = |parts: &[usize], a: usize, b: usize| parts.get(a) == parts.get(b);
    let into_delay: Vec<bool> = graph
        .edges
        .iter()
        .map(|&(a, b)| holds(b) && same(&whole, a, b))
        .collect();
    let open = || {
        graph
            .edges
            .iter()
            .zip(&into_delay)
            .filter(|(_, cut)| !**cut)
            .map(|(e, _)| *e)
    };
    let parts = components(count, open());
    let spikes = |n: usize| graph.nodes.get(n).is_some_and(|n| n.kind.spikes());
    let delayed: Vec<bool> = graph
        .edges
        .iter()
        .zip(&into_delay)
        .map(|(&(a, b), &cut)| !cut && spikes(a) && same(&parts, a, b))
        .collect();
    let forward: Vec<(usize, usize)> = graph
        .edges
        .iter()
        .zip(into_delay.iter().zip(&delayed))
        .filter(|(_, (cut, delayed))| !**cut && !**delayed)
        .map(|(e, _)| *e)
        .collect();
    let nodes = topological(count, &forward);
    if nodes.len() < count {
        report_loop(graph, &nodes, &forward, report);
        return None;
    }
    Some(Order { nodes, delayed })
}

/// For each node the number of its strongly connected component.
fn components(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(count, 0);
    for _ in 0..count {
        graph.add_node(());
    }
    for (a, b) in edges {
        graph.add_edge((a as u32).into(), (b as u32).into(), ());
    }
    let mut number = vec![0; count];
    for (part, members) in kosaraju_scc(&graph).into_iter().enumerate() {
        for member in members {
            if let Some(slot) = number.get_mut(member.index()) {
                *slot = part;
            }
        }
    }
    number
}

/// The nodes that can be ordered; those in and behind a loop are left out.
fn topological(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut waiting = vec![0usize; count];
    let mut sorted = edges.to_vec();
    sorted.sort_unstable();
    for &(_, b) in edges {
        if let Some(n) = waiting.get_mut(b) {
            *n += 1;
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..count)
        .filter(|&n| waiting.get(n) == Some(&0))
        .map(Reverse)
        .collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        let first = sorted.partition_point(|e| e.0 < node);
        for &(_, next) in sorted.iter().skip(first).take_while(|e| e.0 == node) {
            if let Some(n) = waiting.get_mut(next) {
                *n -= 1;
                if *n == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
    }
    order
}

/// Shows one loop among the nodes that could not be ordered.
fn report_loop(graph: &FlatGraph, done: &[usize], forward: &[(usize, usize)], report: &mut Report) {
    let mut left = vec![true; graph.nodes.len()];
    for &n in done {
        if let Some(slot) = left.get_mut(n) {
            *slot = false;
        }
    }
    let is_left = |n: usize| left.get(n) == Some(&true);
    // Every node that is left has a predecessor that is left, so walking back must come round.
    let mut before: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    for &(a, b) in forward.iter().filter(|e| is_left(e.0) && is_left(e.1)) {
        if let Some(slot) = before.get_mut(b) {
            slot.get_or_insert(a);
        }
    }
    let mut step = vec![None; graph.nodes.len()];
    let mut walk = Vec::new();
    let mut at = (0..graph.nodes.len()).find(|&n| is_left(n));
    while let Some(n) = at {
        if let Some(start) = step.get(n).copied().flatten() {
            walk.drain(..start);
            break;
        }
        if let Some(slot) = step.get_mut(n) {
            *slot = Some(walk.len());
        }
        walk.push(n);
        at = before.get(n).copied().flatten();
    }
    walk.reverse();
    let name = |n: &usize| graph.nodes.get(*n).map_or("", |n| n.name.as_str());
    let mut shown: Vec<&str> = walk.iter().take(SHOWN).map(name).collect();
    if walk.len() > SHOWN {
        shown.push("...");
    }
    shown.extend(walk.first().map(name));
    let text = format!("algebraic loop: {}", shown.join(" -> "));
    let finding = Diagnostic::error(code::LOOP, text)
        .note("within one step each of these nodes needs the result of the one before it")
        .hint("let the loop run through a spiking neuron (IF, LIF, CubaLIF) or a Delay of at least one time step")
        .field("length", walk.len());
    let path = walk
        .first()
        .and_then(|n| graph.nodes.get(*n))
        .map_or("/node", |n| n.path.as_str());
    report.push(path, finding);
}
