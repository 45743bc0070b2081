//! Shape inference and check.
//!
//! In: a flat graph and its evaluation order. Out: the input and output shape of every node, with parameters of one
//! element left as they are (they hold for all elements). Every edge is compared; a disagreement names the file, the
//! node, the edge, both shapes and a remedy. Without `strict`, three quirks of real files are mended and told: axes of
//! length 1 kept in an Input or Output, Inputs and Outputs of subgraphs with a shape of their own, and parameters of
//! one element (`nir.md` section 8, items 13, 17 and 19). Invariant: after a report without errors, each edge has equal
//! shapes at both ends.

use super::flatten::{FlatGraph, Meeting};
use super::geometry::{
    Declared, Misfit, Shape, conv_output, declared, elements, flattened, pool_output, without_units,
};
use super::graph::{Array, NirKind, NirNode, shape_text};
use super::report::{Report, code};
use std::collections::HashSet;
use synfire_ir::Diagnostic;

/// The two shapes of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shaped {
    /// What arrives.
    pub input: Shape,
    /// What it gives.
    pub output: Shape,
}

/// What a node says before its neighbours are asked.
#[derive(Clone, Debug)]
enum Own {
    /// Fixed by its parameters, as far as they fix it.
    Fixed(Declared),
    /// Parameters of one element each: takes the shape of what arrives, this one if nothing does.
    OneElement(Shape),
    /// Wrong, told already.
    Broken,
}

/// Infers and checks all shapes; the result has one entry for each node (empty where there was an error).
pub fn infer(graph: &mut FlatGraph, order: &[usize], report: &mut Report) -> Vec<Shaped> {
    let mut own: Vec<Own> = graph.nodes.iter().map(|n| own_shape(n, report)).collect();
    let into = predecessors(graph);
    strip_batch_of_inputs(graph, &mut own, report);
    let mut shaped: Vec<Option<Shaped>> = own
        .iter()
        .map(|o| match o {
            Own::Fixed(Declared {
                input: Some(i),
                output: Some(o),
            }) => Some(Shaped {
                input: i.clone(),
                output: o.clone(),
            }),
            _ => None,
        })
        .collect();
    for &index in order {
        let arriving = into.get(index).into_iter().flatten().find_map(|&p| {
            shaped
                .get(p)
                .and_then(Option::as_ref)
                .map(|s| s.output.clone())
        });
        let (Some(node), Some(own)) = (graph.nodes.get_mut(index), own.get(index)) else {
            continue;
        };
        if let NirKind::Output { shape } = &mut node.kind {
            strip_batch_of_output(&node.name, &node.path, shape, arriving.as_deref(), report);
            let both = shape.clone();
            if let Some(slot) = shaped.get_mut(index) {
                *slot = Some(Shaped {
                    input: both.clone(),
                    output: both,
                });
            }
            continue;
        }
        let Some(slot) = shaped.get_mut(index).filter(|s| s.is_none()) else {
            continue;
        };
        *slot = from_arriving(node, own, arriving, report);
    }
    check_sizes(graph, &shaped, report);
    check_edges(graph, &shaped, report);
    check_ports(graph, &shaped, report);
    shaped.into_iter().map(Option::unwrap_or_default).collect()
}

/// For each node its predecessors, in order of the edges.
fn predecessors(graph: &FlatGraph) -> Vec<Vec<usize>> {
    let mut into = vec![Vec::new(); graph.nodes.len()];
    for &(a, b) in &graph.edges {
        if let Some(list) = into.get_mut(b) {
            list.push(a);
        }
    }
    into
}

fn misfit(node: &NirNode, (message, hint): Misfit, report: &mut Report) {
    let text = format!("{} `{}`: {message}", node.kind.type_name(), node.name);
    report.push(&node.path, Diagnostic::error(code::INFER, text).hint(hint));
}

fn own_shape(node: &NirNode, report: &mut Report) -> Own {
    let list = node.kind.elementwise();
    if !list.is_empty() {
        return elementwise_shape(node, &list, report);
    }
    let found = match declared(&node.kind) {
        Ok(found) => found,
        Err(why) => {
            misfit(node, why, report);
            return Own::Broken;
        }
    };
    let bias = match &node.kind {
        NirKind::Affine { bias, .. } => found.output.clone().map(|out| (bias, out)),
        NirKind::Conv1d(c) | NirKind::Conv2d(c) => {
            c.weight.shape.first().map(|&out| (&c.bias, vec![out]))
        }
        _ => None,
    };
    if let Some((bias, wanted)) = bias
        && !bias_fits(node, bias, &wanted, report)
    {
        return Own::Broken;
    }
    Own::Fixed(found)
}

