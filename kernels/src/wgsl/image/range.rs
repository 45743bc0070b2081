//! How large a learned weight can become: an interval analysis of a synapse model's rules.
//!
//! In: a plastic projection. Out: a bound of what its synapses deliver, from the clips that its rules end with; [`None`] where no
//! clip stands in the way of growth. The sums of floats on a GPU are scaled by it.

use synfire_ir::model::{BinOp, Block, Inst, Op, Ty, UnOp};
use synfire_ir::program::{Column, Plastic, Weights};
use synfire_ir::synapse::Synapse;

/// An interval of reals; infinite where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    lo: f64,
    hi: f64,
}

const ANY: Span = Span {
    lo: f64::NEG_INFINITY,
    hi: f64::INFINITY,
};

impl Span {
    fn of(a: f64, b: f64) -> Span {
        match a.is_nan() || b.is_nan() {
            true => ANY,
            false => Span {
                lo: a.min(b),
                hi: a.max(b),
            },
        }
    }
    fn join(self, o: Span) -> Span {
        Span {
            lo: self.lo.min(o.lo),
            hi: self.hi.max(o.hi),
        }
    }
    fn corners(self, o: Span, f: impl Fn(f64, f64) -> f64) -> Span {
        let all = [
            f(self.lo, o.lo),
            f(self.lo, o.hi),
            f(self.hi, o.lo),
            f(self.hi, o.hi),
        ];
        match all.iter().any(|x| x.is_nan()) {
            true => ANY,
            false => all
                .into_iter()
                .map(|x| Span { lo: x, hi: x })
                .reduce(Span::join)
                .unwrap_or(ANY),
        }
    }
}

/// Largest absolute value that a synapse of a plastic projection onto a float port delivers, if that is bounded. `weights` are
/// those at the start.
pub fn delivered(m: &Synapse, x: &Plastic, weights: &Weights) -> Option<f64> {
    let start: Vec<Span> = (0..m.states.len())
        .map(|k| initial(m, x, weights, k))
        .collect();
    let mut states = vec![ANY; m.states.len()];
    // Whatever happens, a state holds what some rule stored under the states known so far.
    for _ in 0..3 {
        let mut next = start.clone();
        for (_, b) in m.blocks() {
            let values = spans(b, m, x, &states);
            for &(s, v) in &b.stores {
                next[s as usize] = next[s as usize].join(values[v as usize]);
            }
        }
        for (span, cell) in next.iter_mut().zip(&m.states) {
            if let (Some(d), Ty::F32) = (cell.decay, cell.width.ty()) {
                let rest = f64::from(f32::from_bits(d.rest));
                *span = span.join(Span::of(rest, rest));
            }
        }
        states = next;
    }
    let values = spans(&m.deliver, m, x, &states);
    let out = values.get(m.deliver.emit? as usize)?;
    let most = out.lo.abs().max(out.hi.abs()) * 1.0001;
    most.is_finite().then_some(most)
}

fn initial(m: &Synapse, x: &Plastic, weights: &Weights, k: usize) -> Span {
    if m.states[k].width.ty() != Ty::F32 {
        return ANY;
    }
    let of = |w: u32| f64::from(f32::from_bits(w));
    let all = |words: &mut dyn Iterator<Item = u32>| {
        let spans = words.map(|w| Span::of(of(w), of(w)));
        spans.reduce(Span::join).unwrap_or(Span::of(0.0, 0.0))
    };
    match k.checked_sub(1) {
        None => match weights.count() {
            None => all(&mut std::iter::once(weights.bits(0))),
            Some(n) => all(&mut (0..n).map(|i| weights.bits(i))),
        },
        Some(k) => match x.init.get(k) {
            Some(Column::Uniform(w)) => all(&mut std::iter::once(*w)),
            Some(Column::PerUnit(v)) => all(&mut v.iter().copied()),
            None => ANY,
        },
    }
}

fn spans(b: &Block, m: &Synapse, x: &Plastic, states: &[Span]) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(b.insts.len());
    for inst in &b.insts {
        let span = span(inst, b, &out, (m, x), states);
        out.push(span);
    }
    out
}

