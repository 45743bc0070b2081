//! Where in a `chip.toml` something stands.
//!
//! In: the text, and the keys that lead to a value. Out: its line and column; for a value that is absent, those of the deepest table on the way. Deliberately absent: reading values, which serde does.

use synfire_ir::{Diagnostic, Diagnostics};
use toml::de::{DeTable, DeValue};

/// A step on the way to a value: a key of a table, or a place in an array of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// Key.
    Name(&'a str),
    /// Place, from 0.
    At(usize),
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(name: &'a str) -> Self {
        Key::Name(name)
    }
}

impl From<usize> for Key<'_> {
    fn from(at: usize) -> Self {
        Key::At(at)
    }
}

/// Line and column, from 1, of byte `at`.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// Contradictions under way.
pub struct Found<'a> {
    place: &'a str,
    text: &'a str,
    root: Option<DeValue<'a>>,
    list: Diagnostics,
}

impl<'a> Found<'a> {
    /// Of the file `place` with this text.
    pub fn new(place: &'a str, text: &'a str) -> Found<'a> {
        let table = DeTable::parse(text).ok();
        Found {
            place,
            text,
            root: table.map(|t| DeValue::Table(t.into_inner())),
            list: Diagnostics::new(),
        }
    }

    /// Nothing found so far?
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Everything found.
    pub fn done(self) -> Diagnostics {
        self.list
    }

    /// A contradiction at the value behind these keys.
    pub fn add(&mut self, path: &[Key<'_>], message: String, hint: &str) {
        let at = match self.find(path) {
            Some(at) => {
                let (line, column) = line_and_column(self.text, at);
                format!("{}:{line}:{column}", self.place)
            }
            None => self.place.to_string(),
        };
        let d = Diagnostic::error("SYN0604", message).at(at);
        self.list
            .push(d.note("the chip description contradicts itself").hint(hint));
    }

    /// Byte at which the deepest value on the way begins.
    fn find(&self, path: &[Key<'_>]) -> Option<usize> {
        let mut now = self.root.as_ref()?;
        let mut at = None;
        for key in path {
            let next = match key {
                Key::Name(name) => now.get(*name),
                Key::At(i) => now.get(*i),
            };
            let Some(next) = next else {
                break;
            };
            at = Some(next.span().start);
            now = next.get_ref();
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_absent_values_have_a_place() {
        let text = "a = 1\n[b]\n  c = { value = 5 }\n[[d]]\nx = 1\n[[d]]\nx = 2\n";
        let mut f = Found::new("chip.toml", text);
        let paths: [&[Key]; 6] = [
            &["a".into()],
            &["b".into(), "c".into(), "value".into()],
            &["d".into(), 1.into(), "x".into()],
            &["b".into(), "nothing".into()],
            &["d".into(), 7.into()],
            &["nothing".into()],
        ];
        paths
            .iter()
            .for_each(|p| f.add(p, "wrong".into(), "mend it"));
        let found = f.done();
        let at: Vec<&str> = found.0.iter().filter_map(|d| d.place.as_deref()).collect();
        assert_eq!(at[0], "chip.toml:1:5");
        assert_eq!(at[1], "chip.toml:3:17");
        assert_eq!(at[2], "chip.toml:7:5");
        assert!(at[3].starts_with("chip.toml:2:"), "{}", at[3]);
        assert!(at[4].starts_with("chip.toml:4:"), "{}", at[4]);
        assert_eq!(at[5], "chip.toml");
    }
}
