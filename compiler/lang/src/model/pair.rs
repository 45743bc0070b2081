//! Functions of a 2 x 2 matrix: two states that drive one another.
//!
//! For B with mean s of its diagonal and D = ((b11 - b22) / 2)^2 + b12 b21, the eigenvalues are s +- sqrt(D), and any function of it is
//! g(B) = g0 I + g1 (B - s I) with g0 the mean and g1 the divided difference of g at them (Sylvester 1883). D < 0 is an oscillation: the
//! same formulas in complex numbers, written out.

use super::differences::{difference2, difference3};
use super::graph::{Graph, Id};
use synfire_ir::model::{BinOp, UnOp};

/// A matrix of uniform nodes, already times the step.
pub struct Pair {
    rows: [[Id; 2]; 2],
    mean: Id,
    discriminant: Id,
    /// sqrt(|D|).
    root: Id,
}

/// Factors (g0, g1) of a function of the matrix.
pub type Factors = (Id, Id);

impl Pair {
    /// Takes the matrix.
    pub fn new(g: &mut Graph, rows: [[Id; 2]; 2]) -> Self {
        let half = g.real(0.5);
        let sum = g.add(rows[0][0], rows[1][1]);
        let mean = g.mul(half, sum);
        let gap = g.sub(rows[0][0], rows[1][1]);
        let gap = g.mul(half, gap);
        let square = g.mul(gap, gap);
        let product = g.mul(rows[0][1], rows[1][0]);
        let discriminant = g.add(square, product);
        let size = g.un(UnOp::Abs, discriminant);
        let root = g.un(UnOp::Sqrt, size);
        Pair {
            rows,
            mean,
            discriminant,
            root,
        }
    }

    /// Entry of the function with these factors.
    pub fn entry(&self, g: &mut Graph, (g0, g1): Factors, row: usize, column: usize) -> Id {
        if row != column {
            return g.mul(g1, self.rows[row][column]);
        }
        let off = g.sub(self.rows[row][row], self.mean);
        let part = g.mul(g1, off);
        g.add(g0, part)
    }

    fn eigenvalues(&self, g: &mut Graph) -> (Id, Id) {
        (g.add(self.mean, self.root), g.sub(self.mean, self.root))
    }

    fn choose(&self, g: &mut Graph, real: Factors, turning: Factors) -> Factors {
        let zero = g.real(0.0);
        let turns = g.bin(BinOp::Lt, self.discriminant, zero);
        (
            g.select(turns, turning.0, real.0),
            g.select(turns, turning.1, real.1),
        )
    }

    /// exp(B).
    pub fn exp(&self, g: &mut Graph) -> Factors {
        let (high, low) = self.eigenvalues(g);
        let (x, y) = (g.un(UnOp::Exp, high), g.un(UnOp::Exp, low));
        let real = (mean(g, x, y), difference2(g, high, low));
        let level = g.un(UnOp::Exp, self.mean);
        let (cosine, sine) = (g.un(UnOp::Cos, self.root), g.un(UnOp::Sin, self.root));
        let g0 = g.mul(level, cosine);
        let slope = g.div(sine, self.root);
        let g1 = g.mul(level, slope);
        self.choose(g, real, (g0, g1))
    }

    /// f[B, rate], the divided difference of exp with one more rate.
    pub fn difference(&self, g: &mut Graph, rate: Id) -> Factors {
        let (high, low) = self.eigenvalues(g);
        let (x, y) = (difference2(g, high, rate), difference2(g, low, rate));
        let real = (mean(g, x, y), difference3(g, high, low, rate));
        let turning = self.turning_difference(g, rate);
        self.choose(g, real, turning)
    }

    /// With z = x + i w its eigenvalue less the rate: e^rate (e^z - 1) / z has the real part g0 and the imaginary part w g1.
    fn turning_difference(&self, g: &mut Graph, rate: Id) -> Factors {
        let w = self.root;
        let x = g.sub(self.mean, rate);
        let (growth, cosine, sine) = (g.expm1(x), g.un(UnOp::Cos, w), g.un(UnOp::Sin, w));
        // e^x cos w - 1 = (e^x - 1) cos w - 2 sin^2(w / 2), which loses no digits for small z.
        let half = g.real(0.5);
        let half_angle = g.mul(half, w);
        let half_sine = g.un(UnOp::Sin, half_angle);
        let two = g.real(2.0);
        let double = g.mul(two, half_sine);
        let fall = g.mul(double, half_sine);
        let grown = g.mul(growth, cosine);
        let u = g.sub(grown, fall);
        let level = g.un(UnOp::Exp, x);
        let v = g.mul(level, sine);
        let norm = {
            let (xx, ww) = (g.mul(x, x), g.mul(w, w));
            g.add(xx, ww)
        };
        let base = g.un(UnOp::Exp, rate);
        let scale = g.div(base, norm);
        let real = {
            let (ux, vw) = (g.mul(u, x), g.mul(v, w));
            g.add(ux, vw)
        };
        let imaginary = {
            let (vx, uw) = (g.mul(v, x), g.mul(u, w));
            g.sub(vx, uw)
        };
        let slope = g.div(imaginary, w);
        (g.mul(scale, real), g.mul(scale, slope))
    }
}

fn mean(g: &mut Graph, a: Id, b: Id) -> Id {
    let half = g.real(0.5);
    let sum = g.add(a, b);
    g.mul(half, sum)
}
