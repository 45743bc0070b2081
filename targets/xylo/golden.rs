//! Golden vectors of Xylo: networks run on the vendor's simulator (`synfire-xylo-golden-1`), and memory text sets that its tool wrote (`synfire-xylo-ram-1`).
//!
//! A vector's JSON comes in. Its network is encoded and decoded, the program is lowered from those bytes, and counts, states and the hibernation report of every step are
//! compared with a run. A memory set is compared word for word with the one of its network; then the network is run from those words. Any JSON is answered with a case or an error.

use super::lower::{CHANNELS, HIDDEN, I1, V};
use super::native;
use super::ram::{self, BANKS, Banks, Basic};
use super::{Config, Lowered, lower};
use crate::backend::{GoldenCase, NativeInput, Observed};
use crate::golden::Difference;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use synfire_ir::program::{Observable, Probe, Range};

const FORMAT: &str = "synfire-xylo-golden-1";
const RAM: &str = "synfire-xylo-ram-1";
/// Most steps of a vector.
const MOST_STEPS: usize = 1 << 20;

#[derive(Deserialize)]
struct Vector {
    name: String,
    net: Config,
    input: Vec<Vec<u32>>,
    evolve_cuts: Vec<usize>,
    expect: Expect,
}

#[derive(Deserialize)]
struct Expect {
    hidden_spikes: Vec<Vec<i32>>,
    out_spikes: Vec<Vec<i32>>,
    v_mem: Vec<Vec<i32>>,
    i_syn: Vec<Vec<i32>>,
    i_syn2: Vec<Vec<i32>>,
    v_mem_out: Vec<Vec<i32>>,
    i_syn_out: Vec<Vec<i32>>,
    hibernation: Vec<bool>,
}

#[derive(Deserialize)]
struct RamSet {
    network_file: String,
    basic_config: Basic,
    banks: BTreeMap<String, Vec<String>>,
}

/// The case of a vector; `None` for JSON of another format. `files` finds a file beside the vector or in its parent folder.
pub(super) fn case(
    text: &str,
    vector: &Value,
    files: &dyn Fn(&str) -> Option<String>,
) -> Option<Result<GoldenCase, String>> {
    match vector.get("format")?.as_str()? {
        FORMAT => Some(of_network(text, vector)),
        RAM => Some(of_memory(text, vector, files)),
        _ => None,
    }
}

fn of_network(text: &str, vector: &Value) -> Result<GoldenCase, String> {
    let v = Vector::deserialize(vector).map_err(|e| e.to_string())?;
    let told = |d: synfire_ir::Diagnostics| format!("{}: {d}", v.name);
    let bytes = native::encode("golden", 1_000_000, &v.net).map_err(told)?;
    let read = native::decode("network.xylo.json", &bytes).map_err(told)?;
    if read.net != v.net {
        return Err(format!("{}: its file reads as another network", v.name));
    }
    prepare(text, read.net, v)
}

fn of_memory(
    text: &str,
    vector: &Value,
    files: &dyn Fn(&str) -> Option<String>,
) -> Result<GoldenCase, String> {
    let set = RamSet::deserialize(vector).map_err(|e| e.to_string())?;
    let found = files(&set.network_file);
    let found = found.ok_or_else(|| {
        format!(
            "`{}` is neither beside it nor in the parent folder",
            set.network_file
        )
    })?;
    let parsed: Value = serde_json::from_str(&found).map_err(|e| e.to_string())?;
    let v = Vector::deserialize(&parsed).map_err(|e| e.to_string())?;
    let told = |d: synfire_ir::Diagnostics| format!("{}: {d}", v.name);
    let net = as_written(&v.net, &set.basic_config);
    let ours = ram::banks(&net).map_err(told)?;
    let given: Banks = BANKS
        .into_iter()
        .map(|(name, _)| (name, set.banks.get(name).cloned().unwrap_or_default()))
        .collect();
    for (name, words) in &given {
        let of = ours.get(name).map_or(&[][..], |w| w);
        if let Some(d) = first(&format!("bank {name}, word"), words, of) {
            return Err(format!("{}: {d}", v.name));
        }
    }
    let step = set.basic_config.step();
    let basic = ram::basic(&net, step);
    if let Some(d) = Difference::between(|| "basic_config".into(), &set.basic_config, &basic) {
        return Err(format!("{}: {d}", v.name));
    }
    // The words themselves are run, through the files that a board's memory would be written from.
    let encoded = ram::encode(&net, step).map_err(told)?;
    let list = encoded
        .iter()
        .map(|(n, b)| (n.as_str(), b.as_slice()))
        .collect();
    let (read, _) = ram::decode(&list).map_err(told)?;
    if read != ram::canonical(&net)
        || read != ram::from_banks(&set.basic_config, &given).map_err(told)?
    {
        return Err(format!("{}: its memory reads as another network", v.name));
    }
    // A set without the unconnected outputs is compared; the whole network is run.
    let whole = read.n_out == v.net.n_out;
    let net = if whole { read } else { v.net.clone() };
    prepare(text, net, v)
}

