//! Every rule of `std.synapses` on the CPU engine, against what its paper says in plain numbers.
//!
//! Three sources and two neurons whose spikes are given, so that a rule is all that happens. Beside the engine runs a second account of
//! the same rule: double precision, traces that fall a little in every step, no step code, no compiler.

use synfire_compiler::frontend;
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_ir::program::Arithmetic;
use synfire_ir::rng;
use synfire_runtime::session::{Choice, Plan, Session};

const SOURCES: usize = 3;
const NEURONS: usize = 2;
/// Steps that an arrival takes; a step is a millisecond.
const DELAY: usize = 2;
const STEPS: usize = 600;
const W_MAX: f64 = 0.5;

/// `fire` makes a neuron spike in its step, `j` is what the synapses feed; `v` forgets it slowly, `got` keeps the last.
const NET: &str = "use std.synapses.RULE
neuron Cell {
  state v: real = 0
  state u: real = 0
  state got: real = 0
  input fire: real
  input j: real
  v' = -v / 20 ms
  on j { v += j; got = j }
  on fire { u = fire }
  spike when u > 0.5 { u = 0 }
}
network N {
  step 1 ms
  source x: events[3]
  source z: events[2]
  source r: signal[2]
  pop a: Cell[2]
  connect z -> a.fire : one_to_one
  connect p: x -> a.j : all_to_all { synapse = CALL, w ~ uniform(0.2, 0.4), delay = 2 ms }
  MODULATE
  record a.got
  record p.w every 600 ms
}";

/// Spikes by chance, the same in every run: what `k` of kind `site` does in a step.
fn chance(site: u32, step: usize, k: usize) -> f64 {
    rng::word(3, rng::DRIVE, site, 0, step as u32, k as u32) as f64 / 2f64.powi(32)
}

fn source_fires(step: usize, i: usize) -> bool {
    chance(0, step, i) < 0.06
}

fn neuron_fires(step: usize, j: usize) -> bool {
    chance(1, step, j) < 0.05
}

/// What a modulator brings to a neuron, if anything.
fn reward(step: usize, j: usize) -> Option<f64> {
    (step % 40 == 39).then(|| [0.75, -0.5][(step / 40 + j) % 2])
}

/// The second account: states of sources, neurons and synapses, by the names that the papers give them.
struct Account {
    rule: &'static str,
    w: [[f64; NEURONS]; SOURCES],
    /// Presynaptic traces, of two time constants.
    x: [[f64; 2]; SOURCES],
    /// Postsynaptic traces, of two time constants.
    y: [[f64; 2]; NEURONS],
    /// Eligibility.
    e: [[f64; NEURONS]; SOURCES],
    /// The membrane, for rules that look at it.
    v: [f64; NEURONS],
    /// Use and resources of a source.
    u: [f64; SOURCES],
    r: [f64; SOURCES],
}

/// A state's fall over a millisecond.
fn fall(x: &mut f64, tau_ms: f64) {
    *x *= (-1.0 / tau_ms).exp();
}

impl Account {
    fn new(rule: &'static str, w: &[f64]) -> Self {
        let mut a = Account {
            rule,
            w: [[0.0; NEURONS]; SOURCES],
            x: [[0.0; 2]; SOURCES],
            y: [[0.0; 2]; NEURONS],
            e: [[0.0; NEURONS]; SOURCES],
            v: [0.0; NEURONS],
            u: [0.0; SOURCES],
            r: [1.0; SOURCES],
        };
        (0..SOURCES * NEURONS).for_each(|k| a.w[k / NEURONS][k % NEURONS] = w[k]);
        a
    }

    /// Time constants of the traces: before, after (two each), eligibility.
    fn constants(&self) -> ([f64; 2], [f64; 2], f64) {
        match self.rule {
            "TripletStdp" => ([16.8, 101.0], [33.7, 125.0], 1.0),
            "RewardStdp" => ([20.0; 2], [20.0; 2], 1000.0),
            "Pes" => ([5.0; 2], [20.0; 2], 20.0),
            _ => ([20.0; 2], [20.0; 2], 20.0),
        }
    }

    /// A millisecond passes.
    fn pass(&mut self) {
        let (before, after, eligible) = self.constants();
        for k in 0..2 {
            self.x.iter_mut().for_each(|x| fall(&mut x[k], before[k]));
            self.y.iter_mut().for_each(|y| fall(&mut y[k], after[k]));
        }
        self.e.iter_mut().flatten().for_each(|e| fall(e, eligible));
        self.u.iter_mut().for_each(|u| fall(u, 10.0));
        self.r
            .iter_mut()
            .for_each(|r| *r = 1.0 - (1.0 - *r) * (-1.0f64 / 800.0).exp());
    }

