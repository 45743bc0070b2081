//! Programs under `Discipline::Serial`: a workgroup a sample, event after event.
//!
//! A dispatch makes a bounded number of rounds, so a step may take many of them. Each dispatch says in the arguments of the
//! next one whether anything is left; what is still unfinished when a submission ends is submitted again.

use super::blocks::Block;
use super::buffers::{self, BLOCK, Use};
use super::device::Shared;
use super::input;
use super::lot::{Lot, Ready, Sizes, enough_memory, samples_that_fit};
use super::output::{Chunk, Output};
use crate::engine::{Record, Stimulus};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use synfire_ir::Diagnostic;
use synfire_ir::diag::Progress;
use synfire_ir::program::{Program, Serial as Discipline, SerialEvent};
use synfire_kernels::wgsl::Buffer;
use synfire_kernels::wgsl::serial::{SerialImage, event_words, serial_kernel};
use synfire_kernels::wgsl::shape::*;

/// What left the chip: (step, sample, address).
type Left = (u32, u32, u32);

/// Dispatches of one submission.
const DISPATCHES: u32 = 8;
/// Rounds of the first of them; each has twice those of the one before, as far as loops may be long.
const FIRST_ROUNDS: u32 = 32;
/// Entries of output for all samples of a lot together, and the least for one.
const ENTRIES: u64 = 1 << 18;
const LEAST_ENTRIES: u64 = 1 << 10;
/// Words of output that are read together with the counters; more take a second transfer.
const AT_ONCE: u64 = 1 << 13;

/// A serial program on a device.
pub(super) struct Serial {
    pub(super) p: Arc<Program>,
    pub(super) s: Arc<Shared>,
    pub(super) image: SerialImage,
    sorted: bool,
    /// Words of the events at the end of every step.
    tail: Vec<u32>,
    group: usize,
    kernel: Ready,
    pub(super) lots: Vec<Runner>,
    /// Entries of output of one sample.
    room: u64,
    pace: u32,
    pub now: u32,
    pub output: Output,
}

pub(super) struct Runner {
    pub lot: Lot,
    /// Arguments of even and odd dispatches.
    args: [wgpu::Buffer; 2],
    /// Bind groups of even and odd dispatches: each writes the arguments that the other kind reads.
    bound: Option<[wgpu::BindGroup; 2]>,
}

impl Serial {
    /// Lays the program out and fills the device's buffers.
    pub fn new(
        p: Arc<Program>,
        s: Arc<Shared>,
        d: &Discipline,
        (samples, memory): (u32, Option<u64>),
    ) -> Result<Self, Diagnostic> {
        let mut image = SerialImage::new(&p, d)?;
        let sample = |n: u32| Sizes {
            fixed: 0,
            sample: n.into(),
        };
        let mut output = Output::new(p.clone());
        let row = output.trace_words(&image.probes, 1);
        let most = samples_that_fit(
            &[
                ("the states", sample(image.state)),
                ("the queues", sample(image.acc)),
                (
                    "what is recorded",
                    Sizes {
                        fixed: 0,
                        sample: row + 2 * LEAST_ENTRIES,
                    },
                ),
            ],
            samples,
        )?;
        let room = (ENTRIES / u64::from(most)).max(LEAST_ENTRIES);
        let traces = output.place_traces(
            &mut image.tables,
            &image.probes,
            2 * room * u64::from(most),
            most,
        );
        let out = 2 * room * u64::from(most) + traces;
        let each = u64::from(image.state) + u64::from(image.acc) + 2 * u64::from(N_WORDS);
        let shared = (image.tables.len() + image.matrix.len()) as u64;
        let lots = u64::from(samples.div_ceil(most));
        let words = shared + each * u64::from(samples) + 2 * lots * out;
        enough_memory(&s, words, (&p.name, samples, memory))?;
        let Some(text) = serial_kernel(&p, d) else {
            return Err(
                Diagnostic::error("SYN0801", "a serial program without units")
                    .hint("the program is damaged"),
            );
        };
        s.clone().scoped("a program is set up", move || {
            let kernel = Ready::new(&s, &text)?;
            let lots = lots_of(&p, &s, &image, (samples, most), out);
            Ok(Serial {
                sorted: d.sorted,
                tail: d.tail.iter().flat_map(event_words).collect(),
                group: d.group as usize,
                output,
                p,
                s,
                image,
                kernel,
                lots,
                room,
                pace: 16,
                now: 0,
            })
        })
    }

