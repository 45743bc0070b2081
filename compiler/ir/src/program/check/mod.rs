//! Is a program well formed? Engines index without looking, so whatever comes from outside passes through here first.

use super::{
    Carry, Column, Discipline, GroupKind, Layout, Observable, Program, Projection, Range,
    SerialEvent, Weights,
};
use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{Model, Ty};
use std::collections::BTreeSet;

mod code;
mod plastic;

/// Largest delay in steps that engines keep spike lists for.
pub const MAX_DELAY: u16 = u16::MAX - 1;

/// Every violation of what the types of [`crate::program`] promise; empty when the program may run.
pub fn check(p: &Program) -> Diagnostics {
    let mut out = Diagnostics::new();
    for (i, m) in p.models.iter().enumerate() {
        code::model(
            m,
            matches!(p.discipline, Discipline::Serial(_)),
            &format!("model {i} `{}`", m.name),
            &mut out,
        );
    }
    let mut base = 0u64;
    let mut names = BTreeSet::new();
    for g in &p.groups {
        let at = format!("group `{}`", g.name);
        if !names.insert(&g.name) {
            bad(&mut out, &at, "another group has its name".into());
        }
        let units = matches!(g.kind, GroupKind::Units { .. });
        if g.phase == u16::MAX || (g.phase != 0 && !units) {
            bad(&mut out, &at, format!("phase {}", g.phase));
        }
        if g.graded && units {
            bad(
                &mut out,
                &at,
                "units emit whole payloads, not graded ones".into(),
            );
        }
        if g.base as u64 != base {
            bad(
                &mut out,
                &at,
                format!("base is {}, the groups before it have {base} units", g.base),
            );
        }
        base += g.size as u64;
        if let GroupKind::Units {
            model,
            params,
            init,
        } = &g.kind
        {
            match p.models.get(*model as usize) {
                None => bad(&mut out, &at, format!("no model {model}")),
                Some(m) => {
                    let types = m.params.iter().map(|x| x.ty);
                    columns(&at, "parameter", params, types, g.size, &mut out);
                    let types = m.states.iter().map(|x| x.width.ty());
                    columns(&at, "state", init, types, g.size, &mut out);
                }
            }
        }
    }
    if base > u32::MAX as u64 {
        bad(
            &mut out,
            "program",
            format!("{base} units; an engine numbers at most {}", u32::MAX),
        );
    }
    for (k, pr) in (0u32..).zip(&p.projections) {
        projection(p, k, pr, &mut out);
    }
    plastic::check(p, &mut out);
    for pb in &p.probes {
        let at = format!("probe `{}`", pb.name);
        let Some(g) = p.groups.get(pb.group as usize) else {
            bad(&mut out, &at, format!("no group {}", pb.group));
            continue;
        };
        let size = match pb.what {
            Observable::Synapse { projection, state } => {
                plastic::observed(p, projection, state, pb.group).unwrap_or_else(|| {
                    bad(
                        &mut out,
                        &at,
                        format!(
                            "no state {state} of a plastic projection {projection} to that group"
                        ),
                    );
                    u32::MAX
                })
            }
            _ => g.size,
        };
        if !inside(pb.range, size) || pb.every == 0 {
            bad(&mut out, &at, "range or interval out of bounds".into());
        }
        if let Observable::State(s) = pb.what
            && p.model_of(pb.group)
                .is_none_or(|m| s as usize >= m.states.len())
        {
            bad(&mut out, &at, format!("no state {s}"));
        }
    }
    serial(p, &mut out);
    out
}

fn bad(out: &mut Diagnostics, at: &str, what: String) {
    out.push(
        Diagnostic::error("SYN0801", what)
            .at(at)
            .note("a program that breaks this cannot be run safely")
            .hint("the input is damaged, or this is a defect in what made the program: please report it"),
    );
}

fn inside(r: Range, size: u32) -> bool {
    r.start.checked_add(r.len).is_some_and(|e| e <= size)
}

