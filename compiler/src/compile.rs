//! `compile`: all passes in order, from a verified network to an artefact and its report.

use crate::map::chip::measure::{costs, measure};
use crate::map::chip::mesh::{Dead, available, placement};
use crate::map::chip::route::route;
use crate::map::chip::{self, Limits, Partition};
use crate::map::layout::Goal;
use crate::map::search::{Budget, Search};
use crate::map::symbolic::source;
use crate::passes::{
    self, ChipNetwork, emit::emit, learn, quantise::Tuning, quantise::quantise, relay,
    schedule::schedule,
};
use crate::resources::resources;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use synfire_ir::artifact::{Artifact, Header, Section, SectionKind};
use synfire_ir::mapping::{Mapping, UnitRef};
use synfire_ir::network::{Network, Verified};
use synfire_ir::{Class, Diagnostic, Diagnostics, Progress};
use synfire_targets::Target;
use synfire_targets::layers::Layers;
use synfire_targets::schema::{Connectivity, Scope};

/// How to compile.
#[derive(Clone, Debug)]
pub struct CompileOptions {
    /// Effort of the mapper: 0 in order, 1 quick, 2 thorough, 3 as good as it gets.
    pub opt: usize,
    /// The mapper stops after this and takes the best that it has; results then depend on the machine's speed.
    pub time_limit: Option<Duration>,
    /// Searches at a time; 0: as many as there are processors. Results do not depend on it.
    pub threads: usize,
    /// What the placement makes small.
    pub goal: Goal,
    /// Cores that stay empty and links that pass nothing, beside what the chip says.
    pub dead: Dead,
    /// An earlier mapping that is to change as little as possible.
    pub earlier: Option<Earlier>,
    /// Overrides the network's own seed.
    pub seed: Option<u64>,
    /// Passes whose result is wanted as text (names or aliases of [`passes::PASSES`]; `all`).
    pub dumps: Vec<String>,
    /// Settings of populations beside plain rounding, by name.
    pub tuning: BTreeMap<String, Tuning>,
    /// What a calibration found, for the report; null without one.
    pub calibration: Value,
    /// CRC-32 of the network's source bytes.
    pub source_hash: u32,
    /// Options to be noted in the artefact.
    pub options: Vec<(String, String)>,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions {
            opt: 1,
            time_limit: None,
            threads: 0,
            goal: Goal::default(),
            dead: Dead::default(),
            earlier: None,
            seed: None,
            dumps: vec![],
            tuning: BTreeMap::new(),
            calibration: Value::Null,
            source_hash: 0,
            options: vec![],
        }
    }
}

impl CompileOptions {
    /// The header of an artefact that is made with them.
    pub(crate) fn header(&self, net: &Network, target: &Target, seed: u64) -> Header {
        Header {
            network: net.name.clone(),
            target: target.chip.spec.name.clone(),
            dialect: target.dialect.name.clone(),
            target_version: target.chip.spec.version,
            compiler: env!("CARGO_PKG_VERSION").into(),
            source_hash: self.source_hash,
            options: self.options.clone(),
            seed,
            dt: net.dt,
            run: net.run,
        }
    }

    /// Adds the text of pass `name` to `dumps`, if it is asked for.
    pub(crate) fn dump(
        &self,
        name: &str,
        text: &dyn Fn() -> String,
        dumps: &mut Vec<(String, String)>,
    ) {
        let wanted = |d: &String| d == "all" || passes::find(d).is_some_and(|p| p.name == name);
        if self.dumps.iter().any(wanted) {
            dumps.push((name.to_string(), text()));
        }
    }
}

/// Where an earlier mapping put the units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earlier {
    /// (population, unit, core), the first copy of each unit.
    pub units: Vec<(String, u32, u32)>,
    /// Position of each core.
    pub positions: Vec<(u32, u32)>,
}

/// What `compile` gives.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The artefact.
    pub artifact: Artifact,
    /// The mapping that it was made from.
    pub mapping: Mapping,
    /// Facts for people and programs.
    pub report: Value,
    /// (pass, text) of the dumps asked for.
    pub dumps: Vec<(String, String)>,
    /// Worth knowing.
    pub warnings: Diagnostics,
}

struct Clock {
    start: Instant,
    times: Vec<Value>,
}

impl Clock {
    fn lap(&mut self, name: &str) {
        self.times
            .push(json!({"name": name, "s": self.start.elapsed().as_secs_f64()}));
        self.start = Instant::now();
    }
}

