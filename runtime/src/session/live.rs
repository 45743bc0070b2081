//! Closed loops: a session that runs a few steps at a time while the caller reads, injects, rewards and changes parameters.
//!
//! In: injected spikes and held signals, for the steps to come. Out: spikes, counts and states by name. Invariant: a run in
//! small pieces with the same input gives what one whole run gives. Deliberately absent: what the environment is.

use super::{Session, Wiring};
use crate::engine::snapshot::Snapshot;
use crate::engine::{InputEvent, Record, Stimulus};
use crate::session::stimulus::Drive;
use crate::session::values::word;
use crate::spikes::{NamedSpike, SpikeData};
use std::sync::Arc;
use synfire_ir::artifact::{BoundInput, BoundValues};
use synfire_ir::diag::{Quiet, nearest};
use synfire_ir::model::Ty;
use synfire_ir::program::{Column, GroupKind, SerialEvent};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// What a unit of the program sends: (group, unit, payload).
type Sent = (u32, u32, u32);

/// What a live session is driven by and has gathered.
#[derive(Default)]
pub(super) struct Live {
    /// The network's own feeds, and what has been injected for steps to come.
    drive: Drive,
    /// Signals that hold until they are set again: (population, units of the program and what each sends in every step).
    held: Vec<(u32, Vec<Sent>)>,
    data: SpikeData,
    record: Record,
}

impl Session {
    /// Number of the next step (for an artefact, of the chip's steps).
    pub fn now(&self) -> u32 {
        self.engine.now()
    }

    /// Runs `steps` steps with what has been injected and is held. May follow itself as often as is wanted; not to be mixed
    /// with [`Session::run`].
    ///
    /// Errors: those of the engine.
    pub fn step(&mut self, steps: u32) -> Result<(), Diagnostics> {
        let mut live = self.live()?;
        let done = self.advance_live(&mut live, steps);
        self.live = Some(live);
        done
    }

    /// The live part, made at its first use.
    fn live(&mut self) -> Result<Live, Diagnostics> {
        if let Some(live) = self.live.take() {
            return Ok(live);
        }
        let none = SpikeData::default();
        let drive = match &self.wiring {
            Wiring::Named(n) => n.drive(&none, u32::MAX, self.samples, &self.program)?,
            Wiring::Chip(c) => c.drive(&none, u32::MAX, self.samples, &self.populations)?,
        };
        let mut live = Live {
            drive,
            ..Live::default()
        };
        live.data.signals = self.wiring.signals(self.samples);
        Ok(live)
    }

    fn advance_live(&mut self, live: &mut Live, steps: u32) -> Result<(), Diagnostics> {
        let from = self.engine.now();
        let to = from
            .checked_add(steps)
            .ok_or_else(|| super::run::too_long(steps))?;
        live.drive.events.sort_unstable();
        live.drive.serial.sort_by_key(|e| (e.0, e.1));
        let mut at = from;
        while at < to {
            // Held signals make events of every step: they are made for a few steps at a time.
            let next = to.min(at.saturating_add(1024));
            let mut given = live.drive.slice(at, next);
            self.hold(live, (at, next), &mut given);
            self.engine
                .advance(next - at, &given, &mut live.record, &Quiet)?;
            self.wiring
                .collect(&mut live.record, u32::MAX, &self.program, &mut live.data);
            at = next;
        }
        live.drive.events.retain(|e| e.step >= to);
        live.drive.serial.retain(|e| e.0 >= to);
        Ok(())
    }

    fn hold(&self, live: &Live, (from, to): (u32, u32), given: &mut Stimulus) {
        for step in from..to {
            for &(group, unit, payload) in live.held.iter().flat_map(|h| &h.1) {
                given
                    .events
                    .extend((0..self.samples).map(|sample| InputEvent {
                        step,
                        sample,
                        group,
                        unit,
                        payload,
                    }));
            }
        }
        if !live.held.is_empty() {
            given.events.sort_unstable();
        }
    }

    /// Index of a population. Errors: `SYN0903`.
    fn population(&self, name: &str) -> Result<u32, Diagnostics> {
        let names = || self.populations.iter().map(|p| p.name.as_str());
        if let Some(k) = names().position(|n| n == name) {
            return Ok(k as u32);
        }
        let error = Diagnostic::error("SYN0903", format!("there is no population `{name}`"));
        Err(match nearest(name, names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")).into(),
            None => error
                .hint(format!(
                    "there are: {}",
                    names().collect::<Vec<_>>().join(", ")
                ))
                .into(),
        })
    }

