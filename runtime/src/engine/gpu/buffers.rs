//! Buffers of words: made, filled and read back.

use super::device::Shared;
use synfire_ir::{Class, Diagnostic};

/// Bytes between the blocks of a uniform buffer that dynamic offsets choose from (WebGPU's default alignment).
pub(super) const BLOCK: u64 = 256;

/// Words per upload, so that the driver's staging memory stays small.
const UPLOAD: usize = 1 << 20;

/// How long to wait for a call back after its submission is done.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// What a buffer is for, besides being bound to kernels and copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Storage,
    Indirect,
    Uniform,
    /// Read by the host.
    Readback,
}

/// A zeroed buffer of at least one word.
pub(super) fn make(s: &Shared, label: &str, words: u64, used: Use) -> wgpu::Buffer {
    let copies = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
    let usage = match used {
        Use::Storage => wgpu::BufferUsages::STORAGE | copies,
        Use::Indirect => wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::INDIRECT | copies,
        Use::Uniform => wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        Use::Readback => wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
    };
    s.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: words.max(4) * 4,
        usage,
        mapped_at_creation: false,
    })
}

/// Writes words from word `at` on.
pub(super) fn write(s: &Shared, buffer: &wgpu::Buffer, at: u64, words: &[u32]) {
    for (k, part) in words.chunks(UPLOAD).enumerate() {
        let from = at + (k * UPLOAD) as u64;
        s.queue
            .write_buffer(buffer, from * 4, bytemuck::cast_slice(part));
    }
}

/// A buffer with these words.
pub(super) fn filled(s: &Shared, label: &str, words: &[u32]) -> wgpu::Buffer {
    let buffer = make(s, label, words.len() as u64, Use::Storage);
    write(s, &buffer, 0, words);
    buffer
}

/// A range of a buffer: first word, words.
pub(super) type Part<'a> = (&'a wgpu::Buffer, u64, u64);

/// Adds copies of `parts`, one after another, into `to`.
pub(super) fn copy(encoder: &mut wgpu::CommandEncoder, parts: &[Part], to: &wgpu::Buffer) {
    let mut at = 0;
    for &(from, first, words) in parts.iter().filter(|p| p.2 > 0) {
        encoder.copy_buffer_to_buffer(from, first * 4, to, at * 4, words * 4);
        at += words;
    }
}

/// Maps the first `words` words of a readback buffer after a submission and gives them to `f`.
pub(super) fn mapped<T>(
    s: &Shared,
    submitted: wgpu::SubmissionIndex,
    buffer: &wgpu::Buffer,
    words: u64,
    f: impl FnOnce(&[u32]) -> T,
) -> Result<T, Diagnostic> {
    let slice = buffer.slice(..words.max(1) * 4);
    let (tell, told) = std::sync::mpsc::channel();
    slice.map_async(wgpu::MapMode::Read, move |r| {
        let _ = tell.send(r.is_ok());
    });
    s.wait(submitted)?;
    // Another thread that waits for the same device may be the one that is just about to call back.
    if told.recv_timeout(PATIENCE) != Ok(true) {
        s.healthy()?;
        return Err(unread(s, "the buffer was not mapped"));
    }
    let out = match slice.get_mapped_range() {
        Ok(view) => Ok(f(bytemuck::cast_slice(&view))),
        Err(e) => Err(unread(s, &e.to_string())),
    };
    buffer.unmap();
    out
}

fn unread(s: &Shared, why: &str) -> Diagnostic {
    Diagnostic::error("SYN0813", format!("{} does not give its results back", s.info))
        .class(Class::Device)
        .note(why.to_string())
        .hint("this is a defect of the driver or of Synfire: please report it; `--engine cpu` runs the same program")
}

/// Reads ranges of buffers, one after another, through a buffer of its own.
pub(super) fn read(s: &Shared, parts: &[Part]) -> Result<Vec<u32>, Diagnostic> {
    let words: u64 = parts.iter().map(|p| p.2).sum();
    if words == 0 {
        return Ok(vec![]);
    }
    s.scoped("results are read", || {
        let to = make(s, "readback", words, Use::Readback);
        let mut encoder = s.device.create_command_encoder(&Default::default());
        copy(&mut encoder, parts, &to);
        let submitted = s.queue.submit([encoder.finish()]);
        mapped(s, submitted, &to, words, <[u32]>::to_vec)
    })
}
