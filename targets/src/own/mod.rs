//! Chips that are described and not programmed: a `chip.toml` and a `model.syn` stand in for a module of code.
//!
//! [`Own`] is the [`Backend`] of such a chip. A mapping becomes an [`image`] (JSON, our generic form of a chip's memories), an image becomes the program that engines run; units of a network
//! become registers by the table `[roles]`. Limits, ranges and sizes are those of `chip.toml`, and an image that breaks one is refused. Invariant: as for every chip, the emulator starts from the
//! bytes of the image. Deliberately absent: chips that take one event after another (`delivery = "serial"`), and native forms of their own.

mod image;
mod lower;
#[cfg(test)]
mod tests;
mod units;
mod valid;

use crate::backend::{
    Backend, Emulation, Encoded, Flow, GoldenCase, NativeBindings, NativeInput, Refusal,
    UnitDynamics,
};
use crate::model;
use crate::schema::{ChipSpec, Scope};
use crate::section::{self, channel, unfit};
use image::Image;
use std::collections::BTreeMap;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::Section;
use synfire_ir::mapping::{Mapping, UnitRef};
use synfire_ir::model::Model;

/// Name of the only native section.
pub const SECTION: &str = "image.json";

/// The image of such a chip.
const IMAGE: section::Image = section::Image {
    name: SECTION,
    is: "an image of a described chip is one file",
};

/// The code of a chip that is described and not programmed.
#[derive(Clone, Debug)]
pub struct Own {
    spec: ChipSpec,
    model: Model,
    /// Names of a neuron's registers, by dialect.
    fields: Vec<&'static str>,
}

/// Register names outlive the chips that have them, as those of shipped chips do; each is kept once.
fn lasting(name: &str) -> &'static str {
    use std::collections::BTreeSet;
    use std::sync::{Mutex, PoisonError};
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    match names.get(name) {
        Some(known) => known,
        None => {
            let kept: &'static str = Box::leak(name.to_string().into_boxed_str());
            names.insert(kept);
            kept
        }
    }
}

impl Own {
    /// The code of a checked description; `place` names its folder in messages, `toml` is its text.
    ///
    /// Errors: those of `model.syn`, each with line and column; `SYN0604` for what the two texts contradict each other in, or for what needs a module of code.
    pub fn new(place: &str, toml: &str, text: &str, spec: &ChipSpec) -> Result<Own, Diagnostics> {
        let read = model::neuron(text, &spec.model.neuron, &[]);
        let model = read.map_err(|d| valid::placed(d, &format!("{place}/model.syn"), text))?;
        valid::agree(&format!("{place}/chip.toml"), toml, spec, &model).result(())?;
        let fields = valid::registers(spec);
        Ok(Own {
            fields: fields.map(|p| lasting(&p.name)).collect(),
            spec: spec.clone(),
            model,
        })
    }
}

impl Backend for Own {
    fn fields(&self) -> &[&str] {
        &self.fields
    }

    fn neuron(
        &self,
        dialect: &str,
        unit: &UnitDynamics,
        _arrivals: (i64, i64),
        shift: u32,
    ) -> Result<Vec<i64>, Refusal> {
        units::registers(&self.spec, &self.model, dialect, unit, shift)
    }

    fn encode(&self, mapping: &Mapping) -> Result<Encoded, Diagnostics> {
        let image = Image::new(&self.spec, mapping)?;
        image.check(&self.spec).result(()).map_err(unfit)?;
        let outputs = (0..mapping.outputs.len() as u64).collect();
        let mut base = vec![0u64];
        for c in &mapping.cores {
            base.push(base.last().copied().unwrap_or(0) + c.axons.len() as u64);
        }
        let word = |core: u32, axon: u32| {
            base.get(core as usize).copied().unwrap_or(u64::MAX >> 1) + u64::from(axon)
        };
        let inputs = mapping.inputs.iter().map(|i| word(i.core, i.axon));
        let bindings = NativeBindings {
            inputs: inputs.collect(),
            outputs,
            ..NativeBindings::default()
        };
        Ok(IMAGE.encoded(image.to_bytes()?, bindings))
    }

    fn decode(&self, _dialect: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics> {
        let image = Image::from_bytes(&self.spec, IMAGE.only(sections)?)?;
        image.check(&self.spec).result(())?;
        Ok(lower::lower(&image, &self.model))
    }

    fn input(&self, emulation: &Emulation, word: u64) -> Option<NativeInput> {
        channel(&emulation.program, lower::AXONS, word)
    }

    fn flow(&self, run: &Flow<'_>) -> Result<Vec<(String, Vec<u8>)>, Diagnostics> {
        let lines = run
            .events
            .iter()
            .map(|(step, axon)| format!("{step},{axon}\n"));
        let text: String = std::iter::once("step,axon\n".to_string())
            .chain(lines)
            .collect();
        let mut files = run.images();
        files.push(("events.csv".into(), text.into_bytes()));
        Ok(files)
    }

    fn golden(
        &self,
        _vector: &serde_json::Value,
        _files: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>> {
        None
    }
}

/// First slot of every unit.
fn slots(mapping: &Mapping) -> BTreeMap<UnitRef, (u32, u32)> {
    let mut first = BTreeMap::new();
    for (c, core) in (0u32..).zip(&mapping.cores) {
        for (k, n) in (0u32..).zip(&core.neurons).filter(|n| n.1.copy == 0) {
            first.entry(n.unit).or_insert((c, k));
        }
    }
    first
}

/// Has a register this scope?
fn is_neuron(scope: Scope) -> bool {
    scope == Scope::Neuron
}
