//! Expressions of one model as a graph of shared nodes.
//!
//! Comes in: operations on earlier nodes. Goes out: node numbers; equal pure nodes share one, constants are folded in f64,
//! and each node knows what it reads. Invariants: operands have smaller numbers than their node; a graph holds at most
//! [`MAX_NODES`] nodes and none deeper than [`MAX_DEPTH`] (beyond that [`Graph::full`] is set and every new node is node 0).
//! Absent on purpose: units (checked before a node is made) and order of evaluation (`code` decides it).

use std::collections::HashMap;
use synfire_ir::eval;
use synfire_ir::model::{BinOp, Round, Ty, UnOp};
use synfire_ir::network::{HostFn1, HostFn2};

/// Most nodes of a model.
pub const MAX_NODES: usize = 200_000;
/// Longest path from a node to a leaf: recursion over the graph is safe.
pub const MAX_DEPTH: u16 = 700;

/// Number of a node.
pub type Id = u32;

/// What a node computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// Bits of an f64, in SI units.
    Real(u64),
    /// An integer or truth value.
    Word(u32),
    /// Parameter of the model.
    Field(u16),
    /// Seconds a step.
    Dt,
    /// Value of a state at the time of evaluation.
    State(u16),
    /// Combined arrivals.
    Port(u16),
    /// The event's value in a handler.
    Arg(u16),
    /// A value named in a block.
    Local(u32),
    /// One operand.
    Un(UnOp, Id),
    /// `e^x - 1`, only before the run.
    Expm1(Id),
    /// The nearest integer (ties to even), only before the run.
    Round(Id),
    /// Two operands.
    Bin(BinOp, Id, Id),
    /// `if c { a } else { b }`.
    If(Id, Id, Id),
    /// Full product, shifted.
    MulShift(Id, Id, u8, Round),
    /// Clamped to so many signed bits.
    Sat(Id, u8),
    /// Low bits, sign-extended if so.
    Wrap(Id, u8, bool),
    /// A random word; the number tells draws apart.
    Draw(u32),
    /// A Poisson count: number of the draw, mean, parts.
    Poisson(u32, Id, u16),
    /// Threshold `k` of the Poisson table with that mean.
    Cdf(u16, Id),
}

/// A node and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// The node.
    pub node: Node,
    /// Type of its value; `F32` stands for any real number.
    pub ty: Ty,
    /// Known before the run: reads only parameters, `dt` and numbers.
    pub uniform: bool,
    /// Holds a random draw.
    pub draws: bool,
    /// States that it reads, a bit each.
    pub states: u64,
    depth: u16,
    /// Nodes when written as a tree (saturating).
    pub size: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Graph {
    infos: Vec<Info>,
    seen: HashMap<(Node, Ty), Id>,
    full: bool,
}

impl Graph {
    /// Has a limit been passed? Then the model must be refused.
    pub fn full(&self) -> bool {
        self.full
    }

    /// What is known about a node.
    pub fn info(&self, id: Id) -> Info {
        self.infos[id as usize]
    }

    /// The node.
    pub fn node(&self, id: Id) -> Node {
        self.infos[id as usize].node
    }

    /// Type of a node's value.
    pub fn ty(&self, id: Id) -> Ty {
        self.infos[id as usize].ty
    }

    /// Is it known before the run?
    pub fn uniform(&self, id: Id) -> bool {
        self.infos[id as usize].uniform
    }

