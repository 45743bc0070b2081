//! Chips whose cores form a torus, a hexagonal fabric or a board of chips: described in `chip.toml`, mapped, reported and drawn.

use crate::place::Place;
use serde_json::Value;
use std::path::Path;

const NET: &str = "use std.neurons.If
network Ring {
  step 1 ms
  source x: events[16]
  pop a: If[32] { v_th = 1, reset = subtract }
  pop b: If[32] { v_th = 1, reset = subtract }
  pop c: If[32] { v_th = 1, reset = subtract }
  connect x -> a.i : fixed_indegree(4) { weight = 1, delay = 1 ms }
  connect a -> b.i : fixed_indegree(4) { weight = 1, delay = 1 ms }
  connect b -> c.i : fixed_indegree(4) { weight = 1, delay = 1 ms }
  connect c -> a.i : fixed_indegree(4) { weight = 1, delay = 1 ms }
  record c.spikes
}
";

const COMPILE: [&str; 8] = [
    "compile",
    "ring.syn",
    "--target",
    "./toy",
    "-o",
    "ring.synx",
    "--format",
    "json",
];

/// The template as a chip of 8 x 4 cores with this after the kind of its mesh.
fn chip(p: &Place, topology: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../targets/_template");
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a template");
    let mut toml = text("chip.toml");
    for (old, new) in [
        ("x = { value = 2,", "x = { value = 8,"),
        ("y = { value = 2,", "y = { value = 4,"),
        ("cores = { value = 4,", "cores = { value = 32,"),
        (
            "kind = \"mesh\"\n",
            &format!("kind = \"mesh\"\n{topology}\n"),
        ),
    ] {
        assert!(toml.contains(old), "{old}");
        toml = toml.replacen(old, new, 1);
    }
    std::fs::create_dir_all(p.0.join("toy")).expect("a folder");
    p.write("toy/chip.toml", &toml);
    p.write("toy/model.syn", &text("model.syn"));
}

#[test]
fn a_board_of_chips_is_mapped_and_drawn() {
    let p = Place::new("fabric");
    p.write("ring.syn", NET);
    chip(
        &p,
        "torus = true\nhexagonal = true\ndead_cores = [[0, 0]]\nlevels = [{ name = \"chip\", x = 2, y = 2, shared = true }, { name = \"board\", x = 4, y = 4, hop = { value = 8, source = \"the test\" } }]",
    );
    let compile = |more: &[&str]| {
        let text = p.expect(0, &[&COMPILE[..], more].concat());
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let v = compile(&[]);
    let report = v.get("report").unwrap_or(&v);
    let fabric = &report["traffic"]["fabric"];
    assert_eq!(fabric["hexagonal"], true, "{fabric}");
    assert_eq!(fabric["blocks"][1][0], 4);
    p.expect(0, &["inspect", "ring.synx", "--svg", "ring.svg"]);
    let svg = p.read("ring.svg");
    assert!(
        svg.contains("class=\"border\""),
        "the borders of chips are drawn"
    );
    assert!(svg.contains("class=\"load\""), "the load of links is drawn");
    p.write("dead.csv", "1,1\n2,0,4,0   # a link\n");
    let v = compile(&["--dead", "dead.csv"]);
    let report = v.get("report").unwrap_or(&v);
    let cores = report["cores"].as_array().expect("cores");
    let at = |c: &Value| (c["x"].as_u64(), c["y"].as_u64());
    assert!(
        !cores
            .iter()
            .any(|c| [(Some(0), Some(0)), (Some(1), Some(1))].contains(&at(c)))
    );
    // Blocks of 2 x 2 cores, four to a row of the mesh.
    assert!(
        cores.len() > 4
            && cores.iter().all(|c| {
                let (x, y) = at(c);
                c["chip"].as_u64() == x.zip(y).map(|(x, y)| y / 2 * 4 + x / 2)
            })
    );
    p.write("dead.csv", "0,0,7,3\n0,0,4,0\n");
    let refused = p.expect(
        2,
        &[
            "compile", "ring.syn", "--target", "./toy", "-o", "no.synx", "--dead", "dead.csv",
            "--format", "json",
        ],
    );
    assert!(refused.contains("SYN0653"), "{refused}");
}

/// Dead cores are no cores: what needs them all is refused before anything is searched, with the number that is left.
#[test]
fn dead_cores_do_not_count() {
    let p = Place::new("fabric-dead");
    let full = NET.replace("[32]", "[64]");
    p.write("ring.syn", &full);
    chip(&p, "dead_cores = [[0, 0]]");
    let compile = |status: i32| {
        let text = p.expect(status, &[&COMPILE[..], &["--dead", "dead.csv"]].concat());
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    p.write("dead.csv", "7,3\n");
    let v = compile(0);
    let report = v.get("report").unwrap_or(&v);
    assert_eq!(report["cores_available"], 30, "{report}");
    // 192 neurons need 12 cores of 16.
    let dead: Vec<String> = (1..=20).map(|k| format!("{},{}\n", k % 8, k / 8)).collect();
    p.write("dead.csv", &dead.concat());
    let refused = compile(3).to_string();
    assert!(
        refused.contains("SYN0632") && refused.contains("has 11"),
        "{refused}"
    );
}

#[test]
fn blocks_that_do_not_fit_are_refused() {
    let p = Place::new("fabric-wrong");
    chip(
        &p,
        "dead_cores = [[8, 0]]\nlevels = [{ name = \"chip\", x = 3, y = 2 }]",
    );
    let out = p.run(&["targets", "./toy", "--format", "json"]);
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_ne!(out.status.code(), Some(0));
    assert_eq!(text.matches("SYN0604").count(), 2, "{text}");
}
