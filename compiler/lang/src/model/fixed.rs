//! Operators and functions of models that compute in fixed-width integers.
//!
//! Every intermediate has 32 bits and wraps. Values of `u32` are unsigned, all others signed; a sum, product or bit operation of both
//! gives a signed value (the bits are the same), a comparison of both is an error, because its meaning would hang on the reading.

use super::elaborate::{Elaborator, Typed};
use super::graph::{Id, Node};
use super::real::{Function, names as real_names, plain};
use super::report;
use super::types::Type;
use crate::syntax::tree::{BinaryOp, Name};
use synfire_ir::diag::Span;
use synfire_ir::model::{BinOp, Round, Ty, UnOp};

/// Names of the functions that only fixed-width models have.
pub const NAMES: &[&str] = &[
    "sat",
    "wrap",
    "mul_shift",
    "mul_shift_rtz",
    "round_shift",
    "trunc_div",
    "rand_u32",
];

const FUNCTIONS: &[Function] = &[
    ("sat", 2, 2, "sat(x, bits)"),
    ("wrap", 2, 2, "wrap(x, bits)"),
    ("mul_shift", 3, 3, "mul_shift(a, b, shift)"),
    ("mul_shift_rtz", 3, 3, "mul_shift_rtz(a, b, shift)"),
    ("round_shift", 2, 2, "round_shift(x, shift)"),
    ("trunc_div", 2, 2, "trunc_div(a, b)"),
    ("min", 2, 16, "min(a, b)"),
    ("max", 2, 16, "max(a, b)"),
    ("abs", 1, 1, "abs(x)"),
    ("sign", 1, 1, "sign(x)"),
    ("clip", 3, 3, "clip(x, low, high)"),
    ("where", 3, 3, "where(condition, a, b)"),
    ("rand_u32", 0, 0, "rand_u32()"),
];

impl Elaborator<'_, '_> {
    /// An operator on two integers.
    pub fn fixed_binary(
        &mut self,
        op: BinaryOp,
        at: Span,
        x: Typed,
        y: Typed,
        span: Span,
    ) -> Typed {
        let typed = |id, ty| Typed { id, ty, span };
        match op {
            BinaryOp::Div => {
                let hint = "`trunc_div(a, b)` divides towards zero, `>>` by a power of two";
                let d = report::other_arithmetic(at, "`/`", true, hint);
                self.fail(span, d)
            }
            BinaryOp::Pow => {
                let d = report::other_arithmetic(at, "`^`", true, "multiply, or shift with `<<`");
                self.fail(span, d)
            }
            BinaryOp::Shl | BinaryOp::Shr => {
                let count = self.signed(y);
                typed(self.graph.bin(plain(op), x.id, count), x.ty)
            }
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::BitAnd | BinaryOp::Xor => {
                let (x, y) = self.literal_sign(x, y);
                if x.ty == y.ty {
                    return typed(self.graph.bin(plain(op), x.id, y.id), x.ty);
                }
                let (p, q) = (self.signed(x), self.signed(y));
                typed(self.graph.bin(plain(op), p, q), Type::I32)
            }
            _ => {
                let what = format!("`{}`", op.text());
                let Some((x, y)) = self.same_sign(&what, x, y, span) else {
                    return self.unknown(span);
                };
                typed(self.graph.bin(plain(op), x.id, y.id), Type::Bool)
            }
        }
    }

    /// The same bits, read as signed.
    pub fn signed(&mut self, t: Typed) -> Id {
        self.graph.un(UnOp::ToI32, t.id)
    }

    /// A constant takes the sign of the value that it meets, if it fits.
    fn literal_sign(&mut self, x: Typed, y: Typed) -> (Typed, Typed) {
        let adapt = |e: &mut Self, t: Typed, to: Type| match e.graph.word_const(t.id) {
            Some(w) if t.ty != to && matches!(to, Type::I32 | Type::U32) && w as i32 >= 0 => {
                Typed {
                    id: e.graph.word(w, to.ty()),
                    ty: to,
                    ..t
                }
            }
            _ => t,
        };
        if self.graph.word_const(x.id).is_some() {
            (adapt(self, x, y.ty), y)
        } else {
            (x, adapt(self, y, x.ty))
        }
    }

    /// Two values of one type, constants adapted; reports mixed signs and kinds.
    pub fn same_sign(
        &mut self,
        what: &str,
        x: Typed,
        y: Typed,
        span: Span,
    ) -> Option<(Typed, Typed)> {
        let (x, y) = self.literal_sign(x, y);
        if x.ty == y.ty && !matches!(x.ty, Type::Choice(_)) {
            return Some((x, y));
        }
        self.diags.push(report::dimensions(
            what,
            span,
            (x.span, x.ty),
            (y.span, y.ty),
        ));
        None
    }

