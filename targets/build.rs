//! Finds the chip folders beside this file and writes the table that `src/registry.rs` includes.
//!
//! A chip is a folder with a `chip.toml` whose name does not start with `_`; nothing else has to be edited to add one. A folder with a `mod.rs` alone
//! holds what a family of chips shares: it becomes a module and no chip.
//! Its `chip.toml`, `model.syn` and `README.md` are embedded as text; a `mod.rs`, when there is one, becomes a module of this crate under the
//! folder's name and exports `BACKEND`. Folders are visited in order of name, so that the table never depends on the file system.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Folders of this crate that are no chips whatever they hold.
const OWN: [&str; 3] = ["src", "tests", "benches"];

fn main() {
    let root =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=.");

    let mut modules = String::new();
    let mut table = String::from("static FOLDERS: &[Folder] = &[\n");
    for name in folders(&root) {
        let dir = root.join(&name);
        let module = name.replace('-', "_");
        if dir.join("mod.rs").is_file() {
            let path = dir.join("mod.rs");
            println!("cargo::rerun-if-changed={}", path.display());
            writeln!(modules, "#[path = {path:?}]\npub mod {module};")
                .expect("writing to a String");
        }
        if !dir.join("chip.toml").is_file() {
            continue;
        }
        writeln!(
            table,
            "    Folder {{ name: {name:?}, toml: {}, model: {}, readme: {}, backend: {} }},",
            embed(&dir, "chip.toml"),
            embed(&dir, "model.syn"),
            embed(&dir, "README.md"),
            if dir.join("mod.rs").is_file() {
                format!("Some(crate::{module}::BACKEND)")
            } else {
                "None".into()
            },
        )
        .expect("writing to a String");
    }
    table.push_str("];\n");
    fs::write(out.join("chip_modules.rs"), modules).expect("OUT_DIR is writable");
    fs::write(out.join("chip_table.rs"), table).expect("OUT_DIR is writable");
}

/// Names of the folders of chips and of families of chips, sorted.
fn folders(root: &Path) -> Vec<String> {
    let mut names = vec![];
    for entry in fs::read_dir(root)
        .expect("the crate's folder is readable")
        .flatten()
    {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let skipped = name.starts_with(['_', '.']) || OWN.contains(&name.as_str());
        let file = |f: &str| entry.path().join(f).is_file();
        if skipped || !(file("chip.toml") || file("mod.rs")) {
            continue;
        }
        let word = name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        assert!(
            word && name.starts_with(|c: char| c.is_ascii_lowercase()),
            "chip folder targets/{name}: a chip's name is lower-case letters, digits, `_` and `-`, a letter first"
        );
        names.push(name);
    }
    names.sort();
    names
}

/// The expression that embeds one text of a chip folder.
fn embed(dir: &Path, file: &str) -> String {
    let path = dir.join(file);
    assert!(
        path.is_file(),
        "chip folder {}: {file} is missing; every chip has one",
        dir.display()
    );
    println!("cargo::rerun-if-changed={}", path.display());
    format!("include_str!({path:?})")
}
