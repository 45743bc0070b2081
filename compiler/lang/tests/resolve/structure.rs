//! Modules, parts, loops, parameters, experiments and determinism.

use crate::{Memory, load_with, network, network_of, projection, synapses};
use synfire_ir::network::{Connector, Init, Network, PopKind, Quantity};
use synfire_ir::program::Range;

fn names(net: &Network) -> Vec<&str> {
    net.populations().map(|p| p.1.name.as_str()).collect()
}

fn edges(net: &Network) -> Vec<(&str, &str, &str)> {
    net.projections()
        .map(|p| {
            (
                p.3.name.as_str(),
                net.graph[p.1].name.as_str(),
                net.graph[p.2].name.as_str(),
            )
        })
        .collect()
}

#[test]
fn declarations_stand_in_any_order() {
    let net = network(
        "network N {\n connect x -> a : all_to_all { weight = w }\n let w = 2 * v\n pop a: Cell[n]\n let n = m + 1\n source x: events[m]\n\
         let m = 3\n let v = 0.25\n step 1 ms\n}\nneuron Cell { state v: real; input i: real; on i { v += i }; spike when v > 1 { v = 0 } }",
    );
    // Populations keep the order of the text.
    assert_eq!(names(&net), ["a", "x"]);
    assert_eq!(synapses(&net, "x->a.i").len(), 12);
    assert_eq!(synapses(&net, "x->a.i")[0].weight, 0.5);
}

#[test]
fn loops_number_what_they_declare() {
    let net = network(
        "use std.neurons.If\nnetwork Chain(n: int = 4) {\n step 1 ms\n source x: events[10]\n\
         for i in 0 .. n {\n  pop layer: If[10]\n  for k in [1, 2] { pop side: If[k] }\n  connect layer -> side.0 : all_to_all { weight = 1 }\n }\n\
         for i in 0 .. n - 1 { connect hop: layer.(i) -> layer.(i + 1) : one_to_one { delay = 1 ms } }\n\
         connect x -> layer.0 : one_to_one\n record layer.3.spikes\n record side.1.1\n}",
    );
    let want = [
        "x", "layer.0", "side.0.0", "side.0.1", "layer.1", "side.1.0", "side.1.1", "layer.2",
        "side.2.0", "side.2.1", "layer.3", "side.3.0", "side.3.1",
    ];
    assert_eq!(names(&net), want);
    let e = edges(&net);
    assert_eq!(e[0], ("layer.0->side.0.0.i", "layer.0", "side.0.0"));
    assert_eq!(e[4], ("hop.0", "layer.0", "layer.1"));
    assert_eq!(e[6], ("hop.2", "layer.2", "layer.3"));
    assert_eq!(e[7], ("x->layer.0.i", "x", "layer.0"));
    let recorded: Vec<&str> = net
        .probes
        .iter()
        .map(|p| net.graph[p.pop].name.as_str())
        .collect();
    assert_eq!(recorded, ["layer.3", "side.1.1"]);
}

const PARTS: &str = "use std.neurons.If
module Column(n: int, gain: real = 1) {
  port in x: spikes[n]
  port out y: spikes[n] = l4.spikes
  pop l4: If[n] { v_th = gain }
  pop l5: If[n]
  connect up: x -> l4 : one_to_one
  connect x[0 .. 2] -> l5[1 .. 3] : one_to_one { weight = 3 }
  connect l4 -> l5 : all_to_all { weight = 1 }
}
module Pair(n: int) {
  port in x: spikes[2 * n]
  part left: Column(n)
  part right: Column(n, gain = 2)
  connect x[0 .. n] -> left.x : one_to_one
  connect x[n .. 2 * n] -> right.x : one_to_one { delay = 2 ms }
}
network N {
  step 1 ms
  source s: events[20]
  part p: Pair(n = 5)
  connect s[10 .. 20] -> p.x : one_to_one { delay = 1 ms }
  connect p.left.y -> p.right.x : one_to_one { weight = 0.5 }
  record p.right.y
  hint p { cores = 2 }
}";

