//! Placement of layers that meet all-to-all: which cells a layer takes.
//!
//! With (nearly) equal weights between two layers only the sets of cells count, and the distance from a cell to all cells of a layer is
//! the sum of a function of its column and one of its row. Each layer keeps both functions over a window that holds all its cells;
//! outside they are straight lines. So the gain of exchanging two cells costs O(1) and the exchange O(window), whatever the width of a layer.

use crate::map::rng::Rng;

/// No layer.
pub const NONE: u32 = u32::MAX;

/// Sum of |p - q| over the q of a layer, along one axis: the window's first position, its entries in [`Layers::value`], and how many q there are.
#[derive(Clone, Copy, Debug)]
struct Axis {
    from: i32,
    length: i32,
    first: u32,
    count: i32,
}

impl Axis {
    fn new(list: &[i32], slack: i32, size: i32, value: &mut Vec<i32>) -> Axis {
        let low = list.iter().min().copied().unwrap_or(0);
        let high = list.iter().max().copied().unwrap_or(0);
        let from = (low - slack).max(0);
        let to = (high + slack).min(size - 1);
        let mut a = Axis {
            from,
            length: to - from + 1,
            first: value.len() as u32,
            count: 0,
        };
        // One step on is one further from all up to here and one nearer to the others.
        let mut here = vec![0; a.length as usize];
        list.iter().for_each(|q| here[(q - from) as usize] += 1);
        let mut sum: i32 = list.iter().map(|q| q - from).sum();
        let mut below = 0;
        for h in here {
            value.push(sum);
            below += h;
            sum += 2 * below - list.len() as i32;
        }
        a.count = list.len() as i32;
        a
    }

    fn holds(&self, q: i32) -> bool {
        q >= self.from && q < self.from + self.length
    }

    fn entries(&self) -> std::ops::Range<usize> {
        self.first as usize..self.first as usize + self.length as usize
    }

    #[inline]
    fn add(&mut self, q: i32, sign: i32, value: &mut [i32]) {
        let from = self.from;
        for (i, v) in value[self.entries()].iter_mut().enumerate() {
            *v += sign * (from + i as i32 - q).abs();
        }
        self.count += sign;
    }

    #[inline]
    fn at(&self, p: i32, value: &[i32]) -> i32 {
        let k = p - self.from;
        let inside = k.clamp(0, self.length - 1);
        value[self.first as usize + inside as usize] + (k - inside).abs() * self.count
    }
}

/// Layers on a mesh.
pub struct Layers {
    x: i32,
    y: i32,
    label: Vec<u32>,
    axis: Vec<[Axis; 2]>,
    value: Vec<i32>,
    /// Does layer `l` meet `l + 1`?
    meets: Vec<bool>,
}

impl Layers {
    /// From the layer of every cell (`x * rows + y`); `meets[l]`: layer `l` meets `l + 1`.
    pub fn new(x: u32, y: u32, label: Vec<u32>, meets: Vec<bool>, slack: i32) -> Layers {
        let n = meets.len();
        let mut cells: Vec<[Vec<i32>; 2]> = vec![[vec![], vec![]]; n];
        for (c, &l) in label.iter().enumerate() {
            if l != NONE {
                cells[l as usize][0].push((c / y as usize) as i32);
                cells[l as usize][1].push((c % y as usize) as i32);
            }
        }
        let mut value = vec![];
        let mut of = |c: &[Vec<i32>; 2]| {
            [
                Axis::new(&c[0], slack, x as i32, &mut value),
                Axis::new(&c[1], slack, y as i32, &mut value),
            ]
        };
        let axis = cells.iter().map(&mut of).collect();
        Layers {
            x: x as i32,
            y: y as i32,
            label,
            axis,
            value,
            meets,
        }
    }

    #[inline]
    fn place(&self, c: usize) -> (i32, i32) {
        ((c as i32) / self.y, (c as i32) % self.y)
    }

    #[inline]
    fn to(&self, l: u32, p: (i32, i32)) -> i32 {
        let a = &self.axis[l as usize];
        a[0].at(p.0, &self.value) + a[1].at(p.1, &self.value)
    }

    /// Distance of `p` to the layers that meet `l`, less that of `q`.
    #[inline]
    fn around(&self, l: u32, p: (i32, i32), q: (i32, i32)) -> i32 {
        if l == NONE {
            return 0;
        }
        let mut d = 0;
        if l > 0 && self.meets[l as usize - 1] {
            d += self.to(l - 1, p) - self.to(l - 1, q);
        }
        if self.meets[l as usize] {
            d += self.to(l + 1, p) - self.to(l + 1, q);
        }
        d
    }

