//! `braille [INPUTS]`: the recurrent Braille network of the NIR paper on XyloAudio 2 and on Loihi, and what each difference of these chips costs.
//!
//! Inputs are drawn by the rule of the reference runs beside the graph (12 channels, 256 steps, density 0.06) with the seeds 1, 2, ... A small model computes both layers with every difference of the
//! chip switched on or off. With all of them on it must equal the emulator, output spike by output spike, which is checked; with all of them off it is the network. Printed: how many decisions (the most active output) and
//! hidden spikes are those of the ideal network, with every difference, with one lifted, and with one alone. Then the settings that `compile --calibrate` finds on 60 other inputs stand beside plain rounding, both on the emulator.

mod layers;
mod model;

use layers::*;
use model::model;
use std::collections::BTreeSet;
use synfire_compiler::frontend::{LoadOptions, NoFiles, load};
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_compiler::nir::{NirOptions, Reset};
use synfire_compiler::{CompileOptions, Compiled, Judged, calibrate, compile};
use synfire_ir::Quiet;
use synfire_ir::network::{Network, Verified};
use synfire_runtime::session::{Choice, Likeness, Plan, Trial};
use synfire_runtime::spikes::SpikeData;
use synfire_tests::binary::root;
use synfire_tests::compare::{Spikes, compile_for, input, run_artifact, run_ideal};

/// Seeds of the inputs on which settings are searched.
const OTHERS: std::ops::Range<u32> = 1001..1061;

/// 1 where a channel spikes: u' = 1664525 u + 1013904223, a spike below the density, steps first.
fn drawn(seed: u32) -> Vec<[u32; CHANNELS]> {
    let mut u = seed;
    let mut next = || {
        u = u.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u32::from(f64::from(u) / 4_294_967_296.0 < 0.06)
    };
    (0..STEPS)
        .map(|_| std::array::from_fn(|_| next()))
        .collect()
}

/// The most active output, the lowest among equals; none without spikes.
fn decision(spikes: &[(u32, u32)], outputs: usize) -> Option<usize> {
    let mut n = vec![0; outputs];
    spikes.iter().for_each(|s| n[s.1 as usize] += 1);
    let most = n.iter().copied().max().filter(|&m| m > 0)?;
    n.iter().position(|&x| x == most)
}

/// Equal spikes of two sorted lists.
fn equal(a: &[(u32, u32)], b: &[(u32, u32)]) -> usize {
    let (mut i, mut j, mut n) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, n) = (i + 1, j + 1, n + 1),
        }
    }
    n
}

/// Shares of equal decisions, and of equal hidden and output spikes (twice the matched over all), against the ideal runs; and hidden spikes.
fn compare(ideal: &[Seen], seen: &[Seen], outputs: usize) -> ([f64; 3], usize) {
    let same = (ideal.iter().zip(seen))
        .filter(|(a, b)| decision(&a.output, outputs) == decision(&b.output, outputs));
    let share = |of: &dyn Fn(&Seen) -> &Vec<(u32, u32)>| {
        let pairs = || ideal.iter().zip(seen);
        let matched: usize = pairs().map(|(a, b)| equal(of(a), of(b))).sum();
        let all: usize = pairs().map(|(a, b)| of(a).len() + of(b).len()).sum();
        2.0 * matched as f64 / all.max(1) as f64
    };
    let n = seen.iter().map(|s| s.hidden.len()).sum();
    (
        [
            same.count() as f64 / ideal.len() as f64,
            share(&|s| &s.hidden),
            share(&|s| &s.output),
        ],
        n,
    )
}

fn network() -> Verified<Network> {
    let bytes = std::fs::read(root().join("examples/nir/braille_noDelay_bias_zero.nir"));
    let options = LoadOptions {
        nir: NirOptions {
            dt: Some(1e-4),
            reset: Reset::Zero,
            ..NirOptions::default()
        },
        ..LoadOptions::default()
    };
    let loaded = load(
        "braille.nir",
        &bytes.expect("the graph"),
        &NoFiles,
        &options,
    );
    loaded.network.unwrap_or_else(|e| panic!("{e}"))
}

