//! What each operation does to a block of lanes: the vector form of [`synfire_ir::eval`], equal to it bit for bit.

use super::isa::Isa;
use super::lanes::{self, Words, map1, map2};
use synfire_ir::model::{BinOp, Round, Ty, UnOp};

fn f(x: u32) -> f32 {
    f32::from_bits(x)
}

/// `d = op(a)` where `a` has type `ty`.
pub(crate) fn unary(isa: Isa, op: UnOp, ty: Ty, d: &mut [u32], a: Words<'_>) {
    match op {
        UnOp::ToF32 => match ty {
            Ty::F32 => map1(isa, d, a, |a| a),
            Ty::I32 => map1(isa, d, a, |a| (a as i32 as f32).to_bits()),
            _ => map1(isa, d, a, |a| (a as f32).to_bits()),
        },
        UnOp::ToI32 if ty == Ty::F32 => map1(isa, d, a, |a| f(a) as i32 as u32),
        UnOp::ToU32 if ty == Ty::F32 => map1(isa, d, a, |a| f(a) as u32),
        UnOp::ToI32 | UnOp::ToU32 => map1(isa, d, a, |a| a),
        UnOp::ToBool if ty == Ty::F32 => map1(isa, d, a, |a| (f(a) != 0.0) as u32),
        UnOp::ToBool => map1(isa, d, a, |a| (a != 0) as u32),
        UnOp::Unit => map1(isa, d, a, |a| {
            ((a >> 8) as f32 * (1.0 / 16_777_216.0)).to_bits()
        }),
        UnOp::Not if ty == Ty::Bool => map1(isa, d, a, |a| (a == 0) as u32),
        UnOp::Not => map1(isa, d, a, |a| !a),
        UnOp::Neg if ty == Ty::F32 => map1(isa, d, a, |a| (-f(a)).to_bits()),
        UnOp::Neg => map1(isa, d, a, |a| a.wrapping_neg()),
        UnOp::Abs => match ty {
            Ty::F32 => map1(isa, d, a, |a| f(a).abs().to_bits()),
            Ty::I32 => map1(isa, d, a, |a| (a as i32).wrapping_abs() as u32),
            _ => map1(isa, d, a, |a| a),
        },
        UnOp::Sign => match ty {
            Ty::F32 => map1(isa, d, a, |a| {
                let a = f(a);
                (((a > 0.0) as i32 - (a < 0.0) as i32) as f32).to_bits()
            }),
            Ty::I32 => map1(isa, d, a, |a| (a as i32).signum() as u32),
            _ => map1(isa, d, a, |a| (a != 0) as u32),
        },
        _ => float_unary(isa, op, d, a),
    }
}

fn float_unary(isa: Isa, op: UnOp, d: &mut [u32], a: Words<'_>) {
    match op {
        UnOp::Floor => map1(isa, d, a, |a| f(a).floor().to_bits()),
        UnOp::Sqrt => map1(isa, d, a, |a| f(a).sqrt().to_bits()),
        UnOp::Exp => map1(Isa::BASE, d, a, |a| f(a).exp().to_bits()),
        UnOp::Log => map1(Isa::BASE, d, a, |a| f(a).ln().to_bits()),
        UnOp::Sin => map1(Isa::BASE, d, a, |a| f(a).sin().to_bits()),
        UnOp::Cos => map1(Isa::BASE, d, a, |a| f(a).cos().to_bits()),
        _ => map1(Isa::BASE, d, a, |a| f(a).tanh().to_bits()),
    }
}

/// `d = op(a, b)` where the first operand has type `ty`.
pub(crate) fn binary(isa: Isa, op: BinOp, ty: Ty, d: &mut [u32], a: Words<'_>, b: Words<'_>) {
    match ty {
        Ty::F32 => float_binary(isa, op, d, a, b),
        Ty::I32 if signed_binary(isa, op, d, a, b) => {}
        _ => unsigned_binary(isa, op, d, a, b),
    }
}