    /// Change of the total distance when the layers of two cells are exchanged.
    #[inline]
    pub fn gain(&self, c: usize, d: usize) -> i32 {
        let (a, b) = (self.label[c], self.label[d]);
        self.change((a, self.place(c)), (b, self.place(d)))
    }

    /// The same for layers `a` and `b` at `p` and `q`.
    #[inline]
    fn change(&self, (a, p): (u32, (i32, i32)), (b, q): (u32, (i32, i32))) -> i32 {
        let both = (a != NONE && a.wrapping_add(1) == b && self.meets[a as usize])
            || (b != NONE && b.wrapping_add(1) == a && self.meets[b as usize]);
        self.around(a, q, p)
            + self.around(b, p, q)
            + if both {
                2 * ((p.0 - q.0).abs() + (p.1 - q.1).abs())
            } else {
                0
            }
    }

    /// May the exchange be made inside the layers' windows?
    #[inline]
    fn allowed(&self, (a, p): (u32, (i32, i32)), (b, q): (u32, (i32, i32))) -> bool {
        let fits = |l: u32, p: (i32, i32)| {
            l == NONE
                || (self.axis[l as usize][0].holds(p.0) && self.axis[l as usize][1].holds(p.1))
        };
        fits(a, q) && fits(b, p)
    }

    fn swap(&mut self, c: usize, d: usize) {
        let (p, q) = (self.place(c), self.place(d));
        for (l, from, to) in [(self.label[c], p, q), (self.label[d], q, p)] {
            if l != NONE {
                let a = &mut self.axis[l as usize];
                if from.0 != to.0 {
                    a[0].add(from.0, -1, &mut self.value);
                    a[0].add(to.0, 1, &mut self.value);
                }
                if from.1 != to.1 {
                    a[1].add(from.1, -1, &mut self.value);
                    a[1].add(to.1, 1, &mut self.value);
                }
            }
        }
        self.label.swap(c, d);
    }

    /// Total distance between all pairs of cells of layers that meet.
    pub fn total(&self) -> f64 {
        let mut sum = 0.0;
        for (c, &l) in self.label.iter().enumerate() {
            if l != NONE && self.meets[l as usize] {
                sum += self.to(l + 1, self.place(c)) as f64;
            }
        }
        sum
    }

    /// Annealing over exchanges within `window` cells.
    pub fn anneal(&mut self, moves: u64, hot: f64, cold: f64, window: (f64, f64), rng: &mut Rng) {
        let steps = 400u64;
        let table: Vec<f64> = (0..4096)
            .map(|i| -((i as f64 + 0.5) / 4096.0).ln())
            .collect();
        // Moves go tile by tile, so that cells and layers near one another are at hand.
        let (tx, ty) = ((self.x as u64 / 32).max(1), (self.y as u64 / 32).max(1));
        let (tiles, across, along) = (tx * ty, self.x as u64 / tx, self.y as u64 / ty);
        let (w, h) = (across + self.x as u64 % tx, along + self.y as u64 % ty);
        // The low half of a word as a number below `n`.
        let scaled = |bits: u64, n: u64| (((bits & 0xffff_ffff) * n) >> 32) as i32;
        for s in 0..steps {
            let f = s as f64 / steps as f64;
            let t = hot * (cold / hot).powf(f);
            let r = (window.0 * (window.1 / window.0).powf(f)).max(1.0) as u64;
            let each = moves.div_ceil(steps);
            let span = 2 * r + 1;
            for tile in 0..tiles {
                let (left, low) = ((tile / ty * across) as i32, (tile % ty * along) as i32);
                for _ in (tile * each).div_ceil(tiles)..((tile + 1) * each).div_ceil(tiles) {
                    let bits = rng.bits();
                    let x = left + scaled(bits, w);
                    let y = low + scaled(bits >> 32, h);
                    let bits = rng.bits();
                    let x2 = x + scaled(bits, span) - r as i32;
                    let y2 = y + scaled(bits >> 32, span) - r as i32;
                    if x2 < 0 || y2 < 0 || x2 >= self.x || y2 >= self.y {
                        continue;
                    }
                    let (c, d) = ((x * self.y + y) as usize, (x2 * self.y + y2) as usize);
                    let here = (self.label[c], (x, y));
                    let there = (self.label[d], (x2, y2));
                    if here.0 == there.0 {
                        continue;
                    }
                    let g = self.change(here, there) as f64;
                    if (g <= 0.0 || g < t * table[(rng.bits() & 4095) as usize])
                        && self.allowed(here, there)
                    {
                        self.swap(c, d);
                    }
                }
            }
        }
    }

    /// Layer of every cell.
    pub fn labels(&self) -> &[u32] {
        &self.label
    }
}
