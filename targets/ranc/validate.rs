//! Is a configuration what its reference can hold, and if not, why not?
//!
//! Takes a [`Config`] (or input packets), gives every violation, several of one kind cut short. Errors mean that the reference would misread, crash or
//! flag a fault; warnings, that it runs but loses spikes. Codes: `SYN0610` register range, `SYN0611` index range, `SYN0612` delay,
//! `SYN0613` route, `SYN0614` size, `SYN0615` feature that the dialect lacks, `SYN0616` incomplete or out of order.

mod packets;

pub use packets::validate_packets;

use super::layout::{Fields, signed_range};
use super::{
    Config, Core, DROPPED_TICK, Dialect, MAX_OUTPUTS, MAX_SIDE, MAX_SIZE, NUM_TICKS, NUM_WEIGHTS,
    Neuron, ResetType, Widths,
};
use crate::report::Report;
use synfire_ir::{Diagnostic, Diagnostics};

/// Grid positions that three digits of a file name can number.
const RTL_POSITIONS: u32 = 1000;

/// Every violation of what the reference of `config.dialect` can hold; without errors the configuration is legal.
pub fn validate(config: &Config) -> Diagnostics {
    let mut report = Report::new();
    all_sizes(config, &mut report);
    order(config, &mut report);
    for core in &config.cores {
        shape(config, core, &mut report);
        for (i, n) in core.neurons.iter().enumerate() {
            neuron(config, core, i, n, &mut report);
        }
    }
    report.finish()
}

/// The part of [`validate`] that does not look at cores: what a decoder needs to know before it allocates.
pub(super) fn sizes_only(config: &Config) -> Diagnostics {
    let mut report = Report::new();
    all_sizes(config, &mut report);
    report.finish()
}

fn all_sizes(config: &Config, report: &mut Report) {
    sizes(config, report);
    if config.dialect == Dialect::Rtl {
        rtl_sizes(config, report);
    } else if config.widths != Widths::SIM {
        report.add("widths", || {
            Diagnostic::error(
                "SYN0615",
                "the simulator's registers are 32 bits wide, the configuration says otherwise",
            )
            .note("config.json has no widths: the simulator computes in int")
            .hint("take the dialect rtl, or widths of 32 bits")
        });
    }
    output_bus(config, report);
}

/// A size that is out of bounds.
fn size(what: &str, value: impl std::fmt::Display, bounds: &str, why: &str) -> Diagnostic {
    Diagnostic::error("SYN0614", format!("{what} is {value}, it must be {bounds}"))
        .note(why)
        .hint(format!("take {what} {bounds}"))
        .field("limit", what)
        .field("needed", value)
}

fn sizes(config: &Config, report: &mut Report) {
    for (what, side) in [
        ("num_cores_x", config.grid.x),
        ("num_cores_y", config.grid.y),
    ] {
        if side == 0 || side > MAX_SIDE {
            report.add("grid", || {
                size(
                    what,
                    side,
                    &format!("1..={MAX_SIDE}"),
                    "addresses of axons take 10 bits for each coordinate here; TrueNorth has 64 x 64 cores",
                )
            });
        }
    }
    for (what, n) in [
        ("num_neurons", config.num_neurons),
        ("num_axons", config.num_axons),
    ] {
        if n == 0 || n > MAX_SIZE {
            report.add("core size", || {
                size(
                    what,
                    n,
                    &format!("1..={MAX_SIZE}"),
                    "a core is a crossbar of axons and neurons, 256 x 256 by default",
                )
            });
        }
    }
}

