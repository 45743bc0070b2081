//! Random networks of a chip's own neuron model: the compiled artefact spikes as the network does, on both engines, under the network's
//! own names and steps. Weights need no rounding; fan-out, delays, recurrence and inputs are random.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::fmt::Write as _;
use synfire_ir::Class;
use synfire_runtime::session::Choice;
use synfire_tests::compare::{compile_for, input, load, run_artifact, run_ideal};

/// A random network as text, and its input.
#[derive(Clone, Debug)]
struct Case {
    text: String,
    input: Vec<(u32, u32, u32, u32)>,
    steps: u32,
}

#[derive(Clone, Debug)]
struct Pop {
    size: u32,
    fields: String,
}

/// (source, target, weight, delay).
type Pair = (u32, u32, i32, u32);

type Wire = (
    prop::sample::Index,
    prop::sample::Index,
    Vec<(u32, u32, i32, u32)>,
);

fn ranc_pop() -> impl Strategy<Value = Pop> {
    (1u32..6, 1i32..12, -20i32..0, 0i32..3, any::<bool>(), -2i32..=2).prop_map(|(size, thr, nthr, reset, linear, leak)| {
        let reset = reset.min(thr - 1);
        Pop { size, fields: format!("thr = {thr}, nthr = {nthr}, reset = {reset}, linear = {linear}, leak = {leak}, sym = false") }
    })
}

fn loihi_pop() -> impl Strategy<Value = Pop> {
    let leak = (
        0u32..4096,
        0u32..4096,
        prop::sample::select(vec![0u32, 40, 4095]),
    );
    (1u32..6, 1u32..3000, leak, -4000i32..4000, 1u32..5).prop_map(
        |(size, vth, (du, dv, slow), bias, refract)| {
            let dv = if dv % 2 == 0 { dv } else { slow };
            Pop {
                size,
                fields: format!(
                    "du = {du}, dv = {dv}, vth = {vth}, bias = {bias}, refract = {refract}"
                ),
            }
        },
    )
}

fn lava_pop() -> impl Strategy<Value = Pop> {
    (1u32..6, 1u32..3000, 0u32..4096, 0u32..4096, -4000i32..4000).prop_map(
        |(size, vth, du, dv, bias)| Pop {
            size,
            fields: format!("du = {du}, dv = {dv}, vth = {vth}, bias = {bias}"),
        },
    )
}

fn odin_pop() -> impl Strategy<Value = Pop> {
    (1u32..6, 6i32..50, 0i32..2).prop_map(|(size, thr, leak)| Pop {
        size,
        fields: format!("thr = {thr}, leak = {leak}, disabled = false"),
    })
}

/// Connections: between random populations, with whole weights drawn from four values, delays of 1 to 15 steps (0 from inputs), each pair once.
fn case(
    model: &'static str,
    pop: impl Strategy<Value = Pop>,
    weights: [i32; 4],
    steps: u32,
) -> impl Strategy<Value = Case> {
    let synapse = (
        0u32..64,
        0u32..64,
        prop::sample::select(weights.to_vec()),
        1u32..=15,
    );
    let wire = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::collection::vec(synapse, 1..12),
    );
    let spikes = prop::collection::vec((0u32..steps, 0u32..4), 0..60);
    (
        prop::collection::vec(pop, 1..4),
        prop::collection::vec(wire, 1..6),
        spikes,
    )
        .prop_map(move |(pops, wires, spikes)| {
            let mut t =
                format!("use targets.{model}\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n");
            let name = model.rsplit('.').next().unwrap_or("");
            for (k, p) in pops.iter().enumerate() {
                writeln!(t, "  pop p{k}: {name}[{}] {{ {} }}", p.size, p.fields)
                    .expect("writing to a String");
            }
            wires
                .iter()
                .enumerate()
                .for_each(|(k, w)| connect(&mut t, k, w, &pops));
            t.push_str("}\n");
            let mut input: Vec<_> = spikes.iter().map(|&(s, n)| (0, s, 0, n)).collect();
            input.sort_unstable();
            input.dedup();
            Case {
                text: t,
                input,
                steps,
            }
        })
}

