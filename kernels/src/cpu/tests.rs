//! Every operation, on every level of instructions and in every form of operands, against the definition.

use super::lanes::Words;
use super::ops::{self, Product};
use super::*;
use synfire_ir::eval;
use synfire_ir::model::{
    BinOp, Block, BlockBuilder, Combine, Model, Op, Port, Round, State, Ty, UnOp, Width,
};

const EDGES: [u32; 24] = [
    0,
    1,
    2,
    3,
    7,
    31,
    32,
    33,
    255,
    32767,
    32768,
    65535,
    0x7fff_fffe,
    0x7fff_ffff,
    0x8000_0000,
    0x8000_0001,
    0xffff_8000,
    0xffff_fffe,
    0xffff_ffff,
    0x1234_5678,
    0x9abc_def0,
    0x3f80_0000,
    0x4b00_0001,
    0xc2f6_e979,
];

/// Finite floats of all magnitudes, zeros, infinities and NaN.
fn floats() -> Vec<u32> {
    let list = [
        0.0f32,
        -0.0,
        1.0,
        -1.0,
        0.5,
        2.5,
        -2.5,
        1e-40,
        3e9,
        -3e9,
        1e20,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        16_777_217.0,
        0.1,
        -7.75,
    ];
    list.iter().map(|x| x.to_bits()).collect()
}

fn operands(ty: Ty) -> Vec<u32> {
    match ty {
        Ty::F32 => floats(),
        Ty::Bool => vec![0, 1],
        _ => EDGES.to_vec(),
    }
}

fn same(ty: Ty, got: u32, want: u32) -> bool {
    let nan = |x: u32| ty == Ty::F32 && f32::from_bits(x).is_nan();
    // The smaller and larger of +0 and -0 may be either; nothing else may differ.
    let zero = |x: u32| ty == Ty::F32 && f32::from_bits(x) == 0.0;
    got == want || nan(got) && nan(want) || zero(got) && zero(want)
}

#[test]
fn unary_operations() {
    use UnOp::*;
    let all = [
        (
            Ty::I32,
            &[Neg, Not, Abs, Sign, ToF32, ToI32, ToU32, ToBool][..],
        ),
        (
            Ty::U32,
            &[Neg, Not, Abs, Sign, ToF32, ToI32, ToU32, ToBool, Unit],
        ),
        (Ty::Bool, &[Not, ToF32, ToI32, ToU32, ToBool]),
        (
            Ty::F32,
            &[
                Neg, Abs, Sign, Floor, Sqrt, Exp, Log, Sin, Cos, Tanh, ToF32, ToI32, ToU32, ToBool,
            ],
        ),
    ];
    for isa in Isa::all() {
        for (ty, list) in all {
            let a = operands(ty);
            for &op in list {
                let mut d = vec![9; a.len()];
                ops::unary(isa, op, ty, &mut d, Words::Many(&a));
                let out = if matches!(op, ToI32 | ToU32 | ToBool) {
                    Ty::I32
                } else {
                    ty
                };
                for (&a, &d) in a.iter().zip(&d) {
                    let want = eval::unary(op, ty, a);
                    assert!(
                        same(out, d, want),
                        "{isa:?} {op:?} {ty:?} {a:#x}: {d:#x} {want:#x}"
                    );
                }
            }
        }
    }
}

#[test]
fn binary_operations() {
    use BinOp::*;
    let integer = [
        Add, Sub, Mul, Div, Rem, Min, Max, And, Or, Xor, Shl, Shr, Eq, Ne, Lt, Le, Gt, Ge,
    ];
    let float = [
        Add, Sub, Mul, Div, Rem, Min, Max, Pow, Eq, Ne, Lt, Le, Gt, Ge,
    ];
    let logic = [And, Or, Xor, Eq, Ne];
    for (ty, list) in [
        (Ty::I32, &integer[..]),
        (Ty::U32, &integer),
        (Ty::F32, &float),
        (Ty::Bool, &logic),
    ] {
        let words = operands(ty);
        let a: Vec<u32> = words.iter().flat_map(|&x| vec![x; words.len()]).collect();
        let b: Vec<u32> = words.iter().cycle().copied().take(a.len()).collect();
        for isa in Isa::all() {
            for &op in list {
                let out = if matches!(op, Eq | Ne | Lt | Le | Gt | Ge) {
                    Ty::I32
                } else {
                    ty
                };
                let check = |d: &[u32], a: Words, b: Words| {
                    for (i, &d) in d.iter().enumerate() {
                        let (a, b) = (a.get(i), b.get(i));
                        let want = eval::binary(op, ty, a, b);
                        assert!(
                            same(out, d, want),
                            "{isa:?} {op:?} {ty:?} {a:#x} {b:#x}: {d:#x} {want:#x}"
                        );
                    }
                };
                let mut d = vec![9; a.len()];
                ops::binary(isa, op, ty, &mut d, Words::Many(&a), Words::Many(&b));
                check(&d, Words::Many(&a), Words::Many(&b));
                for &w in &words {
                    let mut d = vec![9; words.len()];
                    ops::binary(isa, op, ty, &mut d, Words::One(w), Words::Many(&words));
                    check(&d, Words::One(w), Words::Many(&words));
                    ops::binary(isa, op, ty, &mut d, Words::Many(&words), Words::One(w));
                    check(&d, Words::Many(&words), Words::One(w));
                }
            }
        }
    }
}

