//! Fused operations against the definition of the step IR, on every level of instructions and with states in place.

use super::*;
use std::ops::Range;
use synfire_ir::eval::{Reads, run_block};
use synfire_ir::model::{
    BinOp, BlockBuilder, Combine, Model, Op, Port, Round, State, Ty, UnOp, Value, Width,
};

/// How the block of a test looks.
#[derive(Clone, Copy, Debug)]
struct Shape {
    float: bool,
    strict: bool,
    /// Is the value that held units keep another one than the state?
    kicked: bool,
    clipped: bool,
    /// Does something else read the old value, or the new one, at the end?
    late: bool,
}

fn constant(b: &mut BlockBuilder, float: bool, x: f32) -> Value {
    match float {
        true => b.f32(x),
        false => b.i32((x * 65536.0) as i32),
    }
}

fn times(b: &mut BlockBuilder, float: bool, k: f32, x: Value) -> Value {
    if float {
        let k = b.f32(k);
        return b.bin(BinOp::Mul, k, x);
    }
    let a = b.i32((k * (1 << 30) as f32) as i32);
    let shift = 30;
    let op = Op::MulShift {
        a,
        b: x,
        shift,
        round: Round::Floor,
    };
    b.push(op, Ty::I32)
}

/// A leaky unit with two currents, a threshold and a countdown.
fn unit(s: Shape) -> Model {
    let f = s.float;
    let ty = if f { Ty::F32 } else { Ty::I32 };
    let mut b = BlockBuilder::new();
    let v = b.push(Op::State(0), ty);
    let r = b.push(Op::State(1), Ty::I32);
    let (g, p) = (b.push(Op::State(2), ty), b.push(Op::Port(0), ty));
    let (one, six, none) = (b.i32(1), b.i32(6), b.i32(0));
    let current = match f {
        true => b.bin(BinOp::Add, g, p),
        false => {
            let (x, y) = (b.bin(BinOp::Shr, g, one), b.bin(BinOp::Shr, p, six));
            b.bin(BinOp::Add, x, y)
        }
    };
    let held = b.bin(BinOp::Gt, r, none);
    let old = match s.kicked {
        true => {
            let kicked = b.bin(BinOp::Add, v, p);
            b.select(held, v, kicked)
        }
        false => v,
    };
    let (x, y, z) = (
        times(&mut b, f, 0.875, old),
        times(&mut b, f, 0.25, current),
        times(&mut b, f, -0.5, p),
    );
    let z = if f { z } else { b.bin(BinOp::Shr, z, six) };
    let sum = b.bin(BinOp::Add, x, y);
    let sum = b.bin(BinOp::Add, z, sum);
    let k = constant(&mut b, f, 0.125);
    let new = b.bin(BinOp::Add, sum, k);
    let (held_value, new) = match f {
        true => (old, new),
        false => (b.bin(BinOp::Shr, old, one), b.bin(BinOp::Shr, new, one)),
    };
    let x = b.select(held, held_value, new);
    let free = b.un(UnOp::Not, held);
    let bound = constant(&mut b, f, 0.5);
    let over = b.bin(if s.strict { BinOp::Gt } else { BinOp::Ge }, x, bound);
    let spike = b.bin(BinOp::And, free, over);
    let less = b.bin(BinOp::Sub, r, one);
    let long = b.i32(3);
    let chosen = b.select(spike, long, none);
    let countdown = b.select(held, less, chosen);
    let reset = constant(&mut b, f, -0.25);
    let mut after = b.select(spike, reset, x);
    if !f {
        if s.clipped {
            let (low, high) = (b.i32(-20_000), b.i32(30_000));
            after = b.bin(BinOp::Min, after, high);
            after = b.bin(BinOp::Max, after, low);
        }
        after = b.bin(BinOp::Shl, after, one);
    }
    let decayed = times(&mut b, f, 0.75, current);
    b.store(0, after);
    b.store(1, countdown);
    b.store(2, decayed);
    if s.late {
        let both = b.bin(BinOp::Sub, v, after);
        b.store(3, both);
    }
    let e = b.select(spike, one, none);
    b.emit(e);
    let state = |name: &str, width| State {
        name: name.into(),
        width,
    };
    let width = if f { Width::F32 } else { Width::I32 };
    Model {
        name: "unit".into(),
        states: vec![
            state("v", width),
            state("r", Width::I32),
            state("g", width),
            state("d", width),
        ],
        ports: vec![Port {
            name: "p".into(),
            ty,
            combine: Combine::Sum,
        }],
        step: b.finish(),
        ..Model::default()
    }
}

/// What the block of one lane reads.
struct Lane<'a> {
    state: &'a [Vec<u32>],
    port: &'a [u32],
    lane: usize,
}

impl Reads for Lane<'_> {
    fn param(&self, _: u16) -> u32 {
        0
    }
    fn state(&self, s: u16) -> u32 {
        self.state[s as usize][self.lane]
    }
    fn port(&self, _: u16) -> u32 {
        self.port[self.lane]
    }
    fn arg(&self) -> u32 {
        0
    }
    fn step(&self) -> u32 {
        0
    }
    fn index(&self) -> u32 {
        self.lane as u32
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}

