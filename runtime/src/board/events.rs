//! The native events of a run, for boards that play a file.
//!
//! In: bindings and named input. Out: (step, word) in the order in which a host sends them. A network whose host answers spikes cannot be played from a file.

use crate::spikes::SpikeData;
use std::collections::BTreeSet;
use synfire_ir::artifact::{Artifact, BoundEvery, BoundInput};
use synfire_ir::program::SerialEvent;
use synfire_ir::{Class, Diagnostic, Diagnostics};
use synfire_targets::backend::{Backend, NativeInput};

/// Most times that one spike is sent for its value.
const MOST_REPEATS: f64 = 255.0;

/// The events of `steps` steps.
///
/// Errors: `SYN0860` for a network whose host answers spikes, and for a batch.
pub fn native_events(
    artifact: &Artifact,
    backend: &dyn Backend,
    input: &SpikeData,
    steps: u32,
) -> Result<Vec<(u32, u64)>, Diagnostics> {
    let b = &artifact.bindings;
    if !b.loopbacks.is_empty() {
        return Err(unplayable("its neurons reach one another through the host"));
    }
    if input.batch.is_some() {
        return Err(unplayable("a file holds one sample, and this is a batch"));
    }
    let sections: Vec<_> = artifact.native().collect();
    let emulation = backend.decode(&artifact.header.dialect, &sections)?;
    // A chip that takes one event after another gets the rows of a step in ascending order.
    let rank = |word: u64| match backend.input(&emulation, word) {
        Some(NativeInput::Serial(SerialEvent::Row { pre })) => (0, pre),
        Some(NativeInput::Serial(_)) => (1, 0),
        _ => (0, 0),
    };
    let mut inputs: Vec<BoundInput> = b.inputs.clone();
    inputs.sort_unstable();
    let mut out = vec![];
    let mut send = |pop: u32, unit: u32, step: u32, times: u32| {
        let from = inputs.partition_point(|i| (i.pop, i.unit) < (pop, unit));
        let these = inputs.iter().skip(from);
        for i in these.take_while(|i| (i.pop, i.unit) == (pop, unit)) {
            let at = (step.saturating_add(i.offset), rank(i.word), i.word);
            out.extend(std::iter::repeat_n(at, times as usize));
        }
    };
    for s in input.spikes.iter().filter(|s| s.step < steps) {
        let times = s.value.clamp(0.0, MOST_REPEATS) as u32;
        send(s.population, s.neuron, s.step, times);
    }
    for &(pop, step, unit) in b.feeds.iter().filter(|f| f.1 < steps) {
        send(pop, unit, step, 1);
    }
    let intervals: BTreeSet<BoundEvery> = artifact.intervals().collect();
    let again = intervals
        .iter()
        .flat_map(|e| e.within(0, steps).map(|s| (s, (1, 0), e.word)));
    out.extend(again);
    let tail = (0..steps).flat_map(|step| b.tail.iter().map(move |w| (step, (2, 0), *w)));
    out.extend(tail);
    out.sort_by_key(|e| (e.0, e.1));
    Ok(out.into_iter().map(|e| (e.0, e.2)).collect())
}

fn unplayable(why: &str) -> Diagnostics {
    Diagnostic::error(
        "SYN0860",
        format!("the input cannot be written to a file: {why}"),
    )
    .class(Class::Usage)
    .hint("take a live board: --board serial:///dev/NAME?baud=N")
    .hint("or write the configuration alone: leave --input away")
    .into()
}
