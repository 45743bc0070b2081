//! Plastic projections: their rows, the way back from targets, and where their states lie.
//!
//! In: a checked program's plastic projections. Out: a [`Lesson`] for each, with buffers of its own. Rows are those of
//! [`super::rows`], but that every row of the layout is there (one without synapses may have states), `X_WEIGHTS` is the number of
//! the row's first synapse, and `X_SCALE` its source. `back` holds for each target where its entries begin, and the entries: a synapse, and
//! its row where rules at targets look at rows. Deliberately absent: a projection over several bindings.

use super::layout::{Places, Route, heard, route};
use super::lesson_loops::{Costs, KernelLoops};
use super::limits::{MAX_WORDS, fits};
use super::loops::Loops;
use super::pack::push_u16;
use super::rows::rule;
use super::scales::{self, Scale};
use super::tables::Tables;
use crate::wgsl::learn::{descriptor_words, looks_back, modulator_at, param_at, powers_at};
use crate::wgsl::shape::*;
use std::collections::BTreeMap;
use synfire_ir::Diagnostic;
use synfire_ir::eval::{Powers, kept};
use synfire_ir::model::Ty;
use synfire_ir::program::{
    Carry, GroupKind, Layout, Modulation, Plastic, Program, Projection, Weights,
};
use synfire_ir::synapse::{Place, Synapse};

/// A plastic projection.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Its model.
    pub synapse: u32,
    /// Its descriptor in `tables`.
    pub at: u32,
    /// Row pointers and records.
    pub rows: Vec<u32>,
    /// Targets.
    pub synapses: Vec<u32>,
    /// Synapses by target.
    pub back: Vec<u32>,
    /// Initial words of one sample's block of `learned`.
    pub learned: Vec<u32>,
    /// Where each state lies in it.
    pub states: Vec<u32>,
    /// Where the stamps of rows, targets and synapses lie in it, or `NONE`.
    pub stamps: [u32; 3],
    /// Elements of rows, targets and synapses.
    pub elements: [u32; 3],
    /// Phases (plus one) whose emissions have rows of delay 0 here; 0 stands for what arrives at the beginning of a step.
    pub stages: Vec<u16>,
    /// Does it end at an ordered port, in which phase? Then its synapses offer what they would deliver.
    pub offers: Option<u16>,
    /// Feeds of arriving events in `tables`: first, number.
    pub feeds: (u32, u32),
    /// Can one source have several events in a step?
    pub external: bool,
    /// Is there a modulator that something sends?
    pub modulated: bool,
    /// Base-2 logarithms of the invocations that share a row, and a target.
    pub lanes: (u32, u32),
    /// Iterations of what one synapse delivers, and one for the synapse.
    pub cost: u64,
    /// Most external events of a step that its modulators can take.
    pub most_events: u64,
    /// Loops of its kernels.
    loops: KernelLoops,
}

impl Lesson {
    /// Notes the loops of its kernels.
    pub fn note(&self, loops: &mut Loops) {
        for (kernel, list) in &self.loops {
            loops.note(kernel, list);
        }
    }
}

/// Where the parts of a sample's block of `learned` lie.
struct Block {
    states: Vec<u32>,
    stamps: [u32; 3],
    totals: u32,
    /// For each modulator the sums for all, and for each target.
    sums: Vec<[u32; 2]>,
    words: u64,
}

pub(super) const PLACES: [Place; 3] = [Place::Source, Place::Target, Place::Synapse];

impl Block {
    fn new(pr: &Projection, m: &Synapse, x: &Plastic) -> Block {
        let mut words = 0u64;
        let mut take = |n: u64| {
            let at = words.min(u64::from(NONE)) as u32;
            words = words.saturating_add(n);
            at
        };
        let states = m.states.iter().map(|c| take(pr.elements(c.place)));
        let states = states.collect();
        let decays = |place| {
            m.states
                .iter()
                .any(|c| c.place == place && c.decay.is_some())
        };
        let stamps = PLACES.map(|place| match decays(place) {
            true => take(pr.elements(place)),
            false => NONE,
        });
        let targets = u64::from(pr.target_range.len);
        let totals = take(targets * m.views.len() as u64);
        let sums = (0..m.modulators.len()).map(|k| {
            let sends = |each: bool| {
                let mut all = x.modulators.iter();
                all.any(|y| y.port as usize == k && y.each == each)
            };
            let all = if sends(false) { take(2) } else { NONE };
            let each = if sends(true) { take(2 * targets) } else { NONE };
            [all, each]
        });
        let sums = sums.collect();
        Block {
            states,
            stamps,
            totals,
            sums,
            words,
        }
    }
}

