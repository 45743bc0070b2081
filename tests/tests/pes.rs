//! A function learnt on the chip from its error: the host's loop through the library, its replay through the binary, and what is refused.

use std::fmt::Write as _;
use synfire_compiler::ideal::{self, IdealOptions};
use synfire_ir::artifact::Artifact;
use synfire_ir::program::Arithmetic;
use synfire_ir::{Class, rng};
use synfire_runtime::session::{Choice, Plan, Session};
use synfire_tests::binary::{root, run};
use synfire_tests::compare::{compile_for, load};

const PLACES: u32 = 12;
/// Steps that the position stays at a place.
const STAY: u32 = 20;
const SWEEP: u32 = PLACES * STAY;
const STEPS: u32 = 12 * SWEEP;
/// Steps from one change of the weights to the next.
const PERIOD: u32 = 4;
/// Spikes a step that stand for a value of 1.
const FULL: f64 = 0.25;
/// Steps over which the host filters spikes.
const TAU: f64 = 20.0;

fn text() -> String {
    std::fs::read_to_string(root().join("examples/pes.syn")).expect("an example")
}

fn on_chip() -> Plan {
    let net = load(&text()).unwrap_or_else(|e| panic!("{e}"));
    let made = compile_for(&net, "loihi:nengo").unwrap_or_else(|e| panic!("{e}"));
    let bytes = made.artifact.to_bytes().unwrap_or_else(|e| panic!("{e}"));
    let artifact = Artifact::from_bytes("pes.synx", &bytes).unwrap_or_else(|e| panic!("{e}"));
    let target = synfire_targets::find("loihi").unwrap_or_else(|e| panic!("{e}"));
    Plan::artifact(&artifact, target.chip.backend().expect("code"))
        .unwrap_or_else(|e| panic!("{e}"))
}

fn ideally() -> Plan {
    let net = load(&text()).unwrap_or_else(|e| panic!("{e}"));
    let options = IdealOptions {
        arithmetic: Arithmetic::F32,
        ..IdealOptions::default()
    };
    let made = ideal::lower(&net, &options).unwrap_or_else(|e| panic!("{e}"));
    let sources: Vec<bool> = net.populations().map(|p| p.1.is_source).collect();
    Plan::ideal(made.program, &sources, made.feeds, made.scales)
}

fn place(step: u32) -> u32 {
    step / STAY % PLACES
}

/// What the neurons are to answer at a place.
fn wanted(place: u32) -> [f64; 2] {
    let x = f64::from(place) / f64::from(PLACES - 1);
    [x, 1.0 - (2.0 * x - 1.0).abs()]
}

/// Inputs that spike in a step.
fn inputs(step: u32) -> impl Iterator<Item = u32> {
    (0..PLACES).filter(move |&k| {
        let share = match k.abs_diff(place(step)) {
            0 => 0.4,
            1 => 0.15,
            _ => 0.0,
        };
        f64::from(rng::word(3, rng::DRIVE, 0, 0, step, k)) < share * 2f64.powi(32)
    })
}

/// The host: filtered spikes as values.
#[derive(Default)]
struct Host([f64; 2]);

impl Host {
    fn heard(&mut self, spikes: impl Iterator<Item = u32>) {
        self.0 = self.0.map(|y| y * (-1.0 / TAU).exp());
        spikes.for_each(|n| self.0[n as usize] += 1.0 / TAU / FULL);
    }

    /// In hundredths, as the file of inputs has them.
    fn errors(&self, step: u32) -> [i32; 2] {
        let f = wanted(place(step));
        [0, 1].map(|k| ((self.0[k] - f[k]) * 100.0).round() as i32)
    }
}

/// The spike file of a closed loop, and the mean size of the error in each sweep.
fn closed(mut agent: Session) -> (String, Vec<f64>) {
    let mut host = Host::default();
    let mut file = String::from("step,population,neuron,value\n");
    let mut sweeps = vec![0.0; (STEPS / SWEEP) as usize];
    for step in 0..STEPS {
        if (step + 1) % PERIOD == 0 {
            for (k, e) in (0..).zip(host.errors(step)) {
                sweeps[(step / SWEEP) as usize] +=
                    f64::from(e.abs()) / 100.0 / f64::from(2 * SWEEP / PERIOD);
                let _ = writeln!(file, "{step},error,{k},{}", f64::from(e) / 100.0);
                agent
                    .inject("error", k, f64::from(e) / 100.0)
                    .expect("a source");
            }
        }
        for k in inputs(step) {
            let _ = writeln!(file, "{step},place,{k},1");
            agent.inject("place", k, 1.0).expect("a source");
        }
        agent.step(1).expect("a step");
        host.heard(agent.spikes().iter().map(|s| s.neuron));
    }
    (file, sweeps)
}

