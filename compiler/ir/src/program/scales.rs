//! What the words of a program are worth in the units of its network.
//!
//! Fixed arithmetic keeps a value as `value / scale`, rounded to an integer; floats, and integers of the network's own, are
//! worth themselves. The compiler chooses the scales; whoever shows or takes a value goes through them.

use super::{Observable, Probe};
use std::collections::BTreeMap;

/// See the module. What stands in neither map has the scale 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scales {
    /// By group and state of its units.
    pub states: BTreeMap<(u32, u16), f64>,
    /// By projection and state of its synapses.
    pub synapses: BTreeMap<(u32, u16), f64>,
}

impl Scales {
    /// What one unit of a word of a state is worth.
    pub fn state(&self, group: u32, state: u16) -> f64 {
        self.states.get(&(group, state)).copied().unwrap_or(1.0)
    }

    /// What one unit of a word of a state of synapses is worth.
    pub fn synapse(&self, projection: u32, state: u16) -> f64 {
        (self.synapses.get(&(projection, state)).copied()).unwrap_or(1.0)
    }

    /// What one unit of a word that a probe reads is worth.
    pub fn probe(&self, probe: &Probe) -> f64 {
        match probe.what {
            Observable::Events => 1.0,
            Observable::State(s) => self.state(probe.group, s),
            Observable::Synapse { projection, state } => self.synapse(projection, state),
        }
    }
}
