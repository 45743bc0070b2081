//! Projections that learn: what they hold, and what is said of wrong ones.

use crate::{Memory, network, projection, wrong};
use synfire_ir::network::{Network, Plasticity};
use synfire_ir::program::Carry;

const HEAD: &str = "use std.neurons.{Lif, Li, LifDelta}\nuse std.synapses.{Stdp, RewardStdp, Eprop, TsodyksMarkram}\n\
    network N {\n step 1 ms\n source x: events[3]\n source r: signal[1]\n source e: signal[2]\n pop a: Lif[2]\n pop b: LifDelta[2]\n pop out: Li[2]\n";

fn of(body: &str) -> String {
    format!("{HEAD}{body}\n}}\n")
}

fn plastic<'a>(net: &'a Network, name: &str) -> &'a Plasticity {
    let p = &net.graph[projection(net, name)];
    p.plasticity
        .as_ref()
        .unwrap_or_else(|| panic!("{name} does not learn"))
}

#[test]
fn a_rule_is_made_for_the_unit_of_its_port() {
    let net = network(&of(
        " connect p: x -> a.i : all_to_all { synapse = Stdp(w_max = 1), w ~ uniform(0, 1) }\n\
         connect q: x -> b.kick : all_to_all { synapse = Stdp(w_max = 1 mV), weight = 0.5 mV, delay = 2 ms }\n\
         connect s: x -> a.i : all_to_all { synapse = Stdp(w_max = 2), w = 1 }",
    ));
    let (p, q, s) = (plastic(&net, "p"), plastic(&net, "q"), plastic(&net, "s"));
    assert_eq!(p.model, s.model);
    assert_ne!(p.model, q.model);
    assert_eq!(q.values, [("w_max".to_string(), 1e-3)]);
}

#[test]
fn weights_may_start_as_the_rule_says() {
    let net = network(&format!(
        "synapse Own {{ state w: weight = 0.25 }}\n{}",
        of(" connect p: x -> a.i : all_to_all { synapse = Own }")
    ));
    assert!(!plastic(&net, "p").weights);
}

#[test]
fn a_part_of_the_delay_may_lie_behind_the_synapse() {
    let net = network(&of(
        " connect p: x -> a.i : all_to_all { synapse = Stdp(w_max = 1), w = 0.5, delay = 3 ms, dendritic = 2 ms }\n\
         connect q: x -> a.i : all_to_all { synapse = Stdp(w_max = 1), w = 0.5, delay = 3 ms }",
    ));
    assert_eq!(plastic(&net, "p").dendritic, 2);
    assert_eq!(plastic(&net, "q").dendritic, 0);
    let fields = [
        (
            "synapse = Stdp(w_max = 1), w = 0.5, delay = 1 ms, dendritic = 2 ms",
            "SYN0433",
        ),
        (
            "synapse = Stdp(w_max = 1), w = 0.5, delay ~ uniform(2 ms, 4 ms), dendritic = 2 ms",
            "SYN0433",
        ),
        (
            "synapse = Eprop(w_max = 1), w = 0.5, delay = 1 ms, dendritic = 1 ms",
            "SYN0433",
        ),
        ("weight = 0.5, delay = 1 ms, dendritic = 1 ms", "SYN0433"),
        (
            "synapse = Stdp(w_max = 1), w = 0.5, delay = 1 ms, dendritic = 1",
            "SYN0202",
        ),
        (
            "synapse = Stdp(w_max = 1), w = 0.5, delay = 3 ms, dendritic ~ uniform(0 ms, 1 ms)",
            "SYN0104",
        ),
    ];
    for (fields, code) in fields {
        let text = of(&format!(" connect p: x -> a.i : all_to_all {{ {fields} }}"));
        let said = wrong(&text, &Memory::default(), &[]);
        assert!(said.contains(code), "{fields}: {said}");
    }
}

#[test]
fn one_value_for_all_or_one_for_each_target() {
    let net = network(&of(
        " connect p: x -> a.i : all_to_all { synapse = RewardStdp(w_max = 1), w = 0.5 }\n\
         connect q: x -> a.i : all_to_all { synapse = Eprop(w_max = 1), w = 0.5 }\n\
         modulate r -> p.reward\n modulate e -> q.signal\n modulate out.v -> q.signal\n record q.e every 2 ms",
    ));
    assert!(!plastic(&net, "p").modulators[0].each);
    let q = &plastic(&net, "q").modulators;
    assert!(q[0].each && q[1].each);
    assert!(matches!(q[1].carry, Carry::Output(_)));
}

#[test]
fn several_targets_give_several_projections() {
    let net = network(&of(
        " pop c: Lif[2]\n connect p: x -> (a.i, c.i) : all_to_all { synapse = RewardStdp(w_max = 1), w = 0.5 }\n\
         modulate r -> p.reward\n record p.w",
    ));
    for name in ["p.0", "p.1"] {
        assert_eq!(plastic(&net, name).modulators.len(), 1);
    }
    assert_eq!(net.probes.len(), 2);
}

#[test]
fn mistakes() {
    let cases = [
        " connect p: x -> a.i : all_to_all { synapse = Stpd(w_max = 1), w = 0.5 }",
        " connect p: x -> a.i : all_to_all { synapse = Lif, w = 0.5 }",
        " connect p: x -> a.i : all_to_all { synapse = Stdp(w_max = 1) }",
        " connect p: x -> a.i : all_to_all { synapse = Stdp, w = 0.5 }",
        " connect p: x -> a.i : all_to_all { synapse = Stdp(w_max = 1 mV, tau = 3), w = 0.5 }",
        " connect p: x -> a.i : all_to_all { synapse = Stdp(w_max = 1 mV), w = 0.5 }",
        " connect p: x -> a.i : all_to_all { w = 0.5 }",
        " connect p: x -> a.i : all_to_all { synapse = Stdp(w_max = 1), w = 0.5 }\n modulate r -> p.reward",
        " connect p: x -> a.i : all_to_all { synapse = RewardStdp(w_max = 1), w = 0.5 }\n modulate r -> p.punishment\n record p.v",
        " connect p: x -> a.i : all_to_all { synapse = RewardStdp(w_max = 1), w = 0.5 }\n modulate x -> p.reward",
        " connect p: x -> a.i : all_to_all { weight = 0.5 }\n modulate r -> p.reward\n record p.w",
        " modulate r -> a.i",
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|c| format!("{c}\n{}", wrong(&of(c), &Memory::default(), &[])))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}
