//! The network as the partitioner sees it: for every neuron the distinct neurons that it reaches, and the other way round.
//!
//! Memory: 4 bytes a synapse and direction, and 8 bytes a neuron and direction.

use crate::map::rng::Rng;

/// Lists of neighbours, one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists {
    /// Ranges into `to`, one more than neurons.
    pub start: Vec<u64>,
    /// Neighbours, ascending in each list.
    pub to: Vec<u32>,
}

impl Lists {
    /// Neighbours of `i`.
    #[inline]
    pub fn of(&self, i: u32) -> &[u32] {
        &self.to[self.start[i as usize] as usize..self.start[i as usize + 1] as usize]
    }

    /// Number of lists.
    pub fn len(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    /// No lists?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same pairs from the other end, by a counting sort.
    pub fn turned(&self) -> Lists {
        let n = self.len();
        let mut start = vec![0u64; n + 2];
        self.to.iter().for_each(|&t| start[t as usize + 2] += 1);
        for i in 2..n + 2 {
            start[i] += start[i - 1];
        }
        let mut to = vec![0u32; self.to.len()];
        for s in 0..n as u32 {
            for &t in self.of(s) {
                let k = &mut start[t as usize + 1];
                to[*k as usize] = s;
                *k += 1;
            }
        }
        start.pop();
        Lists { start, to }
    }
}

/// A network of neurons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Net {
    /// Targets of each neuron.
    pub out: Lists,
    /// Sources of each neuron.
    pub into: Lists,
    /// Spikes of each neuron a step; empty: one each.
    pub rate: Vec<f64>,
}

/// Collects targets neuron by neuron.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    start: Vec<u64>,
    to: Vec<u32>,
}

impl Builder {
    /// Nothing yet.
    pub fn new() -> Builder {
        Builder {
            start: vec![0],
            to: vec![],
        }
    }

    /// Targets of the next neuron; sorted, doubles removed.
    pub fn neuron(&mut self, mut targets: Vec<u32>) {
        targets.sort_unstable();
        targets.dedup();
        self.to.extend(targets);
        self.start.push(self.to.len() as u64);
    }

    /// The network.
    pub fn build(self) -> Net {
        let out = Lists {
            start: self.start,
            to: self.to,
        };
        Net {
            into: out.turned(),
            out,
            rate: vec![],
        }
    }
}

impl Net {
    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.out.len()
    }

    /// Number of (source, target) pairs.
    pub fn synapses(&self) -> u64 {
        self.out.to.len() as u64
    }

    /// Spikes of neuron `u` a step.
    #[inline]
    pub fn rate(&self, u: u32) -> f64 {
        self.rate.get(u as usize).copied().unwrap_or(1.0)
    }

    /// Neuron `i` becomes `to[i]`.
    pub fn renamed(&self, to: &[u32]) -> Net {
        let mut old = vec![0u32; to.len()];
        to.iter()
            .enumerate()
            .for_each(|(i, &t)| old[t as usize] = i as u32);
        let mut b = Builder::new();
        for &o in &old {
            b.neuron(self.out.of(o).iter().map(|&t| to[t as usize]).collect());
        }
        let mut net = b.build();
        if !self.rate.is_empty() {
            net.rate = old.iter().map(|&o| self.rate[o as usize]).collect();
        }
        net
    }

    /// Ids permuted at random.
    pub fn shuffled(&self, seed: u64) -> Net {
        let mut to: Vec<u32> = (0..self.neurons() as u32).collect();
        Rng::new(seed).shuffle(&mut to);
        self.renamed(&to)
    }
}
