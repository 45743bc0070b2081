//! What lowered models compute, against closed forms and plain loops in f64.

use super::{Bench, library, lower, program};
use synfire_ir::rng::Draws;

/// Relative closeness, for single precision.
fn close(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * b.abs().max(1e-3),
        "{a} against {b}"
    );
}

#[test]
fn lif_decays_and_charges_exactly() {
    let dt = 1e-4;
    let m = library("std.neurons.Lif", dt);
    let p = program(&m, &[("tau", 0.013), ("v_th", 10.0)], dt, 1);
    let mut b = Bench::new(&p);
    for n in 1..=500 {
        b.step(&[("i", 2.0)]);
        close(
            b.state("v"),
            2.0 * (1.0 - (-n as f64 * dt / 0.013).exp()),
            1e-5,
        );
    }
    let top = b.state("v");
    for n in 1..=500 {
        b.step(&[]);
        // The decay factor in single precision is off by up to 3e-8 a step.
        close(b.state("v"), top * (-n as f64 * dt / 0.013).exp(), 3e-5);
    }
}

/// Jump at arrival, then decay within the same step.
#[test]
fn lif_delta_jumps_then_decays() {
    let dt = 1e-4;
    let m = library("std.neurons.LifDelta", dt);
    let p = program(&m, &[], dt, 1);
    let mut b = Bench::new(&p);
    b.step(&[("kick", 0.015)]);
    for n in 1..100 {
        close(b.state("v"), 0.015 * (-(n as f64) * dt / 0.02).exp(), 1e-5);
        b.step(&[]);
    }
}

/// Two exponential currents that drive a membrane, with one of the time constants equal to the membrane's.
#[test]
fn current_based_membrane_is_exact() {
    let dt = 1e-3;
    for tau_inh in [0.02, 0.020000001, 0.01, 0.005] {
        let m = library("std.neurons.LifCurrExp", dt);
        let p = program(
            &m,
            &[("tau_inh", tau_inh), ("v_th", 1.0), ("v_rest", 0.0)],
            dt,
            1,
        );
        let mut b = Bench::new(&p);
        b.step(&[("exc", 1e-9), ("inh", -2e-9)]);
        for n in 1..100 {
            let t = n as f64 * dt;
            let response = |w: f64, ts: f64| {
                let (a, s) = (1.0 / 0.02, 1.0 / ts);
                if (a - s).abs() < 1e-3 {
                    w / 1e-9 * t * (-t * a).exp()
                } else {
                    w / 1e-9 * ((-t * s).exp() - (-t * a).exp()) / (a - s)
                }
            };
            close(
                b.state("v"),
                response(1e-9, 0.005) + response(-2e-9, tau_inh),
                2e-5,
            );
            b.step(&[]);
        }
    }
}

/// An alpha current peaks at its weight, after the time constant.
#[test]
fn alpha_current_has_its_shape() {
    let dt = 1e-3;
    let m = library("std.neurons.LifCurrAlpha", dt);
    let p = program(
        &m,
        &[
            ("tau_exc", 0.01),
            ("tau", 0.01),
            ("v_th", 1.0),
            ("v_rest", 0.0),
        ],
        dt,
        1,
    );
    let mut b = Bench::new(&p);
    b.step(&[("exc", 1e-9)]);
    for n in 1..60 {
        let t: f64 = n as f64 * dt / 0.01;
        close(b.state("i_exc") * 1e9, t * (1.0 - t).exp(), 1e-5);
        // v' = -v / tau + i / c with equal rates: v = e t^2 / 2 exp(-t) * w tau / c.
        let v = std::f64::consts::E * t * t / 2.0 * (-t).exp() * 1e-9 * 0.01 / 1e-9;
        close(b.state("v"), v, 2e-5);
        b.step(&[]);
    }
}

