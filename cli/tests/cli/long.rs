//! Long runs through the binary: checkpoints, Ctrl-C, kill -9, damaged files.

use crate::place::Place;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Noise-driven neurons that excite one another over several delays; spikes and a state are recorded.
const NET: &str = "\
use std.neurons

network Noisy {
  step 1 ms
  source stim: events[4]
  source noise: poisson[60] { rate = 60 Hz }
  pop e: neurons.LifDelta[60] { v_th = 2 mV, v_reset = 0 mV }
  connect noise -> e.kick : one_to_one { weight = 1 mV }
  connect e -> e.kick : fixed_probability(0.1) { weight = 0.4 mV, delay ~ uniform(1 ms, 90 ms) }
  connect stim -> e.kick : fixed_probability(0.5) { weight = 1 mV, delay = 70 ms }
  record e.spikes
  record e[0 .. 3].v every 50 ms
}
";

/// The same with synapses that learn: pairs of spikes, and a reward that turns their eligibility into weight.
fn learning() -> String {
    let rule = "fixed_probability(0.1) { weight = 0.4 mV, delay ~ uniform(1 ms, 90 ms) }";
    let pairs = "fixed_probability(0.1) { synapse = Stdp(w_max = 0.8 mV), w ~ uniform(0 mV, 0.8 mV), delay ~ uniform(1 ms, 90 ms) }";
    let rewarded = "  connect taught: stim -> e.kick : all_to_all { synapse = RewardStdp(w_max = 1 mV), w = 0.5 mV, delay = 3 ms }\n  modulate stim[0] -> taught.reward\n  record taught.w every 500 ms\n}";
    let text = NET.replace(
        "use std.neurons\n",
        "use std.neurons\nuse std.synapses.{Stdp, RewardStdp}\n",
    );
    let (head, _) = text.rsplit_once('}').expect("a network");
    format!("{}{rewarded}\n", head.replace(rule, pairs))
}

/// Steps of the longest runs.
const STEPS: u32 = 60_000;

/// A folder that holds the network and its input.
fn noisy(name: &str) -> Place {
    a_place(name, NET)
}

fn a_place(name: &str, net: &str) -> Place {
    let place = Place::new(name);
    let mut rows = String::from("step,population,neuron\n");
    for step in (0..STEPS).step_by(37) {
        rows += &format!("{step},stim,{}\n", step % 4);
    }
    place.write("net.syn", net);
    place.write("in.csv", &rows);
    place
}

/// Arguments of a run of the network.
fn a_run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let always = ["run", "net.syn", "--input", "in.csv", "--seed", "5"];
    [&always[..], more].concat()
}

fn start(p: &Place, more: &[&str]) -> Child {
    let mut c = p.command(&a_run(more));
    c.stdout(Stdio::null()).stderr(Stdio::null());
    c.spawn().expect("the binary starts")
}

