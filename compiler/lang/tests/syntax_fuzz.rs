//! No text makes parser or formatter panic or lie, and the formatter changes nothing but the layout.

use proptest::prelude::*;
use synfire_lang::syntax::tree::File;
use synfire_lang::syntax::{format, parse};

const PROGRAMS: [&str; 11] = [
    include_str!("data/brunel.syn"),
    include_str!("data/lsnn.syn"),
    include_str!("data/digits.syn"),
    include_str!("data/bandit.syn"),
    include_str!("data/ranc.syn"),
    include_str!("data/tinyodin.syn"),
    include_str!("data/odin.syn"),
    include_str!("data/loihi.syn"),
    include_str!("data/xylo.syn"),
    include_str!("data/spinnaker.syn"),
    include_str!("data/gallery.syn"),
];

const UNITS: [&str; 6] = ["ms", "s", "mV", "Hz", "uF/cm^2", "%"];

/// Words and marks that a mutation inserts.
const SOUP: [&str; 96] = [
    "import",
    "use",
    "let",
    "neuron",
    "synapse",
    "module",
    "network",
    "experiment",
    "state",
    "input",
    "output",
    "solve",
    "spike",
    "when",
    "refractory",
    "hold",
    "on",
    "if",
    "else",
    "repeat",
    "emit",
    "step",
    "seed",
    "port",
    "in",
    "out",
    "pop",
    "source",
    "part",
    "connect",
    "modulate",
    "record",
    "every",
    "hint",
    "for",
    "at",
    "run",
    "feed",
    "from",
    "expect",
    "of",
    "as",
    "by",
    "and",
    "or",
    "xor",
    "not",
    "true",
    "a",
    "b1",
    "Lif",
    "std.neurons",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ":",
    ".",
    "..",
    "->",
    "|",
    "~",
    "'",
    "=",
    "+=",
    "-=",
    "*=",
    "==",
    "!=",
    "<=",
    ">=",
    "<",
    ">",
    "&",
    "<<",
    ">>",
    "+",
    "-",
    "*",
    "/",
    "^",
    "1",
    "2.5",
    "20 ms",
    "5 %",
    "0x1F",
    "\"text\"",
    "# comment\n",
    "\n",
    "§",
    "\"",
    "1 uF/cm^2",
];

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Words, numbers with their unit, strings, comments and marks of a program, without blanks.
fn pieces(text: &str) -> Vec<String> {
    let mut out: Vec<String> = vec![];
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            return out;
        };
        let length = if first == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '"' {
            rest[1..].find('"').map_or(rest.len(), |i| i + 2)
        } else if first.is_ascii_digit() {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let fraction = rest[end..]
                .strip_prefix('.')
                .filter(|r| r.starts_with(|c: char| c.is_ascii_digit()));
            let end = fraction.map_or(end, |f| {
                end + 1 + f.find(|c| !is_word(c)).unwrap_or(f.len())
            });
            let unit = rest[end..].trim_start_matches(' ');
            let blanks = rest.len() - end - unit.len();
            let word = unit.find(|c| !is_word(c)).map_or(unit, |i| &unit[..i]);
            if UNITS.contains(&word) {
                end + blanks + word.len()
            } else {
                end
            }
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            let pairs = [
                "..", "->", "+=", "-=", "*=", "==", "!=", "<=", ">=", "<<", ">>",
            ];
            if pairs.iter().any(|p| rest.starts_with(p)) {
                2
            } else {
                first.len_utf8()
            }
        };
        let (piece, tail) = rest.split_at(length);
        out.push(piece.trim_end().to_owned());
        rest = tail;
    }
}

/// The tree as text, without spans and comments.
fn shape(file: &File) -> String {
    let mut out = String::new();
    let debug = format!("{:?}", file.items);
    let mut rest = debug.as_str();
    while let Some(i) = rest.find("Span {") {
        out += &rest[..i];
        let after = &rest[i..];
        rest = &after[after.find('}').map_or(after.len(), |j| j + 1)..];
    }
    out + rest
}

fn comments(file: &File) -> Vec<String> {
    file.comments.iter().map(|c| c.text.to_string()).collect()
}

