//! What connects cores: a mesh, a torus or a hexagonal fabric of nodes, each one core or a block of cores behind one router. Links across the borders of larger
//! blocks (chips, boards) may cost more than those inside, and links may be dead.
//!
//! [`Fabric`] says what there is, [`Ways`] how far it is and along which links. Packets take columns first, then rows, then the diagonal; on a torus to the side with
//! fewer links (of equals the cheaper, then the positive one). On a hexagonal fabric a node also has links to (+1, +1) and (-1, -1), and the way is a shortest
//! one. A way that meets a dead link is replaced by the cheapest one that meets none. Costs are in links inside a block.
//!
//! Deliberately absent: cores without neighbours' links (a bus), which need no placement.

mod stretch;
mod tree;

pub use tree::Grower;

use super::layout::curve::Cell;
use std::cell::RefCell;
use std::collections::{BTreeMap, BinaryHeap};
use std::rc::Rc;

/// A block of cores, such as a chip or a board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Border {
    /// Columns of a block.
    pub x: u32,
    /// Rows of a block.
    pub y: u32,
    /// What a link across its border costs.
    pub hop: f64,
}

/// See the module. The default is a plain mesh.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fabric {
    /// Do the edges wrap around?
    pub torus: bool,
    /// Are there links along the diagonal?
    pub hexagonal: bool,
    /// Columns and rows of the cores behind one router; `None`: each core has its own.
    pub node: Option<Cell>,
    /// Blocks whose borders cost, from inside out; each is a multiple of the one before and divides the whole.
    pub borders: Vec<Border>,
    /// Pairs of cores between whose nodes the link is dead, in both directions.
    pub dead_links: Vec<(Cell, Cell)>,
}

impl Fabric {
    /// A mesh in which every link is alive and costs the same?
    pub fn plain(&self) -> bool {
        !self.torus
            && !self.hexagonal
            && self.node.is_none_or(|n| n == (1, 1))
            && self.borders.iter().all(|b| b.hop == 1.0)
            && self.dead_links.is_empty()
    }
}

/// Directions of links: east, west, north, south, north-east, south-west. Of two opposite ones the first is even.
pub const DIRECTIONS: usize = 6;
const STEPS: [(i64, i64); DIRECTIONS] = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)];
/// No link leads here.
const NOWHERE: u8 = u8::MAX;
/// Bytes of detours that are remembered.
const REMEMBERED: usize = 64 << 20;

/// A directed link: `6 * node + direction`, where the node is the one at the lower or left end (before a wrap, the last one), and nodes are numbered
/// `column * rows + row`.
pub type Link = u32;

/// Distances and ways on a fabric. See the module.
pub struct Ways {
    /// Columns and rows of nodes.
    size: (u32, u32),
    /// Columns and rows of cores of a node.
    node: Cell,
    torus: bool,
    hexagonal: bool,
    even: bool,
    /// Cost of the link from each column (row) to the next, around the edge for the last.
    hop: [Vec<f64>; 2],
    /// Sums of these.
    upto: [Vec<f64>; 2],
    /// Dead links, ascending.
    dead: Vec<Link>,
    /// With dead links: how many links in a row are alive from each node in each direction (at most `u16::MAX`, which also stands for a ring without end).
    open: Vec<u16>,
    /// Direction of the last step to each node from a source.
    detours: RefCell<BTreeMap<u32, Rc<Vec<u8>>>>,
}

impl Ways {
    /// Of a fabric of `x` columns and `y` rows of cores.
    pub fn new(x: u32, y: u32, fabric: &Fabric) -> Ways {
        let node = fabric.node.map_or((1, 1), |n| (n.0.max(1), n.1.max(1)));
        let size = ((x / node.0).max(1), (y / node.1).max(1));
        let hop = [
            hops(size.0, fabric.borders.iter().map(|b| (b.x / node.0, b.hop))),
            hops(size.1, fabric.borders.iter().map(|b| (b.y / node.1, b.hop))),
        ];
        let sums = |list: &Vec<f64>| {
            let mut sum = 0.0;
            let ends = list.iter().map(|c| {
                sum += c;
                sum
            });
            std::iter::once(0.0).chain(ends).collect()
        };
        let mut ways = Ways {
            size,
            node,
            torus: fabric.torus,
            hexagonal: fabric.hexagonal,
            even: hop.iter().flatten().all(|c| *c == 1.0),
            upto: [sums(&hop[0]), sums(&hop[1])],
            hop,
            dead: vec![],
            open: vec![],
            detours: RefCell::default(),
        };
        let mut dead = vec![];
        for &(a, b) in &fabric.dead_links {
            let (a, b) = (ways.router(a), ways.router(b));
            for d in 0..DIRECTIONS {
                if ways.next(a, d) == Some(b) {
                    dead.extend([ways.link(a, d, b), ways.link(b, d ^ 1, a)]);
                }
            }
        }
        dead.sort_unstable();
        dead.dedup();
        ways.dead = dead;
        if !ways.dead.is_empty() {
            ways.open = ways.stretches();
        }
        ways
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.size.0 as usize * self.size.1 as usize
    }

