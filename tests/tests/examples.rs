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

/// A network that learns, compiled and run from its artefact on both engines: weights of the network and of the chip on both engines as saved files, and what `compare` says.
fn learnt_on(net: &str, input: &str, steps: &str, target: &str) -> ([Vec<u8>; 3], String) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(root().join("examples"), dir.path().join("examples"))
        .expect("a link");
    let told = |args: &[&str]| {
        let out = run(dir.path(), args);
        assert!(
            out.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    told(&["compile", net, "--target", target, "-o", "chip.synx"]);
    let learn = |what: &str, engine: &str| {
        told(&[
            "run",
            what,
            "--input",
            input,
            "--steps",
            steps,
            "--engine",
            engine,
            "--save-weights",
            "w.npz",
        ]);
        std::fs::read(dir.path().join("w.npz")).expect("the weights were saved")
    };
    let compared = told(&[
        "compare", net, "--target", target, "--input", input, "--steps", steps,
    ]);
    let weights = [
        learn(net, "cpu"),
        learn("chip.synx", "cpu"),
        learn("chip.synx", "gpu"),
    ];
    (weights, compared)
}

#[test]
fn two_patterns_are_learnt_on_the_chip() {
    let (net, input) = ("examples/sdsp.syn", "examples/sdsp.csv");
    let ([ideal, cpu, gpu], compared) = learnt_on(net, input, "400", "odin");
    assert!(
        compared.contains("The two runs are identical"),
        "{compared}"
    );
    assert_eq!(ideal, cpu);
    assert_eq!(cpu, gpu);
    let all = synfire_runtime::spikes::weights::read("w.npz", &cpu).expect("it was just written");
    for (k, w) in all[0].values[0].iter().enumerate() {
        let own = (all[0].source[k] / 4) == all[0].target[k];
        assert_eq!(*w, if own { 7.0 } else { 0.0 });
    }
}

#[test]
fn what_comes_before_a_spike_wins_on_the_chip() {
    let (net, input) = ("examples/products.syn", "examples/products.csv");
    let (all, _) = learnt_on(net, input, "2000", "loihi:lava");
    assert_eq!(all[1], all[2]);
    for bytes in &all[..2] {
        let all =
            synfire_runtime::spikes::weights::read("w.npz", bytes).expect("it was just written");
        for (k, w) in all[0].values[0].iter().enumerate() {
            let before = (all[0].source[k] / 4) == all[0].target[k];
            assert!(
                if before { *w > 0.2 } else { *w < 0.05 },
                "synapse {k}: {w}"
            );
        }
    }
}
