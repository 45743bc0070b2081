//! tinyODIN against its golden vectors, its own bytes, its model in the language, and a mapping written by hand.

use super::lower::neuron_model;
use super::*;
use crate::backend::{Emulation, NativeInput, Observed, Refusal, Reset, UnitDynamics};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire_ir::artifact::Section;
use synfire_ir::eval::{Reads, run_block};
use synfire_ir::mapping::{self, Axon, Core, Input, Mapping, Route, Synapse, UnitRef};
use synfire_ir::model::Block;
use synfire_ir::program::{Discipline, Loopback, Program, Reference, SerialEvent, check};

fn golden_files() -> Vec<(String, serde_json::Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tinyodin/golden");
    let mut list: Vec<_> = std::fs::read_dir(folder)
        .expect("golden vectors")
        .map(|f| f.expect("readable").path())
        .collect();
    list.sort();
    let read = |p: &std::path::PathBuf| {
        let text = std::fs::read_to_string(p).expect("readable");
        let name = p.file_name().expect("a file").to_string_lossy();
        (name.into(), serde_json::from_str(&text).expect("JSON"))
    };
    list.iter().map(read).collect()
}

/// Runs a serial program in the IR's reference evaluator.
fn run(program: &Program, input: &[(u32, NativeInput)], steps: u32) -> Observed {
    assert!(check(program).is_empty(), "{}", check(program));
    let mut due: BTreeMap<u32, Vec<SerialEvent>> = BTreeMap::new();
    for &(step, event) in input {
        match event {
            NativeInput::Serial(e) => due.entry(step).or_default().push(e),
            other => panic!("{other:?}"),
        }
    }
    let mut engine = Reference::new(program, 0);
    for step in 0..steps {
        engine.serial_step(due.get(&step).map_or(&[], |l| l));
    }
    Observed {
        serial: engine.out.clone(),
        state: engine.state,
        ..Observed::default()
    }
}

#[test]
fn every_golden_vector_passes() {
    let files = golden_files();
    assert_eq!(files.len(), 13);
    let mut spikes = 0;
    for (name, json) in files {
        let case = BACKEND.golden(&json).expect("the format is known");
        let case = case.unwrap_or_else(|e| panic!("{name}: {e}"));
        let seen = run(&case.program, &case.input, case.steps);
        spikes += seen.serial.len();
        (case.check)(&seen).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    assert_eq!(spikes, 634, "outputs of all vectors together");
}

#[test]
fn changed_vectors_fail_where_they_were_changed() {
    let (_, json) = golden_files().swap_remove(0);
    let error = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut other = json.clone();
        change(&mut other);
        match BACKEND.golden(&other).expect("the format is known") {
            Err(e) => e,
            Ok(case) => {
                let seen = run(&case.program, &case.input, case.steps);
                (case.check)(&seen).expect_err("must differ")
            }
        }
    };
    let e = error(&|j| j["spi_words"][5] = "501000005f".into());
    assert!(e.contains("SPI word 5: expected \"501000005f\""), "{e}");
    let e = error(&|j| j["spi_sha256"] = "00".into());
    assert!(e.contains("SHA-256"), "{e}");
    let e = error(&|j| j["final_core"][3] = 4000.into());
    assert!(e.starts_with("final potentials"), "{e}");
    let e = error(&|j| j["aer_out_per_event"][7] = vec![1, 2, 3, 250].into());
    assert!(e.starts_with("output of event 7"), "{e}");
    let e = error(&|j| j["aer_in"][0] = 0x400.into());
    assert!(e.contains("no AER event 0x400"), "{e}");
    let e = error(&|j| j["network"]["neurons"][0][2] = 128.into());
    assert!(e.contains("SYN0610"), "{e}");
    assert!(error(&|j| j["network"] = 7.into()).contains("invalid type"));
    assert!(
        BACKEND
            .golden(&serde_json::json!({"format": "x"}))
            .is_none()
    );
}

fn any_neuron() -> impl Strategy<Value = Neuron> {
    (-2048i16..=2047, 0u16..=4095, 0u8..=127, any::<bool>()).prop_map(
        |(core, thr, leak, disabled)| Neuron {
            core,
            thr,
            leak,
            disabled,
        },
    )
}

