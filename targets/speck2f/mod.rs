//! Speck 2f: nine cores, each a convolution with integrate-and-fire neurons behind it, one event after another.
//!
//! A network of layers ([`crate::layers`]) is checked against the limits, its layers are seated on cores ([`seats`]) and quantised with a scale a layer; the typed [`Config`] by layer and core is the native file, and [`lower()`] makes
//! of it the serial program that engines run in our stated reference arithmetic (`model.syn`). Deliberately absent: any claim to equal the silicon, whose arithmetic is not public to the bit, and samna's own file form.

mod backend;
mod config;
mod cores;
mod lower;
mod quantise;
mod square;
#[cfg(test)]
mod tests;

pub use backend::{BACKEND, seats};
pub use config::{Config, Core, Destination, FORMAT, REFERENCE};
pub use cores::{CORES, Memory, Shape, holds, place};
pub use lower::lower;
pub use quantise::{factor, scale, whole};

/// Name of the only native section.
pub const SECTION: &str = "network.speck.json";
