//! Speed of the CPU engine on two networks, built directly as programs.
//!
//! `cargo run --release -p synfire-runtime --example speed [-- ranc|brunel|fixed [STEPS [THREADS]]]` prints steps per second
//! of CPU time and of wall time, the mean rates, and the hash of the final state, which must not depend on THREADS.
//!
//! `ranc`: 64 cores of 256 axons and 256 neurons, one in eight crossbar points set, leak alone drives it. `brunel`: 8000
//! excitatory and 2000 inhibitory neurons with 1000 inputs each, delta synapses, every delay 15 steps of 0.1 ms, a
//! Poisson source of 20 kHz a neuron; in F32. `fixed`: the same in integers of 2^-16 mV.

use std::sync::Arc;
use std::time::Instant;
use synfire_ir::diag::Quiet;
use synfire_ir::model::{
    BinOp, Block, BlockBuilder, Combine, Model, Op, Param, Port, Round, State, Ty, UnOp, Value,
    Width,
};
use synfire_ir::program::{
    Arithmetic, Carry, Column, Discipline, Group, GroupKind, Layout, Program, Projection, Range,
    Rows, Run, Weights, check,
};
use synfire_ir::rng::{Draws, WEIGHTS, WIRING};
use synfire_runtime::engine::cpu::Cpu;
use synfire_runtime::engine::{Engine, Options, Record, Stimulus};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| args.get(i).and_then(|a| a.parse::<u32>().ok());
    let threads = number(2).unwrap_or(1) as usize;
    let all = ["ranc", "brunel", "fixed"];
    let chosen = args
        .first()
        .map(|a| vec![a.as_str()])
        .unwrap_or(all.to_vec());
    for name in chosen {
        let (program, steps) = match name {
            "brunel" => (brunel(Scale::Float), 2000),
            "fixed" => (brunel(Scale::Fixed), 2000),
            _ => (ranc(), 20_000),
        };
        run(name, program, number(1).unwrap_or(steps), threads);
    }
}

fn run(name: &str, program: Program, steps: u32, threads: usize) {
    let found = check(&program);
    assert!(found.is_empty(), "{found}");
    let synapses = program.synapses();
    let program = Arc::new(program);
    let begun = Instant::now();
    let options = Options {
        samples: 1,
        threads,
        ..Options::default()
    };
    let mut cpu = match Cpu::new(program.clone(), &options) {
        Ok(cpu) => cpu,
        Err(e) => return println!("{name}: {e}"),
    };
    let set_up = begun.elapsed();
    let mut record = Record::default();
    let mut advance = |steps: u32| {
        cpu.advance(steps, &Stimulus::default(), &mut record, &Quiet)
            .expect("no input, no error");
        cpu.counters().expect("counters are there")
    };
    let before = advance(steps / 10);
    let (wall, used) = (Instant::now(), cpu_seconds());
    let after = advance(steps);
    let (wall, used) = (wall.elapsed().as_secs_f64(), cpu_seconds() - used);
    println!(
        "{name}: {synapses} synapses, set up in {:.2} s, {threads} threads, {steps} steps",
        set_up.as_secs_f64()
    );
    println!(
        "  {:.0} steps per CPU second ({used:.2} s), {:.0} per wall second",
        steps as f64 / used.max(0.01),
        steps as f64 / wall
    );
    for (g, group) in program.groups.iter().enumerate() {
        let spikes = (after.spikes[g] - before.spikes[g]) as f64 / steps as f64;
        println!("  {}: {spikes:.1} of {} a step", group.name, group.size);
    }
    let events = (after.synaptic_events - before.synaptic_events) as f64;
    println!(
        "  {:.0} synaptic events a step, {:.3} G a wall second; state {:016x}",
        events / steps as f64,
        events / wall / 1e9,
        cpu.hash().expect("states are there")
    );
}

/// CPU time of this process, all threads, in seconds; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok());
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

fn port(name: &str, ty: Ty, combine: Combine) -> Port {
    let name = name.into();
    Port { name, ty, combine }
}

fn state(name: &str, width: Width) -> State {
    let name = name.into();
    State { name, width }
}

