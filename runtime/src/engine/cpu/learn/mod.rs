//! Learning: the states of one tile's plastic synapses, what they deliver, and what the rules make of them.
//!
//! In: a [`Lesson`], the emissions of sources and of the tile's own units, and what modulators bring. Out: states of
//! synapses, rows and targets. A row is worked on when an event arrives at it: the spikes of targets since the last time
//! ([`posts`]), the delivery, then the rule of the arrival, all over the same few cache lines. Modulators and
//! intervals visit all rows.
//!
//! Invariant: at each synapse, rules run in the order of `synfire_ir::synapse`; a synapse belongs to the worker that owns its
//! target, and states of rows are computed alike by all workers, so that nothing depends on the number of threads.

mod inputs;
mod lanes;
mod lesson;
mod posts;
mod rule;
mod sweep;
mod traces;

use super::plan::Plan;
use super::spikes::{History, List};
use super::units::Core;
use super::worker::Units;
use inputs::Input;
use lanes::{Buffers, Cells, Places, Site, emitted};
pub(super) use lesson::{Lesson, together};
use posts::{Level, Posts};
use rule::Read;
use synfire_ir::eval::kept;
use synfire_ir::program::{Column, Layout, Plastic, Program, Projection};
use synfire_ir::synapse::{Place, Synapse};
use synfire_kernels::cpu::deliver::{Row, scatter, touch};
use synfire_kernels::cpu::{Isa, Registers, Words};
use traces::Traces;

/// See the module.
#[derive(Debug)]
pub(super) struct Learner {
    cells: Cells,
    rows: Traces,
    /// Counted from the tile's first unit.
    targets: Traces,
    posts: Posts,
    levels: Vec<Level>,
    /// States of a row over the steps from the first number on, by state.
    span: (u32, Vec<Vec<u32>>),
    /// What falls due in this step, by source, then older first.
    due: Vec<Due>,
    inputs: Vec<Input>,
    /// Sums over the synapses of each target, by view.
    totals: Vec<Vec<u32>>,
    room: Buffers,
    values: Vec<u32>,
}

/// An event at a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// As a unit of the group, and the step in which it emitted.
    pub source: u32,
    pub then: u32,
    pub run: u32,
    pub factor: u32,
}

/// What is the same in a step.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    pub lesson: &'a Lesson,
    pub x: &'a Plastic,
    pub m: &'a Synapse,
    pub pr: &'a Projection,
    pub step: u32,
    seed: u64,
    sample: u32,
}

impl<'a> Now<'a> {
    pub fn new(p: &'a Program, lesson: &'a Lesson, step: u32, sample: u32) -> Self {
        let x = &p.plastic[lesson.plastic];
        Now {
            lesson,
            x,
            m: &p.synapse_models[x.synapse as usize],
            pr: &p.projections[x.projection as usize],
            step,
            seed: p.seed,
            sample,
        }
    }
}

/// The units of a worker, as rules see them.
#[derive(Clone, Copy)]
pub(super) struct Neurons<'a> {
    pub plan: &'a Plan,
    pub units: &'a [Units],
    pub place: &'a [Option<usize>],
}

impl<'a> Neurons<'a> {
    /// A state of a tile's units; of the worker's own tiles only.
    fn column(&self, tile: usize, state: u16) -> &'a [u32] {
        match self.place[tile] {
            Some(at) => &self.units[at].state[state as usize],
            None => &[],
        }
    }

    fn word(&self, group: u32, state: u16, unit: u32) -> u32 {
        let tiles = self.plan.of_group[group as usize].clone();
        let after = self.plan.tiles[tiles.clone()].partition_point(|t| t.start <= unit);
        let tile = tiles.start + after.saturating_sub(1);
        let i = (unit - self.plan.tiles[tile].start) as usize;
        self.column(tile, state).get(i).copied().unwrap_or(0)
    }
}

/// What a block on a row or a target sees beside it.
#[derive(Clone, Copy)]
struct Context<'a> {
    neurons: Neurons<'a>,
    inputs: &'a [Input],
    totals: &'a [Vec<u32>],
    arg: u32,
}

/// What a worker lends.
pub(super) struct Lent<'a> {
    pub isa: Isa,
    pub regs: &'a mut Registers,
    pub neurons: Neurons<'a>,
}

