//! Structure of graphs built by hand: edges, subgraphs, names, loops, sizes.

#![allow(clippy::unwrap_used)]

mod nir_read_common;

use nir_read_common::*;
use synfire_compiler::nir::{NirGraph, NirKind, NirNode};

#[test]
fn an_edge_to_nowhere_names_the_nearest_node() {
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("layer1", linear(2, 2)),
            ("out", output(&[2])),
        ],
        &[("in", "layer1"), ("layerl", "out")],
    );
    let error = refused(run(g), "SYN0508");
    assert!(
        error.message.contains("`layerl` -> `out`") && error.message.contains("no node `layerl`")
    );
    assert!(error.hints[0].contains("`layer1`"), "{error}");
}

#[test]
fn an_edge_to_nowhere_in_a_subgraph_names_its_path() {
    let inner = graph(
        vec![("input", input(&[2])), ("output", output(&[2]))],
        &[("input", "xyz"), ("input", "output")],
    );
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("sub", NirKind::Graph(inner)),
            ("out", output(&[2])),
        ],
        &[("in", "sub"), ("sub", "out")],
    );
    let error = refused(run(g), "SYN0508");
    assert_eq!(error.place.as_deref(), Some("net.nir: /node/nodes/sub"));
    assert!(error.hints[0].contains("input, output"), "{error}");
}

#[test]
fn loops_need_a_spiking_neuron_or_a_delay() {
    let with = |middle: NirKind| {
        graph(
            vec![
                ("in", input(&[2])),
                ("a", linear(2, 2)),
                ("b", middle),
                ("out", output(&[2])),
            ],
            &[("in", "a"), ("a", "b"), ("b", "a"), ("b", "out")],
        )
    };
    let error = refused(run(with(scale(&[2]))), "SYN0517");
    assert!(
        error.message.contains("a -> b -> a") || error.message.contains("b -> a -> b"),
        "{error}"
    );
    let leaky = NirKind::LI {
        tau: array(&[2]),
        r: array(&[2]),
        v_leak: array(&[2]),
    };
    refused(run(with(leaky)), "SYN0517");
    let threshold = NirKind::Threshold {
        threshold: array(&[2]),
    };
    refused(run(with(threshold)), "SYN0517");
    refused(run(with(delay(0.0))), "SYN0517");
    let (model, _) = run(with(delay(1e-3))).unwrap();
    assert!(model.delayed_edges().is_empty());
    let (model, _) = run(with(fire(&[2]))).unwrap();
    assert_eq!(model.delayed_edges(), [("b", "a")]);
    let own = graph(
        vec![("in", input(&[2])), ("n", fire(&[2]))],
        &[("in", "n"), ("n", "n")],
    );
    assert_eq!(run(own).unwrap().0.delayed_edges(), [("n", "n")]);
}

#[test]
fn a_delay_in_a_loop_is_the_only_delay_of_the_loop() {
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("n", fire(&[2])),
            ("w", linear(2, 2)),
            ("d", delay(2e-3)),
            ("out", output(&[2])),
        ],
        &[
            ("in", "n"),
            ("n", "w"),
            ("w", "d"),
            ("d", "n"),
            ("n", "out"),
        ],
    );
    let (model, _) = run_strictly(g).unwrap();
    assert!(model.delayed_edges().is_empty());
    let position = |name: &str| {
        model
            .order
            .iter()
            .position(|&i| model.nodes[i].node.name == name)
    };
    assert!(position("d") < position("n") && position("n") < position("w"));
}

#[test]
fn feed_forward_edges_beside_a_loop_are_not_delayed() {
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("n1", fire(&[2])),
            ("rec", linear(2, 2)),
            ("fc", linear(2, 2)),
            ("n2", fire(&[2])),
            ("out", output(&[2])),
        ],
        &[
            ("in", "n1"),
            ("n1", "rec"),
            ("rec", "n1"),
            ("n1", "fc"),
            ("fc", "n2"),
            ("n2", "out"),
        ],
    );
    assert_eq!(run_strictly(g).unwrap().0.delayed_edges(), [("n1", "rec")]);
}

