//! The lowered program, run by the IR's scalar evaluator, against the golden vectors and the scalar model.

use crate::networks::{Random, golden_files, legal, packets};
use crate::reference::Grid;
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire_ir::artifact::{Section, SectionKind};
use synfire_ir::program::{GroupKind, Observable, Program, Reference, check};
use synfire_targets::backend::{NativeInput, Observed};
use synfire_targets::ranc::{
    BACKEND, Config, DROPPED_TICK, Dialect, NEURONS, OUTPUTS, Packet, encode, lower, packet_unit,
    probe_neurons,
};

/// Runs a program in the IR's reference evaluator and reads its probes.
pub fn run(program: &Program, input: &[(u32, NativeInput)], steps: u32) -> Observed {
    assert!(check(program).is_empty(), "{}", check(program));
    let mut due: BTreeMap<u32, Vec<(u32, u32, u32)>> = BTreeMap::new();
    for &(step, event) in input {
        let NativeInput::Event {
            group,
            unit,
            payload,
            delay,
        } = event
        else {
            panic!("no stepped event")
        };
        due.entry(step + delay)
            .or_default()
            .push((group, unit, payload));
    }
    let mut engine = Reference::new(program, 0);
    let mut seen = Observed::default();
    for step in 0..steps {
        let emitted = engine.step(due.get(&step).map_or(&[], |l| l));
        for (k, probe) in program.probes.iter().enumerate() {
            match probe.what {
                Observable::Events => {
                    let list = seen.events.entry(k as u32).or_default();
                    list.extend(
                        emitted[probe.group as usize]
                            .iter()
                            .map(|&(u, x)| (step, u, x)),
                    );
                }
                Observable::Synapse { .. } => panic!("nothing learns here"),
                Observable::State(s) => {
                    let words = engine.state[probe.group as usize][s as usize].clone();
                    seen.traces.entry(k as u32).or_default().push((step, words));
                }
            }
        }
    }
    seen.state = engine.state;
    seen
}

