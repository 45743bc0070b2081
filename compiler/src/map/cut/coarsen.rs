//! Coarsening: every node joins the cluster with which it shares most, small nets counting more (heavy-edge rating, as in hMETIS and KaHyPar).

use super::hyper::Hyper;
use crate::map::rng::Rng;

/// Nets with more pins say too little about pairs to be worth the time.
const LARGE: usize = 1024;
/// Pins of a large net that are looked at.
const SAMPLE: usize = 64;

/// One level: clusters of at most `most` neurons; `(cluster of each node, clusters)`.
pub fn cluster(h: &Hyper, most: u32, rng: &mut Rng) -> (Vec<u32>, usize) {
    let n = h.nodes();
    let mut order: Vec<u32> = (0..n as u32).collect();
    rng.shuffle(&mut order);
    let mut leader: Vec<u32> = (0..n as u32).collect();
    let mut size = h.size.clone();
    let mut joined = vec![false; n];
    let mut score = vec![0.0f32; n];
    let mut met: Vec<u32> = vec![];
    for &v in &order {
        if joined[v as usize] {
            continue;
        }
        met.clear();
        for &e in h.nets.of(v) {
            let pins = h.pins.of(e);
            let r = h.weight[e as usize] / (pins.len() - 1) as f32;
            if pins.len() > LARGE {
                continue;
            }
            let (from, step) = if pins.len() > SAMPLE {
                (rng.below(pins.len() as u64) as usize, SAMPLE)
            } else {
                (0, pins.len())
            };
            for k in 0..step {
                let u = pins[(from + k) % pins.len()];
                let c = leader[u as usize];
                if score[c as usize] == 0.0 {
                    met.push(c);
                }
                score[c as usize] += r;
            }
        }
        let mut best = (0.0f32, u32::MAX);
        for &c in &met {
            if c != v && size[c as usize] + h.size[v as usize] <= most {
                let s = score[c as usize] / (size[c as usize] as f32 * h.size[v as usize] as f32);
                if s > best.0 || (s == best.0 && c < best.1) {
                    best = (s, c);
                }
            }
            score[c as usize] = 0.0;
        }
        if best.1 != u32::MAX {
            leader[v as usize] = best.1;
            size[best.1 as usize] += h.size[v as usize];
            joined[v as usize] = true;
            joined[best.1 as usize] = true;
        }
    }
    let mut name = vec![u32::MAX; n];
    let mut count = 0;
    let cluster = leader
        .iter()
        .map(|&l| {
            if name[l as usize] == u32::MAX {
                name[l as usize] = count;
                count += 1;
            }
            name[l as usize]
        })
        .collect();
    (cluster, count as usize)
}
