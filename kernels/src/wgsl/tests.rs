//! Every generated text is valid WGSL: by naga here, and by tint where it is installed.

mod learn;

use super::*;
use std::sync::Arc;
use synfire_ir::model::*;
use synfire_ir::program::{
    Arithmetic, Carry, Column, Group, Layout, Observable, Probe, Projection, Range, Serial, Weights,
};

const SIDE_BY_SIDE: Form = Form {
    parallel: true,
    begin_alone: false,
};

/// Panics with the text and the message unless naga takes it with no more than WebGPU's features.
fn valid(k: &Kernel) {
    let storage = k.buffers.iter().filter(|b| **b != Buffer::Dispatch).count();
    assert!(storage <= 8, "{} binds {storage} storage buffers", k.name);
    let module = match naga::front::wgsl::parse_str(&k.text) {
        Ok(m) => m,
        Err(e) => panic!("{}\n{}", k.text, e.emit_to_string(&k.text)),
    };
    let mut v = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::empty(),
    );
    if let Err(e) = v.validate(&module) {
        panic!("{}\n{}", k.text, e.emit_to_string(&k.text));
    }
    tint(k);
}

/// The same by tint, which also refuses barriers in non-uniform control flow.
fn tint(k: &Kernel) {
    let path = std::env::temp_dir().join(format!("synfire-{}-{}.wgsl", std::process::id(), k.name));
    std::fs::write(&path, &k.text).expect("the temporary folder takes a file");
    let run = std::process::Command::new("tint")
        .args(["--format", "wgsl"])
        .arg(&path)
        .output();
    let _ = std::fs::remove_file(&path);
    match run {
        Ok(out) if !out.status.success() => {
            panic!("{}\n{}", k.text, String::from_utf8_lossy(&out.stderr))
        }
        Ok(_) => {}
        Err(_) => eprintln!("tint is not installed: naga alone has checked `{}`", k.name),
    }
}

/// A block with every operation on every type that it takes.
fn everything(m: &Model, floats: bool, arg: Option<Ty>) -> Block {
    use BinOp::*;
    let mut b = BlockBuilder::new();
    let i = b.push(Op::State(0), Ty::I32);
    let p = b.push(Op::Param(0), Ty::U32);
    let step = b.push(Op::Step, Ty::I32);
    let index = b.push(Op::Index, Ty::I32);
    let r = b.push(Op::Rand { site: 3 }, Ty::U32);
    let mut ints = vec![i, step, index, b.i32(i32::MIN)];
    let mut words = vec![p, r];
    let mut bools = vec![];
    for (k, port) in (0u16..).zip(&m.ports) {
        if m.handler(k).is_none() && port.ty == Ty::I32 {
            match port.combine {
                Combine::Or => bools.push(b.push(Op::Port(k), Ty::Bool)),
                _ => ints.push(b.push(Op::Port(k), Ty::I32)),
            }
        }
    }
    if arg == Some(Ty::I32) {
        ints.push(b.push(Op::Arg, Ty::I32));
    }
    for op in [Add, Sub, Mul, Div, Rem, Min, Max, And, Or, Xor, Shl, Shr] {
        let x = b.bin(op, ints[ints.len() - 1], i);
        ints.push(x);
        let count = if matches!(op, Shl | Shr) { i } else { r };
        let x = b.bin(op, words[words.len() - 1], count);
        words.push(x);
    }
    for op in [Eq, Ne, Lt, Le, Gt, Ge] {
        let x = b.bin(op, i, ints[ints.len() - 1]);
        let y = b.bin(op, p, words[words.len() - 1]);
        bools.extend([x, y]);
    }
    for op in [And, Or, Xor, Eq, Ne] {
        let x = b.bin(op, bools[0], bools[bools.len() - 1]);
        bools.push(x);
    }
    for op in [
        UnOp::Neg,
        UnOp::Not,
        UnOp::Abs,
        UnOp::Sign,
        UnOp::ToU32,
        UnOp::ToBool,
    ] {
        let x = b.un(op, ints[ints.len() - 1]);
        let y = b.un(op, words[words.len() - 1]);
        for v in [x, y] {
            match b.ty(v) {
                Ty::I32 => ints.push(v),
                Ty::U32 => words.push(v),
                _ => bools.push(v),
            }
        }
    }
    let flag = bools[bools.len() - 1];
    let not = b.un(UnOp::Not, flag);
    let as_int = b.un(UnOp::ToI32, not);
    let mut sum = b.select(flag, ints[ints.len() - 1], as_int);
    for (x, y, ty) in [(i, step, Ty::I32), (i, p, Ty::I32), (p, r, Ty::U32)] {
        for shift in [0, 7, 32, 40, 63] {
            for round in [Round::Floor, Round::Zero] {
                let v = b.push(
                    Op::MulShift {
                        a: x,
                        b: y,
                        shift,
                        round,
                    },
                    ty,
                );
                let v = b.un(UnOp::ToI32, v);
                sum = b.bin(Add, sum, v);
            }
        }
    }
    for bits in [1, 8, 31, 32] {
        let s = b.push(Op::Sat { a: sum, bits }, Ty::I32);
        let w = b.push(
            Op::Wrap {
                a: s,
                bits,
                signed: true,
            },
            Ty::I32,
        );
        let u = b.push(
            Op::Wrap {
                a: words[words.len() - 1],
                bits,
                signed: false,
            },
            Ty::U32,
        );
        let u = b.un(UnOp::ToI32, u);
        sum = b.bin(Sub, w, u);
    }
    if floats {
        let f = float_part(&mut b, m, p, flag, arg);
        let back = b.un(UnOp::ToI32, f);
        sum = b.bin(Add, sum, back);
        b.store(1, f);
    }
    b.store(0, sum);
    if arg.is_none() {
        b.emit(sum);
    }
    b.finish()
}

