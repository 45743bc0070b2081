//! Functions of reals as integer step code: quotients, exp, logarithm, powers, tanh, the logistic curve, sine.
//!
//! Comes in: scaled words and the ranges that their values keep to. Goes out: straight-line code of shifts and products that every engine
//! runs to the same bits; whatever is no whole number in it was computed here, before the run. Arguments are first brought into a
//! short interval (halving, doubling, powers of 2, periods), and there a series with integer coefficients follows whose last term lies
//! below the last bit. Deliberately absent: tables, which the step code has no memory for, and 64-bit words.

use super::range::Interval;
use super::{BITS, fraction_for, scaled};
use std::f64::consts::{LN_2, LOG2_E, PI, SQRT_2};
use synfire_ir::model::{BinOp, BlockBuilder, Op, Round, Ty, UnOp, Value};

/// A value: an integer word and its bits after the point (0 for values that were no floats).
#[derive(Clone, Copy, Debug)]
pub(super) struct Scaled {
    pub v: Value,
    pub fraction: i32,
}

/// Bits after the point of values about 1 inside the series.
const UNIT: i32 = 29;
/// Terms of the exponential series around the middle of an interval of length ln 2, or 1: the next is below 2^-30.
const TERMS: i32 = 9;
/// Least bits after the point of an exponent: its last bit is the relative error of the result.
const EXPONENT_BITS: i32 = 12;

/// `(a * b) >> by`, toward minus infinity.
fn times(w: &mut BlockBuilder, a: Value, b: Value, by: i32) -> Value {
    let op = Op::MulShift {
        a,
        b,
        shift: by.clamp(0, 63) as u8,
        round: Round::Floor,
    };
    w.push(op, Ty::I32)
}

fn times_constant(w: &mut BlockBuilder, a: Value, c: i32, by: i32) -> Value {
    let c = w.i32(c);
    times(w, a, c, by)
}

/// A sum with a constant.
fn plus(w: &mut BlockBuilder, a: Value, c: i32) -> Value {
    let c = w.i32(c);
    w.bin(BinOp::Add, a, c)
}

fn at_most(w: &mut BlockBuilder, a: Value, c: i32) -> Value {
    let c = w.i32(c);
    w.bin(BinOp::Min, a, c)
}

fn at_least(w: &mut BlockBuilder, a: Value, c: i32) -> Value {
    let c = w.i32(c);
    w.bin(BinOp::Max, a, c)
}

/// The same value with `fraction` bits after the point.
pub(super) fn shift(w: &mut BlockBuilder, x: Scaled, fraction: i32) -> Value {
    let by = fraction - x.fraction;
    if by == 0 {
        return x.v;
    }
    let n = w.i32(by.abs().min(31));
    w.bin(if by > 0 { BinOp::Shl } else { BinOp::Shr }, x.v, n)
}

/// `sum of c[k] * d^k`; `d` has 30 bits after the point, the result [`UNIT`].
fn series(w: &mut BlockBuilder, d: Value, coefficients: &[f64]) -> Value {
    let mut sum = w.i32(0);
    for &c in coefficients.iter().rev() {
        let more = times(w, sum, d, BITS);
        sum = plus(w, more, scaled(c, UNIT));
    }
    sum
}

/// The word of a bound, within 31 bits.
fn bound(x: f64, fraction: i32) -> i32 {
    (x * 2f64.powi(fraction))
        .round_ties_even()
        .clamp(i32::MIN as f64 + 1.0, i32::MAX as f64) as i32
}

/// `e^x`. Refuses an exponent whose steps are coarse.
pub(super) fn exp(w: &mut BlockBuilder, x: Scaled, r: Interval) -> Result<Scaled, String> {
    if x.fraction < EXPONENT_BITS {
        return Err(format!(
            "it takes `exp` of values up to {:.3}, of which 32 bits leave steps of {:.1e} (`min` and `max` would bound the exponent)",
            r.magnitude(),
            2f64.powi(-x.fraction)
        ));
    }
    // One bit in hand: the rounded exponent may reach the next power of 2.
    let fraction = fraction_for(r.high.exp()) - 1;
    let least = -(fraction + 2) as f64;
    let (low, high) = ((r.low * LOG2_E).max(least), r.high * LOG2_E);
    if high <= least {
        let v = w.i32(0);
        return Ok(Scaled { v, fraction });
    }
    let kept = at_least(w, x.v, bound(low / LOG2_E, x.fraction));
    let bits = fraction_for(low.abs().max(high.abs()).max(1.0)).min(UNIT);
    let y = times_constant(w, kept, scaled(LOG2_E, BITS), x.fraction + BITS - bits);
    let by = w.i32(bits);
    let whole = w.bin(BinOp::Shr, y, by);
    let mask = w.i32((1 << bits) - 1);
    let rest = w.bin(BinOp::And, y, mask);
    let up = w.i32(BITS - bits);
    let rest = w.bin(BinOp::Shl, rest, up);
    let middle = plus(w, rest, -(1 << (BITS - 1)));
    let mut c = SQRT_2;
    let mut coefficients = vec![];
    for k in 1..=TERMS {
        coefficients.push(c);
        c *= LN_2 / k as f64;
    }
    let power = series(w, middle, &coefficients);
    let places = w.i32(UNIT - fraction);
    let down = w.bin(BinOp::Sub, places, whole);
    let v = w.bin(BinOp::Shr, power, down);
    Ok(Scaled { v, fraction })
}

