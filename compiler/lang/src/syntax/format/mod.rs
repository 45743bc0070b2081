//! Canonical layout.
//!
//! Comes in: a text without syntax errors. Goes out: the same tokens and comments, laid out anew: one statement a line, two blanks of indent
//! a level, at most one blank line in a row, lines of at most [`WIDTH`] columns where the tokens allow it. A brace pair that spans lines stays
//! open; one on a single line stays so if it fits. A `;` stands only between statements on one line. Invariants: no token and no comment is
//! lost; formatting twice is formatting once, as the layout depends on nothing but tokens, comments and which braces span lines.
//! Absent on purpose: alignment of columns, reordering, added or removed commas and parentheses.

mod line;

use super::lexer::{Lexed, RawComment, Tok, Token};
use super::parser::{self, Mark};
use super::{MAX_BYTES, MAX_TOKENS, lexer, report};
use synfire_ir::diag::Diagnostics;

/// Columns of a line.
const WIDTH: usize = 100;
/// Indent of a level.
const STEP: usize = 2;
/// Further indent of a statement's second and later lines.
const HANG: usize = 4;

/// The text in canonical layout, or its syntax errors (codes SYN0001 to SYN0019, file 0). Ends with a line end unless it is empty.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    if text.len() > MAX_BYTES {
        return Err(report::file_too_large(0, text.len(), MAX_BYTES).into());
    }
    let lexed = lexer::lex(0, text, MAX_TOKENS);
    let (_, mut marks, diagnostics) = parser::parse(0, text, &lexed);
    diagnostics.result(())?;
    let closing = closing(&lexed);
    for (i, close) in closing.iter().enumerate() {
        if lexed.tokens[i].tok == Tok::LBrace {
            marks[*close] = marks[i];
        }
    }
    let last = lexed.tokens.len() - 1;
    let mut printer = Printer {
        text,
        tokens: &lexed.tokens,
        comments: &lexed.comments,
        marks: &marks,
        closing,
        out: String::with_capacity(text.len()),
        column: 0,
        fresh: true,
        next_comment: 0,
        source_end: 0,
        last: Last::Nothing,
    };
    printer.statements(0, last, 0);
    printer.comments_before(last, 0);
    if !printer.out.is_empty() {
        printer.out.push('\n');
    }
    Ok(printer.out)
}

/// For each opening mark the index of the one that closes it; for other tokens their own.
fn closing(lexed: &Lexed) -> Vec<usize> {
    let mut closing: Vec<usize> = (0..lexed.tokens.len()).collect();
    let mut open = vec![];
    for (i, t) in lexed.tokens.iter().enumerate() {
        match t.tok {
            Tok::LParen | Tok::LBracket | Tok::LBrace => open.push(i),
            Tok::RParen | Tok::RBracket | Tok::RBrace => {
                if let Some(o) = open.pop() {
                    closing[o] = i;
                }
            }
            _ => {}
        }
    }
    closing
}

/// What was printed last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Open,
    Token,
    Comment,
}

struct Printer<'a> {
    text: &'a str,
    tokens: &'a [Token],
    comments: &'a [RawComment],
    marks: &'a [Mark],
    closing: Vec<usize>,
    out: String,
    /// Columns of the last line of `out`.
    column: usize,
    /// Nothing but the indent stands on the last line.
    fresh: bool,
    next_comment: usize,
    /// Where the last thing printed or dropped ends in the text.
    source_end: u32,
    last: Last,
}

impl<'a> Printer<'a> {
    /// Ends the line and indents the next; keeps one of the blank lines that the text has before byte `before`.
    fn line(&mut self, indent: usize, before: u32) {
        let gap = self
            .text
            .get(self.source_end as usize..before as usize)
            .unwrap_or("");
        match self.last {
            Last::Nothing => return,
            Last::Open => {}
            _ if gap.matches('\n').count() > 1 => self.out.push('\n'),
            _ => {}
        }
        self.hang(indent);
    }

    /// Ends the line and indents the next.
    fn hang(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
        self.fresh = true;
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.fresh = false;
        self.column += text.chars().count();
    }

    /// Has token `i` comments before it that are not printed yet?
    fn has_comment(&self, i: usize) -> bool {
        self.comments
            .get(self.next_comment)
            .is_some_and(|c| c.before as usize <= i)
    }

    /// Prints the comments before token `i`, those with lines of their own at `indent`. The line stays open.
    fn comments_before(&mut self, i: usize, indent: usize) {
        while let Some(c) = self
            .comments
            .get(self.next_comment)
            .filter(|c| c.before as usize <= i)
        {
            let beside = !c.own_line && matches!(self.last, Last::Token | Last::Open);
            if beside {
                self.put("  ");
            } else {
                self.line(indent, c.start);
            }
            self.put(
                self.text
                    .get(c.start as usize..c.end as usize)
                    .unwrap_or(""),
            );
            self.source_end = c.end;
            self.last = Last::Comment;
            self.next_comment += 1;
        }
    }

