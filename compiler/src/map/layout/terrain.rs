//! Placement on what is no plain mesh: tori, hexagonal fabrics, blocks with costly borders, dead links.
//!
//! From cells block by block along Hilbert's curve, and from the placement that a mesh of the same size would get where no cell is blocked (a torus is never
//! further than its mesh); both annealed with the fabric's own distances. The cheapest of all four is kept.

use super::anneal::{Board, Metric, descend};
use super::chain::Shape;
use super::curve::Cell;
use super::graph::Graph;
use super::{Grid, Placed};
use crate::map::fabric::Ways;
use crate::map::flow::Flows;
use crate::map::rng::Rng;
use crate::map::score::unicast::Places;
use crate::map::search::Search;

/// Nodes up to which distances stand in a table (4 MiB).
const TABLE: usize = 1024;
/// Judged exchanges per part by effort, and edge ends that may be visited.
const MOVES: [u64; 4] = [0, 2000, 8000, 30_000];
const WORK: [f64; 4] = [0.0, 1e8, 1e9, 1e10];
/// First heat of the annealing from a placement that is good, as a share of the other's.
const COOL: f64 = 0.05;

/// Distances of a fabric for a search; beyond [`TABLE`] nodes, where dead links are in the way, estimates.
struct Far<'a> {
    ways: &'a Ways,
    table: Vec<f32>,
    grid: &'a Grid,
}

impl<'a> Far<'a> {
    fn new(ways: &'a Ways, grid: &'a Grid) -> Far<'a> {
        let n = ways.nodes();
        let mut table = vec![];
        if n <= TABLE {
            let cells: Vec<Cell> = (0..n as u32).map(|i| ways.first(i)).collect();
            let cells = &cells;
            let row = |&a: &Cell| cells.iter().map(move |&b| ways.distance(a, b) as f32);
            table = cells.iter().flat_map(row).collect();
        }
        Far { ways, table, grid }
    }

    #[inline]
    fn between(&self, a: Cell, b: Cell) -> f32 {
        if self.table.is_empty() {
            return self.ways.estimate(a, b) as f32;
        }
        let (a, b) = (self.ways.router(a), self.ways.router(b));
        self.table[a as usize * self.ways.nodes() + b as usize]
    }
}

impl Metric for &Far<'_> {
    #[inline]
    fn change(&self, p: (i32, i32), from: (i32, i32), to: (i32, i32)) -> f32 {
        let cell = |c: (i32, i32)| (c.0 as u32, c.1 as u32);
        self.between(cell(p), cell(to)) - self.between(cell(p), cell(from))
    }

    #[inline]
    fn inside(&self, x: i64, y: i64) -> Option<(i32, i32)> {
        let (w, h) = (self.grid.x as i64, self.grid.y as i64);
        if self.grid.fabric.torus {
            return Some((x.rem_euclid(w) as i32, y.rem_euclid(h) as i32));
        }
        let inside = (0..w).contains(&x) && (0..h).contains(&y);
        inside.then_some((x as i32, y as i32))
    }
}

/// Packets times what their ways cost.
pub fn cost(flows: &impl Flows, ways: &Ways, at: &[Cell]) -> f64 {
    let mut sum = 0.0;
    flows.each(&mut |s, to, w| {
        let far = |&t: &u32| ways.distance(at[s as usize], at[t as usize]);
        sum += w * to.iter().map(far).sum::<f64>();
    });
    sum
}

/// See the module. `None`: more parts than cells.
pub fn place(
    flows: &impl Flows,
    shape: Option<&Shape>,
    grid: &Grid,
    search: &Search,
) -> Option<Placed> {
    let n = flows.parts() as usize;
    let (x, y, effort) = (grid.x, grid.y, search.opt.min(3));
    let ways = Ways::new(x, y, &grid.fabric);
    let mut starts = vec![(grid.curve(n), "blocks along Hilbert's curve".to_string())];
    if effort > 0 && grid.blocked.is_empty() {
        let mesh = super::place(flows, shape, &Grid::new(x, y), search)?;
        starts.push((mesh.places.at, mesh.method));
    }
    let rated = |(at, method): (Vec<Cell>, String)| (cost(flows, &ways, &at), at, method);
    let mut all: Vec<(f64, Vec<Cell>, String)> = starts.into_iter().map(rated).collect();
    if effort > 0 && n > 1 {
        let far = Far::new(&ways, grid);
        let graph = Graph::new(flows);
        let mut rng = Rng::new(search.seed ^ 0x746f);
        let found: Vec<(f64, Vec<Cell>, String)> = all
            .iter()
            .zip([1.0, COOL])
            .map(|((_, at, method), heat)| {
                let at = annealed(&graph, (grid, &far), at.clone(), (search, heat), &mut rng);
                (cost(flows, &ways, &at), at, format!("{method}, annealed"))
            })
            .collect();
        all.extend(found);
    }
    let best = all
        .into_iter()
        .reduce(|a, b| if b.0 < a.0 { b } else { a })?;
    Some(Placed {
        places: Places { x, y, at: best.1 },
        method: best.2,
    })
}

fn annealed(
    graph: &Graph,
    (grid, far): (&Grid, &Far),
    at: Vec<Cell>,
    (search, heat): (&Search, f64),
    rng: &mut Rng,
) -> Vec<Cell> {
    let n = at.len();
    let effort = search.opt.min(3);
    let ends = graph.to.len().max(1) as f64;
    let degree = (ends / n as f64).max(1.0);
    let moves = (MOVES[effort] as f64 * n as f64).min(WORK[effort] / (2.0 * degree)) as u64;
    let mean = graph.weight.iter().map(|&w| w as f64).sum::<f64>() / ends;
    let side = (n as f64).sqrt();
    let hot = heat * far.ways.mean() * mean * degree.sqrt() * side.min(16.0) / 4.0;
    let places = Places {
        x: grid.x,
        y: grid.y,
        at,
    };
    let mut board = Board::new(graph, far, &places, &grid.blocked);
    if hot > 0.0 {
        let window = (grid.x.max(grid.y) as f64 * heat.sqrt()).max(1.0);
        board.anneal(
            moves,
            (hot, hot / 200.0),
            (window, 1.0),
            rng,
            &search.budget,
        );
    }
    descend(&mut board, 30, &[(1, 0), (0, 1)]);
    board.places().at
}
