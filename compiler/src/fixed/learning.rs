//! Plastic projections in scaled integers: traces, weights and what is delivered each get a scale that follows from their range.
//!
//! Comes in: a float program. Goes out: a synapse model of integers for each plastic projection, first without the scale of what it
//! delivers, which the target's port gives. A synapse is seen as a unit whose states are its traces and its weight, whose ports are
//! its modulators, and whose handlers are its blocks. A trace that falls between events is bounded by what a step can add to it
//! over its memory; whatever else keeps growing is refused.

use super::block::Converter;
use super::range::{self, Interval};
use super::{BITS, StateRange, exponent, fraction_for, quantise, scaled};
use synfire_ir::model::{Block, Combine, Handler, Model, Port, State, Ty, Width};
use synfire_ir::program::{Carry, Column, Layout, Plastic, Program, Projection, Weights};
use synfire_ir::synapse::{Action, Seen, Synapse};

/// Rounds of growing ranges before a state is taken as unbounded.
const ROUNDS: usize = 100;

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
        let (name, width) = (v.name.clone(), Width::F32);
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

/// Scale and bound of each modulator, and of the port of nothing.
fn ports(p: &Program, x: &Plastic, m: &Synapse) -> Result<Vec<(i32, Interval)>, String> {
    let mut out = vec![];
    for (k, modulator) in m.modulators.iter().enumerate() {
        let mut most = 0.0;
        for y in x.modulators.iter().filter(|y| y.port as usize == k) {
            let name = &p.groups[y.source as usize].name;
            if p.groups[y.source as usize].graded || y.carry != Carry::Events {
                return Err(format!(
                    "`{name}` brings fractional values to `{}`, and nothing bounds them",
                    modulator.name
                ));
            }
            let units = if y.each { 1.0 } else { y.range.len as f64 };
            let weight = f32::from_bits(y.weight).abs() as f64;
            most += units * weight * range::payload_bound(p, y.source);
        }
        out.push((fraction_for(most), Interval::new(-most, most)));
    }
    out.push((0, Interval::point(0.0)));
    Ok(out)
}

/// Ranges and scales of a plastic projection. Errors say what has no integer form.
pub(super) fn ranges(p: &Program, k: usize) -> Result<Learnt, String> {
    let x = &p.plastic[k];
    let m = &p.synapse_models[x.synapse as usize];
    let pr = &p.projections[x.projection as usize];
    if m.views.iter().any(|v| !matches!(v.seen, Seen::Total(_))) {
        return Err("they read variables of neurons".into());
    }
    let (unit, ports) = (unit(m), ports(p, x, m)?);
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
    limits.resize(unit.states.len(), Interval::point(0.0));
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
            return Ok(finish(k, m, unit, params, (limits, most), ports, delivered));
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

fn finish(
    plastic: usize,
    m: &Synapse,
    unit: Model,
    params: Vec<Column>,
    (limits, fan_in): (Vec<Interval>, f64),
    ports: Vec<(i32, Interval)>,
    delivered: Interval,
) -> Learnt {
    let summed = |k: usize| m.views.iter().any(|v| v.seen == Seen::Total(k as u16));
    // A sum over the synapses of a target needs room above each of them.
    let room = fan_in.max(1.0).log2().ceil() as i32;
    let mut ranges: Vec<StateRange> = vec![];
    for (k, limit) in limits.iter().enumerate() {
        let fraction = match k.checked_sub(m.states.len()) {
            Some(v) if v < m.views.len() => match m.views[v].seen {
                Seen::Total(s) => ranges[s as usize].fraction,
                _ => 0,
            },
            _ => (BITS - exponent(limit.magnitude()) - if summed(k) { room } else { 0 })
                .clamp(-60, 60),
        };
        ranges.push(StateRange {
            fraction,
            limit: limit.magnitude(),
            saturates: false,
            positive: limit.low >= 0.0,
        });
    }
    Learnt {
        plastic,
        delivered,
        unit,
        params,
        ranges,
        ports,
    }
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
        m.views.iter_mut().for_each(|v| v.ty = Ty::I32);
        m.modulators.iter_mut().for_each(|x| x.ty = Ty::I32);
        let y = &mut out.plastic[self.plastic];
        y.synapse = out.synapse_models.len() as u32;
        y.params = columns.iter().map(|c| c.get(0)).collect();
        for &(k, f) in scales.iter().filter(|s| s.0 > 0) {
            let c = &mut y.init[k as usize - 1];
            *c = quantise(c, f);
        }
        for (to, from) in y.modulators.iter_mut().zip(&x.modulators) {
            let f = self.ports[from.port as usize].0;
            to.weight = scaled(f32::from_bits(from.weight) as f64, f) as u32;
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
