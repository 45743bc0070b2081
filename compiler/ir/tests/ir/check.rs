//! `program::check` finds each violation, and what it accepts runs.

use crate::arbitrary::{Tape, program, spoil, tape};
use proptest::prelude::*;
use synfire_ir::model::*;
use synfire_ir::program::*;

const STEPPED: &str = r#"
program base: f32 seed 1
model M {
  param p: bool
  state v: f32
  state n: i32
  port i: f32 sum
  port k: i32 sum
  port free: i32 or
  output r = v
  on k { %0 = arg.i32 store n, %0 }
  step { %0 = port.f32 i %1 = state.i32 n %2 = port.bool free store v, %0 emit %1 }
}
group in: external[3] phase 0 base 0
group light: external[2] phase 0 base 3 graded
group a: units M[2] phase 1 base 5 { param p = true init v = [0.0, 1.0] init n = 0 }
group b: units M[4] phase 2 base 7 { param p = false init v = 0.0 init n = 0 }
projection sparse: in[0..3] -> a[0..2].i events rows f32 {
  0: d0 [0: 1.0, 1: 2.0] d2 [0: 1.0]
  1:
  2: d1 [1: 0.5]
}
projection handled: in[0..1] -> a[0..2].k events rows uniform 3 { 0: d0 [0, 0, 1] }
projection one: a[0..2] -> b[1..3].i events one_to_one d0 f32 [1.0, 2.0]
projection analog: a[0..2] -> b[0..4].i output r dense d0 uniform 0.5
projection bright: light[0..2] -> b[0..4].i events dense d0 uniform 0.5
probe v: b[0..4] state v every 2
"#;

const SERIAL: &str = r#"
program base: integer seed 1
model M {
  state n: i32
  port k: i32 sum
  port other: i32 sum
  on k { %0 = arg.i32 store n, %0 emit %0 }
  step { }
}
group rows: external[3] phase 0 base 0
group units: units M[2] phase 0 base 3 { init n = 0 }
projection matrix: rows[0..3] -> units[0..2].k events dense d0 i8 [1, 2, 3, 4, 5, 6]
serial units matrix matrix capacity 4 {
  closed_loop sorted
  loopback 1 d1 -> 2
  tail direct k value 1 units 0..=1
  tail row 2
  tail step units 0..=1
}
"#;

type Damage = fn(&mut Program);

fn step(p: &mut Program) -> &mut Block {
    &mut p.models[0].step
}

fn units(p: &mut Program, g: usize) -> (&mut u32, &mut Vec<Column>, &mut Vec<Column>) {
    match &mut p.groups[g].kind {
        GroupKind::Units {
            model,
            params,
            init,
        } => (model, params, init),
        GroupKind::External => panic!("group {g} has no units"),
    }
}

fn rows(p: &mut Program, k: usize) -> &mut Rows {
    match &mut p.projections[k].layout {
        Layout::Rows(r) => r,
        other => panic!("no rows: {other:?}"),
    }
}

fn serial(p: &mut Program) -> &mut Serial {
    match &mut p.discipline {
        Discipline::Serial(s) => s,
        Discipline::Stepped => panic!("not serial"),
    }
}

fn push(p: &mut Program, op: Op, ty: Ty) {
    step(p).insts.push(Inst { op, ty });
}

/// (what is done, what is said of it).
const MODELS: [(Damage, &str); 23] = [
    (|p| p.models[0].ports[0].ty = Ty::Bool, "cannot accumulate"),
    (|p| p.models[0].ports[2].ty = Ty::F32, "cannot accumulate"),
    (|p| p.models[0].outputs[0].state = 9, "names no state"),
    (|p| p.models[0].handlers[0].port = 9, "handler of port 9"),
    (
        |p| {
            p.models[0].handlers.push(Handler {
                port: 1,
                block: Block::default(),
            })
        },
        "two handlers of port 1",
    ),
    (
        |p| p.models[0].handlers[0].block.emit = Some(0),
        "only serial programs may",
    ),
    (
        |p| push(p, Op::Un(UnOp::Neg, 3), Ty::I32),
        "instruction 3 reads a value that comes later",
    ),
    (|p| push(p, Op::Const(2), Ty::Bool), "cannot give Bool"),
    (|p| push(p, Op::Param(7), Ty::I32), "cannot give I32"),
    (|p| push(p, Op::State(7), Ty::I32), "cannot give I32"),
    (|p| push(p, Op::Port(1), Ty::I32), "cannot give I32"),
    (|p| push(p, Op::Arg, Ty::I32), "(Arg) cannot give I32"),
    (|p| push(p, Op::Step, Ty::U32), "(Step) cannot give U32"),
    (
        |p| push(p, Op::Rand { site: 0 }, Ty::F32),
        "cannot give F32",
    ),
    (
        |p| push(p, Op::Un(UnOp::Sqrt, 1), Ty::I32),
        "cannot give I32",
    ),
    (
        |p| push(p, Op::Bin(BinOp::Add, 0, 1), Ty::F32),
        "cannot give F32",
    ),
    (|p| push(p, Op::Select(0, 1, 1), Ty::I32), "cannot give I32"),
    (
        |p| {
            push(
                p,
                Op::MulShift {
                    a: 1,
                    b: 1,
                    shift: 64,
                    round: Round::Zero,
                },
                Ty::I32,
            )
        },
        "cannot give I32",
    ),
    (
        |p| push(p, Op::Sat { a: 1, bits: 33 }, Ty::I32),
        "cannot give I32",
    ),
    (
        |p| {
            push(
                p,
                Op::Wrap {
                    a: 1,
                    bits: 0,
                    signed: true,
                },
                Ty::I32,
            )
        },
        "cannot give I32",
    ),
    (
        |p| step(p).stores.push((1, 0)),
        "the store to state 1 does not fit",
    ),
    (|p| step(p).stores.push((0, 0)), "stores state 0 twice"),
    (|p| step(p).emit = Some(0), "not an I32"),
];

