//! `fmt`: network files in canonical layout.

use crate::args::FmtArgs;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::files;
use serde_json::json;
use synfire_ir::{Diagnostic, Diagnostics, SourceMap};
use synfire_lang::syntax;

/// See the module.
pub fn fmt(args: &FmtArgs, console: &Console) -> Outcome {
    let mut sources = SourceMap::default();
    let mut wrong = Diagnostics::new();
    let mut changed = vec![];
    for path in &args.files {
        let name = files::shown(path);
        let text = match String::from_utf8(files::read(path)?) {
            Ok(text) => text,
            Err(_) => {
                let error = Diagnostic::error("SYN0001", "the file is not UTF-8 text");
                wrong.push(
                    error
                        .at(name)
                        .hint("network files are UTF-8; NIR files (.nir) are not formatted"),
                );
                continue;
            }
        };
        let id = sources.add(name.clone(), text.as_str());
        let formatted = match syntax::format(&text) {
            Ok(t) => t,
            Err(mut d) => {
                // The formatter sees one text and calls it file 0.
                d.0.iter_mut()
                    .flat_map(|d| &mut d.labels)
                    .for_each(|l| l.span.file = id);
                wrong.extend(d);
                continue;
            }
        };
        let differs = formatted != text;
        if files::is_standard(path) && !args.check {
            console.print(&formatted);
        } else if differs && !args.check {
            files::write(path, formatted.as_bytes())?;
        }
        if differs {
            changed.push(name);
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::Wrong(wrong, sources));
    }
    let to_stdout = !args.check && args.files.iter().any(|p| files::is_standard(p));
    if console.is_json() && !to_stdout {
        console.json(&json!({ "files": args.files.len(), "changed": changed }));
    } else if !to_stdout {
        let verb = if args.check {
            "would change"
        } else {
            "formatted"
        };
        changed
            .iter()
            .for_each(|n| console.print(&format!("{verb} {n}\n")));
    }
    if args.check && !changed.is_empty() {
        Err(Failure::Told(1))
    } else {
        Ok(())
    }
}
