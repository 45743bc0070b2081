//! Artefacts: native images run as the chip would, named through the bindings.
//!
//! The program comes from the native images alone, decoded by the chip's own code. One named input spike becomes the native
//! events that its bindings list; native outputs become named spikes, with the latency of their population taken off.
//! Serial chips process the rows of a step in ascending order, so that a set of spikes has one meaning. A named value becomes
//! a native event with a payload ([`super::values`]).

use super::bound::{Bound, held, host, inputs, periodic};
use super::inside::inside;
use super::stimulus::Drive;
use super::values::{self, Held};
use super::weights::{Learnt, cells};
use super::{Plan, Wiring};
use crate::engine::{InputEvent, Record};
use crate::spikes::{NamedSpike, Population, SpikeData};
use synfire_ir::artifact::{
    Artifact, Bindings, BoundEvery, BoundInput, BoundOutput, BoundPopulation, BoundValues,
};
use synfire_ir::program::{Discipline, Program, SerialEvent};
use synfire_ir::{Diagnostic, Diagnostics};
use synfire_targets::backend::{Backend, Emulation, NativeInput};

/// Most times that one serial input event is repeated for its value.
const MOST_REPEATS: f64 = 255.0;

/// Named units: (population, unit).
pub(super) type Units = Vec<(u32, u32)>;
/// First unit of a probe's range, and what each unit of it stands for.
type ProbeUnits = Option<(u32, Vec<Units>)>;

/// See the module.
pub(super) struct Chip {
    shifts: Vec<u32>,
    /// Sorted by (population, unit).
    inputs: Vec<Bound>,
    /// For each probe of the program: first unit of its range, and the named units of each unit.
    outputs: Vec<ProbeUnits>,
    /// Named units of each address of a serial program.
    addresses: Vec<Units>,
    feeds: Vec<(u32, u32, u32)>,
    every_step: Vec<(u32, u32, u32)>,
    periodic: Vec<(BoundEvery, SerialEvent)>,
    /// What learns, and where each of its weights stands.
    pub(super) learning: Vec<Learnt>,
}

pub(super) fn broken(what: String) -> Diagnostics {
    Diagnostic::error("SYN0704", what)
        .note("the bindings of an artefact name native events that its own chip must know")
        .hint("compile the network again with this build")
        .into()
}

impl Plan {
    /// An artefact of a chip whose code is `backend`.
    ///
    /// Errors: those of decoding, and `SYN0704` for bindings that do not belong to the images.
    pub fn artifact(artifact: &Artifact, backend: &dyn Backend) -> Result<Plan, Diagnostics> {
        Plan::of(artifact, backend, false)
    }

    /// An artefact whose neurons are all watched, those that the chip itself does not show included where its code says where they are.
    ///
    /// Errors: those of [`Plan::artifact`].
    pub fn artifact_inside(
        artifact: &Artifact,
        backend: &dyn Backend,
    ) -> Result<Plan, Diagnostics> {
        Plan::of(artifact, backend, true)
    }

    fn of(artifact: &Artifact, backend: &dyn Backend, watch: bool) -> Result<Plan, Diagnostics> {
        let sections: Vec<_> = artifact.native().collect();
        let mut emulation = backend.decode(&artifact.header.dialect, &sections)?;
        let bindings = &artifact.bindings;
        let mut watched = vec![];
        if watch {
            watched = inside(&mut emulation.program, bindings, backend);
        }
        let seen = |k: usize, p: &BoundPopulation| {
            p.recorded || watched.iter().any(|w| w.populations.contains(&(k as u32)))
        };
        let every_step = host(&mut emulation, bindings, backend)?;
        let chip = Chip {
            shifts: bindings
                .populations
                .iter()
                .enumerate()
                .map(|(k, p)| if seen(k, p) { p.shift } else { 0 })
                .collect(),
            inputs: inputs(&emulation, artifact, backend)?,
            outputs: {
                let mut all = outputs(&emulation, bindings);
                for w in &watched {
                    if let Some(slot) = w.probe.and_then(|k| all.get_mut(k)) {
                        *slot = Some((0, w.units.clone()));
                    }
                }
                all
            },
            addresses: {
                let mut all = addresses(&emulation.program, bindings, backend);
                for w in watched.iter().filter(|w| w.probe.is_none()) {
                    let named = all.iter_mut().zip(&w.units);
                    named.for_each(|(units, more)| units.extend(more));
                }
                all
            },
            feeds: bindings.feeds.clone(),
            every_step,
            periodic: periodic(&emulation, artifact, backend)?,
            learning: cells(&emulation, artifact)?,
        };
        let mut program = emulation.program;
        program.name = artifact.header.network.clone();
        program.dt = artifact.header.dt;
        let populations = bindings.populations.iter().enumerate();
        let populations = populations.map(|(k, p)| Population {
            name: p.name.clone(),
            size: p.size,
            input: p.input,
            source: p.input,
            graded: held(artifact, k as u32),
            recorded: seen(k, p),
        });
        Ok(Plan {
            program,
            populations: populations.collect(),
            wiring: Wiring::Chip(chip),
        })
    }
}

