//! One thread's share of one sample: its tiles, and what it knows of everyone's emissions.
//!
//! In: the plan, the events of external groups, and what other workers emitted. Out: the state of its tiles after each
//! step, their emissions, and what its probes saw. Invariant: a worker writes only what is its own, so that nothing needs
//! a lock but the exchange of emissions.

use super::bundle::Scratch;
use super::deliver;
use super::learn::{Learner, Lent, Now};
use super::ordered::Event;
use super::pieces::{Form, Timing};
use super::plan::{Code, Plan, Tile};
use super::procedural::Flight;
use super::record::Seen;
use super::riders::Riders;
use super::save::Log;
use super::sequence::Item;
use super::spikes::{Calendar, History, List};
use super::units::{Core, Keep, Memory, Ports, Ready};
use super::window::Window;
use crate::engine::{Counters, InputEvent};
use synfire_ir::program::{Column, GroupKind};
use synfire_kernels::cpu::stream::REACH;
use synfire_kernels::cpu::{Aligned, Noise, Words};

/// State of a tile.
#[derive(Debug)]
pub(super) struct Units {
    pub tile: usize,
    /// `[state][unit]`.
    pub state: Vec<Aligned>,
    /// One for each piece of the tile.
    pub(super) calendars: Vec<Option<Calendar>>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Worker {
    pub me: usize,
    pub(super) sample: u32,
    /// Own tiles, ascending.
    pub units: Vec<Units>,
    /// Place of each tile in `units`.
    pub(super) place: Vec<Option<usize>>,
    /// Of every tile.
    pub history: Vec<History>,
    /// Accumulators of the own tiles' ports.
    pub(super) arenas: Vec<Aligned>,
    /// In the order of the plan's.
    windows: Vec<Window>,
    /// One for each bundle.
    riders: Vec<Riders>,
    /// One for each projection of procedural rows.
    flights: Vec<Flight>,
    /// One for each lesson.
    pub learners: Vec<Learner>,
    scratch: Scratch,
    pub(super) core: Core,
    pub seen: Seen,
    pub counters: Counters,
    /// Emissions of own tiles of logged groups.
    pub log: Log,
    pub(super) due: List,
    pub(super) events: Vec<Event>,
    /// For each event of a lesson at a port with a handler, its synapses: target in the tile, value.
    pub(super) brought: Vec<Vec<(u16, u32)>>,
    pub(super) scalars: Vec<u32>,
    pub(super) args: Vec<u32>,
}

impl Worker {
    /// The initial state of a worker's tiles; `window` steps may pass before others learn of its emissions.
    pub fn new(plan: &Plan, me: usize, sample: u32, window: usize) -> Self {
        let own = |t: &Tile| t.phase.is_some() && t.owner == me;
        let (mut units, mut place) = (vec![], vec![]);
        for (k, t) in plan.tiles.iter().enumerate() {
            place.push(own(t).then_some(units.len()));
            if own(t) {
                units.push(Units::new(plan, k));
            }
        }
        let history = (plan.tiles.iter())
            .map(|t| {
                let deep: Vec<usize> = t.analog.iter().map(|a| a.1.max(window)).collect();
                History::new(t.depth.max(window), &deep)
            })
            .collect();
        Worker {
            me,
            sample,
            units,
            place,
            history,
            arenas: arenas(plan, me),
            windows: vec![Window::default(); plan.windows[me].len()],
            riders: vec![Riders::default(); plan.sequence.bundles[me].len()],
            flights: (plan.sequence.procedural[me].iter())
                .map(|_| Flight::default())
                .collect(),
            learners: (plan.sequence.lessons[me].iter())
                .map(|l| Learner::new(&plan.program, l))
                .collect(),
            scratch: Scratch::default(),
            core: Core::new(plan.isa, plan.cut.lanes),
            seen: Seen::new(&plan.program),
            counters: Counters {
                spikes: vec![0; plan.program.groups.len()],
                ..Counters::default()
            },
            log: Log::default(),
            due: List::default(),
            events: vec![],
            brought: vec![],
            scalars: vec![],
            args: vec![],
        }
    }

    /// Does it fill in the record of this tile?
    pub fn reports(&self, plan: &Plan, tile: usize) -> bool {
        match plan.tiles[tile].phase {
            None => self.me == 0,
            Some(_) => self.place[tile].is_some(),
        }
    }

