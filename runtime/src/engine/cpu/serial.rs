//! Serial programs: one event after another through a queue, each over all its units at once.
//!
//! In: the given events of a step. Out: states, and what left the chip in order. Invariant: units are independent within
//! one event, so that a block of lanes gives what one unit after another would; emissions enter the queue in ascending
//! order of units.

use super::pieces::slice;
use super::plan::{Code, code};
use super::record::Seen;
use super::spikes::List;
use super::units::{Core, Keep, Memory, Ports, Ready};
use crate::engine::{Counters, due};
use std::collections::{BTreeMap, VecDeque};
use synfire_ir::diag::{Diagnostic, Diagnostics};
use synfire_ir::program::{
    Column, Discipline, Group, GroupKind, Layout, Program, Projection, Serial, SerialEvent, Weights,
};
use synfire_kernels::cpu::deliver::weigh;
use synfire_kernels::cpu::{Aligned, Isa, Kernel, Noise, Words};

/// Most work of one event and all that follows from it, after which a closed loop counts as one that never comes to rest:
/// a few seconds.
const REST: u64 = 1 << 30;

/// Work of an event beside its unit updates.
const EVENT: u64 = 64;

/// What all samples share.
#[derive(Debug)]
pub(super) struct Chip {
    pub serial: Serial,
    code: Code,
    /// Handler of the matrix's port, as an index into the code's handlers.
    row: usize,
    matrix: Projection,
    weights: Weights,
    float: bool,
    /// Loopbacks by unit.
    back: BTreeMap<u32, Vec<(u16, u32)>>,
}

impl Chip {
    /// The chip of a checked serial program.
    pub fn new(p: &Program) -> Option<Self> {
        let Discipline::Serial(serial) = &p.discipline else {
            return None;
        };
        let code = code(p, serial.group as usize)?;
        let matrix = p.projections.get(serial.matrix as usize)?;
        let Layout::Dense { weights, .. } = &matrix.layout else {
            return None;
        };
        let mut back: BTreeMap<u32, Vec<(u16, u32)>> = BTreeMap::new();
        for l in &serial.loopback {
            back.entry(l.unit).or_default().push((l.delay, l.pre));
        }
        let port = &p.model_of(serial.group)?.ports[matrix.port as usize];
        Some(Chip {
            row: code.handlers.iter().position(|h| h.0 == matrix.port)?,
            code,
            weights: weights.clone(),
            matrix: matrix.clone(),
            float: port.ty == synfire_ir::model::Ty::F32,
            serial: serial.clone(),
            back,
        })
    }
}

/// One sample.
#[derive(Debug)]
pub(super) struct Queue {
    sample: u32,
    /// `[group][state][unit]`; only those of the serial group change.
    pub state: Vec<Vec<Aligned>>,
    /// Rows that the host sends back, by step.
    pub due: BTreeMap<u32, Vec<u32>>,
    queue: VecDeque<SerialEvent>,
    /// Those of the step, while it is begun.
    events: Vec<SerialEvent>,
    core: Core,
    /// Scalars of each handler, then of the step block.
    scalars: Vec<Vec<u32>>,
    args: Vec<u32>,
    fired: List,
    /// See [`REST`].
    pub rest: u64,
    pub out: Vec<(u32, u32, u32)>,
    pub seen: Seen,
    pub counters: Counters,
}

impl Queue {
    pub fn new(p: &Program, chip: &Chip, isa: Isa, lanes: usize, sample: u32) -> Self {
        let columns = |g: &Group| -> Vec<Aligned> {
            let column = |c: &Column| {
                let words: Vec<u32> = (0..g.size as usize).map(|i| c.get(i)).collect();
                Aligned::from(&words[..])
            };
            match &g.kind {
                GroupKind::Units { init, .. } => init.iter().map(column).collect(),
                GroupKind::External => vec![],
            }
        };
        let mut core = Core::new(isa, lanes);
        core.noise = Noise {
            seed: p.seed,
            sample,
            step: 0,
            base: p.groups[chip.serial.group as usize].base,
        };
        Queue {
            sample,
            state: p.groups.iter().map(columns).collect(),
            due: BTreeMap::new(),
            queue: VecDeque::new(),
            events: vec![],
            core,
            scalars: vec![],
            args: vec![],
            fired: List::default(),
            rest: REST,
            out: vec![],
            seen: Seen::new(p),
            counters: Counters {
                spikes: vec![0; p.groups.len()],
                ..Counters::default()
            },
        }
    }

