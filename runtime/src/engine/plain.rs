//! Programs that learn, run unit by unit and synapse by synapse in the words of `program::Reference`.
//!
//! In: a checked program with plastic projections. Out: [`Plain`], an [`Engine`] that gives the bits that every engine must give. One
//! thread; time goes with the units in every step and with the synapses that events touch. Deliberately absent: vector code and threads.

use super::cpu::input::divide;
use super::snapshot::{Emission, Learnt, Reach, SampleState, Shown, Snapshot};
use super::{Counters, Engine, Options, Record, Spike, Stimulus, Trace, no_synapses};
use std::sync::Arc;
use synfire_ir::diag::{Diagnostic, Diagnostics, Progress};
use synfire_ir::program::{Carry, Held, Learned, Observable, Program, Projection, Reference};

/// Steps between two looks at the progress.
const PACE: u32 = 256;

/// See the module.
pub struct Plain {
    program: Arc<Program>,
    /// One for each sample.
    held: Vec<Held>,
    now: u32,
    counters: Counters,
}

impl Plain {
    /// Sets up a program that has passed `program::check`.
    pub fn new(program: Arc<Program>, options: &Options) -> Self {
        let program = match program.is_generated() {
            true => Arc::new(program.expanded()),
            false => program,
        };
        let samples = 0..options.samples.max(1);
        Plain {
            held: samples
                .map(|s| Reference::new(&program, s).suspend())
                .collect(),
            now: 0,
            counters: Counters {
                spikes: vec![0; program.groups.len()],
                ..Counters::default()
            },
            program,
        }
    }

    fn words(&mut self, f: impl Fn(&Reference) -> Option<Vec<u32>>) -> Option<Vec<u32>> {
        let mut out = vec![];
        for (s, held) in (0..).zip(&mut self.held) {
            let r = Reference::resume(&self.program, s, std::mem::take(held));
            let words = f(&r);
            *held = r.suspend();
            out.extend(words?);
        }
        Some(out)
    }
}

/// What one sample recorded.
#[derive(Default)]
struct Seen {
    spikes: Vec<Spike>,
    /// For each probe, words of each recorded step.
    traces: Vec<Vec<Vec<u32>>>,
}

fn due(every: u32, step: u32) -> bool {
    (step as u64 + 1).is_multiple_of(every as u64)
}

/// Reads the probes after a step.
fn look(
    p: &Program,
    r: &Reference,
    (step, sample): (u32, u32),
    lists: &[Vec<(u32, u32)>],
    seen: &mut Seen,
) {
    for (k, probe) in (0u32..).zip(&p.probes) {
        let (from, to) = (probe.range.start, probe.range.start + probe.range.len);
        let words = match probe.what {
            Observable::Events => {
                let inside = lists[probe.group as usize]
                    .iter()
                    .filter(|e| (from..to).contains(&e.0));
                seen.spikes.extend(inside.map(|&(unit, payload)| Spike {
                    sample,
                    step,
                    probe: k,
                    unit,
                    payload,
                }));
                continue;
            }
            _ if !due(probe.every, step) => continue,
            Observable::State(s) => {
                r.state[probe.group as usize][s as usize][from as usize..to as usize].to_vec()
            }
            Observable::Synapse { projection, state } => {
                let words = r.synapses(projection, state).unwrap_or_default();
                words
                    .get(from as usize..to as usize)
                    .map_or(vec![], <[u32]>::to_vec)
            }
        };
        seen.traces[k as usize].push(words);
    }
}

/// Synapses that the events of a step, once they arrive, walk.
fn walked(p: &Program, group: usize, unit: u32) -> u64 {
    let from = |pr: &&Projection| {
        let r = pr.source_range;
        pr.source as usize == group
            && pr.carry == Carry::Events
            && (r.start..r.start + r.len).contains(&unit)
    };
    p.projections
        .iter()
        .filter(from)
        .map(|pr| pr.row_len(unit - pr.source_range.start))
        .sum()
}

impl Engine for Plain {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn advance(
        &mut self,
        steps: u32,
        input: &Stimulus,
        record: &mut Record,
        progress: &dyn Progress,
    ) -> Result<u32, Diagnostics> {
        let p = self.program.clone();
        let from = self.now;
        let Some(to) = from.checked_add(steps) else {
            let what = format!(
                "{steps} more steps after step {from}; a run counts at most {}",
                u32::MAX
            );
            return Err(Diagnostic::error("SYN0806", what)
                .note("steps are numbered by 32-bit words")
                .hint("run fewer steps")
                .into());
        };
        let given = divide(&p, self.held.len() as u32, (from, to), input)?;
        let mut seen: Vec<Seen> = vec![];
        let mut runs: Vec<Reference> = vec![];
        for (s, held) in (0..).zip(&mut self.held) {
            runs.push(Reference::resume(&p, s, std::mem::take(held)));
            seen.push(Seen {
                traces: vec![vec![]; p.probes.len()],
                ..Seen::default()
            });
        }
        let mut at = vec![0; runs.len()];
        let mut step = from;
        while step < to && !(step.is_multiple_of(PACE) && progress.cancelled()) {
            for (k, r) in runs.iter_mut().enumerate() {
                let events = given[k].events_of(step, &mut at[k]).iter();
                let events: Vec<(u32, u32, u32)> =
                    events.map(|e| (e.group, e.unit, e.payload)).collect();
                let lists = r.step(&events);
                for (g, list) in lists.iter().enumerate() {
                    self.counters.spikes[g] += list.len() as u64;
                    let walked: u64 = list.iter().map(|e| walked(&p, g, e.0)).sum();
                    self.counters.synaptic_events += walked;
                }
                look(&p, r, (step, k as u32), &lists, &mut seen[k]);
            }
            step += 1;
            if step.is_multiple_of(PACE) {
                progress.report("run", (step - from) as u64, steps as u64);
            }
        }
        self.held = runs.into_iter().map(Reference::suspend).collect();
        self.now = step;
        gather(&p, seen, (from, step), record);
        Ok(step - from)
    }