    /// A unit of a population that is driven from outside. Errors: `SYN0903` to `SYN0905`.
    fn input(&self, name: &str, neuron: u32) -> Result<u32, Diagnostics> {
        let k = self.population(name)?;
        let p = &self.populations[k as usize];
        if !p.input {
            return Err(Diagnostic::error(
                "SYN0905",
                format!("`{name}` takes no spikes from outside"),
            )
            .class(Class::Usage)
            .hint("declare a source and connect it: `source s: events[n]`")
            .into());
        }
        if neuron >= p.size {
            let what = format!("`{name}` has {} neurons, not neuron {neuron}", p.size);
            return Err(Diagnostic::error("SYN0904", what)
                .class(Class::Usage)
                .hint("neurons count from 0")
                .into());
        }
        Ok(k)
    }

    /// A spike of a source's neuron in the next step, in every sample; `value` is 1 for a plain one.
    ///
    /// Errors: `SYN0903` to `SYN0905` for what is no neuron of a source.
    pub fn inject(&mut self, source: &str, neuron: u32, value: f64) -> Result<(), Diagnostics> {
        self.inject_in(0..self.samples, source, neuron, value)
    }

    /// As [`Session::inject`], in some samples of a batch only.
    pub fn inject_in(
        &mut self,
        samples: std::ops::Range<u32>,
        source: &str,
        neuron: u32,
        value: f64,
    ) -> Result<(), Diagnostics> {
        let population = self.input(source, neuron)?;
        let samples = samples.start..samples.end.min(self.samples);
        let spike = NamedSpike {
            sample: 0,
            step: self.engine.now(),
            population,
            neuron,
            value,
        };
        let mut live = self.live()?;
        let sent = match &self.wiring {
            Wiring::Named(n) => {
                let each = samples.map(|sample| n.event(&spike, sample, &self.program));
                live.drive.events.extend(each);
                Ok(())
            }
            Wiring::Chip(c) => c.send(&spike, samples, &self.populations, &mut live.drive),
        };
        self.live = Some(live);
        sent
    }

    /// Sets a `signal` source: a value for each element, which holds from the next step on until it is set again.
    ///
    /// Errors: `SYN0903` and `SYN0905` for what is no source, `SYN0909` for another number of values or a source of spikes.
    pub fn set_signal(&mut self, source: &str, values: &[f32]) -> Result<(), Diagnostics> {
        let k = self.input(source, 0)?;
        let p = &self.populations[k as usize];
        if !p.graded || values.len() != p.size as usize {
            let what = match p.graded {
                false => format!("`{source}` is a source of spikes"),
                true => format!("{} values for the {} of `{source}`", values.len(), p.size),
            };
            return Err(Diagnostic::error("SYN0909", what)
                .class(Class::Usage)
                .hint("a signal has a value for each element of a `signal` source; spikes are injected")
                .into());
        }
        let sent: Vec<Sent> = match &self.wiring {
            Wiring::Named(_) => (0..)
                .zip(values)
                .filter(|v| *v.1 != 0.0)
                .map(|(unit, x)| (k, unit, x.to_bits()))
                .collect(),
            Wiring::Chip(c) => {
                if let Some(late) = c.taken(k).map(|t| t.0.offset).find(|o| *o > 0) {
                    return Err(runs_late(source, late));
                }
                let word = |(at, group, unit, v): (&BoundInput, u32, u32, &BoundValues)| {
                    let value = values.get(at.unit as usize)?;
                    let payload = word(v, f64::from(*value)).0;
                    (payload != 0).then_some((group, unit, payload as u32))
                };
                c.taken(k).filter_map(word).collect()
            }
        };
        let mut live = self.live()?;
        live.held.retain(|h| h.0 != k);
        live.held.push((k, sent));
        self.live = Some(live);
        Ok(())
    }