fn rtl_sizes(config: &Config, report: &mut Report) {
    for (what, n) in [
        ("NUM_NEURONS", config.num_neurons),
        ("NUM_AXONS", config.num_axons),
    ] {
        if !n.is_power_of_two() || n < 2 {
            report.add("power of two", || {
                size(
                    what,
                    n,
                    "a power of two, at least 2",
                    "the Verilog addresses memories and packet fields with log2 of it",
                )
            });
        }
    }
    let positions = config.grid.positions();
    if positions > RTL_POSITIONS {
        report.add("positions", || {
            size(
                "the number of grid positions",
                positions,
                &format!("at most {RTL_POSITIONS} (999 cores and the output bus)"),
                "the Verilog names its memory files with three digits",
            )
        });
    }
    if config.neuron_reset_type == ResetType::Symmetric {
        report.add("reset type", || {
            Diagnostic::error("SYN0615", "neuron_reset_type is 1 (symmetric), which the Verilog does not have")
                .note("ThresholdResetUnit tests `potential < negative_threshold` only")
                .hint("take type 0 and raise every negative threshold by 1, which is the same test on integers for reset mode 0")
                .hint("or take the dialect sim")
        });
    }
    widths(config, report);
}

fn widths(config: &Config, report: &mut Report) {
    let w = &config.widths;
    let all = [
        ("POTENTIAL_WIDTH", w.potential, 32),
        ("WEIGHT_WIDTH", w.weight, 32),
        ("LEAK_WIDTH", w.leak, 32),
        ("THRESHOLD_WIDTH", w.threshold, 32),
        ("DX_WIDTH", w.dx, 16),
        ("DY_WIDTH", w.dy, 16),
    ];
    for (what, bits, most) in all {
        if !(2..=most).contains(&bits) {
            report.add("width", || {
                size(
                    what,
                    bits,
                    &format!("2..={most} bits"),
                    "a signed register has a sign and at least one bit",
                )
            });
        }
    }
    let packet = Fields::of(config).packet();
    if packet > 32 {
        report.add("packet", || {
            size(
                "the packet",
                format!("{packet} bits"),
                "at most 32 bits",
                "packets enter over an AXI stream of 32-bit words",
            )
        });
    }
    if *w != Widths::RTL {
        report.add("unverified width", || {
            Diagnostic::warning("SYN0615", "register widths differ from the Verilog's defaults of 9 bits")
                .note("exactness was verified at 9 bits; other widths follow from the rules of Verilog expressions")
                .hint("compare with a simulation of the Verilog before relying on them")
        });
    }
}

fn output_bus(config: &Config, report: &mut Report) {
    let bus = &config.output_bus;
    if !config.grid.holds(bus.x.into(), bus.y.into()) {
        report.add("output bus", || {
            Diagnostic::error(
                "SYN0611",
                format!(
                    "the output bus is at ({},{}), outside the grid of {}",
                    bus.x,
                    bus.y,
                    sides(config)
                ),
            )
            .note("exactly one position of the grid is the output bus")
            .hint("place it inside the grid")
        });
    }
    if bus.num_outputs == 0 || bus.num_outputs > MAX_OUTPUTS {
        let why = "each output index is a bit of every row that the simulator writes";
        report.add("num_outputs", || {
            size(
                "num_outputs",
                bus.num_outputs,
                &format!("1..={MAX_OUTPUTS}"),
                why,
            )
        });
    }
    if config.dialect == Dialect::Rtl && bus.num_outputs > config.num_axons.into() {
        report.add("outputs beyond axons", || {
            let text = format!("NUM_OUTPUTS is {}, of which only the first {} can spike", bus.num_outputs, config.num_axons);
            Diagnostic::warning("SYN0611", text)
                .note("an output index travels in the axon field of a packet, log2(NUM_AXONS) bits wide")
                .hint("take no more outputs than axons")
        });
    }
}

fn sides(config: &Config) -> String {
    format!("{} x {} cores", config.grid.x, config.grid.y)
}

