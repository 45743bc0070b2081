//! Placement of networks that are chains of layers: packets go from a layer to the next one only.
//!
//! All-to-all layers: strips of the best height, then the layers' cells annealed at several resolutions ([`super::blocks`]), then each layer's parts
//! put in order on its cells ([`super::assign`]). Layers with local links: the grid x = layer, y = position, its rings turned
//! ([`super::swirl`]), then exchanges of neighbours ([`super::ripple`]). Parts are numbered layer by layer; parts beyond the last layer exchange nothing.

use super::assign::{Chain, sweep};
use super::blocks::{Layers, NONE};
use super::curve::{self, Cell};
use super::ripple::Ripple;
use super::swirl::swirl;
use crate::map::flow::Flows;
use crate::map::rng::Rng;
use crate::map::score::unicast::{Places, hops};

/// Sizes of the layers, and whether they meet all-to-all.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Parts of each layer.
    pub sizes: Vec<u32>,
    /// All-to-all?
    pub dense: bool,
}

/// Moves a cell on the coarsest level, on those between and on the finest, by effort 0 to 3. On the finest of several levels ten times the moves shorten ways by less
/// than a thousandth, so that the quick effort has few.
const MOVES: [[f64; 3]; 4] = [
    [0.0; 3],
    [100.0, 10.0, 1.0],
    [1000.0, 100.0, 100.0],
    [4000.0, 400.0, 400.0],
];
/// First heat on the coarsest level, on those between and on the finest, in parts of a layer.
const HEAT: [[f64; 3]; 4] = [[0.0; 3], [0.5, 0.2, 0.1], [2.0, 0.2, 0.2], [2.0, 0.2, 0.2]];
/// Sweeps of neighbours, and sweeps of assignment, by effort 0 to 3.
const SWEEPS: [u32; 4] = [0, 5, 100, 1000];
const ORDERS: [u32; 4] = [0, 1, 2, 4];
/// Work that one sweep of assignment may take by effort, in steps of its inner loop.
const ASSIGN_WORK: [f64; 4] = [0.0, 3e8, 3e10, 3e11];

/// The best placement found. `None`: the shape has no special placement on this mesh.
pub fn place_chain(
    flows: &impl Flows,
    shape: &Shape,
    x: u32,
    y: u32,
    effort: usize,
    rng: &mut Rng,
) -> Option<(Vec<Cell>, String)> {
    let used: u64 = shape.sizes.iter().map(|&s| s as u64).sum();
    if used > x as u64 * y as u64 || flows.parts() as u64 > x as u64 * y as u64 {
        return None;
    }
    if shape.dense {
        Some(dense(flows, shape, x, y, effort, rng))
    } else {
        local(flows, shape, x, y, effort, rng)
    }
}

