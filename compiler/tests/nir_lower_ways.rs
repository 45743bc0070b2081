//! What each kind of way between two populations of a NIR graph becomes, with its values on the reference interpreter.

#![allow(clippy::unwrap_used)]

mod nir_lower_common;
mod nir_read_common;

use nir_lower_common::*;
use nir_read_common::*;
use synfire_compiler::nir::graph::{Conv, Padding, Pool};
use synfire_compiler::nir::{
    Array, CubaOrder, NirGraph, NirKind, NirOptions, Reset, elaborate, lower,
};
use synfire_ir::network::Quantity;

fn affine(rows: usize, columns: usize, weight: &[f64], bias: &[f64]) -> NirKind {
    NirKind::Affine {
        weight: Array::new(&[rows, columns], weight.to_vec()).unwrap(),
        bias: Array::new(&[rows], bias.to_vec()).unwrap(),
    }
}

fn integrate(n: usize) -> NirKind {
    NirKind::I {
        r: Array::new(&[n], vec![1.0; n]).unwrap(),
    }
}

/// A chain of nodes from an Input of that shape to an Output that watches an integrator of `n` units.
fn through(shape: &[usize], middle: Vec<(&str, NirKind)>, n: usize) -> NirGraph {
    let names: Vec<&str> = ["in"]
        .into_iter()
        .chain(middle.iter().map(|m| m.0))
        .chain(["sum", "out"])
        .collect();
    let mut nodes = vec![("in", input(shape))];
    nodes.extend(middle);
    nodes.extend([("sum", integrate(n)), ("out", output(&[n]))]);
    let edges: Vec<(&str, &str)> = names.windows(2).map(|w| (w[0], w[1])).collect();
    graph(nodes, &edges)
}

/// The integrator's rows for the given spikes.
fn sums(graph: NirGraph, spikes: &[(u32, u32)], steps: u32) -> Vec<Vec<f32>> {
    play(&program(network(graph)), spikes, steps).v["sum"].clone()
}

#[test]
fn linear_nodes_in_a_row_are_one_projection_with_their_biases() {
    let g = through(
        &[2],
        vec![
            (
                "a",
                affine(3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[1.0, 0.0, -1.0]),
            ),
            (
                "s",
                NirKind::Scale {
                    scale: Array::new(&[3], vec![2.0, 3.0, 4.0]).unwrap(),
                },
            ),
            ("b", affine(1, 3, &[1.0, 10.0, 100.0], &[0.5])),
        ],
        1,
    );
    let net = network(g.clone());
    assert_eq!(net.graph.edge_count(), 1);
    assert_eq!(net.projections().next().unwrap().3.stages.len(), 3);
    // Constant: 1 * 2 * 1 + 0 + -1 * 4 * 100 + 0.5; a spike of unit 1: 2 * 2 + 4 * 30 + 6 * 400.
    let constant = 2.0 - 400.0 + 0.5;
    let rows = sums(g, &[(1, 1)], 3);
    assert_eq!(
        rows,
        [
            [constant],
            [2.0 * constant + 2524.0],
            [3.0 * constant + 2524.0]
        ]
    );
}

