//! Spikes of targets that their synapses have yet to hear of.
//!
//! In: spikes of the tile's targets as they happen, with what the rule will read of the target. Out: for a row, the spikes
//! since it was last looked at, oldest first at each synapse. Between two arrivals nothing but spikes of targets changes a
//! synapse, and what its rule reads is known later too: the row's traces fall by themselves. So the rule runs when the row
//! is next looked at, over memory that is then needed anyway, and no synapse is sought from its target.
//!
//! Invariant: an entry is forgotten only when every row has heard of it.

use synfire_kernels::cpu::{Found, Isa};

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Posts {
    /// Number of the target's last entry, plus 1; 0 if there is none.
    head: Vec<u32>,
    /// The same of the entry before, for each entry.
    before: Vec<u32>,
    /// Step of each entry.
    pub step: Vec<u32>,
    /// Words of each entry: one column for each leaf of the rule, empty where a leaf reads nothing of the target.
    pub words: Vec<Vec<u32>>,
    /// How many entries each row has heard of.
    heard: Vec<u32>,
    /// Most entries.
    most: usize,
}

/// Entries per target after which all rows hear of them: each entry is then looked at once by each of the target's synapses,
/// and the look at all rows is shared by so many.
const PER_TARGET: usize = 16;

impl Posts {
    pub fn new(targets: usize, rows: usize, leaves: usize) -> Self {
        Posts {
            head: vec![0; targets],
            heard: vec![0; rows],
            words: vec![vec![]; leaves],
            most: (PER_TARGET * targets).max(1024),
            ..Posts::default()
        }
    }

    pub fn len(&self) -> usize {
        self.step.len()
    }

    pub fn is_full(&self) -> bool {
        self.len() >= self.most
    }

    /// Enters a spike; its words are the caller's to add.
    pub fn enter(&mut self, target: usize, step: u32) {
        self.before.push(self.head[target]);
        self.step.push(step);
        self.head[target] = self.step.len() as u32;
    }

    /// The entries that a row has not heard of.
    pub fn unheard(&self, row: usize) -> std::ops::Range<usize> {
        self.heard[row] as usize..self.len()
    }

    pub fn hear(&mut self, row: usize) {
        self.heard[row] = self.len() as u32;
    }

    /// Forgets everything, which all rows have heard.
    pub fn clear(&mut self) {
        self.head.fill(0);
        self.heard.fill(0);
        self.before.clear();
        self.step.clear();
        self.words.iter_mut().for_each(Vec::clear);
    }

    /// Fills `levels` with what a row has not heard: level k has, of each of its synapses, the k-th newest entry of its
    /// target. Returns how many levels there are. The row's first synapse has place `first`.
    pub fn gather(
        &self,
        isa: Isa,
        row: usize,
        targets: &[u16],
        first: u32,
        levels: &mut Vec<Found>,
    ) -> usize {
        let heard = self.heard[row];
        let mut n = 0;
        loop {
            if levels.len() <= n {
                levels.push(Found::default());
            }
            let (done, rest) = levels.split_at_mut(n);
            match done.last() {
                None => rest[0].newest(isa, heard, &self.head, targets, first),
                Some(newest) => rest[0].earlier(isa, heard, &self.before, newest),
            }
            if rest[0].places().is_empty() {
                return n;
            }
            n += 1;
        }
    }
}
