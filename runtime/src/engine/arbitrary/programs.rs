//! Random stepped programs: groups in phases, projections of every layout, probes, and events for the external groups.

use super::models::{Shape, model};
use super::synapses::learn;
use super::{Case, Part, Tape};
use crate::engine::{InputEvent, Stimulus};
use std::sync::Arc;
use synfire_ir::model::{Model, Ty};
use synfire_ir::program::{
    Arithmetic, Carry, Column, Discipline, Group, GroupKind, Layout, Observable, Probe, Program,
    Projection, Range, Rows, Run, Weights,
};

pub(super) fn build(tape: &mut Tape, floats: bool, learning: bool) -> Case {
    let shape = Shape {
        floats,
        serial: false,
        bounded: None,
    };
    let (steps, samples) = (1 + tape.below(14), 1 + tape.below(3));
    let models: Vec<Model> = (0..1 + tape.below(3))
        .map(|i| tape.within(Part::Code, |t| model(t, &format!("m{i}"), shape)))
        .collect();
    let groups = groups(tape, &models, floats);
    let mut program = Program {
        name: "random".into(),
        arithmetic: match floats {
            true => Arithmetic::F32,
            false => Arithmetic::Integer,
        },
        dt: None,
        seed: (tape.word() as u64) << 32 | tape.word() as u64,
        discipline: Discipline::Stepped,
        models,
        groups,
        projections: vec![],
        synapse_models: vec![],
        plastic: vec![],
        probes: vec![],
    };
    for k in 0..2 + tape.below(9) {
        let made = projection(tape, &program, k);
        program.projections.extend(made);
    }
    probes(tape, &mut program, true);
    if learning {
        learn(tape, &mut program, floats);
    }
    let input = tape.within(Part::Data, |t| events(t, &program, samples, steps));
    Case {
        program: Arc::new(program),
        samples,
        steps,
        input,
    }
}

/// Mostly a few units, sometimes enough to cross the borders of lane blocks and tiles.
pub(super) fn size(tape: &mut Tape) -> u32 {
    match tape.below(8) {
        0..=3 => 1 + tape.below(5),
        4..=6 => 1 + tape.below(40),
        _ => 1 + tape.below(150),
    }
}

pub(super) fn column(tape: &mut Tape, ty: Ty, size: u32) -> Column {
    let uniform = tape.below(2) == 0;
    tape.within(Part::Data, |tape| {
        let mut word = |_| match ty {
            Ty::F32 => tape.real(),
            Ty::Bool => tape.below(2),
            _ => tape.number() as u32,
        };
        match uniform {
            true => Column::Uniform(word(0)),
            false => Column::PerUnit((0..size).map(word).collect()),
        }
    })
}

pub(super) fn units(tape: &mut Tape, m: &Model, index: u32, size: u32) -> GroupKind {
    GroupKind::Units {
        model: index,
        params: m.params.iter().map(|p| column(tape, p.ty, size)).collect(),
        init: (m.states.iter())
            .map(|s| match s.name.as_str() {
                "fired" => Column::Uniform(0),
                _ => column(tape, s.width.ty(), size),
            })
            .collect(),
    }
}

fn groups(tape: &mut Tape, models: &[Model], floats: bool) -> Vec<Group> {
    let mut out: Vec<Group> = vec![];
    let mut base = 0;
    for i in 0..2 + tape.below(4) {
        let external = i == 0 || tape.once_in(5);
        let size = size(tape);
        let kind = if external {
            GroupKind::External
        } else {
            let k = tape.below(models.len() as u32);
            units(tape, &models[k as usize], k, size)
        };
        out.push(Group {
            name: format!("g{i}"),
            size,
            phase: if external { 0 } else { tape.below(3) as u16 },
            base,
            graded: external && floats && tape.below(2) == 1,
            kind,
        });
        base += size;
    }
    out
}

pub(super) fn range(tape: &mut Tape, size: u32) -> Range {
    match tape.below(3) {
        0 | 1 => Range {
            start: 0,
            len: size,
        },
        _ => {
            let start = tape.below(size);
            Range {
                start,
                len: 1 + tape.below(size - start),
            }
        }
    }
}

