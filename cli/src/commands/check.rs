//! `check`: is the network right, and what is in it?

use crate::args::CheckArgs;
use crate::commands::compile;
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::network::{self, Loaded};
use crate::table::{Side, Table, paragraph};
use crate::units::{
    bytes, count, free_memory, number_of, percent, resident_memory, seconds, short,
};
use crate::{diagnostics, mapping, targets};
use serde_json::{Value, json};
use synfire_compiler::CompileOptions;
use synfire_compiler::ideal::{self, Form, IdealOptions};
use synfire_ir::network::{Network, PopKind, Population};
use synfire_ir::program::{Carry, Store};
use synfire_ir::{Diagnostics, Severity};
use synfire_runtime::engine::{Options, cpu};
use synfire_targets::Target;

/// See the module.
pub fn check(args: &CheckArgs, console: &Console) -> Outcome {
    let chosen: Vec<Target<'static>> = match args.target.as_deref() {
        None => vec![],
        Some("all") => synfire_targets::all()
            .iter()
            .flat_map(|c| {
                c.spec
                    .dialects
                    .iter()
                    .filter_map(|d| c.target(Some(&d.name)).ok())
            })
            .collect(),
        Some(name) => vec![targets::find(name)?],
    };
    let loaded = network::read(&args.net, &args.network, console)?;
    let fits: Vec<Fit> = chosen.iter().map(|t| try_on(&loaded, *t, args)).collect();
    let held = held(&loaded);
    if console.is_json() {
        let mut value = facts(&loaded, &held);
        if args.target.is_some() {
            value["targets"] = fits.iter().map(|f| f.json(&loaded)).collect();
        }
        console.json(&value);
    } else if !console.quiet {
        console.print(&summary(&loaded, &held, console));
        if !fits.is_empty() {
            console.print(&format!("\n{}", verdicts(&fits, console)));
        }
    }
    // One target is a question with an answer; `all` is a survey.
    match (args.target.as_deref(), fits.into_iter().next()) {
        (Some(name), Some(Fit { result: Err(d), .. })) if name != "all" => {
            Err(match console.is_json() {
                true => status_only(d, &loaded, console),
                false => loaded.wrong(d),
            })
        }
        _ => Ok(()),
    }
}

/// The JSON document is out already: the diagnostics go to standard error alone.
fn status_only(d: Diagnostics, loaded: &Loaded, console: &Console) -> Failure {
    console.show(&d, &loaded.sources);
    Failure::Told(Failure::Wrong(d, loaded.sources.clone()).status())
}

/// Whether a network fits a target.
struct Fit {
    target: String,
    result: Result<Value, Diagnostics>,
}

fn try_on(loaded: &Loaded, target: Target<'_>, args: &CheckArgs) -> Fit {
    let quiet = Console::silent();
    let result = match compile::map(
        loaded,
        target,
        CompileOptions::default(),
        &args.network,
        &quiet,
    ) {
        Ok(made) => Ok(made.report),
        Err(Failure::Wrong(d, _)) => Err(d),
        Err(_) => Err(Diagnostics::new()),
    };
    Fit {
        target: target.name(),
        result,
    }
}

impl Fit {
    fn json(&self, loaded: &Loaded) -> Value {
        match &self.result {
            Ok(report) => {
                json!({ "target": self.target, "fits": true, "cores_used": report["cores_used"], "cores_available": report["cores_available"],
                "utilisation": report["utilisation"], "quantisation": report["quantisation"] })
            }
            Err(d) => {
                json!({ "target": self.target, "fits": false, "diagnostics": diagnostics::all_to_json(&d.0, &loaded.sources) })
            }
        }
    }
}

