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

/// Shape of a [`reservoir`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reservoir {
    /// Neurons.
    pub neurons: u32,
    /// Mean number of targets.
    pub fan: f64,
    /// Reach of a neuron, in sides of the square.
    pub sigma: f64,
    /// Share of targets that lie anywhere.
    pub long: f64,
    /// Coefficient of variation of the spike rates, whose median is 1; 0: all are 1.
    pub cv: f64,
}

/// Neurons looked at for a target near by, for each neuron of the network, before a source goes without the rest of them.
const LOOKS: u64 = 8;

/// Neurons at random points of the unit square. `round(long k)` of a neuron's k targets (Poisson) lie anywhere; the others are drawn without replacement with
/// probability proportional to exp(-d^2 / (2 sigma^2)). Spike rates are lognormal. After `generate_reservoir_random` of AxonFlow's snn.py.
pub fn reservoir(r: &Reservoir, seed: u64) -> Net {
    let mut rng = Rng::new(seed);
    let n = r.neurons;
    let at: Vec<(f64, f64)> = (0..n).map(|_| (rng.unit(), rng.unit())).collect();
    let spread = logarithm(1.0 + r.cv * r.cv).sqrt();
    let mut b = Builder::new();
    let mut rate = vec![];
    let mut drawn = vec![u32::MAX; n as usize];
    for id in 0..n {
        drawn[id as usize] = id;
        let mut to = vec![];
        let k = (r.fan + r.fan.sqrt() * rng.normal() + 0.5).floor().max(0.0);
        let k = (k as usize).min(n as usize - 1);
        let far = ((r.long * k as f64 + 0.5).floor() as usize).min(k);
        let mut looks = LOOKS * n as u64;
        while to.len() < k && looks > 0 {
            looks -= 1;
            let t = rng.below(n as u64) as u32;
            if drawn[t as usize] == id {
                continue;
            }
            if to.len() >= far {
                let (p, q) = (at[id as usize], at[t as usize]);
                let square = (p.0 - q.0) * (p.0 - q.0) + (p.1 - q.1) * (p.1 - q.1);
                if rng.unit() >= exponential(-square / (2.0 * r.sigma * r.sigma)) {
                    continue;
                }
            }
            drawn[t as usize] = id;
            to.push(t);
        }
        b.neuron(to);
        if r.cv > 0.0 {
            rate.push(exponential(spread * rng.normal()));
        }
    }
    Net { rate, ..b.build() }
}

/// e^x from additions, multiplications and divisions alone, so that it is the same everywhere: the series of x / 2^12, squared twelve times. For |x| below 700.
fn exponential(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0) / 4096.0;
    let series = (1..=12).rev().fold(1.0, |sum, i| 1.0 + x / i as f64 * sum);
    (0..12).fold(series, |y, _| y * y)
}

/// The natural logarithm of x >= 1 in the same way, by Halley's iteration.
fn logarithm(x: f64) -> f64 {
    (0..64).fold(0.0, |y, _| {
        let e = exponential(y);
        y + 2.0 * (x - e) / (x + e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elementary_functions() {
        for x in [-40.0, -1.0, -1e-9, 0.0, 0.3, 2.0, 30.0f64] {
            assert!((exponential(x) / x.exp() - 1.0).abs() < 1e-11, "{x}");
        }
        for x in [1.0, 1.5, 17.0, 1e6f64] {
            assert!((logarithm(x) - x.ln()).abs() < 1e-10, "{x}");
        }
    }

    #[test]
    fn a_reservoir_is_near_and_far() {
        let r = Reservoir {
            neurons: 2000,
            fan: 40.0,
            sigma: 0.1,
            long: 0.25,
            cv: 4.0,
        };
        let net = reservoir(&r, 192);
        assert_eq!(net, reservoir(&r, 192));
        assert_eq!((net.neurons(), net.rate.len()), (2000, 2000));
        let mean = net.synapses() as f64 / 2000.0;
        assert!((mean - 40.0).abs() < 1.0, "{mean}");
        assert!((0..2000).all(|u| !net.out.of(u).contains(&u)));
        // Median 1, and mean sqrt(1 + cv^2) for a lognormal.
        let mut rates = net.rate.clone();
        rates.sort_by(f64::total_cmp);
        assert!((0.85..1.18).contains(&rates[1000]), "{}", rates[1000]);
        let mean = rates.iter().sum::<f64>() / 2000.0;
        assert!((3.0..5.5).contains(&mean), "{mean}");
        // Neurons near each other share more targets than neurons anywhere do by chance.
        let mut rng = Rng::new(192);
        let at: Vec<(f64, f64)> = (0..2000).map(|_| (rng.unit(), rng.unit())).collect();
        let (mut near, mut all) = (0, 0);
        for u in 0..2000u32 {
            for &t in net.out.of(u) {
                let (p, q) = (at[u as usize], at[t as usize]);
                let d = ((p.0 - q.0).powi(2) + (p.1 - q.1).powi(2)).sqrt();
                near += (d < 0.2) as u32;
                all += 1;
            }
        }
        let share = near as f64 / all as f64;
        assert!((0.6..0.8).contains(&share), "{share}");
    }
}
