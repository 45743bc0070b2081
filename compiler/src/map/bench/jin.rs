//! The part-level "DNN" and "CNN" networks of Jin et al. (ASPLOS 2023; code: Jinouwen/mapping_cpp), bit for bit: one node is a full
//! core of 4096 neurons, `layers` layers of `width` nodes, node `l * width + j`, and a random weight for every edge.
//!
//! The published generator leaves the last layer unconnected; so do we. Weights come from libstdc++'s `default_random_engine(1)`
//! under `uniform_real_distribution<double>(0, 1)`. Edges are made anew in every pass and stored nowhere.

use crate::map::flow::{Flows, Row};

/// How a layer meets the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Every node with every node.
    Dense,
    /// Node `j` with `j .. j + K`, cut at the end.
    Window(u32),
}

/// One of the networks. See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Jin {
    /// Layers, the unconnected last one included.
    pub layers: u32,
    /// Nodes of a layer.
    pub width: u32,
    /// Edges.
    pub links: Links,
    /// New number of each node; empty: as generated. Flows then come in the order of generation, not of sources.
    pub renamed: Vec<u32>,
}

const MODULUS: u64 = 2_147_483_647;
const RANGE: f64 = 2_147_483_646.0;

/// libstdc++'s minstd_rand0 under its uniform double.
pub struct Uniform(u64);

impl Uniform {
    /// Seed 1.
    pub fn new() -> Uniform {
        Uniform(1)
    }

    #[inline]
    fn draw(&mut self) -> f64 {
        self.0 = product(self.0, STEP);
        (self.0 - 1) as f64
    }

    /// The next number in `[0, 1)`.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        let a = self.draw();
        let b = self.draw();
        let u = (a + b * RANGE) / (RANGE * RANGE);
        if u >= 1.0 {
            1.0 - f64::EPSILON / 2.0
        } else {
            u
        }
    }
}

/// The multiplier of minstd_rand0, and its power that skips eight draws.
const STEP: u64 = 16_807;
const SKIP: u64 = {
    let (mut s, mut i) = (1, 0);
    while i < 8 {
        s = s * STEP % MODULUS;
        i += 1;
    }
    s
};

/// `s * by` modulo 2^31 - 1 for `s` and `by` below it, `s` above 0: two folds.
#[inline]
fn product(s: u64, by: u64) -> u64 {
    let p = (s & 0xffff_ffff) * by;
    let once = (p & MODULUS) + (p >> 31);
    (once & MODULUS) + (once >> 31)
}

/// From two draws, counted from 1.
#[inline]
fn unit(a: u64, b: u64) -> f64 {
    let of = |s: u64| (s as u32 as i32 - 1) as f64;
    let u = (of(a) + of(b) * RANGE) / (RANGE * RANGE);
    u.min(1.0 - f64::EPSILON / 2.0)
}

impl Uniform {
    /// The next numbers, four at a time in lanes that skip ahead; the same numbers as [`Self::unit`] gives.
    pub fn fill(&mut self, out: &mut [f64]) {
        let (mut a, mut b) = ([0u64; 4], [0u64; 4]);
        let mut s = self.0;
        for i in 0..4 {
            a[i] = product(s, STEP);
            b[i] = product(a[i], STEP);
            s = b[i];
        }
        let mut four = out.chunks_exact_mut(4);
        for out in &mut four {
            for i in 0..4 {
                out[i] = unit(a[i], b[i]);
            }
            self.0 = b[3];
            for i in 0..4 {
                a[i] = product(a[i], SKIP);
                b[i] = product(b[i], SKIP);
            }
        }
        four.into_remainder()
            .iter_mut()
            .for_each(|o| *o = self.unit());
    }
}

impl Default for Uniform {
    fn default() -> Self {
        Uniform::new()
    }
}

impl Jin {
    /// `layers` x `width` nodes.
    pub fn new(layers: u32, width: u32, links: Links) -> Jin {
        Jin {
            layers,
            width,
            links,
            renamed: vec![],
        }
    }

    /// Targets of node `j` in the next layer.
    fn range(&self, j: u32) -> std::ops::Range<u32> {
        match self.links {
            Links::Dense => 0..self.width,
            Links::Window(k) => j..(j + k).min(self.width),
        }
    }

    /// Number of edges.
    pub fn edges(&self) -> u64 {
        let per: u64 = (0..self.width).map(|j| self.range(j).len() as u64).sum();
        per * self.layers.saturating_sub(2) as u64
    }

    /// Calls `f(from, to, weight)` for every edge in the order of generation.
    #[inline]
    pub fn each_edge(&self, mut f: impl FnMut(u32, u32, f64)) {
        let mut u = Uniform::new();
        for l in 0..self.layers.saturating_sub(2) {
            let (here, there) = (l * self.width, (l + 1) * self.width);
            for j in 0..self.width {
                for k in self.range(j) {
                    f(here + j, there + k, u.unit());
                }
            }
        }
    }
}

impl Jin {
    /// Are there rows to count with?
    fn in_rows(&self) -> bool {
        self.links == Links::Dense && self.renamed.is_empty()
    }
}

impl Flows for Jin {
    fn parts(&self) -> u32 {
        self.layers * self.width
    }

    fn each(&self, f: &mut impl FnMut(u32, &[u32], f64)) {
        if self.renamed.is_empty() {
            self.each_edge(|a, b, w| f(a, &[b], w));
        } else {
            let n = &self.renamed;
            self.each_edge(|a, b, w| f(n[a as usize], &[n[b as usize]], w));
        }
    }

    fn rows(&self, f: &mut impl FnMut(&Row)) {
        if !self.in_rows() {
            return;
        }
        let mut draws = Uniform::new();
        let mut weight = vec![0.0; self.width as usize];
        for from in 0..self.layers.saturating_sub(2) * self.width {
            draws.fill(&mut weight);
            let next = (from / self.width + 1) * self.width;
            f(&Row {
                from,
                to: next..next + self.width,
                weight: &weight,
            });
        }
    }

    fn rest(&self, f: &mut impl FnMut(u32, &[u32], f64)) {
        if !self.in_rows() {
            self.each(f);
        }
    }
}
