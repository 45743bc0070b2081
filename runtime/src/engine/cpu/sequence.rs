//! What arrives where, and in which order: projections as bundles where they can be, else as pieces.
//!
//! In: a program and its tiles. Out: the bundles of each worker, the pieces of each tile, and the order of what is delivered
//! at the beginning of a step. What has a delay of 0 comes in the phase of its target instead.
//!
//! Invariant: at a port of floats, projections arrive in their order in the program. A projection that would break it comes
//! after its predecessor in a bundle of its own, or with it in the phase.

use super::bundle::{Bundle, From, Kind};
use super::bundling::{Bundling, procedural};
use super::learn::Lesson;
use super::member::{Given, Member};
use super::pieces::{Form, Link, Payload, Piece, Span, fold};
use super::plan::{Cut, Tile};
use super::procedural::Procedural;
use super::tiles::{ordered, output};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use synfire_ir::model::Ty;
use synfire_ir::program::{Carry, Generated, Layout, Program, Projection};

/// Something that is delivered at the beginning of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A bundle of the worker.
    Bundle(usize),
    /// A piece of one of its tiles.
    Piece { tile: usize, piece: usize },
    /// A lesson of the worker.
    Lesson(usize),
    /// Procedural rows of the worker.
    Procedural(usize),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// By worker.
    pub bundles: Vec<Vec<Bundle>>,
    /// By worker.
    pub lessons: Vec<Vec<Lesson>>,
    /// By worker.
    pub procedural: Vec<Vec<Procedural>>,
    /// By worker.
    pub early: Vec<Vec<Item>>,
}

/// A bundle whose members are being collected.
struct Draft<'p> {
    kind: Kind,
    delays: (u16, u16),
    synapses: u64,
    members: Vec<Member<'p>>,
}

/// One worker's items in the making.
#[derive(Default)]
struct Worker<'p> {
    drafts: Vec<Draft<'p>>,
    /// Pieces that are the first at their ports: they come before all items, so that bundles may reach past them.
    first: Vec<Item>,
    /// Drafts and pieces by their place in the order.
    items: BTreeMap<u64, Item>,
    /// Place of each draft.
    place: Vec<u64>,
    lessons: Vec<Lesson>,
    procedural: Vec<Procedural>,
}

struct Making<'p, 't> {
    p: &'p Program,
    cut: Cut,
    tiles: &'t mut [Tile],
    of_group: &'t [Range<usize>],
    workers: Vec<Worker<'p>>,
    /// Place of the item that arrived last at a port of a tile, or [`PHASE`].
    last: BTreeMap<(usize, u16), u64>,
}

/// Place of what comes in the phase, after all items.
const PHASE: u64 = u64::MAX;

/// Distance of items that are appended: others can be put between them.
const APART: u64 = 1 << 32;

/// Lays out all projections.
pub(super) fn sequence(
    p: &Program,
    tiles: &mut [Tile],
    of_group: &[Range<usize>],
    cut: Cut,
) -> Sequence {
    let workers = (0..cut.workers).map(|_| Worker::default()).collect();
    let bundling = Bundling::new(p, cut);
    let mut making = Making {
        p,
        cut,
        tiles,
        of_group,
        workers,
        last: BTreeMap::new(),
    };
    for (k, pr) in p.projections.iter().enumerate() {
        let plastic = p.plastic.iter().position(|x| x.projection as usize == k);
        if let Some(plastic) = plastic {
            making.lessons(pr, plastic);
            continue;
        }
        if let Some(rule) = procedural(p, pr) {
            making.procedural(pr, rule);
            continue;
        }
        match bundling.of(p, (k, pr)) {
            Some((given, delays)) => making.bundle(pr, given, delays),
            None => making.pieces(pr, of_group[pr.target as usize].clone()),
        }
    }
    making.finish()
}

/// Ports that bundles write to.
pub(super) fn bundled_ports(p: &Program, cut: Cut) -> BTreeSet<(u32, u16)> {
    let all = p.projections.iter().enumerate();
    let bundling = Bundling::new(p, cut);
    all.filter(|&x| bundling.of(p, x).is_some())
        .map(|(_, pr)| (pr.target, pr.port))
        .collect()
}

