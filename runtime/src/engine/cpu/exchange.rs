//! Workers of one sample keep in step: a barrier, and boxes in which each leaves its emissions for the others.
//!
//! In: what a worker's tiles emitted since the last exchange. Out: the same in every other worker's history. Boxes are
//! double, so that one barrier an exchange is enough: a box is filled again only after everyone has passed the next one.

use super::plan::Plan;
use super::worker::Worker;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A reusable barrier that spins: steps are too short for sleep. A worker that unwinds breaks it, so that the others
/// unwind too instead of waiting for ever.
#[derive(Debug)]
pub(super) struct Gate {
    workers: usize,
    arrived: AtomicUsize,
    round: AtomicUsize,
    broken: AtomicBool,
}

/// Turns of the loop before a waiting worker lets others run on its core.
const SPIN: u32 = 2000;

impl Gate {
    pub fn new(workers: usize) -> Self {
        Gate {
            workers,
            arrived: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    fn wait(&self) {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.workers {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut turns = 0;
        while self.round.load(Ordering::Acquire) == round {
            assert!(
                !self.broken.load(Ordering::Relaxed),
                "another worker has stopped"
            );
            turns += 1;
            match turns < SPIN {
                true => std::hint::spin_loop(),
                false => std::thread::yield_now(),
            }
        }
    }
}

/// Breaks the gate when the worker that holds it unwinds.
pub(super) struct Guard<'a>(pub &'a Gate);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.broken.store(true, Ordering::Relaxed);
        }
    }
}

/// Emissions of one worker: parcels over flat storage.
#[derive(Debug, Default)]
struct Parcels {
    parcels: Vec<Parcel>,
    words: Vec<u32>,
}

#[derive(Debug)]
struct Parcel {
    tile: usize,
    step: u32,
    units: Range<usize>,
    payloads: Range<usize>,
    dense: Range<usize>,
    count: u64,
    analog: Vec<Range<usize>>,
}

/// The boxes of all workers of a sample.
#[derive(Debug)]
pub(super) struct Exchange {
    pub gate: Gate,
    boxes: Vec<[Mutex<Parcels>; 2]>,
}

fn open<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange {
    pub fn new(workers: usize) -> Self {
        Exchange {
            gate: Gate::new(workers),
            boxes: (0..workers).map(|_| Default::default()).collect(),
        }
    }

    /// Tells the others what the own tiles that `which` selects emitted in `steps`, and learns the same from them. All
    /// workers call it in the same places; `turn` counts the calls.
    pub fn swap(
        &self,
        plan: &Plan,
        worker: &mut Worker,
        steps: Range<u32>,
        which: impl Fn(usize) -> bool,
        turn: &mut usize,
    ) {
        let side = *turn % 2;
        *turn += 1;
        let mut own = open(&self.boxes[worker.me][side]);
        own.parcels.clear();
        own.words.clear();
        for step in steps {
            for u in worker
                .units
                .iter()
                .filter(|u| plan.exported[u.tile] && which(u.tile))
            {
                own.pack(worker, u.tile, step);
            }
        }
        drop(own);
        self.gate.wait();
        let me = worker.me;
        for other in (0..self.boxes.len()).filter(|&w| w != me) {
            let parcels = open(&self.boxes[other][side]);
            parcels.unpack(plan, worker);
        }
    }
}

impl Parcels {
    fn put(&mut self, words: &[u32]) -> Range<usize> {
        let first = self.words.len();
        self.words.extend_from_slice(words);
        first..self.words.len()
    }

    fn pack(&mut self, worker: &Worker, tile: usize, step: u32) {
        let history = &worker.history[tile];
        let list = history.list(step);
        let parcel = Parcel {
            tile,
            step,
            units: self.put(&list.units),
            payloads: self.put(&list.payloads),
            dense: self.put(&list.dense),
            count: list.count,
            analog: (0..history.columns())
                .map(|c| self.put(history.analog(c, step)))
                .collect(),
        };
        self.parcels.push(parcel);
    }

    fn unpack(&self, plan: &Plan, worker: &mut Worker) {
        for p in &self.parcels {
            let history = &mut worker.history[p.tile];
            let list = history.list_mut(p.step);
            list.clear();
            list.units.extend_from_slice(&self.words[p.units.clone()]);
            list.payloads
                .extend_from_slice(&self.words[p.payloads.clone()]);
            list.dense.extend_from_slice(&self.words[p.dense.clone()]);
            list.count = p.count;
            for (c, range) in p.analog.iter().enumerate() {
                let values = history.analog_mut(c, p.step);
                values.clear();
                values.extend_from_slice(&self.words[range.clone()]);
            }
            worker.announce(plan, p.tile, p.step);
        }
    }
}
