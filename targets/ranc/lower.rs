//! Configuration to [`Program`]: what the emulator runs in place of the chip.
//!
//! A tick is a step of three phases. `packets` (external) and spikes that are due drive `axons`, whose `or` port merges them (phase 0); axons drive `neurons` through
//! the crossbar, summing the weight of each axon's type (phase 1); neurons send to axons, `tick + 1` steps later, and to `outputs` in the same step
//! (phase 2). The models are those of `model.syn`. Axons without an effective connection are no units: nothing can be observed of them.
//!
//! Unit order: `axons` by core, then axon; `neurons` by core, then neuron, every configured one; `outputs` by index. `packets` has a unit for each of `axons`
//! and one more that leads nowhere. Each axon carries its [`Packet::address`] as a parameter, so that a program can be fed without its configuration.

use super::{Config, Core, DROPPED_TICK, Dialect, Neuron, Packet, ResetMode, ResetType};
use synfire_ir::model::{Model, Param, Ty};
use synfire_ir::program::{
    Arithmetic, Carry, Column, Discipline, Group, GroupKind, Groups, Layout, Observable, Probe,
    Program, Projection, Range, Rows, Run, Weights,
};
use synfire_ir::{Diagnostic, Diagnostics};

/// Group of input packets (external).
pub const PACKETS: u32 = 0;
/// Group of axons.
pub const AXONS: u32 = 1;
/// Group of neurons.
pub const NEURONS: u32 = 2;
/// Group of output indices.
pub const OUTPUTS: u32 = 3;
/// State of a neuron: its potential.
pub const POTENTIAL: u16 = 0;

/// Most crossbar points that one program numbers.
const MOST_SYNAPSES: u64 = i32::MAX as u64;

/// The program of a legal configuration; its only probe records the output indices that spike.
///
/// Errors: `SYN0614` when the crossbars hold more points than a program can number.
pub fn lower(config: &Config) -> Result<Program, Diagnostics> {
    if config.synapses() > MOST_SYNAPSES {
        return Err(Diagnostic::error(
            "SYN0614",
            format!(
                "{} crossbar points, an emulation numbers at most {MOST_SYNAPSES}",
                config.synapses()
            ),
        )
        .note("every set bit of a crossbar is a synapse of the emulated program")
        .hint("emulate a part of the grid")
        .into());
    }
    let crossbars: Vec<Crossbar> = config.cores.iter().map(Crossbar::new).collect();
    let axons = Axons::new(config, &crossbars);
    let program = Program {
        name: "ranc".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 0,
        discipline: Discipline::Stepped,
        models: vec![
            addressed("RancAxon")?,
            neuron("Ranc", &[("width", potential_bits(config).into())])?,
            addressed("RancOutput")?,
        ],
        groups: groups(config, &axons),
        projections: vec![
            packets_to_axons(&axons),
            crossbar(config, &crossbars, &axons),
            spikes_to_axons(config, &axons),
            spikes_to_outputs(config),
        ],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![probe(
            "outputs",
            OUTPUTS,
            config.output_bus.num_outputs,
            Observable::Events,
        )],
    };
    Ok(program)
}

/// A neuron of the chip's text.
fn neuron(name: &str, fixed: &[(&str, i64)]) -> Result<Model, Diagnostics> {
    crate::model::neuron(include_str!("model.syn"), name, fixed)
}

/// An axon, or an index of the output bus, with its address beside it.
fn addressed(name: &str) -> Result<Model, Diagnostics> {
    let mut model = neuron(name, &[])?;
    model.params.push(Param {
        name: "address".into(),
        ty: Ty::U32,
    });
    Ok(model)
}

/// Bits of a potential: the simulator counts in a C++ `int`.
fn potential_bits(config: &Config) -> u32 {
    match config.dialect {
        Dialect::Sim => 32,
        Dialect::Rtl => config.widths.potential.into(),
    }
}

/// Adds probes of every neuron's spikes and of its potential after every step; gives their indices.
pub fn probe_neurons(program: &mut Program) -> (u32, u32) {
    let size = program.groups[NEURONS as usize].size;
    let first = program.probes.len() as u32;
    program
        .probes
        .push(probe("neurons", NEURONS, size, Observable::Events));
    program.probes.push(probe(
        "neurons.v",
        NEURONS,
        size,
        Observable::State(POTENTIAL),
    ));
    (first, first + 1)
}

