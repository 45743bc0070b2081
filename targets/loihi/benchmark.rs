//! The network on which emulators of Loihi are compared: 1,024 channels onto 1,024 compartments with 128 synapses each, on four cores.
//!
//! Everything about it follows from one hash, so that other programs can build the same. Channels spike at a tenth of all steps; of the compartments about 45 spike in a step. The
//! peers' figures are millions of synaptic events a second over the 13,093 events of a step.

use super::config::*;
use super::lower::CHANNELS;
use crate::backend::{Emulation, NativeInput};
use crate::benchmark::{Benchmark, Peer};

const CORES: u64 = 4;
const SOURCES: u64 = 1024;
const NEURONS: u64 = 1024;
const FAN_IN: u64 = 128;
/// Group of the compartments in the program: there is one external group before it.
const COMPARTMENTS: u32 = 1;
/// Steps a CPU second of the fastest of nengo-loihi 1.1.0, brian2-loihi 0.5.2 and lava 0.10.0: brian2-loihi at 29.1 million events a second.
const PEER: f64 = 29.1e6 / 13_093.0;

/// One round of SplitMix64.
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn hash(a: u64, b: u64, c: u64) -> u64 {
    mix(mix(mix(20_260_101 + a).wrapping_add(b)).wrapping_add(c))
}

/// The benchmark; `decode` makes of a configuration what an artefact would run.
pub(super) fn benchmarks<E>(
    decode: &dyn Fn(&Config) -> Result<Emulation, E>,
) -> Result<Vec<Benchmark>, E> {
    let program = decode(&network())?.program;
    Ok(vec![Benchmark {
        name: "1024x128".into(),
        program,
        neurons: COMPARTMENTS,
        states: vec![(COMPARTMENTS, 0), (COMPARTMENTS, 1)],
        steps: 5000,
        input: Box::new(input),
        peer: Some(Peer {
            name: "brian2-loihi 0.5.2",
            steps_per_cpu_s: PEER,
            source: "the fastest of nengo-loihi, brian2-loihi and lava on this network: 29.1 million synaptic events a second of stepping alone, one thread",
        }),
    }])
}

/// Input of one sample; sample 0 is the one that the peers ran.
fn input(steps: u32, sample: u32) -> Vec<(u32, NativeInput)> {
    let spike = |step: u32, unit: u64| {
        let event = NativeInput::Event {
            group: CHANNELS,
            unit: unit as u32,
            payload: 1,
            delay: 0,
        };
        (step, event)
    };
    // A spike stamped t (from 1) arrives in step t + 1, which is step t of the program (from 0).
    let of = |t: u32| {
        let fires =
            move |i: &u64| hash(2, u64::from(t) + (u64::from(sample) << 32), *i).is_multiple_of(10);
        (0..SOURCES).filter(fires).map(move |i| spike(t, i))
    };
    (1..steps).flat_map(of).collect()
}

fn network() -> Config {
    let per_core = NEURONS / CORES;
    let mut cores = vec![];
    for c in 0..CORES {
        let mut rows: Vec<Vec<Synapse>> = vec![vec![]; SOURCES as usize];
        for j in 0..per_core {
            for k in 0..FAN_IN {
                let r = hash(1, c * per_core + j, k);
                rows[(8 * k + r % 8) as usize].push(Synapse {
                    c_idx: j as u16,
                    wgt: (2 * ((r >> 8) % 255)) as i16 - 254,
                    syn_fmt_id: 1,
                    dly: 0,
                    tag: 0,
                    lrn_en: 0,
                });
            }
        }
        cores.push(core(c as u8, per_core as usize, rows));
    }
    let to = |core: u64, source: u64| Destination {
        dst_chip_id: 0,
        dst_core_id: core as u8,
        dst_syn_map_id: source as u16,
        atom: 0,
    };
    Config {
        cores,
        channels: (0..SOURCES)
            .map(|s| (0..CORES).map(|c| to(c, s)).collect())
            .collect(),
        outputs: (0..NEURONS)
            .map(|n| ((n / per_core) as u32, (n % per_core) as u16))
            .collect(),
    }
}

fn core(number: u8, size: usize, rows: Vec<Vec<Synapse>>) -> Core {
    let mut core = Core {
        core: number,
        cx_profile_cfg: vec![CxProfile {
            decay_u: 1638,
            decay_v: 409,
            refract_delay: 1,
            enable_noise: false,
        }],
        vth_profile_cfg: vec![VthProfile { vth: 3000 }],
        dendrite_shared_cfg: DendriteShared {
            pos_vm_limit: 7,
            neg_vm_limit: 23,
            ..DendriteShared::default()
        },
        synapse_fmt: vec![
            SynapseFmt::default(),
            SynapseFmt {
                wgt_bits: 7,
                idx_bits: 3,
                fanout_type: MIXED,
                num_synapses: 63,
                ..SynapseFmt::default()
            },
        ],
        cx_cfg: vec![Cx::default(); size],
        ..Core::default()
    };
    for row in rows {
        core.synapse_map.push(MapEntry {
            synapse_ptr: core.synapses.len() as u32,
            synapse_len: row.len() as u32,
            pop_size: 1,
            ..MapEntry::default()
        });
        core.synapses.extend(row);
    }
    core
}