/// `(e^z - 1) / z`, 1 at 0: what exponential Euler multiplies the derivative with.
pub(super) fn relaxation(w: &mut BlockBuilder, z: Scaled, r: Interval) -> Result<Scaled, String> {
    let half = bound(0.5, z.fraction);
    let near = at_most(w, z.v, half);
    let near = at_least(w, near, -half);
    let small = Scaled {
        v: near,
        fraction: z.fraction,
    };
    let d = shift(w, small, BITS);
    let mut c = 1.0;
    let mut coefficients = vec![];
    for k in 1..=TERMS {
        coefficients.push(c);
        c /= (k + 1) as f64;
    }
    let near = series(w, d, &coefficients);
    let whole = relaxed(r);
    if r.magnitude() <= 0.5 {
        let fraction = UNIT;
        return Ok(Scaled { v: near, fraction });
    }
    let grown = exp(w, z, r)?;
    let rise = Scaled {
        v: plus(w, grown.v, -bound(1.0, grown.fraction)),
        fraction: grown.fraction,
    };
    let far = quotient(w, rise, z, whole);
    let size = w.un(UnOp::Abs, z.v);
    let limit = w.i32(half);
    let close = w.bin(BinOp::Lt, size, limit);
    let fraction = UNIT.min(far.fraction);
    let near = Scaled {
        v: near,
        fraction: UNIT,
    };
    let (a, b) = (shift(w, near, fraction), shift(w, far, fraction));
    let v = w.select(close, a, b);
    Ok(Scaled { v, fraction })
}

/// Range of `(e^z - 1) / z`, which rises everywhere.
pub(super) fn relaxed(z: Interval) -> Interval {
    let at = |z: f64| match z.abs() < 1e-9 {
        true => 1.0,
        false => z.exp_m1() / z,
    };
    Interval::new(at(z.low), at(z.high))
}

/// Doubles a word from 0 up until its bit 30 is set; gives it and the number of doublings (31 for 0).
fn normal(w: &mut BlockBuilder, x: Value) -> (Value, Value) {
    let (mut x, mut doublings) = (x, w.i32(0));
    for by in [16, 8, 4, 2, 1] {
        let limit = w.i32(((1i64 << (31 - by)) - 1) as i32);
        let small = w.bin(BinOp::Le, x, limit);
        let n = w.i32(by);
        let up = w.bin(BinOp::Shl, x, n);
        x = w.select(small, up, x);
        let more = w.bin(BinOp::Add, doublings, n);
        doublings = w.select(small, more, doublings);
    }
    (x, doublings)
}

/// The reciprocal of `m / 2^31` for a word `m` from 2^30 up, with [`UNIT`] bits after the point: three steps of Newton's method from a
/// line that is within 1/17.
fn reciprocal(w: &mut BlockBuilder, m: Value) -> Value {
    let slope = times_constant(w, m, scaled(32.0 / 17.0, UNIT), 31);
    let top = w.i32(scaled(48.0 / 17.0, UNIT));
    let first = w.bin(BinOp::Sub, top, slope);
    refined(w, first, m, 31)
}

/// Three steps of Newton's method towards 1 / m, where m has `bits` bits after the point.
fn refined(w: &mut BlockBuilder, first: Value, m: Value, bits: i32) -> Value {
    let mut r = first;
    let two = w.i32(2 << UNIT);
    for _ in 0..3 {
        let near = times(w, m, r, bits);
        let left = w.bin(BinOp::Sub, two, near);
        r = times(w, r, left, UNIT);
    }
    r
}

