//! Finds the shapes of [`super::fused`] in straight-line code.
//!
//! In: instructions whose operands are instructions before them. Out: the same results, some of them by fused operations
//! that read past the instructions between; those that nothing reads any more are dropped later, by allocation.
//! Invariant: the bits of every result that is kept are those of the single operations.

use super::fused::{Kind, Sum, TERMS, Term, Threshold, plain};
use super::kernel::{LaneOp, Src};
use synfire_ir::model::{BinOp, Block, Inst, Op, Ty, UnOp};

/// Fuses what can be fused. `uniform` holds the scalars, `kept` the results that are stored or emitted.
pub(crate) fn fuse(code: &mut Vec<LaneOp>, uniform: &mut Block, kept: &mut [&mut Src]) {
    for i in 0..code.len() {
        if let Some(sum) = sum(code, uniform, i) {
            code[i] = LaneOp::Sum(sum);
        }
    }
    let mut i = 0;
    while i < code.len() {
        match threshold(code, uniform, i) {
            Some(found) => {
                place(code, kept, i, found);
                i += 3;
            }
            None => i += 1,
        }
    }
}

fn constant(uniform: &Block, src: Src) -> Option<u32> {
    match src {
        Src::Scalar(i) => match uniform.insts[i as usize].op {
            Op::Const(c) => Some(c),
            _ => None,
        },
        _ => None,
    }
}

/// Bits of a shift by a constant, as the operation clamps them.
fn shift(uniform: &Block, src: Src) -> Option<u8> {
    Some((constant(uniform, src)? as i32).clamp(0, 31) as u8)
}

fn one(kind: Kind, src: Src, scale: u32, shifts: (u8, u8)) -> Sum {
    let term = Term { src, scale, shifts };
    Sum {
        terms: [term; TERMS],
        count: 1,
        last: None,
        kind,
    }
}

/// A result that may be part of a sum, as one.
fn part(code: &[LaneOp], uniform: &Block, src: Src) -> Option<Sum> {
    let Src::Reg(i) = src else { return None };
    match code[i as usize] {
        LaneOp::Sum(sum) => Some(sum),
        LaneOp::Bin(BinOp::Mul, Ty::F32, Src::Scalar(s), x)
        | LaneOp::Bin(BinOp::Mul, Ty::F32, x, Src::Scalar(s)) => {
            Some(one(Kind::Float, x, s, (0, 0)))
        }
        LaneOp::MulShift(p, Src::Scalar(s), x) | LaneOp::MulShift(p, x, Src::Scalar(s))
            if plain(p) =>
        {
            Some(one(Kind::Scaled, x, s, (p.shift, 0)))
        }
        LaneOp::Bin(BinOp::Shr, Ty::I32, x, by) => {
            let by = shift(uniform, by)?;
            match part(code, uniform, x) {
                Some(p) if p.kind == Kind::Scaled && p.count == 1 && p.last.is_none() => {
                    let term = p.terms[0];
                    // Two shifts of a word are one of their sum, but for what lies beyond its sign.
                    let after = (term.shifts.1 + by).min(31);
                    Some(one(
                        Kind::Scaled,
                        term.src,
                        term.scale,
                        (term.shifts.0, after),
                    ))
                }
                _ => Some(one(Kind::Shifted, x, 0, (0, by))),
            }
        }
        _ => None,
    }
}

/// The sum that instruction `i` computes.
fn sum(code: &[LaneOp], uniform: &mut Block, i: usize) -> Option<Sum> {
    match code[i] {
        LaneOp::Bin(BinOp::Add, Ty::F32, a, b) => {
            let (x, y) = (part(code, uniform, a), part(code, uniform, b));
            match (x, y, a, b) {
                (Some(x), None, _, Src::Scalar(s)) | (None, Some(x), Src::Scalar(s), _) => {
                    last(x, s)
                }
                (Some(x), Some(y), ..) => joined(x, y).or_else(|| joined(y, x)),
                // An operand as it is: 1 times it.
                (Some(y), None, _, x @ (Src::Reg(_) | Src::Leaf(_)))
                | (None, Some(y), x @ (Src::Reg(_) | Src::Leaf(_)), _)
                    if y.count == 1 && y.last.is_none() =>
                {
                    uniform.insts.push(Inst {
                        op: Op::Const(1f32.to_bits()),
                        ty: Ty::F32,
                    });
                    let unit = uniform.insts.len() as u32 - 1;
                    joined(one(Kind::Float, x, unit, (0, 0)), y)
                }
                _ => None,
            }
        }
        LaneOp::Bin(BinOp::Add, Ty::I32, a, b) => {
            match (part(code, uniform, a), part(code, uniform, b), a, b) {
                (Some(x), None, _, Src::Scalar(s)) | (None, Some(x), Src::Scalar(s), _) => {
                    last(x, s)
                }
                (Some(x), Some(y), ..) => joined(x, y).or_else(|| joined(y, x)),
                (Some(y), None, _, x @ (Src::Reg(_) | Src::Leaf(_)))
                | (None, Some(y), x @ (Src::Reg(_) | Src::Leaf(_)), _)
                    if y.kind == Kind::Shifted =>
                {
                    joined(one(Kind::Shifted, x, 0, (0, 0)), y)
                }
                _ => None,
            }
        }
        LaneOp::MulShift(p, ..) if plain(p) => part(code, uniform, Src::Reg(i as u32)),
        _ => None,
    }
}

fn last(mut sum: Sum, scalar: u32) -> Option<Sum> {
    (sum.last.is_none() && sum.kind != Kind::Shifted).then(|| {
        sum.last = Some(scalar);
        sum
    })
}

