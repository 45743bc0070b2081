//! Expressions, references and calls.

use super::super::keywords::{TAILS, goes_on, is_head, is_keyword};
use super::super::lexer::Tok;
use super::super::report;
use super::super::tree::{
    BinaryOp, Call, Expr, ExprKind, MAX_HEIGHT, Number, Ref, Segment, UnaryOp, Unit,
};
use super::{Fail, Mark, Parsed, Parser};
use synfire_ir::diag::{Span, nearest};

/// Level of the comparisons, the only operators that do not chain.
const COMPARISON: u8 = 3;
/// Level of `^`, which groups to the right and binds tighter than a sign.
const POWER: u8 = 8;

/// The operator and its level; higher binds tighter.
fn operator(tok: Tok, word: Option<&str>) -> Option<(BinaryOp, u8)> {
    Some(match (tok, word) {
        (_, Some("or")) => (BinaryOp::Or, 1),
        (_, Some("and")) => (BinaryOp::And, 2),
        (_, Some("xor")) => (BinaryOp::Xor, 4),
        (Tok::Eq, _) => (BinaryOp::Eq, COMPARISON),
        (Tok::Ne, _) => (BinaryOp::Ne, COMPARISON),
        (Tok::Le, _) => (BinaryOp::Le, COMPARISON),
        (Tok::Ge, _) => (BinaryOp::Ge, COMPARISON),
        (Tok::Lt, _) => (BinaryOp::Lt, COMPARISON),
        (Tok::Gt, _) => (BinaryOp::Gt, COMPARISON),
        (Tok::Amp, _) => (BinaryOp::BitAnd, 4),
        (Tok::Shl, _) => (BinaryOp::Shl, 5),
        (Tok::Shr, _) => (BinaryOp::Shr, 5),
        (Tok::Plus, _) => (BinaryOp::Add, 6),
        (Tok::Minus, _) => (BinaryOp::Sub, 6),
        (Tok::Star, _) => (BinaryOp::Mul, 7),
        (Tok::Slash, _) => (BinaryOp::Div, 7),
        (Tok::Caret, _) => (BinaryOp::Pow, POWER),
        _ => return None,
    })
}

