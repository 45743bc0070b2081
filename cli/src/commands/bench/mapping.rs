//! `bench mapping`: how good mappings of benchmark networks are, under the literature's metrics, and what they cost to find.

use super::expected::expected;
use crate::args::{BenchMappingArgs, FormArg, LayoutArg, NetworkArgs};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::table::{Side, Table};
use crate::units::peak_memory;
use cpu_time::ProcessTime;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Instant;
use synfire_compiler::map::bench::machine::{JIN, Machine, machine, square};
use synfire_compiler::map::bench::{NAMES, Network, expanded, network};
use synfire_compiler::map::chip::mesh::fabric;
use synfire_compiler::map::cut::fewest;
use synfire_compiler::map::cut::fill::TooWide;
use synfire_compiler::map::cut::hyper::Hyper;
use synfire_compiler::map::cut::partition_from;
use synfire_compiler::map::fabric::Ways;
use synfire_compiler::map::flow::{FlowList, Flows};
use synfire_compiler::map::layout::chain::Shape;
use synfire_compiler::map::layout::{Goal, Grid, Placed, force, place_for};
use synfire_compiler::map::net::Net;
use synfire_compiler::map::score::both;
use synfire_compiler::map::score::partition::{Caps, Cut, Share, Usage, broken, cut, flows};
use synfire_compiler::map::score::tree::Multicast;
use synfire_compiler::map::score::unicast::Unicast;
use synfire_compiler::map::score::ways;
use synfire_compiler::map::search::Search;
use synfire_compiler::map::symbolic::Network as Rules;
use synfire_compiler::map::symbolic::plan::Plan;
use synfire_compiler::map::symbolic::score::score;
use synfire_compiler::map::symbolic::source;
use synfire_compiler::map::symbolic::tiles::{TooLarge, tiles};
use synfire_ir::{Class, Diagnostic};
use synfire_targets::schema::Topology;

/// Wall and CPU seconds of each phase.
pub(super) struct Clock {
    wall: Map<String, Value>,
    cpu: Map<String, Value>,
}

