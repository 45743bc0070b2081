//! `run`: a network in its ideal semantics, or an artefact as the chip would.

use super::record::{is_npz, refuse_signals_in_csv, write_record};
use crate::args::{NetworkArgs, RunArgs};
use crate::console::Console;
use crate::estimates;
use crate::execute::{self, Long, Ran};
use crate::experiment::{self, Verdict};
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::report;
use crate::stats::{self, Activity};
use crate::table::{Side, Table};
use crate::units::{bytes, count, number_of, peak_memory, percent, seconds, short};
use crate::{diagnostics, raster};
use serde::Serialize;
use serde_json::Value;
use std::time::Instant;
use synfire_ir::program::Arithmetic;
use synfire_ir::{Class, Diagnostic, SourceMap};
use synfire_runtime::engine::DeviceFacts;
use synfire_runtime::session::LengthReason;
use synfire_runtime::spikes;
use synfire_targets::estimate::Estimate;

/// The result as programs take it. Keys are a contract.
#[derive(Serialize)]
pub(super) struct Facts<'a> {
    network: &'a str,
    target: Option<&'a str>,
    engine: &'a str,
    adapter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceFacts>,
    arithmetic: Arithmetic,
    /// 16 where drawn float weights are stored in so many bits, with one scale a projection.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight_bits: Option<u8>,
    steps: u32,
    length: &'static str,
    dt_ms: Option<f64>,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<u32>,
    build_s: f64,
    run_s: f64,
    real_time_factor: Option<f64>,
    /// Spikes of neurons; those of sources stand with their populations.
    spikes: u64,
    synaptic_events: u64,
    #[serde(skip_serializing_if = "is_zero")]
    events_lost: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_at: Option<u32>,
    peak_memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_steps: Option<u32>,
    populations: Vec<PopulationFacts<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimates: Option<Estimate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    expectations: Vec<Verdict>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<HashFacts>,
    warnings: Vec<Value>,
}

#[derive(Serialize)]
struct PopulationFacts<'a> {
    name: &'a str,
    size: u32,
    source: bool,
    recorded: bool,
    spikes: Option<u64>,
    rate_hz: Option<f64>,
    active: Option<f64>,
    cv_isi: Option<f64>,
    #[serde(skip_serializing_if = "is_zero")]
    latency_steps: u64,
}

