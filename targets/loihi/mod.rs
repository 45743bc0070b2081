//! Intel's Loihi 1: up to 128 cores of 1,024 compartments each, sparse synapses with exponents, wrapping integers.
//!
//! A typed [`Config`] holds the registers of every used core by the names of the vendor's objects. [`encode`] writes them as a register image (JSON), [`decode`] reads the image back;
//! `decode(encode(c))` is `c`. [`lower()`] makes of a configuration the stepped program that engines run, in the arithmetic of one of two public emulators ([`Arithmetic`]). [`limits`] says what
//! a core holds, [`BACKEND`] offers all this in the terms that every chip shares. Deliberately absent: bit positions, addresses and the loader, which are not public.

mod backend;
mod benchmark;
mod config;
mod dynamics;
mod golden;
mod learning;
pub mod limits;
mod lower;
mod mapped;
mod mapping;
mod native;
#[cfg(test)]
mod tests;
mod validate;

pub use backend::{BACKEND, SECTION};
pub use config::*;
pub use lower::{Arithmetic, CHANNELS, Lowered, lower};
pub use mapping::from_mapping;
pub use native::{decode, encode};
