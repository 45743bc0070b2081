//! Networks on which the emulators of a chip are timed.
//!
//! A chip's backend builds its configuration, writes it as native images and decodes them again, so that what is timed is what an artefact runs. A [`Benchmark`] holds the decoded program and
//! makes input for as many steps and samples as a measurement takes. Deliberately absent: engines and clocks.

use crate::backend::{Backend, Emulation, NativeInput};
use synfire_ir::Diagnostics;
use synfire_ir::artifact::{Section, SectionKind};
use synfire_ir::program::{Observable, Probe, Program, Range};

/// Input of a sample: (step, event), sorted by step. Arguments are the number of steps and the sample.
pub type Input = Box<dyn Fn(u32, u32) -> Vec<(u32, NativeInput)> + Send + Sync>;

/// What another program did on the same network.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its name and version.
    pub name: &'static str,
    /// Steps that it did in a second of CPU time, one thread.
    pub steps_per_cpu_s: f64,
    /// Where the figure comes from.
    pub source: &'static str,
}

/// A network with its input.
pub struct Benchmark {
    /// Sets it apart from the chip's others.
    pub name: String,
    /// What runs. Its probes record native outputs, as in every run.
    pub program: Program,
    /// Group whose emissions are the spikes of the chip's neurons.
    pub neurons: u32,
    /// States that tell all about the neurons, for measurements against programs that record everything: (group, state).
    pub states: Vec<(u32, u16)>,
    /// Steps of a usual measurement.
    pub steps: u32,
    /// Input events.
    pub input: Input,
    /// The program to be compared with, if one was measured.
    pub peer: Option<Peer>,
}

impl Benchmark {
    /// The program with everything about the neurons recorded in every step.
    pub fn recording_all(&self) -> Program {
        let mut p = self.program.clone();
        let events = (self.neurons, Observable::Events);
        let states = self.states.iter().map(|&(g, s)| (g, Observable::State(s)));
        for (group, what) in std::iter::once(events).chain(states) {
            let len = p.groups.get(group as usize).map_or(0, |g| g.size);
            p.probes.push(Probe {
                name: format!("all{}", p.probes.len()),
                group,
                range: Range { start: 0, len },
                what,
                every: 1,
            });
        }
        p
    }
}

/// What an artefact with these native files would run.
///
/// Errors: those of [`Backend::decode`].
pub fn emulate(
    backend: &dyn Backend,
    dialect: &str,
    files: Vec<(String, Vec<u8>)>,
) -> Result<Emulation, Diagnostics> {
    let native = |(name, bytes)| Section {
        kind: SectionKind::Native,
        name,
        bytes,
    };
    let sections: Vec<Section> = files.into_iter().map(native).collect();
    backend.decode(dialect, &sections.iter().collect::<Vec<_>>())
}
