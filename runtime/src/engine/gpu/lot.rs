//! Some samples of a batch: their buffers, and the bind groups that join these with what all samples share.
//!
//! A batch is cut into lots so that every buffer of a lot fits into one binding.

use super::buffers::{self, Use};
use super::device::Shared;
use super::pipelines::{Access, Pipeline, compile};
use crate::engine::beyond_limit;
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::{Class, Diagnostic};
use synfire_kernels::wgsl::shape::{MAX_BINDING, MAX_GROUPS};
use synfire_kernels::wgsl::{Buffer, Kernel};

/// Words of the buffers of a lot, each with a fixed part and one that grows with the samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sizes {
    pub fixed: u64,
    pub sample: u64,
}

/// The largest number of samples for which all sizes fit into a binding.
///
/// Errors: `SYN0817` when not even one sample fits.
pub(super) fn samples_that_fit(sizes: &[(&str, Sizes)], samples: u32) -> Result<u32, Diagnostic> {
    let limit = MAX_BINDING / 4;
    let mut most = u64::from(samples.min(MAX_GROUPS));
    for (what, s) in sizes {
        if s.fixed + s.sample > limit {
            let mib = (s.fixed + s.sample) as f64 / 262_144.0;
            let message = format!(
                "{what} of one sample need {mib:.1} MiB, a GPU buffer holds {} MiB",
                MAX_BINDING >> 20
            );
            return Err(Diagnostic::error("SYN0817", message)
                .class(Class::Device)
                .field("needed", (s.fixed + s.sample) * 4)
                .field("available", MAX_BINDING)
                .hint("record less, make the network smaller, or run with `--engine cpu`"));
        }
        if let Some(n) = (limit - s.fixed).checked_div(s.sample) {
            most = most.min(n);
        }
    }
    Ok(most as u32)
}

/// Refuses what is larger than the memory of a software adapter's machine; other adapters say so themselves when they run out.
///
/// Errors: `SYN0819`, `SYN0846`.
/// So is what is more than the caller allows, on any.
pub(super) fn enough_memory(
    s: &Shared,
    words: u64,
    (name, samples, limit): (&str, u32, Option<u64>),
) -> Result<(), Diagnostic> {
    let need = words.saturating_mul(4);
    if let Some(limit) = limit.filter(|l| need > *l) {
        return Err(beyond_limit(name, samples, need.into(), limit));
    }
    let available = match s.info.device_type.as_str() {
        "cpu" => free_memory().unwrap_or(u64::MAX),
        _ => u64::MAX,
    };
    if words.saturating_mul(4) <= available {
        return Ok(());
    }
    Err(Diagnostic::error(
        "SYN0819",
        format!(
            "the program needs {} MiB on {}, {} MiB are free",
            words >> 18,
            s.info,
            available >> 20
        ),
    )
    .class(Class::Device)
    .field("needed", words.saturating_mul(4))
    .field("available", available)
    .hint("run fewer samples at once, or run with `--engine cpu`"))
}

/// Bytes that the system could still give out, where it says so.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// A kernel that is ready to run.
pub(super) struct Ready {
    pub pipeline: Arc<Pipeline>,
    buffers: Vec<Buffer>,
}

impl Ready {
    /// Compiles a kernel, or takes it from the store.
    ///
    /// Errors: `SYN0813` when the driver does not take the text.
    pub fn new(s: &Shared, kernel: &Kernel) -> Result<Ready, Diagnostic> {
        let bindings: Vec<(u32, Access)> = kernel
            .buffers
            .iter()
            .map(|&b| (b as u32, access(b)))
            .collect();
        let stored = s.pipelines.get(&kernel.text, &bindings);
        let pipeline = match stored {
            Some(p) => p,
            None => {
                let what = format!("kernel `{}` is compiled", kernel.name);
                let made = s.scoped(&what, || {
                    Ok(Arc::new(compile(&s.device, &kernel.text, &bindings)))
                })?;
                s.pipelines.keep(&kernel.text, &bindings, &made);
                made
            }
        };
        Ok(Ready {
            pipeline,
            buffers: kernel.buffers.clone(),
        })
    }

