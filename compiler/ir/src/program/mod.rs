//! `Program`: what engines run, whatever it came from (an ideal network, or a chip's decoded bytes).
//!
//! A program is a list of groups of units, projections between them, and probes. Engines know nothing else: no chip, no
//! neuron type. The meaning of step s (s = 0, 1, ...), for every sample of a batch on its own:
//!
//! 1. External events of step s become the emissions of their groups at step s.
//! 2. For each phase p in ascending order: every group of units with `phase == p` receives, at each port, all that is due:
//!    what was emitted at step s - d over a delay of d >= 1, and with d = 0 what external groups and groups of lower phases
//!    emitted in this step. Ports combine by their rule; ports with a handler run it once an event, in the order (source
//!    group, source index, step of origin, projection). Then the step block runs. What it emits is the group's emission
//!    at step s.
//! 3. Plastic projections learn: see [`crate::synapse`].
//! 4. Probes are read: emissions of step s, and states as they stand after step s.
//!
//! An event carries a payload; a projection delivers `payload * weight` (I32 wrapping, or F32 when the port is F32); a plastic
//! projection delivers `payload * deliver`.
//! A projection with [`Carry::Output`] delivers `output * weight` in every step.
//!
//! Under [`Discipline::Serial`] steps 1 and 2 are replaced by one event after another: see [`Serial`].

mod check;
mod generated;
mod groups;
mod plastic;
mod reference;
mod scales;
mod text;

pub use check::{MAX_DELAY, check};
pub use generated::{Generated, LONGEST_DRAWN, PlainRow, RowRule, Slice, SliceWeights, Store};
pub use groups::Groups;
pub use plastic::{Modulation, Plastic};
pub use reference::{Held, Learned, Reference, SerialSpike};
pub use scales::Scales;
pub use text::{parse, print};

use crate::model::Model;
use crate::synapse::Synapse;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The arithmetic a program computes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arithmetic {
    /// Single-precision floats: deterministic on the CPU engine, statistically equal on GPUs.
    F32,
    /// Integers with scales chosen by the compiler: equal bits on every engine.
    Fixed,
    /// A chip's own integers: equal bits on every engine.
    Integer,
}

/// Values of a parameter or an initial state for the units of a group, as 32-bit words of the declared type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// One for all.
    Uniform(u32),
    /// One each; its length is the group's size.
    PerUnit(Arc<[u32]>),
}

impl Column {
    /// The word of unit `i`.
    pub fn get(&self, i: usize) -> u32 {
        match self {
            Column::Uniform(w) => *w,
            Column::PerUnit(v) => v[i],
        }
    }

    /// From one word a unit; uniform if all are equal.
    pub fn from_words(words: Vec<u32>) -> Self {
        match words.first() {
            Some(&w) if words.iter().all(|&x| x == w) => Column::Uniform(w),
            Some(_) => Column::PerUnit(words.into()),
            None => Column::Uniform(0),
        }
    }
}

/// What a group is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupKind {
    /// Emits what the caller injects; has no state.
    External,
    /// Units of one model.
    Units {
        /// Index into [`Program::models`].
        model: u32,
        /// One column for each parameter of the model.
        params: Vec<Column>,
        /// One column for each state of the model.
        init: Vec<Column>,
    },
}

/// Units of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Name, unique in the program.
    pub name: String,
    /// Number of units.
    pub size: u32,
    /// Position in the order of phases within a step; 0 for external groups.
    pub phase: u16,
    /// Number of the first unit among all units of the program: the element of random draws.
    pub base: u32,
    /// Do payloads of this group's events hold F32 bits (graded input) instead of I32?
    pub graded: bool,
    /// External or units.
    pub kind: GroupKind,
}

/// What a projection carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Carry {
    /// Events: the source's emissions.
    Events,
    /// An analog output of the source's model, in every step. External sources with F32 payloads may be carried as events.
    Output(u16),
}

/// Weights of synapses in the order of their layout. Integers widen to I32; `F32` only feeds F32 ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Weights {
    /// One for all, as the bits of the port's type.
    Uniform(u32),
    /// 8 bits.
    I8(Arc<[i8]>),
    /// 16 bits.
    I16(Arc<[i16]>),
    /// 32 bits.
    I32(Arc<[i32]>),
    /// Single precision.
    F32(Arc<[f32]>),
}

impl Weights {
    /// Bits (of the port's type) of the weight of synapse `i`.
    pub fn bits(&self, i: usize) -> u32 {
        match self {
            Weights::Uniform(w) => *w,
            Weights::I8(v) => v[i] as i32 as u32,
            Weights::I16(v) => v[i] as i32 as u32,
            Weights::I32(v) => v[i] as u32,
            Weights::F32(v) => v[i].to_bits(),
        }
    }

