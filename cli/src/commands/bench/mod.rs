//! `bench`: what is measured, on networks that ship in the binary.

mod networks;
mod sim;

use crate::args::{BenchArgs, BenchCommand};
use crate::console::Console;
use crate::failure::Outcome;

/// See the module.
pub fn bench(args: &BenchArgs, console: &Console) -> Outcome {
    match &args.what {
        BenchCommand::Sim(a) => sim::sim(a, console),
    }
}
