//! Where the states of a synapse live: per source, per target, or per synapse.
//!
//! Comes in: the blocks of a synapse, each with what sets it off, written as if every synapse had all states of its own. Goes out: the
//! place of each state. A state that only arrivals change, from values that are the same for all synapses of a source, is one
//! word a source (a presynaptic trace); likewise for targets; every other state, and the weight always, is one word a synapse.

use synfire_ir::model::{Block, Op};
use synfire_ir::synapse::{Place, Seen, View};

/// What sets a block off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An arrival.
    Pre,
    /// A spike of the target, or a modulator.
    Target,
    /// The time.
    Every,
}

/// What a value depends on.
#[derive(Clone, Copy, Default)]
struct Leaves {
    /// A bit for each state and view.
    states: u64,
    /// A modulator.
    modulators: bool,
    /// A draw: a value of one synapse alone.
    draws: bool,
}

/// The place of each of `states` states; views count after them.
pub fn places(states: usize, views: &[View], blocks: &[(Cause, &Block)]) -> Vec<Place> {
    let sees = |place: Place| {
        let of = |(k, v): (usize, &View)| match (v.seen, place) {
            (Seen::Source(_), Place::Source) => 1u64 << (states + k),
            (Seen::Target(_) | Seen::Total(_), Place::Target) => 1u64 << (states + k),
            _ => 0,
        };
        views.iter().enumerate().map(of).fold(0, |m, b| m | b)
    };
    let all = (0..states).fold(0u64, |m, k| m | 1 << k);
    // State 0 is the weight.
    let start = all & !1;
    let target = shrink(start, sees(Place::Target), Place::Target, blocks);
    // What could live at both ends lives at the target, whichever reads it.
    let source = shrink(start & !target, sees(Place::Source), Place::Source, blocks);
    (0..states)
        .map(|k| match 1u64 << k {
            bit if bit & target != 0 => Place::Target,
            bit if bit & source != 0 => Place::Source,
            _ => Place::Synapse,
        })
        .collect()
}

/// The largest set of states within `set` that can live at a place: blocks store them from nothing but each other.
fn shrink(mut set: u64, views: u64, place: Place, blocks: &[(Cause, &Block)]) -> u64 {
    loop {
        let before = set;
        for (cause, block) in blocks {
            let leaves = leaves(block);
            for &(state, v) in &block.stores {
                let from = leaves[v as usize];
                let caused = match place {
                    Place::Source => *cause != Cause::Target && !from.modulators,
                    _ => *cause != Cause::Pre,
                };
                if !caused || from.draws || from.states & !(set | views) != 0 {
                    set &= !(1u64 << state);
                }
            }
        }
        if set == before {
            return set;
        }
    }
}

fn leaves(block: &Block) -> Vec<Leaves> {
    let mut out: Vec<Leaves> = Vec::with_capacity(block.insts.len());
    for inst in &block.insts {
        let mut l = match inst.op {
            Op::State(k) => Leaves {
                states: 1 << (k & 63),
                ..Leaves::default()
            },
            Op::Port(_) | Op::Arg => Leaves {
                modulators: true,
                ..Leaves::default()
            },
            Op::Rand { .. } | Op::Index => Leaves {
                draws: true,
                ..Leaves::default()
            },
            _ => Leaves::default(),
        };
        for o in inst.op.operands() {
            let of = out[o as usize];
            l.states |= of.states;
            l.modulators |= of.modulators;
            l.draws |= of.draws;
        }
        out.push(l);
    }
    out
}
