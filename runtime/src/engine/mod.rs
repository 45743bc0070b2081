//! Engines: what runs a [`Program`]. Two exist, [`cpu`] and [`gpu`]; both give the same bits for integer programs.
//!
//! An engine holds a batch of `samples` independent copies of the program's state, all starting from the initial state.
//! [`Engine::advance`] runs a number of steps; input comes in as sorted lists, what is recorded goes out through a
//! [`Record`]. Engines do not know files, names or time units.

#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;
pub mod cpu;
pub mod gpu;
pub mod snapshot;

pub(crate) use cpu::input::divide;
use serde::{Deserialize, Serialize};
use snapshot::Snapshot;
use std::sync::Arc;
use synfire_ir::Class;
use synfire_ir::diag::{Diagnostic, Diagnostics, Progress};
use synfire_ir::numerals;
use synfire_ir::program::{Program, Serial, SerialEvent};
use synfire_kernels::wgsl::image::drawn::stays;

/// An event injected into an external group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InputEvent {
    /// Step in which the group emits it (absolute, from the start of the run).
    pub step: u32,
    /// Sample of the batch.
    pub sample: u32,
    /// External group.
    pub group: u32,
    /// Unit of the group.
    pub unit: u32,
    /// I32 payload, or F32 bits when the group is graded.
    pub payload: u32,
}

/// Everything that is given to a run. Lists are sorted by (step, sample); serial events of one (step, sample) keep their
/// order.
#[derive(Clone, Debug, Default)]
pub struct Stimulus {
    /// Events of external groups.
    pub events: Vec<InputEvent>,
    /// Events of a serial program: (step, sample, event).
    pub serial: Vec<(u32, u32, SerialEvent)>,
}

/// A recorded emission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spike {
    /// Sample of the batch.
    pub sample: u32,
    /// Step.
    pub step: u32,
    /// Index of the probe (into [`Program::probes`]).
    pub probe: u32,
    /// Unit of the group.
    pub unit: u32,
    /// Payload (I32 bits).
    pub payload: u32,
}

/// Values of a state probe: `values[time][sample][unit]`, one row for each recorded step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Recorded steps.
    pub steps: Vec<u32>,
    /// Words, `samples * units` for each recorded step.
    pub values: Vec<u32>,
}

/// What a run recorded.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Emissions at `Events` probes, sorted by (step, sample, probe, unit) within each `advance`.
    pub spikes: Vec<Spike>,
    /// One for each probe of the program (empty for `Events` probes).
    pub traces: Vec<Trace>,
    /// Output of serial programs in the order in which it left: (step, sample, address).
    pub serial: Vec<(u32, u32, u32)>,
}

/// Counters since the start of the run, summed over samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Emissions (events, whatever their payload) of each group.
    pub spikes: Vec<u64>,
    /// Synapses walked by events.
    pub synaptic_events: u64,
    /// Events lost to a full queue (serial programs).
    pub lost: u64,
}

/// How to set up an engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Independent samples run at once; at least 1.
    pub samples: u32,
    /// Threads of the CPU engine; 0 takes all cores.
    pub threads: usize,
    /// Bytes that the program may take; more is refused before anything is allocated.
    pub memory: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            samples: 1,
            threads: 0,
            memory: None,
        }
    }
}

/// The refusal of a program that needs more bytes than the caller allows.
fn beyond_limit(name: &str, samples: u32, need: u128, limit: u64) -> Diagnostic {
    let need_in_words = numerals::bytes(need.try_into().unwrap_or(u64::MAX));
    Diagnostic::error(
        "SYN0846",
        format!(
            "`{name}` needs about {need_in_words} with {} samples; the limit is {}",
            numerals::count(samples.into()),
            numerals::bytes(limit)
        ),
    )
    .class(Class::Fit)
    .note("an engine keeps synapses, and the states, ports and delayed outputs of all samples")
    .hint("raise --memory-limit, run fewer samples at once, or scale the network down")
    .field("needed", need)
    .field("available", limit)
}

/// How a program runs on a device, so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DeviceFacts {
    /// Dispatches of a step, on average: rules at intervals are dispatched in their steps alone.
    pub dispatches_per_step: f64,
    /// Steps that one submission carried, on average.
    pub steps_per_submission: f64,
    /// Bytes that came back for each step, on average: counters, recorded emissions and states.
    pub bytes_read_per_step: f64,
    /// Bindings over which the synapses are split.
    pub shards: u64,
    /// Parts that the batch is cut into.
    pub lots: u64,
}

