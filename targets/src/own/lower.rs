//! Image to [`Program`]: what the emulator runs in place of a described chip.
//!
//! One external group of all axons and one group of all neurons, cores one after another; the native word of an input is the number of its axon among all of them. An axon is no unit that computes: a
//! neuron's way to an axon becomes synapses with the way's delay onto whatever the axon reaches. What is driven from outside acts in the step in which it comes.

use super::image::{Core, Image};
use crate::backend::Emulation;
use crate::model::group;
use std::collections::BTreeMap;
use synfire_ir::model::Model;
use synfire_ir::program::{
    Arithmetic, Carry, Discipline, GroupKind, Groups, Layout, Observable, Probe, Program,
    Projection, Range, Rows, Run, Weights,
};

/// Group of axons; those that neurons drive stay silent in it.
pub const AXONS: u32 = 0;
/// Group of neurons.
const NEURONS: u32 = 1;

/// A synapse: (source, delay, target, weight).
type Synapse = (u32, u16, u32, i32);

/// The program of a checked image.
pub fn lower(image: &Image, model: &Model) -> Emulation {
    let mut base = vec![0u32];
    for c in &image.cores {
        base.push(base.last().copied().unwrap_or(0) + c.neurons.len() as u32);
    }
    let neurons = base.last().copied().unwrap_or(0);
    // For each core, the synapses of each axon.
    let rows: Vec<Vec<Vec<(u32, i32)>>> = image.cores.iter().map(reach).collect();
    let (mut own, mut given): (Vec<Synapse>, Vec<Synapse>) = (vec![], vec![]);
    let mut axons = 0;
    for ((c, core), first) in image.cores.iter().enumerate().zip(&base) {
        for (axon, row) in core.axons.iter().zip(&rows[c]) {
            let targets = row.iter().filter(|_| axon.input);
            given.extend(targets.map(|(n, w)| (axons, 0, first + n, *w)));
            axons += 1;
        }
        for (n, neuron) in (*first..).zip(&core.neurons) {
            for &(to, axon, delay) in &neuron.to {
                let targets = rows[to as usize][axon as usize].iter();
                own.extend(targets.map(|(t, w)| (n, delay, base[to as usize] + t, *w)));
            }
        }
    }
    let all: Vec<_> = image.cores.iter().flat_map(|c| &c.neurons).collect();
    let value = |name: &str, n: usize| {
        let at = image.fields.iter().position(|f| f == name)?;
        all.get(n)?.fields.get(at).copied()
    };
    // A network without any input still has a group for it.
    let axons = axons.max(1);
    let units = group(model, 0, neurons as usize, &value);
    let range = |len| Range { start: 0, len };
    let groups = (Groups::default())
        .and("axons", axons as usize, 0, GroupKind::External)
        .and("neurons", neurons as usize, 0, units);
    let crossing = |name: &str, source, sources, synapses| Projection {
        name: name.into(),
        source,
        source_range: range(sources),
        target: NEURONS,
        target_range: range(neurons),
        port: 0,
        carry: Carry::Events,
        layout: Layout::Rows(sparse(sources, synapses)),
    };
    let program = Program {
        name: image.chip.clone(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 0,
        discipline: Discipline::Stepped,
        models: vec![model.clone()],
        groups: groups.list(),
        projections: vec![
            crossing("inputs", AXONS, axons, given),
            crossing("neurons", NEURONS, neurons, own),
        ],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![Probe {
            name: "spikes".into(),
            group: NEURONS,
            range: range(neurons),
            what: Observable::Events,
            every: 1,
        }],
    };
    let words = all.iter().map(|n| n.output.map_or(u64::MAX, u64::from));
    Emulation {
        weights: vec![],
        outputs: vec![(0, words.collect())],
        program,
    }
}

/// For each axon of a core, its (neuron, weight).
fn reach(core: &Core) -> Vec<Vec<(u32, i32)>> {
    let mut rows = vec![vec![]; core.axons.len()];
    for &(axon, neuron, weight) in &core.synapses {
        rows[axon as usize].push((neuron, weight));
    }
    rows
}

/// Synapses as rows by (source, delay).
fn sparse(sources: u32, mut synapses: Vec<Synapse>) -> Rows {
    synapses.sort_unstable();
    let mut by_source: BTreeMap<u32, Vec<Run>> = BTreeMap::new();
    let (mut targets, mut weights) = (vec![], vec![]);
    for &(source, delay, target, weight) in &synapses {
        let runs = by_source.entry(source).or_default();
        match runs.last_mut().filter(|r| r.delay == delay) {
            Some(run) => run.len += 1,
            None => runs.push(Run {
                delay,
                start: targets.len() as u32,
                len: 1,
            }),
        }
        targets.push(target);
        weights.push(weight);
    }
    let (mut row, mut runs) = (vec![0], vec![]);
    for source in 0..sources {
        runs.extend(by_source.remove(&source).unwrap_or_default());
        row.push(runs.len() as u32);
    }
    Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::from_i32(weights),
    }
}
