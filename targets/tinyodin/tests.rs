//! tinyODIN against its golden vectors, its own bytes and mappings.

mod mapped;

use super::*;
use crate::backend::{NativeInput, Observed};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire_ir::program::{Program, Reference, SerialEvent, check};

fn golden_files() -> Vec<(String, serde_json::Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tinyodin/golden");
    let mut list: Vec<_> = std::fs::read_dir(folder)
        .expect("golden vectors")
        .map(|f| f.expect("readable").path())
        .collect();
    list.sort();
    let read = |p: &std::path::PathBuf| {
        let text = std::fs::read_to_string(p).expect("readable");
        let name = p.file_name().expect("a file").to_string_lossy();
        (name.into(), serde_json::from_str(&text).expect("JSON"))
    };
    list.iter().map(read).collect()
}

/// Runs a serial program in the IR's reference evaluator.
fn run(program: &Program, input: &[(u32, NativeInput)], steps: u32) -> Observed {
    assert!(check(program).is_empty(), "{}", check(program));
    let mut due: BTreeMap<u32, Vec<SerialEvent>> = BTreeMap::new();
    for &(step, event) in input {
        match event {
            NativeInput::Serial(e) => due.entry(step).or_default().push(e),
            other => panic!("{other:?}"),
        }
    }
    let mut engine = Reference::new(program, 0);
    for step in 0..steps {
        engine.serial_step(due.get(&step).map_or(&[], |l| l));
    }
    Observed {
        serial: engine.out.clone(),
        state: engine.state,
        ..Observed::default()
    }
}

#[test]
fn every_golden_vector_passes() {
    let files = golden_files();
    assert_eq!(files.len(), 13);
    let mut spikes = 0;
    for (name, json) in files {
        let case = BACKEND
            .golden(&json, &|_| None)
            .expect("the format is known");
        let case = case.unwrap_or_else(|e| panic!("{name}: {e}"));
        let seen = run(&case.program, &case.input, case.steps);
        spikes += seen.serial.len();
        (case.check)(&seen).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    assert_eq!(spikes, 634, "outputs of all vectors together");
}

#[test]
fn changed_vectors_fail_where_they_were_changed() {
    let (_, json) = golden_files().swap_remove(0);
    let error = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut other = json.clone();
        change(&mut other);
        match BACKEND
            .golden(&other, &|_| None)
            .expect("the format is known")
        {
            Err(e) => e,
            Ok(case) => {
                let seen = run(&case.program, &case.input, case.steps);
                (case.check)(&seen).expect_err("must differ")
            }
        }
    };
    let e = error(&|j| j["spi_words"][5] = "501000005f".into());
    assert!(e.contains("SPI word 5: expected \"501000005f\""), "{e}");
    let e = error(&|j| j["spi_sha256"] = "00".into());
    assert!(e.contains("SHA-256"), "{e}");
    let e = error(&|j| j["final_core"][3] = 4000.into());
    assert!(e.starts_with("final potentials"), "{e}");
    let e = error(&|j| j["aer_out_per_event"][7] = vec![1, 2, 3, 250].into());
    assert!(e.starts_with("output of event 7"), "{e}");
    let e = error(&|j| j["aer_in"][0] = 0x400.into());
    assert!(e.contains("no AER event 0x400"), "{e}");
    let e = error(&|j| j["network"]["neurons"][0][2] = 128.into());
    assert!(e.contains("SYN0610"), "{e}");
    assert!(error(&|j| j["network"] = 7.into()).contains("invalid type"));
    assert!(
        BACKEND
            .golden(&serde_json::json!({"format": "x"}), &|_| None)
            .is_none()
    );
}

fn any_neuron() -> impl Strategy<Value = Neuron> {
    (-2048i16..=2047, 0u16..=4095, 0u8..=127, any::<bool>()).prop_map(
        |(core, thr, leak, disabled)| Neuron {
            core,
            thr,
            leak,
            disabled,
        },
    )
}

fn any_config() -> impl Strategy<Value = Config> {
    let size = prop_oneof![1usize..=9, 1usize..=256, Just(256)];
    (size, any::<bool>(), any::<bool>()).prop_flat_map(|(n, open_loop, aer_src_ctrl)| {
        let rows = btree_map(any::<u8>(), vec(-8i8..=7, n), 0..6);
        (vec(any_neuron(), n), rows).prop_map(move |(neurons, rows)| Config {
            open_loop,
            aer_src_ctrl,
            neurons,
            rows,
        })
    })
}