fn falls(sweeps: &[f64]) {
    let last = sweeps[sweeps.len() - 3..].iter().sum::<f64>() / 3.0;
    assert!(last < 0.6 * sweeps[0], "{sweeps:?}");
}

/// The error of the loop with the chip falls, on both engines alike, and the file beside the example is what the loop wrote.
#[test]
fn the_error_falls() {
    let (file, sweeps) = closed(on_chip().open(Choice::Cpu, 1, 1).expect("an engine"));
    falls(&sweeps);
    let path = root().join("examples/pes.csv");
    if std::env::var_os("WRITE_EXAMPLES").is_some() {
        std::fs::write(&path, &file).expect("written");
    }
    let kept = std::fs::read_to_string(&path).expect("an example");
    assert!(
        kept == file,
        "examples/pes.csv is not the loop's: write it again with WRITE_EXAMPLES=1"
    );
    let (ideal, of_network) = closed(ideally().open(Choice::Cpu, 1, 1).expect("an engine"));
    falls(&of_network);
    assert_ne!(ideal, file);
    println!("chip {sweeps:?}\nnetwork {of_network:?}");
}

/// Through the binary: the file drives the chip on both engines to the same states, and each error in it is what the host makes of the spikes that come out.
#[test]
fn the_loop_is_replayed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let example = |name: &str| {
        let path = root().join("examples").join(name);
        path.to_str().expect("a path").to_string()
    };
    let (net, errors) = (example("pes.syn"), example("pes.csv"));
    let go = |args: &[&str]| {
        let out = run(dir.path(), args);
        let said = String::from_utf8_lossy(&out.stderr).to_string();
        assert!(out.status.success(), "{args:?}: {said}");
        String::from_utf8_lossy(&out.stdout).to_string()
    };
    go(&["compile", &net, "--target", "loihi:nengo", "-o", "pes.synx"]);
    let steps = STEPS.to_string();
    let hashes = |engine: &str| {
        let spikes = format!("{engine}.csv");
        let out = go(&[
            "run",
            "pes.synx",
            "--input",
            &errors,
            "--steps",
            &steps,
            "--engine",
            engine,
            "--hash-every",
            "720",
            "--record",
            &spikes,
            "--save-weights",
            "chip.npz",
        ]);
        let lines = out.lines().filter(|l| l.starts_with("hash at"));
        lines.map(String::from).collect::<Vec<_>>()
    };
    let cpu = hashes("cpu");
    assert_eq!(cpu.len(), 4, "{cpu:?}");
    assert_eq!(cpu, hashes("gpu"));
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).expect("a file");
    let rows = |file: &str| -> Vec<(u32, String, u32, f64)> {
        let row = |l: &str| {
            let f: Vec<&str> = l.split(',').collect();
            let value = f.get(3).map_or(1.0, |v| v.parse().expect("a value"));
            (
                f[0].parse().expect("a step"),
                f[1].to_string(),
                f[2].parse().expect("a neuron"),
                value,
            )
        };
        file.lines().skip(1).map(row).collect()
    };
    let fired = rows(&read(dir.path().join("cpu.csv")));
    assert!(fired.len() > 500, "{} spikes", fired.len());
    let given = rows(&read(errors.into()));
    let mut host = Host::default();
    for step in 0..STEPS {
        if (step + 1) % PERIOD == 0 {
            let of = given.iter().filter(|r| r.0 == step && r.1 == "error");
            let told: Vec<i32> = of.map(|r| (r.3 * 100.0).round() as i32).collect();
            assert_eq!(told, host.errors(step), "step {step}");
        }
        host.heard(fired.iter().filter(|r| r.0 == step).map(|r| r.2));
    }
}

