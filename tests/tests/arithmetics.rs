//! The standard library in fixed arithmetic: every neuron, source and synapse runs near its float form and with equal bits on both
//! engines, or is refused with the reason.

use synfire_compiler::ideal::{self, IdealOptions};
use synfire_ir::program::Arithmetic;
use synfire_runtime::engine::gpu::adapters;
use synfire_runtime::session::{Choice, Plan, Session};
use synfire_runtime::spikes::NamedSpike;
use synfire_tests::binary::root;
use synfire_tests::compare::load;

fn plan(text: &str, arithmetic: Arithmetic) -> Result<Plan, String> {
    let net = load(text).unwrap_or_else(|d| panic!("{d}\n{text}"));
    let sources: Vec<bool> = net.populations().map(|p| p.1.is_source).collect();
    let options = IdealOptions {
        arithmetic,
        ..IdealOptions::default()
    };
    let made = ideal::lower(&net, &options).map_err(|d| d.to_string())?;
    Ok(Plan::ideal(made.program, &sources, made.feeds, made.scales))
}

/// What a run leaves: spikes of `a`, and the values of its states (and of the weights of `p`).
fn run(
    text: &str,
    (arithmetic, choice): (Arithmetic, Choice),
    states: &[&str],
    steps: u32,
) -> Result<(Vec<NamedSpike>, Vec<Vec<f64>>), String> {
    let plan = plan(text, arithmetic)?;
    let mut s: Session = plan
        .open(choice, 1, 1)
        .unwrap_or_else(|d| panic!("{d}\n{text}"));
    s.step(steps).unwrap_or_else(|d| panic!("{d}\n{text}"));
    let mut values = vec![];
    for name in states {
        let of = match name.strip_prefix("p.") {
            Some(name) => s.synapses("p", name),
            None => s.state("a", name),
        };
        values.push(of.unwrap_or_else(|d| panic!("{d}\n{text}")));
    }
    Ok((s.spikes(), values))
}

/// Names that a module of the library declares with `word`.
fn declared(module: &str, word: &str) -> Vec<String> {
    let path = root().join(format!("compiler/lang/src/std/{module}.syn"));
    let text = std::fs::read_to_string(path).expect("the library's text");
    let line = |l: &str| {
        let rest = l.strip_prefix(word)?.strip_prefix(' ')?;
        let end = rest.find(|c: char| !c.is_alphanumeric())?;
        Some(rest[..end].to_string())
    };
    text.lines().filter_map(line).collect()
}

/// How something of the library is driven, and what is to be seen of it.
struct Case {
    name: &'static str,
    fields: &'static str,
    /// Input and weight, or rule fields and modulation.
    drive: &'static str,
    states: &'static [&'static str],
    /// Words of the refusal, for what has no integer form.
    refused: Option<&'static str>,
}

const fn case(
    name: &'static str,
    fields: &'static str,
    drive: &'static str,
    states: &'static [&'static str],
) -> Case {
    Case {
        name,
        fields,
        drive,
        states,
        refused: None,
    }
}

const fn refused(name: &'static str, drive: &'static str, words: &'static str) -> Case {
    Case {
        refused: Some(words),
        ..case(name, "", drive, &["v"])
    }
}

const NEURONS: &[Case] = &[
    case("If", "", "i = 0.05", &["v"]),
    case("Lif", "", "i = 20", &["v"]),
    case("LifDelta", "", "kick = 1.5 mV", &["v"]),
    case("LifCurrExp", "", "exc = 0.25 nA", &["v", "i_exc"]),
    case("LifCurrAlpha", "", "exc = 1 nA", &["v", "i_exc", "x_exc"]),
    case("LifCondExp", "", "exc = 6 nS", &["v", "g_exc"]),
    case("LifCondAlpha", "", "exc = 40 nS", &["v", "g_exc"]),
    case("Alif", "", "i = 20", &["v", "a"]),
    case("CubaLif", "", "i = 20", &["v", "c"]),
    case("Li", "", "i = 1", &["v"]),
    case("CubaLi", "", "i = 1", &["v", "c"]),
    case("I", "", "i = 0.01", &["v"]),
    refused("AdEx", "exc = 8 nS", "coarse beside"),
    case("Izhikevich", "i_offset = 6", "i = 20", &["v", "u"]),
    case(
        "HodgkinHuxley",
        "i_offset = 1.6 nA",
        "exc = 10 nS",
        &["v", "m", "h", "n"],
    ),
    case("McCullochPitts", "", "i = 1", &[]),
    refused("LifEscape", "i = 12", "leave steps of"),
    case("Tanh", "", "i = 10", &["x", "r"]),
    case("Relu", "", "i = 10", &["x", "r"]),
    case("Sigmoid", "", "i = 10", &["x", "r"]),
    case("Rate", "", "i = 1", &["x", "xb"]),
];

