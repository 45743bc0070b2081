//! What crosses crates: golden vectors of chips and NIR on every engine, and end-to-end tests through the real binary.

pub mod binary;
pub mod compare;
pub mod golden;
