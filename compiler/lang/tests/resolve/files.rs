//! Imports, `use` and values of expressions.

use crate::{Memory, load_with, network, network_of, render, wrong};

#[test]
fn imports_with_and_without_a_name() {
    let files = Memory::default()
        .with("cells.syn", "import \"units.syn\" as u\nlet tau = 2 * u.base\nneuron Cell(t: time = tau) { state v: real; input i: real; v' = (i - v) / t\n spike when v > 1 { v = 0 } }\n")
        .with("units.syn", "import \"cells.syn\"\nlet base = 5 ms\nmodule Box { pop a: Cell[2] }\n");
    let net = network_of(
        "import \"cells.syn\" as cells\nimport \"units.syn\"\nnetwork N { step base / 5\n pop p: cells.Cell[1] { t = cells.tau }\n part b: Box }",
        &files,
    );
    assert_eq!(net.dt, Some(1e-3));
    let names: Vec<&str> = net.populations().map(|p| p.1.name.as_str()).collect();
    assert_eq!(names, ["p", "b.a"]);
    // One file, one model, however it was reached.
    assert_eq!(net.models.len(), 1);
}

#[test]
fn library_by_module_and_by_name() {
    for text in [
        "use std.neurons.{Lif, If}\nnetwork N { step 1 ms; pop a: Lif[1]; pop b: If[1] }",
        "use std.neurons\nnetwork N { step 1 ms; pop a: neurons.Lif[1]; pop b: neurons.If[1] }",
    ] {
        assert_eq!(network(text).models.len(), 2);
    }
}

/// `let` values seen through hints, which show every kind.
fn values(lets: &str, hints: &str) -> Vec<String> {
    let net = network(&format!(
        "use std.neurons.If\n{lets}\nnetwork N {{ step 1 ms; pop cells: If[2, 3]; hint {{ {hints} }} }}"
    ));
    net.hints.iter().map(|h| h.2.clone()).collect()
}

#[test]
fn arithmetic_with_units() {
    let got = values(
        "let a = 7 / 2\nlet b = 3 mV / 2 nA\nlet c = 2 ^ 10\nlet d = 1 / 20 ms\nlet e = sqrt(4 mV * 9 mV)\nlet f = -3 + 10 % * 10\nlet g = 0x10 << 2\nlet h = 200 pF / 10 nS",
        "a = a, b = b, c = c, d = d, e = e, f = f, g = g, h = h",
    );
    assert_eq!(
        got,
        [
            "3.5", "1.5 MOhm", "1024", "50 Hz", "6 mV", "-2", "64", "20 ms"
        ]
    );
}

#[test]
fn functions_and_lists() {
    let got = values(
        "let l = [1 ms, [2, 3], \"x\"]\nlet r = wrap(200, 8)",
        "a = size(l), b = l[1][0], c = l[2], d = r, e = min(3, 2.5), f = where(1 < 2 and not false, 4, 5), g = floor(7 / 2), \
         h = clip(9, 0, 5), i = sat(-200, 8), j = mul_shift(-3, 3, 1), k = mul_shift_rtz(-3, 3, 1), m = trunc_div(-7, 2), \
         n = round_shift(5, 1), o = 6 & 3 == 2, p = abs(-2 mV), q = l[0 .. 1][0], s = size(cells), t = name(cells, \"w\", 3), u = free",
    );
    let want = [
        "3",
        "2",
        "x",
        "-56",
        "2.5",
        "4",
        "3",
        "5",
        "-128",
        "-5",
        "-4",
        "-3",
        "3",
        "true",
        "2 mV",
        "1 ms",
        "6",
        "cells_w_3",
        "free",
    ];
    assert_eq!(got, want);
}

#[test]
fn rounding_of_delays_is_reported() {
    let l = load_with(
        "use std.neurons.If\nnetwork N { step 1 ms; source x: events[2]; pop a: If[2]\n\
         connect c: x -> a : one_to_one { delay = 1.3 ms }\n connect d: x -> a : one_to_one { delay = [0.5 ms, 1.5 ms] }\n\
         connect e: x -> a : one_to_one { delay = 3 ms } }",
        &Memory::default(),
        &[],
    );
    insta::assert_snapshot!(render(&l.sources, &l.warnings));
    let net = l.network.unwrap();
    let delays: Vec<u16> = crate::synapses(&net, "d").iter().map(|s| s.delay).collect();
    assert_eq!(delays, [0, 2]);
}

#[test]
fn the_network_is_chosen_by_name() {
    let text = "use std.neurons.If\nnetwork A { step 1 ms; pop a: If[1] }\nnetwork B { step 2 ms; pop b: If[1] }";
    insta::assert_snapshot!(wrong(text, &Memory::default(), &[]));
    let options = synfire_lang::LoadOptions {
        network: Some("B".into()),
        ..synfire_lang::LoadOptions::default()
    };
    let (_, net, _) = synfire_lang::load("net.syn", text, &Memory::default(), &options);
    assert_eq!(net.unwrap().dt, Some(2e-3));
}
