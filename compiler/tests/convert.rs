//! Networks as NIR files and as text: what is written reads back as the same network.

#![allow(clippy::unwrap_used)]

mod nir_lower_common;

use nir_lower_common::data;
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire_compiler::frontend::{self, LoadOptions};
use synfire_compiler::nir::{self, NirGraph, NirOptions};
use synfire_compiler::to_source;
use synfire_ir::network::{Array, Network, PopId, Verified, verify};
use synfire_ir::program::Range;
use synfire_lang::npy;
use synfire_lang::resolve::Loader;

const REAL: [&str; 5] = [
    "lif_norse.nir",
    "lif_rockpool.nir",
    "cnn_sinabs.nir",
    "braille_noDelay_bias_zero.nir",
    "braille_noDelay_bias_zero_subgraph.nir",
];

/// The archive that a text was written with.
struct Beside(Option<Vec<u8>>);

impl Loader for Beside {
    fn text(&self, path: &str, _from: &str) -> Result<(String, String), String> {
        Err(format!("there is no `{path}`"))
    }
    fn array(&self, _path: &str, key: Option<&str>, _from: &str) -> Result<Array, String> {
        npy::read_npz(
            self.0.as_deref().ok_or("no archive")?,
            key,
            key.unwrap_or(""),
        )
    }
    fn events(&self, path: &str, _from: &str) -> Result<Vec<(u32, u32, f32)>, String> {
        Err(format!("there is no `{path}`"))
    }
    fn target_model(&self, _target: &str) -> Option<String> {
        None
    }
}

fn real(file: &str) -> Verified<Network> {
    let options = NirOptions {
        dt: Some(1e-4),
        ..NirOptions::default()
    };
    let (net, _) = nir::load(file, &std::fs::read(data(file)).unwrap(), &options).unwrap();
    verify(net).unwrap()
}

fn text(text: &str) -> Verified<Network> {
    from_source(text, None)
}

fn from_source(text: &str, arrays: Option<Vec<u8>>) -> Verified<Network> {
    let loaded = frontend::load(
        "t.syn",
        text.as_bytes(),
        &Beside(arrays),
        &LoadOptions::default(),
    );
    loaded.network.unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn from_nir(bytes: &[u8], dt: Option<f64>) -> Verified<Network> {
    let options = NirOptions {
        dt,
        ..NirOptions::default()
    };
    let (net, _) = nir::load("t.nir", bytes, &options).unwrap_or_else(|e| panic!("{e}"));
    verify(net).unwrap()
}

/// A synapse: (source population, unit, target population, unit, weight, delay).
type Wire = (usize, u32, usize, u32, i64, u16);

/// Synapses between populations counted by `order`, sorted; weights to seven digits, as matrices may add in another order.
fn wires(net: &Network, order: &BTreeMap<PopId, usize>) -> Vec<Wire> {
    let mut all = vec![];
    for (id, a, b, p) in net.projections() {
        let targets = Range {
            start: 0,
            len: p.target_range.len,
        };
        net.visit(id, net.seed_or_default(), targets, |s| {
            let weight = (s.weight * 1e7).round() as i64;
            let (from, to) = (
                p.source_range.start + s.source,
                p.target_range.start + s.target,
            );
            all.push((order[&a], from, order[&b], to, weight, s.delay));
        });
    }
    all.sort_unstable();
    all
}

/// Populations by name, without what a writer changes in names.
fn order(net: &Network) -> BTreeMap<PopId, usize> {
    let plain = |name: &str| -> String {
        let kept: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        kept.trim_start_matches('n').into()
    };
    let mut names: Vec<(String, PopId)> = net
        .populations()
        .map(|(id, p)| (plain(&p.name), id))
        .collect();
    names.sort();
    names
        .into_iter()
        .enumerate()
        .map(|(k, n)| (n.1, k))
        .collect()
}

fn assert_same(a: &Network, b: &Network, what: &str) {
    let (x, y) = (order(a), order(b));
    assert_eq!(x.len(), y.len(), "{what}");
    let sizes = |n: &Network, o: &BTreeMap<PopId, usize>| {
        let mut all: Vec<_> = n
            .populations()
            .map(|(id, p)| {
                (
                    o[&id],
                    p.size(),
                    n.model_of(id).map(|m| m.model.name.clone()),
                )
            })
            .collect();
        all.sort();
        all
    };
    assert_eq!(sizes(a, &x), sizes(b, &y), "{what}");
    assert_eq!(wires(a, &x), wires(b, &y), "{what}");
}

fn written(net: &Verified<Network>) -> Vec<u8> {
    let (graph, _) = nir::export(net).unwrap_or_else(|e| panic!("{e}"));
    nir::write(&graph).unwrap()
}

/// What the nodes hold, sorted; their names are free.
fn contents(graph: NirGraph) -> Vec<String> {
    let mut all: Vec<String> = graph
        .nodes
        .iter()
        .map(|n| format!("{:?}", n.kind))
        .collect();
    all.sort();
    all
}

fn types(graph: &NirGraph) -> Vec<&'static str> {
    let mut all: Vec<_> = graph.nodes.iter().map(|n| n.kind.type_name()).collect();
    all.sort_unstable();
    all
}

#[test]
fn real_files_survive_both_forms() {
    for file in REAL {
        let net = real(file);
        let bytes = written(&net);
        let back = from_nir(&bytes, net.dt);
        assert_same(&net, &back, file);
        // Writing what was read gives the same nodes, and the same bytes.
        let (first, second) = (nir::export(&net).unwrap().0, nir::export(&back).unwrap().0);
        assert_eq!(types(&first), types(&second), "{file}");
        let again = nir::write(&second).unwrap();
        let third = nir::export(&from_nir(&again, net.dt)).unwrap().0;
        assert!(contents(second) == contents(third), "{file}: nodes differ");
        assert_eq!(written(&net), bytes, "{file}");

        let source = to_source(&net, "t.npz").unwrap_or_else(|e| panic!("{file}: {e}"));
        let back = from_source(&source.text, source.arrays);
        assert_same(&net, &back, file);
        assert_eq!(net.dt, back.dt);
    }
}

