//! `targets`: the chips.

use crate::args::TargetsArgs;
use crate::console::Console;
use crate::failure::Outcome;
use crate::table::{Side, Table, paragraph};
use crate::targets;
use crate::units::count;
use serde::Serialize;
use serde_json::{Value, json};
use synfire_ir::SourceMap;
use synfire_targets::schema::{ChipSpec, Limits, Sourced, Topology, Weights};
use synfire_targets::{Chip, Target, all};

/// See the module.
pub fn targets(args: &TargetsArgs, console: &Console) -> Outcome {
    console.show(synfire_targets::registry::problems(), &SourceMap::default());
    match &args.target {
        None => list(console),
        Some(name) => {
            let target = targets::find(name)?;
            if console.is_json() {
                console.json(&described(&target));
            } else {
                console.print(&page(&target, console));
            }
        }
    }
    Ok(())
}

/// A word of the schema, as `chip.toml` writes it.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|v| v.as_str().map(str::to_string))
        .unwrap_or_default()
}

fn cores(limits: &Limits, spec: &ChipSpec) -> Option<u64> {
    let own = limits.cores.as_ref().map(|c| c.value);
    own.or(match &spec.topology {
        Topology::Single => Some(1),
        Topology::Bus { cores } => Some(cores.value.into()),
        Topology::Mesh { x, y, .. } => Some(u64::from(x.value) * u64::from(y.value)),
    })
}

fn number(limit: &Option<Sourced<u64>>) -> String {
    limit.as_ref().map_or("-".into(), |l| count(l.value))
}

fn weights(w: &Weights) -> String {
    format!("{} bit, {} .. {}", w.bits.value, w.min.value, w.max.value)
}

fn list(console: &Console) {
    if console.is_json() {
        let all: Vec<Value> = all().iter().map(summary).collect();
        console.json(&json!({ "targets": all }));
        return;
    }
    let columns = [
        ("target", Side::Left),
        ("cores", Side::Right),
        ("neurons/core", Side::Right),
        ("weights", Side::Left),
        ("delays", Side::Right),
    ];
    let mut table = Table::new(&columns);
    for chip in all() {
        for dialect in &chip.spec.dialects {
            let Ok(t) = chip.target(Some(&dialect.name)) else {
                continue;
            };
            let mark = if dialect.default && chip.spec.dialects.len() > 1 {
                " *"
            } else {
                ""
            };
            let d = t.delays();
            table.row([
                t.name() + mark,
                cores(&t.limits(), &chip.spec).map_or("-".into(), count),
                number(&t.limits().neurons_per_core),
                weights(t.weights()),
                format!("{}..{}", d.min.value, d.max.value),
            ]);
        }
    }
    let mut text = table.render(console);
    text.push('\n');
    for chip in all() {
        text += &paragraph(
            &format!("{}: {}", chip.spec.name, chip.spec.summary),
            console.width,
            2,
        );
    }
    text += &console
        .dim("\n* taken when no dialect is named.  `synfire targets T` shows one in detail.\n");
    console.print(&text);
}

fn summary(chip: &Chip) -> Value {
    let dialects: Vec<Value> = chip
        .spec
        .dialects
        .iter()
        .map(|d| json!({ "name": d.name, "default": d.default, "summary": d.summary }))
        .collect();
    json!({
        "name": chip.spec.name, "title": chip.spec.title, "summary": chip.spec.summary, "version": chip.spec.version,
        "dialects": dialects, "cores": cores(&chip.spec.limits, &chip.spec), "deploy": chip.spec.deploy.urls,
    })
}

/// Everything about a target; limits are those of the dialect.
fn described(t: &Target<'_>) -> Value {
    let mut value = serde_json::to_value(&t.chip.spec).unwrap_or_default();
    value["target"] = t.name().into();
    value["dialect"] = t.dialect.name.clone().into();
    value["limits"] = serde_json::to_value(t.limits()).unwrap_or_default();
    value["weights"] = serde_json::to_value(t.weights()).unwrap_or_default();
    value["delays"] = serde_json::to_value(t.delays()).unwrap_or_default();
    value["cores"] = cores(&t.limits(), &t.chip.spec).into();
    value
}

