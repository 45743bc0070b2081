//! Placement of any traffic: annealing from Hilbert's curve, window shrinking from the whole mesh to neighbours.

use super::Grid;
use super::anneal::{Board, Mesh};
use super::curve::Cell;
use super::graph::Graph;
use crate::map::flow::Flows;
use crate::map::rng::Rng;
use crate::map::score::unicast::Places;
use crate::map::search::Search;

/// Judged exchanges per part by effort, and the most in all.
const MOVES: [u64; 4] = [0, 2000, 8000, 30_000];
/// Edge ends that may be visited by effort.
const WORK: [f64; 4] = [0.0, 3e8, 3e9, 3e10];

/// Parts in order on the curve, annealed.
pub fn anneal(
    flows: &impl Flows,
    grid: &Grid,
    search: &Search,
    rng: &mut Rng,
) -> (Vec<Cell>, String) {
    let n = flows.parts() as usize;
    let (x, y, effort) = (grid.x, grid.y, search.opt.min(3));
    let at = grid.curve(n);
    let graph = Graph::new(flows);
    let ends = graph.to.len().max(1) as f64;
    let degree = (ends / n.max(1) as f64).max(1.0);
    let moves = (MOVES[effort] as f64 * n as f64).min(WORK[effort] / (2.0 * degree)) as u64;
    let mean = graph.weight.iter().map(|&w| w as f64).sum::<f64>() / ends;
    let places = Places { x, y, at };
    let mut board = Board::new(&graph, Mesh(x, y), &places, &grid.blocked);
    let side = (n as f64).sqrt();
    let hot = mean * degree.sqrt() * side.min(16.0) / 4.0;
    board.anneal(moves, (hot, hot / 200.0), (side, 1.0), rng, &search.budget);
    super::anneal::descend(&mut board, 30, &[(1, 0), (0, 1)]);
    (board.places().at, "annealed".into())
}
