//! Laws of the step IR's operations.

use proptest::prelude::*;
use synfire_ir::eval::{Reads, binary, mul_shift, run_block, sat, unary, wrap};
use synfire_ir::model::*;

use crate::arbitrary::code::{BINARY, UNARY};

/// `floor(x * a / 2^31)` in 16-bit limbs, as engines without 64-bit integers compute it; `a` is below 2^31.
fn decay_by_limbs(x: i32, a: u32) -> i32 {
    let (xh, xl) = (x >> 16, x as u32 & 0xffff);
    let (ah, al) = (a >> 16, a & 0xffff);
    let p0 = xl.wrapping_mul(al);
    let m = xl.wrapping_mul(ah);
    let n = xh.wrapping_mul(al as i32);
    let q = xh.wrapping_mul(ah as i32);
    let t = (p0 >> 16) + (m & 0xffff) + (n as u32 & 0xffff);
    let hi = q
        .wrapping_add((m >> 16) as i32)
        .wrapping_add(n >> 16)
        .wrapping_add((t >> 16) as i32);
    let low = t & 0xffff;
    hi.wrapping_shl(1) | (low >> 15) as i32
}

const EDGES: [u32; 13] = [
    0,
    1,
    2,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_8000,
    0xffff_fffe,
    0xffff_ffff,
];

fn edge_or_any() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), prop::sample::select(EDGES.to_vec())]
}

#[test]
fn limbs_at_the_edges() {
    for x in EDGES {
        for a in EDGES.map(|a| a & 0x7fff_ffff) {
            let wide = ((x as i32 as i128 * a as i128) >> 31) as i32;
            assert_eq!(decay_by_limbs(x as i32, a), wide, "{x:#x} {a:#x}");
            assert_eq!(mul_shift(x, true, a, true, 31, Round::Floor) as i32, wide);
        }
    }
}

proptest! {
    #![proptest_config(crate::cases(4000))]

    #[test]
    fn limbs_agree_with_the_wide_product(x in any::<i32>(), a in 0u32..1 << 31) {
        let wide = ((x as i128 * a as i128) >> 31) as i32;
        prop_assert_eq!(decay_by_limbs(x, a), wide);
        prop_assert_eq!(mul_shift(x as u32, true, a, true, 31, Round::Floor) as i32, wide);
        prop_assert_eq!(mul_shift(x as u32, true, a, false, 31, Round::Floor) as i32, wide);
    }

    #[test]
    fn products_are_divided_exactly(
        a in edge_or_any(), b in edge_or_any(), sa: bool, sb: bool, shift in 0u8..64,
    ) {
        let wide = |x: u32, s: bool| if s { x as i32 as i128 } else { x as i128 };
        let product = wide(a, sa) * wide(b, sb);
        let power = 1i128 << shift;
        let floor = product.div_euclid(power);
        prop_assert_eq!(mul_shift(a, sa, b, sb, shift, Round::Floor), floor as u32);
        let zero = product.signum() * (product.abs() / power);
        prop_assert_eq!(mul_shift(a, sa, b, sb, shift, Round::Zero), zero as u32);
    }

    #[test]
    fn saturation_clamps(a in edge_or_any(), bits in 1u8..=32) {
        let (a, top) = (a as i32, (1i64 << (bits - 1)) - 1);
        let s = sat(a, bits) as i64;
        prop_assert!((-top - 1..=top).contains(&s));
        prop_assert_eq!(s, (a as i64).min(top).max(-top - 1));
        prop_assert_eq!(sat(s as i32, bits) as i64, s);
    }

    #[test]
    fn wrapping_keeps_the_low_bits(a in edge_or_any(), bits in 1u8..=32, signed: bool) {
        let w = wrap(a, bits, signed);
        let mask = (u64::MAX >> (64 - bits)) as u32;
        prop_assert_eq!(w & mask, a & mask);
        let value = if signed { w as i32 as i64 } else { w as i64 };
        let (low, high) = match signed {
            true => (-1i64 << (bits - 1), (1i64 << (bits - 1)) - 1),
            false => (0, mask as i64),
        };
        prop_assert!(bits == 32 || (low..=high).contains(&value));
        prop_assert_eq!(wrap(w, bits, signed), w);
    }

    #[test]
    fn shifts(a in edge_or_any(), n in -70i32..70) {
        let (x, count) = (a as i32, n as u32);
        let left = if (0..32).contains(&n) { ((a as u64) << n) as u32 } else { 0 };
        prop_assert_eq!(binary(BinOp::Shl, Ty::I32, a, count), left);
        prop_assert_eq!(binary(BinOp::Shl, Ty::U32, a, count), left);
        let arithmetic = (x as i64 >> n.clamp(0, 31)) as i32;
        prop_assert_eq!(binary(BinOp::Shr, Ty::I32, a, count) as i32, arithmetic);
        let logical = if n > 31 { 0 } else { a >> n.max(0) };
        prop_assert_eq!(binary(BinOp::Shr, Ty::U32, a, count), logical);
    }

    #[test]
    fn integers_wrap(a in edge_or_any(), b in edge_or_any()) {
        let (x, y) = (a as i32 as i64, b as i32 as i64);
        for ty in [Ty::I32, Ty::U32] {
            prop_assert_eq!(binary(BinOp::Add, ty, a, b), (x + y) as u32);
            prop_assert_eq!(binary(BinOp::Sub, ty, a, b), (x - y) as u32);
            prop_assert_eq!(binary(BinOp::Mul, ty, a, b), a.wrapping_mul(b));
            let (q, r) = (binary(BinOp::Div, ty, a, b), binary(BinOp::Rem, ty, a, b));
            if b == 0 {
                prop_assert_eq!((q, r), (0, 0));
            } else {
                prop_assert_eq!(q.wrapping_mul(b).wrapping_add(r), a);
            }
        }
        prop_assert_eq!(binary(BinOp::Lt, Ty::I32, a, b), (x < y) as u32);
        prop_assert_eq!(binary(BinOp::Lt, Ty::U32, a, b), (a < b) as u32);
        prop_assert_eq!(binary(BinOp::Max, Ty::I32, a, b) as i32 as i64, x.max(y));
        prop_assert_eq!(binary(BinOp::Max, Ty::U32, a, b), a.max(b));
        prop_assert_eq!(unary(UnOp::Neg, Ty::I32, a), (-x) as u32);
        prop_assert_eq!(unary(UnOp::Not, Ty::U32, a), !a);
    }

    /// Folding constants while a block is written gives what running it gives.
    #[test]
    fn folding_agrees_with_running(a in edge_or_any(), b in edge_or_any(), k in 0usize..100, t in 0usize..4) {
        let ty = [Ty::I32, Ty::U32, Ty::Bool, Ty::F32][t];
        let (a, b) = if ty == Ty::Bool { (a & 1, b & 1) } else { (a, b) };
        let write = |w: &mut BlockBuilder, x: Value, y: Value| {
            if k < 50 { w.un(UNARY[k % 16], x) } else { w.bin(BINARY[k % 19], x, y) }
        };
        let mut folded = BlockBuilder::new();
        let (x, y) = (folded.push(Op::Const(a), ty), folded.push(Op::Const(b), ty));
        let v = write(&mut folded, x, y);
        let mut run = BlockBuilder::new();
        let (x, y) = (run.push(Op::Param(0), ty), run.push(Op::Param(1), ty));
        let at = write(&mut run, x, y);
        run.store(0, at);
        let block = run.finish();
        let mut values = vec![];
        run_block(&block, &Pair(a, b), &mut values);
        let got = values[block.stores[0].1 as usize];
        prop_assert_eq!(folded.constant(v), Some(got));
    }
}