    /// The lower end of weights where arrivals and spikes clip them.
    fn least(&self) -> f64 {
        if self.rule == "Pes" { -W_MAX } else { 0.0 }
    }

    /// What an arrival from `i` brings to `j`.
    fn deliver(&self, i: usize, j: usize) -> f64 {
        let w = self.w[i][j];
        match self.rule {
            "VogelsInhibitory" => -w,
            "TsodyksMarkram" => w * (self.u[i] + 0.5 * (1.0 - self.u[i])) * self.r[i],
            _ => w,
        }
    }

    /// An arrival from `i`.
    fn arrive(&mut self, i: usize) {
        let x2 = self.x[i][1];
        for j in 0..NEURONS {
            let (w, y) = (self.w[i][j], self.y[j][0]);
            let less = match self.rule {
                "Stdp" | "NearestStdp" | "NormalisedStdp" => 0.00525 * W_MAX * y,
                "MultiplicativeStdp" => 0.00525 * w * y,
                "GuetigStdp" => 0.005 * 1.05 * W_MAX * (w / W_MAX).powf(0.02) * y,
                "TripletStdp" => W_MAX * y * (0.007 + 0.00023 * x2),
                "VogelsInhibitory" => 0.01 * W_MAX * (2.0 * 5.0 * 0.020 - y),
                "SumOfProducts" => W_MAX * (0.01 + 0.02 * y),
                _ => 0.0,
            };
            self.w[i][j] = (w - less).clamp(self.least(), W_MAX);
            if self.rule == "RewardStdp" {
                self.e[i][j] -= 1.05 * y;
            }
        }
        let nearest = self.rule == "NearestStdp";
        self.x[i] = self.x[i].map(|x| if nearest { 1.0 } else { x + 1.0 });
        self.u[i] += 0.5 * (1.0 - self.u[i]);
        self.r[i] -= self.u[i] * self.r[i];
    }

    /// A spike of `j`.
    fn fire(&mut self, j: usize) {
        for i in 0..SOURCES {
            let (w, x, y2) = (self.w[i][j], self.x[i][0], self.y[j][1]);
            let more = match self.rule {
                "Stdp" | "NearestStdp" | "NormalisedStdp" => 0.005 * W_MAX * x,
                "MultiplicativeStdp" => 0.005 * (W_MAX - w) * x,
                "GuetigStdp" => 0.005 * W_MAX * (1.0 - w / W_MAX).powf(0.02) * x,
                "TripletStdp" => W_MAX * x * (5e-10 + 0.0062 * y2),
                "VogelsInhibitory" => 0.01 * W_MAX * x,
                "Homeostasis" => -0.001 * w,
                "SumOfProducts" => W_MAX * (0.005 + 0.02 * x),
                _ => 0.0,
            };
            self.w[i][j] = (w + more).clamp(self.least(), W_MAX);
            if self.rule == "RewardStdp" {
                self.e[i][j] += x;
            }
        }
        let nearest = self.rule == "NearestStdp";
        self.y[j] = self.y[j].map(|y| if nearest { 1.0 } else { y + 1.0 });
    }

    /// A reward or learning signal of `j`.
    fn hear(&mut self, j: usize, value: f64) {
        for i in 0..SOURCES {
            let (w, e) = (self.w[i][j], self.e[i][j]);
            self.w[i][j] = match self.rule {
                "RewardStdp" => (w + 0.01 * W_MAX * value * e).clamp(0.0, W_MAX),
                "Eprop" => (w - 0.001 * W_MAX * value * e).clamp(-W_MAX, W_MAX),
                _ => w,
            };
        }
    }

    /// The end of a step.
    fn end(&mut self, step: usize) {
        for j in 0..NEURONS {
            let sum: f64 = (0..SOURCES).map(|i| self.w[i][j]).sum();
            for i in 0..SOURCES {
                match self.rule {
                    "Eprop" => {
                        let near = (1.0 - (self.v[j] - 1.0).abs()).max(0.0);
                        self.e[i][j] += (1.0 - (-1.0f64 / 20.0).exp()) * 0.3 * near * self.x[i][0];
                    }
                    "NormalisedStdp" if (step + 1).is_multiple_of(100) => {
                        self.w[i][j] = (self.w[i][j] * 0.8 / sum).min(W_MAX);
                    }
                    "SumOfProducts" if (step + 1).is_multiple_of(16) => {
                        let w = self.w[i][j];
                        self.w[i][j] = (w + W_MAX * 0.001 - 0.05 * w).clamp(0.0, W_MAX);
                    }
                    "Pes" if (step + 1).is_multiple_of(4) => {
                        let error = reward(step, j).unwrap_or(0.0);
                        let less = 0.05 * W_MAX * error * self.x[i][0];
                        self.w[i][j] = (self.w[i][j] - less).clamp(-W_MAX, W_MAX);
                    }
                    "Homeostasis" if (step + 1).is_multiple_of(100) => {
                        let more = 0.001 * 10.0 * 0.1 * self.w[i][j];
                        self.w[i][j] = (self.w[i][j] + more).min(W_MAX);
                    }
                    _ => {}
                }
            }
        }
    }

