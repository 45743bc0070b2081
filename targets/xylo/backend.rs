//! The family in the terms that all chips share: mapping to native images, native images to a program, native events, golden vectors.
//!
//! Native event words: an input is its channel, an output its number among the output neurons.

use super::dynamics::{FIELDS, constant_gain, differences, gain, head_start, registers};
use super::lower::CHANNELS;
use super::native::damaged;
use super::{Size, benchmark, from_mapping, golden, limits, lower, native, ram};
use crate::backend::{
    Backend, Bridge, Emulation, Encoded, GoldenCase, NativeInput, Refusal, Resource, UnitDynamics,
};
use crate::benchmark::{Benchmark, emulate};
use crate::section::{self, Image, channel};
use std::collections::BTreeMap;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::mapping::Mapping;
use synfire_ir::program::{Group, Program};

/// Name of the native section that holds the neutral specification.
pub const SECTION: &str = "network.xylo.json";

/// The image of a chip of the family.
const IMAGE: Image = Image {
    name: SECTION,
    is: "an image of this chip is its neutral specification, with or without the memory text set",
};
/// The dialect of the older core.
pub const OLDER: &str = "core1";
/// Nanoseconds a step where the network gives none.
const DT: u64 = 1_000_000;
/// Chip-wide register with the step in nanoseconds.
const STEP: &str = "step_ns";

/// One chip of the family.
#[derive(Debug)]
pub struct Xylo {
    /// The vendor's chip id.
    pub id: &'static str,
    /// `model.syn`.
    pub model: &'static str,
    /// How large it is.
    pub size: Size,
    /// Is the memory text set that of the chip's memory?
    pub memory: bool,
    /// Does it answer for the family's golden vectors?
    pub vectors: bool,
}

impl Backend for Xylo {
    fn fields(&self) -> &'static [&'static str] {
        &FIELDS
    }

    fn neuron(
        &self,
        dialect: &str,
        unit: &UnitDynamics,
        _arrivals: (i64, i64),
        shift: u32,
    ) -> Result<Vec<i64>, Refusal> {
        registers(dialect == OLDER, unit, shift).map(|r| r.to_vec())
    }

    fn gain(&self, _dialect: &str, unit: &UnitDynamics) -> f64 {
        gain(unit)
    }

    fn constant_gain(&self, _dialect: &str, unit: &UnitDynamics) -> f64 {
        constant_gain(unit)
    }

    fn differences(&self, _dialect: &str, unit: &UnitDynamics) -> Vec<String> {
        differences(unit)
    }

    fn head_start(&self, dialect: &str, unit: &UnitDynamics, shift: u32) -> f64 {
        head_start(dialect == OLDER, unit, shift)
    }

    /// Input, recurrent and output weights have a shift each.
    fn weight_group(&self, from_input: bool, drives: bool, _weight: f64) -> usize {
        match (from_input, drives) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        }
    }

    fn outputs_end(&self) -> bool {
        true
    }

    fn resources(&self, mapping: &Mapping) -> Vec<Resource> {
        let core = if mapping.dialect == OLDER { 1 } else { 2 };
        match from_mapping(mapping, &self.size, core) {
            Ok((config, _)) => limits::used(&config, &self.size),
            Err(_) => vec![],
        }
    }

    fn neuron_groups(&self, program: &Program) -> Vec<u32> {
        let named = |name: &str| name.starts_with(lower::NEURONS) || name == lower::OUTPUTS;
        let groups = (0u32..).zip(&program.groups);
        groups.filter(|g| named(&g.1.name)).map(|g| g.0).collect()
    }

    fn encode(&self, mapping: &Mapping) -> Result<Encoded, Diagnostics> {
        let core = if mapping.dialect == OLDER { 1 } else { 2 };
        let (config, bindings) = from_mapping(mapping, &self.size, core)?;
        let dt = mapping.setting(STEP).map_or(DT, |ns| ns.unsigned_abs());
        let mut files = vec![(SECTION.to_string(), native::encode(self.id, dt, &config)?)];
        if self.memory && core == 2 {
            files.extend(ram::encode(&config, dt)?);
        }
        Ok(Encoded {
            sections: files.into_iter().map(section::native).collect(),
            bindings,
        })
    }

    fn decode(&self, dialect: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics> {
        let mut files: BTreeMap<&str, &[u8]> = BTreeMap::new();
        for s in sections {
            if files.insert(&s.name, &s.bytes).is_some() {
                return Err(IMAGE.misplaced(format!("two native sections `{}`", s.name)));
            }
        }
        let Some(bytes) = files.remove(SECTION) else {
            return Err(IMAGE.misplaced(format!("no native section `{SECTION}`")));
        };
        let read = native::decode(SECTION, bytes)?;
        if read.chip != self.id {
            return Err(damaged(
                SECTION,
                format!("it is for the chip `{}`", read.chip),
            ));
        }
        if (read.net.core == 1) != (dialect == OLDER) {
            return Err(damaged(
                SECTION,
                format!("its core is {}, the dialect `{dialect}`", read.net.core),
            ));
        }
        // The memory set says the same in other words; one that does not is damaged.
        if !files.is_empty() {
            let (memory, dt) = ram::decode(&files)?;
            if memory != ram::canonical(&read.net) || dt != read.dt_ns {
                return Err(damaged(
                    ram::BASIC,
                    format!("the memory set is not that of `{SECTION}`"),
                ));
            }
        }
        let lowered = lower::lower(self.model, &read.net)?;
        let outputs = (0..read.net.n_out as u64).collect();
        Ok(Emulation {
            weights: vec![],
            program: lowered.program,
            outputs: vec![(0, outputs)],
        })
    }

    fn input(&self, emulation: &Emulation, word: u64) -> Option<NativeInput> {
        channel(&emulation.program, CHANNELS, word)
    }

    fn benchmarks(&self, dialect: &str) -> Result<Vec<Benchmark>, Diagnostics> {
        // One synaptic state, which the memory text set has no form for.
        benchmark::benchmarks(&self.size, dialect, &|config| {
            let file = native::encode(self.id, DT, config)?;
            emulate(self, dialect, vec![(SECTION.into(), file)])
        })
    }

    fn inside(&self, program: &Program, _: &[(u32, u32)], slots: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let hidden = |g: &Group| g.name.starts_with(lower::NEURONS);
        let groups: Vec<u32> = (0..)
            .zip(&program.groups)
            .filter(|g| hidden(g.1))
            .map(|g| g.0)
            .collect();
        // Ids keep the order of the slots where every hidden neuron can take inputs and reach outputs.
        let n = slots.len();
        let kept = n <= self.size.input_expansion.min(self.size.output_expansion);
        match groups[..] {
            [group] if kept && program.groups[group as usize].size as usize == n => {
                (0..n as u32).map(|unit| (group, unit)).collect()
            }
            _ => vec![],
        }
    }

    fn bridge(&self) -> Option<Bridge> {
        Some(Bridge {
            program: concat!(
                include_str!("../samna/bridge.py"),
                include_str!("bridge.py")
            ),
            section: SECTION,
        })
    }

    fn golden(
        &self,
        vector: &serde_json::Value,
        files: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>> {
        let case = self
            .vectors
            .then(|| golden::case(self.model, vector, files));
        case.flatten()
    }
}
