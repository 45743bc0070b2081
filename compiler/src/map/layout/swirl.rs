//! Turning a layer grid against itself: concentric rings of the mesh are rotated, the outer ones more.
//!
//! In a grid with x = layer and y = position, links that lead up on average (a window `j .. j + k`) get shorter where rows above lie a little to the
//! left. A rotation of the outer rings does that along the lower and upper edges, and costs less than it gains along the left and right ones.

use super::curve::Cell;

/// Cells of ring `r` of an `x` x `y` mesh, counterclockwise from its lower left corner.
fn ring(x: u32, y: u32, r: u32) -> Vec<Cell> {
    let (x0, y0, x1, y1) = (r, r, x - 1 - r, y - 1 - r);
    if x0 == x1 || y0 == y1 {
        return vec![];
    }
    let mut c: Vec<Cell> = (x0..x1).map(|i| (i, y0)).collect();
    c.extend((y0..y1).map(|j| (x1, j)));
    c.extend((x0 + 1..=x1).rev().map(|i| (i, y1)));
    c.extend((y0 + 1..=y1).rev().map(|j| (x0, j)));
    c
}

/// Rotates the content of ring `r` by `turn - r / slope` cells where that is positive, counterclockwise, or clockwise for `back`.
pub fn swirl(x: u32, y: u32, turn: u32, slope: u32, back: bool, at: &mut [Cell]) {
    let rings = (x.min(y) / 2).min(turn * slope.max(1));
    let mut to: Vec<Cell> = (0..x).flat_map(|i| (0..y).map(move |j| (i, j))).collect();
    for r in 0..rings {
        let c = ring(x, y, r);
        if c.is_empty() {
            continue;
        }
        let by = (turn - r / slope.max(1)) as usize % c.len();
        let by = if back { c.len() - by } else { by };
        for (i, from) in c.iter().enumerate() {
            to[(from.0 * y + from.1) as usize] = c[(i + by) % c.len()];
        }
    }
    for a in at {
        *a = to[(a.0 * y + a.1) as usize];
    }
}
