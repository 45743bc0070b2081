//! `bench chip`: how fast a chip's emulator runs, on the networks that the chip's own document names.
//!
//! What is timed starts from native images, as every run of an artefact does: programs decoded from bytes, with the native outputs recorded. CPU seconds are those of the whole process, of the
//! steps alone: building, input and set-up are left out.

use crate::args::{BenchChipArgs, EngineArg};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::table::{Side, Table};
use crate::units::{count, large, short};
use crate::{interrupt, targets};
use cpu_time::ProcessTime;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use synfire_ir::diag::nearest;
use synfire_ir::{Class, Diagnostic, Diagnostics, Quiet};
use synfire_runtime::engine::{Options, Record};
use synfire_runtime::session::{self, Choice, native};
use synfire_targets::Target;
use synfire_targets::benchmark::Benchmark;

/// The result as programs take it; the keys beside `networks` are those of the first network. Keys are a contract.
#[derive(Serialize)]
struct Facts {
    chip: String,
    engine: &'static str,
    adapter: Option<String>,
    threads: usize,
    #[serde(flatten)]
    first: Measured,
    networks: Vec<Measured>,
}

#[derive(Clone, Serialize)]
struct Measured {
    network: String,
    steps: u32,
    batch: u32,
    sim_cpu_s: f64,
    sim_s: f64,
    /// Steps of all samples.
    steps_per_cpu_s: f64,
    /// Samples of this many steps, by the wall clock.
    samples_per_s: f64,
    synaptic_events: u64,
    events_per_cpu_s: f64,
    /// Emissions of a neuron in a step; one that carries a count is one.
    emissions_per_neuron_step: f64,
    state_hash: String,
    /// What another program did in one thread and a batch of one, and where that figure is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<Beside>,
}

#[derive(Clone, Serialize)]
struct Beside {
    name: &'static str,
    steps_per_cpu_s: f64,
    ratio: f64,
    source: &'static str,
}

/// See the module.
pub fn chip(args: &BenchChipArgs, console: &Console) -> Outcome {
    let target = targets::find(&args.chip)?;
    let all = networks(&target, args.net.as_deref())?;
    let mut rows = vec![];
    let mut engine = ("cpu", None);
    for b in all {
        if interrupt::asked() {
            return Err(Failure::Interrupted);
        }
        let (row, on) = measure(b, args)?;
        rows.push(row);
        engine = on;
    }
    let Some(first) = rows.first().cloned() else {
        return Err(none(&target).into());
    };
    let facts = Facts {
        chip: target.name(),
        engine: engine.0,
        adapter: engine.1,
        threads: args.threads,
        first,
        networks: rows,
    };
    if console.is_json() {
        console.json(&facts);
    } else {
        console.print(&text(&facts, console));
    }
    Ok(())
}

fn none(target: &Target<'_>) -> Diagnostics {
    Diagnostic::error(
        "SYN0914",
        format!("no document names a benchmark network of {}", target.name()),
    )
    .class(Class::Usage)
    .hint("`synfire bench sim` and `synfire run` time networks of your own")
    .into()
}

fn networks(target: &Target<'_>, wanted: Option<&str>) -> Result<Vec<Benchmark>, Diagnostics> {
    let backend = target.chip.backend().ok_or_else(|| none(target))?;
    let mut all = backend.benchmarks(&target.dialect.name)?;
    let Some(wanted) = wanted else {
        return Ok(all);
    };
    let names: Vec<String> = all.iter().map(|b| b.name.clone()).collect();
    all.retain(|b| b.name == wanted);
    if all.is_empty() && !names.is_empty() {
        let text = format!("{} has no benchmark network `{wanted}`", target.name());
        let d = Diagnostic::error("SYN0914", text).class(Class::Usage);
        return Err(match nearest(wanted, names.iter().map(String::as_str)) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint(format!("it has {}", names.join(", "))),
        }
        .into());
    }
    Ok(all)
}

