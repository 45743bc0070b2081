//! Intervals of values: what a port can receive in one step, and what a block can store.

use std::collections::BTreeMap;
use synfire_ir::model::{BinOp, Block, Model, Op, Ty, UnOp};
use synfire_ir::program::{Carry, Column, Layout, Program, Projection};

/// Closed interval of reals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    pub(crate) fn new(low: f64, high: f64) -> Self {
        Interval {
            low: low.min(high),
            high: high.max(low),
        }
    }
    pub(crate) fn point(x: f64) -> Self {
        Interval { low: x, high: x }
    }
    pub(crate) fn magnitude(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }
    pub(crate) fn hull(self, o: Interval) -> Self {
        Interval {
            low: self.low.min(o.low),
            high: self.high.max(o.high),
        }
    }
}

/// Values of a parameter or state column.
pub(crate) fn column(c: &Column, ty: Ty) -> Interval {
    let value = |w: u32| match ty {
        Ty::F32 => f32::from_bits(w) as f64,
        Ty::I32 => w as i32 as f64,
        _ => w as f64,
    };
    match c {
        Column::Uniform(w) => Interval::point(value(*w)),
        Column::PerUnit(v) => v.iter().fold(
            Interval::point(value(v.first().copied().unwrap_or(0))),
            |i, &w| i.hull(Interval::point(value(w))),
        ),
    }
}

/// The largest and smallest sum that can reach one unit at a port within one step, every source of every delay firing once.
pub(crate) fn port_bound(
    p: &Program,
    group: u32,
    port: u16,
    delivered: &BTreeMap<u32, Interval>,
) -> Interval {
    let n = p.groups[group as usize].size as usize;
    let mut low = vec![0f64; n];
    let mut high = vec![0f64; n];
    let all = (0u32..).zip(&p.projections);
    for (k, pr) in all.filter(|(_, pr)| (pr.target, pr.port) == (group, port)) {
        let most = match pr.carry {
            Carry::Events => payload_bound(p, pr.source),
            // What an analog output can reach is not known yet when ports are bounded; outputs of the library are scaled
            // to order one, and sums wrap only beyond this.
            Carry::Output(_) => 16.0,
        };
        let both = matches!(pr.carry, Carry::Output(_));
        if let Layout::Generated(g) = &pr.layout {
            // Every synapse of the fullest target at its largest weight.
            let (a, b) = g.weight_bounds().unwrap_or((0.0, 0.0));
            let all = g.most_at_a_target() * most;
            let range = pr.target_range.start as usize
                ..(pr.target_range.start + pr.target_range.len) as usize;
            low[range.clone()]
                .iter_mut()
                .for_each(|x| *x += all * a.min(0.0));
            high[range].iter_mut().for_each(|x| *x += all * b.max(0.0));
            continue;
        }
        if let Some(each) = delivered.get(&k) {
            visit(p, pr, |t, _| {
                let t = pr.target_range.start as usize + t;
                low[t] += most * each.low.min(0.0);
                high[t] += most * each.high.max(0.0);
            });
            continue;
        }
        visit(p, pr, |t, w| {
            let t = pr.target_range.start as usize + t;
            let x = w * most;
            if both {
                low[t] -= x.abs();
                high[t] += x.abs();
            } else if x < 0.0 {
                low[t] += x;
            } else {
                high[t] += x;
            }
        });
    }
    let least = low.iter().copied().fold(0.0, f64::min);
    let most = high.iter().copied().fold(0.0, f64::max);
    Interval::new(least, most)
}

/// Largest payload of one event of a group. Counts (Poisson sources) are bounded by their code.
pub(crate) fn payload_bound(p: &Program, group: u32) -> f64 {
    let Some(m) = p.model_of(group) else {
        return 1.0;
    };
    let b = &m.step;
    match b.emit.map(|v| b.insts[v as usize].op) {
        Some(Op::Const(c)) => (c as i32 as f64).abs(),
        Some(Op::Select(_, x, y)) => {
            let c = |v: u32| match b.insts[v as usize].op {
                Op::Const(c) => Some((c as i32 as f64).abs()),
                _ => None,
            };
            c(x).zip(c(y)).map_or(64.0, |(x, y)| x.max(y))
        }
        Some(Op::Un(UnOp::ToI32, v)) if b.insts[v as usize].ty == Ty::Bool => 1.0,
        _ => 64.0,
    }
}

fn visit(p: &Program, pr: &Projection, mut f: impl FnMut(usize, f64)) {
    let float = p
        .model_of(pr.target)
        .is_some_and(|m| m.ports[pr.port as usize].ty == Ty::F32);
    let value = |bits: u32| {
        if float {
            f32::from_bits(bits) as f64
        } else {
            bits as i32 as f64
        }
    };
    match &pr.layout {
        Layout::Rows(r) => r
            .targets
            .iter()
            .enumerate()
            .for_each(|(i, &t)| f(t as usize, value(r.weights.bits(i)))),
        Layout::Dense { weights, .. } => {
            let n = pr.target_range.len as usize;
            (0..pr.source_range.len as usize * n).for_each(|i| f(i % n, value(weights.bits(i))));
        }
        Layout::OneToOne { weights, .. } => {
            (0..pr.source_range.len as usize).for_each(|i| f(i, value(weights.bits(i))))
        }
        _ => {}
    }
}

