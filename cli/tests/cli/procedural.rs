//! Synapses that are drawn at each event: the same results as stored ones, in less memory.

use crate::place::Place;
use serde_json::Value;

/// Noise-driven neurons whose spikes reach 300 others; 600,000 synapses of one delay and 300,000 of many.
const NET: &str = "\
use std.neurons.LifDelta

network Sent {
  step 0.1 ms
  pop e: LifDelta[2000] { v ~ uniform(0 mV, 20 mV) }
  source noise: poisson[2000] { rate = 16 kHz }
  connect noise -> e.kick : one_to_one { weight = 0.1 mV }
  connect near: e -> e.kick : fixed_outdegree(300, self = false) { weight = -0.1 mV, delay = 1.5 ms }
  connect far: e -> e.kick : fixed_outdegree(150) { weight ~ normal_clipped(0.1 mV, 0.02 mV, 0.01 mV, 1 mV), delay ~ uniform(1 ms, 3 ms) }
  connect drawn: e -> e.kick : fixed_indegree(50) { weight = 0.1 mV, delay = 1.5 ms }
  connect all: e -> e.kick : all_to_all(self = false) { weight = -0.01 mV, delay = 2 ms }
  record e.spikes
}
";

fn run(p: &Place, more: &[&str]) -> Value {
    let always = ["run", "net.syn", "--time", "60ms", "--hash-every", "200"];
    p.json(&[&always[..], more].concat())
}

#[test]
fn drawn_synapses_are_the_stored_ones() {
    let p = Place::new("procedural");
    p.write("net.syn", NET);
    for arithmetic in ["f32", "fixed", "auto"] {
        let with = |synapses: &str, threads: &str| {
            let more = [
                "--engine",
                "cpu",
                "--arithmetic",
                arithmetic,
                "--synapses",
                synapses,
                "--threads",
                threads,
            ];
            let v = run(&p, &more);
            assert!(v["spikes"].as_u64() > Some(1000), "{v}");
            (v["hashes"].clone(), v["spikes"].clone())
        };
        let stored = with("stored", "1");
        assert!(
            stored.0.as_array().is_some_and(|h| h.len() == 3),
            "{stored:?}"
        );
        for threads in ["1", "2"] {
            assert_eq!(with("procedural", threads), stored, "{arithmetic}");
        }
    }
}

#[test]
fn the_form_is_told_with_its_reason() {
    let p = Place::new("procedural-check");
    p.write("net.syn", NET);
    let of = |more: &[&str]| {
        let v = p.json(&[&["check", "net.syn"][..], more].concat());
        let form = |name: &str| {
            let all = v["projections"].as_array().expect("projections");
            let found = all.iter().find(|x| x["name"] == name);
            let of = |key: &str| {
                found
                    .and_then(|x| x[key].as_str())
                    .unwrap_or("-")
                    .to_string()
            };
            (of("form"), of("reason"))
        };
        let memory = v["memory_bytes"].as_f64().expect("a prediction");
        (memory, ["near", "far", "drawn", "all"].map(form))
    };
    let (much, stored) = of(&[]);
    let (little, drawn) = of(&["--synapses", "procedural"]);
    let forms = |all: &[(String, String)]| all.iter().map(|f| f.0.clone()).collect::<Vec<_>>();
    assert_eq!(forms(&stored), ["rule", "rule", "rule", "complete"]);
    assert_eq!(
        forms(&drawn),
        ["procedural", "procedural", "rule", "complete"]
    );
    assert_eq!(drawn[2].1, "a fixed in-degree is drawn for each target");
    // 600,000 synapses of 2 bytes and 300,000 of 4.
    assert!(much - little > 2e6, "{much} and {little}");
    // Rows are drawn where stored ones are too much, and only there.
    let run = |synapses: &str, limit: &str, status: i32| {
        let args = [
            "run",
            "net.syn",
            "--engine",
            "cpu",
            "--time",
            "1ms",
            "--synapses",
            synapses,
            "--memory-limit",
            limit,
        ];
        let out = p.run(&args);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(status), "{told}");
        told
    };
    assert!(run("stored", "2500kB", 3).contains("SYN0846"));
    assert!(run("auto", "2500kB", 0).contains("SYN0847"));
    assert!(!run("auto", "100MB", 0).contains("SYN0847"));
}
