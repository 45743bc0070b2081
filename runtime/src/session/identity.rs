//! What a checkpoint is of: the program and the input by hash, and what a message can name.

use super::bytes::{Read, Reader, Writer};
use super::{Plan, Wiring};
use crate::spikes::SpikeData;
use serde::Serialize;
use synfire_ir::program::{Arithmetic, Program};
use synfire_ir::{Class, Diagnostic, Diagnostics};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Identity {
    /// Name of the network.
    pub name: String,
    /// Key of the random numbers.
    pub seed: u64,
    /// `f32`, `fixed` or `integer`.
    pub arithmetic: String,
    /// `cpu` or `gpu`.
    pub engine: String,
    /// Samples.
    pub samples: u32,
    /// Hash of the program and of its names and feeds.
    pub program: u64,
    /// Hash of what `--input` gave.
    pub input: u64,
}

/// 64-bit FNV-1a over bytes.
struct Hash(u64);

impl Hash {
    fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    /// Takes a value in as JSON, of which equal values have one form.
    fn value(&mut self, value: &impl Serialize) {
        // Writing into a hash does not fail, and nothing that is hashed has keys that JSON cannot hold.
        let _ = serde_json::to_writer(&mut *self, value);
    }
}

impl std::io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for b in bytes {
            self.0 = (self.0 ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hash of a plan: the program, the names of its populations, and what its wiring adds.
pub(super) fn of_plan(plan: &Plan) -> u64 {
    let mut hash = Hash::new();
    hash.value(&plan.program);
    for p in &plan.populations {
        hash.value(&(&p.name, p.size, p.input, p.graded, p.recorded));
    }
    match &plan.wiring {
        Wiring::Named(n) => n.fingerprint(&mut |v| hash.value(&v)),
        Wiring::Chip(c) => c.fingerprint(&mut |v| hash.value(&v)),
    }
    hash.0
}

/// Hash of an input.
pub(super) fn of_input(input: &SpikeData) -> u64 {
    let mut hash = Hash::new();
    hash.value(&input.batch);
    for s in &input.spikes {
        let value = s.value.to_bits();
        hash.value(&(s.sample, s.step, s.population, s.neuron, value));
    }
    for s in &input.signals {
        let bits = |v: &Vec<f32>| v.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        let values: Vec<Vec<u32>> = s.values.iter().map(bits).collect();
        hash.value(&(&s.name, s.population, &s.steps, values));
    }
    hash.0
}

fn name_of(a: Arithmetic) -> &'static str {
    match a {
        Arithmetic::F32 => "f32",
        Arithmetic::Fixed => "fixed",
        Arithmetic::Integer => "integer",
    }
}

impl Identity {
    /// A run of a program with that hash.
    pub fn new(program: &Program, hash: u64, engine: &str, samples: u32, input: u64) -> Identity {
        Identity {
            name: program.name.clone(),
            seed: program.seed,
            arithmetic: name_of(program.arithmetic).into(),
            engine: engine.into(),
            samples,
            program: hash,
            input,
        }
    }

    pub fn write(&self, w: &mut Writer) {
        w.text(&self.name);
        w.u64(self.seed);
        w.text(&self.arithmetic);
        w.text(&self.engine);
        w.u32(self.samples);
        w.u64(self.program);
        w.u64(self.input);
    }

    pub fn read(r: &mut Reader) -> Read<Identity> {
        Ok(Identity {
            name: r.text()?,
            seed: r.u64()?,
            arithmetic: r.text()?,
            engine: r.text()?,
            samples: r.u32()?,
            program: r.u64()?,
            input: r.u64()?,
        })
    }

    /// May a run that is `now` go on from one that was `self`? A float program on another kind of engine may, with a warning.
    ///
    /// Errors: `SYN0843` with everything that differs.
    pub fn allows(&self, now: &Identity) -> Result<Diagnostics, Diagnostics> {
        let mut differs = vec![];
        let mut both = |what: &str, was: String, is: String| {
            if was != is {
                differs.push(format!("{what}: {was} then, {is} now"));
            }
        };
        both("network", self.name.clone(), now.name.clone());
        both("seed", self.seed.to_string(), now.seed.to_string());
        let arithmetic = (self.arithmetic.clone(), now.arithmetic.clone());
        both("arithmetic", arithmetic.0, arithmetic.1);
        both("samples", self.samples.to_string(), now.samples.to_string());
        if differs.is_empty() && self.program != now.program {
            differs.push("the network, its parameters or what it records have changed".into());
        }
        if self.input != now.input {
            differs.push("the input is another".into());
        }
        if !differs.is_empty() {
            let error = Diagnostic::error("SYN0843", "the checkpoint is of another run")
                .class(Class::Input)
                .hint("resume with the network, --seed, --set, --arithmetic and --input of the run that wrote it")
                .hint("or run from the beginning, without --resume");
            return Err(differs.into_iter().fold(error, Diagnostic::note).into());
        }
        if self.engine != now.engine && now.arithmetic == "f32" {
            let what = format!(
                "the run began on the {} engine and goes on on the {} engine",
                self.engine, now.engine
            );
            return Ok(Diagnostic::warning("SYN0844", what)
                .note("floats are equal statistically, not bit for bit, on different engines")
                .hint(format!("--engine {} goes on with equal bits", self.engine))
                .into());
        }
        Ok(Diagnostics::new())
    }
}
