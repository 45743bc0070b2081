//! `eval` over a labelled batch, ideally and on chips; `check --target` and what it says of every chip.

use crate::place::Place;
use serde_json::Value;

/// Three classes: the neuron of the channel that spikes most often spikes most often.
const NET: &str = "use std.neurons.If
network Votes {
  step 1 ms
  source x: events[3]
  pop a: If[3] { v_th = 0.5 }
  connect x -> a : one_to_one { weight = 1 }
  record a.spikes
}
";

/// The same with more neurons to record than XyloAudio 2 has outputs.
fn wide() -> String {
    NET.replace("If[3]", "If[9]")
        .replace("one_to_one", "all_to_all")
}

/// Sample k votes three times for channel k and once for the next; the last sample is silent.
fn batch() -> String {
    let mut out = String::from("sample,step,population,neuron\n");
    for k in 0..3 {
        for step in [1, 4, 7] {
            out += &format!("{k},{step},x,{k}\n");
        }
        out += &format!("{k},9,x,{}\n", (k + 1) % 3);
    }
    out
}

fn place(name: &str) -> Place {
    let p = Place::new(name);
    p.write("net.syn", NET);
    p.write("in.csv", &batch());
    p.write("labels.csv", "sample,label\n0,0\n2,2\n1,1\n3,0\n");
    p
}

fn run<'a>(v: &'a Value, target: &str) -> &'a Value {
    let runs = v["runs"].as_array().expect("runs");
    let found = runs.iter().find(|r| r["target"] == target);
    found.unwrap_or_else(|| panic!("no run on {target}: {v}"))
}

#[test]
fn accuracy_ideally_and_on_chips() {
    let p = place("eval");
    let args = [
        "eval",
        "net.syn",
        "--input",
        "in.csv",
        "--labels",
        "labels.csv",
        "--engine",
        "cpu",
    ];
    let v = p.json(&[&args[..], &["--target", "all"]].concat());
    assert_eq!(
        (v["samples"].as_u64(), v["classes"].as_u64()),
        (Some(4), Some(3))
    );
    assert_eq!(v["output"], "a");
    let ideal = run(&v, "ideal");
    // Three of four: the silent sample is decided for nothing, which is wrong whatever its label.
    assert_eq!(ideal["accuracy"], 0.75);
    assert_eq!(
        (ideal["correct"].as_u64(), ideal["undecided"].as_u64()),
        (Some(3), Some(1))
    );
    let silent = ideal["confusion"]
        .as_array()
        .expect("pairs")
        .iter()
        .find(|c| c["decision"].is_null());
    assert_eq!(silent.map(|c| c["samples"].clone()), Some(1.into()));
    let chip = run(&v, "ranc:sim");
    assert_eq!(
        (chip["accuracy"].as_f64(), chip["agreement"].as_f64()),
        (Some(0.75), Some(1.0))
    );
    assert_eq!(chip["spike_agreement"], 1.0);
    assert!(chip["samples_per_s"].as_f64() > Some(0.0));
    let misfits = v["misfits"].as_array().expect("misfits");
    assert!(
        misfits
            .iter()
            .all(|m| !m["diagnostics"][0]["hints"][0].is_null()),
        "{misfits:?}"
    );
    // Labels decide what is right.
    p.write("labels.csv", "label,sample\n1,0\n1,1\n1,2\n1,3\n");
    let v = p.json(&args);
    assert_eq!(run(&v, "ideal")["accuracy"], 0.25);
    // An artefact runs as its chip.
    p.expect(
        0,
        &["compile", "net.syn", "--target", "ranc", "-o", "net.synx"],
    );
    let v = p.json(&[
        "eval",
        "net.synx",
        "--input",
        "in.csv",
        "--labels",
        "labels.csv",
    ]);
    assert_eq!(run(&v, "ranc:sim")["accuracy"], 0.25);
    let text = p.expect(0, &args);
    assert!(text.contains("ideal") && text.contains("25"), "{text}");
}

