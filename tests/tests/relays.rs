//! Populations that a chip's outputs cannot be, read through output neurons of their own: every spike at its step, on both engines, under the population's name.

use synfire_compiler::frontend::{LoadOptions, NoFiles, load as load_file};
use synfire_compiler::nir::NirOptions;
use synfire_ir::artifact::Artifact;
use synfire_ir::network::{Network, Verified};
use synfire_ir::{Quiet, rng};
use synfire_runtime::session::{Choice, Plan};
use synfire_runtime::spikes::SpikeData;
use synfire_tests::binary::root;
use synfire_tests::compare::{Spikes, compile_for, input, load, run_artifact, run_ideal};

const STEPS: u32 = 300;

/// A driven population, in a loop with itself, and outputs behind it.
fn network(record: &str) -> Verified<Network> {
    let text = format!(
        "use std.neurons.Lif\nnetwork N {{\n  step 1 ms\n  source x: events[6]\n  pop h: Lif[4] {{ tau = 10 ms }}\n  pop out: Lif[2] {{ tau = 10 ms }}\n  connect x -> h.i : all_to_all {{ weight ~ uniform(1, 7) }}\n  connect h -> h.i : all_to_all {{ weight = -3, delay = 1 ms }}\n  connect h -> out.i : all_to_all {{ weight ~ uniform(4, 12), delay = 1 ms }}\n{record}}}\n"
    );
    load(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn drive() -> SpikeData {
    let chance = |step: u32, n: u32| rng::word(3, rng::DRIVE, 0, 0, step, n) >> 24 < 40;
    let all = (0..STEPS - 4).flat_map(|s| (0..6).map(move |n| (s, n)));
    let spikes: Vec<_> = all
        .filter(|&(s, n)| chance(s, n))
        .map(|(s, n)| (0, s, 0, n))
        .collect();
    input(&spikes, None)
}

/// Spikes of hidden neurons as the emulator has them inside, where no output shows them; one a step.
fn inside(net: &Verified<Network>, target: &str, data: &SpikeData) -> Spikes {
    let made = compile_for(net, target).unwrap_or_else(|e| panic!("{target}: {e}"));
    let bytes = made.artifact.to_bytes().unwrap_or_else(|e| panic!("{e}"));
    let artifact = Artifact::from_bytes("a", &bytes).unwrap_or_else(|e| panic!("{e}"));
    let found = synfire_targets::find(target).unwrap_or_else(|e| panic!("{e}"));
    let plan = Plan::artifact_inside(&artifact, found.chip.backend().expect("it has code"));
    let plan = plan.unwrap_or_else(|e| panic!("{e}"));
    let mut session = plan
        .open(Choice::Cpu, 1, 1)
        .unwrap_or_else(|e| panic!("{e}"));
    let ran = session.run(STEPS, data, 0, &Quiet);
    let ran = ran.unwrap_or_else(|e| panic!("{e}")).data;
    assert!(
        ran.spikes.iter().all(|s| s.value == 1.0),
        "several in one step"
    );
    let mut spikes: Spikes = (ran.spikes.iter())
        .map(|s| (s.sample, s.step, s.population, s.neuron))
        .collect();
    spikes.sort_unstable();
    spikes
}

/// Neurons that nothing records are seen inside on every chip, just as they are shown where they are recorded.
#[test]
fn hidden_neurons_are_seen_inside() {
    let text = |record: &str| {
        let text = format!(
            "use std.neurons.If\nnetwork N {{\n  step 1 ms\n  source x: events[6]\n  pop h: If[6] {{ v_th = 3 }}\n  pop out: If[6] {{ v_th = 2 }}\n  connect x -> h.i : one_to_one {{ weight = 2, delay = 1 ms }}\n  connect h -> out.i : one_to_one {{ weight = 2, delay = 1 ms }}\n{record}}}\n"
        );
        load(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
    };
    let data = drive();
    let all = text("  record h.spikes\n  record out.spikes\n");
    let (hidden, both) = (text("  record out.spikes\n"), all);
    for target in [
        "ranc:sim",
        "ranc:rtl",
        "tinyodin",
        "odin",
        "loihi:nengo",
        "loihi:lava",
    ] {
        let known = inside(&hidden, target, &data);
        let of = |p: u32| known.iter().filter(|s| s.2 == p).count();
        assert!(of(1) > 40 && of(2) > 40, "{target}: {known:?}");
        let made = compile_for(&both, target).unwrap_or_else(|e| panic!("{target}: {e}"));
        let bytes = made.artifact.to_bytes().unwrap_or_else(|e| panic!("{e}"));
        let shown = run_artifact(&bytes, Choice::Cpu, &data, STEPS);
        assert_eq!(shown.unwrap_or_else(|e| panic!("{e}")), known, "{target}");
    }
}

/// What relays show is what the neurons did, and the outputs do not change for it.
#[test]
fn relays_show_what_the_neurons_do() {
    let data = drive();
    for target in ["xylo-audio2", "xylo-audio3"] {
        let known = inside(&network("  record out.spikes\n"), target, &data);
        let hidden = known.iter().filter(|s| s.2 == 1).count();
        assert!(
            hidden > 40 && known.len() > hidden + 20,
            "{target}: {known:?}"
        );
        let made = compile_for(&network("  record h.spikes\n  record out.spikes\n"), target);
        let made = made.unwrap_or_else(|e| panic!("{target}: {e}"));
        let told: Vec<_> = (made.warnings.0.iter())
            .filter(|d| d.code == "SYN0649")
            .collect();
        assert_eq!(told.len(), 1, "{:?}", made.warnings);
        assert!(told[0].message.contains("`h`"), "{told:?}");
        let bytes = made.artifact.to_bytes().unwrap_or_else(|e| panic!("{e}"));
        for choice in [Choice::Cpu, Choice::Gpu] {
            let shown = run_artifact(&bytes, choice, &data, STEPS);
            assert_eq!(shown.unwrap_or_else(|e| panic!("{e}")), known, "{target}");
        }
    }
}

/// Eight outputs are all that there are: nine neurons to read are too many, and the refusal says so.
#[test]
fn outputs_are_counted() {
    let text = "use std.neurons.Lif\nnetwork N {\n  step 1 ms\n  source x: events[4]\n  pop h: Lif[9]\n  connect x -> h.i : all_to_all { weight = 0.5 }\n  record h.spikes\n}\n";
    let net = load(text).unwrap_or_else(|e| panic!("{e}"));
    let found = compile_for(&net, "xylo-audio2").expect_err("nine of eight");
    let d = &found.0[0];
    assert!(
        d.fields.contains(&("limit".into(), "outputs".into())),
        "{d}"
    );
    assert!(d.fields.contains(&("needed".into(), "9".into())), "{d}");
}

/// The single neurons of NIR's first task hear the input themselves and are the output as well.
#[test]
fn a_driven_output_of_nir_is_read() {
    for file in ["lif_norse.nir", "lif_rockpool.nir"] {
        let folder = root().join("examples/nir");
        let bytes = std::fs::read(folder.join(file)).expect("the graph");
        let options = LoadOptions {
            nir: NirOptions {
                dt: Some(1e-4),
                ..NirOptions::default()
            },
            ..LoadOptions::default()
        };
        let net = load_file(file, &bytes, &NoFiles, &options).network;
        let net = net.unwrap_or_else(|e| panic!("{file}: {e}"));
        let list = std::fs::read_to_string(folder.join("lif_input.csv")).expect("its input");
        let at = net.populations().position(|(_, p)| p.name == "input");
        let at = at.expect("an input") as u32;
        let steps = list.lines().skip(1).filter_map(|l| l.split(',').next());
        let events: Vec<_> = steps
            .filter_map(|s| Some((0, s.parse().ok()?, at, 0)))
            .collect();
        let data = input(&events, None);
        let ideal = run_ideal(&net, Choice::Cpu, &data, 400).unwrap_or_else(|e| panic!("{e}"));
        for target in ["xylo-audio2", "xylo-audio3"] {
            let made = compile_for(&net, target).unwrap_or_else(|e| panic!("{file}: {e}"));
            let bytes = made.artifact.to_bytes().unwrap_or_else(|e| panic!("{e}"));
            let [cpu, gpu] = [Choice::Cpu, Choice::Gpu]
                .map(|c| run_artifact(&bytes, c, &data, 400).unwrap_or_else(|e| panic!("{e}")));
            assert_eq!(cpu, gpu, "{file}");
            // Decays are shifts there, so that spikes shift by a few steps.
            let near = |s: &&(u32, u32, u32, u32)| cpu.iter().any(|c| c.1.abs_diff(s.1) <= 2);
            let found = ideal.iter().filter(near).count();
            println!(
                "{file} {target}: {found} of {} within 2 steps, {} on the chip",
                ideal.len(),
                cpu.len()
            );
            assert!(
                ideal.len() > 25 && found * 10 >= ideal.len() * 6,
                "{ideal:?}\n{cpu:?}"
            );
            assert!(cpu.len().abs_diff(ideal.len()) < 6, "{ideal:?}\n{cpu:?}");
        }
    }
}
