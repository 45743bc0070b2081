//! Native files of random networks: what is written is read back, damage is refused without a panic, and every rule of the chip is enforced.

use crate::networks::{Random, golden_files, legal, packets};
use crate::reference::Grid;
use proptest::prelude::*;
use synfire_targets::ranc::golden::Golden;
use synfire_targets::ranc::{
    Config, Core, Dialect, Neuron, Packet, ResetType, Widths, decode, decode_packets, encode,
    encode_packets, merge_warnings, validate, validate_packets,
};

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(config in legal(), seed in any::<u64>()) {
        prop_assert!(!validate(&config).has_errors(), "{}", validate(&config));
        let mut sections = encode(&config).expect("legal");
        prop_assert_eq!(&encode(&config).expect("legal"), &sections);
        prop_assert_eq!(&decode(config.dialect, &sections).expect("own image"), &config);
        let input = packets(&config, 9, &mut Random(seed));
        let streams = encode_packets(&config, &input).expect("legal packets");
        sections.retain(|s| streams.iter().all(|i| i.0 != s.0));
        sections.extend(streams);
        sections.reverse();
        prop_assert_eq!(&decode(config.dialect, &sections).expect("any order"), &config);
        prop_assert_eq!(decode_packets(&config, &sections).expect("own packets"), input);
    }

    #[test]
    fn damage_never_panics(config in legal(), seed in any::<u64>()) {
        let mut r = Random(seed);
        let mut sections = encode(&config).expect("legal");
        sections.extend(encode_packets(&config, &packets(&config, 5, &mut r)).expect("legal").into_iter().filter(|s| s.0 != "input.json"));
        for _ in 0..20 {
            let mut hurt = sections.clone();
            for _ in 0..=r.below(3) {
                damage(&mut hurt, &mut r);
            }
            // Whatever comes out as a configuration is legal, so that it can be encoded and run.
            if let Ok(c) = decode(config.dialect, &hurt) {
                let again = encode(&c).expect("what decode gives is legal");
                prop_assert_eq!(&decode(c.dialect, &again).expect("own image"), &c);
                let _ = decode_packets(&c, &hurt);
            }
            let other = if config.dialect == Dialect::Sim { Dialect::Rtl } else { Dialect::Sim };
            prop_assert!(decode(other, &hurt).is_err());
        }
    }

    #[test]
    fn warnings_from_spikes_equal_warnings_where_they_happen(config in legal(), seed in any::<u64>()) {
        let input = packets(&config, 25, &mut Random(seed));
        for ticks in [0, 1, 20, 40] {
            let mut grid = Grid::new(&config);
            let seen = grid.run(&input, ticks);
            prop_assert_eq!(merge_warnings(&config, &input, &seen.spikes), grid.warnings);
        }
    }
}

fn damage(sections: &mut Vec<(String, Vec<u8>)>, r: &mut Random) {
    if sections.is_empty() {
        return;
    }
    let k = r.below(sections.len() as u64) as usize;
    let (kind, at, byte) = (r.below(8), r.next() as usize, r.next() as u8);
    let bytes = &mut sections[k].1;
    let n = bytes.len().max(1);
    match kind {
        0 => bytes.truncate(at % n),
        1 => {
            sections.remove(k);
        }
        2 => {
            let copy = sections[k].clone();
            sections.push(copy);
        }
        3 => bytes.insert(at % n, byte),
        4 if !bytes.is_empty() => {
            bytes.remove(at % n);
        }
        5 if !bytes.is_empty() => {
            // Another digit in place of one: numbers become large or negative.
            let digits: Vec<usize> = (0..bytes.len())
                .filter(|&i| bytes[i].is_ascii_digit())
                .collect();
            if let Some(&i) = digits.get(at % digits.len().max(1)) {
                bytes[i] = b"0123456789-"[byte as usize % 11];
            }
        }
        _ if !bytes.is_empty() => bytes[at % n] ^= 1 << (byte % 8),
        _ => bytes.push(byte),
    }
}