const NIR: &[Case] = &[
    case("Lif", "tau = 20 ms", "x = 20", &["v"]),
    case(
        "CubaLif",
        "tau_syn = 5 ms, tau_mem = 20 ms",
        "x = 20",
        &["v", "i"],
    ),
    case("If", "", "x = 0.05", &["v"]),
    case("Li", "tau = 20 ms", "x = 1", &["v"]),
    case(
        "CubaLi",
        "tau_syn = 5 ms, tau_mem = 20 ms",
        "x = 1",
        &["v", "i"],
    ),
    case("I", "", "x = 0.01", &["v"]),
    case("Threshold", "threshold = 0.5", "x = 1", &[]),
    case("Relay", "", "x = 1", &["y"]),
];

const SOURCES: &[Case] = &[
    case("Poisson", "rate = 100 Hz", "", &[]),
    case("PoissonDense", "rate = 20 kHz", "", &[]),
    case("Regular", "period = 7 ms", "", &[]),
    case("Noise", "", "", &["x"]),
];

const RULES: &[Case] = &[
    case("Static", "", "", &["p.w"]),
    case("Stdp", "w_max = 0.5", "", &["p.w"]),
    case("NearestStdp", "w_max = 0.5", "", &["p.w"]),
    case("MultiplicativeStdp", "w_max = 0.5", "", &["p.w"]),
    case("GuetigStdp", "w_max = 0.5", "", &["p.w"]),
    case("TripletStdp", "w_max = 0.5", "", &["p.w"]),
    case("VogelsInhibitory", "w_max = 0.5", "", &["p.w"]),
    case(
        "RewardStdp",
        "w_max = 0.5",
        "modulate r -> p.reward",
        &["p.w"],
    ),
    case(
        "Eprop",
        "w_max = 0.5, rate = 0.05",
        "modulate r -> p.signal",
        &["p.w", "p.e"],
    ),
    case("TsodyksMarkram", "", "", &["p.w", "p.u", "p.r"]),
    case(
        "NormalisedStdp",
        "w_max = 0.5, target = 2, period = 40 ms",
        "",
        &["p.w"],
    ),
    case("Homeostasis", "w_max = 0.5, eta = 0.02", "", &["p.w"]),
    case(
        "SumOfProducts",
        "w_max = 0.5, pre_y = -0.01, post_x = 0.01",
        "",
        &["p.w"],
    ),
    case("Pes", "w_max = 0.5", "modulate r -> p.error", &["p.w"]),
];

fn neuron(module: &str, c: &Case) -> String {
    let drive = match c.drive.split_once(" = ") {
        Some((port, weight)) => format!(
            "  connect e -> a.{port} : fixed_probability(0.5) {{ weight = {weight}, delay = 1 ms }}\n"
        ),
        None => String::new(),
    };
    let record = if c.states.contains(&"r") || c.states.contains(&"y") || c.name == "Noise" {
        ""
    } else {
        "  record e.spikes\n"
    };
    format!(
        "use std.{module}.{name}\n{source}network T {{\n  step 0.1 ms\n  seed 3\n  pop e: Poisson[50] {{ rate = 40 Hz }}\n  pop a: {name}[20] {{ {} }}\n{drive}{record}}}\n",
        c.fields,
        name = c.name,
        source = if c.name == "Poisson" {
            ""
        } else {
            "use std.sources.Poisson\n"
        },
    )
}

