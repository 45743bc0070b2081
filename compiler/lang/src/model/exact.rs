//! The exact solution of linear equations over one step.
//!
//! x' = A x + b with A known before the run and b constant over the step gives x(h) = E x(0) + F b, E = exp(A h), F = integral of
//! exp(A s) over 0..h. Without circles among the equations, the entry of E from state j to state i is the sum over the paths from j to
//! i of (product of the couplings) * h^m * f[a0 .. am], where f[...] is the divided difference of exp at the rates along the path times h; F has
//! one more rate, 0, and one more h. Two states that drive one another count as two rates at once: see `pair`. Absent on purpose: closed
//! forms of more than three rates, and of larger circles.

use super::differences::difference;
use super::graph::{Graph, Id, Node};
use super::linear::Affine;
use super::pair::Pair;
use synfire_ir::model::{BinOp, UnOp};

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
    /// Three or more states drive one another in a circle.
    Circle,
    /// A chain of more than three rates.
    Long,
}

/// The states after a step; or the state that has no closed form, and why.
pub fn solve(g: &mut Graph, s: &System) -> Result<Vec<Affine>, (usize, NoForm)> {
    let units = units(s)?;
    let one = |i| advance(g, s, &units, i).map_err(|e| (i, e));
    (0..s.states.len()).map(one).collect()
}

/// States that drive one another: alone, or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    One(usize),
    Two(usize, usize),
}

impl Unit {
    fn members(self) -> impl Iterator<Item = usize> {
        let (a, b) = match self {
            Unit::One(a) => (a, None),
            Unit::Two(a, b) => (a, Some(b)),
        };
        [Some(a), b].into_iter().flatten()
    }
}

/// The unit of each state.
fn units(s: &System) -> Result<Vec<Unit>, (usize, NoForm)> {
    let n = s.states.len();
    let mut reach: Vec<Vec<bool>> = (0..n)
        .map(|i| (0..n).map(|j| i == j || s.matrix[i][j].is_some()).collect())
        .collect();
    for k in 0..n {
        for i in 0..n {
            for j in 0..n {
                reach[i][j] |= reach[i][k] && reach[k][j];
            }
        }
    }
    let of = |i: usize| {
        let circle: Vec<usize> = (0..n).filter(|&j| reach[i][j] && reach[j][i]).collect();
        match circle[..] {
            [a] => Ok(Unit::One(a)),
            [a, b] => Ok(Unit::Two(a, b)),
            _ => Err((i, NoForm::Circle)),
        }
    };
    (0..n).map(of).collect()
}

fn advance(g: &mut Graph, s: &System, units: &[Unit], i: usize) -> Result<Affine, NoForm> {
    let mut out = Affine::constant(g.real(0.0));
    let others = |(j, a): (usize, &Option<Id>)| j != i && a.is_some();
    if !s.matrix[i].iter().enumerate().any(others) {
        scalar(g, s, i, &mut out);
        return Ok(out);
    }
    for path in paths(s, units, units[i])? {
        match path[..] {
            [Unit::Two(a, b)] => alone(g, s, i, (a, b), &mut out),
            [Unit::Two(a, b), Unit::One(from)] => driven(g, s, i, (a, b), from, &mut out)?,
            [Unit::One(_), Unit::Two(a, b)] => driving(g, s, i, (a, b), &mut out)?,
            _ => chain(g, s, &path, &mut out)?,
        }
    }
    Ok(out)
}

/// Single states that drive one another in a row, listed from the last one backwards.
fn chain(g: &mut Graph, s: &System, path: &[Unit], out: &mut Affine) -> Result<(), NoForm> {
    let one = |u: &Unit| match u {
        Unit::One(i) => Ok(*i),
        Unit::Two(..) => Err(NoForm::Long),
    };
    let path: Vec<usize> = path.iter().map(one).collect::<Result<_, _>>()?;
    let h = g.dt();
    let mut weight = g.real(1.0);
    for w in path.windows(2) {
        let coupling = scaled(g, s, w[0], w[1]);
        weight = g.mul(weight, coupling);
    }
    let from = path[path.len() - 1];
    let mut rates: Vec<Id> = path.iter().map(|&k| scaled(g, s, k, k)).collect();
    let decay = difference(g, &rates)?;
    let factor = g.mul(weight, decay);
    out.add_term(g, s.states[from], factor, false);
    if driven_at(g, s, from) {
        rates.push(g.real(0.0));
        let gain = difference(g, &rates)?;
        let gain = g.mul(gain, h);
        let factor = g.mul(weight, gain);
        out.add_scaled(g, &s.drive[from], factor);
    }
    Ok(())
}

