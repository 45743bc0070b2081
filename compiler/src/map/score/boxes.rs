//! Link and core load when a packet may take any shortest path.
//!
//! `Links`: the packet's weight is spread evenly over its bounding box (Jinouwen/mapping_cpp). Four updates of a difference array a
//! direction and packet, one prefix sum at the end: O(packets + links), where the public code takes O(packets * box area).
//! `Cores`: the probability that a packet passes a core when it takes x or y with 1/2 each while both remain (AxonFlow), on the full
//! box; tables by box size make it O(box area) a packet, with a stated bound on the work.

use super::block::{Cells, corners};

/// Link load of the box model.
#[derive(Clone, Debug)]
pub struct LinkLoad {
    x: usize,
    y: usize,
    /// Corners of boxes for links along a row, `column * stride + row`.
    pub(super) across: Vec<f64>,
    /// The same for links along a column.
    pub(super) along: Vec<f64>,
    /// Upright links of blocks, `row * (columns + 1) + column`; empty where there are none.
    turned: Vec<f64>,
}

impl LinkLoad {
    /// An empty mesh of `x` columns and `y` rows.
    pub fn new(x: u32, y: u32) -> LinkLoad {
        let (x, y) = (x as usize, y as usize);
        LinkLoad {
            x,
            y,
            across: vec![0.0; (x + 1) * (y + 1)],
            along: vec![0.0; (x + 1) * (y + 1)],
            turned: vec![],
        }
    }

    /// Entries of a column.
    pub(super) fn stride(&self) -> usize {
        self.y + 1
    }

    /// The packets of a block.
    pub fn add_block(&mut self, cells: &Cells) {
        if cells.pairs() == 0 {
            return;
        }
        let to: Vec<(u32, u32, f64)> = cells.to.iter().map(|c| (c.0, c.1, 1.0)).collect();
        corners(&cells.from, &to, &mut self.across, self.y + 1);
        self.turned.resize((self.x + 1) * (self.y + 1), 0.0);
        let turn = |list: &[(u32, u32, f64)]| -> Vec<(u32, u32, f64)> {
            list.iter().map(|&(x, y, w)| (y, x, w)).collect()
        };
        let (from, to) = (turn(&cells.from), turn(&to));
        corners(&from, &to, &mut self.turned, self.x + 1);
    }

    /// A packet of weight `w` from `a` to `b`.
    #[inline]
    pub fn add(&mut self, a: (u32, u32), b: (u32, u32), w: f64) {
        let (x0, x1) = (a.0.min(b.0) as usize, a.0.max(b.0) as usize);
        let (y0, y1) = (a.1.min(b.1) as usize, a.1.max(b.1) as usize);
        let s = self.y + 1;
        if x1 > x0 {
            let v = w / (y1 - y0 + 1) as f64;
            self.across[x0 * s + y0] += v;
            self.across[x1 * s + y0] -= v;
            self.across[x0 * s + y1 + 1] -= v;
            self.across[x1 * s + y1 + 1] += v;
        }
        if y1 > y0 {
            let v = w / (x1 - x0 + 1) as f64;
            self.along[x0 * s + y0] += v;
            self.along[(x1 + 1) * s + y0] -= v;
            self.along[x0 * s + y1] -= v;
            self.along[(x1 + 1) * s + y1] += v;
        }
    }

    /// (mean over the 2XY - X - Y undirected links, largest).
    pub fn finish(mut self) -> (f64, f64) {
        let (x, y, s) = (self.x, self.y, self.y + 1);
        let t = x + 1;
        for (k, v) in self.turned.iter().enumerate() {
            self.along[k % t * s + k / t] += v;
        }
        let (mut sum, mut max) = (0.0, 0.0f64);
        for d in [&mut self.across, &mut self.along] {
            for i in 0..x {
                let mut row = 0.0;
                for j in 0..y {
                    row += d[i * s + j];
                    let v = row + if i > 0 { d[(i - 1) * s + j] } else { 0.0 };
                    d[i * s + j] = v;
                    sum += v;
                    max = max.max(v);
                }
            }
        }
        let links = (2 * x * y - x - y) as f64;
        (if links > 0.0 { sum / links } else { 0.0 }, max)
    }
}

/// Core load of the half-and-half law.
#[derive(Clone, Debug)]
pub struct CoreLoad {
    y: usize,
    load: Vec<f64>,
    /// Probabilities by (dx, dy), made when first met.
    tables: Vec<Vec<f64>>,
    side: usize,
    work: u64,
}

/// Cells that [`CoreLoad`] visits at most before it gives up.
const CORE_WORK: u64 = 2_000_000_000;
/// Largest extent of a box with a stored table.
const TABLE_SIDE: usize = 128;

impl CoreLoad {
    /// An empty mesh.
    pub fn new(x: u32, y: u32) -> CoreLoad {
        CoreLoad {
            y: y as usize,
            load: vec![0.0; x as usize * y as usize],
            tables: vec![vec![]; TABLE_SIDE * TABLE_SIDE],
            side: TABLE_SIDE,
            work: 0,
        }
    }

    /// A packet of weight `w` from `a` to `b`.
    pub fn add(&mut self, a: (u32, u32), b: (u32, u32), w: f64) {
        let (dx, dy) = (a.0.abs_diff(b.0) as usize, a.1.abs_diff(b.1) as usize);
        let area = ((dx + 1) * (dy + 1)) as u64;
        self.work = self.work.saturating_add(area);
        if self.work > CORE_WORK {
            return;
        }
        let made;
        let p: &[f64] = if dx < self.side && dy < self.side {
            let t = &mut self.tables[dx * TABLE_SIDE + dy];
            if t.is_empty() {
                *t = passing(dx, dy);
            }
            t
        } else {
            made = passing(dx, dy);
            &made
        };
        for i in 0..=dx {
            let x = if b.0 >= a.0 {
                a.0 as usize + i
            } else {
                a.0 as usize - i
            };
            for j in 0..=dy {
                let y = if b.1 >= a.1 {
                    a.1 as usize + j
                } else {
                    a.1 as usize - j
                };
                self.load[x * self.y + y] += w * p[i * (dy + 1) + j];
            }
        }
    }

    /// (mean over all cores, largest); `None` when the boxes were too many and too large.
    pub fn finish(self) -> Option<(f64, f64)> {
        if self.work > CORE_WORK {
            return None;
        }
        let n = self.load.len().max(1) as f64;
        Some((
            self.load.iter().sum::<f64>() / n,
            self.load.iter().fold(0.0, |a: f64, b| a.max(*b)),
        ))
    }
}

/// Probability of passing (i, j) on the way from (0, 0) to (dx, dy), row by row.
fn passing(dx: usize, dy: usize) -> Vec<f64> {
    let s = dy + 1;
    let mut p = vec![0.0; (dx + 1) * s];
    p[0] = 1.0;
    for i in 0..=dx {
        for j in 0..=dy {
            let from_x = if i > 0 {
                p[(i - 1) * s + j] * if j < dy { 0.5 } else { 1.0 }
            } else {
                0.0
            };
            let from_y = if j > 0 {
                p[i * s + j - 1] * if i < dx { 0.5 } else { 1.0 }
            } else {
                0.0
            };
            if i + j > 0 {
                p[i * s + j] = from_x + from_y;
            }
        }
    }
    p
}