#[test]
fn parts_flatten() {
    let net = network(PARTS);
    assert_eq!(
        names(&net),
        ["s", "p.left.l4", "p.left.l5", "p.right.l4", "p.right.l5"]
    );
    let up = &net.graph[projection(&net, "p.left.up")];
    assert_eq!(
        (up.source_range, &up.delay),
        (Range { start: 10, len: 5 }, &Init::Const(1.0))
    );
    // Delays along the way add; the second way into the port carries a number.
    let up = &net.graph[projection(&net, "p.right.up")];
    assert_eq!(
        (up.source_range, &up.delay),
        (Range { start: 15, len: 5 }, &Init::Const(3.0))
    );
    let second = projection(&net, "p.right.up.1");
    let (a, b) = net.graph.edge_endpoints(second).unwrap();
    assert_eq!(
        (net.graph[a].name.as_str(), net.graph[b].name.as_str()),
        ("p.left.l4", "p.right.l4")
    );
    assert_eq!(net.graph[second].stages[0].weight, Init::Const(0.5));
    // A slice of a port is a slice of what arrives there.
    let p = &net.graph[projection(&net, "p.right.x[0..2]->p.right.l5[1..3].i")];
    assert_eq!(
        (p.source_range, p.target_range),
        (Range { start: 15, len: 2 }, Range { start: 1, len: 2 })
    );
    assert_eq!(p.stages[0].weight, Init::Const(3.0));
    assert_eq!(net.graph[net.probes[0].pop].name, "p.right.l4");
    assert_eq!(net.hints.len(), 4);
    let PopKind::Neurons { values, .. } = &net.graph[net.find("p.right.l4").unwrap()].kind else {
        panic!()
    };
    assert_eq!(values[..], [("v_th".to_string(), Init::Const(2.0))]);
}

#[test]
fn rules_on_both_sides_of_a_port_chain() {
    let net = network(
        "use std.neurons.If\nmodule M { port in x: spikes[1, 4, 4]; pop a: If[3]; connect go: x -> a : flatten | dense { weight = 2 } }\n\
         network N { step 1 ms; source s: events[1, 8, 8]; part m: M; connect s -> m.x : sum_pool2d(2) }",
    );
    let p = &net.graph[projection(&net, "m.go")];
    assert_eq!(p.stages.len(), 2);
    assert_eq!(synapses(&net, "m.go").len(), 64 * 3);
}

#[test]
fn recursive_modules_end_with_their_loops() {
    let net = network(
        "use std.neurons.If\nmodule Tree(depth: int) { pop a: If[1]; for i in 0 .. min(depth, 2) { part sub: Tree(depth - 1) } }\n\
         network N { step 1 ms; part t: Tree(2) }",
    );
    // Two rounds at depth 2, one at depth 1, none at depth 0.
    assert_eq!(net.populations().count(), 5);
    assert!(net.find("t.sub.1.sub.0.a").is_some());
}

#[test]
fn parameters_are_set_from_outside() {
    let text = "use std.neurons.If\nnetwork N(n: int = 3, t: time = 1 ms, w: path = \"none.npy\", on: bool = false) {\n step t\n source x: events[n]\n\
                pop a: If[2]\n connect c: x -> a : dense { weight = load(w) }\n hint { on = on }\n}";
    let files = Memory::default().with("w.npy", crate::floats(&[2, 4], [0.5; 8]));
    let l = load_with(
        text,
        &files,
        &[
            ("n", "2 + 2"),
            ("t", "0.5 ms"),
            ("w", "w.npy"),
            ("on", "true"),
        ],
    );
    let net = l.network.unwrap();
    assert_eq!((net.dt, synapses(&net, "c").len()), (Some(5e-4), 8));
    assert_eq!(
        net.hints,
        [(String::new(), "on".to_string(), "true".to_string())]
    );
    let e = crate::wrong(text, &files, &[("m", "4"), ("n", "2 mV"), ("t", "3")]);
    insta::assert_snapshot!(e);
}

#[test]
fn the_only_experiment_gives_arguments_and_length() {
    let text = "use std.neurons.If\nnetwork N(n: int) { step 1 ms; source x: events[n]; pop a: If[n]; connect x -> a : one_to_one }\n\
                experiment e of N(n = 7) { run 20 ms; feed x from load(\"x.csv\") }";
    let files = Memory::default().with_events("x.csv", &[(5, 6, 1.0), (2, 0, 2.0)]);
    let net = network_of(text, &files);
    assert_eq!((net.run, net.neurons()), (Some(20), 7));
    assert_eq!(net.feeds[0].events, [(2, 0, 2), (5, 6, 1)]);
    let l = load_with(
        text,
        &Memory::default().with_events("x.csv", &[]),
        &[("n", "3")],
    );
    assert_eq!(l.network.unwrap().neurons(), 3);
}

