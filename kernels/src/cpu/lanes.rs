//! Loops over lanes: one operand, two or three, each a vector or one word for all lanes.
//!
//! In: operands of the length of the destination, or broadcast words. Out: the destination, written whole.
//! Invariant: lanes are independent, so that the result does not depend on how a group is cut into blocks.

use super::isa::versions;

/// An operand: one word a lane, or one for all.
#[derive(Clone, Copy, Debug)]
pub enum Words<'a> {
    /// The same in every lane.
    One(u32),
    /// One each.
    Many(&'a [u32]),
}

impl Words<'_> {
    /// The word of a lane.
    pub fn get(&self, lane: usize) -> u32 {
        match self {
            Words::One(x) => *x,
            Words::Many(v) => v[lane],
        }
    }
}

versions! {
    /// `d = f(a)`.
    pub(crate) fn map1[F: Fn(u32) -> u32](d: &mut [u32], a: Words<'_>, f: F) {
        match a {
            Words::One(a) => d.fill(f(a)),
            Words::Many(a) => d.iter_mut().zip(a).for_each(|(d, &a)| *d = f(a)),
        }
    }
}

versions! {
    /// `d = f(a, b)`.
    pub(crate) fn map2[F: Fn(u32, u32) -> u32](d: &mut [u32], a: Words<'_>, b: Words<'_>, f: F) {
        match (a, b) {
            (Words::One(a), Words::One(b)) => d.fill(f(a, b)),
            (Words::Many(a), Words::One(b)) => d.iter_mut().zip(a).for_each(|(d, &a)| *d = f(a, b)),
            (Words::One(a), Words::Many(b)) => d.iter_mut().zip(b).for_each(|(d, &b)| *d = f(a, b)),
            (Words::Many(a), Words::Many(b)) => {
                d.iter_mut().zip(a).zip(b).for_each(|((d, &a), &b)| *d = f(a, b))
            }
        }
    }
}

versions! {
    /// `d = if c { a } else { b }`.
    pub(crate) fn select[](d: &mut [u32], c: &[u32], a: Words<'_>, b: Words<'_>) {
        // By bits: a choice between two places in memory would become a gather.
        let pick = |c: u32, a: u32, b: u32| {
            let mask = ((c != 0) as u32).wrapping_neg();
            (a & mask) | (b & !mask)
        };
        let each = d.iter_mut().zip(c);
        match (a, b) {
            (Words::One(a), Words::One(b)) => each.for_each(|(d, &c)| *d = pick(c, a, b)),
            (Words::Many(a), Words::One(b)) => {
                each.zip(a).for_each(|((d, &c), &a)| *d = pick(c, a, b))
            }
            (Words::One(a), Words::Many(b)) => {
                each.zip(b).for_each(|((d, &c), &b)| *d = pick(c, a, b))
            }
            (Words::Many(a), Words::Many(b)) => {
                each.zip(a).zip(b).for_each(|(((d, &c), &a), &b)| *d = pick(c, a, b))
            }
        }
    }
}

/// Lanes that [`count`] keeps in vector registers, and thresholds between two looks whether any lane is left.
const WIDE: usize = 64;
const LOOK: usize = 4;

versions! {
    /// `d` = how many of the thresholds `t` fulfil `f(a, t)`. With `falling`, a lane that fails a threshold fails all later
    /// ones.
    pub(crate) fn count[F: Fn(u32, u32) -> bool](
        d: &mut [u32],
        a: &[u32],
        thresholds: &[u32],
        falling: bool,
        f: F,
    ) {
        let mut blocks = d.chunks_exact_mut(WIDE);
        let mut from = a.chunks_exact(WIDE);
        for (d, a) in (&mut blocks).zip(&mut from) {
            let mut c = [0u32; WIDE];
            for few in thresholds.chunks(LOOK) {
                for &t in few {
                    for i in 0..WIDE {
                        c[i] += f(a[i], t) as u32;
                    }
                }
                let last = few[few.len() - 1];
                if falling && a.iter().map(|&a| f(a, last) as u32).sum::<u32>() == 0 {
                    break;
                }
            }
            d.copy_from_slice(&c);
        }
        for (d, &a) in blocks.into_remainder().iter_mut().zip(from.remainder()) {
            *d = thresholds.iter().map(|&t| f(a, t) as u32).sum();
        }
    }
}