    /// Runs a step; `hear` is called before anything is read that others emitted, `between` after each phase.
    pub fn step(
        &mut self,
        plan: &Plan,
        step: u32,
        input: &[InputEvent],
        hear: impl FnOnce(&mut Worker),
        mut between: impl FnMut(&mut Worker, u16),
    ) {
        for (k, t) in plan.tiles.iter().enumerate() {
            if t.phase.is_none() || self.place[k].is_some() {
                self.history[k].list_mut(step).clear();
            }
        }
        self.tiles(plan, step, |t| t.free);
        hear(self);
        self.begin(plan, step, input);
        for phase in 0..plan.phases {
            self.phase(plan, step, phase);
            between(self, phase);
        }
        self.finish(plan, step);
    }

    /// Takes in the events of external groups and delivers what was emitted before.
    fn begin(&mut self, plan: &Plan, step: u32, input: &[InputEvent]) {
        for e in input {
            let tile = plan.of_group[e.group as usize].start;
            let list = self.history[tile].list_mut(step);
            list.units.push(e.unit);
            list.payloads.push(e.payload);
        }
        for (k, t) in plan.tiles.iter().enumerate() {
            if t.phase.is_none() {
                self.history[k].list_mut(step).sort();
                self.announce(plan, k, step);
            }
        }
        self.early(plan, step);
    }

    /// Fills windows and riders from the history before step `now`.
    pub fn look_back(&mut self, plan: &Plan, now: u32) {
        for (window, span) in self.windows.iter_mut().zip(&plan.windows[self.me]) {
            window.restore(&span.from, &self.history, span.delays, now);
        }
        for (riders, bundle) in self.riders.iter_mut().zip(&plan.sequence.bundles[self.me]) {
            riders.restore(bundle, &self.history, now);
        }
        let procedural = plan.sequence.procedural[self.me].iter();
        for (flight, of) in self.flights.iter_mut().zip(procedural) {
            flight.restore(of, &self.history, now);
        }
    }

    /// Delivers what was emitted in earlier steps.
    fn early(&mut self, plan: &Plan, step: u32) {
        for (window, span) in self.windows.iter_mut().zip(&plan.windows[self.me]) {
            window.advance(&span.from, &self.history, span.delays, step);
        }
        for item in plan.early(self.me) {
            match *item {
                Item::Bundle(k) => self.bundle(plan, k, step),
                Item::Lesson(k) => self.lesson(plan, k, step),
                Item::Procedural(k) => self.drawn(plan, k, step),
                Item::Piece { tile, piece } => {
                    if let Some(at) = self.place[tile] {
                        self.piece(plan, &plan.tiles[tile], step, at, piece);
                    }
                }
            }
        }
    }

    fn drawn(&mut self, plan: &Plan, k: usize, step: u32) {
        let (rows, flight) = (&plan.sequence.procedural[self.me][k], &mut self.flights[k]);
        let walked = rows.deliver(&mut self.arenas, &self.history, step, flight);
        self.counters.synaptic_events += walked;
    }

    fn lesson(&mut self, plan: &Plan, k: usize, step: u32) {
        let lesson = &plan.sequence.lessons[self.me][k];
        let tile = &plan.tiles[lesson.tile];
        let Some(slot) = tile.slots[lesson.port as usize] else {
            return;
        };
        let acc = &mut self.arenas[slot.arena][slot.range(tile.len as usize)];
        let now = Now::new(&plan.program, lesson, step, self.sample);
        let mut lent = Lent::new(&mut self.core, plan, &self.units, &self.place);
        let learner = &mut self.learners[k];
        learner.arrive(now, &self.history, &mut lent);
        self.counters.synaptic_events += learner.deliver(now, &mut lent, acc);
    }

    /// Calls `f` with each of the own lessons and its learner, as things stand in a step.
    fn lessons(
        &mut self,
        plan: &Plan,
        step: u32,
        mut f: impl FnMut(&mut Learner, Now<'_>, &mut Lent<'_>, &[History]),
    ) {
        let lessons = &plan.sequence.lessons[self.me];
        for (learner, lesson) in self.learners.iter_mut().zip(lessons) {
            let now = Now::new(&plan.program, lesson, step, self.sample);
            let mut lent = Lent::new(&mut self.core, plan, &self.units, &self.place);
            f(learner, now, &mut lent, &self.history);
        }
    }