/// Spikes of a run by sample, of its last population.
fn by_sample(spikes: &Spikes, samples: u32, population: u32) -> Vec<BTreeSet<(u32, u32)>> {
    let mut out = vec![BTreeSet::new(); samples as usize];
    for s in spikes.iter().filter(|s| s.2 == population) {
        out[s.0 as usize].insert((s.1, s.3));
    }
    out
}

fn line(name: &str, ([decisions, hidden, output], n): ([f64; 3], usize)) {
    println!(
        "| {name} | {:.0} % | {:.1} % | {:.1} % | {n} |",
        100.0 * decisions,
        100.0 * hidden,
        100.0 * output
    );
}

fn head(title: &str) {
    println!(
        "\n| {title} | equal decisions | equal hidden spikes | equal output spikes | hidden spikes |\n|---|---|---|---|---|"
    );
}

/// The inputs as a batch of named spikes.
fn batch(net: &Network, inputs: &[Vec<[u32; CHANNELS]>]) -> SpikeData {
    let source = net.populations().position(|(_, p)| p.name == "input");
    let source = source.expect("an input") as u32;
    let mut events = vec![];
    for (sample, rows) in (0u32..).zip(inputs) {
        for (step, row) in (0u32..).zip(rows) {
            let fires = (0u32..).zip(row).filter(|x| *x.1 > 0);
            events.extend(fires.map(|(c, _)| (sample, step, source, c)));
        }
    }
    input(&events, Some(inputs.len() as u32))
}

/// The number of the output population.
fn last(net: &Network) -> u32 {
    let drives = |id| net.projections().any(|x| x.1 == id);
    let neurons = |id| net.model_of(id).is_some();
    let mut all = net.populations().zip(0u32..);
    let found = all.find(|((id, _), _)| neurons(*id) && !drives(*id));
    found.expect("an output").1
}

/// The model is the emulator when every difference is on, and the network when none is.
fn verify(
    net: &Verified<Network>,
    compiled: &Compiled,
    model: &Model,
    (inputs, all): (&[Vec<[u32; CHANNELS]>], On),
) {
    let samples = inputs.len() as u32;
    let data = batch(net, inputs);
    let bytes = compiled.artifact.to_bytes();
    let bytes = bytes.unwrap_or_else(|e| panic!("{e}"));
    let chip = run_artifact(&bytes, Choice::Cpu, &data, STEPS).unwrap_or_else(|e| panic!("{e}"));
    let ideal = run_ideal(net, Choice::Cpu, &data, STEPS).unwrap_or_else(|e| panic!("{e}"));
    for (what, spikes, on) in [
        ("the emulator", chip, all),
        ("the network", ideal, [false; 6]),
    ] {
        let theirs = by_sample(&spikes, samples, last(net));
        let differ = inputs.iter().zip(&theirs).filter(|(i, theirs)| {
            let mine: BTreeSet<_> = play(model, &on, i).output.into_iter().collect();
            mine != **theirs
        });
        println!(
            "samples in which the model's output spikes are not those of {what}: {} of {samples}",
            differ.count()
        );
    }
}