impl<'a> Parser<'a> {
    /// An expression.
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        self.binary(1)
    }

    /// An expression, or [`ExprKind::Error`] with the statement marked as broken.
    pub(super) fn expr_or_error(&mut self) -> Expr {
        let span = self.span();
        let parsed = self.expr();
        self.or_broken(
            parsed,
            Expr {
                kind: ExprKind::Error,
                span,
            },
        )
    }

    fn present_operator(&self) -> Option<(BinaryOp, u8)> {
        operator(self.tok(), self.word_at(0))
    }

    fn binary(&mut self, lowest: u8) -> Parsed<Expr> {
        let mut left = self.unary()?;
        let mut height = self.height;
        let mut compared: Option<Span> = None;
        while let Some((op, level)) = self
            .present_operator()
            .filter(|(_, l)| *l >= lowest && *l < POWER)
        {
            let op_span = self.span();
            if level == COMPARISON {
                if let Some(first) = compared {
                    let d = report::chained(first, op_span);
                    return Err(self.report(d));
                }
                compared = Some(op_span);
            }
            self.bump();
            let right = self.binary(level + 1)?;
            height = self.grow(height.max(self.height), op_span)?;
            let span = left.span.to(right.span);
            left = Expr {
                kind: ExprKind::Binary(op, op_span, left.into(), right.into()),
                span,
            };
        }
        self.height = height;
        Ok(left)
    }

    /// The height of a node above one of height `below`.
    fn grow(&mut self, below: u32, at: Span) -> Parsed<u32> {
        if below >= MAX_HEIGHT {
            let d = report::too_high(at);
            return Err(self.report(d));
        }
        Ok(below + 1)
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let op = match (self.tok(), self.word_at(0)) {
            (Tok::Minus, _) => UnaryOp::Minus,
            (Tok::Plus, _) => UnaryOp::Plus,
            (_, Some("not")) => UnaryOp::Not,
            _ => return self.power(),
        };
        self.nested(|p| {
            if op != UnaryOp::Not {
                p.mark(Mark::Prefix);
            }
            let op_span = p.bump();
            let operand = p.unary()?;
            p.height = p.grow(p.height, op_span)?;
            let span = op_span.to(operand.span);
            Ok(Expr {
                kind: ExprKind::Unary(op, op_span, operand.into()),
                span,
            })
        })
    }

    fn power(&mut self) -> Parsed<Expr> {
        let base = self.atom()?;
        if !self.is(Tok::Caret) {
            return Ok(base);
        }
        let below = self.height;
        self.nested(|p| {
            let op_span = p.bump();
            let exponent = p.unary()?;
            p.height = p.grow(below.max(p.height), op_span)?;
            let span = base.span.to(exponent.span);
            let kind = ExprKind::Binary(BinaryOp::Pow, op_span, base.into(), exponent.into());
            Ok(Expr { kind, span })
        })
    }

    fn atom(&mut self) -> Parsed<Expr> {
        self.height = 1;
        match self.tok() {
            Tok::Number | Tok::Hex => self.number(),
            Tok::Text => {
                let token = self.token(0);
                let text = self.token_text(token).trim_matches('"');
                let kind = ExprKind::Text(self.intern(text));
                Ok(Expr {
                    kind,
                    span: self.bump(),
                })
            }
            Tok::LBracket => {
                let start = self.span();
                let (elements, height) =
                    self.measured(|p| p.list(Tok::RBracket, "the list", Self::tall))?;
                self.height = self.grow(height, start)?;
                let kind = ExprKind::List(elements);
                Ok(Expr {
                    kind,
                    span: self.since(start),
                })
            }
            Tok::LParen => {
                let start = self.span();
                let inner = self.nested(|p| {
                    p.bump();
                    let inner = p.expr()?;
                    p.close(Tok::RParen, start, "(", "the parentheses")?;
                    Ok(inner)
                })?;
                Ok(Expr {
                    kind: inner.kind,
                    span: self.since(start),
                })
            }
            Tok::Word if !self.at_operator_word() && !self.at_next_statement() => {
                self.ref_or_call()
            }
            _ => Err(self.no_operand()),
        }
    }

    /// Is the word here `and`, `or`, `xor` or `not`, which name nothing?
    fn at_operator_word(&self) -> bool {
        matches!(self.word_at(0), Some("and" | "or" | "xor" | "not"))
    }

    /// Where an operand is missing, does the next statement begin, so that its keyword should not be taken for a name?
    fn at_next_statement(&self) -> bool {
        let next = self.token(1);
        if !self.token(0).newline || !self.is(Tok::Word) {
            return false;
        }
        if matches!(
            next.tok,
            Tok::Set | Tok::AddSet | Tok::SubSet | Tok::MulSet | Tok::Prime
        ) {
            return true;
        }
        !next.newline
            && matches!(next.tok, Tok::Word | Tok::Text | Tok::Number)
            && !self.word_at(1).is_some_and(goes_on)
            && self.word_at(0).is_some_and(is_head)
    }

    fn no_operand(&mut self) -> Fail {
        let hint = self.mark_hint().unwrap_or(
            "an expression is a number, a name, a string, a call, a list or one in parentheses",
        );
        self.expected("an expression", hint)
    }

    /// What to write instead, where the marks here come from another language.
    pub(super) fn mark_hint(&self) -> Option<&'static str> {
        let before = self
            .at
            .checked_sub(1)
            .and_then(|i| self.tokens.get(i))
            .map(|t| t.tok);
        Some(match (before, self.tok()) {
            (Some(Tok::Slash), Tok::Slash) => "a comment begins with `#`",
            (Some(Tok::Star), Tok::Star) => "powers are written `x ^ 2`",
            (Some(Tok::Amp), Tok::Amp) => "write `and`; `&` works on the bits of integers",
            (_, Tok::Pipe) => "write `or`; `|` joins the rules of `connect`",
            (_, Tok::Prime) => "strings stand in double quotes: \"file.npz\"",
            (Some(Tok::Number), Tok::Dot) => "a number has a digit after its point: 5.0",
            (_, Tok::Dot) => "a number has a digit before its point: 0.5",
            (_, Tok::LBrace) => "something is missing before this brace",
            _ => return None,
        })
    }

    /// Runs `inner` and gives the greatest height of the expressions that [`Self::tall`] parsed in it.
    fn measured<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<(T, u32)> {
        self.height = 0;
        let value = inner(self)?;
        Ok((value, self.height))
    }

    /// An expression whose height is added to that of its forerunners.
    pub(super) fn tall(&mut self) -> Parsed<Expr> {
        let before = self.height;
        let e = self.expr()?;
        self.height = self.height.max(before);
        Ok(e)
    }

    fn number(&mut self) -> Parsed<Expr> {
        let token = self.token(0);
        let digits = self.slice(token.start, token.digits_end);
        let unit = self
            .slice(token.digits_end, token.end)
            .trim_start_matches([' ', '\t']);
        let (value, integer) = match self.value(digits) {
            Ok(v) => v,
            Err(why) => {
                let d = report::number_range(self.span(), digits, why);
                self.report(d);
                (0.0, None)
            }
        };
        let unit = (!unit.is_empty()).then(|| Unit {
            text: self.intern(unit),
            span: Span {
                file: self.file,
                start: token.end - unit.len() as u32,
                end: token.end,
            },
        });
        let text = self.intern(digits);
        let span = self.bump();
        self.no_word_after(span, digits, unit.is_some())?;
        Ok(Expr {
            kind: ExprKind::Number(Number {
                value,
                integer,
                text,
                unit,
            }),
            span,
        })
    }

    /// The value of a literal, or why it has none.
    fn value(&self, digits: &str) -> Result<(f64, Option<u64>), &'static str> {
        if let Some(hex) = digits.strip_prefix("0x") {
            let v = u64::from_str_radix(hex, 16).map_err(|_| "has more than 64 bits")?;
            return Ok((v as f64, Some(v)));
        }
        match digits.parse::<f64>() {
            Ok(v) if v.is_finite() => Ok((v, digits.parse().ok())),
            _ => Err("is beyond the range of a 64-bit float, about 1.8e308"),
        }
    }

    /// A name right after a number on its line is a misspelt unit, as statements stand on lines of their own.
    pub(super) fn no_word_after(&mut self, number: Span, digits: &str, unit: bool) -> Parsed<()> {
        let Some(word) = self.word_at(0) else {
            return Ok(());
        };
        let misspelt = word.len() > 3 && nearest(word, TAILS).is_some();
        if unit || self.token(0).newline || is_keyword(word) || misspelt {
            return Ok(());
        }
        let d = report::no_unit(self.span(), (number, digits), word);
        self.report(d);
        let next = self.token(1).tok;
        if matches!(
            next,
            Tok::Set | Tok::AddSet | Tok::SubSet | Tok::MulSet | Tok::Prime | Tok::Colon
        ) {
            return Ok(());
        }
        self.bump();
        // The number stands as if without unit; what follows on the line is often the rest of a unit.
        let rest_of_unit =
            matches!(self.tok(), Tok::Slash | Tok::Caret | Tok::Star) && !self.token(0).newline;
        if rest_of_unit { Err(Fail) } else { Ok(()) }
    }

    fn ref_or_call(&mut self) -> Parsed<Expr> {
        let target = self.reference("a name")?;
        let below = self.height;
        if !self.is(Tok::LParen) {
            let span = target.span;
            return Ok(Expr {
                kind: ExprKind::Ref(target),
                span,
            });
        }
        let Some(path) = target.as_path() else {
            let d = report::not_callable(target.span);
            return Err(self.report(d));
        };
        let (args, height) = self.measured(|p| p.args("the call"))?;
        self.height = self.grow(below.max(height), path.span)?;
        let span = self.since(path.span);
        Ok(Expr {
            kind: ExprKind::Call(Call { path, args, span }),
            span,
        })
    }

    /// A name followed by points and brackets.
    pub(super) fn reference(&mut self, what: &str) -> Parsed<Ref> {
        let hint = "a name is a letter or `_`, then letters, digits and `_`";
        if self.at_operator_word() {
            return Err(self.expected(what, hint));
        }
        let head = self.word(what, hint)?;
        let start = head.span;
        let mut tail = vec![];
        let mut height = 1;
        loop {
            self.height = 0;
            let segment = match self.tok() {
                Tok::Dot => self.member()?,
                Tok::LBracket => self.index()?,
                _ => break,
            };
            height = height.max(self.grow(self.height, segment.span())?);
            tail.push(segment);
        }
        self.height = height;
        Ok(Ref {
            head,
            tail,
            span: self.since(start),
        })
    }

    fn member(&mut self) -> Parsed<Segment> {
        self.bump();
        let start = self.span();
        match self.tok() {
            Tok::Number => {
                let digits = self.token_text(self.token(0));
                let Ok(number) = digits.parse::<u32>() else {
                    let d = report::number_range(start, digits, "is too great for an index");
                    return Err(self.report(d));
                };
                self.bump();
                self.no_word_after(start, digits, false)?;
                Ok(Segment::Number(number, start))
            }
            Tok::LParen => self.nested(|p| {
                p.mark(Mark::Tight);
                p.bump();
                let inner = p.expr()?;
                p.close(Tok::RParen, start, "(", "the computed name")?;
                Ok(Segment::Computed(inner, p.since(start)))
            }),
            _ => {
                let hint = "a point leads to a part: `exc.v`, `layer.0`, `layer.(i + 1)`";
                if self.head_below(0) {
                    return Err(self.expected("a name, a number or `(`", hint));
                }
                Ok(Segment::Name(self.word("a name, a number or `(`", hint)?))
            }
        }
    }

    fn index(&mut self) -> Parsed<Segment> {
        let start = self.span();
        self.nested(|p| {
            p.mark(Mark::Tight);
            p.bump();
            let from = p.expr()?;
            let height = p.height;
            if p.accept(Tok::DotDot).is_none() {
                if p.is(Tok::Comma) {
                    let hint = "an index is one number or a slice `a .. b`";
                    return Err(p.expected("`]`", hint));
                }
                p.close(Tok::RBracket, start, "[", "the index")?;
                return Ok(Segment::Index(from, p.since(start)));
            }
            let to = p.expr()?;
            p.height = p.height.max(height);
            p.close(Tok::RBracket, start, "[", "the slice")?;
            Ok(Segment::Slice(from, to, p.since(start)))
        })
    }
}