fn span(
    inst: &Inst,
    b: &Block,
    known: &[Span],
    (m, x): (&Synapse, &Plastic),
    states: &[Span],
) -> Span {
    let k = |v: u32| known[v as usize];
    let ty = |v: u32| b.insts[v as usize].ty;
    let word = |w: u32| {
        let f = f64::from(f32::from_bits(w));
        Span::of(f, f)
    };
    match inst.op {
        Op::Un(UnOp::ToF32, a) if ty(a) == Ty::Bool => Span::of(0.0, 1.0),
        _ if inst.ty != Ty::F32 => ANY,
        Op::Const(c) => word(c),
        Op::Param(i) => x.params.get(i as usize).map_or(ANY, |&w| word(w)),
        Op::State(i) if (i as usize) < m.states.len() => states[i as usize],
        Op::Select(_, a, c) => k(a).join(k(c)),
        Op::Un(UnOp::Unit, _) => Span::of(0.0, 1.0),
        Op::Un(UnOp::Sin | UnOp::Cos | UnOp::Tanh | UnOp::Sign, _) => Span::of(-1.0, 1.0),
        Op::Un(UnOp::Neg, a) => Span::of(-k(a).lo, -k(a).hi),
        Op::Un(UnOp::Abs, a) => {
            let most = k(a).lo.abs().max(k(a).hi.abs());
            Span::of(0.0, most)
        }
        Op::Bin(o, a, c) => binary(o, k(a), k(c)),
        _ => ANY,
    }
}

fn binary(o: BinOp, a: Span, c: Span) -> Span {
    match o {
        BinOp::Add => Span::of(a.lo + c.lo, a.hi + c.hi),
        BinOp::Sub => Span::of(a.lo - c.hi, a.hi - c.lo),
        BinOp::Mul => a.corners(c, |x, y| x * y),
        // A NaN operand gives the other one, so that of two operands either may come through.
        BinOp::Min => clip(a, c, f64::min),
        BinOp::Max => clip(a, c, f64::max),
        _ => ANY,
    }
}

/// The smaller or larger of two: what is known may have been a NaN only where nothing is known.
fn clip(a: Span, c: Span, f: impl Fn(f64, f64) -> f64) -> Span {
    let of = |a: Span, c: Span| Span {
        lo: f(a.lo, c.lo),
        hi: f(a.hi, c.hi),
    };
    match (a == ANY, c == ANY) {
        (true, false) => of(a, c).join(c),
        (false, true) => of(a, c).join(a),
        _ => of(a, c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synfire_ir::model::{BlockBuilder, Width};
    use synfire_ir::synapse::{Action, Cell, Place};

    fn learning(clipped: bool) -> Synapse {
        let mut b = BlockBuilder::new();
        let w = b.push(Op::State(0), Ty::F32);
        let more = b.f32(0.1);
        let mut v = b.bin(BinOp::Add, w, more);
        if clipped {
            let (lo, hi) = (b.f32(-0.5), b.f32(2.0));
            v = b.bin(BinOp::Min, v, hi);
            v = b.bin(BinOp::Max, v, lo);
        }
        b.store(0, v);
        let synapse = b.finish();
        let mut b = BlockBuilder::new();
        let w = b.push(Op::State(0), Ty::F32);
        let three = b.f32(3.0);
        let v = b.bin(BinOp::Mul, w, three);
        b.emit(v);
        Synapse {
            states: vec![Cell {
                name: "w".into(),
                width: Width::F32,
                place: Place::Synapse,
                decay: None,
            }],
            deliver: b.finish(),
            pre: Action {
                synapse,
                ..Action::default()
            },
            ..Synapse::default()
        }
    }

    #[test]
    fn a_clip_bounds_what_is_delivered() {
        let x = Plastic {
            projection: 0,
            synapse: 0,
            base: 0,
            post_delay: 0,
            params: vec![],
            init: vec![],
            modulators: vec![],
        };
        let w = Weights::F32(vec![0.0, 1.0].into());
        let most = delivered(&learning(true), &x, &w).expect("it is clipped");
        assert!((6.0..6.01).contains(&most), "{most}");
        let w = Weights::F32(vec![-5.0, 1.0].into());
        assert!(delivered(&learning(true), &x, &w).is_some_and(|m| m >= 15.0));
        assert_eq!(delivered(&learning(false), &x, &w), None);
    }
}