#[test]
fn products_and_narrowings() {
    let a: Vec<u32> = EDGES.iter().flat_map(|&x| vec![x; EDGES.len()]).collect();
    let b: Vec<u32> = EDGES.iter().cycle().copied().take(a.len()).collect();
    let mut d = vec![0; a.len()];
    for isa in Isa::all() {
        for shift in 0..64 {
            for round in [Round::Floor, Round::Zero] {
                for signed in [(true, true), (true, false), (false, true), (false, false)] {
                    let p = Product {
                        signed,
                        shift,
                        round,
                    };
                    ops::mul_shift(isa, p, &mut d, Words::Many(&a), Words::Many(&b));
                    for ((&a, &b), &d) in a.iter().zip(&b).zip(&d) {
                        let want = eval::mul_shift(a, signed.0, b, signed.1, shift, round);
                        assert_eq!(d, want, "{isa:?} {a:#x} {b:#x} {p:?}");
                    }
                }
            }
        }
        for bits in 1..=32 {
            ops::sat(isa, bits, &mut d, Words::Many(&a));
            let want: Vec<u32> = a
                .iter()
                .map(|&a| eval::sat(a as i32, bits) as u32)
                .collect();
            assert_eq!(d, want, "sat {bits}");
            for signed in [true, false] {
                ops::wrap(isa, bits, signed, &mut d, Words::Many(&a));
                let want: Vec<u32> = a.iter().map(|&a| eval::wrap(a, bits, signed)).collect();
                assert_eq!(d, want, "wrap {bits} {signed}");
            }
        }
    }
}

#[test]
fn random_words_are_those_of_the_stream() {
    let noise = Noise {
        seed: 0x1234_5678_9abc_def0,
        sample: 3,
        step: 77,
        base: 5,
    };
    for isa in Isa::all() {
        for (first, n) in [(0, 1), (1, 200), (2, 64), (3, 61), (1000, 512)] {
            let mut d = vec![0; n];
            super::noise::fill(isa, &noise, 9, Units::From(first), &mut d);
            let units: Vec<u32> = (first..first + n as u32).collect();
            let mut listed = vec![0; n];
            super::noise::fill(isa, &noise, 9, Units::These(&units), &mut listed);
            let want: Vec<u32> = (units.iter())
                .map(|u| synfire_ir::rng::word(noise.seed, synfire_ir::rng::NOISE, 9, 3, 77, 5 + u))
                .collect();
            assert_eq!(d, want);
            assert_eq!(listed, want);
        }
    }
}

/// Two states that swap, a port that saturates, a scalar from the step, and an emission of ones.
fn model() -> Model {
    let mut b = BlockBuilder::new();
    let (x, y) = (b.push(Op::State(0), Ty::I32), b.push(Op::State(1), Ty::I32));
    let port = b.push(Op::Port(0), Ty::I32);
    let step = b.push(Op::Step, Ty::I32);
    let three = b.i32(3);
    let late = b.bin(BinOp::Mul, step, three);
    let sum = b.bin(BinOp::Add, y, port);
    let sum = b.bin(BinOp::Add, sum, late);
    b.store(0, sum);
    b.store(1, x);
    let fires = b.bin(BinOp::Gt, sum, three);
    let (one, none) = (b.i32(1), b.i32(0));
    let e = b.select(fires, one, none);
    b.emit(e);
    let state = |name: &str| State {
        name: name.into(),
        width: Width::I32,
    };
    Model {
        name: "swap".into(),
        states: vec![state("x"), state("y")],
        ports: vec![Port {
            name: "in".into(),
            ty: Ty::I32,
            combine: Combine::SatSum(10),
        }],
        step: b.finish(),
        ..Model::default()
    }
}

