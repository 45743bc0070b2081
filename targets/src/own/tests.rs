use super::*;
use crate::backend::Reset;
use crate::registry::Chip;
use synfire_ir::mapping::{Axon, Core, Input, MappedPopulation, Neuron, Route, Synapse};

const TOML: &str = include_str!("../../_template/chip.toml");
const MODEL: &str = include_str!("../../_template/model.syn");

fn chip(toml: &str, model: &str) -> Result<Chip, Diagnostics> {
    Chip::from_text("mine", toml.into(), model.into(), String::new())
}

fn toy() -> Chip {
    chip(TOML, MODEL).unwrap_or_else(|e| panic!("{e}"))
}

/// Codes and places of what is wrong.
fn wrong(toml: &str, model: &str) -> Vec<(String, String)> {
    let found = chip(toml, model).expect_err("something is wrong");
    assert!(found.0.iter().all(|d| !d.hints.is_empty()), "{found}");
    let all = found.0.into_iter();
    all.map(|d| (d.code, d.place.unwrap_or_default())).collect()
}

/// Line of the first occurrence of a text.
fn line(text: &str, of: &str) -> usize {
    text.lines()
        .position(|l| l.contains(of))
        .expect("it stands there")
        + 1
}

#[test]
fn mistakes_are_told_with_their_line() {
    let one = |toml: &str, line: usize| {
        let all = wrong(toml, MODEL);
        let at = format!("mine/chip.toml:{line}:");
        assert!(all.iter().any(|w| w.1.starts_with(&at)), "{at} {all:?}");
    };
    let turned = |from: &str, to: &str| {
        assert!(TOML.contains(from), "{from}");
        TOML.replacen(from, to, 1)
    };
    one(
        &turned("summary = \"A chip", "sumary = \"A chip"),
        line(TOML, "summary = \"A chip"),
    );
    one(
        &turned("min = { value = -8", "min = { value = 9"),
        line(TOML, "min = { value = -8"),
    );
    one(
        &turned("delivery = \"accumulate\"", "delivery = \"serial\""),
        line(TOML, "delivery ="),
    );
    one(
        &turned(
            "min = { value = 1, source = \"a spike",
            "min = { value = 0, source = \"a spike",
        ),
        line(TOML, "a spike acts"),
    );
    one(
        &turned("threshold = \"thr\"", "threshold = \"treshold\""),
        line(TOML, "threshold = \"thr\""),
    );
    one(
        &turned("reset = \"subtract\"", "reset = \"zero\""),
        line(TOML, "[roles]"),
    );
    one(
        &turned("name = \"bias\"", "name = \"offset\""),
        line(TOML, "name = \"bias\""),
    );
    one(
        &turned("default = 1\ndoc", "default = 0\ndoc"),
        line(TOML, "default = 1"),
    );
}

#[test]
fn mistakes_in_the_model_are_told_with_their_line() {
    let turned = |from: &str, to: &str| {
        assert!(MODEL.contains(from), "{from}");
        wrong(TOML, &MODEL.replacen(from, to, 1))
    };
    let at = |found: Vec<(String, String)>, line: usize| {
        let place = format!("mine/model.syn:{line}:");
        assert!(
            found.iter().any(|w| w.1.starts_with(&place)),
            "{place} {found:?}"
        );
    };
    at(turned("v - thr", "w - thr"), line(MODEL, "v - thr"));
    at(turned("sat(v", "stat(v"), line(MODEL, "sat(v"));
    assert_eq!(turned("neuron Toy", "neuron Tuy")[0].0, "SYN0608");
    // A further parameter needs its range, a further input has no place in the image.
    assert_eq!(turned("bias: i8", "bias: i8, gain: i8")[0].0, "SYN0604");
    assert_eq!(
        turned("input syn: i32", "input syn: i32\n  input other: i32")[0].0,
        "SYN0604"
    );
}

fn integrate(threshold: i64, reset: Reset) -> UnitDynamics {
    UnitDynamics::Integrate {
        decay: 1.0,
        bias: 3,
        threshold,
        reset,
        initial: -4,
        refractory: 0,
    }
}

#[test]
fn roles_write_integrate_and_fire_units_and_refuse_others() {
    let toy = toy();
    let b = toy.backend().expect("described");
    let neuron = |u: &UnitDynamics| b.neuron("paper", u, (0, 0), 0);
    let unit = integrate(70, Reset::Subtract);
    assert_eq!(b.fields(), ["thr", "bias", "v"]);
    assert_eq!(neuron(&unit), Ok(vec![70, 3, -4]));
    let limit = |u: &UnitDynamics| neuron(u).expect_err("refused").limit;
    assert_eq!(limit(&integrate(70, Reset::To(0))), "reset");
    assert_eq!(limit(&integrate(5000, Reset::Subtract)), "thr");
    let UnitDynamics::Integrate { .. } = &unit else {
        unreachable!()
    };
    let leaky = UnitDynamics::Integrate {
        decay: 0.5,
        bias: 0,
        threshold: 5,
        reset: Reset::Subtract,
        initial: 0,
        refractory: 0,
    };
    assert_eq!(limit(&leaky), "keep");
    // A bias moves a unit that should wait.
    assert_eq!(
        b.neuron("paper", &unit, (0, 0), 2)
            .expect_err("moves")
            .limit,
        "rest"
    );
}