/// The unit of [`PACKETS`] that makes the addressed axon fire; the unit that leads nowhere, when the axon has no effect.
pub fn packet_unit(program: &Program, packet: Packet) -> u32 {
    let Some(Group {
        size,
        kind: GroupKind::Units { params, .. },
        ..
    }) = program.groups.get(AXONS as usize)
    else {
        return 0;
    };
    let address = |unit: u32| params.first().map_or(0, |c| c.get(unit as usize));
    let (mut low, mut high) = (0, *size);
    while low < high {
        let middle = low + (high - low) / 2;
        if address(middle) < packet.address() {
            low = middle + 1
        } else {
            high = middle
        }
    }
    if low < *size && address(low) == packet.address() {
        low
    } else {
        *size
    }
}

fn probe(name: &str, group: u32, size: u32, what: Observable) -> Probe {
    Probe {
        name: name.into(),
        group,
        range: Range {
            start: 0,
            len: size,
        },
        what,
        every: 1,
    }
}

/// The effective connections of a core, axon by axon.
struct Crossbar {
    /// Axons with at least one, ascending.
    axons: Vec<u16>,
    /// Connections of `axons[k]` are `start[k]..start[k + 1]`.
    start: Vec<usize>,
    /// (neuron, weight), neurons ascending within an axon.
    points: Vec<(u16, i32)>,
}

impl Crossbar {
    fn new(core: &Core) -> Crossbar {
        let width = core.connections.columns();
        let mut count = vec![0usize; width];
        effective(core, |_, a, _| count[a] += 1);
        let axons: Vec<u16> = (0..width)
            .filter(|&a| count[a] > 0)
            .map(|a| a as u16)
            .collect();
        let mut start = Vec::with_capacity(axons.len() + 1);
        let mut next = vec![0; width];
        let mut total = 0;
        for &a in &axons {
            start.push(total);
            next[usize::from(a)] = total;
            total += count[usize::from(a)];
        }
        start.push(total);
        let mut points = vec![(0, 0); total];
        effective(core, |i, a, w| {
            points[next[a]] = (i as u16, w);
            next[a] += 1;
        });
        Crossbar {
            axons,
            start,
            points,
        }
    }
}

/// Visits every connection with a weight: `f(neuron, axon, weight)`, neurons ascending.
fn effective(core: &Core, mut f: impl FnMut(usize, usize, i32)) {
    for (i, n) in core.neurons.iter().enumerate() {
        for a in core.connections.ones(i) {
            let w = n
                .weights
                .get(usize::from(core.axon_type(a)))
                .copied()
                .unwrap_or(0);
            if w != 0 {
                f(i, a, w);
            }
        }
    }
}

/// Numbers of axon units.
struct Axons {
    /// Address of each unit, ascending.
    addresses: Vec<u32>,
}

impl Axons {
    /// Units in the order of cores; addresses are sorted afterwards by (x, y, axon), which is not the order of cores.
    fn new(config: &Config, crossbars: &[Crossbar]) -> Axons {
        let of_core = |(core, bar): (&Core, &Crossbar)| {
            let at = |&axon: &u16| {
                Packet {
                    x: core.x,
                    y: core.y,
                    axon,
                    tick: 0,
                }
                .address()
            };
            bar.axons.iter().map(at).collect::<Vec<_>>()
        };
        let mut addresses: Vec<u32> = config
            .cores
            .iter()
            .zip(crossbars)
            .flat_map(of_core)
            .collect();
        addresses.sort_unstable();
        Axons { addresses }
    }

    fn len(&self) -> u32 {
        self.addresses.len() as u32
    }

    fn unit(&self, x: u16, y: u16, axon: u16) -> Option<u32> {
        let address = Packet {
            x,
            y,
            axon,
            tick: 0,
        }
        .address();
        self.addresses
            .binary_search(&address)
            .ok()
            .map(|u| u as u32)
    }
}

/// Groups in the order of their constants, with their bases.
fn groups(config: &Config, axons: &Axons) -> Vec<Group> {
    let all = || config.cores.iter().flat_map(|c| &c.neurons);
    let column =
        |f: &dyn Fn(&Neuron) -> i32| Column::from_words(all().map(|n| f(n) as u32).collect());
    let symmetric = u32::from(config.neuron_reset_type == ResetType::Symmetric);
    let units = |model, params, init| GroupKind::Units {
        model,
        params,
        init,
    };
    let neurons = units(
        1,
        vec![
            column(&|n| n.positive_threshold),
            column(&|n| n.negative_threshold),
            column(&|n| n.reset_potential),
            column(&|n| i32::from(n.reset_mode == ResetMode::Linear)),
            column(&|n| n.leak),
            Column::Uniform(symmetric),
        ],
        vec![column(&|n| n.potential)],
    );
    let outputs = config.output_bus.num_outputs;
    let addresses = vec![Column::from_words(axons.addresses.clone())];
    let numbers = vec![Column::from_words((0..outputs).collect())];
    (Groups::default())
        .and("packets", axons.len() as usize + 1, 0, GroupKind::External)
        .and(
            "axons",
            axons.len() as usize,
            0,
            units(0, addresses, vec![]),
        )
        .and("neurons", config.neurons() as usize, 1, neurons)
        .and("outputs", outputs as usize, 2, units(2, numbers, vec![]))
        .list()
}