    /// One step with the given events.
    pub fn step(
        &mut self,
        p: &Program,
        chip: &Chip,
        step: u32,
        given: &[(u32, SerialEvent)],
    ) -> Result<(), Diagnostics> {
        self.core.noise.step = step;
        let kernels = chip.code.handlers.iter().map(|h| &h.1);
        self.scalars.resize(chip.code.handlers.len() + 1, vec![]);
        for (k, to) in kernels.chain([&chip.code.step]).zip(&mut self.scalars) {
            k.scalars(step, to);
        }
        let rows = self.due.remove(&step).unwrap_or_default();
        let mut events = std::mem::take(&mut self.events);
        due(&chip.serial, rows, given, &mut events);
        for e in events.drain(..) {
            self.drain(chip, step, e)?;
        }
        self.events = events;
        for (k, probe) in (0..).zip(&p.probes) {
            let state = &self.state[probe.group as usize];
            if !state.is_empty() {
                self.seen.states(k, probe, step, 0, state);
            }
        }
        Ok(())
    }

    /// Processes an event, and what it sets off, until the queue is empty.
    fn drain(&mut self, chip: &Chip, step: u32, event: SerialEvent) -> Result<(), Diagnostics> {
        self.queue.clear();
        let mut work = 0;
        match event {
            SerialEvent::Row { .. } | SerialEvent::Direct { queued: true, .. } => {
                self.queue.push_back(event)
            }
            _ => self.process(chip, step, event, &mut work),
        }
        while let Some(&head) = self.queue.front() {
            self.process(chip, step, head, &mut work);
            self.queue.pop_front();
            work += EVENT;
            if work > self.rest {
                return Err(restless(step, self.sample, work));
            }
        }
        Ok(())
    }

    fn process(&mut self, chip: &Chip, step: u32, event: SerialEvent, work: &mut u64) {
        match event {
            SerialEvent::Row { pre } => {
                if chip.serial.popped {
                    self.out.push((step, self.sample, pre));
                }
                let range = chip.matrix.target_range;
                let n = range.len as usize;
                let first = pre as usize * n;
                self.args.resize(n, 0);
                let one = if chip.float { 1.0f32.to_bits() } else { 1 };
                let row = slice(&chip.weights, first..first + n);
                weigh(self.core.isa, chip.float, &mut self.args, row, one);
                let args = std::mem::take(&mut self.args);
                let units = (range.start, range.start + range.len);
                self.visit(chip, step, chip.row, units, Words::Many(&args));
                self.args = args;
                self.counters.synaptic_events += n as u64;
                *work += n as u64;
            }
            SerialEvent::Direct {
                port,
                value,
                first,
                last,
                ..
            } => {
                let at = chip.code.handlers.iter().position(|h| h.0 == port);
                if let Some(k) = at {
                    let value = Words::One(value as u32);
                    self.visit(chip, step, k, (first, last + 1), value);
                }
                *work += (last - first) as u64 + 1;
            }
            SerialEvent::Step { first, last } => {
                let k = chip.code.handlers.len();
                self.visit(chip, step, k, (first, last + 1), Words::One(0));
                *work += (last - first) as u64 + 1;
            }
        }
    }

    /// Runs handler `k`, or the step block, on units `first..end`, and sends what they emit on its ways.
    fn visit(
        &mut self,
        chip: &Chip,
        step: u32,
        k: usize,
        (first, end): (u32, u32),
        args: Words<'_>,
    ) {
        let kernel: &Kernel = match chip.code.handlers.get(k) {
            Some((_, handler)) => handler,
            None => &chip.code.step,
        };
        let ready = Ready {
            kernel,
            scalars: &self.scalars[k],
        };
        let mut mem = Memory {
            params: &chip.code.params,
            state: &mut self.state[chip.serial.group as usize],
            ports: Ports::NONE,
            start: 0,
        };
        let range = first as usize..end as usize;
        let fired = (&mut self.fired, Keep::LIST);
        self.core.run(ready, &mut mem, range, args, fired);
        let s = &chip.serial;
        for unit in self.fired.units.drain(..) {
            self.counters.spikes[s.group as usize] += 1;
            if !s.popped {
                self.out.push((step, self.sample, unit));
            }
            for &(delay, pre) in chip.back.get(&unit).into_iter().flatten() {
                let due = step.saturating_add(delay as u32);
                self.due.entry(due).or_default().push(pre);
            }
            if s.closed_loop {
                if self.queue.len() < s.capacity as usize {
                    self.queue.push_back(SerialEvent::Row { pre: unit });
                } else {
                    self.counters.lost += 1;
                }
            }
        }
        self.fired.clear();
    }
}

fn restless(step: u32, sample: u32, work: u64) -> Diagnostics {
    Diagnostic::error(
        "SYN0804",
        format!("one event of step {step} (sample {sample}) set off more than {work} unit updates without an end in sight"),
    )
    .at("serial program")
    .note("units whose spikes apply their own rows keep one another firing, as they would on the chip")
    .hint("open the loop, or choose weights, thresholds and leaks that let the activity die out")
    .into()
}
