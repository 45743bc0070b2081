//! Operators and functions of models that compute in real numbers, with their dimensions.

use super::elaborate::{Elaborator, Typed};
use super::graph::{Id, Node};
use super::report;
use super::types::Type;
use crate::syntax::tree::{BinaryOp, Name};
use synfire_ir::diag::{Span, nearest};
use synfire_ir::model::{BinOp, Ty, UnOp};
use synfire_ir::units::Dimension;

/// A function: its name, least and most arguments, and how it is written.
pub type Function = (&'static str, usize, usize, &'static str);

/// Functions of real models.
const FUNCTIONS: &[Function] = &[
    ("exp", 1, 1, "exp(x)"),
    ("log", 1, 1, "log(x)"),
    ("sqrt", 1, 1, "sqrt(x)"),
    ("sin", 1, 1, "sin(x)"),
    ("cos", 1, 1, "cos(x)"),
    ("tanh", 1, 1, "tanh(x)"),
    ("abs", 1, 1, "abs(x)"),
    ("sign", 1, 1, "sign(x)"),
    ("floor", 1, 1, "floor(x)"),
    ("min", 2, 16, "min(a, b)"),
    ("max", 2, 16, "max(a, b)"),
    ("clip", 3, 3, "clip(x, low, high)"),
    ("where", 3, 3, "where(condition, a, b)"),
    ("rand", 0, 0, "rand()"),
    ("randn", 0, 0, "randn()"),
    ("poisson", 1, 2, "poisson(mean)"),
];

/// Largest mean that one part of a Poisson draw covers, and the entries of its table: beyond 32 events the probability
/// at that mean is below 2^-32.
pub const POISSON_PART: f64 = 8.0;
/// See [`POISSON_PART`].
pub const POISSON_ENTRIES: u16 = 32;
/// Largest mean that `poisson(mean, most)` may name.
const POISSON_MOST: f64 = 512.0;

impl Elaborator<'_, '_> {
    /// An operator on two numbers.
    pub fn real_binary(&mut self, op: BinaryOp, at: Span, x: Typed, y: Typed, span: Span) -> Typed {
        let (p, q) = (x.ty.dimension(), y.ty.dimension());
        let (op, ty) = match op {
            BinaryOp::Mul => (BinOp::Mul, p.times(q)),
            BinaryOp::Div => (BinOp::Div, q.power(-1).and_then(|q| p.times(q))),
            BinaryOp::Pow => return self.power(x, y, span),
            BinaryOp::BitAnd | BinaryOp::Xor | BinaryOp::Shl | BinaryOp::Shr => {
                let what = format!("`{}` on numbers", op.text());
                let hint = "declare states and inputs with fixed widths (`i16`, `u8`, ...), or multiply and divide";
                let d = report::other_arithmetic(at, &what, false, hint);
                return self.fail(span, d);
            }
            _ => {
                if p != q {
                    let d = report::dimensions(
                        &format!("`{}`", op.text()),
                        at,
                        (x.span, x.ty),
                        (y.span, y.ty),
                    );
                    return self.fail(span, d);
                }
                (plain(op), Some(p))
            }
        };
        let Some(dimension) = ty else {
            let d = report::strange_dimension(
                span,
                "the dimension of this product leaves the range of exponents".into(),
            );
            return self.fail(span, d);
        };
        let id = self.graph.bin(op, x.id, y.id);
        let ty = match self.graph.ty(id) {
            Ty::Bool => Type::Bool,
            _ => Type::Real(dimension),
        };
        Typed { id, ty, span }
    }

    /// Small whole exponents become products: exact for negative bases, and the same on every engine.
    fn power(&mut self, x: Typed, y: Typed, span: Span) -> Typed {
        if y.ty != Type::PLAIN {
            let d = report::needs_plain(y.span, "an exponent", y.ty);
            return self.fail(span, d);
        }
        let whole = (self.graph.real_const(y.id)).filter(|e| e.fract() == 0.0 && e.abs() <= 64.0);
        let dimension = match whole {
            Some(e) => match x.ty.dimension().power(e as i32) {
                Some(d) => d,
                None => {
                    let d = report::strange_dimension(
                        span,
                        "the dimension of this power leaves the range of exponents".into(),
                    );
                    return self.fail(span, d);
                }
            },
            None if x.ty == Type::PLAIN => Dimension::NONE,
            None => {
                let d = report::exponent(y.span, (x.span, x.ty));
                return self.fail(span, d);
            }
        };
        let id = match whole {
            Some(e) if !self.graph.uniform(x.id) => {
                let p = self.product(x.id, e.abs() as u32);
                if e < 0.0 {
                    let one = self.graph.real(1.0);
                    self.graph.div(one, p)
                } else {
                    p
                }
            }
            _ => self.graph.bin(BinOp::Pow, x.id, y.id),
        };
        Typed {
            id,
            ty: Type::Real(dimension),
            span,
        }
    }

