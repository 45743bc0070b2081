//! `inspect`: what an artefact holds.

use crate::args::InspectArgs;
use crate::commands::compile;
use crate::console::Console;
use crate::failure::Outcome;
use crate::mapping::Mapped;
use crate::table::{Side, Table};
use crate::units::{bytes, count, number_of, percent};
use crate::{files, mapping, report};
use serde_json::{Value, json};
use std::path::{Component, Path};
use synfire_ir::artifact::{Artifact, SectionKind};
use synfire_ir::{Diagnostic, Diagnostics};

/// Most cores listed without `-v`.
const LISTED: usize = 16;

/// See the module.
pub fn inspect(args: &InspectArgs, console: &Console) -> Outcome {
    let name = files::shown(&args.artefact);
    let raw = files::read(&args.artefact)?;
    let artefact = Artifact::from_bytes(&name, &raw)?;
    let stored = stored_report(&artefact);
    let mut extracted = vec![];
    if let Some(folder) = &args.extract {
        extracted = extract(&artefact, folder)?;
    }
    if let Some(path) = &args.report {
        let mut facts = stored.clone();
        facts["artefact_bytes"] = json!(raw.len());
        files::write(path, report::compile_page(&facts, &artefact).as_bytes())?;
    }
    if let Some(path) = &args.svg {
        let drawn = report::svg(&artefact).ok_or_else(|| {
            Diagnostic::error("SYN0656", "the artefact does not say how it was mapped")
                .at(name.clone())
                .hint("compile the network again; the report it then carries is what is drawn")
        })?;
        files::write(path, drawn.as_bytes())?;
    }
    if console.is_json() {
        console.json(&facts(&artefact, &stored, raw.len(), &extracted));
        return Ok(());
    }
    let mut text = summary(&artefact, &stored, raw.len(), console);
    if let Some(folder) = &args.extract {
        text += &format!(
            "\nwrote {} to {}\n",
            number_of(extracted.len() as u64, "native file", "native files"),
            folder.display()
        );
    }
    if let Some(path) = &args.svg {
        text += &format!("\nwrote {}\n", path.display());
    }
    if let Some(path) = &args.report {
        text += &format!("\nwrote {}\n", path.display());
    }
    console.print(&text);
    Ok(())
}

/// The report that `compile` stored; `null` when it is not there.
fn stored_report(a: &Artifact) -> Value {
    let section = a.section(SectionKind::Report, "report.json");
    section
        .and_then(|s| serde_json::from_slice(&s.bytes).ok())
        .unwrap_or(Value::Null)
}

/// Writes native images under a folder; returns their names.
///
/// Errors: `SYN0706` for names that would leave the folder, before anything is written.
fn extract(a: &Artifact, folder: &Path) -> Result<Vec<String>, Diagnostics> {
    let mut wrong = Diagnostics::new();
    for s in a.native() {
        let plain = !s.name.is_empty()
            && Path::new(&s.name)
                .components()
                .all(|c| matches!(c, Component::Normal(_)));
        if !plain {
            let error = Diagnostic::error(
                "SYN0706",
                format!(
                    "the native file `{}` would be written outside the folder",
                    s.name.escape_default()
                ),
            );
            wrong.push(error.hint("do not trust this artefact; compile the network again"));
        }
    }
    wrong.result(())?;
    files::make_folder(folder)?;
    let mut names = vec![];
    for s in a.native() {
        let path = folder.join(&s.name);
        if let Some(parent) = path.parent() {
            files::make_folder(parent)?;
        }
        files::write(&path, &s.bytes)?;
        names.push(s.name.clone());
    }
    Ok(names)
}

fn word(kind: SectionKind) -> &'static str {
    match kind {
        SectionKind::Native => "native",
        SectionKind::Bindings => "bindings",
        SectionKind::Report => "report",
        SectionKind::Chip => "chip",
        SectionKind::Learning => "learning",
        SectionKind::Given => "given",
    }
}

fn facts(a: &Artifact, stored: &Value, size: usize, extracted: &[String]) -> Value {
    let h = &a.header;
    let b = &a.bindings;
    let events =
        |f: &dyn Fn(u32) -> usize| (0..b.populations.len() as u32).map(f).collect::<Vec<_>>();
    let inputs = events(&|p| b.inputs.iter().filter(|i| i.pop == p).count());
    let populations: Vec<Value> = b
        .populations
        .iter()
        .zip(inputs)
        .map(|(p, inputs)| json!({ "name": p.name, "size": p.size, "input": p.input, "recorded": p.recorded, "latency_steps": p.shift, "native_inputs": inputs }))
        .collect();
    let sections: Vec<Value> =
        a.sections.iter().map(|s| json!({ "kind": word(s.kind), "name": s.name, "bytes": s.bytes.len(), "crc32": format!("{:08x}", crc32fast::hash(&s.bytes)) })).collect();
    json!({
        "network": h.network, "target": format!("{}:{}", h.target, h.dialect), "target_version": h.target_version, "compiler": h.compiler,
        "source_hash": format!("{:08x}", h.source_hash), "options": h.options, "seed": h.seed, "dt_ms": h.dt.map(|dt| (dt * 1e15).round() / 1e12),
        "run_steps": h.run, "artefact_bytes": size, "populations": populations, "sections": sections, "loopbacks": b.loopbacks.len(),
        "report": stored, "extracted": extracted,
    })
}

