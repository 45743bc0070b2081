//! `place`: cores on the chip's mesh.
//!
//! A chip that is generated gets the smallest near-square mesh that holds them; any other has the mesh it has. Positions that the chip keeps for itself (an
//! output bus) need one cell more than there are cores. Dead positions stay free, and so do those that dead links cut off. Cores of a bus have no distances, so
//! they are numbered in order.

use super::core::PlannedCore;
use super::measure::traffic;
use crate::map::fabric::{Border, Fabric, Ways};
use crate::map::flow::FlowList;
use crate::map::layout::curve::Cell;
use crate::map::layout::{Goal, Grid, place_for};
use crate::map::search::Search;
use crate::passes::ChipNetwork;
use synfire_ir::numerals::count;
use synfire_ir::{Class, Diagnostic};
use synfire_targets::Target;
use synfire_targets::schema::{Level, Topology};

/// A mesh and a position for each core.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// Columns, rows.
    pub mesh: [u32; 2],
    /// What connects them.
    pub fabric: Fabric,
    /// (x, y) of each core.
    pub positions: Vec<Cell>,
    /// How it was found.
    pub method: String,
}

/// Places cores. `dead`: what is dead beside what the chip says; `old`: positions that cores keep if they can.
///
/// Errors: more cores than positions, and dead cores or links that are not there.
pub fn placement(
    net: &ChipNetwork,
    cores: &[PlannedCore],
    target: &Target,
    dead: &Dead,
    old: &[Option<Cell>],
    (search, goal): (&Search, Goal),
) -> Result<Placement, Diagnostic> {
    let (grid, reserved) = mesh(target, cores.len(), dead, old)?;
    let n = cores.len();
    if n as u64 + reserved > grid.room() {
        return Err(full(target, n, grid.room().saturating_sub(reserved)));
    }
    let mesh = [grid.x, grid.y];
    let bus = !matches!(target.chip.spec.topology, Topology::Mesh { .. });
    if bus || (grid.fabric.plain() && (grid.x == 1 || grid.y == 1)) {
        return Ok(Placement {
            mesh,
            fabric: grid.fabric.clone(),
            positions: line(&grid, n),
            method: "in order".into(),
        });
    }
    let flows = traffic(net, cores);
    if old.iter().any(Option::is_some) {
        return Ok(Placement {
            mesh,
            positions: kept(&flows, &grid, old),
            fabric: grid.fabric,
            method: "kept".into(),
        });
    }
    let placed = place_for(goal, &flows, None, &grid, search);
    let placed = placed.ok_or_else(|| full(target, n, grid.room()))?;
    Ok(Placement {
        mesh,
        fabric: grid.fabric,
        positions: placed.places.at,
        method: placed.method,
    })
}

/// Cores that can hold neurons: those of the description, as far as dead cores and links leave positions for them.
///
/// Errors: dead cores or links that are not there.
pub fn available(target: &Target, dead: &Dead) -> Result<usize, Diagnostic> {
    let described = target.limits().cores.as_ref().map_or(1, |c| c.value);
    let (grid, reserved) = mesh(target, usize::MAX, dead, &[])?;
    Ok(described.min(grid.room().saturating_sub(reserved)) as usize)
}

/// Number of the chip that a core at `at` is on: row by row, where blocks of the level `chip` make up the mesh; else 0.
pub fn chip_of(target: &Target, mesh: [u32; 2], at: Cell) -> u32 {
    let Topology::Mesh { levels, .. } = &target.chip.spec.topology else {
        return 0;
    };
    let Some(l) = levels.iter().find(|l| l.name == CHIP) else {
        return 0;
    };
    let (x, y) = (l.x.max(1), l.y.max(1));
    at.1 / y * mesh[0].div_ceil(x) + at.0 / x
}

/// Name of the level whose blocks are chips.
const CHIP: &str = "chip";

/// What is dead: it stays empty, or nothing passes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead {
    /// Positions of cores; their routers still pass packets.
    pub cores: Vec<Cell>,
    /// Pairs of neighbouring cores between whose routers nothing passes.
    pub links: Vec<(Cell, Cell)>,
}

