//! Placement metrics under multicast along X-then-Y trees: a flow loads every link of the union of its paths once, which is what
//! dimension-ordered hardware does.
//!
//! The tree of a flow is a stretch of the source's row and, in every column with a destination, a stretch of that column; loads
//! of stretches go to difference arrays, so a flow costs O(destinations).

use super::block::{Cells, Spread};
use super::rows::Sums;
use super::unicast::{Costs, Places};
use crate::map::flow::Flows;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Multicast {
    pub mc_hops: f64,
    pub mc_energy: f64,
    /// What no placement gets below: as many links as parts that are reached.
    pub mc_energy_least: f64,
    pub mc_link_max: f64,
    pub mc_link_avg: f64,
}

/// Stretches of one direction, as differences along it.
pub(super) struct Lane(pub(super) Vec<f64>);

impl Lane {
    fn add(&mut self, from: usize, to: usize, w: f64) {
        self.0[from] += w;
        self.0[to] -= w;
    }

    fn each(&self, line: usize, f: &mut impl FnMut(usize, f64)) {
        for (r, row) in self.0.chunks(line).enumerate() {
            let mut sum = 0.0;
            for (k, v) in row.iter().enumerate() {
                sum += v;
                f(r * line + k, sum);
            }
        }
    }

    fn max(&self, line: usize) -> f64 {
        let mut max = 0.0f64;
        self.each(line, &mut |_, w| max = max.max(w));
        max
    }
}

/// Loads of all links: eastward and westward by row, northward and southward by column. Entry `k` of a line stands for the link between cells `k` and `k + 1`.
pub struct Lanes<'a> {
    p: &'a Places,
    pub(super) x: usize,
    pub(super) y: usize,
    east: Lane,
    west: Lane,
    pub(super) north: Lane,
    pub(super) south: Lane,
    hops: f64,
    packets: f64,
    /// Of the flow under way: lowest and highest row in each column, and whether there are such.
    low: Vec<u32>,
    high: Vec<u32>,
    stamp: Vec<u64>,
    columns: Vec<usize>,
    now: u64,
}

