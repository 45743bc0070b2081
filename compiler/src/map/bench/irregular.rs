//! Irregular and brain-like networks of `mapping.md` 3.3, bit for bit.

use crate::map::net::{Builder, Net};
use crate::map::rng::Rng;

/// `side` x `side` torus; each neuron draws `fan` targets at rounded normal offsets of standard deviation `sigma`.
pub fn grid(side: u32, fan: u32, sigma: f64, seed: u64) -> Net {
    let mut rng = Rng::new(seed);
    let mut b = Builder::new();
    let wrap = |p: u32, d: f64| (p as i64 + d as i64).rem_euclid(side as i64) as u32;
    for id in 0..side * side {
        let (x, y) = (id % side, id / side);
        let mut to = vec![];
        for _ in 0..fan {
            let dx = (sigma * rng.normal() + 0.5).floor();
            let dy = (sigma * rng.normal() + 0.5).floor();
            let t = wrap(y, dy) * side + wrap(x, dx);
            if t != id {
                to.push(t);
            }
        }
        b.neuron(to);
    }
    b.build()
}

/// `n` neurons in `groups` planted groups, `fan` synapses each: 60 % into the own group, 30 % into one of three friends, 10 % anywhere.
/// Ids go group by group.
pub fn communities(n: u32, groups: u32, fan: u32, seed: u64) -> Net {
    let mut rng = Rng::new(seed);
    let size = (n / groups) as u64;
    let friends: Vec<[u64; 3]> = (0..groups)
        .map(|_| std::array::from_fn(|_| rng.below(groups as u64)))
        .collect();
    let mut b = Builder::new();
    for id in 0..n {
        let own = id as u64 / size;
        let mut to = vec![];
        for _ in 0..fan {
            let u = rng.unit();
            let g = if u < 0.6 {
                own
            } else if u < 0.9 {
                friends[own as usize % friends.len()][rng.below(3) as usize]
            } else {
                rng.below(groups as u64)
            };
            let t = (g * size + rng.below(size)) as u32;
            if t != id {
                to.push(t);
            }
        }
        b.neuron(to);
    }
    b.build()
}

/// Neurons of the populations L23e, L23i, L4e, L4i, L5e, L5i, L6e, L6i (Potjans and Diesmann 2014).
pub const POPULATIONS: [u32; 8] = [20_683, 5_834, 21_915, 5_479, 4_850, 1_065, 14_395, 2_948];

/// Synapses of the full model by target and source population: `ln(1 - P) / ln(1 - 1 / (Npre Npost))` of the published probabilities, rounded.
const SYNAPSES: [[u64; 8]; 8] = [
    [
        45_499_806, 22_323_577, 20_253_647, 9_670_918, 3_293_578, 0, 2_271_404, 0,
    ],
    [
        17_443_694, 5_018_763, 4_105_338, 1_690_074, 2_221_213, 0, 353_461, 0,
    ],
    [
        3_503_670, 756_562, 24_482_849, 17_413_576, 714_524, 7_003, 14_624_432, 0,
    ],
    [
        8_114_254, 92_832, 9_933_538, 5_223_272, 87_836, 0, 8_810_905, 0,
    ],
    [
        10_613_575, 1_817_058, 5_507_804, 151_900, 2_040_738, 2_407_889, 1_438_969, 0,
    ],
    [
        1_241_436, 169_424, 607_667, 12_851, 319_602, 430_444, 132_414, 0,
    ],
    [
        4_681_225, 556_108, 6_727_570, 1_320_234, 4_112_225, 305_029, 8_372_649, 10_827_677,
    ],
    [
        2_260_836, 17_207, 220_033, 8_078, 401_638, 25_218, 2_888_426, 1_354_320,
    ],
];

/// The cortical microcircuit at scale `s`. Doubled pairs are merged.
pub fn microcircuit(s: f64, seed: u64) -> Net {
    let mut rng = Rng::new(seed);
    let size: Vec<u64> = POPULATIONS
        .iter()
        .map(|&n| (n as f64 * s + 0.5).floor() as u64)
        .collect();
    let base: Vec<u64> = size
        .iter()
        .scan(0, |sum, n| Some(std::mem::replace(sum, *sum + n)))
        .collect();
    let mut to = vec![vec![]; size.iter().sum::<u64>() as usize];
    for (t, row) in SYNAPSES.iter().enumerate() {
        for (p, &k) in row.iter().enumerate() {
            for _ in 0..(k as f64 * s * s + 0.5).floor() as u64 {
                let source = base[p] + rng.below(size[p]);
                let target = base[t] + rng.below(size[t]);
                to[source as usize].push(target as u32);
            }
        }
    }
    let mut b = Builder::new();
    to.into_iter().for_each(|l| b.neuron(l));
    b.build()
}
