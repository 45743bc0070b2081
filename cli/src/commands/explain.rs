//! `explain`: what a diagnostic code means.
//!
//! The pages are Markdown in `docs/errors`, one file for each area, embedded in the binary: a chapter for each code with its text, a
//! fenced block that raises it and one that is right. An unknown code gets the text of its area and the nearest code that has a page.

use crate::args::ExplainArgs;
use crate::console::Console;
use crate::failure::Outcome;
use crate::table::paragraph;
use serde_json::json;
use synfire_ir::{Class, Diagnostic};

/// The areas in the order of their codes.
const AREAS: [&str; 10] = [
    include_str!("../../../docs/errors/SYN00.md"),
    include_str!("../../../docs/errors/SYN01.md"),
    include_str!("../../../docs/errors/SYN02.md"),
    include_str!("../../../docs/errors/SYN03.md"),
    include_str!("../../../docs/errors/SYN04.md"),
    include_str!("../../../docs/errors/SYN05.md"),
    include_str!("../../../docs/errors/SYN06.md"),
    include_str!("../../../docs/errors/SYN07.md"),
    include_str!("../../../docs/errors/SYN08.md"),
    include_str!("../../../docs/errors/SYN09.md"),
];

/// Text is not set wider than this, whatever the terminal: long lines are hard to read.
const WIDEST: usize = 100;

/// The chapter of one code.
#[derive(Clone, Debug, Default)]
struct Page<'a> {
    code: &'a str,
    title: &'a str,
    /// Paragraphs, each in one line.
    text: String,
    wrong: String,
    right: String,
}

/// One file: heading, text, chapters.
#[derive(Debug, Default)]
struct Area<'a> {
    title: &'a str,
    text: String,
    pages: Vec<Page<'a>>,
}

/// See the module.
pub fn explain(args: &ExplainArgs, console: &Console) -> Outcome {
    let code = args.code.trim().to_uppercase();
    let digits = code.strip_prefix("SYN").filter(|d| d.len() == 4);
    let number: Option<usize> = digits
        .filter(|d| d.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|d| d.parse().ok());
    let area = number.and_then(|n| AREAS.get(n / 100)).map(|t| read(t));
    let (Some(number), Some(area)) = (number, area) else {
        let error = Diagnostic::error("SYN0914", format!("`{}` is no diagnostic code", args.code));
        return Err(error
            .class(Class::Usage)
            .hint("codes are written SYN and four digits, e.g. SYN0903; every message begins with its own")
            .into());
    };
    let page = area.pages.iter().find(|p| p.code == code);
    let near = area
        .pages
        .iter()
        .min_by_key(|p| value(p.code).abs_diff(number));
    if console.is_json() {
        console.json(&json!({
            "code": code,
            "title": page.map(|p| p.title),
            "text": page.map_or(&area.text, |p| &p.text),
            "wrong": page.map(|p| &p.wrong),
            "right": page.map(|p| &p.right),
            "area": area.title,
            "nearest": page.or(near).map(|p| p.code),
        }));
        return Ok(());
    }
    console.print(&match page {
        Some(p) => shown(p, console),
        None => without_page(&code, &area, near, console),
    });
    Ok(())
}

/// The number of a code, for distances.
fn value(code: &str) -> usize {
    code.trim_start_matches("SYN").parse().unwrap_or(0)
}

/// Reads the fixed form of a file; what does not follow it becomes text.
fn read(file: &str) -> Area<'_> {
    let mut area = Area::default();
    let mut block: Option<(bool, String)> = None;
    for line in file.lines() {
        if let Some((right, mut body)) = block.take() {
            if line == "```" {
                let page = area.pages.last_mut();
                match page {
                    Some(p) if right => p.right = body,
                    Some(p) => p.wrong = body,
                    None => area.text += &body,
                }
            } else {
                if !body.is_empty() {
                    body.push('\n');
                }
                body += line;
                block = Some((right, body));
            }
        } else if let Some(title) = line.strip_prefix("# ") {
            area.title = title;
        } else if let Some(head) = line.strip_prefix("## ") {
            let (code, title) = head.split_once(' ').unwrap_or((head, ""));
            area.pages.push(Page {
                code,
                title,
                ..Page::default()
            });
        } else if let Some(info) = line.strip_prefix("```") {
            let right = info.split(' ').any(|w| w == "right");
            block = Some((right, String::new()));
        } else if !line.is_empty() {
            let text = match area.pages.last_mut() {
                Some(p) => &mut p.text,
                None => &mut area.text,
            };
            if !text.is_empty() {
                *text += "\n\n";
            }
            *text += line;
        }
    }
    area
}

fn shown(p: &Page<'_>, console: &Console) -> String {
    let head = console.bold(&format!("{}  {}", p.code, p.title));
    format!(
        "{head}\n\n{}\nThis raises it:\n\n{}\n\nThis is right:\n\n{}\n",
        wrapped(&p.text, console),
        indented(&p.wrong),
        indented(&p.right)
    )
}

fn without_page(code: &str, area: &Area<'_>, near: Option<&Page<'_>>, console: &Console) -> String {
    let mut out = format!("{} is not raised by this build.\n\n", console.bold(code));
    out += &console.bold(area.title);
    out += "\n\n";
    out += &wrapped(&area.text, console);
    if let Some(p) = near {
        out += &format!("\nThe nearest code is {}: {}.\n", p.code, p.title);
    }
    out
}

/// Paragraphs within the console's width.
fn wrapped(text: &str, console: &Console) -> String {
    let width = console.width.min(WIDEST);
    let lines: Vec<String> = text.split("\n\n").map(|p| paragraph(p, width, 0)).collect();
    lines.join("\n")
}

fn indented(text: &str) -> String {
    let line = |l: &str| match l {
        "" => String::new(),
        l => format!("    {l}"),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
