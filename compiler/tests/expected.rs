//! What is expected of drawn connections is what draws come to on average: metrics of a plan from its rules, beside the mean over networks drawn with many seeds.

use synfire_compiler::frontend::{self, LoadOptions, NoFiles};
use synfire_compiler::map::bench::machine::JIN;
use synfire_compiler::map::flow::Flows;
use synfire_compiler::map::score::both;
use synfire_compiler::map::score::partition::{Caps, Usage, broken, cut, flows};
use synfire_compiler::map::score::unicast::{Places, hops};
use synfire_compiler::map::symbolic::expect::{self, Pairs};
use synfire_compiler::map::symbolic::plan::Plan;
use synfire_compiler::map::symbolic::score::score;
use synfire_compiler::map::symbolic::source;
use synfire_compiler::map::symbolic::tiles::tiles;
use synfire_ir::network::{Network, Verified};

fn loaded(connections: &str) -> Verified<Network> {
    let text = format!(
        "use std.neurons.LifCurrExp\nnetwork N {{\n  step 1 ms\n  pop a: LifCurrExp[40]\n  pop b: LifCurrExp[6, 9]\n  pop c: LifCurrExp[33]\n{connections}\n}}\n"
    );
    let loaded = frontend::load("t.syn", text.as_bytes(), &NoFiles, &LoadOptions::default());
    loaded.network.unwrap_or_else(|d| panic!("{d}"))
}

fn connect(name: &str, ends: &str, rule: &str) -> String {
    format!("  connect {name}: {ends} : {rule} {{ weight = 1 pA, delay = 1 ms }}\n")
}

/// Seven cells by five, parts scattered over them.
fn scattered(parts: u32) -> Places {
    assert!(parts <= 35);
    let at = (0..parts).map(|i| (i * 11 % 35 / 5, i * 11 % 35 % 5));
    Places {
        x: 7,
        y: 5,
        at: at.collect(),
    }
}

const NAMES: [&str; 13] = [
    "remote",
    "cutnet",
    "soed",
    "cut_synapses",
    "axon_entries",
    "axons",
    "outbound",
    "packets",
    "hops",
    "energy_paper",
    "mc_hops",
    "mc_energy",
    "cong_link_avg",
];
/// Networks that are drawn.
const DRAWS: u64 = 300;

fn sum(usage: &[Usage], of: fn(&Usage) -> u64) -> f64 {
    usage.iter().map(of).sum::<u64>() as f64
}

/// Metrics of one draw, and the largest link loads.
fn one(net: &Network, seed: u64, part: &[u32], places: &Places) -> ([f64; 13], [f64; 2]) {
    let drawn = source::written(net, seed, 1e6).expect("it is small");
    let parts = places.at.len() as u32;
    let (c, usage) = cut(&drawn, part, parts);
    let list = flows(&drawn, part, parts);
    let (u, t) = both(&list, places, &JIN, false);
    let metrics = [
        c.remote,
        c.cutnet,
        c.soed,
        c.cut_synapses,
        c.axon_entries as f64,
        sum(&usage, |u| u.axons),
        sum(&usage, |u| u.outbound),
        u.packets,
        u.hops,
        u.energy_paper,
        t.mc_hops,
        t.mc_energy,
        u.cong_link_avg,
    ];
    (metrics, [u.cong_link_max, t.mc_link_max])
}

