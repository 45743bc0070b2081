//! Speed of the GPU engine on a network like a RANC chip's: cores of 256 axons, a binary crossbar and 256 neurons that each
//! send to one axon of another core one or more steps later.
//!
//! `cargo run --release -p synfire-runtime --example gpu_speed -- [CORES [STEPS [SAMPLES]]]` prints steps, dispatches and
//! synaptic events a second on the best adapter there is, and the hash of the final state. `SYNFIRE_ENGINE=cpu` runs the same on the processor.

use std::sync::Arc;
use std::time::Instant;
use synfire_ir::diag::Quiet;
use synfire_ir::model::{
    BinOp, BlockBuilder, Combine, Model, Op, Param, Port, State, Ty, UnOp, Width,
};
use synfire_ir::program::{
    Arithmetic, Carry, Column, Discipline, Group, GroupKind, Layout, Observable, Probe, Program,
    Projection, Range, Rows, Run, Weights,
};
use synfire_ir::rng::{Draws, name_key};
use synfire_runtime::engine::{Engine, InputEvent, Options, Record, Stimulus, gpu, open};

const WIDE: u32 = 256;

fn port(name: &str, combine: Combine) -> Port {
    Port {
        name: name.into(),
        ty: Ty::I32,
        combine,
    }
}

/// Passes on that something arrived.
fn axon() -> Model {
    let mut b = BlockBuilder::new();
    let came = b.push(Op::Port(0), Ty::Bool);
    let spike = b.un(UnOp::ToI32, came);
    b.emit(spike);
    Model {
        name: "axon".into(),
        ports: vec![port("in", Combine::Or)],
        step: b.finish(),
        ..Model::default()
    }
}

/// Sums, leaks, and fires at a threshold; 9-bit potential with wrapping registers, as the chip's.
fn neuron() -> Model {
    let mut b = BlockBuilder::new();
    let v = b.push(Op::State(0), Ty::I32);
    let sum = b.push(Op::Port(0), Ty::I32);
    let leak = b.push(Op::Param(0), Ty::I32);
    let threshold = b.push(Op::Param(1), Ty::I32);
    let v = b.bin(BinOp::Add, v, sum);
    let v = b.bin(BinOp::Add, v, leak);
    let v = b.push(
        Op::Wrap {
            a: v,
            bits: 9,
            signed: true,
        },
        Ty::I32,
    );
    let fires = b.bin(BinOp::Ge, v, threshold);
    let zero = b.i32(0);
    let floor = b.bin(BinOp::Max, v, zero);
    let next = b.select(fires, zero, floor);
    b.store(0, next);
    let spike = b.un(UnOp::ToI32, fires);
    b.emit(spike);
    let param = |name: &str| Param {
        name: name.into(),
        ty: Ty::I32,
    };
    Model {
        name: "neuron".into(),
        params: vec![param("leak"), param("threshold")],
        states: vec![State {
            name: "v".into(),
            width: Width::I16,
        }],
        ports: vec![port("in", Combine::Sum)],
        step: b.finish(),
        ..Model::default()
    }
}

fn units(model: u32, params: Vec<Column>, states: usize) -> GroupKind {
    GroupKind::Units {
        model,
        params,
        init: vec![Column::Uniform(0); states],
    }
}

/// A crossbar a core: every eighth point is set.
fn crossbar(cores: u32) -> Layout {
    let mut draws = Draws::new(1, 1, name_key("crossbar"), 0);
    let (mut row, mut runs, mut targets) = (vec![0], vec![], vec![]);
    let mut weights = vec![];
    for axon in 0..cores * WIDE {
        let start = targets.len() as u32;
        for n in (0..WIDE)
            .filter(|_| draws.below(8) == 0)
            .collect::<Vec<_>>()
        {
            targets.push(axon / WIDE * WIDE + n);
            weights.push([2, 1, -1, -2][axon as usize % 4]);
        }
        runs.push(Run {
            delay: 0,
            start,
            len: targets.len() as u32 - start,
        });
        row.push(runs.len() as u32);
    }
    Layout::Rows(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::from_i32(weights),
    })
}

