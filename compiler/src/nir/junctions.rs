//! Drops the points where edges of different levels meet.
//!
//! In: vertices, some of them mere junctions (the borders of subgraphs), and edges between them. Out: the nodes alone,
//! with an edge for every way from one node to the next through junctions only, and where nodes met ports. A junction
//! with k edges in and m out becomes k m edges; their number is capped. Invariant: iterative, and the order of edges
//! follows from the order of the input.

use super::flatten::{Meeting, Vertex};
use super::graph::NirNode;
use super::report::{Report, code};
use synfire_ir::Diagnostic;

/// Most edges of a flat graph, or four times what the file has if that is more.
const MAX_EDGES: usize = 4_000_000;

/// What is left without junctions.
pub struct Joined {
    /// The nodes, in the order of the vertices.
    pub nodes: Vec<NirNode>,
    /// Edges between them.
    pub edges: Vec<(usize, usize)>,
    /// Wherever an edge had a port at one end and a node at the other.
    pub meetings: Vec<Meeting>,
}

/// Entries of a list of pairs, sorted by the first, that begin with `key`.
fn of(pairs: &[(usize, usize)], key: usize) -> &[(usize, usize)] {
    let start = pairs.partition_point(|p| p.0 < key);
    let end = pairs.partition_point(|p| p.0 <= key);
    pairs.get(start..end).unwrap_or_default()
}

/// Removes the junctions.
pub fn join(vertices: Vec<Vertex>, edges: Vec<(usize, usize)>, report: &mut Report) -> Joined {
    let mut nodes = Vec::new();
    let mut index: Vec<Option<usize>> = Vec::with_capacity(vertices.len());
    let mut port: Vec<Option<usize>> = Vec::with_capacity(vertices.len());
    for vertex in vertices {
        let (node, stands_for) = match vertex {
            Vertex::Node(node) => {
                nodes.push(*node);
                (Some(nodes.len() - 1), None)
            }
            Vertex::Junction(stands_for) => (None, stands_for),
        };
        index.push(node);
        port.push(stands_for);
    }
    let node_at = |v: usize| index.get(v).copied().flatten();
    let port_at = |v: usize| port.get(v).copied().flatten();
    let mut meetings = Vec::new();
    for &(a, b) in &edges {
        let met = |to_node| {
            move |(port, node)| Meeting {
                port,
                node,
                to_node,
            }
        };
        meetings.extend(port_at(a).zip(node_at(b)).map(met(true)));
        meetings.extend(port_at(b).zip(node_at(a)).map(met(false)));
    }
    let beyond = match Beyond::resolve(&index, &edges) {
        Ok(beyond) => beyond,
        Err(finding) => {
            report.push("/node", *finding);
            return Joined {
                nodes,
                edges: vec![],
                meetings,
            };
        }
    };
    let cap = MAX_EDGES.max(edges.len().saturating_mul(4));
    let mut joined = Vec::with_capacity(edges.len());
    for &(a, b) in &edges {
        let Some(source) = node_at(a) else { continue };
        match node_at(b) {
            Some(target) => joined.push((source, target)),
            None => joined.extend(beyond.of(b).iter().map(|&target| (source, target))),
        }
        if joined.len() > cap {
            report.push("/node", too_many(cap));
            break;
        }
    }
    Joined {
        nodes,
        edges: joined,
        meetings,
    }
}

fn too_many(cap: usize) -> Diagnostic {
    Diagnostic::error(
        code::LIMIT,
        format!("flattening the subgraphs would give more than {cap} edges"),
    )
    .hint("put one node between the many sources and the many targets of a subgraph")
}

/// For each junction: the nodes that its edges lead to through junctions only.
struct Beyond(Vec<Vec<usize>>);

impl Beyond {
    fn of(&self, junction: usize) -> &[usize] {
        self.0.get(junction).map(Vec::as_slice).unwrap_or_default()
    }

    /// Works from the last junctions of every chain backwards; what is never reached forms a loop.
    fn resolve(
        index: &[Option<usize>],
        edges: &[(usize, usize)],
    ) -> Result<Beyond, Box<Diagnostic>> {
        let is_junction = |v: usize| matches!(index.get(v), Some(None));
        let mut leaving: Vec<_> = edges
            .iter()
            .copied()
            .filter(|&(a, _)| is_junction(a))
            .collect();
        let mut entering: Vec<_> = leaving
            .iter()
            .filter(|&&(_, b)| is_junction(b))
            .map(|&(a, b)| (b, a))
            .collect();
        leaving.sort_unstable();
        entering.sort_unstable();
        let mut open = vec![0usize; index.len()];
        for &(_, a) in &entering {
            if let Some(count) = open.get_mut(a) {
                *count += 1;
            }
        }
        let junctions = (0..index.len()).filter(|&v| is_junction(v)).count();
        let mut ready: Vec<usize> = (0..index.len())
            .filter(|&v| is_junction(v) && open.get(v) == Some(&0))
            .collect();
        let mut beyond = Beyond(vec![Vec::new(); index.len()]);
        let (mut done, mut total) = (0, 0);
        let cap = MAX_EDGES.max(edges.len().saturating_mul(4));
        while let Some(junction) = ready.pop() {
            done += 1;
            let mut targets = Vec::new();
            for &(_, next) in of(&leaving, junction) {
                match index.get(next).copied().flatten() {
                    Some(node) => targets.push(node),
                    None => targets.extend_from_slice(beyond.of(next)),
                }
                if total + targets.len() > cap {
                    return Err(Box::new(too_many(cap)));
                }
            }
            total += targets.len();
            if let Some(slot) = beyond.0.get_mut(junction) {
                *slot = targets;
            }
            for &(_, before) in of(&entering, junction) {
                if let Some(count) = open.get_mut(before) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(before);
                    }
                }
            }
        }
        if done < junctions {
            let text =
                "subgraphs whose Input leads straight to their Output form a loop without any node";
            let finding = Diagnostic::error(code::LOOP, text).hint(
                "put a spiking neuron or a Delay into the loop, or remove the edge that closes it",
            );
            return Err(Box::new(finding));
        }
        Ok(beyond)
    }
}
