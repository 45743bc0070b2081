//! What learns on a chip, as an artefact names it, and what the host gives to it.
//!
//! Two sections: a list of [`BoundLearning`], and beside it what the host gives to each entry, which is written only where there is something to give. So files without it stay as they were.

use serde::{Deserialize, Serialize};

/// Where the weights of a projection that learns on the chip stand, one entry a synapse in each list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundLearning {
    /// The network's name of the projection.
    pub projection: String,
    /// Chip integers for 1 of the network's units of weight.
    pub scale: f64,
    /// Neurons of the source population.
    pub source: Vec<u32>,
    /// Neurons of the target population.
    pub target: Vec<u32>,
    /// Steps.
    pub delay: Vec<u32>,
    /// The chip's own number of the place that holds the weight.
    pub place: Vec<u64>,
    /// Values from outside that it learns by.
    #[serde(skip)]
    pub values: BoundValues,
    /// Native events that the host sends at intervals, at the end of a step.
    #[serde(skip)]
    pub every: Vec<BoundEvery>,
}

/// A native event that the host sends again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BoundEvery {
    /// Chip steps from one to the next, at least 1.
    pub steps: u32,
    /// Chip step of the first.
    pub first: u32,
    /// The native event.
    pub word: u64,
}

impl BoundEvery {
    /// The chip steps from `from` on, before `to`, in which it is sent.
    pub fn within(&self, from: u32, to: u32) -> impl Iterator<Item = u32> {
        let every = u64::from(self.steps.max(1));
        let late = u64::from(from.saturating_sub(self.first));
        let due = u64::from(self.first) + late.next_multiple_of(every)..u64::from(to);
        due.step_by(every as usize).map(|s| s as u32)
    }
}

/// Native events that carry a value: the network's times `scale`, rounded to the nearest whole number (ties to even) and cut to `low..=high`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BoundValues {
    /// The native events, ascending; [`super::Bindings::inputs`] names their units.
    pub words: Vec<u64>,
    /// The chip's integers for 1 of the network's.
    pub scale: f64,
    /// Least.
    pub low: i32,
    /// Greatest.
    pub high: i32,
    /// Does a value hold until the next one comes?
    pub held: bool,
}

impl BoundLearning {
    /// One entry a synapse in each list, and a scale by which weights can be divided?
    pub(super) fn sound(&self) -> bool {
        let n = self.place.len();
        [&self.source, &self.target, &self.delay].map(|l| l.len()) == [n; 3]
            && self.scale.is_finite()
            && self.scale > 0.0
            && self.values.scale.is_finite()
            && self.values.low <= self.values.high
            && self.values.words.is_sorted()
            && self.every.iter().all(|e| e.steps > 0)
    }

    /// Does the host give it anything?
    pub(super) fn is_given(&self) -> bool {
        self.values != BoundValues::default() || !self.every.is_empty()
    }
}

/// What the host gives to one entry.
#[derive(Serialize, Deserialize)]
pub(super) struct Given {
    values: BoundValues,
    every: Vec<BoundEvery>,
}

/// What the host gives, entry by entry.
pub(super) fn given(list: &[BoundLearning]) -> Vec<Given> {
    let of = |l: &BoundLearning| Given {
        values: l.values.clone(),
        every: l.every.clone(),
    };
    list.iter().map(of).collect()
}

/// Puts what the host gives to the entries; `false` when there is not one for each.
pub(super) fn give(list: &mut [BoundLearning], given: Vec<Given>) -> bool {
    let whole = list.len() == given.len();
    for (l, g) in list.iter_mut().zip(given) {
        (l.values, l.every) = (g.values, g.every);
    }
    whole
}
