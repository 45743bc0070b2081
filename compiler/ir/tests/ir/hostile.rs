//! Texts that are damaged, cut or made up: an error with line and column, never a panic.

use crate::arbitrary::{Tape, mapping, network, program, tape};
use proptest::prelude::*;
use synfire_ir::{Diagnostics, mapping as m, network as n, program as p};

/// What each of the three parsers says, if anything; every error must say where and how to mend it.
fn read_all(text: &str) -> Vec<Diagnostics> {
    let all = [
        p::parse("f", text).err(),
        n::parse("f", text).err(),
        m::parse("f", text).err(),
    ];
    let all: Vec<Diagnostics> = all.into_iter().flatten().collect();
    for d in all.iter().flat_map(|d| &d.0) {
        assert!(d.code.starts_with("SYN071"), "{d}");
        let place = d.place.as_deref().expect("a place");
        let numbers: Vec<usize> = place
            .split(':')
            .skip(1)
            .map(|x| x.parse().expect("a number"))
            .collect();
        assert!(
            matches!(numbers[..], [line, column] if line > 0 && column > 0),
            "{place}"
        );
        assert!(!d.hints.is_empty(), "{d}");
        assert!(d.message.len() < 300, "{d}");
    }
    all
}

/// Words that the three texts are made of, to be put where they do not belong.
const SCRAPS: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    ":",
    ",",
    "=",
    "->",
    "..",
    "@",
    "%0",
    "%99999999999",
    "#0",
    "#",
    "#x",
    "\"",
    "\"a\"",
    "-",
    "-1",
    "0",
    "4294967296",
    "1e999",
    "0x",
    "0xfffffffffffffffff",
    "inf",
    "nan",
    "model",
    "group",
    "rows",
    "step",
    "rule",
    "array",
    "core",
    "é",
    "\u{0}",
    "\n",
    "//",
    "\\",
];

/// Cuts, doubles, swaps and inserts pieces of a text.
fn damage(text: &str, t: &mut Tape) -> String {
    let mut parts: Vec<&str> = text
        .split_inclusive([' ', '\n', ',', '[', ']', '{', '}', ':'])
        .collect();
    for _ in 0..1 + t.below(4) {
        let k = t.below(parts.len() as u32) as usize;
        match t.below(6) {
            _ if parts.is_empty() => {}
            0 => drop(parts.remove(k)),
            1 => parts.insert(k, t.pick(&SCRAPS)),
            2 => parts[k] = t.pick(&SCRAPS),
            3 => parts.truncate(k),
            4 => {
                let other = t.below(parts.len() as u32) as usize;
                parts.swap(k, other);
            }
            _ => {
                let piece = parts[k];
                parts.extend([piece; 3]);
            }
        }
    }
    parts.concat()
}

proptest! {
    #![proptest_config(crate::cases(1500))]

    #[test]
    fn damaged_programs(words in tape(300), other in tape(20)) {
        let text = p::print(&program::sound(&mut Tape::new(words)));
        let text = damage(&text, &mut Tape::new(other));
        if let Ok(x) = p::parse("f", &text) {
            let _ = p::check(&x);
            prop_assert_eq!(p::print(&p::parse("f", &p::print(&x)).expect("printed")), p::print(&x));
        }
        read_all(&text);
    }

    #[test]
    fn damaged_networks(words in tape(400), other in tape(20)) {
        let text = n::print(&network::network(&mut Tape::new(words)));
        let text = damage(&text, &mut Tape::new(other));
        if let Ok(x) = n::parse("f", &text) {
            prop_assert_eq!(n::print(&n::parse("f", &n::print(&x)).expect("printed")), n::print(&x));
            let _ = n::verify(x);
        }
        read_all(&text);
    }

    #[test]
    fn damaged_mappings(words in tape(200), other in tape(20)) {
        let text = m::print(&mapping::mapping(&mut Tape::new(words)));
        let text = damage(&text, &mut Tape::new(other));
        read_all(&text);
    }

    #[test]
    fn any_text(text in "\\PC{0,60}", scraps in prop::collection::vec(prop::sample::select(SCRAPS.to_vec()), 0..30)) {
        for head in ["", "program p: f32 seed 1 ", "network n ", "mapping a onto b dialect c mesh 1 1 "] {
            read_all(&format!("{head}{text}"));
            read_all(&format!("{head}{}", scraps.join(" ")));
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    let head = "network n neuron { model M { step { } } field a: real = ";
    for (open, close) in [
        ("neg(", ")"),
        ("add(1.0, ", ")"),
        ("if(", ", 1.0, 1.0)"),
        ("poisson_cdf(1, ", ")"),
    ] {
        for depth in [999, 1000, 200_000] {
            let text = format!("{head}{}dt{} }}", open.repeat(depth), close.repeat(depth));
            let said = n::parse("f", &text).err().map(|d| d.to_string());
            assert_eq!(said.is_none(), depth == 999, "{depth} {open} {said:?}");
            assert!(said.is_none_or(|d| d.contains("SYN0716")));
        }
    }
    for brackets in ["[", "{", "("] {
        read_all(&format!(
            "program p: f32 seed 1 group a: {}",
            brackets.repeat(200_000)
        ));
    }
}

#[test]
fn errors_name_their_place_and_go_on() {
    let text = r#"program toy: f32 seed 1

model M {
  state v: f33
  step { }
}
model Lif {
  state v: f32
  port i: f32 sum
  step { %0 = state.f32 v %2 = neg.f32 %0 }
}
group a: units Lyf[2] phase 0 base 0 { init v = 0.0 }
group b: external[3] phase 70000 base 0
group "open: external[3] phase 0 base 0
projection p: a[0..2] -> b[2..1].i events dense d1 i8 [300]
probe ok: a[0..2] events evry 1
"#;
    let d = p::parse("toy.program", text).expect_err("many faults");
    insta::assert_snapshot!(d);
    let d = p::parse("x", "network n").expect_err("another level");
    insta::assert_snapshot!(d, @"error[SYN0711]: x:1:1: `program` expected, `network` found; help: write `program` here");
}

#[test]
fn names_that_are_not_known() {
    let program = |rest: &str| {
        let text = format!(
            "program p: f32 seed 1\nmodel Lif {{ state v: f32 port i: f32 sum step {{ }} }}\n\
             group exc: units Lif[2] phase 0 base 0 {{ init v = 0.0 }}\n\
             group twin: external[1] phase 0 base 2\ngroup twin: external[1] phase 0 base 3\n{rest}"
        );
        p::parse("p", &text).expect_err("a fault").to_string()
    };
    let all = [
        program("group inh: units Lyf[2] phase 0 base 0 { }"),
        program("probe x: ex[0..1] events every 1"),
        program("probe x: twin[0..1] events every 1"),
        program("probe x: exc[0..1] state u every 1"),
        program("group inh: units Lif[2] phase 0 base 0 { init v = 0.0 init v = 1.0 }"),
        program("group inh: units Lif[2] phase 0 base 0 { init v = 1e39 }"),
        program("probe x: #4294967296[0..1] events every 1"),
    ]
    .join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn every_prefix_of_a_text_is_read_or_refused() {
    let text = p::print(&program::sound(&mut Tape::new(
        (0..400).map(|k| k * 7919).collect(),
    )));
    for end in (0..text.len()).filter(|k| text.is_char_boundary(*k)) {
        let _ = p::parse("p", &text[..end]);
    }
}
