//! Golden vectors of ODIN (`synfire-golden-odin-1`), recorded from the RTL in drained mode.
//!
//! A vector's JSON comes in. Its configuration is encoded and compared with the SPI words that the RTL took (or their first and last, their number and SHA-256), then the program is
//! lowered from those bytes. One step of the case is one AER event; what left the chip after each event, the final words of all neurons and the final nibbles of all
//! written rows are compared with a run. Any JSON is answered with a case or an error.

use super::lower::{self, NEURONS};
use super::pins::{nibble_after, word_after};
use super::word::Word;
use super::{Config, decode, encode, event};
use crate::backend::{GoldenCase, NativeInput, Observed};
use crate::golden::Difference;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use synfire_ir::model::Model;

const FORMAT: &str = "synfire-golden-odin-1";
/// Most events of a vector.
const MOST_EVENTS: usize = 1 << 20;

#[derive(Deserialize)]
struct Vector {
    name: String,
    config: Registers,
    active: Vec<u8>,
    neuron_words: BTreeMap<String, String>,
    rows: Vec<u8>,
    weights_hex: BTreeMap<String, String>,
    spi_words_count: usize,
    spi_sha256: String,
    spi_words: Option<Vec<String>>,
    spi_words_first: Option<Vec<String>>,
    spi_words_last: Option<Vec<String>>,
    aer_in: Vec<u64>,
    aer_out_per_event: Vec<Vec<u32>>,
    final_neuron_words: BTreeMap<String, String>,
    final_weights_hex: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Registers {
    open_loop: u8,
    syn_sign: String,
    aer_src_ctrl: u8,
    monitor_en: u8,
    monitor_neur_addr: u8,
    monitor_syn_addr: u8,
    update_unmapped: u8,
    propagate_unmapped: u8,
    sdsp_on_syn_stim: u8,
}

/// The case of a vector; `None` for JSON of another format.
pub(super) fn case(vector: &Value) -> Option<Result<GoldenCase, String>> {
    (vector.get("format")?.as_str()? == FORMAT).then(|| prepare(vector))
}

fn prepare(vector: &Value) -> Result<GoldenCase, String> {
    let v = Vector::deserialize(vector).map_err(|e| e.to_string())?;
    let config = configuration(&v).map_err(|e| format!("{}: {e}", v.name))?;
    let bytes = encode(&config).map_err(|d| d.to_string())?;
    if let Some(d) = native(&v, &bytes) {
        return Err(format!("{}: {d}", v.name));
    }
    let decoded = decode(super::SECTION, &bytes).map_err(|d| d.to_string())?;
    if decoded != config {
        return Err(format!("{}: its stream reads as another network", v.name));
    }
    let program = lower::lower(&decoded, true).map_err(|d| d.to_string())?;
    if v.aer_in.len() > MOST_EVENTS || v.aer_out_per_event.len() != v.aer_in.len() {
        let (given, out) = (v.aer_in.len(), v.aer_out_per_event.len());
        return Err(format!("{}: {given} events with {out} answers", v.name));
    }
    let mut input = vec![];
    for (step, &word) in (0u32..).zip(&v.aer_in) {
        let event = event(word, true, &|r, n| lower::at(&program, r, n));
        let event = event.ok_or_else(|| format!("{}: no AER event {word:#x}", v.name))?;
        input.push((step, NativeInput::Serial(event)));
    }
    let model = program.models.first().cloned().ok_or("no model")?;
    Ok(GoldenCase {
        name: v.name.clone(),
        program,
        steps: input.len() as u32,
        input,
        check: Box::new(move |seen| compare(&v, &decoded, &model, seen)),
    })
}

/// Hexadecimal digits, at most 128 bits.
fn hex(text: &str) -> Result<u128, String> {
    u128::from_str_radix(text, 16).map_err(|e| format!("`{text}`: {e}"))
}

fn configuration(v: &Vector) -> Result<Config, String> {
    let r = &v.config;
    let mut c = Config {
        open_loop: r.open_loop != 0,
        aer_src_ctrl: r.aer_src_ctrl != 0,
        monitor_en: r.monitor_en != 0,
        monitor_neur_addr: r.monitor_neur_addr,
        monitor_syn_addr: r.monitor_syn_addr,
        update_unmapped: r.update_unmapped != 0,
        propagate_unmapped: r.propagate_unmapped != 0,
        sdsp_on_syn_stim: r.sdsp_on_syn_stim != 0,
        ..Config::default()
    };
    let signs = r.syn_sign.as_bytes();
    if signs.len() != 64 {
        return Err("syn_sign has no 64 digits".into());
    }
    for (word, digits) in c.syn_sign.iter_mut().rev().zip(signs.chunks(4)) {
        let text = std::str::from_utf8(digits).map_err(|e| e.to_string())?;
        *word = hex(text)? as u16;
    }
    for n in &v.active {
        let text = v.neuron_words.get(&n.to_string());
        let text = text.ok_or_else(|| format!("neuron {n} has no word"))?;
        c.neurons.insert(*n, Word(hex(text)?));
    }
    for r in &v.rows {
        let text = v.weights_hex.get(&r.to_string());
        let text = text.ok_or_else(|| format!("row {r} has no weights"))?;
        let mut row = vec![0; c.columns()];
        if text.chars().count() != v.active.len() {
            return Err(format!("row {r} has no digit for each active neuron"));
        }
        for (n, digit) in v.active.iter().zip(text.chars()) {
            let nibble = digit.to_digit(16).ok_or("a weight is no digit")?;
            row[usize::from(*n)] = nibble as u8;
        }
        c.rows.insert(*r, row);
    }
    Ok(c)
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
    let list = |l: &Option<Vec<String>>| l.clone().unwrap_or_default();
    let (first, last) = (list(&v.spi_words_first), list(&v.spi_words_last));
    part(0, &list(&v.spi_words))
        .or_else(|| part(0, &first))
        .or_else(|| {
            Difference::between(
                || "number of SPI words".into(),
                &v.spi_words_count,
                &words.len(),
            )
        })
        .or_else(|| part(words.len().saturating_sub(last.len()), &last))
        .or_else(|| {
            Difference::between(
                || "SHA-256 of the SPI words".into(),
                &v.spi_sha256,
                &hex(&Sha256::digest(bytes)),
            )
        })
}

/// The first difference between a run and the vector.
fn compare(v: &Vector, config: &Config, model: &Model, seen: &Observed) -> Result<(), String> {
    let mut by_event = vec![vec![]; v.aer_out_per_event.len()];
    for &(step, address) in &seen.serial {
        match by_event.get_mut(step as usize) {
            Some(list) => list.push(address),
            None => return Err(format!("address {address} left after the last event")),
        }
    }
    for (k, (expected, got)) in v.aer_out_per_event.iter().zip(&by_event).enumerate() {
        if let Some(d) = Difference::between(|| format!("output of event {k}"), expected, got) {
            return Err(d.to_string());
        }
    }
    let states = seen.state.get(NEURONS as usize).map_or(&[][..], |s| s);
    for (&n, &word) in &config.neurons {
        let got = format!("{:032x}", word_after(model, states, n, word).0);
        let expected = v
            .final_neuron_words
            .get(&n.to_string())
            .cloned()
            .unwrap_or_default();
        if let Some(d) =
            Difference::between(|| format!("final word of neuron {n}"), &expected, &got)
        {
            return Err(d.to_string());
        }
    }
    for r in &v.rows {
        let nibble = |n: &u8| {
            let nibble = nibble_after(model, states, *r, *n).unwrap_or(0);
            char::from_digit(nibble.into(), 16).unwrap_or('?')
        };
        let got: String = v.active.iter().map(nibble).collect();
        let expected = v
            .final_weights_hex
            .get(&r.to_string())
            .cloned()
            .unwrap_or_default();
        if let Some(d) =
            Difference::between(|| format!("final weights of row {r}"), &expected, &got)
        {
            return Err(d.to_string());
        }
    }
    Ok(())
}