fn connect(t: &mut String, k: usize, (a, b, list): &Wire, pops: &[Pop]) {
    // Two wires between one pair of populations could connect one pair of units twice; each wire owns its pairs.
    let from = a.index(pops.len() + 1);
    let to = b.index(pops.len());
    let (source, n) = if from == 0 {
        ("x".to_string(), 4)
    } else {
        (format!("p{}", from - 1), pops[from - 1].size)
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut rows = vec![];
    for &(s, d, w, delay) in list {
        let (s, d) = (s % n, d % pops[to].size);
        if t.contains(&format!("# {source} -> p{to}\n")) || !seen.insert((s, d)) {
            continue;
        }
        rows.push((s, d, w, delay));
    }
    if rows.is_empty() {
        return;
    }
    let column = |f: &dyn Fn(&Pair) -> String| rows.iter().map(f).collect::<Vec<_>>().join(", ");
    let pre = column(&|r| r.0.to_string());
    let post = column(&|r| r.1.to_string());
    let weight = column(&|r| r.2.to_string());
    let delay = column(&|r| format!("{} ms", r.3));
    writeln!(t, "  # {source} -> p{to}\n  connect c{k}: {source} -> p{to}.syn : list([{pre}], [{post}]) {{ weight = [{weight}], delay = [{delay}] }}")
        .expect("writing to a String");
}

/// A layered network of `hidden` and `output` neurons of a chip whose only delays are one step between neurons: inputs onto hidden populations, these onto each other (with recurrence)
/// and onto one output population, which alone is recorded. Weights are multiples of 4.
fn layers(chip: &'static str, steps: u32) -> impl Strategy<Value = Case> {
    let pop = (1u32..8, 20i32..3000, 0u32..8, 0u32..6, 0u32..6, -20i32..20);
    let synapse = (0u32..64, 0u32..64, -32i32..32, 0u32..3);
    let wire = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        1u32..3,
        prop::collection::vec(synapse, 1..20),
    );
    let spikes = prop::collection::vec((0u32..steps, 0u32..4), 0..120);
    (
        prop::collection::vec(pop, 2..5),
        prop::collection::vec(wire, 3..9),
        spikes,
    )
        .prop_map(move |(pops, wires, spikes)| {
            let mut t = format!("use targets.{chip}.{{Xylo, XyloOut}}\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n");
            let out = pops.len() - 1;
            for (k, (n, thr, dm, d1, d2, bias)) in pops.iter().enumerate() {
                let (model, second) = if k == out { ("XyloOut", String::new()) } else { ("Xylo", format!(", d2 = {d2}")) };
                writeln!(t, "  pop p{k}: {model}[{n}] {{ thr = {thr}, dm = {dm}, d1 = {d1}{second}, bias = {bias} }}")
                    .expect("writing to a String");
            }
            for (k, (a, b, port, list)) in wires.iter().enumerate() {
                let to = b.index(pops.len());
                let from = if to == out { 1 + a.index(out) } else { a.index(out + 1) };
                let (source, n) = if from == 0 { ("x".into(), 4) } else { (format!("p{}", from - 1), pops[from - 1].0) };
                let port = if to == out { 1 } else { *port };
                let mut seen = std::collections::BTreeSet::new();
                let mut rows = vec![];
                for &(s, d, w, delay) in list {
                    let (s, d) = (s % n, d % pops[to].0);
                    if seen.insert((s, d)) {
                        rows.push((s, d, 4 * w, if from == 0 { delay } else { 1 }));
                    }
                }
                // Two wires between one pair and port could connect one pair of units twice, which the chip adds up.
                if t.contains(&format!("{source} -> p{to}.syn{port} ")) {
                    continue;
                }
                let column = |f: &dyn Fn(&Pair) -> String| rows.iter().map(f).collect::<Vec<_>>().join(", ");
                let (pre, post) = (column(&|r| r.0.to_string()), column(&|r| r.1.to_string()));
                let (weight, delay) = (column(&|r| r.2.to_string()), column(&|r| format!("{} ms", r.3)));
                writeln!(t, "  connect c{k}: {source} -> p{to}.syn{port} : list([{pre}], [{post}]) {{ weight = [{weight}], delay = [{delay}] }}")
                    .expect("writing to a String");
            }
            writeln!(t, "  record p{out}.spikes\n}}").expect("writing to a String");
            let mut input: Vec<_> = spikes.iter().map(|&(s, n)| (0, s, 0, n)).collect();
            input.sort_unstable();
            input.dedup();
            Case { text: t, input, steps }
        })
}

