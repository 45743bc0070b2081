//! Boards behind a vendor's Python package, with a stand-in for the package: what is set, what is sent, what comes back, what goes wrong.

use crate::place::Place;
use serde_json::{Value, json};
use std::process::Output;

/// The interpreter of the tests.
const PYTHON: &str = "python3";

fn network(chip: &str) -> String {
    format!(
        "use targets.{chip}.{{Xylo, XyloOut}}\nnetwork N {{\n  step 1 ms\n  source x: events[4]\n  pop h: Xylo[6] {{ thr = 40, dm = 3, d1 = 2 }}\n  pop o: XyloOut[3] {{ thr = 60, dm = 3, d1 = 2 }}\n  \
         connect x -> h.syn1 : all_to_all {{ weight = 30 }}\n  connect h -> h.syn1 : one_to_one {{ weight = -5, delay = 1 ms }}\n  connect h -> o.syn1 : all_to_all {{ weight = 20, delay = 1 ms }}\n  record o.spikes\n}}\n"
    )
}

fn deploy(p: &Place, more: &[&str]) -> Output {
    let bridge = format!("bridge:{PYTHON}");
    let fixed = [
        "deploy", "net.synx", "--board", &bridge, "--input", "in.csv", "--steps", "20",
    ];
    let standin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/standin");
    let mut c = p.command(&[&fixed, more].concat());
    c.env("PYTHONPATH", standin)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SAMNA_LOG", p.0.join("log.json"))
        .env("SAMNA_SAYS", p.0.join("says.json"));
    c.output().expect("the binary starts")
}

