//! The diagnostics of lexer and parser, codes SYN0001 to SYN0019.
//!
//! Each function makes one kind of diagnostic; the texts stand here so that the grammar's code stays about the grammar.

use super::keywords::Place;
use super::lexer::{UNIT_STEMS, is_unit};
use super::tree::{MAX_HEIGHT, MAX_NESTING};
use synfire_ir::diag::{Diagnostic, Span, nearest};

/// After so many errors the parser stops.
pub(crate) const MAX_ERRORS: usize = 50;

/// Long or strange source text, shortened for a message.
pub(crate) fn quote(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    let clean: String = short
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    format!("`{clean}{dots}`")
}

pub(crate) fn file_too_large(file: u32, bytes: usize, limit: usize) -> Diagnostic {
    Diagnostic::error("SYN0001", format!("the file has {bytes} bytes; at most {limit} are read"))
        .label(Span::new(file, 0, 0), "in this file")
        .hint("keep weights and connection lists in data files (`load(\"weights.npz\")`, `from_file`), structure in text")
        .field("bytes", bytes)
        .field("limit", limit)
}

pub(crate) fn too_many_tokens(file: u32, at: usize, limit: usize) -> Diagnostic {
    Diagnostic::error("SYN0001", format!("the file has more than {limit} words and marks"))
        .label(Span::new(file, at, at), "reading stops here")
        .hint("keep weights and connection lists in data files (`load(\"weights.npz\")`, `from_file`), structure in text")
        .field("limit", limit)
}

pub(crate) fn alien(span: Span, text: &str) -> Diagnostic {
    let first = text.chars().next().unwrap_or(' ');
    let hint = match first {
        _ if text.contains(['µ', 'μ']) => "the prefix for micro is `u`, as in `uF` or `us`",
        _ if text.contains(['Ω', '\u{2126}']) => "the unit is written `Ohm`, as in `MOhm`",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '`' => {
            "strings stand in straight double quotes: \"file.npz\""
        }
        '\u{2018}' | '\u{2019}' => "a derivative is marked with a straight quote: v' = ...",
        '−' | '–' | '—' => "write the minus sign of the keyboard: -",
        '×' | '·' => "multiplication is written `*`",
        '≤' => "write `<=`",
        '≥' => "write `>=`",
        '≠' => "write `!=`",
        '!' => "write `not x`; unequal is `!=`",
        '%' => "`%` is a unit and stands only after a number; there is no remainder operator",
        '\u{a0}' | '\u{200b}' | '\u{feff}' | '\u{202f}' | '\u{2009}' => {
            "an invisible character, perhaps from copying; replace it by a plain blank"
        }
        c if c.is_alphabetic() => "names are made of the letters a to z and A to Z, digits and `_`",
        _ => "remove it; only strings and comments may hold any character",
    };
    Diagnostic::error(
        "SYN0002",
        format!("{} is no word or mark of the language", quote(text)),
    )
    .label(span, "here")
    .hint(hint)
}

pub(crate) fn open_string(span: Span) -> Diagnostic {
    Diagnostic::error("SYN0003", "the string is not closed on its line")
        .label(span, "begins here")
        .hint("put a `\"` at its end; a string stays on one line and has no escapes")
}

/// A word right after a number: a misspelt unit, or two statements without a mark between them.
pub(crate) fn no_unit(span: Span, number: (Span, &str), word: &str) -> Diagnostic {
    let prefixes = ["", "n", "u", "m", "k", "M", "G", "p"];
    let units: Vec<String> = prefixes
        .iter()
        .flat_map(|p| UNIT_STEMS.iter().map(move |s| format!("{p}{s}")))
        .chain(["cm", "min", "h"].map(String::from))
        .collect();
    let digits = number.1;
    let d = Diagnostic::error(
        "SYN0004",
        format!(
            "{} after the number {} is no unit",
            quote(word),
            quote(digits)
        ),
    )
    .label(span, "not a unit")
    .label(number.0, "the number");
    if digits == "0" && word.starts_with('x') {
        return d.hint("a hexadecimal number has digits after `0x`: 0x1F");
    }
    if word.starts_with('_') {
        return d.hint("digits are written without `_` between them");
    }
    let unit = match word.to_ascii_lowercase().as_str() {
        "sec" | "second" | "seconds" => Some("s"),
        "msec" | "millisecond" | "milliseconds" => Some("ms"),
        "minute" | "minutes" => Some("min"),
        "hour" | "hours" => Some("h"),
        "ohm" | "ohms" => Some("Ohm"),
        "volt" | "volts" => Some("V"),
        lower => units
            .iter()
            .map(String::as_str)
            .find(|u| is_unit(u) && u.to_ascii_lowercase() == lower),
    };
    let unit =
        unit.or_else(|| nearest(word, units.iter().map(String::as_str)).filter(|_| word.len() > 1));
    let d = match unit {
        Some(u) => d.hint(format!("did you mean `{digits} {u}`?")),
        None => d,
    };
    d.hint(format!("if {} begins a new statement, put it on a line of its own or write `;` before it; a product needs `*`", quote(word)))
}

