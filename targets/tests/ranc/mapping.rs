//! From the compiler's mapping over native images to spikes.

use crate::program::run;
use synfire_ir::artifact::Section;
use synfire_ir::mapping::{
    Axon, Core, Input, Loopback, MappedPopulation, Mapping, Neuron, Route, Synapse, UnitRef,
};
use synfire_targets::backend::{NativeInput, Reset, UnitDynamics};
use synfire_targets::ranc::{BACKEND, Config, from_mapping};

fn unit(pop: u32, unit: u32) -> UnitRef {
    UnitRef { pop, unit }
}

fn population(name: &str, size: u32, input: bool) -> MappedPopulation {
    MappedPopulation {
        name: name.into(),
        size,
        shift: 0,
        input,
        recorded: !input,
    }
}

/// An integrating neuron with the given weights for axon types 0 and 1.
fn neuron(at: UnitRef, dialect: &str, threshold: i64, weights: [i64; 2], route: Route) -> Neuron {
    let dynamics = UnitDynamics::Integrate {
        decay: 1.0,
        bias: 0,
        threshold,
        reset: Reset::Subtract,
        initial: 0,
        refractory: 0,
    };
    let mut fields = BACKEND
        .neuron(dialect, &dynamics, (weights[1].min(0), weights[0]), 0)
        .expect("fits");
    for (class, w) in weights.into_iter().enumerate() {
        let at = BACKEND
            .fields()
            .iter()
            .position(|f| *f == format!("weight{class}"))
            .expect("a weight a class");
        fields[at] = w;
    }
    Neuron {
        unit: at,
        copy: 0,
        fields,
        route,
    }
}

/// `x[0]` excites `a`, `x[1]` inhibits it; `a` drives `b` on the other core after 3 steps; `b` is recorded, `c` goes nowhere.
fn chain(dialect: &str) -> Mapping {
    let axon = |address, class, source| Axon {
        address,
        class,
        source,
        delay: 0,
    };
    let synapse = |axon, neuron, weight| Synapse {
        axon,
        neuron,
        weight,
    };
    let first = Core {
        chip: 0,
        x: 0,
        y: 0,
        neurons: vec![
            neuron(
                unit(1, 0),
                dialect,
                5,
                [3, -2],
                Route::Axon {
                    core: 1,
                    axon: 1,
                    delay: 3,
                },
            ),
            neuron(unit(3, 0), dialect, 2, [1, 0], Route::None),
        ],
        axons: vec![axon(0, 0, unit(0, 0)), axon(1, 1, unit(0, 1))],
        synapses: vec![synapse(0, 0, 3), synapse(0, 1, 1), synapse(1, 0, -2)],
    };
    let second = Core {
        chip: 0,
        x: 1,
        y: 0,
        neurons: vec![neuron(
            unit(2, 0),
            dialect,
            1,
            [1, 0],
            Route::Output { index: 0 },
        )],
        axons: vec![axon(0, 1, unit(3, 0)), axon(9, 0, unit(1, 0))],
        synapses: vec![synapse(1, 0, 1)],
    };
    Mapping {
        name: "chain".into(),
        target: "ranc".into(),
        dialect: dialect.into(),
        mesh: [2, 2],
        fields: BACKEND.fields().iter().map(|f| f.to_string()).collect(),
        populations: vec![
            population("x", 2, true),
            population("a", 1, false),
            population("b", 1, false),
            population("c", 1, false),
        ],
        cores: vec![first, second],
        inputs: vec![
            Input {
                unit: unit(0, 0),
                core: 0,
                axon: 0,
                offset: 0,
            },
            Input {
                unit: unit(0, 1),
                core: 0,
                axon: 1,
                offset: 0,
            },
        ],
        outputs: vec![unit(2, 0)],
        ..Mapping::default()
    }
}