/// States after the block and what it emits, lane by lane.
fn defined(m: &Model, state: &[Vec<u32>], port: &[u32]) -> (Vec<Vec<u32>>, Vec<u32>) {
    let (mut after, mut emitted) = (state.to_vec(), vec![]);
    let mut values = vec![];
    for (lane, _) in port.iter().enumerate() {
        run_block(&m.step, &Lane { state, port, lane }, &mut values);
        for &(s, v) in &m.step.stores {
            after[s as usize][lane] = values[v as usize];
        }
        emitted.extend(m.step.emit.map(|v| values[v as usize]));
    }
    (after, emitted)
}

fn words(float: bool, n: usize) -> impl FnMut(usize) -> Vec<u32> {
    let mut seed = 5u32;
    move |kind| {
        let mut draw = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let one = |x: f32| match (kind, float) {
            (1, _) => (x * 3.0) as i32 as u32,
            (_, true) => (x * 2.0).to_bits(),
            (_, false) => (x * 150_000.0) as i32 as u32,
        };
        (0..n).map(|_| one(draw())).collect()
    }
}

fn run(
    k: &Kernel,
    isa: Isa,
    state: &[Vec<u32>],
    port: &[u32],
    at: Range<usize>,
) -> (Vec<Vec<u32>>, Vec<u32>) {
    let mut scalars = vec![];
    k.scalars(0, &mut scalars);
    let mut regs = Registers::new(at.len());
    let mut mem: Vec<Aligned> = state.iter().map(|s| Aligned::from(&s[..])).collect();
    let leaf = |l: &Leaf| match l {
        Leaf::Port(_) => Words::Many(&port[at.clone()]),
        _ => Words::One(9),
    };
    let leaves: Vec<Words> = k.leaves().iter().map(leaf).collect();
    let noise = Noise::default();
    let units = (Units::From(0), &noise);
    k.update(
        isa,
        &mut regs,
        (&mut mem, at.clone()),
        (&leaves, &scalars),
        units,
    );
    let emit = k.emit().expect("the block emits");
    let fired = k.value(&regs, &scalars, emit.src, at.len());
    let fired = (0..at.len()).map(|i| fired.get(i)).collect();
    (mem.iter().map(|m| m.to_vec()).collect(), fired)
}

#[test]
fn fused_code_computes_what_single_operations_do() {
    const N: usize = 203;
    for bits in 0..32u32 {
        let is = |b: u32| bits >> b & 1 == 1;
        let s = Shape {
            float: is(0),
            strict: is(1),
            kicked: is(2),
            clipped: is(3),
            late: is(4),
        };
        let m = unit(s);
        let k = lower(&m, &m.step, &Fixed::new(&m, vec![], vec![None; 4]));
        let fused = k
            .code
            .iter()
            .any(|i| matches!(i.op, super::kernel::LaneOp::Threshold(..)));
        assert!(fused, "{s:?}: {k:?}");
        let mut draw = words(s.float, N);
        let state: Vec<Vec<u32>> = (0..4).map(&mut draw).collect();
        let port = draw(4);
        let (want, spikes) = defined(&m, &state, &port);
        assert!(spikes.contains(&0) && spikes.contains(&1), "{s:?}");
        for isa in Isa::all() {
            let (got, fired) = run(&k, isa, &state, &port, 0..N);
            assert_eq!(got, want, "{isa:?} {s:?} {k:?}");
            assert_eq!(fired, spikes, "{isa:?} {s:?}");
            let (part, fired) = run(&k, isa, &state, &port, 16..100);
            for (s, column) in part.iter().enumerate() {
                assert_eq!(column[16..100], want[s][16..100]);
                assert_eq!(column[..16], state[s][..16]);
                assert_eq!(column[100..], state[s][100..]);
            }
            assert_eq!(fired, spikes[16..100]);
        }
    }
}

/// A state that two instructions could take, or that a later one reads, keeps its old value until then.
#[test]
fn states_that_swap_are_not_overwritten_early() {
    let mut b = BlockBuilder::new();
    let (x, y) = (b.push(Op::State(0), Ty::I32), b.push(Op::State(1), Ty::I32));
    let (two, three) = (b.i32(2), b.i32(3));
    let (twice, thrice) = (b.bin(BinOp::Mul, y, two), b.bin(BinOp::Mul, x, three));
    let sum = b.bin(BinOp::Add, twice, thrice);
    b.store(0, twice);
    b.store(1, thrice);
    b.store(2, sum);
    b.store(3, sum);
    let some = b.bin(BinOp::Gt, x, y);
    let (one, none) = (b.i32(1), b.i32(0));
    let e = b.select(some, one, none);
    b.emit(e);
    let mut m = unit(Shape {
        float: false,
        strict: true,
        kicked: false,
        clipped: false,
        late: false,
    });
    m.step = b.finish();
    let k = lower(&m, &m.step, &Fixed::new(&m, vec![], vec![None; 4]));
    let mut draw = words(false, 40);
    let state: Vec<Vec<u32>> = (0..4).map(&mut draw).collect();
    let port = vec![0; 40];
    for isa in Isa::all() {
        assert_eq!(
            run(&k, isa, &state, &port, 0..40),
            defined(&m, &state, &port)
        );
    }
}