pub(crate) fn number_range(span: Span, text: &str, why: &str) -> Diagnostic {
    Diagnostic::error("SYN0005", format!("the number {} {why}", quote(text)))
        .label(span, "out of range")
        .hint("choose another unit prefix or a smaller number")
}

/// Something else was expected.
pub(crate) fn expected(span: Span, what: &str, found: &str, hint: &str) -> Diagnostic {
    Diagnostic::error("SYN0010", format!("expected {what}, found {found}"))
        .label(span, format!("expected {what}"))
        .hint(hint)
}

/// Something is missing at the end of a line; `before` is the last token on it.
pub(crate) fn expected_after(before: Span, what: &str, hint: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0010",
        format!("expected {what}, found the end of the line"),
    )
    .label(before, format!("expected {what} after this"))
    .hint(hint)
}

/// A bracket or brace that nothing closes.
pub(crate) fn unclosed(open: Span, mark: &str, of: &str, at: Span, found: &str) -> Diagnostic {
    let close = match mark {
        "(" => ")",
        "[" => "]",
        _ => "}",
    };
    Diagnostic::error(
        "SYN0011",
        format!("the `{mark}` of {of} is not closed before {found}"),
    )
    .label(at, format!("expected `{close}` before this"))
    .label(open, "opened here")
    .hint(format!("add the missing `{close}`"))
}

pub(crate) fn unmatched_close(span: Span, mark: &str) -> Diagnostic {
    Diagnostic::error("SYN0011", format!("this `{mark}` closes nothing"))
        .label(span, "nothing is open here")
        .hint("remove it, or look for one too many just above")
}

pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0012",
        format!("nested more than {MAX_NESTING} levels deep"),
    )
    .label(span, "one level too many")
    .hint("give inner parts a name with `let`, or move them to a module")
    .field("limit", MAX_NESTING)
}

pub(crate) fn too_high(span: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0012",
        format!("the expression chains more than {MAX_HEIGHT} operations"),
    )
    .label(span, "one operation too many")
    .hint("give parts of it a name with `let`, or keep long sums in a data file")
    .field("limit", MAX_HEIGHT)
}

pub(crate) fn chained(first: Span, second: Span) -> Diagnostic {
    Diagnostic::error("SYN0013", "comparisons do not chain")
        .label(second, "a second comparison")
        .label(first, "the first one")
        .hint("write `a < b and b < c`, or set parentheses around one comparison")
}

pub(crate) fn reserved(span: Span, word: &str, what: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0014",
        format!("`{word}` cannot be {what}: it has a meaning inside expressions"),
    )
    .label(span, "reserved word")
    .hint(format!(
        "choose another name, such as `{word}_` or `{}1`",
        word.chars().next().unwrap_or('x')
    ))
}

/// A word that begins no statement here.
pub(crate) fn no_statement(span: Span, word: &str, place: Place, next: &str) -> Diagnostic {
    let list: Vec<String> = place.heads().iter().map(|h| format!("`{h}`")).collect();
    let d = Diagnostic::error(
        "SYN0015",
        format!(
            "`{word}` begins no statement here; expected {}",
            place.what()
        ),
    )
    .label(span, format!("not {}", place.what()));
    let elsewhere = Place::ALL
        .into_iter()
        .find(|p| *p != place && p.heads().contains(&word));
    let d = match (nearest(word, place.heads().iter().copied()), elsewhere) {
        (_, Some(home)) => d.hint(format!("`{word}` stands {}", home.home())),
        (Some(near), _) => d.hint(format!("did you mean `{near}`?")),
        _ => d,
    };
    let d = match (place, next) {
        (Place::Dyn, "=") => d.hint(format!("an equation is written `{word}' = ...`, a named expression `let {word} = ...`; values are assigned inside `on` and `spike when`")),
        (Place::Dyn, "+=" | "-=" | "*=") => d.hint("values are assigned inside `on` and `spike when`"),
        (Place::Net | Place::Top, "=") => d.hint(format!("write `let {word} = ...`")),
        (Place::Exp, "=" | "." | "[") => d.hint("write `at 0 s : target = value`"),
        _ => d,
    };
    d.hint(format!("statements here begin with {}", list.join(", ")))
}

pub(crate) fn not_callable(span: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0016",
        "only a name or names joined by points can be called",
    )
    .label(span, "this is called")
    .hint("functions and rules have no index; pass it as an argument")
}

pub(crate) fn not_assignable(span: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0016",
        "only a name, a member or one element can be assigned",
    )
    .label(span, "assigned here")
    .hint("slices, numbers and computed parts cannot stand left of `=`")
}

pub(crate) fn too_many(span: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0019",
        format!("more than {MAX_ERRORS} errors; the rest of the file was not read"),
    )
    .label(span, "stopped here")
    .hint("mend the first errors and run again")
}
