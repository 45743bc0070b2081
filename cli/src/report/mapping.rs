//! The page about a mapping, and its sections in the page about a run of an artefact.

use super::drawing;
use super::html::{Cell, bar, cards, number, page, prose, section, table, text};
use super::links;
use super::placement::{legend, placement};
use crate::commands::compile_notes;
use crate::mapping::{CoreUse, Mapped, RESOURCES, list};
use crate::units::{bytes, count, number_of, percent, seconds, short};
use serde_json::{Value, json};
use synfire_ir::artifact::{Artifact, SectionKind};

/// Cores listed one by one.
const LISTED: usize = 256;
/// Cells of a placement map.
const MAPPED: u64 = 65_536;

/// The report that `compile` stored in an artefact; `null` when it is not there.
pub fn stored(a: &Artifact) -> Value {
    a.section(SectionKind::Report, "report.json")
        .and_then(|s| serde_json::from_slice(&s.bytes).ok())
        .unwrap_or(Value::Null)
}

/// The page; `facts` are those that `compile --format json` prints.
pub fn compile_page(facts: &Value, artefact: &Artifact) -> String {
    let h = &artefact.header;
    let mapped = Mapped::of(facts);
    let whole = |k: &str| facts[k].as_u64().unwrap_or(0);
    let mut list = vec![
        ("Neurons", count(whole("neurons")), String::new()),
        ("Synapses", count(whole("synapses")), "stored".into()),
        (
            "Cores",
            count(mapped.cores.len() as u64),
            mapped
                .available
                .map_or(String::new(), |n| format!("of {}", count(n))),
        ),
        ("Seed", h.seed.to_string(), String::new()),
    ];
    if let Some(s) = facts["compile_s"].as_f64() {
        list.push(("Compiled in", seconds(s), String::new()));
    }
    if let Some(n) = facts["peak_memory_bytes"].as_u64() {
        list.push(("Peak memory", bytes(n), String::new()));
    }
    if let Some(n) = facts["artefact_bytes"].as_u64() {
        list.push(("Artefact", bytes(n), String::new()));
    }
    let mut all = vec![section("facts", "Mapping", "", &cards(&list))];
    all.extend(sections(facts, artefact));
    let kicker = format!("Mapped onto {}:{}", h.target, h.dialect);
    let lead = format!("Compiler {}, source {:08x}", h.compiler, h.source_hash);
    page(&h.network, &kicker, &lead, &all, &json!({}))
}

/// Utilisation, placement, quantisation, metrics, times, files: what there is of them.
pub fn sections(facts: &Value, artefact: &Artifact) -> Vec<String> {
    let mapped = Mapped::of(facts);
    let mut out = vec![];
    if !mapped.cores.is_empty() {
        out.push(section(
            "utilisation",
            "Utilisation",
            "The bar shows the limit that binds: the one of which the core uses most.",
            &(drawing::fullness(&mapped).element("Use of the limit that binds, by core")
                + &utilisation(&mapped)),
        ));
        let traffic = &facts["traffic"];
        if (2..=MAPPED).contains(&mapped.used[0].saturating_mul(mapped.used[1])) {
            let [columns, rows] = mapped.used;
            let part = if mapped.mesh == mapped.used {
                String::new()
            } else {
                format!(" of {} x {}", mapped.mesh[0], mapped.mesh[1])
            };
            let note = format!(
                "{columns} x {rows}{part} cores, row 0 at the bottom. Numbers and filling: percent of the limit that binds. Lines: the heaviest flows."
            );
            out.push(section(
                "placement",
                "Placement",
                &note,
                &(legend(&mapped)
                    + &placement(&mapped, traffic, false).element("Placement of cores")),
            ));
            if let Some(d) = links::links(&mapped, traffic) {
                let note = "Packets over each link in each direction, along multicast trees, columns first, then rows; a neuron spikes once.";
                out.push(section(
                    "links",
                    "Link load",
                    note,
                    &d.element("Load of links"),
                ));
            }
        }
        if let Some(d) = drawing::history(&facts["search"]) {
            out.push(section(
                "search",
                "Search",
                "",
                &d.element("Cost over the refinement"),
            ));
        }
    }
    let notes: String = compile_notes(facts)
        .iter()
        .map(|l| format!("<li>{}</li>\n", prose(l)))
        .collect();
    let quantised = format!("<ul>\n{notes}</ul>\n{}", scales(facts));
    out.push(section(
        "quantisation",
        "What the chip changed",
        "",
        &quantised,
    ));
    let passes = list(&facts["passes"]);
    if !passes.is_empty() {
        out.push(section("passes", "Passes", "", &times(passes)));
    }
    if let Some(metrics) = facts["metrics"].as_object().filter(|m| !m.is_empty()) {
        let rows = metrics
            .iter()
            .map(|(k, v)| vec![text(k), number(&value(v))])
            .collect();
        out.push(section(
            "metrics",
            "Metrics",
            "Partition and placement, one spike a neuron and step.",
            &table(&["Metric", "Value"], rows),
        ));
    }
    out.push(section(
        "files",
        "Native files",
        "Exactly as the chip's own tools take them; synfire inspect --extract writes them.",
        &files(artefact),
    ));
    out
}