/// A grid of 2 x 1 with one neuron, and what must be wrong once `change` was applied.
fn violates(dialect: Dialect, change: impl FnOnce(&mut Config)) -> Vec<String> {
    let (name, text) = golden_files()
        .into_iter()
        .find(|f| f.0 == "rtl_q0.json")
        .expect("shipped");
    let mut config = Golden::parse(&name, &text).expect("legal").config;
    if dialect == Dialect::Sim {
        config.dialect = Dialect::Sim;
        config.widths = Widths::SIM;
    }
    assert!(validate(&config).is_empty());
    change(&mut config);
    let found = validate(&config);
    for d in &found.0 {
        assert!(
            !d.hints.is_empty() && !d.notes.is_empty(),
            "{d} explains nothing"
        );
    }
    assert_eq!(found.has_errors(), encode(&config).is_err());
    found.0.iter().map(|d| d.code.clone()).collect()
}

/// A code, the dialect in which it is found, and the change that brings it about.
type Rule = (&'static str, Dialect, fn(&mut Config));

#[test]
fn every_rule_is_enforced() {
    use Dialect::{Rtl, Sim};
    fn n(c: &mut Config) -> &mut Neuron {
        &mut c.cores[0].neurons[2]
    }
    let all: [Rule; 24] = [
        ("SYN0610", Rtl, |c| n(c).weights[1] = 256),
        ("SYN0610", Rtl, |c| n(c).leak = -257),
        ("SYN0610", Rtl, |c| n(c).positive_threshold = 300),
        ("SYN0610", Rtl, |c| n(c).potential = i32::MIN),
        ("SYN0612", Rtl, |c| {
            n(c).dx = 0;
            n(c).tick = 15;
        }),
        ("SYN0612", Sim, |c| n(c).tick = 16),
        ("SYN0613", Sim, |c| n(c).dx = 2),
        ("SYN0613", Sim, |c| n(c).dy = -1),
        ("SYN0611", Sim, |c| n(c).axon = 16),
        ("SYN0611", Rtl, |c| {
            c.output_bus.num_outputs = 4;
            n(c).axon = 4;
        }),
        ("SYN0611", Sim, |c| c.cores[0].axons[3] = 4),
        ("SYN0611", Sim, |c| c.output_bus.x = 2),
        ("SYN0611", Sim, |c| c.cores[0].x = 1),
        ("SYN0614", Rtl, |c| c.num_axons = 12),
        ("SYN0614", Rtl, |c| {
            c.grid = synfire_targets::ranc::Grid { x: 77, y: 13 }
        }),
        ("SYN0614", Sim, |c| c.num_neurons = 5000),
        ("SYN0614", Sim, |c| c.output_bus.num_outputs = 0),
        ("SYN0615", Rtl, |c| {
            c.neuron_reset_type = ResetType::Symmetric
        }),
        ("SYN0615", Sim, |c| c.widths = Widths::RTL),
        ("SYN0615", Rtl, |c| c.widths.leak = 10),
        ("SYN0616", Rtl, |c| c.cores.clear()),
        ("SYN0616", Sim, |c| c.cores.push(c.cores[0].clone())),
        ("SYN0616", Sim, |c| c.cores[0].connections.grow(40)),
        ("SYN0616", Rtl, |c| {
            c.cores[0].axons.pop();
        }),
    ];
    for (i, (code, dialect, change)) in all.into_iter().enumerate() {
        let found = violates(dialect, change);
        assert!(
            found.iter().any(|c| c == code),
            "rule {i}: {code} not in {found:?}"
        );
    }
}

#[test]
fn what_only_the_verilog_forbids() {
    let tick15 = |c: &mut Config| {
        let n = &mut c.cores[0].neurons[2];
        n.dx = 0;
        n.tick = 15;
    };
    // The simulator drops such spikes and says so: a warning. To the output bus the field means nothing.
    assert_eq!(violates(Dialect::Sim, tick15), ["SYN0612"]);
    assert!(
        violates(Dialect::Rtl, |c| c.cores[0].neurons[0].tick = 15).is_empty(),
        "neuron 0 sends to the output bus"
    );
    assert!(violates(Dialect::Sim, |c| c.cores[0].neurons[1].leak = 70_000).is_empty());
    assert!(violates(Dialect::Sim, |c| c.neuron_reset_type = ResetType::Symmetric).is_empty());
    assert!(violates(Dialect::Sim, |c| c.cores.clear()).is_empty());
}

#[test]
fn a_thousand_violations_stay_readable() {
    let (name, text) = golden_files()
        .into_iter()
        .find(|f| f.0 == "sim_r11_256.json")
        .expect("shipped");
    let mut config = Golden::parse(&name, &text).expect("legal").config;
    config.cores[0].neurons.iter_mut().for_each(|n| n.dx = 9);
    let found = validate(&config);
    assert_eq!(found.0.len(), 9);
    assert!(found.0[8].message.starts_with("248 more"), "{}", found.0[8]);
}

#[test]
fn packets_are_checked() {
    let (name, text) = golden_files()
        .into_iter()
        .find(|f| f.0 == "rtl_q2.json")
        .expect("shipped");
    let config = Golden::parse(&name, &text).expect("legal").config;
    let good = Packet {
        x: 2,
        y: 0,
        axon: 15,
        tick: 14,
    };
    assert!(validate_packets(&config, &[vec![good]]).is_empty());
    let bad = [
        ("SYN0613", Packet { x: 3, ..good }),
        ("SYN0611", Packet { x: 1, y: 1, ..good }),
        ("SYN0611", Packet { axon: 16, ..good }),
        ("SYN0612", Packet { tick: 15, ..good }),
        ("SYN0612", Packet { tick: 16, ..good }),
    ];
    for (code, p) in bad {
        let found = validate_packets(&config, &[vec![], vec![p]]);
        assert_eq!(
            found.0.first().map(|d| d.code.as_str()),
            Some(code),
            "{p:?}"
        );
        assert!(encode_packets(&config, &[vec![], vec![p]]).is_err());
    }
    assert_eq!(good.to_word(&config), 2 << 17 | 15 << 4 | 14);
    assert_eq!(
        Packet::from_word(good.to_word(&config), &config),
        Some(good)
    );
    assert_eq!(
        Packet::from_word(1 << 26, &config),
        None,
        "above the packet"
    );
    assert_eq!(
        Packet::from_word(1 << 25, &config),
        None,
        "a negative offset"
    );
}

#[test]
fn sizes_do_not_buy_memory() {
    let json = |config: &str, input: &str| {
        vec![
            ("config.json".to_string(), config.into()),
            ("input.json".to_string(), input.into()),
        ]
    };
    let sizes = |n: u64| {
        format!(
            "{{\"num_neurons\":{n},\"num_axons\":{n},\"num_cores_x\":1024,\"num_cores_y\":1024,\"num_weights\":4,\"max_tick_offset\":16,\"neuron_reset_type\":0}}"
        )
    };
    let input = "{\"packets\":[[]],\"output_bus\":{\"coordinates\":[0,0],\"num_outputs\":1048576},\"cores\":[]}";
    let empty: Config = decode(Dialect::Sim, &json(&sizes(4096), input)).expect("huge and empty");
    assert_eq!((empty.neurons(), empty.synapses()), (0, 0));
    assert_eq!(
        decode(Dialect::Sim, &json(&sizes(5_000_000_000), input))
            .expect_err("too large")
            .0[0]
            .code,
        "SYN0721"
    );
    assert_eq!(
        decode(Dialect::Sim, &json("[", input))
            .expect_err("no JSON")
            .0[0]
            .code,
        "SYN0721"
    );
    assert_eq!(
        decode(Dialect::Sim, &[]).expect_err("nothing").0[0].code,
        "SYN0720"
    );
    let deep = "[".repeat(1_000_000);
    assert!(decode(Dialect::Sim, &json(&sizes(4), &deep)).is_err());
}

#[test]
fn a_full_grid_is_handled() {
    let mut config = Config {
        dialect: Dialect::Sim,
        grid: synfire_targets::ranc::Grid { x: 64, y: 64 },
        num_neurons: 256,
        num_axons: 256,
        neuron_reset_type: ResetType::Asymmetric,
        output_bus: synfire_targets::ranc::OutputBus {
            x: 63,
            y: 63,
            num_outputs: 256,
        },
        widths: Widths::SIM,
        cores: vec![],
    };
    config.complete();
    let dense: &mut Core = &mut config.cores[4094];
    (0..256).for_each(|i| dense.connections.set_row(i, &[u64::MAX; 4]));
    assert!(validate(&config).is_empty());
    assert_eq!(
        (config.cores.len(), config.neurons(), config.synapses()),
        (4095, 4095 * 256, 65536)
    );
    assert_eq!(config.core_at(62, 63), Some(4094));
    assert_eq!(config.core_at(63, 63), None);
}
