//! Orders in which a curve visits the cells of a mesh: meander, strips, diagonal strips, Hilbert on powers of two, and the generalised
//! Hilbert curve on any rectangle (after Červený's gilbert2d).

/// A cell.
pub type Cell = (u32, u32);

/// Hilbert's curve over `side` x `side` cells (a power of two), from (0, 0) to (side - 1, 0).
pub fn hilbert(side: u32) -> Vec<Cell> {
    (0..side as u64 * side as u64)
        .map(|d| {
            let (mut x, mut y, mut t) = (0u32, 0u32, d);
            let mut s = 1u32;
            while s < side {
                let rx = (1 & (t / 2)) as u32;
                let ry = (1 & (t ^ rx as u64)) as u32;
                if ry == 0 {
                    if rx == 1 {
                        x = s - 1 - x;
                        y = s - 1 - y;
                    }
                    std::mem::swap(&mut x, &mut y);
                }
                x += s * rx;
                y += s * ry;
                t /= 4;
                s *= 2;
            }
            (x, y)
        })
        .collect()
}

/// Bands of the given heights from the lowest row up; band `b` is filled column by column, to the right for even `b`, and the columns of a band
/// alternate in direction, the first one upwards.
pub fn bands(x: u32, heights: &[u32]) -> Vec<Cell> {
    let mut out = vec![];
    let mut base = 0;
    for (b, &h) in heights.iter().enumerate() {
        for c in 0..x {
            let column = if b % 2 == 0 { c } else { x - 1 - c };
            for r in 0..h {
                out.push((column, base + if c % 2 == 0 { r } else { h - 1 - r }));
            }
        }
        base += h;
    }
    out
}

/// Bands of `h` rows; the last one takes what is left.
pub fn strips(x: u32, y: u32, h: u32) -> Vec<Cell> {
    let h = h.clamp(1, y.max(1));
    let mut heights = vec![h; (y / h) as usize];
    if !y.is_multiple_of(h) {
        heights.push(y % h);
    }
    bands(x, &heights)
}

/// Diagonal bands: cells with `x - y` in windows of width `h` (first window shifted by `offset`), visited along `x + y`, up and down in turns.
pub fn diagonals(x: u32, y: u32, h: u32, offset: u32) -> Vec<Cell> {
    let mut cells: Vec<Cell> = (0..x).flat_map(|i| (0..y).map(move |j| (i, j))).collect();
    let h = h.max(1) as i64;
    let key = |c: &Cell| {
        let band = (c.0 as i64 - c.1 as i64 + y as i64 - 1 + offset as i64) / h;
        let along = c.0 as i64 + c.1 as i64;
        let across = c.0 as i64 - c.1 as i64;
        let along = if band % 2 == 0 { along } else { -along };
        (band, along, if along % 2 == 0 { across } else { -across })
    };
    cells.sort_by_key(key);
    cells
}

/// The generalised Hilbert curve over any `x` x `y` mesh from (0, 0) (Červený, gilbert2d): neighbours on the curve are neighbours on the mesh,
/// except for one diagonal step where both sides are odd in the wrong way.
pub fn gilbert(x: u32, y: u32) -> Vec<Cell> {
    let mut out = Vec::with_capacity(x as usize * y as usize);
    let (x, y) = (x as i64, y as i64);
    if x >= y {
        walk((0, 0), (x, 0), (0, y), &mut out);
    } else {
        walk((0, 0), (0, y), (x, 0), &mut out);
    }
    out
}

type Step = (i64, i64);

fn half(s: Step) -> Step {
    (s.0.div_euclid(2), s.1.div_euclid(2))
}

fn walk(at: Step, a: Step, b: Step, out: &mut Vec<Cell>) {
    let (w, h) = ((a.0 + a.1).abs(), (b.0 + b.1).abs());
    let (da, db) = ((a.0.signum(), a.1.signum()), (b.0.signum(), b.1.signum()));
    let line = |n: i64, d: Step, out: &mut Vec<Cell>| {
        out.extend((0..n).map(|i| ((at.0 + i * d.0) as u32, (at.1 + i * d.1) as u32)))
    };
    if h == 1 {
        return line(w, da, out);
    }
    if w == 1 {
        return line(h, db, out);
    }
    let (mut a2, mut b2) = (half(a), half(b));
    let (w2, h2) = ((a2.0 + a2.1).abs(), (b2.0 + b2.1).abs());
    let add = |p: Step, q: Step| (p.0 + q.0, p.1 + q.1);
    let sub = |p: Step, q: Step| (p.0 - q.0, p.1 - q.1);
    if 2 * w > 3 * h {
        if w2 % 2 != 0 && w > 2 {
            a2 = add(a2, da);
        }
        walk(at, a2, b, out);
        walk(add(at, a2), sub(a, a2), b, out);
    } else {
        if h2 % 2 != 0 && h > 2 {
            b2 = add(b2, db);
        }
        walk(at, b2, a2, out);
        walk(add(at, b2), a, sub(b, b2), out);
        let end = add(add(at, sub(a, da)), sub(b2, db));
        walk(end, (-b2.0, -b2.1), (-(a.0 - a2.0), -(a.1 - a2.1)), out);
    }
}

/// All cells of `x` columns and `y` rows, block by block along the curve; `blocks`: their columns and rows, from outside in, each dividing the one before.
pub fn nested(x: u32, y: u32, blocks: &[Cell]) -> Vec<Cell> {
    let Some((&(w, h), inner)) = blocks.split_first() else {
        return gilbert(x, y);
    };
    let (w, h) = (w.clamp(1, x.max(1)), h.clamp(1, y.max(1)));
    let inside = nested(w, h, inner);
    let order = gilbert(x / w, y / h);
    let of = |(a, b): Cell| inside.iter().map(move |c| (a * w + c.0, b * h + c.1));
    order.into_iter().flat_map(of).collect()
}
