//! The emissions of a source group in the last steps, in the order in which float sums take them.
//!
//! In: the lists of a group's tiles, one step after another. Out: those emissions that rows of some delay may still bring,
//! by source, then older first. Keeping them sorted costs one merge of two sorted lists a step.

use super::bundle::From;
use super::spikes::History;

/// An emission.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Unit of the group.
    pub source: u32,
    /// Step.
    pub born: u32,
    pub payload: u32,
}

/// What of a group a worker keeps.
#[derive(Clone, Debug)]
pub(super) struct Span {
    /// Source group.
    pub group: u32,
    /// Its tiles.
    pub from: Vec<From>,
    /// Smallest and largest delay of the rows that read it.
    pub delays: (u16, u16),
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    entries: Vec<Entry>,
    spare: Vec<Entry>,
}

impl Window {
    /// Takes in what is `delays.0` steps old and drops what is older than `delays.1`.
    pub fn advance(
        &mut self,
        from: &[From],
        history: &[History],
        (least, most): (u16, u16),
        step: u32,
    ) {
        let then = step.checked_sub(least as u32);
        let fresh = from.iter().flat_map(|f| {
            let list = then.map(|t| history[f.tile].list(t));
            let units = list.into_iter().flat_map(|l| l.iter());
            units.map(|(u, x)| (u + f.start, x))
        });
        let mut fresh = fresh.peekable();
        self.spare.clear();
        let alive = |e: &&Entry| e.born as u64 + most as u64 >= step as u64;
        for e in self.entries.iter().filter(alive) {
            while let Some((source, payload)) = fresh.next_if(|f| f.0 < e.source) {
                self.spare.push(Entry {
                    source,
                    born: step - least as u32,
                    payload,
                });
            }
            self.spare.push(*e);
        }
        self.spare.extend(fresh.map(|(source, payload)| Entry {
            source,
            born: step - least as u32,
            payload,
        }));
        std::mem::swap(&mut self.entries, &mut self.spare);
    }

    /// What there was after step `now - 1`.
    pub fn restore(
        &mut self,
        from: &[From],
        history: &[History],
        (least, most): (u16, u16),
        now: u32,
    ) {
        self.entries.clear();
        for f in from {
            for born in now.saturating_sub(most.into())..now.saturating_sub(least.into()) {
                let list = history[f.tile].list(born).iter();
                self.entries.extend(list.map(|(unit, payload)| Entry {
                    source: unit + f.start,
                    born,
                    payload,
                }));
            }
        }
        self.entries.sort_by_key(|e| (e.source, e.born));
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}
