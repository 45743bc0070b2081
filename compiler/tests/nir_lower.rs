//! NIR files as networks: the golden runs event for event on the reference interpreter, and the limits of networks.

#![allow(clippy::unwrap_used)]

mod nir_lower_common;
mod nir_read_common;

use nir_lower_common::*;
use nir_read_common::*;
use serde_json::Value as Json;
use synfire_compiler::nir::{NirOptions, Reset, elaborate, load, lower};
use synfire_ir::network::{Connector, Init, verify};
use synfire_ir::program::Program;

#[test]
fn golden_runs_are_reproduced_event_for_event() {
    let mut seen = 0;
    for entry in std::fs::read_dir(data("golden")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let golden: Json =
            serde_json::from_slice(&std::fs::read(data("golden").join(&file)).unwrap()).unwrap();
        let graph = golden["graph"].as_str().unwrap();
        let reset = if golden["reset"] == "subtract" {
            Reset::Subtract
        } else {
            Reset::Zero
        };
        let options = NirOptions {
            dt: golden["dt"].as_f64(),
            reset,
            ..NirOptions::default()
        };
        let (net, _) = load(graph, &std::fs::read(data(graph)).unwrap(), &options).unwrap();
        let steps = golden["steps"].as_u64().unwrap() as u32;
        let trace = play(&program(net), &pairs(&golden["input_events"]), steps);
        for (node, events) in golden["events"].as_object().unwrap() {
            let mut wanted = pairs(events);
            wanted.sort_unstable();
            assert_eq!(trace.events[node], wanted, "{file} {node}");
        }
        for (node, rows) in golden["v_after_reset"].as_object().unwrap() {
            for (step, row) in rows.as_array().unwrap().iter().enumerate() {
                for (unit, v) in row.as_array().unwrap().iter().enumerate() {
                    let (seen, v) = (f64::from(trace.v[node][step][unit]), v.as_f64().unwrap());
                    assert!(
                        (seen - v).abs() < 1e-4 * v.abs().max(1.0),
                        "{file} {node} {step} {unit}: {seen} {v}"
                    );
                }
            }
        }
        seen += 1;
    }
    assert_eq!(seen, 7);
}

#[test]
fn every_kind_of_node_gives_a_network_that_runs() {
    for name in [
        "elementwise",
        "dense",
        "stacked",
        "conv1d",
        "conv2d",
        "conv2d_odd",
        "nested",
        "unended",
        "crooked",
        "modern",
    ] {
        let file = format!("kinds/{name}.nir");
        let options = NirOptions {
            dt: Some(1e-3),
            ..NirOptions::default()
        };
        let (net, _) = load(&file, &std::fs::read(data(&file)).unwrap(), &options)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        play(&program(net), &[(0, 0), (1, 1)], 8);
    }
}

#[test]
fn equal_parameters_become_one_value_and_others_arrays_of_their_type() {
    let bytes = std::fs::read(data("braille_noDelay_bias_zero.nir")).unwrap();
    let (net, _) = load("some/where/braille.nir", &bytes, &NirOptions::default()).unwrap();
    assert_eq!((net.name.as_str(), net.dt), ("braille", Some(1e-4)));
    assert_eq!(net.models.len(), 1);
    let names: Vec<&str> = net.populations().map(|(_, p)| p.name.as_str()).collect();
    assert_eq!(names, ["input", "lif1.lif", "lif2"]);
    let wires: Vec<(&str, f64, bool)> = net
        .projections()
        .map(|(_, _, _, p)| match &p.delay {
            Init::Const(d) => (p.name.as_str(), *d, p.bias.is_some()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        wires,
        [
            ("fc1", 0.0, true),
            ("lif1.w_rec", 1.0, false),
            ("fc2", 0.0, true)
        ]
    );
    assert!(
        net.projections()
            .all(|p| p.3.stages.len() == 1 && p.3.stages[0].connector == Connector::Dense)
    );
}

#[test]
fn too_many_populations_are_refused() {
    let names: Vec<String> = (0..10_001).map(|i| format!("n{i}")).collect();
    let mut nodes = vec![("in", input(&[1]))];
    nodes.extend(names.iter().map(|n| (n.as_str(), fire(&[1]))));
    let edges: Vec<(&str, &str)> = names.iter().map(|n| ("in", n.as_str())).collect();
    let options = NirOptions {
        dt: Some(1e-3),
        ..NirOptions::default()
    };
    let model = elaborate("net.nir", graph(nodes, &edges), &options)
        .unwrap()
        .0;
    let found = lower(&model).unwrap_err();
    assert_eq!(found.0[0].code, "SYN0503");
}

#[test]
fn a_long_chain_of_populations_is_verified() {
    let names: Vec<String> = (0..9_000).map(|i| format!("n{i}")).collect();
    let mut nodes = vec![("in", input(&[1]))];
    nodes.extend(names.iter().map(|n| (n.as_str(), fire(&[1]))));
    let mut edges = vec![("in", "n0")];
    edges.extend(names.windows(2).map(|w| (w[0].as_str(), w[1].as_str())));
    let net = verify(network(graph(nodes, &edges))).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(net.levels().iter().map(|l| l.1).max(), Some(8_999));
}

#[test]
fn real_networks_have_a_fixed_form() {
    for name in [
        "lif_norse",
        "lif_rockpool",
        "cnn_sinabs",
        "braille_noDelay_bias_zero",
    ] {
        let file = format!("{name}.nir");
        let options = NirOptions {
            dt: Some(1e-4),
            ..NirOptions::default()
        };
        let (net, _) = load(&file, &std::fs::read(data(&file)).unwrap(), &options).unwrap();
        let float = program(net);
        let fixed = synfire_compiler::fixed::convert(&float)
            .unwrap_or_else(|e| panic!("{name}: {e}"))
            .program;
        let input: Vec<(u32, u32)> = (0..12)
            .flat_map(|s| (0..8).map(move |u| (s, u % 3)))
            .collect();
        let input = if float.groups[0].size > 2 {
            input
        } else {
            (0..12).map(|s| (s, 0)).collect()
        };
        let count = |p: &Program| {
            play(p, &input, 12)
                .events
                .values()
                .map(Vec::len)
                .sum::<usize>()
        };
        let (a, b) = (count(&float), count(&fixed));
        assert!(
            a > 0 && a.abs_diff(b) * 20 <= a,
            "{name}: {a} events, {b} in fixed"
        );
    }
}
