//! Random words for lanes: the stream of `Op::Rand`, eight counters at a time.
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

/// Counters in one pass; each gives four words. Their state must fit the vector registers: measured with 512-bit vectors,
/// twice as many take twice as long.
const WIDE: usize = 8;

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
            let mut pairs = [0u64; 2 * WIDE];
            rounds(counter, fixed, key, &mut pairs);
            let words: [u32; 4 * WIDE] = bytemuck::cast(pairs);
            let n = rest.len().min(4 * WIDE - skip);
            let (now, later) = rest.split_at_mut(n);
            let all = now.iter_mut().zip(&words[skip..skip + n]);
            all.for_each(|(d, w)| *d = u32::from_le(*w));
            rest = later;
            counter = counter.wrapping_add(WIDE as u32);
            skip = 0;
        }
    }
}

/// Ten rounds of Philox4x32 on consecutive counters, the words of each as two little-endian pairs.
///
/// Each word has a lane of 64 bits, so that a product stands where its halves are used; what lies above a word is never
/// looked at.
#[inline(always)]
fn rounds(first: u32, fixed: [u32; 3], key: [u32; 2], out: &mut [u64; 2 * WIDE]) {
    use std::array::from_fn;
    const LOW: u64 = 0xffff_ffff;
    type Lanes = [u64; WIDE];
    let mut a: Lanes = from_fn(|i| first.wrapping_add(i as u32) as u64);
    let [mut b, mut c, mut d]: [Lanes; 3] = fixed.map(|x| [x as u64; WIDE]);
    let mut k = key;
    for _ in 0..10 {
        let p: Lanes = from_fn(|i| 0xD251_1F53 * (a[i] & LOW));
        let q: Lanes = from_fn(|i| 0xCD9E_8D57 * (c[i] & LOW));
        a = from_fn(|i| (q[i] >> 32) ^ b[i] ^ k[0] as u64);
        c = from_fn(|i| (p[i] >> 32) ^ d[i] ^ k[1] as u64);
        (b, d) = (q, p);
        k = [
            k[0].wrapping_add(0x9E37_79B9),
            k[1].wrapping_add(0xBB67_AE85),
        ];
    }
    for i in 0..WIDE {
        out[2 * i] = ((a[i] & LOW) | b[i] << 32).to_le();
        out[2 * i + 1] = ((c[i] & LOW) | d[i] << 32).to_le();
    }
}
