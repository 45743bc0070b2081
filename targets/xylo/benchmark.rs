//! The network on which emulators of the family are compared, at several activities.
//!
//! 16 inputs at 0.1 spikes a step with a fan-out of about 250, all hidden neurons with about 31.6 fan-out entries each, 8 outputs that all hidden neurons reach, one synaptic state, no bias. The
//! threshold sets the activity. The vendor simulator's figures are those of xylosim 0.1.3 with a network drawn by the same rule, which records all states and cannot switch that off.

use super::backend::OLDER;
use super::lower::{CHANNELS, HIDDEN, I1, V};
use super::{Config, Neurons, Size, Synapse};
use crate::backend::{Emulation, NativeInput};
use crate::benchmark::{Benchmark, Input, Peer};
use synfire_ir::rng::Draws;

const INPUTS: usize = 16;
const OUTPUTS: usize = 8;
const SOURCE: &str =
    "xylosim 0.1.3 from PyPI, CPU time of `evolve`, one thread, on a shared machine";

/// Threshold, steps of a measurement, and steps per CPU second of xylosim at about that activity: 0.053 spikes a neuron and step (the representative one, which grows with time: 600 steps have that
/// mean), 0.018, 0.0025, and runaway.
const POINTS: [(i16, u32, f64); 4] = [
    (940, 600, 5080.0),
    (1040, 10_000, 7680.0),
    (1600, 10_000, 8480.0),
    (400, 1000, 375.0),
];

/// One benchmark a threshold; `decode` makes of a configuration what an artefact would run.
pub(super) fn benchmarks<E>(
    size: &Size,
    dialect: &str,
    decode: &dyn Fn(&Config) -> Result<Emulation, E>,
) -> Result<Vec<Benchmark>, E> {
    let point = |(threshold, steps, peer): (i16, u32, f64)| {
        let core = if dialect == OLDER { 1 } else { 2 };
        let config = network(size, core, threshold);
        Ok(Benchmark {
            name: format!("threshold-{threshold}"),
            program: decode(&config)?.program,
            neurons: HIDDEN,
            states: vec![(HIDDEN, V), (HIDDEN, I1)],
            steps,
            input: input(),
            peer: Some(Peer {
                name: "xylosim 0.1.3",
                steps_per_cpu_s: peer,
                source: SOURCE,
            }),
        })
    };
    POINTS.into_iter().map(point).collect()
}

/// Weights of -64 to 63, each synapse there with a probability of `share`.
fn synapses(d: &mut Draws, targets: std::ops::Range<usize>, share: f64) -> Vec<Synapse> {
    let limit = (share * f64::from(u32::MAX)) as u32;
    let mut out = vec![];
    for t in targets {
        let weight = d.below(128) as i8 - 64;
        if d.below(u32::MAX) < limit && weight != 0 {
            out.push((t as u16, 0, weight));
        }
    }
    out
}

fn network(size: &Size, core: u8, threshold: i16) -> Config {
    let mut d = Draws::new(7, 1, 1, 1);
    let hidden = size.hidden;
    // What cannot be reached on the smaller chips stays unreached.
    let reached = 0..size.input_expansion.min(hidden);
    let heard = hidden - size.output_expansion.min(hidden)..hidden;
    let outputs = OUTPUTS.min(size.outputs);
    let neurons = |n: usize| Neurons {
        threshold: vec![threshold; n],
        dash_mem: vec![4; n],
        dash_syn: vec![vec![3]; n],
        bias: vec![0; n],
    };
    let list = |d: &mut Draws, n: usize, share: f64| synapses(d, 0..n, share);
    Config {
        core,
        n_in: INPUTS,
        n_hidden: hidden,
        n_out: outputs,
        n_syn: 1,
        synapses_in: (0..INPUTS)
            .map(|_| synapses(&mut d, reached.clone(), 0.25))
            .collect(),
        synapses_rec: (0..hidden).map(|_| list(&mut d, hidden, 0.0318)).collect(),
        synapses_out: (0..hidden)
            .map(|h| match heard.contains(&h) {
                true => list(&mut d, outputs, 1.0),
                false => vec![],
            })
            .collect(),
        aliases: vec![vec![]; hidden],
        hidden: neurons(hidden),
        readout: neurons(outputs),
        ..Config::default()
    }
}

/// 0.1 spikes a channel and step, of another draw in every sample.
fn input() -> Input {
    Box::new(|steps, sample| {
        let mut d = Draws::new(8, 1, 1, 1 + sample);
        let mut out = vec![];
        for step in 0..steps {
            let fires = (0..INPUTS as u32).filter(|_| d.below(10) == 0);
            out.extend(fires.map(|unit| {
                let event = NativeInput::Event {
                    group: CHANNELS,
                    unit,
                    payload: 1,
                    delay: 0,
                };
                (step, event)
            }));
        }
        out
    })
}
