//! Divided differences of exp: f[a] = e^a, f[a, b] = (f[a] - f[b]) / (a - b), and so on, without loss of digits at equal or nearly equal rates.
//!
//! Comes in: rates as uniform nodes. Goes out: nodes. (Opitz 1964; McCurdy, Ng & Parlett 1984, doi 10.2307/2007597.)

use super::exact::NoForm;
use super::graph::{Graph, Id};
use synfire_ir::model::{BinOp, UnOp};

/// Divided difference of exp at one to three rates.
pub fn difference(g: &mut Graph, rates: &[Id]) -> Result<Id, NoForm> {
    match *rates {
        [a] => Ok(g.un(UnOp::Exp, a)),
        [a, b] => Ok(difference2(g, a, b)),
        [a, b, c] => Ok(difference3(g, a, b, c)),
        _ => Err(NoForm::Long),
    }
}

/// (e^a - e^b) / (a - b), or e^a when both are equal.
pub fn difference2(g: &mut Graph, a: Id, b: Id) -> Id {
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
pub fn difference3(g: &mut Graph, a: Id, b: Id, c: Id) -> Id {
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