    /// A value for the modulators that a source reaches (`modulate source -> plastic.reward`): one event of that size from each of
    /// its elements in the next step. A network that is to be rewarded declares such a source, of events or of a signal.
    ///
    /// Errors: as [`Session::inject`].
    pub fn reward(&mut self, source: &str, value: f64) -> Result<(), Diagnostics> {
        let k = self.population(source)?;
        (0..self.populations[k as usize].size).try_for_each(|i| self.inject(source, i, value))
    }

    /// The recorded spikes since the last call, sorted by sample, step, population, neuron. Only populations that the network
    /// records are there.
    pub fn spikes(&mut self) -> Vec<NamedSpike> {
        let live = self.live.as_mut();
        let mut spikes = live.map_or(vec![], |l| std::mem::take(&mut l.data.spikes));
        spikes.sort_unstable_by_key(NamedSpike::key);
        spikes
    }

    /// The recorded states since the last call.
    pub fn signals(&mut self) -> Vec<crate::spikes::Signal> {
        let empty = self.wiring.signals(self.samples);
        match &mut self.live {
            Some(l) => std::mem::replace(&mut l.data.signals, empty),
            None => empty,
        }
    }

    /// Spikes of a population since the start, over all samples, recorded or not.
    ///
    /// Errors: `SYN0903`; `SYN0909` for an artefact, whose chip has no populations: read [`Session::spikes`].
    pub fn count(&mut self, population: &str) -> Result<u64, Diagnostics> {
        let k = self.group(population)?;
        let counters = self.engine.counters()?;
        Ok(counters.spikes.get(k as usize).copied().unwrap_or(0))
    }

    /// The program's group of a population.
    fn group(&self, population: &str) -> Result<u32, Diagnostics> {
        let k = self.population(population)?;
        match &self.wiring {
            Wiring::Named(_) => Ok(k),
            Wiring::Chip(_) => Err(Diagnostic::error(
                "SYN0909",
                format!("`{population}` lies on a chip, which has cores and no populations"),
            )
            .class(Class::Usage)
            .hint("read the recorded spikes, or run the network without a target")
            .into()),
        }
    }

    /// Values of a state of a population, `samples * size`, sample after sample, in SI units.
    ///
    /// Errors: `SYN0903`, `SYN0807`.
    pub fn state(&mut self, population: &str, name: &str) -> Result<Vec<f64>, Diagnostics> {
        let g = self.group(population)?;
        let states = self.program.model_of(g).map_or(&[][..], |m| &m.states);
        let names = || states.iter().map(|s| s.name.as_str());
        let Some(k) = names().position(|n| n == name) else {
            return Err(no_such("state", population, name, names()));
        };
        let ty = states[k].width.ty();
        let scale = self.wiring.scales().map_or(1.0, |s| s.state(g, k as u16));
        let value = |w: u32| match ty {
            Ty::F32 => f64::from(f32::from_bits(w)),
            Ty::I32 => f64::from(w as i32) * scale,
            Ty::U32 | Ty::Bool => f64::from(w) * scale,
        };
        let words = self.engine.state(g, k as u16)?;
        Ok(words.into_iter().map(value).collect())
    }

    /// Values of a state of a plastic projection's synapses (the weight is the first state of its model), in the order of the layout,
    /// sample after sample, in SI units. States of rows or targets have a value for each of those.
    ///
    /// Errors: `SYN0807`.
    pub fn synapses(&mut self, projection: &str, name: &str) -> Result<Vec<f64>, Diagnostics> {
        let all = &self.program.projections;
        let found = (0u32..).zip(all).find(|p| p.1.name == projection);
        let model = found.and_then(|(k, _)| Some((k, self.program.plastic_of(k)?.1)));
        let Some((k, model)) = model else {
            let names = self.program.plastic.iter();
            let names = names.filter_map(|x| Some(all.get(x.projection as usize)?.name.as_str()));
            return Err(no_such(
                "plastic projection",
                "the network",
                projection,
                names,
            ));
        };
        let states = || model.states.iter().map(|s| s.name.as_str());
        let Some(at) = model.state(name) else {
            return Err(no_such("state", projection, name, states()));
        };
        let ty = model.states[at as usize].width.ty();
        let scale = self.wiring.scales().map_or(1.0, |s| s.synapse(k, at));
        let value = |w: u32| match ty {
            Ty::F32 => f64::from(f32::from_bits(w)),
            Ty::I32 => f64::from(w as i32) * scale,
            Ty::U32 | Ty::Bool => f64::from(w) * scale,
        };
        let words = self.engine.synapses(k, at)?;
        Ok(words.into_iter().map(value).collect())
    }

