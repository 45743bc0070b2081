//! How large an emitted payload can be: an interval analysis of a step block.
//!
//! Fixed-point sums of floats need a bound of what arrives; a spike's payload is 1, and most graded ones are cut off by
//! their own model. What cannot be bounded counts as the whole range of I32.

use synfire_ir::model::{BinOp, Block, Inst, Op, Ty, UnOp};

/// An interval of the signed values of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    lo: i64,
    hi: i64,
}

const ANY: Interval = Interval {
    lo: i32::MIN as i64,
    hi: i32::MAX as i64,
};

/// Largest absolute value of the payload that a block emits; 0 when it emits nothing.
pub fn bound(b: &Block) -> u32 {
    let Some(v) = b.emit else { return 0 };
    let mut known: Vec<Interval> = Vec::with_capacity(b.insts.len());
    for inst in &b.insts {
        let x = interval(inst, b, &known);
        known.push(x);
    }
    let x = known[v as usize];
    x.lo.unsigned_abs().max(x.hi.unsigned_abs()) as u32
}

fn interval(inst: &Inst, b: &Block, known: &[Interval]) -> Interval {
    if inst.ty == Ty::F32 {
        return ANY;
    }
    let k = |v: u32| known[v as usize];
    let ty = |v: u32| b.insts[v as usize].ty;
    let found = match inst.op {
        Op::Const(c) => point(c as i32 as i64),
        Op::Un(UnOp::ToI32 | UnOp::ToU32, a) if ty(a) != Ty::F32 => k(a),
        Op::Un(UnOp::ToBool, _) => span(0, 1),
        Op::Un(UnOp::Sign, _) => span(-1, 1),
        Op::Un(UnOp::Neg, a) => span(-k(a).hi, -k(a).lo),
        Op::Un(UnOp::Not, a) if ty(a) == Ty::Bool => span(0, 1),
        Op::Select(_, a, c) => span(k(a).lo.min(k(c).lo), k(a).hi.max(k(c).hi)),
        Op::Sat { bits, .. } => signed(bits),
        Op::Wrap {
            bits, signed: true, ..
        } => signed(bits),
        Op::Wrap { bits, .. } if bits < 32 => span(0, (1 << bits) - 1),
        Op::Bin(o, a, c) if ty(a) == Ty::I32 => binary(o, k(a), k(c)),
        Op::Bin(BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge, _, _) => {
            span(0, 1)
        }
        Op::Port(_) if inst.ty == Ty::Bool => span(0, 1),
        _ => ANY,
    };
    if found.lo < ANY.lo || found.hi > ANY.hi {
        ANY
    } else {
        found
    }
}

fn binary(o: BinOp, a: Interval, c: Interval) -> Interval {
    match o {
        BinOp::Add => span(a.lo + c.lo, a.hi + c.hi),
        BinOp::Sub => span(a.lo - c.hi, a.hi - c.lo),
        BinOp::Mul => {
            let all = [a.lo * c.lo, a.lo * c.hi, a.hi * c.lo, a.hi * c.hi];
            span(
                all.into_iter().min().unwrap_or(ANY.lo),
                all.into_iter().max().unwrap_or(ANY.hi),
            )
        }
        BinOp::Min => span(a.lo.min(c.lo), a.hi.min(c.hi)),
        BinOp::Max => span(a.lo.max(c.lo), a.hi.max(c.hi)),
        BinOp::And if a.lo >= 0 => span(0, a.hi),
        BinOp::And if c.lo >= 0 => span(0, c.hi),
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => span(0, 1),
        _ => ANY,
    }
}

fn point(x: i64) -> Interval {
    span(x, x)
}

fn span(lo: i64, hi: i64) -> Interval {
    Interval { lo, hi }
}

fn signed(bits: u8) -> Interval {
    let top = 1i64 << (bits.clamp(1, 32) - 1);
    span(-top, top - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use synfire_ir::model::BlockBuilder;

    #[test]
    fn spikes_and_counts_are_bounded() {
        let mut b = BlockBuilder::new();
        let v = b.push(Op::State(0), Ty::I32);
        let top = b.i32(31);
        let zero = b.i32(0);
        let n = b.bin(BinOp::Min, v, top);
        let n = b.bin(BinOp::Max, n, zero);
        b.emit(n);
        assert_eq!(bound(&b.finish()), 31);

        let mut b = BlockBuilder::new();
        let v = b.push(Op::State(0), Ty::I32);
        let one = b.i32(1);
        let c = b.bin(BinOp::Gt, v, one);
        let e = b.un(UnOp::ToI32, c);
        b.emit(e);
        assert_eq!(bound(&b.finish()), 1);

        let mut b = BlockBuilder::new();
        let v = b.push(Op::State(0), Ty::I32);
        b.emit(v);
        assert_eq!(bound(&b.finish()), 1 << 31);
    }
}
