//! Large drawn projections stay rules in the ideal program, float or fixed, and mean what their rows mean.

use synfire_compiler::frontend::{self, LoadOptions, NoFiles};
use synfire_compiler::ideal::{self, Ideal, IdealOptions};
use synfire_ir::program::{Arithmetic, Layout, Reference, SliceWeights, Store};

const NET: &str = "
use std.neurons.LifCurrExp
network Drawn(n: int = 1000) {
  step 0.1 ms
  pop a: LifCurrExp[n] { v ~ uniform(-65 mV, -50 mV), i_offset = 0.9 nA }
  pop b: LifCurrExp[300] { i_offset = 0.8 nA }
  connect wide: a -> b.exc : fixed_total(70000) {
    weight ~ normal_clipped(50 pA, 5 pA, 0 pA, 1 A), delay ~ normal_clipped(1.5 ms, 0.7 ms, 0.1 ms, 10 ms)
  }
  connect few: a -> b.exc : fixed_indegree(10) { weight = 50 pA, delay = 1 ms }
  connect plain: b -> a.inh : fixed_indegree(80) { weight = -20 pA, delay = 1 ms }
  connect tail: a -> a.exc : fixed_total(70000) { weight ~ lognormal(-30, 0.5), delay = 1 ms }
}
";

fn lower(text: &str, options: &IdealOptions) -> Ideal {
    let loaded = frontend::load("t.syn", text.as_bytes(), &NoFiles, &LoadOptions::default());
    let net = loaded.network.unwrap_or_else(|d| panic!("{d}"));
    ideal::lower(&net, options).unwrap_or_else(|d| panic!("{d}"))
}

fn net() -> String {
    // The logarithm of an ampere has no meaning, so that the weight of `tail` is a plain number only as text.
    NET.lines()
        .filter(|l| !l.contains("connect tail"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn store(made: &Ideal, name: &str) -> Option<Store> {
    let found = made.program.projections.iter().find(|p| p.name == name)?;
    match &found.layout {
        Layout::Generated(g) => Some(g.store),
        _ => None,
    }
}

#[test]
fn forms_follow_from_size_and_rule() {
    let text = net();
    let plain = lower(&text, &IdealOptions::default());
    assert_eq!(store(&plain, "wide"), Some(Store::F32));
    assert_eq!(store(&plain, "few"), None, "3,000 synapses are listed");
    assert_eq!(store(&plain, "plain"), Some(Store::F32), "80,000 synapses");
    let form = |name: &str| {
        plain
            .forms
            .iter()
            .find(|f| f.projection == name)
            .map(|f| f.form)
    };
    assert_eq!((form("wide"), form("few")), (Some("rule"), Some("rows")));
    let narrow = lower(
        &text,
        &IdealOptions {
            narrow: true,
            ..IdealOptions::default()
        },
    );
    assert_eq!(store(&narrow, "wide"), Some(Store::Scaled));
}

/// Fixed arithmetic keeps the rule, with weights of 16 bits at most, near the float run.
#[test]
fn fixed_arithmetic_keeps_rules() {
    let text = net();
    let options = IdealOptions {
        arithmetic: Arithmetic::Fixed,
        ..IdealOptions::default()
    };
    let (fixed, float) = (
        lower(&text, &options),
        lower(&text, &IdealOptions::default()),
    );
    assert!(matches!(store(&fixed, "wide"), Some(Store::Integer { .. })));
    let report = fixed.fixed.as_ref().expect("a report");
    assert!(
        report.max_weight_error < 1e-4,
        "{}",
        report.max_weight_error
    );
    for p in &fixed.program.projections {
        if let Layout::Generated(g) = &p.layout {
            let slice = g.slice(p.target_range);
            assert!(matches!(
                slice.weights,
                SliceWeights::Uniform(_) | SliceWeights::I16(_)
            ));
        }
    }
    let spikes = |made: &Ideal| {
        let p = made.program.expanded();
        let mut run = Reference::new(&p, 0);
        (0..300)
            .map(|_| run.step(&[]).iter().map(Vec::len).sum::<usize>())
            .sum::<usize>()
    };
    let (a, b) = (spikes(&fixed), spikes(&float));
    assert!(b > 300, "{b} spikes");
    assert!(
        a.abs_diff(b) * 50 < b,
        "{a} spikes in fixed arithmetic, {b} in floats"
    );
}

#[test]
fn what_does_not_fit_memory_is_refused_before_it_is_expanded() {
    let text = "
use std.neurons.Lif
network Wide {
  step 1 ms
  pop a: Lif[2000000]
  connect a -> a.i : all_to_all { weight ~ uniform(1, 2), delay = 1 ms }
}";
    let loaded = frontend::load("t.syn", text.as_bytes(), &NoFiles, &LoadOptions::default());
    let net = loaded.network.unwrap_or_else(|d| panic!("{d}"));
    let options = IdealOptions {
        memory: Some(8 << 30),
        ..IdealOptions::default()
    };
    let refused = ideal::lower(&net, &options).expect_err("four million million synapses");
    assert_eq!(refused.0[0].code, "SYN0426");
    assert!(!refused.0[0].hints.is_empty());
}
