//! `braille [INPUTS]`: the recurrent Braille network of the NIR paper on XyloAudio 2, and what each difference of the chip costs.
//!
//! Inputs are drawn by the rule of the reference runs beside the graph (12 channels, 256 steps, density 0.06) with the seeds 1, 2, ... A small model computes both layers with every difference of the
//! chip switched on or off: weights of 8 bits, decays by shifts, reset by subtraction with several spikes a step, rounded states, states of 16 bits, and a bias that acts at the membrane in place of
//! the current, from the chip's first step on. With all of them on it must equal the emulator, output spike by output spike, which is checked; with all of them off it is the network. Printed: how many decisions (the most active output) and
//! hidden spikes are those of the ideal network, with every difference, with one lifted, and with one alone. Then factors, clipping of weights, thresholds and membrane decays are searched on other inputs.

mod layers;

use layers::*;
use std::collections::BTreeSet;
use synfire_compiler::Compiled;
use synfire_compiler::dynamics::{Dynamics, characterise, evaluate};
use synfire_compiler::frontend::{LoadOptions, NoFiles, load};
use synfire_compiler::nir::{NirOptions, Reset};
use synfire_ir::network::{Network, Verified};
use synfire_ir::program::Range;
use synfire_runtime::session::Choice;
use synfire_targets::xylo::{SECTION, native};
use synfire_tests::binary::root;
use synfire_tests::compare::{Spikes, compile_for, input, run_artifact, run_ideal};

/// Seeds of the inputs on which settings are searched.
const OTHERS: std::ops::Range<u32> = 1001..1021;
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

