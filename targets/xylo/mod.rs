//! The Xylo family: spiking audio cores with 16 input channels, about a thousand hidden neurons and a few outputs.
//!
//! What the chips share. A typed [`Config`] is the neutral specification. [`native`] writes it as JSON and reads it back, [`ram`] as the vendor simulator's memory text set, with which it is
//! equal word for word; `decode(encode(c))` is `c`. [`lower()`] makes of a configuration the stepped program that engines run, with the units of `model.syn`; [`Xylo`] offers all this in the
//! terms that every chip shares. A chip's own folder says how large it is. Deliberately absent: the vendor's configuration object, which only the vendor's own library can write.

mod backend;
mod benchmark;
mod config;
mod dynamics;
mod golden;
mod limits;
mod lower;
mod mapping;
pub mod native;
pub mod ram;
#[cfg(test)]
mod tests;

pub use backend::{SECTION, Xylo};
pub use config::{Config, MAX_COUNT, MAX_INPUT, Neurons, Synapse};
pub use limits::Size;
pub use lower::{Lowered, lower};
pub use mapping::from_mapping;
