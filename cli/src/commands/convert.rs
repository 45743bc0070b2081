//! `convert`: between NIR and the language.
//!
//! `.nir` becomes `.syn` with its numbers in an `.npz` beside it; `.syn` becomes `.nir`. The file that the other one needs is written first, so
//! that an interrupted command leaves no text without its numbers.

use crate::args::ConvertArgs;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::network::{self, Loaded};
use crate::{files, units};
use serde_json::json;
use std::path::{Path, PathBuf};
use synfire_compiler::{nir, to_source};
use synfire_ir::{Class, Diagnostic};

/// See the module.
pub fn convert(args: &ConvertArgs, console: &Console) -> Outcome {
    let (from, to) = (kind(&args.input), kind(&args.output));
    let written = match (from.as_str(), to.as_str()) {
        ("nir", "syn") => {
            let loaded = network::read(&args.input, &args.network, console)?;
            text(&loaded, &args.output, console)?
        }
        ("syn", "nir") => {
            let loaded = network::read(&args.input, &args.network, console)?;
            graph(&loaded, &args.output, console)?
        }
        _ => {
            return Err(Diagnostic::error(
                "SYN0914",
                format!("a .{from} file cannot become a .{to} file"),
            )
            .class(Class::Usage)
            .hint("convert turns .nir into .syn, and .syn into .nir")
            .into());
        }
    };
    if console.is_json() {
        let files: Vec<_> = written
            .iter()
            .map(|(path, bytes)| json!({ "file": files::shown(path), "bytes": bytes }))
            .collect();
        console.json(&json!({ "written": files }));
    } else if !console.quiet {
        for (path, bytes) in &written {
            let size = units::bytes(*bytes as u64);
            console.print(&format!("wrote {} ({size})\n", files::shown(path)));
        }
    }
    Ok(())
}

/// The ending of a file's name; standard input is text.
fn kind(path: &Path) -> String {
    if files::is_standard(path) {
        return "syn".into();
    }
    let ending = path.extension().and_then(|e| e.to_str());
    ending.unwrap_or("").to_lowercase()
}

type Written = Vec<(PathBuf, usize)>;

fn text(loaded: &Loaded, output: &Path, console: &Console) -> Result<Written, Failure> {
    let beside = output.with_extension("npz");
    let archive = beside.file_name().and_then(|n| n.to_str()).unwrap_or("");
    let source = to_source(&loaded.network, archive).map_err(|e| loaded.wrong(e))?;
    console.show(&source.notes, &loaded.sources);
    let mut written = vec![];
    if let Some(arrays) = &source.arrays {
        files::write(&beside, arrays)?;
        written.push((beside, arrays.len()));
    }
    files::write(output, source.text.as_bytes())?;
    written.push((output.into(), source.text.len()));
    Ok(written)
}

fn graph(loaded: &Loaded, output: &Path, console: &Console) -> Result<Written, Failure> {
    let (graph, notes) = nir::export(&loaded.network).map_err(|e| loaded.wrong(e))?;
    let bytes = nir::write(&graph).map_err(|e| loaded.wrong(e.into()))?;
    console.show(&notes, &loaded.sources);
    files::write(output, &bytes)?;
    Ok(vec![(output.into(), bytes.len())])
}
