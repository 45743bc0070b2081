//! Operators on values, with their dimensions.
//!
//! Pure: two values and the places where they stand go in, a value or one diagnostic comes out. `/` of two whole numbers is
//! real; whole arithmetic is checked, never wrapped; `+`, `-` and comparisons need equal dimensions; data and distributions
//! can be scaled by a number and nothing else.

use super::value::{Data, Value, scaled};
use crate::syntax::tree::{BinaryOp, UnaryOp};
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::units::Dimension;

/// A value, or why there is none.
pub(crate) type Checked<T> = Result<T, Fault>;

/// A diagnostic, kept small enough to be returned from everywhere.
pub(crate) struct Fault(Box<Diagnostic>);

impl From<Diagnostic> for Fault {
    fn from(d: Diagnostic) -> Self {
        Fault(Box::new(d))
    }
}

impl From<Fault> for Diagnostic {
    fn from(f: Fault) -> Self {
        *f.0
    }
}

/// The failure that a diagnostic describes.
pub(crate) fn fail<T>(d: impl Into<Fault>) -> Checked<T> {
    Err(d.into())
}

/// An operand and its place.
pub(crate) type At<'v> = (&'v Value, Span);

/// `op a`.
pub(crate) fn unary(op: UnaryOp, a: At) -> Checked<Value> {
    match (op, a.0) {
        (UnaryOp::Plus, Value::Int(_) | Value::Real(..)) => Ok(a.0.clone()),
        (UnaryOp::Minus, Value::Int(i)) => {
            i.checked_neg().map(Value::Int).ok_or_else(|| overflow(a.1))
        }
        (UnaryOp::Minus, Value::Real(v, d)) => Ok(Value::Real(-v, *d)),
        (UnaryOp::Minus, Value::Data(_) | Value::Draw(..)) => scale(a, -1.0, Dimension::NONE, a.1),
        (UnaryOp::Not, Value::Bool(b)) => Ok(Value::Bool(!b)),
        (UnaryOp::Not, v) => fail(operand(
            "not",
            v,
            a.1,
            "a truth value (`true`, `false` or a comparison)",
        )),
        (op, v) => {
            let sign = if op == UnaryOp::Minus { "-" } else { "+" };
            fail(operand(sign, v, a.1, "a number"))
        }
    }
}

/// `a op b`; `at` is the operator's place.
pub(crate) fn binary(op: BinaryOp, at: Span, a: At, b: At) -> Checked<Value> {
    use BinaryOp as B;
    match op {
        B::And | B::Or => logic(op, a, b),
        B::Eq | B::Ne | B::Lt | B::Le | B::Gt | B::Ge => compare(op, at, a, b),
        B::BitAnd | B::Xor | B::Shl | B::Shr => bits(op, a, b),
        B::Add | B::Sub => sum(op, at, a, b),
        B::Mul | B::Div => product(op, at, a, b),
        B::Pow => power(at, a, b),
    }
}

fn logic(op: BinaryOp, a: At, b: At) -> Checked<Value> {
    let truth = |v: At| match v.0 {
        Value::Bool(t) => Ok(*t),
        other => fail(operand(
            op.text(),
            other,
            v.1,
            "a truth value (`true`, `false` or a comparison)",
        )),
    };
    let (a, b) = (truth(a)?, truth(b)?);
    Ok(Value::Bool(if op == BinaryOp::And {
        a && b
    } else {
        a || b
    }))
}

fn compare(op: BinaryOp, at: Span, a: At, b: At) -> Checked<Value> {
    use BinaryOp as B;
    if let (Some((x, dx)), Some((y, dy))) = (a.0.number(), b.0.number()) {
        if dx != dy {
            return fail(mismatch("compared", at, (dx, a.1), (dy, b.1)));
        }
        let truth = match (a.0, b.0) {
            (Value::Int(x), Value::Int(y)) => ordering(op, x.partial_cmp(y)),
            _ => ordering(op, x.partial_cmp(&y)),
        };
        return Ok(Value::Bool(truth));
    }
    let same_kind = std::mem::discriminant(a.0) == std::mem::discriminant(b.0);
    match (op, same_kind, a.0) {
        (B::Eq | B::Ne, true, Value::Text(_)) => {
            let equal = matches!((a.0, b.0), (Value::Text(x), Value::Text(y)) if x.text == y.text);
            Ok(Value::Bool(equal == (op == B::Eq)))
        }
        (B::Eq | B::Ne, true, Value::Bool(_) | Value::Node(_)) => {
            Ok(Value::Bool((a.0 == b.0) == (op == B::Eq)))
        }
        _ => fail(
            Diagnostic::error(
                "SYN0104",
                format!(
                    "{} and {} cannot be compared by `{}`",
                    a.0.describe(),
                    b.0.describe(),
                    op.text()
                ),
            )
            .label(at, "here")
            .label(a.1, a.0.describe())
            .label(b.1, b.0.describe())
            .hint(
                "compare two numbers of one dimension; texts and truth values have `==` and `!=`",
            ),
        ),
    }
}

