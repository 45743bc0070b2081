//! `xylo_speed [STEPS]`: steps per CPU second of a full Xylo core on the CPU engine, one thread, at several activities.
//!
//! The network of the comparison with the vendor's simulator: 16 inputs at 0.1 spikes a step with a fan-out of 250, 1000 hidden neurons with about 31.6 fan-out entries each, 8 outputs that all hidden neurons
//! reach, one synaptic state, no bias. Thresholds set the activity, which is printed as spikes of a hidden neuron in a step. Everything that a user sees is recorded: the outputs. With `all`
//! in place of nothing after STEPS, counts and states of all neurons are recorded too, as that simulator does.

use std::sync::Arc;
use synfire_ir::Quiet;
use synfire_ir::program::{Observable, Probe, Range};
use synfire_ir::rng::Draws;
use synfire_runtime::engine::{self, InputEvent, Options, Record, Stimulus};
use synfire_targets::xylo::{Config, Neurons, Synapse, lower};

const HIDDEN: usize = 1000;
const INPUTS: usize = 16;
const OUTPUTS: usize = 8;

fn list(d: &mut Draws, targets: u32, chance: f64) -> Vec<Synapse> {
    let limit = (chance * 4294967296.0) as u64;
    let hit = |d: &mut Draws| u64::from(d.below(u32::MAX)) < limit;
    let of = |t: u32, d: &mut Draws| hit(d).then(|| (t as u16, 0, d.below(128) as i8 - 64));
    (0..targets)
        .filter_map(|t| of(t, d))
        .filter(|s| s.2 != 0)
        .collect()
}

fn network(threshold: i16) -> Config {
    let mut d = Draws::new(7, 1, 1, 1);
    let neurons = |n: usize| Neurons {
        threshold: vec![threshold; n],
        dash_mem: vec![4; n],
        dash_syn: vec![vec![3]; n],
        bias: vec![0; n],
    };
    Config {
        core: 2,
        n_in: INPUTS,
        n_hidden: HIDDEN,
        n_out: OUTPUTS,
        n_syn: 1,
        synapses_in: (0..INPUTS)
            .map(|_| list(&mut d, HIDDEN as u32, 0.25))
            .collect(),
        synapses_rec: (0..HIDDEN)
            .map(|_| list(&mut d, HIDDEN as u32, 0.0318))
            .collect(),
        synapses_out: (0..HIDDEN)
            .map(|_| list(&mut d, OUTPUTS as u32, 1.0))
            .collect(),
        aliases: vec![vec![]; HIDDEN],
        hidden: neurons(HIDDEN),
        readout: neurons(OUTPUTS),
        ..Config::default()
    }
}

/// CPU seconds of this process so far.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let ns = text.split(' ').next().and_then(|w| w.parse::<f64>().ok());
    ns.map_or(f64::NAN, |n| n * 1e-9)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let steps: u32 = args.get(1).and_then(|s| s.parse().ok()).unwrap_or(10_000);
    let all = args.get(2).is_some_and(|a| a == "all");
    let chip = synfire_targets::find("xylo-audio2").expect("shipped").chip;
    println!("threshold  spikes/neuron/step  steps/s (CPU)  synaptic events/s (CPU)");
    for threshold in [32_000, 1500, 700, 400, 250] {
        let config = network(threshold);
        let lowered = lower(&chip.model, &config).unwrap_or_else(|d| panic!("{d}"));
        let mut program = lowered.program;
        if all {
            let what = [
                Observable::Events,
                Observable::State(0),
                Observable::State(1),
            ];
            for (k, what) in what.into_iter().enumerate() {
                let range = Range {
                    start: 0,
                    len: HIDDEN as u32,
                };
                let name = format!("hidden{k}");
                program.probes.push(Probe {
                    name,
                    group: lowered.counts,
                    range,
                    what,
                    every: 1,
                });
            }
        }
        let mut d = Draws::new(8, 1, 1, 1);
        let mut input = Stimulus::default();
        for step in 0..steps {
            for unit in 0..INPUTS as u32 {
                if d.below(10) == 0 {
                    input.events.push(InputEvent {
                        step,
                        sample: 0,
                        group: 0,
                        unit,
                        payload: 1,
                    });
                }
            }
        }
        let options = Options {
            samples: 1,
            threads: 1,
            ..Options::default()
        };
        let mut e =
            engine::open("cpu", Arc::new(program), &options).unwrap_or_else(|d| panic!("{d}"));
        let mut record = Record::default();
        let begun = cpu_seconds();
        e.advance(steps, &input, &mut record, &Quiet)
            .unwrap_or_else(|d| panic!("{d}"));
        let time = cpu_seconds() - begun;
        let c = e.counters().unwrap_or_else(|d| panic!("{d}"));
        let spikes = c.spikes[lowered.counts as usize] as f64 / f64::from(steps) / HIDDEN as f64;
        println!(
            "{threshold:9}  {spikes:18.4}  {:13.0}  {:23.3e}",
            f64::from(steps) / time,
            c.synaptic_events as f64 / time
        );
    }
}