    /// The node of a core.
    #[inline]
    pub fn router(&self, c: Cell) -> u32 {
        (c.0 / self.node.0) * self.size.1 + c.1 / self.node.1
    }

    /// The first core of a node.
    pub fn first(&self, node: u32) -> Cell {
        let (column, row) = (node / self.size.1, node % self.size.1);
        (column * self.node.0, row * self.node.1)
    }

    /// The first core of the node at the lower or left end of a link, and the link's direction.
    pub fn end(&self, link: Link) -> (Cell, u8) {
        let (n, d) = (link / DIRECTIONS as u32, link % DIRECTIONS as u32);
        (self.first(n), d as u8)
    }

    /// Directed links that are alive.
    pub fn links(&self) -> u64 {
        let all: usize = (0..self.nodes() as u32)
            .map(|n| self.around(n).count())
            .sum();
        all as u64
    }

    /// Is there a link between the nodes of two cores, dead or alive?
    pub fn linked(&self, a: Cell, b: Cell) -> bool {
        let (a, b) = (self.router(a), self.router(b));
        (0..DIRECTIONS).any(|d| self.next(a, d) == Some(b))
    }

    /// The node one step on.
    fn next(&self, n: u32, d: usize) -> Option<u32> {
        if d >= 4 && !self.hexagonal {
            return None;
        }
        let (w, h) = (self.size.0 as i64, self.size.1 as i64);
        let (x, y) = (n as i64 / h + STEPS[d].0, n as i64 % h + STEPS[d].1);
        let inside = (0..w).contains(&x) && (0..h).contains(&y);
        if !inside && !self.torus {
            return None;
        }
        let to = (x.rem_euclid(w) * h + y.rem_euclid(h)) as u32;
        (to != n).then_some(to)
    }

    fn link(&self, from: u32, d: usize, to: u32) -> Link {
        let end = if d.is_multiple_of(2) { from } else { to };
        end * DIRECTIONS as u32 + d as u32
    }

    /// Cost of a link.
    pub fn hop(&self, link: Link) -> f64 {
        let (n, d) = (link / DIRECTIONS as u32, link as usize % DIRECTIONS);
        let (x, y) = ((n / self.size.1) as usize, (n % self.size.1) as usize);
        match d / 2 {
            0 => self.hop[0][x],
            1 => self.hop[1][y],
            _ => self.hop[0][x].max(self.hop[1][y]),
        }
    }

    /// Mean cost of a link between neighbours along columns and rows.
    pub fn mean(&self) -> f64 {
        let all = self.hop.iter().flatten();
        all.clone().sum::<f64>() / all.count().max(1) as f64
    }

    /// Cost of the cheapest link.
    pub fn cheapest(&self) -> f64 {
        self.hop
            .iter()
            .flatten()
            .copied()
            .reduce(f64::min)
            .unwrap_or(0.0)
    }

    /// Links that a part needs at least to be reached: none where cores share nodes.
    pub fn least(&self) -> f64 {
        if self.node == (1, 1) { 1.0 } else { 0.0 }
    }

