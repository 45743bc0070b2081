//! What a partition into boxes costs, counted from the rules: the metrics of [`crate::map::score::partition`], equal to those of the expanded network.

use super::plan::{Class, Plan};
use crate::map::score::partition::{Caps, Cut, Share};

/// Metrics, and use of each limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// Metrics.
    pub cut: Cut,
    /// Neurons of a part.
    pub neurons: Share,
    /// Inbound axons.
    pub axons: Share,
    /// Synapses.
    pub synapses: Share,
    /// Outbound pairs.
    pub outbound: Share,
}

impl Scored {
    /// `None`, or the limit that some part breaks.
    pub fn broken(&self, caps: &Caps) -> Option<&'static str> {
        [
            ("npc", &self.neurons, caps.npc),
            ("apc", &self.axons, caps.apc),
            ("spc", &self.synapses, caps.spc),
            ("opc", &self.outbound, caps.opc),
        ]
        .into_iter()
        .find(|(_, s, cap)| cap.is_some_and(|c| s.most > c))
        .map(|x| x.0)
    }
}

/// Counts. O(classes).
pub fn score(plan: &Plan) -> Scored {
    let mut s = Scored::default();
    let (mut reuse, mut logs, mut fed) = (0.0, 0.0, 0u64);
    for p in 0..plan.net.populations.len() as u32 {
        plan.each_load(p, &mut |neurons, synapses, axons| {
            s.neurons.add(neurons);
            s.axons.add(axons);
            s.synapses.add(synapses);
            if axons > 0 {
                let r = synapses as f64 / axons as f64;
                reuse += r;
                logs += r.ln();
                fed += 1;
            }
        });
        sources(plan, p, &mut s);
    }
    s.cut.cores_used = plan.parts() as u64;
    if fed > 0 {
        s.cut.reuse_mean = reuse / fed as f64;
        s.cut.reuse_geo = (logs / fed as f64).exp();
    }
    s
}

/// Parts that a class reaches, and whether its own is one of them.
fn reached(plan: &Plan, class: &Class) -> (u64, bool) {
    let (mut all, mut own) = (0u64, false);
    for (j, r) in class.reached {
        all += r.iter().map(|r| r.len() as u64).product::<u64>();
        let j = &plan.net.projections[*j as usize];
        if j.pre == j.post {
            let at = plan.place(j.pre, class.part);
            own |= (0..3).all(|a| r[a].contains(&at[a]));
        }
    }
    (all, own)
}

fn sources(plan: &Plan, p: u32, s: &mut Scored) {
    let rate = plan.net.populations[p as usize].rate;
    let (mut part, mut outbound) = (u32::MAX, 0u64);
    plan.each_class(p, &mut |class| {
        if class.part != part {
            if part != u32::MAX {
                s.outbound.add(outbound);
            }
            (part, outbound) = (class.part, 0);
        }
        let (all, own) = reached(plan, class);
        let far = all - own as u64;
        let n = class.sources;
        s.cut.axon_entries += n * all;
        s.cut.remote_1 += n * far;
        s.cut.remote += rate * (n * far) as f64;
        if far > 0 {
            s.cut.cutnet += rate * n as f64;
            s.cut.soed += rate * (n * (far + 1)) as f64;
        }
        outbound += n * far;
    });
    if part != u32::MAX {
        s.outbound.add(outbound);
    }
    for j in plan.net.projections.iter().filter(|j| j.pre == p) {
        let shape = |i: u32| super::whole(plan.net.populations[i as usize].shape);
        let mut cut = j.synapses(&shape(p), &shape(j.post));
        if j.pre == j.post {
            plan.each_part(p, &mut |_, at| {
                let own = plan.slice(p, at);
                cut -= j.synapses(&own, &own);
            });
        }
        s.cut.cut_synapses += rate * cut as f64;
    }
}
