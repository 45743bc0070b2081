//! The network on which emulators of RANC are compared.
//!
//! 64 cores of 256 axons and 256 neurons, one crossbar point in eight set, about 524,000 synapses; leak alone drives it to about 913 spikes and 28,600 synaptic events a tick.

use super::lower::{NEURONS, POTENTIAL};
use super::{
    BitMatrix, Config, Core, Dialect, Grid, Neuron, OutputBus, ResetMode, ResetType, Widths,
};
use crate::backend::Emulation;
use crate::benchmark::{Benchmark, Peer};
use synfire_ir::rng::Draws;

const SIDE: u16 = 8;
const SIZE: u16 = 256;
/// Neurons of each core that drive the output bus.
const HEARD: u32 = 4;

/// The benchmark; `decode` makes of a configuration what an artefact would run.
pub(super) fn benchmarks<E>(
    dialect: Dialect,
    decode: &dyn Fn(&Config) -> Result<Emulation, E>,
) -> Result<Vec<Benchmark>, E> {
    let config = network(dialect);
    let sim = dialect == Dialect::Sim;
    Ok(vec![Benchmark {
        name: "grid-64".into(),
        program: decode(&config)?.program,
        neurons: NEURONS,
        states: vec![(NEURONS, POTENTIAL)],
        steps: 20_000,
        input: Box::new(|_, _| vec![]),
        peer: sim.then_some(Peer {
            name: "RANC's C++ simulator, -O2",
            steps_per_cpu_s: 88.0,
            source: "CPU time of 401 ticks less that of one, one thread, on a shared machine",
        }),
    }])
}

fn network(dialect: Dialect) -> Config {
    let size = u32::from(SIZE);
    let cores = u32::from(SIDE) * u32::from(SIDE);
    let mut d = Draws::new(7, 1, 1, 1);
    let mut axons: Vec<u32> = (0..cores * size).collect();
    for i in (1..cores * size).rev() {
        axons.swap(i as usize, d.below(i + 1) as usize);
    }
    let place = |core: u32| {
        (
            (core % u32::from(SIDE)) as i16,
            (core / u32::from(SIDE)) as i16,
        )
    };
    let core = |k: u32| {
        let (x, y) = place(k);
        let mut d = Draws::new(7, 2, 1, k);
        let mut core = Core::empty(x as u16, y as u16, SIZE);
        core.axons = (0..size).map(|a| (a % 4) as u8).collect();
        core.connections = BitMatrix::new(SIZE.into(), SIZE.into());
        for n in 0..size {
            for a in (0..size).filter(|_| d.below(8) == 0) {
                core.connections.set(n as usize, a as usize, true);
            }
            // The first neurons drive the output bus, every other one an axon of its own.
            let (to, axon) = if n < HEARD {
                ((SIDE as i16, 0), HEARD * k + n)
            } else {
                let axon = axons[(k * size + n) as usize];
                (place(axon / size), axon % size)
            };
            core.neurons.push(Neuron {
                potential: d.below(21) as i32,
                weights: [3, 2, -2, -1],
                leak: 1,
                positive_threshold: 24 + d.below(17) as i32,
                negative_threshold: -64,
                reset_mode: ResetMode::Absolute,
                dx: to.0 - x,
                dy: to.1 - y,
                axon,
                tick: d.below(4) as u8,
                ..Neuron::default()
            });
        }
        core
    };
    let mut config = Config {
        dialect,
        grid: Grid {
            x: SIDE + 1,
            y: SIDE,
        },
        num_neurons: SIZE,
        num_axons: SIZE,
        neuron_reset_type: ResetType::Asymmetric,
        output_bus: OutputBus {
            x: SIDE,
            y: 0,
            num_outputs: size,
        },
        widths: match dialect {
            Dialect::Sim => Widths::SIM,
            Dialect::Rtl => Widths::RTL,
        },
        cores: (0..cores).map(core).collect(),
    };
    if dialect == Dialect::Rtl {
        config.complete();
    }
    config
}
