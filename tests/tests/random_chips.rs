//! Random networks on random chips: every mapping is legal by the target's own check, does what the one in order does, and does not depend on the number
//! of threads; what does not fit is refused with the limit that binds. `PROPTEST_CASES` sets how many pairs are tried.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use synfire_compiler::{CompileOptions, Compiled, compile};
use synfire_ir::artifact::Artifact;
use synfire_ir::mapping::{Mapping, Route};
use synfire_ir::network::{Network, Verified};
use synfire_ir::{Class, Diagnostics, Quiet, Severity};
use synfire_runtime::session::Choice;
use synfire_targets::{Chip, Target};
use synfire_tests::binary::root;
use synfire_tests::compare::{input, load, run_on};

/// Pairs without `PROPTEST_CASES`.
const CASES: u32 = 24;
/// Sources of a network, and steps of a run.
const SOURCES: u32 = 12;
const STEPS: u32 = 6;

/// A projection: populations (0: the sources), connector, weight, delay in steps.
type Link = (usize, usize, u32, i32, u32);

/// A chip: which, and for one of our own its limits (columns, rows, neurons, axons, synapses, fan-in), whether a neuron has one destination, and what connects
/// its cores (torus, hexagonal, a level, cores of it behind one router, dead cores, dead links).
#[derive(Clone, Debug)]
struct ChipOf {
    which: u32,
    limits: [u64; 6],
    single: bool,
    fabric: [bool; 6],
}

fn links() -> impl Strategy<Value = (Vec<u32>, Vec<Link>)> {
    let sizes = proptest::collection::vec(1u32..150, 1..4);
    sizes.prop_flat_map(|sizes| {
        let n = sizes.len();
        let weight = prop_oneof![Just(1), Just(2), Just(-1), Just(3), -7..8i32];
        let link = (0..=n, 1..=n, 0u32..5, weight, 1u32..4);
        (Just(sizes), proptest::collection::vec(link, 1..7))
    })
}

fn chips() -> impl Strategy<Value = ChipOf> {
    let limits = (
        1u64..9,
        1u64..9,
        2u64..80,
        4u64..200,
        16u64..2000,
        4u64..120,
    );
    (0u32..6, limits, any::<bool>(), any::<[bool; 6]>()).prop_map(|(which, l, single, fabric)| {
        ChipOf {
            which,
            limits: [l.0, l.1, l.2, l.3, l.4, l.5],
            single,
            fabric,
        }
    })
}

impl ChipOf {
    fn own(&self) -> bool {
        self.which > 2
    }

    /// The kind of the mesh, and what else the description says of it.
    fn topology(&self) -> String {
        let [x, y, ..] = self.limits;
        let [torus, hexagonal, level, shared, cores, links] = self.fabric;
        let mut out = format!("kind = \"mesh\"\ntorus = {torus}\nhexagonal = {hexagonal}\n");
        if level {
            let half = |n: u64| if n.is_multiple_of(2) { n / 2 } else { 1 };
            out += &format!(
                "levels = [{{ name = \"chip\", x = {}, y = {}, shared = {shared}, hop = {{ value = 3.0, source = \"the test\" }} }}]\n",
                half(x),
                half(y)
            );
        }
        if cores {
            out += "dead_cores = [[0, 0]]\n";
        }
        if links && x > 1 {
            out += "dead_links = [[0, 0, 1, 0]]\n";
        }
        out
    }

    /// Our own chips are the template with other numbers.
    fn made(&self) -> Chip {
        let folder = root().join("targets/_template");
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a template");
        let [x, y, neurons, axons, synapses, fan_in] = self.limits;
        let mut toml = text("chip.toml");
        for (old, new) in [
            ("x = { value = 2,", format!("x = {{ value = {x},")),
            ("y = { value = 2,", format!("y = {{ value = {y},")),
            (
                "cores = { value = 4,",
                format!("cores = {{ value = {},", x * y),
            ),
            (
                "neurons_per_core = { value = 16,",
                format!("neurons_per_core = {{ value = {neurons},"),
            ),
            (
                "axons_per_core = { value = 32,",
                format!("axons_per_core = {{ value = {axons},"),
            ),
            (
                "synapses_per_core = { value = 512,",
                format!("synapses_per_core = {{ value = {synapses},"),
            ),
            (
                "fan_in = { value = 32,",
                format!("fan_in = {{ value = {fan_in},"),
            ),
        ] {
            assert!(toml.contains(old), "{old}");
            toml = toml.replacen(old, &new, 1);
        }
        if self.single {
            let one = "[limits]\ndestinations_per_neuron = { value = 1, source = \"the test\" }";
            toml = toml.replacen("[limits]", one, 1);
        }
        toml = toml.replacen("kind = \"mesh\"", &self.topology(), 1);
        Chip::from_text("toy", toml, text("model.syn"), String::new()).expect("a chip")
    }

    fn with<T>(&self, f: impl FnOnce(Target) -> T) -> T {
        if self.own() {
            let chip = self.made();
            return f(chip.target(None).expect("it has a dialect"));
        }
        let name = ["ranc", "ranc:rtl", "loihi"][self.which as usize];
        f(synfire_targets::find(name).expect("a shipped chip"))
    }
}

