//! Tests of model lowering: shared tools here, one file a subject.

mod chips;
mod errors;
mod library;
mod numerics;
mod print;
mod random;
mod snapshots;
mod synapses;

use super::{ModelContext, Quantity, lower_neuron};
use crate::library as std_library;
use crate::syntax::{parse, tree};
use std::collections::BTreeMap;
use synfire_ir::Diagnostics;
use synfire_ir::model::{Combine, Ty};
use synfire_ir::network::{HostExpr, NeuronModel};
use synfire_ir::program::{
    self, Arithmetic, Carry, Column, Discipline, Group, GroupKind, Layout, Program, Projection,
    Range, Reference, Weights,
};

/// Lowers the only neuron of a text.
pub fn lower_with(
    text: &str,
    dt: Option<f64>,
    lets: &BTreeMap<String, Quantity>,
) -> Result<NeuronModel, Diagnostics> {
    let (file, mut diags) = parse(0, text);
    assert!(!diags.has_errors(), "{diags}");
    let neuron = file.items.iter().find_map(|i| match i {
        tree::Item::Neuron(n) => Some(n),
        _ => None,
    });
    let neuron = neuron.expect("a neuron in the text");
    let cx = ModelContext {
        name: neuron.name.as_str(),
        dt,
        lets,
    };
    let model = lower_neuron(neuron, &cx, &mut diags);
    assert_eq!(model.is_none(), diags.has_errors(), "{diags}");
    model.ok_or(diags)
}

/// Lowers the only neuron of a text at 1 ms a step.
pub fn lower(text: &str) -> NeuronModel {
    match lower_with(text, Some(1e-3), &BTreeMap::new()) {
        Ok(m) => m,
        Err(d) => panic!("{d}"),
    }
}

/// Lowers a model of the standard library.
pub fn library(path: &str, dt: f64) -> NeuronModel {
    let (module, name) = std_library::lookup(path).expect("a path of the library");
    let (file, mut diags) = parse(0, module.text);
    let neuron = file.items.iter().find_map(|i| match i {
        tree::Item::Neuron(n) if n.name.as_str() == name => Some(n),
        _ => None,
    });
    let cx = ModelContext {
        name: path,
        dt: Some(dt),
        lets: &BTreeMap::new(),
    };
    let model = lower_neuron(neuron.expect("declared"), &cx, &mut diags);
    model.unwrap_or_else(|| panic!("{path}: {diags}"))
}

/// Values of all fields: the given ones and defaults.
pub fn fields(m: &NeuronModel, given: &[(&str, f64)], dt: f64) -> Vec<f64> {
    for (name, _) in given {
        assert!(m.fields.iter().any(|f| f.name == *name), "no field {name}");
    }
    let mut values: Vec<f64> = vec![];
    for f in &m.fields {
        let v = match given.iter().find(|g| g.0 == f.name) {
            Some(g) => g.1,
            None => {
                let e = f
                    .default
                    .as_ref()
                    .unwrap_or_else(|| panic!("{} has no default", f.name));
                e.eval(&|i| values[i as usize], dt)
            }
        };
        values.push(v);
    }
    values
}

fn bits(ty: Ty, x: f64) -> u32 {
    match ty {
        Ty::F32 => (x as f32).to_bits(),
        Ty::I32 => x.round_ties_even() as i32 as u32,
        Ty::U32 => x.round_ties_even() as u32,
        Ty::Bool => (x != 0.0) as u32,
    }
}

