//! The network as the partitioner sees it: axons (nets), the distinct neurons that each reaches, and the other way round.
//!
//! In the plain case net `i` is neuron `i`'s axon. On chips whose axons carry a source at one delay, a neuron may have several nets, and nets of inputs
//! have no neuron at all. Memory: 4 bytes a synapse and direction, and 8 bytes a net and a neuron.

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

    /// The same pairs from the other end, where there are `n` of them, by a counting sort.
    pub fn turned(&self, n: usize) -> Lists {
        let mut start = vec![0u64; n + 2];
        self.to.iter().for_each(|&t| start[t as usize + 2] += 1);
        for i in 2..n + 2 {
            start[i] += start[i - 1];
        }
        let mut to = vec![0u32; self.to.len()];
        for s in 0..self.len() as u32 {
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

/// No neuron: a net that comes from outside.
pub const OUTSIDE: u32 = u32::MAX;

/// A network of neurons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Net {
    /// Targets of each net.
    pub out: Lists,
    /// Nets onto each neuron.
    pub into: Lists,
    /// Spikes of each net a step; empty: one each.
    pub rate: Vec<f64>,
    /// Neuron that each net belongs to, or [`OUTSIDE`]; empty: net `i` is neuron `i`'s.
    pub home: Vec<u32>,
    /// Slots of a core that each neuron takes; empty: one each. Where copies of a neuron depend on the partition: about as many.
    pub size: Vec<u32>,
    /// Slots that each neuron takes beyond its copies, where copies depend on the partition.
    pub base: Vec<u32>,
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
            into: out.turned(out.len()),
            out,
            ..Net::default()
        }
    }
}

impl Net {
    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        self.into.len()
    }

    /// Number of nets.
    pub fn nets(&self) -> usize {
        self.out.len()
    }

    /// Neuron that net `e` belongs to, or [`OUTSIDE`].
    #[inline]
    pub fn home(&self, e: u32) -> u32 {
        self.home.get(e as usize).copied().unwrap_or(e)
    }

    /// Slots that neuron `v` takes.
    #[inline]
    pub fn size(&self, v: u32) -> u32 {
        self.size.get(v as usize).copied().unwrap_or(1)
    }

    /// Slots that neuron `v` takes in any case; its copies come to these where there are any.
    #[inline]
    pub fn base(&self, v: u32) -> u32 {
        match self.base.get(v as usize) {
            Some(&b) => b,
            None => self.size(v),
        }
    }

    /// Slots that all neurons take.
    pub fn slots(&self) -> u64 {
        if self.size.is_empty() {
            self.neurons() as u64
        } else {
            self.size.iter().map(|&s| s as u64).sum()
        }
    }

    /// Number of (source, target) pairs.
    pub fn synapses(&self) -> u64 {
        self.out.to.len() as u64
    }

    /// Spikes of net `e` a step.
    #[inline]
    pub fn rate(&self, e: u32) -> f64 {
        self.rate.get(e as usize).copied().unwrap_or(1.0)
    }

    /// Neuron `i` becomes `to[i]`. For networks in which net `i` is neuron `i`'s and every neuron takes one slot.
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
