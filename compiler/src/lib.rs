//! From networks to what runs: the front door for `.syn` and NIR, the ideal lowering, and the mapping onto chips.
//!
//! `frontend` reads and verifies; `ideal` gives the network's own program; `compile` runs the passes of a chip and writes an
//! artefact. Nothing here opens a file: the caller gives bytes and a loader.

mod calibrate;
mod compile;
pub mod dump;
pub mod dynamics;
pub mod fixed;
pub mod frontend;
pub mod ideal;
mod layered;
pub mod map;
pub mod nir;
pub mod passes;
mod plastic;
mod resources;
mod source;

pub use calibrate::{Calibrated, Judge, Judged, calibrate};
pub use compile::{CompileOptions, Compiled, Earlier, compile};
pub use map::chip::mesh::Dead;
pub use passes::quantise::Tuning;
pub use source::{Source, to_source};
