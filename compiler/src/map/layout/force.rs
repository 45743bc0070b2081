//! The published force-directed placement, as a baseline: from parts in order along Hilbert's curve, neighbouring cells exchange their contents where that lowers the
//! potential `dx^2 + dy^2` of all traffic (Jin et al., ASPLOS 2023). Every pass takes the pairs of cells that gain, exchanges the best 30 % of
//! them in order of gain (a pair that an earlier exchange left without gain stays), and weighs anew only pairs that the exchanges touch. It ends where none gains.

use super::anneal::{BLOCKED, Board, EMPTY, Metric};
use super::graph::Graph;
use super::{Grid, Placed};
use crate::map::flow::Flows;
use crate::map::score::unicast::Places;
use crate::map::search::Budget;

/// The squared distance on a mesh of so many columns and rows.
#[derive(Clone, Copy, Debug)]
struct Squared(u32, u32);

impl Metric for Squared {
    #[inline]
    fn change(&self, p: (i32, i32), from: (i32, i32), to: (i32, i32)) -> f32 {
        let square = |c: (i32, i32)| {
            let (x, y) = ((p.0 - c.0) as i64, (p.1 - c.1) as i64);
            x * x + y * y
        };
        (square(to) - square(from)) as f32
    }

    #[inline]
    fn inside(&self, x: i64, y: i64) -> Option<(i32, i32)> {
        super::anneal::Mesh(self.0, self.1).inside(x, y)
    }
}

/// Share of the pairs with a gain that a pass exchanges.
const SHARE: f64 = 0.3;
/// Gains below this share of the first pass's largest are rounding.
const LEAST: f32 = 1e-6;

/// See the module. `None`: more parts than cells.
pub fn place(flows: &impl Flows, grid: &Grid, budget: &Budget) -> Option<Placed> {
    if flows.parts() as u64 > grid.room() {
        return None;
    }
    let (x, y) = (grid.x, grid.y);
    let places = Places {
        x,
        y,
        at: grid.curve(flows.parts() as usize),
    };
    let graph = Graph::new(flows);
    let mut board = Board::new(&graph, Squared(x, y), &places, &grid.blocked);
    let mut tension = Tension::new(x, y);
    for cell in 0..x as usize * y as usize {
        tension.weigh(&board, cell);
    }
    let least = tension.gain.iter().copied().fold(0.0, f32::max) * LEAST;
    loop {
        let mut pairs: Vec<usize> = (0..tension.gain.len())
            .filter(|&p| tension.gain[p] > least)
            .collect();
        if pairs.is_empty() || budget.over() {
            break;
        }
        let gain = &tension.gain;
        pairs.sort_by(|&a, &b| gain[b].total_cmp(&gain[a]).then(a.cmp(&b)));
        pairs.truncate(((pairs.len() as f64 * SHARE) as usize).max(1));
        let mut touched = vec![];
        for p in pairs {
            let (a, b) = tension.cells(p);
            if -board.gain(a, b) > least {
                board.swap(a, b);
                touched.extend([a, b]);
            } else {
                tension.gain[p] = 0.0;
            }
        }
        tension.settle(&board, &graph, &touched);
    }
    Some(Placed {
        places: board.places(),
        method: "Hilbert, force-directed".into(),
    })
}

/// What the exchange of every pair of neighbouring cells would gain: two pairs a cell, with the cell in the next column and in the next row.
struct Tension {
    x: usize,
    y: usize,
    gain: Vec<f32>,
}

impl Tension {
    fn new(x: u32, y: u32) -> Tension {
        let (x, y) = (x as usize, y as usize);
        Tension {
            x,
            y,
            gain: vec![0.0; 2 * x * y],
        }
    }

    fn cells(&self, pair: usize) -> (usize, usize) {
        let a = pair / 2;
        (
            a,
            if pair.is_multiple_of(2) {
                a + self.y
            } else {
                a + 1
            },
        )
    }

    fn one(&mut self, board: &Board<Squared>, pair: usize) {
        let (a, b) = self.cells(pair);
        self.gain[pair] = (-board.gain(a, b)).max(0.0);
    }

    /// The pairs of a cell with the next column and the next row.
    fn weigh(&mut self, board: &Board<Squared>, cell: usize) {
        if cell / self.y + 1 < self.x {
            self.one(board, 2 * cell);
        }
        if cell % self.y + 1 < self.y {
            self.one(board, 2 * cell + 1);
        }
    }

    /// Weighs anew the pairs of cells whose contents moved, and of the parts that exchange packets with these.
    fn settle(&mut self, board: &Board<Squared>, graph: &Graph, moved: &[usize]) {
        let mut stale = vec![false; self.x * self.y];
        for &cell in moved {
            stale[cell] = true;
            let part = board.part(cell);
            if part != EMPTY && part != BLOCKED {
                graph
                    .around(part)
                    .for_each(|(n, _)| stale[board.cell_of(n)] = true);
            }
        }
        for cell in 0..stale.len() {
            let right = cell / self.y + 1 < self.x;
            let up = cell % self.y + 1 < self.y;
            if right && (stale[cell] || stale[cell + self.y]) {
                self.one(board, 2 * cell);
            }
            if up && (stale[cell] || stale[cell + 1]) {
                self.one(board, 2 * cell + 1);
            }
        }
    }
}
