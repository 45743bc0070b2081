//! Synapse models: what a plastic synapse does, in the step IR of [`crate::model`].
//!
//! A [`Synapse`] is to a plastic projection what a `Model` is to a group of units. Its states live in three places
//! ([`Place`]): one word a synapse (the weight is state 0, always), one a *row* (a source seen over one delay: the presynaptic traces),
//! one a target unit (the postsynaptic traces). Its blocks are straight-line code that reads and writes these words at events only, so an
//! engine touches a synapse when something happens to it and never otherwise.
//!
//! In the blocks `Op::State(k)` is state `k`, and for `k >= states.len()` the view `k - states.len()`; `Op::Port(k)` is the value of
//! modulator `k` in this step, 0 if nothing came; `Op::Arg` is, in the blocks of a modulator, the value of that modulator; `Op::Index` is
//! the number of the synapse in its projection; `Op::Rand` is keyed by the synapse's number among all plastic synapses of the program.
//! Reads see the values from before the block. What a block stores into a width below 32 bits is wrapped to it.
//!
//! Meaning of step s for a plastic projection (stages as `docs` and [`crate::program`] count them):
//!
//! - An event that a synapse delivers in step s carries `payload * deliver`, where `deliver` reads the states as no rule of step s has touched them.
//! - After all phases of the step, in this order, each with the states that the one before left:
//!   1. `pre`, once for each event that arrives in this step, in the order of (source, step of origin, event): its `synapse` block on
//!      each synapse of the row, then its `source` block on the row.
//!   2. `post`, once for each event that a target unit emitted `post_delay` steps ago, in the order of (unit, event): its `synapse` block on each
//!      synapse of the unit, then its `target` block on the unit.
//!   3. each modulator that something reached in this step, in the order of declaration: on each target unit that it reached, the
//!      `synapse` block on each synapse of the unit, then the `target` block.
//!   4. each `every` for which `(s + 1) % period == 0`, in order: the `synapse` block on all synapses, then the `source` block on all
//!      rows and the `target` block on all target units.
//!
//! **Traces and delays.** A row is a source and a delay, and events reach it after the delay. So a presynaptic trace as a synapse sees it
//! is the trace of its source as it was `delay` steps ago: delays are axonal. A synapse whose last d steps of delay are dendritic works d
//! steps before what it delivers arrives, and hears its target d steps late. Told d steps later, as rows are, that is a `post_delay` of 2 d.
//!
//! **Decay.** A state with a [`Decay`] falls towards its rest between events; nothing is computed meanwhile. The states of one
//! element (a synapse, a row or a target unit) that decay share one stamp, the step of the last store to any of them (0 at the
//! start). Read in step s they are [`crate::eval::decayed`] over s - stamp steps. A block that stores one of them first brings all of them to step s
//! and sets the stamp. A probe after step s reads them in step s.
//!
//! Deliberately absent: loops over synapses other than [`Seen::Total`], and any state that two projections share.

use crate::model::{Block, Op, Param, Ty, Width};
use serde::{Deserialize, Serialize};

/// Where a state lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Place {
    /// One word a row: a run of [`crate::program::Layout::Rows`], a source of the other layouts.
    Source,
    /// One word a unit of the projection's target range.
    Target,
    /// One word a synapse, in the order of the layout.
    Synapse,
}

/// Exponential fall towards a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decay {
    /// What is left of the distance to the rest after one step, in units of 2^-64. See [`crate::eval::Powers`].
    pub factor: u64,
    /// The rest, as a word of the state's type.
    pub rest: u32,
}

/// A state of a synapse model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Name.
    pub name: String,
    /// Width; stores wrap to it, so an engine may keep just so many bits.
    pub width: Width,
    /// Where it lives.
    pub place: Place,
    /// Fall between events; the state's type is then F32 or I32.
    pub decay: Option<Decay>,
}

/// What a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Seen {
    /// A state of the source unit after its own step (not delayed).
    Source(u16),
    /// A state of the target unit after its own step.
    Target(u16),
    /// The sum of a per-synapse state over all synapses of the target unit in this projection, in the order of the layout, as it stood
    /// when the `every` began. Only `every` may read it.
    Total(u16),
}

/// Something that blocks read and cannot write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Name.
    pub name: String,
    /// Type of the value.
    pub ty: Ty,
    /// What it shows.
    pub seen: Seen,
}

/// What an event does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// On each synapse concerned. Reads everything, stores per-synapse states.
    pub synapse: Block,
    /// Then on each row concerned. Reads and stores states of rows; sees no modulator.
    pub source: Block,
    /// Then on each target unit concerned. Reads and stores states of targets.
    pub target: Block,
}

/// A value from outside the synapse: a reward, an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modulator {
    /// Name.
    pub name: String,
    /// F32 or I32. What arrives in one step adds up (wrapping for I32; for F32 in the order of the projection's
    /// [`crate::program::Plastic::modulators`], then of the units).
    pub ty: Ty,
    /// What it does; may be empty when other blocks read the value.
    pub action: Action,
}

/// What happens in every so many steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Every {
    /// Steps, at least 1.
    pub period: u32,
    /// What it does.
    pub action: Action,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Synapse {
    /// Name, e.g. `std.synapses.Stdp`.
    pub name: String,
    /// Parameters; one word each for a whole projection.
    pub params: Vec<Param>,
    /// States. The first is the weight: it lives in [`Place::Synapse`], and the layout's weights are its initial values.
    pub states: Vec<Cell>,
    /// Views; `Op::State` counts them after the states.
    pub views: Vec<View>,
    /// Modulators, in order of `Op::Port`.
    pub modulators: Vec<Modulator>,
    /// Emits what a payload is multiplied with, in the type of the target's port. Reads states and parameters, no view and no modulator.
    pub deliver: Block,
    /// At the arrival of an event. `target` is empty.
    pub pre: Action,
    /// At an event of the target unit. `source` is empty.
    pub post: Action,
    /// At intervals.
    pub every: Vec<Every>,
}

impl Synapse {
    /// Index of a state by name.
    pub fn state(&self, name: &str) -> Option<u16> {
        let at = self.states.iter().position(|s| s.name == name);
        at.map(|i| i as u16)
    }

    /// The view that `Op::State(k)` reads, if it is not a state.
    pub fn view(&self, k: u16) -> Option<&View> {
        self.views.get((k as usize).checked_sub(self.states.len())?)
    }

    /// Type of what `Op::State(k)` reads.
    pub fn read_ty(&self, k: u16) -> Option<Ty> {
        match self.states.get(k as usize) {
            Some(c) => Some(c.width.ty()),
            None => self.view(k).map(|v| v.ty),
        }
    }

    /// Does `deliver` give just the weight as it is stored?
    pub fn delivers_weight(&self) -> bool {
        let Some(v) = self.deliver.emit else {
            return false;
        };
        let plain = self.states.first().is_some_and(|w| w.decay.is_none());
        plain
            && self
                .deliver
                .insts
                .get(v as usize)
                .is_some_and(|i| i.op == Op::State(0))
    }

    /// Every block with the place whose states it may store, `deliver` excepted.
    pub fn blocks(&self) -> impl Iterator<Item = (Place, &Block)> {
        let actions = [&self.pre, &self.post].into_iter();
        let actions = actions.chain(self.modulators.iter().map(|m| &m.action));
        let actions = actions.chain(self.every.iter().map(|e| &e.action));
        actions.flat_map(|a| {
            [
                (Place::Synapse, &a.synapse),
                (Place::Source, &a.source),
                (Place::Target, &a.target),
            ]
        })
    }
}