fn page(t: &Target<'_>, console: &Console) -> String {
    let spec = &t.chip.spec;
    let width = console.width;
    let mut out = format!(
        "{}  {}\n",
        console.bold(&spec.title),
        console.dim(&t.name())
    );
    out += &paragraph(&spec.summary, width, 0);
    if spec.dialects.len() > 1 {
        out += &heading("Dialects", console);
        for d in &spec.dialects {
            let mark = if d.default { " (default)" } else { "" };
            out += &paragraph(
                &format!("{}:{}{mark}: {}", spec.name, d.name, d.summary),
                width,
                2,
            );
        }
    }
    out += &heading("Limits", console);
    out += &limits(&t.limits(), spec, console);
    out += &heading("Arithmetic", console);
    out += &arithmetic(t, width);
    for rule in spec.learning_of(t.dialect) {
        out += &heading(&format!("Learning: {}", rule.name), console);
        for line in rule.form.lines().iter().chain(&rule.differs) {
            out += &paragraph(line, width, 2);
        }
    }
    if !spec.options.is_empty() {
        out += &heading("Options", console);
        for o in &spec.options {
            let default = o
                .default
                .as_ref()
                .map_or(String::new(), |d| format!(" (default {d})"));
            out += &paragraph(
                &format!("--option {}={}: {}{default}", o.key, o.value, o.doc),
                width,
                2,
            );
        }
    }
    out += &heading("Native files", console);
    for n in &spec.native {
        out += &paragraph(&format!("{}: {}", n.name, n.form), width, 2);
    }
    out += &heading("Deploying", console);
    out += &paragraph(
        &format!("--board {}", spec.deploy.urls.join(" | ")),
        width,
        0,
    );
    out += &paragraph(&spec.deploy.text, width, 0);
    out += &heading("Exactness", console);
    out += &paragraph(&spec.exactness, width, 0);
    if !spec.not_covered.is_empty() {
        out += &heading("Not covered", console);
        spec.not_covered
            .iter()
            .for_each(|n| out += &paragraph(&format!("- {n}"), width, 2));
    }
    out
}

fn heading(text: &str, console: &Console) -> String {
    format!("\n{}\n", console.bold(text))
}

fn limits(limits: &Limits, spec: &ChipSpec, console: &Console) -> String {
    let mut table = Table::new(&[
        ("limit", Side::Left),
        ("value", Side::Right),
        ("source", Side::Left),
    ]);
    let mesh = match &spec.topology {
        Topology::Mesh {
            x,
            y,
            resizable,
            torus,
            hexagonal,
            ..
        } => {
            let mut size = String::from(if *hexagonal { "hexagonal " } else { "" });
            size += if *torus { "torus" } else { "mesh" };
            if *resizable {
                size += " (default size)";
            }
            Some([size, format!("{} x {}", x.value, y.value), x.source.clone()])
        }
        Topology::Bus { cores } => Some([
            "cores on the bus".into(),
            count(cores.value.into()),
            cores.source.clone(),
        ]),
        Topology::Single => None,
    };
    let entries = limits
        .entries()
        .into_iter()
        .map(|(k, l)| [k.replace('_', " "), count(l.value), l.source.clone()]);
    let rows: Vec<[String; 3]> = mesh.into_iter().chain(entries).collect();
    let used = rows.iter().map(|r| r[0].len()).max().unwrap_or(0)
        + rows.iter().map(|r| r[1].len()).max().unwrap_or(0)
        + 4;
    for [limit, value, source] in rows {
        let source = crate::table::shorten(&source, console.width.saturating_sub(used).max(16));
        table.row([limit, value, source]);
    }
    table.render(console)
}

fn arithmetic(t: &Target<'_>, width: usize) -> String {
    let (w, d, spec) = (t.weights(), t.delays(), &t.chip.spec);
    let mut lines = vec![
        format!(
            "weights: {}, one for each {}, sign by {}",
            weights(w),
            word(&w.sharing).replace('-', " "),
            word(&w.sign)
        ),
        format!(
            "delays: {} .. {} steps, one for each {}",
            d.min.value,
            d.max.value,
            word(&d.scope)
        ),
        format!("delivery: {}", word(&spec.delivery)),
        match &spec.time.seconds {
            Some(s) => format!(
                "a step usually stands for {}",
                crate::units::seconds(s.value)
            ),
            None => format!("time: {}s without a duration", word(&spec.time.unit)),
        },
    ];
    let here = |dialects: &[String]| dialects.is_empty() || dialects.contains(&t.dialect.name);
    for f in spec.formats.iter().filter(|f| here(&f.dialects)) {
        let sign = if f.signed { "signed" } else { "unsigned" };
        let fraction = if f.fraction > 0 {
            format!(", {} behind the point", f.fraction)
        } else {
            String::new()
        };
        lines.push(format!(
            "{}: {} bit {sign}{fraction}, overflow: {}",
            f.name,
            f.bits,
            word(&f.overflow)
        ));
    }
    lines.iter().map(|l| paragraph(l, width, 2)).collect()
}