#[test]
fn biases_pass_convolutions_and_pools() {
    let conv = Conv {
        input_shape: None,
        weight: Array::new(&[1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap(),
        stride: vec![1],
        padding: Padding::Same,
        dilation: vec![1],
        groups: 1,
        bias: Array::new(&[1], vec![0.25]).unwrap(),
    };
    let pool = Pool {
        kernel_size: vec![2],
        stride: vec![2],
        padding: vec![0],
    };
    let g = through(
        &[1, 2, 2],
        vec![
            (
                "one",
                NirKind::Conv2d(Conv {
                    weight: Array::new(&[1, 1, 1, 1], vec![2.0]).unwrap(),
                    ..conv.clone()
                }),
            ),
            ("conv", NirKind::Conv2d(conv.clone())),
            ("pool", NirKind::AvgPool2d(pool)),
            (
                "flat",
                NirKind::Flatten {
                    input_type: None,
                    start_dim: 0,
                    end_dim: -1,
                },
            ),
        ],
        1,
    );
    // "same" with a kernel of two pads behind. A constant c in gives 10 c, 4 c, 3 c, 1 c in the four places.
    let constant = (0.25 * (10.0 + 4.0 + 3.0 + 1.0) / 4.0 + 0.25) as f32;
    // A spike at (1, 1) reaches place (0, 0) by tap (1, 1), (0, 1) by (1, 0), (1, 0) by (0, 1) and (1, 1) by (0, 0).
    let spike = 2.0 * (4.0 + 3.0 + 2.0 + 1.0) / 4.0;
    assert_eq!(
        sums(g, &[(0, 3)], 2),
        [[constant + spike], [2.0 * constant + spike]]
    );
}

#[test]
fn same_padding_with_dilation_reaches_what_it_should() {
    let conv = Conv {
        input_shape: None,
        weight: Array::new(&[1, 1, 2], vec![1.0, 10.0]).unwrap(),
        stride: vec![1],
        padding: Padding::Same,
        dilation: vec![3],
        groups: 1,
        bias: Array::new(&[1], vec![0.0]).unwrap(),
    };
    let flat = NirKind::Flatten {
        input_type: None,
        start_dim: 0,
        end_dim: -1,
    };
    let g = through(
        &[1, 6],
        vec![("conv", NirKind::Conv1d(conv)), ("flat", flat)],
        6,
    );
    // 3 zeros in all, 1 before and 2 behind: y[o] = x[o - 1] + 10 x[o + 2].
    assert_eq!(sums(g, &[(0, 3)], 1), [[0.0, 10.0, 0.0, 0.0, 1.0, 0.0]]);
}

#[test]
fn stacks_of_matrices_do_not_mix() {
    let weight = Array::new(&[2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
    let flat = NirKind::Flatten {
        input_type: None,
        start_dim: 0,
        end_dim: -1,
    };
    let g = through(
        &[2, 2],
        vec![("w", NirKind::Linear { weight }), ("flat", flat)],
        2,
    );
    assert_eq!(sums(g, &[(0, 1), (0, 2)], 1), [[2.0, 3.0]]);
}

#[test]
fn recurrent_biases_act_from_step_0_and_spikes_one_step_later() {
    let fire = NirKind::IF {
        r: Array::new(&[1], vec![1.0]).unwrap(),
        v_threshold: Array::new(&[1], vec![0.9]).unwrap(),
        v_reset: None,
    };
    let nodes = vec![
        ("in", input(&[1])),
        ("n", fire),
        ("rec", affine(1, 1, &[0.25], &[0.5])),
        ("out", output(&[1])),
    ];
    let g = graph(
        nodes,
        &[("in", "n"), ("n", "rec"), ("rec", "n"), ("n", "out")],
    );
    let trace = play(&program(network(g)), &[], 5);
    // 0.5, 1.0 spike and reset, 0 + 0.5 + 0.25, 1.25 spike, 0.75.
    assert_eq!(trace.v["n"], [[0.5], [0.0], [0.75], [0.0], [0.75]]);
    assert_eq!(trace.events["n"], [(1, 0), (3, 0)]);
}

fn delay(seconds: &[f64]) -> NirKind {
    NirKind::Delay {
        delay: Array::new(&[seconds.len()], seconds.to_vec()).unwrap(),
    }
}

#[test]
fn delays_lengthen_projections_or_hold_each_element() {
    let uniform = through(&[2], vec![("d", delay(&[2e-3, 2e-3]))], 2);
    let net = network(uniform.clone());
    assert_eq!(net.graph.node_count(), 2);
    assert_eq!(
        sums(uniform, &[(0, 0), (1, 1)], 4),
        [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    );
    let single = through(&[2], vec![("d", delay(&[0.0, 2e-3]))], 2);
    assert_eq!(
        sums(single, &[(0, 0), (0, 1)], 3),
        [[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]
    );
    // A constant before a Delay is held back, too.
    let biased = through(
        &[1],
        vec![
            ("a", affine(2, 1, &[1.0, 1.0], &[1.0, 2.0])),
            ("d", delay(&[2e-3, 2e-3])),
        ],
        2,
    );
    assert_eq!(
        sums(biased, &[(0, 0)], 4),
        [[0.0, 0.0], [0.0, 0.0], [2.0, 3.0], [3.0, 5.0]]
    );
}

#[test]
fn a_loop_through_a_delay_alone_runs() {
    let nodes = vec![
        ("in", input(&[1])),
        ("w", affine(1, 1, &[0.5], &[0.0])),
        ("d", delay(&[1e-3])),
        ("sum", integrate(1)),
        ("out", output(&[1])),
    ];
    let g = graph(
        nodes,
        &[
            ("in", "w"),
            ("w", "d"),
            ("d", "w"),
            ("w", "sum"),
            ("sum", "out"),
        ],
    );
    // w(t) = (x(t) + w(t - 1)) / 2
    assert_eq!(sums(g, &[(0, 0)], 4), [[0.5], [0.75], [0.875], [0.9375]]);
}

#[test]
fn many_ways_through_linear_nodes_do_not_multiply() {
    let names: Vec<String> = (0..12)
        .flat_map(|k| ["a", "b", "c"].map(|s| format!("{s}{k}")))
        .collect();
    let one = || NirKind::Scale {
        scale: Array::new(&[1], vec![0.5]).unwrap(),
    };
    let mut nodes = vec![
        ("in", input(&[1])),
        ("sum", integrate(1)),
        ("out", output(&[1])),
    ];
    nodes.extend(names.iter().map(|n| (n.as_str(), one())));
    // Two ways of 1/4 in each of 12 diamonds: 2^12 ways, each diamond halves.
    let mut edges = vec![("sum", "out")];
    for (k, part) in names.chunks(3).enumerate() {
        let before = if k == 0 {
            "in"
        } else {
            names[3 * k - 1].as_str()
        };
        let [a, b, c] = [0, 1, 2].map(|i| part[i].as_str());
        edges.extend([(before, a), (before, b), (a, c), (b, c)]);
    }
    edges.push((names[35].as_str(), "sum"));
    let g = graph(nodes, &edges);
    let net = network(g.clone());
    assert!(net.graph.edge_count() < 100, "{}", net.graph.edge_count());
    assert_eq!(sums(g, &[(0, 0)], 1), [[0.5f32.powi(12)]]);
}

#[test]
fn outputs_that_do_not_spike_are_recorded() {
    let g = graph(
        vec![
            ("in", input(&[2])),
            ("w", linear(3, 2)),
            ("n", fire(&[3])),
            ("r", linear(1, 3)),
            ("out", output(&[1])),
        ],
        &[("in", "w"), ("w", "n"), ("n", "r"), ("r", "out")],
    );
    let net = network(g);
    let named: Vec<(&str, &Quantity)> = net
        .probes
        .iter()
        .map(|p| (net.graph[p.pop].name.as_str(), &p.what))
        .collect();
    assert_eq!(
        named,
        [
            ("n", &Quantity::Spikes),
            ("out", &Quantity::State("y".into()))
        ]
    );
    let spiking = graph(
        vec![
            ("in", input(&[2])),
            ("n", fire(&[2])),
            ("out", output(&[2])),
        ],
        &[("in", "n"), ("n", "out")],
    );
    assert!(network(spiking).probes.is_empty());
}

#[test]
fn options_choose_reset_and_order_of_the_current() {
    let cuba = || NirKind::CubaLIF {
        tau_syn: Array::scalar(2e-3),
        tau_mem: Array::new(&[1], vec![2e-3]).unwrap(),
        r: Array::scalar(1.0),
        v_leak: Array::scalar(0.0),
        v_threshold: Array::scalar(0.2),
        v_reset: Some(Array::scalar(-1.0)),
        w_in: None,
    };
    let run = |reset, cuba_order| {
        let g = graph(
            vec![("in", input(&[1])), ("n", cuba()), ("out", output(&[1]))],
            &[("in", "n"), ("n", "out")],
        );
        let options = NirOptions {
            dt: Some(1e-3),
            reset,
            cuba_order,
            ..NirOptions::default()
        };
        let net = lower(&elaborate("net.nir", g, &options).unwrap().0).unwrap();
        play(&program(net), &[(0, 0)], 2).v["n"].concat()
    };
    // New current: i = 0.5, v = 0.25 spikes at step 0. Old: v = 0, then i = 0.25 of step 1 comes too late: v = 0.25.
    assert_eq!(run(Reset::Zero, CubaOrder::NewCurrent)[0], -1.0);
    assert_eq!(run(Reset::Subtract, CubaOrder::NewCurrent)[0], 0.25 - 0.2);
    assert_eq!(run(Reset::Zero, CubaOrder::OldCurrent), [0.0, -1.0]);
}
