//! The memory text set: one file a memory bank, one hexadecimal word a line, as the vendor's simulator writes it for core 2 with two synaptic states.
//!
//! Order and digits of every bank follow `save_to_RAM_files_V2` of xylosim 0.1.3; the words are equal to its own. A recurrent entry holds both synapses of one pair of neurons, so lists come
//! back in the canonical order of [`canonical`]. Input and output banks have a row for every hidden neuron, as the memory of XyloAudio 2 has. Deliberately absent: the tool's comment
//! lines, its recordings, and multapses, whose dummy entries were never compared.

use super::native::damaged;
use super::{Config, Neurons, Synapse};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use synfire_ir::{Diagnostic, Diagnostics};

/// Name of the file with sizes, shifts and enables.
pub const BASIC: &str = "basic_config.json";
/// Banks and digits of their words, in the order in which they are written.
pub const BANKS: [(&str, usize); 14] = [
    ("iwtram", 2),
    ("iwt2ram", 2),
    ("rforam", 3),
    ("rwtram", 2),
    ("rwt2ram", 2),
    ("refocram", 2),
    ("owtram", 2),
    ("ndmram", 1),
    ("ndsram", 1),
    ("rds2ram", 1),
    ("nthram", 4),
    ("nbram", 2),
    ("raram", 3),
    ("rcram", 1),
];
/// Alias target of a neuron that has none.
const NO_ALIAS: i32 = 0xfff;
/// Most entries of one neuron that its count of two digits holds.
const MOST_ENTRIES: usize = 255;

/// `basic_config.json`, by the tool's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(non_snake_case, missing_docs)]
pub struct Basic {
    pub IN: usize,
    pub RSN: usize,
    pub ON: usize,
    pub IWBS: u8,
    pub RWBS: u8,
    pub OWBS: u8,
    pub time_resolution_wrap: u32,
    pub DT: f64,
    pub N_SYNS: u8,
    pub RA: bool,
    pub BIAS: bool,
}

impl Basic {
    /// Nanoseconds a step, 0 where the file holds no such number.
    pub fn step(&self) -> u64 {
        (self.DT * 1e9).round() as u64
    }
}

/// Words of each bank, without their digits' prefix or comments.
pub type Banks = BTreeMap<&'static str, Vec<String>>;

/// The same network with its lists as a memory holds them: by state, then by target, without zeros, and without biases that count for nothing.
pub fn canonical(config: &Config) -> Config {
    let mut c = config.clone();
    for list in [&mut c.synapses_in, &mut c.synapses_rec, &mut c.synapses_out] {
        for l in list.iter_mut() {
            l.retain(|s| s.2 != 0);
            l.sort_unstable_by_key(|s| (s.1, s.0));
        }
    }
    if !c.has_bias {
        c.hidden.bias.fill(0);
        c.readout.bias.fill(0);
    }
    c
}

/// `basic_config.json` of a configuration; `dt_ns` is its step in nanoseconds.
pub fn basic(config: &Config, dt_ns: u64) -> Basic {
    Basic {
        IN: config.n_in,
        RSN: config.n_hidden,
        ON: config.n_out,
        IWBS: config.weight_shift_in,
        RWBS: config.weight_shift_rec,
        OWBS: config.weight_shift_out,
        time_resolution_wrap: 0,
        DT: dt_ns as f64 / 1e9,
        N_SYNS: config.n_syn,
        RA: config.aliases.iter().any(|a| !a.is_empty()),
        BIAS: config.has_bias,
    }
}

