//! The spikes of a source group that are on the way through the rows of a stream, in the order in which float sums take them.
//!
//! In: the lists of a group's tiles, one step after another. Out: a rider for each spike that some row may still bring, by
//! source, then older first; it stands at the row of the step. Keeping them sorted costs one merge of two sorted lists a step.

use super::bundle::Bundle;
use super::spikes::History;
use synfire_kernels::cpu::stream::Rider;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Riders {
    riders: Vec<Rider>,
    spare: Vec<Rider>,
}

impl Riders {
    /// Takes in what reaches its first row in this step and drops what has left its last; all others have moved on since the
    /// step before.
    pub fn advance(&mut self, bundle: &Bundle, history: &[History], step: u32) -> &mut [Rider] {
        let (least, most) = bundle.delays();
        let then = step.checked_sub(least.into());
        let fresh = then
            .into_iter()
            .flat_map(|born| emitted(bundle, history, born, 0));
        let mut fresh = fresh.peekable();
        let alive = |e: &Rider| e.born as u64 + most as u64 >= step as u64;
        if fresh.peek().is_none() {
            self.riders.retain(alive);
            return &mut self.riders;
        }
        self.spare.clear();
        for e in self.riders.iter().filter(|e| alive(e)) {
            while let Some(new) = fresh.next_if(|f| f.source < e.source) {
                self.spare.push(new);
            }
            self.spare.push(*e);
        }
        self.spare.extend(fresh);
        std::mem::swap(&mut self.riders, &mut self.spare);
        &mut self.riders
    }

    /// What there was after step `now - 1`.
    pub fn restore(&mut self, bundle: &Bundle, history: &[History], now: u32) {
        self.riders.clear();
        if !bundle.is_stream() {
            return;
        }
        let (least, most) = bundle.delays();
        for born in now.saturating_sub(most.into())..now.saturating_sub(least.into()) {
            let late = now - born - u32::from(least);
            self.riders.extend(emitted(bundle, history, born, late));
        }
        self.riders.sort_by_key(|e| (e.source, e.born));
    }
}

/// What the sources of a bundle emitted in a step, each at its row of `late` steps after the first.
fn emitted(
    bundle: &Bundle,
    history: &[History],
    born: u32,
    late: u32,
) -> impl Iterator<Item = Rider> {
    bundle.from.iter().flat_map(move |f| {
        let units = history[f.tile].list(born).iter();
        units.filter_map(move |(unit, payload)| {
            let source = unit + f.start;
            Some(Rider {
                source,
                born,
                row: bundle.row_of(source, late)?,
                factor: bundle.kind.payload.factor(payload),
            })
        })
    })
}
