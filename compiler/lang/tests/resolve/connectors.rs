//! Each rule of connection against counts and places worked out by hand.

use crate::{Memory, floats, ints, network, network_of, npy, npz, projection, synapses};
use synfire_ir::network::{Init, Synapse};

/// A network of one source and one population, connected by `rule`.
fn one(from: &str, to: &str, rule: &str, files: &Memory) -> Vec<Synapse> {
    let text = format!(
        "use std.neurons.If\nnetwork N {{\n step 1 ms\n source a: events[{from}]\n pop b: If[{to}]\n connect c: a -> b.i : {rule}\n}}"
    );
    synapses(&network_of(&text, files), "c")
}

fn plain(from: &str, to: &str, rule: &str) -> Vec<Synapse> {
    one(from, to, rule, &Memory::default())
}

fn pairs(s: &[Synapse]) -> Vec<(u32, u32)> {
    s.iter().map(|s| (s.source, s.target)).collect()
}

#[test]
fn all_to_all_and_one_to_one() {
    assert_eq!(plain("3", "4", "all_to_all { weight = 2 }").len(), 12);
    assert_eq!(
        pairs(&plain("3", "3", "one_to_one")),
        [(0, 0), (1, 1), (2, 2)]
    );
    // Shapes may differ when the numbers agree.
    assert_eq!(plain("2, 3", "6", "one_to_one").len(), 6);
}

#[test]
fn no_unit_to_itself() {
    let net = network(
        "use std.neurons.If\nnetwork N { step 1 ms; pop b: If[4]\n connect c: b -> b : all_to_all(self = false) { delay = 1 ms }\n\
         connect d: b[1 .. 3] -> b[2 .. 4] : all_to_all(self = false) { delay = 2 ms } }",
    );
    assert_eq!(synapses(&net, "c").len(), 12);
    // Units 1 and 2 to units 2 and 3: only 2 -> 2 is left out.
    assert_eq!(pairs(&synapses(&net, "d")), [(0, 0), (0, 1), (1, 1)]);
    assert!(synapses(&net, "d").iter().all(|s| s.delay == 2));
}

#[test]
fn drawn_degrees() {
    let s = plain("30", "50", "fixed_indegree(7) { weight = 1 }");
    assert!((0..50).all(|t| s.iter().filter(|s| s.target == t).count() == 7));
    let s = plain("30", "50", "fixed_indegree(30, multapses = false)");
    assert_eq!(s.len(), 1500);
    assert!((0..50).all(|t| (0..30).all(|x| s.iter().any(|s| (s.source, s.target) == (x, t)))));
    let s = plain("30", "50", "fixed_outdegree(7)");
    assert!((0..30).all(|x| s.iter().filter(|s| s.source == x).count() == 7));
    assert_eq!(plain("30", "50", "fixed_total(n = 333)").len(), 333);
    let n = plain("100", "100", "fixed_probability(10 %)").len() as f64;
    // 1000 expected, deviation sqrt(10000 * 0.1 * 0.9) = 30.
    assert!((n - 1000.0).abs() < 150.0, "{n}");
}

#[test]
fn drawn_weights_and_delays() {
    let s = plain(
        "50",
        "50",
        "all_to_all { weight ~ uniform(1, 2), delay ~ uniform(2 ms, 4 ms) }",
    );
    assert_eq!(s.len(), 2500);
    assert!(
        s.iter()
            .all(|s| (1.0..2.0).contains(&s.weight) && (2..=4).contains(&s.delay))
    );
    let mean = s.iter().map(|s| s.weight).sum::<f64>() / 2500.0;
    assert!((mean - 1.5).abs() < 0.03, "{mean}");
    // A negative factor turns the bounds round.
    let s = plain(
        "5",
        "5",
        "all_to_all { weight ~ -2 * normal_clipped(1, 1, 0.5, 1.5) }",
    );
    assert!(s.iter().all(|s| (-3.0..=-1.0).contains(&s.weight)), "{s:?}");
}

#[test]
fn dense_reads_rows_as_targets() {
    let files = Memory::default().with("w.npy", floats(&[2, 3], [1.0, 2.0, 3.0, 4.0, 0.0, 6.0]));
    let s = one("3", "2", "dense { weight = load(\"w.npy\") }", &files);
    let got: Vec<_> = s.iter().map(|s| (s.target, s.source, s.weight)).collect();
    // The zero is no synapse.
    assert_eq!(
        got,
        [
            (0, 0, 1.0),
            (0, 1, 2.0),
            (0, 2, 3.0),
            (1, 0, 4.0),
            (1, 2, 6.0)
        ]
    );
    let s = one(
        "3",
        "2",
        "dense { weight = 10 * load(\"w.npy\") / 2 }",
        &files,
    );
    assert_eq!(s[4].weight, 30.0);
    assert_eq!(plain("3", "2", "dense { weight = 0.5 }").len(), 6);
    let s = plain("3", "2", "dense { weight = [[1, 2, 3], [4, 5, 6]] }");
    assert_eq!(
        s.iter().map(|s| s.weight).collect::<Vec<_>>(),
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    );
}