/// The words of every bank.
///
/// Errors: those of [`Config::validate`]; `SYN0610` for a bias beyond 8 bits, `SYN0614` for more entries than a count holds, `SYN0617` for what these banks cannot hold: the older core, one
/// synaptic state, multapses.
pub fn banks(config: &Config) -> Result<Banks, Diagnostics> {
    config.validate().result(())?;
    if config.core != 2 || config.n_syn != 2 {
        return Err(unfit(
            "SYN0617",
            "a network of the older core or with one synaptic state".into(),
        ));
    }
    let mut words: BTreeMap<&'static str, Vec<i32>> = BTreeMap::new();
    let c = canonical(config);
    dense(
        &c.synapses_in,
        c.n_hidden,
        2,
        ["iwtram", "iwt2ram"],
        &mut words,
    )?;
    dense(&c.synapses_out, c.n_out, 1, ["owtram", ""], &mut words)?;
    recurrent(&c, &mut words)?;
    let both = |f: fn(&Neurons) -> Vec<i32>| [f(&c.hidden), f(&c.readout)].concat();
    words.insert(
        "ndmram",
        both(|n| n.dash_mem.iter().map(|&d| d.into()).collect()),
    );
    let first = |n: &Neurons| {
        n.dash_syn
            .iter()
            .map(|d| d.first().copied().unwrap_or(0).into())
            .collect()
    };
    words.insert("ndsram", both(first));
    let second = c
        .hidden
        .dash_syn
        .iter()
        .map(|d| d.get(1).copied().unwrap_or(0).into());
    words.insert("rds2ram", second.collect());
    words.insert(
        "nthram",
        both(|n| n.threshold.iter().map(|&t| t.into()).collect()),
    );
    let bias = both(|n| n.bias.iter().map(|&b| b.into()).collect());
    if let Some(b) = bias.iter().find(|b| i8::try_from(**b).is_err()) {
        return Err(unfit(
            "SYN0610",
            format!("a bias of {b}; the bank holds -128..=127"),
        ));
    }
    words.insert("nbram", bias);
    let alias = c
        .aliases
        .iter()
        .map(|a| a.first().map_or(NO_ALIAS, |&t| t.into()));
    words.insert("raram", alias.collect());
    words.insert("rcram", flags(&c.aliases));
    let hex = |(name, digits): (&'static str, usize)| {
        let mask = (1i64 << (4 * digits)) - 1;
        let list = words.get(name).map_or(&[][..], |w| w);
        let text = |&w: &i32| format!("{:0digits$x}", i64::from(w) & mask);
        (name, list.iter().map(text).collect())
    };
    Ok(BANKS.into_iter().map(hex).collect())
}