fn local(
    flows: &impl Flows,
    shape: &Shape,
    x: u32,
    y: u32,
    effort: usize,
    rng: &mut Rng,
) -> Option<(Vec<Cell>, String)> {
    let (n, m) = (shape.sizes.len() as u32, shape.sizes.iter().copied().max()?);
    let flip = n > x || m > y;
    if flip && (n > y || m > x) {
        return None;
    }
    let mut taken = vec![false; x as usize * y as usize];
    let mut at: Vec<Cell> = vec![];
    let rows = if flip { x } else { y };
    for (l, &s) in shape.sizes.iter().enumerate() {
        for j in 0..s {
            let row = j + (rows.min(m) - s) / 2;
            at.push(if flip {
                (row, l as u32)
            } else {
                (l as u32, row)
            });
        }
    }
    at.iter()
        .for_each(|c| taken[(c.0 * y + c.1) as usize] = true);
    let free = (0..x * y)
        .filter(|&c| !taken[c as usize])
        .map(|c| (c / y, c % y));
    let rest = flows.parts() as usize - at.len();
    at.extend(free.take(rest));
    let mut best = (
        hops(
            flows,
            &Places {
                x,
                y,
                at: at.clone(),
            },
        ),
        at.clone(),
        0,
    );
    let side = x.min(y);
    let turns: &[u32] = if effort == 0 || side < 16 {
        &[]
    } else {
        &[side / 17, side / 26]
    };
    for back in [false, true] {
        for &turn in turns {
            let mut p = Places {
                x,
                y,
                at: at.clone(),
            };
            swirl(x, y, turn, 3, back, &mut p.at);
            let h = hops(flows, &p);
            if h < best.0 {
                best = (h, p.at, turn);
            }
        }
        if best.2 > 0 {
            break;
        }
    }
    drop(at);
    let (_, at, turn) = best;
    let method = format!("layer grid, turned by {turn}");
    if effort == 0 {
        return Some((at, method));
    }
    let mut r = match Ripple::new(flows, x, y, at) {
        Ok(r) => r,
        Err(at) => return Some((at, method)),
    };
    r.run(
        SWEEPS[effort],
        if effort > 1 { 0.8 } else { 0.6 },
        if effort > 1 { 0.1 } else { 0.2 },
        rng,
    );
    Some((r.places(), method))
}

/// Layer of every cell when `order` is cut into layers.
fn cut(order: &[Cell], y: u32, sizes: &[u32]) -> Vec<u32> {
    let mut label = vec![NONE; order.len()];
    let mut cells = order.iter();
    for (l, &s) in sizes.iter().enumerate() {
        for c in cells.by_ref().take(s as usize) {
            label[c.0 as usize * y as usize + c.1 as usize] = l as u32;
        }
    }
    label
}

fn meets(n: usize) -> Vec<bool> {
    (0..n).map(|l| l + 1 < n).collect()
}

/// The order of cells with the least distance between layers among strips of all sensible heights, in both directions, and Hilbert's curve.
fn best_order(sizes: &[u32], x: u32, y: u32) -> (Vec<u32>, String) {
    let m = sizes.iter().copied().max().unwrap_or(1) as f64;
    let (low, high) = (m.sqrt() as u32, (2.0 * (3.0 * m).sqrt()).ceil() as u32);
    let step = ((high - low) / 24).max(1);
    let mut best = (f64::INFINITY, vec![], String::new());
    let mut consider = |order: Vec<Cell>, name: String| {
        let label = cut(&order, y, sizes);
        drop(order);
        let t = Layers::new(x, y, label, meets(sizes.len()), 0);
        if t.total() < best.0 {
            best = (t.total(), t.labels().to_vec(), name);
        }
    };
    consider(curve::gilbert(x, y), "Hilbert".into());
    let mut seen = vec![];
    for h in (low.max(1)..=high).step_by(step as usize) {
        let h = h.min(y);
        // Bands of equal height nearest to `h`, so that none is left over thin.
        let count = (y as f64 / h as f64).round().max(1.0) as u32;
        for even in [true, false] {
            let heights: Vec<u32> = if even {
                (0..count)
                    .map(|b| (b + 1) * y / count - b * y / count)
                    .collect()
            } else {
                let mut v = vec![h; (y / h) as usize];
                if !y.is_multiple_of(h) {
                    v.push(y % h);
                }
                v
            };
            if !seen.contains(&heights) {
                consider(
                    curve::bands(x, &heights),
                    format!("{} strips of {}", heights.len(), heights[0]),
                );
                seen.push(heights);
            }
        }
    }
    (best.1, best.2)
}

/// Largest factor by which the mesh and all layers can be made coarser while a layer keeps 48 cells.
fn coarseness(sizes: &[u32], x: u32, y: u32) -> u32 {
    let fits = |g: u32| {
        x.is_multiple_of(g)
            && y.is_multiple_of(g)
            && sizes
                .iter()
                .all(|s| s.is_multiple_of(g * g) && s / (g * g) >= 48)
    };
    [8, 4, 2].into_iter().find(|&g| fits(g)).unwrap_or(1)
}

