//! Random words for lanes: the stream of `Op::Rand`, sixteen counters at a time.
//!
//! In: seed, sample, step, site and the global indices of units. Out: the words of [`synfire_ir::rng::word`], bit for bit.

use super::isa::{Isa, versions};
use super::kernel::Units;
use synfire_ir::rng;

/// What keys the random words of a group in a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noise {
    /// Seed of the program.
    pub seed: u64,
    /// Sample of the batch.
    pub sample: u32,
    /// Step.
    pub step: u32,
    /// Global index of the group's first unit.
    pub base: u32,
}

/// Counters in one pass; each gives four words.
const WIDE: usize = 16;

/// Fills the lanes with the words of `site`.
pub(crate) fn fill(isa: Isa, noise: &Noise, site: u16, units: Units<'_>, d: &mut [u32]) {
    let one = |unit: u32| {
        let element = noise.base.wrapping_add(unit);
        rng::word(
            noise.seed,
            rng::NOISE,
            site as u32,
            noise.sample,
            noise.step,
            element,
        )
    };
    match units {
        Units::These(list) => d.iter_mut().zip(list).for_each(|(d, &u)| *d = one(u)),
        Units::From(first) => {
            let element = noise.base.wrapping_add(first);
            // A run that wraps past the last element is never part of a checked program.
            sequence(isa, noise, site, element, d);
        }
    }
}

versions! {
    fn sequence[](noise: &Noise, site: u16, element: u32, d: &mut [u32]) {
        let key = [noise.seed as u32, (noise.seed >> 32) as u32];
        let fixed = [noise.step, noise.sample, rng::NOISE | (site as u32) << 8];
        let mut skip = (element % 4) as usize;
        let mut counter = element / 4;
        let mut rest = d;
        while !rest.is_empty() {
            let mut words = [0u32; 4 * WIDE];
            rounds(counter, fixed, key, &mut words);
            let n = rest.len().min(4 * WIDE - skip);
            let (now, later) = rest.split_at_mut(n);
            now.copy_from_slice(&words[skip..skip + n]);
            rest = later;
            counter = counter.wrapping_add(WIDE as u32);
            skip = 0;
        }
    }
}

/// Ten rounds of Philox4x32 on consecutive counters; the loops index four arrays at once so that they vectorise.
#[inline(always)]
#[allow(clippy::needless_range_loop)]
fn rounds(first: u32, fixed: [u32; 3], key: [u32; 2], out: &mut [u32; 4 * WIDE]) {
    let mut c = [[0u32; WIDE]; 4];
    for i in 0..WIDE {
        c[0][i] = first.wrapping_add(i as u32);
        (c[1][i], c[2][i], c[3][i]) = (fixed[0], fixed[1], fixed[2]);
    }
    let mut k = key;
    for _ in 0..10 {
        let mut next = [[0u32; WIDE]; 4];
        for i in 0..WIDE {
            let p0 = 0xD251_1F53u64 * c[0][i] as u64;
            let p1 = 0xCD9E_8D57u64 * c[2][i] as u64;
            next[0][i] = (p1 >> 32) as u32 ^ c[1][i] ^ k[0];
            next[1][i] = p1 as u32;
            next[2][i] = (p0 >> 32) as u32 ^ c[3][i] ^ k[1];
            next[3][i] = p0 as u32;
        }
        c = next;
        k = [
            k[0].wrapping_add(0x9E37_79B9),
            k[1].wrapping_add(0xBB67_AE85),
        ];
    }
    for (i, four) in out.chunks_exact_mut(4).enumerate() {
        four.copy_from_slice(&[c[0][i], c[1][i], c[2][i], c[3][i]]);
    }
}
