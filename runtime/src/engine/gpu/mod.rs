//! The GPU engine: programs as WGSL kernels on any adapter that wgpu opens.
//!
//! Integer programs give the same bits as every other engine. Float programs hold their state in f32 and sum arrivals in
//! fixed point, so they are equal only statistically. This is the only place that names the GPU API.

mod blocks;
mod buffers;
mod device;
mod input;
mod kernels;
mod learned;
mod lot;
mod output;
mod pipelines;
mod refusals;
mod save;
mod serial;
mod stepped;
#[cfg(test)]
mod tests;

pub use device::{AdapterInfo, adapters, auto_adapter};

use super::snapshot::Snapshot;
use super::{Counters, DeviceFacts, Engine, Options, Record, Stimulus};
use device::Shared;
use serial::Serial;
use std::sync::Arc;
use std::time::Duration;
use stepped::Stepped;
use synfire_ir::diag::{Diagnostics, Progress};
use synfire_ir::program::{Discipline, Program};
use synfire_ir::{Class, Diagnostic};
use synfire_kernels::wgsl::image::rows::SHARD_WORDS;

/// A program on a GPU.
pub struct Gpu {
    program: Arc<Program>,
    shared: Arc<Shared>,
    run: Run,
}

/// What kernels are chosen for; tests choose otherwise than the adapter asks for.
#[derive(Clone, Copy, Debug)]
struct Fit {
    /// Does the adapter run the invocations of a workgroup side by side?
    parallel: bool,
    /// Most words of synapses in a binding.
    shard: u64,
    /// Samples from which on one invocation delivers the events of a sample, on an adapter that runs them one after another.
    batch: u32,
}

impl Fit {
    fn of(shared: &Shared) -> Fit {
        Fit {
            parallel: shared.info.is_real(),
            shard: SHARD_WORDS,
            batch: 16,
        }
    }
}

enum Run {
    Stepped(Box<Stepped>),
    Serial(Box<Serial>),
}

/// How long a submission should take: progress is reported and cancellation looked for between submissions.
const PACE: Duration = Duration::from_millis(150);

/// Steps that the next submission should carry when `n` steps took so long.
fn pace(n: u32, took: Duration) -> u32 {
    let ideal = f64::from(n) * PACE.as_secs_f64() / took.as_secs_f64().max(1e-6);
    (ideal as u32).clamp(1, n.max(4).saturating_mul(4))
}

impl Gpu {
    /// Opens the adapter and sets a program up, which must have passed [`synfire_ir::program::check`].
    ///
    /// Errors: `SYN0810` to `SYN0815` from the driver; `SYN0817` to `SYN0819` when the program is too large for a GPU,
    /// found before anything is allocated.
    pub fn new(program: Arc<Program>, options: &Options) -> Result<Self, Diagnostics> {
        let shared = device::shared()?;
        let fit = Fit::of(&shared);
        Self::on(shared, program, options, fit)
    }

    fn on(
        shared: Arc<Shared>,
        program: Arc<Program>,
        options: &Options,
        fit: Fit,
    ) -> Result<Self, Diagnostics> {
        let samples = (options.samples.max(1), options.memory);
        let (p, s) = (program.clone(), shared.clone());
        let run = match &program.discipline {
            Discipline::Serial(d) => Run::Serial(Box::new(Serial::new(p, s, d, samples)?)),
            Discipline::Stepped => Run::Stepped(Box::new(Stepped::new(p, s, samples, fit)?)),
        };
        Ok(Gpu {
            program,
            shared,
            run,
        })
    }

    /// How it runs: dispatches of a step (of a submission, for serial programs), and steps that the next submission would
    /// carry.
    pub fn pace(&self) -> (usize, u32) {
        match &self.run {
            Run::Stepped(r) => r.pace(),
            Run::Serial(r) => r.pace(),
        }
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
        Ok(match &mut self.run {
            Run::Stepped(r) => r.advance(steps, input, record, progress)?,
            Run::Serial(r) => r.advance(steps, input, record, progress)?,
        })
    }

    fn device(&self) -> Option<DeviceFacts> {
        let Run::Stepped(r) = &self.run else {
            return None;
        };
        let steps = r.traffic.steps.max(1) as f64;
        let dispatches = r.traffic.dispatches as f64 / steps * r.lots.len() as f64;
        Some(DeviceFacts {
            dispatches_per_step: dispatches,
            steps_per_submission: steps / r.traffic.submissions.max(1) as f64,
            bytes_read_per_step: r.traffic.words as f64 * 4.0 / steps * r.lots.len() as f64,
            shards: r.shards() as u64,
            lots: r.lots.len() as u64,
        })
    }

    fn now(&self) -> u32 {
        match &self.run {
            Run::Stepped(r) => r.now,
            Run::Serial(r) => r.now,
        }
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
        let at = u32::from(state) * size;
        Ok(match &mut self.run {
            Run::Stepped(r) => r.state_words(r.state_at(group) + at, size)?,
            Run::Serial(r) => r.state_words(r.state_at(group) + at, size)?,
        })
    }

    fn synapses(&mut self, projection: u32, state: u16) -> Result<Vec<u32>, Diagnostics> {
        let words = match &self.run {
            Run::Stepped(r) => r.synapses(projection, state)?,
            Run::Serial(_) => None,
        };
        words.ok_or_else(|| super::no_synapses(projection, state).into())
    }

    fn counters(&mut self) -> Result<Counters, Diagnostics> {
        Ok(match &self.run {
            Run::Stepped(r) => r.output.counters.clone(),
            Run::Serial(r) => r.output.counters.clone(),
        })
    }

    fn hash(&mut self) -> Result<u64, Diagnostics> {
        let mut hash = 0xcbf2_9ce4_8422_2325u64;
        let mut add = |words: Vec<u32>| {
            for b in words.iter().flat_map(|w| w.to_le_bytes()) {
                hash = (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        let p = self.program.clone();
        for g in 0..p.groups.len() as u32 {
            let states = p.model_of(g).map_or(0, |m| m.states.len());
            for s in 0..states as u16 {
                add(self.state(g, s)?);
            }
        }
        for x in &p.plastic {
            let states = p.synapse_models[x.synapse as usize].states.len();
            for s in 0..states as u16 {
                add(self.synapses(x.projection, s)?);
            }
        }
        Ok(hash)
    }

    fn expect(&mut self, loads: &[f64]) {
        if let Run::Stepped(r) = &mut self.run {
            r.expect(loads);
        }
    }

    fn save(&mut self) -> Result<Snapshot, Diagnostics> {
        Ok(match &self.run {
            Run::Stepped(r) => r.save()?,
            Run::Serial(r) => r.save()?,
        })
    }

    fn restore(&mut self, from: &Snapshot) -> Result<(), Diagnostics> {
        match &mut self.run {
            Run::Stepped(r) => r.restore(from)?,
            Run::Serial(r) => r.restore(from)?,
        }
        Ok(())
    }
}
