//! Memory files, parameters and streams of the Verilog back into a configuration.
//!
//! The header says how large everything is; each memory file must have exactly that size before anything is allocated for it. Undefined digits
//! (x, z) are refused: a configuration has no unknown bits.

use super::super::layout::Fields;
use super::super::{
    BitMatrix, Config, Core, Dialect, Grid, MAX_OUTPUTS, MAX_SIDE, MAX_SIZE, NUM_TICKS,
    NUM_WEIGHTS, Neuron, OutputBus, Packet, ResetMode, ResetType, Widths,
};
use super::{Named, contradiction, unreadable, wrong_section};
use crate::report::Report;
use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics};

const HEADER: &str = "ranc_parameters.vh";

/// The configuration in header and memory files.
pub(super) fn config(sections: &Named) -> Result<Config, Diagnostics> {
    let mut config = header(sections.require(HEADER)?)?;
    // Bounds of the grid and of the widths come first: what follows is sized by them.
    super::super::validate::sizes_only(&config).result(())?;
    let mut report = Report::new();
    unknown_sections(sections, &config, &mut report);
    let bus = (config.output_bus.x, config.output_bus.y);
    for y in 0..config.grid.y {
        for x in (0..config.grid.x).filter(|&x| (x, y) != bus) {
            let index = config.grid.index(x, y);
            let (csram, tc) = (
                format!("csram_{index:03}.mem"),
                format!("tc_{index:03}.mem"),
            );
            match (sections.get(&csram), sections.get(&tc)) {
                (Some(c), Some(t)) => match core(&config, (x, y), (&csram, c), (&tc, t)) {
                    Ok(core) => config.cores.push(core),
                    Err(list) => list
                        .0
                        .into_iter()
                        .for_each(|d| report.add("memory files", || d)),
                },
                (c, _) => {
                    let name = if c.is_none() { csram } else { tc };
                    report.add("missing files", || {
                        wrong_section(&name, "is missing from the image")
                    });
                }
            }
        }
    }
    report.finish().result(config)
}

/// Names that the Verilog would not read. The output bus may have files, which are not read either.
fn unknown_sections(sections: &Named, config: &Config, report: &mut Report) {
    let number = |name: &str, head: &str| {
        let digits = name.strip_prefix(head)?.strip_suffix(".mem")?;
        (digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| digits.parse::<u32>().ok())?
    };
    for name in sections
        .names()
        .filter(|n| ![HEADER, "data.bin", "count.bin"].contains(n))
    {
        let index = number(name, "csram_").or_else(|| number(name, "tc_"));
        if index.is_none_or(|i| i >= config.grid.positions()) {
            report.add("unknown sections", || {
                wrong_section(name, "belongs to no position of the grid")
            });
        }
    }
}

/// The header into sizes; cores stay empty.
fn header(bytes: &[u8]) -> Result<Config, Diagnostics> {
    let values = assignments(bytes)?;
    let mut report = Report::new();
    let mut take = |name: &'static str, most: u32| match values.get(name) {
        Some(&v) if v <= u64::from(most) => v as u32,
        Some(v) => {
            report.add("header values", || {
                unreadable(HEADER, format!("{name} is {v}, it must be 0..={most}"))
            });
            0
        }
        None => {
            report.add("header names", || {
                unreadable(HEADER, format!("{name} is missing"))
            });
            0
        }
    };
    let side = u32::from(MAX_SIDE);
    let config = Config {
        dialect: Dialect::Rtl,
        grid: Grid {
            x: take("GRID_DIMENSION_X", side) as u16,
            y: take("GRID_DIMENSION_Y", side) as u16,
        },
        num_neurons: take("NUM_NEURONS", MAX_SIZE.into()) as u16,
        num_axons: take("NUM_AXONS", MAX_SIZE.into()) as u16,
        neuron_reset_type: ResetType::Asymmetric,
        output_bus: OutputBus {
            x: take("OUTPUT_CORE_X_COORDINATE", side) as u16,
            y: take("OUTPUT_CORE_Y_COORDINATE", side) as u16,
            num_outputs: take("NUM_OUTPUTS", MAX_OUTPUTS),
        },
        widths: Widths {
            potential: take("POTENTIAL_WIDTH", 32) as u8,
            weight: take("WEIGHT_WIDTH", 32) as u8,
            leak: take("LEAK_WIDTH", 32) as u8,
            threshold: take("THRESHOLD_WIDTH", 32) as u8,
            dx: take("DX_WIDTH", 16) as u8,
            dy: take("DY_WIDTH", 16) as u8,
        },
        cores: vec![],
    };
    let fixed = [
        ("NUM_TICKS", u32::from(NUM_TICKS)),
        ("NUM_WEIGHTS", NUM_WEIGHTS as u32),
        ("NUM_RESET_MODES", 2),
        ("MAX_DIMENSION_X", 1 << config.widths.dx),
        ("MAX_DIMENSION_Y", 1 << config.widths.dy),
    ];
    let found = fixed.map(|(name, _)| take(name, u32::MAX));
    for ((name, wanted), value) in fixed
        .into_iter()
        .zip(found)
        .filter(|((_, wanted), value)| wanted != value)
    {
        report.add("header sizes", || {
            contradiction(HEADER, format!("{name} is {value}, it must be {wanted}"))
        });
    }
    report.finish().result(config)
}

