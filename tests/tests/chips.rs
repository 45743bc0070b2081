//! Networks of other makers on chips, and what chips say of networks that do not fit: the limit, the amount, the place and the remedy.

use std::collections::BTreeSet;
use synfire_compiler::frontend::{LoadOptions, NoFiles, load as load_file};
use synfire_compiler::nir::{NirOptions, Reset};
use synfire_ir::network::{Network, Verified};
use synfire_ir::{Class, Diagnostic};
use synfire_runtime::session::Choice;
use synfire_tests::binary::root;
use synfire_tests::compare::{Spikes, compile_for, input, load, run_artifact, run_ideal};

/// A network, its input as (sample, step, population, neuron), and the steps of its run.
type Case = (Verified<Network>, Vec<(u32, u32, u32, u32)>, u32);

/// The braille network of the NIR paper (Pedersen et al. 2024): 12 inputs, recurrent CubaLIF, CubaLIF outputs; with its input spikes.
fn braille() -> Case {
    braille_with(Reset::Subtract)
}

fn braille_with(reset: Reset) -> Case {
    let folder = root().join("tests/nir/data");
    let bytes = std::fs::read(folder.join("braille_noDelay_bias_zero.nir")).expect("the graph");
    let text = std::fs::read_to_string(folder.join("golden/braille_bias_subtract.json"));
    let run: serde_json::Value = serde_json::from_str(&text.expect("its run")).expect("JSON");
    let options = LoadOptions {
        nir: NirOptions {
            dt: run["dt"].as_f64(),
            reset,
            ..NirOptions::default()
        },
        ..LoadOptions::default()
    };
    let net = load_file("braille.nir", &bytes, &NoFiles, &options).network;
    let net = net.unwrap_or_else(|e| panic!("{e}"));
    let source = net
        .populations()
        .position(|(_, p)| p.name == "input")
        .expect("an input") as u32;
    let events = run["input_events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|e| {
            let word = |k: usize| e[k].as_u64().expect("a number") as u32;
            (0, word(0), source, word(1))
        });
    (
        net,
        events.collect(),
        run["steps"].as_u64().expect("steps") as u32,
    )
}

/// Spikes of each neuron that either run has, and how many steps on average they differ in number.
fn counts(spikes: &Spikes, steps: u32, neurons: u32) -> Vec<f64> {
    let mut n = vec![0.0; neurons as usize];
    spikes.iter().for_each(|s| n[s.3 as usize] += 1.0);
    n.iter().map(|x| x / f64::from(steps)).collect()
}

#[test]
fn nir_networks_on_xylo() {
    let (net, events, steps) = braille();
    let data = input(&events, None);
    let ideal = run_ideal(&net, Choice::Cpu, &data, steps).unwrap_or_else(|e| panic!("{e}"));
    let last = ideal.iter().map(|s| s.2).max().expect("the network spikes");
    let ideal: Spikes = ideal.into_iter().filter(|s| s.2 == last).collect();
    for target in ["xylo-audio2", "xylo-audio3"] {
        let compiled = compile_for(&net, target).unwrap_or_else(|e| panic!("{target}: {e}"));
        let codes: BTreeSet<&str> = compiled
            .warnings
            .0
            .iter()
            .map(|w| w.code.as_str())
            .collect();
        assert!(codes.contains("SYN0645"), "decays are shifts: {codes:?}");
        let notes: Vec<&String> = compiled.warnings.0.iter().flat_map(|w| &w.notes).collect();
        let early =
            |n: &&&String| n.contains("constant input acts a step before") && n.contains('%');
        assert_eq!(notes.iter().filter(early).count(), 1, "{notes:?}");
        let layers = compiled.report["quantisation"]["layers"]
            .as_array()
            .expect("layers")
            .clone();
        assert_eq!(layers.len(), 2);
        for l in &layers {
            let rms = l["relative_rms"].as_f64().expect("an error");
            assert!(rms > 0.0 && rms < 0.05, "{target}: {l}");
            assert_eq!(l["clipped"], 0, "{target}: {l}");
        }
        let bytes = compiled
            .artifact
            .to_bytes()
            .unwrap_or_else(|e| panic!("{e}"));
        let [cpu, gpu] = [Choice::Cpu, Choice::Gpu].map(|c| {
            run_artifact(&bytes, c, &data, steps).unwrap_or_else(|e| panic!("{target}: {e}"))
        });
        assert_eq!(cpu, gpu, "{target}");
        let (a, b) = (counts(&ideal, steps, 7), counts(&cpu, steps, 7));
        let difference: f64 = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).sum();
        println!(
            "{target}: {} spikes of the network, {} of the chip; rates {a:.3?} {b:.3?}",
            ideal.len(),
            cpu.len()
        );
        assert!(
            !cpu.is_empty() && difference < 0.5 * a.iter().sum::<f64>(),
            "{target}: {a:?} {b:?}"
        );
    }
}

