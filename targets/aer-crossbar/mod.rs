//! One crossbar whose neurons take events one after another, configured by words of SPI: what ODIN and tinyODIN share.
//!
//! [`spi`] has the words that configure the chip and reads the canonical stream of them, [`mapping`] what a compiler's mapping needs beyond registers, and
//! [`program`] makes the serial program around a chip's own neurons and weights. Deliberately absent: registers, neurons and events, which each chip has its own.

pub mod mapping;
mod program;
pub mod spi;

pub use program::{Loop, NEURONS, ROWS, SYN, program};

/// Rows of the crossbar, and the most neurons.
pub const SIZE: usize = 256;
