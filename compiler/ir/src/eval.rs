//! What each operation of the step IR means, on single 32-bit words: the definition that every engine is tested against.

use crate::model::{BinOp, Block, Inst, Op, Round, Ty, UnOp, Value, Width};

/// `(a * b) >> shift` of the full product; `signed` says for each factor whether its bits are two's complement.
pub fn mul_shift(a: u32, a_signed: bool, b: u32, b_signed: bool, shift: u8, round: Round) -> u32 {
    let wide = |x: u32, s: bool| if s { x as i32 as i128 } else { x as i128 };
    let product = wide(a, a_signed) * wide(b, b_signed);
    let shift = shift.min(63);
    match round {
        Round::Floor => (product >> shift) as u32,
        Round::Zero => (product / (1i128 << shift)) as u32,
    }
}

/// Clamps to `bits` signed bits.
pub fn sat(a: i32, bits: u8) -> i32 {
    if bits >= 32 {
        return a;
    }
    let top = (1i64 << (bits.max(1) - 1)) - 1;
    (a as i64).clamp(-top - 1, top) as i32
}

/// Keeps the low `bits` bits, sign- or zero-extended.
pub fn wrap(a: u32, bits: u8, signed: bool) -> u32 {
    if bits >= 32 {
        return a;
    }
    let up = 32 - bits.max(1) as u32;
    if signed {
        (((a << up) as i32) >> up) as u32
    } else {
        (a << up) >> up
    }
}

/// Powers of a decay: what is left of a distance after so many steps.
///
/// `words[k][b]` is the factor for `b * 256^k` steps, made from [`crate::synapse::Decay::factor`] in 64-bit fixed point: each power is
/// the one before times the factor, rounded down to units of 2^-64. For F32 it is then the nearest single, for I32 the integer
/// `floor(power * 2^31)`. `words[k][0]` stands for no steps and is never multiplied with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Powers {
    /// Four tables of 256 words, for the four bytes of a number of steps.
    pub words: [[u32; 256]; 4],
    /// F32 or I32.
    pub ty: Ty,
}

impl Powers {
    /// The tables for states of type `ty`.
    pub fn new(factor: u64, ty: Ty) -> Self {
        let times = |a: u64, b: u64| ((a as u128 * b as u128) >> 64) as u64;
        let word = |q: u64| match ty {
            Ty::F32 => ((q as f64 / 18_446_744_073_709_551_616.0) as f32).to_bits(),
            _ => (q >> 33) as u32,
        };
        let mut words = [[0; 256]; 4];
        let mut base = factor;
        for table in &mut words {
            let mut q = base;
            for slot in &mut table[1..] {
                *slot = word(q);
                q = times(q, base);
            }
            base = q;
        }
        Powers { words, ty }
    }
}

/// A state that decays towards `rest`, `steps` steps after its stamp: `rest + (v - rest) * p0 * p1 * p2 * p3`, where `p_k` is the
/// power for byte `k` of `steps` (the lowest first) and is left out when that byte is 0. Integer products are
/// [`mul_shift`] by 31 towards zero, integer sums wrap. Without steps it is `v`.
pub fn decayed(v: u32, rest: u32, powers: &Powers, steps: u32) -> u32 {
    if steps == 0 {
        return v;
    }
    let bytes = steps.to_le_bytes();
    let factors = (0..4)
        .filter(|&k| bytes[k] != 0)
        .map(|k| powers.words[k][bytes[k] as usize]);
    if powers.ty == Ty::F32 {
        let rest = f32::from_bits(rest);
        let left = factors.fold(f32::from_bits(v) - rest, |x, p| x * f32::from_bits(p));
        return (rest + left).to_bits();
    }
    let left = factors.fold(v.wrapping_sub(rest), |x, p| {
        mul_shift(x, true, p, true, 31, Round::Zero)
    });
    rest.wrapping_add(left)
}

/// A value as a state of that width keeps it.
pub fn kept(v: u32, width: Width) -> u32 {
    match width {
        Width::I8 => wrap(v, 8, true),
        Width::I16 => wrap(v, 16, true),
        Width::I24 => wrap(v, 24, true),
        Width::U8 => wrap(v, 8, false),
        Width::U16 => wrap(v, 16, false),
        Width::F32 | Width::I32 | Width::U32 | Width::Bool => v,
    }
}

