//! From HDF5 groups to the typed graph.
//!
//! In: an open [`hdf5::File`]. Out: [`NirGraph`] and the writer's version. Every node is a group with a `type` and
//! fields; fields that the type does not have are kept as metadata with a warning, missing and misfit ones are errors,
//! all of them told in one run. Invariants: at most [`MAX_NODES`] nodes, [`MAX_DEPTH`] levels. Shapes and edges are
//! not compared here.

use super::fields::Fields;
use super::graph::{Meta, Metadata, NirGraph, NirKind, NirNode, TYPE_NAMES};
use super::hdf5::{self, Hdf5Error, Members, Value};
use super::report::{Report, code};
use synfire_ir::Diagnostic;
use synfire_ir::diag::nearest;

/// Most levels of nested graphs, and of nested metadata.
pub const MAX_DEPTH: usize = 32;
/// Most nodes in one file, over all levels.
pub const MAX_NODES: usize = 2_000_000;

/// What a file holds.
pub struct Parsed {
    /// The graph at `/node`.
    pub graph: NirGraph,
    /// The root's metadata.
    pub metadata: Metadata,
    /// Version of the package that wrote the file, if it says.
    pub version: Option<String>,
}

/// Reads the graph. `None` when the file could not be read at all; the report says why.
pub fn parse(bytes: &[u8], report: &mut Report) -> Option<Parsed> {
    let file = match hdf5::File::open(bytes).and_then(|f| f.root()?.members()) {
        Ok(members) => members,
        Err(e) => {
            report.push("", hdf5_finding(e, "the file"));
            return None;
        }
    };
    let mut version = None;
    for (name, dataset) in file.datasets {
        if name == "version"
            && let Ok(Value::Text(text)) = dataset.read()
        {
            version = text.data.into_iter().next();
        }
    }
    let Some((_, root)) = file.groups.into_iter().find(|(name, _)| name == "node") else {
        report.push(
            "",
            Diagnostic::error(
                code::NOT_NIR,
                "this HDF5 file has no group /node, so it is not a NIR graph",
            )
            .hint("write the graph with nir.write(\"net.nir\", graph)"),
        );
        return None;
    };
    let mut parser = Parser { report, nodes: 0 };
    let node = parser.node(root, "/node".to_owned(), "node".to_owned(), 0)?;
    let (graph, metadata) = match node.kind {
        NirKind::Graph(graph) => (graph, node.metadata),
        _ => (parser.lone_root(node), Metadata::new()),
    };
    Some(Parsed {
        graph,
        metadata,
        version,
    })
}

/// The finding for an error of the HDF5 layer while reading `what`.
pub fn hdf5_finding(error: Hdf5Error, what: &str) -> Diagnostic {
    match error {
        Hdf5Error::Malformed(why) => {
            Diagnostic::error(code::HDF5, format!("{what} cannot be read as HDF5: {why}"))
                .hint("the file may be cut off or damaged: copy or write it again")
        }
        Hdf5Error::Limit(why) => {
            Diagnostic::error(code::LIMIT, format!("{what} is refused: {why}"))
                .hint("write the graph without compression, or in several files")
        }
        Hdf5Error::Unsupported(why) => Diagnostic::error(
            code::HDF5,
            format!("{what} uses HDF5 that is not read here: {why}"),
        )
        .hint("write plain numbers and strings, uncompressed or with gzip (deflate)"),
    }
}

struct Parser<'r> {
    report: &'r mut Report,
    nodes: usize,
}

