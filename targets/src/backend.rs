//! What a chip's module does beyond its data: mapping to native images, native images to a program, and between native
//! events and what engines take and give.
//!
//! The path is one: `Mapping` -> the chip's `Config` -> `encode` -> bytes; bytes -> `decode` -> `Config` -> `Program`. The
//! emulator starts from the bytes. Everything here is a pure function.

use crate::benchmark::Benchmark;
use crate::board::Board;
use crate::layers::{Laid, Layers};
use std::collections::BTreeMap;
use synfire_ir::Diagnostics;
use synfire_ir::artifact::{BoundEvery, Section};
use synfire_ir::mapping::Mapping;
use synfire_ir::program::{Discipline, Program, SerialEvent};

/// A native event as engines take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeInput {
    /// An event of an external group of the program, so many steps after the step in which it is sent.
    Event {
        /// External group.
        group: u32,
        /// Unit.
        unit: u32,
        /// Payload bits.
        payload: u32,
        /// Steps.
        delay: u32,
    },
    /// An event of a serial program.
    Serial(SerialEvent),
}

/// What runs in place of the chip.
#[derive(Clone, Debug)]
pub struct Emulation {
    /// Lowered from the decoded configuration. Its probes record every native output as events.
    pub program: Program,
    /// For each probe of outputs: index of the probe, and the native word of each unit of its range (stepped programs).
    pub outputs: Vec<(u32, Vec<u64>)>,
    /// Places of [`NativeBindings::learning`], ascending, and where their weights stand.
    pub weights: Vec<(u64, WeightCell)>,
}

impl Emulation {
    /// Where the weight of a place stands; `None` when the program has no such place.
    pub fn weight(&self, place: u64) -> Option<WeightCell> {
        let at = self.weights.binary_search_by_key(&place, |w| w.0).ok()?;
        Some(self.weights[at].1)
    }
}

/// The native events that bind a mapping to its host.
#[derive(Clone, Debug, Default)]
pub struct NativeBindings {
    /// Word of each entry of [`Mapping::inputs`], in order.
    pub inputs: Vec<u64>,
    /// Word of each entry of [`Mapping::outputs`], in order.
    pub outputs: Vec<u64>,
    /// (out, in) words of each entry of [`Mapping::loopbacks`], in order.
    pub loopbacks: Vec<(u64, u64)>,
    /// Words sent at the end of every step.
    pub tail: Vec<u64>,
    /// For each entry of [`Mapping::learning`]: the chip's own number of the place of each of its synapses.
    pub learning: Vec<Vec<u64>>,
    /// For each entry of [`Mapping::learning`]: index into its values, and the word that carries one; several for a value that goes to several places.
    pub values: Vec<Vec<(u32, u64)>>,
    /// For each entry of [`Mapping::learning`]: what the host sends at intervals.
    pub every: Vec<Vec<BoundEvery>>,
}

/// Where a weight that learns stands while the chip is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightCell {
    /// Words of the program that hold it.
    pub words: Words,
    /// Which of them.
    pub index: u32,
    /// Its lowest bit.
    pub shift: u8,
    /// Its bits; 32: a signed word.
    pub bits: u8,
    /// The word is the weight divided by 2 to this.
    pub exponent: u8,
}

impl WeightCell {
    /// The weight that a word holds, in the chip's integers.
    pub fn weight(&self, word: u32) -> i64 {
        let word = match self.bits {
            32.. => i64::from(word as i32),
            bits => i64::from(word) >> self.shift.min(31) & ((1 << bits) - 1),
        };
        word << self.exponent.min(30)
    }
}

/// Words of a running program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Words {
    /// A state of all units of a group.
    Units {
        /// Group.
        group: u32,
        /// State.
        state: u16,
    },
    /// A state of the synapses of a plastic projection.
    Synapses {
        /// Projection.
        projection: u32,
        /// State.
        state: u16,
    },
}

/// A mapping in the chip's own bytes.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Native images.
    pub sections: Vec<Section>,
    /// Native events.
    pub bindings: NativeBindings,
}