/// Maps a network onto a chip.
///
/// Errors: of class [`Class::Fit`] when it does not fit, each with the limit, the amount, the population and a remedy.
pub fn compile(
    net: &Verified<Network>,
    target: Target,
    options: &CompileOptions,
    progress: &dyn Progress,
) -> Result<Compiled, Diagnostics> {
    check_dumps(&options.dumps)?;
    let Some(backend) = target.chip.backend() else {
        return Err(Diagnostic::error(
            "SYN0640",
            format!(
                "{} has no code that writes its configuration",
                target.name()
            ),
        )
        .class(Class::Fit)
        .at(target.name())
        .hint("choose another target; `synfire targets` lists them")
        .into());
    };
    let seed = options.seed.unwrap_or(net.seed_or_default());
    let (learning, mut told) = learn::wanted(net, &target, seed)?;
    if target.chip.spec.connectivity == Connectivity::Kernel {
        let none = || no_layers(&target);
        let lay = |layers: &Layers| backend.lay(layers).unwrap_or_else(|| Err(none().into()));
        progress.report("layers", 1, 1);
        return crate::layered::compile(net, &target, &lay, options, seed);
    }
    let mut clock = Clock {
        start: Instant::now(),
        times: vec![],
    };
    let mut dumps = vec![];
    let mut dump = |name: &str, text: &dyn Fn() -> String| options.dump(name, text, &mut dumps);
    let total = passes::PASSES.len() as u64;
    dump("verify", &|| crate::dump::network(net));

    progress.report("learn", 1, total);
    dump("learn", &|| crate::dump::learning(&learning));

    progress.report("schedule", 2, total);
    let min = if target.delays().scope == Scope::Host {
        1
    } else {
        target.delays().min.value
    };
    let shifts = schedule(net, min, &target.name())?;
    clock.lap("schedule");
    dump("schedule", &|| {
        shifts
            .iter()
            .map(|(id, s)| format!("{} +{s}\n", net.graph[*id].name))
            .collect()
    });

    progress.report("quantise", 3, total);
    let (mut chip, rounding, warnings) = quantise(
        net,
        &target,
        backend,
        &shifts,
        &learning,
        seed,
        &options.tuning,
    )?;
    told.extend(warnings);
    let sets = learn::set(net, &learning, &chip, &target, &mut told)?;
    clock.lap("quantise");
    dump("quantise", &|| crate::dump::chip(&chip));

    progress.report("relay", 4, total);
    let relays = relay::insert(net, &mut chip, &target, backend, &mut told)?;
    dump("relay", &|| crate::dump::relays(&chip, &relays));

    progress.report("partition", 5, total);
    let limits = Limits {
        cores: available(&target, &options.dead)?,
        ..Limits::of(&target)
    };
    nothing_recorded(net, &chip)?;
    let search = Search {
        opt: options.opt.min(3),
        seed,
        threads: match options.threads {
            0 => std::thread::available_parallelism().map_or(1, |n| n.get()),
            n => n,
        },
        budget: Budget::new(options.time_limit, progress),
    };
    let (rules, _) = source::read(net);
    let known = options.earlier.as_ref().map(|e| e.known(&chip));
    let parts = chip::partition(&chip, &limits, &search, &rules, known.as_ref())?;
    clock.lap("partition");
    dump("partition", &|| crate::dump::partition(&chip, &parts));

    progress.report("place", 6, total);
    let old: Vec<Option<(u32, u32)>> = match &options.earlier {
        Some(e) => parts
            .kept
            .iter()
            .map(|&c| e.positions.get(c as usize).copied())
            .collect(),
        None => vec![],
    };
    let placed = placement(
        &chip,
        &parts.cores,
        &target,
        &options.dead,
        &old,
        (&search, options.goal),
    )?;
    clock.lap("place");
    dump("place", &|| {
        placed
            .positions
            .iter()
            .enumerate()
            .map(|(i, p)| format!("core {i} at {},{}\n", p.0, p.1))
            .collect()
    });

    progress.report("route", 7, total);
    let mut mapping = route(&chip, &net.name, &target, &limits, &parts, &placed)?;
    if let Some(dt) = net.dt {
        let ns = (dt * 1e9).round_ties_even() as i64;
        mapping.settings.push(("step_ns".into(), ns));
    }
    learn::finish(net, &learning, &sets, &chip, &limits, seed, &mut mapping);
    clock.lap("route");
    dump("route", &|| crate::dump::mapping(&mapping));

    progress.report("emit", 8, total);
    let header = options.header(net, &target, seed);
    let mut artifact = emit(&mapping, backend, header, feeds(net))?;
    relay::bind(&mut artifact.bindings, &relays, net.populations().count());
    clock.lap("emit");
    dump("emit", &|| crate::dump::sections(&artifact.sections));

    let mut report = report(net, &target, &limits, &mapping, &parts);
    let (metrics, traffic) = measure(&chip, &parts.cores, &placed, &limits, &costs(&target));
    report["metrics"] = metrics;
    report["traffic"] = traffic;
    report["search"] = json!({"opt": search.opt, "partition": parts.method, "placement": placed.method, "history": parts.history, "trace": thinned(&parts.trace)});
    if let (Some(e), Some(known)) = (&options.earlier, &known) {
        report["moved"] = moved(&chip, &parts, &placed.positions, e, known);
    }
    let cores = limits.cores;
    report["resources"] =
        serde_json::to_value(resources(&target, backend, cores, &mapping)).unwrap_or_default();
    if !learning.is_empty() {
        report["learning"] = learn::report(&mapping, &learning, &sets);
    }
    report["quantisation"] = serde_json::to_value(&rounding).unwrap_or_default();
    if !options.calibration.is_null() {
        report["calibration"] = options.calibration.clone();
    }
    let stored = serde_json::to_vec(&report).unwrap_or_default();
    artifact.sections.push(Section {
        kind: SectionKind::Report,
        name: "report.json".into(),
        bytes: stored,
    });
    if !target.chip.shipped {
        let chip = target.chip;
        let text = |name: &str, text: &str| Section {
            kind: SectionKind::Chip,
            name: name.into(),
            bytes: text.as_bytes().to_vec(),
        };
        artifact.sections.push(text("chip.toml", &chip.toml));
        artifact.sections.push(text("model.syn", &chip.model));
    }
    report["passes"] = Value::Array(clock.times);
    progress.report("emit", total, total);
    Ok(Compiled {
        artifact,
        mapping,
        report,
        dumps,
        warnings: told,
    })
}

