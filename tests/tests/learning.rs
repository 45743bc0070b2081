//! Networks that learn, from the text to weights: what the examples promise.

use serde_json::Value;
use synfire_compiler::frontend;
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_ir::rng;
use synfire_runtime::session::{Choice, Plan, Session};
use synfire_tests::binary::{root, run};

fn open(file: &str) -> Session {
    let path = root().join("examples").join(file);
    let text = std::fs::read(&path).expect("an example");
    let options = frontend::LoadOptions::default();
    let loaded = frontend::load(file, &text, &frontend::NoFiles, &options);
    let net = loaded.network.unwrap_or_else(|d| panic!("{d}"));
    let sources: Vec<bool> = net.populations().map(|p| p.1.is_source).collect();
    let made = ideal::lower(&net, &IdealOptions::default()).unwrap_or_else(|d| panic!("{d}"));
    let plan = Plan::ideal(made.program, &sources, made.feeds, made.scales);
    plan.open(Choice::Cpu, 1, 1)
        .unwrap_or_else(|d| panic!("{d}"))
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
        let list: Vec<f64> = of.map(|x| *x.1 as f64).collect();
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
    let dir = tempfile::tempdir().expect("a temporary folder");
    let net = root().join("examples/stdp_bimodal.syn");
    let net = net.to_str().expect("a path");
    let go = |extra: &[&str]| {
        let common = ["run", net, "--engine", "cpu", "--format", "json"];
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