/// What every float state can hold after one step from within `limits`, over the step block and all handlers.
pub(crate) fn stores(
    m: &Model,
    params: &[Column],
    ports: &[(i32, Interval)],
    limits: &[Interval],
) -> Result<Vec<Interval>, String> {
    let mut reach: Vec<Interval> = limits.iter().map(|_| Interval::point(0.0)).collect();
    let mut add = |b: &Block, arg: Interval| -> Result<(), String> {
        let values = block(m, b, params, ports, limits, arg)?;
        for &(s, v) in &b.stores {
            reach[s as usize] = reach[s as usize].hull(values[v as usize]);
        }
        Ok(())
    };
    add(&m.step, Interval::point(0.0))?;
    for h in &m.handlers {
        add(&h.block, ports[h.port as usize].1)?;
    }
    Ok(reach)
}

/// Interval of every instruction of a block.
pub(crate) fn block(
    m: &Model,
    b: &Block,
    params: &[Column],
    ports: &[(i32, Interval)],
    limits: &[Interval],
    arg: Interval,
) -> Result<Vec<Interval>, String> {
    let any = Interval::new(i32::MIN as f64, i32::MAX as f64);
    let mut out: Vec<Interval> = Vec::with_capacity(b.insts.len());
    for inst in &b.insts {
        let at = |v: u32| out[v as usize];
        let ty = |v: u32| b.insts[v as usize].ty;
        let r = match inst.op {
            Op::Const(c) => column(&Column::Uniform(c), inst.ty),
            Op::Param(k) => column(&params[k as usize], inst.ty),
            Op::State(k) if inst.ty == Ty::F32 => {
                // A threshold test before the read may narrow a state; the plain limit is always safe.
                limits[k as usize]
            }
            Op::State(k) if m.states[k as usize].width.ty() == Ty::Bool => Interval::new(0.0, 1.0),
            Op::Port(k) if inst.ty == Ty::F32 => ports[k as usize].1,
            Op::Arg => arg,
            Op::Un(o, a) => unary(o, ty(a), at(a), any)?,
            Op::Bin(o, a, c) if ty(a) == Ty::F32 => binary(o, at(a), at(c))?,
            Op::Bin(BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge, ..) => {
                Interval::new(0.0, 1.0)
            }
            Op::Select(c, a, e) => select(b, &out, c, a, e),
            _ if inst.ty == Ty::Bool => Interval::new(0.0, 1.0),
            _ => any,
        };
        out.push(r);
    }
    Ok(out)
}

/// A choice; when the condition compares one of the two branches with a bound, that branch is cut there.
fn select(b: &Block, out: &[Interval], c: u32, a: u32, e: u32) -> Interval {
    let (mut yes, mut no) = (out[a as usize], out[e as usize]);
    if let Op::Bin(o, x, y) = b.insts[c as usize].op {
        let bound = out[y as usize];
        match o {
            BinOp::Gt | BinOp::Ge => {
                if x == e {
                    no = Interval::new(no.low.min(bound.high), no.high.min(bound.high));
                }
                if x == a {
                    yes = Interval::new(yes.low.max(bound.low), yes.high.max(bound.low));
                }
            }
            BinOp::Lt | BinOp::Le => {
                if x == e {
                    no = Interval::new(no.low.max(bound.low), no.high.max(bound.low));
                }
                if x == a {
                    yes = Interval::new(yes.low.min(bound.high), yes.high.min(bound.high));
                }
            }
            _ => {}
        }
    }
    yes.hull(no)
}

fn unary(o: UnOp, ty: Ty, a: Interval, any: Interval) -> Result<Interval, String> {
    if ty != Ty::F32 {
        return Ok(match o {
            UnOp::ToF32 if ty == Ty::Bool => Interval::new(0.0, 1.0),
            UnOp::ToF32 => a,
            UnOp::Unit => Interval::new(0.0, 1.0),
            UnOp::ToBool | UnOp::Not if ty == Ty::Bool => Interval::new(0.0, 1.0),
            _ => any,
        });
    }
    Ok(match o {
        UnOp::Neg => Interval::new(-a.high, -a.low),
        UnOp::Abs => Interval::new(0.0, a.magnitude()),
        UnOp::Sign => Interval::new(-1.0, 1.0),
        UnOp::Floor => Interval::new(a.low.floor(), a.high.floor()),
        UnOp::ToF32 | UnOp::ToI32 | UnOp::ToU32 => a,
        UnOp::ToBool => Interval::new(0.0, 1.0),
        other => {
            return Err(format!(
                "it calls `{}`",
                format!("{other:?}").to_lowercase()
            ));
        }
    })
}

fn binary(o: BinOp, a: Interval, b: Interval) -> Result<Interval, String> {
    let products = || {
        let p = [
            a.low * b.low,
            a.low * b.high,
            a.high * b.low,
            a.high * b.high,
        ];
        let f = |g: fn(f64, f64) -> f64| p.iter().copied().reduce(g).unwrap_or(0.0);
        Interval::new(f(f64::min), f(f64::max))
    };
    Ok(match o {
        BinOp::Add => Interval::new(a.low + b.low, a.high + b.high),
        BinOp::Sub => Interval::new(a.low - b.high, a.high - b.low),
        BinOp::Mul => products(),
        BinOp::Div if b.low > 0.0 || b.high < 0.0 => {
            let q = [
                a.low / b.low,
                a.low / b.high,
                a.high / b.low,
                a.high / b.high,
            ];
            Interval::new(
                q.iter().copied().fold(f64::INFINITY, f64::min),
                q.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )
        }
        BinOp::Div => return Err("it divides by a value that may be 0".into()),
        BinOp::Min => Interval::new(a.low.min(b.low), a.high.min(b.high)),
        BinOp::Max => Interval::new(a.low.max(b.low), a.high.max(b.high)),
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
            Interval::new(0.0, 1.0)
        }
        BinOp::Pow => return Err("it raises to a power".into()),
        BinOp::Rem => return Err("it takes a remainder".into()),
        _ => return Err("it shifts or masks a float".into()),
    })
}