fn check_dumps(names: &[String]) -> Result<(), Diagnostics> {
    let known: Vec<&str> = passes::PASSES.iter().map(|p| p.name).collect();
    let mut out = Diagnostics::new();
    for n in names
        .iter()
        .filter(|n| *n != "all" && passes::find(n).is_none())
    {
        let d = Diagnostic::error("SYN0641", format!("there is no pass `{n}`")).class(Class::Usage);
        out.push(match synfire_ir::diag::nearest(n, known.iter().copied()) {
            Some(near) => d.hint(format!("did you mean `{near}`?")),
            None => d.hint(format!("the passes are {}, or `all`", known.join(", "))),
        });
    }
    out.result(())
}

fn nothing_recorded(net: &Network, chip: &ChipNetwork) -> Result<(), Diagnostics> {
    if chip.populations.iter().any(|p| p.recorded) {
        return Ok(());
    }
    Err(Diagnostic::error(
        "SYN0642",
        "no spikes of this network are recorded, so nothing of it is needed on a chip",
    )
    .at(net.name.clone())
    .hint("add `record POPULATION.spikes`")
    .into())
}

fn no_layers(target: &Target) -> Diagnostic {
    let text = format!(
        "{} stores kernels and has no code that lays them out",
        target.name()
    );
    Diagnostic::error("SYN0640", text)
        .class(Class::Fit)
        .at(target.name())
        .hint(
            "describe the synapses of its cores as a list or a crossbar, or choose another target",
        )
}

pub(crate) fn feeds(net: &Network) -> Vec<(u32, u32, u32)> {
    let number = |id| net.populations().position(|(i, _)| i == id).unwrap_or(0) as u32;
    net.feeds
        .iter()
        .flat_map(|f| f.events.iter().map(move |e| (number(f.pop), e.0, e.1)))
        .collect()
}