/// Positions of the cores: inside, ascending, none twice, none on the output bus; in the Verilog, none missing.
fn order(config: &Config, report: &mut Report) {
    let mut last = None;
    for core in &config.cores {
        if !config.grid.holds(core.x.into(), core.y.into()) {
            report.add("core outside", || {
                Diagnostic::error(
                    "SYN0611",
                    format!("{core} lies outside the grid of {}", sides(config)),
                )
                .note("coordinates count from 0")
                .hint("enlarge the grid or move the core")
            });
            continue;
        }
        if (core.x, core.y) == (config.output_bus.x, config.output_bus.y) {
            report.add("core on bus", || {
                Diagnostic::error(
                    "SYN0611",
                    format!("{core} stands on the position of the output bus"),
                )
                .note("the output bus takes the place of a core and holds no neurons")
                .hint("move the core or the output bus")
            });
        }
        let index = config.grid.index(core.x, core.y);
        if last.is_some_and(|l| index <= l) {
            report.add("core order", || {
                Diagnostic::error("SYN0616", format!("{core} is listed twice or out of order"))
                    .note("cores ascend in x + width * y, so that one configuration has one form")
                    .hint("sort the cores by that number and list each once")
            });
        }
        last = Some(index);
    }
    let wanted = u64::from(config.grid.positions()).saturating_sub(1);
    if config.dialect == Dialect::Rtl && config.cores.len() as u64 != wanted {
        report.add("missing cores", || {
            Diagnostic::error(
                "SYN0616",
                format!(
                    "{} cores are configured, the Verilog loads memories of {wanted}",
                    config.cores.len()
                ),
            )
            .note("every grid position but the output bus reads a csram and a tc file")
            .hint("complete the configuration with default cores")
        });
    }
}

/// Sizes of a core's arrays, and its axon types.
fn shape(config: &Config, core: &Core, report: &mut Report) {
    let exact = config.dialect == Dialect::Rtl;
    let arrays = [
        ("axons", core.axons.len(), config.num_axons),
        ("neurons", core.neurons.len(), config.num_neurons),
    ];
    for (what, n, limit) in arrays {
        let limit = usize::from(limit);
        if n > limit || (exact && n != limit) {
            report.add("core arrays", || {
                let bound = if exact { "exactly" } else { "at most" };
                Diagnostic::error(
                    "SYN0616",
                    format!("{core} lists {n} {what}, it must list {bound} {limit}"),
                )
                .note("memories of a core have the size that the grid is configured for")
                .hint("complete the configuration, or correct num_neurons and num_axons")
            });
        }
    }
    let (rows, columns) = (core.connections.rows(), core.connections.columns());
    if rows != core.neurons.len() || columns != usize::from(config.num_axons) {
        report.add("connections", || {
            let text = format!("{core} has a crossbar of {rows} neurons x {columns} axons for {} neurons x {} axons", core.neurons.len(), config.num_axons);
            Diagnostic::error("SYN0616", text)
                .note("the crossbar has a row for each neuron and a column for each axon")
                .hint("give every neuron a row of num_axons bits")
        });
    }
    for (axon, &ty) in core
        .axons
        .iter()
        .enumerate()
        .filter(|(_, ty)| usize::from(**ty) >= NUM_WEIGHTS)
    {
        report.add("axon type", || {
            Diagnostic::error(
                "SYN0611",
                format!("{core}, axon {axon}: the type is {ty}, it must be 0..=3"),
            )
            .note("a neuron has four weights, and the type chooses one")
            .hint("use types 0 to 3")
        });
    }
}

fn neuron(config: &Config, core: &Core, i: usize, n: &Neuron, report: &mut Report) {
    if config.dialect == Dialect::Rtl {
        registers(config, core, i, n, report);
    }
    let (x, y) = core.destination(n);
    if !config.grid.holds(x, y) {
        report.add("route", || {
            let leg = if (0..i32::from(config.grid.x)).contains(&x) { "north-south" } else { "east-west" };
            Diagnostic::error("SYN0613", format!("{core}, neuron {i}: dx {}, dy {} lead to ({x},{y}), outside the grid of {}", n.dx, n.dy, sides(config)))
                .note(format!("a packet goes along x first, then along y; its {leg} leg leaves the grid, where the simulator follows a null pointer and the Verilog loses the packet"))
                .hint("correct the offsets or enlarge the grid")
        });
        return;
    }
    let to_output = config.to_output(core, n);
    destination(config, core, i, n, to_output, report);
    delay(config, core, i, n, to_output, report);
}