/// Everything that has to hold for any text.
fn check(text: &str) -> Result<bool, TestCaseError> {
    let (file, diagnostics) = parse(3, text);
    for d in &diagnostics.0 {
        prop_assert!(!d.hints.is_empty() && !d.labels.is_empty(), "{}", d);
        for l in &d.labels {
            prop_assert_eq!(l.span.file, 3);
            prop_assert!(
                text.get(l.span.start as usize..l.span.end as usize)
                    .is_some(),
                "{:?}",
                l.span
            );
        }
    }
    let formatted = format(text);
    prop_assert_eq!(formatted.is_err(), diagnostics.has_errors());
    let Ok(once) = formatted else {
        return Ok(false);
    };
    let (again, errors) = parse(3, &once);
    prop_assert!(
        errors.is_empty(),
        "{}\n----\n{}\n----\n{}",
        text,
        once,
        errors
    );
    // Comments above an item may become its documentation or cease to be, as blank lines are kept; all else is the same.
    prop_assert_eq!(shape(&file), shape(&again), "{}\n----\n{}", text, once);
    prop_assert_eq!(
        comments(&file),
        comments(&again),
        "{}\n----\n{}",
        text,
        once
    );
    let squeezed = |t: &str| {
        t.chars()
            .filter(|c| !c.is_whitespace() && *c != ';')
            .collect::<String>()
    };
    if !text.contains('\u{feff}') {
        prop_assert_eq!(squeezed(text), squeezed(&once));
    }
    prop_assert!(
        !once.contains("\n\n\n") && once.lines().all(|l| l == l.trim_end()),
        "{}",
        once
    );
    let twice = format(&once);
    prop_assert_eq!(twice.as_deref(), Ok(once.as_str()), "{}", text);
    Ok(true)
}

#[derive(Clone, Debug)]
enum Change {
    Remove(usize, usize),
    Insert(usize, usize),
    Copy(usize, usize, usize),
    Swap(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..10_000_usize;
    prop_oneof![
        (at.clone(), 1..4_usize).prop_map(|(i, n)| Change::Remove(i, n)),
        (at.clone(), 0..SOUP.len()).prop_map(|(i, w)| Change::Insert(i, w)),
        (at.clone(), 1..12_usize, at.clone()).prop_map(|(i, n, j)| Change::Copy(i, n, j)),
        (at.clone(), at).prop_map(|(i, j)| Change::Swap(i, j)),
    ]
}

fn apply(pieces: &mut Vec<String>, change: &Change) {
    let length = pieces.len();
    if length == 0 {
        return;
    }
    match *change {
        Change::Remove(i, n) => {
            let i = i % length;
            pieces.drain(i..(i + n).min(length));
        }
        Change::Insert(i, w) => pieces.insert(i % length, SOUP[w].to_owned()),
        Change::Copy(i, n, j) => {
            let i = i % length;
            let copied: Vec<String> = pieces[i..(i + n).min(length)].to_vec();
            let j = j % length;
            pieces.splice(j..j, copied);
        }
        Change::Swap(i, j) => pieces.swap(i % length, j % length),
    }
}

/// Joins pieces with blanks, line ends and comments; `choices` are used in turn.
fn lay_out(pieces: &[String], choices: &[u8]) -> String {
    let mut out = String::new();
    for (i, piece) in pieces.iter().enumerate() {
        out += piece;
        let tight = |p: Option<&String>| p.is_none_or(|p| "()[]{},;".contains(p.as_str()));
        let choice = choices.get(i % choices.len().max(1)).copied().unwrap_or(0);
        out += match choice % 12 {
            _ if piece.starts_with('#') => "\n",
            0 | 1 => "\n",
            2 => "\n\n",
            3 => " # note\n",
            4 => "\n  # line\n",
            5 => "\r\n\t ",
            6 | 7 if tight(Some(piece)) || tight(pieces.get(i + 1)) => "",
            _ => " ",
        };
    }
    out
}

/// Expressions, wide ones among them; keywords serve as names too.
fn expr() -> impl Strategy<Value = String> {
    let names = [
        "a",
        "step",
        "state",
        "record",
        "hold",
        "every",
        "v_reset_of_the_population",
        "exc.v",
        "net.0.5.w",
        "20 mV",
        "1.5e-3",
        "0x1F",
        "3 %",
        "1 uF/cm^2",
        "\"file.npz\"",
        "true",
    ];
    let leaf = prop::sample::select(names.to_vec()).prop_map(String::from);
    leaf.prop_recursive(5, 40, 4, |inner| {
        let ops = ["+", "-", "*", "/", "^", "<<", "&", "xor", "and", "or"];
        let compare = ["==", "<", ">=", "!="];
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (two.clone(), prop::sample::select(ops.to_vec()))
                .prop_map(|((a, b), op)| format!("{a} {op} {b}")),
            (two.clone(), prop::sample::select(compare.to_vec()))
                .prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|l| format!("f.g({})", l.join(", "))),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|l| format!("[{}]", l.join(", "))),
            two.clone().prop_map(|(a, b)| format!("f({a}, of = {b})")),
            two.prop_map(|(a, b)| format!("x[{a} .. {b}].(1 + {b}).v")),
        ]
    })
}

