//! Which blocks of a synapse model do anything, so that the others are never dispatched.

use crate::wgsl::learn::acts;
use synfire_ir::model::{Inst, Op};
use synfire_ir::synapse::{Action, Seen, Synapse};

/// What a lesson's model does, as dispatches want to know it.
#[derive(Clone, Debug, Default)]
pub struct Does {
    /// At arrivals: synapses, rows.
    pub pre: [bool; 2],
    /// At events of targets, then at each modulator: synapses, targets.
    pub targets: Vec<[bool; 2]>,
    /// At intervals: period; synapses, rows, targets; are sums needed?
    pub every: Vec<(u32, [bool; 3], bool)>,
}

impl Does {
    /// What a model does.
    pub fn new(m: &Synapse) -> Does {
        let at = |a: &Action| [acts(&a.synapse), acts(&a.target)];
        let mut targets = vec![at(&m.post)];
        targets.extend(m.modulators.iter().map(|x| at(&x.action)));
        let every = m.every.iter().map(|e| {
            let a = &e.action;
            let total = |i: &Inst| match i.op {
                Op::State(k) => m.view(k).is_some_and(|v| matches!(v.seen, Seen::Total(_))),
                _ => false,
            };
            let sums = [&a.synapse, &a.target]
                .iter()
                .any(|b| b.insts.iter().any(total));
            let does = [acts(&a.synapse), acts(&a.source), acts(&a.target)];
            (e.period, does, sums && does.contains(&true))
        });
        Does {
            pre: [acts(&m.pre.synapse), acts(&m.pre.source)],
            targets,
            every: every.collect(),
        }
    }
}
