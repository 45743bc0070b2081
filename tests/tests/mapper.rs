//! What `compile` promises of its mappings: never worse than in order, the same for any number of threads, spikes that do not depend on where neurons
//! sit, dead cores left empty, and small edits that move little.

use std::collections::BTreeMap;
use synfire_compiler::map::symbolic::source;
use synfire_compiler::{CompileOptions, Compiled, Dead, compile};
use synfire_ir::mapping::Mapping;
use synfire_ir::network::{Network, Projection, Verified};
use synfire_ir::{Diagnostics, Quiet};
use synfire_runtime::session::Choice;
use synfire_tests::binary::root;
use synfire_tests::compare::{input, load, run_artifact, run_ideal};

fn compiled(
    net: &Verified<Network>,
    target: &str,
    options: &CompileOptions,
) -> Result<Compiled, Diagnostics> {
    compile(net, synfire_targets::find(target)?, options, &Quiet)
}

fn with(opt: usize, threads: usize) -> CompileOptions {
    CompileOptions {
        opt,
        threads,
        ..CompileOptions::default()
    }
}

fn example(name: &str) -> Verified<Network> {
    let text = std::fs::read_to_string(root().join("examples").join(name)).expect("an example");
    load(&text).expect("an example is right")
}

fn metric(c: &Compiled, key: &str) -> u64 {
    c.report["metrics"][key].as_u64().expect("a metric")
}

#[test]
fn spikes_do_not_depend_on_the_mapping() {
    // A glider; and a ring of pixels.
    let glider = [(4, 5), (5, 6), (6, 4), (6, 5), (6, 6)];
    let ring: Vec<(u32, u32)> = (8..20)
        .flat_map(|k| [(8, k), (k, 8), (20, k), (k, 20)])
        .collect();
    for (name, pixels) in [("life.syn", &glider[..]), ("edges.syn", &ring[..])] {
        let net = example(name);
        let mut list: Vec<(u32, u32, u32, u32)> =
            pixels.iter().map(|p| (0, 0, 0, p.0 * 32 + p.1)).collect();
        list.sort_unstable();
        list.dedup();
        let data = input(&list, None);
        let ideal = run_ideal(&net, Choice::Cpu, &data, 12).expect("it runs");
        assert!(ideal.len() > 20, "{name}: {} spikes", ideal.len());
        let plain = compiled(&net, "ranc", &with(0, 1)).expect("it fits in order");
        for (target, opt) in [("ranc", 0), ("ranc", 1)] {
            let c = compiled(&net, target, &with(opt, 2)).expect("it fits");
            let bytes = c.artifact.to_bytes().expect("an artefact");
            let chip = run_artifact(&bytes, Choice::Cpu, &data, 12).expect("it runs");
            assert_eq!(ideal, chip, "{name} on {target} at {opt}");
            assert!(c.mapping.cores.len() <= plain.mapping.cores.len());
            for key in ["remote", "hops", "mc_hops"] {
                assert!(metric(&c, key) <= metric(&plain, key), "{name}: {key}");
            }
        }
    }
}

#[test]
fn cores_are_what_the_search_counted() {
    // Kernels whose weights collide in axon classes: a core of 256 axons holds 256 wires all the same.
    for (name, cores, remote) in [("life.syn", 22, 900), ("edges.syn", 35, 2_400)] {
        let c = compiled(&example(name), "ranc", &with(1, 1)).expect("it fits");
        assert!(c.mapping.cores.len() <= cores, "{name}");
        assert!(metric(&c, "remote") <= remote, "{name}");
    }
}

#[test]
fn threads_change_nothing() {
    let net = example("edges.syn");
    let all: Vec<Vec<u8>> = [1, 2, 5]
        .iter()
        .map(|&t| {
            let c = compiled(&net, "ranc", &with(1, t)).expect("it fits");
            c.artifact.to_bytes().expect("an artefact")
        })
        .collect();
    assert!(all.windows(2).all(|w| w[0] == w[1]));
}

#[test]
fn dead_cores_stay_empty() {
    let net = example("life.syn");
    let dead: Vec<(u32, u32)> = (0..6).map(|k| (k, k)).collect();
    let options = CompileOptions {
        dead: Dead {
            cores: dead.clone(),
            links: vec![],
        },
        ..with(1, 1)
    };
    let c = compiled(&net, "ranc", &options).expect("it fits");
    assert!(c.mapping.cores.iter().all(|c| !dead.contains(&(c.x, c.y))));
    let outside = CompileOptions {
        dead: Dead {
            cores: vec![(64, 0)],
            links: vec![],
        },
        ..with(1, 1)
    };
    let e = compiled(&net, "ranc", &outside).expect_err("64 is beyond the mesh");
    assert_eq!(e.0[0].code, "SYN0653");
}