    /// The narrowest integer form that holds the values.
    pub fn from_i32(values: Vec<i32>) -> Self {
        match values.first() {
            Some(&w) if values.iter().all(|&x| x == w) => return Weights::Uniform(w as u32),
            _ => {}
        }
        let fits = |lo: i32, hi: i32| values.iter().all(|v| (lo..=hi).contains(v));
        if fits(i8::MIN as i32, i8::MAX as i32) {
            Weights::I8(values.iter().map(|&v| v as i8).collect())
        } else if fits(i16::MIN as i32, i16::MAX as i32) {
            Weights::I16(values.iter().map(|&v| v as i16).collect())
        } else {
            Weights::I32(values.into())
        }
    }

    /// Single precision, uniform if all are equal.
    pub fn from_f32(values: Vec<f32>) -> Self {
        match values.first() {
            Some(w) if values.iter().all(|x| x.to_bits() == w.to_bits()) => {
                Weights::Uniform(w.to_bits())
            }
            _ => Weights::F32(values.into()),
        }
    }

    /// Number of stored weights; `None` when one serves all.
    pub fn count(&self) -> Option<usize> {
        match self {
            Weights::Uniform(_) => None,
            Weights::I8(v) => Some(v.len()),
            Weights::I16(v) => Some(v.len()),
            Weights::I32(v) => Some(v.len()),
            Weights::F32(v) => Some(v.len()),
        }
    }
}

/// Synapses of one source that share a delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Steps.
    pub delay: u16,
    /// First synapse in `targets` and `weights`.
    pub start: u32,
    /// Number of synapses.
    pub len: u32,
}

/// Rows by (source, delay): for each source its runs, ascending in delay; within a run targets ascend, and equal targets are
/// several synapses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rows {
    /// Runs of source `i` are `runs[row[i]..row[i + 1]]`; length = number of sources + 1.
    pub row: Arc<[u32]>,
    /// All runs.
    pub runs: Arc<[Run]>,
    /// Target indices relative to the projection's target range.
    pub targets: Arc<[u32]>,
    /// Weights in the order of `targets`.
    pub weights: Weights,
}

/// How synapses are stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Layout {
    /// Sparse rows.
    Rows(Rows),
    /// Every source to every target; weights row-major `[source][target]`. A zero weight is still an event for handlers.
    Dense {
        /// Steps.
        delay: u16,
        /// `sources * targets` values.
        weights: Weights,
    },
    /// A rule that is expanded slice by slice; see [`Generated`].
    Generated(Arc<Generated>),
    /// Source `i` to target `i`.
    OneToOne {
        /// Steps.
        delay: u16,
        /// One value a source.
        weights: Weights,
    },
}

/// A contiguous range of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First.
    pub start: u32,
    /// How many.
    pub len: u32,
}

/// Connections from (a range of) one group to a port of (a range of) another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// Name, for reports.
    pub name: String,
    /// Source group.
    pub source: u32,
    /// Units of the source group; sources in the layout count from its start.
    pub source_range: Range,
    /// Target group (of units).
    pub target: u32,
    /// Units of the target group; targets in the layout count from its start.
    pub target_range: Range,
    /// Port of the target's model.
    pub port: u16,
    /// Events or an analog output.
    pub carry: Carry,
    /// The synapses.
    pub layout: Layout,
}

impl Projection {
    /// Number of synapses; of a generated layout the expected one.
    pub fn synapses(&self) -> u64 {
        match &self.layout {
            Layout::Rows(r) => r.targets.len() as u64,
            Layout::Dense { .. } => self.source_range.len as u64 * self.target_range.len as u64,
            Layout::OneToOne { .. } => self.source_range.len as u64,
            Layout::Generated(g) => g.synapses(),
        }
    }

    /// Smallest and largest delay in steps; `None` without synapses.
    pub fn delays(&self) -> Option<(u16, u16)> {
        match &self.layout {
            Layout::Rows(r) => {
                let d = || r.runs.iter().filter(|r| r.len > 0).map(|r| r.delay);
                Some((d().min()?, d().max()?))
            }
            Layout::Dense { delay, .. } | Layout::OneToOne { delay, .. } => Some((*delay, *delay)),
            Layout::Generated(g) => (g.synapses() > 0).then(|| g.delays()),
        }
    }
}

/// An event given to a program under [`Discipline::Serial`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SerialEvent {
    /// Row `pre` of the matrix is applied; enters the queue.
    Row {
        /// Row.
        pre: u32,
    },
    /// The handler of `port` runs with `value` on units `first..=last`.
    Direct {
        /// Port with a handler.
        port: u16,
        /// Value (bits).
        value: i32,
        /// First unit.
        first: u32,
        /// Last unit.
        last: u32,
        /// Does it pass through the queue (and hold a place there while it is processed)?
        queued: bool,
    },
    /// The step block runs on units `first..=last`, at once (not queued).
    Step {
        /// First unit.
        first: u32,
        /// Last unit.
        last: u32,
    },
}

