//! The CPU's form of a program's code: blocks of the step IR as short lists of operations over blocks of lanes.
//!
//! A [`Kernel`] runs each of its operations as one loop over a few hundred lanes whose registers stay in the nearest
//! cache; the compiler vectorises the loops, once for each level of instructions that [`Isa`] knows. Shapes
//! that most models share, sums of products and thresholds, are one loop each. [`deliver`] holds the loops that carry events to accumulators. Every operation gives the bits that [`synfire_ir::eval`] defines.
//!
//! Deliberately absent: threads, time, and where units live; that is the engine's (`synfire-runtime`).

mod aligned;
mod compress;
pub mod counted;
mod decay;
pub mod deliver;
mod fuse;
#[cfg(test)]
mod fuse_tests;
mod fused;
mod isa;
mod kernel;
mod lanes;
mod lower;
mod noise;
mod ops;
pub mod stream;
#[cfg(test)]
mod tests;

pub use aligned::Aligned;
pub use compress::compress;
pub use decay::Fall;
pub use isa::Isa;
pub use kernel::{Emit, Kernel, Leaf, Registers, Src, Units};
pub use lanes::Words;
pub use lower::{Fixed, lower};
pub use noise::Noise;
