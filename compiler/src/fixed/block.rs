//! One block of float step code in scaled integers.

use super::form::{self, Whole};
use super::functions::{self, Scaled, shift};
use super::range::{self, Interval};
use super::{BITS, StateRange, fraction_for, quantise, scaled};
use std::collections::BTreeMap;
use synfire_ir::model::{
    BinOp, Block, BlockBuilder, Model, Op, Param, Round, State, Ty, UnOp, Value, Width,
};
use synfire_ir::program::Column;

/// Converts the blocks of one model for one group.
pub(crate) struct Converter<'a> {
    m: &'a Model,
    params: &'a [Column],
    ports: &'a [(i32, Interval)],
    states: &'a [StateRange],
    limits: Vec<Interval>,
    columns: Vec<(Param, Column)>,
    /// Column of (parameter, fraction) and of the reciprocal of a parameter.
    made: BTreeMap<(u16, i32, bool), u16>,
}

impl<'a> Converter<'a> {
    pub(crate) fn new(
        m: &'a Model,
        params: &'a [Column],
        ports: &'a [(i32, Interval)],
        states: &'a [StateRange],
    ) -> Self {
        let limits = states.iter().map(StateRange::interval).collect();
        Converter {
            m,
            params,
            ports,
            states,
            limits,
            columns: vec![],
            made: BTreeMap::new(),
        }
    }

    /// All parameter columns that the blocks read.
    pub(crate) fn columns(self) -> (Vec<Column>, Vec<Param>) {
        let (params, columns) = self.columns.into_iter().unzip();
        (columns, params)
    }

    fn param(&mut self, k: u16, fraction: i32, reciprocal: bool) -> u16 {
        if let Some(&c) = self.made.get(&(k, fraction, reciprocal)) {
            return c;
        }
        let p = &self.m.params[k as usize];
        let source = if reciprocal {
            invert(&self.params[k as usize])
        } else {
            self.params[k as usize].clone()
        };
        let (column, ty) = if p.ty == Ty::F32 {
            (quantise(&source, fraction), Ty::I32)
        } else {
            (source, p.ty)
        };
        let name = match (p.ty, reciprocal) {
            (Ty::F32, true) => format!("{}_inverse_q{fraction}", p.name),
            (Ty::F32, false) => format!("{}_q{fraction}", p.name),
            _ => p.name.clone(),
        };
        self.columns.push((Param { name, ty }, column));
        let c = self.columns.len() as u16 - 1;
        self.made.insert((k, fraction, reciprocal), c);
        c
    }

    /// A further state that holds a state's value with `drop` fewer bits, for an output that is multiplied by weights.
    pub(crate) fn coarse_output(&mut self, model: &mut Model, state: u16, drop: i32) -> u16 {
        let k = model.states.len() as u16;
        let name = format!("{}_out", model.states[state as usize].name);
        model.states.push(State {
            name,
            width: Width::I32,
        });
        let b = &mut model.step;
        let held = b
            .stores
            .iter()
            .find(|s| s.0 == state)
            .map(|s| s.1)
            .unwrap_or_else(|| {
                b.insts.push(synfire_ir::model::Inst {
                    op: Op::State(state),
                    ty: Ty::I32,
                });
                b.insts.len() as u32 - 1
            });
        let n = b.insts.len() as u32;
        b.insts.push(synfire_ir::model::Inst {
            op: Op::Const(drop as u32),
            ty: Ty::I32,
        });
        b.insts.push(synfire_ir::model::Inst {
            op: Op::Bin(BinOp::Shr, held, n),
            ty: Ty::I32,
        });
        b.stores.push((k, n + 1));
        k
    }

    /// Converts a block; `arg` is the port of a handler.
    pub(crate) fn block(&mut self, b: &Block, arg: Option<u16>) -> Result<Block, String> {
        let given = arg.map_or(Interval::point(0.0), |p| self.ports[p as usize].1);
        let ranges = range::block(self.m, b, self.params, self.ports, &self.limits, given)?;
        let mut w = BlockBuilder::new();
        let mut done: Vec<Scaled> = Vec::with_capacity(b.insts.len());
        let needed = form::needed(b);
        for (i, inst) in b.insts.iter().enumerate() {
            let s = match form::whole(b, i as Value) {
                _ if !needed[i] => Scaled {
                    v: w.i32(0),
                    fraction: 0,
                },
                Some(f) => {
                    let x = f.operand() as usize;
                    of_one(&mut w, f, done[x], ranges[x])?
                }
                None => self.inst(&mut w, b, &ranges, &done, inst.op, inst.ty, i, arg)?,
            };
            done.push(self.approached(&mut w, b, &ranges, i, s));
        }
        for &(k, v) in &b.stores {
            let value = done[v as usize];
            let v = if self.m.states[k as usize].width == Width::F32 {
                self.stored(&mut w, value, ranges[v as usize], k)
            } else {
                value.v
            };
            w.store(k, v);
        }
        if let Some(e) = b.emit {
            w.emit(done[e as usize].v);
        }
        Ok(w.finish())
    }