fn verdicts(fits: &[Fit], console: &Console) -> String {
    let head = [
        ("target", Side::Left),
        ("fits", Side::Left),
        ("cores", Side::Right),
        ("fullest", Side::Right),
        ("binds first", Side::Left),
    ];
    let mut table = Table::new(&head);
    let mut reasons = String::new();
    for f in fits {
        match &f.result {
            Ok(report) => {
                let m = mapping::Mapped::of(report);
                let full = m
                    .cores
                    .iter()
                    .filter_map(|c| m.binding(c))
                    .reduce(|a, b| if b.1 > a.1 { b } else { a });
                let cores = match m.available {
                    Some(n) => format!("{} of {}", count(m.cores.len() as u64), count(n)),
                    None => count(m.cores.len() as u64),
                };
                let share = full.map_or("-".into(), |x| percent(x.1));
                table.row([
                    f.target.clone(),
                    "yes".into(),
                    cores,
                    share,
                    full.map_or("-", |x| mapping::RESOURCES[x.0]).into(),
                ]);
            }
            Err(d) => {
                table.row([
                    f.target.clone(),
                    "no".into(),
                    "-".into(),
                    "-".into(),
                    "-".into(),
                ]);
                reasons += &reason(&f.target, d, console);
            }
        }
    }
    let mut out = table.render(console);
    if !reasons.is_empty() {
        out += &format!("\n{reasons}");
    }
    out
}

/// Why a network does not fit: its first error, and how many there are.
fn reason(target: &str, d: &Diagnostics, console: &Console) -> String {
    let errors: Vec<_> =
        d.0.iter()
            .filter(|d| d.severity == Severity::Error)
            .collect();
    let Some(first) = errors.first() else {
        return format!("{target}: interrupted\n");
    };
    let more = match errors.len() {
        1 => String::new(),
        n => format!(" (and {} more; --target {target} shows all)", n - 1),
    };
    let name = if first.message.contains(target) {
        String::new()
    } else {
        format!("{target}: ")
    };
    paragraph(
        &format!("- {name}{}{more}", first.message),
        console.width,
        2,
    )
}

/// How a run would hold the network.
struct Held {
    /// Bytes of the whole process at its peak: as the CPU engine predicts them for one thread, and what the process has now.
    memory: u64,
    /// The form of each projection; empty where it would take long to tell.
    forms: Vec<Form>,
}

/// Most synapses that are listed only to tell how they are held.
const LISTED_SYNAPSES: f64 = 2e7;

fn held(loaded: &Loaded) -> Held {
    let net = &loaded.network;
    let base = resident_memory().unwrap_or(0);
    let options = IdealOptions {
        narrow: true,
        memory: free_memory(),
        ..IdealOptions::default()
    };
    let listed: f64 = net
        .projections()
        .filter(|(id, ..)| net.generated(*id, 1, Store::F32).is_none())
        .map(|(id, ..)| net.synapses_of(id))
        .sum();
    let made = (listed <= LISTED_SYNAPSES).then(|| ideal::lower(net, &options));
    let one = Options {
        threads: 1,
        ..Options::default()
    };
    match made {
        Some(Ok(made)) => Held {
            memory: base + cpu::predicted_bytes(&made.program, &one),
            forms: made.forms,
        },
        _ => Held {
            memory: base + roughly(net),
            forms: vec![],
        },
    }
}

/// Bytes that an engine will need, roughly: states and parameters of neurons, and 8 bytes a synapse.
fn roughly(net: &Network) -> u64 {
    let units: f64 = net
        .populations()
        .map(|(id, p)| {
            let words = net.model_of(id).map_or(1, |m| {
                m.model.states.len() + m.model.params.len() + m.model.ports.len()
            });
            p.size() as f64 * words as f64 * 4.0
        })
        .sum();
    let synapses: f64 = net.projections().map(|(id, ..)| net.synapses_of(id)).sum();
    (units + synapses * 8.0) as u64
}

fn kind(net: &Network, p: &Population) -> String {
    match &p.kind {
        PopKind::Events { graded: false } => "events (input)".into(),
        PopKind::Events { graded: true } => "signal (input)".into(),
        PopKind::Neurons { model, .. } => net
            .models
            .get(*model as usize)
            .map_or(String::new(), |m| m.model.name.clone()),
    }
}

fn shape(p: &Population) -> String {
    p.shape
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(" x ")
}