fn ordering(op: BinaryOp, o: Option<std::cmp::Ordering>) -> bool {
    use std::cmp::Ordering::*;
    match op {
        BinaryOp::Eq => o == Some(Equal),
        BinaryOp::Ne => o != Some(Equal),
        BinaryOp::Lt => o == Some(Less),
        BinaryOp::Gt => o == Some(Greater),
        BinaryOp::Le => matches!(o, Some(Less | Equal)),
        _ => matches!(o, Some(Greater | Equal)),
    }
}

fn bits(op: BinaryOp, a: At, b: At) -> Checked<Value> {
    if let (Value::Bool(x), Value::Bool(y)) = (a.0, b.0) {
        match op {
            BinaryOp::BitAnd => return Ok(Value::Bool(x & y)),
            BinaryOp::Xor => return Ok(Value::Bool(x ^ y)),
            _ => {}
        }
    }
    let int = |v: At| {
        v.0.whole()
            .ok_or_else(|| Fault::from(operand(op.text(), v.0, v.1, "a whole number")))
    };
    let (x, y) = (int(a)?, int(b)?);
    let count = || {
        u32::try_from(y).ok().filter(|&n| n < 64).ok_or_else(|| {
            let d = Diagnostic::error("SYN0114", format!("a shift by {y} bits"));
            Fault::from(
                d.label(b.1, "must be 0 to 63")
                    .hint("shift by a number of bits from 0 to 63"),
            )
        })
    };
    let value = match op {
        BinaryOp::BitAnd => x & y,
        BinaryOp::Xor => x ^ y,
        BinaryOp::Shl => x
            .checked_mul(1i128 << count()?)
            .ok_or_else(|| overflow(a.1))?,
        _ => x >> count()?,
    };
    Ok(Value::Int(value))
}

fn sum(op: BinaryOp, at: Span, a: At, b: At) -> Checked<Value> {
    let add = op == BinaryOp::Add;
    if let (Value::Int(x), Value::Int(y)) = (a.0, b.0) {
        let r = if add {
            x.checked_add(*y)
        } else {
            x.checked_sub(*y)
        };
        return r.map(Value::Int).ok_or_else(|| overflow(at));
    }
    let (x, dx) = a.0.number().ok_or_else(|| not_summed(op, a))?;
    let (y, dy) = b.0.number().ok_or_else(|| not_summed(op, b))?;
    if dx != dy {
        return fail(mismatch(
            if add { "added" } else { "subtracted" },
            at,
            (dx, a.1),
            (dy, b.1),
        ));
    }
    finite(if add { x + y } else { x - y }, dx, at)
}

fn not_summed(op: BinaryOp, v: At) -> Diagnostic {
    let d = operand(op.text(), v.0, v.1, "a number");
    match v.0 {
        Value::Data(_) | Value::Draw(..) => {
            d.hint("data and distributions can only be multiplied or divided by a number")
        }
        Value::Text(_) => d.hint("`name(a, b)` joins texts"),
        _ => d,
    }
}

fn product(op: BinaryOp, at: Span, a: At, b: At) -> Checked<Value> {
    let multiply = op == BinaryOp::Mul;
    if let (Value::Int(x), Value::Int(y), true) = (a.0, b.0, multiply) {
        return x
            .checked_mul(*y)
            .map(Value::Int)
            .ok_or_else(|| overflow(at));
    }
    let symbolic = |v: &Value| matches!(v, Value::Data(_) | Value::Draw(..));
    match (a.0.number(), b.0.number()) {
        (Some((x, dx)), Some((y, dy))) => {
            if !multiply && y == 0.0 {
                return fail(
                    Diagnostic::error("SYN0114", "division by zero")
                        .label(b.1, "this is 0")
                        .hint("check the value it is computed from"),
                );
            }
            let d = if multiply {
                dx.times(dy)
            } else {
                dy.power(-1).and_then(|i| dx.times(i))
            };
            let d = d.ok_or_else(|| too_high(at))?;
            finite(if multiply { x * y } else { x / y }, d, at)
        }
        (Some((x, dx)), None) if multiply && symbolic(b.0) => scale(b, x, dx, at),
        (None, Some((y, dy))) if symbolic(a.0) => {
            if multiply {
                scale(a, y, dy, at)
            } else {
                scale(a, 1.0 / y, dy.power(-1).ok_or_else(|| too_high(at))?, at)
            }
        }
        (None, _) => fail(operand(op.text(), a.0, a.1, "a number")),
        _ => fail(operand(op.text(), b.0, b.1, "a number")),
    }
}

