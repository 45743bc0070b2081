//! The reference: one unit at a time, one event at a time, in the words of [`crate::program`]. Slow and plain, so that it can
//! be read as the definition; every engine is compared with it. Plastic projections are in [`learning`].

mod learning;
mod serial;

use super::{Carry, Column, GroupKind, Layout, Program, Projection, Weights};
use crate::eval::{Reads, run_block, unary};
use crate::model::{Combine, Model, Ty, UnOp};
use crate::rng;
use std::collections::{BTreeMap, VecDeque};

pub use learning::{Learned, Learning};

/// What left a serial program, in order: (step, address).
pub type SerialSpike = (u32, u32);

/// Runs one sample of a checked program. It takes no rules: callers pass [`Program::expanded`].
pub struct Reference<'a> {
    p: &'a Program,
    sample: u32,
    step: u32,
    /// `state[group][state][unit]`.
    pub state: Vec<Vec<Vec<u32>>>,
    /// Emissions of the last `max_delay + 1` steps, newest first: `[age][group] = (unit, payload)`, ascending in unit.
    history: VecDeque<Vec<Vec<(u32, u32)>>>,
    /// Analog outputs of the same steps: `[age][group][state][unit]`, for groups that have outputs.
    analog: VecDeque<Vec<Vec<Vec<u32>>>>,
    /// Output of a serial program so far, in order.
    pub out: Vec<SerialSpike>,
    /// Pushes into a full queue so far.
    pub lost: u64,
    due: BTreeMap<u32, Vec<u32>>,
    /// States of the plastic projections, in the order of [`Program::plastic`].
    pub learning: Vec<Learning<'a>>,
}

/// What a [`Reference`] holds between two steps, without the program.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// Number of the next step.
    pub step: u32,
    /// `[group][state][unit]`.
    pub state: Vec<Vec<Vec<u32>>>,
    /// Emissions of the last steps, newest first: `[age][group] = (unit, payload)`, ascending in unit; the first are those of step - 1.
    pub history: VecDeque<Vec<Vec<(u32, u32)>>>,
    /// Analog outputs of the same steps: `[age][group][state][unit]`.
    pub analog: VecDeque<Vec<Vec<Vec<u32>>>>,
    /// Output of a serial program so far, in order.
    pub out: Vec<SerialSpike>,
    /// Pushes into a full queue so far.
    pub lost: u64,
    /// Rows that the host of a serial program sends back, by step.
    pub due: BTreeMap<u32, Vec<u32>>,
    /// One for each plastic projection, in the order of [`Program::plastic`].
    pub learned: Vec<Learned>,
}

struct Unit<'a> {
    params: &'a [Column],
    state: &'a [Vec<u32>],
    ports: &'a [Vec<u32>],
    i: usize,
    arg: u32,
    step: u32,
    sample: u32,
    seed: u64,
    base: u32,
}

impl Reads for Unit<'_> {
    fn param(&self, i: u16) -> u32 {
        self.params[i as usize].get(self.i)
    }
    fn state(&self, i: u16) -> u32 {
        self.state[i as usize][self.i]
    }
    fn port(&self, i: u16) -> u32 {
        self.ports.get(i as usize).map_or(0, |words| words[self.i])
    }
    fn arg(&self) -> u32 {
        self.arg
    }
    fn step(&self) -> u32 {
        self.step
    }
    fn index(&self) -> u32 {
        self.i as u32
    }
    fn rand(&self, site: u16) -> u32 {
        rng::word(
            self.seed,
            rng::NOISE,
            site as u32,
            self.sample,
            self.step,
            self.base + self.i as u32,
        )
    }
}

/// `payload * weight` in the port's type.
fn delivered(payload: u32, graded: bool, weight: u32, ty: Ty) -> u32 {
    if ty == Ty::F32 {
        let x = if graded {
            payload
        } else {
            unary(UnOp::ToF32, Ty::I32, payload)
        };
        (f32::from_bits(x) * f32::from_bits(weight)).to_bits()
    } else {
        payload.wrapping_mul(weight)
    }
}

impl<'a> Reference<'a> {
    /// The initial state of sample `sample`. The program must have passed [`super::check`].
    pub fn new(p: &'a Program, sample: u32) -> Self {
        let state = p
            .groups
            .iter()
            .map(|g| match &g.kind {
                GroupKind::External => vec![],
                GroupKind::Units { init, .. } => init
                    .iter()
                    .map(|c| (0..g.size as usize).map(|i| c.get(i)).collect())
                    .collect(),
            })
            .collect();
        Reference {
            p,
            sample,
            step: 0,
            state,
            history: VecDeque::new(),
            analog: VecDeque::new(),
            out: vec![],
            lost: 0,
            due: BTreeMap::new(),
            learning: p.plastic.iter().map(|x| Learning::new(p, x)).collect(),
        }
    }

