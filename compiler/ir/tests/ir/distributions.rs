//! Means, spreads and ranges of the distributions, for fixed seeds.

use synfire_ir::network::Distribution::{self, *};
use synfire_ir::rng::{self, Draws};

const N: usize = 40_000;

fn draws(d: Distribution) -> Vec<f64> {
    let mut stream = Draws::new(11, rng::WEIGHTS, rng::name_key("test"), 3);
    (0..N).map(|_| d.draw(&mut stream)).collect()
}

fn moments(v: &[f64]) -> (f64, f64) {
    let mean = v.iter().sum::<f64>() / v.len() as f64;
    let square = v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / v.len() as f64;
    (mean, square.sqrt())
}

/// Each with its standard deviation, from the textbooks.
#[test]
fn means_and_deviations() {
    let cases = [
        (Uniform(-1.0, 3.0), 4.0 / 12f64.sqrt()),
        (UniformInt(-2, 7), ((100.0 - 1.0) / 12.0f64).sqrt()),
        (Normal(5.0, 2.0), 2.0),
        (Lognormal(0.2, 0.5), {
            let s = 0.25f64;
            (0.2 + s / 2.0).exp() * (s.exp() - 1.0).sqrt()
        }),
        (Exponential(3.0), 3.0),
        (Gamma(0.5, 2.0), 2.0 * 0.5f64.sqrt()),
        (Gamma(7.5, 0.3), 0.3 * 7.5f64.sqrt()),
        (Binomial(20, 0.3), (20.0 * 0.3 * 0.7f64).sqrt()),
        (Poisson(4.5), 4.5f64.sqrt()),
    ];
    for (d, deviation) in cases {
        let (mean, spread) = moments(&draws(d));
        let tolerance = 4.0 * deviation / (N as f64).sqrt();
        assert!((mean - d.mean()).abs() < tolerance, "{d:?}: {mean}");
        assert!((spread / deviation - 1.0).abs() < 0.05, "{d:?}: {spread}");
    }
}

#[test]
fn ranges() {
    let inside = |d: Distribution, lo: f64, hi: f64| {
        let v = draws(d);
        assert!(v.iter().all(|x| (lo..=hi).contains(x)), "{d:?}");
        v
    };
    inside(Uniform(2.0, 3.0), 2.0, 3.0 - f64::EPSILON);
    let v = inside(UniformInt(-2, 2), -2.0, 2.0);
    for k in -2..=2 {
        let share = v.iter().filter(|x| **x == k as f64).count() as f64 / N as f64;
        assert!((share - 0.2).abs() < 0.01, "{k}: {share}");
    }
    let v = inside(NormalClipped(0.0, 1.0, -0.5, 1.0), -0.5, 1.0);
    assert!(
        v.iter().all(|x| *x != -0.5 && *x != 1.0),
        "drawn again, not clamped"
    );
    let v = inside(NormalClippedToBoundary(0.0, 1.0, -0.5, 1.0), -0.5, 1.0);
    let low = v.iter().filter(|x| **x == -0.5).count() as f64 / N as f64;
    assert!((low - 0.3085).abs() < 0.01, "{low} lie on the boundary");
    inside(Lognormal(0.0, 2.0), 0.0, f64::INFINITY);
    inside(Exponential(1.0), 0.0, f64::INFINITY);
    inside(Gamma(0.1, 1.0), 0.0, f64::INFINITY);
    let whole = [Binomial(9, 0.5), Poisson(3.0)];
    for d in whole {
        assert!(inside(d, 0.0, 1e3).iter().all(|x| x.fract() == 0.0));
    }
}

#[test]
fn angles_gather_around_their_mean() {
    use std::f64::consts::PI;
    // Mean resultant length I1(k) / I0(k) for k = 4.
    for (kappa, length) in [(4.0, 0.8635), (0.0, 0.0)] {
        let v = draws(Vonmises(0.5, kappa));
        assert!(v.iter().all(|x| (x - 0.5).abs() <= PI));
        let n = v.len() as f64;
        let (s, c) = (
            v.iter().map(|x| x.sin()).sum::<f64>() / n,
            v.iter().map(|x| x.cos()).sum::<f64>() / n,
        );
        assert!((s.hypot(c) - length).abs() < 0.02, "{}", s.hypot(c));
        assert!(kappa == 0.0 || (s.atan2(c) - 0.5).abs() < 0.02);
    }
}

#[test]
fn senseless_arguments_end() {
    for d in [
        NormalClipped(0.0, 1.0, 2.0, 1.0),
        NormalClipped(f64::NAN, f64::NAN, f64::NAN, f64::NAN),
        UniformInt(i64::MAX, i64::MIN),
        UniformInt(i64::MIN, i64::MAX),
        Gamma(-1.0, f64::NAN),
        Gamma(f64::INFINITY, 1.0),
        Poisson(f64::INFINITY),
        Poisson(f64::NAN),
        Binomial(u32::MAX, f64::NAN),
        Vonmises(f64::NAN, f64::INFINITY),
        Uniform(f64::NEG_INFINITY, f64::INFINITY),
    ] {
        let mut stream = Draws::new(1, rng::WEIGHTS, 2, 3);
        let _ = (d.draw(&mut stream), d.mean());
    }
}