impl<'a> Lent<'a> {
    /// Of a worker's registers, and its tiles by their places.
    pub fn new(
        core: &'a mut Core,
        plan: &'a Plan,
        units: &'a [Units],
        place: &'a [Option<usize>],
    ) -> Self {
        let (isa, regs) = core.lend();
        let neurons = Neurons { plan, units, place };
        Lent { isa, regs, neurons }
    }
}

/// The initial word of element `i` of state `k`.
fn initial(x: &Plastic, pr: &Projection, m: &Synapse, k: usize, i: usize) -> u32 {
    let column: Option<&Column> = k.checked_sub(1).and_then(|k| x.init.get(k));
    let word = match (k, &pr.layout) {
        (0, Layout::Rows(r)) => r.weights.bits(i),
        (0, Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. }) => weights.bits(i),
        _ => column.map_or(0, |c| c.get(i)),
    };
    kept(word, m.states[k].width)
}

impl Learner {
    /// The initial words of a tile.
    pub fn new(p: &Program, lesson: &Lesson) -> Self {
        let now = Now::new(p, lesson, 0, 0);
        let (x, m, pr) = (now.x, now.m, now.pr);
        let (at, n, low) = lesson.part;
        let units = (at + n) as usize;
        let column = |k: usize| match m.states[k].place {
            Place::Synapse => {
                let mut words = Vec::with_capacity(lesson.targets.len());
                for run in 0..lesson.runs() {
                    let first = lesson.number[run] as usize;
                    let numbers = first..first + lesson.places(run).len();
                    words.extend(numbers.map(|i| initial(x, pr, m, k, i)));
                }
                words
            }
            _ => vec![],
        };
        let words: Vec<Vec<u32>> = (0..m.states.len()).map(column).collect();
        let own = m.states.iter().filter(|c| c.place == Place::Synapse);
        let decays = own.clone().any(|c| c.decay.is_some());
        let target = |k: usize, i: usize| match (i as u32).checked_sub(at) {
            Some(i) => initial(x, pr, m, k, (low + i) as usize),
            None => 0,
        };
        Learner {
            cells: Cells {
                words,
                stamp: vec![0; if decays { lesson.targets.len() } else { 0 }],
            },
            rows: Traces::new(m, Place::Source, lesson.runs(), |k, i| {
                initial(x, pr, m, k, i)
            }),
            targets: Traces::new(m, Place::Target, units, target),
            posts: Posts::new(units, lesson.runs(), lesson.post.reads.len()),
            levels: vec![],
            span: (0, vec![vec![]; m.states.len()]),
            due: vec![],
            inputs: vec![Input::new(units); m.modulators.len()],
            totals: vec![vec![]; m.views.len()],
            room: Buffers::default(),
            values: vec![],
        }
    }

    /// Finds what falls due in the step, and tells its rows of the spikes of their targets.
    pub fn arrive(&mut self, now: Now<'_>, history: &[History], lent: &mut Lent<'_>) {
        let lesson = now.lesson;
        self.due.clear();
        for &delay in &lesson.delays {
            let Some(then) = now.step.checked_sub(delay as u32) else {
                continue;
            };
            for &(tile, start) in &lesson.from {
                for (unit, x) in history[tile].list(then).iter() {
                    let source = start + unit;
                    let of_range = source.checked_sub(lesson.first);
                    if let Some(run) = of_range.and_then(|s| lesson.run(s, delay)) {
                        self.due.push(Due {
                            source,
                            then,
                            run,
                            factor: lesson.payload.factor(x),
                        });
                    }
                }
            }
        }
        if lesson.delays.len() > 1 {
            self.due.sort_by_key(|d| (d.source, d.then));
        }
        if lesson.fused && !lesson.pre.is_idle() {
            self.look_ahead(now, lent.isa);
        }
    }

    /// Brings the traces of targets to the present if enough synapses are going to read them.
    fn look_ahead(&mut self, now: Now<'_>, isa: Isa) {
        let (lesson, units) = (now.lesson, self.targets.stamp.len());
        let mut left = units / 2;
        for d in &self.due {
            let n = lesson.places(d.run as usize).len();
            if n > left {
                let which = lesson.pre.of_targets(now.m);
                return self.targets.bring(isa, now, which);
            }
            left -= n;
        }
    }