#[test]
fn stores_read_the_state_from_before_the_block() {
    let m = model();
    let fixed = Fixed::new(&m, vec![], vec![None, None]);
    let k = lower(&m, &m.step, &fixed);
    let mut scalars = vec![];
    k.scalars(2, &mut scalars);
    let (x, y, port) = (
        [1u32, 2, 3],
        [10u32, 0u32.wrapping_sub(20), 30],
        [100u32, 5, 0],
    );
    let leaves: Vec<Words> = (k.leaves().iter())
        .map(|l| match l {
            Leaf::State(0) => Words::Many(&x),
            Leaf::State(_) => Words::Many(&y),
            _ => Words::Many(&port),
        })
        .collect();
    let mut regs = Registers::new(8);
    let noise = Noise::default();
    k.run(
        Isa::detect(),
        &mut regs,
        (&leaves, &scalars),
        (Units::From(0), &noise),
        3,
    );
    let got = |s| {
        let v = k.value(&regs, &scalars, s, 3);
        (0..3).map(|i| v.get(i) as i32).collect::<Vec<_>>()
    };
    assert_eq!(k.stores().len(), 2);
    assert_eq!(got(k.stores()[0].1), [26, -9, 36]);
    assert_eq!(got(k.stores()[1].1), [1, 2, 3]);
    let emit = k.emit().expect("the block emits");
    assert!(emit.spikes);
    assert_eq!(got(emit.src), [1, 0, 1]);
}

/// Parameters that a group holds constant, and states that nothing stores, vanish from the code.
#[test]
fn constants_of_a_group_are_folded() {
    let mut b = BlockBuilder::new();
    let (p, s) = (b.push(Op::Param(0), Ty::I32), b.push(Op::State(1), Ty::I32));
    let x = b.push(Op::State(0), Ty::I32);
    let both = b.bin(BinOp::Mul, p, s);
    let limit = b.i32(40);
    let c = b.bin(BinOp::Gt, both, limit);
    let next = b.select(c, x, both);
    let next = b.bin(BinOp::Add, next, both);
    b.store(0, next);
    let block: Block = b.finish();
    let mut m = model();
    m.step = block;
    let fixed = Fixed::new(&m, vec![Some(6)], vec![Some(0), Some(7)]);
    let k = lower(&m, &m.step, &fixed);
    assert_eq!(k.leaves(), [Leaf::State(0)]);
    assert_eq!(k.code.len(), 1, "{k:?}");
}

#[test]
fn nonzero_lanes_come_in_order() {
    let words: Vec<u32> = (0..100).map(|i| if i % 7 == 3 { i } else { 0 }).collect();
    for n in [99, 1, 64, 0, 32] {
        let (mut lanes, mut payloads) = (vec![7], vec![]);
        let all = Words::Many(&words);
        let isa = Isa::detect();
        compress(isa, (all, n), 1000, &mut lanes, Some(&mut payloads));
        let want: Vec<u32> = (0..n as u32).filter(|i| i % 7 == 3).collect();
        assert_eq!(payloads, want);
        assert_eq!(
            lanes[1..],
            want.iter().map(|i| i + 1000).collect::<Vec<_>>()
        );
    }
    let mut lanes = vec![];
    compress(Isa::BASE, (Words::One(3), 2), 5, &mut lanes, None);
    compress(Isa::BASE, (Words::One(0), 2), 5, &mut lanes, None);
    assert_eq!(lanes, [5, 6]);
}

/// A Poisson count by thresholds becomes one operation, and counts as the chain of additions does.
#[test]
fn threshold_counts_are_one_operation() {
    let mut b = BlockBuilder::new();
    let word = b.push(Op::State(0), Ty::U32);
    let mut count = b.i32(0);
    for t in [5, 900, 70_000, 0xffff_fff0] {
        let t = b.u32(t);
        let above = b.bin(BinOp::Gt, word, t);
        let one = b.un(UnOp::ToI32, above);
        count = b.bin(BinOp::Add, count, one);
    }
    b.emit(count);
    let mut m = model();
    m.step = b.finish();
    let k = lower(&m, &m.step, &Fixed::new(&m, vec![], vec![None, None]));
    assert_eq!(k.code.len(), 1, "{k:?}");
    let mut scalars = vec![];
    k.scalars(0, &mut scalars);
    let words: Vec<u32> = EDGES.into_iter().chain(800..1000).collect();
    let n = words.len();
    let mut regs = Registers::new(n);
    let at = (Units::From(0), &Noise::default());
    for isa in Isa::all() {
        k.run(isa, &mut regs, (&[Words::Many(&words)], &scalars), at, n);
        let got = k.value(&regs, &scalars, k.emit().expect("it emits").src, n);
        for (i, &w) in words.iter().enumerate() {
            let want = [5, 900, 70_000, 0xffff_fff0]
                .iter()
                .filter(|&&t| w > t)
                .count();
            assert_eq!(got.get(i), want as u32, "{w}");
        }
    }
}

