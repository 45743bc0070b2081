//! The command line as scripts see it: exit statuses, streams, files, JSON keys.

use crate::place::Place;
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Two layers; every input spike is relayed, every second time twice.
const NET: &str = "\
network Relay {
  step 1 ms
  source x: events[4]
  pop a: std.neurons.If[4] { v_th = 0.5 }
  pop b: std.neurons.If[2] { v_th = 1.5 }
  connect x -> a.i : one_to_one { weight = 1 }
  connect a -> b.i : all_to_all { weight = 1 }
  record a.spikes
  record b.spikes
}
";

const SPIKES: &str = "step,population,neuron\n0,x,0\n0,x,1\n3,x,2\n5,x,3\n5,x,0\n";

/// A folder that holds the network and its input.
fn relay(name: &str) -> Place {
    let place = Place::new(name);
    let net = NET.replace("std.neurons.If", "neurons.If");
    place.write("net.syn", &format!("use std.neurons\n{net}"));
    place.write("in.csv", SPIKES);
    place
}

#[test]
fn run_has_the_promised_keys() {
    let p = relay("keys");
    let v = p.json(&[
        "run", "net.syn", "--input", "in.csv", "--steps", "8", "--seed", "7",
    ]);
    for key in [
        "engine",
        "arithmetic",
        "steps",
        "dt_ms",
        "seed",
        "build_s",
        "run_s",
        "real_time_factor",
        "spikes",
        "synaptic_events",
        "peak_memory_bytes",
    ] {
        assert!(
            !v[key].is_null() || key == "peak_memory_bytes",
            "{key} is missing in {v}"
        );
    }
    assert_eq!(
        (&v["steps"], &v["seed"], &v["dt_ms"]),
        (&8.into(), &7.into(), &1.0.into())
    );
    let names: Vec<_> = v["populations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|p| p["name"].as_str())
        .collect();
    assert_eq!(names, [Some("x"), Some("a"), Some("b")]);
    assert_eq!(v["populations"][1]["spikes"], 5);
    assert_eq!(v["populations"][1]["rate_hz"], 5.0 / 4.0 / 0.008);
}

#[test]
fn the_length_of_a_run() {
    let p = relay("length");
    let steps = |args: &[&str]| p.json(&[&["run", "net.syn"], args].concat())["steps"].as_u64();
    assert_eq!(steps(&[]), Some(1000));
    assert_eq!(steps(&["--input", "in.csv"]), Some(6));
    assert_eq!(steps(&["--input", "in.csv", "--time", "20ms"]), Some(20));
    p.expect(2, &["run", "net.syn", "--time", "20"]);
    p.expect(2, &["run", "net.syn", "--time", "20ms", "--steps", "3"]);
    p.expect(2, &["run", "net.syn", "--time", "1ns"]);
}

#[test]
fn records_are_canonical_and_can_be_read_back() {
    let p = relay("record");
    p.expect(
        0,
        &[
            "run", "net.syn", "--input", "in.csv", "--record", "a.csv", "--record", "a.npz",
        ],
    );
    let csv = p.read("a.csv");
    assert!(
        csv.starts_with("step,population,neuron\n0,a,0\n0,a,1\n0,b,0\n0,b,1\n3,a,2\n"),
        "{csv}"
    );
    assert_eq!(
        p.expect(0, &["run", "net.syn", "--input", "in.csv", "--record", "-"]),
        csv
    );
    p.expect(
        0,
        &[
            "run",
            "net.syn",
            "--input",
            "in.csv",
            "--record",
            "b.npz",
            "--threads",
            "1",
        ],
    );
    let bytes = |n: &str| fs::read(p.0.join(n)).expect("written");
    assert_eq!(bytes("a.npz"), bytes("b.npz"));
    assert!(
        !p.names().iter().any(|n| n.ends_with(".tmp")),
        "{:?}",
        p.names()
    );
}

#[test]
fn a_batch_carries_its_samples() {
    let p = relay("batch");
    p.write(
        "batch.csv",
        "sample,step,population,neuron\n0,0,x,0\n1,2,x,3\n",
    );
    let v = p.json(&[
        "run",
        "net.syn",
        "--input",
        "batch.csv",
        "--record",
        "out.csv",
    ]);
    assert_eq!(v["batch"], 2);
    assert_eq!(
        p.read("out.csv"),
        "sample,step,population,neuron\n0,0,a,0\n1,2,a,3\n"
    );
}

#[test]
fn an_artefact_runs_as_its_network_does() {
    let p = relay("artefact");
    let v = p.json(&["compile", "net.syn", "--target", "ranc", "-o", "net.synx"]);
    for key in [
        "target",
        "neurons",
        "synapses",
        "cores_used",
        "cores_available",
        "chips",
        "utilisation",
        "metrics",
        "quantisation",
        "passes",
        "compile_s",
        "artefact_bytes",
    ] {
        assert!(!v[key].is_null(), "{key} is missing in {v}");
    }
    let first = fs::read(p.0.join("net.synx")).expect("an artefact");
    p.expect(
        0,
        &["compile", "net.syn", "--target", "ranc", "-o", "net.synx"],
    );
    assert_eq!(first, fs::read(p.0.join("net.synx")).expect("an artefact"));
    p.expect(
        0,
        &[
            "run",
            "net.syn",
            "--input",
            "in.csv",
            "--record",
            "ideal.csv",
        ],
    );
    p.expect(
        0,
        &[
            "run", "net.synx", "--input", "in.csv", "--record", "chip.csv",
        ],
    );
    assert_eq!(p.read("ideal.csv"), p.read("chip.csv"));
    let c = p.json(&[
        "compare", "net.syn", "--target", "ranc", "--input", "in.csv",
    ]);
    assert_eq!(
        (&c["identical"], &c["agreement"]),
        (&true.into(), &1.0.into())
    );
    let i = p.json(&["inspect", "net.synx", "--extract", "native"]);
    for name in i["extracted"].as_array().expect("names") {
        assert!(
            p.0.join("native")
                .join(name.as_str().expect("a name"))
                .is_file()
        );
    }
}

/// Two populations, the last of which is recorded: `--inside` adds the first, and no spike of it is other than the network's.
#[test]
fn compare_shows_what_nothing_records() {
    let p = Place::new("inside");
    p.write("net.syn", "use std.neurons.If\nnetwork Chain {\n  step 1 ms\n  source x: events[2]\n  pop a: If[2] { v_th = 0.5 }\n  pop b: If[2] { v_th = 1.5 }\n  connect x -> a.i : one_to_one { weight = 1, delay = 1 ms }\n  connect a -> b.i : one_to_one { weight = 1, delay = 1 ms }\n  record b.spikes\n}\n");
    p.write("in.csv", "step,population,neuron\n0,x,0\n1,x,0\n2,x,1\n");
    let of = |inside: &[&str]| {
        let plain = [
            "compare", "net.syn", "--target", "ranc", "--input", "in.csv", "--steps", "9",
        ];
        let v = p.json(&[&plain[..], inside].concat());
        assert_eq!(v["identical"], true, "{v}");
        let all = v["populations"].as_array().expect("populations").clone();
        let one = |r: &serde_json::Value| {
            (
                r["name"].as_str().map(str::to_string),
                r["spikes_chip"].as_u64(),
            )
        };
        all.iter().map(one).collect::<Vec<_>>()
    };
    let row = |name: &str, spikes| (Some(name.to_string()), Some(spikes));
    assert_eq!(of(&[]), [row("b", 1)]);
    assert_eq!(of(&["--inside"]), [row("a", 3), row("b", 1)]);
}

#[test]
fn damaged_artefacts_are_refused() {
    let p = relay("damaged");
    p.expect(
        0,
        &["compile", "net.syn", "--target", "ranc", "-o", "net.synx"],
    );
    let whole = fs::read(p.0.join("net.synx")).expect("an artefact");
    for k in 0..24 {
        let mut bad = whole.clone();
        let at = k * whole.len() / 24;
        bad[at] ^= 0x10;
        fs::write(p.0.join("bad.synx"), &bad).expect("writable");
        p.expect(1, &["run", "bad.synx"]);
        fs::write(p.0.join("bad.synx"), &whole[..at]).expect("writable");
        p.expect(1, &["inspect", "bad.synx"]);
    }
}

#[test]
fn exit_statuses() {
    let p = relay("status");
    p.write("wrong.syn", "network A {\n  step 1 mV\n}\n");
    p.write("bad.csv", "step,population,neuron\n0,xx,0\n1,x,9\n");
    p.expect(1, &["check", "wrong.syn"]);
    p.expect(1, &["run", "net.syn", "--input", "bad.csv"]);
    p.expect(2, &["run"]);
    p.expect(2, &["compile", "net.syn", "--target", "rank"]);
    p.expect(2, &["run", "net.syn", "--no-such-option"]);
    p.expect(4, &["check", "nowhere.syn"]);
    p.expect(4, &["run", "net.syn", "--record", "no/such/folder/a.csv"]);
    p.write("huge.syn", "use std.neurons.If\nnetwork Huge {\n  step 1 ms\n  source x: events[300]\n  pop a: If[2]\n  connect x -> a.i : all_to_all { weight = 1 }\n  record a.spikes\n}\n");
    let v: Value = serde_json::from_str(&p.expect(
        3,
        &[
            "compile", "huge.syn", "--target", "ranc", "--format", "json",
        ],
    ))
    .expect("JSON");
    assert_eq!(
        (&v["exit_status"], &v["diagnostics"][0]["class"]),
        (&3.into(), &"fit".into())
    );
    assert!(!p.0.join("huge.synx").exists());
}

#[test]
fn errors_go_to_standard_error_and_name_their_place() {
    let p = relay("errors");
    p.write("bad.csv", "step,population,neuron\n0,aa,0\n1,x,9\n1,a,0\n");
    let out = p.run(&["run", "net.syn", "--input", "bad.csv"]);
    let text = String::from_utf8_lossy(&out.stderr);
    assert!(out.stdout.is_empty());
    for part in [
        "SYN0903",
        "bad.csv:2",
        "SYN0904",
        "bad.csv:3",
        "SYN0905",
        "bad.csv:4",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(
        !text.contains('\x1b') && text.lines().all(|l| l.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn signals_do_not_go_into_csv() {
    let p = relay("signals");
    p.write("v.syn", "use std.neurons.Lif\nnetwork V {\n  step 1 ms\n  source x: events[2]\n  pop a: Lif[2]\n  connect x -> a.i : one_to_one { weight = 3 }\n  record a.v\n  record a.spikes\n}\n");
    p.write("x.csv", "step,population,neuron\n1,x,0\n4,x,1\n");
    let out = p.run(&["run", "v.syn", "--input", "x.csv", "--record", "a.csv"]);
    assert!(out.status.code() != Some(0) && String::from_utf8_lossy(&out.stderr).contains(".npz"));
    p.expect(
        0,
        &["run", "v.syn", "--input", "x.csv", "--record", "a.npz"],
    );
    p.expect(
        0,
        &[
            "run", "v.syn", "--input", "x.csv", "--record", "a.csv", "--record", "a.npz",
            "--report", "a.html",
        ],
    );
    assert!(p.read("a.html").contains("traceplots"));
}

#[test]
fn standard_input_and_pipes() {
    let p = relay("pipes");
    let feed = |args: &[&str], text: &str| {
        let mut child = p
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        child
            .stdin
            .take()
            .expect("piped")
            .write_all(text.as_bytes())
            .expect("read");
        child.wait_with_output().expect("ends")
    };
    let out = feed(&["run", "net.syn", "--input", "-", "--record", "-"], SPIKES);
    assert!(out.status.success() && String::from_utf8_lossy(&out.stdout).starts_with("step,"));
    let out = feed(&["check", "-", "--format", "json"], &p.read("net.syn"));
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    p.expect(2, &["run", "-", "--input", "-"]);
    // A reader that goes away is no panic.
    let mut child = p
        .command(&["targets", "ranc"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let status = child.wait().expect("ends");
    let mut errors = String::new();
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut errors)
        .expect("text");
    assert!(status.success() && !errors.contains("bug"), "{errors}");
}

#[test]
fn formatting() {
    let p = relay("fmt");
    p.write("ugly.syn", "network   A{step 1 ms}");
    p.expect(1, &["fmt", "--check", "ugly.syn"]);
    p.expect(0, &["fmt", "ugly.syn"]);
    p.expect(0, &["fmt", "--check", "ugly.syn"]);
    p.write("wrong.syn", "network {");
    p.expect(1, &["fmt", "wrong.syn"]);
    assert_eq!(p.read("wrong.syn"), "network {");
}

#[test]
fn small_commands() {
    let p = relay("small");
    assert!(p.expect(0, &["targets"]).contains("ranc"));
    assert_eq!(p.json(&["targets", "ranc:rtl"])["dialect"], "rtl");
    assert!(p.expect(0, &["completions", "bash"]).contains("synfire"));
    assert!(
        p.expect(0, &["help", "std.neurons.If"])
            .contains("neuron If")
    );
    assert!(p.expect(0, &["help", "run"]).contains("--record"));
    assert!(p.expect(0, &["explain", "syn0903"]).contains("SYN0903"));
    p.expect(2, &["explain", "E0001"]);
    assert!(p.json(&["devices"])["adapters"].is_array());
    let v = p.json(&["check", "net.syn", "--target", "all"]);
    assert_eq!(
        (
            &v["neurons"],
            v["targets"].as_array().is_some_and(|t| !t.is_empty())
        ),
        (&6.into(), true)
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_whole_files() {
    let p = relay("interrupt");
    p.write("out.csv", "old");
    let args = [
        "run",
        "net.syn",
        "--steps",
        "4000000000",
        "--engine",
        "cpu",
        "--record",
        "out.csv",
    ];
    let mut child = p
        .command(&args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    // What was recorded until then, which is nothing here, in place of the old file.
    assert_eq!(p.read("out.csv"), "step,population,neuron\n");
    assert!(
        !p.names().iter().any(|n| n.ends_with(".tmp")),
        "{:?}",
        p.names()
    );
}

#[test]
fn reports_load_nothing_from_elsewhere() {
    let p = relay("report");
    p.expect(
        0,
        &[
            "compile", "net.syn", "--target", "ranc", "-o", "net.synx", "--report", "map.html",
        ],
    );
    p.expect(
        0,
        &[
            "run", "net.synx", "--input", "in.csv", "--report", "run.html",
        ],
    );
    for name in ["map.html", "run.html"] {
        let page = p.read(name);
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for outside in ["src=", "href=", "@import", "url(http", "//cdn"] {
            assert!(!page.contains(outside), "{name} has {outside}");
        }
    }
    assert!(
        Path::new(&p.0.join("run.html"))
            .metadata()
            .expect("there")
            .len()
            < 200_000
    );
}
