//! `test`: all experiments of network files, each run and held against what it expects.

use super::run::headline;
use crate::args::{NetworkArgs, TestArgs};
use crate::console::Console;
use crate::execute::{self, Long};
use crate::experiment::{self, Verdict};
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::units::number_of;
use serde::Serialize;
use std::path::Path;
use std::time::Instant;
use synfire_ir::Diagnostic;
use synfire_lang::resolve::experiments;

#[derive(Serialize)]
struct Tested {
    file: String,
    experiment: String,
    network: String,
    held: bool,
    expectations: Vec<Verdict>,
}

/// See the module.
pub fn test(args: &TestArgs, console: &Console) -> Outcome {
    let (mut done, mut expected) = (vec![], 0);
    for path in &args.files {
        let bytes = files::read(path)?;
        let names = experiments(&String::from_utf8_lossy(&bytes));
        if names.is_empty() {
            // What keeps the file from being read is said first.
            crate::network::load(path, bytes, &args.network, console)?;
            return Err(no_experiment(path).into());
        }
        for name in names {
            let tested = one(path, bytes.clone(), &name, args, console)?;
            expected += tested.expectations.len();
            done.push(tested);
        }
    }
    let failed = done.iter().filter(|t| !t.held).count();
    if console.is_json() {
        console.json(&serde_json::json!({ "experiments": done, "failed": failed }));
    } else {
        let n = number_of(done.len() as u64, "experiment", "experiments");
        let e = number_of(expected as u64, "expectation", "expectations");
        console.print(&format!("{n}, {e}, {failed} failed\n"));
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::Told(1)),
    }
}

/// Runs one experiment and says what came of it.
fn one(
    path: &Path,
    bytes: Vec<u8>,
    name: &str,
    args: &TestArgs,
    console: &Console,
) -> Result<Tested, Failure> {
    let begin = Instant::now();
    let network = NetworkArgs {
        experiment: Some(name.into()),
        ..args.network.clone()
    };
    let loaded = crate::network::load(path, bytes.clone(), &network, console)?;
    let subject = execute::ideal(&loaded, &args.run, console)?;
    let input = execute::inputs(&args.run.input, subject.plan.populations())?;
    let ran = execute::run(subject, &args.run, &input, &Long::default(), begin, console)?;
    if !ran.recording.complete {
        return Err(Failure::Interrupted);
    }
    let (found, sources) =
        experiment::judge(path, bytes, &network, &loaded.expectations, &ran, console)?;
    let broken = experiment::broken(name, &found);
    console.show(&broken, &sources);
    if !console.is_json() {
        let mark = if broken.is_empty() { "holds" } else { "FAILS" };
        console.print(&format!("{mark}  {}: {name}\n", files::shown(path)));
        for e in &found {
            let mark = if e.held == Some(true) {
                "  ok  "
            } else {
                "  no  "
            };
            console.print(&format!("{mark}{}; {}\n", e.text, e.found.join(", ")));
        }
        tracing::info!("{}", headline(&ran, &console.plain()));
    }
    Ok(Tested {
        file: files::shown(path),
        experiment: name.into(),
        network: ran.name.clone(),
        held: broken.is_empty(),
        expectations: experiment::verdicts(&found),
    })
}

fn no_experiment(path: &Path) -> Diagnostic {
    let file = files::shown(path);
    Diagnostic::error("SYN0108", format!("`{file}` declares no experiment"))
        .at(file)
        .hint("write `experiment name of Network() { run 1 s; expect mean_rate(a) > 1 Hz }`")
}