/// Units where they are now: name, number, position of the first copy's core.
fn places(m: &Mapping) -> BTreeMap<(String, u32), (u32, u32)> {
    let mut out = BTreeMap::new();
    for core in &m.cores {
        for n in core.neurons.iter().filter(|n| n.copy == 0) {
            let name = m.populations[n.unit.pop as usize].name.clone();
            out.insert((name, n.unit.unit), (core.x, core.y));
        }
    }
    out
}

#[test]
fn a_small_edit_moves_little() {
    let text = std::fs::read_to_string(root().join("examples/edges.syn")).expect("an example");
    let before = compiled(&load(&text).expect("right"), "ranc", &with(1, 1)).expect("it fits");
    let edited = text.replace(
        "  record pool.spikes",
        "  pop any: McCullochPitts[8] { threshold = 1 }\n  connect corner -> any : fixed_indegree(8) { weight = 1, delay = 1 ms }\n  record any.spikes\n  record pool.spikes",
    );
    assert_ne!(text, edited);
    let net = load(&edited).unwrap_or_else(|e| panic!("{e}"));
    let earlier = earlier(&before.mapping);
    let options = CompileOptions {
        earlier: Some(earlier),
        ..with(1, 1)
    };
    let after = compiled(&net, "ranc", &options).expect("it fits");
    let (old, new) = (places(&before.mapping), places(&after.mapping));
    let stayed = old.iter().filter(|(k, p)| new.get(*k) == Some(p)).count();
    assert!(stayed * 10 >= old.len() * 9, "{stayed} of {}", old.len());
    assert_eq!(after.report["moved"]["new"], 8);
    assert_eq!(
        after.report["moved"]["stayed"].as_u64(),
        Some(stayed as u64)
    );
}

fn earlier(m: &Mapping) -> synfire_compiler::Earlier {
    let mut units = vec![];
    for (c, core) in m.cores.iter().enumerate() {
        for n in core.neurons.iter().filter(|n| n.copy == 0) {
            let name = m.populations[n.unit.pop as usize].name.clone();
            units.push((name, n.unit.unit, c as u32));
        }
    }
    synfire_compiler::Earlier {
        units,
        positions: m.cores.iter().map(|c| (c.x, c.y)).collect(),
    }
}

/// Networks of rules are read as such: as many synapses as there are when they are written out, and boxes that cost what they cost in the expanded network.
#[test]
fn networks_from_text_stay_rules() {
    let net = example("edges.syn");
    let rules = source::rules(&net).expect("windows are rules");
    assert_eq!(rules.neurons(), 1024 + 4096 + 1024 + 256);
    let whole = rules.expand().expect("it is small");
    let of = |p: &Projection| {
        let (sources, targets) = (p.source_range.len as u64, p.target_range.len as u64);
        let all = p
            .stages
            .iter()
            .map(|s| s.connector.count(sources, targets, &net.arrays));
        all.sum::<f64>() as u64
    };
    let synapses = net.projections().map(|p| of(p.3)).sum();
    assert_eq!((rules.synapses(), whole.synapses()), (synapses, synapses));
    let with = |ends: &str| {
        let text = format!(
            "use std.neurons.If\nnetwork N {{\n  step 1 ms\n  source x: events[20]\n  pop a: If[10]\n  connect {ends} : fixed_probability(0.5) {{ weight = 1, delay = 1 ms }}\n}}\n"
        );
        load(&text).expect("it is right")
    };
    let drawn = source::rules(&with("x -> a.i")).expect("draws are rules");
    assert_eq!((drawn.synapses(), drawn.expand()), (100, None));
    let e = source::rules(&with("x[0 .. 5] -> a.i")).expect_err("a part of a population");
    assert_eq!(e.0[0].code, "SYN0658");
}

/// Boxes never make a mapping worse, and the search begins at them.
#[test]
fn the_search_is_given_boxes() {
    let net = example("edges.syn");
    let (plain, found) = (
        compiled(&net, "ranc", &with(0, 1)).expect("it fits"),
        compiled(&net, "ranc", &with(1, 1)).expect("it fits"),
    );
    let stages = found.report["search"]["history"].to_string();
    assert!(stages.contains("boxes"), "{stages}");
    assert!(metric(&found, "remote") < metric(&plain, "remote"));
}
