//! A batch against single runs: 100 random inputs through a network of 1,000 neurons, at once and one after another.
//!
//! `cargo run --release -p synfire-runtime --example gpu_batch -- [SAMPLES [STEPS]]` prints the engine time of both (without
//! start-up, building and shader compilation) on the best adapter there is and on the processor, and whether all spikes are equal.

use std::sync::Arc;
use std::time::Instant;
use synfire_ir::Diagnostics;
use synfire_ir::diag::Quiet;
use synfire_ir::model::{BinOp, BlockBuilder, Combine, Model, Op, Port, State, Ty, UnOp, Width};
use synfire_ir::program::{
    Arithmetic, Carry, Column, Discipline, Group, GroupKind, Layout, Observable, Probe, Program,
    Projection, Range, Rows, Run, Weights,
};
use synfire_ir::rng::{Draws, name_key};
use synfire_runtime::engine::{Engine, InputEvent, Options, Record, Spike, Stimulus, open};

/// Neurons.
const NEURONS: u32 = 1000;
/// Inputs.
const INPUTS: u32 = 100;

/// Leaky integrate-and-fire in integers: v -= v / 16, v += input, a spike at 4096.
fn neuron() -> Model {
    let mut b = BlockBuilder::new();
    let v = b.push(Op::State(0), Ty::I32);
    let sum = b.push(Op::Port(0), Ty::I32);
    let four = b.i32(4);
    let leak = b.bin(BinOp::Shr, v, four);
    let v = b.bin(BinOp::Sub, v, leak);
    let v = b.bin(BinOp::Add, v, sum);
    let threshold = b.i32(4096);
    let fires = b.bin(BinOp::Ge, v, threshold);
    let zero = b.i32(0);
    let next = b.select(fires, zero, v);
    b.store(0, next);
    let spike = b.un(UnOp::ToI32, fires);
    b.emit(spike);
    Model {
        name: "neuron".into(),
        states: vec![State {
            name: "v".into(),
            width: Width::I32,
        }],
        ports: vec![Port {
            name: "in".into(),
            ty: Ty::I32,
            combine: Combine::Sum,
        }],
        step: b.finish(),
        ..Model::default()
    }
}

