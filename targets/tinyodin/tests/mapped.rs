//! A mapping written by hand from its bytes to its spikes, what does not fit, and units as registers.

use super::run;
use crate::backend::{Emulation, Refusal, Reset, UnitDynamics};
use crate::tinyodin::*;
use synfire_ir::artifact::Section;
use synfire_ir::mapping::{self, Axon, Core, Input, Mapping, Route, Synapse, UnitRef};
use synfire_ir::program::{Discipline, Loopback, SerialEvent};

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
    // A unit that forgets, could spike twice and is sent back.
    let twice = |m: &mut Mapping| m.cores[0].neurons[0].fields[..2].copy_from_slice(&[1, 127]);
    assert_eq!(codes(&twice), ["SYN0614"]);
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
    assert_eq!(fits(&integrate(0.0, 9), (0, 136)), [9, 127, 0, 0]);
    assert_eq!(refused(&integrate(0.0, 9), (0, 137), 0).0, "leak");
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
        model: String::new(),
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
