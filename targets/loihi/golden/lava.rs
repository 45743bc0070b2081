//! Vectors of lava's fixed-point neuron and synapse: one population with a dense matrix from its inputs and perhaps one onto itself.

use super::super::config::*;
use super::super::lower::Arithmetic;
use super::{Expected, channel, compare, prepared};
use crate::backend::GoldenCase;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Vector {
    id: String,
    n: usize,
    steps: u32,
    du: u16,
    dv: u16,
    vth: u32,
    bias_mant: Vec<i16>,
    bias_exp: Vec<i8>,
    input: Vec<Vec<u8>>,
    dense: Dense,
    recurrent: Option<Dense>,
    expected: Seen,
}

#[derive(Deserialize)]
struct Dense {
    /// `[target][source]`.
    weights: Vec<Vec<i32>>,
    sign_mode: Option<String>,
    num_weight_bits: u8,
    weight_exp: i8,
}

#[derive(Deserialize)]
struct Seen {
    u: Vec<Vec<i32>>,
    v: Vec<Vec<i32>>,
    spikes: Vec<Vec<u32>>,
}

pub(super) fn case(vector: &Value) -> Result<GoldenCase, String> {
    let v = Vector::deserialize(vector).map_err(|e| e.to_string())?;
    let config = configuration(&v)?;
    let lowered = prepared(&config, Arithmetic::Lava, false)?;
    let mut input = vec![];
    for (c, train) in v.input.iter().enumerate() {
        // What enters with entry t acts in the neuron with entry t + 1.
        let spikes = (1u32..).zip(train).filter(|s| *s.1 != 0);
        input.extend(spikes.map(|s| channel(s.0, c)));
    }
    input.sort_by_key(|e| e.0);
    let expected = Expected {
        u: v.expected.u,
        v: v.expected.v,
        spikes: v.expected.spikes,
    };
    Ok(GoldenCase {
        name: v.id,
        program: lowered.program,
        input,
        steps: v.steps.min(super::MOST_STEPS),
        check: Box::new(move |seen| compare(&expected, seen)),
    })
}

fn configuration(v: &Vector) -> Result<Config, String> {
    let mut core = Core {
        cx_profile_cfg: vec![CxProfile {
            decay_u: v.du,
            decay_v: v.dv,
            refract_delay: 1,
            enable_noise: false,
        }],
        vth_profile_cfg: vec![VthProfile { vth: v.vth }],
        dendrite_shared_cfg: DendriteShared {
            pos_vm_limit: 7,
            neg_vm_limit: 23,
            ..DendriteShared::default()
        },
        synapse_fmt: vec![SynapseFmt::default()],
        ..Core::default()
    };
    for i in 0..v.n {
        let short = || format!("a bias list has no entry for each of {} neurons", v.n);
        let mant = *v.bias_mant.get(i).ok_or_else(short)?;
        let exp = *v.bias_exp.get(i).ok_or_else(short)?;
        core.cx_cfg.push(Cx {
            bias: if exp < 0 { mant >> -exp } else { mant },
            bias_exp: exp.max(0).unsigned_abs(),
            vth_profile: 0,
            cx_profile: 0,
        });
    }
    let mut config = Config::default();
    matrix(&v.dense, v.input.len(), v.n, &mut core)?;
    let to = |axon: usize| Destination {
        dst_syn_map_id: axon as u16,
        ..Destination::default()
    };
    config.channels = (0..v.input.len()).map(|a| vec![to(a)]).collect();
    if let Some(r) = &v.recurrent {
        let first = core.synapse_map.len();
        matrix(r, v.n, v.n, &mut core)?;
        core.axons = (0..v.n).map(|a| (a as u16, to(first + a))).collect();
    }
    config.cores.push(core);
    Ok(config)
}

/// Adds a matrix as a format of its own with a row a source; weights are clipped and lose their low bits as lava does it.
fn matrix(d: &Dense, sources: usize, n: usize, core: &mut Core) -> Result<(), String> {
    let all = || d.weights.iter().flatten();
    let fanout_type = match d.sign_mode.as_deref() {
        Some("MIXED") => MIXED,
        Some("EXCITATORY") => EXCITATORY,
        Some("INHIBITORY") => INHIBITORY,
        Some(other) => return Err(format!("sign_mode `{other}`")),
        None if all().all(|&w| w >= 0) => EXCITATORY,
        None if all().all(|&w| w <= 0) => INHIBITORY,
        None => MIXED,
    };
    let wgt_bits = match d.num_weight_bits {
        8 => 7,
        n @ 0..=6 => n,
        n => return Err(format!("{n} weight bits")),
    };
    let format = SynapseFmt {
        wgt_exp: d.weight_exp,
        wgt_bits,
        fanout_type,
        idx_bits: 7,
        num_synapses: 63,
        ..SynapseFmt::default()
    };
    let id = core.synapse_fmt.len() as u8;
    core.synapse_fmt.push(format);
    for source in 0..sources {
        let first = core.synapses.len();
        for target in 0..n {
            let w = d.weights.get(target).and_then(|row| row.get(source));
            let w = *w.ok_or("a matrix has too few entries")?;
            core.synapses.push(Synapse {
                c_idx: target as u16,
                wgt: truncated(w, fanout_type, format.dropped()),
                syn_fmt_id: id,
                dly: 0,
                tag: 0,
                lrn_en: 0,
            });
        }
        core.synapse_map.push(MapEntry {
            synapse_ptr: first as u32,
            synapse_len: n as u32,
            pop_size: 1,
            ..MapEntry::default()
        });
    }
    Ok(())
}

/// A weight clipped to its mode's range, without its `low` lowest bits: of the magnitude where it inhibits, else by a shift (towards minus infinity).
pub(super) fn truncated(w: i32, fanout_type: u8, low: u32) -> i16 {
    let cut = |w: i32| w >> low << low;
    let w = match fanout_type {
        INHIBITORY => -cut((-w).clamp(0, 255)),
        EXCITATORY => cut(w.clamp(0, 255)),
        _ => cut(w.clamp(-256, 255)),
    };
    w as i16
}
