//! Plastic projections in scaled integers: traces, weights and what is delivered each get a scale that follows from their range.
//!
//! Comes in: a float program. Goes out: a synapse model of integers for each plastic projection, first without the scale of what it
//! delivers, which the target's port gives. A synapse is seen as a unit whose states are its traces and its weight, whose ports are
//! its modulators, and whose handlers are its blocks. A trace that falls between events is bounded by what a step can add to it
//! over its memory; whatever else keeps growing is refused. What a synapse delivers bounds the ports of neurons, and neurons bound what synapses
//! see of them: so ranges are found twice, at first with whatever is seen taken as wide.

use super::block::Converter;
use super::range::{self, Interval};
use super::{BITS, StateRange, exponent, fraction_for, quantise, scaled};
use std::collections::BTreeMap;
use synfire_ir::model::{Block, Combine, Handler, Model, Port, State, Ty, Width};
use synfire_ir::program::{
    Carry, Column, Layout, Modulation, Plastic, Program, Projection, Weights,
};
use synfire_ir::synapse::{Action, Seen, Synapse, View};

/// Rounds of growing ranges before a state is taken as unbounded.
const ROUNDS: usize = 100;

/// How far a value of a neuron may go that nobody has bounded yet.
const WIDE: f64 = (1u64 << 40) as f64;

/// What is known of the neurons that synapses look at or hear from.
#[derive(Default)]
pub(super) struct Neurons {
    /// Scale and limit of each float state, by (group, state).
    pub states: BTreeMap<(u32, u16), (i32, f64)>,
    /// Bits after the point of each analog output, by (group, output).
    pub outputs: BTreeMap<(u32, u16), i32>,
}

/// A plastic projection on its way to integers.
pub(super) struct Learnt {
    /// Index into the program's plastic projections.
    pub plastic: usize,
    /// What one event of payload 1 delivers.
    pub delivered: Interval,
    unit: Model,
    params: Vec<Column>,
    ranges: Vec<StateRange>,
    ports: Vec<(i32, Interval)>,
    /// Words that the modulators' weights become.
    gains: Vec<u32>,
}

/// The weights of all synapses; one if they share it.
fn weights(pr: &Projection) -> Vec<u32> {
    let of = |w: &Weights| match w {
        Weights::Uniform(w) => vec![*w; (pr.synapses() > 0) as usize],
        _ => (0..pr.synapses() as usize).map(|i| w.bits(i)).collect(),
    };
    match &pr.layout {
        Layout::Rows(r) => of(&r.weights),
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => of(weights),
        Layout::Generated(_) => vec![],
        _ => vec![],
    }
}

/// Most synapses of one target.
fn fan_in(pr: &Projection) -> u32 {
    match &pr.layout {
        Layout::Rows(r) => {
            let mut n = vec![0u32; pr.target_range.len as usize];
            r.targets.iter().for_each(|&t| n[t as usize] += 1);
            n.into_iter().max().unwrap_or(0)
        }
        Layout::Dense { .. } => pr.source_range.len,
        _ => 1,
    }
}

fn actions(m: &mut Synapse) -> Vec<(Option<usize>, &mut Action)> {
    let mut out = vec![(None, &mut m.pre), (None, &mut m.post)];
    let modulators = m.modulators.iter_mut().enumerate();
    out.extend(modulators.map(|(k, x)| (Some(k), &mut x.action)));
    out.extend(m.every.iter_mut().map(|e| (None, &mut e.action)));
    out
}

/// The synapse as a unit: states, views and then what it delivers; modulators and then a port of nothing.
fn unit(m: &Synapse) -> Model {
    let mut states: Vec<State> = vec![];
    for s in &m.states {
        let (name, width) = (s.name.clone(), s.width);
        states.push(State { name, width });
    }
    for v in &m.views {
        let name = v.name.clone();
        let width = match v.ty {
            Ty::F32 => Width::F32,
            Ty::I32 => Width::I32,
            Ty::U32 => Width::U32,
            Ty::Bool => Width::Bool,
        };
        states.push(State { name, width });
    }
    states.push(State {
        name: "delivered".into(),
        width: Width::F32,
    });
    let port = |name: &str, ty| Port {
        name: name.into(),
        ty,
        combine: Combine::Sum,
    };
    let mut ports: Vec<Port> = (m.modulators.iter()).map(|x| port(&x.name, x.ty)).collect();
    ports.push(port("", Ty::F32));
    let none = ports.len() as u16 - 1;
    let mut out = Model {
        name: m.name.clone(),
        params: m.params.clone(),
        states,
        ports,
        ..Model::default()
    };
    let mut deliver = m.deliver.clone();
    let last = out.states.len() as u16 - 1;
    deliver.stores = deliver.emit.take().map(|v| (last, v)).into_iter().collect();
    out.handlers.push(Handler {
        port: none,
        block: deliver,
    });
    for (k, a) in actions(&mut m.clone()) {
        for block in [&a.synapse, &a.source, &a.target] {
            out.handlers.push(Handler {
                port: k.map_or(none, |k| k as u16),
                block: block.clone(),
            });
        }
    }
    out
}

