//! Programs under `Discipline::Stepped`: many steps a submission, the same dispatches for each.
//!
//! A submission carries external events in, and counters, recorded emissions and probed states out. A step does not begin
//! when what it may record might not fit; the host then reads what there is and submits the rest.

use super::Fit;
use super::blocks::{Blocks, MOST_REPEATS};
use super::buffers::{self, Use};
use super::device::Shared;
use super::input;
use super::kernels::{Bound, Kernels, Now, Parts};
use super::lot::{Lot, Sizes, enough_memory, samples_that_fit};
use super::output::{Chunk, Output, Traffic};
use super::refusals::{beyond_scale, stuck, too_busy, too_often};
use crate::engine::{InputEvent, Record, Stimulus};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use synfire_ir::Diagnostic;
use synfire_ir::diag::Progress;
use synfire_ir::program::{Plastic, Program};
use synfire_kernels::wgsl::image::Image;
use synfire_kernels::wgsl::image::rows::words as synapse_words;
use synfire_kernels::wgsl::shape::*;
use synfire_kernels::wgsl::{Buffer, Form};

/// Recorded emissions for which there is room, unless one step needs more.
const RECORDS: u64 = 1 << 20;
/// Recorded emissions that are read together with the counters, beyond as many as there were of late; more take a second transfer.
const AT_ONCE: u64 = 64;

/// Workgroups along the samples of a batch that an update should have at least, so that all processors have work.
const SPREAD: u32 = 8;

/// A stepped program on a device.
pub(super) struct Stepped {
    pub(super) p: Arc<Program>,
    pub(super) s: Arc<Shared>,
    pub(super) image: Image,
    blocks: Blocks,
    kernels: Kernels,
    shards: Vec<Parts>,
    lessons: Vec<Parts>,
    /// Every state probe: number of the probe, and its record in the image's tables.
    probes: Vec<(usize, u32)>,
    pub(super) lots: Vec<Runner>,
    /// External events of the window before the next step.
    pub(super) recent: Vec<InputEvent>,
    /// What external groups have sent at most, as the scales were chosen.
    pub(super) loads: Vec<f64>,
    /// Most events of one external unit in one step that rows learn from, in the steps that are run.
    repeats: u32,
    /// Steps that the next submission should carry.
    pace: u32,
    /// Emissions that a step of a lot records, as of late.
    usual: f64,
    records: u64,
    pub now: u32,
    pub output: Output,
    pub(super) traffic: Traffic,
}

/// A lot with its bind groups.
pub(super) struct Runner {
    pub lot: Lot,
    bound: Option<Bound>,
    /// Is the number of steps submitted so far odd?
    odd: usize,
}

impl Stepped {
    /// Lays the program out and fills the device's buffers.
    pub fn new(
        p: Arc<Program>,
        s: Arc<Shared>,
        (samples, memory): (u32, Option<u64>),
        fit: Fit,
    ) -> Result<Self, Diagnostic> {
        // What the synapses alone need is known before any of them is laid out.
        enough_memory(&s, synapse_words(&p), (&p.name, samples, memory))?;
        let mut image = Image::new(&p, fit.parallel, fit.shard)?;
        let records = RECORDS.max(u64::from(image.recorded));
        let mut output = Output::new(p.clone());
        let head = u64::from(image.ctl_head);
        let sample = |n: u32| Sizes {
            fixed: 0,
            sample: n.into(),
        };
        let learned = image.learned_probes.iter().map(|&(k, at, _)| (k, at));
        let probes: Vec<(usize, u32)> = image.probes.iter().copied().chain(learned).collect();
        let recorded = output.trace_words(&probes, 1) + 4 * u64::from(image.recorded);
        let lessons = image.lessons.iter().map(|l| l.learned.len() as u32);
        let most_learned = lessons.clone().max().unwrap_or(0);
        let most = samples_that_fit(
            &[
                ("what synapses learn", sample(most_learned)),
                ("the states", sample(image.places.state)),
                ("the accumulators", sample(image.places.acc)),
                ("the emissions", sample(image.places.list_words)),
                (
                    "the counters",
                    Sizes {
                        fixed: head,
                        ..sample(image.places.ctl)
                    },
                ),
                (
                    "what is recorded",
                    Sizes {
                        fixed: 4 * records,
                        sample: recorded,
                    },
                ),
            ],
            samples,
        )?;
        let records = records.max(u64::from(image.recorded) * u64::from(most));
        let traces = output.place_traces(&mut image.tables, &probes, 4 * records, most);
        let out = 4 * records + traces;
        let lots = samples.div_ceil(most);
        let each = u64::from(image.places.state)
            + u64::from(image.places.acc)
            + u64::from(image.places.list_words)
            + u64::from(image.places.ctl)
            + lessons.map(u64::from).sum::<u64>();
        enough_memory(
            &s,
            image.shared_words() + each * u64::from(samples) + u64::from(lots) * (2 * out + head),
            (&p.name, samples, memory),
        )?;
        let loads = vec![1.0; p.groups.len()];

        s.clone().scoped("a program is set up", move || {
            Stepped::build(
                p,
                s,
                image,
                Plan {
                    fit,
                    samples,
                    most,
                    out,
                    records,
                    probes,
                },
                loads,
                output,
            )
        })
    }