fn driven_at(g: &Graph, s: &System, i: usize) -> bool {
    !s.drive[i].terms.is_empty() || g.real_const(s.drive[i].constant) != Some(0.0)
}

/// Entry of A h.
fn scaled(g: &mut Graph, s: &System, i: usize, j: usize) -> Id {
    let h = g.dt();
    match s.matrix[i][j] {
        Some(a) => g.mul(a, h),
        None => g.real(0.0),
    }
}

fn pair(g: &mut Graph, s: &System, (a, b): (usize, usize)) -> Pair {
    let entry = |g: &mut Graph, i, j| scaled(g, s, i, j);
    let rows = [
        [entry(g, a, a), entry(g, a, b)],
        [entry(g, b, a), entry(g, b, b)],
    ];
    Pair::new(g, rows)
}

/// Two states that drive one another, with what drives them from outside.
fn alone(g: &mut Graph, s: &System, i: usize, (a, b): (usize, usize), out: &mut Affine) {
    let (h, zero) = (g.dt(), g.real(0.0));
    let block = pair(g, s, (a, b));
    let row = usize::from(i == b);
    let (decay, gain) = (block.exp(g), block.difference(g, zero));
    for (column, j) in [a, b].into_iter().enumerate() {
        let factor = block.entry(g, decay, row, column);
        out.add_term(g, s.states[j], factor, false);
        let factor = block.entry(g, gain, row, column);
        let factor = g.mul(factor, h);
        out.add_scaled(g, &s.drive[j], factor);
    }
}

/// The same driven by a state that decays on its own.
fn driven(
    g: &mut Graph,
    s: &System,
    i: usize,
    (a, b): (usize, usize),
    from: usize,
    out: &mut Affine,
) -> Result<(), NoForm> {
    if driven_at(g, s, from) {
        return Err(NoForm::Long);
    }
    let block = pair(g, s, (a, b));
    let row = usize::from(i == b);
    let rate = scaled(g, s, from, from);
    let gain = block.difference(g, rate);
    for (column, j) in [a, b].into_iter().enumerate() {
        let coupling = scaled(g, s, j, from);
        let factor = block.entry(g, gain, row, column);
        let factor = g.mul(factor, coupling);
        out.add_term(g, s.states[from], factor, false);
    }
    Ok(())
}

/// Two such states that drive a third.
fn driving(
    g: &mut Graph,
    s: &System,
    i: usize,
    (a, b): (usize, usize),
    out: &mut Affine,
) -> Result<(), NoForm> {
    if driven_at(g, s, a) || driven_at(g, s, b) {
        return Err(NoForm::Long);
    }
    let block = pair(g, s, (a, b));
    let rate = scaled(g, s, i, i);
    let gain = block.difference(g, rate);
    for (column, j) in [a, b].into_iter().enumerate() {
        for (row, k) in [a, b].into_iter().enumerate() {
            let coupling = scaled(g, s, i, k);
            let factor = block.entry(g, gain, row, column);
            let factor = g.mul(coupling, factor);
            out.add_term(g, s.states[j], factor, false);
        }
    }
    Ok(())
}

/// A state that no other drives: exp(a h) x + (exp(a h) - 1) / a * b. Where a term's factor is `|a|` itself, the quotient is 1.
fn scalar(g: &mut Graph, s: &System, i: usize, out: &mut Affine) {
    let (h, z) = (g.dt(), scaled(g, s, i, i));
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

/// All paths between units that end in `last`, each listed from there backwards, the path of `last` alone first.
fn paths(s: &System, units: &[Unit], last: Unit) -> Result<Vec<Vec<Unit>>, NoForm> {
    let mut all = vec![vec![last]];
    let mut at = 0;
    while at < all.len() {
        let path = all[at].clone();
        let head = path[path.len() - 1];
        for (j, &unit) in units.iter().enumerate() {
            // Each unit once: by its first member.
            let drives = |j: usize| head.members().any(|i| s.matrix[i][j].is_some());
            if unit == head || unit.members().next() != Some(j) || !unit.members().any(drives) {
                continue;
            }
            let mut longer = path.clone();
            longer.push(unit);
            all.push(longer);
        }
        if all.len() > MAX_PATHS {
            return Err(NoForm::Long);
        }
        at += 1;
    }
    Ok(all)
}
