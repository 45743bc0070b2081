//! ODIN against its own bytes, its words, and what its emulator promises: programs with and without learning are the same where nothing learns.

use super::lower::{at, lower, must_learn};
use super::*;
use crate::backend::{NativeInput, Observed, Reset, UnitDynamics};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use synfire_ir::program::{Discipline, Program, Reference, SerialEvent, check};

fn words() -> impl Strategy<Value = Word> {
    (any::<u128>(), any::<bool>()).prop_map(|(bits, lif)| Word(bits).with("lif", lif.into()))
}

fn configs() -> impl Strategy<Value = Config> {
    let flags = vec(any::<bool>(), 6);
    let neurons = btree_map(any::<u8>(), words(), 1..12);
    let rows = btree_map(any::<u8>(), vec(0u8..16, 256), 0..12);
    let signs = any::<[u16; 16]>();
    (flags, neurons, rows, signs, any::<(u8, u8)>()).prop_map(|(f, neurons, rows, syn_sign, m)| {
        let mut c = Config {
            open_loop: f[0],
            syn_sign,
            aer_src_ctrl: f[1],
            monitor_en: f[2],
            monitor_neur_addr: m.0,
            monitor_syn_addr: m.1,
            update_unmapped: f[3],
            propagate_unmapped: f[4],
            sdsp_on_syn_stim: f[5],
            neurons,
            ..Config::default()
        };
        let columns = c.columns();
        let cut = |(r, mut row): (u8, Vec<u8>)| {
            row.truncate(columns);
            (r, row)
        };
        c.rows = rows.into_iter().map(cut).collect();
        c
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_stream_comes_back(c in configs()) {
        let bytes = encode(&c).unwrap_or_else(|d| panic!("{d}"));
        prop_assert_eq!(decode("x", &bytes).unwrap_or_else(|d| panic!("{d}")), c);
    }

    /// What is read of a damaged stream is another stream in full.
    #[test]
    fn damaged_streams(c in configs(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = encode(&c).unwrap_or_else(|d| panic!("{d}"));
        let k = at.index(bytes.len());
        bytes[k] = byte;
        if let Ok(read) = decode("x", &bytes) {
            prop_assert_eq!(encode(&read).unwrap_or_else(|d| panic!("{d}")), bytes.clone());
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(decode("x", &bytes).is_err());
    }

    /// Where nothing can learn the small program gives what the large one gives. Potentials are those of configured neurons: one that nothing
    /// configures is of the phenomenological kind in the large program alone, and neither fires nor is read back.
    #[test]
    fn learning_changes_nothing_where_there_is_none(c in configs(), words in vec(0u64..1 << 17, 0..40)) {
        let mut c = Config { monitor_en: false, open_loop: true, ..c };
        for w in c.neurons.values_mut() {
            let v = w.get("core");
            *w = Word(w.0 | 1).with("ca_en", 0).with("core", v);
        }
        prop_assert!(!must_learn(&c));
        let programs = [true, false].map(|l| lower(&c, l).unwrap_or_else(|d| panic!("{d}")));
        let [a, b] = programs.each_ref().map(|p| {
            prop_assert!(check(p).is_empty(), "{}", check(p));
            let (out, potentials) = run(p, &words);
            let own: Vec<u32> = c.neurons.keys().map(|&n| potentials[usize::from(n)]).collect();
            Ok((out, own))
        });
        prop_assert_eq!(a?, b?);
    }

    #[test]
    fn parts_of_a_word(bits in any::<u128>(), value in any::<i64>()) {
        let w = Word(bits);
        for name in ["thr", "core", "ca_leak", "stim", "thrmod", "disabled", "leak_str"] {
            let set = w.with(name, value);
            let back = set.with(name, w.get(name));
            prop_assert_eq!(back, w);
            prop_assert_eq!(set.with(name, set.get(name)), set);
        }
    }
}

/// Runs the events of AER words that both kinds of programs take; what left, and the final potentials.
fn run(p: &Program, words: &[u64]) -> (Vec<(u32, u32)>, Vec<u32>) {
    let mut engine = Reference::new(p, 0);
    let matrix = |r, n| at(p, r, n);
    let bistability = |w: &u64| w >> 16 == 0 && w & 0x7F == 0;
    for &w in words.iter().filter(|w| !bistability(w)) {
        let given: Vec<SerialEvent> = event(w, super::lower::learns(p), &matrix)
            .into_iter()
            .collect();
        engine.serial_step(&given);
    }
    let v = p.models[0]
        .state("core")
        .or(p.models[0].state("v"))
        .expect("a membrane");
    let state = engine.state[NEURONS as usize][usize::from(v)].clone();
    (engine.out, state)
}

#[test]
fn words_that_are_no_events() {
    let none = |_: u8, _: u8| 0;
    for w in [0x02, 0x03, 0x0F, 0x1_0000 << 1, u64::MAX] {
        assert_eq!(event(w, true, &none), None, "{w:#x}");
    }
    assert_eq!(
        event(0x0500 | SPIKE, false, &none),
        Some(SerialEvent::Row { pre: 5 })
    );
    assert_eq!(
        event(0x80, false, &none),
        None,
        "bistability needs a program with learning"
    );
}

#[test]
fn monitoring_is_refused() {
    let mut c = Config::default();
    assert_eq!(c.validate().0[0].code, "SYN0614");
    c.neurons.insert(3, Word(1));
    assert!(lower(&c, true).is_ok());
    c.monitor_en = true;
    assert_eq!(
        lower(&c, true).expect_err("monitoring").0[0].code,
        "SYN0617"
    );
}

#[test]
fn the_queue_has_32_places() {
    let c = Config {
        neurons: [(0, Word(1))].into(),
        ..Config::default()
    };
    let p = lower(&c, false).unwrap_or_else(|d| panic!("{d}"));
    let Discipline::Serial(s) = &p.discipline else {
        panic!("serial")
    };
    assert_eq!(s.capacity, 32);
}

#[test]
fn units_as_registers() {
    let unit = |decay: f64, threshold: i64, reset: Reset, initial: i64| UnitDynamics::Integrate {
        decay,
        bias: 0,
        threshold,
        reset,
        initial,
        refractory: 0,
    };
    let get =
        |u: &UnitDynamics, arrivals| BACKEND.neuron("rtl", u, arrivals, 0).map_err(|r| r.limit);
    let zero = Reset::To(0);
    assert_eq!(get(&unit(1.0, 20, zero, 3), (0, 20)), Ok(vec![20, 0, 0, 3]));
    assert_eq!(
        get(&unit(1.0, 20, zero, 3), (0, 22)),
        Err("spikes_per_step".into())
    );
    assert_eq!(
        get(&unit(0.0, 20, zero, 0), (0, 100)),
        Ok(vec![20, 127, 0, 0])
    );
    assert_eq!(
        get(&unit(0.0, 20, zero, 0), (-1, 100)),
        Err("potential".into())
    );
    assert_eq!(get(&unit(0.9, 20, zero, 0), (0, 5)), Err("leak".into()));
    assert_eq!(get(&unit(1.0, 300, zero, 0), (0, 5)), Err("thr".into()));
    assert_eq!(
        get(&unit(1.0, 20, Reset::Subtract, 0), (0, 5)),
        Err("reset".into())
    );
    let own = |model: &str, v: i64| UnitDynamics::Own {
        model: model.into(),
        fields: vec![("thr".into(), 9.0), ("leak".into(), 2.0)],
        states: vec![("v".into(), v)],
    };
    assert_eq!(get(&own("OdinLif", 8), (-5, 90)), Ok(vec![9, 2, 0, 8]));
    assert_eq!(get(&own("OdinLif", 9), (-5, 90)), Err("v".into()));
    assert_eq!(get(&own("Odin", 0), (0, 0)), Err("model".into()));
}

#[test]
fn every_golden_vector_passes() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/odin/golden");
    let (mut vectors, mut left) = (0, 0);
    for file in std::fs::read_dir(folder).expect("golden vectors") {
        let path = file.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        let json = serde_json::from_str(&text).expect("JSON");
        let case = BACKEND
            .golden(&json, &|_| None)
            .expect("the format is known");
        let case = case.unwrap_or_else(|e| panic!("{e}"));
        assert!(check(&case.program).is_empty(), "{}", check(&case.program));
        let mut engine = Reference::new(&case.program, 0);
        for (_, event) in &case.input {
            match event {
                NativeInput::Serial(e) => engine.serial_step(&[*e]),
                other => panic!("{other:?}"),
            }
        }
        let seen = Observed {
            serial: engine.out.clone(),
            state: engine.state,
            ..Observed::default()
        };
        (case.check)(&seen).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        vectors += 1;
        left += seen.serial.len();
    }
    assert_eq!(
        (vectors, left),
        (15, 641),
        "vectors, and outputs of all of them together"
    );
}
