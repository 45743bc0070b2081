//! tinyODIN: one crossbar of at most 256 neurons with 4-bit weights, which processes one event after another.
//!
//! A typed [`Config`] holds every register and memory by its own name. [`encode()`] turns it into the canonical stream of SPI words, [`decode()`] reads the
//! stream back and refuses everything else; `decode(encode(c))` is `c` for every legal configuration. [`lower()`] makes of a configuration the serial
//! program that engines run, [`event`] and [`word`] stand between AER words and events of that program, [`from_mapping`] makes a configuration of the
//! compiler's mapping, and [`BACKEND`] offers all this in the terms that every chip shares.
//! Deliberately absent: choosing a placement (the compiler's), running (the engines') and the SPI and AER pins (the runtime's).

mod aer;
mod backend;
mod config;
mod decode;
mod dynamics;
mod encode;
mod golden;
mod lower;
mod mapping;
mod pins;
mod spi;
#[cfg(test)]
mod tests;

pub use aer::{TIME_REFERENCE, event, word};
pub use backend::{BACKEND, SECTION};
pub use config::{Config, Neuron};
pub use decode::decode;
pub use encode::encode;
pub use lower::{NEURONS, POTENTIAL, ROWS, SYN, lower};
pub use mapping::from_mapping;
