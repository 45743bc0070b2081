//! Golden files: each holds what another tool computed, in the form of its chip or of the NIR reference runs.
//!
//! A file goes through the same path as a user's: a chip's vector through its `encode`, `decode` and `Program`, a NIR run through import and
//! ideal lowering; then both engines run it, and everything that the file holds is compared.

mod chip;
mod nir;

use serde_json::Value;
use std::path::{Path, PathBuf};

/// Which engines run a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engines {
    /// The CPU engine.
    Cpu,
    /// The wgpu engine.
    Gpu,
    /// Both.
    Both,
}

impl Engines {
    /// Their names, in order.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Engines::Cpu => &["cpu"],
            Engines::Gpu => &["gpu"],
            Engines::Both => &["cpu", "gpu"],
        }
    }
}

/// A vector's name and what came of it: facts worth printing, or the first difference.
pub struct Outcome {
    /// Name.
    pub name: String,
    /// Facts, or where, expected, got.
    pub result: Result<String, String>,
}

/// The JSON files of a list of files and directories; those of a directory in order of name.
pub fn files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut out = vec![];
    for p in paths {
        if p.is_dir() {
            let mut inside: Vec<PathBuf> = std::fs::read_dir(p)
                .into_iter()
                .flatten()
                .flatten()
                .map(|e| e.path())
                .collect();
            inside.retain(|p| p.extension().is_some_and(|e| e == "json"));
            inside.sort();
            out.extend(inside);
        } else {
            out.push(p.clone());
        }
    }
    out
}

/// Runs one golden file.
pub fn run(path: &Path, engines: Engines) -> Outcome {
    let stem = path
        .file_stem()
        .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let fail = |e: String| Outcome {
        name: stem.clone(),
        result: Err(e),
    };
    let text = match std::fs::read_to_string(path) {
        Ok(t) => t,
        Err(e) => return fail(format!("{}: {e}", path.display())),
    };
    let vector: Value = match serde_json::from_str(&text) {
        Ok(v) => v,
        Err(e) => return fail(format!("{}: no JSON: {e}", path.display())),
    };
    if vector.get("graph").is_some() {
        return Outcome {
            result: nir::run(path, &vector, engines),
            name: stem,
        };
    }
    let beside = |name: &str| {
        let name = Path::new(name).file_name()?;
        let places = [
            Some(path.with_file_name(name)),
            path.parent().and_then(Path::parent).map(|p| p.join(name)),
        ];
        let others = places.into_iter().flatten().filter(|p| p != path);
        others
            .into_iter()
            .find_map(|p| std::fs::read_to_string(p).ok())
    };
    for c in synfire_targets::all() {
        if let Some(case) = c.backend().and_then(|b| b.golden(&vector, &beside)) {
            return match case {
                Ok(case) => {
                    let result = chip::run(&case, engines);
                    Outcome {
                        name: case.name,
                        result,
                    }
                }
                Err(e) => fail(e),
            };
        }
    }
    fail("no chip knows this form, and it names no graph".into())
}
