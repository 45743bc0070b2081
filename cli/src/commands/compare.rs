//! `compare`: how far a chip's spikes are from the ideal ones, and why.

use crate::args::{ArithmeticArg, CompareArgs, RunOptions};
use crate::calibrate::watched;
use crate::commands::compile;
use crate::console::Console;
use crate::distance::{Distance, distances};
use crate::execute::{self, Ran};
use crate::failure::{Failure, Outcome};
use crate::network;
use crate::table::{Side, Table};
use crate::targets;
use crate::units::{count, number_of, percent, seconds, short};
use serde_json::{Value, json};
use std::time::Instant;
use synfire_compiler::CompileOptions;
use synfire_ir::{Class, Diagnostic};

/// See the module.
pub fn compare(args: &CompareArgs, console: &Console) -> Outcome {
    let begin = Instant::now();
    execute::one_standard_input(&args.net, &args.run.input)?;
    let target = targets::find(&args.target)?;
    compile::check_options(&target, &args.options)?;
    let mut loaded = network::read(&args.net, &args.network, console)?;
    let made = compile::map(
        &loaded,
        target,
        CompileOptions {
            seed: args.run.seed,
            options: args.options.clone(),
            ..CompileOptions::default()
        },
        &args.network,
        console,
    )?;
    if args.inside {
        loaded.network = watched(&loaded.network)?;
    }
    let subject = execute::ideal(&loaded, &args.run, console)?;
    let input = execute::inputs(&args.run.input, subject.plan.populations())?;
    let whole = execute::Long::default();
    let ideal = execute::run(subject, &args.run, &input, &whole, begin, console)?;
    if !ideal.recording.complete {
        return Err(Failure::Interrupted);
    }

    let begin = Instant::now();
    let on_chip = RunOptions {
        arithmetic: ArithmeticArg::Auto,
        steps: Some(ideal.length.steps),
        time: None,
        seed: None,
        ..args.run.clone()
    };
    let subject = execute::emulated(&made.artifact, &on_chip, args.inside)?;
    let same = subject
        .plan
        .populations()
        .iter()
        .zip(&ideal.populations)
        .all(|(a, b)| (&a.name, a.size) == (&b.name, b.size));
    if !same || subject.plan.populations().len() != ideal.populations.len() {
        return Err(Diagnostic::error(
            "SYN0704",
            "the artefact's populations are not those of the network",
        )
        .class(Class::Input)
        .hint("this should not happen; please report it with the network")
        .into());
    }
    let chip = execute::run(subject, &on_chip, &input, &whole, begin, console)?;
    if !chip.recording.complete {
        return Err(Failure::Interrupted);
    }
    let rows = distances(&ideal, &chip, args.tolerance);
    let why = why(&made.report);
    if console.is_json() {
        console.json(&facts(&ideal, &chip, &rows, args.tolerance, &made.report));
    } else {
        console.print(&summary(
            &ideal,
            &chip,
            &rows,
            args.tolerance,
            &why,
            console,
        ));
    }
    Ok(())
}

/// The causes that the compilation knows of.
fn why(report: &Value) -> Vec<String> {
    let mut lines = compile::notes(report);
    let rounded = report["delays_rounded"].as_u64().unwrap_or(0);
    if rounded > 0 {
        lines.push(format!("delays: {} rounded to steps", count(rounded)));
    }
    lines
}

fn facts(ideal: &Ran, chip: &Ran, rows: &[Distance], tolerance: u32, report: &Value) -> Value {
    let all = Distance::total(rows);
    let json = |d: &Distance| {
        json!({
            "name": d.name, "size": d.size, "spikes_ideal": d.ideal, "spikes_chip": d.chip, "exact": d.exact, "within_tolerance": d.near,
            "agreement": d.agreement(), "mean_shift_steps": d.mean_shift(), "rate_error": d.rate_error(), "first_difference_step": d.first,
        })
    };
    json!({
        "network": ideal.name, "target": chip.target, "steps": ideal.recording.steps, "seed": ideal.seed, "tolerance_steps": tolerance,
        "batch": ideal.recording.data.batch, "identical": rows.iter().all(|d| d.first.is_none()),
        "spikes_ideal": all.ideal, "spikes_chip": all.chip, "agreement": all.agreement(),
        "populations": rows.iter().map(json).collect::<Vec<_>>(),
        "quantisation": report["quantisation"], "shifts": report["shifts"],
        "ideal_run_s": ideal.recording.run_s, "chip_run_s": chip.recording.run_s,
    })
}

fn summary(
    ideal: &Ran,
    chip: &Ran,
    rows: &[Distance],
    tolerance: u32,
    why: &[String],
    console: &Console,
) -> String {
    let target = chip.target.as_deref().unwrap_or("");
    let mut out = format!(
        "{}: ideal and on {}\n",
        console.bold(&ideal.name),
        console.bold(target)
    );
    let length = match ideal.dt {
        Some(dt) => format!("{} × {}", count(ideal.recording.steps.into()), seconds(dt)),
        None => number_of(ideal.recording.steps.into(), "step", "steps"),
    };
    out += &format!(
        "{length} · seed {} · ideal ran {} · chip ran {}\n\n",
        ideal.seed,
        seconds(ideal.recording.run_s),
        seconds(chip.recording.run_s)
    );
    if rows.is_empty() {
        return out + "Both recorded nothing to compare.\n";
    }
    let near = format!("±{tolerance}");
    let mut table = Table::new(&[
        ("population", Side::Left),
        ("ideal", Side::Right),
        ("chip", Side::Right),
        ("exact", Side::Right),
        (near.as_str(), Side::Right),
        ("agreement", Side::Right),
        ("shift", Side::Right),
        ("first", Side::Right),
    ]);
    let all = Distance::total(rows);
    for d in rows.iter().chain((rows.len() > 1).then_some(&all)) {
        table.row([
            d.name.clone(),
            count(d.ideal),
            count(d.chip),
            count(d.exact),
            count(d.near),
            percent(d.agreement()),
            d.mean_shift().map_or("-".into(), |x| {
                format!("{}{}", if x > 0.0 { "+" } else { "" }, short(x))
            }),
            d.first.map_or("-".into(), |s| count(s.into())),
        ]);
    }
    out += &table.render(console);
    out += &console.dim(&format!(
        "\nexact: same neuron, same step; {near}: same neuron, at most {} apart; agreement: matched\nspikes over all (F1); shift: mean steps that matched spikes come late on the chip;\nfirst: step of the first difference\n",
        number_of(tolerance.into(), "step", "steps")
    ));
    out.push('\n');
    if rows.iter().all(|d| d.first.is_none()) {
        out += "The two runs are identical.\n";
    }
    why.iter().for_each(|l| out += &format!("{l}\n"));
    out
}
