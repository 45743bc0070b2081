//! The text of a golden vector into a [`Golden`].
//!
//! Files may come from anywhere: whatever does not fit is a `SYN0730`, and memory stays within a small multiple of the text.

use super::super::{
    BitMatrix, Config, Core, Dialect, Grid, MAX_SIDE, MAX_SIZE, NUM_WEIGHTS, Neuron, OutputBus,
    Packet, ResetMode, ResetType, Widths, validate,
};
use super::{Expect, Golden, Potentials};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics};

/// Bytes that completing a grid may take.
const MOST_BYTES: u64 = 256 << 20;

type Lists = BTreeMap<String, Vec<i32>>;

#[derive(Deserialize)]
struct File {
    format: String,
    name: String,
    config: Value,
    ticks: u32,
    network: Network,
    #[serde(default)]
    rtl_params: BTreeMap<String, u64>,
    #[serde(default)]
    mem: BTreeMap<String, Memory>,
    #[serde(default)]
    packet_bits: Vec<Vec<String>>,
    #[serde(default)]
    output_rows: Vec<Vec<u32>>,
    #[serde(default)]
    output_sets_per_tick: Vec<Vec<u32>>,
    #[serde(default)]
    potentials_per_tick: Vec<Lists>,
    #[serde(default)]
    final_potentials: Lists,
    warnings: Option<u64>,
    #[serde(default)]
    csram_lines_first16: Vec<String>,
    #[serde(default)]
    tc_lines: Vec<String>,
}

#[derive(Deserialize)]
struct Memory {
    csram: Vec<String>,
    tc: Vec<String>,
}

#[derive(Deserialize)]
struct Network {
    packets: Vec<Vec<[u16; 4]>>,
    output_bus: Bus,
    neuron_fields: Vec<String>,
    cores: Vec<CoreIn>,
}

#[derive(Deserialize)]
struct Bus {
    coordinates: [u16; 2],
    num_outputs: u32,
}

#[derive(Deserialize)]
struct CoreIn {
    coordinates: [u16; 2],
    axons: Vec<u8>,
    neurons: Vec<Vec<Value>>,
    connections_hex: Vec<String>,
}

impl Golden {
    /// Reads a golden vector in either form; `place` names the file in messages.
    ///
    /// Errors: `SYN0730` for a text that is no such vector, and those of [`validate`] for a network that the reference could not have run.
    pub fn parse(place: &str, text: &[u8]) -> Result<Golden, Diagnostics> {
        let file: File = serde_json::from_slice(text).map_err(|e| wrong(place, e.to_string()))?;
        Golden::from_file(place, file)
    }

    /// [`Golden::parse`] from JSON that is read already.
    pub fn from_json(place: &str, vector: &Value) -> Result<Golden, Diagnostics> {
        let file = File::deserialize(vector).map_err(|e| wrong(place, e.to_string()))?;
        Golden::from_file(place, file)
    }

    fn from_file(place: &str, file: File) -> Result<Golden, Diagnostics> {
        let dialect = match file.format.as_str() {
            "synfire-golden-ranc-1" => Dialect::Sim,
            "synfire-golden-ranc-rtl-1" => Dialect::Rtl,
            other => return Err(wrong(place, format!("the format is `{other}`"))),
        };
        let config = config(place, dialect, &file)?;
        let packets = packets(place, &file.network.packets)?;
        Ok(Golden {
            name: file.name.clone(),
            ticks: file.ticks as usize,
            config,
            packets,
            expect: expect(place, dialect, file)?,
        })
    }
}

fn wrong(place: &str, what: impl std::fmt::Display) -> Diagnostics {
    Diagnostic::error("SYN0730", format!("no golden vector of RANC: {what}"))
        .at(place)
        .note("vectors have the format synfire-golden-ranc-1 or synfire-golden-ranc-rtl-1")
        .hint("see the README of the chip for the two forms")
        .into()
}

fn packets(place: &str, lists: &[Vec<[u16; 4]>]) -> Result<Vec<Vec<Packet>>, Diagnostics> {
    let packet = |&[x, y, axon, tick]: &[u16; 4]| {
        let tick =
            u8::try_from(tick).map_err(|_| wrong(place, format!("a packet has tick {tick}")))?;
        Ok(Packet { x, y, axon, tick })
    };
    lists
        .iter()
        .map(|l| l.iter().map(packet).collect())
        .collect()
}

