//! The words of a stepped program's buffers: everything that kernels read and that does not change in a run.
//!
//! [`Image::new`] lays a checked program out; it refuses what WebGPU's default limits cannot hold before it builds anything.
//! Sizes of what does change (states, accumulators, lists) are in [`Image::places`], in words of one sample.

pub mod begin;
mod columns;
pub mod drawn;
pub mod gather;
pub mod layout;
mod learned_probes;
pub mod lesson;
mod lesson_loops;
pub mod limits;
pub mod loops;
pub(crate) mod ones;
mod ordered;
pub mod pack;
pub mod payload;
mod range;
pub mod rows;
pub mod rules;
pub mod scales;
mod share;
pub(crate) mod tables;

use super::models::{descriptor_words, output_at, param_at, port_at};
use super::shape::*;
use super::used_models;
use gather::Gather;
use layout::Places;
use lesson::Lesson;
use limits::{fits, too_long};
use loops::{Loops, SEARCH};
use ones::Ones;
use rows::Shard;
use scales::Scale;
use std::collections::BTreeMap;
use synfire_ir::Diagnostic;
use synfire_ir::program::{Column, Group, GroupKind, Observable, Program};
use tables::Tables;

/// Pairs of list and delay that one delivery can look at: 64 invocations count them, in two loops.
const MOST_FEEDS: u64 = 64 * MAX_ITERATIONS / 4;

