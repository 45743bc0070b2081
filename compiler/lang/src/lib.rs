//! The Synfire language: from text to a checked and lowered description.
//!
//! Comes in: the text of `.syn` files. Goes out: syntax trees, canonical text and diagnostics. No I/O happens here: files come through a
//! loader that the caller gives. No input makes it panic, hang or grow without bound.

pub mod library;
pub mod model;
pub mod npy;
pub mod resolve;
pub mod syntax;

pub use resolve::{LoadOptions, Loader, load};