    /// Puts down what it holds; [`Self::resume`] takes it up again.
    pub fn suspend(self) -> Held {
        Held {
            step: self.step,
            state: self.state,
            history: self.history,
            analog: self.analog,
            out: self.out,
            lost: self.lost,
            due: self.due,
            learned: self.learning.into_iter().map(Learning::put_down).collect(),
        }
    }

    /// Goes on with what a reference of the same program and sample put down.
    pub fn resume(p: &'a Program, sample: u32, held: Held) -> Self {
        let taken = p.plastic.iter().zip(held.learned);
        Reference {
            p,
            sample,
            step: held.step,
            state: held.state,
            history: held.history,
            analog: held.analog,
            out: held.out,
            lost: held.lost,
            due: held.due,
            learning: taken.map(|(x, l)| Learning::take_up(p, x, l)).collect(),
        }
    }

    /// Words of a state of a plastic projection after the last step, one for each element of the state's place; `None` if the
    /// projection does not learn.
    pub fn synapses(&self, projection: u32, state: u16) -> Option<Vec<u32>> {
        let l = (self.learning.iter()).find(|l| l.x.projection == projection)?;
        Some(l.words(state, self.step.saturating_sub(1)))
    }

    /// One step of a stepped program. `input` holds (group, unit, payload) of external groups, in any order; several
    /// events of one unit are several events. Returns the emissions of every group: (unit, payload), ascending.
    pub fn step(&mut self, input: &[(u32, u32, u32)]) -> Vec<Vec<(u32, u32)>> {
        let keep = self.p.max_delay() as usize + 1;
        let mut now: Vec<Vec<(u32, u32)>> = vec![vec![]; self.p.groups.len()];
        for &(g, i, x) in input {
            now[g as usize].push((i, x));
        }
        now.iter_mut().for_each(|l| l.sort_by_key(|e| e.0));
        self.history.push_front(now);
        self.history.truncate(keep);
        self.analog
            .push_front(self.p.groups.iter().map(|_| vec![]).collect());
        self.analog.truncate(keep);
        for phase in 0..self.p.phases() {
            for g in 0..self.p.groups.len() {
                if self.p.groups[g].phase == phase
                    && matches!(self.p.groups[g].kind, GroupKind::Units { .. })
                {
                    self.update(g);
                }
            }
        }
        let mut learning = std::mem::take(&mut self.learning);
        learning.iter_mut().for_each(|l| l.step(self));
        self.learning = learning;
        self.step += 1;
        self.history[0].clone()
    }

    fn update(&mut self, g: usize) {
        let group = &self.p.groups[g];
        let GroupKind::Units { model, params, .. } = &group.kind else {
            return;
        };
        let m = &self.p.models[*model as usize];
        let mut ports: Vec<Vec<u32>> = vec![vec![0; group.size as usize]; m.ports.len()];
        for pr in self
            .p
            .projections
            .iter()
            .filter(|pr| pr.target as usize == g && m.handler(pr.port).is_none())
        {
            self.accumulate(pr, m, &mut ports[pr.port as usize]);
        }
        for (k, port) in m.ports.iter().enumerate() {
            ports[k].iter_mut().for_each(|x| match port.combine {
                Combine::Or => *x = (*x != 0) as u32,
                Combine::SatSum(top) => *x = (*x).min(top),
                _ => {}
            });
        }
        let mut values = vec![];
        let events = self.ordered_events(g, m);
        let mut state = std::mem::take(&mut self.state[g]);
        for (unit, port, value) in events {
            let block = &m
                .handler(port)
                .expect("only ports with handlers give events")
                .block;
            let u = self.unit(params, &state, &ports, unit, value, group.base);
            run_block(block, &u, &mut values);
            block
                .stores
                .iter()
                .for_each(|&(s, v)| state[s as usize][unit] = values[v as usize]);
        }
        let mut emitted = vec![];
        for i in 0..group.size as usize {
            let u = self.unit(params, &state, &ports, i, 0, group.base);
            run_block(&m.step, &u, &mut values);
            m.step
                .stores
                .iter()
                .for_each(|&(s, v)| state[s as usize][i] = values[v as usize]);
            if let Some(v) = m.step.emit
                && values[v as usize] != 0
            {
                emitted.push((i as u32, values[v as usize]));
            }
        }
        if !m.outputs.is_empty() {
            self.analog[0][g] = state.clone();
        }
        self.state[g] = state;
        self.history[0][g] = emitted;
    }

