//! Memory files, parameters and input streams of the Verilog grid.
//!
//! `csram_NNN.mem` and `tc_NNN.mem` are read with `$readmemb`; NNN is `x + GRID_DIMENSION_X * y` in three digits. The output bus has none.

use super::super::layout::Fields;
use super::super::{Config, Core, NUM_TICKS, NUM_WEIGHTS, Neuron, Packet};
use super::Sections;
use std::fmt::Write as _;

/// Parameters, then both memories of every core.
pub(super) fn image(config: &Config) -> Sections {
    let mut out = vec![(
        "ranc_parameters.vh".to_string(),
        parameters(config, None).into_bytes(),
    )];
    for core in &config.cores {
        let index = config.grid.index(core.x, core.y);
        out.push((format!("csram_{index:03}.mem"), csram(config, core)));
        out.push((format!("tc_{index:03}.mem"), axon_types(core)));
    }
    out
}

/// The Verilog header: one `localparam` for each parameter of RANCNetwork that the image fixes. With a `memory_path` (absolute, with a slash at its
/// end) it also says where the memory files lie, which only the one who writes them knows.
pub fn parameters(config: &Config, memory_path: Option<&str>) -> String {
    let w = &config.widths;
    let dimension = |bits: u8| 1u64 << bits.min(32);
    let values: [(&str, u64); 18] = [
        ("GRID_DIMENSION_X", config.grid.x.into()),
        ("GRID_DIMENSION_Y", config.grid.y.into()),
        ("MAX_DIMENSION_X", dimension(w.dx)),
        ("MAX_DIMENSION_Y", dimension(w.dy)),
        ("OUTPUT_CORE_X_COORDINATE", config.output_bus.x.into()),
        ("OUTPUT_CORE_Y_COORDINATE", config.output_bus.y.into()),
        ("NUM_OUTPUTS", config.output_bus.num_outputs.into()),
        ("NUM_NEURONS", config.num_neurons.into()),
        ("NUM_AXONS", config.num_axons.into()),
        ("NUM_TICKS", NUM_TICKS.into()),
        ("NUM_WEIGHTS", NUM_WEIGHTS as u64),
        ("NUM_RESET_MODES", 2),
        ("POTENTIAL_WIDTH", w.potential.into()),
        ("WEIGHT_WIDTH", w.weight.into()),
        ("LEAK_WIDTH", w.leak.into()),
        ("THRESHOLD_WIDTH", w.threshold.into()),
        ("DX_WIDTH", w.dx.into()),
        ("DY_WIDTH", w.dy.into()),
    ];
    let mut text =
        String::from("// Parameters of a RANC grid. Memories: csram_NNN.mem and tc_NNN.mem.\n");
    for (name, value) in values {
        writeln!(text, "localparam {name} = {value};").expect("writing to a String");
    }
    if let Some(path) = memory_path {
        let quoted = path.replace('\\', "\\\\").replace('"', "\\\"");
        writeln!(text, "localparam MEMORY_FILEPATH = \"{quoted}\";").expect("writing to a String");
    }
    text
}

fn csram(config: &Config, core: &Core) -> Vec<u8> {
    let f = Fields::of(config);
    let mut out = Vec::with_capacity(core.neurons.len() * (f.line() + 1));
    for (i, n) in core.neurons.iter().enumerate() {
        out.extend(
            (0..f.connections)
                .rev()
                .map(|axon| b'0' + u8::from(core.connections.get(i, axon))),
        );
        registers(&f, n, &mut out);
        out.push(b'\n');
    }
    out
}

fn registers(f: &Fields, n: &Neuron, out: &mut Vec<u8>) {
    let mut put =
        |value: i64, bits: u32| out.extend((0..bits).rev().map(|b| b'0' + (value >> b & 1) as u8));
    put(n.potential.into(), f.potential);
    put(n.reset_potential.into(), f.potential);
    for w in n.weights {
        put(w.into(), f.weight);
    }
    put(n.leak.into(), f.leak);
    put(n.positive_threshold.into(), f.threshold);
    put(n.negative_threshold.into(), f.threshold);
    put(n.reset_mode as i64, f.reset_mode);
    put(n.dx.into(), f.dx);
    put(n.dy.into(), f.dy);
    put(n.axon.into(), f.axon);
    put(n.tick.into(), f.tick);
}

fn axon_types(core: &Core) -> Vec<u8> {
    core.axons
        .iter()
        .flat_map(|ty| [b'0' + (ty >> 1 & 1), b'0' + (ty & 1), b'\n'])
        .collect()
}

/// `data.bin` and `count.bin`.
pub(super) fn streams(config: &Config, packets: &[Vec<Packet>]) -> Sections {
    let data = packets
        .iter()
        .flatten()
        .flat_map(|p| p.to_word(config).to_le_bytes())
        .collect();
    let count = packets
        .iter()
        .flat_map(|list| (list.len() as u32).to_le_bytes())
        .collect();
    vec![("data.bin".into(), data), ("count.bin".into(), count)]
}
