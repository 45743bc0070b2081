//! Learning on chips: what a chip's synapses learn from its encoded bytes, beside the network's own program and beside an account in plain numbers; and what is refused.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::fmt::Write as _;
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_ir::artifact::Artifact;
use synfire_ir::program::Arithmetic;
use synfire_ir::rng;
use synfire_ir::{Class, Diagnostics, Quiet};
use synfire_runtime::session::{Choice, Plan};
use synfire_runtime::spikes::SpikeData;
use synfire_runtime::spikes::weights::Weights;
use synfire_tests::compare::{compile_for, input, load};

/// Spikes (sample, step, population, neuron) and weights of a run.
type Ran = (Vec<(u32, u32, u32, u32)>, Vec<Weights>);

fn play(plan: Plan, choice: Choice, input: &SpikeData, steps: u32) -> Result<Ran, Diagnostics> {
    let mut session = plan.open(choice, 1, input.batch.unwrap_or(1))?;
    let data = session.run(steps, input, 0, &Quiet)?.data;
    let spike =
        |s: &synfire_runtime::spikes::NamedSpike| (s.sample, s.step, s.population, s.neuron);
    let mut spikes: Vec<_> = data.spikes.iter().map(spike).collect();
    spikes.sort_unstable();
    let mut weights = session.weights()?;
    weights.iter_mut().for_each(sorted);
    Ok((spikes, weights))
}

/// Synapses in the order of (source, delay, target).
fn sorted(w: &mut Weights) {
    let mut order: Vec<usize> = (0..w.source.len()).collect();
    order.sort_by_key(|&k| (w.source[k], w.delay[k], w.target[k]));
    let column = |c: &[u32]| order.iter().map(|&k| c[k]).collect();
    (w.source, w.delay, w.target) = (column(&w.source), column(&w.delay), column(&w.target));
    for v in &mut w.values {
        *v = order.iter().map(|&k| v[k]).collect();
    }
}