/// Data or a distribution, times `k` of dimension `d`.
fn scale(v: At, k: f64, d: Dimension, at: Span) -> Checked<Value> {
    if !k.is_finite() {
        return fail(out_of_range(at));
    }
    match v.0 {
        Value::Data(data) => Ok(Value::Data(Data {
            scale: data.scale * k,
            dimension: data.dimension.times(d).ok_or_else(|| too_high(at))?,
            ..data.clone()
        })),
        Value::Draw(dist, dd) => {
            let dimension = dd.times(d).ok_or_else(|| too_high(at))?;
            let dist = scaled(*dist, k).ok_or_else(|| {
                Diagnostic::error(
                    "SYN0114",
                    format!("this distribution times {k} is none that can be drawn"),
                )
                .label(at, "multiplied here")
                .hint("change the distribution's arguments instead")
            })?;
            Ok(Value::Draw(dist, dimension))
        }
        other => fail(operand("*", other, v.1, "a number")),
    }
}

fn power(at: Span, a: At, b: At) -> Checked<Value> {
    if let (Value::Int(x), Value::Int(y)) = (a.0, b.0)
        && let Ok(n) = u32::try_from(*y)
    {
        return x.checked_pow(n).map(Value::Int).ok_or_else(|| overflow(at));
    }
    let (x, dx) =
        a.0.number()
            .ok_or_else(|| operand("^", a.0, a.1, "a number"))?;
    let (y, dy) =
        b.0.number()
            .ok_or_else(|| operand("^", b.0, b.1, "a number"))?;
    if !dy.is_none() {
        return fail(plain("an exponent", dy, b.1));
    }
    let d = if dx.is_none() {
        Dimension::NONE
    } else {
        let n = b.0.whole().and_then(|n| i32::try_from(n).ok());
        let n = n.ok_or_else(|| {
            Diagnostic::error("SYN0201", format!("a {dx} to the power of {y}"))
                .label(b.1, "the exponent of a quantity with a unit must be whole")
                .hint("divide by a unit first, e.g. `(x / 1 mV) ^ 0.5`")
        })?;
        dx.power(n).ok_or_else(|| too_high(at))?
    };
    finite(x.powf(y), d, at)
}

/// A real result, unless it is none.
pub(crate) fn finite(v: f64, d: Dimension, at: Span) -> Checked<Value> {
    if v.is_finite() {
        Ok(Value::Real(v, d))
    } else {
        fail(out_of_range(at))
    }
}

fn out_of_range(at: Span) -> Fault {
    Diagnostic::error("SYN0114", "the result is no finite number")
        .label(at, "computed here")
        .hint("check the values it is computed from")
        .into()
}

fn overflow(at: Span) -> Fault {
    Diagnostic::error("SYN0114", "the whole number grows beyond 127 bits")
        .label(at, "computed here")
        .hint("write one operand with a point, e.g. `2.0`, to compute with reals")
        .into()
}

fn too_high(at: Span) -> Fault {
    Diagnostic::error("SYN0201", "the result's unit has an exponent beyond 127")
        .label(at, "computed here")
        .hint("check the units of the operands")
        .into()
}

fn operand(op: &str, v: &Value, at: Span, wanted: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0104",
        format!("`{op}` needs {wanted}, not {}", v.describe()),
    )
    .label(at, format!("this is {}", v.describe()))
    .hint(format!("give {wanted} here"))
}

/// Two dimensions that should be one.
pub(crate) fn mismatch(
    what: &str,
    at: Span,
    a: (Dimension, Span),
    b: (Dimension, Span),
) -> Diagnostic {
    Diagnostic::error("SYN0201", format!("{} and {} cannot be {what}", article(a.0), article(b.0)))
        .label(at, format!("{what} here"))
        .label(a.1, article(a.0))
        .label(b.1, article(b.0))
        .hint("both sides must have one dimension; write the missing unit, or divide one out, e.g. `x / 1 ms`")
}

/// Something that must be a plain number has a unit.
pub(crate) fn plain(what: &str, d: Dimension, at: Span) -> Diagnostic {
    Diagnostic::error(
        "SYN0201",
        format!("{what} must be a plain number, not {}", article(d)),
    )
    .label(at, article(d))
    .hint("divide by a unit first, e.g. `x / 1 mV`")
}

/// "a voltage", "an electric current" is too much: the dimension's name with its article.
pub(crate) fn article(d: Dimension) -> String {
    let name = d.to_string();
    match name.as_str() {
        n if n.starts_with("a ") => name,
        "voltage" | "current" | "conductance" | "capacitance" | "resistance" | "time" | "rate"
        | "length" => {
            format!("a {name}")
        }
        _ => format!("a quantity in {name}"),
    }
}
