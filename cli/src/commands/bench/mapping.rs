//! `bench mapping`: how good mappings of benchmark networks are, under the literature's metrics, and what they cost to find.

use crate::args::BenchMappingArgs;
use crate::console::Console;
use crate::failure::Outcome;
use crate::table::{Side, Table};
use crate::units::peak_memory;
use cpu_time::ProcessTime;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Instant;
use synfire_compiler::map::bench::machine::{JIN, Machine, machine, square};
use synfire_compiler::map::bench::{NAMES, Network, network};
use synfire_compiler::map::cut::fewest;
use synfire_compiler::map::cut::fill::TooWide;
use synfire_compiler::map::cut::hyper::Hyper;
use synfire_compiler::map::cut::partition;
use synfire_compiler::map::flow::{FlowList, Flows};
use synfire_compiler::map::layout::chain::Shape;
use synfire_compiler::map::layout::{Grid, Placed, place_for};
use synfire_compiler::map::net::Net;
use synfire_compiler::map::score::partition::{Caps, broken, cut, flows};
use synfire_compiler::map::score::tree::multicast;
use synfire_compiler::map::score::unicast::unicast;
use synfire_compiler::map::search::Search;
use synfire_ir::{Class, Diagnostic};
use synfire_targets::schema::Topology;

/// Wall and CPU seconds of each phase.
struct Clock {
    wall: Map<String, Value>,
    cpu: Map<String, Value>,
}

impl Clock {
    fn time<T>(&mut self, phase: &str, work: impl FnOnce() -> T) -> T {
        let (wall, cpu) = (Instant::now(), ProcessTime::now());
        let out = work();
        self.wall
            .insert(phase.into(), json!(wall.elapsed().as_secs_f64()));
        self.cpu
            .insert(phase.into(), json!(cpu.elapsed().as_secs_f64()));
        out
    }
}

/// See the module.
pub fn mapping(args: &BenchMappingArgs, console: &Console) -> Outcome {
    let mut clock = Clock {
        wall: Map::new(),
        cpu: Map::new(),
    };
    let net = clock.time("expand", || network(&args.net)).ok_or_else(|| {
        Diagnostic::error(
            "SYN0650",
            format!("there is no benchmark network `{}`", args.net),
        )
        .class(Class::Usage)
        .hint(format!("networks: {NAMES}"))
    })?;
    if let Some(path) = &args.export {
        return export(path, &net);
    }
    let machine = find(args, &net)?;
    let mut out = Map::new();
    out.insert("net".into(), json!(args.net));
    out.insert("target".into(), json!(machine.name));
    out.insert("seed".into(), json!(args.seed));
    out.insert("opt".into(), json!(args.opt));
    out.insert("threads".into(), json!(args.threads.max(1)));
    out.insert(
        "goal".into(),
        json!(format!("{:?}", args.goal).to_lowercase()),
    );
    match net {
        Network::Parts(jin, shape) => {
            out.insert("neurons".into(), json!(jin.parts() as u64 * 4096));
            out.insert("hyperedges".into(), json!(jin.edges()));
            out.insert("valid".into(), json!(true));
            placed(&jin, shape.as_ref(), &machine, args, &mut clock, &mut out)?;
        }
        Network::Neurons(net) => {
            let list = parts(&net, &machine, args, &mut clock, &mut out)?;
            drop(net);
            placed(&list, None, &machine, args, &mut clock, &mut out)?;
        }
    }
    out.insert("time_s".into(), Value::Object(clock.wall));
    out.insert("cpu_s".into(), Value::Object(clock.cpu));
    out.insert(
        "peak_mb".into(),
        json!(peak_memory().map(|b| b as f64 / 1e6)),
    );
    if console.is_json() {
        console.json(&Value::Object(out));
    } else {
        console.print(&text(&out, console));
    }
    Ok(())
}

/// Writes the nets {u} and D_u, which is what `remote` counts, in the form of hMETIS.
fn export(path: &Path, net: &Network) -> Outcome {
    let Network::Neurons(net) = net else {
        return Err(
            Diagnostic::error("SYN0650", "networks of parts have nothing to partition")
                .class(Class::Usage)
                .hint("export one of the networks of neurons, such as grid4k")
                .into(),
        );
    };
    let h = Hyper::new(net);
    let mut text = format!("{} {}\n", h.pins.len(), net.neurons());
    for e in 0..h.pins.len() as u32 {
        let pins: Vec<String> = h.pins.of(e).iter().map(|p| (p + 1).to_string()).collect();
        text += &pins.join(" ");
        text.push('\n');
    }
    crate::files::write(path, text.as_bytes())?;
    Ok(())
}

fn search(args: &BenchMappingArgs) -> Search<'static> {
    Search {
        threads: args.threads.max(1),
        ..Search::new(args.opt as usize, args.seed)
    }
}

fn find(args: &BenchMappingArgs, net: &Network) -> Result<Machine, Diagnostic> {
    let Some(name) = &args.target else {
        let default = match net {
            Network::Parts(jin, _) => format!("jin-{}", square(jin.parts()).0),
            Network::Neurons(_) => "npc-256".into(),
        };
        return machine(&default).ok_or_else(|| {
            Diagnostic::error("SYN0651", "the network is larger than any mesh here")
                .class(Class::Fit)
        });
    };
    if let Some(m) = machine(name) {
        return Ok(m);
    }
    let unknown = || {
        Diagnostic::error("SYN0651", format!("there is no machine `{name}`")).class(Class::Usage).hint("machines: jin-S, loihi-64, loihi-16x8, truenorth-64, npc-N, or a chip of `synfire targets`")
    };
    let target = crate::targets::find(name).map_err(|_| unknown())?;
    let l = target.limits();
    let mesh = match &target.chip.spec.topology {
        Topology::Mesh { x, y, .. } => (x.value, y.value),
        Topology::Bus { cores } => (cores.value, 1),
        Topology::Single => (1, 1),
    };
    let of = |v: &Option<synfire_targets::schema::Sourced<u64>>| v.as_ref().map(|v| v.value);
    let cores = of(&l.cores).unwrap_or(mesh.0 as u64 * mesh.1 as u64);
    let caps = Caps {
        npc: of(&l.neurons_per_core),
        apc: of(&l.axons_per_core),
        cores: Some(cores),
        ..Caps::default()
    };
    Ok(Machine {
        name: name.clone(),
        mesh: Some(mesh),
        caps,
        costs: JIN,
    })
}