/// What an engine saw, in the terms of a golden case's program.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// (step, unit, payload) of each `Events` probe, sorted.
    pub events: BTreeMap<u32, Vec<(u32, u32, u32)>>,
    /// (step, words of the probe's units) of each state probe.
    pub traces: BTreeMap<u32, Vec<(u32, Vec<u32>)>>,
    /// (step, address) in the order in which it left (serial programs).
    pub serial: Vec<(u32, u32)>,
    /// Final words of the states: `[group][state][unit]`.
    pub state: Vec<Vec<Vec<u32>>>,
}

/// A golden vector made ready to run: its native files are already compared.
pub struct GoldenCase {
    /// Its name.
    pub name: String,
    /// The program decoded from the native images.
    pub program: Program,
    /// (step, event) in order.
    pub input: Vec<(u32, NativeInput)>,
    /// Steps to run.
    pub steps: u32,
    /// Compares what ran with what the vector holds; the error names the first difference: where, expected, got.
    #[allow(clippy::type_complexity)]
    pub check: Box<dyn Fn(&Observed) -> Result<(), String> + Send + Sync>,
}

/// What becomes of the membrane after a spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// Set to a value.
    To(i64),
    /// The threshold is subtracted.
    Subtract,
}

/// What a unit does, in the chip's integers, as the generic passes found it.
#[derive(Clone, Debug, PartialEq)]
pub enum UnitDynamics {
    /// A neuron of the chip's `model.syn`: its fields, and its states' initial values, by the names there.
    Own {
        /// Which neuron.
        model: String,
        /// Field values.
        fields: Vec<(String, f64)>,
        /// Initial states.
        states: Vec<(String, i64)>,
    },
    /// Once a step `v := decay * v + arrivals + bias`, then a spike when `v >= threshold`.
    Integrate {
        /// What is left of the membrane after a step without input: 1 keeps all, 0 forgets all.
        decay: f64,
        /// Added in every step.
        bias: i64,
        /// Threshold.
        threshold: i64,
        /// Reset.
        reset: Reset,
        /// Membrane before step 0.
        initial: i64,
        /// Steps after a spike in which none can follow.
        refractory: u32,
    },
    /// Once a step `i := keep * i + arrivals`; the membrane of `then` integrates i (as it stands after that) in place of the arrivals.
    Current {
        /// What is left of the current after a step, 0 to 1.
        keep: f64,
        /// An [`UnitDynamics::Integrate`].
        then: Box<UnitDynamics>,
    },
}

/// How much of a resource is taken, and how much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Name; that of a limit of `chip.toml` where it is one.
    pub name: &'static str,
    /// Taken.
    pub used: u64,
    /// There is.
    pub available: u64,
}

/// A program in Python that stands between a run and the vendor's package. It reads a JSON object with the text of `section` from standard input and answers with one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridge {
    /// Text of the program.
    pub program: &'static str,
    /// The native section that it is given as text.
    pub section: &'static str,
}

/// A run that a board's own flow plays.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    /// Dialect of the images.
    pub dialect: &'a str,
    /// Native images.
    pub sections: &'a [&'a Section],
    /// (step, word) in the order in which a host sends them.
    pub events: &'a [(u32, u64)],
    /// Steps of the run.
    pub steps: u32,
    /// Seconds a step, where steps have a duration.
    pub dt: Option<f64>,
}

impl Flow<'_> {
    /// The native images as they are.
    pub fn images(&self) -> Vec<(String, Vec<u8>)> {
        let file = |s: &&Section| (s.name.clone(), s.bytes.clone());
        self.sections.iter().map(file).collect()
    }
}

/// Why a chip cannot compute a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The limit, by the name of a parameter or limit of `chip.toml`.
    pub limit: String,
    /// What the unit needs, with its unit.
    pub needed: String,
    /// What the chip has.
    pub available: String,
    /// What would make it fit.
    pub hint: String,
}