proptest! {
    #[test]
    fn streams_give_their_configuration_back(c in any_config()) {
        let bytes = encode(&c).expect("legal");
        prop_assert_eq!(decode("s", &bytes).expect("own stream"), c.clone());
        let program = lower(&c).expect("legal");
        prop_assert!(check(&program).is_empty(), "{}", check(&program));
    }

    /// Whatever is read is canonical: there is one stream for one configuration.
    #[test]
    fn damaged_streams_are_refused_or_canonical(
        c in any_config(),
        flips in vec((any::<prop::sample::Index>(), 0u8..8), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = encode(&c).expect("legal");
        for (at, bit) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(other) = decode("s", &bytes) {
            prop_assert_eq!(encode(&other).expect("was read"), bytes);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..400)) {
        let found = decode("s", &bytes).expect_err("never a stream");
        prop_assert_eq!(&found.0[0].code, "SYN0721");
        prop_assert!(!found.0[0].hints.is_empty());
    }

    #[test]
    fn words_and_events_agree(w in 0u64..0x800, neurons in 1u32..=256) {
        if let Some(e) = event(w, neurons) {
            let back = word(&e, neurons).expect("an event of the chip");
            prop_assert_eq!(event(back, neurons), Some(e));
        }
    }
}

#[test]
fn streams_out_of_order_are_refused() {
    let config = Config {
        neurons: vec![Neuron::default(); 3],
        rows: [(4, vec![1, -2, 3]), (9, vec![0; 3])].into(),
        ..Config::default()
    };
    let bytes = encode(&config).expect("legal");
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut other = bytes.clone();
        change(&mut other);
        decode("s", &other)
            .expect_err("must be refused")
            .to_string()
    };
    let row = 5 * (4 + 12);
    let swapped = refused(&|b| b[row..row + 20].rotate_left(10));
    assert!(swapped.contains("writes row 4 after row 9"), "{swapped}");
    let twice = refused(&|b| b.copy_within(row..row + 10, row + 10));
    assert!(twice.contains("writes row 4 after row 4"), "{twice}");
    let beyond = refused(&|b| b[row + 9] |= 0x10);
    assert!(
        beyond.contains("must write at most 0xf to 62080"),
        "{beyond}"
    );
    let masked = refused(&|b| b[row + 3] = 1);
    assert!(
        masked.contains("must write at most 0xff to 60080"),
        "{masked}"
    );
    let longer = refused(&|b| b.extend([0; 5]));
    assert!(longer.contains("1 words after"), "{longer}");
    let shorter = refused(&|b| b.truncate(b.len() - 5));
    assert!(shorter.contains("the stream ends where"), "{shorter}");
    assert!(refused(&|b| b.truncate(7)).contains("7 bytes"));
    assert!(refused(&|b| b.resize(5_000_000, 0)).contains("5000000 bytes"));
}

#[test]
fn words_of_the_aer_port() {
    let step = |first, last| Some(SerialEvent::Step { first, last });
    let row = |pre| Some(SerialEvent::Row { pre });
    assert_eq!(event(0x1FF, 9), step(0, 8));
    assert_eq!(event(0x3FF, 256), step(0, 255));
    assert_eq!(event(0x108, 9), step(8, 8));
    assert_eq!(event(0x109, 9), None);
    assert_eq!(event(0x0FE, 9), row(254));
    assert_eq!(event(0x20B, 9), row(11));
    assert_eq!(event(0x28B, 9), None);
    assert_eq!(event(0x400, 9), None);
    let direct = SerialEvent::Direct {
        port: SYN,
        value: -8,
        first: 3,
        last: 3,
        queued: true,
    };
    assert_eq!(event(0x283, 9), Some(direct));
    assert_eq!(word(&direct, 9), Some(0x283));
    assert_eq!(word(&SerialEvent::Step { first: 1, last: 2 }, 9), None);
    assert_eq!(word(&SerialEvent::Row { pre: 256 }, 9), None);
}