impl<'a> Lanes<'a> {
    /// Nothing on the way yet.
    pub(in crate::map) fn new(p: &'a Places) -> Lanes<'a> {
        let (x, y) = (p.x as usize, p.y as usize);
        let lane = || Lane(vec![0.0; x * y]);
        Lanes {
            p,
            x,
            y,
            east: lane(),
            west: lane(),
            north: lane(),
            south: lane(),
            hops: 0.0,
            packets: 0.0,
            low: vec![0; x],
            high: vec![0; x],
            stamp: vec![0; x],
            columns: vec![],
            now: 0,
        }
    }

    /// The stretch of a row from a source to column `c`.
    #[inline]
    pub(super) fn level(&mut self, (x, y): (u32, u32), c: u32, w: f64) {
        let row = y as usize * self.x;
        if c > x {
            self.east.add(row + x as usize, row + c as usize, w);
        } else if c < x {
            self.west.add(row + c as usize, row + x as usize, w);
        }
    }

    /// The stretch of column `c` from row `from` to the rows `low` and `high` on either side.
    fn upright(&mut self, c: usize, from: u32, (low, high): (u32, u32), w: f64) {
        let line = c * self.y;
        let (from, low, high) = (from as usize, low as usize, high as usize);
        self.north.add(line + from, line + high, w);
        self.south.add(line + low, line + from, w);
        self.hops += w * (high - low) as f64;
    }

    pub(in crate::map) fn block(&mut self, cells: &Cells) {
        let spread = Spread::of(cells);
        for &(x, y, w) in &cells.from {
            let (first, last) = (spread.first.min(x), spread.last.max(x));
            self.level((x, y), first, w);
            self.level((x, y), last, w);
            self.hops += w * (last - first) as f64;
            self.packets += w;
        }
        // The upright stretches of a column depend on the source's row only.
        for &(from, w) in &spread.rows {
            for &(c, low, high) in &spread.columns {
                self.upright(c as usize, from, (low.min(from), high.max(from)), w);
            }
        }
    }

    /// A row whose links are counted already.
    pub(super) fn row(&mut self, sums: &Sums) {
        self.hops += sums.hops;
        self.packets += sums.packets;
    }

    /// First and last column of the tree from `a`; its columns with destinations go to `self.columns`, their rows to `low` and `high`.
    fn survey(&mut self, a: (u32, u32), to: &[u32]) -> (u32, u32) {
        self.now += 1;
        let mut columns = std::mem::take(&mut self.columns);
        columns.clear();
        let (mut first, mut last) = (a.0, a.0);
        for &t in to {
            let b = self.p.at[t as usize];
            let k = b.0 as usize;
            if self.stamp[k] != self.now {
                self.stamp[k] = self.now;
                (self.low[k], self.high[k]) = (a.1, a.1);
                columns.push(k);
            }
            self.low[k] = self.low[k].min(b.1);
            self.high[k] = self.high[k].max(b.1);
            first = first.min(b.0);
            last = last.max(b.0);
        }
        self.columns = columns;
        (first, last)
    }

    pub(in crate::map) fn flow(&mut self, s: u32, to: &[u32], w: f64) {
        if to.is_empty() {
            return;
        }
        let a = self.p.at[s as usize];
        let (first, last) = self.survey(a, to);
        let columns = std::mem::take(&mut self.columns);
        self.level(a, first, w);
        self.level(a, last, w);
        self.hops += w * (last - first) as f64;
        self.packets += w;
        for &k in &columns {
            self.upright(k, a.1, (self.low[k], self.high[k]), w);
        }
        self.columns = columns;
    }

    /// Adds to one link: direction (0 east, 1 west, 2 north, 3 south), and the cell at its lower or left end.
    pub(in crate::map) fn link(&mut self, direction: u8, (c, r): (usize, usize), w: f64) {
        if w == 0.0 {
            return;
        }
        let (lane, k) = match direction {
            0 => (&mut self.east, r * self.x + c),
            1 => (&mut self.west, r * self.x + c),
            2 => (&mut self.north, c * self.y + r),
            _ => (&mut self.south, c * self.y + r),
        };
        lane.add(k, k + 1, w);
        self.hops += w;
    }

    /// Adds `load(direction, cell)` to every link of the tree from `a` to `to`.
    pub(in crate::map) fn each_link(
        &mut self,
        a: (u32, u32),
        to: &[u32],
        load: impl Fn(u8, (usize, usize)) -> f64,
    ) {
        let (first, last) = self.survey(a, to);
        let columns = std::mem::take(&mut self.columns);
        let (x, y) = (a.0 as usize, a.1 as usize);
        let mut one = |d: u8, at: (usize, usize)| self.link(d, at, load(d, at));
        (first as usize..x).for_each(|c| one(1, (c, y)));
        (x..last as usize).for_each(|c| one(0, (c, y)));
        for &k in &columns {
            let (low, high) = (self.low[k] as usize, self.high[k] as usize);
            (low..y).for_each(|r| self.link(3, (k, r), load(3, (k, r))));
            (y..high).for_each(|r| self.link(2, (k, r), load(2, (k, r))));
        }
        self.columns = columns;
    }

    /// Packets that are sent, where their links are counted elsewhere.
    pub(in crate::map) fn sent(&mut self, packets: f64) {
        self.packets += packets;
    }

    /// Each lane with the length of its lines: east, west, north, south.
    fn all(&self) -> [(&Lane, usize); 4] {
        let (x, y) = (self.x.max(1), self.y.max(1));
        [
            (&self.east, x),
            (&self.west, x),
            (&self.north, y),
            (&self.south, y),
        ]
    }

    /// `reached`: packets, counted at every destination.
    pub(in crate::map) fn finish(self, c: &Costs, reached: f64) -> Multicast {
        let (x, y) = (self.x, self.y);
        let directed = 2 * (x * y.saturating_sub(1) + y * x.saturating_sub(1));
        let largest = self.all().map(|(lane, n)| lane.max(n));
        let energy = |links: f64| links * c.energy_link + (links + self.packets) * c.energy_router;
        Multicast {
            mc_hops: self.hops,
            mc_energy: energy(self.hops),
            mc_energy_least: energy(reached),
            mc_link_max: largest.into_iter().fold(0.0, f64::max),
            mc_link_avg: if directed > 0 {
                self.hops / directed as f64
            } else {
                0.0
            },
        }
    }
}

/// All metrics in one pass.
pub fn multicast(flows: &impl Flows, p: &Places, c: &Costs) -> Multicast {
    super::both(flows, p, c, false).1
}

/// Links in use: (cell at the lower or left end, direction 0 east, 1 west, 2 north, 3 south, packets).
pub fn loads(flows: &impl Flows, p: &Places) -> Vec<((u32, u32), u8, f64)> {
    let mut lanes = Lanes::new(p);
    flows.each(&mut |s, to, w| lanes.flow(s, to, w));
    let mut out = vec![];
    for (d, (lane, n)) in lanes.all().into_iter().enumerate() {
        lane.each(n, &mut |k, w| {
            if w > 1e-9 {
                let (line, i) = ((k / n) as u32, (k % n) as u32);
                let at = if d < 2 { (i, line) } else { (line, i) };
                out.push((at, d as u8, w));
            }
        });
    }
    out
}
