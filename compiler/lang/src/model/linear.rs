//! Linear combinations: sums of run-time values with factors that are known before the run.
//!
//! Comes in: a real node. Goes out: [`Affine`]: each value once, its factor folded into one node that becomes one column. This is where
//! the algebra of parameters leaves the step block: `(v_rest - v + r * i) / tau` has three factors and no division.

use super::graph::{Graph, Id, Node};
use std::collections::HashMap;
use std::rc::Rc;
use synfire_ir::model::{BinOp, Ty, UnOp};

/// Most terms of a combination; a longer sum is kept as it was written.
const MAX_TERMS: usize = 64;

/// `± factor * value`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// A node that changes during the run.
    pub value: Id,
    /// A uniform node that is no explicit negative.
    pub factor: Id,
    /// Subtract it?
    pub negative: bool,
}

/// A sum of terms and a uniform node.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// Each value once.
    pub terms: Vec<Term>,
    /// Known before the run.
    pub constant: Id,
}

impl Affine {
    /// A uniform node.
    pub fn constant(constant: Id) -> Self {
        Affine {
            terms: vec![],
            constant,
        }
    }

    /// One value.
    pub fn value(g: &mut Graph, value: Id) -> Self {
        Affine {
            terms: vec![Term {
                value,
                factor: g.real(1.0),
                negative: false,
            }],
            constant: g.real(0.0),
        }
    }

    /// The term of a value.
    pub fn term(&self, value: Id) -> Option<Term> {
        self.terms.iter().copied().find(|t| t.value == value)
    }

    /// Adds `other` times a uniform factor.
    pub fn add_scaled(&mut self, g: &mut Graph, other: &Affine, factor: Id) {
        for t in &other.terms {
            let product = g.mul(t.factor, factor);
            self.add_term(g, t.value, product, t.negative);
        }
        let product = g.mul(other.constant, factor);
        self.constant = g.add(self.constant, product);
    }

    /// Adds a term; equal values meet in one factor, and a factor of 0 is dropped.
    pub fn add_term(&mut self, g: &mut Graph, value: Id, factor: Id, negative: bool) {
        let (factor, flip) = magnitude(g, factor);
        let negative = negative != flip;
        let Some(at) = self.terms.iter().position(|t| t.value == value) else {
            if g.real_const(factor) != Some(0.0) {
                self.terms.push(Term {
                    value,
                    factor,
                    negative,
                });
            }
            return;
        };
        let old = self.terms[at];
        let sum = if old.negative == negative {
            g.add(old.factor, factor)
        } else {
            g.sub(old.factor, factor)
        };
        let (factor, flip) = magnitude(g, sum);
        if g.real_const(factor) == Some(0.0) {
            self.terms.remove(at);
        } else {
            self.terms[at] = Term {
                value,
                factor,
                negative: old.negative != flip,
            };
        }
    }

    fn scaled(&self, g: &mut Graph, op: BinOp, by: Id) -> Affine {
        let mut out = Affine::constant(g.bin(op, self.constant, by));
        for t in &self.terms {
            let factor = g.bin(op, t.factor, by);
            out.add_term(g, t.value, factor, t.negative);
        }
        out
    }

    /// `if c { self } else { other }` for a uniform condition.
    fn chosen(&self, g: &mut Graph, c: Id, other: &Affine) -> Affine {
        let zero = g.real(0.0);
        let mut out = Affine::constant(g.select(c, self.constant, other.constant));
        for t in &self.terms {
            let factor = g.select(c, t.factor, zero);
            out.add_term(g, t.value, factor, t.negative);
        }
        for t in &other.terms {
            let factor = g.select(c, zero, t.factor);
            out.add_term(g, t.value, factor, t.negative);
        }
        out
    }
}

/// A factor without its sign, and whether it had one.
fn magnitude(g: &mut Graph, factor: Id) -> (Id, bool) {
    match g.node(factor) {
        Node::Un(UnOp::Neg, x) => (x, true),
        Node::Real(bits) if f64::from_bits(bits) < 0.0 => (g.real(-f64::from_bits(bits)), true),
        _ => (factor, false),
    }
}

/// Takes real nodes apart.
#[derive(Default)]
pub struct Linear {
    done: HashMap<Id, Rc<Affine>>,
    tracked: u64,
}

