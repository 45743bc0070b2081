//! The engine's state read back between two steps, and written again.
//!
//! In: the blocks of each sample in `state`, `lists` and `ctl`. Out: [`SampleState`]s, and the same blocks filled from them.
//! Accumulators are empty between steps; everything else that changes in a run is here or with the host.

use super::buffers;
use super::device::Shared;
use super::lot::Lot;
use super::serial::Serial;
use super::stepped::Stepped;
use crate::engine::InputEvent;
use crate::engine::snapshot::{Emission, Reach, SampleState, Shown, Snapshot};
use synfire_ir::Diagnostic;
use synfire_ir::program::{GroupKind, Program};
use synfire_kernels::wgsl::Buffer;
use synfire_kernels::wgsl::image::Image;
use synfire_kernels::wgsl::shape::*;

/// What a sample's blocks are read against.
pub(super) struct Layout<'a> {
    pub p: &'a Program,
    pub image: &'a Image,
    pub reach: &'a Reach,
}

/// The words of one sample.
struct Blocks {
    state: Vec<u32>,
    lists: Vec<u32>,
    ctl: Vec<u32>,
}

impl Layout<'_> {
    /// A sample of a lot before step `now`; `external` are the events that the host keeps.
    pub fn save(
        &self,
        s: &Shared,
        lot: &Lot,
        slot: u32,
        now: u32,
        external: &[InputEvent],
    ) -> Result<SampleState, Diagnostic> {
        let blocks = self.read(s, lot, slot)?;
        let sample = lot.first + slot;
        let mut events: Vec<Emission> = external
            .iter()
            .filter(|e| e.sample == sample && self.reach.keeps(e.group, e.step, now))
            .map(|e| Emission {
                step: e.step,
                group: e.group,
                unit: e.unit,
                payload: e.payload,
            })
            .collect();
        self.listed(&blocks, now, &mut events);
        self.marked(&blocks, now, &mut events);
        events.sort_by_key(|e| (e.step, e.group, e.unit));
        let units = |g: u32| matches!(self.p.groups[g as usize].kind, GroupKind::Units { .. });
        // A group that is read both ways stands in its list and in its bitmaps.
        let mut before = None;
        events.retain(|e| {
            let again = before == Some((e.step, e.group, e.unit)) && units(e.group);
            before = Some((e.step, e.group, e.unit));
            !again
        });
        Ok(SampleState {
            states: self.states(&blocks.state),
            events,
            analog: self.shown(&blocks, now),
            learnt: super::learned::save(s, self.p, self.image, lot, slot)?,
            ..SampleState::default()
        })
    }

    fn read(&self, s: &Shared, lot: &Lot, slot: u32) -> Result<Blocks, Diagnostic> {
        let places = &self.image.places;
        let block = |n: u32| u64::from(slot) * u64::from(n);
        let (state, lists) = (places.state, places.list_words);
        let ctl_at = u64::from(self.image.ctl_head) + block(places.ctl);
        let mut words = buffers::read(
            s,
            &[
                (lot.buffer(Buffer::State), block(state), state.into()),
                (lot.buffer(Buffer::Lists), block(lists), lists.into()),
                (lot.buffer(Buffer::Ctl), ctl_at, places.ctl.into()),
            ],
        )?;
        let ctl = words.split_off((state + lists) as usize);
        let lists = words.split_off(state as usize);
        Ok(Blocks {
            state: words,
            lists,
            ctl,
        })
    }

    /// `[group][state][unit]` from a block of `state`.
    fn states(&self, words: &[u32]) -> Vec<Vec<Vec<u32>>> {
        let group = |g: usize| {
            let size = self.p.groups[g].size as usize;
            let states = self.p.model_of(g as u32).map_or(0, |m| m.states.len());
            let first = self.image.places.groups[g].state as usize;
            let column = |k: usize| words[first + k * size..first + (k + 1) * size].to_vec();
            (0..states).map(column).collect()
        };
        (0..self.p.groups.len()).map(group).collect()
    }

    /// The steps before `now` that a ring of so many slots still holds.
    fn steps(now: u32, slots: u32) -> std::ops::Range<u32> {
        now.saturating_sub(slots)..now
    }

    /// Emissions in the lists of the phases.
    fn listed(&self, b: &Blocks, now: u32, out: &mut Vec<Emission>) {
        let bases: Vec<u32> = self.p.groups.iter().map(|g| g.base).collect();
        for l in &self.image.places.lists {
            for step in Self::steps(now, l.slots) {
                let slot = step % l.slots;
                let n = b.ctl[(l.len_at + slot) as usize].min(l.capacity) as usize;
                let at = (l.at + 2 * l.capacity * slot) as usize;
                for e in b.lists[at..at + 2 * n].chunks_exact(2) {
                    let group = bases.partition_point(|&base| base <= e[0]).max(1) as u32 - 1;
                    if self.reach.keeps(group, step, now) {
                        out.push(Emission {
                            step,
                            group,
                            unit: e[0] - bases[group as usize],
                            payload: e[1],
                        });
                    }
                }
            }
        }
    }

    /// Emissions of the groups whose payloads ordered ports or rules of synapses read: of a unit without one it is 0.
    fn marked(&self, b: &Blocks, now: u32, out: &mut Vec<Emission>) {
        for (g, place) in self.image.places.groups.iter().enumerate() {
            let group = &self.p.groups[g];
            if place.bits.slots == 0 || group.kind == GroupKind::External {
                continue;
            }
            for step in Self::steps(now, place.bits.slots) {
                let slot = step % place.bits.slots;
                let aux = place.aux + slot * group.size;
                for unit in 0..group.size {
                    let payload = b.lists[(aux + unit) as usize];
                    if payload != 0 && self.reach.keeps(g as u32, step, now) {
                        out.push(Emission {
                            step,
                            group: g as u32,
                            unit,
                            payload,
                        });
                    }
                }
            }
        }
    }

    /// Values of analog outputs that are still to be read.
    fn shown(&self, b: &Blocks, now: u32) -> Vec<Shown> {
        let mut out = vec![];
        for (&(group, state), &longest) in &self.reach.analog {
            let size = self.p.groups[group as usize].size;
            let rings = self.rings(group, state);
            let Some(&(at, slots)) = rings.iter().max_by_key(|r| r.1).filter(|_| size > 0) else {
                continue;
            };
            for step in now.saturating_sub(longest.into())..now {
                let first = (at + step % slots * size) as usize;
                out.push(Shown {
                    step,
                    group,
                    state,
                    values: b.state[first..first + size as usize].to_vec(),
                });
            }
        }
        out.sort_by_key(|s| (s.step, s.group, s.state));
        out
    }

    /// The rings of the outputs that show a state: first word, slots.
    fn rings(&self, group: u32, state: u16) -> Vec<(u32, u32)> {
        let outputs = self.p.model_of(group).map_or(&[][..], |m| &m.outputs);
        let places = &self.image.places.groups[group as usize].outputs;
        let both = outputs.iter().zip(places);
        both.filter(|(o, r)| o.state == state && r.slots > 0)
            .map(|(_, r)| (r.at, r.slots))
            .collect()
    }

    /// Writes a sample of a lot, which is to run step `now` next.
    pub fn restore(&self, s: &Shared, lot: &Lot, slot: u32, now: u32, from: &SampleState) {
        let places = &self.image.places;
        let mut b = Blocks {
            state: vec![0; places.state as usize],
            lists: vec![0; places.list_words as usize],
            ctl: vec![0; places.ctl as usize],
        };
        for (place, states) in places.groups.iter().zip(&from.states) {
            let mut at = place.state as usize;
            for column in states {
                b.state[at..at + column.len()].copy_from_slice(column);
                at += column.len();
            }
        }
        self.refill(&mut b, now, from);
        if now > 0 {
            b.ctl[S_STEP as usize] = now - 1;
        }
        b.ctl[S_NEXT as usize] = now;
        let block = |n: u32| u64::from(slot) * u64::from(n);
        let ctl_at = u64::from(self.image.ctl_head) + block(places.ctl);
        buffers::write(s, lot.buffer(Buffer::State), block(places.state), &b.state);
        let lists = block(places.list_words);
        buffers::write(s, lot.buffer(Buffer::Lists), lists, &b.lists);
        buffers::write(s, lot.buffer(Buffer::Ctl), ctl_at, &b.ctl);
        super::learned::restore(s, self.image, lot, slot, &from.learnt);
    }

    /// Bitmaps of external groups that ordered ports read: a kernel fills them in the step of an event, with the event's place
    /// among all external events of that step.
    fn reingest(&self, b: &mut Blocks, now: u32, from: &SampleState) {
        let groups = &self.p.groups;
        let source = |e: &Emission| groups[e.group as usize].base + e.unit;
        let is_external = |e: &&Emission| groups[e.group as usize].kind == GroupKind::External;
        let mut events: Vec<&Emission> = from.events.iter().filter(is_external).collect();
        events.sort_by_key(|e| (e.step, source(e)));
        for of_step in events.chunk_by(|a, b| a.step == b.step) {
            for (number, e) in (0..).zip(of_step) {
                let place = &self.image.places.groups[e.group as usize];
                if now - e.step >= place.bits.slots {
                    continue;
                }
                let size = groups[e.group as usize].size;
                let slot = e.step % place.bits.slots;
                let word =
                    &mut b.lists[(place.bits.at + slot * size.div_ceil(32) + e.unit / 32) as usize];
                let bit = 1 << (e.unit % 32);
                if *word & bit == 0 {
                    *word |= bit;
                    b.lists[(place.aux + slot * size + e.unit) as usize] = number;
                }
            }
        }
    }

    /// Lists, bitmaps and rings of outputs.
    fn refill(&self, b: &mut Blocks, now: u32, from: &SampleState) {
        let places = &self.image.places;
        let units = |g: u32| matches!(self.p.groups[g as usize].kind, GroupKind::Units { .. });
        for e in from.events.iter().filter(|e| units(e.group)) {
            let (group, place) = (
                &self.p.groups[e.group as usize],
                &places.groups[e.group as usize],
            );
            let list = place.list.map(|k| &places.lists[k]);
            if let Some(l) = list.filter(|l| now - e.step < l.slots) {
                let slot = e.step % l.slots;
                let len = &mut b.ctl[(l.len_at + slot) as usize];
                let at = (l.at + 2 * (l.capacity * slot + *len)) as usize;
                *len += 1;
                b.lists[at] = group.base + e.unit;
                b.lists[at + 1] = e.payload;
            }
            if now - e.step < place.bits.slots {
                let slot = e.step % place.bits.slots;
                let bits = place.bits.at + slot * group.size.div_ceil(32);
                b.lists[(bits + e.unit / 32) as usize] |= 1 << (e.unit % 32);
                b.lists[(place.aux + slot * group.size + e.unit) as usize] = e.payload;
            }
        }
        self.reingest(b, now, from);
        for shown in &from.analog {
            let size = self.p.groups[shown.group as usize].size;
            for (at, slots) in self.rings(shown.group, shown.state) {
                if now - shown.step < slots {
                    let first = (at + shown.step % slots * size) as usize;
                    b.state[first..first + size as usize].copy_from_slice(&shown.values);
                }
            }
        }
    }
}