/// Weights of every (source, target), one bank a state.
fn dense(
    lists: &[Vec<Synapse>],
    targets: usize,
    states: usize,
    names: [&'static str; 2],
    words: &mut BTreeMap<&'static str, Vec<i32>>,
) -> Result<(), Diagnostics> {
    for (state, name) in names.into_iter().enumerate().take(states) {
        let mut all = Vec::with_capacity(lists.len() * targets);
        for list in lists {
            let mut row = vec![0; targets];
            for &(t, s, w) in list.iter().filter(|x| usize::from(x.1) == state) {
                if std::mem::replace(&mut row[usize::from(t)], i32::from(w)) != 0 {
                    return Err(twice(t, s));
                }
            }
            all.extend(row);
        }
        words.insert(name, all);
    }
    Ok(())
}

fn recurrent(c: &Config, words: &mut BTreeMap<&'static str, Vec<i32>>) -> Result<(), Diagnostics> {
    let (mut targets, mut first, mut second, mut counts) = (vec![], vec![], vec![], vec![]);
    for list in &c.synapses_rec {
        let mut entries: BTreeMap<u16, [i32; 2]> = BTreeMap::new();
        for &(t, s, w) in list {
            let slot = &mut entries.entry(t).or_default()[usize::from(s)];
            if std::mem::replace(slot, w.into()) != 0 {
                return Err(twice(t, s));
            }
        }
        if entries.len() > MOST_ENTRIES {
            let text = format!(
                "{} fan-out entries of one neuron; their count has 8 bits",
                entries.len()
            );
            return Err(unfit("SYN0614", text));
        }
        counts.push(entries.len() as i32);
        for (t, w) in entries {
            targets.push(t.into());
            first.push(w[0]);
            second.push(w[1]);
        }
    }
    words.extend([
        ("rforam", targets),
        ("rwtram", first),
        ("rwt2ram", second),
        ("refocram", counts),
    ]);
    Ok(())
}

/// 2 x is an alias source + is an alias target, for each hidden neuron.
fn flags(aliases: &[Vec<u16>]) -> Vec<i32> {
    let mut flags: Vec<i32> = aliases
        .iter()
        .map(|a| 2 * i32::from(!a.is_empty()))
        .collect();
    for &t in aliases.iter().flatten() {
        flags[usize::from(t)] |= 1;
    }
    flags
}

fn unfit(code: &str, what: String) -> Diagnostics {
    Diagnostic::error(code, format!("{what} has no place in the memory text set"))
        .note("the set describes core 2 with two synaptic states and one synapse for each pair of neurons and state")
        .hint("the neutral specification (network.xylo.json) holds it")
        .into()
}

fn twice(target: u16, state: u8) -> Diagnostics {
    unfit(
        "SYN0617",
        format!("a second synapse onto state {state} of neuron {target} from one source"),
    )
}

/// The files of a configuration: name and bytes, [`BASIC`] first.
///
/// Errors: those of [`banks`].
pub fn encode(config: &Config, dt_ns: u64) -> Result<Vec<(String, Vec<u8>)>, Diagnostics> {
    let json =
        serde_json::to_string(&basic(config, dt_ns)).map_err(|e| damaged(BASIC, e.to_string()))?;
    let mut files = vec![(BASIC.to_string(), (json + "\n").into_bytes())];
    let all = banks(config)?;
    for (name, _) in BANKS {
        let lines: String = all
            .get(name)
            .into_iter()
            .flatten()
            .map(|w| format!("{w}\n"))
            .collect();
        files.push((format!("{name}.ini"), lines.into_bytes()));
    }
    Ok(files)
}

/// The configuration in a set of files, and its nanoseconds a step. Words are read exactly as [`encode`] writes them; lines that begin with `//` are left out.
///
/// Errors: `SYN0721` for a file that is missing or is not as it must be, and those of [`Config::validate`].
pub fn decode(files: &BTreeMap<&str, &[u8]>) -> Result<(Config, u64), Diagnostics> {
    let text = files
        .get(BASIC)
        .ok_or_else(|| damaged(BASIC, "it is missing".into()))?;
    let basic: Basic = serde_json::from_slice(text).map_err(|e| damaged(BASIC, e.to_string()))?;
    let mut given = Banks::new();
    for (name, _) in BANKS {
        let file = format!("{name}.ini");
        let bytes = files
            .get(file.as_str())
            .ok_or_else(|| damaged(&file, "it is missing".into()))?;
        let text = std::str::from_utf8(bytes).map_err(|e| damaged(&file, e.to_string()))?;
        let lines = text.lines().filter(|l| !l.starts_with("//"));
        given.insert(name, lines.map(str::to_string).collect());
    }
    let config = from_banks(&basic, &given)?;
    Ok((config, basic.step()))
}

/// The configuration in the words of all banks.
///
/// Errors: as [`decode`].
pub fn from_banks(basic: &Basic, given: &Banks) -> Result<Config, Diagnostics> {
    let mut read = BTreeMap::new();
    for (name, digits) in BANKS {
        let words = given.get(name).map_or(&[][..], |w| w);
        let parsed: Option<Vec<i64>> = words
            .iter()
            .map(|w| i64::from_str_radix(w, 16).ok())
            .collect();
        let parsed = parsed
            .ok_or_else(|| damaged(name, format!("a word is no {digits} hexadecimal digits")))?;
        read.insert(name, parsed);
    }
    let bank = |name: &'static str| read.get(name).map_or(&[][..], |w| w);
    let (n, h, o) = (basic.IN, basic.RSN, basic.ON);
    let cells = |a: usize, b: usize| a.saturating_mul(b);
    let expected = [
        ("iwtram", cells(n, h)),
        ("owtram", cells(h, o)),
        ("nthram", h.saturating_add(o)),
        ("refocram", h),
        ("raram", h),
    ];
    for (name, len) in expected {
        if bank(name).len() != len {
            return Err(damaged(
                name,
                format!("{} words where {len} belong", bank(name).len()),
            ));
        }
    }
    let byte = |w: i64| w as u8 as i8;
    let matrix = |names: &[&'static str], rows: usize, columns: usize| -> Vec<Vec<Synapse>> {
        let row = |r: usize| {
            let state = |(s, name): (usize, &&'static str)| {
                let cells = bank(name).iter().skip(r * columns).take(columns);
                (0u16..)
                    .zip(cells)
                    .filter(|c| *c.1 != 0)
                    .map(|(t, &w)| (t, s as u8, byte(w)))
                    .collect::<Vec<_>>()
            };
            names.iter().enumerate().flat_map(state).collect()
        };
        (0..rows).map(row).collect()
    };
    let neurons = |from: usize, len: usize, states: usize| {
        let column = |name: &'static str| {
            bank(name)
                .iter()
                .skip(from)
                .take(len)
                .copied()
                .collect::<Vec<i64>>()
        };
        let (first, second) = (column("ndsram"), column("rds2ram"));
        let dash = |(k, &d): (usize, &i64)| {
            let two = second.get(k).map(|&d| d as u8).filter(|_| states == 2);
            std::iter::once(d as u8).chain(two).collect()
        };
        Neurons {
            threshold: column("nthram").iter().map(|&w| w as u16 as i16).collect(),
            dash_mem: column("ndmram").iter().map(|&w| w as u8).collect(),
            dash_syn: first.iter().enumerate().map(dash).collect(),
            bias: column("nbram").iter().map(|&w| byte(w).into()).collect(),
        }
    };
    let mut at = 0;
    let entries = |&count: &i64| {
        let these = at..at + (count.max(0) as usize).min(MOST_ENTRIES);
        at = these.end;
        let state = |(s, name): (u8, &'static str)| {
            let pairs = these
                .clone()
                .filter_map(move |k| Some((*bank("rforam").get(k)? as u16, *bank(name).get(k)?)));
            pairs
                .filter(|p| p.1 != 0)
                .map(move |(t, w)| (t, s, byte(w)))
                .collect::<Vec<_>>()
        };
        [(0, "rwtram"), (1, "rwt2ram")]
            .into_iter()
            .flat_map(state)
            .collect()
    };
    let config = Config {
        core: 2,
        n_in: n,
        n_hidden: h,
        n_out: o,
        n_syn: basic.N_SYNS,
        has_bias: basic.BIAS,
        weight_shift_in: basic.IWBS,
        weight_shift_rec: basic.RWBS,
        weight_shift_out: basic.OWBS,
        synapses_in: matrix(&["iwtram", "iwt2ram"], n, h),
        synapses_rec: bank("refocram").iter().map(entries).collect(),
        synapses_out: matrix(&["owtram"], h, o),
        aliases: bank("raram")
            .iter()
            .map(|&t| {
                if t == i64::from(NO_ALIAS) {
                    vec![]
                } else {
                    vec![t as u16]
                }
            })
            .collect(),
        hidden: neurons(0, h, 2),
        readout: neurons(h, o, 1),
    };
    let again = banks(&config)?;
    for (name, _) in BANKS {
        if again.get(name) != given.get(name) {
            return Err(damaged(
                name,
                "its words are not in the canonical form".into(),
            ));
        }
    }
    let same = Basic {
        DT: basic.DT,
        ..super::ram::basic(&config, basic.step())
    };
    if same != *basic {
        return Err(damaged(BASIC, "it contradicts the memory banks".into()));
    }
    Ok(config)
}
