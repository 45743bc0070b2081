//! The compiler's mapping into RANC's configuration.
//!
//! Cores, slots and axons are taken as they are; what is added is what only RANC has: the place of the output bus, offsets instead of destination cores, a weight
//! for each axon type instead of one for each synapse, and a silent destination for neurons whose spikes go nowhere. Every register and index that does not
//! fit is reported; nothing is clipped.
//!
//! Settings that a mapping may carry: `num_neurons`, `num_axons` (default 256), `neuron_reset_type` (0), `output_bus_x`, `output_bus_y` (default: the last
//! free position of the mesh). Registers of a neuron go by the names of [`Backend::fields`](crate::backend::Backend::fields); weights that they leave out are those of the synapses.

mod registers;

use super::{
    BitMatrix, Config, Core, Dialect, Grid, MAX_SIDE, MAX_SIZE, NUM_WEIGHTS, Neuron, OutputBus,
    Packet, ResetType, Widths,
};
use crate::backend::NativeBindings;
use crate::report::Report;
use registers::Registers;
use std::collections::BTreeSet;
use synfire_ir::mapping::{self, Mapping, Route};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// The configuration and native events of a mapping.
///
/// Errors: `SYN0610` for a register value that no register holds, `SYN0611` for an index that is not there, `SYN0612` for a delay, `SYN0614` when the mesh has no place for
/// the output bus or no axon is free for neurons without destination, `SYN0615` for weights that axon types cannot express. What [`validate`](super::validate())
/// finds is left to the encoder.
pub fn from_mapping(mapping: &Mapping) -> Result<(Config, NativeBindings), Diagnostics> {
    let mut report = Report::new();
    let mut config = sizes(mapping, &mut report);
    if report.has_errors() {
        return Err(report.finish());
    }
    let registers = Registers::new(mapping, &mut report);
    let nowhere = free_axons(mapping, &config);
    let mut order: Vec<usize> = (0..mapping.cores.len()).collect();
    order.sort_by_key(|&c| (mapping.cores[c].y, mapping.cores[c].x));
    for c in order {
        let core = core(mapping, c, &config, &registers, &nowhere, &mut report);
        config.cores.push(core);
    }
    if config.dialect == Dialect::Rtl && !report.has_errors() && config.grid.positions() <= 1000 {
        config.complete();
    }
    let bindings = bindings(mapping, &mut report);
    report.finish().result((config, bindings))
}

/// A violation of what the chip holds.
fn unfit(code: &str, message: String, why: &str, hint: &str) -> Diagnostic {
    Diagnostic::error(code, message)
        .class(Class::Fit)
        .note(why)
        .hint(hint)
}

/// Everything but the cores.
fn sizes(mapping: &Mapping, report: &mut Report) -> Config {
    let mut setting = |name: &str, default: i64, most: i64| {
        let value = mapping.setting(name).unwrap_or(default);
        if !(0..=most).contains(&value) {
            report.add("settings", || {
                let text = format!("setting `{name}` is {value}, it must be 0..={most}");
                unfit(
                    "SYN0614",
                    text,
                    "settings size the grid that is generated",
                    "choose a size within the limits of the chip",
                )
            });
        }
        value.clamp(0, most)
    };
    let (side, size) = (i64::from(MAX_SIDE) - 1, i64::from(MAX_SIZE));
    let num_neurons = setting("num_neurons", 256, size) as u16;
    let num_axons = setting("num_axons", 256, size) as u16;
    let symmetric = setting("neuron_reset_type", 0, 1) == 1;
    let given = (
        mapping.setting("output_bus_x"),
        mapping.setting("output_bus_y"),
    );
    let bus_at = match given {
        (Some(_), Some(_)) => Some((
            setting("output_bus_x", 0, side) as u16,
            setting("output_bus_y", 0, side) as u16,
        )),
        _ => None,
    };
    let most = u32::from(MAX_SIDE);
    if mapping.mesh.iter().any(|&m| m == 0 || m > most) {
        report.add("mesh", || {
            let text = format!(
                "the mesh is {} x {} cores, each side must be 1..={most}",
                mapping.mesh[0], mapping.mesh[1]
            );
            unfit(
                "SYN0614",
                text,
                "the mesh is the generated grid",
                "use fewer cores",
            )
        });
    }
    let grid = Grid {
        x: mapping.mesh[0].min(most) as u16,
        y: mapping.mesh[1].min(most) as u16,
    };
    for core in &mapping.cores {
        if core.x >= u32::from(grid.x) || core.y >= u32::from(grid.y) || core.chip != 0 {
            report.add("core place", || {
                let text = format!(
                    "core ({},{}) of chip {} lies outside the mesh of {} x {} cores",
                    core.x, core.y, core.chip, grid.x, grid.y
                );
                unfit("SYN0611", text, "the grid is one chip", "enlarge the mesh")
            });
        }
    }
    let bus = bus_at.or_else(|| free_position(mapping, grid));
    if bus.is_none() {
        report.add("output bus", || {
            let text = format!(
                "all {} positions of the mesh hold cores, none is left for the output bus",
                grid.positions()
            );
            unfit(
                "SYN0614",
                text,
                "the output bus takes the place of one core",
                "take a mesh with one more position",
            )
            .field("limit", "cores")
            .field("needed", mapping.cores.len() + 1)
            .field("available", grid.positions())
        });
    }
    let dialect = dialect(mapping, report);
    let (x, y) = bus.unwrap_or((0, 0));
    Config {
        dialect,
        grid,
        num_neurons,
        num_axons,
        neuron_reset_type: if symmetric {
            ResetType::Symmetric
        } else {
            ResetType::Asymmetric
        },
        output_bus: OutputBus {
            x,
            y,
            num_outputs: mapping.outputs.len().max(1) as u32,
        },
        widths: if dialect == Dialect::Rtl {
            Widths::RTL
        } else {
            Widths::SIM
        },
        cores: vec![],
    }
}