fn float_binary(isa: Isa, op: BinOp, d: &mut [u32], a: Words<'_>, b: Words<'_>) {
    match op {
        BinOp::Add => map2(isa, d, a, b, |a, b| (f(a) + f(b)).to_bits()),
        BinOp::Sub => map2(isa, d, a, b, |a, b| (f(a) - f(b)).to_bits()),
        BinOp::Mul => map2(isa, d, a, b, |a, b| (f(a) * f(b)).to_bits()),
        BinOp::Div => map2(isa, d, a, b, |a, b| (f(a) / f(b)).to_bits()),
        BinOp::Rem => map2(Isa::BASE, d, a, b, |a, b| (f(a) % f(b)).to_bits()),
        BinOp::Min => map2(isa, d, a, b, |a, b| f(a).min(f(b)).to_bits()),
        BinOp::Max => map2(isa, d, a, b, |a, b| f(a).max(f(b)).to_bits()),
        BinOp::Pow => map2(Isa::BASE, d, a, b, |a, b| f(a).powf(f(b)).to_bits()),
        BinOp::Eq => map2(isa, d, a, b, |a, b| (f(a) == f(b)) as u32),
        BinOp::Ne => map2(isa, d, a, b, |a, b| (f(a) != f(b)) as u32),
        BinOp::Lt => map2(isa, d, a, b, |a, b| (f(a) < f(b)) as u32),
        BinOp::Le => map2(isa, d, a, b, |a, b| (f(a) <= f(b)) as u32),
        BinOp::Gt => map2(isa, d, a, b, |a, b| (f(a) > f(b)) as u32),
        BinOp::Ge => map2(isa, d, a, b, |a, b| (f(a) >= f(b)) as u32),
        BinOp::And | BinOp::Or | BinOp::Xor | BinOp::Shl | BinOp::Shr => d.fill(0),
    }
}

/// The operations whose meaning depends on the sign; false for the others.
fn signed_binary(isa: Isa, op: BinOp, d: &mut [u32], a: Words<'_>, b: Words<'_>) -> bool {
    let i = |x: u32| x as i32;
    match op {
        // There is no vector division of integers. The quotient of two of 32 bits is at least 2^-31 of itself away from any whole number that it is not, and a float of
        // 64 bits is off by 2^-53 at most, so that cutting off its fraction gives the integer's quotient.
        BinOp::Div => map2(isa, d, a, b, |a, b| {
            let quotient = (i(a) as f64 / i(b) as f64) as i32;
            match i(b) {
                0 => 0,
                -1 => a.wrapping_neg(),
                _ => quotient as u32,
            }
        }),
        BinOp::Rem => map2(isa, d, a, b, |a, b| match b {
            0 => 0,
            _ => (a as i32).wrapping_rem(b as i32) as u32,
        }),
        BinOp::Min => map2(isa, d, a, b, |a, b| i(a).min(i(b)) as u32),
        BinOp::Max => map2(isa, d, a, b, |a, b| i(a).max(i(b)) as u32),
        BinOp::Shr => map2(isa, d, a, b, |a, b| {
            (i(a) >> (i(b).clamp(0, 31) & 31)) as u32
        }),
        BinOp::Lt => map2(isa, d, a, b, |a, b| (i(a) < i(b)) as u32),
        BinOp::Le => map2(isa, d, a, b, |a, b| (i(a) <= i(b)) as u32),
        BinOp::Gt => map2(isa, d, a, b, |a, b| (i(a) > i(b)) as u32),
        BinOp::Ge => map2(isa, d, a, b, |a, b| (i(a) >= i(b)) as u32),
        _ => return false,
    }
    true
}

fn unsigned_binary(isa: Isa, op: BinOp, d: &mut [u32], a: Words<'_>, b: Words<'_>) {
    match op {
        BinOp::Add => map2(isa, d, a, b, u32::wrapping_add),
        BinOp::Sub => map2(isa, d, a, b, u32::wrapping_sub),
        BinOp::Mul => map2(isa, d, a, b, u32::wrapping_mul),
        BinOp::Div => map2(isa, d, a, b, |a, b| a.checked_div(b).unwrap_or(0)),
        BinOp::Rem => map2(isa, d, a, b, |a, b| a.checked_rem(b).unwrap_or(0)),
        BinOp::Min => map2(isa, d, a, b, u32::min),
        BinOp::Max => map2(isa, d, a, b, u32::max),
        BinOp::And => map2(isa, d, a, b, |a, b| a & b),
        BinOp::Or => map2(isa, d, a, b, |a, b| a | b),
        BinOp::Xor => map2(isa, d, a, b, |a, b| a ^ b),
        BinOp::Shl => map2(isa, d, a, b, |a, b| if b < 32 { a << (b & 31) } else { 0 }),
        BinOp::Shr => map2(isa, d, a, b, |a, b| {
            let n = (b as i32).max(0) as u32;
            if n < 32 { a >> (n & 31) } else { 0 }
        }),
        BinOp::Eq => map2(isa, d, a, b, |a, b| (a == b) as u32),
        BinOp::Ne => map2(isa, d, a, b, |a, b| (a != b) as u32),
        BinOp::Lt => map2(isa, d, a, b, |a, b| (a < b) as u32),
        BinOp::Le => map2(isa, d, a, b, |a, b| (a <= b) as u32),
        BinOp::Gt => map2(isa, d, a, b, |a, b| (a > b) as u32),
        BinOp::Ge => map2(isa, d, a, b, |a, b| (a >= b) as u32),
        BinOp::Pow => d.fill(0),
    }
}

