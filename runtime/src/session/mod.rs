//! Sessions: a program run under the network's own names and steps.
//!
//! A [`Plan`] is made from an ideal network's program ([`Plan::ideal`]) or from an artefact's native images
//! ([`Plan::artifact`]). It knows the populations, so that spike files can be read against them; then it is opened on an
//! engine and gives a [`Session`], which turns named input into events, runs in chunks, and names what was recorded. What a
//! chip adds in latency is taken off. Deliberately absent: files, terminals, the compiler.

mod chip;
mod length;
mod named;
mod stimulus;
#[cfg(test)]
mod tests;

pub use length::{Length, LengthReason, Wanted, length};

use crate::engine::{self, Counters, Engine, Options, Record};
use crate::spikes::{NamedSpike, Population, SpikeData};
use chip::Chip;
use named::Named;
use std::sync::Arc;
use std::time::Instant;
use stimulus::Drive;
use synfire_ir::diag::Progress;
use synfire_ir::program::{Arithmetic, Program};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Which engine to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// A GPU if there is a real one, else the CPU.
    #[default]
    Auto,
    /// Any GPU adapter, software ones too.
    Gpu,
    /// The CPU.
    Cpu,
}

/// Between names and steps of the network and those of the program.
enum Wiring {
    Named(Named),
    Chip(Chip),
}

/// A program with its names, not yet on an engine.
pub struct Plan {
    program: Program,
    populations: Vec<Population>,
    wiring: Wiring,
}

impl Plan {
    /// An ideal network: groups are the populations, in order. `sources[g]` says whether group g is a source; `feeds` are the network's
    /// own stimuli (step, group, unit, payload); `scales` gives for each probe what one unit of a recorded word is worth.
    pub fn ideal(
        program: Program,
        sources: &[bool],
        feeds: Vec<(u32, u32, u32, u32)>,
        scales: Vec<Option<f64>>,
    ) -> Plan {
        let populations = named::populations(&program, sources);
        let wiring = Wiring::Named(Named::new(&program, feeds, scales));
        Plan {
            program,
            populations,
            wiring,
        }
    }

    /// The populations in the network's order.
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// What will run.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Chip steps that the mapping and the chip add to each recorded population, in order; empty for an ideal network.
    pub fn shifts(&self) -> &[u32] {
        match &self.wiring {
            Wiring::Named(_) => &[],
            Wiring::Chip(c) => c.shifts(),
        }
    }

    /// Names of the signals that will be recorded.
    pub fn signals(&self) -> Vec<&str> {
        match &self.wiring {
            Wiring::Named(n) => n.traces().map(|t| t.name.as_str()).collect(),
            Wiring::Chip(_) => vec![],
        }
    }

    /// Sets the key of all random numbers of the run.
    pub fn set_seed(&mut self, seed: u64) {
        self.program.seed = seed;
    }

    /// Puts the program on an engine with `samples` copies of its state; `threads` is that of the CPU engine, 0 for all cores.
    ///
    /// Errors: those of the engine. `auto` falls back to the CPU and says why in [`Session::notes`].
    pub fn open(
        self,
        choice: Choice,
        threads: usize,
        samples: u32,
    ) -> Result<Session, Diagnostics> {
        let options = Options {
            samples: samples.max(1),
            threads,
        };
        let program = Arc::new(self.program);
        let mut notes = Diagnostics::new();
        let engine = match choice {
            Choice::Cpu => engine::open("cpu", program.clone(), &options)?,
            Choice::Gpu => engine::open("gpu", program.clone(), &options)?,
            Choice::Auto if !may_have_gpu() || engine::gpu::auto_adapter().is_none() => {
                engine::open("cpu", program.clone(), &options)?
            }
            Choice::Auto => match engine::open("gpu", program.clone(), &options) {
                Ok(engine) => engine,
                Err(why) => {
                    notes.push(fell_back(&why));
                    engine::open("cpu", program.clone(), &options)?
                }
            },
        };
        Ok(Session {
            program,
            populations: self.populations,
            wiring: self.wiring,
            engine,
            samples: options.samples,
            notes,
        })
    }
}

/// Could there be a GPU? Loading drivers takes longer than a small run, and some of them talk.
fn may_have_gpu() -> bool {
    const NODES: [&str; 4] = ["/dev/dri", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg"];
    !cfg!(target_os = "linux") || NODES.iter().any(|n| std::path::Path::new(n).exists())
}

fn fell_back(why: &Diagnostics) -> Diagnostic {
    let note = Diagnostic::warning(
        "SYN0830",
        "the GPU engine could not be opened; the CPU engine runs instead",
    );
    let why = why.0.iter().map(|d| d.message.clone());
    why.fold(note, Diagnostic::note)
        .hint("--engine cpu asks for the CPU; --engine gpu fails instead of falling back")
}

/// What a run gave, under the network's names.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Steps of the network that ran.
    pub steps: u32,
    /// Did it run to its end?
    pub complete: bool,
    /// Spikes and traces, sorted.
    pub data: SpikeData,
    /// Spikes of each population over all samples; `None` where nothing counts them (unrecorded populations of a chip).
    pub counts: Vec<Option<u64>>,
    /// The engine's own counters.
    pub counters: Counters,
    /// (step, hash of all states and of the spikes recorded so far) at the asked steps.
    pub hashes: Vec<(u32, u64)>,
    /// Worth knowing.
    pub notes: Diagnostics,
    /// Seconds of running.
    pub run_s: f64,
}

