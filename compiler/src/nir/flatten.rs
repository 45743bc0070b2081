//! Nested graphs become one graph.
//!
//! In: a [`NirGraph`]. Out: a [`FlatGraph`] without subgraphs: names of all levels joined by ".", nodes in byte order
//! of these names, edges as pairs of indices. The Input and Output nodes of subgraphs are dropped and their neighbours
//! joined; what shapes they declared stays in [`FlatGraph::ports`] for the shape check. Invariants: no recursion, so a
//! chain of a million nodes is as safe as one of three; linear work but for the joining, which is capped. Two paths
//! from one node to another through a subgraph give two edges, because values of several edges are summed.

use super::ends::add_inputs;
use super::graph::{NirGraph, NirKind, NirNode};
use super::junctions::{Joined, join};
use super::names::sort_by_name;
use super::parse::MAX_DEPTH;
use super::report::{Report, code};
use std::collections::{HashMap, HashSet};
use synfire_ir::Diagnostic;
use synfire_ir::diag::nearest;

/// A graph without subgraphs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlatGraph {
    /// Nodes in byte order of their names; none is a graph.
    pub nodes: Vec<NirNode>,
    /// Edges as indices into `nodes`, sorted; an edge may occur more than once.
    pub edges: Vec<(usize, usize)>,
    /// Inputs and Outputs of subgraphs, which were dropped.
    pub ports: Vec<Port>,
    /// Where ports met nodes.
    pub meetings: Vec<Meeting>,
}

/// An edge between a port and a node that stayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meeting {
    /// Index into [`FlatGraph::ports`].
    pub port: usize,
    /// Index into [`FlatGraph::nodes`].
    pub node: usize,
    /// Does the edge lead from the port to the node?
    pub to_node: bool,
}

/// An Input or Output of a subgraph.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// Name of the subgraph in the flat graph.
    pub subgraph: String,
    /// Name of the node in the flat graph.
    pub name: String,
    /// Path in the file.
    pub path: String,
    /// Is it an Input?
    pub input: bool,
    /// The shape that it declares.
    pub shape: Vec<usize>,
}

/// One point of the graph while it is being flattened.
pub(super) enum Vertex {
    /// A node that stays.
    Node(Box<NirNode>),
    /// A point where edges meet and which is dropped; with the port that it stands for, if it is one.
    Junction(Option<usize>),
}

/// A subgraph on the way.
pub(super) struct Sub {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) depth: usize,
    pub(super) entry: usize,
    pub(super) exit: usize,
    pub(super) fed: bool,
    pub(super) read: bool,
}

/// What a name of one level stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Vertex(usize),
    Sub(usize),
}

/// Part that a node plays in its own graph.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Input,
    Output,
    Inner,
}

/// One node of a level, and whether edges of the level enter and leave it.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) role: Role,
    pub(super) fed: bool,
    pub(super) read: bool,
}

/// The nodes of one graph, in its order, and where each name is among them.
#[derive(Default)]
pub(super) struct Level {
    pub(super) members: Vec<Member>,
    pub(super) index: HashMap<String, usize>,
}

impl Level {
    /// `false` when the name is taken.
    fn add(&mut self, member: Member) -> bool {
        let fresh = self
            .index
            .insert(member.name.clone(), self.members.len())
            .is_none();
        self.members.push(member);
        fresh
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    pub(super) fn inner(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|m| m.role == Role::Inner)
    }
}

pub(super) struct Flattener<'r> {
    pub(super) report: &'r mut Report,
    pub(super) vertices: Vec<Vertex>,
    pub(super) edges: Vec<(usize, usize)>,
    pub(super) subs: Vec<Sub>,
    pub(super) ports: Vec<Port>,
    pub(super) pending: Vec<(NirGraph, usize)>,
}