fn any_config() -> impl Strategy<Value = Config> {
    let size = prop_oneof![1usize..=9, 1usize..=256, Just(256)];
    (size, any::<bool>(), any::<bool>()).prop_flat_map(|(n, open_loop, aer_src_ctrl)| {
        let rows = btree_map(any::<u8>(), vec(-8i8..=7, n), 0..6);
        (vec(any_neuron(), n), rows).prop_map(move |(neurons, rows)| Config {
            open_loop,
            aer_src_ctrl,
            neurons,
            rows,
        })
    })
}

proptest! {
    #[test]
    fn streams_give_their_configuration_back(c in any_config()) {
        let bytes = encode(&c).expect("legal");
        prop_assert_eq!(decode("s", &bytes).expect("own stream"), c.clone());
        let program = lower(&c).expect("legal");
        prop_assert!(check(&program).is_empty(), "{}", check(&program));
    }

    /// Whatever is read is canonical: there is one stream for one configuration.
    #[test]
    fn damaged_streams_are_refused_or_canonical(
        c in any_config(),
        flips in vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = encode(&c).expect("legal");
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(other) = decode("s", &bytes) {
            prop_assert_eq!(encode(&other).expect("was read"), bytes);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..400)) {
        let found = decode("s", &bytes).expect_err("never a stream");
        prop_assert_eq!(&found.0[0].code, "SYN0721");
        prop_assert!(!found.0[0].hints.is_empty());
    }

    #[test]
    fn words_and_events_agree(w in 0u64..0x800, neurons in 1u32..=256) {
        if let Some(e) = event(w, neurons) {
            let back = word(&e, neurons).expect("an event of the chip");
            prop_assert_eq!(event(back, neurons), Some(e));
        }
    }
}

#[test]
fn streams_out_of_order_are_refused() {
    let config = Config {
        neurons: vec![Neuron::default(); 3],
        rows: [(4, vec![1, -2, 3]), (9, vec![0; 3])].into(),
        ..Config::default()
    };
    let bytes = encode(&config).expect("legal");
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut other = bytes.clone();
        change(&mut other);
        decode("s", &other)
            .expect_err("must be refused")
            .to_string()
    };
    let row = 5 * (4 + 12);
    let swapped = refused(&|b| b[row..row + 20].rotate_left(10));
    assert!(swapped.contains("writes row 4 after row 9"), "{swapped}");
    let twice = refused(&|b| b.copy_within(row..row + 10, row + 10));
    assert!(twice.contains("writes row 4 after row 4"), "{twice}");
    let beyond = refused(&|b| b[row + 9] |= 0x10);
    assert!(beyond.contains("after neuron 2 at 0"), "{beyond}");
    let masked = refused(&|b| b[row + 3] = 1);
    assert!(masked.contains("must write one byte to 60080"), "{masked}");
    let longer = refused(&|b| b.extend([0; 5]));
    assert!(longer.contains("1 words after"), "{longer}");
    let shorter = refused(&|b| b.truncate(b.len() - 5));
    assert!(shorter.contains("the stream ends where"), "{shorter}");
    assert!(refused(&|b| b.truncate(7)).contains("7 bytes"));
    assert!(refused(&|b| b.resize(5_000_000, 0)).contains("5000000 bytes"));
}

#[test]
fn words_of_the_aer_port() {
    let step = |first, last| Some(SerialEvent::Step { first, last });
    let row = |pre| Some(SerialEvent::Row { pre });
    assert_eq!(event(0x1FF, 9), step(0, 8));
    assert_eq!(event(0x3FF, 256), step(0, 255));
    assert_eq!(event(0x108, 9), step(8, 8));
    assert_eq!(event(0x109, 9), None);
    assert_eq!(event(0x0FE, 9), row(254));
    assert_eq!(event(0x20B, 9), row(11));
    assert_eq!(event(0x28B, 9), None);
    assert_eq!(event(0x400, 9), None);
    let direct = SerialEvent::Direct {
        port: SYN,
        value: -8,
        first: 3,
        last: 3,
        queued: true,
    };
    assert_eq!(event(0x283, 9), Some(direct));
    assert_eq!(word(&direct, 9), Some(0x283));
    assert_eq!(word(&SerialEvent::Step { first: 1, last: 2 }, 9), None);
    assert_eq!(word(&SerialEvent::Row { pre: 256 }, 9), None);
}

