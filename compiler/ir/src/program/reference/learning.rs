//! Stage by stage what [`crate::synapse`] says, for one plastic projection and one sample.

use super::{Reference, delivered, synapses, weights};
use crate::eval::{Powers, Reads, decayed, kept, run_block};
use crate::model::{Block, Ty};
use crate::program::{Carry, Layout, Modulation, Plastic, Program, Projection};
use crate::rng;
use crate::synapse::{Action, Place, Seen, Synapse};

/// The states of a plastic projection.
pub struct Learning<'a> {
    /// The projection.
    pub x: &'a Plastic,
    pub(super) pr: &'a Projection,
    m: &'a Synapse,
    /// `state[state][element]` as last stored.
    state: Vec<Vec<u32>>,
    /// `stamp[place][element]`: step of the last store to a decaying state.
    stamp: [Vec<u32>; 3],
    powers: Vec<Option<Powers>>,
    ends: Ends,
    rows: Rows,
    /// Synapses of each target.
    onto: Vec<Vec<usize>>,
}

/// Words and stamps of a plastic projection.
#[derive(Clone, Debug, Default)]
pub struct Learned {
    /// `state[state][element]` as last stored.
    pub state: Vec<Vec<u32>>,
    /// `stamp[place][element]`: step of the last store to a decaying state; places in the order of [`Place`].
    pub stamp: [Vec<u32>; 3],
}

/// What a block sees: a synapse, or a row or a target alone (the others are then of no account).
struct View<'b, 'a> {
    l: &'b Learning<'a>,
    r: &'b Reference<'a>,
    at: [usize; 3],
    /// Value of each modulator at each target.
    inputs: &'b [Vec<Option<u32>>],
    totals: &'b [Vec<u32>],
    arg: u32,
}

impl Reads for View<'_, '_> {
    fn param(&self, i: u16) -> u32 {
        self.l.x.params[i as usize]
    }
    fn state(&self, i: u16) -> u32 {
        let (l, k) = (self.l, i as usize);
        if let Some(cell) = l.m.states.get(k) {
            return l.read(k, self.at[cell.place as usize], self.r.step);
        }
        let v = k - l.m.states.len();
        match l.m.views[v].seen {
            Seen::Source(s) => {
                let unit = l.pr.source_range.start + l.rows[self.at[0]].0;
                self.r.state[l.pr.source as usize][s as usize][unit as usize]
            }
            Seen::Target(s) => {
                let unit = l.pr.target_range.start as usize + self.at[1];
                self.r.state[l.pr.target as usize][s as usize][unit]
            }
            Seen::Total(_) => self.totals[v][self.at[1]],
        }
    }
    fn port(&self, i: u16) -> u32 {
        let reached = self.inputs.get(i as usize).and_then(|t| t[self.at[1]]);
        reached.unwrap_or(0)
    }
    fn arg(&self) -> u32 {
        self.arg
    }
    fn step(&self) -> u32 {
        self.r.step
    }
    fn index(&self) -> u32 {
        self.at[2] as u32
    }
    fn rand(&self, site: u16) -> u32 {
        let element = self.l.x.base.wrapping_add(self.at[2] as u32);
        let (r, stream) = (self.r, rng::PLASTICITY);
        rng::word(r.p.seed, stream, site as u32, r.sample, r.step, element)
    }
}

fn add(ty: Ty, a: u32, b: u32) -> u32 {
    match ty {
        Ty::F32 => (f32::from_bits(a) + f32::from_bits(b)).to_bits(),
        _ => a.wrapping_add(b),
    }
}

impl<'a> Learning<'a> {
    pub(super) fn new(p: &'a Program, x: &'a Plastic) -> Self {
        let pr = &p.projections[x.projection as usize];
        let m = &p.synapse_models[x.synapse as usize];
        let (rows, ends) = ends(pr);
        let mut onto = vec![vec![]; pr.target_range.len as usize];
        for (k, (_, t)) in ends.iter().enumerate() {
            onto[*t].push(k);
        }
        let count = |place| match place {
            Place::Source => rows.len(),
            Place::Target => pr.target_range.len as usize,
            Place::Synapse => ends.len(),
        };
        let places = [Place::Source, Place::Target, Place::Synapse];
        let initial = |k: usize, i: usize| match k.checked_sub(1) {
            None => weights(pr).bits(i),
            Some(k) => x.init[k].get(i),
        };
        let words = |k: usize| {
            let cell = &m.states[k];
            let n = count(cell.place);
            (0..n).map(|i| kept(initial(k, i), cell.width)).collect()
        };
        let powers = |c: &crate::synapse::Cell| {
            let d = c.decay?;
            Some(Powers::new(d.factor, c.width.ty()))
        };
        Learning {
            x,
            pr,
            m,
            state: (0..m.states.len()).map(words).collect(),
            stamp: places.map(|place| vec![0; count(place)]),
            powers: m.states.iter().map(powers).collect(),
            ends,
            rows,
            onto,
        }
    }

