//! Text of values and arrays.

use super::Scope;
use crate::diag::Diagnostics;
use crate::network::{Array, ArrayData, Distribution, Init};
use crate::text::{F32, F64, Name, Printer, Scanner, Token};
use std::fmt;

/// Prints a value.
pub(super) struct Shown<'a>(pub &'a Init, pub &'a Scope);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Init::Const(c) => F64(*c).fmt(f),
            Init::Array(a) => write!(f, "array {}", self.1.arrays.show(*a)),
            Init::Draw(d) => draw(f, d),
        }
    }
}

fn draw(f: &mut fmt::Formatter<'_>, d: &Distribution) -> fmt::Result {
    use Distribution::*;
    let n = F64;
    match *d {
        Uniform(a, b) => write!(f, "uniform({}, {})", n(a), n(b)),
        UniformInt(a, b) => write!(f, "uniform_int({a}, {b})"),
        Normal(a, b) => write!(f, "normal({}, {})", n(a), n(b)),
        NormalClipped(a, b, c, d) => {
            let (a, b, c, d) = (n(a), n(b), n(c), n(d));
            write!(f, "normal_clipped({a}, {b}, {c}, {d})")
        }
        NormalClippedToBoundary(a, b, c, d) => {
            let (a, b, c, d) = (n(a), n(b), n(c), n(d));
            write!(f, "normal_clipped_to_boundary({a}, {b}, {c}, {d})")
        }
        Lognormal(a, b) => write!(f, "lognormal({}, {})", n(a), n(b)),
        Exponential(a) => write!(f, "exponential({})", n(a)),
        Gamma(a, b) => write!(f, "gamma({}, {})", n(a), n(b)),
        Binomial(a, b) => write!(f, "binomial({a}, {})", n(b)),
        Poisson(a) => write!(f, "poisson({})", n(a)),
        Vonmises(a, b) => write!(f, "vonmises({}, {})", n(a), n(b)),
    }
}

/// Reads a value.
pub(super) fn parse(s: &mut Scanner, scope: &Scope) -> Result<Init, Diagnostics> {
    match s.peek() {
        Token::Number(_) | Token::Word("inf") => Ok(Init::Const(s.f64("a value")?)),
        Token::Word("array") => {
            s.bump();
            Ok(Init::Array(scope.arrays.read(s)?))
        }
        _ => Ok(Init::Draw(parse_draw(s)?)),
    }
}

fn real(s: &mut Scanner) -> Result<f64, Diagnostics> {
    s.f64("a number")
}

fn next(s: &mut Scanner) -> Result<f64, Diagnostics> {
    s.mark(",")?;
    real(s)
}

fn parse_draw(s: &mut Scanner) -> Result<Distribution, Diagnostics> {
    use Distribution::*;
    let name = s.choice("a number, `array` or a distribution", |w| {
        Distribution::NAMED.iter().map(|d| d.0).find(|n| *n == w)
    })?;
    s.mark("(")?;
    let d = match name {
        "uniform" => Uniform(real(s)?, next(s)?),
        "uniform_int" => {
            let a = s.int("a whole number")?;
            s.mark(",")?;
            UniformInt(a, s.int("a whole number")?)
        }
        "normal" => Normal(real(s)?, next(s)?),
        "normal_clipped" => NormalClipped(real(s)?, next(s)?, next(s)?, next(s)?),
        "normal_clipped_to_boundary" => {
            NormalClippedToBoundary(real(s)?, next(s)?, next(s)?, next(s)?)
        }
        "lognormal" => Lognormal(real(s)?, next(s)?),
        "exponential" => Exponential(real(s)?),
        "gamma" => Gamma(real(s)?, next(s)?),
        "binomial" => Binomial(s.int("a number of trials")?, next(s)?),
        "poisson" => Poisson(real(s)?),
        _ => Vonmises(real(s)?, next(s)?),
    };
    s.mark(")")?;
    Ok(d)
}

/// A line or more for an array.
pub(super) fn print_array(p: &mut Printer, a: &Array) {
    let ty = match a.data {
        ArrayData::F32(_) => "f32",
        ArrayData::F64(_) => "f64",
        ArrayData::I32(_) => "i32",
    };
    let shape: Vec<String> = a.shape.iter().map(u32::to_string).collect();
    let head = format!("array {} {ty} shape [{}]", Name(&a.name), shape.join(", "));
    match &a.data {
        ArrayData::F32(v) => p.array(head, v.iter().map(|x| F32(*x))),
        ArrayData::F64(v) => p.array(head, v.iter().map(|x| F64(*x))),
        ArrayData::I32(v) => p.array(head, v.iter()),
    }
}

/// Reads an array; `array` has been read.
pub(super) fn parse_array(s: &mut Scanner) -> Result<Array, Diagnostics> {
    let name = s.name("the name of an array")?;
    let ty = s.choice("`f32`, `f64` or `i32`", |w| {
        ["f32", "f64", "i32"].into_iter().find(|t| *t == w)
    })?;
    s.keyword("shape")?;
    let mut shape = vec![];
    s.list(|s| {
        shape.push(s.int("an extent")?);
        Ok(())
    })?;
    let data = match ty {
        "f32" => ArrayData::F32(values(s, |s| s.f32("a value"))?.into()),
        "f64" => ArrayData::F64(values(s, |s| s.f64("a value"))?.into()),
        _ => ArrayData::I32(values(s, |s| s.int("a value"))?.into()),
    };
    Ok(Array { name, shape, data })
}

fn values<T>(
    s: &mut Scanner,
    f: impl Fn(&mut Scanner) -> Result<T, Diagnostics>,
) -> Result<Vec<T>, Diagnostics> {
    let mut out = vec![];
    s.list(|s| {
        out.push(f(s)?);
        Ok(())
    })?;
    Ok(out)
}
