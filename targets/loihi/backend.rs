//! Loihi in the terms that all chips share: mapping to register image, register image to a program, native events, golden vectors.
//!
//! Native event words: an input is its channel of the spike generator, or an error of a neuron ([`error`]), an output its number among the compartments that are read back.

use super::dynamics::{FIELDS, differences, head_start, registers};
use super::lower::{Arithmetic, CHANNELS, lower};
use super::mapped::{cells, error};
use super::{benchmark, decode, encode, from_mapping, golden, limits};
use crate::backend::{
    Backend, Emulation, Encoded, Flow, GoldenCase, NativeInput, Refusal, Resource, UnitDynamics,
};
use crate::benchmark::{Benchmark, emulate};
use crate::section::{Image, channel, unfit};
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::mapping::Mapping;

/// The chip's code.
pub static BACKEND: &dyn Backend = &Loihi;

/// Name of the only native section: the register image.
pub const SECTION: &str = "registers.loihi.json";

/// The image of the chip.
const IMAGE: Image = Image {
    name: SECTION,
    is: "an image of this chip is one register image",
};
/// The dialect of lava's arithmetic.
pub(super) const LAVA: &str = "lava";

struct Loihi;

fn arithmetic(dialect: &str) -> Arithmetic {
    if dialect == LAVA {
        Arithmetic::Lava
    } else {
        Arithmetic::Nengo
    }
}

impl Backend for Loihi {
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
        registers(dialect == LAVA, unit, shift).map(Vec::from)
    }

    fn constant_gain(&self, _dialect: &str, unit: &UnitDynamics) -> f64 {
        match unit {
            UnitDynamics::Current { keep, .. } if *keep < 1.0 => 1.0 / (1.0 - keep),
            _ => 1.0,
        }
    }

    fn differences(&self, _dialect: &str, unit: &UnitDynamics) -> Vec<String> {
        differences(unit)
    }

    fn head_start(&self, dialect: &str, unit: &UnitDynamics, shift: u32) -> f64 {
        head_start(dialect == LAVA, unit, shift)
    }

    /// A core has formats enough for three exponents of each sign: of weights that need none, of those up to eight times as large, and of the rest.
    fn weight_group(&self, _from_input: bool, _drives: bool, weight: f64) -> usize {
        match weight.abs() {
            w if w < 255.5 => 0,
            w if w < 8.0 * 255.5 => 1,
            _ => 2,
        }
    }

    fn resources(&self, mapping: &Mapping) -> Vec<Resource> {
        from_mapping(mapping).map_or(vec![], |(config, _)| limits::used(&config))
    }

    fn encode(&self, mapping: &Mapping) -> Result<Encoded, Diagnostics> {
        let (config, bindings) = from_mapping(mapping)?;
        let bytes = encode(&config).map_err(unfit)?;
        Ok(IMAGE.encoded(bytes, bindings))
    }

    fn decode(&self, dialect: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics> {
        let config = decode(SECTION, IMAGE.only(sections)?)?;
        limits::check(&config).result(())?;
        let lowered = lower(&config, arithmetic(dialect), false)?;
        let mut words = vec![];
        let n: usize = config.cores.iter().map(|c| c.cx_cfg.len()).sum();
        words.resize(n, u64::MAX);
        for (k, &(core, cx)) in config.outputs.iter().enumerate() {
            let at = lowered.first[core as usize] + u32::from(cx);
            words[at as usize] = k as u64;
        }
        let weights = cells(&config, &lowered);
        Ok(Emulation {
            program: lowered.program,
            outputs: vec![(0, words)],
            weights,
        })
    }

    fn input(&self, emulation: &Emulation, word: u64) -> Option<NativeInput> {
        error(&emulation.program, word).or_else(|| channel(&emulation.program, CHANNELS, word))
    }

    fn flow(&self, run: &Flow<'_>) -> Result<Vec<(String, Vec<u8>)>, Diagnostics> {
        let mut files = run.images();
        let steps: Vec<String> = run
            .events
            .iter()
            .map(|(step, channel)| format!("[{step}, {channel}]"))
            .collect();
        let input = format!("[{}]\n", steps.join(", "));
        files.push(("input.json".into(), input.into_bytes()));
        files.push(("replay.py".into(), include_bytes!("replay.py").to_vec()));
        Ok(files)
    }

    fn benchmarks(&self, dialect: &str) -> Result<Vec<Benchmark>, Diagnostics> {
        benchmark::benchmarks(&|config| {
            emulate(self, dialect, vec![(SECTION.into(), encode(config)?)])
        })
    }

    fn golden(
        &self,
        vector: &serde_json::Value,
        _files: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>> {
        golden::case(vector)
    }
}