/// One-operand operation on a word of type `ty`.
pub fn unary(op: UnOp, ty: Ty, a: u32) -> u32 {
    let f = f32::from_bits(a);
    let i = a as i32;
    match (op, ty) {
        (UnOp::ToF32, Ty::F32) | (UnOp::ToI32, Ty::I32 | Ty::U32 | Ty::Bool) => a,
        (UnOp::ToU32, Ty::I32 | Ty::U32 | Ty::Bool) => a,
        (UnOp::ToF32, Ty::I32) => (i as f32).to_bits(),
        (UnOp::ToF32, _) => (a as f32).to_bits(),
        (UnOp::ToI32, Ty::F32) => f as i32 as u32,
        (UnOp::ToU32, Ty::F32) => f as u32,
        (UnOp::ToBool, Ty::F32) => (f != 0.0) as u32,
        (UnOp::ToBool, _) => (a != 0) as u32,
        (UnOp::Unit, _) => ((a >> 8) as f32 * (1.0 / 16_777_216.0)).to_bits(),
        (UnOp::Not, Ty::Bool) => (a == 0) as u32,
        (UnOp::Not, _) => !a,
        (UnOp::Neg, Ty::F32) => (-f).to_bits(),
        (UnOp::Neg, _) => i.wrapping_neg() as u32,
        (UnOp::Abs, Ty::F32) => f.abs().to_bits(),
        (UnOp::Abs, Ty::I32) => i.wrapping_abs() as u32,
        (UnOp::Abs, _) => a,
        (UnOp::Sign, Ty::F32) => (if f > 0.0 {
            1.0f32
        } else if f < 0.0 {
            -1.0
        } else {
            0.0
        })
        .to_bits(),
        (UnOp::Sign, Ty::I32) => i.signum() as u32,
        (UnOp::Sign, _) => (a != 0) as u32,
        (UnOp::Floor, _) => f.floor().to_bits(),
        (UnOp::Sqrt, _) => f.sqrt().to_bits(),
        (UnOp::Exp, _) => f.exp().to_bits(),
        (UnOp::Log, _) => f.ln().to_bits(),
        (UnOp::Sin, _) => f.sin().to_bits(),
        (UnOp::Cos, _) => f.cos().to_bits(),
        (UnOp::Tanh, _) => f.tanh().to_bits(),
    }
}

/// Two-operand operation on words of type `ty` (the operands' type).
pub fn binary(op: BinOp, ty: Ty, a: u32, b: u32) -> u32 {
    match ty {
        Ty::F32 => binary_f32(op, f32::from_bits(a), f32::from_bits(b)),
        Ty::I32 => binary_i32(op, a as i32, b as i32),
        Ty::U32 | Ty::Bool => binary_u32(op, a, b),
    }
}

fn binary_f32(op: BinOp, a: f32, b: f32) -> u32 {
    let r = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / b,
        BinOp::Rem => a % b,
        BinOp::Min => a.min(b),
        BinOp::Max => a.max(b),
        BinOp::Pow => a.powf(b),
        BinOp::Eq => return (a == b) as u32,
        BinOp::Ne => return (a != b) as u32,
        BinOp::Lt => return (a < b) as u32,
        BinOp::Le => return (a <= b) as u32,
        BinOp::Gt => return (a > b) as u32,
        BinOp::Ge => return (a >= b) as u32,
        BinOp::And | BinOp::Or | BinOp::Xor | BinOp::Shl | BinOp::Shr => return 0,
    };
    r.to_bits()
}

