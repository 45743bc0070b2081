//! Widths of the fields of a CSRAM line, for encoder and decoder alike.
//!
//! A line holds, first the leftmost: connections (last axon first), potential, reset potential, four weights, leak, positive and negative threshold,
//! reset mode, dx, dy, axon, tick. 368 bits at 256 axons and 9-bit registers.

use super::{Config, NUM_TICKS, NUM_WEIGHTS};

/// Widths in bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub connections: usize,
    pub potential: u32,
    pub weight: u32,
    pub leak: u32,
    pub threshold: u32,
    pub reset_mode: u32,
    pub dx: u32,
    pub dy: u32,
    pub axon: u32,
    pub tick: u32,
}

impl Fields {
    /// Those of a configuration. Widths are taken as 1..=32 whatever it says, so that shifts stay defined before it was validated.
    pub fn of(config: &Config) -> Fields {
        let w = &config.widths;
        let bits = |b: u8| u32::from(b.clamp(1, 32));
        Fields {
            connections: config.num_axons.into(),
            potential: bits(w.potential),
            weight: bits(w.weight),
            leak: bits(w.leak),
            threshold: bits(w.threshold),
            reset_mode: 1,
            dx: bits(w.dx).min(16),
            dy: bits(w.dy).min(16),
            axon: log2_up(config.num_axons.into()).max(1),
            tick: log2_up(NUM_TICKS.into()),
        }
    }

    /// Characters of a line.
    pub fn line(&self) -> usize {
        let registers = 2 * self.potential
            + NUM_WEIGHTS as u32 * self.weight
            + self.leak
            + 2 * self.threshold
            + self.reset_mode
            + self.packet();
        self.connections + registers as usize
    }

    /// Bits of a packet.
    pub fn packet(&self) -> u32 {
        self.dx + self.dy + self.axon + self.tick
    }
}

/// Bits that number `n` things.
pub(super) fn log2_up(n: u32) -> u32 {
    n.max(1).next_power_of_two().trailing_zeros()
}

/// Smallest and largest value of `bits` signed bits (1..=32).
pub(super) fn signed_range(bits: u32) -> (i64, i64) {
    let top = 1i64 << (bits.clamp(1, 32) - 1);
    (-top, top - 1)
}