    /// `x^n` by repeated squaring.
    fn product(&mut self, x: Id, n: u32) -> Id {
        let (mut square, mut n) = (x, n);
        let mut all = self.graph.real(1.0);
        while n > 0 {
            if n & 1 == 1 {
                all = self.graph.mul(all, square);
            }
            n >>= 1;
            if n > 0 {
                square = self.graph.mul(square, square);
            }
        }
        all
    }

    /// A function call.
    pub fn real_call(&mut self, name: &Name, args: &[Typed], span: Span) -> Typed {
        let text = name.as_str();
        if !self.arity(FUNCTIONS, super::fixed::NAMES, name, args.len(), span)
            || args.iter().any(|a| a.ty == Type::Unknown)
        {
            return self.unknown(span);
        }
        match text {
            "where" => return self.where_(args[0], args[1], args[2], span),
            "rand" => {
                let id = self.uniform_draw(span);
                let ty = Type::PLAIN;
                return Typed { id, ty, span };
            }
            "randn" => return self.normal(span),
            _ => {}
        }
        if let Some(bad) = args.iter().find(|a| !matches!(a.ty, Type::Real(_))) {
            let d = report::wrong_kind(bad.span, "a number", bad.ty);
            return self.fail(span, d);
        }
        match text {
            "min" | "max" | "clip" => self.bounds(text, args, span),
            "poisson" => self.poisson(args, span),
            "sqrt" => self.root(args[0], span),
            _ => self.function(text, args[0], span),
        }
    }

    /// Checks a function's name and number of arguments; `others` are the functions of the other arithmetic.
    pub fn arity(
        &mut self,
        known: &[Function],
        others: &[&str],
        name: &Name,
        given: usize,
        span: Span,
    ) -> bool {
        let text = name.as_str();
        let Some(&(_, least, most, form)) = known.iter().find(|f| f.0 == text) else {
            let d = if others.contains(&text) {
                let hint = "a model computes either in real numbers or in fixed widths, as its declarations say";
                report::other_arithmetic(name.span, &format!("`{text}`"), self.decls.fixed, hint)
            } else {
                let names = known.iter().map(|f| f.0);
                let hint = match nearest(text, names.clone()) {
                    Some(n) => format!("did you mean `{n}`?"),
                    None => format!("known: {}", names.collect::<Vec<_>>().join(", ")),
                };
                report::function(
                    name.span,
                    format!("`{text}` is no function of models"),
                    hint,
                )
            };
            self.diags.push(d);
            return false;
        };
        if given < least || given > most {
            let wanted = if least == most {
                format!("{least}")
            } else {
                format!("{least} to {most}")
            };
            let d = report::function(
                span,
                format!("`{text}` takes {wanted} arguments, not {given}"),
                format!("write `{form}`"),
            );
            self.diags.push(d);
            return false;
        }
        true
    }

    /// `where(c, a, b)`, in both arithmetics.
    pub fn where_(&mut self, c: Typed, a: Typed, b: Typed, span: Span) -> Typed {
        let Some(condition) = self.wants_truth(c) else {
            return self.unknown(span);
        };
        let Some((a, b)) = self.alike("`where`", a, b, span) else {
            return self.unknown(span);
        };
        Typed {
            id: self.graph.select(condition, a.id, b.id),
            ty: a.ty,
            span,
        }
    }

    /// Two values of one type; reports others.
    pub fn alike(&mut self, what: &str, a: Typed, b: Typed, span: Span) -> Option<(Typed, Typed)> {
        if a.ty == Type::Unknown || b.ty == Type::Unknown {
            return None;
        }
        if self.decls.fixed {
            return self.same_sign(what, a, b, span);
        }
        if a.ty == b.ty && !matches!(a.ty, Type::Choice(_)) {
            return Some((a, b));
        }
        self.diags.push(report::dimensions(
            what,
            span,
            (a.span, a.ty),
            (b.span, b.ty),
        ));
        None
    }

    fn bounds(&mut self, text: &str, args: &[Typed], span: Span) -> Typed {
        let first = args[0];
        if let Some(bad) = args[1..].iter().find(|a| a.ty != first.ty) {
            let d = report::dimensions(
                &format!("`{text}`"),
                span,
                (first.span, first.ty),
                (bad.span, bad.ty),
            );
            return self.fail(span, d);
        }
        let ids: Vec<Id> = args.iter().map(|a| a.id).collect();
        let id = self.min_max(text, &ids);
        Typed {
            id,
            ty: first.ty,
            span,
        }
    }

