//! What is said about models that are wrong.

use super::{Quantity, lower_with};
use std::collections::BTreeMap;
use synfire_ir::Diagnostics;

fn shown(text: &str, d: &Diagnostics) -> String {
    let mut out = String::new();
    for d in &d.0 {
        out.push_str(&format!("{d}\n"));
        for l in &d.labels {
            let part = &text[l.span.start as usize..l.span.end as usize];
            let first = part.lines().next().unwrap_or("");
            out.push_str(&format!("    `{first}` {}\n", l.text));
        }
    }
    out
}

fn errors_at(text: &str, dt: Option<f64>) -> Diagnostics {
    match lower_with(
        text,
        dt,
        &BTreeMap::from([("x_size".to_string(), Quantity::plain(2.5))]),
    ) {
        Ok(_) => panic!("no error in {text}"),
        Err(mut d) => {
            for e in &d.0 {
                assert!(!e.hints.is_empty() && !e.labels.is_empty(), "{e}");
            }
            d.sort();
            d
        }
    }
}

fn errors(text: &str) -> Diagnostics {
    errors_at(text, Some(1e-3))
}

fn codes(text: &str) -> Vec<String> {
    errors(text).0.into_iter().map(|d| d.code).collect()
}

#[test]
fn many_errors_in_one_run() {
    let text = "neuron Wrong(tau: time = 20 mV, v_th: voltage = 20 mV, tau: time = 1 ms, kind: resett = zero) {
  state v: voltage = 0
  state w: current = 0 nA
  input i: current by summ
  output q: real
  let theta = v_th + tau
  v' = (v_th - v) * i
  w' = -w / tauu
  solve exakt
  on kick { v += 1 mV }
  on i { v += i; theta = 3 mV; w = expp(w) }
  spike when v > w refractory 3 mV hold (x) { v = v_th; emit v }
}";
    insta::assert_snapshot!(shown(text, &errors(text)));
}

#[test]
fn fixed_width_errors() {
    let text = "neuron Wrong(k: u8, big: u32) {
  state v: i16
  input syn: i8
  on syn(x) { v += x; k = 3 }
  on step {
    v = v / 2 + 1.5 + syn
    if v { emit 1 }
    v = where(big > v, exp(v), sat(v, 40))
    v = mul_shift(v, k, k)
    repeat v { v = -v }
  }
}";
    insta::assert_snapshot!(shown(text, &errors(text)));
}

#[test]
fn each_mistake_has_its_code() {
    let cases = [
        ("neuron A { state v: real  on step { v = u } }", "SYN0120"),
        ("neuron A { state v: real  state v: real }", "SYN0121"),
        ("neuron A { state dt: real }", "SYN0121"),
        ("neuron A { state v: realm }", "SYN0122"),
        ("neuron A { state v: real  spike when v { } }", "SYN0123"),
        (
            "neuron A { state v: real  on step { v = foo(v) } }",
            "SYN0124",
        ),
        (
            "neuron A { state v: real  on step { v = exp(v, v) } }",
            "SYN0124",
        ),
        (
            "neuron A(k: real = 1) { state v: real  on step { k = v } }",
            "SYN0125",
        ),
        (
            "neuron A { state v: real  on step { repeat 2000 { v += 1 } } }",
            "SYN0126",
        ),
        ("neuron A { state v: real  state n: i8 }", "SYN0127"),
        (
            "neuron A { state v: real  on step { v = rand_u32() } }",
            "SYN0128",
        ),
        ("neuron A { state n: i8  on step { n = 1 / n } }", "SYN0128"),
        (
            "neuron A { state n: i8  on step { n = x_size } }",
            "SYN0128",
        ),
        (
            "neuron A { state v: real  v' = -v / 1 ms  solve exactly }",
            "SYN0129",
        ),
        ("neuron A(r: reset = none) { state v: real }", "SYN0129"),
        ("neuron A { state v: real  on pre { v = 1 } }", "SYN0130"),
        ("neuron A { input a: bool  state v: real }", "SYN0130"),
        (
            "neuron A { state v: real  spike when v > 1 { }  spike when v > 2 { } }",
            "SYN0131",
        ),
        (
            "neuron A { state v: real  v' = -v / 1 ms  on step { v = 0 } }",
            "SYN0131",
        ),
        (
            "neuron A { state v: real  v' = -v * v / 1 ms  solve exact }",
            "SYN0132",
        ),
        (
            "neuron A { state v: real  v' = -v * v / 1 ms  solve exponential_euler }",
            "SYN0132",
        ),
        (
            "neuron A { state v: real  let a = b; let b = a; on step { v = a } }",
            "SYN0133",
        ),
        (
            "neuron A { state v: real = 1; state w: real = v }",
            "SYN0134",
        ),
        (
            "neuron A { state v: real  spike when v > 1 refractory v * 1 ms { } }",
            "SYN0134",
        ),
        (
            "neuron A { state v: real  on step { repeat 1024 { repeat 1024 { v = v * v + 1 } } } }",
            "SYN0135",
        ),
        ("neuron A { output q: real }", "SYN0136"),
        (
            "neuron A { state v: i8  input s: i8  on s(x) { v = x }  on step { v = s } }",
            "SYN0137",
        ),
        (
            "neuron A { state v: real  input s: real  on s(x) { v = x * rand() } }",
            "SYN0138",
        ),
        (
            "neuron A { state v: voltage  on step { v += 1 } }",
            "SYN0220",
        ),
        (
            "neuron A { state v: voltage  on step { v = 1 s } }",
            "SYN0221",
        ),
        (
            "neuron A(t: time = 1 ms) { state v: real  on step { v = exp(t) } }",
            "SYN0222",
        ),
        ("neuron A { state v: voltage  v' = -v }", "SYN0223"),
        (
            "neuron A { state v: voltage  on step { v = sqrt(v) } }",
            "SYN0224",
        ),
        (
            "neuron A { state v: voltage  state x: real  on step { x = v ^ x } }",
            "SYN0225",
        ),
        (
            "neuron A(a: real = b, b: real = 1) { state v: real }",
            "SYN0130",
        ),
        ("neuron A(k: u8 = 300) { state v: i8 }", "SYN0126"),
        ("neuron A { state v: i8 = -129 }", "SYN0126"),
        ("neuron A(n: int = 2.5) { state v: real }", "SYN0126"),
        (
            "neuron A { state v: real; input s: real; on s(x) { emit 1 } }",
            "SYN0130",
        ),
        ("neuron A { state v: voltage; output v: real }", "SYN0221"),
    ];
    for (text, code) in cases {
        assert_eq!(codes(text), [code], "{text}\n{}", errors(text));
    }
}

