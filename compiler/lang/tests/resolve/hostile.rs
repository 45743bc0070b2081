//! Texts made to hang, overflow or exhaust: each ends soon, with a diagnostic.

use crate::{Memory, load_with};
use proptest::prelude::*;

fn codes(text: &str) -> Vec<String> {
    let start = std::time::Instant::now();
    let l = load_with(text, &Memory::default(), &[]);
    assert!(start.elapsed().as_secs() < 30, "too slow");
    l.network
        .err()
        .map_or(vec![], |e| e.0.into_iter().map(|d| d.code).collect())
}

const HEAD: &str = "use std.neurons.If\n";

#[test]
fn endless_loops() {
    assert_eq!(
        codes(&format!(
            "{HEAD}network N {{ step 1 ms; for i in 0 .. 1000000000 {{ let x = i }} }}"
        )),
        ["SYN0113"]
    );
    let nested = "for i in 0 .. 10000 { for j in 0 .. 10000 { let x = i } }";
    assert_eq!(
        codes(&format!("{HEAD}network N {{ step 1 ms; {nested} }}")),
        ["SYN0113"]
    );
}

#[test]
fn too_many_things() {
    let many = "for i in 0 .. 200000 { pop a: If[1] }";
    assert_eq!(
        codes(&format!("{HEAD}network N {{ step 1 ms; {many} }}")),
        ["SYN0113"]
    );
    let wide: String = (0..400).map(|i| format!("pop p{i}: If[1]; ")).collect();
    let list = (0..400)
        .map(|i| format!("p{i}"))
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!(
        "{HEAD}network N {{ step 1 ms; {wide}\n connect ({list}) -> ({list}) : all_to_all {{ delay = 1 ms }} }}"
    );
    assert_eq!(codes(&text), ["SYN0113"]);
}

#[test]
fn modules_within_themselves() {
    assert_eq!(
        codes("module M { part m: M }\nnetwork N { step 1 ms; part m: M }"),
        ["SYN0113"]
    );
    // Two parts in each: stopped by the number of statements long before the depth.
    assert_eq!(
        codes("module M { part a: M; part b: M }\nnetwork N { step 1 ms; part m: M }"),
        ["SYN0113"]
    );
}

#[test]
fn definitions_of_themselves() {
    assert_eq!(
        codes("let a = b\nlet b = a\nnetwork N { step a }"),
        ["SYN0106"]
    );
    assert_eq!(
        codes(&format!(
            "{HEAD}network N {{ step 1 ms; pop a: If[size(a)] }}"
        )),
        ["SYN0106"]
    );
    assert_eq!(
        codes(
            "module M { port in x: spikes[1] = x }\nnetwork N { step 1 ms; part m: M; source s: events[1]; connect s -> m.x : one_to_one }"
        ),
        ["SYN0106"]
    );
}

#[test]
fn deep_and_growing_values() {
    // A chain of definitions, each a tall expression.
    let tall = |inner: &str| format!("{}{inner}{}", "(1 + ".repeat(60), ")".repeat(60));
    let chain: String = (0..5000)
        .map(|i| format!("let a{i} = {}\n", tall(&format!("a{}", i + 1))))
        .collect();
    let found = codes(&format!(
        "{chain}let a5000 = 1\nnetwork N {{ step a0 * 1 ms }}"
    ));
    assert!(found.contains(&"SYN0113".to_string()), "{found:?}");
    let double: String = (0..60)
        .map(|i| format!("let s{} = name(s{i}, s{i})\n", i + 1))
        .collect();
    let text =
        format!("let s0 = \"xxxxxxxx\"\n{double}network N {{ step 1 ms; hint {{ s = s60 }} }}");
    assert_eq!(codes(&text), ["SYN0113"]);
    let lists: String = (0..60)
        .map(|i| format!("let l{} = [l{i}, l{i}]\n", i + 1))
        .collect();
    let text = format!(
        "{HEAD}let l0 = [1, 2]\n{lists}network N {{ step 1 ms; pop a: If[2] {{ v_th = l60 }} }}"
    );
    assert_eq!(codes(&text), ["SYN0113"]);
    let big = "let a = 9999999999\nlet b = a * a * a * a * a * a * a * a\nnetwork N { step 1 ms }";
    assert_eq!(codes(big), ["SYN0114"]);
}

#[test]
fn deep_things_built_from_below() {
    // Each list is evaluated when the one inside it is known, so only their own depth stops them.
    let lists: String = (0..50_000)
        .map(|i| format!("let l{} = [l{i}]\n", i + 1))
        .collect();
    assert_eq!(
        codes(&format!("let l0 = 1\n{lists}network N {{ step 1 ms }}")),
        ["SYN0113"]
    );
    let ports: String = (0..5_000)
        .map(|i| format!("port in p{i}: spikes[1] = p{}\n", i + 1))
        .collect();
    let text = format!(
        "{HEAD}module M {{ {ports} port in p5000: spikes[1] = a.i; pop a: If[1] }}\nnetwork N {{ step 1 ms; part m: M; source s: events[1]; connect s -> m.p0 : one_to_one }}"
    );
    assert_eq!(codes(&text), ["SYN0113"]);
}