fn summary(a: &Artifact, stored: &Value, size: usize, console: &Console) -> String {
    let h = &a.header;
    let mut out = format!(
        "{} on {}:{}\n",
        console.bold(&h.network),
        console.bold(&h.target),
        console.bold(&h.dialect)
    );
    out += &format!(
        "{} · seed {} · compiler {} · source {:08x}\n",
        bytes(size as u64),
        h.seed,
        h.compiler,
        h.source_hash
    );
    if !h.options.is_empty() {
        let options: Vec<String> = h.options.iter().map(|(k, v)| format!("{k}={v}")).collect();
        out += &format!("options: {}\n", options.join(", "));
    }
    out += &format!("\n{}", populations(a, console));
    let mapped = Mapped::of(stored);
    if !mapped.cores.is_empty() {
        out += &format!("\n{}\n{}", mapped.table(console), cores(&mapped, console));
        out.push('\n');
        compile::notes(stored)
            .iter()
            .for_each(|l| out += &format!("{l}\n"));
    }
    out + &format!("\n{}", sections(a, console))
}

fn populations(a: &Artifact, console: &Console) -> String {
    let head = [
        ("population", Side::Left),
        ("neurons", Side::Right),
        ("role", Side::Left),
        ("latency", Side::Right),
    ];
    let mut table = Table::new(&head);
    for p in &a.bindings.populations {
        let role = match (p.input, p.recorded) {
            (true, _) => "input",
            (_, true) => "recorded",
            _ => "",
        };
        let late = if p.shift > 0 {
            number_of(p.shift.into(), "step", "steps")
        } else {
            "-".into()
        };
        table.row([p.name.clone(), count(p.size.into()), role.into(), late]);
    }
    table.render(console)
}

/// The fullest cores, each with the limit that binds.
fn cores(m: &Mapped, console: &Console) -> String {
    let mut order: Vec<_> = m.cores.iter().enumerate().collect();
    let full = |c: &mapping::CoreUse| m.binding(c).map_or(0.0, |b| b.1);
    order.sort_by(|a, b| full(b.1).total_cmp(&full(a.1)).then(a.0.cmp(&b.0)));
    let most = if console.verbose > 0 {
        usize::MAX
    } else {
        LISTED
    };
    let mut table = Table::new(&[
        ("core", Side::Left),
        ("neurons", Side::Right),
        ("axons", Side::Right),
        ("synapses", Side::Right),
        ("full", Side::Right),
        ("binds", Side::Left),
        ("holds", Side::Left),
    ]);
    let room = console.width.saturating_sub(58).max(12);
    for (_, c) in order.iter().take(most) {
        let (_, x, y) = c.place;
        let binding = m.binding(c);
        let holds: Vec<&str> = c.populations.iter().map(|p| p.0.as_str()).collect();
        table.row([
            format!("({x},{y})"),
            count(c.used[0]),
            count(c.used[1]),
            count(c.used[2]),
            binding.map_or("-".into(), |b| percent(b.1)),
            binding.map_or("-", |b| mapping::RESOURCES[b.0]).into(),
            crate::table::shorten(&holds.join(", "), room),
        ]);
    }
    let mut out = table.render(console);
    if order.len() > most {
        out += &console.dim(&format!(
            "... and {} more cores; -v lists them all\n",
            order.len() - most
        ));
    }
    out
}

fn sections(a: &Artifact, console: &Console) -> String {
    let mut table = Table::new(&[
        ("section", Side::Left),
        ("kind", Side::Left),
        ("size", Side::Right),
        ("CRC-32", Side::Right),
    ]);
    let most = if console.verbose > 0 {
        usize::MAX
    } else {
        LISTED
    };
    for s in a.sections.iter().take(most) {
        table.row([
            s.name.clone(),
            word(s.kind).into(),
            bytes(s.bytes.len() as u64),
            format!("{:08x}", crc32fast::hash(&s.bytes)),
        ]);
    }
    let mut out = table.render(console);
    if a.sections.len() > most {
        out += &console.dim(&format!(
            "... and {} more sections; -v lists them all\n",
            a.sections.len() - most
        ));
    }
    out
}