/// Linear equations in a circle have no closed form here: Euler, and a warning that says so.
#[test]
fn circles_are_integrated_by_euler_with_a_warning() {
    let text = "neuron A { state v: real = 1; state w: real; state u: real; v' = -u / 10 ms; w' = (v - w) / 10 ms; u' = w / 10 ms }";
    let (file, mut diags) = crate::syntax::parse(0, text);
    let Some(crate::syntax::tree::Item::Neuron(n)) = file.items.first() else {
        panic!("no neuron");
    };
    let cx = super::ModelContext {
        name: "A",
        dt: Some(1e-3),
        lets: &BTreeMap::new(),
    };
    let model = super::lower_neuron(n, &cx, &mut diags).expect("it lowers");
    let first = diags.0[0].code.as_str();
    assert_eq!(
        (diags.0.len(), first, diags.has_errors()),
        (1, "SYN0132", false)
    );
    let p = super::program(&model, &[], 1e-3, 1);
    let mut b = super::Bench::new(&p);
    b.all();
    b.all();
    assert!((b.state("u") - 0.01).abs() < 1e-6 && (b.state("w") - 0.19).abs() < 1e-6);
    let named = text.replace("10 ms }", "10 ms; solve exact }");
    assert_eq!(codes(&named), ["SYN0132"]);
}

#[test]
fn time_needs_a_step() {
    let d = errors_at("neuron A { state v: real  v' = -v / 1 ms }", None);
    assert_eq!(d.0[0].code, "SYN0139");
    let none = BTreeMap::new();
    assert!(
        lower_with(
            "neuron A { input i: real  spike when i > 1 { } }",
            None,
            &none
        )
        .is_ok()
    );
}

/// Deep and wide definitions end in an error, soon and without a crash.
#[test]
fn hostile_models_are_refused() {
    let mut chain = String::from("neuron A { state v: real  let a0 = v + 1\n");
    for i in 1..5000 {
        chain.push_str(&format!("  let a{i} = a{} + 1\n", i - 1));
    }
    chain.push_str("  on step { v = a4999 } }");
    assert!(codes(&chain).contains(&"SYN0135".to_string()));
    let mut doubling = String::from("neuron A { state v: real  let a0 = rand()\n");
    for i in 1..60 {
        doubling.push_str(&format!("  let a{i} = a{} + a{}\n", i - 1, i - 1));
    }
    doubling.push_str("  on step { v = a59 } }");
    assert!(codes(&doubling).contains(&"SYN0135".to_string()));
    let mut shared = String::from("neuron A(p: real = 2) { state v: real  let a0 = p + 1\n");
    for i in 1..60 {
        shared.push_str(&format!("  let a{i} = a{} * a{}\n", i - 1, i - 1));
    }
    shared.push_str("  on step { v = a59 } }");
    assert!(codes(&shared).contains(&"SYN0135".to_string()));
    let arms: String = (0..1000)
        .map(|i| format!("else if v == {i} {{ v = {i}; let q = v; w = q }} "))
        .collect();
    let many = format!(
        "neuron A {{ state v: real  state w: real  on step {{ if v < 0 {{ v = 0 }} {arms} }} }}"
    );
    assert!(lower_with(&many, Some(1e-3), &BTreeMap::new()).is_ok());
}
