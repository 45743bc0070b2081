//! `deploy`: an artefact on a board, with the spikes that it gives back.
//!
//! Files are written when everything has come back: what fails on the way leaves them as they were.

use super::{record, run};
use crate::args::{ArithmeticArg, DeployArgs, EngineArg, RunOptions};
use crate::console::Console;
use crate::execute::{self, Long, Ran};
use crate::failure::{Failure, Outcome};
use crate::units::number_of;
use crate::{files, interrupt, stats, targets};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::Instant;
use synfire_ir::artifact::Artifact;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_runtime::board::{self, Address, Hosted, Place, Played, python};
use synfire_runtime::session::Plan;
use synfire_runtime::spikes::SpikeData;
use synfire_targets::backend::{Backend, Flow};

/// What is deployed, and where.
struct Job<'a> {
    artefact: Artifact,
    backend: &'static dyn Backend,
    place: Place,
    options: RunOptions,
    args: &'a DeployArgs,
    console: &'a Console,
    begin: Instant,
}

/// See the module.
pub fn deploy(args: &DeployArgs, console: &Console) -> Outcome {
    let begin = Instant::now();
    let place = Place::parse(&args.board)?;
    let bytes = files::read(&args.artefact)?;
    let artefact = Artifact::from_bytes(&files::shown(&args.artefact), &bytes)?;
    let options = RunOptions {
        steps: args.steps,
        time: args.time,
        engine: EngineArg::Cpu,
        threads: 1,
        seed: None,
        arithmetic: ArithmeticArg::Auto,
        memory_limit: None,
        synapses: Default::default(),
        input: args.input.clone(),
    };
    let subject = execute::artefact(&artefact, &options)?;
    let input = execute::inputs(&args.input, subject.plan.populations())?;
    let steps = execute::steps(&subject, &options, &input)?.steps;
    let backend = targets::of(&artefact)?.chip.backend();
    let backend = backend.ok_or_else(|| nothing_back(&place.address))?;
    let job = Job {
        artefact,
        backend,
        place,
        options,
        args,
        console,
        begin,
    };
    match &job.place.address {
        Address::Folder(folder) => job.folder(folder, &input, steps),
        _ => job.live(&input),
    }
}

impl Job<'_> {
    /// What a board's own flow reads, as a folder.
    fn folder(&self, folder: &Path, input: &SpikeData, steps: u32) -> Outcome {
        if !self.args.record.is_empty() || self.args.verify {
            return Err(nothing_back(&self.place.address).into());
        }
        let events = board::native_events(&self.artefact, self.backend, input, steps);
        // Without input there may be nothing to play, and a network that needs its host can be written all the same.
        let events = match events {
            Err(_) if self.args.input.is_empty() => vec![],
            other => other?,
        };
        let sections: Vec<_> = self.artefact.native().collect();
        let h = &self.artefact.header;
        let made = self.backend.flow(&Flow {
            dialect: &h.dialect,
            sections: &sections,
            events: &events,
            steps,
            dt: h.dt,
        })?;
        write_folder(folder, &made)?;
        let names: Vec<&str> = made.iter().map(|f| f.0.as_str()).collect();
        if self.console.is_json() {
            let (events, folder) = (events.len(), folder.display().to_string());
            self.console.json(&json!({ "network": h.network, "target": h.target, "board": folder, "steps": steps, "events": events, "files": names }));
        } else {
            let files = number_of(names.len() as u64, "file", "files");
            self.console.print(&format!(
                "wrote {files} to {}: {}\n",
                folder.display(),
                shortened(&names)
            ));
        }
        Ok(())
    }

    /// A board that answers; every sample of a batch begins with loading.
    fn live(&self, input: &SpikeData) -> Outcome {
        let mut ran = self.sample(&sample_of(input, 0))?;
        for sample in 1..input.batch.unwrap_or(1) {
            let next = self.sample(&sample_of(input, sample))?;
            add(&mut ran, next, sample);
            if !ran.recording.complete {
                break;
            }
        }
        ran.recording.data.batch = input.batch;
        if self.args.verify && ran.recording.complete {
            self.verify(&ran, input)?;
        }
        for path in &self.args.record {
            record::write_record(path, &ran, self.console)?;
        }
        self.tell(&ran);
        match ran.recording.complete {
            true => Ok(()),
            false => Err(Failure::Interrupted),
        }
    }

    fn sample(&self, input: &SpikeData) -> Result<Ran, Failure> {
        let subject = execute::artefact(&self.artefact, &self.options)?;
        let chip = self.artefact.header.target.clone();
        let steps = execute::steps(&subject, &self.options, input)?.steps;
        let open = |plan: Plan| {
            if let Address::Python(python) = &self.place.address {
                return Ok(plan.open_on(Box::new(self.bridged(python, &chip, input, steps)?)));
            }
            let board = self.backend.board().ok_or_else(|| board::no_board(&chip))?;
            let link = board::open(&self.place, board, &chip)?;
            let hosted = Hosted::load(&self.artefact, self.backend, plan.program(), link)?;
            Ok(plan.open_on(Box::new(hosted)))
        };
        let long = Long::default();
        execute::run_with(
            subject,
            &self.options,
            input,
            &long,
            self.begin,
            self.console,
            open,
        )
    }

    /// The run, as the vendor's package in this Python made it.
    fn bridged(
        &self,
        python: &str,
        chip: &str,
        input: &SpikeData,
        steps: u32,
    ) -> Result<Played, Diagnostics> {
        let bridge = self.backend.bridge().ok_or_else(|| board::no_board(chip))?;
        let shifts = self
            .artefact
            .bindings
            .populations
            .iter()
            .filter(|p| p.recorded);
        let late = shifts.map(|p| p.shift).max().unwrap_or(0);
        let events = board::native_events(&self.artefact, self.backend, input, steps)?;
        let job = python::Job {
            python,
            bridge,
            events: &events,
            steps: steps.saturating_add(late),
            patience: self.place.patience,
        };
        let left = python::run(&self.artefact, &job, &interrupt::heard)?;
        let sections: Vec<_> = self.artefact.native().collect();
        let emulation = self
            .backend
            .decode(&self.artefact.header.dialect, &sections)?;
        let name = format!("bridge:{python}");
        Ok(Played::new(name, &emulation, self.backend, &left))
    }

    /// Compares with the emulated chip.
    fn verify(&self, ran: &Ran, input: &SpikeData) -> Outcome {
        let subject = execute::artefact(&self.artefact, &self.options)?;
        let long = Long::default();
        let emulated = execute::run(
            subject,
            &self.options,
            input,
            &long,
            self.begin,
            self.console,
        )?;
        let (board, chip) = (&ran.recording.data.spikes, &emulated.recording.data.spikes);
        let at = board.iter().zip(chip).position(|(a, b)| a != b);
        let at = at.or((board.len() != chip.len()).then_some(board.len().min(chip.len())));
        let Some(at) = at else {
            return Ok(());
        };
        let shown = |list: &[synfire_runtime::spikes::NamedSpike]| match list.get(at) {
            Some(s) => {
                let name = ran.populations.get(s.population as usize);
                let name = name.map_or("", |p| p.name.as_str());
                format!("{name}[{}] in step {}", s.neuron, s.step)
            }
            None => "no further spike".into(),
        };
        let what = format!(
            "the board's spikes are not the emulator's: {} from the board, {} emulated",
            shown(board),
            shown(chip)
        );
        Err(Diagnostic::error("SYN0862", what)
            .class(Class::Device)
            .note(format!("{} spikes from the board, {} emulated; nothing was written", board.len(), chip.len()))
            .hint("the board may be built with other parameters than the chip's description, or lose events: wait longer for silence")
            .into())
    }

    fn tell(&self, ran: &Ran) {
        let activity = stats::activity(&ran.recording, &ran.populations, ran.dt);
        if self.console.is_json() {
            return self.console.json(&run::facts(ran, &activity));
        }
        let to_stdout = self.args.record.iter().any(|p| files::is_standard(p));
        let plot = !to_stdout && !self.console.quiet;
        let mut text = run::summary(ran, &activity, self.console, plot);
        if self.args.verify {
            text += "\nequal to the emulator\n";
        }
        if to_stdout {
            return self.console.note(&text);
        }
        let spikes = number_of(ran.recording.data.spikes.len() as u64, "spike", "spikes");
        for path in &self.args.record {
            text += &format!("wrote {} ({spikes})\n", path.display());
        }
        self.console.print(&text);
    }
}