impl Stepped {
    /// See [`crate::engine::Engine::save`].
    pub fn save(&self) -> Result<Snapshot, Diagnostic> {
        let reach = Reach::of(&self.p);
        let layout = Layout {
            p: &self.p,
            image: &self.image,
            reach: &reach,
        };
        let mut samples = vec![];
        self.s.scoped("its state is saved", || {
            for lot in self.lots.iter().map(|r| &r.lot) {
                for slot in 0..lot.samples {
                    samples.push(layout.save(&self.s, lot, slot, self.now, &self.recent)?);
                }
            }
            Ok(())
        })?;
        Ok(Snapshot {
            now: self.now,
            counters: self.output.counters.clone(),
            loads: self.loads.clone(),
            samples,
        })
    }

    /// See [`crate::engine::Engine::restore`].
    pub fn restore(&mut self, from: &Snapshot) -> Result<(), Diagnostic> {
        let samples: u32 = self.lots.iter().map(|r| r.lot.samples).sum();
        from.check(&self.p, samples)?;
        let reach = Reach::of(&self.p);
        let layout = Layout {
            p: &self.p,
            image: &self.image,
            reach: &reach,
        };
        self.s.scoped("its state is restored", || {
            for lot in self.lots.iter().map(|r| &r.lot) {
                for slot in 0..lot.samples {
                    let sample = &from.samples[(lot.first + slot) as usize];
                    layout.restore(&self.s, lot, slot, from.now, sample);
                }
            }
            Ok(())
        })?;
        self.recent = external(&self.p, &from.samples);
        self.expect(&from.loads);
        self.output.counters = from.counters.clone();
        self.now = from.now;
        Ok(())
    }
}

