//! The commands, one file each.

mod bench;
mod board;
mod check;
mod compare;
mod compile;
mod convert;
mod deploy;
mod devices;
mod earlier;
mod eval;
mod explain;
mod fit;
mod fmt;
mod help;
mod inspect;
mod record;
mod run;
mod targets;
mod test;

pub use compile::notes as compile_notes;

use crate::args::{Cli, Command};
use crate::console::Console;
use crate::failure::Outcome;
use clap::CommandFactory;

/// Does what the command line asks for.
pub fn run(command: Command, console: &Console) -> Outcome {
    match command {
        Command::Bench(a) => bench::bench(&a, console),
        Command::Check(a) => check::check(&a, console),
        Command::Fmt(a) => fmt::fmt(&a, console),
        Command::Compile(a) => compile::compile(&a, console),
        Command::Run(a) => run::run(&a, console),
        Command::Test(a) => test::test(&a, console),
        Command::Compare(a) => compare::compare(&a, console),
        Command::Eval(a) => eval::eval(&a, console),
        Command::Deploy(a) => deploy::deploy(&a, console),
        Command::Board(a) => board::board(&a, console),
        Command::Inspect(a) => inspect::inspect(&a, console),
        Command::Targets(a) => targets::targets(&a, console),
        Command::Devices => devices::devices(console),
        Command::Convert(a) => convert::convert(&a, console),
        Command::Explain(a) => explain::explain(&a, console),
        Command::Completions(a) => {
            let mut out = vec![];
            clap_complete::generate(a.shell, &mut Cli::command(), "synfire", &mut out);
            console.bytes(&out);
            Ok(())
        }
        Command::Help(a) => help::help(&a, console),
    }
}
