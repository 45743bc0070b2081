//! The chip models of the design in fixed widths, against the same formulas in Rust on random inputs.

use super::{Bench, lower, program};
use synfire_ir::model::{BinOp, Op};
use synfire_ir::rng::Draws;

const RANC: &str = "neuron Ranc(thr: i32, nthr: i32, reset: i32, linear: bool, leak: i32, sym: bool, width: int = 32) {
  state v: i32
  input syn: i32
  on step {
    v = wrap(v + syn + leak, width)
    if v >= thr { emit 1; v = where(linear, wrap(v - thr, width), reset) }
    else if v < nthr or (sym and v == nthr) { v = where(linear, wrap(v - nthr, width), wrap(-reset, width)) }
  }
}";

pub const TINY_ODIN: &str = "neuron TinyOdin(thr: u16, leak: u8, disabled: bool) {
  state v: i16
  input syn: i8
  input tref: bool
  on syn(w) { v = max(-2048, min(2047, v + w)); if v >= 0 and v >= thr { v = 0; if not disabled { emit 1 } } }
  on tref(x) { v = where(v >= 0, max(0, v - leak), min(0, v + leak)); if v >= 0 and v >= thr { v = 0; if not disabled { emit 1 } } }
}";

/// The sketch's `draw_noise()` is open; here it is a signed byte of `rand_u32()`.
const LOIHI: &str = "neuron Loihi(du: i32, dv: i32, bias: i32, vth: i32, refract: i32, vmin: i32, vmax: i32, noise_v: bool, noise: bool) {
  state u: i32; state v: i32; state r: i32
  input q: i32
  on step {
    let n = where(noise, wrap(rand_u32(), 8), 0)
    let q1 = wrap(q + where(noise_v, 0, n), 22)
    u = wrap(mul_shift_rtz(u, 4095 - du, 12) + q1, 24)
    let u2 = wrap(u + bias + where(noise_v, n, 0), 24)
    v = max(vmin, min(vmax, mul_shift_rtz(v, 4096 - dv, 12) + u2))
    if r > 0 { v = 0 }
    if v > vth << 6 { emit 1; v = 0; r = refract }
    r = max(r - 1, 0)
  }
}";

const XYLO: &str =
    "neuron Xylo(thr: i16, dm: u8, ds: u8, bias: i16, has_bias: bool, limit: int = 31) {
  state v: i16; state i: i16; state n: u8
  input syn: i16
  input alias: u8 by sat_sum
  on syn(x) { i = sat(i + x, 16) }
  on step {
    let di = i >> ds
    i -= where(di == 0, sign(i), di)
    let q = v >> dm
    let d1 = wrap(-where(q == 0, sign(v), q), 16)
    let d2 = sat(d1 + i, 16)
    let d3 = where(has_bias, sat(d2 + bias, 16), d2)
    v = sat(v + d3, 16)
    let m = alias
    repeat 31 { if v >= thr and m < limit { m = m + 1; v = wrap(v - thr, 16) } }
    emit m
  }
}";

const SPINNAKER: &str = "neuron IfCurrExp(R: i32, expTC: i32, vrest: i32, vth: i32, vreset: i32, tref: i32, ioff: i32, de: u32, ie: u32, sh: u8) {
  state v: i32; state r: i32; state se: i32
  input exc: u16 by sat_sum
  on step {
    se += mul_shift(exc << sh, ie, 32)
    if r <= 0 { let a = mul_shift(se + ioff, R, 15) + vrest; v = a - mul_shift(expTC, a - v, 15) } else { r -= 1 }
    if v >= vth { v = vreset; r = tref; emit 1 }
    se = mul_shift(se, de, 32)
  }
}";

const RATE: &str = "neuron Rate(tau: time = 30 ms, p: real = 0.003) {
  state x: real = 0
  state xb: real = 0
  input i: real
  output r: real = tanh(x)
  on step { let k = where(rand() < p, 16 * (2 * rand() - 1), 0); x += 1 ms / tau * (-x + i + k); xb = 0.05 * xb + 0.95 * x }
}";

