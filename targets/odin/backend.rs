//! ODIN in the terms that all chips share: mapping to native image, native image to a program, native events, golden vectors.
//!
//! Native event words: an input is an AER word of 17 bits ([`super::event`]), an output the neuron's address. A configuration that cannot learn becomes a program without learning.

use super::dynamics::{FIELDS, registers};
use super::lower::{self, must_learn};
use super::pins::{OdinPins, PINS};
use super::{decode, encode, event, from_mapping, golden};
use crate::aer_bridge::{self, Bridge};
use crate::backend::{
    Backend, Emulation, Encoded, Flow, GoldenCase, NativeInput, Refusal, UnitDynamics,
};
use crate::board::Board;
use crate::section::{Image, unfit};
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::mapping::Mapping;

/// The chip's code.
pub static BACKEND: &dyn Backend = &Odin;

/// Name of the only native section: five bytes a word of SPI.
pub const SECTION: &str = "config.spi";

/// The image of the chip.
pub(super) const IMAGE: Image = Image {
    name: SECTION,
    is: "an image of this chip is one stream of configuration words",
};

struct Odin;

/// The chip behind the bridge.
static BOARD: Bridge<OdinPins> = Bridge(&PINS);

impl Backend for Odin {
    fn fields(&self) -> &'static [&'static str] {
        &FIELDS
    }

    fn neuron(
        &self,
        _dialect: &str,
        unit: &UnitDynamics,
        arrivals: (i64, i64),
        shift: u32,
    ) -> Result<Vec<i64>, Refusal> {
        registers(unit, arrivals, shift)
    }

    fn encode(&self, mapping: &Mapping) -> Result<Encoded, Diagnostics> {
        let (config, bindings) = from_mapping(mapping)?;
        let bytes = encode(&config).map_err(unfit)?;
        Ok(IMAGE.encoded(bytes, bindings))
    }

    fn decode(&self, _dialect: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics> {
        let config = decode(SECTION, IMAGE.only(sections)?)?;
        let program = lower::lower(&config, must_learn(&config))?;
        Ok(Emulation {
            weights: lower::weights(&program),
            program,
            outputs: vec![],
        })
    }

    fn input(&self, emulation: &Emulation, word: u64) -> Option<NativeInput> {
        let program = &emulation.program;
        let matrix = |r, n| lower::at(program, r, n);
        event(word, lower::learns(program), &matrix).map(NativeInput::Serial)
    }

    fn board(&self) -> Option<&dyn Board> {
        Some(&BOARD)
    }

    fn flow(&self, run: &Flow<'_>) -> Result<Vec<(String, Vec<u8>)>, Diagnostics> {
        Ok(aer_bridge::flow(run))
    }

    fn golden(
        &self,
        vector: &serde_json::Value,
        _files: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>> {
        golden::case(vector)
    }
}
