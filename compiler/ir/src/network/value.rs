//! Values that stay symbolic until someone asks for an element: constants, arrays from files, distributions, and
//! expressions over a population's own fields.

use crate::rng::Draws;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Numbers of an array as they stood in their file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ArrayData {
    /// Single precision.
    F32(Arc<[f32]>),
    /// Double precision.
    F64(Arc<[f64]>),
    /// Integers.
    I32(Arc<[i32]>),
}

/// A named array, row-major.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Array {
    /// Where it came from, e.g. `lsnn.npz:w_in`; unique in a network.
    pub name: String,
    /// Extent of each axis; empty for a scalar.
    pub shape: Vec<u32>,
    /// The values; their number is the product of `shape`.
    pub data: ArrayData,
}

impl Array {
    /// Element `i` in row-major order.
    pub fn get(&self, i: usize) -> f64 {
        match &self.data {
            ArrayData::F32(v) => v[i] as f64,
            ArrayData::F64(v) => v[i],
            ArrayData::I32(v) => v[i] as f64,
        }
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        match &self.data {
            ArrayData::F32(v) => v.len(),
            ArrayData::F64(v) => v.len(),
            ArrayData::I32(v) => v.len(),
        }
    }
}

/// Index into [`super::Network::arrays`].
pub type ArrayId = u32;

/// A family of distributions with its arguments, in SI units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Over `[low, high)`.
    Uniform(f64, f64),
    /// Integers `low..=high`.
    UniformInt(i64, i64),
    /// Mean, standard deviation.
    Normal(f64, f64),
    /// Mean, deviation, low, high: drawn again until inside (at most 1,000 times, then clamped).
    NormalClipped(f64, f64, f64, f64),
    /// Mean, deviation, low, high: clamped.
    NormalClippedToBoundary(f64, f64, f64, f64),
    /// Mean and deviation of the logarithm.
    Lognormal(f64, f64),
    /// Mean.
    Exponential(f64),
    /// Shape, scale.
    Gamma(f64, f64),
    /// Trials, probability.
    Binomial(u32, f64),
    /// Mean.
    Poisson(f64),
    /// Mean angle, concentration.
    Vonmises(f64, f64),
}

/// Largest number of trials or mean of the counting distributions, which are drawn event by event.
pub const MAX_COUNT: f64 = 1e5;

