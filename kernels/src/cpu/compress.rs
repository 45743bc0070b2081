//! Emissions out of lanes: which words of a block are not zero.
//!
//! In: words of consecutive units. Out: the units whose word is not zero, ascending, and their words where payloads are kept.

use super::isa::{Isa, Level, versions};
use super::lanes::Words;

/// Lanes that one mask covers, and masks that are made at once.
const CHUNK: usize = 32;
const MASKS: usize = 16;

/// Appends the lanes whose word is not zero, ascending and counted from `base`, to `lanes`; and their words to `payloads`
/// if there is such a list.
pub fn compress(
    isa: Isa,
    (words, n): (Words<'_>, usize),
    base: u32,
    lanes: &mut Vec<u32>,
    mut payloads: Option<&mut Vec<u32>>,
) {
    let v = match words {
        Words::One(0) => return,
        Words::One(x) => {
            lanes.extend(base..base + n as u32);
            if let Some(p) = payloads {
                p.resize(p.len() + n, x);
            }
            return;
        }
        Words::Many(v) => &v[..n],
    };
    let mut bits = [0u32; MASKS];
    let mut first = base;
    for block in v.chunks(MASKS * CHUNK) {
        if !masks(isa, block, &mut bits) {
            first += block.len() as u32;
            continue;
        }
        for (chunk, mask) in block.chunks(CHUNK).zip(bits) {
            let mut mask = mask;
            while mask != 0 {
                let i = mask.trailing_zeros();
                lanes.push(first + i);
                if let Some(p) = &mut payloads {
                    p.push(chunk[i as usize]);
                }
                mask &= mask - 1;
            }
            first += CHUNK as u32;
        }
    }
}

/// Bit `i` of mask `k` says whether word `CHUNK * k + i` is not zero. Are there any? If not, the masks are not all written.
#[allow(unsafe_code)]
fn masks(isa: Isa, words: &[u32], bits: &mut [u32; MASKS]) -> bool {
    match isa.0 {
        // SAFETY: an `Isa` of this level exists only if the machine reported its features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(words, bits) },
        _ => {
            let mut any = 0;
            union(isa, words, &mut any);
            if any != 0 {
                set(isa, words, bits);
            }
            any != 0
        }
    }
}

/// The compiler's version of the portable form shifts every lane's bit into place; here a comparison gives 16 of them.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(words: &[u32], bits: &mut [u32; MASKS]) -> bool {
    use core::arch::x86_64::*;
    let (whole, rest) = words.as_chunks::<CHUNK>();
    let mut any = 0;
    let nonzero = |half: &[u32]| {
        let mut lanes = [0u32; 16];
        lanes[..half.len()].copy_from_slice(half);
        let v: __m512i = bytemuck::cast(lanes);
        u32::from(_mm512_test_epi32_mask(v, v))
    };
    let both = |chunk: &[u32]| {
        let (low, high) = chunk.split_at(chunk.len().min(16));
        nonzero(low) | nonzero(high) << 16
    };
    for (chunk, mask) in whole.iter().zip(&mut *bits) {
        *mask = both(chunk);
        any |= *mask;
    }
    if let Some(mask) = bits.get_mut(whole.len()).filter(|_| !rest.is_empty()) {
        *mask = both(rest);
        any |= *mask;
    }
    any != 0
}

versions! {
    /// All bits that are set in any word.
    fn union[](words: &[u32], bits: &mut u32) {
        *bits = words.iter().fold(0, |a, w| a | w);
    }
}

versions! {
    /// Bit `i` of mask `k` says whether word `CHUNK * k + i` is not zero.
    fn set[](words: &[u32], bits: &mut [u32; MASKS]) {
        for (chunk, mask) in words.chunks(CHUNK).zip(bits) {
            *mask = 0;
            // A loop of constant length for whole chunks, which alone becomes vector code.
            if let Ok(all) = <&[u32; CHUNK]>::try_from(chunk) {
                for (i, &w) in all.iter().enumerate() {
                    *mask |= ((w != 0) as u32) << i;
                }
            } else {
                for (i, &w) in chunk.iter().enumerate() {
                    *mask |= ((w != 0) as u32) << i;
                }
            }
        }
    }
}
