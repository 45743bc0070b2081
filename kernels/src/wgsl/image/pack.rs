//! Weights and targets packed into words.

use crate::wgsl::shape::{WEIGHT_32, WEIGHT_I8, WEIGHT_I16, WEIGHT_ONE};
use synfire_ir::program::Weights;

/// Kind of weights, and how many of them a word holds.
pub fn weight_kind(w: &Weights) -> (u32, u64) {
    match w {
        Weights::Uniform(_) => (WEIGHT_ONE, u64::MAX),
        Weights::I8(_) => (WEIGHT_I8, 4),
        Weights::I16(_) => (WEIGHT_I16, 2),
        Weights::I32(_) | Weights::F32(_) => (WEIGHT_32, 1),
    }
}

/// Words that `n` weights take.
pub fn weight_words(w: &Weights, n: u64) -> u64 {
    match weight_kind(w) {
        (WEIGHT_ONE, _) => 0,
        (_, per) => n.div_ceil(per),
    }
}

/// Appends weights `from..to` and gives the index of the first, in units of its width; one weight for all is its own index.
pub fn push_weights(out: &mut Vec<u32>, w: &Weights, from: usize, to: usize) -> u32 {
    let at = out.len() as u32;
    match w {
        Weights::Uniform(bits) => return *bits,
        Weights::I8(v) => {
            out.extend(
                v[from..to]
                    .chunks(4)
                    .map(|c| pack(c.iter().map(|&x| x as u8 as u32), 8)),
            );
            return at * 4;
        }
        Weights::I16(v) => {
            out.extend(
                v[from..to]
                    .chunks(2)
                    .map(|c| pack(c.iter().map(|&x| x as u16 as u32), 16)),
            );
            return at * 2;
        }
        Weights::I32(v) => out.extend(v[from..to].iter().map(|&x| x as u32)),
        Weights::F32(v) => out.extend(v[from..to].iter().map(|x| x.to_bits())),
    }
    at
}

/// Appends 16-bit targets and gives the index of the first, in half words.
pub fn push_u16(out: &mut Vec<u32>, targets: &[u32]) -> u32 {
    let at = out.len() as u32 * 2;
    out.extend(targets.chunks(2).map(|c| pack(c.iter().copied(), 16)));
    at
}

fn pack(parts: impl Iterator<Item = u32>, bits: u32) -> u32 {
    parts
        .enumerate()
        .fold(0, |w, (i, x)| w | x << (i as u32 * bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_values_keep_their_place() {
        let mut out = vec![7];
        let w = Weights::I8(vec![1, -2, 3, -4, 5].into());
        assert_eq!(push_weights(&mut out, &w, 1, 5), 4);
        assert_eq!(out, [7, 0x05fc_03fe]);
        assert_eq!(push_u16(&mut out, &[1, 65535, 2]), 4);
        assert_eq!(out, [7, 0x05fc_03fe, 0xffff_0001, 2]);
        assert_eq!(push_weights(&mut out, &Weights::Uniform(9), 0, 100), 9);
        assert_eq!(out.len(), 4);
    }
}