    /// Rounding may carry a step of exponential Euler past the ends of its range; it is held there.
    fn approached(
        &self,
        w: &mut BlockBuilder,
        b: &Block,
        ranges: &[Interval],
        i: usize,
        x: Scaled,
    ) -> Scaled {
        match form::approach(b, self.params, i as Value) {
            Some(a) if ranges[a.z as usize].high <= 0.0 => {
                let r = ranges[i];
                let (low, high) = (scaled(r.low, x.fraction), scaled(r.high, x.fraction));
                let (low, high) = (w.i32(low), w.i32(high));
                let v = w.bin(BinOp::Max, x.v, low);
                let v = w.bin(BinOp::Min, v, high);
                Scaled { v, ..x }
            }
            _ => x,
        }
    }

    fn stored(&self, w: &mut BlockBuilder, x: Scaled, range: Interval, k: u16) -> Value {
        let s = &self.states[k as usize];
        let mut v = x.v;
        if range.magnitude() > s.limit {
            let top = scaled(s.limit, x.fraction).max(1);
            let (hi, lo) = (w.i32(top), w.i32(-top));
            v = w.bin(BinOp::Min, v, hi);
            v = w.bin(BinOp::Max, v, lo);
        }
        shift(
            w,
            Scaled {
                v,
                fraction: x.fraction,
            },
            s.fraction,
        )
    }

    #[allow(clippy::too_many_arguments)]
    fn inst(
        &mut self,
        w: &mut BlockBuilder,
        b: &Block,
        ranges: &[Interval],
        done: &[Scaled],
        op: Op,
        ty: Ty,
        i: usize,
        arg: Option<u16>,
    ) -> Result<Scaled, String> {
        let float = |v: Value| b.insts[v as usize].ty == Ty::F32;
        let whole = |v: Value| Scaled { v, fraction: 0 };
        let best = fraction_for(ranges[i].magnitude());
        Ok(match op {
            Op::Const(c) if ty == Ty::F32 => {
                let x = f32::from_bits(c) as f64;
                Scaled {
                    v: w.i32(scaled(x, best)),
                    fraction: best,
                }
            }
            Op::Param(k) => {
                let fraction = if ty == Ty::F32 { best } else { 0 };
                let c = self.param(k, fraction, false);
                let ty = if ty == Ty::F32 { Ty::I32 } else { ty };
                Scaled {
                    v: w.push(Op::Param(c), ty),
                    fraction,
                }
            }
            Op::State(k) if ty == Ty::F32 => Scaled {
                v: w.push(op, Ty::I32),
                fraction: self.states[k as usize].fraction,
            },
            Op::Port(k) if ty == Ty::F32 => Scaled {
                v: w.push(op, Ty::I32),
                fraction: self.ports[k as usize].0,
            },
            Op::Arg if ty == Ty::F32 => {
                let fraction = arg.map_or(0, |p| self.ports[p as usize].0);
                Scaled {
                    v: w.push(op, Ty::I32),
                    fraction,
                }
            }
            Op::Un(o, a) if float(a) => unary(w, o, done[a as usize], ranges[a as usize])?,
            Op::Un(UnOp::ToF32, a) => {
                let v = if b.insts[a as usize].ty == Ty::I32 {
                    done[a as usize].v
                } else {
                    w.un(UnOp::ToI32, done[a as usize].v)
                };
                whole(v)
            }
            Op::Un(UnOp::Unit, a) => {
                let eight = w.i32(8);
                let high = w.bin(BinOp::Shr, done[a as usize].v, eight);
                Scaled {
                    v: w.un(UnOp::ToI32, high),
                    fraction: 24,
                }
            }
            Op::Bin(BinOp::Mul, a, c) if ty == Ty::F32 => {
                product(w, done[a as usize], done[c as usize], best)
            }
            Op::Bin(BinOp::Div, a, c) if ty == Ty::F32 => match self.inverse(w, b, ranges, c) {
                Some(inverse) => product(w, done[a as usize], inverse, best),
                None => functions::quotient(w, done[a as usize], done[c as usize], ranges[i]),
            },
            Op::Bin(BinOp::Pow, a, c) if ty == Ty::F32 => {
                let of = |v: Value| (done[v as usize], ranges[v as usize]);
                functions::power(w, of(a), of(c))?
            }
            Op::Bin(o, a, c) if float(a) => {
                let sum = matches!(o, BinOp::Add | BinOp::Sub);
                let most = if sum { best } else { BITS * 2 };
                let f = done[a as usize]
                    .fraction
                    .min(done[c as usize].fraction)
                    .min(most);
                let (x, y) = (shift(w, done[a as usize], f), shift(w, done[c as usize], f));
                let v = w.bin(o, x, y);
                Scaled {
                    v,
                    fraction: if ty == Ty::F32 { f } else { 0 },
                }
            }
            Op::Select(c, a, e) if ty == Ty::F32 => {
                let f = done[a as usize]
                    .fraction
                    .min(done[e as usize].fraction)
                    .min(best);
                let (x, y) = (shift(w, done[a as usize], f), shift(w, done[e as usize], f));
                Scaled {
                    v: w.select(done[c as usize].v, x, y),
                    fraction: f,
                }
            }
            other => whole(w.push(other.map(|v| done[v as usize].v), ty)),
        })
    }

