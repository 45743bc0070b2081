//! The examples do what their page says.

use serde_json::Value;
use synfire_tests::binary::{root, run};

fn run_json(args: &[&str]) -> Value {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(root().join("examples"), dir.path().join("examples"))
        .expect("a link");
    let mut all = vec!["run"];
    all.extend(args);
    all.extend(["--format", "json"]);
    let out = run(dir.path(), &all);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    serde_json::from_slice(&out.stdout).expect("one JSON document")
}

fn population<'a>(v: &'a Value, name: &str) -> &'a Value {
    let list = v["populations"].as_array().expect("populations");
    list.iter()
        .find(|p| p["name"] == name)
        .unwrap_or_else(|| panic!("no population {name}"))
}

/// Vogels & Abbott's network fires irregularly near 5.5 Hz (NEST and Brian2: 5.1 to 5.7 Hz).
#[test]
fn balanced_ei() {
    let v = run_json(&[
        "examples/balanced_ei.syn",
        "--time",
        "500ms",
        "--engine",
        "cpu",
    ]);
    for pop in ["exc", "inh"] {
        let rate = population(&v, pop)["rate_hz"].as_f64().expect("a rate");
        assert!((4.0..8.0).contains(&rate), "{pop} fires at {rate} Hz");
    }
}

#[test]
fn coincidence() {
    let v = run_json(&["examples/coincidence.syn", "--engine", "cpu"]);
    assert!(v["spikes"].as_u64().expect("a count") > 100);
}

#[test]
fn adder_adds_five_and_eleven() {
    let v = run_json(&[
        "examples/adder.syn",
        "--input",
        "examples/adder_one_sum.csv",
        "--steps",
        "8",
        "--engine",
        "cpu",
    ]);
    // 5 + 11 = 16: bit 4 alone.
    assert_eq!(population(&v, "sum")["spikes"], 1);
}

/// After two generations the glider has turned; after four it is back, one cell further along the diagonal.
#[test]
fn a_glider_glides() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(root().join("examples"), dir.path().join("examples"))
        .expect("a link");
    let (net, input) = ("examples/life.syn", "examples/life_glider.csv");
    let all = [
        "run", net, "--input", input, "--steps", "10", "--record", "-", "--engine", "cpu",
    ];
    let out = run(dir.path(), &all);
    let text = String::from_utf8_lossy(&out.stdout);
    let cells = |step: u32| -> Vec<u32> {
        let of = text
            .lines()
            .filter_map(|l| l.strip_prefix(&format!("{step},alive,")));
        of.filter_map(|n| n.parse().ok()).collect()
    };
    let moved: Vec<u32> = cells(1).iter().map(|c| c + 33).collect();
    assert_eq!(cells(1).len(), 5);
    assert_eq!(cells(9), moved);
}

/// Spikes per spiking node as the reference runs have them.
#[test]
fn networks_trained_elsewhere() {
    let v = run_json(&[
        "examples/nir/braille_noDelay_bias_zero.nir",
        "--dt",
        "0.1ms",
        "--steps",
        "256",
        "--input",
        "examples/nir/braille_input.csv",
        "--engine",
        "cpu",
    ]);
    assert_eq!(
        (
            population(&v, "lif1.lif")["spikes"].as_u64(),
            population(&v, "lif2")["spikes"].as_u64()
        ),
        (Some(189), Some(717))
    );
    let v = run_json(&[
        "examples/nir/cnn_sinabs.nir",
        "--dt",
        "0.1ms",
        "--steps",
        "20",
        "--input",
        "examples/nir/cnn_input.csv",
        "--engine",
        "cpu",
    ]);
    assert_eq!(population(&v, "3")["spikes"], 2542);
    let v = run_json(&[
        "examples/nir/lif_norse.nir",
        "--dt",
        "0.1ms",
        "--steps",
        "400",
        "--input",
        "examples/nir/lif_input.csv",
        "--engine",
        "cpu",
    ]);
    assert_eq!(population(&v, "1")["spikes"], 30);
}