    /// The number, if the node is one.
    pub fn real_const(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Real(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    /// The word, if the node is a constant integer or truth value.
    pub fn word_const(&self, id: Id) -> Option<u32> {
        match self.node(id) {
            Node::Word(w) => Some(w),
            _ => None,
        }
    }

    /// A node as it stands, shared if it exists already.
    pub fn push(&mut self, node: Node, ty: Ty) -> Id {
        if let Some(&id) = self.seen.get(&(node, ty)) {
            return id;
        }
        let mut info = Info {
            node,
            ty,
            uniform: matches!(
                node,
                Node::Real(_) | Node::Word(_) | Node::Field(_) | Node::Dt
            ),
            draws: matches!(node, Node::Draw(_) | Node::Poisson(..)),
            states: match node {
                Node::State(s) => 1 << (s & 63),
                _ => 0,
            },
            depth: 0,
            size: 1,
        };
        let operands = operands(node);
        if !info.draws && operands[0].is_some() {
            info.uniform = true;
        }
        for o in operands.into_iter().flatten() {
            let of = self.infos[o as usize];
            info.uniform &= of.uniform;
            info.draws |= of.draws;
            info.states |= of.states;
            info.depth = info.depth.max(of.depth + 1);
            info.size = info.size.saturating_add(of.size);
        }
        if self.infos.len() >= MAX_NODES || info.depth > MAX_DEPTH {
            self.full = true;
            if !self.infos.is_empty() {
                return 0;
            }
        }
        let id = self.infos.len() as Id;
        self.infos.push(info);
        self.seen.insert((node, ty), id);
        id
    }

    /// A real number.
    pub fn real(&mut self, x: f64) -> Id {
        self.push(Node::Real(x.to_bits()), Ty::F32)
    }

    /// A constant word.
    pub fn word(&mut self, w: u32, ty: Ty) -> Id {
        self.push(Node::Word(w), ty)
    }

    /// Seconds a step.
    pub fn dt(&mut self) -> Id {
        self.push(Node::Dt, Ty::F32)
    }

    /// One-operand operation, folded.
    pub fn un(&mut self, op: UnOp, a: Id) -> Id {
        let from = self.ty(a);
        let ty = match op {
            UnOp::ToF32 | UnOp::Unit => Ty::F32,
            UnOp::ToI32 => Ty::I32,
            UnOp::ToU32 => Ty::U32,
            UnOp::ToBool => Ty::Bool,
            _ => from,
        };
        match (op, self.node(a)) {
            (UnOp::Neg, Node::Un(UnOp::Neg, x)) if ty == Ty::F32 => x,
            (UnOp::Not, Node::Un(UnOp::Not, x)) => x,
            (UnOp::ToI32 | UnOp::ToU32 | UnOp::ToF32 | UnOp::ToBool, _) if from == ty => a,
            (UnOp::ToI32, Node::Un(UnOp::ToF32, x)) if self.ty(x) == Ty::I32 => x,
            (_, Node::Word(w)) if ty != Ty::F32 => self.word(eval::unary(op, from, w), ty),
            (UnOp::ToI32, Node::Real(x)) => self.word(f64::from_bits(x) as i32 as u32, ty),
            (UnOp::ToF32, Node::Word(w)) => {
                let x = if from == Ty::I32 {
                    w as i32 as f64
                } else {
                    w as f64
                };
                self.real(x)
            }
            (_, Node::Real(x)) if ty == Ty::F32 => match host1(op) {
                Some(f) => self.real(f.apply(f64::from_bits(x))),
                None => self.push(Node::Un(op, a), ty),
            },
            _ => self.push(Node::Un(op, a), ty),
        }
    }

    /// `e^x - 1` of a uniform real.
    pub fn expm1(&mut self, a: Id) -> Id {
        match self.real_const(a) {
            Some(x) => self.real(x.exp_m1()),
            None => self.push(Node::Expm1(a), Ty::F32),
        }
    }

    /// A uniform real to the nearest integer, ties to even.
    pub fn round(&mut self, a: Id) -> Id {
        match self.real_const(a) {
            Some(x) => self.word(x.round_ties_even() as i32 as u32, Ty::I32),
            None => self.push(Node::Round(a), Ty::I32),
        }
    }

    /// Two-operand operation, folded; comparisons give truth values.
    pub fn bin(&mut self, op: BinOp, a: Id, b: Id) -> Id {
        let ty = self.ty(a);
        let to = if compares(op) { Ty::Bool } else { ty };
        match (self.node(a), self.node(b)) {
            (Node::Word(x), Node::Word(y)) => {
                return self.word(eval::binary(op, ty, x, y), to);
            }
            (Node::Real(x), Node::Real(y)) => {
                if let Some(f) = host2(op) {
                    let r = f.apply(f64::from_bits(x), f64::from_bits(y));
                    return if to == Ty::Bool {
                        self.word(r as u32, to)
                    } else {
                        self.real(r)
                    };
                }
            }
            _ => {}
        }
        if ty == Ty::F32
            && let Some(short) = self.shorten(op, a, b)
        {
            return short;
        }
        self.push(Node::Bin(op, a, b), to)
    }

    /// Neutral elements, and signs moved outwards, of real arithmetic.
    fn shorten(&mut self, op: BinOp, a: Id, b: Id) -> Option<Id> {
        let (x, y) = (self.real_const(a), self.real_const(b));
        let neg = |n: Node| match n {
            Node::Un(UnOp::Neg, v) => Some(v),
            _ => None,
        };
        match op {
            BinOp::Add if x == Some(0.0) => Some(b),
            BinOp::Add | BinOp::Sub if y == Some(0.0) => Some(a),
            BinOp::Sub if x == Some(0.0) => Some(self.un(UnOp::Neg, b)),
            BinOp::Mul if x == Some(1.0) => Some(b),
            BinOp::Mul | BinOp::Div if x == Some(0.0) && self.uniform(b) => Some(self.real(0.0)),
            BinOp::Mul if y == Some(0.0) && self.uniform(a) => Some(b),
            BinOp::Mul | BinOp::Div if y == Some(1.0) => Some(a),
            BinOp::Mul if x == Some(-1.0) => Some(self.un(UnOp::Neg, b)),
            BinOp::Mul | BinOp::Div if y == Some(-1.0) => Some(self.un(UnOp::Neg, a)),
            BinOp::Mul | BinOp::Div if self.uniform(a) && self.uniform(b) => {
                if let Some(v) = neg(self.node(a)) {
                    let p = self.bin(op, v, b);
                    return Some(self.un(UnOp::Neg, p));
                }
                if let Some(v) = neg(self.node(b)) {
                    let p = self.bin(op, a, v);
                    return Some(self.un(UnOp::Neg, p));
                }
                self.shorten_product(op, a, b)
            }
            _ => None,
        }
    }

    /// `(1 / t) * x` is `x / t`.
    fn shorten_product(&mut self, op: BinOp, a: Id, b: Id) -> Option<Id> {
        if op != BinOp::Mul {
            return None;
        }
        let reciprocal = |g: &Graph, id: Id| match g.node(id) {
            Node::Bin(BinOp::Div, one, t) if g.real_const(one) == Some(1.0) => Some(t),
            _ => None,
        };
        if let Some(t) = reciprocal(self, a) {
            return Some(self.bin(BinOp::Div, b, t));
        }
        let t = reciprocal(self, b)?;
        Some(self.bin(BinOp::Div, a, t))
    }

    /// `if c { a } else { b }`, folded.
    pub fn select(&mut self, c: Id, a: Id, b: Id) -> Id {
        if a == b {
            return a;
        }
        match self.word_const(c) {
            Some(0) => b,
            Some(_) => a,
            None => {
                let ty = self.ty(a);
                self.push(Node::If(c, a, b), ty)
            }
        }
    }

    /// `-a` of a real.
    pub fn neg(&mut self, a: Id) -> Id {
        self.un(UnOp::Neg, a)
    }
    /// Sum of reals.
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        self.bin(BinOp::Add, a, b)
    }
    /// Difference of reals.
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        self.bin(BinOp::Sub, a, b)
    }
    /// Product of reals.
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        self.bin(BinOp::Mul, a, b)
    }
    /// Quotient of reals.
    pub fn div(&mut self, a: Id, b: Id) -> Id {
        self.bin(BinOp::Div, a, b)
    }
}