const GROUPS: [(Damage, &str); 13] = [
    (
        |p| p.groups[2].base = 6,
        "base is 6, the groups before it have 5",
    ),
    (
        |p| p.groups[3].name = "a".into(),
        "another group has its name",
    ),
    (|p| p.groups[3].phase = u16::MAX, "phase 65535"),
    (|p| p.groups[0].phase = 1, "phase 1"),
    (|p| p.groups[2].graded = true, "not graded ones"),
    (|p| p.groups[3].size = u32::MAX, "an engine numbers at most"),
    (|p| *units(p, 2).0 = 4, "no model 4"),
    (
        |p| units(p, 2).1.clear(),
        "0 parameter columns, the model has 1",
    ),
    (
        |p| units(p, 2).2.push(Column::Uniform(0)),
        "3 state columns, the model has 2",
    ),
    (
        |p| units(p, 2).2[0] = Column::PerUnit([0].into()),
        "1 words for 2 units",
    ),
    (|p| units(p, 2).1[0] = Column::Uniform(2), "holds others"),
    (|p| p.probes[0].group = 9, "no group 9"),
    (|p| p.probes[0].what = Observable::State(2), "no state 2"),
];

const PROJECTIONS: [(Damage, &str); 27] = [
    (|p| p.probes[0].every = 0, "interval out of bounds"),
    (|p| p.probes[0].range.len = u32::MAX, "range or interval"),
    (|p| p.probes[0].group = 0, "no state 0"),
    (|p| p.projections[0].source = 9, "is not there"),
    (|p| p.projections[0].target = 9, "is not there"),
    (
        |p| p.projections[0].source_range.start = 1,
        "leaves its group",
    ),
    (
        |p| p.projections[0].target_range.len = u32::MAX,
        "leaves its group",
    ),
    (|p| p.projections[0].port = 9, "no port 9"),
    (|p| p.projections[2].target = 0, "no port 0"),
    (
        |p| p.projections[3].carry = Carry::Output(1),
        "no such output",
    ),
    (|p| p.models[0].outputs[0].state = 9, "no such output"),
    (
        |p| p.projections[4].carry = Carry::Output(0),
        "no such output",
    ),
    (
        |p| (p.models[0].outputs[0].state, p.projections[3].port) = (1, 1),
        "cannot feed a port with a handler",
    ),
    (|p| p.projections[4].port = 2, "cannot feed an integer port"),
    (
        |p| p.projections[2].source_range.len = 1,
        "ranges of different length",
    ),
    (
        |p| rows(p, 0).weights = Weights::F32([0.5].into()),
        "1 weights for 4 synapses",
    ),
    (
        |p| rows(p, 0).weights = Weights::I8([1; 4].into()),
        "not of the port's type",
    ),
    (|p| rows(p, 0).row = [0, 2, 2].into(), "row pointers"),
    (|p| rows(p, 0).row = [0, 2, 1, 3].into(), "row pointers"),
    (|p| rows(p, 0).row = [1, 2, 2, 3].into(), "row pointers"),
    (
        |p| rows(p, 0).runs = [(1, 0, 2), (2, 3, 1), (1, 3, 1)].map(run).into(),
        "follow one another",
    ),
    (
        |p| rows(p, 0).runs = [(1, 0, 2), (2, 2, 1), (1, 3, 0)].map(run).into(),
        "do not cover",
    ),
    (
        |p| rows(p, 0).runs = [(2, 0, 2), (1, 2, 1), (1, 3, 1)].map(run).into(),
        "delays of one source",
    ),
    (
        |p| rows(p, 0).targets = [1, 0, 0, 1].into(),
        "targets of a run",
    ),
    (
        |p| rows(p, 0).targets = [0, 2, 0, 1].into(),
        "targets of a run",
    ),
    (
        |p| rows(p, 0).runs = [(1, 0, 2), (u16::MAX, 2, 1), (1, 3, 1)].map(run).into(),
        "a delay of 65535",
    ),
    (|p| p.groups[3].phase = 1, "delay 0 from phase 1 to phase 1"),
];

fn run((delay, start, len): (u16, u32, u32)) -> Run {
    Run { delay, start, len }
}

