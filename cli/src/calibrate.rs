//! `compile --calibrate`: settings of the quantiser by trial on recorded spikes.
//!
//! The compiler proposes, the CPU engine runs what it proposes as the chip would, and the spikes are held against the network's own. Results do not depend on `--threads`.

use crate::console::Console;
use crate::execute;
use crate::failure::Failure;
use crate::network::Loaded;
use crate::progress::Bar;
use std::path::PathBuf;
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_compiler::{Calibrated, CompileOptions, Compiled, Judged, calibrate};
use synfire_ir::network::{Network, PopKind, Verified, verify};
use synfire_ir::program::Arithmetic;
use synfire_ir::{Diagnostics, Quiet};
use synfire_runtime::session::{Plan, Trial, length};
use synfire_targets::Target;

/// The network with the spikes of all its populations recorded.
pub fn watched(net: &Verified<Network>) -> Result<Verified<Network>, Diagnostics> {
    let mut all = Network::clone(net);
    all.probes.clear();
    verify(all)
}

/// Numbers of the populations of neurons that drive nothing.
fn ends(net: &Network) -> Vec<u32> {
    let drives = |id| net.projections().any(|x| x.1 == id);
    let neurons = |k: &PopKind| matches!(k, PopKind::Neurons { .. });
    let all = net.populations().zip(0u32..);
    all.filter(|((id, p), _)| neurons(&p.kind) && !p.is_source && !drives(*id))
        .map(|x| x.1)
        .collect()
}

/// Searches the settings with which the chip is most like the network on the spikes of a file.
pub fn search(
    loaded: &Loaded,
    target: Target<'_>,
    spikes: &PathBuf,
    options: &CompileOptions,
    console: &Console,
) -> Result<Calibrated, Failure> {
    let net = watched(&loaded.network)?;
    let wish = IdealOptions {
        seed: options.seed,
        arithmetic: Arithmetic::F32,
        ..IdealOptions::default()
    };
    let lowered = ideal::lower(&net, &wish).map_err(|d| loaded.wrong(d))?;
    let sources: Vec<bool> = net.populations().map(|(_, p)| p.is_source).collect();
    let plan = Plan::ideal(lowered.program, &sources, lowered.feeds, lowered.scales);
    let input = execute::inputs(std::slice::from_ref(spikes), plan.populations())?;
    let steps = length(None, net.dt, net.run, input.last_step())?.steps;
    let (last, threads) = (ends(&net), options.threads);
    let trial = Trial::new(plan, last, input, steps, threads, &Quiet)?;
    let mut judge = |made: &Compiled| -> Result<Judged, Diagnostics> {
        let Some(backend) = target.chip.backend() else {
            return Ok(Judged::default());
        };
        let likeness = trial.of(&made.artifact, backend, &Quiet)?;
        let facts = serde_json::to_value(&likeness).unwrap_or_default();
        Ok(Judged {
            score: likeness.score(),
            facts,
            samples: likeness.samples,
        })
    };
    let bar = Bar::new(console);
    let found = calibrate(&loaded.network, target, options, &mut judge, &bar);
    bar.finish();
    if crate::interrupt::asked() {
        return Err(Failure::Interrupted);
    }
    let mut found = found.map_err(|d| loaded.wrong(d))?;
    found.report["steps"] = steps.into();
    found.report["spikes"] = spikes.display().to_string().into();
    Ok(found)
}