    /// See [`crate::engine::Engine::advance`].
    pub fn advance(
        &mut self,
        steps: u32,
        given: &Stimulus,
        record: &mut Record,
        progress: &dyn Progress,
    ) -> Result<u32, Diagnostic> {
        let samples: u32 = self.lots.iter().map(|r| r.lot.samples).sum();
        input::check_serial(&self.p, given, samples, self.now)?;
        let (start, end) = (self.now, self.now.saturating_add(steps));
        while self.now < end && !progress.cancelled() {
            let n = self.pace.min(self.output.steps).min(end - self.now);
            let n = self.fitting(&given.serial, n)?;
            let to = self.now + n;
            let begun = Instant::now();
            let mut chunks = vec![];
            let mut left = vec![];
            for k in 0..self.lots.len() {
                let lot = &self.lots[k].lot;
                let words = self.words(lot, &given.serial, to);
                let s = self.s.clone();
                let (chunk, out) = s.scoped("steps run", || self.run(k, to, &words))?;
                chunks.push(chunk);
                left.extend(out);
            }
            left.sort_by_key(|e| (e.0, e.1));
            record.serial.extend(left);
            self.output.chunk(chunks, (self.now, to), &[], record);
            self.now = to;
            self.pace = super::pace(n, begun.elapsed());
            progress.report("steps", u64::from(self.now - start), u64::from(end - start));
        }
        Ok(self.now - start)
    }

    /// The words of `ext` for the steps up to `to` of a lot.
    fn words(&self, lot: &Lot, events: &[(u32, u32, SerialEvent)], to: u32) -> Vec<u32> {
        let steps = to - self.now;
        let of_lot = |e: &&(u32, u32, SerialEvent)| {
            (self.now..to).contains(&e.0) && (lot.first..lot.first + lot.samples).contains(&e.1)
        };
        let rest = |e: &SerialEvent| !self.sorted || !matches!(e, SerialEvent::Row { .. });
        let mut list: Vec<(u32, u32, bool, SerialEvent)> = events
            .iter()
            .filter(of_lot)
            .map(|e| (e.1 - lot.first, e.0, rest(&e.2), e.2))
            .collect();
        list.sort_by_key(|e| (e.0, e.1, e.2));
        let entries = E_PTR + lot.samples * (2 * steps + 1);
        let mut out = vec![self.now, steps, entries];
        let mut words: Vec<u32> = vec![];
        let mut list = list.into_iter().peekable();
        for sample in 0..lot.samples {
            for step in self.now..to {
                for rest in [false, true] {
                    out.push(words.len() as u32 / Y_WORDS);
                    let now = (sample, step, rest);
                    while let Some(e) = list.next_if(|e| (e.0, e.1, e.2) == now) {
                        words.extend(event_words(&e.3));
                    }
                }
                words.extend(&self.tail);
            }
            out.push(words.len() as u32 / Y_WORDS);
        }
        out.extend(words);
        out
    }

    /// How many of `steps` steps one submission can carry with their events.
    ///
    /// Errors: `SYN0821` when not even one.
    fn fitting(&self, events: &[(u32, u32, SerialEvent)], steps: u32) -> Result<u32, Diagnostic> {
        let samples = self
            .lots
            .iter()
            .map(|r| u64::from(r.lot.samples))
            .max()
            .unwrap_or(1);
        let from = events.partition_point(|e| e.0 < self.now);
        let needs = |n: u32| {
            let end = self.now.saturating_add(n);
            let given = events[from..].partition_point(|e| e.0 < end) as u64;
            let tails = samples * u64::from(n) * self.tail.len() as u64;
            u64::from(E_PTR) + samples * (2 * u64::from(n) + 1) + tails + u64::from(Y_WORDS) * given
        };
        let mut n = steps;
        while n > 1 && needs(n) > MAX_BINDING / 4 {
            n /= 2;
        }
        input::fits_a_binding(needs(n), self.now).map(|()| n)
    }

