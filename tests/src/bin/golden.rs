//! `golden [--engine cpu|gpu|both] FILE...`: runs golden files and prints a line for each.

use rayon::prelude::*;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use synfire_tests::golden::{Engines, files, run};

fn main() -> ExitCode {
    let mut engines = Engines::Both;
    let mut paths = vec![];
    let mut args = std::env::args().skip(1);
    while let Some(a) = args.next() {
        if a != "--engine" {
            paths.push(PathBuf::from(a));
            continue;
        }
        engines = match args.next().as_deref() {
            Some("cpu") => Engines::Cpu,
            Some("gpu") => Engines::Gpu,
            Some("both") => Engines::Both,
            _ => return usage(),
        };
    }
    if paths.is_empty() {
        return usage();
    }
    let files = files(&paths);
    let outcomes: Vec<_> = files.par_iter().map(|f| run(f, engines)).collect();
    let mut out = std::io::stdout().lock();
    let mut failed = 0;
    for o in &outcomes {
        let _ = match &o.result {
            Ok(facts) if facts.is_empty() => writeln!(out, "ok {}", o.name),
            Ok(facts) => writeln!(out, "ok {} ({facts})", o.name),
            Err(e) => {
                failed += 1;
                writeln!(out, "FAIL {}: {e}", o.name)
            }
        };
    }
    let _ = writeln!(out, "{} passed, {failed} failed", outcomes.len() - failed);
    if failed > 0 || outcomes.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: golden [--engine cpu|gpu|both] FILE|DIRECTORY...");
    ExitCode::from(2)
}