    /// One step; returns what each neuron got.
    fn step(&mut self, step: usize) -> [f64; NEURONS] {
        if step > 0 {
            self.pass();
        }
        let then = step.checked_sub(DELAY);
        let arrives = |i: &usize| then.is_some_and(|t| source_fires(t, *i));
        let here: Vec<usize> = (0..SOURCES).filter(arrives).collect();
        let mut got = [0.0; NEURONS];
        for (j, got) in got.iter_mut().enumerate() {
            *got = here.iter().map(|&i| self.deliver(i, j)).sum();
            self.v[j] = (self.v[j] + *got) * (-1.0f64 / 20.0).exp();
        }
        here.iter().for_each(|&i| self.arrive(i));
        (0..NEURONS)
            .filter(|&j| neuron_fires(step, j))
            .for_each(|j| self.fire(j));
        for j in 0..NEURONS {
            if let Some(value) = reward(step, j) {
                self.hear(j, value);
            }
        }
        self.end(step);
        got
    }
}

/// Rules, how they are called, and what modulates them.
const RULES: [(&str, &str, &str); 14] = [
    ("Static", "", ""),
    ("Stdp", "w_max = 0.5", ""),
    ("NearestStdp", "w_max = 0.5", ""),
    ("MultiplicativeStdp", "w_max = 0.5", ""),
    ("GuetigStdp", "w_max = 0.5", ""),
    ("TripletStdp", "w_max = 0.5", ""),
    ("VogelsInhibitory", "w_max = 0.5", ""),
    ("RewardStdp", "w_max = 0.5", "modulate r -> p.reward"),
    ("Eprop", "w_max = 0.5", "modulate r -> p.signal"),
    ("TsodyksMarkram", "", ""),
    (
        "NormalisedStdp",
        "w_max = 0.5, target = 0.8, period = 100 ms",
        "",
    ),
    ("Homeostasis", "w_max = 0.5", ""),
    (
        "SumOfProducts",
        "pre = -0.01, pre_y = -0.02, post = 0.005, post_x = 0.02, each = 0.001, each_w = -0.05, w_max = 0.5",
        "",
    ),
    ("Pes", "rate = 0.05, w_max = 0.5", "modulate r -> p.error"),
];

fn open(rule: &str, arguments: &str, modulate: &str, arithmetic: Arithmetic) -> Session {
    let call = match arguments {
        "" => rule.to_string(),
        a => format!("{rule}({a})"),
    };
    let text = NET
        .replace("CALL", &call)
        .replace("RULE", rule)
        .replace("MODULATE", modulate);
    session(rule, &text, arithmetic)
}

fn session(rule: &str, text: &str, arithmetic: Arithmetic) -> Session {
    let options = frontend::LoadOptions::default();
    let loaded = frontend::load("net.syn", text.as_bytes(), &frontend::NoFiles, &options);
    let net = loaded.network.unwrap_or_else(|d| panic!("{rule}: {d}"));
    let sources: Vec<bool> = net.populations().map(|p| p.1.is_source).collect();
    let options = IdealOptions {
        arithmetic,
        ..IdealOptions::default()
    };
    let made = ideal::lower(&net, &options).unwrap_or_else(|d| panic!("{rule}: {d}"));
    let plan = Plan::ideal(made.program, &sources, made.feeds, made.scales);
    plan.open(Choice::Cpu, 1, 1)
        .unwrap_or_else(|d| panic!("{d}"))
}

fn weights(s: &mut Session) -> Vec<f64> {
    let all = s.weights().expect("weights");
    all[0].values[0].clone()
}