const AXON: &str = "neuron RancAxon { input spike: bool by or  on step { if spike { emit 1 } } }";

fn wrap(x: i32, bits: u32) -> i32 {
    (x << (32 - bits)) >> (32 - bits)
}

fn sat16(x: i32) -> i32 {
    x.clamp(-32_768, 32_767)
}

fn between(d: &mut Draws, low: i32, high: i32) -> i32 {
    low + d.below((high - low + 1) as u32) as i32
}

#[test]
fn ranc_follows_its_formula() {
    let m = lower(RANC);
    assert!(m.integer && m.spikes);
    for (width, linear, sym, seed) in [
        (32, true, false, 1),
        (9, true, true, 2),
        (9, false, true, 3),
        (16, false, false, 4),
    ] {
        let (thr, nthr, reset, leak) = (60, -64, 5, -3);
        let given = [
            ("thr", thr as f64),
            ("nthr", nthr as f64),
            ("reset", reset as f64),
            ("linear", linear as u8 as f64),
            ("leak", leak as f64),
            ("sym", sym as u8 as f64),
            ("width", width as f64),
        ];
        let p = program(&m, &given, 1e-3, 1);
        let mut b = Bench::new(&p);
        let mut draws = Draws::new(seed, 1, 1, 1);
        let (mut v, mut spikes) = (0i32, 0);
        for step in 0..2000 {
            let syn = between(&mut draws, -300, 320);
            v = wrap(v.wrapping_add(syn).wrapping_add(leak), width);
            let mut out = 0;
            if v >= thr {
                out = 1;
                v = if linear { wrap(v - thr, width) } else { reset };
            } else if v < nthr || (sym && v == nthr) {
                v = if linear {
                    wrap(v - nthr, width)
                } else {
                    wrap(-reset, width)
                };
            }
            spikes += out;
            assert_eq!(b.step(&[("syn", syn as f64)]), out, "step {step}");
            assert_eq!(b.state("v"), v as f64, "step {step}");
        }
        assert!(spikes > 100, "{spikes}");
    }
}

