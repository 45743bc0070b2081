//! Rules that stay rules: their slices hold what the network expands to, however it is cut, and pairs are drawn uniformly.

use proptest::prelude::*;
use std::sync::Arc;
use synfire_ir::network::*;
use synfire_ir::program::{self, Generated, Layout, Program, Range, RowRule, SliceWeights, Store};

const BASE: &str = r#"
network base dt 0.001
neuron {
  spikes
  model M { state v: f32 port i: f32 sum output r = v step { } }
  init v = 0.0
}
population a[40]: neurons M { }
population b[25]: neurons M { }
projection p: a[2..38] -> b[1..24].i events { rule fixed_total 10 weight 1.0 delay 1.0 }
projection q: a[2..38] -> a[5..30].i events { rule fixed_total 10 weight 1.0 delay 1.0 }
"#;

fn base() -> Network {
    parse("base", BASE).unwrap_or_else(|d| panic!("{d}"))
}

fn edge(net: &Network, name: &str) -> ProjId {
    let found = net.projections().find(|p| p.3.name == name);
    found.expect("a projection of that name").0
}

/// (source, delay, target, bits), sorted.
type Synapses = Vec<(u32, u16, u32, u32)>;

fn of_slice(g: &Generated, range: Range) -> Synapses {
    let slice = g.slice(range);
    let mut out = vec![];
    assert_eq!(slice.row.len(), g.sources as usize + 1);
    assert_eq!(slice.start.len(), slice.delay.len() + 1);
    assert_eq!(
        slice.start.last().copied(),
        Some(slice.targets.len() as u32)
    );
    for s in 0..g.sources as usize {
        let runs = slice.row[s] as usize..slice.row[s + 1] as usize;
        let delays = &slice.delay[runs.clone()];
        assert!(delays.windows(2).all(|d| d[0] < d[1]), "delays ascend");
        for r in runs {
            let of_run = slice.start[r] as usize..slice.start[r + 1] as usize;
            assert!(!of_run.is_empty());
            assert!(slice.targets[of_run.clone()].is_sorted(), "targets ascend");
            for k in of_run {
                let t = range.start + slice.targets[k] as u32;
                out.push((s as u32, slice.delay[r], t, slice.weights.bits(k)));
            }
        }
    }
    out.sort_unstable();
    out
}

fn of_network(net: &Network, id: ProjId, seed: u64, range: Range) -> Synapses {
    let all = net.expand(id, seed, range);
    let mut out: Synapses = all
        .iter()
        .map(|s| (s.source, s.delay, s.target, (s.weight as f32).to_bits()))
        .collect();
    out.sort_unstable();
    out
}

fn connector() -> impl Strategy<Value = Connector> {
    let flags = any::<(bool, bool)>();
    prop_oneof![
        (0.0..1.0f64, flags).prop_map(|(p, f)| Connector::FixedProbability {
            p,
            self_connections: f.0
        }),
        (0u32..30, flags).prop_map(|(n, f)| Connector::FixedIndegree {
            n,
            self_connections: f.0,
            multapses: f.1,
        }),
        (0u32..2000, flags).prop_map(|(n, f)| Connector::FixedTotal {
            n,
            self_connections: f.0
        }),
        outdegree(),
    ]
}

fn outdegree() -> impl Strategy<Value = Connector> {
    (0u32..30, any::<(bool, bool)>()).prop_map(|(n, f)| Connector::FixedOutdegree {
        n,
        self_connections: f.0,
        multapses: f.1,
    })
}

fn weight() -> impl Strategy<Value = Init> {
    prop_oneof![
        (0.1..5.0f64).prop_map(Init::Const),
        Just(Init::Draw(Distribution::Normal(1.0, 0.3))),
        Just(Init::Draw(Distribution::NormalClipped(
            -2.0,
            1.5,
            f64::NEG_INFINITY,
            0.0
        ))),
        Just(Init::Draw(Distribution::Lognormal(0.0, 1.0))),
    ]
}

fn delay() -> impl Strategy<Value = Init> {
    prop_oneof![
        (0u16..40).prop_map(|d| Init::Const(d as f64)),
        Just(Init::Draw(Distribution::NormalClipped(15.0, 7.5, 0.5, 1e4))),
        Just(Init::Draw(Distribution::UniformInt(-1, 3000))),
    ]
}

fn with(name: &str, connector: Connector, weight: Init, delay: Init) -> (Network, ProjId) {
    let mut net = base();
    let id = edge(&net, name);
    net.graph[id].stages = vec![Stage { connector, weight }];
    net.graph[id].delay = delay;
    (net, id)
}