fn columns(
    at: &str,
    what: &str,
    c: &[Column],
    types: impl ExactSizeIterator<Item = Ty>,
    size: u32,
    out: &mut Diagnostics,
) {
    if c.len() != types.len() {
        let (found, want) = (c.len(), types.len());
        bad(
            out,
            at,
            format!("{found} {what} columns, the model has {want}"),
        );
    }
    for v in c {
        if let Column::PerUnit(v) = v
            && v.len() != size as usize
        {
            bad(
                out,
                at,
                format!("a {what} column of {} words for {size} units", v.len()),
            );
        }
    }
    for (v, _) in c.iter().zip(types).filter(|x| x.1 == Ty::Bool) {
        let truth = match v {
            Column::Uniform(w) => *w < 2,
            Column::PerUnit(v) => v.iter().all(|w| *w < 2),
        };
        if !truth {
            bad(
                out,
                at,
                format!("a {what} column of truth values holds others"),
            );
        }
    }
}

fn projection(p: &Program, k: u32, pr: &Projection, out: &mut Diagnostics) {
    let at = format!("projection `{}`", pr.name);
    let (Some(src), Some(dst)) = (
        p.groups.get(pr.source as usize),
        p.groups.get(pr.target as usize),
    ) else {
        return bad(out, &at, "source or target group is not there".into());
    };
    if !inside(pr.source_range, src.size) || !inside(pr.target_range, dst.size) {
        return bad(out, &at, "source or target range leaves its group".into());
    }
    let Some(port) = p
        .model_of(pr.target)
        .and_then(|m| m.ports.get(pr.port as usize))
    else {
        return bad(out, &at, format!("the target has no port {}", pr.port));
    };
    if let Carry::Output(o) = pr.carry {
        let from = p.model_of(pr.source).and_then(|m| {
            let state = m.outputs.get(o as usize)?.state;
            Some(m.states.get(state as usize)?.width.ty())
        });
        if from != Some(port.ty) {
            bad(
                out,
                &at,
                "the source has no such output of the port's type".into(),
            );
        }
        if p.model_of(pr.target)
            .is_some_and(|m| m.handler(pr.port).is_some())
        {
            bad(
                out,
                &at,
                "an analog output cannot feed a port with a handler".into(),
            );
        }
    } else if src.graded && port.ty != Ty::F32 {
        bad(
            out,
            &at,
            "float payloads cannot feed an integer port".into(),
        );
    }
    let count = match &pr.layout {
        Layout::Rows(r) => {
            rows(pr, r, &at, out);
            r.targets.len() as u64
        }
        Layout::Dense { .. } => pr.source_range.len as u64 * pr.target_range.len as u64,
        Layout::OneToOne { .. } => {
            if pr.source_range.len != pr.target_range.len {
                bad(
                    out,
                    &at,
                    "one to one between ranges of different length".into(),
                );
            }
            pr.source_range.len as u64
        }
        Layout::Generated(g) => {
            generated(p, (k, pr), g, port.ty, &at, out);
            g.synapses()
        }
    };
    let uniform = &Weights::Uniform(0);
    let weights = match &pr.layout {
        Layout::Rows(r) => &r.weights,
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
        Layout::Generated(_) => uniform,
    };
    if weights.count().is_some_and(|n| n as u64 != count) {
        bad(
            out,
            &at,
            format!(
                "{} weights for {count} synapses",
                weights.count().unwrap_or(0)
            ),
        );
    }
    let float = matches!(weights, Weights::F32(_));
    let uniform = matches!(weights, Weights::Uniform(_));
    // The weights of a plastic projection are initial values of a state.
    let ty = match p.plastic_of(k) {
        Some((_, m)) => m.read_ty(0),
        None => Some(port.ty),
    };
    if !uniform && float != (ty == Some(Ty::F32)) {
        bad(out, &at, "weights are not of the port's type".into());
    }
    let serial = matches!(p.discipline, Discipline::Serial(_));
    if let Some((least, most)) = pr.delays() {
        if most > MAX_DELAY {
            bad(out, &at, format!("a delay of {most} steps"));
        }
        let external = matches!(src.kind, GroupKind::External);
        if least == 0 && !serial && !external && src.phase >= dst.phase {
            bad(
                out,
                &at,
                format!("delay 0 from phase {} to phase {}", src.phase, dst.phase),
            );
        }
    }
}

