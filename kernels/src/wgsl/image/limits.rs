//! What a program asks of a device, and the refusal when that is too much.

use crate::wgsl::shape::MAX_BINDING;
use synfire_ir::{Class, Diagnostic};

/// Words of one binding.
pub const MAX_WORDS: u64 = MAX_BINDING / 4;

/// `words` as an offset, if one binding holds them; `what` names them in the refusal.
///
/// Errors: `SYN0817`.
pub fn fits(what: &str, words: u64) -> Result<u32, Diagnostic> {
    if words <= MAX_WORDS {
        return Ok(words as u32);
    }
    Err(Diagnostic::error(
        "SYN0817",
        format!(
            "{what} need {:.1} MiB, a GPU buffer holds {} MiB",
            words as f64 / 262_144.0,
            MAX_BINDING >> 20
        ),
    )
    .class(Class::Device)
    .field("needed", words * 4)
    .field("available", MAX_BINDING)
    .note("every adapter offers buffers of this size; larger ones are not portable")
    .hint("run with `--engine cpu`, or make the network (or its longest delay) smaller"))
}

/// The refusal of work that one invocation would loop over for too long.
pub fn too_long(what: String, needed: u64, available: u64) -> Diagnostic {
    Diagnostic::error(
        "SYN0818",
        format!("{what}: {needed} loop iterations, a GPU invocation may make {available}"),
    )
    .class(Class::Device)
    .field("needed", needed)
    .field("available", available)
    .note("some drivers leave longer loops without an error")
    .hint("run with `--engine cpu`")
}