struct Pair(u32, u32);

impl Reads for Pair {
    fn param(&self, i: u16) -> u32 {
        [self.0, self.1][i as usize]
    }
    fn state(&self, _: u16) -> u32 {
        0
    }
    fn port(&self, _: u16) -> u32 {
        0
    }
    fn arg(&self) -> u32 {
        0
    }
    fn step(&self) -> u32 {
        0
    }
    fn index(&self) -> u32 {
        0
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}

#[test]
fn integers_at_the_edges() {
    let min = i32::MIN as u32;
    assert_eq!(binary(BinOp::Div, Ty::I32, min, !0), min);
    assert_eq!(binary(BinOp::Rem, Ty::I32, min, !0), 0);
    assert_eq!(binary(BinOp::Div, Ty::I32, -7i32 as u32, 2) as i32, -3);
    assert_eq!(binary(BinOp::Rem, Ty::I32, -7i32 as u32, 2) as i32, -1);
    assert_eq!(unary(UnOp::Abs, Ty::I32, min), min);
    assert_eq!(unary(UnOp::Neg, Ty::I32, min), min);
    assert_eq!(unary(UnOp::Sign, Ty::I32, min) as i32, -1);
    assert_eq!(unary(UnOp::Not, Ty::Bool, 1), 0);
}

#[test]
fn floats_at_the_edges() {
    let f = |x: f32| x.to_bits();
    let nan = f(f32::NAN);
    assert_eq!(binary(BinOp::Min, Ty::F32, nan, f(2.0)), f(2.0));
    assert_eq!(binary(BinOp::Max, Ty::F32, f(2.0), nan), f(2.0));
    assert_eq!(binary(BinOp::Eq, Ty::F32, nan, nan), 0);
    assert_eq!(binary(BinOp::Ne, Ty::F32, nan, nan), 1);
    assert_eq!(binary(BinOp::Eq, Ty::F32, f(0.0), f(-0.0)), 1);
    assert_eq!(unary(UnOp::ToI32, Ty::F32, nan), 0);
    assert_eq!(unary(UnOp::ToI32, Ty::F32, f(-1.9)) as i32, -1);
    assert_eq!(unary(UnOp::ToI32, Ty::F32, f(1e20)) as i32, i32::MAX);
    assert_eq!(unary(UnOp::ToI32, Ty::F32, f(-1e20)) as i32, i32::MIN);
    assert_eq!(unary(UnOp::ToU32, Ty::F32, f(-1.0)), 0);
    assert_eq!(unary(UnOp::ToU32, Ty::F32, f(1e20)), u32::MAX);
    assert_eq!(unary(UnOp::ToBool, Ty::F32, f(-0.0)), 0);
    assert_eq!(unary(UnOp::Sign, Ty::F32, nan), f(0.0));
    assert_eq!(
        unary(UnOp::Unit, Ty::U32, u32::MAX),
        f(1.0 - 1.0 / 16_777_216.0)
    );
    assert_eq!(unary(UnOp::ToF32, Ty::I32, -3i32 as u32), f(-3.0));
    assert_eq!(unary(UnOp::ToF32, Ty::U32, 1 << 31), f(2_147_483_648.0));
}
