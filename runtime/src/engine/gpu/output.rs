//! What comes back: recorded emissions to the canonical order, rows of probes joined over lots, counters.

use super::input::within;
use crate::engine::{Counters, InputEvent, Record, Spike, Trace};
use std::sync::Arc;
use synfire_ir::program::{Observable, Program};
use synfire_kernels::wgsl::shape::*;

/// What one lot gave back for some steps.
#[derive(Debug)]
pub(super) struct Chunk {
    samples: usize,
    /// (sample, step, unit of the program, payload), in no order.
    records: Vec<[u32; 4]>,
    /// For each probe the words of its rows, `samples * units` a row.
    rows: Vec<Vec<u32>>,
}

impl Chunk {
    pub fn new(samples: u32, p: &Program) -> Chunk {
        Chunk {
            samples: samples as usize,
            records: vec![],
            rows: vec![vec![]; p.probes.len()],
        }
    }

    /// Takes recorded emissions in.
    pub fn records(&mut self, words: &[u32]) {
        let each = words.chunks_exact(4).map(|w| [w[0], w[1], w[2], w[3]]);
        self.records.extend(each);
    }

    /// Takes rows of probes in, as far as their steps were done; their places are those of [`Output::rows`].
    pub fn rows(
        &mut self,
        p: &Program,
        (tables, probes): (&[u32], &[(usize, u32)]),
        mut words: &[u32],
        (from, to): (u32, u32),
        done: u32,
    ) {
        for &(k, record) in probes {
            let every = p.probes[k].every;
            let stride = tables[(record + P_ROW) as usize] as usize;
            let (sent, rest) = words.split_at(due(every, from, to) as usize * stride);
            words = rest;
            let units = p.probes[k].range.len as usize;
            let valid = due(every, from, done) as usize;
            for row in sent.chunks_exact(stride.max(1)).take(valid) {
                self.rows[k].extend_from_slice(&row[..self.samples * units]);
            }
        }
    }
}

/// What went to and from the device.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    pub submissions: u64,
    pub steps: u64,
    /// Dispatches of these steps.
    pub dispatches: u64,
    /// Words read back.
    pub words: u64,
}

impl Traffic {
    /// A submission of `steps` steps that gives `words` words back; without steps, a further transfer of the one before.
    pub fn add(&mut self, steps: u32, words: u64) {
        self.submissions += u64::from(steps > 0);
        self.steps += u64::from(steps);
        self.words += words;
    }
}

/// Steps in one submission at most.
const MOST_STEPS: u32 = 1000;
/// Words of probed states in one submission at most (32 MiB), unless one step has more.
const TRACE_WORDS: u64 = 1 << 23;

/// Number of steps in `from..to` after which a probe with that interval is read.
fn due(every: u32, from: u32, to: u32) -> u32 {
    to / every - from / every
}

/// Puts chunks into records.
pub(super) struct Output {
    p: Arc<Program>,
    /// Steps of one submission for which there is room.
    pub steps: u32,
    pub counters: Counters,
    /// First unit of each group in the program, ascending.
    bases: Vec<u32>,
}

impl Output {
    pub fn new(p: Arc<Program>) -> Output {
        Output {
            steps: MOST_STEPS,
            counters: Counters {
                spikes: vec![0; p.groups.len()],
                ..Default::default()
            },
            bases: p.groups.iter().map(|g| g.base).collect(),
            p,
        }
    }

    /// Words of one sample's rows of all probes in a submission of `steps` steps.
    pub fn trace_words(&self, probes: &[(usize, u32)], steps: u32) -> u64 {
        let each = probes.iter().map(|&(k, _)| {
            let probe = &self.p.probes[k];
            u64::from(probe.range.len) * u64::from(steps.div_ceil(probe.every))
        });
        each.sum()
    }

