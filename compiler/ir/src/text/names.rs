//! Names, and references to named things.
//!
//! A name is printed bare when it is a word, else in quotes. A reference is the name when just one thing in its list has it,
//! else `#` and the index, so that lists with equal names and indices of nothing have a text, too.

use super::scan::{Scanner, Token, word_len};
use super::{AMBIGUOUS, BAD_TOKEN, ORDER, RANGE, UNKNOWN};
use crate::diag::{Diagnostics, nearest};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// Prints a name.
pub(crate) struct Name<'a>(pub &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && word_len(self.0.as_bytes()) == self.0.len() {
            f.write_str(self.0)
        } else {
            Quoted(self.0).fmt(f)
        }
    }
}

/// Prints a name in quotes.
pub(crate) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                c if c.is_control() => write!(f, "\\u{{{:x}}}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

fn unescape(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match rest.next()? {
            'n' => out.push('\n'),
            'u' => {
                let (hex, after) = rest.as_str().strip_prefix('{')?.split_once('}')?;
                out.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
                rest = after.chars();
            }
            c @ ('"' | '\\') => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

impl Scanner<'_> {
    /// A name, bare or in quotes.
    pub fn name(&mut self, what: &str) -> Result<String, Diagnostics> {
        let name = match self.peek() {
            Token::Word(w) => w.to_string(),
            Token::Quoted(raw) => unescape(raw).ok_or_else(|| {
                self.fault(BAD_TOKEN, "a string with an escape that is not known")
                    .hint("the escapes are `\\\"`, `\\\\`, `\\n` and `\\u{hex}`")
            })?,
            _ => return Err(self.expected(what)),
        };
        self.bump();
        Ok(name)
    }
}

/// The names of a list of things.
pub(crate) struct Names {
    kind: &'static str,
    list: Vec<String>,
    /// Index of a name; `None` when several have it.
    map: BTreeMap<String, Option<u32>>,
}

/// Prints a reference.
pub(crate) struct Ref<'n>(Option<&'n str>, u32);

impl Ref<'_> {
    /// The name, if that is what is printed.
    pub fn name(&self) -> Option<&str> {
        self.0
    }
}

impl fmt::Display for Ref<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => Name(name).fmt(f),
            None => write!(f, "#{}", self.1),
        }
    }
}

impl Names {
    /// None yet; `kind` says what they name ("group").
    pub fn new(kind: &'static str) -> Self {
        Names {
            kind,
            list: vec![],
            map: BTreeMap::new(),
        }
    }

    /// All names of a list.
    pub fn of<'a>(kind: &'static str, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut all = Names::new(kind);
        names.into_iter().for_each(|n| all.push(n));
        all
    }

    /// The next name of the list.
    pub fn push(&mut self, name: &str) {
        let index = self.list.len() as u32;
        self.map
            .entry(name.to_string())
            .and_modify(|first| *first = None)
            .or_insert(Some(index));
        self.list.push(name.to_string());
    }

    /// The reference to thing `index`.
    pub fn show(&self, index: impl Into<u32>) -> Ref<'_> {
        let index = index.into();
        let name = self.list.get(index as usize).map(String::as_str);
        let unique = name.filter(|n| self.map.get(*n) == Some(&Some(index)));
        Ref(unique, index)
    }

    /// Reads a reference.
    pub fn read<T: TryFrom<u32>>(&self, s: &mut Scanner) -> Result<T, Diagnostics> {
        let fits = |s: &Scanner, index: u32| {
            T::try_from(index).map_err(|_| {
                s.fault(RANGE, format!("{} {index} cannot be numbered", self.kind))
                    .hint("use fewer of them")
                    .into()
            })
        };
        if let Token::Index(digits) = s.peek() {
            let index = digits.parse::<u32>().map_err(|_| {
                s.fault(
                    RANGE,
                    format!("`#{digits}` is not the number of a {}", self.kind),
                )
                .hint(format!("numbers are `#0` to `#{}`", u32::MAX))
            })?;
            let index = fits(s, index)?;
            s.bump();
            return Ok(index);
        }
        let wanted = match s.peek() {
            Token::Word(_) | Token::Quoted(_) => {
                let at = s.mark_here();
                (s.name("a name")?, at)
            }
            _ => return Err(s.expected(&format!("the name of a {}", self.kind))),
        };
        self.find(s, &wanted.0, wanted.1).and_then(|i| fits(s, i))
    }

    /// Reads the reference to thing `index`, where lists are given in order.
    pub fn read_next(&self, s: &mut Scanner, index: usize) -> Result<(), Diagnostics> {
        let at = s.mark_here();
        let found: u32 = self.read(s)?;
        if found as usize == index || s.damaged {
            return Ok(());
        }
        let wanted = self.show(index as u32);
        Err(s
            .fault_at(at, ORDER, format!("{} `{wanted}` comes next", self.kind))
            .hint("give them in the order in which they are declared")
            .into())
    }

    fn find(&self, s: &Scanner, wanted: &str, at: usize) -> Result<u32, Diagnostics> {
        match self.map.get(wanted) {
            Some(Some(index)) => Ok(*index),
            Some(None) => Err(s
                .fault_at(
                    at,
                    AMBIGUOUS,
                    format!("`{wanted}` is the name of more than one {}", self.kind),
                )
                .hint("write `#` and its number, counted from 0")
                .into()),
            // What the name stands for may have been skipped after an error, which was reported.
            None if s.damaged => Ok(0),
            None => {
                let d = s.fault_at(at, UNKNOWN, format!("there is no {} `{wanted}`", self.kind));
                let known = self.list.iter().map(String::as_str);
                Err(match nearest(wanted, known) {
                    Some(n) => d.hint(format!("did you mean `{n}`?")),
                    None => d.hint("things are named before they are used"),
                }
                .into())
            }
        }
    }
}
