//! A run from beginning to end: chunk by chunk, with hashes and checkpoints on the way.
//!
//! In: a [`Course`], and the whole input. Out: a [`Recording`], complete or up to where it was cancelled. Invariant: what is
//! recorded does not depend on where chunks end, so that a run which goes on from a checkpoint gives the same.

use super::checkpoint::{Checkpoint, Series};
use super::identity::{self, Identity};
use super::stimulus::Drive;
use super::values;
use super::{Recording, Session, Wiring};
use crate::engine::{Counters, Record};
use crate::spikes::{NamedSpike, SpikeData};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use synfire_ir::diag::Progress;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Steps of one call of the engine at most: what is recorded is named in between.
const CHUNK: u32 = 4096;
/// Generated events (signals, time references) of one call at most.
const GENERATED: u64 = 4 << 20;

/// How often a checkpoint is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    /// After so many steps of the engine, at least 1.
    Steps(u32),
    /// After so much time of the clock on the wall.
    Time(Duration),
}

/// Where checkpoints go.
pub struct Keep<'a> {
    /// How often.
    pub every: Every,
    /// Takes the bytes of a checkpoint; a further one replaces it.
    pub write: &'a mut dyn FnMut(&[u8]) -> Result<(), Diagnostics>,
}

/// What a run does beside running.
#[derive(Default)]
pub struct Course<'a> {
    /// Steps of the network, from its beginning.
    pub steps: u32,
    /// Steps between two hashes of the state; 0 for none.
    pub hash_every: u32,
    /// Checkpoints: now and then, when the run is cancelled, and at its end.
    pub keep: Option<Keep<'a>>,
    /// Where to go on from, instead of the initial state.
    pub from: Option<Checkpoint>,
    /// Steps at the beginning that are run, but neither recorded nor counted.
    pub unseen: u32,
    /// Is called after the first step and after the unseen ones, with the steps done.
    pub told: Option<&'a mut dyn FnMut(u32)>,
}

/// A run under way.
struct Run {
    recording: Recording,
    record: Record,
    /// Of the recorded spikes.
    hash: Fnv,
    done: u32,
    begin: Instant,
    /// Seconds before this process.
    before: f64,
    kept: Instant,
}

impl Session {
    /// Runs a course. Progress is reported as `run` in steps. A cancelled run gives what there is, with `complete` false.
    /// Checkpoints need a session from [`super::Plan::open_with`] that was opened for them.
    ///
    /// Errors: those of [`Session::run`]; `SYN0843` for a checkpoint of another run; those of writing a checkpoint.
    pub fn follow(
        &mut self,
        mut course: Course,
        input: &SpikeData,
        progress: &dyn Progress,
    ) -> Result<Recording, Diagnostics> {
        let begin = Instant::now();
        if self.engine.now() > 0 {
            return Err(used(self.engine.now()));
        }
        let steps = course.steps;
        let extra = self.wiring.extra_steps();
        let total = steps.checked_add(extra).ok_or_else(|| too_long(steps))?;
        let drive = match &self.wiring {
            Wiring::Named(n) => n.drive(input, steps, self.samples, &self.program)?,
            Wiring::Chip(c) => c.drive(input, steps, self.samples, &self.populations)?,
        };
        self.engine.expect(&drive.loads(&self.program));
        let mut run = Run::new(self, input, steps, begin);
        if let Some(d) = values::told(drive.cut) {
            run.recording.notes.push(d);
        }
        let identity = self.identity(&course, input)?;
        if let Some(from) = course.from.take() {
            let notes = from.identity.allows(&identity)?;
            recording_fits(&from, &run.recording)?;
            run.recording.notes.extend(notes);
            if from.steps() > total {
                return Err(past(from.steps().saturating_sub(extra), steps));
            }
            self.engine.restore(&from.snapshot)?;
            run.resume(from, course.hash_every);
        }
        let mut counted = Counters::default();
        while run.done < total && !progress.cancelled() {
            self.advance(&mut run, &course, &drive, total, progress)?;
            if let Some(told) = course.told.as_mut().filter(|_| run.done == 1) {
                told(1);
            }
            if course.unseen > 0 && run.done == course.unseen {
                run.forget();
                counted = self.engine.counters()?;
                if let Some(told) = &mut course.told {
                    told(course.unseen);
                }
            }
            if let Some(keep) = &mut course.keep
                && run.done < total
                && keep.every.due(&run)
            {
                self.keep(&mut run, &identity, keep)?;
            }
        }
        if let Some(keep) = &mut course.keep {
            self.keep(&mut run, &identity, keep)?;
        }
        let mut recording = run.recording;
        recording.complete = run.done >= total;
        recording.steps = (run.done.saturating_sub(extra).min(steps)).saturating_sub(course.unseen);
        recording.data.spikes.sort_unstable_by_key(|s| s.key());
        recording.counters = since(self.engine.counters()?, &counted);
        recording.counts = self.counts(&recording);
        recording.run_s = run.before + run.begin.elapsed().as_secs_f64();
        Ok(recording)
    }

