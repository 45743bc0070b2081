//! Spike files: events and signals under the network's own names, as CSV or `.npz`.
//!
//! Bytes go in and typed, sorted rows come out, or diagnostics that name the line or row; rows go in and the same bytes
//! always come out. Which populations exist is given by the caller. No file is opened here. Memory stays within a small
//! multiple of the file; what a packed file may unpack to is bounded ([`MAX_UNPACKED`]).
//!
//! CSV: header `step,population,neuron`, with `sample` in front for a batch and `value` behind for graded spikes.
//! `.npz`: arrays `step` (u32), `population` (u16, index into `names`), `neuron` (u32), `names`, and `sample` (u32), `value`
//! where there are such; a signal or trace is an array `NAME` of [samples, times, elements] beside `NAME.step` (u32).

// Errors are rare, and end the reading of a row: their size is of no account.
#![allow(clippy::result_large_err)]

mod csv;
mod events;
pub mod labels;
mod npy;
mod npz;
#[cfg(test)]
mod tests;
pub mod weights;

pub use events::{Event, read_events};
pub use npy::MAX_UNPACKED;

use std::collections::HashMap;
use synfire_ir::diag::nearest;
use synfire_ir::{Diagnostic, Diagnostics};

/// A population as spike files and sessions see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// The network's name.
    pub name: String,
    /// Neurons.
    pub size: u32,
    /// Is it driven from outside?
    pub input: bool,
    /// Is it a source (an input, or a generator such as Poisson)?
    pub source: bool,
    /// Do its inputs carry fractional values?
    pub graded: bool,
    /// Are its spikes recorded?
    pub recorded: bool,
}

/// One spike. The order of the fields is the order of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct NamedSpike {
    /// Sample of the batch; 0 without one.
    pub sample: u32,
    /// Step in which it was emitted.
    pub step: u32,
    /// Index of the population.
    pub population: u32,
    /// Neuron of the population.
    pub neuron: u32,
    /// 1 for a plain spike.
    pub value: f64,
}

impl NamedSpike {
    /// What spikes are sorted by: sample, step, population, neuron, value.
    pub fn key(&self) -> (u32, u32, u32, u32, u64) {
        (
            self.sample,
            self.step,
            self.population,
            self.neuron,
            self.value.to_bits(),
        )
    }
}

/// Values over time: a driven `signal` source, or a recorded state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signal {
    /// `POP.VAR` of a trace; the source's name of an input.
    pub name: String,
    /// Index of the population.
    pub population: u32,
    /// First unit that `values` covers.
    pub first: u32,
    /// Units.
    pub elements: u32,
    /// Steps of the rows, ascending.
    pub steps: Vec<u32>,
    /// For each sample, `steps.len() * elements` values, time-major.
    pub values: Vec<Vec<f32>>,
}

/// What a spike file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpikeData {
    /// Sorted by [`NamedSpike::key`].
    pub spikes: Vec<NamedSpike>,
    /// In order of name when read, in order of declaration when recorded.
    pub signals: Vec<Signal>,
    /// Samples, when the data is a batch.
    pub batch: Option<u32>,
}

impl SpikeData {
    /// Largest step of any row; `None` without rows.
    pub fn last_step(&self) -> Option<u32> {
        let spikes = self.spikes.iter().map(|s| s.step).max();
        let signals = self
            .signals
            .iter()
            .filter_map(|s| s.steps.last().copied())
            .max();
        spikes.max(signals)
    }

    /// Is any spike's value not 1?
    pub fn is_graded(&self) -> bool {
        self.spikes.iter().any(|s| s.value != 1.0)
    }