fn ideally(text: &str, input: &SpikeData, steps: u32) -> Ran {
    let net = load(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let options = IdealOptions {
        arithmetic: Arithmetic::F32,
        ..IdealOptions::default()
    };
    let lowered = ideal::lower(&net, &options).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let sources: Vec<bool> = net.populations().map(|(_, p)| p.is_source).collect();
    let plan = Plan::ideal(lowered.program, &sources, lowered.feeds, lowered.scales);
    play(plan, Choice::Cpu, input, steps).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Runs what the chip's bytes say.
fn on_chip(bytes: &[u8], choice: Choice, input: &SpikeData, steps: u32) -> Ran {
    let artifact = Artifact::from_bytes("test.synx", bytes).unwrap_or_else(|e| panic!("{e}"));
    let target = synfire_targets::find(&artifact.header.target).unwrap_or_else(|e| panic!("{e}"));
    let backend = target.chip.backend().expect("a shipped chip has code");
    let plan = Plan::artifact(&artifact, backend).unwrap_or_else(|e| panic!("{e}"));
    play(plan, choice, input, steps).unwrap_or_else(|e| panic!("{e}"))
}

fn bytes(text: &str, target: &str) -> Result<Vec<u8>, Diagnostics> {
    let net = load(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    compile_for(&net, target)?.artifact.to_bytes()
}

fn cases(n: u32, strategy: impl Strategy<Value = Case>, test: impl Fn(&Case) -> bool) {
    let config = ProptestConfig {
        cases: n,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let fitted = std::cell::Cell::new(0);
    TestRunner::new_with_rng(config, rng)
        .run(&strategy, |c| {
            fitted.set(fitted.get() + u32::from(test(&c)));
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    assert!(fitted.get() * 3 > n, "{} of {n} fitted", fitted.get());
}

/// Parameters of a rule and a neuron, and spikes.
#[derive(Clone, Debug)]
struct Case {
    theta_mem: i64,
    theta: [i64; 3],
    ca_leak: i64,
    /// Steps after which weights drift; 0: never.
    drift: i64,
    thr: i64,
    leak: i64,
    start: i64,
    /// (step, source); sources from 4 on teach.
    spikes: Vec<(u32, u32)>,
}

const STEPS: u32 = 120;

fn case(apart: bool) -> impl Strategy<Value = Case> {
    let theta = prop::array::uniform3(0i64..9);
    let drift = (0i64..20).prop_map(|d| (d - 8).max(0));
    let rule = (-2i64..40, theta, 0i64..40, drift);
    let neuron = (8i64..30, 0i64..3, 0i64..9);
    let spikes = prop::collection::vec((0..STEPS, 0u32..6), 20..150);
    (rule, neuron, spikes).prop_map(move |(rule, neuron, mut spikes)| {
        spikes.sort_unstable();
        spikes.dedup_by_key(|s| if apart { (s.0, 0) } else { *s });
        Case {
            theta_mem: rule.0,
            theta: rule.1,
            ca_leak: rule.2,
            drift: rule.3,
            thr: neuron.0,
            leak: neuron.1,
            start: neuron.2,
            spikes,
        }
    })
}

impl Case {
    fn text(&self) -> String {
        let [a, b, c] = self.theta;
        let (rule, more) = match self.drift {
            0 => ("Sdsp", String::new()),
            n => ("BistableSdsp", format!(", drift = {n}")),
        };
        format!(
            "use std.synapses.{rule}\nuse targets.odin.OdinLif\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  source teacher: events[2]\n  pop out: OdinLif[2] {{ thr = {}, leak = {} }}\n  connect plastic: x -> out : all_to_all {{ synapse = {rule}(theta_mem = {}, theta1 = {a}, theta2 = {b}, theta3 = {c}, ca_leak = {}{more}), w = {}, delay = 1 ms }}\n  connect teacher -> out : one_to_one {{ weight = 6, delay = 1 ms }}\n  record out.spikes\n}}\n",
            self.thr, self.leak, self.theta_mem, self.ca_leak, self.start
        )
    }

    fn input(&self) -> SpikeData {
        let of = |&(step, n): &(u32, u32)| (0, step, u32::from(n > 3), n % 4);
        let all: Vec<_> = self.spikes.iter().map(of).collect();
        input(&all, None)
    }

    /// Weights [source][neuron] and spikes (step, neuron) by the rules of the chip's document: events one after another, flags from before each, then the time reference.
    fn account(&self) -> ([[i64; 2]; 4], Vec<(u32, u32)>) {
        let mut w = [[self.start; 2]; 4];
        let (mut v, mut ca, mut cnt, mut fired) = ([0i64; 2], [0i64; 2], 0, vec![]);
        let [t1, t2, t3] = self.theta;
        let up = |v: i64, ca: i64| v >= self.theta_mem && t1 <= ca && ca < t3;
        let down = |v: i64, ca: i64| v < self.theta_mem && t1 <= ca && ca < t2;
        for step in 0..STEPS {
            // What is sent in a step arrives one later; rows go in ascending order.
            for &(_, n) in self.spikes.iter().filter(|s| s.0 + 1 == step) {
                for q in 0..2 {
                    let flags = (up(v[q], ca[q]), down(v[q], ca[q]));
                    let arrives = match n {
                        0..4 => w[n as usize][q],
                        _ => 6 * i64::from(n as usize - 4 == q),
                    };
                    if n < 4 {
                        let slot = &mut w[n as usize][q];
                        *slot = match flags {
                            (true, _) => (*slot + 1).min(7),
                            (_, true) => (*slot - 1).max(0),
                            _ => *slot,
                        };
                    }
                    v[q] = (v[q] + arrives).min(255);
                    if v[q] >= self.thr {
                        v[q] = 0;
                        ca[q] = (ca[q] + 1).min(7);
                        fired.push((step, q as u32));
                    }
                }
            }
            let falls = self.ca_leak > 0 && cnt == self.ca_leak - 1;
            if self.drift > 0 && i64::from(step + 1) % self.drift == 0 {
                let one = |w: i64| {
                    if w >= 4 {
                        (w + 1).min(7)
                    } else {
                        (w - 1).max(0)
                    }
                };
                w.iter_mut().flatten().for_each(|w| *w = one(*w));
            }
            cnt = if falls { 0 } else { (cnt + 1) & 31 };
            for q in 0..2 {
                v[q] = (v[q] - self.leak).max(0);
                ca[q] = (ca[q] - i64::from(falls)).max(0);
            }
        }
        fired.sort_unstable();
        fired.dedup();
        (w, fired)
    }
}

/// The artefact, or nothing where the chip refuses the rule; what is refused has a code and reasons.
fn legal(text: &str, target: &str) -> Option<Vec<u8>> {
    match bytes(text, target) {
        Ok(b) => Some(b),
        Err(e) => {
            for d in &e.0 {
                assert!(
                    d.class == Class::Fit && !d.notes.is_empty() && !d.hints.is_empty(),
                    "{d}\n{text}"
                );
                assert_eq!(d.code, "SYN0644", "{d}\n{text}");
            }
            None
        }
    }
}

/// One event a step: the chip, from its bytes, on both engines, and the network agree in every spike and every weight.
#[test]
fn sdsp_on_the_chip_is_the_networks() {
    cases(60, case(true), |c| {
        let (text, input) = (c.text(), c.input());
        let Some(bytes) = legal(&text, "odin") else {
            return false;
        };
        let ideal = ideally(&text, &input, STEPS);
        for choice in [Choice::Cpu, Choice::Gpu] {
            assert_eq!(
                on_chip(&bytes, choice, &input, STEPS),
                ideal,
                "{choice:?}\n{text}"
            );
        }
        true
    });
}

/// Any number of events a step: the chip learns as its document says, event by event.
#[test]
fn sdsp_is_the_documents() {
    cases(60, case(false), |c| {
        let (text, input) = (c.text(), c.input());
        let Some(bytes) = legal(&text, "odin") else {
            return false;
        };
        let (spikes, weights) = on_chip(&bytes, Choice::Cpu, &input, STEPS);
        let (w, fired) = c.account();
        let found: Vec<(u32, u32)> = spikes.iter().map(|s| (s.1, s.3)).collect();
        assert_eq!(found, fired, "{text}");
        let wanted: Vec<f64> = w.iter().flatten().map(|&x| x as f64).collect();
        assert_eq!(weights[0].values, [wanted], "{text}");
        assert_eq!(
            on_chip(&bytes, Choice::Gpu, &input, STEPS),
            (spikes, weights),
            "{text}"
        );
        true
    });
}

/// A rule in other words is the same rule; its name is of no account.
#[test]
fn a_rule_is_what_it_does() {
    let other = "use targets.odin.OdinLif
synapse Mine(edge: i32) {
  state w: i16
  state spikes: i16
  state may: bool
  state high: bool
  on pre { emit w; if may { w += where(high, where(w < 7, 1, 0), where(w > 0, -1, 0)) } }
  on post { if spikes < 7 { spikes += 1 } }
  on every(5) { if spikes > 0 { spikes -= 1 } }
  on every(1) { high = not (post.v < edge); may = spikes < 4 and 1 <= spikes }
}
network N {
  step 1 ms
  source x: events[4]
  source teacher: events[2]
  pop out: OdinLif[2] { thr = 20, leak = 1 }
  connect plastic: x -> out : all_to_all { synapse = Mine(edge = 9), w = 3, delay = 1 ms }
  connect teacher -> out : one_to_one { weight = 6, delay = 1 ms }
  record out.spikes
}
";
    let same = Case {
        theta_mem: 9,
        theta: [1, 4, 4],
        ca_leak: 5,
        drift: 0,
        thr: 20,
        leak: 1,
        start: 3,
        spikes: vec![],
    };
    let native = |b: Vec<u8>| {
        let a = Artifact::from_bytes("a", &b).expect("it was just written");
        a.native().map(|s| s.bytes.clone()).collect::<Vec<_>>()
    };
    let (a, b) = (bytes(other, "odin"), bytes(&same.text(), "odin"));
    assert_eq!(
        native(a.unwrap_or_else(|e| panic!("{e}"))),
        native(b.unwrap_or_else(|e| panic!("{e}")))
    );
}

fn whole(rule: &str, spikes: &[(u32, u32)]) -> (String, SpikeData) {
    let text = format!(
        "use targets.loihi.LavaLif\nsynapse Rule {{\n  state w: i16\n{rule}}}\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  source teacher: events[2]\n  pop out: LavaLif[2] {{ du = 4095, dv = 400, vth = 500 }}\n  connect plastic: x -> out : all_to_all {{ synapse = Rule, w = 100, delay = 1 ms }}\n  connect teacher -> out : one_to_one {{ weight = 900, delay = 1 ms }}\n  record out.spikes\n}}\n"
    );
    let of = |&(step, n): &(u32, u32)| (0, step, u32::from(n > 3), n % 4);
    let all: Vec<_> = spikes.iter().map(of).collect();
    (text, input(&all, None))
}

/// Whole changes that meet no end of the range: the chip's sums of products are the network's, to the bit, on both engines.
#[test]
fn whole_products_are_the_networks() {
    let chance = |step: u32, n: u32| rng::word(5, rng::DRIVE, 0, 0, step, n) >> 24 < 30;
    let all = (0..30).flat_map(|s| (0..6).map(move |n| (s, n)));
    let spikes: Vec<(u32, u32)> = all.filter(|&(s, n)| chance(s, n)).collect();
    for rule in [
        "  on pre { emit w; w -= 2 }\n  on post { w += 3 }\n",
        "  on pre { emit w; w = max(w + 1, 0) }\n  on every(4) { w = min(w - 1, 255) }\n",
        "  on post { w += 6 - 2 * 4 }\n",
    ] {
        let (text, input) = whole(rule, &spikes);
        let bytes = bytes(&text, "loihi:lava").unwrap_or_else(|e| panic!("{e}\n{text}"));
        let ideal = ideally(&text, &input, 30);
        let moved = ideal.1[0].values[0].iter().any(|w| *w != 100.0);
        assert!(moved && !ideal.0.is_empty(), "{text}");
        for choice in [Choice::Cpu, Choice::Gpu] {
            assert_eq!(
                on_chip(&bytes, choice, &input, 30),
                ideal,
                "{choice:?}\n{text}"
            );
        }
    }
}

/// A number beside the weight is the chip's tag: the same to the bit where nothing arrives in the step in which the weight takes it.
#[test]
fn a_tag_is_the_networks() {
    // What is sent in a step arrives one later, and intervals end in steps 3, 7, ...
    let chance = |step: u32, n: u32| rng::word(6, rng::DRIVE, 0, 0, step, n) >> 24 < 40;
    let steps = (0..40).filter(|s| s % 4 != 2);
    let all = steps.flat_map(|s| (0..4).map(move |n| (s, n)));
    let spikes: Vec<(u32, u32)> = all.filter(|&(s, n)| chance(s, n)).collect();
    for rule in [
        "  state t: i16 = 0\n  on pre { emit w; t += w - 96 }\n  on every(4) { w = w - t; t = 0 }\n",
        "  state t: i16 = 0\n  on pre { emit w; t = t + 96 - w }\n  on every(4) { w = w + t * 2; t = 0 }\n",
    ] {
        let (text, input) = whole(rule, &spikes);
        let bytes = bytes(&text, "loihi:lava").unwrap_or_else(|e| panic!("{e}\n{text}"));
        let ideal = ideally(&text, &input, 40);
        assert!(ideal.1[0].values[0].iter().any(|w| *w != 100.0), "{text}");
        for choice in [Choice::Cpu, Choice::Gpu] {
            assert_eq!(
                on_chip(&bytes, choice, &input, 40),
                ideal,
                "{choice:?}\n{text}"
            );
        }
    }
}

/// Everything that stands in the way, in one run.
#[test]
fn what_chips_cannot_follow() {
    let std = |rule: &str, args: &str, more: &str| {
        format!(
            "use std.neurons.If\nuse std.synapses.{rule}\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  source r: events[1]\n  pop a: If[4]\n  connect c: x -> a.i : all_to_all {{ synapse = {rule}({args}), w = 0.5, delay = 1 ms }}\n{more}  record a.spikes\n}}\n"
        )
    };
    let sdsp = |args: &str| {
        format!(
            "use targets.odin.OdinLif\nuse std.synapses.Sdsp\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  pop a: OdinLif[4] {{ thr = 20, leak = 1 }}\n  connect c: x -> a : all_to_all {{ synapse = Sdsp({args}), w = 3, delay = 1 ms }}\n  record a.spikes\n}}\n"
        )
    };
    let own = |rule: &str| {
        format!(
            "use targets.odin.OdinLif\nsynapse Rule {{\n  state w: i8\n  state n: u8\n  state up: bool\n{rule}}}\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  pop a: OdinLif[4] {{ thr = 20, leak = 1 }}\n  connect c: x -> a : all_to_all {{ synapse = Rule, w = 3, delay = 1 ms }}\n  record a.spikes\n}}\n"
        )
    };
    let mut said = String::new();
    for (target, text) in [
        ("ranc", std("Stdp", "w_max = 1", "")),
        ("odin", std("Stdp", "w_max = 1", "")),
        ("odin", sdsp("theta_mem = 5, theta3 = 8, ca_leak = 40")),
        ("odin", sdsp("theta_mem = 300")),
        (
            "odin",
            own(
                "  on pre { emit w; w = where(up, min(w + 2, 7), w) }\n  on post { n = min(n + 1, 9) }\n  on every(3) { w = max(w - 1, 0) }\n  on every(1) { up = post.v >= 4 and n > 2 }\n",
            ),
        ),
        (
            "odin",
            own(
                "  on pre { emit w; w = where(up, min(w + 1, 7), w) }\n  on post { n = min(n + 1, 7) }\n  on every(5) { w = where(w >= 3, min(w + 1, 7), max(w - 1, 0)) }\n  on every(1) { up = post.v >= 4 and n > 2 }\n",
            ),
        ),
        (
            "odin",
            own(
                "  on pre { emit w; w = where(post.v > 4, min(w + 1, 7), w) }\n  on post { n = min(n + 1, 7); up = n > 4 }\n",
            ),
        ),
        ("loihi", std("Stdp", "w_max = 1", "")),
        (
            "loihi:lava",
            std("RewardStdp", "w_max = 1", "  modulate r -> c.reward\n"),
        ),
        ("loihi:lava", std("GuetigStdp", "w_max = 1", "")),
        ("loihi:lava", std("TripletStdp", "w_max = 1", "")),
        (
            "loihi:lava",
            std("Pes", "w_max = 1", "  modulate r -> c.error\n"),
        ),
        (
            "loihi:lava",
            std(
                "SumOfProducts",
                "post_x = 1e-6, each = 40, period = 4 ms, w_max = 1",
                "",
            ),
        ),
        (
            "loihi:lava",
            whole(
                "  state a: i16 = 0\n  state b: i16 = 2\n  on pre { emit w; w += a; a += b; b += w }\n",
                &[],
            )
            .0,
        ),
        (
            "loihi:lava",
            whole(
                "  state a: i16 = 3\n  on pre { emit w; w += a; a = min(a + w, 7) }\n",
                &[],
            )
            .0,
        ),
        (
            "loihi:lava",
            whole(
                "  on pre { emit w; w = min(max(w - 2, 0), 200) }\n  on post { w = min(w + 3, 100) }\n  on every(4) { w = max(w - 1, 10) }\n",
                &[],
            )
            .0,
        ),
    ] {
        let e = bytes(&text, target).expect_err(&text);
        for d in e.0 {
            assert_eq!(
                (d.code.as_str(), d.class),
                ("SYN0644", Class::Fit),
                "{d}\n{text}"
            );
            let _ = writeln!(said, "{target}: {}", d.message);
            for n in &d.notes {
                let _ = writeln!(said, "  - {n}");
            }
        }
    }
    insta::assert_snapshot!(said);
}

/// Where a block ends the range of weights nowhere, the chip's own end is told.
#[test]
fn the_chips_range_is_told() {
    let mut said = String::new();
    for rule in [
        "  on pre { emit w; w -= 2 }\n  on post { w += 3 }\n",
        "  on pre { emit w; w = max(w - 2, 0) }\n  on post { w = min(w + 3, 255) }\n",
        "  on pre { emit w; w = max(w + 1, 0) }\n  on every(4) { w = min(w - 1, 255) }\n",
    ] {
        let text = whole(rule, &[]).0;
        let net = load(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let made = compile_for(&net, "loihi:lava").unwrap_or_else(|e| panic!("{e}\n{text}"));
        let _ = writeln!(said, "{rule}");
        for d in made.warnings.0.iter().filter(|d| d.code == "SYN0648") {
            let _ = writeln!(said, "{}", d.message);
            d.notes
                .iter()
                .for_each(|n| said.push_str(&format!("  - {n}\n")));
        }
    }
    insta::assert_snapshot!(said);
}

/// Pair STDP on Loihi: weights of inputs that came before the spike part from those that came after it, as in the network.
#[test]
fn products_follow_on_average() {
    let files = synfire_tests::binary::root().join("examples");
    let text = std::fs::read_to_string(files.join("products.syn")).expect("it is there");
    let list = std::fs::read_to_string(files.join("products.csv")).expect("it is there");
    let spike = |l: &str| {
        let f: Vec<&str> = l.split(',').collect();
        let number = |k: usize| f[k].parse().expect("a number");
        (0, number(0), u32::from(f[1] == "teacher"), number(2))
    };
    let all: Vec<_> = list.lines().skip(1).map(spike).collect();
    let input = input(&all, None);
    let ideal = ideally(&text, &input, 2000);
    let bytes = bytes(&text, "loihi:lava").unwrap_or_else(|e| panic!("{e}"));
    let cpu = on_chip(&bytes, Choice::Cpu, &input, 2000);
    assert_eq!(on_chip(&bytes, Choice::Gpu, &input, 2000), cpu);
    for (k, (a, b)) in ideal.1[0].values[0]
        .iter()
        .zip(&cpu.1[0].values[0])
        .enumerate()
    {
        assert!(
            (a - b).abs() < 0.06,
            "synapse {k}: {a} in the network, {b} on the chip"
        );
    }
    let all: std::collections::BTreeSet<_> = ideal.0.iter().collect();
    let common = cpu.0.iter().filter(|s| all.contains(s)).count();
    assert!(
        common * 10 > all.len() * 9,
        "{common} of {} spikes",
        all.len()
    );
}
