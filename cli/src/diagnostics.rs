//! Diagnostics for people (drawn by miette) and for programs (JSON).

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde_json::{Value, json};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use synfire_ir::{Diagnostic, Label, Severity, SourceMap, Span};

/// Most diagnostics drawn without `-v`.
const SHOWN: usize = 20;

/// Draws a list; `all` lifts the limit on its length.
pub fn render<'a>(
    list: impl Iterator<Item = &'a Diagnostic>,
    sources: &SourceMap,
    width: usize,
    color: bool,
    all: bool,
) -> String {
    let theme = if color {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false)
        .with_context_lines(1);
    let mut out = String::new();
    let mut list: Vec<&Diagnostic> = list.collect();
    list.sort_by_key(|d| std::cmp::Reverse(d.severity));
    let limit = if all { usize::MAX } else { SHOWN };
    for d in list.iter().take(limit) {
        if handler
            .render_report(&mut out, &Drawn::new(d, sources))
            .is_err()
        {
            out += &format!("{d}\n");
        }
    }
    if list.len() > limit {
        out += &format!("... and {} more; -v shows them all\n", list.len() - limit);
    }
    out
}

/// A diagnostic as miette takes it: notes are its chain of causes, labels in other files are related messages.
#[derive(Debug)]
struct Drawn {
    message: String,
    code: Option<String>,
    severity: Severity,
    help: Option<String>,
    source: Option<NamedSource<Arc<str>>>,
    labels: Vec<LabeledSpan>,
    related: Vec<Drawn>,
    cause: Option<Box<Cause>>,
}

/// A reason, and the one behind it.
#[derive(Debug)]
struct Cause {
    text: String,
    next: Option<Box<Cause>>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.next.as_deref().map(|c| c as &(dyn Error + 'static))
    }
}

impl Drawn {
    fn new(d: &Diagnostic, sources: &SourceMap) -> Drawn {
        let file = d.labels.first().map(|l| l.span.file);
        let source = file.and_then(|f| sources.get(f));
        let (here, elsewhere): (Vec<&Label>, Vec<&Label>) = d
            .labels
            .iter()
            .partition(|l| source.is_some() && Some(l.span.file) == file);
        let labels = here.iter().filter_map(|l| label(l, sources)).collect();
        let related = elsewhere
            .iter()
            .filter_map(|l| Self::related(l, sources))
            .collect();
        let chain = |next, text: &String| {
            Some(Box::new(Cause {
                text: text.clone(),
                next,
            }))
        };
        let help = match &d.hints[..] {
            [] => None,
            [one] => Some(one.clone()),
            many => Some(
                many.iter()
                    .map(|h| format!("- {h}"))
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
        };
        Drawn {
            message: match &d.place {
                Some(place) => format!("{place}: {}", d.message),
                None => d.message.clone(),
            },
            code: Some(d.code.clone()),
            severity: d.severity,
            help,
            source: source.map(|s| NamedSource::new(&s.name, s.text.clone())),
            labels,
            related,
            cause: d.notes.iter().rev().fold(None, chain),
        }
    }

    /// A label in another file than the main one.
    fn related(l: &Label, sources: &SourceMap) -> Option<Drawn> {
        let source = sources.get(l.span.file)?;
        Some(Drawn {
            message: if l.text.is_empty() {
                "see also".into()
            } else {
                l.text.clone()
            },
            code: None,
            severity: Severity::Note,
            help: None,
            source: Some(NamedSource::new(&source.name, source.text.clone())),
            labels: label(l, sources).into_iter().collect(),
            related: vec![],
            cause: None,
        })
    }
}

/// A label within the bounds of its text.
fn label(l: &Label, sources: &SourceMap) -> Option<LabeledSpan> {
    let text = &sources.get(l.span.file)?.text;
    let inside = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (inside(l.span.start), inside(l.span.end));
    let words = (!l.text.is_empty()).then(|| l.text.clone());
    Some(LabeledSpan::new(words, start, end.saturating_sub(start)))
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Drawn {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|c| c as &(dyn Error + 'static))
    }
}

impl miette::Diagnostic for Drawn {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.code
            .as_ref()
            .map(|c| Box::new(c) as Box<dyn fmt::Display>)
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as _)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        (!self.related.is_empty())
            .then(|| Box::new(self.related.iter().map(|r| r as &dyn miette::Diagnostic)) as _)
    }
}

/// A diagnostic as JSON.
pub fn to_json(d: &Diagnostic, sources: &SourceMap) -> Value {
    let place = |span: Span| {
        let file = sources.get(span.file).map(|s| s.name.clone());
        let (line, column) = sources.line_col(span).unzip();
        (file, line, column)
    };
    let label = |l: &Label| {
        let (file, line, column) = place(l.span);
        json!({ "file": file, "line": line, "column": column, "start": l.span.start, "end": l.span.end, "text": l.text })
    };
    let fields: serde_json::Map<String, Value> = d
        .fields
        .iter()
        .map(|(k, v)| (k.clone(), Value::from(v.clone())))
        .collect();
    json!({
        "code": d.code,
        "severity": d.severity,
        "class": d.class,
        "message": d.message,
        "place": d.place,
        "labels": d.labels.iter().map(label).collect::<Vec<_>>(),
        "notes": d.notes,
        "hints": d.hints,
        "fields": fields,
    })
}

/// A list of diagnostics as JSON.
pub fn all_to_json<'a>(
    list: impl IntoIterator<Item = &'a Diagnostic>,
    sources: &SourceMap,
) -> Vec<Value> {
    list.into_iter().map(|d| to_json(d, sources)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use synfire_ir::Diagnostics;

    fn drawn(d: Diagnostic, sources: &SourceMap) -> String {
        render(Diagnostics::from(d).0.iter(), sources, 80, false, false)
    }

    #[test]
    fn labels_in_two_files_and_out_of_bounds() {
        let mut sources = SourceMap::default();
        let a = sources.add("a.syn", "network A {\n  step 1 mV\n}\n");
        let b = sources.add("b.syn", "let x = 3 ms\n");
        let d = Diagnostic::error("SYN0201", "a step is a time")
            .label(Span::new(a, 19, 23), "this is a voltage")
            .label(Span::new(b, 8, 900), "a time was meant")
            .note("units are checked")
            .hint("write `step 1 ms`");
        let text = drawn(d, &sources);
        for part in [
            "SYN0201",
            "a step is a time",
            "a.syn:2:8",
            "this is a voltage",
            "units are checked",
            "b.syn",
            "write `step 1 ms`",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let list = Diagnostics(vec![Diagnostic::error("SYN0001", "no"); 30]);
        let text = render(list.0.iter(), &SourceMap::default(), 80, false, false);
        assert!(text.contains("and 10 more"), "{text}");
    }
}