fn projection(
    name: &str,
    (source, sources): (u32, u32),
    (target, targets): (u32, u32),
    layout: Layout,
) -> Projection {
    Projection {
        name: name.into(),
        source,
        source_range: Range {
            start: 0,
            len: sources,
        },
        target,
        target_range: Range {
            start: 0,
            len: targets,
        },
        port: 0,
        carry: Carry::Events,
        layout,
    }
}

fn packets_to_axons(axons: &Axons) -> Projection {
    let layout = Layout::OneToOne {
        delay: 0,
        weights: Weights::Uniform(1),
    };
    projection(
        "packets",
        (PACKETS, axons.len()),
        (AXONS, axons.len()),
        layout,
    )
}

/// Axons to neurons of their core.
fn crossbar(config: &Config, bars: &[Crossbar], axons: &Axons) -> Projection {
    // Axon units ascend by address, so rows are collected in that order.
    let mut rows: Vec<(u32, usize, usize)> = vec![];
    let mut first = vec![];
    let mut neurons = 0u32;
    for (c, (core, bar)) in config.cores.iter().zip(bars).enumerate() {
        first.push(neurons);
        neurons += core.neurons.len() as u32;
        for (k, &axon) in bar.axons.iter().enumerate() {
            rows.push((
                Packet {
                    x: core.x,
                    y: core.y,
                    axon,
                    tick: 0,
                }
                .address(),
                c,
                k,
            ));
        }
    }
    rows.sort_unstable();
    let mut list = Lists::with_capacity(rows.len(), bars.iter().map(|b| b.points.len()).sum());
    for (_, c, k) in rows {
        let bar = &bars[c];
        let points = &bar.points[bar.start[k]..bar.start[k + 1]];
        list.row(0, points.iter().map(|&(i, w)| (first[c] + u32::from(i), w)));
    }
    projection(
        "crossbar",
        (AXONS, axons.len()),
        (NEURONS, neurons),
        list.finish(),
    )
}

/// Neurons to the axon that each one drives.
fn spikes_to_axons(config: &Config, axons: &Axons) -> Projection {
    let mut list = Lists::with_capacity(config.neurons() as usize, config.neurons() as usize);
    for core in &config.cores {
        for n in &core.neurons {
            let (x, y) = core.destination(n);
            let dropped =
                n.tick == DROPPED_TICK || config.to_output(core, n) || !config.grid.holds(x, y);
            let unit = if dropped {
                None
            } else {
                axons.unit(x as u16, y as u16, n.axon as u16)
            };
            list.row(u16::from(n.tick) + 1, unit.map(|u| (u, 1)).into_iter());
        }
    }
    projection(
        "axons",
        (NEURONS, config.neurons() as u32),
        (AXONS, axons.len()),
        list.finish(),
    )
}

/// Neurons to the index of the output bus that each one drives.
fn spikes_to_outputs(config: &Config) -> Projection {
    let mut list = Lists::with_capacity(config.neurons() as usize, config.neurons() as usize);
    for core in &config.cores {
        for n in &core.neurons {
            list.row(
                0,
                config.to_output(core, n).then_some((n.axon, 1)).into_iter(),
            );
        }
    }
    projection(
        "outputs",
        (NEURONS, config.neurons() as u32),
        (OUTPUTS, config.output_bus.num_outputs),
        list.finish(),
    )
}

/// Rows under construction, one run of one delay each.
struct Lists {
    row: Vec<u32>,
    runs: Vec<Run>,
    targets: Vec<u32>,
    weights: Vec<i32>,
}

impl Lists {
    fn with_capacity(rows: usize, synapses: usize) -> Self {
        let mut row = Vec::with_capacity(rows + 1);
        row.push(0);
        Lists {
            row,
            runs: vec![],
            targets: Vec::with_capacity(synapses),
            weights: Vec::with_capacity(synapses),
        }
    }

    fn row(&mut self, delay: u16, synapses: impl Iterator<Item = (u32, i32)>) {
        let start = self.targets.len() as u32;
        for (target, weight) in synapses {
            self.targets.push(target);
            self.weights.push(weight);
        }
        let len = self.targets.len() as u32 - start;
        if len > 0 {
            self.runs.push(Run { delay, start, len });
        }
        self.row.push(self.runs.len() as u32);
    }

    fn finish(self) -> Layout {
        Layout::Rows(Rows {
            row: self.row.into(),
            runs: self.runs.into(),
            targets: self.targets.into(),
            weights: Weights::from_i32(self.weights),
        })
    }
}