/// `a + b`, where `b` is a single term: the order of a float sum stays as it is.
fn joined(mut a: Sum, b: Sum) -> Option<Sum> {
    let fits = a.kind == b.kind && (a.count as usize) < TERMS && b.count == 1;
    (fits && a.last.is_none() && b.last.is_none()).then(|| {
        a.terms[a.count as usize] = b.terms[0];
        a.count += 1;
        a
    })
}

/// A threshold whose spikes are instruction `i`, and the instructions of the value and the countdown.
fn threshold(code: &[LaneOp], uniform: &Block, i: usize) -> Option<(Threshold, usize, usize)> {
    let of = |s: Src| match s {
        Src::Reg(r) => Some(code[r as usize]),
        _ => None,
    };
    let LaneOp::Bin(BinOp::And, Ty::Bool, a, b) = code[i] else {
        return None;
    };
    let (held, over) = match (of(a)?, of(b)?) {
        (LaneOp::Un(UnOp::Not, Ty::Bool, held), over) => (held, over),
        (over, LaneOp::Un(UnOp::Not, Ty::Bool, held)) => (held, over),
        _ => return None,
    };
    let LaneOp::Bin(BinOp::Gt, Ty::I32, count, Src::Scalar(none)) = of(held)? else {
        return None;
    };
    let (strict, float, x, bound) = match over {
        LaneOp::Bin(o @ (BinOp::Gt | BinOp::Ge), ty, x, Src::Scalar(bound)) => match ty {
            Ty::F32 => (o == BinOp::Gt, true, x, bound),
            Ty::I32 => (o == BinOp::Gt, false, x, bound),
            _ => return None,
        },
        _ => return None,
    };
    let LaneOp::Select(c, old, new) = of(x)? else {
        return None;
    };
    if c != held || matches!(old, Src::Scalar(_)) || matches!(new, Src::Scalar(_)) {
        return None;
    }
    let shifted = |s: Src| match of(s) {
        Some(LaneOp::Bin(BinOp::Shr, Ty::I32, x @ (Src::Reg(_) | Src::Leaf(_)), by)) => {
            Some((x, shift(uniform, by)?))
        }
        _ => None,
    };
    let (old, new, inner) = match (shifted(old), shifted(new)) {
        (Some((a, n)), Some((b, m))) if n == m && !float => (a, b, n),
        _ => (old, new, 0),
    };
    let spike = Src::Reg(i as u32);
    let later = i + 1..code.len();
    let (reset, value) = later.clone().find_map(|k| match code[k] {
        LaneOp::Select(c, Src::Scalar(reset), y) if c == spike && y == x => Some((reset, k)),
        _ => None,
    })?;
    let chosen = later.clone().find_map(|k| match code[k] {
        LaneOp::Select(c, Src::Scalar(long), Src::Scalar(rest)) if c == spike => {
            Some((k, long, rest))
        }
        _ => None,
    })?;
    let (less, countdown) = later.clone().find_map(|k| match code[k] {
        LaneOp::Select(c, a, b) if c == held && b == Src::Reg(chosen.0 as u32) => match of(a)? {
            LaneOp::Bin(BinOp::Sub, Ty::I32, r, Src::Scalar(less)) if r == count => Some((less, k)),
            _ => None,
        },
        _ => None,
    })?;
    let mut t = Threshold {
        float,
        strict,
        count,
        old,
        new,
        scalars: [none, bound, reset, less, chosen.1, chosen.2],
        clip: None,
        inner,
        outer: 0,
    };
    let value = match float {
        true => value,
        false => narrowed(code, uniform, value, &mut t),
    };
    Some((t, value, countdown))
}

/// Takes in the clip and the shift that bring a value back to the scale of its state.
fn narrowed(code: &[LaneOp], uniform: &Block, value: usize, t: &mut Threshold) -> usize {
    let reader = |of: usize, f: &dyn Fn(&LaneOp) -> Option<Src>| {
        (of + 1..code.len()).find_map(|k| Some((k, f(&code[k])?)))
    };
    let by = |op: BinOp, from: usize| {
        reader(from, &move |c| match *c {
            LaneOp::Bin(o, Ty::I32, x, s) if o == op && x == Src::Reg(from as u32) => Some(s),
            _ => None,
        })
    };
    let mut value = value;
    if let Some((k, Src::Scalar(most))) = by(BinOp::Min, value)
        && let Some((k, Src::Scalar(least))) = by(BinOp::Max, k)
    {
        t.clip = Some((least, most));
        value = k;
    }
    if let Some((k, s)) = by(BinOp::Shl, value)
        && let Some(n) = constant(uniform, s).filter(|n| *n < 32)
    {
        t.outer = n as u8;
        value = k;
    }
    value
}

/// Puts the three results of a threshold in place of instruction `i`; later operands follow them.
fn place(
    code: &mut Vec<LaneOp>,
    kept: &mut [&mut Src],
    i: usize,
    (t, value, countdown): (Threshold, usize, usize),
) {
    let to = |r: usize| match r {
        _ if r == value => i + 1,
        _ if r == countdown => i + 2,
        _ if r > i => r + 2,
        _ => r,
    };
    let moved = |s: Src| match s {
        Src::Reg(r) => Src::Reg(to(r as usize) as u32),
        other => other,
    };
    let rest: Vec<LaneOp> = code.drain(i + 1..).map(|op| op.map(moved)).collect();
    code[i] = LaneOp::Threshold(t, 0);
    code.extend([LaneOp::Threshold(t, 1), LaneOp::Threshold(t, 2)]);
    code.extend(rest);
    kept.iter_mut().for_each(|s| **s = moved(**s));
}
