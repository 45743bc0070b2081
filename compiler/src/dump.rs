//! Texts of what passes leave, for `--dump` and for tests: one fact a line, sorted as the passes sort. Networks and mappings
//! are printed in the text forms that `synfire_ir` parses.

use crate::map::chip::Partition;
use crate::passes::ChipNetwork;
use crate::passes::learn::Wanted;
use crate::passes::relay::Relays;
use std::fmt::Write as _;
use synfire_ir::artifact::{Section, SectionKind};
use synfire_ir::mapping::Mapping;
use synfire_ir::network::{Network, Verified};
use synfire_targets::layers::{Laid, Layers};

/// A verified network: its text, and after it, as comments, the phases and the numbers of synapses that were found.
pub fn network(net: &Verified<Network>) -> String {
    let mut t = synfire_ir::network::print(net);
    t.push('\n');
    for &(id, level) in net.levels() {
        let _ = writeln!(t, "// phase {level}: {:?}", net.graph[id].name);
    }
    for (id, _, _, p) in net.projections() {
        let expected = net.synapses_of(id);
        let _ = writeln!(t, "// about {expected:.0} synapses: {:?}", p.name);
    }
    t
}

/// The rules that synapses follow on the chip.
pub fn learning(all: &[Wanted]) -> String {
    let line = |w: &Wanted| format!("{} by {}: {}\n", w.name, w.rule, w.text());
    all.iter().map(line).collect()
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

/// Relays, and what they stand for.
pub fn relays(net: &ChipNetwork, relays: &Relays) -> String {
    let name = |p: u32| net.populations[p as usize].name.as_str();
    let line = |&(relay, of): &(u32, u32)| {
        let (relay, of) = (name(relay), name(of));
        format!("{relay} shows {of} by weights of {}\n", relays.weight)
    };
    relays.of.iter().map(line).collect()
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

/// A mapping: its text.
pub fn mapping(m: &Mapping) -> String {
    synfire_ir::mapping::print(m)
}

/// Layers with their seats, a line each.
pub fn layers(net: &Layers, laid: &Laid) -> String {
    let mut out = String::new();
    for ((l, seat), scale) in net.layers.iter().zip(&laid.seats).zip(&laid.scales) {
        let ([c, y, x], [ky, kx]) = (l.input, l.kernel);
        let _ = writeln!(
            out,
            "{} on core {}: {c} x {y} x {x}, {} features of {ky} x {kx}, stride {:?}, padding {:?}, scale {scale}",
            l.name, seat.core, l.features, l.stride, l.padding
        );
    }
    out
}

/// Native images, a line each: name, bytes, CRC-32.
pub fn sections(all: &[Section]) -> String {
    let native = all.iter().filter(|s| s.kind == SectionKind::Native);
    let line = |s: &Section| {
        let crc = crc32fast::hash(&s.bytes);
        format!("{} {} bytes crc {crc:08x}\n", s.name, s.bytes.len())
    };
    native.map(line).collect()
}