impl Parser<'_> {
    /// Reads one node; nested graphs recurse to at most [`MAX_DEPTH`].
    fn node(
        &mut self,
        group: hdf5::Group,
        path: String,
        name: String,
        depth: usize,
    ) -> Option<NirNode> {
        self.nodes += 1;
        if self.nodes > MAX_NODES || depth > MAX_DEPTH {
            let what = if depth > MAX_DEPTH {
                format!("graphs nested deeper than {MAX_DEPTH} levels")
            } else {
                format!("more than {MAX_NODES} nodes")
            };
            let finding = Diagnostic::error(code::LIMIT, what).hint("flatten or split the graph");
            self.report.push(&path, finding);
            return None;
        }
        let members = match group.members() {
            Ok(members) => members,
            Err(e) => {
                self.report
                    .push(&path, hdf5_finding(e, &format!("node `{name}`")));
                return None;
            }
        };
        let Members { groups, datasets } = members;
        let mut fields = Fields::new(datasets, &path, &name, self.report);
        let kind_name = fields.type_name(&groups, self.report)?;
        let mut metadata = Metadata::new();
        let mut nodes = None;
        for (child, group) in groups {
            match child.as_str() {
                "metadata" => metadata = self.metadata(group, &format!("{path}/metadata"), 0),
                "nodes" if kind_name == "NIRGraph" => nodes = Some(group),
                _ => {
                    let finding = Diagnostic::warning(
                        code::UNKNOWN,
                        format!(
                            "{kind_name} `{name}` holds a group `{child}`, which its type does not have; kept as metadata"
                        ),
                    );
                    self.report.push(&path, finding);
                    let inner = self.metadata(group, &format!("{path}/{child}"), 0);
                    metadata.insert(child, Meta::Group(inner));
                }
            }
        }
        let kind = if kind_name == "NIRGraph" {
            let edges = fields.edges(self.report);
            let nodes = self.nodes(nodes, &path, &name, depth);
            edges
                .zip(nodes)
                .map(|(edges, nodes)| NirKind::Graph(NirGraph { nodes, edges }))
        } else {
            fields.kind(&kind_name, self.report)
        };
        metadata.extend(fields.rest(&kind_name, self.report));
        kind.map(|kind| NirNode {
            path,
            name,
            kind,
            metadata,
        })
    }

    fn nodes(
        &mut self,
        group: Option<hdf5::Group>,
        path: &str,
        name: &str,
        depth: usize,
    ) -> Option<Vec<NirNode>> {
        let Some(group) = group else {
            let finding = Diagnostic::error(
                code::MISSING,
                format!("graph `{name}` has no group `nodes`"),
            )
            .hint("write the graph with nir.write(\"net.nir\", graph)");
            self.report.push(path, finding);
            return None;
        };
        let members = match group.members() {
            Ok(members) => members,
            Err(e) => {
                self.report.push(
                    path,
                    hdf5_finding(e, &format!("the nodes of graph `{name}`")),
                );
                return None;
            }
        };
        let mut nodes = Vec::new();
        let mut whole = true;
        for (child, group) in members.groups {
            match self.node(group, format!("{path}/nodes/{child}"), child, depth + 1) {
                Some(node) => nodes.push(node),
                None if self.nodes > MAX_NODES => return None,
                None => whole = false,
            }
        }
        whole.then_some(nodes)
    }

    fn metadata(&mut self, group: hdf5::Group, path: &str, depth: usize) -> Metadata {
        let mut kept = Metadata::new();
        let members = match group.members() {
            Ok(members) if depth <= MAX_DEPTH => members,
            outcome => {
                let why = match outcome {
                    Err(e) => hdf5_finding(e, "metadata").message,
                    Ok(_) => format!("metadata nested deeper than {MAX_DEPTH} levels"),
                };
                self.report.push(
                    path,
                    Diagnostic::warning(code::UNKNOWN, format!("{why}; left out")),
                );
                return kept;
            }
        };
        for (name, dataset) in members.datasets {
            match dataset.read() {
                Ok(value) => {
                    kept.insert(name, Meta::Value(value));
                }
                Err(e) => {
                    let why = hdf5_finding(e, &format!("metadata `{name}`")).message;
                    self.report.push(
                        path,
                        Diagnostic::warning(code::UNKNOWN, format!("{why}; left out")),
                    );
                }
            }
        }
        for (name, group) in members.groups {
            let inner = self.metadata(group, &format!("{path}/{name}"), depth + 1);
            kept.insert(name, Meta::Group(inner));
        }
        kept
    }

    /// A file whose root is a single node: the reference writer makes such files, its reader refuses them.
    fn lone_root(&mut self, node: NirNode) -> NirGraph {
        self.report.repair(
            "/node",
            code::NOT_NIR,
            format!(
                "the root of the file is a lone {} and not a NIRGraph",
                node.kind.type_name()
            ),
            "put into a graph of its own",
            "wrap the node: nir.NIRGraph.from_list(node)",
        );
        NirGraph {
            nodes: vec![node],
            edges: vec![],
        }
    }
}

/// What to say about a node type that is not one of the 19.
pub fn unknown_type(found: &str, name: &str) -> Diagnostic {
    let finding = Diagnostic::error(
        code::TYPE,
        format!("node `{name}` has the unknown type `{found}`"),
    );
    if found == "Identity" {
        return finding
            .note("Identity exists in the nir package but cannot be read back by it")
            .hint("leave the node out and connect its neighbours directly");
    }
    let finding = finding.hint(format!("known types: {}", TYPE_NAMES.join(", ")));
    match nearest(found, TYPE_NAMES) {
        Some(close) => finding.hint(format!("did you mean `{close}`?")),
        None => finding,
    }
}