    fn build(
        p: Arc<Program>,
        s: Arc<Shared>,
        image: Image,
        plan: Plan,
        loads: Vec<f64>,
        output: Output,
    ) -> Result<Stepped, Diagnostic> {
        let share = image.most_share.min(plan.most.div_ceil(SPREAD));
        let alone = match plan.most >= plan.fit.batch {
            true => image.alone_events,
            false => 0,
        };
        let blocks = Blocks::new(&p, &image, share, alone);
        let form = Form {
            parallel: plan.fit.parallel,
            begin_alone: image.begin_alone,
        };
        let kernels = Kernels::new(&p, &s, form, &blocks, share)?;
        let uniform = buffers::make(&s, "Dispatch", blocks.words.len() as u64, Use::Uniform);
        buffers::write(&s, &uniform, 0, &blocks.words);
        let shared: BTreeMap<Buffer, wgpu::Buffer> = [
            (Buffer::Dispatch, uniform),
            (Buffer::Tables, buffers::filled(&s, "Tables", &image.tables)),
            (
                Buffer::Gathered,
                buffers::filled(&s, "Gathered", &image.gathered),
            ),
            (
                Buffer::Ordered,
                buffers::filled(&s, "Ordered", &image.ordered),
            ),
        ]
        .into();
        let part = |b: Buffer, words: &[u32]| (b, buffers::filled(&s, &format!("{b:?}"), words));
        let shards = (image.shards.iter())
            .map(|x| {
                vec![
                    part(Buffer::Rows, &x.rows),
                    part(Buffer::Synapses, &x.synapses),
                ]
            })
            .collect();
        let lessons = (image.lessons.iter())
            .map(|x| {
                vec![
                    part(Buffer::Rows, &x.rows),
                    part(Buffer::Synapses, &x.synapses),
                    part(Buffer::Back, &x.back),
                ]
            })
            .collect();
        let initial = image.initial_state(&p);
        let lots = (0..plan.samples)
            .step_by(plan.most as usize)
            .map(|first| {
                let samples = plan.most.min(plan.samples - first);
                let mut lot = make_lot(&s, &image, &blocks, &plan, (first, samples), &shared);
                let state = lot.buffer(Buffer::State);
                for k in 0..u64::from(samples) {
                    buffers::write(&s, state, k * initial.len() as u64, &initial);
                }
                lot.learned = (image.lessons.iter())
                    .map(|l| super::learned::teach(&s, &l.learned, samples))
                    .collect();
                let args: Vec<u32> = [0, samples, 0, 0].repeat(blocks.args as usize / 4);
                buffers::write(&s, lot.buffer(Buffer::Args), 0, &args);
                Runner {
                    lot,
                    bound: None,
                    odd: 0,
                }
            })
            .collect();
        Ok(Stepped {
            records: plan.records,
            p,
            s,
            image,
            blocks,
            kernels,
            shards,
            lessons,
            probes: plan.probes,
            lots,
            recent: vec![],
            loads,
            repeats: 0,
            pace: 16,
            usual: 0.0,
            now: 0,
            output,
            traffic: Traffic::default(),
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
        input::check(&self.p, given, samples, self.now)?;
        let end = self.now.saturating_add(steps);
        let upto = given.events.partition_point(|e| e.step < end);
        let mut events = std::mem::take(&mut self.recent);
        events.extend(&given.events[..upto]);
        let (most, step) = input::busiest(&events);
        if most > self.image.most_events {
            return Err(too_busy(most, self.image.most_events, step));
        }
        self.repeats = match self.p.plastic.is_empty() {
            true => 0,
            false => input::repeats(&events, |g| self.hears(g)),
        };
        if self.repeats > MOST_REPEATS {
            return Err(too_often(self.repeats));
        }
        self.expect(&input::bounds(&self.p, &events));
        let start = self.now;
        let mark = record.spikes.len();
        let done = self.chunks(end, &events, record, progress);
        self.output.sort(record, mark);
        let keep = self.now.saturating_sub(self.image.places.window.into());
        events.retain(|e| (keep..self.now).contains(&e.step));
        self.recent = events;
        done.map(|()| self.now - start)
    }

    fn chunks(
        &mut self,
        end: u32,
        events: &[InputEvent],
        record: &mut Record,
        progress: &dyn Progress,
    ) -> Result<(), Diagnostic> {
        let start = self.now;
        while self.now < end && !progress.cancelled() {
            let wanted = self.pace.min(self.output.steps).min(end - self.now);
            let most = self.lots.iter().map(|r| r.lot.samples).max().unwrap_or(1);
            let n = input::fitting(events, most, self.image.places.window, self.now, wanted)?;
            let begun = Instant::now();
            let mut chunks = vec![];
            for k in 0..self.lots.len() {
                chunks.push(self.run(k, n, events)?);
            }
            self.output
                .chunk(chunks, (self.now, self.now + n), events, record);
            self.now += n;
            self.pace = super::pace(n, begun.elapsed());
            progress.report("steps", u64::from(self.now - start), u64::from(end - start));
        }
        Ok(())
    }

    /// Chooses the scales anew when external groups are to send more than ever before. They never send less again, so
    /// that a run does not depend on how it is cut.
    pub fn expect(&mut self, loads: &[f64]) {
        let external = self.image.scales.iter().any(|s| !s.external.is_empty());
        let most: Vec<f64> = (self.loads.iter().zip(loads))
            .map(|(a, b)| a.max(*b))
            .collect();
        if !external || most == self.loads {
            return;
        }
        let tables = self.lots[0].lot.buffer(Buffer::Tables);
        for scale in &self.image.scales {
            let words = scale.words(|g| most[g as usize]);
            buffers::write(&self.s, tables, scale.at.into(), &words);
        }
        self.loads = most;
    }

    /// Runs `n` steps of a lot.
    fn run(&mut self, k: usize, n: u32, events: &[InputEvent]) -> Result<Chunk, Diagnostic> {
        let (from, to) = (self.now, self.now + n);
        let window = from.saturating_sub(self.image.places.window.into());
        let lot = &self.lots[k].lot;
        let words = input::words(&self.p, events, (lot.first, lot.samples), (window, to));
        let s = self.s.clone();
        let mut chunk = Chunk::new(lot.samples, &self.p);
        s.scoped("steps run", || {
            if self.lots[k].lot.give(&self.s, &words) {
                self.lots[k].bound = None;
            }
            self.bind(k);
            let mut next = from;
            while next < to {
                let done = self.submit(k, (next, to), &mut chunk)?;
                if done <= next {
                    return Err(stuck(next));
                }
                next = done;
            }
            Ok(chunk)
        })
    }

    /// Does a projection that learns have this external group as its source?
    fn hears(&self, group: u32) -> bool {
        let source = |x: &Plastic| self.p.projections[x.projection as usize].source;
        self.p.plastic.iter().any(|x| source(x) == group)
    }

    fn bind(&mut self, k: usize) {
        let s = &self.s;
        let runner = &mut self.lots[k];
        if runner.bound.is_some() {
            return;
        }
        let bound = (self.kernels).bind(s, &mut runner.lot, &self.shards, &self.lessons);
        runner.bound = Some(bound);
    }

    /// Submits the steps `from..to` of a lot; gives the step up to which they were done.
    fn submit(
        &mut self,
        k: usize,
        (from, to): (u32, u32),
        chunk: &mut Chunk,
    ) -> Result<u32, Diagnostic> {
        let head = self.image.ctl_head as usize;
        let runner = &mut self.lots[k];
        let lot = &runner.lot;
        let mut words = vec![0; head];
        words[C_REC_CAP as usize] = self.records as u32;
        words[C_REC_NEED as usize] = self.image.recorded * lot.samples;
        words[C_UNTIL as usize] = to;
        words[C_FIRST as usize] = from;
        words[C_SAMPLE0 as usize] = lot.first;
        words[C_SAMPLES as usize] = lot.samples;
        buffers::write(&self.s, lot.buffer(Buffer::Ctl), 0, &words);
        let mut encoder = self.s.device.create_command_encoder(&Default::default());
        let Some(bound) = &runner.bound else {
            return Ok(from);
        };
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for step in from..to {
                let now = Now {
                    step,
                    odd: runner.odd,
                    repeats: self.repeats,
                };
                let calls = (self.kernels).step(&mut pass, bound, &self.blocks, lot, now);
                self.traffic.dispatches += calls;
                runner.odd ^= 1;
            }
        }
        let (ctl, out) = (lot.buffer(Buffer::Ctl), lot.buffer(Buffer::Out));
        // The header and the first sample's next step, then the first records, then this submission's rows of each probe.
        let usual = (1.25 * self.usual * f64::from(to - from)) as u64;
        let first = 4 * (usual + AT_ONCE).min(self.records);
        let mut parts = vec![(ctl, 0, head as u64 + 1), (out, 0, first)];
        let rows = self
            .output
            .rows(&self.image.tables, &self.probes, (from, to));
        parts.extend(rows.iter().map(|&(at, n)| (out, at, n)));
        let total = parts.iter().map(|p| p.2).sum();
        self.traffic.add(to - from, total);
        buffers::copy(&mut encoder, &parts, &lot.readback);
        let submitted = self.s.queue.submit([encoder.finish()]);
        let (len, done) = buffers::mapped(&self.s, submitted, &lot.readback, total, |w| {
            let (ctl, rest) = w.split_at(head + 1);
            let (records, rows) = rest.split_at(first as usize);
            let done = ctl[head];
            let len = u64::from(ctl[C_REC_LEN as usize]);
            self.output.count(ctl);
            chunk.records(&records[..(4 * len).min(first) as usize]);
            let probes = (&*self.image.tables, &*self.probes);
            chunk.rows(&self.p, probes, rows, (from, to), done);
            match ctl[C_OVER as usize] {
                0 => Ok((len, done)),
                _ => Err(beyond_scale((from, to))),
            }
        })??;
        self.usual = len as f64 / f64::from(done.max(from + 1) - from);
        if 4 * len > first {
            self.traffic.add(0, 4 * len - first);
            chunk.records(&buffers::read(&self.s, &[(out, first, 4 * len - first)])?);
        }
        Ok(done)
    }

    /// The words of `state` for each sample: a range of its block.
    pub fn state_words(&mut self, at: u32, words: u32) -> Result<Vec<u32>, Diagnostic> {
        let lots = self.lots.iter().map(|r| &r.lot);
        super::lot::state_words(&self.s, lots, self.image.places.state, (at, words))
    }

    /// Where a group's states lie in a sample's block.
    pub fn state_at(&self, group: u32) -> u32 {
        self.image.places.groups[group as usize].state
    }

    /// Bindings over which the synapses are split.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Dispatches of one step, and steps that the next submission would carry.
    pub fn pace(&self) -> (usize, u32) {
        (self.blocks.calls.len(), self.pace.min(self.output.steps))
    }
}

/// How large the lots are.
struct Plan {
    probes: Vec<(usize, u32)>,
    fit: Fit,
    samples: u32,
    most: u32,
    out: u64,
    records: u64,
}

fn make_lot(
    s: &Shared,
    image: &Image,
    blocks: &Blocks,
    plan: &Plan,
    (first, samples): (u32, u32),
    shared: &BTreeMap<Buffer, wgpu::Buffer>,
) -> Lot {
    let n = u64::from(samples);
    let sizes = [
        (Buffer::State, n * u64::from(image.places.state)),
        (Buffer::Acc, n * u64::from(image.places.acc)),
        (Buffer::Lists, n * u64::from(image.places.list_words)),
        (
            Buffer::Ctl,
            u64::from(image.ctl_head) + n * u64::from(image.places.ctl),
        ),
        (Buffer::Out, plan.out),
        (Buffer::Args, blocks.args),
    ];
    let readback = u64::from(image.ctl_head) + 1 + plan.out;
    Lot::new(s, first, samples, shared, &sizes, readback)
}
