//! Distributions by name.
//!
//! Comes in: a name and its arguments. Goes out: a [`Value::Draw`] in SI with the dimension of what it draws, or what is
//! wrong with the arguments.

use super::ops::{Checked, fail, mismatch, plain};
use super::value::Value;
use synfire_ir::diag::{Diagnostic, Span};
use synfire_ir::network::{Distribution as D, MAX_COUNT};
use synfire_ir::units::Dimension;

/// All names, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    D::NAMED.iter().map(|t| t.0)
}

/// Names of the arguments, if it is a distribution.
pub(super) fn arguments(name: &str) -> Option<&'static [&'static str]> {
    D::NAMED.iter().find(|t| t.0 == name).map(|t| t.1)
}

/// Does it draw whole numbers only?
pub(super) fn is_whole(d: &D) -> bool {
    matches!(d, D::UniformInt(..) | D::Binomial(..) | D::Poisson(_))
}

/// The distribution `name` of these arguments (as many as [`arguments`] says).
pub(super) fn make(name: &str, values: &[(Value, Span)], at: Span) -> Checked<Value> {
    let mut numbers = vec![];
    for ((v, span), formal) in values.iter().zip(arguments(name).unwrap_or(&[])) {
        let n = v.number().ok_or_else(|| {
            Diagnostic::error(
                "SYN0104",
                format!(
                    "`{formal}` of `{name}` must be a number, not {}",
                    v.describe()
                ),
            )
            .label(*span, v.describe())
            .hint("give a number")
        })?;
        numbers.push((n.0, n.1, *span));
    }
    let get = |i: usize| numbers.get(i).map_or(0.0, |n| n.0);
    let first = numbers.first().map_or(Dimension::NONE, |n| n.1);
    // Gamma's shape, and all arguments of the families without scale, are plain numbers.
    let (plain_from, dimension) = match name {
        "gamma" => (1, numbers.get(1).map_or(Dimension::NONE, |n| n.1)),
        "uniform" | "normal" | "normal_clipped" | "normal_clipped_to_boundary" | "exponential" => {
            (0, first)
        }
        _ => (numbers.len(), Dimension::NONE),
    };
    for (i, n) in numbers.iter().enumerate() {
        if i < plain_from && !n.1.is_none() {
            return fail(plain(&format!("an argument of `{name}`"), n.1, n.2));
        }
        if i > 0 && plain_from == 0 && n.1 != first {
            return fail(mismatch(
                "arguments of one distribution",
                at,
                (first, numbers[0].2),
                (n.1, n.2),
            ));
        }
    }
    check(name, &numbers)?;
    let (a, b, c, d) = (get(0), get(1), get(2), get(3));
    let distribution = match name {
        "uniform" => D::Uniform(a, b),
        "uniform_int" => D::UniformInt(a as i64, b as i64),
        "normal" => D::Normal(a, b),
        "normal_clipped" => D::NormalClipped(a, b, c, d),
        "normal_clipped_to_boundary" => D::NormalClippedToBoundary(a, b, c, d),
        "lognormal" => D::Lognormal(a, b),
        "exponential" => D::Exponential(a),
        "gamma" => D::Gamma(a, b),
        "binomial" => D::Binomial(a as u32, b),
        "poisson" => D::Poisson(a),
        _ => D::Vonmises(a, b),
    };
    Ok(Value::Draw(distribution, dimension))
}

fn check(name: &str, n: &[(f64, Dimension, Span)]) -> Checked<()> {
    let get = |i: usize| n.get(i).map_or(0.0, |n| n.0);
    let bad = |i: usize, what: &str| {
        let at = n.get(i).map_or(Span::default(), |n| n.2);
        fail(
            Diagnostic::error("SYN0114", format!("`{name}`: {what}"))
                .label(at, "this argument")
                .hint(format!(
                    "`{name}` takes {}",
                    arguments(name).unwrap_or(&[]).join(", ")
                )),
        )
    };
    let whole = |x: f64| x.fract() == 0.0 && x.abs() <= 2f64.powi(31);
    match name {
        "uniform" if get(0) > get(1) => bad(1, "the upper bound lies below the lower"),
        "uniform_int" if !whole(get(0)) => bad(0, "bounds are whole numbers within 32 bits"),
        "uniform_int" if !whole(get(1)) => bad(1, "bounds are whole numbers within 32 bits"),
        "uniform_int" if get(0) > get(1) => bad(1, "the upper bound lies below the lower"),
        "normal" | "normal_clipped" | "normal_clipped_to_boundary" | "lognormal"
            if get(1) < 0.0 =>
        {
            bad(1, "a deviation is not negative")
        }
        "normal_clipped" | "normal_clipped_to_boundary" if get(2) > get(3) => {
            bad(3, "the upper bound lies below the lower")
        }
        "gamma" if get(0) <= 0.0 => bad(0, "the shape is positive"),
        "binomial" if !whole(get(0)) || !(0.0..=MAX_COUNT).contains(&get(0)) => {
            bad(0, "the number of trials is whole, 0 to 100,000")
        }
        "binomial" if !(0.0..=1.0).contains(&get(1)) => bad(1, "a probability is 0 to 1"),
        "poisson" if !(0.0..=MAX_COUNT).contains(&get(0)) => bad(0, "the mean is 0 to 100,000"),
        "vonmises" if get(1) < 0.0 => bad(1, "the concentration is not negative"),
        _ => Ok(()),
    }
}
