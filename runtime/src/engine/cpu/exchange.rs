//! Workers of one sample tell one another what they emitted.
//!
//! In: what a worker's tiles emitted in some steps, in the worker's next box. Out: the same in every other worker's
//! history. Boxes are numbered by turns, and a worker counts what it has sent; whoever needs a box waits for that count and
//! for nothing else, so that a worker may be ahead of another by as many turns as delays allow, and a slow step of one
//! is made up for by a fast one later. Measured on the microcircuit on two threads, a barrier a step took a fifth of the time.
//!
//! Invariant: a worker that sends turn `n` has taken all turns up to `n - lag - 1` of the others, who had then taken those up
//! to `n - 2 lag - 1`; so `2 lag + 1` boxes are never overwritten unread.

use super::plan::Plan;
use super::worker::Worker;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Turns of the loop before a waiting worker lets others run on its core: steps are too short for sleep.
const SPIN: u32 = 2000;

/// A count with cache lines of its own: whoever waits for it takes none from its writer.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count(AtomicUsize);

/// Has every waiting worker unwind when the one that holds it does.
pub(super) struct Guard<'a>(pub &'a Exchange);

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
    /// By worker: boxes that it has sent.
    sent: Vec<Count>,
    broken: AtomicBool,
    /// By worker, then by turn modulo their number.
    boxes: Vec<Vec<Mutex<Parcels>>>,
}

fn open<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Exchange {
    /// For workers that take a turn at the latest when they are `lag` turns further.
    pub fn new(workers: usize, lag: usize) -> Self {
        let boxes = |_| {
            (0..2 * lag.max(1) + 1)
                .map(|_| Default::default())
                .collect()
        };
        Exchange {
            sent: (0..workers).map(|_| Count::default()).collect(),
            broken: AtomicBool::new(false),
            boxes: (0..workers).map(boxes).collect(),
        }
    }

    /// The worker's next turn; between runs all workers have the same, and have taken all before.
    pub fn turn(&self, me: usize) -> usize {
        self.sent[me].0.load(Ordering::Relaxed)
    }

    /// Sends the others what the own tiles that `which` selects emitted in `steps`, as the worker's next turn.
    pub fn send(
        &self,
        plan: &Plan,
        worker: &Worker,
        steps: Range<u32>,
        which: impl Fn(usize) -> bool,
    ) {
        let (boxes, turn) = (&self.boxes[worker.me], self.turn(worker.me));
        let mut own = open(&boxes[turn % boxes.len()]);
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
        self.sent[worker.me].0.store(turn + 1, Ordering::Release);
    }

    /// Learns what all others sent in a turn, once they have.
    pub fn take(&self, plan: &Plan, worker: &mut Worker, turn: usize) {
        for (other, boxes) in self.boxes.iter().enumerate() {
            if other != worker.me {
                self.wait(other, turn);
                open(&boxes[turn % boxes.len()]).unpack(plan, worker);
            }
        }
    }

    fn wait(&self, other: usize, turn: usize) {
        let mut turns = 0;
        while self.sent[other].0.load(Ordering::Acquire) <= turn {
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
