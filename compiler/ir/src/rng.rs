//! Random numbers: Philox4x32-10 (Salmon et al., SC 2011, doi 10.1145/2063384.2063405), keyed by (seed, stream, index),
//! never by thread or slice.
//!
//! Counter = (element / 4, step, sample, stream | site << 8), key = the 64-bit seed; word `element mod 4` of the output
//! belongs to the element. `element` is the global index of a unit (its group's `base` plus its own index), or whatever
//! the stream numbers its draws by.

/// Build-time wiring.
pub const WIRING: u32 = 1;
/// Weights and other synaptic distributions.
pub const WEIGHTS: u32 = 2;
/// External drive.
pub const DRIVE: u32 = 3;
/// Noise drawn by a unit's step code (`Op::Rand`).
pub const NOISE: u32 = 4;
/// Plasticity.
pub const PLASTICITY: u32 = 5;
/// Initial states and per-unit parameters.
pub const INITIAL: u32 = 9;

/// Ten rounds of Philox4x32.
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..10 {
        let p0 = 0xD251_1F53u64 * c[0] as u64;
        let p1 = 0xCD9E_8D57u64 * c[2] as u64;
        c = [
            (p1 >> 32) as u32 ^ c[1] ^ k[0],
            p1 as u32,
            (p0 >> 32) as u32 ^ c[3] ^ k[1],
            p0 as u32,
        ];
        k = [
            k[0].wrapping_add(0x9E37_79B9),
            k[1].wrapping_add(0xBB67_AE85),
        ];
    }
    c
}

/// The word of `element` in (`step`, `sample`, `stream`, `site`).
pub fn word(seed: u64, stream: u32, site: u32, sample: u32, step: u32, element: u32) -> u32 {
    let counter = [element / 4, step, sample, stream | site << 8];
    philox(counter, [seed as u32, (seed >> 32) as u32])[(element % 4) as usize]
}

/// A sequence of words for build-time draws: the `n`-th word of (`stream`, `key`, `item`), where `key` names what is
/// drawn (see [`name_key`]) and `item` is the global element that owns the sequence, e.g. a target neuron.
#[derive(Clone, Debug)]
pub struct Draws {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    at: usize,
}

impl Draws {
    /// The sequence of `item` under (`seed`, `stream`, `key`).
    pub fn new(seed: u64, stream: u32, key: u64, item: u32) -> Self {
        let mixed = seed ^ key.rotate_left(17).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let counter = [0, item, (key >> 32) as u32 ^ key as u32, stream];
        Draws {
            key: [mixed as u32, (mixed >> 32) as u32],
            counter,
            block: [0; 4],
            at: 4,
        }
    }

    /// The next word.
    pub fn next_u32(&mut self) -> u32 {
        if self.at == 4 {
            self.block = philox(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.at = 0;
        }
        self.at += 1;
        self.block[self.at - 1]
    }

    /// Uniform in [0, 1) with 53 bits.
    pub fn unit(&mut self) -> f64 {
        let (hi, lo) = (self.next_u32() as u64, self.next_u32() as u64);
        ((hi << 32 | lo) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in `0..n` (n > 0), by the high half of a 64-bit product.
    pub fn below(&mut self, n: u32) -> u32 {
        ((self.next_u32() as u64 * n as u64) >> 32) as u32
    }

    /// Standard normal (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// A stable 64-bit key of a name (FNV-1a), so that adding a population changes no other draw.
pub fn name_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ b as u64).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn random123_vectors() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox([!0; 4], [!0; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        let c = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        assert_eq!(
            philox(c, [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }
}