impl Distribution {
    /// Every distribution by its name in the language, and the names of its arguments in order.
    pub const NAMED: [(&'static str, &'static [&'static str]); 11] = [
        ("uniform", &["low", "high"]),
        ("uniform_int", &["low", "high"]),
        ("normal", &["mean", "sd"]),
        ("normal_clipped", &["mean", "sd", "low", "high"]),
        ("normal_clipped_to_boundary", &["mean", "sd", "low", "high"]),
        ("lognormal", &["mu", "sigma"]),
        ("exponential", &["mean"]),
        ("gamma", &["shape", "scale"]),
        ("binomial", &["n", "p"]),
        ("poisson", &["mean"]),
        ("vonmises", &["mu", "kappa"]),
    ];

    /// One draw.
    #[inline]
    pub fn draw(&self, d: &mut Draws) -> f64 {
        match *self {
            Distribution::Uniform(a, b) => a + (b - a) * d.unit(),
            Distribution::UniformInt(a, b) => {
                let n = (b as i128 - a as i128 + 1).clamp(1, u32::MAX as i128) as u32;
                (a + d.below(n) as i64) as f64
            }
            Distribution::Normal(m, s) => m + s * d.normal(),
            Distribution::NormalClipped(m, s, lo, hi) => {
                let first = m + s * d.normal();
                match (lo..=hi).contains(&first) {
                    true => first,
                    false => again(d, (m, s), (lo, hi)),
                }
            }
            Distribution::NormalClippedToBoundary(m, s, lo, hi) => {
                (m + s * d.normal()).max(lo).min(hi)
            }
            Distribution::Lognormal(m, s) => (m + s * d.normal()).exp(),
            Distribution::Exponential(m) => -m * (1.0 - d.unit()).ln(),
            Distribution::Gamma(k, theta) => theta * gamma(k, d),
            Distribution::Binomial(n, p) => (0..n.min(MAX_COUNT as u32))
                .filter(|_| d.unit() < p)
                .count() as f64,
            Distribution::Poisson(mean) => poisson(mean.min(MAX_COUNT), d),
            Distribution::Vonmises(mu, kappa) => vonmises(mu, kappa, d),
        }
    }

    /// Mean, for predictions.
    pub fn mean(&self) -> f64 {
        match *self {
            Distribution::Uniform(a, b) => (a + b) / 2.0,
            Distribution::UniformInt(a, b) => (a as f64 + b as f64) / 2.0,
            Distribution::Normal(m, _)
            | Distribution::NormalClipped(m, ..)
            | Distribution::NormalClippedToBoundary(m, ..)
            | Distribution::Exponential(m)
            | Distribution::Poisson(m)
            | Distribution::Vonmises(m, _) => m,
            Distribution::Lognormal(m, s) => (m + s * s / 2.0).exp(),
            Distribution::Gamma(k, t) => k * t,
            Distribution::Binomial(n, p) => n as f64 * p,
        }
    }
}

/// What a clipped normal distribution gives when its first draw lies outside.
#[cold]
fn again(d: &mut Draws, (m, s): (f64, f64), (lo, hi): (f64, f64)) -> f64 {
    let tries = (1..1000)
        .map(|_| m + s * d.normal())
        .find(|x| (lo..=hi).contains(x));
    tries.unwrap_or(m).max(lo).min(hi)
}

/// Marsaglia & Tsang 2000 (doi 10.1145/358407.358414); shape below 1 by the usual power of a uniform.
fn gamma(k: f64, d: &mut Draws) -> f64 {
    if k.is_nan() || k <= 0.0 {
        return 0.0;
    }
    if k < 1.0 {
        let u: f64 = 1.0 - d.unit();
        return gamma(k + 1.0, d) * u.powf(1.0 / k);
    }
    let a = k - 1.0 / 3.0;
    let c = 1.0 / (9.0 * a).sqrt();
    for _ in 0..1000 {
        let x = d.normal();
        let v = (1.0 + c * x).powi(3);
        let u = 1.0 - d.unit();
        if v > 0.0 && u.ln() < 0.5 * x * x + a - a * v + a * v.ln() {
            return a * v;
        }
    }
    k
}

fn poisson(mean: f64, d: &mut Draws) -> f64 {
    let (mut t, mut k) = (0.0, 0u32);
    loop {
        t -= (1.0 - d.unit()).ln();
        if t > mean || mean.is_nan() || mean <= 0.0 {
            return k as f64;
        }
        k += 1;
    }
}

/// Best & Fisher 1979 (doi 10.2307/2346732).
fn vonmises(mu: f64, kappa: f64, d: &mut Draws) -> f64 {
    if kappa.is_nan() || kappa <= 1e-6 {
        return mu + std::f64::consts::TAU * (d.unit() - 0.5);
    }
    let tau = 1.0 + (1.0 + 4.0 * kappa * kappa).sqrt();
    let rho = (tau - (2.0 * tau).sqrt()) / (2.0 * kappa);
    let r = (1.0 + rho * rho) / (2.0 * rho);
    for _ in 0..1000 {
        let z = (std::f64::consts::PI * d.unit()).cos();
        let f = (1.0 + r * z) / (r + z);
        let c = kappa * (r - f);
        let u = 1.0 - d.unit();
        if c * (2.0 - c) > u || (c / u).ln() + 1.0 >= c {
            let sign = if d.unit() < 0.5 { -1.0 } else { 1.0 };
            return mu + sign * f.clamp(-1.0, 1.0).acos();
        }
    }
    mu
}

/// A value for each element of something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Init {
    /// The same for all.
    Const(f64),
    /// Element by element from an array (row-major), or one value for all when the array has one element.
    Array(ArrayId),
    /// Drawn.
    Draw(Distribution),
}

/// An expression evaluated on the host in f64, once for each unit, over the fields of its population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum HostExpr {
    /// A number (SI).
    Const(f64),
    /// Field `i` of the model.
    Field(u16),
    /// Seconds a step.
    Dt,
    /// `f(a)`.
    Call1(HostFn1, Box<HostExpr>),
    /// `f(a, b)`.
    Call2(HostFn2, Box<HostExpr>, Box<HostExpr>),
    /// `if c != 0 { a } else { b }`.
    If(Box<HostExpr>, Box<HostExpr>, Box<HostExpr>),
    /// `floor(2^32 * P(X <= k))` for X ~ Poisson(lambda), clamped to `2^32 - 1`: the threshold table of `emulator.md` 6.2.
    PoissonCdf(u32, Box<HostExpr>),
}

