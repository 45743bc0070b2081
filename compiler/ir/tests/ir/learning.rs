//! What plastic projections mean, on networks small enough for sums by hand.

use synfire_ir::eval::{Powers, decayed};
use synfire_ir::model::{Ty, Width};
use synfire_ir::program::*;
use synfire_ir::synapse::{Place, Synapse};

/// Two inputs, two relays that repeat what reaches them from `drive`; pair STDP in eighths, traces halve each step.
const STDP: &str = r#"
program stdp: integer seed 1

model Relay {
  state v: i32
  port in: i32 sum
  port drive: i32 sum
  step {
    %0 = port.i32 in
    %1 = port.i32 drive
    store v, %0
    emit %1
  }
}

synapse Stdp {
  param top: i32
  state w: i16 synapse
  state x: i32 source decay 9223372036854775808 rest 0
  state y: i32 target decay 9223372036854775808 rest 0
  modulator reward: i32
  deliver {
    %0 = state.i32 w
    emit %0
  }
  pre {
    synapse {
      %0 = state.i32 w
      %1 = state.i32 y
      %2 = sub.i32 %0, %1
      store w, %2
    }
    source {
      %0 = state.i32 x
      %1 = const.i32 8
      %2 = add.i32 %0, %1
      store x, %2
    }
  }
  post {
    synapse {
      %0 = state.i32 w
      %1 = state.i32 x
      %2 = add.i32 %0, %1
      %3 = param.i32 top
      %4 = min.i32 %2, %3
      store w, %4
    }
    target {
      %0 = state.i32 y
      %1 = const.i32 8
      %2 = add.i32 %0, %1
      store y, %2
    }
  }
  on reward {
    synapse {
      %0 = state.i32 w
      %1 = arg.i32
      %2 = mul.i32 %0, %1
      store w, %2
    }
  }
}

group in: external[2] phase 0 base 0
group drive: external[2] phase 0 base 2
group reward: external[1] phase 0 base 4
group out: units Relay[2] phase 1 base 5 {
  init v = 0
}

projection learns: in[0..2] -> out[0..2].in events rows i16 {
  0: d0 [0: 100] d2 [1: 100]
  1: d0 [0: 50]
}
projection forced: drive[0..2] -> out[0..2].drive events one_to_one d0 uniform 1

plastic learns: Stdp base 0 {
  param top = 110
  init x = 0
  init y = 0
  modulate reward: reward[0..1] events all d0 weight 1
}

probe w: out[0..3] synapse of learns . w every 1
"#;

const IN: u32 = 0;
const DRIVE: u32 = 1;
const REWARD: u32 = 2;

fn program() -> Program {
    let p = parse("stdp", STDP.trim_start()).unwrap_or_else(|d| panic!("{d}"));
    assert_eq!(check(&p).to_string(), "");
    p
}

/// Weights and what arrived at each unit, after each step of the given events.
fn run(p: &Program, steps: &[&[(u32, u32, u32)]]) -> Vec<([u32; 3], Vec<u32>)> {
    let mut r = Reference::new(p, 0);
    let one = |events: &&[(u32, u32, u32)]| {
        r.step(events);
        let w = r.synapses(0, 0).expect("learns");
        ([w[0], w[1], w[2]], r.state[3][0].clone())
    };
    steps.iter().map(one).collect()
}

#[test]
fn the_text_is_the_program() {
    assert_eq!(print(&program()), STDP.trim_start());
}

#[test]
fn pre_before_post_strengthens_by_the_trace() {
    let seen = run(
        &program(),
        &[&[(IN, 0, 1)], &[], &[(DRIVE, 0, 1)], &[(DRIVE, 0, 1)]],
    );
    // The weight of before is delivered; x = 8 after step 0, 2 in step 2, 1 in step 3.
    assert_eq!(seen[0], ([100, 100, 50], vec![100, 0]));
    assert_eq!(seen[2].0, [102, 100, 50]);
    assert_eq!(seen[3].0, [103, 100, 50]);
}

#[test]
fn post_before_pre_weakens_and_one_step_does_both_in_that_order() {
    let both: &[_] = &[(IN, 0, 1), (DRIVE, 0, 1)];
    let seen = run(&program(), &[&[(DRIVE, 0, 1)], both, &[(IN, 0, 1)]]);
    assert_eq!(seen[0].0, [100, 100, 50]);
    // Step 1: y = 4 weakens, then the new x = 8 strengthens. What arrives is the weight of before.
    assert_eq!(seen[1], ([104, 100, 50], vec![100, 0]));
    // Step 2: y = (4 + 8) / 2, with the spike of step 1.
    assert_eq!(seen[2], ([98, 100, 50], vec![104, 0]));
}

#[test]
fn a_trace_is_seen_after_the_delay() {
    let drive: &[_] = &[(DRIVE, 1, 1)];
    let seen = run(&program(), &[&[(IN, 0, 1)], drive, drive, drive]);
    // The synapse of delay 2 hears the event in step 2: until then its trace is empty.
    assert_eq!(seen[1].0, [100, 100, 50]);
    // Arrival in step 2: y = 4 weakens (the spike of step 1), then x = 8 strengthens, up to the top in step 3.
    assert_eq!(seen[2], ([100, 104, 50], vec![0, 100]));
    assert_eq!(seen[3].0, [100, 108, 50]);
    assert_eq!(seen[3].1, [0, 0]);
}

