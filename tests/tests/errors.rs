//! What the user is told: broken networks, broken NIR files, and networks that do not fit, each with its golden message.

use std::path::{Path, PathBuf};
use synfire_tests::binary::{root, run};

fn inputs(folder: &str, ending: &str) -> Vec<PathBuf> {
    let dir = root().join("tests/errors").join(folder);
    let mut list: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("the folder is there")
        .flatten()
        .map(|e| e.path())
        .collect();
    list.retain(|p| p.extension().is_some_and(|e| e == ending));
    list.sort();
    list
}

/// Runs a command on a file as `name`, from the file's own folder, and keeps what was said under that name.
fn told(file: &Path, args: &[&str], status: i32) {
    let dir = file.parent().expect("a file lies in a folder");
    let out = run(dir, args);
    let said = String::from_utf8_lossy(&out.stderr).replace(
        "error: XDG_RUNTIME_DIR is invalid or not set in the environment.\n",
        "",
    );
    let stem = file
        .file_stem()
        .expect("a file has a name")
        .to_string_lossy();
    assert_eq!(
        out.status.code(),
        Some(status),
        "{}: {said}",
        file.display()
    );
    assert!(
        said.contains("help:"),
        "{}: no remedy\n{said}",
        file.display()
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(dir.join("told"));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(stem.as_ref(), said));
}

fn name(f: &Path) -> String {
    let name = f.file_name().expect("a file has a name");
    name.to_string_lossy().into_owned()
}

#[test]
fn broken_networks() {
    let list = inputs("syn", "syn");
    assert_eq!(list.len(), 10);
    for f in list {
        let name = name(&f);
        told(&f, &["check", &name], 1);
    }
}

#[test]
fn broken_nir() {
    let list = inputs("nir", "nir");
    assert_eq!(list.len(), 10);
    for f in list {
        let name = name(&f);
        told(&f, &["check", &name], 1);
    }
}

#[test]
fn networks_that_do_not_fit() {
    let list = inputs("fit", "syn");
    assert_eq!(list.len(), 6);
    for f in list {
        let name = name(&f);
        let rtl = name.starts_with("nine_bits") || name.starts_with("outputs");
        let target = if rtl { "ranc:rtl" } else { "ranc" };
        told(
            &f,
            &["compile", &name, "--target", target, "-o", "never.synx"],
            3,
        );
        assert!(
            !f.with_file_name("never.synx").exists(),
            "{name}: an artefact was written all the same"
        );
    }
}