    /// Prints tokens `from..to`, a sequence of statements, each on its own lines.
    fn statements(&mut self, from: usize, to: usize, indent: usize) {
        let mut i = from;
        while i < to {
            self.comments_before(i, indent);
            if self.tokens[i].tok == Tok::Semi {
                self.source_end = self.tokens[i].end;
                i += 1;
                continue;
            }
            let end = self.statement_end(i, to);
            self.line(indent, self.tokens[i].start);
            self.statement(i, end, indent);
            i = end;
        }
    }

    /// Index of the token after the statement that begins at `i`.
    fn statement_end(&self, i: usize, to: usize) -> usize {
        let mut j = self.closing[i] + 1;
        while j < to && self.marks[j] != Mark::Statement && self.tokens[j].tok != Tok::Semi {
            j = self.closing[j] + 1;
        }
        j
    }

    /// Prints one statement: on one line, or with each of its brace pairs opened.
    fn statement(&mut self, from: usize, to: usize, indent: usize) {
        if self.fits_line(from, to) {
            self.inline(from, to);
            return;
        }
        let mut i = from;
        while i < to {
            let brace = (i..to).find(|j| self.is_open(*j));
            let Some(open) = brace else {
                self.run(i, to, indent);
                return;
            };
            self.run(i, open + 1, indent);
            self.last = Last::Open;
            let close = self.closing[open];
            self.braces(open, close, indent);
            i = close + 1;
        }
    }

    /// Is this a brace before statements or fields?
    fn is_open(&self, i: usize) -> bool {
        self.tokens[i].tok == Tok::LBrace && self.marks[i] != Mark::None
    }

    /// Is this such a brace, with more than `;` before the closing one?
    fn holds(&self, i: usize) -> bool {
        self.is_open(i) && (i + 1..self.closing[i]).any(|j| self.tokens[j].tok != Tok::Semi)
    }

    /// Prints what stands between two braces, and the closing one.
    fn braces(&mut self, open: usize, close: usize, indent: usize) {
        let end = self.tokens[close].end;
        if self.holds(open) || self.has_comment(close) {
            let inner = indent + STEP;
            match self.marks[open] {
                Mark::Fields => self.entries(open + 1, close, inner),
                _ => self.statements(open + 1, close, inner),
            }
            self.comments_before(close, inner);
            self.hang(indent);
        }
        self.put("}");
        self.source_end = end;
        self.last = Last::Token;
    }

    /// Prints tokens `from..to`, fields with their commas, one a line.
    fn entries(&mut self, from: usize, to: usize, indent: usize) {
        let mut i = from;
        while i < to {
            let mut end = i;
            while end < to && self.tokens[end].tok != Tok::Comma {
                end = self.closing[end] + 1;
            }
            let end = (end + 1).min(to);
            self.comments_before(i, indent);
            self.line(indent, self.tokens[i].start);
            self.run(i, end, indent);
            i = end;
        }
    }

    /// May the statement stand on one line? No brace pair in it spans lines, no comment is inside, and it is not too wide.
    fn fits_line(&self, from: usize, to: usize) -> bool {
        if self.has_comment(to - 1) {
            return false;
        }
        let mut inside_until = from;
        let mut width = self.column;
        let mut before = None;
        for i in from..to {
            let spans_lines = i <= inside_until && self.tokens[i].newline && i > from;
            let body = self.marks[i] == Mark::Body && self.holds(i);
            if spans_lines || body || width > WIDTH {
                return false;
            }
            if self.holds(i) {
                inside_until = inside_until.max(self.closing[i]);
            }
            if self.tokens[i].tok != Tok::Semi {
                width += before.map_or(0, |b| self.inline_gap(b, i).len()) + self.width(i);
                before = Some(i);
            }
        }
        width <= WIDTH
    }

    /// What stands between two tokens on one line.
    fn inline_gap(&self, before: usize, i: usize) -> &'static str {
        if self.marks[i] == Mark::Statement && !self.is_open(before) {
            "; "
        } else if self.spaced(before, i) {
            " "
        } else {
            ""
        }
    }

    fn inline(&mut self, from: usize, to: usize) {
        let mut before = None;
        for i in from..to {
            if self.tokens[i].tok != Tok::Semi {
                self.put(before.map_or("", |b| self.inline_gap(b, i)));
                self.token(i);
                before = Some(i);
            }
        }
    }
}
