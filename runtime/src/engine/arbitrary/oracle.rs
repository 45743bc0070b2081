//! What the reference says of a case, in the form in which engines report it, and the comparison.

use super::Case;
use crate::engine::{Engine, Record, Spike, Stimulus, Trace};
use synfire_ir::diag::Quiet;
use synfire_ir::model::Ty;
use synfire_ir::program::{
    Carry, Discipline, Layout, Observable, Program, Projection, Reference, SerialEvent,
};

/// All that an engine must report for a case.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Spikes by (step, sample, probe, unit), traces, and serial output by (step, sample).
    pub record: Record,
    /// `[group][state]`, each `samples * size` words, sample-major.
    pub states: Vec<Vec<Vec<u32>>>,
    /// `[plastic][state]`, each `samples * elements` words, sample-major.
    pub synapses: Vec<Vec<Vec<u32>>>,
    /// FNV-1a over the bytes of `states` and `synapses`.
    pub hash: u64,
    /// Emissions of each group (stepped programs).
    pub spikes: Vec<u64>,
    /// Synapses that events walked, counted when they arrive (stepped programs).
    pub synaptic_events: u64,
    /// Pushes into a full queue.
    pub lost: u64,
}

type Lists = Vec<Vec<(u32, u32)>>;

/// Runs every sample through the reference.
pub fn expected(case: &Case) -> Expected {
    let p = &*case.program;
    let mut out = Expected {
        spikes: vec![0; p.groups.len()],
        record: Record {
            traces: vec![Trace::default(); p.probes.len()],
            ..Record::default()
        },
        ..Expected::default()
    };
    let mut runs: Vec<Reference> = (0..case.samples).map(|s| Reference::new(p, s)).collect();
    let mut history: Vec<Vec<Lists>> = vec![vec![]; case.samples as usize];
    for step in 0..case.steps {
        for (sample, run) in (0..).zip(&mut runs) {
            if matches!(p.discipline, Discipline::Serial(_)) {
                serial(case, run, step, sample, &mut out);
            } else {
                let past = &mut history[sample as usize];
                stepped(case, run, step, sample, past, &mut out);
            }
        }
        traces(p, &runs, step, &mut out.record.traces);
    }
    for g in 0..p.groups.len() {
        let states = p.model_of(g as u32).map_or(0, |m| m.states.len());
        out.states.push(
            (0..states)
                .map(|s| runs.iter().flat_map(|r| r.state[g][s].clone()).collect())
                .collect(),
        );
    }
    for x in &p.plastic {
        let states = p
            .plastic_of(x.projection)
            .map_or(0, |(_, m)| m.states.len());
        let words = |s| runs.iter().filter_map(move |r| r.synapses(x.projection, s));
        let of = (0..states as u16).map(|s| words(s).flatten().collect());
        out.synapses.push(of.collect());
    }
    let all = out.states.iter().chain(&out.synapses);
    out.hash = fnv(all.flatten().flatten().copied());
    out
}

/// 64-bit FNV-1a over little-endian words.
fn fnv(words: impl Iterator<Item = u32>) -> u64 {
    words
        .flat_map(|w| w.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |h, b| {
            (h ^ b as u64).wrapping_mul(0x0100_0000_01b3)
        })
}

fn serial(case: &Case, run: &mut Reference, step: u32, sample: u32, out: &mut Expected) {
    let given: Vec<SerialEvent> = (case.input.serial.iter())
        .filter(|e| (e.0, e.1) == (step, sample))
        .map(|e| e.2)
        .collect();
    let (before, lost) = (run.out.len(), run.lost);
    run.serial_step(&given);
    let left = run.out[before..].iter().map(|&(t, a)| (t, sample, a));
    out.record.serial.extend(left);
    out.lost += run.lost - lost;
}

fn stepped(
    case: &Case,
    run: &mut Reference,
    step: u32,
    sample: u32,
    past: &mut Vec<Lists>,
    out: &mut Expected,
) {
    let p = &*case.program;
    let given: Vec<(u32, u32, u32)> = (case.input.events.iter())
        .filter(|e| (e.step, e.sample) == (step, sample))
        .map(|e| (e.group, e.unit, e.payload))
        .collect();
    let lists = run.step(&given);
    for (n, l) in out.spikes.iter_mut().zip(&lists) {
        *n += l.len() as u64;
    }
    for (k, probe) in (0..).zip(&p.probes) {
        let inside = probe.range.start..probe.range.start + probe.range.len;
        if probe.what == Observable::Events {
            let seen = lists[probe.group as usize].iter();
            let spikes = seen.filter(|e| inside.contains(&e.0)).map(|e| Spike {
                sample,
                step,
                probe: k,
                unit: e.0,
                payload: e.1,
            });
            out.record.spikes.extend(spikes);
        }
    }
    past.push(lists);
    for pr in p.projections.iter().filter(|pr| pr.carry == Carry::Events) {
        for (age, lists) in past.iter().rev().enumerate() {
            let r = pr.source_range;
            for &(unit, _) in &lists[pr.source as usize] {
                if (r.start..r.start + r.len).contains(&unit) {
                    out.synaptic_events += walked(pr, unit - r.start, age);
                }
            }
        }
    }
}