#[test]
fn doubled_edges_count_once() {
    let make = || {
        graph(
            vec![
                ("in", input(&[2])),
                ("n", fire(&[2])),
                ("out", output(&[2])),
            ],
            &[("in", "n"), ("in", "n"), ("n", "out")],
        )
    };
    assert_eq!(repaired(make, "SYN0509").edges.len(), 2);
}

#[test]
fn a_subgraph_with_two_inputs_is_refused_by_name() {
    let inner = graph(
        vec![
            ("a", input(&[2])),
            ("b", input(&[2])),
            ("n", fire(&[2])),
            ("o", output(&[2])),
        ],
        &[("a", "n"), ("b", "n"), ("n", "o")],
    );
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("sub", NirKind::Graph(inner)),
            ("out", output(&[2])),
        ],
        &[("in", "sub"), ("sub", "out")],
    );
    let error = refused(run(g), "SYN0511");
    assert!(
        error.message.contains("`sub`") && error.message.contains("a, b"),
        "{error}"
    );
}

#[test]
fn subgraphs_without_ends_are_joined_where_only_one_way_exists() {
    let inner = || {
        NirKind::Graph(graph(
            vec![("w", linear(2, 2)), ("n", fire(&[2]))],
            &[("w", "n")],
        ))
    };
    let g = graph(
        vec![("in", input(&[2])), ("sub", inner()), ("out", output(&[2]))],
        &[("in", "sub"), ("sub", "out")],
    );
    let (model, found) = run(g).unwrap();
    assert_eq!(
        found.0.iter().filter(|d| d.code == "SYN0518").count(),
        2,
        "{found}"
    );
    let names: Vec<(&str, &str)> = model
        .edges
        .iter()
        .map(|e| {
            (
                model.nodes[e.from].node.name.as_str(),
                model.nodes[e.to].node.name.as_str(),
            )
        })
        .collect();
    assert_eq!(
        names,
        [("in", "sub.w"), ("sub.n", "out"), ("sub.w", "sub.n")]
    );
    let two = NirKind::Graph(graph(vec![("a", fire(&[2])), ("b", fire(&[2]))], &[]));
    let g = graph(vec![("in", input(&[2])), ("sub", two)], &[("in", "sub")]);
    refused(run(g), "SYN0511");
}

#[test]
fn an_unconnected_subgraph_brings_its_own_ends() {
    let inner = graph(
        vec![("x", input(&[2])), ("n", fire(&[2])), ("y", output(&[2]))],
        &[("x", "n"), ("n", "y")],
    );
    let (model, _) = run(graph(vec![("sub", NirKind::Graph(inner))], &[])).unwrap();
    assert!(model.node("input_sub").is_some() && model.node("output_sub").is_some());
    assert_eq!(model.edges.len(), 2);
}

#[test]
fn two_ways_through_a_subgraph_are_two_edges() {
    let inner = graph(
        vec![
            ("x", input(&[2])),
            ("n", fire(&[2])),
            ("y", output(&[2])),
            ("z", output(&[2])),
        ],
        &[("x", "n"), ("n", "y"), ("n", "z")],
    );
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("sub", NirKind::Graph(inner)),
            ("out", output(&[2])),
        ],
        &[("in", "sub"), ("sub", "out")],
    );
    let (model, _) = run(g).unwrap();
    assert_eq!(model.edges.len(), 3);
}

#[test]
fn names_that_meet_after_flattening_are_made_different() {
    let make = || {
        let inner = graph(
            vec![("x", input(&[2])), ("n", fire(&[2])), ("y", output(&[2]))],
            &[("x", "n"), ("n", "y")],
        );
        graph(
            vec![
                ("in", input(&[2])),
                ("sub", NirKind::Graph(inner)),
                ("sub.n", fire(&[2])),
                ("out", output(&[2])),
            ],
            &[("in", "sub"), ("sub", "sub.n"), ("sub.n", "out")],
        )
    };
    let model = repaired(make, "SYN0522");
    assert!(model.node("sub.n").is_some() && model.node("sub.n_2").is_some());
}

