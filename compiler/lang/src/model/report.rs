//! The diagnostics of model lowering: codes SYN0120 to SYN0139 (names, types, form) and SYN0220 to SYN0225 (units).
//!
//! Each function makes one kind; the texts stand here so that the other modules stay about their subject.

use super::types::Type;
use synfire_ir::diag::{Diagnostic, Span, nearest};
use synfire_ir::units::Dimension;

/// The known name that is nearest; single letters resemble all others.
fn near<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.chars().count() < 2 {
        return None;
    }
    nearest(name, known.iter().copied())
}

/// A name that stands for nothing here.
pub fn unknown_name(span: Span, name: &str, known: &[&str]) -> Diagnostic {
    let d = Diagnostic::error("SYN0120", format!("`{name}` is not known in this model"))
        .label(span, "not a parameter, state, input or `let` of it");
    match near(name, known) {
        Some(n) => d.hint(format!("did you mean `{n}`?")),
        None => d.hint("declare it: a parameter in the parentheses, or `state`, `input` or `let` in the braces"),
    }
}

/// A name that is declared a second time, or is reserved (`first` is `None`).
pub fn declared_twice(name: &str, again: Span, first: Option<Span>) -> Diagnostic {
    let d = match first {
        Some(_) => Diagnostic::error("SYN0121", format!("`{name}` is declared twice")),
        None => Diagnostic::error(
            "SYN0121",
            format!("`{name}` has a meaning of its own and cannot be declared"),
        ),
    };
    let d = d.label(again, "declared here");
    match first {
        Some(f) => d.label(f, "first declared here").hint("give one of them another name"),
        None => d.hint("`dt` is the length of a step, `true` and `false` are truth values; choose another name"),
    }
}

/// A type name that a model does not have.
pub fn unknown_type(span: Span, name: &str, known: &[&str]) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0122",
        format!("`{name}` is not a type of a model's variable"),
    )
    .label(span, "unknown type");
    match near(name, known) {
        Some(n) => d.hint(format!("did you mean `{n}`?")),
        None => d.hint("types are `real`, `int`, `bool`, physical ones such as `time` and `voltage`, fixed widths such as `i16`, and choices such as `reset`"),
    }
}

/// A value of the wrong kind.
pub fn wrong_kind(span: Span, wanted: &str, found: Type) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0123",
        format!("{wanted} is wanted here, not {}", kind(found)),
    )
    .label(span, format!("this is {}", kind(found)));
    match found {
        Type::Bool => d.hint("`where(c, 1, 0)` makes a number of a truth value"),
        Type::Choice(c) => d.hint(format!(
            "compare it with one of its words: `{} == {}`",
            c.name, c.words[0]
        )),
        _ if wanted.contains("truth") => d.hint("compare it with something, as in `x > 0`"),
        _ => d.hint("use a value of that kind"),
    }
}

/// How a type is spoken of.
pub fn kind(t: Type) -> String {
    match t {
        Type::Bool => "a truth value".into(),
        Type::Real(d) if d.is_none() => "a plain number".into(),
        Type::Real(d) => with_article(d),
        Type::I32 => "an integer".into(),
        Type::U32 => "an unsigned integer".into(),
        Type::Choice(c) => format!("a choice of `{}`", c.name),
        Type::Unknown => "unknown".into(),
    }
}

fn with_article(d: Dimension) -> String {
    let named = d.to_string();
    if d.is_none()
        || named.starts_with(|c: char| !c.is_ascii_lowercase())
        || named.contains(' ')
        || named.contains('^')
    {
        if d.is_none() {
            named
        } else {
            format!("a value in {named}")
        }
    } else {
        format!("a {named}")
    }
}

/// A function that does not exist, exists only in the other kind of model, or has other arguments.
pub fn function(span: Span, message: String, hint: String) -> Diagnostic {
    Diagnostic::error("SYN0124", message)
        .label(span, "this call")
        .hint(hint)
}

/// An assignment to something that cannot change.
pub fn cannot_assign(span: Span, name: &str, what: &str, declared: Option<Span>) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0125",
        format!("`{name}` is {what} and cannot be assigned"),
    )
    .label(span, "assigned here");
    let d = match declared {
        Some(s) => d.label(s, "declared here"),
        None => d,
    };
    d.hint("only states and the `let`s of the same block can be assigned; a `let` of the model names an expression")
}

/// A number that the compiler must know, or that is out of its range.
pub fn constant(span: Span, what: &str, range: &str) -> Diagnostic {
    Diagnostic::error("SYN0126", format!("{what} must be a constant: {range}"))
        .label(span, "not such a constant")
        .hint("write a number, or the name of a file's `let` that is one")
}

