//! The units of `model.syn` as step IR: an axon, a neuron, an index of the output bus.
//!
//! Written with the IR's builder, instruction for instruction what the text says; the potential's width is a constant of the configuration.

use super::super::{Config, Dialect};
use super::POTENTIAL;
use synfire_ir::model::{
    BinOp, BlockBuilder, Combine, Model, Op, Param, Port, State, Ty, UnOp, Value, Width,
};

/// `if spike { emit 1 }` with an `or` port: axons, and indices of the output bus.
pub(super) fn axon_model(name: &str) -> Model {
    let mut b = BlockBuilder::new();
    let spike = b.push(Op::Port(0), Ty::Bool);
    let payload = b.un(UnOp::ToI32, spike);
    b.emit(payload);
    Model {
        name: name.into(),
        params: vec![Param {
            name: "address".into(),
            ty: Ty::U32,
        }],
        ports: vec![Port {
            name: "spike".into(),
            ty: Ty::I32,
            combine: Combine::Or,
        }],
        step: b.finish(),
        ..Model::default()
    }
}

/// Parameters of a neuron unit, in order.
const PARAMS: [(&str, Ty); 6] = [
    ("thr", Ty::I32),
    ("nthr", Ty::I32),
    ("reset", Ty::I32),
    ("linear", Ty::Bool),
    ("leak", Ty::I32),
    ("sym", Ty::Bool),
];

/// The neuron of `model.syn` at the width of the configuration.
pub(super) fn neuron_model(config: &Config) -> Model {
    let bits = if config.dialect == Dialect::Sim {
        32
    } else {
        config.widths.potential
    };
    let mut b = BlockBuilder::new();
    let [thr, nthr, reset, linear, leak, sym]: [Value; 6] =
        std::array::from_fn(|i| b.push(Op::Param(i as u16), PARAMS[i].1));
    let wrap = |b: &mut BlockBuilder, a: Value| {
        if bits >= 32 {
            a
        } else {
            b.push(
                Op::Wrap {
                    a,
                    bits,
                    signed: true,
                },
                Ty::I32,
            )
        }
    };
    let v = b.push(Op::State(POTENTIAL), Ty::I32);
    let syn = b.push(Op::Port(0), Ty::I32);
    let sum = b.bin(BinOp::Add, v, syn);
    let sum = b.bin(BinOp::Add, sum, leak);
    let v = wrap(&mut b, sum);
    let above = b.bin(BinOp::Ge, v, thr);
    let below = b.bin(BinOp::Lt, v, nthr);
    let at = b.bin(BinOp::Eq, v, nthr);
    let at = b.bin(BinOp::And, sym, at);
    let low = b.bin(BinOp::Or, below, at);
    let less = b.bin(BinOp::Sub, v, thr);
    let less = wrap(&mut b, less);
    let after_spike = b.select(linear, less, reset);
    let more = b.bin(BinOp::Sub, v, nthr);
    let more = wrap(&mut b, more);
    let minus = b.un(UnOp::Neg, reset);
    let minus = wrap(&mut b, minus);
    let after_low = b.select(linear, more, minus);
    let kept = b.select(low, after_low, v);
    let next = b.select(above, after_spike, kept);
    let payload = b.un(UnOp::ToI32, above);
    b.store(POTENTIAL, next);
    b.emit(payload);
    Model {
        name: "Ranc".into(),
        params: PARAMS
            .iter()
            .map(|&(name, ty)| Param {
                name: name.into(),
                ty,
            })
            .collect(),
        states: vec![State {
            name: "v".into(),
            width: Width::I32,
        }],
        ports: vec![Port {
            name: "syn".into(),
            ty: Ty::I32,
            combine: Combine::Sum,
        }],
        step: b.finish(),
        ..Model::default()
    }
}
