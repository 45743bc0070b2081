//! Where each group's states, accumulators, lists and rings lie in a sample's blocks: computed before anything is built, so
//! that what does not fit is refused first.

use super::limits::fits;
use crate::wgsl::shape::{NONE, S_LENS};
use std::collections::{BTreeMap, BTreeSet};
use synfire_ir::Diagnostic;
use synfire_ir::model::{Op, Ty};
use synfire_ir::program::{Carry, Column, GroupKind, Layout, Plastic, Program, Projection};

/// How a projection is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Events into accumulators.
    Scatter,
    /// Analog outputs, summed by each target.
    Gather,
    /// One-to-one events, which each target takes from what its source emitted: no list holds them.
    Ones,
    /// Events one by one, for a port with a handler.
    Ordered,
    /// Nothing: it has no synapses.
    Idle,
}

/// The route of a projection.
pub fn route(p: &Program, pr: &Projection) -> Route {
    let handled = p
        .model_of(pr.target)
        .is_some_and(|m| m.handler(pr.port).is_some());
    match pr.carry {
        _ if pr.synapses() == 0 => Route::Idle,
        Carry::Output(_) => Route::Gather,
        Carry::Events if handled => Route::Ordered,
        Carry::Events if ones(p, pr) => Route::Ones,
        Carry::Events => Route::Scatter,
    }
}

/// Is it a one-to-one projection between units that does not learn and reaches most of a group, so that looking at every source costs
/// each target less than an event would?
fn ones(p: &Program, pr: &Projection) -> bool {
    // The sum of a port that the model does not read is never taken.
    let read = p.model_of(pr.target).is_some_and(|m| {
        let mut blocks = m.handlers.iter().map(|h| &h.block).chain([&m.step]);
        blocks.any(|b| b.insts.iter().any(|i| i.op == Op::Port(pr.port)))
    });
    let learns = |x: &Plastic| std::ptr::eq(&p.projections[x.projection as usize], pr);
    matches!(pr.layout, Layout::OneToOne { .. })
        && matches!(p.groups[pr.source as usize].kind, GroupKind::Units { .. })
        && 4 * u64::from(pr.target_range.len) >= u64::from(p.groups[pr.target as usize].size)
        && read
        && !p.plastic.iter().any(learns)
}

/// All delays of a projection, ascending.
pub fn delays(pr: &Projection) -> BTreeSet<u16> {
    match &pr.layout {
        synfire_ir::program::Layout::Rows(r) => r
            .runs
            .iter()
            .filter(|r| r.len > 0)
            .map(|r| r.delay)
            .collect(),
        _ => pr.delays().map(|d| d.0).into_iter().collect(),
    }
}

/// Delays over which the rows of a projection that learns hear their sources, ascending: a row without synapses hears too, within the
/// delays of the others.
pub fn heard(pr: &Projection) -> BTreeSet<u16> {
    let Some((least, most)) = pr.delays() else {
        return BTreeSet::new();
    };
    match &pr.layout {
        synfire_ir::program::Layout::Rows(r) => {
            let all = r.runs.iter().map(|r| r.delay);
            all.filter(|d| (least..=most).contains(d)).collect()
        }
        _ => [least].into(),
    }
}

/// A ring in a block: first word and slots; no slots when nobody reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    pub at: u32,
    pub slots: u32,
}

/// Accumulators of a port (`NONE` when nothing arrives that way).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortPlace {
    pub events: u32,
    pub analog: u32,
}

/// Where one group lies.
#[derive(Clone, Debug, Default)]
pub struct GroupPlace {
    /// First state.
    pub state: u32,
    /// One for each port of the model.
    pub ports: Vec<PortPlace>,
    /// Rings of the outputs' values.
    pub outputs: Vec<Ring>,
    /// The list that it emits into.
    pub list: Option<usize>,
    /// Ring of bitmaps of its emitters, for ordered ports.
    pub bits: Ring,
    /// Ring of their payloads (or, of external groups, places).
    pub aux: u32,
}

