//! What broken programs are told. Each case is a file under `syntax_snapshots`.

use std::fmt::Write;
use synfire_ir::SourceMap;
use synfire_lang::syntax::{MAX_BYTES, MAX_TOKENS, parse};

/// The diagnostics with line, column and text of each label.
fn told(text: &str) -> String {
    let mut sources = SourceMap::default();
    let file = sources.add("test.syn", text);
    let (_, diagnostics) = parse(file, text);
    let mut out = format!("{text}\n----\n");
    for d in &diagnostics.0 {
        assert!(!d.hints.is_empty(), "no hint: {d}");
        assert!(!d.labels.is_empty(), "no place: {d}");
        writeln!(out, "{}: {}", d.code, d.message).expect("a string grows");
        for l in &d.labels {
            let (line, column) = sources.line_col(l.span).expect("the file is known");
            let at = &text[l.span.start as usize..l.span.end as usize];
            writeln!(out, "  {line}:{column} `{at}` {}", l.text).expect("a string grows");
        }
        for h in &d.hints {
            writeln!(out, "  help: {h}").expect("a string grows");
        }
    }
    out
}

macro_rules! cases {
    ($($name:ident: $text:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::with_settings!({
                snapshot_path => "syntax_snapshots",
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, { insta::assert_snapshot!(stringify!($name), told($text)) });
        }
    )*};
}

cases! {
    misspelt_keyword: "network N {\n  stpe 1 ms\n  conect a -> b.i : dense\n  pop a: Lif[3]\n}\nnework M {}\n";
    statement_of_another_place: "neuron A {\n  pop x: Lif[3]\n  v = 3\n  v += 1\n}\nnetwork N {\n  state v: real\n  a = 3\n}\nrun 3 s\n";
    unclosed_brace: "neuron A {\n  state v: real\n  on step { v = 1\n}\n\nnetwork N {\n  step 1 ms\n}\n";
    unclosed_at_end: "network N {\n  for p in [a, b] {\n    pop p: Lif[3]\n  }\n";
    brace_too_many: "network N {\n  step 1 ms\n  }\n}\nlet a = 1\n";
    misspelt_units: "let a = 20 mv\nlet b = 5 msec\nlet c = 3 kilovolt\nlet d = 1 uF/cm2\nlet e = 0x\nlet f = 1_000\nlet g = 3 sec + 2 ms\n";
    foreign_characters: "let a = 5 µs\nlet b = 3 kΩ\nlet c = “x”\nlet d = 5 – 3\nlet e = !x\nlet größe = 3\nlet f = 7 % 2 % 3\n";
    open_string: "import \"cells.syn\nlet a = 1\n";
    chained_comparison: "experiment e of N {\n  expect 1 < x < 3\n  run 1 s\n}\n";
    missing_expression: "neuron A(tau: time = ) {\n  state v: real =\n  let b =\n  v' = -v /\n  spike when v > { v = }\n}\n";
    wrong_fields: "network N {\n  pop a: Lif[3] { tau 20 ms, v_th = , x = 1; y = 2, z = 3 4 }\n  connect a -> a.i : dense { weight = 1\n  record a.v\n}\n";
    wrong_shapes: "network N {\n  pop a: Lif\n  pop b: Lif[]\n  pop c\n  source d: poisson[2 3]\n  part e Actor()\n}\n";
    wrong_connect: "network N {\n  connect a, b -> c.i : dense\n  connect () -> c.i : dense\n  connect a -> b.i dense\n  connect a -> b.i : dense | { }\n  modulate a => b.c\n}\n";
    wrong_spike: "neuron A {\n  spike v > 1 { v = 0 }\n  spike when v > 1 refactory 2 ms { v = 0; x == 3 }\n  spike when v > 1 hold (v) { v = 0 }\n  on step { v' = 3; a.0 = 1; true = 3; x[0 .. 2] = 3 }\n}\n";
    reserved_names: "neuron and(or: real) {\n  state not: real\n  state xor: real\n  let true = 3\n}\n";
    wrong_operators: "let a = x ** 2\nlet b = x && y\nlet c = x // y\nlet d = 'text'\nlet e = .5\nlet f = x || y\nlet g = f(x)(y)\nlet h = a[1, 2]\nlet i = a[1](x)\n";
    wrong_experiment: "experiment e on N {\n  run\n}\nexperiment f of N(a = ) {\n  at 10 s reward = 1\n  feed x load(\"a\")\n  expect x in 3\n  rum 3 s\n}\n";
    wrong_top: "use std.neurons.{}\nuse std.neurons.{Lif, }\nuse std.\nimport cells\nnetwork {\n}\nlet = 3\nlet a 3\n5\n}\n";
    numbers_out_of_range: "let a = 1e999\nlet b = 0x12345678901234567\nlet c = layer.99999999999\nlet d = 5.\n";
    wrong_parameters: "neuron A(tau, v: , x = 3) {\n  state v: real\n  stat w: real\n}\nmodule M(a: int b: int) {\n  port on x: real\n}\n";
}

