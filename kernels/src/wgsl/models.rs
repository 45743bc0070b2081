//! Models as WGSL functions: one for a step of a unit, and for serial programs one for each handler.
//!
//! The functions take a `Unit` (see `unit.wgsl`): which unit of which sample, and where its words lie. They read and write
//! `state`, take what arrived from `acc`, and return the payload that the unit emits. Names of the network do not appear,
//! but for the model's own in a comment.

use super::ops::{self, Leaves, from_word, to_word};
use super::shape::{G_PARAMS, O_SIZE, R_SIZE};
use std::collections::BTreeSet;
use std::fmt::Write;
use synfire_ir::model::{Block, Combine, Model, Op, Ty};

/// Where the pair of parameter `k` lies in a group descriptor.
pub fn param_at(k: usize) -> u32 {
    G_PARAMS + 2 * k as u32
}

/// Where the record of port `k` lies in a group descriptor.
pub fn port_at(m: &Model, k: usize) -> u32 {
    param_at(m.params.len()) + R_SIZE * k as u32
}

/// Where the record of output `k` lies in a group descriptor.
pub fn output_at(m: &Model, k: usize) -> u32 {
    port_at(m, m.ports.len()) + O_SIZE * k as u32
}

/// Words of the descriptor of a group of that model.
pub fn descriptor_words(m: &Model) -> u32 {
    output_at(m, m.outputs.len())
}

/// Loop iterations of a step of one unit, without those over arriving events.
pub fn step_iterations(m: &Model) -> u64 {
    let in_step = sites(std::iter::once(&m.step).chain(m.handlers.iter().map(|h| &h.block)));
    10 * in_step.len() as u64
}

struct Names;

impl Leaves for Names {
    fn param(&self, i: u16) -> String {
        format!("param(u, {}u)", param_at(i as usize))
    }
    fn state(&self, i: u16) -> String {
        format!("s{i}")
    }
    fn port(&self, i: u16) -> String {
        format!("p{i}")
    }
    fn arg(&self) -> String {
        "arg".into()
    }
    fn rand(&self, site: u16) -> String {
        format!("r{site}")
    }
}

/// A model's name with nothing in it that could end a comment.
pub(super) fn comment(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(80)
        .collect()
}

pub(super) fn sites<'a>(blocks: impl Iterator<Item = &'a Block>) -> BTreeSet<u16> {
    leaves(blocks, |op| match *op {
        Op::Rand { site } => Some(site),
        _ => None,
    })
}

fn leaves<'a>(
    blocks: impl Iterator<Item = &'a Block>,
    pick: impl Fn(&Op) -> Option<u16>,
) -> BTreeSet<u16> {
    blocks
        .flat_map(|b| b.insts.iter())
        .filter_map(|i| pick(&i.op))
        .collect()
}

fn stored<'a>(blocks: impl Iterator<Item = &'a Block>) -> BTreeSet<u16> {
    blocks
        .flat_map(|b| b.stores.iter())
        .map(|&(s, _)| s)
        .collect()
}

fn state_place(s: u16) -> String {
    format!("state[u.at + {s}u * u.size + u.i]")
}

/// Prints the states, random words and (if `ports`) combined arrivals that `blocks` read.
fn loads(text: &mut String, m: &Model, blocks: &[&Block], keep: &BTreeSet<u16>, ports: bool) {
    let each = || blocks.iter().copied();
    for site in sites(each()) {
        let _ = writeln!(text, "    let r{site} = noise(u, {site}u);");
    }
    let ports_read = leaves(each(), |op| match *op {
        Op::Port(p) => Some(p),
        _ => None,
    });
    for p in ports_read {
        let value = match ports {
            true => arrivals(m, p),
            false => match m.ports[p as usize] {
                ref q if q.combine == Combine::Or => "0u".into(),
                ref q => ops::constant(q.ty, 0),
            },
        };
        let _ = writeln!(text, "    let p{p} = {value};");
    }
    let mut read = leaves(each(), |op| match *op {
        Op::State(s) => Some(s),
        _ => None,
    });
    read.extend(keep);
    for s in read {
        let ty = m.states[s as usize].width.ty();
        let kind = if keep.contains(&s) { "var" } else { "let" };
        let _ = writeln!(
            text,
            "    {kind} s{s} = {};",
            from_word(ty, &state_place(s))
        );
    }
}

/// The combined arrivals at a port without handler, taken from the accumulators.
fn arrivals(m: &Model, p: u16) -> String {
    let port = &m.ports[p as usize];
    let at = port_at(m, p as usize);
    let max = port.combine == Combine::Max;
    let taken = match port.ty {
        Ty::F32 => format!("take_f(u, {at}u, {max})"),
        _ => format!("take(u, {at}u)"),
    };
    match port.combine {
        Combine::Or => format!("word({taken} != 0i)"),
        Combine::SatSum(top) => {
            let least = format!("min({}, {top}u)", to_word(port.ty, &taken));
            from_word(port.ty, &least)
        }
        _ => taken,
    }
}

