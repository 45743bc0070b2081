//! `convert`: between NIR and the language.

use crate::args::ConvertArgs;
use crate::console::Console;
use crate::failure::Outcome;
use synfire_ir::{Class, Diagnostic};

/// See the module.
pub fn convert(args: &ConvertArgs, _console: &Console) -> Outcome {
    let ending = |p: &std::path::Path| {
        p.extension()
            .and_then(|e| e.to_str())
            .unwrap_or("")
            .to_lowercase()
    };
    let (from, to) = (ending(&args.input), ending(&args.output));
    let error = match (from.as_str(), to.as_str()) {
        ("nir", "syn") | ("syn", "nir") => Diagnostic::error(
            "SYN0915",
            format!("this version does not write .{to} files"),
        )
        .class(Class::Usage)
        .note("every command reads .nir files as they are")
        .hint(format!(
            "give {} itself to check, run or compile",
            args.input.display()
        )),
        _ => Diagnostic::error(
            "SYN0914",
            format!("a .{from} file cannot become a .{to} file"),
        )
        .class(Class::Usage)
        .hint("convert turns .nir into .syn, and .syn into .nir"),
    };
    Err(error.into())
}
