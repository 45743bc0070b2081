//! Plastic networks from text to a program, run by the reference: float and fixed arithmetic.

#![allow(clippy::unwrap_used)]

use synfire_compiler::frontend::{self, LoadOptions, NoFiles};
use synfire_compiler::ideal::{self, Ideal, IdealOptions};
use synfire_ir::program::{Arithmetic, Observable, Program, Reference, check};
use synfire_ir::rng;

fn lower(text: &str, arithmetic: Arithmetic) -> Result<Ideal, synfire_ir::Diagnostics> {
    let loaded = frontend::load(
        "net.syn",
        text.as_bytes(),
        &NoFiles,
        &LoadOptions::default(),
    );
    let net = loaded.network.unwrap_or_else(|d| panic!("{d}"));
    let options = IdealOptions {
        arithmetic,
        ..IdealOptions::default()
    };
    ideal::lower(&net, &options)
}

fn example(name: &str) -> String {
    let path = format!("{}/../examples/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Weights of the first plastic projection, as values.
fn weights(made: &Ideal, r: &Reference) -> Vec<f64> {
    let p = &made.program;
    let index = p.plastic[0].projection;
    let words = r.synapses(index, 0).unwrap();
    match p.arithmetic {
        Arithmetic::F32 => words.iter().map(|w| f32::from_bits(*w) as f64).collect(),
        _ => {
            let scale = made.scales.synapse(index, 0);
            words.iter().map(|w| *w as i32 as f64 * scale).collect()
        }
    }
}

fn chance(step: u32, k: u32) -> f64 {
    rng::word(11, rng::DRIVE, 0, 0, step, k) as f64 / 2f64.powi(32)
}

/// Ten inputs that fire by chance onto two neurons.
const SMALL: &str = "use std.synapses.RULE
neuron Cell { state v: real = 0  input i: real  v' = -v / 20 ms  on i { v += i }  spike when v > 1 { v = 0 } }
network N {
  step 1 ms
  source x: events[10]
  source r: events[1]
  pop a: Cell[2]
  connect p: x -> a.i : all_to_all { synapse = RULE(w_max = 0.5), w ~ uniform(0.2, 0.4), delay = 2 ms }
  MODULATE
  record p.w every 100 ms
}";

fn run(made: &Ideal, steps: u32) -> Vec<f64> {
    let p = &made.program;
    let r = p.group("r").unwrap();
    let mut reference = Reference::new(p, 0);
    for step in 0..steps {
        let mut input: Vec<(u32, u32, u32)> = (0..10)
            .filter(|k| chance(step, *k) < 0.05)
            .map(|k| (0, k, 1))
            .collect();
        if step % 50 == 49 {
            input.push((r, 0, 1));
        }
        reference.step(&input);
    }
    weights(made, &reference)
}

fn small(rule: &str, modulate: &str) -> String {
    SMALL.replace("RULE", rule).replace("MODULATE", modulate)
}

#[test]
fn fixed_arithmetic_follows_float() {
    let rules = [
        ("Stdp", ""),
        ("NearestStdp", ""),
        ("MultiplicativeStdp", ""),
        ("TripletStdp", ""),
        ("VogelsInhibitory", ""),
        ("RewardStdp", "modulate r -> p.reward"),
        ("GuetigStdp", ""),
    ];
    for (rule, modulate) in rules {
        let text = small(rule, modulate);
        let float = lower(&text, Arithmetic::F32).unwrap();
        let fixed = lower(&text, Arithmetic::Fixed).unwrap_or_else(|d| panic!("{rule}: {d}"));
        assert_eq!(check(&fixed.program).to_string(), "", "{rule}");
        assert_eq!(fixed.program.arithmetic, Arithmetic::Fixed);
        let probe =
            (fixed.program.probes.iter()).find(|p| matches!(p.what, Observable::Synapse { .. }));
        assert!(fixed.scales.probe(probe.unwrap()) < 1.0);
        let start = weights(&float, &Reference::new(&float.program, 0));
        // One spike that falls to the other side of a threshold makes the two part: compare before that.
        let (a, b) = (run(&float, 300), run(&fixed, 300));
        let moved = a
            .iter()
            .zip(&start)
            .map(|(x, y)| (x - y).abs())
            .fold(0.0, f64::max);
        let apart = a
            .iter()
            .zip(&b)
            .map(|(x, y)| (x - y).abs())
            .fold(0.0, f64::max);
        assert!(moved > 1e-3, "{rule}: weights move by {moved}");
        assert!(
            apart < 0.01 * moved + 1e-6,
            "{rule}: {apart} apart, moved {moved}"
        );
    }
}

#[test]
fn what_has_no_integer_form_is_refused() {
    let text = small("RewardStdp", "modulate s -> p.reward").replace(
        "source r: events[1]",
        "source r: events[1]\n source s: signal[1]",
    );
    let d = lower(&text, Arithmetic::Fixed).err().unwrap().to_string();
    assert!(
        d.contains("SYN0432") && d.contains("fractional values"),
        "{d}"
    );
}

#[test]
fn multapses_are_synapses_of_their_own() {
    let text = small("Stdp", "").replace("all_to_all", "fixed_indegree(30)");
    let p = lower(&text, Arithmetic::F32).unwrap().program;
    assert_eq!(p.projections[0].synapses(), 60);
}

#[test]
fn competing_synapses_split_into_strong_and_weak() {
    let made = lower(&example("stdp_bimodal.syn"), Arithmetic::F32).unwrap();
    let mut r = Reference::new(&made.program, 0);
    let out = made.program.group("out").unwrap() as usize;
    let mut spikes = 0;
    for _ in 0..100_000 {
        spikes += r.step(&[])[out].len();
    }
    let w = weights(&made, &r);
    let top = 0.05;
    let low = w.iter().filter(|x| **x < 0.2 * top).count();
    let high = w.iter().filter(|x| **x > 0.8 * top).count();
    let rate = spikes as f64 / 100.0;
    println!("{low} {high} of {}, {rate} Hz", w.len());
    assert!(w.iter().all(|x| (0.0..=top * 1.000001).contains(x)));
    // Two fifths of the range would hold two fifths of evenly spread weights.
    assert!(
        (low + high) as f64 > 0.6 * w.len() as f64 && low > 30 && high > 50,
        "{low} weak, {high} strong"
    );
    assert!((10.0..40.0).contains(&rate), "{rate} Hz");
}

/// Plays the bandit of `examples/bandit.syn`: arm `better` pays 80 % of the time, the other 20 %.
fn play(p: &Program, trials: u32, better: usize) -> Vec<usize> {
    let (stim, reward) = (p.group("stim").unwrap(), p.group("reward").unwrap());
    let choice = p.group("actor.choice").unwrap() as usize;
    let mut r = Reference::new(p, 0);
    let (mut expected, mut arms) = (0.5, vec![]);
    for n in 0..trials {
        let mut fired = [0; 2];
        for step in 0..50 {
            let here = |k: &u32| chance(1000 * n + step, *k) < 0.2;
            let input: Vec<(u32, u32, u32)> = (0..20).filter(here).map(|k| (stim, k, 1)).collect();
            r.step(&input)[choice]
                .iter()
                .for_each(|e| fired[e.0 as usize] += 1);
        }
        let tie = usize::from(chance(1000 * n + 60, 0) < 0.5);
        let arm = match fired[0].cmp(&fired[1]) {
            std::cmp::Ordering::Greater => 0,
            std::cmp::Ordering::Less => 1,
            std::cmp::Ordering::Equal => tie,
        };
        let pays = if arm == better { 0.8 } else { 0.2 };
        let got = f64::from(u8::from(chance(1000 * n + 61, 0) < pays));
        let surprise = (got - expected) as f32;
        expected += 0.05 * (got - expected);
        r.step(&[(reward, 0, surprise.to_bits())]);
        (0..99).for_each(|_| drop(r.step(&[])));
        arms.push(arm);
    }
    arms
}

#[test]
fn the_bandit_finds_the_better_arm() {
    let made = lower(&example("bandit.syn"), Arithmetic::F32).unwrap();
    for better in [0, 1] {
        let arms = play(&made.program, 300, better);
        let good = |part: &[usize]| {
            let n = part.iter().filter(|a| **a == better).count();
            n as f64 / part.len() as f64
        };
        let (first, last) = (good(&arms[..50]), good(&arms[200..]));
        println!("arm {better}: {first} {last}");
        assert!(last > 0.8, "arm {better}: {first} at first, {last} at last");
    }
}
