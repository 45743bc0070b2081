//! Golden vectors of tinyODIN (`synfire-golden-tinyodin-1`), recorded from the RTL in drained mode.
//!
//! A vector's JSON comes in. Its configuration is encoded and compared with the SPI words that the RTL took (or the first and last of them, their number and SHA-256), then the
//! program is lowered from those bytes. One step of the case is one AER event; what left the chip after each event and the final
//! potentials are compared with a run. Any JSON is answered with a case or an error.

use super::{Config, NEURONS, Neuron, POTENTIAL, decode, encode, event, lower};
use crate::backend::{GoldenCase, NativeInput, Observed};
use crate::golden::Difference;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The `format` of these vectors.
const FORMAT: &str = "synfire-golden-tinyodin-1";
/// Most events of a vector.
const MOST_EVENTS: usize = 1 << 20;

#[derive(Deserialize)]
struct Vector {
    name: String,
    network: Network,
    spi_words_count: usize,
    spi_sha256: String,
    spi_words: Option<Vec<String>>,
    spi_words_first: Option<Vec<String>>,
    spi_words_last: Option<Vec<String>>,
    aer_in: Vec<u64>,
    aer_out_per_event: Vec<Vec<u32>>,
    final_core: Vec<i32>,
}

#[derive(Deserialize)]
struct Network {
    max_neur: u8,
    open_loop: u8,
    aer_src_ctrl: u8,
    /// Potential, threshold, leak, disabled.
    neurons: Vec<(i16, u16, u8, u8)>,
    rows: Vec<u8>,
    weights_hex: BTreeMap<String, String>,
}

/// The case of a vector; `None` for JSON of another format.
pub(super) fn case(vector: &Value) -> Option<Result<GoldenCase, String>> {
    (vector.get("format")?.as_str()? == FORMAT).then(|| prepare(vector))
}

fn prepare(vector: &Value) -> Result<GoldenCase, String> {
    let v = Vector::deserialize(vector).map_err(|e| e.to_string())?;
    let config = v.network.config()?;
    let bytes = encode(&config).map_err(|d| d.to_string())?;
    if let Some(d) = native(&v, &bytes) {
        return Err(format!("{}: {d}", v.name));
    }
    let decoded = decode(super::SECTION, &bytes).map_err(|d| d.to_string())?;
    if decoded != config {
        return Err(format!("{}: its stream reads as another network", v.name));
    }
    let program = lower(&decoded).map_err(|d| d.to_string())?;
    if v.aer_in.len() > MOST_EVENTS || v.aer_out_per_event.len() != v.aer_in.len() {
        let (given, out) = (v.aer_in.len(), v.aer_out_per_event.len());
        return Err(format!("{}: {given} events with {out} answers", v.name));
    }
    let neurons = decoded.neurons.len() as u32;
    let mut input = vec![];
    for (step, &word) in (0u32..).zip(&v.aer_in) {
        let event = event(word, neurons);
        let event = event.ok_or_else(|| format!("{}: no AER event {word:#x}", v.name))?;
        input.push((step, NativeInput::Serial(event)));
    }
    let (outputs, cores) = (v.aer_out_per_event, v.final_core);
    let steps = input.len() as u32;
    Ok(GoldenCase {
        name: v.name,
        program,
        input,
        steps,
        check: Box::new(move |seen| compare(&outputs, &cores, seen)),
    })
}

impl Network {
    fn config(&self) -> Result<Config, String> {
        if self.neurons.len() != usize::from(self.max_neur) + 1 {
            return Err("max_neur is not the number of the last neuron".into());
        }
        let neuron = |&(core, thr, leak, disable): &(i16, u16, u8, u8)| Neuron {
            core,
            thr,
            leak,
            disabled: disable != 0,
        };
        let mut rows = BTreeMap::new();
        for r in &self.rows {
            let hex = self.weights_hex.get(&r.to_string());
            let hex = hex.ok_or_else(|| format!("row {r} has no weights"))?;
            let digit = |c: char| c.to_digit(16).map(|x| super::spi::weight(x as u8));
            let row: Option<Vec<i8>> = hex.chars().map(digit).collect();
            rows.insert(
                *r,
                row.ok_or_else(|| format!("row {r} is not hexadecimal"))?,
            );
        }
        Ok(Config {
            open_loop: self.open_loop != 0,
            aer_src_ctrl: self.aer_src_ctrl != 0,
            neurons: self.neurons.iter().map(neuron).collect(),
            rows,
        })
    }
}

/// The first difference between the stream and what the vector holds of it.
fn native(v: &Vector, bytes: &[u8]) -> Option<Difference> {
    let hex = |b: &[u8]| b.iter().map(|x| format!("{x:02x}")).collect::<String>();
    let words: Vec<String> = bytes
        .chunks(crate::aer_crossbar::spi::BYTES)
        .map(hex)
        .collect();
    let part = |start: usize, expected: &[String]| {
        expected.iter().enumerate().find_map(|(k, w)| {
            let found = words.get(start + k).map_or("", |w| w);
            Difference::between(|| format!("SPI word {}", start + k), &w.as_str(), &found)
        })
    };
    let all = v.spi_words.as_deref().unwrap_or(&[]);
    let first = v.spi_words_first.as_deref().unwrap_or(&[]);
    let last = v.spi_words_last.as_deref().unwrap_or(&[]);
    let count = || "number of SPI words".into();
    let sha = || "SHA-256 of the SPI words".into();
    part(0, all)
        .or_else(|| part(0, first))
        .or_else(|| Difference::between(count, &v.spi_words_count, &words.len()))
        .or_else(|| part(words.len().saturating_sub(last.len()), last))
        .or_else(|| Difference::between(sha, &v.spi_sha256, &hex(&Sha256::digest(bytes))))
}

/// The first difference between a run and the vector.
fn compare(outputs: &[Vec<u32>], cores: &[i32], seen: &Observed) -> Result<(), String> {
    let mut by_event = vec![vec![]; outputs.len()];
    for &(step, address) in &seen.serial {
        match by_event.get_mut(step as usize) {
            Some(list) => list.push(address),
            None => return Err(format!("address {address} left after the last event")),
        }
    }
    for (k, (expected, got)) in outputs.iter().zip(&by_event).enumerate() {
        if let Some(d) = Difference::between(|| format!("output of event {k}"), expected, got) {
            return Err(d.to_string());
        }
    }
    let last = seen.state.get(NEURONS as usize);
    let last = last.and_then(|g| g.get(usize::from(POTENTIAL)));
    let got: Vec<i32> = last.map_or(vec![], |words| words.iter().map(|&w| w as i32).collect());
    Difference::between(|| "final potentials".into(), &cores, &got.as_slice())
        .map_or(Ok(()), |d| Err(d.to_string()))
}
