//! Learning: the words of one tile's plastic synapses, what they deliver, and what the rules make of them after a step.
//!
//! In: a [`Lesson`], the emissions of sources and of the tile's own units. Out: weights, traces of rows and of targets. A
//! trace is kept as it was last stored, with the step of that; all traces of a side are brought to the present once in a
//! step in which some rule reads them.
//!
//! Invariant: rules run in the order of `synfire_ir::synapse`; a synapse belongs to the worker that owns its target, and traces of
//! rows are computed alike by all workers, so that nothing depends on the number of threads.

use super::lesson::{Lesson, Rule, initial, within};
use super::spikes::{History, List};
use synfire_ir::eval::{Reads, decayed, kept, run_block};
use synfire_ir::model::Block;
use synfire_ir::program::{Layout, Plastic, Program, Projection};
use synfire_ir::synapse::{Place, Synapse};
use synfire_kernels::cpu::deliver::{Fold, Row, scatter};
use synfire_kernels::cpu::{Isa, Leaf, Noise, Registers, Units, Words};

/// States of one side, rows or targets.
#[derive(Clone, Debug, Default)]
struct Traces {
    /// By state of the model; empty where it lives elsewhere.
    words: Vec<Vec<u32>>,
    /// Step of the last store to a decaying state.
    stamp: Vec<u32>,
    /// `words` in the step that `fresh` names, less one.
    now: Vec<Vec<u32>>,
    fresh: Option<u32>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Learner {
    weights: Vec<u32>,
    rows: Traces,
    targets: Traces,
    /// Runs that fall due in this step, and their factors; by source, then older first.
    due: Vec<(u32, u32)>,
    found: Vec<(u32, u32, u32, u32)>,
    gathered: Vec<Vec<u32>>,
    places: Vec<u32>,
}

/// What a worker lends.
pub(super) struct Lent<'a> {
    pub isa: Isa,
    pub regs: &'a mut Registers,
    pub scalars: &'a mut Vec<u32>,
}

/// What is the same in a step.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    pub lesson: &'a Lesson,
    pub x: &'a Plastic,
    pub m: &'a Synapse,
    pub step: u32,
}

impl<'a> Now<'a> {
    pub fn new(p: &'a Program, lesson: &'a Lesson, step: u32) -> Self {
        let x = &p.plastic[lesson.plastic];
        Now {
            lesson,
            x,
            m: &p.synapse_models[x.synapse as usize],
            step,
        }
    }
}

impl Traces {
    fn new(m: &Synapse, place: Place, n: usize, word: impl Fn(usize, usize) -> u32) -> Self {
        let column = |k: usize| match m.states[k].place == place {
            true => (0..n).map(|i| word(k, i)).collect(),
            false => vec![],
        };
        Traces {
            words: (0..m.states.len()).map(column).collect(),
            stamp: vec![0; n],
            now: vec![vec![]; m.states.len()],
            fresh: None,
        }
    }

    fn read(&self, now: Now<'_>, k: usize, i: usize) -> u32 {
        let cell = &now.m.states[k];
        match (cell.decay, &now.lesson.powers[k]) {
            (Some(d), Some(p)) => {
                let steps = now.step - self.stamp[i];
                kept(decayed(self.words[k][i], d.rest, p, steps), cell.width)
            }
            _ => self.words[k][i],
        }
    }

    /// Brings state `k` of all elements to the present.
    fn bring(&mut self, now: Now<'_>) {
        if self.fresh == Some(now.step) {
            return;
        }
        self.fresh = Some(now.step);
        for k in 0..self.words.len() {
            let n = self.words[k].len();
            self.now[k].resize(n, 0);
            for i in 0..n {
                self.now[k][i] = self.read(now, k, i);
            }
        }
    }

    /// Runs a block on one element.
    fn act(&mut self, now: Now<'_>, block: &Block, i: usize, values: &mut Vec<u32>) {
        if block.stores.is_empty() {
            return;
        }
        run_block(block, &Element { now, of: self, i }, values);
        let decays = |k: usize| now.m.states[k].decay.is_some();
        if block.stores.iter().any(|s| decays(s.0 as usize)) {
            for k in (0..self.words.len()).filter(|&k| decays(k)) {
                if !self.words[k].is_empty() {
                    self.words[k][i] = self.read(now, k, i);
                }
            }
            self.stamp[i] = now.step;
        }
        for &(k, v) in &block.stores {
            let word = kept(values[v as usize], now.m.states[k as usize].width);
            self.words[k as usize][i] = word;
        }
        if self.fresh == Some(now.step) {
            for k in (0..self.words.len()).filter(|&k| !self.words[k].is_empty()) {
                self.now[k][i] = self.read(now, k, i);
            }
        }
    }
}

/// A row or a target alone.
struct Element<'a> {
    now: Now<'a>,
    of: &'a Traces,
    i: usize,
}