/// Flattens a graph. Findings go to the report; the result is only of use when it has no errors.
pub fn flatten(graph: NirGraph, report: &mut Report) -> FlatGraph {
    let mut work = Flattener {
        report,
        vertices: vec![],
        edges: vec![],
        subs: vec![],
        ports: vec![],
        pending: vec![],
    };
    work.level(graph, None);
    while let Some((graph, sub)) = work.pending.pop() {
        work.level(graph, Some(sub));
    }
    let Flattener {
        report,
        vertices,
        edges,
        ports,
        ..
    } = work;
    let Joined {
        nodes,
        edges,
        meetings,
    } = join(vertices, edges, report);
    let mut graph = FlatGraph {
        nodes,
        edges,
        ports,
        meetings,
    };
    add_inputs(&mut graph, report);
    sort_by_name(&mut graph, report);
    graph
}

impl Flattener<'_> {
    fn vertex(&mut self, vertex: Vertex) -> usize {
        self.vertices.push(vertex);
        self.vertices.len() - 1
    }

    fn level(&mut self, graph: NirGraph, sub: Option<usize>) {
        let (prefix, path, depth) = match sub.and_then(|s| self.subs.get(s)) {
            Some(s) => (format!("{}.", s.name), s.path.clone(), s.depth),
            None => (String::new(), "/node".to_owned(), 0),
        };
        if depth == MAX_DEPTH + 1 {
            let finding = Diagnostic::error(
                code::LIMIT,
                format!("graphs nested deeper than {MAX_DEPTH} levels"),
            );
            self.report
                .push(&path, finding.hint("flatten the graph before writing"));
        }
        let mut level = Level::default();
        for node in graph.nodes {
            let name = node.name.clone();
            let (place, role) = self.place(node, &prefix, sub);
            if !level.add(Member {
                name: name.clone(),
                place,
                role,
                fed: false,
                read: false,
            }) {
                let finding = Diagnostic::error(
                    code::NAME,
                    format!("two nodes of one graph are called `{name}`"),
                );
                self.report.push(&path, finding.hint("rename one of them"));
            }
        }
        let mut seen = HashSet::new();
        for (from, to) in graph.edges {
            let ends = (level.find(&from), level.find(&to));
            let (Some(a), Some(b)) = ends else {
                self.dangling(&from, &to, ends, &path, &level);
                continue;
            };
            if !self.runs_forward(a, b, &path, &level) {
                continue;
            }
            if seen.insert((a, b)) {
                self.connect(a, b, &mut level);
            } else {
                self.duplicate(&from, &to, &path);
            }
        }
        if let Some(sub) = sub {
            self.close_subgraph(sub, &level);
        }
    }

    fn place(&mut self, node: NirNode, prefix: &str, sub: Option<usize>) -> (Place, Role) {
        let name = format!("{prefix}{}", node.name);
        let path = node.path.clone();
        match (node.kind, sub.and_then(|s| self.subs.get(s))) {
            (NirKind::Graph(inner), outer) => {
                let depth = outer.map_or(0, |s| s.depth) + 1;
                let entry = self.vertex(Vertex::Junction(None));
                let exit = self.vertex(Vertex::Junction(None));
                self.subs.push(Sub {
                    name,
                    path,
                    depth,
                    entry,
                    exit,
                    fed: false,
                    read: false,
                });
                self.pending.push((inner, self.subs.len() - 1));
                (Place::Sub(self.subs.len() - 1), Role::Inner)
            }
            (NirKind::Input { shape }, Some(outer)) => {
                let (entry, subgraph) = (outer.entry, outer.name.clone());
                let at = self.port(Port {
                    subgraph,
                    name,
                    path,
                    input: true,
                    shape,
                });
                self.edges.push((entry, at));
                (Place::Vertex(at), Role::Input)
            }
            (NirKind::Output { shape }, Some(outer)) => {
                let (exit, subgraph) = (outer.exit, outer.name.clone());
                let at = self.port(Port {
                    subgraph,
                    name,
                    path,
                    input: false,
                    shape,
                });
                self.edges.push((at, exit));
                (Place::Vertex(at), Role::Output)
            }
            (kind, _) => {
                let role = match kind {
                    NirKind::Input { .. } => Role::Input,
                    NirKind::Output { .. } => Role::Output,
                    _ => Role::Inner,
                };
                let metadata = node.metadata;
                let vertex = Vertex::Node(Box::new(NirNode {
                    path,
                    name,
                    kind,
                    metadata,
                }));
                (Place::Vertex(self.vertex(vertex)), role)
            }
        }
    }

    fn port(&mut self, port: Port) -> usize {
        self.ports.push(port);
        self.vertex(Vertex::Junction(Some(self.ports.len() - 1)))
    }

    /// May an edge lead from this member to that one? Tells when not.
    fn runs_forward(&mut self, from: usize, to: usize, path: &str, level: &Level) -> bool {
        let (Some(from), Some(to)) = (level.members.get(from), level.members.get(to)) else {
            return false;
        };
        let way = match (from.role, to.role) {
            (_, Role::Input) => "into an Input",
            (Role::Output, _) => "out of an Output",
            _ => return true,
        };
        let text = format!(
            "edge `{}` -> `{}` leads {way} of its own graph",
            from.name, to.name
        );
        let finding = Diagnostic::error(code::EDGE, text);
        self.report.push(
            path,
            finding.hint("connect the node that the value is meant for"),
        );
        false
    }

    fn dangling(
        &mut self,
        from: &str,
        to: &str,
        ends: (Option<usize>, Option<usize>),
        path: &str,
        level: &Level,
    ) {
        for (name, end) in [(from, ends.0), (to, ends.1)] {
            if end.is_some() {
                continue;
            }
            let text = format!("edge `{from}` -> `{to}`: there is no node `{name}` in this graph");
            let finding = Diagnostic::error(code::DANGLING, text).field("missing", name);
            // Comparing with every name of a huge graph for every edge would take too long.
            let names = level.members.iter().take(2_000).map(|m| m.name.as_str());
            let finding = match nearest(name, names) {
                Some(close) => finding.hint(format!("did you mean `{close}`?")),
                None => {
                    let known: Vec<&str> = level
                        .members
                        .iter()
                        .take(12)
                        .map(|m| m.name.as_str())
                        .collect();
                    finding.hint(format!("nodes of this graph: {}", known.join(", ")))
                }
            };
            self.report.push(path, finding);
        }
    }

    fn duplicate(&mut self, from: &str, to: &str, path: &str) {
        self.report.repair(
            path,
            code::DUPLICATE,
            format!("edge `{from}` -> `{to}` is given twice"),
            "counted once",
            "remove one of them; for twice the effect double the weights",
        );
    }

    fn connect(&mut self, from: usize, to: usize, level: &mut Level) {
        let a = level.members.get_mut(from).map(|m| {
            m.read = true;
            m.place
        });
        let b = level.members.get_mut(to).map(|m| {
            m.fed = true;
            m.place
        });
        let a = a.and_then(|place| self.way_out(place));
        let b = b.and_then(|place| self.way_in(place));
        self.edges.extend(a.zip(b));
    }

    /// The vertex where edges to that place end; a subgraph takes note that it is fed.
    pub(super) fn way_in(&mut self, place: Place) -> Option<usize> {
        match place {
            Place::Vertex(v) => Some(v),
            Place::Sub(s) => self.subs.get_mut(s).map(|s| {
                s.fed = true;
                s.entry
            }),
        }
    }

    /// The vertex where edges from that place begin; a subgraph takes note that it is read.
    pub(super) fn way_out(&mut self, place: Place) -> Option<usize> {
        match place {
            Place::Vertex(v) => Some(v),
            Place::Sub(s) => self.subs.get_mut(s).map(|s| {
                s.read = true;
                s.exit
            }),
        }
    }
}
