//! The frame of a page, and the pieces that all pages use.

/// Text with the characters that HTML gives a meaning replaced.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            _ => out.push(c),
        }
    }
    out
}

/// A page with a title, a line below it, sections and the data for its script (JSON).
pub fn page(
    title: &str,
    kicker: &str,
    lead: &str,
    sections: &[String],
    data: &serde_json::Value,
) -> String {
    // `<` cannot stand in a script element: the text could end it.
    let data = data.to_string().replace('<', "\\u003c");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} – Synfire</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <header>\n<div><p class=\"kicker\">{kicker}</p>\n<h1>{title}</h1>\n<p class=\"lead\">{lead}</p></div>\n\
         <button id=\"theme\" type=\"button\" aria-label=\"Switch between light and dark\">◐</button>\n</header>\n<main>\n{sections}</main>\n\
         <footer>Made by synfire {version}.</footer>\n<script type=\"application/json\" id=\"data\">{data}</script>\n<script>\n{script}</script>\n</body>\n</html>\n",
        title = escape(title),
        kicker = escape(kicker),
        lead = escape(lead),
        style = include_str!("style.css"),
        script = include_str!("script.js"),
        version = env!("CARGO_PKG_VERSION"),
        sections = sections.concat(),
    )
}

/// A section with a heading; `note` stands below it when it is not empty.
pub fn section(id: &str, title: &str, note: &str, body: &str) -> String {
    let note = if note.is_empty() {
        String::new()
    } else {
        format!("<p class=\"note\">{}</p>\n", escape(note))
    };
    format!(
        "<section id=\"{id}\">\n<h2>{}</h2>\n{note}{body}</section>\n",
        escape(title)
    )
}

/// Facts as a grid of small cards: (name, value, unit or remark).
pub fn cards(facts: &[(&str, String, String)]) -> String {
    let card = |(name, value, remark): &(&str, String, String)| {
        let remark = if remark.is_empty() {
            String::new()
        } else {
            format!(" <small>{}</small>", escape(remark))
        };
        format!(
            "<div class=\"card\"><dt>{}</dt><dd>{}{remark}</dd></div>\n",
            escape(name),
            escape(value)
        )
    };
    format!(
        "<dl class=\"cards\">\n{}</dl>\n",
        facts.iter().map(card).collect::<String>()
    )
}

/// A cell of a table: HTML, and whether it is a number (set to the right).
pub struct Cell(pub String, pub bool);

/// A text cell.
pub fn text(t: &str) -> Cell {
    Cell(escape(t), false)
}

/// A number cell.
pub fn number(t: &str) -> Cell {
    Cell(escape(t), true)
}

/// Text in which what stands between backticks is code.
pub fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let set = parts.map(|(k, t)| match k % 2 {
        1 => format!("<code>{}</code>", escape(t)),
        _ => escape(t),
    });
    set.collect()
}

/// A table; one of few columns is only as wide as it must be.
pub fn table(head: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let right: Vec<bool> = (0..head.len())
        .map(|k| rows.iter().any(|r| r.get(k).is_some_and(|c| c.1)))
        .collect();
    let class = |k: usize| {
        if right.get(k).copied().unwrap_or(false) {
            " class=\"n\""
        } else {
            ""
        }
    };
    let heads: String = head
        .iter()
        .enumerate()
        .map(|(k, h)| format!("<th scope=\"col\"{}>{}</th>", class(k), escape(h)))
        .collect();
    let row = |r: &Vec<Cell>| {
        let cells: String = r
            .iter()
            .enumerate()
            .map(|(k, c)| format!("<td{}>{}</td>", class(k), c.0))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let slim = if head.len() <= 4 {
        " class=\"slim\""
    } else {
        ""
    };
    format!(
        "<div class=\"wide\"><table{slim}>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{}</tbody>\n</table></div>\n",
        rows.iter().map(row).collect::<String>()
    )
}

/// A horizontal bar from 0 to 1, with its words.
pub fn bar(share: f64, words: &str, class: &str) -> String {
    let width = (share.clamp(0.0, 1.0) * 1000.0).round() / 10.0;
    format!(
        "<span class=\"bar {class}\" role=\"img\" aria-label=\"{0}\"><i style=\"width:{width}%\"></i></span><span class=\"words\">{0}</span>",
        escape(words)
    )
}

/// A line of values as a small drawing, scaled to its largest value.
pub fn sparkline(values: &[f64], color: usize) -> String {
    let top = values.iter().copied().fold(0.0, f64::max);
    if top <= 0.0 || values.len() < 2 {
        return "<svg class=\"spark\" viewBox=\"0 0 120 24\" aria-hidden=\"true\"><line x1=\"0\" y1=\"23\" x2=\"120\" y2=\"23\"/></svg>".into();
    }
    let x = |k: usize| k as f64 / (values.len() - 1) as f64 * 120.0;
    let points: String = values
        .iter()
        .enumerate()
        .map(|(k, v)| format!("{:.1},{:.1} ", x(k), 23.0 - v / top * 21.0))
        .collect();
    format!(
        "<svg class=\"spark s{color}\" viewBox=\"0 0 120 24\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><polygon points=\"0,23 {points}120,23\"/><polyline points=\"{points}\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out() {
        let hostile = "</script><script>alert(1)</script>";
        let data = serde_json::json!({ "name": hostile });
        let page = page(
            hostile,
            hostile,
            hostile,
            &[section(
                "a",
                hostile,
                hostile,
                &cards(&[("x", hostile.into(), hostile.into())]),
            )],
            &data,
        );
        assert_eq!(page.matches("<script").count(), 2);
        assert!(!page.contains("alert(1)</script>"));
    }
}