    /// Runs a lot up to step `to`; gives its rows of probes and its output as (step, sample, address).
    fn run(&mut self, k: usize, to: u32, ext: &[u32]) -> Result<(Chunk, Vec<Left>), Diagnostic> {
        if self.lots[k].lot.give(&self.s, ext) {
            self.lots[k].bound = None;
        }
        self.bind(k);
        let lot = &self.lots[k].lot;
        let mut chunk = Chunk::new(lot.samples, &self.p);
        let mut left = vec![];
        let at = u64::from(self.image.record + V_UNTIL);
        buffers::write(
            &self.s,
            lot.buffer(Buffer::Tables),
            at,
            &[to, self.room as u32],
        );
        while !self.submit(k, to, &mut left)? {}
        let lot = &self.lots[k].lot;
        let out = lot.buffer(Buffer::Out);
        let rows = self
            .output
            .rows(&self.image.tables, &self.image.probes, (self.now, to));
        let parts: Vec<_> = rows.iter().map(|&(at, n)| (out, at, n)).collect();
        let words = buffers::read(&self.s, &parts)?;
        chunk.rows(
            &self.p,
            (&self.image.tables, &self.image.probes),
            &words,
            (self.now, to),
            to,
        );
        Ok((chunk, left))
    }

    fn bind(&mut self, k: usize) {
        let runner = &mut self.lots[k];
        if runner.bound.is_none() {
            let all = &mut runner.lot.buffers;
            let args = &runner.args;
            runner.bound = Some([1, 0].map(|other: usize| {
                all.insert(Buffer::Args, args[other].clone());
                self.kernel.bind(&self.s, all)
            }));
        }
    }

    /// One submission for a lot; true when all its samples have reached step `to`.
    fn submit(
        &mut self,
        k: usize,
        to: u32,
        left: &mut Vec<(u32, u32, u32)>,
    ) -> Result<bool, Diagnostic> {
        let runner = &self.lots[k];
        let Some(bound) = &runner.bound else {
            return Ok(true);
        };
        let lot = &runner.lot;
        let args = [0, lot.samples, 1, 0].repeat(DISPATCHES as usize + 1);
        runner
            .args
            .iter()
            .for_each(|b| buffers::write(&self.s, b, 0, &args));
        let mut encoder = self.s.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.kernel.pipeline.pipeline);
            for n in 0..DISPATCHES {
                let odd = n as usize % 2;
                pass.set_bind_group(0, &bound[odd], &[n * BLOCK as u32]);
                match n {
                    0 => pass.dispatch_workgroups(1, lot.samples, 1),
                    _ => pass.dispatch_workgroups_indirect(&runner.args[odd], u64::from(n) * 16),
                }
            }
        }
        let n = u64::from(lot.samples);
        let (runs, out) = (lot.buffer(Buffer::Runs), lot.buffer(Buffer::Out));
        let states = n * u64::from(N_WORDS);
        let first = (AT_ONCE / n).clamp(16, 2 * self.room) & !1;
        let mut parts = vec![(runs, 0, states)];
        parts.extend((0..n).map(|k| (out, 2 * k * self.room, first)));
        buffers::copy(&mut encoder, &parts, &lot.readback);
        let submitted = self.s.queue.submit([encoder.finish()]);
        let total = states + n * first;
        let words = buffers::mapped(&self.s, submitted, &lot.readback, total, <[u32]>::to_vec)?;
        let (states, output) = words.split_at(states as usize);
        let mut done = true;
        for (k, (r, begun)) in states
            .chunks_exact(N_WORDS as usize)
            .zip(output.chunks_exact(first as usize))
            .enumerate()
        {
            let sample = lot.first + k as u32;
            if r[N_WORK as usize] > MOST_WORK {
                return Err(restless(r[N_STEP as usize], sample));
            }
            done &= r[N_STEP as usize] >= to;
            let all = 2 * u64::from(r[N_OUT as usize]);
            let mut take =
                |words: &[u32]| left.extend(words.chunks_exact(2).map(|w| (w[0], sample, w[1])));
            take(&begun[..all.min(first) as usize]);
            if all > first {
                let at = 2 * k as u64 * self.room + first;
                take(&buffers::read(&self.s, &[(out, at, all - first)])?);
            }
            self.output.counters.lost += u64::from(r[N_LOST as usize]);
            self.output.counters.synaptic_events += u64::from(r[N_WALKED as usize]);
            self.output.counters.spikes[self.group] += u64::from(r[N_FIRED as usize]);
        }
        Ok(done)
    }

    /// The words of `state` for each sample: a range of its block.
    pub fn state_words(&mut self, at: u32, words: u32) -> Result<Vec<u32>, Diagnostic> {
        let lots = self.lots.iter().map(|r| &r.lot);
        super::lot::state_words(&self.s, lots, self.image.state, (at, words))
    }

    /// Where a group's states lie in a sample's block.
    pub fn state_at(&self, group: u32) -> u32 {
        self.image.group_state[group as usize]
    }

    /// Dispatches of one submission, and steps that the next one would carry.
    pub fn pace(&self) -> (usize, u32) {
        (DISPATCHES as usize, self.pace.min(self.output.steps))
    }
}

