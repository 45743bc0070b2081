//! Sums of products as lava's fixed-point LearningDense computes them.
//!
//! Traces run in epochs of `T` steps. Within an epoch only the step of the last spike is kept (an earlier one adds its impulse at once); at its end the history of each trace over the epoch is computed, the rule reads it at the
//! moment of its gate, and the traces take its last value. An axon's traces x are states of its unit, a compartment's traces y states of the projection's targets; weights, tags and delays are
//! those of its synapses. The weight's word is the mantissa.

use super::*;
use synfire_ir::model::{Block, Port, State, Width};
use synfire_ir::program::Column;
use synfire_ir::synapse::{Action, Cell, Every, Modulator, Place, Seen, View};

/// Longest epoch: the history of the traces is part of the code.
const LONGEST: u8 = 32;
/// Widest product that 32 bits hold before it is shifted.
const WIDEST: u32 = 30;
/// Draws in the order of their group: decay and impulse of x at the end of an epoch, decay and impulse of y there, impulse of y at a spike, synapses; with their bits.
pub const DRAWS: [i64; 6] = [DRAW, 7, DRAW, 7, 7, DRAW];
/// Draws of x are ports of the axons, after the spikes.
const OF_X: u32 = 2;

/// States of an axon: x1, x2, step of its last spike in the epoch, step of the epoch, then the histories.
const TX: usize = 2;
const CLOCK: usize = 3;
const HISTORY: usize = 4;

/// States of the projection: weight, tag, delay, then the targets': step of its last spike, y1 to y3, and the histories.
const W: usize = 0;
const T: usize = 1;
const D: usize = 2;
const TY: usize = 3;
const Y: usize = 4;
const HISTORY_Y: usize = 7;
/// State of y1.
pub const Y1: u16 = Y as u16;

/// Modulators: draws of y and of synapses.
const Y_DECAY: u16 = 0;
const Y_IMPULSE: u16 = 1;
const Y_SPIKE: u16 = 2;
const SYNAPSES: u16 = 3;

/// What the emulator cannot compute of a rule.
pub(super) fn check(r: &SumOfProducts, f: &SynapseFmt) -> Diagnostics {
    let mut out = Diagnostics::new();
    if !(1..=LONGEST).contains(&r.t_epoch) || r.decimate > 15 {
        out.push(cannot(format!(
            "an epoch of {} steps, u with exponent {}: 1 to {LONGEST} and 0 to 15 are emulated",
            r.t_epoch, r.decimate
        )));
    }
    for t in r.x.iter().chain(&r.y) {
        if t.impulse_int > 127 || t.impulse_frac > 256 {
            out.push(cannot(format!("the trace {t:?} has a field out of range")));
        }
    }
    for p in &r.products {
        if !(-8..=7).contains(&p.mant) || p.exp7 > 15 || p.width() > WIDEST {
            out.push(cannot(format!("the product {p:?} has a field out of range, or more than {WIDEST} bits before its shift")));
        }
    }
    if !(0..=7).contains(&f.wgt_exp) {
        out.push(cannot(format!(
            "learned weights with the exponent {}",
            f.wgt_exp
        )));
    }
    out
}

impl Set {
    pub(super) fn rule_groups(
        &mut self,
        r: &SumOfProducts,
        given: bool,
        g: &mut Groups,
        models: &mut Vec<Model>,
    ) -> Result<(), Diagnostics> {
        let name = |what: &str| format!("{what} {} {}", self.core, self.format);
        let model = axon(r);
        let kind = group(&model, models.len() as u32, self.entries.len(), &|_, _| {
            None
        });
        models.push(model);
        self.axons = g.add(name("axons"), self.entries.len(), axon_phase(given), kind);
        self.draws = draw_group(&name("draws"), &DRAWS, given, g, models)?;
        Ok(())
    }

