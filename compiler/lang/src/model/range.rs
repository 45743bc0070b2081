//! Ranges of integer values, to know which stores can leave the width of their state.
//!
//! Comes in: an operation and the ranges of its operands. Goes out: a range that holds every result, wrapping included.

use synfire_ir::model::{BinOp, Op, Round, Ty, UnOp, Value};

/// Smallest and largest value.
pub type Range = (i64, i64);

/// All values of a type.
pub fn full(ty: Ty) -> Range {
    match ty {
        Ty::Bool => (0, 1),
        Ty::U32 => (0, u32::MAX as i64),
        _ => (i32::MIN as i64, i32::MAX as i64),
    }
}

/// Range of an operation's result of type `ty`; `at` gives range and type of an operand.
pub fn of(op: &Op, ty: Ty, at: impl Fn(Value) -> (Range, Ty)) -> Range {
    let fits = |r: (i128, i128)| {
        let all = full(ty);
        if r.0 >= all.0 as i128 && r.1 <= all.1 as i128 {
            (r.0 as i64, r.1 as i64)
        } else {
            all
        }
    };
    match *op {
        Op::Const(c) => {
            let v = if ty == Ty::I32 {
                c as i32 as i64
            } else {
                c as i64
            };
            (v, v)
        }
        Op::Un(o, a) => unary(o, ty, at(a), &fits),
        Op::Bin(o, a, b) => binary(o, ty, at(a).0, at(b).0, &fits),
        Op::Select(_, a, b) => {
            let (x, y) = (at(a).0, at(b).0);
            (x.0.min(y.0), x.1.max(y.1))
        }
        Op::MulShift { a, b, shift, round } => {
            let down = |p: i128| match round {
                Round::Floor => p >> shift,
                Round::Zero => p / (1i128 << shift),
            };
            let p = corners(at(a).0, at(b).0);
            fits((down(p.0), down(p.1)))
        }
        Op::Sat { a, bits } => {
            let top = (1i64 << (bits - 1)) - 1;
            let r = at(a).0;
            (r.0.clamp(-top - 1, top), r.1.clamp(-top - 1, top))
        }
        Op::Wrap { a, bits, signed } => {
            let all = if signed {
                (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1)
            } else {
                (0, (1i64 << bits) - 1)
            };
            let r = at(a).0;
            if r.0 >= all.0 && r.1 <= all.1 { r } else { all }
        }
        _ => full(ty),
    }
}

fn corners(a: Range, b: Range) -> (i128, i128) {
    let p = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)].map(|(x, y)| x as i128 * y as i128);
    (
        p.iter().copied().fold(p[0], i128::min),
        p.iter().copied().fold(p[0], i128::max),
    )
}

fn unary(o: UnOp, ty: Ty, (r, from): (Range, Ty), fits: &dyn Fn((i128, i128)) -> Range) -> Range {
    let wide = (r.0 as i128, r.1 as i128);
    match o {
        UnOp::Neg => fits((-wide.1, -wide.0)),
        UnOp::Abs if r.0 >= 0 => r,
        UnOp::Abs => fits((0, wide.1.max(-wide.0))),
        UnOp::Sign => (r.0.signum(), r.1.signum()),
        UnOp::ToI32 | UnOp::ToU32 if from != Ty::F32 => fits(wide),
        _ => full(ty),
    }
}

fn binary(o: BinOp, ty: Ty, a: Range, b: Range, fits: &dyn Fn((i128, i128)) -> Range) -> Range {
    let (p, q) = ((a.0 as i128, a.1 as i128), (b.0 as i128, b.1 as i128));
    match o {
        BinOp::Add => fits((p.0 + q.0, p.1 + q.1)),
        BinOp::Sub => fits((p.0 - q.1, p.1 - q.0)),
        BinOp::Mul => fits(corners(a, b)),
        BinOp::Min => (a.0.min(b.0), a.1.min(b.1)),
        BinOp::Max => (a.0.max(b.0), a.1.max(b.1)),
        BinOp::Div if a.0 >= 0 && b.0 >= 0 => (0, a.1),
        BinOp::Shl if b.0 == b.1 && (0..32).contains(&b.0) => fits((p.0 << b.0, p.1 << b.0)),
        BinOp::Shr if b.0 == b.1 && (0..32).contains(&b.0) => (a.0 >> b.0, a.1 >> b.0),
        // A shift down brings a value nearer to 0 or -1.
        BinOp::Shr => (a.0.min(0), a.1.max(-1)),
        BinOp::And if a.0 >= 0 && b.0 >= 0 => (0, a.1.min(b.1)),
        BinOp::And if a.0 >= 0 => (0, a.1),
        BinOp::And if b.0 >= 0 => (0, b.1),
        BinOp::Or | BinOp::Xor if a.0 >= 0 && b.0 >= 0 => {
            (0, (a.1.max(b.1) as u64 + 1).next_power_of_two() as i64 - 1)
        }
        _ => full(ty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synfire_ir::eval;

    /// Every result of every operation lies in its range, over values at and near the ends of the operands' ranges.
    #[test]
    fn ranges_hold_all_results() {
        let ops = [
            BinOp::Add,
            BinOp::Sub,
            BinOp::Mul,
            BinOp::Div,
            BinOp::Rem,
            BinOp::Min,
            BinOp::Max,
            BinOp::And,
            BinOp::Or,
            BinOp::Xor,
            BinOp::Shl,
            BinOp::Shr,
        ];
        let ends = [i32::MIN, -70_000, -129, -1, 0, 1, 3, 40, 300, i32::MAX];
        for (i, &a0) in ends.iter().enumerate() {
            for &a1 in &ends[i..] {
                for (j, &b0) in ends.iter().enumerate() {
                    for &b1 in &ends[j..] {
                        let at = |v: Value| {
                            let r = if v == 0 { (a0, a1) } else { (b0, b1) };
                            ((r.0 as i64, r.1 as i64), Ty::I32)
                        };
                        for o in ops {
                            let r = of(&Op::Bin(o, 0, 1), Ty::I32, at);
                            for x in [a0, a1, a0.midpoint(a1)] {
                                for y in [b0, b1, b0.midpoint(b1)] {
                                    let z = eval::binary(o, Ty::I32, x as u32, y as u32) as i32;
                                    assert!(
                                        r.0 <= z as i64 && z as i64 <= r.1,
                                        "{o:?} {x} {y} = {z} outside {r:?}"
                                    );
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
