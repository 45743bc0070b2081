//! The engine against the reference, on random programs, for every cut.

use super::variants::{doubled, learning, ruled};
use super::*;
use crate::engine::InputEvent;
use crate::engine::arbitrary::{Case, Expected, Flavour, case, compare, expected, resume};
use proptest::prelude::*;
use std::sync::atomic::AtomicU64;
use synfire_ir::diag::Quiet;
use synfire_ir::model::{BlockBuilder, Combine, Handler, Model, Op, Port, State, Ty, Width};
use synfire_ir::program::{
    Arithmetic, Carry, Column, Group, GroupKind, Layout, Projection, Range, Serial, SerialEvent,
    Weights,
};

/// Units of a tile, lanes, workers, ring, words of an arena, filling of bundles and length of rows of streams, so that borders of blocks, tiles,
/// workers, arenas and calendars are everywhere.
const CUTS: [Cut; 8] = [
    cut(8192, 512, 1, 64, 65_536, (2, 8)),
    cut(5, 4, 1, 64, 65_536, (0, 0)),
    cut(16, 7, 2, 1, 40, (0, 8)),
    cut(64, 512, 2, 64, 200, (1, 0)),
    cut(3, 16, 3, 2, 8, (0, 0)),
    cut(40, 16, 1, 0, 65_536, (2, 8)),
    cut(150, 64, 1, 64, 65_536, (0, 8)),
    cut(150, 64, 2, 64, 65_536, (0, 0)),
];

const fn cut(
    tile: u32,
    lanes: usize,
    workers: usize,
    ring: u16,
    arena: u32,
    (fill, long): (u64, u64),
) -> Cut {
    Cut {
        tile,
        lanes,
        workers,
        ring,
        arena,
        fill,
        long,
    }
}

fn engine(c: &Case, mut cut: Cut) -> Result<Cpu, Diagnostics> {
    if c.program.discipline != Discipline::Stepped {
        cut.workers = 1;
    }
    let threads = cut.workers * c.samples as usize;
    Cpu::with_cut(c.program.clone(), c.samples, threads, cut, None)
}

fn agree(c: &Case, want: &Expected, cut: Cut, at: u32) -> Result<(), TestCaseError> {
    let mut cpu = engine(c, cut).map_err(|d| TestCaseError::fail(d.to_string()))?;
    compare(&mut cpu, c, want, at).map_err(|e| TestCaseError::fail(format!("{cut:?}: {e}")))
}