#[test]
fn the_text_of_a_real_file() {
    let source = to_source(&real("cnn_sinabs.nir"), "cnn.npz").unwrap();
    insta::assert_snapshot!(source.text);
}

#[test]
fn every_rule_becomes_nodes() {
    let net = text(
        "use std.nir.{Lif, Li, CubaLif}
network N {
  step 1 ms
  seed 3
  source x: events[2, 4, 4]
  source z: events[3, 8]
  pop a: Lif[2, 2, 2] { tau = 5 ms, v_threshold ~ uniform(0.5, 1.5) }
  pop b: Lif[3] { tau = 4 ms }
  pop c: CubaLif[3] { tau_syn = 2 ms, tau_mem = 6 ms }
  pop d: Lif[2, 6] { tau = 5 ms }
  pop out: Li[3] { tau = 9 ms }
  connect x -> a.x : conv2d(kernel = 2, stride = 2, channels = 2) { weight = [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [[[-1, 0], [0, 1]], [[2, 0], [0, 2]]]] }
  connect a -> b.x : sum_pool2d(2) | dense(weight = [[1, 2], [3, 4], [5, 6]])
  connect b -> b.x : all_to_all(self = false) { weight = -0.25, delay = 1 ms }
  connect b -> c.x : one_to_one { weight = 0.5, delay = 4 ms }
  connect b[1 .. 3] -> c[0 .. 2].x : fixed_probability(0.5) { weight = 2 }
  connect z -> d.x : conv1d(kernel = 3, channels = 2) { weight = [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 0, 1], [0, 1, 0], [1, 1, 1]]] }
  connect c -> out.x : dense { weight ~ normal(0, 1), bias = 0.125 }
  record out.v
}
",
    );
    let (graph, notes) = nir::export(&net).unwrap_or_else(|e| panic!("{e}"));
    assert!(notes.is_empty(), "{notes}");
    let back = from_nir(&nir::write(&graph).unwrap(), net.dt);
    assert_same(&net, &back, "rules");
}

#[test]
fn what_nir_cannot_say_is_told_by_name() {
    let refused = |body: &str| {
        let net = text(&format!(
            "use std.neurons.Lif\nuse std.nir\nnetwork N {{\n  step 1 ms\n{body}\n}}\n"
        ));
        nir::export(&net).unwrap_err().to_string()
    };
    let e = refused(
        "source noise: poisson[3] { rate = 10 Hz }\npop a: Lif[3]\nconnect noise -> a.i : one_to_one { weight = 1 }",
    );
    assert!(e.contains("SYN0526") && e.contains("`noise`"), "{e}");
    let e = refused(
        "source x: events[2]\npop a: Lif[2] { t_ref = 2 ms }\nconnect x -> a.i : one_to_one { weight = 1 }",
    );
    assert!(e.contains("SYN0526") && e.contains("refractory"), "{e}");
    let e = refused(
        "source x: events[2]\npop a: Lif[2]\nconnect x -> a.i : list([0, 1], [0, 1]) { weight = 1, delay = [1 ms, 2 ms] }",
    );
    assert!(
        e.contains("SYN0527") && e.contains("delays of its own"),
        "{e}"
    );
    let e = refused(
        "source x: events[2]\npop a: Lif[2]\npop b: Lif[2]\nconnect x -> a.i : one_to_one { weight = 1 }\nconnect a -> b.i : one_to_one { weight = 1, delay = 2 ms }\nconnect b -> a.i : one_to_one { weight = 1, delay = 1 ms }",
    );
    assert!(e.contains("SYN0528"), "{e}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Layers of random sizes, weights and delays come back as they were, through the file and through the text.
    #[test]
    fn random_layers_survive(
        sizes in prop::collection::vec(1u32..6, 2..5),
        weights in prop::collection::vec(-3i32..=3, 36),
        delay in 0u32..4,
        recurrent: bool,
        bias in -2i32..3,
    ) {
        let mut t = format!("use std.nir.Lif\nnetwork N {{\n  step 1 ms\n  source x: events[{}]\n", sizes[0]);
        for (k, n) in sizes.iter().enumerate().skip(1) {
            t += &format!("  pop p{k}: Lif[{n}] {{ tau = {} ms }}\n", k + 3);
            let rows: Vec<String> = (0..*n)
                .map(|r| {
                    let row: Vec<String> = (0..sizes[k - 1])
                        .map(|c| weights[(r as usize * 7 + c as usize * 3 + k) % 36].to_string())
                        .collect();
                    format!("[{}]", row.join(", "))
                })
                .collect();
            let from = if k == 1 { "x".to_string() } else { format!("p{}", k - 1) };
            t += &format!("  connect {from} -> p{k}.x : dense {{ weight = [{}], bias = {bias}, delay = {delay} ms }}\n", rows.join(", "));
        }
        if recurrent {
            t += "  connect p1 -> p1.x : all_to_all { weight = -1, delay = 1 ms }\n";
        }
        t += "}\n";
        let net = text(&t);
        let back = from_nir(&written(&net), net.dt);
        assert_same(&net, &back, &t);
        let source = to_source(&net, "t.npz").unwrap();
        let again = from_source(&source.text, source.arrays);
        assert_same(&net, &again, &source.text);
    }
}
