//! From a file on the command line to a recording: what `run` and `compare` share.

use crate::args::{ArithmeticArg, EngineArg, NetworkArgs, RunOptions};
use crate::console::Console;
use crate::failure::Failure;
use crate::files;
use crate::lowering::{self, Wish};
use crate::network::{self, Loaded};
use crate::progress::Bar;
use crate::targets;
use crate::units::Interval;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use synfire_ir::artifact::Artifact;
use synfire_ir::network::{Network, Probe, Quantity};
use synfire_ir::program::{Arithmetic, Layout, Projection, Store};
use synfire_ir::units::Dimension;
use synfire_ir::{Class, Diagnostic, Diagnostics, SourceMap};
use synfire_lang::resolve::Expectation;
use synfire_runtime::engine::DeviceFacts;
use synfire_runtime::session::{
    Checkpoint, Choice, Course, Every, Keep, Length, Plan, Recording, Session, Wanted, length,
};
use synfire_runtime::spikes::weights::Weights;
use synfire_runtime::spikes::{self, Population, SpikeData};

/// Something to run, with what its file says about a run.
pub struct Subject {
    /// Name of the network.
    pub name: String,
    /// `chip:dialect` of an artefact.
    pub target: Option<String>,
    /// Names and program.
    pub plan: Plan,
    /// Seconds a step.
    pub dt: Option<f64>,
    /// Seed of every draw.
    pub seed: u64,
    /// Steps of the file's only experiment.
    pub experiment: Option<u32>,
    /// Neurons and synapses of the network, where it is one.
    pub scale: Option<(u64, f64)>,
    /// Are drawn float weights stored in 16 bits?
    pub narrow: bool,
    /// Dimension of each recorded state, by the name of its signal.
    pub dimensions: BTreeMap<String, Dimension>,
    /// Groups whose emissions are the spikes of a chip's neurons.
    pub neurons: Vec<u32>,
}

/// The ideal form of a network.
pub fn ideal(loaded: &Loaded, options: &RunOptions, console: &Console) -> Result<Subject, Failure> {
    let net = &loaded.network;
    let wish = Wish {
        seed: options.seed,
        arithmetic: options.arithmetic,
        synapses: options.synapses,
        engine: synfire_runtime::engine::Options {
            threads: options.threads,
            memory: options.memory_limit,
            ..Default::default()
        },
    };
    let lowered = lowering::lower(net, &wish).map_err(|d| loaded.wrong(d))?;
    console.show(&lowered.notes, &loaded.sources);
    let sources: Vec<bool> = net.populations().map(|(_, p)| p.is_source).collect();
    let program = &lowered.program;
    tracing::debug!(
        groups = program.groups.len(),
        synapses = program.synapses(),
        phases = program.phases(),
        "lowered"
    );
    let synapses = net.projections().map(|(id, ..)| net.synapses_of(id)).sum();
    Ok(Subject {
        name: net.name.clone(),
        target: None,
        dt: net.dt,
        seed: lowered.program.seed,
        experiment: net.run,
        scale: Some((net.neurons(), synapses)),
        narrow: lowered.program.projections.iter().any(narrow),
        dimensions: dimensions(net),
        neurons: vec![],
        plan: Plan::ideal(lowered.program, &sources, lowered.feeds, lowered.scales),
    })
}

fn narrow(p: &Projection) -> bool {
    matches!(&p.layout, Layout::Generated(g) if g.store == Store::Scaled && g.weight_bytes() > 0)
}

fn dimensions(net: &Network) -> BTreeMap<String, Dimension> {
    let of = |p: &Probe| {
        let state = match &p.what {
            Quantity::Spikes => return None,
            Quantity::State(state) => state,
            Quantity::Synapse(projection, state) => {
                let (.., x) = net.projections().find(|x| x.3.name == *projection)?;
                let m = &net.synapses[x.plasticity.as_ref()?.model as usize];
                let k = m.synapse.state(state)?;
                let dimension = *m.state_dimensions.get(usize::from(k))?;
                return Some((format!("{projection}.{state}"), dimension));
            }
        };
        let model = net.model_of(p.pop)?;
        let k = model.model.state(state)?;
        let dimension = *model.state_dimensions.get(usize::from(k))?;
        Some((format!("{}.{state}", net.graph[p.pop].name), dimension))
    };
    net.probes.iter().filter_map(of).collect()
}

