//! Lowered NIR networks on the reference interpreter.

#![allow(clippy::unwrap_used, dead_code)]

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_compiler::nir::{NirGraph, NirOptions, elaborate, lower};
use synfire_ir::network::{Network, verify};
use synfire_ir::program::{Arithmetic, Program, Reference};

pub fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/nir/data")
        .join(name)
}

pub fn program(net: Network) -> Program {
    let net = verify(net).unwrap_or_else(|e| panic!("{e}"));
    let options = IdealOptions {
        seed: None,
        arithmetic: Arithmetic::F32,
        ..IdealOptions::default()
    };
    ideal::lower(&net, &options)
        .unwrap_or_else(|e| panic!("{e}"))
        .program
}

/// Runs a program with plain spikes (step, unit) into its only source; returns events of each group and the state `v`
/// of each after every step.
pub struct Trace {
    /// (step, unit) of each group.
    pub events: BTreeMap<String, Vec<(u32, u32)>>,
    /// Membranes after each step.
    pub v: BTreeMap<String, Vec<Vec<f32>>>,
}

pub fn play(program: &Program, input: &[(u32, u32)], steps: u32) -> Trace {
    let source = program
        .groups
        .iter()
        .position(|g| program.model_of_group(g).is_none())
        .unwrap() as u32;
    let mut reference = Reference::new(program, 0);
    let mut trace = Trace {
        events: BTreeMap::new(),
        v: BTreeMap::new(),
    };
    for step in 0..steps {
        let now: Vec<(u32, u32, u32)> = input
            .iter()
            .filter(|e| e.0 == step)
            .map(|e| (source, e.1, 1))
            .collect();
        let emitted = reference.step(&now);
        for (g, group) in program.groups.iter().enumerate() {
            let list = trace.events.entry(group.name.clone()).or_default();
            list.extend(emitted[g].iter().map(|e| (step, e.0)));
            let Some(model) = program.model_of_group(group) else {
                continue;
            };
            if let Some(v) = model.state("v") {
                let words = &reference.state[g][v as usize];
                let row = words.iter().map(|w| f32::from_bits(*w)).collect();
                trace.v.entry(group.name.clone()).or_default().push(row);
            }
        }
    }
    trace
}

pub trait Models {
    fn model_of_group(
        &self,
        group: &synfire_ir::program::Group,
    ) -> Option<&synfire_ir::model::Model>;
}

impl Models for Program {
    fn model_of_group(
        &self,
        group: &synfire_ir::program::Group,
    ) -> Option<&synfire_ir::model::Model> {
        match &group.kind {
            synfire_ir::program::GroupKind::Units { model, .. } => self.models.get(*model as usize),
            synfire_ir::program::GroupKind::External => None,
        }
    }
}

pub fn pairs(json: &Json) -> Vec<(u32, u32)> {
    let number = |x: &Json| x.as_u64().unwrap() as u32;
    json.as_array()
        .unwrap()
        .iter()
        .map(|e| (number(&e[0]), number(&e[1])))
        .collect()
}

/// The network of a hand-built graph at a step of 1 ms.
pub fn network(graph: NirGraph) -> Network {
    let options = NirOptions {
        dt: Some(1e-3),
        ..NirOptions::default()
    };
    lower(
        &elaborate("net.nir", graph, &options)
            .unwrap_or_else(|e| panic!("{e}"))
            .0,
    )
    .unwrap_or_else(|e| panic!("{e}"))
}