fn facts(loaded: &Loaded, held: &Held) -> Value {
    let net: &Network = &loaded.network;
    let form = |name: &str| held.forms.iter().find(|f| f.projection == name);
    let populations: Vec<Value> = net
        .populations()
        .map(|(_, p)| json!({ "name": p.name, "size": p.size(), "shape": p.shape, "model": kind(net, p), "source": p.is_source, "input": matches!(p.kind, PopKind::Events { .. }) }))
        .collect();
    let name = |id| {
        net.graph
            .node_weight(id)
            .map_or("", |p: &Population| p.name.as_str())
    };
    let projections: Vec<Value> = net
        .projections()
        .map(|(id, a, b, p)| json!({ "name": p.name, "from": name(a), "to": name(b), "synapses": net.synapses_of(id).round() as u64, "analog": p.carry != Carry::Events,
            "form": form(&p.name).map(|f| f.form), "reason": form(&p.name).map(|f| f.reason) }))
        .collect();
    let synapses: f64 = net.projections().map(|(id, ..)| net.synapses_of(id)).sum();
    json!({
        "network": net.name, "dt_ms": net.dt.map(|dt| (dt * 1e15).round() / 1e12), "seed": net.seed_or_default(), "run_steps": net.run,
        "neurons": net.neurons(), "synapses": synapses.round() as u64, "memory_bytes": held.memory,
        "populations": populations, "projections": projections,
        "warnings": diagnostics::all_to_json(&loaded.warnings.0, &loaded.sources),
    })
}

fn summary(loaded: &Loaded, held: &Held, console: &Console) -> String {
    let net: &Network = &loaded.network;
    let synapses: f64 = net.projections().map(|(id, ..)| net.synapses_of(id)).sum();
    let mut head = vec![
        number_of(net.neurons(), "neuron", "neurons"),
        number_of(synapses.round() as u64, "synapse", "synapses"),
    ];
    head.push(
        net.dt
            .map_or("no time unit".into(), |dt| format!("dt {}", seconds(dt))),
    );
    head.push(format!("seed {}", net.seed_or_default()));
    if let Some(n) = net.run {
        head.push(match net.dt {
            Some(dt) => format!("runs {}", seconds(dt * f64::from(n))),
            None => format!("runs {}", number_of(n.into(), "step", "steps")),
        });
    }
    head.push(format!("about {} in memory", bytes(held.memory)));
    let mut out = format!("{}\n{}\n", console.bold(&net.name), head.join(" · "));
    out += &format!("\n{}", populations(net, console));
    if net.projections().next().is_some() {
        out += &format!("\n{}", projections(net, held, console));
    }
    out
}

fn populations(net: &Network, console: &Console) -> String {
    let mut table = Table::new(&[
        ("population", Side::Left),
        ("size", Side::Right),
        ("shape", Side::Left),
        ("model", Side::Left),
    ]);
    for (_, p) in net.populations() {
        let shape = if p.shape.len() > 1 {
            shape(p)
        } else {
            String::new()
        };
        let source = if p.is_source && !matches!(p.kind, PopKind::Events { .. }) {
            " (source)"
        } else {
            ""
        };
        table.row([
            p.name.clone(),
            count(p.size()),
            shape,
            kind(net, p) + source,
        ]);
    }
    table.render(console)
}

/// Most projections listed.
const LISTED: usize = 40;

fn projections(net: &Network, held: &Held, console: &Console) -> String {
    let mut table = Table::new(&[
        ("projection", Side::Left),
        ("synapses", Side::Right),
        ("in-degree", Side::Right),
        ("held as", Side::Left),
    ]);
    let all: Vec<_> = net.projections().collect();
    for (id, a, b, p) in all.iter().take(LISTED) {
        let name = |id| {
            net.graph
                .node_weight(id)
                .map_or("", |p: &Population| p.name.as_str())
        };
        let n = net.synapses_of(*id);
        let ends = format!("{} -> {}", name(*a), name(*b));
        table.row([
            ends,
            count(n.round() as u64),
            short(n / f64::from(p.target_range.len.max(1))),
            (held.forms.iter())
                .find(|f| f.projection == p.name)
                .map_or("-", |f| f.form)
                .into(),
        ]);
    }
    let mut out = table.render(console);
    if all.len() > LISTED {
        out += &console.dim(&format!("... and {} more\n", all.len() - LISTED));
    }
    out
}