/// Units that native event `word` stands for; `bound` is sorted.
fn units_of(bound: &[BoundOutput], word: u64) -> Units {
    let from = bound.partition_point(|b| b.word < word);
    let these = bound[from..].iter().take_while(|b| b.word == word);
    these.map(|b| (b.pop, b.unit)).collect()
}

fn sorted_outputs(bindings: &Bindings) -> Vec<BoundOutput> {
    let mut bound = bindings.outputs.clone();
    bound.sort_unstable();
    bound
}

fn outputs(emulation: &Emulation, bindings: &Bindings) -> Vec<ProbeUnits> {
    let bound = sorted_outputs(bindings);
    let mut out = vec![None; emulation.program.probes.len()];
    for (probe, words) in &emulation.outputs {
        if let (Some(slot), Some(p)) = (
            out.get_mut(*probe as usize),
            emulation.program.probes.get(*probe as usize),
        ) {
            *slot = Some((
                p.range.start,
                words.iter().map(|w| units_of(&bound, *w)).collect(),
            ));
        }
    }
    out
}

fn addresses(program: &Program, bindings: &Bindings, backend: &dyn Backend) -> Vec<Units> {
    let Discipline::Serial(s) = &program.discipline else {
        return vec![];
    };
    let units = program.groups.get(s.group as usize).map_or(0, |g| g.size);
    let rows = program
        .projections
        .get(s.matrix as usize)
        .map_or(0, |p| p.source_range.len);
    let bound = sorted_outputs(bindings);
    (0..units.max(rows))
        .map(|a| units_of(&bound, backend.serial_output(a)))
        .collect()
}

impl Chip {
    pub fn shifts(&self) -> &[u32] {
        &self.shifts
    }

    /// What of it shapes a run beside the program.
    pub fn fingerprint(&self, f: &mut dyn FnMut(serde_json::Value)) {
        use serde_json::json;
        f(json!((
            &self.shifts,
            &self.outputs,
            &self.addresses,
            &self.feeds
        )));
        f(json!(self.every_step));
        self.periodic.iter().for_each(|p| f(json!(p.0)));
        self.inputs.iter().for_each(|i| f(json!(i.at)));
        self.learning.iter().for_each(|l| f(json!(l.0.values)));
    }

    /// Named input before step `steps`, as native events.
    pub fn drive(
        &self,
        input: &SpikeData,
        steps: u32,
        samples: u32,
        populations: &[Population],
    ) -> Result<Drive, Diagnostics> {
        let held = Held::new(input, &self.inputs, |k| self.values(k).clone())?;
        let mut drive = Drive {
            every_step: self.every_step.clone(),
            periodic: self.periodic.clone(),
            samples,
            cut: held.cut(),
            held,
            ..Drive::default()
        };
        for s in input.spikes.iter().filter(|s| s.step < steps) {
            let of = if input.batch.is_some() {
                s.sample..s.sample + 1
            } else {
                0..samples
            };
            self.send(s, of, populations, &mut drive)?;
        }
        for &(pop, step, unit) in self.feeds.iter().filter(|f| f.1 < steps) {
            let s = NamedSpike {
                sample: 0,
                step,
                population: pop,
                neuron: unit,
                value: 1.0,
            };
            self.send(&s, 0..samples, populations, &mut drive)?;
        }
        drive.events.sort_unstable();
        // Rows sort themselves; the other events of a step keep the canonical order of their spikes.
        drive.serial.sort_by_key(|e| (e.0, e.1));
        Ok(drive)
    }

