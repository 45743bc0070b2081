//! What `verify` says of networks that are wrong, and that what it accepts expands.

use crate::arbitrary::{Tape, network, tape};
use proptest::prelude::*;
use synfire_ir::network::*;
use synfire_ir::program::{Carry, Range};

const BASE: &str = r#"
network base dt 0.001
array two i32 shape [2] [0, 1]
array three f64 shape [3] [1.0, 2.0, 3.0]
neuron {
  spikes
  model Lif { param decay: f32 state v: f32 port i: f32 sum output r = v step { } }
  field tau: time
  field leak: real = 0.0
  column decay = tau
  init v = 0.0
}
neuron {
  model Silent { state v: f32 port i: f32 sum step { } }
  init v = 0.0
}
source in[3]: events
population a[3]: neurons Lif { tau = 0.02 }
population b[3]: neurons Lif { tau = 0.02 }
population quiet[3]: neurons Silent { }
"#;

/// What is said of the base and some more lines.
fn said(more: &str) -> String {
    let net = parse("n", &format!("{BASE}{more}")).unwrap_or_else(|d| panic!("{d}"));
    match verify(net) {
        Ok(_) => "sound".into(),
        Err(d) => d.to_string(),
    }
}

fn edge(rule: &str) -> String {
    said(&format!(
        "projection p: a[0..3] -> b[0..3].i events {{ {rule} }}"
    ))
}

#[test]
fn the_base_is_sound() {
    assert_eq!(said(""), "sound");
    assert_eq!(edge("rule dense weight 1.0 delay 1.0"), "sound");
}

