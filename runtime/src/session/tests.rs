//! A relay network under names, and an artefact of a small made-up chip.

use super::*;
use crate::spikes::NamedSpike;
use std::collections::BTreeMap;
use synfire_ir::artifact::{
    Artifact, Bindings, BoundInput, BoundOutput, BoundPopulation, Header, Section, SectionKind,
};
use synfire_ir::model::{BinOp, BlockBuilder, Combine, Model, Op, Port, State, Ty, Width};
use synfire_ir::program::{
    Carry, Column, Discipline, Group, GroupKind, Layout, Observable, Probe, Projection, Range,
    Scales, Weights,
};
use synfire_ir::{Class, Quiet};
use synfire_targets::backend::{
    Backend, Emulation, Encoded, GoldenCase, NativeInput, Refusal, UnitDynamics,
};

/// Units that count what arrives in `v` and emit as many events as arrived.
fn relay() -> Model {
    let mut b = BlockBuilder::new();
    let x = b.push(Op::Port(0), Ty::I32);
    let v = b.push(Op::State(0), Ty::I32);
    let sum = b.bin(BinOp::Add, v, x);
    b.store(0, sum);
    b.emit(x);
    Model {
        name: "relay".into(),
        states: vec![State {
            name: "v".into(),
            width: Width::I32,
        }],
        ports: vec![Port {
            name: "i".into(),
            ty: Ty::I32,
            combine: Combine::Sum,
        }],
        step: b.finish(),
        ..Model::default()
    }
}

/// `x[3] -> y[3]`, one to one, so many steps later.
fn program(delay: u16) -> Program {
    let whole = Range { start: 0, len: 3 };
    let units = GroupKind::Units {
        model: 0,
        params: vec![],
        init: vec![Column::Uniform(0)],
    };
    let group = |name: &str, phase, base, kind| Group {
        name: name.into(),
        size: 3,
        phase,
        base,
        graded: false,
        kind,
    };
    let probe = |name: &str, what| Probe {
        name: name.into(),
        group: 1,
        range: whole,
        what,
        every: 1,
    };
    Program {
        name: "relays".into(),
        arithmetic: Arithmetic::Integer,
        dt: Some(1e-3),
        seed: 1,
        discipline: Discipline::Stepped,
        models: vec![relay()],
        groups: vec![
            group("x", 0, 0, GroupKind::External),
            group("y", 1, 3, units),
        ],
        projections: vec![Projection {
            name: "p".into(),
            source: 0,
            source_range: whole,
            target: 1,
            target_range: whole,
            port: 0,
            carry: Carry::Events,
            layout: Layout::OneToOne {
                delay,
                weights: Weights::Uniform(1),
            },
        }],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![
            probe("y.spikes", Observable::Events),
            probe("y.v", Observable::State(0)),
        ],
    }
}

fn spike(sample: u32, step: u32, population: u32, neuron: u32, value: f64) -> NamedSpike {
    NamedSpike {
        sample,
        step,
        population,
        neuron,
        value,
    }
}

#[test]
fn an_ideal_network_under_its_names() {
    let plan = Plan::ideal(
        program(2),
        &[true, false],
        vec![(1, 0, 2, 1)],
        Scales {
            states: [((1, 0), 0.5)].into(),
            ..Scales::default()
        },
    );
    assert_eq!(plan.signals(), ["y.v"]);
    let mut session = plan.open(Choice::Cpu, 1, 2).expect("an engine");
    let spikes = vec![
        spike(0, 0, 0, 0, 1.0),
        spike(1, 3, 0, 1, 2.0),
        spike(1, 90, 0, 1, 1.0),
    ];
    let input = SpikeData {
        spikes,
        batch: Some(2),
        ..SpikeData::default()
    };
    let r = session.run(10, &input, 4, &Quiet).expect("a run");
    assert_eq!(
        r.data.spikes,
        [
            spike(0, 2, 1, 0, 1.0),
            spike(0, 3, 1, 2, 1.0),
            spike(1, 3, 1, 2, 1.0),
            spike(1, 5, 1, 1, 2.0)
        ]
    );
    assert_eq!(r.counts, [Some(4), Some(4)]);
    assert_eq!(r.hashes.iter().map(|h| h.0).collect::<Vec<_>>(), [4, 8]);
    let v = &r.data.signals[0];
    assert_eq!((v.steps.len(), v.values.len()), (10, 2));
    assert_eq!(v.values[1][9 * 3..], [0.0, 1.0, 0.5]);
    assert_eq!(r.notes.0[0].code, "SYN0911");
    assert!(r.complete && r.steps == 10);
}

/// A chip whose image is the delay of its relays, and whose native events are unit numbers plus 100 (in) and 200 (out).
struct Toy;

impl Backend for Toy {
    fn encode(&self, _: &synfire_ir::mapping::Mapping) -> Result<Encoded, Diagnostics> {
        Err(Diagnostic::error("SYN0600", "the toy is only decoded")
            .hint("none")
            .into())
    }

