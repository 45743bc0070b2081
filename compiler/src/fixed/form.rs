//! What several instructions make together, and what has a range or an integer form only as a whole.
//!
//! Comes in: a block of float step code. Goes out: for an instruction, the [`Whole`] that ends there, or the [`Approach`] of a state to
//! where its equation rests. A match is made by shape and then proved by numbers: the parts are evaluated at drawn values and must
//! fulfil the identity that the caller builds on. Deliberately absent: algebra.

use super::functions::relaxed;
use super::range::Interval;
use synfire_ir::model::{BinOp, Block, Op, Ty, UnOp, Value};
use synfire_ir::program::Column;

/// Draws at which an identity must hold.
const DRAWS: u32 = 4;
/// Most factors of a product that is looked at.
const FACTORS: usize = 8;

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Whole {
    /// `(e^z - 1) / z`, by a series near 0.
    Relaxation(Value),
    /// `x / (1 - e^-x)`, by a series near 0.
    Rise(Value),
    /// `1 / (1 + e^u)`.
    Falling(Value),
}

impl Whole {
    /// The value that it is a function of.
    pub(super) fn operand(self) -> Value {
        match self {
            Whole::Relaxation(v) | Whole::Rise(v) | Whole::Falling(v) => v,
        }
    }
}

/// `x + h (e^z - 1) / z * rate` with z = h * (slope of `rate` in x): one step of exponential Euler.
#[derive(Clone, Copy, Debug)]
pub(super) struct Approach {
    /// The value before the step.
    pub x: Value,
    /// What is added to it.
    pub change: Value,
    /// The derivative at x.
    pub rate: Value,
    /// See [`Whole::Relaxation`].
    pub z: Value,
}

fn un(b: &Block, v: Value, op: UnOp) -> Option<Value> {
    match b.insts[v as usize].op {
        Op::Un(o, a) if o == op => Some(a),
        _ => None,
    }
}

fn bin(b: &Block, v: Value, op: BinOp) -> Option<(Value, Value)> {
    match b.insts[v as usize].op {
        Op::Bin(o, x, y) if o == op => Some((x, y)),
        _ => None,
    }
}

fn constant(b: &Block, v: Value) -> Option<f64> {
    match b.insts[v as usize] {
        i if i.ty != Ty::F32 => None,
        i => match i.op {
            Op::Const(c) => Some(f32::from_bits(c) as f64),
            _ => None,
        },
    }
}

/// The function that ends at instruction `v`, if one does.
pub(super) fn whole(b: &Block, v: Value) -> Option<Whole> {
    if b.insts[v as usize].ty != Ty::F32 {
        return None;
    }
    if let Some((one, sum)) = bin(b, v, BinOp::Div)
        && constant(b, one) == Some(1.0)
        && let Some((p, q)) = bin(b, sum, BinOp::Add)
    {
        let of = |one: Value, e: Value| match constant(b, one) == Some(1.0) {
            true => un(b, e, UnOp::Exp).map(Whole::Falling),
            false => None,
        };
        return of(p, q).or(of(q, p));
    }
    let Op::Select(c, near, far) = b.insts[v as usize].op else {
        return None;
    };
    let (size, limit) = bin(b, c, BinOp::Lt)?;
    let (x, limit) = (un(b, size, UnOp::Abs)?, constant(b, limit)?);
    let (over, under) = bin(b, far, BinOp::Div)?;
    let found = match bin(b, over, BinOp::Sub) {
        Some((e, one)) if under == x => {
            let fits = un(b, e, UnOp::Exp) == Some(x) && constant(b, one) == Some(1.0);
            fits.then_some(Whole::Relaxation(x))
        }
        _ => {
            let (one, e) = bin(b, under, BinOp::Sub)?;
            let z = un(b, e, UnOp::Exp)?;
            let fits = constant(b, one) == Some(1.0) && un(b, z, UnOp::Neg) == Some(x) && over == x;
            fits.then_some(Whole::Rise(x))
        }
    }?;
    let value = |t: f64| match found {
        Whole::Relaxation(_) => relaxed(Interval::point(t)).low,
        _ => 1.0 / relaxed(Interval::point(-t)).low,
    };
    let holds = [-1.0, -0.4, 0.0, 0.3, 0.9].iter().all(|t| {
        let t = t * limit;
        let all = evaluate(b, &[], near, 0, Some((x, t)));
        (all[near as usize] - value(t)).abs() < 1e-4
    });
    (limit > 0.0 && limit <= 1.0 && holds).then_some(found)
}

