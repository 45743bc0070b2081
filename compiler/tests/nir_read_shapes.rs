//! Shapes, parameters and times of graphs built by hand: what is refused, with which remedy, and what is repaired.

#![allow(clippy::unwrap_used)]

mod nir_read_common;

use nir_read_common::*;
use synfire_compiler::nir::graph::{Conv, Padding, Pool};
use synfire_compiler::nir::{Array, NirKind};
use synfire_ir::Severity;

#[test]
fn a_shape_mismatch_names_edge_shapes_and_remedy() {
    let g = graph(
        vec![
            ("in", input(&[3])),
            ("fc", linear(4, 3)),
            ("lif", fire(&[5])),
            ("out", output(&[5])),
        ],
        &[("in", "fc"), ("fc", "lif"), ("lif", "out")],
    );
    let error = refused(run(g), "SYN0513");
    assert_eq!(error.place.as_deref(), Some("net.nir: /node/nodes/lif"));
    for part in ["`fc` -> `lif`", "(4,)", "(5,)"] {
        assert!(error.message.contains(part), "{error}");
    }
    assert!(error.hints[0].contains("`lif` with shape (4,)"), "{error}");
}

#[test]
fn a_missing_flatten_is_suggested() {
    let conv = Conv {
        input_shape: None,
        weight: array(&[2, 1, 3, 3]),
        stride: vec![1],
        padding: Padding::Valid,
        dilation: vec![1],
        groups: 1,
        bias: array(&[2]),
    };
    let make = |flatten: Option<i64>| {
        let mut nodes = vec![
            ("in", input(&[1, 4, 4])),
            ("conv", NirKind::Conv2d(conv.clone())),
            ("fc", linear(1, 8)),
        ];
        nodes.push(("out", output(&[1])));
        let mut edges = vec![("in", "conv"), ("fc", "out")];
        match flatten {
            None => edges.push(("conv", "fc")),
            Some(start_dim) => {
                nodes.push((
                    "flat",
                    NirKind::Flatten {
                        input_type: None,
                        start_dim,
                        end_dim: -1,
                    },
                ));
                edges.extend([("conv", "flat"), ("flat", "fc")]);
            }
        }
        graph(nodes, &edges)
    };
    let error = refused(run(make(None)), "SYN0513");
    assert!(error.hints[0].contains("Flatten"), "{error}");
    let error = refused(run(make(Some(1))), "SYN0513");
    assert!(error.hints[0].contains("0 flattens all"), "{error}");
    let (model, _) = run_strictly(make(Some(0))).unwrap();
    assert_eq!(model.node("conv").unwrap().output, [2, 2, 2]);
    assert_eq!(model.node("flat").unwrap().output, [8]);
}

#[test]
fn every_wrong_edge_is_told_and_the_list_is_bounded() {
    let names: Vec<String> = (0..30).map(|i| format!("n{i}")).collect();
    let mut nodes = vec![("in", input(&[3]))];
    nodes.extend(names.iter().map(|n| (n.as_str(), fire(&[4]))));
    let edges: Vec<(&str, &str)> = names.iter().map(|n| ("in", n.as_str())).collect();
    let found = run(graph(nodes, &edges)).unwrap_err();
    let errors: Vec<_> = found.0.iter().filter(|d| d.code == "SYN0513").collect();
    assert_eq!(errors.len(), 13);
    assert!(errors[12].message.starts_with("18 more"), "{}", errors[12]);
}

#[test]
fn scalar_parameters_take_the_width_of_what_arrives() {
    for shape in [&[][..], &[1][..]] {
        let make = || {
            graph(
                vec![
                    ("in", input(&[3])),
                    ("n", fire(shape)),
                    ("out", output(&[3])),
                ],
                &[("in", "n"), ("n", "out")],
            )
        };
        let model = repaired(make, "SYN0516");
        assert_eq!(model.node("n").unwrap().output, [3]);
    }
    let one = graph(
        vec![
            ("in", input(&[1])),
            ("n", fire(&[1])),
            ("out", output(&[1])),
        ],
        &[("in", "n"), ("n", "out")],
    );
    run_strictly(one).unwrap();
}