fn config(place: &str, dialect: Dialect, file: &File) -> Result<Config, Diagnostics> {
    let number = |name: &str, most: u16| match file.config.get(name).and_then(Value::as_u64) {
        Some(v) if v <= most.into() => Ok(v as u16),
        _ => Err(wrong(
            place,
            format!("config.{name} is missing or above {most}"),
        )),
    };
    let bus = &file.network.output_bus;
    let mut config = Config {
        dialect,
        grid: Grid {
            x: number("num_cores_x", MAX_SIDE)?,
            y: number("num_cores_y", MAX_SIDE)?,
        },
        num_neurons: number("num_neurons", MAX_SIZE)?,
        num_axons: number("num_axons", MAX_SIZE)?,
        neuron_reset_type: if number("neuron_reset_type", 1)? == 1 {
            ResetType::Symmetric
        } else {
            ResetType::Asymmetric
        },
        output_bus: OutputBus {
            x: bus.coordinates[0],
            y: bus.coordinates[1],
            num_outputs: bus.num_outputs,
        },
        widths: widths(place, dialect, &file.rtl_params)?,
        cores: vec![],
    };
    let fields = Fields::new(place, &file.network.neuron_fields)?;
    for core in &file.network.cores {
        config
            .cores
            .push(self::core(place, &fields, config.num_axons, core)?);
    }
    config.cores.sort_by_key(|c| config.grid.index(c.x, c.y));
    if dialect == Dialect::Rtl {
        // The other positions hold default memories, which the file leaves out. Sizes first: completing takes memory for the whole grid.
        super::super::validate::sizes_only(&config).result(())?;
        let core = u64::from(config.num_neurons) * (64 + u64::from(config.num_axons) / 8);
        if core * u64::from(config.grid.positions()) > MOST_BYTES {
            return Err(wrong(place, "the whole grid would take more than 256 MiB"));
        }
        config.complete();
    }
    validate(&config).result(config)
}

fn widths(
    place: &str,
    dialect: Dialect,
    params: &BTreeMap<String, u64>,
) -> Result<Widths, Diagnostics> {
    if dialect == Dialect::Sim {
        return Ok(Widths::SIM);
    }
    let width = |name: &str| match params.get(name) {
        Some(&v) if v <= 32 => Ok(v as u8),
        _ => Err(wrong(
            place,
            format!("rtl_params.{name} is missing or above 32"),
        )),
    };
    Ok(Widths {
        potential: width("POTENTIAL_WIDTH")?,
        weight: width("WEIGHT_WIDTH")?,
        leak: width("LEAK_WIDTH")?,
        threshold: width("THRESHOLD_WIDTH")?,
        dx: width("DX_WIDTH")?,
        dy: width("DY_WIDTH")?,
    })
}

/// Where each register stands in the lists of neurons.
struct Fields(BTreeMap<&'static str, usize>);

const FIELDS: [&str; 10] = [
    "reset_potential",
    "weights",
    "leak",
    "positive_threshold",
    "negative_threshold",
    "destination_core_offset",
    "destination_axon",
    "destination_tick",
    "current_potential",
    "reset_mode",
];

impl Fields {
    fn new(place: &str, names: &[String]) -> Result<Fields, Diagnostics> {
        let at = |f: &'static str| match names.iter().position(|n| n == f) {
            Some(i) => Ok((f, i)),
            None => Err(wrong(place, format!("neuron_fields lacks {f}"))),
        };
        Ok(Fields(
            FIELDS.into_iter().map(at).collect::<Result<_, _>>()?,
        ))
    }

    /// The integers of one field: one, or a list.
    fn ints<const N: usize>(&self, neuron: &[Value], name: &str) -> Option<[i32; N]> {
        let value = neuron.get(*self.0.get(name)?)?;
        let int = |v: &Value| v.as_i64().and_then(|v| i32::try_from(v).ok());
        let list: Vec<i32> = match value {
            Value::Array(list) => list.iter().map(int).collect::<Option<_>>()?,
            one => vec![int(one)?],
        };
        list.try_into().ok()
    }

    fn neuron(&self, list: &[Value]) -> Option<Neuron> {
        let one = |name: &str| self.ints::<1>(list, name).map(|[v]| v);
        let [dx, dy] = self.ints::<2>(list, "destination_core_offset")?;
        Some(Neuron {
            potential: one("current_potential")?,
            reset_potential: one("reset_potential")?,
            weights: self.ints::<NUM_WEIGHTS>(list, "weights")?,
            leak: one("leak")?,
            positive_threshold: one("positive_threshold")?,
            negative_threshold: one("negative_threshold")?,
            reset_mode: match one("reset_mode")? {
                0 => ResetMode::Absolute,
                1 => ResetMode::Linear,
                _ => return None,
            },
            dx: dx.try_into().ok()?,
            dy: dy.try_into().ok()?,
            axon: one("destination_axon")?.try_into().ok()?,
            tick: one("destination_tick")?.try_into().ok()?,
        })
    }
}