impl Reads for Element<'_> {
    fn param(&self, i: u16) -> u32 {
        self.now.x.params[i as usize]
    }
    fn state(&self, k: u16) -> u32 {
        match self.of.words.get(k as usize) {
            Some(w) if !w.is_empty() => self.of.read(self.now, k as usize, self.i),
            _ => 0,
        }
    }
    fn port(&self, _: u16) -> u32 {
        0
    }
    fn arg(&self) -> u32 {
        0
    }
    fn step(&self) -> u32 {
        self.now.step
    }
    fn index(&self) -> u32 {
        0
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}

impl Learner {
    /// The initial words of a tile.
    pub fn new(p: &Program, lesson: &Lesson) -> Self {
        let x = &p.plastic[lesson.plastic];
        let m = &p.synapse_models[x.synapse as usize];
        let pr = &p.projections[x.projection as usize];
        let mut weights = Vec::with_capacity(lesson.targets.len());
        if let Layout::Rows(rows) = &pr.layout {
            let low = lesson.part.2;
            for run in 0..rows.runs.len() {
                let inside = within(rows, run, (low, low + lesson.part.1));
                weights.extend(inside.map(|k| rows.weights.bits(k)));
            }
        }
        let first = lesson.part.2 as usize;
        let targets = lesson.part.1 as usize;
        Learner {
            weights,
            rows: Traces::new(m, Place::Source, lesson.runs(), |k, i| initial(x, m, k, i)),
            targets: Traces::new(m, Place::Target, targets, |k, i| {
                initial(x, m, k, first + i)
            }),
            due: vec![],
            found: vec![],
            gathered: vec![vec![]; m.states.len()],
            places: vec![],
        }
    }

    /// Finds what falls due in `step` and delivers it into the accumulator of the tile's port.
    pub fn deliver(
        &mut self,
        lesson: &Lesson,
        history: &[History],
        step: u32,
        acc: &mut [u32],
    ) -> u64 {
        self.found.clear();
        for &delay in &lesson.delays {
            let Some(then) = step.checked_sub(delay as u32) else {
                continue;
            };
            for &(tile, start) in &lesson.from {
                for (unit, x) in history[tile].list(then).iter() {
                    let source = (start + unit).checked_sub(lesson.first);
                    if let Some(source) = source
                        && let Some(run) = lesson.run(source, delay)
                    {
                        self.found
                            .push((source, then, run, lesson.payload.factor(x)));
                    }
                }
            }
        }
        if lesson.delays.len() > 1 {
            self.found.sort_by_key(|f| (f.0, f.1));
        }
        self.due.clear();
        self.due.extend(self.found.iter().map(|f| (f.2, f.3)));
        let synapses = |run: u32| {
            let r = run as usize;
            lesson.start[r] as usize..lesson.start[r + 1] as usize
        };
        let row = match lesson.fold {
            Fold::AddF32 | Fold::MaxF32 => Row::F32(bytemuck::cast_slice(&self.weights)),
            _ => Row::I32(bytemuck::cast_slice(&self.weights)),
        };
        let events = self.due.iter().map(|&(run, x)| (synapses(run), x));
        scatter(lesson.fold, acc, &lesson.targets, row, events)
    }

    /// The rules after a step in which the tile emitted `list`.
    pub fn step(&mut self, now: Now<'_>, list: &List, lent: &mut Lent<'_>) {
        let mut values = vec![];
        let due = std::mem::take(&mut self.due);
        let lesson = now.lesson;
        for &(run, _) in &due {
            if !lesson.pre.synapses.is_empty() {
                self.targets.bring(now);
                self.before(now, run as usize, lent);
            }
            self.rows
                .act(now, &lesson.pre.end, run as usize, &mut values);
        }
        self.due = due;
        let (first, n, _) = lesson.part;
        for (unit, _) in list.iter() {
            let Some(t) = unit.checked_sub(first).filter(|t| *t < n) else {
                continue;
            };
            if !lesson.post.synapses.is_empty() {
                self.rows.bring(now);
                self.after(now, t as usize, lent);
            }
            self.targets
                .act(now, &lesson.post.end, t as usize, &mut values);
        }
    }

