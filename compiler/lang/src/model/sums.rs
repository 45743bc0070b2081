//! Linear combinations in step code.

use super::code::Writer;
use super::graph::Id;
use super::linear::Affine;
use synfire_ir::model::{BinOp, Op, Ty, UnOp, Value};

impl Writer<'_> {
    /// A sum with few multiplications: values that share a factor are added first.
    pub fn sum(&mut self, a: &Affine) -> Value {
        let mut groups: Vec<(Id, Vec<(Id, bool)>)> = vec![];
        for t in &a.terms {
            match groups.iter_mut().find(|g| g.0 == t.factor) {
                Some(g) => g.1.push((t.value, t.negative)),
                None => groups.push((t.factor, vec![(t.value, t.negative)])),
            }
        }
        let mut parts: Vec<(Value, bool)> = vec![];
        for (factor, mut members) in groups {
            let negative = members.iter().all(|m| m.1);
            members.sort_by_key(|m| m.1 != negative);
            let inner = self.signed_sum(&members, negative);
            let v = if self.graph.real_const(factor) == Some(1.0) {
                inner
            } else {
                let f = self.uniform(factor, None);
                self.put(Op::Bin(BinOp::Mul, f, inner), Ty::F32)
            };
            parts.push((v, negative));
        }
        if parts.is_empty() || self.graph.real_const(a.constant) != Some(0.0) {
            parts.push((self.uniform(a.constant, None), false));
        }
        parts.sort_by_key(|p| p.1);
        let (first, negative) = parts[0];
        let mut all = if negative {
            self.put(Op::Un(UnOp::Neg, first), Ty::F32)
        } else {
            first
        };
        for &(v, negative) in &parts[1..] {
            let op = if negative { BinOp::Sub } else { BinOp::Add };
            all = self.put(Op::Bin(op, all, v), Ty::F32);
        }
        all
    }

    fn signed_sum(&mut self, members: &[(Id, bool)], negative: bool) -> Value {
        let mut all = self.value(members[0].0);
        for &(id, minus) in &members[1..] {
            let v = self.value(id);
            let op = if minus == negative {
                BinOp::Add
            } else {
                BinOp::Sub
            };
            all = self.put(Op::Bin(op, all, v), Ty::F32);
        }
        all
    }
}
