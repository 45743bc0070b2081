//! `partition`: a network in a chip's integers cut into cores, under all limits of the chip at once.
//!
//! Comes in: units with their synapses, and what `chip.toml` states. Goes out: filled cores, legal by exact count ([`core`]). Filling in order is the
//! baseline: no result takes more cores or has more `remote` than it, and where it needs one core there is nothing to search. The search works on the plain graph
//! of wires ([`graph`], [`crate::map::cut`]); what it proposes is filled into cores exactly, which keeps limits that the graph does not know: axon classes are
//! chosen for a whole core at once ([`mod@classes`]), so that a wire is an axon wherever that can be.
//!
//! Where a neuron has one destination, a unit is computed in as many copies as it has destinations: copies see the same axons, so a copy costs
//! a neuron and no axon, and adds no delay. The number of copies depends on the partition and the other way round; the loop ends because
//! copies only grow, and with more of them than the chip has neurons the network does not fit.

pub mod boxes;
pub mod classes;
pub mod core;
pub mod graph;
pub mod measure;
pub mod mesh;
pub mod refuse;
pub mod route;

use crate::map::cut::{Cutting, KEPT, proposals};
use crate::map::search::Search;
use crate::map::symbolic::Network as Rules;
use crate::passes::ChipNetwork;
use core::{Filling, PlannedCore, Wires};
use std::collections::BTreeMap;
use synfire_ir::Diagnostics;
use synfire_ir::mapping::UnitRef;
use synfire_targets::Target;
use synfire_targets::schema::{Delivery, Sharing, SignMode, Sourced};

/// What the generic partitioner knows of a chip; absent limits are `usize::MAX`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The target's name, for messages.
    pub target: String,
    /// Neurons of a core.
    pub neurons: usize,
    /// Axons of a core.
    pub axons: usize,
    /// Synapses of a core.
    pub synapses: usize,
    /// Synapses onto one neuron.
    pub fan_in: usize,
    /// Outbound (neuron, other core) pairs of a core.
    pub routes: usize,
    /// Cores.
    pub cores: usize,
    /// Weights of a neuron when shared by axon class.
    pub classes: Option<usize>,
    /// Has a neuron one destination only?
    pub one_destination: bool,
    /// One event after another?
    pub serial: bool,
    /// Does an axon have one sign for all its synapses?
    pub by_sign: bool,
}

impl Limits {
    /// From a chip's description.
    pub fn of(target: &Target) -> Limits {
        let l = target.limits();
        let of = |v: &Option<Sourced<u64>>| v.as_ref().map_or(usize::MAX, |v| v.value as usize);
        let w = target.weights();
        let shared = w.sharing == Sharing::AxonClass;
        Limits {
            target: target.name(),
            neurons: of(&l.neurons_per_core),
            axons: of(&l.axons_per_core),
            synapses: of(&l.synapses_per_core),
            fan_in: of(&l.fan_in),
            routes: of(&l.routes_per_core),
            cores: l.cores.as_ref().map_or(1, |c| c.value as usize),
            classes: w
                .classes
                .as_ref()
                .filter(|_| shared)
                .map(|c| c.value as usize),
            one_destination: l
                .destinations_per_neuron
                .as_ref()
                .is_some_and(|d| d.value == 1),
            serial: target.chip.spec.delivery == Delivery::Serial,
            by_sign: w.sign == SignMode::Source,
        }
    }
}

/// All cores, and what was left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Partition {
    /// In the order in which they were filled.
    pub cores: Vec<PlannedCore>,
    /// Units that reach nothing that is recorded.
    pub unused: u64,
    /// Where an earlier mapping was kept: the core there that each core goes on from (`u32::MAX`: none).
    pub kept: Vec<u32>,
    /// How it was found.
    pub method: String,
    /// Cost of the best partition after each stage of the search: (stage, cores, `remote`).
    pub history: Vec<(String, usize, u64)>,
    /// Cost over the refinement that led to it.
    pub trace: Vec<f32>,
}