    /// Brings all that is learned up to the end of a step, and calls `f` with each lesson.
    pub fn learnt(&mut self, plan: &Plan, step: u32, mut f: impl FnMut(&mut Learner, Now<'_>)) {
        self.lessons(plan, step, |learner, now, lent, _| {
            learner.settle(now, lent);
            f(learner, now);
        });
    }

    fn bundle(&mut self, plan: &Plan, k: usize, step: u32) {
        let bundle = &plan.sequence.bundles[self.me][k];
        let arena = &mut self.arenas[bundle.kind.arena];
        if bundle.is_stream() {
            let riders = self.riders[k].advance(bundle, &self.history, step);
            self.counters.synaptic_events += bundle.ride(self.core.isa, arena, riders);
            return;
        }
        let spans = &plan.windows[self.me];
        let window = match bundle.timing() {
            Timing::Calendar(_) => {
                let k = spans.iter().position(|w| w.group == bundle.kind.source);
                k.map(|k| &self.windows[k])
            }
            _ => None,
        };
        let from = (&self.history[..], window);
        let walked = bundle.deliver(self.core.isa, arena, from, step, &mut self.scratch);
        self.counters.synaptic_events += walked;
    }

    /// Enters what a tile emitted in a step into the calendars of those own tiles that keep one for it.
    pub fn announce(&mut self, plan: &Plan, tile: usize, step: u32) {
        let list = self.history[tile].list(step);
        for &(target, piece) in &plan.subscribers[tile] {
            if let Some(at) = self.place[target]
                && let Some(calendar) = &mut self.units[at].calendars[piece]
            {
                let piece = &plan.tiles[target].pieces[piece];
                deliver::enter(piece, list, step, calendar);
            }
        }
    }

    /// Updates the own tiles of a phase that have not been before.
    fn phase(&mut self, plan: &Plan, step: u32, phase: u16) {
        self.tiles(plan, step, |t| t.phase == Some(phase) && !t.free);
    }

    /// Updates some of the own tiles.
    fn tiles(&mut self, plan: &Plan, step: u32, which: impl Fn(&Tile) -> bool) {
        for at in 0..self.units.len() {
            let tile = self.units[at].tile;
            if which(&plan.tiles[tile]) {
                self.update(plan, step, at);
                self.announce(plan, tile, step);
            }
        }
    }

    fn update(&mut self, plan: &Plan, step: u32, at: usize) {
        let k = self.units[at].tile;
        let tile = &plan.tiles[k];
        let Some(code) = &plan.code[tile.group] else {
            return;
        };
        self.core.noise = Noise {
            seed: plan.program.seed,
            sample: self.sample,
            step,
            base: plan.program.groups[tile.group].base,
        };
        for &piece in &tile.late {
            self.piece(plan, tile, step, at, piece);
        }
        self.handle(plan, tile, code, step, at);
        self.run_step(tile, code, step, at);
        for slot in tile.slots.iter().flatten() {
            self.arenas[slot.arena][slot.range(tile.len as usize)].fill(0);
        }
        for (column, &(state, _)) in tile.analog.iter().enumerate() {
            let values = self.history[k].analog_mut(column, step);
            values.clear();
            values.extend_from_slice(&self.units[at].state[state as usize]);
        }
    }

    /// What falls due of a piece at a port without handler.
    fn piece(&mut self, plan: &Plan, tile: &Tile, step: u32, at: usize, piece: usize) {
        if let Form::Learnt(k) = tile.pieces[piece].form {
            return self.lesson(plan, k, step);
        }
        if let Form::Drawn(k) = tile.pieces[piece].form {
            return self.drawn(plan, k, step);
        }
        let calendar = &mut self.units[at].calendars[piece];
        let piece = &tile.pieces[piece];
        let Some(slot) = tile.slots[piece.port as usize] else {
            return;
        };
        let isa = self.core.isa;
        let acc = &mut self.arenas[slot.arena][slot.range(tile.len as usize)];
        let from = &self.history[piece.source];
        self.counters.synaptic_events += match piece.timing {
            Timing::Analog(column) => {
                deliver::analog(isa, piece, acc, from, column, step);
                0
            }
            Timing::After(delay) => match step.checked_sub(delay as u32).map(|t| from.list(t)) {
                None => 0,
                Some(list) if piece.pairs() && !list.dense.is_empty() => {
                    deliver::emitted(isa, piece, acc, list)
                }
                Some(list) => {
                    let range = list.within(piece.first, piece.count);
                    deliver::events(isa, piece, acc, list, range, piece.first)
                }
            },
            Timing::Calendar(_) => {
                let Some(calendar) = calendar else { return };
                calendar.take(step, &mut self.due);
                deliver::settle(piece.fold, &mut self.due);
                let n = self.due.units.len();
                let walked = deliver::events(isa, piece, acc, &self.due, 0..n, 0);
                self.due.clear();
                walked
            }
        };
    }

    fn run_step(&mut self, tile: &Tile, code: &Code, step: u32, at: usize) {
        if code.step.is_empty() {
            return;
        }
        let units = &mut self.units[at];
        code.step.scalars(step, &mut self.scalars);
        let ready = Ready {
            kernel: &code.step,
            scalars: &self.scalars,
        };
        let mut mem = Memory {
            params: &code.params,
            state: &mut units.state,
            ports: Ports {
                arenas: &self.arenas,
                slots: &tile.slots,
                len: tile.len as usize,
            },
            start: tile.start,
        };
        let out = self.history[units.tile].list_mut(step);
        let all = 0..tile.len as usize;
        let keep = Keep {
            listed: tile.listed,
            dense: tile.dense,
        };
        self.core
            .run(ready, &mut mem, all, Words::One(0), (out, keep));
    }

    /// The calendar of a piece of an own tile, if it keeps one.
    pub fn calendar(&mut self, tile: usize, piece: usize) -> Option<&mut Calendar> {
        let units = &mut self.units[self.place[tile]?];
        units.calendars.get_mut(piece)?.as_mut()
    }

    /// Learns from the step and records it.
    fn finish(&mut self, plan: &Plan, step: u32) {
        self.lessons(plan, step, |learner, now, lent, history| {
            learner.learn(now, lent, history)
        });
        self.log.forget((step + 1).saturating_sub(plan.longest));
        for (k, t) in plan.tiles.iter().enumerate() {
            if self.reports(plan, k) {
                let list = self.history[k].list(step);
                self.counters.spikes[t.group] += list.events();
                if plan.logged[t.group] {
                    self.log.keep(step, k, list);
                }
            }
        }
        for (k, probe) in (0..).zip(&plan.program.probes) {
            for tile in plan.of_group[probe.group as usize].clone() {
                if !self.reports(plan, tile) {
                    continue;
                }
                let start = plan.tiles[tile].start;
                let list = self.history[tile].list(step);
                self.seen.events(k, probe, self.sample, step, start, list);
                if let Some(at) = self.place[tile] {
                    let state = &self.units[at].state;
                    self.seen.states(k, probe, step, start, state);
                }
            }
        }
    }
}

/// Accumulators of a worker; those that streams write to have room for all places.
fn arenas(plan: &Plan, me: usize) -> Vec<Aligned> {
    let streams = |a: usize| {
        let mut bundles = plan.sequence.bundles[me].iter();
        bundles.any(|b| b.is_stream() && b.kind.arena == a)
    };
    let words = |(a, &n): (usize, &u32)| match streams(a) {
        true => REACH,
        false => n as usize,
    };
    let sizes = plan.arenas[me].iter().enumerate().map(words);
    sizes.map(Aligned::new).collect()
}

impl Units {
    fn new(plan: &Plan, tile: usize) -> Self {
        let t = &plan.tiles[tile];
        let n = t.len as usize;
        let init: &[Column] = match &plan.program.groups[t.group].kind {
            GroupKind::Units { init, .. } => init,
            GroupKind::External => &[],
        };
        let first = t.start as usize;
        let state = (init.iter())
            .map(|c| match c {
                Column::Uniform(w) => {
                    let mut words = Aligned::new(n);
                    words.fill(*w);
                    words
                }
                Column::PerUnit(v) => Aligned::from(&v[first..first + n]),
            })
            .collect();
        let calendar = |p: &super::pieces::Piece| match p.timing {
            Timing::Calendar(longest) => Some(Calendar::new(longest, plan.cut.ring)),
            _ => None,
        };
        Units {
            tile,
            state,
            calendars: t.pieces.iter().map(calendar).collect(),
        }
    }
}
