//! Checkpoints: a run under way as bytes, from which it goes on with the same results.
//!
//! File: magic `SYNK`, format version, length and checksum of the rest; then what the run is of ([`Identity`]), what the
//! engine holds ([`Snapshot`]), and what has been recorded so far. All little-endian. Spikes are written as differences to
//! the one before: two to four bytes each. Reading checks magic, version, length and checksum first, allocates no more
//! than the file's size justifies, and leaves shapes to [`Snapshot::check`]. Deliberately absent: files.

use super::bytes::{Read, Reader, Writer};
use super::identity::Identity;
use crate::engine::Counters;
use crate::engine::snapshot::{Emission, Learnt, SampleState, Shown, Snapshot};
use crate::spikes::NamedSpike;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// Version of the format.
pub const FORMAT: u16 = 2;
const MAGIC: &[u8; 4] = b"SYNK";
/// Bytes before the checked part: magic, version, two zero bytes, length, checksum.
const HEAD: usize = 20;

/// Steps of a recorded signal, and the values of each sample.
pub(super) type Series = (Vec<u32>, Vec<Vec<f32>>);

/// A run under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint {
    /// What it is a run of.
    pub(super) identity: Identity,
    pub(super) snapshot: Snapshot,
    /// Seconds of running so far.
    pub(super) run_s: f64,
    /// As [`super::Recording::hashes`].
    pub(super) hashes: Vec<(u32, u64)>,
    /// In the order in which the engine recorded them.
    pub(super) spikes: Vec<NamedSpike>,
    /// For each signal its steps, and each sample's values.
    pub(super) signals: Vec<Series>,
}

impl Checkpoint {
    /// Steps of the engine that have run (for an artefact, those of the chip).
    pub fn steps(&self) -> u32 {
        self.snapshot.now
    }

    /// Name of the network.
    pub fn network(&self) -> &str {
        &self.identity.name
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::default();
        self.identity.write(&mut w);
        write_snapshot(&self.snapshot, &mut w);
        w.f64(self.run_s);
        w.u64(self.hashes.len() as u64);
        for &(step, hash) in &self.hashes {
            w.u32(step);
            w.u64(hash);
        }
        write_spikes(&self.spikes, &mut w);
        w.u64(self.signals.len() as u64);
        for (steps, values) in &self.signals {
            w.words(steps);
            w.u64(values.len() as u64);
            values.iter().for_each(|v| w.words(bytemuck::cast_slice(v)));
        }
        let mut out = Vec::with_capacity(HEAD + w.0.len());
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORMAT.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&(w.0.len() as u64).to_le_bytes());
        out.extend_from_slice(&crc32fast::hash(&w.0).to_le_bytes());
        out.extend_from_slice(&w.0);
        out
    }

    /// Reads a file's bytes; `name` is what messages call it.
    ///
    /// Errors: `SYN0841` bytes that are no whole checkpoint, `SYN0842` another format.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Checkpoint, Diagnostics> {
        let Some((head, rest)) = bytes.split_at_checked(HEAD) else {
            return Err(damaged(name, format!("it has {} bytes", bytes.len())));
        };
        if !head.starts_with(MAGIC) {
            return Err(damaged(name, "it does not begin with `SYNK`".into()));
        }
        let version = u16::from_le_bytes([head[4], head[5]]);
        if version != FORMAT || head[6..8] != [0; 2] {
            return Err(Diagnostic::error(
                "SYN0842",
                format!("format {version} of checkpoint; this build reads {FORMAT}"),
            )
            .at(name)
            .hint("resume with the build that wrote it, or run from the beginning")
            .into());
        }
        let mut numbers = Reader(&head[8..]);
        let (length, crc) = match (numbers.u64(), numbers.u32()) {
            (Ok(length), Ok(crc)) => (length, crc),
            _ => return Err(damaged(name, "it ends in its head".into())),
        };
        if length != rest.len() as u64 {
            let n = rest.len();
            let what = format!("{n} of its {length} bytes are there");
            return Err(damaged(name, what));
        }
        if crc32fast::hash(rest) != crc {
            return Err(damaged(name, "its checksum does not agree".into()));
        }
        read(rest).map_err(|what| damaged(name, what))
    }
}

fn damaged(name: &str, what: String) -> Diagnostics {
    Diagnostic::error(
        "SYN0841",
        format!("this is no checkpoint, or a damaged one: {what}"),
    )
    .at(name)
    .class(Class::Input)
    .note("a checkpoint is read only when its length and its checksum agree")
    .hint("give the file that `run --checkpoint` wrote, or run from the beginning")
    .into()
}

fn read(bytes: &[u8]) -> Read<Checkpoint> {
    let mut r = Reader(bytes);
    let mut out = Checkpoint {
        identity: Identity::read(&mut r)?,
        snapshot: read_snapshot(&mut r)?,
        run_s: r.f64()?,
        ..Checkpoint::default()
    };
    for _ in 0..r.count(12)? {
        out.hashes.push((r.u32()?, r.u64()?));
    }
    out.spikes = read_spikes(&mut r)?;
    for _ in 0..r.count(16)? {
        let steps = r.words()?;
        let samples = r.count(8)?;
        let value = |_| Ok(r.words()?.into_iter().map(f32::from_bits).collect());
        let values = (0..samples).map(value).collect::<Read<Vec<_>>>()?;
        out.signals.push((steps, values));
    }
    match r.0.len() {
        0 => Ok(out),
        n => Err(format!("{n} bytes follow its end")),
    }
}

