//! Texts of what passes leave, for `--dump` and for tests: one fact a line, sorted as the passes sort.

use crate::map::partition::Partition;
use crate::passes::ChipNetwork;
use std::fmt::Write as _;
use synfire_ir::mapping::{Mapping, Route};
use synfire_ir::network::{Network, PopKind, Verified};

/// A verified network: populations and projections, rules unexpanded.
pub fn network(net: &Verified<Network>) -> String {
    let mut t = format!("network {}\n", net.name);
    for (id, p) in net.populations() {
        let what = match &p.kind {
            PopKind::Events { graded } => {
                if *graded {
                    "signal".to_string()
                } else {
                    "events".to_string()
                }
            }
            PopKind::Neurons { model, .. } => net.models[*model as usize].model.name.clone(),
        };
        let level = net.levels().iter().find(|l| l.0 == id).map_or(0, |l| l.1);
        let _ = writeln!(t, "pop {} {:?} {what} level {level}", p.name, p.shape);
    }
    for (id, a, b, p) in net.projections() {
        let rules: Vec<String> = p
            .stages
            .iter()
            .map(|s| format!("{:?}", s.connector))
            .collect();
        let _ = writeln!(
            t,
            "connect {} {} -> {}:{} {} delay {:?} about {:.0} synapses",
            p.name,
            net.graph[a].name,
            net.graph[b].name,
            p.port,
            rules.join(" | "),
            p.delay,
            net.synapses_of(id)
        );
    }
    t
}

/// A network in a chip's integers.
pub fn chip(net: &ChipNetwork) -> String {
    let mut t = format!("fields {}\n", net.fields.join(" "));
    for (k, u) in net.units.iter().enumerate() {
        let _ = writeln!(t, "unit {} {:?}", net.name(u.unit), u.registers);
        for s in net.onto(k as u32) {
            let _ = writeln!(
                t,
                "  from {} weight {} delay {}",
                net.name(s.source),
                s.weight,
                s.delay
            );
        }
    }
    t
}

/// Filled cores.
pub fn partition(net: &ChipNetwork, parts: &Partition) -> String {
    let mut t = String::new();
    for (k, c) in parts.cores.iter().enumerate() {
        let _ = writeln!(
            t,
            "core {k}: {} neurons, {} axons, {} synapses",
            c.slots.len(),
            c.axons.len(),
            c.synapses.len()
        );
        for (i, s) in c.slots.iter().enumerate() {
            let _ = writeln!(
                t,
                "  slot {i} {} copy {}",
                net.name(net.units[s.unit as usize].unit),
                s.copy
            );
        }
    }
    t
}

/// A mapping.
pub fn mapping(m: &Mapping) -> String {
    let name = |u: synfire_ir::mapping::UnitRef| {
        format!("{}[{}]", m.populations[u.pop as usize].name, u.unit)
    };
    let mut t = format!(
        "mapping {} onto {}:{} mesh {}x{}\n",
        m.name, m.target, m.dialect, m.mesh[0], m.mesh[1]
    );
    for p in &m.populations {
        let _ = writeln!(
            t,
            "population {} size {} shift {}{}{}",
            p.name,
            p.size,
            p.shift,
            if p.input { " input" } else { "" },
            if p.recorded { " recorded" } else { "" }
        );
    }
    for (k, c) in m.cores.iter().enumerate() {
        let _ = writeln!(t, "core {k} at {},{}", c.x, c.y);
        for a in &c.axons {
            let _ = writeln!(
                t,
                "  axon {} class {} from {} delay {}",
                a.address,
                a.class,
                name(a.source),
                a.delay
            );
        }
        for (i, n) in c.neurons.iter().enumerate() {
            let to = match n.route {
                Route::None => "nowhere".to_string(),
                Route::Axon { core, axon, delay } => {
                    format!("core {core} axon {axon} delay {delay}")
                }
                Route::Output { index } => format!("output {index}"),
            };
            let _ = writeln!(
                t,
                "  neuron {i} {} copy {} {:?} -> {to}",
                name(n.unit),
                n.copy,
                n.fields
            );
        }
        for s in &c.synapses {
            let _ = writeln!(
                t,
                "  synapse {} -> {} weight {}",
                s.axon, s.neuron, s.weight
            );
        }
    }
    for i in &m.inputs {
        let _ = writeln!(
            t,
            "input {} -> core {} axon {} after {}",
            name(i.unit),
            i.core,
            i.axon,
            i.offset
        );
    }
    for l in &m.loopbacks {
        let _ = writeln!(
            t,
            "loopback core {} neuron {} -> core {} axon {} after {}",
            l.core, l.neuron, l.to_core, l.axon, l.delay
        );
    }
    t
}