/// Each neuron to one axon, one to four steps later.
fn routes(cores: u32) -> Layout {
    let n = cores * WIDE;
    let mut draws = Draws::new(1, 1, name_key("routes"), 0);
    let runs = (0..n).map(|start| Run {
        delay: 1 + draws.below(4) as u16,
        start,
        len: 1,
    });
    let runs: Vec<Run> = runs.collect();
    let targets: Vec<u32> = (0..n).map(|_| draws.below(n)).collect();
    Layout::Rows(Rows {
        row: (0..=n).collect(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::Uniform(1),
    })
}

fn network(cores: u32) -> Program {
    let n = cores * WIDE;
    let thresholds = (0..n).map(|i| 6 + i % 9).collect();
    let params = vec![Column::Uniform(1), Column::PerUnit(thresholds)];
    let kinds = [
        ("packets", GroupKind::External),
        ("axons", units(0, vec![], 0)),
        ("neurons", units(1, params, 1)),
    ];
    let groups = (0u32..).zip(kinds).map(|(k, (name, kind))| Group {
        name: name.into(),
        size: n,
        phase: u16::from(k == 2),
        base: k * n,
        graded: false,
        kind,
    });
    let all = Range { start: 0, len: n };
    let projection = |name: &str, source, target, layout| Projection {
        name: name.into(),
        source,
        source_range: all,
        target,
        target_range: all,
        port: 0,
        carry: Carry::Events,
        layout,
    };
    let one = Layout::OneToOne {
        delay: 0,
        weights: Weights::Uniform(1),
    };
    Program {
        name: "ranc-like".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 1,
        discipline: Discipline::Stepped,
        models: vec![axon(), neuron()],
        groups: groups.collect(),
        projections: vec![
            projection("packets", 0, 1, one),
            projection("crossbar", 1, 2, crossbar(cores)),
            projection("routes", 2, 1, routes(cores)),
        ],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![Probe {
            name: "spikes".into(),
            group: 2,
            range: all,
            what: Observable::Events,
            every: 1,
        }],
    }
}

/// Packets into one axon in a hundred, every step.
fn packets(steps: u32, samples: u32, n: u32) -> Stimulus {
    let mut draws = Draws::new(2, 3, name_key("packets"), 0);
    let mut events = vec![];
    for step in 0..steps {
        for sample in 0..samples {
            for _ in 0..n.div_ceil(100) {
                events.push(InputEvent {
                    step,
                    sample,
                    group: 0,
                    unit: draws.below(n),
                    payload: 1,
                });
            }
        }
    }
    Stimulus {
        events,
        serial: vec![],
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).map(|a| a.parse::<u32>());
    let mut next = |default| args.next().unwrap_or(Ok(default));
    let (cores, steps, samples) = (next(16)?, next(2000)?, next(1)?);
    let program = Arc::new(network(cores));
    let options = Options {
        samples,
        ..Options::default()
    };
    let input = packets(steps, samples, cores * WIDE);
    if std::env::var("SYNFIRE_ENGINE").is_ok_and(|e| e == "cpu") {
        return report(&mut *open("cpu", program, &options)?, steps, &input, || {
            None
        });
    }
    for a in gpu::adapters() {
        println!("adapter: {a}");
    }
    let begun = Instant::now();
    let engine = gpu::Gpu::new(program, &options)?;
    println!("set up in {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    let engine = std::cell::RefCell::new(engine);
    let (dispatches, _) = engine.borrow().pace();
    report(&mut *engine.borrow_mut(), steps, &input, || {
        Some(dispatches)
    })
}

fn report(
    engine: &mut dyn Engine,
    steps: u32,
    input: &Stimulus,
    dispatches: impl Fn() -> Option<usize>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut record = Record::default();
    // The first steps compile what drivers compile late.
    let warm = 8.min(steps);
    engine.advance(warm, input, &mut record, &Quiet)?;
    let rest = Stimulus {
        events: input
            .events
            .iter()
            .copied()
            .filter(|e| e.step >= warm)
            .collect(),
        serial: vec![],
    };
    let before = engine.counters()?.synaptic_events;
    let begun = Instant::now();
    let done = engine.advance(steps - warm, &rest, &mut record, &Quiet)?;
    let took = begun.elapsed().as_secs_f64();
    let events = engine.counters()?.synaptic_events - before;
    println!(
        "{}: {done} steps in {took:.3} s: {:.0} steps/s, {:.2} M synaptic events/s, {} spikes",
        engine.name(),
        f64::from(done) / took,
        events as f64 / took * 1e-6,
        record.spikes.len()
    );
    if let Some(n) = dispatches() {
        println!(
            "{n} dispatches a step, {:.1} us each",
            took / f64::from(done) / n as f64 * 1e6
        );
    }
    println!("hash {:016x}", engine.hash()?);
    Ok(())
}
