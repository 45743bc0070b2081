//! Ideal networks: groups are populations, steps are steps.

use super::stimulus::Drive;
use crate::engine::{InputEvent, Record};
use crate::spikes::{NamedSpike, Population, Signal, SpikeData};
use synfire_ir::Diagnostics;
use synfire_ir::model::Ty;
use synfire_ir::program::{GroupKind, Observable, Probe, Program, Scales};

/// A recorded state.
pub(super) struct TraceOf {
    /// `POP.VAR`, unique.
    pub name: String,
    probe: usize,
    group: u32,
    first: u32,
    elements: u32,
    ty: Ty,
    scale: f64,
}

/// See the module.
pub(super) struct Named {
    feeds: Vec<(u32, u32, u32, u32)>,
    traces: Vec<TraceOf>,
    /// For each probe: the earlier spike probes of the same group, whose units it need not report again.
    earlier: Vec<Vec<u32>>,
    scales: Scales,
}

/// The populations of a program, `sources[g]` being what the network declared as sources.
pub(super) fn populations(program: &Program, sources: &[bool]) -> Vec<Population> {
    let recorded = |g: u32| {
        program
            .probes
            .iter()
            .any(|p| p.group == g && p.what == Observable::Events)
    };
    let group = |(g, i): (&synfire_ir::program::Group, u32)| {
        let input = g.kind == GroupKind::External;
        Population {
            name: g.name.clone(),
            size: g.size,
            input,
            source: input || sources.get(i as usize).copied().unwrap_or(false),
            graded: g.graded,
            recorded: recorded(i),
        }
    };
    program.groups.iter().zip(0..).map(group).collect()
}

impl Named {
    pub fn new(program: &Program, feeds: Vec<(u32, u32, u32, u32)>, scales: Scales) -> Named {
        let mut traces: Vec<TraceOf> = vec![];
        for (k, p) in program.probes.iter().enumerate() {
            let width = match p.what {
                Observable::Events => None,
                Observable::State(state) => {
                    let states = program.model_of(p.group).map(|m| &m.states);
                    states.and_then(|s| s.get(state as usize)).map(|s| s.width)
                }
                Observable::Synapse { projection, state } => {
                    let states = program.plastic_of(projection).map(|x| &x.1.states);
                    states.and_then(|s| s.get(state as usize)).map(|s| s.width)
                }
            };
            let Some(width) = width else { continue };
            let scale = scales.probe(p);
            let name = unique_name(&traces, p, program);
            let (first, elements) = (p.range.start, p.range.len);
            traces.push(TraceOf {
                name,
                probe: k,
                group: p.group,
                first,
                elements,
                ty: width.ty(),
                scale,
            });
        }
        let earlier = |(k, p): (usize, &Probe)| {
            let same = |q: &&u32| {
                program.probes[**q as usize].group == p.group
                    && program.probes[**q as usize].what == Observable::Events
            };
            let before: Vec<u32> = (0..k as u32).collect();
            before.iter().filter(same).copied().collect()
        };
        let earlier = program.probes.iter().enumerate().map(earlier).collect();
        Named {
            feeds,
            traces,
            earlier,
            scales,
        }
    }

    pub fn traces(&self) -> impl Iterator<Item = &TraceOf> {
        self.traces.iter()
    }

    /// What words are worth.
    pub fn scales(&self) -> &Scales {
        &self.scales
    }

    /// A spike as an event of a sample.
    pub fn event(&self, s: &NamedSpike, sample: u32, program: &Program) -> InputEvent {
        let group = program.groups.get(s.population as usize);
        let payload = match group.is_some_and(|g| g.graded) {
            true => (s.value as f32).to_bits(),
            false => s.value as i32 as u32,
        };
        InputEvent {
            step: s.step,
            sample,
            group: s.population,
            unit: s.neuron,
            payload,
        }
    }