/// A phase of a step, as dispatches.
#[derive(Clone, Debug, Default)]
pub struct Stage {
    /// Feeds of its delivery in `tables`: first, number.
    pub feeds: (u32, u32),
    /// Shards that have rows for it.
    pub shards: Vec<usize>,
    /// Lessons that have rows for it.
    pub lessons: Vec<usize>,
    /// Lessons whose synapses offer what they deliver to its ordered ports.
    pub offers: Vec<usize>,
    /// Analog arrivals.
    pub gather: Gather,
    /// Tiles of its units: first, number.
    pub tiles: (u32, u32),
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Image {
    /// Where what changes lies.
    pub places: Places,
    /// Descriptors and parameters.
    pub tables: Vec<u32>,
    /// Event synapses.
    pub shards: Vec<Shard>,
    /// Base-2 logarithm of the invocations that share an event.
    pub lanes: u32,
    /// Analog weights.
    pub gathered: Vec<u32>,
    /// Synapses of ordered ports.
    pub ordered: Vec<u32>,
    /// One for each phase.
    pub stages: Vec<Stage>,
    /// Scales of float ports.
    pub scales: Vec<Scale>,
    /// State probes: number of the probe, and its record in `tables` (whose `P_OUT` and `P_ROW` the engine sets).
    pub probes: Vec<(usize, u32)>,
    /// Plastic projections, in their order.
    pub lessons: Vec<Lesson>,
    /// Probes of them: as `probes`, and the lesson.
    pub learned_probes: Vec<(usize, u32, usize)>,
    /// Units whose emissions are recorded.
    pub recorded: u32,
    /// Most external events of one sample in one step.
    pub most_events: u64,
    /// Words of the header of `ctl`.
    pub ctl_head: u32,
    /// May one invocation begin the step of a sample?
    pub begin_alone: bool,
    /// Events of a sample up to which one invocation may deliver them all; 0 when several should share each.
    pub alone_events: u32,
    /// Samples that an invocation of an update may take, if it shares nothing.
    pub most_share: u32,
    /// Iterations of every kernel.
    pub loops: Loops,
}

impl Image {
    /// Lays out a program that passed [`synfire_ir::program::check`]. On a `parallel` device many invocations share an event;
    /// one that runs them one after another would only repeat the search for its row.
    ///
    /// A shard of synapses has at most `shard` words in each of its buffers (less than [`rows::SHARD_WORDS`] only in tests).
    ///
    /// Errors: `SYN0817` when a buffer would exceed a binding, `SYN0818` when an invocation would loop for too long.
    pub fn new(p: &Program, parallel: bool, shard: u64) -> Result<Image, Diagnostic> {
        let places = layout::places(p)?;
        fits("the parameters", layout::column_words(p) + ones::words(p))?;
        let ctl_head = C_COUNTS + p.groups.len() as u32;
        let mut tables = Tables::new();
        header(p, &places, ctl_head, &mut tables);
        let mut scales = scales::scales(p);
        for s in scales.values_mut() {
            s.at = tables.push(&s.words(|_| 1.0));
        }
        let shards = rows::shards(
            p,
            &places,
            |g, port| scales.get(&(g, port)).map_or(0, |s| s.at),
            shard,
        )?;
        let (gathers, gathered) = gather::build(p, &places, &mut tables)?;
        let ordered = ordered::build(p, &places, &mut tables)?;
        let ones = ones::build(p, &places, &mut tables);
        let lists = push_lists(&places, &mut tables);
        push_ingest(p, &places, &mut tables);
        let known = (&lists[..], &scales);
        let share = if parallel { 1 } else { 12 };
        let lessons = lesson::build(p, &places, known, &mut tables, share)?;
        let learned_probes = learned_probes::probes(p, &lessons, &mut tables);
        let shares = {
            let all = shards.iter().map(|s| (&*s.rows, 1));
            let all = all.chain(lessons.iter().map(|l| (&*l.rows, l.cost)));
            rows::lanes(all, if parallel { 1 } else { 6 })?
        };
        let mut loops = Loops::default();
        lessons.iter().for_each(|l| l.note(&mut loops));
        let mut groups = Groups {
            p,
            places: &places,
            lists: &lists,
            segments: &ordered.segments,
            scales: &scales,
            ones: &ones,
            probes: vec![],
        };
        let at = groups.push(&mut tables)?;
        let probes = groups.probes;
        let mut stages = push_tiles(p, &at, &mut tables);
        for (phase, (stage, gather)) in stages.iter_mut().zip(gathers).enumerate() {
            stage.gather = gather;
            stage.shards = (0..shards.len())
                .filter(|&k| shards[k].stages.contains(&(phase as u16)))
                .collect();
            let phase = phase as u16;
            let of = |f: &dyn Fn(&Lesson) -> bool| {
                (0..lessons.len()).filter(|&k| f(&lessons[k])).collect()
            };
            stage.lessons = of(&|l| l.stages.contains(&phase));
            stage.offers = of(&|l| l.offers == Some(phase));
            let phase = phase as usize;
            stage.feeds = push_feeds(&places, phase, &lists, &mut tables);
        }
        let feeds = (stages.iter())
            .map(|s| u64::from(s.feeds.1))
            .chain(lessons.iter().map(|l| u64::from(l.feeds.1)))
            .max()
            .unwrap_or(0);
        if feeds > MOST_FEEDS {
            return Err(too_long("phases times delays".into(), feeds, MOST_FEEDS));
        }
        // What a synapse that learns delivers is counted with the synapses.
        let walk = [
            ("FEED_SEARCH", SEARCH),
            ("RUN_SEARCH", SEARCH),
            ("RUNS", shares.runs),
            ("SYNAPSES", shares.synapses),
            ("NOISE", 0),
        ];
        loops.note("deliver", &walk);
        let alone_events = match share::delivery(&shares, feeds, &mut loops) {
            _ if parallel || !lessons.is_empty() => 0,
            n => n,
        };
        loops.note("deliver_learned", &walk);
        let begin = begin::Begin::new(p, &places, feeds, &lessons, parallel);
        begin.note(&mut loops);
        gather::note(p, &mut loops);
        let most_share = share::update(p, (&ordered.loops, &ones), &probes, &mut loops, parallel)?;
        loops.check(&p.name)?;
        fits("the tables", tables.words.len() as u64)?;
        Ok(Image {
            recorded: recorded(p).map(|g| p.groups[g].size).sum(),
            places,
            tables: tables.words,
            shards,
            lanes: shares.lanes,
            gathered,
            ordered: ordered.words,
            stages,
            scales: scales.into_values().collect(),
            probes,
            lessons,
            learned_probes,
            begin_alone: begin.alone,
            alone_events,
            most_share,
            loops,
            most_events: begin.most_events.min(ordered.most_events),
            ctl_head,
        })
    }

    /// Words of all buffers that the samples share.
    pub fn shared_words(&self) -> u64 {
        let shards: usize = self
            .shards
            .iter()
            .map(|s| s.rows.len() + s.synapses.len())
            .sum();
        let tables = self.tables.len() + self.gathered.len() + self.ordered.len();
        (tables + shards) as u64 + lesson::words(&self.lessons).1
    }