/// An artefact on the emulated chip.
pub fn artefact(artefact: &Artifact, options: &RunOptions) -> Result<Subject, Failure> {
    emulated(artefact, options, false)
}

/// An artefact on the emulated chip; with `inside` its hidden neurons are watched.
pub fn emulated(
    artefact: &Artifact,
    options: &RunOptions,
    inside: bool,
) -> Result<Subject, Failure> {
    let h = &artefact.header;
    if options.arithmetic != ArithmeticArg::Auto {
        return Err(
            Diagnostic::error("SYN0914", "an artefact runs in its chip's own integers")
                .class(Class::Usage)
                .note("--arithmetic chooses the arithmetic of ideal networks")
                .hint("leave --arithmetic away")
                .into(),
        );
    }
    let target = targets::of(artefact)?;
    let Some(backend) = target.chip.backend() else {
        return Err(Diagnostic::error(
            "SYN0705",
            format!("the chip `{}` has no code to read its images", h.target),
        )
        .hint("compile for another target; `synfire targets` lists them")
        .into());
    };
    let mut plan = match inside {
        true => Plan::artifact_inside(artefact, backend)?,
        false => Plan::artifact(artefact, backend)?,
    };
    if let Some(seed) = options.seed {
        plan.set_seed(seed);
    }
    Ok(Subject {
        name: h.network.clone(),
        target: Some(target.name()),
        dt: h.dt,
        seed: options.seed.unwrap_or(h.seed),
        experiment: h.run,
        scale: None,
        narrow: false,
        dimensions: BTreeMap::new(),
        neurons: backend.neuron_groups(plan.program()),
        plan,
    })
}

/// The spikes of all `--input` files.
pub fn inputs(paths: &[PathBuf], populations: &[Population]) -> Result<SpikeData, Failure> {
    let mut all: Option<SpikeData> = None;
    for path in paths {
        let data = spikes::read(&files::shown(path), &files::read(path)?, populations)?;
        match &mut all {
            None => all = Some(data),
            Some(whole) => whole.merge(data)?,
        }
    }
    Ok(all.unwrap_or_default())
}

/// Steps of the run.
pub fn steps(
    subject: &Subject,
    options: &RunOptions,
    input: &SpikeData,
) -> Result<Length, Failure> {
    let wanted = options
        .steps
        .map(Wanted::Steps)
        .or(options.time.map(Wanted::Seconds));
    Ok(length(
        wanted,
        subject.dt,
        subject.experiment,
        input.last_step(),
    )?)
}

/// A finished run with everything that is said about it.
pub struct Ran {
    /// Name of the network.
    pub name: String,
    /// `chip:dialect` of an artefact.
    pub target: Option<String>,
    /// The populations in the network's order.
    pub populations: Vec<Population>,
    /// What was recorded.
    pub recording: Recording,
    /// `cpu` or `gpu`.
    pub engine: &'static str,
    /// The adapter of a GPU.
    pub adapter: Option<String>,
    /// How it ran there.
    pub device: Option<DeviceFacts>,
    /// The arithmetic.
    pub arithmetic: Arithmetic,
    /// Seconds a step.
    pub dt: Option<f64>,
    /// Seed.
    pub seed: u64,
    /// Length and why.
    pub length: Length,
    /// Chip steps taken off each population.
    pub shifts: Vec<u32>,
    /// Seconds from the start of the command to the first step.
    pub build_s: f64,
    /// Step of the engine at which a resumed run went on.
    pub resumed_at: Option<u32>,
    /// Neurons and synapses of the network, where it is one.
    pub scale: Option<(u64, f64)>,
    /// Are drawn float weights stored in 16 bits?
    pub narrow: bool,
    /// Dimension of each recorded state, by the name of its signal.
    pub dimensions: BTreeMap<String, Dimension>,
    /// Groups whose emissions are the spikes of a chip's neurons.
    pub neurons: Vec<u32>,
    /// Weights of the synapses that learn, at the end; where they were asked for.
    pub weights: Vec<Weights>,
}

