//! Rows of (place, 16-bit weight) one after another, and what rides on them.
//!
//! In: for each source its rows by ascending delay, each a head and blocks of words (place below, weight above). A spike
//! is a [`Rider`] that walks its source's rows, one a step. Out: sums in an accumulator of [`REACH`] words. Invariant:
//! riders are walked in the order in which they come, so that float sums have one order; places that fill up a block are
//! [`VOID`], which no sum that counts uses.
//!
//! Measured on 7,717 sources with 77 rows of 50 synapses each (266 riders a step, rows in memory): 1.4 G synapses a
//! second where rows that are found by a table and end in loops of single synapses reach 0.8. A row costs what two or
//! three mispredicted branches cost, so that there is one; rows of the next step are fetched while this step's are walked,
//! which is a sixth of it. A head says how long its row and the one after it are, so that nobody waits for a length.

use super::isa::{Isa, Level, versions};

/// Words of an accumulator: places are 16 bits.
pub const REACH: usize = 1 << 16;

/// The place of what fills up a block.
pub const VOID: u16 = u16::MAX;

/// Words of a block.
const BLOCK: usize = 8;

/// Most synapses of a row.
pub const LONGEST: usize = u16::MAX as usize;

/// A spike on the way through its source's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rider {
    /// Unit of the source group.
    pub source: u32,
    /// Step in which it was emitted.
    pub born: u32,
    /// Its next row.
    pub row: At,
    /// What weights are multiplied with: I32, or F32 bits.
    pub factor: u32,
}

/// Where a row begins, and its synapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    place: u32,
    len: u32,
}

/// Rows one after another.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    words: Vec<u32>,
}

impl Stream {
    /// Words that a row of `n` synapses takes.
    pub fn length(n: usize) -> usize {
        1 + n.next_multiple_of(BLOCK)
    }

    /// Empty rows of given lengths, none above [`LONGEST`].
    pub fn new(rows: impl Iterator<Item = usize> + Clone) -> Self {
        let mut words = Vec::with_capacity(rows.clone().map(Stream::length).sum());
        let after = rows.clone().skip(1).chain([0]);
        for (n, next) in rows.zip(after) {
            words.push(n as u32 | (next as u32) << 16);
            words.resize(words.len() + n.next_multiple_of(BLOCK), VOID as u32);
        }
        Stream { words }
    }

    /// Puts synapse `i` of the row that begins at `place`.
    pub fn put(&mut self, place: usize, i: usize, target: u16, weight: i16) {
        self.words[place + 1 + i] = target as u32 | (weight as u16 as u32) << 16;
    }

    /// The row that begins at `place`.
    pub fn row(&self, place: u32) -> At {
        let len = self.words[place as usize] & 0xffff;
        At { place, len }
    }

    /// The row after another.
    #[inline(always)]
    pub fn after(&self, row: At) -> At {
        let blocks = (row.len as usize).div_ceil(BLOCK);
        At {
            place: row.place + (1 + blocks * BLOCK) as u32,
            len: self.words[row.place as usize] >> 16,
        }
    }

    /// The blocks of a rider's row; the rider stands at the next row.
    #[inline(always)]
    fn walk(&self, rider: &mut Rider) -> &[[u32; BLOCK]] {
        let row = rider.row;
        rider.row = self.after(row);
        let blocks = (row.len as usize).div_ceil(BLOCK);
        &self.words[row.place as usize + 1..].as_chunks().0[..blocks]
    }
}

versions! {
    /// Adds `factor * weight` of the next row of each rider in turn to wrapping sums and moves the riders on; adds the
    /// synapses that were walked to `walked`.
    pub fn ride_integers[](stream: &Stream, acc: &mut [u32; REACH], riders: &mut [Rider], walked: &mut u64) {
        for rider in riders {
            *walked += rider.row.len as u64;
            let x = rider.factor;
            let row = stream.walk(rider);
            for (i, block) in row.iter().enumerate() {
                fetch(row, i);
                for w in block {
                    let a = &mut acc[*w as u16 as usize];
                    *a = a.wrapping_add(x.wrapping_mul((*w as i32 >> 16) as u32));
                }
            }
        }
    }
}

/// As [`ride_integers`] with sums of `factor * (weight * scale)`, rounded after each product and each sum.
#[allow(unsafe_code)]
pub fn ride_floats(
    isa: Isa,
    stream: &Stream,
    scale: f32,
    acc: &mut [u32; REACH],
    riders: &mut [Rider],
    walked: &mut u64,
) {
    match isa.0 {
        Level::Base => floats(stream, acc, riders, walked, |block, x| {
            block.map(|w| x * ((w as i32 >> 16) as f32 * scale))
        }),
        // SAFETY: an `Isa` above the baseline exists only if the machine reported its features, and these are of all levels
        // above it.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { avx2(stream, scale, acc, riders, walked) },
    }
}

