//! RANC in the terms that all chips share: mapping to native images, native images to a program, native events, golden vectors.
//!
//! Native event words: an input packet is [`Packet::to_native`]; an output word is the index on the output bus.

use super::dynamics::{FIELDS, registers};
use super::golden::{Golden, Observed, Potentials};
use super::{
    Config, DROPPED_TICK, Dialect, NEURONS, PACKETS, POTENTIAL, Packet, benchmark, decode,
    decode_packets, decode_parts, encode, encode_packets, from_mapping, lower, packet_unit,
    probe_neurons,
};
use crate::backend::{
    Backend, Emulation, Encoded, Flow, GoldenCase, NativeInput, Refusal, UnitDynamics,
};
use crate::benchmark::{Benchmark, emulate};
use synfire_ir::artifact::{Section, SectionKind};
use synfire_ir::mapping::Mapping;
use synfire_ir::program::Program;
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// The chip's code.
pub static BACKEND: &dyn Backend = &Ranc;

struct Ranc;

impl Backend for Ranc {
    fn fields(&self) -> &'static [&'static str] {
        &FIELDS
    }

    fn neuron(
        &self,
        dialect: &str,
        unit: &UnitDynamics,
        arrivals: (i64, i64),
        shift: u32,
    ) -> Result<Vec<i64>, Refusal> {
        registers(
            Dialect::from_name(dialect).unwrap_or(Dialect::Sim),
            unit,
            arrivals,
            shift,
        )
    }

    fn neuron_groups(&self, _program: &Program) -> Vec<u32> {
        vec![NEURONS]
    }

    fn encode(&self, mapping: &Mapping) -> Result<Encoded, Diagnostics> {
        let (config, bindings) = from_mapping(mapping)?;
        let native = |(name, bytes)| Section {
            kind: SectionKind::Native,
            name,
            bytes,
        };
        let sections = encode(&config)
            .map_err(unfit)?
            .into_iter()
            .map(native)
            .collect();
        Ok(Encoded { sections, bindings })
    }

    fn decode(&self, dialect: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics> {
        let dialect = Dialect::from_name(dialect).ok_or_else(|| no_dialect(dialect))?;
        let config = decode_parts(
            dialect,
            sections
                .iter()
                .map(|s| (s.name.as_str(), s.bytes.as_slice())),
        )?;
        let program = lower(&config)?;
        let words = (0..u64::from(config.output_bus.num_outputs)).collect();
        Ok(Emulation {
            weights: vec![],
            program,
            outputs: vec![(0, words)],
        })
    }

    fn input(&self, emulation: &Emulation, word: u64) -> Option<NativeInput> {
        let packet = Packet::from_native(word)?;
        (packet.tick != DROPPED_TICK).then(|| event(&emulation.program, packet))
    }

    fn benchmarks(&self, dialect: &str) -> Result<Vec<Benchmark>, Diagnostics> {
        let of = Dialect::from_name(dialect).ok_or_else(|| no_dialect(dialect))?;
        benchmark::benchmarks(of, &|config| emulate(self, dialect, encode(config)?))
    }

    fn flow(&self, run: &Flow<'_>) -> Result<Vec<(String, Vec<u8>)>, Diagnostics> {
        let dialect = Dialect::from_name(run.dialect).ok_or_else(|| no_dialect(run.dialect))?;
        let parts = run
            .sections
            .iter()
            .map(|s| (s.name.as_str(), s.bytes.as_slice()));
        let config = decode_parts(dialect, parts)?;
        let mut lists = vec![vec![]; run.steps.max(1) as usize];
        for &(step, word) in run.events {
            let packet = Packet::from_native(word).filter(|p| p.tick != DROPPED_TICK);
            if let (Some(list), Some(packet)) = (lists.get_mut(step as usize), packet) {
                list.push(packet);
            }
        }
        let input = encode_packets(&config, &lists)?;
        let mut files = run.images();
        files.retain(|f| input.iter().all(|i| i.0 != f.0));
        files.extend(input);
        Ok(files)
    }

    fn golden(
        &self,
        vector: &serde_json::Value,
        _files: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>> {
        let format = vector.get("format")?.as_str()?;
        if !format.starts_with("synfire-golden-ranc-") {
            return None;
        }
        let name = vector
            .get("name")
            .and_then(|n| n.as_str())
            .unwrap_or("golden");
        Some(match Golden::from_json(name, vector) {
            Ok(golden) => case(golden),
            Err(d) => Err(d.to_string()),
        })
    }
}

/// What a configuration made from a mapping violates is a matter of fit, not of damaged input.
fn unfit(mut found: Diagnostics) -> Diagnostics {
    found.0.iter_mut().for_each(|d| d.class = Class::Fit);
    found
}

fn no_dialect(name: &str) -> Diagnostic {
    Diagnostic::error(
        "SYN0602",
        format!("the chip `ranc` has no dialect `{name}`"),
    )
    .class(Class::Usage)
    .note("its dialects are `sim` and `rtl`")
    .hint("write `ranc` for the default dialect")
}

/// The packet as an engine takes it: the axon fires `tick` steps after the step of its list.
fn event(program: &synfire_ir::program::Program, packet: Packet) -> NativeInput {
    let unit = packet_unit(program, packet);
    NativeInput::Event {
        group: PACKETS,
        unit,
        payload: 1,
        delay: packet.tick.into(),
    }
}

/// Compares the native files, then takes the program from them.
fn case(golden: Golden) -> Result<GoldenCase, String> {
    if let Some(d) = golden.native() {
        return Err(d.to_string());
    }
    let text = |d: Diagnostics| d.to_string();
    let mut sections = encode(&golden.config).map_err(text)?;
    let streams = encode_packets(&golden.config, &golden.packets).map_err(text)?;
    sections.retain(|s| streams.iter().all(|i| i.0 != s.0));
    sections.extend(streams);
    let config = decode(golden.config.dialect, &sections).map_err(text)?;
    let packets = decode_packets(&config, &sections).map_err(text)?;
    let mut program = lower(&config).map_err(text)?;
    let (spikes, potentials) = probe_neurons(&mut program);
    let mut input = vec![];
    for (k, list) in packets.iter().enumerate().take(golden.ticks) {
        let sent = list.iter().filter(|p| p.tick != DROPPED_TICK);
        input.extend(sent.map(|&p| (k as u32, event(&program, p))));
    }
    let name = golden.name.clone();
    let steps = golden.ticks as u32;
    let check = move |seen: &crate::backend::Observed| {
        let seen = observed(&config, golden.ticks, seen, spikes, potentials);
        golden.compare(&seen).map_or(Ok(()), |d| Err(d.to_string()))
    };
    Ok(GoldenCase {
        name,
        program,
        input,
        steps,
        check: Box::new(check),
    })
}

/// What an engine saw, by cores and neurons of the configuration.
fn observed(
    config: &Config,
    ticks: usize,
    seen: &crate::backend::Observed,
    spikes: u32,
    potentials: u32,
) -> Observed {
    let mut first = vec![0u32];
    for core in &config.cores {
        first.push(first[first.len() - 1] + core.neurons.len() as u32);
    }
    let mut out = Observed {
        outputs: vec![vec![]; ticks],
        spikes: vec![vec![]; ticks],
        ..Observed::default()
    };
    for &(step, unit, _) in seen.events.get(&0).into_iter().flatten() {
        if let Some(list) = out.outputs.get_mut(step as usize) {
            list.push(unit);
        }
    }
    for &(step, unit, _) in seen.events.get(&spikes).into_iter().flatten() {
        let core = first.partition_point(|&f| f <= unit) - 1;
        if let Some(list) = out.spikes.get_mut(step as usize) {
            list.push((core as u32, unit - first[core]));
        }
    }
    let by_core = |words: &[u32]| -> Potentials {
        let of = |(core, f): (&super::Core, &u32)| {
            let from = *f as usize;
            let list = words.get(from..from + core.neurons.len()).unwrap_or(&[]);
            ((core.x, core.y), list.iter().map(|&w| w as i32).collect())
        };
        config.cores.iter().zip(&first).map(of).collect()
    };
    let traces = seen.traces.get(&potentials).into_iter().flatten();
    out.potentials = traces.map(|(_, words)| by_core(words)).collect();
    let last = seen
        .state
        .get(NEURONS as usize)
        .and_then(|g| g.get(usize::from(POTENTIAL)));
    out.final_potentials = by_core(last.map_or(&[], |w| w));
    out
}
