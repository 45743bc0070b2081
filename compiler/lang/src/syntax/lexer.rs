//! Text to tokens, with nom.
//!
//! Comes in: the text of one file. Goes out: tokens (byte ranges, ended by [`Tok::End`]), comments, and what is no token at all.
//! Invariants: never fails; tokens are in the order of the text and do not overlap; the work is linear in the text, as no rule backtracks
//! by more than one unit. A number and its unit are one token. Keywords are words here: which word is a keyword, the parser knows.

use super::report;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_while, take_while1};
use nom::character::complete::{char, digit1, one_of, satisfy};
use nom::combinator::{not, opt, peek, recognize, verify};
use nom::multi::many0_count;
use nom::sequence::{pair, preceded, terminated};
use nom::{IResult, Parser};
use synfire_ir::diag::{Diagnostics, Span};

/// The kinds of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tok {
    Word,
    /// Decimal, perhaps with a unit.
    Number,
    Hex,
    Text,
    /// Not a token of the language; reported already.
    Bad,
    LParen,
    RParen,
    LBracket,
    RBracket,
    LBrace,
    RBrace,
    Comma,
    Semi,
    Colon,
    Dot,
    DotDot,
    Arrow,
    Pipe,
    Tilde,
    Prime,
    Set,
    AddSet,
    SubSet,
    MulSet,
    Eq,
    Ne,
    Le,
    Ge,
    Lt,
    Gt,
    Amp,
    Shl,
    Shr,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    End,
}

/// Longer ones first, as the first that fits is taken.
const PUNCTUATION: [(&str, Tok); 33] = [
    ("..", Tok::DotDot),
    ("->", Tok::Arrow),
    ("+=", Tok::AddSet),
    ("-=", Tok::SubSet),
    ("*=", Tok::MulSet),
    ("==", Tok::Eq),
    ("!=", Tok::Ne),
    ("<=", Tok::Le),
    (">=", Tok::Ge),
    ("<<", Tok::Shl),
    (">>", Tok::Shr),
    ("(", Tok::LParen),
    (")", Tok::RParen),
    ("[", Tok::LBracket),
    ("]", Tok::RBracket),
    ("{", Tok::LBrace),
    ("}", Tok::RBrace),
    (",", Tok::Comma),
    (";", Tok::Semi),
    (":", Tok::Colon),
    (".", Tok::Dot),
    ("|", Tok::Pipe),
    ("~", Tok::Tilde),
    ("'", Tok::Prime),
    ("=", Tok::Set),
    ("<", Tok::Lt),
    (">", Tok::Gt),
    ("&", Tok::Amp),
    ("+", Tok::Plus),
    ("-", Tok::Minus),
    ("*", Tok::Star),
    ("/", Tok::Slash),
    ("^", Tok::Caret),
];

impl Tok {
    /// The text of a punctuation mark.
    pub(crate) fn mark(self) -> Option<&'static str> {
        PUNCTUATION
            .iter()
            .find(|(_, t)| *t == self)
            .map(|(s, _)| *s)
    }
}

/// A token: bytes `start..end` of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) tok: Tok,
    /// A line ends between the token before and this one.
    pub(crate) newline: bool,
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// For a number: end of its digits; its unit, if any, ends at `end`.
    pub(crate) digits_end: u32,
}

/// A comment: bytes `start..end` of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawComment {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) own_line: bool,
    /// Index of the token that follows it.
    pub(crate) before: u32,
}

/// What the lexer found.
pub(crate) struct Lexed {
    /// Never empty; the last one, and only that, is [`Tok::End`].
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<RawComment>,
    pub(crate) diagnostics: Diagnostics,
}

/// The unit words without prefix, and the prefixes that seven of them take.
pub(crate) const UNIT_STEMS: [&str; 8] = ["s", "V", "A", "Hz", "S", "F", "Ohm", "m"];
const UNIT_PREFIXES: [char; 7] = ['n', 'u', 'm', 'k', 'M', 'G', 'p'];