    /// A function call.
    pub fn fixed_call(&mut self, name: &Name, args: &[Typed], span: Span) -> Typed {
        let others: Vec<&str> = real_names().collect();
        if !self.arity(FUNCTIONS, &others, name, args.len(), span)
            || args.iter().any(|a| a.ty == Type::Unknown)
        {
            return self.unknown(span);
        }
        let text = name.as_str();
        if text == "where" {
            return self.where_(args[0], args[1], args[2], span);
        }
        if let Some(bad) = args.iter().find(|a| !matches!(a.ty, Type::I32 | Type::U32)) {
            let d = report::wrong_kind(bad.span, "an integer", bad.ty);
            return self.fail(span, d);
        }
        let signed = |id| Typed {
            id,
            ty: Type::I32,
            span,
        };
        match text {
            "rand_u32" => {
                let n = self.next_draw(span);
                Typed {
                    id: self.graph.push(Node::Draw(n), Ty::U32),
                    ty: Type::U32,
                    span,
                }
            }
            "sat" => signed(self.sat(args[0], args[1])),
            "wrap" => signed(self.wrap(args[0], args[1])),
            "mul_shift" => self.mul_shift(args, Round::Floor, span),
            "mul_shift_rtz" => self.mul_shift(args, Round::Zero, span),
            "round_shift" => self.round_shift(args[0], args[1], span),
            "trunc_div" => match self.same_sign("`trunc_div`", args[0], args[1], span) {
                Some((x, y)) => Typed {
                    id: self.graph.bin(BinOp::Div, x.id, y.id),
                    ty: x.ty,
                    span,
                },
                None => self.unknown(span),
            },
            "abs" | "sign" => {
                let op = if text == "abs" { UnOp::Abs } else { UnOp::Sign };
                Typed {
                    id: self.graph.un(op, args[0].id),
                    ty: args[0].ty,
                    span,
                }
            }
            _ => self.integer_bounds(text, args, span),
        }
    }

    fn integer_bounds(&mut self, text: &str, args: &[Typed], span: Span) -> Typed {
        let mut list = vec![args[0]];
        for &a in &args[1..] {
            let Some((x, y)) = self.same_sign(&format!("`{text}`"), list[0], a, span) else {
                return self.unknown(span);
            };
            list[0] = x;
            list.push(y);
        }
        let ty = list[list.len() - 1].ty;
        for t in &mut list {
            if t.ty != ty {
                *t = self.literal_sign(*t, Typed { ty, ..*t }).0;
            }
        }
        if let Some(odd) = list.iter().find(|t| t.ty != ty) {
            let d = report::dimensions(
                &format!("`{text}`"),
                span,
                (list[0].span, list[0].ty),
                (odd.span, ty),
            );
            return self.fail(span, d);
        }
        let ids: Vec<Id> = list.iter().map(|t| t.id).collect();
        Typed {
            id: self.min_max(text, &ids),
            ty,
            span,
        }
    }

    /// The value of an argument that must be a constant in a range.
    fn constant(&mut self, t: Typed, what: &str, low: i64, high: i64) -> Option<i64> {
        let value = self.graph.word_const(t.id).map(|w| match t.ty {
            Type::U32 => w as i64,
            _ => w as i32 as i64,
        });
        match value {
            Some(v) if (low..=high).contains(&v) => Some(v),
            _ => {
                let d = report::constant(
                    t.span,
                    what,
                    &format!("a whole number from {low} to {high}"),
                );
                self.diags.push(d);
                None
            }
        }
    }

    /// Constant widths are checked; others are computed with shifts: the largest value of `k` bits is `(1 << (k - 1)) - 1`.
    fn sat(&mut self, x: Typed, bits: Typed) -> Id {
        let a = self.signed(x);
        if self.graph.word_const(bits.id).is_some() {
            return match self.constant(bits, "the width of `sat`", 1, 32) {
                Some(k) => self.graph.push(Node::Sat(a, k as u8), Ty::I32),
                None => a,
            };
        }
        let k = self.signed(bits);
        let g = &mut self.graph;
        let one = g.word(1, Ty::I32);
        let less = g.bin(BinOp::Sub, k, one);
        let half = g.bin(BinOp::Shl, one, less);
        let top = g.bin(BinOp::Sub, half, one);
        let bottom = g.un(UnOp::Neg, half);
        let raised = g.bin(BinOp::Max, a, bottom);
        g.bin(BinOp::Min, raised, top)
    }

    /// Constant widths are checked; others shift the value up and, with its sign, down again.
    fn wrap(&mut self, x: Typed, bits: Typed) -> Id {
        let a = self.signed(x);
        if self.graph.word_const(bits.id).is_some() {
            return match self.constant(bits, "the width of `wrap`", 1, 32) {
                Some(32) | None => a,
                Some(k) => self.graph.push(Node::Wrap(a, k as u8, true), Ty::I32),
            };
        }
        let k = self.signed(bits);
        let g = &mut self.graph;
        let word = g.word(32, Ty::I32);
        let spare = g.bin(BinOp::Sub, word, k);
        let up = g.bin(BinOp::Shl, a, spare);
        g.bin(BinOp::Shr, up, spare)
    }

    fn mul_shift(&mut self, args: &[Typed], round: Round, span: Span) -> Typed {
        let Some(shift) = self.constant(args[2], "the shift of `mul_shift`", 0, 63) else {
            return self.unknown(span);
        };
        let ty = match (args[0].ty, args[1].ty) {
            (Type::U32, Type::U32) => Type::U32,
            _ => Type::I32,
        };
        let node = Node::MulShift(args[0].id, args[1].id, shift as u8, round);
        Typed {
            id: self.graph.push(node, ty.ty()),
            ty,
            span,
        }
    }

    /// `(x + (1 << (k - 1))) >> k`: to nearest, halves up; `k` = 0 changes nothing.
    fn round_shift(&mut self, x: Typed, k: Typed, span: Span) -> Typed {
        let Some(k) = self.constant(k, "the shift of `round_shift`", 0, 31) else {
            return self.unknown(span);
        };
        if k == 0 {
            return Typed { span, ..x };
        }
        let ty = x.ty.ty();
        let half = self.graph.word(1 << (k - 1), ty);
        let sum = self.graph.bin(BinOp::Add, x.id, half);
        let count = self.graph.word(k as u32, Ty::I32);
        Typed {
            id: self.graph.bin(BinOp::Shr, sum, count),
            ty: x.ty,
            span,
        }
    }
}
