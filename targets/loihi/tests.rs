//! The chip against its own bytes, its description, and mappings.

use super::config::*;
use super::dynamics::{FIELDS, bias_parts};
use super::lower::{Arithmetic, lower};
use super::{decode, encode, from_mapping, limits};
use crate::backend::{Backend, Reset, UnitDynamics};
use crate::registry::find;
use proptest::collection::vec;
use proptest::prelude::*;
use synfire_ir::mapping::{
    Axon, Core as Mapped, Input, MappedPopulation, Mapping, Neuron, Route, UnitRef,
};
use synfire_ir::program::check;

fn backend() -> &'static dyn Backend {
    let chip = find("loihi").unwrap_or_else(|d| panic!("{d}")).chip;
    chip.backend().expect("a shipped chip has code")
}

/// Compartments, rows of (index, mantissa / 2, delay), (source, row) of axons and (row) of channels.
type Shape = (usize, Vec<Vec<(u16, i16, u8)>>, Vec<(u16, u16)>, Vec<u16>);

/// decayU, decayV, refractDelay, enableNoise and vth of a profile.
type Profile = (u16, u16, u8, bool, u32);

fn shapes() -> impl Strategy<Value = Vec<(Shape, DendriteShared, Vec<Profile>)>> {
    let row = vec((0u16..12, -127i16..128, 0u8..8), 0..8);
    let shape = (
        1usize..12,
        vec(row, 1..5),
        vec((0u16..12, 0u16..5), 0..10),
        vec(0u16..5, 0..5),
    );
    let shared = (0u8..8, 0u8..32, 0u8..24, -64i8..64, any::<bool>()).prop_map(
        |(high, low, exp, offset, at)| DendriteShared {
            pos_vm_limit: high,
            neg_vm_limit: low,
            noise_exp0: exp,
            noise_mant_offset0: offset,
            noise_at_dend_or_vm: at,
        },
    );
    let profile = (
        0u16..4096,
        0u16..4096,
        1u8..65,
        any::<bool>(),
        1u32..131_072,
    );
    vec((shape, shared, vec(profile, 1..5)), 1..4)
}

