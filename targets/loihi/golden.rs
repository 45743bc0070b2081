//! Golden vectors of Loihi: networks run on nengo-loihi's emulator (`synfire-loihi1-core/1`) and on lava's fixed-point models (`synfire-lava-lif/1`, `synfire-lava-learning/1`).
//!
//! A vector's JSON comes in. Its network becomes a configuration, which is encoded and decoded; the program is lowered from those bytes, and u, v and the spikes of
//! every step are compared with a run. Any JSON is answered with a case or an error.

mod blocks;
mod lava;
mod learning;

use super::lower::{Arithmetic, CHANNELS, Lowered, lower};
use super::{Config, decode, encode};
use crate::backend::{GoldenCase, NativeInput, Observed};
use crate::golden::Difference;
use serde_json::Value;
use synfire_ir::program::{Observable, Probe, Range};

/// Most steps of a vector.
const MOST_STEPS: u32 = 1 << 20;
/// States of a compartment, in the order of `model.syn`.
const STATES: [&str; 2] = ["u", "v"];

/// The case of a vector; `None` for JSON of another schema.
pub(super) fn case(vector: &Value) -> Option<Result<GoldenCase, String>> {
    match vector.get("schema")?.as_str()? {
        "synfire-loihi1-core/1" => Some(blocks::case(vector)),
        "synfire-lava-learning/1" => Some(learning::case(vector)),
        "synfire-lava-lif/1" => Some(lava::case(vector)),
        _ => None,
    }
}

/// What a run of compartments must show, for each step.
struct Expected {
    u: Vec<Vec<i32>>,
    v: Vec<Vec<i32>>,
    /// Ascending.
    spikes: Vec<Vec<u32>>,
}

/// The program of a configuration that has been written and read back, with probes on everything.
fn prepared(config: &Config, arithmetic: Arithmetic, given: bool) -> Result<Lowered, String> {
    let told = |d: synfire_ir::Diagnostics| d.to_string();
    let bytes = encode(config).map_err(told)?;
    let read = decode(super::SECTION, &bytes).map_err(told)?;
    if &read != config {
        return Err("its image reads as another configuration".into());
    }
    let mut lowered = lower(&read, arithmetic, given).map_err(told)?;
    let size = lowered.program.groups[lowered.compartments as usize].size;
    for (k, name) in STATES.iter().enumerate() {
        lowered.program.probes.push(Probe {
            name: (*name).into(),
            group: lowered.compartments,
            range: Range {
                start: 0,
                len: size,
            },
            what: Observable::State(k as u16),
            every: 1,
        });
    }
    Ok(lowered)
}

/// The event of a channel in a step.
fn channel(step: u32, unit: usize) -> (u32, NativeInput) {
    (step, word(CHANNELS, unit as u32, 1))
}

/// A value of an external group.
fn word(group: u32, unit: u32, value: i32) -> NativeInput {
    NativeInput::Event {
        group,
        unit,
        payload: value as u32,
        delay: 0,
    }
}

/// A draw in 0..1 as so many bits.
fn bits(draw: f64, bits: i64) -> i32 {
    (draw * (1i64 << bits) as f64) as i32
}

/// The first difference between a run and what is expected of its compartments.
fn compare(e: &Expected, seen: &Observed) -> Result<(), String> {
    for (k, expected) in [&e.u, &e.v].into_iter().enumerate() {
        let trace = seen.traces.get(&(k as u32 + 1)).map_or(&[][..], |t| t);
        for (step, row) in expected.iter().enumerate() {
            let words = trace.get(step).map_or(&[][..], |t| &t.1);
            let got: Vec<i32> = words.iter().map(|&w| w as i32).collect();
            let place = || format!("{} after step {}", STATES[k], step + 1);
            if let Some(d) = Difference::between(place, row, &got) {
                return Err(d.to_string());
            }
        }
    }
    let events = seen.events.get(&0).map_or(&[][..], |t| t);
    for (step, row) in e.spikes.iter().enumerate() {
        let now = events.iter().filter(|s| s.0 as usize == step);
        let got: Vec<u32> = now.map(|s| s.1).collect();
        let place = || format!("spikes of step {}", step + 1);
        if let Some(d) = Difference::between(place, row, &got) {
            return Err(d.to_string());
        }
    }
    Ok(())
}