    /// Adds another file's rows. A part that is no batch is given to every sample of the whole.
    ///
    /// Errors: `SYN0907` when both are batches of different sizes, or a signal is given twice.
    pub fn merge(&mut self, other: SpikeData) -> Result<(), Diagnostics> {
        if let (Some(a), Some(b)) = (self.batch, other.batch)
            && a != b
        {
            return Err(Diagnostic::error(
                "SYN0907",
                format!("one input is a batch of {a} samples, another of {b}"),
            )
            .note("all batched inputs of a run must have the same samples")
            .hint("put them into files of equal batches, or run them one by one")
            .into());
        }
        if let Some(twice) = other
            .signals
            .iter()
            .find(|s| self.signals.iter().any(|t| t.name == s.name))
        {
            return Err(Diagnostic::error(
                "SYN0907",
                format!("the signal `{}` is given by two inputs", twice.name),
            )
            .hint("keep it in one file")
            .into());
        }
        let samples = self.batch.max(other.batch);
        for mut part in [std::mem::take(self), other] {
            if let (Some(n), None) = (samples, part.batch) {
                part.repeat(n);
            }
            self.spikes.append(&mut part.spikes);
            self.signals.append(&mut part.signals);
        }
        self.batch = samples;
        self.spikes.sort_unstable_by_key(NamedSpike::key);
        Ok(())
    }

    /// Gives every one of `n` samples what sample 0 has.
    fn repeat(&mut self, n: u32) {
        let one = std::mem::take(&mut self.spikes);
        self.spikes = (0..n)
            .flat_map(|sample| one.iter().map(move |s| NamedSpike { sample, ..*s }))
            .collect();
    }
}

/// Reads a spike file of either form; `name` is what messages call it. Rows need not be sorted; they come out sorted.
/// Every row must name an input.
///
/// Errors: `SYN0901` bytes that are no spike file, `SYN0902` a row that cannot be read, `SYN0903` an unknown population, `SYN0904`
/// a neuron that it does not have, `SYN0905` a population that is not driven from outside, `SYN0906` arrays that do not fit together.
pub fn read(
    name: &str,
    bytes: &[u8],
    populations: &[Population],
) -> Result<SpikeData, Diagnostics> {
    let mut data = if is_archive(bytes) {
        npz::read(name, bytes, populations)?
    } else {
        csv::read(name, bytes, populations)?
    };
    data.spikes.sort_unstable_by_key(NamedSpike::key);
    Ok(data)
}

/// Is it a zip archive, as `.npz` files are?
fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// The CSV text of the spikes; sorted rows give canonical bytes.
///
/// Errors: `SYN0908` when there are signals, which CSV cannot hold.
pub fn write_csv(data: &SpikeData, populations: &[Population]) -> Result<Vec<u8>, Diagnostics> {
    match data.signals.first() {
        Some(s) => Err(no_signals_in_csv(&s.name).into()),
        None => Ok(csv::write(data, populations)),
    }
}

/// The `.npz` bytes of spikes and signals. `names` lists the recorded populations, also those that were silent.
///
/// Errors: `SYN0906` for more than 65,536 populations.
pub fn write_npz(data: &SpikeData, populations: &[Population]) -> Result<Vec<u8>, Diagnostics> {
    npz::write(data, populations)
}

/// The refusal to put a signal into CSV.
pub fn no_signals_in_csv(signal: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0908",
        format!("`{signal}` is a signal, and CSV holds spikes only"),
    )
    .class(synfire_ir::Class::Usage)
    .note("signals have a value for every element and recorded step")
    .hint("record to a file whose name ends in .npz; it holds spikes and signals")
    .hint("or give both: --record spikes.csv --record signals.npz")
}

/// Most diagnostics of one file that are listed.
const LISTED: usize = 8;

/// Diagnostics under way: the first few in full, then a count.
struct Findings {
    list: Diagnostics,
    more: u64,
}

impl Findings {
    fn new() -> Self {
        Findings {
            list: Diagnostics::new(),
            more: 0,
        }
    }

    fn add(&mut self, make: impl FnOnce() -> Diagnostic) {
        if self.list.0.len() < LISTED {
            self.list.push(make());
        } else {
            self.more += 1;
        }
    }