/// Number of synapses of a source with a delay.
fn walked(pr: &Projection, source: u32, age: usize) -> u64 {
    match &pr.layout {
        Layout::Rows(r) => {
            let (a, b) = (r.row[source as usize], r.row[source as usize + 1]);
            let runs = r.runs[a as usize..b as usize].iter();
            let due = runs.filter(|run| run.delay as usize == age);
            due.map(|run| run.len as u64).sum()
        }
        Layout::Dense { delay, .. } if *delay as usize == age => pr.target_range.len as u64,
        Layout::OneToOne { delay, .. } if *delay as usize == age => 1,
        _ => 0,
    }
}

fn traces(p: &Program, runs: &[Reference], step: u32, traces: &mut [Trace]) {
    for (probe, trace) in p.probes.iter().zip(traces) {
        if probe.what != Observable::Events && (step + 1).is_multiple_of(probe.every) {
            trace.steps.push(step);
            for r in runs {
                let all = match probe.what {
                    Observable::Events => continue,
                    Observable::State(s) => r.state[probe.group as usize][s as usize].clone(),
                    Observable::Synapse { projection, state } => {
                        r.synapses(projection, state).unwrap_or_default()
                    }
                };
                let (a, n) = (probe.range.start as usize, probe.range.len as usize);
                trace.values.extend_from_slice(&all[a..a + n]);
            }
        }
    }
}

/// Runs the engine over the case, in two calls if `cut` lies inside it, and says the first difference.
pub fn compare(
    engine: &mut dyn Engine,
    case: &Case,
    want: &Expected,
    cut: u32,
) -> Result<(), String> {
    let mut got = Record::default();
    let cut = cut.min(case.steps);
    for (from, to) in [(0, cut), (cut, case.steps)] {
        part(engine, case, (from, to), &mut got)?;
    }
    outcome(engine, case, want, &got)
}

/// The same with the second part on another engine, which takes over what the first one saves.
pub fn resume(
    engine: &mut dyn Engine,
    other: &mut dyn Engine,
    case: &Case,
    want: &Expected,
    cut: u32,
) -> Result<(), String> {
    let mut got = Record::default();
    let cut = cut.min(case.steps);
    part(engine, case, (0, cut), &mut got)?;
    let saved = engine.save().map_err(|d| d.to_string())?;
    other.restore(&saved).map_err(|d| d.to_string())?;
    let again = other.save().map_err(|d| d.to_string())?;
    same("what is saved again", &again, &saved)?;
    part(other, case, (cut, case.steps), &mut got)?;
    outcome(other, case, want, &got)
}

fn part(
    engine: &mut dyn Engine,
    case: &Case,
    (from, to): (u32, u32),
    got: &mut Record,
) -> Result<(), String> {
    let input = Stimulus {
        events: (case.input.events.iter().copied())
            .filter(|e| e.step >= from)
            .collect(),
        serial: (case.input.serial.iter().copied())
            .filter(|e| e.0 >= from)
            .collect(),
    };
    let done = engine
        .advance(to - from, &input, got, &Quiet)
        .map_err(|d| d.to_string())?;
    same("steps done", &done, &(to - from))
}

fn outcome(
    engine: &mut dyn Engine,
    case: &Case,
    want: &Expected,
    got: &Record,
) -> Result<(), String> {
    same("the next step", &engine.now(), &case.steps)?;
    records(&case.program, got, &want.record)?;
    states(engine, case, want)?;
    let counters = engine.counters().map_err(|d| d.to_string())?;
    same("lost events", &counters.lost, &want.lost)?;
    if matches!(case.program.discipline, Discipline::Stepped) {
        same("emissions", &counters.spikes, &want.spikes)?;
        same(
            "synaptic events",
            &counters.synaptic_events,
            &want.synaptic_events,
        )?;
    }
    Ok(())
}

fn records(p: &Program, got: &Record, want: &Record) -> Result<(), String> {
    first("spike", &got.spikes, &want.spikes)?;
    first("serial output", &got.serial, &want.serial)?;
    same("traces", &got.traces.len(), &want.traces.len())?;
    for (k, (g, w)) in got.traces.iter().zip(&want.traces).enumerate() {
        let float = match p.probes[k].what {
            Observable::State(s) => is_float(p, p.probes[k].group, s),
            Observable::Synapse { projection, state } => learns_float(p, projection, state),
            Observable::Events => false,
        };
        same(&format!("steps of trace {k}"), &g.steps, &w.steps)?;
        words(&format!("trace {k}"), &g.values, &w.values, float)?;
    }
    Ok(())
}