    /// Changes a parameter of a population from the next step on: one value for all, or one a neuron. Parameters are those that
    /// the model's code reads: a field that stands in the equations keeps its name; what is computed from fields before the run (a
    /// decay factor) is a parameter of its own.
    ///
    /// Errors: `SYN0903`; `SYN0807` for what is no parameter; `SYN0909` for another number of values; those of the engine.
    pub fn set_parameter(
        &mut self,
        population: &str,
        name: &str,
        values: &[f64],
    ) -> Result<(), Diagnostics> {
        let g = self.group(population)?;
        let params = self.program.model_of(g).map_or(&[][..], |m| &m.params);
        let names = || params.iter().map(|s| s.name.as_str());
        let Some(k) = names().position(|n| n == name) else {
            return Err(no_such("parameter", population, name, names()));
        };
        let size = self.program.groups[g as usize].size as usize;
        if values.len() != 1 && values.len() != size {
            let what = format!(
                "{} values for the {size} neurons of `{population}`",
                values.len()
            );
            return Err(Diagnostic::error("SYN0909", what)
                .class(Class::Usage)
                .hint("give one value for all, or one a neuron")
                .into());
        }
        let word = |x: &f64| match params[k].ty {
            Ty::F32 => (*x as f32).to_bits(),
            Ty::I32 => *x as i32 as u32,
            Ty::U32 => *x as u32,
            Ty::Bool => u32::from(*x != 0.0),
        };
        let words: Vec<u32> = values.iter().map(word).collect();
        let column = match words[..] {
            [one] => Column::Uniform(one),
            _ => Column::from_words(words),
        };
        let mut program = (*self.program).clone();
        if let GroupKind::Units { params, .. } = &mut program.groups[g as usize].kind {
            params[k] = column;
        }
        self.exchange(program)
    }

    /// Goes on with a changed program of the same shape.
    fn exchange(&mut self, program: synfire_ir::program::Program) -> Result<(), Diagnostics> {
        let program = Arc::new(program);
        if !self.engine.exchange(&program) {
            let saved = self.engine.save()?;
            let mut engine =
                crate::engine::open(self.engine.name(), program.clone(), &self.options)?;
            engine.restore(&saved)?;
            self.engine = engine;
        }
        self.program = program;
        // Checkpoints name the program that was opened.
        self.hash = None;
        Ok(())
    }

    /// All that must be known to go back to this point of a live session, or on from it elsewhere. What has been injected for the next
    /// step is not part of it.
    pub fn save(&mut self) -> Result<Snapshot, Diagnostics> {
        self.engine.save()
    }

    /// Goes back to a saved point of this session, or of one of the same plan; what has been injected, is held or was recorded and not
    /// yet read is dropped.
    ///
    /// Errors: `SYN0840`.
    pub fn restore(&mut self, from: &Snapshot) -> Result<(), Diagnostics> {
        self.engine.restore(from)?;
        self.live = None;
        let mut live = self.live()?;
        live.drive.events.retain(|e| e.step >= from.now);
        live.drive
            .serial
            .retain(|e: &(u32, u32, SerialEvent)| e.0 >= from.now);
        self.live = Some(live);
        Ok(())
    }
}

fn runs_late(source: &str, late: u32) -> Diagnostics {
    let what = format!("the neurons that `{source}` reaches run {late} steps late on the chip");
    Diagnostic::error("SYN0909", what)
        .class(Class::Usage)
        .note("a value that holds acts from the next step on")
        .hint("inject its values one by one, each in its own step")
        .into()
}

fn no_such<'a>(
    what: &str,
    population: &str,
    name: &str,
    names: impl Iterator<Item = &'a str>,
) -> Diagnostics {
    let all: Vec<&str> = names.collect();
    let error = Diagnostic::error("SYN0807", format!("`{population}` has no {what} `{name}`"))
        .class(Class::Usage);
    match all.is_empty() {
        true => error.hint("there is none").into(),
        false => error.hint(format!("it has: {}", all.join(", "))).into(),
    }
}