    /// The rule of an arrival on the synapses of a run.
    fn before(&mut self, now: Now<'_>, run: usize, lent: &mut Lent<'_>) {
        let lesson = now.lesson;
        let all = lesson.start[run] as usize..lesson.start[run + 1] as usize;
        let lanes = lent.regs.lanes();
        let rule = &lesson.pre;
        rule.synapses.scalars(now.step, lent.scalars);
        let mut a = all.start;
        while a < all.end {
            let b = all.end.min(a + lanes);
            let targets = lesson.targets[a..b]
                .iter()
                .map(|&t| (t as u32 - lesson.part.0) as usize);
            for k in reads(rule, now.m, Place::Target) {
                let from = &self.targets.now[k];
                self.gathered[k].clear();
                self.gathered[k].extend(targets.clone().map(|t| from[t]));
            }
            let leaves = self.leaves(rule, now, &self.weights[a..b], Some(run), None);
            run_rule(rule, lent, &leaves, b - a);
            match stored(rule, lent, b - a) {
                Some(Words::Many(v)) => self.weights[a..b].copy_from_slice(v),
                Some(Words::One(w)) => self.weights[a..b].fill(w),
                None => {}
            }
            a = b;
        }
    }

    /// The rule of an event of a target on its synapses.
    fn after(&mut self, now: Now<'_>, target: usize, lent: &mut Lent<'_>) {
        let lesson = now.lesson;
        let first = lesson.back_start[target] as usize;
        let back = &lesson.back[first..lesson.back_start[target + 1] as usize];
        let rule = &lesson.post;
        rule.synapses.scalars(now.step, lent.scalars);
        for back in back.chunks(lent.regs.lanes()) {
            self.places.clear();
            let place = |&(run, k): &(u16, u16)| lesson.start[run as usize] + k as u32;
            self.places.extend(back.iter().map(place));
            for k in reads(rule, now.m, Place::Source) {
                let from = &self.rows.now[k];
                self.gathered[k].clear();
                self.gathered[k].extend(back.iter().map(|b| from[b.0 as usize]));
            }
            let mut held = std::mem::take(&mut self.gathered[0]);
            held.clear();
            held.extend(self.places.iter().map(|&k| self.weights[k as usize]));
            let leaves = self.leaves(rule, now, &held, None, Some(target));
            run_rule(rule, lent, &leaves, back.len());
            if let Some(new) = stored(rule, lent, back.len()) {
                let each = self.places.iter().enumerate();
                each.for_each(|(i, &k)| self.weights[k as usize] = new.get(i));
            }
            self.gathered[0] = held;
        }
    }

    /// What the rule reads: the weights, and traces of the one row or target, or gathered.
    fn leaves<'a>(
        &'a self,
        rule: &Rule,
        now: Now<'_>,
        weights: &'a [u32],
        run: Option<usize>,
        target: Option<usize>,
    ) -> Vec<Words<'a>> {
        let leaf = |l: &Leaf| match *l {
            Leaf::State(0) => Words::Many(weights),
            Leaf::State(k) => {
                let k = k as usize;
                let one = match now.m.states[k].place {
                    Place::Source => run.map(|i| (&self.rows, i)),
                    _ => target.map(|i| (&self.targets, i)),
                };
                match one {
                    Some((of, i)) => Words::One(of.read(now, k, i)),
                    None => Words::Many(&self.gathered[k]),
                }
            }
            _ => Words::One(0),
        };
        rule.synapses.leaves().iter().map(leaf).collect()
    }

    /// Puts the words of a state as they stand in the step among those of the whole projection.
    pub fn put(&self, now: Now<'_>, pr: &Projection, k: usize, words: &mut [u32]) {
        let (_, n, low) = now.lesson.part;
        match (now.m.states[k].place, &pr.layout) {
            (Place::Synapse, Layout::Rows(rows)) => {
                for (run, w) in now.lesson.start.windows(2).enumerate() {
                    let inside = within(rows, run, (low, low + n));
                    words[inside].copy_from_slice(&self.weights[w[0] as usize..w[1] as usize]);
                }
            }
            (Place::Source, _) => {
                (0..words.len()).for_each(|i| words[i] = self.rows.read(now, k, i));
            }
            _ => {
                let part = &mut words[low as usize..(low + n) as usize];
                (0..)
                    .zip(part)
                    .for_each(|(i, w)| *w = self.targets.read(now, k, i));
            }
        }
    }
}

/// States of a place that a rule reads.
fn reads<'a>(rule: &'a Rule, m: &'a Synapse, place: Place) -> impl Iterator<Item = usize> + 'a {
    rule.synapses.leaves().iter().filter_map(move |l| match l {
        Leaf::State(k) if *k > 0 && m.states[*k as usize].place == place => Some(*k as usize),
        _ => None,
    })
}

fn run_rule(rule: &Rule, lent: &mut Lent<'_>, leaves: &[Words<'_>], n: usize) {
    let at = (Units::From(0), &Noise::default());
    rule.synapses
        .run(lent.isa, lent.regs, (leaves, lent.scalars), at, n);
}

/// The new weights.
fn stored<'a>(rule: &Rule, lent: &'a Lent<'_>, n: usize) -> Option<Words<'a>> {
    let (_, src) = rule.synapses.stores().iter().find(|s| s.0 == 0)?;
    Some(rule.synapses.value(lent.regs, lent.scalars, *src, n))
}