    fn decode(&self, _: &str, sections: &[&Section]) -> Result<Emulation, Diagnostics> {
        let delay = sections
            .first()
            .and_then(|s| s.bytes.first())
            .copied()
            .unwrap_or(1);
        let mut program = program(u16::from(delay));
        program.probes.truncate(1);
        Ok(Emulation {
            weights: vec![],
            program,
            outputs: vec![(0, vec![200, 201, 202])],
        })
    }

    fn input(&self, _: &Emulation, word: u64) -> Option<NativeInput> {
        let unit = word.checked_sub(100)? as u32;
        Some(NativeInput::Event {
            group: 0,
            unit,
            payload: 1,
            delay: 1,
        })
    }

    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn neuron(
        &self,
        _: &str,
        _: &UnitDynamics,
        _: (i64, i64),
        _: u32,
    ) -> Result<Vec<i64>, Refusal> {
        Ok(vec![])
    }

    fn golden(
        &self,
        _: &serde_json::Value,
        _: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Result<GoldenCase, String>> {
        None
    }
}

fn artifact() -> Artifact {
    let population = |name: &str, shift, input| BoundPopulation {
        name: name.into(),
        size: 2,
        shift,
        input,
        recorded: !input,
    };
    let bindings = Bindings {
        populations: vec![population("in", 0, true), population("out", 6, false)],
        // Neuron 1 goes to two places.
        inputs: [(0, 100), (1, 101), (1, 102)]
            .map(|(unit, word)| BoundInput {
                pop: 0,
                unit,
                offset: 2,
                word,
            })
            .to_vec(),
        outputs: [(200, 0), (202, 1)]
            .map(|(word, unit)| BoundOutput { word, pop: 1, unit })
            .to_vec(),
        feeds: vec![(0, 3, 0)],
        ..Bindings::default()
    };
    let section = Section {
        kind: SectionKind::Native,
        name: "delay.bin".into(),
        bytes: vec![4],
    };
    Artifact {
        header: Header {
            network: "n".into(),
            ..Header::default()
        },
        bindings,
        learning: vec![],
        sections: vec![section],
    }
}

#[test]
fn an_artefact_takes_and_gives_the_networks_names_and_steps() {
    let plan = Plan::artifact(&artifact(), &Toy).expect("a plan");
    assert_eq!(plan.shifts(), [0, 6]);
    let mut session = plan.open(Choice::Cpu, 1, 1).expect("an engine");
    let input = SpikeData {
        spikes: vec![spike(0, 0, 0, 1, 1.0), spike(0, 9, 0, 0, 1.0)],
        ..SpikeData::default()
    };
    let r = session.run(10, &input, 0, &Quiet).expect("a run");
    // Step s enters at s + 2 + 1, leaves at s + 7, and 6 steps are the chip's: step 9 would be heard in step 10.
    assert_eq!(
        r.data.spikes,
        [spike(0, 1, 1, 1, 1.0), spike(0, 4, 1, 0, 1.0)]
    );
    assert_eq!((r.steps, r.counts), (10, vec![None, Some(2)]));
}

#[test]
fn bindings_of_another_chip_are_refused() {
    for (word, code) in [(3, "SYN0704"), (4000, "SYN0704")] {
        let mut a = artifact();
        a.bindings.inputs[0].word = word;
        let e = Plan::artifact(&a, &Toy).err().expect("no such event");
        assert_eq!(e.0[0].code, code);
    }
}

#[test]
fn lengths_follow_the_rule() {
    let of = |wanted, dt, experiment, last| {
        length(wanted, dt, experiment, last).map(|l| (l.steps, l.reason))
    };
    use LengthReason::*;
    let ms = Some(1e-3);
    let cases = BTreeMap::from([
        (
            0,
            (
                of(Some(Wanted::Seconds(0.5)), ms, Some(7), Some(9)),
                (500, Asked),
            ),
        ),
        (
            1,
            (
                of(Some(Wanted::Steps(3)), None, Some(7), Some(9)),
                (3, Asked),
            ),
        ),
        (2, (of(None, ms, Some(7), Some(9)), (7, Experiment))),
        (3, (of(None, ms, None, Some(9)), (10, LastInput))),
        (4, (of(None, Some(1e-4), None, None), (10_000, Default))),
        (5, (of(None, None, None, None), (1000, Default))),
    ]);
    for (k, (got, expected)) in cases {
        assert_eq!(got.expect("a length"), expected, "case {k}");
    }
    for wrong in [
        Wanted::Steps(0),
        Wanted::Seconds(1e-9),
        Wanted::Seconds(1e30),
        Wanted::Seconds(f64::NAN),
    ] {
        let e = length(Some(wrong), ms, None, None).expect_err("no such length");
        assert_eq!(
            (e.0[0].code.as_str(), e.0[0].class),
            ("SYN0910", Class::Usage)
        );
    }
    assert!(length(Some(Wanted::Seconds(1.0)), None, None, None).is_err());
}

/// A checkpoint of the relays on their way.
fn under_way() -> Vec<u8> {
    let mut kept: Vec<Vec<u8>> = vec![];
    let mut write = |bytes: &[u8]| {
        kept.push(bytes.to_vec());
        Ok(())
    };
    let course = Course {
        steps: 10,
        keep: Some(Keep {
            every: Every::Steps(3),
            write: &mut write,
        }),
        ..Course::default()
    };
    let r = relays().follow(course, &pulses(), &Quiet).expect("a run");
    assert_eq!(r.data.spikes.len(), 4);
    assert_eq!(kept.len(), 4, "after 3, 6 and 9 steps, and at the end");
    kept.swap_remove(0)
}

fn relays() -> Session {
    let plan = Plan::ideal(
        program(2),
        &[true, false],
        vec![(1, 0, 2, 1)],
        Scales::default(),
    );
    let options = Options {
        samples: 2,
        threads: 1,
        ..Options::default()
    };
    plan.open_with(Choice::Cpu, options, true)
        .expect("an engine")
}

fn pulses() -> SpikeData {
    SpikeData {
        spikes: vec![spike(0, 0, 0, 0, 1.0), spike(1, 3, 0, 1, 2.0)],
        batch: Some(2),
        ..SpikeData::default()
    }
}

fn resumed(from: Checkpoint) -> Result<Recording, Diagnostics> {
    let course = Course {
        steps: 10,
        from: Some(from),
        ..Course::default()
    };
    relays().follow(course, &pulses(), &Quiet)
}

#[test]
fn a_checkpoint_is_gone_on_from() {
    let bytes = under_way();
    let from = Checkpoint::from_bytes("a", &bytes).expect("whole");
    assert_eq!(from.to_bytes(), bytes);
    assert_eq!((from.steps(), from.network()), (3, "relays"));
    let (whole, rest) = (relays().run(10, &pulses(), 0, &Quiet), resumed(from));
    let (whole, rest) = (whole.expect("a run"), rest.expect("the rest of it"));
    assert_eq!((&rest.data, &rest.counts), (&whole.data, &whole.counts));
    assert_eq!(rest.counters, whole.counters);
    let again = relays().run(1, &pulses(), 0, &Quiet);
    assert!(again.is_ok());
    let mut used = relays();
    used.run(1, &pulses(), 0, &Quiet).expect("a run");
    let twice = used.run(1, &pulses(), 0, &Quiet).expect_err("it has run");
    assert_eq!(twice.0[0].code, "SYN0845");
}

proptest::proptest! {
    /// Whatever stands in a checkpoint whose checksum agrees: a message or a run, never a panic.
    #[test]
    fn hostile_checkpoints_do_no_harm(
        edits in proptest::collection::vec((20usize..2000, proptest::num::u8::ANY), 1..4),
        cut in 0usize..40,
    ) {
        let mut bytes = under_way();
        for (at, to) in edits {
            let n = bytes.len();
            bytes[20 + at % (n - 20)] = to;
        }
        bytes.truncate(bytes.len() - cut * cut / 40);
        let length = (bytes.len() - 20) as u64;
        bytes[8..16].copy_from_slice(&length.to_le_bytes());
        let crc = crc32fast::hash(&bytes[20..]);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        if let Ok(from) = Checkpoint::from_bytes("a", &bytes)
            && let Err(d) = resumed(from)
        {
            proptest::prop_assert!(["SYN0840", "SYN0843", "SYN0910"].contains(&d.0[0].code.as_str()), "{}", d);
        }
    }
}

#[test]
fn small_pieces_give_what_a_whole_run_gives() {
    let mut whole = relays();
    let r = whole.run(12, &pulses(), 0, &Quiet).expect("a run");
    let mut live = relays();
    let mut spikes = vec![];
    for step in 0..12 {
        if step == 6 {
            // Back to where it was, by way of another session.
            let saved = live.save().expect("a state");
            live = relays();
            live.restore(&saved).expect("the same plan");
        }
        for s in pulses().spikes.iter().filter(|s| s.step == step) {
            let of = s.sample..s.sample + 1;
            live.inject_in(of, "x", s.neuron, s.value)
                .expect("a source");
        }
        live.step(1).expect("a step");
        spikes.extend(live.spikes());
    }
    spikes.sort_unstable_by_key(NamedSpike::key);
    assert_eq!(spikes, r.data.spikes);
    assert_eq!(live.state("y", "v"), whole.state("y", "v"));
    assert_eq!(live.count("y").ok(), r.counts[1]);
    assert_eq!(live.now(), 12);
}

#[test]
fn what_a_live_session_cannot_do_is_said() {
    let mut s = relays();
    let code = |r: Result<(), Diagnostics>| r.expect_err("it cannot").0[0].code.to_string();
    assert_eq!(code(s.inject("z", 0, 1.0)), "SYN0903");
    assert_eq!(code(s.inject("x", 3, 1.0)), "SYN0904");
    assert_eq!(code(s.inject("y", 0, 1.0)), "SYN0905");
    assert_eq!(code(s.set_signal("x", &[1.0; 3])), "SYN0909");
    assert_eq!(code(s.set_parameter("y", "tau", &[1.0])), "SYN0807");
    assert_eq!(code(s.state("y", "u").map(|_| ())), "SYN0807");
    assert_eq!(code(s.count("q").map(|_| ())), "SYN0903");
}