/// The layers and matrices from the network and from what was compiled.
fn model(net: &Verified<Network>, compiled: &Compiled) -> Model {
    let file = compiled.artifact.native().find(|s| s.name == SECTION);
    let bytes = &file.expect("the neutral specification").bytes;
    let chip = native::decode(SECTION, bytes)
        .unwrap_or_else(|e| panic!("{e}"))
        .net;
    let pops: Vec<_> = net.populations().map(|(id, _)| id).collect();
    let units: Vec<_> = (pops.iter().copied())
        .filter(|&p| net.model_of(p).is_some())
        .collect();
    let dynamics = |k: usize, u: usize| -> Dynamics {
        let m = net.model_of(units[k]).expect("neurons");
        let values = evaluate(net, units[k], m, net.seed_or_default());
        characterise(m, &values, u).unwrap_or_else(|e| panic!("{e}"))
    };
    let scale = |k: usize| {
        let name = &net.graph[units[k]].name;
        let scales = compiled.report["quantisation"]["scales"]
            .as_array()
            .expect("scales");
        let entry = scales
            .iter()
            .find(|s| s[0] == name.as_str())
            .expect("every layer");
        entry[1].as_f64().expect("a factor")
    };
    let layer = |k: usize, limit: u32, biases: &[f64]| {
        let d = dynamics(k, 0);
        let regs = if k == 0 { &chip.hidden } else { &chip.readout };
        let n = net.graph[units[k]].size() as usize;
        let s = scale(k);
        // What a constant input of the current comes to in the end.
        let constant = |b: f64| b / (1.0 - d.current.expect("CubaLIF"));
        Layer {
            keep: (d.current.expect("CubaLIF"), d.decay),
            dash: (regs.dash_syn[0][0], regs.dash_mem[0]),
            threshold: (d.threshold * s, regs.threshold[0].into()),
            bias: (0..n)
                .map(|u| {
                    (
                        constant(biases[u]) * s,
                        if chip.has_bias {
                            regs.bias[u].into()
                        } else {
                            0.0
                        },
                    )
                })
                .collect(),
            limit,
            current: vec![0.0; n],
            membrane: vec![0.0; n],
        }
    };
    // Weights and biases as they reach a current, in the network's units.
    let mut exact: Vec<Vec<Vec<f64>>> = vec![];
    let mut biases: Vec<Vec<f64>> = units
        .iter()
        .map(|&p| vec![0.0; net.graph[p].size() as usize])
        .collect();
    for (from, to) in [(None, 0), (Some(0), 0), (Some(0), 1)] {
        let size = |p: synfire_ir::network::PopId| net.graph[p].size() as usize;
        let source = from.map(|k: usize| units[k]);
        let rows = source.map_or(CHANNELS, size);
        let mut m = vec![vec![0.0; size(units[to])]; rows];
        for (id, a, b, x) in net.projections() {
            let input = net.model_of(a).is_none();
            if b != units[to] || (from.is_none() != input) || source.is_some_and(|s| s != a) {
                continue;
            }
            let whole = Range {
                start: 0,
                len: x.target_range.len,
            };
            net.visit(id, net.seed_or_default(), whole, |s| {
                let (s0, t0) = (
                    x.source_range.start + s.source,
                    x.target_range.start + s.target,
                );
                let d = dynamics(to, t0 as usize);
                m[s0 as usize][t0 as usize] += s.weight * d.gain[x.port as usize];
            });
            if let Some(v) = &x.bias {
                let each = net.elements(v, x.target_range.len, net.seed_or_default(), "");
                for (u, b) in each.iter().enumerate() {
                    biases[to][u] += b * dynamics(to, u).gain[x.port as usize];
                }
            }
        }
        exact.push(m);
    }
    for (k, b) in biases.iter_mut().enumerate() {
        for (u, b) in b.iter_mut().enumerate() {
            *b += dynamics(k, u).bias;
        }
    }
    let gain = |l: &Layer| {
        let k = left(l.dash.0);
        (1.0 - k) / (k * (1.0 - l.keep.0))
    };
    let (hidden, output) = (layer(0, 31, &biases[0]), layer(1, 1, &biases[1]));
    let matrix =
        |exact: &Vec<Vec<f64>>, lists: &[Vec<(u16, u8, i8)>], shift: u8, factor: f64| -> Matrix {
            let mut out: Matrix = exact
                .iter()
                .map(|r| r.iter().map(|w| (w * factor, 0.0)).collect())
                .collect();
            for (row, list) in out.iter_mut().zip(lists) {
                list.iter()
                    .for_each(|&(t, _, w)| row[t as usize].1 = f64::from(i32::from(w) << shift));
            }
            out
        };
    let (h, o) = (gain(&hidden) * scale(0), gain(&output) * scale(1));
    Model {
        input: matrix(&exact[0], &chip.synapses_in, chip.weight_shift_in, h),
        recurrent: matrix(&exact[1], &chip.synapses_rec, chip.weight_shift_rec, h),
        readout: matrix(&exact[2], &chip.synapses_out, chip.weight_shift_out, o),
        hidden,
        output,
    }
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

/// The model is the emulator when every difference is on, and the network when none is.
fn verify(
    net: &Verified<Network>,
    compiled: &Compiled,
    model: &Model,
    inputs: &[Vec<[u32; CHANNELS]>],
) {
    let samples = inputs.len() as u32;
    let name = |n: &str| {
        net.populations()
            .position(|(_, p)| p.name == n)
            .map(|k| k as u32)
    };
    let source = name("input").expect("an input");
    let mut events = vec![];
    for (sample, rows) in (0u32..).zip(inputs) {
        for (step, row) in (0u32..).zip(rows) {
            let fires = (0u32..).zip(row).filter(|x| *x.1 > 0);
            events.extend(fires.map(|(c, _)| (sample, step, source, c)));
        }
    }
    let data = input(&events, Some(samples));
    let bytes = compiled
        .artifact
        .to_bytes()
        .unwrap_or_else(|e| panic!("{e}"));
    let last = net.populations().count() as u32 - 1;
    let chip = run_artifact(&bytes, Choice::Cpu, &data, STEPS).unwrap_or_else(|e| panic!("{e}"));
    let ideal = run_ideal(net, Choice::Cpu, &data, STEPS).unwrap_or_else(|e| panic!("{e}"));
    let outputs = chip.iter().map(|s| s.2).max().unwrap_or(last);
    for (what, spikes, on) in [
        ("the emulator", chip, [true; 6]),
        ("the network", ideal, [false; 6]),
    ] {
        let theirs = by_sample(&spikes, samples, outputs);
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

/// Settings of one layer.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Setting {
    /// From the network's units to the chip's, in parts of the plain factor.
    factor: f64,
    /// Weights beyond this share of the largest are clipped.
    clip: f64,
    /// Threshold, in parts of what the factor gives.
    threshold: f64,
    /// Added to the membrane's shift.
    shift: i8,
}

const PLAIN: Setting = Setting {
    factor: 1.0,
    clip: 1.0,
    threshold: 1.0,
    shift: 0,
};

/// A matrix with other settings; nothing when no shift of the chip gives it.
fn rounded(m: &Matrix, set: Setting) -> Option<Matrix> {
    let largest = m.iter().flatten().fold(0.0f64, |a, w| a.max(w.0.abs()));
    let top = largest * set.factor * set.clip;
    let shift = (0..=7).find(|&k| f64::from(127 << k) >= top)?;
    let step = f64::from(1 << shift);
    let one = |w: &(f64, f64)| {
        let exact = w.0 * set.factor;
        (
            exact,
            (exact.clamp(-top, top) / step).round_ties_even() * step,
        )
    };
    Some(m.iter().map(|r| r.iter().map(one).collect()).collect())
}

fn adjusted(l: &Layer, set: Setting) -> Option<Layer> {
    let mut out = l.clone();
    out.dash.1 = u8::try_from(l.dash.1 as i8 + set.shift).ok()?;
    out.threshold.0 *= set.factor;
    out.threshold.1 = (out.threshold.0 * set.threshold).floor() + 1.0;
    for b in &mut out.bias {
        b.0 *= set.factor;
        b.1 = b.0.round_ties_even().clamp(-128.0, 127.0);
    }
    (1.0..=32767.0).contains(&out.threshold.1).then_some(out)
}

/// The model with settings of the hidden layer and of the output.
fn with(model: &Model, [hidden, output]: [Setting; 2]) -> Option<Model> {
    Some(Model {
        hidden: adjusted(&model.hidden, hidden)?,
        output: adjusted(&model.output, output)?,
        input: rounded(&model.input, hidden)?,
        recurrent: rounded(&model.recurrent, hidden)?,
        readout: rounded(&model.readout, output)?,
    })
}

/// The settings with which decisions and spikes are most often those of the ideal network; one after another.
fn searched(model: &Model, inputs: &[Vec<[u32; CHANNELS]>]) -> [Setting; 2] {
    let ideal: Vec<Seen> = inputs.iter().map(|i| play(model, &[false; 6], i)).collect();
    let outputs = model.output.current.len();
    let score = |set: [Setting; 2]| {
        let m = with(model, set)?;
        let seen: Vec<Seen> = inputs.iter().map(|i| play(&m, &[true; 6], i)).collect();
        let ([d, h, o], _) = compare(&ideal, &seen, outputs);
        Some(d + h + o)
    };
    let mut best = [PLAIN; 2];
    let mut most = score(best).unwrap_or(0.0);
    let tried =
        |layer: usize, change: &dyn Fn(&mut Setting), best: &mut [Setting; 2], most: &mut f64| {
            let mut set = *best;
            change(&mut set[layer]);
            if let Some(s) = score(set).filter(|s| *s > *most + 1e-12) {
                (*best, *most) = (set, s);
            }
        };
    for _ in 0..3 {
        for layer in 0..2 {
            for k in -2..=6 {
                for clip in [1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08] {
                    let change = |s: &mut Setting| (s.factor, s.clip) = (2f64.powi(k), clip);
                    tried(layer, &change, &mut best, &mut most);
                }
            }
            for shift in -1..=1 {
                for f in (50..=200).step_by(5) {
                    let change =
                        |s: &mut Setting| (s.shift, s.threshold) = (shift, f64::from(f) / 100.0);
                    tried(layer, &change, &mut best, &mut most);
                }
            }
        }
    }
    best
}

fn main() {
    let n: u32 = std::env::args()
        .nth(1)
        .and_then(|a| a.parse().ok())
        .unwrap_or(100);
    let net = network();
    let compiled = compile_for(&net, "xylo-audio2").unwrap_or_else(|e| panic!("{e}"));
    let model = model(&net, &compiled);
    let inputs: Vec<_> = (1..=n).map(drawn).collect();
    verify(&net, &compiled, &model, &inputs);
    let run = |m: &Model, on: On| -> Vec<Seen> { inputs.iter().map(|i| play(m, &on, i)).collect() };
    let ideal = run(&model, [false; 6]);
    let outputs = model.output.current.len();
    let total: usize = ideal.iter().map(|s| s.hidden.len()).sum();
    println!(
        "{n} inputs of {STEPS} steps; {total} hidden spikes in the ideal network, reset to zero"
    );
    let row = |name: &str, m: &Model, on: On| line(name, compare(&ideal, &run(m, on), outputs));
    head("difference lifted, all others as on the chip");
    row("none: the chip", &model, [true; 6]);
    for (k, cause) in CAUSES.iter().enumerate() {
        let mut on = [true; 6];
        on[k] = false;
        row(cause, &model, on);
    }
    head("difference alone");
    for (k, cause) in CAUSES.iter().enumerate() {
        let mut on = [false; 6];
        on[k] = true;
        row(cause, &model, on);
    }
    head("settings on the chip");
    row("plain rounding", &model, [true; 6]);
    for factor in [4.0, 16.0, 64.0] {
        let mut set = [PLAIN; 2];
        set[0].factor = factor;
        if let Some(m) = with(&model, set) {
            let name = format!("hidden factor {factor} times larger, biases clipped");
            row(&name, &m, [true; 6]);
        }
    }
    let others: Vec<_> = OTHERS.map(drawn).collect();
    let best = searched(&model, &others);
    let found = with(&model, best).expect("what was searched");
    row("searched on 20 other inputs", &found, [true; 6]);
    println!("\nhidden {:?}\noutput {:?}", best[0], best[1]);
    let other: Vec<Seen> = {
        let mut on = [false; 6];
        on[RESET] = true;
        run(&model, on)
    };
    let chip = run(&model, [true; 6]);
    head("against the same network with reset by subtraction");
    line("plain rounding", compare(&other, &chip, outputs));
}
