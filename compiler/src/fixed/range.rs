//! Intervals of values: what a port can receive in one step, and what a block can store.

use super::form::{self, Approach, Whole};
use super::functions::relaxed;
use std::collections::BTreeMap;
use synfire_ir::model::{BinOp, Block, Model, Op, Ty, UnOp, Value};
use synfire_ir::program::{Carry, Column, GroupKind, Layout, Program, Projection};

/// Largest exponent of `exp`: e^40 is above 2^57.
const LARGEST_EXPONENT: f64 = 40.0;
/// Most events that one unit is taken to emit in a step when nothing else bounds them.
const MOST_EVENTS: f64 = 64.0;
/// How far below its largest magnitude a divisor may fall before the quotient saturates.
const SATURATION: f64 = 4096.0;

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

/// Largest payload of one event of a group.
pub(crate) fn payload_bound(p: &Program, group: u32) -> f64 {
    let Some(m) = p.model_of(group) else {
        return 1.0;
    };
    let params = match &p.groups[group as usize].kind {
        GroupKind::Units { params, .. } => &params[..],
        GroupKind::External => &[],
    };
    match m.step.emit {
        Some(v) => counts(&m.step, params)[v as usize].min(MOST_EVENTS),
        None => MOST_EVENTS,
    }
}

/// Largest magnitude of every whole number of a block: a count of Poisson events is a sum of comparisons of a word with thresholds, of which
/// the last is never exceeded.
fn counts(b: &Block, params: &[Column]) -> Vec<f64> {
    let mut out: Vec<f64> = vec![];
    let never = |v: u32| match b.insts[v as usize].op {
        Op::Const(c) => c == u32::MAX,
        Op::Param(k) => match params.get(k as usize) {
            Some(Column::Uniform(w)) => *w == u32::MAX,
            Some(Column::PerUnit(all)) => all.iter().all(|w| *w == u32::MAX),
            None => false,
        },
        _ => false,
    };
    for inst in &b.insts {
        let at = |v: u32| out[v as usize];
        let ty = |v: u32| b.insts[v as usize].ty;
        let most = match inst.op {
            Op::Const(c) if inst.ty == Ty::I32 => (c as i32 as f64).abs(),
            Op::Bin(BinOp::Gt, x, y) if ty(x) == Ty::U32 && never(y) => 0.0,
            _ if inst.ty == Ty::Bool => 1.0,
            Op::Un(UnOp::ToI32, x) if ty(x) == Ty::Bool => at(x),
            Op::Bin(BinOp::Add | BinOp::Sub, x, y) if inst.ty == Ty::I32 => at(x) + at(y),
            Op::Bin(BinOp::Mul, x, y) if inst.ty == Ty::I32 => at(x) * at(y),
            Op::Bin(BinOp::Min | BinOp::Max, x, y) if inst.ty == Ty::I32 => at(x).max(at(y)),
            Op::Select(_, x, y) if inst.ty == Ty::I32 => at(x).max(at(y)),
            _ => f64::INFINITY,
        };
        out.push(most);
    }
    out
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

/// What a block's leaves read.
struct Leaves<'a> {
    m: &'a Model,
    b: &'a Block,
    params: &'a [Column],
    ports: &'a [(i32, Interval)],
    limits: &'a [Interval],
    arg: Interval,
}

/// Interval of every instruction of a block that its effects need; 0 for the others.
pub(crate) fn block(
    m: &Model,
    b: &Block,
    params: &[Column],
    ports: &[(i32, Interval)],
    limits: &[Interval],
    arg: Interval,
) -> Result<Vec<Interval>, String> {
    let leaves = Leaves {
        m,
        b,
        params,
        ports,
        limits,
        arg,
    };
    let needed = form::needed(b);
    let mut out: Vec<Interval> = Vec::with_capacity(b.insts.len());
    for (i, needed) in needed.into_iter().enumerate() {
        out.push(match needed {
            true => leaves.inst(&out, i)?,
            false => Interval::point(0.0),
        });
        if let Some(a) = form::approach(b, params, i as Value)
            && out[a.z as usize].high <= 0.0
        {
            let (x, new) = (out[a.x as usize], leaves.between(&out, &a));
            out[i] = new;
            let change = &mut out[a.change as usize];
            *change = Interval::new(
                change.low.max(new.low - x.high),
                change.high.min(new.high - x.low),
            );
        }
    }
    Ok(out)
}