/// Functions of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum HostFn1 {
    Neg,
    Not,
    Exp,
    Expm1,
    Log,
    Sqrt,
    Sin,
    Cos,
    Tanh,
    Abs,
    Sign,
    Floor,
    /// To the nearest integer, ties to even.
    Round,
}

/// Functions of two arguments; comparisons give 0 or 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum HostFn2 {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
    And,
    Or,
}

impl HostExpr {
    /// Value for one unit.
    pub fn eval(&self, field: &dyn Fn(u16) -> f64, dt: f64) -> f64 {
        match self {
            HostExpr::Const(c) => *c,
            HostExpr::Field(i) => field(*i),
            HostExpr::Dt => dt,
            HostExpr::Call1(f, a) => f.apply(a.eval(field, dt)),
            HostExpr::Call2(f, a, b) => f.apply(a.eval(field, dt), b.eval(field, dt)),
            HostExpr::If(c, a, b) => {
                if c.eval(field, dt) != 0.0 {
                    a.eval(field, dt)
                } else {
                    b.eval(field, dt)
                }
            }
            HostExpr::PoissonCdf(k, lambda) => {
                let l = lambda.eval(field, dt);
                let (mut term, mut sum) = ((-l).exp(), (-l).exp());
                for i in 1..=*k {
                    term *= l / i as f64;
                    sum += term;
                }
                (sum * 4_294_967_296.0).floor().clamp(0.0, 4_294_967_295.0)
            }
        }
    }

    /// Does it read a field?
    pub fn reads_field(&self) -> bool {
        match self {
            HostExpr::Const(_) | HostExpr::Dt => false,
            HostExpr::Field(_) => true,
            HostExpr::Call1(_, a) | HostExpr::PoissonCdf(_, a) => a.reads_field(),
            HostExpr::Call2(_, a, b) => a.reads_field() || b.reads_field(),
            HostExpr::If(a, b, c) => a.reads_field() || b.reads_field() || c.reads_field(),
        }
    }
}

impl HostFn1 {
    /// Applies it.
    pub fn apply(self, a: f64) -> f64 {
        match self {
            HostFn1::Neg => -a,
            HostFn1::Not => (a == 0.0) as u8 as f64,
            HostFn1::Exp => a.exp(),
            HostFn1::Expm1 => a.exp_m1(),
            HostFn1::Log => a.ln(),
            HostFn1::Sqrt => a.sqrt(),
            HostFn1::Sin => a.sin(),
            HostFn1::Cos => a.cos(),
            HostFn1::Tanh => a.tanh(),
            HostFn1::Abs => a.abs(),
            HostFn1::Sign => {
                if a > 0.0 {
                    1.0
                } else if a < 0.0 {
                    -1.0
                } else {
                    0.0
                }
            }
            HostFn1::Floor => a.floor(),
            HostFn1::Round => a.round_ties_even(),
        }
    }
}

impl HostFn2 {
    /// Applies it.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        let truth = |c: bool| c as u8 as f64;
        match self {
            HostFn2::Add => a + b,
            HostFn2::Sub => a - b,
            HostFn2::Mul => a * b,
            HostFn2::Div => a / b,
            HostFn2::Pow => a.powf(b),
            HostFn2::Min => a.min(b),
            HostFn2::Max => a.max(b),
            HostFn2::Lt => truth(a < b),
            HostFn2::Le => truth(a <= b),
            HostFn2::Gt => truth(a > b),
            HostFn2::Ge => truth(a >= b),
            HostFn2::Eq => truth(a == b),
            HostFn2::Ne => truth(a != b),
            HostFn2::And => truth(a != 0.0 && b != 0.0),
            HostFn2::Or => truth(a != 0.0 || b != 0.0),
        }
    }
}
