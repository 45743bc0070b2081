//! Several operations of the step IR in one loop over lanes, where the shapes are those that most models share.
//!
//! In: operands as for single operations. Out: the bits of the operations one after another; floats are rounded after each
//! product and each sum, as single operations are. What counts is the number of loads, stores and calls: sums of
//! products are what `solve exact` leaves of linear equations, a [`Threshold`] is `spike when ... refractory`.
//!
//! Measured on CUBA's units (19 operations) with 512-bit vectors: a third of the time of single operations.

use super::isa::{Isa, versions};
use super::kernel::Src;
use super::ops::Product;

/// Most terms of a sum.
pub(crate) const TERMS: usize = 3;

/// A sum of terms from the left, and what is added last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sum {
    /// The first `count` of them.
    pub terms: [Term; TERMS],
    pub count: u8,
    /// A scalar.
    pub last: Option<u32>,
    pub kind: Kind,
}

/// What the terms of a sum are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// F32: scalar times operand.
    Float,
    /// I32: scalar times operand, floored by the product's shift, then shifted right.
    Scaled,
    /// I32: operand shifted right.
    Shifted,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Term {
    pub src: Src,
    /// A scalar; without meaning in [`Kind::Shifted`].
    pub scale: u32,
    /// Shift of the product, then of its low word.
    pub shifts: (u8, u8),
}

/// A value that is compared with a threshold unless the unit is refractory, and what becomes of it and of the countdown:
/// with `held = count > none` and `x = (held ? old : new) >> inner`, it gives `spike = !held && x > bound` (or `>=`), the
/// value `clip(spike ? reset : x) << outer`, and the countdown `held ? count - less : spike ? long : rest`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Threshold {
    pub float: bool,
    pub strict: bool,
    pub count: Src,
    pub old: Src,
    pub new: Src,
    /// Scalars: none, bound, reset, less, long, rest.
    pub scalars: [u32; 6],
    /// Scalars: the least and the largest value.
    pub clip: Option<(u32, u32)>,
    pub inner: u8,
    pub outer: u8,
}

/// The words of [`Threshold::scalars`] in a step.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub none: i32,
    pub bound: u32,
    pub reset: u32,
    pub less: u32,
    pub long: u32,
    pub rest: u32,
    pub clip: (i32, i32),
    pub inner: u8,
    pub outer: u8,
}

impl Threshold {
    pub(crate) fn bounds(&self, scalars: &[u32]) -> Bounds {
        let [none, bound, reset, less, long, rest] = self.scalars.map(|i| scalars[i as usize]);
        let word = |i: u32| scalars[i as usize] as i32;
        Bounds {
            none: none as i32,
            bound,
            reset,
            less,
            long,
            rest,
            clip: (self.clip).map_or((i32::MIN, i32::MAX), |(a, b)| (word(a), word(b))),
            inner: self.inner & 31,
            outer: self.outer & 31,
        }
    }
}

/// Operands of a fused operation.
pub(crate) type Three<'a> = (&'a [u32], &'a [u32], &'a [u32]);

fn f(x: u32) -> f32 {
    f32::from_bits(x)
}

versions! {
    /// `d = f(a, b, c)`; an operand that `f` does not look at is not loaded.
    fn map3[F: Fn(u32, u32, u32) -> u32](d: &mut [u32], x: Three<'_>, f: F) {
        let n = d.len();
        let (a, b, c) = (&x.0[..n], &x.1[..n], &x.2[..n]);
        for i in 0..n {
            d[i] = f(a[i], b[i], c[i]);
        }
    }
}

/// The sum; operands beyond its terms are not looked at.
pub(crate) fn sum(isa: Isa, sum: &Sum, d: &mut [u32], x: Three<'_>, scalars: &[u32]) {
    let last = sum.last.map(|i| scalars[i as usize]);
    match sum.kind {
        Kind::Float => floats(isa, sum, d, x, last.map(f), scalars),
        Kind::Scaled => scaled(isa, sum, d, x, last.unwrap_or(0), scalars),
        Kind::Shifted => {
            let [s, t, u] = [0, 1, 2].map(|k| sum.terms[k].shifts.1 & 31);
            let by = |x: u32, n: u8| (x as i32 >> n) as u32;
            let last = last.unwrap_or(0);
            match sum.count {
                1 => map3(isa, d, x, |a, _, _| by(a, s).wrapping_add(last)),
                2 => map3(isa, d, x, |a, b, _| {
                    by(a, s).wrapping_add(by(b, t)).wrapping_add(last)
                }),
                _ => map3(isa, d, x, |a, b, c| {
                    let sum = by(a, s).wrapping_add(by(b, t));
                    sum.wrapping_add(by(c, u)).wrapping_add(last)
                }),
            }
        }
    }
}

