//! Drawings of a mapping: how full the cores are, and how the search went. Each is the inside of an SVG of stated size, in the colours of the
//! page's style, so that pages and files show the same.

use super::html::escape;
use crate::mapping::{Mapped, RESOURCES, list};
use crate::units::{count, percent, short};
use serde_json::Value;

/// The inside of an SVG.
pub struct Drawing {
    /// Columns of its box.
    pub width: u64,
    /// Rows of its box.
    pub height: u64,
    /// Elements.
    pub body: String,
}

impl Drawing {
    /// As an element of a page.
    pub fn element(&self, label: &str) -> String {
        format!(
            "<svg class=\"mesh\" viewBox=\"-1 -1 {w} {}\" style=\"max-width:{w}px\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
            self.height + 2,
            escape(label),
            self.body,
            w = self.width + 2,
        )
    }
}

/// Side of a core's cell in a drawing of the mesh.
pub fn side(m: &Mapped) -> u64 {
    (720 / m.used[0].max(m.used[1]).max(1)).clamp(3, 72)
}

/// Cores that get a bar of their own.
const BARS: usize = 240;

/// A bar for each core, fullest first: share of the limit that binds, in that limit's colour.
pub fn fullness(m: &Mapped) -> Drawing {
    let mut bars: Vec<(usize, f64, (u64, u64))> = m
        .cores
        .iter()
        .filter_map(|c| {
            let (r, share) = m.binding(c)?;
            Some((r, share, (c.place.1, c.place.2)))
        })
        .collect();
    bars.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.2.cmp(&b.2)));
    let shown = bars.len().min(BARS);
    let step = (680.0 / shown.max(1) as f64).clamp(2.0, 28.0);
    let (height, width) = (140.0, (step * shown as f64).max(420.0));
    let mut body = String::new();
    for k in 0..=4 {
        let y = 10.0 + height * (1.0 - k as f64 / 4.0);
        body += &format!(
            "<line class=\"rule\" x1=\"38\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"right\" x=\"32\" y=\"{:.1}\">{} %</text>\n",
            width + 40.0,
            y + 4.0,
            25 * k
        );
    }
    for (i, (r, share, at)) in bars.iter().take(BARS).enumerate() {
        let tall = height * share.clamp(0.0, 1.0);
        body += &format!(
            "<g><title>core ({}, {}): {} of {}</title><rect class=\"f{r}\" x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{tall:.2}\"/></g>\n",
            at.0,
            at.1,
            percent(*share),
            RESOURCES[*r],
            40.0 + i as f64 * step,
            10.0 + height - tall,
            (step - 1.0).max(1.0)
        );
    }
    let mut x = 40.0;
    for (r, name) in RESOURCES.iter().enumerate() {
        let n = bars.iter().filter(|b| b.0 == r).count();
        if n == 0 {
            continue;
        }
        body += &format!(
            "<rect class=\"f{r}\" x=\"{x}\" y=\"{y}\" width=\"10\" height=\"10\"/><text class=\"left\" x=\"{}\" y=\"{}\">{name} bind in {}</text>\n",
            x + 15.0,
            height + 33.0,
            crate::units::number_of(n as u64, "core", "cores"),
            y = height + 24.0
        );
        x += 170.0;
    }
    if bars.len() > shown {
        body += &format!(
            "<text class=\"left\" x=\"{x}\" y=\"{}\">{} more not shown</text>\n",
            height + 33.0,
            count((bars.len() - shown) as u64)
        );
    }
    Drawing {
        width: width as u64 + 60,
        height: height as u64 + 44,
        body,
    }
}

/// Methods of the search named in a line.
const STAGES: usize = 3;

/// Cost over the refinement, and the stages of the search. `None` where nothing was searched.
pub fn history(search: &Value) -> Option<Drawing> {
    let trace: Vec<f64> = list(&search["trace"])
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    let stages: Vec<(&str, u64, f64)> = list(&search["history"])
        .iter()
        .filter_map(|h| Some((h[0].as_str()?, h[1].as_u64()?, h[2].as_f64()?)))
        .collect();
    let first = stages.first()?;
    if stages.len() < 2 {
        return None;
    }
    let most = trace.iter().copied().fold(first.2, f64::max).max(1.0);
    let (width, height) = (640.0, 150.0);
    let y = |v: f64| 10.0 + height * (1.0 - v / most);
    let mut body = String::new();
    for k in 0..=4 {
        let v = most * k as f64 / 4.0;
        body += &format!(
            "<line class=\"rule\" x1=\"64\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"right\" x=\"58\" y=\"{:.1}\">{}</text>\n",
            width + 64.0,
            y(v) + 4.0,
            short(v),
            at = y(v)
        );
    }
    body += &format!(
        "<line class=\"base\" x1=\"64\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/><text class=\"right\" x=\"{:.1}\" y=\"{:.1}\">in order: {}</text>\n",
        width + 64.0,
        width + 62.0,
        y(first.2) + 14.0,
        short(first.2),
        at = y(first.2)
    );
    if trace.len() > 1 {
        let step = width / (trace.len() - 1) as f64;
        let points: Vec<String> = trace
            .iter()
            .enumerate()
            .map(|(i, v)| format!("{:.1},{:.1}", 64.0 + i as f64 * step, y(*v)))
            .collect();
        body += &format!(
            "<polyline class=\"curve\" points=\"{}\"/>\n",
            points.join(" ")
        );
    }
    body += &format!(
        "<text class=\"left\" x=\"64\" y=\"{:.0}\">remote over the refinement of the best search; best so far after each method:</text>\n",
        height + 32.0
    );
    for (k, (name, cores, v)) in stages.iter().enumerate() {
        body += &format!(
            "<text class=\"left\" x=\"{}\" y=\"{:.0}\">{}: {} ({cores} cores)</text>\n",
            64 + k % STAGES * 213,
            height + 50.0 + (k / STAGES * 16) as f64,
            escape(name),
            short(*v)
        );
    }
    Some(Drawing {
        width: width as u64 + 80,
        height: height as u64 + 44 + (stages.len().div_ceil(STAGES) * 16) as u64,
        body,
    })
}

/// All drawings below one another, as a file.
pub fn file(title: &str, parts: &[(&str, Drawing)]) -> String {
    let width = parts.iter().map(|p| p.1.width).max().unwrap_or(0).max(480) + 48;
    let mut y = 56;
    let mut body = String::new();
    for (name, d) in parts {
        body += &format!(
            "<text class=\"head\" x=\"24\" y=\"{}\">{}</text>\n<g class=\"mesh\" transform=\"translate(24 {})\">\n{}</g>\n",
            y + 14,
            escape(name),
            y + 28,
            d.body
        );
        y += d.height + 64;
    }
    // The light colours of the page; a file has no switch.
    let style = include_str!("style.css");
    let root = style.split('}').next().unwrap_or("");
    let mesh: String = style
        .lines()
        .filter(|l| l.starts_with(".mesh"))
        .map(|l| format!("{l}\n"))
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {y}\" width=\"{width}\" height=\"{y}\" font-family=\"system-ui, sans-serif\">\n\
         <style>\n{root}}}\n{mesh}.title {{ font-size: 20px; font-weight: 650; fill: var(--ink); }}\n.head {{ font-size: 14px; font-weight: 600; fill: var(--ink); }}\n</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text class=\"title\" x=\"24\" y=\"36\">{}</text>\n{body}</svg>\n",
        escape(title)
    )
}