/// Every name that the header may assign; a path of memory files is read over.
const NAMES: [&str; 18] = [
    "GRID_DIMENSION_X",
    "GRID_DIMENSION_Y",
    "MAX_DIMENSION_X",
    "MAX_DIMENSION_Y",
    "OUTPUT_CORE_X_COORDINATE",
    "OUTPUT_CORE_Y_COORDINATE",
    "NUM_OUTPUTS",
    "NUM_NEURONS",
    "NUM_AXONS",
    "NUM_TICKS",
    "NUM_WEIGHTS",
    "NUM_RESET_MODES",
    "POTENTIAL_WIDTH",
    "WEIGHT_WIDTH",
    "LEAK_WIDTH",
    "THRESHOLD_WIDTH",
    "DX_WIDTH",
    "DY_WIDTH",
];

/// Lines `localparam NAME = NUMBER;`, comments and blank lines.
fn assignments(bytes: &[u8]) -> Result<BTreeMap<&'static str, u64>, Diagnostics> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| unreadable(HEADER, format!("byte {} is no text", e.valid_up_to())))?;
    let mut report = Report::new();
    let mut values = BTreeMap::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        let place = || format!("{HEADER}:{}", i + 1);
        let parts = line
            .strip_prefix("localparam ")
            .and_then(|l| l.strip_suffix(';'))
            .and_then(|l| l.split_once('='));
        let Some((name, value)) = parts.map(|(n, v)| (n.trim(), v.trim())) else {
            report.add("header lines", || {
                unreadable(place(), "the line is no `localparam NAME = VALUE;`")
            });
            continue;
        };
        if name == "MEMORY_FILEPATH" {
            continue;
        }
        match (NAMES.iter().find(|n| **n == name), value.parse::<u64>()) {
            (Some(&name), Ok(value)) => {
                if values.insert(name, value).is_some() {
                    report.add("header twice", || {
                        unreadable(place(), format!("{name} is assigned twice"))
                    });
                }
            }
            (None, _) => report.add("header names", || {
                unreadable(place(), "no parameter of the grid has this name")
            }),
            (_, Err(_)) => report.add("header numbers", || {
                unreadable(place(), "the value is no number")
            }),
        }
    }
    report.finish().result(values)
}

/// The lines of a memory file, without the blanks that `$readmemb` skips at their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|b| *b == b'\n')
        .map(|l| l.trim_ascii())
        .filter(|l| !l.is_empty())
}

/// What is wrong with a memory file that should hold `count` lines of `width` binary digits; asked before it is read.
fn misfit(name: &str, bytes: &[u8], count: usize, width: usize) -> Option<Diagnostic> {
    let mut n = 0;
    for line in lines(bytes) {
        n += 1;
        if line.len() != width {
            let text = format!(
                "the line has {} digits, the parameters ask for {width}",
                line.len()
            );
            return Some(contradiction(format!("{name}, line {n}"), text));
        }
        if let Some(at) = line.iter().position(|b| !matches!(b, b'0' | b'1')) {
            let place = format!("{name}, line {n}, digit {}", at + 1);
            return Some(unreadable(place, "the digit is neither 0 nor 1"));
        }
    }
    let text = || format!("the file has {n} lines, the parameters ask for {count}");
    (n != count).then(|| contradiction(name, text()))
}