/// The network's answers to inputs, to be held against a chip's.
fn trial(net: &Verified<Network>, inputs: &[Vec<[u32; CHANNELS]>]) -> Trial {
    let lowered = ideal::lower(net, &IdealOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let sources: Vec<bool> = net.populations().map(|(_, p)| p.is_source).collect();
    let plan = Plan::ideal(lowered.program, &sources, lowered.feeds, lowered.scales);
    let data = batch(net, inputs);
    let made = Trial::new(plan, [last(net)], data, STEPS, 1, &Quiet);
    made.unwrap_or_else(|e| panic!("{e}"))
}

/// A row of the emulator itself.
fn told(name: &str, l: &Likeness) {
    let shares = [l.decisions.unwrap_or(0.0), l.inside.unwrap_or(0.0), l.ends];
    line(name, (shares, l.spikes_inside.1 as usize));
}

/// Plain rounding and the settings that a calibration finds, on the emulator.
fn settings(net: &Verified<Network>, name: &str, inputs: &[Vec<[u32; CHANNELS]>]) {
    let target = synfire_targets::find(name).unwrap_or_else(|e| panic!("{e}"));
    let backend = target.chip.backend().expect("code");
    let others: Vec<_> = OTHERS.map(drawn).collect();
    let (search, test) = (trial(net, &others), trial(net, inputs));
    let likeness = |t: &Trial, made: &Compiled| t.of(&made.artifact, backend, &Quiet);
    let mut judge = |made: &Compiled| {
        let l = likeness(&search, made)?;
        Ok(Judged {
            score: l.score(),
            facts: serde_json::Value::Null,
            samples: l.samples,
        })
    };
    let plain = CompileOptions::default();
    let found = calibrate(net, target, &plain, &mut judge, &Quiet);
    let found = found.unwrap_or_else(|e| panic!("{e}"));
    let tuned = CompileOptions {
        tuning: found.tuning.clone(),
        ..CompileOptions::default()
    };
    head("settings on the chip");
    for (row, options) in [
        ("plain rounding", &plain),
        ("calibrated on 60 other inputs", &tuned),
    ] {
        let made = compile(net, target, options, &Quiet).unwrap_or_else(|e| panic!("{e}"));
        told(
            row,
            &likeness(&test, &made).unwrap_or_else(|e| panic!("{e}")),
        );
    }
    println!(
        "\n{} trials; on the inputs that were held out: {}; {:#?}",
        found.report["trials"], found.report["held_out"], found.tuning
    );
}

fn study(net: &Verified<Network>, name: &str, inputs: &[Vec<[u32; CHANNELS]>]) {
    println!("\n# {name}\n");
    let compiled = compile_for(net, name).unwrap_or_else(|e| panic!("{e}"));
    let model = model(net, &compiled);
    // A chip that resets to 0 as the network does has no such difference.
    let mut all = [true; 6];
    all[RESET] = matches!(model.hidden.decays, Decays::Shifts(..));
    verify(net, &compiled, &model, (inputs, all));
    let run = |m: &Model, on: On| -> Vec<Seen> { inputs.iter().map(|i| play(m, &on, i)).collect() };
    let ideal = run(&model, [false; 6]);
    let outputs = model.output.current.len();
    let total: usize = ideal.iter().map(|s| s.hidden.len()).sum();
    println!(
        "{} inputs of {STEPS} steps; {total} hidden spikes in the ideal network, reset to zero",
        inputs.len()
    );
    let row = |name: &str, m: &Model, on: On| line(name, compare(&ideal, &run(m, on), outputs));
    let causes = || CAUSES.iter().enumerate().filter(|c| all[c.0]);
    head("difference lifted, all others as on the chip");
    row("none: the chip", &model, all);
    for (k, cause) in causes() {
        let mut on = all;
        on[k] = false;
        row(cause, &model, on);
    }
    head("difference alone");
    for (k, cause) in causes() {
        let mut on = [false; 6];
        on[k] = true;
        row(cause, &model, on);
    }
    settings(net, name, inputs);
    if all[RESET] {
        let mut on = [false; 6];
        on[RESET] = true;
        let other = run(&model, on);
        head("against the same network with reset by subtraction");
        line(
            "plain rounding",
            compare(&other, &run(&model, all), outputs),
        );
    }
}

fn main() {
    let n: u32 = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(100);
    let net = network();
    let inputs: Vec<_> = (1..=n).map(drawn).collect();
    for chip in ["xylo-audio2", "loihi"] {
        study(&net, chip, &inputs);
    }
}