fn any_case() -> impl Strategy<Value = Case> {
    prop_oneof![
        case(Flavour::Integer),
        case(Flavour::Float),
        case(Flavour::Learning),
        case(Flavour::LearningFloat),
        case(Flavour::Serial)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn integers_equal_the_reference(c in case(Flavour::Integer), k in 0..CUTS.len(), at in 0u32..15) {
        let want = expected(&c);
        agree(&c, &want, CUTS[k], at)?;
        agree(&c, &want, CUTS[0], 15)?;
    }

    #[test]
    fn floats_equal_the_reference(c in case(Flavour::Float), k in 0..CUTS.len(), at in 0u32..15) {
        let want = expected(&c);
        agree(&c, &want, CUTS[k], at)?;
        agree(&c, &want, CUTS[0], 15)?;
    }

    #[test]
    fn any_number_of_threads_gives_the_same(
        c in any_case(),
        threads in 0usize..5,
    ) {
        let samples = c.samples;
        let cpu = Cpu::new(c.program.clone(), &Options { samples, threads, ..Options::default() });
        let mut cpu = cpu.map_err(|d| TestCaseError::fail(d.to_string()))?;
        compare(&mut cpu, &c, &expected(&c), 4).map_err(TestCaseError::fail)?;
    }

    /// What one cut saves, another goes on from.
    #[test]
    fn a_saved_run_goes_on(
        c in any_case(),
        k in 0..CUTS.len(),
        l in 0..CUTS.len(),
        at in 0u32..15,
    ) {
        let engine = |k: usize| engine(&c, CUTS[k]).map_err(|d| TestCaseError::fail(d.to_string()));
        let (mut first, mut second) = (engine(k)?, engine(l)?);
        resume(&mut first, &mut second, &c, &expected(&c), at).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn equal_targets_are_several_synapses(
        c in prop_oneof![case(Flavour::Integer), case(Flavour::Float)],
        k in 0..CUTS.len(),
        at in 0u32..15,
    ) {
        let c = doubled(&c);
        prop_assert!(synfire_ir::program::check(&c.program).is_empty());
        agree(&c, &expected(&c), CUTS[k], at)?;
    }

    #[test]
    fn rules_are_the_rows_that_they_stand_for(
        c in prop_oneof![case(Flavour::Integer), case(Flavour::Float)],
        k in 0..CUTS.len(),
        at in 0u32..15,
        salt: u32,
    ) {
        let c = ruled(&c, salt.into());
        prop_assert!(synfire_ir::program::check(&c.program).is_empty());
        let rows = Case {
            program: Arc::new(c.program.expanded()),
            ..c.clone()
        };
        agree(&c, &expected(&rows), CUTS[k], at)?;
    }

    #[test]
    fn a_saved_run_goes_on_with_rules(
        c in prop_oneof![case(Flavour::Integer), case(Flavour::Float)],
        k in 0..CUTS.len(),
        l in 0..CUTS.len(),
        at in 0u32..15,
        salt: u32,
    ) {
        let c = ruled(&c, salt.into());
        let rows = Case {
            program: Arc::new(c.program.expanded()),
            ..c.clone()
        };
        let engine = |k: usize| engine(&c, CUTS[k]).map_err(|d| TestCaseError::fail(d.to_string()));
        let (mut first, mut second) = (engine(k)?, engine(l)?);
        resume(&mut first, &mut second, &c, &expected(&rows), at).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn learning_equals_the_reference(
        c in prop_oneof![case(Flavour::Integer), case(Flavour::Float)],
        k in 0..CUTS.len(),
        at in 0u32..15,
    ) {
        let c = learning(&c);
        agree(&c, &expected(&c), CUTS[k], at)?;
        agree(&c, &expected(&c), CUTS[0], 15)?;
    }

    #[test]
    fn any_rule_equals_the_reference(
        c in prop_oneof![case(Flavour::Learning), case(Flavour::LearningFloat)],
        k in 0..CUTS.len(),
        at in 0u32..15,
    ) {
        let want = expected(&c);
        agree(&c, &want, CUTS[k], at)?;
        agree(&c, &want, CUTS[0], 15)?;
    }

    #[test]
    fn serial_programs_equal_the_reference(c in case(Flavour::Serial), k in 0..CUTS.len(), at in 0u32..7) {
        let want = expected(&c);
        agree(&c, &want, CUTS[k], at)?;
    }
}

#[test]
fn random_rules_are_of_every_kind() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut drawn, mut kept, mut complete) = (0, 0, 0);
    for salt in 0..600 {
        let c = case(Flavour::Float)
            .new_tree(&mut runner)
            .expect("it has a value");
        let plan = Plan::new(ruled(&c.current(), salt << 3).program, CUTS[1]);
        let rows = || plan.sequence.procedural.iter().flatten();
        drawn += u32::from(rows().any(|r| r.homes.len() > 1));
        kept += u32::from(rows().any(|r| r.delays.0 < r.delays.1));
        let mut pieces = plan.tiles.iter().flat_map(|t| &t.pieces);
        let apart =
            |p: &pieces::Piece| matches!(p.form, pieces::Form::Complete { own: Some(_), .. });
        complete += u32::from(pieces.any(apart));
    }
    assert!(
        drawn > 20 && kept > 20 && complete > 8,
        "{drawn} {kept} {complete} of 600"
    );
}

#[test]
fn random_programs_learn() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut learned, mut probed) = (0, 0);
    for _ in 0..100 {
        let c = case(Flavour::Float)
            .new_tree(&mut runner)
            .expect("it has a value");
        let p = learning(&c.current()).program;
        learned += u32::from(!p.plastic.is_empty());
        probed += u32::from(p.probes.iter().any(|x| x.name.starts_with("learned")));
    }
    assert!(learned > 30 && probed > 30, "{learned} {probed} of 100");
}

/// One external unit in front of `size` units that count their arrivals and emit each time.
fn counters(size: u32, serial: bool) -> Program {
    let mut b = BlockBuilder::new();
    let (s, one) = (b.push(Op::State(0), Ty::I32), b.i32(1));
    let next = b.bin(synfire_ir::model::BinOp::Add, s, one);
    b.store(0, next);
    b.emit(one);
    let block = b.finish();
    let mut m = Model {
        name: "counter".into(),
        states: vec![State {
            name: "n".into(),
            width: Width::I32,
        }],
        ports: vec![Port {
            name: "in".into(),
            ty: Ty::I32,
            combine: Combine::Sum,
        }],
        ..Model::default()
    };
    match serial {
        true => m.handlers.push(Handler { port: 0, block }),
        false => m.step = block,
    }
    let group = |name: &str, size, base, kind| Group {
        name: name.into(),
        size,
        phase: 0,
        base,
        graded: false,
        kind,
    };
    let units = GroupKind::Units {
        model: 0,
        params: vec![],
        init: vec![Column::Uniform(0)],
    };
    let discipline = match serial {
        false => Discipline::Stepped,
        true => Discipline::Serial(Serial {
            group: 1,
            matrix: 0,
            capacity: 4,
            closed_loop: true,
            popped: false,
            sorted: false,
            loopback: vec![],
            tail: vec![],
        }),
    };
    let sources = if serial { size } else { 1 };
    Program {
        name: "counters".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 1,
        discipline,
        models: vec![m],
        groups: vec![
            group("in", sources, 0, GroupKind::External),
            group("units", size, sources, units),
        ],
        projections: vec![Projection {
            name: "all".into(),
            source: 0,
            source_range: Range {
                start: 0,
                len: sources,
            },
            target: 1,
            target_range: Range {
                start: 0,
                len: size,
            },
            port: 0,
            carry: Carry::Events,
            layout: Layout::Dense {
                delay: 1,
                weights: Weights::Uniform(1),
            },
        }],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    }
}

