//! The programs of the language's description parse without a diagnostic, and into the structure that they say.

use synfire_lang::syntax::tree::*;
use synfire_lang::syntax::{format, parse};

/// The programs under `tests/data`, by name.
const PROGRAMS: [(&str, &str); 11] = [
    ("brunel", include_str!("data/brunel.syn")),
    ("lsnn", include_str!("data/lsnn.syn")),
    ("digits", include_str!("data/digits.syn")),
    ("bandit", include_str!("data/bandit.syn")),
    ("ranc", include_str!("data/ranc.syn")),
    ("tinyodin", include_str!("data/tinyodin.syn")),
    ("odin", include_str!("data/odin.syn")),
    ("loihi", include_str!("data/loihi.syn")),
    ("xylo", include_str!("data/xylo.syn")),
    ("spinnaker", include_str!("data/spinnaker.syn")),
    ("gallery", include_str!("data/gallery.syn")),
];

fn program(name: &str) -> File {
    let text = PROGRAMS
        .iter()
        .find(|(n, _)| *n == name)
        .expect("known program")
        .1;
    let (file, diagnostics) = parse(0, text);
    assert!(diagnostics.is_empty(), "{name}: {diagnostics}");
    file
}

fn only(text: &str) -> Expr {
    let (file, diagnostics) = parse(0, &format!("let x = {text}"));
    assert!(diagnostics.is_empty(), "{text}: {diagnostics}");
    match file.items.into_iter().next() {
        Some(Item::Let(l)) => l.value,
        other => panic!("{text}: {other:?}"),
    }
}

/// The expression with every grouping in parentheses.
fn grouped(e: &Expr) -> String {
    match &e.kind {
        ExprKind::Number(n) => match &n.unit {
            Some(u) => format!("{} {}", n.text, u.text),
            None => n.text.to_string(),
        },
        ExprKind::Text(t) => format!("{t:?}"),
        ExprKind::List(l) => format!("[{}]", l.iter().map(grouped).collect::<Vec<_>>().join(", ")),
        ExprKind::Ref(r) => reference(r),
        ExprKind::Call(c) => {
            let args: Vec<String> = c.args.iter().map(|a| grouped(&a.value)).collect();
            format!("{}({})", c.path.dotted(), args.join(", "))
        }
        ExprKind::Unary(op, _, x) => format!("({op:?} {})", grouped(x)),
        ExprKind::Binary(op, _, a, b) => format!("({} {} {})", grouped(a), op.text(), grouped(b)),
        ExprKind::Error => "?".into(),
    }
}

fn reference(r: &Ref) -> String {
    let mut out = r.head.text.to_string();
    for s in &r.tail {
        out += &match s {
            Segment::Name(n) => format!(".{}", n.text),
            Segment::Number(n, _) => format!(".#{n}"),
            Segment::Computed(e, _) => format!(".({})", grouped(e)),
            Segment::Index(e, _) => format!("[{}]", grouped(e)),
            Segment::Slice(a, b, _) => format!("[{} .. {}]", grouped(a), grouped(b)),
        };
    }
    out
}

#[test]
fn every_program_parses() {
    for (name, _) in PROGRAMS {
        assert!(!program(name).items.is_empty(), "{name}");
    }
}

#[test]
fn spans_point_at_the_text() {
    let text = PROGRAMS[0].1;
    let file = program("brunel");
    let Some(Item::Neuron(n)) = file.items.first() else {
        panic!("{:?}", file.items)
    };
    let at = |s: synfire_ir::Span| &text[s.start as usize..s.end as usize];
    assert_eq!(at(n.name.span), "LifDelta");
    assert_eq!(at(n.params[0].span), "tau: time = 20 ms");
    assert!(at(n.span).starts_with("neuron LifDelta(") && at(n.span).ends_with('}'));
    let Dyn::Ode(ode) = &n.body[2] else {
        panic!("{:?}", n.body[2])
    };
    assert_eq!(at(ode.span), "v' = (v_rest - v) / tau");
    assert_eq!(at(ode.value.span), "(v_rest - v) / tau");
}

#[test]
fn comments_above_an_item_are_its_doc() {
    let file = program("brunel");
    let Some(Item::Neuron(n)) = file.items.first() else {
        panic!("{:?}", file.items)
    };
    assert_eq!(
        n.doc.as_ref().map(|d| d.text.as_str()),
        Some("Brunel's balanced network, delta synapses.")
    );
    assert_eq!(file.comments.len(), 2);
    let text = "# away\n\n# one\n#  two\nnetwork N { # side\n}\nlet a = 1 # trailing\nmodule M {}";
    let (file, diagnostics) = parse(0, text);
    assert!(diagnostics.is_empty(), "{diagnostics}");
    let [Item::Network(n), _, Item::Module(m)] = &file.items[..] else {
        panic!("{:?}", file.items)
    };
    assert_eq!(n.doc.as_ref().map(|d| d.text.as_str()), Some("one\n two"));
    assert_eq!(m.doc, None);
    assert_eq!(file.comments.iter().filter(|c| c.own_line).count(), 3);
}

