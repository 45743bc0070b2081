//! Tables in text: columns that line up, numbers to the right, long names shortened.

use crate::console::Console;

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

/// A table under construction.
pub struct Table {
    head: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

/// Blanks between columns.
const GAP: usize = 2;

impl Table {
    /// A table with these headings.
    pub fn new(head: &[(&str, Side)]) -> Table {
        Table {
            head: head.iter().map(|(t, s)| (t.to_string(), *s)).collect(),
            rows: vec![],
        }
    }

    /// Adds a row; it has one cell a column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// No rows yet?
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text, at most as wide as the console where the first column can give way.
    pub fn render(&self, console: &Console) -> String {
        let width = |k: usize| {
            let cells = self.rows.iter().filter_map(|r| r.get(k));
            cells
                .chain(std::iter::once(&self.head[k].0))
                .map(|c| c.chars().count())
                .max()
                .unwrap_or(0)
        };
        let mut widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        if let Some(first) = widths.first_mut() {
            *first = first
                .saturating_sub(total.saturating_sub(console.width))
                .max(8.min(*first));
        }
        let mut out = String::new();
        let head: Vec<String> = self.head.iter().map(|h| h.0.clone()).collect();
        out += &console.dim(&self.line(&head, &widths));
        out.push('\n');
        for row in &self.rows {
            out += &self.line(row, &widths);
            out.push('\n');
        }
        out
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut out = String::new();
        for (k, ((_, side), width)) in self.head.iter().zip(widths).enumerate() {
            let cell = shorten(cells.get(k).map_or("", String::as_str), *width);
            let blanks = " ".repeat(width.saturating_sub(cell.chars().count()));
            if k > 0 {
                out += &" ".repeat(GAP);
            }
            match side {
                Side::Left => out += &(cell + &blanks),
                Side::Right => out += &(blanks + &cell),
            }
        }
        out.trim_end().into()
    }
}

/// The text in at most `width` characters, its middle left out if need be.
pub fn shorten(text: &str, width: usize) -> String {
    let n = text.chars().count();
    if n <= width {
        return text.into();
    }
    let keep = width.saturating_sub(1);
    let tail = keep / 2;
    let head: String = text.chars().take(keep - tail).collect();
    let end: String = text.chars().skip(n - tail).collect();
    format!("{head}…{end}")
}

/// The text in at most `width` characters, its end left out if need be.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.into();
    }
    let head: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Text filled to a width; further lines are indented.
pub fn paragraph(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for w in text.split_whitespace() {
        if !line.trim().is_empty() && line.chars().count() + 1 + w.chars().count() > width {
            out += &line;
            out.push('\n');
            line = " ".repeat(indent);
        } else if !line.trim().is_empty() {
            line.push(' ');
        }
        line += w;
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortening_keeps_both_ends() {
        assert_eq!(shorten("hidden.layer.12", 9), "hidd…r.12");
        assert_eq!(shorten("exc", 3), "exc");
        assert_eq!(shorten("exc", 1), "…");
    }
}