/// Events of external groups that are still under way, as the host keeps them: sorted by step and sample.
fn external(p: &Program, samples: &[SampleState]) -> Vec<InputEvent> {
    let mut out = vec![];
    for (sample, state) in (0..).zip(samples) {
        for e in &state.events {
            if p.groups[e.group as usize].kind == GroupKind::External {
                out.push(InputEvent {
                    step: e.step,
                    sample,
                    group: e.group,
                    unit: e.unit,
                    payload: e.payload,
                });
            }
        }
    }
    out.sort_by_key(|e| (e.step, e.sample));
    out
}

impl Serial {
    /// See [`crate::engine::Engine::save`].
    pub fn save(&self) -> Result<Snapshot, Diagnostic> {
        let (state, acc) = (self.image.state, self.image.acc);
        let mut samples = vec![];
        self.s.scoped("its state is saved", || {
            for lot in self.lots.iter().map(|r| &r.lot) {
                for slot in 0..u64::from(lot.samples) {
                    let at = |n: u32| (slot * u64::from(n), u64::from(n));
                    let (a, n) = at(state);
                    let (b, m) = at(acc);
                    let parts = [
                        (lot.buffer(Buffer::State), a, n),
                        (lot.buffer(Buffer::Acc), b, m),
                    ];
                    let words = buffers::read(&self.s, &parts)?;
                    let (state, acc) = words.split_at(n as usize);
                    samples.push(SampleState {
                        states: self.states(state),
                        due: self.due(acc),
                        ..SampleState::default()
                    });
                }
            }
            Ok(())
        })?;
        Ok(Snapshot {
            now: self.now,
            counters: self.output.counters.clone(),
            loads: vec![1.0; self.p.groups.len()],
            samples,
        })
    }

