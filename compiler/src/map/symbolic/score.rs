//! What a partition into boxes costs, counted from the rules: the metrics of [`crate::map::score::partition`], equal to those of the expanded network. Where pairs are
//! drawn, they are expectations over the draws (whole numbers to the nearest), and so is what parts take up.

use super::plan::{Class, Plan};
use super::tiles::{count, sizes};
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

/// What a source does by its drawn pairs, in expectation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chance {
    /// Other parts that it reaches.
    pub far: f64,
    /// Probability that it reaches its own.
    pub own: f64,
    /// Probability that it reaches no other part.
    pub quiet: f64,
}

/// The same for all sources of a part of `size` neurons; `None`: none of the population's pairs are drawn.
pub(super) fn chance(plan: &Plan, p: u32, size: u64) -> Option<Chance> {
    let mut out = None;
    for (j, d) in plan.draws(p) {
        let c = out.get_or_insert(Chance {
            far: 0.0,
            own: 0.0,
            quiet: 1.0,
        });
        let shape = plan.net.populations[j.post as usize].shape;
        for (n, parts) in sizes(shape, plan.pieces[j.post as usize]) {
            c.far += parts as f64 * d.reaching(n);
        }
        let mine = if j.pre == j.post { size } else { 0 };
        c.far -= d.reaching(mine);
        c.own += d.reaching(mine - (d.apart && mine > 0) as u64);
        c.quiet *= d.missing(d.targets - mine);
    }
    out
}

/// Of a population's parts, in order.
struct Outbound {
    first: usize,
    /// Outbound pairs.
    pairs: Vec<f64>,
    /// Sources that reach other parts by pairs that are not drawn.
    busy: Vec<u64>,
}

fn sources(plan: &Plan, p: u32, s: &mut Scored) {
    let rate = plan.net.populations[p as usize].rate;
    let parts = count(plan.pieces[p as usize]) as usize;
    let mut o = Outbound {
        first: plan.first[p as usize] as usize,
        pairs: vec![0.0; parts],
        busy: vec![0; parts],
    };
    plan.each_class(p, &mut |class| {
        let (all, own) = reached(plan, class);
        let far = all - own as u64;
        let n = class.sources;
        s.cut.axon_entries += n * all;
        s.cut.remote_1 += n * far;
        s.cut.remote += rate * (n * far) as f64;
        let at = class.part as usize - o.first;
        if far > 0 {
            s.cut.cutnet += rate * n as f64;
            s.cut.soed += rate * (n * (far + 1)) as f64;
            o.busy[at] += n;
        }
        o.pairs[at] += (n * far) as f64;
    });
    drawn(plan, p, s, &mut o);
    if plan.net.projections.iter().any(|j| j.pre == p) {
        o.pairs
            .iter()
            .for_each(|n| s.outbound.add(n.round() as u64));
    }
    for j in plan.net.projections.iter().filter(|j| j.pre == p) {
        if let Some(d) = &j.drawn {
            let mut cut = d.pairs(d.sources, d.targets, d.targets);
            if j.pre == j.post {
                let inside = |(n, parts): (u64, u64)| parts as f64 * d.pairs(n, n, n);
                let own = sizes(
                    plan.net.populations[p as usize].shape,
                    plan.pieces[p as usize],
                );
                cut -= own.into_iter().map(inside).sum::<f64>();
            }
            s.cut.cut_synapses += rate * cut;
            continue;
        }
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

/// The same for pairs that are drawn.
fn drawn(plan: &Plan, p: u32, s: &mut Scored, o: &mut Outbound) {
    let rate = plan.net.populations[p as usize].rate;
    let (mut entries, mut remote) = (0.0, 0.0);
    plan.each_part(p, &mut |part, at| {
        let size = plan.neurons(p, at);
        let Some(c) = chance(plan, p, size) else {
            return;
        };
        let i = part as usize - o.first;
        let (n, idle) = (size as f64, (size - o.busy[i]) as f64);
        let cutnet = idle * (1.0 - c.quiet);
        entries += n * (c.far + c.own);
        remote += n * c.far;
        s.cut.cutnet += rate * cutnet;
        s.cut.soed += rate * (n * c.far + cutnet);
        o.pairs[i] += n * c.far;
    });
    s.cut.remote += rate * remote;
    s.cut.remote_1 += remote.round() as u64;
    s.cut.axon_entries += entries.round() as u64;
}