impl Linear {
    /// `tracked` are the states that matter: a choice by a parameter is taken apart only where its branches read one.
    pub fn new(tracked: u64) -> Self {
        Linear {
            done: HashMap::new(),
            tracked,
        }
    }

    /// The node as a linear combination.
    pub fn of(&mut self, g: &mut Graph, id: Id) -> Rc<Affine> {
        if let Some(a) = self.done.get(&id) {
            return a.clone();
        }
        let a = if g.uniform(id) {
            Affine::constant(id)
        } else {
            match self.apart(g, id) {
                Some(a) if a.terms.len() <= MAX_TERMS => a,
                _ => Affine::value(g, id),
            }
        };
        let a = Rc::new(a);
        self.done.insert(id, a.clone());
        a
    }

    fn apart(&mut self, g: &mut Graph, id: Id) -> Option<Affine> {
        if g.ty(id) != Ty::F32 {
            return None;
        }
        let one = g.real(1.0);
        Some(match g.node(id) {
            Node::Un(UnOp::Neg, a) => {
                let minus = g.real(-1.0);
                self.of(g, a).scaled(g, BinOp::Mul, minus)
            }
            Node::Bin(BinOp::Add, a, b) => {
                let (x, y) = (self.of(g, a), self.of(g, b));
                let mut sum = (*x).clone();
                sum.add_scaled(g, &y, one);
                sum
            }
            Node::Bin(BinOp::Sub, a, b) => {
                let (x, y) = (self.of(g, a), self.of(g, b));
                let minus = g.real(-1.0);
                let mut sum = (*x).clone();
                sum.add_scaled(g, &y, minus);
                sum
            }
            Node::Bin(BinOp::Mul, a, b) if g.uniform(a) => self.of(g, b).scaled(g, BinOp::Mul, a),
            Node::Bin(op @ (BinOp::Mul | BinOp::Div), a, b) if g.uniform(b) => {
                self.of(g, a).scaled(g, op, b)
            }
            Node::If(c, a, b)
                if g.uniform(c) && (g.info(a).states | g.info(b).states) & self.tracked != 0 =>
            {
                let (x, y) = (self.of(g, a), self.of(g, b));
                x.chosen(g, c, &y)
            }
            _ => return None,
        })
    }
}

/// `f = a * x + b`, where neither `a` nor `b` reads state `x`; `a` and `b` may change during the run.
pub fn linear_in(g: &mut Graph, f: Id, state: u16) -> Option<(Id, Id)> {
    let mut done = HashMap::new();
    split(g, f, state, &mut done)
}

type Split = Option<(Id, Id)>;

fn split(g: &mut Graph, f: Id, state: u16, done: &mut HashMap<Id, Split>) -> Split {
    if let Some(found) = done.get(&f) {
        return *found;
    }
    let result = split_node(g, f, state, done);
    done.insert(f, result);
    result
}

fn split_node(g: &mut Graph, f: Id, state: u16, done: &mut HashMap<Id, Split>) -> Split {
    let reads = |g: &Graph, id: Id| g.info(id).states & (1 << state) != 0;
    let zero = g.real(0.0);
    if !reads(g, f) {
        return Some((zero, f));
    }
    Some(match g.node(f) {
        Node::State(_) => (g.real(1.0), zero),
        Node::Un(UnOp::Neg, x) => {
            let (a, b) = split(g, x, state, done)?;
            (g.neg(a), g.neg(b))
        }
        Node::Bin(op @ (BinOp::Add | BinOp::Sub), x, y) => {
            let (a, b) = split(g, x, state, done)?;
            let (c, d) = split(g, y, state, done)?;
            (g.bin(op, a, c), g.bin(op, b, d))
        }
        Node::Bin(BinOp::Mul, x, y) if !reads(g, x) => {
            let (a, b) = split(g, y, state, done)?;
            (g.mul(x, a), g.mul(x, b))
        }
        Node::Bin(op @ (BinOp::Mul | BinOp::Div), x, y) if !reads(g, y) => {
            let (a, b) = split(g, x, state, done)?;
            (g.bin(op, a, y), g.bin(op, b, y))
        }
        Node::If(c, x, y) if !reads(g, c) => {
            let (a, b) = split(g, x, state, done)?;
            let (e, d) = split(g, y, state, done)?;
            (g.select(c, a, e), g.select(c, b, d))
        }
        _ => return None,
    })
}
