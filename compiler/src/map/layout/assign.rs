//! The linear assignment problem, and with it the best places of a layer's parts among the layer's own cells while its neighbours stand
//! still: exact, since parts of a layer exchange nothing.

use super::curve::Cell;
use crate::map::flow::Flows;

/// For each row of the square matrix `cost` (row-major, `n` x `n`) a column of its own, at the least total cost. Shortest augmenting paths with
/// potentials (Jonker and Volgenant 1987), O(n^3).
pub fn assignment(cost: &[f32], n: usize) -> Vec<u32> {
    const FREE: usize = usize::MAX;
    let (mut u, mut v) = (vec![0f32; n + 1], vec![0f32; n + 1]);
    let mut owner = vec![FREE; n + 1];
    let mut way = vec![0usize; n];
    let mut least = vec![f32::INFINITY; n];
    let mut left: Vec<u32> = Vec::with_capacity(n);
    let mut done: Vec<usize> = Vec::with_capacity(n);
    for row in 0..n {
        owner[n] = row;
        let mut at = n;
        least.fill(f32::INFINITY);
        left.clear();
        left.extend(0..n as u32);
        done.clear();
        done.push(n);
        loop {
            let r = owner[at];
            let (line, ur) = (&cost[r * n..r * n + n], u[r]);
            let (mut delta, mut next) = (f32::INFINITY, 0usize);
            for (k, &c) in left.iter().enumerate() {
                let c = c as usize;
                let d = line[c] - ur - v[c];
                if d < least[c] {
                    least[c] = d;
                    way[c] = at;
                }
                if least[c] < delta {
                    delta = least[c];
                    next = k;
                }
            }
            for &c in &done {
                u[owner[c]] += delta;
                v[c] -= delta;
            }
            for &c in &left {
                least[c as usize] -= delta;
            }
            at = left.swap_remove(next) as usize;
            done.push(at);
            if owner[at] == FREE {
                break;
            }
        }
        while at != n {
            let from = way[at];
            owner[at] = owner[from];
            at = from;
        }
    }
    let mut out = vec![0u32; n];
    for c in 0..n {
        out[owner[c]] = c as u32;
    }
    out
}

/// Weighted distance from every column (or row) position to a layer's parts, for one part.
fn toward(at: &[u32], w: &[f32], from: u32, out: &mut [f32]) {
    out.fill(0.0);
    let mut total = 0.0f32;
    let mut first = 0.0f32;
    for (&p, &x) in at.iter().zip(w) {
        total += x;
        first += x * (p as f32 - from as f32);
    }
    // Right of position p every unit step adds the weight at or left of p and takes off the rest.
    let mut here = vec![0.0f32; out.len()];
    let mut below = 0.0f32;
    let last = out.len() as i64 - 1;
    for (&p, &x) in at.iter().zip(w) {
        let k = p as i64 - from as i64;
        if k < 0 {
            below += x;
            first += 2.0 * x * (-k) as f32;
        } else if k <= last {
            here[k as usize] += x;
        }
    }
    let mut value = first;
    for (o, h) in out.iter_mut().zip(&here) {
        *o = value;
        below += h;
        value += 2.0 * below - total;
    }
}

/// Layers of a network in which packets go from layer to next layer only.
pub struct Chain<'a> {
    /// Layer and rank of each part.
    pub member: &'a [(u32, u32)],
    /// Parts of each layer by rank.
    pub layers: &'a [Vec<u32>],
}

/// One sweep over all layers, first to last: each is put in its best order on its cells. Flows must come with layers of sources ascending.
/// Memory: two weight matrices.
pub fn sweep(flows: &impl Flows, chain: &Chain, at: &mut [Cell]) {
    let mut before: Vec<f32> = vec![];
    let mut after: Vec<f32> = vec![];
    let mut layer = 0usize;
    let size = |l: usize| chain.layers.get(l).map_or(0, Vec::len);
    after.resize(size(0) * size(1), 0.0);
    let step = |before: &[f32], after: &[f32], l: usize, at: &mut [Cell]| {
        settle(chain, l, before, after, at)
    };
    flows.each(&mut |s, to, w| {
        let (l, j) = chain.member[s as usize];
        while layer < l as usize {
            step(&before, &after, layer, at);
            std::mem::swap(&mut before, &mut after);
            layer += 1;
            after.clear();
            after.resize(size(layer) * size(layer + 1), 0.0);
        }
        for &t in to {
            let (m, k) = chain.member[t as usize];
            if m == l + 1 {
                after[j as usize * size(layer + 1) + k as usize] += w as f32;
            }
        }
    });
    while layer < chain.layers.len() {
        step(&before, &after, layer, at);
        std::mem::swap(&mut before, &mut after);
        layer += 1;
        after.clear();
        after.resize(size(layer) * size(layer + 1), 0.0);
    }
}

/// Puts layer `l` in order: `before` is (previous, this), `after` (this, next).
fn settle(chain: &Chain, l: usize, before: &[f32], after: &[f32], at: &mut [Cell]) {
    let parts = &chain.layers[l];
    let n = parts.len();
    if n < 2 {
        return;
    }
    let cells: Vec<Cell> = parts.iter().map(|&p| at[p as usize]).collect();
    let low = (
        cells.iter().map(|c| c.0).min().unwrap_or(0),
        cells.iter().map(|c| c.1).min().unwrap_or(0),
    );
    let high = (
        cells.iter().map(|c| c.0).max().unwrap_or(0),
        cells.iter().map(|c| c.1).max().unwrap_or(0),
    );
    let near = |k: Option<&Vec<u32>>| -> (Vec<u32>, Vec<u32>) {
        k.map_or((vec![], vec![]), |v| {
            v.iter().map(|&p| at[p as usize]).unzip()
        })
    };
    let previous = near(l.checked_sub(1).and_then(|k| chain.layers.get(k)));
    let next = near(chain.layers.get(l + 1));
    let (np, nn) = (previous.0.len(), next.0.len());
    let mut cost = vec![0.0f32; n * n];
    let mut w = vec![0.0f32; np + nn];
    let xs: Vec<u32> = previous.0.iter().chain(&next.0).copied().collect();
    let ys: Vec<u32> = previous.1.iter().chain(&next.1).copied().collect();
    let mut gx = vec![0.0f32; (high.0 - low.0 + 1) as usize];
    let mut gy = vec![0.0f32; (high.1 - low.1 + 1) as usize];
    for j in 0..n {
        for k in 0..np {
            w[k] = before[k * n + j];
        }
        w[np..].copy_from_slice(&after[j * nn..(j + 1) * nn]);
        toward(&xs, &w, low.0, &mut gx);
        toward(&ys, &w, low.1, &mut gy);
        for (c, cell) in cells.iter().enumerate() {
            cost[j * n + c] = gx[(cell.0 - low.0) as usize] + gy[(cell.1 - low.1) as usize];
        }
    }
    for (j, c) in assignment(&cost, n).into_iter().enumerate() {
        at[parts[j] as usize] = cells[c as usize];
    }
}
