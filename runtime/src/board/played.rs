//! A run that has happened, as an engine: what a board gave back, in the steps in which it happened.
//!
//! For boards that take the whole run at once. The input that an engine is given is what the board was given before. Deliberately absent: states, hashes and checkpoints.

use super::host::hidden;
use crate::engine::snapshot::Snapshot;
use crate::engine::{Counters, Engine, Record, Spike, Stimulus, Trace};
use synfire_ir::diag::{Diagnostics, Progress};
use synfire_targets::backend::Emulation;

/// See the module.
pub struct Played {
    name: String,
    /// Sorted.
    spikes: Vec<Spike>,
    probes: usize,
    now: u32,
    counters: Counters,
}

impl Played {
    /// A run on the board `name`: (step, native word, count) of what left the chip. Words that are no output of the chip are left out.
    pub fn new(name: String, emulation: &Emulation, left: &[(u32, u64, u32)]) -> Played {
        let mut spikes = vec![];
        let mut counters = Counters {
            spikes: vec![0; emulation.program.groups.len()],
            ..Counters::default()
        };
        for &(step, word, count) in left {
            for (probe, words) in &emulation.outputs {
                let Some(p) = emulation.program.probes.get(*probe as usize) else {
                    continue;
                };
                let units = (p.range.start..).zip(words).filter(|w| *w.1 == word);
                for (unit, _) in units {
                    if let Some(n) = counters.spikes.get_mut(p.group as usize) {
                        *n += 1;
                    }
                    spikes.push(Spike {
                        sample: 0,
                        step,
                        probe: *probe,
                        unit,
                        payload: count,
                    });
                }
            }
        }
        spikes.sort_unstable_by_key(|s| (s.step, s.sample, s.probe, s.unit));
        Played {
            name,
            spikes,
            probes: emulation.program.probes.len(),
            now: 0,
            counters,
        }
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