    fn finish<T>(mut self, name: &str, value: T) -> Result<T, Diagnostics> {
        if self.list.is_empty() {
            return Ok(value);
        }
        if self.more > 0 {
            let text = format!("{} more rows are wrong and not listed", self.more);
            self.list
                .push(Diagnostic::note_of("SYN0902", text).at(name));
        }
        Err(self.list)
    }
}

/// Populations by name, with the errors that rows run into.
struct Names<'a> {
    populations: &'a [Population],
    index: HashMap<&'a str, u32>,
}

impl<'a> Names<'a> {
    fn new(populations: &'a [Population]) -> Self {
        let index = populations
            .iter()
            .zip(0..)
            .map(|(p, i)| (p.name.as_str(), i))
            .collect();
        Names { populations, index }
    }

    /// The input of that name.
    fn input(&self, name: &str) -> Result<u32, Diagnostic> {
        let Some(&i) = self.index.get(name) else {
            return Err(self.unknown(name));
        };
        if self.populations[i as usize].input {
            return Ok(i);
        }
        let error = Diagnostic::error("SYN0905", format!("`{name}` is not driven from outside"))
            .note("only `events` and `signal` sources (NIR: Input nodes) take spikes from a file")
            .field("population", name);
        Err(match self.inputs() {
            list if list.is_empty() => {
                error.hint("the network has no inputs; declare one with `source NAME: events[N]`")
            }
            list => error.hint(format!("the inputs are {list}")),
        })
    }

    fn unknown(&self, name: &str) -> Diagnostic {
        let shown: String = name.chars().take(80).collect();
        let error = Diagnostic::error("SYN0903", format!("there is no population `{shown}`"))
            .field("population", &shown);
        let near = nearest(name, self.populations.iter().map(|p| p.name.as_str()));
        match (near, self.inputs()) {
            (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
            (None, list) if list.is_empty() => {
                error.hint("the network has no inputs; `synfire check` lists its populations")
            }
            (None, list) => error.hint(format!("the inputs are {list}")),
        }
    }

    fn inputs(&self) -> String {
        let all: Vec<&Population> = self.populations.iter().filter(|p| p.input).collect();
        let mut text = all
            .iter()
            .take(8)
            .map(|p| format!("`{}[{}]`", p.name, p.size))
            .collect::<Vec<_>>()
            .join(", ");
        if all.len() > 8 {
            text += &format!(" and {} more", all.len() - 8);
        }
        text
    }

    /// Is the neuron one of that population?
    fn neuron(&self, population: u32, neuron: u64) -> Result<u32, Diagnostic> {
        let p = &self.populations[population as usize];
        if neuron < u64::from(p.size) {
            return Ok(neuron as u32);
        }
        let last = p.size.saturating_sub(1);
        Err(Diagnostic::error(
            "SYN0904",
            format!("`{}` has no neuron {neuron}: it has {}", p.name, p.size),
        )
        .field("population", &p.name)
        .field("size", p.size)
        .hint(format!("neurons count from 0; the last is {last}")))
    }

    /// Is the value one that the input takes?
    fn value(&self, population: u32, value: f64) -> Result<f64, Diagnostic> {
        let p = &self.populations[population as usize];
        if p.graded {
            if (value as f32).is_finite() {
                return Ok(value);
            }
            return Err(Diagnostic::error(
                "SYN0902",
                format!("`{value}` is not a finite single-precision number"),
            )
            .hint("graded values are finite numbers up to 3.4e38"));
        }
        let whole =
            value.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value);
        if whole {
            return Ok(value);
        }
        Err(Diagnostic::error(
            "SYN0902",
            format!(
                "`{}` takes whole values (spikes and counts), not {value}",
                p.name
            ),
        )
        .field("population", &p.name)
        .hint("round the values, or declare the source as `signal`"))
    }
}