fn float_part(b: &mut BlockBuilder, m: &Model, p: Value, flag: Value, arg: Option<Ty>) -> Value {
    let mut f = b.push(Op::State(1), Ty::F32);
    for (k, port) in (0u16..).zip(&m.ports) {
        if m.handler(k).is_none() && port.ty == Ty::F32 {
            let x = b.push(Op::Port(k), Ty::F32);
            f = b.bin(BinOp::Add, f, x);
        }
    }
    if arg == Some(Ty::F32) {
        let x = b.push(Op::Arg, Ty::F32);
        f = b.bin(BinOp::Sub, f, x);
    }
    for c in [0.1, -0.0, 1e-40, 3.4e38, f32::INFINITY, f32::NAN] {
        let c = b.f32(c);
        f = b.bin(BinOp::Min, f, c);
    }
    for op in [
        UnOp::Neg,
        UnOp::Abs,
        UnOp::Sign,
        UnOp::Floor,
        UnOp::Sqrt,
        UnOp::Exp,
        UnOp::Log,
    ] {
        f = b.un(op, f);
    }
    for op in [UnOp::Sin, UnOp::Cos, UnOp::Tanh] {
        f = b.un(op, f);
    }
    for x in [p, flag] {
        let x = b.un(UnOp::ToF32, x);
        f = b.bin(BinOp::Mul, f, x);
    }
    let unit = b.un(UnOp::Unit, p);
    for op in [BinOp::Div, BinOp::Rem, BinOp::Max, BinOp::Pow] {
        f = b.bin(op, f, unit);
    }
    let word = b.un(UnOp::ToU32, f);
    let word = b.un(UnOp::ToF32, word);
    let truth = b.un(UnOp::ToBool, f);
    b.select(truth, f, word)
}

fn zoo(name: &str, floats: bool, handlers: bool) -> Model {
    let port = |name: &str, ty, combine| Port {
        name: name.into(),
        ty,
        combine,
    };
    let mut m = Model {
        name: name.into(),
        params: vec![Param {
            name: "p".into(),
            ty: Ty::U32,
        }],
        states: vec![
            State {
                name: "i".into(),
                width: Width::I32,
            },
            State {
                name: "f".into(),
                width: Width::F32,
            },
        ],
        ports: vec![
            port("sum", Ty::I32, Combine::Sum),
            port("or", Ty::I32, Combine::Or),
            port("max", Ty::I32, Combine::Max),
            port("sat", Ty::I32, Combine::SatSum(100)),
            port("ordered", Ty::I32, Combine::Sum),
        ],
        outputs: vec![Output {
            name: "out".into(),
            state: if floats { 1 } else { 0 },
        }],
        ..Model::default()
    };
    if floats {
        m.ports.extend([
            port("fsum", Ty::F32, Combine::Sum),
            port("fmax", Ty::F32, Combine::Max),
            port("fsat", Ty::F32, Combine::SatSum(9)),
            port("fordered", Ty::F32, Combine::Sum),
        ]);
    }
    let ordered = [4, 8]
        .into_iter()
        .filter(|&k| handlers && k < m.ports.len() as u16);
    m.handlers = ordered
        .map(|port| Handler {
            port,
            block: Block::default(),
        })
        .collect();
    for k in 0..m.handlers.len() {
        let ty = m.ports[m.handlers[k].port as usize].ty;
        m.handlers[k].block = everything(&m, floats, Some(ty));
    }
    m.step = everything(&m, floats, None);
    m
}

fn program(models: Vec<Model>) -> Program {
    let mut groups = vec![Group {
        name: "in".into(),
        size: 3,
        phase: 0,
        base: 0,
        graded: false,
        kind: GroupKind::External,
    }];
    for (k, m) in models.iter().enumerate() {
        groups.push(Group {
            name: format!("g{k}"),
            size: 300,
            phase: k as u16,
            base: 3 + 300 * k as u32,
            graded: false,
            kind: GroupKind::Units {
                model: k as u32,
                params: m.params.iter().map(|_| Column::Uniform(5)).collect(),
                init: m.states.iter().map(|_| Column::Uniform(0)).collect(),
            },
        });
    }
    Program {
        name: "zoo".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: 1,
        discipline: Discipline::Stepped,
        models,
        groups,
        projections: vec![],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    }
}

