//! Tokens to a tree: recursive descent with one token of look-ahead (two where a contextual keyword may also be a name).
//!
//! Comes in: a text and its tokens. Goes out: the tree, all errors, and for each token how the formatter must treat it.
//! Invariants: never fails and never recurses deeper than [`MAX_NESTING`] levels; each failed statement is reported once and skipped up to
//! the next statement or closing brace; every loop consumes a token or ends.

mod block;
mod experiment;
mod expr;
mod item;
mod list;
mod model;
mod net;
mod recover;

use super::keywords::{RESERVED, is_head};
use super::lexer::{Lexed, RawComment, Tok, Token};
use super::report;
use super::tree::{Comment, Doc, File, MAX_NESTING, Name, Path};
use std::collections::HashSet;
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Diagnostics, Span, nearest};

/// What the formatter needs to know about a token beyond its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    None,
    /// First token of a statement.
    Statement,
    /// A prefix operator: no blank after it.
    Prefix,
    /// `(` of a call or `[` of an index: no blank before it.
    Tight,
    /// `:` with blanks on both sides.
    WideColon,
    /// `{` around statements that always stand on lines of their own.
    Body,
    /// `{` around statements that may stay on one line.
    Block,
    /// `{` around fields.
    Fields,
}

/// The statement was reported and given up.
pub(crate) struct Fail;

pub(crate) type Parsed<T> = Result<T, Fail>;

pub(crate) struct Parser<'a> {
    file: u32,
    text: &'a str,
    tokens: &'a [Token],
    comments: &'a [RawComment],
    at: usize,
    marks: Vec<Mark>,
    diagnostics: Diagnostics,
    names: HashSet<Arc<str>>,
    nesting: u32,
    /// Nodes on the longest path of the expression parsed last.
    height: u32,
    /// The present statement was reported as wrong, so what follows it has to be skipped.
    broken: bool,
    recovery: recover::Recovery,
}

/// Parses the tokens of `text`.
pub(crate) fn parse(file: u32, text: &str, lexed: &Lexed) -> (File, Vec<Mark>, Diagnostics) {
    let mut p = Parser {
        file,
        text,
        tokens: &lexed.tokens,
        comments: &lexed.comments,
        at: 0,
        marks: vec![Mark::None; lexed.tokens.len()],
        diagnostics: lexed.diagnostics.clone(),
        names: HashSet::new(),
        nesting: 0,
        height: 0,
        broken: false,
        recovery: recover::Recovery::default(),
    };
    let items = p.items();
    let comments = p.comments.iter().map(|c| p.comment(c)).collect();
    let span = Span::new(file, 0, text.len());
    p.diagnostics.sort();
    (
        File {
            id: file,
            items,
            comments,
            span,
        },
        p.marks,
        p.diagnostics,
    )
}

impl<'a> Parser<'a> {
    /// The token `ahead` places on; the end of the file after the last.
    fn token(&self, ahead: usize) -> Token {
        let last = self.tokens.len().saturating_sub(1);
        self.tokens
            .get((self.at + ahead).min(last))
            .copied()
            .unwrap_or(Token {
                tok: Tok::End,
                newline: true,
                start: self.text.len() as u32,
                end: self.text.len() as u32,
                digits_end: self.text.len() as u32,
            })
    }

    fn tok(&self) -> Tok {
        self.token(0).tok
    }

    fn is(&self, tok: Tok) -> bool {
        self.tok() == tok
    }

    fn slice(&self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    fn token_text(&self, token: Token) -> &'a str {
        self.slice(token.start, token.end)
    }