#[test]
fn deep_nesting_is_one_error() {
    let n = 100_000;
    for text in [
        format!("let a = {}1{}", "(".repeat(n), ")".repeat(n)),
        format!("let a = {}1{}", "[".repeat(n), "]".repeat(n)),
        format!("let a = {}1", "(".repeat(n)),
        format!("let a = {}1", "-".repeat(n)),
        format!("let a = {} x", "not ".repeat(n)),
        format!("let a = x{}", "^x".repeat(n)),
        format!("let a = x{}", "[x".repeat(n)),
        format!("let a = x{}", ".(x".repeat(n)),
        format!("let a = {}", "f(".repeat(n)),
        format!("let a = x{}", "+x".repeat(n)),
        format!("let a = x{}", " and not x".repeat(n)),
        format!(
            "neuron N {{ on step {{ {}{} }} }}",
            "if x { ".repeat(n),
            "}".repeat(n)
        ),
        format!(
            "network N {{ {}{} }}",
            "for i in x {".repeat(n),
            "}".repeat(n)
        ),
    ] {
        let (_, diagnostics) = parse(0, &text);
        assert_eq!(diagnostics.0.len(), 1, "{}: {diagnostics}", &text[..40]);
        assert_eq!(diagnostics.0[0].code, "SYN0012", "{}", &text[..40]);
    }
}

#[test]
fn nesting_within_the_limits_is_read() {
    let brackets = format!("let a = {}1{}", "(".repeat(60), ")".repeat(60));
    let chain = format!("let a = x{}", "+x".repeat(250));
    let otherwise = format!(
        "neuron N {{ on step {{ if x {{ }} {} }} }}",
        "else if x { }".repeat(5000)
    );
    for text in [brackets, chain, otherwise] {
        let (_, diagnostics) = parse(0, &text);
        assert!(diagnostics.is_empty(), "{diagnostics}");
    }
}

#[test]
fn a_flood_of_errors_is_cut() {
    for text in [
        "}".repeat(10_000),
        "§ x ".repeat(10_000),
        "let 3\n".repeat(1000),
        "let (\n".repeat(9000),
    ] {
        let (_, diagnostics) = parse(0, &text);
        assert!(
            (2..=51).contains(&diagnostics.0.len()),
            "{}",
            diagnostics.0.len()
        );
        assert!(
            diagnostics.0.iter().any(|d| d.code == "SYN0019"),
            "{diagnostics}"
        );
    }
}

#[test]
fn too_large_texts_are_refused() {
    let text = " ".repeat(MAX_BYTES + 1);
    let (file, diagnostics) = parse(0, &text);
    assert!(file.items.is_empty());
    assert_eq!(diagnostics.0[0].code, "SYN0001");
    let text = "let a = [".to_owned() + &"1,".repeat(MAX_TOKENS / 2) + "]";
    let (_, diagnostics) = parse(0, &text);
    assert!(
        diagnostics.0.iter().any(|d| d.code == "SYN0001"),
        "{diagnostics}"
    );
    let (_, diagnostics) = parse(0, &" ".repeat(MAX_BYTES));
    assert!(diagnostics.is_empty());
}

#[test]
fn an_error_hides_no_other_statement() {
    use synfire_lang::syntax::tree::Item;
    let text = "network N {\n  pop a: Lif[3\n  pop b: Lif[4]\n  connect a -> : x\n  record b.v\n}\nlet c = \nlet d = 1";
    let (file, diagnostics) = parse(0, text);
    assert_eq!(diagnostics.0.len(), 3, "{diagnostics}");
    let [Item::Network(n), Item::Let(c), Item::Let(d)] = &file.items[..] else {
        panic!("{:?}", file.items)
    };
    assert_eq!(
        n.body.len(),
        3,
        "the connection is lost, the population is kept for its name"
    );
    assert_eq!((c.name.as_str(), d.name.as_str()), ("c", "d"));
}