    fn now(&self) -> u32 {
        self.now
    }

    fn state(&mut self, group: u32, state: u16) -> Result<Vec<u32>, Diagnostics> {
        let read = |r: &Reference| r.state.get(group as usize)?.get(state as usize).cloned();
        self.words(read).ok_or_else(|| {
            Diagnostic::error("SYN0807", format!("group {group} has no state {state}"))
                .note("states are numbered as in the group's model; external groups have none")
                .hint("read a state that the model declares")
                .into()
        })
    }

    fn synapses(&mut self, projection: u32, state: u16) -> Result<Vec<u32>, Diagnostics> {
        let states = self
            .program
            .plastic_of(projection)
            .map_or(0, |x| x.1.states.len());
        if state as usize >= states {
            return Err(no_synapses(projection, state).into());
        }
        let words = self.words(|r| r.synapses(projection, state));
        words.ok_or_else(|| no_synapses(projection, state).into())
    }

    fn counters(&mut self) -> Result<Counters, Diagnostics> {
        Ok(self.counters.clone())
    }

    fn hash(&mut self) -> Result<u64, Diagnostics> {
        let mut h = 0xcbf2_9ce4_8422_2325u64;
        let mut add = |words: Vec<u32>| {
            for byte in words.iter().flat_map(|w| w.to_le_bytes()) {
                h = (h ^ byte as u64).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let p = self.program.clone();
        for g in 0..p.groups.len() as u32 {
            for s in 0..p.model_of(g).map_or(0, |m| m.states.len()) as u16 {
                add(self.state(g, s)?);
            }
        }
        for x in &p.plastic {
            let states = p.plastic_of(x.projection).map_or(0, |x| x.1.states.len());
            for s in 0..states as u16 {
                add(self.synapses(x.projection, s)?);
            }
        }
        Ok(h)
    }

    fn save(&mut self) -> Result<Snapshot, Diagnostics> {
        let reach = Reach::of(&self.program);
        let samples = self.held.iter().map(|h| saved(&reach, h));
        Ok(Snapshot {
            now: self.now,
            counters: self.counters.clone(),
            loads: vec![1.0; self.program.groups.len()],
            samples: samples.collect(),
        })
    }

    fn restore(&mut self, from: &Snapshot) -> Result<(), Diagnostics> {
        from.check(&self.program, self.held.len() as u32)?;
        let samples = from.samples.iter();
        self.held = samples
            .map(|s| restored(&self.program, s, from.now))
            .collect();
        self.counters = from.counters.clone();
        self.now = from.now;
        Ok(())
    }
}

/// The refusal to save a program that learns on the CPU engine's own code.
pub(super) fn no_snapshot(p: &Program) -> Diagnostics {
    Diagnostic::error(
        "SYN0824",
        "the states of synapses that learn are not part of checkpoints",
    )
    .at(p.name.clone())
    .hint("run in one piece, and save the weights at the end: `--save-weights FILE.npz`")
    .into()
}

fn saved(reach: &Reach, held: &Held) -> SampleState {
    let now = held.step;
    let (mut events, mut analog) = (vec![], vec![]);
    let ages = 1..=held.history.len() as u32;
    let aged = held.history.iter().zip(&held.analog).zip(ages);
    for ((lists, outputs), age) in aged.collect::<Vec<_>>().into_iter().rev() {
        let step = now - age;
        for (group, list) in (0u32..).zip(lists) {
            if reach.keeps(group, step, now) {
                events.extend(list.iter().map(|&(unit, payload)| Emission {
                    step,
                    group,
                    unit,
                    payload,
                }));
            }
        }
        for (&(group, state), &longest) in &reach.analog {
            let words = outputs[group as usize].get(state as usize);
            if age <= u32::from(longest)
                && let Some(values) = words.filter(|w| !w.is_empty())
            {
                analog.push(Shown {
                    step,
                    group,
                    state,
                    values: values.clone(),
                });
            }
        }
    }
    let learnt = held.learned.iter().map(|l| Learnt {
        states: l.state.clone(),
        stamps: l.stamp.clone(),
    });
    SampleState {
        states: held.state.clone(),
        events,
        analog,
        due: vec![],
        learnt: learnt.collect(),
    }
}

fn restored(p: &Program, from: &SampleState, now: u32) -> Held {
    let ages = now.min(u32::from(p.max_delay()) + 1) as usize;
    let groups = p.groups.len();
    let mut history = vec![vec![vec![]; groups]; ages];
    for e in &from.events {
        history[(now - 1 - e.step) as usize][e.group as usize].push((e.unit, e.payload));
    }
    // Older values than are read stand as 0: the reference looks at them before it asks for synapses.
    let blank = |g: usize| match p.model_of(g as u32) {
        Some(m) if !m.outputs.is_empty() => {
            vec![vec![0; p.groups[g].size as usize]; m.states.len()]
        }
        _ => vec![],
    };
    let none: Vec<Vec<Vec<u32>>> = (0..groups).map(blank).collect();
    let mut analog = vec![none; ages];
    for s in &from.analog {
        analog[(now - 1 - s.step) as usize][s.group as usize][s.state as usize] = s.values.clone();
    }
    let learned = from.learnt.iter().map(|l| Learned {
        state: l.states.clone(),
        stamp: l.stamps.clone(),
    });
    Held {
        step: now,
        state: from.states.clone(),
        history: history.into(),
        analog: analog.into(),
        learned: learned.collect(),
        ..Held::default()
    }
}

/// Joins what the samples recorded: spikes by (step, sample, probe, unit), traces by time and sample.
fn gather(p: &Program, mut seen: Vec<Seen>, (from, to): (u32, u32), record: &mut Record) {
    if record.traces.len() < p.probes.len() {
        record.traces.resize(p.probes.len(), Trace::default());
    }
    let mark = record.spikes.len();
    seen.iter_mut()
        .for_each(|s| record.spikes.append(&mut s.spikes));
    record.spikes[mark..].sort_by_key(|s| (s.step, s.sample, s.probe, s.unit));
    for (k, probe) in p.probes.iter().enumerate() {
        if probe.what == Observable::Events {
            continue;
        }
        let trace = &mut record.traces[k];
        let steps = (from..to).filter(|&t| due(probe.every, t));
        for (row, step) in steps.enumerate() {
            trace.steps.push(step);
            for s in &seen {
                trace.values.extend_from_slice(&s.traces[k][row]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::arbitrary::{Flavour, case, compare, expected, resume};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]
        #[test]
        fn it_is_the_reference(
            c in prop_oneof![case(Flavour::Learning), case(Flavour::LearningFloat)],
            cut in 0u32..15,
        ) {
            let options = Options { samples: c.samples, ..Options::default() };
            let mut engine = Plain::new(c.program.clone(), &options);
            let want = expected(&c);
            // Events under way at the end are counted when they leave, not when they arrive.
            let mut late = want.clone();
            late.synaptic_events = 0;
            let got = compare(&mut Counted(&mut engine), &c, &late, cut);
            prop_assert!(got.is_ok(), "{}", got.unwrap_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]
        #[test]
        fn a_saved_run_goes_on(
            c in prop_oneof![case(Flavour::Learning), case(Flavour::LearningFloat)],
            cut in 0u32..15,
        ) {
            let options = Options { samples: c.samples, ..Options::default() };
            let mut first = Plain::new(c.program.clone(), &options);
            let mut second = Plain::new(c.program.clone(), &options);
            let mut late = expected(&c);
            late.synaptic_events = 0;
            let (first, second) = (&mut Counted(&mut first), &mut Counted(&mut second));
            prop_assert_eq!(resume(first, second, &c, &late, cut), Ok(()));
        }
    }

    /// An engine that has no word on synaptic events.
    struct Counted<'a>(&'a mut Plain);

    impl Engine for Counted<'_> {
        fn name(&self) -> &'static str {
            self.0.name()
        }
        fn advance(
            &mut self,
            n: u32,
            i: &Stimulus,
            r: &mut Record,
            p: &dyn Progress,
        ) -> Result<u32, Diagnostics> {
            self.0.advance(n, i, r, p)
        }
        fn now(&self) -> u32 {
            self.0.now()
        }
        fn state(&mut self, g: u32, s: u16) -> Result<Vec<u32>, Diagnostics> {
            self.0.state(g, s)
        }
        fn synapses(&mut self, p: u32, s: u16) -> Result<Vec<u32>, Diagnostics> {
            self.0.synapses(p, s)
        }
        fn counters(&mut self) -> Result<Counters, Diagnostics> {
            let counters = self.0.counters()?;
            Ok(Counters {
                synaptic_events: 0,
                ..counters
            })
        }
        fn hash(&mut self) -> Result<u64, Diagnostics> {
            self.0.hash()
        }
        fn save(&mut self) -> Result<Snapshot, Diagnostics> {
            self.0.save()
        }
        fn restore(&mut self, s: &Snapshot) -> Result<(), Diagnostics> {
            self.0.restore(s)
        }
    }
}