fn destination(
    config: &Config,
    core: &Core,
    i: usize,
    n: &Neuron,
    to_output: bool,
    report: &mut Report,
) {
    let axons = u32::from(config.num_axons);
    let (what, limit, why) = match (to_output, config.dialect) {
        (false, _) => ("axon", axons, "the destination core has num_axons axons"),
        (true, Dialect::Sim) => (
            "output",
            config.output_bus.num_outputs,
            "the output bus has num_outputs indices",
        ),
        (true, Dialect::Rtl) => (
            "output",
            config.output_bus.num_outputs.min(axons),
            "the index must exist and fit the axon field of a packet, log2(NUM_AXONS) bits wide",
        ),
    };
    if n.axon >= limit {
        report.add("destination", || {
            Diagnostic::error(
                "SYN0611",
                format!(
                    "{core}, neuron {i}: destination {what} is {}, it must be below {limit}",
                    n.axon
                ),
            )
            .note(why)
            .hint(format!("choose an {what} below {limit}"))
            .field("needed", n.axon)
            .field("available", limit)
        });
    }
}

fn delay(config: &Config, core: &Core, i: usize, n: &Neuron, to_output: bool, report: &mut Report) {
    if n.tick >= NUM_TICKS {
        report.add("tick field", || {
            Diagnostic::error(
                "SYN0612",
                format!(
                    "{core}, neuron {i}: tick is {}, the field has four bits",
                    n.tick
                ),
            )
            .note("a spike arrives tick + 1 ticks later, 1 to 15")
            .hint("take a delay of 1 to 15 ticks, or pass through relay neurons")
        });
    } else if n.tick == DROPPED_TICK && !to_output {
        report.add("dropped tick", || {
            let text = format!("{core}, neuron {i}: tick is 15 (a delay of 16), which wraps onto the word being read");
            let d = match config.dialect {
                Dialect::Sim => Diagnostic::warning("SYN0612", text).note("the simulator warns and drops every such spike"),
                Dialect::Rtl => Diagnostic::error("SYN0612", text).note("the Verilog raises scheduler_error"),
            };
            d.hint("take a tick of 0 to 14")
        });
    }
}

fn registers(config: &Config, core: &Core, i: usize, n: &Neuron, report: &mut Report) {
    let f = Fields::of(config);
    let values = [
        ("current_potential", n.potential, f.potential),
        ("reset_potential", n.reset_potential, f.potential),
        ("weights[0]", n.weights[0], f.weight),
        ("weights[1]", n.weights[1], f.weight),
        ("weights[2]", n.weights[2], f.weight),
        ("weights[3]", n.weights[3], f.weight),
        ("leak", n.leak, f.leak),
        ("positive_threshold", n.positive_threshold, f.threshold),
        ("negative_threshold", n.negative_threshold, f.threshold),
        ("dx", n.dx.into(), f.dx),
        ("dy", n.dy.into(), f.dy),
    ];
    for (what, value, bits) in values {
        let (low, high) = signed_range(bits);
        if !(low..=high).contains(&value.into()) {
            report.add("register", || {
                Diagnostic::error("SYN0610", format!("{core}, neuron {i}: {what} is {value}, its register holds {low}..={high}"))
                    .note(format!("the Verilog's register has {bits} bits, two's complement"))
                    .hint("scale weights, leak and thresholds together until they fit, or take the dialect sim")
                    .field("register", what)
                    .field("bits", bits)
            });
        }
    }
}