/// A run of any layout: source, delay, first synapse, synapses.
type Row = (u32, u16, u32, u32);

fn rows_of(pr: &Projection) -> Vec<Row> {
    let (sources, targets) = (pr.source_range.len, pr.target_range.len);
    match &pr.layout {
        Layout::Rows(r) => {
            let of = |s: u32| {
                let runs = &r.runs[r.row[s as usize] as usize..r.row[s as usize + 1] as usize];
                runs.iter().map(move |x| (s, x.delay, x.start, x.len))
            };
            (0..sources).flat_map(of).collect()
        }
        Layout::Dense { delay, .. } => (0..sources)
            .map(|s| (s, *delay, s * targets, targets))
            .collect(),
        Layout::OneToOne { delay, .. } => (0..sources).map(|s| (s, *delay, s, 1)).collect(),
        _ => vec![],
    }
}

fn target_of(pr: &Projection, row: &Row, k: u32) -> u32 {
    match &pr.layout {
        Layout::Rows(r) => r.targets[k as usize],
        Layout::Dense { .. } => k - row.2,
        _ => row.0,
    }
}

fn weights(pr: &Projection) -> &Weights {
    match &pr.layout {
        Layout::Rows(r) => &r.weights,
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
        _ => &Weights::Uniform(0),
    }
}

/// All plastic projections of a program. `lists` are the descriptors of emission lists. `share` is the base-2 logarithm of the
/// synapses that an invocation should walk.
///
/// Errors: `SYN0817` when a part of a projection exceeds a binding, `SYN0818` when an invocation would loop for too long.
pub fn build(
    p: &Program,
    places: &Places,
    (lists, scales): (&[u32], &BTreeMap<(u32, u16), Scale>),
    tables: &mut Tables,
    share: u32,
) -> Result<Vec<Lesson>, Diagnostic> {
    for x in &p.plastic {
        let Some((pr, m)) = both(p, x) else { continue };
        let block = Block::new(pr, m, x);
        fits("what the synapses of one projection learn", block.words)?;
        let entry = 1 + u64::from(looks_back(m));
        let back = pr.synapses() * entry + u64::from(pr.target_range.len) + 1;
        fits("the synapses by target of a projection that learns", back)?;
        let rows = pr.elements(Place::Source) * u64::from(X_SIZE);
        let rows = rows + u64::from(pr.source_range.len + ROW_PTR + 1);
        fits("the rows of a projection that learns", rows)?;
    }
    let mut out = vec![];
    for (n, x) in p.plastic.iter().enumerate() {
        let Some((pr, m)) = both(p, x) else { continue };
        let maker = Maker {
            p,
            places,
            x,
            pr,
            m,
            block: Block::new(pr, m, x),
        };
        out.push(maker.build(n, (lists, scales), tables, share)?);
    }
    Ok(out)
}

fn both<'p>(p: &'p Program, x: &Plastic) -> Option<(&'p Projection, &'p Synapse)> {
    let pr = p.projections.get(x.projection as usize)?;
    Some((pr, p.synapse_models.get(x.synapse as usize)?))
}

pub(super) struct Maker<'a> {
    pub(super) p: &'a Program,
    places: &'a Places,
    pub(super) x: &'a Plastic,
    pub(super) pr: &'a Projection,
    pub(super) m: &'a Synapse,
    block: Block,
}

