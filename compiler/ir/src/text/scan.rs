//! Tokens of the text forms, one at a time, and errors with line and column.

use super::{BAD_TOKEN, EXPECTED};
use crate::diag::{Diagnostic, Diagnostics};

/// Most errors that one text reports.
const MAX_ERRORS: usize = 20;
const MARKS: [&str; 13] = [
    "->", "..", ".", "{", "}", "[", "]", "(", ")", ":", ",", "=", "@",
];

/// A token; texts lie in the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// Letters, digits and `_`, in parts joined by single dots.
    Word(&'a str),
    /// What stands between two quotes, escapes included.
    Quoted(&'a str),
    /// A decimal number, `0x...`, or `-inf`.
    Number(&'a str),
    /// The digits after `%`.
    Value(&'a str),
    /// What follows `#`.
    Index(&'a str),
    /// Punctuation.
    Mark(&'static str),
    /// What no token begins with, and why.
    Bad(&'static str),
    /// The end of the text.
    End,
}

/// May `c` stand inside a word?
pub(super) fn in_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_'
}

/// Length of the word that `b` begins with; 0 if there is none.
pub(super) fn word_len(b: &[u8]) -> usize {
    if !b
        .first()
        .is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_')
    {
        return 0;
    }
    let mut n = 1;
    loop {
        match (b.get(n), b.get(n + 1)) {
            (Some(&c), _) if in_word(c) => n += 1,
            (Some(b'.'), Some(&c)) if in_word(c) => n += 2,
            _ => return n,
        }
    }
}

fn run_len(b: &[u8], f: impl Fn(u8) -> bool) -> usize {
    b.iter().take_while(|c| f(**c)).count()
}

/// Length of the number that `b` begins with; 0 if there is none.
fn number_len(b: &[u8]) -> usize {
    let sign = usize::from(b.first() == Some(&b'-'));
    let b = &b[sign..];
    if sign == 1 && b.starts_with(b"inf") && !b.get(3).is_some_and(|c| in_word(*c)) {
        return 4;
    }
    if sign == 0 && b.starts_with(b"0x") {
        return 2 + run_len(&b[2..], |c| c.is_ascii_hexdigit());
    }
    let digits = |at: usize| run_len(b.get(at..).unwrap_or(&[]), |c| c.is_ascii_digit());
    let mut n = digits(0);
    if n == 0 {
        return 0;
    }
    if b.get(n) == Some(&b'.') && digits(n + 1) > 0 {
        n += 1 + digits(n + 1);
    }
    if matches!(b.get(n), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(b.get(n + 1), Some(b'+' | b'-')));
        let exponent = digits(n + 1 + signed);
        if exponent > 0 {
            n += 1 + signed + exponent;
        }
    }
    sign + n
}

/// The token at the start of `text`, and its length in bytes.
fn lex(text: &str) -> (Token<'_>, usize) {
    let b = text.as_bytes();
    let Some(&first) = b.first() else {
        return (Token::End, 0);
    };
    if first == b'"' {
        let mut n = 1;
        loop {
            match b.get(n) {
                Some(b'"') => return (Token::Quoted(&text[1..n]), n + 1),
                Some(b'\\') if matches!(b.get(n + 1), Some(b'"' | b'\\')) => n += 2,
                None | Some(b'\n') => return (Token::Bad("a string that does not end"), n),
                Some(_) => n += 1,
            }
        }
    }
    let n = word_len(b);
    if n > 0 {
        return (Token::Word(&text[..n]), n);
    }
    let n = number_len(b);
    if n > 0 {
        return (Token::Number(&text[..n]), n);
    }
    if first == b'%' || first == b'#' {
        let n = 1 + run_len(&b[1..], in_word);
        let inner = &text[1..n];
        return match first {
            b'%' => (Token::Value(inner), n),
            _ => (Token::Index(inner), n),
        };
    }
    match MARKS.iter().find(|m| text.starts_with(**m)) {
        Some(m) => (Token::Mark(m), m.len()),
        None => {
            let n = text.chars().next().map_or(0, char::len_utf8);
            (Token::Bad("a character that means nothing here"), n)
        }
    }
}

/// Reads a text token by token.
pub(crate) struct Scanner<'a> {
    name: &'a str,
    text: &'a str,
    token: Token<'a>,
    start: usize,
    end: usize,
    /// Was an item skipped? Then names may be missing for no fault of their users.
    pub damaged: bool,
}

impl<'a> Scanner<'a> {
    /// Stands before the first token; `name` is what errors call the text.
    pub fn new(name: &'a str, text: &'a str) -> Self {
        let mut s = Scanner {
            name,
            text,
            token: Token::End,
            start: 0,
            end: 0,
            damaged: false,
        };
        s.advance();
        s
    }

    fn advance(&mut self) {
        let mut at = self.end;
        loop {
            let rest = &self.text[at..];
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            if blank > 0 {
                at += blank;
            } else if rest.starts_with("//") {
                at += rest.find('\n').unwrap_or(rest.len());
            } else {
                let (token, len) = lex(rest);
                (self.token, self.start, self.end) = (token, at, at + len);
                return;
            }
        }
    }

    /// The next token.
    pub fn peek(&self) -> Token<'a> {
        self.token
    }

    /// Takes the next token.
    pub fn bump(&mut self) -> Token<'a> {
        let t = self.token;
        self.advance();
        t
    }

    /// Where the next token begins, for [`Self::fault_at`].
    pub fn mark_here(&self) -> usize {
        self.start
    }

    /// An error at the next token.
    pub fn fault(&self, code: &str, what: impl Into<String>) -> Diagnostic {
        self.fault_at(self.start, code, what)
    }

    /// An error at a token before.
    pub fn fault_at(&self, at: usize, code: &str, what: impl Into<String>) -> Diagnostic {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Diagnostic::error(code, what).at(format!("{}:{line}:{column}", self.name))
    }

    /// The error that something else was expected than the next token.
    pub fn expected(&self, what: &str) -> Diagnostics {
        let shown: String = self.text[self.start..self.end].chars().take(32).collect();
        if let Token::Bad(why) = self.token {
            return self
                .fault(BAD_TOKEN, format!("{why}: `{}`", shown.escape_default()))
                .hint(format!("{what} belongs here"))
                .into();
        }
        let found = match self.token {
            Token::End => "the end of the text".to_string(),
            _ => format!("`{}`", shown.escape_default()),
        };
        self.fault(EXPECTED, format!("{what} expected, {found} found"))
            .hint(format!("write {what} here"))
            .into()
    }

    /// Takes the mark if it is next.
    pub fn eat(&mut self, mark: &'static str) -> bool {
        let yes = self.token == Token::Mark(mark);
        if yes {
            self.advance();
        }
        yes
    }

    /// Does the mark follow the next token at once?
    pub fn followed_by(&self, mark: &str) -> bool {
        self.text[self.end..].starts_with(mark)
    }

    /// Takes the mark.
    pub fn mark(&mut self, mark: &'static str) -> Result<(), Diagnostics> {
        if self.eat(mark) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{mark}`")))
        }
    }

    /// Takes the word if it is next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let yes = self.token == Token::Word(word);
        if yes {
            self.advance();
        }
        yes
    }

    /// Takes the word.
    pub fn keyword(&mut self, word: &str) -> Result<(), Diagnostics> {
        if self.eat_word(word) {
            Ok(())
        } else {
            Err(self.expected(&format!("`{word}`")))
        }
    }

    /// Takes a word of which `find` knows the meaning; `what` names what it stands for.
    pub fn choice<T>(
        &mut self,
        what: &str,
        find: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Diagnostics> {
        if let Token::Word(w) = self.token
            && let Some(v) = find(w)
        {
            self.advance();
            return Ok(v);
        }
        Err(self.expected(what))
    }

    /// `[a, b, ...]`, each element read by `f`.
    pub fn list(
        &mut self,
        mut f: impl FnMut(&mut Self) -> Result<(), Diagnostics>,
    ) -> Result<(), Diagnostics> {
        self.mark("[")?;
        if self.eat("]") {
            return Ok(());
        }
        loop {
            f(self)?;
            if self.eat("]") {
                return Ok(());
            }
            if !self.eat(",") {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    /// `{ ... }`, each part read by `f`.
    pub fn braces(
        &mut self,
        mut f: impl FnMut(&mut Self) -> Result<(), Diagnostics>,
    ) -> Result<(), Diagnostics> {
        self.mark("{")?;
        while !self.eat("}") {
            f(self)?;
        }
        Ok(())
    }

    /// Moves to the next line that begins with one of the words, after the byte `item`.
    fn recover(&mut self, words: &[&str], item: usize) {
        let mut at = self.start;
        loop {
            let rest = &self.text[at..];
            let fresh = self.text[..at].ends_with('\n') && at > item;
            if fresh && words.contains(&&rest[..word_len(rest.as_bytes())]) {
                break;
            }
            match rest.find('\n') {
                Some(n) => at += n + 1,
                None => {
                    at = self.text.len();
                    break;
                }
            }
        }
        self.end = at;
        self.advance();
    }
}

/// Reads items up to the end of the text. `words` are what items begin with; after an error reading goes on at the next of
/// them, so that one run reports all.
pub(crate) fn items(
    s: &mut Scanner,
    words: &[&str],
    mut item: impl FnMut(&mut Scanner) -> Result<(), Diagnostics>,
) -> Result<(), Diagnostics> {
    let mut out = Diagnostics::new();
    while s.peek() != Token::End && out.0.len() < MAX_ERRORS {
        let first = s.start;
        if let Err(d) = item(s) {
            out.extend(d);
            s.damaged = true;
            s.recover(words, first);
        }
    }
    out.result(())
}
