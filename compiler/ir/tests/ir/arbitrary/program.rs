//! Random programs that pass `program::check`.

use super::Tape;
use super::code::{self, Shape};
use super::synapse;
use synfire_ir::model::Ty;
use synfire_ir::program::*;

/// Stepped or serial, integers or floats as well.
pub fn sound(t: &mut Tape) -> Program {
    match t.below(3) {
        0 => stepped(t, false),
        1 => stepped(t, true),
        _ => serial(t),
    }
}

fn column(t: &mut Tape, ty: Ty, size: u32) -> Column {
    let word = |t: &mut Tape| match ty {
        Ty::F32 => t.single(),
        Ty::Bool => t.below(2),
        _ => t.number() as u32,
    };
    match t.flip() {
        true => Column::PerUnit((0..size).map(|_| word(t)).collect()),
        false => Column::Uniform(word(t)),
    }
}

fn units(t: &mut Tape, models: &[synfire_ir::model::Model], model: u32, size: u32) -> GroupKind {
    let m = &models[model as usize];
    let last = m.states.len() - 1;
    let init = |t: &mut Tape, k: usize| match k == last {
        // The counter that bounds the number of emissions.
        true => Column::Uniform(0),
        false => column(t, m.states[k].width.ty(), size),
    };
    GroupKind::Units {
        model,
        params: m.params.iter().map(|p| column(t, p.ty, size)).collect(),
        init: (0..=last).map(|k| init(t, k)).collect(),
    }
}

fn stepped(t: &mut Tape, floats: bool) -> Program {
    let shape = Shape {
        floats,
        serial: false,
    };
    let models: Vec<_> = (0..1 + t.below(2))
        .map(|k| code::model(t, &format!("m{k}"), shape))
        .collect();
    let (mut groups, mut base) = (vec![], 0);
    for k in 0..2 + t.below(3) {
        let size = 1 + t.below(6);
        let external = k == 0 || t.once_in(4);
        let kind = match external {
            true => GroupKind::External,
            false => {
                let model = t.below(models.len() as u32);
                units(t, &models, model, size)
            }
        };
        groups.push(Group {
            name: format!("g{k}"),
            size,
            phase: if external { 0 } else { t.below(3) as u16 },
            base,
            graded: external && floats && t.flip(),
            kind,
        });
        base += size;
    }
    let mut p = Program {
        name: "random".into(),
        arithmetic: t.pick(&[Arithmetic::F32, Arithmetic::Fixed, Arithmetic::Integer]),
        dt: t.flip().then(|| t.real()),
        seed: t.long(),
        discipline: Discipline::Stepped,
        models,
        groups,
        projections: vec![],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    };
    for k in 0..t.below(6) {
        let made = projection(t, &p, k);
        p.projections.extend(made);
    }
    synapse::learn(t, &mut p, floats);
    probes(t, &mut p);
    p
}

fn projection(t: &mut Tape, p: &Program, k: u32) -> Option<Projection> {
    let target = t.below(p.groups.len() as u32);
    let source = t.below(p.groups.len() as u32);
    let m = p.model_of(target)?;
    let (src, dst) = (&p.groups[source as usize], &p.groups[target as usize]);
    let port = t.below(m.ports.len() as u32) as u16;
    let ty = m.ports[port as usize].ty;
    let handled = m.handler(port).is_some();
    let fits = |o: &synfire_ir::model::Output| {
        p.model_of(source)
            .is_some_and(|sm| sm.states[o.state as usize].width.ty() == ty)
    };
    let output = p
        .model_of(source)
        .and_then(|sm| sm.outputs.iter().position(fits))
        .filter(|_| !handled && t.flip());
    let carry = output.map_or(Carry::Events, |o| Carry::Output(o as u16));
    if carry == Carry::Events && src.graded && ty != Ty::F32 {
        return None;
    }
    let external = matches!(src.kind, GroupKind::External);
    let least = u16::from(!external && src.phase >= dst.phase);
    let mut range = |size: u32| {
        let start = t.below(size);
        let len = size - start;
        Range { start, len }
    };
    let (mut from, mut to) = (range(src.size), range(dst.size));
    let delay = least + t.below(3) as u16;
    let layout = match t.below(3) {
        0 => Layout::Rows(rows(t, from.len, to.len, ty, least)),
        1 => Layout::Dense {
            delay,
            weights: weights(t, ty, (from.len * to.len) as usize),
        },
        _ => {
            let n = from.len.min(to.len);
            (from.len, to.len) = (n, n);
            Layout::OneToOne {
                delay,
                weights: weights(t, ty, n as usize),
            }
        }
    };
    Some(Projection {
        name: format!("pr{k}"),
        source,
        source_range: from,
        target,
        target_range: to,
        port,
        carry,
        layout,
    })
}

