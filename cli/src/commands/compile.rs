//! `compile`: a network mapped onto a chip.

use super::earlier;
use crate::args::{CompileArgs, NetworkArgs};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::mapping::{Mapped, list};
use crate::network::{self, Loaded};
use crate::progress::Bar;
use crate::units::{bytes, number_of, peak_memory, seconds, short};
use crate::{calibrate, diagnostics, estimates, files, interrupt, report, targets};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Instant;
use synfire_compiler::{CompileOptions, Compiled};
use synfire_ir::{Class, Diagnostic, Diagnostics, diag::nearest};
use synfire_targets::Target;
use synfire_targets::estimate::Estimate;

/// See the module.
pub fn compile(args: &CompileArgs, console: &Console) -> Outcome {
    let begin = Instant::now();
    let target = targets::find(&args.target)?;
    check_options(&target, &args.options)?;
    if !args.dump.is_empty() && console.is_json() {
        return Err(Diagnostic::error(
            "SYN0914",
            "standard output cannot hold both the JSON result and a dump",
        )
        .class(Class::Usage)
        .hint("leave --dump or --format json away")
        .into());
    }
    let loaded = network::read(&args.net, &args.network, console)?;
    let options = CompileOptions {
        seed: args.seed,
        dumps: args.dump.clone(),
        options: args.options.clone(),
        ..earlier::options(&args.mapper, &target)?
    };
    let options = match &args.calibrate {
        Some(spikes) => {
            let found = calibrate::search(&loaded, target, spikes, &options, console)?;
            CompileOptions {
                tuning: found.tuning,
                calibration: found.report,
                ..options
            }
        }
        None => options,
    };
    let made = map(&loaded, target, options, &args.network, console)?;
    let artefact = made.artifact.to_bytes()?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| default_output(args, &loaded));
    if interrupt::asked() {
        return Err(Failure::Interrupted);
    }
    files::write(&output, &artefact)?;
    let facts = facts(
        &made,
        begin,
        artefact.len(),
        &output.display().to_string(),
        &loaded,
    );
    if let Some(path) = &args.report {
        files::write(
            path,
            report::compile_page(&facts, &made.artifact).as_bytes(),
        )?;
    }
    for (pass, text) in &made.dumps {
        console.print(&format!("// after {pass}\n{text}\n"));
    }
    if console.is_json() {
        console.json(&facts);
    } else if !console.quiet && args.dump.is_empty() {
        console.print(&summary(&facts, args, console));
    }
    Ok(())
}

/// Runs the passes; warnings are shown.
pub fn map(
    loaded: &Loaded,
    target: Target<'_>,
    mut options: CompileOptions,
    network: &NetworkArgs,
    console: &Console,
) -> Result<Compiled, Failure> {
    let set = network
        .set
        .iter()
        .map(|(k, v)| (format!("set.{k}"), v.clone()));
    options.options = set.chain(options.options).collect();
    options.source_hash = loaded.hash;
    let bar = Bar::new(console);
    let made = synfire_compiler::compile(&loaded.network, target, &options, &bar);
    bar.finish();
    let made = made.map_err(|d| {
        if interrupt::asked() {
            Failure::Interrupted
        } else {
            loaded.wrong(d)
        }
    })?;
    console.show(&made.warnings, &loaded.sources);
    for pass in list(&made.report["passes"]) {
        tracing::debug!(pass = pass["name"].as_str(), s = pass["s"].as_f64(), "done");
    }
    Ok(made)
}

