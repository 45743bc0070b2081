//! `synfire`: the command line.
//!
//! A thin skin: arguments in, calls of the compiler and the runtime, results out. It is the only place that opens files for
//! networks, prints, draws and decides exit statuses.

mod args;
mod calibrate;
mod commands;
mod console;
mod diagnostics;
mod distance;
mod estimates;
mod execute;
mod experiment;
mod failure;
mod files;
mod interrupt;
mod lowering;
mod mapping;
mod network;
mod progress;
mod raster;
mod report;
mod stats;
mod table;
mod targets;
mod units;

use args::{Cli, Common};
use clap::Parser;
use console::Console;
use failure::Failure;
use serde_json::json;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    let cli = Cli::parse();
    let console = Console::new(&cli.common);
    log(&cli.common, &console);
    interrupt::listen();
    let done = std::panic::catch_unwind(|| commands::run(cli.command, &console));
    match done {
        Ok(Ok(())) if interrupt::asked() => ExitCode::from(interrupt::STATUS),
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => {
            show(&failure, &console);
            ExitCode::from(failure.status())
        }
        Err(_) => ExitCode::from(101),
    }
}

fn show(failure: &Failure, console: &Console) {
    let Failure::Wrong(list, sources) = failure else {
        return;
    };
    console.show(list, sources);
    if console.is_json() {
        console.json(&json!({ "error": true, "exit_status": failure.status(), "diagnostics": diagnostics::all_to_json(&list.0, sources) }));
    }
}

/// Logs go to standard error: `RUST_LOG` if it is set, else as `-v` and `-q` say.
fn log(common: &Common, console: &Console) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (_, 0) => "warn",
        (_, 1) => "info",
        (_, 2) => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| {
        EnvFilter::new(format!(
            "warn,synfire={level},wgpu_core=error,wgpu_hal=off,naga=error"
        ))
    });
    let colors = console.color && std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colors)
        .without_time()
        .try_init();
}

/// What is said when something that cannot happen has happened.
fn report_bug(info: &std::panic::PanicHookInfo<'_>) {
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .map(|s| s.to_string())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    let place = info
        .location()
        .map_or(String::new(), |l| format!(" ({}:{})", l.file(), l.line()));
    let command: Vec<String> = std::env::args().collect();
    eprintln!(
        "synfire: this is a bug: {}{place}",
        what.as_deref().unwrap_or("panic")
    );
    eprintln!(
        "Please report it at {}/issues with",
        env!("CARGO_PKG_REPOSITORY")
    );
    eprintln!("  - the command: {}", command.join(" "));
    eprintln!(
        "  - the version: {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    eprintln!("  - the network file, if you may share it.");
}