#[test]
fn the_program_matches_every_golden_vector() {
    let mut passed = 0;
    for (name, text) in golden_files() {
        let vector = serde_json::from_slice(&text).expect("JSON");
        let case = BACKEND
            .golden(&vector, &|_| None)
            .expect("a vector of this chip")
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        let seen = run(&case.program, &case.input, case.steps);
        (case.check)(&seen).unwrap_or_else(|e| panic!("{name}: {e}"));
        // The check looks at everything it is given.
        let mut wrong = seen.clone();
        // The simulator never shows the spikes of the last tick, so the first ones go.
        wrong.events.values_mut().for_each(|l| {
            l.remove(0);
        });
        assert!((case.check)(&wrong).is_err(), "{name}: lost spikes pass");
        let mut wrong = seen;
        wrong.state[NEURONS as usize][0][0] ^= 1;
        assert!(
            (case.check)(&wrong).is_err(),
            "{name}: a changed potential passes"
        );
        passed += 1;
    }
    assert!(passed >= 19);
    assert!(
        BACKEND
            .golden(
                &serde_json::json!({"format": "synfire-golden-odin-1"}),
                &|_| None
            )
            .is_none()
    );
    let broken = serde_json::json!({"format": "synfire-golden-ranc-1"});
    assert!(
        BACKEND
            .golden(&broken, &|_| None)
            .expect("claimed")
            .is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_program_equals_the_scalar_model(config in legal(), seed in any::<u64>()) {
        let ticks = 24;
        let input = packets(&config, ticks, &mut Random(seed));
        let mut program = lower(&config).expect("legal");
        let (spikes, potentials) = probe_neurons(&mut program);
        let mut events = vec![];
        for (k, list) in input.iter().enumerate() {
            for p in list.iter().filter(|p| p.tick != DROPPED_TICK) {
                events.push((k as u32, event(&program, *p)));
            }
        }
        let seen = run(&program, &events, ticks as u32);
        let want = Grid::new(&config).run(&input, ticks);
        let first: Vec<u32> = config.cores.iter().scan(0, |n, c| { let f = *n; *n += c.neurons.len() as u32; Some(f) }).collect();
        let mut fired: Vec<(u32, u32)> = vec![];
        for (t, list) in want.spikes.iter().enumerate() {
            fired.extend(list.iter().map(|&(c, i)| (t as u32, first[c as usize] + i)));
        }
        let got: Vec<_> = seen.events[&spikes].iter().map(|e| (e.0, e.1)).collect();
        prop_assert_eq!(got, fired);
        let outputs: Vec<_> = want.outputs.iter().enumerate().flat_map(|(t, l)| l.iter().map(move |&o| (t as u32, o, 1))).collect();
        prop_assert_eq!(&seen.events[&0], &outputs);
        for (t, (_, words)) in seen.traces[&potentials].iter().enumerate() {
            let words: Vec<i32> = words.iter().map(|&w| w as i32).collect();
            let all: Vec<i32> = config.cores.iter().flat_map(|c| want.potentials[t][&(c.x, c.y)].clone()).collect();
            prop_assert_eq!(words, all, "after tick {}", t);
        }
    }
}

fn event(program: &Program, p: Packet) -> NativeInput {
    let emulation = synfire_targets::backend::Emulation {
        weights: vec![],
        program: program.clone(),
        outputs: vec![],
    };
    BACKEND.input(&emulation, p.to_native()).expect("a packet")
}

#[test]
fn packets_find_their_axons() {
    let (name, text) = golden_files()
        .into_iter()
        .find(|f| f.0 == "sim_r04_4x4.json")
        .expect("shipped");
    let config = synfire_targets::ranc::golden::Golden::parse(&name, &text)
        .expect("legal")
        .config;
    let program = lower(&config).expect("legal");
    let nowhere = program.groups[1].size;
    let mut found = 0;
    for y in 0..4 {
        for x in 0..4 {
            for axon in 0..8 {
                let p = Packet {
                    x,
                    y,
                    axon,
                    tick: 3,
                };
                let effective = config.core_at(x, y).is_some_and(|c| {
                    let core = &config.cores[c];
                    (0..core.neurons.len()).any(|i| {
                        core.connections.get(i, axon.into())
                            && core.neurons[i].weights[core.axon_type(axon.into()) as usize] != 0
                    })
                });
                assert_eq!(packet_unit(&program, p) != nowhere, effective, "{p:?}");
                assert_eq!(Packet::from_native(p.to_native()), Some(p));
                found += u32::from(effective);
            }
        }
    }
    assert_eq!(found, nowhere);
    assert_eq!(program.groups[0].size, nowhere + 1);
    assert_eq!(Packet::from_native(1 << 40), None);
}

#[test]
fn native_images_become_emulations() {
    let (name, text) = golden_files()
        .into_iter()
        .find(|f| f.0 == "rtl_q5.json")
        .expect("shipped");
    let config = synfire_targets::ranc::golden::Golden::parse(&name, &text)
        .expect("legal")
        .config;
    let sections: Vec<Section> = encode(&config)
        .expect("legal")
        .into_iter()
        .map(|(name, bytes)| Section {
            kind: SectionKind::Native,
            name,
            bytes,
        })
        .collect();
    let borrowed: Vec<&Section> = sections.iter().collect();
    let emulation = BACKEND.decode("rtl", &borrowed).expect("own image");
    assert_eq!(emulation.program, lower(&config).expect("legal"));
    assert_eq!(emulation.outputs, [(0, (0..16).collect::<Vec<u64>>())]);
    assert_eq!(emulation.program.groups[OUTPUTS as usize].size, 16);
    assert!(BACKEND.decode("sim", &borrowed).is_err());
    assert_eq!(
        BACKEND
            .decode("verilog", &borrowed)
            .expect_err("no dialect")
            .0[0]
            .code,
        "SYN0602"
    );
    let dropped = Packet {
        x: 0,
        y: 0,
        axon: 1,
        tick: 15,
    };
    assert_eq!(BACKEND.input(&emulation, dropped.to_native()), None);
}

#[test]
fn both_widths_are_in_the_model() {
    let mut config: Config = {
        let (name, text) = golden_files()
            .into_iter()
            .find(|f| f.0 == "rtl_q0.json")
            .expect("shipped");
        synfire_targets::ranc::golden::Golden::parse(&name, &text)
            .expect("legal")
            .config
    };
    let rtl = lower(&config).expect("legal");
    config.dialect = Dialect::Sim;
    config.widths = synfire_targets::ranc::Widths::SIM;
    let sim = lower(&config).expect("legal");
    // Whether a sum of 256 stays as it is or becomes -256 is the width.
    let potential = |p: &Program| {
        let reads = Neuron { syn: 256 };
        let mut values = vec![];
        let block = &p.models[1].step;
        synfire_ir::eval::run_block(block, &reads, &mut values);
        values[block.stores[0].1 as usize] as i32
    };
    assert_eq!((potential(&sim), potential(&rtl)), (256, -256));
    let parameters = |p: &Program| p.models[1].params.len();
    assert_eq!((parameters(&sim), parameters(&rtl)), (6, 6));
    assert!(matches!(
        rtl.groups[NEURONS as usize].kind,
        GroupKind::Units { model: 1, .. }
    ));
}

/// A neuron at rest with thresholds that nothing reaches, and `syn` arriving.
struct Neuron {
    syn: i32,
}

impl synfire_ir::eval::Reads for Neuron {
    fn param(&self, i: u16) -> u32 {
        [1000, -1000i32 as u32, 0, 0, 0, 0][i as usize]
    }
    fn state(&self, _: u16) -> u32 {
        0
    }
    fn port(&self, _: u16) -> u32 {
        self.syn as u32
    }
    fn arg(&self) -> u32 {
        0
    }
    fn step(&self) -> u32 {
        0
    }
    fn index(&self) -> u32 {
        0
    }
    fn rand(&self, _: u16) -> u32 {
        0
    }
}