/// Rows of bits against one addition a synapse, on every level, for sizes around the borders of words and blocks.
#[test]
fn counted_rows_add_once_for_each_synapse() {
    use super::counted::{Bitmap, Tally};
    let mut seed = 9u32;
    let mut draw = move || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 16
    };
    for (targets, most) in [
        (1, 3),
        (31, 70),
        (64, 9),
        (600, 130),
        (1024, 57),
        (1100, 20),
    ] {
        let rows = 40;
        let mut map = Bitmap::new(rows, targets);
        let mut set = vec![];
        for r in 0..rows {
            for t in (0..targets).filter(|_| draw() % 3 == 0) {
                assert!(map.set(r, t));
                set.push((r, t));
            }
        }
        let ones: u64 = (0..rows).map(|r| map.ones(r)).sum();
        assert_eq!(ones, set.len() as u64);
        let list: Vec<u32> = (0..draw() % most).map(|_| draw() % rows as u32).collect();
        for (float, value) in [(true, 0.1f32.to_bits()), (false, 0x8000_0007)] {
            let start: Vec<u32> = (0..targets).map(|t| (t as f32 * 0.37).to_bits()).collect();
            let mut want = start.clone();
            for &r in &list {
                for &(_, t) in set.iter().filter(|s| s.0 == r as usize) {
                    want[t] = match float {
                        true => (f32::from_bits(want[t]) + 0.1).to_bits(),
                        false => want[t].wrapping_add(value),
                    };
                }
            }
            for isa in Isa::all() {
                let mut got = start.clone();
                map.add(isa, float, &mut got, &list, value, &mut Tally::default());
                assert_eq!(got, want, "{isa:?} {targets} {list:?}");
            }
        }
    }
}

/// A handler that is a saturating sum is known as one, in either order of its operands, and the loop over targets gives what the handler gives.
#[test]
fn saturating_sums_are_known() {
    let handler = |first: bool, bits: u8| {
        let mut b = BlockBuilder::new();
        let (s, x) = (b.push(Op::State(0), Ty::I32), b.push(Op::Arg, Ty::I32));
        let sum = match first {
            true => b.bin(BinOp::Add, s, x),
            false => b.bin(BinOp::Add, x, s),
        };
        let sat = b.push(Op::Sat { a: sum, bits }, Ty::I32);
        b.store(0, sat);
        b.finish()
    };
    let m = Model {
        name: "m".into(),
        states: vec![State {
            name: "s".into(),
            width: Width::I32,
        }],
        ..Model::default()
    };
    let fixed = Fixed::new(&m, vec![], vec![None]);
    for (first, bits) in [(true, 16), (false, 16), (true, 8)] {
        let block = handler(first, bits);
        let kernel = lower(&m, &block, &fixed);
        assert_eq!(kernel.saturating_sum(), Some((0, bits)));
        let states = [0u32, 5, 32_760, -32_768i32 as u32, 120, -100i32 as u32];
        let weights = [7i8, -128, 127, -1, 100, -77];
        let mut acc = states.to_vec();
        deliver::saturate(
            &mut acc,
            &[0, 1, 2, 3, 4, 5],
            deliver::Row::I8(&weights),
            3,
            bits,
        );
        let mut row = states.to_vec();
        deliver::saturate_row(Isa::detect(), &mut row, deliver::Row::I8(&weights), 3, bits);
        let top = (1 << (bits - 1)) - 1;
        let want = states
            .iter()
            .zip(weights)
            .map(|(&s, w)| (s as i32 + 3 * i32::from(w)).clamp(-top - 1, top) as u32);
        assert_eq!(acc, want.collect::<Vec<_>>());
        assert_eq!(acc, row);
    }
    let mut b = BlockBuilder::new();
    let (s, x) = (b.push(Op::State(0), Ty::I32), b.push(Op::Arg, Ty::I32));
    let sum = b.bin(BinOp::Sub, s, x);
    let sat = b.push(Op::Sat { a: sum, bits: 16 }, Ty::I32);
    b.store(0, sat);
    assert_eq!(lower(&m, &b.finish(), &fixed).saturating_sum(), None);
}