fn rows(t: &mut Tape, sources: u32, targets: u32, ty: Ty, least: u16) -> Rows {
    let (mut row, mut runs, mut all) = (vec![0], vec![], vec![]);
    for _ in 0..sources {
        for delay in least..least + 3 {
            if t.flip() {
                let start = all.len() as u32;
                all.extend((0..targets).filter(|_| t.flip()));
                let len = all.len() as u32 - start;
                runs.push(Run { delay, start, len });
            }
        }
        row.push(runs.len() as u32);
    }
    let weights = weights(t, ty, all.len());
    Rows {
        row: row.into(),
        runs: runs.into(),
        targets: all.into(),
        weights,
    }
}

pub fn weights(t: &mut Tape, ty: Ty, n: usize) -> Weights {
    match (ty, t.below(4)) {
        (Ty::F32, 0) => Weights::Uniform(t.single()),
        (Ty::F32, _) => Weights::F32((0..n).map(|_| f32::from_bits(t.single())).collect()),
        (_, 0) => Weights::Uniform(t.number() as u32),
        (_, 1) => Weights::I8((0..n).map(|_| t.word() as i8).collect()),
        (_, 2) => Weights::I16((0..n).map(|_| t.word() as i16).collect()),
        _ => Weights::I32((0..n).map(|_| t.number()).collect()),
    }
}

fn probes(t: &mut Tape, p: &mut Program) {
    for k in 0..t.below(3) {
        let group = t.below(p.groups.len() as u32);
        if t.flip() {
            learned(t, p, k);
            continue;
        }
        let states = p.model_of(group).map_or(0, |m| m.states.len() as u32);
        let what = match states > 0 && t.flip() {
            true => Observable::State(t.below(states) as u16),
            false => Observable::Events,
        };
        p.probes.push(Probe {
            name: format!("probe{k}"),
            group,
            range: Range {
                start: 0,
                len: p.groups[group as usize].size,
            },
            what,
            every: 1 + t.below(3),
        });
    }
}

/// A probe of a plastic projection, if there is one.
fn learned(t: &mut Tape, p: &mut Program, k: u32) {
    let n = p.plastic.len() as u32;
    let Some(x) = p.plastic.get(t.below(n) as usize) else {
        return;
    };
    let (pr, m) = (
        &p.projections[x.projection as usize],
        &p.synapse_models[x.synapse as usize],
    );
    let state = t.below(m.states.len() as u32) as u16;
    let probe = Probe {
        name: format!("learned{k}"),
        group: pr.target,
        range: Range {
            start: 0,
            len: pr.elements(m.states[state as usize].place) as u32,
        },
        what: Observable::Synapse {
            projection: x.projection,
            state,
        },
        every: 1 + t.below(3),
    };
    p.probes.push(probe);
}

fn serial(t: &mut Tape) -> Program {
    let shape = Shape {
        floats: false,
        serial: true,
    };
    let m = code::model(t, "unit", shape);
    let ports = m.ports.len() as u32;
    let n = 1 + t.below(5);
    let first = t.below(n);
    let rows = n + t.below(3);
    let port = t.below(ports) as u16;
    let to = Range {
        start: first,
        len: n - first,
    };
    let sorted = t.flip();
    let serial = Serial {
        group: 1,
        matrix: 0,
        capacity: 1 + t.below(4),
        closed_loop: t.flip(),
        popped: t.flip(),
        sorted,
        loopback: t.list(if sorted { 2 } else { 0 }, |t| Loopback {
            unit: t.below(n),
            delay: 1 + t.below(3) as u16,
            pre: t.below(rows),
        }),
        tail: t.list(2, |t| event(t, rows, n, ports)),
    };
    let models = vec![m];
    let group = |name: &str, size, base, kind| Group {
        name: name.into(),
        size,
        phase: 0,
        base,
        graded: false,
        kind,
    };
    let kind = units(t, &models, 0, n);
    let matrix = Projection {
        name: "matrix".into(),
        source: 0,
        source_range: Range {
            start: 0,
            len: rows,
        },
        target: 1,
        target_range: to,
        port,
        carry: Carry::Events,
        layout: Layout::Dense {
            delay: t.below(2) as u16,
            weights: weights(t, Ty::I32, (rows * to.len) as usize),
        },
    };
    let mut p = Program {
        name: "serial".into(),
        arithmetic: Arithmetic::Integer,
        dt: None,
        seed: t.long(),
        discipline: Discipline::Serial(serial),
        models,
        groups: vec![
            group("rows", rows, 0, GroupKind::External),
            group("units", n, rows, kind),
        ],
        projections: vec![matrix],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    };
    probes(t, &mut p);
    p
}

pub fn event(t: &mut Tape, rows: u32, n: u32, ports: u32) -> SerialEvent {
    let first = t.below(n);
    let last = first + t.below(n - first);
    match t.below(4) {
        0 | 1 => SerialEvent::Row { pre: t.below(rows) },
        2 => SerialEvent::Direct {
            port: t.below(ports) as u16,
            value: t.number(),
            first,
            last,
            queued: t.flip(),
        },
        _ => SerialEvent::Step { first, last },
    }
}
