//! A run that has happened, as an engine: what a board gave back, in the steps in which it happened.
//!
//! For boards that take the whole run at once. The input that an engine is given is what the board was given before. Deliberately absent: states, hashes and checkpoints.

use super::host::hidden;
use crate::engine::snapshot::Snapshot;
use crate::engine::{Counters, Engine, Record, Spike, Stimulus, Trace};
use std::collections::BTreeMap;
use synfire_ir::diag::{Diagnostics, Progress};
use synfire_ir::program::Discipline;
use synfire_targets::backend::{Backend, Emulation};

/// See the module.
pub struct Played {
    name: String,
    /// Sorted.
    spikes: Vec<Spike>,
    /// (step, 0, address) by step, of a chip that takes one event after another.
    serial: Vec<(u32, u32, u32)>,
    probes: usize,
    now: u32,
    counters: Counters,
}

impl Played {
    /// A run on the board `name`: (step, native word, count) of what left the chip. Words that are no output of the chip are left out.
    pub fn new(
        name: String,
        emulation: &Emulation,
        backend: &dyn Backend,
        left: &[(u32, u64, u32)],
    ) -> Played {
        let groups = emulation.program.groups.len();
        let mut made = Played {
            name,
            spikes: vec![],
            serial: vec![],
            probes: emulation.program.probes.len(),
            now: 0,
            counters: Counters {
                spikes: vec![0; groups],
                ..Counters::default()
            },
        };
        match &emulation.program.discipline {
            Discipline::Stepped => made.stepped(emulation, left),
            Discipline::Serial(s) => made.serial(emulation, s.group, backend, left),
        }
        made
    }

    fn stepped(&mut self, emulation: &Emulation, left: &[(u32, u64, u32)]) {
        for &(step, word, count) in left {
            for (probe, words) in &emulation.outputs {
                let Some(p) = emulation.program.probes.get(*probe as usize) else {
                    continue;
                };
                let units = (p.range.start..).zip(words).filter(|w| *w.1 == word);
                for (unit, _) in units {
                    if let Some(n) = self.counters.spikes.get_mut(p.group as usize) {
                        *n += 1;
                    }
                    self.spikes.push(Spike {
                        sample: 0,
                        step,
                        probe: *probe,
                        unit,
                        payload: count,
                    });
                }
            }
        }
        self.spikes
            .sort_unstable_by_key(|s| (s.step, s.sample, s.probe, s.unit));
    }

    /// A chip that takes one event after another: a word is an address.
    fn serial(
        &mut self,
        emulation: &Emulation,
        group: u32,
        backend: &dyn Backend,
        left: &[(u32, u64, u32)],
    ) {
        let units = emulation.program.groups.get(group as usize);
        let units = units.map_or(0, |g| g.size);
        let addresses: BTreeMap<u64, u32> =
            (0..units).map(|u| (backend.serial_output(u), u)).collect();
        for &(step, word, count) in left {
            let Some(&unit) = addresses.get(&word) else {
                continue;
            };
            let times = std::iter::repeat_n((step, 0, unit), count as usize);
            self.serial.extend(times);
            if let Some(n) = self.counters.spikes.get_mut(group as usize) {
                *n += u64::from(count);
            }
        }
        self.serial.sort_by_key(|s| s.0);
    }
}

impl Engine for Played {
    fn name(&self) -> &'static str {
        "board"
    }

    fn adapter(&self) -> Option<String> {
        Some(self.name.clone())
    }

    fn advance(
        &mut self,
        steps: u32,
        _: &Stimulus,
        record: &mut Record,
        _: &dyn Progress,
    ) -> Result<u32, Diagnostics> {
        record.traces.resize(self.probes, Trace::default());
        let end = self.now.saturating_add(steps);
        let at = |step: u32| self.spikes.partition_point(|s| s.step < step);
        let part = self.spikes.get(at(self.now)..at(end)).unwrap_or(&[]);
        record.spikes.extend_from_slice(part);
        let at = |step: u32| self.serial.partition_point(|s| s.0 < step);
        let part = self.serial.get(at(self.now)..at(end)).unwrap_or(&[]);
        record.serial.extend_from_slice(part);
        self.now = end;
        Ok(steps)
    }

    fn now(&self) -> u32 {
        self.now
    }

    fn state(&mut self, _: u32, _: u16) -> Result<Vec<u32>, Diagnostics> {
        Err(hidden())
    }

    fn counters(&mut self) -> Result<Counters, Diagnostics> {
        Ok(self.counters.clone())
    }

    fn hash(&mut self) -> Result<u64, Diagnostics> {
        Err(hidden())
    }

    fn save(&mut self) -> Result<Snapshot, Diagnostics> {
        Err(hidden())
    }

    fn restore(&mut self, _: &Snapshot) -> Result<(), Diagnostics> {
        Err(hidden())
    }
}
