//! A scalar model of RANC, written from the description of a tick and from nothing else of this crate but [`Config`].
//!
//! It keeps the axon words, counts warnings where the simulator would print them, and is meant to be read beside the document, not to be fast.

use synfire_targets::ranc::golden::{Observed, Potentials};
use synfire_targets::ranc::{Config, Dialect, Packet, ResetMode, ResetType};

/// State of a grid between two ticks.
pub struct Grid<'a> {
    config: &'a Config,
    /// `axons[grid position][word][axon]`.
    axons: Vec<Vec<Vec<bool>>>,
    potentials: Vec<Vec<i32>>,
    pub warnings: u64,
}

impl<'a> Grid<'a> {
    pub fn new(config: &'a Config) -> Self {
        Grid {
            config,
            axons: vec![
                vec![vec![false; config.num_axons.into()]; 16];
                config.grid.positions() as usize
            ],
            potentials: config
                .cores
                .iter()
                .map(|c| c.neurons.iter().map(|n| n.potential).collect())
                .collect(),
            warnings: 0,
        }
    }

    /// Runs `ticks` ticks.
    pub fn run(&mut self, packets: &[Vec<Packet>], ticks: usize) -> Observed {
        let mut seen = Observed::default();
        for t in 0..ticks {
            for p in packets.get(t).into_iter().flatten() {
                self.write(t as i64 - 1, p.x.into(), p.y.into(), p.axon.into(), p.tick);
            }
            let (outputs, spikes) = self.tick(t as i64);
            seen.outputs.push(outputs);
            seen.spikes.push(spikes);
            seen.potentials.push(self.potentials());
        }
        seen.final_potentials = self.potentials();
        seen
    }

    /// A packet sent while word `now` is read, with delay field `d`.
    fn write(&mut self, now: i64, x: i32, y: i32, axon: u32, d: u8) {
        if d == 15 {
            self.warnings += 1;
            return;
        }
        let position = (x + i32::from(self.config.grid.x) * y) as usize;
        let word = (now + 1 + i64::from(d)).rem_euclid(16) as usize;
        let bit = &mut self.axons[position][word][axon as usize];
        self.warnings += u64::from(*bit);
        *bit = true;
    }

    fn tick(&mut self, t: i64) -> (Vec<u32>, Vec<(u32, u32)>) {
        let config = self.config;
        let mut outputs = vec![false; config.output_bus.num_outputs as usize];
        let mut spikes = vec![];
        let word = t.rem_euclid(16) as usize;
        for (c, core) in config.cores.iter().enumerate() {
            let position = usize::from(core.x) + usize::from(config.grid.x) * usize::from(core.y);
            for (i, n) in core.neurons.iter().enumerate() {
                let mut v = self.potentials[c][i];
                for a in 0..usize::from(config.num_axons) {
                    if self.axons[position][word][a] && core.connections.get(i, a) {
                        let ty = core.axons.get(a).copied().unwrap_or(0);
                        v = self.add(v, n.weights[usize::from(ty)]);
                    }
                }
                v = self.add(v, n.leak);
                let low = match config.neuron_reset_type {
                    ResetType::Asymmetric => v < n.negative_threshold,
                    ResetType::Symmetric => v <= n.negative_threshold,
                };
                if v >= n.positive_threshold {
                    spikes.push((c as u32, i as u32));
                    v = match n.reset_mode {
                        ResetMode::Absolute => n.reset_potential,
                        ResetMode::Linear => self.sub(v, n.positive_threshold),
                    };
                    let (x, y) = (
                        i32::from(core.x) + i32::from(n.dx),
                        i32::from(core.y) + i32::from(n.dy),
                    );
                    if (x, y)
                        == (
                            i32::from(config.output_bus.x),
                            i32::from(config.output_bus.y),
                        )
                    {
                        let bit = &mut outputs[n.axon as usize];
                        self.warnings += u64::from(*bit);
                        *bit = true;
                    } else {
                        self.write(t, x, y, n.axon, n.tick);
                    }
                } else if low {
                    v = match n.reset_mode {
                        ResetMode::Absolute => self.sub(0, n.reset_potential),
                        ResetMode::Linear => self.sub(v, n.negative_threshold),
                    };
                }
                self.potentials[c][i] = v;
            }
            self.axons[position][word].fill(false);
        }
        // Cores that hold nothing still have words to clear.
        for position in &mut self.axons {
            position[word].fill(false);
        }
        (
            outputs
                .iter()
                .enumerate()
                .filter(|o| *o.1)
                .map(|o| o.0 as u32)
                .collect(),
            spikes,
        )
    }

    fn add(&self, a: i32, b: i32) -> i32 {
        self.fit(i64::from(a) + i64::from(b))
    }

    fn sub(&self, a: i32, b: i32) -> i32 {
        self.fit(i64::from(a) - i64::from(b))
    }

    /// The simulator's `int`, or the Verilog's register.
    fn fit(&self, v: i64) -> i32 {
        let bits = match self.config.dialect {
            Dialect::Sim => 32,
            Dialect::Rtl => u32::from(self.config.widths.potential),
        };
        let modulus = 1i64 << bits;
        let low = v.rem_euclid(modulus);
        (if low >= modulus / 2 {
            low - modulus
        } else {
            low
        }) as i32
    }

    fn potentials(&self) -> Potentials {
        self.config
            .cores
            .iter()
            .zip(&self.potentials)
            .map(|(c, v)| ((c.x, c.y), v.clone()))
            .collect()
    }
}
