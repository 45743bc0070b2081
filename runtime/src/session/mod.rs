//! Sessions: a program run under the network's own names and steps.
//!
//! A [`Plan`] is made from an ideal network's program ([`Plan::ideal`]) or from an artefact's native images
//! ([`Plan::artifact`]). It knows the populations, so that spike files can be read against them; then it is opened on an
//! engine and gives a [`Session`], which turns named input into events, runs in chunks, and names what was recorded. What a
//! chip adds in latency is taken off. Deliberately absent: files, terminals, the compiler.

mod bound;
mod bytes;
mod checkpoint;
mod chip;
mod identity;
mod inside;
mod length;
mod live;
mod named;
mod native;
mod run;
mod stimulus;
#[cfg(test)]
mod tests;
mod trial;
mod values;
mod weights;

pub use checkpoint::Checkpoint;
pub use length::{Length, LengthReason, Wanted, length};
pub use native::native;
pub use run::{Course, Every, Keep};
pub use trial::{Likeness, Trial};

use crate::engine::{self, Counters, DeviceFacts, Engine, Options, Record};
use crate::spikes::{Population, SpikeData};
use chip::Chip;
use named::Named;
use std::sync::Arc;
use synfire_ir::diag::Progress;
use synfire_ir::program::{Arithmetic, Program, Scales};
use synfire_ir::{Diagnostic, Diagnostics};

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
    /// own stimuli (step, group, unit, payload); `scales` says what words are worth.
    pub fn ideal(
        program: Program,
        sources: &[bool],
        feeds: Vec<(u32, u32, u32, u32)>,
        scales: Scales,
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
            samples,
            threads,
            ..Options::default()
        };
        self.open_with(choice, options, false)
    }

    /// As [`Plan::open`], with all options of an engine. Checkpoints name the program by its hash, which takes a moment for a
    /// large one: `checkpoints` says whether any are to be written or read.
    pub fn open_with(
        self,
        choice: Choice,
        mut options: Options,
        checkpoints: bool,
    ) -> Result<Session, Diagnostics> {
        options.samples = options.samples.max(1);
        let hash = checkpoints.then(|| identity::of_plan(&self));
        let program = Arc::new(self.program);
        let (engine, notes) = engine(choice, program.clone(), &options)?;
        Ok(Session {
            program,
            populations: self.populations,
            wiring: self.wiring,
            engine,
            samples: options.samples,
            hash,
            options,
            live: None,
            notes,
        })
    }

    /// Puts the plan on an engine that already holds its program, one sample, such as a board.
    pub fn open_on(self, engine: Box<dyn Engine>) -> Session {
        Session {
            program: Arc::new(self.program),
            populations: self.populations,
            wiring: self.wiring,
            engine,
            samples: 1,
            hash: None,
            options: Options::default(),
            live: None,
            notes: Diagnostics::new(),
        }
    }
}

/// The engine of a choice; when `auto` falls back to the CPU, the notes say why.
pub fn engine(
    choice: Choice,
    program: Arc<Program>,
    options: &Options,
) -> Result<(Box<dyn Engine>, Diagnostics), Diagnostics> {
    let mut notes = Diagnostics::new();
    let engine = match choice {
        Choice::Cpu => engine::open("cpu", program, options)?,
        Choice::Gpu => engine::open("gpu", program, options)?,
        Choice::Auto if !may_have_gpu() || engine::gpu::auto_adapter().is_none() => {
            engine::open("cpu", program, options)?
        }
        Choice::Auto => match engine::open("gpu", program.clone(), options) {
            Ok(engine) => engine,
            Err(why) => {
                notes.push(fell_back(&why));
                engine::open("cpu", program, options)?
            }
        },
    };
    Ok((engine, notes))
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
///
/// Either it runs from beginning to end ([`Session::run`], [`Session::follow`]), or an agent lives in it: it is run a few steps at a time
/// ([`Session::step`]) while the caller injects spikes ([`Session::inject`]) and signals ([`Session::set_signal`]), reads spikes, counts and
/// states, changes parameters ([`Session::set_parameter`]) and rewards ([`Session::reward`]). Names and steps are those of the network; engines
/// give equal results.
///
/// ```
/// use synfire_runtime::session::{Choice, Plan};
///
/// // A network of one source and three relays; the compiler makes such programs from `.syn` and NIR files.
/// let program = synfire_ir::program::parse("relays", include_str!("../../examples/relays.program"))?;
/// let plan = Plan::ideal(program, &[true, false], vec![], Default::default());
/// let mut agent = plan.open(Choice::Cpu, 1, 1)?;
/// for turn in 0..10 {
///     // What the agent sees: one of three sensors.
///     agent.inject("sensors", turn % 3, 1.0)?;
///     agent.step(5)?;
///     // What it does: the motor that spoke.
///     let motors: Vec<u32> = agent.spikes().iter().map(|s| s.neuron).collect();
///     assert_eq!(motors, [turn % 3]);
/// }
/// assert_eq!(agent.count("motors")?, 10);
/// assert_eq!(agent.state("motors", "heard")?, [4.0, 3.0, 3.0]);
/// # Ok::<(), synfire_ir::Diagnostics>(())
/// ```
pub struct Session {
    program: Arc<Program>,
    populations: Vec<Population>,
    wiring: Wiring,
    engine: Box<dyn Engine>,
    samples: u32,
    /// Of the plan, if checkpoints are to be written or read.
    hash: Option<u64>,
    options: Options,
    live: Option<live::Live>,
    notes: Diagnostics,
}

impl Session {
    /// `cpu` or `gpu`.
    pub fn engine(&self) -> &'static str {
        self.engine.name()
    }

    /// The adapter of a GPU engine.
    pub fn adapter(&self) -> Option<String> {
        self.engine.adapter()
    }

    /// How it runs on a device, where it does.
    pub fn device(&self) -> Option<DeviceFacts> {
        self.engine.device()
    }

    /// The arithmetic of the program.
    pub fn arithmetic(&self) -> Arithmetic {
        self.program.arithmetic
    }

    /// The populations in the network's order.
    pub fn populations(&self) -> &[Population] {
        &self.populations
    }

    /// Hash of all states as they stand.
    pub fn state_hash(&mut self) -> Result<u64, Diagnostics> {
        self.engine.hash()
    }

    /// What opening the engine had to say.
    pub fn notes(&self) -> &Diagnostics {
        &self.notes
    }

    /// Runs `steps` steps of the network from the initial state, with a hash of the state every `hash_every` steps (0: none).
    /// Progress is reported as `run` in steps. A cancelled run gives what there is, with `complete` false.
    ///
    /// Errors: `SYN0909` input that the network cannot take, `SYN0910` a run that is too long, `SYN0845` a session that has run
    /// already, and those of the engine.
    pub fn run(
        &mut self,
        steps: u32,
        input: &SpikeData,
        hash_every: u32,
        progress: &dyn Progress,
    ) -> Result<Recording, Diagnostics> {
        let course = Course {
            steps,
            hash_every,
            ..Course::default()
        };
        self.follow(course, input, progress)
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
    /// What words are worth, for a network.
    fn scales(&self) -> Option<&Scales> {
        match self {
            Wiring::Named(n) => Some(n.scales()),
            Wiring::Chip(_) => None,
        }
    }

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