    pub(super) fn rule_wires(
        &mut self,
        r: &SumOfProducts,
        config: &Config,
        (compartments, first): (u32, u32),
        projections: &mut Vec<Projection>,
        learned: &mut Learned,
    ) {
        let core = &config.cores[self.core];
        let f = core.synapse_fmt[usize::from(self.format)];
        let axons = self.entries.len() as u32;
        for k in 0..OF_X {
            let layout = rows_of(vec![(0..axons).map(|a| (0, a, 1)).collect()]);
            let mut p = projection(
                "draws",
                (self.draws, 1),
                (self.axons, axons),
                1 + k as u16,
                layout,
            );
            p.source_range.start = k;
            projections.push(p);
        }
        let mut rows = vec![];
        let (mut tags, mut delays) = (vec![], vec![]);
        for a in 0..self.entries.len() {
            let mut row: Vec<(u32, &Synapse_)> = self
                .row(config, a)
                .iter()
                .map(|s| (self.target(config, a, s), s))
                .collect();
            row.sort_by_key(|s| s.0);
            tags.extend(row.iter().map(|s| i32::from(s.1.tag) as u32));
            delays.extend(row.iter().map(|s| u32::from(s.1.dly)));
            rows.push(row.iter().map(|s| (0, s.0, i32::from(s.1.wgt))).collect());
        }
        let layout = rows_of(rows);
        let mut p = projection(
            "learning",
            (self.axons, axons),
            (compartments, core.cx_cfg.len() as u32),
            Q,
            layout,
        );
        p.target_range.start = first;
        let synapse = model(r, &f);
        let mut init = vec![Column::from_words(tags), Column::from_words(delays)];
        init.resize(synapse.states.len() - 1, Column::Uniform(0));
        learned.models.push(synapse);
        let draw = |port: u16, unit: u32| {
            let range = Range {
                start: unit,
                len: 1,
            };
            modulation(port, self.draws, range, false)
        };
        let modulators = (Y_DECAY..=SYNAPSES).map(|m| draw(m, u32::from(m) + OF_X));
        let at = projections.len() as u32;
        let number = learned.models.len() as u32 - 1;
        learned.add(at, &p, number, init, modulators.collect());
        projections.push(p);
        self.projections.push(at);
    }
}

/// A trace takes an impulse; `draw` of 7 bits decides on the fraction, of which the emulated unit has 256 parts.
fn impulse(b: &mut Code, v: Value, t: &Trace, draw: Value) -> Value {
    let part = b.c(t.impulse_frac.into());
    let up = b.less(draw, part);
    let whole = b.c(t.impulse_int.into());
    let v = b.add(v, whole);
    let v = b.add(v, up);
    b.clamp(v, 0, 127)
}

/// The history of a trace over an epoch from its value at the start: after step 0 (none), 1, ..., T.
fn history(
    b: &mut Code,
    start: Value,
    t: &Trace,
    last: Value,
    steps: u8,
    decay: Value,
    draw: Value,
) -> Vec<Value> {
    let mut out = vec![start];
    let mut v = start;
    for s in 1..=steps {
        v = b.decayed(v, kept(1, t.tau), decay);
        let raised = impulse(b, v, t, draw);
        let here = b.is(BinOp::Eq, last, s.into());
        v = b.pick(here, raised, v);
        out.push(v);
    }
    out
}

/// The unit of an axon.
fn axon(r: &SumOfProducts) -> Model {
    let mut b = Code::default();
    let (t, spikes) = (i64::from(r.t_epoch), b.port(0));
    let (decay, draw) = (b.port(1), b.port(2));
    let clock = b.state(CLOCK);
    let over = b.is(BinOp::Ge, clock, t);
    let (one, zero) = (b.c(1), b.c(0));
    let next = b.add(clock, one);
    let now = b.pick(over, one, next);
    let first = b.is(BinOp::Eq, now, 1);
    let before = b.state(TX);
    let before = b.pick(first, zero, before);
    let spiked = b.is(BinOp::Gt, spikes, 0);
    let again = b.is(BinOp::Gt, before, 0);
    let again = b.bin(BinOp::And, spiked, again);
    let last = b.pick(spiked, now, before);
    let end = b.is(BinOp::Eq, now, t);
    for (q, trace) in r.x.iter().enumerate() {
        let x = b.state(q);
        // A fraction of the impulse of an earlier spike in the epoch always rounds up.
        let raised = impulse(&mut b, x, trace, zero);
        let x = b.pick(again, raised, x);
        let all = history(&mut b, x, trace, last, r.t_epoch, decay, draw);
        for (s, &h) in all.iter().enumerate() {
            b.store(HISTORY + q * (usize::from(r.t_epoch) + 1) + s, h);
        }
        let x = b.pick(end, all[usize::from(r.t_epoch)], x);
        b.store(q, x);
    }
    b.store(TX, last);
    b.store(CLOCK, now);
    b.0.emit(spikes);
    let state = |name: String| State {
        name,
        width: Width::I32,
    };
    let mut states: Vec<State> = ["x1", "x2", "tx", "clock"].map(|n| state(n.into())).into();
    for q in 1..=2 {
        states.extend((0..=r.t_epoch).map(|s| state(format!("x{q}_{s}"))));
    }
    let port = |name: &str| Port {
        name: name.into(),
        ty: Ty::I32,
        combine: synfire_ir::model::Combine::Sum,
    };
    Model {
        name: "LoihiAxon".into(),
        states,
        ports: vec![port("spikes"), port("decay"), port("impulse")],
        step: b.0.finish(),
        ..Model::default()
    }
}

