//! Networks for the tests: the golden vectors, and random legal configurations.

use proptest::prelude::*;
use std::fs;
use synfire_targets::ranc::{
    BitMatrix, Config, Core, Dialect, Grid, NUM_WEIGHTS, Neuron, OutputBus, Packet, ResetMode,
    ResetType, Widths,
};

/// Name and text of every golden vector, by name.
pub fn golden_files() -> Vec<(String, Vec<u8>)> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/ranc/golden");
    let mut files: Vec<_> = fs::read_dir(dir)
        .expect("vectors are in the tree")
        .map(|e| e.expect("readable").path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .map(|p| {
            (
                p.file_name()
                    .expect("a file")
                    .to_string_lossy()
                    .into_owned(),
                fs::read(&p).expect("readable"),
            )
        })
        .collect();
    files.sort();
    files
}

/// SplitMix64: everything random below a configuration's shape comes from one seed, which proptest shrinks.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub fn signed(&mut self, bits: u8) -> i32 {
        (self.next() as i64 >> (64 - u32::from(bits))) as i32
    }
}

/// A legal configuration of either dialect.
pub fn legal() -> impl Strategy<Value = Config> {
    let size = 1..=4u16;
    (
        any::<bool>(),
        size.clone(),
        size,
        1..=5u32,
        1..=7u32,
        any::<u64>(),
    )
        .prop_map(|(rtl, gx, gy, neurons, axons, seed)| {
            let mut r = Random(seed);
            let dialect = if rtl { Dialect::Rtl } else { Dialect::Sim };
            // The simulator takes any size; the Verilog powers of two.
            let odd = |r: &mut Random, bits: u32| {
                if rtl {
                    1 << bits
                } else {
                    (1 << bits) - r.below(1 << (bits - 1)) as u16
                }
            };
            let (num_neurons, num_axons) = (odd(&mut r, neurons), odd(&mut r, axons));
            let bus = OutputBus {
                x: r.below(gx.into()) as u16,
                y: r.below(gy.into()) as u16,
                num_outputs: 1 + r.below(40) as u32,
            };
            let mut config = Config {
                dialect,
                grid: Grid { x: gx, y: gy },
                num_neurons,
                num_axons,
                neuron_reset_type: if rtl || r.below(2) == 0 {
                    ResetType::Asymmetric
                } else {
                    ResetType::Symmetric
                },
                output_bus: bus,
                widths: if rtl { Widths::RTL } else { Widths::SIM },
                cores: vec![],
            };
            for at in 0..config.grid.positions() {
                let (x, y) = ((at % u32::from(gx)) as u16, (at / u32::from(gx)) as u16);
                if (x, y) != (bus.x, bus.y) && r.below(4) > 0 {
                    let core = core(&config, x, y, &mut r);
                    config.cores.push(core);
                }
            }
            if rtl {
                config.complete();
            }
            config
        })
}

fn core(config: &Config, x: u16, y: u16, r: &mut Random) -> Core {
    let axons = (0..r.below(u64::from(config.num_axons) + 1))
        .map(|_| r.below(4) as u8)
        .collect();
    let count = r.below(u64::from(config.num_neurons) + 1) as usize;
    let mut connections = BitMatrix::new(count, config.num_axons.into());
    let mut neurons = vec![];
    for i in 0..count {
        for a in 0..usize::from(config.num_axons) {
            connections.set(i, a, r.below(3) == 0);
        }
        neurons.push(neuron(config, x, y, r));
    }
    Core {
        x,
        y,
        axons,
        neurons,
        connections,
    }
}

fn neuron(config: &Config, x: u16, y: u16, r: &mut Random) -> Neuron {
    let w = config.widths;
    let (tx, ty) = (
        r.below(config.grid.x.into()) as u16,
        r.below(config.grid.y.into()) as u16,
    );
    let to_bus = (tx, ty) == (config.output_bus.x, config.output_bus.y);
    let rtl = config.dialect == Dialect::Rtl;
    let outputs = if rtl {
        config.output_bus.num_outputs.min(config.num_axons.into())
    } else {
        config.output_bus.num_outputs
    };
    let targets = if to_bus {
        outputs
    } else {
        config.num_axons.into()
    };
    // Half of the values are small, so that networks spike and do not only overflow.
    let small = r.below(2) == 0;
    let mut value = |bits: u8| {
        if small {
            r.signed(bits.min(6))
        } else {
            r.signed(bits)
        }
    };
    Neuron {
        potential: value(w.potential),
        reset_potential: value(w.potential),
        weights: [0; NUM_WEIGHTS].map(|_| value(w.weight)),
        leak: value(w.leak),
        positive_threshold: value(w.threshold),
        negative_threshold: value(w.threshold),
        reset_mode: if value(2) < 0 {
            ResetMode::Linear
        } else {
            ResetMode::Absolute
        },
        dx: tx as i16 - x as i16,
        dy: ty as i16 - y as i16,
        axon: r.below(targets.into()) as u32,
        tick: r.below(if rtl && !to_bus { 15 } else { 16 }) as u8,
    }
}

/// Legal input packets for some ticks.
pub fn packets(config: &Config, ticks: usize, r: &mut Random) -> Vec<Vec<Packet>> {
    let most = if config.dialect == Dialect::Rtl {
        15
    } else {
        16
    };
    let mut one = |k: usize| {
        let (x, y) = (
            r.below(config.grid.x.into()) as u16,
            r.below(config.grid.y.into()) as u16,
        );
        let bus = (x, y) == (config.output_bus.x, config.output_bus.y);
        (!bus && k < 6).then(|| Packet {
            x,
            y,
            axon: r.below(config.num_axons.into()) as u16,
            tick: r.below(most) as u8,
        })
    };
    (0..ticks)
        .map(|t| (0..t % 7).filter_map(&mut one).collect())
        .collect()
}
