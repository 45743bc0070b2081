//! The GPU engine: programs as WGSL kernels on any adapter that wgpu opens.
//!
//! Integer programs give the same bits as every other engine. Float programs hold their state in f32 and sum arrivals in
//! fixed point, so they are equal only statistically. This is the only place that names the GPU API.

mod device;
mod pipelines;

pub use device::{AdapterInfo, adapters, auto_adapter};

use super::{Counters, Engine, Options, Record, Stimulus};
use device::Shared;
use std::sync::Arc;
use synfire_ir::diag::{Diagnostics, Progress};
use synfire_ir::program::Program;
use synfire_ir::{Class, Diagnostic};

/// A program on a GPU.
pub struct Gpu {
    program: Arc<Program>,
    shared: Arc<Shared>,
}

impl Gpu {
    /// Opens the adapter. The program must have passed [`synfire_ir::program::check`].
    ///
    /// Errors: `SYN0810` to `SYN0815`, from the driver.
    pub fn new(program: Arc<Program>, options: &Options) -> Result<Self, Diagnostic> {
        let _ = options;
        Ok(Gpu {
            program,
            shared: device::shared()?,
        })
    }

    fn refuse(&self) -> Diagnostics {
        Diagnostic::error(
            "SYN0816",
            format!("`{}` cannot run on a GPU yet", self.program.name),
        )
        .class(Class::Device)
        .hint("run with `--engine cpu`")
        .into()
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
        _: u32,
        _: &Stimulus,
        _: &mut Record,
        _: &dyn Progress,
    ) -> Result<u32, Diagnostics> {
        Err(self.refuse())
    }
    fn now(&self) -> u32 {
        0
    }
    fn state(&mut self, _: u32, _: u16) -> Result<Vec<u32>, Diagnostics> {
        Err(self.refuse())
    }
    fn counters(&mut self) -> Result<Counters, Diagnostics> {
        Err(self.refuse())
    }
    fn hash(&mut self) -> Result<u64, Diagnostics> {
        Err(self.refuse())
    }
}