#[test]
fn all_texts_are_valid() {
    for floats in [false, true] {
        for handlers in [false, true] {
            let p = program(vec![
                zoo("one", floats, handlers),
                zoo("*/ two\n", floats, false),
            ]);
            for (ones, parallel) in [(false, false), (false, true), (true, false), (true, true)] {
                let p = if ones {
                    one_to_one(p.clone())
                } else {
                    p.clone()
                };
                let found = synfire_ir::program::check(&p);
                assert!(found.is_empty(), "{found}");
                let form = Form {
                    parallel,
                    begin_alone: !parallel,
                };
                let k = kernels(&p, form);
                for kernel in [&k.begin, &k.deliver, &k.deliver_alone, &k.gather, &k.update] {
                    valid(kernel);
                }
            }
        }
    }
}

/// The program with one-to-one projections from its first group to ports of its second, and a probe.
fn one_to_one(mut p: Program) -> Program {
    let floats = p.models[1].ports.len() > 5;
    for port in [0, 2].into_iter().chain(floats.then_some(5)) {
        p.projections.push(Projection {
            name: format!("one {port}"),
            source: 1,
            source_range: Range { start: 0, len: 300 },
            target: 2,
            target_range: Range { start: 0, len: 300 },
            port,
            carry: Carry::Events,
            layout: Layout::OneToOne {
                delay: 2,
                weights: match port {
                    5 => Weights::F32(Arc::new([0.5; 300])),
                    _ => Weights::Uniform(3),
                },
            },
        });
    }
    p.probes.push(Probe {
        name: "state".into(),
        group: 1,
        range: Range { start: 0, len: 9 },
        what: Observable::State(0),
        every: 2,
    });
    p
}

/// A text without the constants, which are those of `shape` for every kernel.
fn body(k: &Kernel) -> String {
    let lines = k
        .text
        .lines()
        .filter(|l| !l.starts_with("const ") || !l.contains(": u32 = "));
    lines.map(|l| format!("{l}\n")).collect()
}

/// The texts of a small program with an ordered port, and of one without.
#[test]
fn texts_are_what_they_were() {
    let ordered = kernels(&program(vec![zoo("ordered", false, true)]), SIDE_BY_SIDE);
    insta::assert_snapshot!("begin", body(&ordered.begin));
    insta::assert_snapshot!("deliver", body(&ordered.deliver));
    insta::assert_snapshot!("gather", body(&ordered.gather));
    insta::assert_snapshot!("update_ordered", body(&ordered.update));
    let floats = program(vec![zoo("floats", true, false)]);
    insta::assert_snapshot!(
        "deliver_floats",
        body(&kernels(&floats, SIDE_BY_SIDE).deliver)
    );
    insta::assert_snapshot!(
        "update_floats",
        body(&kernels(&floats, SIDE_BY_SIDE).update)
    );
    let alone = kernels(
        &floats,
        Form {
            parallel: false,
            begin_alone: true,
        },
    );
    let form = Form {
        parallel: false,
        begin_alone: true,
    };
    let small = program(vec![
        zoo("one", false, false),
        Model {
            step: Block::default(),
            ..zoo("two", false, false)
        },
    ]);
    insta::assert_snapshot!(
        "update_ones",
        body(&kernels(&one_to_one(small), form).update)
    );
    insta::assert_snapshot!("begin_alone", body(&alone.begin));
    insta::assert_snapshot!("deliver_alone", body(&alone.deliver_alone));
    insta::assert_snapshot!("update_alone", body(&alone.update));
}

/// Equal models give equal texts, whatever the network's sizes and synapses are.
#[test]
fn texts_hold_no_number_of_the_network() {
    let mut p = program(vec![zoo("one", false, true)]);
    let before = kernels(&p, SIDE_BY_SIDE).update.text;
    p.seed = 99;
    p.groups[1].size = 4000;
    p.projections.push(matrix());
    assert_eq!(before, kernels(&p, SIDE_BY_SIDE).update.text);
}

#[test]
fn serial_texts_are_valid() {
    for floats in [false, true] {
        let mut p = program(vec![zoo("one", floats, true)]);
        p.models[0].handlers[0].block.emit =
            p.models[0].handlers[0].block.stores.first().map(|s| s.1);
        p.projections.push(matrix());
        let s = Serial {
            group: 1,
            matrix: 0,
            capacity: 7,
            closed_loop: false,
            popped: false,
            sorted: true,
            loopback: vec![],
            tail: vec![],
        };
        p.discipline = Discipline::Serial(s.clone());
        let found = synfire_ir::program::check(&p);
        assert!(found.is_empty(), "{found}");
        let k = serial::serial_kernel(&p, &s).expect("the group has a model");
        valid(&k);
    }
}

fn matrix() -> Projection {
    Projection {
        name: "x".into(),
        source: 0,
        source_range: Range { start: 0, len: 3 },
        target: 1,
        target_range: Range { start: 0, len: 4 },
        port: 4,
        carry: Carry::Events,
        layout: Layout::Dense {
            delay: 7,
            weights: Weights::I8(Arc::new([1; 12])),
        },
    }
}
