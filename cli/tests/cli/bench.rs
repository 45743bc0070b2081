//! `bench sim`: the keys that scripts rely on, and networks that are what their definitions say.

use crate::place::Place;
use serde_json::Value;
use std::path::Path;

fn json(args: &[&str]) -> Value {
    Place::new(&args.join("-").replace(['/', ':'], "-")).json(args)
}

fn network(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/bench");
    root.join(name).display().to_string()
}

fn number(v: &Value, key: &str) -> f64 {
    v[key].as_f64().unwrap_or_else(|| panic!("no number {key}"))
}

#[test]
fn promised_keys() {
    let args = ["bench", "sim", "cuba", "--engine", "cpu"];
    let v = json(&[&args[..], &["--time", "50ms"]].concat());
    for key in [
        "setup_cpu_s",
        "sim_cpu_s",
        "events_per_cpu_s",
        "run_s",
        "peak_memory_bytes",
    ] {
        assert!(number(&v, key) > 0.0, "{key}");
    }
    assert_eq!(number(&v, "threads"), 1.0);
    assert_eq!(number(&v, "steps"), 500.0);
    assert_eq!(number(&v, "synapses"), 320_000.0);
    // What is measured follows the warm-up: the same run, continued.
    let late = json(&[&args[..], &["--warm", "0", "--time", "150ms"]].concat());
    assert_eq!(v["state_hash"], late["state_hash"]);
    assert!(v["spikes"].as_u64() < late["spikes"].as_u64());
    // Events: a spike reaches 80 targets on average.
    assert!((number(&v, "events") / number(&v, "spikes") - 80.0).abs() < 1e-6);
}

#[test]
fn threads_change_nothing() {
    let of = |threads| {
        json(&[
            "bench",
            "sim",
            "microcircuit:0.02,0.02",
            "--time",
            "20ms",
            "--engine",
            "cpu",
            "--threads",
            threads,
        ])["state_hash"]
            .clone()
    };
    assert_eq!(of("1"), of("2"));
}

/// The microcircuit's counts: 77,169 neurons, and as many synapses as the published probabilities give.
#[test]
fn the_microcircuit_has_its_published_size() {
    let file = network("microcircuit.syn");
    for (scales, neurons, recurrent) in [
        (["n=1", "k=1"], 77_169.0, 298_880_968.0),
        (["n=0.1", "k=0.1"], 7_717.0, 2_988_807.0),
        (["n=0.1", "k=1"], 7_717.0, 29_888_097.0),
    ] {
        let v = json(&["check", &file, "--set", scales[0], "--set", scales[1]]);
        assert_eq!(number(&v, "neurons"), neurons);
        // Beside the recurrent synapses each neuron has one from its drive.
        assert_eq!(number(&v, "synapses"), recurrent + neurons, "{scales:?}");
    }
}

/// The mean recurrent input that the file states, from its own tables and the published rates.
#[test]
fn the_microcircuits_compensation_follows_from_its_tables() {
    let text = std::fs::read_to_string(network("microcircuit.syn")).expect("the file");
    let list = |from: &str| -> Vec<f64> {
        let start = text.find(from).expect(from) + from.len();
        let end = start + text[start..].find("let ").expect("another let");
        text[start..end]
            .lines()
            .filter(|l| !l.trim_start().starts_with('#'))
            .flat_map(|l| l.split(['[', ']', ',', ' ']))
            .filter_map(|w| w.parse().ok())
            .collect()
    };
    let (size, p, stated) = (list("let full ="), list("let p ="), list("let recurrent ="));
    assert_eq!((size.len(), p.len(), stated.len()), (8, 64, 8));
    let rate = [0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829];
    for t in 0..8 {
        let from = |s: usize| {
            let synapses = (1.0 - p[8 * t + s]).ln() / (1.0 - 1.0 / (size[s] * size[t])).ln();
            let weight = match (t, s) {
                (0, 2) => 2.0,
                _ if s.is_multiple_of(2) => 1.0,
                _ => -4.0,
            };
            rate[s] * synapses / size[t] * weight
        };
        let sum: f64 = (0..8).map(from).sum();
        assert!((sum / stated[t] - 1.0).abs() < 1e-9, "{sum} {}", stated[t]);
    }
}