/// `a / b` within the range `r`, at whose ends it saturates; so does a quotient by 0.
pub(super) fn quotient(w: &mut BlockBuilder, a: Scaled, b: Scaled, r: Interval) -> Scaled {
    let fraction = fraction_for(r.magnitude());
    let (x, y) = (w.un(UnOp::Abs, a.v), w.un(UnOp::Abs, b.v));
    let ((x, p), (y, q)) = (normal(w, x), normal(w, y));
    let inverse = reciprocal(w, y);
    let inverse = at_most(w, inverse, 2 << UNIT);
    let ratio = times(w, x, inverse, BITS);
    // The ratio of the words has 30 bits after the point, and the words were doubled p and q times.
    let places = w.i32(BITS - fraction - b.fraction + a.fraction);
    let apart = w.bin(BinOp::Sub, p, q);
    let down = w.bin(BinOp::Add, places, apart);
    let zero = w.i32(0);
    let over = w.bin(BinOp::Lt, down, zero);
    let nothing = w.bin(BinOp::Eq, y, zero);
    let over = w.bin(BinOp::Or, over, nothing);
    let size = w.bin(BinOp::Shr, ratio, down);
    let top = w.i32(bound(r.magnitude(), fraction));
    let size = w.bin(BinOp::Min, size, top);
    let size = w.select(over, top, size);
    let minus = w.un(UnOp::Neg, size);
    let signs = w.bin(BinOp::Xor, a.v, b.v);
    let negative = w.bin(BinOp::Lt, signs, zero);
    let v = w.select(negative, minus, size);
    let v = at_most(w, v, bound(r.high, fraction));
    let v = at_least(w, v, bound(r.low, fraction));
    Scaled { v, fraction }
}

/// The natural logarithm of a value above 0; `r` is the range of the result, whose lower end a word of 0 gives.
pub(super) fn log(w: &mut BlockBuilder, x: Scaled, r: Interval) -> Scaled {
    let (m, doublings) = normal(w, x.v);
    // m / 2^30 lies in 1 .. 2; above the square root of 2 it is halved.
    let root = w.i32(scaled(SQRT_2, BITS));
    let large = w.bin(BinOp::Gt, m, root);
    let one = w.i32(1);
    let half = w.bin(BinOp::Shr, m, one);
    let m = w.select(large, half, m);
    // log m = 2 artanh((m - 1) / (m + 1)).
    let below = plus(w, m, -(1 << BITS));
    let halved = w.bin(BinOp::Shr, m, one);
    let above = plus(w, halved, 1 << UNIT);
    // A line within 3 % of 1 / x between 1.7 and 2.42.
    let slope = times_constant(w, above, scaled(0.2415, BITS), BITS);
    let start = w.i32(scaled(0.9925, UNIT));
    let first = w.bin(BinOp::Sub, start, slope);
    let inverse = refined(w, first, above, UNIT);
    let s = times(w, below, inverse, UNIT);
    let square = times(w, s, s, BITS);
    let odd: Vec<f64> = (0..6).map(|k| 1.0 / (2 * k + 1) as f64).collect();
    let sum = series(w, square, &odd);
    let mantissa = times(w, s, sum, UNIT - 1);
    let fraction = fraction_for(r.magnitude()).min(BITS - 1);
    let mantissa = Scaled {
        v: mantissa,
        fraction: BITS,
    };
    let mantissa = shift(w, mantissa, fraction);
    let places = w.i32(BITS - x.fraction);
    let exponent = w.bin(BinOp::Sub, places, doublings);
    let raised = w.un(UnOp::ToI32, large);
    let exponent = w.bin(BinOp::Add, exponent, raised);
    let up = w.i32(24);
    let exponent = w.bin(BinOp::Shl, exponent, up);
    let exponent = times_constant(w, exponent, scaled(LN_2, BITS), 24 + BITS - fraction);
    let v = w.bin(BinOp::Add, mantissa, exponent);
    let zero = w.i32(0);
    let some = w.bin(BinOp::Gt, x.v, zero);
    let least = w.i32(bound(r.low, fraction));
    let v = w.select(some, v, least);
    Scaled { v, fraction }
}

/// `x^y` for x from 0 up, 0 at 0; `x_range` and `y_range` are the ranges of both.
pub(super) fn power(
    w: &mut BlockBuilder,
    (x, x_range): (Scaled, Interval),
    (y, y_range): (Scaled, Interval),
) -> Result<Scaled, String> {
    let last = 2f64.powi(-x.fraction);
    let logs = Interval::new(x_range.low.max(last).ln(), x_range.high.max(last).ln());
    let l = log(w, x, logs);
    let products = [
        logs.low * y_range.low,
        logs.low * y_range.high,
        logs.high * y_range.low,
        logs.high * y_range.high,
    ];
    let t = Interval::new(
        products.iter().copied().fold(f64::INFINITY, f64::min),
        products.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    );
    let fraction = fraction_for(t.magnitude()).min(l.fraction + y.fraction);
    let exponent = Scaled {
        v: times(w, l.v, y.v, l.fraction + y.fraction - fraction),
        fraction,
    };
    let raised = exp(w, exponent, t)?;
    let zero = w.i32(0);
    let some = w.bin(BinOp::Gt, x.v, zero);
    let v = w.select(some, raised.v, zero);
    Ok(Scaled {
        v,
        fraction: raised.fraction,
    })
}

