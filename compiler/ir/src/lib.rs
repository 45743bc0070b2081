//! The levels of Synfire's IR and what they share.
//!
//! Text or NIR becomes a `Network`, a chip turns it into a `Mapping` and then into bytes in an `Artifact`, and whatever
//! runs, runs as a [`program::Program`]. No I/O happens here: callers give bytes and take bytes.

pub mod artifact;
pub mod diag;
pub mod eval;
pub mod mapping;
pub mod model;
pub mod network;
pub mod numerals;
pub mod program;
pub mod rng;
pub mod synapse;
mod text;
pub mod units;

pub use diag::{Class, Diagnostic, Diagnostics, Label, Progress, Quiet, Severity, SourceMap, Span};