/// One unit as blocks see it.
struct Unit {
    v: i32,
    w: i32,
    params: [u32; 3],
}

impl Reads for Unit {
    fn param(&self, i: u16) -> u32 {
        self.params[i as usize]
    }
    fn state(&self, _: u16) -> u32 {
        self.v as u32
    }
    fn port(&self, _: u16) -> u32 {
        0
    }
    fn arg(&self) -> u32 {
        self.w as u32
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

/// New potential and payload.
fn update(block: &Block, unit: &Unit) -> (i32, u32) {
    let mut values = vec![];
    run_block(block, unit, &mut values);
    let (_, v) = block.stores[0];
    let emit = block.emit.map_or(0, |e| values[e as usize]);
    (values[v as usize] as i32, emit)
}

#[test]
fn the_model_in_the_language_is_the_lowered_one() {
    use synfire_lang::model::{ModelContext, lower_neuron};
    use synfire_lang::syntax::{parse, tree};
    let (file, mut found) = parse(0, include_str!("model.syn"));
    let neuron = file.items.iter().find_map(|i| match i {
        tree::Item::Neuron(n) => Some(n),
        _ => None,
    });
    let context = ModelContext {
        name: "targets.tinyodin.TinyOdin",
        dt: None,
        lets: &BTreeMap::new(),
    };
    let text = lower_neuron(neuron.expect("a neuron"), &context, &mut found);
    let text = text.unwrap_or_else(|| panic!("{found}")).model;
    let own = neuron_model();
    let names = |m: &synfire_ir::model::Model| -> Vec<String> {
        let params = m.params.iter().map(|p| p.name.clone());
        let states = m.states.iter().map(|s| s.name.clone());
        let ports = m.ports.iter().map(|p| p.name.clone());
        params.chain(states).chain(ports).collect()
    };
    assert_eq!(names(&text), names(&own));
    let mut spikes = [0; 2];
    for v in -2048..=2047 {
        for (thr, leak) in [
            (0, 0),
            (1, 127),
            (7, 3),
            (600, 1),
            (2047, 90),
            (2048, 5),
            (4095, 0),
        ] {
            for disabled in [0, 1] {
                for w in [-8, -3, -1, 0, 1, 2, 7] {
                    let unit = Unit {
                        v,
                        w,
                        params: [thr, leak, disabled],
                    };
                    let (a, b) = (&text.handlers[0].block, &own.handlers[0].block);
                    assert_eq!(update(a, &unit), update(b, &unit), "{v} {thr} {w}");
                    assert_eq!(
                        update(&text.step, &unit),
                        update(&own.step, &unit),
                        "{v} {thr} {leak}"
                    );
                    spikes[0] += update(b, &unit).1;
                    spikes[1] += update(&own.step, &unit).1;
                }
            }
        }
    }
    assert!(spikes.iter().all(|&s| s > 1000), "{spikes:?}");
}

fn at(pop: u32, unit: u32) -> UnitRef {
    UnitRef { pop, unit }
}

fn integrate(decay: f64, threshold: i64) -> UnitDynamics {
    UnitDynamics::Integrate {
        decay,
        bias: 0,
        threshold,
        reset: Reset::To(0),
        initial: 0,
        refractory: 0,
    }
}

/// Two inputs `x`; `a` keeps its potential and drives itself after 3 steps; `b` forgets it and is driven by `x[0]`, `x[1]` and, 1 step later, `a`.
fn network() -> Mapping {
    let neuron = |unit, dynamics, arrivals| mapping::Neuron {
        unit,
        copy: 0,
        fields: BACKEND.neuron("rtl", dynamics, arrivals, 0).expect("fits"),
        route: Route::None,
    };
    let axon = |address, source, delay| Axon {
        address,
        class: 0,
        source,
        delay,
    };
    let synapse = |axon, neuron, weight| Synapse {
        axon,
        neuron,
        weight,
    };
    let population = |name: &str, size, input| mapping::MappedPopulation {
        name: name.into(),
        size,
        shift: 0,
        input,
        recorded: !input,
    };
    let input = |unit, axon| Input {
        unit,
        core: 0,
        axon,
        offset: 0,
    };
    let loopback = |delay, axon| mapping::Loopback {
        core: 0,
        neuron: 0,
        delay,
        to_core: 0,
        axon,
    };
    Mapping {
        name: "hand".into(),
        target: "tinyodin".into(),
        dialect: "rtl".into(),
        mesh: [1, 1],
        fields: BACKEND.fields().iter().map(|f| f.to_string()).collect(),
        populations: vec![
            population("x", 2, true),
            population("a", 1, false),
            population("b", 1, false),
        ],
        cores: vec![Core {
            neurons: vec![
                neuron(at(1, 0), &integrate(1.0, 6), (0, 5)),
                neuron(at(2, 0), &integrate(0.0, 4), (-2, 7)),
            ],
            axons: vec![
                axon(0, at(0, 1), 0),
                axon(1, at(0, 0), 0),
                axon(2, at(1, 0), 1),
                axon(7, at(1, 0), 3),
            ],
            synapses: vec![
                synapse(0, 1, -2),
                synapse(1, 0, 3),
                synapse(1, 1, 4),
                synapse(2, 1, 3),
                synapse(3, 0, 2),
            ],
            ..Core::default()
        }],
        inputs: vec![input(at(0, 0), 1), input(at(0, 1), 0)],
        outputs: vec![at(1, 0), at(2, 0)],
        loopbacks: vec![loopback(1, 2), loopback(3, 3)],
        ..Mapping::default()
    }
}

/// Puts the host's part into the program, as a session does.
fn host(emulation: &mut Emulation, native: &crate::backend::NativeBindings) {
    let events: Vec<SerialEvent> = native
        .tail
        .iter()
        .map(|&w| event(w, 2).expect("an event"))
        .collect();
    let back = |(l, &(out, word)): (&mapping::Loopback, &(u64, u64))| Loopback {
        unit: out as u32,
        delay: l.delay,
        pre: word as u32,
    };
    let network = network();
    let Discipline::Serial(s) = &mut emulation.program.discipline else {
        panic!("serial")
    };
    s.sorted = true;
    s.tail = events;
    s.loopback = network
        .loopbacks
        .iter()
        .zip(&native.loopbacks)
        .map(back)
        .collect();
}

#[test]
fn a_mapping_runs_from_its_bytes() {
    let encoded = BACKEND.encode(&network()).unwrap_or_else(|d| panic!("{d}"));
    let native = &encoded.bindings;
    assert_eq!(
        (&native.inputs[..], &native.outputs[..]),
        (&[1, 0][..], &[0, 1][..])
    );
    assert_eq!(native.loopbacks, [(0, 2), (0, 7)]);
    assert_eq!(native.tail, [0x1FF]);
    let sections: Vec<&Section> = encoded.sections.iter().collect();
    let mut emulation = BACKEND
        .decode("rtl", &sections)
        .unwrap_or_else(|d| panic!("{d}"));
    host(&mut emulation, native);
    let sent = |step, input: usize| {
        let event = BACKEND.input(&emulation, native.inputs[input]);
        (step, event.expect("an event"))
    };
    // a: 3, 6 fires in step 1. b: 4 fires, 4 - 2 does not, 3 alone does not, 3 + 4 does.
    let input = [sent(0, 0), sent(1, 0), sent(1, 1), sent(2, 0), sent(5, 0)];
    let seen = run(&emulation.program, &input, 12);
    // a fires in step 1 (3 + 3); its row 2 gives b 3 more in step 2, its row 7 gives a 2 in step 4: 3 + 2 + 3 fires in step 5.
    let expected = [(0, 1), (1, 0), (2, 1), (5, 0), (5, 1)];
    let mut sorted = seen.serial.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    assert_eq!(seen.state[NEURONS as usize][0], [2, 0]);
}

#[test]
fn a_network_without_leaks_needs_no_time_reference() {
    let mut m = network();
    m.cores[0].neurons.truncate(1);
    m.cores[0].synapses.retain(|s| s.neuron == 0);
    m.outputs.truncate(1);
    let (config, native) = from_mapping(&m).unwrap_or_else(|d| panic!("{d}"));
    assert!(native.tail.is_empty());
    assert!(config.open_loop && !config.aer_src_ctrl && config.max_neur() == Some(0));
    assert_eq!(
        config.rows.keys().copied().collect::<Vec<_>>(),
        [0, 1, 2, 7]
    );
}

#[test]
fn mappings_that_do_not_fit_are_refused() {
    let codes = |change: &dyn Fn(&mut Mapping)| {
        let mut m = network();
        change(&mut m);
        let found = BACKEND.encode(&m).expect_err("must be refused");
        assert!(
            found
                .0
                .iter()
                .all(|d| d.class == synfire_ir::Class::Fit && !d.hints.is_empty())
        );
        found.0.into_iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&|m| m.cores.push(Core::default())), ["SYN0614"]);
    assert_eq!(codes(&|m| m.cores[0].neurons.clear()), ["SYN0614"]);
    let many = |m: &mut Mapping| {
        let one = m.cores[0].neurons[0].clone();
        m.cores[0].neurons.resize(257, one);
    };
    assert_eq!(codes(&many), ["SYN0614"]);
    assert_eq!(codes(&|m| m.cores[0].axons[3].address = 256)[0], "SYN0614");
    assert_eq!(codes(&|m| m.cores[0].axons[3].address = 2), ["SYN0611"]);
    assert_eq!(codes(&|m| m.cores[0].synapses[0].weight = 8), ["SYN0610"]);
    assert_eq!(codes(&|m| m.cores[0].synapses[0].neuron = 2), ["SYN0611"]);
    assert_eq!(
        codes(&|m| m.cores[0].synapses[1] = m.cores[0].synapses[0]),
        ["SYN0611"]
    );
    assert_eq!(
        codes(&|m| m.cores[0].neurons[0].fields[0] = 4096),
        ["SYN0610"]
    );
    assert_eq!(codes(&|m| m.fields[3] = "u".into()), ["SYN0611"]);
    assert_eq!(codes(&|m| m.inputs[0].axon = 9), ["SYN0611"]);
    assert_eq!(codes(&|m| m.outputs.push(at(9, 9))), ["SYN0611"]);
    assert_eq!(codes(&|m| m.loopbacks[0].neuron = 2), ["SYN0611"]);
    assert_eq!(codes(&|m| m.loopbacks[0].delay = 0), ["SYN0612"]);
    assert_eq!(codes(&|m| m.closed_loop = true), ["SYN0611"]);
}

fn refused(unit: &UnitDynamics, arrivals: (i64, i64), shift: u32) -> (String, String, String) {
    let Refusal {
        limit,
        needed,
        available,
        hint,
    } = BACKEND
        .neuron("rtl", unit, arrivals, shift)
        .expect_err("must be refused");
    assert!(!hint.is_empty());
    (limit, needed, available)
}

#[test]
fn units_that_keep_or_forget() {
    let fits = |u: &UnitDynamics, a| BACKEND.neuron("rtl", u, a, 4).expect("fits");
    assert_eq!(fits(&integrate(1.0, 20), (-900, 20)), [20, 0, 0, 0]);
    let (limit, needed, available) = refused(&integrate(1.0, 20), (0, 21), 0);
    assert_eq!(limit, "spikes_per_step");
    assert!(needed.contains("together 40") && available.contains("less than 40"));
    assert_eq!(refused(&integrate(1.0, 2048), (0, 0), 0).0, "thr");
    assert_eq!(refused(&integrate(1.0, 0), (0, 0), 0).0, "thr");
    assert_eq!(fits(&integrate(0.0, 128), (-127, 255)), [128, 127, 0, 0]);
    assert_eq!(refused(&integrate(0.0, 129), (0, 0), 0).0, "thr");
    assert_eq!(refused(&integrate(0.0, 9), (-128, 0), 0).0, "leak");
    assert_eq!(refused(&integrate(0.0, 9), (0, 18), 0).0, "spikes_per_step");
    assert_eq!(refused(&integrate(0.5, 9), (0, 0), 0).0, "leak");
    assert_eq!(
        refused(&integrate(0.0, i64::MIN), (i64::MIN, i64::MAX), 0).0,
        "thr"
    );
    assert_eq!(
        refused(&integrate(1.0, 5), (i64::MIN, i64::MAX), 0).0,
        "spikes_per_step"
    );
    let with = |change: &dyn Fn(&mut UnitDynamics)| {
        let mut u = integrate(1.0, 9);
        change(&mut u);
        BACKEND.neuron("rtl", &u, (0, 3), 2).map_err(|r| r.limit)
    };
    let set = |b: i64, r: Reset, i: i64, f: u32| {
        with(&|u| {
            if let UnitDynamics::Integrate {
                bias,
                reset,
                initial,
                refractory,
                ..
            } = u
            {
                (*bias, *reset, *initial, *refractory) = (b, r, i, f);
            }
        })
    };
    assert_eq!(set(0, Reset::To(0), 8, 0), Ok(vec![9, 0, 0, 8]));
    assert_eq!(set(0, Reset::To(0), 9, 0), Err("v".into()));
    assert_eq!(set(0, Reset::To(0), -2049, 0), Err("v".into()));
    assert_eq!(set(1, Reset::To(0), 0, 0), Err("bias".into()));
    assert_eq!(set(0, Reset::To(1), 0, 0), Err("reset".into()));
    assert_eq!(set(0, Reset::Subtract, 0, 0), Err("reset".into()));
    assert_eq!(set(0, Reset::To(0), 0, 1), Err("refractory".into()));
}

#[test]
fn units_of_the_own_model() {
    let own = |fields: &[(&str, f64)], v: i64| UnitDynamics::Own {
        fields: fields.iter().map(|f| (f.0.to_string(), f.1)).collect(),
        states: vec![("v".into(), v)],
    };
    let unit = own(&[("thr", 3000.0), ("leak", 5.0), ("disabled", 1.0)], -7);
    assert_eq!(
        BACKEND.neuron("rtl", &unit, (-99, 999), 0).expect("fits"),
        [3000, 5, 1, -7]
    );
    let (limit, needed, available) = refused(&unit, (0, 0), 1);
    assert_eq!(limit, "v");
    assert!(needed.contains("-7 kept over 1 steps") && available.contains("leak of 5"));
    let kept = own(&[("thr", 30.0)], -7);
    assert_eq!(
        BACKEND.neuron("rtl", &kept, (0, 0), 9).expect("fits"),
        [30, 0, 0, -7]
    );
    assert_eq!(refused(&own(&[("thr", 0.0)], 0), (0, 0), 0).0, "thr");
    assert_eq!(refused(&own(&[("thr", 1.5)], 0), (0, 0), 0).0, "thr");
    assert_eq!(refused(&own(&[("thr", f64::NAN)], 0), (0, 0), 0).0, "thr");
    assert_eq!(
        refused(&own(&[("thr", 5.0), ("leak", 128.0)], 0), (0, 0), 0).0,
        "leak"
    );
    assert_eq!(refused(&own(&[("thr", 5.0)], 5), (0, 0), 0).0, "v");
    assert_eq!(refused(&own(&[("thr", 5.0)], i64::MIN), (0, 0), 0).0, "v");
}

#[test]
fn sections_that_are_no_image_are_refused() {
    let encoded = BACKEND.encode(&network()).unwrap_or_else(|d| panic!("{d}"));
    let one = &encoded.sections[0];
    let renamed = Section {
        name: "config.bin".into(),
        ..one.clone()
    };
    for list in [&[][..], &[one, one], &[&renamed]] {
        let e = BACKEND.decode("rtl", list).expect_err("no image");
        assert_eq!(e.0[0].code, "SYN0720");
    }
}