impl<'p> Making<'p, '_> {
    fn link<'a>(&'a self, pr: &'a Projection) -> Option<Link<'a>> {
        let m = self.p.model_of(pr.target)?;
        let sources = self.of_group[pr.source as usize].clone();
        let column = output(self.p, pr.source, pr.carry).and_then(|s| {
            let known = &self.tiles[sources.start].analog;
            known.iter().position(|c| c.0 == s)
        });
        Some(Link {
            projection: pr,
            port: &m.ports[pr.port as usize],
            handled: m.handler(pr.port).is_some(),
            graded: self.p.groups[pr.source as usize].graded,
            column,
            ring: self.cut.ring,
        })
    }

    /// Gives the targets their pieces of a projection.
    fn pieces(&mut self, pr: &Projection, targets: Range<usize>) {
        let handled = self.link(pr).is_some_and(|l| l.handled);
        if let Layout::Generated(rule) = &pr.layout
            && (handled || rule.complete().is_none())
        {
            let rows = Projection {
                layout: Layout::Rows(rule.rows()),
                ..pr.clone()
            };
            return self.pieces(&rows, targets);
        }
        for to in targets {
            let Some(link) = self.link(pr) else { return };
            let from = senders(
                pr,
                self.tiles,
                self.of_group[pr.source as usize].clone(),
                to,
            );
            let span = |t: usize| Span {
                tile: t,
                start: self.tiles[t].start,
                len: self.tiles[t].len,
            };
            let made: Vec<Piece> = (from.clone())
                .filter_map(|f| link.piece(span(f), span(to)))
                .collect();
            let early = !link.handled && link.column.is_none();
            let early = early && pr.delays().is_some_and(|d| d.0 >= 1);
            self.add(pr, to, made, early);
        }
    }

    fn add(&mut self, pr: &Projection, to: usize, made: Vec<Piece>, early: bool) {
        let float = ordered(self.p, pr.target, pr.port);
        let key = (to, pr.port);
        let early = early && !(float && self.last.get(&key) == Some(&PHASE));
        for piece in made {
            let at = self.tiles[to].pieces.len();
            let handled = piece.handled;
            self.tiles[to].pieces.push(piece);
            let worker = &mut self.workers[self.tiles[to].owner];
            if early && !self.last.contains_key(&key) {
                worker.first.push(Item::Piece {
                    tile: to,
                    piece: at,
                });
            } else if early {
                let place = worker.append(Item::Piece {
                    tile: to,
                    piece: at,
                });
                self.last.insert(key, place);
            } else if !handled {
                self.tiles[to].late.push(at);
                self.last.insert(key, PHASE);
            }
        }
    }

    fn bundle(&mut self, pr: &'p Projection, given: Given<'p>, delays: (u16, u16)) {
        let Some(link) = self.link(pr) else { return };
        let (fold, payload) = (fold(link.port), link.payload());
        let float = ordered(self.p, pr.target, pr.port);
        for to in self.of_group[pr.target as usize].clone() {
            let key = (to, pr.port);
            let Some(slot) = self.tiles[to].slots[pr.port as usize] else {
                continue;
            };
            if float && self.last.get(&key) == Some(&PHASE) {
                self.pieces(pr, to..to + 1);
                continue;
            }
            let tile = &self.tiles[to];
            let (low, end) = (
                tile.start.max(pr.target_range.start),
                (tile.start + tile.len).min(pr.target_range.start + pr.target_range.len),
            );
            if low >= end {
                continue;
            }
            let kind = Kind {
                source: pr.source,
                arena: slot.arena,
                fold,
                payload,
                weights: given.weights(),
                delay: (delays.0 == delays.1).then_some(delays.0),
            };
            let member = Member {
                given,
                first: pr.source_range.start,
                count: pr.source_range.len,
                targets: (low - pr.target_range.start, end - pr.target_range.start),
                at: slot.at + low - tile.start,
            };
            let after = self.last.get(&key).copied().filter(|_| float);
            let share = pr.synapses() * (end - low) as u64 / pr.target_range.len.max(1) as u64;
            let item = self.workers[tile.owner].draft(kind, delays, (member, share), after);
            self.last.insert(key, item);
        }
    }

    /// Gives each worker the rows that it draws for its targets.
    fn procedural(&mut self, pr: &Projection, rule: &Arc<Generated>) {
        let (Some(link), Some(delays)) = (self.link(pr), pr.delays()) else {
            return;
        };
        let (fold, payload) = (fold(link.port), link.payload());
        let from = from(self.tiles, self.of_group[pr.source as usize].clone());
        let (first, end) = (
            pr.source_range.start,
            pr.source_range.start + pr.source_range.len,
        );
        let to = pr.target_range;
        let blank = Procedural {
            rule: rule.clone(),
            fold,
            payload,
            from,
            sources: first..end,
            delays,
            homes: vec![],
            targets: 0..0,
        };
        let float = ordered(self.p, pr.target, pr.port);
        // For each worker the rows that its last tile belongs to, and their place.
        let mut joint: Vec<Option<(usize, u64)>> = vec![None; self.workers.len()];
        for t in self.of_group[pr.target as usize].clone() {
            let tile = &self.tiles[t];
            let low = tile.start.max(to.start);
            let end = (tile.start + tile.len).min(to.start + to.len);
            if low >= end {
                continue;
            }
            let (key, part) = ((t, pr.port), (low - to.start, end - to.start));
            let (own, joint) = (&mut self.workers[tile.owner], &mut joint[tile.owner]);
            let k = own.procedural.len();
            if float && self.last.get(&key) == Some(&PHASE) {
                // What came before comes in the phase, and so has this to.
                *joint = None;
                let mut alone = blank.clone();
                alone.add(tile, part, pr.port, to.start);
                own.procedural.push(alone);
                let from = blank.from.first().map(|f| f.tile);
                let piece = Piece::stand_in(pr, (Form::Drawn(k), delays.0), (fold, false), from);
                let tile = &mut self.tiles[t];
                tile.late.push(tile.pieces.len());
                tile.pieces.push(piece);
                continue;
            }
            let known = joint.filter(|&(k, _)| own.procedural[k].targets.end == part.0);
            let (k, place) = known.unwrap_or_else(|| {
                own.procedural.push(blank.clone());
                (k, own.append(Item::Procedural(k)))
            });
            *joint = Some((k, place));
            own.procedural[k].add(tile, part, pr.port, to.start);
            self.last.insert(key, place);
        }
    }

    /// Gives the targets their lessons of a plastic projection. One that comes in the phase, or at a port with a handler, has
    /// its place among the pieces of its tile.
    fn lessons(&mut self, pr: &Projection, plastic: usize) {
        let Some(link) = self.link(pr) else { return };
        let (how, handled) = ((fold(link.port), link.payload()), link.handled);
        let sources = self.of_group[pr.source as usize].clone();
        for to in self.of_group[pr.target as usize].clone() {
            let from = sources.clone().map(|t| (t, self.tiles[t].start)).collect();
            let tile = (to, self.tiles[to].start, self.tiles[to].len);
            let Some(lesson) = Lesson::new(self.p, plastic, tile, how, from) else {
                continue;
            };
            let float = ordered(self.p, pr.target, pr.port);
            let key = (to, pr.port);
            let behind = float && self.last.get(&key) == Some(&PHASE);
            let early = !handled && lesson.least() >= 1 && !behind;
            let worker = &mut self.workers[self.tiles[to].owner];
            let k = worker.lessons.len();
            if early {
                let place = worker.append(Item::Lesson(k));
                self.last.insert(key, place);
            } else {
                let tile = &mut self.tiles[to];
                if !handled {
                    tile.late.push(tile.pieces.len());
                    self.last.insert(key, PHASE);
                }
                let (form, how) = (Form::Learnt(k), (lesson.fold, handled));
                let from = lesson.from.first().map(|f| f.0);
                tile.pieces
                    .push(Piece::stand_in(pr, (form, lesson.least()), how, from));
            }
            worker.lessons.push(lesson);
        }
    }

    /// Lays out the bundles, those of each worker on a thread of its own.
    fn finish(self) -> Sequence {
        let (tiles, of_group, cut) = (&*self.tiles, self.of_group, self.cut);
        let from = |group: u32| from(tiles, of_group[group as usize].clone());
        let lay_out = |w: Worker| {
            let (mut bundles, mut number) = (vec![], vec![]);
            for d in w.drafts {
                let made = Bundle::new(d.kind, from(d.kind.source), d.delays, &d.members, cut.long);
                number.push(made.as_ref().map(|_| bundles.len()));
                bundles.extend(made);
            }
            let items = w
                .first
                .into_iter()
                .chain(w.items.into_values())
                .filter_map(|i| match i {
                    Item::Bundle(d) => number[d].map(Item::Bundle),
                    piece => Some(piece),
                });
            (items.collect(), bundles)
        };
        let mut workers = self.workers;
        let lessons = workers.iter_mut().map(|w| std::mem::take(&mut w.lessons));
        let lessons = lessons.collect();
        let procedural = workers
            .iter_mut()
            .map(|w| std::mem::take(&mut w.procedural));
        let procedural = procedural.collect();
        let (early, bundles) = workers.into_par_iter().map(lay_out).unzip();
        Sequence {
            bundles,
            lessons,
            procedural,
            early,
        }
    }
}