fn program(name: &str, arithmetic: Arithmetic, models: Vec<Model>, groups: Vec<Group>) -> Program {
    Program {
        name: name.into(),
        arithmetic,
        dt: None,
        seed: 42,
        discipline: Discipline::Stepped,
        models,
        groups,
        projections: vec![],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    }
}

fn group(
    name: &str,
    size: u32,
    phase: u16,
    base: u32,
    kind: (u32, Vec<Column>, Vec<Column>),
) -> Group {
    let (model, params, init) = kind;
    Group {
        name: name.into(),
        size,
        phase,
        base,
        graded: false,
        kind: GroupKind::Units {
            model,
            params,
            init,
        },
    }
}

fn connect(name: &str, from: (u32, u32, u32), to: (u32, u32), layout: Layout) -> Projection {
    let range = |start, len| Range { start, len };
    Projection {
        name: name.into(),
        source: from.0,
        source_range: range(from.1, from.2),
        target: to.0,
        target_range: range(0, to.1),
        port: 0,
        carry: Carry::Events,
        layout,
    }
}

/// Emits 1 where the condition holds.
fn emit(b: &mut BlockBuilder, c: Value) {
    let (one, none) = (b.i32(1), b.i32(0));
    let e = b.select(c, one, none);
    b.emit(e);
}

const CORES: u32 = 64;
const AXONS: u32 = 256;
const ALL: u32 = CORES * AXONS;

fn ranc() -> Program {
    let draw = |item: u32| Draws::new(7, WEIGHTS, 1, item);
    let axon = {
        let mut b = BlockBuilder::new();
        let any = b.push(Op::Port(0), Ty::Bool);
        emit(&mut b, any);
        Model {
            name: "axon".into(),
            ports: vec![port("spike", Ty::I32, Combine::Or)],
            step: b.finish(),
            ..Model::default()
        }
    };
    let thr: Vec<u32> = (0..ALL).map(|i| 24 + draw(i).below(17)).collect();
    let v0: Vec<u32> = (0..ALL).map(|i| draw(i + ALL).below(21)).collect();
    let uniform = |x: i32| Column::Uniform(x as u32);
    let params = vec![
        Column::PerUnit(thr.into()),
        uniform(-64),
        uniform(0),
        uniform(0),
        uniform(1),
        uniform(0),
    ];
    let groups = vec![
        group("axons", ALL, 0, 0, (0, vec![], vec![])),
        group(
            "neurons",
            ALL,
            1,
            ALL,
            (1, params, vec![Column::PerUnit(v0.into())]),
        ),
    ];
    let mut p = program(
        "ranc",
        Arithmetic::Integer,
        vec![axon, ranc_neuron()],
        groups,
    );
    p.projections = vec![
        connect("crossbar", (0, 0, ALL), (1, ALL), crossbar()),
        connect("routes", (1, 0, ALL), (0, ALL), routes()),
    ];
    p
}

/// The neuron of the RANC simulator: leak after integration, reset to a value or by subtraction.
fn ranc_neuron() -> Model {
    let names = ["thr", "nthr", "reset", "linear", "leak", "sym"];
    let ty = |name: &str| match name {
        "linear" | "sym" => Ty::Bool,
        _ => Ty::I32,
    };
    let mut b = BlockBuilder::new();
    let p: Vec<Value> = (0..)
        .zip(names)
        .map(|(i, n)| b.push(Op::Param(i), ty(n)))
        .collect();
    let (v, syn) = (b.push(Op::State(0), Ty::I32), b.push(Op::Port(0), Ty::I32));
    let v = b.bin(BinOp::Add, v, syn);
    let v = b.bin(BinOp::Add, v, p[4]);
    let fires = b.bin(BinOp::Ge, v, p[0]);
    let over = b.bin(BinOp::Sub, v, p[0]);
    let up = b.select(p[3], over, p[2]);
    let (below, at) = (b.bin(BinOp::Lt, v, p[1]), b.bin(BinOp::Eq, v, p[1]));
    let at = b.bin(BinOp::And, p[5], at);
    let low = b.bin(BinOp::Or, below, at);
    let (under, minus) = (b.bin(BinOp::Sub, v, p[1]), b.un(UnOp::Neg, p[2]));
    let down = b.select(p[3], under, minus);
    let rest = b.select(low, down, v);
    let next = b.select(fires, up, rest);
    b.store(0, next);
    emit(&mut b, fires);
    Model {
        name: "neuron".into(),
        params: names
            .iter()
            .map(|n| Param {
                name: (*n).into(),
                ty: ty(n),
            })
            .collect(),
        states: vec![state("v", Width::I32)],
        ports: vec![port("syn", Ty::I32, Combine::Sum)],
        step: b.finish(),
        ..Model::default()
    }
}