proptest! {
    #![proptest_config(crate::cases(400))]

    #[test]
    fn slices_hold_what_the_network_expands_to(
        connector in connector(), weight in weight(), delay in delay(), own: bool, seed: u64, cut in 0u32..25,
    ) {
        let (net, id) = with(if own { "q" } else { "p" }, connector, weight, delay);
        let g = net.generated(id, seed, Store::F32).expect("a rule that draws sources");
        let len = g.targets;
        let whole = Range { start: 0, len };
        prop_assert_eq!(of_slice(&g, whole), of_network(&net, id, seed, whole));
        let cut = cut.min(len);
        for part in [Range { start: 0, len: cut }, Range { start: cut, len: len - cut }] {
            prop_assert_eq!(of_slice(&g, part), of_network(&net, id, seed, part));
        }
        let (least, most) = g.delays();
        prop_assert!(of_slice(&g, whole).iter().all(|s| (least..=most).contains(&s.1)));
    }

    #[test]
    fn rows_are_the_slices(
        connector in connector(), weight in weight(), delay in delay(), seed: u64,
    ) {
        let (net, id) = with("q", connector, weight, delay);
        let g = net.generated(id, seed, Store::F32).expect("a rule that draws sources");
        let rows = g.rows();
        let mut got: Synapses = vec![];
        for s in 0..g.sources as usize {
            let runs = &rows.runs[rows.row[s] as usize..rows.row[s + 1] as usize];
            prop_assert!(runs.windows(2).all(|r| r[0].delay < r[1].delay));
            for r in runs {
                let of_run = r.start as usize..(r.start + r.len) as usize;
                got.extend(of_run.map(|k| (s as u32, r.delay, rows.targets[k], rows.weights.bits(k))));
            }
        }
        got.sort_unstable();
        prop_assert_eq!(got, of_slice(&g, Range { start: 0, len: g.targets }));
    }

    /// The row of a source is what slices hold of it, and what one target gets over one delay comes in the same order.
    #[test]
    fn rows_follow_from_their_sources(
        connector in prop_oneof![outdegree(), any::<bool>().prop_map(|self_connections| Connector::AllToAll { self_connections })],
        weight in weight(), delay in delay(), own: bool, seed: u64, scaled: bool,
    ) {
        let all = matches!(connector, Connector::AllToAll { .. });
        let (weight, delay) = if all { (Init::Const(2.5), Init::Const(4.0)) } else { (weight, delay) };
        let (net, id) = with(if own { "q" } else { "p" }, connector, weight, delay);
        let store = if scaled { Store::Scaled } else { Store::F32 };
        let Some(g) = net.generated(id, seed, store) else {
            return Ok(());
        };
        prop_assert_eq!(g.stored_why(), None);
        prop_assert_eq!(g.complete().is_some(), all);
        let whole = Range { start: 0, len: g.targets };
        if store == Store::F32 {
            prop_assert_eq!(of_slice(&g, whole), of_network(&net, id, seed, whole));
        }
        let slice = g.slice(whole);
        let (rule, mut chosen) = (RowRule::new(&g).expect("it gives rows"), Chosen::default());
        for s in 0..g.sources {
            let mut row = vec![];
            rule.each(s, &mut chosen, |t, w, d| row.push((d, t, w)));
            row.sort_by_key(|e| (e.0, e.1));
            let mut want = vec![];
            for r in slice.row[s as usize]..slice.row[s as usize + 1] {
                let run = slice.start[r as usize] as usize..slice.start[r as usize + 1] as usize;
                want.extend(run.map(|k| (slice.delay[r as usize], u32::from(slice.targets[k]), slice.weights.bits(k))));
            }
            prop_assert_eq!(row, want);
        }
    }

    #[test]
    fn narrow_weights_are_near(connector in connector(), seed: u64) {
        let d = Distribution::NormalClipped(1.0, 0.1, 0.0, 1e9);
        let (net, id) = with("p", connector, Init::Draw(d), Init::Const(3.0));
        let whole = Range { start: 0, len: 23 };
        let exact = net.generated(id, seed, Store::F32).expect("a rule").slice(whole);
        for store in [Store::Scaled, Store::Integer { fraction: 12 }, Store::Integer { fraction: 5 }] {
            let g = net.generated(id, seed, store).expect("a rule");
            let slice = g.slice(whole);
            prop_assert_eq!(&slice.targets, &exact.targets);
            for k in 0..slice.targets.len() {
                let want = f32::from_bits(exact.weights.bits(k));
                let (got, step) = match (&slice.weights, store) {
                    (SliceWeights::Scaled { scale, .. }, _) => (f32::from_bits(slice.weights.bits(k)), *scale),
                    (_, Store::Integer { fraction }) => {
                        let one = 2f32.powi(-fraction);
                        (slice.weights.bits(k) as i32 as f32 * one, one)
                    }
                    (other, _) => panic!("{other:?}"),
                };
                prop_assert!((got - want).abs() <= 0.5001 * step + 1e-6, "{got} for {want}, step {step}");
            }
            let wide = matches!(slice.weights, SliceWeights::I8(_)) == (store == Store::Integer { fraction: 5 });
            prop_assert!(slice.targets.is_empty() || wide);
        }
    }

    #[test]
    fn text_and_check(connector in connector(), weight in weight(), delay in delay(), own: bool) {
        let (net, id) = with(if own { "q" } else { "p" }, connector, weight, delay);
        let g = net.generated(id, 3, Store::F32).expect("a rule");
        let (least, _) = g.delays();
        let p = program_of(g, own);
        let faults = program::check(&p);
        prop_assert!(faults.is_empty() || least == 0, "{faults}");
        let text = program::print(&p);
        prop_assert_eq!(program::parse("p", &text).unwrap_or_else(|d| panic!("{d}\n{text}")), p.clone());
        let expanded = p.expanded();
        prop_assert!(!expanded.is_generated());
        prop_assert_eq!(expanded.projections[0].delays().is_some(), expanded.synapses() > 0);
    }
}