/// Are these options of the target?
pub fn check_options(target: &Target<'_>, options: &[(String, String)]) -> Result<(), Diagnostics> {
    let known: Vec<&str> = target
        .chip
        .spec
        .options
        .iter()
        .map(|o| o.key.as_str())
        .collect();
    let mut found = Diagnostics::new();
    for (key, _) in options.iter().filter(|(k, _)| !known.contains(&k.as_str())) {
        let error = Diagnostic::error(
            "SYN0606",
            format!("{} has no option `{key}`", target.name()),
        )
        .class(Class::Usage)
        .field("option", key);
        found.push(match (nearest(key, known.iter().copied()), &known[..]) {
            (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
            (None, []) => error.hint("it has no options at all"),
            (None, all) => error.hint(format!("its options are {}", all.join(", "))),
        });
    }
    found.result(())
}

fn default_output(args: &CompileArgs, loaded: &Loaded) -> PathBuf {
    let stem = args
        .net
        .file_stem()
        .filter(|_| !files::is_standard(&args.net));
    let stem = stem.map_or_else(|| OsString::from(&loaded.network.name), OsString::from);
    let mut name = stem;
    name.push(".synx");
    PathBuf::from(name)
}

fn facts(made: &Compiled, begin: Instant, size: usize, output: &str, loaded: &Loaded) -> Value {
    let mut facts = made.report.clone();
    let mut warnings = diagnostics::all_to_json(&loaded.warnings.0, &loaded.sources);
    warnings.extend(diagnostics::all_to_json(&made.warnings.0, &loaded.sources));
    facts["seed"] = json!(made.artifact.header.seed);
    facts["compile_s"] = json!(begin.elapsed().as_secs_f64());
    facts["peak_memory_bytes"] = json!(peak_memory());
    facts["artefact_bytes"] = json!(size);
    facts["artefact"] = json!(output);
    facts["warnings"] = json!(warnings);
    // Of one step in which every neuron spikes once.
    facts["estimates"] = json!(estimates::of_mapping(&made.report, loaded.network.dt));
    facts
}

fn summary(facts: &Value, args: &CompileArgs, console: &Console) -> String {
    let text = |k: &str| facts[k].as_str().unwrap_or("").to_string();
    let whole = |k: &str| facts[k].as_u64().unwrap_or(0);
    let mapped = Mapped::of(facts);
    let mut out = format!(
        "{} on {}\n",
        console.bold(&text("network")),
        console.bold(&text("target"))
    );
    let cores = match mapped.available {
        Some(n) => format!(
            "{} of {} cores",
            whole("cores_used"),
            crate::units::count(n)
        ),
        None => number_of(whole("cores_used"), "core", "cores"),
    };
    let scale = [
        number_of(whole("neurons"), "neuron", "neurons"),
        number_of(whole("synapses"), "synapse", "synapses"),
        cores,
    ];
    out += &format!(
        "{} · seed {} · {}\n\n",
        scale.join(" · "),
        whole("seed"),
        seconds(facts["compile_s"].as_f64().unwrap_or(0.0))
    );
    out += &mapped.table(console);
    let mut lines = notes(facts);
    let estimated = serde_json::from_value(facts["estimates"].clone()).ok();
    let estimated = estimated.map(|e: Estimate| estimates::line(&e));
    if let Some(line) = estimated.filter(|l| !l.is_empty()) {
        lines.push(format!(
            "estimated for a step in which every neuron spikes: {line}"
        ));
    }
    if !lines.is_empty() {
        out.push('\n');
        lines.iter().for_each(|l| out += &format!("{l}\n"));
    }
    if console.verbose > 0 {
        let times: Vec<String> = list(&facts["passes"])
            .iter()
            .map(|p| {
                format!(
                    "{} {}",
                    p["name"].as_str().unwrap_or(""),
                    seconds(p["s"].as_f64().unwrap_or(0.0))
                )
            })
            .collect();
        out += &format!("passes: {}\n", times.join(", "));
    }
    out += &format!(
        "\nwrote {} ({})\n",
        text("artefact"),
        bytes(whole("artefact_bytes"))
    );
    if let Some(path) = &args.report {
        out += &format!("wrote {}\n", path.display());
    }
    out
}

/// What the mapping cost, in sentences: quantisation, copies, latency.
pub fn notes(facts: &Value) -> Vec<String> {
    let q = &facts["quantisation"];
    let whole = |v: &Value| v.as_u64().unwrap_or(0);
    let mut lines = vec![];
    let counts = [
        ("weights_rounded", "rounded"),
        ("weights_clipped", "clipped"),
        ("weights_lost", "became 0"),
    ];
    let what: Vec<String> = counts
        .iter()
        .filter(|(k, _)| whole(&q[*k]) > 0)
        .map(|(k, w)| format!("{} {w}", crate::units::count(whole(&q[*k]))))
        .collect();
    if what.is_empty() {
        lines.push("quantisation: every weight is exact".to_string());
    } else {
        let error = q["max_weight_error"]
            .as_f64()
            .map_or(String::new(), |e| format!("; largest error {}", short(e)));
        lines.push(format!("quantisation: weights {}{error}", what.join(", ")));
    }
    lines.extend(calibrated(&facts["calibration"]));
    if whole(&facts["copies"]) > 0 {
        lines.push(format!(
            "copies: {} extra slots for neurons whose spikes go to several places",
            crate::units::count(whole(&facts["copies"]))
        ));
    }
    if let (Some(remote), Some(hops)) = (
        facts["metrics"]["remote"].as_u64(),
        facts["metrics"]["mc_hops"].as_u64(),
    ) && remote > 0
    {
        lines.push(format!(
            "traffic, one spike a neuron: remote {}, mc_hops {} ({})",
            crate::units::count(remote),
            crate::units::count(hops),
            facts["search"]["partition"].as_str().unwrap_or("")
        ));
    }
    if let Some(m) = facts["moved"].as_object() {
        let n = |k: &str| crate::units::count(m.get(k).map_or(0, whole));
        lines.push(format!(
            "changed: {} neurons stayed where they were, {} moved, {} are new",
            n("stayed"),
            n("moved"),
            n("new")
        ));
    }
    let late: Vec<String> = list(&facts["shifts"])
        .iter()
        .map(|s| {
            format!(
                "{} +{}",
                s["population"].as_str().unwrap_or(""),
                whole(&s["steps"])
            )
        })
        .collect();
    if !late.is_empty() {
        let shown = late.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
        let more = if late.len() > 8 {
            format!(" and {} more", late.len() - 8)
        } else {
            String::new()
        };
        lines.push(format!(
            "latency in steps, taken off again by `run`: {shown}{more}"
        ));
    }
    lines
}

/// What a calibration changed, and what it brought.
fn calibrated(found: &Value) -> Vec<String> {
    let score = |k: &str| found[k]["score"].as_f64();
    let (Some(plain), Some(best)) = (score("plain"), score("found")) else {
        return vec![];
    };
    let mut lines = vec![format!(
        "calibrated in {}: likeness to the network {:.1} % with plain rounding, {:.1} % now",
        number_of(found["trials"].as_u64().unwrap_or(0), "trial", "trials"),
        100.0 * plain,
        100.0 * best
    )];
    let held = &found["held_out"];
    if let (Some(gain), Some(error)) = (held["gain"].as_f64(), held["error"].as_f64()) {
        let verdict = match gain > error {
            true => "taken",
            false => "within its error, so that plain rounding stays",
        };
        lines.push(format!(
            "  on {} that the search did not know the best settings gain {:.1} % (standard error {:.1} %): {verdict}",
            number_of(held["inputs"].as_u64().unwrap_or(0), "input", "inputs"),
            100.0 * gain,
            100.0 * error
        ));
    }
    for s in list(&found["settings"]) {
        let value = |k: &str| short(s[k].as_f64().unwrap_or(0.0));
        lines.push(format!(
            "  {}: factor {}, weights clipped at {} of the largest, threshold {}, leak halved {} times",
            s["population"].as_str().unwrap_or(""),
            value("factor"),
            value("clip"),
            value("threshold"),
            s["leak"].as_i64().unwrap_or(0)
        ));
    }
    lines
}
