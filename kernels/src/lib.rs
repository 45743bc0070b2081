//! What engines run units and synapses with: a program's code and rows in the form of each device.

pub mod cpu;
pub mod wgsl;
