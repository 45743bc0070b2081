//! The CPU engine: programs on the cores of this machine.
//!
//! In: a checked [`Program`]. Out: [`Cpu`], an [`Engine`]. A group is cut into tiles whose accumulators stay in the nearest
//! cache; a tile receives its pieces of projections and runs its blocks as vector operations. Threads share out the
//! samples of a batch, or the tiles of one sample, which then tell one another what they emitted, in turns of a few steps.
//!
//! Order: at a port, arrivals combine by projection, then source, then older first; this is the order of
//! `program::Reference`, so that float sums have its bits. Counters and the serial output are kept for every sample.
//! Invariant: nothing that is reported depends on the number of threads, of tiles or of lanes.

mod bundle;
mod bundling;
mod deliver;
mod exchange;
mod footprint;
mod handled;
pub(crate) mod input;
mod learn;
mod member;
mod memory;
mod ordered;
mod pieces;
mod plan;
mod procedural;
mod record;
mod riders;
mod rows;
mod samples;
mod save;
mod sequence;
mod serial;
mod spikes;
#[cfg(test)]
mod tests;
mod tiles;
mod units;
#[cfg(test)]
pub(super) mod variants;
mod window;
mod worker;

use super::snapshot::Snapshot;
use super::{Counters, Engine, Options, Record, Stimulus};
use input::Given;
use plan::{Cut, Plan};
use samples::{Sample, Samples};
use serial::{Chip, Queue};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use synfire_ir::diag::{Class, Diagnostic, Diagnostics, Progress};
use synfire_ir::program::{Discipline, Observable, Program};

/// Units of a tile at most, and lanes of a register.
const TILE: u32 = 8192;
const LANES: usize = 1024;

/// Longest delay in steps that lists of emissions are kept for.
const RING: u16 = 64;

/// Words of an arena: places are 16 bits.
const ARENA: u32 = 1 << 16;

/// Synapses of a source and delay: with fewer, a calendar of the rows that exist is less work.
const FILL: u64 = 1;

/// Mean synapses of a row from which rows of several delays are a stream: what fills up their blocks is then a third at most.
const LONG: u64 = 8;

/// Words of learned states that are looked at together.
const PIECE: usize = 1 << 16;

/// Time between two looks at the progress.
const LOOK: Duration = Duration::from_millis(50);

/// The CPU engine.
pub struct Cpu {
    plan: Plan,
    samples: Samples,
    pool: Option<rayon::ThreadPool>,
    now: u32,
    /// Steps between two looks at the progress.
    pace: u32,
}

/// Words that a probe of synapses saw: probe, step, words of all samples.
type Look = (usize, u32, Vec<u32>);

fn open<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The cut for a program, and how many threads may run.
fn cut(program: &Program, options: &Options) -> (Cut, usize) {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    let threads = match options.threads {
        0 => cores,
        n => n.min(1024),
    };
    let samples = options.samples.max(1);
    let mut cut = Cut {
        tile: TILE,
        lanes: LANES,
        workers: (threads / samples as usize).max(1),
        ring: RING,
        arena: ARENA,
        fill: FILL,
        long: LONG,
    };
    let serial = !matches!(program.discipline, Discipline::Stepped);
    if serial || options.threads == 0 && plan::small(program) {
        cut.workers = 1;
    }
    (cut, threads)
}

/// Bytes that a run of a program takes at the most: the program, and what the CPU engine adds.
pub fn predicted_bytes(program: &Program, options: &Options) -> u64 {
    let (cut, _) = cut(program, options);
    memory::predicted(program, options.samples, cut)
}

/// Errors: `SYN0846` and `SYN0802` when the program needs more memory than the options allow or the machine has.
pub fn fits(program: &Program, options: &Options) -> Result<(), Diagnostics> {
    let (cut, _) = cut(program, options);
    memory::check(program, options.samples, cut, options.memory)
}

impl Cpu {
    /// Sets up a program that has passed `program::check`. Errors: it needs more memory than there is, or threads
    /// cannot be started.
    pub fn new(program: Arc<Program>, options: &Options) -> Result<Self, Diagnostics> {
        let (cut, threads) = cut(&program, options);
        let samples = options.samples.max(1);
        Self::with_cut(program, samples, threads, cut, options.memory)
    }