fn floats(isa: Isa, sum: &Sum, d: &mut [u32], x: Three<'_>, last: Option<f32>, scalars: &[u32]) {
    let [p, q, r] = [0, 1, 2].map(|k| f(scalars[sum.terms[k].scale as usize]));
    match (sum.count, last) {
        (1, None) => map3(isa, d, x, |a, _, _| (p * f(a)).to_bits()),
        (1, Some(last)) => map3(isa, d, x, |a, _, _| (p * f(a) + last).to_bits()),
        (2, None) => map3(isa, d, x, |a, b, _| (p * f(a) + q * f(b)).to_bits()),
        (2, Some(last)) => map3(isa, d, x, |a, b, _| (p * f(a) + q * f(b) + last).to_bits()),
        (_, None) => map3(isa, d, x, |a, b, c| {
            (p * f(a) + q * f(b) + r * f(c)).to_bits()
        }),
        (_, Some(last)) => map3(isa, d, x, |a, b, c| {
            (p * f(a) + q * f(b) + r * f(c) + last).to_bits()
        }),
    }
}

fn scaled(isa: Isa, sum: &Sum, d: &mut [u32], x: Three<'_>, last: u32, scalars: &[u32]) {
    let [p, q, r] = [0, 1, 2].map(|k| {
        let t = &sum.terms[k];
        let scale = scalars[t.scale as usize] as i32 as i64;
        (scale, t.shifts.0 & 63, t.shifts.1 & 31)
    });
    let by = |x: u32, (scale, shift, after): (i64, u8, u8)| {
        (((x as i32 as i64 * scale) >> shift) as i32 >> after) as u32
    };
    match sum.count {
        1 => map3(isa, d, x, |a, _, _| by(a, p).wrapping_add(last)),
        2 => map3(isa, d, x, |a, b, _| {
            by(a, p).wrapping_add(by(b, q)).wrapping_add(last)
        }),
        _ => map3(isa, d, x, |a, b, c| {
            let sum = by(a, p).wrapping_add(by(b, q));
            sum.wrapping_add(by(c, r)).wrapping_add(last)
        }),
    }
}

versions! {
    fn fire[I: Fn(u32) -> u32, C: Fn(u32) -> bool, O: Fn(u32) -> u32](
        spike: &mut [u32],
        value: &mut [u32],
        count: &mut [u32],
        new: &[u32],
        p: Bounds,
        how: (I, C, O),
    ) {
        let (inner, over, outer) = how;
        let n = spike.len();
        let (value, count, new) = (&mut value[..n], &mut count[..n], &new[..n]);
        // By bits: a choice between two places in memory would become a gather.
        let pick = |c: bool, a: u32, b: u32| {
            let mask = (c as u32).wrapping_neg();
            (a & mask) | (b & !mask)
        };
        for i in 0..n {
            let held = count[i] as i32 > p.none;
            let x = inner(pick(held, value[i], new[i]));
            let fires = !held & over(x);
            spike[i] = fires as u32;
            value[i] = outer(pick(fires, p.reset, x));
            let rest = pick(fires, p.long, p.rest);
            count[i] = pick(held, count[i].wrapping_sub(p.less), rest);
        }
    }
}

/// Spikes, values and countdowns of a threshold: the last two hold the old ones before. `new` holds the new values.
pub(crate) fn threshold(
    isa: Isa,
    t: &Threshold,
    out: (&mut [u32], &mut [u32], &mut [u32]),
    new: &[u32],
    scalars: &[u32],
) {
    let p = t.bounds(scalars);
    let same = |x: u32| x;
    let inner = |x: u32| (x as i32 >> p.inner) as u32;
    let outer = |x: u32| ((x as i32).min(p.clip.1).max(p.clip.0) << p.outer) as u32;
    let bound = p.bound;
    macro_rules! fire {
        ($inner:expr, $over:expr, $outer:expr) => {
            fire(isa, out.0, out.1, out.2, new, p, ($inner, $over, $outer))
        };
    }
    match (t.float, t.strict) {
        (true, true) => fire!(same, |x: u32| f(x) > f(bound), same),
        (true, false) => fire!(same, |x: u32| f(x) >= f(bound), same),
        (false, true) => fire!(inner, |x: u32| x as i32 > bound as i32, outer),
        (false, false) => fire!(inner, |x: u32| x as i32 >= bound as i32, outer),
    }
}

/// May a product be a term?
pub(crate) fn plain(p: Product) -> bool {
    p.signed == (true, true) && matches!(p.round, synfire_ir::model::Round::Floor)
}