/// The products are explicit: the compiler makes them one by one.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn avx2(
    stream: &Stream,
    scale: f32,
    acc: &mut [u32; REACH],
    riders: &mut [Rider],
    walked: &mut u64,
) {
    use core::arch::x86_64::*;
    floats(stream, acc, riders, walked, |block, x| {
        let words: __m256i = bytemuck::cast(*block);
        let weights = _mm256_cvtepi32_ps(_mm256_srai_epi32::<16>(words));
        let values = _mm256_mul_ps(weights, _mm256_set1_ps(scale));
        bytemuck::cast(_mm256_mul_ps(_mm256_set1_ps(x), values))
    });
}

#[inline(always)]
fn floats(
    stream: &Stream,
    acc: &mut [u32; REACH],
    riders: &mut [Rider],
    walked: &mut u64,
    products: impl Fn(&[u32; BLOCK], f32) -> [f32; BLOCK],
) {
    for rider in riders {
        *walked += rider.row.len as u64;
        let x = f32::from_bits(rider.factor);
        let row = stream.walk(rider);
        for (i, block) in row.iter().enumerate() {
            fetch(row, i);
            for (w, p) in block.iter().zip(products(block, x)) {
                let a = &mut acc[*w as u16 as usize];
                *a = (f32::from_bits(*a) + p).to_bits();
            }
        }
    }
}

/// Asks for what lies a row's length behind a block: much of the rider's next row.
#[inline(always)]
#[allow(unsafe_code, unused_variables)]
fn fetch(row: &[[u32; BLOCK]], i: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let behind = row.as_ptr().wrapping_add(row.len() + i);
        // SAFETY: a hint; the address is never read from, wherever it lies.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(behind.cast()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of a multiplicative generator.
    struct Words(u32);

    impl Words {
        fn below(&mut self, n: u32) -> u32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((self.0 as u64 * n as u64) >> 32) as u32
        }
    }

    /// Rows of (place, weight), the first and some others empty, with places that meet.
    fn rows(words: &mut Words) -> Vec<Vec<(u16, i16)>> {
        let row = |k: u32, words: &mut Words| {
            let n = if k == 0 { 0 } else { words.below(30) };
            (0..n)
                .map(|_| (words.below(40) as u16, words.below(1 << 16) as u16 as i16))
                .collect()
        };
        (0..20).map(|k| row(k, words)).collect()
    }

    /// Riders that start at some rows and walk all that follow, against sums of one synapse after another.
    #[test]
    fn sums_are_those_of_single_synapses() {
        let words = &mut Words(5);
        for _ in 0..20 {
            let rows = rows(words);
            let mut stream = Stream::new(rows.iter().map(Vec::len));
            let (mut at, mut begin) = (0, vec![]);
            for row in &rows {
                begin.push(at as u32);
                for (i, &(place, weight)) in row.iter().enumerate() {
                    stream.put(at, i, place, weight);
                }
                at += Stream::length(row.len());
            }
            let mut start = || (words.below(20) as usize, words.below(9) as i32 - 4);
            let starts = [start(), start(), start()];
            let scale = 0.37f32;
            let (mut whole, mut real, mut n) = ([0u32; 40], [0f32; 40], 0);
            for (step, &(first, x)) in (0..20).flat_map(|s| starts.iter().map(move |x| (s, x))) {
                for &(place, w) in rows.get(first + step).into_iter().flatten() {
                    let a = &mut whole[place as usize];
                    *a = a.wrapping_add((x * w as i32) as u32);
                    real[place as usize] += x as f32 * (w as f32 * scale);
                    n += 1;
                }
            }
            for (isa, float) in Isa::all().into_iter().flat_map(|i| [(i, false), (i, true)]) {
                let rider = |&(first, x): &(usize, i32)| Rider {
                    source: 0,
                    born: 0,
                    row: stream.row(begin[first]),
                    factor: if float {
                        (x as f32).to_bits()
                    } else {
                        x as u32
                    },
                };
                let mut riders = starts.each_ref().map(rider);
                let (mut acc, mut walked) = (Box::new([0u32; REACH]), 0);
                for step in 0..20 {
                    for (rider, _) in (riders.iter_mut().zip(starts)).filter(|r| r.1.0 + step < 20)
                    {
                        let one = std::slice::from_mut(rider);
                        match float {
                            true => ride_floats(isa, &stream, scale, &mut acc, one, &mut walked),
                            false => ride_integers(isa, &stream, &mut acc, one, &mut walked),
                        }
                    }
                }
                assert_eq!(walked, n);
                match float {
                    true => assert_eq!(acc[..40], real.map(f32::to_bits)),
                    false => assert_eq!(acc[..40], whole),
                }
            }
        }
    }
}