impl Leaves<'_> {
    fn inst(&self, out: &[Interval], i: usize) -> Result<Interval, String> {
        let (b, inst) = (self.b, self.b.insts[i]);
        let any = Interval::new(i32::MIN as f64, i32::MAX as f64);
        let at = |v: u32| out[v as usize];
        let ty = |v: u32| b.insts[v as usize].ty;
        if let Some(f) = form::whole(b, i as Value) {
            return Ok(whole(f, at(f.operand())));
        }
        Ok(match inst.op {
            Op::Const(c) => column(&Column::Uniform(c), inst.ty),
            Op::Param(k) => column(&self.params[k as usize], inst.ty),
            // A threshold test before the read may narrow a state; the plain limit is always safe.
            Op::State(k) if inst.ty == Ty::F32 => self.limits[k as usize],
            Op::State(k) if self.boolean(k) => Interval::new(0.0, 1.0),
            Op::Port(k) if inst.ty == Ty::F32 => self.ports[k as usize].1,
            Op::Arg => self.arg,
            Op::Un(o, a) => unary(o, ty(a), at(a), any)?,
            Op::Bin(BinOp::Mul, a, c) if ty(a) == Ty::F32 && a == c => square(at(a)),
            Op::Bin(o, a, c) if ty(a) == Ty::F32 => binary(o, at(a), at(c))?,
            Op::Bin(BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge, ..) => {
                Interval::new(0.0, 1.0)
            }
            Op::Select(c, a, e) => select(b, out, c, a, e),
            _ if inst.ty == Ty::Bool => Interval::new(0.0, 1.0),
            _ => any,
        })
    }

    fn boolean(&self, state: u16) -> bool {
        let s = self.m.states.get(state as usize);
        s.is_some_and(|s| s.width.ty() == Ty::Bool)
    }

    /// Where a value is after a step towards the point at which its derivative is 0: between both. The derivative falls with the value;
    /// so where it is nowhere above 0 for the value at `high`, that point lies below `high`, whatever the other values are.
    fn between(&self, out: &[Interval], a: &Approach) -> Interval {
        let x = out[a.x as usize];
        let naive = {
            let change = out[a.change as usize];
            Interval::new(x.low + change.low, x.high + change.high)
        };
        let rate = |t: f64| self.with(out, a.rate, a.x, Interval::point(t));
        let beyond = |from: f64, sign: f64| {
            let first = from.abs().max(2f64.powi(-40)).log2().floor() as i32;
            let powers = (first..first + 40).map(|e| sign * 2f64.powi(e));
            let outward = powers.filter(|t| (t - from) * sign > 0.0);
            let mut all = std::iter::once(from).chain(outward);
            all.find(|&t| match rate(t) {
                Some(r) if sign > 0.0 => r.high <= 0.0,
                Some(r) => r.low >= 0.0,
                None => false,
            })
        };
        let high = beyond(x.high, 1.0).unwrap_or(naive.high);
        let low = beyond(x.low, -1.0).unwrap_or(naive.low);
        Interval::new(
            low.max(naive.low).min(x.low),
            high.min(naive.high).max(x.high),
        )
    }

    /// The interval of `v` with another one for `x`.
    fn with(&self, out: &[Interval], v: Value, x: Value, given: Interval) -> Option<Interval> {
        let reads = form::readers(self.b, x);
        let mut out = out[..=v as usize].to_vec();
        out[x as usize] = given;
        for i in x as usize + 1..=v as usize {
            if reads[i] {
                out[i] = self.inst(&out, i).ok()?;
            }
        }
        Some(out[v as usize])
    }
}

/// A function of one value, all of which are monotone.
pub(super) fn whole(f: Whole, x: Interval) -> Interval {
    let minus = Interval::new(-x.high, -x.low);
    match f {
        Whole::Relaxation(_) => relaxed(x),
        Whole::Rise(_) => {
            let r = relaxed(minus);
            Interval::new(1.0 / r.high, 1.0 / r.low)
        }
        Whole::Falling(_) => Interval::new(1.0 / (1.0 + x.high.exp()), 1.0 / (1.0 + x.low.exp())),
    }
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
            UnOp::Unit => Interval::new(0.0, 1.0 - 2f64.powi(-24)),
            UnOp::ToBool | UnOp::Not if ty == Ty::Bool => Interval::new(0.0, 1.0),
            _ => any,
        });
    }
    let rising = |f: fn(f64) -> f64| Interval::new(f(a.low), f(a.high));
    Ok(match o {
        UnOp::Exp if a.high > LARGEST_EXPONENT => {
            return Err(format!("it takes `exp` of values up to {:.3}", a.high));
        }
        UnOp::Exp => rising(f64::exp),
        UnOp::Log if a.low <= 0.0 => {
            return Err("it takes the logarithm of a value that may be 0".into());
        }
        UnOp::Log => rising(f64::ln),
        UnOp::Sqrt if a.low < 0.0 => {
            return Err("it takes the square root of a value that may be below 0".into());
        }
        UnOp::Sqrt => rising(f64::sqrt),
        UnOp::Tanh => rising(f64::tanh),
        UnOp::Sin | UnOp::Cos => Interval::new(-1.0, 1.0),
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

/// The quotient of two values of which the second may be 0: it saturates where that falls below 1/4096 of its largest magnitude.
fn saturating(a: Interval, b: Interval) -> Interval {
    let most = SATURATION * a.magnitude() / b.magnitude().max(f64::MIN_POSITIVE);
    let one_sign = a.low >= 0.0 && b.low >= 0.0 || a.high <= 0.0 && b.high <= 0.0;
    Interval::new(if one_sign { 0.0 } else { -most }, most)
}

fn square(a: Interval) -> Interval {
    let least = match a.low <= 0.0 && a.high >= 0.0 {
        true => 0.0,
        false => a.low.abs().min(a.high.abs()),
    };
    Interval::new(least * least, a.magnitude() * a.magnitude())
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
        BinOp::Div if b == Interval::point(0.0) => return Err("it divides by 0".into()),
        BinOp::Div => saturating(a, b),
        BinOp::Min => Interval::new(a.low.min(b.low), a.high.min(b.high)),
        BinOp::Max => Interval::new(a.low.max(b.low), a.high.max(b.high)),
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => {
            Interval::new(0.0, 1.0)
        }
        BinOp::Pow if a.low < 0.0 || a.low == 0.0 && b.low <= 0.0 => {
            return Err(
                "it raises a value that may be below 0 to a power, or 0 to a power that may be 0"
                    .into(),
            );
        }
        BinOp::Pow => {
            let p = [
                a.low.powf(b.low),
                a.low.powf(b.high),
                a.high.powf(b.low),
                a.high.powf(b.high),
            ];
            let f = |g: fn(f64, f64) -> f64| p.iter().copied().reduce(g).unwrap_or(0.0);
            Interval::new(f(f64::min), f(f64::max))
        }
        BinOp::Rem => return Err("it takes a remainder".into()),
        _ => return Err("it shifts or masks a float".into()),
    })
}