/// Cuts a network into cores. `rules`: what its projections are, as far as they are rules; populations as in `net`. `old`: core of each unit in an earlier mapping, which is
/// kept as far as it goes.
///
/// Errors: the limit that binds, by how much, for which unit, and what would make it fit.
pub fn partition(
    net: &ChipNetwork,
    limits: &Limits,
    search: &Search,
    rules: &Rules,
    old: Option<&BTreeMap<UnitRef, u32>>,
) -> Result<Partition, Diagnostics> {
    let live = live(net);
    let unused = live.iter().filter(|l| !**l).count() as u64;
    let wires = Wires::new(net, limits);
    let all: Vec<u32> = (0..live.len() as u32)
        .filter(|&u| live[u as usize])
        .collect();
    let task = Task {
        net,
        limits,
        wires: &wires,
    };
    task.fits(&all)?;
    let first = task.legal(std::slice::from_ref(&all), false);
    let mut best = task.rated(first, "in order");
    let mut history = vec![("in order".to_string(), best.cores.len(), best.remote)];
    let (mut kept, mut trace) = (vec![], vec![]);
    // No cut makes room for more units than all cores hold: the refusal need not wait for a search.
    let may_fit = all.len().div_ceil(limits.neurons.max(1)) <= limits.cores;
    if may_fit && best.cores.len() > 1 && (search.opt > 0 || old.is_some()) {
        let mut graph = graph::graph(net, limits, &wires, &all);
        let first = best.needed;
        let (mut caps, known) = (graph.caps(limits), graph.known(old, &all));
        let mut found = match known {
            Some(_) => vec![],
            None => task.boxes(rules, &all, &caps, &graph.net, search),
        };
        for _ in 0..ROUNDS {
            let mut spilled = false;
            found.extend(proposals(&mut graph.net, &caps, search, known.clone()));
            for p in found.drain(..) {
                let groups = grouped(&p, &all);
                if p.method == KEPT {
                    let found = task.rated(task.legal(&groups, true), p.method);
                    if found.needed <= limits.cores {
                        kept = (0..p.parts)
                            .filter(|&q| !groups[q as usize].is_empty())
                            .collect();
                        kept.resize(found.cores.len(), u32::MAX);
                        best = found;
                    }
                } else {
                    for aligned in [true, false] {
                        let found = task.rated(task.legal(&groups, aligned), p.method);
                        spilled |= aligned && found.cores.len() > groups.len();
                        if found.needed <= first && found.merit(limits) < best.merit(limits) {
                            best = found;
                            trace.clone_from(&p.trace);
                        }
                    }
                }
                history.push((p.method.into(), best.cores.len(), best.remote));
            }
            // Wires are fewer than the axons that they take where classes collide: the search leaves room for these.
            if !spilled || limits.classes.is_none() || search.budget.over() {
                break;
            }
            let tighter = |c: u64| c - c / TIGHTER;
            (caps.apc, caps.npc) = (caps.apc.map(tighter), caps.npc.map(tighter));
        }
    }
    task.checked(&best)?;
    Ok(Partition {
        cores: best.cores,
        unused,
        kept,
        method: best.method,
        history,
        trace,
    })
}

/// How often the search is repeated with tighter limits where the exact filling needs more than the graph knows, and by which share.
const ROUNDS: usize = 3;
const TIGHTER: u64 = 16;

/// Units of each part.
fn grouped(p: &Cutting, all: &[u32]) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = vec![vec![]; p.parts as usize];
    for (i, &q) in p.part.iter().enumerate() {
        groups[q as usize].push(all[i]);
    }
    groups
}

/// Units from which something recorded can be reached.
fn live(net: &ChipNetwork) -> Vec<bool> {
    let mut live: Vec<bool> = net
        .units
        .iter()
        .map(|u| net.populations[u.unit.pop as usize].recorded)
        .collect();
    let mut queue: Vec<u32> = (0..live.len() as u32)
        .filter(|&u| live[u as usize])
        .collect();
    while let Some(u) = queue.pop() {
        for s in net.onto(u) {
            if let Some(k) = net.unit_index(s.source)
                && !live[k as usize]
            {
                live[k as usize] = true;
                queue.push(k);
            }
        }
    }
    live
}

