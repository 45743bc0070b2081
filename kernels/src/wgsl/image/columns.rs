//! Synapses by target: for each unit of the target group a column of (source, delay, port, weight), in the order in which
//! an ordered port or a float sum takes them: source, then older before newer, then projection, then place in the row.

use synfire_ir::program::{Layout, Projection};

/// A synapse as its target sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Target unit of the group.
    pub target: u32,
    /// Source unit of its group.
    pub source: u32,
    /// Largest 16-bit number minus the delay: the older event comes first.
    pub youth: u16,
    /// Number of the projection in the list given.
    pub projection: u32,
    /// Number of the synapse in its projection.
    pub synapse: u32,
}

impl Entry {
    /// Steps.
    pub fn delay(&self) -> u16 {
        u16::MAX - self.youth
    }
}

/// All synapses of `list`, which lead from one group to one group, sorted.
pub fn entries(list: &[&Projection]) -> Vec<Entry> {
    let mut out = vec![];
    for (k, pr) in list.iter().enumerate() {
        let mut push = |s: u32, t: u32, delay: u16, n: u32| {
            out.push(Entry {
                target: pr.target_range.start + t,
                source: pr.source_range.start + s,
                youth: u16::MAX - delay,
                projection: k as u32,
                synapse: n,
            });
        };
        match &pr.layout {
            Layout::Rows(r) => {
                for s in 0..pr.source_range.len {
                    let runs = &r.runs[r.row[s as usize] as usize..r.row[s as usize + 1] as usize];
                    for run in runs {
                        (run.start..run.start + run.len)
                            .for_each(|n| push(s, r.targets[n as usize], run.delay, n));
                    }
                }
            }
            Layout::Dense { delay, .. } => {
                let m = pr.target_range.len;
                for s in 0..pr.source_range.len {
                    (0..m).for_each(|t| push(s, t, *delay, s * m + t));
                }
            }
            Layout::OneToOne { delay, .. } => {
                (0..pr.source_range.len).for_each(|s| push(s, s, *delay, s));
            }
            _ => {}
        }
    }
    out.sort_unstable();
    out
}

/// Bits of the weight of an entry.
pub fn weight(list: &[&Projection], e: &Entry) -> u32 {
    match &list[e.projection as usize].layout {
        Layout::Rows(r) => r.weights.bits(e.synapse as usize),
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => {
            weights.bits(e.synapse as usize)
        }
        _ => 0,
    }
}

/// Appends columns for targets `start..start + len` to `out`: a pointer for each and one past the last, counted in triples
/// from the beginning of `out`, then the triples that `word` gives. Returns where the pointers lie.
pub fn push(
    out: &mut Vec<u32>,
    entries: &[Entry],
    start: u32,
    len: u32,
    word: impl Fn(usize, &Entry) -> [u32; 3],
) -> u32 {
    let at = out.len();
    let first = (at + len as usize + 1).div_ceil(3);
    let mut n = 0;
    for t in start..start + len {
        out.push((first + n) as u32);
        while n < entries.len() && entries[n].target == t {
            n += 1;
        }
    }
    out.push((first + n) as u32);
    out.resize(3 * first, 0);
    for (k, e) in entries.iter().enumerate() {
        out.extend(word(k, e));
    }
    at as u32
}