fn generated(
    p: &Program,
    (k, pr): (u32, &Projection),
    g: &super::Generated,
    port: Ty,
    at: &str,
    out: &mut Diagnostics,
) {
    if let Some(fault) = g.fault() {
        bad(out, at, format!("a rule that cannot be expanded: {fault}"));
    }
    if (g.sources, g.targets) != (pr.source_range.len, pr.target_range.len) {
        bad(out, at, "a rule for other ranges".into());
    }
    let own = (pr.source == pr.target)
        .then(|| pr.target_range.start as i64 - pr.source_range.start as i64);
    if g.own != own {
        bad(out, at, "a rule that takes other units for the same".into());
    }
    let float = !matches!(g.store, super::Store::Integer { .. });
    if float != (port == Ty::F32) {
        bad(out, at, "weights are not of the port's type".into());
    }
    if pr.carry != Carry::Events || p.plastic_of(k).is_some() {
        bad(
            out,
            at,
            "a rule carries events over weights that stay".into(),
        );
    }
}

fn rows(pr: &Projection, r: &super::Rows, at: &str, out: &mut Diagnostics) {
    let n = pr.source_range.len as usize;
    let ends_right = r.row.len() == n + 1
        && r.row.last().copied() == Some(r.runs.len() as u32)
        && r.row.first() == Some(&0);
    if !ends_right || r.row.windows(2).any(|w| w[0] > w[1]) {
        return bad(
            out,
            at,
            "row pointers are not ascending over all runs".into(),
        );
    }
    let mut next = 0u64;
    for run in r.runs.iter() {
        if run.start as u64 != next {
            return bad(out, at, "runs do not follow one another".into());
        }
        next += run.len as u64;
    }
    if next != r.targets.len() as u64 {
        return bad(out, at, "runs do not cover the targets".into());
    }
    for w in r.row.windows(2) {
        let of_source = &r.runs[w[0] as usize..w[1] as usize];
        if of_source.windows(2).any(|d| d[0].delay >= d[1].delay) {
            return bad(out, at, "delays of one source do not ascend".into());
        }
    }
    for run in r.runs.iter() {
        let t = &r.targets[run.start as usize..(run.start + run.len) as usize];
        if !t.is_sorted() || t.last().is_some_and(|&l| l >= pr.target_range.len) {
            return bad(
                out,
                at,
                "targets of a run do not ascend within the target range".into(),
            );
        }
    }
}

fn serial(p: &Program, out: &mut Diagnostics) {
    let Discipline::Serial(s) = &p.discipline else {
        return;
    };
    let Some((g, m)) = p.groups.get(s.group as usize).zip(p.model_of(s.group)) else {
        return bad(out, "serial", "no group of units".into());
    };
    let Some(pr) = p.projections.get(s.matrix as usize) else {
        return bad(out, "serial", "no matrix projection".into());
    };
    if pr.target != s.group
        || !matches!(pr.layout, Layout::Dense { .. })
        || pr.source_range.start != 0
    {
        bad(
            out,
            "serial",
            "the matrix is not a dense projection onto the group".into(),
        );
    }
    if m.handler(pr.port).is_none() {
        bad(
            out,
            "serial",
            "the port of the matrix has no handler".into(),
        );
    }
    let source = p.groups.get(pr.source as usize);
    if source.is_some_and(|g| matches!(g.kind, GroupKind::Units { .. })) {
        bad(
            out,
            "serial",
            "the rows of the matrix are not an external group".into(),
        );
    }
    if s.capacity == 0 || (s.closed_loop && g.size > pr.source_range.len) {
        bad(
            out,
            "serial",
            "the queue has no place, or a unit has no row".into(),
        );
    }
    let rows = pr.source_range.len;
    for l in &s.loopback {
        if l.delay == 0 || l.unit >= g.size || l.pre >= rows || !s.sorted {
            bad(
                out,
                "serial",
                format!("loopback of unit {} is out of bounds", l.unit),
            );
        }
    }
    for e in &s.tail {
        if !serial_event(e, m, g.size, rows) {
            bad(out, "serial", format!("{e:?} is out of bounds"));
        }
    }
}

/// Does an event name only what the program has?
pub(crate) fn serial_event(e: &SerialEvent, m: &Model, size: u32, rows: u32) -> bool {
    match *e {
        SerialEvent::Row { pre } => pre < rows,
        SerialEvent::Direct {
            port, first, last, ..
        } => m.handler(port).is_some() && first <= last && last < size,
        SerialEvent::Step { first, last } => first <= last && last < size,
    }
}