#[test]
fn many_ways_through_ports() {
    let module = "module M { port in x: spikes[1]; port out y: spikes[1]\n connect x -> y : one_to_one\n connect x -> y : scale(2) }";
    let parts = "for i in 0 .. 400 { part m: M }\n for i in 0 .. 399 { connect m.(i).y -> m.(i + 1).x : one_to_one }";
    let text = format!(
        "{HEAD}{module}\nnetwork N {{ step 1 ms; {parts}\n source s: events[1]; pop a: If[1]; connect s -> m.0.x : one_to_one\n connect m.399.y -> a : one_to_one }}"
    );
    let found = codes(&text);
    assert!(
        !found.is_empty() && found.iter().all(|c| c == "SYN0113"),
        "{found:?}"
    );
}

#[test]
fn many_parameters_and_parts() {
    let params = (0..2000)
        .map(|i| format!("p{i}: int = 1"))
        .collect::<Vec<_>>()
        .join(", ");
    let text = format!(
        "module M({params}) {{ }}\nnetwork N {{ step 1 ms; for i in 0 .. 900000 {{ part m: M }} }}"
    );
    assert_eq!(codes(&text), ["SYN0113"]);
}

#[test]
fn many_errors() {
    let pops: String = (0..20_000)
        .map(|i| format!("pop population_number_{i}: If[1]\n"))
        .collect();
    let refs: String = (0..20_000)
        .map(|i| format!("record population_numbr_{i}\n"))
        .collect();
    let found = codes(&format!("{HEAD}network N {{ step 1 ms\n{pops}{refs} }}"));
    assert_eq!(found.len(), 200);
    let few: String = (0..1000).map(|i| format!("pop p{i}: If[1]\n")).collect();
    let list = (0..1000)
        .map(|i| format!("p{i}"))
        .collect::<Vec<_>>()
        .join(", ");
    let found = codes(&format!(
        "{HEAD}network N {{ step 1 ms\n{few} connect ({list}) -> ({list}) : all_to_all {{ weight = 1 mV }} }}"
    ));
    assert!(
        found.contains(&"SYN0113".to_string()) || found.len() == 200,
        "{}",
        found.len()
    );
}

#[test]
fn empty_lists_of_lists() {
    let wide = |inner: &str| format!("[{}]", [inner; 200].join(", "));
    let lists: String = (0..10)
        .map(|i| format!("let l{} = {}\n", i + 1, wide(&format!("l{i}"))))
        .collect();
    let text = format!(
        "{HEAD}let l0 = []\n{lists}network N {{ step 1 ms; pop a: If[2] {{ v_th = l10 }} }}"
    );
    assert_eq!(codes(&text), ["SYN0113"]);
}

#[test]
fn huge_shapes() {
    assert_eq!(
        codes(&format!(
            "{HEAD}network N {{ step 1 ms; pop a: If[4294967295, 4294967295, 4294967295] }}"
        )),
        ["SYN0315"]
    );
    let conv = "source a: events[1, 65535, 32767]; pop b: If[1, 1, 1]; connect a -> b : conv2d(32768, stride = 32768, padding = 32768) { weight = 1 }";
    assert!(!codes(&format!("{HEAD}network N {{ step 1 ms; {conv} }}")).is_empty());
}

/// Words and marks of the language in any order.
fn soup() -> impl Strategy<Value = String> {
    let words = [
        "network",
        "N",
        "{",
        "}",
        "pop",
        "a",
        ":",
        "If",
        "[",
        "2",
        "]",
        "connect",
        "->",
        "a.i",
        "all_to_all",
        "(",
        ")",
        "=",
        "~",
        "let",
        "x",
        "for",
        "in",
        "..",
        "0",
        "9",
        "step",
        "1 ms",
        "use",
        "std.neurons.If",
        "part",
        "module",
        "M",
        "record",
        "every",
        "weight",
        ",",
        "\n",
        ";",
        "load",
        "\"f\"",
        "uniform",
        "+",
        "*",
        "-",
        "dense",
        "|",
        "flatten",
        "port",
        "out",
        "spikes",
        "source",
        "events",
        "experiment",
        "of",
        "run",
        "feed",
        "from",
        "hint",
        "seed",
        "import",
        "delay",
        "true",
        "name",
        "size",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..60).prop_map(|w| w.join(" "))
}

proptest! {
    #[test]
    fn no_text_panics(body in soup(), top in soup()) {
        load_with(&format!("{HEAD}{top}\nnetwork N {{ step 1 ms\n {body} }}"), &Memory::default(), &[]);
        load_with(&body, &Memory::default(), &[("n", &top)]);
    }

    #[test]
    fn damaged_programs_do_not_panic(at in 0usize..3000, with in "[ -~]{0,3}", which in 0usize..4) {
        let programs = [
            include_str!("../data/brunel.syn"), include_str!("../data/lsnn.syn"),
            include_str!("../data/digits.syn"), include_str!("../data/bandit.syn"),
        ];
        let text = programs[which];
        let at = at % text.len();
        let (Some(a), Some(b)) = (text.get(..at), text.get((at + with.len()).min(text.len())..)) else { return Ok(()) };
        let l = load_with(&format!("{a}{with}{b}"), &Memory::default(), &[]);
        // Whatever is said points into a text.
        for d in l.network.err().iter().flat_map(|e| &e.0) {
            assert!(!d.hints.is_empty(), "{d}");
            assert!(d.labels.iter().all(|l2| l.sources.line_col(l2.span).is_some()));
        }
    }
}