/// A chain of two or three convolutions and dense layers, with pooling between, for chips whose cores hold a layer each and that take one event after another. Neurons take their threshold away. With `exact`
/// weights excite, are whole with a largest one of 127, and stay together below the threshold, so that a neuron spikes at most once a step in whatever order its events come; else they are any.
fn kernels(exact: bool, steps: u32) -> impl Strategy<Value = Case> {
    let layer = (1u32..5, 1u32..4, 1u32..3, 0u32..2, any::<bool>(), 0u32..40);
    let draws = prop::collection::vec(0i32..127, 64);
    let spikes = prop::collection::vec((0u32..steps, 0u32..108), 100..800);
    let map = (1u32..4, 3u32..7, 3u32..7);
    (map, prop::collection::vec(layer, 1..3), 1u32..5, draws, any::<bool>(), spikes).prop_map(
        move |(map, layers, outputs, draws, biased, spikes)| {
            let mut next = draws.iter().cycle();
            let mut draw = |k: usize| match (exact, k) {
                (true, 0) => 127,
                (true, _) => *next.next().expect("draws"),
                (false, _) => 2 * next.next().expect("draws") - 100,
            };
            let (c, y, x) = map;
            let mut t = format!("neuron Sum(v_th: real = 1) {{ state v: real = 0  input i: real  on i {{ v += i }}  spike when v >= v_th {{ v -= v_th }} }}\nnetwork N {{\n  step 1 ms\n  source x: events[{c}, {y}, {x}]\n");
            let (mut from, mut shape) = ("x".to_string(), [c, y, x]);
            for (k, (f, kernel, stride, padding, pool, slack)) in layers.into_iter().enumerate() {
                let kernel = kernel.min(shape[1]).min(shape[2]);
                let pool = pool && k > 0 && shape[1].is_multiple_of(2) && shape[2].is_multiple_of(2);
                let (before, times) = if pool { ("sum_pool2d(2) | ", 4) } else { ("", 1) };
                if pool {
                    shape = [shape[0], shape[1] / 2, shape[2] / 2];
                }
                let kernel = kernel.min(shape[1]).min(shape[2]);
                let padding = padding.min(kernel - 1);
                let taps = (shape[0] * kernel * kernel) as usize;
                let w: Vec<Vec<i32>> = (0..f as usize)
                    .map(|o| (0..taps).map(|i| draw(o * taps + i)).collect())
                    .collect();
                let most = w.iter().map(|o| o.iter().map(|w| w.max(&0)).sum::<i32>()).max().expect("features");
                let row = kernel as usize;
                let nested: Vec<String> = w.iter().map(|o| {
                    let planes = o.chunks(row * row).map(|p| format!("{:?}", p.chunks(row).collect::<Vec<_>>()));
                    format!("[{}]", planes.collect::<Vec<_>>().join(", "))
                }).collect();
                let out = |n: u32| (n + 2 * padding - kernel) / stride + 1;
                shape = [f, out(shape[1]), out(shape[2])];
                let bias = if biased && k == 0 { ", bias = 3" } else { "" };
                let threshold = threshold(exact, most * times, slack);
                writeln!(t, "  pop p{k}: Sum[{f}, {}, {}] {{ v_th = {threshold} }}", shape[1], shape[2]).expect("writing to a String");
                writeln!(t, "  connect {from} -> p{k}.i : {before}conv2d({kernel}, stride = {stride}, padding = {padding}) {{ weight = [{}], delay = 0 ms{bias} }}", nested.join(", "))
                    .expect("writing to a String");
                from = format!("p{k}");
            }
            let n = shape.iter().product::<u32>() as usize;
            let w: Vec<Vec<i32>> = (0..outputs as usize).map(|o| (0..n).map(|i| draw(o * n + i)).collect()).collect();
            let most = w.iter().map(|o| o.iter().map(|w| w.max(&0)).sum::<i32>()).max().expect("outputs");
            writeln!(t, "  pop out: Sum[{outputs}] {{ v_th = {} }}\n  connect {from} -> out.i : flatten | dense {{ weight = {w:?}, delay = 0 ms }}\n}}", threshold(exact, most, 5))
                .expect("writing to a String");
            let mut input: Vec<_> = spikes.iter().map(|&(s, n)| (0, s, 0, n % (c * y * x))).collect();
            input.sort_unstable();
            input.dedup();
            Case { text: t, input, steps }
        },
    )
}

/// A threshold above all that one step may bring with a bias; or a low one.
fn threshold(exact: bool, most: i32, slack: u32) -> i32 {
    match exact {
        true => most + 4 + slack as i32,
        false => most / 8 + 1 + slack as i32,
    }
}