/// The function `model_{n}` of a step under [`synfire_ir::program::Discipline::Stepped`]: handlers, then the step block.
pub fn stepped(n: usize, m: &Model) -> String {
    let mut text = format!("// {}\nfn model_{n}(u: Unit) -> i32 {{\n", comment(&m.name));
    let mut blocks: Vec<&Block> = m.handlers.iter().map(|h| &h.block).collect();
    let in_handlers = stored(blocks.iter().copied());
    blocks.push(&m.step);
    let mut keep = in_handlers.clone();
    keep.extend(m.outputs.iter().map(|o| o.state));
    loads(&mut text, m, &blocks, &keep, true);
    if !m.handlers.is_empty() {
        handlers(&mut text, m);
    }
    ops::block(&mut text, &m.step, "v", "    ", &Names);
    for &(s, v) in &m.step.stores {
        if keep.contains(&s) {
            let _ = writeln!(text, "    s{s} = v{v};");
        } else {
            let ty = m.states[s as usize].width.ty();
            let _ = writeln!(
                text,
                "    {} = {};",
                state_place(s),
                to_word(ty, &format!("v{v}"))
            );
        }
    }
    let in_step: BTreeSet<u16> = stored(std::iter::once(&m.step));
    for &s in keep
        .iter()
        .filter(|s| in_handlers.contains(s) || in_step.contains(s))
    {
        let ty = m.states[s as usize].width.ty();
        let _ = writeln!(
            text,
            "    {} = {};",
            state_place(s),
            to_word(ty, &format!("s{s}"))
        );
    }
    for (k, o) in m.outputs.iter().enumerate() {
        let ty = m.states[o.state as usize].width.ty();
        let value = to_word(ty, &format!("s{}", o.state));
        let _ = writeln!(text, "    give(u, {}u, {value});", output_at(m, k));
    }
    finish(&mut text, &m.step, "v");
    text
}

fn handlers(text: &mut String, m: &Model) {
    *text += "    var w = walk_begin(u);\n    while (walk_more(w)) { // at most HANDLED\n        if (!walk_next(u, &w)) { continue; }\n        walks += 1u;\n        switch (w.port) {\n";
    for (k, h) in m.handlers.iter().enumerate() {
        let arg = match m.ports[h.port as usize].ty {
            Ty::F32 => "walk_value_f(w)",
            _ => "walk_value(w)",
        };
        let _ = writeln!(text, "            case {}u: {{", h.port);
        let _ = writeln!(text, "                let arg = {arg};");
        let prefix = format!("h{k}_");
        ops::block(text, &h.block, &prefix, "                ", &Names);
        for &(s, v) in &h.block.stores {
            let _ = writeln!(text, "                s{s} = {prefix}{v};");
        }
        *text += "            }\n";
    }
    *text += "            default: {}\n        }\n    }\n";
}

fn finish(text: &mut String, b: &Block, prefix: &str) {
    let _ = match b.emit {
        Some(v) => writeln!(text, "    return {prefix}{v};\n}}"),
        None => writeln!(text, "    return 0i;\n}}"),
    };
}

/// The functions of a serial model: `on_step`, and `on_{port}` for each handler, whose second argument is the event's value.
pub fn serial(m: &Model) -> String {
    let mut text = format!("// {}\n", comment(&m.name));
    alone(&mut text, m, "on_step", &m.step, None);
    for h in &m.handlers {
        let ty = m.ports[h.port as usize].ty;
        alone(&mut text, m, &format!("on_{}", h.port), &h.block, Some(ty));
    }
    text += "fn on_port(port: u32, u: Unit, value: u32) -> i32 {\n    switch (port) {\n";
    for h in &m.handlers {
        let _ = writeln!(
            text,
            "        case {0}u: {{ return on_{0}(u, value); }}",
            h.port
        );
    }
    text += "        default: { return 0i; }\n    }\n}\n";
    text
}

fn alone(text: &mut String, m: &Model, name: &str, b: &Block, arg: Option<Ty>) {
    let _ = match arg {
        Some(ty) => writeln!(
            text,
            "fn {name}(u: Unit, value: u32) -> i32 {{\n    let arg = {};",
            from_word(ty, "value")
        ),
        None => writeln!(text, "fn {name}(u: Unit) -> i32 {{"),
    };
    loads(text, m, &[b], &BTreeSet::new(), false);
    ops::block(text, b, "v", "    ", &Names);
    for &(s, v) in &b.stores {
        let ty = m.states[s as usize].width.ty();
        let _ = writeln!(
            text,
            "    {} = {};",
            state_place(s),
            to_word(ty, &format!("v{v}"))
        );
    }
    finish(text, b, "v");
}
