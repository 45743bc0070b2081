//! Golden vectors of RANC: networks with what the references computed for them.
//!
//! Two forms exist, `synfire-golden-ranc-1` (run on the simulator) and `synfire-golden-ranc-rtl-1` (run on the Verilog). [`Golden::parse`] turns the text of either into
//! a [`Config`], input packets and expectations; [`Golden::native`] compares the native files that [`encode`](super::encode()) writes, and [`Golden::compare`]
//! what a run gave. Deliberately absent: running anything, and reading files.

mod parse;

use super::{Config, Dialect, Packet, encode, encode_packets, merge_warnings};
use crate::golden::Difference;
use std::collections::BTreeMap;

/// Membrane potentials by core coordinates, from neuron 0.
pub type Potentials = BTreeMap<(u16, u16), Vec<i32>>;

/// A golden vector.
#[derive(Clone, Debug)]
pub struct Golden {
    /// Its name.
    pub name: String,
    /// Ticks that were run.
    pub ticks: usize,
    /// The network, legal for its dialect.
    pub config: Config,
    /// Input packets, one list a tick.
    pub packets: Vec<Vec<Packet>>,
    /// What the reference gave.
    pub expect: Expect,
}

/// What the reference gave. What a vector does not hold is empty.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// Entry t: output indices that spiked in tick t, ascending.
    pub outputs: Vec<Vec<u32>>,
    /// Entry t: potentials after tick t, for the first ticks.
    pub potentials: Vec<Potentials>,
    /// Potentials after the last tick.
    pub final_potentials: Potentials,
    /// Number of warnings that the simulator printed.
    pub warnings: Option<u64>,
    /// `config.json` as the simulator was given it.
    pub config_json: Option<serde_json::Value>,
    /// The Verilog's parameters.
    pub rtl_params: BTreeMap<String, u64>,
    /// First lines of memory files, by name of the section.
    pub memory_lines: BTreeMap<String, Vec<String>>,
    /// Entry k: the packets of tick k in binary digits.
    pub packet_bits: Vec<Vec<String>>,
}

/// What a run gave, in the terms of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Entry t: output indices that spiked in tick t, ascending.
    pub outputs: Vec<Vec<u32>>,
    /// Entry t: every neuron that spiked in tick t, as (position in `config.cores`, neuron).
    pub spikes: Vec<Vec<(u32, u32)>>,
    /// Entry t: potentials after tick t of all configured neurons; at least as many ticks as the vector holds.
    pub potentials: Vec<Potentials>,
    /// Potentials after the last tick.
    pub final_potentials: Potentials,
}

impl Golden {
    /// Compares what a run of [`Golden::ticks`] ticks gave with everything that the vector holds; the first difference, if any.
    pub fn compare(&self, got: &Observed) -> Option<Difference> {
        let e = &self.expect;
        let none = vec![];
        for (t, want) in e.outputs.iter().enumerate() {
            let have = got.outputs.get(t).unwrap_or(&none);
            if let Some(d) = Difference::between(|| format!("tick {t}, output indices"), want, have)
            {
                return Some(d);
            }
        }
        for (t, want) in e.potentials.iter().enumerate() {
            let empty = Potentials::new();
            let have = got.potentials.get(t).unwrap_or(&empty);
            if let Some(d) = potentials(&format!("potential after tick {t}"), want, have) {
                return Some(d);
            }
        }
        if let Some(d) = potentials(
            "final potential",
            &e.final_potentials,
            &got.final_potentials,
        ) {
            return Some(d);
        }
        let want = e.warnings?;
        let have = merge_warnings(&self.config, &self.packets, &got.spikes);
        Difference::between(|| "number of simulator warnings".into(), &want, &have)
    }