/// The step of exponential Euler that ends at instruction `v`, if one does with these parameters.
pub(super) fn approach(b: &Block, params: &[Column], v: Value) -> Option<Approach> {
    let (p, q) = match b.insts[v as usize].ty {
        Ty::F32 => bin(b, v, BinOp::Add)?,
        _ => return None,
    };
    [(p, q), (q, p)].into_iter().find_map(|(x, change)| {
        let factors = factors(b, change)?;
        let z = factors.iter().find_map(|&f| match whole(b, f) {
            Some(Whole::Relaxation(z)) => Some((f, z)),
            _ => None,
        });
        let (relaxation, z) = z?;
        let reads = readers(b, x);
        let mut moving = factors
            .iter()
            .filter(|&&f| f != relaxation && (f == x || reads[f as usize]));
        let (&rate, None) = (moving.next()?, moving.next()) else {
            return None;
        };
        let holds = (0..DRAWS).all(|k| {
            let start = evaluate(b, params, v, k, None);
            let at = |t: f64| evaluate(b, params, v, k, Some((x, t)))[rate as usize];
            let h: f64 = (factors.iter())
                .filter(|&&f| f != relaxation && f != rate)
                .map(|&f| start[f as usize])
                .product();
            let slopes = [at(1.0) - at(0.0), at(2.0) - at(1.0)];
            let z = start[z as usize];
            slopes.iter().all(|s| (h * s - z).abs() <= 1e-5 * z.abs())
        });
        holds.then_some(Approach { x, change, rate, z })
    })
}

/// The factors of a product, if they are few.
fn factors(b: &Block, v: Value) -> Option<Vec<Value>> {
    let (mut open, mut out) = (vec![v], vec![]);
    while let Some(v) = open.pop() {
        match bin(b, v, BinOp::Mul) {
            Some((x, y)) => open.extend([y, x]),
            None => out.push(v),
        }
        if open.len() + out.len() > FACTORS {
            return None;
        }
    }
    Some(out)
}

/// Which instructions read `x`, directly or not.
pub(super) fn readers(b: &Block, x: Value) -> Vec<bool> {
    let mut out = vec![false; b.insts.len()];
    for (i, inst) in b.insts.iter().enumerate().skip(x as usize + 1) {
        out[i] = inst.op.operands().any(|o| o == x || out[o as usize]);
    }
    out
}

/// The instructions that the block's effects need, where a [`Whole`] needs only what it is a function of.
pub(super) fn needed(b: &Block) -> Vec<bool> {
    let mut out = vec![false; b.insts.len()];
    let ends = b.stores.iter().map(|s| s.1).chain(b.emit);
    ends.for_each(|v| out[v as usize] = true);
    for i in (0..b.insts.len()).rev() {
        if !out[i] {
            continue;
        }
        match whole(b, i as Value) {
            Some(f) => out[f.operand() as usize] = true,
            None => b.insts[i]
                .op
                .operands()
                .for_each(|o| out[o as usize] = true),
        }
    }
    out
}

/// The first instructions up to `last` in reals, for one unit's parameters; other leaves are drawn from 1/4 to 5/4 by (`draw`,
/// instruction), and one value is given. What is no arithmetic of reals is no number.
fn evaluate(
    b: &Block,
    params: &[Column],
    last: Value,
    draw: u32,
    given: Option<(Value, f64)>,
) -> Vec<f64> {
    let mut out: Vec<f64> = vec![];
    for (i, inst) in b.insts.iter().enumerate().take(last as usize + 1) {
        let at = |v: Value| out[v as usize];
        let value = match inst.op {
            _ if given.is_some_and(|g| g.0 as usize == i) => given.map_or(f64::NAN, |g| g.1),
            Op::Const(c) if inst.ty == Ty::F32 => f32::from_bits(c) as f64,
            Op::Param(k) if inst.ty == Ty::F32 => {
                let word = params.get(k as usize).map_or(0, |c| match c {
                    Column::Uniform(w) => *w,
                    Column::PerUnit(v) => {
                        v.get(draw as usize % v.len().max(1)).copied().unwrap_or(0)
                    }
                });
                f32::from_bits(word) as f64
            }
            Op::State(_) | Op::Port(_) | Op::Arg => {
                let word = synfire_ir::rng::word(draw as u64, 0, 0, i as u32, 0, 0);
                0.25 + word as f64 / 2f64.powi(32)
            }
            Op::Un(o, a) => unary(o, at(a)),
            Op::Bin(o, a, c) => binary(o, at(a), at(c)),
            Op::Select(c, a, e) => match at(c) != 0.0 {
                true => at(a),
                false => at(e),
            },
            _ => f64::NAN,
        };
        out.push(value);
    }
    out
}

fn unary(o: UnOp, a: f64) -> f64 {
    match o {
        UnOp::Neg => -a,
        UnOp::Abs => a.abs(),
        UnOp::Exp => a.exp(),
        UnOp::Log => a.ln(),
        UnOp::Sqrt => a.sqrt(),
        UnOp::Tanh => a.tanh(),
        UnOp::ToF32 => a,
        UnOp::Not => (a == 0.0) as u8 as f64,
        _ => f64::NAN,
    }
}

fn binary(o: BinOp, a: f64, b: f64) -> f64 {
    let truth = |x: bool| x as u8 as f64;
    match o {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / b,
        BinOp::Min => a.min(b),
        BinOp::Max => a.max(b),
        BinOp::Pow => a.powf(b),
        BinOp::Lt => truth(a < b),
        BinOp::Le => truth(a <= b),
        BinOp::Gt => truth(a > b),
        BinOp::Ge => truth(a >= b),
        _ => f64::NAN,
    }
}