#[test]
fn sparse_matrix_rows_are_targets() {
    // [[0, 5, 0], [7, 0, 9]]: 2 targets, 3 sources.
    let members = vec![
        ("indptr", ints(&[0, 1, 3])),
        ("indices", ints(&[1, 0, 2])),
        ("data", floats(&[3], [5.0, 7.0, 9.0])),
        (
            "shape",
            npy(
                "<i8",
                &[2],
                &[2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0],
            ),
        ),
        ("format", npy("|S3", &[], b"csr")),
    ];
    let files = Memory::default().with("w.npz", npz(&members));
    let s = one(
        "3",
        "2",
        "sparse { weight = load(\"w.npz\"), delay = 3 ms }",
        &files,
    );
    let got: Vec<_> = s
        .iter()
        .map(|s| (s.target, s.source, s.weight, s.delay))
        .collect();
    assert_eq!(got, [(0, 1, 5.0, 3), (1, 0, 7.0, 3), (1, 2, 9.0, 3)]);
}

#[test]
fn listed_pairs() {
    let s = plain(
        "3",
        "4",
        "list([0, 2, 2], [1, 3, 0]) { weight = [0.5, 1.5, 2.5], delay = [1 ms, 2 ms, 3 ms] }",
    );
    let mut got: Vec<_> = s
        .iter()
        .map(|s| (s.source, s.target, s.weight, s.delay))
        .collect();
    got.sort_by_key(|g| (g.0, g.1));
    assert_eq!(got, [(0, 1, 0.5, 1), (2, 0, 2.5, 3), (2, 3, 1.5, 2)]);
}

/// Weight of the convolution at (out, in, y, x) is its place in the array; the reference sums by the definition.
#[test]
fn convolution_in_two_dimensions() {
    let files = Memory::default().with(
        "k.npy",
        floats(&[4, 1, 3, 3], (0..36).map(|n| n as f32 + 1.0)),
    );
    let rule = "conv2d(3, stride = [2, 1], padding = 1, dilation = 1, groups = 2) { weight = load(\"k.npy\") }";
    let s = one("2, 5, 6", "4, 3, 6", rule, &files);
    let mut want = vec![];
    for o in 0..4i64 {
        for y in 0..3i64 {
            for x in 0..6i64 {
                let group = o / 2;
                for ky in 0..3i64 {
                    for kx in 0..3i64 {
                        let (sy, sx) = (y * 2 + ky - 1, x + kx - 1);
                        if (0..5).contains(&sy) && (0..6).contains(&sx) {
                            let source = (group * 5 + sy) * 6 + sx;
                            want.push((
                                source as u32,
                                ((o * 3 + y) * 6 + x) as u32,
                                (o * 9 + ky * 3 + kx + 1) as f64,
                            ));
                        }
                    }
                }
            }
        }
    }
    let got: Vec<_> = s.iter().map(|s| (s.source, s.target, s.weight)).collect();
    assert_eq!(got, want);
}