/// A list of emissions of groups of one phase. Groups whose events travel over few delays share a list with others of the same delays:
/// every event of a list is looked at once for each of the list's delays.
#[derive(Clone, Debug)]
pub struct ListPlace {
    pub phase: u16,
    pub at: u32,
    pub capacity: u32,
    pub slots: u32,
    pub len_at: u32,
    /// Delays over which its events travel.
    pub delays: BTreeSet<u16>,
}

/// See the module. All strides are words of one sample.
#[derive(Clone, Debug, Default)]
pub struct Places {
    pub groups: Vec<GroupPlace>,
    pub lists: Vec<ListPlace>,
    /// Delays over which external events travel to accumulators.
    pub external: BTreeSet<u16>,
    /// Steps before the current one whose external events are still needed.
    pub window: u16,
    pub state: u32,
    pub acc: u32,
    pub list_words: u32,
    pub ctl: u32,
    /// Where the running lengths of feeds lie in a sample's block of `ctl`.
    pub prefix: u32,
    /// For each plastic projection what its synapses offer to an ordered port, in `state`; `NONE` for other ports.
    pub offers: Vec<u32>,
}

/// Hands out words of a block.
#[derive(Default)]
struct Words(u64);

impl Words {
    fn take(&mut self, n: u64) -> u32 {
        let at = self.0;
        self.0 = self.0.saturating_add(n);
        at.min(u64::from(NONE)) as u32
    }
}

/// Lays a program out.
///
/// Errors: `SYN0817` when one sample's states, accumulators or lists exceed a binding.
pub fn places(p: &Program) -> Result<Places, Diagnostic> {
    let mut out = Places {
        groups: vec![GroupPlace::default(); p.groups.len()],
        ..Default::default()
    };
    let (mut state, mut acc, mut lists) = (Words::default(), Words::default(), Words::default());
    for (g, group) in p.groups.iter().enumerate() {
        let Some(m) = p.model_of(g as u32) else {
            continue;
        };
        out.groups[g].state = state.take(group.size as u64 * m.states.len() as u64);
        out.groups[g].ports = vec![
            PortPlace {
                events: NONE,
                analog: NONE
            };
            m.ports.len()
        ];
        out.groups[g].outputs = vec![Ring::default(); m.outputs.len()];
    }
    travels(p, &mut out);
    for (g, group) in p.groups.iter().enumerate() {
        for r in &mut out.groups[g].outputs {
            r.at = state.take(group.size as u64 * r.slots as u64);
        }
        for port in &mut out.groups[g].ports {
            for at in [&mut port.events, &mut port.analog] {
                if *at != NONE {
                    *at = acc.take(group.size as u64);
                }
            }
        }
        let bits = &mut out.groups[g].bits;
        bits.at = lists.take(group.size.div_ceil(32) as u64 * bits.slots as u64);
        out.groups[g].aux = lists.take(group.size as u64 * out.groups[g].bits.slots as u64);
    }
    for x in &p.plastic {
        let pr = &p.projections[x.projection as usize];
        let offered = route(p, pr) == Route::Ordered;
        out.offers.push(match offered {
            true => state.take(pr.synapses()),
            false => NONE,
        });
    }
    let mut len_at = u64::from(S_LENS);
    for l in &mut out.lists {
        l.at = lists.take(2 * l.capacity as u64 * l.slots as u64);
        l.len_at = len_at as u32;
        len_at += l.slots as u64;
    }
    out.prefix = len_at as u32;
    let feeds: usize = out.lists.iter().map(|l| l.delays.len()).sum();
    out.state = fits("the states of one sample", state.0)?;
    out.acc = fits("the accumulators of one sample", acc.0)?;
    out.list_words = fits("the lists of emissions over the longest delay", lists.0)?;
    out.ctl = fits(
        "the counters of one sample",
        len_at + (feeds + out.external.len()) as u64 + 1,
    )?;
    Ok(out)
}

/// For each group the delays over which its events travel.
type Delays = BTreeMap<usize, BTreeSet<u16>>;

/// Delays up to which a list is for groups with just these.
const FEW: usize = 4;

