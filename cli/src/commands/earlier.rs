//! What the mapper must respect: dead cores from a file, and an earlier mapping from its artefact.

use crate::args::MapperArgs;
use crate::failure::Failure;
use crate::mapping::Mapped;
use crate::{files, report};
use std::path::Path;
use std::time::Duration;
use synfire_compiler::{CompileOptions, Dead, Earlier};
use synfire_ir::artifact::Artifact;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::Target;

/// Options of the mapper, with the files they name read.
pub fn options(args: &MapperArgs, target: &Target<'_>) -> Result<CompileOptions, Failure> {
    Ok(CompileOptions {
        opt: args.opt as usize,
        time_limit: args.time_limit.map(Duration::from_secs_f64),
        threads: args.threads,
        goal: args.goal.goal(),
        dead: match &args.dead {
            Some(path) => dead(path)?,
            None => Dead::default(),
        },
        earlier: match &args.incremental {
            Some(path) => Some(earlier(path, target)?),
            None => None,
        },
        ..CompileOptions::default()
    })
}

/// Dead cores and links.
///
/// Errors: `SYN0654`, each line that is neither `x,y` nor `x,y,x,y`.
fn dead(path: &Path) -> Result<Dead, Failure> {
    let raw = files::read(path)?;
    let text = String::from_utf8_lossy(&raw);
    let mut wrong = Diagnostics::new();
    let mut dead = Dead::default();
    for (n, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let numbers: Result<Vec<u32>, _> = line.split(',').map(|n| n.trim().parse()).collect();
        match numbers.as_deref() {
            Ok(&[x, y]) => dead.cores.push((x, y)),
            Ok(&[a, b, c, d]) => dead.links.push(((a, b), (c, d))),
            _ if wrong.0.len() < 8 => wrong.push(
                Diagnostic::error("SYN0654", format!("`{line}` is neither a core nor a link"))
                    .at(format!("{}:{}", files::shown(path), n + 1))
                    .hint("write `x,y`: column and row of a dead core, counted from 0; or `x,y,x,y`: two neighbours between which the link is dead"),
            ),
            _ => {}
        }
    }
    wrong.result(())?;
    dead.cores.sort_unstable();
    dead.cores.dedup();
    Ok(dead)
}

/// Where an artefact has its units.
///
/// Errors: `SYN0655` for an artefact of another chip, or without the report that says where its cores are.
fn earlier(path: &Path, target: &Target<'_>) -> Result<Earlier, Failure> {
    let name = files::shown(path);
    let old = Artifact::from_bytes(&name, &files::read(path)?)?;
    let chip = &target.chip.spec.name;
    let wrong = |text: String, hint: &str| -> Failure {
        Diagnostic::error("SYN0655", text)
            .class(Class::Usage)
            .at(name.clone())
            .hint(hint)
            .into()
    };
    if old.header.target != *chip {
        return Err(wrong(
            format!(
                "the earlier mapping is for {}, not for {chip}",
                old.header.target
            ),
            "give an artefact of the same target, or compile without --incremental",
        ));
    }
    let mapped = Mapped::of(&report::stored(&old));
    let cores = old
        .bindings
        .symbols
        .iter()
        .map(|s| s.core as usize + 1)
        .max();
    if mapped.cores.len() < cores.unwrap_or(0) {
        return Err(wrong(
            "the artefact does not say where its cores are".into(),
            "it was made without a report; compile once without --incremental",
        ));
    }
    let mut units: Vec<(String, u32, u32)> = vec![];
    for s in &old.bindings.symbols {
        let Some(p) = old.bindings.populations.get(s.pop as usize) else {
            continue;
        };
        // Copies follow the first slot of a unit.
        if units
            .last()
            .is_none_or(|u| (u.0.as_str(), u.1) != (p.name.as_str(), s.unit))
        {
            units.push((p.name.clone(), s.unit, s.core));
        }
    }
    let position = |c: &crate::mapping::CoreUse| (c.place.1 as u32, c.place.2 as u32);
    Ok(Earlier {
        units,
        positions: mapped.cores.iter().map(position).collect(),
    })
}