fn core(place: &str, fields: &Fields, num_axons: u16, core: &CoreIn) -> Result<Core, Diagnostics> {
    let [x, y] = core.coordinates;
    let at = |i: usize| format!("core ({x},{y}), neuron {i}");
    if core.connections_hex.len() != core.neurons.len() {
        return Err(wrong(
            place,
            format!(
                "core ({x},{y}) has {} rows of connections for {} neurons",
                core.connections_hex.len(),
                core.neurons.len()
            ),
        ));
    }
    let mut connections = BitMatrix::new(core.neurons.len(), num_axons.into());
    let mut neurons = Vec::with_capacity(core.neurons.len());
    for (i, (list, hex)) in core.neurons.iter().zip(&core.connections_hex).enumerate() {
        neurons.push(fields.neuron(list).ok_or_else(|| {
            wrong(
                place,
                format!("{}: a register is missing or too large", at(i)),
            )
        })?);
        for (k, digit) in hex.chars().rev().enumerate() {
            let bits = digit
                .to_digit(16)
                .ok_or_else(|| wrong(place, format!("{}: connections hold `{digit}`", at(i))))?;
            for b in (0..4).filter(|b| bits >> b & 1 == 1) {
                if k * 4 + b >= num_axons.into() {
                    return Err(wrong(
                        place,
                        format!("{} is connected to axon {}", at(i), k * 4 + b),
                    ));
                }
                connections.set(i, k * 4 + b, true);
            }
        }
    }
    Ok(Core {
        x,
        y,
        axons: core.axons.clone(),
        neurons,
        connections,
    })
}

fn expect(place: &str, dialect: Dialect, file: File) -> Result<Expect, Diagnostics> {
    let mut memory_lines = BTreeMap::new();
    for (number, memory) in file.mem {
        memory_lines.insert(format!("csram_{number}.mem"), memory.csram);
        memory_lines.insert(format!("tc_{number}.mem"), memory.tc);
    }
    for (name, lines) in [
        ("csram_000.mem", file.csram_lines_first16),
        ("tc_000.mem", file.tc_lines),
    ] {
        if !lines.is_empty() {
            memory_lines.insert(name.into(), lines);
        }
    }
    let outputs = match dialect {
        Dialect::Rtl => file.output_sets_per_tick,
        Dialect::Sim => emitted(place, file.output_rows)?,
    };
    Ok(Expect {
        outputs,
        potentials: file
            .potentials_per_tick
            .iter()
            .map(|l| potentials(place, l))
            .collect::<Result<_, _>>()?,
        final_potentials: potentials(place, &file.final_potentials)?,
        warnings: file.warnings,
        config_json: (dialect == Dialect::Sim).then_some(file.config),
        rtl_params: file.rtl_params,
        memory_lines,
        packet_bits: file.packet_bits,
    })
}

/// Rows of the simulator's output file by the tick that emitted them: row t + 1 holds the spikes of tick t, and row 0 none.
fn emitted(place: &str, mut rows: Vec<Vec<u32>>) -> Result<Vec<Vec<u32>>, Diagnostics> {
    if rows.first().is_some_and(|r| !r.is_empty()) {
        return Err(wrong(
            place,
            "output row 0 holds spikes, before any tick has run",
        ));
    }
    if !rows.is_empty() {
        rows.remove(0);
    }
    Ok(rows)
}

fn potentials(place: &str, lists: &Lists) -> Result<Potentials, Diagnostics> {
    let key = |k: &str| {
        let (x, y) = k.split_once(',')?;
        Some((x.trim().parse().ok()?, y.trim().parse().ok()?))
    };
    let entry = |(k, v): (&String, &Vec<i32>)| match key(k) {
        Some(at) => Ok((at, v.clone())),
        None => Err(wrong(place, format!("`{k}` are no coordinates"))),
    };
    lists.iter().map(entry).collect()
}
