//! From a node that is known before the run to the expression that the host evaluates for each unit.
//!
//! Comes in: a uniform node. Goes out: a [`HostExpr`], a tree of at most [`MAX_SIZE`] nodes.

use super::graph::{Graph, Id, Node, host1, host2};
use synfire_ir::model::{BinOp, Ty, UnOp};
use synfire_ir::network::{HostExpr, HostFn1, HostFn2};

/// Most nodes of a host expression: nodes that are shared in the graph are repeated in the tree.
pub const MAX_SIZE: u32 = 50_000;

/// Why a node has no host expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It reads something that changes during the run.
    NotUniform,
    /// It is too large.
    TooLarge,
    /// It holds an operation that the host does not have.
    Operation,
}

/// The host's expression for a uniform node.
pub fn to_host(g: &Graph, id: Id) -> Result<HostExpr, Refusal> {
    let info = g.info(id);
    if !info.uniform {
        return Err(Refusal::NotUniform);
    }
    if info.size > MAX_SIZE {
        return Err(Refusal::TooLarge);
    }
    convert(g, id).ok_or(Refusal::Operation)
}

fn convert(g: &Graph, id: Id) -> Option<HostExpr> {
    Some(match g.node(id) {
        // No text form holds a NaN, so it is written as a quotient.
        Node::Real(bits) if f64::from_bits(bits).is_nan() => {
            call2(HostFn2::Div, HostExpr::Const(0.0), HostExpr::Const(0.0))
        }
        Node::Real(bits) => HostExpr::Const(f64::from_bits(bits)),
        Node::Word(w) if g.ty(id) == Ty::I32 => HostExpr::Const(w as i32 as f64),
        Node::Word(w) => HostExpr::Const(w as f64),
        Node::Field(i) => HostExpr::Field(i),
        Node::Dt => HostExpr::Dt,
        Node::Un(op, a) => unary(op, g.ty(a), convert(g, a)?)?,
        Node::Expm1(a) => call1(HostFn1::Expm1, convert(g, a)?),
        Node::Round(a) => call1(HostFn1::Round, convert(g, a)?),
        Node::Bin(op, a, b) => binary(op, g.ty(a), convert(g, a)?, convert(g, b)?)?,
        Node::If(c, a, b) => HostExpr::If(
            Box::new(convert(g, c)?),
            Box::new(convert(g, a)?),
            Box::new(convert(g, b)?),
        ),
        Node::Cdf(k, mean) => HostExpr::PoissonCdf(k as u32, Box::new(convert(g, mean)?)),
        _ => return None,
    })
}

fn call1(f: HostFn1, a: HostExpr) -> HostExpr {
    HostExpr::Call1(f, Box::new(a))
}

fn call2(f: HostFn2, a: HostExpr, b: HostExpr) -> HostExpr {
    HostExpr::Call2(f, Box::new(a), Box::new(b))
}

fn unary(op: UnOp, from: Ty, a: HostExpr) -> Option<HostExpr> {
    Some(match op {
        UnOp::ToF32 => a,
        UnOp::ToI32 | UnOp::ToU32 if from != Ty::F32 => a,
        UnOp::ToI32 | UnOp::ToU32 => HostExpr::If(
            Box::new(call2(HostFn2::Lt, a.clone(), HostExpr::Const(0.0))),
            Box::new(call1(
                HostFn1::Neg,
                call1(HostFn1::Floor, call1(HostFn1::Neg, a.clone())),
            )),
            Box::new(call1(HostFn1::Floor, a)),
        ),
        UnOp::ToBool => call2(HostFn2::Ne, a, HostExpr::Const(0.0)),
        UnOp::Not if from != Ty::Bool => return None,
        _ => call1(host1(op)?, a),
    })
}

/// Integers are computed without wrapping: starting values and defaults are expected to fit.
fn binary(op: BinOp, ty: Ty, a: HostExpr, b: HostExpr) -> Option<HostExpr> {
    let power = |b| call2(HostFn2::Pow, HostExpr::Const(2.0), b);
    Some(match op {
        BinOp::Shl => call2(HostFn2::Mul, a, power(b)),
        BinOp::Shr => call1(HostFn1::Floor, call2(HostFn2::Div, a, power(b))),
        BinOp::Xor if ty == Ty::Bool => call2(HostFn2::Ne, a, b),
        BinOp::And | BinOp::Or if ty != Ty::Bool => return None,
        BinOp::Div if ty != Ty::F32 => return None,
        _ => call2(host2(op)?, a, b),
    })
}