/// The nodes that a node reads.
pub fn operands(node: Node) -> [Option<Id>; 3] {
    match node {
        Node::Un(_, a)
        | Node::Expm1(a)
        | Node::Round(a)
        | Node::Sat(a, _)
        | Node::Wrap(a, ..)
        | Node::Cdf(_, a)
        | Node::Poisson(_, a, _) => [Some(a), None, None],
        Node::Bin(_, a, b) | Node::MulShift(a, b, ..) => [Some(a), Some(b), None],
        Node::If(c, a, b) => [Some(c), Some(a), Some(b)],
        _ => [None; 3],
    }
}

/// Does the operation give a truth value whatever its operands?
pub fn compares(op: BinOp) -> bool {
    matches!(
        op,
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge
    )
}

/// The host's function for an operation on reals.
pub fn host1(op: UnOp) -> Option<HostFn1> {
    Some(match op {
        UnOp::Neg => HostFn1::Neg,
        UnOp::Not => HostFn1::Not,
        UnOp::Abs => HostFn1::Abs,
        UnOp::Sign => HostFn1::Sign,
        UnOp::Floor => HostFn1::Floor,
        UnOp::Sqrt => HostFn1::Sqrt,
        UnOp::Exp => HostFn1::Exp,
        UnOp::Log => HostFn1::Log,
        UnOp::Sin => HostFn1::Sin,
        UnOp::Cos => HostFn1::Cos,
        UnOp::Tanh => HostFn1::Tanh,
        _ => return None,
    })
}

/// The host's function for an operation on reals or truth values.
pub fn host2(op: BinOp) -> Option<HostFn2> {
    Some(match op {
        BinOp::Add => HostFn2::Add,
        BinOp::Sub => HostFn2::Sub,
        BinOp::Mul => HostFn2::Mul,
        BinOp::Div => HostFn2::Div,
        BinOp::Pow => HostFn2::Pow,
        BinOp::Min => HostFn2::Min,
        BinOp::Max => HostFn2::Max,
        BinOp::Lt => HostFn2::Lt,
        BinOp::Le => HostFn2::Le,
        BinOp::Gt => HostFn2::Gt,
        BinOp::Ge => HostFn2::Ge,
        BinOp::Eq => HostFn2::Eq,
        BinOp::Ne => HostFn2::Ne,
        BinOp::And => HostFn2::And,
        BinOp::Or => HostFn2::Or,
        _ => return None,
    })
}