/// `bench chip`: the contract's keys; a batch of one sample is the run itself, and what runs is the chip.
#[test]
fn chips_are_timed() {
    let args = ["bench", "chip", "xylo-audio2", "--steps", "50"];
    let v = json(&args);
    for key in [
        "steps_per_cpu_s",
        "events_per_cpu_s",
        "sim_cpu_s",
        "samples_per_s",
    ] {
        assert!(number(&v, key) > 0.0, "{key}");
    }
    assert_eq!((number(&v, "steps"), number(&v, "batch")), (50.0, 1.0));
    assert_eq!(v["chip"], "xylo-audio2:core2");
    let networks = v["networks"].as_array().expect("a list");
    assert_eq!(networks.len(), 4);
    assert_eq!(networks[0]["state_hash"], v["state_hash"]);
    let one = ["--net", "threshold-940", "--all"];
    let recorded = json(&[&args[..], &one].concat());
    assert_eq!(
        recorded["state_hash"], v["state_hash"],
        "recording changes nothing"
    );
    let batch = json(
        &[
            &args[..],
            &["--net", "threshold-940", "--batch", "3", "--threads", "2"],
        ]
        .concat(),
    );
    assert!(number(&batch, "synaptic_events") > 2.0 * number(&v, "synaptic_events"));
}

/// Final state of a benchmark network at test size.
fn hash(net: &str, engine: &str, arithmetic: &str, threads: &str) -> String {
    let how = ["--engine", engine, "--arithmetic", arithmetic];
    let run = [
        "bench",
        "sim",
        net,
        "--threads",
        threads,
        "--time",
        "20ms",
        "--warm",
        "0",
    ];
    let v = json(&[&run[..], &how[..]].concat());
    v["state_hash"].as_str().expect("a hash").to_string()
}

/// Integer arithmetic gives the same bits on one thread, on two, and on a GPU.
#[test]
fn networks_in_integers_are_equal_on_all_engines() {
    for net in [
        "cuba:0.1",
        "coba:0.1",
        "brunel:0.05",
        "brunel-stdp:0.05",
        "microcircuit:0.01,0.02",
    ] {
        let one = hash(net, "cpu", "fixed", "1");
        assert_eq!(hash(net, "cpu", "fixed", "2"), one, "{net}, two threads");
        assert_eq!(hash(net, "gpu", "fixed", "1"), one, "{net}, GPU");
    }
}

/// Sums of floats have one order, however many threads add.
#[test]
fn networks_in_floats_are_equal_on_any_threads() {
    for net in [
        "cuba:0.1",
        "coba:0.1",
        "brunel:0.05",
        "brunel-stdp:0.05",
        "microcircuit:0.05,0.1",
    ] {
        let one = hash(net, "cpu", "f32", "1");
        assert_eq!(hash(net, "cpu", "f32", "2"), one, "{net}");
    }
}

/// What `check` says of memory, against the peak of a short run. On smaller networks the process itself is most of it.
#[test]
fn memory_is_predicted() {
    for (net, file, set) in [
        ("brunel", "brunel.syn", &["scale=1"][..]),
        ("brunel-stdp", "brunel_stdp.syn", &["scale=1"]),
        ("brunel-stdp:0.5", "brunel_stdp.syn", &["scale=0.5"]),
        (
            "microcircuit:0.1,0.1",
            "microcircuit.syn",
            &["n=0.1", "k=0.1"],
        ),
    ] {
        let file = network(file);
        let mut check = vec!["check", file.as_str()];
        set.iter().for_each(|s| check.extend(["--set", s]));
        let said = number(&json(&check), "memory_bytes");
        let run = [
            "bench", "sim", net, "--time", "5ms", "--warm", "0", "--engine", "cpu",
        ];
        let peak = number(&json(&run), "peak_memory_bytes");
        let off = said / peak - 1.0;
        assert!(off.abs() < 0.05, "{net}: {said} predicted, {peak} measured");
    }
}