fn holds(connections: &str) {
    let net = loaded(connections);
    let rules = source::rules(&net).expect("draws are rules");
    let caps = Caps {
        npc: Some(6),
        ..Caps::default()
    };
    let plan = Plan::new(rules.clone(), tiles(&rules, &caps).expect("it fits")).expect("few");
    let part = plan.parts_of_neurons().expect("it is small");
    let places = scattered(plan.parts());
    let s = score(&plan);
    let (u, t) = expect::both(&plan, &places, &JIN);
    let expected = [
        s.cut.remote,
        s.cut.cutnet,
        s.cut.soed,
        s.cut.cut_synapses,
        s.cut.axon_entries as f64,
        s.axons.sum as f64,
        s.outbound.sum as f64,
        u.packets,
        u.hops,
        u.energy_paper,
        t.mc_hops,
        t.mc_energy,
        u.cong_link_avg,
    ];
    // Counts of whole numbers are rounded part by part.
    let rounded = |name: &str| match name {
        "axons" | "outbound" => 0.5 * plan.parts() as f64,
        "axon_entries" => 2.0,
        _ => 1e-6,
    };
    let (mut mean, mut square, mut most) = ([0.0; 13], [0.0; 13], [0.0; 2]);
    for seed in 0..DRAWS {
        let (metrics, largest) = one(&net, seed, &part, &places);
        for (i, v) in metrics.into_iter().enumerate() {
            mean[i] += v / DRAWS as f64;
            square[i] += v * v / DRAWS as f64;
        }
        (0..2).for_each(|i| most[i] += largest[i] / DRAWS as f64);
    }
    for (i, name) in NAMES.iter().enumerate() {
        let error = ((square[i] - mean[i] * mean[i]).max(0.0) / DRAWS as f64).sqrt();
        let off = (expected[i] - mean[i]).abs();
        assert!(
            off <= 4.5 * error + rounded(name),
            "{name}: {} expected, {} drawn, {error} of error\n{connections}",
            expected[i],
            mean[i]
        );
    }
    // The largest of expected loads is below the expected largest.
    for (expected, drawn) in [(u.cong_link_max, most[0]), (t.mc_link_max, most[1])] {
        assert!(
            expected <= drawn * 1.01 && expected >= 0.75 * drawn,
            "{expected} {drawn}"
        );
    }
    let pairs = hops(&Pairs(&plan), &places);
    assert!((pairs - u.hops).abs() <= 1e-9 * u.hops, "{pairs}");
    assert_eq!(Flows::parts(&Pairs(&plan)), plan.parts());
}

#[test]
fn draws_cost_what_they_are_expected_to() {
    for rule in [
        "fixed_probability(0.1)",
        "fixed_probability(0.1, self = false)",
        "fixed_indegree(4)",
        "fixed_indegree(4, multapses = true)",
        "fixed_outdegree(5)",
        "fixed_outdegree(5, multapses = true)",
        "fixed_total(150)",
    ] {
        let own = rule
            .replace(')', ", self = false)")
            .replace(", self = false, self", ", self");
        let text = [
            ("a -> b.exc", rule),
            ("b -> c.exc", rule),
            ("b -> b.exc", &own),
            ("c -> c.inh", rule),
        ];
        let all: Vec<String> = text
            .iter()
            .enumerate()
            .map(|(i, (ends, rule))| connect(&format!("p{i}"), ends, rule))
            .collect();
        holds(&all.concat());
    }
}

#[test]
fn certain_pairs_stay_certain_beside_draws() {
    let all = [
        connect("p0", "a -> a.exc", "one_to_one"),
        connect("p1", "a -> b.exc", "fixed_probability(0.05)"),
        connect("p2", "a -> c.exc", "fixed_outdegree(2)"),
        connect("p3", "b -> c.exc", "all_to_all"),
        connect("p4", "b -> a.inh", "fixed_indegree(3)"),
        connect("p5", "c -> c.exc", "one_to_one"),
    ];
    holds(&all.concat());
}

/// Limits keep room for what draws add: boxes that were cut by expectation hold in every draw.
#[test]
fn boxes_of_draws_are_legal() {
    let text = connect("p0", "a -> b.exc", "fixed_probability(0.2)")
        + &connect("p1", "b -> b.exc", "fixed_total(400)")
        + &connect("p2", "b -> c.exc", "fixed_outdegree(6)");
    let net = loaded(&text);
    let rules = source::rules(&net).expect("draws are rules");
    let caps = Caps {
        npc: Some(12),
        apc: Some(60),
        spc: Some(120),
        ..Caps::default()
    };
    let plan = Plan::new(rules.clone(), tiles(&rules, &caps).expect("it fits")).expect("few");
    let part = plan.parts_of_neurons().expect("it is small");
    for seed in 0..50 {
        let drawn = source::written(&net, seed, 1e6).expect("it is small");
        let (_, usage) = cut(&drawn, &part, plan.parts());
        assert_eq!(broken(&usage, &caps), None);
    }
}
