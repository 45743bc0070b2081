//! The chips: what limits each has, how its configuration looks in bytes, and what it computes.
//!
//! [`schema`] is the form of a `chip.toml`, [`registry`] finds chips by name, [`section`] how native files stand in an artefact, [`board`] is what is said to a board, [`own`] the code of chips that have none, [`layers`] a network for chips whose cores hold a whole layer. Every folder of this crate with a `chip.toml` is a chip and, when it has
//! a `mod.rs`, a module of this crate; the build script lists them. A chip's module turns its typed configuration into the native files of
//! its board and back. Deliberately absent: files, sockets and devices (the runtime's), and mapping (the compiler's).

pub mod backend;
pub mod benchmark;
pub mod board;
pub mod estimate;
pub mod golden;
pub mod layers;
pub mod model;
pub mod own;
pub mod registry;
pub mod report;
pub mod schema;
pub mod section;

pub use registry::{Chip, Target, all, find};

include!(concat!(env!("OUT_DIR"), "/chip_modules.rs"));