/// Something that runs a program.
pub trait Engine {
    /// `cpu` or `gpu`.
    fn name(&self) -> &'static str;

    /// The adapter of a GPU engine.
    fn adapter(&self) -> Option<String> {
        None
    }

    /// How it runs on a device; `None` on the processor, and for serial programs.
    fn device(&self) -> Option<DeviceFacts> {
        None
    }

    /// Runs `steps` steps. `input` may hold events of later steps; those before the current step are an error.
    /// Recorded data are appended to `record`. Progress is reported in steps; when cancelled, the engine stops
    /// after a whole step and returns the number of steps done.
    fn advance(
        &mut self,
        steps: u32,
        input: &Stimulus,
        record: &mut Record,
        progress: &dyn Progress,
    ) -> Result<u32, Diagnostics>;

    /// Number of the next step.
    fn now(&self) -> u32;

    /// Words of a state of a group: `samples * size`, sample-major.
    fn state(&mut self, group: u32, state: u16) -> Result<Vec<u32>, Diagnostics>;

    /// Words of a state of a plastic projection as they stand after the last step: one for each element of the state's place
    /// (synapses in the order of the layout), sample-major. Errors: the projection does not learn, or has no such state.
    fn synapses(&mut self, projection: u32, state: u16) -> Result<Vec<u32>, Diagnostics> {
        Err(no_synapses(projection, state).into())
    }

    /// Counters so far.
    fn counters(&mut self) -> Result<Counters, Diagnostics>;

    /// 64-bit FNV-1a over the little-endian words of all states (group, state, sample, unit) as they stand, then of all
    /// states of plastic projections (projection, state, sample, element) as [`Engine::synapses`] gives them: equal for equal
    /// runs on any engine.
    fn hash(&mut self) -> Result<u64, Diagnostics>;

    /// Tells what external groups will send at most: for each group the largest sum of absolute payloads of one unit in one
    /// step. A GPU scales its sums of floats by it, so that a run whose whole input is told beforehand does not depend on how
    /// it is cut into calls.
    fn expect(&mut self, loads: &[f64]) {
        let _ = loads;
    }

    /// Goes on with a program that differs in the parameters of groups alone, where that is quickly done; else says false.
    fn exchange(&mut self, program: &Arc<Program>) -> bool {
        let _ = program;
        false
    }

    /// All that must be known to go on from here.
    fn save(&mut self) -> Result<Snapshot, Diagnostics>;

    /// Goes on from where a snapshot of the same program and batch was taken, on whatever engine. Float programs go on
    /// with equal bits on the same kind of engine only. Errors: `SYN0840` when the snapshot is of another program.
    fn restore(&mut self, from: &Snapshot) -> Result<(), Diagnostics>;
}

/// The error of [`Engine::synapses`] for what does not learn.
fn no_synapses(projection: u32, state: u16) -> Diagnostic {
    let what = format!("projection {projection} has no plastic state {state}");
    Diagnostic::error("SYN0807", what)
        .note("states are numbered as in the synapse model; static projections have none")
        .hint("read a state of a plastic projection")
}

/// The events of a step in the order of [`Serial`], into `out`: `back` are the rows that the host sends back, `given` the events given.
pub(crate) fn due(
    s: &Serial,
    mut back: Vec<u32>,
    given: &[(u32, SerialEvent)],
    out: &mut Vec<SerialEvent>,
) {
    out.clear();
    let row = |e: &SerialEvent| match e {
        SerialEvent::Row { pre } => Some(*pre),
        _ => None,
    };
    if s.sorted {
        back.extend(given.iter().filter_map(|e| row(&e.1)));
        back.sort_unstable();
        out.extend(back.into_iter().map(|pre| SerialEvent::Row { pre }));
    }
    let others = given.iter().map(|e| e.1);
    out.extend(others.filter(|e| !s.sorted || row(e).is_none()));
    out.extend(&s.tail);
}

/// Sets up an engine by name (`cpu` or `gpu`) for a program; the program is checked first.
pub fn open(
    which: &str,
    program: Arc<Program>,
    options: &Options,
) -> Result<Box<dyn Engine>, Diagnostics> {
    synfire_ir::program::check(&program).result(())?;
    let rows = |program: Arc<Program>| match program.is_generated() {
        true => Arc::new(program.expanded_but(|pr| stays(&program, pr))),
        false => program,
    };
    match which {
        "gpu" => Ok(Box::new(gpu::Gpu::new(rows(program), options)?)),
        _ => Ok(Box::new(cpu::Cpu::new(program, options)?)),
    }
}