#[test]
fn statements_have_their_parts() {
    let file = program("bandit");
    let structures: Vec<&Structure> = file
        .items
        .iter()
        .filter_map(|i| match i {
            Item::Module(s) | Item::Network(s) => Some(s),
            _ => None,
        })
        .collect();
    let Net::Port(port) = &structures[0].body[2] else {
        panic!()
    };
    assert_eq!(port.direction, Direction::Out);
    assert_eq!(
        port.value.as_ref().map(reference).as_deref(),
        Some("choice.spikes")
    );
    let Net::Connect(c) = &structures[0].body[4] else {
        panic!()
    };
    assert_eq!(c.name.as_ref().map(|n| n.as_str()), Some("plastic"));
    let fields = c.fields.as_ref().expect("has fields");
    assert_eq!(
        fields.entries.iter().map(|f| f.draw).collect::<Vec<_>>(),
        [false, true]
    );
    let Some(Item::Experiment(e)) = file.items.last() else {
        panic!()
    };
    let Exp::At(at) = &e.body[1] else { panic!() };
    assert_eq!(grouped(&at.time), "10 s");
    assert_eq!(at.duration.as_ref().map(grouped).as_deref(), Some("50 ms"));
    let file = program("xylo");
    let Some(Item::Neuron(n)) = file.items.first() else {
        panic!()
    };
    let Dyn::Input(alias) = &n.body[4] else {
        panic!("{:?}", n.body[4])
    };
    assert_eq!(alias.by.as_ref().map(|n| n.as_str()), Some("sat_sum"));
}

#[test]
fn expressions_group_as_described() {
    for (text, want) in [
        ("a or b and c", "(a or (b and c))"),
        ("a + b * c ^ d ^ e", "(a + (b * (c ^ (d ^ e))))"),
        ("-a ^ 2", "(Minus (a ^ 2))"),
        ("a ^ -b", "(a ^ (Minus b))"),
        ("a - b - c", "((a - b) - c)"),
        ("not a and b", "((Not a) and b)"),
        ("a & 3 xor b << 2 + 1", "((a & 3) xor (b << (2 + 1)))"),
        ("v > vth << 6", "(v > (vth << 6))"),
        ("(a - b) * c", "((a - b) * c)"),
        ("x[0 .. n].v.(i + 1).0.5", "x[0 .. n].v.((i + 1)).#0.#5"),
        ("f(a, [b, c])", "f(a, [b, c])"),
        ("a == b and c != d", "((a == b) and (c != d))"),
    ] {
        assert_eq!(grouped(&only(text)), want, "{text}");
    }
}

#[test]
fn numbers_and_units() {
    for (text, want) in [
        ("20mV", "20 mV"),
        ("20 \t mV", "20 mV"),
        ("1 uF/cm^2", "1 uF/cm^2"),
        ("1 ms/tau", "(1 ms / tau)"),
        ("1 ms / s", "(1 ms / s)"),
        ("1 s^2", "1 s^2"),
        ("1 s ^ 2", "(1 s ^ 2)"),
        ("1 s^12", "(1 s ^ 12)"),
        ("5 %", "5 %"),
        ("1.5e-3 Hz*V/A", "1.5e-3 Hz*V/A"),
        ("3 min", "3 min"),
        ("0x1F & 3", "(0x1F & 3)"),
    ] {
        assert_eq!(grouped(&only(text)), want, "{text}");
    }
    let ExprKind::Number(n) = only("0xFFFFFFFFFFFFFFFF").kind else {
        panic!()
    };
    assert_eq!(n.integer, Some(u64::MAX));
    let ExprKind::Number(n) = only("12").kind else {
        panic!()
    };
    assert_eq!((n.value, n.integer), (12.0, Some(12)));
    let ExprKind::Number(n) = only("12.0").kind else {
        panic!()
    };
    assert_eq!(n.integer, None);
}

#[test]
fn a_unit_stays_on_the_line_of_its_number() {
    let text = "neuron N {\n  on step { x = 5\n m = 3; y = 1;s = 2 }\n}";
    let (file, diagnostics) = parse(0, text);
    assert!(diagnostics.is_empty(), "{diagnostics}");
    let Some(Item::Neuron(n)) = file.items.first() else {
        panic!()
    };
    let Dyn::On(on) = &n.body[0] else { panic!() };
    assert_eq!(on.block.stmts.len(), 4);
}

#[test]
fn keywords_are_names_where_no_statement_begins() {
    let text = "neuron state(step: time, pop: real) {\n  state state: real = pop\n  state' = -state / step\n  \
                on emit(every) { let let = every\n emit = let; if.at = 3; if[2] += 1 }\n}\n\
                network for { pop pop: neuron.state[3] { for = at, in ~ of(run) }\n record pop.record }";
    let (file, diagnostics) = parse(0, text);
    assert_eq!(
        diagnostics.0.len(),
        1,
        "only `if[2]` is a condition: {diagnostics}"
    );
    assert_eq!(file.items.len(), 2);
}

#[test]
fn commas_may_end_lists() {
    let (_, diagnostics) = parse(
        0,
        "network N(a: int,) { pop p: Lif[3,] { x = f(1, y = [2,],), } }",
    );
    assert!(diagnostics.is_empty(), "{diagnostics}");
}

#[test]
fn formatted_programs_keep_their_tree_and_comments() {
    for (name, text) in PROGRAMS {
        let once = format(text).unwrap_or_else(|d| panic!("{name}: {d}"));
        assert_eq!(format(&once).as_deref(), Ok(once.as_str()), "{name}");
        let (a, b) = (parse(0, text).0, parse(0, &once).0);
        assert_eq!(a.items.len(), b.items.len(), "{name}");
        let comments = |f: &File| {
            f.comments
                .iter()
                .map(|c| c.text.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(comments(&a), comments(&b), "{name}");
        assert!(once.lines().all(|l| l == l.trim_end()), "{name}");
    }
}
