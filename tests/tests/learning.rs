//! Networks that learn, from the text to weights: what the examples promise.

use serde_json::Value;
use synfire_compiler::frontend;
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_ir::program::Arithmetic;
use synfire_ir::rng;
use synfire_runtime::engine::gpu::adapters;
use synfire_runtime::session::{Choice, Plan, Session};
use synfire_tests::binary::{root, run};

fn open(file: &str) -> Session {
    open_on(file, Choice::Cpu, Arithmetic::F32)
}

fn open_on(file: &str, choice: Choice, arithmetic: Arithmetic) -> Session {
    let plan = plan(file, arithmetic);
    plan.open(choice, 1, 1).unwrap_or_else(|d| panic!("{d}"))
}

fn plan(file: &str, arithmetic: Arithmetic) -> Plan {
    let path = root().join("examples").join(file);
    let text = std::fs::read(&path).expect("an example");
    let options = frontend::LoadOptions::default();
    let loaded = frontend::load(file, &text, &frontend::NoFiles, &options);
    let net = loaded.network.unwrap_or_else(|d| panic!("{d}"));
    let sources: Vec<bool> = net.populations().map(|p| p.1.is_source).collect();
    let options = IdealOptions {
        arithmetic,
        ..IdealOptions::default()
    };
    let made = ideal::lower(&net, &options).unwrap_or_else(|d| panic!("{d}"));
    Plan::ideal(made.program, &sources, made.feeds, made.scales)
}

/// A number in [0, 1), the same in every run.
fn chance(trial: u32, step: u32, k: u32) -> f64 {
    rng::word(11, rng::DRIVE, 0, trial, step, k) as f64 / 2f64.powi(32)
}

/// One trial: 50 ms of random input, the choice, its reward against what was expected, and 100 ms of rest.
fn trial(agent: &mut Session, n: u32, expected: &mut f64) -> usize {
    for step in 0..50 {
        for k in 0..20 {
            if chance(n, step, k) < 0.2 {
                agent.inject("stim", k, 1.0).expect("an input");
            }
        }
        agent.step(1).expect("a step");
    }
    let mut fired = [0; 2];
    agent
        .spikes()
        .iter()
        .for_each(|s| fired[s.neuron as usize] += 1);
    let arm = match fired[0].cmp(&fired[1]) {
        std::cmp::Ordering::Greater => 0,
        std::cmp::Ordering::Less => 1,
        std::cmp::Ordering::Equal => (chance(n, 60, 0) < 0.5) as usize,
    };
    let pays = [0.8, 0.2][arm];
    let reward = f64::from(u8::from(chance(n, 61, 0) < pays));
    agent
        .reward("reward", reward - *expected)
        .expect("a signal");
    *expected += 0.05 * (reward - *expected);
    agent.step(100).expect("a rest");
    agent.spikes();
    arm
}

#[test]
fn the_bandit_finds_the_better_arm() {
    let mut agent = open("bandit.syn");
    let before = agent.weights().expect("weights");
    let mut expected = 0.5;
    let arms: Vec<usize> = (0..300)
        .map(|n| trial(&mut agent, n, &mut expected))
        .collect();
    let good = |part: &[usize]| part.iter().filter(|a| **a == 0).count() as f64 / part.len() as f64;
    let (first, last) = (good(&arms[..50]), good(&arms[200..]));
    assert!(
        last > 0.8,
        "{last} of the last trials, {first} of the first"
    );
    let after = agent.weights().expect("weights");
    let mean = |w: &synfire_runtime::spikes::weights::Weights, arm: u32| {
        let of = w.target.iter().zip(&w.values[0]).filter(|x| *x.0 == arm);
        let list: Vec<f64> = of.map(|x| *x.1).collect();
        list.iter().sum::<f64>() / list.len() as f64
    };
    let (good, bad) = (mean(&after[0], 0), mean(&after[0], 1));
    assert!(
        good > bad,
        "{good} onto the better arm, {bad} onto the other"
    );
    assert_ne!(before, after);
}

#[test]
fn weights_are_recorded_saved_and_loaded() {
    for arithmetic in ["f32", "fixed"] {
        saved_and_loaded(arithmetic);
    }
}

fn saved_and_loaded(arithmetic: &str) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let net = root().join("examples/stdp_bimodal.syn");
    let net = net.to_str().expect("a path");
    let go = |extra: &[&str]| {
        let common = [
            "run",
            net,
            "--engine",
            "cpu",
            "--arithmetic",
            arithmetic,
            "--format",
            "json",
        ];
        let all: Vec<&str> = common.iter().chain(extra).copied().collect();
        let out = run(dir.path(), &all);
        let text = String::from_utf8_lossy(&out.stderr).to_string();
        (out.status.success(), text, out.stdout)
    };
    let (ok, said, out) = go(&[
        "--time",
        "2s",
        "--set",
        "n=20",
        "--record",
        "all.npz",
        "--save-weights",
        "a.npz",
    ]);
    assert!(ok, "{said}");
    let v: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(v["engine"], "cpu");
    assert!(dir.path().join("all.npz").is_file());
    // Traces begin at 0, so the first step changes no weight: what was loaded is saved again.
    let again = [
        "--set",
        "n=20",
        "--load-weights",
        "a.npz",
        "--save-weights",
        "b.npz",
    ];
    let (ok, said, _) = go(&[&["--steps", "1"], &again[..]].concat());
    assert!(ok, "{said}");
    let read = |f: &str| std::fs::read(dir.path().join(f)).expect("a file");
    assert!(read("a.npz") == read("b.npz"));
    let (ok, said, _) = go(&["--steps", "1", "--set", "n=21", "--load-weights", "a.npz"]);
    assert!(!ok && said.contains("SYN0915"), "{said}");
}

