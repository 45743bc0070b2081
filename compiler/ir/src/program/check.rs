//! Is a program well formed? Engines index without looking, so whatever comes from outside passes through here first.

use super::{
    Carry, Column, Discipline, GroupKind, Layout, Observable, Program, Projection, Range,
    SerialEvent, Weights,
};
use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{BinOp, Block, Combine, Model, Op, Ty, UnOp};

/// Largest delay in steps that engines keep spike lists for.
pub const MAX_DELAY: u16 = u16::MAX - 1;

/// Every violation of what the types of [`crate::program`] promise; empty when the program may run.
pub fn check(p: &Program) -> Diagnostics {
    let mut out = Diagnostics::new();
    for (i, m) in p.models.iter().enumerate() {
        model(
            m,
            matches!(p.discipline, Discipline::Serial(_)),
            &format!("model {i} `{}`", m.name),
            &mut out,
        );
    }
    let mut base = 0u64;
    for g in &p.groups {
        let at = format!("group `{}`", g.name);
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
                    columns(&at, "parameter", params, m.params.len(), g.size, &mut out);
                    columns(&at, "state", init, m.states.len(), g.size, &mut out);
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
    for pr in &p.projections {
        projection(p, pr, &mut out);
    }
    for pb in &p.probes {
        let at = format!("probe `{}`", pb.name);
        let Some(g) = p.groups.get(pb.group as usize) else {
            bad(&mut out, &at, format!("no group {}", pb.group));
            continue;
        };
        if !inside(pb.range, g.size) || pb.every == 0 {
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

fn columns(at: &str, what: &str, c: &[Column], want: usize, size: u32, out: &mut Diagnostics) {
    if c.len() != want {
        bad(
            out,
            at,
            format!("{} {what} columns, the model has {want}", c.len()),
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
}

fn model(m: &Model, serial: bool, at: &str, out: &mut Diagnostics) {
    for p in &m.ports {
        if !matches!(p.ty, Ty::I32 | Ty::F32) || (p.combine == Combine::Or && p.ty != Ty::I32) {
            bad(
                out,
                at,
                format!("port `{}` has a type that cannot accumulate", p.name),
            );
        }
    }
    for o in &m.outputs {
        if o.state as usize >= m.states.len() {
            bad(out, at, format!("output `{}` names no state", o.name));
        }
    }
    block(m, &m.step, None, at, out);
    for h in &m.handlers {
        let Some(port) = m.ports.get(h.port as usize) else {
            bad(
                out,
                at,
                format!("handler of port {} that is not there", h.port),
            );
            continue;
        };
        block(m, &h.block, Some(port.ty), at, out);
        if h.block.emit.is_some() && !serial {
            bad(
                out,
                at,
                format!(
                    "the handler of `{}` emits, which only serial programs may",
                    port.name
                ),
            );
        }
    }
}

fn block(m: &Model, b: &Block, arg: Option<Ty>, at: &str, out: &mut Diagnostics) {
    for (i, inst) in b.insts.iter().enumerate() {
        if inst.op.operands().any(|v| v as usize >= i) {
            bad(
                out,
                at,
                format!("instruction {i} reads a value that comes later"),
            );
            return;
        }
        let t = |v: u32| b.insts[v as usize].ty;
        let want = match inst.op {
            Op::Const(c) => (inst.ty != Ty::Bool || c < 2).then_some(inst.ty),
            Op::Param(k) => m.params.get(k as usize).map(|p| p.ty),
            Op::State(k) => m.states.get(k as usize).map(|s| s.width.ty()),
            Op::Port(k) => m
                .ports
                .get(k as usize)
                .filter(|_| m.handler(k).is_none())
                .map(|p| {
                    if p.combine == Combine::Or {
                        Ty::Bool
                    } else {
                        p.ty
                    }
                }),
            Op::Arg => arg,
            Op::Step | Op::Index => Some(Ty::I32),
            Op::Rand { .. } => Some(Ty::U32),
            Op::Un(o, a) => unary_ty(o, t(a)),
            Op::Bin(o, a, c) => binary_ty(o, t(a), t(c)),
            Op::Select(c, a, e) => (t(c) == Ty::Bool && t(a) == t(e)).then(|| t(a)),
            Op::MulShift { a, b: c, shift, .. } => match (t(a), t(c)) {
                _ if shift > 63 => None,
                (Ty::U32, Ty::U32) => Some(Ty::U32),
                (Ty::I32 | Ty::U32, Ty::I32 | Ty::U32) => Some(Ty::I32),
                _ => None,
            },
            Op::Sat { a, bits } => (t(a) == Ty::I32 && (1..=32).contains(&bits)).then_some(Ty::I32),
            Op::Wrap { a, bits, .. } => {
                (matches!(t(a), Ty::I32 | Ty::U32) && (1..=32).contains(&bits)).then_some(inst.ty)
            }
        };
        if want != Some(inst.ty) {
            bad(
                out,
                at,
                format!("instruction {i} ({:?}) cannot give {:?}", inst.op, inst.ty),
            );
        }
    }
    let n = b.insts.len() as u32;
    for &(s, v) in &b.stores {
        let fits = m
            .states
            .get(s as usize)
            .is_some_and(|st| v < n && st.width.ty() == b.insts[v as usize].ty);
        if !fits {
            bad(out, at, format!("the store to state {s} does not fit it"));
        }
    }
    if b.emit
        .is_some_and(|v| v >= n || b.insts[v as usize].ty != Ty::I32)
    {
        bad(out, at, "the emitted payload is not an I32".into());
    }
}

fn unary_ty(o: UnOp, a: Ty) -> Option<Ty> {
    Some(match o {
        UnOp::Floor | UnOp::Sqrt | UnOp::Exp | UnOp::Log | UnOp::Sin | UnOp::Cos | UnOp::Tanh
            if a == Ty::F32 =>
        {
            a
        }
        UnOp::Neg | UnOp::Abs | UnOp::Sign if a != Ty::Bool => a,
        UnOp::Not if a != Ty::F32 => a,
        UnOp::ToF32 => Ty::F32,
        UnOp::ToI32 => Ty::I32,
        UnOp::ToU32 => Ty::U32,
        UnOp::ToBool => Ty::Bool,
        UnOp::Unit if a == Ty::U32 => Ty::F32,
        _ => return None,
    })
}

fn binary_ty(o: BinOp, a: Ty, b: Ty) -> Option<Ty> {
    if matches!(o, BinOp::Shl | BinOp::Shr) {
        return (b == Ty::I32 && matches!(a, Ty::I32 | Ty::U32)).then_some(a);
    }
    if a != b {
        return None;
    }
    match o {
        BinOp::Eq | BinOp::Ne => Some(Ty::Bool),
        BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge if a != Ty::Bool => Some(Ty::Bool),
        BinOp::And | BinOp::Or | BinOp::Xor if a != Ty::F32 => Some(a),
        BinOp::Pow => (a == Ty::F32).then_some(a),
        BinOp::Add
        | BinOp::Sub
        | BinOp::Mul
        | BinOp::Div
        | BinOp::Rem
        | BinOp::Min
        | BinOp::Max
            if a != Ty::Bool =>
        {
            Some(a)
        }
        _ => None,
    }
}

fn projection(p: &Program, pr: &Projection, out: &mut Diagnostics) {
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
            Some(
                m.states[m.outputs.get(o as usize)?.state as usize]
                    .width
                    .ty(),
            )
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
    };
    let weights = match &pr.layout {
        Layout::Rows(r) => &r.weights,
        Layout::Dense { weights, .. } | Layout::OneToOne { weights, .. } => weights,
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
    if !uniform && float != (port.ty == Ty::F32) {
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
        if t.windows(2).any(|w| w[0] > w[1]) || t.last().is_some_and(|&l| l >= pr.target_range.len)
        {
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