/// Is this one unit word, such as `mV`, `cm`, `h`?
pub(crate) fn is_unit(word: &str) -> bool {
    matches!(word, "cm" | "min" | "h")
        || UNIT_STEMS.contains(&word)
        || word
            .strip_prefix(UNIT_PREFIXES)
            .is_some_and(|w| UNIT_STEMS.contains(&w))
}

fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn word(i: &str) -> IResult<&str, &str> {
    recognize(pair(
        satisfy(|c| c.is_ascii_alphabetic() || c == '_'),
        take_while(is_word_char),
    ))
    .parse(i)
}

fn hex(i: &str) -> IResult<&str, &str> {
    recognize(pair(
        tag("0x"),
        take_while1(|c: char| c.is_ascii_hexdigit()),
    ))
    .parse(i)
}

fn decimal(i: &str) -> IResult<&str, &str> {
    let fraction = (char('.'), digit1);
    let exponent = (one_of("eE"), opt(one_of("+-")), digit1);
    recognize((digit1, opt(fraction), opt(exponent))).parse(i)
}

/// `mV`, `cm^2`: a unit word with an exponent of one digit, no word after it.
fn unit_factor(i: &str) -> IResult<&str, &str> {
    let digit = terminated(
        satisfy(|c| c.is_ascii_digit()),
        not(peek(satisfy(is_word_char))),
    );
    recognize(pair(verify(word, is_unit), opt(preceded(char('^'), digit)))).parse(i)
}

fn unit(i: &str) -> IResult<&str, &str> {
    alt((
        tag("%"),
        recognize(pair(
            unit_factor,
            many0_count(pair(one_of("*/"), unit_factor)),
        )),
    ))
    .parse(i)
}

/// A unit after blanks on the same line; the whole with its blanks.
fn trailing_unit(i: &str) -> IResult<&str, &str> {
    recognize(pair(take_while(|c| c == ' ' || c == '\t'), unit)).parse(i)
}

fn comment(i: &str) -> IResult<&str, &str> {
    recognize(pair(char('#'), take_while(|c| c != '\n'))).parse(i)
}

/// A string; the flag says whether its closing quote is there.
fn string(i: &str) -> IResult<&str, bool> {
    preceded(pair(char('"'), opt(is_not("\"\n"))), opt(char('"')))
        .map(|quote| quote.is_some())
        .parse(i)
}

fn punctuation(i: &str) -> IResult<&str, Tok> {
    for (mark, tok) in PUNCTUATION {
        if let Some(rest) = i.strip_prefix(mark) {
            return Ok((rest, tok));
        }
    }
    Err(nom::Err::Error(nom::error::Error::new(
        i,
        nom::error::ErrorKind::Tag,
    )))
}

fn blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

/// A word with a letter that is not ASCII.
fn alien_word(i: &str) -> IResult<&str, &str> {
    let letters = take_while1(|c: char| c.is_alphanumeric() || c == '_');
    verify(letters, |w: &str| !w.is_ascii()).parse(i)
}

/// Marks that can begin no token.
fn alien_marks(i: &str) -> IResult<&str, &str> {
    let known = |c| {
        PUNCTUATION
            .iter()
            .any(|(m, _)| m.len() == 1 && m.starts_with(c))
    };
    take_while1(|c: char| {
        !(c.is_alphanumeric() || c == '_' || blank(c) || c == '#' || c == '"' || known(c))
    })
    .parse(i)
}

struct Lexer<'a> {
    file: u32,
    text: &'a str,
    rest: &'a str,
    newline: bool,
    out: Lexed,
}

