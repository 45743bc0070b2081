//! Lines: the blanks between tokens, and where a line that is too long breaks.

use super::super::lexer::Tok;
use super::super::parser::Mark;
use super::{HANG, Last, Printer, WIDTH};
use std::borrow::Cow;

impl<'a> Printer<'a> {
    /// The token's text; a number and its unit have one blank between them.
    fn token_text(&self, i: usize) -> Cow<'a, str> {
        let t = self.tokens[i];
        let slice = |a: u32, b: u32| self.text.get(a as usize..b as usize).unwrap_or("");
        if t.digits_end == t.end {
            return slice(t.start, t.end).into();
        }
        let unit = slice(t.digits_end, t.end).trim_start_matches([' ', '\t']);
        format!("{} {unit}", slice(t.start, t.digits_end)).into()
    }

    /// Columns of the token.
    pub(super) fn width(&self, i: usize) -> usize {
        self.token_text(i).chars().count()
    }

    /// Prints a token.
    pub(super) fn token(&mut self, i: usize) {
        let text = self.token_text(i);
        self.put(&text);
        self.source_end = self.tokens[i].end;
        self.last = Last::Token;
    }

    /// Does a blank stand between two tokens on one line?
    pub(super) fn spaced(&self, before: usize, i: usize) -> bool {
        let (a, b) = (self.tokens[before].tok, self.tokens[i].tok);
        let mark = |i: usize| self.marks[i];
        let glued_left = matches!(a, Tok::LParen | Tok::LBracket | Tok::Dot)
            || mark(before) == Mark::Prefix
            || a == Tok::LBrace && (mark(before) == Mark::None || b == Tok::RBrace);
        let glued_right = match b {
            Tok::Comma | Tok::Semi | Tok::RParen | Tok::RBracket | Tok::Dot | Tok::Prime => true,
            Tok::Colon => mark(i) != Mark::WideColon,
            Tok::RBrace => mark(i) == Mark::None,
            _ => mark(i) == Mark::Tight,
        };
        !(glued_left || glued_right)
    }

    /// Prints tokens `from..to` of one statement, over several lines where comments or the width ask for it.
    pub(super) fn run(&mut self, from: usize, to: usize, indent: usize) {
        let mut i = from;
        while i < to {
            self.comments_before(i, indent + HANG);
            let mut end = i + 1;
            while end < to && !self.has_comment(end) {
                end += 1;
            }
            if self.last == Last::Comment && !self.fresh {
                self.hang(indent + HANG);
            }
            self.fill(i, end, indent + HANG);
            i = end;
        }
    }

    /// Prints tokens `from..to`, breaking lines as late as possible at the outermost places.
    fn fill(&mut self, from: usize, to: usize, indent: usize) {
        let depths = self.depths(from, to);
        let mut start = from;
        while start < to {
            let end = self.line_end(start, to, &depths[start - from..]);
            for i in start..end {
                if !self.fresh && i > 0 && self.spaced(i - 1, i) {
                    self.put(" ");
                }
                self.token(i);
            }
            if end < to {
                self.hang(indent);
            }
            start = end;
        }
    }

    /// How many brackets are open before each token.
    fn depths(&self, from: usize, to: usize) -> Vec<u32> {
        let mut depth = 0_u32;
        let count = |i: usize| {
            match self.tokens[i].tok {
                Tok::RParen | Tok::RBracket | Tok::RBrace => depth = depth.saturating_sub(1),
                _ => {}
            }
            let here = depth;
            match self.tokens[i].tok {
                Tok::LParen | Tok::LBracket | Tok::LBrace => depth += 1,
                _ => {}
            }
            here
        };
        (from..to).map(count).collect()
    }

    /// Index of the first token for the next line, `to` if all fit on the present one.
    fn line_end(&self, start: usize, to: usize, depths: &[u32]) -> usize {
        let mut column = self.column;
        let mut best: Option<(u32, usize)> = None;
        for i in start..to {
            if i > start
                && let Some(rank) = self.break_rank(i, depths[i - start])
            {
                if column > WIDTH {
                    return best.map_or(i, |(_, b)| b);
                }
                if best.is_none_or(|(r, _)| rank <= r) {
                    best = Some((rank, i));
                }
            }
            let blank = (i > start || !self.fresh) && i > 0 && self.spaced(i - 1, i);
            column += usize::from(blank) + self.width(i);
            if column > WIDTH
                && let Some((_, b)) = best
            {
                return b;
            }
        }
        to
    }

    /// How bad a line end before token `i` is; none may stand where there is no rank.
    fn break_rank(&self, i: usize, depth: u32) -> Option<u32> {
        let before = self.tokens[i - 1].tok;
        let here = self.tokens[i].tok;
        let closes = matches!(here, Tok::RParen | Tok::RBracket | Tok::RBrace);
        if before == Tok::Comma && !closes
            || matches!(here, Tok::Arrow | Tok::Pipe)
            || self.marks[i] == Mark::WideColon
        {
            return Some(2 * depth);
        }
        let word = &self.token_text(i - 1);
        let operator = match before {
            Tok::Word => matches!(word.as_ref(), "and" | "or" | "xor"),
            Tok::Plus | Tok::Minus => self.marks[i - 1] != Mark::Prefix,
            _ => matches!(
                before,
                Tok::Star
                    | Tok::Slash
                    | Tok::Amp
                    | Tok::Shl
                    | Tok::Shr
                    | Tok::Eq
                    | Tok::Ne
                    | Tok::Le
                    | Tok::Ge
                    | Tok::Lt
                    | Tok::Gt
            ),
        };
        operator.then_some(2 * depth + 1)
    }
}