fn dialect(mapping: &Mapping, report: &mut Report) -> Dialect {
    Dialect::from_name(&mapping.dialect).unwrap_or_else(|| {
        report.add("dialect", || {
            let text = format!("the chip `ranc` has no dialect `{}`", mapping.dialect);
            unfit(
                "SYN0602",
                text,
                "its dialects are `sim` and `rtl`",
                "write `ranc` for the default dialect",
            )
        });
        Dialect::Sim
    })
}

/// The last position without a core.
fn free_position(mapping: &Mapping, grid: Grid) -> Option<(u16, u16)> {
    let taken: BTreeSet<(u32, u32)> = mapping.cores.iter().map(|c| (c.y, c.x)).collect();
    // At most one more position than there are cores is looked at.
    (0..grid.y)
        .rev()
        .flat_map(|y| (0..grid.x).rev().map(move |x| (x, y)))
        .find(|&(x, y)| !taken.contains(&(y.into(), x.into())))
}

/// For each core of the mapping an axon that nothing uses, if there is one: spikes to it have no effect.
fn free_axons(mapping: &Mapping, config: &Config) -> Vec<Option<u32>> {
    let free = |core: &mapping::Core| {
        let used: BTreeSet<u32> = core.axons.iter().map(|a| a.address).collect();
        (0..u32::from(config.num_axons))
            .rev()
            .find(|a| !used.contains(a))
    };
    mapping.cores.iter().map(free).collect()
}

fn core(
    mapping: &Mapping,
    c: usize,
    config: &Config,
    registers: &Registers,
    nowhere: &[Option<u32>],
    report: &mut Report,
) -> Core {
    let from = &mapping.cores[c];
    let mut core = Core::empty(from.x as u16, from.y as u16, config.num_axons);
    let count = from.neurons.len().min(MAX_SIZE.into());
    core.connections = BitMatrix::new(count, config.num_axons.into());
    axon_types(from, config, &mut core, report);
    let mut set = vec![];
    for (i, n) in from.neurons.iter().take(count).enumerate() {
        let place = || {
            format!(
                "core ({},{}), neuron {i} (`{}`, unit {})",
                from.x,
                from.y,
                name(mapping, n.unit),
                n.unit.unit
            )
        };
        let (mut neuron, weights) = registers.set(&n.fields, &place, report);
        set.push(weights);
        route(
            mapping,
            c,
            n.route,
            config,
            nowhere,
            &mut neuron,
            &place,
            report,
        );
        core.neurons.push(neuron);
    }
    synapses(from, &mut core, set, report);
    core
}

fn name(mapping: &Mapping, unit: mapping::UnitRef) -> &str {
    mapping
        .populations
        .get(unit.pop as usize)
        .map_or("?", |p| p.name.as_str())
}

fn axon_types(from: &mapping::Core, config: &Config, core: &mut Core, report: &mut Report) {
    for a in &from.axons {
        let at = a.address as usize;
        if a.address >= u32::from(config.num_axons) || usize::from(a.class) >= NUM_WEIGHTS {
            report.add("axons", || {
                let text = format!(
                    "{core}: axon {} of type {}; there are {} axons and 4 types",
                    a.address, a.class, config.num_axons
                );
                unfit(
                    "SYN0611",
                    text,
                    "a core has num_axons axons, each of type 0 to 3",
                    "spread the inputs over more cores",
                )
            });
            continue;
        }
        if core.axons.len() <= at {
            core.axons.resize(at + 1, 0);
        }
        core.axons[at] = a.class;
    }
}

