//! The exact solution of linear equations over one step.
//!
//! x' = A x + b with A known before the run and b constant over the step gives x(h) = E x(0) + F b, E = exp(A h), F = integral of
//! exp(A s) over 0..h. Without circles among the equations, the entry of E from state j to state i is the sum over the paths from j to
//! i of (product of the couplings) * h^m * f[a0 .. am], where f[...] is the divided difference of exp at the rates along the path times h; F has
//! one more rate, 0, and one more h (Opitz 1964; McCurdy, Ng & Parlett 1984, doi 10.2307/2007597). Equal and nearly equal rates need
//! care: see [`difference3`].

use super::graph::{Graph, Id, Node};
use super::linear::Affine;
use synfire_ir::model::{BinOp, UnOp};

/// Most rates of a closed form.
const MAX_RATES: usize = 3;
/// Most paths between two states.
const MAX_PATHS: usize = 64;

/// A linear system with constant coefficients.
pub struct System {
    /// States, as nodes.
    pub states: Vec<Id>,
    /// `matrix[i][j]`: uniform factor of state j in the derivative of state i, `None` for 0.
    pub matrix: Vec<Vec<Option<Id>>>,
    /// What else drives state i: reads none of the states.
    pub drive: Vec<Affine>,
}

/// Why there is no closed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoForm {
    /// States drive one another in a circle.
    Circle,
    /// A chain of more than three rates.
    Long,
}

/// The states after a step; or the state that has no closed form, and why.
pub fn solve(g: &mut Graph, s: &System) -> Result<Vec<Affine>, (usize, NoForm)> {
    let one = |i| advance(g, s, i).map_err(|e| (i, e));
    (0..s.states.len()).map(one).collect()
}

fn advance(g: &mut Graph, s: &System, i: usize) -> Result<Affine, NoForm> {
    let h = g.dt();
    let mut out = Affine::constant(g.real(0.0));
    if s.matrix[i]
        .iter()
        .enumerate()
        .all(|(j, a)| j == i || a.is_none())
    {
        scalar(g, s, i, &mut out);
        return Ok(out);
    }
    for path in paths(s, i)? {
        let mut weight = g.real(1.0);
        for w in path.windows(2) {
            let coupling = s.matrix[w[0]][w[1]].unwrap_or(weight);
            let scaled = g.mul(coupling, h);
            weight = g.mul(weight, scaled);
        }
        let from = path[path.len() - 1];
        let mut rates: Vec<Id> = path.iter().map(|&k| rate(g, s, k)).collect();
        let decay = difference(g, &rates)?;
        let factor = g.mul(weight, decay);
        out.add_term(g, s.states[from], factor, false);
        let drive = &s.drive[from];
        if drive.terms.is_empty() && g.real_const(drive.constant) == Some(0.0) {
            continue;
        }
        rates.push(g.real(0.0));
        let gain = difference(g, &rates)?;
        let gain = g.mul(gain, h);
        let factor = g.mul(weight, gain);
        out.add_scaled(g, drive, factor);
    }
    Ok(out)
}

/// Rate of a state's own decay times the step.
fn rate(g: &mut Graph, s: &System, i: usize) -> Id {
    let h = g.dt();
    match s.matrix[i][i] {
        Some(a) => g.mul(a, h),
        None => g.real(0.0),
    }
}

/// A state that no other drives: exp(a h) x + (exp(a h) - 1) / a * b. Where a term's factor is `|a|` itself, the quotient is 1.
fn scalar(g: &mut Graph, s: &System, i: usize, out: &mut Affine) {
    let (h, z) = (g.dt(), rate(g, s, i));
    let decay = g.un(UnOp::Exp, z);
    out.add_term(g, s.states[i], decay, false);
    let zero = g.real(0.0);
    let growth = g.expm1(z);
    let loss = g.neg(growth);
    let gain = match s.matrix[i][i] {
        None => h,
        Some(a) => {
            let quotient = g.div(growth, a);
            let still = g.bin(BinOp::Eq, a, zero);
            g.select(still, h, quotient)
        }
    };
    let own = s.matrix[i][i].map(|a| (a, g.neg(a)));
    let scale = |g: &mut Graph, factor: Id| {
        let Some((a, minus)) = own else {
            return g.mul(factor, gain);
        };
        for (same, by) in [(a, growth), (minus, loss)] {
            if let Some(ratio) = ratio(g, factor, same) {
                return g.mul(ratio, by);
            }
        }
        g.mul(factor, gain)
    };
    for t in &s.drive[i].terms {
        let factor = scale(g, t.factor);
        out.add_term(g, t.value, factor, t.negative);
    }
    let constant = scale(g, s.drive[i].constant);
    out.constant = g.add(out.constant, constant);
}