#[derive(Serialize)]
struct HashFacts {
    step: u32,
    hash: String,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// See the module.
pub fn run(args: &RunArgs, console: &Console) -> Outcome {
    let begin = Instant::now();
    execute::one_standard_input(&args.net, &args.run.input)?;
    let to_stdout = args.record.iter().any(|p| files::is_standard(p));
    if to_stdout && console.is_json() {
        return Err(Diagnostic::error(
            "SYN0914",
            "standard output cannot hold both the JSON result and the spikes",
        )
        .class(Class::Usage)
        .hint("record to a file")
        .into());
    }
    let network = NetworkArgs {
        experiment: args.experiment.clone(),
        ..args.network.clone()
    };
    let opened = execute::open(&args.net, &args.run, &network, console)?;
    let (mut subject, artefact, sources) = (opened.subject, opened.artefact, opened.sources);
    refuse_signals_in_csv(&args.record, &subject.plan.signals())?;
    if let Some(path) = &args.load_weights {
        let given = spikes::weights::read(&files::shown(path), &files::read(path)?)?;
        subject.plan.set_weights(&given)?;
    }
    let input = execute::inputs(&args.run.input, subject.plan.populations())?;
    let long = Long {
        hash_every: args.hash_every,
        checkpoint: args.checkpoint.clone(),
        every: args.every,
        resume: args.resume.clone(),
        weights: args.save_weights.is_some(),
    };
    let ran = execute::run(subject, &args.run, &input, &long, begin, console)
        .map_err(|f| with(f, sources))?;
    let activity = stats::activity(&ran.recording, &ran.populations, ran.dt);
    for path in &args.record {
        write_record(path, &ran, console)?;
    }
    if let Some(path) = &args.save_weights {
        if ran.weights.is_empty() {
            return Err(no_weights(&ran.name));
        }
        files::write(path, &spikes::weights::write(&ran.weights)?)?;
    }
    if let Some(path) = &args.report {
        files::write(
            path,
            report::run_page(&ran, &activity, artefact.as_ref()).as_bytes(),
        )?;
    }
    let (expected, broken) = match args
        .experiment
        .as_deref()
        .filter(|_| ran.recording.complete)
    {
        None => (vec![], None),
        Some(name) => {
            let wanted = &opened.expectations;
            let (found, sources) =
                experiment::judge(&args.net, opened.bytes, &network, wanted, &ran, console)?;
            let broken = experiment::broken(name, &found);
            (experiment::verdicts(&found), Some((broken, sources)))
        }
    };
    if console.is_json() {
        let estimates = artefact.as_ref().and_then(|a| estimates::of_run(&ran, a));
        console.json(&Facts {
            estimates,
            expectations: expected,
            ..facts(&ran, &activity)
        });
    } else if to_stdout {
        console.note(&summary(&ran, &activity, &console.plain(), false));
    } else {
        let mut text = summary(&ran, &activity, console, !console.quiet);
        let estimated = artefact.as_ref().and_then(|a| estimates::of_run(&ran, a));
        if let Some(line) = estimated
            .map(|e| estimates::line(&e))
            .filter(|l| !l.is_empty())
        {
            text += &format!("estimated for the chip: {line}\n");
        }
        text += &written(args, &ran);
        for e in &expected {
            let mark = if e.held { "holds" } else { "FAILS" };
            text += &format!("{mark}  {}; {}\n", e.expect, e.measured.join(", "));
        }
        console.print(&text);
    }
    if !ran.recording.complete {
        console.note(&stopped(args, &ran));
        return Err(Failure::Interrupted);
    }
    broken.map_or(Ok(()), |(d, sources)| match d.is_empty() {
        true => Ok(()),
        false => {
            console.show(&d, &sources);
            Err(Failure::Told(1))
        }
    })
}

/// What is left of a run that the user stopped.
fn stopped(args: &RunArgs, ran: &Ran) -> String {
    let (done, all) = (ran.recording.steps, ran.length.steps);
    let mut text = format!(
        "stopped after {} of {}; what was recorded so far is complete",
        count(done.into()),
        number_of(all.into(), "step", "steps")
    );
    match &args.checkpoint {
        Some(path) => text += &format!("; --resume {} goes on", path.display()),
        None => text += "; with --checkpoint FILE it could have been resumed",
    }
    text
}

fn with(failure: Failure, sources: SourceMap) -> Failure {
    match failure {
        Failure::Wrong(d, _) => Failure::Wrong(d, sources),
        other => other,
    }
}

fn real_time_factor(ran: &Ran) -> Option<f64> {
    let time = ran.dt? * f64::from(ran.recording.steps);
    (time > 0.0).then(|| ran.recording.run_s / time)
}

fn spikes_of_neurons(ran: &Ran, activity: &[Activity]) -> u64 {
    ran.populations
        .iter()
        .zip(activity)
        .filter(|(p, _)| !p.source)
        .filter_map(|(_, a)| a.spikes)
        .sum()
}

/// The result of a finished run.
pub(super) fn facts<'a>(ran: &'a Ran, activity: &'a [Activity]) -> Facts<'a> {
    let r = &ran.recording;
    let population = |((p, a), i): ((&'a spikes::Population, &Activity), usize)| PopulationFacts {
        name: &p.name,
        size: p.size,
        source: p.source,
        recorded: p.recorded,
        spikes: a.spikes,
        rate_hz: a.rate_hz,
        active: a.active,
        cv_isi: a.cv_isi,
        latency_steps: ran.shifts.get(i).copied().unwrap_or(0).into(),
    };
    Facts {
        network: &ran.name,
        target: ran.target.as_deref(),
        engine: ran.engine,
        adapter: ran.adapter.as_deref(),
        device: ran.device,
        arithmetic: ran.arithmetic,
        weight_bits: ran.narrow.then_some(16),
        steps: r.steps,
        length: match ran.length.reason {
            LengthReason::Asked => "asked",
            LengthReason::Experiment => "experiment",
            LengthReason::LastInput => "last input",
            LengthReason::Default => "default",
        },
        dt_ms: ran.dt.map(milliseconds),
        seed: ran.seed,
        batch: r.data.batch,
        build_s: ran.build_s,
        run_s: r.run_s,
        real_time_factor: real_time_factor(ran),
        spikes: spikes_of_neurons(ran, activity),
        synaptic_events: r.counters.synaptic_events,
        events_lost: r.counters.lost,
        interrupted: !r.complete,
        resumed_at: ran.resumed_at,
        peak_memory_bytes: peak_memory(),
        latency_steps: ran
            .target
            .as_ref()
            .map(|_| ran.shifts.iter().copied().max().unwrap_or(0)),
        populations: ran
            .populations
            .iter()
            .zip(activity)
            .zip(0..)
            .map(population)
            .collect(),
        estimates: None,
        expectations: vec![],
        hashes: r
            .hashes
            .iter()
            .map(|(step, h)| HashFacts {
                step: *step,
                hash: format!("{h:016x}"),
            })
            .collect(),
        warnings: diagnostics::all_to_json(&r.notes.0, &SourceMap::default()),
    }
}

/// Seconds as milliseconds without the last bit's noise (1e-4 s is 0.1 ms, not 0.1000000000000000055).
fn milliseconds(s: f64) -> f64 {
    (s * 1e15).round() / 1e12
}

fn name_of(a: Arithmetic) -> &'static str {
    match a {
        Arithmetic::F32 => "f32",
        Arithmetic::Fixed => "fixed",
        Arithmetic::Integer => "integer",
    }
}

/// Facts, raster and rates for people.
pub(super) fn summary(ran: &Ran, activity: &[Activity], console: &Console, plot: bool) -> String {
    let mut out = headline(ran, console);
    if plot {
        let drawn = raster::draw(&ran.recording, &ran.populations, ran.dt, console);
        if !drawn.is_empty() {
            out += &format!("\n{drawn}");
        }
    }
    out += &format!("\n{}", rates(ran, activity, console));
    for (step, hash) in &ran.recording.hashes {
        out += &format!("hash at step {step}: {hash:016x}\n");
    }
    out
}

/// Name and facts of a run: engine, arithmetic, steps, dt, seed, seconds, factor.
pub(super) fn headline(ran: &Ran, console: &Console) -> String {
    let r = &ran.recording;
    let mut facts = vec![ran.engine.to_string(), name_of(ran.arithmetic).to_string()];
    if ran.narrow {
        facts.push("drawn weights in 16 bits".into());
    }
    facts.push(match ran.dt {
        Some(dt) => format!("{} × {}", count(r.steps.into()), seconds(dt)),
        None => number_of(r.steps.into(), "step", "steps"),
    });
    facts.push(format!("seed {}", ran.seed));
    facts.push(format!("built {}", seconds(ran.build_s)));
    facts.push(format!("ran {}", seconds(r.run_s)));
    if let Some(x) = real_time_factor(ran) {
        facts.push(format!("RTF {}", short(x)));
    }
    let mut title = console.bold(&ran.name);
    if let Some(t) = &ran.target {
        title += &format!(" on {}", console.bold(t));
    }
    let mut more = vec![];
    match ran.length.reason {
        LengthReason::Asked => {}
        LengthReason::Experiment => more.push("length: its experiment".to_string()),
        LengthReason::LastInput => more.push("length: to the last input".into()),
        LengthReason::Default => more.push("length: default".into()),
    }
    if let Some(n) = r.data.batch {
        more.push(format!(
            "batch of {}",
            number_of(n.into(), "sample", "samples")
        ));
    }
    if let Some(step) = ran.resumed_at {
        more.push(format!("resumed at step {}", count(step.into())));
    }
    let latency = ran.shifts.iter().copied().max().unwrap_or(0);
    if latency > 0 {
        more.push(format!(
            "{} of chip latency taken off",
            number_of(latency.into(), "step", "steps")
        ));
    }
    if r.counters.lost > 0 {
        more.push(format!(
            "{} lost to a full queue",
            number_of(r.counters.lost, "event", "events")
        ));
    }
    if let Some(a) = &ran.adapter {
        more.push(a.clone());
    }
    if let Some(d) = &ran.device {
        more.push(format!(
            "{} and {} back a step, {} steps a submission",
            number_of(
                d.dispatches_per_step.round() as u64,
                "dispatch",
                "dispatches"
            ),
            bytes(d.bytes_read_per_step as u64),
            short(d.steps_per_submission)
        ));
    }
    if !more.is_empty() {
        title += &console.dim(&format!("  {}", more.join(" · ")));
    }
    format!("{title}\n{}\n", facts.join(" · "))
}

/// Spikes and rates of every population.
pub(super) fn rates(ran: &Ran, activity: &[Activity], console: &Console) -> String {
    let rate = if ran.dt.is_some() {
        "rate (Hz)"
    } else {
        "per step"
    };
    let columns = [
        ("population", Side::Left),
        ("neurons", Side::Right),
        ("spikes", Side::Right),
        (rate, Side::Right),
        ("active", Side::Right),
        ("CV ISI", Side::Right),
    ];
    let mut table = Table::new(&columns);
    let samples = f64::from(ran.recording.data.batch.unwrap_or(1));
    for (p, a) in ran.populations.iter().zip(activity) {
        let dash = || "-".to_string();
        let per_step = a.spikes.map(|n| {
            n as f64 / f64::from(ran.recording.steps.max(1)) / samples / f64::from(p.size.max(1))
        });
        let rate = if ran.dt.is_some() {
            a.rate_hz
        } else {
            per_step
        };
        let name = if p.source {
            format!("{} (source)", p.name)
        } else {
            p.name.clone()
        };
        table.row([
            name,
            count(p.size.into()),
            a.spikes.map_or_else(dash, count),
            rate.map_or_else(dash, short),
            a.active.map_or_else(dash, percent),
            a.cv_isi.map_or_else(dash, |x| format!("{x:.2}")),
        ]);
    }
    table.render(console)
}

/// What went into which file.
fn written(args: &RunArgs, ran: &Ran) -> String {
    let data = &ran.recording.data;
    let mut out = String::new();
    for path in &args.record {
        let mut what = number_of(data.spikes.len() as u64, "spike", "spikes");
        if is_npz(path) && !data.signals.is_empty() {
            what += &format!(
                ", {}",
                number_of(data.signals.len() as u64, "signal", "signals")
            );
        }
        out += &format!("wrote {} ({what})\n", path.display());
    }
    if let Some(path) = &args.save_weights {
        let n: usize = ran.weights.iter().map(|w| w.source.len()).sum();
        let what = number_of(n as u64, "weight", "weights");
        out += &format!("wrote {} ({what})\n", path.display());
    }
    if let Some(path) = &args.report {
        out += &format!("wrote {}\n", path.display());
    }
    if out.is_empty() {
        out
    } else {
        format!("\n{out}")
    }
}

fn no_weights(name: &str) -> Failure {
    Diagnostic::error("SYN0915", format!("no projection of `{name}` learns"))
        .class(Class::Usage)
        .hint("give a connect a `synapse`, or leave --save-weights away")
        .into()
}