    fn values(&self, k: u16) -> &BoundValues {
        &self.learning[usize::from(k)].0.values
    }

    /// Units of the emulator that take the values of a population: (bound input, group, unit, what a value becomes).
    pub fn taken(&self, pop: u32) -> impl Iterator<Item = (&BoundInput, u32, u32, &BoundValues)> {
        let of = self.inputs.iter().filter(move |b| b.at.pop == pop);
        of.filter_map(|b| match (b.values, b.event) {
            (Some(k), NativeInput::Event { group, unit, .. }) => {
                Some((&b.at, group, unit, self.values(k)))
            }
            _ => None,
        })
    }

    /// One named spike in some samples, as native events.
    pub fn send(
        &self,
        s: &NamedSpike,
        of: std::ops::Range<u32>,
        populations: &[Population],
        drive: &mut Drive,
    ) -> Result<(), Diagnostics> {
        let key = (s.population, s.neuron);
        let of_key = |b: &Bound| (b.at.pop, b.at.unit);
        let from = self.inputs.partition_point(|b| of_key(b) < key);
        let mut cut = false;
        for b in self.inputs[from..].iter().take_while(|b| of_key(b) == key) {
            let step = s.step.saturating_add(b.at.offset);
            match b.event {
                NativeInput::Event { group, unit, .. } if let Some(k) = b.values => {
                    cut |= values::word(self.values(k), s.value).1;
                    values::send(
                        self.values(k),
                        (step, group, unit),
                        s.value,
                        of.clone(),
                        drive,
                    );
                }
                NativeInput::Event {
                    group,
                    unit,
                    payload,
                    delay,
                } => {
                    let payload = payload.wrapping_mul(s.value as i32 as u32);
                    let step = step.saturating_add(delay);
                    drive.events.extend(of.clone().map(|sample| InputEvent {
                        step,
                        sample,
                        group,
                        unit,
                        payload,
                    }));
                }
                NativeInput::Serial(e) => {
                    if !(0.0..=MOST_REPEATS).contains(&s.value) {
                        let name = populations
                            .get(s.population as usize)
                            .map_or("", |p| p.name.as_str());
                        return Err(Diagnostic::error("SYN0909", format!("`{name}[{}]` has the value {} in step {}", s.neuron, s.value, s.step))
                            .note("the chip takes plain spikes; a value is a number of spikes in that step, from 0 to 255")
                            .hint("give the spikes without `value`")
                            .into());
                    }
                    for sample in of.clone() {
                        drive
                            .serial
                            .extend((0..s.value as u32).map(|_| (step, sample, e)));
                    }
                }
            }
        }
        drive.cut += u64::from(cut);
        Ok(())
    }

    /// Moves what was recorded into `data`; spikes outside the network's steps are dropped.
    pub fn collect(&self, record: &mut Record, steps: u32, data: &mut SpikeData) {
        let mut push = |sample: u32, step: u32, units: &[(u32, u32)], value: f64| {
            for &(population, neuron) in units {
                let shift = self.shifts.get(population as usize).copied().unwrap_or(0);
                if let Some(step) = step.checked_sub(shift).filter(|s| *s < steps) {
                    data.spikes.push(NamedSpike {
                        sample,
                        step,
                        population,
                        neuron,
                        value,
                    });
                }
            }
        };
        for s in record.spikes.drain(..) {
            let Some(Some((first, units))) = self.outputs.get(s.probe as usize) else {
                continue;
            };
            let units = s
                .unit
                .checked_sub(*first)
                .and_then(|i| units.get(i as usize));
            push(
                s.sample,
                s.step,
                units.map_or(&[], |u| u),
                f64::from(s.payload as i32),
            );
        }
        // A chip that takes one event after another may answer one step with several events of a unit; the network
        // knows one spike a unit and step.
        let mut told = std::collections::BTreeSet::new();
        for (step, sample, address) in record.serial.drain(..) {
            if !told.insert((step, sample, address)) {
                continue;
            }
            push(
                sample,
                step,
                self.addresses.get(address as usize).map_or(&[], |u| u),
                1.0,
            );
        }
        for trace in &mut record.traces {
            trace.steps.clear();
            trace.values.clear();
        }
    }
}