    /// Gives every probe its rows in `out` from word `at` on, for `samples` samples and as many steps as there is room for
    /// (which become [`Self::steps`]); returns their words.
    pub fn place_traces(
        &mut self,
        tables: &mut [u32],
        probes: &[(usize, u32)],
        mut at: u64,
        samples: u32,
    ) -> u64 {
        let n = u64::from(samples);
        let first = at;
        let limit = MAX_BINDING / 4 - at;
        let room = TRACE_WORDS.max(n * self.trace_words(probes, 1)).min(limit);
        let mut steps = MOST_STEPS;
        while steps > 1 && n * self.trace_words(probes, steps) > room {
            steps /= 2;
        }
        for &(k, record) in probes {
            let probe = &self.p.probes[k];
            let row = n * u64::from(probe.range.len);
            tables[(record + P_OUT) as usize] = at as u32;
            tables[(record + P_ROW) as usize] = row as u32;
            at += row * u64::from(steps.div_ceil(probe.every));
        }
        self.steps = steps;
        at - first
    }

    /// For each state probe the rows of the steps `from..to` in `out`: first word, words.
    pub fn rows(
        &self,
        tables: &[u32],
        probes: &[(usize, u32)],
        (from, to): (u32, u32),
    ) -> Vec<(u64, u64)> {
        let each = probes.iter().map(|&(k, record)| {
            let at = tables[(record + P_OUT) as usize];
            let row = tables[(record + P_ROW) as usize];
            let n = due(self.p.probes[k].every, from, to);
            (u64::from(at), u64::from(n) * u64::from(row))
        });
        each.collect()
    }

    /// Adds the counters of a submission, from the header of `ctl`.
    pub fn count(&mut self, ctl: &[u32]) {
        let wide = u64::from(ctl[C_SYN_HI as usize]) << 32 | u64::from(ctl[C_SYN_LO as usize]);
        self.counters.synaptic_events += wide;
        for (n, &c) in self
            .counters
            .spikes
            .iter_mut()
            .zip(&ctl[C_COUNTS as usize..])
        {
            *n += u64::from(c);
        }
    }

    /// Records what all lots gave back for the steps `from..to`, and the external events among what is probed.
    pub fn chunk(
        &mut self,
        chunks: Vec<Chunk>,
        (from, to): (u32, u32),
        events: &[InputEvent],
        record: &mut Record,
    ) {
        let p = self.p.clone();
        if record.traces.len() < p.probes.len() {
            record.traces.resize(p.probes.len(), Trace::default());
        }
        for e in within(events, (from, to)) {
            self.counters.spikes[e.group as usize] += 1;
            self.spike(record, e.group, [e.sample, e.step, e.unit, e.payload]);
        }
        for &[sample, step, source, payload] in chunks.iter().flat_map(|c| &c.records) {
            // Groups without units share their base with the next one: the last of them is the one that has units.
            let g = self
                .bases
                .partition_point(|&b| b <= source)
                .saturating_sub(1);
            let unit = source - self.bases[g];
            self.spike(record, g as u32, [sample, step, unit, payload]);
        }
        for (k, probe) in p.probes.iter().enumerate() {
            if probe.what == Observable::Events {
                continue;
            }
            let trace = &mut record.traces[k];
            let last = (from / probe.every + 1..=to / probe.every).map(|n| n * probe.every - 1);
            for (row, step) in last.enumerate() {
                trace.steps.push(step);
                for c in &chunks {
                    let n = c.samples * probe.range.len as usize;
                    trace
                        .values
                        .extend_from_slice(&c.rows[k][row * n..(row + 1) * n]);
                }
            }
        }
    }

    fn spike(&self, record: &mut Record, group: u32, [sample, step, unit, payload]: [u32; 4]) {
        for (k, probe) in (0..).zip(&self.p.probes) {
            let inside = unit >= probe.range.start && unit - probe.range.start < probe.range.len;
            if probe.group == group && probe.what == Observable::Events && inside {
                record.spikes.push(Spike {
                    sample,
                    step,
                    probe: k,
                    unit,
                    payload,
                });
            }
        }
    }

    /// Sorts what was recorded from spike `mark` on. External events of one unit and step keep their order.
    pub fn sort(&self, record: &mut Record, mark: usize) {
        record.spikes[mark..].sort_by_key(|s| (s.step, s.sample, s.probe, s.unit));
    }
}