    /// As [`Cpu::new`] with a given cut; several workers need a thread for each worker of each sample.
    fn with_cut(
        program: Arc<Program>,
        samples: u32,
        threads: usize,
        cut: Cut,
        memory: Option<u64>,
    ) -> Result<Self, Diagnostics> {
        let mut cut = cut;
        if learn::together(&program) {
            cut.workers = 1;
        }
        memory::check(&program, samples, cut, memory)?;
        let chip = Chip::new(&program).map(Box::new);
        let plan = Plan::new(program, cut);
        let samples = match chip {
            Some(chip) => {
                let new = |s| Queue::new(&plan.program, &chip, plan.isa, cut.lanes, s);
                let queues = (0..samples).map(|s| Mutex::new(new(s))).collect();
                Samples::Serial(chip, queues)
            }
            None => Samples::Stepped((0..samples).map(|s| Sample::new(&plan, s)).collect()),
        };
        let threads = threads.min(samples.jobs());
        let pool = match threads {
            0 | 1 => None,
            n => Some(
                rayon::ThreadPoolBuilder::new()
                    .num_threads(n)
                    .build()
                    .map_err(|e| no_threads(n, &e.to_string()))?,
            ),
        };
        Ok(Cpu {
            plan,
            samples,
            pool,
            now: 0,
            pace: 1,
        })
    }

    /// Runs steps `now..now + steps` of every sample.
    fn chunk(&self, steps: u32, given: &[Given]) -> Result<(), Diagnostics> {
        let steps = self.now..self.now + steps;
        let next = AtomicUsize::new(0);
        let found = Mutex::new(None);
        let work = |_| loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= self.samples.jobs() {
                return;
            }
            if let Err(e) = self.samples.run(&self.plan, job, steps.clone(), given) {
                open(&found).get_or_insert((job, e));
            }
        };
        match &self.pool {
            // Workers of one sample wait for one another, so that every job must have a thread of its own; a broadcast
            // gives each thread one call, and the jobs of a sample are never more than the threads.
            Some(pool) => {
                pool.broadcast(|c| work(c.index()));
            }
            None => work(0),
        }
        match found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((_, e)) => Err(e),
            None => Ok(()),
        }
    }

    /// Steps until a probe of synapses is read.
    fn until_look(&self) -> u32 {
        let probes = self.plan.program.probes.iter();
        let of_synapses = probes.filter(|p| matches!(p.what, Observable::Synapse { .. }));
        let left = of_synapses.map(|p| p.every - self.now % p.every);
        left.min().unwrap_or(u32::MAX)
    }

    /// Reads the probes of synapses that are due after the last step: (probe, step, words).
    fn look(&mut self, out: &mut Vec<Look>) -> Result<(), Diagnostics> {
        let p = self.plan.program.clone();
        for (k, probe) in p.probes.iter().enumerate() {
            let Observable::Synapse { projection, state } = probe.what else {
                continue;
            };
            if !self.now.is_multiple_of(probe.every) {
                continue;
            }
            let words = self.synapses(projection, state)?;
            let n = words.len() / self.samples.len().max(1) as usize;
            let (a, b) = (probe.range.start as usize, probe.range.len as usize);
            let parts = words
                .chunks(n.max(1))
                .flat_map(|w| w[a..a + b].iter().copied());
            out.push((k, self.now - 1, parts.collect()));
        }
        Ok(())
    }

    /// Chooses the next number of steps so that one takes about [`LOOK`].
    fn keep_pace(&mut self, took: Duration) {
        if took < LOOK / 2 {
            self.pace = self.pace.saturating_mul(2);
        } else if took > LOOK * 2 {
            self.pace = (self.pace / 2).max(1);
        }
    }
}

fn no_threads(n: usize, why: &str) -> Diagnostic {
    Diagnostic::error("SYN0805", format!("{n} threads cannot be started: {why}"))
        .class(Class::Device)
        .note("the CPU engine shares the network among threads")
        .hint("ask for fewer threads")
}