const DISCIPLINES: [(Damage, &str); 15] = [
    (|p| serial(p).group = 0, "no group of units"),
    (|p| serial(p).matrix = 3, "no matrix projection"),
    (
        |p| p.projections[0].source_range.start = 1,
        "leaves its group",
    ),
    (
        |p| {
            (p.projections[0].source_range, p.projections[0].layout) =
                (Range { start: 1, len: 2 }, dense(4))
        },
        "not a dense projection",
    ),
    (
        |p| (p.projections[0].source_range.len, p.projections[0].layout) = (2, one_to_one()),
        "not a dense projection",
    ),
    (|p| p.projections[0].port = 1, "has no handler"),
    (
        |p| p.groups[0].kind = p.groups[1].kind.clone(),
        "not an external group",
    ),
    (|p| serial(p).capacity = 0, "no place"),
    (
        |p| (p.projections[0].source_range.len, p.projections[0].layout) = (1, dense(2)),
        "a unit has no row",
    ),
    (|p| serial(p).loopback[0].delay = 0, "loopback of unit 1"),
    (|p| serial(p).loopback[0].unit = 2, "loopback of unit 2"),
    (|p| serial(p).loopback[0].pre = 3, "loopback of unit 1"),
    (|p| serial(p).sorted = false, "loopback of unit 1"),
    (
        |p| {
            serial(p).tail[0] = SerialEvent::Direct {
                port: 1,
                value: 0,
                first: 0,
                last: 0,
                queued: false,
            }
        },
        "Direct",
    ),
    (
        |p| serial(p).tail[2] = SerialEvent::Step { first: 1, last: 0 },
        "Step { first: 1, last: 0 }",
    ),
];

fn dense(n: usize) -> Layout {
    Layout::Dense {
        delay: 0,
        weights: Weights::I8(vec![1; n].into()),
    }
}

fn one_to_one() -> Layout {
    Layout::OneToOne {
        delay: 0,
        weights: Weights::Uniform(1),
    }
}

fn table(base: &str, cases: &[(Damage, &str)]) {
    let base = parse("base", base).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(check(&base).to_string(), "");
    for (k, (damage, said)) in cases.iter().enumerate() {
        let mut p = base.clone();
        damage(&mut p);
        let found = check(&p).to_string();
        assert!(
            found.contains(said),
            "case {k}: `{said}` is not in:\n{found}"
        );
    }
}

#[test]
fn damaged_models() {
    table(STEPPED, &MODELS);
}

#[test]
fn damaged_groups() {
    table(STEPPED, &GROUPS);
}

#[test]
fn damaged_projections() {
    table(STEPPED, &PROJECTIONS);
}

#[test]
fn damaged_disciplines() {
    table(SERIAL, &DISCIPLINES);
}

/// Some steps with events at every unit of every external group.
fn run_program(p: &Program) -> (Vec<Vec<Vec<u32>>>, u64) {
    let mut r = Reference::new(p, 1);
    let events: Vec<(u32, u32, u32)> = (0u32..)
        .zip(&p.groups)
        .filter(|(_, g)| matches!(g.kind, GroupKind::External))
        .flat_map(|(k, g)| (0..g.size).map(move |i| (k, i, 0x3f80_0000 + i)))
        .collect();
    let rows = p.projections.first().map_or(0, |x| x.source_range.len);
    for k in 0..5 {
        match p.discipline {
            Discipline::Stepped => drop(r.step(&events)),
            Discipline::Serial(_) => {
                let given: Vec<_> = (0..rows.min(k))
                    .map(|pre| SerialEvent::Row { pre })
                    .collect();
                r.serial_step(&given);
            }
        }
    }
    (r.state, r.lost)
}

proptest! {
    #![proptest_config(crate::cases(800))]

    #[test]
    fn sound_programs_pass_and_run_alike(words in tape(500)) {
        let p = program::sound(&mut Tape::new(words));
        prop_assert_eq!(check(&p).to_string(), "");
        prop_assert_eq!(run_program(&p), run_program(&p));
    }

    #[test]
    fn what_passes_runs(words in tape(500), damage in tape(60)) {
        let mut p = program::sound(&mut Tape::new(words));
        let mut t = Tape::new(damage);
        (0..1 + t.below(3)).for_each(|_| spoil::spoil(&mut t, &mut p));
        if let Discipline::Serial(s) = &mut p.discipline {
            // Units that always fire keep a closed loop busy for ever, which is what such a chip does.
            s.closed_loop = false;
        }
        if check(&p).is_empty() {
            run_program(&p);
        }
    }
}

#[test]
fn damages_are_found_and_missed_often_enough_to_mean_something() {
    let seeds = |k: u32, n: u32| {
        (0..n)
            .map(|i| synfire_ir::rng::word(k as u64, 1, 0, 0, 0, i))
            .collect()
    };
    let (mut passed, mut found) = (0, 0);
    for k in 0..400 {
        let mut p = program::sound(&mut Tape::new(seeds(k, 400)));
        spoil::spoil(&mut Tape::new(seeds(k + 1000, 40)), &mut p);
        match check(&p).is_empty() {
            true => passed += 1,
            false => found += 1,
        }
    }
    assert!(
        passed > 50 && found > 50,
        "{passed} passed, {found} were found"
    );
}
