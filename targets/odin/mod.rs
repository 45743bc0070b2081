//! ODIN: one crossbar of 256 neurons with 3-bit weights and a mapping bit, two kinds of neurons and SDSP learning, which processes one event after another.
//!
//! A typed [`Config`] holds every register and memory by its own name; a neuron is its [`Word`], whose parts have names. [`encode`] turns a configuration into the canonical stream of SPI words,
//! [`decode`] reads the stream back and refuses everything else; `decode(encode(c))` is `c`. [`lower()`] makes of a configuration the serial program that engines run, with or without
//! learning; [`event`] stands between AER words and its events, [`from_mapping`] makes a configuration of the compiler's mapping, and [`BACKEND`] offers all this in the terms that every chip
//! shares. Deliberately absent: choosing a placement (the compiler's), running (the engines') and the SPI and AER pins (the runtime's).

mod aer;
mod backend;
mod config;
mod dynamics;
mod golden;
mod lower;
mod mapping;
mod pins;
mod spi;
#[cfg(test)]
mod tests;
mod word;

pub use aer::{SPIKE, TIME_REFERENCE, event};
pub use backend::{BACKEND, SECTION};
pub use config::{Config, SIZE};
pub use lower::{NEURONS, lower};
pub use mapping::from_mapping;
pub use spi::{decode, encode};
pub use word::Word;