#[allow(clippy::too_many_arguments)]
fn route(
    mapping: &Mapping,
    c: usize,
    route: Route,
    config: &Config,
    nowhere: &[Option<u32>],
    n: &mut Neuron,
    place: &dyn Fn() -> String,
    report: &mut Report,
) {
    let from = &mapping.cores[c];
    let go = |n: &mut Neuron, x: u32, y: u32, axon: u32| {
        // Both lie within the grid, whose sides fit 16 bits with room to spare.
        n.dx = (i64::from(x) - i64::from(from.x)) as i16;
        n.dy = (i64::from(y) - i64::from(from.y)) as i16;
        n.axon = axon;
    };
    match route {
        Route::Output { index } => go(
            n,
            config.output_bus.x.into(),
            config.output_bus.y.into(),
            index,
        ),
        Route::Axon { core, axon, delay } => {
            let target = mapping.cores.get(core as usize);
            let Some((target, axon)) = target.and_then(|t| Some((t, t.axons.get(axon as usize)?)))
            else {
                report.add("routes", || {
                    let text = format!(
                        "{}: its spikes go to axon {axon} of core {core}, which is not mapped",
                        place()
                    );
                    unfit(
                        "SYN0611",
                        text,
                        "a route ends at a mapped axon",
                        "this is a defect of the mapping: please report it",
                    )
                });
                return;
            };
            go(n, target.x, target.y, axon.address);
            if !(1..=15).contains(&delay) {
                report.add("delays", || {
                    let text = format!(
                        "{}: a delay of {delay} ticks; the chip has 1 to 15",
                        place()
                    );
                    unfit(
                        "SYN0612",
                        text,
                        "tick 0 arrives one tick later, tick 15 would wrap",
                        "choose another delay, or pass through relay neurons",
                    )
                });
            }
            n.tick = (delay.clamp(1, 15) - 1) as u8;
        }
        Route::None => {
            let own = nowhere[c].map(|a| (c, a));
            let free = own.or_else(|| {
                nowhere
                    .iter()
                    .enumerate()
                    .find_map(|(k, a)| Some((k, (*a)?)))
            });
            match free {
                Some((k, axon)) => go(n, mapping.cores[k].x, mapping.cores[k].y, axon),
                None => report.add("no free axon", || {
                    let text = format!("{}: its spikes go nowhere, but every axon of every core is in use", place());
                    unfit("SYN0614", text, "a spike of RANC always arrives somewhere; an unused axon without connections swallows it", "record the neuron, or use one core more")
                }),
            }
        }
    }
}

/// Crossbar bits, and the weight of each axon type.
fn synapses(
    from: &mapping::Core,
    core: &mut Core,
    mut set: Vec<[bool; NUM_WEIGHTS]>,
    report: &mut Report,
) {
    for s in &from.synapses {
        let axon = from
            .axons
            .get(s.axon as usize)
            .filter(|a| usize::from(a.class) < NUM_WEIGHTS);
        let slot = core
            .neurons
            .get_mut(s.neuron as usize)
            .zip(set.get_mut(s.neuron as usize));
        let (Some(axon), Some((neuron, set))) = (axon, slot) else {
            report.add("synapses", || {
                let text = format!(
                    "core ({},{}): a synapse from axon {} to neuron {}, which are not mapped",
                    from.x, from.y, s.axon, s.neuron
                );
                unfit(
                    "SYN0611",
                    text,
                    "a synapse joins a mapped axon and a mapped neuron",
                    "this is a defect of the mapping: please report it",
                )
            });
            continue;
        };
        let class = usize::from(axon.class);
        if set[class] && neuron.weights[class] != s.weight {
            let old = neuron.weights[class];
            report.add("weights", || {
                let text = format!(
                    "core ({},{}), neuron {}: weights {old} and {} for axons of type {class}",
                    from.x, from.y, s.neuron, s.weight
                );
                unfit("SYN0615", text, "a neuron has one weight for each axon type", "give axons with different weights different types, or duplicate the source on several axons")
            });
        }
        set[class] = true;
        neuron.weights[class] = s.weight;
        core.connections
            .set(s.neuron as usize, axon.address as usize, true);
    }
}

/// Native events of inputs, outputs and loopbacks.
fn bindings(mapping: &Mapping, report: &mut Report) -> NativeBindings {
    let packet = |core: u32, axon: u32| {
        let core = mapping.cores.get(core as usize)?;
        let address = core.axons.get(axon as usize)?.address;
        Some(
            Packet {
                x: core.x as u16,
                y: core.y as u16,
                axon: u16::try_from(address).ok()?,
                tick: 0,
            }
            .to_native(),
        )
    };
    let mut missing = |what: &str| {
        report.add("bindings", || {
            unfit(
                "SYN0611",
                format!("{what} of the mapping names what is not mapped"),
                "host events name mapped axons and outputs",
                "this is a defect of the mapping: please report it",
            )
        });
        0
    };
    let inputs = mapping
        .inputs
        .iter()
        .map(|i| packet(i.core, i.axon).unwrap_or_else(|| missing("an input")))
        .collect();
    let mut loopbacks = vec![];
    for l in &mapping.loopbacks {
        let route = mapping
            .cores
            .get(l.core as usize)
            .and_then(|c| c.neurons.get(l.neuron as usize))
            .map(|n| n.route);
        match (route, packet(l.to_core, l.axon)) {
            (Some(Route::Output { index }), Some(word)) => loopbacks.push((index.into(), word)),
            _ => {
                missing("a loopback");
            }
        }
    }
    NativeBindings {
        inputs,
        outputs: (0..mapping.outputs.len() as u64).collect(),
        loopbacks,
        ..NativeBindings::default()
    }
}