#[test]
fn labels_that_do_not_fit() {
    let p = place("labels");
    let said = |labels: &str, status: i32, more: &[&str]| {
        p.write("labels.csv", labels);
        let args = [
            "eval",
            "net.syn",
            "--input",
            "in.csv",
            "--labels",
            "labels.csv",
        ];
        let out = p.run(&[&args[..], more].concat());
        let text = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(status), "{text}");
        text
    };
    assert!(said("sample,label\n0,0\n1,1\n", 1, &[]).contains("SYN0916"));
    assert!(said("sample,label\n0,0\n1,1\n2,3\n3,0\n", 1, &[]).contains("has the label 3"));
    assert!(said("0,1\n", 1, &[]).contains("header"));
    let good = "sample,label\n0,0\n1,1\n2,2\n";
    assert!(said(good, 2, &["--output", "b"]).contains("recorded population"));
    p.write("net.syn", &wide());
    let text = said(good, 3, &["--target", "xylo-audio2"]);
    assert!(
        text.contains("SYN0634") && text.contains("9 neurons are recorded"),
        "{text}"
    );
}

#[test]
fn what_fits_where() {
    let p = place("fits");
    let v = p.json(&["check", "net.syn", "--target", "all"]);
    let all = v["targets"].as_array().expect("targets");
    let of = |name: &str| all.iter().find(|t| t["target"] == name).expect(name);
    let ranc = of("ranc:sim");
    assert_eq!(ranc["fits"], true);
    let resources = ranc["resources"].as_array().expect("resources");
    let neurons = resources
        .iter()
        .find(|r| r["resource"] == "neurons_per_core");
    let neurons = neurons.expect("a limit of ranc");
    assert_eq!(
        (neurons["used"].as_u64(), neurons["available"].as_u64()),
        (Some(3), Some(256))
    );
    assert_eq!(ranc["binds"], resources[0]);
    let shares: Vec<f64> = resources
        .iter()
        .filter_map(|r| r["share"].as_f64())
        .collect();
    assert!(shares.is_sorted_by(|a, b| a >= b) && shares.len() == resources.len());
    p.write("wide.syn", &wide());
    let v = p.json(&["check", "wide.syn", "--target", "all"]);
    let all = v["targets"].as_array().expect("targets");
    let xylo = all.iter().find(|t| t["target"] == "xylo-audio2:core2");
    let xylo = xylo.expect("it is a chip");
    assert_eq!(xylo["fits"], false);
    assert_eq!(xylo["binds"]["resource"], "outputs");
    assert!(!xylo["remedies"][0].is_null());
    let text = p.expect(0, &["check", "wide.syn", "--target", "all"]);
    for word in ["neurons per core", "share", "To fit:"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    p.expect(3, &["check", "wide.syn", "--target", "xylo-audio2"]);
}

/// A run of an artefact says what it would take on the chip, from counts and published constants, and calls it an estimate.
#[test]
fn runs_are_estimated() {
    let p = place("estimates");
    p.expect(
        0,
        &[
            "compile", "net.syn", "--target", "tinyodin", "-o", "net.synx",
        ],
    );
    let v = p.json(&["run", "net.synx", "--input", "in.csv", "--steps", "12"]);
    let e = &v["estimates"];
    assert_eq!(e["estimate"], true);
    let terms = e["terms"].as_array().expect("terms");
    let events = terms
        .iter()
        .find(|t| t["what"] == "synaptic events")
        .expect("a published constant");
    assert!(
        events["source"]
            .as_str()
            .expect("a source")
            .contains("Frenkel")
    );
    let (n, each) = (
        events["count"].as_f64().expect("n"),
        events["each_pj"].as_f64().expect("pJ"),
    );
    assert_eq!(n, v["synaptic_events"].as_f64().expect("counted"));
    assert!((events["joule"].as_f64().expect("J") - n * each * 1e-12).abs() < 1e-18);
    assert!(e["energy_j"].as_f64() > Some(0.0));
    let text = p.expect(
        0,
        &["run", "net.synx", "--input", "in.csv", "--steps", "12"],
    );
    assert!(text.contains("estimated for the chip"), "{text}");
    let v = p.json(&["compile", "net.syn", "--target", "ranc"]);
    assert!(
        v["estimates"]["busy_s"].as_f64() > Some(0.0),
        "cycles of a tick at the clock: {v}"
    );
}

/// Currents and leaks that the chip approximates.
const CURRENTS: &str = "use std.nir.CubaLif
network Small {
  step 1 ms
  source x: events[4]
  pop h: CubaLif[5] { tau_syn = 3 ms, tau_mem = 7 ms, v_threshold = 0.12 }
  pop o: CubaLif[2] { tau_syn = 3 ms, tau_mem = 7 ms, v_threshold = 0.08 }
  connect x -> h : dense { weight = [[1.3, -0.4, 0.7, 0.1], [-0.2, 1.1, 0.9, 0.3], [0.6, 0.5, -0.8, 1.2], [0.9, 0.2, 0.4, -0.3], [0.1, -0.6, 1.4, 0.8]] }
  connect h -> o : dense { weight = [[0.9, -0.3, 0.8, 0.2, -0.5], [-0.4, 1.0, -0.2, 0.7, 0.6]], delay = 1 ms }
  record o.spikes
}
";

#[test]
fn a_calibration_is_never_worse_and_always_the_same() {
    let p = Place::new("calibrate");
    p.write("net.syn", CURRENTS);
    let mut spikes = String::from("sample,step,population,neuron\n");
    for sample in 0..3u32 {
        for k in 0..30 {
            spikes += &format!("{sample},{k},x,{}\n", (k * (sample + 1) + k / 3) % 4);
        }
    }
    p.write("in.csv", &spikes);
    let run = |out: &str, threads: &str| {
        let args = [
            "compile",
            "net.syn",
            "--target",
            "xylo-audio2",
            "--calibrate",
            "in.csv",
            "-o",
            out,
            "--threads",
            threads,
        ];
        p.json(&args)
    };
    let v = run("a.synx", "1");
    let score = |k: &str| v["calibration"][k]["score"].as_f64().expect("a score");
    assert!(score("found") >= score("plain"), "{}", v["calibration"]);
    assert!(v["calibration"]["trials"].as_u64() > Some(50));
    assert!(v["calibration"]["plain"]["likeness"]["inside"].is_f64());
    assert!(v["calibration"]["held_out"].is_null(), "three inputs");
    run("b.synx", "2");
    assert_eq!(p.bytes("a.synx"), p.bytes("b.synx"));
    // What was compiled is what was judged: better than plain rounding, or the same bytes.
    let plain = [
        "compile",
        "net.syn",
        "--target",
        "xylo-audio2",
        "-o",
        "plain.synx",
    ];
    p.expect(0, &plain);
    assert_eq!(
        score("found") > score("plain"),
        p.bytes("a.synx") != p.bytes("plain.synx")
            && v["calibration"]["settings"] != serde_json::json!([])
    );
}

#[test]
fn what_is_exact_is_not_calibrated() {
    let p = Place::new("calibrate-exact");
    p.write(
        "net.syn",
        "use targets.xylo_audio2.{Xylo, XyloOut}\nnetwork N {\n  step 1 ms\n  source x: events[2]\n  pop h: Xylo[2] { thr = 40, dm = 3, d1 = 2 }\n  pop o: XyloOut[1] { thr = 60, dm = 3, d1 = 2 }\n  \
         connect x -> h.syn1 : all_to_all { weight = 30 }\n  connect h -> o.syn1 : all_to_all { weight = 20, delay = 1 ms }\n  record o.spikes\n}\n",
    );
    p.write("in.csv", "step,population,neuron\n0,x,0\n");
    let args = [
        "compile",
        "net.syn",
        "--target",
        "xylo-audio2",
        "--calibrate",
        "in.csv",
    ];
    let out = p.run(&args);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("SYN0657"));
}