/// A rule in other words becomes the same registers; one with a range for its error takes that for the register's.
#[test]
fn a_rule_is_what_it_does() {
    let rule = |change: &str| {
        text().replace("use std.synapses.Pes", &format!(
            "synapse Pes(tau: time, rate: real, w_max: weight) {{\n  state w: weight\n  state x: real = 0\n  input error: real\n  x' = -x / tau\n  on pre {{ emit w; x += 1 }}\n  on every(4 ms) {{ {change} }}\n}}"
        ))
    };
    let made = |text: &str| {
        let net = load(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let made = compile_for(&net, "loihi:nengo").unwrap_or_else(|e| panic!("{e}\n{text}"));
        let native = made
            .artifact
            .native()
            .map(|s| s.bytes.clone())
            .collect::<Vec<_>>();
        (native, made.artifact.learning[0].values.clone())
    };
    let same = made(&rule(
        "w = min(w_max, max(-w_max, w - 2 * error * (0.5 * rate * w_max) * x))",
    ));
    assert_eq!(same, made(&text()));
    assert_eq!(
        (same.1.scale, same.1.low, same.1.high, same.1.held),
        (-100.0, -127, 127, true)
    );
    let cut = made(&rule(
        "w = clip(w - rate * w_max * clip(error, -2, 2) * x, -w_max, w_max)",
    ));
    assert_eq!(cut.1.scale, -63.5);
    let whole = text()
        .replace("signal[2]", "events[2]")
        .replace("rate = 0.02", "rate = 0.0002");
    assert_eq!(made(&whole).1.scale, -1.0);
    let up = made(&rule(
        "w = clip(w + rate * w_max * error * x, -w_max, w_max)",
    ));
    assert_eq!((up.0, up.1.scale), (same.0, 100.0));
}

/// Everything that stands in the way, with its reason.
#[test]
fn what_the_chip_cannot_follow() {
    let plain = text();
    let rule = |block: &str| {
        plain.replace("use std.synapses.Pes", &format!(
            "synapse Pes(tau: time, rate: real, w_max: weight) {{\n  state w: weight\n  state x: real = 0\n  input error: real\n  x' = -x / tau\n{block}}}"
        ))
    };
    let pre = "  on pre { emit w; x += 1 }\n";
    let every = |change: &str| rule(&format!("{pre}  on every(4 ms) {{ {change} }}\n"));
    let mut said = String::new();
    for (target, text) in [
        ("odin", plain.clone()),
        (
            "loihi:nengo",
            plain.replace("rate = 0.02", "rate = 0.02, period = 8 ms"),
        ),
        ("loihi:nengo", plain.replace("rate = 0.02", "rate = 50")),
        ("loihi:nengo", plain.replace("rate = 0.02", "rate = 1e-7")),
        (
            "loihi:nengo",
            plain.replace(
                "  modulate error -> plastic.error\n",
                "  modulate out -> plastic.error\n",
            ),
        ),
        (
            "loihi:nengo",
            plain.replace(
                "  modulate error -> plastic.error\n",
                "  modulate error -> plastic.error\n  modulate error -> plastic.error\n",
            ),
        ),
        (
            "loihi:nengo",
            every("w = clip(w - rate * w_max * error * x, 0 * w_max, w_max)"),
        ),
        ("loihi:nengo", every("w = w - rate * w_max * error * x")),
        (
            "loihi:nengo",
            every("w = clip(w - rate * w_max * error * x - rate * w, -w_max, w_max)"),
        ),
        (
            "loihi:nengo",
            every("w = clip(w - rate * w_max * error * error * x, -w_max, w_max)"),
        ),
        (
            "loihi:nengo",
            every("w = clip(w - rate * w_max * clip(error, 0, 1) * x, -w_max, w_max)"),
        ),
        (
            "loihi:nengo",
            rule(&format!(
                "{pre}  on error(e) {{ w = clip(w - rate * w_max * e * x, -w_max, w_max) }}\n"
            )),
        ),
        (
            "loihi:nengo",
            rule(
                "  on pre { emit w; x += 1; w = clip(w - rate * w_max * x, -w_max, w_max) }\n  on every(4 ms) { w = clip(w - rate * w_max * error * x, -w_max, w_max) }\n",
            ),
        ),
    ] {
        let net = load(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let e = compile_for(&net, target)
            .map(|m| m.report)
            .expect_err(&text);
        for d in e.0 {
            assert_eq!(
                (d.code.as_str(), d.class),
                ("SYN0644", Class::Fit),
                "{d}\n{text}"
            );
            let _ = writeln!(said, "{target}: {}", d.message);
            d.notes
                .iter()
                .for_each(|n| said.push_str(&format!("  - {n}\n")));
        }
    }
    insta::assert_snapshot!(said);
}