/// The drawings of a mapping as one SVG file. `None`: the artefact holds no report of its mapping.
pub fn svg(artefact: &Artifact) -> Option<String> {
    let facts = stored(artefact);
    let mapped = Mapped::of(&facts);
    if mapped.cores.is_empty() {
        return None;
    }
    let mut parts = vec![];
    if mapped.used[0].saturating_mul(mapped.used[1]) <= MAPPED {
        parts.push((
            "Placement: populations, and the heaviest flows",
            placement(&mapped, &facts["traffic"], true),
        ));
        parts.extend(links::links(&mapped, &facts["traffic"]).map(|d| ("Link load", d)));
    }
    parts.push((
        "Use of the limit that binds, by core",
        drawing::fullness(&mapped),
    ));
    parts.extend(drawing::history(&facts["search"]).map(|d| ("Search", d)));
    let h = &artefact.header;
    Some(drawing::file(
        &format!("{} on {}:{}", h.network, h.target, h.dialect),
        &parts,
    ))
}

fn value(v: &Value) -> String {
    match (v.as_u64(), v.as_f64()) {
        (Some(n), _) => count(n),
        (None, Some(x)) => short(x),
        _ => match (v["max"].as_f64(), v["mean"].as_f64()) {
            (Some(max), Some(mean)) => {
                format!("{} at most, {} in the mean", percent(max), percent(mean))
            }
            _ if v.is_null() => "–".into(),
            _ => v.to_string(),
        },
    }
}

fn utilisation(m: &Mapped) -> String {
    let mut rows = vec![];
    for (r, name) in RESOURCES.iter().enumerate() {
        if let (Some((max, mean)), Some(limit)) = (m.spread(r), m.limits[r]) {
            rows.push(vec![
                text(name),
                number(&count(limit)),
                Cell(bar(max, &percent(max), "wide"), false),
                number(&percent(mean)),
            ]);
        }
    }
    let mut out = table(&["Per core", "Limit", "Fullest core", "Mean"], rows);
    let row = |c: &CoreUse| {
        let (name, share) = m.binding(c).map_or(("–", 0.0), |b| (RESOURCES[b.0], b.1));
        let holds: Vec<String> = c
            .populations
            .iter()
            .map(|(p, n)| format!("{p} ({})", count(*n)))
            .collect();
        vec![
            text(&format!("{}, {}", c.place.1, c.place.2)),
            number(&count(c.used[0])),
            number(&count(c.used[1])),
            number(&count(c.used[2])),
            Cell(
                bar(
                    share,
                    &format!("{} of {name}", percent(share)),
                    if share > 0.9 { "full" } else { "" },
                ),
                false,
            ),
            text(&holds.join(", ")),
        ]
    };
    let rows: Vec<_> = m.cores.iter().take(LISTED).map(row).collect();
    let head = [
        "Core (x, y)",
        "Neurons",
        "Axons",
        "Synapses",
        "Binding limit",
        "Holds",
    ];
    let cores = table(&head, rows);
    let more = m.cores.len().saturating_sub(LISTED);
    let rest = if more > 0 {
        format!(
            "<p class=\"note\">{} are not listed.</p>\n",
            number_of(more as u64, "further core", "further cores")
        )
    } else {
        String::new()
    };
    let open = if m.cores.len() <= 16 { " open" } else { "" };
    out += &format!(
        "<details{open}><summary>{}</summary>\n{cores}{rest}</details>\n",
        number_of(m.cores.len() as u64, "core", "cores")
    );
    out
}

fn scales(facts: &Value) -> String {
    let rows: Vec<_> = list(&facts["quantisation"]["scales"])
        .iter()
        .filter_map(|s| {
            Some(vec![
                text(s.get(0)?.as_str()?),
                number(&short(s.get(1)?.as_f64()?)),
            ])
        })
        .collect();
    if rows.is_empty() {
        String::new()
    } else {
        table(&["Population", "Chip integers for 1"], rows)
    }
}

fn times(passes: &[Value]) -> String {
    let of = |p: &Value| p["s"].as_f64().unwrap_or(0.0);
    let total: f64 = passes.iter().map(of).sum();
    let row = |p: &Value| {
        let share = if total > 0.0 { of(p) / total } else { 0.0 };
        vec![
            text(p["name"].as_str().unwrap_or("")),
            number(&seconds(of(p))),
            // A thousandth is all that one measured time is worth.
            Cell(bar(share, &percent((share * 1e3).round() / 1e3), ""), false),
        ]
    };
    table(&["Pass", "Time", "Share"], passes.iter().map(row).collect())
}

fn files(a: &Artifact) -> String {
    let all: Vec<_> = a.native().collect();
    let rows = all
        .iter()
        .take(LISTED)
        .map(|s| {
            vec![
                text(&s.name),
                number(&bytes(s.bytes.len() as u64)),
                text(&format!("{:08x}", crc32fast::hash(&s.bytes))),
            ]
        })
        .collect();
    let mut out = table(&["File", "Size", "CRC-32"], rows);
    if all.len() > LISTED {
        out += &format!(
            "<p class=\"note\">{} are not listed.</p>\n",
            number_of((all.len() - LISTED) as u64, "further file", "further files")
        );
    }
    out
}