impl Maker<'_> {
    fn build(
        self,
        n: usize,
        (lists, scales): (&[u32], &BTreeMap<(u32, u16), Scale>),
        tables: &mut Tables,
        share: u32,
    ) -> Result<Lesson, Diagnostic> {
        let (p, pr) = (self.p, self.pr);
        let source = &p.groups[pr.source as usize];
        let external = matches!(source.kind, GroupKind::External);
        let rows = rows_of(pr);
        let (row_words, synapses) = self.rows(&rows);
        let (back, longest_column) = self.back(&rows);
        let longest_row = rows.iter().map(|r| r.3).max().unwrap_or(0);
        let costs = Costs::new(self.m);
        let lanes = self.lanes((longest_row, longest_column), &costs, share)?;
        let (loops, most_events) = self.loops((longest_row, longest_column), lanes, &costs);
        let scale = scales.get(&(pr.target, pr.port)).map_or(0, |s| s.at);
        let at = self.descriptor(n, scale, tables);
        let list = self.places.groups[pr.source as usize].list;
        let list = list.map_or(NONE, |k| lists[k]);
        let feeds: Vec<u32> = (heard(pr).iter())
            .flat_map(|&d| [list, u32::from(d)])
            .collect();
        let ordered = route(p, pr) == Route::Ordered;
        let stage = |d: u16| match d > 0 || external {
            true => 0,
            false => source.phase + 1,
        };
        let heard_in = |r: &&Row| r.3 > 0 && !ordered;
        let mut stages: Vec<u16> = rows.iter().filter(heard_in).map(|r| stage(r.1)).collect();
        stages.sort_unstable();
        stages.dedup();
        Ok(Lesson {
            synapse: self.x.synapse,
            at,
            rows: row_words,
            synapses,
            back,
            learned: self.initial(),
            states: self.block.states.clone(),
            stamps: self.block.stamps,
            elements: PLACES.map(|place| pr.elements(place) as u32),
            stages,
            offers: ordered.then(|| p.groups[pr.target as usize].phase),
            feeds: (tables.push(&feeds), feeds.len() as u32 / F_SIZE),
            external,
            modulated: !self.x.modulators.is_empty(),
            lanes,
            cost: 1 + costs.deliver,
            most_events,
            loops,
        })
    }

    /// Row pointers with records, and targets.
    fn rows(&self, rows: &[Row]) -> (Vec<u32>, Vec<u32>) {
        let (p, pr) = (self.p, self.pr);
        let n = pr.source_range.len;
        let first = p.groups[pr.source as usize].base + pr.source_range.start;
        let wide = pr.target_range.len > 65_536;
        let mut synapses = vec![];
        if let Layout::Rows(r) = &pr.layout {
            match wide {
                true => synapses.extend_from_slice(&r.targets),
                false => drop(push_u16(&mut synapses, &r.targets)),
            }
        }
        let kind = match (&pr.layout, wide) {
            (Layout::Rows(_), true) => TARGETS_U32,
            (Layout::Rows(_), false) => TARGETS_U16,
            _ => TARGETS_ALL,
        };
        let port = self.places.groups[pr.target as usize].ports[pr.port as usize];
        let acc = port.events.wrapping_add(pr.target_range.start);
        let mut words = vec![first, n, ROW_PTR + n + 1];
        let mut at = 0;
        for source in 0..n {
            words.push(at as u32);
            while at < rows.len() && rows[at].0 == source {
                at += 1;
            }
        }
        words.push(at as u32);
        for &(source, delay, start, len) in rows {
            let targets = match pr.layout {
                Layout::Rows(_) => start,
                Layout::Dense { .. } => 0,
                _ => source,
            };
            let kinds = kind | rule(p, pr) << 8;
            words.extend([
                u32::from(delay) | kinds << 16,
                len,
                acc,
                targets,
                start,
                source,
            ]);
        }
        (words, synapses)
    }

    /// The way back from targets, and the most synapses of one.
    fn back(&self, rows: &[Row]) -> (Vec<u32>, u32) {
        let targets = self.pr.target_range.len as usize;
        let entry = 1 + usize::from(looks_back(self.m));
        let mut start = vec![0u32; targets + 1];
        for r in rows {
            for k in r.2..r.2 + r.3 {
                start[target_of(self.pr, r, k) as usize + 1] += 1;
            }
        }
        let longest = start.iter().copied().max().unwrap_or(0);
        for t in 0..targets {
            start[t + 1] += start[t];
        }
        let mut next = start.clone();
        let mut out = start;
        out.resize(targets + 1 + entry * next[targets] as usize, 0);
        for (n, r) in (0u32..).zip(rows) {
            for k in r.2..r.2 + r.3 {
                let slot = &mut next[target_of(self.pr, r, k) as usize];
                let at = targets + 1 + entry * *slot as usize;
                out[at] = k;
                if entry > 1 {
                    out[at + 1] = n;
                }
                *slot += 1;
            }
        }
        (out, longest)
    }

    fn initial(&self) -> Vec<u32> {
        let (m, x) = (self.m, self.x);
        let mut out = vec![0; self.block.words as usize];
        for (k, cell) in m.states.iter().enumerate() {
            let n = self.pr.elements(cell.place) as usize;
            let at = self.block.states[k] as usize;
            for (i, slot) in out[at..at + n].iter_mut().enumerate() {
                let word = match k.checked_sub(1) {
                    None => weights(self.pr).bits(i),
                    Some(k) => x.init[k].get(i),
                };
                *slot = kept(word, cell.width);
            }
        }
        out
    }

    fn descriptor(&self, n: usize, scale: u32, tables: &mut Tables) -> u32 {
        let (p, pr, m, x) = (self.p, self.pr, self.m, self.x);
        let mods = self.modulations(tables);
        let powers: Vec<u32> = (m.states.iter())
            .map(|c| match c.decay {
                Some(d) => tables.push(Powers::new(d.factor, c.width.ty()).words.as_flattened()),
                None => NONE,
            })
            .collect();
        let (source, target) = (
            &self.places.groups[pr.source as usize],
            &self.places.groups[pr.target as usize],
        );
        let size = |g: u32| p.groups[g as usize].size;
        let float = p
            .model_of(pr.target)
            .is_some_and(|m| m.ports[pr.port as usize].ty == Ty::F32);
        let bound = if float {
            scales::bound(pr, x, m) as f32
        } else {
            0.0
        };
        let mut words = vec![0; descriptor_words(m) as usize];
        let mut set = |at: u32, w: u32| words[at as usize] = w;
        set(D_STRIDE, self.block.words as u32);
        set(D_TARGETS, pr.target_range.len);
        set(D_ROWS, pr.elements(Place::Source) as u32);
        set(D_TSTATE, target.state + pr.target_range.start);
        set(D_TSIZE, size(pr.target));
        set(D_SSTATE, source.state + pr.source_range.start);
        set(D_SSIZE, size(pr.source));
        set(D_BASE, x.base);
        (0..)
            .zip(self.block.stamps)
            .for_each(|(k, at)| set(D_STAMPS + k, at));
        set(D_TOTALS, self.block.totals);
        set(D_SCALE, scale);
        set(D_BOUND, bound.to_bits());
        set(D_AUX, target.aux + pr.target_range.start);
        set(D_RING, target.bits.slots.max(1));
        set(D_POST, x.post_delay.into());
        set(D_MODS, mods);
        set(D_MODS_N, x.modulators.len() as u32);
        set(D_OFFERS, self.places.offers[n]);
        (0..)
            .zip(&self.block.states)
            .for_each(|(k, at)| set(D_STATES + k, *at));
        for (k, at) in powers.into_iter().enumerate() {
            set(powers_at(m, k), at);
        }
        for (k, &w) in x.params.iter().enumerate() {
            set(param_at(m, k), w);
        }
        for (k, sums) in self.block.sums.iter().enumerate() {
            set(modulator_at(m, k), sums[0]);
            set(modulator_at(m, k) + 1, sums[1]);
        }
        tables.push(&words)
    }

    /// The records of what modulators come from.
    fn modulations(&self, tables: &mut Tables) -> u32 {
        let words: Vec<u32> = (self.x.modulators.iter())
            .flat_map(|y| self.modulation(y))
            .collect();
        tables.push(&words)
    }

    fn modulation(&self, y: &Modulation) -> [u32; M_WORDS as usize] {
        let group = &self.p.groups[y.source as usize];
        let place = &self.places.groups[y.source as usize];
        let external = matches!(group.kind, GroupKind::External);
        let (kind, at, ring) = match y.carry {
            Carry::Events if external => (SENDS_EXTERNAL, group.base, 1),
            Carry::Events => (SENDS_UNITS, place.aux, place.bits.slots),
            Carry::Output(o) => {
                let r = place.outputs[o as usize];
                (SENDS_VALUES, r.at, r.slots)
            }
        };
        let float = self.m.modulators[y.port as usize].ty == Ty::F32;
        let graded = match y.carry {
            Carry::Events => group.graded,
            Carry::Output(_) => true,
        };
        let form = if float { FORM_FLOAT } else { 0 }
            | if graded { FORM_GRADED } else { 0 }
            | if y.each { FORM_EACH } else { 0 };
        [
            kind,
            at + y.range.start,
            group.size,
            ring,
            y.range.len,
            y.delay.into(),
            y.weight,
            form,
            self.block.sums[y.port as usize][usize::from(y.each)],
        ]
    }
}

/// Words of one sample of all lessons, and of what its samples share.
pub fn words(lessons: &[Lesson]) -> (u64, u64) {
    let sample = lessons.iter().map(|l| l.learned.len() as u64).sum();
    let shared = lessons
        .iter()
        .map(|l| (l.rows.len() + l.synapses.len() + l.back.len()) as u64);
    debug_assert!(lessons.iter().all(|l| l.back.len() as u64 <= MAX_WORDS));
    (sample, shared.sum())
}