impl Refusal {
    /// From texts.
    pub fn new(limit: &str, needed: impl Into<String>, available: &str, hint: &str) -> Refusal {
        Refusal {
            limit: limit.into(),
            needed: needed.into(),
            available: available.into(),
            hint: hint.into(),
        }
    }

    /// Of a chip whose neurons have no synaptic current.
    pub fn no_current() -> Refusal {
        Refusal::new(
            "synaptic_current",
            "a synaptic current that decays over several steps",
            "arrivals that act on the membrane at once",
            "take a neuron without a synaptic time constant, or a chip whose neurons have a current",
        )
    }

    /// The value of a register with a range, or its refusal; `hint` says how to bring it there.
    ///
    /// Errors: a value out of range.
    pub fn within(
        register: &str,
        value: i64,
        (low, high): (i64, i64),
        hint: &str,
    ) -> Result<i64, Refusal> {
        if (low..=high).contains(&value) {
            return Ok(value);
        }
        let range = format!("{low}..={high}");
        Err(Refusal::new(register, value.to_string(), &range, hint))
    }

    /// A field of a population of the chip's own model, `default` where the network gives none.
    ///
    /// Errors: a value that is not whole, or out of range.
    pub fn field(
        fields: &[(String, f64)],
        name: &str,
        default: i64,
        (low, high): (i64, i64),
    ) -> Result<i64, Refusal> {
        let given = fields.iter().find(|f| f.0 == name);
        let value = given.map_or(default as f64, |f| f.1);
        if value.fract() == 0.0 && (low as f64..=high as f64).contains(&value) {
            return Ok(value as i64);
        }
        let (range, hint) = (
            format!("{low}..={high}"),
            "take a whole number in that range",
        );
        Err(Refusal::new(name, value.to_string(), &range, hint))
    }

    /// Of a chip whose neurons all start at 0.
    ///
    /// Errors: the first state that starts elsewhere.
    pub fn start(states: &[(String, i64)]) -> Result<(), Refusal> {
        match states.iter().find(|s| s.1 != 0) {
            None => Ok(()),
            Some((name, v)) => Err(Refusal::new(
                name,
                format!("a start at {v}"),
                "states that start at 0",
                "start it at 0",
            )),
        }
    }
}

/// The code of one chip.
pub trait Backend: Sync {
    /// Names of the registers of a neuron that [`Backend::neuron`] fills. On chips whose synapses share weights by axon class
    /// `weight0`, `weight1`, ... are among them; the mapper fills those.
    fn fields(&self) -> &[&str];

    /// Register values (in the order of [`Backend::fields`]) of a unit that runs `shift` steps late: in the `shift` steps before its
    /// first one, without input, it must neither spike nor leave its initial state (but for what [`Backend::head_start`] admits). `arrivals` are the least (<= 0) and the
    /// greatest (>= 0) sum of weights that can reach it within one step.
    fn neuron(
        &self,
        dialect: &str,
        unit: &UnitDynamics,
        arrivals: (i64, i64),
        shift: u32,
    ) -> Result<Vec<i64>, Refusal>;

    /// By what factor arrivals must be multiplied so that one moves the membrane of the chip as far as one of weight 1 moves that of the unit. The unit's values
    /// are not scaled yet.
    fn gain(&self, _dialect: &str, _unit: &UnitDynamics) -> f64 {
        1.0
    }

    /// By what further factor a constant arrival in every step must be multiplied where the chip adds it to the membrane as a bias: what passes through a decaying current adds up to more.
    fn constant_gain(&self, _dialect: &str, _unit: &UnitDynamics) -> f64 {
        1.0
    }

    /// In what the chip's neuron differs from the unit although it takes its place, in sentences.
    fn differences(&self, _dialect: &str, _unit: &UnitDynamics) -> Vec<String> {
        vec![]
    }

    /// Where the membrane of a unit that runs `shift` steps late stands when its first step comes, as a share of the threshold: what a constant input has done to it in the
    /// steps before. 0 on chips whose units stay as they are, and for units that [`Backend::neuron`] refuses.
    fn head_start(&self, _dialect: &str, _unit: &UnitDynamics, _shift: u32) -> f64 {
        0.0
    }