/// `tanh(x)` = (1 - e) / (1 + e) with e = exp(-2 |x|).
pub(super) fn tanh(w: &mut BlockBuilder, x: Scaled, r: Interval) -> Result<Scaled, String> {
    let size = w.un(UnOp::Abs, x.v);
    let most = r.magnitude().min(16.0);
    let size = at_most(w, size, bound(most, x.fraction));
    let double = Scaled {
        v: w.un(UnOp::Neg, size),
        fraction: x.fraction - 1,
    };
    let e = exp(w, double, Interval::new(-2.0 * most, 0.0))?;
    let one = w.i32(bound(1.0, e.fraction));
    let (less, more) = (w.bin(BinOp::Sub, one, e.v), w.bin(BinOp::Add, one, e.v));
    let of = |v| Scaled {
        v,
        fraction: e.fraction,
    };
    let q = quotient(w, of(less), of(more), Interval::new(0.0, 1.0));
    let zero = w.i32(0);
    let negative = w.bin(BinOp::Lt, x.v, zero);
    let minus = w.un(UnOp::Neg, q.v);
    let v = w.select(negative, minus, q.v);
    Ok(Scaled {
        v,
        fraction: q.fraction,
    })
}

/// `1 / (1 + exp(-x))` = (1 + tanh(x / 2)) / 2.
pub(super) fn logistic(w: &mut BlockBuilder, x: Scaled, r: Interval) -> Result<Scaled, String> {
    let half = Scaled {
        v: x.v,
        fraction: x.fraction + 1,
    };
    let t = tanh(w, half, Interval::new(r.low / 2.0, r.high / 2.0))?;
    let v = plus(w, t.v, bound(1.0, t.fraction));
    Ok(Scaled {
        v,
        fraction: t.fraction + 1,
    })
}

/// The square root of a value from 0 up.
pub(super) fn root(w: &mut BlockBuilder, x: Scaled, r: Interval) -> Result<Scaled, String> {
    let half = Scaled {
        v: w.i32(1 << UNIT),
        fraction: BITS,
    };
    power(w, (x, r), (half, Interval::point(0.5)))
}

/// `sin(x)`, or the cosine: x / (2 pi) modulo 1, folded into a quarter of the circle on either side of 0.
pub(super) fn sine(w: &mut BlockBuilder, x: Scaled, cosine: bool) -> Result<Scaled, String> {
    if x.fraction < EXPONENT_BITS {
        return Err(format!(
            "it takes a sine of values of which 32 bits leave steps of {:.1e}",
            2f64.powi(-x.fraction)
        ));
    }
    let turn = w.i32(scaled(2.0 / PI, BITS));
    // 2 / pi with 30 bits is 1 / (2 pi) with 32; the product keeps its low 32 bits, four turns.
    let turned = times(w, x.v, turn, x.fraction + 2);
    let ahead = plus(w, turned, if cosine { 1 << (BITS - 2) } else { 0 });
    let mask = w.i32((1 << BITS) - 1);
    let turned = w.bin(BinOp::And, ahead, mask);
    // sin(2 pi u) = -sin(2 pi c) with c = u - 1/2; c and 1/2 - c have one sine.
    let c = plus(w, turned, -(1 << (BITS - 1)));
    let quarter = 1 << (BITS - 2);
    let (half, minus) = (w.i32(2 * quarter), w.i32(-2 * quarter));
    let limit = w.i32(quarter);
    let high = w.bin(BinOp::Gt, c, limit);
    let mirrored = w.bin(BinOp::Sub, half, c);
    let limit = w.i32(-quarter);
    let low = w.bin(BinOp::Lt, c, limit);
    let under = w.bin(BinOp::Sub, minus, c);
    let c = w.select(high, mirrored, c);
    let c = w.select(low, under, c);
    let two = w.i32(2);
    let d = w.bin(BinOp::Shl, c, two);
    let square = times(w, d, d, BITS);
    let mut term = PI / 2.0;
    let mut odd = vec![];
    for k in 1..=7 {
        odd.push(term);
        term *= -(PI * PI / 4.0) / ((2 * k) as f64 * (2 * k + 1) as f64);
    }
    let sum = series(w, square, &odd);
    let v = times(w, sum, d, BITS);
    Ok(Scaled {
        v: w.un(UnOp::Neg, v),
        fraction: UNIT,
    })
}