    /// The reciprocal of a constant or a parameter.
    fn inverse(
        &mut self,
        w: &mut BlockBuilder,
        b: &Block,
        ranges: &[Interval],
        v: Value,
    ) -> Option<Scaled> {
        let r = ranges[v as usize];
        let least = r.low.abs().min(r.high.abs());
        if least == 0.0 || r.low < 0.0 && r.high > 0.0 {
            return None;
        }
        let fraction = fraction_for(1.0 / least);
        let v = match b.insts[v as usize].op {
            Op::Const(c) => w.i32(scaled(1.0 / f32::from_bits(c) as f64, fraction)),
            Op::Param(k) => {
                let c = self.param(k, fraction, true);
                w.push(Op::Param(c), Ty::I32)
            }
            _ => return None,
        };
        Some(Scaled { v, fraction })
    }
}

/// A function that several instructions made together.
fn of_one(w: &mut BlockBuilder, f: Whole, x: Scaled, r: Interval) -> Result<Scaled, String> {
    let minus = |w: &mut BlockBuilder| Scaled {
        v: w.un(UnOp::Neg, x.v),
        fraction: x.fraction,
    };
    let turned = Interval::new(-r.high, -r.low);
    match f {
        Whole::Relaxation(_) => functions::relaxation(w, x, r),
        Whole::Falling(_) => {
            let x = minus(w);
            functions::logistic(w, x, turned)
        }
        Whole::Rise(_) => {
            let x = minus(w);
            let below = functions::relaxation(w, x, turned)?;
            let one = Scaled {
                v: w.i32(scaled(1.0, BITS)),
                fraction: BITS,
            };
            Ok(functions::quotient(w, one, below, range::whole(f, r)))
        }
    }
}

fn invert(c: &Column) -> Column {
    let one = |w: u32| (1.0 / f32::from_bits(w)).to_bits();
    match c {
        Column::Uniform(w) => Column::Uniform(one(*w)),
        Column::PerUnit(v) => Column::PerUnit(v.iter().map(|&w| one(w)).collect()),
    }
}

fn product(w: &mut BlockBuilder, a: Scaled, b: Scaled, best: i32) -> Scaled {
    let full = a.fraction + b.fraction;
    let fraction = best.min(full).max(full - 63);
    let v = w.push(
        Op::MulShift {
            a: a.v,
            b: b.v,
            shift: (full - fraction) as u8,
            round: Round::Floor,
        },
        Ty::I32,
    );
    Scaled { v, fraction }
}

fn unary(w: &mut BlockBuilder, o: UnOp, a: Scaled, r: Interval) -> Result<Scaled, String> {
    Ok(match o {
        UnOp::Exp => functions::exp(w, a, r)?,
        UnOp::Log => functions::log(w, a, Interval::new(r.low.ln(), r.high.ln())),
        UnOp::Sqrt => functions::root(w, a, r)?,
        UnOp::Tanh => functions::tanh(w, a, r)?,
        UnOp::Sin | UnOp::Cos => functions::sine(w, a, o == UnOp::Cos)?,
        UnOp::Sign => Scaled {
            v: w.un(o, a.v),
            fraction: 0,
        },
        UnOp::Floor => Scaled {
            v: shift(
                w,
                Scaled {
                    v: a.v,
                    fraction: a.fraction.max(0),
                },
                0,
            ),
            fraction: 0,
        },
        UnOp::ToI32 | UnOp::ToU32 => {
            let one = w.i32(
                1i32.checked_shl(a.fraction.max(0) as u32)
                    .unwrap_or(i32::MAX),
            );
            let v = w.bin(BinOp::Div, a.v, one);
            let v = if o == UnOp::ToU32 {
                w.un(UnOp::ToU32, v)
            } else {
                v
            };
            Scaled { v, fraction: 0 }
        }
        UnOp::ToBool => Scaled {
            v: w.un(o, a.v),
            fraction: 0,
        },
        UnOp::ToF32 => a,
        _ => Scaled {
            v: w.un(o, a.v),
            fraction: a.fraction,
        },
    })
}