    /// Synapses of one group share an exponent (where `chip.toml` gives weights one). `from_input`: from outside the chip; `drives`: the target population drives
    /// another one; `weight`: in the chip's units.
    fn weight_group(&self, _from_input: bool, _drives: bool, _weight: f64) -> usize {
        0
    }

    /// Are outputs neurons that drive nothing? Then a network that names nothing to record is recorded where it ends.
    fn outputs_end(&self) -> bool {
        false
    }

    /// What a mapping takes of what only the chip's own code can count.
    fn resources(&self, _mapping: &Mapping) -> Vec<Resource> {
        vec![]
    }

    /// Groups of a program whose emissions are the spikes of the chip's neurons.
    fn neuron_groups(&self, program: &Program) -> Vec<u32> {
        match &program.discipline {
            Discipline::Serial(s) => vec![s.group],
            Discipline::Stepped => program.probes.iter().map(|p| p.group).collect(),
        }
    }

    /// Where the spikes of the neurons `hidden`, which no output shows, are to be seen in a program: (group, unit) for each of the (core, slot); `slots` are those of all neurons. Both are
    /// ascending. Empty where the chip's code cannot say. As it stands here: the neurons of a program are one group, core by core and slot by slot, or the slots of the only core.
    fn inside(
        &self,
        program: &Program,
        slots: &[(u32, u32)],
        hidden: &[(u32, u32)],
    ) -> Vec<(u32, u32)> {
        let [group] = self.neuron_groups(program)[..] else {
            return vec![];
        };
        let size = program.groups.get(group as usize).map_or(0, |g| g.size);
        let only = slots.iter().all(|s| s.0 == 0 && s.1 < size);
        let unit = |s: &(u32, u32)| match only {
            true => Some((group, s.1)),
            false if size as usize == slots.len() => {
                let at = slots.binary_search(s).ok()?;
                Some((group, at as u32))
            }
            false => None,
        };
        let all: Option<Vec<(u32, u32)>> = hidden.iter().map(unit).collect();
        all.unwrap_or_default()
    }

    /// Native images of a mapping; every violation of a limit is reported with the limit, the amount and the remedy.
    fn encode(&self, mapping: &Mapping) -> Result<Encoded, Diagnostics>;

    /// Native images of a network of layers, on chips whose cores hold a whole layer each; other chips have none.
    fn lay(&self, _layers: &Layers) -> Option<Result<Laid, Diagnostics>> {
        None
    }

    /// From native images (as stored by `encode` under that dialect) to what runs.
    fn decode(&self, dialect: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics>;

    /// A native event word as engines take it; `None` when the chip has no such event.
    fn input(&self, emulation: &Emulation, word: u64) -> Option<NativeInput>;

    /// The word of address `address` leaving a serial program.
    fn serial_output(&self, address: u32) -> u64 {
        address as u64
    }

    /// Networks on which emulators of the chip are timed, the representative one first; none where no document names any.
    fn benchmarks(&self, _dialect: &str) -> Result<Vec<Benchmark>, Diagnostics> {
        Ok(vec![])
    }

    /// How the chip's board is talked to, where there is one that takes one event after another.
    fn board(&self) -> Option<&dyn Board> {
        None
    }

    /// What reaches the chip's board through the vendor's own Python package.
    fn bridge(&self) -> Option<Bridge> {
        None
    }

    /// The files that a board's own flow reads from a folder, for a run of `steps` steps of `dt` seconds with these native events (step, word), in order.
    ///
    /// Errors: those of decoding, and of events that the flow cannot take.
    fn flow(&self, run: &Flow<'_>) -> Result<Vec<(String, Vec<u8>)>, Diagnostics> {
        Ok(run.images())
    }

    /// Is this JSON a golden vector of the chip? Then its native files are compared and it is made ready to run; the error
    /// is the first difference. `files` reads a file that the vector names, from beside it or from the parent folder.
    fn golden(
        &self,
        vector: &serde_json::Value,
        files: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>>;
}