/// Reals and fixed-width integers in one model.
pub fn mixed(real: Span, fixed: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0127",
        "the model mixes real numbers and fixed-width integers",
    )
    .label(real, "a real number")
    .label(fixed, "a fixed-width integer")
    .note("code in fixed widths must give the same bits everywhere, so no float appears in it")
    .hint("declare all of them with fixed widths (`i32`, `u8`, `bool`, ...) or none")
}

/// An operation that belongs to the other kind of model.
pub fn other_arithmetic(span: Span, what: &str, fixed: bool, hint: &str) -> Diagnostic {
    let message = if fixed {
        format!("{what} does not exist in fixed-width arithmetic")
    } else {
        format!("{what} exists only in fixed-width arithmetic; this model computes in real numbers")
    };
    Diagnostic::error("SYN0128", message)
        .label(span, "here")
        .hint(hint)
}

/// A word that is none of the expected ones.
pub fn unknown_word(span: Span, what: &str, word: &str, known: &[&str]) -> Diagnostic {
    let d =
        Diagnostic::error("SYN0129", format!("`{word}` is no {what}")).label(span, "unknown word");
    let d = match near(word, known) {
        Some(n) => d.hint(format!("did you mean `{n}`?")),
        None => d,
    };
    d.hint(format!("known: {}", known.join(", ")))
}

/// A statement that has no place in a neuron.
pub fn not_here(span: Span, message: String, hint: &str) -> Diagnostic {
    Diagnostic::error("SYN0130", message)
        .label(span, "here")
        .hint(hint)
}

/// Two statements that contradict one another.
pub fn contradiction(message: String, second: Span, first: Span, hint: &str) -> Diagnostic {
    Diagnostic::error("SYN0131", message)
        .label(second, "this one")
        .label(first, "and this one")
        .hint(hint)
}

/// A method that cannot integrate the equations.
pub fn method(solve: Span, ode: Span, message: String, why: &str) -> Diagnostic {
    Diagnostic::error("SYN0132", message)
        .label(ode, "this equation")
        .label(solve, "the method is named here")
        .note(why)
        .hint("use `solve exponential_euler`, `solve rk4` or `solve euler`, or leave `solve` out")
}

/// Linear equations that are integrated by Euler all the same.
pub fn not_exact(ode: Span, name: &str, why: &str) -> Diagnostic {
    Diagnostic::warning(
        "SYN0132",
        format!("{name}' is linear, but it is integrated by Euler's method"),
    )
    .label(ode, "this equation and those that it is coupled with")
    .note(why)
    .hint("write `solve euler` to say that this is meant, or `solve rk4` for a more exact result")
}

/// `let`s that need each other.
pub fn circular(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error("SYN0133", format!("`{name}` is defined by itself"))
        .label(
            span,
            "this definition reads its own name, perhaps through others",
        )
        .hint("a quantity that depends on its own past is a `state`")
}

/// A value that must be known before the run but is not.
pub fn not_uniform(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error("SYN0134", format!("{what} must be known before the run"))
        .label(span, "reads something that changes during it")
        .hint("use parameters, numbers and `dt` only")
}

/// A model beyond the limits.
pub fn too_large(span: Span, message: String) -> Diagnostic {
    Diagnostic::error("SYN0135", message)
        .label(span, "this model")
        .note("`repeat` is unrolled and every unit runs all of the code in every step")
        .hint("make `repeat` counts or nested definitions smaller")
}

/// An output without a value.
pub fn empty_output(span: Span, name: &str, states: &[&str]) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0136",
        format!("the output `{name}` has no value and no state has its name"),
    )
    .label(span, "what is its value?");
    match near(name, states) {
        Some(n) => d.hint(format!("did you mean `output {n}`?")),
        None => d.hint(format!(
            "write `output {name}: real = ...`, or name a state"
        )),
    }
}

/// A port read as a value although a block runs for each of its events.
pub fn port_of_events(span: Span, name: &str, on: Span) -> Diagnostic {
    Diagnostic::error("SYN0137", format!("`{name}` has no value of its own: its events are taken one by one"))
        .label(span, "read here")
        .label(on, "one by one here")
        .hint("keep what the events bring in a state, or write the block without parentheses: it then runs once a step with their sum")
}

/// A draw in a block that runs once an event.
pub fn draw_per_event(span: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0138",
        "a random draw in a block that runs once an event",
    )
    .label(span, "drawn here")
    .note("draws are keyed by step and unit, so all events of one step would see the same number")
    .hint("draw in `on step` or in a block without parentheses, and keep the number in a state")
}