/// The synapses, and the traces of their targets.
fn model(r: &SumOfProducts, f: &SynapseFmt) -> Synapse {
    let steps = usize::from(r.t_epoch) + 1;
    let cell = |name: String, place: Place| Cell {
        name,
        width: Width::I32,
        place,
        decay: None,
    };
    let mut states: Vec<Cell> = ["w", "t", "d"]
        .map(|n| cell(n.into(), Place::Synapse))
        .into();
    states.extend(["ty", "y1", "y2", "y3"].map(|n| cell(n.into(), Place::Target)));
    for q in 1..=3 {
        states.extend((0..steps).map(|s| cell(format!("y{q}_{s}"), Place::Target)));
    }
    let view = |name: String, state: usize| View {
        name,
        ty: Ty::I32,
        seen: Seen::Source(state as u16),
    };
    let mut views = vec![view("tx".into(), TX)];
    for q in 0..2 {
        views.extend((0..steps).map(|s| view(format!("x{}_{s}", q + 1), HISTORY + q * steps + s)));
    }
    let modulator = |name: &str| Modulator {
        name: name.into(),
        ty: Ty::I32,
        action: Action::default(),
    };
    let target = |block: Block| Action {
        target: block,
        ..Action::default()
    };
    let every = |action: Action| Every {
        period: r.t_epoch.into(),
        action,
    };
    let rule = Action {
        synapse: Rule {
            r,
            f,
            views: states.len(),
            steps,
        }
        .block(),
        ..Action::default()
    };
    Synapse {
        name: "LoihiSumOfProducts".into(),
        params: vec![],
        views,
        modulators: ["y_decay", "y_impulse", "y_spike", "draw"]
            .map(modulator)
            .into(),
        deliver: super::pes::delivered(f.wgt_exp.into()),
        post: target(spike(r)),
        every: vec![every(target(end(r))), every(rule), every(target(after(r)))],
        states,
        ..Synapse::default()
    }
}

/// A spike of a target.
fn spike(r: &SumOfProducts) -> Block {
    let mut b = Code::default();
    let (ty, draw) = (b.state(TY), b.port(Y_SPIKE));
    let again = b.is(BinOp::Gt, ty, 0);
    for (q, trace) in r.y.iter().enumerate() {
        let y = b.state(Y + q);
        let raised = impulse(&mut b, y, trace, draw);
        let y = b.pick(again, raised, y);
        b.store(Y + q, y);
    }
    let step = b.0.push(Op::Step, Ty::I32);
    let t = b.c(r.t_epoch.into());
    let now = b.bin(BinOp::Rem, step, t);
    let one = b.c(1);
    let now = b.add(now, one);
    b.store(TY, now);
    b.0.finish()
}

/// The end of an epoch: histories of y.
fn end(r: &SumOfProducts) -> Block {
    let mut b = Code::default();
    let (decay, draw, ty) = (b.port(Y_DECAY), b.port(Y_IMPULSE), b.state(TY));
    for (q, trace) in r.y.iter().enumerate() {
        let y = b.state(Y + q);
        let all = history(&mut b, y, trace, ty, r.t_epoch, decay, draw);
        for (s, h) in all.into_iter().enumerate() {
            b.store(HISTORY_Y + q * (usize::from(r.t_epoch) + 1) + s, h);
        }
    }
    b.0.finish()
}

/// After the rule: y as it stands at the end of the epoch, no spike yet in the next.
fn after(r: &SumOfProducts) -> Block {
    let mut b = Code::default();
    let steps = usize::from(r.t_epoch) + 1;
    for q in 0..r.y.len() {
        let last = b.state(HISTORY_Y + q * steps + steps - 1);
        b.store(Y + q, last);
    }
    let zero = b.c(0);
    b.store(TY, zero);
    b.0.finish()
}

/// The rule's block on a synapse.
struct Rule<'a> {
    r: &'a SumOfProducts,
    f: &'a SynapseFmt,
    /// Number of the first view.
    views: usize,
    steps: usize,
}

