//! What is given to a run, checked and divided among the samples.
//!
//! In: a [`Stimulus`]. Out: for each sample the part that falls into the steps to run, in order; or every kind of mistake
//! that the lists hold, each reported once with the first entry that makes it.

use crate::engine::{InputEvent, Stimulus};
use synfire_ir::diag::{Diagnostic, Diagnostics};
use synfire_ir::program::{Discipline, GroupKind, Program, SerialEvent};

/// Input of one sample, by step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub events: Vec<InputEvent>,
    pub serial: Vec<(u32, SerialEvent)>,
}

impl Given {
    /// The events of a step; `at` is where the step before ended.
    pub fn events_of(&self, step: u32, at: &mut usize) -> &[InputEvent] {
        let rest = &self.events[*at..];
        let n = rest.partition_point(|e| e.step <= step);
        *at += n;
        &rest[..n]
    }

    /// The serial events of a step; `at` is where the step before ended.
    pub fn serial_of(&self, step: u32, at: &mut usize) -> &[(u32, SerialEvent)] {
        let rest = &self.serial[*at..];
        let n = rest.partition_point(|e| e.0 <= step);
        *at += n;
        &rest[..n]
    }
}

/// The input of steps `from..to` for each of `samples`.
pub(crate) fn divide(
    p: &Program,
    samples: u32,
    (from, to): (u32, u32),
    input: &Stimulus,
) -> Result<Vec<Given>, Diagnostics> {
    let mut c = Check {
        from,
        samples,
        found: Diagnostics::new(),
    };
    let is_serial = matches!(p.discipline, Discipline::Serial(_));
    c.first(!is_serial && !input.serial.is_empty(), || {
        "events of a serial program were given to a stepped one".into()
    });
    c.first(is_serial && !input.events.is_empty(), || {
        "events of external groups were given to a serial program".into()
    });
    c.order("events", input.events.iter().map(|e| (e.step, e.sample)));
    c.order("serial events", input.serial.iter().map(|e| (e.0, e.1)));
    let known = |e: &InputEvent| {
        let group = p.groups.get(e.group as usize);
        group.is_some_and(|g| matches!(g.kind, GroupKind::External) && e.unit < g.size)
    };
    if let Some(e) = input.events.iter().find(|e| !known(e)) {
        c.first(true, || {
            format!(
                "unit {} of group {} is not an external unit",
                e.unit, e.group
            )
        });
    }
    if let Some(e) = input.serial.iter().find(|e| !names_only(p, &e.2)) {
        c.first(true, || {
            format!("{:?} names what the program does not have", e.2)
        });
    }
    c.found.result(())?;
    let mut out = vec![Given::default(); samples as usize];
    let n = input.events.partition_point(|e| e.step < to);
    for e in &input.events[..n] {
        out[e.sample as usize].events.push(*e);
    }
    let n = input.serial.partition_point(|e| e.0 < to);
    for e in &input.serial[..n] {
        out[e.1 as usize].serial.push((e.0, e.2));
    }
    Ok(out)
}

struct Check {
    from: u32,
    samples: u32,
    found: Diagnostics,
}

impl Check {
    fn first(&mut self, wrong: bool, what: impl FnOnce() -> String) {
        if wrong {
            self.found.push(
                Diagnostic::error("SYN0803", what())
                    .at("input")
                    .note("an engine takes input in the order in which it runs")
                    .hint("give events of the program's own inputs, sorted by step, then sample"),
            );
        }
    }

    fn order(&mut self, what: &str, keys: impl Iterator<Item = (u32, u32)>) {
        let mut before = (0, 0);
        let (mut late, mut unsorted, mut outside) = (None, None, None);
        for (i, key) in keys.enumerate() {
            late = late.or((key.0 < self.from).then_some((i, key)));
            unsorted = unsorted.or((key < before).then_some((i, key)));
            outside = outside.or((key.1 >= self.samples).then_some((i, key)));
            before = key;
        }
        let (now, samples) = (self.from, self.samples);
        if let Some((i, (step, _))) = late {
            self.first(true, || {
                format!("{what}[{i}] is for step {step}, but step {now} is the next to run")
            });
        }
        if let Some((i, (step, sample))) = unsorted {
            self.first(true, || {
                format!("{what}[{i}] (step {step}, sample {sample}) comes after a later one")
            });
        }
        if let Some((i, (_, sample))) = outside {
            self.first(true, || {
                format!("{what}[{i}] is for sample {sample} of a batch of {samples}")
            });
        }
    }
}

fn names_only(p: &Program, e: &SerialEvent) -> bool {
    let Discipline::Serial(s) = &p.discipline else {
        return false;
    };
    let (Some(g), Some(m)) = (p.groups.get(s.group as usize), p.model_of(s.group)) else {
        return false;
    };
    match *e {
        SerialEvent::Row { pre } => {
            (p.projections.get(s.matrix as usize)).is_some_and(|pr| pre < pr.source_range.len)
        }
        SerialEvent::Direct {
            port, first, last, ..
        } => m.handler(port).is_some() && first <= last && last < g.size,
        SerialEvent::Step { first, last } => first <= last && last < g.size,
    }
}