/// Largest distances of weights and of deliveries from the second account, and how far weights moved.
fn follow(name: &'static str, s: &mut Session) -> (f64, f64, f64) {
    let start = weights(s);
    let mut account = Account::new(name, &start);
    let (mut apart, mut brought) = (0.0f64, 0.0f64);
    for step in 0..STEPS {
        let sources = (0..SOURCES).filter(|&i| source_fires(step, i));
        sources.for_each(|i| s.inject("x", i as u32, 1.0).expect("a source"));
        let fired = (0..NEURONS).filter(|&j| neuron_fires(step, j));
        fired.for_each(|j| s.inject("z", j as u32, 1.0).expect("a source"));
        for j in 0..NEURONS {
            if let Some(value) = reward(step, j) {
                s.inject("r", j as u32, value).expect("a signal");
            }
        }
        s.step(1).expect("a step");
        let got = account.step(step);
        for (a, b) in s.state("a", "got").expect("a state").iter().zip(got) {
            brought = brought.max((a - b).abs());
        }
        // Not in every step: what waits for its synapse between two looks is part of the test.
        let w = if step % 7 == 6 { weights(s) } else { vec![] };
        for (k, w) in w.iter().enumerate() {
            apart = apart.max((w - account.w[k / NEURONS][k % NEURONS]).abs());
        }
    }
    let end = weights(s);
    let moved = end.iter().zip(&start).map(|(a, b)| (a - b).abs());
    (apart, brought, moved.fold(0.0, f64::max))
}

#[test]
fn every_rule_does_what_its_paper_says() {
    for (name, arguments, modulate) in RULES {
        let mut s = open(name, arguments, modulate, Arithmetic::F32);
        let (apart, brought, moved) = follow(name, &mut s);
        println!("{name}: {apart:.2e} apart, {brought:.2e} in deliveries, moved {moved:.3}");
        let still = ["Static", "TsodyksMarkram"].contains(&name);
        assert!(still == (moved == 0.0), "{name} moves weights by {moved}");
        assert!(apart < 2e-5 && brought < 2e-5, "{name}: {apart} {brought}");
    }
}

/// A synapse in its own time: a spike of its source reaches it after the part of the delay that lies before it, one of its target
/// after the part behind it, and what it sends arrives after that part.
#[test]
fn a_synapse_before_a_dendritic_delay_works_ahead_of_what_it_delivers() {
    const BEHIND: usize = 2;
    const BEFORE: usize = 1;
    let text = NET
        .replace("CALL", "Stdp(w_max = 0.5)")
        .replace("RULE", "Stdp")
        .replace("MODULATE", "")
        .replace("delay = 2 ms", "delay = 3 ms, dendritic = 2 ms");
    let mut s = session("Stdp", &text, Arithmetic::F32);
    let start = weights(&mut s);
    let mut account = Account::new("Stdp", &start);
    for step in 0..STEPS {
        for i in (0..SOURCES).filter(|&i| source_fires(step, i)) {
            s.inject("x", i as u32, 1.0).expect("a source");
        }
        for j in (0..NEURONS).filter(|&j| neuron_fires(step, j)) {
            s.inject("z", j as u32, 1.0).expect("a source");
        }
        s.step(1).expect("a step");
        let Some(own) = step.checked_sub(BEHIND) else {
            continue;
        };
        if own > 0 {
            account.pass();
        }
        let arrives = |i: &usize| own >= BEFORE && source_fires(own - BEFORE, *i);
        let here: Vec<usize> = (0..SOURCES).filter(arrives).collect();
        for (j, got) in s.state("a", "got").expect("a state").iter().enumerate() {
            let sent: f64 = here.iter().map(|&i| account.deliver(i, j)).sum();
            assert!((got - sent).abs() < 2e-5, "step {step}: {got} for {sent}");
        }
        here.iter().for_each(|&i| account.arrive(i));
        let heard = |j: &usize| own >= BEHIND && neuron_fires(own - BEHIND, *j);
        (0..NEURONS).filter(heard).for_each(|j| account.fire(j));
        for (k, w) in weights(&mut s).iter().enumerate() {
            let expected = account.w[k / NEURONS][k % NEURONS];
            assert!(
                (w - expected).abs() < 2e-5,
                "step {step}: {w} for {expected}"
            );
        }
    }
    let end = weights(&mut s);
    let moved = end.iter().zip(&start).map(|(a, b)| (a - b).abs());
    assert!(moved.fold(0.0, f64::max) > 0.01);
}

/// The list above is the library's; `Sdsp` and `BistableSdsp` work on integers, and `rules.rs` holds them against an own account.
#[test]
fn no_rule_is_left_out() {
    let library = synfire_lang::library::module("std.synapses").expect("a module");
    let names: Vec<&str> = library.names().filter(|n| !n.ends_with("Sdsp")).collect();
    let known: Vec<&str> = RULES.iter().map(|r| r.0).collect();
    assert_eq!(names, known);
}
