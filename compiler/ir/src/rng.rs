//! Random numbers: Philox4x32-10 (Salmon et al., SC 2011, doi 10.1145/2063384.2063405), keyed by (seed, stream, index),
//! never by thread or slice.
//!
//! Counter = (element / 4, step, sample, stream | site << 8), key = the 64-bit seed; word `element mod 4` of the output
//! belongs to the element. `element` is the global index of a unit (its group's `base` plus its own index), or whatever
//! the stream numbers its draws by.

use std::sync::LazyLock;

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

/// Blocks of a refill once a sequence has proved long: their rounds run side by side in vector registers.
const LANES: usize = 16;

/// [`LANES`] consecutive blocks, of the counters `counter`, `counter + 1`, ... in the first word.
///
/// Baseline x86-64 multiplies two words at a time, AVX2 four and AVX-512 eight. A build of 27 million drawn synapses spent a fifth
/// of its time in the baseline's rounds.
#[allow(unsafe_code)]
fn blocks(counter: [u32; 4], key: [u32; 2], out: &mut [u32; 4 * LANES]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            // SAFETY: the machine has just reported the features.
            return unsafe { blocks_avx512(counter, key, out) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return unsafe { blocks_avx2(counter, key, out) };
        }
    }
    blocks_any(counter, key, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,avx512f,avx512dq")]
fn blocks_avx512(counter: [u32; 4], key: [u32; 2], out: &mut [u32; 4 * LANES]) {
    blocks_any(counter, key, out)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn blocks_avx2(counter: [u32; 4], key: [u32; 2], out: &mut [u32; 4 * LANES]) {
    blocks_any(counter, key, out)
}

/// The same with whatever instructions its caller is compiled for.
#[inline(always)]
fn blocks_any(counter: [u32; 4], key: [u32; 2], out: &mut [u32; 4 * LANES]) {
    let mut c = counter.map(|x| [x; LANES]);
    for (i, x) in c[0].iter_mut().enumerate() {
        *x = x.wrapping_add(i as u32);
    }
    let mut k = key;
    for _ in 0..10 {
        let [c0, c1, c2, c3] = &mut c;
        let lanes = c0.iter_mut().zip(c1).zip(c2.iter_mut().zip(c3));
        for ((c0, c1), (c2, c3)) in lanes {
            let p0 = 0xD251_1F53u64 * *c0 as u64;
            let p1 = 0xCD9E_8D57u64 * *c2 as u64;
            *c0 = (p1 >> 32) as u32 ^ *c1 ^ k[0];
            *c1 = p1 as u32;
            *c2 = (p0 >> 32) as u32 ^ *c3 ^ k[1];
            *c3 = p0 as u32;
        }
        k = [
            k[0].wrapping_add(0x9E37_79B9),
            k[1].wrapping_add(0xBB67_AE85),
        ];
    }
    for (i, block) in out.chunks_exact_mut(4).enumerate() {
        block.copy_from_slice(&[c[0][i], c[1][i], c[2][i], c[3][i]]);
    }
}

/// A sequence of words for build-time draws: the `n`-th word of (`stream`, `key`, `item`), where `key` names what is
/// drawn (see [`name_key`]) and `item` is the global element that owns the sequence, e.g. a target neuron.
#[derive(Clone, Debug)]
pub struct Draws {
    key: [u32; 2],
    counter: [u32; 4],
    words: [u32; 4 * LANES],
    at: usize,
    /// Words that are filled in.
    filled: usize,
}

impl Draws {
    /// Key and counter of Philox for the first four words of `item` under (`seed`, `stream`, `key`); the first word of the counter
    /// counts further blocks of four.
    pub fn origin(seed: u64, stream: u32, key: u64, item: u32) -> ([u32; 2], [u32; 4]) {
        let mixed = seed ^ key.rotate_left(17).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let counter = [0, item, (key >> 32) as u32 ^ key as u32, stream];
        ([mixed as u32, (mixed >> 32) as u32], counter)
    }

    /// The sequence of `item` under (`seed`, `stream`, `key`).
    pub fn new(seed: u64, stream: u32, key: u64, item: u32) -> Self {
        let (key, counter) = Self::origin(seed, stream, key, item);
        Draws {
            key,
            counter,
            words: [0; 4 * LANES],
            at: 0,
            filled: 0,
        }
    }

    /// One block first, since most sequences are short; then many at once.
    #[inline(never)]
    fn refill(&mut self) {
        if self.filled == 0 {
            self.words[..4].copy_from_slice(&philox(self.counter, self.key));
            self.filled = 4;
        } else {
            blocks(self.counter, self.key, &mut self.words);
            self.filled = 4 * LANES;
        }
        self.counter[0] = self.counter[0].wrapping_add(self.filled as u32 / 4);
        self.at = 0;
    }

    /// The next word.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        if self.at == self.filled {
            self.refill();
        }
        self.at += 1;
        self.words[self.at - 1]
    }

    #[inline]
    fn next_u64(&mut self) -> u64 {
        let at = self.at;
        if at + 2 <= self.filled
            && let Some(&[hi, lo]) = self.words.get(at..at + 2)
        {
            self.at = at + 2;
            return (hi as u64) << 32 | lo as u64;
        }
        let (hi, lo) = (self.next_u32() as u64, self.next_u32() as u64);
        hi << 32 | lo
    }

    /// Uniform in [0, 1) with 53 bits.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in `0..n` (n > 0), by the high half of a 64-bit product.
    #[inline]
    pub fn below(&mut self, n: u32) -> u32 {
        ((self.next_u32() as u64 * n as u64) >> 32) as u32
    }

    /// Standard normal, by the ziggurat of 256 layers (Marsaglia & Tsang, J. Stat. Softw. 5 (2000) 8). Layer and place come
    /// from different bits of one 64-bit word, as Doornik (2005) asks.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        let z = &*ZIGGURAT;
        loop {
            let word = self.next_u64();
            let layer = (word & 0xff) as usize;
            // 53 signed bits: uniform in [-1, 1).
            let u = (word as i64 >> 11) as f64 * (1.0 / 4_503_599_627_370_496.0);
            let x = u * z.x[layer];
            if x.abs() < z.x[layer + 1] {
                return x;
            }
            if let Some(x) = self.beside(z, layer, x) {
                return x;
            }
        }
    }

    /// A place beside the rectangle of its layer: in the tail, or under the curve by chance.
    #[cold]
    fn beside(&mut self, z: &Ziggurat, layer: usize, x: f64) -> Option<f64> {
        if layer > 0 {
            let y = z.f[layer] + (z.f[layer + 1] - z.f[layer]) * self.unit();
            return (y < (-0.5 * x * x).exp()).then_some(x);
        }
        loop {
            let a = -(1.0 - self.unit()).ln() / TAIL;
            let b = -(1.0 - self.unit()).ln();
            if 2.0 * b > a * a {
                return Some((TAIL + a).copysign(x));
            }
        }
    }

    /// The number of successes of `n` trials of probability `p`: by inversion where few are expected, else by transformed
    /// rejection (BTRS of Hormann, J. Stat. Comput. Simul. 46 (1993) 101).
    pub fn binomial(&mut self, n: u32, p: f64) -> u32 {
        if n == 0 || p.is_nan() || p <= 0.0 {
            return 0;
        }
        if p >= 1.0 {
            return n;
        }
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        if n as f64 * p < 10.0 {
            return self.few(n, p);
        }
        let (count, q) = (n as f64, 1.0 - p);
        let spread = (count * p * q).sqrt();
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let c = count * p + 0.5;
        let alpha = (2.83 + 5.1 / b) * spread;
        let r = p / q;
        let mode = ((count + 1.0) * p).floor();
        loop {
            let u = self.unit() - 0.5;
            let v = 1.0 - self.unit();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + c).floor();
            if us >= 0.07 && v <= 0.92 - 4.2 / b {
                return k as u32;
            }
            if !(0.0..=count).contains(&k) {
                continue;
            }
            let accepted = (v * alpha / (a / (us * us) + b)).ln();
            let bound = (mode + 0.5) * ((mode + 1.0) / (r * (count - mode + 1.0))).ln()
                + (count + 1.0) * ((count - mode + 1.0) / (count - k + 1.0)).ln()
                + (k + 0.5) * (r * (count - k + 1.0) / (k + 1.0)).ln()
                + stirling(mode)
                + stirling(count - mode)
                - stirling(k)
                - stirling(count - k);
            if accepted <= bound {
                return k as u32;
            }
        }
    }

    /// Binomial by the distances between successes, which are geometric (Devroye 1986, section X.4.3).
    fn few(&mut self, n: u32, p: f64) -> u32 {
        let scale = 1.0 / (-p).ln_1p();
        let (mut at, mut k) = (0.0, 0);
        loop {
            at += ((1.0 - self.unit()).ln() * scale).floor() + 1.0;
            if at > n as f64 {
                return k;
            }
            k += 1;
        }
    }
}

