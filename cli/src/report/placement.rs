//! The mesh as a drawing: where each population sits, and how full its cores are.

use super::drawing::{Drawing, side};
use super::html::escape;
use super::links::borders;
use crate::mapping::{CoreUse, Mapped, RESOURCES, list};
use crate::units::{count, percent};
use serde_json::Value;
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

/// Populations and their colours.
pub fn legend(m: &Mapped) -> String {
    let (order, number) = colors(m);
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
    format!("<div class=\"legend map\">{legend}</div>\n")
}

/// The drawing: each core filled from below as far as its binding limit is used, in the colours and shares of its populations; lines are the heaviest flows.
/// `named`: with the names of populations below, for where there is no [`legend`].
pub fn placement(m: &Mapped, traffic: &Value, named: bool) -> Drawing {
    let [columns, rows] = m.used;
    let cell = side(m);
    let (width, height) = (columns * cell, rows * cell);
    let (order, number) = colors(m);
    let cells: String = m.cores.iter().map(|c| core(m, c, &number, cell)).collect();
    let mut body = format!(
        "<defs><pattern id=\"grid\" width=\"{cell}\" height=\"{cell}\" patternUnits=\"userSpaceOnUse\"><path d=\"M {cell} 0 H 0 V {cell}\"/></pattern></defs>\n\
         <rect class=\"chip\" width=\"{width}\" height=\"{height}\"/>\n{cells}{}{}{}",
        borders(m, traffic, cell),
        flows(m, traffic, cell),
        numbers(m, cell)
    );
    let mut below = 0;
    if named {
        for (k, name) in order.iter().take(NAMED).enumerate() {
            let (x, y) = (k as u64 % 3 * 160, height + 12 + k as u64 / 3 * 18);
            body += &format!(
                "<rect class=\"f{}\" x=\"{x}\" y=\"{y}\" width=\"10\" height=\"10\"/><text class=\"left\" x=\"{}\" y=\"{}\">{}</text>\n",
                number[name],
                x + 15,
                y + 9,
                escape(name)
            );
            below = 12 + (k as u64 / 3 + 1) * 18;
        }
    }
    Drawing {
        width: if named { width.max(480) } else { width },
        height: height + below,
        body,
    }
}

/// The heaviest flows as curves from core to core, the wider the more packets.
fn flows(m: &Mapped, traffic: &Value, cell: u64) -> String {
    let all = list(&traffic["flows"]);
    let most = all.iter().filter_map(|f| f[2].as_f64()).fold(0.0, f64::max);
    let center = |k: &Value| {
        let c = m.cores.get(k.as_u64()? as usize)?;
        let half = cell as f64 / 2.0;
        Some((
            (c.place.1 * cell) as f64 + half,
            ((m.used[1] - 1 - c.place.2) * cell) as f64 + half,
        ))
    };
    let mut out = String::new();
    for f in all {
        let (Some(a), Some(b), Some(w)) = (center(&f[0]), center(&f[1]), f[2].as_f64()) else {
            continue;
        };
        // Bent to the left of their way, so that opposite flows stand apart.
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mx, my) = ((a.0 + b.0) / 2.0 + dy * 0.18, (a.1 + b.1) / 2.0 - dx * 0.18);
        let share = if most > 0.0 { w / most } else { 0.0 };
        out += &format!(
            "<path class=\"flow\" d=\"M {:.1} {:.1} Q {mx:.1} {my:.1} {:.1} {:.1}\" style=\"stroke-width:{:.2}px;stroke-opacity:{:.2}\"/>\n",
            a.0,
            a.1,
            b.0,
            b.1,
            0.5 + 2.0 * share,
            0.15 + 0.5 * share
        );
    }
    out
}

fn core(m: &Mapped, c: &CoreUse, colors: &BTreeMap<&str, usize>, cell: u64) -> String {
    let (_, x, y) = c.place;
    let (left, top) = (x * cell, (m.used[1] - 1 - y) * cell);
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
    let mut out = format!(
        "<g><title>{words}</title><rect class=\"core\" x=\"{left}\" y=\"{top}\" width=\"{cell}\" height=\"{cell}\"/>"
    );
    let units: u64 = c.populations.iter().map(|p| p.1).sum();
    let mut bottom = (top + cell) as f64;
    for (name, n) in &c.populations {
        let tall = cell as f64 * share.clamp(0.0, 1.0) * *n as f64 / units.max(1) as f64;
        bottom -= tall;
        out += &format!(
            "<rect class=\"part f{}\" x=\"{left}\" y=\"{bottom:.2}\" width=\"{cell}\" height=\"{tall:.2}\"/>",
            colors.get(name.as_str()).copied().unwrap_or(0)
        );
    }
    out + "</g>\n"
}

/// Percent of the binding limit in every core, where cells are large enough to read it.
fn numbers(m: &Mapped, cell: u64) -> String {
    if cell < 30 {
        return String::new();
    }
    let number = |c: &CoreUse| {
        let share = m.binding(c).map_or(0.0, |b| b.1);
        let class = if share > 0.55 { "on" } else { "off" };
        let (x, y) = (
            c.place.1 * cell + cell / 2,
            (m.used[1] - 1 - c.place.2) * cell + cell / 2 + 4,
        );
        format!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{:.0}</text>\n",
            share * 100.0
        )
    };
    m.cores.iter().map(number).collect()
}