/// A program on an engine.
pub struct Session {
    program: Arc<Program>,
    populations: Vec<Population>,
    wiring: Wiring,
    engine: Box<dyn Engine>,
    samples: u32,
    notes: Diagnostics,
}

/// Steps of one call of the engine at most: what is recorded is named in between.
const CHUNK: u32 = 4096;
/// Generated events (signals, time references) of one call at most.
const GENERATED: u64 = 4 << 20;

impl Session {
    /// `cpu` or `gpu`.
    pub fn engine(&self) -> &'static str {
        self.engine.name()
    }

    /// The adapter of a GPU engine.
    pub fn adapter(&self) -> Option<String> {
        self.engine.adapter()
    }

    /// The arithmetic of the program.
    pub fn arithmetic(&self) -> Arithmetic {
        self.program.arithmetic
    }

    /// The populations in the network's order.
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// What opening the engine had to say.
    pub fn notes(&self) -> &Diagnostics {
        &self.notes
    }

    /// Runs `steps` steps of the network from the initial state, with a hash of the state every `hash_every` steps (0: none).
    /// Progress is reported as `run` in steps. A cancelled run gives what there is, with `complete` false.
    ///
    /// Errors: `SYN0909` input that the network cannot take, `SYN0910` a run that is too long, and those of the engine.
    pub fn run(
        &mut self,
        steps: u32,
        input: &SpikeData,
        hash_every: u32,
        progress: &dyn Progress,
    ) -> Result<Recording, Diagnostics> {
        let begin = Instant::now();
        let extra = self.wiring.extra_steps();
        let total = steps.checked_add(extra).ok_or_else(|| too_long(steps))?;
        let drive = match &self.wiring {
            Wiring::Named(n) => n.drive(input, steps, self.samples, &self.program)?,
            Wiring::Chip(c) => c.drive(input, steps, self.samples, &self.populations)?,
        };
        let mut recording = Recording {
            notes: late(input, steps),
            ..Recording::default()
        };
        recording.data.batch = input.batch;
        recording.data.signals = self.wiring.signals(self.samples);
        let mut record = Record::default();
        let mut spikes_hash = Fnv::default();
        let mut done = 0;
        while done < total && !progress.cancelled() {
            let chunk = self.chunk(&drive, done, total, hash_every);
            let stimulus = drive.slice(done, done + chunk);
            let part = Part {
                progress,
                done,
                total,
            };
            let ran = self.engine.advance(chunk, &stimulus, &mut record, &part)?;
            let before = recording.data.spikes.len();
            self.wiring
                .collect(&mut record, steps, &self.program, &mut recording.data);
            done += ran;
            if hash_every > 0 {
                recording.data.spikes[before..]
                    .iter()
                    .for_each(|s| spikes_hash.spike(s));
                if done % hash_every == 0 {
                    let mut whole = spikes_hash;
                    whole.word(self.engine.hash()?);
                    recording.hashes.push((done, whole.0));
                }
            }
            if ran < chunk {
                break;
            }
        }
        recording.complete = done >= total;
        recording.steps = done.saturating_sub(extra).min(steps);
        recording.data.spikes.sort_unstable_by_key(|s| s.key());
        recording.counters = self.engine.counters()?;
        recording.counts = self.counts(&recording);
        recording.run_s = begin.elapsed().as_secs_f64();
        Ok(recording)
    }

    fn chunk(&self, drive: &Drive, done: u32, total: u32, hash_every: u32) -> u32 {
        let bound = GENERATED / drive.generated_per_step().max(1);
        let chunk = CHUNK
            .min(bound.clamp(1, u64::from(CHUNK)) as u32)
            .min(total - done);
        if hash_every == 0 {
            chunk
        } else {
            chunk.min(hash_every - done % hash_every)
        }
    }

    fn counts(&self, recording: &Recording) -> Vec<Option<u64>> {
        match &self.wiring {
            Wiring::Named(_) => (0..self.populations.len())
                .map(|g| recording.counters.spikes.get(g).copied())
                .collect(),
            Wiring::Chip(_) => {
                let mut counts: Vec<Option<u64>> = self
                    .populations
                    .iter()
                    .map(|p| p.recorded.then_some(0))
                    .collect();
                for s in &recording.data.spikes {
                    if let Some(Some(n)) = counts.get_mut(s.population as usize) {
                        *n += 1;
                    }
                }
                counts
            }
        }
    }
}

impl Wiring {
    fn extra_steps(&self) -> u32 {
        match self {
            Wiring::Named(_) => 0,
            Wiring::Chip(c) => c.shifts().iter().copied().max().unwrap_or(0),
        }
    }

    fn signals(&self, samples: u32) -> Vec<crate::spikes::Signal> {
        match self {
            Wiring::Named(n) => n.empty_signals(samples),
            Wiring::Chip(_) => vec![],
        }
    }

    /// Moves what an engine recorded into named data.
    fn collect(
        &mut self,
        record: &mut Record,
        steps: u32,
        program: &Program,
        data: &mut SpikeData,
    ) {
        match self {
            Wiring::Named(n) => n.collect(record, program, data),
            Wiring::Chip(c) => c.collect(record, steps, data),
        }
    }
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

fn too_long(steps: u32) -> Diagnostics {
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
}

impl Progress for Part<'_> {
    fn report(&self, _: &str, done: u64, _: u64) {
        self.progress
            .report("run", u64::from(self.done) + done, u64::from(self.total));
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}