#[test]
fn one_scalar_parameter_among_arrays_is_spread_and_two_shapes_are_refused() {
    let make = |tau: Array| {
        let nodes = vec![
            ("in", input(&[3])),
            ("n", leaky(&[3], "tau", tau)),
            ("out", output(&[3])),
        ];
        graph(nodes, &[("in", "n"), ("n", "out")])
    };
    repaired(|| make(Array::scalar(0.5)), "SYN0516");
    repaired(|| make(array(&[1])), "SYN0516");
    refused(run(make(array(&[2]))), "SYN0506");
}

#[test]
fn a_scalar_input_gain_is_spread_as_the_reference_does() {
    let cuba = NirKind::CubaLIF {
        tau_syn: array(&[3]),
        tau_mem: array(&[3]),
        r: array(&[3]),
        v_leak: array(&[3]),
        v_threshold: array(&[3]),
        v_reset: None,
        w_in: Some(Array::scalar(2.0)),
    };
    let g = graph(
        vec![("in", input(&[3])), ("n", cuba), ("out", output(&[3]))],
        &[("in", "n"), ("n", "out")],
    );
    run_strictly(g).unwrap();
}

#[test]
fn batch_axes_of_inputs_and_outputs_are_dropped() {
    let pool = Pool {
        kernel_size: vec![2],
        stride: vec![2],
        padding: vec![0],
    };
    let make = || {
        graph(
            vec![
                ("in", input(&[1, 2, 4, 4])),
                ("p", NirKind::SumPool2d(pool.clone())),
                ("out", output(&[1, 2, 2, 2])),
            ],
            &[("in", "p"), ("p", "out")],
        )
    };
    let (model, found) = run(make()).unwrap();
    assert_eq!(
        found.0.iter().filter(|d| d.code == "SYN0515").count(),
        2,
        "{found}"
    );
    assert_eq!(model.node("in").unwrap().output, [2, 4, 4]);
    assert_eq!(model.node("out").unwrap().input, [2, 2, 2]);
    let strictly = run_strictly(make()).unwrap_err();
    assert_eq!(
        strictly
            .0
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count(),
        2,
        "{strictly}"
    );
    // A true disagreement is no batch axis.
    let g = graph(
        vec![
            ("in", input(&[3])),
            ("n", fire(&[3])),
            ("out", output(&[1, 4])),
        ],
        &[("in", "n"), ("n", "out")],
    );
    refused(run(g), "SYN0513");
}

#[test]
fn delays_that_are_no_whole_steps_are_rounded_or_refused() {
    let make = || {
        graph(
            vec![
                ("in", input(&[2])),
                ("d", delay(2.5e-3)),
                ("out", output(&[2])),
            ],
            &[("in", "d"), ("d", "out")],
        )
    };
    repaired(make, "SYN0521");
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("d", delay(-1e-3)),
            ("out", output(&[2])),
        ],
        &[("in", "d"), ("d", "out")],
    );
    refused(run(g), "SYN0506");
}

#[test]
fn time_constants_out_of_proportion_are_told() {
    let make = |tau: f64| {
        let tau = Array::new(&[2], vec![0.5, tau]).unwrap();
        let nodes = vec![
            ("in", input(&[2])),
            ("n", leaky(&[2], "tau", tau)),
            ("out", output(&[2])),
        ];
        graph(nodes, &[("in", "n"), ("n", "out")])
    };
    for (tau, told) in [
        (1e-3, false),
        (4e-4, true),
        (1e4, true),
        (999.0, false),
        (f64::INFINITY, false),
    ] {
        let (_, found) = run(make(tau)).unwrap();
        assert_eq!(
            found.0.iter().any(|d| d.code == "SYN0520"),
            told,
            "{tau}: {found}"
        );
    }
    refused(run(make(0.0)), "SYN0506");
}

#[test]
fn absurd_shapes_are_refused() {
    let g = graph(
        vec![
            ("in", input(&[usize::MAX, 3])),
            ("n", fire(&[])),
            ("out", output(&[usize::MAX, 3])),
        ],
        &[("in", "n"), ("n", "out")],
    );
    let found = run(g).unwrap_err();
    assert!(
        found
            .0
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .all(|d| d.code == "SYN0503"),
        "{found}"
    );
}
