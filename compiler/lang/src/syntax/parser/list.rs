//! Lists in parentheses, brackets and braces: parameters, arguments, fields, types and shapes.

use super::super::keywords::Place;
use super::super::lexer::Tok;
use super::super::report;
use super::super::tree::{Arg, Expr, Field, Fields, Param, Type};
use super::{Fail, Mark, Parsed, Parser};
use synfire_ir::diag::Span;

impl<'a> Parser<'a> {
    /// Elements between `open`, at which the parser stands, and `close`, with commas between; a comma after the last is allowed.
    pub(super) fn list<T>(
        &mut self,
        close: Tok,
        of: &str,
        mut element: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let mark = self.tok().mark().unwrap_or("(");
        self.nested(|p| {
            let open = p.bump();
            let mut out = vec![];
            loop {
                if p.accept(close).is_some() {
                    return Ok(out);
                }
                out.push(element(p)?);
                if p.accept(Tok::Comma).is_none() {
                    p.close(close, open, mark, of)?;
                    return Ok(out);
                }
            }
        })
    }

    /// Consumes a closing mark, or reports it missing with a label at the opening one.
    pub(super) fn close(&mut self, close: Tok, open: Span, mark: &str, of: &str) -> Parsed<Span> {
        if let Some(span) = self.accept(close) {
            return Ok(span);
        }
        if self.is(Tok::Bad) || self.recovery.is_silent() {
            return Err(Fail);
        }
        let found = self.found();
        let d = report::unclosed(open, mark, of, self.span(), &found);
        let d = match self.tok() {
            Tok::Word | Tok::Number | Tok::Text | Tok::Hex => {
                d.hint("or add a `,` or an operator between the two values")
            }
            _ => d,
        };
        Err(self.report(d))
    }

    /// `[expr, ...]` with at least one element.
    fn extents(&mut self, of: &str) -> Parsed<Vec<Expr>> {
        if self.token(1).tok == Tok::RBracket {
            self.bump();
            let hint = "give the length of each axis, as in `[100]` or `[2, 34, 34]`";
            return Err(self.expected("a size", hint));
        }
        self.list(Tok::RBracket, of, Self::expr)
    }

    /// The shape after a model's name, with its span.
    pub(super) fn shape(&mut self) -> Parsed<(Vec<Expr>, Span)> {
        let start = self.span();
        if !self.is(Tok::LBracket) {
            let hint =
                "say how many there are: `Lif[100]`, or one number an axis: `If[16, 34, 34]`";
            return Err(self.expected("`[` and a size", hint));
        }
        self.mark(Mark::Tight);
        let shape = self.extents("the shape")?;
        Ok((shape, self.since(start)))
    }

    /// `name` or `name[expr, ...]`.
    pub(super) fn ty(&mut self) -> Parsed<Type> {
        let hint = "types are `real`, `int`, `bool`, `time`, `voltage`, `current`, `path`, `spikes[n]`, `i16`, ...";
        let start = self.span();
        if !self.is(Tok::Word) {
            return Err(self.expected("a type", hint));
        }
        let name = self.name("a type")?;
        let mut dims = vec![];
        if self.is(Tok::LBracket) {
            self.mark(Mark::Tight);
            dims = self.extents("the type")?;
        }
        Ok(Type {
            name,
            dims,
            span: self.since(start),
        })
    }

    /// `: type`.
    pub(super) fn of_type(&mut self) -> Parsed<Type> {
        self.expect(
            Tok::Colon,
            "`:` and a type",
            "every declaration says its type: `v: voltage`",
        )?;
        self.ty()
    }

    /// `(name: type = expr, ...)`, or nothing. A wrong list is reported and skipped.
    pub(super) fn params(&mut self) -> Vec<Param> {
        if !self.is(Tok::LParen) {
            return vec![];
        }
        self.mark(Mark::Tight);
        let from = self.at;
        match self.list(Tok::RParen, "the parameters", Self::param) {
            Ok(params) => params,
            Err(Fail) => {
                self.skip_parens(from);
                vec![]
            }
        }
    }

    fn param(&mut self) -> Parsed<Param> {
        let start = self.span();
        let name = self.name("a parameter's name")?;
        let ty = self.of_type()?;
        let default = match self.accept(Tok::Set) {
            Some(_) => Some(self.expr()?),
            None => None,
        };
        Ok(Param {
            name,
            ty,
            default,
            span: self.since(start),
        })
    }