#[test]
fn convolution_in_one_dimension() {
    let files = Memory::default().with("k.npy", floats(&[2, 1, 3], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    let s = one(
        "1, 8",
        "2, 4",
        "conv1d(3, stride = 2, padding = 1) { weight = load(\"k.npy\") }",
        &files,
    );
    // Target (0, 0) sees sources 0 and 1 with taps 1 and 2; target (1, 1) sees sources 1, 2, 3.
    let of = |t: u32| {
        s.iter()
            .filter(|s| s.target == t)
            .map(|s| (s.source, s.weight))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(0), [(0, 2.0), (1, 3.0)]);
    assert_eq!(of(5), [(1, 4.0), (2, 5.0), (3, 6.0)]);
    assert_eq!(s.len(), 2 * (3 * 4 - 1));
}

#[test]
fn pools_and_scales() {
    let s = plain("1, 4, 4", "1, 2, 2", "sum_pool2d(2)");
    assert_eq!(s.len(), 16);
    assert_eq!(pairs(&s)[..4], [(0, 0), (1, 0), (4, 0), (5, 0)]);
    assert!(s.iter().all(|s| s.weight == 1.0));
    assert!(
        plain("1, 4, 4", "1, 2, 2", "avg_pool2d(2)")
            .iter()
            .all(|s| s.weight == 0.25)
    );
    assert!(
        plain("1, 4, 4", "1, 2, 2", "avg_pool2d(2) { weight = 8 }")
            .iter()
            .all(|s| s.weight == 2.0)
    );
    let s = plain("3", "3", "scale([1, 2, 3])");
    assert_eq!(
        s.iter().map(|s| s.weight).collect::<Vec<_>>(),
        [1.0, 2.0, 3.0]
    );
}

#[test]
fn chains_multiply() {
    // Pool 2x2, then two rows over the four cells: the weight of a cell stands at each of its four inputs.
    let files = Memory::default().with("w.npy", floats(&[2, 4], (1..9).map(|n| n as f32)));
    let s = one(
        "1, 4, 4",
        "2",
        "avg_pool2d(2) | flatten | dense { weight = load(\"w.npy\") }",
        &files,
    );
    assert_eq!(s.len(), 32);
    let w = |x: u32, t: u32| {
        s.iter()
            .find(|s| (s.source, s.target) == (x, t))
            .unwrap()
            .weight
    };
    assert_eq!(
        (w(0, 0), w(5, 0), w(2, 0), w(15, 1)),
        (0.25, 0.25, 0.5, 2.0)
    );
    // Both rules have weights: the inner one in its own argument.
    let s = one(
        "1, 4, 4",
        "4",
        "avg_pool2d(2) | flatten | scale([1, 2, 3, 4]) { delay = 2 ms }",
        &files,
    );
    assert_eq!(s.iter().find(|s| s.source == 15).unwrap().weight, 1.0);
}

#[test]
fn lists_distribute_in_order() {
    let net = network(
        "use std.neurons.If\nnetwork N { step 1 ms; source x: events[2]; source y: events[3]; pop a: If[2]; pop b: If[2]\n\
         connect c: (x, y) -> (a, b.i) : all_to_all { weight = 1 } }",
    );
    let names: Vec<(String, String, String)> = net
        .projections()
        .map(|p| {
            (
                p.3.name.clone(),
                net.graph[p.1].name.clone(),
                net.graph[p.2].name.clone(),
            )
        })
        .collect();
    let want = [
        ("c.0", "x", "a"),
        ("c.1", "x", "b"),
        ("c.2", "y", "a"),
        ("c.3", "y", "b"),
    ];
    assert_eq!(names, want.map(|(n, a, b)| (n.into(), a.into(), b.into())));
}

#[test]
fn slices_follow_the_first_axis() {
    let net = network(
        "use std.neurons.If\nnetwork N { step 1 ms; source x: events[4, 3]; pop a: If[6]\n\
         connect c: x[1 .. 3] -> a : one_to_one\n connect d: x[2][1] -> a[5] : one_to_one }",
    );
    let p = &net.graph[projection(&net, "c")];
    assert_eq!((p.source_range.start, p.source_range.len), (3, 6));
    let p = &net.graph[projection(&net, "d")];
    assert_eq!(
        (
            p.source_range.start,
            p.source_range.len,
            p.target_range.start
        ),
        (7, 1, 5)
    );
}

#[test]
fn units_reach_ports() {
    let files = Memory::default().with("w.npy", floats(&[2, 2], [1.0, 2.0, 3.0, 4.0]));
    let net = network_of(
        "use std.neurons.LifCurrExp\nnetwork N { step 0.1 ms; source x: events[2]; pop a: LifCurrExp[2]\n\
         connect c: x -> a.exc : dense { weight = load(\"w.npy\") * 10 pA, delay = 0.25 ms, bias = 1 nA } }",
        &files,
    );
    let s = synapses(&net, "c");
    assert!((s[3].weight - 40e-12).abs() < 1e-18, "{}", s[3].weight);
    // 2.5 steps: ties to even.
    assert_eq!(s[3].delay, 2);
    assert_eq!(
        net.graph[projection(&net, "c")].bias,
        Some(Init::Const(1e-9))
    );
}

#[test]
fn analog_outputs() {
    let net = network(
        "neuron Rate(tau: time = 30 ms) { state x: real = 0; input i: real; output r: real = tanh(x); x' = (i - x) / tau }\n\
         network N { step 1 ms; pop a: Rate[3]; pop b: Rate[2]\n connect a.r -> b : dense { weight = 0.5 } }",
    );
    let p = net.projections().next().unwrap().3;
    assert_eq!(
        (p.name.as_str(), p.carry),
        ("a.r->b.i", synfire_ir::program::Carry::Output(0))
    );
}