fn binary_i32(op: BinOp, a: i32, b: i32) -> u32 {
    let r = match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::Div => a.checked_div(b).unwrap_or(if b == 0 { 0 } else { a }),
        BinOp::Rem => a.checked_rem(b).unwrap_or(0),
        BinOp::Min => a.min(b),
        BinOp::Max => a.max(b),
        BinOp::Shl => {
            return if (0..32).contains(&b) {
                (a << b) as u32
            } else {
                0
            };
        }
        BinOp::Shr => a >> b.clamp(0, 31),
        BinOp::Lt => (a < b) as i32,
        BinOp::Le => (a <= b) as i32,
        BinOp::Gt => (a > b) as i32,
        BinOp::Ge => (a >= b) as i32,
        BinOp::And | BinOp::Or | BinOp::Xor | BinOp::Eq | BinOp::Ne | BinOp::Pow => {
            return binary_u32(op, a as u32, b as u32);
        }
    };
    r as u32
}

fn binary_u32(op: BinOp, a: u32, b: u32) -> u32 {
    match op {
        BinOp::Add => a.wrapping_add(b),
        BinOp::Sub => a.wrapping_sub(b),
        BinOp::Mul => a.wrapping_mul(b),
        BinOp::Div => a.checked_div(b).unwrap_or(0),
        BinOp::Rem => a.checked_rem(b).unwrap_or(0),
        BinOp::Min => a.min(b),
        BinOp::Max => a.max(b),
        BinOp::And => a & b,
        BinOp::Or => a | b,
        BinOp::Xor => a ^ b,
        BinOp::Shl => {
            if b < 32 {
                a << b
            } else {
                0
            }
        }
        BinOp::Shr => match b as i32 {
            n @ 0..32 => a >> n,
            n if n < 0 => a,
            _ => 0,
        },
        BinOp::Eq => (a == b) as u32,
        BinOp::Ne => (a != b) as u32,
        BinOp::Lt => (a < b) as u32,
        BinOp::Le => (a <= b) as u32,
        BinOp::Gt => (a > b) as u32,
        BinOp::Ge => (a >= b) as u32,
        BinOp::Pow => 0,
    }
}

/// What the leaves of a block read, for one unit.
pub trait Reads {
    /// Word of a parameter column.
    fn param(&self, i: u16) -> u32;
    /// State before the block.
    fn state(&self, i: u16) -> u32;
    /// Combined arrivals at a port (`or` ports: 0 or 1).
    fn port(&self, i: u16) -> u32;
    /// Value of the event in a handler.
    fn arg(&self) -> u32;
    /// Number of the step.
    fn step(&self) -> u32;
    /// Index in the group.
    fn index(&self) -> u32;
    /// A random word.
    fn rand(&self, site: u16) -> u32;
}

/// Evaluates every instruction of a block for one unit; `values` is cleared and holds one word an instruction.
pub fn run_block(block: &Block, reads: &impl Reads, values: &mut Vec<u32>) {
    values.clear();
    for inst in &block.insts {
        let word = match inst.op {
            Op::Param(i) => reads.param(i),
            Op::State(i) => reads.state(i),
            Op::Port(i) => reads.port(i),
            Op::Arg => reads.arg(),
            Op::Step => reads.step(),
            Op::Index => reads.index(),
            Op::Rand { site } => reads.rand(site),
            _ => pure(&inst.op, &block.insts, |v| values[v as usize]),
        };
        values.push(word);
    }
}

/// An operation whose operands are constants.
pub(crate) fn fold(op: &Op, _ty: Ty, insts: &[Inst]) -> u32 {
    pure(op, insts, |v| match insts[v as usize].op {
        Op::Const(c) => c,
        _ => 0,
    })
}

fn pure(op: &Op, insts: &[Inst], get: impl Fn(Value) -> u32) -> u32 {
    let ty = |v: Value| insts[v as usize].ty;
    match *op {
        Op::Const(c) => c,
        Op::Un(o, a) => unary(o, ty(a), get(a)),
        Op::Bin(o, a, b) => binary(o, ty(a), get(a), get(b)),
        Op::Select(c, a, b) => {
            if get(c) != 0 {
                get(a)
            } else {
                get(b)
            }
        }
        Op::MulShift { a, b, shift, round } => mul_shift(
            get(a),
            ty(a) == Ty::I32,
            get(b),
            ty(b) == Ty::I32,
            shift,
            round,
        ),
        Op::Sat { a, bits } => sat(get(a) as i32, bits) as u32,
        Op::Wrap { a, bits, signed } => wrap(get(a), bits, signed),
        _ => 0,
    }
}
