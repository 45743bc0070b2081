//! Poisson counts in step code.
//!
//! A mean that is known before the run: k = number of entries i with u > T_i for one random word u, where T_i = floor(2^32 P(X <= i)) is a
//! column (clamped to 2^32 - 1, which no word exceeds: a mean of 0 never gives an event). A mean that changes: the same count with the
//! distribution summed up in single precision. Means above [`POISSON_PART`] are split into equal parts, as many as
//! `poisson(mean, most)` asks for; a column whose mean is larger still, or negative, comes out as no number and is refused when it is
//! evaluated, and a changing mean is cut there.

use super::code::Writer;
use super::graph::{Id, Node};
use super::real::{POISSON_ENTRIES, POISSON_PART};
use synfire_ir::model::{BinOp, Op, Ty, UnOp, Value};

impl Writer<'_> {
    /// The count (I32) of `parts` draws that share a mean.
    pub fn poisson(&mut self, mean: Id, parts: u16) -> Value {
        let n = self.graph.real(parts as f64);
        let each = self.graph.div(mean, n);
        let mut count = None;
        if self.graph.uniform(each) {
            let table = self.table(each, parts);
            for _ in 0..parts {
                let word = self.draw();
                for &t in &table {
                    count = Some(self.counted(count, BinOp::Gt, word, t));
                }
            }
        } else {
            let table = self.running(each);
            for _ in 0..parts {
                let word = self.draw();
                let unit = self.put(Op::Un(UnOp::Unit, word), Ty::F32);
                for &t in &table {
                    count = Some(self.counted(count, BinOp::Ge, unit, t));
                }
            }
        }
        count.unwrap_or_else(|| self.put(Op::Const(0), Ty::I32))
    }

    fn counted(&mut self, count: Option<Value>, op: BinOp, draw: Value, threshold: Value) -> Value {
        let above = self.put(Op::Bin(op, draw, threshold), Ty::Bool);
        let one = self.put(Op::Un(UnOp::ToI32, above), Ty::I32);
        match count {
            Some(sum) => self.put(Op::Bin(BinOp::Add, sum, one), Ty::I32),
            None => one,
        }
    }

    /// Thresholds as columns or constants. A mean that is a number needs only the entries that a word can exceed.
    fn table(&mut self, mean: Id, parts: u16) -> Vec<Value> {
        let known = self.graph.real_const(mean);
        let mut out = vec![];
        for k in 0..POISSON_ENTRIES {
            let g = &mut *self.graph;
            let cdf = g.push(Node::Cdf(k, mean), Ty::U32);
            if known.is_some_and(|m| {
                (0.0..=POISSON_PART).contains(&m) && tail(m, k) < f64::powi(2.0, -33)
            }) {
                break;
            }
            let (low, high) = (g.real(0.0), g.real(POISSON_PART));
            let above = g.bin(BinOp::Ge, mean, low);
            let below = g.bin(BinOp::Le, mean, high);
            let inside = g.bin(BinOp::And, above, below);
            let nothing = g.real(f64::NAN);
            let refused = g.un(UnOp::ToU32, nothing);
            let entry = g.select(inside, cdf, refused);
            let most = POISSON_PART * parts as f64;
            let name = format!("poisson_{k}_of_mean_0_to_{most}");
            let column = self.named_column(entry, name);
            out.push(column);
        }
        out
    }

    /// P(X <= k), k = 0, 1, ..., for a mean that changes.
    fn running(&mut self, mean: Id) -> Vec<Value> {
        let g = &mut *self.graph;
        let (low, high) = (g.real(0.0), g.real(POISSON_PART));
        let raised = g.bin(BinOp::Max, mean, low);
        let cut = g.bin(BinOp::Min, raised, high);
        let minus = g.neg(cut);
        let mut term = g.un(UnOp::Exp, minus);
        let mut sum = term;
        let mut all = vec![sum];
        for k in 1..POISSON_ENTRIES {
            let share = g.real(1.0 / k as f64);
            let ratio = g.mul(cut, share);
            term = g.mul(term, ratio);
            sum = g.add(sum, term);
            all.push(sum);
        }
        all.into_iter().map(|id| self.value(id)).collect()
    }
}

/// P(X > k) for X with that mean.
fn tail(mean: f64, k: u16) -> f64 {
    let mut term = (-mean).exp();
    let mut below = term;
    for i in 1..=k {
        term *= mean / i as f64;
        below += term;
    }
    1.0 - below
}
