//! Functions in fixed arithmetic: what the integers of a program give, beside the function in double precision of the same words.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use synfire_compiler::frontend::{self, LoadOptions, NoFiles};
use synfire_compiler::ideal::{self, Ideal, IdealOptions};
use synfire_ir::program::{Arithmetic, Reference};

/// Units that store a function of what they start from.
const TEXT: &str = "
neuron F(k: real = 1) {
  state x: real = 0
  state f: real = 0
  on step { f = BODY }
}
network N { step 1 ms  pop a: F[64] { x ~ uniform(LOW, HIGH), k = PARAM } }";

fn lower(text: &str) -> Result<Ideal, String> {
    let net = frontend::load("n.syn", text.as_bytes(), &NoFiles, &LoadOptions::default());
    let options = IdealOptions {
        arithmetic: Arithmetic::Fixed,
        ..IdealOptions::default()
    };
    ideal::lower(&net.network.unwrap_or_else(|d| panic!("{d}")), &options)
        .map_err(|d| d.to_string())
}

fn text(body: &str, (low, high): (f64, f64), k: f64) -> String {
    let number = |x: f64| format!("{x:.9}");
    TEXT.replace("BODY", body)
        .replace("LOW", &number(low))
        .replace("HIGH", &number(high))
        .replace("PARAM", &number(k))
}

/// (argument as its word holds it, result) of every unit after one step.
fn values(made: &Ideal) -> Vec<(f64, f64)> {
    let mut r = Reference::new(&made.program, 0);
    r.step(&[]);
    let scale = |k: u16| made.fixed.as_ref().unwrap().scales().states[&(0, k)];
    let of = |k: u16| {
        r.state[0][k as usize]
            .iter()
            .map(|w| *w as i32 as f64 * scale(k))
            .collect::<Vec<f64>>()
    };
    of(0).into_iter().zip(of(1)).collect()
}

/// A function as the language writes it, in double precision, and the largest error beside its largest magnitude.
type Case = (&'static str, fn(f64, f64) -> f64, f64);

const CASES: &[Case] = &[
    ("exp(x)", |x, _| x.exp(), 1e-6),
    ("exp(-abs(x))", |x, _| (-x.abs()).exp(), 1e-6),
    ("tanh(x)", |x, _| x.tanh(), 1e-6),
    ("1 / (1 + exp(-x))", |x, _| 1.0 / (1.0 + (-x).exp()), 1e-6),
    ("sin(x)", |x, _| x.sin(), 1e-6),
    ("cos(x)", |x, _| x.cos(), 1e-6),
    ("log(abs(x) + k)", |x, k| (x.abs() + k).ln(), 1e-6),
    ("sqrt(abs(x))", |x, _| x.abs().sqrt(), 3e-6),
    ("abs(x) ^ k", |x, k| x.abs().powf(k), 3e-6),
    ("x / (abs(x) + k)", |x, k| x / (x.abs() + k), 1e-6),
    ("k / (x * x + 1)", |x, k| k / (x * x + 1.0), 1e-6),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn functions_keep_to_their_bounds(low in -6.0..6.0f64, width in 0.001..8.0f64, k in 0.05..3.0f64) {
        let k = (k * 1e9).round() / 1e9;
        for (body, f, bound) in CASES {
            let made = lower(&text(body, (low, low + width), k)).map_err(TestCaseError::fail)?;
            let all = values(&made);
            // Scales follow from the range that the state is given.
            let limit = made.fixed.as_ref().unwrap().states[0].limit;
            let ends = [f(-limit, k), f(limit, k), f(0.0, k)].into_iter();
            let most = all.iter().map(|v| f(v.0, k)).chain(ends).map(f64::abs).fold(1e-3, f64::max);
            for (x, y) in all {
                let off = (y - f(x, k)).abs();
                prop_assert!(off <= bound * most, "{} at {}, {}: {} is {} off, of {}", body, x, k, y, off, most);
            }
        }
    }

    /// One step of exponential Euler: the factor `(e^z - 1) / z` from nearly 0 far into the range in which the step ends at rest.
    #[test]
    fn exponential_euler_comes_to_rest(rate in 0.0001..200.0f64, rest in -1.0..1.0f64) {
        let text = format!("
neuron F(rest: real = {rest:.9}) {{
  state x: real = 0
  state g: real = 1
  input i: real
  on i {{ g += i }}
  x' = {rate:.9} * g * (rest - x) / 1 ms
  g' = -g / 1 s
  solve exponential_euler
}}
network N {{ step 1 ms  pop a: F[8] {{ g ~ uniform(0, 1), x ~ uniform(-1, 1) }} }}");
        let made = lower(&text).map_err(TestCaseError::fail)?;
        let scale = made.fixed.as_ref().unwrap().scales().states;
        let mut r = Reference::new(&made.program, 0);
        let of = |r: &Reference, k: u16| -> Vec<f64> {
            r.state[0][k as usize].iter().map(|w| *w as i32 as f64 * scale[&(0, k)]).collect()
        };
        let (x, g) = (of(&r, 0), of(&r, 1));
        r.step(&[]);
        for (k, new) in of(&r, 0).into_iter().enumerate() {
            let want = rest + (x[k] - rest) * (-rate * g[k]).exp();
            prop_assert!((new - want).abs() < 2e-6, "{} instead of {}", new, want);
            prop_assert!(new.abs() <= 1.0 + 1e-6);
        }
    }
}

#[test]
fn what_32_bits_cannot_hold_is_refused_with_the_numbers() {
    let refused = |body: &str, range: (f64, f64), words: &str| {
        let d = lower(&text(body, range, 1.0)).err().unwrap_or_default();
        assert!(d.contains("SYN0431") && d.contains(words), "{body}: {d}");
    };
    refused("exp(x)", (0.0, 60.0), "`exp` of values up to");
    refused("exp(-1000000 * abs(x))", (0.0, 60.0), "steps of");
    refused("log(x)", (-1.0, 1.0), "logarithm of a value that may be 0");
    refused("sqrt(x)", (-1.0, 1.0), "below 0");
    refused("x ^ k", (-1.0, 1.0), "power");
}
