//! Every golden vector in the repository, on both engines.

use std::path::Path;
use synfire_tests::binary::root;
use synfire_tests::golden::{Engines, files, run};

fn all_pass(folder: &str, at_least: usize) {
    let list = files(&[root().join(folder)]);
    assert!(
        list.len() >= at_least,
        "{folder} holds {} vectors",
        list.len()
    );
    let failed: Vec<String> = list
        .iter()
        .map(|f: &std::path::PathBuf| run(Path::new(f), Engines::Both))
        .filter_map(|o| o.result.err().map(|e| format!("{}: {e}", o.name)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn ranc() {
    all_pass("targets/ranc/golden", 19);
}

#[test]
fn tinyodin() {
    all_pass("targets/tinyodin/golden", 13);
}

#[test]
fn odin() {
    all_pass("targets/odin/golden", 15);
}

#[test]
fn xylo() {
    all_pass("targets/xylo-audio2/golden", 18);
    all_pass("targets/xylo-audio2/golden/ram", 8);
}

#[test]
fn loihi() {
    all_pass("targets/loihi/golden", 58);
}

#[test]
fn nir() {
    all_pass("tests/nir/data/golden", 7);
}

#[test]
fn a_wrong_vector_fails() {
    let path = root().join("targets/ranc/golden/sim_r00_1core.json");
    let text = std::fs::read_to_string(path).expect("the vector is there");
    let mut v: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    v["final_potentials"]["0,0"][3] = serde_json::json!(12345);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("wrong.json");
    std::fs::write(&file, v.to_string()).expect("it can be written");
    assert!(
        run(&file, Engines::Cpu).result.is_err(),
        "a changed potential went unseen"
    );
}
