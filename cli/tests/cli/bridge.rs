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

const IMAGES: &str = "use std.neurons.If
network N {
  step 1 ms
  source x: events[2, 6, 7]
  pop c: If[2, 6, 4] { v_th = 2, reset = subtract }
  pop o: If[3] { v_th = 3 }
  connect x -> c.i : conv2d(3, padding = 1, stride = [1, 2]) { weight = 1, delay = 0 ms }
  connect c -> o.i : sum_pool2d(2) | flatten | dense { weight = 1, delay = 0 ms }
  record c.spikes
  record o.spikes
}
";

#[test]
fn a_chip_without_steps_gets_layers_and_gives_back_events() {
    let p = Place::new("bridge-speck");
    p.write("net.syn", IMAGES);
    let input = "step,population,neuron\n0,x,0\n0,x,1\n0,x,7\n1,x,31\n2,x,12\n2,x,13\n2,x,29\n7,x,44\n7,x,45\n8,x,46\n";
    p.write("in.csv", input);
    let compile = [
        "compile", "net.syn", "--target", "speck2f", "-o", "net.synx",
    ];
    p.expect(0, &compile);
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
    p.expect(0, &run);
    p.expect(0, &["inspect", "net.synx", "--extract", "native"]);
    let net = parsed(&p, "native/network.speck.json");
    let cores = net["cnn_layers"].as_array().expect("cores");
    // What the board would say: the emulated events in its own terms, microseconds after the lead of 100 ms.
    let event = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |k: usize| cells[k].parse::<u64>().expect("a number");
        let (core, [rows, columns]) = match cells[1] {
            "c" => (&cores[0]["core"], [6, 4]),
            _ => (&cores[1]["core"], [1, 1]),
        };
        let (t, n) = (100_000 + 1000 * number(0) + 3, number(2));
        json!([
            t,
            core,
            n / (rows * columns),
            n % columns,
            n / columns % rows
        ])
    };
    let emulated = p.read("emulated.csv");
    let events: Vec<Value> = emulated.lines().skip(1).map(event).collect();
    assert!(events.len() > 4, "{emulated}");
    let says = json!({ "boards": ["Speck2fDevKit"], "valid": true, "events": events });
    p.write("says.json", &says.to_string());
    let out = deploy(&p, &["--record", "board.csv", "--verify"]);
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(0), "{told}");
    assert_eq!(p.read("board.csv"), emulated);

    let log = parsed(&p, "log.json");
    for core in cores {
        let set = &log["config"]["cnn_layers"][core["core"].as_u64().expect("a core") as usize];
        for same in [
            "weights",
            "threshold_high",
            "threshold_low",
            "return_to_zero",
            "monitor_enable",
        ] {
            assert_eq!(set[same], core[same], "{same}");
        }
        let d = &set["dimensions"];
        assert_eq!(d["input_shape"]["feature_count"], core["input_shape"][0]);
        assert_eq!(d["input_shape"]["size"]["x"], core["input_shape"][1]);
        assert_eq!(d["stride"]["x"], core["stride"][0]);
        assert_eq!(d["stride"]["y"], core["stride"][1]);
        assert_eq!(d["kernel_size"], core["kernel_size"][0]);
    }
    let first = cores[0]["core"].as_u64().expect("a core") as usize;
    let out = &log["config"]["cnn_layers"][first];
    assert_eq!(
        out["dimensions"]["output_shape"]["size"],
        json!({ "x": 4, "y": 6 })
    );
    assert_eq!(out["destinations"][0]["layer"], cores[1]["core"]);
    assert_eq!(out["destinations"][0]["pooling"], 2);
    assert_eq!(out["destinations"][1]["enable"], false);
    // Unit 44 of 2 x 6 x 7: row 0, column 2 of the second channel.
    let sent = log["events"].as_array().expect("events");
    let wanted =
        json!(["Spike", { "layer": first, "feature": 1, "x": 2, "y": 0, "timestamp": 107_000 }]);
    assert!(sent.contains(&wanted), "{sent:?}");
    assert_eq!(sent.iter().filter(|e| e[0] == "Spike").count(), 10);
}

const CURRENTS: &str = "use targets.loihi.Loihi
network N {
  step 1 ms
  source x: events[3]
  pop a: Loihi[2] { du = 4095, dv = 4095, vth = 4, bias = 3 }
  connect x -> a.syn : all_to_all { weight = 300, delay = 1 ms }
  connect a -> a.syn : one_to_one { weight = -300, delay = 2 ms }
}
";

#[test]
fn the_replay_script_sets_the_registers_of_the_image() {
    let p = Place::new("replay-loihi");
    p.write("net.syn", CURRENTS);
    p.write("in.csv", "step,population,neuron\n0,x,0\n2,x,2\n");
    let compile = ["compile", "net.syn", "--target", "loihi", "-o", "net.synx"];
    p.expect(0, &compile);
    let folder = format!("file://{}", p.0.join("flow").display());
    let deploy = [
        "deploy", "net.synx", "--board", &folder, "--input", "in.csv", "--steps", "6",
    ];
    p.expect(0, &deploy);
    // The delay of the input is the host's: the generator sends a step later.
    assert_eq!(p.read("flow/input.json"), "[[1, 0], [3, 2]]\n");
    let standin = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/standin");
    let run = std::process::Command::new(PYTHON)
        .args(["replay.py", "6"])
        .current_dir(p.0.join("flow"))
        .env("PYTHONPATH", standin)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("NXSDK_LOG", p.0.join("log.json"))
        .output()
        .expect("Python starts");
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{told}");
    let seen: Value = serde_json::from_slice(&run.stdout).expect("a list of spikes");
    assert_eq!(seen, json!([[1, 0], [1, 1], [3, 0], [3, 1]]));
    let (log, image) = (
        parsed(&p, "log.json"),
        parsed(&p, "flow/registers.loihi.json"),
    );
    let core = &image["board"]["cores"][0];
    assert_eq!(log["steps"], 6);
    for (k, cx) in core["cxCfg"]
        .as_array()
        .expect("compartments")
        .iter()
        .enumerate()
    {
        assert_eq!(log[format!("core0.cxCfg[{k}].configure")], json!([cx]));
    }
    assert_eq!(
        log["core0.vthProfileCfg[0].staticCfg.configure"][0]["vth"],
        4
    );
    assert_eq!(log["core0.cxProfileCfg[0].configure"][0]["decayU"], 4095);
    for (k, s) in core["synapses"]
        .as_array()
        .expect("synapses")
        .iter()
        .enumerate()
    {
        let set = &log[format!("core0.synapses[{k}].configure")][0];
        assert_eq!(
            [&set["CIdx"], &set["Wgt"], &set["synFmtId"], &set["Dly"]],
            [&s[0], &s[1], &s[2], &s[3]]
        );
    }
    let format = core["synapseFmt"].as_array().expect("formats").len() - 1;
    let set = &log[format!("core0.synapseFmt[{format}].wgtExp")];
    assert_eq!(*set, core["synapseFmt"][format]["wgtExp"]);
    // Destinations take the SDK's own numbers of chip and core.
    let axon = &log["core0.createDiscreteAxon"][0];
    assert_eq!(
        (&axon["dstChipId"], &axon["dstCoreId"]),
        (&json!(100), &json!(500))
    );
    let first = &log["generator.addSpike"][0];
    assert_eq!((&first["time"], &first["coreId"]), (&json!(1), &json!(500)));
    assert_eq!(log["probes"].as_array().map(Vec::len), Some(2));
}