#[test]
fn ranc_axon_merges_spikes() {
    let m = lower(AXON);
    let p = program(&m, &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    assert_eq!(b.step(&[("spike", 1.0), ("spike", 1.0)]), 1);
    assert_eq!(b.step(&[]), 0);
}

/// A handler that emits runs under the serial discipline only; its block is run here on its own.
#[test]
fn tiny_odin_follows_its_formula() {
    use synfire_ir::eval::{Reads, run_block};
    struct Unit {
        v: i32,
        arg: i32,
        params: [u32; 3],
    }
    impl Reads for Unit {
        fn param(&self, i: u16) -> u32 {
            self.params[i as usize]
        }
        fn state(&self, _: u16) -> u32 {
            self.v as u32
        }
        fn port(&self, _: u16) -> u32 {
            0
        }
        fn arg(&self) -> u32 {
            self.arg as u32
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
    let m = lower(TINY_ODIN);
    let (thr, leak) = (200, 7);
    let mut values = vec![];
    let mut draws = Draws::new(5, 1, 1, 1);
    let (mut v, mut spikes) = (0i32, 0);
    for _ in 0..5000 {
        let kind = draws.below(3) as usize / 2;
        let arg = if kind == 0 {
            between(&mut draws, -128, 127)
        } else {
            1
        };
        let block = &m.model.handlers[kind].block;
        run_block(
            block,
            &Unit {
                v,
                arg,
                params: [thr as u32, leak as u32, 0],
            },
            &mut values,
        );
        v = if kind == 0 {
            (v + arg).clamp(-2048, 2047)
        } else if v >= 0 {
            (v - leak).max(0)
        } else {
            (v + leak).min(0)
        };
        let fires = v >= 0 && v >= thr;
        if fires {
            v = 0;
            spikes += 1;
        }
        assert_eq!(values[block.stores[0].1 as usize] as i32, v);
        assert_eq!(block.emit.map(|e| values[e as usize]), Some(fires as u32));
    }
    assert!(spikes > 50);
}

#[test]
fn loihi_follows_its_formula() {
    let m = lower(LOIHI);
    let given = [
        ("du", 300.0),
        ("dv", 120.0),
        ("bias", 5.0),
        ("vth", 100.0),
        ("refract", 3.0),
        ("vmin", -8_388_608.0),
        ("vmax", 8_388_607.0),
        ("noise_v", 0.0),
        ("noise", 0.0),
    ];
    let p = program(&m, &given, 1e-3, 1);
    let mut b = Bench::new(&p);
    let mut draws = Draws::new(6, 1, 1, 1);
    let rtz = |a: i32, f: i32| (a as i64 * f as i64 / 4096) as i32;
    let (mut u, mut v, mut r, mut spikes) = (0i32, 0i32, 0i32, 0);
    for _ in 0..3000 {
        let q = between(&mut draws, -400, 700);
        u = wrap(rtz(u, 4095 - 300) + wrap(q, 22), 24);
        let u2 = wrap(u + 5, 24);
        v = (rtz(v, 4096 - 120) + u2).clamp(-8_388_608, 8_388_607);
        if r > 0 {
            v = 0;
        }
        let fires = v > 100 << 6;
        if fires {
            v = 0;
            r = 3;
            spikes += 1;
        }
        r = (r - 1).max(0);
        assert_eq!(b.step(&[("q", q as f64)]), fires as i32);
        assert_eq!(
            [b.state("u"), b.state("v"), b.state("r")],
            [u as f64, v as f64, r as f64]
        );
    }
    assert!(spikes > 100);
}

#[test]
fn xylo_follows_its_formula() {
    let m = lower(XYLO);
    let given = [
        ("thr", 500.0),
        ("dm", 4.0),
        ("ds", 3.0),
        ("bias", 20.0),
        ("has_bias", 1.0),
    ];
    let p = program(&m, &given, 1e-3, 1);
    let mut b = Bench::new(&p);
    let mut draws = Draws::new(7, 1, 1, 1);
    let (mut i, mut v, mut total) = (0i32, 0i32, 0);
    for _ in 0..3000 {
        let x = between(&mut draws, -9000, 12_000);
        let alias = between(&mut draws, 0, 2);
        i = sat16(i + x);
        let di = i >> 3;
        i -= if di == 0 { i.signum() } else { di };
        let q = v >> 4;
        let d1 = -(if q == 0 { v.signum() } else { q });
        let d3 = sat16(sat16(d1 + i) + 20);
        v = sat16(v + d3);
        let mut n = alias;
        while v >= 500 && n < 31 {
            n += 1;
            v -= 500;
        }
        total += n;
        assert_eq!(b.step(&[("syn", x as f64), ("alias", alias as f64)]), n);
        assert_eq!([b.state("i"), b.state("v")], [i as f64, v as f64]);
    }
    assert!(total > 1000);
}

#[test]
fn spinnaker_follows_its_formula() {
    let m = lower(SPINNAKER);
    let (rm, tc, rest, th, reset) = (40 << 15, 31_170, -65 << 15, -50 << 15, -70 << 15);
    let (de, ie) = (3_516_430_000u32, 3_900_000_000u32);
    let given = [
        ("R", rm as f64),
        ("expTC", tc as f64),
        ("vrest", rest as f64),
        ("vth", th as f64),
        ("vreset", reset as f64),
        ("tref", 2.0),
        ("ioff", 100.0),
        ("de", de as f64),
        ("ie", ie as f64),
        ("sh", 4.0),
    ];
    let p = program(&m, &given, 1e-3, 1);
    let mut b = Bench::new(&p);
    let mut draws = Draws::new(8, 1, 1, 1);
    let by = |a: i32, f: i64, s: u32| ((a as i64 * f) >> s) as i32;
    let (mut v, mut r, mut se, mut spikes) = (0i32, 0i32, 0i32, 0);
    for _ in 0..3000 {
        let x = between(&mut draws, 0, 900);
        se += by(x << 4, ie as i64, 32);
        if r <= 0 {
            let a = by(se + 100, rm as i64, 15) + rest;
            v = a - by(tc, (a - v) as i64, 15);
        } else {
            r -= 1;
        }
        let fires = v >= th;
        if fires {
            v = reset;
            r = 2;
            spikes += 1;
        }
        se = by(se, de as i64, 32);
        assert_eq!(b.step(&[("exc", x as f64)]), fires as i32);
        assert_eq!(
            [b.state("v"), b.state("r"), b.state("se")],
            [v as f64, r as f64, se as f64]
        );
    }
    assert!(spikes > 100);
}

#[test]
fn rate_unit_draws_and_puts_out_tanh() {
    let m = lower(RATE);
    assert!(!m.spikes && m.model.outputs[0].name == "r");
    let draws = m
        .model
        .step
        .insts
        .iter()
        .filter(|i| matches!(i.op, Op::Rand { .. }))
        .count();
    assert_eq!(draws, 2);
    let p = program(&m, &[("p", 0.0)], 1e-3, 1);
    let mut b = Bench::new(&p);
    let mut x = 0f64;
    for _ in 0..200 {
        b.step(&[("i", 0.7)]);
        x += (0.7 - x) / 30.0;
        assert!((b.state("x") - x).abs() < 5e-6);
        assert!((b.state("r") - x.tanh()).abs() < 5e-6);
    }
}

/// A value that cannot leave its width is stored as it is.
#[test]
fn wraps_stand_only_where_needed() {
    let wraps = |text: &str| {
        let m = lower(text);
        m.model
            .step
            .insts
            .iter()
            .filter(|i| matches!(i.op, Op::Wrap { .. }))
            .count()
    };
    assert_eq!(
        wraps("neuron A { state v: i16  on step { v = clip(v + 1, -100, 100) } }"),
        0
    );
    assert_eq!(wraps("neuron A { state v: i16  on step { v = v + 1 } }"), 1);
    assert_eq!(
        wraps("neuron A(k: u8) { state v: u16  on step { v = (v >> 1) + k } }"),
        0
    );
    assert_eq!(wraps("neuron A { state v: u8  on step { v = v & 15 } }"), 0);
    assert_eq!(wraps("neuron A { state v: i32  on step { v = v * 3 } }"), 0);
}

/// All code of a fixed-width model is integers.
#[test]
fn no_float_appears() {
    for text in [RANC, TINY_ODIN, LOIHI, XYLO, SPINNAKER] {
        let m = lower(text);
        let blocks = m
            .model
            .handlers
            .iter()
            .map(|h| &h.block)
            .chain([&m.model.step]);
        for b in blocks {
            assert!(b.insts.iter().all(|i| i.ty != synfire_ir::model::Ty::F32));
            assert!(
                !b.insts
                    .iter()
                    .any(|i| matches!(i.op, Op::Bin(BinOp::Pow, ..)))
            );
        }
    }
}

/// Computed outputs have the width that they were declared with.
#[test]
fn outputs_of_fixed_models_keep_their_width() {
    let m = lower(
        "neuron A { state v: i16; input s: i32; output u: u32 = v; output w: i8 = v; on s { v = s } }",
    );
    let p = program(&m, &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    b.step(&[("s", -300.0)]);
    assert_eq!(
        [b.state("u"), b.state("w")],
        [(-300i32 as u32) as f64, -44.0]
    );
}