    /// Initial words of one sample's block of `state`.
    pub fn initial_state(&self, p: &Program) -> Vec<u32> {
        let at: Vec<u32> = self.places.groups.iter().map(|g| g.state).collect();
        initial_state(p, &at, self.places.state)
    }
}

/// Initial words of one sample's block of `state`, in which the groups' states begin at `places`.
pub(crate) fn initial_state(p: &Program, places: &[u32], words: u32) -> Vec<u32> {
    let mut out = vec![0; words as usize];
    for (g, &place) in p.groups.iter().zip(places) {
        let GroupKind::Units { init, .. } = &g.kind else {
            continue;
        };
        let n = g.size as usize;
        for (k, column) in init.iter().enumerate() {
            let at = place as usize + k * n;
            match column {
                Column::Uniform(w) => out[at..at + n].fill(*w),
                Column::PerUnit(v) => out[at..at + n].copy_from_slice(v),
            }
        }
    }
    out
}

/// The descriptor of a group whose parameters alone are read: that of a serial program.
pub(crate) fn push_group(p: &Program, g: u32, state: u32, tables: &mut Tables) -> u32 {
    let group = &p.groups[g as usize];
    let mut words = vec![NONE; G_PARAMS as usize];
    words[G_SIZE as usize] = group.size;
    words[G_BASE as usize] = group.base;
    words[G_STATE as usize] = state;
    if let GroupKind::Units { params, .. } = &group.kind {
        words.extend(params.iter().flat_map(|c| push_column(c, tables)));
    }
    tables.push(&words)
}

/// Offset and stride of a parameter column.
fn push_column(c: &Column, tables: &mut Tables) -> [u32; 2] {
    match c {
        Column::Uniform(w) => [tables.push(&[*w]), 0],
        Column::PerUnit(v) => [tables.push(v), 1],
    }
}

fn header(p: &Program, places: &Places, ctl_head: u32, tables: &mut Tables) {
    tables.set(T_SEED_LO, p.seed as u32);
    tables.set(T_SEED_HI, (p.seed >> 32) as u32);
    tables.set(T_CTL, ctl_head);
    tables.set(T_CTL_STRIDE, places.ctl);
    tables.set(T_STATE_STRIDE, places.state);
    tables.set(T_ACC_STRIDE, places.acc);
    tables.set(T_LISTS_STRIDE, places.list_words);
    tables.set(T_PREFIX, places.prefix);
}

/// The descriptors of all lists.
fn push_lists(places: &Places, tables: &mut Tables) -> Vec<u32> {
    let words: Vec<u32> = places
        .lists
        .iter()
        .flat_map(|l| [l.at, l.capacity, l.slots, l.len_at])
        .collect();
    let at = tables.push(&words);
    tables.set(T_LISTS, at);
    tables.set(T_LISTS_N, places.lists.len() as u32);
    let at = |k: usize| at + k as u32 * L_SIZE;
    (0..places.lists.len()).map(at).collect()
}

/// The feeds of a phase's delivery: at the beginning of a step all that comes over delays, later what the phase before has
/// just emitted.
fn push_feeds(places: &Places, phase: usize, lists: &[u32], tables: &mut Tables) -> (u32, u32) {
    let mut feeds = vec![];
    for (l, &list) in places.lists.iter().zip(lists) {
        for &d in &l.delays {
            let due = if phase == 0 {
                d > 0
            } else {
                d == 0 && l.phase as usize + 1 == phase
            };
            if due {
                feeds.extend([list, u32::from(d)]);
            }
        }
    }
    if phase == 0 {
        for &d in &places.external {
            feeds.extend([NONE, u32::from(d)]);
        }
    }
    (tables.push(&feeds), feeds.len() as u32 / F_SIZE)
}

fn push_ingest(p: &Program, places: &Places, tables: &mut Tables) {
    let mut words = vec![];
    for (g, place) in p.groups.iter().zip(&places.groups) {
        if matches!(g.kind, GroupKind::External) && place.bits.slots > 0 {
            words.extend([g.base, g.size, place.bits.at, place.aux, place.bits.slots]);
        }
    }
    let at = tables.push(&words);
    tables.set(T_INGEST, at);
    tables.set(T_INGEST_N, words.len() as u32 / I_WORDS);
}

/// Groups of units with an `Events` probe.
fn recorded(p: &Program) -> impl Iterator<Item = usize> {
    (0..p.groups.len()).filter(|&g| {
        let probed = |pb: &synfire_ir::program::Probe| {
            pb.group as usize == g && pb.what == Observable::Events
        };
        matches!(p.groups[g].kind, GroupKind::Units { .. }) && p.probes.iter().any(probed)
    })
}

fn push_tiles(p: &Program, at: &[u32], tables: &mut Tables) -> Vec<Stage> {
    let mut tiles = vec![];
    let mut stages = vec![];
    for phase in 0..p.phases() {
        let first = tiles.len() as u32 / 2;
        for (g, group) in p.groups.iter().enumerate() {
            if group.phase == phase && matches!(group.kind, GroupKind::Units { .. }) {
                for unit in (0..group.size).step_by(TILE as usize) {
                    tiles.extend([at[g], unit]);
                }
            }
        }
        stages.push(Stage {
            tiles: (first, tiles.len() as u32 / 2 - first),
            ..Default::default()
        });
    }
    let at = tables.push(&tiles);
    tables.set(T_TILES, at);
    stages
}

/// Writes the descriptors of groups.
struct Groups<'a> {
    p: &'a Program,
    places: &'a Places,
    lists: &'a [u32],
    segments: &'a [(u32, u32)],
    scales: &'a BTreeMap<(u32, u16), Scale>,
    ones: &'a Ones,
    probes: Vec<(usize, u32)>,
}

