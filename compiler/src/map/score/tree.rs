//! Placement metrics under multicast along X-then-Y trees: a flow loads every link of the union of its paths once, which is what
//! dimension-ordered hardware does.
//!
//! The tree of a flow is a stretch of the source's row and, in every column with a destination, a stretch of that column; loads
//! of stretches go to difference arrays, so a flow costs O(destinations).

use super::unicast::{Costs, Places};
use crate::map::flow::Flows;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Multicast {
    pub mc_hops: f64,
    pub mc_energy: f64,
    pub mc_link_max: f64,
    pub mc_link_avg: f64,
}

/// Stretches of one direction, as differences along it.
struct Lane(Vec<f64>);

impl Lane {
    fn add(&mut self, from: usize, to: usize, w: f64) {
        self.0[from] += w;
        self.0[to] -= w;
    }

    fn each(&self, line: usize, f: &mut impl FnMut(usize, f64)) {
        for (r, row) in self.0.chunks(line).enumerate() {
            let mut sum = 0.0;
            for (k, v) in row.iter().enumerate() {
                sum += v;
                f(r * line + k, sum);
            }
        }
    }

    fn max(&self, line: usize) -> f64 {
        let mut max = 0.0f64;
        self.each(line, &mut |_, w| max = max.max(w));
        max
    }
}

/// Loads of all links: eastward and westward by row, northward and southward by column. Entry `k` of a line stands for the link between cells `k` and `k + 1`.
struct Lanes {
    x: usize,
    y: usize,
    lanes: [Lane; 4],
}

/// Calls `f(weight, links)` for every flow and collects the loads.
fn walk(flows: &impl Flows, p: &Places, f: &mut impl FnMut(f64, u64)) -> Lanes {
    let (x, y) = (p.x as usize, p.y as usize);
    let lane = || Lane(vec![0.0; x * y]);
    let (mut east, mut west, mut north, mut south) = (lane(), lane(), lane(), lane());
    let mut low = vec![0u32; x];
    let mut high = vec![0u32; x];
    let mut stamp = vec![0u64; x];
    let mut columns: Vec<usize> = vec![];
    let mut now = 0;
    flows.each(&mut |s, to, w| {
        if to.is_empty() {
            return;
        }
        now += 1;
        columns.clear();
        let a = p.at[s as usize];
        let (mut x0, mut x1) = (a.0, a.0);
        for &t in to {
            let b = p.at[t as usize];
            let k = b.0 as usize;
            if stamp[k] != now {
                stamp[k] = now;
                (low[k], high[k]) = (a.1, a.1);
                columns.push(k);
            }
            low[k] = low[k].min(b.1);
            high[k] = high[k].max(b.1);
            x0 = x0.min(b.0);
            x1 = x1.max(b.0);
        }
        let row = a.1 as usize * x;
        let mut links = (x1 - x0) as u64;
        east.add(row + a.0 as usize, row + x1 as usize, w);
        west.add(row + x0 as usize, row + a.0 as usize, w);
        for &k in &columns {
            links += (high[k] - low[k]) as u64;
            north.add(k * y + a.1 as usize, k * y + high[k] as usize, w);
            south.add(k * y + low[k] as usize, k * y + a.1 as usize, w);
        }
        f(w, links);
    });
    Lanes {
        x,
        y,
        lanes: [east, west, north, south],
    }
}

/// All metrics in one pass.
pub fn multicast(flows: &impl Flows, p: &Places, c: &Costs) -> Multicast {
    let mut m = Multicast::default();
    let mut packets = 0.0;
    let l = walk(flows, p, &mut |w, links| {
        m.mc_hops += w * links as f64;
        packets += w;
    });
    m.mc_energy = m.mc_hops * c.energy_link + (m.mc_hops + packets) * c.energy_router;
    let (x, y) = (l.x, l.y);
    let line = [x, x, y, y];
    m.mc_link_max = l
        .lanes
        .iter()
        .zip(line)
        .fold(0.0, |m: f64, (lane, n)| m.max(lane.max(n.max(1))));
    let directed = 2 * (x * y.saturating_sub(1) + y * x.saturating_sub(1));
    m.mc_link_avg = if directed > 0 {
        m.mc_hops / directed as f64
    } else {
        0.0
    };
    m
}

/// Links in use: (cell at the lower or left end, direction 0 east, 1 west, 2 north, 3 south, packets).
pub fn loads(flows: &impl Flows, p: &Places) -> Vec<((u32, u32), u8, f64)> {
    let l = walk(flows, p, &mut |_, _| ());
    let mut out = vec![];
    for (d, lane) in l.lanes.iter().enumerate() {
        let n = if d < 2 { l.x } else { l.y }.max(1);
        lane.each(n, &mut |k, w| {
            if w > 1e-9 {
                let (line, i) = ((k / n) as u32, (k % n) as u32);
                let at = if d < 2 { (i, line) } else { (line, i) };
                out.push((at, d as u8, w));
            }
        });
    }
    out
}