    /// Links that leave a node and are alive: (direction, node at the other end, link).
    fn around(&self, n: u32) -> impl Iterator<Item = (usize, u32, Link)> + '_ {
        (0..DIRECTIONS).filter_map(move |d| {
            let to = self.next(n, d)?;
            let link = self.link(n, d, to);
            self.alive(link).then_some((d, to, link))
        })
    }

    #[inline]
    fn alive(&self, link: Link) -> bool {
        self.dead.is_empty() || self.dead.binary_search(&link).is_err()
    }

    /// Cost of `count` steps (negative: backward) along an axis.
    fn run(&self, axis: usize, from: u32, count: i64) -> f64 {
        if self.even {
            return count.abs() as f64;
        }
        let n = self.hop[axis].len() as i64;
        let (a, b) = (from as i64, from as i64 + count);
        let (low, high) = (a.min(b), a.max(b));
        let at = |p: i64| {
            let turns = p.div_euclid(n) as f64;
            turns * self.upto[axis][n as usize] + self.upto[axis][p.rem_euclid(n) as usize]
        };
        at(high) - at(low)
    }

    /// Cost of `count` diagonal steps.
    fn diagonal(&self, from: (u32, u32), count: i64) -> f64 {
        if self.even {
            return count.abs() as f64;
        }
        let (w, h) = (self.size.0 as i64, self.size.1 as i64);
        let first = count.min(0);
        let step = |k: i64| {
            let x = (from.0 as i64 + first + k).rem_euclid(w) as usize;
            let y = (from.1 as i64 + first + k).rem_euclid(h) as usize;
            self.hop[0][x].max(self.hop[1][y])
        };
        (0..count.abs()).map(step).sum()
    }

    /// Steps along columns, rows and the diagonal, and their cost.
    fn steps(&self, a: u32, b: u32) -> ([i64; 3], f64) {
        let h = self.size.1;
        let (from, to) = ((a / h, a % h), (b / h, b % h));
        let dx = self.shorter(0, from.0, to.0);
        let dy = self.shorter(1, from.1, to.1);
        if !self.hexagonal {
            let cost = self.run(0, from.0, dx[0]) + self.run(1, from.1, dy[0]);
            return ([dx[0], dy[0], 0], cost);
        }
        let mut best = ([0; 3], i64::MAX, f64::INFINITY);
        for x in self.both(dx) {
            for y in self.both(dy) {
                let both = if x.signum() == y.signum() {
                    x.signum() * x.abs().min(y.abs())
                } else {
                    0
                };
                let steps = [x - both, y - both, both];
                let links = steps.iter().map(|s| s.abs()).sum::<i64>();
                if links > best.1 {
                    continue;
                }
                let turned = |c: u32, by: i64, n: u32| (c as i64 + by).rem_euclid(n as i64) as u32;
                let corner = (
                    turned(from.0, steps[0], self.size.0),
                    turned(from.1, steps[1], h),
                );
                let cost = self.run(0, from.0, steps[0])
                    + self.run(1, from.1, steps[1])
                    + self.diagonal(corner, both);
                if links < best.1 || cost < best.2 {
                    best = (steps, links, cost);
                }
            }
        }
        (best.0, best.2)
    }

    /// Steps from one column or row to another: the better of the two ways round first.
    fn shorter(&self, axis: usize, from: u32, to: u32) -> [i64; 2] {
        let n = self.hop[axis].len() as i64;
        let d = to as i64 - from as i64;
        if !self.torus || d == 0 {
            return [d, d];
        }
        let on = d.rem_euclid(n);
        let back = on - n;
        let worse =
            on > -back || (on == -back && self.run(axis, from, on) > self.run(axis, from, back));
        if worse { [back, on] } else { [on, back] }
    }

    /// Both ways round, where there are two.
    fn both(&self, d: [i64; 2]) -> impl Iterator<Item = i64> {
        let n = if d[0] == d[1] { 1 } else { 2 };
        d.into_iter().take(n)
    }

    /// Cost of the way between two cores, dead links left aside.
    #[inline]
    pub fn straight(&self, a: Cell, b: Cell) -> f64 {
        let (a, b) = (self.router(a), self.router(b));
        if a == b { 0.0 } else { self.steps(a, b).1 }
    }

    /// Cost of the way between two cores; infinite where there is none.
    pub fn distance(&self, a: Cell, b: Cell) -> f64 {
        let (from, to) = (self.router(a), self.router(b));
        if from == to {
            return 0.0;
        }
        let (steps, cost) = self.steps(from, to);
        if self.clear(from, &steps) {
            return cost;
        }
        let mut cost = 0.0;
        let found = self.way(a, b, &mut |link, _| cost += self.hop(link));
        if found { cost } else { f64::INFINITY }
    }

    /// Calls `f` for every link of the way and the node behind it, in order. `false`: there is no way.
    pub fn way(&self, a: Cell, b: Cell, f: &mut impl FnMut(Link, u32)) -> bool {
        let (from, to) = (self.router(a), self.router(b));
        if from == to {
            return true;
        }
        let steps = self.steps(from, to).0;
        if self.clear(from, &steps) {
            self.walk(from, &steps, f);
            return true;
        }
        let last = self.detour(from);
        let mut way = vec![];
        let mut at = to;
        while at != from {
            let d = last[at as usize];
            if d == NOWHERE {
                return false;
            }
            let Some(before) = self.next(at, d as usize ^ 1) else {
                return false;
            };
            way.push((self.link(before, d as usize, at), at));
            at = before;
        }
        way.into_iter().rev().for_each(|(link, n)| f(link, n));
        true
    }

    fn walk(&self, from: u32, steps: &[i64; 3], f: &mut impl FnMut(Link, u32)) {
        let mut at = from;
        for (axis, &count) in steps.iter().enumerate() {
            let d = 2 * axis + (count < 0) as usize;
            for _ in 0..count.abs() {
                let Some(to) = self.next(at, d) else { return };
                f(self.link(at, d, to), to);
                at = to;
            }
        }
    }

    /// The cheapest ways from a node along links that are alive (Dijkstra; of equal ones the node of the lower number is settled first).
    fn detour(&self, from: u32) -> Rc<Vec<u8>> {
        let mut known = self.detours.borrow_mut();
        if let Some(d) = known.get(&from) {
            return d.clone();
        }
        if known.len() * self.nodes() > REMEMBERED {
            known.clear();
        }
        let mut cost = vec![f64::INFINITY; self.nodes()];
        let mut last = vec![NOWHERE; self.nodes()];
        let mut open = BinaryHeap::new();
        cost[from as usize] = 0.0;
        open.push(Open(0.0, from));
        while let Some(Open(c, n)) = open.pop() {
            if c > cost[n as usize] {
                continue;
            }
            for (d, to, link) in self.around(n) {
                let new = c + self.hop(link);
                if new < cost[to as usize] {
                    cost[to as usize] = new;
                    last[to as usize] = d as u8;
                    open.push(Open(new, to));
                }
            }
        }
        let last = Rc::new(last);
        known.insert(from, last.clone());
        last
    }

    /// Is each node joined by links that are alive to the largest set of nodes that are joined?
    pub fn joined(&self) -> Vec<bool> {
        let n = self.nodes();
        if self.dead.is_empty() {
            return vec![true; n];
        }
        let mut set = vec![u32::MAX; n];
        let mut sizes: Vec<u32> = vec![];
        for first in 0..n {
            if set[first] != u32::MAX {
                continue;
            }
            let name = sizes.len() as u32;
            let mut open = vec![first as u32];
            set[first] = name;
            let mut count = 0;
            while let Some(at) = open.pop() {
                count += 1;
                for (_, to, _) in self.around(at) {
                    if set[to as usize] == u32::MAX {
                        set[to as usize] = name;
                        open.push(to);
                    }
                }
            }
            sizes.push(count);
        }
        let largest = (0..sizes.len()).max_by_key(|&k| (sizes[k], std::cmp::Reverse(k)));
        set.iter().map(|&s| Some(s as usize) == largest).collect()
    }
}

/// Cost of the link from each of `n` columns to the next; `blocks`: columns of a block and the cost of its border, from inside out.
fn hops(n: u32, blocks: impl Iterator<Item = (u32, f64)>) -> Vec<f64> {
    let mut list = vec![1.0; n as usize];
    for (size, hop) in blocks.filter(|b| b.0 > 0) {
        for (i, c) in list.iter_mut().enumerate() {
            if (i as u32 + 1).is_multiple_of(size) {
                *c = hop;
            }
        }
    }
    list
}

/// A node that waits, nearest first.
#[derive(PartialEq)]
struct Open(f64, u32);

impl Eq for Open {}

impl Ord for Open {
    fn cmp(&self, other: &Open) -> std::cmp::Ordering {
        other.0.total_cmp(&self.0).then(other.1.cmp(&self.1))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Open) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
