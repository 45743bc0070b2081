//! `check`: is the network right, and what is in it?

use crate::args::CheckArgs;
use crate::commands::fit::{self, Fit};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::lowering::{self, Wish};
use crate::network::{self, Loaded};
use crate::table::{Side, Table};
use crate::units::{bytes, count, number_of, resident_memory, seconds, short};
use crate::{diagnostics, targets};
use serde_json::{Value, json};
use synfire_compiler::ideal::{self, Form};
use synfire_ir::Diagnostics;
use synfire_ir::network::{Network, PopKind, Population};
use synfire_ir::program::{Carry, Store};
use synfire_runtime::engine::{Options, cpu};

/// See the module.
pub fn check(args: &CheckArgs, console: &Console) -> Outcome {
    let chosen = targets::chosen(args.target.as_deref())?;
    let loaded = network::read(&args.net, &args.network, console)?;
    let fits: Vec<Fit> = (chosen.iter())
        .map(|t| fit::of(&loaded, *t, &args.network))
        .collect();
    let held = held(&loaded, args);
    if console.is_json() {
        let mut value = facts(&loaded, &held);
        if args.target.is_some() {
            value["targets"] = fits.iter().map(|f| f.json(&loaded)).collect();
        }
        console.json(&value);
    } else if !console.quiet {
        console.print(&summary(&loaded, &held, console));
        if !fits.is_empty() {
            console.print(&format!("\n{}", fit::table(&fits, console)));
        }
    }
    if args.memory_limit.is_some() {
        held.fits.map_err(|d| loaded.wrong(d))?;
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

/// How a run would hold the network.
struct Held {
    /// Bytes of the whole process at its peak: as the CPU engine predicts them for one thread, and what the process has now.
    memory: u64,
    /// The form of each projection; empty where it would take long to tell.
    forms: Vec<Form>,
    /// Would an engine take it?
    fits: Result<(), Diagnostics>,
}

/// Most synapses that are listed only to tell how they are held.
const LISTED_SYNAPSES: f64 = 2e7;

fn held(loaded: &Loaded, args: &CheckArgs) -> Held {
    let net = &loaded.network;
    let base = resident_memory().unwrap_or(0);
    let one = Options {
        threads: 1,
        memory: args.memory_limit,
        ..Options::default()
    };
    let wish = Wish {
        synapses: args.synapses,
        engine: one.clone(),
        ..Wish::default()
    };
    let listed: f64 = net
        .projections()
        .filter(|(id, ..)| net.generated(*id, 1, Store::F32).is_none())
        .map(|(id, ..)| net.synapses_of(id))
        .sum();
    let asked = listed <= LISTED_SYNAPSES || args.memory_limit.is_some();
    match asked.then(|| lowering::lower(net, &wish)) {
        Some(Ok(made)) => Held {
            memory: base + cpu::predicted_bytes(&made.program, &one),
            fits: cpu::fits(&made.program, &one),
            forms: made.forms,
        },
        other => Held {
            memory: base + roughly(net),
            fits: other.map_or(Ok(()), |made| made.map(|_| ())),
            forms: vec![],
        },
    }
}

/// Bytes that an engine will need, roughly: states and parameters of neurons, what lists of synapses take while they are laid out,
/// and 8 bytes a synapse of rules.
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
    let rules = (net.projections()).filter(|(id, ..)| net.generated(*id, 1, Store::F32).is_some());
    let rules: f64 = rules.map(|(id, ..)| net.synapses_of(id)).sum();
    ideal::rows_bytes(net).saturating_add((units + rules * 8.0) as u64)
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