    /// Delivers what arrived into the accumulator of the tile's port; returns how many synapses that were.
    pub fn deliver(&mut self, now: Now<'_>, lent: &mut Lent<'_>, acc: &mut [u32]) -> u64 {
        let lesson = now.lesson;
        let due = std::mem::take(&mut self.due);
        let mut walked = 0;
        let mut near = 0;
        for (first, same) in rows(&due) {
            let run = same[0].run as usize;
            if first >= near {
                near = first + AHEAD;
                self.fetch(lesson, &due[first..near.min(due.len())]);
            }
            self.catch_up(now, lent, run);
            for d in same {
                walked += lesson.places(run).len() as u64;
                self.carry(now, lent, run, |targets, words| {
                    let row = match (lesson.fold.is_float(), words) {
                        (_, Words::One(w)) => Row::Uniform(w),
                        (true, Words::Many(v)) => Row::F32(bytemuck::cast_slice(v)),
                        (false, Words::Many(v)) => Row::I32(bytemuck::cast_slice(v)),
                    };
                    let event = std::iter::once((0..targets.len(), d.factor));
                    scatter(lesson.fold, acc, targets, row, event);
                });
            }
            if lesson.fused {
                same.iter().for_each(|_| self.before(now, lent, run));
            }
        }
        self.due = due;
        walked
    }

    /// Brings rows that are worked on next nearer, all at once.
    fn fetch(&self, lesson: &Lesson, due: &[Due]) {
        let places = || due.iter().map(|d| lesson.places(d.run as usize));
        touch(places().map(|p| &lesson.targets[p]));
        touch(places().map(|p| &self.cells.words[0][p]));
    }

    /// What arrived in this step, for a port with a handler.
    pub fn due(&self) -> &[Due] {
        &self.due
    }

    /// Appends, for each synapse of a row, its target in the tile and what an event brings it.
    pub fn bring(&mut self, now: Now<'_>, lent: &mut Lent<'_>, d: Due, out: &mut Vec<(u16, u32)>) {
        let run = d.run as usize;
        self.catch_up(now, lent, run);
        self.carry(now, lent, run, |targets, words| {
            let value = |i| now.lesson.fold.product(d.factor, words.get(i));
            out.extend((0..).zip(targets).map(|(i, &t)| (t, value(i))));
        });
    }

    /// The rules of what arrived in this step, where they need not wait.
    pub fn arrived(&mut self, now: Now<'_>, lent: &mut Lent<'_>) {
        if self.due.is_empty() {
            return;
        }
        let due = std::mem::take(&mut self.due);
        for d in &due {
            self.before(now, lent, d.run as usize);
        }
        self.due = due;
    }

    /// The same before the step's phases are over, for rules that see nothing of those.
    pub fn arrived_early(&mut self, now: Now<'_>, lent: &mut Lent<'_>) {
        if now.lesson.fused {
            self.arrived(now, lent);
        }
    }

