//! `eval`: accuracy over a labelled batch, of a network in its ideal semantics and on chips.
//!
//! A sample is decided for the output neuron that spikes most often in it, the one of lowest number among equals; a sample without any output spike is undecided, which counts as wrong. The output
//! is the recorded population that drives nothing, or the one that `--output` names. On each chip that holds the network the same batch runs from the artefact; the report says how many
//! decisions are those of the ideal run, and how far the spikes are from it.

use crate::args::{ArithmeticArg, EvalArgs, RunOptions};
use crate::commands::compile;
use crate::console::Console;
use crate::distance::{Distance, distances};
use crate::execute::{self, Long, Ran, Subject};
use crate::failure::{Failure, Outcome};
use crate::network::{self, Loaded};
use crate::table::{Side, Table};
use crate::units::{count, number_of, percent, short};
use crate::{diagnostics, files, targets};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Instant;
use synfire_compiler::CompileOptions;
use synfire_ir::artifact::Artifact;
use synfire_ir::network::Network;
use synfire_ir::{Class, Diagnostic, Diagnostics, diag::nearest};
use synfire_runtime::spikes::{Population, SpikeData, labels};
use synfire_targets::Target;

/// Steps that spikes of two runs may be apart and still count as the same.
const TOLERANCE: u32 = 2;

/// One run of the batch. Keys are a contract.
#[derive(Serialize)]
struct Scored {
    /// `ideal`, or `chip:dialect`.
    target: String,
    fits: bool,
    accuracy: f64,
    correct: u64,
    /// Samples without an output spike.
    undecided: u64,
    /// Samples in which several output neurons were the most active.
    tied: u64,
    /// Share of decisions that are those of the ideal run; undecided in both is equal.
    agreement: Option<f64>,
    /// Matched spikes over all, of all recorded populations.
    spike_agreement: Option<f64>,
    /// How many samples of each label were decided for which class; `null` is undecided.
    confusion: Vec<Confused>,
    samples_per_s: f64,
    run_s: f64,
}

#[derive(Serialize)]
struct Confused {
    label: u32,
    decision: Option<u32>,
    samples: u64,
}

/// What every run of the batch shares.
struct Task<'a> {
    labels: &'a [u32],
    input: &'a SpikeData,
    options: &'a RunOptions,
    output: Option<&'a str>,
    console: &'a Console,
}

/// See the module.
pub fn eval(args: &EvalArgs, console: &Console) -> Outcome {
    let begin = Instant::now();
    let streams = [&args.run.input[..], std::slice::from_ref(&args.labels)].concat();
    execute::one_standard_input(&args.net, &streams)?;
    let labels = labels::read(&files::shown(&args.labels), &files::read(&args.labels)?)?;
    let bytes = files::read(&args.net)?;
    let is_artefact = bytes.starts_with(b"SYNX");
    if is_artefact && args.target.is_some() {
        return Err(
            Diagnostic::error("SYN0914", "an artefact is for one chip already")
                .class(Class::Usage)
                .hint("leave --target away, or give the network")
                .into(),
        );
    }
    let mut runs = vec![];
    let mut misfits = vec![];
    let (network, output);
    if is_artefact {
        let read = Artifact::from_bytes(&files::shown(&args.net), &bytes)?;
        let subject = execute::artefact(&read, &args.run)?;
        let input = batch(args, &subject, &labels)?;
        let task = task(args, &labels, &input, args.output.as_deref(), console);
        output = readout(subject.plan.populations(), task.output)?;
        task.known(&output, args)?;
        network = subject.name.clone();
        let target = subject.target.clone().unwrap_or_default();
        let ran = task.run(subject, &args.run, begin)?;
        runs.push(task.score(&target, &output, &ran, None)?);
    } else {
        let loaded = network::load(&args.net, bytes, &args.network, console)?;
        let chosen = targets::chosen(args.target.as_deref())?;
        let subject = execute::ideal(&loaded, &args.run, console)?;
        let input = batch(args, &subject, &labels)?;
        let last = last(&loaded.network);
        let task = task(
            args,
            &labels,
            &input,
            args.output.as_deref().or(last),
            console,
        );
        output = readout(subject.plan.populations(), task.output)?;
        task.known(&output, args)?;
        network = subject.name.clone();
        let ideal = task.run(subject, &args.run, begin)?;
        runs.push(task.score("ideal", &output, &ideal, None)?);
        let survey = args.target.as_deref() == Some("all");
        for target in chosen {
            match task.on_chip(&loaded, target, args, &ideal) {
                Ok(ran) => runs.push(task.score(&target.name(), &output, &ran, Some(&ideal))?),
                Err(Failure::Wrong(d, _)) if survey => misfits.push((target.name(), d)),
                Err(other) => return Err(other),
            }
        }
    }
    let facts = |f: &dyn Fn(&Diagnostics) -> Value| {
        json!({ "network": network, "output": output.name, "samples": labels.len(), "classes": output.size, "runs": runs,
            "misfits": misfits.iter().map(|(t, d)| json!({ "target": t, "fits": false, "diagnostics": f(d) })).collect::<Vec<_>>() })
    };
    if console.is_json() {
        let sources = synfire_ir::SourceMap::default();
        console.json(&facts(&|d| diagnostics::all_to_json(&d.0, &sources).into()));
    } else {
        console.print(&text(&network, &output, &labels, &runs, &misfits, console));
    }
    Ok(())
}