fn rule(c: &Case) -> String {
    let fields = match c.fields {
        "" => String::new(),
        f => format!("({f})"),
    };
    format!(
        "use std.synapses.{name}\nuse std.sources.{{Poisson, Regular}}\nneuron Cell {{ state v: real = 0  input i: real  v' = -v / 20 ms  on i {{ v += i }}  spike when v > 1 {{ v = 0 }} }}\nnetwork T {{\n  step 1 ms\n  seed 3\n  pop x: Poisson[30] {{ rate = 30 Hz }}\n  pop r: Regular[4] {{ period = 30 ms }}\n  pop a: Cell[4]\n  connect p: x -> a.i : all_to_all {{ synapse = {name}{fields}, w ~ uniform(0.05, 0.15), delay = 2 ms }}\n  {}\n}}\n",
        c.drive,
        name = c.name
    )
}

/// Names of what parts of the library were driven; both are the whole of it.
fn complete(module: &str, word: &str, cases: &[Case], apart: &[&str]) {
    let mut names: Vec<String> = cases.iter().map(|c| c.name.to_string()).collect();
    names.extend(apart.iter().map(|n| n.to_string()));
    let mut all = declared(module, word);
    names.sort();
    all.sort();
    assert_eq!(names, all, "std.{module}");
}

/// Largest distance of two lists beside the largest magnitude of the first.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    let most = a.iter().fold(1e-12, |m: f64, x| m.max(x.abs()));
    let pairs = a.iter().zip(b);
    pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max) / most
}

/// Fixed arithmetic beside floats, over `long` steps in counts of spikes and over the first `short` in states; and both engines.
fn alike(text: &str, c: &Case, (short, long): (u32, u32), tolerance: f64, out: &mut Vec<String>) {
    let fixed = (Arithmetic::Fixed, Choice::Cpu);
    let float = (Arithmetic::F32, Choice::Cpu);
    let name = c.name;
    let done = match (run(text, fixed, c.states, long), c.refused) {
        (Ok(done), None) => done,
        (Err(d), Some(words)) if d.contains(words) => return,
        (Err(d), _) => return out.push(format!("{name}: refused: {d}")),
        (Ok(_), Some(_)) => return out.push(format!("{name} is not refused")),
    };
    let like = run(text, float, c.states, long).expect("floats");
    let (n, m) = (done.0.len(), like.0.len());
    if n.abs_diff(m) * 25 > m + 50 {
        out.push(format!("{name}: {n} spikes, {m} in floats"));
    }
    let cpu = run(text, fixed, c.states, short).expect("fixed");
    let near = run(text, float, c.states, short).expect("floats");
    for ((state, x), y) in c.states.iter().zip(&near.1).zip(&cpu.1) {
        let far = apart(x, y);
        if far > tolerance {
            out.push(format!(
                "{name}.{state}: {far} apart: {:?} and {:?}",
                &x[..4],
                &y[..4]
            ));
        }
    }
    let gpu = run(text, (Arithmetic::Fixed, Choice::Gpu), c.states, short).expect("fixed");
    if gpu != cpu {
        out.push(format!("{name}: the engines differ"));
    }
}

fn has_adapter() -> bool {
    let some = !adapters().is_empty();
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(some || !ci, "no GPU adapter: install mesa-vulkan-drivers");
    some
}

#[test]
fn neurons_run_in_fixed_arithmetic() {
    complete("neurons", "neuron", NEURONS, &[]);
    complete("nir", "neuron", NIR, &[]);
    complete("sources", "neuron", SOURCES, &[]);
    if !has_adapter() {
        return;
    }
    let mut out = vec![];
    for (module, cases) in [("neurons", NEURONS), ("nir", NIR), ("sources", SOURCES)] {
        for c in cases {
            alike(&neuron(module, c), c, (60, 3000), 2e-3, &mut out);
        }
    }
    assert!(out.is_empty(), "{}", out.join("\n"));
}

#[test]
fn rules_run_in_fixed_arithmetic() {
    // Both forms of SDSP are of whole numbers, whatever the arithmetic: `learning` and `rules` run it.
    complete("synapses", "synapse", RULES, &["BistableSdsp", "Sdsp"]);
    if !has_adapter() {
        return;
    }
    let mut out = vec![];
    for c in RULES {
        alike(&rule(c), c, (100, 600), 1e-3, &mut out);
    }
    assert!(out.is_empty(), "{}", out.join("\n"));
}