/// Each point of each core's crossbar is set once in eight times; an axon's type is its number modulo four.
fn crossbar() -> Layout {
    let (mut row, mut runs, mut targets, mut weights) = (vec![0], vec![], vec![], vec![]);
    for a in 0..ALL {
        let mut d = Draws::new(7, WIRING, 2, a);
        let (core, start) = (a / AXONS, targets.len() as u32);
        for n in (0..AXONS).filter(|_| d.below(8) == 0) {
            targets.push(core * AXONS + n);
            weights.push([3, 2, -2, -1][(a % 4) as usize]);
        }
        let len = targets.len() as u32 - start;
        runs.push(Run {
            delay: 0,
            start,
            len,
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

/// Every neuron but the first four of a core (which drive outputs) drives one axon, one to four steps later.
fn routes() -> Layout {
    let mut d = Draws::new(7, WIRING, 3, 0);
    let mut axons: Vec<u32> = (0..ALL).collect();
    (1..ALL)
        .rev()
        .for_each(|i| axons.swap(i as usize, d.below(i + 1) as usize));
    let (mut row, mut runs, mut targets) = (vec![0], vec![], vec![]);
    for n in 0..ALL {
        if n % AXONS >= 4 {
            let start = targets.len() as u32;
            let delay = 1 + d.below(4) as u16;
            runs.push(Run {
                delay,
                start,
                len: 1,
            });
            targets.push(axons[n as usize]);
        }
        row.push(runs.len() as u32);
    }
    Layout::Rows(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::Uniform(1),
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Scale {
    Float,
    Fixed,
}

impl Scale {
    /// Bits of a potential in mV.
    fn mv(self, x: f64) -> u32 {
        match self {
            Scale::Float => (x as f32).to_bits(),
            Scale::Fixed => (x * 65536.0).round() as i32 as u32,
        }
    }
    fn ty(self) -> Ty {
        match self {
            Scale::Float => Ty::F32,
            Scale::Fixed => Ty::I32,
        }
    }
    fn width(self) -> Width {
        match self {
            Scale::Float => Width::F32,
            Scale::Fixed => Width::I32,
        }
    }
}

const EXC: u32 = 8000;
const INH: u32 = 2000;

fn brunel(scale: Scale) -> Program {
    let n = EXC + INH;
    let v0 = |first: u32, len: u32| {
        let draw = |i| Draws::new(3, WEIGHTS, 4, i).unit() * 20.0;
        Column::PerUnit((first..first + len).map(|i| scale.mv(draw(i))).collect())
    };
    let cell = |first, len| (0, vec![], vec![v0(first, len), Column::Uniform(0)]);
    let groups = vec![
        group("exc", EXC, 0, 0, cell(0, EXC)),
        group("inh", INH, 0, EXC, cell(EXC, INH)),
        group("drive", n, 0, n, (1, vec![], vec![])),
    ];
    let arithmetic = match scale {
        Scale::Float => Arithmetic::F32,
        Scale::Fixed => Arithmetic::Fixed,
    };
    let mut p = program("brunel", arithmetic, vec![lif(scale), poisson(2.0)], groups);
    for (to, len) in [(0, EXC), (1, INH)] {
        let exc = fixed_indegree(EXC, len, 800, 0.1, (scale, to as u64));
        let inh = fixed_indegree(INH, len, 200, -0.5, (scale, 2 + to as u64));
        let drive = Layout::OneToOne {
            delay: 15,
            weights: Weights::Uniform(scale.mv(0.1)),
        };
        p.projections
            .push(connect("exc", (0, 0, EXC), (to, len), exc));
        p.projections
            .push(connect("inh", (1, 0, INH), (to, len), inh));
        p.projections
            .push(connect("drive", (2, to * EXC, len), (to, len), drive));
    }
    p
}

/// Leaky integration with delta synapses: v_th 20 mV, reset 10 mV, tau 20 ms, refractory 2 ms, steps of 0.1 ms.
fn lif(scale: Scale) -> Model {
    let mut b = BlockBuilder::new();
    let ty = scale.ty();
    let (v, r) = (b.push(Op::State(0), ty), b.push(Op::State(1), Ty::I32));
    let kick = b.push(Op::Port(0), ty);
    let decay = (-0.1f64 / 20.0).exp();
    let leaked = match scale {
        Scale::Float => {
            let k = b.f32(decay as f32);
            b.bin(BinOp::Mul, v, k)
        }
        Scale::Fixed => {
            let k = b.i32((decay * 2f64.powi(31)) as i32);
            let (shift, round) = (31, Round::Floor);
            b.push(
                Op::MulShift {
                    a: v,
                    b: k,
                    shift,
                    round,
                },
                Ty::I32,
            )
        }
    };
    let driven = b.bin(BinOp::Add, leaked, kick);
    let (zero, one, twenty) = (b.i32(0), b.i32(1), b.i32(20));
    let held = b.bin(BinOp::Gt, r, zero);
    let v = b.select(held, v, driven);
    let top = b.push(Op::Const(scale.mv(20.0)), ty);
    let reset = b.push(Op::Const(scale.mv(10.0)), ty);
    let over = b.bin(BinOp::Gt, v, top);
    let free = b.un(UnOp::Not, held);
    let fires = b.bin(BinOp::And, over, free);
    let less = b.bin(BinOp::Sub, r, one);
    let less = b.bin(BinOp::Max, less, zero);
    let next = b.select(fires, reset, v);
    b.store(0, next);
    let r = b.select(fires, twenty, less);
    b.store(1, r);
    emit(&mut b, fires);
    Model {
        name: "lif".into(),
        states: vec![state("v", scale.width()), state("r", Width::U8)],
        ports: vec![port("kick", ty, Combine::Sum)],
        step: b.finish(),
        ..Model::default()
    }
}

/// Emits the number of events of a Poisson process with that mean a step.
fn poisson(mean: f64) -> Model {
    let mut b: BlockBuilder = BlockBuilder::new();
    let word = b.push(Op::Rand { site: 0 }, Ty::U32);
    let (mut term, mut below) = ((-mean).exp(), 0.0);
    let mut count = b.i32(0);
    for k in 1..=17 {
        below += term;
        term *= mean / k as f64;
        let t = b.u32((below * 2f64.powi(32)).min(u32::MAX as f64) as u32);
        let above = b.bin(BinOp::Gt, word, t);
        let one = b.un(UnOp::ToI32, above);
        count = b.bin(BinOp::Add, count, one);
    }
    b.emit(count);
    let step: Block = b.finish();
    Model {
        name: "poisson".into(),
        step,
        ..Model::default()
    }
}

/// Every target draws its sources, with repetition; rows by source, delay 15, weights in mV.
fn fixed_indegree(
    from: u32,
    to: u32,
    degree: u32,
    weight: f64,
    (scale, key): (Scale, u64),
) -> Layout {
    let mut lists: Vec<Vec<u32>> = vec![vec![]; from as usize];
    for t in 0..to {
        let mut d = Draws::new(5, WIRING, key, t);
        (0..degree).for_each(|_| lists[d.below(from) as usize].push(t));
    }
    let (mut row, mut runs, mut targets) = (vec![0], vec![], vec![]);
    for list in lists {
        let start = targets.len() as u32;
        targets.extend(list);
        let len = targets.len() as u32 - start;
        runs.push(Run {
            delay: 15,
            start,
            len,
        });
        row.push(runs.len() as u32);
    }
    Layout::Rows(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights: Weights::Uniform(scale.mv(weight)),
    })
}
