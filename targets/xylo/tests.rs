//! The family against its own bytes, its chips' descriptions, and mappings.

mod mapped;

use super::config::MAX_SHIFT;
use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use synfire_ir::program::check;

/// Synapses from each of `sources` onto `targets` neurons, in any order, some of them twice.
fn lists(sources: usize, targets: usize, states: u8) -> impl Strategy<Value = Vec<Vec<Synapse>>> {
    let synapse = (0..targets as u16, 0..states, any::<i8>());
    vec(vec(synapse, 0..8), sources)
}

fn neurons(n: usize, states: u8) -> impl Strategy<Value = Neurons> {
    (
        vec(any::<i16>(), n),
        vec(0..=MAX_SHIFT, n),
        vec(vec(0..=MAX_SHIFT, usize::from(states)), n),
        vec(-128i16..128, n),
    )
        .prop_map(|(threshold, dash_mem, dash_syn, bias)| Neurons {
            threshold,
            dash_mem,
            dash_syn,
            bias,
        })
}

/// Any configuration of up to 12 hidden neurons.
fn configs() -> impl Strategy<Value = Config> {
    (1usize..6, 1usize..12, 1usize..5, 1u8..3, 1u8..3).prop_flat_map(|(i, h, o, n_syn, core)| {
        let shifts = (0..=MAX_SHIFT, 0..=MAX_SHIFT, 0..=MAX_SHIFT);
        let aliases = vec(vec(0..h as u16, 0..2), h);
        let synapses = (lists(i, h, n_syn), lists(h, h, n_syn), lists(h, o, 1));
        (
            shifts,
            any::<bool>(),
            synapses,
            aliases,
            neurons(h, n_syn),
            neurons(o, 1),
        )
            .prop_map(
                move |(shift, has_bias, synapses, aliases, hidden, readout)| Config {
                    core,
                    n_in: i,
                    n_hidden: h,
                    n_out: o,
                    n_syn,
                    has_bias,
                    weight_shift_in: shift.0,
                    weight_shift_rec: shift.1,
                    weight_shift_out: shift.2,
                    synapses_in: synapses.0,
                    synapses_rec: synapses.1,
                    synapses_out: synapses.2,
                    aliases,
                    hidden,
                    readout,
                },
            )
    })
}

/// One synapse for each pair and state, as the memory holds them.
fn without_multapses(mut c: Config) -> Config {
    for l in [&mut c.synapses_in, &mut c.synapses_rec, &mut c.synapses_out]
        .into_iter()
        .flatten()
    {
        l.sort_unstable_by_key(|s| (s.1, s.0));
        l.dedup_by_key(|s| (s.1, s.0));
    }
    c
}

fn files(list: &[(String, Vec<u8>)]) -> BTreeMap<&str, &[u8]> {
    list.iter()
        .map(|(n, b)| (n.as_str(), b.as_slice()))
        .collect()
}

const MODEL: &str = include_str!("../xylo-audio2/model.syn");

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_specification_comes_back(c in configs(), dt in 1u64..1_000_000_000) {
        let bytes = native::encode("x", dt, &c).unwrap_or_else(|d| panic!("{d}"));
        let back = native::decode("x", &bytes).unwrap_or_else(|d| panic!("{d}"));
        prop_assert_eq!(&back.net, &c);
        prop_assert_eq!(back.dt_ns, dt);
        let lowered = lower(MODEL, &c).unwrap_or_else(|d| panic!("{d}"));
        let found = check(&lowered.program);
        prop_assert!(found.is_empty(), "{}", found);
    }

    #[test]
    fn the_memory_set_comes_back(c in configs()) {
        let mut c = without_multapses(c);
        c.core = 2;
        let set = ram::encode(&c, 100);
        if c.n_syn != 2 {
            prop_assert_eq!(&set.expect_err("one state").0[0].code, "SYN0617");
            return Ok(());
        }
        let set = set.unwrap_or_else(|d| panic!("{d}"));
        let (back, dt) = ram::decode(&files(&set)).unwrap_or_else(|d| panic!("{d}"));
        prop_assert_eq!(back, ram::canonical(&c));
        prop_assert_eq!(dt, 100);
    }

    /// Damaged files are refused or read as another sound configuration; nothing panics.
    #[test]
    fn damaged_files(c in configs(), at in any::<prop::sample::Index>(), byte in any::<u8>(), file in any::<prop::sample::Index>()) {
        let mut bytes = native::encode("x", 100, &c).unwrap_or_else(|d| panic!("{d}"));
        let k = at.index(bytes.len());
        bytes[k] = byte;
        if let Ok(s) = native::decode("x", &bytes) {
            prop_assert!(lower(MODEL, &s.net).is_ok());
        }
        let c = Config { core: 2, ..without_multapses(c) };
        let Ok(mut set) = ram::encode(&c, 100) else { return Ok(()) };
        let n = file.index(set.len());
        if !set[n].1.is_empty() {
            let k = at.index(set[n].1.len());
            set[n].1[k] = byte;
        }
        if let Ok((net, _)) = ram::decode(&files(&set)) {
            prop_assert!(net.validate().is_empty());
        }
    }
}

#[test]
fn what_no_core_means_is_refused() {
    let mut c = Config {
        core: 3,
        n_in: 1,
        n_hidden: 1,
        n_syn: 1,
        weight_shift_in: 16,
        synapses_in: vec![vec![(1, 0, 1), (0, 1, 1)]],
        aliases: vec![vec![4]],
        ..Config::default()
    };
    let codes: Vec<String> = c.validate().0.iter().map(|d| d.code.clone()).collect();
    for code in ["SYN0610", "SYN0611", "SYN0614", "SYN0616"] {
        assert!(
            codes.iter().any(|c| c == code),
            "{code} is not among {codes:?}"
        );
    }
    c.synapses_in = vec![];
    assert!(native::encode("x", 100, &c).is_err());
    let e = native::decode("x", b"{}").expect_err("empty");
    assert_eq!(e.0[0].code, "SYN0721");
}

#[test]
fn chips_are_as_large_as_they_say() {
    for (chip, size) in [
        ("xylo-audio2", (1000, 8, 1000)),
        ("xylo-audio3", (992, 32, 128)),
    ] {
        let found = crate::find(chip).unwrap_or_else(|d| panic!("{d}")).chip;
        let l = &found.spec.limits;
        let value = |v: &Option<crate::schema::Sourced<u64>>| v.as_ref().map(|v| v.value);
        assert_eq!(value(&l.neurons_per_core), Some(size.0 + size.1));
        assert_eq!(value(&l.outputs), Some(size.1));
        assert_eq!(value(&l.output_neurons), Some(size.2));
        assert_eq!(found.model, MODEL, "{chip}: the family has one model");
    }
}