fn text(sizes: &[u32], links: &[Link], own: bool) -> String {
    let (model, body) = if own {
        ("If", "v_th = 2.5, reset = subtract")
    } else {
        ("McCullochPitts", "threshold = 2")
    };
    let mut out = format!(
        "use std.neurons.{model}\n\nnetwork Random {{\n  step 1 ms\n  source p0: events[{SOURCES}]\n"
    );
    for (i, n) in sizes.iter().enumerate() {
        out += &format!("  pop p{}: {model}[{n}] {{ {body} }}\n", i + 1);
    }
    let size = |p: usize| if p == 0 { SOURCES } else { sizes[p - 1] };
    for &(from, to, kind, weight, delay) in links {
        let weight = if weight == 0 { 1 } else { weight };
        let rule = match kind {
            0 => "all_to_all".to_string(),
            1 if size(from) == size(to) => "one_to_one".to_string(),
            2 => "fixed_probability(0.2)".to_string(),
            3 => format!("fixed_outdegree({})", size(to).min(3)),
            _ => format!("fixed_indegree({})", size(from).min(4)),
        };
        out += &format!(
            "  connect p{from} -> p{to} : {rule} {{ weight = {weight}, delay = {delay} ms }}\n"
        );
    }
    out += &format!("  record p{}.spikes\n}}\n", sizes.len());
    out
}

fn mapped(
    net: &Verified<Network>,
    target: Target,
    (opt, threads): (usize, usize),
) -> Result<Compiled, Diagnostics> {
    let options = CompileOptions {
        opt,
        threads,
        ..CompileOptions::default()
    };
    compile(net, target, &options, &Quiet)
}

/// The limits counted once more from the mapping itself.
fn counted(m: &Mapping, target: &Target) {
    let l = target.limits();
    let most = |v: &Option<synfire_targets::schema::Sourced<u64>>| {
        v.as_ref().map_or(u64::MAX, |v| v.value)
    };
    assert!(m.cores.len() as u64 <= most(&l.cores));
    let mut places: Vec<(u32, u32, u32)> = m.cores.iter().map(|c| (c.chip, c.x, c.y)).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), m.cores.len(), "two cores at one place");
    for core in &m.cores {
        assert!(core.neurons.len() as u64 <= most(&l.neurons_per_core));
        assert!(core.axons.len() as u64 <= most(&l.axons_per_core));
        assert!(core.synapses.len() as u64 <= most(&l.synapses_per_core));
        let mut onto = vec![0u64; core.neurons.len()];
        core.synapses
            .iter()
            .for_each(|s| onto[s.neuron as usize] += 1);
        assert!(onto.iter().all(|&n| n <= most(&l.fan_in)));
        for n in &core.neurons {
            if let Route::Axon { core, axon, .. } = n.route {
                let there = &m.cores[core as usize].axons[axon as usize];
                assert_eq!(there.source, n.unit, "an axon carries its source");
            }
        }
    }
}

fn holds(sizes: &[u32], links: &[Link], chip: &ChipOf) -> bool {
    let net = load(&text(sizes, links, chip.own())).unwrap_or_else(|e| panic!("{e}"));
    let spikes: Vec<(u32, u32, u32, u32)> = (0..STEPS)
        .flat_map(|s| (0..SOURCES).map(move |i| (0, s, 0, i)))
        .filter(|x| (x.1 * 5 + x.3 * 7) % 3 == 0)
        .collect();
    let data = input(&spikes, None);
    chip.with(|target| {
        let found = match mapped(&net, target, (1, 1)) {
            Ok(c) => c,
            Err(e) => {
                for d in e.0.iter().filter(|d| d.severity == Severity::Error) {
                    assert_eq!(d.class, Class::Fit, "{d:?}");
                    let has = |key: &str| d.fields.iter().any(|f| f.0 == key);
                    assert!(has("available") && has("needed"), "{d:?}");
                }
                let other = mapped(&net, target, (1, 2)).expect_err("refused with two threads");
                assert_eq!(format!("{e}"), format!("{other}"));
                return false;
            }
        };
        counted(&found.mapping, &target);
        let bytes = found.artifact.to_bytes().expect("an artefact");
        let twice = mapped(&net, target, (1, 2)).expect("it fits with two threads");
        assert_eq!(bytes, twice.artifact.to_bytes().expect("an artefact"));
        let run = |bytes: &[u8]| {
            Artifact::from_bytes("test.synx", bytes)
                .and_then(|a| run_on(target.chip, &a, Choice::Cpu, &data, STEPS))
                .unwrap_or_else(|e| panic!("the target refuses it: {e}"))
        };
        if let Ok(plain) = mapped(&net, target, (0, 1)) {
            let plain = plain.artifact.to_bytes().expect("an artefact");
            assert_eq!(run(&bytes), run(&plain), "spikes depend on the mapping");
        } else {
            run(&bytes);
        }
        true
    })
}

#[test]
fn mappings_are_legal_or_refused_with_a_limit() {
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|c| c.parse().ok()).unwrap_or(CASES);
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases,
            failure_persistence: None,
            max_shrink_iters: 200,
            ..Config::default()
        },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let counts = std::cell::Cell::new((0u32, 0u32));
    runner
        .run(&(links(), chips()), |((sizes, links), chip)| {
            let (fit, refused) = counts.get();
            if holds(&sizes, &links, &chip) {
                counts.set((fit + 1, refused));
            } else {
                counts.set((fit, refused + 1));
            }
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    let (fit, refused) = counts.get();
    println!("{fit} mapped, {refused} refused");
    assert!(fit * 4 >= cases, "{fit} of {cases} mapped");
}
