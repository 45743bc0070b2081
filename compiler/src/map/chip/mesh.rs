//! `place`: cores on the chip's mesh.
//!
//! A chip that is generated gets the smallest near-square mesh that holds them; any other has the mesh it has. Positions that the chip keeps for itself (an
//! output bus) need one cell more than there are cores. Dead positions stay free. Cores of a bus have no distances, so they are numbered in order.

use super::core::PlannedCore;
use super::measure::traffic;
use crate::map::flow::FlowList;
use crate::map::layout::curve::Cell;
use crate::map::layout::{Goal, Grid, place_for};
use crate::map::score::unicast::distance;
use crate::map::search::Search;
use crate::passes::ChipNetwork;
use synfire_ir::{Class, Diagnostic};
use synfire_targets::Target;
use synfire_targets::schema::Topology;

/// A mesh and a position for each core.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Columns, rows.
    pub mesh: [u32; 2],
    /// (x, y) of each core.
    pub positions: Vec<Cell>,
    /// How it was found.
    pub method: String,
}

/// Places cores. `dead`: positions that no core may take; `old`: positions that cores keep if they can.
///
/// Errors: more cores than positions.
pub fn placement(
    net: &ChipNetwork,
    cores: &[PlannedCore],
    target: &Target,
    dead: &[Cell],
    old: &[Option<Cell>],
    (search, goal): (&Search, Goal),
) -> Result<Placement, Diagnostic> {
    let (grid, reserved) = mesh(target, cores.len(), dead, old)?;
    let n = cores.len();
    if n as u64 + reserved > grid.room() {
        return Err(full(target, n, grid.room().saturating_sub(reserved)));
    }
    let mesh = [grid.x, grid.y];
    if grid.x == 1 || grid.y == 1 {
        return Ok(Placement {
            mesh,
            positions: line(&grid, n),
            method: "in order".into(),
        });
    }
    let flows = traffic(net, cores);
    if old.iter().any(Option::is_some) {
        return Ok(Placement {
            mesh,
            positions: kept(&flows, &grid, old),
            method: "kept".into(),
        });
    }
    let placed = place_for(goal, &flows, None, &grid, search);
    let placed = placed.ok_or_else(|| full(target, n, grid.room()))?;
    Ok(Placement {
        mesh,
        positions: placed.places.at,
        method: placed.method,
    })
}

/// The mesh, and the positions that the chip keeps for itself.
fn mesh(
    target: &Target,
    cores: usize,
    dead: &[Cell],
    old: &[Option<Cell>],
) -> Result<(Grid, u64), Diagnostic> {
    let (most, resizable, reserved) = match &target.chip.spec.topology {
        Topology::Mesh {
            x, y, resizable, ..
        } => {
            let reserved = target.chip.spec.model.output.is_some() as u64;
            ([x.value, y.value], *resizable, reserved)
        }
        Topology::Bus { cores } => ([cores.value, 1], false, 0),
        Topology::Single => ([1, 1], false, 0),
    };
    let outside = dead.iter().find(|d| d.0 >= most[0] || d.1 >= most[1]);
    if let Some(d) = outside {
        return Err(Diagnostic::error(
            "SYN0653",
            format!(
                "the dead core ({}, {}) lies outside {}",
                d.0,
                d.1,
                target.name()
            ),
        )
        .class(Class::Usage)
        .note(format!(
            "its mesh has {} columns and {} rows",
            most[0], most[1]
        ))
        .hint("give positions as `x,y`, counted from 0"));
    }
    let on = |x: u32, y: u32| Grid {
        x,
        y,
        blocked: dead
            .iter()
            .copied()
            .filter(|d| d.0 < x && d.1 < y)
            .collect(),
    };
    if !resizable {
        return Ok((on(most[0], most[1]), reserved));
    }
    let wanted = cores as u64 + reserved;
    let low = old
        .iter()
        .flatten()
        .fold((0, 0), |m: Cell, c| (m.0.max(c.0 + 1), m.1.max(c.1 + 1)));
    let mut side = (wanted as f64).sqrt().ceil().clamp(1.0, most[0] as f64) as u32;
    side = side.max(low.0.min(most[0]));
    loop {
        let rows = (wanted.div_ceil(side as u64) as u32).max(1).max(low.1);
        for y in rows..=most[1].min(rows + 1) {
            if on(side, y).room() >= wanted {
                return Ok((on(side, y), reserved));
            }
        }
        if side >= most[0] {
            return Ok((on(most[0], most[1]), reserved));
        }
        side += 1;
    }
}

fn full(target: &Target, cores: usize, room: u64) -> Diagnostic {
    Diagnostic::error(
        "SYN0632",
        format!(
            "the network needs {cores} cores; {} has {room}",
            target.name()
        ),
    )
    .class(Class::Fit)
    .at(target.name())
    .hint("make the network smaller")
    .field("limit", "cores")
    .field("needed", cores)
    .field("available", room)
}

/// The first `n` cells of a mesh with one row or one column.
fn line(grid: &Grid, n: usize) -> Vec<Cell> {
    let cells = (0..grid.x).flat_map(|x| (0..grid.y).map(move |y| (x, y)));
    cells
        .filter(|c| !grid.blocked.contains(c))
        .take(n)
        .collect()
}

/// Old positions where they can be kept; each other core goes to the free cell with the least traffic times links to what stands.
fn kept(flows: &FlowList, grid: &Grid, old: &[Option<Cell>]) -> Vec<Cell> {
    let mut free = grid.curve(usize::MAX);
    free.sort_unstable();
    let mut at: Vec<Option<Cell>> = old
        .iter()
        .map(|c| {
            let k = free.binary_search(&(*c)?).ok()?;
            Some(free.remove(k))
        })
        .collect();
    at.resize(flows.parts as usize, None);
    for p in 0..flows.parts {
        if at[p as usize].is_some() {
            continue;
        }
        let mut pull: Vec<(Cell, f64)> = vec![];
        for (i, &s) in flows.source.iter().enumerate() {
            for &t in flows.destinations(i) {
                let other = if s == p {
                    t
                } else if t == p {
                    s
                } else {
                    continue;
                };
                pull.extend(at[other as usize].map(|c| (c, flows.weight[i])));
            }
        }
        let cost = |c: &Cell| {
            pull.iter()
                .map(|(o, w)| w * distance(*c, *o) as f64)
                .sum::<f64>()
        };
        let best = (0..free.len()).min_by(|&a, &b| cost(&free[a]).total_cmp(&cost(&free[b])));
        at[p as usize] = best.map(|k| free.remove(k));
    }
    at.into_iter().flatten().collect()
}