#[test]
fn populations() {
    let all = [
        said("population none[2, 0]: neurons Lif { tau = 1.0 }"),
        said("population a[1]: events"),
        said("population x[2147483647]: events"),
        said("population x[4294967295, 4294967295, 4294967295]: events"),
        said("population x[1]: neurons #7 { }"),
        said("population x[1]: neurons Lif { tao = 0.02 }"),
        said("population x[1]: neurons Lif { tau = 0.02 something_else = 1.0 }"),
        said("population x[3]: neurons Lif { tau = array two }"),
        said("population x[3]: neurons Lif { tau = array #9 }"),
        said("array odd f32 shape [2, 2] [1.0]"),
        said("neuron { model Odd { param p: f32 step { } } }\npopulation x[1]: neurons Odd { }"),
    ]
    .join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn ends_of_projections() {
    let between = |ends: &str| {
        said(&format!(
            "projection p: {ends} {{ rule one_to_one weight 1.0 delay 1.0 }}"
        ))
    };
    let all = [
        between("a[1..4] -> b[0..3].i events"),
        between("a[0..3] -> b[4294967295..4294967297].i events"),
        between("a[0..3] -> in[0..3].#0 events"),
        between("a[0..3] -> b[0..3].#1 events"),
        between("quiet[0..3] -> b[0..3].i events"),
        between("quiet[0..3] -> b[0..3].i output #0"),
        between("in[0..3] -> b[0..3].i output #0"),
        said(
            "projection p: a[0..3] -> b[0..3].i events { rule one_to_one weight 1.0 delay 1.0 }
             projection p: a[0..3] -> b[0..3].i events { rule one_to_one weight 1.0 delay 1.0 } @0:5..9",
        ),
    ].join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn rules() {
    let conv = |k: &str, g: u32, w: &str| {
        edge(&format!(
            "rule conv2d input [1, 1, 3] channels 1 kernel {k} stride [1, 1] padding [0, 1] dilation [1, 1] groups {g} weight {w} delay 1.0"
        ))
    };
    let all = [
        edge("delay 1.0"),
        edge("rule dense weight array three delay 1.0"),
        edge("rule fixed_probability 1.5 weight 1.0 delay 1.0"),
        edge("rule fixed_probability 0x7ff8000000000000 weight 1.0 delay 1.0"),
        edge("rule fixed_indegree 2 weight array three delay 1.0"),
        edge("rule list two three weight 1.0 delay 1.0"),
        edge("rule list three three weight 1.0 delay 1.0"),
        edge("rule list two #9 weight 1.0 delay 1.0"),
        said("projection p: a[0..2] -> b[0..3].i events { rule one_to_one weight 1.0 delay 1.0 }"),
        conv("[1, 3]", 1, "array two"),
        conv("[1, 3]", 0, "1.0"),
        conv("[1, 3]", 2, "1.0"),
        conv("[0, 3]", 1, "1.0"),
        conv("[1, 2]", 1, "1.0"),
        edge("rule pool2d input [1, 1, 3] kernel [1, 1] stride [0, 1] padding [0, 0] weight 1.0 delay 1.0"),
        edge("rule pool2d input [1, 1, 3] kernel [1, 2] stride [1, 1] padding [0, 0] weight 1.0 delay 1.0"),
        edge("rule fixed_total 3 weight 1.0 rule dense weight 1.0 delay 1.0"),
        edge("rule dense weight normal(0.0, 1.0) rule dense weight 1.0 delay 1.0"),
    ].join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn delays_and_biases() {
    let all = [
        edge("rule dense weight 1.0 delay -1.0"),
        edge("rule dense weight 1.0 delay 65535.0"),
        edge("rule dense weight 1.0 delay 0x7ff8000000000000"),
        edge("rule dense weight 1.0 delay array three"),
        edge("rule fixed_indegree 1 weight 1.0 delay array three"),
        edge("rule scale weight 1.0 rule scale weight 1.0 delay array three"),
        edge("rule dense weight 1.0 delay array #9"),
        edge("rule dense weight 1.0 delay 1.0 bias array two"),
    ]
    .join("\n");
    insta::assert_snapshot!(all);
    assert_eq!(
        edge("rule scale weight array three delay array three bias array three"),
        "sound"
    );
}

#[test]
fn records_and_stimuli() {
    let all = [
        said("record a[0..3] state u every 1"),
        said("record in[0..3] state v every 1"),
        said("record a[2..4] spikes every 1"),
        said("record a[0..3] spikes every 0"),
        said("record #9[0..3] spikes every 1"),
        said("feed in [(0, 3, 1)]"),
        said("feed a [(0, 0, 1)]"),
        said("feed #9 []"),
    ]
    .join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn cycles_without_delay() {
    let now = |k: u32, from: &str, to: &str| {
        format!(
            "projection p{k}: {from}[0..3] -> {to}[0..3].i events {{ rule one_to_one weight 1.0 delay 0.0 }}\n"
        )
    };
    let all = [
        said(&now(0, "a", "a")),
        said(&(now(0, "a", "b") + &now(1, "b", "a"))),
    ]
    .join("\n");
    insta::assert_snapshot!(all);
    let chain = now(0, "in", "a") + &now(1, "a", "b") + &now(2, "b", "quiet");
    let net = parse("n", &format!("{BASE}{chain}")).unwrap_or_else(|d| panic!("{d}"));
    let net = verify(net).unwrap_or_else(|d| panic!("{d}"));
    let levels: Vec<u16> = net.levels().iter().map(|l| l.1).collect();
    assert_eq!(levels, [0, 0, 1, 2]);
    assert!(net.levels().iter().all(|l| net.level(l.0) == l.1));
}

/// `n` populations, each driving the next in the same step; the last one the first if it is a ring.
fn chain(n: u32, ring: bool) -> Result<Verified<Network>, String> {
    let mut net = parse("n", BASE).unwrap_or_else(|d| panic!("{d}"));
    let model = net.find("quiet").expect("in the base");
    let pops: Vec<PopId> = (0..n)
        .map(|k| {
            let mut p = net.graph[model].clone();
            (p.name, p.shape) = (format!("p{k}"), vec![1]);
            net.graph.add_node(p)
        })
        .collect();
    net.models[1].spikes = true;
    for k in 0..n - u32::from(!ring) {
        let one = Range { start: 0, len: 1 };
        let x = Projection {
            name: format!("x{k}"),
            source_range: one,
            target_range: one,
            port: 0,
            carry: Carry::Events,
            stages: vec![Stage {
                connector: Connector::OneToOne,
                weight: Init::Const(1.0),
            }],
            delay: Init::Const(0.0),
            bias: None,
            trainable: false,
            plasticity: None,
            span: None,
        };
        net.graph
            .add_edge(pops[k as usize], pops[((k + 1) % n) as usize], x);
    }
    verify(net).map_err(|d| d.to_string())
}

#[test]
fn long_chains_neither_overflow_nor_wrap() {
    let net = chain(65_535, false).expect("as long as may be");
    assert_eq!(net.levels().iter().map(|l| l.1).max(), Some(65_534));
    let all = [
        chain(65_536, false).expect_err("one too many"),
        chain(70_000, true).expect_err("a ring"),
    ]
    .join("\n");
    insta::assert_snapshot!(all);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let d = said(
        "population none[0]: events @0:1..5
         population a[1]: neurons Lif { tou = 1.0 } @0:7..9
         projection p: #1[0..3] -> b[0..3].i events { rule dense weight array two delay -2.0 } @0:20..30
         record b[0..9] state w every 0",
    );
    // `a` names two populations, so that the text refers to the first by number.
    let d2 = said("population a[1]: events\nrecord #1[0..9] state w every 0\nfeed #4 [(0, 5, 1)]");
    let all = format!("{d}\n--\n{d2}");
    insta::assert_snapshot!(all);
}

/// Small damages, sizes kept small, so that whatever passes can be expanded.
fn spoil(t: &mut Tape, net: &mut Network) {
    let edges: Vec<ProjId> = net.graph.edge_indices().collect();
    if edges.is_empty() {
        return;
    }
    let e = t.pick(&edges);
    let extreme = |t: &mut Tape| t.pick(&[0, 1, 2, 3, 65_536, u32::MAX, 1 << 31]);
    let range = |t: &mut Tape| Range {
        start: extreme(t),
        len: t.below(5),
    };
    let value = |t: &mut Tape| match t.below(3) {
        0 => Init::Array(t.index()),
        1 => Init::Const(t.real()),
        _ => Init::Draw(network::distribution(t)),
    };
    let x = &mut net.graph[e];
    let k = t.below(x.stages.len() as u32) as usize;
    match t.below(9) {
        0 => x.source_range = range(t),
        1 => x.target_range = range(t),
        2 => x.port = t.index() as u16,
        3 => x.carry = Carry::Output(t.index() as u16),
        4 => x.delay = value(t),
        5 => x.bias = Some(value(t)),
        6 => x.stages[k].weight = value(t),
        7 => x.stages.reverse(),
        _ => window(t, &mut x.stages[k].connector),
    }
}

fn window(t: &mut Tape, c: &mut Connector) {
    let extreme = t.pick(&[0, 1, 2, 7, 65_536, u32::MAX, 1 << 31]);
    let a = t.below(2) as usize;
    match c {
        Connector::Conv2d(c) => match t.below(7) {
            0 => c.input[1 + a] = extreme,
            1 => c.kernel[a] = extreme,
            2 => c.stride[a] = extreme,
            3 => c.padding[a] = extreme,
            4 => c.dilation[a] = extreme,
            5 => c.groups = extreme,
            _ => c.input = [extreme; 3],
        },
        Connector::Pool2d(c) => match t.below(4) {
            0 => c.input[1 + a] = extreme,
            1 => c.kernel[a] = extreme,
            2 => c.stride[a] = extreme,
            _ => c.padding[a] = extreme,
        },
        Connector::List { pre, .. } => *pre = t.index(),
        Connector::FixedProbability { p, .. } => *p = t.real(),
        other => {
            *other = Connector::FixedTotal {
                n: t.below(50),
                self_connections: t.flip(),
            }
        }
    }
}

proptest! {
    #![proptest_config(crate::cases(1200))]

    #[test]
    fn what_passes_expands(words in tape(500), damage in tape(40)) {
        let mut net = network::network(&mut Tape::new(words));
        let mut t = Tape::new(damage);
        (0..t.below(4)).for_each(|_| spoil(&mut t, &mut net));
        if let Ok(net) = verify(net) {
            for (id, _, _, x) in net.projections() {
                let whole = Range { start: 0, len: x.target_range.len };
                let all = net.expand(id, 3, whole);
                prop_assert!(all.iter().all(|s| s.source < x.source_range.len));
                materialise(&net, id, 3, true, true, |w| w);
                if let Some(b) = &x.bias {
                    net.elements(b, x.target_range.len, 3, &x.name);
                }
            }
            for (_, p) in net.populations() {
                if let PopKind::Neurons { values, .. } = &p.kind {
                    values.iter().for_each(|v| drop(net.elements(&v.1, p.size() as u32, 3, &v.0)));
                }
            }
        }
    }
}
