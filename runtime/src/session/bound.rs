//! The native events that an artefact's bindings name, checked against the program that its images gave.
//!
//! In: bindings, and what the chip's code says of each word. Out: events of the emulator: what inputs become, what the host sends in every step, at intervals, and in answer to spikes. Invariant: every event
//! addresses something that is there. Deliberately absent: the values of a run.

use super::chip::broken;
use super::values;
use std::collections::BTreeSet;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::{Artifact, Bindings, BoundEvery, BoundInput};
use synfire_ir::program::{Discipline, GroupKind, Loopback, SerialEvent};
use synfire_targets::backend::{Backend, Emulation, NativeInput};

/// What a spike or a value of a named unit becomes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub at: BoundInput,
    pub event: NativeInput,
    /// Number of what learns by its values.
    pub values: Option<u16>,
}

/// The native event of a word, checked against the program.
fn native(
    emulation: &Emulation,
    backend: &dyn Backend,
    word: u64,
) -> Result<NativeInput, Diagnostics> {
    let program = &emulation.program;
    let event = backend
        .input(emulation, word)
        .ok_or_else(|| broken(format!("{word:#x} is no event that this chip takes")))?;
    let sound = match event {
        NativeInput::Event { group, unit, .. } => program
            .groups
            .get(group as usize)
            .is_some_and(|g| g.kind == GroupKind::External && unit < g.size),
        NativeInput::Serial(e) => match &program.discipline {
            Discipline::Stepped => false,
            Discipline::Serial(s) => {
                let units = program.groups.get(s.group as usize).map_or(0, |g| g.size);
                let rows = program
                    .projections
                    .get(s.matrix as usize)
                    .map_or(0, |p| p.source_range.len);
                match e {
                    SerialEvent::Row { pre } => pre < rows,
                    SerialEvent::Direct { first, last, .. } | SerialEvent::Step { first, last } => {
                        first <= last && last < units
                    }
                }
            }
        },
    };
    if sound {
        Ok(event)
    } else {
        Err(broken(format!(
            "the native event {word:#x} addresses nothing in the images"
        )))
    }
}

/// Puts what the host does (loopbacks, time references) into the program; returns the events of every step of a stepped one.
pub(super) fn host(
    emulation: &mut Emulation,
    bindings: &Bindings,
    backend: &dyn Backend,
) -> Result<Vec<(u32, u32, u32)>, Diagnostics> {
    let mut every_step = vec![];
    let mut tail = vec![];
    for &word in &bindings.tail {
        match native(emulation, backend, word)? {
            NativeInput::Event {
                group,
                unit,
                payload,
                ..
            } => every_step.push((group, unit, payload)),
            NativeInput::Serial(e) => tail.push(e),
        }
    }
    let units = match &emulation.program.discipline {
        Discipline::Serial(s) => emulation
            .program
            .groups
            .get(s.group as usize)
            .map_or(0, |g| g.size),
        Discipline::Stepped if bindings.loopbacks.is_empty() => return Ok(every_step),
        Discipline::Stepped => {
            return Err(broken(
                "a chip with steps sends its own spikes; its host cannot send them back".into(),
            ));
        }
    };
    let mut loopback = vec![];
    for l in &bindings.loopbacks {
        let unit = (0..units).find(|u| backend.serial_output(*u) == l.out);
        let unit = unit.ok_or_else(|| broken(format!("nothing on the chip emits {:#x}", l.out)))?;
        match native(emulation, backend, l.word)? {
            NativeInput::Serial(SerialEvent::Row { pre }) => loopback.push(Loopback {
                unit,
                delay: l.delay,
                pre,
            }),
            _ => {
                return Err(broken(format!(
                    "{:#x} is no spike that a host can send back",
                    l.word
                )));
            }
        }
    }
    if let Discipline::Serial(s) = &mut emulation.program.discipline {
        s.sorted = true;
        s.loopback.extend(loopback);
        s.loopback.sort_unstable();
        s.tail.extend(tail);
    }
    Ok(every_step)
}

pub(super) fn inputs(
    emulation: &Emulation,
    artifact: &Artifact,
    backend: &dyn Backend,
) -> Result<Vec<Bound>, Diagnostics> {
    let mut all = vec![];
    for &at in &artifact.bindings.inputs {
        all.push(Bound {
            at,
            event: native(emulation, backend, at.word)?,
            values: values::of(&artifact.learning, at.word),
        });
    }
    all.sort_by_key(|i| i.at);
    Ok(all)
}

/// What the host sends at intervals, each event once.
pub(super) fn periodic(
    emulation: &Emulation,
    artifact: &Artifact,
    backend: &dyn Backend,
) -> Result<Vec<(BoundEvery, SerialEvent)>, Diagnostics> {
    let all: BTreeSet<BoundEvery> = artifact.intervals().collect();
    let mut out = vec![];
    for every in all {
        match native(emulation, backend, every.word)? {
            NativeInput::Serial(e) => out.push((every, e)),
            NativeInput::Event { .. } => {
                return Err(broken(format!(
                    "{:#x} is no event that a host sends at intervals",
                    every.word
                )));
            }
        }
    }
    Ok(out)
}

/// Is a population a signal, whose values a rule of the chip takes?
pub(super) fn held(artifact: &Artifact, pop: u32) -> bool {
    let mut inputs = artifact.bindings.inputs.iter().filter(|i| i.pop == pop);
    inputs.any(|i| {
        let k = values::of(&artifact.learning, i.word);
        k.is_some_and(|k| artifact.learning[usize::from(k)].values.held)
    })
}