fn unit(pop: u32, unit: u32) -> UnitRef {
    UnitRef { pop, unit }
}

/// One input onto two neurons on two cores; the first drives the second after three steps.
fn mapping() -> Mapping {
    let population = |name: &str, size, input, recorded| MappedPopulation {
        name: name.into(),
        size,
        shift: 0,
        input,
        recorded,
    };
    let neuron = |u, thr| Neuron {
        unit: unit(1, u),
        copy: 0,
        fields: vec![thr, 0, 0],
        route: Route::Output { index: u },
    };
    let axon = |address, source, delay| Axon {
        address,
        class: 0,
        source,
        delay,
    };
    let synapse = |axon, weight| Synapse {
        axon,
        neuron: 0,
        weight,
    };
    let core = |x, neurons, axons, synapses| Core {
        chip: 0,
        x,
        y: 0,
        neurons,
        axons,
        synapses,
    };
    Mapping {
        name: "n".into(),
        target: "toy".into(),
        dialect: "paper".into(),
        mesh: [2, 1],
        fields: ["thr", "bias", "v"].map(String::from).to_vec(),
        populations: vec![
            population("x", 1, true, false),
            population("a", 2, false, true),
        ],
        cores: vec![
            core(
                0,
                vec![neuron(0, 5)],
                vec![axon(0, unit(0, 0), 0)],
                vec![synapse(0, 7)],
            ),
            core(
                1,
                vec![neuron(1, 4)],
                vec![axon(0, unit(1, 0), 3)],
                vec![synapse(0, 4)],
            ),
        ],
        inputs: vec![Input {
            unit: unit(0, 0),
            core: 0,
            axon: 0,
            offset: 0,
        }],
        outputs: vec![unit(1, 0), unit(1, 1)],
        ..Mapping::default()
    }
}

#[test]
fn an_image_is_read_as_it_was_written_and_computes_what_the_mapping_says() {
    let toy = toy();
    let b = toy.backend().expect("described");
    let made = b.encode(&mapping()).unwrap_or_else(|e| panic!("{e}"));
    let section = &made.sections[0];
    let emulation = b
        .decode("paper", &[section])
        .unwrap_or_else(|e| panic!("{e}"));
    synfire_ir::program::check(&emulation.program)
        .result(())
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(emulation.outputs, [(0, vec![0, 1])]);
    let Some(NativeInput::Event { group, unit, .. }) = b.input(&emulation, made.bindings.inputs[0])
    else {
        panic!("an event");
    };
    assert_eq!(b.input(&emulation, 99), None);
    let mut run = synfire_ir::program::Reference::new(&emulation.program, 0);
    let mut spikes = vec![];
    for step in 0..6 {
        let events: Vec<(u32, u32, u32)> = if step == 0 {
            vec![(group, unit, 1)]
        } else {
            vec![]
        };
        let lists = run.step(&events);
        spikes.extend(lists[1].iter().map(|e| (step, e.0)));
    }
    assert_eq!(spikes, [(0, 0), (3, 1)]);
}

#[test]
fn images_beyond_the_description_are_refused() {
    let toy = toy();
    let b = toy.backend().expect("described");
    let refused = |change: &dyn Fn(&mut Mapping)| {
        let mut m = mapping();
        change(&mut m);
        b.encode(&m).expect_err("refused").0.remove(0).code
    };
    assert_eq!(refused(&|m| m.cores[0].synapses[0].weight = 8), "SYN0610");
    assert_eq!(refused(&|m| m.cores[0].neurons[0].fields[0] = 0), "SYN0610");
    assert_eq!(refused(&|m| m.cores[1].axons[0].delay = 16), "SYN0610");
    assert_eq!(refused(&|m| m.cores[0].synapses[0].neuron = 5), "SYN0611");
    assert_eq!(refused(&|m| m.cores[1].axons[0].source.unit = 9), "SYN0611");
    let many = |m: &mut Mapping| {
        let one = m.cores[0].neurons[0].clone();
        m.cores[0].neurons.resize(17, one);
    };
    assert_eq!(refused(&many), "SYN0614");
}

#[test]
fn damaged_images_are_refused_whatever_is_changed() {
    let toy = toy();
    let b = toy.backend().expect("described");
    let good = b.encode(&mapping()).expect("fits").sections.remove(0);
    for at in 0..good.bytes.len() {
        for byte in [0, b'9', b'"', b']'] {
            let mut bad = good.clone();
            bad.bytes[at] = byte;
            let read = b.decode("paper", &[&bad]);
            // A digit may stand for another legal image; whatever is read is a sound program.
            if let Ok(e) = read {
                synfire_ir::program::check(&e.program)
                    .result(())
                    .unwrap_or_else(|e| panic!("{at} {byte}: {e}"));
            }
        }
        let mut short = good.clone();
        short.bytes.truncate(at);
        assert!(b.decode("paper", &[&short]).is_err());
    }
}
