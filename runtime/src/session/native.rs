//! Native events as engines take them.

use crate::engine::{InputEvent, Stimulus};
use synfire_targets::backend::NativeInput;

/// The stimulus of (sample, step, event) triples. Serial events of one sample and step keep their order.
pub fn native(events: impl Iterator<Item = (u32, u32, NativeInput)>) -> Stimulus {
    let mut out = Stimulus::default();
    for (sample, step, event) in events {
        match event {
            NativeInput::Event {
                group,
                unit,
                payload,
                delay,
            } => out.events.push(InputEvent {
                step: step.saturating_add(delay),
                sample,
                group,
                unit,
                payload,
            }),
            NativeInput::Serial(e) => out.serial.push((step, sample, e)),
        }
    }
    out.events.sort();
    out.serial.sort_by_key(|e| (e.0, e.1));
    out
}
