//! Blocks: parts that each send one packet stream to all parts of a set. Their metrics follow from how sources and destinations spread over columns and rows, without
//! a walk over the pairs: hops O(parts + X + Y), multicast trees O(columns x rows of the sets), link load O(parts x rows of the sets).

use super::unicast::Places;
use crate::map::flow::Block;
use std::collections::BTreeMap;

/// Cells of a block: sources with their packets, and destinations.
pub struct Cells {
    /// Column, row, packets.
    pub from: Vec<(u32, u32, f64)>,
    /// Column, row.
    pub to: Vec<(u32, u32)>,
}

impl Cells {
    /// Where the parts of a block lie.
    pub fn of(block: &Block, p: &Places) -> Cells {
        let at = |i: u32| p.at[i as usize];
        let from = block.from.clone().zip(block.weight);
        Cells {
            from: from.map(|(i, &w)| (at(i).0, at(i).1, w)).collect(),
            to: block.to.clone().map(at).collect(),
        }
    }

    /// Number of (source, destination) pairs.
    pub fn pairs(&self) -> u64 {
        self.from.len() as u64 * self.to.len() as u64
    }

    /// Packets, counted at every destination.
    pub fn packets(&self) -> f64 {
        self.from.iter().map(|f| f.2).sum::<f64>() * self.to.len() as f64
    }

    /// Packets times links, and the same with one packet a pair.
    pub fn hops(&self) -> (f64, u64) {
        let across = distances(self.to.iter().map(|c| c.0));
        let along = distances(self.to.iter().map(|c| c.1));
        let (mut hops, mut plain) = (0.0, 0);
        for &(x, y, w) in &self.from {
            let d = at(&across, x) + at(&along, y);
            hops += w * d as f64;
            plain += d;
        }
        (hops, plain)
    }

    /// Links of the longest way.
    pub fn longest(&self) -> u32 {
        // The L1 distance is the larger of the differences along the two diagonals.
        let ends = |of: &dyn Fn(u32, u32) -> i64| {
            let span = |i: &mut dyn Iterator<Item = i64>| {
                i.fold((i64::MAX, i64::MIN), |s, v| (s.0.min(v), s.1.max(v)))
            };
            let a = span(&mut self.from.iter().map(|c| of(c.0, c.1)));
            let b = span(&mut self.to.iter().map(|c| of(c.0, c.1)));
            (a.1 - b.0).max(b.1 - a.0)
        };
        if self.from.is_empty() || self.to.is_empty() {
            return 0;
        }
        let rising = ends(&|x, y| x as i64 + y as i64);
        rising.max(ends(&|x, y| x as i64 - y as i64)) as u32
    }
}

/// What the trees of a block depend on.
pub struct Spread {
    /// First column of the destinations.
    pub first: u32,
    /// Their last column.
    pub last: u32,
    /// Columns with destinations: column, lowest and highest row.
    pub columns: Vec<(u32, u32, u32)>,
    /// Rows with sources, and their packets.
    pub rows: Vec<(u32, f64)>,
}

impl Spread {
    /// Of a block's cells.
    pub fn of(cells: &Cells) -> Spread {
        let mut columns = BTreeMap::new();
        for &(x, y) in &cells.to {
            let c = columns.entry(x).or_insert((y, y));
            *c = (c.0.min(y), c.1.max(y));
        }
        let mut rows = BTreeMap::new();
        for &(_, y, w) in &cells.from {
            *rows.entry(y).or_insert(0.0) += w;
        }
        Spread {
            first: columns.keys().next().copied().unwrap_or(0),
            last: columns.keys().next_back().copied().unwrap_or(0),
            columns: columns.into_iter().map(|(x, c)| (x, c.0, c.1)).collect(),
            rows: rows.into_iter().collect(),
        }
    }
}

/// Sum of distances to all of a set of positions: values from the first to the last position, the first position, and how many there are.
struct Distances {
    first: u32,
    value: Vec<u64>,
    count: u64,
}

fn distances(at: impl Iterator<Item = u32>) -> Distances {
    let at: Vec<u32> = at.collect();
    let first = at.iter().min().copied().unwrap_or(0);
    let last = at.iter().max().copied().unwrap_or(0);
    let mut here = vec![0u64; (last - first + 1) as usize];
    let mut sum = 0u64;
    for &p in &at {
        here[(p - first) as usize] += 1;
        sum += (p - first) as u64;
    }
    let (mut value, mut below) = (vec![], 0u64);
    for h in here {
        value.push(sum);
        // One step on is one further from all up to here and one nearer to the others.
        below += h;
        sum = sum + 2 * below - at.len() as u64;
    }
    Distances {
        first,
        value,
        count: at.len() as u64,
    }
}

