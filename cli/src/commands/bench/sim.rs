//! `bench sim`: how long a network takes to build and to run, in CPU seconds, and in how much memory.
//!
//! The network runs `--warm` first, so that what is timed is its activity and not its start. CPU seconds are those of the whole
//! process, all threads together; ratios of them between programs hold on a shared machine too, where wall time does not.

use super::networks;
use crate::args::{BenchSimArgs, EngineArg, RunOptions};
use crate::commands::{record, run};
use crate::console::Console;
use crate::execute::{self, Ran, Subject};
use crate::failure::{Failure, Outcome};
use crate::network::{self, Loaded};
use crate::progress::Bar;
use crate::stats;
use crate::table::{Side, Table};
use crate::units::{bytes, count, large, peak_memory, resident_memory, seconds, short};
use cpu_time::ProcessTime;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};
use synfire_ir::SourceMap;
use synfire_runtime::session::{Choice, Course, Wanted, length};
use synfire_runtime::spikes::SpikeData;

/// The result as programs take it, beside the keys of `run`. Keys are a contract.
#[derive(Serialize)]
struct Facts<'a> {
    #[serde(flatten)]
    run: run::Facts<'a>,
    threads: usize,
    synapses: u64,
    /// From the start of the process until the engine stands.
    setup_cpu_s: f64,
    setup_s: f64,
    /// From the start of the process until the first step is done.
    first_step_s: f64,
    warm_s: f64,
    sim_cpu_s: f64,
    cpu_real_time_factor: Option<f64>,
    /// What the process grew by until the first step was done, over the synapses.
    bytes_per_synapse: Option<f64>,
    /// Spikes times mean number of targets, over populations of neurons.
    events: f64,
    events_per_cpu_s: f64,
    state_hash: String,
}

/// What is measured beside the run itself.
struct Measured {
    setup_cpu: Duration,
    setup: Duration,
    first_step: Duration,
    sim_cpu: Duration,
    /// Growth of resident memory until the first step was done.
    grown: Option<u64>,
    hash: u64,
}

/// See the module.
pub fn sim(args: &BenchSimArgs, console: &Console) -> Outcome {
    let begin = Instant::now();
    let at_first = resident_memory();
    let chosen = networks::find(&args.net)?;
    let mut network = args.network();
    network.set = [chosen.set, network.set].concat();
    let options = args.options();
    let loaded = network::load(
        Path::new(&chosen.file),
        chosen.text.as_bytes().to_vec(),
        &network,
        console,
    )?;
    let subject = execute::ideal(&loaded, &options, console)?;
    let (ran, measured) =
        measure(subject, args, &options, (begin, at_first), console).map_err(|f| match f {
            Failure::Wrong(d, _) => loaded.wrong(d),
            other => other,
        })?;
    for path in &args.record {
        record::write_record(path, &ran, console)?;
    }
    report(&ran, &measured, &loaded, args, console);
    Ok(())
}

/// Opens the engine, runs the first step, warms up, and runs what is timed.
fn measure(
    subject: Subject,
    args: &BenchSimArgs,
    options: &RunOptions,
    (begin, at_first): (Instant, Option<u64>),
    console: &Console,
) -> Result<(Ran, Measured), Failure> {
    let steps = |t: f64| length(Some(Wanted::Seconds(t)), subject.dt, None, None);
    let length = steps(args.time)?;
    let warm = match args.warm {
        t if t > 0.0 => steps(t)?.steps,
        _ => 0,
    };
    let choice = match options.engine {
        EngineArg::Auto => Choice::Auto,
        EngineArg::Gpu => Choice::Gpu,
        EngineArg::Cpu => Choice::Cpu,
    };
    let (name, dt, seed) = (subject.name, subject.dt, subject.seed);
    let mut session = subject.plan.open(choice, options.threads, 1)?;
    let (setup, setup_cpu) = (begin.elapsed(), ProcessTime::now().as_duration());
    console.show(session.notes(), &SourceMap::default());
    let bar = Bar::new(console);
    // The first step belongs to the warm-up, or, without one, to what is measured.
    let mut first_step = (begin.elapsed(), None);
    let mut before = ProcessTime::now();
    let mut told = |steps: u32| {
        if steps == 1 {
            first_step = (begin.elapsed(), resident_memory());
        }
        if steps == warm {
            before = ProcessTime::now();
        }
    };
    let course = Course {
        steps: warm.saturating_add(length.steps),
        unseen: warm,
        told: Some(&mut told),
        ..Course::default()
    };
    let recording = session.follow(course, &SpikeData::default(), &bar)?;
    let sim_cpu = before.elapsed();
    bar.finish();
    if !recording.complete {
        return Err(Failure::Interrupted);
    }
    let (first_step, now) = first_step;
    let grown = now
        .zip(at_first)
        .map(|(now, then)| now.saturating_sub(then));
    let measured = Measured {
        setup_cpu,
        setup,
        first_step,
        sim_cpu,
        grown,
        hash: session.state_hash()?,
    };
    let ran = Ran {
        weights: vec![],
        name,
        target: None,
        populations: session.populations().to_vec(),
        recording,
        engine: session.engine(),
        adapter: session.adapter(),
        device: session.device(),
        arithmetic: session.arithmetic(),
        dt,
        seed,
        length,
        shifts: vec![],
        resumed_at: None,
        build_s: setup.as_secs_f64(),
        scale: subject.scale,
        narrow: subject.narrow,
        dimensions: subject.dimensions,
        neurons: subject.neurons,
    };
    Ok((ran, measured))
}

