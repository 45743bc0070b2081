//! `bench mapping`: the keys that scripts rely on, equal results every time, and clear refusals.

use serde_json::Value;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synfire"))
        .args(["bench", "mapping"])
        .args(args)
        .args(["--format", "json"])
        .env_remove("RUST_LOG")
        .output()
        .expect("the binary runs")
}

fn json(args: &[&str]) -> Value {
    let out = run(args);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).expect("one JSON document")
}

#[test]
fn promised_keys_and_the_same_every_time() {
    let args = ["grid4k-shuf", "--opt", "1"];
    let v = json(&args);
    for key in [
        "remote",
        "cutnet",
        "soed",
        "cut_synapses",
        "cores_used",
        "util_n",
        "reuse_mean",
        "reuse_geo",
        "axon_entries",
        "energy_paper",
        "energy_jincode",
        "lat_avg_w",
        "lat_avg_jin",
        "lat_max_jin",
        "lat_max",
        "hops",
        "hops_avg",
        "hops_max",
        "cong_link_avg",
        "cong_link_max",
        "cong_core_avg",
        "cong_core_max",
        "mc_hops",
        "mc_energy",
        "mc_link_max",
        "mc_link_avg",
        "time_s",
        "cpu_s",
        "peak_mb",
        "threads",
        "neurons",
        "synapses",
        "hyperedges",
        "net",
        "target",
        "seed",
        "valid",
    ] {
        assert!(!v[key].is_null(), "no {key}");
    }
    assert_eq!(v["valid"], true);
    assert_eq!(v["cores_used"], 16);
    assert!(
        v["remote"].as_f64().is_some_and(|r| r <= 5_600.0),
        "{}",
        v["remote"]
    );
    let again = json(&args);
    for key in ["remote", "hops", "mc_hops", "cong_link_max"] {
        assert_eq!(v[key], again[key], "{key}");
    }
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    for (args, status, code) in [
        (&["brain", "--opt", "0"][..], 2, "SYN0650"),
        (&["cnn:4,4", "--target=abacus"][..], 2, "SYN0651"),
        (&["cnn:9,9", "--target=jin-8"][..], 3, "SYN0652"),
        (&["lenet5-28", "--target=truenorth-64"][..], 3, "SYN0652"),
    ] {
        let out = run(args);
        assert_eq!(out.status.code(), Some(status), "{args:?}");
        assert!(
            String::from_utf8_lossy(&out.stdout).contains(code),
            "{args:?}"
        );
    }
}
