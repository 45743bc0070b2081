//! A compact text of a lowered model, for snapshots.

use std::fmt::Write;
use synfire_ir::model::{Block, Inst, Op, Round};
use synfire_ir::network::{HostExpr, NeuronModel};

/// Everything of a model that lowering decides.
pub fn model(m: &NeuronModel) -> String {
    let mut s = String::new();
    for f in &m.fields {
        let default = f
            .default
            .as_ref()
            .map_or(String::new(), |d| format!(" = {}", host(m, d)));
        let _ = writeln!(
            s,
            "field {}: {}{default} {}",
            f.name,
            f.dimension,
            f.choices.join("|")
        );
    }
    for (p, e) in m.model.params.iter().zip(&m.columns) {
        let _ = writeln!(s, "param {}: {:?} = {}", p.name, p.ty, host(m, e));
    }
    for ((st, e), d) in m.model.states.iter().zip(&m.init).zip(&m.state_dimensions) {
        let _ = writeln!(
            s,
            "state {}: {:?} ({d}) = {}",
            st.name,
            st.width,
            host(m, e)
        );
    }
    for (p, d) in m.model.ports.iter().zip(&m.port_dimensions) {
        let _ = writeln!(s, "port {}: {:?} ({d}) {:?}", p.name, p.ty, p.combine);
    }
    for o in &m.model.outputs {
        let _ = writeln!(
            s,
            "output {} = {}",
            o.name, m.model.states[o.state as usize].name
        );
    }
    for h in &m.model.handlers {
        let _ = writeln!(s, "on {}:", m.model.ports[h.port as usize].name);
        block(m, &h.block, &mut s);
    }
    let _ = writeln!(s, "step:");
    block(m, &m.model.step, &mut s);
    let lines: Vec<&str> = s.lines().map(str::trim_end).collect();
    lines.join("\n")
}

fn block(m: &NeuronModel, b: &Block, s: &mut String) {
    for (i, inst) in b.insts.iter().enumerate() {
        let _ = writeln!(s, "  %{i} = {}", instruction(m, inst));
    }
    for &(st, v) in &b.stores {
        let _ = writeln!(s, "  {} := %{v}", m.model.states[st as usize].name);
    }
    if let Some(v) = b.emit {
        let _ = writeln!(s, "  emit %{v}");
    }
}

fn instruction(m: &NeuronModel, inst: &Inst) -> String {
    let lower = |x: &dyn std::fmt::Debug| format!("{x:?}").to_lowercase();
    match inst.op {
        Op::Const(c) if inst.ty == synfire_ir::model::Ty::F32 => format!("{:?}", f32::from_bits(c)),
        Op::Const(c) => format!("{}{}", c as i32, lower(&inst.ty)),
        Op::Param(k) => format!("param {}", m.model.params[k as usize].name),
        Op::State(k) => format!("state {}", m.model.states[k as usize].name),
        Op::Port(k) => format!("port {}", m.model.ports[k as usize].name),
        Op::Arg => "arg".into(),
        Op::Un(o, a) => format!("{} %{a}", lower(&o)),
        Op::Bin(o, a, b) => format!("{} %{a} %{b}", lower(&o)),
        Op::Select(c, a, b) => format!("select %{c} %{a} %{b}"),
        Op::MulShift { a, b, shift, round } => {
            format!(
                "mul_shift{} %{a} %{b} {shift}",
                if round == Round::Zero { "_rtz" } else { "" }
            )
        }
        Op::Sat { a, bits } => format!("sat %{a} {bits}"),
        Op::Wrap { a, bits, signed } => {
            format!("wrap %{a} {}{bits}", if signed { "i" } else { "u" })
        }
        Op::Rand { site } => format!("rand {site}"),
        other => lower(&other),
    }
}

/// A host expression as text.
pub fn host(m: &NeuronModel, e: &HostExpr) -> String {
    match e {
        HostExpr::Const(c) => format!("{c}"),
        HostExpr::Field(i) => m.fields[*i as usize].name.clone(),
        HostExpr::Dt => "dt".into(),
        HostExpr::Call1(f, a) => format!("{}({})", format!("{f:?}").to_lowercase(), host(m, a)),
        HostExpr::Call2(f, a, b) => {
            use synfire_ir::network::HostFn2::*;
            let (a, b) = (host(m, a), host(m, b));
            match f {
                Add => format!("({a} + {b})"),
                Sub => format!("({a} - {b})"),
                Mul => format!("({a} * {b})"),
                Div => format!("({a} / {b})"),
                _ => format!("{}({a}, {b})", format!("{f:?}").to_lowercase()),
            }
        }
        HostExpr::If(c, a, b) => format!("if({}, {}, {})", host(m, c), host(m, a), host(m, b)),
        HostExpr::PoissonCdf(k, a) => format!("poisson_cdf({k}, {})", host(m, a)),
    }
}
