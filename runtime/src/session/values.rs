//! Values that a host sends to a chip: the errors by which its synapses learn.
//!
//! In: values under the network's names, of events or of signals that hold. Out: events of the emulator whose payloads are the chip's integers, and a count of the values that did not fit. What a value
//! becomes stands in the artefact ([`BoundValues`]). Deliberately absent: what the values are computed from.

use super::bound::Bound;
use super::stimulus::Drive;
use crate::engine::InputEvent;
use crate::spikes::{Signal, SpikeData};
use std::ops::Range;
use synfire_ir::artifact::{BoundLearning, BoundValues};
use synfire_ir::{Diagnostic, Diagnostics};
use synfire_targets::backend::NativeInput;

/// The integer of a value; was it cut?
pub(super) fn word(v: &BoundValues, value: f64) -> (i32, bool) {
    let whole = (value * v.scale).round_ties_even();
    let (low, high) = (f64::from(v.low), f64::from(v.high));
    (
        whole.clamp(low, high) as i32,
        !(low..=high).contains(&whole),
    )
}

/// Number of the list in `learning` whose values a native word carries.
pub(super) fn of(learning: &[BoundLearning], word: u64) -> Option<u16> {
    let known = |l: &BoundLearning| l.values.words.binary_search(&word).is_ok();
    learning.iter().position(known).map(|k| k as u16)
}

/// An element of a signal, and the unit of the emulator that takes its values.
pub(super) struct Wire {
    /// Number of the signal.
    signal: usize,
    element: u32,
    /// Steps from a value to its effect.
    offset: u32,
    group: u32,
    unit: u32,
    values: BoundValues,
}

/// Signals that lead to a chip.
#[derive(Default)]
pub(super) struct Held {
    signals: Vec<Signal>,
    wires: Vec<Wire>,
}

impl Held {
    /// Signals of an input by the bound inputs of a chip, which are sorted; `values` gives what a value becomes.
    ///
    /// Errors: `SYN0909` for a signal that the chip does not take.
    pub fn new(
        input: &SpikeData,
        inputs: &[Bound],
        values: impl Fn(u16) -> BoundValues,
    ) -> Result<Held, Diagnostics> {
        let mut out = Held::default();
        for (k, s) in input.signals.iter().enumerate() {
            let before = out.wires.len();
            for b in inputs.iter().filter(|b| b.at.pop == s.population) {
                let (Some(v), NativeInput::Event { group, unit, .. }) = (b.values, b.event) else {
                    continue;
                };
                let element = b.at.unit.wrapping_sub(s.first);
                if element < s.elements {
                    out.wires.push(Wire {
                        signal: k,
                        element,
                        offset: b.at.offset,
                        group,
                        unit,
                        values: values(v),
                    });
                }
            }
            if out.wires.len() == before {
                return Err(spikes_only(&s.name));
            }
        }
        out.signals = input.signals.clone();
        Ok(out)
    }

    /// Events of a step in the worst case.
    pub fn events(&self) -> usize {
        self.wires.len()
    }

    /// Adds the events of a step.
    pub fn generate(&self, step: u32, samples: u32, out: &mut Vec<InputEvent>) {
        for w in &self.wires {
            let Some(at) = step.checked_sub(w.offset) else {
                continue;
            };
            let s = &self.signals[w.signal];
            let Some(row) = s.steps.partition_point(|x| *x <= at).checked_sub(1) else {
                continue;
            };
            for sample in 0..samples {
                let one = if s.values.len() == 1 {
                    0
                } else {
                    sample as usize
                };
                let place = row * s.elements as usize + w.element as usize;
                let value = s.values.get(one).and_then(|v| v.get(place));
                let payload = word(&w.values, f64::from(*value.unwrap_or(&0.0))).0;
                if payload != 0 {
                    out.push(InputEvent {
                        step,
                        sample,
                        group: w.group,
                        unit: w.unit,
                        payload: payload as u32,
                    });
                }
            }
        }
    }

    /// Adds the largest payload of each group to what a unit sends in a step.
    pub fn load(&self, most: &mut [f64]) {
        for w in &self.wires {
            if let Some(m) = most.get_mut(w.group as usize) {
                *m = m.max(f64::from(w.values.high));
            }
        }
    }

    /// Values that are cut, each counted once.
    pub fn cut(&self) -> u64 {
        let mut last = None;
        let mut n = 0;
        // A value that leads to several units is one; wires are sorted by element.
        for w in self
            .wires
            .iter()
            .filter(|w| last.replace((w.signal, w.element)) != Some((w.signal, w.element)))
        {
            let s = &self.signals[w.signal];
            let column = s.values.iter().flat_map(|v| {
                v.iter()
                    .skip(w.element as usize)
                    .step_by(s.elements.max(1) as usize)
            });
            n += column.filter(|x| word(&w.values, f64::from(**x)).1).count() as u64;
        }
        n
    }
}

/// Adds a value of a named unit as events of the emulator.
pub(super) fn send(
    v: &BoundValues,
    (step, group, unit): (u32, u32, u32),
    value: f64,
    of: Range<u32>,
    drive: &mut Drive,
) {
    let payload = word(v, value).0;
    drive.events.extend(of.map(|sample| InputEvent {
        step,
        sample,
        group,
        unit,
        payload: payload as u32,
    }));
}

pub(super) fn spikes_only(name: &str) -> Diagnostics {
    Diagnostic::error(
        "SYN0909",
        format!("`{name}` is a signal, and the chip takes spikes only"),
    )
    .hint("encode the signal as spikes, or run the network without a target")
    .into()
}

/// That values were cut.
pub(super) fn told(cut: u64) -> Option<Diagnostic> {
    let text = format!(
        "{cut} value(s) of the input lie beyond what the chip takes as an error; they were cut"
    );
    (cut > 0).then(|| {
        Diagnostic::warning("SYN0917", text)
            .note("the largest error is that of the chip's register; what 1 of the network's is there stands in the report of `compile` as `scale`")
            .hint("cut the error in the rule, `clip(error, -e, e)`, so that its range is the register's, or give smaller errors")
    })
}
