//! Damaged artefacts: an error each, never a panic.

use proptest::prelude::*;
use synfire_runtime::session::Choice;
use synfire_tests::compare::{compile_for, input, load, run_artifact};

const NET: &str = "use std.neurons.McCullochPitts\nnetwork N {\n step 1 ms\n source x: events[3]\n pop p: McCullochPitts[2] { threshold = 2 }\n connect x -> p : all_to_all { weight = 1, delay = 1 ms }\n}\n";

fn artefact() -> Vec<u8> {
    let net = load(NET).expect("the network is sound");
    compile_for(&net, "ranc")
        .expect("it fits")
        .artifact
        .to_bytes()
        .expect("it can be written")
}

#[test]
fn a_whole_artefact_runs() {
    let got = run_artifact(
        &artefact(),
        Choice::Cpu,
        &input(&[(0, 0, 0, 0), (0, 0, 0, 1)], None),
        5,
    )
    .expect("it runs");
    assert_eq!(got, vec![(0, 1, 1, 0), (0, 1, 1, 1)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_is_told(cut in any::<bool>(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = artefact();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        prop_assert!(run_artifact(&bytes, Choice::Cpu, &input(&[], None), 3).is_err());
    }
}