#[test]
fn nodes_may_be_called_anything() {
    let names = [
        "",
        ".",
        "a.b.c",
        "日本語",
        "in\nput",
        "\u{0}",
        "out put",
        "\"quoted\"",
        "-> x",
    ];
    for name in names {
        let g = graph(
            vec![
                ("in", input(&[2])),
                (name, fire(&[2])),
                ("out", output(&[2])),
            ],
            &[("in", name), (name, "out")],
        );
        let (model, _) = run_strictly(g).unwrap_or_else(|e| panic!("{name:?}: {e}"));
        assert!(model.node(name).is_some());
    }
}

#[test]
fn edges_against_the_direction_of_an_end_are_refused() {
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("n", fire(&[2])),
            ("out", output(&[2])),
        ],
        &[("in", "n"), ("n", "in")],
    );
    assert!(refused(run(g), "SYN0510").message.contains("into an Input"));
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("n", fire(&[2])),
            ("out", output(&[2])),
        ],
        &[("in", "n"), ("out", "n")],
    );
    assert!(
        refused(run(g), "SYN0510")
            .message
            .contains("out of an Output")
    );
}

#[test]
fn graphs_without_entry_are_refused() {
    refused(run(NirGraph::default()), "SYN0518");
    refused(
        run(graph(
            vec![("n", fire(&[2])), ("w", linear(2, 2))],
            &[("n", "w"), ("w", "n")],
        )),
        "SYN0518",
    );
}

#[test]
fn a_chain_of_a_million_nodes_is_no_deeper_than_three() {
    let (nodes, edges) = chain(1_000_000);
    let (model, _) = run(NirGraph { nodes, edges }).unwrap();
    assert_eq!(model.order.len(), 1_000_002);
    // Closed to a ring it is one loop.
    let (nodes, mut edges) = chain(200_000);
    edges.push(("n199999".into(), "n0".into()));
    let error = refused(run(NirGraph { nodes, edges }), "SYN0517");
    assert!(
        error.fields.contains(&("length".into(), "200000".into())),
        "{error}"
    );
}

fn chain(count: usize) -> (Vec<NirNode>, Vec<(String, String)>) {
    let mut nodes = vec![node("in", input(&[1])), node("out", output(&[1]))];
    nodes.extend((0..count).map(|i| node(&format!("n{i}"), scale(&[1]))));
    let mut edges: Vec<(String, String)> = (1..count)
        .map(|i| (format!("n{}", i - 1), format!("n{i}")))
        .collect();
    edges.push(("in".into(), "n0".into()));
    edges.push((format!("n{}", count - 1), "out".into()));
    (nodes, edges)
}

#[test]
fn graphs_nested_too_deep_are_refused() {
    let mut inner = graph(vec![("x", input(&[2])), ("y", output(&[2]))], &[("x", "y")]);
    for _ in 0..40 {
        inner = graph(
            vec![
                ("x", input(&[2])),
                ("s", NirKind::Graph(inner)),
                ("y", output(&[2])),
            ],
            &[("x", "s"), ("s", "y")],
        );
    }
    refused(run(inner), "SYN0503");
}

#[test]
fn joining_many_to_many_is_capped() {
    let inner = {
        let names: Vec<String> = (0..3000).map(|i| format!("n{i}")).collect();
        let mut nodes = vec![("x", input(&[1]))];
        nodes.extend(names.iter().map(|n| (n.as_str(), fire(&[1]))));
        let edges: Vec<(&str, &str)> = names.iter().map(|n| ("x", n.as_str())).collect();
        graph(nodes, &edges)
    };
    let names: Vec<String> = (0..3000).map(|i| format!("m{i}")).collect();
    let mut nodes = vec![("in", input(&[1])), ("sub", NirKind::Graph(inner))];
    nodes.extend(names.iter().map(|n| (n.as_str(), fire(&[1]))));
    let mut edges: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), "sub")).collect();
    edges.extend(names.iter().map(|n| ("in", n.as_str())));
    refused(run(graph(nodes, &edges)), "SYN0503");
}