/// One sample of a batch as a run of its own.
fn sample_of(input: &SpikeData, sample: u32) -> SpikeData {
    let mut one = input.clone();
    if one.batch.take().is_some() {
        one.spikes.retain(|s| s.sample == sample);
        one.spikes.iter_mut().for_each(|s| s.sample = 0);
    }
    one
}

/// Adds a further sample to what ran.
fn add(ran: &mut Ran, next: Ran, sample: u32) {
    let (all, more) = (&mut ran.recording, next.recording);
    let spikes = more.data.spikes.into_iter();
    all.data.spikes.extend(spikes.map(|mut s| {
        s.sample = sample;
        s
    }));
    all.complete &= more.complete;
    all.run_s += more.run_s;
    for (a, b) in all.counters.spikes.iter_mut().zip(more.counters.spikes) {
        *a += b;
    }
    for (a, b) in all.counts.iter_mut().zip(more.counts) {
        *a = (*a).zip(b).map(|(a, b)| a + b);
    }
}

/// Writes a folder: a new one appears whole, in an old one each file does.
fn write_folder(folder: &Path, made: &[(String, Vec<u8>)]) -> Result<(), Diagnostics> {
    let fresh = !folder.exists();
    let mut name = folder
        .file_name()
        .map_or_else(|| "flow".into(), |n| n.to_os_string());
    name.push(format!(".{}.tmp", std::process::id()));
    let to = if fresh {
        folder.with_file_name(name)
    } else {
        folder.to_path_buf()
    };
    files::make_folder(&to)?;
    let written = made
        .iter()
        .try_for_each(|(name, bytes)| files::write(&to.join(name), bytes));
    let renamed = written.and_then(|()| match fresh {
        true => fs::rename(&to, folder).map_err(|e| {
            Diagnostic::error(
                "SYN0913",
                format!("`{}` cannot be written: {e}", folder.display()),
            )
            .class(Class::Device)
            .hint("check that you may write there")
            .into()
        }),
        false => Ok(()),
    });
    if fresh && renamed.is_err() {
        let _ = fs::remove_dir_all(&to);
    }
    renamed
}

fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let first = names
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len() {
        n if n > SHOWN => format!("{first} and {} more", n - SHOWN),
        _ => first,
    }
}

fn nothing_back(address: &Address) -> Diagnostic {
    Diagnostic::error("SYN0863", format!("nothing comes back from {address}"))
        .class(Class::Usage)
        .note("a folder is what the board's own tools read; they bring its output")
        .hint("leave --record and --verify away, or name a board that answers")
}
