//! The events of a whole run, given to an engine chunk by chunk.
//!
//! Spikes are a sorted list; signals and time references are generated for the steps of a chunk when it comes, so that
//! memory does not grow with their length.

use super::values::Held;
use crate::engine::{InputEvent, Stimulus};
use crate::spikes::Signal;
use synfire_ir::artifact::BoundEvery;
use synfire_ir::program::{Program, SerialEvent};

/// What a run is driven by.
#[derive(Default)]
pub(super) struct Drive {
    /// Sorted by (step, sample).
    pub events: Vec<InputEvent>,
    /// Sorted by (step, sample).
    pub serial: Vec<(u32, u32, SerialEvent)>,
    /// Signals with the external group that each drives; a value holds until the next one.
    pub signals: Vec<(u32, Signal)>,
    /// Events of every step: (group, unit, payload).
    pub every_step: Vec<(u32, u32, u32)>,
    /// Events that the host of a serial chip sends at intervals.
    pub periodic: Vec<(BoundEvery, SerialEvent)>,
    /// Signals that lead to a chip.
    pub held: Held,
    /// Values that were cut to what a chip takes.
    pub cut: u64,
    /// Samples.
    pub samples: u32,
}

impl Drive {
    /// Most generated events of one step.
    pub fn generated_per_step(&self) -> u64 {
        let elements: u64 = self.signals.iter().map(|s| u64::from(s.1.elements)).sum();
        let steady = self.every_step.len() + self.held.events();
        (elements + steady as u64) * u64::from(self.samples)
    }

    /// The largest sum of absolute payloads that one unit of each group sends in one step; at least 1.
    pub fn loads(&self, p: &Program) -> Vec<f64> {
        let size = |group: u32, payload: u32| match p.groups.get(group as usize) {
            Some(g) if g.graded => f64::from(f32::from_bits(payload)).abs(),
            _ => f64::from(payload as i32).abs(),
        };
        let mut events = vec![0.0f64; p.groups.len()];
        // Sorted as they are, the events of one unit and step stand together.
        let same = |a: &InputEvent, b: &InputEvent| {
            (a.step, a.sample, a.group, a.unit) == (b.step, b.sample, b.group, b.unit)
        };
        for unit in self.events.chunk_by(same) {
            let sum: f64 = unit.iter().map(|e| size(e.group, e.payload)).sum();
            if let Some(most) = events.get_mut(unit[0].group as usize) {
                *most = most.max(sum);
            }
        }
        for (group, signal) in &self.signals {
            let values = signal.values.iter().flatten();
            let largest = values.fold(0.0f64, |m, x| m.max(f64::from(*x).abs()));
            if let Some(most) = events.get_mut(*group as usize) {
                *most += largest;
            }
        }
        for &(group, _, payload) in &self.every_step {
            if let Some(most) = events.get_mut(group as usize) {
                *most += size(group, payload);
            }
        }
        self.held.load(&mut events);
        events.iter().map(|x| x.max(1.0)).collect()
    }

    /// What is due in the steps `from..to`.
    pub fn slice(&self, from: u32, to: u32) -> Stimulus {
        let range = |at: &dyn Fn(u32) -> usize| at(from)..at(to);
        let events = &self.events[range(&|s| self.events.partition_point(|e| e.step < s))];
        let serial = &self.serial[range(&|s| self.serial.partition_point(|e| e.0 < s))];
        let mut out = Stimulus {
            events: events.to_vec(),
            serial: serial.to_vec(),
        };
        for (every, event) in &self.periodic {
            let samples = 0..self.samples;
            let due = every.within(from, to);
            out.serial
                .extend(due.flat_map(|step| samples.clone().map(move |s| (step, s, *event))));
        }
        if !self.periodic.is_empty() {
            out.serial.sort_by_key(|e| (e.0, e.1));
        }
        if self.generated_per_step() > 0 {
            for step in from..to {
                self.generate(step, &mut out.events);
            }
            out.events.sort_unstable();
        }
        out
    }

    fn generate(&self, step: u32, out: &mut Vec<InputEvent>) {
        self.held.generate(step, self.samples, out);
        for (group, signal) in &self.signals {
            let row = signal.steps.partition_point(|s| *s <= step);
            let Some(row) = row.checked_sub(1) else {
                continue;
            };
            let width = signal.elements as usize;
            for sample in 0..self.samples {
                let values = if signal.values.len() == 1 {
                    signal.values.first()
                } else {
                    signal.values.get(sample as usize)
                };
                let values = values
                    .and_then(|v| v.get(row * width..(row + 1) * width))
                    .unwrap_or(&[]);
                let present = values.iter().zip(0..).filter(|(x, _)| **x != 0.0);
                out.extend(present.map(|(x, unit)| InputEvent {
                    step,
                    sample,
                    group: *group,
                    unit,
                    payload: x.to_bits(),
                }));
            }
        }
        for &(group, unit, payload) in &self.every_step {
            out.extend((0..self.samples).map(|sample| InputEvent {
                step,
                sample,
                group,
                unit,
                payload,
            }));
        }
    }
}
