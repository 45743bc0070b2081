//! `bench`: what is measured, on networks that ship in the binary.

mod chip;
mod expected;
mod mapping;
mod networks;
mod sim;

use crate::args::{BenchArgs, BenchCommand};
use crate::console::Console;
use crate::failure::Outcome;

/// See the module.
pub fn bench(args: &BenchArgs, console: &Console) -> Outcome {
    match &args.what {
        BenchCommand::Mapping(a) => mapping::mapping(a, console),
        BenchCommand::Chip(a) => chip::chip(a, console),
        BenchCommand::Sim(a) => sim::sim(a, console),
    }
}