/// The mesh, and the positions that the chip keeps for itself.
fn mesh(
    target: &Target,
    cores: usize,
    dead: &Dead,
    old: &[Option<Cell>],
) -> Result<(Grid, u64), Diagnostic> {
    let (most, resizable, fabric, own) = match &target.chip.spec.topology {
        Topology::Mesh {
            x,
            y,
            resizable,
            dead_cores,
            ..
        } => {
            let own = dead_cores.iter().map(|&[x, y]| (x, y)).collect();
            let fabric = fabric(&target.chip.spec.topology, dead);
            ([x.value, y.value], *resizable, fabric, own)
        }
        Topology::Bus { cores } => ([cores.value, 1], false, Fabric::default(), vec![]),
        Topology::Single => ([1, 1], false, Fabric::default(), vec![]),
    };
    let mesh = matches!(target.chip.spec.topology, Topology::Mesh { .. });
    let reserved = (mesh && target.chip.spec.model.output.is_some()) as u64;
    let mut blocked: Vec<Cell> = dead.cores.iter().copied().chain(own).collect();
    blocked.sort_unstable();
    blocked.dedup();
    absent(target, most, dead, &fabric)?;
    let on = |x: u32, y: u32| {
        let mut grid = Grid {
            x,
            y,
            blocked: blocked.clone(),
            fabric: fabric.clone(),
        };
        grid.blocked.retain(|d| d.0 < x && d.1 < y);
        let inside = |c: &Cell| c.0 < x && c.1 < y;
        grid.fabric
            .dead_links
            .retain(|(a, b)| inside(a) && inside(b));
        grid.blocked = cut_off(&grid);
        grid
    };
    if !resizable || cores as u64 >= most[0] as u64 * most[1] as u64 {
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
            let grid = on(side, y);
            if grid.room() >= wanted {
                return Ok((grid, reserved));
            }
        }
        if side >= most[0] {
            return Ok((on(most[0], most[1]), reserved));
        }
        side += 1;
    }
}

/// What connects the cores of a mesh.
pub fn fabric(topology: &Topology, dead: &Dead) -> Fabric {
    let Topology::Mesh {
        torus,
        hexagonal,
        levels,
        dead_links,
        ..
    } = topology
    else {
        return Fabric::default();
    };
    let own = dead_links.iter().map(|&[a, b, c, d]| ((a, b), (c, d)));
    let hop = |l: &Level| l.hop.as_ref().map_or(1.0, |h| h.value);
    let border = |l: &Level| Border {
        x: l.x,
        y: l.y,
        hop: hop(l),
    };
    Fabric {
        torus: *torus,
        hexagonal: *hexagonal,
        node: levels.iter().find(|l| l.shared).map(|l| (l.x, l.y)),
        borders: levels.iter().map(border).collect(),
        dead_links: dead.links.iter().copied().chain(own).collect(),
    }
}

/// Refuses dead cores outside the mesh, and dead links between cores that are no neighbours.
fn absent(target: &Target, most: [u32; 2], dead: &Dead, fabric: &Fabric) -> Result<(), Diagnostic> {
    let outside = |d: &Cell| d.0 >= most[0] || d.1 >= most[1];
    let ends = dead.links.iter().flat_map(|l| [l.0, l.1]);
    let refused = |what: String, hint: &str| {
        Diagnostic::error("SYN0653", what)
            .class(Class::Usage)
            .note(format!(
                "its mesh has {} columns and {} rows",
                most[0], most[1]
            ))
            .hint(hint)
    };
    if let Some(d) = dead.cores.iter().copied().chain(ends).find(outside) {
        let what = format!(
            "the dead core ({}, {}) lies outside {}",
            d.0,
            d.1,
            target.name()
        );
        return Err(refused(what, "give positions as `x,y`, counted from 0"));
    }
    if dead.links.is_empty() {
        return Ok(());
    }
    let ways = Ways::new(most[0], most[1], fabric);
    match dead.links.iter().find(|(a, b)| !ways.linked(*a, *b)) {
        Some((a, b)) => Err(refused(
            format!(
                "there is no link between ({}, {}) and ({}, {}) of {}",
                a.0,
                a.1,
                b.0,
                b.1,
                target.name()
            ),
            "give dead links as `x,y,x,y`: the positions of two neighbours",
        )),
        None => Ok(()),
    }
}

/// Cells that stay free: those that are dead, and those that dead links cut off from the largest part of the mesh.
fn cut_off(grid: &Grid) -> Vec<Cell> {
    let mut blocked = grid.blocked.clone();
    if !grid.fabric.dead_links.is_empty() {
        let ways = Ways::new(grid.x, grid.y, &grid.fabric);
        let joined = ways.joined();
        let cells = (0..grid.x).flat_map(|x| (0..grid.y).map(move |y| (x, y)));
        blocked.extend(cells.filter(|&c| !joined[ways.router(c) as usize]));
        blocked.sort_unstable();
        blocked.dedup();
    }
    blocked
}

fn full(target: &Target, cores: usize, room: u64) -> Diagnostic {
    Diagnostic::error(
        "SYN0632",
        format!(
            "the network needs {} cores; {} has {}",
            count(cores as u64),
            target.name(),
            count(room)
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
    let ways = Ways::new(grid.x, grid.y, &grid.fabric);
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
                .map(|(o, w)| w * ways.distance(*c, *o))
                .sum::<f64>()
        };
        let best = (0..free.len()).min_by(|&a, &b| cost(&free[a]).total_cmp(&cost(&free[b])));
        at[p as usize] = best.map(|k| free.remove(k));
    }
    at.into_iter().flatten().collect()
}