    /// What checkpoints of this run are of; only asked for with checkpoints.
    fn identity(&self, course: &Course, input: &SpikeData) -> Result<Identity, Diagnostics> {
        if course.keep.is_none() && course.from.is_none() {
            return Ok(Identity::default());
        }
        let hash = self.hash.ok_or_else(unidentified)?;
        let input = identity::of_input(input);
        let engine = self.engine.name();
        Ok(Identity::new(
            &self.program,
            hash,
            engine,
            self.samples,
            input,
        ))
    }

    /// Runs a chunk and takes in what it recorded.
    fn advance(
        &mut self,
        run: &mut Run,
        course: &Course,
        drive: &Drive,
        total: u32,
        progress: &dyn Progress,
    ) -> Result<(), Diagnostics> {
        let chunk = chunk(course, drive, run.done, total);
        let stimulus = drive.slice(run.done, run.done + chunk);
        let part = Part {
            progress,
            done: run.done,
            total,
            until: course.keep.as_ref().and_then(|k| k.every.deadline(run)),
            moved: AtomicBool::new(false),
        };
        run.done += self
            .engine
            .advance(chunk, &stimulus, &mut run.record, &part)?;
        let data = &mut run.recording.data;
        let before = data.spikes.len();
        self.wiring
            .collect(&mut run.record, course.steps, &self.program, data);
        if course.hash_every > 0 {
            data.spikes[before..].iter().for_each(|s| run.hash.spike(s));
            if run.done.is_multiple_of(course.hash_every) {
                let mut whole = run.hash;
                whole.word(self.engine.hash()?);
                run.recording.hashes.push((run.done, whole.0));
            }
        }
        Ok(())
    }

    /// Writes a checkpoint.
    fn keep(
        &mut self,
        run: &mut Run,
        identity: &Identity,
        keep: &mut Keep,
    ) -> Result<(), Diagnostics> {
        let data = &mut run.recording.data;
        let series = |s: &mut crate::spikes::Signal| {
            (std::mem::take(&mut s.steps), std::mem::take(&mut s.values))
        };
        let checkpoint = Checkpoint {
            identity: identity.clone(),
            snapshot: self.engine.save()?,
            run_s: run.before + run.begin.elapsed().as_secs_f64(),
            hashes: run.recording.hashes.clone(),
            spikes: std::mem::take(&mut data.spikes),
            signals: data.signals.iter_mut().map(series).collect(),
        };
        let written = (keep.write)(&checkpoint.to_bytes());
        data.spikes = checkpoint.spikes;
        put_back(data, checkpoint.signals);
        run.kept = Instant::now();
        written
    }
}

fn put_back(data: &mut SpikeData, signals: Vec<Series>) {
    for (signal, (steps, values)) in data.signals.iter_mut().zip(signals) {
        (signal.steps, signal.values) = (steps, values);
    }
}

/// Do the recorded signals have the shapes of this run's?
fn recording_fits(from: &Checkpoint, empty: &Recording) -> Result<(), Diagnostics> {
    let signals = &empty.data.signals;
    let fits = |(signal, (steps, values)): (&crate::spikes::Signal, &Series)| {
        let words = steps.len() * signal.elements as usize;
        values.len() == signal.values.len() && values.iter().all(|v| v.len() == words)
    };
    if from.signals.len() == signals.len() && signals.iter().zip(&from.signals).all(fits) {
        return Ok(());
    }
    let what = "what it has recorded is not what this run records";
    Err(Diagnostic::error("SYN0840", what)
        .note("signals of another number or shape")
        .hint("resume with the network of the run that wrote it")
        .into())
}

/// Steps of the next call of the engine.
fn chunk(course: &Course, drive: &Drive, done: u32, total: u32) -> u32 {
    let bound = GENERATED / drive.generated_per_step().max(1);
    let chunk = CHUNK
        .min(bound.clamp(1, u64::from(CHUNK)) as u32)
        .min(total - done);
    let to_next = |every: u32| every - done % every;
    let chunk = match (course.unseen, done) {
        (_, 0) if course.told.is_some() => chunk.min(1),
        (unseen, done) if done < unseen => chunk.min(unseen - done),
        _ => chunk,
    };
    let chunk = match &course.keep {
        Some(Keep {
            every: Every::Steps(n),
            ..
        }) => chunk.min(to_next((*n).max(1))),
        _ => chunk,
    };
    match course.hash_every {
        0 => chunk,
        n => chunk.min(to_next(n)),
    }
}

impl Every {
    fn due(&self, run: &Run) -> bool {
        match self {
            Every::Steps(n) => run.done.is_multiple_of((*n).max(1)),
            Every::Time(t) => run.kept.elapsed() >= *t,
        }
    }