/// What a long run keeps, and where it goes on from.
#[derive(Clone, Debug, Default)]
pub struct Long {
    /// Steps between two hashes; 0 for none.
    pub hash_every: u32,
    /// Where checkpoints go.
    pub checkpoint: Option<PathBuf>,
    /// Time between two of them.
    pub every: Option<Interval>,
    /// The checkpoint to go on from.
    pub resume: Option<PathBuf>,
    /// Are the weights at the end wanted?
    pub weights: bool,
}

/// Time between two checkpoints when nothing is said.
const MINUTE: Duration = Duration::from_secs(60);

/// Runs a subject on an engine; `begin` is when the command began. A run that the user stops gives what there is.
pub fn run(
    subject: Subject,
    options: &RunOptions,
    input: &SpikeData,
    long: &Long,
    begin: Instant,
    console: &Console,
) -> Result<Ran, Failure> {
    let choice = match options.engine {
        EngineArg::Auto => Choice::Auto,
        EngineArg::Gpu => Choice::Gpu,
        EngineArg::Cpu => Choice::Cpu,
    };
    let engine = synfire_runtime::engine::Options {
        samples: input.batch.unwrap_or(1),
        threads: options.threads,
        memory: options.memory_limit,
    };
    let checkpoints = long.checkpoint.is_some() || long.resume.is_some();
    let open = |plan: Plan| plan.open_with(choice, engine, checkpoints);
    run_with(subject, options, input, long, begin, console, open)
}

/// Runs a subject on what `open` makes of its plan.
pub fn run_with(
    subject: Subject,
    options: &RunOptions,
    input: &SpikeData,
    long: &Long,
    begin: Instant,
    console: &Console,
    open: impl FnOnce(Plan) -> Result<Session, Diagnostics>,
) -> Result<Ran, Failure> {
    let length = steps(&subject, options, input)?;
    let every = interval(long.every, subject.dt)?;
    let from = resumed(long.resume.as_deref())?;
    let shifts = subject.plan.shifts().to_vec();
    let mut session = open(subject.plan)?;
    console.show(session.notes(), &SourceMap::default());
    let build_s = begin.elapsed().as_secs_f64();
    tracing::info!(
        engine = session.engine(),
        steps = length.steps,
        seed = subject.seed,
        build_s,
        "run"
    );
    let resumed_at = from.as_ref().map(Checkpoint::steps);
    let mut write = |bytes: &[u8]| match &long.checkpoint {
        Some(path) => files::write(path, bytes),
        None => Ok(()),
    };
    let course = Course {
        steps: length.steps,
        hash_every: long.hash_every,
        keep: long.checkpoint.is_some().then_some(Keep {
            every,
            write: &mut write,
        }),
        from,
        ..Course::default()
    };
    let bar = Bar::new(console);
    let recording = session.follow(course, input, &bar);
    bar.finish();
    let recording = recording.map_err(|d| resumable(d, long.checkpoint.as_deref()))?;
    console.show(&recording.notes, &SourceMap::default());
    let weights = match long.weights {
        true => session.weights()?,
        false => vec![],
    };
    Ok(Ran {
        weights,
        name: subject.name,
        target: subject.target,
        populations: session.populations().to_vec(),
        recording,
        engine: session.engine(),
        adapter: session.adapter(),
        device: session.device(),
        arithmetic: session.arithmetic(),
        dt: subject.dt,
        seed: subject.seed,
        length,
        shifts,
        build_s,
        resumed_at,
        scale: subject.scale,
        narrow: subject.narrow,
        dimensions: subject.dimensions,
        neurons: subject.neurons,
    })
}