/// Cuts `text` into tokens; more than `max_tokens` of them are an error and the rest is left out.
pub(crate) fn lex(file: u32, text: &str, max_tokens: usize) -> Lexed {
    let out = Lexed {
        tokens: vec![],
        comments: vec![],
        diagnostics: Diagnostics::new(),
    };
    let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lexer = Lexer {
        file,
        text,
        rest,
        newline: true,
        out,
    };
    while !lexer.rest.is_empty() {
        if lexer.out.tokens.len() + lexer.out.comments.len() >= max_tokens {
            let at = lexer.at();
            lexer
                .out
                .diagnostics
                .push(report::too_many_tokens(file, at, max_tokens));
            break;
        }
        lexer.next();
    }
    let end = lexer.at();
    lexer.push(Tok::End, end, end, end);
    lexer.out
}

impl<'a> Lexer<'a> {
    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn push(&mut self, tok: Tok, start: usize, end: usize, digits_end: usize) {
        let (start, end, digits_end) = (start as u32, end as u32, digits_end as u32);
        self.out.tokens.push(Token {
            tok,
            newline: self.newline,
            start,
            end,
            digits_end,
        });
        self.newline = false;
    }

    /// Consumes blanks, one comment or one token.
    fn next(&mut self) {
        let start = self.at();
        let input = self.rest;
        let trimmed = input.trim_start_matches(blank);
        if trimmed.len() < input.len() {
            let skipped = &input[..input.len() - trimmed.len()];
            self.newline |= skipped.contains('\n');
            self.rest = trimmed;
        } else if let Ok((rest, text)) = comment(input) {
            let before = self.out.tokens.len() as u32;
            let end = (start + text.trim_end().len()) as u32;
            let own_line = self.newline;
            self.out.comments.push(RawComment {
                start: start as u32,
                end,
                own_line,
                before,
            });
            self.rest = rest;
        } else if let Ok((rest, _)) = alien_word(input) {
            self.alien(start, rest);
        } else if let Ok((rest, _)) = word(input) {
            self.take(Tok::Word, start, rest);
        } else if input.starts_with(|c: char| c.is_ascii_digit()) {
            self.number(start);
        } else if let Ok((rest, closed)) = string(input) {
            self.take(Tok::Text, start, rest);
            if !closed {
                let span = Span::new(self.file, start, self.at());
                self.report(report::open_string(span));
            }
        } else if let Ok((rest, tok)) = punctuation(input) {
            self.take(tok, start, rest);
        } else {
            // A mark that only opens a longer one (`!`), or a run of unknown ones.
            let width = input.chars().next().map_or(input.len(), char::len_utf8);
            let rest = alien_marks(input).map_or(&input[width..], |(rest, _)| rest);
            self.alien(start, rest);
        }
    }

    fn take(&mut self, tok: Tok, start: usize, rest: &'a str) {
        self.rest = rest;
        let end = self.at();
        self.push(tok, start, end, end);
    }

    fn number(&mut self, start: usize) {
        // `layer.0.5` is two steps of a reference, so after a point only digits count.
        if self.out.tokens.last().is_some_and(|t| t.tok == Tok::Dot) {
            if let Ok((rest, _)) = digit1::<_, nom::error::Error<&str>>(self.rest) {
                self.take(Tok::Number, start, rest);
            }
        } else if let Ok((rest, _)) = hex(self.rest) {
            self.take(Tok::Hex, start, rest);
        } else if let Ok((rest, _)) = decimal(self.rest) {
            self.rest = rest;
            let digits_end = self.at();
            if let Ok((rest, _)) = trailing_unit(rest) {
                self.rest = rest;
            }
            let end = self.at();
            self.push(Tok::Number, start, end, digits_end);
        }
    }

    fn alien(&mut self, start: usize, rest: &'a str) {
        self.take(Tok::Bad, start, rest);
        let end = self.at();
        self.report(report::alien(
            Span::new(self.file, start, end),
            &self.text[start..end],
        ));
    }

    fn report(&mut self, d: synfire_ir::Diagnostic) {
        let count = self.out.diagnostics.0.len();
        if count < report::MAX_ERRORS {
            self.out.diagnostics.push(d);
        } else if count == report::MAX_ERRORS {
            let at = self.at();
            self.out
                .diagnostics
                .push(report::too_many(Span::new(self.file, at, at)));
        }
    }
}