    /// The word `ahead` places on, if a word stands there.
    fn word_at(&self, ahead: usize) -> Option<&'a str> {
        let t = self.token(ahead);
        (t.tok == Tok::Word).then(|| self.token_text(t))
    }

    fn is_word(&self, word: &str) -> bool {
        self.word_at(0) == Some(word)
    }

    fn span_of(&self, token: Token) -> Span {
        Span {
            file: self.file,
            start: token.start,
            end: token.end,
        }
    }

    fn span(&self) -> Span {
        self.span_of(self.token(0))
    }

    /// From `start` to the token consumed last.
    fn since(&self, start: Span) -> Span {
        let before = self.at.checked_sub(1).and_then(|i| self.tokens.get(i));
        let end = before.map_or(start.end, |t| t.end).max(start.end);
        Span {
            file: self.file,
            start: start.start,
            end,
        }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(m) = self.marks.get_mut(self.at) {
            *m = mark;
        }
    }

    /// Consumes a token; the end of the file stays.
    fn bump(&mut self) -> Span {
        let span = self.span();
        if !self.is(Tok::End) {
            self.at += 1;
        }
        span
    }

    fn accept(&mut self, tok: Tok) -> Option<Span> {
        self.is(tok).then(|| self.bump())
    }

    fn accept_word(&mut self, word: &str) -> Option<Span> {
        self.is_word(word).then(|| self.bump())
    }

    fn expect(&mut self, tok: Tok, what: &str, hint: &str) -> Parsed<Span> {
        if self.is(tok) {
            Ok(self.bump())
        } else {
            Err(self.expected(what, hint))
        }
    }

    fn expect_word(&mut self, word: &str, hint: &str) -> Parsed<Span> {
        match self.accept_word(word) {
            Some(span) => Ok(span),
            None => {
                let near = self.word_at(0).and_then(|w| nearest(w, [word])).is_some();
                let fail = self.expected_one(&[word], &format!("`{word}`"), hint);
                // A misspelt word is taken for the right one.
                if near { Ok(self.bump()) } else { Err(fail) }
            }
        }
    }

    fn report(&mut self, d: Diagnostic) -> Fail {
        if self.recovery.is_silent() {
            return Fail;
        }
        let count = self.diagnostics.0.len();
        if count < report::MAX_ERRORS {
            self.diagnostics.push(d);
            return Fail;
        }
        if count == report::MAX_ERRORS {
            let span = self.span();
            self.diagnostics.push(report::too_many(span));
        }
        self.at = self.tokens.len().saturating_sub(1);
        self.recovery.silence();
        Fail
    }

    /// How a message names the present token.
    fn found(&self) -> String {
        let text = report::quote(self.token_text(self.token(0)));
        match self.tok() {
            Tok::End => "the end of the file".into(),
            Tok::Text => format!("the string {text}"),
            Tok::Number | Tok::Hex => format!("the number {text}"),
            _ => text,
        }
    }

    /// Reports that `what` should stand here; silent where the lexer has complained already.
    fn expected(&mut self, what: &str, hint: &str) -> Fail {
        if self.is(Tok::Bad) || self.recovery.is_silent() {
            return Fail;
        }
        let before = self.at.checked_sub(1).and_then(|i| self.tokens.get(i));
        let d = match before.filter(|_| self.token(0).newline) {
            Some(t) => report::expected_after(self.span_of(*t), what, hint),
            None => report::expected(self.span(), what, &self.found(), hint),
        };
        self.report(d)
    }

    /// Like [`Self::expected`], with a suggestion when the word found is nearly one of `words`.
    fn expected_one(&mut self, words: &[&str], what: &str, hint: &str) -> Fail {
        match self
            .word_at(0)
            .and_then(|w| nearest(w, words.iter().copied()))
        {
            Some(near) => self.expected(what, &format!("did you mean `{near}`?")),
            None => self.expected(what, hint),
        }
    }

    fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.names.insert(new.clone());
        new
    }

    /// Any word, as after a point.
    fn word(&mut self, what: &str, hint: &str) -> Parsed<Name> {
        match self.word_at(0) {
            Some(word) => {
                let text = self.intern(word);
                Ok(Name {
                    text,
                    span: self.bump(),
                })
            }
            None => Err(self.expected(what, hint)),
        }
    }

    /// A word that may name something that is declared.
    fn name(&mut self, what: &str) -> Parsed<Name> {
        if let Some(word) = self.word_at(0).filter(|w| RESERVED.contains(w)) {
            let d = report::reserved(self.span(), word, what);
            self.report(d);
        }
        self.word(
            what,
            "a name is a letter or `_`, then letters, digits and `_`",
        )
    }

    fn path(&mut self, what: &str) -> Parsed<Path> {
        let first = self.name(what)?;
        let start = first.span;
        let mut names = vec![first];
        while self.is(Tok::Dot) && self.token(1).tok == Tok::Word && !self.head_below(1) {
            self.bump();
            names.push(self.word("a name", "a name follows the point")?);
        }
        Ok(Path {
            names,
            span: self.since(start),
        })
    }

    /// Is the token `ahead` the keyword of a statement on a line below, so that it ends what stands before it?
    fn head_below(&self, ahead: usize) -> bool {
        self.token(ahead).newline && self.word_at(ahead).is_some_and(is_head)
    }

    /// Runs `inner` one level deeper, or reports that this is too deep.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting >= MAX_NESTING {
            let d = report::too_deep(self.span());
            return Err(self.report(d));
        }
        self.nesting += 1;
        let result = inner(self);
        self.nesting -= 1;
        result
    }

    fn comment(&self, raw: &RawComment) -> Comment {
        Comment {
            text: self.slice(raw.start, raw.end).into(),
            span: Span {
                file: self.file,
                start: raw.start,
                end: raw.end,
            },
            own_line: raw.own_line,
        }
    }

    /// The comment lines that end on the line before the present token.
    fn doc(&self) -> Option<Doc> {
        let after = self
            .comments
            .partition_point(|c| (c.before as usize) <= self.at);
        let mut below = self.token(0).start;
        let mut lines: Vec<&RawComment> = vec![];
        for c in self.comments.get(..after)?.iter().rev() {
            let touches = self.slice(c.end, below).matches('\n').count() == 1;
            if c.before as usize != self.at || !c.own_line || !touches {
                break;
            }
            below = c.start;
            lines.push(c);
        }
        let (last, first) = (lines.first()?, lines.last()?);
        let span = Span {
            file: self.file,
            start: first.start,
            end: last.end,
        };
        let strip = |c: &&RawComment| {
            let text = self.slice(c.start, c.end).trim_start_matches('#');
            text.strip_prefix(' ').unwrap_or(text)
        };
        let text = lines.iter().rev().map(strip).collect::<Vec<_>>().join("\n");
        Some(Doc { text, span })
    }
}