fn dense(
    flows: &impl Flows,
    shape: &Shape,
    x: u32,
    y: u32,
    effort: usize,
    rng: &mut Rng,
) -> (Vec<Cell>, String) {
    let mut g = if effort > 0 {
        coarseness(&shape.sizes, x, y)
    } else {
        1
    };
    let sizes: Vec<u32> = shape.sizes.iter().map(|s| s / (g * g)).collect();
    let (mut label, name) = best_order(&sizes, x / g, y / g);
    let mut first = true;
    loop {
        if effort == 0 {
            break;
        }
        let (cx, cy) = (x / g, y / g);
        let m = shape.sizes.iter().copied().max().unwrap_or(1) as f64 / (g * g) as f64;
        let side = m.sqrt();
        let mut layers = Layers::new(
            cx,
            cy,
            label,
            meets(shape.sizes.len()),
            (2.0 * side) as i32 + 4,
        );
        let cells = cx as u64 * cy as u64;
        // Large meshes get fewer moves a cell, so that effort 2 stays within minutes.
        let least = if first { 0.1 } else { 0.05 };
        let share = (1_000_000.0 / cells as f64).clamp(least, 1.0);
        let level = match (first, g) {
            (true, _) => 0,
            (false, 1) => 2,
            (false, _) => 1,
        };
        let each = MOVES[effort][level] * share;
        let hot = HEAT[effort][level];
        layers.anneal(
            (each * cells as f64) as u64,
            hot * m,
            0.05 * m,
            ((2.0 * side).min(16.0), 1.0),
            rng,
        );
        label = layers.labels().to_vec();
        if g == 1 {
            break;
        }
        label = finer(&label, cx, cy);
        g /= 2;
        first = false;
    }
    let mut at = cells_of(&label, shape, flows.parts(), y);
    order_layers(flows, shape, effort, &mut at);
    (at, name)
}

/// Every cell cut into four.
fn finer(label: &[u32], x: u32, y: u32) -> Vec<u32> {
    let (x, y) = (x as usize, y as usize);
    (0..4 * x * y)
        .map(|c| label[(c / (2 * y) / 2) * y + (c % (2 * y)) / 2])
        .collect()
}

/// Positions of parts from the layers of cells, in the order of cells; parts of no layer take what is left.
fn cells_of(label: &[u32], shape: &Shape, parts: u32, y: u32) -> Vec<Cell> {
    let mut next: Vec<u32> = shape
        .sizes
        .iter()
        .scan(0, |sum, s| Some(std::mem::replace(sum, *sum + s)))
        .collect();
    let mut rest: u32 = shape.sizes.iter().sum();
    let mut at = vec![(0, 0); parts as usize];
    for (c, &l) in label.iter().enumerate() {
        let slot = if l == NONE {
            &mut rest
        } else {
            &mut next[l as usize]
        };
        if *slot < parts {
            at[*slot as usize] = (c as u32 / y, c as u32 % y);
            *slot += 1;
        }
    }
    at
}

fn order_layers(flows: &impl Flows, shape: &Shape, effort: usize, at: &mut [Cell]) {
    let work: f64 = shape.sizes.iter().map(|&s| (s as f64).powi(3)).sum();
    if work > ASSIGN_WORK[effort] {
        return;
    }
    let mut layers: Vec<Vec<u32>> = vec![];
    let mut member = vec![];
    for (l, &s) in shape.sizes.iter().enumerate() {
        let from = member.len() as u32;
        layers.push((from..from + s).collect());
        member.extend((0..s).map(|j| (l as u32, j)));
    }
    member.resize(at.len(), (u32::MAX, 0));
    for _ in 0..ORDERS[effort] {
        sweep(
            flows,
            &Chain {
                member: &member,
                layers: &layers,
            },
            at,
        );
    }
}