fn write_snapshot(s: &Snapshot, w: &mut Writer) {
    w.u32(s.now);
    w.u64(s.counters.spikes.len() as u64);
    s.counters.spikes.iter().for_each(|n| w.u64(*n));
    w.u64(s.counters.synaptic_events);
    w.u64(s.counters.lost);
    w.u64(s.loads.len() as u64);
    s.loads.iter().for_each(|x| w.f64(*x));
    w.u64(s.samples.len() as u64);
    for sample in &s.samples {
        w.u64(sample.states.len() as u64);
        for group in &sample.states {
            w.u64(group.len() as u64);
            group.iter().for_each(|column| w.words(column));
        }
        w.u64(sample.events.len() as u64);
        for e in &sample.events {
            for x in [e.step, e.group, e.unit, e.payload] {
                w.u32(x);
            }
        }
        w.u64(sample.analog.len() as u64);
        for shown in &sample.analog {
            for x in [shown.step, shown.group, shown.state.into()] {
                w.u32(x);
            }
            w.words(&shown.values);
        }
        w.u64(sample.due.len() as u64);
        for &(step, row) in &sample.due {
            w.u32(step);
            w.u32(row);
        }
        w.u64(sample.learnt.len() as u64);
        for l in &sample.learnt {
            w.u64(l.states.len() as u64);
            l.states.iter().chain(&l.stamps).for_each(|s| w.words(s));
        }
    }
}

fn read_snapshot(r: &mut Reader) -> Read<Snapshot> {
    let now = r.u32()?;
    let groups = r.count(8)?;
    let spikes = (0..groups).map(|_| r.u64()).collect::<Read<Vec<_>>>()?;
    let counters = Counters {
        spikes,
        synaptic_events: r.u64()?,
        lost: r.u64()?,
    };
    let n = r.count(8)?;
    let loads = (0..n).map(|_| r.f64()).collect::<Read<Vec<_>>>()?;
    let n = r.count(40)?;
    let samples = (0..n).map(|_| read_sample(r)).collect::<Read<Vec<_>>>()?;
    Ok(Snapshot {
        now,
        counters,
        loads,
        samples,
    })
}

fn read_sample(r: &mut Reader) -> Read<SampleState> {
    let mut out = SampleState::default();
    for _ in 0..r.count(8)? {
        let states = r.count(8)?;
        let columns = (0..states).map(|_| r.words()).collect::<Read<Vec<_>>>()?;
        out.states.push(columns);
    }
    for _ in 0..r.count(16)? {
        out.events.push(Emission {
            step: r.u32()?,
            group: r.u32()?,
            unit: r.u32()?,
            payload: r.u32()?,
        });
    }
    for _ in 0..r.count(20)? {
        out.analog.push(Shown {
            step: r.u32()?,
            group: r.u32()?,
            state: u16::try_from(r.u32()?).map_err(|_| "a state's number is too large")?,
            values: r.words()?,
        });
    }
    for _ in 0..r.count(8)? {
        out.due.push((r.u32()?, r.u32()?));
    }
    for _ in 0..r.count(32)? {
        let n = r.count(8)?;
        out.learnt.push(Learnt {
            states: (0..n).map(|_| r.words()).collect::<Read<Vec<_>>>()?,
            stamps: [r.words()?, r.words()?, r.words()?],
        });
    }
    Ok(out)
}

/// What differs from the spike before, besides the neuron.
const STEP: u8 = 1;
const SAMPLE: u8 = 2;
const POPULATION: u8 = 4;
/// The value is not 1.
const VALUE: u8 = 8;

fn write_spikes(spikes: &[NamedSpike], w: &mut Writer) {
    w.u64(spikes.len() as u64);
    let mut last = NamedSpike::default();
    let step = |a: u32, b: u32| i64::from(a) - i64::from(b);
    for s in spikes {
        let flag = |differs: bool, bit: u8| if differs { bit } else { 0 };
        w.0.push(
            flag(s.step != last.step, STEP)
                | flag(s.sample != last.sample, SAMPLE)
                | flag(s.population != last.population, POPULATION)
                | flag(s.value != 1.0, VALUE),
        );
        if s.step != last.step {
            w.signed(step(s.step, last.step));
        }
        if s.sample != last.sample {
            w.signed(step(s.sample, last.sample));
        }
        if s.population != last.population {
            w.signed(step(s.population, last.population));
        }
        w.signed(step(s.neuron, last.neuron));
        if s.value != 1.0 {
            w.f64(s.value);
        }
        last = *s;
    }
}

fn read_spikes(r: &mut Reader) -> Read<Vec<NamedSpike>> {
    let n = r.count(2)?;
    let mut out = Vec::with_capacity(n);
    let mut last = NamedSpike::default();
    for _ in 0..n {
        let flags = r.byte()?;
        let mut next = |word: u32, bit: u8| match flags & bit {
            0 => Ok(word),
            _ => u32::try_from(i64::from(word).wrapping_add(r.signed()?))
                .map_err(|_| "a spike lies out of range".to_string()),
        };
        let (step, sample) = (next(last.step, STEP)?, next(last.sample, SAMPLE)?);
        let population = next(last.population, POPULATION)?;
        let neuron = u32::try_from(i64::from(last.neuron).wrapping_add(r.signed()?))
            .map_err(|_| "a spike lies out of range")?;
        last = NamedSpike {
            sample,
            step,
            population,
            neuron,
            value: match flags & VALUE {
                0 => 1.0,
                _ => r.f64()?,
            },
        };
        out.push(last);
    }
    Ok(out)
}