/// Any configuration of up to three small cores.
fn configs() -> impl Strategy<Value = Config> {
    (shapes(), -8i8..8, vec((any::<u8>(), any::<i16>()), 12)).prop_map(|(shapes, exp, biases)| {
        let mut config = Config::default();
        let total = shapes.len();
        for (k, ((n, rows, axons, channels), shared, profiles)) in shapes.into_iter().enumerate() {
            let mut core = Core {
                core: k as u8 * 3,
                dendrite_shared_cfg: shared,
                synapse_fmt: vec![
                    SynapseFmt::default(),
                    SynapseFmt {
                        wgt_exp: exp,
                        wgt_bits: 7,
                        dly_bits: 3,
                        idx_bits: 1,
                        fanout_type: MIXED,
                        num_synapses: 63,
                        ..SynapseFmt::default()
                    },
                ],
                ..Core::default()
            };
            for &(decay_u, decay_v, refract_delay, enable_noise, vth) in &profiles {
                core.cx_profile_cfg.push(CxProfile {
                    decay_u,
                    decay_v,
                    refract_delay,
                    enable_noise,
                });
                core.vth_profile_cfg.push(VthProfile { vth });
            }
            for i in 0..n {
                let (exp, bias) = biases[i % biases.len()];
                core.cx_cfg.push(Cx {
                    bias: bias.clamp(-4096, 4095),
                    bias_exp: exp % 8,
                    vth_profile: (i % profiles.len()) as u8,
                    cx_profile: (i % profiles.len()) as u8,
                });
            }
            let count = rows.len() as u16;
            for row in rows {
                let mut row: Vec<Synapse> = row
                    .into_iter()
                    .map(|(c_idx, half, dly)| Synapse {
                        c_idx: c_idx % n as u16,
                        wgt: 2 * half,
                        syn_fmt_id: 1,
                        dly,
                        ..Synapse::default()
                    })
                    .collect();
                row.sort_by_key(|s| (s.c_idx, s.dly));
                row.dedup_by_key(|s| (s.c_idx, s.dly));
                core.synapse_map.push(MapEntry {
                    synapse_ptr: core.synapses.len() as u32,
                    synapse_len: row.len() as u32,
                    pop_size: 1,
                    ..MapEntry::default()
                });
                core.synapses.extend(row);
            }
            let to = |row: u16| Destination {
                dst_core_id: k as u8 * 3,
                dst_syn_map_id: row % count,
                ..Destination::default()
            };
            core.axons = axons
                .iter()
                .map(|&(s, row)| (s % n as u16, to(row)))
                .collect();
            core.axons.sort_unstable();
            config
                .channels
                .push(channels.iter().map(|&r| to(r)).collect());
            config.outputs.push((k as u32, 0));
            config.cores.push(core);
        }
        assert_eq!(config.cores.len(), total);
        config
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn images_read_as_they_were_written(config in configs()) {
        let bytes = encode(&config).unwrap_or_else(|d| panic!("{d}"));
        prop_assert_eq!(decode("x", &bytes).unwrap_or_else(|d| panic!("{d}")), config);
    }

    #[test]
    fn programs_are_sound(config in configs(), given in any::<bool>()) {
        let lowered = lower(&config, Arithmetic::Nengo, given).unwrap_or_else(|d| panic!("{d}"));
        let found = check(&lowered.program);
        prop_assert!(found.is_empty(), "{}", found);
    }

    #[test]
    fn damaged_images_are_refused_or_sound(config in configs(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = encode(&config).unwrap_or_else(|d| panic!("{d}"));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = decode("x", &bytes) {
            for arithmetic in [Arithmetic::Nengo, Arithmetic::Lava] {
                if let Ok(l) = lower(&read, arithmetic, false) {
                    prop_assert!(check(&l.program).is_empty());
                }
            }
        }
    }
}

fn integrate(decay: f64, threshold: i64, reset: Reset) -> UnitDynamics {
    UnitDynamics::Integrate {
        decay,
        bias: 0,
        threshold,
        reset,
        initial: 0,
        refractory: 0,
    }
}

#[test]
fn decays_have_twelve_bits() {
    let b = backend();
    let registers = |u: &UnitDynamics| b.neuron("nengo", u, (0, 0), 0);
    let lif = integrate(0.9, 100, Reset::To(0));
    assert_eq!(registers(&lif), Ok(vec![4095, 410, 99, 0, 1, 23, 7]));
    assert!(
        b.differences("nengo", &lif)
            .iter()
            .any(|n| n.contains("0.899902") && n.contains("0.900000"))
    );
    let cuba = UnitDynamics::Current {
        keep: 0.75,
        then: Box::new(lif),
    };
    assert_eq!(registers(&cuba), Ok(vec![1023, 410, 99, 0, 1, 23, 7]));
    // A membrane that keeps or forgets all is computed exactly.
    for decay in [0.0, 1.0] {
        assert!(
            b.differences("nengo", &integrate(decay, 100, Reset::To(0)))
                .is_empty()
        );
    }
    assert!(
        !b.differences("nengo", &integrate(1.0, 100, Reset::Subtract))
            .is_empty()
    );
}

#[test]
fn what_a_compartment_cannot_do() {
    let b = backend();
    let limit = |d: &str, u: &UnitDynamics, shift: u32| {
        b.neuron(d, u, (0, 0), shift).expect_err("refused").limit
    };
    assert_eq!(limit("nengo", &integrate(0.5, 1, Reset::To(0)), 0), "thr");
    assert_eq!(
        limit("nengo", &integrate(0.5, 200_000, Reset::To(0)), 0),
        "thr"
    );
    assert_eq!(limit("nengo", &integrate(0.5, 5, Reset::To(2)), 0), "reset");
    assert_eq!(limit("nengo", &integrate(1.5, 5, Reset::To(0)), 0), "dv");
    let biased = UnitDynamics::Integrate {
        decay: 1.0,
        bias: 7,
        threshold: 100,
        reset: Reset::To(0),
        initial: 0,
        refractory: 3,
    };
    assert_eq!(
        b.neuron("nengo", &biased, (0, 0), 0),
        Ok(vec![4095, 0, 99, 448, 4, 23, 7])
    );
    assert_eq!(limit("lava", &biased, 0), "refract");
    assert_eq!(limit("nengo", &biased, 2), "bias");
    let own = |model: &str, fields: &[(&str, f64)]| UnitDynamics::Own {
        model: model.into(),
        fields: fields.iter().map(|f| (f.0.into(), f.1)).collect(),
        states: vec![],
    };
    let good = [
        ("du", 1.0),
        ("dv", 2.0),
        ("vth", 3.0),
        ("bias", 4095.0 * 128.0),
    ];
    assert_eq!(
        b.neuron("nengo", &own("Loihi", &good), (0, 0), 0),
        Ok(vec![1, 2, 3, 4095 * 128, 1, 23, 7])
    );
    assert_eq!(limit("nengo", &own("LavaLif", &good), 0), "model");
    assert_eq!(limit("lava", &own("Loihi", &good), 0), "model");
    assert_eq!(
        limit("nengo", &own("Loihi", &[("bias", 4097.0)]), 0),
        "bias"
    );
    assert_eq!(
        limit("nengo", &own("Loihi", &[("vmin", -100.0)]), 0),
        "vmin"
    );
    let ends = own("Loihi", &[("vmin", -1023.0), ("vmax", 511.0)]);
    assert_eq!(
        b.neuron("nengo", &ends, (0, 0), 0),
        Ok(vec![4095, 0, 1, 0, 1, 10, 0])
    );
}

#[test]
fn biases_have_a_mantissa_and_an_exponent() {
    assert_eq!(bias_parts(0), Some((0, 0)));
    assert_eq!(bias_parts(-4096), Some((-4096, 0)));
    assert_eq!(bias_parts(4096), Some((2048, 1)));
    assert_eq!(bias_parts(4097), None);
    assert_eq!(bias_parts(4095 << 7), Some((4095, 7)));
    assert_eq!(bias_parts(4095 << 8), None);
}

#[test]
fn rows_take_whole_words() {
    let f = SynapseFmt {
        wgt_bits: 7,
        idx_bits: 5,
        num_synapses: 63,
        ..SynapseFmt::default()
    };
    assert_eq!(limits::row_bits(&f, 0), 0);
    assert_eq!(limits::row_bits(&f, 1), 64);
    assert_eq!(limits::row_bits(&f, 3), 64);
    assert_eq!(limits::row_bits(&f, 4), 128);
    // 64 synapses of 18 bits and a head of 10 take 19 words, the next group begins anew.
    assert_eq!(limits::row_bits(&f, 64), 1216);
    assert_eq!(limits::row_bits(&f, 65), 1280);
}

/// A mapping of one core: `weights` from one input onto as many neurons.
fn mapping(weights: &[i32], registers: &[[i64; 7]]) -> Mapping {
    let population = |name: &str, size: usize, input: bool| MappedPopulation {
        name: name.into(),
        size: size as u32,
        shift: 0,
        input,
        recorded: !input,
    };
    let unit = |unit: usize| UnitRef {
        pop: 1,
        unit: unit as u32,
    };
    let source = UnitRef { pop: 0, unit: 0 };
    let neurons = registers.iter().enumerate().map(|(k, r)| Neuron {
        unit: unit(k),
        copy: 0,
        fields: r.to_vec(),
        route: Route::None,
    });
    let synapses = (0u32..)
        .zip(weights)
        .map(|(k, &weight)| synfire_ir::mapping::Synapse {
            axon: 0,
            neuron: k,
            weight,
        });
    Mapping {
        target: "loihi".into(),
        dialect: "nengo".into(),
        fields: FIELDS.iter().map(|f| f.to_string()).collect(),
        populations: vec![
            population("x", 1, true),
            population("p", registers.len(), false),
        ],
        cores: vec![Mapped {
            neurons: neurons.collect(),
            axons: vec![Axon {
                address: 0,
                class: 0,
                source,
                delay: 0,
            }],
            synapses: synapses.collect(),
            ..Mapped::default()
        }],
        inputs: vec![Input {
            unit: source,
            core: 0,
            axon: 0,
            offset: 0,
        }],
        outputs: (0..registers.len()).map(unit).collect(),
        ..Mapping::default()
    }
}

const PLAIN: [i64; 7] = [4095, 0, 99, 0, 1, 23, 7];

#[test]
fn the_fewest_formats_hold_all_weights() {
    let weights = [1, 255, 256, 1000, -7, -300, 32_640];
    let (config, native) =
        from_mapping(&mapping(&weights, &[PLAIN; 7])).unwrap_or_else(|d| panic!("{d}"));
    let core = &config.cores[0];
    let formats: Vec<(i8, u8)> = core
        .synapse_fmt
        .iter()
        .skip(1)
        .map(|f| (f.wgt_exp, f.fanout_type))
        .collect();
    assert_eq!(
        formats,
        [
            (0, EXCITATORY),
            (3, EXCITATORY),
            (7, EXCITATORY),
            (0, INHIBITORY),
            (2, INHIBITORY)
        ]
    );
    let mut values = vec![0; 7];
    for s in &core.synapses {
        let f = core.synapse_fmt[usize::from(s.syn_fmt_id)];
        values[usize::from(s.c_idx)] = i32::from(s.wgt) << f.wgt_exp;
    }
    assert_eq!(values, weights);
    assert_eq!((native.inputs.len(), native.outputs.len()), (1, 7));
}

#[test]
fn what_a_core_has_no_room_for() {
    let limit = |m: &Mapping| {
        let found = from_mapping(m).expect_err("refused");
        let d = &found.0[0];
        assert!(
            !d.hints.is_empty() && d.class == synfire_ir::Class::Fit,
            "{d:?}"
        );
        let limit = d
            .fields
            .iter()
            .find(|f| f.0 == "limit")
            .map(|f| f.1.clone());
        (d.code.clone(), limit.unwrap_or_default())
    };
    let said = |code: &str, name: &str| (code.to_string(), name.to_string());
    assert_eq!(
        limit(&mapping(&[511], &[PLAIN])),
        said("SYN0610", "weights")
    );
    let thresholds: Vec<[i64; 7]> = (0..8).map(|k| [4095, 0, 100 + k, 0, 1, 23, 7]).collect();
    assert_eq!(
        limit(&mapping(&[1; 8], &thresholds)),
        said("SYN0614", "threshold profiles")
    );
    let decays: Vec<[i64; 7]> = (0..32).map(|k| [4095, k, 99, 0, 1, 23, 7]).collect();
    assert_eq!(
        limit(&mapping(&[1; 32], &decays)),
        said("SYN0614", "profiles_per_core")
    );
    assert_eq!(
        limit(&mapping(&[1; 1025], &[PLAIN; 1025])),
        said("SYN0614", "compartments")
    );
    let mut ends = [PLAIN; 2];
    ends[1][5] = 10;
    assert_eq!(
        limit(&mapping(&[1; 2], &ends)),
        said("SYN0614", "vmin, vmax")
    );
}