    fn unit<'b>(
        &self,
        params: &'b [Column],
        state: &'b [Vec<u32>],
        ports: &'b [Vec<u32>],
        i: usize,
        arg: u32,
        base: u32,
    ) -> Unit<'b> {
        Unit {
            params,
            state,
            ports,
            i,
            arg,
            step: self.step,
            sample: self.sample,
            seed: self.p.seed,
            base,
        }
    }

    /// Visits what `pr` delivers in this step: `f(source, origin age, target, value)`, sources ascending, then ages
    /// descending (older first), then targets.
    fn visit(&self, pr: &Projection, ty: Ty, mut f: impl FnMut(u32, usize, usize, u32)) {
        let graded = self.p.groups[pr.source as usize].graded;
        let learning = (self.learning.iter()).find(|l| std::ptr::eq(l.pr, pr));
        let mut go = |source: u32, age: usize, x: u32, float: bool| {
            synapses(pr, source, age, |k, t| {
                let w = match learning {
                    Some(l) => l.deliver(self, k),
                    None => weights(pr).bits(k),
                };
                let target = (pr.target_range.start + t) as usize;
                f(source, age, target, delivered(x, float, w, ty))
            })
        };
        match pr.carry {
            Carry::Events => {
                for (source, age, x) in self.arriving(pr) {
                    go(source, age, x, graded);
                }
            }
            Carry::Output(o) => {
                let m = self.p.model_of(pr.source).expect("checked");
                let s = m.outputs[o as usize].state as usize;
                for source in 0..pr.source_range.len {
                    for age in (0..self.history.len()).rev() {
                        let unit = (pr.source_range.start + source) as usize;
                        if let Some(v) = self.analog[age][pr.source as usize].get(s) {
                            go(source, age, v[unit], true);
                        }
                    }
                }
            }
        }
    }

    /// Events of the source within reach of the projection: (source, age, payload), sources ascending, then older first.
    fn arriving(&self, pr: &Projection) -> Vec<(u32, usize, u32)> {
        let Some((least, most)) = pr.delays() else {
            return vec![];
        };
        let mut out = vec![];
        let ages = least as usize..(most as usize + 1).min(self.history.len());
        for age in ages.rev() {
            for &(unit, x) in &self.history[age][pr.source as usize] {
                let source = unit.checked_sub(pr.source_range.start);
                if let Some(source) = source.filter(|s| *s < pr.source_range.len) {
                    out.push((source, age, x));
                }
            }
        }
        out.sort_by_key(|e| e.0);
        out
    }

    fn accumulate(&self, pr: &Projection, m: &Model, acc: &mut [u32]) {
        let port = &m.ports[pr.port as usize];
        self.visit(pr, port.ty, |_, _, t, x| {
            acc[t] = match (port.combine, port.ty) {
                (Combine::Max, Ty::I32) => (acc[t] as i32).max(x as i32) as u32,
                (Combine::Max, _) => f32::from_bits(acc[t]).max(f32::from_bits(x)).to_bits(),
                (_, Ty::F32) => (f32::from_bits(acc[t]) + f32::from_bits(x)).to_bits(),
                _ => acc[t].wrapping_add(x),
            }
        });
    }

    /// Events at ports with handlers in canonical order: (unit, port, value).
    fn ordered_events(&self, g: usize, m: &Model) -> Vec<(usize, u16, u32)> {
        let mut list = vec![];
        for (k, pr) in self.p.projections.iter().enumerate() {
            if pr.target as usize == g && m.handler(pr.port).is_some() {
                let ty = m.ports[pr.port as usize].ty;
                self.visit(pr, ty, |source, age, t, x| {
                    let source = pr.source_range.start + source;
                    let n = list.len();
                    list.push(((pr.source, source, usize::MAX - age, k, n), (t, pr.port, x)));
                });
            }
        }
        list.sort_by_key(|e| e.0);
        list.into_iter().map(|e| e.1).collect()
    }
}

/// Synapses of one source whose delay is `age`: `f(number, target)`.
fn synapses(pr: &Projection, source: u32, age: usize, mut f: impl FnMut(usize, u32)) {
    match &pr.layout {
        Layout::Rows(r) => {
            let runs =
                &r.runs[r.row[source as usize] as usize..r.row[source as usize + 1] as usize];
            for run in runs.iter().filter(|run| run.delay as usize == age) {
                for k in run.start as usize..(run.start + run.len) as usize {
                    f(k, r.targets[k]);
                }
            }
        }
        Layout::Dense { delay, .. } if *delay as usize == age => {
            let n = pr.target_range.len;
            let row = source as usize * n as usize;
            (0..n).for_each(|t| f(row + t as usize, t));
        }
        Layout::OneToOne { delay, .. } if *delay as usize == age => f(source as usize, source),
        _ => {}
    }
}

/// Weights in the order of the layout: of a plastic projection those at the start.
fn weights(pr: &Projection) -> &Weights {
    match &pr.layout {
        Layout::Rows(r) => &r.weights,
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
        Layout::Generated(_) => &Weights::Uniform(0),
    }
}