/// What each dispatch of a submission is told.
fn blocks(s: &Shared, image: &SerialImage, first: u32) -> wgpu::Buffer {
    let mut words = vec![];
    for n in 0..DISPATCHES {
        let block = Block {
            stage: n,
            args: (n + 1) * 4,
            samples: first,
            budget: (FIRST_ROUNDS << n).min(image.budget),
            ..Block::default()
        };
        block.put(&mut words);
    }
    let uniform = buffers::make(s, "Dispatch", words.len() as u64, Use::Uniform);
    buffers::write(s, &uniform, 0, &words);
    uniform
}

fn lots_of(
    p: &Program,
    s: &Shared,
    image: &SerialImage,
    (samples, most): (u32, u32),
    out: u64,
) -> Vec<Runner> {
    let shared: BTreeMap<Buffer, wgpu::Buffer> = [
        (Buffer::Tables, buffers::filled(s, "Tables", &image.tables)),
        (
            Buffer::Ordered,
            buffers::filled(s, "Ordered", &image.matrix),
        ),
    ]
    .into();
    let initial = image.initial_state(p);
    let lots = (0..samples).step_by(most as usize).map(|first| {
        let n = most.min(samples - first);
        let sizes = [
            (Buffer::State, u64::from(n) * u64::from(image.state)),
            (Buffer::Acc, u64::from(n) * u64::from(image.acc)),
            (Buffer::Runs, u64::from(n) * u64::from(N_WORDS)),
            (Buffer::Out, out),
        ];
        let readback = u64::from(n) * (u64::from(N_WORDS) + AT_ONCE.max(16));
        let mut shared = shared.clone();
        shared.insert(Buffer::Dispatch, blocks(s, image, first));
        let lot = Lot::new(s, first, n, &shared, &sizes, readback.min(1 << 24));
        for k in 0..u64::from(n) {
            buffers::write(
                s,
                lot.buffer(Buffer::State),
                k * initial.len() as u64,
                &initial,
            );
        }
        let words = 4 * (u64::from(DISPATCHES) + 1);
        Runner {
            lot,
            args: [0, 1].map(|_| buffers::make(s, "Args", words, Use::Indirect)),
            bound: None,
        }
    });
    lots.collect()
}

fn restless(step: u32, sample: u32) -> Diagnostic {
    Diagnostic::error(
        "SYN0804",
        format!("one event of step {step} (sample {sample}) set off more than {MOST_WORK} rows without end"),
    )
    .at("serial program")
    .note("units whose spikes apply their own rows keep one another firing, as they would on the chip")
    .hint("open the loop, or choose weights, thresholds and leaks that let the activity die out")
}