type Ports = Vec<(i32, Interval)>;

/// Scale and bound of each modulator, and of the port of nothing; and the words of the weights of what feeds them.
fn ports(p: &Program, x: &Plastic, m: &Synapse, n: &Neurons) -> Result<(Ports, Vec<u32>), String> {
    let mut out = vec![];
    for (k, modulator) in m.modulators.iter().enumerate() {
        let mut most = 0.0;
        for y in x.modulators.iter().filter(|y| y.port as usize == k) {
            let group = &p.groups[y.source as usize];
            if group.graded {
                return Err(format!(
                    "`{}` brings fractional values to `{}`, and nothing bounds them",
                    group.name, modulator.name
                ));
            }
            let units = if y.each { 1.0 } else { y.range.len as f64 };
            let weight = f32::from_bits(y.weight).abs() as f64;
            let one = match y.carry {
                Carry::Events => range::payload_bound(p, y.source),
                Carry::Output(o) => {
                    let state = p.model_of(y.source).map(|m| m.outputs[o as usize].state);
                    let known = state.and_then(|s| n.states.get(&(y.source, s)));
                    known.map_or(WIDE, |s| s.1)
                }
            };
            most += units * weight * one;
        }
        out.push((fraction_for(most), Interval::new(-most, most)));
    }
    let gain = |y: &Modulation| {
        let from = match y.carry {
            Carry::Events => 0,
            Carry::Output(o) => n.outputs.get(&(y.source, o)).copied().unwrap_or(0),
        };
        let fraction = out[y.port as usize].0 - from;
        scaled(f32::from_bits(y.weight) as f64, fraction) as u32
    };
    let gains = x.modulators.iter().map(gain).collect();
    out.push((0, Interval::point(0.0)));
    Ok((out, gains))
}

/// The range of a view of a neuron.
fn seen(pr: &Projection, v: &View, n: &Neurons) -> Interval {
    let at = match v.seen {
        Seen::Source(s) => (pr.source, s),
        Seen::Target(s) => (pr.target, s),
        Seen::Total(_) => return Interval::point(0.0),
    };
    let most = match v.ty {
        Ty::F32 => n.states.get(&at).map_or(WIDE, |s| s.1),
        Ty::Bool => 1.0,
        _ => i32::MAX as f64,
    };
    Interval::new(-most, most)
}

/// Ranges and scales of a plastic projection. Errors say what has no integer form.
pub(super) fn ranges(p: &Program, k: usize, neurons: &Neurons) -> Result<Learnt, String> {
    let x = &p.plastic[k];
    let m = &p.synapse_models[x.synapse as usize];
    let pr = &p.projections[x.projection as usize];
    let unit = unit(m);
    let (ports, gains) = ports(p, x, m, neurons)?;
    let params: Vec<Column> = x.params.iter().map(|w| Column::Uniform(*w)).collect();
    let start = |k: usize, ty| match k.checked_sub(1) {
        None => range::column(&Column::PerUnit(weights(pr).into()), ty),
        Some(k) => range::column(&x.init[k], ty),
    };
    let mut limits: Vec<Interval> = (m.states.iter().enumerate())
        .map(|(k, s)| match s.decay {
            Some(d) => {
                widened(start(k, s.width.ty()).hull(Interval::point(f32::from_bits(d.rest) as f64)))
            }
            None => widened(start(k, s.width.ty())),
        })
        .collect();
    limits.extend(m.views.iter().map(|v| seen(pr, v, neurons)));
    limits.push(Interval::point(0.0));
    let most = fan_in(pr) as f64;
    for round in 0..=ROUNDS {
        for (v, view) in m.views.iter().enumerate() {
            if let Seen::Total(s) = view.seen {
                let one = limits[s as usize];
                limits[m.states.len() + v] = Interval::new(most * one.low, most * one.high);
            }
        }
        let mut next = range::stores(&unit, &params, &ports, &limits)?;
        for (k, s) in m.states.iter().enumerate() {
            let Some(d) = s.decay else { continue };
            let mut without = limits.clone();
            without[k] = Interval::point(0.0);
            let gain = range::stores(&unit, &params, &ports, &without)?[k];
            // One event a step adds no more than this in the long run.
            let left = 1.0 - d.factor as f64 / 2f64.powi(64);
            next[k].low = next[k].low.max(gain.low / left);
            next[k].high = next[k].high.min(gain.high / left);
        }
        let beyond = |k: &usize| {
            let (n, l) = (next[*k], limits[*k]);
            let slack = 1e-9 * l.magnitude();
            m.states[*k].width == Width::F32 && (n.high > l.high + slack || n.low < l.low - slack)
        };
        let grown: Vec<usize> = (0..m.states.len()).filter(beyond).collect();
        let Some(&first) = grown.first() else {
            let delivered = next[unit.states.len() - 1];
            let ranges = scales(pr, m, neurons, &limits, most);
            return Ok(Learnt {
                plastic: k,
                delivered,
                unit,
                params,
                ranges,
                ports,
                gains,
            });
        };
        if round == ROUNDS {
            return Err(format!("nothing bounds `{}`", m.states[first].name));
        }
        for k in grown {
            limits[k] = widened(limits[k].hull(next[k]));
        }
    }
    Err("nothing bounds them".into())
}