/// One core from its two files, each with its name.
fn core(
    config: &Config,
    (x, y): (u16, u16),
    csram: (&str, &[u8]),
    tc: (&str, &[u8]),
) -> Result<Core, Diagnostics> {
    let f = Fields::of(config);
    let wrong = [
        misfit(csram.0, csram.1, config.num_neurons.into(), f.line()),
        misfit(tc.0, tc.1, config.num_axons.into(), 2),
    ];
    Diagnostics(wrong.into_iter().flatten().collect()).result(())?;
    let axons = lines(tc.1)
        .map(|l| l.iter().fold(0, |v, b| v << 1 | (b - b'0')))
        .collect();
    let mut connections = BitMatrix::new(config.num_neurons.into(), config.num_axons.into());
    let mut neurons = Vec::with_capacity(config.num_neurons.into());
    for (i, line) in lines(csram.1).enumerate() {
        let (bits, registers) = line.split_at(f.connections);
        for (axon, _) in bits.iter().rev().enumerate().filter(|(_, b)| **b == b'1') {
            connections.set(i, axon, true);
        }
        neurons.push(neuron(&f, registers));
    }
    Ok(Core {
        x,
        y,
        axons,
        neurons,
        connections,
    })
}

/// The registers right of the connections; their digits were counted.
fn neuron(f: &Fields, digits: &[u8]) -> Neuron {
    let mut rest = digits;
    let mut take = |bits: u32| {
        let (head, tail) = rest.split_at(bits as usize);
        rest = tail;
        head.iter().fold(0u64, |v, b| v << 1 | u64::from(b - b'0'))
    };
    let signed = |v: u64, bits: u32| ((v << (64 - bits)) as i64 >> (64 - bits)) as i32;
    Neuron {
        potential: signed(take(f.potential), f.potential),
        reset_potential: signed(take(f.potential), f.potential),
        weights: std::array::from_fn(|_| signed(take(f.weight), f.weight)),
        leak: signed(take(f.leak), f.leak),
        positive_threshold: signed(take(f.threshold), f.threshold),
        negative_threshold: signed(take(f.threshold), f.threshold),
        reset_mode: if take(f.reset_mode) == 1 {
            ResetMode::Linear
        } else {
            ResetMode::Absolute
        },
        dx: signed(take(f.dx), f.dx) as i16,
        dy: signed(take(f.dy), f.dy) as i16,
        axon: take(f.axon) as u32,
        tick: take(f.tick) as u8,
    }
}

/// `data.bin` cut into ticks by `count.bin`.
pub(super) fn packets(config: &Config, sections: &Named) -> Result<Vec<Vec<Packet>>, Diagnostics> {
    let (data, count) = match (sections.get("data.bin"), sections.get("count.bin")) {
        (None, None) => return Ok(vec![]),
        (Some(d), Some(c)) => (words("data.bin", d)?, words("count.bin", c)?),
        (d, _) => {
            let name = if d.is_none() { "data.bin" } else { "count.bin" };
            return Err(wrong_section(name, "is missing beside its companion").into());
        }
    };
    let total: u64 = count.iter().map(|&n| u64::from(n)).sum();
    if total != data.len() as u64 {
        return Err(contradiction(
            "count.bin",
            format!(
                "the counts sum to {total}, data.bin holds {} packets",
                data.len()
            ),
        )
        .into());
    }
    let mut report = Report::new();
    let mut rest = data.into_iter();
    let mut lists = Vec::with_capacity(count.len());
    for (k, &n) in count.iter().enumerate() {
        let mut list = vec![];
        for word in rest.by_ref().take(n as usize) {
            match Packet::from_word(word, config) {
                Some(p) => list.push(p),
                None => report.add("packet words", || {
                    unreadable(format!("data.bin, tick {k}"), format!("the word {word:#010x} is no input packet: bits above the packet are set, or an offset is negative"))
                }),
            }
        }
        lists.push(list);
    }
    report.finish().result(lists)
}

fn words(name: &str, bytes: &[u8]) -> Result<Vec<u32>, Diagnostics> {
    if !bytes.len().is_multiple_of(4) {
        return Err(unreadable(
            name,
            format!(
                "the file has {} bytes, which are no whole 32-bit words",
                bytes.len()
            ),
        )
        .into());
    }
    Ok(bytes
        .chunks_exact(4)
        .map(|c| u32::from_le_bytes([c[0], c[1], c[2], c[3]]))
        .collect())
}