/// A host that sends spikes back: a spike of `unit` in step s makes `Row { pre }` due in step s + `delay`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Loopback {
    /// The unit that fired.
    pub unit: u32,
    /// Steps, at least 1.
    pub delay: u16,
    /// The row that becomes due.
    pub pre: u32,
}

/// One event after another, as event-driven chips process them.
///
/// Within step s the events due are processed one by one, each until the queue is empty again (*drained*). A `Row` or a
/// queued `Direct` event is pushed into the queue and popped when it is at the head; while it is processed it still holds
/// its place. Processing `Row { pre }` runs the handler of the projection's port on every unit of its target range in
/// ascending order, with the dense matrix's weight (0 included). A unit whose handler or step block emits is recorded (see
/// `popped`) and, if `closed_loop`, `Row { pre: unit }` is pushed at the tail; a push into a full queue is lost and counted.
///
/// Nothing is combined at ports without a handler: they read 0.
///
/// Which events are due: with `sorted` false, the given ones in the given order. With `sorted` true, the given `Row`
/// events and those of `loopback`, in ascending order of `pre` (a row that is due twice is processed twice), then the other given
/// events in the given order. Then, in either case, `tail`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serial {
    /// The group of units.
    pub group: u32,
    /// The projection that holds the matrix: `Dense`, from an external group of addresses; its delay is ignored.
    pub matrix: u32,
    /// Places in the queue.
    pub capacity: u32,
    /// Do spikes apply their own rows?
    pub closed_loop: bool,
    /// Record the address of every popped `Row` event instead of the units that fire.
    pub popped: bool,
    /// Canonical order (see above).
    pub sorted: bool,
    /// Spikes that the host sends back later. Only with `sorted`.
    pub loopback: Vec<Loopback>,
    /// Events at the end of every step.
    pub tail: Vec<SerialEvent>,
}

/// How events reach units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Discipline {
    /// Step by step, phase by phase, as the module says. Ports with handlers are ordered, the others order-free.
    Stepped,
    /// Event by event.
    Serial(Serial),
}

/// What a probe reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Observable {
    /// Emissions.
    Events,
    /// A state, after the step.
    State(u16),
    /// A state of a plastic projection, after the step. The probe's group is the projection's target group, and its range counts the
    /// elements of the state's place.
    Synapse {
        /// Index into [`Program::projections`].
        projection: u32,
        /// State of the synapse model.
        state: u16,
    },
}

/// Something to record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// Name of the record, e.g. `exc.spikes` or `exc.v`.
    pub name: String,
    /// The group.
    pub group: u32,
    /// Its units.
    pub range: Range,
    /// What to read.
    pub what: Observable,
    /// Every so many steps (states only; from step `every - 1` on, so that `every` = 1 reads each step).
    pub every: u32,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Program {
    /// Name of the network or chip image it came from.
    pub name: String,
    /// Arithmetic.
    pub arithmetic: Arithmetic,
    /// Seconds a step, if steps have a duration.
    pub dt: Option<f64>,
    /// Key of all random numbers.
    pub seed: u64,
    /// How events reach units.
    pub discipline: Discipline,
    /// Models of the units.
    pub models: Vec<Model>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Projections.
    pub projections: Vec<Projection>,
    /// Models of plastic synapses.
    pub synapse_models: Vec<Synapse>,
    /// The plastic projections, ascending in `projection`.
    pub plastic: Vec<Plastic>,
    /// Probes.
    pub probes: Vec<Probe>,
}

impl Program {
    /// Index of a group by name.
    pub fn group(&self, name: &str) -> Option<u32> {
        self.groups
            .iter()
            .position(|g| g.name == name)
            .map(|i| i as u32)
    }

    /// The model of a group of units.
    pub fn model_of(&self, group: u32) -> Option<&Model> {
        match self.groups.get(group as usize)?.kind {
            GroupKind::Units { model, .. } => self.models.get(model as usize),
            GroupKind::External => None,
        }
    }

    /// Number of phases of a step.
    pub fn phases(&self) -> u16 {
        let last = self.groups.iter().map(|g| g.phase).max();
        last.unwrap_or(0).saturating_add(1)
    }

    /// Largest delay of any projection, modulation and loopback, in steps.
    pub fn max_delay(&self) -> u16 {
        let host = match &self.discipline {
            Discipline::Serial(s) => s.loopback.iter().map(|l| l.delay).max().unwrap_or(0),
            Discipline::Stepped => 0,
        };
        let modulations = self.plastic.iter().flat_map(|x| &x.modulators);
        let back = self.plastic.iter().map(|x| x.post_delay);
        self.projections
            .iter()
            .filter_map(|p| p.delays())
            .map(|d| d.1)
            .chain(modulations.map(|m| m.delay))
            .chain(back)
            .max()
            .unwrap_or(0)
            .max(host)
    }

    /// Number of synapses.
    pub fn synapses(&self) -> u64 {
        self.projections.iter().map(Projection::synapses).sum()
    }
}