#[test]
fn a_modulator_reaches_every_synapse_after_the_others() {
    let all: &[_] = &[(IN, 1, 1), (DRIVE, 0, 1), (REWARD, 0, 2), (REWARD, 0, 1)];
    let seen = run(&program(), &[all]);
    // Two events of one step add to 3; synapse 2 first gains its x = 8.
    assert_eq!(seen[0].0, [300, 300, 174]);
}

#[test]
fn weights_keep_their_width() {
    let reward: &[_] = &[(REWARD, 0, 1000)];
    let seen = run(&program(), &[reward]);
    let kept = 100_000u32 as u16 as i16 as i32 as u32;
    assert_eq!(seen[0].0[0], kept);
}

#[test]
fn powers_are_powers() {
    let tau: f64 = 200.0;
    let factor = ((-1.0 / tau).exp() * 2f64.powi(64)) as u64;
    let (ints, floats) = (Powers::new(factor, Ty::I32), Powers::new(factor, Ty::F32));
    for steps in [1, 2, 100, 255, 256, 257, 1000, 4000] {
        let want = (-(steps as f64) / tau).exp();
        let x = decayed(1 << 30, 0, &ints, steps) as f64 / 2f64.powi(30);
        assert!((x - want).abs() < 4e-9, "{steps}: {x} {want}");
        let y = f32::from_bits(decayed(1f32.to_bits(), 0, &floats, steps)) as f64;
        assert!((y / want - 1.0).abs() < 4e-7, "{steps}: {y} {want}");
    }
    assert_eq!(decayed(5, 3, &ints, 0), 5);
    // Falls to its rest from both sides, and stays.
    assert_eq!(decayed(1000, 7, &ints, u32::MAX), 7);
    assert_eq!(decayed(-1000i32 as u32, 7, &ints, u32::MAX), 7);
    assert_eq!(decayed(9, 9, &Powers::new(0, Ty::I32), 1), 9);
}

type Damage = fn(&mut Program);

/// (what is done, what is said of it).
const DAMAGES: [(Damage, &str); 25] = [
    (|p| p.plastic[0].projection = 9, "is not there"),
    (|p| p.plastic[0].synapse = 1, "is not there"),
    (|p| p.plastic[0].base = 1, "base is 1"),
    (
        |p| p.plastic[0].params.clear(),
        "0 parameters, the model has 1",
    ),
    (|p| drop(p.plastic[0].init.pop()), "1 columns for 3 states"),
    (
        |p| p.plastic[0].init[0] = Column::PerUnit([1, 2].into()),
        "`x` does not fit its 3 elements",
    ),
    (|p| p.plastic.push(p.plastic[0].clone()), "not in order"),
    (
        |p| p.plastic[0].projection = 1,
        "no state 0 of a plastic projection 0",
    ),
    (
        |p| p.plastic[0].modulators[0].port = 1,
        "or its source is not there",
    ),
    (
        |p| p.plastic[0].modulators[0].source = 9,
        "or its source is not there",
    ),
    (
        |p| p.plastic[0].modulators[0].range.len = 2,
        "its range does not fit",
    ),
    (
        |p| p.plastic[0].modulators[0].each = true,
        "its range does not fit",
    ),
    (
        |p| p.plastic[0].modulators[0].delay = u16::MAX,
        "a delay of 65535",
    ),
    (
        |p| p.plastic[0].modulators[0].carry = Carry::Output(0),
        "no such output",
    ),
    (
        |p| p.groups[2].graded = true,
        "float payloads for an integer modulator",
    ),
    (
        |p| p.projections[0].carry = Carry::Output(0),
        "carries no events",
    ),
    (|p| model(p).states[0].place = Place::Target, "not a weight"),
    (|p| model(p).states[1].width = Width::U32, "cannot decay"),
    (
        |p| model(p).states[1].place = Place::Target,
        "(State(1)) cannot give I32",
    ),
    (
        |p| model(p).states[2].place = Place::Synapse,
        "the store to state 2",
    ),
    (|p| model(p).deliver.emit = None, "is no F32 and no I32"),
    (
        |p| model(p).pre.synapse.emit = Some(0),
        "only `deliver` emits",
    ),
    (
        |p| model(p).pre.target = model(p).post.target.clone(),
        "a block for Target has no place here",
    ),
    (
        |p| model(p).modulators[0].ty = Ty::Bool,
        "cannot accumulate",
    ),
    (|p| p.probes[0].range.len = 4, "out of bounds"),
];

fn model(p: &mut Program) -> &mut Synapse {
    &mut p.synapse_models[0]
}

#[test]
fn damaged_synapses() {
    for (k, (damage, said)) in DAMAGES.iter().enumerate() {
        let mut p = program();
        damage(&mut p);
        let found = check(&p).to_string();
        assert!(
            found.contains(said),
            "case {k}: `{said}` is not in:\n{found}"
        );
    }
}