/// `CubaLif` of NIR against the loop of `euler-v1`, both orders and resets.
#[test]
fn nir_cuba_lif_is_euler_v1() {
    let dt = 1e-4;
    let m = library("std.nir.CubaLif", dt);
    for (subtract, old) in [(false, false), (true, false), (false, true), (true, true)] {
        let given = [
            ("tau_syn", 3e-3),
            ("tau_mem", 7e-3),
            ("r", 2.5),
            ("v_leak", 0.1),
            ("v_threshold", 0.6),
            ("v_reset", -0.2),
            ("w_in", 1.7),
            ("reset", subtract as u8 as f64),
            ("order", old as u8 as f64),
        ];
        let p = program(&m, &given, dt, 1);
        let mut b = Bench::new(&p);
        let mut draws = Draws::new(3, 1, 1, 1);
        let (mut i, mut v, mut spikes) = (0f64, 0f64, 0);
        for _ in 0..3000 {
            let x = if draws.unit() < 0.3 { 1.5 } else { 0.0 };
            let before = i;
            i += dt / 3e-3 * (1.7 * x - i);
            v += dt / 7e-3 * ((0.1 - v) + 2.5 * if old { before } else { i });
            let z = v > 0.6;
            if z {
                v = if subtract { v - 0.6 } else { -0.2 };
            }
            spikes += z as i32;
            assert_eq!(b.step(&[("x", x)]), z as i32);
            assert!((b.state("v") - v).abs() < 1e-5 && (b.state("i") - i).abs() < 1e-5);
        }
        assert!(spikes > 10, "{spikes}");
    }
}

/// After a spike at step s the steps s + 1 .. s + round(T / dt) are silent.
#[test]
fn refractory_steps_are_counted() {
    let dt = 1e-3;
    let m = library("std.neurons.LifDelta", dt);
    for (t_ref, silent) in [(0.0, 0), (0.4e-3, 0), (2e-3, 2), (2.6e-3, 3)] {
        let p = program(&m, &[("t_ref", t_ref)], dt, 1);
        let mut b = Bench::new(&p);
        let out: Vec<i32> = (0..12).map(|_| b.step(&[("kick", 0.03)])).collect();
        let want: Vec<i32> = (0..12).map(|s| (s % (silent + 1) == 0) as i32).collect();
        assert_eq!(out, want, "t_ref {t_ref}");
    }
}