/// Time is used but steps have no duration.
pub fn no_step(span: Span, model: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0139",
        format!("`{model}` needs the length of a step, and the network states none"),
    )
    .label(span, "this model uses time")
    .hint("add `step 1 ms` (or another length) to the network")
}

/// Two values of different dimension where they must agree.
pub fn dimensions(op: &str, op_span: Span, a: (Span, Type), b: (Span, Type)) -> Diagnostic {
    let wanted = match (a.1, b.1) {
        (Type::Real(_), Type::Real(_)) => "equal dimensions",
        _ => "values of one kind",
    };
    let d = Diagnostic::error(
        "SYN0220",
        format!("{op} needs {wanted}, found {} and {}", kind(a.1), kind(b.1)),
    )
    .label(op_span, format!("{op} here"))
    .label(a.0, format!("this is {}", kind(a.1)))
    .label(b.0, format!("this is {}", kind(b.1)));
    unit_hint(d, a.1, b.1)
}

/// A value of another dimension than its place was declared with.
pub fn assigned(value: (Span, Type), place: (Span, Type), name: &str) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0221",
        format!("`{name}` is {}, its value {}", kind(place.1), kind(value.1)),
    )
    .label(value.0, format!("this is {}", kind(value.1)))
    .label(place.0, format!("declared as {} here", kind(place.1)));
    unit_hint(d, value.1, place.1)
}

/// A function that takes plain numbers only.
pub fn needs_plain(span: Span, what: &str, found: Type) -> Diagnostic {
    Diagnostic::error(
        "SYN0222",
        format!("{what} needs a plain number, not {}", kind(found)),
    )
    .label(span, format!("this is {}", kind(found)))
    .hint("divide by a quantity of the same dimension first, as in `exp(-dt / tau)`")
}

/// A right side that is not its state per time.
pub fn derivative(value: (Span, Type), place: (Span, Type), name: &str) -> Diagnostic {
    let d = Diagnostic::error(
        "SYN0223",
        format!(
            "{name}' must be {} per time, found {}",
            kind(place.1),
            kind(value.1)
        ),
    )
    .label(value.0, format!("this is {}", kind(value.1)))
    .label(place.0, format!("`{name}` is {} here", kind(place.1)));
    if value.1 == place.1 {
        return d.hint("divide the right side by a time constant");
    }
    d.hint("check the units of each term: a current over a capacitance is a voltage per time")
}

/// A dimension with exponents out of range, or a root that is not whole.
pub fn strange_dimension(span: Span, message: String) -> Diagnostic {
    Diagnostic::error("SYN0224", message)
        .label(span, "here")
        .hint("simplify the expression; dimensions have whole exponents of at most 127")
}

/// A power whose exponent decides the dimension.
pub fn exponent(span: Span, base: (Span, Type)) -> Diagnostic {
    Diagnostic::error(
        "SYN0225",
        format!("the exponent of {} must be a whole constant", kind(base.1)),
    )
    .label(span, "this exponent")
    .label(base.0, format!("this is {}", kind(base.1)))
    .hint("divide the base by its unit first, as in `(v / 1 mV)^x`")
}

fn unit_hint(d: Diagnostic, a: Type, b: Type) -> Diagnostic {
    let (Type::Real(x), Type::Real(y)) = (a, b) else {
        let signs = matches!((a, b), (Type::I32, Type::U32) | (Type::U32, Type::I32));
        return d.hint(if signs {
            "`wrap(x, 32)` reads the bits of an unsigned value as signed"
        } else {
            "`where(c, 1, 0)` makes a number of a truth value, `x != 0` a truth value of a number"
        });
    };
    let units = [
        (Dimension::TIME, "ms"),
        (Dimension::VOLTAGE, "mV"),
        (Dimension::CURRENT, "nA"),
        (Dimension::CONDUCTANCE, "nS"),
        (Dimension::CAPACITANCE, "pF"),
        (Dimension::RESISTANCE, "MOhm"),
        (Dimension::RATE, "Hz"),
        (Dimension::LENGTH, "um"),
    ];
    let other = if x.is_none() {
        y
    } else if y.is_none() {
        x
    } else {
        return d.hint("multiply or divide by the quantity that is missing");
    };
    match units.iter().find(|u| u.0 == other) {
        Some((_, unit)) => d.hint(format!("if the plain number is meant as a {other}, give it a unit: `1 {unit}`")),
        None => d.hint("give the plain number its unit, or divide the other side by a quantity of its dimension"),
    }
}