#[test]
fn a_mapping_runs_from_its_native_images() {
    for dialect in ["sim", "rtl"] {
        let encoded = BACKEND
            .encode(&chain(dialect))
            .unwrap_or_else(|d| panic!("{d}"));
        let sections: Vec<&Section> = encoded.sections.iter().collect();
        let emulation = BACKEND
            .decode(dialect, &sections)
            .unwrap_or_else(|d| panic!("{d}"));
        let event = |k: usize| {
            BACKEND
                .input(&emulation, encoded.bindings.inputs[k])
                .expect("an input")
        };
        assert!(matches!(
            event(0),
            NativeInput::Event {
                delay: 0,
                payload: 1,
                ..
            }
        ));
        // a: 3, 6 -> spike and 1, -1, 2, 5 -> spike and 0.
        let input = [
            (0, event(0)),
            (1, event(0)),
            (2, event(1)),
            (3, event(0)),
            (4, event(0)),
        ];
        let seen = run(&emulation.program, &input, 10);
        assert_eq!(
            seen.events[&0],
            [(4, 0, 1), (7, 0, 1)],
            "{dialect}: three steps after a's spikes of steps 1 and 4"
        );
        assert_eq!(
            (
                encoded.bindings.outputs.as_slice(),
                &emulation.outputs[0].1[0]
            ),
            (&[0][..], &0)
        );
    }
}

#[test]
fn what_only_this_chip_has_is_filled_in() {
    let (config, _): (Config, _) = from_mapping(&chain("sim")).expect("fits");
    assert_eq!(
        (
            config.output_bus.x,
            config.output_bus.y,
            config.output_bus.num_outputs
        ),
        (1, 1, 1)
    );
    let silent = config.cores[0].neurons[1];
    assert_eq!(
        (silent.dx, silent.dy, silent.axon, silent.tick),
        (0, 0, 255, 0),
        "an axon that nothing uses"
    );
    let driving = config.cores[0].neurons[0];
    assert_eq!(
        (driving.dx, driving.dy, driving.axon, driving.tick),
        (1, 0, 9, 2)
    );
    assert_eq!(
        (config.cores[1].axons.len(), config.cores[1].axons[0]),
        (10, 1)
    );
    let (rtl, _) = from_mapping(&chain("rtl")).expect("fits");
    assert_eq!((rtl.cores.len(), rtl.cores[2].neurons.len()), (3, 256));
    let mut looped = chain("sim");
    looped.loopbacks.push(Loopback {
        core: 1,
        neuron: 0,
        delay: 2,
        to_core: 0,
        axon: 1,
    });
    let (_, bindings) = from_mapping(&looped).expect("fits");
    assert_eq!(bindings.loopbacks, [(0, bindings.inputs[1])]);
}

/// A code, and the change that brings it about.
type Misfit = (&'static str, fn(&mut Mapping));

#[test]
fn what_does_not_fit_is_explained() {
    let all: [Misfit; 12] = [
        ("SYN0615", |m| m.cores[0].synapses[0].weight = 4),
        ("SYN0611", |m| m.cores[0].synapses[0].axon = 7),
        ("SYN0611", |m| m.cores[0].axons[1].address = 256),
        ("SYN0611", |m| m.cores[0].axons[1].class = 4),
        ("SYN0612", |m| {
            m.cores[0].neurons[0].route = Route::Axon {
                core: 1,
                axon: 1,
                delay: 16,
            }
        }),
        ("SYN0612", |m| {
            m.cores[0].neurons[0].route = Route::Axon {
                core: 1,
                axon: 1,
                delay: 0,
            }
        }),
        ("SYN0611", |m| {
            m.cores[0].neurons[0].route = Route::Axon {
                core: 2,
                axon: 1,
                delay: 1,
            }
        }),
        ("SYN0610", |m| m.cores[0].neurons[0].fields[0] = 1 << 40),
        ("SYN0615", |m| m.fields[3] = "colour".into()),
        ("SYN0614", |m| m.mesh = [2, 1]),
        ("SYN0611", |m| m.inputs[0].axon = 5),
        ("SYN0611", |m| m.cores[1].x = 2),
    ];
    for (i, (code, change)) in all.into_iter().enumerate() {
        let mut mapping = chain("sim");
        change(&mut mapping);
        let found = BACKEND.encode(&mapping).expect_err("does not fit");
        assert!(
            found
                .0
                .iter()
                .any(|d| d.code == code && !d.hints.is_empty() && !d.notes.is_empty()),
            "case {i}: {found}"
        );
    }
}