/// A held state keeps its value through blocks and equations; others go on.
#[test]
fn held_states_keep_their_value() {
    let text = "neuron A { state v: real = 0; state a: real = 0; input i: real  on i { v += i; a += i }  v' = -v / 10 ms  a' = -a / 10 ms  spike when v > 1 refractory 3 ms { v = 0.5 } }";
    let m = lower(text);
    let p = program(&m, &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    assert_eq!(b.step(&[("i", 3.0)]), 1);
    let mut a = 3.0 * (-0.1f64).exp();
    for _ in 0..3 {
        assert_eq!(b.step(&[("i", 3.0)]), 0);
        a = (a + 3.0) * (-0.1f64).exp();
        assert_eq!(b.state("v"), 0.5);
        close(b.state("a"), a, 1e-6);
    }
    assert_eq!(b.step(&[("i", 3.0)]), 1);
}

/// While a state is held, those that it drives see a constant.
#[test]
fn held_states_drive_others_as_constants() {
    let text = "neuron A { state v: real = 0; state w: real = 0; input i: real  on i { v += i }  v' = -v / 5 ms  w' = (v - w) / 20 ms  spike when v > 1 refractory 50 ms { v = 0.8 } }";
    let m = lower(text);
    let p = program(&m, &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    assert_eq!(b.step(&[("i", 3.0)]), 1);
    let mut w = b.state("w");
    for _ in 0..50 {
        b.step(&[]);
        w = 0.8 + (w - 0.8) * (-0.05f64).exp();
        close(b.state("w"), w, 1e-5);
    }
}

#[test]
fn hold_can_be_named() {
    let text = "neuron A { state v: real = 0; state a: real = 0; input i: real  on i { v += i; a += i }  spike when v > 1 refractory 5 ms hold (a) { v = 0; a = 0 } }";
    let m = lower(text);
    let p = program(&m, &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    assert_eq!(b.step(&[("i", 2.0)]), 1);
    assert_eq!(b.step(&[("i", 2.0)]), 0);
    assert_eq!([b.state("v"), b.state("a")], [2.0, 0.0]);
}

/// Every method on x' = -x / tau, against its own amplification factor.
#[test]
fn methods_have_their_factors() {
    let z: f64 = -0.25;
    let factors = [
        ("exact", z.exp()),
        ("euler", 1.0 + z),
        ("exponential_euler", z.exp()),
        ("rk2", 1.0 + z + z * z / 2.0),
        (
            "rk4",
            1.0 + z + z * z / 2.0 + z.powi(3) / 6.0 + z.powi(4) / 24.0,
        ),
    ];
    for (method, factor) in factors {
        let text = format!("neuron A {{ state x: real = 1; x' = -x / 4 ms; solve {method} }}");
        let p = program(&lower(&text), &[], 1e-3, 1);
        let mut b = Bench::new(&p);
        let mut x = 1.0;
        for _ in 0..20 {
            b.all();
            x *= factor;
            close(b.state("x"), x, 1e-5);
        }
    }
}

/// A chain of three with equal and nearly equal rates against 1,000 small Runge-Kutta steps.
#[test]
fn chains_are_exact_at_equal_rates() {
    for (t1, t2) in [
        (10e-3, 10e-3),
        (10e-3, 10.0000001e-3),
        (10e-3, 10.2e-3),
        (10e-3, 3e-3),
        (5e-3, 200e-3),
    ] {
        let text = "neuron A(t1: time, t2: time) { state x: real = 1; state y: real = 0.5; input i: real  x' = (i - x) / t1  y' = (x - y) / t2 }";
        let p = program(&lower(text), &[("t1", t1), ("t2", t2)], 1e-3, 1);
        let mut b = Bench::new(&p);
        let (mut x, mut y) = (1f64, 0.5f64);
        for _ in 0..30 {
            b.step(&[("i", 0.3)]);
            let h = 1e-6;
            for _ in 0..1000 {
                let f = |x: f64, y: f64| ((0.3 - x) / t1, (x - y) / t2);
                let k1 = f(x, y);
                let k2 = f(x + h / 2.0 * k1.0, y + h / 2.0 * k1.1);
                x += h * k2.0;
                y += h * k2.1;
            }
            close(b.state("x"), x, 1e-5);
            close(b.state("y"), y, 1e-5);
        }
    }
}

/// A linear equation whose factor is an input: exact by default.
#[test]
fn changing_factors_are_exact() {
    let text = "neuron A { state x: real = 1; input k: rate  x' = -x * k + 100 Hz }";
    let p = program(&lower(text), &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    let mut x = 1f64;
    for k in [50.0, 500.0, 1e-3, 0.0, 3000.0] {
        b.step(&[("k", k)]);
        x = if k == 0.0 {
            x + 0.1
        } else {
            x * (-k * 1e-3f64).exp() + 100.0 * (1.0 - (-k * 1e-3f64).exp()) / k
        };
        close(b.state("x"), x, 2e-6);
    }
}

#[test]
fn poisson_counts_have_their_mean_and_variance() {
    let dt = 1e-3;
    for (path, rate) in [
        ("std.sources.Poisson", 40.0),
        ("std.sources.Poisson", 7900.0),
        ("std.sources.PoissonDense", 30_000.0),
    ] {
        let p = program(&library(path, dt), &[("rate", rate)], dt, 200);
        let mut b = Bench::new(&p);
        let (mut n, mut square) = (0f64, 0f64);
        let steps = 500;
        for _ in 0..steps {
            for (_, count) in b.all() {
                n += count as f64;
                square += (count as f64).powi(2);
            }
        }
        let draws = steps as f64 * 200.0;
        let mean = n / draws;
        let lambda = rate * dt;
        let error = (lambda / draws).sqrt();
        assert!((mean - lambda).abs() < 5.0 * error, "{path} {rate}: {mean}");
        let variance = square / draws - mean * mean;
        assert!(
            (variance / lambda - 1.0).abs() < 0.05,
            "{path} {rate}: {variance}"
        );
    }
}

/// A mean that changes in the run counts as the table does; one beyond the bound has no value.
#[test]
fn poisson_of_a_changing_mean_and_beyond_the_bound() {
    let text = "neuron A(most: real = 3) { state l: real = 3; on step { l = l; emit poisson(l) } }";
    let p = program(&lower(text), &[], 1e-3, 200);
    let mut b = Bench::new(&p);
    let mut n = 0f64;
    for _ in 0..300 {
        n += b.all().iter().map(|e| e.1 as f64).sum::<f64>();
    }
    let mean = n / 60_000.0;
    assert!(
        (mean - 3.0).abs() < 5.0 * (3.0f64 / 60_000.0).sqrt(),
        "{mean}"
    );
    let m = library("std.sources.Poisson", 1e-3);
    let at = |rate: f64| m.columns[0].eval(&|_| rate, 1e-3);
    assert!(at(8000.0).is_finite() && at(8001.0).is_nan() && at(-1.0).is_nan());
    let p = program(&m, &[("rate", 0.0)], 1e-3, 1000);
    let mut b = Bench::new(&p);
    assert!((0..100).all(|_| b.all().is_empty()));
}

#[test]
fn normal_draws_have_their_moments() {
    let p = program(
        &library("std.sources.Noise", 1e-3),
        &[("mean", 2.0), ("sd", 3.0)],
        1e-3,
        1,
    );
    let mut b = Bench::new(&p);
    let values: Vec<f64> = (0..20_000)
        .map(|_| {
            b.all();
            b.state("x")
        })
        .collect();
    let mean = values.iter().sum::<f64>() / 20_000.0;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
    assert!(
        (mean - 2.0).abs() < 0.1 && (variance - 9.0).abs() < 0.4,
        "{mean} {variance}"
    );
    assert!(values.windows(2).any(|w| w[0] != w[1]));
}

#[test]
fn regular_source_keeps_its_period() {
    let p = program(
        &library("std.sources.Regular", 1e-3),
        &[("period", 7e-3), ("start", 3e-3)],
        1e-3,
        1,
    );
    let mut b = Bench::new(&p);
    let spikes: Vec<usize> = (0..1000).filter(|_| !b.all().is_empty()).collect();
    assert_eq!(spikes, (3..1000).step_by(7).collect::<Vec<_>>());
}

/// Firing of the Hodgkin-Huxley axon under a constant current: silent below rheobase, near 69 Hz at 10 uA / cm^2 (the textbook value for
/// these parameters at 6.3 degrees).
#[test]
fn hodgkin_huxley_fires_at_its_rate() {
    let dt = 1e-5;
    let m = library("std.neurons.HodgkinHuxley", dt);
    let count = |i: f64| {
        let p = program(&m, &[("i_offset", i)], dt, 1);
        let mut b = Bench::new(&p);
        (0..100_000).filter(|_| b.step(&[]) != 0).count()
    };
    assert!(count(0.2e-9) <= 1);
    let at_ten = count(2e-9);
    assert!((65..=73).contains(&at_ten), "{at_ten}");
}

#[test]
fn threshold_unit_has_no_memory() {
    let p = program(
        &library("std.neurons.McCullochPitts", 1e-3),
        &[("threshold", 2.0)],
        1e-3,
        1,
    );
    let mut b = Bench::new(&p);
    assert_eq!(b.step(&[("i", 1.0), ("i", 1.0)]), 1);
    assert_eq!(b.step(&[("i", 1.0)]), 0);
    assert_eq!(b.step(&[]), 0);
}

/// Later statements of a block see the new values; a `let` of the model is evaluated where it is read.
#[test]
fn blocks_are_sequential() {
    let text = "neuron A { state a: real = 1; state b: real = 0; let twice = 2 * a  on step { b = twice; a += 1; b += twice; let c = a; a = 10; b += c; repeat 3 { a *= 2 } if a > 50 { a -= 1 } else { b = -1 } } }";
    let p = program(&lower(text), &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    b.all();
    assert_eq!([b.state("a"), b.state("b")], [79.0, 8.0]);
}

/// Several `emit`s of one step add; a spike block that emits sets the payload.
#[test]
fn payloads_add() {
    let text = "neuron A { state v: real = 0; input i: real  on i { v = i; if v > 1 { emit 2 } if v > 2 { emit 3 } else { emit 0 } }  spike when v > 3 { emit 10 } }";
    let p = program(&lower(text), &[], 1e-3, 1);
    let mut b = Bench::new(&p);
    let out: Vec<i32> = [0.5, 1.5, 2.5, 3.5]
        .iter()
        .map(|&x| b.step(&[("i", x)]))
        .collect();
    assert_eq!(out, [0, 2, 5, 15]);
}

/// Two states that drive one another, alone, driven and driving, against 1,000 small steps: apart, equal, turning, and nearly so.
#[test]
fn circles_of_two_are_exact() {
    let text = "neuron A(k: real, t: time, ts: time) {
  state v: real = 1; state w: real = 0.2; state s: real = 0.7; state y: real
  input i: real
  s' = -s / ts
  v' = (-v - w + s + i) / t
  w' = (k * v - w) / 20 ms
}";
    let apart = text
        .replace(" + i)", ")")
        .replace("  s' =", "  y' = (v - 2 * w - y) / 7 ms\n  s' =")
        .replace("+ s", "");
    for (k, t, ts) in [
        (0.5, 5e-3, 3e-3),
        (-0.25, 20e-3, 20e-3),
        (3.0, 10e-3, 15e-3),
        (0.0, 20e-3, 20e-3),
        (1e-12, 20e-3, 20e-3),
        (-1e-9, 20e-3, 20.0001e-3),
        (50.0, 20e-3, 20e-3),
        (-1.0, 20e-3, 5e-3),
    ] {
        for (text, drive, coupled) in [(text, 0.3, 1.0), (apart.as_str(), 0.0, 0.0)] {
            let p = program(&lower(text), &[("k", k), ("t", t), ("ts", ts)], 1e-3, 1);
            let mut b = Bench::new(&p);
            let mut x = [1f64, 0.2, 0.7, 0.0];
            let f = |x: [f64; 4]| {
                let v = (-x[0] - x[1] + coupled * x[2] + drive) / t;
                let y = (1.0 - coupled) * (x[0] - 2.0 * x[1] - x[3]) / 7e-3;
                [v, (k * x[0] - x[1]) / 20e-3, -x[2] / ts, y]
            };
            for _ in 0..30 {
                b.step(&[("i", drive)]);
                let h = 1e-6;
                for _ in 0..1000 {
                    let k1 = f(x);
                    let mid = [0, 1, 2, 3].map(|j| x[j] + h / 2.0 * k1[j]);
                    let k2 = f(mid);
                    x = [0, 1, 2, 3].map(|j| x[j] + h * k2[j]);
                }
                for (name, want) in ["v", "w", "s", "y"].into_iter().zip(x) {
                    let got = b.state(name);
                    assert!(
                        (got - want).abs() < 2e-5 * want.abs().max(0.1),
                        "{name} {got} {want} at {k} {t} {ts}"
                    );
                }
            }
        }
    }
}
