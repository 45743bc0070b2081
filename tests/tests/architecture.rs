//! The house's rules that a machine can check: which crate may use which, and where names of chips and of the GPU API may stand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests lie in the workspace")
        .to_path_buf()
}

/// The table of rooms in ARCHITECTURE.md.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    BTreeMap::from([
        ("synfire-ir", vec![]),
        ("synfire-lang", vec!["synfire-ir"]),
        ("synfire-targets", vec!["synfire-ir", "synfire-lang"]),
        (
            "synfire-compiler",
            vec!["synfire-ir", "synfire-lang", "synfire-targets"],
        ),
        ("synfire-kernels", vec!["synfire-ir"]),
        (
            "synfire-runtime",
            vec!["synfire-ir", "synfire-kernels", "synfire-targets"],
        ),
    ])
}

#[test]
fn the_crate_graph_is_the_table() {
    let meta = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata runs");
    let ours: BTreeSet<String> = meta.packages.iter().map(|p| p.name.to_string()).collect();
    let table = allowed();
    for p in &meta.packages {
        let Some(may) = table.get(p.name.as_str()) else {
            continue;
        };
        for d in p.dependencies.iter().filter(|d| ours.contains(&d.name)) {
            assert!(
                may.contains(&d.name.as_str()),
                "{} uses {}, which the table of rooms does not allow",
                p.name,
                d.name
            );
        }
    }
    for name in table.keys() {
        assert!(
            ours.contains(*name),
            "{name} is in the table and not in the workspace"
        );
    }
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let p = e.path();
        let name = e.file_name();
        if p.is_dir() {
            if name != "target" && name != "tests" && name != "benches" && name != "examples" {
                rust_files(&p, out);
            }
        } else if p.extension().is_some_and(|x| x == "rs") {
            out.push(p);
        }
    }
}

#[test]
fn no_chip_outside_targets() {
    let chips: Vec<String> = synfire_targets::all()
        .iter()
        .map(|c| c.spec.name.clone())
        .collect();
    let mut files = vec![];
    for room in ["compiler", "kernels", "runtime/src"] {
        rust_files(&root().join(room), &mut files);
    }
    for f in files {
        let text = std::fs::read_to_string(&f).expect("a source file is readable");
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for c in &chips {
            assert!(
                !code.contains(&format!("\"{c}\"")),
                "{} names the chip {c}",
                f.display()
            );
        }
    }
}

#[test]
fn the_gpu_api_stays_in_its_room() {
    let mut files = vec![];
    for room in ["compiler", "kernels", "runtime", "targets", "cli"] {
        rust_files(&root().join(room), &mut files);
    }
    for f in files {
        let inside = f.starts_with(root().join("runtime/src/engine/gpu"));
        let text = std::fs::read_to_string(&f).expect("a source file is readable");
        assert!(
            inside || !text.contains("wgpu::"),
            "{} uses wgpu",
            f.display()
        );
    }
}

#[test]
fn only_one_module_uses_bincode() {
    let mut files = vec![];
    for room in ["compiler", "kernels", "runtime", "targets", "cli"] {
        rust_files(&root().join(room), &mut files);
    }
    for f in files {
        let text = std::fs::read_to_string(&f).expect("a source file is readable");
        let home = f.ends_with("compiler/ir/src/artifact.rs");
        assert!(
            home || !text.contains("bincode::"),
            "{} uses bincode",
            f.display()
        );
    }
}
