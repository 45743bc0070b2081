//! Synapses: where states live, what blocks become, what is refused.

use super::super::{SynapseContext, lower_synapse};
use crate::library as std_library;
use crate::syntax::{parse, tree};
use std::collections::BTreeMap;
use synfire_ir::Diagnostics;
use synfire_ir::model::{Block, Op};
use synfire_ir::network::{NeuronModel, SynapseModel};
use synfire_ir::synapse::Place;

fn between(
    text: &str,
    name: &str,
    (pre, post): (Option<&NeuronModel>, &NeuronModel),
    full: &str,
) -> Result<SynapseModel, Diagnostics> {
    let (file, mut diags) = parse(0, text);
    assert!(!diags.has_errors(), "{diags}");
    let synapse = file.items.iter().find_map(|i| match i {
        tree::Item::Synapse(s) if s.name.as_str() == name => Some(s),
        _ => None,
    });
    let cx = SynapseContext {
        name: full,
        dt: Some(1e-3),
        lets: &BTreeMap::new(),
        pre,
        post,
        port: 0,
    };
    let model = lower_synapse(synapse.expect("declared"), &cx, &mut diags);
    assert_eq!(model.is_none(), diags.has_errors(), "{diags}");
    model.ok_or(diags)
}

/// A synapse of the library, between neurons that compute without units; or, when it computes in integers, between such.
pub fn library(path: &str) -> SynapseModel {
    let (module, name) = std_library::lookup(path).expect("a path of the library");
    let lif = super::library("std.neurons.Lif", 1e-3);
    let whole = super::lower(
        "neuron Whole {\n  state v: i16\n  input i: i32\n  on step { v = sat(v + i, 16); if v > 9 { v = 0; emit 1 } }\n}",
    );
    let made = between(module.text, name, (Some(&lif), &lif), path)
        .or_else(|_| between(module.text, name, (Some(&whole), &whole), path));
    made.unwrap_or_else(|d| panic!("{path}: {d}"))
}

fn lower(text: &str) -> Result<SynapseModel, Diagnostics> {
    let lif = super::library("std.neurons.Lif", 1e-3);
    between(text, "S", (None, &lif), "S")
}

fn place(m: &SynapseModel, state: &str) -> Place {
    let k = m.synapse.state(state).expect("a state") as usize;
    m.synapse.states[k].place
}

fn stored(m: &SynapseModel, b: &Block) -> Vec<String> {
    let name = |s: &(u16, u32)| m.synapse.states[s.0 as usize].name.clone();
    b.stores.iter().map(name).collect()
}

#[test]
fn every_synapse_of_the_library_lowers() {
    let mut count = 0;
    for path in std_library::paths().filter(|p| p.starts_with("std.synapses")) {
        let m = library(&path);
        assert_eq!(m.synapse.states[0].name, "w", "{path}");
        assert_eq!(place(&m, "w"), Place::Synapse, "{path}");
        assert!(m.synapse.deliver.emit.is_some(), "{path}");
        count += 1;
    }
    assert!(count >= 12, "{count}");
}

#[test]
fn traces_live_at_their_end() {
    let m = library("std.synapses.Stdp");
    assert_eq!(place(&m, "x"), Place::Source);
    assert_eq!(place(&m, "y"), Place::Target);
    assert!(m.synapse.delivers_weight());
    assert_eq!(stored(&m, &m.synapse.pre.synapse), ["w"]);
    assert_eq!(stored(&m, &m.synapse.pre.source), ["x"]);
    assert_eq!(stored(&m, &m.synapse.post.synapse), ["w"]);
    assert_eq!(stored(&m, &m.synapse.post.target), ["y"]);
    assert!(m.synapse.pre.target == Block::default());
    assert_eq!(m.decays.len(), 2);
    let triplet = library("std.synapses.TripletStdp");
    let places = ["r1", "r2", "o1", "o2"].map(|s| place(&triplet, s));
    assert_eq!(
        places,
        [Place::Source, Place::Source, Place::Target, Place::Target]
    );
}

#[test]
fn an_eligibility_is_of_each_synapse() {
    let m = library("std.synapses.RewardStdp");
    assert_eq!(place(&m, "e"), Place::Synapse);
    assert_eq!(stored(&m, &m.synapse.modulators[0].action.synapse), ["w"]);
    let e = library("std.synapses.Eprop");
    assert_eq!(place(&e, "z"), Place::Source);
    assert_eq!(place(&e, "e"), Place::Synapse);
    assert_eq!(stored(&e, &e.synapse.every[0].action.synapse), ["e"]);
}

