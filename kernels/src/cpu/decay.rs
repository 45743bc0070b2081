//! States that fall towards a rest between events, read many at a time: the vector form of [`synfire_ir::eval::decayed`].
//!
//! In: words as last stored, and how many steps ago. Out: the words of the present, equal bit for bit. The factors of the
//! two lowest bytes of a number of steps come from tables whose entry for 0 is the neutral one, so that no step branches.

use super::isa::{Isa, versions};
use synfire_ir::eval::{Powers, decayed};
use synfire_ir::model::Ty;
use synfire_ir::synapse::Decay;

/// A decay, ready for vectors.
#[derive(Clone, Debug)]
pub struct Fall {
    powers: Powers,
    rest: u32,
    /// The two lowest bytes.
    low: [[u32; 256]; 2],
}

/// Steps that the two lowest bytes count.
const SHORT: u32 = 1 << 16;

impl Fall {
    /// The fall of a state of type `ty`, F32 or I32.
    pub fn new(decay: Decay, ty: Ty) -> Self {
        let powers = Powers::new(decay.factor, ty);
        let mut low = [powers.words[0], powers.words[1]];
        for table in &mut low {
            table[0] = match ty {
                Ty::F32 => 1.0f32.to_bits(),
                _ => 1 << 31,
            };
        }
        Fall {
            powers,
            rest: decay.rest,
            low,
        }
    }

    /// A word `steps` steps later.
    pub fn one(&self, word: u32, steps: u32) -> u32 {
        decayed(word, self.rest, &self.powers, steps)
    }

    /// `out[i]` = `words[i]`, last stored in step `stamps[i]`, in step `now`.
    pub fn each(&self, isa: Isa, words: &[u32], stamps: &[u32], now: u32, out: &mut [u32]) {
        let oldest = stamps.iter().copied().min().unwrap_or(now);
        if now.wrapping_sub(oldest) >= SHORT {
            for ((d, &w), &s) in out.iter_mut().zip(words).zip(stamps) {
                *d = self.one(w, now.wrapping_sub(s));
            }
            return;
        }
        let [a, b] = &self.low;
        match self.powers.ty {
            Ty::F32 => each_f32(
                isa,
                words,
                stamps,
                now,
                f32::from_bits(self.rest),
                a,
                b,
                out,
            ),
            _ => each_i32(isa, words, stamps, now, self.rest, a, b, out),
        }
    }

    /// `out[i]` = a word `first + i` steps later.
    pub fn along(&self, isa: Isa, word: u32, first: u32, out: &mut [u32]) {
        let mut rest = out;
        let mut steps = first;
        while !rest.is_empty() {
            let low = (steps & 255) as usize;
            let (now, later) = rest.split_at_mut(rest.len().min(256 - low));
            let factors = &self.low[0][low..low + now.len()];
            let mut high = [0; 3];
            let bytes = steps.to_le_bytes();
            for (k, slot) in (1..4).zip(&mut high) {
                *slot = match bytes[k] {
                    0 => self.low[0][0],
                    b => self.powers.words[k][b as usize],
                };
            }
            match self.powers.ty {
                Ty::F32 => along_f32(isa, word, f32::from_bits(self.rest), factors, high, now),
                _ => along_i32(isa, word, self.rest, factors, high, now),
            }
            if steps == 0 {
                now[0] = word;
            }
            steps = steps.wrapping_add(now.len() as u32);
            rest = later;
        }
    }
}

fn f(x: u32) -> f32 {
    f32::from_bits(x)
}

/// `x * p / 2^31` toward zero, for p up to 2^31.
#[inline(always)]
fn times(x: u32, p: u32) -> u32 {
    let w = x as i32 as i64 * p as i64;
    ((w + ((w >> 63) & 0x7fff_ffff)) >> 31) as u32
}

