//! The state of all samples of a batch, and the loops that run it.
//!
//! In: a plan and the steps to run. Out: what was recorded, and the words of states. A sample of a stepped program is divided
//! among workers; a serial one is a queue.

use super::exchange::{Exchange, Guard};
use super::input::Given;
use super::open;
use super::plan::Plan;
use super::record::Seen;
use super::serial::{Chip, Queue};
use super::worker::Worker;
use std::sync::Mutex;
use synfire_ir::diag::Diagnostics;
use synfire_ir::program::Program;

/// What left serial programs: (step, sample, address).
pub(super) type Output = Vec<(u32, u32, u32)>;

/// One sample of a stepped program.
#[derive(Debug)]
pub(super) struct Sample {
    pub workers: Vec<Mutex<Worker>>,
    exchange: Exchange,
}

/// The state of all samples.
#[derive(Debug)]
pub(super) enum Samples {
    Stepped(Vec<Sample>),
    Serial(Box<Chip>, Vec<Mutex<Queue>>),
}

impl Sample {
    pub fn new(plan: &Plan, sample: u32) -> Self {
        let n = plan.cut.workers;
        let (block, lag) = plan.turns();
        let window = block as usize * lag;
        Sample {
            workers: (0..n)
                .map(|me| Mutex::new(Worker::new(plan, me, sample, window)))
                .collect(),
            exchange: Exchange::new(n, lag),
        }
    }

    /// Runs one worker through the steps.
    fn run(&self, plan: &Plan, me: usize, steps: std::ops::Range<u32>, given: &Given) {
        let _guard = Guard(&self.exchange);
        let mut worker = open(&self.workers[me]);
        let at = &mut given.events.partition_point(|e| e.step < steps.start);
        let exchange = &self.exchange;
        let first = exchange.turn(me);
        if self.workers.len() == 1 || plan.apart.is_none() {
            for step in steps {
                worker.step(plan, step, given.events_of(step, at), |_| {}, |_, _| {});
            }
        } else if plan.apart == Some(0) {
            let mut turn = first;
            for step in steps {
                let events = given.events_of(step, at);
                let tell = |worker: &mut Worker, phase: u16| {
                    let of_phase = |t: usize| plan.tiles[t].phase == Some(phase);
                    exchange.send(plan, worker, step..step + 1, of_phase);
                    exchange.take(plan, worker, turn);
                    turn += 1;
                };
                worker.step(plan, step, events, |_| {}, tell);
            }
        } else {
            // What a block of steps needs was sent `lag` turns before it, or in an earlier run.
            let (block, lag) = plan.turns();
            let mut taken = first;
            for begin in steps.clone().step_by(block as usize) {
                let end = steps.end.min(begin.saturating_add(block));
                for step in begin..end {
                    let hear = |worker: &mut Worker| {
                        let due = exchange.turn(me).checked_sub(lag);
                        if let Some(due) = due.filter(|t| step == begin && *t >= first) {
                            exchange.take(plan, worker, due);
                            taken = due + 1;
                        }
                    };
                    let events = given.events_of(step, at);
                    worker.step(plan, step, events, hear, |_, _| {});
                }
                exchange.send(plan, &worker, begin..end, |_| true);
            }
            for turn in taken..exchange.turn(me) {
                exchange.take(plan, &mut worker, turn);
            }
        }
    }
}

impl Samples {
    pub fn len(&self) -> u32 {
        match self {
            Samples::Stepped(s) => s.len() as u32,
            Samples::Serial(_, s) => s.len() as u32,
        }
    }

    /// Pieces of work that may run at the same time.
    pub fn jobs(&self) -> usize {
        match self {
            Samples::Stepped(s) => s.iter().map(|s| s.workers.len()).sum(),
            Samples::Serial(_, s) => s.len(),
        }
    }

    pub fn run(
        &self,
        plan: &Plan,
        job: usize,
        steps: std::ops::Range<u32>,
        given: &[Given],
    ) -> Result<(), Diagnostics> {
        match self {
            Samples::Stepped(samples) => {
                let n = plan.cut.workers;
                samples[job / n].run(plan, job % n, steps, &given[job / n]);
            }
            Samples::Serial(chip, queues) => {
                let mut queue = open(&queues[job]);
                let given = &given[job];
                let at = &mut given.serial.partition_point(|e| e.0 < steps.start);
                for step in steps {
                    queue.step(&plan.program, chip, step, given.serial_of(step, at))?;
                }
            }
        }
        Ok(())
    }

    /// Takes what was recorded: by sample and worker, and the serial output.
    pub fn seen(&self, p: &Program) -> (Vec<Vec<Seen>>, Output) {
        let fresh = || Seen::new(p);
        match self {
            Samples::Stepped(samples) => {
                let of = |s: &Sample| {
                    let workers = s.workers.iter();
                    workers
                        .map(|w| std::mem::replace(&mut open(w).seen, fresh()))
                        .collect()
                };
                (samples.iter().map(of).collect(), vec![])
            }
            Samples::Serial(_, queues) => {
                let mut out = vec![];
                let seen = (queues.iter())
                    .map(|q| {
                        let mut q = open(q);
                        out.append(&mut q.out);
                        vec![std::mem::replace(&mut q.seen, fresh())]
                    })
                    .collect();
                out.sort_by_key(|e| (e.0, e.1));
                (seen, out)
            }
        }
    }

    /// Calls `f` with the words of a state of a group, for each sample and tile in order.
    pub fn words(&self, plan: &Plan, group: usize, state: usize, mut f: impl FnMut(&[u32])) {
        match self {
            Samples::Stepped(samples) => {
                for s in samples {
                    for t in plan.of_group[group].clone() {
                        let w = open(&s.workers[plan.tiles[t].owner]);
                        if let Some(u) = w.units.iter().find(|u| u.tile == t) {
                            f(&u.state[state]);
                        }
                    }
                }
            }
            Samples::Serial(_, queues) => {
                queues.iter().for_each(|q| f(&open(q).state[group][state]));
            }
        }
    }

    /// Calls `f` with the words of a state of a plastic projection as they stand in a step, in pieces of at most `most`, sample
    /// after sample; false if there is no such state.
    pub fn synapses(
        &self,
        plan: &Plan,
        (projection, state): (u32, u16),
        step: u32,
        most: usize,
        mut f: impl FnMut(&[u32]),
    ) -> bool {
        let Samples::Stepped(samples) = self else {
            return false;
        };
        let Some(n) = elements(&plan.program, projection, state) else {
            return false;
        };
        let mut words = vec![0; n.min(most)];
        for s in samples {
            for from in (0..n).step_by(words.len().max(1)) {
                let words = &mut words[..most.min(n - from)];
                for w in &s.workers {
                    open(w).learnt(plan, step, |learner, now| {
                        if now.x.projection == projection {
                            learner.put(now, state as usize, from, words);
                        }
                    });
                }
                f(words);
            }
        }
        true
    }
}

/// Elements of a state of a plastic projection.
pub(super) fn elements(p: &Program, projection: u32, state: u16) -> Option<usize> {
    let (_, m) = p.plastic_of(projection)?;
    let place = m.states.get(state as usize)?.place;
    let pr = p.projections.get(projection as usize)?;
    Some(pr.elements(place) as usize)
}