/// A bias has the output's shape, or that of its last axis.
fn bias_fits(node: &NirNode, bias: &Array, wanted: &[usize], report: &mut Report) -> bool {
    let last = wanted.len().saturating_sub(1);
    if bias.shape == wanted || Some(bias.shape.as_slice()) == wanted.get(last..) {
        return true;
    }
    let (found, need) = (shape_text(&bias.shape), shape_text(wanted));
    let text = format!(
        "`bias` of node `{}` has shape {found}, its output has {need}",
        node.name
    );
    let hint = format!("give `bias` the shape {need}");
    if bias.data.len() == 1 {
        report.repair(
            &node.path,
            code::BROADCAST,
            text,
            "its one value holds for all outputs",
            &hint,
        );
        return true;
    }
    report.push(&node.path, Diagnostic::error(code::FIELD, text).hint(hint));
    false
}

/// All parameters of a neuron have one shape; those of one element can stand for any.
fn elementwise_shape(node: &NirNode, list: &[(&'static str, &Array)], report: &mut Report) -> Own {
    let whole = list.iter().find(|(_, a)| a.data.len() != 1);
    let single = list.iter().find(|(_, a)| !a.shape.is_empty());
    let (name, shape) = match (whole, single) {
        (Some((name, array)), _) | (None, Some((name, array))) => (*name, array.shape.clone()),
        (None, None) => return Own::OneElement(vec![]),
    };
    for (field, array) in list {
        // The reference spreads a scalar `w_in` itself.
        let spread_by_reference = *field == "w_in" && array.shape.is_empty();
        if array.shape == shape || spread_by_reference {
            continue;
        }
        let text = format!(
            "`{field}` of node `{}` has shape {}, `{name}` has {}",
            node.name,
            shape_text(&array.shape),
            shape_text(&shape)
        );
        let hint = "give all parameters of a node the same shape";
        if array.data.len() != 1 {
            report.push(&node.path, Diagnostic::error(code::FIELD, text).hint(hint));
            return Own::Broken;
        }
        let done = format!("the one value of `{field}` holds for all elements");
        report.repair(&node.path, code::BROADCAST, text, &done, hint);
    }
    match whole {
        Some(_) => Own::Fixed(Declared {
            input: Some(shape.clone()),
            output: Some(shape),
        }),
        None => Own::OneElement(shape),
    }
}

/// Shapes of a node that asks what arrives.
fn from_arriving(
    node: &NirNode,
    own: &Own,
    arriving: Option<Shape>,
    report: &mut Report,
) -> Option<Shaped> {
    let fixed = match own {
        Own::Broken => return None,
        Own::OneElement(shape) => return Some(spread(node, shape, arriving, report)),
        Own::Fixed(declared) => declared.input.clone(),
    };
    let Some(input) = fixed.or(arriving) else {
        let text = format!(
            "{} `{}`: its input shape is unknown",
            node.kind.type_name(),
            node.name
        );
        let hint = match node.kind {
            NirKind::Flatten { .. } => "write `input_type`, or connect a node before it",
            NirKind::Conv1d(_) | NirKind::Conv2d(_) => {
                "write `input_shape`, or connect a node before it"
            }
            _ => "connect a node before it",
        };
        report.push(&node.path, Diagnostic::error(code::INFER, text).hint(hint));
        return None;
    };
    let output = match &node.kind {
        NirKind::Conv1d(conv) => conv_output(conv, 1, &input),
        NirKind::Conv2d(conv) => conv_output(conv, 2, &input),
        NirKind::SumPool2d(pool) | NirKind::AvgPool2d(pool) => pool_output(pool, &input),
        NirKind::Flatten {
            start_dim, end_dim, ..
        } => flattened(&input, *start_dim, *end_dim),
        _ => Ok(input.clone()),
    };
    match output {
        Ok(output) => Some(Shaped { input, output }),
        Err(why) => {
            misfit(node, why, report);
            None
        }
    }
}

/// A node whose parameters have one element each takes the shape of what arrives.
fn spread(node: &NirNode, shape: &[usize], arriving: Option<Shape>, report: &mut Report) -> Shaped {
    let taken = match arriving {
        Some(arriving) => arriving,
        None if shape.is_empty() => vec![1],
        None => shape.to_vec(),
    };
    if taken != shape {
        let wanted = shape_text(&taken);
        report.repair(
            &node.path,
            code::BROADCAST,
            format!(
                "parameters of node `{}` have shape {}, it receives {wanted}",
                node.name,
                shape_text(shape)
            ),
            &format!("each value holds for all elements of {wanted}"),
            &format!("write the parameters with shape {wanted}: NIR does not broadcast"),
        );
    }
    Shaped {
        input: taken.clone(),
        output: taken,
    }
}

/// Old exporters kept the batch axis in `shape` of Inputs.
fn strip_batch_of_inputs(graph: &mut FlatGraph, own: &mut [Own], report: &mut Report) {
    let mut wanted: Vec<Option<Shape>> = vec![None; graph.nodes.len()];
    let mut agreed = vec![true; graph.nodes.len()];
    for &(a, b) in &graph.edges {
        let (Some(NirKind::Input { shape }), Some(node)) =
            (graph.nodes.get(a).map(|n| &n.kind), graph.nodes.get(b))
        else {
            continue;
        };
        let rank = match node.kind {
            NirKind::Conv1d(_) => Some(2),
            NirKind::Conv2d(_) | NirKind::SumPool2d(_) | NirKind::AvgPool2d(_) => Some(3),
            _ => None,
        };
        let takes = match (own.get(b), rank) {
            (
                Some(Own::Fixed(Declared {
                    input: Some(input), ..
                })),
                _,
            ) => Some(input.clone()),
            (_, Some(rank)) => shape
                .len()
                .checked_sub(rank)
                .and_then(|n| shape.get(n..))
                .map(<[_]>::to_vec),
            _ => None,
        };
        if let (Some(takes), Some(slot), Some(agreed)) =
            (takes, wanted.get_mut(a), agreed.get_mut(a))
        {
            *agreed &= slot.as_ref().is_none_or(|s| *s == takes);
            slot.get_or_insert(takes);
        }
    }
    for (index, (takes, agreed)) in wanted.into_iter().zip(agreed).enumerate() {
        let (Some(takes), true, Some(node)) = (takes, agreed, graph.nodes.get_mut(index)) else {
            continue;
        };
        let NirKind::Input { shape } = &mut node.kind else {
            continue;
        };
        if *shape == takes || without_units(shape) != without_units(&takes) {
            continue;
        }
        batch_axis("Input", &node.name, &node.path, shape, &takes, report);
        *shape = takes.clone();
        if let Some(slot) = own.get_mut(index) {
            *slot = Own::Fixed(Declared {
                input: Some(takes.clone()),
                output: Some(takes),
            });
        }
    }
}

fn strip_batch_of_output(
    name: &str,
    path: &str,
    shape: &mut Shape,
    arriving: Option<&[usize]>,
    report: &mut Report,
) {
    let Some(arriving) = arriving else { return };
    if shape == arriving || without_units(shape) != without_units(arriving) {
        return;
    }
    batch_axis("Output", name, path, shape, arriving, report);
    *shape = arriving.to_vec();
}

fn batch_axis(
    kind: &str,
    name: &str,
    path: &str,
    found: &[usize],
    taken: &[usize],
    report: &mut Report,
) {
    let (found, taken) = (shape_text(found), shape_text(taken));
    let neighbour = if kind == "Input" {
        "what follows takes"
    } else {
        "what arrives has"
    };
    report.repair(
        path,
        code::BATCH_AXIS,
        format!("{kind} `{name}` has shape {found}, {neighbour} {taken}; axes of length 1 are no part of NIR shapes"),
        &format!("taken as {taken}"),
        &format!("write the {kind} with shape {taken}"),
    );
}

fn check_sizes(graph: &FlatGraph, shaped: &[Option<Shaped>], report: &mut Report) {
    for (node, shapes) in graph.nodes.iter().zip(shaped) {
        let Some(shapes) = shapes else { continue };
        for shape in [&shapes.input, &shapes.output] {
            if elements(shape).is_none() {
                let text = format!(
                    "node `{}` has the shape {}, more than 2^31 elements",
                    node.name,
                    shape_text(shape)
                );
                report.push(
                    &node.path,
                    Diagnostic::error(code::LIMIT, text).hint("split the layer"),
                );
                break;
            }
        }
    }
}

fn check_edges(graph: &FlatGraph, shaped: &[Option<Shaped>], report: &mut Report) {
    let at = |i: usize| {
        graph
            .nodes
            .get(i)
            .zip(shaped.get(i).and_then(Option::as_ref))
    };
    for &(a, b) in &graph.edges {
        let (Some((from, gives)), Some((to, takes))) = (at(a), at(b)) else {
            continue;
        };
        if gives.output == takes.input {
            continue;
        }
        let (given, taken) = (shape_text(&gives.output), shape_text(&takes.input));
        let text = format!(
            "edge `{}` -> `{}`: {} `{}` gives {given}, {} `{}` takes {taken}",
            from.name,
            to.name,
            from.kind.type_name(),
            from.name,
            to.kind.type_name(),
            to.name
        );
        let finding = Diagnostic::error(code::SHAPE, text)
            .hint(remedy(from, to, gives, takes))
            .field("edge", format!("{} -> {}", from.name, to.name))
            .field("given", given)
            .field("taken", taken);
        report.push(&to.path, finding);
    }
}

fn remedy(from: &NirNode, to: &NirNode, gives: &Shaped, takes: &Shaped) -> String {
    let given = shape_text(&gives.output);
    if let NirKind::Flatten { start_dim, .. } = from.kind
        && elements(&gives.output) == elements(&takes.input)
    {
        return format!(
            "`start_dim` of `{}` is {start_dim}; axes are counted without a batch axis, so 0 flattens all",
            from.name
        );
    }
    if elements(&gives.output) == elements(&takes.input) && takes.input.len() == 1 {
        return format!(
            "put a Flatten (start_dim 0, end_dim -1) between `{}` and `{}`",
            from.name, to.name
        );
    }
    match &to.kind {
        NirKind::Affine { .. } | NirKind::Linear { .. } => {
            format!("the last axis of `weight` of `{}` must be {given}", to.name)
        }
        NirKind::Output { .. } => format!("write the Output with shape {given}"),
        NirKind::Conv1d(_) | NirKind::Conv2d(_) => format!(
            "`input_shape`, and the second axis of `weight` times `groups`, of `{}` must fit {given}",
            to.name
        ),
        _ => format!("write the parameters of `{}` with shape {given}", to.name),
    }
}

/// Compares what Inputs and Outputs of subgraphs declared with their neighbours.
fn check_ports(graph: &FlatGraph, shaped: &[Option<Shaped>], report: &mut Report) {
    let mut told = HashSet::new();
    // Edges inside the subgraph first: they show what the port should have declared.
    let inside = |m: &&Meeting| {
        graph
            .ports
            .get(m.port)
            .is_some_and(|p| p.input == m.to_node)
    };
    let (inner, outer): (Vec<&Meeting>, Vec<&Meeting>) = graph.meetings.iter().partition(inside);
    for &&Meeting {
        port: index,
        node,
        to_node,
    } in inner.iter().chain(&outer)
    {
        let (Some(port), Some(met)) = (graph.ports.get(index), graph.nodes.get(node)) else {
            continue;
        };
        let Some(Some(shapes)) = shaped.get(node) else {
            continue;
        };
        let (shape, edge) = if to_node {
            (&shapes.input, format!("`{}` -> `{}`", port.name, met.name))
        } else {
            (&shapes.output, format!("`{}` -> `{}`", met.name, port.name))
        };
        if *shape == port.shape || !told.insert(index) {
            continue;
        }
        let (declared, found) = (shape_text(&port.shape), shape_text(shape));
        report.repair(
            &port.path,
            code::PORT_SHAPE,
            format!(
                "subgraph `{}`, edge {edge}: `{}` declares {declared}, `{}` has {found}",
                port.subgraph, port.name, met.name
            ),
            "its shape is taken from its neighbours",
            &format!("write `{}` with shape {found}", port.name),
        );
    }
}
