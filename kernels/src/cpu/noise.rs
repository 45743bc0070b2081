//! Random words for lanes: the stream of `Op::Rand`, eight counters at a time.
//!
//! In: seed, sample, step, site and the global indices of units. Out: the words of [`synfire_ir::rng::word`], bit for bit.

use super::isa::{Isa, Level};
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

/// Words of one pass.
type Pass = [u32; 4 * WIDE];

#[allow(unsafe_code)]
fn sequence(isa: Isa, noise: &Noise, site: u16, element: u32, d: &mut [u32]) {
    let key = [noise.seed as u32, (noise.seed >> 32) as u32];
    let fixed = [noise.step, noise.sample, rng::NOISE | (site as u32) << 8];
    match isa.0 {
        // SAFETY: an `Isa` of this level exists only if the machine reported its features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512::sequence(fixed, key, element, d) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { avx2(fixed, key, element, d) },
        Level::Base => spread(element, d, |c| portable(c, fixed, key)),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn avx2(fixed: [u32; 3], key: [u32; 2], element: u32, d: &mut [u32]) {
    spread(element, d, |c| portable(c, fixed, key));
}

/// Puts the words of the elements from `element` on into the lanes; `pass` gives those of [`WIDE`] counters.
#[inline(always)]
fn spread(element: u32, d: &mut [u32], pass: impl Fn(u32) -> Pass) {
    let mut counter = element / 4;
    let skip = (element % 4) as usize;
    let mut rest = d;
    if skip > 0 && !rest.is_empty() {
        let words = pass(counter);
        let (now, later) = rest.split_at_mut(rest.len().min(words.len() - skip));
        now.copy_from_slice(&words[skip..skip + now.len()]);
        rest = later;
        counter = counter.wrapping_add(WIDE as u32);
    }
    let (whole, tail) = rest.as_chunks_mut();
    for d in whole {
        *d = pass(counter);
        counter = counter.wrapping_add(WIDE as u32);
    }
    if !tail.is_empty() {
        tail.copy_from_slice(&pass(counter)[..tail.len()]);
    }
}

#[inline(always)]
fn portable(counter: u32, fixed: [u32; 3], key: [u32; 2]) -> Pass {
    let mut pairs = [0u64; 2 * WIDE];
    rounds(counter, fixed, key, &mut pairs);
    bytemuck::cast::<_, Pass>(pairs).map(u32::from_le)
}

/// The same with explicit instructions: the compiler's version of the portable form shuffles words between the rounds and
/// takes half as long again.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{Pass, WIDE, spread};
    use core::arch::x86_64::*;

    #[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn sequence(fixed: [u32; 3], key: [u32; 2], element: u32, d: &mut [u32]) {
        spread(element, d, |c| pass(c, fixed, key));
    }

    /// As [`super::rounds`], a word in the low half of each lane; what lies above it is never looked at.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,avx512f,avx512bw,avx512dq,avx512vl")]
    fn pass(first: u32, fixed: [u32; 3], key: [u32; 2]) -> Pass {
        let wide = |x: u32| _mm512_set1_epi64(x as i64);
        let counters: [u64; WIDE] = std::array::from_fn(|i| first.wrapping_add(i as u32) as u64);
        let mut a: __m512i = bytemuck::cast(counters);
        let [mut b, mut c, mut d] = fixed.map(wide);
        let (m, n) = (wide(0xD251_1F53), wide(0xCD9E_8D57));
        let mut k = key;
        for _ in 0..10 {
            let (p, q) = (_mm512_mul_epu32(a, m), _mm512_mul_epu32(c, n));
            let (high_p, high_q) = (_mm512_srli_epi64::<32>(p), _mm512_srli_epi64::<32>(q));
            a = _mm512_ternarylogic_epi64::<0x96>(high_q, b, wide(k[0]));
            c = _mm512_ternarylogic_epi64::<0x96>(high_p, d, wide(k[1]));
            (b, d) = (q, p);
            k = [
                k[0].wrapping_add(0x9E37_79B9),
                k[1].wrapping_add(0xBB67_AE85),
            ];
        }
        // Pairs (a, b) and (c, d) of each counter, then both of one counter side by side.
        let ab = _mm512_mask_blend_epi32(0xaaaa, a, _mm512_slli_epi64::<32>(b));
        let cd = _mm512_mask_blend_epi32(0xaaaa, c, _mm512_slli_epi64::<32>(d));
        let low = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0);
        let high = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
        let out = [
            _mm512_permutex2var_epi64(ab, low, cd),
            _mm512_permutex2var_epi64(ab, high, cd),
        ];
        bytemuck::cast(out)
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
