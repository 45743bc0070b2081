//! `bench mapping`: the keys that scripts rely on, equal results every time, and clear refusals.

use crate::place::Place;
use serde_json::Value;

/// The result of a bench, and its exit status, in a folder named after the test.
fn bench(test: &str, args: &[&str]) -> (i32, Value) {
    let p = Place::new(test);
    let out = p.run(&[&["bench", "mapping"], args, &["--format", "json"]].concat());
    let text = String::from_utf8_lossy(&out.stdout);
    let v = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}\n{text}"));
    (out.status.code().expect("it was not killed"), v)
}

#[test]
fn promised_keys_and_the_same_every_time() {
    let args = ["grid4k-shuf", "--opt", "1"];
    let (status, v) = bench("mapping-keys", &args);
    assert_eq!(status, 0, "{v}");
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
    let (_, again) = bench("mapping-keys", &args);
    for key in ["remote", "hops", "mc_hops", "cong_link_max"] {
        assert_eq!(v[key], again[key], "{key}");
    }
}

#[test]
fn rules_and_neurons_are_two_forms_of_one_network() {
    let of = |form: &str| {
        let args = ["lenet5-28", "--opt", "0", "--form", form];
        let (status, v) = bench("mapping-forms", &args);
        assert_eq!(status, 0, "{v}");
        assert_eq!(
            (&v["form"], &v["neurons"], &v["synapses"]),
            (&form.into(), &8_878.into(), &412_960.into())
        );
        v
    };
    let (rules, neurons) = (of("rules"), of("neurons"));
    assert!(rules["remote"].as_f64() < neurons["remote"].as_f64());
    let (status, v) = bench("mapping-billions", &["DNN_4B", "--opt", "0"]);
    assert_eq!(status, 0, "{v}");
    assert_eq!(v["neurons"], 1u64 << 32);
    assert_eq!(v["parts"], 1 << 20);
    assert!(v["peak_mb"].as_f64().is_some_and(|m| m < 100.0), "{v}");
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    for (args, status, code) in [
        (&["brain", "--opt", "0"][..], 2, "SYN0650"),
        (&["cnn:4,4", "--target=abacus"][..], 2, "SYN0651"),
        (&["DNN_4B", "--target=jin-1024"][..], 3, "SYN0652"),
        (&["vgg16-224", "--form=neurons"][..], 3, "SYN0652"),
        (&["cnn:9,9", "--target=jin-8"][..], 3, "SYN0652"),
        (&["lenet5-28", "--target=truenorth-64"][..], 3, "SYN0652"),
    ] {
        let (ended, v) = bench("mapping-refused", args);
        assert_eq!(ended, status, "{args:?}");
        assert!(v.to_string().contains(code), "{args:?}\n{v}");
    }
}

/// More units than a network that runs can have: from a text to placed parts, while what would number its units says that it cannot.
#[test]
fn four_billion_neurons_come_from_a_text() {
    let text = include_str!("../../../examples/bench/dnn_4b.syn");
    let p = Place::new("mapping-billions");
    p.write("dnn_4b.syn", text);
    let out = p.expect(
        0,
        &[
            "bench",
            "mapping",
            "dnn_4b.syn",
            "--format",
            "json",
            "--opt",
            "1",
        ],
    );
    let v: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(v["neurons"], 1u64 << 32);
    assert_eq!(v["parts"], 1 << 20);
    let (_, named) = bench("mapping-named", &["DNN_4B", "--opt", "1"]);
    for key in ["synapses", "remote", "hops", "mc_hops", "cong_link_max"] {
        assert_eq!(v[key], named[key], "{key}");
    }
    let refused = p.expect(1, &["check", "dnn_4b.syn", "--format", "json"]);
    assert!(refused.contains("SYN0403"), "{refused}");
}