    /// Encodes the configuration and compares the native files with what the vector holds of them; the first difference, if any.
    pub fn native(&self) -> Option<Difference> {
        if let Some(want) = &self.expect.config_json
            && let Some(d) = self.native_config_json(want)
        {
            return Some(d);
        }
        if self.expect.memory_lines.is_empty() && self.expect.rtl_params.is_empty() {
            return None;
        }
        let rtl = self.as_rtl();
        let sections: BTreeMap<_, _> = match encode(&rtl) {
            Ok(sections) => sections.into_iter().collect(),
            Err(d) => return Some(refused(&d)),
        };
        let header =
            String::from_utf8_lossy(sections.get("ranc_parameters.vh").map_or(&[][..], |b| b))
                .into_owned();
        for (name, value) in &self.expect.rtl_params {
            let line = format!("localparam {name} = {value};");
            if !header.lines().any(|l| l == line) {
                let got = header
                    .lines()
                    .find(|l| l.contains(&format!(" {name} ")))
                    .unwrap_or("no such line");
                return Some(Difference {
                    place: "ranc_parameters.vh".into(),
                    expected: line,
                    got: got.into(),
                });
            }
        }
        for (name, lines) in &self.expect.memory_lines {
            let text =
                String::from_utf8_lossy(sections.get(name).map_or(&[][..], |b| b)).into_owned();
            for (i, want) in lines.iter().enumerate() {
                let got = text.lines().nth(i).unwrap_or("");
                if want != got {
                    return Some(Difference {
                        place: format!("{name}, line {}", i + 1),
                        expected: want.clone(),
                        got: got.into(),
                    });
                }
            }
        }
        self.native_packets(&rtl)
    }

    fn native_config_json(&self, want: &serde_json::Value) -> Option<Difference> {
        let sections = match encode(&self.config) {
            Ok(sections) => sections,
            Err(d) => return Some(refused(&d)),
        };
        let bytes = sections
            .iter()
            .find(|s| s.0 == "config.json")
            .map_or(&[][..], |s| &s.1);
        let got = serde_json::from_slice(bytes).unwrap_or(serde_json::Value::Null);
        Difference::between(|| "config.json".into(), want, &got)
    }

    fn native_packets(&self, rtl: &Config) -> Option<Difference> {
        if self.expect.packet_bits.is_empty() {
            return None;
        }
        let width = super::layout::Fields::of(rtl).packet() as usize;
        for (k, want) in self.expect.packet_bits.iter().enumerate() {
            let list = self.packets.get(k).map_or(&[][..], |l| l);
            let have: Vec<String> = list
                .iter()
                .map(|p| format!("{:0width$b}", p.to_word(rtl)))
                .collect();
            if let Some(d) = Difference::between(|| format!("packet bits of tick {k}"), want, &have)
            {
                return Some(d);
            }
        }
        // The streams hold the same words.
        let streams: BTreeMap<_, _> = match encode_packets(rtl, &self.packets) {
            Ok(sections) => sections.into_iter().collect(),
            Err(d) => return Some(refused(&d)),
        };
        let bits = self.expect.packet_bits.iter().flatten();
        let data: Vec<u8> = bits
            .flat_map(|b| u32::from_str_radix(b, 2).unwrap_or(u32::MAX).to_le_bytes())
            .collect();
        let count: Vec<u8> = self
            .expect
            .packet_bits
            .iter()
            .flat_map(|l| (l.len() as u32).to_le_bytes())
            .collect();
        let wanted = [("data.bin", data), ("count.bin", count)];
        wanted.iter().find_map(|(name, want)| {
            Difference::between(
                || name.to_string(),
                want,
                streams.get(*name).unwrap_or(&vec![]),
            )
        })
    }

    /// The same network for the Verilog, whose memory lines some simulator vectors hold as well.
    fn as_rtl(&self) -> Config {
        let mut rtl = self.config.clone();
        if rtl.dialect == Dialect::Sim {
            rtl.dialect = Dialect::Rtl;
            rtl.widths = super::Widths::RTL;
            rtl.complete();
        }
        rtl
    }
}

fn refused(d: &synfire_ir::Diagnostics) -> Difference {
    Difference {
        place: "encoding".into(),
        expected: "a legal configuration".into(),
        got: d.to_string(),
    }
}

fn potentials(what: &str, want: &Potentials, have: &Potentials) -> Option<Difference> {
    for (&(x, y), list) in want {
        let none = vec![];
        let got = have.get(&(x, y)).unwrap_or(&none);
        for (i, v) in list.iter().enumerate() {
            if got.get(i) != Some(v) {
                let got = got.get(i).map_or("nothing".to_string(), i32::to_string);
                return Some(Difference {
                    place: format!("{what}, core ({x},{y}), neuron {i}"),
                    expected: v.to_string(),
                    got,
                });
            }
        }
    }
    None
}
