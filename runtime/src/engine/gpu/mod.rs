//! The GPU engine: programs as WGSL kernels on any adapter that wgpu opens.
//!
//! Integer programs give the same bits as every other engine. Float programs hold their state in f32 and sum arrivals in
//! fixed point, so they are equal only statistically. This is the only place that names the GPU API.

mod blocks;
mod buffers;
mod device;
mod input;
mod lot;
mod output;
mod pipelines;
mod stepped;
#[cfg(test)]
mod tests;

pub use device::{AdapterInfo, adapters, auto_adapter};

use super::{Counters, Engine, Options, Record, Stimulus};
use device::Shared;
use std::sync::Arc;
use stepped::Stepped;
use synfire_ir::diag::{Diagnostics, Progress};
use synfire_ir::program::Program;
use synfire_ir::{Class, Diagnostic};

/// A program on a GPU.
pub struct Gpu {
    program: Arc<Program>,
    shared: Arc<Shared>,
    samples: u32,
    run: Stepped,
}

impl Gpu {
    /// Opens the adapter and sets a program up, which must have passed [`synfire_ir::program::check`].
    ///
    /// Errors: `SYN0810` to `SYN0815` from the driver; `SYN0817` to `SYN0819` when the program is too large for a GPU,
    /// found before anything is allocated.
    pub fn new(program: Arc<Program>, options: &Options) -> Result<Self, Diagnostic> {
        let shared = device::shared()?;
        let samples = options.samples.max(1);
        Ok(Gpu {
            run: Stepped::new(program.clone(), shared.clone(), samples)?,
            program,
            shared,
            samples,
        })
    }

    /// How it runs: dispatches of a step, and steps that the next submission would carry.
    pub fn pace(&self) -> (usize, u32) {
        (self.run.dispatches(), self.run.steps_per_submission())
    }
}

impl Engine for Gpu {
    fn name(&self) -> &'static str {
        "gpu"
    }

    fn adapter(&self) -> Option<String> {
        Some(self.shared.info.to_string())
    }

    fn advance(
        &mut self,
        steps: u32,
        input: &Stimulus,
        record: &mut Record,
        progress: &dyn Progress,
    ) -> Result<u32, Diagnostics> {
        Ok(self.run.advance(steps, input, record, progress)?)
    }

    fn now(&self) -> u32 {
        self.run.now
    }

    fn state(&mut self, group: u32, state: u16) -> Result<Vec<u32>, Diagnostics> {
        let states = self.program.model_of(group).map_or(0, |m| m.states.len());
        if state as usize >= states {
            return Err(Diagnostic::error(
                "SYN0822",
                format!("group {group} has {states} states, not state {state}"),
            )
            .class(Class::Usage)
            .hint("name a state of a group of units")
            .into());
        }
        let size = self.program.groups[group as usize].size;
        let at = self.run.state_at(group) + u32::from(state) * size;
        Ok(self.run.state_words(at, size)?)
    }

    fn counters(&mut self) -> Result<Counters, Diagnostics> {
        Ok(self.run.output.counters.clone())
    }

    fn hash(&mut self) -> Result<u64, Diagnostics> {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        for g in 0..self.program.groups.len() as u32 {
            let states = self.program.model_of(g).map_or(0, |m| m.states.len());
            for s in 0..states as u16 {
                for b in self.state(g, s)?.iter().flat_map(|w| w.to_le_bytes()) {
                    hash = (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
        Ok(hash)
    }
}
