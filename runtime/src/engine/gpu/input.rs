//! External events as kernels read them, and the check of what the caller gives.
//!
//! A submission gets the events of its steps and of the window of earlier steps whose delays still run, sorted by sample,
//! step and source; events of one unit keep their order.

use crate::engine::{InputEvent, Stimulus};
use synfire_ir::program::{Discipline, GroupKind, Program, SerialEvent};
use synfire_ir::{Class, Diagnostic};
use synfire_kernels::wgsl::shape::{E_PTR, MAX_BINDING};

/// Checks that events name external units and samples that exist, are sorted, and do not lie before step `now`.
///
/// Errors: `SYN0803`.
pub(super) fn check(
    p: &Program,
    input: &Stimulus,
    samples: u32,
    now: u32,
) -> Result<(), Diagnostic> {
    if let Some(e) = input.serial.first() {
        return Err(refused(
            e.0,
            e.1,
            "it is an event of a serial program".into(),
        ));
    }
    let mut before = (now, 0);
    for e in &input.events {
        let what = match p.groups.get(e.group as usize) {
            None => Some(format!("group {} is not there", e.group)),
            Some(g) if !matches!(g.kind, GroupKind::External) => {
                Some(format!("`{}` takes no events from outside", g.name))
            }
            Some(g) if e.unit >= g.size => Some(format!(
                "`{}` has {} units, not unit {}",
                g.name, g.size, e.unit
            )),
            Some(_) => order(e.step, e.sample, samples, now, before),
        };
        if let Some(what) = what {
            return Err(refused(e.step, e.sample, what));
        }
        before = (e.step, e.sample);
    }
    Ok(())
}

/// The same for serial programs.
///
/// Errors: `SYN0803`.
pub(super) fn check_serial(
    p: &Program,
    input: &Stimulus,
    samples: u32,
    now: u32,
) -> Result<(), Diagnostic> {
    if let Some(e) = input.events.first() {
        let what = "a serial program takes no events of external groups";
        return Err(refused(e.step, e.sample, what.into()));
    }
    let Discipline::Serial(s) = &p.discipline else {
        return Ok(());
    };
    let rows = p.projections[s.matrix as usize].source_range.len;
    let size = p.groups[s.group as usize].size;
    let handled = |port| {
        p.model_of(s.group)
            .is_some_and(|m| m.handler(port).is_some())
    };
    let mut before = (now, 0);
    for &(step, sample, e) in &input.serial {
        let known = match e {
            SerialEvent::Row { pre } => pre < rows,
            SerialEvent::Direct {
                port, first, last, ..
            } => handled(port) && first <= last && last < size,
            SerialEvent::Step { first, last } => first <= last && last < size,
        };
        let what = match known {
            false => Some(format!("{e:?} names what the program does not have")),
            true => order(step, sample, samples, now, before),
        };
        if let Some(what) = what {
            return Err(refused(step, sample, what));
        }
        before = (step, sample);
    }
    Ok(())
}

/// What is wrong with the time and sample of an event that follows one at `before`.
pub(super) fn order(
    step: u32,
    sample: u32,
    samples: u32,
    now: u32,
    before: (u32, u32),
) -> Option<String> {
    if sample >= samples {
        return Some(format!("the batch has {samples} samples"));
    }
    if step < now {
        return Some(format!("the next step is {now}"));
    }
    ((step, sample) < before).then(|| {
        format!(
            "it comes after an event of step {}, sample {}",
            before.0, before.1
        )
    })
}

/// The refusal of an event.
pub(super) fn refused(step: u32, sample: u32, what: String) -> Diagnostic {
    Diagnostic::error(
        "SYN0803",
        format!("an input event of step {step}, sample {sample} cannot be given: {what}"),
    )
    .note("input events are sorted by step and sample and name units of external groups")
    .hint("give events of the coming steps only, in order")
}

/// A key by which events of one sample and step are sorted: the source's number in the program.
fn source(p: &Program, e: &InputEvent) -> u32 {
    p.groups[e.group as usize].base + e.unit
}