/// `ln k! - (k + 1/2) ln(k + 1) + (k + 1) - ln(2 pi) / 2`: what Stirling's formula leaves over.
fn stirling(k: f64) -> f64 {
    const SMALL: [f64; 10] = [
        0.081_061_466_795_327_3,
        0.041_340_695_955_409_3,
        0.027_677_925_684_998_3,
        0.020_790_672_103_765_1,
        0.016_644_691_189_821_2,
        0.013_876_128_823_070_7,
        0.011_896_709_945_891_8,
        0.010_411_265_261_972_1,
        0.009_255_462_182_712_73,
        0.008_330_563_433_362_87,
    ];
    if k < 10.0 {
        return SMALL[k as usize];
    }
    let x = k + 1.0;
    let x2 = x * x;
    (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / x2) / x2) / x
}

/// Where the tail of the ziggurat begins, and the area of each of its layers.
const TAIL: f64 = 3.654_152_885_361_009;
const AREA: f64 = 0.004_928_673_233_974_655;

/// Edges of the layers and the density there, without its constant factor.
struct Ziggurat {
    x: [f64; 257],
    f: [f64; 257],
}

static ZIGGURAT: LazyLock<Ziggurat> = LazyLock::new(|| {
    let density = |x: f64| (-0.5 * x * x).exp();
    let mut x = [0.0; 257];
    x[0] = AREA / density(TAIL);
    x[1] = TAIL;
    for i in 2..256 {
        x[i] = (-2.0 * (AREA / x[i - 1] + density(x[i - 1])).ln()).sqrt();
    }
    let mut f = x.map(density);
    f[0] = 0.0;
    Ziggurat { x, f }
});