fn states(engine: &mut dyn Engine, case: &Case, want: &Expected) -> Result<(), String> {
    let mut nan = false;
    for (g, of_group) in want.states.iter().enumerate() {
        for (s, w) in of_group.iter().enumerate() {
            let got = engine
                .state(g as u32, s as u16)
                .map_err(|d| d.to_string())?;
            let float = is_float(&case.program, g as u32, s as u16);
            nan |= float && w.iter().any(|&x| f32::from_bits(x).is_nan());
            words(&format!("group {g} state {s}"), &got, w, float)?;
        }
    }
    let p = &case.program;
    for (x, of_projection) in p.plastic.iter().zip(&want.synapses) {
        for (s, w) in of_projection.iter().enumerate() {
            let (k, s) = (x.projection, s as u16);
            let got = engine.synapses(k, s).map_err(|d| d.to_string())?;
            let float = learns_float(p, k, s);
            nan |= float && w.iter().any(|&x| f32::from_bits(x).is_nan());
            words(&format!("projection {k} state {s}"), &got, w, float)?;
        }
    }
    let hash = engine.hash().map_err(|d| d.to_string())?;
    if nan {
        return Ok(());
    }
    same("hash", &hash, &want.hash)
}

fn is_float(p: &Program, group: u32, state: u16) -> bool {
    let model = p.model_of(group);
    model.is_some_and(|m| m.states[state as usize].width.ty() == Ty::F32)
}

fn learns_float(p: &Program, projection: u32, state: u16) -> bool {
    let model = p.plastic_of(projection);
    model.is_some_and(|(_, m)| m.read_ty(state) == Some(Ty::F32))
}

/// Words must be equal; of floats, any NaN equals any other, since no operation tells them apart.
fn words(what: &str, got: &[u32], want: &[u32], float: bool) -> Result<(), String> {
    same(&format!("length of {what}"), &got.len(), &want.len())?;
    let nan = |x: u32| float && f32::from_bits(x).is_nan();
    let differ = |(_, (g, w)): &(usize, (&u32, &u32))| g != w && !(nan(**g) && nan(**w));
    match got.iter().zip(want).enumerate().find(differ) {
        Some((i, (g, w))) => Err(format!("{what}[{i}]: got {g:#x}, expected {w:#x}")),
        None => Ok(()),
    }
}

fn first<T: PartialEq + std::fmt::Debug>(what: &str, got: &[T], want: &[T]) -> Result<(), String> {
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        same(&format!("{what} {i}"), g, w)?;
    }
    same(&format!("number of {what}s"), &got.len(), &want.len())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, want: &T) -> Result<(), String> {
    if got == want {
        return Ok(());
    }
    Err(format!("{what}: got {got:?}, expected {want:?}"))
}

#[cfg(test)]
mod tests {
    use super::super::{Flavour, case};
    use super::*;
    use proptest::prelude::*;

    fn every_flavour() -> impl Strategy<Value = super::super::Case> {
        let stepped = prop_oneof![case(Flavour::Integer), case(Flavour::Float)];
        let learning = prop_oneof![case(Flavour::Learning), case(Flavour::LearningFloat)];
        prop_oneof![stepped, learning, case(Flavour::Serial)]
    }

    proptest! {
        /// Every generated program is one that engines accept, and the reference can run it.
        #[test]
        fn cases_are_legal(c in every_flavour()) {
            let found = synfire_ir::program::check(&c.program);
            prop_assert!(found.is_empty(), "{found}");
            let e = expected(&c);
            prop_assert_eq!(e.states.len(), c.program.groups.len());
        }
    }

    /// Plastic programs would test nothing if their weights stayed as they are.
    #[test]
    fn weights_move() {
        let (mut moved, mut plastic) = (0, 0);
        for k in 0..100 {
            let words = |part: u32, n: u32| {
                (0..n)
                    .map(|i| synfire_ir::rng::word(k, part, 0, 0, 0, i))
                    .collect()
            };
            let tapes = [words(1, 300), words(2, 900), words(3, 4000)];
            let c = super::super::from_tapes(tapes, Flavour::Learning);
            let start = Reference::new(&c.program, 0);
            let e = expected(&c);
            for (x, states) in c.program.plastic.iter().zip(&e.synapses) {
                let first = start.synapses(x.projection, 0).unwrap_or_default();
                plastic += 1;
                moved += usize::from(!states[0].starts_with(&first));
            }
        }
        assert!(plastic > 100 && 2 * moved > plastic, "{moved} of {plastic}");
    }
}