/// The range with its ends at powers of 2.
fn widened(i: Interval) -> Interval {
    let end = |x: f64| match x > 0.0 {
        true => 2f64.powi(exponent(x)),
        false => 0.0,
    };
    Interval::new(-end(-i.low), end(i.high))
}

/// Scales of the states, the views and what is delivered.
fn scales(
    pr: &Projection,
    m: &Synapse,
    neurons: &Neurons,
    limits: &[Interval],
    fan_in: f64,
) -> Vec<StateRange> {
    let summed = |k: usize| m.views.iter().any(|v| v.seen == Seen::Total(k as u16));
    // A sum over the synapses of a target needs room above each of them.
    let room = fan_in.max(1.0).log2().ceil() as i32;
    let mut ranges: Vec<StateRange> = vec![];
    for (k, limit) in limits.iter().enumerate() {
        let view = k.checked_sub(m.states.len()).and_then(|v| m.views.get(v));
        let of = |at: (u32, u16)| neurons.states.get(&at).map_or(0, |s| s.0);
        let fraction = match view.map(|v| v.seen) {
            Some(Seen::Total(s)) => ranges[s as usize].fraction,
            Some(Seen::Source(s)) => of((pr.source, s)),
            Some(Seen::Target(s)) => of((pr.target, s)),
            None => (BITS - exponent(limit.magnitude()) - if summed(k) { room } else { 0 })
                .clamp(-60, 60),
        };
        ranges.push(StateRange {
            fraction,
            limit: limit.magnitude(),
            saturates: false,
            positive: limit.low >= 0.0,
        });
    }
    ranges
}

impl Learnt {
    /// Puts the integers into a program; `fraction` is the scale of the port that the projection feeds. Returns, for each float state of
    /// the synapses, its number and its bits after the point.
    pub(super) fn apply(
        mut self,
        p: &Program,
        out: &mut Program,
        fraction: i32,
    ) -> Result<Vec<(u16, i32)>, String> {
        let x = &p.plastic[self.plastic];
        let last = self.ranges.len() - 1;
        self.ranges[last] = StateRange {
            fraction,
            limit: f64::MAX,
            saturates: false,
            positive: false,
        };
        let mut cv = Converter::new(&self.unit, &self.params, &self.ports, &self.ranges);
        let mut done: Vec<Block> = vec![];
        for h in &self.unit.handlers {
            done.push(cv.block(&h.block, Some(h.port))?);
        }
        let (columns, params) = cv.columns();
        let mut m = p.synapse_models[x.synapse as usize].clone();
        let mut done = done.into_iter();
        let mut next = || done.next().unwrap_or_default();
        m.deliver = next();
        m.deliver.emit = m.deliver.stores.pop().map(|s| s.1);
        for (_, a) in actions(&mut m) {
            (a.synapse, a.source, a.target) = (next(), next(), next());
        }
        m.params = params;
        let mut scales = vec![];
        for (k, s) in m
            .states
            .iter_mut()
            .enumerate()
            .filter(|x| x.1.width == Width::F32)
        {
            s.width = Width::I32;
            let f = self.ranges[k].fraction;
            if let Some(d) = &mut s.decay {
                d.rest = scaled(f32::from_bits(d.rest) as f64, f) as u32;
            }
            scales.push((k as u16, f));
        }
        let floats = m.views.iter_mut().filter(|v| v.ty == Ty::F32);
        floats.for_each(|v| v.ty = Ty::I32);
        m.modulators.iter_mut().for_each(|x| x.ty = Ty::I32);
        let y = &mut out.plastic[self.plastic];
        y.synapse = out.synapse_models.len() as u32;
        y.params = columns.iter().map(|c| c.get(0)).collect();
        for &(k, f) in scales.iter().filter(|s| s.0 > 0) {
            let c = &mut y.init[k as usize - 1];
            *c = quantise(c, f);
        }
        for (to, &gain) in y.modulators.iter_mut().zip(&self.gains) {
            to.weight = gain;
        }
        out.synapse_models.push(m);
        if let Some(&(0, f)) = scales.first() {
            let pr = &p.projections[x.projection as usize];
            let words = weights(pr)
                .into_iter()
                .map(|w| scaled(f32::from_bits(w) as f64, f));
            let stored = Weights::from_i32(words.collect());
            match &mut out.projections[x.projection as usize].layout {
                Layout::Rows(r) => r.weights = stored,
                Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => {
                    *weights = stored
                }
                _ => {}
            }
        }
        Ok(scales)
    }
}