#[test]
fn built_in_spikes() {
    let net = network(
        "use std.neurons.If\nnetwork N { step 1 ms; source x: spike_list[3] { times = [1 ms, 4 ms], units = [2, 0] }\n\
         source y: spike_list[2] { times = [0.5 ms, 3 ms] }; pop a: If[3]; connect x -> a : one_to_one }",
    );
    assert_eq!(net.feeds[0].events, [(1, 2, 1), (4, 0, 1)]);
    assert_eq!(
        net.feeds[1].events,
        [(0, 0, 1), (0, 1, 1), (3, 0, 1), (3, 1, 1)]
    );
}

#[test]
fn fields_take_lists_choices_and_draws() {
    let net = network(
        "use std.neurons.Lif\nnetwork N { step 1 ms; let ts = [10 ms, 20 ms, 30 ms]\n\
         pop a: Lif[3] { tau = ts, reset = subtract, v ~ normal(0.5, 0.1), v_th = 2 } }",
    );
    let PopKind::Neurons { values, model } = &net.graph[net.find("a").unwrap()].kind else {
        panic!()
    };
    let names: Vec<&str> = values.iter().map(|v| v.0.as_str()).collect();
    assert_eq!(names, ["reset", "tau", "v", "v_th"]);
    let reset = net.models[*model as usize]
        .fields
        .iter()
        .find(|f| f.name == "reset")
        .unwrap();
    let subtract = reset.choices.iter().position(|c| c == "subtract").unwrap();
    assert_eq!(values[0].1, Init::Const(subtract as f64));
    let Init::Array(tau) = values[1].1 else {
        panic!()
    };
    assert_eq!(
        (
            net.arrays[tau as usize].get(2),
            net.arrays[tau as usize].name.as_str()
        ),
        (0.03, "a.tau")
    );
}

#[test]
fn chips_without_time_count_steps() {
    let net = network(
        "use targets.toy.Cell\nnetwork N { source x: events[2]; pop a: Cell[2] { thr = 3, leak = 0 }\n\
         connect c: x -> a : all_to_all { weight = 2, delay = 3 }\n record a.v every 5 }",
    );
    assert_eq!((net.dt, synapses(&net, "c")[0].delay), (None, 3));
    assert_eq!(
        (net.probes[0].every, &net.probes[0].what),
        (5, &Quantity::State("v".into()))
    );
    assert_eq!(net.models[0].model.name, "targets.toy.Cell");
}

#[test]
fn same_text_same_network() {
    let a = format!("{:?}", network(PARTS).into_inner());
    let b = format!("{:?}", network(PARTS).into_inner());
    assert_eq!(a, b);
}

#[test]
fn another_population_changes_no_draw() {
    let base = "use std.neurons.Lif\nnetwork N { step 1 ms; seed 5\n MORE pop a: Lif[40] { v ~ uniform(0, 1) }\n source x: events[40]\n\
                connect x -> a : fixed_probability(0.3) { weight ~ normal(1, 0.1), delay ~ uniform(1 ms, 9 ms) }\n LATER }";
    let plain = network(&base.replace("MORE", "").replace("LATER", ""));
    let more = "pop zero: Lif[7] { v ~ uniform(0, 1) }\n connect x -> zero : all_to_all { weight ~ normal(1, 0.1) }\n";
    let richer = network(
        &base
            .replace("MORE", more)
            .replace("LATER", "connect x -> a : one_to_one"),
    );
    assert_eq!(synapses(&plain, "x->a.i"), synapses(&richer, "x->a.i"));
    // A second projection between the same two populations takes a name of its own.
    assert_eq!(synapses(&richer, "x->a.i#2").len(), 40);
    let start = |net: &Network| {
        let PopKind::Neurons { values, .. } = &net.graph[net.find("a").unwrap()].kind else {
            panic!()
        };
        net.elements(&values[0].1, 40, 5, "a.v")
    };
    assert_eq!(start(&plain), start(&richer));
    let weighted = |net: &Network, seed| {
        let id = projection(net, "x->a.i");
        net.expand(id, seed, Range { start: 0, len: 40 })
    };
    assert_ne!(weighted(&plain, 5), weighted(&plain, 6));
    assert!(matches!(
        plain.graph[projection(&plain, "x->a.i")].stages[0].connector,
        Connector::FixedProbability { .. }
    ));
}