/// Waits until a file has been written for the second time.
fn second_version(p: &Place, name: &str, child: &mut Child) {
    let path = p.0.join(name);
    let stamp = || fs::metadata(&path).and_then(|m| m.modified()).ok();
    let begin = Instant::now();
    let mut first = None;
    while first.is_none() || stamp() == first {
        first = first.or_else(stamp);
        assert!(begin.elapsed() < Duration::from_secs(60), "no checkpoint");
        assert!(
            child.try_wait().expect("a child").is_none(),
            "the run ended before it was stopped"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn has_adapter(p: &Place) -> bool {
    let list = p.json(&["devices"]);
    let some = list["adapters"].as_array().is_some_and(|a| !a.is_empty());
    let ci = std::env::var("CI").is_ok_and(|v| v == "true");
    assert!(some || !ci, "no GPU adapter: install mesa-vulkan-drivers");
    some
}

/// What must be equal whether a run was broken off or not: all but times, memory and where it was resumed.
fn facts(mut v: Value) -> Value {
    if let Some(map) = v.as_object_mut() {
        for key in [
            "build_s",
            "run_s",
            "real_time_factor",
            "peak_memory_bytes",
            "device",
            "resumed_at",
        ] {
            map.remove(key);
        }
    }
    v
}

/// Breaks a run off with `signal` after its second checkpoint, goes on, and compares with the run without a break.
fn broken_off(
    name: &str,
    signal: &str,
    engine: &[&'static str],
    then: &[&'static str],
    steps: &'static str,
) {
    breaks_off((name, NET), signal, engine, then, steps);
}

fn breaks_off(
    (name, net): (&str, &str),
    signal: &str,
    engine: &[&'static str],
    then: &[&'static str],
    steps: &'static str,
) {
    let p = a_place(name, net);
    if engine.contains(&"gpu") && !has_adapter(&p) {
        return;
    }
    let all = |by: &[&'static str], files: [&'static str; 2], more: &[&'static str]| {
        let record = [
            "--hash-every",
            "7000",
            "--record",
            files[0],
            "--record",
            files[1],
        ];
        [by, more, &["--steps", steps], &record].concat()
    };
    let whole = facts(p.json(&a_run(&all(engine, ["whole.csv", "whole.npz"], &[]))));
    let keep = ["--checkpoint", "run.synk", "--every", "900"];
    let broken = all(engine, ["part.csv", "part.npz"], &keep);
    let mut child = start(&p, &broken);
    second_version(&p, "run.synk", &mut child);
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
    let status = child.wait().expect("ends");
    if signal == "-INT" {
        assert_eq!(status.code(), Some(130));
        let part = p.bytes("part.csv");
        let whole = p.bytes("whole.csv");
        assert!(
            part.len() < whole.len() && part.ends_with(b"\n"),
            "a part, whole lines"
        );
        assert!(whole.starts_with(&part), "what was recorded until then");
    } else {
        assert!(status.code().is_none(), "{status:?}");
        assert!(!p.0.join("part.csv").exists());
    }
    let go_on = [
        "--resume",
        "run.synk",
        "--checkpoint",
        "run.synk",
        "--every",
        "20s",
    ];
    let again = p.json(&a_run(&all(then, ["again.csv", "again.npz"], &go_on)));
    let at = again["resumed_at"].as_u64().expect("it was resumed");
    assert!(at >= 900, "{at}");
    let mut again = facts(again);
    if engine != then {
        for key in ["engine", "adapter"] {
            again[key] = whole[key].clone();
        }
    }
    assert_eq!(again, whole);
    assert!(
        p.bytes("whole.csv").len() > 20_000,
        "too few spikes to compare"
    );
    assert_eq!(p.bytes("again.csv"), p.bytes("whole.csv"));
    assert_eq!(p.bytes("again.npz"), p.bytes("whole.npz"));
    // The last checkpoint stands at the end: nothing is left to run.
    let end = ["--resume", "run.synk"];
    let done = facts(p.json(&a_run(&all(then, ["end.csv", "end.npz"], &end))));
    assert_eq!(done["hashes"], whole["hashes"]);
    assert_eq!(p.bytes("end.npz"), p.bytes("whole.npz"));
}

#[test]
fn a_killed_run_goes_on_with_equal_bytes() {
    let cpu = |threads| ["--engine", "cpu", "--threads", threads];
    broken_off("kill", "-KILL", &cpu("1"), &cpu("1"), "60000");
    let fixed = |threads| [&cpu(threads)[..], &["--arithmetic", "fixed"]].concat();
    broken_off("kill-fixed", "-KILL", &fixed("2"), &fixed("3"), "8000");
}

#[test]
fn a_killed_run_that_learns_goes_on_with_equal_bytes() {
    let by = |threads, arithmetic| {
        [
            "--engine",
            "cpu",
            "--threads",
            threads,
            "--arithmetic",
            arithmetic,
        ]
    };
    let net = learning();
    let (name, f32) = ("kill-learning", "f32");
    breaks_off((name, &net), "-KILL", &by("1", f32), &by("2", f32), "20000");
    let (name, fixed) = ("kill-learning-fixed", "fixed");
    breaks_off(
        (name, &net),
        "-KILL",
        &by("2", fixed),
        &by("1", fixed),
        "8000",
    );
}

#[test]
fn a_killed_run_on_a_gpu_goes_on_with_equal_bytes() {
    let gpu = ["--engine", "gpu"];
    broken_off("kill-gpu", "-KILL", &gpu, &gpu, "8000");
    let fixed = ["--engine", "gpu", "--arithmetic", "fixed"];
    let cpu = ["--engine", "cpu", "--arithmetic", "fixed"];
    broken_off("kill-both", "-KILL", &fixed, &cpu, "8000");
}

#[test]
fn an_interrupted_run_writes_what_there_is_and_goes_on() {
    let cpu = ["--engine", "cpu", "--threads", "1"];
    broken_off("interrupt", "-INT", &cpu, &cpu, "60000");
}

/// Runs that must fail with a code and an exit status.
fn refused(p: &Place, more: &[&str], status: i32, code: &str, says: &str) {
    let out = p.run(&a_run(more));
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(status), "{more:?}\n{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(code), "{more:?}\n{text}");
    assert!(flat.replace("│ ", "").contains(says), "{more:?}\n{text}");
}

fn edit(path: &Path, to: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a checkpoint");
    change(&mut bytes);
    fs::write(to, bytes).expect("writable");
}

#[test]
fn checkpoints_that_are_damaged_or_foreign_are_refused() {
    let p = noisy("damaged");
    let cpu = ["--engine", "cpu", "--steps", "3000"];
    p.json(&a_run(
        &[&cpu[..], &["--checkpoint", "run.synk", "--every", "1s"]].concat(),
    ));
    let (good, bad) = (p.0.join("run.synk"), p.0.join("bad.synk"));
    let from_bad = [&cpu[..], &["--resume", "bad.synk"]].concat();
    edit(&good, &bad, |b| b.truncate(b.len() / 2));
    refused(&p, &from_bad, 1, "SYN0841", "bytes are there");
    edit(&good, &bad, |b| b.truncate(7));
    refused(&p, &from_bad, 1, "SYN0841", "it has 7 bytes");
    edit(&good, &bad, |b| {
        let middle = b.len() / 2;
        b[middle] ^= 16;
    });
    refused(&p, &from_bad, 1, "SYN0841", "its checksum does not agree");
    edit(&good, &bad, |b| b[4] = 9);
    refused(&p, &from_bad, 1, "SYN0842", "format 9");
    fs::write(&bad, SPIKES).expect("writable");
    refused(&p, &from_bad, 1, "SYN0841", "does not begin");
    let good = [&cpu[..], &["--resume", "run.synk"]].concat();
    let with = |more: &[&'static str]| [&good[..], more].concat();
    refused(
        &p,
        &with(&["--arithmetic", "fixed"]),
        1,
        "SYN0843",
        "arithmetic: f32 then, fixed now",
    );
    let fewer = ["--engine", "cpu", "--steps", "100", "--resume", "run.synk"];
    refused(&p, &fewer, 2, "SYN0910", "behind the end");
    fs::write(p.0.join("in.csv"), SPIKES).expect("writable");
    refused(&p, &good, 1, "SYN0843", "the input is another");
    let net = NET.replace("weight = 0.4 mV", "weight = 0.3 mV");
    fs::write(p.0.join("net.syn"), net).expect("writable");
    refused(&p, &good, 1, "SYN0843", "its parameters");
    refused(
        &p,
        &[&cpu[..], &["--every", "5"]].concat(),
        2,
        "--checkpoint",
        "required",
    );
    refused(
        &p,
        &[&cpu[..], &["--memory-limit", "1kB"]].concat(),
        3,
        "SYN0846",
        "the limit is",
    );
}

const SPIKES: &str = "step,population,neuron\n0,stim,0\n";
