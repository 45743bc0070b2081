//! Same input, same seed, same bytes: spike files for any number of threads, artefacts over runs.

use synfire_tests::binary::{root, run};

#[test]
fn spike_files_do_not_depend_on_threads() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let net = root().join("examples/balanced_ei.syn");
    let net = net.to_str().expect("a plain path");
    for arithmetic in ["f32", "fixed"] {
        let files: Vec<Vec<u8>> = ["1", "2", "3"]
            .iter()
            .map(|threads| {
                let file = format!("{arithmetic}{threads}.csv");
                let out = run(
                    dir.path(),
                    &[
                        "run",
                        net,
                        "--time",
                        "60ms",
                        "--engine",
                        "cpu",
                        "--seed",
                        "5",
                        "--threads",
                        threads,
                        "--arithmetic",
                        arithmetic,
                        "--record",
                        &file,
                    ],
                );
                assert!(
                    out.status.success(),
                    "{}",
                    String::from_utf8_lossy(&out.stderr)
                );
                std::fs::read(dir.path().join(file)).expect("spikes were recorded")
            })
            .collect();
        assert!(files[0].len() > 10_000, "too few spikes to compare");
        assert!(
            files.windows(2).all(|w| w[0] == w[1]),
            "{arithmetic}: spike files differ"
        );
    }
}

#[test]
fn artefacts_are_equal_over_runs() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let net = root().join("examples/adder.syn");
    let net = net.to_str().expect("a plain path");
    for target in ["ranc", "ranc:rtl", "tinyodin"] {
        let files: Vec<Vec<u8>> = ["a", "b"]
            .iter()
            .map(|n| {
                let file = format!("{n}.synx");
                let out = run(
                    dir.path(),
                    &["compile", net, "--target", target, "-o", &file],
                );
                assert!(
                    out.status.success(),
                    "{}",
                    String::from_utf8_lossy(&out.stderr)
                );
                std::fs::read(dir.path().join(file)).expect("an artefact was written")
            })
            .collect();
        assert_eq!(files[0], files[1], "{target}: artefacts differ");
    }
}