versions! {
    fn each_f32[](
        words: &[u32],
        stamps: &[u32],
        now: u32,
        rest: f32,
        low: &[u32; 256],
        high: &[u32; 256],
        out: &mut [u32],
    ) {
        for ((d, &w), &s) in out.iter_mut().zip(words).zip(stamps) {
            let n = now.wrapping_sub(s);
            let x = (f(w) - rest) * f(low[(n & 255) as usize]) * f(high[(n >> 8 & 255) as usize]);
            *d = if n == 0 { w } else { (rest + x).to_bits() };
        }
    }
}

versions! {
    fn each_i32[](
        words: &[u32],
        stamps: &[u32],
        now: u32,
        rest: u32,
        low: &[u32; 256],
        high: &[u32; 256],
        out: &mut [u32],
    ) {
        for ((d, &w), &s) in out.iter_mut().zip(words).zip(stamps) {
            let n = now.wrapping_sub(s);
            let x = times(w.wrapping_sub(rest), low[(n & 255) as usize]);
            let x = times(x, high[(n >> 8 & 255) as usize]);
            *d = if n == 0 { w } else { rest.wrapping_add(x) };
        }
    }
}

versions! {
    fn along_f32[](word: u32, rest: f32, factors: &[u32], high: [u32; 3], out: &mut [u32]) {
        let x = f(word) - rest;
        let [a, b, c] = high.map(f);
        for (d, &p) in out.iter_mut().zip(factors) {
            *d = (rest + x * f(p) * a * b * c).to_bits();
        }
    }
}

versions! {
    fn along_i32[](word: u32, rest: u32, factors: &[u32], high: [u32; 3], out: &mut [u32]) {
        let x = word.wrapping_sub(rest);
        let [a, b, c] = high;
        for (d, &p) in out.iter_mut().zip(factors) {
            *d = rest.wrapping_add(times(times(times(times(x, p), a), b), c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synfire_ir::rng;

    /// Numbers of steps near the borders of the tables, and between.
    const AGES: [u32; 12] = [
        0,
        1,
        2,
        255,
        256,
        257,
        511,
        40_000,
        65_535,
        65_536,
        70_000,
        1 << 25,
    ];

    #[test]
    fn falls_as_it_is_defined() {
        let chance = |k: u32, i: u32| rng::word(1, 0, 0, 0, k, i);
        let now = 1 << 26;
        for case in 0..60u32 {
            let ty = if case % 2 == 0 { Ty::F32 } else { Ty::I32 };
            let word = |x: u32| match ty {
                Ty::F32 => ((x as i32 >> 8) as f32 / 7.0).to_bits(),
                _ => (x as i32 >> 8) as u32,
            };
            let slow = u64::MAX - (1 << (40 + case % 12));
            let factor = [slow, (chance(case, 900) as u64) << 32][case as usize / 2 % 2];
            let rest = [0, word(chance(case, 901))][case as usize / 4 % 2];
            let fall = Fall::new(Decay { factor, rest }, ty);
            let words: Vec<u32> = (0..77).map(|i| word(chance(case, i))).collect();
            // The vector code takes ages below 65,536 only.
            let ages = if case % 3 == 0 { &AGES[..] } else { &AGES[..9] };
            let age = |i: u32| ages[chance(case, 200 + i) as usize % ages.len()];
            let stamps: Vec<u32> = (0..77).map(|i| now - age(i)).collect();
            let each = words.iter().zip(&stamps);
            let want: Vec<u32> = each.map(|(&w, &s)| fall.one(w, now - s)).collect();
            for isa in Isa::all() {
                let mut got = vec![0; words.len()];
                fall.each(isa, &words, &stamps, now, &mut got);
                assert_eq!(got, want, "{case}");
                for first in AGES {
                    let want: Vec<u32> = (0..400).map(|i| fall.one(words[0], first + i)).collect();
                    let mut got = vec![0; 400];
                    fall.along(isa, words[0], first, &mut got);
                    assert_eq!(got, want, "{case} from {first}");
                }
            }
        }
    }
}