/// The tool takes the number of outputs from the last one that is connected.
fn as_written(net: &Config, basic: &Basic) -> Config {
    let mut c = net.clone();
    if basic.ON < c.n_out {
        c.n_out = basic.ON;
        c.readout.threshold.truncate(basic.ON);
        c.readout.dash_mem.truncate(basic.ON);
        c.readout.dash_syn.truncate(basic.ON);
        c.readout.bias.truncate(basic.ON);
    }
    c
}

fn prepare(text: &str, net: Config, v: Vector) -> Result<GoldenCase, String> {
    let steps = v.input.len();
    if steps > MOST_STEPS || v.input.iter().any(|row| row.len() != net.n_in) {
        return Err(format!(
            "{}: {steps} steps of input, or a row that is not {} long",
            v.name, net.n_in
        ));
    }
    let mut lowered = lower(text, &net).map_err(|d| format!("{}: {d}", v.name))?;
    let watched = Watched::add(&mut lowered, &net);
    let event = |step: usize, (unit, &payload): (usize, &u32)| {
        let event = NativeInput::Event {
            group: CHANNELS,
            unit: unit as u32,
            payload,
            delay: 0,
        };
        (step as u32, event)
    };
    let rows = v.input.iter().enumerate();
    let input = rows.flat_map(|(t, row)| {
        row.iter()
            .enumerate()
            .filter(|c| *c.1 > 0)
            .map(move |c| event(t, c))
    });
    Ok(GoldenCase {
        name: v.name.clone(),
        input: input.collect(),
        steps: steps as u32,
        program: lowered.program,
        check: Box::new(move |seen| compare(&net, &v, &watched, seen)),
    })
}

/// Probes of a case.
struct Watched {
    counts: u32,
    outputs: u32,
    /// (group's ids, probes of v, i1, i2).
    hidden: Vec<(Vec<u32>, [u32; 3])>,
    readout: [u32; 2],
}

impl Watched {
    fn add(l: &mut Lowered, net: &Config) -> Watched {
        let probes = &mut l.program.probes;
        let mut add = |group: u32, len: usize, what: Observable| {
            let n = probes.len() as u32;
            let range = Range {
                start: 0,
                len: len as u32,
            };
            probes.push(Probe {
                name: format!("golden{n}"),
                group,
                range,
                what,
                every: 1,
            });
            n
        };
        let counts = add(l.counts, net.n_hidden, Observable::Events);
        let states = [V, I1, I1 + 1];
        let hidden = (HIDDEN..).zip(&l.levels).map(|(g, ids)| {
            (
                ids.clone(),
                states.map(|s| add(g, ids.len(), Observable::State(s))),
            )
        });
        let hidden = hidden.collect();
        let readout = [V, I1].map(|s| add(l.outputs, net.n_out, Observable::State(s)));
        Watched {
            counts,
            outputs: 0,
            hidden,
            readout,
        }
    }

    /// Rows of a state of hidden neurons, by id.
    fn state(&self, seen: &Observed, which: usize, steps: usize, n: usize) -> Vec<Vec<i32>> {
        let mut rows = vec![vec![0; n]; steps];
        for (ids, probes) in &self.hidden {
            let traces = probes.get(which).and_then(|p| seen.traces.get(p));
            for (step, words) in traces.into_iter().flatten() {
                for (&id, &w) in ids.iter().zip(words) {
                    if let Some(cell) = rows
                        .get_mut(*step as usize)
                        .and_then(|r| r.get_mut(id as usize))
                    {
                        *cell = w as i32;
                    }
                }
            }
        }
        rows
    }
}