impl Clock {
    pub(super) fn time<T>(&mut self, phase: &str, work: impl FnOnce() -> T) -> T {
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
    let net = clock.time("parse", || read(args, console))?;
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
            let list = parts(&net, None, &machine, args, &mut clock, &mut out)?;
            drop(net);
            placed(&list, None, &machine, args, &mut clock, &mut out)?;
        }
        Network::Rules(rules) => {
            let plan = boxes(rules, &machine, args, &mut clock)?;
            let drawn = plan.net.drawn();
            let large = args.form == FormArg::Auto && plan.net.synapses() > EXPANDED;
            let whole = args.form == FormArg::Rules || large || drawn;
            out.insert(
                "form".into(),
                json!(if whole { "rules" } else { "neurons" }),
            );
            if whole && drawn {
                out.insert("expected".into(), json!(true));
                kept(&plan, &machine, &mut clock, &mut out);
                expected(&plan, &machine, args, &mut clock, &mut out)?;
            } else if whole {
                kept(&plan, &machine, &mut clock, &mut out);
                placed(
                    &plan,
                    plan.chain().as_ref(),
                    &machine,
                    args,
                    &mut clock,
                    &mut out,
                )?;
            } else {
                let net = clock
                    .time("expand", || expanded(&plan.net))
                    .ok_or_else(too_many_synapses)?;
                let start = plan.parts_of_neurons().map(|p| (p, plan.parts()));
                let list = parts(&net, start, &machine, args, &mut clock, &mut out)?;
                drop(net);
                placed(&list, None, &machine, args, &mut clock, &mut out)?;
            }
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

/// Neurons above which parts have 4096 neurons instead of 256 when nothing is said.
const NPC_256: u64 = 1 << 28;
/// The network of that name, or of that file.
fn read(args: &BenchMappingArgs, console: &Console) -> Result<Network, Failure> {
    let path = Path::new(&args.net);
    if path.extension().is_some_and(|e| e == "syn" || e == "nir") {
        let loaded = crate::network::read_symbolic(path, &NetworkArgs::default(), console)?;
        let net = &loaded.network;
        let count: f64 = net.projections().map(|p| net.synapses_of(p.0)).sum();
        let small = args.form == FormArg::Auto && count <= EXPANDED as f64;
        let rules = match source::rules(net) {
            // Pairs that are drawn are no rules once they stand neuron by neuron.
            Ok(rules) if !rules.drawn() || !(small || args.form == FormArg::Neurons) => rules,
            Err(d) if args.form != FormArg::Neurons => return Err(loaded.wrong(d)),
            _ => {
                let written = source::written(net, net.seed_or_default(), WRITTEN);
                return Ok(Network::Neurons(written.ok_or_else(too_many_synapses)?));
            }
        };
        return Ok(Network::Rules(rules));
    }
    network(&args.net).ok_or_else(|| {
        Diagnostic::error(
            "SYN0650",
            format!("there is no benchmark network `{}`", args.net),
        )
        .class(Class::Usage)
        .hint(format!("networks: {NAMES}"))
        .hint("or a file that ends in .syn or .nir")
        .into()
    })
}

/// Synapses up to which a network of rules is expanded when nothing is said.
const EXPANDED: u64 = 20_000_000;
/// Most synapses of a file that is written out neuron by neuron.
const WRITTEN: f64 = 2e9;

fn too_many_synapses() -> Diagnostic {
    Diagnostic::error(
        "SYN0652",
        "the network is too large to be written out neuron by neuron",
    )
    .class(Class::Fit)
    .hint("--form rules maps it without that")
}

/// Writes the nets {u} and D_u, which is what `remote` counts, in the form of hMETIS.
fn export(path: &Path, net: &Network) -> Outcome {
    let written;
    let net = match net {
        Network::Neurons(net) => Some(net),
        Network::Rules(rules) => {
            written = expanded(rules).ok_or_else(too_many_synapses)?;
            Some(&written)
        }
        Network::Parts(..) => None,
    };
    let Some(net) = net else {
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
            Network::Rules(net) if net.neurons() > NPC_256 => "npc-4096".into(),
            Network::Neurons(_) | Network::Rules(_) => "npc-256".into(),
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
        Diagnostic::error("SYN0651", format!("there is no machine `{name}`")).class(Class::Usage).hint("machines: jin-S, loihi-64, loihi-16x8, truenorth-64, npc-N, each also with -torus or -hexagonal, or a chip of `synfire targets`")
    };
    let target = crate::targets::find(name).map_err(|_| unknown())?;
    let l = target.limits();
    let topology = &target.chip.spec.topology;
    let mesh = match topology {
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
        fabric: fabric(topology, &synfire_compiler::Dead::default()),
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

fn too_large(e: &TooLarge, rules: &Rules, m: &Machine) -> Diagnostic {
    let name = e.population.and_then(|p| rules.populations.get(p as usize));
    let what = match name {
        Some(p) => format!(
            "a neuron of {} needs {} of `{}`; a core of {} has {}",
            p.name, e.needed, e.limit, m.name, e.available
        ),
        None => format!(
            "the network needs {} cores; {} has {}",
            e.needed, m.name, e.available
        ),
    };
    Diagnostic::error("SYN0652", what)
        .class(Class::Fit)
        .hint("take a smaller network or a machine with larger cores")
        .field("limit", e.limit)
        .field("needed", e.needed)
        .field("available", e.available)
}

/// Cuts every population into boxes.
fn boxes(
    rules: Rules,
    m: &Machine,
    args: &BenchMappingArgs,
    clock: &mut Clock,
) -> Result<Plan, Diagnostic> {
    let cut = clock.time("tile", || tiles(&rules, &m.caps));
    let whole = args.form == FormArg::Rules;
    let pieces = match cut {
        Ok(pieces) => pieces,
        // Boxes may need more cores than neurons one by one do.
        Err(e) if e.limit == "cores" && !whole => {
            let open = Caps {
                cores: None,
                ..m.caps
            };
            tiles(&rules, &open).map_err(|e| too_large(&e, &rules, m))?
        }
        Err(e) => return Err(too_large(&e, &rules, m)),
    };
    Plan::new(rules, pieces).ok_or_else(|| {
        Diagnostic::error(
            "SYN0652",
            "the network needs more cores than there are numbers",
        )
        .class(Class::Fit)
    })
}

/// Metrics of the cut into boxes go to `out`.
fn kept(plan: &Plan, m: &Machine, clock: &mut Clock, out: &mut Map<String, Value>) {
    let s = clock.time("count", || score(plan));
    let caps = &m.caps;
    let value = json!({
        "neurons": plan.net.neurons(), "synapses": plan.net.synapses(), "hyperedges": plan.net.neurons(),
        "valid": s.broken(caps).is_none(), "partition": "boxes",
        "util_n": share(&s.neurons, caps.npc), "util_a": share(&s.axons, caps.apc), "util_s": share(&s.synapses, caps.spc),
    });
    out.extend(value.as_object().cloned().unwrap_or_default());
    metrics(&s.cut, out);
}

fn metrics(c: &Cut, out: &mut Map<String, Value>) {
    let value = json!({
        "remote": c.remote, "remote_1": c.remote_1, "cutnet": c.cutnet, "soed": c.soed, "cut_synapses": c.cut_synapses, "cores_used": c.cores_used,
        "axon_entries": c.axon_entries, "reuse_mean": c.reuse_mean, "reuse_geo": c.reuse_geo,
    });
    out.extend(value.as_object().cloned().unwrap_or_default());
}

/// Largest and mean use of a limit.
fn share(s: &Share, cap: Option<u64>) -> Value {
    cap.map_or(Value::Null, |c| {
        let (max, mean) = s.of(c);
        json!({"max": max, "mean": mean})
    })
}

/// Cuts the network; metrics of the partition go to `out`.
fn parts(
    net: &Net,
    start: Option<(Vec<u32>, u32)>,
    m: &Machine,
    args: &BenchMappingArgs,
    clock: &mut Clock,
    out: &mut Map<String, Value>,
) -> Result<FlowList, Diagnostic> {
    let found = clock
        .time("partition", || {
            partition_from(net, &m.caps, &search(args), start)
        })
        .map_err(|e| too_wide(&e, m))?;
    let (c, usage) = clock.time("count", || cut(net, &found.part, found.parts));
    let of = |of: fn(&Usage) -> u64| {
        let mut s = Share::default();
        let used = usage.iter().filter(|u| u.neurons > 0);
        used.for_each(|u| s.add(of(u)));
        s
    };
    let caps = &m.caps;
    let value = json!({
        "neurons": net.neurons(), "synapses": net.synapses(), "hyperedges": net.neurons(), "valid": broken(&usage, caps).is_none(), "partition": found.method,
        "cores_least": fewest(net, caps),
        "util_n": share(&of(|u| u.neurons), caps.npc), "util_a": share(&of(|u| u.axons), caps.apc), "util_s": share(&of(|u| u.synapses), caps.spc),
    });
    out.extend(value.as_object().cloned().unwrap_or_default());
    metrics(&c, out);
    Ok(clock.time("flows", || flows(net, &found.part, found.parts)))
}

/// Places parts by the search or a baseline. `None`: more parts than cells.
pub(super) fn laid(
    flows: &impl Flows,
    shape: Option<&Shape>,
    grid: &Grid,
    args: &BenchMappingArgs,
) -> Option<Placed> {
    let search = search(args);
    match args.layout {
        LayoutArg::Search => place_for(args.goal.goal(), flows, shape, grid, &search),
        LayoutArg::Hilbert => place_for(
            Goal::Unicast,
            flows,
            None,
            grid,
            &Search { opt: 0, ..search },
        ),
        LayoutArg::Force => force::place(flows, grid, &search.budget),
    }
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
    let grid = mesh(m, flows.parts());
    let found = clock.time("place", || laid(flows, shape, &grid, args));
    let found = found.ok_or_else(|| no_room(flows.parts(), &grid, m))?;
    // The tables of core load are for meshes where they cost less than the rest.
    let scores = clock.time("score", || {
        if m.fabric.plain() {
            return both(flows, &found.places, &m.costs, flows.parts() <= 16_384);
        }
        let ways = Ways::new(grid.x, grid.y, &m.fabric);
        ways::both(flows, &found.places, &ways, &m.costs)
    });
    told(flows.parts(), &found, scores, out);
    Ok(())
}

pub(super) fn mesh(m: &Machine, parts: u32) -> Grid {
    let (x, y) = m.mesh.unwrap_or(square(parts));
    Grid {
        fabric: m.fabric.clone(),
        ..Grid::new(x, y)
    }
}

pub(super) fn no_room(parts: u32, grid: &Grid, m: &Machine) -> Diagnostic {
    let missing = TooWide {
        neuron: 0,
        limit: "cores",
        needed: parts as u64,
        available: grid.room(),
    };
    too_wide(&missing, m)
}

/// Metrics of a placement go to `out`.
pub(super) fn told(
    parts: u32,
    found: &Placed,
    (u, t): (Unicast, Multicast),
    out: &mut Map<String, Value>,
) {
    let (x, y) = (found.places.x, found.places.y);
    let value = json!({
        "parts": parts, "mesh": [x, y], "placement": found.method,
        "hops": u.hops, "hops_avg": u.hops_avg, "hops_max": u.hops_max, "packets": u.packets,
        "energy_paper": u.energy_paper, "energy_jincode": u.energy_jincode,
        "lat_avg_w": u.lat_avg_w, "lat_avg_jin": u.lat_avg_jin, "lat_max_jin": u.lat_max_jin, "lat_max": u.lat_max,
        "cong_link_avg": u.cong_link_avg, "cong_link_max": u.cong_link_max,
        "cong_core_avg": u.cong_core.map(|c| c.0), "cong_core_max": u.cong_core.map(|c| c.1),
        "mc_hops": t.mc_hops, "mc_energy": t.mc_energy, "mc_energy_least": t.mc_energy_least, "mc_link_max": t.mc_link_max, "mc_link_avg": t.mc_link_avg,
        "mc_lat_avg": u.lat_avg_w, "mc_lat_max": u.lat_max,
    });
    out.extend(value.as_object().cloned().unwrap_or_default());
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