    fn deadline(&self, run: &Run) -> Option<Instant> {
        match self {
            Every::Steps(_) => None,
            Every::Time(t) => run.kept.checked_add(*t),
        }
    }
}

impl Run {
    fn new(session: &Session, input: &SpikeData, steps: u32, begin: Instant) -> Run {
        let mut recording = Recording {
            notes: late(input, steps),
            ..Recording::default()
        };
        recording.data.batch = input.batch;
        recording.data.signals = session.wiring.signals(session.samples);
        Run {
            recording,
            record: Record::default(),
            hash: Fnv::default(),
            done: 0,
            begin,
            before: 0.0,
            kept: begin,
        }
    }

    /// Begins the recording anew.
    fn forget(&mut self) {
        let data = &mut self.recording.data;
        data.spikes.clear();
        for s in &mut data.signals {
            s.steps.clear();
            s.values.iter_mut().for_each(Vec::clear);
        }
        self.begin = Instant::now();
    }

    /// Takes over what a checkpoint recorded. Its hash of spikes is made again: it may not have kept one.
    fn resume(&mut self, from: Checkpoint, hash_every: u32) {
        self.done = from.steps();
        self.before = from.run_s;
        self.recording.hashes = from.hashes;
        self.recording.data.spikes = from.spikes;
        put_back(&mut self.recording.data, from.signals);
        if hash_every > 0 {
            let spikes = &self.recording.data.spikes;
            spikes.iter().for_each(|s| self.hash.spike(s));
        }
    }
}

/// What was counted after `before`. A restored engine counts from the beginning of its run.
fn since(mut now: Counters, before: &Counters) -> Counters {
    for (n, b) in now.spikes.iter_mut().zip(&before.spikes) {
        *n -= b;
    }
    now.synaptic_events -= before.synaptic_events;
    now.lost -= before.lost;
    now
}

/// 64-bit FNV-1a over little-endian words.
#[derive(Clone, Copy)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn word(&mut self, w: u64) {
        for b in w.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Spikes come in the order of the engine's record, which does not depend on the engine.
    fn spike(&mut self, s: &NamedSpike) {
        self.word(u64::from(s.sample) << 32 | u64::from(s.step));
        self.word(u64::from(s.population) << 32 | u64::from(s.neuron));
        self.word(s.value.to_bits());
    }
}

pub(super) fn too_long(steps: u32) -> Diagnostics {
    Diagnostic::error(
        "SYN0910",
        format!(
            "{steps} steps and the chip's latency are more than {} steps",
            u32::MAX
        ),
    )
    .class(Class::Usage)
    .hint("run it in parts")
    .into()
}

fn used(now: u32) -> Diagnostics {
    Diagnostic::error(
        "SYN0845",
        format!("the session has run {now} steps already; a whole run begins at the initial state"),
    )
    .class(Class::Usage)
    .hint("open another session, or go on with `step`")
    .into()
}

fn unidentified() -> Diagnostics {
    Diagnostic::error("SYN0845", "the session was not opened for checkpoints")
        .class(Class::Usage)
        .hint("open it with `Plan::open_with`, for checkpoints")
        .into()
}

fn past(done: u32, steps: u32) -> Diagnostics {
    Diagnostic::error(
        "SYN0910",
        format!("the checkpoint stands at step {done}, behind the end of a run of {steps} steps"),
    )
    .class(Class::Usage)
    .hint(format!(
        "ask for more steps: --steps {}",
        u64::from(done) + 1
    ))
    .into()
}

/// A warning when input comes after the end.
fn late(input: &SpikeData, steps: u32) -> Diagnostics {
    let late = input.spikes.iter().filter(|s| s.step >= steps).count();
    if late == 0 {
        return Diagnostics::new();
    }
    let last = input.last_step().unwrap_or(0);
    Diagnostic::warning(
        "SYN0911",
        format!("{late} input spikes come after the end of the run and have no effect"),
    )
    .note(format!(
        "the run has {steps} steps; the last input comes in step {last}"
    ))
    .hint(format!("--steps {} covers them all", u64::from(last) + 1))
    .into()
}

/// Progress of one chunk within the whole run.
struct Part<'a> {
    progress: &'a dyn Progress,
    done: u32,
    total: u32,
    /// When the engine is to stop for a checkpoint.
    until: Option<Instant>,
    /// Has it done anything? A chunk never ends before it began.
    moved: AtomicBool,
}

impl Progress for Part<'_> {
    fn report(&self, _: &str, done: u64, _: u64) {
        self.moved.store(true, Ordering::Relaxed);
        self.progress
            .report("run", u64::from(self.done) + done, u64::from(self.total));
    }

    fn cancelled(&self) -> bool {
        let due =
            self.moved.load(Ordering::Relaxed) && self.until.is_some_and(|t| Instant::now() >= t);
        due || self.progress.cancelled()
    }
}