    pub(super) fn put_down(self) -> Learned {
        Learned {
            state: self.state,
            stamp: self.stamp,
        }
    }

    pub(super) fn take_up(p: &'a Program, x: &'a Plastic, from: Learned) -> Self {
        Learning {
            state: from.state,
            stamp: from.stamp,
            ..Learning::new(p, x)
        }
    }

    /// A state of an element as it stands in `step`.
    fn read(&self, k: usize, i: usize, step: u32) -> u32 {
        let cell = &self.m.states[k];
        let v = self.state[k][i];
        match (cell.decay, &self.powers[k]) {
            (Some(d), Some(p)) => {
                let steps = step - self.stamp[cell.place as usize][i];
                kept(decayed(v, d.rest, p, steps), cell.width)
            }
            _ => v,
        }
    }

    /// All words of a state as they stand in `step`.
    pub(super) fn words(&self, state: u16, step: u32) -> Vec<u32> {
        let k = state as usize;
        let n = self.state[k].len();
        (0..n).map(|i| self.read(k, i, step)).collect()
    }

    /// What synapse `k` multiplies a payload with in this step.
    pub(super) fn deliver(&self, r: &Reference<'a>, k: usize) -> u32 {
        let v = self.view(r, self.at(k), &[], &[], 0);
        let mut values = vec![];
        run_block(&self.m.deliver, &v, &mut values);
        values[self.m.deliver.emit.expect("checked") as usize]
    }

    /// Row, target and number of synapse `k`.
    fn at(&self, k: usize) -> [usize; 3] {
        [self.ends[k].0, self.ends[k].1, k]
    }

    fn view<'b>(
        &'b self,
        r: &'b Reference<'a>,
        at: [usize; 3],
        inputs: &'b [Vec<Option<u32>>],
        totals: &'b [Vec<u32>],
        arg: u32,
    ) -> View<'b, 'a> {
        View {
            l: self,
            r,
            at,
            inputs,
            totals,
            arg,
        }
    }

    /// Stage 5 of a step.
    pub(super) fn step(&mut self, r: &Reference<'a>) {
        let (m, pr) = (self.m, self.pr);
        let inputs = self.inputs(r);
        for (source, age, _) in r.arriving(pr) {
            let mut of_row = vec![];
            synapses(pr, source, age, |k, _| of_row.push(k));
            // A source has one row for a delay, which may have no synapse.
            let first = self.rows.partition_point(|w| *w < (source, age as u16));
            let row =
                (first..first + 1).filter(|i| self.rows.get(*i) == Some(&(source, age as u16)));
            let row: Vec<usize> = row.collect();
            self.act(r, &m.pre, (&of_row, &row, &[]), &inputs, &[], None);
        }
        let heard = r.history.get(self.x.post_delay as usize);
        for &(unit, _) in heard.map_or(&[][..], |groups| &groups[pr.target as usize]) {
            if let Some(t) = unit.checked_sub(pr.target_range.start)
                && t < pr.target_range.len
            {
                self.at_target(r, &m.post, t as usize, &inputs, None);
            }
        }
        for (k, modulator) in m.modulators.iter().enumerate() {
            for (t, reached) in inputs[k].iter().enumerate() {
                if let Some(value) = *reached {
                    self.at_target(r, &modulator.action, t, &inputs, Some(value));
                }
            }
        }
        for e in &m.every {
            if (r.step as u64 + 1).is_multiple_of(e.period as u64) {
                let totals = self.totals(r.step);
                let all: [Vec<usize>; 3] = [
                    (0..self.ends.len()).collect(),
                    (0..self.rows.len()).collect(),
                    (0..pr.target_range.len as usize).collect(),
                ];
                let on = (&all[0][..], &all[1][..], &all[2][..]);
                self.act(r, &e.action, on, &inputs, &totals, None);
            }
        }
    }

    fn at_target(
        &mut self,
        r: &Reference<'a>,
        action: &Action,
        t: usize,
        inputs: &[Vec<Option<u32>>],
        arg: Option<u32>,
    ) {
        let synapses = std::mem::take(&mut self.onto[t]);
        self.act(r, action, (&synapses, &[], &[t]), inputs, &[], arg);
        self.onto[t] = synapses;
    }

    /// Runs an action on synapses, then on rows, then on targets.
    fn act(
        &mut self,
        r: &Reference<'a>,
        action: &Action,
        (on, rows, targets): (&[usize], &[usize], &[usize]),
        inputs: &[Vec<Option<u32>>],
        totals: &[Vec<u32>],
        arg: Option<u32>,
    ) {
        let sides = [
            (Place::Synapse, &action.synapse, on),
            (Place::Source, &action.source, rows),
            (Place::Target, &action.target, targets),
        ];
        for (place, block, elements) in sides {
            for &i in elements {
                let at = match place {
                    Place::Synapse => self.at(i),
                    Place::Source => [i, 0, 0],
                    Place::Target => [0, i, 0],
                };
                let view = self.view(r, at, inputs, totals, arg.unwrap_or(0));
                let mut values = vec![];
                run_block(block, &view, &mut values);
                self.store(place, block, i, &values, r.step);
            }
        }
    }

    fn store(&mut self, place: Place, block: &Block, i: usize, values: &[u32], step: u32) {
        let m = self.m;
        let decays = |s: u16| m.states[s as usize].decay.is_some();
        if block.stores.iter().any(|&(s, _)| decays(s)) {
            for (k, cell) in m.states.iter().enumerate() {
                if cell.place == place && cell.decay.is_some() {
                    self.state[k][i] = self.read(k, i, step);
                }
            }
            self.stamp[place as usize][i] = step;
        }
        for &(s, v) in &block.stores {
            self.state[s as usize][i] = kept(values[v as usize], m.states[s as usize].width);
        }
    }

    /// Sums of per-synapse states for each view that wants one: `totals[view][target]`.
    fn totals(&self, step: u32) -> Vec<Vec<u32>> {
        let of = |v: &crate::synapse::View| {
            let mut sums = vec![0; self.pr.target_range.len as usize];
            if let Seen::Total(s) = v.seen {
                for (k, (_, t)) in self.ends.iter().enumerate() {
                    sums[*t] = add(v.ty, sums[*t], self.read(s as usize, k, step));
                }
            }
            sums
        };
        self.m.views.iter().map(of).collect()
    }

    /// What reached each modulator at each target in this step.
    fn inputs(&self, r: &Reference<'a>) -> Vec<Vec<Option<u32>>> {
        let targets = self.pr.target_range.len as usize;
        let mut inputs = vec![vec![None; targets]; self.m.modulators.len()];
        for x in &self.x.modulators {
            let ty = self.m.modulators[x.port as usize].ty;
            for (i, value) in arrivals(r, x, ty) {
                let reached = match x.each {
                    true => i..i + 1,
                    false => 0..targets,
                };
                for slot in &mut inputs[x.port as usize][reached] {
                    *slot = Some(add(ty, slot.unwrap_or(0), value));
                }
            }
        }
        inputs
    }
}

