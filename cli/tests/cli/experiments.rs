//! Experiments through the binary: what is sent at given times, what is expected, exit statuses.

use crate::place::Place;
use serde_json::Value;

/// A neuron that says what it was given, and one that fires by itself.
const NET: &str = "\
neuron Echo { state v: real = 0  input i: real  on i { v = i } }
neuron Clock(period: real = 10) { state n: real = 0  input i: real  on i { n += 1 }  spike when n >= period { n = 0 } }

network N(period: real = 10) {
  step 1 ms
  source s: signal[3]
  pop echo: Echo[3]
  pop clock: Clock[5] { period = period }
  connect s -> echo.i : one_to_one
}

experiment right of N(period = 20) {
  run 1 s
  at 100 ms : s.value = 2
  at 900 ms : s[1].value = 5 for 200 ms
  expect mean_rate(clock) in 45 Hz .. 55 Hz
  expect spikes(clock[0 .. 2]) == 100 and cv_isi(clock) < 0.01
  expect argmax(echo.v) == 1
  expect max(echo.v) == 5 and mean(echo.v) == 3
}

experiment wrong of N() {
  run 1 s
  at 100 ms : s.value = 2 for 50 ms
  expect mean_rate(clock) < 50 Hz
  expect sum(echo.v) == 0
}
";

fn place(name: &str) -> Place {
    let p = Place::new(name);
    p.write("net.syn", NET);
    p
}

#[test]
fn an_experiment_that_holds() {
    let p = place("experiment-right");
    let v = p.json(&["run", "net.syn", "--experiment", "right"]);
    let all = v["expectations"].as_array().expect("a list");
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|e| e["held"] == true), "{all:?}");
    assert_eq!(all[0]["measured"][0], "mean_rate(clock) = 50 Hz");
    assert_eq!(v["steps"], 1000);
}

#[test]
fn one_that_does_not_says_what_was_measured() {
    let p = place("experiment-wrong");
    let out = p.run(&["run", "net.syn", "--experiment", "wrong"]);
    assert_eq!(out.status.code(), Some(1));
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(told.contains("SYN0119"), "{told}");
    assert!(told.contains("mean_rate(clock) < 50 Hz"), "{told}");
    assert!(
        told.contains("measured: mean_rate(clock) = 100 Hz"),
        "{told}"
    );
    assert_eq!(told.matches("does not hold").count(), 1, "{told}");
}

#[test]
fn all_experiments_of_a_file() {
    let p = place("experiment-all");
    let out = p.run(&["test", "net.syn", "--format", "json"]);
    assert_eq!(out.status.code(), Some(1));
    let v: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(v["failed"], 1);
    let held = |k: usize| {
        (
            v["experiments"][k]["experiment"].clone(),
            v["experiments"][k]["held"].clone(),
        )
    };
    assert_eq!(held(0), ("right".into(), true.into()));
    assert_eq!(held(1), ("wrong".into(), false.into()));
    p.write(
        "right.syn",
        NET.split("experiment wrong").next().unwrap_or(""),
    );
    let out = p.run(&["test", "right.syn"]);
    assert_eq!(out.status.code(), Some(0));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        said.contains("1 experiment, 4 expectations, 0 failed"),
        "{said}"
    );
}

#[test]
fn what_is_no_experiment() {
    let p = place("experiment-none");
    let fails = |args: &[&str], says: &str| {
        let out = p.run(args);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(1), "{told}");
        assert!(told.contains(says), "{told}");
    };
    fails(
        &["run", "net.syn", "--experiment", "wronk"],
        "did you mean `wrong`?",
    );
    p.write("none.syn", NET.split("experiment").next().unwrap_or(""));
    fails(&["test", "none.syn"], "declares no experiment");
    // What is expected is checked before anything runs.
    let with = |line: &str| NET.replace("expect sum(echo.v) == 0", line);
    for (line, says) in [
        ("expect mean_rate(clock) < 50 ms", "SYN0201"),
        ("expect mean_rate(clok) < 50 Hz", "did you mean `clock`?"),
        ("expect argmax(clock) == 1", "is a function of values"),
        ("expect mean_rate(echo.v) > 1 Hz", "is a function of spikes"),
        ("expect mean(echo.w) > 1", "SYN0116"),
        ("expect mean(echo.v)", "SYN0104"),
        ("at 10 ms : clock.period = 3", "SYN0103"),
        ("at -10 ms : s.value = 3", "SYN0204"),
    ] {
        p.write("bad.syn", &with(line));
        fails(&["run", "bad.syn", "--experiment", "wrong"], says);
    }
}