/// Is it a comparison that [`count`] knows?
pub(crate) fn is_order(op: BinOp) -> bool {
    matches!(op, BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge)
}

/// `d` = the number of thresholds that the comparison with `a` holds for.
pub(crate) fn count(isa: Isa, op: BinOp, ty: Ty, d: &mut [u32], a: Words<'_>, thresholds: &[u32]) {
    let a = match a {
        Words::Many(a) => a,
        Words::One(a) => {
            let mut one = [0];
            count(isa, op, ty, &mut one, Words::Many(&[a]), thresholds);
            return d.fill(one[0]);
        }
    };
    macro_rules! by {
        ($of:expr) => {{
            let rises = |w: &[u32]| $of(w[0]) <= $of(w[1]);
            let falls = |w: &[u32]| $of(w[0]) >= $of(w[1]);
            let t = thresholds;
            match op {
                BinOp::Lt => lanes::count(isa, d, a, t, t.windows(2).all(falls), |a, t| {
                    $of(a) < $of(t)
                }),
                BinOp::Le => lanes::count(isa, d, a, t, t.windows(2).all(falls), |a, t| {
                    $of(a) <= $of(t)
                }),
                BinOp::Gt => lanes::count(isa, d, a, t, t.windows(2).all(rises), |a, t| {
                    $of(a) > $of(t)
                }),
                _ => lanes::count(isa, d, a, t, t.windows(2).all(rises), |a, t| {
                    $of(a) >= $of(t)
                }),
            }
        }};
    }
    match ty {
        Ty::F32 => by!(f),
        Ty::I32 => by!(|x: u32| x as i32),
        _ => by!(|x: u32| x),
    }
}

/// How the 64-bit product of [`mul_shift`] is formed and shortened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    /// Are the factors two's complement?
    pub signed: (bool, bool),
    /// Right shift, 0..=63.
    pub shift: u8,
    /// Rounding.
    pub round: Round,
}

/// `d = (a * b) >> shift` of the full product.
pub(crate) fn mul_shift(isa: Isa, p: Product, d: &mut [u32], a: Words<'_>, b: Words<'_>) {
    let s = p.shift.min(63) as u32;
    // A product with a signed factor lies in -2^63..2^63, so that i64 holds it; adding `below` rounds toward zero.
    let below = match p.round {
        Round::Floor => 0,
        Round::Zero => (1i64 << s).wrapping_sub(1),
    };
    let cut = move |x: i64| ((x + ((x >> 63) & below)) >> s) as u32;
    match p.signed {
        (true, true) => map2(isa, d, a, b, |a, b| cut(a as i32 as i64 * b as i32 as i64)),
        (true, false) => map2(isa, d, a, b, |a, b| cut(a as i32 as i64 * b as i64)),
        (false, true) => map2(isa, d, a, b, |a, b| cut(a as i64 * b as i32 as i64)),
        (false, false) => map2(isa, d, a, b, |a, b| ((a as u64 * b as u64) >> s) as u32),
    }
}

/// Clamps to `bits` signed bits.
pub(crate) fn sat(isa: Isa, bits: u8, d: &mut [u32], a: Words<'_>) {
    let top = ((1i64 << (bits.clamp(1, 32) - 1)) - 1) as i32;
    map1(isa, d, a, |a| (a as i32).clamp(-top - 1, top) as u32);
}

/// Keeps the low `bits` bits, sign- or zero-extended.
pub(crate) fn wrap(isa: Isa, bits: u8, signed: bool, d: &mut [u32], a: Words<'_>) {
    let up = 32 - bits.clamp(1, 32) as u32;
    match signed {
        true => map1(isa, d, a, |a| (((a << up) as i32) >> up) as u32),
        false => map1(isa, d, a, |a| (a << up) >> up),
    }
}
