//! Link loads as a drawing of the mesh, or of whatever connects the cores: tori, hexagonal fabrics, and blocks of cores behind one router.

use super::drawing::{Drawing, side};
use crate::mapping::{Mapped, list};
use crate::units::short;
use serde_json::Value;

/// Names of the directions, and columns and rows that a link of each pair leads on.
const WAYS: [&str; 6] = ["east", "west", "north", "south", "north-east", "south-west"];
const STEPS: [(f64, f64); 3] = [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)];

/// Columns and rows of the cores behind one router.
fn node(traffic: &Value) -> (f64, f64) {
    let n = list(&traffic["fabric"]["node"]);
    let of = |k: usize| n.get(k).and_then(Value::as_f64).unwrap_or(1.0);
    (of(0), of(1))
}

/// Lines around the blocks of cores that the chip has.
pub fn borders(m: &Mapped, traffic: &Value, cell: u64) -> String {
    let [columns, rows] = m.used;
    let (width, height) = (columns * cell, rows * cell);
    let mut out = String::new();
    for b in list(&traffic["fabric"]["blocks"]) {
        let (Some(w), Some(h)) = (b[0].as_u64(), b[1].as_u64()) else {
            continue;
        };
        let across = (1..columns.checked_div(w).unwrap_or(0)).map(|k| k * w * cell);
        let along = (1..rows.checked_div(h).unwrap_or(0)).map(|k| height - k * h * cell);
        let lines = across
            .map(|x| format!("M {x} 0 V {height}"))
            .chain(along.map(|y| format!("M 0 {y} H {width}")));
        let lines: Vec<String> = lines.collect();
        if !lines.is_empty() {
            out += &format!("<path class=\"border\" d=\"{}\"/>\n", lines.join(" "));
        }
    }
    out
}

/// Share of a node's side that a link out of the picture reaches beyond it.
const AROUND: f64 = 0.35;

/// Does a link begin in the part of the chip that is shown?
fn inside(m: &Mapped, link: &Value) -> bool {
    let at = |k: usize| link[k].as_f64().unwrap_or(0.0);
    at(0) < m.used[0] as f64 && at(1) < m.used[1] as f64
}

/// Load of every directed link: a bar between two cores for each direction, the redder the more of the busiest link's load it carries. A link around the edge leads out of the
/// picture. `None` without traffic.
pub fn links(m: &Mapped, traffic: &Value) -> Option<Drawing> {
    let all = list(&traffic["links"]);
    let most = all.iter().filter_map(|l| l[3].as_f64()).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let cell = side(m) as f64;
    let (width, height) = (m.used[0] as f64 * cell, m.used[1] as f64 * cell);
    let (nw, nh) = node(traffic);
    let mut body = format!("<rect class=\"sheet\" width=\"{width}\" height=\"{height}\"/>\n");
    body += &borders(m, traffic, side(m));
    let square = cell * 0.3;
    for c in &m.cores {
        let (x, y) = (c.place.1 as f64, (m.used[1] - 1 - c.place.2) as f64);
        body += &format!(
            "<rect class=\"node\" x=\"{:.2}\" y=\"{:.2}\" width=\"{square:.2}\" height=\"{square:.2}\"/>\n",
            x * cell + (cell - square) / 2.0,
            y * cell + (cell - square) / 2.0
        );
    }
    for l in all {
        let number = |k: usize| l[k].as_f64().unwrap_or(0.0);
        let (x, y, d, w) = (number(0), number(1), (number(2) as usize).min(5), number(3));
        if !inside(m, l) {
            continue;
        }
        let from = ((x + nw / 2.0) * cell, height - (y + nh / 2.0) * cell);
        let step = STEPS[d / 2];
        let by = (step.0 * nw * cell, -step.1 * nh * cell);
        let bar = bar(from, by, d.is_multiple_of(2), cell);
        body += &format!(
            "<g><title>({x}, {y}) {}: {}</title><polygon class=\"load\" points=\"{bar}\" style=\"fill-opacity:{:.3}\"/></g>\n",
            WAYS[d],
            short(w),
            0.06 + 0.94 * w / most
        );
    }
    // Links around the edges that are in use begin at the last column and row.
    let leaves = |axis: usize, ways: [usize; 2], of: f64| {
        let end = |l: &Value| l[axis].as_f64().unwrap_or(0.0) + of >= m.used[axis] as f64;
        let on = |l: &Value| ways.contains(&(l[2].as_u64().unwrap_or(0) as usize / 2));
        let any = all.iter().any(|l| on(l) && end(l) && inside(m, l));
        if any { AROUND * of * cell } else { 0.0 }
    };
    let (right, above) = (leaves(0, [0, 2], nw), leaves(1, [1, 2], nh));
    body = format!("<g transform=\"translate(0 {above:.2})\">\n{body}</g>\n");
    let (width, height) = (width + right, height + above);
    let foot = 26.0;
    body += &format!(
        "<text class=\"left\" x=\"0\" y=\"{:.0}\">busiest link: {} packets a step, if every neuron spikes once</text>\n",
        height + 18.0,
        short(most)
    );
    Some(Drawing {
        width: (width as u64).max(360),
        height: (height + foot) as u64,
        body,
    })
}

/// Corners of the bar of a link that leads on by `by`, on one side of the line between the nodes for each direction.
fn bar(from: (f64, f64), by: (f64, f64), forward: bool, cell: f64) -> String {
    let length = by.0.hypot(by.1).max(1.0);
    let beside = (-by.1 / length, by.0 / length);
    let (near, far) = if forward {
        (0.02, 0.15)
    } else {
        (-0.15, -0.02)
    };
    let corner = |along: f64, off: f64| {
        format!(
            "{:.2},{:.2}",
            from.0 + by.0 * along + beside.0 * off * cell,
            from.1 + by.1 * along + beside.1 * off * cell
        )
    };
    [
        corner(0.19, near),
        corner(0.81, near),
        corner(0.81, far),
        corner(0.19, far),
    ]
    .join(" ")
}