/// A stable 64-bit key of a name (FNV-1a), so that adding a population changes no other draw.
pub fn name_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ b as u64).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sequence is its blocks one after another, however they are made.
    #[test]
    fn words_are_those_of_single_blocks() {
        let mut d = Draws::new(5, WIRING, 77, 9);
        let (key, counter) = (d.key, d.counter);
        for n in 0..1000u32 {
            let block = philox([n / 4, counter[1], counter[2], counter[3]], key);
            assert_eq!(d.next_u32(), block[(n % 4) as usize], "word {n}");
        }
    }

    /// Every level of vector instructions that this machine has gives the same words.
    #[test]
    #[allow(unsafe_code)]
    fn levels_agree() {
        for (n, key) in [
            (0, [0, 0]),
            (7, [5, u32::MAX]),
            (u32::MAX - 3, [0x1234_5678, 9]),
        ] {
            let counter = [n, 11, 0xffff_0000, WEIGHTS];
            let mut want = [0; 4 * LANES];
            for (i, block) in want.chunks_exact_mut(4).enumerate() {
                let first = counter[0].wrapping_add(i as u32);
                block.copy_from_slice(&philox([first, counter[1], counter[2], counter[3]], key));
            }
            let mut got = vec![[0; 4 * LANES]];
            blocks_any(counter, key, &mut got[0]);
            #[cfg(target_arch = "x86_64")]
            {
                if is_x86_feature_detected!("avx2") {
                    got.push([0; 4 * LANES]);
                    // SAFETY: the machine has just reported the features; so below.
                    unsafe { blocks_avx2(counter, key, &mut got[1]) };
                }
                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
                    got.push([0; 4 * LANES]);
                    unsafe { blocks_avx512(counter, key, &mut got[2]) };
                }
            }
            assert!(got.iter().all(|g| *g == want), "{counter:?}");
        }
    }

    /// Shares of intervals against the normal distribution's, the tail beyond the last layer included.
    #[test]
    fn normal_shares() {
        let mut d = Draws::new(1, WEIGHTS, 2, 3);
        const N: usize = 4_000_000;
        let v: Vec<f64> = (0..N).map(|_| d.normal()).collect();
        // P(X < x), Abramowitz & Stegun, table 26.1.
        for (x, below) in [
            (-3.654, 1.291e-4),
            (-3.0, 0.001_349_90),
            (-2.0, 0.022_750_13),
            (-1.0, 0.158_655_25),
            (-0.2, 0.420_740_29),
            (0.0, 0.5),
            (0.5, 0.691_462_46),
            (1.5, 0.933_192_80),
            (2.5, 0.993_790_33),
            (4.0, 0.999_968_33),
        ] {
            let share = v.iter().filter(|y| **y < x).count() as f64 / N as f64;
            let sd = (below * (1.0 - below) / N as f64).sqrt();
            assert!(
                (share - below).abs() < 4.5 * sd + 1e-7,
                "P(X < {x}) = {share}"
            );
        }
    }

    /// Chi-squared against the probabilities themselves, on both sides of the change of method.
    #[test]
    fn binomial_shares() {
        for (n, p) in [
            (20, 0.3),
            (9, 0.9),
            (60, 0.5),
            (1000, 0.013),
            (100_000, 0.001),
        ] {
            let mut d = Draws::new(1, WIRING, 2, n);
            const N: usize = 200_000;
            let mut seen = vec![0u32; n as usize + 1];
            (0..N).for_each(|_| seen[d.binomial(n, p) as usize] += 1);
            let mut probability = n as f64 * (-p).ln_1p();
            let (mut chi, mut bins) = (0.0, 0);
            for (k, count) in seen.iter().enumerate() {
                let expected = probability.exp() * N as f64;
                if expected > 10.0 {
                    chi += (*count as f64 - expected).powi(2) / expected;
                    bins += 1;
                }
                let k = k as f64;
                probability += ((n as f64 - k) / (k + 1.0) * p / (1.0 - p)).ln();
            }
            let bound = bins as f64 + 5.0 * (2.0 * bins as f64).sqrt();
            assert!(chi < bound, "n {n} p {p}: chi squared {chi} of {bins} bins");
        }
    }

    /// Counts beyond what single trials could check: mean and spread.
    #[test]
    fn large_binomials() {
        let (n, p) = (300_000_000, 0.37);
        let mut d = Draws::new(1, WIRING, 4, 1);
        let v: Vec<f64> = (0..20_000).map(|_| d.binomial(n, p) as f64).collect();
        let sd = (n as f64 * p * (1.0 - p)).sqrt();
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        let spread = (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64).sqrt();
        assert!((mean - n as f64 * p).abs() < 4.0 * sd / (v.len() as f64).sqrt());
        assert!((spread / sd - 1.0).abs() < 0.02, "{spread} {sd}");
    }

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