fn task<'a>(
    args: &'a EvalArgs,
    labels: &'a [u32],
    input: &'a SpikeData,
    output: Option<&'a str>,
    console: &'a Console,
) -> Task<'a> {
    Task {
        labels,
        input,
        options: &args.run,
        output,
        console,
    }
}

/// The input, with as many samples as there are labels.
fn batch(args: &EvalArgs, subject: &Subject, labels: &[u32]) -> Result<SpikeData, Failure> {
    let mut input = execute::inputs(&args.run.input, subject.plan.populations())?;
    let (given, wanted) = (input.batch, labels.len() as u32);
    match given {
        Some(n) if n <= wanted => {}
        None if wanted == 1 => {}
        other => {
            let has = other.map_or("no `sample` column".into(), |n| {
                number_of(n.into(), "sample", "samples")
            });
            let what = format!("the input has {has}, the labels are for {wanted}");
            return Err(Diagnostic::error("SYN0916", what)
                .at(files::shown(&args.labels))
                .note("a batch is one file with a first column (CSV) or array (.npz) `sample`; samples at the end may be without spikes")
                .hint("give each sample of the input one label")
                .into());
        }
    }
    input.batch = Some(wanted);
    Ok(input)
}

/// The last recorded population that drives nothing.
fn last(net: &Network) -> Option<&str> {
    let drives: std::collections::BTreeSet<_> = net.projections().map(|x| x.1).collect();
    let recorded = |id| {
        net.probes.is_empty()
            || (net.probes.iter())
                .any(|p| p.pop == id && p.what == synfire_ir::network::Quantity::Spikes)
    };
    net.populations()
        .filter(|(id, p)| !p.is_source && !drives.contains(id) && recorded(*id))
        .map(|(_, p)| p.name.as_str())
        .last()
}

/// The population whose neurons are the classes.
fn readout(populations: &[Population], wanted: Option<&str>) -> Result<Population, Diagnostics> {
    let recorded = || populations.iter().filter(|p| p.recorded && !p.source);
    let found = match wanted {
        Some(name) => recorded().find(|p| p.name == name),
        None => recorded().next_back(),
    };
    if let Some(p) = found {
        return Ok(p.clone());
    }
    let what = match wanted {
        Some(name) => format!("`{name}` is no recorded population"),
        None => "no population of neurons is recorded".into(),
    };
    let d = Diagnostic::error("SYN0914", what).class(Class::Usage);
    let names: Vec<&str> = recorded().map(|p| p.name.as_str()).collect();
    let near = wanted.and_then(|w| nearest(w, names.iter().copied()));
    Err(match near {
        Some(near) => d.hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => d.hint("add `record POPULATION.spikes` to the network"),
        None => d.hint(format!("--output takes {}", names.join(", "))),
    }
    .into())
}