/// Runs one network.
#[allow(clippy::type_complexity)]
fn measure(
    b: Benchmark,
    args: &BenchChipArgs,
) -> Result<(Measured, (&'static str, Option<String>)), Failure> {
    let steps = args.steps.unwrap_or(b.steps);
    let program = match args.all {
        true => b.recording_all(),
        false => b.program,
    };
    let events = (0..args.batch).flat_map(|sample| {
        let mine = (b.input)(steps, sample).into_iter();
        mine.map(move |(step, e)| (sample, step, e))
    });
    let input = native(events);
    let options = Options {
        samples: args.batch,
        threads: args.threads,
        ..Options::default()
    };
    let choice = match args.engine {
        EngineArg::Auto => Choice::Auto,
        EngineArg::Gpu => Choice::Gpu,
        EngineArg::Cpu => Choice::Cpu,
    };
    let neurons = program.groups.get(b.neurons as usize).map_or(0, |g| g.size);
    let (mut engine, _) = session::engine(choice, Arc::new(program), &options)?;
    let mut record = Record::default();
    let (wall, cpu) = (Instant::now(), ProcessTime::now());
    engine.advance(steps, &input, &mut record, &Quiet)?;
    // A GPU is done when its counters are there.
    let counters = engine.counters()?;
    let (sim_cpu_s, sim_s) = (cpu.elapsed().as_secs_f64(), wall.elapsed().as_secs_f64());
    let all = f64::from(steps) * f64::from(args.batch);
    let rate = |n: f64, s: f64| n / s.max(1e-9);
    let steps_per_cpu_s = rate(all, sim_cpu_s);
    let spikes = counters.spikes.get(b.neurons as usize).copied();
    let row = Measured {
        network: b.name,
        steps,
        batch: args.batch,
        sim_cpu_s,
        sim_s,
        steps_per_cpu_s,
        samples_per_s: rate(args.batch.into(), sim_s),
        synaptic_events: counters.synaptic_events,
        events_per_cpu_s: rate(counters.synaptic_events as f64, sim_cpu_s),
        emissions_per_neuron_step: spikes.unwrap_or(0) as f64 / all / f64::from(neurons.max(1)),
        state_hash: format!("{:016x}", engine.hash()?),
        peer: b.peer.map(|p| Beside {
            name: p.name,
            steps_per_cpu_s: p.steps_per_cpu_s,
            ratio: steps_per_cpu_s / p.steps_per_cpu_s,
            source: p.source,
        }),
    };
    Ok((row, (engine.name(), engine.adapter())))
}

fn text(f: &Facts, console: &Console) -> String {
    let on = f.adapter.clone().unwrap_or_else(|| f.engine.to_string());
    let mut out = format!("{} on {on}\n\n", console.bold(&f.chip));
    let columns = [
        ("network", Side::Left),
        ("activity", Side::Right),
        ("steps", Side::Right),
        ("batch", Side::Right),
        ("steps/CPU s", Side::Right),
        ("events/CPU s", Side::Right),
        ("samples/s", Side::Right),
        ("to peer", Side::Right),
    ];
    let mut table = Table::new(&columns);
    for m in &f.networks {
        table.row([
            m.network.clone(),
            format!("{:.4}", m.emissions_per_neuron_step),
            count(m.steps.into()),
            count(m.batch.into()),
            count(m.steps_per_cpu_s as u64),
            large(m.events_per_cpu_s as u64),
            short(m.samples_per_s),
            m.peer.as_ref().map_or("-".into(), |p| short(p.ratio)),
        ]);
    }
    out += &table.render(console);
    out += &console.dim("\nactivity: emissions of a neuron in a step\n");
    if let Some(p) = f.networks.iter().find_map(|m| m.peer.as_ref()) {
        out += &console.dim(&format!("peer: {} ({})\n", p.name, p.source));
    }
    out
}