impl Groups<'_> {
    /// Where each group's descriptor lies.
    fn push(&mut self, tables: &mut Tables) -> Result<Vec<u32>, Diagnostic> {
        let models = used_models(self.p);
        let recorded: Vec<usize> = recorded(self.p).collect();
        let mut out = vec![];
        for (g, group) in self.p.groups.iter().enumerate() {
            let GroupKind::Units { model, params, .. } = &group.kind else {
                out.push(NONE);
                continue;
            };
            let m = &self.p.models[*model as usize];
            let number = models.binary_search(model).unwrap_or(0) as u32;
            let probes = self.push_probes(g, tables);
            let mut words = self.head(g, group, number, probes);
            words[G_RECORDED as usize] = u32::from(recorded.contains(&g));
            words.resize(descriptor_words(m) as usize, 0);
            for (k, column) in params.iter().enumerate() {
                let at = param_at(k) as usize;
                words[at..at + 2].copy_from_slice(&push_column(column, tables));
            }
            let place = &self.places.groups[g];
            for (k, port) in place.ports.iter().enumerate() {
                let at = port_at(m, k) as usize;
                let scale = self.scales.get(&(g as u32, k as u16));
                let ones = self.ones.get(&(g as u32, k as u16));
                let (ones, ones_n) = ones.copied().unwrap_or((0, 0));
                words[at..at + R_SIZE as usize].copy_from_slice(&[
                    port.events,
                    port.analog,
                    scale.map_or(0, |s| s.at),
                    ones,
                    ones_n,
                ]);
            }
            for (k, ring) in place.outputs.iter().enumerate() {
                let at = output_at(m, k) as usize;
                words[at..at + 2].copy_from_slice(&[ring.at, ring.slots]);
            }
            out.push(tables.push(&words));
        }
        Ok(out)
    }

    fn head(&self, g: usize, group: &Group, model: u32, probes: (u32, u32)) -> Vec<u32> {
        let place = &self.places.groups[g];
        let list = place.list.map(|k| self.lists[k]);
        let bits = if place.bits.slots > 0 {
            place.bits.at
        } else {
            NONE
        };
        let (segs, segs_n) = self.segments[g];
        vec![
            model,
            group.size,
            group.base,
            place.state,
            list.unwrap_or(NONE),
            0,
            g as u32,
            bits,
            place.aux,
            place.bits.slots.max(1),
            probes.0,
            probes.1,
            segs,
            segs_n,
        ]
    }

    fn push_probes(&mut self, g: usize, tables: &mut Tables) -> (u32, u32) {
        let at = tables.words.len() as u32;
        let mut n = 0;
        for (k, pb) in self.p.probes.iter().enumerate() {
            if let Observable::State(s) = pb.what
                && pb.group as usize == g
                && pb.range.len > 0
            {
                let record = [u32::from(s), pb.range.start, pb.range.len, pb.every, 0, 0];
                self.probes.push((k, tables.push(&record)));
                n += 1;
            }
        }
        (at, n)
    }
}
