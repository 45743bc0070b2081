//! Random serial programs: one group behind one dense matrix, with every parameter of the discipline.

use super::models::{Shape, model};
use super::programs::{probes, size, units, weights};
use super::{Case, Part, Tape};
use crate::engine::Stimulus;
use std::sync::Arc;
use synfire_ir::program::{
    Arithmetic, Carry, Discipline, Group, GroupKind, Layout, Loopback, Program, Projection, Range,
    Serial, SerialEvent,
};

pub(super) fn build(tape: &mut Tape) -> Case {
    let shape = Shape {
        floats: false,
        serial: true,
        bounded: Some(1 + tape.below(4) as i32),
    };
    let (steps, samples) = (1 + tape.below(6), 1 + tape.below(3));
    let m = tape.within(Part::Code, |t| model(t, "unit", shape));
    let n = size(tape);
    let sorted = tape.below(2) == 1;
    let closed_loop = tape.below(2) == 1;
    let first = tape.below(n);
    let target_range = Range {
        start: first,
        len: n - first,
    };
    let rows = if closed_loop { n } else { 1 } + tape.below(6);
    let port = tape.below(m.ports.len() as u32) as u16;
    let ty = m.ports[port as usize].ty;
    let matrix = Projection {
        name: "matrix".into(),
        source: 0,
        source_range: Range {
            start: 0,
            len: rows,
        },
        target: 1,
        target_range,
        port,
        carry: Carry::Events,
        layout: Layout::Dense {
            delay: tape.below(2) as u16,
            weights: weights(tape, ty, (rows * target_range.len) as usize),
        },
    };
    let ports = m.ports.len() as u32;
    let mut serial = Serial {
        group: 1,
        matrix: 0,
        capacity: 1 + tape.below(6),
        closed_loop,
        popped: tape.below(2) == 1,
        sorted,
        loopback: vec![],
        tail: vec![],
    };
    if sorted {
        serial.loopback = (0..tape.below(4))
            .map(|_| Loopback {
                unit: tape.below(n),
                delay: 1 + tape.below(3) as u16,
                pre: tape.below(rows),
            })
            .collect();
    }
    serial.tail = (0..tape.below(3))
        .map(|_| event(tape, rows, n, ports))
        .collect();
    let group = |name: &str, size, base, kind| Group {
        name: name.into(),
        size,
        phase: 0,
        base,
        graded: false,
        kind,
    };
    let kind = units(tape, &m, 0, n);
    let mut program = Program {
        name: "random serial".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: tape.word() as u64,
        discipline: Discipline::Serial(serial),
        models: vec![m],
        groups: vec![
            group("addresses", rows, 0, GroupKind::External),
            group("units", n, rows, kind),
        ],
        projections: vec![matrix],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    };
    probes(tape, &mut program, false);
    let mut input = Stimulus::default();
    for step in 0..steps {
        for sample in 0..samples {
            for _ in 0..tape.below(8) {
                let e = tape.within(Part::Data, |t| event(t, rows, n, ports));
                input.serial.push((step, sample, e));
            }
        }
    }
    Case {
        program: Arc::new(program),
        samples,
        steps,
        input,
    }
}

fn event(tape: &mut Tape, rows: u32, n: u32, ports: u32) -> SerialEvent {
    let first = tape.below(n);
    let last = first + tape.below(n - first);
    match tape.below(5) {
        0..=2 => SerialEvent::Row {
            pre: tape.below(rows),
        },
        3 => SerialEvent::Direct {
            port: tape.below(ports) as u16,
            value: tape.number(),
            first,
            last,
            queued: tape.below(2) == 1,
        },
        _ => SerialEvent::Step { first, last },
    }
}
