//! `examples/adder.syn` on chips: all 256 sums, as one batch, from the decoded bytes, on both engines, through the real binary.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use synfire_tests::binary::{root, run};

fn sums() -> String {
    let mut csv = String::from("sample,step,population,neuron\n");
    for sample in 0u32..256 {
        let (a, b) = (sample & 15, sample >> 4);
        for (name, value) in [("a", a), ("b", b)] {
            for bit in (0..4).filter(|i| value >> i & 1 == 1) {
                writeln!(csv, "{sample},0,{name},{bit}").expect("writing to a String");
            }
        }
    }
    csv
}

fn check(csv: &str) {
    let mut got: BTreeMap<u32, u32> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        assert_eq!((f[1], f[2]), ("5", "sum"), "{line}");
        *got.entry(f[0].parse().expect("a sample")).or_default() |=
            1 << f[3].parse::<u32>().expect("a bit");
    }
    for sample in 0..256 {
        let want = (sample & 15) + (sample >> 4);
        assert_eq!(
            got.get(&sample).copied().unwrap_or(0),
            want,
            "{} + {}",
            sample & 15,
            sample >> 4
        );
    }
}

fn on(target: &str) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("sums.csv"), sums()).expect("it can be written");
    let adder = root().join("examples/adder.syn");
    let adder = adder.to_str().expect("a plain path");
    let mut network = adder;
    if target != "ideal" {
        let out = run(
            dir.path(),
            &["compile", adder, "--target", target, "-o", "adder.synx"],
        );
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        network = "adder.synx";
    }
    for engine in ["cpu", "gpu"] {
        let file = format!("{engine}.csv");
        let out = run(
            dir.path(),
            &[
                "run", network, "--input", "sums.csv", "--steps", "8", "--engine", engine,
                "--record", &file,
            ],
        );
        assert!(
            out.status.success(),
            "{engine}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        check(&std::fs::read_to_string(dir.path().join(file)).expect("spikes were recorded"));
    }
}

#[test]
fn ideal() {
    on("ideal");
}

#[test]
fn ranc_simulator() {
    on("ranc");
}

#[test]
fn ranc_verilog() {
    on("ranc:rtl");
}

#[test]
fn tinyodin() {
    on("tinyodin");
}