fn too_wide(e: &TooWide, m: &Machine) -> Diagnostic {
    let what = match e.limit {
        "cores" => format!(
            "the network needs {} cores; {} has {}",
            e.needed, m.name, e.available
        ),
        limit => format!(
            "neuron {} needs {} of `{limit}`; a core of {} has {}",
            e.neuron, e.needed, m.name, e.available
        ),
    };
    Diagnostic::error("SYN0652", what)
        .class(Class::Fit)
        .hint("take a smaller network or a machine with larger cores")
        .field("limit", e.limit)
        .field("neuron", e.neuron)
        .field("needed", e.needed)
        .field("available", e.available)
}

/// Cuts the network; metrics of the partition go to `out`.
fn parts(
    net: &Net,
    m: &Machine,
    args: &BenchMappingArgs,
    clock: &mut Clock,
    out: &mut Map<String, Value>,
) -> Result<FlowList, Diagnostic> {
    let found = clock
        .time("partition", || partition(net, &m.caps, &search(args)))
        .map_err(|e| too_wide(&e, m))?;
    let (c, usage) = cut(net, &found.part, found.parts);
    let used: Vec<_> = usage.iter().filter(|u| u.neurons > 0).collect();
    let share = |of: fn(&synfire_compiler::map::score::partition::Usage) -> u64,
                 cap: Option<u64>| {
        let cap = cap? as f64;
        let all: Vec<f64> = used.iter().map(|u| of(u) as f64 / cap).collect();
        Some(
            json!({"max": all.iter().fold(0.0f64, |a, b| a.max(*b)), "mean": all.iter().sum::<f64>() / all.len().max(1) as f64}),
        )
    };
    let value = json!({
        "neurons": net.neurons(), "synapses": net.synapses(), "hyperedges": net.neurons(), "valid": broken(&usage, &m.caps).is_none(), "partition": found.method,
        "remote": c.remote, "remote_1": c.remote_1, "cutnet": c.cutnet, "soed": c.soed, "cut_synapses": c.cut_synapses, "cores_used": c.cores_used,
        "cores_least": fewest(net, &m.caps), "axon_entries": c.axon_entries, "reuse_mean": c.reuse_mean, "reuse_geo": c.reuse_geo,
        "util_n": share(|u| u.neurons, m.caps.npc), "util_a": share(|u| u.axons, m.caps.apc), "util_s": share(|u| u.synapses, m.caps.spc),
    });
    out.extend(value.as_object().cloned().unwrap_or_default());
    Ok(flows(net, &found.part, found.parts))
}

/// Places parts; metrics of the placement go to `out`.
fn placed(
    flows: &impl Flows,
    shape: Option<&Shape>,
    m: &Machine,
    args: &BenchMappingArgs,
    clock: &mut Clock,
    out: &mut Map<String, Value>,
) -> Result<(), Diagnostic> {
    let parts = flows.parts();
    let (x, y) = m.mesh.unwrap_or(square(parts));
    let found = clock
        .time("place", || {
            place_for(
                args.goal.goal(),
                flows,
                shape,
                &Grid::new(x, y),
                &search(args),
            )
        })
        .ok_or_else(|| {
            too_wide(
                &TooWide {
                    neuron: 0,
                    limit: "cores",
                    needed: parts as u64,
                    available: x as u64 * y as u64,
                },
                m,
            )
        })?;
    let Placed { places, method } = found;
    // The tables of core load are for meshes where they cost less than the rest.
    let u = clock.time("score", || {
        unicast(flows, &places, &m.costs, parts <= 16_384)
    });
    let t = clock.time("route", || multicast(flows, &places, &m.costs));
    let value = json!({
        "parts": parts, "mesh": [x, y], "placement": method,
        "hops": u.hops, "hops_avg": u.hops_avg, "hops_max": u.hops_max, "packets": u.packets,
        "energy_paper": u.energy_paper, "energy_jincode": u.energy_jincode,
        "lat_avg_w": u.lat_avg_w, "lat_avg_jin": u.lat_avg_jin, "lat_max_jin": u.lat_max_jin, "lat_max": u.lat_max,
        "cong_link_avg": u.cong_link_avg, "cong_link_max": u.cong_link_max,
        "cong_core_avg": u.cong_core.map(|c| c.0), "cong_core_max": u.cong_core.map(|c| c.1),
        "mc_hops": t.mc_hops, "mc_energy": t.mc_energy, "mc_link_max": t.mc_link_max, "mc_link_avg": t.mc_link_avg,
        "mc_lat_avg": u.lat_avg_w, "mc_lat_max": u.lat_max,
    });
    out.extend(value.as_object().cloned().unwrap_or_default());
    Ok(())
}

/// One key a line.
fn text(out: &Map<String, Value>, console: &Console) -> String {
    let mut table = Table::new(&[("", Side::Left), ("", Side::Left)]);
    for (k, v) in out {
        table.row([
            k.clone(),
            v.as_str().map_or_else(|| v.to_string(), str::to_string),
        ]);
    }
    table.render(console)
}