    /// `min`, `max` or `clip` of nodes of one type.
    pub fn min_max(&mut self, text: &str, ids: &[Id]) -> Id {
        if let ("clip", [x, low, high]) = (text, ids) {
            let raised = self.graph.bin(BinOp::Max, *x, *low);
            return self.graph.bin(BinOp::Min, raised, *high);
        }
        let op = if text == "min" {
            BinOp::Min
        } else {
            BinOp::Max
        };
        let mut all = ids[0];
        for &id in &ids[1..] {
            all = self.graph.bin(op, all, id);
        }
        all
    }

    fn root(&mut self, a: Typed, span: Span) -> Typed {
        let d = a.ty.dimension();
        if d.0.iter().any(|e| e % 2 != 0) {
            let d = report::strange_dimension(
                a.span,
                format!("{} has no square root", report::kind(a.ty)),
            );
            return self.fail(span, d);
        }
        Typed {
            id: self.graph.un(UnOp::Sqrt, a.id),
            ty: Type::Real(Dimension(d.0.map(|e| e / 2))),
            span,
        }
    }

    fn function(&mut self, text: &str, a: Typed, span: Span) -> Typed {
        let op = match text {
            "exp" => UnOp::Exp,
            "log" => UnOp::Log,
            "sin" => UnOp::Sin,
            "cos" => UnOp::Cos,
            "tanh" => UnOp::Tanh,
            "abs" => UnOp::Abs,
            "sign" => UnOp::Sign,
            _ => UnOp::Floor,
        };
        let ty = match op {
            UnOp::Abs => a.ty,
            UnOp::Sign => Type::PLAIN,
            _ if a.ty == Type::PLAIN => Type::PLAIN,
            _ => {
                let d = report::needs_plain(a.span, &format!("`{text}`"), a.ty);
                return self.fail(span, d);
            }
        };
        Typed {
            id: self.graph.un(op, a.id),
            ty,
            span,
        }
    }

    fn uniform_draw(&mut self, span: Span) -> Id {
        let n = self.next_draw(span);
        let word = self.graph.push(Node::Draw(n), Ty::U32);
        self.graph.un(UnOp::Unit, word)
    }

    /// Box and Muller 1958 (doi 10.1214/aoms/1177706645): sqrt(-2 ln(1 - u)) cos(2 pi v).
    fn normal(&mut self, span: Span) -> Typed {
        let (u, v) = (self.uniform_draw(span), self.uniform_draw(span));
        let g = &mut self.graph;
        let one = g.real(1.0);
        let above_zero = g.sub(one, u);
        let log = g.un(UnOp::Log, above_zero);
        let minus_two = g.real(-2.0);
        let square = g.mul(minus_two, log);
        let radius = g.un(UnOp::Sqrt, square);
        let turn = g.real(std::f64::consts::TAU);
        let angle = g.mul(turn, v);
        let cosine = g.un(UnOp::Cos, angle);
        Typed {
            id: g.mul(radius, cosine),
            ty: Type::PLAIN,
            span,
        }
    }

    /// `poisson(mean)`, or `poisson(mean, most)` for means above [`POISSON_PART`].
    fn poisson(&mut self, args: &[Typed], span: Span) -> Typed {
        if let Some(bad) = args.iter().find(|a| a.ty != Type::PLAIN) {
            let d = report::needs_plain(bad.span, "`poisson`", bad.ty);
            return self.fail(span, d);
        }
        let most = match args.get(1) {
            None => POISSON_PART,
            Some(m) => match self.graph.real_const(m.id) {
                Some(x) if x > 0.0 && x <= POISSON_MOST => x,
                _ => {
                    let d = report::constant(
                        m.span,
                        "the largest mean of `poisson`",
                        "a number above 0 and at most 512",
                    );
                    return self.fail(span, d);
                }
            },
        };
        let n = self.next_draw(span);
        let parts = (most / POISSON_PART).ceil() as u16;
        let count = self
            .graph
            .push(Node::Poisson(n, args[0].id, parts), Ty::I32);
        let id = self.graph.un(UnOp::ToF32, count);
        let ty = Type::PLAIN;
        Typed { id, ty, span }
    }
}

/// The operation of an operator that needs equal dimensions.
pub fn plain(op: BinaryOp) -> BinOp {
    match op {
        BinaryOp::Eq => BinOp::Eq,
        BinaryOp::Ne => BinOp::Ne,
        BinaryOp::Le => BinOp::Le,
        BinaryOp::Ge => BinOp::Ge,
        BinaryOp::Lt => BinOp::Lt,
        BinaryOp::Gt => BinOp::Gt,
        BinaryOp::Sub => BinOp::Sub,
        BinaryOp::Mul => BinOp::Mul,
        BinaryOp::BitAnd => BinOp::And,
        BinaryOp::Xor => BinOp::Xor,
        BinaryOp::Shl => BinOp::Shl,
        BinaryOp::Shr => BinOp::Shr,
        _ => BinOp::Add,
    }
}

/// Names of the functions of real models.
pub fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|f| f.0)
}