    /// Where the counts of due rows begin in a sample's block of `acc`, their slots, and the rows of each.
    fn calendar(&self) -> (usize, u32, u32) {
        let word = |k: u32| self.image.tables[(self.image.record + k) as usize];
        (word(V_DUE) as usize, word(V_SLOTS), word(V_ROWS))
    }

    fn states(&self, words: &[u32]) -> Vec<Vec<Vec<u32>>> {
        let group = |g: usize| {
            let size = self.p.groups[g].size as usize;
            let states = self.p.model_of(g as u32).map_or(0, |m| m.states.len());
            let first = self.image.group_state[g] as usize;
            let column = |k: usize| words[first + k * size..first + (k + 1) * size].to_vec();
            (0..states).map(column).collect()
        };
        (0..self.p.groups.len()).map(group).collect()
    }

    fn due(&self, acc: &[u32]) -> Vec<(u32, u32)> {
        let (at, slots, rows) = self.calendar();
        let mut out = vec![];
        for step in self.now..self.now.saturating_add(slots) {
            let first = at + (step % slots * rows) as usize;
            for (row, &n) in (0..rows).zip(&acc[first..first + rows as usize]) {
                out.extend((0..n).map(|_| (step, row)));
            }
        }
        out
    }

    /// See [`crate::engine::Engine::restore`].
    pub fn restore(&mut self, from: &Snapshot) -> Result<(), Diagnostic> {
        let samples: u32 = self.lots.iter().map(|r| r.lot.samples).sum();
        from.check(&self.p, samples)?;
        let (at, slots, rows) = self.calendar();
        self.s.scoped("its state is restored", || {
            for lot in self.lots.iter().map(|r| &r.lot) {
                for slot in 0..lot.samples {
                    let sample = &from.samples[(lot.first + slot) as usize];
                    let mut state = vec![0; self.image.state as usize];
                    for (&first, columns) in self.image.group_state.iter().zip(&sample.states) {
                        let words = columns.concat();
                        state[first as usize..][..words.len()].copy_from_slice(&words);
                    }
                    let mut acc = vec![0; self.image.acc as usize];
                    for &(step, row) in &sample.due {
                        acc[at + (step % slots * rows + row) as usize] += 1;
                    }
                    let mut run = [0; N_WORDS as usize];
                    run[N_STEP as usize] = from.now;
                    let block = |n: u32| u64::from(slot) * u64::from(n);
                    let write = |b, n, words: &[u32]| {
                        buffers::write(&self.s, lot.buffer(b), block(n), words);
                    };
                    write(Buffer::State, self.image.state, &state);
                    write(Buffer::Acc, self.image.acc, &acc);
                    write(Buffer::Runs, N_WORDS, &run);
                }
            }
            Ok(())
        })?;
        self.output.counters = from.counters.clone();
        self.now = from.now;
        Ok(())
    }
}