fn set_up(p: Program, options: &Options) -> Result<Cpu, Diagnostics> {
    synfire_ir::program::check(&p).result(())?;
    Cpu::new(Arc::new(p), options)
}

fn messages(r: Result<u32, Diagnostics>) -> Vec<String> {
    let found = r.expect_err("the input is wrong");
    found
        .0
        .iter()
        .map(|d| format!("{} {}", d.code, d.message))
        .collect()
}

#[test]
fn wrong_input_is_reported_at_once() {
    let mut cpu = set_up(counters(3, false), &Options::default()).expect("it runs");
    let mut record = Record::default();
    cpu.advance(5, &Stimulus::default(), &mut record, &Quiet)
        .expect("no input is fine");
    let event = |step, sample, group, unit| InputEvent {
        step,
        sample,
        group,
        unit,
        payload: 1,
    };
    let bad = Stimulus {
        events: vec![
            event(9, 0, 0, 0),
            event(4, 0, 0, 0),
            event(9, 1, 0, 0),
            event(9, 1, 1, 0),
        ],
        serial: vec![(9, 0, SerialEvent::Row { pre: 0 })],
    };
    let found = messages(cpu.advance(5, &bad, &mut record, &Quiet));
    assert!(found.iter().all(|m| m.starts_with("SYN0803")), "{found:?}");
    let says = |what: &str| found.iter().any(|m| m.contains(what));
    assert!(
        says("events[1] is for step 4, but step 5 is the next"),
        "{found:?}"
    );
    assert!(
        says("events[1] (step 4, sample 0) comes after a later one"),
        "{found:?}"
    );
    assert!(
        says("events[2] is for sample 1 of a batch of 1"),
        "{found:?}"
    );
    assert!(
        says("unit 0 of group 1 is not an external unit"),
        "{found:?}"
    );
    assert!(says("serial"), "{found:?}");
    assert_eq!(cpu.now(), 5);
    let none = cpu.state(0, 0).expect_err("external groups have no state");
    assert_eq!(none.0[0].code, "SYN0807");
}

/// Stops after the first report.
struct Impatient(AtomicU64);

impl Progress for Impatient {
    fn report(&self, _: &str, done: u64, _: u64) {
        self.0.store(done, Ordering::Relaxed);
    }
    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

#[test]
fn a_cancelled_run_stops_after_a_whole_step_and_can_go_on() {
    let mut cpu = set_up(counters(9, false), &Options::default()).expect("it runs");
    let mut record = Record::default();
    let stop = Impatient(AtomicU64::new(0));
    let done = cpu.advance(1000, &Stimulus::default(), &mut record, &stop);
    let done = done.expect("stopping is no error");
    assert!(done > 0 && done < 1000, "{done}");
    assert_eq!(cpu.state(1, 0).expect("it has a state"), vec![done; 9]);
    cpu.advance(1000 - done, &Stimulus::default(), &mut record, &Quiet)
        .expect("it goes on");
    assert_eq!(cpu.state(1, 0).expect("it has a state"), vec![1000; 9]);
}

#[test]
fn a_loop_that_never_rests_is_an_error() {
    let mut cpu = set_up(counters(2, true), &Options::default()).expect("it runs");
    let Samples::Serial(_, queues) = &cpu.samples else {
        panic!("the program is serial");
    };
    open(&queues[0]).rest = 10_000;
    let input = Stimulus {
        events: vec![],
        serial: vec![(0, 0, SerialEvent::Row { pre: 0 })],
    };
    let found = messages(cpu.advance(1, &input, &mut Record::default(), &Quiet));
    assert!(found[0].starts_with("SYN0804"), "{found:?}");
}

#[test]
fn a_limit_of_memory_is_kept() {
    let options = Options {
        memory: Some(1 << 20),
        ..Options::default()
    };
    set_up(counters(1000, false), &options).expect("it fits");
    let found = set_up(counters(1_000_000, false), &options);
    let found = found.err().expect("it does not fit");
    assert_eq!(found.0[0].code, "SYN0846");
}

#[test]
fn a_network_beyond_the_memory_is_refused() {
    let mut p = counters(u32::MAX - 1, false);
    p.projections.clear();
    let options = Options {
        samples: 1000,
        threads: 1,
        ..Options::default()
    };
    let found = set_up(p, &options).err().expect("it does not fit");
    assert_eq!(found.0[0].code, "SYN0802");
}