fn report(
    net: &Network,
    target: &Target,
    limits: &Limits,
    m: &Mapping,
    parts: &Partition,
) -> Value {
    let share = |used: usize, of: usize| {
        if of == usize::MAX || of == 0 {
            0.0
        } else {
            used as f64 / of as f64
        }
    };
    let cores: Vec<Value> = m
        .cores
        .iter()
        .map(|c| {
            json!({"chip": c.chip, "x": c.x, "y": c.y, "neurons": c.neurons.len(), "axons": c.axons.len(), "synapses": c.synapses.len(),
                "populations": populations(m, c)})
        })
        .collect();
    let most = |f: &dyn Fn(&synfire_ir::mapping::Core) -> f64| {
        let v: Vec<f64> = m.cores.iter().map(f).collect();
        let mean = v.iter().sum::<f64>() / v.len().max(1) as f64;
        json!({"max": v.iter().copied().fold(0.0, f64::max), "mean": mean})
    };
    let neurons: usize = m.cores.iter().map(|c| c.neurons.len()).sum();
    let copies = m
        .cores
        .iter()
        .flat_map(|c| &c.neurons)
        .filter(|n| n.copy > 0)
        .count();
    let axons: usize = m.cores.iter().map(|c| c.axons.len()).sum();
    json!({
        "network": net.name,
        "target": target.name(),
        "neurons": net.neurons(),
        "synapses": m.cores.iter().map(|c| c.synapses.len()).sum::<usize>(),
        "cores_used": m.cores.len(),
        "cores_available": limits.cores,
        "chips": 1,
        "mesh": m.mesh,
        "slots_used": neurons,
        "copies": copies,
        "axons_used": axons,
        "units_unused": parts.unused,
        "limits": {"neurons": limits.neurons, "axons": limits.axons, "cores": limits.cores},
        "utilisation": {
            "util_n": most(&|c| share(c.neurons.len(), limits.neurons)),
            "util_a": most(&|c| share(c.axons.len(), limits.axons)),
            "util_s": most(&|c| share(c.synapses.len(), limits.axons.saturating_mul(limits.neurons))),
            "cores": share(m.cores.len(), limits.cores),
        },
        "shifts": m.populations.iter().filter(|p| p.shift > 0).map(|p| json!({"population": p.name, "steps": p.shift})).collect::<Vec<_>>(),
        "cores": cores,
    })
}

/// At most 200 of the values, evenly spaced.
fn thinned(trace: &[f32]) -> Vec<f32> {
    let step = trace.len().div_ceil(200).max(1);
    trace.iter().step_by(step).copied().collect()
}

impl Earlier {
    /// Core of each unit that is still there.
    fn known(&self, net: &ChipNetwork) -> BTreeMap<UnitRef, u32> {
        let pops: BTreeMap<&str, u32> = net
            .populations
            .iter()
            .zip(0..)
            .map(|(p, i)| (p.name.as_str(), i))
            .collect();
        let unit = |(name, unit, core): &(String, u32, u32)| {
            let pop = *pops.get(name.as_str())?;
            Some((UnitRef { pop, unit: *unit }, *core))
        };
        self.units.iter().filter_map(unit).collect()
    }
}

/// What an incremental mapping changed: units that stayed on their position, that moved, and that are new, by population.
fn moved(
    net: &ChipNetwork,
    parts: &Partition,
    at: &[(u32, u32)],
    old: &Earlier,
    known: &BTreeMap<UnitRef, u32>,
) -> Value {
    let mut by: BTreeMap<u32, [u64; 3]> = BTreeMap::new();
    for (&u, &core) in &chip::homes(&parts.cores) {
        let unit = net.units[u as usize].unit;
        let before = known
            .get(&unit)
            .and_then(|&c| old.positions.get(c as usize));
        let kind = match before {
            Some(p) if at.get(core as usize) == Some(p) => 0,
            Some(_) => 1,
            None => 2,
        };
        by.entry(unit.pop).or_default()[kind] += 1;
    }
    let sum = |k: usize| by.values().map(|v| v[k]).sum::<u64>();
    let list: Vec<Value> = by
        .iter()
        .filter(|(_, v)| v[1] + v[2] > 0)
        .map(
            |(p, v)| json!({"name": net.populations[*p as usize].name, "moved": v[1], "new": v[2]}),
        )
        .collect();
    json!({"stayed": sum(0), "moved": sum(1), "new": sum(2), "populations": list})
}

fn populations(m: &Mapping, c: &synfire_ir::mapping::Core) -> Vec<Value> {
    let mut n: std::collections::BTreeMap<u32, u32> = Default::default();
    c.neurons
        .iter()
        .for_each(|x| *n.entry(x.unit.pop).or_default() += 1);
    n.iter()
        .map(|(p, k)| json!({"name": m.populations[*p as usize].name, "neurons": k}))
        .collect()
}