impl Engine for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn advance(
        &mut self,
        steps: u32,
        input: &Stimulus,
        record: &mut Record,
        progress: &dyn Progress,
    ) -> Result<u32, Diagnostics> {
        let from = self.now;
        let Some(to) = from.checked_add(steps) else {
            return Err(Diagnostic::error(
                "SYN0806",
                format!(
                    "{steps} more steps after step {from}; a run counts at most {}",
                    u32::MAX
                ),
            )
            .note("steps are numbered by 32-bit words")
            .hint("run fewer steps")
            .into());
        };
        let given = input::divide(&self.plan.program, self.samples.len(), (from, to), input)?;
        let mut looks = vec![];
        while self.now < to && !progress.cancelled() {
            let n = self.pace.min(to - self.now).min(self.until_look());
            let begun = Instant::now();
            self.chunk(n, &given)?;
            self.now += n;
            self.look(&mut looks)?;
            self.keep_pace(begun.elapsed());
            progress.report("run", (self.now - from) as u64, steps as u64);
        }
        let (seen, out) = self.samples.seen(&self.plan.program);
        record::put(&self.plan, (from, self.now), seen, record);
        for (probe, step, words) in looks {
            record.traces[probe].steps.push(step);
            record.traces[probe].values.extend(words);
        }
        record.serial.extend(out);
        Ok(self.now - from)
    }

    fn now(&self) -> u32 {
        self.now
    }

    fn state(&mut self, group: u32, state: u16) -> Result<Vec<u32>, Diagnostics> {
        let model = self.plan.program.model_of(group);
        if model.is_none_or(|m| state as usize >= m.states.len()) {
            return Err(Diagnostic::error(
                "SYN0807",
                format!("group {group} has no state {state}"),
            )
            .at(self.plan.program.name.clone())
            .note("states are numbered as in the group's model; external groups have none")
            .hint("read a state that the model declares")
            .into());
        }
        let mut out = vec![];
        let keep = |w: &[u32]| out.extend_from_slice(w);
        self.samples
            .words(&self.plan, group as usize, state as usize, keep);
        Ok(out)
    }

    fn counters(&mut self) -> Result<Counters, Diagnostics> {
        let mut sum = Counters {
            spikes: vec![0; self.plan.program.groups.len()],
            ..Counters::default()
        };
        let mut add = |c: &Counters| {
            sum.spikes
                .iter_mut()
                .zip(&c.spikes)
                .for_each(|(a, b)| *a += b);
            sum.synaptic_events += c.synaptic_events;
            sum.lost += c.lost;
        };
        match &self.samples {
            Samples::Stepped(samples) => {
                let workers = samples.iter().flat_map(|s| &s.workers);
                workers.for_each(|w| add(&open(w).counters));
            }
            Samples::Serial(_, queues) => queues.iter().for_each(|q| add(&open(q).counters)),
        }
        Ok(sum)
    }

    fn hash(&mut self) -> Result<u64, Diagnostics> {
        let mut h = 0xcbf2_9ce4_8422_2325u64;
        let mut add = |words: &[u32]| {
            for byte in words.iter().flat_map(|w| w.to_le_bytes()) {
                h = (h ^ byte as u64).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for group in 0..self.plan.program.groups.len() {
            let model = self.plan.program.model_of(group as u32);
            for state in 0..model.map_or(0, |m| m.states.len()) {
                self.samples.words(&self.plan, group, state, &mut add);
            }
        }
        let (p, step) = (&self.plan.program, self.now.saturating_sub(1));
        for x in &p.plastic {
            let states = p.plastic_of(x.projection).map_or(0, |x| x.1.states.len());
            for state in 0..states as u16 {
                let of = (x.projection, state);
                self.samples.synapses(&self.plan, of, step, PIECE, &mut add);
            }
        }
        Ok(h)
    }

    fn synapses(&mut self, projection: u32, state: u16) -> Result<Vec<u32>, Diagnostics> {
        let step = self.now.saturating_sub(1);
        let of = (projection, state);
        let n = samples::elements(&self.plan.program, projection, state).unwrap_or(0);
        let mut words = Vec::with_capacity(n * self.samples.len() as usize);
        let there = (self.samples).synapses(&self.plan, of, step, PIECE, |piece| {
            words.extend_from_slice(piece)
        });
        match there {
            true => Ok(words),
            false => Err(super::no_synapses(projection, state).into()),
        }
    }

    fn exchange(&mut self, program: &Arc<Program>) -> bool {
        if matches!(self.samples, Samples::Serial(..)) {
            return false;
        }
        let groups = 0..program.groups.len();
        self.plan.code = groups.map(|g| plan::code(program, g)).collect();
        self.plan.program = program.clone();
        true
    }

    fn save(&mut self) -> Result<Snapshot, Diagnostics> {
        let samples = match &self.samples {
            Samples::Stepped(samples) => {
                let all = samples.iter();
                all.map(|s| save::save(&self.plan, s, self.now)).collect()
            }
            Samples::Serial(_, queues) => {
                queues.iter().map(|q| save::save_queue(&open(q))).collect()
            }
        };
        Ok(Snapshot {
            now: self.now,
            counters: self.counters()?,
            loads: vec![1.0; self.plan.program.groups.len()],
            samples,
        })
    }

    fn restore(&mut self, from: &Snapshot) -> Result<(), Diagnostics> {
        let p = self.plan.program.clone();
        from.check(&p, self.samples.len())?;
        match &mut self.samples {
            Samples::Stepped(samples) => {
                for (k, (sample, state)) in samples.iter_mut().zip(&from.samples).enumerate() {
                    *sample = Sample::new(&self.plan, k as u32);
                    save::restore(&self.plan, sample, state, from.now);
                }
                let first = samples.first().and_then(|s| s.workers.first());
                first
                    .iter()
                    .for_each(|w| open(w).counters = from.counters.clone());
            }
            Samples::Serial(_, queues) => {
                for (queue, state) in queues.iter().zip(&from.samples) {
                    let mut queue = open(queue);
                    save::restore_queue(&mut queue, state);
                    queue.counters = Counters {
                        spikes: vec![0; p.groups.len()],
                        ..Counters::default()
                    };
                }
                let first = queues.first();
                first
                    .iter()
                    .for_each(|q| open(q).counters = from.counters.clone());
            }
        }
        self.now = from.now;
        Ok(())
    }
}