fn at(d: &Distances, p: u32) -> u64 {
    let last = d.first + d.value.len() as u32 - 1;
    if p < d.first {
        d.value[0] + (d.first - p) as u64 * d.count
    } else if p > last {
        d.value[d.value.len() - 1] + (p - last) as u64 * d.count
    } else {
        d.value[(p - d.first) as usize]
    }
}

/// Adds, for every pair, the corners of its box's difference array for links in the first direction to `load` (`first * stride + second`): weight over
/// the box's extent in the second direction, from the lower to the higher first position.
pub fn corners(from: &[(u32, u32, f64)], to: &[(u32, u32, f64)], load: &mut [f64], stride: usize) {
    // Seen from a source, only how many destinations of each row lie to either side counts; and the same from a destination.
    let share: Vec<f64> = (0..2 * stride)
        .map(|k| 1.0 / (k.abs_diff(stride) + 1) as f64)
        .collect();
    for (points, others) in [(from, to), (to, from)] {
        let side = Sides::new(others);
        for &(x, y, w) in points {
            let column = &mut load[x as usize * stride..(x as usize + 1) * stride];
            side.add(x, y as usize, w, &share, column);
        }
    }
}

/// For every first position the weight of cells beyond it less the weight of those before it, by second position.
struct Sides {
    first: u32,
    second: usize,
    rows: usize,
    /// A line before all cells, one for each first position, one beyond all.
    lean: Vec<f64>,
}

impl Sides {
    fn new(cells: &[(u32, u32, f64)]) -> Sides {
        let span = |of: fn(&(u32, u32, f64)) -> u32| {
            let low = cells.iter().map(of).min().unwrap_or(0);
            (low, cells.iter().map(of).max().unwrap_or(0) - low + 1)
        };
        let ((first, columns), (second, rows)) = (span(|c| c.0), span(|c| c.1));
        let rows = rows as usize;
        let mut here = vec![0.0; columns as usize * rows];
        let mut line = vec![0.0; rows];
        for &(x, y, w) in cells {
            here[(x - first) as usize * rows + (y - second) as usize] += w;
            line[(y - second) as usize] += w;
        }
        let mut lean = line.clone();
        for column in here.chunks(rows) {
            line.iter_mut().zip(column).for_each(|(l, c)| *l -= c);
            lean.extend(&line);
            line.iter_mut().zip(column).for_each(|(l, c)| *l -= c);
        }
        lean.extend(&line);
        Sides {
            first,
            second: second as usize,
            rows,
            lean,
        }
    }

    /// The corners in the column of a cell of weight `w`. `share[column.len() + d]`: 1 / (|d| + 1).
    fn add(&self, x: u32, y: usize, w: f64, share: &[f64], column: &mut [f64]) {
        let last = self.lean.len() / self.rows - 1;
        let line = (x + 1).saturating_sub(self.first).min(last as u32) as usize;
        let lean = &self.lean[line * self.rows..(line + 1) * self.rows];
        let share = &share[column.len() + self.second - y..];
        let under = y.saturating_sub(self.second).min(self.rows);
        let above = &mut column[self.second..];
        let low = spread(w, &lean[..under], share, above);
        let high = -spread(-w, &lean[under..], &share[under..], &mut above[under + 1..]);
        column[y + 1] -= low;
        column[y] += high;
    }
}

/// Adds `w * lean * share` to `to`, element by element; gives the sum. Four sums side by side, since one waits for itself.
fn spread(w: f64, lean: &[f64], share: &[f64], to: &mut [f64]) -> f64 {
    let n = lean.len().min(share.len()).min(to.len());
    let (lean, share, to) = (&lean[..n], &share[..n], &mut to[..n]);
    let mut sums = [0.0; 4];
    let (mut l4, mut s4, mut t4) = (
        lean.chunks_exact(4),
        share.chunks_exact(4),
        to.chunks_exact_mut(4),
    );
    for ((l, s), t) in (&mut l4).zip(&mut s4).zip(&mut t4) {
        for k in 0..4 {
            let v = w * l[k] * s[k];
            t[k] += v;
            sums[k] += v;
        }
    }
    let rest = l4.remainder().iter().zip(s4.remainder());
    for ((l, s), t) in rest.zip(t4.into_remainder()) {
        let v = w * l * s;
        *t += v;
        sums[0] += v;
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}