    /// Calls `f` with targets of a row, and what payloads to them are multiplied with.
    fn carry(
        &mut self,
        now: Now<'_>,
        lent: &mut Lent<'_>,
        run: usize,
        mut f: impl FnMut(&[u16], Words<'_>),
    ) {
        let lesson = now.lesson;
        let all = lesson.places(run);
        let Some(rule) = &lesson.deliver else {
            let weights = &self.cells.words[0][all.clone()];
            return f(&lesson.targets[all], Words::Many(weights));
        };
        let mut values = std::mem::take(&mut self.values);
        for places in pieces(all, lent.regs.lanes()) {
            self.run(now, lent, rule, &Site::row(run, places.clone()));
            let words = emitted(rule, lent, places.len(), &mut values);
            f(&lesson.targets[places], words);
        }
        self.values = values;
    }

    /// Lets a row hear of the spikes of its targets.
    fn catch_up(&mut self, now: Now<'_>, lent: &mut Lent<'_>, run: usize) {
        let unheard = self.posts.unheard(run);
        if unheard.is_empty() {
            return;
        }
        let lesson = now.lesson;
        let all = lesson.places(run);
        let mut levels = std::mem::take(&mut self.levels);
        let targets = &lesson.targets[all.clone()];
        let n = self
            .posts
            .gather(run, targets, all.start as u32, &mut levels);
        let entries = levels[..n].iter().map(|l| l.len).sum();
        if n > 0 {
            self.follow(now, lent.isa, run, (unheard, entries));
        }
        let lanes = lent.regs.lanes();
        // The oldest entry of a synapse is in its deepest level.
        for level in levels[..n].iter().rev() {
            let places = level.places[..level.len].chunks(lanes);
            for (places, entries) in places.zip(level.entries[..level.len].chunks(lanes)) {
                let site = Site {
                    run,
                    places: Places::These(places),
                    entries: Some(entries),
                    modulator: 0,
                };
                self.run(now, lent, &lesson.post, &site);
            }
        }
        self.levels = levels;
        self.posts.hear(run);
    }

    /// Computes what a row's traces were in the steps of the entries that it has not heard of, if those are many.
    fn follow(
        &mut self,
        now: Now<'_>,
        isa: Isa,
        run: usize,
        (unheard, entries): (std::ops::Range<usize>, usize),
    ) {
        let first = self.posts.step[unheard.start];
        let steps = (self.posts.step[unheard.end - 1] - first) as usize + 1;
        self.span.0 = first;
        for read in &now.lesson.post.reads {
            let Read::Cell(k) = *read else { continue };
            if now.m.states[k].place == Place::Source {
                let words = &mut self.span.1[k];
                words.clear();
                if steps <= 2 * entries {
                    words.resize(steps, 0);
                    self.rows.along(isa, now, (k, run), first, words);
                }
            }
        }
    }

    /// The rule of an arrival, on the synapses of a row and then on the row.
    fn before(&mut self, now: Now<'_>, lent: &mut Lent<'_>, run: usize) {
        let rule = &now.lesson.pre;
        if !rule.is_idle() {
            for places in pieces(now.lesson.places(run), lent.regs.lanes()) {
                self.run(now, lent, rule, &Site::row(run, places));
            }
        }
        self.on_row(now, lent, run, &now.m.pre.source);
    }

    /// The rules after a step, with what the tile emitted.
    pub fn learn(&mut self, now: Now<'_>, lent: &mut Lent<'_>, history: &[History]) {
        let lesson = now.lesson;
        if !self.inputs.is_empty() {
            inputs::read(now, lent.neurons.plan, history, &mut self.inputs);
        }
        if !lesson.fused {
            self.arrived(now, lent);
        }
        if let Some(then) = now.step.checked_sub(now.x.post_delay.into()) {
            self.after(now, lent, history[lesson.tile].list(then));
        }
        if lesson.prompt || self.posts.is_full() {
            self.settle(now, lent);
        }
        self.modulate(now, lent);
        self.every(now, lent);
    }

    /// Spikes of the targets: entered for their synapses, then the rule on each target.
    fn after(&mut self, now: Now<'_>, lent: &mut Lent<'_>, list: &List) {
        let lesson = now.lesson;
        let (first, n, _) = lesson.part;
        for (unit, _) in list.iter() {
            if !(first..first + n).contains(&unit) {
                continue;
            }
            let t = unit as usize;
            if !lesson.post.is_idle() {
                self.posts.enter(t, now.step);
                for (leaf, read) in lesson.post.reads.iter().enumerate() {
                    let word = match *read {
                        Read::Cell(k) if now.m.states[k].place == Place::Target => {
                            self.targets.read(now, k, t)
                        }
                        Read::Target(s) => lent.neurons.column(lesson.tile, s)[t],
                        Read::Input(k) => self.inputs[k].value[t],
                        _ => continue,
                    };
                    self.posts.words[leaf].push(word);
                }
            }
            self.on_target(now, lent, t, &now.m.post.target, 0);
        }
    }
}

/// Events whose rows are fetched together: rows of a thousand synapses then take a part of a second-level cache. Measured on 6.4
/// million synapses, a third of the time of a row was the wait for its first lines.
const AHEAD: usize = 8;

/// Events at one row after another, with the place of the first of each.
fn rows(due: &[Due]) -> impl Iterator<Item = (usize, &[Due])> {
    let same = due.chunk_by(|a, b| a.run == b.run);
    same.scan(0, |at, same| {
        let first = *at;
        *at += same.len();
        Some((first, same))
    })
}

/// A range in pieces of at most `n`.
fn pieces(all: std::ops::Range<usize>, n: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let end = all.end;
    all.step_by(n.max(1)).map(move |a| a..end.min(a + n))
}
