//! The mesh as a drawing: where each population sits, and how full its cores are.

use super::html::escape;
use crate::mapping::{CoreUse, Mapped, RESOURCES};
use crate::units::{count, percent};
use std::collections::BTreeMap;

/// Populations with an entry in the legend.
const NAMED: usize = 12;

/// Colours of populations by name: in order of first use, six in turn.
fn colors(m: &Mapped) -> (Vec<&str>, BTreeMap<&str, usize>) {
    let mut order: Vec<&str> = vec![];
    let mut number = BTreeMap::new();
    for (name, _) in m.cores.iter().flat_map(|c| &c.populations) {
        number.entry(name.as_str()).or_insert_with(|| {
            order.push(name);
            (order.len() - 1) % 6
        });
    }
    (order, number)
}

/// The drawing with its legend. A core has the colour of the population that holds most of it, the stronger the fuller it is.
pub fn placement(m: &Mapped) -> String {
    let [columns, rows] = m.mesh;
    let cell = (720 / columns.max(rows).max(1)).clamp(3, 44);
    let (width, height) = (columns * cell, rows * cell);
    let (order, number) = colors(m);
    let color = |c: &CoreUse| {
        let most = c
            .populations
            .iter()
            .reduce(|a, b| if b.1 > a.1 { b } else { a });
        most.and_then(|p| number.get(p.0.as_str()))
            .copied()
            .unwrap_or(0)
    };
    let cells: String = m.cores.iter().map(|c| core(m, c, color(c), cell)).collect();
    let mut legend: String = order
        .iter()
        .take(NAMED)
        .map(|name| {
            format!(
                "<span><i class=\"f{}\"></i>{}</span>",
                number[name],
                escape(name)
            )
        })
        .collect();
    if order.len() > NAMED {
        legend += &format!("<span>and {} more</span>", order.len() - NAMED);
    }
    format!(
        "<div class=\"legend map\">{legend}</div>\n<svg class=\"mesh\" viewBox=\"-1 -1 {w} {}\" style=\"max-width:{w}px\" role=\"img\" aria-label=\"Placement of cores\">\n\
         <defs><pattern id=\"grid\" width=\"{cell}\" height=\"{cell}\" patternUnits=\"userSpaceOnUse\"><path d=\"M {cell} 0 H 0 V {cell}\"/></pattern></defs>\n\
         <rect class=\"chip\" width=\"{width}\" height=\"{height}\"/>\n{cells}</svg>\n",
        height + 2,
        w = width + 2,
    )
}

fn core(m: &Mapped, c: &CoreUse, color: usize, cell: u64) -> String {
    let (_, x, y) = c.place;
    let (left, top) = (x * cell, (m.mesh[1] - 1 - y) * cell);
    let (name, share) = m.binding(c).map_or(("", 0.0), |b| (RESOURCES[b.0], b.1));
    let holds = c
        .populations
        .iter()
        .map(|(p, n)| format!("\n{p}: {}", count(*n)));
    let words = escape(&format!(
        "core ({x}, {y}): {} of {name}{}",
        percent(share),
        holds.collect::<String>()
    ));
    let opacity = 0.15 + 0.85 * share.clamp(0.0, 1.0);
    let mut out = format!(
        "<g><title>{words}</title><rect class=\"core f{color}\" x=\"{left}\" y=\"{top}\" width=\"{cell}\" height=\"{cell}\" style=\"fill-opacity:{opacity:.2}\"/>"
    );
    if cell >= 30 {
        let class = if share > 0.55 { "on" } else { "off" };
        let (x, y) = (left + cell / 2, top + cell / 2 + 4);
        out += &format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{:.0}</text>",
            share * 100.0
        );
    }
    out + "</g>\n"
}
