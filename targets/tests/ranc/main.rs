//! RANC's configuration, native files and golden vectors, against a scalar model that knows only the description.

mod mapping;
mod networks;
mod program;
mod reference;
mod roundtrip;

use networks::golden_files;
use reference::Grid;
use synfire_targets::ranc::golden::Golden;
use synfire_targets::ranc::{
    Config, Dialect, Widths, decode, decode_packets, encode, encode_packets, merge_warnings,
};

#[test]
fn reference_matches_every_golden_vector() {
    let files = golden_files();
    assert!(files.len() >= 19, "only {} vectors found", files.len());
    for (name, text) in files {
        let golden = Golden::parse(&name, &text).unwrap_or_else(|d| panic!("{d}"));
        let mut grid = Grid::new(&golden.config);
        let seen = grid.run(&golden.packets, golden.ticks);
        assert!(
            golden.expect.outputs.len() >= golden.ticks - 1
                && !golden.expect.final_potentials.is_empty(),
            "{name} holds too little"
        );
        if let Some(d) = golden.compare(&seen) {
            panic!("{name}: {d}");
        }
        let counted = merge_warnings(&golden.config, &golden.packets, &seen.spikes);
        assert_eq!(
            counted, grid.warnings,
            "{name}: warnings counted from spikes and counted where they happen"
        );
    }
}

#[test]
fn native_files_match_every_golden_vector() {
    let mut lines = 0;
    for (name, text) in golden_files() {
        let golden = Golden::parse(&name, &text).unwrap_or_else(|d| panic!("{d}"));
        if let Some(d) = golden.native() {
            panic!("{name}: {d}");
        }
        lines += golden
            .expect
            .memory_lines
            .values()
            .map(Vec::len)
            .sum::<usize>();
        assert!(
            golden.expect.config_json.is_some() || !golden.expect.memory_lines.is_empty(),
            "{name} holds no native form"
        );
    }
    assert!(lines > 1000, "only {lines} memory lines compared");
}

#[test]
fn vectors_survive_their_native_files() {
    for (name, text) in golden_files() {
        let golden = Golden::parse(&name, &text).unwrap_or_else(|d| panic!("{d}"));
        let mut sections = encode(&golden.config).unwrap_or_else(|d| panic!("{name}: {d}"));
        let input = encode_packets(&golden.config, &golden.packets)
            .unwrap_or_else(|d| panic!("{name}: {d}"));
        sections.retain(|s| input.iter().all(|i| i.0 != s.0));
        sections.extend(input);
        let config =
            decode(golden.config.dialect, &sections).unwrap_or_else(|d| panic!("{name}: {d}"));
        assert_eq!(config, golden.config, "{name}");
        let packets = decode_packets(&config, &sections).unwrap_or_else(|d| panic!("{name}: {d}"));
        assert_eq!(packets, golden.packets, "{name}");
    }
}

/// Vectors of the Verilog say whether the simulator's arithmetic would have given the same.
#[test]
fn wrap_around_matters_exactly_where_the_vectors_say() {
    let mut wrapped = 0;
    for (name, text) in golden_files()
        .into_iter()
        .filter(|f| f.0.starts_with("rtl_"))
    {
        let golden = Golden::parse(&name, &text).unwrap_or_else(|d| panic!("{d}"));
        let same = serde_json::from_slice::<serde_json::Value>(&text).expect("parsed above")["same_as_unbounded_simulator"]
            == true;
        let wide = Config {
            dialect: Dialect::Sim,
            widths: Widths::SIM,
            ..golden.config.clone()
        };
        let seen = Grid::new(&wide).run(&golden.packets, golden.ticks);
        assert_eq!(golden.compare(&seen).is_none(), same, "{name}");
        wrapped += usize::from(!same);
    }
    assert!(wrapped > 0);
}

/// A changed expectation must be noticed, at its place.
#[test]
fn differences_are_found() {
    let (name, text) = golden_files()
        .into_iter()
        .find(|f| f.0 == "sim_r12_out_merge.json")
        .expect("shipped");
    let golden = Golden::parse(&name, &text).unwrap_or_else(|d| panic!("{d}"));
    let seen = Grid::new(&golden.config).run(&golden.packets, golden.ticks);
    let mut other = golden.clone();
    other.expect.potentials[3].get_mut(&(1, 1)).expect("core")[2] += 1;
    assert_eq!(
        other.compare(&seen).expect("differs").place,
        "potential after tick 3, core (1,1), neuron 2"
    );
    let mut other = golden.clone();
    other.expect.warnings = Some(13);
    assert_eq!(
        other.compare(&seen).expect("differs").to_string(),
        "number of simulator warnings: expected 13, got 14"
    );
    let mut other = golden.clone();
    other.expect.outputs[9].pop();
    assert_eq!(
        other.compare(&seen).expect("differs").place,
        "tick 9, output indices"
    );
    let mut other = golden;
    other.config.num_axons -= 1;
    assert!(other.native().is_some());
}
