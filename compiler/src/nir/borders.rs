//! The borders of subgraphs: what lies inside is joined with what lies around.
//!
//! In: one subgraph's level once its nodes and edges are placed. Out: edges between its border and its Input and Output
//! nodes, or its first and last nodes when it has none. A subgraph with several Inputs is refused: an edge to it cannot
//! say which one it means.

use super::flatten::{Flattener, Level, Member, Place, Role, Vertex};
use super::graph::{NirKind, NirNode};
use super::report::code;
use synfire_ir::Diagnostic;

impl Flattener<'_> {
    /// Joins what a subgraph has inside with what lies around it.
    pub(super) fn close_subgraph(&mut self, sub: usize, level: &Level) {
        let Some(sub) = self.subs.get(sub) else {
            return;
        };
        let (name, path) = (sub.name.clone(), sub.path.clone());
        let (entry, exit, fed, read) = (sub.entry, sub.exit, sub.fed, sub.read);
        let of_role = |role: Role| -> Vec<(&str, usize)> {
            let members = level.members.iter().filter(|m| m.role == role);
            members
                .filter_map(|m| match m.place {
                    Place::Vertex(v) => Some((m.name.as_str(), v)),
                    Place::Sub(_) => None,
                })
                .collect()
        };
        match (of_role(Role::Input).as_slice(), fed) {
            ([], true) => self.enter_root(&name, &path, entry, level),
            ([], false) => {}
            ([(_, port)], true) => self.stand_for(entry, *port),
            ([(_, port)], false) => self.promote(entry, *port, "input", &name, &path),
            (many, _) => {
                let names: Vec<&str> = many.iter().take(12).map(|(n, _)| *n).collect();
                let text = format!(
                    "subgraph `{name}` has {} Inputs: {}",
                    many.len(),
                    names.join(", ")
                );
                let finding = Diagnostic::error(code::PORTS, text)
                    .note("an edge to the subgraph cannot say which of them it means")
                    .hint("give each Input a subgraph of its own, or write the graph flat");
                self.report.push(&path, finding);
            }
        }
        match (of_role(Role::Output).as_slice(), read) {
            ([], true) => self.leave_leaves(&name, &path, exit, level),
            ([], false) => {}
            ([(_, port)], true) => self.stand_for(exit, *port),
            ([(_, port), ..], false) => self.promote(exit, *port, "output", &name, &path),
            (_, true) => {}
        }
    }

    /// A subgraph without Input that is fed: the reference adds an Input before each node without predecessor.
    fn enter_root(&mut self, name: &str, path: &str, entry: usize, level: &Level) {
        let mut roots = level.inner().filter(|m| !m.fed);
        let (first, second) = (roots.next(), roots.next());
        let (Some(root), None) = (first, second) else {
            let what = if first.is_none() { "none" } else { "several" };
            let text = format!(
                "subgraph `{name}` is fed but has no Input, and {what} of its nodes could be meant"
            );
            let finding = Diagnostic::error(code::PORTS, text)
                .hint("add an Input node to the subgraph and an edge from it");
            self.report.push(path, finding);
            return;
        };
        let target = self.way_in(root.place);
        self.edges.extend(target.map(|t| (entry, t)));
        let text = format!(
            "subgraph `{name}` has no Input; what arrives goes to `{}`",
            root.name
        );
        self.report.push(
            path,
            Diagnostic::warning(code::ENDS, text).hint("add an Input node to the subgraph"),
        );
    }

    /// A subgraph without Output that is read: what its last nodes give.
    fn leave_leaves(&mut self, name: &str, path: &str, exit: usize, level: &Level) {
        let leaves: Vec<&Member> = level.inner().filter(|m| !m.read).collect();
        let names: Vec<&str> = leaves.iter().take(12).map(|m| m.name.as_str()).collect();
        let finding = if leaves.is_empty() {
            Diagnostic::error(
                code::PORTS,
                format!("subgraph `{name}` is read but has no Output and no last node"),
            )
        } else {
            let text = format!(
                "subgraph `{name}` has no Output; it gives what its last nodes give: {}",
                names.join(", ")
            );
            Diagnostic::warning(code::ENDS, text)
        };
        self.report.push(
            path,
            finding.hint("add an Output node to the subgraph and an edge to it"),
        );
        for leaf in leaves {
            let source = self.way_out(leaf.place);
            self.edges.extend(source.map(|s| (s, exit)));
        }
    }

    /// The junction at the border of a subgraph is its only Input or Output.
    fn stand_for(&mut self, junction: usize, port: usize) {
        let Some(Vertex::Junction(Some(port))) = self.vertices.get(port) else {
            return;
        };
        let port = *port;
        if let Some(vertex) = self.vertices.get_mut(junction) {
            *vertex = Vertex::Junction(Some(port));
        }
    }

    /// Nothing outside meets this border of the subgraph: it becomes an Input or Output of the whole graph.
    fn promote(&mut self, junction: usize, port: usize, side: &str, name: &str, path: &str) {
        let Some(Vertex::Junction(Some(port))) = self.vertices.get(port) else {
            return;
        };
        let Some(shape) = self.ports.get(*port).map(|p| p.shape.clone()) else {
            return;
        };
        let fresh = format!("{side}_{name}");
        let text = format!(
            "nothing is connected to the {side} of subgraph `{name}`; it becomes `{fresh}` of the whole graph"
        );
        self.report
            .push(path, Diagnostic::warning(code::ENDS, text));
        let kind = match side {
            "input" => NirKind::Input { shape },
            _ => NirKind::Output { shape },
        };
        let node = NirNode {
            path: path.to_owned(),
            name: fresh,
            kind,
            metadata: Default::default(),
        };
        if let Some(vertex) = self.vertices.get_mut(junction) {
            *vertex = Vertex::Node(Box::new(node));
        }
    }
}
