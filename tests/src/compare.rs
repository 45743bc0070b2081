//! One network as its ideal program and as a chip's artefact, under the network's own names and steps.

use synfire_compiler::frontend::{self, LoadOptions, Loaded, NoFiles};
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_compiler::{CompileOptions, Compiled, compile};
use synfire_ir::artifact::Artifact;
use synfire_ir::network::{Network, Verified};
use synfire_ir::program::Arithmetic;
use synfire_ir::{Diagnostics, Quiet};
use synfire_runtime::session::{Choice, Plan};
use synfire_runtime::spikes::{NamedSpike, SpikeData};
use synfire_targets::Chip;

/// Reads a network that names no other file.
pub fn load(text: &str) -> Result<Verified<Network>, Diagnostics> {
    let Loaded { network, .. } = frontend::load(
        "test.syn",
        text.as_bytes(),
        &NoFiles,
        &LoadOptions::default(),
    );
    network
}

/// Spikes of a run: (sample, step, population, neuron), sorted.
pub type Spikes = Vec<(u32, u32, u32, u32)>;

/// Input spikes from (sample, step, population, neuron).
pub fn input(list: &[(u32, u32, u32, u32)], batch: Option<u32>) -> SpikeData {
    let spike = |&(sample, step, population, neuron): &(u32, u32, u32, u32)| NamedSpike {
        sample,
        step,
        population,
        neuron,
        value: 1.0,
    };
    let mut spikes: Vec<NamedSpike> = list.iter().map(spike).collect();
    spikes.sort_by_key(NamedSpike::key);
    SpikeData {
        spikes,
        signals: vec![],
        batch,
    }
}

fn play(plan: Plan, choice: Choice, input: &SpikeData, steps: u32) -> Result<Spikes, Diagnostics> {
    let mut session = plan.open(choice, 1, input.batch.unwrap_or(1))?;
    let data = session.run(steps, input, 0, &Quiet)?.data;
    let mut spikes: Spikes = data
        .spikes
        .iter()
        .map(|s| (s.sample, s.step, s.population, s.neuron))
        .collect();
    spikes.sort_unstable();
    Ok(spikes)
}

/// Runs the ideal form.
pub fn run_ideal(
    net: &Verified<Network>,
    choice: Choice,
    input: &SpikeData,
    steps: u32,
) -> Result<Spikes, Diagnostics> {
    let lowered = ideal::lower(
        net,
        &IdealOptions {
            seed: None,
            arithmetic: Arithmetic::F32,
            ..IdealOptions::default()
        },
    )?;
    let sources: Vec<bool> = net.populations().map(|(_, p)| p.is_source).collect();
    play(
        Plan::ideal(lowered.program, &sources, lowered.feeds, lowered.scales),
        choice,
        input,
        steps,
    )
}

/// Compiles for a target.
pub fn compile_for(net: &Verified<Network>, target: &str) -> Result<Compiled, Diagnostics> {
    compile(
        net,
        synfire_targets::find(target)?,
        &CompileOptions::default(),
        &Quiet,
    )
}

/// Runs an artefact from its file's bytes.
pub fn run_artifact(
    bytes: &[u8],
    choice: Choice,
    input: &SpikeData,
    steps: u32,
) -> Result<Spikes, Diagnostics> {
    let artifact = Artifact::from_bytes("test.synx", bytes)?;
    let target = synfire_targets::find(&artifact.header.target)?;
    run_on(target.chip, &artifact, choice, input, steps)
}

/// Runs an artefact for a chip, which need not be a shipped one.
pub fn run_on(
    chip: &Chip,
    artifact: &Artifact,
    choice: Choice,
    input: &SpikeData,
    steps: u32,
) -> Result<Spikes, Diagnostics> {
    let backend = chip.backend().expect("a chip has code");
    play(Plan::artifact(artifact, backend)?, choice, input, steps)
}