/// A program of `size` units of a model, each port driven one to one by an external group.
pub fn program(m: &NeuronModel, given: &[(&str, f64)], dt: f64, size: u32) -> Program {
    let values = fields(m, given, dt);
    let eval = |e: &HostExpr| e.eval(&|i| values[i as usize], dt);
    let params = m
        .model
        .params
        .iter()
        .zip(&m.columns)
        .map(|(p, e)| Column::Uniform(bits(p.ty, eval(e))))
        .collect();
    let init = m
        .model
        .states
        .iter()
        .zip(&m.init)
        .map(|(s, e)| Column::Uniform(bits(s.width.ty(), eval(e))))
        .collect();
    let mut p = Program {
        name: "test".into(),
        arithmetic: if m.integer {
            Arithmetic::Integer
        } else {
            Arithmetic::F32
        },
        dt: Some(dt),
        seed: 7,
        discipline: Discipline::Stepped,
        models: vec![m.model.clone()],
        groups: vec![],
        projections: vec![],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    };
    for (k, port) in m.model.ports.iter().enumerate() {
        p.groups.push(group(
            &port.name,
            size,
            k as u32,
            port.ty == Ty::F32,
            GroupKind::External,
        ));
    }
    let units = p.groups.len() as u32;
    let kind = GroupKind::Units {
        model: 0,
        params,
        init,
    };
    p.groups.push(Group {
        phase: 1,
        ..group("units", size, units, false, kind)
    });
    for (k, port) in m.model.ports.iter().enumerate() {
        let one = if port.ty == Ty::F32 {
            1f32.to_bits()
        } else {
            1
        };
        let all = Range {
            start: 0,
            len: size,
        };
        p.projections.push(Projection {
            name: port.name.clone(),
            source: k as u32,
            source_range: all,
            target: units,
            target_range: all,
            port: k as u16,
            carry: Carry::Events,
            layout: Layout::OneToOne {
                delay: 0,
                weights: Weights::Uniform(one),
            },
        });
    }
    let problems = program::check(&p);
    assert!(!problems.has_errors(), "{problems}");
    p
}

fn group(name: &str, size: u32, number: u32, graded: bool, kind: GroupKind) -> Group {
    Group {
        name: name.into(),
        size,
        phase: 0,
        base: number * size,
        graded,
        kind,
    }
}

/// One unit that runs step by step.
pub struct Bench<'a> {
    p: &'a Program,
    run: Reference<'a>,
}

impl<'a> Bench<'a> {
    /// At the beginning.
    pub fn new(p: &'a Program) -> Self {
        Bench {
            p,
            run: Reference::new(p, 0),
        }
    }

    fn units(&self) -> usize {
        self.p.groups.len() - 1
    }

    /// One step with one arrival at some ports, each a number; gives the payload that unit 0 emits (0 is none).
    pub fn step(&mut self, input: &[(&str, f64)]) -> i32 {
        let events: Vec<(u32, u32, u32)> = input
            .iter()
            .map(|(port, x)| {
                let g = self.p.group(port).expect("a port");
                let float = self.p.groups[g as usize].graded;
                (g, 0, bits(if float { Ty::F32 } else { Ty::I32 }, *x))
            })
            .collect();
        let out = self.run.step(&events);
        out[self.units()]
            .iter()
            .find(|e| e.0 == 0)
            .map_or(0, |e| e.1 as i32)
    }

    /// One step without input; gives the payloads of all units.
    pub fn all(&mut self) -> Vec<(u32, u32)> {
        let mut out = self.run.step(&[]);
        out.remove(self.units())
    }

    /// A state of unit 0.
    pub fn state(&self, name: &str) -> f64 {
        let m = &self.p.models[0];
        let k = m.state(name).expect("a state") as usize;
        let word = self.run.state[self.units()][k][0];
        match m.states[k].width.ty() {
            Ty::F32 => f32::from_bits(word) as f64,
            Ty::I32 => word as i32 as f64,
            _ => word as f64,
        }
    }
}

#[test]
fn combine_rules_reach_the_ports() {
    let m = lower(
        "neuron A(n: u8) { state v: i16  input a: bool by or  input b: u16 by sat_sum  input c: i32 by max  on step { v = b + c + n; if a { emit 1 } } }",
    );
    let rules: Vec<Combine> = m.model.ports.iter().map(|p| p.combine).collect();
    assert_eq!(rules, [Combine::Or, Combine::SatSum(65_535), Combine::Max]);
}
