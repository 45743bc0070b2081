//! A board as an engine: what a run asks of an engine, asked of hardware.
//!
//! In: the program of an artefact (for its order of events, and what its host does), a table between its events and native words, a [`Link`]. Every event is followed by the
//! wait for silence, so that the chip is never given two at once. What leaves the chip is counted to the step whose event set it off. Invariant: the order of events is that of
//! [`Serial`], as in every engine. Deliberately absent: states, hashes and checkpoints, which a board does not show.

use super::link::Link;
use crate::engine::snapshot::Snapshot;
use crate::engine::{Counters, Engine, Record, Stimulus, due};
use std::collections::BTreeMap;
use std::sync::Arc;
use synfire_ir::Class;
use synfire_ir::artifact::{Artifact, Bindings};
use synfire_ir::diag::{Diagnostic, Diagnostics, Progress};
use synfire_ir::program::{Discipline, Program, Serial, SerialEvent};
use synfire_targets::backend::{Backend, NativeInput};
use synfire_targets::board::Loading;

/// See the module.
pub struct Hosted {
    program: Arc<Program>,
    serial: Serial,
    link: Box<dyn Link>,
    loading: Loading,
    /// Native words of events.
    words: Vec<(SerialEvent, u64)>,
    /// Addresses by the native word that leaves.
    addresses: BTreeMap<u64, u32>,
    /// Loopbacks by unit.
    back: BTreeMap<u32, Vec<(u16, u32)>>,
    /// Rows that this host sends back, by step.
    due: BTreeMap<u32, Vec<u32>>,
    now: u32,
    counters: Counters,
}

/// The native words of every event that a host sends.
fn words(
    artifact: &Artifact,
    backend: &dyn Backend,
) -> Result<Vec<(SerialEvent, u64)>, Diagnostics> {
    let sections: Vec<_> = artifact.native().collect();
    let emulation = backend.decode(&artifact.header.dialect, &sections)?;
    let b: &Bindings = &artifact.bindings;
    let mut all: Vec<u64> = b.inputs.iter().map(|i| i.word).collect();
    all.extend(b.loopbacks.iter().map(|l| l.word));
    all.extend(&b.tail);
    all.extend(artifact.intervals().map(|e| e.word));
    all.sort_unstable();
    all.dedup();
    let event = |w: u64| match backend.input(&emulation, w) {
        Some(NativeInput::Serial(e)) => Some((e, w)),
        _ => None,
    };
    Ok(all.into_iter().filter_map(event).collect())
}

impl Hosted {
    /// Resets the board, loads the artefact's images and reads a sample of them back. `program` is that of the artefact's plan.
    ///
    /// Errors: those of the link, and `SYN0857` for a chip that has no such board.
    pub fn load(
        artifact: &Artifact,
        backend: &'static dyn Backend,
        program: &Program,
        mut link: Box<dyn Link>,
    ) -> Result<Hosted, Diagnostics> {
        let (Some(board), Discipline::Serial(serial)) = (backend.board(), &program.discipline)
        else {
            return Err(no_board(&artifact.header.target));
        };
        let sections: Vec<_> = artifact.native().collect();
        let loading = board.loading(&sections)?;
        link.reset()?;
        link.ask(&loading.requests, &mut vec![])?;
        let mut back: BTreeMap<u32, Vec<(u16, u32)>> = BTreeMap::new();
        for l in &serial.loopback {
            back.entry(l.unit).or_default().push((l.delay, l.pre));
        }
        let addresses = program.groups.iter().map(|g| g.size).max().unwrap_or(0);
        Ok(Hosted {
            words: words(artifact, backend)?,
            addresses: (0..addresses)
                .map(|a| (backend.serial_output(a), a))
                .collect(),
            serial: serial.clone(),
            program: Arc::new(program.clone()),
            link,
            loading,
            back,
            due: BTreeMap::new(),
            now: 0,
            counters: Counters {
                spikes: vec![0; program.groups.len()],
                ..Counters::default()
            },
        })
    }