/// A legal projection, or none when the drawn groups have nothing to say to one another.
fn projection(tape: &mut Tape, p: &Program, k: u32) -> Option<Projection> {
    let targets: Vec<u32> = (0..p.groups.len() as u32)
        .filter(|&g| p.model_of(g).is_some())
        .collect();
    if targets.is_empty() {
        return None;
    }
    let target = tape.pick(&targets);
    let source = tape.below(p.groups.len() as u32);
    let (src, dst) = (&p.groups[source as usize], &p.groups[target as usize]);
    let m = p.model_of(target)?;
    let port = tape.below(m.ports.len() as u32) as u16;
    let ty = m.ports[port as usize].ty;
    let handled = m.handler(port).is_some();
    let outputs: Vec<u16> = match p.model_of(source) {
        Some(sm) if !handled => (0..)
            .zip(&sm.outputs)
            .filter(|(_, o)| sm.states[o.state as usize].width.ty() == ty)
            .map(|(i, _)| i)
            .collect(),
        _ => vec![],
    };
    let carry = match outputs.is_empty() || tape.below(2) == 0 {
        true => Carry::Events,
        false => Carry::Output(tape.pick(&outputs)),
    };
    if src.graded && carry == Carry::Events && ty != Ty::F32 {
        return None;
    }
    let mut source_range = range(tape, src.size);
    let mut target_range = range(tape, dst.size);
    let external = matches!(src.kind, GroupKind::External);
    let least = u16::from(!external && src.phase >= dst.phase);
    let layout = match tape.below(4) {
        0 | 1 => {
            let weigh = tape.below(4);
            tape.within(Part::Data, |t| {
                rows(t, source_range, target_range, (ty, handled), least, weigh)
            })
        }
        2 => {
            let n = source_range.len * target_range.len;
            Layout::Dense {
                delay: least + tape.below(4) as u16,
                weights: weights(tape, ty, n as usize),
            }
        }
        _ => {
            let n = source_range.len.min(target_range.len);
            (source_range.len, target_range.len) = (n, n);
            Layout::OneToOne {
                delay: least + tape.below(4) as u16,
                weights: weights(tape, ty, n as usize),
            }
        }
    };
    Some(Projection {
        name: format!("pr{k}"),
        source,
        source_range,
        target,
        target_range,
        port,
        carry,
        layout,
    })
}

/// Rows; a port with a handler (`repeats`) may meet a target several times in one run.
fn rows(
    tape: &mut Tape,
    from: Range,
    to: Range,
    (ty, repeats): (Ty, bool),
    least: u16,
    weigh: u32,
) -> Layout {
    let (mut row, mut runs, mut targets) = (vec![0], vec![], vec![]);
    let gap = 1 + tape.below(4);
    let delays = 1 + tape.below(6) as u16;
    for _ in 0..from.len {
        for delay in least..least + delays {
            if delays > 1 && tape.below(2) == 0 {
                continue;
            }
            let start = targets.len() as u32;
            let mut t = tape.below(gap + 1);
            while t < to.len {
                targets.push(t);
                let again = repeats && tape.once_in(3);
                t += u32::from(!again) * (1 + tape.below(2 * gap));
                if repeats && targets.len() as u32 - start > 2 * to.len {
                    break;
                }
            }
            runs.push(Run {
                delay,
                start,
                len: targets.len() as u32 - start,
            });
        }
        row.push(runs.len() as u32);
    }
    let weights = weigh_by(tape, weigh, ty, targets.len());
    Layout::Rows(Rows {
        row: row.into(),
        runs: runs.into(),
        targets: targets.into(),
        weights,
    })
}

pub(super) fn weights(tape: &mut Tape, ty: Ty, n: usize) -> Weights {
    let kind = tape.below(4);
    tape.within(Part::Data, |t| weigh_by(t, kind, ty, n))
}

fn weigh_by(tape: &mut Tape, kind: u32, ty: Ty, n: usize) -> Weights {
    if ty == Ty::F32 {
        return match kind {
            0 => Weights::Uniform(tape.real()),
            _ => Weights::F32((0..n).map(|_| f32::from_bits(tape.real())).collect()),
        };
    }
    match kind {
        0 => Weights::Uniform(tape.between(1, 9) as u32),
        1 => Weights::I8((0..n).map(|_| tape.between(-20, 100) as i8).collect()),
        2 => Weights::I16((0..n).map(|_| tape.between(-900, 1500) as i16).collect()),
        _ => Weights::I32((0..n).map(|_| tape.number()).collect()),
    }
}

pub(super) fn probes(tape: &mut Tape, p: &mut Program, events: bool) {
    for k in 0..tape.below(4) {
        let group = tape.below(p.groups.len() as u32);
        let range = range(tape, p.groups[group as usize].size);
        let states = p.model_of(group).map_or(0, |m| m.states.len() as u32);
        let (what, every) = match events && (states == 0 || tape.below(2) == 0) {
            true => (Observable::Events, 1),
            false if states == 0 => continue,
            false => {
                let s = tape.below(states) as u16;
                (Observable::State(s), 1 + tape.below(3))
            }
        };
        p.probes.push(Probe {
            name: format!("probe{k}"),
            group,
            range,
            what,
            every,
        });
    }
}

fn events(tape: &mut Tape, p: &Program, samples: u32, steps: u32) -> Stimulus {
    let mut list = vec![];
    for step in 0..steps {
        for sample in 0..samples {
            for (group, g) in (0..).zip(&p.groups) {
                if !matches!(g.kind, GroupKind::External) {
                    continue;
                }
                for _ in 0..tape.below(g.size / 4 + 3) {
                    let payload = match g.graded {
                        true => tape.real(),
                        false => tape.pick(&[1, 1, 1, 2, 7, -3, 0]) as u32,
                    };
                    list.push(InputEvent {
                        step,
                        sample,
                        group,
                        unit: tape.below(g.size),
                        payload,
                    });
                }
            }
        }
    }
    Stimulus {
        events: list,
        serial: vec![],
    }
}
