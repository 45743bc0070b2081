//! Plastic projections: a projection whose synapses follow a [`Synapse`] model.

use super::{Carry, Column, Layout, Program, Projection, Range};
use crate::synapse::{Place, Synapse};
use serde::{Deserialize, Serialize};

/// Where the values of a modulator come from. Several for one modulator add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modulation {
    /// Modulator of the synapse model.
    pub port: u16,
    /// Group that sends.
    pub source: u32,
    /// Its units.
    pub range: Range,
    /// Events reach the synapses in the step in which they arrive; an analog output in every step.
    pub carry: Carry,
    /// Unit `i` of the range reaches the synapses of target `i` alone (both ranges have one length); else every unit reaches all.
    pub each: bool,
    /// Steps; 0 is this step's emission, whatever the phase.
    pub delay: u16,
    /// What payloads are multiplied with, as bits of the modulator's type.
    pub weight: u32,
}

/// A projection that learns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plastic {
    /// Index into [`Program::projections`]; carries events.
    pub projection: u32,
    /// Index into [`Program::synapse_models`].
    pub synapse: u32,
    /// Number of the first synapse among the synapses of all plastic projections: the element of random draws.
    pub base: u32,
    /// Steps until an event of a target unit reaches its synapses.
    pub post_delay: u16,
    /// One word for each parameter.
    pub params: Vec<u32>,
    /// One column for each state after the weight, as long as its place has elements (see [`Projection::elements`]).
    pub init: Vec<Column>,
    /// Sources of modulators.
    pub modulators: Vec<Modulation>,
}

impl Projection {
    /// Number of elements of a place: rows, target units or synapses.
    pub fn elements(&self, place: Place) -> u64 {
        match (place, &self.layout) {
            (Place::Synapse, _) => self.synapses(),
            (Place::Target, _) => self.target_range.len as u64,
            (Place::Source, Layout::Rows(r)) => r.runs.len() as u64,
            (Place::Source, _) => self.source_range.len as u64,
        }
    }
}

impl Projection {
    /// Number of synapses of one source, counted from the start of the source range; 0 for rules.
    pub fn row_len(&self, source: u32) -> u64 {
        let s = source as usize;
        match &self.layout {
            Layout::Rows(r) => match (r.row.get(s), r.row.get(s + 1)) {
                (Some(&a), Some(&b)) => {
                    let runs = r.runs.get(a as usize..b as usize).unwrap_or(&[]);
                    runs.iter().map(|x| x.len as u64).sum()
                }
                _ => 0,
            },
            Layout::Dense { .. } => self.target_range.len as u64,
            Layout::OneToOne { .. } => 1,
            Layout::Generated(_) => 0,
        }
    }
}

impl Program {
    /// How a projection learns, if it does.
    pub fn plastic_of(&self, projection: u32) -> Option<(&Plastic, &Synapse)> {
        let at = self
            .plastic
            .binary_search_by_key(&projection, |x| x.projection);
        let x = self.plastic.get(at.ok()?)?;
        Some((x, self.synapse_models.get(x.synapse as usize)?))
    }
}