/// Integers are what a session computes in, not what it shows: weights and states are in the units of the network, and weights
/// are taken back to the last bit.
#[test]
fn fixed_arithmetic_shows_values_and_takes_them_back() {
    let mut s = open_on("stdp_bimodal.syn", Choice::Cpu, Arithmetic::Fixed);
    s.step(600).expect("steps");
    let learnt = s.weights().expect("weights");
    let w = &learnt[0].values[0];
    assert!(
        w.iter().all(|w| (0.0..0.050001).contains(w)) && w.iter().any(|w| *w > 0.01),
        "{w:?}"
    );
    assert_eq!(&s.synapses(&learnt[0].projection, "w").expect("weights"), w);
    let v = s.state("out", "v").expect("a state")[0];
    assert!(v.abs() <= 1.0 && v != 0.0, "{v}");
    let mut again = plan("stdp_bimodal.syn", Arithmetic::Fixed);
    again.set_weights(&learnt).expect("the same synapses");
    let mut again = again.open(Choice::Cpu, 1, 1).expect("an engine");
    assert_eq!(again.weights().expect("weights"), learnt);
    let mut beyond = learnt;
    beyond[0].values[0][0] = 1e9;
    let refused = plan("stdp_bimodal.syn", Arithmetic::Fixed).set_weights(&beyond);
    let said = refused.expect_err("too large").to_string();
    assert!(said.contains("SYN0915"), "{said}");
}

/// Rounding to integers leaves the mean change of weights where it is in floats.
#[test]
fn fixed_arithmetic_learns_without_a_bias() {
    let change = |arithmetic| {
        let mut s = open_on("stdp_bimodal.syn", Choice::Cpu, arithmetic);
        let before = s.weights().expect("weights");
        s.step(1000).expect("steps");
        let after = s.weights().expect("weights");
        let pairs = after[0].values[0].iter().zip(&before[0].values[0]);
        pairs.map(|(a, b)| a - b).collect::<Vec<f64>>()
    };
    let (float, fixed) = (change(Arithmetic::F32), change(Arithmetic::Fixed));
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let size: Vec<f64> = float.iter().map(|x| x.abs()).collect();
    let apart = (mean(&fixed) - mean(&float)).abs();
    assert!(
        apart < 1e-4 * mean(&size),
        "{} and {} of {}",
        mean(&float),
        mean(&fixed),
        mean(&size)
    );
}

fn has_adapter() -> bool {
    let some = !adapters().is_empty();
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(some || !ci, "no GPU adapter: install mesa-vulkan-drivers");
    some
}

/// Two-sample Kolmogorov-Smirnov: the largest distance of the distributions, and what it may be at p = 0.01.
fn distance(a: &[f64], b: &[f64]) -> (f64, f64) {
    let below = |list: &[f64], x: f64| list.iter().filter(|y| **y <= x).count() as f64;
    let (n, m) = (a.len() as f64, b.len() as f64);
    let all = a.iter().chain(b);
    let far = all.map(|&x| (below(a, x) / n - below(b, x) / m).abs());
    (far.fold(0.0, f64::max), 1.63 * ((n + m) / (n * m)).sqrt())
}

/// STDP drives the weights apart on both engines: in integers with the same bits, in floats to the same distribution.
#[test]
fn both_engines_learn_the_same_weights() {
    if !has_adapter() {
        return;
    }
    let learnt = |choice, arithmetic| {
        let mut s = open_on("stdp_bimodal.syn", choice, arithmetic);
        let before = s.weights().expect("weights");
        s.step(600).expect("steps");
        let after = s.weights().expect("weights");
        assert_ne!(before, after);
        (s.spikes(), after)
    };
    let fixed = [Choice::Cpu, Choice::Gpu].map(|c| learnt(c, Arithmetic::Fixed));
    assert_eq!(fixed[0], fixed[1]);
    let floats = [Choice::Cpu, Choice::Gpu].map(|c| learnt(c, Arithmetic::F32).1);
    let [a, b] = [&floats[0][0].values[0], &floats[1][0].values[0]];
    let (found, allowed) = distance(a, b);
    assert!(found < allowed, "{found}, allowed {allowed}");
}

/// Rewards reach synapses on a GPU as they do on the processor: the same choices, weights within rounding.
#[test]
fn the_bandit_plays_alike_on_both_engines() {
    if !has_adapter() {
        return;
    }
    let play = |choice| {
        let mut agent = open_on("bandit.syn", choice, Arithmetic::F32);
        let mut expected = 0.5;
        let arms: Vec<usize> = (0..12)
            .map(|n| trial(&mut agent, n, &mut expected))
            .collect();
        (arms, agent.weights().expect("weights"))
    };
    let [(arms, a), (other, b)] = [Choice::Cpu, Choice::Gpu].map(play);
    let same = arms.iter().zip(&other).filter(|x| x.0 == x.1).count();
    assert!(same >= 10, "{arms:?}, {other:?}");
    let pairs = a[0].values[0].iter().zip(&b[0].values[0]);
    let most = pairs
        .map(|(x, y)| (x - y).abs() / x.abs().max(1e-3))
        .fold(0.0, f64::max);
    assert!(same < 12 || most < 1e-3, "{most}");
}