impl Rule<'_> {
    fn block(&self) -> Block {
        let mut b = Code::default();
        for (target, state) in [(Target::W, W), (Target::T, T), (Target::D, D)] {
            if self.r.products.iter().any(|p| p.target == target) {
                let v = self.changed(&mut b, target, state);
                b.store(state, v);
            }
        }
        b.0.finish()
    }

    /// The new value of a target: its products added in order to 7 bits behind the point, cut to 16 bits and rounded by a draw.
    fn changed(&self, b: &mut Code, target: Target, state: usize) -> Value {
        let z = b.state(state);
        let mut acc = b.shift(z, 7);
        for p in self.r.products.iter().filter(|p| p.target == target) {
            let x = self.product(b, p);
            acc = b.add(acc, x);
            acc = b.clamp(acc, -32_769, 32_767);
        }
        let (low, high) = match (target, self.f.fanout_type) {
            (Target::W, EXCITATORY) => (0, 255),
            (Target::W, INHIBITORY) => (-255, 0),
            (Target::W, _) => (-256, 255),
            (Target::D, _) => (0, 255),
            (Target::T, _) => (-257, 255),
        };
        // The sign is kept before rounding.
        let floor = if low == 0 { 0 } else { -32_769 };
        let ceiling = if high == 0 { 0 } else { 32_767 };
        let acc = b.clamp(acc, floor, ceiling);
        let whole = b.shift(acc, -7);
        let mask = b.c(127);
        let part = b.bin(BinOp::And, acc, mask);
        let draw = b.port(SYNAPSES);
        let draw = b.shift(draw, -24);
        let up = b.less(draw, part);
        let v = b.add(whole, up);
        b.clamp(v, low, high)
    }

    fn product(&self, b: &mut Code, p: &Product) -> Value {
        let at = match p.gate {
            Gate::X0 => Some(b.state(self.views)),
            Gate::Y0 => Some(b.state(TY)),
            Gate::U => None,
        };
        let open = match at {
            Some(at) => b.is(BinOp::Gt, at, 0),
            None => self.decimated(b),
        };
        let mut v = b.0.un(UnOp::ToI32, open);
        for f in &p.factors {
            let x = self.factor(b, f, at);
            v = b.mul(v, x);
        }
        let mant = b.c(p.mant.into());
        v = b.mul(v, mant);
        v = b.shift(v, -(i64::from(p.width()) - 15).max(0));
        v = b.shift(v, p.exp7.into());
        b.clamp(v, -32_769, 32_767)
    }

    /// Is this epoch, counted from 1, one of gate u?
    fn decimated(&self, b: &mut Code) -> Value {
        let step = b.0.push(Op::Step, Ty::I32);
        let one = b.c(1);
        let step = b.add(step, one);
        let t = b.c(self.r.t_epoch.into());
        let epoch = b.bin(BinOp::Div, step, t);
        let mask = b.c((1 << self.r.decimate.min(15)) - 1);
        let rest = b.bin(BinOp::And, epoch, mask);
        b.is(BinOp::Eq, rest, 0)
    }

    fn factor(&self, b: &mut Code, f: &Factor, at: Option<Value>) -> Value {
        let fired = |b: &mut Code, last: Value| {
            let t = b.is(BinOp::Gt, last, 0);
            b.0.un(UnOp::ToI32, t)
        };
        let x = |q: usize| self.views + 1 + q * self.steps;
        let y = |q: usize| HISTORY_Y + q * self.steps;
        let v = match f.var {
            Variable::X1 => self.read(b, x(0), at),
            Variable::X2 => self.read(b, x(1), at),
            Variable::Y1 => self.read(b, y(0), at),
            Variable::Y2 => self.read(b, y(1), at),
            Variable::Y3 => self.read(b, y(2), at),
            Variable::W => b.state(W),
            Variable::T => b.state(T),
            Variable::D => b.state(D),
            Variable::X0 => {
                let last = b.state(self.views);
                fired(b, last)
            }
            Variable::Y0 => {
                let last = b.state(TY);
                fired(b, last)
            }
            Variable::C => b.c(0),
        };
        let add = b.c(f.add.into());
        let mut v = b.add(v, add);
        if f.sgn {
            v = b.0.un(UnOp::Sign, v);
        }
        let most = 1i64 << f.var.width();
        b.clamp(v, -most, most - 1)
    }

    /// A trace of the history that starts with state `first`, after step `at` of the epoch; without one at its end.
    fn read(&self, b: &mut Code, first: usize, at: Option<Value>) -> Value {
        let Some(at) = at else {
            return b.state(first + self.steps - 1);
        };
        let mut v = b.state(first);
        for s in 1..self.steps {
            let here = b.is(BinOp::Eq, at, s as i64);
            let x = b.state(first + s);
            v = b.pick(here, x, v);
        }
        v
    }
}
