//! Diagnostics: what every crate returns when input is wrong, as data.
//!
//! Nothing here prints. A [`Diagnostic`] says where, what, why and how to mend it; the command line renders it.
//! Several are gathered in [`Diagnostics`], so that one run reports everything that is wrong.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A byte range in one source file of a [`SourceMap`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Span {
    /// Index of the file in the [`SourceMap`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span over `start..end` of file `file`.
    pub fn new(file: u32, start: usize, end: usize) -> Self {
        Span {
            file,
            start: start as u32,
            end: end as u32,
        }
    }

    /// The smallest span that covers both (which must lie in one file).
    pub fn to(self, other: Span) -> Span {
        Span {
            file: self.file,
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// One file that was read: its display name and text.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name as the user gave it; `<std>/...` for built-in text.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// All texts that spans point into, in order of loading.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<Source>,
}

impl SourceMap {
    /// Adds a file and returns its index.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> u32 {
        self.files.push(Source {
            name: name.into(),
            text: text.into(),
        });
        (self.files.len() - 1) as u32
    }

    /// The file with that index, if there is one.
    pub fn get(&self, file: u32) -> Option<&Source> {
        self.files.get(file as usize)
    }

    /// Index of the file with that name, if it was loaded.
    pub fn find(&self, name: &str) -> Option<u32> {
        self.files
            .iter()
            .position(|f| f.name == name)
            .map(|i| i as u32)
    }

    /// Line and column (both from 1, columns in characters) of a span's start.
    pub fn line_col(&self, span: Span) -> Option<(usize, usize)> {
        let text = &self.get(span.file)?.text;
        let mut at = (span.start as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let col = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((line, col))
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the work goes on.
    Note,
    /// Probably not what was meant; the work goes on.
    Warning,
    /// The work cannot be done.
    Error,
}

/// What kind of failure an error is: it decides the exit status of the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The input is wrong (exit 1).
    #[default]
    Input,
    /// The command line is wrong (exit 2).
    Usage,
    /// The network does not fit the target (exit 3).
    Fit,
    /// A device, board or file system failed (exit 4).
    Device,
}

/// A message at a place in a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What to say there ("declared here"); may be empty.
    pub text: String,
}

/// One thing to tell the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable code such as `SYN0101`.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// Which exit status an error leads to.
    pub class: Class,
    /// One sentence: what is wrong, with numbers and units.
    pub message: String,
    /// The file it is about when there is no span (a binary file, an artefact), and the place inside it (a node path).
    pub place: Option<String>,
    /// Places in source texts; the first is the main one.
    pub labels: Vec<Label>,
    /// Why it matters or how it came about.
    pub notes: Vec<String>,
    /// How to mend it; at least one for an error.
    pub hints: Vec<String>,
    /// Machine-readable facts, e.g. `("limit", "axons")`, `("needed", "412")`, `("available", "256")`.
    pub fields: Vec<(String, String)>,
}

impl Diagnostic {
    /// An error with that code and message.
    pub fn error(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning with that code and message.
    pub fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note with that code and message.
    pub fn note_of(code: &str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    fn new(code: &str, severity: Severity, message: impl Into<String>) -> Self {
        Diagnostic {
            code: code.into(),
            severity,
            class: Class::Input,
            message: message.into(),
            place: None,
            labels: vec![],
            notes: vec![],
            hints: vec![],
            fields: vec![],
        }
    }

    /// Sets the class (exit status).
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Names the file (and the place in it) when there is no span.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// Adds a label; the first one is the main place.
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a reason.
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds a remedy.
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hints.push(text.into());
        self
    }

    /// Adds a machine-readable fact.
    pub fn field(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.fields.push((key.into(), value.to_string()));
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{s}[{}]: ", self.code)?;
        if let Some(p) = &self.place {
            write!(f, "{p}: ")?;
        }
        write!(f, "{}", self.message)?;
        for n in &self.notes {
            write!(f, "; {n}")?;
        }
        for h in &self.hints {
            write!(f, "; help: {h}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// The diagnostics of one run, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, d: Diagnostic) {
        self.0.push(d);
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// Is there an error among them?
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// No diagnostics at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Orders by main place (file, then position); those without a span keep their order and come first.
    pub fn sort(&mut self) {
        self.0.sort_by_key(|d| d.labels.first().map(|l| l.span));
    }

    /// `Ok(value)` when there is no error among these; the warnings stay with the caller.
    pub fn result<T>(&self, value: T) -> Result<T, Diagnostics> {
        if self.has_errors() {
            Err(self.clone())
        } else {
            Ok(value)
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(d: Diagnostic) -> Self {
        Diagnostics(vec![d])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{d}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// Progress and cancellation of long work; the command line draws it.
pub trait Progress: Sync {
    /// `done` of `total` units of the stage `what` are finished.
    fn report(&self, what: &str, done: u64, total: u64);
    /// Has the user asked to stop? Long loops look here at least every 100 ms.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Reports nothing and never cancels.
pub struct Quiet;

impl Progress for Quiet {
    fn report(&self, _: &str, _: u64, _: u64) {}
}

/// The name in `names` nearest to `wanted` (optimal string alignment distance of at most a third of its length), for "did you mean".
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wanted.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|n| (edit_distance(wanted, n), n))
        .filter(|(d, _)| *d <= limit)
        .min_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(b.1)))
        .map(|(_, n)| n)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