/// Tiles of a source group.
fn from(tiles: &[Tile], of_group: Range<usize>) -> Vec<From> {
    let from = of_group.map(|tile| From {
        tile,
        start: tiles[tile].start,
    });
    from.collect()
}

impl<'p> Worker<'p> {
    /// Puts an item after all others; returns its place.
    fn append(&mut self, item: Item) -> u64 {
        let place = self.items.last_key_value().map_or(APART, |l| l.0 + APART);
        self.items.insert(place, item);
        place
    }

    /// Puts an item right after a place, or before all others, so that as many as can be come later; returns its place.
    fn insert(&mut self, after: Option<u64>, item: Item) -> u64 {
        let low = after.unwrap_or(0);
        match self.items.range(low + 1..).next() {
            Some((&next, _)) if next - low > 1 => {
                let place = low + (next - low) / 2;
                self.items.insert(place, item);
                place
            }
            _ => self.append(item),
        }
    }

    /// Adds a member to a draft of its kind that comes after the place `after`, or to a new one; returns its place.
    fn draft(
        &mut self,
        kind: Kind,
        delays: (u16, u16),
        (member, synapses): (Member<'p>, u64),
        after: Option<u64>,
    ) -> u64 {
        let fits = |d: &Draft, item: u64| {
            d.kind == kind
                && after.is_none_or(|a| item > a)
                && d.synapses + synapses < u32::MAX as u64 / 2
        };
        let mut known = self.drafts.iter().zip(&self.place);
        let k = match known.position(|(d, &item)| fits(d, item)) {
            Some(k) => k,
            None => {
                let place = self.insert(after, Item::Bundle(self.drafts.len()));
                self.place.push(place);
                self.drafts.push(Draft {
                    kind,
                    delays,
                    synapses: 0,
                    members: vec![],
                });
                self.drafts.len() - 1
            }
        };
        let d = &mut self.drafts[k];
        d.delays = (d.delays.0.min(delays.0), d.delays.1.max(delays.1));
        d.synapses += synapses;
        d.members.push(member);
        self.place[k]
    }
}

impl Link<'_> {
    /// How payloads of its source become factors.
    pub fn payload(&self) -> Payload {
        let as_is = self.port.ty != Ty::F32 || self.graded;
        match as_is || self.projection.carry != Carry::Events {
            true => Payload::AsIs,
            false => Payload::ToFloat,
        }
    }
}

/// The source tiles that may send to a target tile.
fn senders(pr: &Projection, tiles: &[Tile], sources: Range<usize>, to: usize) -> Range<usize> {
    if !matches!(pr.layout, Layout::OneToOne { .. }) {
        return sources;
    }
    // Source `i` of the range sends to target `i`.
    let (t, first) = (&tiles[to], pr.target_range.start);
    let low = t.start.saturating_sub(first) as u64 + pr.source_range.start as u64;
    let end = (t.start as u64 + t.len as u64).saturating_sub(first as u64);
    let high = end + pr.source_range.start as u64;
    let all = &tiles[sources.clone()];
    let a = all.partition_point(|s| s.start as u64 + s.len as u64 <= low);
    let b = all.partition_point(|s| (s.start as u64) < high);
    sources.start + a..sources.start + b.max(a)
}
