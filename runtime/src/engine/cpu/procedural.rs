//! Procedural rows: synapses that are drawn again at each event of their source, in place of being stored.
//!
//! In: a rule whose rows follow from their sources, and the tiles of a worker. Out: what falls due, in the accumulators. A row is
//! drawn once for all tiles of the worker: when its one delay has passed, or, where delays are drawn, when its shortest has; it is
//! then kept until its longest has passed. Invariant: every target gets its events by source, then older first, as from stored
//! rows.

use super::bundle::From;
use super::pieces::Payload;
use super::plan::Tile;
use super::spikes::History;
use std::ops::Range;
use std::sync::Arc;
use synfire_ir::network::Chosen;
use synfire_ir::program::{Generated, RowRule};
use synfire_kernels::cpu::Aligned;
use synfire_kernels::cpu::deliver::Fold;

/// Own targets of one tile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    /// First of them, counted as in the projection's range.
    pub start: u32,
    pub arena: usize,
    /// Its place there.
    pub at: u32,
}

/// A projection as one worker sees it.
#[derive(Clone, Debug)]
pub(super) struct Procedural {
    pub rule: Arc<Generated>,
    pub fold: Fold,
    pub payload: Payload,
    /// All tiles of the source group, ascending.
    pub from: Vec<From>,
    /// Sources, as units of the group.
    pub sources: Range<u32>,
    /// Smallest and largest delay.
    pub delays: (u16, u16),
    /// Ascending.
    pub homes: Vec<Home>,
    /// Own targets, counted as in the projection's range.
    pub targets: Range<u32>,
}

/// A row whose delays have not all passed.
#[derive(Debug, Default)]
struct Row {
    source: u32,
    born: u32,
    factor: u32,
    /// The synapses of each delay begin here; one more for the end.
    start: Vec<u32>,
    /// Own target, weight.
    synapses: Vec<(u32, u32)>,
}

/// Rows under way, and buffers.
#[derive(Debug, Default)]
pub(super) struct Flight {
    rows: Vec<Row>,
    spare: Vec<Row>,
    /// Those that have been, whose memory is used again.
    free: Vec<Row>,
    drawn: Vec<(u16, u32, u32)>,
    chosen: Chosen,
}

/// An event that has come: source of the group, factor.
type Event = (u32, u32);

impl Procedural {
    /// Adds a tile with own targets from `start` to `end` of the projection's range.
    pub fn add(&mut self, tile: &Tile, (start, end): (u32, u32), port: u16, first: u32) {
        let Some(slot) = tile.slots[port as usize] else {
            return;
        };
        if self.homes.is_empty() {
            self.targets.start = start;
        }
        self.targets.end = end;
        self.homes.push(Home {
            start,
            arena: slot.arena,
            at: slot.at + (first + start - tile.start),
        });
    }

    /// What its sources emitted in a step, ascending.
    fn emitted<'a>(
        &'a self,
        history: &'a [History],
        born: u32,
    ) -> impl Iterator<Item = Event> + 'a {
        let Range { start, end } = self.sources;
        self.from.iter().flat_map(move |f| {
            let list = history[f.tile].list(born);
            let first = start.saturating_sub(f.start);
            let count = end.saturating_sub(f.start).saturating_sub(first);
            list.within(first, count).map(move |i| {
                let factor = self.payload.factor(list.payload(i));
                (list.units[i] + f.start, factor)
            })
        })
    }

    /// Delivers what falls due in `step`; returns how many synapses it walked.
    pub fn deliver(
        &self,
        arenas: &mut [Aligned],
        history: &[History],
        step: u32,
        flight: &mut Flight,
    ) -> u64 {
        let add = |a: u32, v: u32| a.wrapping_add(v);
        let sum = |a: u32, v: u32| (f32::from_bits(a) + f32::from_bits(v)).to_bits();
        match self.fold {
            Fold::AddF32 => self.walk(arenas, history, step, flight, sum),
            // The plan takes sums alone.
            _ => self.walk(arenas, history, step, flight, add),
        }
    }

    fn walk(
        &self,
        arenas: &mut [Aligned],
        history: &[History],
        step: u32,
        flight: &mut Flight,
        one: impl Fn(u32, u32) -> u32,
    ) -> u64 {
        let (least, most) = self.delays;
        let Some(rule) = RowRule::new(&self.rule) else {
            return 0;
        };
        let mut walked = 0;
        if least < most {
            flight.advance(self, &rule, history, step);
            for row in &flight.rows {
                let late = (step - row.born - u32::from(least)) as usize;
                let due = row.start[late] as usize..row.start[late + 1] as usize;
                walked += due.len() as u64;
                for &(t, w) in &row.synapses[due] {
                    let a = self.place(arenas, t);
                    *a = one(*a, self.fold.product(row.factor, w));
                }
            }
            return walked;
        }
        let Some(born) = step.checked_sub(least.into()) else {
            return 0;
        };
        let (low, n) = (self.targets.start, self.targets.end - self.targets.start);
        for (source, x) in self.emitted(history, born) {
            let row = source - self.sources.start;
            let chosen = &mut flight.chosen;
            if let [home] = self.homes[..] {
                let at = home.at as usize;
                let acc = &mut arenas[home.arena][at..at + n as usize];
                rule.each(row, chosen, |t, w, _| {
                    if let Some(a) = acc.get_mut(t.wrapping_sub(low) as usize) {
                        *a = one(*a, self.fold.product(x, w));
                        walked += 1;
                    }
                });
                continue;
            }
            rule.each(row, chosen, |t, w, _| {
                if t.wrapping_sub(low) < n {
                    let a = self.place(arenas, t);
                    *a = one(*a, self.fold.product(x, w));
                    walked += 1;
                }
            });
        }
        walked
    }

    /// The accumulator of an own target.
    #[inline]
    fn place<'a>(&self, arenas: &'a mut [Aligned], t: u32) -> &'a mut u32 {
        let (low, n) = (self.targets.start, self.targets.end - self.targets.start);
        // Tiles differ by a unit at most, but for the ends of the range: the guess is near.
        let homes = &self.homes[..];
        let mut k = ((t - low) as u64 * homes.len() as u64 / n.max(1) as u64) as usize;
        while k + 1 < homes.len() && homes[k + 1].start <= t {
            k += 1;
        }
        while homes[k].start > t {
            k -= 1;
        }
        let home = &homes[k];
        &mut arenas[home.arena][(home.at + t - home.start) as usize]
    }
}