/// Makes the lists.
fn share_lists(p: &Program, delays: Delays, out: &mut Places) {
    let mut classes: BTreeMap<(u16, BTreeSet<u16>), Vec<usize>> = BTreeMap::new();
    for (&g, of_group) in &delays {
        let own = match of_group.len() <= FEW {
            true => of_group.clone(),
            false => BTreeSet::new(),
        };
        let class = (p.groups[g].phase, own);
        classes.entry(class).or_default().push(g);
    }
    for ((phase, _), groups) in classes {
        let all: BTreeSet<u16> = groups.iter().flat_map(|g| &delays[g]).copied().collect();
        for &g in &groups {
            out.groups[g].list = Some(out.lists.len());
        }
        out.lists.push(ListPlace {
            phase,
            at: 0,
            capacity: groups.iter().map(|&g| p.groups[g].size).sum(),
            slots: u32::from(all.last().copied().unwrap_or(0)) + 1,
            len_at: 0,
            delays: all,
        });
    }
}

/// Notes for each group what its emissions and outputs must be kept for, and for each port what arrives.
fn travels(p: &Program, out: &mut Places) {
    let mut lists: Delays = BTreeMap::new();
    for pr in &p.projections {
        let (s, t) = (pr.source as usize, pr.target as usize);
        let external = matches!(p.groups[s].kind, GroupKind::External);
        let Some((_, longest)) = pr.delays() else {
            continue;
        };
        let slots = u32::from(longest) + 1;
        let route = route(p, pr);
        if external && matches!(route, Route::Scatter | Route::Ordered) {
            out.window = out.window.max(longest);
        }
        match route {
            Route::Idle => {}
            Route::Scatter => {
                out.groups[t].ports[pr.port as usize].events = 0;
                if external {
                    out.external.extend(delays(pr));
                } else {
                    lists.entry(s).or_default().extend(delays(pr));
                }
            }
            Route::Gather => {
                let port = &mut out.groups[t].ports[pr.port as usize];
                let float = p
                    .model_of(pr.target)
                    .is_some_and(|m| m.ports[pr.port as usize].ty == Ty::F32);
                *(if float {
                    &mut port.analog
                } else {
                    &mut port.events
                }) = 0;
                if let Carry::Output(o) = pr.carry {
                    let r = &mut out.groups[s].outputs[o as usize];
                    r.slots = r.slots.max(slots);
                }
            }
            Route::Ordered | Route::Ones => {
                let r = &mut out.groups[s].bits;
                r.slots = r.slots.max(slots);
            }
        }
    }
    learning(p, out, &mut lists);
    share_lists(p, lists, out);
}

/// The same for what learns: rows hear their sources, targets their own events, and modulators what sends them.
fn learning(p: &Program, out: &mut Places, lists: &mut Delays) {
    let external = |g: usize| matches!(p.groups[g].kind, GroupKind::External);
    for x in &p.plastic {
        let pr = &p.projections[x.projection as usize];
        let (s, t) = (pr.source as usize, pr.target as usize);
        let delays = heard(pr);
        let longest = delays.last().copied().unwrap_or(0);
        if external(s) {
            out.window = out.window.max(longest);
            out.external.extend(delays);
        } else if !delays.is_empty() {
            lists.entry(s).or_default().extend(delays);
        }
        let bits = &mut out.groups[t].bits;
        bits.slots = bits.slots.max(u32::from(x.post_delay) + 1);
        for y in &x.modulators {
            let (g, slots) = (y.source as usize, u32::from(y.delay) + 1);
            let ring = match y.carry {
                Carry::Events if external(g) => {
                    out.window = out.window.max(y.delay);
                    continue;
                }
                Carry::Events => &mut out.groups[g].bits,
                Carry::Output(o) => &mut out.groups[g].outputs[o as usize],
            };
            ring.slots = ring.slots.max(slots);
        }
    }
}

/// Words of `tables` that parameter columns take.
pub fn column_words(p: &Program) -> u64 {
    p.groups
        .iter()
        .map(|g| match &g.kind {
            GroupKind::External => 0,
            GroupKind::Units { params, .. } => params
                .iter()
                .map(|c| match c {
                    Column::Uniform(_) => 1,
                    Column::PerUnit(v) => v.len() as u64,
                })
                .sum(),
        })
        .sum()
}