/// A file of one of the forms with the expressions put in.
fn file() -> impl Strategy<Value = String> {
    (prop::collection::vec(expr(), 8), 0..5_usize).prop_map(|(e, form)| {
        let [a, b, c, d, e, f, g, h] = &e[..] else { unreachable!("eight were asked for") };
        match form {
            0 => format!("use std.{{a, b}} import \"x\" as y\nlet q: real = {a}\nneuron N(a: real = {b}, b: spikes[{c}]) {{ state v: i16 = {d}; \
                          output o: real = {e} input i: bool by or v' = {f}\n solve exact }}\nlet z = {g} + {h}"),
            1 => format!("neuron N {{ spike when {a} refractory {b} hold (v, w) {{ v = {c}; emit {d} }}\n on every({e}) {{ \
                          if {f} {{ x[{g}].y += {h} }} else if {a} {{ }} else {{ let q = {b}\n repeat {c} {{ u *= {d} }} }} }} }}"),
            2 => format!("network N {{ step {a}\n seed {b} pop p: m.Lif[{c}, {d}] at grid({e}) {{ tau = {f}, w ~ {g}, }} source s: poisson[3] \
                          part m: M(n = {h}) for i in {a} .. {b} {{ hint {{ x = {c} }} }} }}"),
            3 => format!("module M {{ port out o: spikes[{a}] = x[{b}].v connect n: (a, b[{c}]) -> (c.i) : r({d}) | s(x = {e}) | t {{ weight = {f}, delay = {g} }} \
                          modulate a -> b.c record (a.v, b[{h}]) every {a}\n }}"),
            _ => format!("experiment e of N(a = {a}) {{ run {b}\n at {c} : x[{d}] = {e} for {f}\n feed x from {g} expect {h} in {a} .. {b} }}"),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn another_layout_is_formatted_alike(program in 0..PROGRAMS.len(), choices in prop::collection::vec(any::<u8>(), 1..200)) {
        let text = lay_out(&pieces(PROGRAMS[program]), &choices);
        prop_assert!(check(&text)?, "{}\n{}", text, parse(0, &text).1);
    }

    #[test]
    fn generated_programs(text in file()) {
        prop_assert!(check(&text)?, "{}\n{}", text, parse(0, &text).1);
    }

    #[test]
    fn changed_programs(
        program in 0..PROGRAMS.len(),
        changes in prop::collection::vec(change(), 1..6),
        choices in prop::collection::vec(any::<u8>(), 1..60),
    ) {
        let mut pieces = pieces(PROGRAMS[program]);
        changes.iter().for_each(|c| apply(&mut pieces, c));
        check(&lay_out(&pieces, &choices))?;
    }

    #[test]
    fn changed_bytes(
        program in 0..PROGRAMS.len(),
        cuts in prop::collection::vec((0..2000_usize, 0..8_usize, prop::collection::vec(any::<u8>(), 0..4)), 1..5),
        end in 0..2000_usize,
    ) {
        let mut bytes = PROGRAMS[program].as_bytes().to_vec();
        for (at, n, new) in cuts {
            let at = at % bytes.len();
            let to = (at + n).min(bytes.len());
            bytes.splice(at..to, new);
            if bytes.is_empty() { break; }
        }
        check(&String::from_utf8_lossy(&bytes))?;
        bytes.truncate(end);
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn soup(words in prop::collection::vec(0..SOUP.len(), 0..80), choices in prop::collection::vec(any::<u8>(), 1..30), wrap in 0..5_usize) {
        let pieces: Vec<String> = words.iter().map(|w| SOUP[*w].to_owned()).collect();
        let inner = lay_out(&pieces, &choices);
        let text = match wrap {
            0 => inner,
            1 => format!("neuron N {{ {inner} }}"),
            2 => format!("neuron N {{ on step {{ {inner} }} }}"),
            3 => format!("network N {{ {inner} }}"),
            _ => format!("experiment e of N {{ {inner} }}"),
        };
        check(&text)?;
    }

    #[test]
    fn any_text(text in "\\PC{0,200}") {
        check(&text)?;
    }
}