/// Each source to a tenth of the neurons.
fn rows(name: &str, sources: u32, delay: u16, weight: impl Fn(u32) -> i32) -> Layout {
    let mut draws = Draws::new(1, 1, name_key(name), 0);
    let (mut targets, mut weights, mut runs) = (vec![], vec![], vec![]);
    for source in 0..sources {
        let start = targets.len() as u32;
        for t in 0..NEURONS {
            if draws.below(10) == 0 {
                targets.push(t);
                weights.push(weight(source) + draws.below(32) as i32);
            }
        }
        let len = targets.len() as u32 - start;
        runs.push(Run { delay, start, len });
    }
    Layout::Rows(Rows {
        row: (0..=sources).collect(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::from_i32(weights),
    })
}

/// 100 sources, 1,000 neurons of which 800 excite, about 110,000 synapses.
pub fn network() -> Program {
    let group = |name: &str, size, base, kind| Group {
        name: name.into(),
        size,
        phase: u16::from(kind != GroupKind::External),
        base,
        graded: false,
        kind,
    };
    let units = GroupKind::Units {
        model: 0,
        params: vec![],
        init: vec![Column::Uniform(0)],
    };
    let whole = |len| Range { start: 0, len };
    let projection = |name: &str, source, n, layout| Projection {
        name: name.into(),
        source,
        source_range: whole(n),
        target: 1,
        target_range: whole(NEURONS),
        port: 0,
        carry: Carry::Events,
        layout,
    };
    let weight = |i| if i < 800 { 40 } else { -260 };
    Program {
        name: "batch".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 1,
        discipline: Discipline::Stepped,
        models: vec![neuron()],
        groups: vec![
            group("inputs", INPUTS, 0, GroupKind::External),
            group("neurons", NEURONS, INPUTS, units),
        ],
        projections: vec![
            projection("in", 0, INPUTS, rows("in", INPUTS, 1, |_| 400)),
            projection(
                "recurrent",
                1,
                NEURONS,
                rows("recurrent", NEURONS, 2, weight),
            ),
        ],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![Probe {
            name: "neurons.spikes".into(),
            group: 1,
            range: whole(NEURONS),
            what: Observable::Events,
            every: 1,
        }],
    }
}

/// Random spikes of the inputs for each sample: one in twenty inputs a step.
pub fn inputs(samples: u32, steps: u32) -> Vec<InputEvent> {
    let mut draws = Draws::new(2, 3, name_key("inputs"), 0);
    let mut out = vec![];
    for step in 0..steps {
        for sample in 0..samples {
            for unit in 0..INPUTS {
                if draws.below(20) == 0 {
                    out.push(InputEvent {
                        step,
                        sample,
                        group: 0,
                        unit,
                        payload: 1,
                    });
                }
            }
        }
    }
    out
}

/// Engine seconds and spikes of runs.
pub struct Measured {
    /// Seconds in `advance`.
    pub run_s: f64,
    /// Seconds of all processors in them; 0 where the system does not tell.
    pub cpu_s: f64,
    /// Spikes by sample, step, neuron.
    pub spikes: Vec<Spike>,
    /// Synapses walked.
    pub events: u64,
}

fn advance(
    engine: &mut dyn Engine,
    steps: u32,
    events: Vec<InputEvent>,
    into: &mut Measured,
) -> Result<Vec<Spike>, Diagnostics> {
    let input = Stimulus {
        events,
        serial: vec![],
    };
    let mut record = Record::default();
    let (begin, before) = (Instant::now(), processor_seconds());
    engine.advance(steps, &input, &mut record, &Quiet)?;
    into.run_s += begin.elapsed().as_secs_f64();
    into.cpu_s += processor_seconds() - before;
    into.events += engine.counters()?.synaptic_events;
    Ok(record.spikes)
}

/// Seconds that all threads of this process have run, to 10 ms.
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or("").split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .filter_map(|t| t.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// All inputs, in batches of `batch` samples, on `which` engine.
pub fn measure(which: &str, samples: u32, steps: u32, batch: u32) -> Result<Measured, Diagnostics> {
    let program = Arc::new(network());
    let all = inputs(samples, steps);
    let options = Options {
        samples: batch,
        ..Options::default()
    };
    let mut out = Measured {
        run_s: 0.0,
        cpu_s: 0.0,
        spikes: vec![],
        events: 0,
    };
    // Drivers compile some code when it is first run.
    open(which, program.clone(), &options)?.advance(
        8,
        &Stimulus::default(),
        &mut Record::default(),
        &Quiet,
    )?;
    for first in (0..samples).step_by(batch as usize) {
        let mut engine = open(which, program.clone(), &options)?;
        let mine = all
            .iter()
            .filter(|e| (first..first + batch).contains(&e.sample));
        let mine = mine.map(|e| InputEvent {
            sample: e.sample - first,
            ..*e
        });
        let spikes = advance(&mut *engine, steps, mine.collect(), &mut out)?;
        out.spikes.extend(spikes.into_iter().map(|s| Spike {
            sample: s.sample + first,
            ..s
        }));
    }
    out.spikes.sort();
    Ok(out)
}

#[allow(dead_code)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u32>());
    let mut next = |default| args.next().unwrap_or(Ok(default));
    let (samples, steps) = (next(100)?, next(200)?);
    let mut spikes: Option<Vec<Spike>> = None;
    for which in ["cpu", "gpu"] {
        let single = measure(which, samples, steps, 1)?;
        let batch = measure(which, samples, steps, samples)?;
        println!(
            "{which}: {samples} runs of {steps} steps one by one {:.3} s ({:.2} s of processors), as one batch {:.3} s ({:.2} s): {:.1} times faster; {:.1} M events, {} spikes",
            single.run_s,
            single.cpu_s,
            batch.run_s,
            batch.cpu_s,
            single.run_s / batch.run_s,
            batch.events as f64 * 1e-6,
            batch.spikes.len()
        );
        let first = spikes.get_or_insert(single.spikes.clone());
        let equal = single.spikes == *first && batch.spikes == *first;
        println!(
            "{which}: spikes are {}",
            if equal { "equal" } else { "NOT EQUAL" }
        );
    }
    Ok(())
}
