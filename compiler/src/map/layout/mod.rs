//! Placement: parts on the mesh.
//!
//! A portfolio (for meshes; [`terrain`] for other fabrics): chains of layers ([`chain`], found by [`detect`] when the network does not say), curves in order of parts, annealing
//! ([`anneal`]). The best by the objective is kept, and none is worse than parts in order along Hilbert's curve.

pub mod anneal;
pub mod assign;
pub mod blocks;
pub mod chain;
pub mod curve;
pub mod detect;
pub mod force;
pub mod general;
pub mod graph;
pub mod ripple;
pub mod swirl;
pub mod terrain;
pub mod trees;

use crate::map::fabric::Fabric;
use crate::map::flow::Flows;
use crate::map::rng::Rng;
use crate::map::score::unicast::{Places, hops};
use crate::map::search::Search;
use chain::{Shape, place_chain};

/// A placement and how it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Positions.
    pub places: Places,
    /// In words.
    pub method: String,
}

/// Cells in columns and rows, and what connects them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// Columns.
    pub x: u32,
    /// Rows.
    pub y: u32,
    /// Cells that must stay free.
    pub blocked: Vec<curve::Cell>,
    /// What connects the cells.
    pub fabric: Fabric,
}

impl Grid {
    /// All cells of `x` columns and `y` rows.
    pub fn new(x: u32, y: u32) -> Grid {
        Grid {
            x,
            y,
            ..Grid::default()
        }
    }

    /// The first `n` cells along the generalised Hilbert curve, block by block where the fabric has blocks.
    pub fn curve(&self, n: usize) -> Vec<curve::Cell> {
        let mut no: Vec<curve::Cell> = self.blocked.clone();
        no.sort_unstable();
        let mut blocks: Vec<curve::Cell> = self.fabric.borders.iter().map(|b| (b.x, b.y)).collect();
        blocks.splice(..0, self.fabric.node);
        blocks.reverse();
        let open = curve::nested(self.x, self.y, &blocks);
        let open = open.into_iter().filter(|c| no.binary_search(c).is_err());
        open.take(n).collect()
    }

    /// Cells that may hold a part.
    pub fn room(&self) -> u64 {
        (self.x as u64 * self.y as u64).saturating_sub(self.blocked.len() as u64)
    }
}

/// What a placement is to make small.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    /// Packets times links, each destination with a packet of its own (`hops`).
    #[default]
    Unicast,
    /// Links of the multicast trees (`mc_hops`), and with them `mc_energy`.
    Multicast,
}

/// Places parts for the least of `goal`. `shape`: as for [`place`]. `None`: more parts than cells.
pub fn place_for(
    goal: Goal,
    flows: &impl Flows,
    shape: Option<&Shape>,
    grid: &Grid,
    search: &Search,
) -> Option<Placed> {
    let unicast = place(flows, shape, grid, search)?;
    if goal == Goal::Unicast || search.opt == 0 {
        return Some(unicast);
    }
    let places = Places {
        at: trees::grow(flows, grid, &unicast.places, search),
        ..unicast.places
    };
    Some(Placed {
        places,
        method: format!("{}, trees annealed", unicast.method),
    })
}

/// Places parts for the least packets times links (or their costs). `shape`: the network is known to be a chain in this order.
/// `None`: more parts than cells.
pub fn place(
    flows: &impl Flows,
    shape: Option<&Shape>,
    grid: &Grid,
    search: &Search,
) -> Option<Placed> {
    let n = flows.parts() as u64;
    if n > grid.room() {
        return None;
    }
    if !grid.fabric.plain() {
        return terrain::place(flows, shape, grid, search);
    }
    let (x, y, effort) = (grid.x, grid.y, search.opt.min(3));
    let whole = grid.blocked.is_empty();
    let mut rng = Rng::new(search.seed);
    if let Some(s) = shape
        && whole
        && let Some((at, method)) = place_chain(flows, s, x, y, effort, &mut rng)
    {
        return Some(Placed {
            places: Places { x, y, at },
            method,
        });
    }
    let plain = Places {
        x,
        y,
        at: grid.curve(n as usize),
    };
    let mut best = (
        hops(flows, &plain),
        Placed {
            places: plain,
            method: "Hilbert".into(),
        },
    );
    if effort == 0 {
        return Some(best.1);
    }
    let mut consider = |at: Vec<curve::Cell>, method: String| {
        let places = Places { x, y, at };
        let h = hops(flows, &places);
        if h < best.0 {
            best = (h, Placed { places, method });
        }
    };
    let mut found = false;
    if whole
        && let Some(f) = detect::detect(flows)
        && let Some((at, method)) = place_chain(&f.flows, &f.shape, x, y, effort, &mut rng)
    {
        let mut old = vec![(0, 0); at.len()];
        f.name
            .iter()
            .zip(at)
            .for_each(|(&p, c)| old[p as usize] = c);
        consider(old, method);
        found = true;
    }
    if !found {
        let (at, method) = general::anneal(flows, grid, search, &mut rng);
        consider(at, method);
    }
    Some(best.1)
}