/// What a source of a modulator sends in this step: unit (counted from the range's start) and weighted value.
fn arrivals(r: &Reference, x: &Modulation, ty: Ty) -> Vec<(usize, u32)> {
    let (age, g) = (x.delay as usize, x.source as usize);
    let units = x.range.start..x.range.start + x.range.len;
    let raw: Vec<(u32, u32, bool)> = match x.carry {
        _ if age >= r.history.len() => vec![],
        Carry::Events => {
            let graded = r.p.groups[g].graded;
            let events = r.history[age][g].iter();
            let inside = events.filter(|e| units.contains(&e.0));
            inside.map(|e| (e.0, e.1, graded)).collect()
        }
        Carry::Output(o) => {
            let m = r.p.model_of(x.source).expect("checked");
            match r.analog[age][g].get(m.outputs[o as usize].state as usize) {
                Some(words) => units.map(|i| (i, words[i as usize], true)).collect(),
                None => vec![],
            }
        }
    };
    let local = |(i, word, float): (u32, u32, bool)| {
        let unit = (i - x.range.start) as usize;
        (unit, delivered(word, float, x.weight, ty))
    };
    raw.into_iter().map(local).collect()
}

/// Source, counted from the start of the range, and delay of each row.
type Rows = Vec<(u32, u16)>;
/// Row and target of each synapse.
type Ends = Vec<(usize, usize)>;

/// Rows (source, delay), and for each synapse its row and target.
fn ends(pr: &Projection) -> (Rows, Ends) {
    let (sources, targets) = (pr.source_range.len, pr.target_range.len as usize);
    match &pr.layout {
        Layout::Rows(r) => {
            let (mut rows, mut ends) = (vec![], vec![]);
            for source in 0..sources {
                let (first, last) = (r.row[source as usize], r.row[source as usize + 1]);
                for run in &r.runs[first as usize..last as usize] {
                    let synapses = run.start as usize..(run.start + run.len) as usize;
                    ends.extend(synapses.map(|k| (rows.len(), r.targets[k] as usize)));
                    rows.push((source, run.delay));
                }
            }
            (rows, ends)
        }
        Layout::Dense { delay, .. } => {
            let all = sources as usize * targets;
            (
                (0..sources).map(|s| (s, *delay)).collect(),
                (0..all).map(|k| (k / targets, k % targets)).collect(),
            )
        }
        // Plastic projections never stay rules.
        Layout::Generated(_) => (vec![], vec![]),
        Layout::OneToOne { delay, .. } => (
            (0..sources).map(|s| (s, *delay)).collect(),
            (0..sources as usize).map(|k| (k, k)).collect(),
        ),
    }
}