impl Task<'_> {
    /// Is every label a neuron of the output?
    fn known(&self, output: &Population, args: &EvalArgs) -> Result<(), Diagnostics> {
        let Some(sample) = self.labels.iter().position(|&l| l >= output.size) else {
            return Ok(());
        };
        let what = format!(
            "sample {sample} has the label {}, and `{}` has {} neurons",
            self.labels[sample], output.name, output.size
        );
        Err(Diagnostic::error("SYN0916", what)
            .at(files::shown(&args.labels))
            .note("a label is the number, from 0 on, of the output neuron that should be the most active")
            .hint("number the classes from 0 on, or name the population that decides with --output")
            .into())
    }

    fn run(&self, subject: Subject, options: &RunOptions, begin: Instant) -> Result<Ran, Failure> {
        let ran = execute::run(
            subject,
            options,
            self.input,
            &Long::default(),
            begin,
            self.console,
        )?;
        match ran.recording.complete {
            true => Ok(ran),
            false => Err(Failure::Interrupted),
        }
    }

    fn on_chip(
        &self,
        loaded: &Loaded,
        target: Target<'static>,
        args: &EvalArgs,
        ideal: &Ran,
    ) -> Result<Ran, Failure> {
        let begin = Instant::now();
        let quiet = Console::silent();
        let console = if args.target.as_deref() == Some("all") {
            &quiet
        } else {
            self.console
        };
        let options = CompileOptions {
            seed: self.options.seed,
            ..CompileOptions::default()
        };
        let made = compile::map(loaded, target, options, &args.network, console)?;
        let options = RunOptions {
            arithmetic: ArithmeticArg::Auto,
            steps: Some(ideal.length.steps),
            time: None,
            seed: None,
            ..self.options.clone()
        };
        self.run(
            execute::artefact(&made.artifact, &options)?,
            &options,
            begin,
        )
    }

    /// Decisions of a run against the labels, and against those of the ideal run.
    fn score(
        &self,
        target: &str,
        output: &Population,
        ran: &Ran,
        ideal: Option<&Ran>,
    ) -> Result<Scored, Failure> {
        let mine = decisions(ran, output, self.labels.len())?;
        let mut pairs: BTreeMap<(u32, Option<u32>), u64> = BTreeMap::new();
        for (d, &label) in mine.iter().zip(self.labels) {
            *pairs.entry((label, d.class)).or_default() += 1;
        }
        let right = pairs
            .iter()
            .filter(|((label, class), _)| Some(*label) == *class);
        let correct = right.map(|p| p.1).sum::<u64>();
        let confusion = pairs
            .into_iter()
            .map(|((label, decision), samples)| Confused {
                label,
                decision,
                samples,
            });
        let n = self.labels.len().max(1) as f64;
        let agreement = match ideal {
            None => None,
            Some(ideal) => {
                let theirs = decisions(ideal, output, self.labels.len())?;
                let same = mine.iter().zip(&theirs).filter(|(a, b)| a.class == b.class);
                Some(same.count() as f64 / n)
            }
        };
        let apart = ideal.map(|i| Distance::total(&distances(i, ran, TOLERANCE)).agreement());
        Ok(Scored {
            target: target.into(),
            fits: true,
            accuracy: correct as f64 / n,
            correct,
            undecided: mine.iter().filter(|d| d.class.is_none()).count() as u64,
            tied: mine.iter().filter(|d| d.tied).count() as u64,
            agreement,
            spike_agreement: apart,
            confusion: confusion.collect(),
            samples_per_s: n / ran.recording.run_s.max(1e-9),
            run_s: ran.recording.run_s,
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Decision {
    class: Option<u32>,
    tied: bool,
}

/// The decision of every sample.
fn decisions(ran: &Ran, output: &Population, samples: usize) -> Result<Vec<Decision>, Failure> {
    let found = ran.populations.iter().position(|p| p.name == output.name);
    let at = found.filter(|&k| ran.populations[k].recorded);
    let Some(at) = at else {
        let what = format!(
            "`{}` is not recorded on {}",
            output.name,
            ran.target.as_deref().unwrap_or("this target")
        );
        return Err(Diagnostic::error("SYN0914", what)
            .class(Class::Usage)
            .hint("name another population with --output, or record this one")
            .into());
    };
    let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    for s in ran
        .recording
        .data
        .spikes
        .iter()
        .filter(|s| s.population as usize == at)
    {
        *counts.entry((s.sample, s.neuron)).or_default() += s.value.max(0.0) as u64;
    }
    let of = |sample: u32| {
        decide(
            counts
                .range((sample, 0)..=(sample, u32::MAX))
                .map(|(k, n)| (k.1, *n)),
        )
    };
    Ok((0..samples as u32).map(of).collect())
}

/// The most active of (neuron, spikes), neurons ascending.
fn decide(counts: impl Iterator<Item = (u32, u64)>) -> Decision {
    let (mut out, mut most) = (Decision::default(), 0);
    for (neuron, n) in counts {
        if n > most {
            most = n;
            out = Decision {
                class: Some(neuron),
                tied: false,
            };
        } else if n > 0 && n == most {
            out.tied = true;
        }
    }
    out
}

fn text(
    network: &str,
    output: &Population,
    labels: &[u32],
    runs: &[Scored],
    misfits: &[(String, Diagnostics)],
    console: &Console,
) -> String {
    let mut out = format!(
        "{}: {}, decided by the most active of {} neurons of {}\n\n",
        console.bold(network),
        number_of(labels.len() as u64, "sample", "samples"),
        output.size,
        output.name
    );
    let mut table = Table::new(&[
        ("", Side::Left),
        ("accuracy", Side::Right),
        ("correct", Side::Right),
        ("undecided", Side::Right),
        ("tied", Side::Right),
        ("as ideal", Side::Right),
        ("spikes", Side::Right),
        ("samples/s", Side::Right),
    ]);
    let dash = |x: Option<f64>| x.map_or("-".into(), percent);
    for r in runs {
        table.row([
            r.target.clone(),
            percent(r.accuracy),
            count(r.correct),
            count(r.undecided),
            count(r.tied),
            dash(r.agreement),
            dash(r.spike_agreement),
            short(r.samples_per_s),
        ]);
    }
    out += &table.render(console);
    out += &console.dim(&format!(
        "\nundecided: no output spike; tied: the lowest of the most active is taken; as ideal: equal decisions;\nspikes: matched spikes over all (F1), at most {TOLERANCE} steps apart\n"
    ));
    for (target, d) in misfits {
        let why = d.0.first().map_or("", |d| d.message.as_str());
        out += &format!("does not fit {target}: {why}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_active_of_lowest_number() {
        let d = |c: &[u64]| decide((0..).zip(c.iter().copied()));
        assert_eq!(d(&[0, 0]), Decision::default());
        assert_eq!(d(&[1, 3, 2]).class, Some(1));
        let tie = d(&[1, 3, 3]);
        assert_eq!((tie.class, tie.tied), (Some(1), true));
        assert_eq!(d(&[]).class, None);
    }
}