/// What compiling `body` for a target says first.
fn refused(target: &str, body: &str) -> Diagnostic {
    let net = load(body).unwrap_or_else(|e| panic!("{e}\n{body}"));
    let mut found = compile_for(&net, target).expect_err(body);
    let d = found.0.remove(0);
    assert_eq!(d.class, Class::Fit, "{d:?}");
    assert!(!d.hints.is_empty(), "no remedy: {d:?}");
    assert!(d.fields.iter().any(|f| f.0 == "limit"), "no limit: {d:?}");
    d
}

fn limit(d: &Diagnostic) -> (String, String) {
    let limit = d.fields.iter().find(|f| f.0 == "limit").expect("asserted");
    (d.code.clone(), limit.1.clone())
}

fn said(target: &str, body: &str) -> (String, String) {
    limit(&refused(target, body))
}

fn pair(code: &str, limit: &str) -> (String, String) {
    (code.into(), limit.into())
}

/// A Xylo network of `inputs` channels, `hidden` and `out` neurons, and further lines.
fn xylo(chip: &str, inputs: u32, hidden: u32, out: u32, weight: i32, more: &str) -> String {
    format!(
        "use targets.{chip}.{{Xylo, XyloOut}}\nnetwork N {{\n  step 1 ms\n  source x: events[{inputs}]\n  pop h: Xylo[{hidden}] {{ thr = 100, dm = 3, d1 = 2 }}\n  \
         pop o: XyloOut[{out}] {{ thr = 100, dm = 3, d1 = 2 }}\n  connect x -> h.syn1 : all_to_all {{ weight = 3 }}\n  connect h -> o.syn1 : all_to_all {{ weight = {weight}, delay = 1 ms }}\n{more}}}\n"
    )
}

const OUT: &str = "  record o.spikes\n";

#[test]
fn what_xylo_says() {
    let two = |i, h, o, w, more: &str| said("xylo-audio2", &xylo("xylo_audio2", i, h, o, w, more));
    assert_eq!(two(17, 4, 2, 3, OUT), pair("SYN0614", "inputs"));
    assert_eq!(two(4, 1001, 2, 3, OUT), pair("SYN0614", "neurons_per_core"));
    assert_eq!(two(4, 1100, 2, 3, OUT), pair("SYN0632", "cores"));
    assert_eq!(two(4, 10, 9, 3, OUT).0, "SYN0634");
    assert_eq!(
        two(4, 4, 2, 3, "  record (h.spikes, o.spikes)\n"),
        pair("SYN0613", "connectivity")
    );
    assert_eq!(
        two(
            4,
            10,
            2,
            3,
            "  connect x -> o.syn1 : all_to_all { weight = 1 }\n  record o.spikes\n"
        ),
        pair("SYN0613", "connectivity")
    );
    assert_eq!(
        two(
            4,
            10,
            2,
            3,
            "  connect o -> h.syn1 : all_to_all { weight = 1, delay = 1 ms }\n  record o.spikes\n"
        ),
        pair("SYN0613", "connectivity")
    );
    assert_eq!(
        two(
            4,
            10,
            2,
            3,
            "  connect h -> h.syn1 : all_to_all { weight = 1, delay = 3 ms }\n  record o.spikes\n"
        ),
        pair("SYN0633", "delay")
    );
    assert_eq!(
        two(
            4,
            65,
            2,
            3,
            "  connect h -> h.syn1 : all_to_all { weight = 1, delay = 1 ms }\n  record o.spikes\n"
        ),
        pair("SYN0614", "fan_out")
    );
    assert_eq!(two(4, 10, 2, 129, OUT), pair("SYN0610", "weight shift"));
    assert_eq!(two(4, 10, 2, 40_000, OUT), pair("SYN0625", "weights"));
    let three = |h, more: &str| said("xylo-audio3", &xylo("xylo_audio3", 4, h, 2, 3, more));
    assert_eq!(three(129, OUT), pair("SYN0614", "input_expansion"));
    let zero = xylo("xylo_audio2", 4, 10, 2, 3, OUT).replace("thr = 100", "thr = 0");
    assert_eq!(said("xylo-audio2", &zero), pair("SYN0624", "thr"));
    let d = refused("xylo-audio2", &xylo("xylo_audio2", 17, 4, 2, 3, OUT));
    assert!(
        d.message.contains("17") && d.message.contains("16"),
        "{d:?}"
    );
}