fn program_of(g: Generated, own: bool) -> Program {
    let text = r#"
program p: f32 seed 1 dt 0.001
model M { state v: f32 port i: f32 sum step { } }
group a: units M[40] phase 0 base 0 { init v = 0.0 }
group b: units M[25] phase 0 base 40 { init v = 0.0 }
"#;
    let mut p = program::parse("p", text).unwrap_or_else(|d| panic!("{d}"));
    let range = |start, len| Range { start, len };
    p.projections.push(program::Projection {
        name: "x".into(),
        source: 0,
        source_range: range(2, 36),
        target: if own { 0 } else { 1 },
        target_range: if own { range(5, 25) } else { range(1, 23) },
        port: 0,
        carry: program::Carry::Events,
        layout: Layout::Generated(Arc::new(g)),
    });
    p
}

#[test]
fn what_cannot_stay_a_rule() {
    let total = || Connector::FixedTotal {
        n: 5,
        self_connections: true,
    };
    let (one, three) = (Init::Const(1.0), Init::Const(3.0));
    let drawn = Init::Draw;
    let all = Connector::AllToAll {
        self_connections: true,
    };
    for (connector, weight, delay) in [
        (all, drawn(Distribution::Normal(1.0, 0.1)), three.clone()),
        (Connector::OneToOne, one.clone(), three.clone()),
        (total(), Init::Const(0.0), three.clone()),
        (total(), drawn(Distribution::Poisson(2.0)), three.clone()),
        (
            total(),
            drawn(Distribution::NormalClippedToBoundary(1.0, 1.0, 0.0, 9.0)),
            three.clone(),
        ),
        (total(), one.clone(), drawn(Distribution::Exponential(3.0))),
    ] {
        let (net, id) = with("p", connector, weight, delay);
        assert_eq!(net.generated(id, 1, Store::F32), None);
    }
    let (net, id) = with(
        "p",
        total(),
        drawn(Distribution::Lognormal(0.0, 1.0)),
        three,
    );
    assert!(net.generated(id, 1, Store::F32).is_some());
    assert_eq!(
        net.generated(id, 1, Store::Scaled),
        None,
        "nothing bounds it"
    );
}

/// Every pair that may be drawn is drawn equally often, whichever target it belongs to.
#[test]
fn totals_are_uniform_over_pairs() {
    for (name, own) in [("p", true), ("q", true), ("q", false)] {
        let rule = Connector::FixedTotal {
            n: 1000,
            self_connections: own,
        };
        let (net, id) = with(name, rule, Init::Const(1.0), Init::Const(1.0));
        let (sources, targets) = (36usize, net.graph[id].target_range.len as usize);
        let mut seen = vec![0u32; sources * targets];
        const SEEDS: u64 = 600;
        for seed in 0..SEEDS {
            let whole = Range {
                start: 0,
                len: targets as u32,
            };
            for s in net.expand(id, seed, whole) {
                seen[s.target as usize * sources + s.source as usize] += 1;
            }
        }
        let itself = |k: usize| name == "q" && k % sources + 2 == k / sources + 5;
        let allowed: Vec<u32> = (0..seen.len())
            .filter(|k| own || !itself(*k))
            .map(|k| seen[k])
            .collect();
        assert_eq!(allowed.iter().sum::<u32>() as u64, 1000 * SEEDS);
        let mean = 1000.0 * SEEDS as f64 / allowed.len() as f64;
        let chi: f64 = allowed
            .iter()
            .map(|n| (*n as f64 - mean).powi(2) / mean)
            .sum();
        let freedom = allowed.len() as f64 - 1.0;
        assert!(
            (chi - freedom).abs() < 4.5 * (2.0 * freedom).sqrt(),
            "{name} {own}: {chi} of {freedom}"
        );
    }
}