/// `Ok(false)` when the chip refused the network for want of room.
fn equal(case: &Case, target: &str) -> Result<bool, TestCaseError> {
    let net = load(&case.text).map_err(|e| TestCaseError::fail(format!("{e}\n{}", case.text)))?;
    let data = input(&case.input, None);
    let ideal = run_ideal(&net, Choice::Cpu, &data, case.steps)
        .map_err(|e| TestCaseError::fail(format!("{e}\n{}", case.text)))?;
    let compiled = match compile_for(&net, target) {
        Ok(c) => c,
        Err(e) if e.0.iter().all(|d| d.class == Class::Fit) => return Ok(false),
        Err(e) => return Err(TestCaseError::fail(format!("{e}\n{}", case.text))),
    };
    let bytes = compiled
        .artifact
        .to_bytes()
        .map_err(|e| TestCaseError::fail(e.to_string()))?;
    for choice in [Choice::Cpu, Choice::Gpu] {
        let chip = run_artifact(&bytes, choice, &data, case.steps)
            .map_err(|e| TestCaseError::fail(format!("{e}\n{}", case.text)))?;
        prop_assert_eq!(&ideal, &chip, "{:?} on {}\n{}", choice, target, case.text);
    }
    Ok(true)
}

/// Both engines on the artefact of a network whose ideal form answers otherwise; `Ok(false)` when the chip refused the network for want of room.
fn alike(case: &Case, target: &str) -> Result<bool, TestCaseError> {
    let fail = |e: String| TestCaseError::fail(format!("{e}\n{}", case.text));
    let net = load(&case.text).map_err(|e| fail(e.to_string()))?;
    let data = input(&case.input, None);
    let compiled = match compile_for(&net, target) {
        Ok(c) => c,
        Err(e) if e.0.iter().all(|d| d.class == Class::Fit) => return Ok(false),
        Err(e) => return Err(fail(e.to_string())),
    };
    let bytes = compiled
        .artifact
        .to_bytes()
        .map_err(|e| fail(e.to_string()))?;
    let run =
        |choice| run_artifact(&bytes, choice, &data, case.steps).map_err(|e| fail(e.to_string()));
    prop_assert_eq!(
        run(Choice::Cpu)?,
        run(Choice::Gpu)?,
        "{}\n{}",
        target,
        case.text
    );
    Ok(true)
}

fn run_cases(target: &str, cases: u32, strategy: impl Strategy<Value = Case>) {
    run_with(target, cases, strategy, equal);
}

fn run_with(
    target: &str,
    cases: u32,
    strategy: impl Strategy<Value = Case>,
    holds: fn(&Case, &str) -> Result<bool, TestCaseError>,
) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    // The same networks in every run; `EQUIVALENCE_CASES` asks for more of them.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let fitted = std::cell::Cell::new(0u32);
    runner
        .run(&strategy, |c| {
            fitted.set(fitted.get() + holds(&c, target)? as u32);
            Ok(())
        })
        .unwrap_or_else(|e| panic!("{e}"));
    println!(
        "{target}: {} of {cases} networks fitted and were equal",
        fitted.get()
    );
    assert!(
        fitted.get() * 2 > cases,
        "only {} of {cases} networks fitted {target}",
        fitted.get()
    );
}

/// Number of networks; `EQUIVALENCE_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("EQUIVALENCE_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1000)
}

#[test]
fn ranc_artefacts_spike_as_their_networks() {
    run_cases(
        "ranc",
        cases(),
        case("ranc.Ranc", ranc_pop(), [3, 2, -2, 5], 40),
    );
}

#[test]
fn tinyodin_artefacts_spike_as_their_networks() {
    run_cases(
        "tinyodin",
        cases(),
        case("tinyodin.TinyOdin", odin_pop(), [3, 2, -2, -4], 30),
    );
}

#[test]
fn xylo_artefacts_spike_as_their_networks() {
    run_cases("xylo-audio2", cases() / 4, layers("xylo_audio2", 40));
    run_cases("xylo-audio3", cases() / 4, layers("xylo_audio3", 40));
}

#[test]
fn odin_artefacts_spike_as_their_networks() {
    run_cases(
        "odin",
        cases() / 4,
        case("odin.OdinLif", odin_pop(), [3, 2, -2, -4], 30),
    );
}

#[test]
fn loihi_artefacts_spike_as_their_networks() {
    let weights = [300, -7, 250, -1000];
    run_cases(
        "loihi",
        cases(),
        case("loihi.Loihi", loihi_pop(), weights, 40),
    );
    run_cases(
        "loihi:lava",
        cases() / 4,
        case("loihi.LavaLif", lava_pop(), weights, 40),
    );
}

#[test]
fn speck_artefacts_spike_as_their_networks() {
    run_cases("speck2f", cases() / 4, kernels(true, 20));
    run_with("speck2f", cases() / 4, kernels(false, 8), alike);
}