/// The words of `ext` for samples `first..first + samples` and steps `from..to`. `events` is sorted by step and sample.
pub(super) fn words(
    p: &Program,
    events: &[InputEvent],
    (first, samples): (u32, u32),
    (from, to): (u32, u32),
) -> Vec<u32> {
    let steps = to - from;
    let mut list: Vec<(u32, u32, u32, u32)> = within(events, (from, to))
        .iter()
        .filter(|e| (first..first + samples).contains(&e.sample))
        .map(|e| (e.sample - first, e.step, source(p, e), e.payload))
        .collect();
    list.sort_by_key(|e| (e.0, e.1, e.2));
    let entries = E_PTR as usize + samples as usize * (steps as usize + 1);
    let mut out = vec![from, steps, entries as u32];
    let mut at = 0;
    for sample in 0..samples {
        for step in from..to {
            out.push(at as u32);
            while at < list.len() && (list[at].0, list[at].1) == (sample, step) {
                at += 1;
            }
        }
        out.push(at as u32);
    }
    out.extend(list.iter().flat_map(|e| [e.2, e.3]));
    out
}

/// How many of `steps` steps from `from` on fit into one submission: their events and pointers, with those of the window
/// before, must fit into a binding.
///
/// Errors: `SYN0821` when one step does not.
pub(super) fn fitting(
    events: &[InputEvent],
    samples: u32,
    window: u16,
    from: u32,
    steps: u32,
) -> Result<u32, Diagnostic> {
    let limit = MAX_BINDING / 4;
    let lead = u64::from(from.min(u32::from(window)));
    let needs = |n: u32| {
        let upto = events.partition_point(|e| e.step < from.saturating_add(n));
        u64::from(E_PTR) + u64::from(samples) * (lead + u64::from(n) + 1) + 2 * upto as u64
    };
    let mut n = steps;
    while n > 1 && needs(n) > limit {
        n /= 2;
    }
    if n == 0 || needs(n) <= limit {
        return Ok(n);
    }
    fits_a_binding(needs(1), from).map(|()| 1)
}

/// Refuses events from step `from` on that take more words than a binding holds.
///
/// Errors: `SYN0821`.
pub(super) fn fits_a_binding(words: u64, from: u32) -> Result<(), Diagnostic> {
    if words <= MAX_BINDING / 4 {
        return Ok(());
    }
    let (mib, most) = (words as f64 / 262_144.0, MAX_BINDING >> 20);
    let message = format!(
        "the input events from step {from} on take {mib:.1} MiB, a GPU buffer holds {most} MiB"
    );
    Err(Diagnostic::error("SYN0821", message)
        .class(Class::Device)
        .hint("run fewer samples at once, or run with `--engine cpu`"))
}

/// Most that the units of each group send in one step of one sample: the largest sum of absolute payloads of one unit.
pub(super) fn bounds(p: &Program, events: &[InputEvent]) -> Vec<f64> {
    let mut out = vec![1.0f64; p.groups.len()];
    let mut step: Vec<(u32, u32, u32, f64)> = vec![];
    for of_step in events.chunk_by(|a, b| a.step == b.step) {
        step.clear();
        step.extend(of_step.iter().map(|e| {
            let size = match p.groups[e.group as usize].graded {
                true => f64::from(f32::from_bits(e.payload)).abs(),
                false => f64::from(e.payload as i32).abs(),
            };
            (e.sample, e.group, e.unit, size)
        }));
        step.sort_by_key(|e| (e.0, e.1, e.2));
        for unit in step.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2)) {
            let sum: f64 = unit.iter().map(|e| e.3).sum();
            let bound = &mut out[unit[0].1 as usize];
            *bound = bound.max(sum);
        }
    }
    out
}

/// Those of `events`, which are sorted by step, that belong to the steps `from..to`.
pub(super) fn within(events: &[InputEvent], (from, to): (u32, u32)) -> &[InputEvent] {
    let end = events.partition_point(|e| e.step < to);
    let start = events[..end].partition_point(|e| e.step < from);
    &events[start..end]
}

/// Most events of one sample in one step.
pub(super) fn busiest(events: &[InputEvent]) -> (u64, u32) {
    let of_step = events.chunk_by(|a, b| (a.step, a.sample) == (b.step, b.sample));
    let longest = of_step.max_by_key(|l| l.len());
    longest.map_or((0, 0), |l| (l.len() as u64, l[0].step))
}

/// Most events of one unit of the groups that `heard` names, in one step of one sample.
pub(super) fn repeats(events: &[InputEvent], heard: impl Fn(u32) -> bool) -> u32 {
    let mut most = 0;
    for step in events.chunk_by(|a, b| (a.step, a.sample) == (b.step, b.sample)) {
        let mut units: Vec<(u32, u32)> = (step.iter())
            .filter(|e| heard(e.group))
            .map(|e| (e.group, e.unit))
            .collect();
        units.sort_unstable();
        let longest = units.chunk_by(|a, b| a == b).map(<[_]>::len).max();
        most = most.max(longest.unwrap_or(0) as u32);
    }
    most
}