    /// Input and the network's own feeds before step `steps`, as events.
    pub fn drive(
        &self,
        input: &SpikeData,
        steps: u32,
        samples: u32,
        program: &Program,
    ) -> Result<Drive, Diagnostics> {
        let mut events: Vec<InputEvent> = vec![];
        for s in input.spikes.iter().filter(|s| s.step < steps) {
            let of = if input.batch.is_some() {
                s.sample..s.sample + 1
            } else {
                0..samples
            };
            events.extend(of.map(|sample| self.event(s, sample, program)));
        }
        for &(step, group, unit, payload) in self.feeds.iter().filter(|f| f.0 < steps) {
            events.extend((0..samples).map(|sample| InputEvent {
                step,
                sample,
                group,
                unit,
                payload,
            }));
        }
        events.sort_unstable();
        let signals = input
            .signals
            .iter()
            .map(|s| (s.population, s.clone()))
            .collect();
        Ok(Drive {
            events,
            signals,
            samples,
            ..Drive::default()
        })
    }

    /// What of it shapes a run beside the program.
    pub fn fingerprint(&self, f: &mut dyn FnMut(serde_json::Value)) {
        f(serde_json::json!(self.feeds));
        self.traces
            .iter()
            .for_each(|t| f(serde_json::json!((&t.name, t.scale.to_bits()))));
    }

    /// Signals to be filled by [`Self::collect`].
    pub fn empty_signals(&self, samples: u32) -> Vec<Signal> {
        let empty = |t: &TraceOf| Signal {
            name: t.name.clone(),
            population: t.group,
            first: t.first,
            elements: t.elements,
            steps: vec![],
            values: vec![vec![]; samples as usize],
        };
        self.traces.iter().map(empty).collect()
    }

    /// Moves what was recorded into `data`, whose signals are those of [`Self::empty_signals`].
    pub fn collect(&self, record: &mut Record, program: &Program, data: &mut SpikeData) {
        for s in record.spikes.drain(..) {
            let Some(probe) = program.probes.get(s.probe as usize) else {
                continue;
            };
            let seen = |q: &u32| {
                let r = program.probes[*q as usize].range;
                s.unit >= r.start && s.unit - r.start < r.len
            };
            if self.earlier[s.probe as usize].iter().any(seen) {
                continue;
            }
            let float = program.groups[probe.group as usize].graded;
            let value = if float {
                f64::from(f32::from_bits(s.payload))
            } else {
                f64::from(s.payload as i32)
            };
            data.spikes.push(NamedSpike {
                sample: s.sample,
                step: s.step,
                population: probe.group,
                neuron: s.unit,
                value,
            });
        }
        for (t, signal) in self.traces.iter().zip(&mut data.signals) {
            let Some(trace) = record.traces.get_mut(t.probe) else {
                continue;
            };
            let samples = signal.values.len();
            let width = t.elements as usize;
            for row in trace.values.chunks_exact((width * samples).max(1)) {
                for (sample, words) in row.chunks_exact(width.max(1)).enumerate() {
                    signal.values[sample].extend(words.iter().map(|w| t.value(*w)));
                }
            }
            signal.steps.append(&mut trace.steps);
            trace.values.clear();
        }
    }
}

impl TraceOf {
    fn value(&self, word: u32) -> f32 {
        match self.ty {
            Ty::F32 => f32::from_bits(word),
            Ty::I32 => (f64::from(word as i32) * self.scale) as f32,
            Ty::U32 | Ty::Bool => (f64::from(word) * self.scale) as f32,
        }
    }
}

/// The probe's name, with its range when another probe of that name is there.
fn unique_name(traces: &[TraceOf], probe: &Probe, program: &Program) -> String {
    let free = |name: &str| traces.iter().all(|t| t.name != name);
    if free(&probe.name) {
        return probe.name.clone();
    }
    let group = program
        .groups
        .get(probe.group as usize)
        .map_or("", |g| g.name.as_str());
    let var = probe.name.strip_prefix(group).unwrap_or(&probe.name);
    let end = u64::from(probe.range.start) + u64::from(probe.range.len);
    let ranged = format!("{group}[{} .. {end}]{var}", probe.range.start);
    (1u32..)
        .map(|k| {
            if k == 1 {
                ranged.clone()
            } else {
                format!("{ranged}.{k}")
            }
        })
        .find(|n| free(n))
        .unwrap_or(ranged)
}