fn parsed(p: &Place, name: &str) -> Value {
    serde_json::from_str(&p.read(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// What the emulated chip gives out by step, in the chip's own steps.
fn outputs(p: &Place, late: u64) -> Value {
    let mut by_step = serde_json::Map::new();
    for line in p.read("emulated.csv").lines().skip(1) {
        let cells: Vec<u64> = line.split(',').filter_map(|c| c.parse().ok()).collect();
        let counts = by_step
            .entry((cells[0] + late).to_string())
            .or_insert(json!([0, 0, 0]));
        counts[cells[1] as usize] = json!(1);
    }
    Value::Object(by_step)
}

#[test]
fn the_package_gets_the_network_and_gives_back_its_spikes() {
    for (chip, kind) in [
        ("xylo-audio3", "XyloAudio3TestBoard"),
        ("xylo-audio2", "XyloA2TestBoard"),
    ] {
        let p = Place::new(&format!("bridge-{chip}"));
        p.write("net.syn", &network(&chip.replace('-', "_")));
        p.write(
            "in.csv",
            "step,population,neuron,value\n0,x,0,3\n0,x,1,1\n2,x,2,2\n5,x,3,4\n9,x,0,5\n",
        );
        p.expect(
            0,
            &["compile", "net.syn", "--target", chip, "-o", "net.synx"],
        );
        let run = [
            "run",
            "net.synx",
            "--input",
            "in.csv",
            "--steps",
            "20",
            "--record",
            "emulated.csv",
        ];
        let facts = p.json(&run);
        let late = facts["latency_steps"].as_u64().expect("a number");
        assert!(
            p.read("emulated.csv").lines().count() > 4,
            "{chip} is silent"
        );
        let says = json!({ "boards": ["SomethingElse", kind], "valid": true, "outputs": outputs(&p, late) });
        p.write("says.json", &says.to_string());
        let out = deploy(&p, &["--record", "board.csv", "--verify"]);
        assert_eq!(
            out.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        assert_eq!(p.read("board.csv"), p.read("emulated.csv"));

        p.expect(0, &["inspect", "net.synx", "--extract", "native"]);
        let net = parsed(&p, "native/network.xylo.json")["net"].clone();
        let log = parsed(&p, "log.json");
        configured(&log["config"], &net, chip == "xylo-audio3");
        sent(&log["events"], chip == "xylo-audio3");
    }
}

/// Does the object that samna validates say what the neutral specification says?
fn configured(config: &Value, net: &Value, newer: bool) {
    let middle = &config[if newer { "hidden" } else { "reservoir" }];
    let lists = [
        (&config["input"], "synapses_in", "weight_shift_in"),
        (middle, "synapses_rec", "weight_shift_rec"),
        (&config["readout"], "synapses_out", "weight_shift_out"),
    ];
    for (block, list, shift) in lists {
        assert_eq!(block["weight_bit_shift"], net[shift], "{list}");
        let mut nonzero = 0;
        for (row, synapses) in block["weights"]
            .as_array()
            .expect("rows")
            .iter()
            .zip(net[list].as_array().expect("lists"))
        {
            for s in synapses.as_array().expect("synapses") {
                let target = s[0].as_u64().expect("an id") as usize;
                assert_eq!(row[target], s[2], "{list}");
            }
            nonzero += row
                .as_array()
                .expect("a row")
                .iter()
                .filter(|w| **w != 0)
                .count();
        }
        let all: usize = net[list]
            .as_array()
            .expect("lists")
            .iter()
            .map(|l| l.as_array().map_or(0, Vec::len))
            .sum();
        assert_eq!(nonzero, all, "{list}");
    }
    for (block, name) in [(middle, "hidden"), (&config["readout"], "readout")] {
        for (i, n) in block["neurons"]
            .as_array()
            .expect("neurons")
            .iter()
            .enumerate()
        {
            assert_eq!(n["threshold"], net[name]["threshold"][i]);
            assert_eq!(n["v_mem_decay"], net[name]["dash_mem"][i]);
            assert_eq!(n["i_syn_decay"], net[name]["dash_syn"][i][0]);
            assert_eq!(n["v_mem_bias"], net[name]["bias"][i]);
        }
    }
    assert_eq!(config["operation_mode"], "AcceleratedTime");
    assert_eq!(config["bias_enable"], net["has_bias"]);
}

/// Are the events those of the input? Fifteen spikes in all, counted from the board's own clock.
fn sent(events: &Value, newer: bool) {
    let when = if newer { "timestep" } else { "timestamp" };
    let spikes: Vec<(u64, u64)> = events
        .as_array()
        .expect("events")
        .iter()
        .filter(|e| e[0] == "Spike")
        .map(|e| {
            (
                e[1][when].as_u64().expect("a step"),
                e[1]["neuron_id"].as_u64().expect("a channel"),
            )
        })
        .collect();
    let given = [(0, 0, 3), (0, 1, 1), (2, 2, 2), (5, 3, 4), (9, 0, 5)];
    for (step, channel, times) in given {
        let n = spikes.iter().filter(|s| **s == (7 + step, channel)).count();
        assert_eq!(n, times, "{spikes:?}");
    }
    // The older board's run ends with a further event.
    assert_eq!(spikes.len(), if newer { 15 } else { 16 });
}

#[test]
fn what_fails_in_the_package_is_told_and_nothing_is_written() {
    let p = Place::new("bridge-fails");
    p.write("net.syn", &network("xylo_audio3"));
    p.write("in.csv", "step,population,neuron\n0,x,0\n");
    p.expect(
        0,
        &[
            "compile",
            "net.syn",
            "--target",
            "xylo-audio3",
            "-o",
            "net.synx",
        ],
    );
    let cases = [
        (
            json!({ "boards": [], "valid": true, "outputs": {} }),
            "sees no XyloAudio3TestBoard",
        ),
        (
            json!({ "boards": ["XyloAudio3TestBoard"], "valid": false, "outputs": {} }),
            "too many of something",
        ),
        (json!({}), "KeyError"),
    ];
    for (says, text) in cases {
        p.write("says.json", &says.to_string());
        let out = deploy(&p, &["--record", "board.csv"]);
        let told = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(4), "{told}");
        let flat = told.replace("\n  │", "");
        assert!(
            flat.contains("SYN0864") && flat.contains(text) && flat.contains("help:"),
            "{told}"
        );
    }
    let failing = |board: &str| {
        let out = p.run(&[
            "deploy",
            "net.synx",
            "--board",
            board,
            "--input",
            "in.csv",
            "--record",
            "board.csv",
        ]);
        assert_eq!(out.status.code(), Some(4), "{board}");
        String::from_utf8_lossy(&out.stderr).into_owned()
    };
    assert!(failing("bridge:/there/is/no/python").contains("SYN0864"));
    // A Python without the package, and a program that is no Python.
    let without = failing(&format!("bridge:{PYTHON}"));
    assert!(without.contains("samna"), "{without}");
    assert!(failing("bridge:/bin/true").contains("SYN0864"));
    assert!(!p.names().contains(&"board.csv".to_string()));
}