fn counts(seen: &Observed, probe: u32, steps: usize, n: usize) -> Vec<Vec<i32>> {
    let mut rows = vec![vec![0; n]; steps];
    for &(step, unit, payload) in seen.events.get(&probe).map_or(&[][..], |e| e) {
        if let Some(cell) = rows
            .get_mut(step as usize)
            .and_then(|r| r.get_mut(unit as usize))
        {
            *cell = payload as i32;
        }
    }
    rows
}

fn trace(seen: &Observed, probe: u32) -> Vec<Vec<i32>> {
    let rows = seen.traces.get(&probe).map_or(&[][..], |t| t);
    rows.iter()
        .map(|(_, words)| words.iter().map(|&w| w as i32).collect())
        .collect()
}

/// The first entry in which two lists differ.
fn first<T: PartialEq + std::fmt::Debug>(
    what: &str,
    expected: &[T],
    got: &[T],
) -> Option<Difference> {
    let pairs = expected.iter().zip(got).enumerate();
    let mut each =
        pairs.filter_map(|(k, (e, g))| Difference::between(|| format!("{what} {k}"), e, g));
    each.next()
        .or_else(|| Difference::between(|| format!("{what}s"), &expected.len(), &got.len()))
}

fn compare(net: &Config, v: &Vector, w: &Watched, seen: &Observed) -> Result<(), String> {
    let (steps, n) = (v.input.len(), net.n_hidden);
    let hidden = counts(seen, w.counts, steps, n);
    let states = [0, 1, 2].map(|k| w.state(seen, k, steps, n));
    let [v_mem, i_syn, i_syn2] = &states;
    let readout = w.readout.map(|p| trace(seen, p));
    let out = counts(seen, w.outputs, steps, net.n_out);
    let mut rows = vec![
        ("hidden_spikes", &v.expect.hidden_spikes, &hidden),
        ("v_mem", &v.expect.v_mem, v_mem),
        ("i_syn", &v.expect.i_syn, i_syn),
        ("out_spikes", &v.expect.out_spikes, &out),
        ("v_mem_out", &v.expect.v_mem_out, &readout[0]),
        ("i_syn_out", &v.expect.i_syn_out, &readout[1]),
    ];
    if net.n_syn == 2 {
        rows.push(("i_syn2", &v.expect.i_syn2, i_syn2));
    }
    for (what, expected, got) in rows {
        if let Some(d) = first(&format!("{what}, step"), expected, got) {
            return Err(d.to_string());
        }
    }
    let asleep = hibernation(net, &v.input, &v.evolve_cuts, &hidden, &states, &readout);
    let expected = if net.core == 2 {
        &v.expect.hibernation[..]
    } else {
        &[]
    };
    let asleep = if net.core == 2 { asleep } else { vec![] };
    first("hibernation, step", expected, &asleep).map_or(Ok(()), |d| Err(d.to_string()))
}

/// The report of hibernation: nothing was delivered, every current and membrane was 0 before the step, and no bias moves one. With biases
/// enabled the chip reports the step before (unless something is delivered), and false in the first step of a call.
fn hibernation(
    net: &Config,
    input: &[Vec<u32>],
    cuts: &[usize],
    hidden: &[Vec<i32>],
    states: &[Vec<Vec<i32>>],
    readout: &[Vec<Vec<i32>>],
) -> Vec<bool> {
    let zero = |rows: &[Vec<i32>], t: usize| rows.get(t).is_none_or(|r| r.iter().all(|&x| x == 0));
    let biased = net.has_bias
        && net
            .hidden
            .bias
            .iter()
            .chain(&net.readout.bias)
            .any(|&b| b != 0);
    let mut before = false;
    let mut report = vec![];
    for (t, row) in input.iter().enumerate() {
        let quiet = row.iter().all(|&n| n == 0) && (t == 0 || zero(hidden, t - 1));
        let still = t == 0 || states.iter().chain(readout).all(|s| zero(s, t - 1));
        let now = quiet && still && !biased;
        if cuts.contains(&t) {
            before = false;
        }
        report.push(if net.has_bias { before && quiet } else { now });
        before = now;
    }
    report
}