#[test]
fn what_odin_says() {
    let net = |n: u32, weight: i32, thr: u32| {
        format!(
            "use targets.odin.OdinLif\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  pop a: OdinLif[{n}] {{ thr = {thr} }}\n  connect x -> a : all_to_all {{ weight = {weight} }}\n}}\n"
        )
    };
    assert_eq!(said("odin", &net(4, 8, 9)), pair("SYN0625", "weights"));
    assert_eq!(said("odin", &net(257, 3, 9)).0, "SYN0632");
    assert_eq!(said("odin", &net(4, 3, 0)), pair("SYN0624", "thr"));
    let lif = "use std.neurons.Lif\nnetwork N {\n  step 1 ms\n  source x: events[4]\n  pop a: Lif[3]\n  connect x -> a : all_to_all { weight = 0.5 }\n}\n";
    assert_eq!(said("odin", lif), pair("SYN0624", "leak"));
    let inhibited = "use std.neurons.If\nnetwork N {\n  step 1 ms\n  source x: events[4]\n  pop a: If[3] { v_th = 20 }\n  connect x -> a : all_to_all { weight = -1 }\n}\n";
    assert_eq!(said("odin", inhibited), pair("SYN0624", "potential"));
}

/// Braille on the chip: spikes of the network's outputs and of the chip's, on both engines alike.
fn braille_on(target: &str, reset: Reset) -> (Spikes, Spikes, u32) {
    let (net, events, steps) = braille_with(reset);
    let data = input(&events, None);
    let ideal = run_ideal(&net, Choice::Cpu, &data, steps).unwrap_or_else(|e| panic!("{e}"));
    let compiled = compile_for(&net, target).unwrap_or_else(|e| panic!("{target}: {e}"));
    let bytes = compiled.artifact.to_bytes();
    let bytes = bytes.unwrap_or_else(|e| panic!("{e}"));
    let [cpu, gpu] = [Choice::Cpu, Choice::Gpu]
        .map(|c| run_artifact(&bytes, c, &data, steps).unwrap_or_else(|e| panic!("{target}: {e}")));
    assert_eq!(cpu, gpu, "{target}");
    (ideal, cpu, steps)
}

/// Decays of 12 bits and weights with an exponent a population come close to the network; only the reset differs.
#[test]
fn nir_networks_on_loihi() {
    for target in ["loihi", "loihi:lava"] {
        let (ideal, chip, steps) = braille_on(target, Reset::Zero);
        let each = |s: &Spikes, pop: u32| {
            counts(
                &s.iter().filter(|x| x.2 == pop).copied().collect(),
                steps,
                64,
            )
        };
        let pops: BTreeSet<u32> = ideal.iter().map(|s| s.2).collect();
        let (mut wrong, mut all) = (0.0, 0.0);
        for &p in &pops {
            let (a, b) = (each(&ideal, p), each(&chip, p));
            wrong += a.iter().zip(&b).map(|(x, y)| (x - y).abs()).sum::<f64>();
            all += a.iter().sum::<f64>();
        }
        println!(
            "{target}: {} spikes of the network, {} of the chip, rates differ by {:.1} %",
            ideal.len(),
            chip.len(),
            100.0 * wrong / all
        );
        assert!(all > 0.0 && wrong < 0.1 * all, "{target}: {wrong} of {all}");
    }
}

#[test]
fn what_loihi_says() {
    let net = |model: &str, n: u32, weight: i32, fields: &str, more: &str| {
        format!(
            "use targets.loihi.{model}\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  pop a: {model}[{n}] {{ {fields} }}\n  connect x -> a : all_to_all {{ weight = {weight} }}\n{more}}}\n"
        )
    };
    let fine = "vth = 100";
    assert_eq!(
        said("loihi", &net("Loihi", 4, 511, fine, "")),
        pair("SYN0610", "weights")
    );
    assert_eq!(
        said("loihi", &net("Loihi", 4, 40_000, fine, "")),
        pair("SYN0625", "weights")
    );
    assert_eq!(
        said("loihi", &net("Loihi", 4, 3, "vth = 0", "")),
        pair("SYN0624", "vth")
    );
    assert_eq!(
        said("loihi", &net("Loihi", 4, 3, "vth = 9, bias = 4097", "")),
        pair("SYN0624", "bias")
    );
    assert_eq!(
        said("loihi", &net("Loihi", 4, 3, "vth = 9, vmin = -5", "")),
        pair("SYN0624", "vmin")
    );
    assert_eq!(
        said("loihi", &net("LavaLif", 4, 3, fine, "")),
        pair("SYN0624", "model")
    );
    assert_eq!(
        said("loihi:lava", &net("Loihi", 4, 3, fine, "")),
        pair("SYN0624", "model")
    );
    let slow = "  connect a -> a : all_to_all { weight = 1, delay = 64 ms }\n";
    assert_eq!(
        said("loihi", &net("Loihi", 4, 3, fine, slow)),
        pair("SYN0633", "delay")
    );
    let thresholds: String = (0..8).map(|k| format!("  pop p{k}: Loihi[2] {{ vth = {} }}\n  connect x -> p{k} : all_to_all {{ weight = 1 }}\n", 10 + k)).collect();
    let d = refused("loihi", &net("Loihi", 4, 3, fine, &thresholds));
    assert_eq!(limit(&d), pair("SYN0614", "threshold profiles"));
    assert!(d.message.contains('9') && d.message.contains('7'), "{d:?}");
}