    /// From a failure inside the parentheses that open at token `from`: goes past their end, or to the brace after them.
    fn skip_parens(&mut self, from: usize) {
        let failed = self.at;
        let mut depth = 0_usize;
        let mut i = from;
        while let Some(t) = self.tokens.get(i) {
            match t.tok {
                Tok::LParen => depth += 1,
                Tok::RParen => depth = depth.saturating_sub(1),
                Tok::LBrace | Tok::RBrace | Tok::End => {
                    self.at = i.max(failed);
                    return;
                }
                _ => {}
            }
            i += 1;
            if depth == 0 && i > failed {
                self.at = i;
                return;
            }
        }
    }

    /// `(args)`, at which the parser stands.
    pub(super) fn args(&mut self, of: &str) -> Parsed<Vec<Arg>> {
        self.mark(Mark::Tight);
        self.list(Tok::RParen, of, Self::arg)
    }

    fn arg(&mut self) -> Parsed<Arg> {
        let start = self.span();
        let mut name = None;
        if self.is(Tok::Word) && self.token(1).tok == Tok::Set {
            name = Some(self.name("a parameter's name")?);
            self.bump();
        }
        let value = self.tall()?;
        Ok(Arg {
            name,
            value,
            span: self.since(start),
        })
    }

    /// `{ name = expr, ... }`, if a brace stands here. Wrong entries are reported and left out.
    pub(super) fn fields(&mut self) -> Parsed<Option<Fields>> {
        if !self.is(Tok::LBrace) {
            return Ok(None);
        }
        self.nested(|p| {
            p.mark(Mark::Fields);
            let open = p.bump();
            let mut entries = vec![];
            while p.accept(Tok::RBrace).is_none() {
                let good = match p.field_or_end(open) {
                    Ok(field) => {
                        entries.push(field);
                        p.field_end(open)
                    }
                    Err(Fail) => false,
                };
                if !good {
                    p.skip_field();
                }
                let separated = p
                    .accept(Tok::Comma)
                    .or_else(|| p.accept(Tok::Semi))
                    .is_some();
                if !separated && !p.is(Tok::RBrace) {
                    return Err(Fail);
                }
            }
            Ok(Some(Fields {
                entries,
                span: p.since(open),
            }))
        })
    }

    fn field_or_end(&mut self, open: Span) -> Parsed<Field> {
        if self.is(Tok::End) || self.at_net_statement() {
            self.close(Tok::RBrace, open, "{", "the fields")?;
        }
        self.field()
    }

    /// Is there a comma or the end after a field? Reports what else stands there.
    fn field_end(&mut self, open: Span) -> bool {
        match self.tok() {
            Tok::Comma | Tok::RBrace => true,
            Tok::Semi => {
                self.expected("`,` or `}`", "fields are separated by commas");
                true
            }
            _ => self.close(Tok::RBrace, open, "{", "the fields").is_ok(),
        }
    }

    /// Does a statement of a network begin on the present line, where a field should stand?
    fn at_net_statement(&self) -> bool {
        let next = self.token(1).tok;
        self.token(0).newline
            && !matches!(next, Tok::Set | Tok::Tilde)
            && self
                .word_at(0)
                .is_some_and(|w| Place::Net.heads().contains(&w))
    }

    fn field(&mut self) -> Parsed<Field> {
        let start = self.span();
        let name = self.name("a field's name")?;
        let draw = self.is(Tok::Tilde);
        if !draw {
            let hint =
                "fields are written `name = value`, or `name ~ distribution`, with commas between";
            self.expect(Tok::Set, "`=` or `~`", hint)?;
        } else {
            self.bump();
        }
        let value = self.expr()?;
        Ok(Field {
            name,
            draw,
            value,
            span: self.since(start),
        })
    }

    /// Goes to the comma or brace that ends a wrong field, or to a new statement.
    fn skip_field(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.tok() {
                Tok::End => return,
                Tok::Comma | Tok::RBrace | Tok::Semi if depth == 0 => return,
                Tok::LBrace | Tok::LParen | Tok::LBracket => depth += 1,
                Tok::RBrace | Tok::RParen | Tok::RBracket => depth = depth.saturating_sub(1),
                Tok::Word if self.at_net_statement() => return,
                _ => {}
            }
            self.bump();
        }
    }
}