#[test]
fn resources_that_all_synapses_of_a_source_share_are_kept_once() {
    let m = library("std.synapses.TsodyksMarkram");
    assert_eq!(place(&m, "u"), Place::Source);
    assert_eq!(place(&m, "r"), Place::Source);
    assert!(!m.synapse.delivers_weight());
    assert!(m.synapse.pre.synapse == Block::default());
    assert!(m.synapse.deliver.stores.is_empty());
}

#[test]
fn a_draw_a_target_or_the_weight_make_a_state_one_of_each_synapse() {
    let m = lower(
        "synapse S { state a: real = 0  state b: real = 0  state c: real = 0  state d: real = 0  state w: real = 1
          on pre { a += rand(); b += a; c += w; d += 1; emit w }
          on post { d -= 1 } }",
    )
    .unwrap();
    for s in ["a", "b", "c", "d"] {
        assert_eq!(place(&m, s), Place::Synapse, "{s}");
    }
    // Without a word on `pre` of its own, a state that another side reads stays at its side.
    let m = lower(
        "synapse S { state w: real = 1  state x: real = 0  state y: real = 0
          on pre { x = 1 }  on post { y = x } }",
    )
    .unwrap();
    assert_eq!(place(&m, "x"), Place::Source);
    assert_eq!(place(&m, "y"), Place::Synapse);
}

#[test]
fn the_weight_is_delivered_when_nothing_is_emitted() {
    let m = lower("synapse S { state w: weight = 1 }").unwrap();
    assert!(m.synapse.delivers_weight());
}

#[test]
fn branches_become_selections_in_one_place() {
    let m = lower(
        "synapse S(a: real = 1) { state w: real = 1  state x: real = 0  state y: real = 0
          x' = -x / 20 ms
          y' = -y / 20 ms
          on pre { if y > 0.5 { w -= a } else { w += a }; x += 1 }
          on post { y += 1 } }",
    )
    .unwrap();
    assert_eq!(place(&m, "x"), Place::Source);
    let b = &m.synapse.pre.synapse;
    assert!(b.insts.iter().any(|i| matches!(i.op, Op::Select(..))));
}

/// (text, code, words of the message).
const WRONG: [(&str, &str, &str); 12] = [
    ("synapse S { state x: real }", "SYN0130", "has no state `w`"),
    (
        "synapse S { state w: voltage on pre { emit w } }",
        "SYN0130",
        "the synapse delivers a voltage, its port takes a plain number",
    ),
    (
        "synapse S { state w: real state x: real state y: real x' = (y - x) / 1 ms y' = -y / 1 ms }",
        "SYN0130",
        "can only fall exponentially",
    ),
    (
        "synapse S { state w: real state x: real x' = x / 1 ms }",
        "SYN0130",
        "can only fall exponentially",
    ),
    (
        "synapse S { state w: real state x: real x' = -x }",
        "SYN0223",
        "per time",
    ),
    (
        "synapse S { state w: real on pre { emit w * pre.v } }",
        "SYN0130",
        "is driven from outside",
    ),
    (
        "synapse S { state w: real on pre { emit w * post.v } }",
        "SYN0130",
        "what `emit` sends cannot depend on",
    ),
    (
        "synapse S { state w: real on post { w = post.nothing } }",
        "SYN0120",
        "`nothing`",
    ),
    (
        "synapse S { state w: real on post { w = total(w) } }",
        "SYN0130",
        "`total` is known in `on every(n)` only",
    ),
    (
        "synapse S { state w: real on post { emit w } }",
        "SYN0130",
        "`emit` belongs to `on pre`",
    ),
    (
        "synapse S { state w: real spike when w > 1 { } }",
        "SYN0130",
        "has no place in a synapse",
    ),
    (
        "synapse S { state w: real on reward(r) { w += r } }",
        "SYN0129",
        "`reward`",
    ),
];

#[test]
fn mistakes_are_told() {
    for (text, code, words) in WRONG {
        let d = lower(text).expect_err(text);
        let found =
            d.0.iter()
                .any(|d| d.code == code && d.message.contains(words));
        assert!(found, "{text}\n{d}");
        assert!(d.0.iter().all(|d| !d.hints.is_empty()), "{text}\n{d}");
    }
}