/// How a group of units is filled into cores.
enum Plan {
    /// On from the group before it.
    On,
    /// Into a core of its own, unit by unit; what does not fit goes to cores at the end.
    Anew,
    /// As one core, with axon classes for all of it.
    Whole(classes::Classes),
}

struct Rated {
    cores: Vec<PlannedCore>,
    copies: Vec<u32>,
    /// Cores that it takes; more than there are here where the copies did not fit the chip.
    needed: usize,
    remote: u64,
    entries: u64,
    /// Routes that leave each core.
    routes: Vec<usize>,
    method: String,
}

impl Rated {
    /// Does it fit, `remote`, cores, axons: less is better.
    fn merit(&self, limits: &Limits) -> (bool, u64, usize, u64) {
        (
            self.needed > limits.cores || self.routes.iter().any(|&r| r > limits.routes),
            self.remote,
            self.cores.len(),
            self.entries,
        )
    }
}

struct Task<'a> {
    net: &'a ChipNetwork,
    limits: &'a Limits,
    wires: &'a Wires,
}

impl Task<'_> {
    /// Does every unit fit a core of its own?
    fn fits(&self, units: &[u32]) -> Result<(), Diagnostics> {
        let mut out = Diagnostics::new();
        let mut core = Filling::new(self.wires, self.limits);
        for &u in units {
            if self.wires.of(u).len() > self.limits.fan_in || !core.takes(u, 0) {
                out.push(refuse::too_wide(self.net, u, self.net.onto(u), self.limits));
                if out.0.len() >= 8 {
                    break;
                }
            }
            core.finish_unseen();
        }
        out.result(())
    }

    /// Fills cores group by group until every unit has as many copies as it has destinations. `aligned`: a group begins a new core, and what does not
    /// fit there goes to cores at the end; else groups follow one another without a break. Every unit must fit a core.
    fn legal(&self, groups: &[Vec<u32>], aligned: bool) -> (Vec<PlannedCore>, Vec<u32>) {
        let mut copies = vec![0u32; self.net.units.len()];
        groups
            .iter()
            .flatten()
            .for_each(|&u| copies[u as usize] = 1);
        let plans = self.plans(groups, aligned);
        loop {
            let cores = self.fill(groups, &plans, &copies);
            if !self.limits.one_destination {
                return (cores, copies);
            }
            let mut grown = false;
            for (have, want) in copies.iter_mut().zip(self.destinations(&cores)) {
                if *have > 0 && want > *have {
                    *have = want;
                    grown = true;
                }
            }
            // Copies only grow: what is beyond all cores now will not come back.
            if !grown || self.needed(&copies) > self.limits.cores {
                return (cores, copies);
            }
        }
    }

    /// Cores that so many copies need at least.
    fn needed(&self, copies: &[u32]) -> usize {
        let slots: u64 = copies.iter().map(|&c| c as u64).sum();
        slots.div_ceil(self.limits.neurons.max(1) as u64) as usize
    }

    /// How each group is filled.
    fn plans(&self, groups: &[Vec<u32>], aligned: bool) -> Vec<Plan> {
        let of = |group: &Vec<u32>| match self.limits.classes {
            _ if !aligned => Plan::On,
            Some(n) => classes::classes(self.wires, group, n, self.limits.axons)
                .filter(|c| c.axons.len() <= self.limits.axons)
                .map_or(Plan::Anew, Plan::Whole),
            None => Plan::Anew,
        };
        groups.iter().map(of).collect()
    }

    fn fill(&self, groups: &[Vec<u32>], plans: &[Plan], copies: &[u32]) -> Vec<PlannedCore> {
        let mut cores = vec![];
        let mut core = Filling::new(self.wires, self.limits);
        let mut rest: Vec<(u32, u32)> = vec![];
        for (group, plan) in groups.iter().zip(plans) {
            if let Plan::Whole(classes) = plan {
                cores.extend(self.whole(group, classes, copies, &mut rest));
                continue;
            }
            for &u in group {
                for copy in 0..copies[u as usize] {
                    if core.takes(u, copy) {
                        continue;
                    }
                    if matches!(plan, Plan::Anew) {
                        rest.push((u, copy));
                    } else {
                        cores.push(core.finish());
                        core.takes(u, copy);
                    }
                }
            }
            if matches!(plan, Plan::Anew) && !core.is_empty() {
                cores.push(core.finish());
            }
        }
        for (u, copy) in rest {
            if !core.takes(u, copy) {
                cores.push(core.finish());
                core.takes(u, copy);
            }
        }
        if !core.is_empty() {
            cores.push(core.finish());
        }
        cores
    }

    /// A group as one core, with axon classes for all of it; copies beyond its room go to `rest`.
    fn whole(
        &self,
        group: &[u32],
        classes: &classes::Classes,
        copies: &[u32],
        rest: &mut Vec<(u32, u32)>,
    ) -> Option<PlannedCore> {
        let mut slots: Vec<(usize, u32)> = vec![];
        let mut synapses = 0;
        for (k, &u) in group.iter().enumerate() {
            let more = self.wires.of(u).len();
            for copy in 0..copies[u as usize] {
                if slots.len() < self.limits.neurons && synapses + more <= self.limits.synapses {
                    slots.push((k, copy));
                    synapses += more;
                } else {
                    rest.push((u, copy));
                }
            }
        }
        (!slots.is_empty()).then(|| PlannedCore::whole(self.wires, group, classes, &slots))
    }

    /// Destinations of each unit: axons that carry it, and the output when it is recorded.
    fn destinations(&self, cores: &[PlannedCore]) -> Vec<u32> {
        let net = self.net;
        let mut n: Vec<u32> = net
            .units
            .iter()
            .map(|u| net.populations[u.unit.pop as usize].recorded as u32)
            .collect();
        for a in cores.iter().flat_map(|c| &c.axons) {
            if let Some(u) = net.unit_index(a.source) {
                n[u as usize] += 1;
            }
        }
        n
    }

    fn rated(&self, (cores, copies): (Vec<PlannedCore>, Vec<u32>), method: &str) -> Rated {
        let home = homes(&cores);
        let (mut remote, mut entries) = (0, 0);
        let mut routes = vec![0; cores.len()];
        for (c, core) in cores.iter().enumerate() {
            let mut last = None;
            let mut sources: Vec<UnitRef> = core.axons.iter().map(|a| a.source).collect();
            sources.sort_unstable();
            for s in sources {
                if last.replace(s) == Some(s) {
                    continue;
                }
                entries += 1;
                let at = self.net.unit_index(s).and_then(|u| home.get(&u));
                if let Some(&h) = at.filter(|h| **h as usize != c) {
                    remote += 1;
                    routes[h as usize] += 1;
                }
            }
        }
        Rated {
            needed: self.needed(&copies).max(cores.len()),
            cores,
            copies,
            remote,
            entries,
            routes,
            method: method.into(),
        }
    }

    /// Limits on the whole.
    fn checked(&self, r: &Rated) -> Result<(), Diagnostics> {
        if r.needed > self.limits.cores {
            return Err(refuse::too_many(self.net, self.limits, r.needed, &r.copies).into());
        }
        let mut out = Diagnostics::new();
        for (c, &n) in r.routes.iter().enumerate() {
            if n > self.limits.routes && out.0.len() < 8 {
                let unit = r.cores[c]
                    .slots
                    .first()
                    .map(|s| self.net.units[s.unit as usize].unit);
                let name = unit.map_or("", |u| self.net.populations[u.pop as usize].name.as_str());
                out.push(refuse::too_many_routes(self.limits, c, n, name));
            }
        }
        out.result(())
    }
}

/// Core of each unit's first copy.
pub fn homes(cores: &[PlannedCore]) -> BTreeMap<u32, u32> {
    let mut home = BTreeMap::new();
    for (c, core) in cores.iter().enumerate() {
        for s in core.slots.iter().filter(|s| s.copy == 0) {
            home.insert(s.unit, c as u32);
        }
    }
    home
}
