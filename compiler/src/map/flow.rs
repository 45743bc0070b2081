//! Traffic between parts: weighted directed hyperedges (a source part and the other parts that its packets reach), streamed so that
//! symbolic networks are never stored.
//!
//! Flows come grouped by source part, sources ascending; destinations of a flow are distinct and never the source itself.

/// Parts that each send to every part of a range, which holds none of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Block<'a> {
    /// Sources.
    pub from: std::ops::Range<u32>,
    /// Packets of each source.
    pub weight: &'a [f64],
    /// Destinations.
    pub to: std::ops::Range<u32>,
}

/// A part that sends to every part of a range, which does not hold it, to each with a flow of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// Source.
    pub from: u32,
    /// Destinations.
    pub to: std::ops::Range<u32>,
    /// Packets to each.
    pub weight: &'a [f64],
}

/// A stream of flows.
pub trait Flows {
    /// Number of parts.
    fn parts(&self) -> u32;
    /// Calls `f(source, destinations, weight)` for every flow, in a fixed order.
    fn each(&self, f: &mut impl FnMut(u32, &[u32], f64));
    /// Calls `f` for sources that meet their destinations all-to-all, which can be counted without a walk over the pairs. A source in a block has no other
    /// flow.
    fn blocks(&self, _: &mut impl FnMut(&Block)) {}
    /// Calls `f` for sources with a flow of its own to each of a range. A source with a row has no other flow, and is in no block.
    fn rows(&self, _: &mut impl FnMut(&Row)) {}
    /// The flows that are in no block and no row.
    fn rest(&self, f: &mut impl FnMut(u32, &[u32], f64)) {
        self.each(f)
    }
}

/// Flows in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowList {
    /// Number of parts.
    pub parts: u32,
    /// Source of each flow, ascending.
    pub source: Vec<u32>,
    /// Packets of each flow.
    pub weight: Vec<f64>,
    /// Ranges into `to`, one more than flows.
    pub start: Vec<u64>,
    /// Destinations.
    pub to: Vec<u32>,
}

impl FlowList {
    /// No flows yet.
    pub fn new(parts: u32) -> FlowList {
        FlowList {
            parts,
            start: vec![0],
            ..FlowList::default()
        }
    }

    /// Appends a flow.
    pub fn push(&mut self, source: u32, to: &[u32], weight: f64) {
        self.source.push(source);
        self.weight.push(weight);
        self.to.extend_from_slice(to);
        self.start.push(self.to.len() as u64);
    }

    /// Destinations of flow `i`.
    pub fn destinations(&self, i: usize) -> &[u32] {
        &self.to[self.start[i] as usize..self.start[i + 1] as usize]
    }
}

impl Flows for FlowList {
    fn parts(&self) -> u32 {
        self.parts
    }

    fn each(&self, f: &mut impl FnMut(u32, &[u32], f64)) {
        for (i, &s) in self.source.iter().enumerate() {
            f(s, self.destinations(i), self.weight[i]);
        }
    }
}