    /// Binds buffers to it.
    pub fn bind(&self, s: &Shared, of: &BTreeMap<Buffer, wgpu::Buffer>) -> wgpu::BindGroup {
        let entries: Vec<_> = self
            .buffers
            .iter()
            .filter_map(|b| {
                let buffer = of.get(b)?;
                let block = std::num::NonZeroU64::new(buffers::BLOCK);
                let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset: 0,
                    size: block.filter(|_| *b == Buffer::Dispatch),
                });
                Some(wgpu::BindGroupEntry {
                    binding: *b as u32,
                    resource,
                })
            })
            .collect();
        s.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.layout,
            entries: &entries,
        })
    }
}

fn access(b: Buffer) -> Access {
    match b {
        Buffer::Dispatch => Access::Block,
        _ if b.written() => Access::Write,
        _ => Access::Read,
    }
}

/// The samples `first..first + samples` and their buffers.
pub(super) struct Lot {
    pub first: u32,
    pub samples: u32,
    pub buffers: BTreeMap<Buffer, wgpu::Buffer>,
    /// What each plastic projection has learned.
    pub learned: Vec<wgpu::Buffer>,
    pub readback: wgpu::Buffer,
    /// Words of the buffer of external events.
    pub ext_words: u64,
}

impl Lot {
    /// Buffers of `words` for each kind, all zero, beside the shared ones; `readback` words can be read at once.
    pub fn new(
        s: &Shared,
        first: u32,
        samples: u32,
        shared: &BTreeMap<Buffer, wgpu::Buffer>,
        words: &[(Buffer, u64)],
        readback: u64,
    ) -> Lot {
        let mut all = shared.clone();
        for &(b, n) in words {
            let used = match b {
                Buffer::Args => Use::Indirect,
                _ => Use::Storage,
            };
            all.insert(b, buffers::make(s, &format!("{b:?}"), n, used));
        }
        Lot {
            first,
            samples,
            buffers: all,
            learned: vec![],
            readback: buffers::make(s, "readback", readback, Use::Readback),
            ext_words: 0,
        }
    }

    /// One of its buffers.
    pub fn buffer(&self, b: Buffer) -> &wgpu::Buffer {
        self.buffers
            .get(&b)
            .expect("a lot is made with every buffer that its kernels bind")
    }

    /// Puts words into the buffer of external events; says whether it had to be made anew (and bind groups with it).
    pub fn give(&mut self, s: &Shared, words: &[u32]) -> bool {
        let needed = words.len() as u64;
        let grow = needed > self.ext_words || self.ext_words == 0;
        if grow {
            self.ext_words = needed.next_power_of_two().clamp(1024, MAX_BINDING / 4);
            let made = buffers::make(s, "Ext", self.ext_words, Use::Storage);
            self.buffers.insert(Buffer::Ext, made);
        }
        buffers::write(s, self.buffer(Buffer::Ext), 0, words);
        grow
    }
}

/// Words `range` (first, number) of every sample's block of `state`, whose stride is `stride`.
pub(super) fn state_words<'a>(
    s: &Shared,
    lots: impl Iterator<Item = &'a Lot>,
    stride: u32,
    (at, words): (u32, u32),
) -> Result<Vec<u32>, Diagnostic> {
    let mut out = vec![];
    for lot in lots {
        let state = lot.buffer(Buffer::State);
        let parts: Vec<_> = (0..u64::from(lot.samples))
            .map(|k| {
                (
                    state,
                    k * u64::from(stride) + u64::from(at),
                    u64::from(words),
                )
            })
            .collect();
        out.extend(buffers::read(s, &parts)?);
    }
    Ok(out)
}