/// `factor / by`, when that is plain to see: both equal, or quotients by one denominator.
fn ratio(g: &mut Graph, factor: Id, by: Id) -> Option<Id> {
    if factor == by {
        return Some(g.real(1.0));
    }
    match (g.node(factor), g.node(by)) {
        (Node::Bin(BinOp::Div, n, t), Node::Bin(BinOp::Div, one, u))
            if t == u && g.real_const(one) == Some(1.0) =>
        {
            Some(n)
        }
        _ => None,
    }
}

/// All paths that end in `i`, each listed from `i` backwards, the path of `i` alone first.
fn paths(s: &System, i: usize) -> Result<Vec<Vec<usize>>, NoForm> {
    let mut all = vec![vec![i]];
    let mut at = 0;
    while at < all.len() {
        let path = all[at].clone();
        let last = path[path.len() - 1];
        for (j, a) in s.matrix[last].iter().enumerate() {
            if a.is_none() || j == last {
                continue;
            }
            if path.contains(&j) {
                return Err(NoForm::Circle);
            }
            let mut longer = path.clone();
            longer.push(j);
            all.push(longer);
        }
        if all.len() > MAX_PATHS {
            return Err(NoForm::Long);
        }
        at += 1;
    }
    Ok(all)
}

/// Divided difference of exp at one to three rates.
fn difference(g: &mut Graph, rates: &[Id]) -> Result<Id, NoForm> {
    debug_assert!(rates.len() <= MAX_RATES + 1);
    match *rates {
        [a] => Ok(g.un(UnOp::Exp, a)),
        [a, b] => Ok(difference2(g, a, b)),
        [a, b, c] => Ok(difference3(g, a, b, c)),
        _ => Err(NoForm::Long),
    }
}

/// (e^a - e^b) / (a - b), or e^a when both are equal.
fn difference2(g: &mut Graph, a: Id, b: Id) -> Id {
    if a == b {
        return g.un(UnOp::Exp, a);
    }
    let high = g.bin(BinOp::Max, a, b);
    let low = g.bin(BinOp::Min, a, b);
    sorted2(g, high, low)
}

/// As [`difference2`] for `high >= low`: e^high * (1 - e^-gap) / gap loses no digits for small gaps and never overflows.
fn sorted2(g: &mut Graph, high: Id, low: Id) -> Id {
    let top = g.un(UnOp::Exp, high);
    let gap = g.sub(high, low);
    let minus = g.neg(gap);
    let fall = g.expm1(minus);
    let rise = g.neg(fall);
    let slope = g.div(rise, gap);
    let apart = g.mul(top, slope);
    let zero = g.real(0.0);
    let equal = g.bin(BinOp::Eq, gap, zero);
    g.select(equal, top, apart)
}

/// (f[high, mid] - f[mid, low]) / (high - low); when all three lie within 1e-3, the series e^mean (1/2 + h2 / 24), h2 half the sum of the
/// squared distances from the mean: either way the relative error stays below 1e-12.
fn difference3(g: &mut Graph, a: Id, b: Id, c: Id) -> Id {
    let (most, least) = (g.bin(BinOp::Max, a, b), g.bin(BinOp::Min, a, b));
    let high = g.bin(BinOp::Max, most, c);
    let low = g.bin(BinOp::Min, least, c);
    let inner = g.bin(BinOp::Min, most, c);
    let mid = g.bin(BinOp::Max, least, inner);
    let gap = g.sub(high, low);
    let (upper, lower) = (sorted2(g, high, mid), sorted2(g, mid, low));
    let rise = g.sub(upper, lower);
    let apart = g.div(rise, gap);
    let series = near3(g, [high, mid, low]);
    let limit = g.real(1e-3);
    let near = g.bin(BinOp::Lt, gap, limit);
    g.select(near, series, apart)
}

fn near3(g: &mut Graph, rates: [Id; 3]) -> Id {
    let three = g.real(3.0);
    let sum = g.add(rates[0], rates[1]);
    let sum = g.add(sum, rates[2]);
    let mean = g.div(sum, three);
    let mut squares = g.real(0.0);
    for r in rates {
        let d = g.sub(r, mean);
        let square = g.mul(d, d);
        squares = g.add(squares, square);
    }
    let (half, scale) = (g.real(0.5), g.real(1.0 / 48.0));
    let second = g.mul(squares, scale);
    let bracket = g.add(half, second);
    let level = g.un(UnOp::Exp, mean);
    g.mul(level, bracket)
}