/// Spikes of neurons times their mean number of targets; what sources send is not counted.
fn events(loaded: &Loaded, counts: &[Option<u64>]) -> f64 {
    let net = &loaded.network;
    let spikes = |pop| {
        let at = net.populations().position(|(id, _)| id == pop)?;
        counts.get(at).copied().flatten()
    };
    (net.projections())
        .filter(|(_, a, ..)| !net.graph[*a].is_source)
        .map(|(id, a, ..)| {
            let mean = net.synapses_of(id) / net.graph[a].size().max(1) as f64;
            spikes(a).unwrap_or(0) as f64 * mean
        })
        .sum()
}

fn report(ran: &Ran, m: &Measured, loaded: &Loaded, args: &BenchSimArgs, console: &Console) {
    let activity = stats::activity(&ran.recording, &ran.populations, ran.dt);
    let synapses = ran.scale.map_or(0.0, |s| s.1);
    let sim_cpu_s = m.sim_cpu.as_secs_f64();
    let events = events(loaded, &ran.recording.counts);
    let biology = ran.dt.map(|dt| dt * f64::from(ran.recording.steps));
    let facts = Facts {
        run: run::facts(ran, &activity),
        threads: args.threads,
        synapses: synapses.round() as u64,
        setup_cpu_s: m.setup_cpu.as_secs_f64(),
        setup_s: m.setup.as_secs_f64(),
        first_step_s: m.first_step.as_secs_f64(),
        warm_s: args.warm,
        sim_cpu_s,
        cpu_real_time_factor: biology.map(|t| sim_cpu_s / t),
        bytes_per_synapse: m.grown.map(|b| b as f64 / synapses.max(1.0)),
        events,
        events_per_cpu_s: events / sim_cpu_s.max(1e-9),
        state_hash: format!("{:016x}", m.hash),
    };
    if console.is_json() {
        return console.json(&facts);
    }
    let mut out = run::headline(ran, console);
    out += &format!("\n{}", table(&facts, m, console));
    out += &format!("\n{}", run::rates(ran, &activity, console));
    console.print(&out);
}

fn table(f: &Facts<'_>, m: &Measured, console: &Console) -> String {
    let mut t = Table::new(&[("measure", Side::Left), ("", Side::Right)]);
    let mut row = |what: &str, value: String| {
        t.row([what.to_string(), value]);
    };
    let dash = || "-".to_string();
    row("set-up, CPU", seconds(f.setup_cpu_s));
    row("start to first step", seconds(f.first_step_s));
    row("simulation, CPU", seconds(f.sim_cpu_s));
    row(
        "CPU seconds a second of biology",
        f.cpu_real_time_factor.map_or_else(dash, short),
    );
    row("synapses", count(f.synapses));
    row("memory of the network", m.grown.map_or_else(dash, bytes));
    row(
        "bytes a synapse",
        f.bytes_per_synapse.map_or_else(dash, short),
    );
    row(
        "peak memory of the process",
        peak_memory().map_or_else(dash, bytes),
    );
    row(
        "synaptic events a CPU second",
        large(f.events_per_cpu_s.round() as u64),
    );
    row("hash of the final state", f.state_hash.clone());
    t.render(console)
}

impl BenchSimArgs {
    fn network(&self) -> crate::args::NetworkArgs {
        crate::args::NetworkArgs {
            set: self.set.clone(),
            ..Default::default()
        }
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            steps: None,
            time: Some(self.time),
            engine: self.engine,
            threads: self.threads,
            seed: self.seed,
            arithmetic: self.arithmetic,
            memory_limit: None,
            synapses: self.synapses,
            input: vec![],
        }
    }
}
