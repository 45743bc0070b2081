//! Delivery: rows of synapses into accumulators.
//!
//! In: a row's targets and weights, or a dense row, and the payload of its event. Out: the accumulator, one more event
//! combined into each target. Invariant: events combine one after another in the order of the calls, so that float sums
//! have one order.

use super::isa::versions;
use std::ops::Range;

/// Weights of a row, in the order of its targets; integers widen to I32.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// One for all.
    Uniform(u32),
    /// 8 bits.
    I8(&'a [i8]),
    /// 16 bits.
    I16(&'a [i16]),
    /// 32 bits.
    I32(&'a [i32]),
    /// Single precision.
    F32(&'a [f32]),
    /// 16 bits at a float port, and what 1 is worth.
    Scaled(&'a [i16], f32),
}

/// How an arrival combines with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Wrapping sum of I32.
    AddI32,
    /// Sum of F32.
    AddF32,
    /// Larger of I32.
    MaxI32,
    /// Larger of F32.
    MaxF32,
}

impl Fold {
    /// Are values of this fold floats?
    pub fn is_float(self) -> bool {
        matches!(self, Fold::AddF32 | Fold::MaxF32)
    }

    /// The accumulator after an event of payload factor `x` over a weight `w`.
    #[inline]
    pub fn apply(self, acc: u32, x: u32, w: u32) -> u32 {
        self.one(acc, times(self.is_float(), x, w))
    }

    /// What an event of payload factor `x` over a weight `w` brings.
    #[inline]
    pub fn product(self, x: u32, w: u32) -> u32 {
        times(self.is_float(), x, w)
    }

    #[inline(always)]
    fn one(self, acc: u32, x: u32) -> u32 {
        let f = f32::from_bits;
        match self {
            Fold::AddI32 => acc.wrapping_add(x),
            Fold::AddF32 => (f(acc) + f(x)).to_bits(),
            Fold::MaxI32 => (acc as i32).max(x as i32) as u32,
            Fold::MaxF32 => f(acc).max(f(x)).to_bits(),
        }
    }
}

/// `payload * weight` of an integer or float port.
#[inline(always)]
fn times(float: bool, x: u32, w: u32) -> u32 {
    match float {
        true => (f32::from_bits(x) * f32::from_bits(w)).to_bits(),
        false => x.wrapping_mul(w),
    }
}

/// Runs `$go!(fold, weight of a synapse, its row)` for the kinds of fold and row at hand, each a loop of its own.
macro_rules! each_kind {
    ($fold:expr, $row:expr, $go:ident) => {
        match ($fold, $row) {
            (Fold::AddI32, Row::I8(w)) => $go!(Fold::AddI32, w, |w: &i8| *w as i32 as u32),
            (Fold::AddI32, Row::I16(w)) => $go!(Fold::AddI32, w, |w: &i16| *w as i32 as u32),
            (Fold::AddI32, Row::I32(w)) => $go!(Fold::AddI32, w, |w: &i32| *w as u32),
            (Fold::AddF32, Row::F32(w)) => $go!(Fold::AddF32, w, |w: &f32| w.to_bits()),
            (Fold::AddF32, Row::Scaled(w, scale)) => {
                $go!(Fold::AddF32, w, |w: &i16| (*w as f32 * scale).to_bits())
            }
            (Fold::MaxF32, Row::Scaled(w, scale)) => {
                $go!(Fold::MaxF32, w, |w: &i16| (*w as f32 * scale).to_bits())
            }
            (Fold::MaxI32, Row::I8(w)) => $go!(Fold::MaxI32, w, |w: &i8| *w as i32 as u32),
            (Fold::MaxI32, Row::I16(w)) => $go!(Fold::MaxI32, w, |w: &i16| *w as i32 as u32),
            (Fold::MaxI32, Row::I32(w)) => $go!(Fold::MaxI32, w, |w: &i32| *w as u32),
            (Fold::MaxF32, Row::F32(w)) => $go!(Fold::MaxF32, w, |w: &f32| w.to_bits()),
            // Weights have the type of their port, so that no other pair comes here.
            _ => {}
        }
    };
}

/// Reads one word of each cache line, so that rows that lie far away arrive together and not one after another: measured on
/// 40 rows of 100 bytes in a third-level cache, their delivery takes a third of the time.
pub fn touch<'a, T: bytemuck::NoUninit>(rows: impl Iterator<Item = &'a [T]>) {
    let sum = |row: &[T]| {
        let bytes: &[u8] = bytemuck::cast_slice(row);
        let lines = bytes.iter().step_by(64);
        lines.fold(0u32, |a, &x| a.wrapping_add(x.into()))
    };
    std::hint::black_box(rows.fold(0u32, |a, row| a.wrapping_add(sum(row))));
}

impl Row<'_> {
    /// [`touch`] for the weights of some ranges of synapses.
    pub fn touch(&self, ranges: impl Iterator<Item = Range<usize>>) {
        match self {
            Row::Uniform(_) => {}
            Row::I8(w) => touch(ranges.map(|r| &w[r])),
            Row::I16(w) | Row::Scaled(w, _) => touch(ranges.map(|r| &w[r])),
            Row::I32(w) => touch(ranges.map(|r| &w[r])),
            Row::F32(w) => touch(ranges.map(|r| &w[r])),
        }
    }
}

/// For each event (its row as a range of synapses, its payload) in turn, combines `payload * weight` into the row's
/// targets. `row` holds the weights of all synapses. Returns the number of synapses walked.
///
/// A target outside the accumulator, or a range outside the synapses, is a defect of the caller and panics.
pub fn scatter(
    fold: Fold,
    acc: &mut [u32],
    targets: &[u16],
    row: Row<'_>,
    events: impl Iterator<Item = (Range<usize>, u32)>,
) -> u64 {
    let mut walked = 0;
    macro_rules! uniform {
        ($fold:expr, $w:expr) => {
            for (range, x) in events {
                let v = times($fold.is_float(), x, $w);
                walked += range.len() as u64;
                for &t in &targets[range] {
                    let a = &mut acc[t as usize];
                    *a = $fold.one(*a, v);
                }
            }
        };
    }
    macro_rules! go {
        ($fold:expr, $w:expr, $bits:expr) => {
            for (range, x) in events {
                walked += range.len() as u64;
                for (&t, w) in targets[range.clone()].iter().zip(&$w[range]) {
                    let a = &mut acc[t as usize];
                    *a = $fold.one(*a, times($fold.is_float(), x, $bits(w)));
                }
            }
        };
    }
    match (fold, row) {
        (Fold::AddI32, Row::Uniform(w)) => uniform!(Fold::AddI32, w),
        (Fold::AddF32, Row::Uniform(w)) => uniform!(Fold::AddF32, w),
        (Fold::MaxI32, Row::Uniform(w)) => uniform!(Fold::MaxI32, w),
        (Fold::MaxF32, Row::Uniform(w)) => uniform!(Fold::MaxF32, w),
        _ => each_kind!(fold, row, go),
    }
    walked
}

versions! {
    /// Combines `x * weight` into consecutive targets: `acc[i]` with the weight `i` of the row.
    pub fn add_row[](fold: Fold, acc: &mut [u32], row: Row<'_>, x: u32) {
        if let Row::Uniform(w) = row {
            let v = times(fold.is_float(), x, w);
            match fold {
                Fold::AddI32 => acc.iter_mut().for_each(|a| *a = Fold::AddI32.one(*a, v)),
                Fold::AddF32 => acc.iter_mut().for_each(|a| *a = Fold::AddF32.one(*a, v)),
                Fold::MaxI32 => acc.iter_mut().for_each(|a| *a = Fold::MaxI32.one(*a, v)),
                Fold::MaxF32 => acc.iter_mut().for_each(|a| *a = Fold::MaxF32.one(*a, v)),
            }
            return;
        }
        macro_rules! go {
            ($fold:expr, $w:expr, $bits:expr) => {
                for (a, w) in acc.iter_mut().zip($w) {
                    *a = $fold.one(*a, times($fold.is_float(), x, $bits(w)));
                }
            };
        }
        each_kind!(fold, row, go);
    }
}

/// Accumulators that stay in registers while a value is added to them many times.
const HELD: usize = 64;

versions! {
    /// Combines `v` into consecutive targets `n` times over, one time after another.
    pub fn add_repeated[](fold: Fold, acc: &mut [u32], v: u32, n: u32) {
        match fold {
            Fold::AddI32 => {
                let v = v.wrapping_mul(n);
                acc.iter_mut().for_each(|a| *a = Fold::AddI32.one(*a, v));
            }
            Fold::AddF32 => {
                let v = f32::from_bits(v);
                let mut blocks = acc.chunks_exact_mut(HELD);
                for block in &mut blocks {
                    let mut held = [0f32; HELD];
                    held.iter_mut().zip(&*block).for_each(|(h, a)| *h = f32::from_bits(*a));
                    for _ in 0..n {
                        held.iter_mut().for_each(|h| *h += v);
                    }
                    block.iter_mut().zip(held).for_each(|(a, h)| *a = h.to_bits());
                }
                for a in blocks.into_remainder() {
                    let sum = (0..n).fold(f32::from_bits(*a), |h, _| h + v);
                    *a = sum.to_bits();
                }
            }
            _ if n == 0 => {}
            Fold::MaxI32 => acc.iter_mut().for_each(|a| *a = Fold::MaxI32.one(*a, v)),
            Fold::MaxF32 => acc.iter_mut().for_each(|a| *a = Fold::MaxF32.one(*a, v)),
        }
    }
}

/// A stretch of consecutive targets that an event reaches: number of its run, places, first target, payload factor.
pub type Stretch = (usize, Range<usize>, usize, u32);

versions! {
    /// For each stretch in turn, adds `payload * weight` to consecutive targets of a wrapping sum; a weight a place.
    pub fn add_bytes[I: Iterator<Item = Stretch>](acc: &mut [u32], weights: &[i8], stretches: I) {
        for (_, places, first, x) in stretches {
            // The last places of a stretch may lie beyond the last target.
            for (a, &w) in acc[first..].iter_mut().zip(&weights[places]) {
                *a = a.wrapping_add(x.wrapping_mul(w as i32 as u32));
            }
        }
    }
}

/// Places of a word of bits.
const BITS: usize = 32;

versions! {
    /// For each stretch in turn, adds `payload * weight of the run` to those of consecutive targets whose bit is set, 32
    /// places a word (the first of `bits`; the other has the weights of runs); stretches begin and end at words.
    pub fn add_bits[I: Iterator<Item = Stretch>](
        fold: Fold,
        acc: &mut [u32],
        bits: (&[u32], &[u32]),
        stretches: I,
    ) {
        let (words, weight) = bits;
        for (run, places, first, x) in stretches {
            let v = times(fold.is_float(), x, weight[run]);
            let words = &words[places.start / BITS..places.end / BITS];
            for (acc, &bits) in acc[first..].chunks_mut(BITS).zip(words) {
                // A loop of constant length for whole words, which alone becomes vector code.
                match (<&mut [u32; BITS]>::try_from(&mut *acc), fold.is_float()) {
                    (Ok(acc), false) => {
                        for (i, a) in acc.iter_mut().enumerate() {
                            *a = if bits >> i & 1 != 0 { a.wrapping_add(v) } else { *a };
                        }
                    }
                    (Ok(acc), true) => {
                        for (i, a) in acc.iter_mut().enumerate() {
                            *a = if bits >> i & 1 != 0 { Fold::AddF32.one(*a, v) } else { *a };
                        }
                    }
                    (Err(_), _) => {
                        for (i, a) in acc.iter_mut().enumerate() {
                            *a = if bits >> i & 1 != 0 { fold.one(*a, v) } else { *a };
                        }
                    }
                }
            }
        }
    }
}

versions! {
    /// Combines `x[i] * weight` of unit `i` into target `i`.
    pub fn add_pairs[](fold: Fold, acc: &mut [u32], row: Row<'_>, x: &[u32]) {
        if let Row::Uniform(w) = row {
            let each = acc.iter_mut().zip(x);
            match fold {
                Fold::AddI32 => each.for_each(|(a, &x)| *a = Fold::AddI32.one(*a, times(false, x, w))),
                Fold::AddF32 => each.for_each(|(a, &x)| *a = Fold::AddF32.one(*a, times(true, x, w))),
                Fold::MaxI32 => each.for_each(|(a, &x)| *a = Fold::MaxI32.one(*a, times(false, x, w))),
                Fold::MaxF32 => each.for_each(|(a, &x)| *a = Fold::MaxF32.one(*a, times(true, x, w))),
            }
            return;
        }
        macro_rules! go {
            ($fold:expr, $w:expr, $bits:expr) => {
                for ((a, &x), w) in acc.iter_mut().zip(x).zip($w) {
                    *a = $fold.one(*a, times($fold.is_float(), x, $bits(w)));
                }
            };
        }
        each_kind!(fold, row, go);
    }
}

versions! {
    /// As [`add_pairs`] for emissions, none where `x[i]` is 0. `convert`: integers at a float port.
    pub fn add_emitted[](fold: Fold, convert: bool, acc: &mut [u32], row: Row<'_>, x: &[u32]) {
        let factor = |x: u32| if convert { (x as i32 as f32).to_bits() } else { x };
        macro_rules! each {
            ($fold:expr, $pairs:expr, $w:expr) => {
                for ((a, &x), w) in $pairs {
                    let next = $fold.one(*a, times($fold.is_float(), factor(x), $w(w)));
                    *a = if x != 0 { next } else { *a };
                }
            };
        }
        if let Row::Uniform(w) = row {
            let pairs = acc.iter_mut().zip(x).zip(std::iter::repeat(w));
            match fold {
                Fold::AddI32 => each!(Fold::AddI32, pairs, |w: u32| w),
                Fold::AddF32 => each!(Fold::AddF32, pairs, |w: u32| w),
                Fold::MaxI32 => each!(Fold::MaxI32, pairs, |w: u32| w),
                Fold::MaxF32 => each!(Fold::MaxF32, pairs, |w: u32| w),
            }
            return;
        }
        macro_rules! go {
            ($fold:expr, $w:expr, $bits:expr) => {
                each!($fold, acc.iter_mut().zip(x).zip($w), $bits)
            };
        }
        each_kind!(fold, row, go);
    }
}

versions! {
    /// Adds to `n` how many words are not zero.
    pub fn count_nonzero[](words: &[u32], n: &mut u64) {
        for block in words.chunks(1024) {
            *n += block.iter().map(|&w| (w != 0) as u32).sum::<u32>() as u64;
        }
    }
}

versions! {
    /// `d[i] = x * weight i`: the values that a row's event has for a handler.
    pub fn weigh[](float: bool, d: &mut [u32], row: Row<'_>, x: u32) {
        match row {
            Row::Uniform(w) => d.fill(times(float, x, w)),
            Row::I8(w) => d.iter_mut().zip(w).for_each(|(d, &w)| *d = times(false, x, w as i32 as u32)),
            Row::I16(w) => d.iter_mut().zip(w).for_each(|(d, &w)| *d = times(false, x, w as i32 as u32)),
            Row::I32(w) => d.iter_mut().zip(w).for_each(|(d, &w)| *d = times(false, x, w as u32)),
            Row::F32(w) => d.iter_mut().zip(w).for_each(|(d, &w)| *d = times(true, x, w.to_bits())),
            Row::Scaled(w, scale) => d
                .iter_mut()
                .zip(w)
                .for_each(|(d, &w)| *d = times(true, x, (w as f32 * scale).to_bits())),
        }
    }
}

/// The largest of so many signed bits.
#[inline(always)]
fn top(bits: u8) -> i32 {
    ((1i64 << (bits.clamp(1, 32) - 1)) - 1) as i32
}

/// Adds `x * weight` to each target of a row in turn and keeps each sum within `bits` signed bits. The targets differ.
///
/// A target outside the accumulator is a defect of the caller and panics.
pub fn saturate(acc: &mut [u32], targets: &[u16], row: Row<'_>, x: u32, bits: u8) {
    let top = top(bits);
    let one = |a: &mut u32, v: u32| {
        *a = (a.wrapping_add(v) as i32).clamp(-top - 1, top) as u32;
    };
    macro_rules! go {
        ($fold:expr, $w:expr, $bits:expr) => {
            for (&t, w) in targets.iter().zip($w) {
                one(&mut acc[t as usize], times(false, x, $bits(w)));
            }
        };
    }
    match row {
        Row::Uniform(w) => {
            let v = times(false, x, w);
            targets.iter().for_each(|&t| one(&mut acc[t as usize], v));
        }
        row => each_kind!(Fold::AddI32, row, go),
    }
}

versions! {
    /// As [`saturate`] for consecutive targets: `acc[i]` with the weight `i` of the row.
    pub fn saturate_row[](acc: &mut [u32], row: Row<'_>, x: u32, bits: u8) {
        let top = top(bits);
        let one = |a: u32, v: u32| (a.wrapping_add(v) as i32).clamp(-top - 1, top) as u32;
        macro_rules! go {
            ($fold:expr, $w:expr, $bits:expr) => {
                for (a, w) in acc.iter_mut().zip($w) {
                    *a = one(*a, times(false, x, $bits(w)));
                }
            };
        }
        match row {
            Row::Uniform(w) => {
                let v = times(false, x, w);
                acc.iter_mut().for_each(|a| *a = one(*a, v));
            }
            row => each_kind!(Fold::AddI32, row, go),
        }
    }
}