    fn event(
        &mut self,
        step: u32,
        event: SerialEvent,
        record: &mut Record,
    ) -> Result<(), Diagnostics> {
        let word = self.words.iter().find(|w| w.0 == event).map(|w| w.1);
        let word = word.ok_or_else(|| unknown(&event))?;
        let mut left = vec![];
        let event = synfire_targets::board::Request::Event(word);
        self.link.ask(&[event, self.loading.drain], &mut left)?;
        for (word, _) in left {
            let Some(&unit) = self.addresses.get(&word) else {
                return Err(stranger(word));
            };
            record.serial.push((step, 0, unit));
            if let Some(n) = self.counters.spikes.get_mut(self.serial.group as usize) {
                *n += 1;
            }
            for &(delay, pre) in self.back.get(&unit).into_iter().flatten() {
                let at = step.saturating_add(delay.into());
                self.due.entry(at).or_default().push(pre);
            }
        }
        Ok(())
    }
}

impl Engine for Hosted {
    fn name(&self) -> &'static str {
        "board"
    }

    fn adapter(&self) -> Option<String> {
        Some(self.link.name())
    }

    fn advance(
        &mut self,
        steps: u32,
        input: &Stimulus,
        record: &mut Record,
        progress: &dyn Progress,
    ) -> Result<u32, Diagnostics> {
        let from = self.now;
        let given =
            crate::engine::divide(&self.program, 1, (from, from.saturating_add(steps)), input)?;
        let given = given.into_iter().next().unwrap_or_default();
        let (mut at, mut events) = (0, vec![]);
        for step in from..from.saturating_add(steps) {
            if progress.cancelled() {
                break;
            }
            let rows = self.due.remove(&step).unwrap_or_default();
            due(
                &self.serial,
                rows,
                given.serial_of(step, &mut at),
                &mut events,
            );
            for event in events.drain(..) {
                self.event(step, event, record)?;
            }
            self.now = step + 1;
            progress.report("run", u64::from(self.now - from), steps.into());
        }
        Ok(self.now - from)
    }

    fn now(&self) -> u32 {
        self.now
    }

    fn state(&mut self, _: u32, _: u16) -> Result<Vec<u32>, Diagnostics> {
        Err(hidden())
    }

    fn counters(&mut self) -> Result<Counters, Diagnostics> {
        Ok(self.counters.clone())
    }

    fn hash(&mut self) -> Result<u64, Diagnostics> {
        Err(hidden())
    }

    fn save(&mut self) -> Result<Snapshot, Diagnostics> {
        Err(hidden())
    }

    fn restore(&mut self, _: &Snapshot) -> Result<(), Diagnostics> {
        Err(hidden())
    }
}

pub(super) fn hidden() -> Diagnostics {
    Diagnostic::error(
        "SYN0858",
        "a board does not show the states of its chip during a run",
    )
    .class(Class::Usage)
    .note("hashes, checkpoints and states are read from engines")
    .hint("`synfire run OUT.synx` emulates the same chip, with all of them")
    .into()
}

fn unknown(event: &SerialEvent) -> Diagnostics {
    Diagnostic::error("SYN0704", format!("no native event stands for {event:?}"))
        .note("the bindings of an artefact name every event that its host sends")
        .hint("compile the network again with this build")
        .into()
}

fn stranger(word: u64) -> Diagnostics {
    Diagnostic::error(
        "SYN0854",
        format!("the board sent rubbish: {word:#x} is no neuron of this chip"),
    )
    .class(Class::Device)
    .note("nothing of this run was written")
    .hint("check the baud rate, and that this board has the chip that the artefact is for")
    .into()
}

/// The refusal of an artefact whose chip has no live board.
pub fn no_board(chip: &str) -> Diagnostics {
    Diagnostic::error("SYN0857", format!("`{chip}` has no board of this kind"))
        .class(Class::Usage)
        .note("a chip's description says which boards it has")
        .hint(format!("`synfire targets {chip}` lists them; --board file:///DIR writes what its own tools read"))
        .field("target", chip)
        .into()
}