/// The network of the comparison with other emulators spikes as in their document.
#[test]
fn the_benchmark_of_loihi() {
    use std::sync::Arc;
    use synfire_runtime::engine::{self, Options, Record};
    let target = synfire_targets::find("loihi").unwrap_or_else(|e| panic!("{e}"));
    let backend = target.chip.backend().expect("it has code");
    let list = backend
        .benchmarks("nengo")
        .unwrap_or_else(|e| panic!("{e}"));
    let bench = list.into_iter().next().expect("a network");
    let (first, all) = (12, 100);
    let events = (bench.input)(all, 0).into_iter();
    let input = synfire_runtime::session::native(events.map(|(step, e)| (0, step, e)));
    let mut e = engine::open("cpu", Arc::new(bench.program), &Options::default())
        .unwrap_or_else(|e| panic!("{e}"));
    let mut record = Record::default();
    e.advance(all, &input, &mut record, &synfire_ir::Quiet)
        .unwrap_or_else(|e| panic!("{e}"));
    let at = |step: u32| record.spikes.iter().filter(|s| s.step == step).count();
    assert_eq!(
        (0..first).map(at).collect::<Vec<_>>(),
        [0, 0, 1, 17, 38, 38, 35, 39, 51, 47, 56, 41]
    );
    assert_eq!(record.spikes.len(), 4455);
    let events = e
        .counters()
        .unwrap_or_else(|e| panic!("{e}"))
        .synaptic_events;
    assert_eq!(events, 1_309_288);
}

/// The convolutional network of the NIR paper (Pedersen et al. 2024), with the input of its reference run.
#[test]
fn the_conv_network_on_a_chip_of_layers() {
    let folder = root().join("tests/nir/data");
    let bytes = std::fs::read(folder.join("cnn_sinabs.nir")).expect("the graph");
    let text = std::fs::read_to_string(folder.join("golden/cnn_sinabs_zero.json"));
    let run: serde_json::Value = serde_json::from_str(&text.expect("its run")).expect("JSON");
    let options = LoadOptions {
        nir: NirOptions {
            dt: run["dt"].as_f64(),
            reset: Reset::Zero,
            ..NirOptions::default()
        },
        ..LoadOptions::default()
    };
    let net = load_file("cnn.nir", &bytes, &NoFiles, &options).network;
    let net = net.unwrap_or_else(|e| panic!("{e}"));
    let compiled = compile_for(&net, "speck2f").unwrap_or_else(|e| panic!("{e}"));
    let seats: Vec<_> = compiled.report["cores"]
        .as_array()
        .expect("cores")
        .iter()
        .collect();
    assert_eq!(seats.len(), 5, "{seats:?}");
    let source = net.populations().position(|(_, p)| p.name == "input");
    let events = run["input_events"].as_array().expect("events").iter();
    let word = |e: &serde_json::Value, k: usize| e[k].as_u64().expect("a number") as u32;
    let source = source.expect("an input") as u32;
    let events: Vec<_> = events
        .map(|e| (0, word(e, 0), source, word(e, 1)))
        .collect();
    let data = input(&events, None);
    let bytes = compiled
        .artifact
        .to_bytes()
        .unwrap_or_else(|e| panic!("{e}"));
    let steps = 5;
    let [cpu, gpu] = [Choice::Cpu, Choice::Gpu]
        .map(|c| run_artifact(&bytes, c, &data, steps).unwrap_or_else(|e| panic!("{e}")));
    assert!(cpu.len() > 500, "{} spikes", cpu.len());
    assert_eq!(cpu, gpu);
}