/// Says of a device that failed where the run can go on from.
fn resumable(mut found: Diagnostics, checkpoint: Option<&std::path::Path>) -> Diagnostics {
    let written = checkpoint.filter(|path| path.is_file());
    for d in found.0.iter_mut().filter(|d| d.class == Class::Device) {
        if let Some(path) = written {
            let hint = format!(
                "--resume {} goes on from the last checkpoint",
                path.display()
            );
            d.hints.push(hint);
        }
    }
    found
}

/// A checkpoint from a file.
fn resumed(path: Option<&std::path::Path>) -> Result<Option<Checkpoint>, Failure> {
    let Some(path) = path else {
        return Ok(None);
    };
    let bytes = files::read(path)?;
    Ok(Some(Checkpoint::from_bytes(&files::shown(path), &bytes)?))
}

/// How often checkpoints are written.
fn interval(every: Option<Interval>, dt: Option<f64>) -> Result<Every, Failure> {
    let wanted = match every {
        None => return Ok(Every::Time(MINUTE)),
        Some(Interval::Steps(n)) => Wanted::Steps(n),
        Some(Interval::Seconds(t)) => Wanted::Seconds(t),
    };
    let steps = length(Some(wanted), dt, None, None).map_err(|mut found| {
        found.0.iter_mut().for_each(|d| {
            d.message = format!("--every: {}", d.message);
            d.hints = vec!["give --every as a number of steps".into()];
        });
        found
    })?;
    Ok(Every::Steps(steps.steps))
}

/// Only one of the files may be standard input.
pub fn one_standard_input(net: &std::path::Path, inputs: &[PathBuf]) -> Result<(), Diagnostics> {
    let n = std::iter::once(net)
        .chain(inputs.iter().map(PathBuf::as_path))
        .filter(|p| files::is_standard(p))
        .count();
    if n < 2 {
        return Ok(());
    }
    Err(
        Diagnostic::error("SYN0914", "standard input (`-`) is named twice")
            .class(Class::Usage)
            .hint("put one of the two into a file")
            .into(),
    )
}

/// A file that can be run.
pub struct Opened {
    /// What runs.
    pub subject: Subject,
    /// Of an artefact.
    pub artefact: Option<Artifact>,
    /// Texts that spans point into.
    pub sources: SourceMap,
    /// What the experiment expects.
    pub expectations: Vec<Expectation>,
    /// The bytes of a network's file.
    pub bytes: Vec<u8>,
}

/// Reads NET or an artefact.
pub fn open(
    path: &std::path::Path,
    options: &RunOptions,
    network: &NetworkArgs,
    console: &Console,
) -> Result<Opened, Failure> {
    let bytes = files::read(path)?;
    if bytes.starts_with(b"SYNX") || path.extension().is_some_and(|e| e == "synx") {
        let read = Artifact::from_bytes(&files::shown(path), &bytes)?;
        if !network.set.is_empty() {
            return Err(
                Diagnostic::error("SYN0914", "the parameters of an artefact are fixed")
                    .class(Class::Usage)
                    .hint("give --set to `synfire compile`")
                    .into(),
            );
        }
        if network.experiment.is_some() {
            return Err(
                Diagnostic::error("SYN0914", "an artefact has no experiments")
                    .class(Class::Usage)
                    .hint("run the network's file with --experiment")
                    .into(),
            );
        }
        return Ok(Opened {
            subject: artefact(&read, options)?,
            artefact: Some(read),
            sources: SourceMap::default(),
            expectations: vec![],
            bytes: vec![],
        });
    }
    let loaded = network::load(path, bytes.clone(), network, console)?;
    let subject = ideal(&loaded, options, console)?;
    Ok(Opened {
        subject,
        artefact: None,
        sources: loaded.sources,
        expectations: loaded.expectations,
        bytes,
    })
}
