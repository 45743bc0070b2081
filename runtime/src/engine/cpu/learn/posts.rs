//! Spikes of targets that their synapses have yet to hear of.
//!
//! In: spikes of the tile's targets as they happen, with what the rule will read of the target. Out: for a row, the spikes
//! since it was last looked at, oldest first at each synapse. Between two arrivals nothing but spikes of targets changes a
//! synapse, and what its rule reads is known later too: the row's traces fall by themselves. So the rule runs when the row
//! is next looked at, over memory that is then needed anyway, and no synapse is sought from its target.
//!
//! Invariant: an entry is forgotten only when every row has heard of it.

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

/// Synapses (as places) that an entry waits for, and the entries.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    pub places: Vec<u32>,
    pub entries: Vec<u32>,
    pub len: usize,
}

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
        row: usize,
        targets: &[u16],
        first: u32,
        levels: &mut Vec<Level>,
    ) -> usize {
        let heard = self.heard[row];
        // As slices of their own: through `self` both would be looked up again for every synapse.
        let (head, before) = (&self.head[..], &self.before[..]);
        let mut n = 0;
        loop {
            if levels.len() <= n {
                levels.push(Level::default());
            }
            let (done, rest) = levels.split_at_mut(n);
            let level = &mut rest[0];
            let found = match done.last() {
                None => {
                    level.reserve(targets.len());
                    let to = (&mut level.places[..], &mut level.entries[..]);
                    let last = targets.iter().map(|&t| head[t as usize]);
                    newer(heard, (first..).zip(last), to)
                }
                Some(newest) => {
                    level.reserve(newest.len);
                    let to = (&mut level.places[..], &mut level.entries[..]);
                    let places = newest.places[..newest.len].iter().copied();
                    let entries = newest.entries[..newest.len].iter();
                    let last = entries.map(|&e| before[e as usize]);
                    newer(heard, places.zip(last), to)
                }
            };
            level.len = found;
            if found == 0 {
                return n;
            }
            n += 1;
        }
    }
}

impl Level {
    fn reserve(&mut self, n: usize) {
        if self.places.len() < n {
            self.places.resize(n, 0);
            self.entries.resize(n, 0);
        }
    }
}

/// Keeps those of (place, number of an entry plus 1) that lie beyond `heard`. Writes before it knows, so that it never
/// branches: whether a target has spiked is a matter of chance.
#[inline(always)]
fn newer(
    heard: u32,
    from: impl Iterator<Item = (u32, u32)>,
    (places, entries): (&mut [u32], &mut [u32]),
) -> usize {
    let mut n = 0;
    for (place, last) in from {
        (places[n], entries[n]) = (place, last.wrapping_sub(1));
        n += (last > heard) as usize;
    }
    n
}