impl Flight {
    /// Draws the rows whose first delay passes in this step, and drops those whose last has passed.
    fn advance(&mut self, of: &Procedural, rule: &RowRule<'_>, history: &[History], step: u32) {
        let (least, most) = of.delays;
        self.spare.clear();
        let mut old = std::mem::take(&mut self.rows).into_iter().peekable();
        let then = step.checked_sub(least.into());
        let fresh = then.into_iter().flat_map(|born| of.emitted(history, born));
        for (source, factor) in fresh {
            while let Some(row) = old.next_if(|r| r.source <= source) {
                self.keep(row, step, most);
            }
            let row = self.row(of, rule, (source, factor), step - u32::from(least));
            self.spare.push(row);
        }
        for row in old {
            self.keep(row, step, most);
        }
        std::mem::swap(&mut self.rows, &mut self.spare);
    }

    fn keep(&mut self, row: Row, step: u32, most: u16) {
        match row.born as u64 + most as u64 >= step as u64 {
            true => self.spare.push(row),
            false => self.free.push(row),
        }
    }

    /// Draws a row and sorts it by delay.
    fn row(
        &mut self,
        of: &Procedural,
        rule: &RowRule<'_>,
        (source, factor): Event,
        born: u32,
    ) -> Row {
        let (least, most) = of.delays;
        let mut row = self.free.pop().unwrap_or_default();
        (row.source, row.born, row.factor) = (source, born, factor);
        row.start.clear();
        row.start.resize((most - least) as usize + 2, 0);
        self.drawn.clear();
        let drawn = &mut self.drawn;
        rule.each(source - of.sources.start, &mut self.chosen, |t, w, d| {
            if of.targets.contains(&t) {
                drawn.push((d - least, t, w));
            }
        });
        for (d, ..) in &self.drawn {
            row.start[*d as usize + 1] += 1;
        }
        let mut sum = 0;
        for n in &mut row.start {
            sum += *n;
            *n = sum;
        }
        row.synapses.clear();
        row.synapses.resize(self.drawn.len(), (0, 0));
        for &(d, t, w) in &self.drawn {
            let at = &mut row.start[d as usize];
            row.synapses[*at as usize] = (t, w);
            *at += 1;
        }
        // Each start has moved on to the next one.
        row.start.rotate_right(1);
        row.start[0] = 0;
        row
    }

    /// The rows under way after step `now - 1`.
    pub fn restore(&mut self, of: &Procedural, history: &[History], now: u32) {
        self.rows.clear();
        let (least, most) = of.delays;
        let Some(rule) = RowRule::new(&of.rule).filter(|_| least < most) else {
            return;
        };
        for born in now.saturating_sub(most.into())..now.saturating_sub(least.into()) {
            let events: Vec<Event> = of.emitted(history, born).collect();
            for event in events {
                let row = self.row(of, &rule, event, born);
                self.rows.push(row);
            }
        }
        self.rows.sort_by_key(|r| (r.source, r.born));
    }
}
