//! Bodies in braces and what happens after an error inside them.
//!
//! After a wrong statement the parser skips to the next place where a statement can begin: after `;`, at the head of a line with a keyword
//! of this place, or at the brace that closes the body. Braces that open on the way are skipped with all they hold.

use super::super::keywords::Place;
use super::super::lexer::Tok;
use super::super::report;
use super::{Fail, Mark, Parsed, Parser};
use synfire_ir::diag::{Span, nearest};

/// What is known about braces that do not match.
#[derive(Default)]
pub(super) struct Recovery {
    /// The first closing brace indented less than the line of its opening one, with that one.
    dubious: Option<(Span, Span)>,
    /// The end was reported as missing once; all bodies that it closes stay quiet.
    silent: bool,
    /// How many words were compared with keywords, which is slow, while skipping.
    compared: u32,
}

/// Words compared with keywords at most, so that a long wrong text is skipped in linear time.
const MAX_COMPARED: u32 = 2000;

impl Recovery {
    pub(super) fn silence(&mut self) {
        self.silent = true;
    }

    pub(super) fn is_silent(&self) -> bool {
        self.silent
    }
}

impl<'a> Parser<'a> {
    /// `{ statements }`; `of` names its owner for messages. Fails only when there is no `{` or the nesting is too deep.
    pub(super) fn body<T>(
        &mut self,
        place: Place,
        mark: Mark,
        of: &str,
        statement: fn(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        if !self.is(Tok::LBrace) {
            return Err(self.expected(
                &format!("the `{{` of {of}"),
                "statements stand in braces: { ... }",
            ));
        }
        self.nested(|p| {
            p.mark(mark);
            let open = p.bump();
            let statements = p.statements(place, statement);
            p.close_brace(open, of);
            Ok(statements)
        })
    }

    /// Statements up to a closing brace, the end, or what can only stand outside.
    fn statements<T>(&mut self, place: Place, statement: fn(&mut Self) -> Parsed<T>) -> Vec<T> {
        let mut out = vec![];
        loop {
            if matches!(self.tok(), Tok::RBrace | Tok::End) || self.at_item(place) {
                return out;
            }
            if self.accept(Tok::Semi).is_some() {
                continue;
            }
            let before = self.at;
            self.broken = false;
            self.mark(Mark::Statement);
            match statement(self) {
                Ok(s) => out.push(s),
                Err(Fail) => self.broken = true,
            }
            if self.broken {
                self.broken = false;
                let lost = self.at == before;
                self.skip_statement(place, before, lost);
            }
            if self.at == before {
                self.bump();
            }
        }
    }

    /// The top level: as [`Self::statements`], but nothing closes it.
    pub(super) fn top_statements<T>(&mut self, statement: fn(&mut Self) -> Parsed<T>) -> Vec<T> {
        let mut out = vec![];
        while !self.is(Tok::End) {
            out.extend(self.statements(Place::Top, statement));
            if self.is(Tok::RBrace) {
                let d = report::unmatched_close(self.span(), "}");
                self.report(d);
                self.bump();
            }
        }
        out
    }

    /// Does something that stands only at the top level begin here, so that a brace must be missing?
    fn at_item(&self, place: Place) -> bool {
        if place == Place::Top {
            return false;
        }
        let Some(word) = self.word_at(0) else {
            return false;
        };
        let next = self.token(1).tok;
        match word {
            "neuron" | "synapse" | "module" | "network" | "experiment" | "use" => next == Tok::Word,
            "import" => next == Tok::Text,
            _ => false,
        }
    }

    fn close_brace(&mut self, open: Span, of: &str) {
        if self.is(Tok::RBrace) {
            self.note_indent(open);
            self.bump();
            return;
        }
        if self.recovery.silent {
            return;
        }
        let found = self.found();
        let mut d = report::unclosed(open, "{", of, self.span(), &found);
        if let Some((early, close)) = self.recovery.dubious.take() {
            d = d.label(early, "perhaps this one is not closed").label(
                close,
                "because this brace, which closes it, is indented less",
            );
        }
        self.report(d);
        self.recovery.silent |= self.is(Tok::End);
    }

    /// Remembers a closing brace that stands further left than the line of its opening one.
    fn note_indent(&mut self, open: Span) {
        let close = self.token(0);
        if close.newline && self.recovery.dubious.is_none() {
            let indent = |at: u32| {
                let before = self.slice(0, at);
                let line = before.rfind('\n').map_or(before, |i| &before[i + 1..]);
                line.len() - line.trim_start().len()
            };
            if indent(close.start) < indent(open.start) {
                self.recovery.dubious = Some((open, self.span_of(close)));
            }
        }
    }

    /// Skips to where the next statement of `place` can begin. `from` is where the wrong one began; `lost` when nothing of it was understood,
    /// so that what stands on the lines below is more likely a statement of its own.
    fn skip_statement(&mut self, place: Place, from: usize, lost: bool) {
        let mut depth = 0_usize;
        while !self.is(Tok::End) {
            let moved = self.at > from;
            match self.tok() {
                Tok::LBrace => depth += 1,
                Tok::RBrace if depth == 0 => return,
                Tok::RBrace => depth -= 1,
                Tok::Semi if depth == 0 => return,
                Tok::Word if moved && self.token(0).newline => {
                    let begins = self.begins(place) || (lost && self.may_begin(place));
                    if (depth == 0 && begins) || self.at_item(place) {
                        return;
                    }
                }
                _ => {}
            }
            self.bump();
        }
    }

    /// Does a statement of `place` begin with the present word?
    fn begins(&self, place: Place) -> bool {
        let next = self.token(1).tok;
        let assigns = matches!(next, Tok::Set | Tok::AddSet | Tok::SubSet | Tok::MulSet);
        match place {
            Place::Dyn if next == Tok::Prime => true,
            Place::Block if assigns => true,
            _ => !assigns && self.word_at(0).is_some_and(|w| place.heads().contains(&w)),
        }
    }

    /// Does the present word look like the head of a statement, though perhaps of a wrong one?
    fn may_begin(&mut self, place: Place) -> bool {
        match self.token(1).tok {
            Tok::Set | Tok::AddSet | Tok::SubSet | Tok::MulSet | Tok::Prime => true,
            Tok::Word | Tok::Number if self.recovery.compared < MAX_COMPARED => {
                self.recovery.compared += 1;
                self.word_at(0)
                    .is_some_and(|w| nearest(w, place.heads().iter().copied()).is_some())
            }
            _ => false,
        }
    }

    /// Takes `fallback` when a part of a statement failed, and has the rest of the statement skipped.
    pub(super) fn or_broken<T>(&mut self, parsed: Parsed<T>, fallback: T) -> T {
        parsed.unwrap_or_else(|Fail| {
            self.broken = true;
            fallback
        })
    }

    /// After an error in a statement's head: goes to the `{` of its block, if that stands on the same line.
    pub(super) fn skip_to_block(&mut self) -> Parsed<()> {
        let mut ahead = 0;
        loop {
            let t = self.token(ahead);
            match t.tok {
                Tok::LBrace => {
                    self.at += ahead;
                    return Ok(());
                }
                Tok::End | Tok::RBrace | Tok::Semi => return Err(Fail),
                _ if t.newline && ahead > 0 => return Err(Fail),
                _ => ahead += 1,
            }
        }
    }
}
